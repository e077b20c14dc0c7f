//! Which bytes of a coded picture are protected: slice data, never the headers by which a demultiplexer works.
//!
//! Source: ISO/IEC 23001-7 (AVC and HEVC: clear up to the end of the slice header), and "AV1 Codec ISO Media File Format
//! Binding", section 4 (tile data only, in multiples of 16 bytes, ending with the tile).

use std::borrow::Cow;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cros_codecs::codec::av1::parser::{ObuAction, ParsedObu, Parser as Av1Parser};
use cros_codecs::codec::h264::nalu::Header;
use cros_codecs::codec::h264::parser::{Nalu as AvcNalu, NaluHeader as AvcHeader, Parser as AvcParser};
use cros_codecs::codec::h265::parser::{Nalu as HevcNalu, NaluHeader as HevcHeader, Parser as HevcParser};
use matinee_model::codec::VideoCodec;

use super::Subsample;
use crate::mp4::entry::{Codec, Entry, avc_parameter_sets, hevc_parameter_sets};

/// Why a picture can't be split.
#[derive(Debug, Clone, thiserror::Error)]
#[error("a picture of {codec} can't be split for encryption: {reason}")]
pub struct SplitError {
    codec: &'static str,
    reason: String,
}

impl SplitError {
    pub(crate) fn new(codec: &'static str, reason: String) -> Self {
        Self { codec, reason }
    }
}

/// Splits pictures of one track.
pub struct Splitter {
    parser: Parser,
    length_size: usize,
    /// Whether protected runs are multiples of 16 bytes (`cenc`).
    blocks: bool,
}

impl std::fmt::Debug for Splitter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Splitter")
    }
}

enum Parser {
    Avc(Box<AvcParser>),
    Hevc(Box<HevcParser>),
    Av1(Box<Av1Parser>),
    /// Sound is protected whole.
    Whole,
}

/// What a codec's parser makes of a NAL unit.
fn avc_nalu(bytes: &[u8]) -> Result<AvcNalu<'_>, String> {
    let header = AvcHeader::parse(&mut Cursor::new(bytes))?;
    Ok(AvcNalu { header, data: Cow::Borrowed(bytes), size: bytes.len(), offset: 0 })
}

fn hevc_nalu(bytes: &[u8]) -> Result<HevcNalu<'_>, String> {
    let header = HevcHeader::parse(&mut Cursor::new(bytes))?;
    Ok(HevcNalu { header, data: Cow::Borrowed(bytes), size: bytes.len(), offset: 0 })
}

/// What a codec's parser says. The parsers trust some counts they read, and overflow on damaged ones: that is an error
/// of the picture, not of this program. A parser that did must not be used again.
fn guarded<T>(codec: VideoCodec, parse: impl FnOnce() -> Result<T, String>) -> Result<T, SplitError> {
    let parsed = catch_unwind(AssertUnwindSafe(parse)).unwrap_or_else(|_| Err("its headers are damaged".to_owned()));
    parsed.map_err(|reason| SplitError { codec: codec.name(), reason })
}

fn parser_of(codec: VideoCodec, entry: &Entry) -> Result<Parser, String> {
    match codec {
        VideoCodec::H264 => {
            let mut parser = Box::new(AvcParser::default());
            for set in avc_parameter_sets(&entry.config) {
                avc_set(&mut parser, set)?;
            }
            Ok(Parser::Avc(parser))
        }
        VideoCodec::H265 => {
            let mut parser = Box::new(HevcParser::default());
            for set in hevc_parameter_sets(&entry.config) {
                hevc_set(&mut parser, set)?;
            }
            Ok(Parser::Hevc(parser))
        }
        VideoCodec::Av1 => Ok(Parser::Av1(Box::new(av1_parser(entry)?))),
    }
}

