//! Fragments (`moof mdat`) and the segment index (`sidx`).

use crate::cenc::Subsample;
use crate::mp4::boxes::{write, write_full};

/// A sample as a fragment lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FragmentSample {
    /// Bytes.
    pub size: u32,
    /// Ticks.
    pub duration: u32,
    /// From decoding to presentation, in ticks.
    pub cts: i32,
    /// Whether decoding can start here.
    pub sync: bool,
}

/// What a decryptor needs to know of a fragment's samples.
#[derive(Debug, Clone, Default)]
pub struct Auxiliary {
    /// An IV a sample (`cenc`), or none (`cbcs`).
    pub ivs: Vec<u64>,
    /// How many runs each sample has; empty where samples are protected whole.
    pub counts: Vec<u16>,
    /// The runs of all samples, one after the other.
    pub runs: Vec<Subsample>,
}

impl Auxiliary {
    fn is_empty(&self) -> bool {
        self.ivs.is_empty() && self.counts.is_empty()
    }

    fn entry_size(&self, sample: usize) -> u8 {
        let iv = if self.ivs.is_empty() { 0 } else { 8 };
        let runs = self.counts.get(sample).map_or(0, |n| 2 + 6 * usize::from(*n));
        u8::try_from(iv + runs).unwrap_or(u8::MAX)
    }
}

/// Sample flags of one that others depend on not, and of one where decoding can't start.
const SYNC: u32 = 0x0200_0000;
const NOT_SYNC: u32 = 0x0101_0000;

/// Writes `moof` and the header of `mdat` into `out` (emptied first); the samples' bytes follow it.
pub fn write_head(
    out: &mut Vec<u8>,
    sequence: u32,
    base_time: u64,
    samples: &[FragmentSample],
    auxiliary: &Auxiliary,
    pictures: Pictures,
) {
    out.clear();
    let bytes: u64 = samples.iter().map(|s| u64::from(s.size)).sum();
    let duration = samples.first().map_or(0, |s| s.duration);
    let one_duration = samples.iter().all(|s| s.duration == duration);
    let shifts = samples.iter().any(|s| s.cts != 0);
    let mut data_offset_at = 0;
    let mut saio_at = None;
    let mut senc_entries = 0;
    write(out, b"moof", |out| {
        write_full(out, b"mfhd", 0, 0, |out| out.extend_from_slice(&sequence.to_be_bytes()));
        write(out, b"traf", |out| {
            // default-base-is-moof, and a duration for all where it is one.
            let flags = 0x0002_0000 | if one_duration { 8 } else { 0 } | 0x20;
            write_full(out, b"tfhd", 0, flags, |out| {
                out.extend_from_slice(&1_u32.to_be_bytes());
                if one_duration {
                    out.extend_from_slice(&duration.to_be_bytes());
                }
                out.extend_from_slice(&SYNC.to_be_bytes());
            });
            write_full(out, b"tfdt", 1, 0, |out| out.extend_from_slice(&base_time.to_be_bytes()));
            let pictures = pictures == Pictures::Yes;
            let flags = 0x201
                | if one_duration { 0 } else { 0x100 }
                | if pictures { 0x400 } else { 0 }
                | if shifts { 0x800 } else { 0 };
            write_full(out, b"trun", 1, flags, |out| {
                out.extend_from_slice(&(samples.len() as u32).to_be_bytes());
                data_offset_at = out.len();
                out.extend_from_slice(&[0; 4]);
                for sample in samples {
                    if !one_duration {
                        out.extend_from_slice(&sample.duration.to_be_bytes());
                    }
                    out.extend_from_slice(&sample.size.to_be_bytes());
                    if pictures {
                        out.extend_from_slice(&(if sample.sync { SYNC } else { NOT_SYNC }).to_be_bytes());
                    }
                    if shifts {
                        out.extend_from_slice(&sample.cts.to_be_bytes());
                    }
                }
            });
            if !auxiliary.is_empty() {
                saio_at = Some(write_auxiliary(out, samples.len(), auxiliary, &mut senc_entries));
            }
        });
    });
    if let Some(at) = saio_at {
        out[at..at + 4].copy_from_slice(&(senc_entries as u32).to_be_bytes());
    }
    let large = bytes + 8 > u64::from(u32::MAX);
    let data_offset = (out.len() + if large { 16 } else { 8 }) as u32;
    out[data_offset_at..data_offset_at + 4].copy_from_slice(&data_offset.to_be_bytes());
    if large {
        out.extend_from_slice(b"\0\0\0\x01mdat");
        out.extend_from_slice(&(bytes + 16).to_be_bytes());
    } else {
        out.extend_from_slice(&((bytes + 8) as u32).to_be_bytes());
        out.extend_from_slice(b"mdat");
    }
}

