//! The built-in provider: it moves no money. What a payment comes to is written in its token, so that tests and
//! demonstrations see every case.
//!
//! | token | what happens |
//! |---|---|
//! | `test-ok` | every charge succeeds |
//! | `test-declined` | every charge is declined |
//! | `test-declined-later` | charges succeed while their payer is there, renewals are declined |
//! | `test-slow` | each charge is under way when it is first asked for, and has succeeded when it is asked for again |
//! | `test-timeout` | each charge takes place, but its first answer is lost |
//! | `test-lost` | each charge is lost on its way at first, and takes place when it is asked for again |
//! | any other | no payment method |

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use matinee_model::ids::AccountId;
use matinee_model::money::Money;
use serde::{Deserialize, Serialize};

use super::{
    Attach, Charge, Form, News, Notice, Outcome, PaymentProvider, Presence, ProviderError, Refund, WebhookError, sign,
    verify,
};
use crate::customer::PaymentMethod;
use crate::names::derived;

/// Of its webhooks.
const HEADER: &str = "matinee-test-signature";

const TOKENS: [(&str, &str); 6] = [
    ("test-ok", "Test card ending in 0000"),
    ("test-declined", "Test card ending in 0002"),
    ("test-declined-later", "Test card ending in 0341"),
    ("test-slow", "Test account ending in 0010"),
    ("test-timeout", "Test card ending in 0408"),
    ("test-lost", "Test card ending in 0404"),
];

#[derive(Debug, Clone)]
struct Moved {
    account: String,
    amount: Money,
    outcome: Outcome,
    asked: u32,
}

/// The provider. What it charged it knows for as long as it lives.
#[derive(Debug)]
pub struct TestProvider {
    secret: String,
    charges: Mutex<HashMap<String, Moved>>,
    refunds: Mutex<HashMap<String, Moved>>,
}

#[derive(Serialize, Deserialize)]
struct Event {
    id: String,
    account: String,
    intent: String,
    /// None: it was declined.
    reference: Option<String>,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TestProvider {
    /// Signs its webhooks with `secret`.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self { secret: secret.to_owned(), charges: Mutex::default(), refunds: Mutex::default() }
    }

    /// Every charge that succeeded: its key and its amount.
    #[must_use]
    pub fn charged(&self) -> Vec<(String, Money)> {
        succeeded(&held(&self.charges))
    }

    /// Every refund that succeeded: its key and its amount.
    #[must_use]
    pub fn refunded(&self) -> Vec<(String, Money)> {
        succeeded(&held(&self.refunds))
    }

    /// A webhook that says, at `now_us`, how the charge of that key ended; its body and its headers.
    #[must_use]
    pub fn told(&self, event: &str, key: &str, now_us: i64) -> Option<(Vec<u8>, HashMap<String, String>)> {
        let moved = held(&self.charges).get(key).cloned()?;
        let reference = match moved.outcome {
            Outcome::Succeeded { reference } => Some(reference),
            _ => None,
        };
        let event = Event { id: event.to_owned(), account: moved.account, intent: key.to_owned(), reference };
        let body = serde_json::to_vec(&event).ok()?;
        let header = sign(&self.secret, now_us.div_euclid(1_000_000), &body);
        Some((body, HashMap::from([(HEADER.to_owned(), header)])))
    }
}

fn succeeded(all: &HashMap<String, Moved>) -> Vec<(String, Money)> {
    let done = all.iter().filter(|(_, moved)| matches!(moved.outcome, Outcome::Succeeded { .. }));
    done.map(|(key, moved)| (key.clone(), moved.amount)).collect()
}

fn token_of(method: &str) -> &str {
    method.rsplit_once('.').map_or(method, |(token, _)| token)
}

