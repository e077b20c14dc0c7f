//! The house: which services this process runs, how each reaches the others, and where they listen.
//!
//! A service in this process is called straight; one that is elsewhere is called over the network. The clients are of
//! the same type either way, and go through the same layers (see [`reach`]).
//!
//! - [`film`]: what takes a film in, makes a stream of it and serves it.
//! - [`viewer`]: what a viewer's click goes through.
//! - [`door`]: what the world sees of them.

mod door;
mod film;
mod reach;
mod viewer;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use clap::ValueEnum;
use matinee_encode::tool::Tools as EncodeTools;
use matinee_engines::events::{self, EventLogConfig, Events};
use matinee_engines::objects::ObjectStorage;
use matinee_engines::objects::folder::FolderStore;
use matinee_service::channel::{Channel, admit};
use matinee_service::health::Health;
use matinee_service::http::{HostConfig, Tls, bind, serve};
use matinee_service::metrics::Metrics;
use matinee_service::resilience::{FaultSwitch, Resilience};
use matinee_service::secrets::Secrets;
use matinee_service::trace::Collected;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

use crate::config::Config;
use crate::terminal::AnyError;

use self::reach::Reach;

/// What a process can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Decides which task is to be done.
    Workflow,
    /// Titles.
    Catalog,
    /// Content keys and licences.
    License,
    /// Sessions.
    Playback,
    /// The door for browsers.
    Gateway,
    /// Takes films in.
    Ingest,
    /// Makes streams from what is stored.
    Origin,
    /// Serves streams near viewers, from the origin in this process or the one that `services.origin` names.
    Edge,
    /// Encodes and packages.
    Worker,
    /// Where viewers stopped.
    History,
    /// Takes what players report.
    Telemetry,
    /// Who may sign in.
    Accounts,
    /// Plans, subscriptions and invoices.
    Billing,
    /// Finds titles.
    Search,
    /// Thumbs and lists.
    Ratings,
    /// Rows for home.
    Recommend,
    /// Events as Parquet.
    Lake,
    /// Spans of requests.
    Traces,
}

/// Roles that tell or hear events: the log is this process's where one of them is.
const SPEAKING: [Role; 12] = [
    Role::Workflow,
    Role::Catalog,
    Role::Ingest,
    Role::History,
    Role::Telemetry,
    Role::Accounts,
    Role::Billing,
    Role::Search,
    Role::Ratings,
    Role::Recommend,
    Role::Lake,
    Role::Playback,
];

/// The installation's secrets, made at the first start.
pub fn secrets(config: &Config) -> Result<Secrets, AnyError> {
    Ok(Secrets::open(&config.data.folder.join("secrets"))?)
}

/// What is being put together.
struct House<'a> {
    config: &'a Config,
    roles: &'a [Role],
    stop: CancellationToken,
    secrets: Secrets,
    objects: ObjectStorage,
    log: Option<Events>,
    tools: Option<Arc<EncodeTools>>,
    metrics: Metrics,
    resilience: Resilience,
    background: TaskTracker,
    /// How services are reached.
    reach: Reach,
    /// The contracts of those in this process.
    grpc: tonic::service::Routes,
    /// What the world sees.
    http: Router,
}

impl House<'_> {
    fn plays(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The event log, where this process plays `role`.
    fn log_of(&self, role: Role) -> Option<Events> {
        self.log.clone().filter(|_| self.plays(role))
    }

    /// Runs until it returns; it does soon after the process was told to stop.
    fn run(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.background.spawn(work);
    }
}

impl House<'_> {
    /// A file or folder of this process's data.
    fn data(&self, name: &str) -> std::path::PathBuf {
        self.config.data.folder.join(name)
    }

    /// Hosts a service's contract, for other processes and for this one.
    fn host<S>(&mut self, name: &'static str, server: S)
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let served = self.resilience.served(name, server);
        let grpc = std::mem::take(&mut self.grpc);
        self.grpc = grpc.add_service(served.clone());
        self.reach.found(name, Channel::local(served));
    }

    /// Opens routes to the world, counted under `role`.
    fn open(&mut self, routes: Router, role: &'static str) {
        let http = std::mem::take(&mut self.http);
        self.http = http.merge(self.metrics.measured(routes, role));
    }
}

/// Runs these roles until `stop`, then drains. `faults` are played meanwhile.
pub async fn open(
    config: Config,
    roles: &[Role],
    spans: Collected,
    faults: FaultSwitch,
    stop: CancellationToken,
) -> Result<(), AnyError> {
    std::fs::create_dir_all(&config.data.folder)?;
    let secrets = secrets(&config)?;
    let plays = |role: &Role| roles.contains(role);
    let log = if SPEAKING.iter().any(plays) {
        Some(events::open(&config.data.folder.join("events"), EventLogConfig::default()).await?)
    } else {
        None
    };
    let tools = if plays(&Role::Workflow) || plays(&Role::Worker) {
        Some(Arc::new(EncodeTools::find(&config.tools.ffmpeg, &config.tools.ffprobe).await?))
    } else {
        None
    };
    let metrics = Metrics::new();
    let resilience = Resilience::new(&metrics).with_faults(faults);
    let mut house = House {
        config: &config,
        roles,
        stop: stop.clone(),
        objects: Arc::new(FolderStore::open(&config.data.objects_folder())?),
        log,
        tools,
        background: TaskTracker::new(),
        reach: Reach::new(&config.services.address, secrets.service.expose(), resilience.clone())?,
        secrets,
        metrics,
        resilience,
        grpc: tonic::service::Routes::default(),
        http: Router::new(),
    };

    // Each after those whose services it calls.
    house.workflow().await?;
    house.catalog().await?;
    house.license().await?;
    let uploads = house.ingest().await?;
    // It calls nobody, and edges tell it what players say.
    house.telemetry();
    let origin = house.streams()?;
    house.worker();
    house.history().await?;
    house.accounts().await?;
    house.billing().await?;
    house.ratings().await?;
    house.search().await?;
    house.lake();
    house.recommend().await?;
    house.playback()?;
    house.traces(spans)?;
    house.gateway(uploads)?;

    let health = Health::new(stop.clone());
    let tls = match (&config.server.tls_cert, &config.server.tls_key) {
        (Some(cert), Some(key)) => Some(Tls::load(cert, key)?),
        _ => None,
    };
    let drain = Duration::from_secs(config.server.drain_seconds);
    let public = HostConfig { tls, drain, ..HostConfig::default() };
    let internal = HostConfig { drain, ..HostConfig::default() };
    let (door, between) = (bind(config.server.listen).await?, bind(config.server.grpc_listen).await?);
    tracing::info!(http = %config.server.listen, grpc = %config.server.grpc_listen, ?roles, "ready");
    let http = house.http.merge(health.router()).merge(house.metrics.router());
    // Edges elsewhere reach the origin beside the services, never by the public door.
    let services = admit(house.grpc.into_axum_router().merge(origin), house.secrets.service.expose());
    house.background.close();
    tokio::join!(serve(door, http, &public, stop.clone()), serve(between, services, &internal, stop.clone()));
    house.background.wait().await;
    Ok(())
}
