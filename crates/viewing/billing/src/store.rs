//! The port to what billing keeps.
//!
//! A change of an account is one [`Step`]: it is committed as a whole, and only where the account is still as it was
//! when the step was decided; otherwise it fails with [`BillingError::Raced`], and is decided anew. So histories are
//! serialisable, account by account, on every engine; a step is values alone, so that an adapter whose engine gives up a
//! transaction (40001) says [`BillingError::Raced`] as well, or commits it again.

mod books;
mod plans;
mod sqlite;

use async_trait::async_trait;
use matinee_model::ids::AccountId;
use matinee_model::money::Money;

pub use self::sqlite::SqliteBilling;
use crate::answer::{Answer, Asked, Remembered};
use crate::customer::Customer;
use crate::error::BillingError;
use crate::intent::Intent;
use crate::invoice::Invoice;
use crate::ledger::Transaction;
use crate::plan::{Plan, PlanId};
use crate::subscription::Subscription;

/// An invoice in a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepInvoice {
    /// It gets its number with the step.
    Issued(Invoice),
    /// It has one.
    Changed(Invoice),
}

/// A change of a subscription that others must hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Whose.
    pub account: AccountId,
    /// Its plan.
    pub plan: PlanId,
    /// The state's word.
    pub state: String,
    /// Until when it holds as things are (microseconds since 1970).
    pub until_us: i64,
    /// When it changed.
    pub at_us: i64,
    /// The account's revision with it; with the account, its key.
    pub revision: u64,
}

/// What becomes of one account, all at once or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// As it is from then on; at the revision at which it was read.
    pub customer: Customer,
    /// Payments, as they are from then on.
    pub intents: Vec<Intent>,
    /// Invoices.
    pub invoices: Vec<StepInvoice>,
    /// For the ledger.
    pub transactions: Vec<Transaction>,
    /// A call that came, the payment that it began, and its answer where it has one.
    pub asked: Option<(Asked, Option<String>, Option<Answer>)>,
    /// The answer of a call that came before, by its key.
    pub answer: Option<(String, Answer)>,
    /// A payment provider's event that is taken in with it: the provider, and the event's id.
    pub event: Option<(String, String)>,
    /// Whether others must hear of the subscription.
    pub announced: bool,
    /// When (microseconds since 1970).
    pub at_us: i64,
}

impl Step {
    /// One that changes nothing yet.
    #[must_use]
    pub fn new(customer: Customer, at_us: i64) -> Self {
        Self {
            customer,
            intents: Vec::new(),
            invoices: Vec::new(),
            transactions: Vec::new(),
            asked: None,
            answer: None,
            event: None,
            announced: false,
            at_us,
        }
    }

    /// The account's subscription is this one from then on, and others hear of it.
    pub fn subscribe(&mut self, subscription: Subscription) {
        self.customer.subscription = Some(subscription);
        self.announced = true;
    }

    /// Answers the call that waits for the intent, where one does.
    pub fn answer_intent(&mut self, intent: &Intent, answer: Answer) {
        if let Some(key) = &intent.answers {
            self.answer = Some((key.clone(), answer));
        }
    }
}

/// A transaction, as it was booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// Its id.
    pub id: String,
    /// When (microseconds since 1970).
    pub at_us: i64,
    /// For people.
    pub reason: String,
    /// Where, and how much.
    pub entries: Vec<(String, Money)>,
}

/// What is kept. Each call is one transaction; what it returns is durable.
#[async_trait]
pub trait BillingStore: Send + Sync + std::fmt::Debug {
    /// The newest edition of every plan, by rank.
    async fn plans(&self) -> Result<Vec<Plan>, BillingError>;

    /// The newest edition of a plan.
    async fn plan(&self, id: &PlanId) -> Result<Plan, BillingError>;

    /// Adds a plan, or an edition of it; changes nothing where all is so already. With `expected`, fails with
    /// [`BillingError::Changed`] unless the newest edition is that one.
    async fn put_plan(&self, plan: &Plan, expected: Option<u64>, now_us: i64) -> Result<Plan, BillingError>;

    /// One account.
    async fn customer(&self, account: &AccountId) -> Result<Option<Customer>, BillingError>;

    /// Takes a step. Fails with [`BillingError::Raced`] where the account changed since it was read, and with
    /// [`BillingError::Repeated`] where the step's event was taken in before.
    async fn commit(&self, step: &Step) -> Result<(), BillingError>;

    /// Accounts of whom something is due at `now_us`, in the order of their ids, from the first after `after`.
    async fn due(&self, now_us: i64, after: &str, most: u32) -> Result<Vec<AccountId>, BillingError>;

    /// Payments under way that were begun until `made_us`, in the order of their ids, from the first after `after`.
    async fn under_way(&self, made_us: i64, after: &str, most: u32) -> Result<Vec<Intent>, BillingError>;

    /// One payment.
    async fn intent(&self, account: &AccountId, id: &str) -> Result<Option<Intent>, BillingError>;

    /// A call that came before.
    async fn remembered(&self, account: &AccountId, key: &str) -> Result<Option<Remembered>, BillingError>;

    /// The newest invoices of an account, newest first.
    async fn invoices(&self, account: &AccountId, most: u32) -> Result<Vec<Invoice>, BillingError>;

    /// One invoice, whosever it is.
    async fn invoice(&self, id: &str) -> Result<Option<Invoice>, BillingError>;

    /// Transactions of an account, or of all, from the first after transaction `after`, oldest first.
    async fn booked(&self, account: Option<&AccountId>, after: &str, most: u32) -> Result<Vec<Booked>, BillingError>;

    /// What stands where: of an account by its ledger accounts, of all with accounts of one kind in one line.
    async fn balances(&self, account: Option<&AccountId>) -> Result<Vec<(String, Money)>, BillingError>;

    /// The sum of the whole ledger, one a currency.
    async fn sums(&self) -> Result<Vec<Money>, BillingError>;

    /// Notes a payment provider's event that changes nothing; false where it was noted before.
    async fn note_event(&self, provider: &str, event: &str, now_us: i64) -> Result<bool, BillingError>;

    /// Whether a payment provider's event was taken in before.
    async fn knows_event(&self, provider: &str, event: &str) -> Result<bool, BillingError>;

    /// Drops answers and events of before `before_us`, and where an account is named all of its answers and of its
    /// payments that are not under way; their invoices stay.
    async fn forget(&self, before_us: i64, account: Option<&AccountId>) -> Result<(), BillingError>;

    /// The oldest announcements that nobody heard yet, at most `most`, in their order.
    async fn unannounced(&self, most: u32) -> Result<Vec<Announcement>, BillingError>;

    /// Forgets an announcement that was heard.
    async fn announced(&self, announcement: &Announcement) -> Result<(), BillingError>;
}
