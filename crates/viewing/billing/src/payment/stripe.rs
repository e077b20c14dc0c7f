//! Stripe, over its REST API, at one pinned version.
//!
//! A card is typed into Stripe's own form, which confirms a SetupIntent for charges off session: there its owner answers
//! whatever the bank asks (strong customer authentication). It is charged by PaymentIntents that are made and confirmed in
//! one call, off session; a card that asks for its owner again is declined. Every call that moves money carries our
//! intent's id as its idempotency key, and in its metadata, by which webhooks and old charges are matched.
//!
//! Source: docs.stripe.com/api (setup intents, payment intents, refunds, idempotent requests, events).

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use matinee_model::ids::AccountId;
use matinee_model::money::Money;
use reqwest::{Client, Method, StatusCode};
use serde::Deserialize;

use super::{
    Attach, Charge, Form, News, Notice, Outcome, PaymentProvider, Presence, ProviderError, Refund, WebhookError, verify,
};
use crate::config::StripeConfig;
use crate::customer::PaymentMethod;

/// The version of the API that these calls are written for.
pub const API_VERSION: &str = "2025-03-31.basil";

const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest answer that is read.
const MOST_BYTES: usize = 4 << 20;
/// Of our intent, in Stripe's metadata.
const INTENT: &str = "metadata[matinee_intent]";
const ACCOUNT: &str = "metadata[matinee_account]";

/// The adapter.
pub struct StripeProvider {
    http: Client,
    api: String,
    secret_key: String,
    publishable_key: String,
    webhook_secrets: Vec<String>,
}

impl std::fmt::Debug for StripeProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StripeProvider").field("api", &self.api).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct SetupIntent {
    client_secret: Option<String>,
}

#[derive(Deserialize)]
struct Customer {
    id: String,
}

#[derive(Deserialize)]
struct AttachedMethod {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    card: Option<Card>,
}

#[derive(Deserialize)]
struct Card {
    brand: String,
    last4: String,
}

#[derive(Deserialize)]
struct PaymentIntent {
    id: String,
    status: String,
    metadata: Option<HashMap<String, String>>,
    last_payment_error: Option<Problem>,
}

#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
}

#[derive(Deserialize)]
struct Refunded {
    id: String,
    status: Option<String>,
    metadata: Option<HashMap<String, String>>,
}

#[derive(Deserialize)]
struct Failure {
    error: Problem,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<String>,
    message: Option<String>,
}

impl Problem {
    fn told(&self) -> String {
        let text = self.message.as_deref().or(self.code.as_deref()).unwrap_or("no reason was given");
        text.chars().take(300).collect()
    }
}

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: serde_json::Value,
}

/// What a call came to, where Stripe decided.
enum Told<T> {
    Done(T),
    /// It can't be, and will not be under this key.
    Refused(String),
}

impl StripeProvider {
    /// Reads the secrets that `config` names.
    pub fn open(config: &StripeConfig) -> io::Result<Self> {
        let secret_key = std::fs::read_to_string(&config.secret_key_file)?.trim().to_owned();
        let secrets = std::fs::read_to_string(&config.webhook_secrets_file)?;
        let secrets = secrets.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        let stripe = Self::new(&config.api, secret_key, secrets).map_err(io::Error::other)?;
        Ok(Self { publishable_key: config.publishable_key.clone(), ..stripe })
    }

    /// At `api` (`https://api.stripe.com`), with a secret key and the secrets of our webhook.
    pub fn new(api: &str, secret_key: String, webhook_secrets: Vec<String>) -> Result<Self, reqwest::Error> {
        let http = Client::builder().timeout(TIMEOUT).build()?;
        let (api, publishable_key) = (api.trim_end_matches('/').to_owned(), String::new());
        Ok(Self { http, api, secret_key, publishable_key, webhook_secrets })
    }

