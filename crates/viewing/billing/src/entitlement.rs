//! What an account may watch with, answered from memory where it was read shortly before.
//!
//! What is kept is the subscription, not the answer: that is found by the clock each time. A change in this process is
//! seen at once, one in another process after [`crate::BillingConfig::entitlement_seconds`] at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use matinee_contracts::billing::EntitlementReply;
use matinee_model::ids::AccountId;

use crate::error::BillingError;
use crate::names::place_of;
use crate::store::BillingStore;
use crate::subscription::{Standing, Subscription};

/// Counters of changes; accounts share them by chance, which costs no more than a reading.
const GENERATIONS: usize = 1024;

type Held = Arc<Option<Subscription>>;

/// Subscriptions in memory, at most so many, each for so long.
#[derive(Debug)]
pub struct Entitlements {
    kept: moka::future::Cache<AccountId, Held>,
    generations: Vec<AtomicU64>,
}

impl Entitlements {
    /// Of at most `accounts`, each at most `age` old.
    #[must_use]
    pub fn new(accounts: u64, age: Duration) -> Self {
        let kept = moka::future::Cache::builder().max_capacity(accounts).time_to_live(age).build();
        Self { kept, generations: (0..GENERATIONS).map(|_| AtomicU64::new(0)).collect() }
    }

    fn generation(&self, account: &AccountId) -> &AtomicU64 {
        &self.generations[place_of(account.as_str(), GENERATIONS)]
    }

    /// The account's subscription, as it was at most the bound's age ago.
    pub async fn subscription(&self, store: &dyn BillingStore, account: &AccountId) -> Result<Held, BillingError> {
        if let Some(held) = self.kept.get(account).await {
            return Ok(held);
        }
        let generation = self.generation(account);
        let before = generation.load(Ordering::SeqCst);
        let held: Held = Arc::new(store.customer(account).await?.and_then(|customer| customer.subscription));
        self.kept.insert(account.clone(), Arc::clone(&held)).await;
        // Changed while it was read: what was put in may be older than the change.
        if generation.load(Ordering::SeqCst) != before {
            self.kept.invalidate(account).await;
        }
        Ok(held)
    }

    /// The account was changed.
    pub async fn changed(&self, account: &AccountId) {
        self.generation(account).fetch_add(1, Ordering::SeqCst);
        self.kept.invalidate(account).await;
    }
}

/// What `subscription` entitles to at `now_us`.
#[must_use]
pub fn entitlement(subscription: Option<&Subscription>, now_us: i64) -> EntitlementReply {
    let refused = |reason: &str| EntitlementReply { reason: reason.to_owned(), ..EntitlementReply::default() };
    let Some(subscription) = subscription else { return refused("no_subscription") };
    let plan = subscription.terms.plan.as_str().to_owned();
    match subscription.standing(now_us) {
        Standing::Lapsed => EntitlementReply { plan, ..refused("lapsed") },
        Standing::PastDue => EntitlementReply { plan, ..refused("past_due") },
        Standing::Entitled { until_us } => EntitlementReply {
            entitled: true,
            reason: String::new(),
            plan,
            max_height: subscription.terms.max_height,
            streams: subscription.terms.streams,
            until_us,
        },
    }
}
