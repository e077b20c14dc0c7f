//! A title's own page: all that is said about it, whether this viewer may watch it, and what is like it.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use matinee_contracts::billing::EntitlementRequest;
use matinee_contracts::catalog::{Credit, Title};
use matinee_contracts::ratings::{Opinion, OpinionsRequest};
use matinee_contracts::recommend::SimilarRequest;
use matinee_service::http::Problem;
use matinee_service::viewer::{Membership, Viewer};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Devices;
use crate::answer::screen;
use crate::card::{ArtworkJson, Card, Deck, artwork};
use crate::device::{Device, Shape};
use crate::film::{Barred, Film, Kind};
use crate::history::Progress;
use crate::home::spelt;
use crate::opinions::ThumbJson;
use crate::play::{NextJson, following, next_json, seconds};
use crate::search::GenreJson;

/// Similar titles, at the most.
const SIMILAR: u32 = 20;
/// People who are named, at the most.
const PEOPLE: usize = 50;

/// Somebody who made the title.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Credit)]
pub struct CreditJson {
    id: String,
    name: String,
    /// "cast", "director", "writer", …
    job: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    character: String,
}

impl From<Credit> for CreditJson {
    fn from(credit: Credit) -> Self {
        Self { id: credit.person, name: credit.name, job: credit.job, character: credit.character }
    }
}

/// Why a title does not play for this viewer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NotPlayable)]
pub struct NotPlayableJson {
    /// As a refused play has it: "not_licensed_here".
    code: String,
    /// For people.
    message: String,
}

/// An episode of a season.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Episode)]
pub struct EpisodeJson {
    #[serde(flatten)]
    card: Card,
    episode: u32,
    /// What happens in it.
    #[serde(rename = "description")]
    about: String,
}

/// A season.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Season)]
pub struct SeasonJson {
    /// From 1; 0 for specials.
    season: u32,
    episodes: Vec<EpisodeJson>,
}

/// What an episode is of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SeriesOfEpisode)]
pub struct SeriesJson {
    id: String,
    name: String,
}

/// A title's own page.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TitlePage)]
#[serde(rename_all = "camelCase")]
pub struct PageJson {
    id: String,
    kind: Kind,
    name: String,
    original_name: String,
    description: String,
    year: u32,
    genres: Vec<GenreJson>,
    people: Vec<CreditJson>,
    maturity_age: u32,
    /// How that is said where the viewer is: "FSK 12".
    #[serde(skip_serializing_if = "Option::is_none")]
    rating_label: Option<String>,
    audio_languages: Vec<String>,
    subtitle_languages: Vec<String>,
    duration_seconds: f64,
    artwork: ArtworkJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u8>,
    /// What the profile said of it; absent where nobody watches, or ratings do not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    thumb: Option<ThumbJson>,
    /// Whether it is on the profile's list; absent alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    listed: Option<bool>,
    playable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_playable: Option<NotPlayableJson>,
    /// How much of it the profile watched, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume_seconds: Option<f64>,
    credits: String,
    license: String,
    similar: Vec<Card>,
    /// Of a series.
    #[serde(skip_serializing_if = "Option::is_none")]
    seasons: Option<Vec<SeasonJson>>,
    /// Of an episode.
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<SeriesJson>,
    /// Of an episode.
    #[serde(skip_serializing_if = "Option::is_none")]
    season: Option<u32>,
    /// Of an episode.
    #[serde(skip_serializing_if = "Option::is_none")]
    episode: Option<u32>,
    /// The episode that follows an episode; of a series, the one to go on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<NextJson>,
    /// Seconds; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    intro_start: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    intro_end: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credits_start: Option<f64>,
}

/// All that is said about a title, and whether this viewer may watch it.
#[utoipa::path(get, path = "/api/{device}/titles/{id}", tag = "viewing",
    params(("device" = Device, Path)), responses((status = 200, body = PageJson)))]
