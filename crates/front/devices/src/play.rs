//! Play: a session for a viewer, or why there is none.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header;
use matinee_contracts::catalog::Title;
use matinee_contracts::playback::StartRequest;
use matinee_service::clock::rfc3339;
use matinee_service::context::Context;
use matinee_service::http::{JsonBody, Problem};
use matinee_service::viewer::{Membership, Viewer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Devices;
use crate::card::{ArtworkJson, artwork};
use crate::device::{Device, Shape};
use crate::film::{Film, Kind};

/// How long a play waits for what it can do without: the title's words, and what comes next.
const PATIENCE: Duration = Duration::from_millis(300);

/// What is to be played.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Play)]
#[serde(deny_unknown_fields)]
pub struct PlayJson {
    /// The title's id.
    title: String,
    /// A device profile's name, where it is not the device's usual one: "tv-hd".
    #[serde(default)]
    profile: String,
    /// "cbcs", "cenc" or "clear"; empty for what the service prefers.
    #[serde(default)]
    protection: String,
}

/// The title that plays.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlayedTitle)]
#[serde(rename_all = "camelCase")]
pub struct PlayedJson {
    id: String,
    name: String,
    description: String,
    credits: String,
    license: String,
    #[schema(required)]
    artwork: Option<String>,
    published: bool,
    #[schema(required)]
    published_at: Option<String>,
    #[schema(required)]
    version: Option<String>,
    duration_seconds: f64,
    /// Where its opening begins and ends, and its closing credits begin; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro_start: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    intro_end: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credits_start: Option<f64>,
}

/// An episode to go on with.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Next)]
#[serde(rename_all = "camelCase")]
pub struct NextJson {
    /// Its id.
    title: String,
    name: String,
    /// From 1; 0 for specials.
    season: u32,
    /// From 1.
    episode: u32,
    duration_seconds: u64,
    artwork: ArtworkJson,
}

/// Everything a player needs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlaySession)]
#[serde(rename_all = "camelCase")]
pub struct SessionJson {
    session: String,
    title: PlayedJson,
    hls: String,
    dash: String,
    hls_ts: String,
    thumbnails: String,
    license: String,
    /// Bearer of the licence request.
    token: String,
    #[schema(required)]
    expires: Option<String>,
    protection: String,
    duration_seconds: f64,
    /// Where the viewer stopped the last time; 0 at the beginning.
    resume_seconds: f64,
    /// How often to report.
    heartbeat_seconds: u32,
    /// The tallest picture that the plan gives; 0: no limit.
    max_height: u32,
    /// The episode that follows.
    #[schema(required)]
    next: Option<NextJson>,
}

/// Starts to play a title on this kind of device.
#[utoipa::path(post, path = "/api/{device}/play", tag = "viewing", params(("device" = Device, Path)),
    request_body = PlayJson, responses((status = 200, body = SessionJson)))]
pub async fn play(
    State(devices): State<Devices>,
    Path(device): Path<String>,
    viewer: Viewer,
    JsonBody(play): JsonBody<PlayJson>,
) -> Result<Response, Problem> {
    start(&devices, &viewer, Device::parse(&device)?.shape(), play).await
}

/// Starts to play a title in a browser.
#[utoipa::path(post, path = "/api/play", tag = "viewing", request_body = PlayJson,
    responses((status = 200, body = SessionJson)))]
pub async fn play_plainly(
    State(devices): State<Devices>,
    viewer: Viewer,
    JsonBody(play): JsonBody<PlayJson>,
) -> Result<Response, Problem> {
    start(&devices, &viewer, Device::Web.shape(), play).await
}

