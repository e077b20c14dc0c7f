//! Services that the tests play, each of which can be alive, dead or hanging, over a generated catalogue.

#![allow(dead_code, reason = "each test uses a part of the house")]
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::{Extension, Router};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use matinee_contracts::accounts::accounts_client::AccountsClient;
use matinee_contracts::accounts::accounts_server::{Accounts, AccountsServer};
use matinee_contracts::accounts::{AccountRequest, ListProfilesReply, Profile};
use matinee_contracts::billing::billing_client::BillingClient;
use matinee_contracts::billing::billing_server::{Billing, BillingServer};
use matinee_contracts::billing::{EntitlementReply, EntitlementRequest};
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::catalog_server::{Catalog, CatalogServer};
use matinee_contracts::catalog::{
    Artwork, Genre, GetTitleRequest, GetTitlesRequest, LicenceWindow, ListGenresReply, ListGenresRequest,
    ListTitlesReply, ListTitlesRequest, Title, TitleKind,
};
use matinee_contracts::history::history_client::HistoryClient;
use matinee_contracts::history::history_server::{History, HistoryServer};
use matinee_contracts::history::{ListReply, ListRequest, Watched};
use matinee_contracts::playback::playback_client::PlaybackClient;
use matinee_contracts::playback::playback_server::{Playback, PlaybackServer};
use matinee_contracts::playback::{Session, StartRequest};
use matinee_contracts::ratings::ratings_client::RatingsClient;
use matinee_contracts::ratings::ratings_server::{Ratings, RatingsServer};
use matinee_contracts::ratings::{
    Listing, MyListReply, MyListRequest, Opinion, OpinionsReply, OpinionsRequest, RateRequest, Score, ScoresReply,
    ScoresRequest, SetListedRequest,
};
use matinee_contracts::recommend::recommend_client::RecommendClient;
use matinee_contracts::recommend::recommend_server::{Recommend, RecommendServer};
use matinee_contracts::recommend::{HomeReply, HomeRequest, Row, SimilarReply, SimilarRequest};
use matinee_contracts::search::search_client::SearchClient;
use matinee_contracts::search::search_server::{Search, SearchServer};
use matinee_contracts::search::{Hit, PersonHit, SearchReply, SearchRequest};
use matinee_devices::{Devices, Patience, Services};
use matinee_model::ids::{AccountId, DeviceId, ProfileId};
use matinee_model::territory::Territory;
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use matinee_service::viewer::{Member, Membership, Viewer};
use tonic::{Request as Asked, Response, Status};
use tower::ServiceExt;

pub const HOUR_US: u64 = 3_600_000_000;

/// What a service does.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    Dead,
    Hanging,
    Refusing(&'static str),
}

#[derive(Debug, Default)]
pub struct World {
    /// Services that are not alive.
    pub states: Mutex<HashMap<&'static str, State>>,
    pub titles: Mutex<HashMap<String, Title>>,
    pub rows: Mutex<Vec<Row>>,
    pub watched: Mutex<Vec<Watched>>,
    pub listed: Mutex<Vec<String>>,
    /// The last play that was asked for.
    pub asked: Mutex<Option<StartRequest>>,
}

#[derive(Debug, Clone, Default)]
pub struct Fake(pub Arc<World>);

impl Fake {
    async fn met(&self, service: &'static str) -> Result<(), Status> {
        let state = self.0.states.lock().unwrap().get(service).cloned();
        match state {
            None => Ok(()),
            Some(State::Dead) => Err(Status::unavailable("it is dead")),
            Some(State::Refusing(why)) => Err(Status::permission_denied(why)),
            Some(State::Hanging) => std::future::pending().await,
        }
    }

    pub fn put(&self, title: Title) {
        self.0.titles.lock().unwrap().insert(title.id.clone(), title);
    }
}

#[tonic::async_trait]
impl Catalog for Fake {
    async fn get_title(&self, asked: Asked<GetTitleRequest>) -> Result<Response<Title>, Status> {
        self.met("catalog").await?;
        let id = asked.into_inner().id;
        let title = self.0.titles.lock().unwrap().get(&id).cloned();
        title.map(Response::new).ok_or_else(|| Status::not_found(format!("title {id} does not exist")))
    }

