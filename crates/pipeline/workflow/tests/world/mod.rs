//! A workflow service in a folder of its own, with a clock that the test moves, behind its gRPC contract.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use matinee_contracts::workflow::workflow_client::WorkflowClient;
use matinee_contracts::workflow::{
    CompleteRequest, FailRequest, LeasedTask, Outcome, OutputFile, PollRequest, ShowRequest, StartRequest, TaskDetail,
    TaskSpec, TaskState, WorkflowState, WorkflowSummary,
};
use matinee_engines::objects::ObjectStorage;
use matinee_engines::objects::folder::FolderStore;
use matinee_service::channel::Channel;
use matinee_workflow::{Chance, Clock, Config, WorkflowService};

/// Stands still until it is moved.
pub struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Counts: leases are `lease-0`, `lease-1`, …; jitter takes nothing away.
#[derive(Default)]
pub struct CountedChance(AtomicU64);

impl Chance for CountedChance {
    fn unit(&self) -> f64 {
        0.0
    }
    fn lease(&self) -> String {
        format!("lease-{}", self.0.fetch_add(1, Ordering::SeqCst))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Local,
    Tcp,
}

pub struct World {
    pub client: WorkflowClient<Channel>,
    pub objects: ObjectStorage,
    pub service: WorkflowService,
    clock: Arc<HandClock>,
    chance: Arc<CountedChance>,
    config: Config,
    way: Way,
    folder: tempfile::TempDir,
}

impl World {
    /// Straight into the service.
    pub async fn local() -> Self {
        Self::new(Way::Local, Config::default()).await
    }

    /// Over a socket.
    pub async fn tcp() -> Self {
        Self::new(Way::Tcp, Config::default()).await
    }

    pub async fn with(config: Config) -> Self {
        Self::new(Way::Local, config).await
    }

    async fn new(way: Way, config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let objects: ObjectStorage = Arc::new(FolderStore::open(&folder.path().join("objects")).unwrap());
        let clock = Arc::new(HandClock(AtomicI64::new(1_800_000_000_000_000)));
        let chance = Arc::new(CountedChance::default());
        let (service, client) = serve(&folder, &objects, &config, &clock, &chance, way).await;
        Self { client, objects, service, clock, chance, config, way, folder }
    }

    /// As after `kill -9`: a new service over what is on disk.
    pub async fn restart(&mut self) {
        let (service, client) =
            serve(&self.folder, &self.objects, &self.config, &self.clock, &self.chance, self.way).await;
        self.service = service;
        self.client = client;
    }

    pub fn advance(&self, by: Duration) {
        self.clock.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub async fn start(&self, id: &str, tasks: Vec<TaskSpec>) -> WorkflowSummary {
        let request = StartRequest { id: id.into(), kind: "test".into(), subject: "title".into(), tasks };
        self.client.clone().start(request).await.unwrap().into_inner()
    }

    /// What is ready now, at most `max` tasks of a batch.
    pub async fn poll(&self, worker: &str, max: u32) -> Vec<LeasedTask> {
        let request = PollRequest {
            worker: worker.into(),
            types: vec!["work".into(), "other".into()],
            pool: "cpu".into(),
            max_tasks: max,
            wait_ms: 0,
        };
        self.client.clone().poll(request).await.unwrap().into_inner().tasks
    }

    /// The one task that is ready.
    pub async fn poll_one(&self, worker: &str) -> LeasedTask {
        let tasks = self.poll(worker, 1).await;
        assert_eq!(tasks.len(), 1, "one task is ready");
        tasks.into_iter().next().unwrap()
    }

    /// Polls until nothing is ready, finishing each task; returns their names.
    pub async fn run_all(&self, worker: &str) -> Vec<String> {
        let mut names = Vec::new();
        loop {
            let tasks = self.poll(worker, 1).await;
            if tasks.is_empty() {
                return names;
            }
            for task in tasks {
                assert!(self.finish(&task, Vec::new()).await);
                names.push(name(&task));
            }
        }
    }

    /// Stores an output as a handler would, without telling.
    pub async fn output(&self, task: &LeasedTask, spawn: Vec<TaskSpec>) -> Outcome {
        let object = format!("work/{}/out", task.key);
        let stored = self.objects.put(&object, Bytes::from(name(task))).await.unwrap();
        let file = OutputFile { name: "out".into(), object, size: stored.size, blake3: stored.blake3 };
        Outcome { result: format!("{{\"by\":{:?}}}", name(task)), files: vec![file], spawn }
    }

    pub async fn finish(&self, task: &LeasedTask, spawn: Vec<TaskSpec>) -> bool {
        let outcome = Some(self.output(task, spawn).await);
        let request = CompleteRequest { lease: task.lease.clone(), outcome };
        self.client.clone().complete(request).await.unwrap().into_inner().accepted
    }

    pub async fn fail(&self, task: &LeasedTask, retryable: bool) -> bool {
        let request = FailRequest {
            lease: task.lease.clone(),
            reason: "it broke".into(),
            diagnostics: "stderr".into(),
            retryable,
            ..FailRequest::default()
        };
        self.client.clone().fail(request).await.unwrap().into_inner().accepted
    }

    pub async fn summary(&self, id: &str) -> WorkflowSummary {
        self.show(id).await.0
    }

    pub async fn state(&self, id: &str) -> WorkflowState {
        self.summary(id).await.state()
    }

    pub async fn show(&self, id: &str) -> (WorkflowSummary, BTreeMap<String, TaskDetail>) {
        let detail = self.client.clone().show(ShowRequest { id: id.into() }).await.unwrap().into_inner();
        let tasks = detail.tasks.into_iter().map(|task| (task.spec.as_ref().unwrap().name.clone(), task)).collect();
        (detail.summary.unwrap(), tasks)
    }

    pub async fn task(&self, id: &str, name: &str) -> TaskDetail {
        self.show(id).await.1.remove(name).unwrap()
    }

    pub async fn task_state(&self, id: &str, name: &str) -> TaskState {
        self.task(id, name).await.state()
    }
}

async fn serve(
    folder: &tempfile::TempDir,
    objects: &ObjectStorage,
    config: &Config,
    clock: &Arc<HandClock>,
    chance: &Arc<CountedChance>,
    way: Way,
) -> (WorkflowService, WorkflowClient<Channel>) {
    let path = folder.path().join("workflow.sqlite");
    let (clock, chance) = (Arc::clone(clock), Arc::clone(chance));
    let service = WorkflowService::open_with(&path, Arc::clone(objects), config.clone(), clock, chance).await.unwrap();
    let channel = match way {
        Way::Local => Channel::local(service.server()),
        Way::Tcp => {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
            let server = tonic::transport::Server::builder().add_service(service.server());
            tokio::spawn(server.serve_with_incoming(incoming));
            Channel::remote(&format!("http://{address}"), "secret").unwrap()
        }
    };
    (service, WorkflowClient::new(channel))
}

/// A task whose parameters are its own.
pub fn task(name: &str, needs: &[&str]) -> TaskSpec {
    TaskSpec {
        name: name.into(),
        r#type: "work".into(),
        params: format!("{{\"name\":{name:?}}}"),
        depends_on: needs.iter().map(|needs| (*needs).to_owned()).collect(),
        pool: "cpu".into(),
        tool: "test 1".into(),
        ..TaskSpec::default()
    }
}

pub fn name(task: &LeasedTask) -> String {
    task.spec.as_ref().unwrap().name.clone()
}
