//! Rows read as the contract's messages.

use matinee_contracts::workflow::{
    Input, LeasedTask, Outcome, TaskDetail, TaskSpec, TaskState, WorkflowDetail, WorkflowSummary,
};
use prost::Message;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use std::collections::HashMap;

use crate::error::WorkflowError;
use crate::store::Reusable;

/// Done 5, running 3, failed 6: as the contract numbers them.
const SUMMARY: &str =
    "SELECT w.id, w.kind, w.subject, w.state, w.reason, w.started_us, w.ended_us, COUNT(t.name) AS tasks,
       COALESCE(SUM(CASE WHEN t.state = 5 THEN 1 ELSE 0 END), 0) AS done,
       COALESCE(SUM(CASE WHEN t.state = 3 THEN 1 ELSE 0 END), 0) AS running,
       COALESCE(SUM(CASE WHEN t.state = 6 THEN 1 ELSE 0 END), 0) AS failed,
       COALESCE(AVG(CASE WHEN t.state = 5 THEN 1.0 WHEN t.state = 3 THEN t.progress ELSE 0.0 END), 0.0) AS progress
     FROM workflows w LEFT JOIN tasks t ON t.workflow = w.id
     WHERE w.id = $1 GROUP BY w.id, w.kind, w.subject, w.state, w.reason, w.started_us, w.ended_us";

/// One workflow in short.
pub(super) async fn summary(db: &mut SqliteConnection, id: &str) -> Result<WorkflowSummary, WorkflowError> {
    let row = sqlx::query(SUMMARY).bind(id).fetch_optional(&mut *db).await?;
    let Some(row) = row else { return Err(WorkflowError::UnknownWorkflow(id.to_owned())) };
    Ok(WorkflowSummary {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        subject: row.try_get("subject")?,
        state: row.try_get("state")?,
        tasks: row.try_get("tasks")?,
        done: row.try_get("done")?,
        running: row.try_get("running")?,
        failed: row.try_get("failed")?,
        started_us: row.try_get("started_us")?,
        ended_us: row.try_get("ended_us")?,
        progress: row.try_get("progress")?,
        reason: row.try_get("reason")?,
    })
}

/// The newest `limit` of a subject, or of all where it is empty.
pub(super) async fn list(
    db: &mut SqliteConnection,
    subject: &str,
    limit: u32,
) -> Result<Vec<WorkflowSummary>, WorkflowError> {
    let ids = if subject.is_empty() {
        sqlx::query("SELECT id FROM workflows ORDER BY started_us DESC, id LIMIT $1")
            .bind(limit)
            .fetch_all(&mut *db)
            .await?
    } else {
        sqlx::query("SELECT id FROM workflows WHERE subject = $2 ORDER BY started_us DESC, id LIMIT $1")
            .bind(limit)
            .bind(subject)
            .fetch_all(&mut *db)
            .await?
    };
    let mut workflows = Vec::with_capacity(ids.len());
    for row in ids {
        workflows.push(summary(db, &row.try_get::<String, _>("id")?).await?);
    }
    Ok(workflows)
}

/// The workflow's revision.
pub(super) async fn revision(db: &mut SqliteConnection, id: &str) -> Result<i64, WorkflowError> {
    let row = sqlx::query("SELECT revision FROM workflows WHERE id = $1").bind(id).fetch_optional(&mut *db).await?;
    match row {
        Some(row) => Ok(row.try_get("revision")?),
        None => Err(WorkflowError::UnknownWorkflow(id.to_owned())),
    }
}

/// One workflow with its tasks, in the order of the plan.
pub(super) async fn show(db: &mut SqliteConnection, id: &str) -> Result<WorkflowDetail, WorkflowError> {
    let summary = summary(db, id).await?;
    let mut needs: HashMap<String, Vec<String>> = HashMap::new();
    let rows = sqlx::query("SELECT task, needs FROM dependencies WHERE workflow = $1 ORDER BY task, at")
        .bind(id)
        .fetch_all(&mut *db)
        .await?;
    for row in rows {
        needs.entry(row.try_get("task")?).or_default().push(row.try_get("needs")?);
    }
    let rows = sqlx::query(
        "SELECT t.*, o.outcome FROM tasks t LEFT JOIN outputs o ON o.key = t.key AND t.state = $2
         WHERE t.workflow = $1 ORDER BY t.seq",
    )
    .bind(id)
    .bind(TaskState::Done as i64)
    .fetch_all(&mut *db)
    .await?;
    let mut tasks = Vec::with_capacity(rows.len());
    for row in rows {
        let mut spec = spec(&row)?;
        spec.depends_on = needs.remove(&spec.name).unwrap_or_default();
        tasks.push(detail(&row, spec)?);
    }
    Ok(WorkflowDetail { summary: Some(summary), tasks })
}

