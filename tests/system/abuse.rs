//! Bad input from the door to the stores: whatever comes, nothing fails on our side, nothing inside is told, and what was
//! there is there afterwards.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod house;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use house::{House, wait};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "a kite over the harbour";

/// Texts that mean something to a database, a shell, a template, a log, a browser, a file system, or a parser.
fn hostile() -> Vec<String> {
    let mut all: Vec<String> = [
        "' OR '1'='1",
        "'; DROP TABLE accounts; --",
        "1); DELETE FROM titles; --",
        "\" OR \"\"=\"",
        "x' UNION SELECT password FROM accounts --",
        "../../../../etc/passwd",
        "..\\..\\secrets",
        "%2e%2e%2f",
        "kite\u{0}.db",
        "kite\r\nset-cookie: a=b",
        "${jndi:ldap://127.0.0.1/a}",
        "{{7*7}}",
        "<script>alert(1)</script>",
        "$(reboot)",
        "%s%n%x",
        "\u{202e}etik",
        "-1",
        "18446744073709551616",
        "1e309",
        "NaN",
        "null",
        "",
        " ",
        "{\"$gt\":\"\"}",
        "*",
    ]
    .map(str::to_owned)
    .to_vec();
    all.push("a".repeat(5_000));
    all.push("🦀".repeat(500));
    all
}

struct Visitor {
    address: String,
    token: String,
}

impl Visitor {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = Client::new().request(method, format!("{}{path}", self.address));
        request.bearer_auth(&self.token).timeout(Duration::from_secs(20))
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.request(Method::POST, path).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn graph(&self, query: &str) -> Value {
        let (status, said) = self.post("/graphql", &json!({ "query": query })).await;
        assert!(status < 500, "{query}: {status} {said}");
        said
    }
}

/// A house with somebody who signed up.
async fn house() -> (House, Visitor) {
    let settings = [("MATINEE_VIEWING__ACCESS", "members"), ("MATINEE_VIEWING__RATE_LIMITS", "false")];
    let mut house = House::new(&settings);
    house.start(&[]).await;
    let mut visitor = Visitor { address: house.address.clone(), token: String::new() };
    let who = json!({ "email": EMAIL, "password": PASSWORD, "name": "Ada", "territory": "US", "tokens": "body" });
    let (_, signed_up) = visitor.post("/api/account/sign-up", &who).await;
    visitor.token = signed_up["accessToken"].as_str().unwrap().to_owned();
    let choice = json!({ "profile": signed_up["profiles"][0]["id"], "tokens": "body" });
    let (_, chosen) = visitor.post("/api/account/choose-profile", &choice).await;
    visitor.token = chosen["accessToken"].as_str().unwrap().to_owned();
    (house, visitor)
}