    async fn call<T: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        fields: &[(&str, &str)],
    ) -> Result<Told<T>, ProviderError> {
        let unknown = |error: reqwest::Error| ProviderError::Unknown(error.without_url().to_string());
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.api));
        request = request.bearer_auth(&self.secret_key).header("stripe-version", API_VERSION);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if method == Method::POST {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(form(fields));
        }
        let mut answer = request.send().await.map_err(unknown)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(unknown)? {
            if body.len() + part.len() > MOST_BYTES {
                return Err(ProviderError::Unknown(format!("its answer is longer than {MOST_BYTES} bytes")));
            }
            body.extend_from_slice(&part);
        }
        let garbled =
            |error: serde_json::Error| ProviderError::Unknown(format!("its answer is not understood: {error}"));
        if status.is_success() {
            return serde_json::from_slice(&body).map(Told::Done).map_err(garbled);
        }
        let failure: Failure = serde_json::from_slice(&body).map_err(garbled)?;
        // The key in use, or under another request: no decision about this one.
        let idempotency = failure.error.kind.as_deref() == Some("idempotency_error");
        let decided = matches!(status, StatusCode::BAD_REQUEST | StatusCode::PAYMENT_REQUIRED | StatusCode::NOT_FOUND);
        if decided && !idempotency {
            return Ok(Told::Refused(failure.error.told()));
        }
        tracing::warn!(%status, path, reason = failure.error.told(), "stripe did not do what it was asked for");
        Err(ProviderError::Unknown(format!("{status}: {}", failure.error.told())))
    }

    /// The account's customer at Stripe, made where there is none.
    async fn customer(&self, attach: &Attach<'_>) -> Result<String, ProviderError> {
        if let Some(customer) = attach.customer {
            return Ok(customer.to_owned());
        }
        let mut fields = vec![(ACCOUNT, attach.account.as_str())];
        if !attach.email.is_empty() {
            fields.push(("email", attach.email));
        }
        let key = format!("{}-customer", attach.key);
        match self.call::<Customer>(Method::POST, "/v1/customers", Some(&key), &fields).await? {
            Told::Done(customer) => Ok(customer.id),
            Told::Refused(reason) => Err(ProviderError::Refused(reason)),
        }
    }
}

