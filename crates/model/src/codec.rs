//! Codecs, dynamic range and key tiers, by the names that stand in configuration, track names and addresses.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A video codec of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VideoCodec {
    /// H.264 (AVC), 8 bits.
    H264,
    /// H.265 (HEVC).
    H265,
    /// AV1.
    Av1,
}

impl VideoCodec {
    /// `h264`, `h265` or `av1`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::H265 => "h265",
            Self::Av1 => "av1",
        }
    }
}

impl fmt::Display for VideoCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The dynamic range of a picture, as HLS's VIDEO-RANGE names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "UPPERCASE")]
pub enum VideoRange {
    /// Standard (BT.709 and its like).
    #[default]
    Sdr,
    /// Hybrid log-gamma (ARIB STD-B67).
    Hlg,
    /// Perceptual quantiser (SMPTE ST 2084; HDR10).
    Pq,
}

impl VideoRange {
    /// The value of HLS's VIDEO-RANGE.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sdr => "SDR",
            Self::Hlg => "HLG",
            Self::Pq => "PQ",
        }
    }
}

/// An audio layout of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AudioLayout {
    /// Two channels.
    Stereo,
    /// Six channels: left, right, centre, low frequencies, left and right surround.
    Surround,
}

impl AudioLayout {
    /// The number of channels.
    #[must_use]
    pub fn channels(self) -> u16 {
        match self {
            Self::Stereo => 2,
            Self::Surround => 6,
        }
    }

    /// `stereo` or `surround`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stereo => "stereo",
            Self::Surround => "surround",
        }
    }
}

/// Which content key covers a track: the more a picture is worth, the fewer devices get its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyTier {
    /// Every audio track.
    Audio,
    /// Pictures up to 576 lines.
    Sd,
    /// Pictures up to 1080 lines.
    Hd,
    /// Pictures above 1080 lines.
    Uhd,
}

impl KeyTier {
    /// The tier of a picture of this many lines.
    #[must_use]
    pub fn of_height(height: u32) -> Self {
        match height {
            0..=576 => Self::Sd,
            577..=1080 => Self::Hd,
            _ => Self::Uhd,
        }
    }

    /// The label of its key: `audio`, `sd`, `hd` or `uhd`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Sd => "sd",
            Self::Hd => "hd",
            Self::Uhd => "uhd",
        }
    }
}

/// How a stream is protected on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Protection {
    /// Common Encryption, AES-CBC with a 1:9 pattern. The default: every current device plays it.
    #[default]
    Cbcs,
    /// Common Encryption, AES-CTR, for older Widevine and PlayReady devices.
    Cenc,
    /// None.
    Clear,
}

impl Protection {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Cbcs, Self::Cenc, Self::Clear];

    /// `cbcs`, `cenc` or `clear`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cbcs => "cbcs",
            Self::Cenc => "cenc",
            Self::Clear => "clear",
        }
    }

    /// By its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }
}
