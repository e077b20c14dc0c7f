//! Who works on what: leases given, kept, given back and expired.

use std::collections::HashSet;

use matinee_contracts::workflow::{Beat, LeasedTask, TaskState};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::{ending, graph, rows};
use crate::config::Config;
use crate::error::WorkflowError;
use crate::store::LeaseAsk;

/// A ready task that may be leased.
pub(super) struct Candidate {
    workflow: String,
    name: String,
    key: String,
    task_type: String,
    affinity: String,
    place: (i64, i64, i64),
}

/// The best task for this worker: lowest rank, then the oldest workflow, then the order of the plan.
///
/// Left out are tasks whose output is known (they end without a worker) and those of a key that somebody is making.
pub(super) async fn best_ready(db: &mut SqliteConnection, ask: &LeaseAsk) -> Result<Option<Candidate>, WorkflowError> {
    let mut best: Option<Candidate> = None;
    for task_type in &ask.types {
        let row = sqlx::query(
            "SELECT workflow, name, key, affinity, rank, workflow_started_us, seq FROM tasks t
             WHERE state = $1 AND found = 0 AND pool = $2 AND type = $3
               AND NOT EXISTS (SELECT 1 FROM tasks o WHERE o.key = t.key AND o.state = $4)
             ORDER BY rank, workflow_started_us, seq LIMIT 1",
        )
        .bind(TaskState::Ready as i64)
        .bind(&ask.pool)
        .bind(task_type)
        .bind(TaskState::Running as i64)
        .fetch_optional(&mut *db)
        .await?;
        let Some(row) = row else { continue };
        let place = (row.try_get("rank")?, row.try_get("workflow_started_us")?, row.try_get("seq")?);
        if best.as_ref().is_some_and(|held| held.place <= place) {
            continue;
        }
        best = Some(Candidate {
            workflow: row.try_get("workflow")?,
            name: row.try_get("name")?,
            key: row.try_get("key")?,
            task_type: task_type.clone(),
            affinity: row.try_get("affinity")?,
            place,
        });
    }
    Ok(best)
}

/// Leases the best ready task and, up to `max_tasks`, those that share its workflow, type and affinity.
pub(super) async fn lease(
    db: &mut SqliteConnection,
    config: &Config,
    ask: &LeaseAsk,
    now_us: i64,
) -> Result<Vec<LeasedTask>, WorkflowError> {
    let mut most = ask.max_tasks.min(ask.leases.len());
    if let Some(limit) = config.pool_limits.get(&ask.pool) {
        let running: i64 = sqlx::query("SELECT COUNT(*) AS running FROM tasks WHERE state = $1 AND pool = $2")
            .bind(TaskState::Running as i64)
            .bind(&ask.pool)
            .fetch_one(&mut *db)
            .await?
            .try_get("running")?;
        most = most.min(usize::try_from(i64::from(*limit) - running).unwrap_or(0));
    }
    if most == 0 {
        return Ok(Vec::new());
    }
    let Some(best) = best_ready(db, ask).await? else { return Ok(Vec::new()) };
    let mut chosen = vec![(best.name.clone(), best.key.clone())];
    if !best.affinity.is_empty() && most > 1 {
        let rows = sqlx::query(
            "SELECT name, key FROM tasks t
             WHERE workflow = $1 AND type = $2 AND affinity = $3 AND state = $4 AND found = 0 AND pool = $5
               AND NOT EXISTS (SELECT 1 FROM tasks o WHERE o.key = t.key AND o.state = $6)
             ORDER BY rank, seq LIMIT $7",
        )
        .bind(&best.workflow)
        .bind(&best.task_type)
        .bind(&best.affinity)
        .bind(TaskState::Ready as i64)
        .bind(&ask.pool)
        .bind(TaskState::Running as i64)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&mut *db)
        .await?;
        let mut keys = HashSet::from([best.key.clone()]);
        for row in rows {
            let key: String = row.try_get("key")?;
            if keys.insert(key.clone()) && chosen.len() < most {
                chosen.push((row.try_get("name")?, key));
            }
        }
    }
    let lease_us = i64::try_from(config.lease.as_micros()).unwrap_or(i64::MAX / 4);
    let timeout_us = i64::try_from(config.timeout.as_micros()).unwrap_or(i64::MAX / 4);
    let mut leased = Vec::with_capacity(chosen.len());
    for ((name, _), lease) in chosen.iter().zip(&ask.leases) {
        sqlx::query(
            "UPDATE tasks SET state = $3, attempt = attempt + 1, worker = $4, lease = $5, lease_until_us = $6,
               deadline_us = $7 + CASE WHEN timeout_ms = 0 THEN $8 WHEN timeout_ms > 1000000000000 THEN $8 ELSE timeout_ms * 1000 END,
               started_us = $7, ended_us = 0, progress = 0, note = ''
             WHERE workflow = $1 AND name = $2",
        )
        .bind(&best.workflow)
        .bind(name)
        .bind(TaskState::Running as i64)
        .bind(&ask.worker)
        .bind(lease)
        .bind(now_us + lease_us)
        .bind(now_us)
        .bind(timeout_us)
        .execute(&mut *db)
        .await?;
        let lease_ms = u64::try_from(config.lease.as_millis()).unwrap_or(u64::MAX);
        leased.push(rows::leased_task(db, &best.workflow, name, lease_ms).await?);
    }
    graph::refresh(db, &best.workflow, now_us).await?;
    Ok(leased)
}

