//! `matinee workflow`: what runs, why something failed, and what to do about it.

use clap::Subcommand;
use matinee_contracts::workflow::workflow_client::WorkflowClient;
use matinee_contracts::workflow::{
    CancelRequest, ListRequest, RetryRequest, ShowRequest, TaskDetail, TaskState, WorkflowDetail, WorkflowSummary,
};

use super::{block_on, channel, reach};
use crate::config::Config;
use crate::terminal::{AnyError, lasted, table};

/// What to do with workflows.
#[derive(Subcommand)]
pub enum WorkflowCommand {
    /// Lists workflows, the newest first.
    List {
        /// Only those of this title.
        #[arg(long, default_value = "")]
        title: String,
    },
    /// Shows one with its tasks.
    Show {
        /// The workflow's id.
        id: String,
    },
    /// Runs what failed again.
    Retry {
        /// The workflow's id.
        id: String,
        /// Only this task.
        #[arg(default_value = "")]
        task: String,
    },
    /// Stops one. It can be retried later and goes on where it was.
    Cancel {
        /// The workflow's id.
        id: String,
        /// Why, for those who look at it later.
        #[arg(long, default_value = "cancelled at the command line")]
        reason: String,
    },
}

/// Does it.
pub fn run(config: &Config, command: WorkflowCommand) -> Result<(), AnyError> {
    block_on(async {
        let mut client = WorkflowClient::new(channel(config)?);
        let refused = |status| reach(status, config);
        match command {
            WorkflowCommand::List { title } => {
                let reply = client.list(ListRequest { subject: title, limit: 100 }).await.map_err(refused)?;
                print!("{}", table(&listing(&reply.into_inner().workflows)));
            }
            WorkflowCommand::Show { id } => {
                let detail = client.show(ShowRequest { id }).await.map_err(refused)?.into_inner();
                show(&detail);
            }
            WorkflowCommand::Retry { id, task } => {
                let summary = client.retry(RetryRequest { id, task }).await.map_err(refused)?.into_inner();
                println!("{} is {} again", summary.id, state(&summary));
            }
            WorkflowCommand::Cancel { id, reason } => {
                let summary = client.cancel(CancelRequest { id, reason }).await.map_err(refused)?.into_inner();
                println!("{} is {}", summary.id, state(&summary));
            }
        }
        Ok(())
    })
}

fn state(summary: &WorkflowSummary) -> String {
    summary.state().as_str_name().to_lowercase()
}

fn listing(workflows: &[WorkflowSummary]) -> Vec<Vec<String>> {
    let head = ["WORKFLOW", "TITLE", "STATE", "DONE", "LASTED", "REASON"].map(str::to_owned).to_vec();
    let rows = workflows.iter().map(|w| {
        let done = format!("{}/{}", w.done, w.tasks);
        vec![w.id.clone(), w.subject.clone(), state(w), done, lasted(w.started_us, w.ended_us), w.reason.clone()]
    });
    std::iter::once(head).chain(rows).collect()
}

fn show(detail: &WorkflowDetail) {
    if let Some(summary) = &detail.summary {
        print!("{}", table(&listing(std::slice::from_ref(summary))));
        println!();
    }
    let head = ["TASK", "STATE", "TRY", "LASTED", "NOTE"].map(str::to_owned).to_vec();
    let rows = detail.tasks.iter().map(row);
    print!("{}", table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()));
    for task in detail.tasks.iter().filter(|t| t.state() == TaskState::Failed) {
        let name = task.spec.as_ref().map_or("", |s| s.name.as_str());
        println!("\n{name} failed: {}", task.error);
        if !task.diagnostics.is_empty() {
            println!("{}", task.diagnostics.trim_end());
        }
    }
}

fn row(task: &TaskDetail) -> Vec<String> {
    let name = task.spec.as_ref().map_or(String::new(), |s| s.name.clone());
    let state = task.state().as_str_name().to_lowercase();
    let note = match task.state() {
        TaskState::Running => format!("{:.0} % {}", task.progress * 100.0, task.note),
        TaskState::Done if task.reused => "its output existed".to_owned(),
        TaskState::Failed | TaskState::Backoff => task.error.clone(),
        _ => String::new(),
    };
    vec![name, state, task.attempt.to_string(), lasted(task.started_us, task.ended_us), note]
}
