//! Turning a stored track into any other protection of it, segment by segment, when it is asked for.
//!
//! What is stored is `cbcs` (or clear). Protected runs are whole blocks in either scheme, so the runs that are stored
//! serve both, and a segment's size in every protection follows from its numbers of samples and runs: the layout of a
//! file is known before any of it is made.

use std::ops::Range;

use matinee_model::codec::Protection;

use crate::cenc::cipher::{Cipher, Pattern};
use crate::cenc::{ContentKey, Scheme, Subsample};
use crate::cmaf::encrypt::{apply, protected};
use crate::cmaf::fragment::{Auxiliary, FragmentSample, Pictures, sidx, sidx_size, write_head};
use crate::cmaf::init::{InitSpec, init_segment};
use crate::mp4::boxes::{Boxes, Mp4Box, find};
use crate::mp4::entry::Entry;
use crate::mp4::samples::fragment;
use crate::mp4::{Handler, Mp4, Mp4Error, Sample, Track};
use crate::presentation::{ByteRange, Segment, TrackFile};

/// Why a segment can't be made in a protection.
#[derive(Debug, thiserror::Error)]
pub enum ReprotectError {
    /// What is stored is malformed.
    #[error("the stored track is malformed: {0}")]
    Stored(#[from] Mp4Error),
    /// What is stored contradicts the presentation.
    #[error("segment {number} of the stored track: {reason}")]
    Segment {
        /// From 0.
        number: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// A key is needed that was not given, or there is none.
    #[error("the track is stored clear: it has no key to protect it with {0}")]
    NoKey(&'static str),
    /// The key of an encrypted track was not given.
    #[error("the track is encrypted and its key was not given")]
    KeyMissing,
}

/// A stored track's head, understood.
#[derive(Debug)]
pub struct Head {
    track: Track,
    spec: InitSpec,
    timescale: u32,
    key: Option<([u8; 16], [u8; 16])>,
    /// What the IVs of `cenc` are derived from: no two tracks have the same.
    seed: [u8; 32],
    segments: Vec<Segment>,
}

/// How a whole file of a track is laid out in some protection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeFile {
    /// `ftyp moov sidx`.
    pub head: Vec<u8>,
    /// `ftyp moov`.
    pub init: ByteRange,
    /// `sidx`.
    pub sidx: ByteRange,
    /// In order, without a gap.
    pub segments: Vec<ByteRange>,
    /// Bytes.
    pub size: u64,
}

/// A segment in the clear, and where its samples are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClearSegment {
    /// The samples' bytes, one after the other.
    pub data: Vec<u8>,
    /// In decoding order.
    pub samples: Vec<ClearSample>,
}

/// One sample of a clear segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClearSample {
    /// When it is decoded on the presentation's timeline, in ticks; may be negative.
    pub dts: i64,
    /// From decoding to presentation, in ticks.
    pub cts: i64,
    /// Ticks.
    pub duration: u32,
    /// Whether decoding can start here.
    pub sync: bool,
    /// Of [`ClearSegment::data`].
    pub range: Range<usize>,
}

/// A stored fragment, taken apart.
struct Parts {
    sequence: u32,
    base_time: u64,
    samples: Vec<Sample>,
    counts: Vec<u16>,
    runs: Vec<Subsample>,
}

impl Head {
    /// Reads `ftyp moov` as it is stored for `file`.
    pub fn parse(init: &[u8], file: &TrackFile) -> Result<Self, ReprotectError> {
        let movie = Mp4::open(init.to_vec())?;
        let track = movie.tracks().first().ok_or(Mp4Error::Missing("trak"))?.clone();
        let key = match &file.key {
            None => None,
            Some(key) => {
                let (mut kid, mut iv) = ([0; 16], [0; 16]);
                let malformed =
                    |_| ReprotectError::Segment { number: 0, reason: "its key id or IV is not 16 bytes of hex" };
                hex::decode_to_slice(&key.kid, &mut kid).map_err(malformed)?;
                hex::decode_to_slice(&key.iv, &mut iv).map_err(malformed)?;
                Some((kid, iv))
            }
        };
        let seed = *blake3::hash(format!("cenc {} {}", file.object, file.output_key).as_bytes()).as_bytes();
        let spec = InitSpec::of(&track);
        Ok(Self { spec, timescale: file.timescale, track, key, seed, segments: file.segments.clone() })
    }

    /// The clear sample entry's configuration: the body of `avcC`, `hvcC` or `av1C`; for AAC the AudioSpecificConfig.
    #[must_use]
    pub fn configuration(&self) -> &[u8] {
        &self.track.entry.config
    }

    /// How the track's samples are coded.
    #[must_use]
    pub fn entry(&self) -> &Entry {
        &self.track.entry
    }

    /// The key id that the track is encrypted with, if it is.
    #[must_use]
    pub fn kid(&self) -> Option<[u8; 16]> {
        self.key.map(|(kid, _)| kid)
    }

