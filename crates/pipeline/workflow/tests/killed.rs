//! `kill -9` of the whole process, again and again: the film is finished, and only what was running is run again.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use matinee_contracts::workflow::workflow_client::WorkflowClient;
use matinee_contracts::workflow::{OutputFile, ShowRequest, StartRequest, TaskSpec, WorkflowState};
use matinee_engines::objects::ObjectStorage;
use matinee_engines::objects::folder::FolderStore;
use matinee_service::channel::Channel;
use matinee_service::worker::runtime::{Slots, work};
use matinee_service::worker::{Done, Handler, TaskError, TaskRun};
use matinee_workflow::{Config, WorkflowService};
use tokio_util::sync::CancellationToken;

const FOLDER: &str = "MATINEE_TEST_KILLED_FOLDER";
const ENCODES: usize = 30;
const KILLS: usize = 6;
const SLOTS: usize = 2;

/// Writes a line when it begins, and makes an output. `slice` spawns the encodes.
struct Scribe(PathBuf);

#[async_trait]
impl Handler for Scribe {
    fn task_type(&self) -> &'static str {
        "work"
    }
    fn pool(&self) -> &'static str {
        "cpu"
    }
    async fn run(&self, tasks: Vec<TaskRun>) -> Vec<Result<Done, TaskError>> {
        let mut ends = Vec::new();
        for task in tasks {
            let mut log = std::fs::File::options().create(true).append(true).open(&self.0).unwrap();
            writeln!(log, "{}", task.name()).unwrap();
            // Long enough that a kill meets tasks that run.
            tokio::time::sleep(Duration::from_millis(15)).await;
            let object = format!("work/{}/out", task.task.key);
            let stored = task.objects.put(&object, Bytes::from(task.name().to_owned())).await.unwrap();
            let spawn = if task.name() == "slice" { encodes() } else { Vec::new() };
            let file = OutputFile { name: "out".into(), object, size: stored.size, blake3: stored.blake3 };
            ends.push(Ok(Done { result: serde_json::Value::Null, files: vec![file], spawn }));
        }
        ends
    }
}

fn task(name: &str, needs: Vec<String>) -> TaskSpec {
    TaskSpec {
        name: name.into(),
        r#type: "work".into(),
        params: format!("{{\"name\":{name:?}}}"),
        depends_on: needs,
        pool: "cpu".into(),
        ..TaskSpec::default()
    }
}

fn encodes() -> Vec<TaskSpec> {
    let names: Vec<String> = (0..ENCODES).map(|n| format!("encode/{n}")).collect();
    let mut tasks: Vec<_> = names.iter().map(|name| task(name, vec!["slice".into()])).collect();
    tasks.push(task("assemble", names));
    tasks
}

async fn open(folder: &Path) -> (WorkflowClient<Channel>, ObjectStorage) {
    let objects: ObjectStorage = Arc::new(FolderStore::open(&folder.join("objects")).unwrap());
    let path = folder.join("workflow.sqlite");
    let service = WorkflowService::open(&path, Arc::clone(&objects), Config::default()).await.unwrap();
    (WorkflowClient::new(Channel::local(service.server())), objects)
}

/// The process that is killed: it serves and works until then. Run by the test below, in a process of its own.
#[tokio::test]
#[ignore = "it is the other process of the test below"]
async fn serve_and_work_until_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = PathBuf::from(folder);
    let (mut client, objects) = open(&folder).await;
    let tasks = vec![task("slice", Vec::new())];
    let start = StartRequest { id: "film".into(), kind: "test".into(), subject: "film".into(), tasks };
    client.start(start).await.unwrap();
    let handlers: Vec<Arc<dyn Handler>> = vec![Arc::new(Scribe(folder.join("log")))];
    let worker = format!("embedded/{}", std::process::id());
    let slots = Slots { cpu: SLOTS, light: 0 };
    work(client, objects, handlers, worker, slots, CancellationToken::new()).await;
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // SIGKILL; gone already is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn other_process(folder: &Path) -> Killed {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "serve_and_work_until_killed"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Killed(child.unwrap())
}

fn begun(folder: &Path) -> Vec<String> {
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_killed_process_costs_only_what_was_running() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..KILLS {
        let before = begun(folder.path()).len();
        let process = other_process(folder.path());
        wait_until("a few more tasks begun", || begun(folder.path()).len() >= before + 5);
        drop(process);
    }
    let process = other_process(folder.path());
    wait_until("the last task begun", || begun(folder.path()).iter().any(|name| name == "assemble"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    drop(process);
    // The last may be running when its process is killed: one more finishes it.
    let process = other_process(folder.path());
    wait_until("completed", || runtime.block_on(state(folder.path())) == WorkflowState::Completed);
    drop(process);
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for name in begun(folder.path()) {
        *times.entry(name).or_default() += 1;
    }
    assert_eq!(times.len(), ENCODES + 2, "every task was run");
    let again: usize = times.values().map(|times| times - 1).sum();
    let most = (KILLS + 1) * SLOTS;
    assert!(again <= most, "{again} tasks were run again, {most} at most were running when the process was killed");
}

/// The state as a reader beside the running process sees it.
async fn state(folder: &Path) -> WorkflowState {
    let config = Config { embedded_workers: String::new(), ..Config::default() };
    let objects: ObjectStorage = Arc::new(FolderStore::open(&folder.join("objects")).unwrap());
    let service = WorkflowService::open(&folder.join("workflow.sqlite"), objects, config).await.unwrap();
    let mut client = WorkflowClient::new(Channel::local(service.server()));
    client.show(ShowRequest { id: "film".into() }).await.unwrap().into_inner().summary.unwrap().state()
}
