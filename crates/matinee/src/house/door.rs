//! The door: what browsers and devices see of the services.

use axum::Router;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::history::history_client::HistoryClient;
use matinee_contracts::ingest::ingest_client::IngestClient;
use matinee_contracts::playback::playback_client::PlaybackClient;
use matinee_contracts::telemetry::telemetry_client::TelemetryClient;
use matinee_contracts::workflow::workflow_client::WorkflowClient;
use matinee_gateway::{BehindTls, Gateway, StudioKey};

use super::{House, Role};

impl House<'_> {
    /// The gateway, with `uploads` behind the studio's guard.
    pub(super) fn gateway(&mut self, uploads: Router) {
        if !self.plays(Role::Gateway) {
            return;
        }
        let reach = &self.reach;
        let gateway = Gateway {
            catalog: CatalogClient::new(reach.catalog.clone()),
            playback: PlaybackClient::new(reach.playback.clone()),
            workflow: WorkflowClient::new(reach.workflow.clone()),
            ingest: IngestClient::new(reach.ingest.clone()),
            history: HistoryClient::new(reach.history.clone()),
            telemetry: TelemetryClient::new(reach.telemetry.clone()),
            objects: self.objects.clone(),
        };
        let key = StudioKey(self.config.studio.key.clone());
        let tls = BehindTls(self.config.server.tls_cert.is_some());
        self.open(matinee_gateway::router(gateway, key, tls, uploads), "gateway");
    }
}
