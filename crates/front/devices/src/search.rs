//! Search, as the viewer types. It is the one screen that has nothing to show instead.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header;
use matinee_contracts::search::SearchRequest;
use matinee_service::http::{Problem, Queried};
use matinee_service::viewer::Viewer;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Devices;
use crate::card::{Card, Deck};
use crate::device::Device;
use crate::history::Progress;
use crate::home::spelt;

/// What was typed is no longer than this, in characters.
const MOST_TYPED: usize = 200;

/// What is searched for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
#[derive(Default)]
pub struct Asked {
    /// What was typed so far; its last word may be unfinished. Empty: everything that the filters leave.
    q: String,
    /// Of any of these genres, with commas between.
    genre: String,
    /// "movie", "series" or "episode".
    kind: String,
    /// Not older.
    year_from: Option<u32>,
    /// Not younger.
    year_until: Option<u32>,
    /// Spoken in this language (BCP 47).
    audio: String,
    /// Titles, at the most; 20 where it is not said, 100 at the most.
    limit: Option<u32>,
    /// How many to leave out at the beginning.
    offset: Option<u32>,
}

/// A title that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hit)]
#[serde(rename_all = "camelCase")]
pub struct HitJson {
    #[serde(flatten)]
    card: Card,
    /// By what: "name", "person", "genre", "description".
    matched: String,
    /// The person's name, say.
    #[serde(skip_serializing_if = "String::is_empty")]
    matched_text: String,
}

/// Somebody who was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonFound)]
pub struct PersonJson {
    id: String,
    name: String,
    /// How many titles.
    titles: u32,
}

/// A genre.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Genre)]
pub struct GenreJson {
    /// Its id.
    pub id: String,
    /// In words.
    pub name: String,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Search)]
pub struct FoundJson {
    query: String,
    /// What was understood, where a word was misspelt.
    #[serde(skip_serializing_if = "String::is_empty")]
    corrected: String,
    hits: Vec<HitJson>,
    people: Vec<PersonJson>,
    genres: Vec<GenreJson>,
    total: u32,
}

/// Titles, people and genres that match what was typed.
#[utoipa::path(get, path = "/api/{device}/search", tag = "viewing",
    params(("device" = Device, Path), Asked), responses((status = 200, body = FoundJson)))]
pub async fn search(
    State(devices): State<Devices>,
    Path(device): Path<String>,
    viewer: Viewer,
    Queried(asked): Queried<Asked>,
) -> Result<Response, Problem> {
    let shape = Device::parse(&device)?.shape();
    if asked.q.chars().count() > MOST_TYPED {
        return Err(Problem::field("q", format!("at most {MOST_TYPED} characters are taken")));
    }
    let genres = asked.genre.split(',').map(str::trim).filter(|genre| !genre.is_empty());
    let request = SearchRequest {
        query: asked.q.clone(),
        viewer: Some(viewer.words()),
        limit: asked.limit.unwrap_or(0),
        offset: asked.offset.unwrap_or(0),
        genres: genres.take(50).map(str::to_owned).collect(),
        kind: asked.kind,
        year_from: asked.year_from.unwrap_or(0),
        year_until: asked.year_until.unwrap_or(0),
        audio_language: asked.audio,
    };
    let mut service = devices.services.search.clone();
    let (found, progress) = tokio::join!(service.search(request), Progress::of(&devices, &viewer));
    let found = found?.into_inner();
    let films = devices.shelf.films(found.hits.iter().map(|hit| hit.title.as_str()).collect()).await;
    let ids: Vec<Arc<str>> = films.keys().cloned().collect();
    let scores = devices.scores.of(&devices, &ids).await;
    let names = if found.genres.is_empty() { Arc::default() } else { devices.shelf.genres().await };
    let now_us = devices.clock.now_us();
    let deck = Deck { viewer: &viewer, shape, progress: &progress, scores: &scores };
    let hits = found.hits.into_iter().filter_map(|hit| {
        let film = films.get(hit.title.as_str())?;
        // The index may be a moment behind the catalogue.
        film.barred(&viewer, now_us).is_none().then(|| HitJson {
            card: deck.card(film),
            matched: hit.matched,
            matched_text: hit.matched_text,
        })
    });
    let people = found.people.into_iter();
    let answer = FoundJson {
        query: asked.q,
        corrected: found.corrected,
        hits: hits.collect(),
        people: people.map(|hit| PersonJson { id: hit.person, name: hit.name, titles: hit.titles }).collect(),
        genres: found
            .genres
            .into_iter()
            .map(|id| GenreJson { name: names.get(&id).cloned().unwrap_or_else(|| spelt(&id)), id })
            .collect(),
        total: found.total,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}
