//! Billing, through its contract.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod world;

use matinee_contracts::billing::billing_client::BillingClient;
use matinee_contracts::billing::{
    ChangePlanRequest, InvoiceRequest, LedgerRequest, ListPlansRequest, Money, Plan, Price, PutPlanRequest,
    RefundRequest, SetPaymentMethodRequest, SubscribeRequest, SubscriptionState,
};
use matinee_service::channel::Channel;
use tonic::Code;
use world::{DAY, START, World, account, euros, service, store, wanted, world};

const TRIALING: i32 = SubscriptionState::Trialing as i32;
const ACTIVE: i32 = SubscriptionState::Active as i32;
const PAST_DUE: i32 = SubscriptionState::PastDue as i32;
const ENDED: i32 = SubscriptionState::Ended as i32;

fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

#[tokio::test]
async fn plans_have_the_price_of_the_territory() {
    let world = world().await;
    let listed = |territory: &str| {
        let request = ListPlansRequest { territory: territory.to_owned(), offered_only: true };
        let mut client = world.client.clone();
        async move { client.list_plans(request).await.unwrap().into_inner().plans }
    };
    let german = listed("DE").await;
    assert_eq!(german.iter().map(|plan| plan.id.as_str()).collect::<Vec<_>>(), ["basic", "standard", "premium"]);
    assert_eq!(german[1].prices, [Price { territory: "DE".to_owned(), amount: Some(euros(999)) }]);
    assert_eq!(listed("BR").await[1].prices[0].amount.clone().unwrap().currency, "USD");
    assert!(listed("").await[0].prices.len() > 10);
}

#[tokio::test]
async fn a_trial_is_had_once_and_then_paid_for() {
    let world = world().await;
    let begun = world.subscribe("a", "standard", "test-ok", "k1").await.unwrap();
    assert_eq!((begun.state, begun.trial_end_us, begun.period_end_us), (TRIALING, START + 14 * DAY, START + 14 * DAY));
    assert_eq!(begun.payment_method.as_ref().unwrap().label, "Test card ending in 0000");
    assert!(world.provider.charged().is_empty() && world.invoices("a").await.is_empty());
    let entitled = world.entitlement("a").await;
    assert!(entitled.entitled && entitled.max_height == 1080 && entitled.streams == 2);
    assert_eq!(entitled.until_us, START + 14 * DAY);
    // 14 February is the day of the month from then on.
    assert_eq!(world.run(START + 14 * DAY - 1).await.renewed, 0);
    assert_eq!(world.run(START + 14 * DAY).await.renewed, 1);
    let active = world.subscription("a").await.unwrap();
    assert_eq!((active.state, active.period_end_us), (ACTIVE, at("2026-03-14T12:00:00Z")));
    let invoices = world.invoices("a").await;
    assert_eq!((invoices.len(), invoices[0].number.as_str(), invoices[0].state.as_str()), (1, "2026-000001", "paid"));
    world.cancel("a").await.unwrap();
    assert_eq!(world.run(active.period_end_us).await.ended, 1);
    assert_eq!(world.entitlement("a").await.reason, "lapsed");
    let again = world.subscribe("a", "premium", "test-ok", "k2").await.unwrap();
    assert_eq!((again.state, again.trial_end_us), (ACTIVE, 0), "a second trial there is not");
    world.check_books().await;
}

#[tokio::test]
async fn months_are_counted_from_the_first_day() {
    let world = world().await;
    world.subscribe("a", "basic", "test-ok", "k").await.unwrap();
    for end in ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"] {
        let end = at(&format!("{end}T12:00:00Z"));
        assert_eq!(world.subscription("a").await.unwrap().period_end_us, end);
        assert_eq!(world.run(end).await.renewed, 1);
    }
    assert_eq!(world.invoices("a").await.len(), 5);
    assert_eq!(world.balance("cash:test").await, 5 * 599);
    world.check_books().await;
}

