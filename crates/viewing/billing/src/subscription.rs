//! A subscription and its states. Every way from one to another stands here, and each is a pure function.
//!
//! ```text
//!             ┌──────────── trial over, paid ───────────┐
//!   trialing ─┤                                         ▼       a payment fails        paid, late
//!             └─ cancelled, trial over ─▶ ended ◀─── active ──────────────▶ past due ──────────▶ active
//!                                           ▲  cancelled, period over          │
//!                                           └──────────────────────────────────┘ no attempt left, or cancelled
//! ```

use matinee_model::money::Money;
use matinee_model::territory::Territory;
use serde::{Deserialize, Serialize};

use crate::config::BillingConfig;
use crate::error::BillingError;
use crate::period::{days_us, months_after, period_at};
use crate::plan::{Plan, PlanId};

/// How long plays go on after a period whose renewal was not tried yet: a day, so that no viewer pays for an outage of
/// billing or of a payment provider.
pub const RENEWAL_SLACK_US: i64 = 86_400_000_000;

/// What was sold: an edition of a plan, at its price in one territory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Which plan.
    pub plan: PlanId,
    /// Its name, for invoices.
    pub name: String,
    /// Its edition.
    pub edition: u64,
    /// A month's.
    pub price: Money,
    /// Of the picture, in pixels.
    pub max_height: u32,
    /// Plays at once.
    pub streams: u32,
    /// The plan's rank.
    pub rank: u32,
}

impl Terms {
    /// Those of `plan` in `territory`; none where it is not sold there.
    #[must_use]
    pub fn of(plan: &Plan, territory: Territory) -> Option<Self> {
        plan.price_in(territory).map(|price| Self {
            plan: plan.id.clone(),
            name: plan.name.clone(),
            edition: plan.revision,
            price: price.amount,
            max_height: plan.max_height,
            streams: plan.streams,
            rank: plan.rank,
        })
    }
}

/// A payment that failed and is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dunning {
    /// What is owed.
    pub invoice: String,
    /// Attempts by schedule that failed, from 1.
    pub failed: u32,
    /// When the first did (microseconds since 1970, as all times here).
    pub since_us: i64,
    /// When the next is made.
    pub next_attempt_us: i64,
    /// Plays go on until then.
    pub grace_until_us: i64,
}

/// Where a subscription is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// In its trial, unpaid.
    Trialing,
    /// Paid, or its payment is under way.
    Active,
    /// A payment failed; it is tried again.
    PastDue(Dunning),
    /// Over, for good.
    Ended,
}

/// What follows at the end of the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Renewal {
    /// The next.
    Goes,
    /// The end.
    Cancelled,
}

/// Whether an account may start a play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Until then, as things are.
    Entitled {
        /// Microseconds since 1970.
        until_us: i64,
    },
    /// It is over.
    Lapsed,
    /// A payment failed, and the days of grace are over.
    PastDue,
}

/// What falls due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The end.
    End,
    /// The next period, to be paid.
    Renew,
    /// Another attempt at what is owed.
    Retry,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Which.
    pub id: String,
    /// What was sold.
    pub terms: Terms,
    /// Where.
    pub territory: Territory,
    /// Where it is.
    pub state: State,
    /// What follows.
    pub renewal: Renewal,
    /// From the next period on, where another.
    pub next_plan: Option<PlanId>,
    /// From when months are counted: the first paid period's start.
    pub anchor_us: i64,
    /// The number of the period, from 0.
    pub period: u32,
    /// Its start.
    pub period_start_us: i64,
    /// Its end.
    pub period_end_us: i64,
    /// The trial's end, where there was one.
    pub trial_end_us: Option<i64>,
    /// Attempts at payments so far, so that each has a name of its own.
    pub attempts: u32,
}

impl Subscription {
    /// One that begins with a trial of `days`.
    #[must_use]
    pub fn on_trial(id: String, terms: Terms, territory: Territory, days: u32, now_us: i64) -> Self {
        let end = now_us + days_us(days);
        Self {
            id,
            terms,
            territory,
            state: State::Trialing,
            renewal: Renewal::Goes,
            next_plan: None,
            anchor_us: end,
            period: 0,
            period_start_us: now_us,
            period_end_us: end,
            trial_end_us: Some(end),
            attempts: 0,
        }
    }

    /// One whose first period is paid.
    pub fn paid(id: String, terms: Terms, territory: Territory, now_us: i64) -> Result<Self, BillingError> {
        let end = months_after(now_us, 1)?;
        let trial = Self::on_trial(id, terms, territory, 0, now_us);
        Ok(Self { state: State::Active, period_end_us: end, trial_end_us: None, ..trial })
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state == State::Ended
    }

    /// When something falls due; never again where it ended.
    #[must_use]
    pub fn due_us(&self) -> Option<i64> {
        match &self.state {
            State::Trialing | State::Active => Some(self.period_end_us),
            State::PastDue(dunning) => Some(dunning.next_attempt_us),
            State::Ended => None,
        }
    }