#[async_trait]
impl PaymentProvider for StripeProvider {
    fn name(&self) -> &'static str {
        "stripe"
    }

    async fn open_form(&self, account: &AccountId) -> Result<Form, ProviderError> {
        let fields = [("usage", "off_session"), ("payment_method_types[]", "card"), (ACCOUNT, account.as_str())];
        match self.call::<SetupIntent>(Method::POST, "/v1/setup_intents", None, &fields).await? {
            Told::Done(SetupIntent { client_secret: Some(client_secret) }) => {
                Ok(Form { publishable_key: self.publishable_key.clone(), client_secret })
            }
            Told::Done(_) => Err(ProviderError::Unknown("its setup intent has no client secret".to_owned())),
            // Nothing of it is the account's to put right.
            Told::Refused(reason) => Err(ProviderError::Unknown(reason)),
        }
    }

    async fn attach(&self, attach: Attach<'_>) -> Result<PaymentMethod, ProviderError> {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !attach.token.starts_with("pm_") || !attach.token.chars().all(legal) {
            return Err(ProviderError::Refused("a payment method of Stripe (pm_…) is taken".to_owned()));
        }
        let customer = self.customer(&attach).await?;
        let path = format!("/v1/payment_methods/{}/attach", attach.token);
        let key = format!("{}-attach", attach.key);
        match self.call::<AttachedMethod>(Method::POST, &path, Some(&key), &[("customer", &customer)]).await? {
            Told::Refused(reason) => Err(ProviderError::Refused(reason)),
            Told::Done(method) => {
                let label = match &method.card {
                    Some(card) => format!("{} ending in {}", capitalised(&card.brand), card.last4),
                    None => capitalised(&method.kind),
                };
                let provider = self.name().to_owned();
                Ok(PaymentMethod { provider, customer: Some(customer), reference: method.id, label })
            }
        }
    }

    async fn charge(&self, charge: Charge<'_>) -> Result<Outcome, ProviderError> {
        let amount = stripe_amount(charge.amount).to_string();
        let currency = charge.amount.currency.as_str().to_ascii_lowercase();
        let mut fields = vec![
            ("amount", amount.as_str()),
            ("currency", &currency),
            ("payment_method", &charge.method.reference),
            ("payment_method_types[]", "card"),
            ("confirm", "true"),
            // Also while its payer is there: nobody stands by to answer a challenge.
            ("off_session", "true"),
            ("description", charge.description),
            (INTENT, charge.key),
            (ACCOUNT, charge.account.as_str()),
            ("metadata[matinee_presence]", if charge.presence == Presence::Here { "here" } else { "away" }),
        ];
        if let Some(customer) = &charge.method.customer {
            fields.push(("customer", customer));
        }
        match self.call::<PaymentIntent>(Method::POST, "/v1/payment_intents", Some(charge.key), &fields).await? {
            Told::Done(intent) => Ok(outcome(intent)),
            Told::Refused(reason) => Ok(Outcome::Declined { reason }),
        }
    }

    async fn find(&self, charge: Charge<'_>) -> Result<Option<Outcome>, ProviderError> {
        let Some(customer) = &charge.method.customer else { return Ok(None) };
        let path = format!("/v1/payment_intents?limit=100&customer={}", encoded(customer));
        match self.call::<Page<PaymentIntent>>(Method::GET, &path, None, &[]).await? {
            Told::Refused(reason) => Err(ProviderError::Unknown(reason)),
            Told::Done(page) => {
                let ours = |intent: &PaymentIntent| of_intent(intent.metadata.as_ref(), charge.key);
                Ok(page.data.into_iter().find(ours).map(outcome))
            }
        }
    }

    async fn refund(&self, refund: Refund<'_>) -> Result<Outcome, ProviderError> {
        let amount = stripe_amount(refund.amount).to_string();
        let fields = [
            ("payment_intent", refund.payment),
            ("amount", amount.as_str()),
            (INTENT, refund.key),
            (ACCOUNT, refund.account.as_str()),
        ];
        match self.call::<Refunded>(Method::POST, "/v1/refunds", Some(refund.key), &fields).await? {
            Told::Refused(reason) => Ok(Outcome::Declined { reason }),
            Told::Done(made) => Ok(refund_outcome(made)),
        }
    }

    async fn find_refund(&self, refund: Refund<'_>) -> Result<Option<Outcome>, ProviderError> {
        let path = format!("/v1/refunds?limit=100&payment_intent={}", encoded(refund.payment));
        match self.call::<Page<Refunded>>(Method::GET, &path, None, &[]).await? {
            Told::Refused(reason) => Err(ProviderError::Unknown(reason)),
            Told::Done(page) => {
                let ours = |made: &Refunded| of_intent(made.metadata.as_ref(), refund.key);
                Ok(page.data.into_iter().find(ours).map(refund_outcome))
            }
        }
    }

    async fn forget(&self, customer: &str) -> Result<(), ProviderError> {
        let path = format!("/v1/customers/{}", encoded(customer));
        match self.call::<serde_json::Value>(Method::DELETE, &path, None, &[]).await? {
            Told::Done(_) => Ok(()),
            Told::Refused(reason) => {
                tracing::info!(reason, "stripe keeps no such customer");
                Ok(())
            }
        }
    }

    fn notice(&self, body: &[u8], headers: &HashMap<String, String>, now_us: i64) -> Result<Notice, WebhookError> {
        let header = headers.get("stripe-signature").ok_or(WebhookError::Signature("its header is missing"))?;
        verify(&self.webhook_secrets, header, body, now_us)?;
        let wrong = |error: serde_json::Error| WebhookError::Body(error.to_string());
        let event: Event = serde_json::from_slice(body).map_err(wrong)?;
        let tells = matches!(
            event.kind.as_str(),
            "payment_intent.succeeded" | "payment_intent.payment_failed" | "payment_intent.canceled"
        );
        if !tells {
            return Ok(Notice { event: event.id, news: None });
        }
        let mut intent: PaymentIntent = serde_json::from_value(event.data.object).map_err(wrong)?;
        let mut metadata = intent.metadata.take().unwrap_or_default();
        let (id, account) = (metadata.remove("matinee_intent"), metadata.remove("matinee_account"));
        // Others may take payments through the same Stripe account.
        let (Some(id), Some(account)) = (id, account) else { return Ok(Notice { event: event.id, news: None }) };
        // Said by the payment itself, not by the kind of event, for events overtake each other.
        Ok(Notice { event: event.id, news: Some(News { account, intent: id, outcome: outcome(intent) }) })
    }
}

