//! A workflow as the studio reads it.

use matinee_contracts::workflow::{TaskDetail, TaskState, WorkflowDetail, WorkflowState, WorkflowSummary};
use matinee_service::clock::rfc3339;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A workflow, with its tasks where they were asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = Workflow)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowJson {
    id: String,
    kind: String,
    subject: String,
    state: &'static str,
    tasks: u32,
    done: u32,
    running: u32,
    failed: u32,
    started_at: Option<String>,
    ended_at: Option<String>,
    progress: f64,
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
    name: String,
    #[serde(rename = "type")]
    kind: String,
    pool: String,
    depends_on: Vec<String>,
    state: &'static str,
    attempt: u32,
    progress: f64,
    note: String,
    worker: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    error: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    diagnostics: String,
    reused: bool,
    started_at: Option<String>,
    ended_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
}

impl From<WorkflowSummary> for WorkflowJson {
    fn from(summary: WorkflowSummary) -> Self {
        let state = match summary.state() {
            WorkflowState::Completed => "completed",
            WorkflowState::Stuck => "stuck",
            WorkflowState::Stopped => "stopped",
            WorkflowState::Active | WorkflowState::Unspecified => "active",
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
            TaskState::Waiting | TaskState::Unspecified => "waiting",
            TaskState::Ready => "ready",
            TaskState::Running => "running",
            TaskState::Backoff => "backoff",
            TaskState::Done => "done",
            TaskState::Failed => "failed",
            TaskState::Cancelled => "cancelled",
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
