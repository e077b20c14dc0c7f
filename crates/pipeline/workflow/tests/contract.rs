//! The contract of the workflow service, over the channel into this process and over a socket.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::collections::HashSet;
use std::time::Duration;

use futures::StreamExt;
use matinee_contracts::workflow::{
    Beat, CancelRequest, CompleteRequest, HeartbeatRequest, ListRequest, Outcome, PollRequest, ReleaseRequest,
    RetryRequest, ShowRequest, StartRequest, TaskSpec, TaskState, WorkflowState,
};
use tonic::Code;
use world::{World, name, task};

/// Runs each scenario over both ways to the service.
macro_rules! over_both_ways {
    ($($scenario:ident),* $(,)?) => {
        mod local {
            $(#[tokio::test] async fn $scenario() { super::$scenario(super::World::local().await).await; })*
        }
        mod tcp {
            $(#[tokio::test] async fn $scenario() { super::$scenario(super::World::tcp().await).await; })*
        }
    };
}

over_both_ways!(
    tasks_run_in_the_order_of_the_graph,
    starting_an_id_that_exists_returns_it_unchanged,
    what_cannot_run_is_refused_with_its_name,
    a_killed_worker_costs_only_its_own_task,
    a_heartbeat_keeps_a_lease_and_says_when_it_is_lost,
    no_two_workers_get_one_task,
    tasks_of_one_affinity_come_together,
    spawned_tasks_come_with_completion_and_only_once,
    a_failing_task_is_retried_then_shown_and_the_rest_goes_on,
    a_cancelled_workflow_stops_and_can_be_resumed,
    a_released_lease_is_not_counted,
    a_full_disk_never_fails_a_task,
    a_poll_wakes_when_a_task_becomes_ready,
    a_watcher_sees_the_end,
    the_best_rank_and_the_oldest_workflow_come_first,
);

async fn tasks_run_in_the_order_of_the_graph(world: World) {
    let started =
        world.start("w", vec![task("a", &[]), task("b", &["a"]), task("c", &["a"]), task("d", &["c", "b"])]).await;
    assert_eq!((started.state(), started.tasks, started.done), (WorkflowState::Active, 4, 0));
    let a = world.poll_one("one").await;
    assert_eq!((name(&a), a.attempt, a.subject.as_str()), ("a".to_owned(), 1, "title"));
    assert!(world.poll("two", 1).await.is_empty(), "b and c wait for a");
    assert!(world.finish(&a, Vec::new()).await);
    assert_eq!(world.run_all("one").await, ["b", "c", "d"]);
    let (summary, tasks) = world.show("w").await;
    assert_eq!((summary.state(), summary.done), (WorkflowState::Completed, 4));
    assert!((summary.progress - 1.0).abs() < 1e-9);
    assert_eq!(tasks["d"].outcome.as_ref().unwrap().result, r#"{"by":"d"}"#);
    assert_eq!(tasks["d"].spec.as_ref().unwrap().depends_on, ["c", "b"]);

    world.start("inputs", vec![task("x", &[]), task("y", &[]), task("z", &["y", "x"])]).await;
    for _ in 0..2 {
        let task = world.poll_one("one").await;
        world.finish(&task, Vec::new()).await;
    }
    let z = world.poll_one("one").await;
    let inputs: Vec<_> = z.inputs.iter().map(|i| (i.name.as_str(), i.outcome.as_ref().unwrap().files.len())).collect();
    assert_eq!(inputs, [("y", 1), ("x", 1)]);
}

async fn starting_an_id_that_exists_returns_it_unchanged(world: World) {
    world.start("w", vec![task("a", &[])]).await;
    let again = world.start("w", vec![task("b", &[]), task("c", &[])]).await;
    assert_eq!(again.tasks, 1);
    let listed = world.client.clone().list(ListRequest::default()).await.unwrap().into_inner().workflows;
    assert_eq!(listed.len(), 1);
    let none = ListRequest { subject: "another".into(), limit: 0 };
    assert!(world.client.clone().list(none).await.unwrap().into_inner().workflows.is_empty());
}

async fn what_cannot_run_is_refused_with_its_name(world: World) {
    let cases = [
        (vec![task("a", &["b"]), task("b", &["a"])], "tasks wait for each other in a circle: a, b"),
        (vec![task("a", &["x"])], "task a depends on \"x\", which is not a task of the workflow"),
        (vec![task("a", &[]), task("a", &[])], "task \"a\" is named twice"),
        (
            vec![TaskSpec { params: "[1]".into(), ..task("a", &[]) }],
            "params \"[1]\" is refused: task a takes a JSON object",
        ),
        (Vec::new(), "tasks \"\" is refused: a workflow has at least one"),
    ];
    for (tasks, message) in cases {
        let request = StartRequest { id: "w".into(), kind: "test".into(), subject: String::new(), tasks };
        let status = world.client.clone().start(request).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::InvalidArgument, message));
    }
    let status = world.client.clone().show(ShowRequest { id: "w".into() }).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "workflow \"w\" does not exist"));
    let status = world.client.clone().watch(ShowRequest { id: "w".into() }).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);

    world.start("w", vec![task("a", &[])]).await;
    let status = world.client.clone().retry(RetryRequest { id: "w".into(), task: "b".into() }).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "workflow w has no task \"b\""));
    let a = world.poll_one("one").await;
    let outcome = Outcome { result: format!("\"{}\"", "x".repeat(2 << 20)), ..Outcome::default() };
    let request = CompleteRequest { lease: a.lease.clone(), outcome: Some(outcome) };
    let status = world.client.clone().complete(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let outcome = Outcome { spawn: vec![task("c", &["nothing"])], ..Outcome::default() };
    let request = CompleteRequest { lease: a.lease.clone(), outcome: Some(outcome) };
    let status = world.client.clone().complete(request).await.unwrap_err();
    assert_eq!(status.message(), "task c depends on \"nothing\", which is not a task of the workflow");
    assert_eq!(world.task_state("w", "a").await, TaskState::Running, "a refused outcome changes nothing");
}

