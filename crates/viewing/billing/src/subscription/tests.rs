//! The machine against a model that knows only which words may follow which.

use matinee_model::money::Currency;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::*;

const START: i64 = 1_790_000_000_000_000;

fn terms(plan: &str, minor: i64) -> Terms {
    Terms {
        plan: PlanId::parse("plan", plan).unwrap(),
        name: plan.to_owned(),
        edition: 1,
        price: Money::new(minor, Currency::parse("EUR").unwrap()),
        max_height: 1080,
        streams: 2,
        rank: 1,
    }
}

fn germany() -> Territory {
    Territory::parse("DE").unwrap()
}

fn trial() -> Subscription {
    Subscription::on_trial("s".to_owned(), terms("standard", 999), germany(), 14, START)
}

fn active() -> Subscription {
    Subscription::paid("s".to_owned(), terms("standard", 999), germany(), START).unwrap()
}

#[derive(Debug, Clone)]
enum Happens {
    Time(i64),
    Pays,
    Fails,
    Cancels,
    Resumes,
    Changes,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        (0_i64..40 * 86_400_000_000).prop_map(Happens::Time),
        Just(Happens::Pays),
        Just(Happens::Fails),
        Just(Happens::Cancels),
        Just(Happens::Resumes),
        Just(Happens::Changes),
    ]
}

fn may_follow(before: &str, after: &str) -> bool {
    before == after
        || matches!(
            (before, after),
            ("trialing", "active" | "past_due" | "ended")
                | ("active", "past_due" | "ended")
                | ("past_due", "active" | "ended")
        )
}

/// What billing does when something is due; the payment's outcome is `Pays` or `Fails` later on.
fn run_due(subscription: &Subscription, now: i64) -> Subscription {
    match subscription.due(now) {
        Some(Due::End) => subscription.ended(),
        Some(Due::Renew) => subscription.renewed(subscription.terms.clone(), now).unwrap(),
        _ => subscription.clone(),
    }
}

proptest! {
    #[test]
    fn no_history_leaves_the_machine(on_trial in any::<bool>(), history in proptest::collection::vec(happens(), 1..60)) {
        let config = BillingConfig::default();
        let (mut now, mut subscription) = (START, if on_trial { trial() } else { active() });
        for step in history {
            let before = subscription.clone();
            match step {
                Happens::Time(passed) => {
                    now += passed;
                    subscription = run_due(&subscription, now);
                }
                Happens::Pays => subscription = subscription.settled(),
                Happens::Fails if matches!(subscription.state, State::Active | State::PastDue(_)) => {
                    subscription = subscription.failed("i", &config, now);
                }
                Happens::Fails => {}
                Happens::Cancels => if let Ok(next) = subscription.cancelled() { subscription = next },
                Happens::Resumes => if let Ok(next) = subscription.resumed(now) { subscription = next },
                Happens::Changes if !subscription.is_over() => subscription = subscription.changed(terms("premium", 1499)),
                Happens::Changes => {}
            }
            prop_assert!(may_follow(before.word(), subscription.word()), "{} to {}", before.word(), subscription.word());
            prop_assert!(subscription.period_start_us < subscription.period_end_us);
            prop_assert_eq!(subscription.is_over(), subscription.due_us().is_none());
            prop_assert_eq!(subscription.anchor_us, before.anchor_us, "the day of the month stays");
            if subscription.is_over() {
                prop_assert_eq!(subscription.standing(now), Standing::Lapsed);
                prop_assert!(subscription.cancelled().is_err() && subscription.resumed(now).is_err());
            }
            if before.is_over() {
                prop_assert_eq!(&subscription.state, &State::Ended, "what ended stays so");
            }
            if let State::PastDue(dunning) = &subscription.state {
                prop_assert!(dunning.failed as usize <= config.retry_days.len());
                prop_assert!(dunning.next_attempt_us > dunning.since_us);
            }
            if subscription.state == State::Active && now < subscription.period_end_us {
                let entitled = matches!(subscription.standing(now), Standing::Entitled { .. });
                prop_assert!(entitled, "who paid may watch");
            }
        }
    }
}

#[test]
fn attempts_follow_the_schedule_and_then_it_ends() {
    let config = BillingConfig::default();
    let mut subscription = active();
    let failed_at = subscription.period_end_us;
    subscription = subscription.renewed(subscription.terms.clone(), failed_at).unwrap();
    let mut now = failed_at;
    for day in [1, 3, 5, 7] {
        subscription = subscription.failed("i", &config, now);
        now = subscription.due_us().unwrap();
        assert_eq!(now, failed_at + days_us(day));
    }
    assert_eq!(subscription.standing(failed_at + days_us(2)), Standing::Entitled { until_us: failed_at + days_us(3) });
    assert_eq!(subscription.standing(failed_at + days_us(3)), Standing::PastDue);
    assert!(subscription.failed("i", &config, now).is_over());
}

#[test]
fn a_trial_that_is_not_paid_for_has_no_grace() {
    let config = BillingConfig::default();
    let end = trial().period_end_us;
    let due = trial().renewed(terms("standard", 999), end).unwrap();
    assert_eq!((due.period, due.period_start_us), (0, end));
    assert_eq!(due.failed("i", &config, end).standing(end), Standing::PastDue);
}

#[test]
fn what_nobody_renewed_is_not_charged() {
    let months_later = months_after(START, 3).unwrap() + 5;
    let renewed = active().renewed(terms("standard", 999), months_later).unwrap();
    assert_eq!((renewed.period, renewed.period_start_us), (3, months_after(START, 3).unwrap()));
}

#[test]
fn a_renewal_that_is_late_keeps_nobody_out() {
    let end = active().period_end_us;
    assert_eq!(active().standing(end + 1), Standing::Entitled { until_us: end });
    assert_eq!(active().standing(end + RENEWAL_SLACK_US), Standing::Lapsed);
    assert_eq!(active().cancelled().unwrap().standing(end), Standing::Lapsed, "but who cancelled");
    assert!(active().cancelled().unwrap().resumed(end).is_err());
    assert!(active().cancelled().unwrap().resumed(end - 1).is_ok());
}