#[async_trait]
impl PaymentProvider for TestProvider {
    fn name(&self) -> &'static str {
        "test"
    }

    async fn open_form(&self, _account: &AccountId) -> Result<Form, ProviderError> {
        Ok(Form::default())
    }

    async fn attach(&self, attach: Attach<'_>) -> Result<PaymentMethod, ProviderError> {
        let Some((token, label)) = TOKENS.iter().find(|(token, _)| *token == attach.token) else {
            let tokens: Vec<&str> = TOKENS.iter().map(|(token, _)| *token).collect();
            return Err(ProviderError::Refused(format!("one of {} is taken", tokens.join(", "))));
        };
        let account = attach.account.as_str();
        Ok(PaymentMethod {
            provider: self.name().to_owned(),
            customer: Some(format!("customer.{account}")),
            reference: format!("{token}.{}", derived(&["method", account])),
            label: (*label).to_owned(),
        })
    }

    async fn charge(&self, charge: Charge<'_>) -> Result<Outcome, ProviderError> {
        let token = token_of(&charge.method.reference);
        let mut charges = held(&self.charges);
        let known = charges.get(charge.key).map_or(0, |moved| moved.asked);
        if token == "test-lost" && known == 0 {
            let outcome = Outcome::Processing;
            let account = charge.account.as_str().to_owned();
            charges.insert(charge.key.to_owned(), Moved { account, amount: charge.amount, outcome, asked: 1 });
            return Err(ProviderError::Unknown("the request was lost".to_owned()));
        }
        let declined = || Outcome::Declined { reason: "the card was declined".to_owned() };
        let outcome = match token {
            "test-declined" => declined(),
            "test-declined-later" if charge.presence == Presence::Away => declined(),
            "test-slow" if known == 0 => Outcome::Processing,
            _ => Outcome::Succeeded { reference: format!("payment.{}", charge.key) },
        };
        let moved = charges.entry(charge.key.to_owned()).or_insert_with(|| Moved {
            account: charge.account.as_str().to_owned(),
            amount: charge.amount,
            outcome: outcome.clone(),
            asked: 0,
        });
        if moved.amount != charge.amount {
            return Err(ProviderError::Unknown("the key stands for another charge".to_owned()));
        }
        moved.asked += 1;
        if moved.outcome == Outcome::Processing {
            moved.outcome = outcome;
        }
        if token == "test-timeout" && moved.asked == 1 {
            return Err(ProviderError::Unknown("the answer was lost".to_owned()));
        }
        Ok(moved.outcome.clone())
    }

    async fn find(&self, charge: Charge<'_>) -> Result<Option<Outcome>, ProviderError> {
        let mut charges = held(&self.charges);
        let Some(moved) = charges.get_mut(charge.key) else { return Ok(None) };
        if moved.outcome == Outcome::Processing {
            if token_of(&charge.method.reference) == "test-lost" {
                return Ok(None);
            }
            moved.outcome = Outcome::Succeeded { reference: format!("payment.{}", charge.key) };
        }
        Ok(Some(moved.outcome.clone()))
    }

    async fn refund(&self, refund: Refund<'_>) -> Result<Outcome, ProviderError> {
        let key = refund.payment.strip_prefix("payment.").unwrap_or_default();
        // Of a payment before this process there is nothing to hold a refund against.
        let paid = held(&self.charges).get(key).map_or(i64::MAX, |moved| moved.amount.minor);
        let mut refunds = held(&self.refunds);
        if let Some(moved) = refunds.get(refund.key) {
            return Ok(moved.outcome.clone());
        }
        let before: i64 =
            refunds.values().filter(|moved| moved.account == refund.payment).map(|m| m.amount.minor).sum();
        let outcome = if before.saturating_add(refund.amount.minor) > paid {
            Outcome::Declined { reason: "more than was paid can't be given back".to_owned() }
        } else {
            Outcome::Succeeded { reference: format!("refund.{}", refund.key) }
        };
        let moved =
            Moved { account: refund.payment.to_owned(), amount: refund.amount, outcome: outcome.clone(), asked: 1 };
        if matches!(outcome, Outcome::Succeeded { .. }) {
            refunds.insert(refund.key.to_owned(), moved);
        }
        Ok(outcome)
    }

    async fn find_refund(&self, refund: Refund<'_>) -> Result<Option<Outcome>, ProviderError> {
        Ok(held(&self.refunds).get(refund.key).map(|moved| moved.outcome.clone()))
    }

    async fn forget(&self, _customer: &str) -> Result<(), ProviderError> {
        Ok(())
    }

    fn notice(&self, body: &[u8], headers: &HashMap<String, String>, now_us: i64) -> Result<Notice, WebhookError> {
        let header = headers.get(HEADER).ok_or(WebhookError::Signature("its header is missing"))?;
        verify(std::slice::from_ref(&self.secret), header, body, now_us)?;
        let event: Event = serde_json::from_slice(body).map_err(|error| WebhookError::Body(error.to_string()))?;
        let outcome = match event.reference {
            Some(reference) => Outcome::Succeeded { reference },
            None => Outcome::Declined { reason: "the card was declined".to_owned() },
        };
        let news = Some(News { account: event.account, intent: event.intent, outcome });
        Ok(Notice { event: event.id, news })
    }
}
