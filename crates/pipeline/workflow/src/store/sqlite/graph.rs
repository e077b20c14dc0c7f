//! The graph's own steps: adding tasks, what becomes ready when a task is done, what waits again when it is undone, and
//! what follows for the workflow.
//!
//! `waits` counts a task's dependencies that are not done, whatever the task's own state; every step here keeps it exact.

use std::collections::HashSet;

use matinee_contracts::workflow::{StartRequest, TaskSpec, TaskState, WorkflowState};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::error::WorkflowError;
use crate::{key, plan};

/// Adds a workflow and makes ready what waits for nothing. Does nothing where the id exists.
pub(super) async fn start(db: &mut SqliteConnection, request: &StartRequest, now_us: i64) -> Result<(), WorkflowError> {
    let added = sqlx::query(
        "INSERT INTO workflows (id, kind, subject, state, reason, started_us, ended_us, revision)
         VALUES ($1, $2, $3, $4, '', $5, 0, 1) ON CONFLICT (id) DO NOTHING",
    )
    .bind(&request.id)
    .bind(&request.kind)
    .bind(&request.subject)
    .bind(WorkflowState::Active as i64)
    .bind(now_us)
    .execute(&mut *db)
    .await?;
    if added.rows_affected() == 0 {
        return Ok(());
    }
    insert_tasks(db, &request.id, &request.tasks).await?;
    refresh(db, &request.id, now_us).await
}

/// Adds the tasks of `spawn` whose names are new, after checking them against the workflow.
pub(super) async fn add_spawned(
    db: &mut SqliteConnection,
    workflow: &str,
    spawn: &[TaskSpec],
) -> Result<(), WorkflowError> {
    if spawn.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query("SELECT name FROM tasks WHERE workflow = $1").bind(workflow).fetch_all(&mut *db).await?;
    let existing = rows.iter().map(|row| row.try_get("name")).collect::<Result<HashSet<String>, _>>()?;
    let added: Vec<TaskSpec> = spawn.iter().filter(|task| !existing.contains(&task.name)).cloned().collect();
    plan::check_tasks(&added, &existing, existing.len())?;
    insert_tasks(db, workflow, &added).await
}

async fn insert_tasks(db: &mut SqliteConnection, workflow: &str, tasks: &[TaskSpec]) -> Result<(), WorkflowError> {
    let row = sqlx::query(
        "SELECT w.started_us, (SELECT COALESCE(MAX(seq) + 1, 0) FROM tasks WHERE workflow = $1) AS next
         FROM workflows w WHERE w.id = $1",
    )
    .bind(workflow)
    .fetch_one(&mut *db)
    .await?;
    let (started_us, next): (i64, i64) = (row.try_get("started_us")?, row.try_get("next")?);
    for (seq, task) in (next..).zip(tasks) {
        sqlx::query(
            "INSERT INTO tasks (workflow, name, seq, type, params, pool, tool, affinity, max_attempts, timeout_ms, rank,
               workflow_started_us, state, waits)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0)",
        )
        .bind(workflow)
        .bind(&task.name)
        .bind(seq)
        .bind(&task.r#type)
        .bind(if task.params.is_empty() { "{}" } else { &task.params })
        .bind(&task.pool)
        .bind(&task.tool)
        .bind(&task.affinity)
        .bind(i64::from(task.max_attempts))
        .bind(i64::try_from(task.timeout_ms).unwrap_or(i64::MAX))
        .bind(i64::from(task.rank))
        .bind(started_us)
        .bind(TaskState::Waiting as i64)
        .execute(&mut *db)
        .await?;
        for (at, needs) in (0i64..).zip(&task.depends_on) {
            sqlx::query("INSERT INTO dependencies (workflow, task, needs, at) VALUES ($1, $2, $3, $4)")
                .bind(workflow)
                .bind(&task.name)
                .bind(needs)
                .bind(at)
                .execute(&mut *db)
                .await?;
        }
    }
    for task in tasks {
        let waits: i64 = sqlx::query(
            "UPDATE tasks SET waits = (SELECT COUNT(*) FROM dependencies d JOIN tasks n ON n.workflow = d.workflow
               AND n.name = d.needs WHERE d.workflow = $1 AND d.task = $2 AND n.state <> $3)
             WHERE workflow = $1 AND name = $2 RETURNING waits",
        )
        .bind(workflow)
        .bind(&task.name)
        .bind(TaskState::Done as i64)
        .fetch_one(&mut *db)
        .await?
        .try_get("waits")?;
        if waits == 0 {
            make_ready(db, workflow, &task.name).await?;
        }
    }
    Ok(())
}

