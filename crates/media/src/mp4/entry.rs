//! Sample entries: which codec, its configuration, its name in manifests (RFC 6381).

use matinee_model::codec::{VideoCodec, VideoRange};

use super::Mp4Error;
use super::boxes::{Boxes, FourCc, Mp4Box, find, name, write};

/// What a track holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Codec {
    /// Pictures.
    Video {
        /// The codec.
        codec: VideoCodec,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// Sound (AAC).
    Audio {
        /// Samples a second.
        sample_rate: u32,
        /// Channels.
        channels: u16,
    },
}

/// A sample entry of `stsd`, kept byte by byte, so that colour, mastering display and the like survive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// All of it, as the clear entry.
    pub bytes: Vec<u8>,
    /// Its code: `avc1`, `hvc1`, …
    pub code: FourCc,
    /// What it is.
    pub codec: Codec,
    /// RFC 6381.
    pub codecs: String,
    /// The body of `avcC`, `hvcC` or `av1C`; for AAC the AudioSpecificConfig.
    pub config: Vec<u8>,
}

/// Where the child boxes of an entry start, after the entry's own fields.
const VISUAL_FIELDS: usize = 78;
const AUDIO_FIELDS: usize = 28;

impl Entry {
    /// Reads one entry. An encrypted one is read as the clear one that it was made from; a `btrt` box, which only guesses,
    /// is left out.
    pub fn parse(entry: Mp4Box<'_>) -> Result<Self, Mp4Error> {
        let (fields, code) = match &entry.code {
            b"encv" => (VISUAL_FIELDS, original(&entry, VISUAL_FIELDS)?),
            b"enca" => (AUDIO_FIELDS, original(&entry, AUDIO_FIELDS)?),
            b"mp4a" => (AUDIO_FIELDS, entry.code),
            other => (VISUAL_FIELDS, *other),
        };
        let mut bytes = Vec::with_capacity(entry.whole.len());
        let own = entry.body.get(..fields).ok_or_else(|| entry.malformed("it is cut short"))?;
        write(&mut bytes, &code, |out| {
            out.extend_from_slice(own);
            let children = Boxes::new(&entry.body[fields..]).filter_map(Result::ok);
            children.filter(|c| !matches!(&c.code, b"sinf" | b"btrt")).for_each(|c| out.extend_from_slice(c.whole));
        });
        match Boxes::new(&bytes).next() {
            Some(clear) => Self::parse_clear(clear?),
            None => Err(entry.malformed("it is empty")),
        }
    }

    fn parse_clear(entry: Mp4Box<'_>) -> Result<Self, Mp4Error> {
        let body = entry.body;
        let word = |at: usize| body.get(at..at + 2).map_or(0, |b| u16::from_be_bytes([b[0], b[1]]));
        let children = |skip: usize| body.get(skip..).map(Boxes::new).ok_or_else(|| entry.malformed("it is cut short"));
        let (codec, codecs, config) = match &entry.code {
            b"avc1" | b"avc3" => {
                let config = child(&entry, children(VISUAL_FIELDS)?, b"avcC")?;
                if config.len() < 7 {
                    return Err(entry.malformed("its avcC is cut short"));
                }
                let codecs = format!("avc1.{:02x}{:02x}{:02x}", config[1], config[2], config[3]);
                (VideoCodec::H264, codecs, config)
            }
            b"hvc1" | b"hev1" => {
                let config = child(&entry, children(VISUAL_FIELDS)?, b"hvcC")?;
                if config.len() < 23 {
                    return Err(entry.malformed("its hvcC is cut short"));
                }
                (VideoCodec::H265, hevc(&name(entry.code), &config), config)
            }
            b"av01" => {
                let config = child(&entry, children(VISUAL_FIELDS)?, b"av1C")?;
                if config.len() < 4 {
                    return Err(entry.malformed("its av1C is cut short"));
                }
                (VideoCodec::Av1, av1(&config), config)
            }
            b"mp4a" => return Self::audio(entry, children(AUDIO_FIELDS)?),
            other => return Err(Mp4Error::Entry(name(*other))),
        };
        let codec = Codec::Video { codec, width: u32::from(word(24)), height: u32::from(word(26)) };
        Ok(Self { bytes: entry.whole.to_vec(), code: entry.code, codec, codecs, config })
    }

