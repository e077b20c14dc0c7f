//! What is done again: retries that a person asks for, and outputs that are damaged or gone.

use std::collections::BTreeSet;

use matinee_contracts::workflow::{Input, TaskState, WorkflowState};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::{graph, leasing};
use crate::error::WorkflowError;

/// Failed and cancelled tasks run again, and those that wait to be tried run now; so do done ones whose output is gone.
pub(super) async fn retry(db: &mut SqliteConnection, id: &str, task: &str, now_us: i64) -> Result<(), WorkflowError> {
    let row = sqlx::query("SELECT state FROM workflows WHERE id = $1").bind(id).fetch_optional(&mut *db).await?;
    let Some(row) = row else { return Err(WorkflowError::UnknownWorkflow(id.to_owned())) };
    let stopped = row.try_get::<i64, _>("state")? == WorkflowState::Stopped as i64;
    let rows = sqlx::query(
        "SELECT name, state, waits, (SELECT COUNT(*) FROM outputs o WHERE o.key = t.key) AS outputs FROM tasks t
         WHERE workflow = $1 AND (name = $2 OR $2 = '')",
    )
    .bind(id)
    .bind(task)
    .fetch_all(&mut *db)
    .await?;
    if rows.is_empty() {
        return Err(WorkflowError::UnknownTask { workflow: id.to_owned(), task: task.to_owned() });
    }
    if stopped {
        sqlx::query("UPDATE workflows SET state = $2, reason = '', ended_us = 0 WHERE id = $1")
            .bind(id)
            .bind(WorkflowState::Active as i64)
            .execute(&mut *db)
            .await?;
    }
    for row in rows {
        let (name, state): (String, i64) = (row.try_get("name")?, row.try_get("state")?);
        let is = |of: TaskState| state == of as i64;
        if is(TaskState::Failed) || is(TaskState::Cancelled) || is(TaskState::Backoff) {
            run_again(db, id, &name).await?;
        } else if is(TaskState::Done) && row.try_get::<i64, _>("outputs")? == 0 {
            graph::undo(db, id, &name).await?;
        }
    }
    graph::refresh(db, id, now_us).await
}

async fn run_again(db: &mut SqliteConnection, workflow: &str, name: &str) -> Result<(), WorkflowError> {
    let waits: i64 = sqlx::query(
        "UPDATE tasks SET state = $3, failures = 0, lost_workers = 0, lease = '', progress = 0, ended_us = 0,
           not_before_us = 0
         WHERE workflow = $1 AND name = $2 RETURNING waits",
    )
    .bind(workflow)
    .bind(name)
    .bind(TaskState::Waiting as i64)
    .fetch_one(&mut *db)
    .await?
    .try_get("waits")?;
    if waits == 0 {
        graph::make_ready(db, workflow, name).await?;
    }
    Ok(())
}

/// Forgets an output. Ready tasks of its key will be run.
pub(super) async fn forget(db: &mut SqliteConnection, key: &str) -> Result<(), WorkflowError> {
    sqlx::query("DELETE FROM outputs WHERE key = $1").bind(key).execute(&mut *db).await?;
    sqlx::query("UPDATE tasks SET found = 0 WHERE key = $1 AND found = 1").bind(key).execute(&mut *db).await?;
    Ok(())
}

/// Forgets a damaged output and takes back the tasks that ended with it, in every workflow; returns those that run again.
pub(super) async fn invalidate(
    db: &mut SqliteConnection,
    key: &str,
    now_us: i64,
) -> Result<Vec<String>, WorkflowError> {
    forget(db, key).await?;
    let rows = sqlx::query("SELECT workflow, name FROM tasks WHERE key = $1 AND state = $2")
        .bind(key)
        .bind(TaskState::Done as i64)
        .fetch_all(&mut *db)
        .await?;
    let mut workflows = BTreeSet::new();
    for row in rows {
        let workflow: String = row.try_get("workflow")?;
        graph::undo(db, &workflow, &row.try_get::<String, _>("name")?).await?;
        workflows.insert(workflow);
    }
    for workflow in &workflows {
        graph::refresh(db, workflow, now_us).await?;
    }
    Ok(workflows.into_iter().collect())
}

/// Inputs of a leased task are gone: forgets them, runs the tasks that made them again, in this workflow, and this one
/// after them. Nothing happens where the lease was lost meanwhile.
pub(super) async fn inputs_missing(
    db: &mut SqliteConnection,
    lease: &str,
    missing: &[Input],
    now_us: i64,
) -> Result<(), WorkflowError> {
    let Some((workflow, name)) = leasing::task_of(db, lease).await? else { return Ok(()) };
    sqlx::query("UPDATE tasks SET attempt = attempt - 1 WHERE workflow = $1 AND name = $2")
        .bind(&workflow)
        .bind(&name)
        .execute(&mut *db)
        .await?;
    for input in missing {
        forget(db, &input.key).await?;
        graph::undo(db, &workflow, &input.name).await?;
    }
    graph::refresh(db, &workflow, now_us).await
}
