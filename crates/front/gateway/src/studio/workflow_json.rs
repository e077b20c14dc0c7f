//! A workflow as the studio reads it.

use matinee_contracts::workflow::{TaskDetail, TaskState, WorkflowDetail, WorkflowState, WorkflowSummary};
use matinee_service::clock::rfc3339;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// How a workflow stands.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkflowState)]
#[serde(rename_all = "lowercase")]
pub enum WorkflowStateJson {
    /// It runs, or will.
    Active,
    /// All of it is done.
    Completed,
    /// Something failed for good.
    Stuck,
    /// Somebody cancelled it.
    Stopped,
}

/// How a task stands.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskState)]
#[serde(rename_all = "lowercase")]
pub enum TaskStateJson {
    /// For other tasks.
    Waiting,
    /// A worker may take it.
    Ready,
    /// A worker has it.
    Running,
    /// It failed, and will be tried again.
    Backoff,
    /// Its output is there.
    Done,
    /// For good.
    Failed,
    /// Nobody will run it.
    Cancelled,
}

/// A workflow, with its tasks where they were asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = Workflow)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowJson {
    id: String,
    kind: String,
    /// The title's id.
    subject: String,
    state: WorkflowStateJson,
    tasks: u32,
    done: u32,
    running: u32,
    failed: u32,
    #[schema(required)]
    started_at: Option<String>,
    #[schema(required)]
    ended_at: Option<String>,
    /// 0 to 1.
    progress: f64,
    /// Of the first failed task.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_list: Option<Vec<TaskJson>>,
}

/// One of its tasks.
#[derive(Serialize, ToSchema)]
#[schema(as = Task)]
#[serde(rename_all = "camelCase")]
pub struct TaskJson {
    /// Unique in its workflow: "encode/video-720p-h264/00003".
    name: String,
    #[serde(rename = "type")]
    kind: String,
    pool: String,
    depends_on: Vec<String>,
    state: TaskStateJson,
    /// How often it was begun.
    attempt: u32,
    /// 0 to 1.
    progress: f64,
    /// "412 fps, 12 s left"
    note: String,
    worker: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    error: String,
    /// The end of what the tool wrote before it failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    diagnostics: String,
    /// Its output existed, so it was not run.
    reused: bool,
    #[schema(required)]
    started_at: Option<String>,
    #[schema(required)]
    ended_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
}

impl From<WorkflowSummary> for WorkflowJson {
    fn from(summary: WorkflowSummary) -> Self {
        let state = match summary.state() {
            WorkflowState::Completed => WorkflowStateJson::Completed,
            WorkflowState::Stuck => WorkflowStateJson::Stuck,
            WorkflowState::Stopped => WorkflowStateJson::Stopped,
            WorkflowState::Active | WorkflowState::Unspecified => WorkflowStateJson::Active,
        };
        Self {
            id: summary.id,
            kind: summary.kind,
            subject: summary.subject,
            state,
            tasks: summary.tasks,
            done: summary.done,
            running: summary.running,
            failed: summary.failed,
            started_at: rfc3339(summary.started_us),
            ended_at: rfc3339(summary.ended_us),
            progress: summary.progress,
            reason: summary.reason,
            task_list: None,
        }
    }
}

impl From<WorkflowDetail> for WorkflowJson {
    fn from(detail: WorkflowDetail) -> Self {
        let tasks = detail.tasks.into_iter().map(TaskJson::from).collect();
        Self { task_list: Some(tasks), ..detail.summary.unwrap_or_default().into() }
    }
}

impl From<TaskDetail> for TaskJson {
    fn from(task: TaskDetail) -> Self {
        let state = match task.state() {
            TaskState::Waiting | TaskState::Unspecified => TaskStateJson::Waiting,
            TaskState::Ready => TaskStateJson::Ready,
            TaskState::Running => TaskStateJson::Running,
            TaskState::Backoff => TaskStateJson::Backoff,
            TaskState::Done => TaskStateJson::Done,
            TaskState::Failed => TaskStateJson::Failed,
            TaskState::Cancelled => TaskStateJson::Cancelled,
        };
        let result = task.outcome.and_then(|outcome| serde_json::from_str(&outcome.result).ok());
        let spec = task.spec.unwrap_or_default();
        Self {
            name: spec.name,
            kind: spec.r#type,
            pool: spec.pool,
            depends_on: spec.depends_on,
            state,
            attempt: task.attempt,
            progress: task.progress,
            note: task.note,
            worker: task.worker,
            error: task.error,
            diagnostics: task.diagnostics,
            reused: task.reused,
            started_at: rfc3339(task.started_us),
            ended_at: rfc3339(task.ended_us),
            result,
        }
    }
}
