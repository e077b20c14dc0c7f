//! Territories: the countries by which works are licensed and prices are made.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not a territory.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("territory {0:?} is refused: two capital letters by ISO 3166-1 are taken, such as DE")]
pub struct TerritoryError(String);

/// A country by ISO 3166-1 alpha-2.
///
/// Whether the letters are assigned is not asked: codes come and go, and users' own (XA to XZ) are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Territory([u8; 2]);

impl Territory {
    /// Takes two letters; small ones are made capital.
    pub fn parse(value: &str) -> Result<Self, TerritoryError> {
        match value.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Ok(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => Err(TerritoryError(value.chars().take(20).collect())),
        }
    }

    /// Two capital letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("both bytes are ASCII letters")
    }
}

impl fmt::Display for Territory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Territory {
    type Error = TerritoryError;
    fn try_from(value: String) -> Result<Self, TerritoryError> {
        Self::parse(&value)
    }
}

impl From<Territory> for String {
    fn from(territory: Territory) -> Self {
        territory.as_str().to_owned()
    }
}

/// Where something holds: in one territory, or in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reach {
    /// In all (`*`).
    Everywhere,
    /// In one.
    In(Territory),
}

impl Reach {
    /// Takes `*` or a territory.
    pub fn parse(value: &str) -> Result<Self, TerritoryError> {
        if value == "*" { Ok(Self::Everywhere) } else { Territory::parse(value).map(Self::In) }
    }

    /// Whether it holds in `territory`.
    #[must_use]
    pub fn covers(self, territory: Territory) -> bool {
        match self {
            Self::Everywhere => true,
            Self::In(here) => here == territory,
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere => f.write_str("*"),
            Self::In(territory) => territory.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_letters_are_a_territory() {
        assert_eq!(Territory::parse("de").unwrap().as_str(), "DE");
        for bad in ["", "D", "DEU", "D1", "ÄÖ", "*"] {
            assert!(Territory::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn everywhere_covers_each() {
        let here = Territory::parse("FR").unwrap();
        assert!(Reach::parse("*").unwrap().covers(here));
        assert!(Reach::parse("FR").unwrap().covers(here));
        assert!(!Reach::parse("DE").unwrap().covers(here));
    }
}
