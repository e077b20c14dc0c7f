//! The executor: what the store keeps and what the object store holds, brought together and passed on to workers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use matinee_contracts::workflow::workflow_server::WorkflowServer;
use matinee_contracts::workflow::{LeasedTask, Outcome, PollRequest};
use matinee_engines::objects::ObjectStorage;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::{Chance, Clock, SystemChance, SystemClock};
use crate::config::Config;
use crate::error::WorkflowError;
use crate::plan;
use crate::store::sqlite::SqliteStore;
use crate::store::{LeaseAsk, Reusable, WorkflowStore};

/// How many objects are looked at at once when files are checked.
const CHECKS_AT_ONCE: usize = 32;
/// The longest that a poll may wait.
const LONGEST_POLL: Duration = Duration::from_secs(60);
/// How often a waiting poll looks whether leases expired or waits are over.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Most tasks of one poll.
const MOST_LEASED: usize = 64;

/// The service. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct WorkflowService {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Box<dyn WorkflowStore>,
    pub(crate) config: Config,
    pub(crate) watchers: Arc<Semaphore>,
    objects: ObjectStorage,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    /// Wakes polls: a task may have become ready.
    ready: Notify,
    /// Counts changes, for those who watch.
    changes: watch::Sender<u64>,
    /// One at a time looks for outputs that exist.
    settling: tokio::sync::Mutex<()>,
}

impl WorkflowService {
    /// Opens the store at `path` (a file of its own) with the machine's clock.
    pub async fn open(path: &Path, objects: ObjectStorage, config: Config) -> Result<Self, WorkflowError> {
        Self::open_with(path, objects, config, Arc::new(SystemClock), Arc::new(SystemChance)).await
    }

    /// Opens the store with a clock and chance of the caller's.
    ///
    /// Leases of this process's earlier workers ([`Config::embedded_workers`]) are released: those workers are gone.
    pub async fn open_with(
        path: &Path,
        objects: ObjectStorage,
        config: Config,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
    ) -> Result<Self, WorkflowError> {
        let store = SqliteStore::open(path, config.clone()).await?;
        let released = store.release_workers(&config.embedded_workers, clock.now_us()).await?;
        if released > 0 {
            tracing::info!(tasks = released, "tasks of the process before this one are ready again");
        }
        let service = Self {
            inner: Arc::new(Inner {
                store: Box::new(store),
                watchers: Arc::new(Semaphore::new(config.max_watchers)),
                config,
                objects,
                clock,
                chance,
                ready: Notify::new(),
                changes: watch::Sender::new(0),
                settling: tokio::sync::Mutex::new(()),
            }),
        };
        service.inner.settle().await?;
        Ok(service)
    }

    /// The gRPC service.
    #[must_use]
    pub fn server(&self) -> WorkflowServer<Self> {
        WorkflowServer::new(self.clone())
            .max_decoding_message_size(plan::MOST_MESSAGE)
            .max_encoding_message_size(plan::MOST_MESSAGE)
    }

    /// Takes expired leases back and ends waits while nobody polls, until `shutdown`.
    pub async fn maintain(&self, shutdown: CancellationToken) {
        while shutdown.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            if let Err(error) = self.inner.look().await {
                tracing::warn!(%error, "could not look after leases");
            }
        }
    }
}

impl Inner {
    pub(crate) fn now_us(&self) -> i64 {
        self.clock.now_us()
    }