    fn pictures(&self) -> bool {
        self.track.handler == Handler::Video
    }

    /// The scheme of a protection, with `key`'s bytes where they are given.
    fn scheme(
        &self,
        protection: Protection,
        key: Option<&ContentKey>,
        number: usize,
    ) -> Result<Option<Scheme>, ReprotectError> {
        if protection == Protection::Clear {
            return Ok(None);
        }
        let (kid, iv) = self.key.ok_or(ReprotectError::NoKey(protection.name()))?;
        let key = ContentKey { kid, key: key.map_or([0; 16], |k| k.key), iv };
        Ok(Some(match protection {
            Protection::Cbcs => Scheme::Cbcs(key),
            _ => Scheme::Cenc { key, first_iv: self.first_iv(number) },
        }))
    }

    /// The IV of a segment's first sample. No key stream is used twice: IVs of two segments, of whichever tracks, are
    /// 64 bits of a keyed hash apart.
    fn first_iv(&self, number: usize) -> u64 {
        let hash = blake3::keyed_hash(&self.seed, &(number as u64).to_be_bytes());
        let mut iv = [0; 8];
        iv.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_be_bytes(iv)
    }

    /// The initialisation segment in a protection, with its `pssh` boxes.
    pub fn init(&self, protection: Protection) -> Result<Vec<u8>, ReprotectError> {
        Ok(init_segment(&self.spec, self.scheme(protection, None, 0)?.as_ref()))
    }

    /// Bytes of a segment in a protection.
    fn size(&self, segment: &Segment, protection: Protection) -> u64 {
        let stored = if self.key.is_some() { Protection::Cbcs } else { Protection::Clear };
        let (samples, runs) = (u64::from(segment.samples), u64::from(segment.subsamples));
        let auxiliary = |protection| match (protection, self.pictures()) {
            (Protection::Clear, _) | (Protection::Cbcs, false) => 0,
            // saiz (a size a sample), saio, senc.
            (Protection::Cbcs, true) => 17 + samples + 20 + 16 + 2 * samples + 6 * runs,
            (Protection::Cenc, true) => 17 + samples + 20 + 16 + 10 * samples + 6 * runs,
            // One size for all.
            (Protection::Cenc, false) => 17 + 20 + 16 + 8 * samples,
        };
        u64::from(segment.size) - auxiliary(stored) + auxiliary(protection)
    }

    /// The layout of the whole file in a protection.
    pub fn whole(&self, protection: Protection) -> Result<WholeFile, ReprotectError> {
        let mut head = self.init(protection)?;
        let init = ByteRange { offset: 0, size: head.len() as u64 };
        let index = ByteRange { offset: init.size, size: sidx_size(self.segments.len()) as u64 };
        let mut offset = init.size + index.size;
        let (mut ranges, mut lengths) = (Vec::new(), Vec::new());
        for segment in &self.segments {
            let size = self.size(segment, protection);
            ranges.push(ByteRange { offset, size });
            lengths.push((u32::try_from(size).unwrap_or(u32::MAX), segment.duration));
            offset += size;
        }
        head.extend_from_slice(&sidx(self.timescale, &lengths));
        Ok(WholeFile { head, init, sidx: index, segments: ranges, size: offset })
    }

    /// Segment `number` in a protection, from its stored bytes. `key` may be left out where what is stored is served.
    pub fn segment(
        &self,
        number: usize,
        stored: &[u8],
        key: Option<&ContentKey>,
        protection: Protection,
    ) -> Result<Vec<u8>, ReprotectError> {
        let as_stored = if self.key.is_some() { Protection::Cbcs } else { Protection::Clear };
        if protection == as_stored {
            return Ok(stored.to_vec());
        }
        let scheme = self.scheme(protection, key, number)?;
        let parts = self.parts(number, stored)?;
        let mut data = self.clear_data(number, stored, key, &parts)?;
        let mut auxiliary = Auxiliary::default();
        if let Some(scheme) = &scheme {
            let cipher = Cipher::new(&scheme.key().key);
            let (mut iv, mut runs) = (self.first_iv(number), parts.runs.as_slice());
            each_sample(&parts, &mut data, |n, sample| {
                let (own, rest) = runs.split_at(usize::from(parts.counts.get(n).copied().unwrap_or(0)).min(runs.len()));
                runs = rest;
                auxiliary.ivs.push(iv);
                apply(&cipher, scheme, iv, own, self.pictures(), sample);
                iv = iv.wrapping_add(1);
            });
            auxiliary.counts = parts.counts;
            auxiliary.runs = parts.runs;
        }
        let listed: Vec<_> = parts
            .samples
            .iter()
            .map(|s| FragmentSample { size: s.size, duration: s.duration, cts: s.cts, sync: s.sync })
            .collect();
        let pictures = if self.pictures() { Pictures::Yes } else { Pictures::No };
        let mut out = Vec::with_capacity(stored.len() + 16 * listed.len() + 64);
        write_head(&mut out, parts.sequence, parts.base_time, &listed, &auxiliary, pictures);
        out.extend_from_slice(&data);
        Ok(out)
    }