async fn a_killed_worker_costs_only_its_own_task(world: World) {
    world.start("w", vec![task("a", &[]), task("b", &[]), task("c", &["a", "b"])]).await;
    let (a, b) = (world.poll_one("dies").await, world.poll_one("lives").await);
    assert!(world.finish(&b, Vec::new()).await);
    world.advance(Duration::from_secs(31));
    let again = world.poll_one("lives").await;
    assert_eq!((name(&again), again.attempt), ("a".to_owned(), 2));
    assert!(!world.finish(&a, Vec::new()).await, "the dead worker's result comes too late");
    assert!(world.finish(&again, Vec::new()).await);
    assert_eq!(world.run_all("lives").await, ["c"]);
    let (summary, tasks) = world.show("w").await;
    assert_eq!(summary.state(), WorkflowState::Completed);
    assert_eq!([tasks["a"].attempt, tasks["b"].attempt, tasks["c"].attempt], [2, 1, 1]);
}

async fn beat(world: &World, lease: &str, progress: f64) -> Vec<String> {
    let beats = vec![Beat { lease: lease.to_owned(), progress, note: "412 fps".into() }];
    world.client.clone().heartbeat(HeartbeatRequest { beats }).await.unwrap().into_inner().lost
}

async fn a_heartbeat_keeps_a_lease_and_says_when_it_is_lost(world: World) {
    world.start("w", vec![task("a", &[])]).await;
    let a = world.poll_one("one").await;
    for _ in 0..5 {
        world.advance(Duration::from_secs(20));
        assert!(beat(&world, &a.lease, 0.5).await.is_empty());
        assert!(world.poll("two", 1).await.is_empty());
    }
    let shown = world.task("w", "a").await;
    assert_eq!((shown.note.as_str(), shown.worker.as_str()), ("412 fps", "one"));
    assert!((world.summary("w").await.progress - 0.5).abs() < 1e-9);
    world.advance(Duration::from_secs(31));
    assert_eq!(world.poll("two", 1).await.len(), 1);
    assert_eq!(beat(&world, &a.lease, 0.6).await, std::slice::from_ref(&a.lease));
    assert!(!world.fail(&a, true).await);
}

