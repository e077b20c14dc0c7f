//! What a profile says of titles: thumbs, and its list.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header;
use matinee_contracts::ratings::{Listing, MyListRequest, Opinion, RateRequest, SetListedRequest, Thumb};
use matinee_model::ids::TitleId;
use matinee_service::http::{JsonBody, Problem};
use matinee_service::viewer::Viewer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Devices;
use crate::card::{Card, Deck};
use crate::device::Device;
use crate::history::Progress;

/// Titles of a list that are shown.
const LISTED: u32 = 500;

/// What a profile thinks of a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Thumb)]
#[serde(rename_all = "lowercase")]
pub enum ThumbJson {
    /// Liked.
    Up,
    /// Not liked.
    Down,
    /// Liked very much.
    Love,
    /// Nothing.
    None,
}

impl From<Thumb> for ThumbJson {
    fn from(thumb: Thumb) -> Self {
        match thumb {
            Thumb::Up => Self::Up,
            Thumb::Down => Self::Down,
            Thumb::Love => Self::Love,
            Thumb::Unspecified => Self::None,
        }
    }
}

/// A thumb.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Rate)]
#[serde(deny_unknown_fields)]
pub struct RateJson {
    thumb: ThumbJson,
}

/// What a profile said of a title.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Opinion)]
pub struct OpinionJson {
    title: String,
    thumb: ThumbJson,
    /// Whether it is on the profile's list.
    listed: bool,
}

impl From<Opinion> for OpinionJson {
    fn from(opinion: Opinion) -> Self {
        Self { thumb: opinion.thumb().into(), title: opinion.title, listed: opinion.listed }
    }
}

fn title(id: &str) -> Result<String, Problem> {
    TitleId::parse(id).map(String::from).map_err(|error| Problem::field("title", error.to_string()))
}

/// Says what the profile thinks of a title.
#[utoipa::path(put, path = "/api/titles/{id}/thumb", tag = "viewing", request_body = RateJson,
    responses((status = 200, body = OpinionJson)))]
pub async fn rate(
    State(mut devices): State<Devices>,
    viewer: Viewer,
    Path(id): Path<String>,
    JsonBody(said): JsonBody<RateJson>,
) -> Result<Json<OpinionJson>, Problem> {
    let thumb = match said.thumb {
        ThumbJson::Up => Thumb::Up,
        ThumbJson::Down => Thumb::Down,
        ThumbJson::Love => Thumb::Love,
        ThumbJson::None => Thumb::Unspecified,
    };
    let request = RateRequest { profile: viewer.watching()?.to_string(), title: title(&id)?, thumb: thumb.into() };
    Ok(Json(devices.services.ratings.rate(request).await?.into_inner().into()))
}

async fn set(mut devices: Devices, viewer: Viewer, id: &str, listing: Listing) -> Result<Json<OpinionJson>, Problem> {
    let request =
        SetListedRequest { profile: viewer.watching()?.to_string(), title: title(id)?, listing: listing.into() };
    Ok(Json(devices.services.ratings.set_listed(request).await?.into_inner().into()))
}

/// Puts a title on the profile's list.
#[utoipa::path(put, path = "/api/my-list/{id}", tag = "viewing", responses((status = 200, body = OpinionJson)))]
pub async fn put(
    State(devices): State<Devices>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Json<OpinionJson>, Problem> {
    set(devices, viewer, &id, Listing::Listed).await
}

/// Takes a title off the profile's list.
#[utoipa::path(delete, path = "/api/my-list/{id}", tag = "viewing", responses((status = 200, body = OpinionJson)))]
pub async fn remove(
    State(devices): State<Devices>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Json<OpinionJson>, Problem> {
    set(devices, viewer, &id, Listing::Unlisted).await
}

/// The profile's list, the latest first. Without ratings it is empty.
#[utoipa::path(get, path = "/api/my-list", tag = "viewing", responses((status = 200, body = Vec<Card>)))]
pub async fn list(State(devices): State<Devices>, viewer: Viewer) -> Result<Response, Problem> {
    let request = MyListRequest { profile: viewer.watching()?.to_string(), limit: LISTED };
    let mut ratings = devices.services.ratings.clone();
    let (listed, progress) =
        tokio::join!(devices.optional.ratings.ask(ratings.my_list(request)), Progress::of(&devices, &viewer));
    let listed = listed.unwrap_or_default().titles;
    let films = devices.shelf.films(listed.iter().map(|opinion| opinion.title.as_str()).collect()).await;
    let ids: Vec<Arc<str>> = films.keys().cloned().collect();
    let scores = devices.scores.of(&devices, &ids).await;
    let now_us = devices.clock.now_us();
    let deck = Deck { viewer: &viewer, shape: Device::Web.shape(), progress: &progress, scores: &scores };
    let shown = listed.iter().filter_map(|opinion| films.get(opinion.title.as_str()));
    let cards: Vec<_> = shown.filter(|film| film.shown(&viewer, now_us)).map(|film| deck.card(film)).collect();
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(cards)).into_response())
}
