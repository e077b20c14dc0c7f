//! A billing service over a folder, with a clock that the test sets and a provider that outlives the service.

#![allow(dead_code, reason = "no test uses all of it")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use matinee_billing::payment::TestProvider;
use matinee_billing::store::{BillingStore, SqliteBilling};
use matinee_billing::{BillingConfig, BillingService};
use matinee_contracts::billing::billing_client::BillingClient;
use matinee_contracts::billing::{
    AccountRequest, CancelRequest, ChangePlanRequest, EntitlementReply, EntitlementRequest, Invoice, LedgerReply,
    LedgerRequest, Money, Plan, RefundRequest, RunDueReply, RunDueRequest, SetPaymentMethodRequest, SubscribeRequest,
    Subscription,
};
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use tonic::Status;

pub const SECRET: &str = "whsec_test";
pub const DAY: i64 = 86_400_000_000;
/// 2026-01-31T12:00:00Z.
pub const START: i64 = 1_769_860_800_000_000;

/// Stands still until it is set.
#[derive(Debug)]
pub struct Hands(pub AtomicI64);

impl Clock for Hands {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub struct World {
    pub client: BillingClient<Channel>,
    pub service: BillingService,
    pub provider: Arc<TestProvider>,
    pub clock: Arc<Hands>,
    pub folder: tempfile::TempDir,
}

pub async fn store(folder: &Path) -> Arc<dyn BillingStore> {
    Arc::new(SqliteBilling::open(&folder.join("billing.db")).await.unwrap())
}

pub async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Hands(AtomicI64::new(START)));
    let provider = Arc::new(TestProvider::new(SECRET));
    let store = store(folder.path()).await;
    let service = service(store, &provider, &clock).await;
    let client = BillingClient::new(Channel::local(service.server()));
    World { client, service, provider, clock, folder }
}

pub async fn service(store: Arc<dyn BillingStore>, provider: &Arc<TestProvider>, clock: &Arc<Hands>) -> BillingService {
    let providers: Vec<Arc<dyn matinee_billing::payment::PaymentProvider>> = vec![Arc::clone(provider) as _];
    let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
    BillingService::new(store, providers, BillingConfig::default(), clock).await.unwrap()
}

pub fn wanted(account: &str, plan: &str, token: &str, key: &str) -> SubscribeRequest {
    SubscribeRequest {
        account: account.to_owned(),
        plan: plan.to_owned(),
        territory: "DE".to_owned(),
        payment_token: token.to_owned(),
        idempotency_key: key.to_owned(),
        email: "viewer@example.com".to_owned(),
    }
}

pub fn account(account: &str) -> AccountRequest {
    AccountRequest { account: account.to_owned() }
}

pub fn euros(minor: i64) -> Money {
    Money { minor, currency: "EUR".to_owned() }
}

impl World {
    pub fn at(&self, us: i64) {
        self.clock.0.store(us, Ordering::SeqCst);
    }

    pub fn now(&self) -> i64 {
        self.clock.now_us()
    }

    pub async fn subscribe(&self, who: &str, plan: &str, token: &str, key: &str) -> Result<Subscription, Status> {
        Ok(self.client.clone().subscribe(wanted(who, plan, token, key)).await?.into_inner())
    }

    pub async fn change(&self, who: &str, plan: &str, key: &str) -> Result<Subscription, Status> {
        let request =
            ChangePlanRequest { account: who.to_owned(), plan: plan.to_owned(), idempotency_key: key.to_owned() };
        Ok(self.client.clone().change_plan(request).await?.into_inner())
    }

    pub async fn cancel(&self, who: &str) -> Result<Subscription, Status> {
        let request = CancelRequest { account: who.to_owned(), reason: "too dear".to_owned() };
        Ok(self.client.clone().cancel(request).await?.into_inner())
    }

    pub async fn resume(&self, who: &str) -> Result<Subscription, Status> {
        Ok(self.client.clone().resume(account(who)).await?.into_inner())
    }

    pub async fn pay_by(&self, who: &str, token: &str, key: &str) -> Result<String, Status> {
        let request = SetPaymentMethodRequest {
            account: who.to_owned(),
            payment_token: token.to_owned(),
            idempotency_key: key.to_owned(),
        };
        Ok(self.client.clone().set_payment_method(request).await?.into_inner().label)
    }

    pub async fn subscription(&self, who: &str) -> Result<Subscription, Status> {
        Ok(self.client.clone().get_subscription(account(who)).await?.into_inner())
    }

    pub async fn entitlement(&self, who: &str) -> EntitlementReply {
        let request = EntitlementRequest { account: who.to_owned() };
        self.client.clone().entitlement(request).await.unwrap().into_inner()
    }

    pub async fn invoices(&self, who: &str) -> Vec<Invoice> {
        self.client.clone().list_invoices(account(who)).await.unwrap().into_inner().invoices
    }

    pub async fn refund(&self, invoice: &str, amount: Option<Money>, key: &str) -> Result<Invoice, Status> {
        let request = RefundRequest {
            invoice: invoice.to_owned(),
            amount,
            reason: "asked for".to_owned(),
            idempotency_key: key.to_owned(),
        };
        Ok(self.client.clone().refund(request).await?.into_inner())
    }

    /// Sets the clock, and does what is due then.
    pub async fn run(&self, at_us: i64) -> RunDueReply {
        self.at(at_us);
        self.client.clone().run_due(RunDueRequest { now_us: 0 }).await.unwrap().into_inner()
    }

    pub async fn ledger(&self, who: &str) -> LedgerReply {
        let request = LedgerRequest { account: who.to_owned(), limit: 1000, after: String::new() };
        self.client.clone().ledger(request).await.unwrap().into_inner()
    }

    pub async fn plan(&self, id: &str) -> Plan {
        let reply = self.client.clone().list_plans(matinee_contracts::billing::ListPlansRequest::default()).await;
        reply.unwrap().into_inner().plans.into_iter().find(|plan| plan.id == id).unwrap()
    }

    /// What stands in a ledger account over all, in euros.
    pub async fn balance(&self, name: &str) -> i64 {
        let of = |balance: &matinee_contracts::billing::Balance| {
            balance.amount.clone().filter(|amount| balance.ledger_account == name && amount.currency == "EUR")
        };
        self.ledger("").await.balances.iter().find_map(of).map_or(0, |amount| amount.minor)
    }

    /// Holds the books against the provider: no money is there that was not charged, and each transaction balances.
    pub async fn check_books(&self) {
        let ledger = self.ledger("").await;
        for sum in &ledger.sums {
            assert_eq!(sum.minor, 0, "the ledger sums to zero in {}", sum.currency);
        }
        let mut each = std::collections::BTreeMap::<(String, String), i64>::new();
        for entry in &ledger.entries {
            let amount = entry.amount.clone().unwrap();
            *each.entry((entry.transaction.clone(), amount.currency)).or_default() += amount.minor;
        }
        assert!(each.values().all(|sum| *sum == 0), "each transaction balances");
        let total = |moved: Vec<(String, matinee_model::money::Money)>| -> i64 {
            moved.iter().filter(|(_, amount)| amount.currency.as_str() == "EUR").map(|(_, amount)| amount.minor).sum()
        };
        let there = total(self.provider.charged()) - total(self.provider.refunded());
        assert_eq!(self.balance("cash:test").await, there, "the books know all that the provider has");
    }
}
