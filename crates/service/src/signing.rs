//! Signed addresses: a token in a stream's address says until when it may be fetched, and which version it covers.
//!
//! The token stands in the path before the version, so that every relative link below carries it. It is 32 characters:
//! base64url of scheme (1 byte), key id (1), expiry in seconds since 1970 (6, big endian) and the first 16 bytes of an
//! HMAC-SHA256 over those 8 bytes and the version's id. Checking one takes well under a microsecond: the edge does it
//! for every segment.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use matinee_model::codec::Protection;

use crate::secrets::{KeyNumber, KeyRing};

/// The only scheme so far. Others (bound to a client's network, say) get numbers of their own.
const SCHEME: u8 = 1;
const HEAD: usize = 8;
const TAG: usize = 16;
/// Characters of a token.
pub const TOKEN_CHARS: usize = (HEAD + TAG) / 3 * 4;
/// The latest expiry that fits, in seconds since 1970.
const MOST_SECONDS: u64 = (1 << 48) - 1;
/// Keeps these tags apart from whatever else a key may ever sign.
const PURPOSE: &[u8] = b"matinee address 1\0";

/// What an address of a stream is signed for: one version in one protection, so that the address of an encrypted stream
/// can't be turned into that of a clear one.
#[must_use]
pub fn covered(version: &str, protection: Protection) -> String {
    format!("{version}/{}", protection.name())
}

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It was valid once.
    #[error("the address expired {0} s ago")]
    Expired(u64),
    /// It was signed for another version or by somebody else, or was changed.
    #[error("the address's signature does not match")]
    Forged,
    /// It has no token.
    #[error("the address holds no signature that can be read")]
    Malformed,
    /// Its key was taken out of the ring, or never was in it.
    #[error("the address was signed with key {0}, which is not known here")]
    UnknownKey(u8),
}

/// Signs addresses and checks them.
#[derive(Clone)]
pub struct Signer {
    /// Keyed already, so that a check starts from a copy. The current key first.
    keys: Vec<(KeyNumber, Hmac<Sha256>)>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<u8> = self.keys.iter().map(|(number, _)| number.0).collect();
        f.debug_struct("Signer").field("keys", &ids).finish()
    }
}

