//! Compact JWTs by a ring of keys: always HS256 and for one audience; one that says otherwise is refused.
//!
//! What they say is the business of who makes them ([`crate::tokens`], [`crate::access`]). Times are passed in.

use std::fmt;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::secrets::{KeyNumber, KeyRing};

/// A longer text is not looked at.
const MOST_BYTES: usize = 4096;
/// A token made by a machine whose clock is ahead by so much is still taken, in seconds.
const SKEW: u64 = 60;

/// Why a token is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It was valid once; so many seconds ago.
    Expired(u64),
    /// It was issued so many seconds in the future.
    NotYet(u64),
    /// Its signature does not match.
    Forged,
    /// It is none.
    Malformed(&'static str),
    /// Its key is not in the ring.
    UnknownKey,
}

/// When a token holds.
pub(crate) trait Term {
    /// Since when, in seconds since 1970.
    fn issued(&self) -> u64;
    /// Until when, in seconds since 1970 (not included).
    fn expires(&self) -> u64;
}

#[derive(Serialize, Deserialize)]
struct Addressed<C> {
    aud: String,
    #[serde(flatten)]
    claims: C,
}

/// Signs and checks tokens for one audience.
#[derive(Clone)]
pub(crate) struct Jwt {
    audience: &'static str,
    /// The current key first.
    keys: Vec<(KeyNumber, EncodingKey, DecodingKey)>,
    validation: Validation,
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<u8> = self.keys.iter().map(|(number, ..)| number.0).collect();
        f.debug_struct("Jwt").field("audience", &self.audience).field("keys", &ids).finish()
    }
}

impl Jwt {
    /// Signs with the ring's current key and takes tokens of each.
    pub(crate) fn new(ring: &KeyRing, audience: &'static str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "aud"]);
        // Here, with the time that is passed in.
        validation.validate_exp = false;
        let pair = |key: &[u8]| (EncodingKey::from_secret(key), DecodingKey::from_secret(key));
        let keys = ring.iter().map(|(number, key)| {
            let (encoding, decoding) = pair(key.expose());
            (number, encoding, decoding)
        });
        Self { audience, keys: keys.collect(), validation }
    }

    /// Makes a token that says this.
    pub(crate) fn issue<C: Serialize>(&self, claims: C) -> Result<String, jsonwebtoken::errors::Error> {
        let (number, key, _) = &self.keys[0];
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(number.to_string());
        encode(&header, &Addressed { aud: self.audience.to_owned(), claims }, key)
    }

    /// What `token` says, where it is genuine and valid at `now`, in seconds since 1970.
    pub(crate) fn verify<C: DeserializeOwned + Term>(&self, token: &str, now: u64) -> Result<C, Refused> {
        if token.len() > MOST_BYTES {
            return Err(Refused::Malformed("it is longer than 4096 bytes"));
        }
        let header = decode_header(token).map_err(|_| Refused::Malformed("its header is not one of HS256"))?;
        let number = header.kid.and_then(|kid| kid.parse().ok()).map(KeyNumber).ok_or(Refused::UnknownKey)?;
        let known = self.keys.iter().find(|(known, ..)| *known == number);
        let (_, _, key) = known.ok_or(Refused::UnknownKey)?;
        let token = decode::<Addressed<C>>(token, key, &self.validation).map_err(|error| refusal(&error))?;
        let claims = token.claims.claims;
        if now >= claims.expires() {
            return Err(Refused::Expired(now - claims.expires()));
        }
        if claims.issued() > now.saturating_add(SKEW) {
            return Err(Refused::NotYet(claims.issued() - now));
        }
        Ok(claims)
    }
}

fn refusal(error: &jsonwebtoken::errors::Error) -> Refused {
    match error.kind() {
        ErrorKind::InvalidSignature => Refused::Forged,
        ErrorKind::InvalidAudience => Refused::Malformed("it is for somebody else"),
        ErrorKind::InvalidAlgorithm => Refused::Malformed("its header is not one of HS256"),
        _ => Refused::Malformed("it is not a JWT with the claims of one"),
    }
}

/// A token as another program could make it, for tests of what is refused.
#[cfg(test)]
pub(crate) fn addressed<C: Serialize>(key: &[u8], audience: &str, claims: C) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("1".to_owned());
    encode(&header, &Addressed { aud: audience.to_owned(), claims }, &EncodingKey::from_secret(key))
        .expect("test claims can be written as JSON")
}
