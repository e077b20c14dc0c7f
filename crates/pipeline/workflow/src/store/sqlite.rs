//! The embedded store: one SQLite file in WAL mode with full synchronisation, so that what is acknowledged is on disk.
//!
//! One connection writes, in immediate transactions, so that no two workers are given one task; a few read beside it.

mod ending;
mod graph;
mod leasing;
mod repairing;
mod rows;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use matinee_contracts::workflow::{
    Beat, FailRequest, Input, LeasedTask, Outcome, StartRequest, WorkflowDetail, WorkflowSummary,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, Transaction};

use crate::config::Config;
use crate::error::WorkflowError;
use crate::store::{LeaseAsk, Reusable, WorkflowStore};

/// The adapter.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    config: Config,
}

impl SqliteStore {
    /// Opens the file, making it and its tables where they are not there.
    pub async fn open(path: &Path, config: Config) -> Result<Self, WorkflowError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .statement_cache_capacity(200);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        sqlx::migrate!("./migrations").run(&writer).await?;
        let readers = SqlitePoolOptions::new().max_connections(4).connect_with(options.read_only(true)).await?;
        Ok(Self { writer, readers, config })
    }

    async fn write(&self) -> Result<Transaction<'static, Sqlite>, WorkflowError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

#[async_trait]
impl WorkflowStore for SqliteStore {
    async fn start(&self, request: &StartRequest, now_us: i64) -> Result<(), WorkflowError> {
        let mut step = self.write().await?;
        graph::start(&mut step, request, now_us).await?;
        Ok(step.commit().await?)
    }

    async fn summary(&self, id: &str) -> Result<WorkflowSummary, WorkflowError> {
        let mut reader = self.readers.acquire().await?;
        rows::summary(&mut reader, id).await
    }

    async fn list(&self, subject: &str, limit: u32) -> Result<Vec<WorkflowSummary>, WorkflowError> {
        let mut reader = self.readers.acquire().await?;
        rows::list(&mut reader, subject, limit).await
    }

    async fn show(&self, id: &str) -> Result<WorkflowDetail, WorkflowError> {
        let mut reader = self.readers.begin().await?;
        rows::show(&mut reader, id).await
    }

    async fn revision(&self, id: &str) -> Result<i64, WorkflowError> {
        let mut reader = self.readers.acquire().await?;
        rows::revision(&mut reader, id).await
    }

    async fn retry(&self, id: &str, task: &str, now_us: i64) -> Result<(), WorkflowError> {
        let mut step = self.write().await?;
        repairing::retry(&mut step, id, task, now_us).await?;
        Ok(step.commit().await?)
    }

    async fn cancel(&self, id: &str, reason: &str, now_us: i64) -> Result<(), WorkflowError> {
        let mut step = self.write().await?;
        ending::cancel(&mut step, id, reason, now_us).await?;
        Ok(step.commit().await?)
    }

    async fn promote(&self, now_us: i64, chance: f64) -> Result<usize, WorkflowError> {
        let mut reader = self.readers.acquire().await?;
        if !leasing::anything_due(&mut reader, now_us).await? {
            return Ok(0);
        }
        drop(reader);
        let mut step = self.write().await?;
        let promoted = leasing::promote(&mut step, &self.config, now_us, chance).await?;
        step.commit().await?;
        Ok(promoted)
    }

    async fn lease(&self, ask: &LeaseAsk, now_us: i64) -> Result<Vec<LeasedTask>, WorkflowError> {
        let mut reader = self.readers.acquire().await?;
        if leasing::best_ready(&mut reader, ask).await?.is_none() {
            return Ok(Vec::new());
        }
        drop(reader);
        let mut step = self.write().await?;
        let leased = leasing::lease(&mut step, &self.config, ask, now_us).await?;
        step.commit().await?;
        Ok(leased)
    }

    async fn heartbeat(&self, beats: &[Beat], now_us: i64) -> Result<Vec<String>, WorkflowError> {
        let mut step = self.write().await?;
        let lost = leasing::heartbeat(&mut step, &self.config, beats, now_us).await?;
        step.commit().await?;
        Ok(lost)
    }

    async fn complete(&self, lease: &str, outcome: &Outcome, now_us: i64) -> Result<bool, WorkflowError> {
        let mut step = self.write().await?;
        let accepted = ending::complete(&mut step, lease, outcome, now_us).await?;
        step.commit().await?;
        Ok(accepted)
    }

    async fn fail(&self, failure: &FailRequest, now_us: i64, chance: f64) -> Result<bool, WorkflowError> {
        let mut step = self.write().await?;
        let accepted = ending::fail(&mut step, &self.config, failure, now_us, chance).await?;
        step.commit().await?;
        Ok(accepted)
    }

    async fn release(&self, leases: &[String], now_us: i64) -> Result<u32, WorkflowError> {
        let mut step = self.write().await?;
        let released = leasing::release(&mut step, leases, now_us).await?;
        step.commit().await?;
        Ok(released)
    }

    async fn release_workers(&self, prefix: &str, now_us: i64) -> Result<u32, WorkflowError> {
        let mut step = self.write().await?;
        let leases = leasing::leases_of_workers(&mut step, prefix).await?;
        let released = leasing::release(&mut step, &leases, now_us).await?;
        step.commit().await?;
        Ok(released)
    }

    async fn reusable(&self, limit: u32) -> Result<Vec<Reusable>, WorkflowError> {
        let mut reader = self.readers.acquire().await?;
        rows::reusable(&mut reader, limit).await
    }

    async fn reuse(&self, found: &Reusable, now_us: i64) -> Result<(), WorkflowError> {
        let mut step = self.write().await?;
        ending::reuse(&mut step, found, now_us).await?;
        Ok(step.commit().await?)
    }

    async fn forget(&self, key: &str) -> Result<(), WorkflowError> {
        let mut step = self.write().await?;
        repairing::forget(&mut step, key).await?;
        Ok(step.commit().await?)
    }

    async fn inputs_missing(&self, lease: &str, missing: &[Input], now_us: i64) -> Result<(), WorkflowError> {
        let mut step = self.write().await?;
        repairing::inputs_missing(&mut step, lease, missing, now_us).await?;
        Ok(step.commit().await?)
    }

    async fn invalidate(&self, key: &str, now_us: i64) -> Result<Vec<String>, WorkflowError> {
        let mut step = self.write().await?;
        let workflows = repairing::invalidate(&mut step, key, now_us).await?;
        step.commit().await?;
        Ok(workflows)
    }
}