pub async fn title(
    State(devices): State<Devices>,
    Path((device, id)): Path<(String, String)>,
    viewer: Viewer,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let shape = Device::parse(&device)?.shape();
    let (title, progress, said, similar, entitled) = tokio::join!(
        devices.shelf.page_of(&id),
        Progress::of(&devices, &viewer),
        opinion(&devices, &viewer, &id),
        similar(&devices, &viewer, &id),
        entitled(&devices, &viewer),
    );
    let ((title, film), now_us) = (title?, devices.clock.now_us());
    if !film.published && film.kind != Kind::Series {
        return Err(Problem::not_found(format!("title {id} is not published")));
    }
    let barred = film.barred(&viewer, now_us);
    if barred == Some(Barred::Maturity) {
        return Err(Problem::forbidden(format!("title {id} is not for this profile")).with_code("maturity"));
    }
    let series = if film.kind == Kind::Series { &film.id } else { &film.series };
    let episodes = async { if series.is_empty() { None } else { devices.shelf.episodes(series).await } };
    let named =
        similar.iter().map(String::as_str).chain([&*film.series].into_iter().filter(|id| !id.is_empty())).collect();
    let (episodes, mut films, genres) = tokio::join!(episodes, devices.shelf.films(named), devices.shelf.genres(),);
    let episodes = episodes.unwrap_or_default();
    let parent = films.remove(&film.series);
    let mut rated: Vec<Arc<str>> = films.keys().cloned().collect();
    rated.push(Arc::clone(&film.id));
    let scores = devices.scores.of(&devices, &rated).await;
    let deck = Deck { viewer: &viewer, shape, progress: &progress, scores: &scores };
    let alike = similar.iter().filter_map(|id| films.get(id.as_str())).filter(|film| film.shown(&viewer, now_us));
    let similar: Vec<_> = alike.map(|film| deck.card(film)).collect();
    let next = match film.kind {
        Kind::Movie => None,
        Kind::Episode => following(&episodes, &film.id, &viewer, now_us),
        Kind::Series => going_on(&episodes, &viewer, &progress, now_us),
    };
    let has_episode = episodes.iter().any(|episode| episode.shown(&viewer, now_us));
    let not_playable = refused(&film, barred, entitled, has_episode);
    let page = Page { film: &film, viewer: &viewer, shape, genres: &genres };
    let page = PageJson {
        score: scores.get(&film.id).copied(),
        thumb: said.as_ref().map(|opinion| opinion.thumb().into()),
        listed: said.map(|opinion| opinion.listed),
        playable: not_playable.is_none(),
        not_playable,
        similar,
        seasons: (film.kind == Kind::Series).then(|| seasons(&episodes, &deck, now_us)),
        series: parent.map(|of| SeriesJson { id: of.id.to_string(), name: of.name(&viewer.languages).to_string() }),
        next: next.map(|film| next_json(&film, &viewer, shape)),
        ..page.words(&title, &progress)
    };
    Ok(screen(&headers, &page))
}

/// What a page is of.
struct Page<'a> {
    film: &'a Film,
    viewer: &'a Viewer,
    shape: Shape,
    genres: &'a HashMap<String, String>,
}

impl Page<'_> {
    /// What the catalogue says of the title, for this viewer; the rest is left empty.
    fn words(&self, title: &Title, progress: &Progress) -> PageJson {
        let (film, languages) = (self.film, &self.viewer.languages);
        let watched = progress.in_title(&film.id);
        let genre =
            |id: &String| GenreJson { id: id.clone(), name: self.genres.get(id).cloned().unwrap_or_else(|| spelt(id)) };
        let opening = title.intro_end_us > title.intro_start_us;
        let episode = film.kind == Kind::Episode;
        PageJson {
            id: film.id.to_string(),
            kind: film.kind,
            name: film.name(languages).to_string(),
            original_name: title.original_name.clone(),
            description: film.description(languages).to_string(),
            year: film.year,
            genres: title.genres.iter().map(genre).collect(),
            people: title.people.iter().take(PEOPLE).cloned().map(CreditJson::from).collect(),
            maturity_age: film.age(self.viewer.territory),
            rating_label: film.rating_label(self.viewer.territory).map(str::to_owned),
            audio_languages: title.audio_languages.clone(),
            subtitle_languages: title.subtitle_languages.clone(),
            duration_seconds: seconds(film.duration_us),
            artwork: artwork(film, self.shape.poster, Some(self.shape.stage), languages),
            score: None,
            thumb: None,
            listed: None,
            playable: false,
            not_playable: None,
            progress: watched.and_then(crate::history::share),
            resume_seconds: watched.filter(|w| w.resume_us > 0).map(|w| seconds(w.resume_us)),
            credits: title.credits.clone(),
            license: title.license.clone(),
            similar: Vec::new(),
            seasons: None,
            series: None,
            season: episode.then_some(film.season),
            episode: episode.then_some(film.episode),
            next: None,
            intro_start: opening.then(|| seconds(title.intro_start_us)),
            intro_end: opening.then(|| seconds(title.intro_end_us)),
            credits_start: (title.credits_start_us > 0).then(|| seconds(title.credits_start_us)),
        }
    }
}

