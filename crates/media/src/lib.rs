//! The craft of packaging: MP4 boxes, CMAF fragments, Common Encryption, HLS and DASH, MPEG-TS, WebVTT.
//!
//! Bytes in, bytes out: no network, no storage service and no clock, so that all of it can be fuzzed and measured alone.

pub mod cenc;
pub mod cmaf;
pub mod cmcd;
pub mod dash;
pub mod hls;
pub mod mp4;
pub mod offer;
pub mod presentation;
pub mod reprotect;
pub mod subtitles;
pub mod thumbnails;
pub mod track;
pub mod ts;
