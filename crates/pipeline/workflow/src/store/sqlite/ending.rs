//! How tasks end: with an outcome, with one that existed, with a failure, or because their workflow was cancelled.

use matinee_contracts::workflow::{FailRequest, Outcome, TaskState, WorkflowState};
use prost::Message;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::{graph, repairing};
use crate::config::Config;
use crate::error::WorkflowError;
use crate::store::Reusable;

/// How a failed attempt counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// As one of the task's attempts.
    Counted,
    /// Not at all: there was no room, and there will be.
    Uncounted,
    /// For good.
    Final,
}

/// Why an attempt ended without an outcome.
#[derive(Debug)]
pub(super) struct Failure {
    reason: String,
    diagnostics: String,
    weight: Weight,
}

impl Failure {
    /// One of the task's attempts.
    pub(super) fn counted(reason: String, diagnostics: String) -> Self {
        Self { reason, diagnostics, weight: Weight::Counted }
    }

    /// The task is not tried again.
    pub(super) fn final_one(reason: String, diagnostics: String) -> Self {
        Self { reason, diagnostics, weight: Weight::Final }
    }
}

/// Ends a task with what it made. False: the lease was lost.
pub(super) async fn complete(
    db: &mut SqliteConnection,
    lease: &str,
    outcome: &Outcome,
    now_us: i64,
) -> Result<bool, WorkflowError> {
    let row = sqlx::query("SELECT workflow, name, type, key, state FROM tasks WHERE lease = $1 AND lease <> ''")
        .bind(lease)
        .fetch_optional(&mut *db)
        .await?;
    let Some(row) = row else { return Ok(false) };
    let state: i64 = row.try_get("state")?;
    if state != TaskState::Running as i64 {
        // A repeated call, whose first answer was lost, is answered as then.
        return Ok(state == TaskState::Done as i64);
    }
    let (workflow, name, key): (String, String, String) =
        (row.try_get("workflow")?, row.try_get("name")?, row.try_get("key")?);
    sqlx::query(
        "INSERT INTO outputs (key, type, outcome, made_us) VALUES ($1, $2, $3, $4)
         ON CONFLICT (key) DO UPDATE SET outcome = excluded.outcome, made_us = excluded.made_us",
    )
    .bind(&key)
    .bind(row.try_get::<String, _>("type")?)
    .bind(outcome.encode_to_vec())
    .bind(now_us)
    .execute(&mut *db)
    .await?;
    sqlx::query("UPDATE tasks SET found = 1 WHERE key = $1 AND state = $2")
        .bind(&key)
        .bind(TaskState::Ready as i64)
        .execute(&mut *db)
        .await?;
    end_well(db, &workflow, &name, outcome, now_us).await?;
    Ok(true)
}

/// Ends a ready task with the output that is known for its key.
pub(super) async fn reuse(db: &mut SqliteConnection, found: &Reusable, now_us: i64) -> Result<(), WorkflowError> {
    let still = sqlx::query(
        "UPDATE tasks SET reused = 1, started_us = $5, worker = '', lease = ''
         WHERE workflow = $1 AND name = $2 AND key = $3 AND state = $4 AND EXISTS (SELECT 1 FROM outputs WHERE key = $3)",
    )
    .bind(&found.workflow)
    .bind(&found.task)
    .bind(&found.key)
    .bind(TaskState::Ready as i64)
    .bind(now_us)
    .execute(&mut *db)
    .await?;
    if still.rows_affected() == 0 {
        return Ok(());
    }
    end_well(db, &found.workflow, &found.task, &found.outcome, now_us).await
}

/// Marks a task done, adds what it spawns and makes ready who waited for it.
///
/// Spawned tasks come first, while this one is not done yet, so that their counts and the step that follows agree.
async fn end_well(
    db: &mut SqliteConnection,
    workflow: &str,
    name: &str,
    outcome: &Outcome,
    now_us: i64,
) -> Result<(), WorkflowError> {
    graph::add_spawned(db, workflow, &outcome.spawn).await?;
    sqlx::query(
        "UPDATE tasks SET state = $3, progress = 1, note = '', ended_us = $4, error = '', diagnostics = '', found = 0
         WHERE workflow = $1 AND name = $2",
    )
    .bind(workflow)
    .bind(name)
    .bind(TaskState::Done as i64)
    .bind(now_us)
    .execute(&mut *db)
    .await?;
    graph::unblock_dependents(db, workflow, name).await?;
    graph::refresh(db, workflow, now_us).await
}

/// Ends an attempt as its worker says. False: the lease was lost.
pub(super) async fn fail(
    db: &mut SqliteConnection,
    config: &Config,
    request: &FailRequest,
    now_us: i64,
    chance: f64,
) -> Result<bool, WorkflowError> {
    let row = sqlx::query("SELECT workflow, name, state FROM tasks WHERE lease = $1 AND lease <> ''")
        .bind(&request.lease)
        .fetch_optional(&mut *db)
        .await?;
    let Some(row) = row else { return Ok(false) };
    let (workflow, name, state): (String, String, i64) =
        (row.try_get("workflow")?, row.try_get("name")?, row.try_get("state")?);
    if state != TaskState::Running as i64 {
        let answered = [TaskState::Backoff, TaskState::Failed].iter().any(|of| state == *of as i64);
        return Ok(answered);
    }
    let weight = match (request.out_of_space, request.retryable) {
        (true, _) => Weight::Uncounted,
        (false, true) => Weight::Counted,
        (false, false) => Weight::Final,
    };
    let why = Failure { reason: request.reason.clone(), diagnostics: request.diagnostics.clone(), weight };
    let damaged = damaged_input(db, &workflow, &name, &request.damaged_input).await?;
    end_attempt(db, config, &workflow, &name, &why, now_us, chance).await?;
    if damaged {
        // After the attempt ended, so that this task, unless it failed for good, waits for its input again.
        let exhausted = is_failed(db, &workflow, &name).await?;
        repairing::invalidate(db, &request.damaged_input, now_us).await?;
        if exhausted {
            keep_failed(db, &workflow, &name, &why).await?;
        }
    }
    graph::refresh(db, &workflow, now_us).await?;
    Ok(true)
}

