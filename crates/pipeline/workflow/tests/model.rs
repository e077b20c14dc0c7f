//! Random graphs under random failures and crashes: every workflow ends whole, and what a key names is made once.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use matinee_contracts::workflow::{LeasedTask, TaskSpec, TaskState, WorkflowState};
use matinee_workflow::Config;
use proptest::prelude::*;
use world::{World, task};

/// What happens next to the service and its workers.
#[derive(Debug, Clone, Copy)]
enum Step {
    Poll {
        batch: u32,
    },
    Finish {
        which: usize,
    },
    Fail {
        which: usize,
    },
    /// The worker dies: it never says anything again.
    Die {
        which: usize,
    },
    /// It was thought dead and finishes after all.
    FinishLate {
        which: usize,
    },
    Pass {
        seconds: u64,
    },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1u32..4).prop_map(|batch| Step::Poll { batch }),
        5 => any::<usize>().prop_map(|which| Step::Finish { which }),
        2 => any::<usize>().prop_map(|which| Step::Fail { which }),
        1 => any::<usize>().prop_map(|which| Step::Die { which }),
        1 => any::<usize>().prop_map(|which| Step::FinishLate { which }),
        2 => (1u64..60).prop_map(|seconds| Step::Pass { seconds }),
        1 => Just(Step::Restart),
    ]
}

/// A graph: each task depends on some of those before it; a few share their parameters, and so, maybe, their key.
fn graph() -> impl Strategy<Value = Vec<TaskSpec>> {
    prop::collection::vec((prop::collection::vec(any::<bool>(), 12), 0u8..6, 0u8..3), 1..12).prop_map(|tasks| {
        let mut plan: Vec<TaskSpec> = Vec::new();
        for (at, (needs, params, affinity)) in tasks.into_iter().enumerate() {
            let needs: Vec<String> =
                plan.iter().zip(needs).filter(|(_, needs)| *needs).map(|(t, _)| t.name.clone()).collect();
            plan.push(TaskSpec {
                params: format!("{{\"p\":{params}}}"),
                depends_on: needs,
                affinity: if affinity == 0 { String::new() } else { affinity.to_string() },
                ..task(&format!("t{at}"), &[])
            });
        }
        plan
    })
}

fn taken(held: &mut Vec<LeasedTask>, which: usize) -> Option<LeasedTask> {
    if held.is_empty() {
        return None;
    }
    let at = which % held.len();
    Some(held.remove(at))
}

/// Finishes a task and counts what it made, where that was accepted.
async fn finish(world: &World, task: &LeasedTask, made: &mut BTreeMap<String, u32>) {
    if world.finish(task, Vec::new()).await {
        *made.entry(task.key.clone()).or_default() += 1;
    }
}

async fn play(graphs: Vec<Vec<TaskSpec>>, steps: Vec<Step>) {
    let config = Config { max_attempts: 1000, max_lost_workers: 1000, ..Config::default() };
    let mut world = World::with(config).await;
    for (at, tasks) in graphs.iter().enumerate() {
        world.start(&at.to_string(), tasks.clone()).await;
    }
    let mut made: BTreeMap<String, u32> = BTreeMap::new();
    let (mut held, mut dead): (Vec<LeasedTask>, Vec<LeasedTask>) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Poll { batch } => {
                let leased = world.poll("one", batch).await;
                for task in &leased {
                    assert_eq!(made.get(&task.key), None, "{} is made a second time", task.key);
                    assert!(task.inputs.iter().all(|input| made.contains_key(&input.key)), "an input is not there");
                }
                held.extend(leased);
            }
            Step::Finish { which } => {
                if let Some(task) = taken(&mut held, which) {
                    finish(&world, &task, &mut made).await;
                    finish_again(&world, &task).await;
                }
            }
            Step::Fail { which } => {
                if let Some(task) = taken(&mut held, which) {
                    world.fail(&task, true).await;
                }
            }
            Step::Die { which } => dead.extend(taken(&mut held, which)),
            Step::FinishLate { which } => {
                if let Some(task) = taken(&mut dead, which) {
                    finish(&world, &task, &mut made).await;
                }
            }
            Step::Pass { seconds } => world.advance(Duration::from_secs(seconds)),
            Step::Restart => world.restart().await,
        }
    }
    // From here on nothing goes wrong; a few rounds of expired leases and ended waits are enough.
    drop(held);
    for _ in 0..1000 {
        let leased = world.poll("last", 4).await;
        if leased.is_empty() {
            if all_done(&world, graphs.len()).await {
                break;
            }
            world.advance(Duration::from_secs(301));
        }
        for task in leased {
            finish(&world, &task, &mut made).await;
        }
    }
    let mut keys = BTreeSet::new();
    for (at, tasks) in graphs.iter().enumerate() {
        let (summary, shown) = world.show(&at.to_string()).await;
        assert_eq!(summary.state(), WorkflowState::Completed);
        assert_eq!(shown.len(), tasks.len());
        for (_, task) in shown {
            assert_eq!(task.state(), TaskState::Done);
            keys.insert(task.key);
        }
    }
    assert_eq!(made.keys().cloned().collect::<BTreeSet<_>>(), keys);
    assert!(made.values().all(|times| *times == 1), "made more than once: {made:?}");
}

/// A repeated call changes nothing: what it makes is not counted.
async fn finish_again(world: &World, task: &LeasedTask) {
    world.finish(task, Vec::new()).await;
}

async fn all_done(world: &World, workflows: usize) -> bool {
    for at in 0..workflows {
        if world.state(&at.to_string()).await != WorkflowState::Completed {
            return false;
        }
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_every_workflow_ends_and_every_key_is_made_once(
        graphs in prop::collection::vec(graph(), 1..4),
        steps in prop::collection::vec(step(), 0..80),
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(play(graphs, steps));
    }
}
