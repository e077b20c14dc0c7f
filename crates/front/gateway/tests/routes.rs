//! Each route's answer when all is well, and what its service was asked.

mod house;

use std::collections::BTreeSet;

use house::{House, NOW, claims, keys, settings, token};
use http::{Method, StatusCode, header};
use matinee_engines::objects::Objects;
use matinee_gateway::door::{DoorSettings, StudioAccess};
use matinee_service::access::{AccessClaims, AccessKeys};
use matinee_service::secrets::{KeyRing, SecretKey};
use serde_json::{Value, json};

const PROFILE: &str = r#"{"name":"Kids","avatar":"fox","kids":true,"maturityLimit":6,"language":"de",
    "audioLanguage":"de","subtitleLanguage":"","autoplayNext":true}"#;

#[tokio::test]
async fn a_browser_is_signed_in_by_cookies_and_a_native_client_by_tokens() {
    let house = House::new(&settings());
    let body = r#"{"email":"ada@example.org","password":"correct horse","territory":"AT"}"#;
    for path in ["/api/account/sign-up", "/api/account/sign-in"] {
        let body =
            if path.ends_with("in") { r#"{"email":"ada@example.org","password":"correct horse"}"# } else { body };
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let answer = house.ask(Method::POST, path, &[("user-agent", agent)], body).await;
        assert_eq!(answer.status, 200, "{path}");
        let access = answer.cookie("matinee_access").unwrap();
        let refresh = answer.cookie("matinee_refresh").unwrap();
        assert!(
            access.contains("Path=/;") && access.contains("HttpOnly") && access.contains("SameSite=Lax"),
            "{access}"
        );
        assert!(refresh.contains("Path=/api/account;") && refresh.contains("Max-Age=2592000"), "{refresh}");
        assert!(answer.json()["accessToken"].is_null(), "no script reads a token");
        assert_eq!(answer.json()["profile"]["id"], "p1");
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    }
    assert!(house.asked_of("Accounts.sign_in").contains("Firefox on Linux"));
    let native = r#"{"email":"ada@example.org","password":"correct horse","tokens":"body"}"#;
    let answer = house.ask(Method::POST, "/api/account/sign-in", &[], native).await;
    assert_eq!(answer.json()["accessToken"], "access.token.text");
    assert_eq!(answer.json()["refreshToken"], "refresh-token");
    assert!(answer.cookies().is_empty());
}

#[tokio::test]
async fn a_refresh_token_is_taken_from_the_cookie_or_the_body() {
    let house = House::new(&settings());
    let cookie = [("cookie", "matinee_refresh=r1"), ("sec-fetch-site", "same-origin")];
    let answer = house.ask(Method::POST, "/api/account/refresh", &cookie, "").await;
    assert_eq!(answer.status, 200);
    assert!(house.asked_of("Accounts.refresh").contains("r1"));
    assert!(answer.cookie("matinee_access").is_some());
    let answer = house.ask(Method::POST, "/api/account/refresh", &[], r#"{"refreshToken":"r2"}"#).await;
    assert_eq!(answer.json()["refreshToken"], "refresh-token");
    assert!(house.asked_of("Accounts.refresh").contains("r2") && answer.cookies().is_empty());

    // One that does not hold signs out; a service that is down does not.
    house.refuse("Accounts.refresh", tonic::Status::unauthenticated("the refresh token was used before"));
    let answer = house.ask(Method::POST, "/api/account/refresh", &cookie, "").await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "sign_in"));
    assert!(answer.cookie("matinee_refresh").unwrap().contains("Max-Age=0"));
    house.refuse("Accounts.refresh", tonic::Status::unavailable("it is down"));
    let answer = house.ask(Method::POST, "/api/account/refresh", &cookie, "").await;
    assert_eq!((answer.status.as_u16(), answer.cookies().len()), (503, 0));
    assert_eq!(house.ask(Method::POST, "/api/account/refresh", &[], "").await.code(), "sign_in");
}