/// Extends what is held and notes progress; returns what is not held any more.
pub(super) async fn heartbeat(
    db: &mut SqliteConnection,
    config: &Config,
    beats: &[Beat],
    now_us: i64,
) -> Result<Vec<String>, WorkflowError> {
    let until = now_us + i64::try_from(config.lease.as_micros()).unwrap_or(i64::MAX / 4);
    let (mut lost, mut workflows) = (Vec::new(), HashSet::new());
    for beat in beats {
        let row = sqlx::query(
            "UPDATE tasks SET lease_until_us = $3, progress = $4, note = $5 WHERE lease = $1 AND state = $2
             RETURNING workflow",
        )
        .bind(&beat.lease)
        .bind(TaskState::Running as i64)
        .bind(until)
        .bind(if beat.progress.is_finite() { beat.progress.clamp(0.0, 1.0) } else { 0.0 })
        .bind(&beat.note)
        .fetch_optional(&mut *db)
        .await?;
        match row {
            Some(row) => {
                workflows.insert(row.try_get::<String, _>("workflow")?);
            }
            None => lost.push(beat.lease.clone()),
        }
    }
    for workflow in workflows {
        sqlx::query("UPDATE workflows SET revision = revision + 1 WHERE id = $1")
            .bind(workflow)
            .execute(&mut *db)
            .await?;
    }
    Ok(lost)
}

/// Makes the tasks of these leases ready again, uncounted.
pub(super) async fn release(db: &mut SqliteConnection, leases: &[String], now_us: i64) -> Result<u32, WorkflowError> {
    let mut released = 0;
    for lease in leases {
        let Some((workflow, name)) = task_of(db, lease).await? else { continue };
        sqlx::query("UPDATE tasks SET attempt = attempt - 1 WHERE workflow = $1 AND name = $2")
            .bind(&workflow)
            .bind(&name)
            .execute(&mut *db)
            .await?;
        graph::make_ready(db, &workflow, &name).await?;
        graph::refresh(db, &workflow, now_us).await?;
        released += 1;
    }
    Ok(released)
}

/// Leases held by workers whose id starts with `prefix`; none where it is empty.
pub(super) async fn leases_of_workers(db: &mut SqliteConnection, prefix: &str) -> Result<Vec<String>, WorkflowError> {
    if prefix.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query("SELECT lease, worker FROM tasks WHERE state = $1")
        .bind(TaskState::Running as i64)
        .fetch_all(&mut *db)
        .await?;
    let mut leases = Vec::new();
    for row in rows {
        if row.try_get::<String, _>("worker")?.starts_with(prefix) {
            leases.push(row.try_get("lease")?);
        }
    }
    Ok(leases)
}

/// The running task of a lease.
pub(super) async fn task_of(db: &mut SqliteConnection, lease: &str) -> Result<Option<(String, String)>, WorkflowError> {
    let row = sqlx::query("SELECT workflow, name FROM tasks WHERE lease = $1 AND state = $2")
        .bind(lease)
        .bind(TaskState::Running as i64)
        .fetch_optional(&mut *db)
        .await?;
    Ok(match row {
        Some(row) => Some((row.try_get("workflow")?, row.try_get("name")?)),
        None => None,
    })
}

const DUE: &str = "SELECT workflow, name, state, attempt, lost_workers, worker, deadline_us FROM tasks
     WHERE (state = $1 AND lease_until_us < $3) OR (state = $1 AND deadline_us < $3) OR (state = $2 AND not_before_us <= $3)
     LIMIT 1000";

/// Whether [`promote`] has something to do.
pub(super) async fn anything_due(db: &mut SqliteConnection, now_us: i64) -> Result<bool, WorkflowError> {
    let row = sqlx::query(DUE)
        .bind(TaskState::Running as i64)
        .bind(TaskState::Backoff as i64)
        .bind(now_us)
        .fetch_optional(&mut *db)
        .await?;
    Ok(row.is_some())
}

/// Takes expired leases back, ends attempts that ran out of time, and makes tasks ready whose wait is over.
pub(super) async fn promote(
    db: &mut SqliteConnection,
    config: &Config,
    now_us: i64,
    chance: f64,
) -> Result<usize, WorkflowError> {
    let due = sqlx::query(DUE)
        .bind(TaskState::Running as i64)
        .bind(TaskState::Backoff as i64)
        .bind(now_us)
        .fetch_all(&mut *db)
        .await?;
    let mut workflows = HashSet::new();
    for row in &due {
        let (workflow, name): (String, String) = (row.try_get("workflow")?, row.try_get("name")?);
        let running = row.try_get::<i64, _>("state")? == TaskState::Running as i64;
        if running && row.try_get::<i64, _>("deadline_us")? < now_us {
            let why = ending::Failure::counted("it ran longer than its time limit".to_owned(), String::new());
            ending::end_attempt(db, config, &workflow, &name, &why, now_us, chance).await?;
        } else if running {
            let worker: String = row.try_get("worker")?;
            let lost = row.try_get::<i64, _>("lost_workers")? + 1;
            sqlx::query("UPDATE tasks SET lost_workers = $3, error = $4 WHERE workflow = $1 AND name = $2")
                .bind(&workflow)
                .bind(&name)
                .bind(lost)
                .bind(format!("worker {worker} was not heard of any more"))
                .execute(&mut *db)
                .await?;
            if lost >= i64::from(config.max_lost_workers) {
                let reason = format!("it lost its worker {lost} times, the last was {worker}");
                let why = ending::Failure::final_one(reason, String::new());
                ending::end_attempt(db, config, &workflow, &name, &why, now_us, chance).await?;
            } else {
                graph::make_ready(db, &workflow, &name).await?;
            }
        } else {
            graph::make_ready(db, &workflow, &name).await?;
        }
        workflows.insert(workflow);
    }
    for workflow in workflows {
        graph::refresh(db, &workflow, now_us).await?;
    }
    Ok(due.len())
}
