//! What a viewer watches: heartbeats in, positions and "continue watching" out.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use futures::future::join_all;
use http::{StatusCode, header};
use matinee_contracts::catalog::GetTitleRequest;
use matinee_contracts::history::{EraseRequest, ListRequest, RemoveRequest, ResumeRequest, Watched};
use matinee_contracts::telemetry::{Beat, PlayState, Quality, ReportRequest};
use serde::{Deserialize, Serialize};

use crate::Gateway;
use crate::answer::{Problem, time};
use crate::titles::TitleJson;
use crate::viewer::Viewer;

/// How long a play waits for where it stopped; after that it starts from the beginning.
const RESUME_PATIENCE: Duration = Duration::from_millis(300);
/// Titles of a list.
const LISTED: u32 = 50;

/// What `POST /api/heartbeats` takes. Times are milliseconds since 1970 by the device's clock.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeartbeatsJson {
    sent_at: f64,
    #[serde(default)]
    device: String,
    beats: Vec<BeatJson>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BeatJson {
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

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum StateJson {
    Playing,
    Paused,
    Stalled,
    Ended,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[derive(Default)]
struct QualityJson {
    start_ms: u32,
    stalls: u32,
    stalled_ms: u32,
    bits_per_second: u32,
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
                height: q.height,
                dropped_frames: q.dropped_frames,
                error: q.error,
            }),
        }
    }
}

/// `POST /api/heartbeats`: what is acknowledged is on disk.
pub async fn report(
    State(mut gateway): State<Gateway>,
    Viewer(profile): Viewer,
    body: Result<Json<HeartbeatsJson>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Json(HeartbeatsJson { sent_at, device, beats }) = body?;
    let report = ReportRequest {
        profile: profile.into(),
        device,
        sent_us: signed_micros(sent_at),
        beats: beats.into_iter().map(Beat::from).collect(),
        ..ReportRequest::default()
    };
    gateway.telemetry.report(report).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A title with where the viewer is in it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchedJson {
    title: TitleJson,
    resume_seconds: f64,
    position_seconds: f64,
    duration_seconds: f64,
    finished: bool,
    at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    #[serde(default)]
    unfinished: bool,
}

/// `GET /api/history?unfinished=true`: the latest first; titles that are not published are left out.
pub async fn list(
    State(mut gateway): State<Gateway>,
    Viewer(profile): Viewer,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let request = ListRequest { profile: profile.into(), unfinished_only: query.unfinished, limit: LISTED };
    let watched = gateway.history.list(request).await?.into_inner().titles;
    let titles = watched.iter().map(|w| {
        let mut catalog = gateway.catalog.clone();
        let request = GetTitleRequest { id: w.title.clone() };
        async move { catalog.get_title(request).await.ok().map(|title| title.into_inner()) }
    });
    let titles = join_all(titles).await;
    let shown = watched.iter().zip(titles).filter_map(|(watched, title)| {
        let title = title.filter(|title| !title.version.is_empty())?;
        Some(WatchedJson {
            title: title.into(),
            resume_seconds: seconds(watched.resume_us),
            position_seconds: seconds(watched.position_us),
            duration_seconds: seconds(watched.duration_us),
            finished: watched.finished,
            at: time(watched.at_us),
        })
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(shown.collect::<Vec<_>>())).into_response())
}

/// `DELETE /api/history/{title}`.
pub async fn remove(
    State(mut gateway): State<Gateway>,
    Viewer(profile): Viewer,
    Path(title): Path<String>,
) -> Result<StatusCode, Problem> {
    gateway.history.remove(RemoveRequest { profile: profile.into(), title }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/history`.
pub async fn erase(State(mut gateway): State<Gateway>, Viewer(profile): Viewer) -> Result<StatusCode, Problem> {
    gateway.history.erase(EraseRequest { profile: profile.into() }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where the viewer goes on with a title, in seconds. History that is slow or down costs the viewer no more than that.
pub async fn resume(gateway: &Gateway, Viewer(profile): &Viewer, title: &str) -> f64 {
    let request = ResumeRequest { profile: profile.as_str().to_owned(), title: title.to_owned() };
    let mut history = gateway.history.clone();
    let asked = tokio::time::timeout(RESUME_PATIENCE, history.resume(request)).await;
    let found = match asked {
        Ok(Ok(found)) => found.into_inner(),
        Ok(Err(status)) => {
            tracing::warn!(title, %status, "where a viewer stopped is not known; the film starts from its beginning");
            Watched::default()
        }
        Err(_) => {
            tracing::warn!(title, "history did not answer in time; the film starts from its beginning");
            Watched::default()
        }
    };
    seconds(found.resume_us)
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}
