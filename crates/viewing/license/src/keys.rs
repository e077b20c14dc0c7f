//! Content keys: what decrypts a title's tracks. Their secret part is wiped from memory when it is dropped.

use std::fmt;

use matinee_model::ids::TitleId;
use zeroize::Zeroizing;

use crate::error::LicenseError;

/// Bytes of a key, of its id and of its IV.
pub const BYTES: usize = 16;
/// The longest label.
const MOST_LABEL: usize = 32;

/// Names a key, in the film's header and in licences. Not secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; BYTES]);

impl KeyId {
    /// Takes 16 bytes of a request's field `field`.
    pub fn from_slice(field: &'static str, bytes: &[u8]) -> Result<Self, LicenseError> {
        let wrong = |_| LicenseError::field(field, format!("a key id has {BYTES} bytes, this one {}", bytes.len()));
        bytes.try_into().map(Self).map_err(wrong)
    }

    /// By its hexadecimal digits.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<Self> {
        let mut bytes = [0; BYTES];
        hex::decode_to_slice(digits, &mut bytes).ok().map(|()| Self(bytes))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// Which of a title's tracks a key covers: `audio`, `sd`, `hd`, `uhd`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(String);

impl Label {
    /// Takes 1 to 32 of `a-z`, `0-9` and `-`.
    pub fn parse(label: &str) -> Result<Self, LicenseError> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if label.is_empty() || label.len() > MOST_LABEL || !label.chars().all(legal) {
            let shown: String = label.chars().take(80).collect();
            let reason = format!("{shown:?} is not 1 to {MOST_LABEL} of a-z, 0-9 and '-'");
            return Err(LicenseError::field("labels", reason));
        }
        Ok(Self(label.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What must not be known: the key, and the constant IV of `cbcs`.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyMaterial {
    /// AES-128.
    pub key: Zeroizing<[u8; BYTES]>,
    /// The constant IV of `cbcs`.
    pub iv: Zeroizing<[u8; BYTES]>,
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyMaterial(…)")
    }
}

/// A content key with what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentKey {
    /// Whose.
    pub title: TitleId,
    /// Of which tracks.
    pub label: Label,
    /// Its name.
    pub id: KeyId,
    /// Its secret part.
    pub material: KeyMaterial,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_shown() {
        let key = ContentKey {
            title: TitleId::parse("film").unwrap(),
            label: Label::parse("hd").unwrap(),
            id: KeyId([1; 16]),
            material: KeyMaterial { key: Zeroizing::new([0xab; 16]), iv: Zeroizing::new([0xcd; 16]) },
        };
        let shown = format!("{key:?}");
        assert!(shown.contains(&"01".repeat(16)), "{shown}");
        for secret in ["171", "205", "ab, ", "abab", "cdcd"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn labels_are_safe_in_keys_and_logs() {
        for bad in ["", "HD", "a|b", "a\n", &"x".repeat(33)] {
            assert!(Label::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Label::parse("uhd").unwrap().as_str(), "uhd");
    }
}
