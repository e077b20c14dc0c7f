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
use matinee_contracts::ingest::ingest_client::IngestClient;
use matinee_contracts::license::license_client::LicenseClient;
use matinee_contracts::playback::playback_client::PlaybackClient;
use matinee_contracts::workflow::workflow_client::WorkflowClient;
use matinee_engines::events::{self, EventLogConfig};
use matinee_engines::objects::ObjectStorage;
use matinee_engines::objects::folder::FolderStore;
use matinee_gateway::{Gateway, StudioKey};
use matinee_license::LicenseService;
use matinee_playback::{PlaybackConfig, PlaybackService};
use matinee_service::channel::{Channel, admit};
use matinee_service::health::Health;
use matinee_service::http::{HostConfig, Tls, bind, serve};
use matinee_service::metrics::Metrics;
use matinee_service::secrets::Secrets;
use matinee_workflow::WorkflowService;
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
}

/// The installation's secrets, made at the first start.
pub fn secrets(config: &Config) -> Result<Secrets, AnyError> {
    Ok(Secrets::open(&config.data.folder.join("secrets"))?)
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
    if plays(Role::Catalog) {
        let log = events::open(&config.data.folder.join("events"), EventLogConfig::default()).await?;
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

    if plays(Role::Gateway) {
        let gateway = Gateway {
            catalog: CatalogClient::new(catalog),
            playback: PlaybackClient::new(playback),
            workflow: WorkflowClient::new(workflow),
            ingest: IngestClient::new(elsewhere),
            objects,
        };
        let key = StudioKey(config.studio.key.clone());
        http = http.merge(metrics.measured(matinee_gateway::router(gateway, key, Router::new()), "gateway"));
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
    let services = admit(grpc.into_axum_router(), secrets.service.expose());
    background.close();
    tokio::join!(serve(door, http, &public, stop.clone()), serve(between, services, &internal, stop.clone()));
    background.wait().await;
    Ok(())
}
