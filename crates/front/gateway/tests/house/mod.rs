//! A door before services that the tests play: each answers what a living one would, and tells what it was asked.

#![allow(dead_code, reason = "each test uses a part of the house")]
#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod services;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use matinee_contracts::accounts::accounts_client::AccountsClient;
use matinee_contracts::accounts::accounts_server::AccountsServer;
use matinee_contracts::billing::billing_client::BillingClient;
use matinee_contracts::billing::billing_server::BillingServer;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::catalog_server::CatalogServer;
use matinee_contracts::history::history_client::HistoryClient;
use matinee_contracts::history::history_server::HistoryServer;
use matinee_contracts::ingest::ingest_client::IngestClient;
use matinee_contracts::ingest::ingest_server::IngestServer;
use matinee_contracts::playback::playback_client::PlaybackClient;
use matinee_contracts::playback::playback_server::PlaybackServer;
use matinee_contracts::ratings::ratings_client::RatingsClient;
use matinee_contracts::ratings::ratings_server::RatingsServer;
use matinee_contracts::recommend::recommend_client::RecommendClient;
use matinee_contracts::recommend::recommend_server::RecommendServer;
use matinee_contracts::search::search_client::SearchClient;
use matinee_contracts::search::search_server::SearchServer;
use matinee_contracts::telemetry::telemetry_client::TelemetryClient;
use matinee_contracts::telemetry::telemetry_server::TelemetryServer;
use matinee_contracts::traces::traces_client::TracesClient;
use matinee_contracts::traces::traces_server::TracesServer;
use matinee_contracts::workflow::workflow_client::WorkflowClient;
use matinee_contracts::workflow::workflow_server::WorkflowServer;
use matinee_engines::objects::folder::FolderStore;
use matinee_gateway::Gateway;
use matinee_gateway::door::{DoorSettings, Keeper, Quotas, Rooms};
use matinee_model::ids::{AccountId, DeviceId, ProfileId};
use matinee_model::territory::Territory;
use matinee_service::access::{AccessClaims, AccessKeys};
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use matinee_service::metrics::Metrics;
use matinee_service::resilience::Resilience;
use matinee_service::secrets::{KeyRing, SecretKey};
use matinee_service::viewer::Membership;
use tokio::sync::Notify;
use tonic::Status;
use tower::ServiceExt;

pub const NOW: u64 = 1_800_000_000;

#[derive(Debug)]
pub struct Noon;

impl Clock for Noon {
    fn now_us(&self) -> i64 {
        NOW as i64 * 1_000_000
    }
}

#[derive(Debug, Default)]
pub struct World {
    /// What was asked, as it came.
    pub asked: Mutex<Vec<String>>,
    /// Calls that do not succeed, by their names.
    pub refused: Mutex<HashMap<&'static str, Status>>,
    /// Calls that hang until they are released.
    pub hanging: Mutex<Vec<&'static str>>,
    pub waiting: AtomicUsize,
    pub changed: Notify,
}

#[derive(Debug, Clone, Default)]
pub struct Fake(pub Arc<World>);

impl Fake {
    /// What happens to every call.
    pub async fn met(&self, call: &'static str, asked: &(dyn std::fmt::Debug + Sync)) -> Result<(), Status> {
        self.0.asked.lock().unwrap().push(format!("{call} {asked:?}"));
        if self.0.hanging.lock().unwrap().contains(&call) {
            self.0.waiting.fetch_add(1, Ordering::SeqCst);
            self.0.changed.notify_waiters();
            std::future::pending::<()>().await;
        }
        match self.0.refused.lock().unwrap().get(call) {
            Some(status) => Err(status.clone()),
            None => Ok(()),
        }
    }
}

pub struct House {
    pub fake: Fake,
    pub door: Router,
    objects: Arc<FolderStore>,
    _folder: tempfile::TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn cookies(&self) -> Vec<String> {
        let cookies = self.headers.get_all(header::SET_COOKIE).iter();
        cookies.map(|cookie| cookie.to_str().unwrap().to_owned()).collect()
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies().into_iter().find(|cookie| cookie.starts_with(&format!("{name}=")))
    }

    pub fn retry_after(&self) -> u64 {
        self.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap()
    }
}

