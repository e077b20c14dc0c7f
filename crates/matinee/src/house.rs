//! The house: which services this process runs, how each reaches the others, and where they listen.
//!
//! A service in this process is called straight; one that is elsewhere is called over the network. The clients are of
//! the same type either way.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use clap::ValueEnum;
use matinee_catalog::CatalogService;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::history::history_client::HistoryClient;
use matinee_contracts::ingest::ingest_client::IngestClient;
use matinee_contracts::license::license_client::LicenseClient;
use matinee_contracts::playback::playback_client::PlaybackClient;
use matinee_contracts::telemetry::telemetry_client::TelemetryClient;
use matinee_contracts::workflow::workflow_client::WorkflowClient;
use matinee_edge::{Cache, Edge};
use matinee_encode::tool::Tools as EncodeTools;
use matinee_engines::events::{self, EventLogConfig};
use matinee_engines::objects::ObjectStorage;
use matinee_engines::objects::folder::FolderStore;
use matinee_gateway::{BehindTls, Gateway, StudioKey};
use matinee_history::HistoryService;
use matinee_ingest::{IngestConfig, IngestService};
use matinee_license::LicenseService;
use matinee_origin::OriginService;
use matinee_playback::{PlaybackConfig, PlaybackService};
use matinee_service::channel::{Channel, admit};
use matinee_service::clock::SystemClock;
use matinee_service::health::Health;
use matinee_service::http::{HostConfig, Tls, bind, serve};
use matinee_service::metrics::Metrics;
use matinee_service::secrets::Secrets;
use matinee_service::signing::Signer;
use matinee_service::worker::runtime::{Slots, work};
use matinee_telemetry::TelemetryService;
use matinee_workflow::WorkflowService;
use matinee_workflow::onboard::{self, Step, Tools};
use serde_json::{Map, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::terminal::AnyError;

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
}

/// The installation's secrets, made at the first start.
pub fn secrets(config: &Config) -> Result<Secrets, AnyError> {
    Ok(Secrets::open(&config.data.folder.join("secrets"))?)
}

/// How a new master is onboarded: part of its tasks' keys, so that another ladder or another ffmpeg makes them again.
fn onboarding(config: &Config, tools: &EncodeTools) -> Result<Tools, AnyError> {
    let mut slicing = Map::new();
    slicing.insert("ladder".to_owned(), serde_json::to_value(config.ladder()?)?);
    slicing.insert("chunk_seconds".to_owned(), json!(config.encode.chunk_seconds));
    slicing.insert("thumbnail_seconds".to_owned(), json!(config.encode.thumbnail_seconds));
    slicing.insert("vmaf_share".to_owned(), json!(config.encode.vmaf_share));
    slicing.insert("tool".to_owned(), json!(tools.version()));
    slicing.insert("package_tool".to_owned(), json!(matinee_package::TOOL));
    let step = |name: &str, pool: &str, params| Step { tool: tools.named(name), pool: pool.to_owned(), params };
    Ok(Tools { inspect: step("inspect 1", "cpu", Map::new()), slice: step("slice 1", "light", slicing) })
}

/// A worker's name: unique among those that live, and "embedded/" where the workflow service is in this process.
fn worker_name(embedded: bool) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let place = if embedded { "embedded".to_owned() } else { host };
    format!("{place}/{}", std::process::id())
}