    async fn get_titles(&self, asked: Asked<GetTitlesRequest>) -> Result<Response<ListTitlesReply>, Status> {
        self.met("catalog").await?;
        let ids = asked.into_inner().ids;
        if ids.iter().any(String::is_empty) {
            return Err(Status::invalid_argument("ids[0] is refused: title id \"\" is refused"));
        }
        let titles = self.0.titles.lock().unwrap();
        let titles = ids.iter().filter_map(|id| titles.get(id).cloned()).collect();
        Ok(Response::new(ListTitlesReply { titles }))
    }

    async fn list_titles(&self, asked: Asked<ListTitlesRequest>) -> Result<Response<ListTitlesReply>, Status> {
        self.met("catalog").await?;
        let asked = asked.into_inner();
        let titles = self.0.titles.lock().unwrap();
        let mut titles: Vec<_> = titles
            .values()
            .filter(|title| title.id > asked.after)
            .filter(|title| asked.series.is_empty() || title.series == asked.series)
            .filter(|title| !asked.published_only || !title.version.is_empty())
            .cloned()
            .collect();
        titles.sort_by(|a, b| a.id.cmp(&b.id));
        titles.truncate(500);
        Ok(Response::new(ListTitlesReply { titles }))
    }

    async fn list_genres(&self, _: Asked<ListGenresRequest>) -> Result<Response<ListGenresReply>, Status> {
        self.met("catalog").await?;
        let genre = Genre { id: "science-fiction".to_owned(), name: "Science fiction & fantasy".to_owned(), titles: 9 };
        Ok(Response::new(ListGenresReply { genres: vec![genre] }))
    }
}

#[tonic::async_trait]
impl Recommend for Fake {
    async fn home(&self, _: Asked<HomeRequest>) -> Result<Response<HomeReply>, Status> {
        self.met("recommend").await?;
        Ok(Response::new(HomeReply { rows: self.0.rows.lock().unwrap().clone(), model: String::new() }))
    }

    async fn similar(&self, asked: Asked<SimilarRequest>) -> Result<Response<SimilarReply>, Status> {
        self.met("recommend").await?;
        let not = asked.into_inner().title;
        let titles = self.0.titles.lock().unwrap();
        let mut titles: Vec<_> = titles.keys().filter(|id| **id != not).take(20).cloned().collect();
        titles.sort();
        Ok(Response::new(SimilarReply { titles }))
    }
}

#[tonic::async_trait]
impl Ratings for Fake {
    async fn scores(&self, asked: Asked<ScoresRequest>) -> Result<Response<ScoresReply>, Status> {
        self.met("ratings").await?;
        let titles = asked.into_inner().titles.into_iter();
        let scores = titles.map(|title| Score { title, up: 9, down: 1, love: 2, percent: 71.4 }).collect();
        Ok(Response::new(ScoresReply { scores }))
    }

    async fn opinions(&self, _: Asked<OpinionsRequest>) -> Result<Response<OpinionsReply>, Status> {
        self.met("ratings").await?;
        Ok(Response::new(OpinionsReply::default()))
    }

    async fn rate(&self, asked: Asked<RateRequest>) -> Result<Response<Opinion>, Status> {
        self.met("ratings").await?;
        let asked = asked.into_inner();
        Ok(Response::new(Opinion { title: asked.title, thumb: asked.thumb, ..Opinion::default() }))
    }

    async fn set_listed(&self, asked: Asked<SetListedRequest>) -> Result<Response<Opinion>, Status> {
        self.met("ratings").await?;
        let asked = asked.into_inner();
        let listed = asked.listing() == Listing::Listed;
        let mut list = self.0.listed.lock().unwrap();
        list.retain(|title| *title != asked.title);
        if listed {
            list.push(asked.title.clone());
        }
        Ok(Response::new(Opinion { title: asked.title, listed, ..Opinion::default() }))
    }

