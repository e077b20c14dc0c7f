//! An import: every entry in one transaction, with what is wrong by line and field.

use std::collections::HashMap;

use matinee_contracts::catalog as contract;

use super::rows::find;
use super::step::{Credited, Effect, Step};
use crate::details::Kind;
use crate::error::CatalogError;
use crate::exchange::{Entry, MOST_PROBLEMS, Problem, What};
use crate::person::Person;
use crate::store::{Tally, Trial, Written};
use crate::title::{Said, title_id};

pub(super) async fn import(
    mut step: Step,
    mut entries: Vec<Entry>,
    trial: Trial,
) -> Result<Written<Tally>, CatalogError> {
    // Whoever is named comes before who names it: people, then films and series, then episodes.
    entries.sort_by_key(|entry| match &entry.what {
        What::Person(_) => 0,
        What::Title(patch) if patch.title.kind != Kind::Episode.told() as i32 => 1,
        What::Title(_) => 2,
    });
    let mut tally = Tally::default();
    let mut lines: HashMap<(bool, String), u32> = HashMap::new();
    for Entry { line, what } in entries {
        if tally.problems.len() >= MOST_PROBLEMS {
            break;
        }
        let (is_person, id) = match &what {
            What::Person(person) => (true, person.id.clone()),
            What::Title(patch) => (false, patch.title.id.clone()),
        };
        if let Some(first) = lines.insert((is_person, id.clone()), line) {
            let reason = format!("{id} stands in line {first} already");
            tally.problems.push(Problem { line, field: "id".to_owned(), reason });
            continue;
        }
        let effect = match what {
            What::Person(person) => take_person(&mut step, person).await.map(|()| None),
            What::Title(patch) => take_title(&mut step, patch).await.map(Some),
        };
        match effect {
            Ok(None) => {}
            Ok(Some(Effect::Added)) => tally.added += 1,
            Ok(Some(Effect::Changed)) => tally.changed += 1,
            Ok(Some(Effect::Unchanged)) => tally.unchanged += 1,
            Err(CatalogError::Field { field, reason }) => tally.problems.push(Problem { line, field, reason }),
            // Not the file's fault: it may go better next time.
            Err(other) => return Err(other),
        }
    }
    if !tally.problems.is_empty() {
        tally.problems.sort_by_key(|problem| problem.line);
        let problems = std::mem::take(&mut tally.problems);
        return step.roll_back(Tally { problems, ..Tally::default() }).await;
    }
    match trial {
        Trial::Dry => step.roll_back(tally).await,
        Trial::Real => step.commit(tally).await,
    }
}

async fn take_person(step: &mut Step, person: contract::Person) -> Result<(), CatalogError> {
    step.put_person(Person::parse(person)?, None).await?;
    Ok(())
}

async fn take_title(step: &mut Step, patch: crate::exchange::Patch) -> Result<Effect, CatalogError> {
    let id = title_id("id", &patch.title.id)?;
    let before = find(step.connection(), &id).await?.map(|title| title.message());
    let said = Said::parse(patch.over(before))?;
    let (_, effect) = step.put(said, None, Credited::Made).await?;
    Ok(effect)
}