/// Whether `key` is that of one of the task's inputs: a worker's word counts for what it reads.
async fn damaged_input(
    db: &mut SqliteConnection,
    workflow: &str,
    name: &str,
    key: &str,
) -> Result<bool, WorkflowError> {
    if key.is_empty() {
        return Ok(false);
    }
    let row = sqlx::query(
        "SELECT n.name FROM dependencies d JOIN tasks n ON n.workflow = d.workflow AND n.name = d.needs
         WHERE d.workflow = $1 AND d.task = $2 AND n.key = $3",
    )
    .bind(workflow)
    .bind(name)
    .bind(key)
    .fetch_optional(&mut *db)
    .await?;
    Ok(row.is_some())
}

async fn is_failed(db: &mut SqliteConnection, workflow: &str, name: &str) -> Result<bool, WorkflowError> {
    let row = sqlx::query("SELECT state FROM tasks WHERE workflow = $1 AND name = $2")
        .bind(workflow)
        .bind(name)
        .fetch_one(&mut *db)
        .await?;
    Ok(row.try_get::<i64, _>("state")? == TaskState::Failed as i64)
}

/// A task that found its input damaged in its last attempt stays failed: rebuilding did not help it before.
async fn keep_failed(
    db: &mut SqliteConnection,
    workflow: &str,
    name: &str,
    why: &Failure,
) -> Result<(), WorkflowError> {
    sqlx::query("UPDATE tasks SET state = $3, error = $4 WHERE workflow = $1 AND name = $2")
        .bind(workflow)
        .bind(name)
        .bind(TaskState::Failed as i64)
        .bind(&why.reason)
        .execute(&mut *db)
        .await?;
    Ok(())
}

/// Ends a running task's attempt: it is tried again after a wait, or has failed.
pub(super) async fn end_attempt(
    db: &mut SqliteConnection,
    config: &Config,
    workflow: &str,
    name: &str,
    why: &Failure,
    now_us: i64,
    chance: f64,
) -> Result<(), WorkflowError> {
    let row = sqlx::query("SELECT failures, max_attempts, attempt FROM tasks WHERE workflow = $1 AND name = $2")
        .bind(workflow)
        .bind(name)
        .fetch_one(&mut *db)
        .await?;
    let most: i64 = match row.try_get("max_attempts")? {
        0 => i64::from(config.max_attempts),
        own => own,
    };
    let failures = row.try_get::<i64, _>("failures")? + i64::from(why.weight != Weight::Uncounted);
    let failed = why.weight == Weight::Final || (why.weight == Weight::Counted && failures >= most);
    // Without room, each attempt waits longer too, but no longer than a minute: room comes back without notice.
    let wait = match why.weight {
        Weight::Uncounted => config.backoff_us(row.try_get("attempt")?, chance).min(60_000_000),
        _ => config.backoff_us(failures, chance),
    };
    let state = if failed { TaskState::Failed } else { TaskState::Backoff };
    sqlx::query(
        "UPDATE tasks SET state = $3, failures = $4, error = $5, diagnostics = $6, not_before_us = $7, ended_us = $8,
           progress = 0, note = ''
         WHERE workflow = $1 AND name = $2",
    )
    .bind(workflow)
    .bind(name)
    .bind(state as i64)
    .bind(failures)
    .bind(&why.reason)
    .bind(&why.diagnostics)
    .bind(if failed { 0 } else { now_us + wait })
    .bind(now_us)
    .execute(&mut *db)
    .await?;
    Ok(())
}

/// Stops what has not ended. Running leases are lost from here on.
pub(super) async fn cancel(
    db: &mut SqliteConnection,
    id: &str,
    reason: &str,
    now_us: i64,
) -> Result<(), WorkflowError> {
    let row = sqlx::query("SELECT state FROM workflows WHERE id = $1").bind(id).fetch_optional(&mut *db).await?;
    let Some(row) = row else { return Err(WorkflowError::UnknownWorkflow(id.to_owned())) };
    let state: i64 = row.try_get("state")?;
    if state == WorkflowState::Completed as i64 || state == WorkflowState::Stopped as i64 {
        return Ok(());
    }
    sqlx::query(
        "UPDATE tasks SET state = $2, lease = '', ended_us = $3 WHERE workflow = $1 AND state NOT IN ($2, $4, $5)",
    )
    .bind(id)
    .bind(TaskState::Cancelled as i64)
    .bind(now_us)
    .bind(TaskState::Done as i64)
    .bind(TaskState::Failed as i64)
    .execute(&mut *db)
    .await?;
    sqlx::query("UPDATE workflows SET state = $2, reason = $3, ended_us = $4, revision = revision + 1 WHERE id = $1")
        .bind(id)
        .bind(WorkflowState::Stopped as i64)
        .bind(reason)
        .bind(now_us)
        .execute(&mut *db)
        .await?;
    Ok(())
}