/// Makes a task ready whose dependencies are all done: its key is known from now on.
pub(super) async fn make_ready(db: &mut SqliteConnection, workflow: &str, name: &str) -> Result<(), WorkflowError> {
    let task = sqlx::query("SELECT type, tool, params FROM tasks WHERE workflow = $1 AND name = $2")
        .bind(workflow)
        .bind(name)
        .fetch_one(&mut *db)
        .await?;
    let needs = sqlx::query(
        "SELECT n.name, n.key FROM dependencies d JOIN tasks n ON n.workflow = d.workflow AND n.name = d.needs
         WHERE d.workflow = $1 AND d.task = $2",
    )
    .bind(workflow)
    .bind(name)
    .fetch_all(&mut *db)
    .await?;
    let mut inputs = Vec::with_capacity(needs.len());
    for row in needs {
        inputs.push((row.try_get::<String, _>("name")?, row.try_get::<String, _>("key")?));
    }
    let (task_type, tool, params): (String, String, String) =
        (task.try_get("type")?, task.try_get("tool")?, task.try_get("params")?);
    let key = key::output_key(&task_type, &tool, &params, &inputs)
        .map_err(|error| WorkflowError::field("params", &params, format!("task {name}: {error}")))?;
    sqlx::query(
        "UPDATE tasks SET state = $3, key = $4, found = (SELECT COUNT(*) FROM outputs WHERE key = $4), progress = 0,
           note = '', worker = '', lease = '', not_before_us = 0
         WHERE workflow = $1 AND name = $2",
    )
    .bind(workflow)
    .bind(name)
    .bind(TaskState::Ready as i64)
    .bind(&key)
    .execute(&mut *db)
    .await?;
    Ok(())
}

/// After `done` ended well: whoever waited only for it becomes ready.
pub(super) async fn unblock_dependents(
    db: &mut SqliteConnection,
    workflow: &str,
    done: &str,
) -> Result<(), WorkflowError> {
    let rows = sqlx::query(
        "UPDATE tasks SET waits = waits - 1
         WHERE workflow = $1 AND name IN (SELECT task FROM dependencies WHERE workflow = $1 AND needs = $2)
         RETURNING name, waits, state",
    )
    .bind(workflow)
    .bind(done)
    .fetch_all(&mut *db)
    .await?;
    for row in rows {
        let (waits, state): (i64, i64) = (row.try_get("waits")?, row.try_get("state")?);
        if waits == 0 && state == TaskState::Waiting as i64 {
            make_ready(db, workflow, &row.try_get::<String, _>("name")?).await?;
        }
    }
    Ok(())
}