impl Signer {
    /// Signs with the ring's current key and takes signatures of each.
    #[must_use]
    pub fn new(ring: &KeyRing) -> Self {
        let keyed = |key: &[u8]| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
            mac.update(PURPOSE);
            mac
        };
        Self { keys: ring.iter().map(|(number, key)| (number, keyed(key.expose()))).collect() }
    }

    /// A token of [`TOKEN_CHARS`] characters that covers everything below `version` (see [`covered`]) until `expires`, in seconds since 1970.
    #[must_use]
    pub fn sign(&self, version: &str, expires: u64) -> String {
        let (number, mac) = &self.keys[0];
        let mut token = [0; HEAD + TAG];
        token[..HEAD].copy_from_slice(&expires.min(MOST_SECONDS).to_be_bytes());
        token[0] = SCHEME;
        token[1] = number.0;
        let mut mac = mac.clone();
        mac.update(&token[..HEAD]);
        mac.update(version.as_bytes());
        token[HEAD..].copy_from_slice(&mac.finalize().into_bytes()[..TAG]);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Whether `token` covers `version` at `now`, in seconds since 1970. The signature is compared in constant time.
    pub fn verify(&self, token: &str, version: &str, now: u64) -> Result<(), SignatureError> {
        let mut bytes = [0; HEAD + TAG];
        if token.len() != TOKEN_CHARS {
            return Err(SignatureError::Malformed);
        }
        URL_SAFE_NO_PAD.decode_slice_unchecked(token, &mut bytes).map_err(|_| SignatureError::Malformed)?;
        let (head, tag) = bytes.split_at(HEAD);
        if head[0] != SCHEME {
            return Err(SignatureError::Malformed);
        }
        let number = KeyNumber(head[1]);
        let known = self.keys.iter().find(|(known, _)| *known == number);
        let (_, mac) = known.ok_or(SignatureError::UnknownKey(number.0))?;
        let mut mac = mac.clone();
        mac.update(head);
        mac.update(version.as_bytes());
        mac.verify_truncated_left(tag).map_err(|_| SignatureError::Forged)?;
        let expires = head[2..].iter().fold(0, |seconds, byte| seconds << 8 | u64::from(*byte));
        if now >= expires {
            return Err(SignatureError::Expired(now - expires));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::secrets::SecretKey;

    fn ring(lines: &[(u8, u8)]) -> KeyRing {
        let text: String =
            lines.iter().map(|(id, byte)| format!("{id} {}\n", format!("{byte:02x}").repeat(32))).collect();
        KeyRing::parse(&text).unwrap()
    }

    fn signer() -> Signer {
        Signer::new(&KeyRing::of(SecretKey::new([7; 32])))
    }

    #[test]
    fn a_token_covers_its_version_until_it_expires() {
        let token = signer().sign("v1", 1_000);
        assert_eq!(token.len(), TOKEN_CHARS);
        assert_eq!(signer().verify(&token, "v1", 999), Ok(()));
        assert_eq!(signer().verify(&token, "v1", 1_000), Err(SignatureError::Expired(0)));
        assert_eq!(signer().verify(&token, "v1", 1_060), Err(SignatureError::Expired(60)));
    }

    #[test]
    fn a_token_of_one_version_does_not_open_another() {
        let token = signer().sign("v1", 1_000);
        assert_eq!(signer().verify(&token, "v2", 0), Err(SignatureError::Forged));
        assert_eq!(signer().verify(&token, "", 0), Err(SignatureError::Forged));
    }

    #[test]
    fn a_token_of_another_installation_is_forged() {
        let token = Signer::new(&KeyRing::of(SecretKey::new([8; 32]))).sign("v1", 1_000);
        assert_eq!(signer().verify(&token, "v1", 0), Err(SignatureError::Forged));
    }

    #[test]
    fn rotation_keeps_old_addresses_until_their_key_is_taken_out() {
        let old = Signer::new(&ring(&[(1, 1)])).sign("v1", 1_000);
        let rotated = Signer::new(&ring(&[(2, 2), (1, 1)]));
        assert_eq!(rotated.verify(&old, "v1", 0), Ok(()));
        let new = rotated.sign("v1", 1_000);
        let after = Signer::new(&ring(&[(2, 2)]));
        assert_eq!(after.verify(&new, "v1", 0), Ok(()));
        assert_eq!(after.verify(&old, "v1", 0), Err(SignatureError::UnknownKey(1)));
    }

    #[test]
    fn the_scheme_does_not_change_unnoticed() {
        // Made apart with Python's hmac module: the edge of one release takes what another signed.
        let token = signer().sign("big-buck-bunny-1", 1_800_000_000);
        assert_eq!(token, "AQEAAGtJ0gDVmxgH_ItXqhP-IvxwTMKP");
    }

    proptest! {
        #[test]
        fn every_version_and_expiry_goes_there_and_back(version in "[a-z0-9_-]{1,64}", expires in 1..MOST_SECONDS) {
            let token = signer().sign(&version, expires);
            prop_assert_eq!(signer().verify(&token, &version, expires - 1), Ok(()));
            prop_assert_eq!(signer().verify(&token, &version, expires), Err(SignatureError::Expired(0)));
        }

        #[test]
        fn a_token_with_any_other_character_is_refused(place in 0..TOKEN_CHARS, other in any::<char>()) {
            let token = signer().sign("v1", u64::MAX);
            let changed: String =
                token.chars().enumerate().map(|(i, c)| if i == place { other } else { c }).collect();
            prop_assert!(changed == token || signer().verify(&changed, "v1", 0).is_err());
        }

        #[test]
        fn any_text_is_refused(token in any::<String>()) {
            prop_assert!(signer().verify(&token, "v1", 0).is_err());
        }
    }
}
