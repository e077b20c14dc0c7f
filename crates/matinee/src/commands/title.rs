//! `matinee title`: films go in from the command line, with progress until they play.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use matinee_contracts::catalog::ListTitlesRequest;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::ingest::ingest_client::IngestClient;
use matinee_contracts::ingest::{AddFileRequest, Master};
use matinee_contracts::workflow::workflow_client::WorkflowClient;
use matinee_contracts::workflow::{ListRequest, ShowRequest, TaskState, WorkflowDetail, WorkflowState};
use matinee_model::ids::TitleId;
use matinee_service::channel::Channel;

use super::{block_on, channel, reach};
use crate::config::Config;
use crate::terminal::{AnyError, lasted, table};

/// What to do with titles.
#[derive(Subcommand)]
pub enum TitleCommand {
    /// Adds a film from a file that the service's machine can read, and follows it until it plays.
    Add(Box<AddArgs>),
    /// Lists titles.
    List,
}

/// A film and what belongs to it.
#[derive(Args)]
pub struct AddArgs {
    /// The master file.
    file: PathBuf,
    /// The title's id; made from its name without this.
    #[arg(long)]
    title: Option<TitleId>,
    /// The title's name; the file's without this.
    #[arg(long)]
    name: Option<String>,
    /// What it is about.
    #[arg(long, default_value = "")]
    description: String,
    /// Who made it; shown wherever the title is.
    #[arg(long, default_value = "")]
    credits: String,
    /// The licence of the work.
    #[arg(long, default_value = "")]
    license: String,
    /// The language of its sound where the file does not say (BCP 47).
    #[arg(long, default_value = "")]
    language: String,
    /// A subtitle file and its language: en=film.srt. May be given several times.
    #[arg(long = "subtitle", value_name = "LANGUAGE=FILE", value_parser = subtitle)]
    subtitles: Vec<(String, PathBuf)>,
    /// A picture that stands for the film.
    #[arg(long)]
    artwork: Option<PathBuf>,
    /// Returns when the file is in, without waiting until it plays.
    #[arg(long)]
    no_wait: bool,
}

fn subtitle(text: &str) -> Result<(String, PathBuf), String> {
    let (language, file) = text.split_once('=').ok_or_else(|| format!("{text:?} is not LANGUAGE=FILE"))?;
    Ok((language.to_owned(), PathBuf::from(file)))
}

/// Does it.
pub fn run(config: &Config, command: TitleCommand) -> Result<(), AnyError> {
    block_on(async {
        match command {
            TitleCommand::Add(args) => add(config, *args).await,
            TitleCommand::List => list(config).await,
        }
    })
}

async fn list(config: &Config) -> Result<(), AnyError> {
    let mut catalog = CatalogClient::new(channel(config)?);
    let request = ListTitlesRequest { limit: 500, ..ListTitlesRequest::default() };
    let titles = catalog.list_titles(request).await.map_err(|s| reach(s, config))?.into_inner().titles;
    let head = ["TITLE", "NAME", "SECONDS", "VERSION"].map(str::to_owned).to_vec();
    let rows = titles.into_iter().map(|t| {
        let version = if t.version.is_empty() { "(not published)".to_owned() } else { t.version };
        vec![t.id, t.name, format!("{:.1}", t.duration_us as f64 / 1e6), version]
    });
    print!("{}", table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()));
    Ok(())
}

async fn add(config: &Config, args: AddArgs) -> Result<(), AnyError> {
    let way = channel(config)?;
    let mut ingest = IngestClient::new(way.clone());
    let name = args.name.clone().unwrap_or_else(|| stem(&args.file));
    let title = match &args.title {
        Some(title) => title.clone(),
        None => TitleId::parse(&slug(&name))?,
    };
    for (language, file) in &args.subtitles {
        let metadata = [("kind", "subtitles"), ("for", title.as_str()), ("language", language), ("label", "")];
        send(config, &mut ingest, file, &metadata).await?;
    }
    if let Some(artwork) = &args.artwork {
        send(config, &mut ingest, artwork, &[("kind", "artwork"), ("for", title.as_str())]).await?;
    }
    let sidecars = args.subtitles.len().to_string();
    let metadata = [
        ("titleId", title.as_str()),
        ("title", &name),
        ("description", &args.description),
        ("credits", &args.credits),
        ("license", &args.license),
        ("language", &args.language),
        ("sidecars", &sidecars),
    ];
    let master = send(config, &mut ingest, &args.file, &metadata).await?;
    println!("{title}: {} bytes are in, BLAKE3 {}", master.size, master.blake3);
    if args.no_wait {
        return Ok(());
    }
    follow(way, &master).await
}

