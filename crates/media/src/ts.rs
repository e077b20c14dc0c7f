//! MPEG-TS segments from samples: H.264 and AAC, video and audio muxed, each segment playable alone and continuous with
//! its neighbours.
//!
//! A segment is made without knowledge of the others: timestamps are the film's own (shifted by [`OFFSET`]), and every
//! stream's packets come in multiples of sixteen, so that each segment's continuity counters start at nought and still
//! follow on from the one before. Sources: ISO/IEC 13818-1, RFC 8216 section 3.2, ISO/IEC 14496-3 (ADTS).

mod config;
mod packet;

pub use config::{AacConfig, AvcConfig};

use packet::{Packets, Pes};

/// Where the film begins on MPEG-TS's clock, in ticks of 90 kHz: 10 s, so that no decode time is negative.
pub const OFFSET: u64 = 900_000;

/// How far the clock (PCR) runs ahead of the decode times, in ticks of 90 kHz: the time a picture has to arrive in.
const ARRIVAL: u64 = 63_000;
const VIDEO_PID: u16 = 0x100;
const AUDIO_PID: u16 = 0x101;
const PMT_PID: u16 = 0x1000;
/// Sound frames of one PES packet, at most: fewer headers, and yet no sound waits long.
const FRAMES_TOGETHER: usize = 6;
/// Copies of the programme tables in a segment: sixteen, as their counters must come round too.
const TABLES: usize = 16;

/// Why a segment can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TsError {
    /// Neither video nor audio was given, or no samples.
    #[error("an MPEG-TS segment needs samples")]
    Empty,
    /// A record could not be read.
    #[error("the {record} is refused: {reason}")]
    Config {
        /// `avcC` or `AudioSpecificConfig`.
        record: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A sample's NAL units do not add up.
    #[error("video sample {sample}: a NAL unit of {claimed} bytes at byte {at} of {size}")]
    Nal {
        /// Its number in the segment, from 0.
        sample: usize,
        /// Where the unit is.
        at: usize,
        /// How long it says to be.
        claimed: usize,
        /// The sample's size.
        size: usize,
    },
    /// A sound frame does not fit ADTS's 13 bits of length.
    #[error("audio sample {sample} of {size} bytes: ADTS takes at most 8184")]
    Frame {
        /// Its number in the segment, from 0.
        sample: usize,
        /// Bytes.
        size: usize,
    },
    /// A time before the clock's start.
    #[error("a sample at {ticks} ticks of {timescale} a second is more than 10 s before the film")]
    TooEarly {
        /// Its time.
        ticks: i64,
        /// Ticks a second.
        timescale: u32,
    },
}

/// One access unit, clear.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// When it is decoded, on the presentation's timeline, in ticks; negative where pictures are reordered at the start.
    pub dts: i64,
    /// From then to when it is shown, in ticks.
    pub cts: i64,
    /// Whether decoding can start here.
    pub sync: bool,
    /// NAL units with their lengths before them (video), or one raw AAC frame.
    pub data: &'a [u8],
}

/// The pictures of a segment.
#[derive(Debug, Clone, Copy)]
pub struct TsVideo<'a> {
    /// The parameter sets.
    pub config: &'a AvcConfig,
    /// Ticks a second.
    pub timescale: u32,
    /// In decode order.
    pub samples: &'a [Sample<'a>],
}

/// The sound of a segment.
#[derive(Debug, Clone, Copy)]
pub struct TsAudio<'a> {
    /// The codec's settings.
    pub config: &'a AacConfig,
    /// Ticks a second.
    pub timescale: u32,
    /// In order.
    pub samples: &'a [Sample<'a>],
}

/// One segment with the given pictures, sound, or both.
pub fn segment(video: Option<TsVideo>, audio: Option<TsAudio>) -> Result<Vec<u8>, TsError> {
    let mut units = Vec::new();
    if let Some(v) = &video {
        for (i, sample) in v.samples.iter().enumerate() {
            let dts = clock(sample.dts, v.timescale)?;
            let pts = clock(sample.dts + sample.cts, v.timescale)?;
            let data = annex_b(i, sample, v.config)?;
            units.push(Unit { pid: VIDEO_PID, pts, dts, sync: sample.sync, data });
        }
    }
    if let Some(a) = &audio {
        for (i, together) in a.samples.chunks(FRAMES_TOGETHER).enumerate() {
            let pts = clock(together[0].dts + together[0].cts, a.timescale)?;
            let mut data = Vec::with_capacity(together.iter().map(|s| s.data.len() + 7).sum());
            for (j, sample) in together.iter().enumerate() {
                a.config.write_frame(i * FRAMES_TOGETHER + j, sample.data, &mut data)?;
            }
            units.push(Unit { pid: AUDIO_PID, pts, dts: pts, sync: true, data });
        }
    }
    if units.is_empty() {
        return Err(TsError::Empty);
    }
    // The sort is stable: of one instant, the picture comes first.
    units.sort_by_key(|u| u.dts);
    let clock_pid = if units.iter().any(|u| u.pid == VIDEO_PID) { VIDEO_PID } else { AUDIO_PID };
    let streams = Streams { video: video.is_some(), audio: audio.is_some(), clock_pid };
    Ok(mux(&units, &streams))
}

