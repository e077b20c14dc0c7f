//! Money in JSON: an integer of the currency's minor unit.

use matinee_contracts::billing::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Money)]
#[serde(deny_unknown_fields)]
pub struct MoneyJson {
    /// Of the currency's minor unit: cents.
    minor: i64,
    /// ISO 4217.
    currency: String,
}

/// An amount as JSON.
pub fn plain_money(money: Money) -> MoneyJson {
    MoneyJson { minor: money.minor, currency: money.currency }
}

/// An amount that may be missing.
pub fn money(money: Option<Money>) -> Option<MoneyJson> {
    money.map(plain_money)
}

impl From<MoneyJson> for Money {
    fn from(json: MoneyJson) -> Self {
        Self { minor: json.minor, currency: json.currency }
    }
}
