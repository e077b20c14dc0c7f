//! Subtitles: SRT and WebVTT from anywhere in, WebVTT out, whole or cut on the segment grid.
//!
//! Reading keeps every good cue and names every broken one by its line. Nothing that is read can break what is written:
//! a cue's text never holds a blank line or an arrow.

mod parse;
mod text;

use std::fmt;
use std::fmt::Write;

pub use parse::{BrokenCue, Parsed, SubtitleError, parse};

use crate::offer::Window;
use crate::ts;

/// One subtitle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cue {
    /// Microseconds; a multiple of 1000, as both formats count milliseconds.
    pub start_us: u64,
    /// Microseconds, after `start_us`.
    pub end_us: u64,
    /// WebVTT's cue settings: `line:0 align:start`; often empty.
    pub settings: String,
    /// WebVTT's cue text, lines apart by `\n`.
    pub text: String,
}

/// Which clock a segment's timestamp map refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Fragmented MP4: the film begins at 0.
    Cmaf,
    /// MPEG-TS as [`crate::ts`] makes it: the film begins at [`ts::OFFSET`].
    Ts,
}

/// A time as WebVTT writes it, `HH:MM:SS.mmm`, from microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timestamp(pub u64);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0 / 1_000;
        let (s, m, h) = (ms / 1_000 % 60, ms / 60_000 % 60, ms / 3_600_000);
        write!(f, "{h:02}:{m:02}:{s:02}.{:03}", ms % 1_000)
    }
}

/// The cues as one WebVTT file.
#[must_use]
pub fn write(cues: &[Cue]) -> String {
    let mut out = String::from("WEBVTT\n");
    for cue in cues {
        write_cue(&mut out, cue);
    }
    out
}

/// The cues that are on screen within `window`, as one WebVTT segment. A cue is repeated, with its whole time, in every
/// segment that it touches: players show it once. Source: RFC 8216, 3.5.
#[must_use]
pub fn segment(cues: &[Cue], window: Window, clock: Clock) -> String {
    let mpegts = match clock {
        Clock::Cmaf => 0,
        Clock::Ts => ts::OFFSET,
    };
    let mut out = format!("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{mpegts},LOCAL:00:00:00.000\n");
    for cue in cues.iter().filter(|c| c.start_us < window.end_us && c.end_us > window.start_us) {
        write_cue(&mut out, cue);
    }
    out
}

fn write_cue(out: &mut String, cue: &Cue) {
    let (start, end) = (Timestamp(cue.start_us), Timestamp(cue.end_us));
    let space = if cue.settings.is_empty() { "" } else { " " };
    writeln!(out, "\n{start} --> {end}{space}{}\n{}", cue.settings, cue.text).expect("a String takes every write");
}
