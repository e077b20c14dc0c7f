//! The ciphers: AES-CBC with a pattern (`cbcs`) and AES-CTR (`cenc`), in place.

use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use super::Subsample;

/// Bytes of a block.
const BLOCK: usize = 16;
/// Blocks of key stream that are made at once.
const STREAM: usize = 8;

type Block = Array<u8, aes::cipher::consts::U16>;

/// One key, ready for use.
pub struct Cipher(Aes128);

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher")
    }
}

/// How many blocks of ten are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Every one (sound).
    Full,
    /// One of ten (pictures).
    OneOfTen,
}

impl Pattern {
    fn stride(self) -> usize {
        match self {
            Self::Full => BLOCK,
            Self::OneOfTen => 10 * BLOCK,
        }
    }
}

impl Cipher {
    /// Takes a key.
    #[must_use]
    pub fn new(key: &[u8; 16]) -> Self {
        Self(Aes128::new(&(*key).into()))
    }

    /// Encrypts one protected run by `cbcs`; the chain starts anew with `iv`. What is left of a block stays clear.
    pub fn cbcs_encrypt(&self, iv: &[u8; 16], pattern: Pattern, bytes: &mut [u8]) {
        let mut chain = *iv;
        let mut at = 0;
        while let Some(block) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<BLOCK>()) {
            for (byte, previous) in block.iter_mut().zip(chain) {
                *byte ^= previous;
            }
            self.0.encrypt_block(block.into());
            chain = *block;
            at += pattern.stride();
        }
    }

    /// Undoes [`Cipher::cbcs_encrypt`].
    pub fn cbcs_decrypt(&self, iv: &[u8; 16], pattern: Pattern, bytes: &mut [u8]) {
        let mut chain = *iv;
        let mut at = 0;
        while let Some(block) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<BLOCK>()) {
            let next = *block;
            self.0.decrypt_block(block.into());
            for (byte, previous) in block.iter_mut().zip(chain) {
                *byte ^= previous;
            }
            chain = next;
            at += pattern.stride();
        }
    }

    /// Encrypts or decrypts a sample's protected runs by `cenc`: one key stream over all of them.
    pub fn cenc(&self, iv: u64, subsamples: &[Subsample], sample: &mut [u8]) {
        let mut stream =
            Stream { cipher: self, iv, counter: 0, blocks: [Block::default(); STREAM], used: STREAM * BLOCK };
        if subsamples.is_empty() {
            stream.apply(sample);
            return;
        }
        let mut at = 0;
        for subsample in subsamples {
            at += usize::from(subsample.clear);
            let end = at + subsample.protected as usize;
            if let Some(run) = sample.get_mut(at..end) {
                stream.apply(run);
            }
            at = end;
        }
    }
}

/// A key stream.
struct Stream<'a> {
    cipher: &'a Cipher,
    iv: u64,
    counter: u64,
    blocks: [Block; STREAM],
    used: usize,
}

impl Stream<'_> {
    fn apply(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() {
            if self.used == STREAM * BLOCK {
                for block in &mut self.blocks {
                    block[..8].copy_from_slice(&self.iv.to_be_bytes());
                    block[8..].copy_from_slice(&self.counter.to_be_bytes());
                    self.counter = self.counter.wrapping_add(1);
                }
                self.cipher.0.encrypt_blocks(&mut self.blocks);
                self.used = 0;
            }
            let stream = self.blocks.as_flattened_stream();
            let n = (bytes.len() - at).min(STREAM * BLOCK - self.used);
            for (byte, key) in bytes[at..at + n].iter_mut().zip(&stream[self.used..self.used + n]) {
                *byte ^= key;
            }
            at += n;
            self.used += n;
        }
    }
}

trait Flatten {
    fn as_flattened_stream(&self) -> &[u8];
}

impl Flatten for [Block; STREAM] {
    fn as_flattened_stream(&self) -> &[u8] {
        Array::slice_as_flattened(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_encrypted_by_cbcs_comes_back(key: [u8; 16], iv: [u8; 16], bytes: Vec<u8>, full: bool) {
            let pattern = if full { Pattern::Full } else { Pattern::OneOfTen };
            let cipher = Cipher::new(&key);
            let mut work = bytes.clone();
            cipher.cbcs_encrypt(&iv, pattern, &mut work);
            prop_assert!(bytes.len() < 16 || work != bytes);
            cipher.cbcs_decrypt(&iv, pattern, &mut work);
            prop_assert_eq!(work, bytes);
        }

        #[test]
        fn one_stream_covers_all_runs_of_a_sample(key: [u8; 16], iv: u64, bytes in proptest::collection::vec(any::<u8>(), 300)) {
            let cipher = Cipher::new(&key);
            let mut whole: Vec<u8> = [&bytes[10..100], &bytes[150..300]].concat();
            cipher.cenc(iv, &[], &mut whole);
            let mut parts = bytes.clone();
            let subsamples = [Subsample { clear: 10, protected: 90 }, Subsample { clear: 50, protected: 150 }];
            cipher.cenc(iv, &subsamples, &mut parts);
            prop_assert_eq!(&parts[10..100], &whole[..90]);
            prop_assert_eq!(&parts[150..], &whole[90..]);
            prop_assert_eq!(&parts[100..150], &bytes[100..150]);
        }
    }

    #[test]
    fn a_known_counter_block_is_encrypted_as_the_standard_says() {
        // FIPS 197, appendix B: one block under this key.
        let key: [u8; 16] = hex::decode("2b7e151628aed2a6abf7158809cf4f3c").unwrap().try_into().unwrap();
        let mut block = hex::decode("3243f6a8885a308d313198a2e0370734").unwrap();
        Cipher::new(&key).cbcs_encrypt(&[0; 16], Pattern::Full, &mut block);
        assert_eq!(hex::encode(block), "3925841d02dc09fbdc118597196a0b32");
    }
}
