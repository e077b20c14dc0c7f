//! The gateway: the one door for browsers. It turns the services' contracts into JSON over HTTP, serves the viewer's
//! application and the studio, and keeps the studio closed to those without its password.
//!
//! It holds no state of its own: every answer comes from a service.

mod answer;
mod guard;
mod history;
mod studio;
mod titles;
mod viewer;
mod web;
mod workflow_json;

use axum::Router;
use axum::routing::{delete, get, post, put};
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::history::history_client::HistoryClient;
use matinee_contracts::ingest::ingest_client::IngestClient;
use matinee_contracts::playback::playback_client::PlaybackClient;
use matinee_contracts::telemetry::telemetry_client::TelemetryClient;
use matinee_contracts::workflow::workflow_client::WorkflowClient;
use matinee_engines::objects::ObjectStorage;
use matinee_service::channel::Channel;

pub use guard::StudioKey;
pub use viewer::BehindTls;

/// The services behind the door.
#[derive(Clone)]
pub struct Gateway {
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
    /// What players report.
    pub telemetry: TelemetryClient<Channel>,
    /// Artwork.
    pub objects: ObjectStorage,
}

/// The door's routes. `studio` are routes of other services that only the studio may use (uploads); they and the
/// studio's own are behind `key`.
pub fn router(gateway: Gateway, key: StudioKey, tls: BehindTls, studio: Router) -> Router {
    let closed = Router::new()
        .route("/api/studio/workflows", get(studio::list_workflows))
        .route("/api/studio/workflows/{id}", get(studio::show_workflow))
        .route("/api/studio/workflows/{id}/events", get(studio::watch_workflow))
        .route("/api/studio/workflows/{id}/retry", post(studio::retry_workflow))
        .route("/api/studio/workflows/{id}/cancel", post(studio::cancel_workflow))
        .route("/api/studio/uploads", get(studio::list_uploads))
        .route("/api/studio/titles", get(studio::list_titles))
        .route("/api/studio/titles/{id}", put(studio::put_title))
        .route("/api/studio/titles/{id}/inspection", get(studio::inspection))
        .route("/studio", get(web::page))
        .route("/studio/{*page}", get(web::page))
        .with_state(gateway.clone())
        .merge(studio)
        .layer(axum::middleware::from_fn_with_state(key, guard::admit));
    let open = Router::new()
        .route("/api/titles", get(titles::list))
        .route("/api/titles/{id}", get(titles::show))
        .route("/api/titles/{id}/artwork", get(titles::artwork))
        .with_state(gateway.clone());
    let viewers = Router::new()
        .route("/api/play", post(titles::play))
        .route("/api/heartbeats", post(history::report))
        .route("/api/history", get(history::list).delete(history::erase))
        .route("/api/history/{title}", delete(history::remove))
        .with_state(gateway)
        .layer(axum::middleware::from_fn_with_state(tls, viewer::recognise));
    Router::new()
        .merge(open)
        .merge(viewers)
        .merge(closed)
        .fallback(web::file)
        .layer(tower_http::compression::CompressionLayer::new().compress_when(web::Compressible))
        .layer(axum::middleware::from_fn(guard::security_headers))
}
