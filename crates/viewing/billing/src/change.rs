//! From one plan to another: to a dearer one now, with the difference for the rest of the period; to a cheaper one when
//! the period ends.

use matinee_model::money::Money;

use crate::error::BillingError;
use crate::invoice::{Line, total};
use crate::subscription::{Renewal, State, Subscription, Terms};

/// What a change of plan comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Now; `lines` are what is charged, none where it costs nothing.
    Now {
        /// The new plan for the rest of the period, less the old.
        lines: Vec<Line>,
        /// Their sum, never negative.
        charge: Money,
    },
    /// From the next period on.
    Later,
    /// It is the plan already; what was to follow is taken back.
    Same,
}

/// Decides about the change of `subscription` to `new` at `now_us`.
pub fn decide(subscription: &Subscription, new: &Terms, now_us: i64) -> Result<Change, BillingError> {
    match subscription.state {
        State::Ended => return Err(BillingError::NotNow("the subscription has ended; a new one can be begun")),
        State::PastDue(_) => return Err(BillingError::NotNow("a payment is owed; it comes first")),
        State::Trialing | State::Active => {}
    }
    if subscription.renewal == Renewal::Cancelled {
        return Err(BillingError::NotNow("the subscription is cancelled; it can be resumed first"));
    }
    if now_us >= subscription.period_end_us {
        return Err(BillingError::NotNow("the period is being renewed; repeat the request in a moment"));
    }
    let old = &subscription.terms;
    if old.plan == new.plan {
        return Ok(Change::Same);
    }
    let nothing = Change::Now { lines: Vec::new(), charge: Money::new(0, new.price.currency) };
    if subscription.state == State::Trialing {
        return Ok(nothing);
    }
    // Two currencies have no difference: the change waits for the period's end.
    if old.price.currency != new.price.currency || (new.price.minor, new.rank) <= (old.price.minor, old.rank) {
        return Ok(Change::Later);
    }
    let lines = prorated(subscription, new, now_us)?;
    let charge = total(&lines)?;
    Ok(if charge.minor > 0 { Change::Now { lines, charge } } else { nothing })
}

/// The rest of the period under the new terms, and what the old ones took for it.
fn prorated(subscription: &Subscription, new: &Terms, now_us: i64) -> Result<Vec<Line>, BillingError> {
    let (start, end) = (subscription.period_start_us, subscription.period_end_us);
    let now_us = now_us.max(start);
    let (rest, whole) = ((end - now_us).unsigned_abs(), (end - start).unsigned_abs());
    let line = |terms: &Terms, words: &str, amount: Money| Line {
        plan: terms.plan.clone(),
        description: format!("{}, {words}", terms.name),
        amount,
        from_us: now_us,
        until_us: end,
    };
    let old = &subscription.terms;
    Ok(vec![
        line(new, "rest of the month", new.price.share(rest, whole)?),
        line(old, "unused rest of the month", old.price.share(rest, whole)?.negated()?),
    ])
}

#[cfg(test)]
mod tests {
    use matinee_model::money::Currency;
    use matinee_model::territory::Territory;
    use proptest::prelude::{prop_assert, proptest};

    use super::*;
    use crate::plan::PlanId;

    const START: i64 = 1_790_000_000_000_000;

    fn terms(plan: &str, minor: i64, rank: u32) -> Terms {
        Terms {
            plan: PlanId::parse("plan", plan).unwrap(),
            name: plan.to_owned(),
            edition: 1,
            price: Money::new(minor, Currency::parse("EUR").unwrap()),
            max_height: 1080,
            streams: 2,
            rank,
        }
    }

    fn active(minor: i64) -> Subscription {
        let germany = Territory::parse("DE").unwrap();
        Subscription::paid("s".to_owned(), terms("a", minor, 1), germany, START).unwrap()
    }

    #[test]
    fn half_a_period_costs_half_the_difference() {
        let subscription = active(1000);
        let middle = (subscription.period_start_us + subscription.period_end_us) / 2;
        let Change::Now { lines, charge } = decide(&subscription, &terms("b", 2000, 2), middle).unwrap() else {
            panic!("a dearer plan begins now")
        };
        assert_eq!((charge.minor, lines[0].amount.minor, lines[1].amount.minor), (500, 1000, -500));
        let last = subscription.period_end_us - 1;
        let nothing = decide(&subscription, &terms("b", 2000, 2), last).unwrap();
        assert!(matches!(nothing, Change::Now { lines, charge } if lines.is_empty() && charge.minor == 0));
    }

    #[test]
    fn a_cheaper_plan_waits_and_its_own_is_no_change() {
        let subscription = active(1000);
        assert_eq!(decide(&subscription, &terms("b", 500, 0), START).unwrap(), Change::Later);
        assert_eq!(decide(&subscription, &terms("a", 5000, 1), START).unwrap(), Change::Same);
        let mut dollars = terms("b", 2000, 2);
        dollars.price.currency = Currency::parse("USD").unwrap();
        assert_eq!(decide(&subscription, &dollars, START).unwrap(), Change::Later, "currencies do not mix");
        assert!(decide(&subscription.cancelled().unwrap(), &terms("b", 2000, 2), START).is_err());
        assert!(decide(&subscription, &terms("b", 2000, 2), subscription.period_end_us).is_err());
    }

    proptest! {
        /// However somebody climbs, it pays at most the dearest plan, and what the time under each is worth.
        #[test]
        fn climbing_costs_what_the_time_was_worth(
            base in 0_i64..10_000, steps in proptest::collection::vec((1_i64..3_000, 1_i64..600_000_000_000), 1..5)
        ) {
            let mut subscription = active(base);
            let (mut paid, mut now, mut worth) = (base, START, 0_f64);
            for (at, (more, passed)) in steps.iter().enumerate() {
                let price = subscription.terms.price.minor;
                worth += price as f64 * *passed as f64;
                now += passed;
                if now >= subscription.period_end_us { return Ok(()); }
                let new = terms(&format!("b{at}"), price + more, 2 + at as u32);
                let Change::Now { charge, .. } = decide(&subscription, &new, now).unwrap() else {
                    panic!("a dearer plan begins now")
                };
                prop_assert!(charge.minor >= 0);
                paid += charge.minor;
                subscription = subscription.changed(new);
            }
            let price = subscription.terms.price.minor;
            worth += price as f64 * (subscription.period_end_us - now) as f64;
            let worth = worth / (subscription.period_end_us - START) as f64;
            prop_assert!(paid <= price + steps.len() as i64);
            prop_assert!((paid as f64 - worth).abs() <= steps.len() as f64 + 0.01, "{paid} for {worth}");
        }
    }
}
