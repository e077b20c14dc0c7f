//! The worker's loop: polls for each pool while it has free slots, keeps the leases, and reports each task's end.
//!
//! A lost lease stops the work by dropping the handler's future. Where the workflow service can't be reached, work goes on
//! and its end is reported when the service is back. On shutdown the work is dropped and its leases are given back, so that
//! another worker takes it at once; nothing is counted against the tasks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use matinee_contracts::workflow::workflow_client::WorkflowClient;
use matinee_contracts::workflow::{
    Beat, CompleteRequest, FailRequest, HeartbeatRequest, LeasedTask, Outcome, PollRequest, ReleaseRequest,
};
use matinee_engines::objects::ObjectStorage;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Code, Status};

use super::{Done, Handler, Progress, TaskError, TaskRun};
use crate::channel::Channel;

/// How long one poll waits at the service.
const POLL: Duration = Duration::from_secs(20);
/// The first wait after the service could not be reached; doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long giving leases back may take on shutdown.
const GOODBYE: Duration = Duration::from_secs(2);
/// Bytes of a message: an outcome with thousands of spawned tasks.
const MOST_MESSAGE: usize = 64 << 20;
/// Bytes of a reason that are sent.
const MOST_REASON: usize = 8 << 10;
/// Bytes of diagnostics that are sent: their end.
const MOST_DIAGNOSTICS: usize = 64 << 10;

/// How much a worker does at once, by pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// Of pool "cpu": encodes.
    pub cpu: usize,
    /// Of pool "light": the rest.
    pub light: usize,
}

/// Works until `shutdown`, then gives its leases back and returns.
///
/// `worker` names this worker for people, and must be unique among those that live; workers in the workflow service's own
/// process start with "embedded/". Handlers of pools without slots are not polled for.
pub async fn work(
    client: WorkflowClient<Channel>,
    objects: ObjectStorage,
    handlers: Vec<Arc<dyn Handler>>,
    worker: String,
    slots: Slots,
    shutdown: CancellationToken,
) {
    let client = client.max_decoding_message_size(MOST_MESSAGE).max_encoding_message_size(MOST_MESSAGE);
    let shared =
        Arc::new(Shared { client, objects, worker, leases: Mutex::default(), shutdown, running: TaskTracker::new() });
    let pools = [("cpu", slots.cpu), ("light", slots.light)].map(|(pool, slots)| {
        let handlers: Vec<_> = handlers.iter().filter(|handler| handler.pool() == pool).cloned().collect();
        poll_pool(Arc::clone(&shared), pool, slots, handlers)
    });
    let beating = tokio::spawn(keep_leases(Arc::clone(&shared)));
    futures::future::join_all(pools).await;
    shared.running.close();
    shared.running.wait().await;
    shared.release_all().await;
    beating.abort();
}

/// What the loops of one worker share.
struct Shared {
    client: WorkflowClient<Channel>,
    objects: ObjectStorage,
    worker: String,
    leases: Mutex<HashMap<String, Held>>,
    shutdown: CancellationToken,
    running: TaskTracker,
}

/// A lease in this worker's hands.
struct Held {
    progress: Progress,
    lease_ms: u64,
    /// Stops the work of the whole batch.
    batch: CancellationToken,
    /// The lease of the batch's first task, which names the batch.
    first: String,
    lost: bool,
}

impl Shared {
    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<String, Held>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks leases as lost, and stops each batch of which none is left.
    fn lose(&self, lost: &[String]) {
        let mut held = self.held();
        for lease in lost {
            let Some(one) = held.get_mut(lease) else { continue };
            one.lost = true;
            tracing::warn!(lease, "a lease was lost, its task is stopped");
        }
        let over: Vec<CancellationToken> = lost
            .iter()
            .filter_map(|lease| held.get(lease))
            .filter(|one| !held.values().any(|other| !other.lost && other.first == one.first))
            .map(|one| one.batch.clone())
            .collect();
        drop(held);
        for batch in over {
            batch.cancel();
        }
    }

    async fn release(&self, leases: Vec<String>) {
        if leases.is_empty() {
            return;
        }
        let mut client = self.client.clone();
        match tokio::time::timeout(GOODBYE, client.release(ReleaseRequest { leases })).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "leases could not be given back and stay until they expire"),
            Err(_) => tracing::warn!("leases could not be given back in time and stay until they expire"),
        }
    }

    async fn release_all(&self) {
        let leases = self.held().drain().map(|(lease, _)| lease).collect();
        self.release(leases).await;
    }
}

