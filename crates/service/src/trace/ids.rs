//! What traces and spans are called.

use std::fmt;

/// A trace's id: 128 bits that are not all 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(u128);

/// A span's id: 64 bits that are not all 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(u64);

impl TraceId {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random::<u128>().max(1))
    }

    /// Of 32 or, as older senders of B3 write it, 16 hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = matches!(text.len(), 16 | 32) && text.bytes().all(|b| b.is_ascii_hexdigit());
        let value = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten()?;
        (value != 0).then_some(Self(value))
    }

    /// Its bytes, the highest first.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Where it falls between 0 and 1, the same for everyone who asks.
    #[must_use]
    pub(crate) fn chance(self) -> f64 {
        // The lower half is random also where the upper tells the time; 53 bits are what a float holds.
        let bits = (self.0 as u64) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }
}

impl SpanId {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random::<u64>().max(1))
    }

    /// Of 16 hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let value = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten()?;
        (value != 0).then_some(Self(value))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanId({self})")
    }
}