impl Splitter {
    /// For the pictures (or sound) that `entry` describes; `blocks` where protected runs must be multiples of 16 bytes.
    pub fn new(entry: &Entry, blocks: RunLength) -> Result<Self, SplitError> {
        let parser = match entry.codec {
            Codec::Audio { .. } => Parser::Whole,
            Codec::Video { codec, .. } => guarded(codec, || parser_of(codec, entry))?,
        };
        let blocks = blocks == RunLength::Blocks || matches!(parser, Parser::Av1(_));
        Ok(Self { parser, length_size: entry.nal_length_size().unwrap_or(4), blocks })
    }

    /// The runs of one sample, into `out` (emptied first). Empty for a sample that is protected whole.
    pub fn split(&mut self, sample: &[u8], out: &mut Vec<Subsample>) -> Result<(), SplitError> {
        out.clear();
        let mut runs = Runs { out, clear: 0, blocks: self.blocks };
        match &mut self.parser {
            Parser::Whole => return Ok(()),
            Parser::Avc(parser) => {
                guarded(VideoCodec::H264, || nals(sample, self.length_size, &mut runs, |nal| avc_clear(parser, nal)))?
            }
            Parser::Hevc(parser) => {
                guarded(VideoCodec::H265, || nals(sample, self.length_size, &mut runs, |nal| hevc_clear(parser, nal)))?
            }
            Parser::Av1(parser) => guarded(VideoCodec::Av1, || tiles(parser, sample, &mut runs))?,
        }
        runs.finish();
        Ok(())
    }
}

/// How long protected runs may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunLength {
    /// Any number of bytes (`cbcs` in AVC and HEVC).
    Any,
    /// Multiples of 16 bytes (`cenc`).
    Blocks,
}

/// Runs as they are gathered.
struct Runs<'a> {
    out: &'a mut Vec<Subsample>,
    clear: usize,
    blocks: bool,
}

impl Runs<'_> {
    fn clear(&mut self, bytes: usize) {
        self.clear += bytes;
    }

    fn protect(&mut self, bytes: usize) {
        let left = if self.blocks { bytes % 16 } else { 0 };
        self.clear += left;
        let protected = bytes - left;
        if protected == 0 {
            return;
        }
        self.flush();
        self.out.push(Subsample { clear: self.clear as u16, protected: protected as u32 });
        self.clear = 0;
    }

    /// A run has at most 65535 clear bytes.
    fn flush(&mut self) {
        while self.clear > usize::from(u16::MAX) {
            self.out.push(Subsample { clear: u16::MAX, protected: 0 });
            self.clear -= usize::from(u16::MAX);
        }
    }

    fn finish(&mut self) {
        self.flush();
        if self.clear > 0 {
            self.out.push(Subsample { clear: self.clear as u16, protected: 0 });
            self.clear = 0;
        }
    }
}

/// Walks length-prefixed NAL units; `clear` says how many of a NAL unit's first bytes stay clear (all: `usize::MAX`).
fn nals(
    sample: &[u8],
    length_size: usize,
    runs: &mut Runs<'_>,
    mut clear: impl FnMut(&[u8]) -> Result<usize, String>,
) -> Result<(), String> {
    let mut rest = sample;
    while !rest.is_empty() {
        let Some((length, after)) = rest.split_at_checked(length_size) else {
            return Err("a NAL unit's length is cut short".to_owned());
        };
        let length = length.iter().fold(0_usize, |n, b| (n << 8) | usize::from(*b));
        let Some((nal, after)) = after.split_at_checked(length) else {
            return Err(format!("a NAL unit of {length} bytes goes past the sample's end"));
        };
        let kept = if nal.is_empty() { 0 } else { clear(nal)?.min(nal.len()) };
        runs.clear(length_size + kept);
        runs.protect(nal.len() - kept);
        rest = after;
    }
    Ok(())
}

fn avc_set(parser: &mut AvcParser, set: &[u8]) -> Result<(), String> {
    match set.first().map(|b| b & 31) {
        Some(7) => parser.parse_sps(&avc_nalu(set)?).map(|_| ()),
        Some(8) => parser.parse_pps(&avc_nalu(set)?).map(|_| ()),
        _ => Ok(()),
    }
}

