//! A process that dies between any two steps of a payment: it is never charged twice, and what was begun is finished.
//!
//! The store and the provider count the places at which a process can die: before and after each commit, each charge
//! and each refund. At the chosen one the call stops for good and is dropped, as a killed process would drop it; then
//! another process opens the same file.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use matinee_billing::answer::Remembered;
use matinee_billing::customer::{Customer, PaymentMethod};
use matinee_billing::intent::Intent;
use matinee_billing::invoice::Invoice;
use matinee_billing::payment::{
    Attach, Charge, Form, Notice, Outcome, PaymentProvider, ProviderError, Refund, TestProvider, WebhookError,
};
use matinee_billing::plan::{Plan, PlanId};
use matinee_billing::store::{Announcement, BillingStore, Booked, Step};
use matinee_billing::{BillingConfig, BillingError, BillingService};
use matinee_contracts::billing::billing_client::BillingClient;
use matinee_contracts::billing::{ChangePlanRequest, RefundRequest, RunDueRequest, SubscriptionState};
use matinee_model::ids::AccountId;
use matinee_model::money::Money;
use matinee_service::channel::Channel;
use tokio::sync::Notify;
use world::{World, euros, service, store, wanted, world};

/// Where the process dies: at the place of that number.
#[derive(Debug, Default)]
struct Fate {
    left: AtomicI64,
    died: Notify,
}

