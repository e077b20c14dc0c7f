//! Whole catalogues through the contract.

use std::sync::Arc;

use matinee_contracts::catalog::{ImportProblem, ImportReply, ImportRequest};
use tonic::Status;

use super::{CatalogService, MOST_LISTED};
use crate::error::{CatalogError, refused};
use crate::exchange::{Format, MOST_BYTES, Problem, csv, json};
use crate::person::Person;
use crate::store::{Shelf, Trial, Wanted};

/// The largest export, in bytes.
const MOST_EXPORTED: usize = 256 << 20;

impl CatalogService {
    /// Takes a file in: all of it, or none.
    pub(super) async fn take_in(&self, request: ImportRequest) -> Result<ImportReply, Status> {
        let ImportRequest { format, body, dry_run } = request;
        let format = Format::parse(&format).ok_or_else(|| refused("format", "it is none of csv, json and tmdb"))?;
        if body.len() > MOST_BYTES {
            return Err(refused("body", format!("it has {} bytes, at most {MOST_BYTES} are taken", body.len())).into());
        }
        let read = tokio::task::spawn_blocking(move || format.read(&body)).await;
        let read = read.map_err(|error| Status::internal(format!("the file's reader ended: {error}")))?;
        let entries = match read {
            Ok(entries) => entries,
            Err(problems) => return Ok(ImportReply { problems: told(problems), ..ImportReply::default() }),
        };
        let trial = if dry_run { Trial::Dry } else { Trial::Real };
        let (store, now_us) = (Arc::clone(&self.store), self.clock.now_us());
        let tally = self.write(async move { store.import(entries, trial, now_us).await }).await?;
        Ok(ImportReply {
            added: tally.added,
            changed: tally.changed,
            unchanged: tally.unchanged,
            problems: told(tally.problems),
        })
    }

    /// The whole catalogue as a file. Titles that change meanwhile stand in it as they were or as they are.
    pub(super) async fn write_out(&self, format: &str) -> Result<Vec<u8>, CatalogError> {
        let wanted = Wanted { shelf: Shelf::All, kind: None, series: None, genre: None };
        let (mut after, mut table, mut whole) = (String::new(), csv::Writer::new(), json::Writer::new());
        let as_json = match Format::parse(format) {
            Some(Format::Json) => true,
            Some(Format::Csv) => false,
            _ => return Err(refused("format", "it is neither csv nor json")),
        };
        if as_json {
            loop {
                let people = self.store.people(&after, MOST_LISTED).await?;
                let Some(last) = people.last() else { break };
                after = last.id.as_str().to_owned();
                people.into_iter().map(Person::message).for_each(|person| whole.person(&person));
                bounded(whole.size())?;
            }
            after.clear();
        }
        loop {
            let titles = self.store.list(&wanted, &after, MOST_LISTED).await?;
            let Some(last) = titles.last() else { break };
            after = last.card().id.as_str().to_owned();
            for title in titles {
                let title = title.message();
                if as_json { whole.title(&title) } else { table.title(&title) }
            }
            bounded(whole.size() + table.size())?;
        }
        Ok(if as_json { whole.done() } else { table.done() })
    }
}

fn bounded(size: usize) -> Result<(), CatalogError> {
    if size > MOST_EXPORTED { Err(CatalogError::TooLarge(MOST_EXPORTED)) } else { Ok(()) }
}

fn told(problems: Vec<Problem>) -> Vec<ImportProblem> {
    let problem = |Problem { line, field, reason }| ImportProblem { line, field, reason };
    problems.into_iter().map(problem).collect()
}