/// Sends it, and holds the answer against what no answer may be.
async fn sent(request: RequestBuilder, what: &str) {
    let answer = match request.send().await {
        Ok(answer) => answer,
        // The server closes on what is no HTTP; the client refuses to send some of it.
        Err(error) if error.is_builder() || error.is_request() || error.is_connect() => return,
        Err(error) => panic!("{what}: {error}"),
    };
    let (status, cookies) = (answer.status(), answer.headers().get_all("set-cookie").iter().count());
    let text = answer.text().await.unwrap_or_default();
    assert!(!status.is_server_error(), "{what}: {status} {text}");
    assert!(status.is_success() || cookies == 0 || status == 401, "{what}: {status} sets cookies");
    for inside in ["sqlite", "SELECT ", "panicked", "src/", "no such table", "syntax error"] {
        // What was sent may be named in the refusal.
        assert!(status.is_success() || what.contains(inside) || !text.contains(inside), "{what}: {text}");
    }
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// All is as it was: who signed up signs in, and nothing panicked meanwhile.
async fn unharmed(house: &House, visitor: &Visitor) {
    let (status, said) =
        visitor.post("/api/account/sign-in", &json!({ "email": EMAIL, "password": PASSWORD, "tokens": "body" })).await;
    assert_eq!((status, said["account"]["email"].as_str()), (200, Some(EMAIL)), "{said}");
    let log = std::fs::read_to_string(house.log()).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_no_body_and_no_header_breaks_anything() {
    let (house, visitor) = house().await;
    let document = house.json("/openapi.json").await.unwrap();
    let hostile = hostile();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.contains_key("/graphql") && paths.len() > 50, "{} routes are described", paths.len());
    for (path, item) in paths {
        // Those end the account that asks, or wait for what never comes.
        if path == "/api/account" || path.ends_with("/events") {
            continue;
        }
        for method in ["get", "post", "put", "patch", "delete"].iter().filter(|method| item.get(**method).is_some()) {
            let method: Method = method.to_uppercase().parse().unwrap();
            for text in hostile.iter().filter(|_| path.contains('{')) {
                let mut address = path.clone();
                while let (Some(from), Some(to)) = (address.find('{'), address.find('}')) {
                    address.replace_range(from..=to, &escaped(text));
                }
                sent(visitor.request(method.clone(), &address), &format!("{method} {path} of {text:?}")).await;
            }
            let query = format!("{path}?q={0}&w={0}&genre={0}&supergraph={0}", escaped(&hostile[1]));
            sent(visitor.request(method.clone(), &query.replace(['{', '}'], "")), &format!("{method} {query}")).await;
        }
    }
    for text in &hostile {
        let x = json!(text);
        for (path, body) in [
            ("/api/account/sign-in", json!({ "email": x, "password": x })),
            ("/api/account/sign-up", json!({ "email": x, "password": x, "name": x, "territory": x, "language": x })),
            ("/api/account/refresh", json!({ "refreshToken": x })),
            ("/api/account/forgot-password", json!({ "email": x })),
            ("/api/account/choose-profile", json!({ "profile": x })),
            ("/api/account/profiles", json!({ "name": x, "avatar": x, "language": x })),
            ("/api/subscription", json!({ "plan": x, "paymentToken": x })),
            ("/api/web/play", json!({ "title": x, "profile": x, "protection": x })),
            (
                "/api/heartbeats",
                json!({ "sentAt": 0, "device": x, "beats": [{ "title": x, "session": x, "sequence": 1,
                "positionSeconds": 1, "durationSeconds": 2, "at": 0, "state": "playing" }] }),
            ),
            (
                "/api/heartbeats",
                json!({ "sentAt": 1e300, "beats": [{ "title": "kite", "session": "s", "sequence": 1,
                "positionSeconds": -1e300, "durationSeconds": 1e300, "at": -1e300, "state": "ended" }] }),
            ),
            ("/graphql", json!({ "query": x, "variables": { "id": x }, "operationName": x })),
            (
                "/graphql",
                json!({ "query": "query($id: ID!) { title(id: $id) { name score resumeSeconds } }",
                "variables": { "id": x } }),
            ),
            (
                "/graphql",
                json!({ "query": "mutation($id: ID!) { rate(title: $id, thumb: UP) { id } }",
                "variables": { "id": x } }),
            ),
        ] {
            sent(visitor.request(Method::POST, path).json(&body), &format!("{path} {body}")).await;
        }
        let search = visitor.request(Method::GET, &format!("/api/web/search?q={}", escaped(text)));
        sent(search, &format!("a search for {text:?}")).await;
        // As many headers as can hold it.
        let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { continue };
        for name in [
            "accept",
            "accept-language",
            "authorization",
            "content-type",
            "cookie",
            "expect-ct",
            "forwarded",
            "if-none-match",
            "idempotency-key",
            "origin",
            "range",
            "referer",
            "sec-fetch-site",
            "traceparent",
            "tracestate",
            "user-agent",
            "x-b3-traceid",
            "x-b3-sampled",
            "b3",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-matinee-fault",
            "x-matinee-priority",
            "grpc-timeout",
        ] {
            let name = HeaderName::from_static(name);
            let request = visitor.request(Method::GET, "/api/web/home").header(name.clone(), value.clone());
            sent(request, &format!("{name}: {text:?}")).await;
        }
    }
    unharmed(&house, &visitor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_query_of_the_graph_costs_more_than_it_may() {
    let (house, visitor) = house().await;
    let nested = |levels: usize| {
        format!(
            "{{ home {{ titles {} {} }} }}",
            "{ similar ".repeat(levels),
            "{ id } ".to_owned() + &"}".repeat(levels)
        )
    };
    for query in [
        nested(20),
        nested(400),
        "query { ...a } fragment a on Query { ...b } fragment b on Query { ...a }".to_owned(),
        format!("{{ {} }}", (0..900).map(|n| format!("a{n}:home{{id}} ")).collect::<String>()),
        format!("{{ home {{ titles {{ id {} }} }} }}", "@include(if: true) ".repeat(500)),
        format!("query({}) {{ home {{ id }} }}", (0..700).map(|n| format!("$v{n}: Int ")).collect::<String>()),
        "{ home(rows: 40, first: 100) { titles { similar(first: 100) { similar(first: 100) { name } } } } }".to_owned(),
        "{ home(rows: 99999999999999999999) { id } }".to_owned(),
        "{ _entities(representations: [{__typename: \"Title\", id: \"kite\"}]) { __typename } }".to_owned(),
        "{ _service { sdl } }".to_owned(),
        "{ __schema { types { fields { type { fields { name } } } } } }".to_owned(),
        "subscription { home { id } }".to_owned(),
        "[".repeat(10_000),
        format!("{{ title(id: {}\"kite\"{}) {{ id }} }}", "[".repeat(2_000), "]".repeat(2_000)),
        "\u{feff}{ home { id } \u{0}}".to_owned(),
    ] {
        let what: String = query.chars().take(80).collect();
        let said = visitor.graph(&query).await;
        assert!(said["errors"][0]["extensions"]["code"].is_string(), "{what}: {said}");
    }
    for body in ["", "[]", "null", "{\"query\":7}", "[{\"query\":\"{ home { id } }\"},{\"query\":\"{ home { id } }\"}]"]
    {
        let request = visitor.request(Method::POST, "/graphql").header("content-type", "application/json").body(body);
        sent(request, body).await;
    }
    // And one that may.
    assert!(visitor.graph("{ me { profile { name } } }").await["errors"].is_null());
    unharmed(&house, &visitor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_tampered_with_opens_nothing() {
    let (house, visitor) = house().await;
    let parts: Vec<&str> = visitor.token.split('.').collect();
    let read = |part: &str| -> Value { serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    let written = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let (header, claims) = (read(parts[0]), read(parts[1]));
    let with = |value: &Value, key: &str, other: Value| {
        let mut changed = value.clone();
        changed[key] = other;
        written(&changed)
    };
    let mut tokens: Vec<String> = ["none", "None", "HS384", "RS256", "ES256"]
        .into_iter()
        .flat_map(|alg| {
            let header = with(&header, "alg", json!(alg));
            [format!("{header}.{}.", parts[1]), format!("{header}.{}.{}", parts[1], parts[2])]
        })
        .collect();
    for (key, other) in [
        ("roles", json!(["admin"])),
        ("account", json!("somebody-else")),
        ("exp", json!(99_999_999_999_u64)),
        ("aud", json!("license")),
        ("maturity_limit", json!(99)),
        ("iss", json!("https://elsewhere.example")),
    ] {
        tokens.push(format!("{}.{}.{}", parts[0], with(&claims, key, other), parts[2]));
    }
    for kid in [json!("0"), json!("../../dev/null"), json!("' UNION SELECT 'key"), json!(7), Value::Null] {
        tokens.push(format!("{}.{}.{}", with(&header, "kid", kid), parts[1], parts[2]));
    }
    tokens.push(format!("{}.{}.{}", parts[0], parts[1], &parts[2][..parts[2].len() - 2]));
    tokens.push(format!("{}.{}", parts[0], parts[1]));
    for token in tokens {
        let forger = Visitor { address: house.address.clone(), token: token.clone() };
        for path in ["/api/account", "/api/web/home", "/api/studio/accounts"] {
            let answer = forger.request(Method::GET, path).send().await.unwrap();
            assert_eq!(answer.status(), 401, "{path} with {token}");
        }
        assert_eq!(forger.post("/api/web/play", &json!({ "title": "kite" })).await.0, 401, "{token}");
    }
    // A token of a play is none of a viewer, nor the other way round.
    let licence =
        visitor.request(Method::POST, "/license/clearkey").json(&json!({ "kids": ["AAAAAAAAAAAAAAAAAAAAAA"] }));
    assert!(matches!(licence.send().await.unwrap().status().as_u16(), 401 | 403));
    assert_eq!(visitor.request(Method::GET, "/api/account").send().await.unwrap().status(), 200);
    unharmed(&house, &visitor).await;
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// Where each title that the viewer began goes on, in seconds.
async fn begun(visitor: &Visitor) -> Vec<(String, u64)> {
    let said = visitor.graph("{ continueWatching { id resumeSeconds } }").await;
    let titles = said["data"]["continueWatching"].as_array().cloned().unwrap_or_default();
    let read = |title: &Value| Some((title["id"].as_str()?.to_owned(), title["resumeSeconds"].as_f64()? as u64));
    titles.iter().filter_map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_wrong_and_reports_out_of_order_lose_no_place() {
    let (_house, visitor) = house().await;
    // Each device's clock is wrong by so many hours; it reports the last minute, shuffled, and sends that three times.
    for (number, wrong) in [-30 * 24, -9, -1, 0, 1, 7, 30 * 24].into_iter().enumerate() {
        let title = format!("film-{number}");
        let beat = |sequence: u64, sent: i64| {
            json!({ "title": title, "session": format!("s{number}"), "sequence": sequence, "state": "playing",
                "positionSeconds": 100 + 10 * sequence, "durationSeconds": 7200, "at": sent - 60_000 + 10_000 * sequence as i64 })
        };
        let sent = now_ms() + wrong * 3_600_000;
        let beats: Vec<Value> = [3, 1, 5, 2, 2, 4, 0].map(|sequence| beat(sequence, sent)).to_vec();
        let report = json!({ "sentAt": sent, "beats": beats });
        for _ in 0..3 {
            assert_eq!(visitor.post("/api/heartbeats", &report).await.0, 204, "{wrong} h");
        }
        // An early one that was under way for long.
        let late = json!({ "sentAt": sent + 1_000, "beats": [beat(0, sent)] });
        assert_eq!(visitor.post("/api/heartbeats", &late).await.0, 204);
        wait(Duration::from_secs(20), &format!("a clock that is wrong by {wrong} h to do no harm"), async || {
            begun(&visitor).await.contains(&(title.clone(), 150)).then_some(())
        })
        .await;
    }
    // A beat from the future (the clock was set back while it was kept) does not keep later ones out.
    let sent = now_ms();
    for (at, position) in [(sent + 5 * 3_600_000, 300), (sent + 1, 310)] {
        let beat = json!({ "title": "film-x", "session": "x", "sequence": position, "positionSeconds": position,
            "durationSeconds": 7200, "at": at, "state": "playing" });
        let report = json!({ "sentAt": sent, "beats": [beat] });
        assert_eq!(visitor.post("/api/heartbeats", &report).await.0, 204);
    }
    wait(Duration::from_secs(20), "the later beat to count", async || {
        begun(&visitor).await.contains(&("film-x".to_owned(), 310)).then_some(())
    })
    .await;
}