impl Fate {
    async fn step(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

#[derive(Debug)]
struct MortalStore(Arc<dyn BillingStore>, Arc<Fate>);

#[async_trait]
impl BillingStore for MortalStore {
    async fn commit(&self, step: &Step) -> Result<(), BillingError> {
        self.1.step().await;
        let done = self.0.commit(step).await;
        self.1.step().await;
        done
    }
    async fn plans(&self) -> Result<Vec<Plan>, BillingError> {
        self.0.plans().await
    }
    async fn plan(&self, id: &PlanId) -> Result<Plan, BillingError> {
        self.0.plan(id).await
    }
    async fn put_plan(&self, plan: &Plan, expected: Option<u64>, now_us: i64) -> Result<Plan, BillingError> {
        self.0.put_plan(plan, expected, now_us).await
    }
    async fn customer(&self, account: &AccountId) -> Result<Option<Customer>, BillingError> {
        self.0.customer(account).await
    }
    async fn due(&self, now_us: i64, after: &str, most: u32) -> Result<Vec<AccountId>, BillingError> {
        self.0.due(now_us, after, most).await
    }
    async fn under_way(&self, made_us: i64, after: &str, most: u32) -> Result<Vec<Intent>, BillingError> {
        self.0.under_way(made_us, after, most).await
    }
    async fn intent(&self, account: &AccountId, id: &str) -> Result<Option<Intent>, BillingError> {
        self.0.intent(account, id).await
    }
    async fn remembered(&self, account: &AccountId, key: &str) -> Result<Option<Remembered>, BillingError> {
        self.0.remembered(account, key).await
    }
    async fn invoices(&self, account: &AccountId, most: u32) -> Result<Vec<Invoice>, BillingError> {
        self.0.invoices(account, most).await
    }
    async fn invoice(&self, id: &str) -> Result<Option<Invoice>, BillingError> {
        self.0.invoice(id).await
    }
    async fn booked(&self, account: Option<&AccountId>, after: &str, most: u32) -> Result<Vec<Booked>, BillingError> {
        self.0.booked(account, after, most).await
    }
    async fn balances(&self, account: Option<&AccountId>) -> Result<Vec<(String, Money)>, BillingError> {
        self.0.balances(account).await
    }
    async fn sums(&self) -> Result<Vec<Money>, BillingError> {
        self.0.sums().await
    }
    async fn note_event(&self, provider: &str, event: &str, now_us: i64) -> Result<bool, BillingError> {
        self.0.note_event(provider, event, now_us).await
    }
    async fn knows_event(&self, provider: &str, event: &str) -> Result<bool, BillingError> {
        self.0.knows_event(provider, event).await
    }
    async fn forget(&self, before_us: i64, account: Option<&AccountId>) -> Result<(), BillingError> {
        self.0.forget(before_us, account).await
    }
    async fn unannounced(&self, most: u32) -> Result<Vec<Announcement>, BillingError> {
        self.0.unannounced(most).await
    }
    async fn announced(&self, announcement: &Announcement) -> Result<(), BillingError> {
        self.0.announced(announcement).await
    }
}

#[derive(Debug)]
struct MortalProvider(Arc<TestProvider>, Arc<Fate>);

#[async_trait]
impl PaymentProvider for MortalProvider {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    async fn open_form(&self, account: &AccountId) -> Result<Form, ProviderError> {
        self.0.open_form(account).await
    }
    async fn attach(&self, attach: Attach<'_>) -> Result<PaymentMethod, ProviderError> {
        self.1.step().await;
        self.0.attach(attach).await
    }
    async fn charge(&self, charge: Charge<'_>) -> Result<Outcome, ProviderError> {
        self.1.step().await;
        let done = self.0.charge(charge).await;
        self.1.step().await;
        done
    }
    async fn find(&self, charge: Charge<'_>) -> Result<Option<Outcome>, ProviderError> {
        self.0.find(charge).await
    }
    async fn refund(&self, refund: Refund<'_>) -> Result<Outcome, ProviderError> {
        self.1.step().await;
        let done = self.0.refund(refund).await;
        self.1.step().await;
        done
    }
    async fn find_refund(&self, refund: Refund<'_>) -> Result<Option<Outcome>, ProviderError> {
        self.0.find_refund(refund).await
    }
    async fn forget(&self, customer: &str) -> Result<(), ProviderError> {
        self.0.forget(customer).await
    }
    fn notice(&self, body: &[u8], headers: &HashMap<String, String>, now_us: i64) -> Result<Notice, WebhookError> {
        self.0.notice(body, headers, now_us)
    }
}

/// What the process was at when it died.
#[derive(Debug, Clone, Copy)]
enum Work {
    Subscribes,
    Upgrades,
    Renews,
    Refunds,
}

async fn work(what: Work, mut client: BillingClient<Channel>, world: &World) -> Result<(), tonic::Status> {
    match what {
        Work::Subscribes => drop(client.subscribe(wanted("a", "basic", "test-ok", "k")).await?),
        Work::Upgrades => {
            let (account, plan) = ("a".to_owned(), "premium".to_owned());
            client.change_plan(ChangePlanRequest { account, plan, idempotency_key: "c".to_owned() }).await?;
        }
        Work::Renews => {
            let now_us = world.now();
            client.run_due(RunDueRequest { now_us }).await?;
        }
        Work::Refunds => {
            let invoice = world.invoices("a").await[0].id.clone();
            let (reason, idempotency_key) = ("asked for".to_owned(), "r".to_owned());
            client.refund(RefundRequest { invoice, amount: Some(euros(100)), reason, idempotency_key }).await?;
        }
    }
    Ok(())
}

/// Charges and refunds, in euros' minor unit, after the work is done once and then repeated.
fn owed(what: Work) -> (i64, i64) {
    match what {
        Work::Subscribes => (599, 0),
        Work::Upgrades => (599 + 900, 0),
        Work::Renews => (599 * 2, 0),
        Work::Refunds => (599, 100),
    }
}

/// Lets a process die at place `at` of the work; false where the work has no such place.
async fn dies_at(what: Work, at: i64) -> bool {
    let world = world().await;
    if !matches!(what, Work::Subscribes) {
        let begun = world.subscribe("a", "basic", "test-ok", "first").await.unwrap();
        if matches!(what, Work::Renews) {
            world.at(begun.period_end_us);
        }
    }
    let fate = Arc::new(Fate { left: AtomicI64::new(at), died: Notify::new() });
    let mortal = Arc::new(MortalStore(store(world.folder.path()).await, Arc::clone(&fate)));
    let provider: Arc<dyn PaymentProvider> = Arc::new(MortalProvider(Arc::clone(&world.provider), Arc::clone(&fate)));
    let clock = Arc::clone(&world.clock) as _;
    let doomed = BillingService::new(mortal, vec![provider], BillingConfig::default(), clock).await.unwrap();
    let died = tokio::select! {
        done = work(what, BillingClient::new(Channel::local(doomed.server())), &world) => { done.unwrap(); false }
        () = fate.died.notified() => true,
    };
    drop(doomed);
    // The next process sees through what it finds, then the caller repeats its request.
    let again = service(store(world.folder.path()).await, &world.provider, &world.clock).await;
    again.see_through(i64::MAX, world.now()).await.unwrap();
    work(what, BillingClient::new(Channel::local(again.server())), &world).await.unwrap();
    let total = |moved: Vec<(String, Money)>| moved.iter().map(|(_, amount)| amount.minor).sum::<i64>();
    let moved = (total(world.provider.charged()), total(world.provider.refunded()));
    assert_eq!(moved, owed(what), "{what:?}, dying at place {at}");
    assert_eq!(world.subscription("a").await.unwrap().state, SubscriptionState::Active as i32, "{what:?} at {at}");
    assert_eq!(world.balance("receivable").await, 0, "{what:?} at {at}");
    let mut numbers: Vec<String> = world.invoices("a").await.into_iter().map(|invoice| invoice.number).collect();
    numbers.sort();
    let expected: Vec<String> = (1..=numbers.len()).map(|n| format!("2026-{n:06}")).collect();
    assert_eq!(numbers, expected, "{what:?} at {at}: numbers have no gap");
    world.check_books().await;
    died
}

async fn dies_everywhere(what: Work, places: i64) {
    let mut at = 0;
    while dies_at(what, at).await {
        at += 1;
    }
    assert_eq!(at, places, "{what:?}: each place was tried");
}

#[tokio::test]
async fn a_process_killed_while_somebody_subscribes_charges_once() {
    dies_everywhere(Work::Subscribes, 7).await;
}

#[tokio::test]
async fn a_process_killed_during_an_upgrade_charges_once() {
    dies_everywhere(Work::Upgrades, 6).await;
}

#[tokio::test]
async fn a_process_killed_during_a_renewal_charges_once() {
    dies_everywhere(Work::Renews, 6).await;
}

#[tokio::test]
async fn a_process_killed_during_a_refund_gives_back_once() {
    dies_everywhere(Work::Refunds, 6).await;
}