/// Takes a done task back, because what it made is gone: it runs again, once its own dependencies are done, and who
/// depends on it and has not ended (or failed) waits for it. Dependents that are done stay so: what they made from the
/// lost output is what they would make from the new one, which has the same key.
///
/// In a cancelled workflow it is cancelled, so that a retry runs it.
pub(super) async fn undo(db: &mut SqliteConnection, workflow: &str, name: &str) -> Result<(), WorkflowError> {
    let row = sqlx::query(
        "SELECT t.waits, w.state FROM tasks t JOIN workflows w ON w.id = t.workflow
         WHERE t.workflow = $1 AND t.name = $2 AND t.state = $3",
    )
    .bind(workflow)
    .bind(name)
    .bind(TaskState::Done as i64)
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let stopped = row.try_get::<i64, _>("state")? == WorkflowState::Stopped as i64;
    let state = if stopped { TaskState::Cancelled } else { TaskState::Waiting };
    sqlx::query(
        "UPDATE tasks SET state = $3, reused = 0, progress = 0, note = '', worker = '', lease = '', ended_us = 0,
           failures = 0, lost_workers = 0
         WHERE workflow = $1 AND name = $2",
    )
    .bind(workflow)
    .bind(name)
    .bind(state as i64)
    .execute(&mut *db)
    .await?;
    if !stopped && row.try_get::<i64, _>("waits")? == 0 {
        make_ready(db, workflow, name).await?;
    }
    // 1 to 4 and 6: all but done and cancelled.
    sqlx::query(
        "UPDATE tasks SET waits = waits + 1,
           failures = CASE WHEN state = $4 THEN 0 ELSE failures END,
           lease = CASE WHEN state IN ($3, $5) THEN lease ELSE '' END,
           progress = CASE WHEN state IN ($3, $5) THEN progress ELSE 0 END,
           state = CASE WHEN state IN ($3, $5) THEN state ELSE $6 END
         WHERE workflow = $1 AND name IN (SELECT task FROM dependencies WHERE workflow = $1 AND needs = $2)",
    )
    .bind(workflow)
    .bind(name)
    .bind(TaskState::Done as i64)
    .bind(TaskState::Failed as i64)
    .bind(TaskState::Cancelled as i64)
    .bind(TaskState::Waiting as i64)
    .execute(&mut *db)
    .await?;
    Ok(())
}

/// What the tasks' states mean for the workflow. A cancelled one stays so until it is retried.
pub(super) async fn refresh(db: &mut SqliteConnection, workflow: &str, now_us: i64) -> Result<(), WorkflowError> {
    let held: i64 = sqlx::query("UPDATE workflows SET revision = revision + 1 WHERE id = $1 RETURNING state")
        .bind(workflow)
        .fetch_one(&mut *db)
        .await?
        .try_get("state")?;
    if held == WorkflowState::Stopped as i64 {
        return Ok(());
    }
    let rows = sqlx::query("SELECT state, COUNT(*) AS tasks FROM tasks WHERE workflow = $1 GROUP BY state")
        .bind(workflow)
        .fetch_all(&mut *db)
        .await?;
    let (mut moving, mut undone) = (0, 0);
    for row in rows {
        let (state, tasks): (i64, i64) = (row.try_get("state")?, row.try_get("tasks")?);
        let is = |of: TaskState| state == of as i64;
        if is(TaskState::Ready) || is(TaskState::Running) || is(TaskState::Backoff) {
            moving += tasks;
        }
        if !is(TaskState::Done) {
            undone += tasks;
        }
    }
    let state = match (moving, undone) {
        (_, 0) => WorkflowState::Completed,
        (0, _) => WorkflowState::Stuck,
        _ => WorkflowState::Active,
    };
    let failed =
        sqlx::query("SELECT name, error FROM tasks WHERE workflow = $1 AND state = $2 ORDER BY ended_us, seq LIMIT 1")
            .bind(workflow)
            .bind(TaskState::Failed as i64)
            .fetch_optional(&mut *db)
            .await?;
    let reason = match failed {
        Some(row) => format!("{}: {}", row.try_get::<String, _>("name")?, row.try_get::<String, _>("error")?),
        None => String::new(),
    };
    let ended = state != WorkflowState::Active;
    sqlx::query(
        "UPDATE workflows SET state = $2, reason = $3, ended_us = CASE WHEN $4 = 0 THEN 0 WHEN state = $2 THEN ended_us ELSE $5 END
         WHERE id = $1",
    )
    .bind(workflow)
    .bind(state as i64)
    .bind(reason)
    .bind(i64::from(ended))
    .bind(now_us)
    .execute(&mut *db)
    .await?;
    Ok(())
}
