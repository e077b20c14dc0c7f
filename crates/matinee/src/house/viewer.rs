//! What a viewer's click goes through.

use std::sync::Arc;
use std::time::Duration;

use matinee_accounts::AccountsService;
use matinee_billing::BillingService;
use matinee_catalog::{CatalogService, Pictures};
use matinee_contracts::billing::billing_client::BillingClient;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::history::history_client::HistoryClient;
use matinee_contracts::lake::lake_client::LakeClient;
use matinee_contracts::license::license_client::LicenseClient;
use matinee_contracts::traces::traces_client::TracesClient;
use matinee_history::HistoryService;
use matinee_lake::{Keeping, LakeService};
use matinee_playback::{Neighbours, PlaybackConfig, PlaybackService};
use matinee_ratings::RatingsService;
use matinee_recommend::{Outside, RecommendService, Training};
use matinee_search::SearchService;
use matinee_service::access::AccessKeys;
use matinee_service::channel::Channel;
use matinee_service::clock::SystemClock;
use matinee_service::trace::{Collected, Export, ToService};
use matinee_telemetry::TelemetryService;
use matinee_traces::export::{Otlp, Zipkin};
use matinee_traces::{Bounds, TracesService};

use super::{House, Role};
use crate::terminal::AnyError;

impl House<'_> {
    /// Titles.
    pub(super) async fn catalog(&mut self) -> Result<(), AnyError> {
        if let Some(log) = self.log_of(Role::Catalog) {
            let pictures = Pictures::new(self.config.tools.ffmpeg.clone(), self.objects.clone());
            let service = CatalogService::open(&self.data("catalog.db")).await?.with_pictures(pictures);
            self.host("catalog", service.server());
            let stop = self.stop.clone();
            self.run(async move { service.announce(log, stop).await });
        }
        Ok(())
    }

    /// Where viewers stopped.
    pub(super) async fn history(&mut self) -> Result<(), AnyError> {
        if let Some(log) = self.log_of(Role::History) {
            let service = HistoryService::open(&self.data("history")).await?;
            self.host("history", service.server());
            let stop = self.stop.clone();
            self.run(async move { service.consume(log, stop).await });
        }
        Ok(())
    }

    /// What players report.
    pub(super) fn telemetry(&mut self) {
        if let Some(log) = self.log_of(Role::Telemetry) {
            let service = TelemetryService::open(log);
            self.host("telemetry", service.server());
            let stop = self.stop.clone();
            self.run(async move { service.watch(stop).await });
        }
    }

    /// Sessions.
    pub(super) fn playback(&mut self) -> Result<(), AnyError> {
        let Some(log) = self.log_of(Role::Playback) else { return Ok(()) };
        let settings = PlaybackConfig {
            edge_url: self.config.delivery.edge_url.clone(),
            valid: Duration::from_secs(self.config.delivery.valid_seconds),
            clear_to_members: self.config.delivery.clear_to_members,
            profiles: self.config.profiles()?,
            ..PlaybackConfig::default()
        };
        let neighbours = Neighbours {
            catalog: CatalogClient::new(self.reach.essential("catalog")),
            license: LicenseClient::new(self.reach.essential("license")),
            billing: BillingClient::new(self.reach.essential("billing")),
            history: HistoryClient::new(self.reach.optional("history")),
        };
        let service = PlaybackService::open(neighbours, &self.secrets, settings)?;
        self.host("playback", service.server());
        let stop = self.stop.clone();
        self.run(async move { service.consume(log, stop).await });
        Ok(())
    }

    /// Who may sign in.
    pub(super) async fn accounts(&mut self) -> Result<(), AnyError> {
        let Some(log) = self.log_of(Role::Accounts) else { return Ok(()) };
        let mut settings = self.config.accounts.clone();
        if settings.public_address.is_empty() {
            let scheme = if self.config.server.tls_cert.is_some() { "https" } else { "http" };
            settings.public_address = match self.config.viewing.public_url.as_str() {
                "" => format!("{scheme}://{}", self.config.server.listen),
                url => url.trim_end_matches('/').to_owned(),
            };
        }
        let post = AccountsService::post(&settings, &self.data("mails"))?;
        let keys = AccessKeys::new(&self.secrets.access);
        let service = AccountsService::open(&self.data("accounts.db"), keys, settings).await?;
        self.host("accounts", service.server());
        let (stop, other) = (self.stop.clone(), service.clone());
        self.run(async move { other.deliver(post, stop).await });
        let (stop, other) = (self.stop.clone(), service.clone());
        self.run(async move { other.announce(log, stop).await });
        let stop = self.stop.clone();
        self.run(async move { service.maintain(stop).await });
        Ok(())
    }

    /// Plans, subscriptions and invoices.
    pub(super) async fn billing(&mut self) -> Result<(), AnyError> {
        let Some(log) = self.log_of(Role::Billing) else { return Ok(()) };
        let service = BillingService::open(&self.data("billing.db"), self.config.billing.clone()).await?;
        self.host("billing", service.server());
        let (stop, other, told) = (self.stop.clone(), service.clone(), log.clone());
        self.run(async move { other.announce(told, stop).await });
        let (stop, other) = (self.stop.clone(), service.clone());
        self.run(async move { other.consume(log, stop).await });
        let stop = self.stop.clone();
        self.run(async move { service.maintain(stop).await });
        Ok(())
    }

    /// Thumbs and lists.
    pub(super) async fn ratings(&mut self) -> Result<(), AnyError> {
        let Some(log) = self.log_of(Role::Ratings) else { return Ok(()) };
        let service = RatingsService::open(&self.data("ratings")).await?;
        self.host("ratings", service.server());
        let (stop, other, told) = (self.stop.clone(), service.clone(), log.clone());
        self.run(async move { other.announce(told, stop).await });
        let stop = self.stop.clone();
        self.run(async move { service.consume(log, stop).await });
        Ok(())
    }

    /// Finds titles.
    pub(super) async fn search(&mut self) -> Result<(), AnyError> {
        let Some(log) = self.log_of(Role::Search) else { return Ok(()) };
        let titles = CatalogClient::new(self.reach.background("catalog"));
        let service = SearchService::open(&self.data("search"), titles, log, Arc::new(SystemClock)).await?;
        self.host("search", service.server());
        let stop = self.stop.clone();
        self.run(async move { service.consume(stop).await });
        Ok(())
    }

    /// Events as Parquet.
    pub(super) fn lake(&mut self) {
        let Some(log) = self.log_of(Role::Lake) else { return };
        let keeping =
            Keeping { seal_after: Duration::from_secs(self.config.insight.lake_seal_seconds), ..Keeping::default() };
        let service = LakeService::open(log, self.objects.clone(), keeping);
        self.host("lake", service.server());
        let (stop, other) = (self.stop.clone(), service.clone());
        self.run(async move { other.consume(stop).await });
        let stop = self.stop.clone();
        self.run(async move { service.maintain(stop).await });
    }

    /// Rows for home.
    pub(super) async fn recommend(&mut self) -> Result<(), AnyError> {
        let Some(log) = self.log_of(Role::Recommend) else { return Ok(()) };
        let outside = Outside {
            objects: self.objects.clone(),
            catalog: CatalogClient::new(self.reach.background("catalog")),
            lake: LakeClient::new(self.reach.background("lake")),
        };
        let training =
            Training { every: Duration::from_secs(self.config.insight.train_hours * 3600), ..Training::default() };
        let service = RecommendService::open(&self.data("recommend"), outside, training).await?;
        self.host("recommend", service.server());
        let (stop, other) = (self.stop.clone(), service.clone());
        self.run(async move { other.consume(log, stop).await });
        let stop = self.stop.clone();
        self.run(async move { service.maintain(stop).await });
        Ok(())
    }

    /// Spans: kept here, or by the process that does; and by whoever else the operator names.
    pub(super) fn traces(&mut self, spans: Collected) -> Result<(), AnyError> {
        if self.plays(Role::Traces) {
            // Spans of the service that keeps spans would never end.
            let server = TracesService::new(Bounds::default()).server();
            let grpc = std::mem::take(&mut self.grpc);
            self.grpc = grpc.add_service(server.clone());
            self.reach.found("traces", Channel::local(server));
        }
        let kept = TracesClient::new(self.reach.plain("traces"));
        let mut keepers: Vec<Arc<dyn Export>> = vec![Arc::new(ToService(kept))];
        if !self.config.insight.otlp.is_empty() {
            keepers.push(Arc::new(Otlp::new(&self.config.insight.otlp)?));
        }
        if !self.config.insight.zipkin.is_empty() {
            keepers.push(Arc::new(Zipkin::new(&self.config.insight.zipkin)?));
        }
        let (metrics, stop) = (self.metrics.clone(), self.stop.clone());
        self.run(async move { spans.run(keepers, &metrics, stop).await });
        Ok(())
    }
}