    async fn my_list(&self, _: Asked<MyListRequest>) -> Result<Response<MyListReply>, Status> {
        self.met("ratings").await?;
        let list = self.0.listed.lock().unwrap();
        let titles = list.iter().map(|title| Opinion { title: title.clone(), listed: true, ..Opinion::default() });
        Ok(Response::new(MyListReply { titles: titles.collect() }))
    }
}

#[tonic::async_trait]
impl History for Fake {
    async fn list(&self, _: Asked<ListRequest>) -> Result<Response<ListReply>, Status> {
        self.met("history").await?;
        Ok(Response::new(ListReply { titles: self.0.watched.lock().unwrap().clone() }))
    }
}

#[tonic::async_trait]
impl Search for Fake {
    async fn search(&self, asked: Asked<SearchRequest>) -> Result<Response<SearchReply>, Status> {
        self.met("search").await?;
        let asked = asked.into_inner();
        if asked.limit > 100 {
            return Err(Status::invalid_argument("limit is refused: at most 100"));
        }
        let titles = self.0.titles.lock().unwrap();
        let found = titles.values().filter(|title| title.name.to_lowercase().contains(&asked.query));
        let hits: Vec<_> = found
            .take(20)
            .map(|title| Hit { title: title.id.clone(), matched: "name".to_owned(), ..Hit::default() })
            .collect();
        Ok(Response::new(SearchReply {
            total: hits.len() as u32,
            hits,
            people: vec![PersonHit { person: "p1".to_owned(), name: "Fritz Lang".to_owned(), titles: 3 }],
            genres: vec!["science-fiction".to_owned()],
            corrected: "metropolis".to_owned(),
        }))
    }
}

#[tonic::async_trait]
impl Billing for Fake {
    async fn entitlement(&self, _: Asked<EntitlementRequest>) -> Result<Response<EntitlementReply>, Status> {
        let state = self.0.states.lock().unwrap().get("billing").cloned();
        if let Some(State::Refusing(reason)) = state {
            let reason = reason.to_owned();
            return Ok(Response::new(EntitlementReply { reason, ..EntitlementReply::default() }));
        }
        self.met("billing").await?;
        Ok(Response::new(EntitlementReply { entitled: true, ..EntitlementReply::default() }))
    }
}

#[tonic::async_trait]
impl Accounts for Fake {
    async fn list_profiles(&self, _: Asked<AccountRequest>) -> Result<Response<ListProfilesReply>, Status> {
        self.met("accounts").await?;
        let profile = Profile { id: "p1".to_owned(), name: "Ada".to_owned(), ..Profile::default() };
        Ok(Response::new(ListProfilesReply { profiles: vec![profile] }))
    }
}

#[tonic::async_trait]
impl Playback for Fake {
    async fn start(&self, asked: Asked<StartRequest>) -> Result<Response<Session>, Status> {
        self.met("playback").await?;
        let asked = asked.into_inner();
        *self.0.asked.lock().unwrap() = Some(asked.clone());
        let session = Session {
            id: "s1".to_owned(),
            title: asked.title,
            hls_url: "/stream/master.m3u8".to_owned(),
            duration_us: HOUR_US,
            resume_us: 61_500_000,
            heartbeat_seconds: 10,
            max_height: 1080,
            ..Session::default()
        };
        Ok(Response::new(session))
    }
}

#[derive(Debug)]
pub struct Noon;

impl Clock for Noon {
    fn now_us(&self) -> i64 {
        1_800_000_000_000_000
    }
}

/// The adapters over services that the test plays.
pub struct House {
    pub fake: Fake,
    pub devices: Devices,
    pub viewer: Viewer,
}

/// A member of an installation for members, in Germany.
pub fn member() -> Viewer {
    Viewer {
        member: Some(Member {
            account: AccountId::parse("a1").unwrap(),
            device: DeviceId::parse("d1").unwrap(),
            roles: Vec::new(),
        }),
        profile: ProfileId::parse("p1").ok(),
        ..Viewer::nobody(Territory::parse("DE").unwrap(), Membership::Members)
    }
}