fn avc_clear(parser: &mut AvcParser, nal: &[u8]) -> Result<usize, String> {
    match nal[0] & 31 {
        // Slices. Data partitions (2 to 4) have headers of other shapes, and no encoder of today makes them.
        1 | 5 => {
            let slice = parser.parse_slice_header(avc_nalu(nal)?)?;
            Ok(slice.header.header_bit_size.div_ceil(8) + slice.header.n_emulation_prevention_bytes)
        }
        7 | 8 => {
            avc_set(parser, nal)?;
            Ok(usize::MAX)
        }
        _ => Ok(usize::MAX),
    }
}

fn hevc_set(parser: &mut HevcParser, set: &[u8]) -> Result<(), String> {
    match set.first().map(|b| (b >> 1) & 63) {
        Some(32) => parser.parse_vps(&hevc_nalu(set)?).map(|_| ()),
        Some(33) => parser.parse_sps(&hevc_nalu(set)?).map(|_| ()),
        Some(34) => parser.parse_pps(&hevc_nalu(set)?).map(|_| ()),
        _ => Ok(()),
    }
}

fn hevc_clear(parser: &mut HevcParser, nal: &[u8]) -> Result<usize, String> {
    match (nal[0] >> 1) & 63 {
        0..=9 | 16..=21 => {
            let slice = parser.parse_slice_header(hevc_nalu(nal)?)?;
            let bytes = (slice.header.header_bit_size as usize).div_ceil(8);
            Ok(bytes + slice.header.n_emulation_prevention_bytes as usize)
        }
        32..=34 => {
            hevc_set(parser, nal)?;
            Ok(usize::MAX)
        }
        _ => Ok(usize::MAX),
    }
}

/// A parser that knows the sequence header of `av1C`.
fn av1_parser(entry: &Entry) -> Result<Av1Parser, String> {
    let mut parser = Av1Parser::default();
    let mut headers = entry.config.get(4..).unwrap_or_default();
    while !headers.is_empty() {
        match parser.read_obu(headers)? {
            ObuAction::Process(obu) => {
                let used = obu.bytes_used;
                parser.parse_obu(obu)?;
                headers = headers.get(used..).unwrap_or_default();
            }
            ObuAction::Drop(used) => headers = headers.get(used as usize..).unwrap_or_default(),
        }
    }
    Ok(parser)
}

fn tiles(parser: &mut Av1Parser, sample: &[u8], runs: &mut Runs<'_>) -> Result<(), String> {
    let mut rest = sample;
    while !rest.is_empty() {
        let (used, spans) = match parser.read_obu(rest)? {
            ObuAction::Drop(used) => (used as usize, Vec::new()),
            ObuAction::Process(obu) => {
                let (used, payload) = (obu.bytes_used, obu.as_ref().len());
                let before = used.checked_sub(payload).ok_or("an OBU is larger than what it was read from")?;
                let (header, group) = match parser.parse_obu(obu)? {
                    ParsedObu::Frame(frame) => (Some(frame.header), Some(frame.tile_group)),
                    ParsedObu::FrameHeader(header) => (Some(header), None),
                    ParsedObu::TileGroup(group) => (None, Some(group)),
                    _ => (None, None),
                };
                let tiles = group.map(|group| group.tiles).unwrap_or_default();
                let spans = tiles.iter().map(|t| (before + t.tile_offset as usize, t.tile_size as usize)).collect();
                if let Some(header) = header {
                    parser.ref_frame_update(&header)?;
                }
                (used, spans)
            }
        };
        let Some((obu, after)) = rest.split_at_checked(used) else {
            return Err("an OBU goes past the sample's end".to_owned());
        };
        if used == 0 {
            return Err("an OBU is empty".to_owned());
        }
        let mut at = 0;
        for (start, size) in spans {
            if start < at || start + size > obu.len() {
                return Err(format!("a tile at {start} of {size} bytes is outside of its OBU"));
            }
            runs.clear(start - at);
            runs.protect(size);
            at = start + size;
        }
        runs.clear(obu.len() - at);
        rest = after;
    }
    Ok(())
}