    pub(crate) fn chance(&self) -> f64 {
        self.chance.unit()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// After each step: ends tasks whose output exists, then wakes who waits.
    pub(crate) async fn stepped(&self) -> Result<(), WorkflowError> {
        self.settle().await?;
        self.tell();
        Ok(())
    }

    /// Wakes those who watch.
    pub(crate) fn progressed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Wakes who waits.
    pub(crate) fn tell(&self) {
        self.progressed();
        self.ready.notify_waiters();
    }

    /// Takes expired leases back and makes tasks ready whose wait is over.
    async fn look(&self) -> Result<(), WorkflowError> {
        if self.store.promote(self.now_us(), self.chance()).await? > 0 {
            self.stepped().await?;
        }
        Ok(())
    }

    /// Ends ready tasks whose output exists, until there are none; forgets outputs whose files are gone.
    pub(crate) async fn settle(&self) -> Result<(), WorkflowError> {
        let _alone = self.settling.lock().await;
        loop {
            let found = self.store.reusable(64).await?;
            if found.is_empty() {
                return Ok(());
            }
            for reusable in found {
                self.settle_one(&reusable).await?;
            }
        }
    }

    async fn settle_one(&self, found: &Reusable) -> Result<(), WorkflowError> {
        if !self.files_exist(&found.outcome).await {
            return self.store.forget(&found.key).await;
        }
        match self.store.reuse(found, self.now_us()).await {
            Err(
                error @ (WorkflowError::TooLarge { .. }
                | WorkflowError::UnknownDependency { .. }
                | WorkflowError::Cycle(_)
                | WorkflowError::Field { .. }),
            ) => {
                // What it spawned elsewhere does not fit here: it is run, and its worker is told.
                tracing::warn!(task = found.task, workflow = found.workflow, %error, "an output can't be used again");
                self.store.forget(&found.key).await
            }
            other => other,
        }
    }

    /// Whether every file is there, in its size. An object store that does not answer counts as there: a task that reads it
    /// will say.
    async fn files_exist(&self, outcome: &Outcome) -> bool {
        let checks: Vec<_> =
            outcome.files.iter().map(|file| self.file_exists(file.object.clone(), file.size)).collect();
        let missing = stream::iter(checks).buffer_unordered(CHECKS_AT_ONCE).any(|exists| std::future::ready(!exists));
        !missing.await
    }

    async fn file_exists(&self, object: String, size: u64) -> bool {
        match self.objects.size(&object).await {
            Ok(found) => found == Some(size),
            Err(error) => {
                tracing::warn!(object, %error, "could not look for an output");
                true
            }
        }
    }

    /// Waits for tasks as the request says and leases them.
    pub(crate) async fn poll(self: &Arc<Self>, request: &PollRequest) -> Result<Vec<LeasedTask>, WorkflowError> {
        matinee_service::trace::waits();
        let wait = Duration::from_millis(u64::from(request.wait_ms)).min(LONGEST_POLL);
        let until = Instant::now() + wait;
        let max_tasks = usize::try_from(request.max_tasks).unwrap_or(1).clamp(1, MOST_LEASED);
        loop {
            // Registered before looking, so that nothing becomes ready unheard in between.
            let woken = self.ready.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            self.look().await?;
            let ask = LeaseAsk {
                worker: request.worker.clone(),
                types: request.types.clone(),
                pool: request.pool.clone(),
                max_tasks,
                leases: (0..max_tasks).map(|_| self.chance.lease()).collect(),
            };
            let leased = self.store.lease(&ask, self.now_us()).await?;
            if !leased.is_empty() {
                let whole = self.with_inputs(leased).await?;
                self.tell();
                if whole.is_empty() {
                    continue;
                }
                return Ok(whole);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Vec::new());
            }
            // Either way it looks again.
            let _ = tokio::time::timeout(left.min(LOOK_EVERY), woken).await;
        }
    }

    /// Those of the leased tasks whose inputs are all there. For the others the missing inputs are made again first.
    async fn with_inputs(self: &Arc<Self>, leased: Vec<LeasedTask>) -> Result<Vec<LeasedTask>, WorkflowError> {
        let mut unsent = ReleaseUnsent { inner: Arc::clone(self), leases: Vec::new() };
        unsent.leases = leased.iter().map(|task| task.lease.clone()).collect();
        let mut whole = Vec::with_capacity(leased.len());
        let mut checked: std::collections::HashMap<String, bool> = std::collections::HashMap::new();
        for task in leased {
            let mut missing = Vec::new();
            for input in &task.inputs {
                let exists = match (checked.get(&input.key), &input.outcome) {
                    (Some(known), _) => *known,
                    (None, Some(outcome)) => self.files_exist(outcome).await,
                    (None, None) => false,
                };
                checked.insert(input.key.clone(), exists);
                if !exists {
                    missing.push(input.clone());
                }
            }
            if missing.is_empty() {
                whole.push(task);
                continue;
            }
            for input in &missing {
                tracing::warn!(task = input.name, key = input.key, "an output is gone and is made again");
            }
            self.store.inputs_missing(&task.lease, &missing, self.now_us()).await?;
        }
        self.settle().await?;
        unsent.leases.clear();
        Ok(whole)
    }
}

/// Gives leases back where the poll that got them was dropped before it could answer.
struct ReleaseUnsent {
    inner: Arc<Inner>,
    leases: Vec<String>,
}

impl Drop for ReleaseUnsent {
    fn drop(&mut self) {
        if self.leases.is_empty() {
            return;
        }
        let (inner, leases) = (Arc::clone(&self.inner), std::mem::take(&mut self.leases));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = inner.store.release(&leases, inner.now_us()).await {
                    tracing::warn!(%error, "leases of an abandoned poll stay until they expire");
                }
                inner.tell();
            });
        }
    }
}