#[tokio::test]
async fn the_same_key_charges_once_and_another_request_under_it_is_refused() {
    let world = world().await;
    let first = world.subscribe("a", "basic", "test-ok", "k").await.unwrap();
    assert_eq!(world.subscribe("a", "basic", "test-ok", "k").await.unwrap(), first);
    let other = world.subscribe("a", "premium", "test-ok", "k").await.unwrap_err();
    assert_eq!(other.code(), Code::InvalidArgument);
    assert!(other.message().starts_with("idempotency_key is refused"), "{}", other.message());
    let twice = world.subscribe("a", "basic", "test-ok", "k2").await.unwrap_err();
    assert_eq!(twice.code(), Code::AlreadyExists);
    assert!(twice.message().starts_with("subscribed: "), "{}", twice.message());
    assert_eq!(world.provider.charged().len(), 1);
    // Another account's key is another key.
    world.subscribe("b", "basic", "test-ok", "k").await.unwrap();
    world.check_books().await;
}

#[tokio::test]
async fn who_asks_many_times_at_once_pays_once() {
    let world = world().await;
    let same = (0..8).map(|_| world.subscribe("a", "basic", "test-slow", "k"));
    for answer in futures::future::join_all(same).await {
        // Under way for those who asked first; nobody is told that it failed.
        assert!(
            answer.as_ref().map_or_else(|status| status.code() == Code::Aborted, |s| s.state == ACTIVE),
            "{answer:?}"
        );
    }
    let keys: Vec<String> = (0..8).map(|n| format!("k{n}")).collect();
    let different = keys.iter().map(|key| world.subscribe("b", "basic", "test-ok", key));
    let begun = futures::future::join_all(different).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(begun, 1);
    world.subscribe("a", "basic", "test-slow", "k").await.unwrap();
    assert_eq!(world.provider.charged().len(), 2);
    world.check_books().await;
}