/// Sends one file and shows how far it is.
async fn send(
    config: &Config,
    ingest: &mut IngestClient<Channel>,
    file: &Path,
    metadata: &[(&str, &str)],
) -> Result<Master, AnyError> {
    let path = std::fs::canonicalize(file).map_err(|e| format!("{} can't be read: {e}", file.display()))?;
    let file_name = path.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
    let mut all: HashMap<String, String> =
        metadata.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    all.insert("filename".to_owned(), file_name.clone());
    let request = AddFileRequest { path: path.display().to_string(), metadata: all };
    let mut progress = ingest.add_file(request).await.map_err(|s| reach(s, config))?.into_inner();
    let bar = ProgressBar::new(0).with_message(file_name);
    bar.set_style(ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}")?);
    let mut master = None;
    while let Some(step) = progress.message().await? {
        bar.set_length(step.size);
        bar.set_position(step.read);
        master = step.master.or(master);
    }
    bar.finish_and_clear();
    master.ok_or_else(|| format!("{} was not taken in whole", file.display()).into())
}

/// Shows the workflow until it ends.
async fn follow(way: Channel, master: &Master) -> Result<(), AnyError> {
    let mut workflow = WorkflowClient::new(way);
    let id = loop {
        let request = ListRequest { subject: master.title.clone(), limit: 20 };
        let workflows = workflow.list(request).await?.into_inner().workflows;
        if let Some(found) = workflows.into_iter().find(|w| w.id.ends_with(&master.id)) {
            break found.id;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    let bar = ProgressBar::new(1000);
    bar.set_style(ProgressStyle::with_template("{wide_bar} {percent} % {msg}")?);
    let mut changes = workflow.watch(ShowRequest { id: id.clone() }).await?.into_inner();
    while let Some(detail) = changes.message().await? {
        let Some(summary) = &detail.summary else { continue };
        bar.set_position((summary.progress * 1000.0) as u64);
        bar.set_message(running(&detail));
        match summary.state() {
            WorkflowState::Completed => {
                bar.finish_and_clear();
                println!("{} plays after {}", summary.subject, lasted(summary.started_us, summary.ended_us));
                return Ok(());
            }
            WorkflowState::Stuck | WorkflowState::Stopped => {
                bar.finish_and_clear();
                return Err(format!("{id} ended: {}; see `matinee workflow show {id}`", summary.reason).into());
            }
            WorkflowState::Active | WorkflowState::Unspecified => {}
        }
    }
    Err(format!("the service stopped before {id} ended; it goes on when the service does").into())
}

fn running(detail: &WorkflowDetail) -> String {
    let mut names = detail.tasks.iter().filter(|t| t.state() == TaskState::Running);
    let first = names.next().and_then(|t| t.spec.as_ref()).map_or("", |s| s.name.as_str());
    match names.count() {
        0 => first.to_owned(),
        more => format!("{first} and {more} more"),
    }
}

fn stem(file: &Path) -> String {
    file.file_stem().map_or_else(|| "film".to_owned(), |s| s.to_string_lossy().into_owned())
}

/// A name as an id: "Big Buck Bunny" is "big-buck-bunny".
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug: String = slug.trim_end_matches('-').chars().take(64).collect();
    if slug.is_empty() { "film".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_an_id() {
        assert_eq!(slug("Big Buck Bunny (2008)"), "big-buck-bunny-2008");
        assert_eq!(slug("Élan"), "lan");
        assert_eq!(slug("映画"), "film");
    }
}
