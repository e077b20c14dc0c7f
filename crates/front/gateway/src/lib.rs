//! The gateway: the one door for browsers and native clients. It turns the services' contracts into JSON over HTTP,
//! serves the viewer's application and the studio, and keeps what is not meant for everybody from those it is not for.
//!
//! It holds no state of its own: every answer comes from a service, and who asks stands in a signed token.

mod account;
mod artwork;
mod attempts;
mod billing;
pub mod door;
mod guard;
mod history;
mod openapi;
mod studio;
mod titles;
mod web;

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
use matinee_engines::objects::ObjectStorage;
use matinee_service::channel::Channel;

pub use openapi::document;

/// The services behind the door.
#[derive(Clone)]
pub struct Gateway {
    /// Accounts, profiles and devices.
    pub accounts: AccountsClient<Channel>,
    /// Plans, subscriptions and invoices.
    pub billing: BillingClient<Channel>,
    /// Titles.
    pub catalog: CatalogClient<Channel>,
    /// Sessions.
    pub playback: PlaybackClient<Channel>,
    /// Workflows.
    pub workflow: WorkflowClient<Channel>,
    /// Uploads.
    pub ingest: IngestClient<Channel>,
    /// Where viewers stopped.
    pub history: HistoryClient<Channel>,
    /// Thumbs and lists.
    pub ratings: RatingsClient<Channel>,
    /// Models.
    pub recommend: RecommendClient<Channel>,
    /// The search index.
    pub search: SearchClient<Channel>,
    /// What players report.
    pub telemetry: TelemetryClient<Channel>,
    /// Spans.
    pub traces: TracesClient<Channel>,
    /// Artwork.
    pub objects: ObjectStorage,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}
