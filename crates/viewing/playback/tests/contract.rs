//! Playback, through its contract, between services that the test plays: what a session is made of.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::sync::atomic::Ordering;
use std::time::Duration;

use matinee_playback::PlaybackConfig;
use matinee_service::signing::SignatureError;
use tonic::Code;

use self::world::{NOW, signer, tokens, world};

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
