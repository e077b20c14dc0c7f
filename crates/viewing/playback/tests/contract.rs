//! Playback, through its contract, between a catalogue and a licence service that the test plays.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use matinee_contracts::catalog as titles;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::catalog_server::{Catalog, CatalogServer};
use matinee_contracts::license as keys;
use matinee_contracts::license::license_client::LicenseClient;
use matinee_contracts::license::license_server::{License, LicenseServer};
use matinee_contracts::playback::playback_client::PlaybackClient;
use matinee_contracts::playback::{Session, StartRequest};
use matinee_playback::{PlaybackConfig, PlaybackService};
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use matinee_service::secrets::{KeyRing, SecretKey};
use matinee_service::signing::{SignatureError, Signer};
use matinee_service::tokens::TokenKeys;
use tonic::{Code, Request, Response, Status};

const NOW: u64 = 1_800_000_000;

#[derive(Debug)]
struct HandClock(AtomicI64);

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
            "kite" | "boat" => "v1",
            "draft" => "",
            "broken" => return Err(Status::unavailable("the catalogue's store failed")),
            "slow" => std::future::pending().await,
            _ => return Err(Status::not_found("none")),
        };
        let duration_us = 5_000_000;
        Ok(Response::new(titles::Title { id, version: version.to_owned(), duration_us, ..titles::Title::default() }))
    }

    async fn put_title(&self, _: Request<titles::PutTitleRequest>) -> Result<Response<titles::Title>, Status> {
        Err(Status::permission_denied("playback changes nothing"))
    }

    async fn list_titles(
        &self,
        _: Request<titles::ListTitlesRequest>,
    ) -> Result<Response<titles::ListTitlesReply>, Status> {
        Err(Status::permission_denied("playback lists nothing"))
    }

    async fn publish(&self, _: Request<titles::PublishRequest>) -> Result<Response<titles::Title>, Status> {
        Err(Status::permission_denied("playback changes nothing"))
    }

    async fn unpublish(&self, _: Request<titles::UnpublishRequest>) -> Result<Response<titles::Title>, Status> {
        Err(Status::permission_denied("playback changes nothing"))
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

    async fn get_keys(&self, _: Request<keys::GetKeysRequest>) -> Result<Response<keys::ContentKeys>, Status> {
        Err(Status::permission_denied("playback reads no keys"))
    }

    async fn clear_key(&self, _: Request<keys::ClearKeyRequest>) -> Result<Response<keys::ClearKeyReply>, Status> {
        Err(Status::permission_denied("playback asks for no licence"))
    }
}

struct World {
    client: PlaybackClient<Channel>,
    asked: Arc<AtomicUsize>,
}

fn signer() -> Signer {
    Signer::new(&KeyRing::of(SecretKey::new([1; 32])))
}

fn tokens() -> TokenKeys {
    TokenKeys::new(&KeyRing::of(SecretKey::new([2; 32])))
}

fn world(config: PlaybackConfig) -> World {
    let safe = Safe::default();
    let asked = Arc::clone(&safe.asked);
    let clock = Arc::new(HandClock(AtomicI64::new(NOW as i64 * 1_000_000)));
    let catalog = CatalogClient::new(Channel::local(CatalogServer::new(Shelf)));
    let license = LicenseClient::new(Channel::local(LicenseServer::new(safe)));
    let service = PlaybackService::new(catalog, license, signer(), tokens(), config, clock).unwrap();
    World { client: PlaybackClient::new(Channel::local(service.server())), asked }
}

impl World {
    async fn start(&self, title: &str, profile: &str, protection: &str) -> Result<Session, Status> {
        let (title, profile, protection) = (title.to_owned(), profile.to_owned(), protection.to_owned());
        Ok(self.client.clone().start(StartRequest { title, profile, protection }).await?.into_inner())
    }
}

#[tokio::test]
async fn a_session_has_all_that_a_player_needs() {
    let world = world(PlaybackConfig::default());
    let session = world.start("kite", "", "").await.unwrap();
    assert_eq!((session.version.as_str(), session.protection.as_str(), session.duration_us), ("v1", "cbcs", 5_000_000));
    assert_eq!(session.expires_us as u64, (NOW + 6 * 3600) * 1_000_000);
    assert_eq!(session.license_url, "/license/clearkey");
    assert_eq!(session.kids, ["00".repeat(16), "01".repeat(16), "02".repeat(16), "03".repeat(16)]);

    let parts: Vec<&str> = session.hls_url.split('/').collect();
    assert_eq!((parts[1], &parts[3..]), ("v", &["v1", "cbcs", "web", "master.m3u8"][..]));
    let signature = parts[2];
    for (url, file) in [(&session.dash_url, "live.mpd"), (&session.thumbnails_url, "thumbs.vtt")] {
        assert_eq!(url, &format!("/v/{signature}/v1/cbcs/web/{file}"));
    }
    assert_eq!(session.hls_ts_url, "", "what is clear is not given to who asked for an encrypted stream");
    assert_eq!(signer().verify(signature, "v1/cbcs", NOW + 6 * 3600 - 1), Ok(()));
    assert_eq!(signer().verify(signature, "v1/cbcs", NOW + 6 * 3600), Err(SignatureError::Expired(0)));
    assert_eq!(signer().verify(signature, "v2/cbcs", NOW), Err(SignatureError::Forged));
    assert_eq!(signer().verify(signature, "v1/clear", NOW), Err(SignatureError::Forged));

    let claims = tokens().verify(&session.token, NOW).unwrap();
    assert_eq!((claims.sid, claims.title.as_str(), claims.version.as_str()), (session.id, "kite", "v1"));
    assert_eq!((claims.kids, claims.iat, claims.exp), (session.kids, NOW, NOW + 6 * 3600));
    let other = world.start("kite", "", "").await.unwrap();
    assert_ne!(other.token, session.token, "each session has a token of its own");
}