impl House {
    pub fn new() -> Self {
        let fake = Fake::default();
        let services = Services {
            catalog: CatalogClient::new(Channel::local(CatalogServer::new(fake.clone()))),
            recommend: RecommendClient::new(Channel::local(RecommendServer::new(fake.clone()))),
            ratings: RatingsClient::new(Channel::local(RatingsServer::new(fake.clone()))),
            history: HistoryClient::new(Channel::local(HistoryServer::new(fake.clone()))),
            search: SearchClient::new(Channel::local(SearchServer::new(fake.clone()))),
            billing: BillingClient::new(Channel::local(BillingServer::new(fake.clone()))),
            accounts: AccountsClient::new(Channel::local(AccountsServer::new(fake.clone()))),
            playback: PlaybackClient::new(Channel::local(PlaybackServer::new(fake.clone()))),
        };
        let devices = Devices::new(services, Patience::default(), Arc::new(Noon));
        Self { fake, devices, viewer: member() }
    }

    /// One with films "film-0" … and a home of a top ten and a row "because".
    pub fn with_films(films: usize) -> Self {
        let house = Self::new();
        for number in 0..films {
            house.fake.put(film(number));
        }
        let ids = |range: std::ops::Range<usize>| range.map(|n| format!("film-{n}")).collect();
        *house.fake.0.rows.lock().unwrap() = vec![
            row("top", "top", "DE", ids(0..10.min(films))),
            row("because", "because/film-1", "film-1", ids(2..films.min(20))),
            row("genre", "genre/science-fiction", "science-fiction", ids(0..films.min(20))),
        ];
        house
    }

    pub fn state(&self, service: &'static str, state: State) {
        self.fake.0.states.lock().unwrap().insert(service, state);
    }

    pub fn routes(&self) -> Router {
        self.devices.router().split_for_parts().0.layer(Extension(self.viewer.clone()))
    }

    pub async fn ask(&self, method: Method, uri: &str, body: &str) -> (StatusCode, serde_json::Value) {
        let mut request = Request::builder().method(method).uri(uri);
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let answer = self.routes().oneshot(request).await.unwrap();
        let status = answer.status();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    pub async fn get(&self, uri: &str) -> (StatusCode, serde_json::Value) {
        self.ask(Method::GET, uri, "").await
    }
}

pub fn row(kind: &str, id: &str, of: &str, titles: Vec<String>) -> Row {
    Row { kind: kind.to_owned(), id: id.to_owned(), of: of.to_owned(), titles }
}

pub fn film(number: usize) -> Title {
    Title {
        id: format!("film-{number}"),
        name: format!("Film {number}"),
        description: "A film.".to_owned(),
        version: "v1".to_owned(),
        published_us: 1_000_000 * (1 + number as i64),
        duration_us: HOUR_US,
        year: 1990,
        kind: TitleKind::Movie.into(),
        genres: vec!["science-fiction".to_owned()],
        artworks: ["poster", "backdrop"].into_iter().map(|kind| picture(kind, number)).collect(),
        ..Title::default()
    }
}

pub fn episode(series: &str, season: u32, number: u32) -> Title {
    Title {
        id: format!("{series}-{season}-{number}"),
        name: format!("Episode {number}"),
        kind: TitleKind::Episode.into(),
        series: series.to_owned(),
        season,
        episode: number,
        ..film(0)
    }
}

pub fn only_in(territory: &str) -> Vec<LicenceWindow> {
    vec![LicenceWindow { territory: territory.to_owned(), from_us: 1, until_us: 0 }]
}

/// A picture whose hash is as little guessable as a real one.
pub fn picture(kind: &str, number: usize) -> Artwork {
    let hash = scattered(number as u64 * 2 + u64::from(kind == "poster"));
    Artwork {
        kind: kind.to_owned(),
        blake3: format!("{hash:016x}{hash:016x}"),
        colour: format!("#{:06x}", hash & 0xff_ffff),
        width: 3840,
        height: 2160,
        ..Artwork::default()
    }
}

/// Numbers without a pattern that a compressor would find. Source: splitmix64 (Steele et al., 2014).
pub fn scattered(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

pub const BOUND: Duration = Duration::from_secs(10);
