//! Home: the rows of a profile, as its device shows them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use matinee_contracts::accounts::AccountRequest;
use matinee_contracts::recommend::{HomeReply, HomeRequest};
use matinee_service::http::Problem;
use matinee_service::viewer::Viewer;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Devices;
use crate::answer::screen;
use crate::card::{Card, Deck};
use crate::device::{Device, Shape};
use crate::film::Film;
use crate::headings::heading;
use crate::history::Progress;
use crate::shelf::Shelf;

/// Who watches.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ProfileInHome)]
#[serde(rename_all = "camelCase")]
pub struct ProfileJson {
    id: String,
    name: String,
    avatar: String,
    kids: bool,
    maturity_limit: u32,
    language: String,
    audio_language: String,
    subtitle_language: String,
    autoplay_next: bool,
}

/// A row of titles.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Row)]
pub struct RowJson {
    /// Unique among the rows.
    id: String,
    /// "continue", "top", "trending", "because", "new", "genre", "list", "for-you".
    kind: String,
    /// What it is of: the title of "because", the genre of "genre", the territory of "top".
    #[serde(skip_serializing_if = "String::is_empty")]
    of: String,
    /// What stands over it, in the profile's language.
    title: String,
    items: Vec<Card>,
}

/// Home.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Home)]
pub struct HomeJson {
    /// Nothing where nobody signed in, or accounts do not answer.
    #[schema(required)]
    profile: Option<ProfileJson>,
    rows: Vec<RowJson>,
    /// The rows are what is known without recommendations.
    stale: bool,
}

/// A row before its titles are looked up.
struct Planned {
    id: String,
    kind: String,
    of: String,
    titles: Vec<String>,
}

/// The rows of a profile's home. It is answered whatever is down: see `stale`.
#[utoipa::path(get, path = "/api/{device}/home", tag = "viewing",
    params(("device" = Device, Path)), responses((status = 200, body = HomeJson)))]
pub async fn home(
    State(devices): State<Devices>,
    Path(device): Path<String>,
    viewer: Viewer,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let shape = Device::parse(&device)?.shape();
    let request = HomeRequest { viewer: Some(viewer.words()), rows: shape.rows, titles_a_row: shape.titles };
    let mut recommend = devices.services.recommend.clone();
    let (recommended, progress, profile) = tokio::join!(
        devices.optional.recommend.ask(recommend.home(request)),
        Progress::of(&devices, &viewer),
        profile(&devices, &viewer),
    );
    let now_us = devices.clock.now_us();
    let (planned, stale) = match recommended {
        Some(home) => {
            devices.top.remember(&viewer, &home);
            (planned(home), false)
        }
        None => (fallback(&devices, &viewer, &progress, now_us).await, true),
    };
    let films = devices.shelf.films(wanted(&planned, shape)).await;
    let ids: Vec<Arc<str>> = films.keys().cloned().collect();
    let needs_genres = planned.iter().any(|row| row.kind == "genre");
    let (scores, genres) = tokio::join!(devices.scores.of(&devices, &ids), genres(&devices.shelf, needs_genres));
    let deck = Deck { viewer: &viewer, shape, progress: &progress, scores: &scores };
    let rows = planned.into_iter().filter_map(|row| {
        let shown = row.titles.iter().filter_map(|title| films.get(title.as_str()));
        let shown = shown.filter(|film| film.shown(&viewer, now_us)).take(shape.titles as usize);
        let items: Vec<_> = shown.map(|film| deck.card(film)).collect();
        if items.is_empty() {
            return None;
        }
        let of = named(&row, &films, &genres, &viewer);
        let title = heading(&row.kind, of.as_deref(), &viewer.languages);
        Some(RowJson { id: row.id, kind: row.kind, of: row.of, title, items })
    });
    let rows = rows.take(shape.rows as usize).collect();
    Ok(screen(&headers, &HomeJson { profile, rows, stale }))
}

/// The titles that are shown, and those that headings name.
fn wanted(planned: &[Planned], shape: Shape) -> Vec<&str> {
    let mut wanted = Vec::new();
    for row in planned {
        wanted.extend(row.titles.iter().take(shape.titles as usize).map(String::as_str));
        if row.kind == "because" {
            wanted.push(row.of.as_str());
        }
    }
    wanted
}

/// The name of what a row is of.
fn named(
    row: &Planned,
    films: &HashMap<Arc<str>, Arc<Film>>,
    genres: &HashMap<String, String>,
    viewer: &Viewer,
) -> Option<String> {
    match row.kind.as_str() {
        "because" => films.get(row.of.as_str()).map(|film| film.name(&viewer.languages).to_string()),
        "genre" => Some(genres.get(&row.of).cloned().unwrap_or_else(|| spelt(&row.of))),
        _ => None,
    }
}

/// A genre whose name is not known: "science-fiction" as "Science fiction".
pub fn spelt(genre: &str) -> String {
    let mut letters = genre.chars().map(|c| if c == '-' || c == '_' { ' ' } else { c });
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

async fn genres(shelf: &Shelf, needed: bool) -> Arc<HashMap<String, String>> {
    if needed { shelf.genres().await } else { Arc::default() }
}

fn planned(home: HomeReply) -> Vec<Planned> {
    let rows = home.rows.into_iter();
    rows.map(|row| Planned { id: row.id, kind: row.kind, of: row.of, titles: row.titles }).collect()
}

/// The rows that are known without recommendations: where the profile is, and the top ten.
async fn fallback(devices: &Devices, viewer: &Viewer, progress: &Progress, now_us: i64) -> Vec<Planned> {
    let begun = progress.unfinished().map(str::to_owned).collect();
    let ten = devices.top.ten(devices, viewer, now_us).await;
    let ten = ten.iter().map(|film| film.id.to_string()).collect();
    let row = |kind: &str, of: String, titles| Planned { id: kind.to_owned(), kind: kind.to_owned(), of, titles };
    vec![row("continue", String::new(), begun), row("top", viewer.territory.to_string(), ten)]
}

async fn profile(devices: &Devices, viewer: &Viewer) -> Option<ProfileJson> {
    let (member, profile) = (viewer.member.as_ref()?, viewer.profile.as_ref()?);
    let request = AccountRequest { account: member.account.to_string() };
    let mut accounts = devices.services.accounts.clone();
    let answer = devices.optional.accounts.ask(accounts.list_profiles(request)).await?;
    let found = answer.profiles.into_iter().find(|known| known.id == profile.as_str())?;
    Some(ProfileJson {
        id: found.id,
        name: found.name,
        avatar: found.avatar,
        kids: found.kids,
        maturity_limit: found.maturity_limit,
        language: found.language,
        audio_language: found.audio_language,
        subtitle_language: found.subtitle_language,
        autoplay_next: found.autoplay_next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_genre_without_a_name_is_spelt_out() {
        assert_eq!(spelt("science-fiction"), "Science fiction");
        assert_eq!(spelt(""), "");
    }
}
