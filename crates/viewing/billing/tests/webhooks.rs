//! Webhooks and events: what comes from outside, and what is told.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use matinee_contracts::billing::{SubscriptionState, WebhookRequest};
use matinee_contracts::events::account_changed::What;
use matinee_contracts::events::{AccountChanged, AccountDeleted, SubscriptionChanged};
use matinee_engines::events::{self, EventLogConfig, Events};
use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use world::{START, World, account, service, store, world};

const SOON: Duration = Duration::from_secs(20);
const ACTIVE: i32 = SubscriptionState::Active as i32;

impl World {
    async fn hears(&self, body: Vec<u8>, headers: HashMap<String, String>) -> Result<bool, Status> {
        let request = WebhookRequest { provider: "test".to_owned(), body, headers };
        Ok(self.client.clone().webhook(request).await?.into_inner().repeated_event)
    }

    /// The key of the only charge that the provider knows of, and what it says about it.
    fn told(&self, event: &str) -> (Vec<u8>, HashMap<String, String>) {
        let keys = self.provider.charged();
        self.provider.told(event, &keys[0].0, self.now()).unwrap()
    }
}

#[tokio::test]
async fn a_webhook_settles_what_our_own_call_did_not() {
    let world = world().await;
    world.subscribe("a", "basic", "test-timeout", "k").await.unwrap_err();
    let (body, headers) = world.told("evt-1");
    assert!(!world.hears(body.clone(), headers.clone()).await.unwrap());
    assert_eq!(world.subscription("a").await.unwrap().state, ACTIVE);
    assert!(world.hears(body, headers).await.unwrap(), "again changes nothing");
    // And our own call comes late: it finds the same.
    world.run(START + 60_000_000).await;
    world.subscribe("a", "basic", "test-timeout", "k").await.unwrap();
    let (body, headers) = world.told("evt-2");
    assert!(!world.hears(body, headers).await.unwrap(), "another event about what is known");
    assert_eq!(world.invoices("a").await.len(), 1);
    world.check_books().await;
}

#[tokio::test]
async fn the_same_event_at_once_is_taken_in_once() {
    let world = world().await;
    world.subscribe("a", "basic", "test-timeout", "k").await.unwrap_err();
    let (body, headers) = world.told("evt-1");
    let all = (0..6).map(|_| world.hears(body.clone(), headers.clone()));
    let fresh =
        futures::future::join_all(all).await.into_iter().filter(|repeated| !*repeated.as_ref().unwrap()).count();
    assert_eq!((fresh, world.invoices("a").await.len()), (1, 1));
    world.check_books().await;
}