#[tokio::test]
async fn a_declined_payment_begins_nothing_and_says_why() {
    let world = world().await;
    let declined = world.subscribe("a", "basic", "test-declined", "k").await.unwrap_err();
    assert_eq!(declined.code(), Code::FailedPrecondition);
    assert_eq!(declined.message(), "declined: the payment was declined: the card was declined");
    assert_eq!(world.subscribe("a", "basic", "test-declined", "k").await.unwrap_err().message(), declined.message());
    assert_eq!(world.subscription("a").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(world.entitlement("a").await.reason, "no_subscription");
    assert!(world.invoices("a").await.is_empty(), "and no number is lost");
    world.subscribe("a", "basic", "test-ok", "k2").await.unwrap();
    assert_eq!(world.invoices("a").await[0].number, "2026-000001");
    world.check_books().await;
}

#[tokio::test]
async fn lost_and_late_answers_are_seen_through() {
    for token in ["test-timeout", "test-lost", "test-slow"] {
        let world = world().await;
        let unknown = world.subscribe("a", "basic", token, "k").await.unwrap_err();
        assert_eq!(unknown.code(), Code::Aborted, "{token}");
        assert!(unknown.message().starts_with("payment_under_way: "), "{}", unknown.message());
        let meanwhile = world.subscribe("a", "basic", "test-ok", "other").await.unwrap_err();
        assert_eq!(meanwhile.code(), Code::Aborted, "no second payment begins: {}", meanwhile.message());
        world.run(START + 59_000_000).await;
        assert_eq!(world.subscription("a").await.unwrap_err().code(), Code::NotFound, "its own call has a minute");
        world.run(START + 60_000_000).await;
        let begun = world.subscription("a").await.unwrap();
        assert_eq!((begun.state, begun.period_start_us), (ACTIVE, START + 60_000_000), "it counts from its payment on");
        assert_eq!(
            world.subscribe("a", "basic", token, "k").await.unwrap().id,
            begun.id,
            "and the call has its answer"
        );
        assert_eq!(world.provider.charged().len(), 1, "{token}");
        world.check_books().await;
    }
}

#[tokio::test]
async fn a_payment_that_is_a_day_old_is_looked_for_and_not_asked_for_again() {
    let world = world().await;
    world.subscribe("a", "basic", "test-timeout", "k").await.unwrap_err();
    world.run(START + 2 * DAY).await;
    assert_eq!(world.subscription("a").await.unwrap().state, ACTIVE);
    assert_eq!(world.provider.charged().len(), 1);
    world.check_books().await;
}

#[tokio::test]
async fn a_renewal_that_fails_is_tried_by_schedule_and_then_it_ends() {
    let world = world().await;
    let end = world.subscribe("a", "basic", "test-declined-later", "k").await.unwrap().period_end_us;
    assert_eq!(world.run(end).await.failed, 1);
    let owed = world.subscription("a").await.unwrap();
    assert_eq!((owed.state, owed.failed_attempts, owed.next_attempt_us), (PAST_DUE, 1, end + DAY));
    assert!(world.entitlement("a").await.entitled, "in the days of grace");
    assert_eq!(world.balance("receivable").await, 599);
    for day in [1, 3, 5] {
        assert_eq!(world.run(end + day * DAY).await.failed, 1, "day {day}");
    }
    assert_eq!(world.entitlement("a").await.reason, "past_due", "after them");
    assert_eq!(world.run(end + 7 * DAY - 1).await.failed, 0);
    assert_eq!(world.run(end + 7 * DAY).await.ended, 1);
    assert_eq!(world.entitlement("a").await.reason, "lapsed");
    assert_eq!(world.invoices("a").await[0].state, "void");
    assert_eq!(world.balance("receivable").await, 0, "nothing is owed for what was not watched");
    assert_eq!(world.run(end + 400 * DAY).await, matinee_contracts::billing::RunDueReply::default());
    world.check_books().await;
}

#[tokio::test]
async fn a_new_card_pays_what_is_owed_at_once() {
    let world = world().await;
    let first = world.subscribe("a", "basic", "test-declined-later", "k").await.unwrap();
    world.run(first.period_end_us).await;
    world.at(first.period_end_us + 2 * DAY);
    assert_eq!(world.pay_by("a", "test-declined", "m0").await.unwrap(), "Test card ending in 0002");
    let still = world.subscription("a").await.unwrap();
    assert_eq!((still.state, still.failed_attempts), (PAST_DUE, 1), "an attempt of one's own is not counted");
    world.pay_by("a", "test-ok", "m1").await.unwrap();
    let paid = world.subscription("a").await.unwrap();
    assert_eq!((paid.state, paid.period_start_us), (ACTIVE, first.period_end_us), "the day of the month stays");
    assert_eq!(world.invoices("a").await[0].state, "paid");
    world.pay_by("a", "test-ok", "m1").await.unwrap();
    assert_eq!(world.provider.charged().len(), 2);
    world.check_books().await;
}

#[tokio::test]
async fn a_dearer_plan_begins_now_for_the_difference() {
    let world = world().await;
    let first = world.subscribe("a", "basic", "test-ok", "k").await.unwrap();
    let middle = (first.period_start_us + first.period_end_us) / 2;
    world.at(middle);
    let request = ChangePlanRequest { account: "a".to_owned(), plan: "premium".to_owned(), ..Default::default() };
    let preview = world.client.clone().preview_change(request).await.unwrap().into_inner();
    // Half of 14.99 less half of 5.99, each rounded for itself.
    assert_eq!((preview.charge_now, preview.effective_us), (Some(euros(450)), middle));
    let changed = world.change("a", "premium", "c").await.unwrap();
    assert_eq!((changed.plan.as_str(), changed.price.clone()), ("premium", Some(euros(1499))));
    assert_eq!(changed.period_end_us, first.period_end_us);
    assert_eq!(world.entitlement("a").await.max_height, 2160, "at once");
    assert_eq!(world.change("a", "premium", "c").await.unwrap(), changed, "once");
    let invoice = &world.invoices("a").await[0];
    let amounts: Vec<i64> = invoice.lines.iter().map(|line| line.amount.as_ref().unwrap().minor).collect();
    assert_eq!((amounts, invoice.total.clone()), (vec![750, -300], Some(euros(450))));
    world.run(first.period_end_us).await;
    assert_eq!(world.balance("cash:test").await, 599 + 450 + 1499);
    world.check_books().await;
}

#[tokio::test]
async fn a_change_that_is_declined_changes_nothing() {
    let world = world().await;
    world.subscribe("a", "basic", "test-ok", "k").await.unwrap();
    world.pay_by("a", "test-declined", "m").await.unwrap();
    let declined = world.change("a", "premium", "c").await.unwrap_err();
    assert!(declined.message().starts_with("declined: "), "{}", declined.message());
    assert_eq!(world.subscription("a").await.unwrap().plan, "basic");
    world.check_books().await;
}

#[tokio::test]
async fn a_cheaper_plan_begins_with_the_next_period_and_can_be_taken_back() {
    let world = world().await;
    world.subscribe("a", "premium", "test-ok", "k").await.unwrap();
    assert_eq!(world.change("a", "basic", "c0").await.unwrap().plan, "basic", "in a trial at once");
    world.change("a", "premium", "c1").await.unwrap();
    world.run(START + 14 * DAY).await;
    let later = world.change("a", "basic", "c2").await.unwrap();
    assert_eq!((later.plan.as_str(), later.next_plan.as_str()), ("premium", "basic"));
    assert_eq!(world.change("a", "premium", "c3").await.unwrap().next_plan, "");
    world.change("a", "basic", "c4").await.unwrap();
    world.run(later.period_end_us).await;
    let cheaper = world.subscription("a").await.unwrap();
    assert_eq!((cheaper.plan.as_str(), cheaper.next_plan.as_str(), cheaper.price), ("basic", "", Some(euros(599))));
    world.check_books().await;
}

#[tokio::test]
async fn a_cancelled_subscription_runs_out_or_goes_on() {
    let world = world().await;
    let first = world.subscribe("a", "basic", "test-ok", "k").await.unwrap();
    assert!(world.cancel("a").await.unwrap().cancel_at_period_end);
    assert!(world.cancel("a").await.unwrap().cancel_at_period_end, "twice is once");
    let refused = world.change("a", "premium", "c").await.unwrap_err();
    assert!(refused.message().starts_with("not_now: "), "{}", refused.message());
    assert!(!world.resume("a").await.unwrap().cancel_at_period_end);
    world.cancel("a").await.unwrap();
    world.at(first.period_end_us - 1);
    assert!(world.entitlement("a").await.entitled, "what is paid for is watched");
    world.at(first.period_end_us);
    assert_eq!(world.entitlement("a").await.reason, "lapsed");
    assert_eq!(world.resume("a").await.unwrap_err().code(), Code::FailedPrecondition);
    assert_eq!(world.run(first.period_end_us).await.ended, 1);
    assert_eq!(world.subscription("a").await.unwrap().state, ENDED);
    assert_eq!(world.provider.charged().len(), 1);
}

#[tokio::test]
async fn what_was_sold_keeps_its_price_until_its_period_ends() {
    let world = world().await;
    let first = world.subscribe("a", "basic", "test-ok", "k").await.unwrap();
    let mut dearer = world.plan("basic").await;
    assert_eq!(dearer.revision, 1);
    for price in &mut dearer.prices {
        price.amount.as_mut().unwrap().minor += 100;
    }
    let put = PutPlanRequest { plan: Some(dearer.clone()) };
    assert_eq!(world.client.clone().put_plan(put.clone()).await.unwrap().into_inner().revision, 2);
    let late = world.client.clone().put_plan(put).await.unwrap_err();
    assert_eq!(late.code(), Code::Aborted, "who read an older edition reads again");
    assert_eq!(world.subscription("a").await.unwrap().price, Some(euros(599)));
    assert_eq!(world.change("a", "basic", "c").await.unwrap().price, Some(euros(599)));
    world.run(first.period_end_us).await;
    assert_eq!(world.subscription("a").await.unwrap().price, Some(euros(699)));
    let gone = Plan { offered: false, revision: 0, ..dearer };
    world.client.clone().put_plan(PutPlanRequest { plan: Some(gone) }).await.unwrap();
    let refused = world.subscribe("b", "basic", "test-ok", "k").await.unwrap_err();
    assert!(refused.message().starts_with("plan is refused"), "{}", refused.message());
    world.run(world.subscription("a").await.unwrap().period_end_us).await;
    assert_eq!(world.subscription("a").await.unwrap().state, ACTIVE, "who has it keeps it");
}

#[tokio::test]
async fn a_plan_that_costs_nothing_is_never_charged() {
    let world = world().await;
    let price = Price { territory: "*".to_owned(), amount: Some(euros(0)) };
    let free =
        Plan { id: "free".to_owned(), prices: vec![price], trial_days: 0, revision: 0, ..world.plan("basic").await };
    world.client.clone().put_plan(PutPlanRequest { plan: Some(free) }).await.unwrap();
    let begun = world.subscribe("a", "free", "test-declined", "k").await.unwrap();
    assert_eq!(begun.state, ACTIVE);
    assert_eq!(world.run(begun.period_end_us).await.renewed, 1);
    assert!(world.invoices("a").await.is_empty());
}

#[tokio::test]
async fn no_more_is_given_back_than_was_paid() {
    let world = world().await;
    world.subscribe("a", "basic", "test-ok", "k").await.unwrap();
    let invoice = world.invoices("a").await[0].id.clone();
    for (amount, why) in [(0, "nothing"), (-1, "a negative amount"), (600, "too much"), (i64::MAX, "far too much")] {
        let refused = world.refund(&invoice, Some(euros(amount)), "r0").await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{why}");
        assert!(refused.message().starts_with("amount is refused"), "{}", refused.message());
    }
    let dollars = Money { minor: 1, currency: "USD".to_owned() };
    let mixed = world.refund(&invoice, Some(dollars), "r0").await.unwrap_err();
    assert_eq!(mixed.message(), "amount is refused: the invoice is in EUR");
    let part = world.refund(&invoice, Some(euros(500)), "r1").await.unwrap();
    assert_eq!((part.state.as_str(), part.refunded.clone()), ("paid", Some(euros(500))));
    assert_eq!(world.refund(&invoice, Some(euros(500)), "r1").await.unwrap(), part, "once");
    assert_eq!(world.refund(&invoice, Some(euros(100)), "r2").await.unwrap_err().code(), Code::InvalidArgument);
    let rest = world.refund(&invoice, None, "r3").await.unwrap();
    assert_eq!((rest.state.as_str(), rest.refunded), ("refunded", Some(euros(599))));
    assert_eq!(world.balance("refunds").await, 599);
    assert_eq!(world.refund("none", None, "r").await.unwrap_err().code(), Code::NotFound);
    world.check_books().await;
}

#[tokio::test]
async fn refunds_that_race_give_back_no_more() {
    let world = world().await;
    world.subscribe("a", "basic", "test-ok", "k").await.unwrap();
    let invoice = world.invoices("a").await[0].id.clone();
    let keys: Vec<String> = (0..10).map(|n| format!("r{n}")).collect();
    futures::future::join_all(keys.iter().map(|key| world.refund(&invoice, Some(euros(200)), key))).await;
    let given: i64 = world.provider.refunded().iter().map(|(_, amount)| amount.minor).sum();
    assert!(given <= 599, "{given}");
    world.check_books().await;
}

#[tokio::test]
async fn an_invoice_is_its_account_s_own() {
    let world = world().await;
    world.subscribe("a", "basic", "test-ok", "k").await.unwrap();
    world.subscribe("b", "basic", "test-ok", "k").await.unwrap();
    let invoice = world.invoices("a").await[0].id.clone();
    let ask = |account: &str| InvoiceRequest { account: account.to_owned(), invoice: invoice.clone() };
    let page = world.client.clone().render_invoice(ask("a")).await.unwrap().into_inner().html;
    assert!(page.contains("Invoice 2026-000001") && page.contains("5.99 EUR"), "{page}");
    assert_eq!(world.client.clone().render_invoice(ask("b")).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(world.invoices("b").await.len(), 1);
    assert!(world.ledger("b").await.entries.iter().all(|entry| !entry.ledger_account.ends_with(":a")));
}

#[tokio::test]
async fn the_ledger_is_read_page_by_page() {
    let world = world().await;
    for who in ["a", "b", "c"] {
        world.subscribe(who, "basic", "test-ok", "k").await.unwrap();
    }
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let request = LedgerRequest { account: String::new(), limit: 2, after: after.clone() };
        let entries = world.client.clone().ledger(request).await.unwrap().into_inner().entries;
        let Some(last) = entries.last() else { break };
        after.clone_from(&last.transaction);
        seen.extend(entries);
    }
    assert_eq!(seen.len(), 12, "three invoices and three payments, two entries each");
    assert_eq!(seen, world.ledger("").await.entries);
}

#[tokio::test]
async fn every_refused_field_is_named() {
    let world = world().await;
    let good = || wanted("a", "basic", "test-ok", "k");
    for (field, request) in [
        ("account", SubscribeRequest { account: "../x".to_owned(), ..good() }),
        ("plan", SubscribeRequest { plan: "B'".to_owned(), ..good() }),
        ("territory", SubscribeRequest { territory: "Germany".to_owned(), ..good() }),
        ("payment_token", SubscribeRequest { payment_token: String::new(), ..good() }),
        ("payment_token", SubscribeRequest { payment_token: "pm_card_visa".to_owned(), ..good() }),
        ("idempotency_key", SubscribeRequest { idempotency_key: String::new(), ..good() }),
        ("idempotency_key", SubscribeRequest { idempotency_key: "x".repeat(129), ..good() }),
        ("email", SubscribeRequest { email: "a\nb".to_owned(), ..good() }),
    ] {
        let refused = world.client.clone().subscribe(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{field}");
        assert!(refused.message().starts_with(&format!("{field} is refused")), "{}", refused.message());
    }
    let plan = world.plan("basic").await;
    let price = |minor, currency: &str, territory: &str| {
        vec![Price { territory: territory.to_owned(), amount: Some(Money { minor, currency: currency.to_owned() }) }]
    };
    for (field, plan) in [
        ("id", Plan { id: String::new(), ..plan.clone() }),
        ("name", Plan { name: " ".to_owned(), ..plan.clone() }),
        ("prices", Plan { prices: Vec::new(), ..plan.clone() }),
        ("prices", Plan { prices: price(-1, "EUR", "*"), ..plan.clone() }),
        ("prices", Plan { prices: price(1, "eur", "*"), ..plan.clone() }),
        ("prices", Plan { prices: price(1, "QQQ", "*"), ..plan.clone() }),
        ("prices", Plan { prices: price(1, "EUR", "everywhere"), ..plan.clone() }),
        ("max_height", Plan { max_height: 9, ..plan.clone() }),
        ("streams", Plan { streams: 0, ..plan.clone() }),
        ("trial_days", Plan { trial_days: 9999, ..plan.clone() }),
        ("rank", Plan { rank: 9999, ..plan.clone() }),
    ] {
        let refused = world.client.clone().put_plan(PutPlanRequest { plan: Some(plan) }).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{field}");
        assert!(refused.message().starts_with(&format!("{field} is refused")), "{}", refused.message());
    }
    let empty = world.client.clone().refund(RefundRequest { invoice: "i".to_owned(), ..Default::default() }).await;
    assert!(empty.unwrap_err().message().starts_with("reason is refused"));
    let empty = SetPaymentMethodRequest { account: "a".to_owned(), ..Default::default() };
    let refused = world.client.clone().set_payment_method(empty).await.unwrap_err();
    assert!(refused.message().starts_with("payment_token is refused"));
    let unknown = world.subscribe("a", "gold", "test-ok", "k").await.unwrap_err();
    assert_eq!((unknown.code(), unknown.message()), (Code::NotFound, "plan gold does not exist"));
}

#[tokio::test]
async fn a_plan_is_sold_only_where_it_has_a_price() {
    let world = world().await;
    let price = Price { territory: "FR".to_owned(), amount: Some(euros(100)) };
    let french = Plan { id: "french".to_owned(), prices: vec![price], revision: 0, ..world.plan("basic").await };
    world.client.clone().put_plan(PutPlanRequest { plan: Some(french) }).await.unwrap();
    let refused = world.subscribe("a", "french", "test-ok", "k").await.unwrap_err();
    assert_eq!(refused.message(), "plan is refused: it is not sold in DE");
    let request = ListPlansRequest { territory: "DE".to_owned(), offered_only: false };
    let listed = world.client.clone().list_plans(request).await.unwrap().into_inner().plans;
    assert!(listed.iter().all(|plan| plan.id != "french"));
}

#[tokio::test]
async fn a_change_is_seen_at_once_by_those_who_ask_whether_to_play() {
    let world = world().await;
    assert_eq!(world.entitlement("a").await.reason, "no_subscription");
    world.subscribe("a", "basic", "test-ok", "k").await.unwrap();
    assert_eq!(world.entitlement("a").await.plan, "basic");
    world.change("a", "premium", "c").await.unwrap();
    assert_eq!(world.entitlement("a").await.streams, 4);
}

async fn restarted(world: &World) -> BillingClient<Channel> {
    let store = store(world.folder.path()).await;
    BillingClient::new(Channel::local(service(store, &world.provider, &world.clock).await.server()))
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let world = world().await;
    let begun = world.subscribe("a", "basic", "test-ok", "k").await.unwrap();
    let mut again = restarted(&world).await;
    assert_eq!(again.get_subscription(account("a")).await.unwrap().into_inner(), begun);
    assert_eq!(again.subscribe(wanted("a", "basic", "test-ok", "k")).await.unwrap().into_inner(), begun);
    let plans = again.list_plans(ListPlansRequest::default()).await.unwrap().into_inner().plans;
    assert!(plans.iter().all(|plan| plan.revision == 1), "the first plans are put once");
    assert_eq!(world.provider.charged().len(), 1);
}