    fn audio(entry: Mp4Box<'_>, children: Boxes<'_>) -> Result<Self, Mp4Error> {
        let esds = child(&entry, children, b"esds")?;
        let config = specific_config(&esds).ok_or_else(|| entry.malformed("its esds has no AudioSpecificConfig"))?;
        let (object_type, rate, channels) =
            audio_config(&config).ok_or_else(|| entry.malformed("its AudioSpecificConfig is cut short"))?;
        let codec = Codec::Audio { sample_rate: rate, channels };
        let codecs = format!("mp4a.40.{object_type}");
        Ok(Self { bytes: entry.whole.to_vec(), code: entry.code, codec, codecs, config })
    }

    /// How many bytes a NAL unit's length takes, for AVC and HEVC.
    #[must_use]
    pub fn nal_length_size(&self) -> Option<usize> {
        let at = match self.codec {
            Codec::Video { codec: VideoCodec::H264, .. } => 4,
            Codec::Video { codec: VideoCodec::H265, .. } => 21,
            _ => return None,
        };
        self.config.get(at).map(|b| usize::from(b & 3) + 1)
    }

    /// The dynamic range that its `colr` names: transfer characteristics 16 are PQ, 18 are HLG (ITU-T H.273).
    #[must_use]
    pub fn range(&self) -> VideoRange {
        let children = self.bytes.get(8 + VISUAL_FIELDS..).filter(|_| self.is_video()).unwrap_or_default();
        let colour = find(Boxes::new(children), b"colr").ok().flatten();
        // "nclx", then primaries, transfer and matrix.
        match colour.and_then(|c| c.body.strip_prefix(b"nclx")).and_then(|c| c.get(2..4)) {
            Some([0, 16]) => VideoRange::Pq,
            Some([0, 18]) => VideoRange::Hlg,
            _ => VideoRange::Sdr,
        }
    }

    /// Whether it holds pictures.
    #[must_use]
    pub fn is_video(&self) -> bool {
        matches!(self.codec, Codec::Video { .. })
    }
}

/// The code that an encrypted entry had.
fn original(entry: &Mp4Box<'_>, fields: usize) -> Result<FourCc, Mp4Error> {
    let children = entry.body.get(fields..).ok_or_else(|| entry.malformed("it is cut short"))?;
    let sinf = find(Boxes::new(children), b"sinf")?.ok_or_else(|| entry.malformed("it has no sinf"))?;
    let code = sinf.need("frma")?.body.first_chunk::<4>().copied();
    code.ok_or_else(|| entry.malformed("its frma is cut short"))
}

fn child(entry: &Mp4Box<'_>, children: Boxes<'_>, code: &FourCc) -> Result<Vec<u8>, Mp4Error> {
    let found = find(children, code)?.ok_or_else(|| entry.malformed("it has no decoder configuration"))?;
    Ok(found.body.to_vec())
}

/// The parameter-set NAL units of an `avcC`: SPS, then PPS.
#[must_use]
pub fn avc_parameter_sets(config: &[u8]) -> Vec<&[u8]> {
    let mut sets = Vec::new();
    let mut at = 5;
    for mask in [0x1f, 0xff] {
        let Some(count) = config.get(at).map(|b| b & mask) else { return sets };
        at += 1;
        for _ in 0..count {
            let Some(size) = config.get(at..at + 2).map(|b| usize::from(u16::from_be_bytes([b[0], b[1]]))) else {
                return sets;
            };
            let Some(set) = config.get(at + 2..at + 2 + size) else { return sets };
            sets.push(set);
            at += 2 + size;
        }
    }
    sets
}

