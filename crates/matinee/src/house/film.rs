//! A film's way: what takes it in, makes a stream of it and serves it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::ingest::ingest_client::IngestClient;
use matinee_contracts::license::license_client::LicenseClient;
use matinee_contracts::telemetry::telemetry_client::TelemetryClient;
use matinee_contracts::workflow::workflow_client::WorkflowClient;
use matinee_edge::{Cache, Edge};
use matinee_encode::tool::Tools as EncodeTools;
use matinee_ingest::{IngestConfig, IngestService};
use matinee_license::LicenseService;
use matinee_origin::OriginService;
use matinee_service::clock::SystemClock;
use matinee_service::signing::Signer;
use matinee_service::worker::runtime::{Slots, work};
use matinee_workflow::WorkflowService;
use matinee_workflow::onboard::{self, Step, Tools};
use serde_json::{Map, json};

use super::{House, Role};
use crate::config::Config;
use crate::terminal::AnyError;

impl House<'_> {
    /// The workflow service.
    pub(super) async fn workflow(&mut self) -> Result<(), AnyError> {
        if !self.plays(Role::Workflow) {
            return Ok(());
        }
        let path = self.data("workflow.db");
        let service = WorkflowService::open(&path, self.objects.clone(), matinee_workflow::Config::default()).await?;
        self.host("workflow", service.server());
        let stop = self.stop.clone();
        self.run(async move { service.maintain(stop).await });
        Ok(())
    }

    /// Content keys and licences.
    pub(super) async fn license(&mut self) -> Result<(), AnyError> {
        if self.plays(Role::License) {
            let service = LicenseService::open(&self.data("license.db"), &self.secrets).await?;
            self.host("license", service.server());
            self.open(matinee_license::router(service), "license");
        }
        Ok(())
    }

    /// Uploads, and the beginning of the workflow that a whole master gets. Returns the routes that take bytes.
    pub(super) async fn ingest(&mut self) -> Result<Router, AnyError> {
        let mut uploads = Router::new();
        if let Some(log) = self.log_of(Role::Ingest) {
            let settings = IngestConfig {
                max_bytes: self.config.ingest.max_bytes,
                expire: Duration::from_secs(self.config.ingest.expire_days * 24 * 3600),
            };
            let titles = CatalogClient::new(self.reach.background("catalog"));
            let service =
                IngestService::open(&self.data("ingest.db"), self.objects.clone(), log, titles, settings).await?;
            self.host("ingest", service.server());
            uploads = self.metrics.measured(matinee_ingest::router(service.clone()), "ingest");
            let stop = self.stop.clone();
            self.run(async move { service.maintain(stop).await });
        }
        if let Some((log, tools)) = self.log_of(Role::Workflow).zip(self.tools.clone()) {
            let (onboarding, stop) = (onboarding(self.config, &tools)?, self.stop.clone());
            let workflows = WorkflowClient::new(self.reach.background("workflow"));
            let masters = IngestClient::new(self.reach.background("ingest"));
            self.run(onboard::consume(log, workflows, masters, onboarding, stop));
        }
        Ok(uploads)
    }

    /// The origin and the edge. Returns the origin's routes, for edges elsewhere.
    pub(super) fn streams(&mut self) -> Result<Router, AnyError> {
        let half = self.config.delivery.cache_bytes / 2;
        let mut origin = None;
        if self.plays(Role::Origin) {
            let keys = LicenseClient::new(self.reach.essential("license"));
            let workflows = WorkflowClient::new(self.reach.background("workflow"));
            let service = OriginService::new(self.objects.clone(), keys, workflows, self.config.profiles()?, half);
            origin = Some(self.metrics.measured(matinee_origin::router(service), "origin"));
        }
        if self.plays(Role::Edge) {
            let upstream = match &origin {
                Some(here) => here.clone(),
                None => matinee_edge::elsewhere(&self.config.services.origin, self.secrets.service.expose())?,
            };
            let signer = Signer::new(&self.secrets.signing);
            let (told, telling) = matinee_edge::told(&self.metrics);
            let edge = Edge::new(Cache::new(upstream, half), signer, Arc::new(SystemClock)).telling(told);
            let telemetry = TelemetryClient::new(self.reach.background("telemetry"));
            self.run(telling.carry(telemetry, self.stop.clone()));
            self.open(matinee_edge::router(edge), "edge");
        }
        Ok(origin.unwrap_or_default())
    }

    /// The worker for tasks.
    pub(super) fn worker(&mut self) {
        let Some(tools) = self.tools.clone().filter(|_| self.plays(Role::Worker)) else { return };
        let mut handlers = matinee_encode::handlers(&tools);
        let keys = LicenseClient::new(self.reach.background("license"));
        let titles = CatalogClient::new(self.reach.background("catalog"));
        handlers.extend(matinee_package::handlers(keys, titles));
        let slots = Slots { cpu: self.config.worker.cpu_slots, light: self.config.worker.light_slots };
        let (client, name) =
            (WorkflowClient::new(self.reach.background("workflow")), worker_name(self.plays(Role::Workflow)));
        self.run(work(client, self.objects.clone(), handlers, name, slots, self.stop.clone()));
    }
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
