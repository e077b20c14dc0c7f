//! What exists is not done again; what is lost or damaged is, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use matinee_contracts::workflow::{
    FailRequest, InvalidateOutputRequest, RetryRequest, TaskSpec, TaskState, WorkflowState,
};
use matinee_workflow::Config;
use world::{World, name, task};

fn film() -> Vec<TaskSpec> {
    vec![
        task("slice", &[]),
        task("encode", &["slice"]),
        task("assemble", &["encode"]),
        task("package", &["assemble"]),
        task("publish", &["package"]),
    ]
}

async fn invalidate(world: &World, key: &str) -> Vec<String> {
    let request = InvalidateOutputRequest { key: key.into(), reason: "segment 3 differs".into() };
    world.client.clone().invalidate_output(request).await.unwrap().into_inner().workflows
}

async fn remove_output(world: &World, workflow: &str, task: &str) {
    let key = world.task(workflow, task).await.key;
    world.objects.delete(&format!("work/{key}/out")).await.unwrap();
}

#[tokio::test]
async fn what_exists_is_not_done_again() {
    let world = World::local().await;
    world.start("first", vec![task("slice", &[])]).await;
    let slice = world.poll_one("one").await;
    world.finish(&slice, vec![task("encode", &["slice"])]).await;
    assert_eq!(world.run_all("one").await, ["encode"]);
    let summary = world.start("second", vec![task("slice", &[]), task("new", &["slice"])]).await;
    assert_eq!(summary.done, 2, "slice and what it spawns are there without a worker");
    assert_eq!(world.run_all("one").await, ["new"]);
    let (summary, tasks) = world.show("second").await;
    assert_eq!((summary.state(), summary.tasks), (WorkflowState::Completed, 3));
    assert!(tasks["slice"].reused && tasks["encode"].reused && !tasks["new"].reused);
    assert_eq!(tasks["encode"].outcome.as_ref().unwrap().files.len(), 1);
}

#[tokio::test]
async fn an_output_whose_file_is_gone_is_made_again() {
    let world = World::local().await;
    world.start("first", film()).await;
    assert_eq!(world.run_all("one").await.len(), 5);
    remove_output(&world, "first", "encode").await;
    world.start("second", film()).await;
    assert_eq!(world.run_all("one").await, ["encode"], "the rest is there, under unchanged keys");
    assert_eq!(world.state("second").await, WorkflowState::Completed);
    assert_eq!(world.state("first").await, WorkflowState::Completed);
}

#[tokio::test]
async fn a_key_that_is_being_made_is_waited_for() {
    let world = World::local().await;
    world.start("first", vec![task("a", &[])]).await;
    world.start("second", vec![task("a", &[]), task("b", &["a"])]).await;
    let a = world.poll_one("one").await;
    assert!(world.poll("two", 1).await.is_empty(), "one of the two makes it for both");
    world.finish(&a, Vec::new()).await;
    assert!(world.task("second", "a").await.reused);
    assert_eq!(world.run_all("two").await, ["b"]);
}

#[tokio::test]
async fn a_damaged_segment_file_costs_its_package_task() {
    let world = World::local().await;
    world.start("w", film()).await;
    world.run_all("one").await;
    let key = world.task("w", "package").await.key;
    assert_eq!(invalidate(&world, &key).await, ["w"]);
    assert_eq!(world.state("w").await, WorkflowState::Active);
    assert_eq!(world.run_all("one").await, ["package"], "publish stays done: its key is unchanged");
    assert_eq!(world.state("w").await, WorkflowState::Completed);
    assert_eq!(world.task("w", "package").await.key, key);
    assert!(invalidate(&world, "unknown").await.is_empty());
}

#[tokio::test]
async fn rebuilding_makes_missing_inputs_first_and_only_those() {
    let world = World::local().await;
    world.start("w", film()).await;
    world.run_all("one").await;
    remove_output(&world, "w", "assemble").await;
    remove_output(&world, "w", "encode").await;
    invalidate(&world, &world.task("w", "package").await.key).await;
    assert_eq!(world.run_all("one").await, ["encode", "assemble", "package"]);
    assert_eq!(world.state("w").await, WorkflowState::Completed);
}

#[tokio::test]
async fn a_damaged_input_runs_its_task_and_then_the_one_that_found_it() {
    let world = World::local().await;
    world.start("w", film()).await;
    for _ in 0..2 {
        let task = world.poll_one("one").await;
        world.finish(&task, Vec::new()).await;
    }
    let assemble = world.poll_one("one").await;
    assert_eq!(name(&assemble), "assemble");
    let failure = FailRequest {
        lease: assemble.lease.clone(),
        reason: "its hash differs".into(),
        retryable: true,
        damaged_input: assemble.inputs[0].key.clone(),
        ..FailRequest::default()
    };
    assert!(world.client.clone().fail(failure).await.unwrap().into_inner().accepted);
    assert_eq!(world.task_state("w", "assemble").await, TaskState::Waiting);
    assert_eq!(world.run_all("one").await, ["encode", "assemble", "package", "publish"]);
    assert_eq!(world.state("w").await, WorkflowState::Completed);
}

