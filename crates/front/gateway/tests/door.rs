//! What the door lets through, and what it does not: tokens, other sites, sizes, times, limits, load.

mod house;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use house::{Answer, House, NOW, claims, keys, request, settings, token, token_with_role};
use http::{HeaderValue, Method, header};
use matinee_gateway::door::{BehindTls, DoorSettings, Known, Networks, Places, Quotas, StudioAccess};
use matinee_model::territory::Territory;
use matinee_service::access::{AccessClaims, AccessKeys};
use matinee_service::limits::Quota;
use matinee_service::secrets::{KeyRing, SecretKey};
use matinee_service::viewer::Membership;
use std::sync::atomic::Ordering;

const BEAT: &str = r#"{"sentAt":1800000000000,"beats":[{"title":"metropolis","session":"s1","sequence":1,
    "positionSeconds":1,"durationSeconds":60,"at":1800000000000,"state":"playing"}]}"#;

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_refused_and_says_why() {
    let house = House::new(&settings());
    let forged = AccessKeys::new(&KeyRing::of(SecretKey::new([2; 32]))).issue(&claims()).unwrap();
    let expired = keys().issue(&AccessClaims { exp: NOW - 1, ..claims() }).unwrap();
    let from_the_future = keys().issue(&AccessClaims { iat: NOW + 9_999, exp: NOW + 99_999, ..claims() }).unwrap();
    for (token, code) in [
        (forged.as_str(), "invalid_token"),
        (expired.as_str(), "expired"),
        (from_the_future.as_str(), "invalid_token"),
        ("", "invalid_token"),
        ("a.b.c", "invalid_token"),
    ] {
        let answer = house.ask(Method::GET, "/api/account", &[("authorization", &bearer(token))], "").await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, code), "{token}");
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
    }
    // A cookie that expired stays, so that the application refreshes it; a forged one goes.
    let cookie = |token: &str| format!("matinee_access={token}");
    let answer = house.ask(Method::GET, "/api/account", &[("cookie", &cookie(&expired))], "").await;
    assert_eq!((answer.code().as_str(), answer.cookies().len()), ("expired", 0));
    let answer = house.ask(Method::GET, "/api/account", &[("cookie", &cookie(&forged))], "").await;
    assert!(answer.cookie("matinee_access").unwrap().contains("Max-Age=0"));
    assert!(house.asked().is_empty(), "no service was asked");
}

#[tokio::test]
async fn without_a_token_there_is_nobody_and_with_one_there_is_somebody() {
    let house = House::new(&settings());
    let nobody = house.ask(Method::GET, "/api/account", &[], "").await;
    assert_eq!(nobody.status, 200);
    assert_eq!((nobody.json()["signedIn"].as_bool(), nobody.json()["mode"].as_str()), (Some(false), Some("members")));
    assert_eq!(nobody.cookies().len(), 0, "members are not followed before they sign in");
    for headers in [("authorization", bearer(&token())), ("cookie", format!("matinee_access={}", token()))] {
        let me = house.ask(Method::GET, "/api/account", &[(headers.0, &headers.1)], "").await.json();
        assert_eq!((me["signedIn"].as_bool(), me["account"]["email"].as_str()), (Some(true), Some("ada@example.org")));
        assert_eq!(
            (me["profile"]["name"].as_str(), me["subscription"]["state"].as_str()),
            (Some("Ada"), Some("active"))
        );
        // Nothing says where the request comes from: it comes from where the account is at home.
        assert_eq!(me["territory"], "AT");
    }
    let closed = house.ask(Method::GET, "/api/history", &[], "").await;
    assert_eq!((closed.status.as_u16(), closed.code().as_str()), (401, "sign_in"));
}

#[tokio::test]
async fn an_old_token_never_stands_in_the_way_of_a_new_one() {
    let house = House::new(&settings());
    let body = r#"{"email":"ada@example.org","password":"correct horse"}"#;
    let old = [("cookie", "matinee_access=forged; matinee_refresh=old"), ("sec-fetch-site", "same-origin")];
    assert_eq!(house.ask(Method::POST, "/api/account/sign-in", &old, body).await.status, 200);
}

