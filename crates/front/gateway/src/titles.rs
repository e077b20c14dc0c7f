//! What a viewer sees: the titles that play, their artwork, and a session to play one.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header;
use matinee_contracts::catalog::{GetTitleRequest, ListTitlesRequest, Title};
use matinee_contracts::playback::StartRequest;
use serde::{Deserialize, Serialize};

use crate::Gateway;
use crate::answer::{Problem, time};
use crate::history::resume;
use crate::viewer::Viewer;

/// A title as the application shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TitleJson {
    id: String,
    name: String,
    description: String,
    credits: String,
    license: String,
    artwork: Option<String>,
    published: bool,
    published_at: Option<String>,
    version: Option<String>,
    duration_seconds: f64,
}

impl From<Title> for TitleJson {
    fn from(title: Title) -> Self {
        let version = (!title.version.is_empty()).then_some(title.version);
        Self {
            artwork: (!title.artwork.is_empty()).then(|| {
                // The revision is part of the address, so that new artwork is not hidden by a cached one.
                format!("/api/titles/{}/artwork?r={}", title.id, title.revision)
            }),
            id: title.id,
            name: title.name,
            description: title.description,
            credits: title.credits,
            license: title.license,
            published: version.is_some(),
            published_at: time(title.published_us),
            version,
            duration_seconds: title.duration_us as f64 / 1e6,
        }
    }
}

/// `GET /api/titles`: those that are published.
pub async fn list(State(mut gateway): State<Gateway>) -> Result<Response, Problem> {
    let request = ListTitlesRequest { published_only: true, limit: 500, ..ListTitlesRequest::default() };
    let titles = gateway.catalog.list_titles(request).await?.into_inner().titles;
    Ok(Json(titles.into_iter().map(TitleJson::from).collect::<Vec<_>>()).into_response())
}

/// `GET /api/titles/{id}`. An unpublished title is as good as none.
pub async fn show(State(mut gateway): State<Gateway>, Path(id): Path<String>) -> Result<Json<TitleJson>, Problem> {
    let title = gateway.catalog.get_title(GetTitleRequest { id: id.clone() }).await?.into_inner();
    if title.version.is_empty() {
        return Err(Problem::not_found(format!("title {id} is not published")));
    }
    Ok(Json(title.into()))
}

/// `GET /api/titles/{id}/artwork`.
pub async fn artwork(State(mut gateway): State<Gateway>, Path(id): Path<String>) -> Result<Response, Problem> {
    let title = gateway.catalog.get_title(GetTitleRequest { id: id.clone() }).await?.into_inner();
    if title.artwork.is_empty() {
        return Err(Problem::not_found(format!("title {id} has no artwork")));
    }
    let bytes = gateway.objects.get(&title.artwork).await.map_err(|error| {
        tracing::warn!(title = id, %error, "artwork can't be read");
        Problem::not_found(format!("the artwork of title {id} can't be read"))
    })?;
    let kind = match bytes.as_ref() {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'R', b'I', b'F', b'F', ..] => "image/webp",
        [0xff, 0xd8, ..] => "image/jpeg",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "image/avif",
        _ => return Err(Problem::not_found(format!("the artwork of title {id} is not a picture"))),
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=86400")];
    Ok((headers, bytes).into_response())
}

/// What `POST /api/play` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlayJson {
    title: String,
    #[serde(default)]
    profile: String,
    #[serde(default)]
    protection: String,
}

/// What it answers: everything a player needs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionJson {
    session: String,
    title: TitleJson,
    hls: String,
    dash: String,
    hls_ts: String,
    thumbnails: String,
    license: String,
    token: String,
    expires: Option<String>,
    protection: String,
    duration_seconds: f64,
    /// Where the viewer stopped the last time; 0 at the beginning.
    resume_seconds: f64,
}

/// `POST /api/play`.
pub async fn play(
    State(gateway): State<Gateway>,
    viewer: Viewer,
    body: Result<Json<PlayJson>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(play) = body?;
    let request = StartRequest {
        title: play.title.clone(),
        profile: play.profile,
        protection: play.protection,
        ..StartRequest::default()
    };
    let mut catalog = gateway.catalog.clone();
    let title = catalog.get_title(GetTitleRequest { id: play.title.clone() });
    let resume = resume(&gateway, &viewer, &play.title);
    let mut playback = gateway.playback.clone();
    let (session, title, resume_seconds) = tokio::join!(playback.start(request), title, resume);
    let (session, title) = (session?.into_inner(), title?.into_inner());
    let answer = SessionJson {
        session: session.id,
        title: title.into(),
        hls: session.hls_url,
        dash: session.dash_url,
        hls_ts: session.hls_ts_url,
        thumbnails: session.thumbnails_url,
        license: session.license_url,
        token: session.token,
        expires: time(session.expires_us),
        protection: session.protection,
        duration_seconds: session.duration_us as f64 / 1e6,
        resume_seconds,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}
