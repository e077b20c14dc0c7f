//! What a track is, as the tasks of a film's way tell each other: the encoder says it of what it made, the packager
//! and the manifests read it.

use matinee_model::codec::{AudioLayout, VideoCodec, VideoRange};
use matinee_model::time::FrameRate;
use serde::{Deserialize, Serialize};

/// A video or an audio track in a clear CMAF file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum TrackDescription {
    /// A rendition of the picture.
    Video(VideoDescription),
    /// A rendition of the sound.
    Audio(AudioDescription),
}

/// A rendition of the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoDescription {
    /// As it stands in addresses: `video-720p-h264`.
    pub track: String,
    /// The codec.
    pub codec: VideoCodec,
    /// Pixels. Always square.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Constant.
    pub frame_rate: FrameRate,
    /// SDR, HLG or PQ.
    pub range: VideoRange,
}

/// A rendition of the sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioDescription {
    /// As it stands in addresses: `audio-en-stereo`.
    pub track: String,
    /// BCP 47; `und` where the master does not say.
    pub language: String,
    /// For people: "English", "English 5.1".
    pub label: String,
    /// Stereo or surround.
    pub layout: AudioLayout,
    /// Samples a second.
    pub sample_rate: u32,
}

/// A subtitle track: a whole WebVTT file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubtitleDescription {
    /// As it stands in addresses: `subs-en`.
    pub track: String,
    /// BCP 47; `und` where it is not known.
    pub language: String,
    /// For people.
    pub label: String,
    /// Only what is not spoken in the film's language.
    pub forced: bool,
    /// For the deaf and hard of hearing.
    pub hearing_impaired: bool,
}

/// How thumbnails lie on their sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetLayout {
    /// Microseconds from one thumbnail to the next.
    pub interval_us: u64,
    /// Pixels of one thumbnail.
    pub width: u32,
    /// Pixels of one thumbnail.
    pub height: u32,
    /// Thumbnails side by side on a sheet.
    pub columns: u32,
    /// Rows of thumbnails on a sheet.
    pub rows: u32,
    /// Thumbnails in all.
    pub count: u32,
}
