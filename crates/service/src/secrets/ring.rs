//! A ring of keys: the first makes what is new, the others still open what is old, until their lines are taken out.
//!
//! As text, a key a line: its id from 1 to 255, a space, and 64 hexadecimal digits. Lines that begin with `#` are notes.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// As many keys as a ring may hold.
const MOST_KEYS: usize = 16;

/// 256 random bits that are never shown.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey([u8; KEY_BYTES]);

impl SecretKey {
    /// Takes these bytes.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a cipher or a signature.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// Names a key in what it made, so that it is found again after a rotation. Never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyNumber(pub u8);

impl fmt::Display for KeyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is not a ring. Never holds the text itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// No key at all.
    #[error("it holds no key")]
    Empty,
    /// A line that can't be read.
    #[error("line {0} is not an id from 1 to 255, a space and 64 hexadecimal digits")]
    Line(usize),
    /// Two keys of one id.
    #[error("line {line} uses id {id} again")]
    Twice {
        /// From 1.
        line: usize,
        /// The id.
        id: u8,
    },
    /// Too many keys.
    #[error("it holds more than {MOST_KEYS} keys; take the oldest out")]
    TooMany,
}

/// Keys by id. Never empty; the first is the current one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRing(Vec<(KeyNumber, SecretKey)>);

impl KeyRing {
    /// A ring of one key, of id 1.
    #[must_use]
    pub fn of(key: SecretKey) -> Self {
        Self(vec![(KeyNumber(1), key)])
    }

    /// Reads a ring from text.
    pub fn parse(text: &str) -> Result<Self, RingError> {
        let mut keys: Vec<(KeyNumber, SecretKey)> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let number = index + 1;
            let (id, digits) = line.split_once(' ').ok_or(RingError::Line(number))?;
            let id: u8 = id.parse().ok().filter(|id| *id > 0).ok_or(RingError::Line(number))?;
            let mut bytes = [0; KEY_BYTES];
            hex::decode_to_slice(digits.trim(), &mut bytes).map_err(|_| RingError::Line(number))?;
            if keys.iter().any(|(known, _)| known.0 == id) {
                return Err(RingError::Twice { line: number, id });
            }
            keys.push((KeyNumber(id), SecretKey::new(bytes)));
            bytes.zeroize();
        }
        match keys.len() {
            0 => Err(RingError::Empty),
            1..=MOST_KEYS => Ok(Self(keys)),
            _ => Err(RingError::TooMany),
        }
    }

    /// The key that makes what is new.
    #[must_use]
    pub fn current(&self) -> (KeyNumber, &SecretKey) {
        let (number, key) = &self.0[0];
        (*number, key)
    }

    /// The key of this id.
    #[must_use]
    pub fn get(&self, number: KeyNumber) -> Option<&SecretKey> {
        self.0.iter().find(|(known, _)| *known == number).map(|(_, key)| key)
    }

    /// All keys, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = (KeyNumber, &SecretKey)> {
        self.0.iter().map(|(number, key)| (*number, key))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    fn line(id: u8, byte: u8) -> String {
        format!("{id} {}\n", hex::encode([byte; KEY_BYTES]))
    }

    #[test]
    fn the_first_key_is_the_current_one_and_the_others_are_found_by_id() {
        let ring = KeyRing::parse(&format!("# a note\n\n{}{}", line(7, 1), line(3, 2))).unwrap();
        assert_eq!(ring.current(), (KeyNumber(7), &SecretKey::new([1; 32])));
        assert_eq!(ring.get(KeyNumber(3)), Some(&SecretKey::new([2; 32])));
        assert_eq!(ring.get(KeyNumber(1)), None);
    }

    #[test]
    fn what_is_wrong_is_named_by_line_without_the_key() {
        assert_eq!(KeyRing::parse("# nothing\n"), Err(RingError::Empty));
        assert_eq!(KeyRing::parse("1 abcd"), Err(RingError::Line(1)));
        assert_eq!(KeyRing::parse(&line(0, 1)), Err(RingError::Line(1)));
        assert_eq!(KeyRing::parse(&(line(1, 1) + &line(1, 2))), Err(RingError::Twice { line: 2, id: 1 }));
        let many: String = (1..=17).map(|id| line(id, id)).collect();
        assert_eq!(KeyRing::parse(&many), Err(RingError::TooMany));
    }

    #[test]
    fn a_key_is_not_shown() {
        let shown = format!("{:?}", KeyRing::of(SecretKey::new([0xab; 32])));
        assert!(!shown.contains("ab") && !shown.contains("171"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = KeyRing::parse(&text);
        }
    }
}