#[tokio::test]
async fn the_edge_the_licence_and_the_expiry_are_the_operators() {
    let world = world(PlaybackConfig {
        edge_url: "https://edge.example.org/".to_owned(),
        license_url: "https://keys.example.org/clearkey".to_owned(),
        valid: Duration::from_secs(60),
        ..PlaybackConfig::default()
    });
    let session = world.start("kite", "tv-4k", "cenc").await.unwrap();
    assert!(session.hls_url.starts_with("https://edge.example.org/v/"), "{}", session.hls_url);
    assert!(session.hls_url.ends_with("/v1/cenc/tv-4k/master.m3u8"), "{}", session.hls_url);
    assert_eq!(session.license_url, "https://keys.example.org/clearkey");
    assert_eq!(tokens().verify(&session.token, NOW).unwrap().exp, NOW + 60);
}

#[tokio::test]
async fn a_clear_stream_comes_without_a_licence() {
    let world = world(PlaybackConfig::default());
    let session = world.start("kite", "", "clear").await.unwrap();
    assert!(session.hls_url.contains("/clear/web/"));
    assert!(session.hls_ts_url.ends_with("/v1/clear/legacy-hls/ts/master.m3u8"));
    assert_eq!((session.token.as_str(), session.license_url.as_str(), session.kids.len()), ("", "", 0));
    assert_eq!(world.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_does_not_play_is_told_apart() {
    let world = world(PlaybackConfig::default());
    for (title, code, says) in [
        ("draft", Code::FailedPrecondition, "title draft is not published yet"),
        ("none", Code::NotFound, "title none does not exist"),
        ("../x", Code::InvalidArgument, "title is refused"),
        ("broken", Code::Unavailable, "the catalogue can't be asked about title broken: the catalogue's store failed"),
        ("boat", Code::Unavailable, "the licence service can't be asked about title boat: the licence store failed"),
    ] {
        let refused = world.start(title, "", "").await.unwrap_err();
        assert_eq!(refused.code(), code, "{title}");
        assert!(refused.message().contains(says), "{}", refused.message());
    }
    for (profile, protection, says) in [
        ("toaster", "", "profile is refused: \"toaster\" is not one of web, "),
        ("web", "rot13", "protection is refused: \"rot13\" is not one that profile web opens: cbcs, cenc, clear"),
        ("legacy-hls", "cbcs", "protection is refused"),
    ] {
        let refused = world.start("kite", profile, protection).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{profile} {protection}");
        assert!(refused.message().contains(says), "{}", refused.message());
    }
}

#[tokio::test(start_paused = true)]
async fn a_catalogue_that_hangs_is_not_waited_for() {
    let refused = world(PlaybackConfig::default()).start("slow", "", "").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.message().contains("no answer after 2s"), "{}", refused.message());
}

#[tokio::test]
async fn many_starts_ask_for_a_titles_keys_once() {
    let world = world(PlaybackConfig::default());
    let starts = (0..50).map(|_| world.start("kite", "", ""));
    for session in futures::future::join_all(starts).await {
        assert_eq!(session.unwrap().kids.len(), 4);
    }
    assert_eq!(world.asked.load(Ordering::SeqCst), 1);
    // A failure is not remembered.
    for asked in [2, 3] {
        world.start("boat", "", "").await.unwrap_err();
        assert_eq!(world.asked.load(Ordering::SeqCst), asked);
    }
}

#[test]
fn a_configuration_that_makes_no_session_is_refused() {
    let refused = |config: PlaybackConfig| config.check().unwrap_err().to_string();
    let default = PlaybackConfig::default;
    for edge_url in ["edge.example.org", "ftp://edge", "https://edge/?a=b", "https://e dge"] {
        assert!(refused(PlaybackConfig { edge_url: edge_url.to_owned(), ..default() }).contains("edge_url"));
    }
    assert!(refused(PlaybackConfig { license_url: String::new(), ..default() }).contains("license_url"));
    assert!(refused(PlaybackConfig { valid: Duration::ZERO, ..default() }).contains("valid"));
    assert!(refused(PlaybackConfig { profiles: Vec::new(), ..default() }).contains("profiles"));
    assert!(default().check().is_ok());
}