#[tokio::test]
async fn a_webhook_that_is_not_the_provider_s_is_refused() {
    let world = world().await;
    world.subscribe("a", "basic", "test-timeout", "k").await.unwrap_err();
    let (body, headers) = world.told("evt-1");
    let mut forged = body.clone();
    forged[0] ^= 1;
    assert_eq!(world.hears(forged, headers.clone()).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(world.hears(body.clone(), HashMap::new()).await.unwrap_err().code(), Code::Unauthenticated);
    world.at(START + 301_000_000);
    assert_eq!(world.hears(body.clone(), headers.clone()).await.unwrap_err().code(), Code::Unauthenticated, "too old");
    world.at(START);
    let capital = headers.into_iter().map(|(name, value)| (name.to_uppercase(), value)).collect();
    assert!(!world.hears(body, capital).await.unwrap(), "names of headers have no case");
    let unknown = WebhookRequest { provider: "none".to_owned(), ..WebhookRequest::default() };
    assert_eq!(world.client.clone().webhook(unknown).await.unwrap_err().code(), Code::NotFound);
}

async fn log(world: &World) -> Events {
    events::open(&world.folder.path().join("events"), EventLogConfig::default()).await.unwrap()
}

async fn heard(log: &Events, count: usize) -> Vec<SubscriptionChanged> {
    let topic = matinee_billing::announce::TOPIC;
    let read = async {
        loop {
            let events = log.read(topic, 0, 100).await.unwrap();
            if events.len() >= count {
                return events;
            }
            log.wait(topic, events.len() as u64).await.unwrap();
        }
    };
    let events = tokio::time::timeout(SOON, read).await.expect("the events should be there by now");
    events.into_iter().map(|event| SubscriptionChanged::decode(event.payload).unwrap()).collect()
}

#[tokio::test]
async fn each_change_is_told_in_order_and_none_is_lost_by_a_restart() {
    let world = world().await;
    let log = log(&world).await;
    // While nobody announces: the process is stopped here, and another one goes on.
    let begun = world.subscribe("a", "basic", "test-declined-later", "k").await.unwrap();
    world.run(begun.period_end_us).await;
    let again = service(store(world.folder.path()).await, &world.provider, &world.clock).await;
    let stop = CancellationToken::new();
    let (announcing, to, until) = (again.clone(), log.clone(), stop.clone());
    let announcing = tokio::spawn(async move { announcing.announce(to, until).await });
    let told = heard(&log, 2).await;
    assert_eq!(told.iter().map(|event| event.state.as_str()).collect::<Vec<_>>(), ["active", "past_due"]);
    assert_eq!(
        (told[0].account.as_str(), told[0].plan.as_str(), told[0].until_us),
        ("a", "basic", begun.period_end_us)
    );
    again.due_until(begun.period_end_us + world::DAY).await.unwrap();
    assert_eq!(heard(&log, 3).await[2].state, "past_due");
    stop.cancel();
    tokio::time::timeout(SOON, announcing).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_account_that_is_deleted_leaves_its_invoices_and_nothing_that_tells_who_it_was() {
    let world = world().await;
    let log = log(&world).await;
    world.subscribe("a", "basic", "test-ok", "k").await.unwrap();
    let deleted = What::Deleted(AccountDeleted { profiles: vec!["p".to_owned()] });
    let event = AccountChanged { account: "a".to_owned(), what: Some(deleted), at_us: START };
    log.append("accounts", "a", Bytes::from_static(b"\xff\xff")).await.unwrap();
    for _ in 0..2 {
        log.append("accounts", "a", Bytes::from(event.encode_to_vec())).await.unwrap();
    }
    let stop = CancellationToken::new();
    let (service, from, until) = (world.service.clone(), log.clone(), stop.clone());
    let consuming = tokio::spawn(async move { service.consume(from, until).await });
    let done = async {
        while log.committed("accounts", "billing").await.unwrap() < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, done).await.unwrap();
    stop.cancel();
    tokio::time::timeout(SOON, consuming).await.unwrap().unwrap();
    assert_eq!(world.entitlement("a").await.reason, "lapsed");
    assert_eq!(world.invoices("a").await[0].state, "paid", "as the law asks");
    let json = world.client.clone().export(account("a")).await.unwrap().into_inner().json;
    let text = String::from_utf8(json).unwrap();
    assert!(!text.contains("example.com") && !text.contains("ending in") && text.contains("2026-000001"), "{text}");
    assert_eq!(world.subscribe("a", "basic", "test-ok", "k2").await.unwrap_err().code(), Code::FailedPrecondition);
    let invoice = world.invoices("a").await[0].id.clone();
    assert_eq!(world.refund(&invoice, None, "r").await.unwrap().state, "refunded", "what was paid can be given back");
    world.check_books().await;
}

#[tokio::test]
async fn money_that_comes_in_after_its_account_went_is_sent_back() {
    let world = world().await;
    let log = log(&world).await;
    world.subscribe("a", "basic", "test-timeout", "k").await.unwrap_err();
    let deleted = What::Deleted(AccountDeleted::default());
    let event = AccountChanged { account: "a".to_owned(), what: Some(deleted), at_us: START };
    log.append("accounts", "a", Bytes::from(event.encode_to_vec())).await.unwrap();
    let stop = CancellationToken::new();
    let (service, from, until) = (world.service.clone(), log.clone(), stop.clone());
    let consuming = tokio::spawn(async move { service.consume(from, until).await });
    let done = async {
        while log.committed("accounts", "billing").await.unwrap() < 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, done).await.unwrap();
    stop.cancel();
    tokio::time::timeout(SOON, consuming).await.unwrap().unwrap();
    world.run(START + 60_000_000).await;
    world.run(START + 180_000_000).await;
    assert_eq!((world.provider.charged().len(), world.provider.refunded().len()), (1, 1));
    assert_eq!((world.balance("unapplied").await, world.balance("cash:test").await), (0, 0));
    assert_eq!(world.entitlement("a").await.reason, "no_subscription");
    world.check_books().await;
}

#[tokio::test]
async fn an_export_holds_all_that_is_kept() {
    let world = world().await;
    world.subscribe("a", "basic", "test-ok", "k").await.unwrap();
    let json = world.client.clone().export(account("a")).await.unwrap().into_inner().json;
    let all: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(all["email"], "viewer@example.com");
    assert_eq!(all["invoices"][0]["number"], "2026-000001");
    assert_eq!(all["ledger"].as_array().unwrap().len(), 2);
    assert_eq!(all["subscription"]["terms"]["plan"], "basic");
}