/// What the profile said of a title, where ratings answer.
async fn opinion(devices: &Devices, viewer: &Viewer, id: &str) -> Option<Opinion> {
    let profile = viewer.profile.as_ref()?.to_string();
    let mut ratings = devices.services.ratings.clone();
    let request = OpinionsRequest { profile, titles: vec![id.to_owned()] };
    let said = devices.optional.ratings.ask(ratings.opinions(request)).await?.opinions;
    let nothing = || Opinion { title: id.to_owned(), ..Opinion::default() };
    Some(said.into_iter().find(|opinion| opinion.title == id).unwrap_or_else(nothing))
}

async fn similar(devices: &Devices, viewer: &Viewer, id: &str) -> Vec<String> {
    let request = SimilarRequest { viewer: Some(viewer.words()), title: id.to_owned(), limit: SIMILAR };
    let mut recommend = devices.services.recommend.clone();
    devices.optional.recommend.ask(recommend.similar(request)).await.unwrap_or_default().titles
}

/// Why this viewer may not play anything, as far as billing answers: the play itself asks again.
async fn entitled(devices: &Devices, viewer: &Viewer) -> Result<(), String> {
    if viewer.membership == Membership::Open {
        return Ok(());
    }
    let Some(member) = &viewer.member else { return Err("sign_in".to_owned()) };
    let request = EntitlementRequest { account: member.account.to_string() };
    let mut billing = devices.services.billing.clone();
    match devices.optional.billing.ask(billing.entitlement(request)).await {
        Some(answer) if !answer.entitled => Err(answer.reason),
        _ => Ok(()),
    }
}

/// Why the page has no button to play, if so: what holds for everybody comes before what money can change.
fn refused(
    film: &Film,
    barred: Option<Barred>,
    entitled: Result<(), String>,
    has_episode: bool,
) -> Option<NotPlayableJson> {
    let because =
        |code: &str, message: &str| Some(NotPlayableJson { code: code.to_owned(), message: message.to_owned() });
    match barred {
        Some(Barred::NotHere) => return because("not_licensed_here", "There is no licence for where you are."),
        Some(Barred::NotNow) => return because("not_licensed_now", "There is no licence for it at the moment."),
        Some(Barred::Maturity) => return because("maturity", "It is not for this profile."),
        None => {}
    }
    if film.kind == Kind::Series && !has_episode {
        return because("not_published", "None of its episodes plays here yet.");
    }
    match entitled {
        Ok(()) => None,
        Err(code) => {
            let message = match code.as_str() {
                "sign_in" => "Sign in to watch it.",
                "lapsed" => "Your subscription has ended.",
                "past_due" => "Your last payment did not go through.",
                _ => "A subscription is needed to watch it.",
            };
            because(&code, message)
        }
    }
}

/// The episode of a series to go on with: the one that was left last, the next after one that was finished, or the first.
fn going_on(episodes: &[Arc<Film>], viewer: &Viewer, progress: &Progress, now_us: i64) -> Option<Arc<Film>> {
    let of_series = |title: &&String| episodes.iter().any(|episode| *episode.id == ***title);
    let Some(last) = progress.latest.iter().find(of_series) else {
        return episodes.iter().find(|episode| episode.shown(viewer, now_us)).cloned();
    };
    let finished = progress.in_title(last).is_some_and(|watched| watched.finished);
    if finished {
        return following(episodes, last, viewer, now_us);
    }
    episodes.iter().find(|episode| *episode.id == **last && episode.shown(viewer, now_us)).cloned()
}

fn seasons(episodes: &[Arc<Film>], deck: &Deck<'_>, now_us: i64) -> Vec<SeasonJson> {
    let mut seasons: Vec<SeasonJson> = Vec::new();
    for film in episodes.iter().filter(|film| film.shown(deck.viewer, now_us)) {
        let card = Card { description: None, ..deck.card(film) };
        let about = film.description(&deck.viewer.languages).to_string();
        let episode = EpisodeJson { card, episode: film.episode, about };
        match seasons.last_mut() {
            Some(season) if season.season == film.season => season.episodes.push(episode),
            _ => seasons.push(SeasonJson { season: film.season, episodes: vec![episode] }),
        }
    }
    seasons
}
