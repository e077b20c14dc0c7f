//! How keys rest: sealed with AES-256-GCM under the master key, and bound to what they are for.
//!
//! A sealed key is 12 random bytes of nonce, then the ciphertext of key and IV with its tag of 16 bytes. Title, label and
//! id go in as associated data, so that a sealed key that was moved to another row does not open.

use std::fmt;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::array::Array;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use matinee_model::ids::TitleId;
use matinee_service::secrets::{KeyNumber, KeyRing};
use rand::TryRng;
use rand::rngs::SysRng;
use zeroize::Zeroizing;

use crate::keys::{BYTES, KeyId, KeyMaterial, Label};

const NONCE: usize = 12;
/// What a master key is recognised by: this text, sealed under it.
const PROOF: &[u8] = b"matinee master key";

/// Why something does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsealed {
    /// The master key of that number is not in the ring.
    Missing(KeyNumber),
    /// It was changed, moved, or sealed under another key.
    Refused,
}

/// Randomness or the cipher failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SealFailure(String);

/// The master keys.
pub struct Seal {
    /// The current one first.
    ciphers: Vec<(KeyNumber, Aes256Gcm)>,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<u8> = self.ciphers.iter().map(|(number, _)| number.0).collect();
        f.debug_struct("Seal").field("keys", &ids).finish()
    }
}

impl Seal {
    /// Seals under the ring's current key, opens what is under each.
    #[must_use]
    pub fn new(ring: &KeyRing) -> Self {
        let ciphers = ring.iter().map(|(number, key)| (number, Aes256Gcm::new(key.expose().into())));
        Self { ciphers: ciphers.collect() }
    }

    /// The number of the key that seals.
    #[must_use]
    pub fn current(&self) -> KeyNumber {
        self.ciphers[0].0
    }

    /// Seals a key under the current master key.
    pub fn seal(
        &self,
        title: &TitleId,
        label: &Label,
        id: KeyId,
        material: &KeyMaterial,
    ) -> Result<Vec<u8>, SealFailure> {
        let mut plain = Zeroizing::new([0; 2 * BYTES]);
        plain[..BYTES].copy_from_slice(material.key.as_slice());
        plain[BYTES..].copy_from_slice(material.iv.as_slice());
        self.encrypt(plain.as_slice(), &about(title, label, id))
    }

    /// Opens a key that was sealed under master key `number` for exactly this title, label and id.
    pub fn open(
        &self,
        number: KeyNumber,
        title: &TitleId,
        label: &Label,
        id: KeyId,
        sealed: &[u8],
    ) -> Result<KeyMaterial, Unsealed> {
        let plain = self.decrypt(number, sealed, &about(title, label, id))?;
        let (key, iv) = plain.split_first_chunk::<BYTES>().ok_or(Unsealed::Refused)?;
        let iv: &[u8; BYTES] = iv.try_into().map_err(|_| Unsealed::Refused)?;
        Ok(KeyMaterial { key: Zeroizing::new(*key), iv: Zeroizing::new(*iv) })
    }

    /// Something by which the current master key is recognised later.
    pub fn proof(&self) -> Result<Vec<u8>, SealFailure> {
        self.encrypt(PROOF, &[self.current().0])
    }

    /// Whether master key `number` is the one that made `proof`.
    pub fn recognises(&self, number: KeyNumber, proof: &[u8]) -> Result<(), Unsealed> {
        let plain = self.decrypt(number, proof, &[number.0])?;
        if plain.as_slice() == PROOF { Ok(()) } else { Err(Unsealed::Refused) }
    }

    fn encrypt(&self, plain: &[u8], about: &[u8]) -> Result<Vec<u8>, SealFailure> {
        let mut nonce = [0; NONCE];
        SysRng.try_fill_bytes(&mut nonce).map_err(|error| SealFailure(error.to_string()))?;
        let (_, cipher) = &self.ciphers[0];
        let payload = Payload { msg: plain, aad: about };
        let ciphertext =
            cipher.encrypt(&Array(nonce), payload).map_err(|_| SealFailure("AES-GCM failed".to_owned()))?;
        Ok([nonce.as_slice(), &ciphertext].concat())
    }

