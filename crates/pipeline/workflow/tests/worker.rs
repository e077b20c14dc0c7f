//! The worker's loop against the service: what it does with ends, panics, lost leases and its own end.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use matinee_contracts::workflow::{CancelRequest, OutputFile, TaskSpec, TaskState, WorkflowState};
use matinee_service::worker::runtime::{Slots, work};
use matinee_service::worker::{Done, Handler, TaskError, TaskRun};
use matinee_workflow::Config;
use tokio_util::sync::CancellationToken;
use world::{World, task};

/// Does what a task's parameters say in `do`.
#[derive(Default)]
struct Actor {
    /// Handlers' futures that were dropped before they ended.
    dropped: Arc<AtomicUsize>,
    runs: AtomicUsize,
    /// Tasks of the largest batch.
    largest: AtomicUsize,
    most: u32,
}

struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Handler for Actor {
    fn task_type(&self) -> &'static str {
        "work"
    }
    fn pool(&self) -> &'static str {
        "cpu"
    }
    fn batch(&self) -> u32 {
        self.most.max(1)
    }
    async fn run(&self, tasks: Vec<TaskRun>) -> Vec<Result<Done, TaskError>> {
        let run = self.runs.fetch_add(1, Ordering::SeqCst);
        self.largest.fetch_max(tasks.len(), Ordering::SeqCst);
        let mut ends = Vec::new();
        for task in tasks {
            let params: serde_json::Value = task.params().unwrap();
            ends.push(match params["do"].as_str() {
                Some("panic once") if run == 0 => panic!("a fine mess"),
                Some("fill the disk once") if run == 0 => Err(TaskError::Retryable {
                    reason: "ffmpeg failed".into(),
                    diagnostics: "No space left on device".into(),
                }),
                Some("refuse") => {
                    Err(TaskError::Refused { reason: "it has no picture".into(), diagnostics: "moov".into() })
                }
                Some("hang") => {
                    let _counted = Counted(Arc::clone(&self.dropped));
                    task.progress.set(0.5, "hanging");
                    std::future::pending().await
                }
                _ => {
                    let object = format!("work/{}/out", task.task.key);
                    let stored = task.objects.put(&object, Bytes::from_static(b"made")).await.unwrap();
                    let file = OutputFile { name: "out".into(), object, size: stored.size, blake3: stored.blake3 };
                    Ok(Done { result: serde_json::json!({"run": run}), files: vec![file], spawn: Vec::new() })
                }
            });
        }
        ends
    }
}

struct Working {
    shutdown: CancellationToken,
    ended: tokio::task::JoinHandle<()>,
}

impl Working {
    async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(Duration::from_secs(10), self.ended).await.unwrap().unwrap();
    }
}

fn begin(world: &World, actor: &Arc<Actor>, name: &str) -> Working {
    let shutdown = CancellationToken::new();
    let handlers: Vec<Arc<dyn Handler>> = vec![Arc::clone(actor) as Arc<dyn Handler>];
    let slots = Slots { cpu: 2, light: 1 };
    let (client, objects) = (world.client.clone(), Arc::clone(&world.objects));
    let ended = tokio::spawn(work(client, objects, handlers, name.to_owned(), slots, shutdown.clone()));
    Working { shutdown, ended }
}

fn to(what: &str, name: &str) -> TaskSpec {
    TaskSpec { params: format!("{{\"do\":{what:?},\"name\":{name:?}}}"), ..task(name, &[]) }
}

/// Looks until `holds` does, moving the clock a little each time, so that waits end.
async fn until<F: AsyncFn() -> bool>(world: &World, what: &str, holds: F) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        world.advance(Duration::from_millis(100));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came to this: {what}");
}

async fn completes(world: &World, id: &str) {
    until(world, "completed", async || world.state(id).await == WorkflowState::Completed).await;
}