/// Runs these roles until `stop`, then drains.
pub async fn open(config: Config, roles: &[Role], stop: CancellationToken) -> Result<(), AnyError> {
    std::fs::create_dir_all(&config.data.folder)?;
    let secrets = secrets(&config)?;
    let elsewhere = Channel::remote(&config.services.address, secrets.service.expose())?;
    let objects: ObjectStorage = Arc::new(FolderStore::open(&config.data.objects_folder())?);
    let health = Health::new(stop.clone());
    let metrics = Metrics::new();
    let background = TaskTracker::new();
    let plays = |role| roles.contains(&role);

    let speaking = [Role::Workflow, Role::Catalog, Role::Ingest, Role::History, Role::Telemetry];
    let log = if speaking.into_iter().any(plays) {
        Some(events::open(&config.data.folder.join("events"), EventLogConfig::default()).await?)
    } else {
        None
    };
    let tools = if plays(Role::Workflow) || plays(Role::Worker) {
        Some(Arc::new(EncodeTools::find(&config.tools.ffmpeg, &config.tools.ffprobe).await?))
    } else {
        None
    };

    let mut grpc = tonic::service::Routes::default();
    let mut http = Router::new();

    let mut workflow = elsewhere.clone();
    if plays(Role::Workflow) {
        let path = config.data.folder.join("workflow.db");
        let service = WorkflowService::open(&path, objects.clone(), matinee_workflow::Config::default()).await?;
        workflow = Channel::local(service.server());
        grpc = grpc.add_service(service.server());
        let stopped = stop.clone();
        background.spawn(async move { service.maintain(stopped).await });
    }

    let mut catalog = elsewhere.clone();
    if let Some(log) = log.clone().filter(|_| plays(Role::Catalog)) {
        let service = CatalogService::open(&config.data.folder.join("catalog.db")).await?;
        catalog = Channel::local(service.server());
        grpc = grpc.add_service(service.server());
        let stopped = stop.clone();
        background.spawn(async move { service.announce(log, stopped).await });
    }

    let mut license = elsewhere.clone();
    if plays(Role::License) {
        let service = LicenseService::open(&config.data.folder.join("license.db"), &secrets).await?;
        license = Channel::local(service.server());
        grpc = grpc.add_service(service.server());
        http = http.merge(metrics.measured(matinee_license::router(service), "license"));
    }

    let mut playback = elsewhere.clone();
    if plays(Role::Playback) {
        let settings = PlaybackConfig {
            edge_url: config.delivery.edge_url.clone(),
            valid: Duration::from_secs(config.delivery.valid_seconds),
            profiles: config.profiles()?,
            ..PlaybackConfig::default()
        };
        let (titles, keys) = (CatalogClient::new(catalog.clone()), LicenseClient::new(license.clone()));
        let service = PlaybackService::open(titles, keys, &secrets, settings)?;
        playback = Channel::local(service.server());
        grpc = grpc.add_service(service.server());
    }

    let (mut ingest, mut uploads) = (elsewhere.clone(), Router::new());
    if let Some(log) = log.clone().filter(|_| plays(Role::Ingest)) {
        let settings = IngestConfig {
            max_bytes: config.ingest.max_bytes,
            expire: Duration::from_secs(config.ingest.expire_days * 24 * 3600),
        };
        let (path, titles) = (config.data.folder.join("ingest.db"), CatalogClient::new(catalog.clone()));
        let service = IngestService::open(&path, objects.clone(), log, titles, settings).await?;
        ingest = Channel::local(service.server());
        grpc = grpc.add_service(service.server());
        uploads = metrics.measured(matinee_ingest::router(service.clone()), "ingest");
        let stopped = stop.clone();
        background.spawn(async move { service.maintain(stopped).await });
    }

    if let Some((log, tools)) = log.clone().zip(tools.as_ref()).filter(|_| plays(Role::Workflow)) {
        let (onboarding, stopped) = (onboarding(&config, tools)?, stop.clone());
        let (workflows, masters) = (WorkflowClient::new(workflow.clone()), IngestClient::new(ingest.clone()));
        background.spawn(onboard::consume(log, workflows, masters, onboarding, stopped));
    }

    let half = config.delivery.cache_bytes / 2;
    let mut origin = None;
    if plays(Role::Origin) {
        let (keys, workflows) = (LicenseClient::new(license.clone()), WorkflowClient::new(workflow.clone()));
        let service = OriginService::new(objects.clone(), keys, workflows, config.profiles()?, half);
        origin = Some(metrics.measured(matinee_origin::router(service), "origin"));
    }

    if plays(Role::Edge) {
        let upstream = match &origin {
            Some(here) => here.clone(),
            None => matinee_edge::elsewhere(&config.services.origin, secrets.service.expose())?,
        };
        let edge = Edge::new(Cache::new(upstream, half), Signer::new(&secrets.signing), Arc::new(SystemClock));
        http = http.merge(metrics.measured(matinee_edge::router(edge), "edge"));
    }

    if let Some(tools) = tools.filter(|_| plays(Role::Worker)) {
        let mut handlers = matinee_encode::handlers(&tools);
        let (keys, titles) = (LicenseClient::new(license.clone()), CatalogClient::new(catalog.clone()));
        handlers.extend(matinee_package::handlers(keys, titles));
        let slots = Slots { cpu: config.worker.cpu_slots, light: config.worker.light_slots };
        let (client, name) = (WorkflowClient::new(workflow.clone()), worker_name(plays(Role::Workflow)));
        background.spawn(work(client, objects.clone(), handlers, name, slots, stop.clone()));
    }

    let (mut history, mut telemetry) = (elsewhere.clone(), elsewhere);
    if let Some(log) = log.clone().filter(|_| plays(Role::History)) {
        let service = HistoryService::open(&config.data.folder.join("history")).await?;
        history = Channel::local(service.server());
        grpc = grpc.add_service(service.server());
        let stopped = stop.clone();
        background.spawn(async move { service.consume(log, stopped).await });
    }
    if let Some(log) = log.filter(|_| plays(Role::Telemetry)) {
        let service = TelemetryService::open(log);
        telemetry = Channel::local(service.server());
        grpc = grpc.add_service(service.server());
    }

    if plays(Role::Gateway) {
        let gateway = Gateway {
            catalog: CatalogClient::new(catalog),
            playback: PlaybackClient::new(playback),
            workflow: WorkflowClient::new(workflow),
            ingest: IngestClient::new(ingest),
            history: HistoryClient::new(history),
            telemetry: TelemetryClient::new(telemetry),
            objects,
        };
        let key = StudioKey(config.studio.key.clone());
        let tls = BehindTls(config.server.tls_cert.is_some());
        http = http.merge(metrics.measured(matinee_gateway::router(gateway, key, tls, uploads), "gateway"));
    }

    let tls = match (&config.server.tls_cert, &config.server.tls_key) {
        (Some(cert), Some(key)) => Some(Tls::load(cert, key)?),
        _ => None,
    };
    let drain = Duration::from_secs(config.server.drain_seconds);
    let public = HostConfig { tls, drain, ..HostConfig::default() };
    let internal = HostConfig { drain, ..HostConfig::default() };
    let (door, between) = (bind(config.server.listen).await?, bind(config.server.grpc_listen).await?);
    tracing::info!(http = %config.server.listen, grpc = %config.server.grpc_listen, ?roles, "ready");
    let http = http.merge(health.router()).merge(metrics.router());
    // Edges elsewhere reach the origin beside the services, never by the public door.
    let services = admit(grpc.into_axum_router().merge(origin.unwrap_or_default()), secrets.service.expose());
    background.close();
    tokio::join!(serve(door, http, &public, stop.clone()), serve(between, services, &internal, stop.clone()));
    background.wait().await;
    Ok(())
}
