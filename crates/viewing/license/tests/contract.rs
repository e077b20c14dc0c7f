//! The licence service, through its contract and over HTTP.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use matinee_contracts::license::license_client::LicenseClient;
use matinee_contracts::license::{ClearKeyRequest, ContentKey, EnsureKeysRequest, GetKeysRequest};
use matinee_license::seal::Seal;
use matinee_license::store::SqliteKeys;
use matinee_license::{LicenseError, LicenseService, router};
use matinee_model::ids::{TitleId, VersionId};
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use matinee_service::secrets::{KeyRing, SecretKey};
use matinee_service::tokens::{PlaybackClaims, TokenKeys};
use serde_json::{Value, json};
use tonic::{Code, Status};
use tower::ServiceExt;

/// Stands still until it is moved.
#[derive(Debug)]
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

const NOW: u64 = 1_800_000_000;

fn master(lines: &[(u8, u8)]) -> KeyRing {
    let text: String = lines.iter().map(|(id, byte)| format!("{id} {}\n", format!("{byte:02x}").repeat(32))).collect();
    KeyRing::parse(&text).unwrap()
}

fn tokens() -> TokenKeys {
    TokenKeys::new(&KeyRing::of(SecretKey::new([5; 32])))
}

struct World {
    service: LicenseService,
    clock: Arc<HandClock>,
    folder: tempfile::TempDir,
}

async fn open(folder: &Path, ring: &KeyRing, clock: &Arc<HandClock>) -> Result<LicenseService, LicenseError> {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    let store = SqliteKeys::open(&folder.join("license.db"), Seal::new(ring), Arc::clone(&clock)).await?;
    Ok(LicenseService::new(Arc::new(store), tokens(), clock))
}

async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(HandClock(AtomicI64::new(NOW as i64 * 1_000_000)));
    let service = open(folder.path(), &master(&[(1, 1)]), &clock).await.unwrap();
    World { service, clock, folder }
}

async fn ensure(service: &LicenseService, title: &str, labels: &[&str]) -> Result<Vec<ContentKey>, Status> {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    let request = EnsureKeysRequest { title: title.to_owned(), labels };
    Ok(LicenseClient::new(Channel::local(service.server())).ensure_keys(request).await?.into_inner().keys)
}

async fn get(service: &LicenseService, kids: Vec<Vec<u8>>) -> Result<Vec<ContentKey>, Status> {
    let mut client = LicenseClient::new(Channel::local(service.server()));
    Ok(client.get_keys(GetKeysRequest { kids }).await?.into_inner().keys)
}

fn token(title: &str, keys: &[ContentKey]) -> String {
    let claims = PlaybackClaims {
        sid: "s1".to_owned(),
        title: TitleId::parse(title).unwrap(),
        version: VersionId::parse("v1").unwrap(),
        kids: keys.iter().map(|key| hex::encode(&key.kid)).collect(),
        exp: NOW + 600,
        iat: NOW,
    };
    tokens().issue(&claims).unwrap()
}

fn request_for(keys: &[ContentKey]) -> Vec<u8> {
    let kids: Vec<String> = keys.iter().map(|key| URL_SAFE_NO_PAD.encode(&key.kid)).collect();
    json!({"kids": kids, "type": "temporary"}).to_string().into_bytes()
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl World {
    async fn ask(&self, method: &str, token: Option<&str>, body: impl Into<Body>) -> Answer {
        let mut request =
            Request::builder().method(method).uri("/license/clearkey").header("origin", "https://tv.example");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if method == "OPTIONS" {
            request = request.header("access-control-request-method", "POST");
        }
        let response = router(self.service.clone()).oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

#[tokio::test]
async fn a_titles_keys_are_made_once_one_a_label() {
    let world = world().await;
    let keys = ensure(&world.service, "film", &["audio", "sd", "hd"]).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.label.as_str()).collect::<Vec<_>>(), ["audio", "sd", "hd"]);
    for key in &keys {
        assert_eq!((key.kid.len(), key.key.len(), key.iv.len(), key.title.as_str()), (16, 16, 16, "film"));
    }
    let secrets: std::collections::HashSet<_> =
        keys.iter().flat_map(|key| [key.kid.clone(), key.key.clone(), key.iv.clone()]).collect();
    assert_eq!(secrets.len(), 9, "nothing is used twice");
    let again = ensure(&world.service, "film", &["hd", "audio", "uhd"]).await.unwrap();
    assert_eq!((&again[0], &again[1]), (&keys[2], &keys[0]));
    assert_ne!(ensure(&world.service, "other", &["hd"]).await.unwrap()[0].key, keys[2].key);
    let restarted = open(world.folder.path(), &master(&[(1, 1)]), &world.clock).await.unwrap();
    assert_eq!(ensure(&restarted, "film", &["audio", "sd", "hd"]).await.unwrap(), keys);
}

#[tokio::test]
async fn who_asks_at_once_gets_the_same_keys() {
    let world = world().await;
    // Two processes over one file, each asked by many.
    let other = open(world.folder.path(), &master(&[(1, 1)]), &world.clock).await.unwrap();
    let asks = (0..24).map(|i| {
        let service = if i % 2 == 0 { world.service.clone() } else { other.clone() };
        tokio::spawn(async move { ensure(&service, "film", &["audio", "hd"]).await.unwrap() })
    });
    let answers = futures::future::join_all(asks.collect::<Vec<_>>()).await;
    let first = answers[0].as_ref().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
}

#[tokio::test]
async fn keys_are_found_by_id_and_the_first_unknown_one_is_named() {
    let world = world().await;
    let keys = ensure(&world.service, "film", &["audio", "hd"]).await.unwrap();
    let found = get(&world.service, vec![keys[1].kid.clone(), keys[0].kid.clone()]).await.unwrap();
    assert_eq!(found, [keys[1].clone(), keys[0].clone()]);
    let refused = get(&world.service, vec![keys[0].kid.clone(), vec![7; 16], vec![8; 16]]).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::NotFound, format!("key {} does not exist", "07".repeat(16)).as_str())
    );
}

