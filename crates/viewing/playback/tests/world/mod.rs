//! Playback between services that the test plays.

#![allow(clippy::unwrap_used, dead_code, missing_docs, reason = "a test may panic, and not each uses all of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use matinee_contracts::billing::billing_client::BillingClient;
use matinee_contracts::billing::billing_server::{Billing, BillingServer};
use matinee_contracts::billing::{EntitlementReply, EntitlementRequest};
use matinee_contracts::catalog as titles;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::catalog_server::{Catalog, CatalogServer};
use matinee_contracts::history::history_client::HistoryClient;
use matinee_contracts::history::history_server::{History, HistoryServer};
use matinee_contracts::history::{ResumeRequest, Watched};
use matinee_contracts::license as keys;
use matinee_contracts::license::license_client::LicenseClient;
use matinee_contracts::license::license_server::{License, LicenseServer};
use matinee_contracts::playback::playback_client::PlaybackClient;
use matinee_contracts::playback::{Session, StartRequest};
use matinee_contracts::viewer::Viewer;
use matinee_playback::{Neighbours, PlaybackConfig, PlaybackService};
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use matinee_service::secrets::{KeyRing, SecretKey};
use matinee_service::signing::Signer;
use matinee_service::tokens::TokenKeys;
use tonic::{Request, Response, Status};

pub const NOW: u64 = 1_800_000_000;

#[derive(Debug)]
pub struct HandClock(pub AtomicI64);

impl Clock for HandClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Knows "kite" (published as v1), "draft" (not published) and "broken" (which it can't read).
struct Shelf;

#[tonic::async_trait]
impl Catalog for Shelf {
    async fn get_title(&self, request: Request<titles::GetTitleRequest>) -> Result<Response<titles::Title>, Status> {
        let id = request.into_inner().id;
        let version = match id.as_str() {
            "kite" | "boat" | "german" | "adult" => "v1",
            "draft" => "",
            "broken" => return Err(Status::unavailable("the catalogue's store failed")),
            "slow" => std::future::pending().await,
            _ => return Err(Status::not_found("none")),
        };
        let window = || titles::LicenceWindow { territory: "DE".to_owned(), from_us: 0, until_us: 0 };
        let windows = if id == "german" { vec![window()] } else { Vec::new() };
        let (version, maturity_age) = (version.to_owned(), if id == "adult" { 18 } else { 0 });
        let duration_us = 5_000_000;
        let title = titles::Title { id, version, duration_us, windows, maturity_age, ..titles::Title::default() };
        Ok(Response::new(title))
    }
}

/// Gives each label's key the id 0000…, 0101…, …, and counts how often it is asked. Knows nothing of "boat".
#[derive(Default)]
struct Safe {
    asked: Arc<AtomicUsize>,
}

#[tonic::async_trait]
impl License for Safe {
    async fn ensure_keys(
        &self,
        request: Request<keys::EnsureKeysRequest>,
    ) -> Result<Response<keys::ContentKeys>, Status> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let keys::EnsureKeysRequest { title, labels } = request.into_inner();
        if title == "boat" {
            return Err(Status::unavailable("the licence store failed"));
        }
        let key = |(index, label): (usize, String)| {
            let kid = vec![index as u8; 16];
            keys::ContentKey { label, kid, key: vec![0xee; 16], iv: vec![0xee; 16], title: title.clone() }
        };
        Ok(Response::new(keys::ContentKeys { keys: labels.into_iter().enumerate().map(key).collect() }))
    }
}

/// Knows accounts by what their name says; each may be told that it is gone.
#[derive(Clone, Default)]
pub struct Till {
    pub gone: Arc<AtomicBool>,
}

#[tonic::async_trait]
impl Billing for Till {
    async fn entitlement(&self, request: Request<EntitlementRequest>) -> Result<Response<EntitlementReply>, Status> {
        if self.gone.load(Ordering::SeqCst) {
            return Err(Status::unavailable("billing is gone"));
        }
        let account = request.into_inner().account;
        let says = |reason: &str| EntitlementReply { reason: reason.to_owned(), ..EntitlementReply::default() };
        let gives = |max_height, streams| EntitlementReply {
            entitled: true,
            max_height,
            streams,
            ..EntitlementReply::default()
        };
        Ok(Response::new(match account.as_str() {
            "basic" => gives(480, 1),
            "standard" => gives(1080, 2),
            "premium" => gives(2160, 4),
            "lapsed" | "past_due" => says(&account),
            _ => says("no_subscription"),
        }))
    }
}

/// Remembers that everybody stopped after three seconds, or never answers.
#[derive(Clone, Default)]
pub struct Diary {
    pub hangs: Arc<AtomicBool>,
}

#[tonic::async_trait]
impl History for Diary {
    async fn resume(&self, request: Request<ResumeRequest>) -> Result<Response<Watched>, Status> {
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let title = request.into_inner().title;
        Ok(Response::new(Watched { title, resume_us: 3_000_000, ..Watched::default() }))
    }
}

pub struct World {
    pub client: PlaybackClient<Channel>,
    pub service: PlaybackService,
    pub asked: Arc<AtomicUsize>,
    pub clock: Arc<HandClock>,
    pub billing: Till,
    pub history: Diary,
}

/// Who signed in to `account`, in Germany, on `device`.
pub fn viewer(account: &str, device: &str) -> Viewer {
    Viewer {
        account: account.to_owned(),
        profile: "me".to_owned(),
        device: device.to_owned(),
        territory: "DE".to_owned(),
        ..Viewer::default()
    }
}

pub fn signer() -> Signer {
    Signer::new(&KeyRing::of(SecretKey::new([1; 32])))
}

pub fn tokens() -> TokenKeys {
    TokenKeys::new(&KeyRing::of(SecretKey::new([2; 32])))
}

pub fn world(config: PlaybackConfig) -> World {
    let safe = Safe::default();
    let asked = Arc::clone(&safe.asked);
    let clock = Arc::new(HandClock(AtomicI64::new(NOW as i64 * 1_000_000)));
    let catalog = CatalogClient::new(Channel::local(CatalogServer::new(Shelf)));
    let license = LicenseClient::new(Channel::local(LicenseServer::new(safe)));
    let (billing, history) = (Till::default(), Diary::default());
    let neighbours = Neighbours {
        catalog,
        license,
        billing: BillingClient::new(Channel::local(BillingServer::new(billing.clone()))),
        history: HistoryClient::new(Channel::local(HistoryServer::new(history.clone()))),
    };
    let service = PlaybackService::new(neighbours, signer(), tokens(), config, clock.clone()).unwrap();
    let client = PlaybackClient::new(Channel::local(service.server()));
    World { client, service, asked, clock, billing, history }
}

impl World {
    /// Of an installation where everybody may watch.
    pub async fn start(&self, title: &str, profile: &str, protection: &str) -> Result<Session, Status> {
        let (title, profile, protection) = (title.to_owned(), profile.to_owned(), protection.to_owned());
        self.ask(StartRequest { title, profile, protection, open: true, ..StartRequest::default() }).await
    }

    /// Of one where accounts and their subscriptions count.
    pub async fn watch(&self, viewer: Viewer, title: &str) -> Result<Session, Status> {
        self.ask(StartRequest { title: title.to_owned(), viewer: Some(viewer), ..StartRequest::default() }).await
    }

    pub async fn ask(&self, request: StartRequest) -> Result<Session, Status> {
        Ok(self.client.clone().start(request).await?.into_inner())
    }
}