/// Whether samples are pictures, which differ in where decoding can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pictures {
    /// They are.
    Yes,
    /// They are sound.
    No,
}

/// Writes `saiz saio senc`; returns where `saio`'s offset is to be put, and in `entries` what it will be.
fn write_auxiliary(out: &mut Vec<u8>, samples: usize, auxiliary: &Auxiliary, entries: &mut usize) -> usize {
    // Pictures have a size each, so that a fragment's size follows from its numbers of samples and runs alone.
    let first = auxiliary.entry_size(0);
    let one_size = auxiliary.counts.is_empty();
    write_full(out, b"saiz", 0, 0, |out| {
        out.push(if one_size { first } else { 0 });
        out.extend_from_slice(&(samples as u32).to_be_bytes());
        if !one_size {
            out.extend((0..samples).map(|n| auxiliary.entry_size(n)));
        }
    });
    let mut saio_at = 0;
    write_full(out, b"saio", 0, 0, |out| {
        out.extend_from_slice(&1_u32.to_be_bytes());
        saio_at = out.len();
        out.extend_from_slice(&[0; 4]);
    });
    let with_runs = !auxiliary.counts.is_empty();
    write_full(out, b"senc", 0, if with_runs { 2 } else { 0 }, |out| {
        out.extend_from_slice(&(samples as u32).to_be_bytes());
        // `moof` is the first box of `out`, so offsets in it count from its start.
        *entries = out.len();
        let mut runs = auxiliary.runs.iter();
        for n in 0..samples {
            if let Some(iv) = auxiliary.ivs.get(n) {
                out.extend_from_slice(&iv.to_be_bytes());
            }
            if let Some(count) = auxiliary.counts.get(n) {
                out.extend_from_slice(&count.to_be_bytes());
                for run in runs.by_ref().take(usize::from(*count)) {
                    out.extend_from_slice(&run.clear.to_be_bytes());
                    out.extend_from_slice(&run.protected.to_be_bytes());
                }
            }
        }
    });
    saio_at
}

/// Bytes of a `sidx` for this many segments.
#[must_use]
pub fn sidx_size(segments: usize) -> usize {
    8 + 4 + 8 + 16 + 4 + 12 * segments
}

/// Writes `sidx`, for media that follows it at once. `segments` are bytes and ticks.
#[must_use]
pub fn sidx(timescale: u32, segments: &[(u32, u32)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(sidx_size(segments.len()));
    write_full(&mut out, b"sidx", 1, 0, |out| {
        out.extend_from_slice(&1_u32.to_be_bytes());
        out.extend_from_slice(&timescale.to_be_bytes());
        out.extend_from_slice(&0_u64.to_be_bytes());
        out.extend_from_slice(&0_u64.to_be_bytes());
        out.extend_from_slice(&0_u16.to_be_bytes());
        out.extend_from_slice(&(segments.len() as u16).to_be_bytes());
        for (size, duration) in segments {
            out.extend_from_slice(&size.to_be_bytes());
            out.extend_from_slice(&duration.to_be_bytes());
            // Starts with a stream access point of type 1.
            out.extend_from_slice(&0x9000_0000_u32.to_be_bytes());
        }
    });
    out
}
