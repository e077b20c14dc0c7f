//! Onboarding: the workflow that a new master starts. It begins with `inspect` and `slice`; `slice` adds the rest, once it
//! is known what the master holds.
//!
//! Masters are heard of from the topic "masters". An event that comes twice starts nothing twice: the workflow's id is the
//! master's.

use std::time::Duration;

use matinee_contracts::events::MasterUploaded;
use matinee_contracts::ingest::ingest_client::IngestClient;
use matinee_contracts::ingest::{GetMasterRequest, Sidecar};
use matinee_contracts::workflow::workflow_client::WorkflowClient;
use matinee_contracts::workflow::{StartRequest, TaskSpec};
use matinee_engines::events::{EventError, Events};
use matinee_service::channel::Channel;
use prost::Message;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

/// The topic.
pub const TOPIC: &str = "masters";
/// Our place in it.
pub const GROUP: &str = "workflow";
/// Events read at once.
const AT_ONCE: usize = 64;
/// The wait after a failure; doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// One of the first tasks: by what it is done.
#[derive(Debug, Clone)]
pub struct Step {
    /// The tool and its version, which shape the output.
    pub tool: String,
    /// The pool in which its handler works: "cpu" or "light".
    pub pool: String,
    /// Parameters over those of the master (the ladder, the chunk's length).
    pub params: Map<String, Value>,
}

/// How masters are onboarded here.
#[derive(Debug, Clone)]
pub struct Tools {
    /// Looks at the master.
    pub inspect: Step,
    /// Cuts it, and plans the rest.
    pub slice: Step,
}

/// Why masters could not be heard of.
#[derive(Debug, thiserror::Error)]
enum OnboardError {
    #[error("the event log failed: {0}")]
    Events(#[from] EventError),
    #[error("{called} failed: {status}")]
    Call { called: &'static str, status: Box<Status> },
}

/// The workflow of a master: `inspect`, then `slice`.
#[must_use]
pub fn workflow_for(event: &MasterUploaded, sidecars: &[Sidecar], tools: &Tools) -> StartRequest {
    let metadata: std::collections::BTreeMap<_, _> = event.metadata.iter().collect();
    let sidecars: Vec<Value> = sidecars
        .iter()
        .map(|s| json!({"object": s.object, "file_name": s.file_name, "language": s.language, "label": s.label}))
        .collect();
    let mut master = Map::new();
    master.insert("title".to_owned(), json!(event.title));
    master.insert("master".to_owned(), json!(event.master));
    master.insert("object".to_owned(), json!(event.object));
    master.insert("file_name".to_owned(), json!(event.file_name));
    master.insert("size".to_owned(), json!(event.size));
    master.insert("blake3".to_owned(), json!(event.blake3));
    master.insert("sidecars".to_owned(), json!(sidecars));
    master.insert("metadata".to_owned(), json!(metadata));
    let task = |name: &str, needs: &[&str], step: &Step| {
        let mut params = master.clone();
        params.extend(step.params.clone());
        TaskSpec {
            name: name.to_owned(),
            r#type: name.to_owned(),
            params: Value::Object(params).to_string(),
            depends_on: needs.iter().map(|needs| (*needs).to_owned()).collect(),
            pool: step.pool.clone(),
            tool: step.tool.clone(),
            ..TaskSpec::default()
        }
    };
    StartRequest {
        id: format!("onboard-{}", event.master),
        kind: "onboard".to_owned(),
        subject: event.title.clone(),
        tasks: vec![task("inspect", &[], &tools.inspect), task("slice", &["inspect"], &tools.slice)],
    }
}

/// Starts a workflow for each master that is heard of, until `shutdown`.
///
/// An event counts as read when its workflow stands on disk. What can't be started ever (an event that is no
/// `MasterUploaded`, a refused plan) is logged and passed over; anything else is tried again.
pub async fn consume(
    log: Events,
    workflow: WorkflowClient<Channel>,
    ingest: IngestClient<Channel>,
    tools: Tools,
    shutdown: CancellationToken,
) {
    let mut wait = FIRST_WAIT;
    loop {
        let round = next_masters(&log, &workflow, &ingest, &tools);
        match shutdown.run_until_cancelled(round).await {
            None => return,
            Some(Ok(())) => wait = FIRST_WAIT,
            Some(Err(error)) => {
                tracing::warn!(%error, "new masters wait, trying again");
                if shutdown.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                    return;
                }
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

/// Waits for masters and starts their workflows.
async fn next_masters(
    log: &Events,
    workflow: &WorkflowClient<Channel>,
    ingest: &IngestClient<Channel>,
    tools: &Tools,
) -> Result<(), OnboardError> {
    let next = log.committed(TOPIC, GROUP).await?;
    log.wait(TOPIC, next).await?;
    for event in log.read(TOPIC, next, AT_ONCE).await? {
        match MasterUploaded::decode(event.payload) {
            Ok(master) => begin(&master, workflow, ingest, tools).await?,
            Err(error) => {
                tracing::error!(offset = event.offset, %error, "an event is no MasterUploaded, it is passed over")
            }
        }
        log.commit(TOPIC, GROUP, event.offset + 1).await?;
    }
    Ok(())
}

async fn begin(
    event: &MasterUploaded,
    workflow: &WorkflowClient<Channel>,
    ingest: &IngestClient<Channel>,
    tools: &Tools,
) -> Result<(), OnboardError> {
    let request = GetMasterRequest { id: event.master.clone() };
    let sidecars = match ingest.clone().get_master(request).await {
        Ok(master) => master.into_inner().sidecars,
        Err(status) if status.code() == Code::NotFound => {
            tracing::warn!(master = event.master, "ingest does not know this master; it is onboarded without sidecars");
            Vec::new()
        }
        Err(status) => {
            return Err(OnboardError::Call { called: "asking ingest for a master", status: Box::new(status) });
        }
    };
    match workflow.clone().start(workflow_for(event, &sidecars, tools)).await {
        Ok(started) => {
            let started = started.into_inner();
            tracing::info!(workflow = started.id, title = started.subject, "a master is being onboarded");
            Ok(())
        }
        Err(status) if status.code() == Code::InvalidArgument => {
            tracing::error!(master = event.master, %status, "a master's workflow is refused, it is passed over");
            Ok(())
        }
        Err(status) => Err(OnboardError::Call { called: "starting a workflow", status: Box::new(status) }),
    }
}