async fn start(devices: &Devices, viewer: &Viewer, shape: Shape, play: PlayJson) -> Result<Response, Problem> {
    let profile = if play.profile.is_empty() { shape.plays_as.to_owned() } else { play.profile };
    let request = StartRequest {
        title: play.title.clone(),
        profile,
        protection: play.protection,
        viewer: Some(viewer.words()),
        open: viewer.membership == Membership::Open,
    };
    let mut playback = devices.services.playback.clone();
    let (session, title, next) =
        tokio::join!(playback.start(request), title(devices, &play.title), next(devices, viewer, shape, &play.title));
    let session = session?.into_inner();
    let answer = SessionJson {
        title: played(title, &session.title, session.duration_us),
        session: session.id,
        hls: session.hls_url,
        dash: session.dash_url,
        hls_ts: session.hls_ts_url,
        thumbnails: session.thumbnails_url,
        license: session.license_url,
        token: session.token,
        expires: rfc3339(session.expires_us),
        protection: session.protection,
        duration_seconds: seconds(session.duration_us),
        resume_seconds: seconds(session.resume_us),
        heartbeat_seconds: if session.heartbeat_seconds == 0 { 10 } else { session.heartbeat_seconds },
        max_height: session.max_height,
        next,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// The title, where the catalogue answers in time or did before.
async fn title(devices: &Devices, id: &str) -> Option<Arc<Title>> {
    match Context::in_time(PATIENCE, devices.shelf.page_of(id)).await {
        Some(Ok((title, _))) => Some(title),
        _ => devices.shelf.page_before(id).await.map(|(title, _)| title),
    }
}

/// A title's words; without the catalogue a title is known by its id, and plays all the same.
fn played(title: Option<Arc<Title>>, id: &str, duration_us: u64) -> PlayedJson {
    let title = title.map_or_else(
        || Title { id: id.to_owned(), name: id.to_owned(), duration_us, ..Title::default() },
        Arc::unwrap_or_clone,
    );
    let at = |micros: u64| (micros > 0).then(|| seconds(micros));
    let opening = title.intro_end_us > title.intro_start_us;
    PlayedJson {
        artwork: (!title.artwork.is_empty()).then(|| format!("/api/titles/{}/artwork?r={}", title.id, title.revision)),
        id: title.id,
        name: title.name,
        description: title.description,
        credits: title.credits,
        license: title.license,
        // It would not play otherwise.
        published: true,
        published_at: rfc3339(title.published_us),
        version: (!title.version.is_empty()).then_some(title.version),
        duration_seconds: seconds(title.duration_us),
        intro_start: opening.then(|| seconds(title.intro_start_us)),
        intro_end: opening.then(|| seconds(title.intro_end_us)),
        credits_start: at(title.credits_start_us),
    }
}

/// The episode that follows this title, where it is one and the viewer may watch that.
async fn next(devices: &Devices, viewer: &Viewer, shape: Shape, id: &str) -> Option<NextJson> {
    let looked = async {
        let film = devices.shelf.film(id).await?;
        if film.kind != Kind::Episode || film.series.is_empty() {
            return None;
        }
        let episodes = devices.shelf.episodes(&film.series).await?;
        let next = following(&episodes, id, viewer, devices.clock.now_us())?;
        Some(next_json(&next, viewer, shape))
    };
    tokio::time::timeout(PATIENCE, looked).await.ok().flatten()
}

/// Of `episodes` in their order, the first after `id` that `viewer` may watch.
#[must_use]
pub fn following(episodes: &[Arc<Film>], id: &str, viewer: &Viewer, now_us: i64) -> Option<Arc<Film>> {
    let mut later = episodes.iter().skip_while(|episode| *episode.id != *id).skip(1);
    later.find(|episode| episode.shown(viewer, now_us)).cloned()
}

/// An episode, as the player offers it.
#[must_use]
pub fn next_json(film: &Film, viewer: &Viewer, shape: Shape) -> NextJson {
    NextJson {
        title: film.id.to_string(),
        name: film.name(&viewer.languages).to_string(),
        season: film.season,
        episode: film.episode,
        duration_seconds: film.duration_us / 1_000_000,
        artwork: artwork(film, shape.poster, shape.backdrop, &viewer.languages),
    }
}

/// Seconds, to the microsecond.
#[must_use]
pub fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}