#[tokio::test]
async fn refused_fields_are_named() {
    let world = world().await;
    let message = |result: Result<Vec<ContentKey>, Status>| {
        let refused = result.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        refused.message().to_owned()
    };
    assert!(message(ensure(&world.service, "../x", &["hd"]).await).starts_with("title is refused"));
    assert!(message(ensure(&world.service, "film", &["HD'--"]).await).starts_with("labels is refused"));
    assert!(message(ensure(&world.service, "film", &[]).await).starts_with("labels is refused"));
    assert!(message(get(&world.service, vec![vec![1; 15]]).await).starts_with("kids is refused"));
    assert!(message(get(&world.service, vec![vec![1; 16]; 65]).await).starts_with("kids is refused"));
}

#[tokio::test]
async fn a_licence_holds_all_that_its_bearers_token_covers_whichever_is_asked_for() {
    let world = world().await;
    let all = ensure(&world.service, "film", &["audio", "hd", "uhd"]).await.unwrap();
    let keys = all[..2].to_vec();
    let answer = world.ask("POST", Some(&token("film", &keys)), request_for(&keys[1..])).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let set: Value = serde_json::from_str(&answer.body).unwrap();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let key = |key: &ContentKey| json!({"kty": "oct", "kid": encode(&key.kid), "k": encode(&key.key)});
    assert_eq!(set, json!({"keys": keys.iter().map(key).collect::<Vec<_>>(), "type": "temporary"}));
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    let request = ClearKeyRequest { token: token("film", &keys), body: request_for(&keys[1..]) };
    let reply = LicenseClient::new(Channel::local(world.service.server())).clear_key(request).await.unwrap();
    assert_eq!(reply.into_inner().body, answer.body.into_bytes(), "the contract answers the same");
}

#[tokio::test]
async fn a_token_of_another_title_opens_nothing() {
    let world = world().await;
    let mine = ensure(&world.service, "film", &["audio", "hd"]).await.unwrap();
    let others = ensure(&world.service, "other", &["hd"]).await.unwrap();
    let asked = [mine[0].clone(), others[0].clone()];
    let answer = world.ask("POST", Some(&token("film", &mine)), request_for(&asked)).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains(&hex::encode(&others[0].kid)), "the key is named: {}", answer.body);
    for key in asked {
        assert!(!answer.body.contains(&URL_SAFE_NO_PAD.encode(&key.key)), "not one key is given");
    }
    // A key that exists nowhere is refused the same way: a token does not tell what else there is.
    let nowhere = ContentKey { kid: vec![9; 16], ..ContentKey::default() };
    assert_eq!(world.ask("POST", Some(&token("film", &mine)), request_for(&[nowhere])).await.status, 403);
}

#[tokio::test]
async fn expired_and_forged_tokens_are_refused() {
    let world = world().await;
    let keys = ensure(&world.service, "film", &["hd"]).await.unwrap();
    let genuine = token("film", &keys);
    let foreign = TokenKeys::new(&KeyRing::of(SecretKey::new([6; 32])));
    let claims = tokens().verify(&genuine, NOW).unwrap();
    let forged = foreign.issue(&claims).unwrap();
    let none =
        format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"1"}"#), genuine.split('.').nth(1).unwrap());
    for (bad, says) in [(forged.as_str(), "does not match"), (none.as_str(), "can't be read"), ("x", "can't be read")] {
        let answer = world.ask("POST", Some(bad), request_for(&keys)).await;
        assert_eq!(answer.status, 401, "{bad}");
        assert!(answer.body.contains(says), "{}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
    }
    assert_eq!(world.ask("POST", None, request_for(&keys)).await.status, 401);
    world.clock.0.store((NOW as i64 + 600) * 1_000_000, Ordering::SeqCst);
    let late = world.ask("POST", Some(&genuine), request_for(&keys)).await;
    assert_eq!(late.status, 401);
    assert!(late.body.contains("expired"), "{}", late.body);
}