/// Polls for one pool while it has free slots.
async fn poll_pool(shared: Arc<Shared>, pool: &'static str, slots: usize, handlers: Vec<Arc<dyn Handler>>) {
    if slots == 0 || handlers.is_empty() {
        return;
    }
    let free = Arc::new(Semaphore::new(slots));
    let max_tasks = handlers.iter().map(|handler| handler.batch()).max().unwrap_or(1).max(1);
    let request = PollRequest {
        worker: shared.worker.clone(),
        types: handlers.iter().map(|handler| handler.task_type().to_owned()).collect(),
        pool: pool.to_owned(),
        max_tasks,
        wait_ms: u32::try_from(POLL.as_millis()).unwrap_or(u32::MAX),
    };
    let mut wait = FIRST_WAIT;
    loop {
        let polled = async {
            let slot = Arc::clone(&free).acquire_owned().await.ok()?;
            Some((slot, shared.client.clone().poll(request.clone()).await))
        };
        let Some(Some((slot, reply))) = shared.shutdown.run_until_cancelled(polled).await else { return };
        match reply {
            Ok(reply) => {
                wait = FIRST_WAIT;
                take(&shared, &handlers, reply.into_inner().tasks, slot).await;
            }
            Err(error) => {
                tracing::warn!(%error, pool, "the workflow service could not be polled, trying again");
                if shared.shutdown.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                    return;
                }
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

/// Starts leased tasks on a slot. What the handler does not take at once is given back.
async fn take(
    shared: &Arc<Shared>,
    handlers: &[Arc<dyn Handler>],
    mut tasks: Vec<LeasedTask>,
    slot: OwnedSemaphorePermit,
) {
    let Some(first) = tasks.first() else { return };
    let task_type = first.spec.as_ref().map_or("", |spec| spec.r#type.as_str());
    let Some(handler) = handlers.iter().find(|handler| handler.task_type() == task_type).cloned() else {
        return shared.release(tasks.into_iter().map(|task| task.lease).collect()).await;
    };
    let most = usize::try_from(handler.batch().max(1)).unwrap_or(usize::MAX);
    let surplus = tasks.split_off(most.min(tasks.len()));
    let batch = shared.shutdown.child_token();
    let first = tasks[0].lease.clone();
    let runs: Vec<TaskRun> = tasks
        .into_iter()
        .map(|task| TaskRun { task, objects: Arc::clone(&shared.objects), progress: Progress::default() })
        .collect();
    {
        let mut held = shared.held();
        for run in &runs {
            let one = Held {
                progress: run.progress.clone(),
                lease_ms: run.task.lease_ms,
                batch: batch.clone(),
                first: first.clone(),
                lost: false,
            };
            held.insert(run.task.lease.clone(), one);
        }
    }
    let working = Arc::clone(shared);
    shared.running.spawn(async move {
        run_batch(&working, handler, runs, &batch).await;
        drop(slot);
    });
    shared.release(surplus.into_iter().map(|task| task.lease).collect()).await;
}

/// Runs one batch and reports how each of its tasks ended.
async fn run_batch(shared: &Arc<Shared>, handler: Arc<dyn Handler>, runs: Vec<TaskRun>, batch: &CancellationToken) {
    let leases: Vec<String> = runs.iter().map(|run| run.task.lease.clone()).collect();
    let mut work = tokio::spawn(async move { handler.run(runs).await });
    let ended = tokio::select! {
        ended = &mut work => ended,
        () = batch.cancelled() => {
            work.abort();
            // The future is dropped, and its subprocesses with it, before the slot is free again.
            let _ = work.await;
            if !shared.shutdown.is_cancelled() {
                let mut held = shared.held();
                for lease in &leases {
                    held.remove(lease);
                }
            }
            return;
        }
    };
    let results = match ended {
        Ok(results) if results.len() == leases.len() => results,
        Ok(results) => {
            let reason = format!("the handler returned {} results for {} tasks", results.len(), leases.len());
            leases
                .iter()
                .map(|_| Err(TaskError::Refused { reason: reason.clone(), diagnostics: String::new() }))
                .collect()
        }
        Err(error) => {
            let reason = format!("the handler panicked: {}", panic_message(error));
            leases
                .iter()
                .map(|_| Err(TaskError::Retryable { reason: reason.clone(), diagnostics: String::new() }))
                .collect()
        }
    };
    for (lease, result) in leases.into_iter().zip(results) {
        // What is done is worth telling while the process ends; what can't be told in time is done again.
        let goodbye = async {
            shared.shutdown.cancelled().await;
            tokio::time::sleep(GOODBYE).await;
        };
        tokio::select! {
            () = report(shared, &lease, result) => { shared.held().remove(&lease); }
            () = goodbye => {}
        }
    }
}

fn panic_message(error: tokio::task::JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "it was aborted".to_owned() };
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

/// Reports how a task ended, again and again until the service has heard it.
async fn report(shared: &Shared, lease: &str, result: Result<Done, TaskError>) {
    let mut end = match result {
        Ok(done) => End::Complete(Outcome { result: done.result.to_string(), files: done.files, spawn: done.spawn }),
        Err(TaskError::Lost) => return,
        Err(error) => End::Fail(failure(error)),
    };
    let mut wait = FIRST_WAIT;
    loop {
        let mut client = shared.client.clone();
        let sent: Result<bool, Status> = match &end {
            End::Complete(outcome) => {
                let request = CompleteRequest { lease: lease.to_owned(), outcome: Some(outcome.clone()) };
                client.complete(request).await.map(|reply| reply.into_inner().accepted)
            }
            End::Fail(failure) => {
                let request = FailRequest { lease: lease.to_owned(), ..failure.clone() };
                client.fail(request).await.map(|reply| reply.into_inner().accepted)
            }
        };
        match sent {
            Ok(true) => return,
            Ok(false) => {
                tracing::warn!(lease, "a task ended after its lease was lost, its end is dropped");
                return;
            }
            Err(status) if status.code() == Code::InvalidArgument && matches!(end, End::Complete(_)) => {
                end = End::Fail(failure(TaskError::Refused {
                    reason: format!("its outcome is refused: {}", status.message()),
                    diagnostics: String::new(),
                }));
            }
            Err(status) if status.code() == Code::InvalidArgument => {
                tracing::error!(lease, %status, "a task's failure could not be reported");
                return;
            }
            Err(status) => {
                tracing::warn!(lease, %status, "a task's end could not be reported, trying again");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

enum End {
    Complete(Outcome),
    Fail(FailRequest),
}

fn failure(error: TaskError) -> FailRequest {
    let mut request = match error {
        TaskError::Refused { reason, diagnostics } => {
            FailRequest { reason, diagnostics, retryable: false, ..FailRequest::default() }
        }
        TaskError::Retryable { reason, diagnostics } => {
            let out_of_space = says_no_space(&reason) || says_no_space(&diagnostics);
            FailRequest { reason, diagnostics, retryable: true, out_of_space, ..FailRequest::default() }
        }
        TaskError::DamagedInput { key, reason } => FailRequest {
            reason: format!("input {key} is damaged: {reason}"),
            damaged_input: key,
            retryable: true,
            ..FailRequest::default()
        },
        TaskError::Lost => FailRequest { retryable: true, ..FailRequest::default() },
    };
    request.reason.truncate(request.reason.floor_char_boundary(MOST_REASON));
    let start = request.diagnostics.len().saturating_sub(MOST_DIAGNOSTICS);
    request.diagnostics.drain(..request.diagnostics.ceil_char_boundary(start));
    request
}

/// Whether a full disk is why: the words of the operating system, which tools (ffmpeg) print and the object store keeps.
fn says_no_space(text: &str) -> bool {
    text.to_ascii_lowercase().contains("no space left")
}

/// Sends heartbeats for all leases, three in each lease's time.
async fn keep_leases(shared: Arc<Shared>) {
    loop {
        let lease_ms = shared.held().values().map(|held| held.lease_ms).min().unwrap_or(1_500);
        tokio::time::sleep(Duration::from_millis((lease_ms / 3).clamp(20, 10_000))).await;
        let beats: Vec<Beat> = shared
            .held()
            .iter()
            .filter(|(_, held)| !held.lost)
            .map(|(lease, held)| {
                let (progress, note) = held.progress.get();
                Beat { lease: lease.clone(), progress, note }
            })
            .collect();
        // The service takes at most 1024 in one call.
        for beats in beats.chunks(512) {
            match shared.client.clone().heartbeat(HeartbeatRequest { beats: beats.to_vec() }).await {
                Ok(reply) => shared.lose(&reply.into_inner().lost),
                Err(error) => tracing::warn!(%error, "a heartbeat failed, the work goes on"),
            }
        }
    }
}