/// What the programme map lists.
struct Streams {
    video: bool,
    audio: bool,
    clock_pid: u16,
}

/// What becomes one PES packet. Times in ticks of 90 kHz.
struct Unit {
    pid: u16,
    pts: u64,
    dts: u64,
    sync: bool,
    data: Vec<u8>,
}

fn mux(units: &[Unit], streams: &Streams) -> Vec<u8> {
    let bytes: usize = units.iter().map(|u| u.data.len()).sum();
    let mut packets = Packets::with_capacity(bytes + bytes / 16 + 188 * 64);
    let last = |pid| units.iter().rposition(|u| u.pid == pid);
    let (last_video, last_audio) = (last(VIDEO_PID), last(AUDIO_PID));
    let pmt = packet::program_map(streams.clock_pid, &elementary(streams));
    let pat = packet::program_association(PMT_PID);
    let mut tables = 0;
    for (i, unit) in units.iter().enumerate() {
        while tables < TABLES && tables * units.len() <= i * TABLES {
            packets.section(0, &pat);
            packets.section(PMT_PID, &pmt);
            tables += 1;
        }
        let pes = Pes {
            pid: unit.pid,
            stream_id: if unit.pid == VIDEO_PID { 0xe0 } else { 0xc0 },
            pts: unit.pts,
            dts: unit.dts,
            clock: (unit.pid == streams.clock_pid).then(|| unit.dts.saturating_sub(ARRIVAL)),
            random_access: unit.sync,
            data: &unit.data,
        };
        packets.pes(&pes, [last_video, last_audio].contains(&Some(i)));
    }
    while tables < TABLES {
        packets.section(0, &pat);
        packets.section(PMT_PID, &pmt);
        tables += 1;
    }
    packets.into_bytes()
}

fn elementary(streams: &Streams) -> Vec<(u8, u16)> {
    let avc = streams.video.then_some((0x1b, VIDEO_PID));
    let aac = streams.audio.then_some((0x0f, AUDIO_PID));
    avc.into_iter().chain(aac).collect()
}

/// Ticks of 90 kHz on the segment's clock, rounded.
fn clock(ticks: i64, timescale: u32) -> Result<u64, TsError> {
    let scale = i128::from(timescale.max(1));
    let at = (i128::from(ticks) * 90_000 + scale / 2).div_euclid(scale) + i128::from(OFFSET);
    u64::try_from(at).map_err(|_| TsError::TooEarly { ticks, timescale })
}

/// A picture as a byte stream: an access unit delimiter, the parameter sets where decoding can start, the units.
fn annex_b(number: usize, sample: &Sample, config: &AvcConfig) -> Result<Vec<u8>, TsError> {
    const START: [u8; 4] = [0, 0, 0, 1];
    let nals = nal_units(number, sample.data, config.nal_length)?;
    let kind = |nal: &[u8]| nal[0] & 0x1f;
    let mut out = Vec::with_capacity(sample.data.len() + 256);
    out.extend_from_slice(&[0, 0, 0, 1, 0x09, 0xf0]);
    if sample.sync && !nals.iter().any(|nal| kind(nal) == 7) {
        for set in config.sps.iter().chain(&config.pps) {
            out.extend_from_slice(&START);
            out.extend_from_slice(set);
        }
    }
    for nal in nals {
        if kind(nal) != 9 {
            out.extend_from_slice(&START);
            out.extend_from_slice(nal);
        }
    }
    Ok(out)
}

fn nal_units(number: usize, data: &[u8], length_size: usize) -> Result<Vec<&[u8]>, TsError> {
    let mut nals = Vec::new();
    let mut at = 0;
    while at < data.len() {
        let refused = |claimed| TsError::Nal { sample: number, at, claimed, size: data.len() };
        let length = data.get(at..at + length_size).ok_or_else(|| refused(length_size))?;
        let length = length.iter().fold(0_usize, |n, &b| n << 8 | usize::from(b));
        let start = at + length_size;
        let nal = data.get(start..start.saturating_add(length)).ok_or_else(|| refused(length))?;
        if !nal.is_empty() {
            nals.push(nal);
        }
        at = start + length;
    }
    Ok(nals)
}