/// The parameter-set NAL units of an `hvcC`, in its order.
#[must_use]
pub fn hevc_parameter_sets(config: &[u8]) -> Vec<&[u8]> {
    let mut sets = Vec::new();
    let mut at = 23;
    for _ in 0..config.get(22).copied().unwrap_or(0) {
        let Some(count) = config.get(at + 1..at + 3).map(|b| u16::from_be_bytes([b[0], b[1]])) else { return sets };
        at += 3;
        for _ in 0..count {
            let Some(size) = config.get(at..at + 2).map(|b| usize::from(u16::from_be_bytes([b[0], b[1]]))) else {
                return sets;
            };
            let Some(set) = config.get(at + 2..at + 2 + size) else { return sets };
            sets.push(set);
            at += 2 + size;
        }
    }
    sets
}

/// Source: ISO/IEC 14496-15, annex E.
fn hevc(code: &str, config: &[u8]) -> String {
    let space = ["", "A", "B", "C"][usize::from(config[1] >> 6)];
    let profile = config[1] & 0x1f;
    let flags = u32::from_be_bytes([config[2], config[3], config[4], config[5]]).reverse_bits();
    let tier = if config[1] & 0x20 == 0 { 'L' } else { 'H' };
    let level = config[12];
    let mut text = format!("{code}.{space}{profile}.{flags:X}.{tier}{level}");
    let constraints = &config[6..12];
    let used = constraints.iter().rposition(|b| *b != 0).map_or(0, |p| p + 1);
    for byte in &constraints[..used] {
        text.push_str(&format!(".{byte:X}"));
    }
    text
}

/// Source: AV1 Codec ISO Media File Format Binding, section 5.
fn av1(config: &[u8]) -> String {
    let (profile, level) = (config[1] >> 5, config[1] & 0x1f);
    let tier = if config[2] & 0x80 == 0 { 'M' } else { 'H' };
    let depth = match (config[2] & 0x40 != 0, config[2] & 0x20 != 0) {
        (false, _) => 8,
        (true, false) => 10,
        (true, true) => 12,
    };
    format!("av01.{profile}.{level:02}{tier}.{depth:02}")
}

/// Finds the AudioSpecificConfig (tag 5) in an `esds` body.
fn specific_config(esds: &[u8]) -> Option<Vec<u8>> {
    let mut at = 4;
    loop {
        let tag = *esds.get(at)?;
        at += 1;
        let mut size = 0_usize;
        for _ in 0..4 {
            let byte = *esds.get(at)?;
            at += 1;
            size = (size << 7) | usize::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                break;
            }
        }
        match tag {
            // ES descriptor: id, flags and what they announce.
            3 => {
                let flags = *esds.get(at + 2)?;
                at += 3;
                if flags & 0x80 != 0 {
                    at += 2;
                }
                if flags & 0x40 != 0 {
                    at += 1 + usize::from(*esds.get(at)?);
                }
                if flags & 0x20 != 0 {
                    at += 2;
                }
            }
            // Decoder configuration.
            4 => at += 13,
            5 => return Some(esds.get(at..at + size)?.to_vec()),
            _ => at += size,
        }
    }
}

/// Object type, samples a second and channels of an AudioSpecificConfig.
#[must_use]
pub fn audio_config(config: &[u8]) -> Option<(u8, u32, u16)> {
    const RATES: [u32; 13] =
        [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
    let (a, b) = (*config.first()?, *config.get(1)?);
    let object_type = a >> 3;
    let index = usize::from(((a & 7) << 1) | (b >> 7));
    if index == 15 {
        let rest = config.get(1..5)?;
        let rate = (u32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]) >> 7) & 0x00ff_ffff;
        return Some((object_type, rate, channel_count((rest[3] >> 3) & 15)));
    }
    Some((object_type, *RATES.get(index)?, channel_count((b >> 3) & 15)))
}

fn channel_count(configuration: u8) -> u16 {
    if configuration == 7 { 8 } else { u16::from(configuration) }
}
