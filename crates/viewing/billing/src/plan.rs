//! Plans: what is sold, for how much in which territory.
//!
//! A plan changes by a new edition of it. What was sold keeps its price until its period ends (see
//! [`crate::subscription::Terms`]).

use std::fmt;

use matinee_model::money::{Currency, Money};
use matinee_model::territory::{Reach, Territory};
use serde::{Deserialize, Serialize};

use crate::error::BillingError;

const MOST_PRICES: usize = 300;
const LONGEST_NAME: usize = 100;
const HEIGHTS: std::ops::RangeInclusive<u32> = 144..=4320;
const MOST_STREAMS: u32 = 100;
const MOST_TRIAL_DAYS: u32 = 365;
const HIGHEST_RANK: u32 = 1000;
/// A month's price in the minor unit, at most: ten millions of most currencies.
const DEAREST: i64 = 1_000_000_000;

/// Which plan: 1 to 64 of `a-z`, `0-9`, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlanId(String);

impl PlanId {
    /// Takes the id from the contract's `field`.
    pub fn parse(field: &'static str, value: &str) -> Result<Self, BillingError> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if value.is_empty() || value.len() > 64 || !value.chars().all(legal) {
            return Err(BillingError::field(field, "1 to 64 of a-z, 0-9, '-' and '_' are taken"));
        }
        Ok(Self(value.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for PlanId {
    type Error = BillingError;
    fn try_from(value: String) -> Result<Self, BillingError> {
        Self::parse("id", &value)
    }
}

impl From<PlanId> for String {
    fn from(id: PlanId) -> String {
        id.0
    }
}

/// What a month costs, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// In one territory, or wherever no other price is named.
    pub reach: Reach,
    /// Tax included.
    pub amount: Money,
}

/// One edition of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which.
    pub id: PlanId,
    /// For people.
    pub name: String,
    /// One a territory.
    pub prices: Vec<Price>,
    /// Of the picture, in pixels.
    pub max_height: u32,
    /// Plays at once.
    pub streams: u32,
    /// Days of the trial of an account that had none yet.
    pub trial_days: u32,
    /// To new subscribers.
    pub offered: bool,
    /// Rises with what it gives.
    pub rank: u32,
    /// The edition: 1, 2, …
    pub revision: u64,
}

impl Plan {
    /// Holds the plan against the bounds of its fields, whose names are the contract's.
    pub fn checked(self) -> Result<Self, BillingError> {
        let refused = |field, reason: String| Err(BillingError::field(field, reason));
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return refused("name", format!("1 to {LONGEST_NAME} characters without control characters are taken"));
        }
        if self.prices.is_empty() || self.prices.len() > MOST_PRICES {
            return refused("prices", format!("{} are named, 1 to {MOST_PRICES} are taken", self.prices.len()));
        }
        for (at, price) in self.prices.iter().enumerate() {
            if !(0..=DEAREST).contains(&price.amount.minor) {
                return refused(
                    "prices",
                    format!("{} in {}: 0 to {DEAREST} are taken", price.amount.minor, price.reach),
                );
            }
            if self.prices[..at].iter().any(|other| other.reach == price.reach) {
                return refused("prices", format!("{} has two", price.reach));
            }
        }
        if !HEIGHTS.contains(&self.max_height) {
            return refused("max_height", format!("{} to {} are taken", HEIGHTS.start(), HEIGHTS.end()));
        }
        if !(1..=MOST_STREAMS).contains(&self.streams) {
            return refused("streams", format!("1 to {MOST_STREAMS} are taken"));
        }
        if self.trial_days > MOST_TRIAL_DAYS {
            return refused("trial_days", format!("0 to {MOST_TRIAL_DAYS} are taken"));
        }
        if self.rank > HIGHEST_RANK {
            return refused("rank", format!("0 to {HIGHEST_RANK} are taken"));
        }
        Ok(self)
    }

    /// The price that holds in `territory`, where it is sold there.
    #[must_use]
    pub fn price_in(&self, territory: Territory) -> Option<&Price> {
        let named = self.prices.iter().find(|price| price.reach == Reach::In(territory));
        named.or_else(|| self.prices.iter().find(|price| price.reach == Reach::Everywhere))
    }
}

/// Why a file of plans is refused.
#[derive(Debug, thiserror::Error)]
pub enum PlansError {
    /// It is not TOML of that shape.
    #[error("the plans are not understood: {0}")]
    Syntax(#[from] toml::de::Error),
    /// One of them can't be.
    #[error("plan {plan}: {reason}")]
    Plan {
        /// Which.
        plan: String,
        /// What is wrong with it.
        reason: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    plan: Vec<FilePlan>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePlan {
    id: String,
    name: String,
    max_height: u32,
    streams: u32,
    trial_days: u32,
    rank: u32,
    price: Vec<FilePrice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePrice {
    territories: Vec<String>,
    minor: i64,
    currency: Currency,
}

/// Reads plans from TOML, as `data/plans.toml` is written.
pub fn parse_plans(text: &str) -> Result<Vec<Plan>, PlansError> {
    let file: File = toml::from_str(text)?;
    let mut plans = Vec::with_capacity(file.plan.len());
    for read in file.plan {
        let refused = |reason: String| PlansError::Plan { plan: read.id.clone(), reason };
        let mut prices = Vec::new();
        for price in &read.price {
            for territory in &price.territories {
                let reach = Reach::parse(territory).map_err(|error| refused(error.to_string()))?;
                prices.push(Price { reach, amount: Money::new(price.minor, price.currency) });
            }
        }
        let plan = Plan {
            id: PlanId::parse("id", &read.id).map_err(|error| refused(error.to_string()))?,
            name: read.name.clone(),
            prices,
            max_height: read.max_height,
            streams: read.streams,
            trial_days: read.trial_days,
            offered: true,
            rank: read.rank,
            revision: 0,
        };
        plans.push(plan.checked().map_err(|error| refused(error.to_string()))?);
    }
    Ok(plans)
}

/// The plans of a new installation.
pub fn default_plans() -> Result<Vec<Plan>, PlansError> {
    parse_plans(include_str!("../data/plans.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_plans_are_sold_everywhere() {
        let plans = default_plans().unwrap();
        assert_eq!(plans.iter().map(|plan| plan.id.as_str()).collect::<Vec<_>>(), ["basic", "standard", "premium"]);
        let germany = Territory::parse("DE").unwrap();
        let elsewhere = Territory::parse("BR").unwrap();
        for plan in plans {
            assert_eq!(plan.price_in(germany).unwrap().amount.currency.as_str(), "EUR");
            assert_eq!(plan.price_in(elsewhere).unwrap().amount.currency.as_str(), "USD");
        }
    }

    #[test]
    fn a_file_that_is_wrong_says_where() {
        let text = include_str!("../data/plans.toml").replace("\"GB\"", "\"DE\"");
        assert_eq!(parse_plans(&text).unwrap_err().to_string(), "plan basic: prices is refused: DE has two");
        assert!(parse_plans("[[plan]]\nid = 1").is_err());
    }
}
