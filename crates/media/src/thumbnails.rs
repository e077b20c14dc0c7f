//! Scrubbing thumbnails as a WebVTT file: each cue names the part of a sheet that shows its time.

use std::fmt::Write;

use crate::presentation::Thumbnails;
use crate::subtitles::Timestamp;

/// `thumbs.vtt`: a cue for each thumbnail, `thumbs/{sheet}.jpg#xywh=x,y,width,height`. The last one reaches to
/// `duration_us`.
#[must_use]
pub fn vtt(thumbnails: &Thumbnails, duration_us: u64) -> String {
    let mut out = String::from("WEBVTT\n");
    let a_sheet = (thumbnails.columns * thumbnails.rows).max(1);
    for i in 0..thumbnails.count {
        let start = u64::from(i) * thumbnails.interval_us;
        let next = start + thumbnails.interval_us;
        let end = if i + 1 == thumbnails.count { duration_us.max(start + 1_000) } else { next };
        let (sheet, place) = (i / a_sheet, i % a_sheet);
        let (w, h) = (thumbnails.width, thumbnails.height);
        let (x, y) = (place % thumbnails.columns.max(1) * w, place / thumbnails.columns.max(1) * h);
        let (start, end) = (Timestamp(start), Timestamp(end));
        write!(out, "\n{start} --> {end}\nthumbs/{sheet}.jpg#xywh={x},{y},{w},{h}\n")
            .expect("a String takes every write");
    }
    out
}
