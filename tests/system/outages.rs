//! Each service made dead and slow in turn, as a viewer who was here before meets it: homes show, titles open, films
//! start, and what a player reports is on disk or comes again.
//!
//! What can't be without a service by its nature is said here too: a play without playback, a sign-in without accounts,
//! an acknowledged heartbeat without telemetry. Those are refused soon, and say when to come again.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod house;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use house::{House, film, wait};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

/// Those behind the gateway.
const SERVICES: [&str; 14] = [
    "accounts",
    "billing",
    "catalog",
    "search",
    "history",
    "ratings",
    "recommend",
    "playback",
    "license",
    "telemetry",
    "lake",
    "traces",
    "workflow",
    "ingest",
];
/// Longer than any answer is waited for, so that one that comes did not wait for it.
const SLOW: &str = "slow:20000";
const PATIENCE: Duration = Duration::from_secs(6);
const DEVICES: [&str; 3] = ["web", "tv", "mobile"];
const PASSWORD: &str = "a kite over the harbour";

/// Somebody who watches.
struct Member {
    address: String,
    token: String,
    refresh: String,
    /// What their requests ask for (`x-matinee-fault`); empty for nothing.
    fault: String,
    /// Where the player is, in seconds: the last position that was acknowledged.
    position: u32,
}

impl Member {
    /// Signs up, picks a plan and a profile.
    async fn new(house: &House, email: &str) -> (Self, String) {
        let mut member = Self {
            address: house.address.clone(),
            token: String::new(),
            refresh: String::new(),
            fault: String::new(),
            position: 0,
        };
        let who = json!({ "email": email, "password": PASSWORD, "name": "Ada", "territory": "US", "tokens": "body" });
        let signed_up = member.said(Method::POST, "/api/account/sign-up", who).await;
        member.signed_in(&signed_up);
        let plan = json!({ "plan": "basic", "paymentToken": "test-ok" });
        member.said(Method::POST, "/api/subscription", plan).await;
        let profile = json!({ "profile": signed_up["profiles"][0]["id"], "tokens": "body" });
        let chosen = member.said(Method::POST, "/api/account/choose-profile", profile).await;
        member.signed_in(&chosen);
        (member, signed_up["account"]["id"].as_str().unwrap().to_owned())
    }

    fn signed_in(&mut self, said: &Value) {
        self.token = said["accessToken"].as_str().unwrap_or_default().to_owned();
        self.refresh = said["refreshToken"].as_str().unwrap_or_default().to_owned();
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let mut request = reqwest::Client::new().request(method, format!("{}{path}", self.address)).timeout(PATIENCE);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if !self.fault.is_empty() {
            request = request.header("x-matinee-fault", &self.fault);
        }
        if let Some(body) = body {
            request = request.header("idempotency-key", "the-only-one").json(&body);
        }
        request.send().await.unwrap_or_else(|error| panic!("{path} is not answered in time ({error})"))
    }

    /// What is answered, which must be well.
    async fn said(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = self.ask(method, path, Some(body).filter(|body| !body.is_null())).await;
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn get(&self, path: &str) -> Value {
        self.said(Method::GET, path, Value::Null).await
    }

    async fn play(&self, device: &str) -> Response {
        self.ask(Method::POST, &format!("/api/{device}/play"), Some(json!({ "title": "kite" }))).await
    }

    /// Reports that the film is at `position`.
    async fn report(&self, position: u32) -> Response {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        let beat = json!({ "title": "kite", "session": "s", "sequence": position, "positionSeconds": position,
            "durationSeconds": 7200, "at": now, "state": "playing" });
        self.ask(Method::POST, "/api/heartbeats", Some(json!({ "sentAt": now, "beats": [beat] }))).await
    }

    /// Where the film would go on.
    async fn resumes_at(&self) -> Option<u32> {
        let page = self.ask(Method::GET, "/api/web/titles/kite", None).await.json::<Value>().await.ok()?;
        page["resumeSeconds"].as_f64().map(|seconds| seconds as u32)
    }

    /// All that this test is of, while `service` does not answer (nothing: all do).
    async fn watches_without(&mut self, service: &str) {
        for device in DEVICES {
            let home = self.get(&format!("/api/{device}/home")).await;
            assert!(shows(&home, "kite"), "{device}'s home without {service}: {home}");
            assert_eq!(home["stale"], service == "recommend", "{device}'s home without {service}");
            let page = self.get(&format!("/api/{device}/titles/kite")).await;
            assert_eq!((&page["name"], &page["playable"]), (&json!("The Kite"), &json!(true)), "without {service}");
            let play = self.play(device).await;
            if service == "playback" {
                come_again(play, "a play").await;
                continue;
            }
            let status = play.status();
            let session: Value = play.json().await.unwrap();
            assert_eq!(status, StatusCode::OK, "a play without {service}: {session}");
            for part in ["token", "license"] {
                assert!(!session[part].as_str().unwrap().is_empty(), "{part} of {session}");
            }
            let manifest = self.ask(Method::GET, session["hls"].as_str().unwrap(), None).await;
            assert_eq!(manifest.status(), StatusCode::OK, "without {service}");
            assert!(manifest.text().await.unwrap().starts_with("#EXTM3U"));
        }
        let me = self.get("/api/account").await;
        assert_eq!((&me["signedIn"], me["profile"]["id"].is_string()), (&json!(true), true), "without {service}: {me}");
        let next = self.position + 1;
        let report = self.report(next).await;
        match service {
            "telemetry" => come_again(report, "a heartbeat").await,
            _ => {
                assert_eq!(report.status(), StatusCode::NO_CONTENT, "without {service}");
                self.position = next;
            }
        }
    }
}

/// Whether a row has the title.
fn shows(home: &Value, title: &str) -> bool {
    let rows = home["rows"].as_array().into_iter().flatten();
    rows.flat_map(|row| row["items"].as_array().into_iter().flatten()).any(|card| card["id"] == title)
}

/// Refused for now, and said when it is worth coming again.
async fn come_again(answer: Response, what: &str) {
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{what}");
    let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..60).contains(&wait), "{what}: in {wait} s");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}

