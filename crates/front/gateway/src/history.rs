//! What a viewer watches: heartbeats in, positions and "continue watching" out.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use matinee_contracts::catalog::GetTitlesRequest;
use matinee_contracts::history::{EraseRequest, ListRequest, RemoveRequest};
use matinee_contracts::playback::EndRequest;
use matinee_contracts::telemetry::{Beat, PlayState, Quality, ReportRequest};
use matinee_service::clock::rfc3339;
use matinee_service::http::{JsonBody, Problem, Queried};
use matinee_service::viewer::Viewer;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Gateway;
use crate::door::Inside;
use crate::titles::TitleJson;

/// Titles of a list.
const LISTED: u32 = 50;

/// What players report: under a limit of its own.
pub(crate) fn heartbeats() -> OpenApiRouter<Inside> {
    OpenApiRouter::new().routes(routes!(report))
}

/// What was watched, and plays that end.
pub(crate) fn routes() -> OpenApiRouter<Inside> {
    OpenApiRouter::new().routes(routes!(list, erase)).routes(routes!(remove)).routes(routes!(end))
}

/// What `POST /api/heartbeats` takes. Times are milliseconds since 1970 by the device's clock.
#[derive(Deserialize, ToSchema)]
#[schema(as = Heartbeats)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeartbeatsJson {
    sent_at: f64,
    #[serde(default)]
    device: String,
    beats: Vec<BeatJson>,
}

/// One heartbeat.
#[derive(Deserialize, ToSchema)]
#[schema(as = Beat)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BeatJson {
    title: String,
    session: String,
    sequence: u32,
    position_seconds: f64,
    duration_seconds: f64,
    at: f64,
    state: StateJson,
    #[serde(default)]
    quality: Option<QualityJson>,
}

/// What the player does.
#[derive(Deserialize, ToSchema)]
#[schema(as = PlayState)]
#[serde(rename_all = "lowercase")]
pub enum StateJson {
    /// It plays.
    Playing,
    /// By the viewer.
    Paused,
    /// It waits for bytes.
    Stalled,
    /// The viewer left, or the film is over.
    Ended,
}

/// How it played since the last heartbeat.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = PlayerQuality)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct QualityJson {
    start_ms: u32,
    stalls: u32,
    stalled_ms: u32,
    bits_per_second: u32,
    /// Of the network, as the player measures it; 0 where it has not yet.
    throughput_bits_per_second: u64,
    height: u32,
    dropped_frames: u32,
    error: String,
}

/// A number that is none (not finite, negative) is 0.
fn micros(seconds: f64) -> u64 {
    // A float that is too large becomes the largest integer, which the service refuses by name.
    (seconds * 1e6) as u64
}

fn signed_micros(millis: f64) -> i64 {
    (millis * 1e3) as i64
}

impl From<BeatJson> for Beat {
    fn from(beat: BeatJson) -> Self {
        let state = match beat.state {
            StateJson::Playing => PlayState::Playing,
            StateJson::Paused => PlayState::Paused,
            StateJson::Stalled => PlayState::Stalled,
            StateJson::Ended => PlayState::Ended,
        };
        Self {
            title: beat.title,
            session: beat.session,
            sequence: beat.sequence,
            position_us: micros(beat.position_seconds),
            duration_us: micros(beat.duration_seconds),
            at_us: signed_micros(beat.at),
            state: state.into(),
            quality: beat.quality.map(|q| Quality {
                start_ms: q.start_ms,
                stalls: q.stalls,
                stalled_ms: q.stalled_ms,
                bits_per_second: q.bits_per_second,
                throughput_bits_per_second: q.throughput_bits_per_second,
                height: q.height,
                dropped_frames: q.dropped_frames,
                error: q.error,
            }),
        }
    }
}

/// Takes what a player reports; what is acknowledged is on disk.
#[utoipa::path(post, path = "/api/heartbeats", tag = "viewing", request_body = HeartbeatsJson,
    responses((status = 204)))]
