//! The codec records of a sample entry, as far as a transport stream needs them.

use super::TsError;

/// H.264's parameter sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvcConfig {
    /// Sequence parameter sets, without start codes.
    pub sps: Vec<Vec<u8>>,
    /// Picture parameter sets, without start codes.
    pub pps: Vec<Vec<u8>>,
    /// Bytes of the length before each NAL unit: 1 to 4.
    pub nal_length: usize,
}

impl AvcConfig {
    /// Reads the payload of an `avcC` box. Source: ISO/IEC 14496-15, 5.3.3.1.
    pub fn parse(record: &[u8]) -> Result<Self, TsError> {
        let refused = |reason: &str| TsError::Config { record: "avcC", reason: reason.to_owned() };
        let cut = || refused("it ends too early");
        let [1, _, _, _, length, count, rest @ ..] = record else {
            return Err(refused("it is not version 1 or has less than 6 bytes"));
        };
        let (sps, rest) = parameter_sets(count & 0x1f, rest).ok_or_else(cut)?;
        let (&count, rest) = rest.split_first().ok_or_else(cut)?;
        let (pps, _) = parameter_sets(count, rest).ok_or_else(cut)?;
        if sps.is_empty() || pps.is_empty() {
            return Err(refused("it has no parameter sets"));
        }
        Ok(Self { sps, pps, nal_length: usize::from(length & 3) + 1 })
    }
}

/// `count` sets, each after its length in two bytes, and what follows them.
fn parameter_sets(count: u8, mut rest: &[u8]) -> Option<(Vec<Vec<u8>>, &[u8])> {
    let mut sets = Vec::new();
    for _ in 0..count {
        let (size, after) = rest.split_at_checked(2)?;
        let (set, after) = after.split_at_checked(usize::from(u16::from_be_bytes([size[0], size[1]])))?;
        sets.push(set.to_vec());
        rest = after;
    }
    Some((sets, rest))
}

/// AAC's settings, as ADTS repeats them before each frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AacConfig {
    /// 1 to 4: Main, LC (2), SSR, LTP.
    pub object_type: u8,
    /// Into the table of sampling rates: 3 is 48 kHz, 4 is 44.1 kHz.
    pub frequency_index: u8,
    /// 1 to 7: 2 is stereo, 6 is 5.1.
    pub channels: u8,
}

impl AacConfig {
    /// Reads an AudioSpecificConfig. Fails for what ADTS can't say: other object types, a rate outside the table.
    pub fn parse(record: &[u8]) -> Result<Self, TsError> {
        let refused = |reason: String| TsError::Config { record: "AudioSpecificConfig", reason };
        let &[a, b, ..] = record else {
            return Err(refused(format!("it has {} bytes", record.len())));
        };
        let config = Self { object_type: a >> 3, frequency_index: (a & 7) << 1 | b >> 7, channels: b >> 3 & 15 };
        if !(1..=4).contains(&config.object_type) {
            return Err(refused(format!("object type {} is not AAC Main, LC, SSR or LTP", config.object_type)));
        }
        if config.frequency_index > 12 {
            return Err(refused(format!("frequency index {} is not in the table", config.frequency_index)));
        }
        if !(1..=7).contains(&config.channels) {
            return Err(refused(format!("channel configuration {} is not 1 to 7", config.channels)));
        }
        Ok(config)
    }

    /// Appends a frame with its ADTS header.
    pub(super) fn write_frame(self, number: usize, frame: &[u8], out: &mut Vec<u8>) -> Result<(), TsError> {
        let length = frame.len() + 7;
        if length > 0x1fff {
            return Err(TsError::Frame { sample: number, size: frame.len() });
        }
        // MPEG-4, no CRC; buffer fullness says "variable rate".
        out.extend_from_slice(&[
            0xff,
            0xf1,
            (self.object_type - 1) << 6 | self.frequency_index << 2 | self.channels >> 2,
            (self.channels & 3) << 6 | (length >> 11) as u8,
            (length >> 3) as u8,
            (length << 5) as u8 | 0x1f,
            0xfc,
        ]);
        out.extend_from_slice(frame);
        Ok(())
    }
}
