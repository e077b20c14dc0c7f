//! Working for the workflow service: poll for tasks by type, keep their leases, end each one.
//!
//! A service that does work implements [`Handler`] once a task type and hands its handlers to the worker's loop, which
//! is the same whether the workflow service is in this process or elsewhere.

pub mod runtime;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use matinee_contracts::workflow::{LeasedTask, OutputFile, TaskSpec};
use matinee_engines::objects::ObjectStorage;

/// Why a task did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TaskError {
    /// The input can't be worked with: running it again would end the same. The reason is for the operator.
    #[error("{reason}")]
    Refused {
        /// What is wrong, and where.
        reason: String,
        /// The tail of the tool's own output.
        diagnostics: String,
    },
    /// It may go better next time: a full disk, a killed subprocess.
    #[error("{reason}")]
    Retryable {
        /// What went wrong.
        reason: String,
        /// The tail of the tool's own output.
        diagnostics: String,
    },
    /// An input's bytes are not those that were stored: the task that made it runs again first.
    #[error("input {key} is damaged: {reason}")]
    DamagedInput {
        /// The output key of the damaged input.
        key: String,
        /// What differs.
        reason: String,
    },
    /// The lease was lost or the workflow cancelled; nothing is reported.
    #[error("the lease was lost")]
    Lost,
}

/// What a task made.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// JSON that tasks depending on this one read.
    pub result: serde_json::Value,
    /// Files, as [`TaskRun::store_file`] returned them.
    pub files: Vec<OutputFile>,
    /// Tasks to add to the workflow.
    pub spawn: Vec<TaskSpec>,
}

/// One leased task in a handler's hands.
#[derive(Debug, Clone)]
pub struct TaskRun {
    /// The task, with its parameters and inputs.
    pub task: LeasedTask,
    /// Where outputs go.
    pub objects: ObjectStorage,
    /// Where progress goes; the loop sends it on with the next heartbeat.
    pub progress: Progress,
}

/// Progress of one task: set by the handler, read by the loop.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<std::sync::Mutex<(f64, String)>>);

impl Progress {
    /// `done` from 0 to 1, and a few words ("412 fps, 12 s left").
    pub fn set(&self, done: f64, note: impl Into<String>) {
        let mut held = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *held = (done.clamp(0.0, 1.0), note.into());
    }

    /// As it was last set.
    #[must_use]
    pub fn get(&self) -> (f64, String) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

impl TaskRun {
    /// The task's parameters, read as `P`. Refuses the task where they do not fit.
    pub fn params<P: serde::de::DeserializeOwned>(&self) -> Result<P, TaskError> {
        let spec = self.task.spec.as_ref();
        let text = spec.map_or("", |s| s.params.as_str());
        serde_json::from_str(text).map_err(|error| TaskError::Refused {
            reason: format!("task {} has parameters that are not understood: {error}", self.name()),
            diagnostics: String::new(),
        })
    }

    /// The task's name in its workflow.
    #[must_use]
    pub fn name(&self) -> &str {
        self.task.spec.as_ref().map_or("", |s| s.name.as_str())
    }

    /// Takes a finished local file into the object store as this task's output `name`: `work/{key}/{name}`.
    pub async fn store_file(&self, name: &str, file: &Path) -> Result<OutputFile, TaskError> {
        let object = format!("work/{}/{name}", self.task.key);
        let stored = self
            .objects
            .put_file(&object, file)
            .await
            .map_err(|error| TaskError::Retryable { reason: error.to_string(), diagnostics: String::new() })?;
        Ok(OutputFile { name: name.to_owned(), object, size: stored.size, blake3: stored.blake3 })
    }
}

/// Does tasks of one type.
#[async_trait]
pub trait Handler: Send + Sync {
    /// The task type: "encode".
    fn task_type(&self) -> &'static str;

    /// The pool whose slots it takes: "cpu" or "light".
    fn pool(&self) -> &'static str;

    /// The most tasks of one affinity that it takes at once (they arrive in one call of [`Handler::run`]).
    fn batch(&self) -> u32 {
        1
    }

    /// Does the tasks (one, or several of one affinity) and returns an outcome for each, in their order.
    ///
    /// Dropping the future must stop the work (subprocesses die with it): that is how a lost lease and a cancelled
    /// workflow end it.
    async fn run(&self, tasks: Vec<TaskRun>) -> Vec<Result<Done, TaskError>>;
}
