//! Money: an amount of a currency's minor unit, never a fraction of it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why an amount can't be had.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MoneyError {
    /// The text names no currency.
    #[error("currency {0:?} is refused: three capital letters by ISO 4217 are taken, such as EUR")]
    Currency(String),
    /// Two currencies can't be added.
    #[error("{0} and {1} are not of one currency")]
    Mixed(Currency, Currency),
    /// The sum is past all bounds.
    #[error("the amount is past all bounds")]
    Overflow,
}

/// By ISO 4217.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// Takes three capital letters.
    pub fn parse(value: &str) -> Result<Self, MoneyError> {
        match value.as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|letter| letter.is_ascii_uppercase()) => Ok(Self([*a, *b, *c])),
            _ => Err(MoneyError::Currency(value.chars().take(20).collect())),
        }
    }

    /// Three capital letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the bytes are ASCII letters")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(value: String) -> Result<Self, MoneyError> {
        Self::parse(&value)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

/// An amount of the currency's minor unit (cents); negative where it is owed the other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Of the minor unit.
    pub minor: i64,
    /// Of what.
    pub currency: Currency,
}

impl Money {
    /// An amount of `currency`'s minor unit.
    #[must_use]
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed(self.currency, other.currency));
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The other way.
    pub fn negated(self) -> Result<Self, MoneyError> {
        Ok(Self { minor: self.minor.checked_neg().ok_or(MoneyError::Overflow)?, ..self })
    }

    /// The part of it that falls on `part` of `whole`, to the nearest minor unit, halves away from nothing.
    ///
    /// What falls on the rest is the difference, so that no cent is lost or made: see the test.
    pub fn share(self, part: u64, whole: u64) -> Result<Self, MoneyError> {
        if whole == 0 || part > whole {
            return Err(MoneyError::Overflow);
        }
        let (minor, part, whole) = (i128::from(self.minor), i128::from(part), i128::from(whole));
        let half = if minor < 0 { -whole } else { whole };
        let share = (2 * minor * part + half) / (2 * whole);
        Ok(Self { minor: i64::try_from(share).map_err(|_| MoneyError::Overflow)?, ..self })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn euros(minor: i64) -> Money {
        Money::new(minor, Currency::parse("EUR").unwrap())
    }

    #[test]
    fn currencies_do_not_mix() {
        let francs = Money::new(1, Currency::parse("CHF").unwrap());
        assert!(matches!(euros(1).plus(francs), Err(MoneyError::Mixed(..))));
        assert!(Currency::parse("eur").is_err());
        assert_eq!(euros(i64::MAX).plus(euros(1)), Err(MoneyError::Overflow));
    }

    #[test]
    fn a_share_is_rounded_to_the_nearest() {
        assert_eq!(euros(999).share(1, 2).unwrap(), euros(500));
        assert_eq!(euros(-999).share(1, 2).unwrap(), euros(-500));
        assert_eq!(euros(1000).share(1, 3).unwrap(), euros(333));
        assert!(euros(1).share(2, 1).is_err());
        assert!(euros(1).share(0, 0).is_err());
    }

    proptest! {
        #[test]
        fn a_share_is_never_more_than_the_whole(minor in any::<i64>(), part in 0_u64..=1_000_000) {
            let share = euros(minor).share(part, 1_000_000).unwrap();
            prop_assert!(share.minor.unsigned_abs() <= minor.unsigned_abs());
            prop_assert_eq!(euros(minor).share(1_000_000, 1_000_000).unwrap(), euros(minor));
        }
    }
}