fn detail(row: &SqliteRow, spec: TaskSpec) -> Result<TaskDetail, WorkflowError> {
    let key: String = row.try_get("key")?;
    let outcome = match row.try_get::<Option<Vec<u8>>, _>("outcome")? {
        Some(bytes) => Some(decode(&key, &bytes)?),
        None => None,
    };
    Ok(TaskDetail {
        spec: Some(spec),
        state: row.try_get("state")?,
        key,
        attempt: row.try_get("attempt")?,
        progress: row.try_get("progress")?,
        note: row.try_get("note")?,
        worker: row.try_get("worker")?,
        error: row.try_get("error")?,
        reused: row.try_get::<i64, _>("reused")? == 1,
        started_us: row.try_get("started_us")?,
        ended_us: row.try_get("ended_us")?,
        not_before_us: row.try_get("not_before_us")?,
        // The spawned tasks stand in the workflow themselves.
        outcome: outcome.map(|outcome| Outcome { spawn: Vec::new(), ..outcome }),
        diagnostics: row.try_get("diagnostics")?,
    })
}

fn spec(row: &SqliteRow) -> Result<TaskSpec, WorkflowError> {
    Ok(TaskSpec {
        name: row.try_get("name")?,
        r#type: row.try_get("type")?,
        params: row.try_get("params")?,
        depends_on: Vec::new(),
        pool: row.try_get("pool")?,
        tool: row.try_get("tool")?,
        affinity: row.try_get("affinity")?,
        max_attempts: row.try_get("max_attempts")?,
        timeout_ms: u64::try_from(row.try_get::<i64, _>("timeout_ms")?).unwrap_or(0),
        rank: row.try_get("rank")?,
    })
}

/// A task that was just leased, with its inputs in the order in which it names them. An input whose output is not known
/// any more comes without an outcome.
pub(super) async fn leased_task(
    db: &mut SqliteConnection,
    workflow: &str,
    name: &str,
    lease_ms: u64,
) -> Result<LeasedTask, WorkflowError> {
    let row = sqlx::query(
        "SELECT t.*, w.subject FROM tasks t JOIN workflows w ON w.id = t.workflow WHERE t.workflow = $1 AND t.name = $2",
    )
    .bind(workflow)
    .bind(name)
    .fetch_one(&mut *db)
    .await?;
    let rows = sqlx::query(
        "SELECT n.name, n.type, n.key, o.outcome FROM dependencies d
         JOIN tasks n ON n.workflow = d.workflow AND n.name = d.needs
         LEFT JOIN outputs o ON o.key = n.key
         WHERE d.workflow = $1 AND d.task = $2 ORDER BY d.at",
    )
    .bind(workflow)
    .bind(name)
    .fetch_all(&mut *db)
    .await?;
    let mut inputs = Vec::with_capacity(rows.len());
    for row in rows {
        let key: String = row.try_get("key")?;
        let outcome = match row.try_get::<Option<Vec<u8>>, _>("outcome")? {
            Some(bytes) => Some(Outcome { spawn: Vec::new(), ..decode(&key, &bytes)? }),
            None => None,
        };
        inputs.push(Input { name: row.try_get("name")?, r#type: row.try_get("type")?, key, outcome });
    }
    let mut spec = spec(&row)?;
    spec.depends_on = inputs.iter().map(|input| input.name.clone()).collect();
    Ok(LeasedTask {
        lease: row.try_get("lease")?,
        workflow: workflow.to_owned(),
        subject: row.try_get("subject")?,
        spec: Some(spec),
        key: row.try_get("key")?,
        attempt: row.try_get("attempt")?,
        inputs,
        lease_ms,
    })
}

/// Ready tasks whose output is known.
pub(super) async fn reusable(db: &mut SqliteConnection, limit: u32) -> Result<Vec<Reusable>, WorkflowError> {
    let rows = sqlx::query(
        "SELECT t.workflow, t.name, t.key, o.outcome FROM tasks t JOIN outputs o ON o.key = t.key
         WHERE t.state = $1 AND t.found = 1 LIMIT $2",
    )
    .bind(TaskState::Ready as i64)
    .bind(limit)
    .fetch_all(&mut *db)
    .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let key: String = row.try_get("key")?;
        let outcome = decode(&key, &row.try_get::<Vec<u8>, _>("outcome")?)?;
        found.push(Reusable { workflow: row.try_get("workflow")?, task: row.try_get("name")?, key, outcome });
    }
    Ok(found)
}

fn decode(key: &str, bytes: &[u8]) -> Result<Outcome, WorkflowError> {
    Outcome::decode(bytes).map_err(|error| WorkflowError::Damaged { key: key.to_owned(), reason: error.to_string() })
}