/// A house with a film and somebody who watched it.
async fn house(settings: &[(&str, &str)]) -> (House, Member, String) {
    let mut all = vec![
        ("MATINEE_VIEWING__ACCESS", "members"),
        ("MATINEE_VIEWING__RATE_LIMITS", "false"),
        ("MATINEE_ENCODE__VMAF_SHARE", "0"),
    ];
    all.extend(settings);
    let mut house = House::new(&all);
    let master = tempfile::tempdir().unwrap();
    let file = master.path().join("film.mp4");
    film(&file, 5, "320x180", &[]);
    house.start(&[]).await;
    house.try_add("kite", &file, &["--name", "The Kite"]).unwrap();
    house.published("kite").await;
    let (member, account) = Member::new(&house, "ada@example.org").await;
    whole(&member).await;
    (house, member, account)
}

/// Waits until every service answers again: circuit breakers let the first through after a while.
async fn whole(member: &Member) {
    wait(Duration::from_secs(60), "every service to answer", async || {
        let home = member.ask(Method::GET, "/api/web/home", None).await.json::<Value>().await.ok()?;
        let plays = member.play("web").await.status().is_success();
        let knows = !member.get("/api/account").await["account"]["email"].as_str()?.is_empty();
        let page = member.ask(Method::GET, "/api/web/titles/kite", None).await.json::<Value>().await.ok()?;
        let said = !page["listed"].is_null() && !page["license"].is_null();
        let hears = member.report(member.position).await.status().is_success();
        (home["stale"] == false && shows(&home, "kite") && plays && knows && said && hears).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_service_a_tester_does_without_the_film_starts() {
    let (mut house, mut member, account) = house(&[]).await;
    house.kill();
    house.set("MATINEE_FAULTS__ACCOUNTS", &format!("[\"{account}\"]"));
    house.start(&[]).await;
    whole(&member).await;
    member.watches_without("nothing").await;
    let (mut other, _) = Member::new(&house, "bob@example.org").await;
    for service in SERVICES {
        for fault in ["dead", SLOW] {
            member.fault = format!("{service}={fault}");
            member.watches_without(service).await;
            // Nobody else's: neither by the header, which is not theirs to send, nor by a breaker that opened.
            other.fault.clone_from(&member.fault);
            other.watches_without("nothing").await;
            assert_eq!(other.get("/api/web/home").await["stale"], false, "{service} answers others");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_service_dies_the_film_starts_and_no_acknowledged_heartbeat_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("matinee.toml");
    let play = |faults: &str| std::fs::write(&file, format!("[faults]\ninject = {faults:?}\n")).unwrap();
    play("");
    let (mut house, mut member, _) = house(&[("MATINEE_CONFIG", file.to_str().unwrap())]).await;
    let mut read = 0;
    for service in SERVICES {
        for fault in ["dead", SLOW] {
            play(&format!("{service}={fault}"));
            read = again(&house, read).await;
            member.watches_without(service).await;
            if service == "accounts" {
                let who = json!({ "email": "ada@example.org", "password": PASSWORD, "tokens": "body" });
                come_again(member.ask(Method::POST, "/api/account/sign-in", Some(who)).await, "a sign-in").await;
                // Who is signed in stays so, however long it takes.
                let refresh = json!({ "refreshToken": member.refresh });
                let longer = member.said(Method::POST, "/api/account/refresh", refresh).await;
                member.signed_in(&longer);
                member.watches_without(service).await;
            }
            play("");
            read = again(&house, read).await;
            whole(&member).await;
        }
    }
    // As soon as it is acknowledged, it outlives the process.
    let last = member.position + 100;
    assert_eq!(member.report(last).await.status(), StatusCode::NO_CONTENT);
    house.kill();
    house.start(&[]).await;
    wait(Duration::from_secs(30), "the last acknowledged position", async || {
        (member.resumes_at().await? == last).then_some(())
    })
    .await;
}

/// Has the configuration read again, for the `before + 1`-th time.
async fn again(house: &House, before: usize) -> usize {
    house.hang_up();
    wait(Duration::from_secs(10), "the configuration to be read again", async || {
        let log = std::fs::read_to_string(house.log()).ok()?;
        (log.matches("the configuration was read again").count() > before).then_some(before + 1)
    })
    .await
}
