//! The Stripe adapter against stripe-mock, which holds every request against Stripe's own description of its API.
//!
//! `MATINEE_TEST_STRIPE` names one that runs; otherwise `tests/engines/engine` starts one.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use matinee_billing::customer::PaymentMethod;
use matinee_billing::payment::{
    Attach, Charge, Outcome, PaymentProvider, Presence, ProviderError, Refund, StripeProvider,
};
use matinee_model::ids::AccountId;
use matinee_model::money::{Currency, Money};

/// The address of a mock, or why there is none.
fn endpoint() -> &'static Result<String, String> {
    static ENDPOINT: OnceLock<Result<String, String>> = OnceLock::new();
    ENDPOINT.get_or_init(|| {
        if let Ok(named) = std::env::var("MATINEE_TEST_STRIPE") {
            return Ok(named);
        }
        let engine = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/engines/engine");
        let started =
            Command::new(engine).args(["start", "stripe-mock"]).output().map_err(|error| error.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if started.status.success() { Ok(text(&started.stdout)) } else { Err(text(&started.stderr)) }
    })
}

async fn stripe() -> StripeProvider {
    let endpoint = tokio::task::spawn_blocking(endpoint).await.unwrap();
    let endpoint =
        endpoint.as_ref().expect("stripe-mock should start (Go installs it), or MATINEE_TEST_STRIPE name one");
    StripeProvider::new(endpoint, "sk_test_matinee".to_owned(), vec!["whsec".to_owned()]).unwrap()
}

fn account() -> AccountId {
    AccountId::parse("a1").unwrap()
}

fn euros(minor: i64) -> Money {
    Money::new(minor, Currency::parse("EUR").unwrap())
}

fn method() -> PaymentMethod {
    PaymentMethod {
        provider: "stripe".to_owned(),
        customer: Some("cus_123".to_owned()),
        reference: "pm_123".to_owned(),
        label: "Visa ending in 4242".to_owned(),
    }
}

fn charge<'a>(account: &'a AccountId, method: &'a PaymentMethod, minor: i64) -> Charge<'a> {
    let (key, description, presence) = ("intent-1", "Subscription", Presence::Away);
    Charge { key, account, amount: euros(minor), method, description, presence }
}

#[tokio::test]
async fn a_form_opens_for_charges_while_its_owner_is_away() {
    let form = stripe().await.open_form(&account()).await.unwrap();
    assert!(form.client_secret.starts_with("seti_"), "{form:?}");
    let nobody = StripeProvider::new("http://127.0.0.1:1", "sk_test".to_owned(), Vec::new()).unwrap();
    assert!(matches!(nobody.open_form(&account()).await, Err(ProviderError::Unknown(_))));
}

#[tokio::test]
async fn a_payment_method_is_attached_to_a_customer() {
    let (stripe, account) = (stripe().await, account());
    let attach = |token| Attach { token, account: &account, email: "a@example.com", customer: None, key: "k" };
    let method = stripe.attach(attach("pm_card_visa")).await.unwrap();
    assert_eq!((method.provider.as_str(), method.label.as_str()), ("stripe", "Visa ending in 4242"));
    assert!(method.customer.unwrap().starts_with("cus_") && method.reference.starts_with("pm_"));
    for token in ["tok_visa", "pm_/../customers", ""] {
        assert!(matches!(stripe.attach(attach(token)).await, Err(ProviderError::Refused(_))), "{token}");
    }
}

#[tokio::test]
async fn a_charge_is_a_request_that_stripe_takes() {
    let (stripe, account, method) = (stripe().await, account(), method());
    // The mock keeps no money: its payments wait for a method, which is a refusal here. What it would refuse by
    // Stripe's description it names.
    let made = stripe.charge(charge(&account, &method, 599)).await.unwrap();
    let Outcome::Declined { reason } = made else { panic!("{made:?}") };
    assert!(!reason.contains("validation"), "{reason}");
    assert_eq!(stripe.find(charge(&account, &method, 599)).await.unwrap(), None, "the mock keeps no metadata");
}

#[tokio::test]
async fn money_goes_back_and_a_customer_is_forgotten() {
    let (stripe, account) = (stripe().await, account());
    let refund = || Refund { key: "intent-2", account: &account, payment: "pi_123", amount: euros(100) };
    let given = stripe.refund(refund()).await.unwrap();
    assert!(matches!(&given, Outcome::Succeeded { reference } if reference.starts_with("re_")), "{given:?}");
    assert_eq!(stripe.find_refund(refund()).await.unwrap(), None);
    stripe.forget("cus_123").await.unwrap();
}

#[tokio::test]
async fn a_provider_that_does_not_answer_leaves_it_open() {
    let stripe = StripeProvider::new("http://127.0.0.1:1", "sk_test".to_owned(), Vec::new()).unwrap();
    let (account, method) = (account(), method());
    let lost = stripe.charge(charge(&account, &method, 599)).await.unwrap_err();
    assert!(matches!(&lost, ProviderError::Unknown(_)), "{lost:?}");
    assert!(!lost.to_string().contains("sk_test"), "{lost}");
    assert!(!format!("{stripe:?}").contains("sk_test"), "no key is shown");
}