    /// The samples of a stored segment, in the clear, on the presentation's timeline.
    pub fn samples(
        &self,
        number: usize,
        stored: &[u8],
        key: Option<&ContentKey>,
    ) -> Result<ClearSegment, ReprotectError> {
        let parts = self.parts(number, stored)?;
        let data = self.clear_data(number, stored, key, &parts)?;
        let (mut samples, mut at) = (Vec::with_capacity(parts.samples.len()), 0);
        for sample in &parts.samples {
            let end = at + sample.size as usize;
            samples.push(ClearSample {
                dts: sample.dts as i64 - self.spec.media_time as i64,
                cts: i64::from(sample.cts),
                duration: sample.duration,
                sync: sample.sync,
                range: at..end,
            });
            at = end;
        }
        Ok(ClearSegment { data, samples })
    }

    /// Takes a stored segment (one `moof mdat`) apart.
    fn parts(&self, number: usize, stored: &[u8]) -> Result<Parts, ReprotectError> {
        let malformed = |reason| ReprotectError::Segment { number, reason };
        let moof = find(Boxes::new(stored), b"moof")?.ok_or(Mp4Error::Missing("moof"))?;
        let (_, _, mut fields) = moof.need("mfhd")?.full()?;
        let sequence = fields.u32()?;
        let traf = moof.need("traf")?;
        let (version, _, mut fields) = traf.need("tfdt")?.full()?;
        let base_time = fields.wide(version)?;
        let samples = fragment(moof.body, moof.offset, self.track.id, self.track.defaults, base_time)?;
        if samples.is_empty() {
            return Err(malformed("it has no samples"));
        }
        let (mut counts, mut runs) = (Vec::new(), Vec::new());
        if self.key.is_some() && self.pictures() {
            let senc = traf.child(b"senc")?.ok_or_else(|| malformed("it has no senc"))?;
            read_senc(senc, &mut counts, &mut runs)?;
            if counts.len() != samples.len() {
                return Err(malformed("its senc has not as many samples as its trun"));
            }
        }
        Ok(Parts { sequence, base_time, samples, counts, runs })
    }

    /// The samples' bytes, decrypted.
    fn clear_data(
        &self,
        number: usize,
        stored: &[u8],
        key: Option<&ContentKey>,
        parts: &Parts,
    ) -> Result<Vec<u8>, ReprotectError> {
        let cut = ReprotectError::Segment { number, reason: "a sample goes past its end" };
        let mut data = Vec::with_capacity(stored.len());
        for sample in &parts.samples {
            let start = usize::try_from(sample.offset).unwrap_or(usize::MAX);
            let Some(bytes) = stored.get(start..).and_then(|rest| rest.get(..sample.size as usize)) else {
                return Err(cut);
            };
            data.extend_from_slice(bytes);
        }
        let Some((_, iv)) = self.key else { return Ok(data) };
        let cipher = Cipher::new(&key.ok_or(ReprotectError::KeyMissing)?.key);
        let mut runs = parts.runs.as_slice();
        each_sample(parts, &mut data, |n, sample| {
            if !self.pictures() {
                cipher.cbcs_decrypt(&iv, Pattern::Full, sample);
                return;
            }
            let (own, rest) = runs.split_at(usize::from(parts.counts.get(n).copied().unwrap_or(0)).min(runs.len()));
            runs = rest;
            protected(own, sample, |run| cipher.cbcs_decrypt(&iv, Pattern::OneOfTen, run));
        });
        Ok(data)
    }
}

/// Calls `with` on each sample's bytes in `data`, where they stand one after the other.
fn each_sample(parts: &Parts, data: &mut [u8], mut with: impl FnMut(usize, &mut [u8])) {
    let mut at = 0;
    for (n, sample) in parts.samples.iter().enumerate() {
        let end = at + sample.size as usize;
        if let Some(bytes) = data.get_mut(at..end) {
            with(n, bytes);
        }
        at = end;
    }
}

/// Reads a `senc` without IVs.
fn read_senc(senc: Mp4Box<'_>, counts: &mut Vec<u16>, runs: &mut Vec<Subsample>) -> Result<(), Mp4Error> {
    let (_, flags, mut fields) = senc.full()?;
    if flags & 2 == 0 {
        return Err(senc.malformed("it has no subsamples"));
    }
    for _ in 0..fields.u32()? {
        let count = fields.u16()?;
        counts.push(count);
        for _ in 0..count {
            runs.push(Subsample { clear: fields.u16()?, protected: fields.u32()? });
        }
    }
    Ok(())
}