pub async fn report(
    State(mut gateway): State<Gateway>,
    viewer: Viewer,
    JsonBody(HeartbeatsJson { sent_at, device, beats }): JsonBody<HeartbeatsJson>,
) -> Result<StatusCode, Problem> {
    let member = viewer.member.as_ref();
    let report = ReportRequest {
        account: member.map(|member| member.account.to_string()).unwrap_or_default(),
        profile: viewer.watching()?.to_string(),
        // A device that is signed in has a name that nobody else can take.
        device: member.map_or(device, |member| member.device.to_string()),
        territory: viewer.territory.to_string(),
        network: viewer.network,
        sent_us: signed_micros(sent_at),
        beats: beats.into_iter().map(Beat::from).collect(),
    };
    gateway.telemetry.report(report).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A title with where the viewer is in it.
#[derive(Serialize, ToSchema)]
#[schema(as = Watched)]
#[serde(rename_all = "camelCase")]
pub struct WatchedJson {
    title: TitleJson,
    resume_seconds: f64,
    position_seconds: f64,
    duration_seconds: f64,
    finished: bool,
    #[schema(required)]
    at: Option<String>,
}

/// Which titles are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those that were begun and not finished.
    #[serde(default)]
    unfinished: bool,
}

/// What was watched, the latest first; titles that are not published are left out.
#[utoipa::path(get, path = "/api/history", tag = "viewing", params(ListQuery),
    responses((status = 200, body = Vec<WatchedJson>)))]
pub async fn list(
    State(mut gateway): State<Gateway>,
    viewer: Viewer,
    Queried(query): Queried<ListQuery>,
) -> Result<Response, Problem> {
    let profile = viewer.watching()?.to_string();
    let request = ListRequest { profile, unfinished_only: query.unfinished, limit: LISTED };
    let watched = gateway.history.list(request).await?.into_inner().titles;
    let ids: Vec<String> = watched.iter().map(|watched| watched.title.clone()).collect();
    let titles = if ids.is_empty() {
        Vec::new()
    } else {
        gateway.catalog.get_titles(GetTitlesRequest { ids }).await?.into_inner().titles
    };
    let mut titles: HashMap<_, _> = titles.into_iter().map(|title| (title.id.clone(), title)).collect();
    let shown = watched.iter().filter_map(|watched| {
        let title = titles.remove(&watched.title).filter(|title| !title.version.is_empty())?;
        Some(WatchedJson {
            title: title.into(),
            resume_seconds: seconds(watched.resume_us),
            position_seconds: seconds(watched.position_us),
            duration_seconds: seconds(watched.duration_us),
            finished: watched.finished,
            at: rfc3339(watched.at_us),
        })
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(shown.collect::<Vec<_>>())).into_response())
}

/// Forgets one title of what was watched.
#[utoipa::path(delete, path = "/api/history/{title}", tag = "viewing", responses((status = 204)))]
pub async fn remove(
    State(mut gateway): State<Gateway>,
    viewer: Viewer,
    Path(title): Path<String>,
) -> Result<StatusCode, Problem> {
    gateway.history.remove(RemoveRequest { profile: viewer.watching()?.to_string(), title }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets all that was watched.
#[utoipa::path(delete, path = "/api/history", tag = "viewing", responses((status = 204)))]
pub async fn erase(State(mut gateway): State<Gateway>, viewer: Viewer) -> Result<StatusCode, Problem> {
    gateway.history.erase(EraseRequest { profile: viewer.watching()?.to_string() }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a play: it no longer counts as one of the account's.
#[utoipa::path(post, path = "/api/sessions/{id}/end", tag = "viewing", responses((status = 204)))]
pub async fn end(
    State(mut gateway): State<Gateway>,
    viewer: Viewer,
    Path(session): Path<String>,
) -> Result<StatusCode, Problem> {
    viewer.watching()?;
    let account = viewer.member.map(|member| member.account.to_string()).unwrap_or_default();
    gateway.playback.end(EndRequest { account, session }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}
