//! The door: what browsers and devices see of the services.

use std::sync::Arc;

use axum::Router;
use http::{HeaderName, HeaderValue};
use matinee_billing::config::StripeConfig;
use matinee_contracts::accounts::accounts_client::AccountsClient;
use matinee_contracts::billing::billing_client::BillingClient;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::history::history_client::HistoryClient;
use matinee_contracts::ingest::ingest_client::IngestClient;
use matinee_contracts::playback::playback_client::PlaybackClient;
use matinee_contracts::ratings::ratings_client::RatingsClient;
use matinee_contracts::recommend::recommend_client::RecommendClient;
use matinee_contracts::search::search_client::SearchClient;
use matinee_contracts::telemetry::telemetry_client::TelemetryClient;
use matinee_contracts::traces::traces_client::TracesClient;
use matinee_contracts::workflow::workflow_client::WorkflowClient;
use matinee_devices::{Devices, Patience, Services};
use matinee_gateway::Gateway;
use matinee_gateway::door::{
    BehindTls, DoorSettings, Keeper, Known, Network, Networks, Places, Quotas, Rooms, StudioAccess,
};
use matinee_graph::{Graph, Limits};
use matinee_model::ids::AccountId;
use matinee_model::territory::Territory;
use matinee_service::access::AccessKeys;
use matinee_service::clock::SystemClock;

use super::{House, Role};
use crate::config::{Access, Config};
use crate::terminal::AnyError;

impl House<'_> {
    /// The gateway, with `uploads` behind the studio's guard.
    pub(super) fn gateway(&mut self, uploads: Router) -> Result<(), AnyError> {
        if !self.plays(Role::Gateway) {
            return Ok(());
        }
        let reach = &self.reach;
        let gateway = Gateway {
            accounts: AccountsClient::new(reach.essential("accounts")),
            billing: BillingClient::new(reach.essential("billing")),
            // A catalogue is taken in whole.
            catalog: CatalogClient::new(reach.background("catalog")),
            playback: PlaybackClient::new(reach.essential("playback")),
            workflow: WorkflowClient::new(reach.background("workflow")),
            ingest: IngestClient::new(reach.background("ingest")),
            history: HistoryClient::new(reach.optional("history")),
            ratings: RatingsClient::new(reach.essential("ratings")),
            recommend: RecommendClient::new(reach.background("recommend")),
            search: SearchClient::new(reach.background("search")),
            telemetry: TelemetryClient::new(reach.essential("telemetry")),
            traces: TracesClient::new(reach.essential("traces")),
            objects: self.objects.clone(),
        };
        let devices = Devices::new(self.screens(), Patience::default(), Arc::new(SystemClock));
        let graph = matinee_graph::router(self.graph()?);
        let rooms = Rooms { viewing: vec![devices.router(), graph], studio: uploads };
        let keeper = Keeper {
            keys: AccessKeys::new(&self.secrets.access),
            clock: Arc::new(SystemClock),
            resilience: self.resilience.clone(),
        };
        let stop = self.stop.clone();
        self.run(async move { devices.maintain(stop).await });
        self.open(gateway.door(&settings(self.config)?, keeper, rooms), "gateway");
        Ok(())
    }

    /// What screens are made of: only titles and sessions must answer.
    fn screens(&self) -> Services {
        let reach = &self.reach;
        Services {
            catalog: CatalogClient::new(reach.essential("catalog")),
            recommend: RecommendClient::new(reach.optional("recommend")),
            ratings: RatingsClient::new(reach.optional("ratings")),
            history: HistoryClient::new(reach.optional("history")),
            search: SearchClient::new(reach.essential("search")),
            billing: BillingClient::new(reach.optional("billing")),
            accounts: AccountsClient::new(reach.optional("accounts")),
            playback: PlaybackClient::new(reach.essential("playback")),
        }
    }
}

impl House<'_> {
    /// The graph of every service's part. Each is over a client, so that it does not matter where its service is.
    fn graph(&self) -> Result<Graph, AnyError> {
        let reach = &self.reach;
        let subgraphs = vec![
            matinee_accounts::subgraph(AccountsClient::new(reach.optional("accounts"))),
            matinee_billing::subgraph(BillingClient::new(reach.optional("billing"))),
            matinee_catalog::subgraph(CatalogClient::new(reach.essential("catalog"))),
            matinee_history::subgraph(HistoryClient::new(reach.optional("history"))),
            matinee_playback::subgraph(PlaybackClient::new(reach.optional("playback"))),
            matinee_ratings::subgraph(RatingsClient::new(reach.optional("ratings"))),
            matinee_recommend::subgraph(RecommendClient::new(reach.optional("recommend"))),
            matinee_search::subgraph(SearchClient::new(reach.optional("search"))),
        ];
        Ok(Graph::open(subgraphs, Limits::default())?.checked()?)
    }
}

/// How the door is kept.
fn settings(config: &Config) -> Result<DoorSettings, AnyError> {
    let viewing = &config.viewing;
    let mut known = Vec::new();
    for (network, place) in &viewing.networks {
        let (territory, name) = place.split_once(' ').unwrap_or((place, ""));
        let territory = Territory::parse(territory)?;
        known.push((network.parse::<Network>()?, Known { territory, name: name.to_owned() }));
    }
    let places = Places {
        default: Territory::parse(&viewing.territory)?,
        networks: Networks::new(known),
        proxies: viewing.proxies.iter().map(|proxy| proxy.parse()).collect::<Result<_, _>>()?,
        header: match viewing.territory_header.as_str() {
            "" => None,
            name => Some(name.parse::<HeaderName>()?),
        },
    };
    let unlimited = Quotas { address: None, account: None, attempts: None, sign_ins: None };
    Ok(DoorSettings {
        membership: match viewing.access {
            Access::Members => matinee_service::viewer::Membership::Members,
            Access::Open => matinee_service::viewer::Membership::Open,
        },
        places,
        origins: viewing.origins.iter().map(|origin| origin.parse::<HeaderValue>()).collect::<Result<_, _>>()?,
        forms: config.billing.stripe.as_ref().map_or(&[], |_| &StripeConfig::SITES),
        quotas: if viewing.rate_limits { Quotas::default() } else { unlimited },
        studio: match (config.studio.key.as_str(), viewing.access) {
            ("", Access::Open) => StudioAccess::Everybody,
            ("", Access::Members) => StudioAccess::Roles,
            (password, _) => StudioAccess::Password(password.to_owned()),
        },
        tls: BehindTls(config.server.tls_cert.is_some()),
        public_url: Some(viewing.public_url.clone()).filter(|url| !url.is_empty()),
        test_accounts: config.faults.accounts.iter().map(|id| AccountId::parse(id)).collect::<Result<_, _>>()?,
    })
}