#[tokio::test]
async fn who_watches_goes_on_while_accounts_are_down() {
    let house = House::new(&settings());
    for call in ["Accounts.refresh", "Accounts.get_account", "Accounts.sign_in"] {
        house.refuse(call, tonic::Status::unavailable("it is down"));
    }
    // Who it is stands in the token.
    let me = house.member(Method::GET, "/api/account", "").await;
    assert_eq!((me.status.as_u16(), me.json()["signedIn"].as_bool()), (200, Some(true)));
    assert_eq!((me.json()["profile"]["id"].as_str(), me.json()["account"]["id"].as_str()), (Some("p1"), Some("a1")));

    let of = |iat: u64, exp: u64| {
        keys().issue(&AccessClaims { iat, exp, roles: vec!["admin".to_owned()], ..claims() }).unwrap()
    };
    let refreshed = async |token: &str| {
        let cookie = format!("matinee_access={token}; matinee_refresh=r1");
        let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
        house.ask(Method::POST, "/api/account/refresh", &headers, "").await
    };
    // It expired a minute ago.
    let answer = refreshed(&of(NOW - 960, NOW - 60)).await;
    assert_eq!((answer.status.as_u16(), answer.cookies().len()), (200, 1), "the refresh token stays as it is");
    let cookie = answer.cookie("matinee_access").unwrap();
    let longer = cookie.trim_start_matches("matinee_access=").split(';').next().unwrap();
    let held = keys().verify(longer, NOW).unwrap();
    assert_eq!((held.iat, held.exp, held.roles.len()), (NOW - 960, NOW + 300, 0), "for watching alone");
    let native = [("authorization", format!("Bearer {}", of(NOW - 960, NOW - 60)))];
    let native = [(native[0].0, native[0].1.as_str())];
    let answer = house.ask(Method::POST, "/api/account/refresh", &native, r#"{"refreshToken":"r2"}"#).await;
    assert_eq!(answer.json()["refreshToken"], "r2");
    assert!(keys().verify(answer.json()["accessToken"].as_str().unwrap(), NOW).is_ok());

    // Not for ever, and not for what was never a token of ours.
    let old = of(NOW - 12 * 3600, NOW - 60);
    let other = AccessKeys::new(&KeyRing::of(SecretKey::new([2; 32])));
    let forged = other.issue(&AccessClaims { iat: NOW - 960, exp: NOW - 60, ..claims() }).unwrap();
    for token in [old.as_str(), forged.as_str(), "a.b.c", ""] {
        let answer = refreshed(token).await;
        assert_eq!((answer.status.as_u16(), answer.cookies().len()), (503, 0), "{token}");
        assert!(answer.retry_after() >= 1);
    }
    // Nor where accounts say no.
    house.refuse("Accounts.refresh", tonic::Status::unauthenticated("the refresh token was used before"));
    assert_eq!(refreshed(&of(NOW - 960, NOW - 60)).await.status, 401);

    let body = r#"{"email":"ada@example.org","password":"correct horse"}"#;
    let answer = house.ask(Method::POST, "/api/account/sign-in", &[], body).await;
    assert_eq!(answer.status, 503, "a sign-in can't be without accounts");
    assert!(answer.retry_after() >= 1 && answer.headers[header::CONTENT_TYPE] == "application/problem+json");
}

#[tokio::test]
async fn signing_out_forgets_the_cookies() {
    let house = House::new(&settings());
    let cookie = [("cookie", "matinee_refresh=r1"), ("sec-fetch-site", "same-origin")];
    let answer = house.ask(Method::POST, "/api/account/sign-out", &cookie, "").await;
    assert_eq!((answer.status, answer.json()["signedIn"].as_bool()), (StatusCode::OK, Some(false)));
    for name in ["matinee_access", "matinee_refresh"] {
        assert!(answer.cookie(name).unwrap().contains("Max-Age=0"));
    }
}

#[tokio::test]
async fn a_refused_field_is_named_as_the_client_wrote_it() {
    let house = House::new(&settings());
    let refused = tonic::Status::invalid_argument("maturity_limit is refused: a kids' profile has one of at most 12");
    house.refuse("Accounts.put_profile", refused);
    let answer = house.member(Method::POST, "/api/account/profiles", PROFILE).await;
    assert_eq!((answer.status.as_u16(), answer.json()["errors"][0]["field"].as_str()), (400, Some("maturityLimit")));
}

#[tokio::test]
async fn a_television_is_signed_in_by_a_code() {
    let house = House::new(&settings());
    let code = house.ask(Method::POST, "/api/device/code", &[], r#"{"name":"Living room","kind":"tv"}"#).await.json();
    assert_eq!(code["user_code"], "WDJB-MJHT");
    assert_eq!((code["interval"].as_u64(), code["expires_in"].as_u64()), (Some(5), Some(900)));
    assert_eq!(code["verification_uri"], "http://films.example/device");
    for (device_code, error) in [
        ("pending", "authorization_pending"),
        ("slow", "slow_down"),
        ("denied", "access_denied"),
        ("expired", "expired_token"),
    ] {
        let body = format!(r#"{{"deviceCode":"{device_code}"}}"#);
        let answer = house.ask(Method::POST, "/api/device/token", &[], &body).await;
        assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (400, Some(error)));
        assert_eq!(answer.code(), error);
    }
    let approved = r#"{"deviceCode":"approved","tokens":"body"}"#;
    let answer = house.ask(Method::POST, "/api/device/token", &[], approved).await;
    assert_eq!(answer.json()["refreshToken"], "refresh-token");
    let answer = house.member(Method::POST, "/api/device/approve", r#"{"userCode":"WDJB-MJHT"}"#).await;
    assert_eq!(answer.status, 204);
    assert!(house.asked_of("Accounts.approve_device_code").contains(r#"profile: "p1""#));
}

#[tokio::test]
async fn a_sign_in_elsewhere_comes_back_to_the_browser_that_began_it() {
    let house = House::new(&settings());
    let begun = house.ask(Method::GET, "/api/openid/campus/start", &[], "").await;
    assert_eq!(
        (begun.status.as_u16(), begun.headers[header::LOCATION].to_str().unwrap()),
        (303, "https://id.example/authorize?state=s")
    );
    let binding = begun.cookie("matinee_openid").unwrap();
    assert!(binding.starts_with("matinee_openid=bound; Path=/api/openid;"), "{binding}");
    assert!(house.asked_of("Accounts.start_open_id").contains("http://films.example/api/openid/callback"));
    let back = "/api/openid/callback?state=s&code=c&iss=https%3A%2F%2Fid.example";
    let signed_in = house.ask(Method::GET, back, &[("cookie", "matinee_openid=bound")], "").await;
    assert_eq!((signed_in.status.as_u16(), signed_in.headers[header::LOCATION].to_str().unwrap()), (303, "/"));
    assert!(signed_in.cookie("matinee_access").is_some() && signed_in.cookie("matinee_refresh").is_some());
    assert!(house.asked_of("Accounts.finish_open_id").contains(r#"binding: "bound""#));
    house.refuse("Accounts.finish_open_id", tonic::Status::unauthenticated("the state is not known"));
    let failed = house.ask(Method::GET, back, &[], "").await;
    assert_eq!(failed.headers[header::LOCATION], "/sign-in?problem=openid");
    let public = DoorSettings { public_url: Some("https://films.example/".to_owned()), ..settings() };
    let house = House::new(&public);
    house.ask(Method::GET, "/api/openid/campus/start", &[], "").await;
    assert!(house.asked_of("Accounts.start_open_id").contains("https://films.example/api/openid/callback"));
}

#[tokio::test]
async fn all_that_is_kept_is_handed_out_in_one_piece_or_not_at_all() {
    let house = House::new(&settings());
    let export = house.member(Method::GET, "/api/account/export", "").await;
    assert_eq!(export.status, 200);
    let json = export.json();
    assert_eq!(
        (json["account"]["email"].as_str(), &json["billing"]["invoices"]),
        (Some("ada@example.org"), &json!([]))
    );
    assert_eq!(json["history"]["p1"][0]["title"], "metropolis");
    assert_eq!(json["ratings"]["p1"][0]["title"], "metropolis");
    house.refuse("History.list", tonic::Status::unavailable("it is down"));
    assert_eq!(house.member(Method::GET, "/api/account/export", "").await.status, 503);
}

#[tokio::test]
async fn an_account_is_deleted_with_all_that_is_kept_of_it() {
    let house = House::new(&settings());
    house.refuse("Ratings.erase", tonic::Status::unavailable("it is down"));
    let answer = house.member(Method::DELETE, "/api/account", r#"{"password":"correct horse"}"#).await;
    assert_eq!(answer.status, 200);
    let expected = json!({"account": "deleted", "billing": "deleted", "history": "deleted", "ratings": "soon"});
    assert_eq!(answer.json(), expected);
    assert!(answer.cookie("matinee_access").unwrap().contains("Max-Age=0"));
    let house = House::new(&settings());
    house.refuse("Accounts.delete", tonic::Status::permission_denied("the password is wrong"));
    assert_eq!(house.member(Method::DELETE, "/api/account", r#"{"password":"no"}"#).await.status, 403);
    assert!(
        !house.asked().iter().any(|asked| asked.starts_with("History.erase")),
        "nothing is lost by a wrong password"
    );
}

#[tokio::test]
async fn what_is_paid_is_paid_once() {
    let house = House::new(&settings());
    let me = format!("Bearer {}", token());
    let keyed = [("authorization", me.as_str()), ("idempotency-key", "3f2a")];
    let body = r#"{"plan":"standard","paymentToken":"test-ok"}"#;
    let answer = house.ask(Method::POST, "/api/subscription", &keyed, body).await;
    assert_eq!((answer.status.as_u16(), answer.json()["state"].as_str()), (200, Some("active")));
    let asked = house.asked_of("Billing.subscribe");
    assert!(asked.contains(r#"idempotency_key: "3f2a""#) && asked.contains(r#"email: "ada@example.org""#), "{asked}");
    assert!(asked.contains(r#"territory: "AT""#), "{asked}");
    let wrong = [("authorization", me.as_str()), ("idempotency-key", "a b")];
    let refused = house.ask(Method::POST, "/api/subscription", &wrong, body).await;
    assert_eq!(
        (refused.status.as_u16(), refused.json()["errors"][0]["field"].as_str()),
        (400, Some("Idempotency-Key"))
    );
    let plans = house.member(Method::GET, "/api/plans", "").await.json();
    assert_eq!(plans[0]["price"], json!({"minor": 899, "currency": "EUR"}), "the price of where the viewer is");
}

#[tokio::test]
async fn a_webhook_goes_on_as_it_came_and_without_our_cookies() {
    let house = House::new(&settings());
    let headers =
        [("stripe-signature", "t=1,v1=ab"), ("cookie", "matinee_access=x"), ("content-type", "application/json")];
    let answer = house.ask(Method::POST, "/webhooks/stripe", &headers, "{ \"id\":1 }").await;
    assert_eq!((answer.status.as_u16(), answer.json()["repeated"].as_bool()), (200, Some(true)));
    let asked = house.asked_of("Billing.webhook");
    assert!(asked.contains("stripe-signature") && !asked.contains("matinee_access"), "{asked}");
    assert!(asked.contains(&format!("{:?}", b"{ \"id\":1 }".to_vec())), "{asked}");
}

#[tokio::test]
async fn artwork_comes_in_the_format_and_width_that_is_asked_for() {
    let house = House::new(&settings());
    let folder = house.objects();
    for name in ["artwork/jpeg-342", "artwork/avif-342", "artwork/jpeg-780"] {
        folder.put(name, bytes::Bytes::from(name.to_owned())).await.unwrap();
    }
    let shown = async |uri: &str, accept: &str| house.ask(Method::GET, uri, &[("accept", accept)], "").await;
    let picture = shown("/api/artwork/metropolis/poster?w=300&v=01234567", "image/avif,image/webp,*/*").await;
    assert_eq!((picture.status.as_u16(), picture.body.as_slice()), (200, &b"artwork/avif-342"[..]));
    assert_eq!(picture.headers[header::CONTENT_TYPE], "image/avif");
    assert_eq!(picture.headers[header::VARY], "accept");
    assert!(picture.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    let picture = shown("/api/artwork/metropolis/poster?w=500", "image/jpeg").await;
    assert_eq!(picture.body, b"artwork/jpeg-780");
    let tag = picture.headers[header::ETAG].to_str().unwrap().to_owned();
    let again = house.ask(Method::GET, "/api/artwork/metropolis/poster?w=500", &[("if-none-match", &tag)], "").await;
    assert_eq!(again.status, 304);
    assert_eq!(shown("/api/artwork/metropolis/logo", "*/*").await.status, 404);
    assert_eq!(shown("/api/artwork/metropolis/poster?w=wide", "*/*").await.status, 400);
}

#[tokio::test]
async fn the_studio_reads_and_writes_the_catalogue() {
    let house = House::new(&settings());
    let title = house.ask(Method::GET, "/api/studio/catalog/titles/metropolis", &[], "").await.json();
    assert_eq!((title["name"].as_str(), title["revision"].as_u64()), (Some("Metropolis"), Some(3)));
    let put = house.ask(Method::PUT, "/api/studio/catalog/titles/metropolis", &[], &title.to_string()).await;
    assert_eq!(put.status, 200, "what was read can be written back");
    house.refuse("Catalog.put_title", tonic::Status::aborted("title metropolis is at revision 4"));
    let stale = house.ask(Method::PUT, "/api/studio/catalog/titles/metropolis", &[], &title.to_string()).await;
    assert_eq!(stale.status, 409);
    let windows = r#"{"revision":3,"windows":[{"territory":"DE","from":"2026-01-01T00:00:00Z","until":null}]}"#;
    let put = house.ask(Method::PUT, "/api/studio/catalog/titles/metropolis/windows", &[], windows).await;
    assert_eq!(put.json()["windows"][0]["from"], "2026-01-01T00:00:00.000Z");
    let wrong = r#"{"windows":[{"territory":"DE","from":"soon"}]}"#;
    let put = house.ask(Method::PUT, "/api/studio/catalog/titles/metropolis/windows", &[], wrong).await;
    assert_eq!(put.json()["errors"][0]["field"], "windows[0].from");
    let picture = [("content-type", "image/png")];
    let put = house.ask(Method::PUT, "/api/studio/catalog/titles/metropolis/artwork/poster", &picture, "PNG").await;
    assert_eq!(put.status, 200);
}

/// A request that every route takes, by the document: its body.
fn body_of(path: &str, method: &str) -> &'static str {
    match (method, path) {
        (_, "/api/account/sign-up" | "/api/account/sign-in") => r#"{"email":"a@b.c","password":"correct horse"}"#,
        (_, "/api/account/refresh") => r#"{"refreshToken":"r"}"#,
        (_, "/api/account/verify") => r#"{"token":"t"}"#,
        (_, "/api/account/forgot-password") => r#"{"email":"a@b.c"}"#,
        (_, "/api/account/reset-password") => r#"{"token":"t","password":"correct horse"}"#,
        (_, "/api/account/password") => r#"{"current":"a","password":"correct horse"}"#,
        ("patch", "/api/account") => r#"{"territory":"FR"}"#,
        ("delete", "/api/account") => r#"{"password":"correct horse"}"#,
        (_, "/api/account/choose-profile") => r#"{"profile":"p1"}"#,
        ("post" | "put", "/api/account/profiles" | "/api/account/profiles/{id}") => PROFILE,
        (_, "/api/device/token") => r#"{"deviceCode":"approved"}"#,
        (_, "/api/device/approve") => r#"{"userCode":"WDJB-MJHT"}"#,
        ("post", "/api/subscription") => r#"{"plan":"standard","paymentToken":"test-ok"}"#,
        (_, "/api/subscription/preview" | "/api/subscription/change") => r#"{"plan":"premium"}"#,
        (_, "/api/subscription/payment-method") => r#"{"paymentToken":"test-ok"}"#,
        (_, "/api/heartbeats") => {
            r#"{"sentAt":1,"beats":[{"title":"a","session":"s","sequence":1,"positionSeconds":1,"durationSeconds":2,
                "at":1,"state":"playing"}]}"#
        }
        ("put", "/api/studio/titles/{id}" | "/api/studio/catalog/titles/{id}" | "/api/studio/catalog/people/{id}") => {
            r#"{"name":"Metropolis"}"#
        }
        (_, "/api/studio/catalog/titles/{id}/windows") => r#"{"windows":[]}"#,
        (_, "/api/studio/accounts/{id}/roles") => r#"{"roles":[]}"#,
        ("put", "/api/studio/plans") => {
            r#"{"id":"a","name":"A","prices":[{"territory":"*","amount":{"minor":1,"currency":"EUR"}}],
                "maxHeight":1080,"streams":2}"#
        }
        (_, "/api/studio/invoices/{id}/refund") => "{}",
        _ => "",
    }
}

#[tokio::test]
async fn every_route_is_described_and_answers() {
    let house = House::new(&settings());
    let document = house.ask(Method::GET, "/openapi.json", &[], "").await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = BTreeSet::new();
    let me = format!("Bearer {}", keys().issue(&claims()).unwrap());
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} stands there twice");
            assert!(operation["summary"].as_str().is_some_and(|said| !said.is_empty()), "{method} {path} says nothing");
            for part in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
                let named = operation["parameters"].as_array().is_some_and(|all| {
                    all.iter().any(|parameter| parameter["name"] == part && parameter["in"] == "path")
                });
                assert!(named, "{method} {path} does not describe {part}");
            }
            let uri = path.replace("{device}", "web").replace("{provider}", "campus").replace("{kind}", "poster");
            let uri: String = uri
                .split('/')
                .map(|part| if part.starts_with('{') { "a1" } else { part })
                .collect::<Vec<_>>()
                .join("/");
            let (method, text) = (method.to_uppercase(), body_of(path, method));
            let answer = house.ask(method.parse().unwrap(), &uri, &[("authorization", &me)], text).await;
            let absent = ["/api/titles/{id}/artwork", "/api/artwork/{title}/{kind}"].contains(&path.as_str())
                || path.ends_with("/inspection");
            // A stream of events needs a workflow service, which the tests do not play.
            let unplayed = path.ends_with("/events");
            let fine = answer.status.is_success() || answer.status.is_redirection();
            assert!(
                fine || absent || unplayed,
                "{method} {uri}: {} {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            );
        }
    }
    assert!(ids.len() >= 80, "{}", ids.len());
    assert_references(&document, &document);
}

/// Every schema that is named is there.
fn assert_references(value: &Value, document: &Value) {
    match value {
        Value::Object(object) => {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                let there = document.pointer(reference.trim_start_matches('#')).is_some();
                assert!(there, "{reference} is not there");
            }
            object.values().for_each(|value| assert_references(value, document));
        }
        Value::Array(values) => values.iter().for_each(|value| assert_references(value, document)),
        _ => {}
    }
}

#[tokio::test]
async fn every_route_of_the_studio_is_closed_to_strangers() {
    let house = House::new(&DoorSettings { studio: StudioAccess::Password("secret".to_owned()), ..settings() });
    let document = house.ask(Method::GET, "/openapi.json", &[], "").await.json();
    let paths = document["paths"].as_object().unwrap();
    let studio: Vec<_> = paths.iter().filter(|(path, _)| path.starts_with("/api/studio")).collect();
    assert!(studio.len() > 20);
    for (path, item) in studio {
        for method in item.as_object().unwrap().keys() {
            let uri = path.replace(['{', '}'], "");
            let method: Method = method.to_uppercase().parse().unwrap();
            let stranger = house.ask(method.clone(), &uri, &[], body_of(path, method.as_str())).await;
            assert_eq!(stranger.status, 401, "{method} {uri}");
            let member = house.member(method.clone(), &uri, "").await;
            assert_eq!(member.status, 403, "{method} {uri}");
        }
    }
    assert!(house.asked().is_empty(), "no service was asked");
}
