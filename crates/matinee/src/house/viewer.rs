//! What a viewer's click goes through.

use std::time::Duration;

use matinee_catalog::CatalogService;
use matinee_contracts::billing::billing_client::BillingClient;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::history::history_client::HistoryClient;
use matinee_contracts::license::license_client::LicenseClient;
use matinee_history::HistoryService;
use matinee_playback::{Neighbours, PlaybackConfig, PlaybackService};
use matinee_telemetry::TelemetryService;

use super::{House, Role};
use crate::terminal::AnyError;

impl House<'_> {
    /// Titles.
    pub(super) async fn catalog(&mut self) -> Result<(), AnyError> {
        if let Some(log) = self.log_of(Role::Catalog) {
            let service = CatalogService::open(&self.data("catalog.db")).await?;
            self.reach.catalog = self.host("catalog", service.server());
            let stop = self.stop.clone();
            self.run(async move { service.announce(log, stop).await });
        }
        Ok(())
    }

    /// Where viewers stopped.
    pub(super) async fn history(&mut self) -> Result<(), AnyError> {
        if let Some(log) = self.log_of(Role::History) {
            let service = HistoryService::open(&self.data("history")).await?;
            self.reach.history = self.host("history", service.server());
            let stop = self.stop.clone();
            self.run(async move { service.consume(log, stop).await });
        }
        Ok(())
    }

    /// What players report.
    pub(super) fn telemetry(&mut self) {
        if let Some(log) = self.log_of(Role::Telemetry) {
            let service = TelemetryService::open(log);
            self.reach.telemetry = self.host("telemetry", service.server());
        }
    }

    /// Sessions.
    pub(super) fn playback(&mut self) -> Result<(), AnyError> {
        let Some(log) = self.log_of(Role::Playback) else { return Ok(()) };
        let settings = PlaybackConfig {
            edge_url: self.config.delivery.edge_url.clone(),
            valid: Duration::from_secs(self.config.delivery.valid_seconds),
            profiles: self.config.profiles()?,
            ..PlaybackConfig::default()
        };
        let neighbours = Neighbours {
            catalog: CatalogClient::new(self.reach.catalog.clone()),
            license: LicenseClient::new(self.reach.license.clone()),
            billing: BillingClient::new(self.reach.billing.clone()),
            history: HistoryClient::new(self.reach.history.clone()),
        };
        let service = PlaybackService::open(neighbours, &self.secrets, settings)?;
        self.reach.playback = self.host("playback", service.server());
        let stop = self.stop.clone();
        self.run(async move { service.consume(log, stop).await });
        Ok(())
    }
}