#[tokio::test]
async fn a_graph_is_worked_off() {
    let world = World::tcp().await;
    let actor = Arc::new(Actor::default());
    let working = begin(&world, &actor, "one");
    world
        .start(
            "w",
            vec![to("it", "a"), to("it", "b"), TaskSpec { depends_on: vec!["a".into(), "b".into()], ..to("it", "c") }],
        )
        .await;
    completes(&world, "w").await;
    assert_eq!(actor.runs.load(Ordering::SeqCst), 3);
    assert_eq!(world.task("w", "c").await.worker, "one");
    working.stop().await;
}

#[tokio::test]
async fn a_panic_is_an_attempt_and_the_worker_lives_on() {
    let world = World::local().await;
    let actor = Arc::new(Actor::default());
    let working = begin(&world, &actor, "one");
    world.start("w", vec![to("panic once", "a")]).await;
    until(&world, "backoff", async || world.task("w", "a").await.error == "the handler panicked: a fine mess").await;
    completes(&world, "w").await;
    assert_eq!(world.task("w", "a").await.attempt, 2);
    working.stop().await;
}

#[tokio::test]
async fn a_full_disk_is_not_an_attempt() {
    let world = World::local().await;
    let actor = Arc::new(Actor::default());
    let working = begin(&world, &actor, "one");
    world.start("w", vec![TaskSpec { max_attempts: 1, ..to("fill the disk once", "a") }]).await;
    completes(&world, "w").await;
    working.stop().await;
}

#[tokio::test]
async fn a_refusal_is_shown_with_what_the_tool_said() {
    let world = World::local().await;
    let actor = Arc::new(Actor::default());
    let working = begin(&world, &actor, "one");
    world.start("w", vec![to("refuse", "a")]).await;
    until(&world, "stuck", async || world.state("w").await == WorkflowState::Stuck).await;
    let shown = world.task("w", "a").await;
    assert_eq!((shown.error.as_str(), shown.diagnostics.as_str()), ("it has no picture", "moov"));
    assert_eq!(actor.runs.load(Ordering::SeqCst), 1);
    working.stop().await;
}

#[tokio::test]
async fn a_cancelled_workflow_stops_its_handlers() {
    let world = World::with(Config { lease: Duration::from_millis(1500), ..Config::default() }).await;
    let actor = Arc::new(Actor::default());
    let working = begin(&world, &actor, "one");
    world.start("w", vec![to("hang", "a")]).await;
    until(&world, "progress", async || world.task("w", "a").await.note == "hanging").await;
    world.client.clone().cancel(CancelRequest { id: "w".into(), reason: "no more".into() }).await.unwrap();
    until(&world, "dropped", async || actor.dropped.load(Ordering::SeqCst) == 1).await;
    world.start("v", vec![to("it", "b")]).await;
    completes(&world, "v").await;
    working.stop().await;
}

#[tokio::test]
async fn a_worker_that_shuts_down_gives_its_tasks_back_at_once() {
    let world = World::tcp().await;
    let actor = Arc::new(Actor::default());
    let working = begin(&world, &actor, "one");
    world.start("w", vec![TaskSpec { max_attempts: 1, ..to("hang", "a") }]).await;
    until(&world, "running", async || world.task_state("w", "a").await == TaskState::Running).await;
    until(&world, "run", async || actor.runs.load(Ordering::SeqCst) == 1).await;
    working.stop().await;
    assert_eq!(actor.dropped.load(Ordering::SeqCst), 1);
    let given_back = world.poll_one("two").await;
    assert_eq!(given_back.attempt, 1);
}

#[tokio::test]
async fn tasks_of_one_affinity_reach_the_handler_together() {
    let world = World::local().await;
    let actor = Arc::new(Actor { most: 3, ..Actor::default() });
    let chunk = |name: &str| TaskSpec { affinity: "1".into(), ..to("it", name) };
    world.start("w", vec![chunk("a"), chunk("b"), chunk("c"), chunk("d")]).await;
    let working = begin(&world, &actor, "one");
    completes(&world, "w").await;
    assert_eq!(actor.largest.load(Ordering::SeqCst), 3);
    assert_eq!(actor.runs.load(Ordering::SeqCst), 2);
    working.stop().await;
}
