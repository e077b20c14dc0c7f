//! Secrets that are handed out once and kept as hashes: links in mails, device codes, states of a sign-in elsewhere.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::entropy::{Entropy, random};
use crate::error::AccountsError;

const BYTES: usize = 32;

/// 256 random bits, as 43 characters that stand in an address as they are. Never shown by `Debug`.
#[derive(Clone)]
pub(crate) struct Secret([u8; BYTES]);

impl Secret {
    pub(crate) fn fresh(entropy: &dyn Entropy) -> Result<Self, AccountsError> {
        Ok(Self(random(entropy)?))
    }

    /// Reads what [`Secret::text`] wrote; nothing where it did not.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        decoded(text).map(Self)
    }

    pub(crate) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is kept of it.
    pub(crate) fn hash(&self) -> String {
        hash(&self.0)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 by text: slow hashing is for what people choose, these have 128 random bits and more.
pub(crate) fn hash(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(bytes))
}

/// Exactly `N` bytes out of base64url without padding.
pub(crate) fn decoded<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() > N * 2 {
        return None;
    }
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}