    fn decrypt(&self, number: KeyNumber, sealed: &[u8], about: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealed> {
        let known = self.ciphers.iter().find(|(known, _)| *known == number);
        let (_, cipher) = known.ok_or(Unsealed::Missing(number))?;
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>().ok_or(Unsealed::Refused)?;
        let payload = Payload { msg: ciphertext, aad: about };
        cipher.decrypt(&Array(*nonce), payload).map(Zeroizing::new).map_err(|_| Unsealed::Refused)
    }
}

/// Ids hold no `|`, so no two keys have the same.
fn about(title: &TitleId, label: &Label, id: KeyId) -> Vec<u8> {
    format!("{title}|{}|{id}", label.as_str()).into_bytes()
}

#[cfg(test)]
mod tests {
    use matinee_service::secrets::SecretKey;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    fn seal(byte: u8) -> Seal {
        Seal::new(&KeyRing::of(SecretKey::new([byte; 32])))
    }

    fn material(byte: u8) -> KeyMaterial {
        KeyMaterial { key: Zeroizing::new([byte; 16]), iv: Zeroizing::new([byte ^ 0xff; 16]) }
    }

    fn title(id: &str) -> TitleId {
        TitleId::parse(id).unwrap()
    }

    fn label(label: &str) -> Label {
        Label::parse(label).unwrap()
    }

    const ONE: KeyNumber = KeyNumber(1);

    #[test]
    fn a_sealed_key_opens_only_where_it_belongs() {
        let sealed = seal(1).seal(&title("film"), &label("hd"), KeyId([3; 16]), &material(9)).unwrap();
        let open =
            |byte: u8, t: &str, l: &str, id: u8| seal(byte).open(ONE, &title(t), &label(l), KeyId([id; 16]), &sealed);
        assert_eq!(open(1, "film", "hd", 3), Ok(material(9)));
        assert_eq!(open(1, "other", "hd", 3), Err(Unsealed::Refused));
        assert_eq!(open(1, "film", "sd", 3), Err(Unsealed::Refused));
        assert_eq!(open(1, "film", "hd", 4), Err(Unsealed::Refused));
        assert_eq!(open(2, "film", "hd", 3), Err(Unsealed::Refused), "another master key");
        let missing = seal(1).open(KeyNumber(2), &title("film"), &label("hd"), KeyId([3; 16]), &sealed);
        assert_eq!(missing, Err(Unsealed::Missing(KeyNumber(2))));
    }

    #[test]
    fn the_same_key_rests_differently_each_time() {
        let one = seal(1).seal(&title("film"), &label("hd"), KeyId([3; 16]), &material(9)).unwrap();
        let two = seal(1).seal(&title("film"), &label("hd"), KeyId([3; 16]), &material(9)).unwrap();
        assert_ne!(one, two);
        assert!(!one.windows(16).any(|window| window == [9; 16]));
    }

    #[test]
    fn a_master_key_is_recognised() {
        let proof = seal(1).proof().unwrap();
        assert_eq!(seal(1).recognises(ONE, &proof), Ok(()));
        assert_eq!(seal(2).recognises(ONE, &proof), Err(Unsealed::Refused));
    }

    proptest! {
        #[test]
        fn no_changed_bit_goes_unnoticed(place in 0..60usize, bit in 0..8u8) {
            let mut sealed = seal(1).seal(&title("film"), &label("hd"), KeyId([3; 16]), &material(9)).unwrap();
            prop_assert_eq!(sealed.len(), 60);
            sealed[place] ^= 1 << bit;
            let opened = seal(1).open(ONE, &title("film"), &label("hd"), KeyId([3; 16]), &sealed);
            prop_assert_eq!(opened, Err(Unsealed::Refused));
        }

        #[test]
        fn any_bytes_are_refused(sealed in any::<Vec<u8>>()) {
            let opened = seal(1).open(ONE, &title("film"), &label("hd"), KeyId([3; 16]), &sealed);
            prop_assert_eq!(opened, Err(Unsealed::Refused));
        }
    }
}
