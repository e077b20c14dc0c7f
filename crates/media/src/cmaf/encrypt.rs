//! Encrypting a segment's samples in place, by either scheme of Common Encryption.

use super::fragment::{Auxiliary, FragmentSample};
use crate::cenc::cipher::{Cipher, Pattern};
use crate::cenc::subsamples::{RunLength, SplitError, Splitter};
use crate::cenc::{Scheme, Subsample};
use crate::mp4::entry::Entry;

/// Runs of a sample that its auxiliary information has room for (its size is one byte).
const MOST_RUNS: usize = 40;

/// Encrypts the samples of one track, in order.
#[derive(Debug)]
pub struct Encryptor {
    splitter: Splitter,
    cipher: Cipher,
    scheme: Scheme,
    pictures: bool,
    next_iv: u64,
    runs: Vec<Subsample>,
    auxiliary: Auxiliary,
}

impl Encryptor {
    /// For the samples that `entry` describes.
    ///
    /// Protected runs are whole blocks in either scheme, so that a track can be turned from one into the other without
    /// being parsed again.
    pub fn new(entry: &Entry, scheme: &Scheme) -> Result<Self, SplitError> {
        let first_iv = if let Scheme::Cenc { first_iv, .. } = scheme { *first_iv } else { 0 };
        Ok(Self {
            splitter: Splitter::new(entry, RunLength::Blocks)?,
            cipher: Cipher::new(&scheme.key().key),
            scheme: scheme.clone(),
            pictures: entry.is_video(),
            next_iv: first_iv,
            runs: Vec::new(),
            auxiliary: Auxiliary::default(),
        })
    }

    /// Encrypts the samples that stand one after the other in `data`. An error names the sample, counted from 0.
    pub fn encrypt(&mut self, samples: &[FragmentSample], data: &mut [u8]) -> Result<&Auxiliary, (u64, SplitError)> {
        self.auxiliary.ivs.clear();
        self.auxiliary.counts.clear();
        self.auxiliary.runs.clear();
        let mut rest = data;
        for (n, sample) in samples.iter().enumerate() {
            let Some((bytes, after)) = rest.split_at_mut_checked(sample.size as usize) else {
                return Err((n as u64, SplitError::new("a track", "its bytes are cut short".to_owned())));
            };
            rest = after;
            self.splitter.split(bytes, &mut self.runs).map_err(|error| (n as u64, error))?;
            if self.runs.len() > MOST_RUNS {
                let reason = format!("it has {} runs, {MOST_RUNS} are taken", self.runs.len());
                return Err((n as u64, SplitError::new("a track", reason)));
            }
            if self.pictures {
                self.auxiliary.counts.push(self.runs.len() as u16);
                self.auxiliary.runs.extend_from_slice(&self.runs);
            }
            if let Scheme::Cenc { .. } = self.scheme {
                self.auxiliary.ivs.push(self.next_iv);
            }
            apply(&self.cipher, &self.scheme, self.next_iv, &self.runs, self.pictures, bytes);
            self.next_iv = self.next_iv.wrapping_add(1);
        }
        Ok(&self.auxiliary)
    }
}

/// Encrypts one sample whose runs are known.
pub(crate) fn apply(cipher: &Cipher, scheme: &Scheme, iv: u64, runs: &[Subsample], pictures: bool, sample: &mut [u8]) {
    let Scheme::Cbcs(key) = scheme else {
        // A picture without a protected run is clear, not protected whole.
        if !pictures || !runs.is_empty() {
            cipher.cenc(iv, runs, sample);
        }
        return;
    };
    if !pictures {
        cipher.cbcs_encrypt(&key.iv, Pattern::Full, sample);
        return;
    }
    protected(runs, sample, |run| cipher.cbcs_encrypt(&key.iv, Pattern::OneOfTen, run));
}

/// Calls `with` on each protected run of a sample.
pub(crate) fn protected(runs: &[Subsample], sample: &mut [u8], mut with: impl FnMut(&mut [u8])) {
    let mut at = 0;
    for run in runs {
        at += usize::from(run.clear);
        let end = at + run.protected as usize;
        if let Some(bytes) = sample.get_mut(at..end) {
            with(bytes);
        }
        at = end;
    }
}
