//! How long an entitlement takes with a million accounts in the database:
//! `cargo run --release -p matinee-billing --example entitlements [ACCOUNTS]`.
//!
//! Prints percentiles of calls through the contract: of accounts that are in memory, and of accounts that are not.

#![allow(clippy::unwrap_used, reason = "a measurement may panic")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use matinee_billing::customer::Customer;
use matinee_billing::payment::TestProvider;
use matinee_billing::plan::{PlanId, default_plans};
use matinee_billing::store::{BillingStore, SqliteBilling};
use matinee_billing::subscription::{Subscription, Terms};
use matinee_billing::{BillingConfig, BillingService};
use matinee_contracts::billing::EntitlementRequest;
use matinee_contracts::billing::billing_client::BillingClient;
use matinee_model::ids::AccountId;
use matinee_model::territory::Territory;
use matinee_service::channel::Channel;
use matinee_service::clock::{Clock, SystemClock};
use sqlx::{Connection, SqliteConnection};

fn id(number: u64) -> String {
    // Spread, as accounts' ids are.
    format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

async fn fill(path: &std::path::Path, accounts: u64) {
    let terms = default_plans().unwrap().into_iter().find(|plan| plan.id == PlanId::parse("plan", "premium").unwrap());
    let territory = Territory::parse("DE").unwrap();
    let terms = Terms::of(&terms.unwrap(), territory).unwrap();
    let now_us = SystemClock.now_us();
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let mut step = connection.begin().await.unwrap();
    for number in 0..accounts {
        let account = AccountId::parse(&id(number)).unwrap();
        let mut customer = Customer::new(account.clone());
        let subscription = Subscription::paid(id(number), terms.clone(), territory, now_us).unwrap();
        customer.subscription = Some(subscription);
        sqlx::query("INSERT INTO customer (account, revision, due_us, data) VALUES ($1, 1, $2, $3)")
            .bind(account.as_str())
            .bind(now_us + 2_592_000_000_000)
            .bind(serde_json::to_string(&customer).unwrap())
            .execute(&mut *step)
            .await
            .unwrap();
    }
    step.commit().await.unwrap();
}

async fn measure(client: &BillingClient<Channel>, name: &str, accounts: impl Iterator<Item = u64>) {
    let mut took: Vec<Duration> = Vec::new();
    for number in accounts {
        let begun = Instant::now();
        let request = EntitlementRequest { account: id(number) };
        let reply = client.clone().entitlement(request).await.unwrap().into_inner();
        took.push(begun.elapsed());
        assert!(reply.entitled);
    }
    took.sort_unstable();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
    println!("{name}: p50 {:?}, p99 {:?}, p99.9 {:?}, of {} calls", at(0.5), at(0.99), at(0.999), took.len());
}

#[tokio::main]
async fn main() {
    let accounts: u64 = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("billing.db");
    let store: Arc<dyn BillingStore> = Arc::new(SqliteBilling::open(&path).await.unwrap());
    let begun = Instant::now();
    fill(&path, accounts).await;
    println!("{accounts} accounts were made in {:?}", begun.elapsed());
    let config = BillingConfig { entitlement_seconds: 60, ..BillingConfig::default() };
    let provider = Arc::new(TestProvider::new("none"));
    let service = BillingService::new(store, vec![provider], config, Arc::new(SystemClock)).await.unwrap();
    let client = BillingClient::new(Channel::local(service.server()));
    let some = |number: u64| number.wrapping_mul(7919) % accounts;
    measure(&client, "from the database", (0..20_000).map(some)).await;
    measure(&client, "from memory", (0..200_000).map(|number| some(number % 20_000))).await;
}