async fn no_two_workers_get_one_task(world: World) {
    let names: Vec<String> = (0..40).map(|n| format!("t{n}")).collect();
    world.start("w", names.iter().map(|name| task(name, &[])).collect()).await;
    let polls = (0..8).map(|worker| {
        let world = &world;
        async move {
            let mut got = Vec::new();
            loop {
                let tasks = world.poll(&format!("worker {worker}"), 4).await;
                if tasks.is_empty() {
                    return got;
                }
                got.extend(tasks.iter().map(name));
            }
        }
    });
    let got = futures::future::join_all(polls).await.concat();
    assert_eq!(got.len(), 40);
    assert_eq!(got.iter().collect::<HashSet<_>>().len(), 40);
}

async fn tasks_of_one_affinity_come_together(world: World) {
    let chunk = |name: &str, affinity: &str| TaskSpec { affinity: affinity.into(), ..task(name, &[]) };
    let tasks =
        vec![chunk("1/240", "1"), chunk("2/240", "2"), chunk("1/480", "1"), chunk("2/480", "2"), chunk("1/720", "1")];
    world.start("w", tasks).await;
    world.advance(Duration::from_secs(1));
    world.start("v", vec![TaskSpec { params: r#"{"v":1}"#.into(), ..chunk("1/240", "1") }]).await;
    let names = |tasks: &[_]| tasks.iter().map(name).collect::<Vec<_>>();
    assert_eq!(names(&world.poll("one", 8).await), ["1/240", "1/480", "1/720"], "of this workflow only");
    assert_eq!(names(&world.poll("two", 1).await), ["2/240"]);
    assert_eq!(names(&world.poll("two", 8).await), ["2/480"]);
    assert_eq!(names(&world.poll("two", 8).await), ["1/240"]);
}

async fn spawned_tasks_come_with_completion_and_only_once(world: World) {
    world.start("w", vec![task("slice", &[])]).await;
    let slice = world.poll_one("one").await;
    let spawn = vec![task("encode", &["slice"]), task("assemble", &["encode"]), task("thumbnails", &[])];
    assert!(world.finish(&slice, spawn.clone()).await);
    assert!(world.finish(&slice, spawn).await, "a repeated call is answered alike");
    assert_eq!(world.summary("w").await.tasks, 4);
    assert_eq!(world.run_all("one").await, ["encode", "assemble", "thumbnails"]);
    assert_eq!(world.state("w").await, WorkflowState::Completed);
}

async fn a_failing_task_is_retried_then_shown_and_the_rest_goes_on(world: World) {
    world.start("w", vec![task("a", &[]), task("after", &["a"]), task("z", &[])]).await;
    for attempt in 1..=4 {
        let a = world.poll_one("one").await;
        assert_eq!((name(&a), a.attempt), ("a".to_owned(), attempt));
        assert!(world.fail(&a, true).await);
        assert!(world.fail(&a, true).await, "a repeated call is answered alike");
        let state = world.task_state("w", "a").await;
        assert_eq!(state, if attempt < 4 { TaskState::Backoff } else { TaskState::Failed });
        if attempt == 1 {
            assert_eq!(world.state("w").await, WorkflowState::Active);
            assert_eq!(world.run_all("one").await, ["z"], "what does not depend on it goes on");
        }
        world.advance(Duration::from_secs(60));
    }
    let (summary, tasks) = world.show("w").await;
    assert_eq!((summary.state(), summary.reason.as_str()), (WorkflowState::Stuck, "a: it broke"));
    assert_eq!((tasks["a"].diagnostics.as_str(), summary.failed), ("stderr", 1));
    let again = RetryRequest { id: "w".into(), task: "a".into() };
    let summary = world.client.clone().retry(again).await.unwrap().into_inner();
    assert_eq!((summary.state(), summary.ended_us), (WorkflowState::Active, 0));
    assert_eq!(world.run_all("one").await, ["a", "after"]);
    assert_eq!(world.state("w").await, WorkflowState::Completed);

    world.start("v", vec![TaskSpec { params: r#"{"v":1}"#.into(), ..task("a", &[]) }]).await;
    let a = world.poll_one("one").await;
    assert!(world.fail(&a, false).await);
    assert_eq!(world.state("v").await, WorkflowState::Stuck, "what can't succeed is not tried again");
}

async fn a_cancelled_workflow_stops_and_can_be_resumed(world: World) {
    world.start("w", vec![task("a", &[]), task("b", &["a"]), task("c", &["b"])]).await;
    let a = world.poll_one("one").await;
    world.finish(&a, Vec::new()).await;
    let b = world.poll_one("one").await;
    let cancel = CancelRequest { id: "w".into(), reason: "wrong file".into() };
    let summary = world.client.clone().cancel(cancel).await.unwrap().into_inner();
    assert_eq!((summary.state(), summary.reason.as_str()), (WorkflowState::Stopped, "wrong file"));
    assert_eq!(beat(&world, &b.lease, 0.1).await, std::slice::from_ref(&b.lease));
    assert!(!world.finish(&b, Vec::new()).await);
    assert!(world.poll("one", 1).await.is_empty());
    let again = RetryRequest { id: "w".into(), task: String::new() };
    assert_eq!(world.client.clone().retry(again).await.unwrap().into_inner().state(), WorkflowState::Active);
    assert_eq!(world.run_all("one").await, ["b", "c"], "what was done stays done");
    assert_eq!(world.state("w").await, WorkflowState::Completed);
}

async fn a_released_lease_is_not_counted(world: World) {
    world.start("w", vec![TaskSpec { max_attempts: 1, ..task("a", &[]) }]).await;
    for _ in 0..12 {
        let a = world.poll_one("one").await;
        assert_eq!(a.attempt, 1);
        let release = ReleaseRequest { leases: vec![a.lease.clone(), "unknown".into()] };
        assert_eq!(world.client.clone().release(release).await.unwrap().into_inner().released, 1);
        assert!(!world.finish(&a, Vec::new()).await);
    }
    assert_eq!(world.run_all("one").await, ["a"]);
}

async fn a_full_disk_never_fails_a_task(world: World) {
    world.start("w", vec![task("a", &[])]).await;
    for _ in 0..20 {
        let a = world.poll_one("one").await;
        let failure = matinee_contracts::workflow::FailRequest {
            lease: a.lease,
            reason: "no space left in the object store".into(),
            retryable: true,
            out_of_space: true,
            ..Default::default()
        };
        assert!(world.client.clone().fail(failure).await.unwrap().into_inner().accepted);
        let shown = world.task("w", "a").await;
        assert_eq!((shown.state(), shown.error.as_str()), (TaskState::Backoff, "no space left in the object store"));
        world.advance(Duration::from_secs(60));
    }
    assert_eq!(world.run_all("one").await, ["a"]);
    assert_eq!(world.state("w").await, WorkflowState::Completed);
}

async fn a_poll_wakes_when_a_task_becomes_ready(world: World) {
    let request = PollRequest {
        worker: "one".into(),
        types: vec!["work".into()],
        pool: "cpu".into(),
        max_tasks: 1,
        wait_ms: 30_000,
    };
    let mut client = world.client.clone();
    let waiting = tokio::spawn(async move { client.poll(request).await.unwrap().into_inner().tasks });
    world.start("w", vec![task("a", &[])]).await;
    let tasks = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
    assert_eq!(name(&tasks[0]), "a");
}

async fn a_watcher_sees_the_end(world: World) {
    world.start("w", vec![task("a", &[])]).await;
    let mut snapshots = world.client.clone().watch(ShowRequest { id: "w".into() }).await.unwrap().into_inner();
    let first = snapshots.next().await.unwrap().unwrap();
    assert_eq!(first.summary.unwrap().state(), WorkflowState::Active);
    world.run_all("one").await;
    let rest: Vec<_> = tokio::time::timeout(Duration::from_secs(20), snapshots.collect()).await.unwrap();
    let last = rest.into_iter().last().unwrap().unwrap();
    assert_eq!(last.summary.unwrap().state(), WorkflowState::Completed);
    assert_eq!(last.tasks[0].state(), TaskState::Done);
}

async fn the_best_rank_and_the_oldest_workflow_come_first(world: World) {
    world.start("old", vec![TaskSpec { rank: 1, ..task("later", &[]) }, task("first", &[])]).await;
    world.advance(Duration::from_secs(1));
    let urgent = TaskSpec { rank: -1, r#type: "other".into(), ..task("urgent", &[]) };
    world.start("new", vec![task("second", &[]), urgent]).await;
    assert_eq!(world.run_all("one").await, ["urgent", "first", "second", "later"]);
}
