//! Refresh tokens: each renews once, and one that comes a second time signs its device out.
//!
//! A token is its family, which stays as long as the device is signed in, and a turn, which changes with each use. Only
//! hashes of both are kept, of one family a device. A token of a known family whose turn is not the current one can only
//! be one that was used before: somebody copied it.
//!
//! The next turn is made of the present one and a salt that is kept: so a client that sends the very same token twice
//! within a few seconds (two tabs, a lost reply) gets the very same successor twice, and stays signed in.
//! Source: RFC 9700 (OAuth 2.0 Security Best Current Practice), 4.14.2, refresh token rotation.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::entropy::{Entropy, random};
use crate::error::AccountsError;
use crate::secret::{decoded, hash};

const FAMILY: usize = 16;
const TURN: usize = 32;

/// A refresh token, as a client holds it. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    family: [u8; FAMILY],
    turn: [u8; TURN],
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

impl RefreshToken {
    /// The first of a new family.
    pub fn fresh(entropy: &dyn Entropy) -> Result<Self, AccountsError> {
        Ok(Self { family: random(entropy)?, turn: random(entropy)? })
    }

    /// Reads what [`RefreshToken::text`] wrote; nothing where it did not.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; FAMILY + TURN] = decoded(text)?;
        let (family, turn) = bytes.split_at(FAMILY);
        Some(Self { family: family.try_into().ok()?, turn: turn.try_into().ok()? })
    }

    /// 64 characters of base64url.
    #[must_use]
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode([&self.family[..], &self.turn[..]].concat())
    }

    /// What is kept of its family.
    #[must_use]
    pub fn family_hash(&self) -> String {
        hash(&self.family)
    }

    /// What is kept of its turn.
    #[must_use]
    pub fn turn_hash(&self) -> String {
        hash(&self.turn)
    }

    /// The token that follows this one by `salt`.
    #[must_use]
    pub fn successor(&self, salt: &str) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.turn).expect("HMAC takes a key of any length");
        mac.update(salt.as_bytes());
        Self { family: self.family, turn: mac.finalize().into_bytes().into() }
    }
}

/// What is kept of a device's turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turns {
    /// The hash of the turn that is to come.
    pub current: String,
    /// The hash of the one that was used last.
    pub previous: Option<String>,
    /// By which the current one was made of it.
    pub salt: Option<String>,
    /// When it was used, in microseconds since 1970.
    pub turned_us: i64,
    /// Until when the current one renews, in microseconds since 1970 (not included).
    pub expires_us: i64,
}

/// What a token that was presented is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// The current one: it is used up now.
    Current,
    /// The very one that was used a moment ago: its successor by this salt is still the current one.
    Again(String),
    /// Its time is over.
    Expired,
    /// One that was used before.
    Reused,
}

/// Judges the token whose turn hashes to `turn`, presented at `now_us`. One that was used stays good for `grace_us`.
#[must_use]
pub fn presented(turns: &Turns, turn: &str, now_us: i64, grace_us: i64) -> Presented {
    if turn == turns.current {
        return if now_us < turns.expires_us { Presented::Current } else { Presented::Expired };
    }
    let again = turns.previous.as_deref() == Some(turn) && now_us < turns.turned_us.saturating_add(grace_us);
    match &turns.salt {
        Some(salt) if again => Presented::Again(salt.clone()),
        _ => Presented::Reused,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn a_token_renews_once_and_again_for_a_moment() {
        let turns = Turns {
            current: "b".to_owned(),
            previous: Some("a".to_owned()),
            salt: Some("s".to_owned()),
            turned_us: 100,
            expires_us: 1_000,
        };
        assert_eq!(presented(&turns, "b", 999, 10), Presented::Current);
        assert_eq!(presented(&turns, "b", 1_000, 10), Presented::Expired);
        assert_eq!(presented(&turns, "a", 109, 10), Presented::Again("s".to_owned()));
        assert_eq!(presented(&turns, "a", 110, 10), Presented::Reused);
        assert_eq!(presented(&turns, "0", 101, 10), Presented::Reused, "one before the last");
    }

    #[test]
    fn the_successor_is_the_same_each_time_and_of_the_same_family() {
        let token = RefreshToken::fresh(&SystemEntropy).unwrap();
        let next = token.successor("salt");
        assert_eq!(next, token.successor("salt"));
        assert_eq!(next.family_hash(), token.family_hash());
        assert_ne!(next.turn_hash(), token.turn_hash());
        assert_ne!(next, token.successor("other"));
        assert_eq!(format!("{token:?}"), "RefreshToken(…)");
    }

    proptest! {
        #[test]
        fn only_what_was_written_is_read(text in any::<String>(), bytes in any::<[u8; 48]>()) {
            if let Some(token) = RefreshToken::parse(&text) {
                prop_assert_eq!(token.text(), text);
            }
            let text = URL_SAFE_NO_PAD.encode(bytes);
            prop_assert_eq!(RefreshToken::parse(&text).unwrap().text(), text);
        }
    }
}