    /// What is due at `now_us`.
    #[must_use]
    pub fn due(&self, now_us: i64) -> Option<Due> {
        let due = self.due_us().is_some_and(|at| at <= now_us);
        match (&self.state, self.renewal) {
            _ if !due => None,
            (State::PastDue(_), _) => Some(Due::Retry),
            (_, Renewal::Cancelled) => Some(Due::End),
            (_, Renewal::Goes) => Some(Due::Renew),
        }
    }

    /// In the first period after its own that is not over at `now_us`, under `terms`, its payment still to come.
    ///
    /// Periods that nobody renewed while billing stood still are not charged.
    pub fn renewed(&self, terms: Terms, now_us: i64) -> Result<Self, BillingError> {
        let next = if self.state == State::Trialing { 0 } else { self.period + 1 };
        let (period, period_start_us, period_end_us) = period_at(self.anchor_us, next, now_us)?;
        let renewed = Self { terms, state: State::Active, period, period_start_us, period_end_us, ..self.clone() };
        Ok(Self { next_plan: None, ..renewed })
    }

    /// After a payment that came in.
    #[must_use]
    pub fn settled(&self) -> Self {
        let state = match &self.state {
            State::PastDue(_) => State::Active,
            other => other.clone(),
        };
        Self { state, ..self.clone() }
    }

    /// After an attempt by schedule at `invoice` failed: past due, or ended where no attempt is left.
    ///
    /// Grace is for those who paid before: the first payment after a trial has none.
    #[must_use]
    pub fn failed(&self, invoice: &str, config: &BillingConfig, now_us: i64) -> Self {
        let (failed, since_us) = match &self.state {
            State::PastDue(dunning) => (dunning.failed, dunning.since_us),
            _ => (0, now_us),
        };
        let Some(days) = config.retry_days.get(failed as usize) else {
            return self.ended();
        };
        let unpaid = self.trial_end_us.is_some() && self.period == 0;
        let grace = if unpaid { 0 } else { days_us(config.grace_days) };
        let dunning = Dunning {
            invoice: invoice.to_owned(),
            failed: failed + 1,
            since_us,
            // Never in the past, so that attempts that were missed are not made up for all at once.
            next_attempt_us: (since_us + days_us(*days)).max(now_us + 1),
            grace_until_us: since_us + grace,
        };
        Self { state: State::PastDue(dunning), ..self.clone() }
    }

    /// Cancelled: at the period's end, or at once where it is past due, for nothing is paid for.
    pub fn cancelled(&self) -> Result<Self, BillingError> {
        match self.state {
            State::Trialing | State::Active => Ok(Self { renewal: Renewal::Cancelled, ..self.clone() }),
            State::PastDue(_) => Ok(self.ended()),
            State::Ended => Err(BillingError::NotNow("the subscription has ended already")),
        }
    }

    /// Not cancelled any more.
    pub fn resumed(&self, now_us: i64) -> Result<Self, BillingError> {
        match self.state {
            State::Trialing | State::Active if self.renewal == Renewal::Goes => Ok(self.clone()),
            State::Trialing | State::Active if now_us < self.period_end_us => {
                Ok(Self { renewal: Renewal::Goes, ..self.clone() })
            }
            State::PastDue(_) => Ok(self.clone()),
            _ => Err(BillingError::NotNow("the subscription has ended; a new one can be begun")),
        }
    }

    /// Under other terms from now on, in the same period.
    #[must_use]
    pub fn changed(&self, terms: Terms) -> Self {
        Self { terms, next_plan: None, ..self.clone() }
    }

    /// Over.
    #[must_use]
    pub fn ended(&self) -> Self {
        Self { state: State::Ended, next_plan: None, ..self.clone() }
    }

    /// Whether it lets a play start at `now_us`.
    #[must_use]
    pub fn standing(&self, now_us: i64) -> Standing {
        let slack = match self.renewal {
            Renewal::Goes => RENEWAL_SLACK_US,
            Renewal::Cancelled => 0,
        };
        match &self.state {
            State::Trialing | State::Active if now_us < self.period_end_us + slack => {
                Standing::Entitled { until_us: self.period_end_us }
            }
            State::PastDue(dunning) if now_us < dunning.grace_until_us => {
                Standing::Entitled { until_us: dunning.grace_until_us }
            }
            State::PastDue(_) => Standing::PastDue,
            _ => Standing::Lapsed,
        }
    }

    /// Until when it holds, as things are at `now_us`.
    #[must_use]
    pub fn until_us(&self, now_us: i64) -> i64 {
        match &self.state {
            State::Trialing | State::Active => self.period_end_us,
            State::PastDue(dunning) => dunning.grace_until_us,
            State::Ended => now_us,
        }
    }

    /// Its state's word in events.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.state {
            State::Trialing => "trialing",
            State::Active => "active",
            State::PastDue(_) => "past_due",
            State::Ended => "ended",
        }
    }
}

#[cfg(test)]
mod tests;
