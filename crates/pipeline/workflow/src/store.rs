//! What the workflow service keeps, in its own words: a port whose every call is one atomic, durable step.
//!
//! The embedded adapter is SQLite. An engine that decides by itself (Conductor) can stand behind the same calls: tasks are
//! polled by type, report progress, and are completed or failed.

pub mod sqlite;

use async_trait::async_trait;
use matinee_contracts::workflow::{
    Beat, FailRequest, Input, LeasedTask, Outcome, StartRequest, WorkflowDetail, WorkflowSummary,
};

use crate::error::WorkflowError;

/// Who asks for tasks, and for which.
#[derive(Debug, Clone)]
pub struct LeaseAsk {
    /// The worker's id.
    pub worker: String,
    /// Task types that it can do.
    pub types: Vec<String>,
    /// The pool of the slots that it offers.
    pub pool: String,
    /// At most so many.
    pub max_tasks: usize,
    /// Names for the leases; at least `max_tasks`.
    pub leases: Vec<String>,
}

/// A task that is ready while an output of its key is known.
#[derive(Debug, Clone)]
pub struct Reusable {
    /// The workflow.
    pub workflow: String,
    /// The task's name.
    pub task: String,
    /// Its key.
    pub key: String,
    /// What was made under that key.
    pub outcome: Outcome,
}

/// The port. Times are microseconds since 1970.
#[async_trait]
pub trait WorkflowStore: Send + Sync {
    /// Adds a workflow whose plan was checked. Does nothing where the id exists.
    async fn start(&self, request: &StartRequest, now_us: i64) -> Result<(), WorkflowError>;
    /// One workflow in short.
    async fn summary(&self, id: &str) -> Result<WorkflowSummary, WorkflowError>;
    /// The newest first; an empty `subject` means all.
    async fn list(&self, subject: &str, limit: u32) -> Result<Vec<WorkflowSummary>, WorkflowError>;
    /// One workflow with its tasks.
    async fn show(&self, id: &str) -> Result<WorkflowDetail, WorkflowError>;
    /// A number that rises with each change of the workflow.
    async fn revision(&self, id: &str) -> Result<i64, WorkflowError>;
    /// Failed and cancelled tasks (one, or all where `task` is empty) run again; those that wait to be tried run now.
    async fn retry(&self, id: &str, task: &str, now_us: i64) -> Result<(), WorkflowError>;
    /// Stops what has not ended. Nothing happens to a workflow that is complete.
    async fn cancel(&self, id: &str, reason: &str, now_us: i64) -> Result<(), WorkflowError>;
    /// Takes expired leases back and makes tasks ready whose wait is over; says how many there were.
    /// `chance` (0 to 1) shapes the waits.
    async fn promote(&self, now_us: i64, chance: f64) -> Result<usize, WorkflowError>;
    /// Leases the best ready task and, where it has an affinity, its equals in the same workflow.
    async fn lease(&self, ask: &LeaseAsk, now_us: i64) -> Result<Vec<LeasedTask>, WorkflowError>;
    /// Extends leases and notes progress; returns those that are lost.
    async fn heartbeat(&self, beats: &[Beat], now_us: i64) -> Result<Vec<String>, WorkflowError>;
    /// Ends a task with its outcome and adds what it spawns. False: the lease was lost and nothing changed.
    async fn complete(&self, lease: &str, outcome: &Outcome, now_us: i64) -> Result<bool, WorkflowError>;
    /// Ends an attempt. False: the lease was lost and nothing changed.
    async fn fail(&self, failure: &FailRequest, now_us: i64, chance: f64) -> Result<bool, WorkflowError>;
    /// Makes the leases' tasks ready again, uncounted; says how many.
    async fn release(&self, leases: &[String], now_us: i64) -> Result<u32, WorkflowError>;
    /// The same for all leases of workers whose id starts with `prefix`.
    async fn release_workers(&self, prefix: &str, now_us: i64) -> Result<u32, WorkflowError>;
    /// Ready tasks with a known output, at most `limit`.
    async fn reusable(&self, limit: u32) -> Result<Vec<Reusable>, WorkflowError>;
    /// Ends a ready task with the known output of its key. Nothing happens where it is not so any more.
    async fn reuse(&self, found: &Reusable, now_us: i64) -> Result<(), WorkflowError>;
    /// Forgets the output of a key, whose files are gone. Tasks that ended with it stay done until somebody needs it.
    async fn forget(&self, key: &str) -> Result<(), WorkflowError>;
    /// Inputs of a leased task are gone: runs the tasks that made them again, in this workflow, before this one.
    async fn inputs_missing(&self, lease: &str, missing: &[Input], now_us: i64) -> Result<(), WorkflowError>;
    /// Forgets a damaged output and runs the tasks that made it again, in every workflow; returns those.
    async fn invalidate(&self, key: &str, now_us: i64) -> Result<Vec<String>, WorkflowError>;
}