#[tokio::test]
async fn another_sites_page_changes_nothing() {
    let friend = HeaderValue::from_static("https://app.example");
    let house = House::new(&DoorSettings { origins: vec![friend], ..settings() });
    let cookie = format!("matinee_access={}", token());
    for (headers, status) in [
        (&[("sec-fetch-site", "cross-site")][..], 403),
        (&[("sec-fetch-site", "same-site")], 403),
        (&[("origin", "https://evil.example")], 403),
        (&[], 403),
        (&[("x-requested-with", "matinee")], 204),
        (&[("sec-fetch-site", "same-origin")], 204),
        (&[("origin", "https://films.example")], 204),
        (&[("sec-fetch-site", "cross-site"), ("origin", "https://app.example")], 204),
    ] {
        let all = [&[("cookie", cookie.as_str())], headers].concat();
        let answer = house.ask(Method::DELETE, "/api/history/metropolis", &all, "").await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}");
    }
    // A form on another site can't sign a browser in to somebody else's account either.
    let body = r#"{"email":"eve@example.org","password":"correct horse"}"#;
    let crossing = [("sec-fetch-site", "cross-site")];
    assert_eq!(house.ask(Method::POST, "/api/account/sign-in", &crossing, body).await.code(), "other_site");
}

#[tokio::test]
async fn only_sites_that_the_operator_names_may_call() {
    let house =
        House::new(&DoorSettings { origins: vec![HeaderValue::from_static("https://app.example")], ..settings() });
    let asks = |origin: &'static str| {
        [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type"),
        ]
    };
    let friend = house.ask(Method::OPTIONS, "/api/play", &asks("https://app.example"), "").await;
    assert_eq!(friend.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.example");
    assert_eq!(friend.headers[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
    let stranger = house.ask(Method::OPTIONS, "/api/play", &asks("https://evil.example"), "").await;
    assert!(!stranger.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

#[tokio::test]
async fn a_body_that_is_too_large_or_no_json_is_refused() {
    let house = House::new(&settings());
    let large = format!(r#"{{"email":"{}"}}"#, "x".repeat(70_000));
    assert_eq!(house.ask(Method::POST, "/api/account/sign-in", &[], &large).await.status, 413);
    // One whose size is not announced is not read to its end.
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 1024])));
    let mut slow = request(Method::POST, "/api/account/sign-in", &[("content-type", "application/json")], "");
    *slow.body_mut() = Body::from_stream(endless);
    assert_eq!(house.send(slow).await.status, 413);
    let text = house.ask(Method::POST, "/api/account/sign-in", &[("content-type", "text/plain")], "{}").await;
    assert_eq!(text.status, 415);
    let wrong = house.ask(Method::POST, "/api/account/sign-in", &[], r#"{"email":"a","pasword":"b"}"#).await;
    assert_eq!((wrong.status.as_u16(), wrong.json()["errors"][0]["field"].as_str()), (400, Some("pasword")));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let house = House::new(&settings());
    let mut slow = request(Method::POST, "/api/account/sign-in", &[("content-type", "application/json")], "");
    *slow.body_mut() = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let answer = house.send(slow).await;
    assert!(matches!(answer.status.as_u16(), 408 | 503), "{}", answer.status);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_hangs_is_given_up() {
    let house = House::new(&settings());
    house.fake.0.hanging.lock().unwrap().push("Catalog.list_titles");
    let answer = house.member(Method::GET, "/api/titles", "").await;
    assert_eq!(answer.status, 503);
    assert!(answer.retry_after() >= 1);
}

async fn until_refused(
    house: &House,
    method: Method,
    uri: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u32, Answer) {
    for taken in 0..100 {
        let answer = house.ask(method.clone(), uri, headers, body).await;
        if answer.status == 429 {
            return (taken, answer);
        }
    }
    panic!("nothing was refused");
}

#[tokio::test]
async fn who_asks_too_often_waits() {
    let few = || Some(Quota::per_minute(1).with_burst(5));
    let quotas = settings().quotas;
    for quotas in [Quotas { address: few(), ..quotas }, Quotas { account: few(), ..quotas }] {
        let house = House::new(&DoorSettings { quotas, ..settings() });
        let me = bearer(&token());
        let (taken, answer) = until_refused(&house, Method::GET, "/api/account", &[("authorization", &me)], "").await;
        assert_eq!((taken, answer.code().as_str()), (5, "rate_limited"));
        // About a minute, spread over as long again.
        assert!((30..=125).contains(&answer.retry_after()), "{}", answer.retry_after());
    }
}

#[tokio::test]
async fn passwords_can_not_be_tried_through() {
    let few = || Some(Quota::per_minute(1).with_burst(4));
    let quotas = settings().quotas;
    let wrong = r#"{"email":"Ada@example.org","password":"guessed"}"#;
    for quotas in [Quotas { attempts: few(), ..quotas }, Quotas { sign_ins: few(), ..quotas }] {
        let house = House::new(&DoorSettings { quotas, ..settings() });
        house.refuse("Accounts.sign_in", tonic::Status::unauthenticated("the address or the password is wrong"));
        let (taken, _) = until_refused(&house, Method::POST, "/api/account/sign-in", &[], wrong).await;
        assert_eq!(taken, 4);
    }
    // Whoever knows the password may sign in as often as they like.
    let house = House::new(&DoorSettings { quotas: Quotas { sign_ins: few(), ..quotas }, ..settings() });
    for _ in 0..10 {
        assert_eq!(house.ask(Method::POST, "/api/account/sign-in", &[], wrong).await.status, 200);
    }
}

/// Fills the door with screens that hang, one at a time, until one is refused; says how many are in.
async fn fill(house: &House) -> usize {
    for filled in 0..1000 {
        let waiting = house.fake.0.waiting.load(Ordering::SeqCst);
        let door = house.door.clone();
        let mut asking = tokio::spawn(async move {
            let request = request(Method::GET, "/api/titles", &[], "");
            tower::ServiceExt::oneshot(door, request).await.unwrap().status()
        });
        loop {
            let changed = house.fake.0.changed.notified();
            if house.fake.0.waiting.load(Ordering::SeqCst) > waiting {
                break;
            }
            tokio::select! {
                () = changed => {}
                refused = &mut asking => {
                    assert_eq!(refused.expect("the request was answered"), 503);
                    return filled;
                }
            }
        }
    }
    panic!("a thousand screens at once were taken");
}

#[tokio::test]
async fn under_load_prefetches_are_shed_before_screens_and_screens_before_plays() {
    let house = House::new(&settings());
    house.fake.0.hanging.lock().unwrap().push("Catalog.list_titles");
    let me = bearer(&token());
    let prefetch = |purpose: &'static str| [("sec-purpose", purpose), ("authorization", me.as_str())];
    assert_eq!(house.ask(Method::GET, "/api/plans", &prefetch("prefetch;prerender"), "").await.status, 200);
    let filled = fill(&house).await;
    assert!(filled > 0);
    for headers in [&prefetch("prefetch")[..], &[("authorization", me.as_str())]] {
        let shed = house.ask(Method::GET, "/api/plans", headers, "").await;
        assert_eq!((shed.status.as_u16(), shed.code().as_str()), (503, "overloaded"));
        assert!(shed.retry_after() >= 1);
    }
    // What belongs to a play still comes in, and so do heartbeats, which have a limit of their own.
    assert_eq!(house.member(Method::POST, "/api/sessions/s1/end", "").await.status, 204);
    assert_eq!(house.member(Method::POST, "/api/heartbeats", BEAT).await.status, 204);
}

#[tokio::test]
async fn in_an_open_house_each_browser_is_a_viewer_of_its_own() {
    for (tls, forwarded, secure) in [(true, None, true), (false, None, false), (false, Some("https"), true)] {
        let house = House::new(&DoorSettings { membership: Membership::Open, tls: BehindTls(tls), ..settings() });
        let headers: Vec<_> = forwarded.iter().map(|by| ("x-forwarded-proto", *by)).collect();
        let first = house.ask(Method::POST, "/api/heartbeats", &headers, BEAT).await;
        assert_eq!(first.status, 204);
        let cookie = first.cookie("matinee_viewer").unwrap();
        assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
        assert!(cookie.contains("; HttpOnly"), "{cookie}");
        let id = cookie.split([';', '=']).nth(1).unwrap();
        let again = house.ask(Method::GET, "/api/history", &[("cookie", &format!("matinee_viewer={id}"))], "").await;
        assert_eq!(again.status, 200);
        assert!(house.asked_of("History.list").contains(id), "it is known again");
        assert!(house.asked_of("Telemetry.report").contains(id));
    }
}

#[tokio::test]
async fn heartbeats_are_of_the_profile_that_is_signed_in() {
    let house = House::new(&settings());
    assert_eq!(house.ask(Method::POST, "/api/heartbeats", &[], BEAT).await.code(), "sign_in");
    assert_eq!(house.member(Method::POST, "/api/heartbeats", BEAT).await.status, 204);
    let asked = house.asked_of("Telemetry.report");
    for said in [r#"account: "a1""#, r#"profile: "p1""#, r#"device: "d1""#, r#"territory: "AT""#] {
        assert!(asked.contains(said), "{asked}");
    }
}

#[tokio::test]
async fn a_territory_is_where_the_request_comes_from() {
    let network = |text: &str| text.parse().unwrap();
    let known = Known { territory: Territory::parse("FR").unwrap(), name: "campus".to_owned() };
    let places = Places {
        default: Territory::parse("DE").unwrap(),
        networks: Networks::new([(network("198.51.100.0/24"), known)]),
        proxies: vec![network("192.0.2.0/24")],
        header: Some(header::HeaderName::from_static("x-territory")),
    };
    let house = House::new(&DoorSettings { places: places.clone(), ..settings() });
    let at = async |house: &House, headers: &[(&str, &str)]| {
        house.ask(Method::GET, "/api/account", headers, "").await.json()["territory"].as_str().unwrap().to_owned()
    };
    assert_eq!(at(&house, &[]).await, "DE");
    assert_eq!(at(&house, &[("x-territory", "us")]).await, "US");
    assert_eq!(at(&house, &[("x-forwarded-for", "198.51.100.9")]).await, "FR");
    // Who comes straight is not believed.
    let house = House::new(&DoorSettings { places: Places { proxies: Vec::new(), ..places }, ..settings() });
    assert_eq!(at(&house, &[("x-territory", "us"), ("x-forwarded-for", "198.51.100.9")]).await, "DE");
}

#[tokio::test]
async fn the_studio_is_for_its_roles_and_for_its_password() {
    let house = House::new(&DoorSettings { studio: StudioAccess::Password("secret".to_owned()), ..settings() });
    let (films, money, roles) = ("/api/studio/catalog/titles", "/api/studio/plans", "/api/studio/accounts/a1/roles");
    let status = async |headers: &[(&str, &str)], path: &str| {
        let (method, body) = if path == roles { (Method::PUT, r#"{"roles":["studio"]}"#) } else { (Method::GET, "") };
        house.ask(method, path, headers, body).await.status.as_u16()
    };
    for path in [films, money, roles] {
        assert_eq!(status(&[], path).await, 401, "{path}");
        assert_eq!(status(&[("authorization", "Basic c3R1ZGlvOndyb25n")], path).await, 401, "{path}");
        assert_eq!(status(&[("authorization", "Basic c3R1ZGlvOnNlY3JldA==")], path).await, 200, "{path}");
        assert_eq!(status(&[("authorization", &bearer(&token()))], path).await, 403, "{path}");
        assert_eq!(status(&[("authorization", &bearer(&token_with_role("admin")))], path).await, 200, "{path}");
    }
    let studio = bearer(&token_with_role("studio"));
    let support = bearer(&token_with_role("support"));
    let of = async |role: &str, path: &str| status(&[("authorization", role)], path).await;
    assert_eq!((of(&studio, films).await, of(&studio, money).await, of(&studio, roles).await), (200, 403, 403));
    assert_eq!((of(&support, films).await, of(&support, money).await, of(&support, roles).await), (403, 200, 403));
    let asked = house.ask(Method::GET, films, &[], "").await;
    assert!(asked.headers[header::WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic"));

    // Without a password there are the roles alone.
    let house = House::new(&DoorSettings { studio: StudioAccess::Roles, ..settings() });
    for password in ["Basic c3R1ZGlvOg==", "Basic c3R1ZGlvOnNlY3JldA=="] {
        let asked = house.ask(Method::GET, films, &[("authorization", password)], "").await;
        assert_eq!((asked.status.as_u16(), asked.headers.get(header::WWW_AUTHENTICATE)), (401, None));
    }
    let by_role = house.ask(Method::GET, films, &[("authorization", &studio)], "").await;
    assert_eq!(by_role.status, 200);
}

#[tokio::test]
async fn faults_are_for_testers_only() {
    let house = House::new(&settings());
    let wrong = ("x-matinee-fault", "nonsense");
    let me = bearer(&token());
    let member = house.ask(Method::GET, "/api/account", &[("authorization", &me), wrong], "").await;
    assert_eq!(member.status, 200, "a member's wish is not even read");
    let house = House::new(&DoorSettings { test_accounts: vec![claims().account], ..settings() });
    let tester = house.ask(Method::GET, "/api/account", &[("authorization", &me), wrong], "").await;
    assert_eq!((tester.status.as_u16(), tester.json()["errors"][0]["field"].as_str()), (400, Some("x-matinee-fault")));
}

#[tokio::test]
async fn every_answer_is_guarded_and_every_refusal_is_a_problem() {
    let house = House::new(&settings());
    for (method, uri, status) in [
        (Method::GET, "/api/titles", 200),
        (Method::GET, "/api/nothing", 404),
        (Method::PUT, "/api/account/sign-in", 405),
        (Method::DELETE, "/favicon.ico", 404),
        (Method::GET, "/api/titles/%ff", 400),
    ] {
        let answer = house.ask(method, uri, &[], "").await;
        assert_eq!(answer.status.as_u16(), status, "{uri}");
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{uri}");
        assert!(answer.headers.contains_key(header::CONTENT_SECURITY_POLICY), "{uri}");
        if status >= 400 {
            assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{uri}");
            assert_eq!(answer.json()["status"], status, "{uri}");
        }
    }
}

#[tokio::test]
async fn pages_hold_a_payment_form_where_there_is_one() {
    let policy = async |forms| {
        let house = House::new(&DoorSettings { forms, ..settings() });
        let answer = house.ask(Method::GET, "/plans", &[], "").await;
        answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned()
    };
    assert!(!policy(&[]).await.contains("script-src"), "the default holds: our own alone");
    let with = policy(&["https://js.pay.example", "https://hooks.pay.example"]).await;
    for rule in ["script-src", "frame-src"] {
        assert!(with.contains(&format!("{rule} 'self' https://js.pay.example https://hooks.pay.example;")), "{with}");
    }
}

#[tokio::test]
async fn what_failed_inside_is_not_told_outside() {
    let house = House::new(&settings());
    house.refuse("Catalog.list_titles", tonic::Status::internal("sqlite: /srv/matinee/catalog.db is damaged"));
    let answer = house.ask(Method::GET, "/api/titles", &[], "").await;
    assert_eq!(answer.status, 500);
    assert!(!String::from_utf8_lossy(&answer.body).contains("sqlite"));
}

async fn who(viewer: matinee_service::viewer::Viewer) -> String {
    format!("{} {}", viewer.words().account, viewer.territory)
}

#[tokio::test]
async fn rooms_of_other_crates_stand_behind_the_same_door() {
    use axum::routing::{get, post, put};
    // The templates of the device adapters and the graph, which must not collide with the gateway's own.
    let room = axum::Router::new()
        .route("/api/{device}/home", get(who))
        .route("/api/{device}/titles/{id}", get(who))
        .route("/api/{device}/search", get(who))
        .route("/api/{device}/play", post(who))
        .route("/api/play", post(who))
        .route("/api/titles/{id}/thumb", put(who))
        .route("/api/my-list", get(who))
        .route("/api/my-list/{id}", put(who).delete(who))
        .route("/graphql", post(who));
    let uploads = axum::Router::new().route("/uploads", post(async || "taken"));
    let rooms = matinee_gateway::door::Rooms { viewing: vec![room.into()], studio: uploads };
    let studio = StudioAccess::Password("secret".to_owned());
    let house = House::with_rooms(&DoorSettings { studio, ..settings() }, rooms);
    for (method, uri) in [
        (Method::GET, "/api/web/home"),
        (Method::GET, "/api/tv/titles/metropolis"),
        (Method::POST, "/api/play"),
        (Method::POST, "/api/mobile/play"),
        (Method::PUT, "/api/titles/metropolis/thumb"),
        (Method::DELETE, "/api/my-list/metropolis"),
        (Method::POST, "/graphql"),
    ] {
        let answer = house.member(method.clone(), uri, "").await;
        assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (200, &b"a1 AT"[..]), "{uri}");
        let forged = house.ask(method, uri, &[("authorization", "Bearer a.b.c")], "").await;
        assert_eq!(forged.code(), "invalid_token", "{uri}");
    }
    assert_eq!(house.ask(Method::POST, "/uploads", &[], "").await.status, 401);
    let studio = bearer(&token_with_role("studio"));
    assert_eq!(house.ask(Method::POST, "/uploads", &[("authorization", &studio)], "").await.body, b"taken");
}