#[tokio::test]
async fn what_is_no_licence_request_is_refused() {
    let world = world().await;
    let keys = ensure(&world.service, "film", &["hd"]).await.unwrap();
    let token = token("film", &keys);
    for body in ["", "{", "{\"kids\":[]}", "{\"kids\":[\"!\"]}"] {
        let answer = world.ask("POST", Some(&token), body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.headers["access-control-allow-origin"], "*", "a player must be able to read the reason");
    }
    assert_eq!(world.ask("POST", Some(&token), vec![b' '; 20_000]).await.status, 413);
    assert_eq!(world.ask("GET", Some(&token), "").await.status, 405);
    let preflight = world.ask("OPTIONS", None, "").await;
    assert_eq!(preflight.status, 200);
    assert!(preflight.headers["access-control-allow-headers"].to_str().unwrap().contains("authorization"));
}

async fn change(world: &World, sql: &'static str) {
    let url = format!("sqlite://{}", world.folder.path().join("license.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    assert!(sqlx::query(sql).execute(&pool).await.unwrap().rows_affected() > 0);
    pool.close().await;
}

#[tokio::test]
async fn a_sealed_key_that_was_changed_is_noticed() {
    for sql in [
        "UPDATE content_key SET sealed = 'ff' || substr(sealed, 3) WHERE substr(sealed, 1, 2) <> 'ff'",
        "UPDATE content_key SET title = 'cheap'",
        "UPDATE content_key SET label = 'sd'",
        "UPDATE content_key SET sealed = ''",
    ] {
        let world = world().await;
        // Two, so that one of them does not begin with ff.
        let keys = [
            ensure(&world.service, "film", &["hd"]).await.unwrap(),
            ensure(&world.service, "gold", &["uhd"]).await.unwrap(),
        ];
        let sql =
            if sql.contains("title =") { "UPDATE content_key SET title = 'cheap' WHERE title = 'film'" } else { sql };
        change(&world, sql).await;
        let mut noticed = 0;
        for keys in keys {
            if let Err(refused) = get(&world.service, vec![keys[0].kid.clone()]).await {
                assert_eq!(refused.code(), Code::DataLoss, "{}", refused.message());
                assert!(refused.message().contains(&hex::encode(&keys[0].kid)), "{}", refused.message());
                assert!(!refused.message().contains(&hex::encode(&keys[0].key)));
                let answer = world.ask("POST", Some(&token("film", &keys)), request_for(&keys)).await;
                assert_eq!(answer.status, 503);
                assert!(!answer.body.contains("sealed"), "viewers hear nothing of the store: {}", answer.body);
                noticed += 1;
            }
        }
        assert!(noticed > 0, "{sql}");
    }
}

#[tokio::test]
async fn a_wrong_master_key_is_refused_at_the_start() {
    let world = world().await;
    ensure(&world.service, "film", &["hd"]).await.unwrap();
    let wrong = open(world.folder.path(), &master(&[(1, 2)]), &world.clock).await.unwrap_err();
    assert!(matches!(wrong, LicenseError::WrongMaster(_)), "{wrong}");
    assert!(wrong.to_string().contains("master.key"), "{wrong}");
    let missing = open(world.folder.path(), &master(&[(2, 2)]), &world.clock).await.unwrap_err();
    assert!(matches!(missing, LicenseError::MissingMaster(_)), "{missing}");
    assert!(open(world.folder.path(), &master(&[(1, 1)]), &world.clock).await.is_ok(), "nothing was changed by it");
}

#[tokio::test]
async fn a_new_master_key_takes_all_keys_over() {
    let world = world().await;
    let keys = ensure(&world.service, "film", &["audio", "hd"]).await.unwrap();
    let rotated = open(world.folder.path(), &master(&[(2, 2), (1, 1)]), &world.clock).await.unwrap();
    assert_eq!(ensure(&rotated, "film", &["audio", "hd"]).await.unwrap(), keys);
    let after = open(world.folder.path(), &master(&[(2, 2)]), &world.clock).await.unwrap();
    assert_eq!(ensure(&after, "film", &["audio", "hd"]).await.unwrap(), keys, "the old one is not needed any more");
}

#[tokio::test]
async fn no_key_rests_in_the_clear() {
    let world = world().await;
    let keys = ensure(&world.service, "film", &["audio", "sd", "hd", "uhd"]).await.unwrap();
    for entry in std::fs::read_dir(world.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for key in &keys {
            for form in
                [key.key.clone(), hex::encode(&key.key).into_bytes(), key.iv.clone(), hex::encode(&key.iv).into_bytes()]
            {
                assert!(!bytes.windows(form.len()).any(|window| window == form));
            }
        }
    }
    assert!(!format!("{:?}", world.service).contains(&hex::encode(&keys[0].key)));
}