#[tokio::test]
async fn an_input_that_is_always_damaged_ends_in_a_failure() {
    let world = World::local().await;
    world.start("w", vec![task("a", &[]), task("b", &["a"])]).await;
    for _ in 0..4 {
        let a = world.poll_one("one").await;
        assert_eq!(name(&a), "a");
        world.finish(&a, Vec::new()).await;
        let b = world.poll_one("one").await;
        let failure = FailRequest {
            lease: b.lease.clone(),
            reason: "its hash differs".into(),
            retryable: true,
            damaged_input: b.inputs[0].key.clone(),
            ..FailRequest::default()
        };
        world.client.clone().fail(failure).await.unwrap();
    }
    assert_eq!(world.task_state("w", "b").await, TaskState::Failed);
    assert_eq!(world.run_all("one").await, ["a"]);
    let summary = world.summary("w").await;
    assert_eq!((summary.state(), summary.reason.as_str()), (WorkflowState::Stuck, "b: its hash differs"));
    world.client.clone().retry(RetryRequest { id: "w".into(), task: "b".into() }).await.unwrap();
    assert_eq!(world.run_all("one").await, ["b"]);
    assert_eq!(world.state("w").await, WorkflowState::Completed);
}

#[tokio::test]
async fn a_damaged_output_stops_who_is_reading_it() {
    let world = World::local().await;
    world.start("w", vec![task("a", &[]), task("b", &["a"])]).await;
    let a = world.poll_one("one").await;
    world.finish(&a, Vec::new()).await;
    let b = world.poll_one("one").await;
    invalidate(&world, &a.key).await;
    assert!(!world.finish(&b, Vec::new()).await);
    assert_eq!(world.run_all("one").await, ["a", "b"]);
}

#[tokio::test]
async fn a_damaged_output_in_a_cancelled_workflow_waits_for_a_retry() {
    let world = World::local().await;
    world.start("w", vec![task("a", &[]), task("b", &["a"])]).await;
    let a = world.poll_one("one").await;
    world.finish(&a, Vec::new()).await;
    let cancel = matinee_contracts::workflow::CancelRequest { id: "w".into(), reason: "later".into() };
    world.client.clone().cancel(cancel).await.unwrap();
    invalidate(&world, &a.key).await;
    assert!(world.poll("one", 1).await.is_empty());
    world.client.clone().retry(RetryRequest { id: "w".into(), task: String::new() }).await.unwrap();
    assert_eq!(world.run_all("one").await, ["a", "b"]);
}

#[tokio::test]
async fn a_restart_loses_nothing_and_frees_this_process_own_leases() {
    let mut world = World::local().await;
    world.start("w", vec![task("a", &[]), task("b", &[]), task("c", &[]), task("d", &["a", "b", "c"])]).await;
    let a = world.poll_one("embedded/0").await;
    world.finish(&a, Vec::new()).await;
    let (b, c) = (world.poll_one("embedded/0").await, world.poll_one("elsewhere").await);
    world.restart().await;
    assert_eq!(world.task_state("w", "a").await, TaskState::Done);
    assert_eq!(world.run_all("embedded/0").await, ["b"], "b's worker went with the process, c's lives");
    assert!(!world.finish(&b, Vec::new()).await);
    assert!(world.finish(&c, Vec::new()).await);
    assert_eq!(world.run_all("embedded/0").await, ["d"]);
    assert_eq!(world.state("w").await, WorkflowState::Completed);
}

#[tokio::test]
async fn an_output_that_was_told_but_not_settled_is_found_at_the_start() {
    let mut world = World::local().await;
    world.start("first", vec![task("a", &[])]).await;
    world.run_all("one").await;
    world.start("second", vec![task("a", &[]), task("b", &["a"])]).await;
    world.restart().await;
    assert!(world.task("second", "a").await.reused);
    assert_eq!(world.run_all("one").await, ["b"]);
}

#[tokio::test]
async fn a_task_that_kills_its_workers_fails_in_the_end() {
    let world = World::local().await;
    world.start("w", vec![task("a", &[])]).await;
    for _ in 0..10 {
        world.poll_one("one").await;
        world.advance(Duration::from_secs(31));
    }
    assert!(world.poll("one", 1).await.is_empty());
    let summary = world.summary("w").await;
    assert_eq!(summary.reason, "a: it lost its worker 10 times, the last was one");
}

#[tokio::test]
async fn a_task_has_a_time_limit_that_heartbeats_do_not_extend() {
    let world = World::local().await;
    world.start("w", vec![TaskSpec { timeout_ms: 45_000, ..task("a", &[]) }]).await;
    let a = world.poll_one("one").await;
    for _ in 0..2 {
        world.advance(Duration::from_secs(23));
        let beats =
            vec![matinee_contracts::workflow::Beat { lease: a.lease.clone(), progress: 0.1, note: String::new() }];
        let request = matinee_contracts::workflow::HeartbeatRequest { beats };
        world.client.clone().heartbeat(request).await.unwrap();
    }
    assert!(world.poll("one", 1).await.is_empty());
    let shown = world.task("w", "a").await;
    assert_eq!((shown.state(), shown.error.as_str()), (TaskState::Backoff, "it ran longer than its time limit"));
}

#[tokio::test]
async fn a_pool_runs_no_more_than_its_limit() {
    let config = Config { pool_limits: BTreeMap::from([("cpu".to_owned(), 2)]), ..Config::default() };
    let world = World::with(config).await;
    world.start("w", vec![task("a", &[]), task("b", &[]), task("c", &[])]).await;
    let a = world.poll_one("one").await;
    world.poll_one("two").await;
    assert!(world.poll("three", 1).await.is_empty());
    world.finish(&a, Vec::new()).await;
    assert_eq!(name(&world.poll_one("three").await), "c");
}