/// Settings of an installation for members in Germany, without limits.
pub fn settings() -> DoorSettings {
    let open = DoorSettings::open(Territory::parse("DE").unwrap());
    let quotas = Quotas { address: None, account: None, attempts: None, sign_ins: None };
    DoorSettings { membership: Membership::Members, quotas, ..open }
}

pub fn keys() -> AccessKeys {
    AccessKeys::new(&KeyRing::of(SecretKey::new([1; 32])))
}

pub fn claims() -> AccessClaims {
    AccessClaims {
        account: AccountId::parse("a1").unwrap(),
        device: DeviceId::parse("d1").unwrap(),
        profile: ProfileId::parse("p1").ok(),
        maturity_limit: 0,
        languages: vec!["de".to_owned()],
        roles: Vec::new(),
        territory: "AT".to_owned(),
        iat: NOW - 60,
        exp: NOW + 600,
    }
}

pub fn token() -> String {
    keys().issue(&claims()).unwrap()
}

pub fn token_with_role(role: &str) -> String {
    keys().issue(&AccessClaims { roles: vec![role.to_owned()], ..claims() }).unwrap()
}

impl House {
    pub fn new(settings: &DoorSettings) -> Self {
        Self::with_rooms(settings, Rooms::default())
    }

    pub fn with_rooms(settings: &DoorSettings, rooms: Rooms) -> Self {
        let (fake, folder) = (Fake::default(), tempfile::tempdir().unwrap());
        let objects = Arc::new(FolderStore::open(folder.path()).unwrap());
        let gateway = Gateway {
            accounts: AccountsClient::new(Channel::local(AccountsServer::new(fake.clone()))),
            billing: BillingClient::new(Channel::local(BillingServer::new(fake.clone()))),
            catalog: CatalogClient::new(Channel::local(CatalogServer::new(fake.clone()))),
            playback: PlaybackClient::new(Channel::local(PlaybackServer::new(fake.clone()))),
            workflow: WorkflowClient::new(Channel::local(WorkflowServer::new(fake.clone()))),
            ingest: IngestClient::new(Channel::local(IngestServer::new(fake.clone()))),
            history: HistoryClient::new(Channel::local(HistoryServer::new(fake.clone()))),
            ratings: RatingsClient::new(Channel::local(RatingsServer::new(fake.clone()))),
            recommend: RecommendClient::new(Channel::local(RecommendServer::new(fake.clone()))),
            search: SearchClient::new(Channel::local(SearchServer::new(fake.clone()))),
            telemetry: TelemetryClient::new(Channel::local(TelemetryServer::new(fake.clone()))),
            traces: TracesClient::new(Channel::local(TracesServer::new(fake.clone()))),
            objects: objects.clone(),
        };
        let resilience = Resilience::new(&Metrics::new());
        let keeper = Keeper { keys: keys(), clock: Arc::new(Noon), resilience };
        Self { fake, door: gateway.door(settings, keeper, rooms), objects, _folder: folder }
    }

    pub fn objects(&self) -> Arc<FolderStore> {
        Arc::clone(&self.objects)
    }

    pub fn refuse(&self, call: &'static str, status: Status) {
        self.fake.0.refused.lock().unwrap().insert(call, status);
    }

    pub fn asked(&self) -> Vec<String> {
        self.fake.0.asked.lock().unwrap().clone()
    }

    /// What a call was asked, the last time.
    pub fn asked_of(&self, call: &str) -> String {
        let asked = self.asked();
        let found = asked.iter().rev().find(|asked| asked.starts_with(&format!("{call} ")));
        found.unwrap_or_else(|| panic!("{call} was not called: {asked:?}")).clone()
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let answer: Response<Body> = self.door.clone().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.into_body().collect().await.unwrap().to_bytes().to_vec();
        Answer { status, headers, body }
    }

    pub async fn ask(&self, method: Method, uri: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send(request(method, uri, headers, body)).await
    }

    /// As a member, by the bearer's header.
    pub async fn member(&self, method: Method, uri: &str, body: &str) -> Answer {
        self.ask(method, uri, &[("authorization", &format!("Bearer {}", token()))], body).await
    }
}

pub fn request(method: Method, uri: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri).header("host", "films.example");
    if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::from(body.to_owned())).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 5000))));
    request
}