fn of_intent(metadata: Option<&HashMap<String, String>>, key: &str) -> bool {
    metadata.and_then(|metadata| metadata.get("matinee_intent")).is_some_and(|id| id == key)
}

fn refund_outcome(made: Refunded) -> Outcome {
    match made.status.as_deref() {
        Some("failed" | "canceled") => Outcome::Declined { reason: "the refund failed".to_owned() },
        // Pending: it is on its way to the bank and off our balance.
        _ => Outcome::Succeeded { reference: made.id },
    }
}

fn outcome(intent: PaymentIntent) -> Outcome {
    match intent.status.as_str() {
        "succeeded" => Outcome::Succeeded { reference: intent.id },
        "processing" => Outcome::Processing,
        "requires_action" => Outcome::Declined { reason: "the card asks for its owner's confirmation".to_owned() },
        _ => {
            let reason = intent.last_payment_error.as_ref().map(Problem::told);
            Outcome::Declined { reason: reason.unwrap_or_else(|| "the payment was not made".to_owned()) }
        }
    }
}

/// In Stripe's unit: the currency's minor one, but for two that it counts in hundredths which nobody uses.
///
/// Source: Stripe, "Supported currencies", special cases.
fn stripe_amount(amount: Money) -> i64 {
    match amount.currency.as_str() {
        "ISK" | "UGX" => amount.minor.saturating_mul(100),
        _ => amount.minor,
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A body of `application/x-www-form-urlencoded`.
fn form(fields: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{}={}", encoded(name), encoded(value));
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use matinee_model::money::Currency;

    use super::*;
    use crate::payment::sign;

    const NOW: i64 = 1_790_000_000;

    #[test]
    fn a_form_keeps_what_would_part_its_fields() {
        assert_eq!(form(&[("a[b]", "x&y=z"), ("c", "é +")]), "a%5Bb%5D=x%26y%3Dz&c=%C3%A9%20%2B");
    }

    #[test]
    fn amounts_are_in_the_unit_that_stripe_counts_in() {
        for (currency, minor, stripe) in [("EUR", 999, 999), ("JPY", 790, 790), ("ISK", 5, 500)] {
            assert_eq!(stripe_amount(Money::new(minor, Currency::parse(currency).unwrap())), stripe);
        }
    }

    fn notice(body: &str) -> Result<Notice, WebhookError> {
        let stripe = StripeProvider::new("http://127.0.0.1:9", "sk_test".to_owned(), vec!["whsec".to_owned()]).unwrap();
        let headers = HashMap::from([("stripe-signature".to_owned(), sign("whsec", NOW, body.as_bytes()))]);
        stripe.notice(body.as_bytes(), &headers, NOW * 1_000_000)
    }

    #[test]
    fn an_event_is_believed_by_the_payment_in_it() {
        let event = |kind: &str, status: &str, metadata: &str| {
            format!(
                r#"{{"id":"evt_1","type":"{kind}","data":{{"object":{{"id":"pi_1","status":"{status}","metadata":{metadata}}}}}}}"#
            )
        };
        let ours = r#"{"matinee_intent":"i","matinee_account":"a"}"#;
        let read = notice(&event("payment_intent.payment_failed", "succeeded", ours)).unwrap();
        let outcome = Outcome::Succeeded { reference: "pi_1".to_owned() };
        let news = News { account: "a".to_owned(), intent: "i".to_owned(), outcome };
        assert_eq!(read, Notice { event: "evt_1".to_owned(), news: Some(news) });
        assert_eq!(notice(&event("payment_intent.succeeded", "succeeded", "{}")).unwrap().news, None, "another's");
        assert_eq!(notice(&event("customer.created", "", ours)).unwrap().news, None);
        assert!(matches!(notice("{"), Err(WebhookError::Body(_))));
        assert!(matches!(
            notice(r#"{"id":"e","type":"payment_intent.succeeded","data":{"object":{}}}"#),
            Err(WebhookError::Body(_))
        ));
    }
}
