//! What is to be made of a master: the parameters of the tasks that `slice` plans.
//!
//! They are part of a task's key, so they hold what shapes the output and nothing else.

use matinee_media::track::{AudioDescription, SubtitleDescription, VideoDescription};
use serde::{Deserialize, Serialize};

use crate::inspection::{AudioStream, TextStream, VideoStream};

/// A master in the object store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasterFile {
    /// Its key.
    pub object: String,
    /// Bytes.
    pub size: u64,
    /// Hex, of the whole.
    pub blake3: String,
}

/// How a rendition's picture is encoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoRendition {
    /// What comes out.
    pub description: VideoDescription,
    /// Frames of the master at its constant rate for one of this rendition: 1, or 2 where the rate is halved.
    pub every: u32,
    /// Constant quality, in the encoder's own scale.
    pub crf: f32,
    /// The peak, in kilobits a second.
    pub max_kbps: u32,
    /// The encoder's preset.
    pub preset: String,
}

/// `encode`: one chunk of one rendition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EncodeTask {
    /// The master.
    pub master: MasterFile,
    /// Its picture. Its `shots` are left empty.
    pub source: VideoStream,
    /// What is made of it.
    pub rendition: VideoRendition,
    /// The first frame, at the master's constant rate; on the segment grid.
    pub first_frame: u64,
    /// How many frames, at the master's constant rate.
    pub frames: u64,
}

/// `assemble`: all chunks of one rendition into one CMAF track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssembleTask {
    /// What comes out.
    pub description: VideoDescription,
    /// Frames of each chunk of this rendition, in order, as the inputs must hold them.
    pub chunks: Vec<u64>,
}

/// `measure`: the VMAF of one rendition against its master.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasureTask {
    /// The master.
    pub master: MasterFile,
    /// Its picture. Its `shots` are left empty.
    pub source: VideoStream,
    /// What is measured.
    pub rendition: VideoRendition,
    /// The share of frames to measure, 0 to 1.
    pub share: f64,
}

/// `audio`: one language in one layout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioTask {
    /// The master.
    pub master: MasterFile,
    /// The stream.
    pub source: AudioStream,
    /// What comes out.
    pub description: AudioDescription,
    /// Kilobits a second, in all.
    pub kbps: u32,
    /// The zero of the stream: the picture's first frame, in microseconds of the container's clock.
    pub start_us: i64,
    /// As long as the picture, in microseconds.
    pub duration_us: u64,
    /// Segment boundaries after 0 of the picture, for the sound to be cut next to them: seconds of a segment as a
    /// fraction (frames of a segment × den / num of the picture's rate).
    pub segment: (u64, u64),
}

/// `subtitles`: one language to WebVTT.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubtitleTask {
    /// From where.
    pub source: SubtitleSource,
    /// What comes out.
    pub description: SubtitleDescription,
}

/// Where subtitles come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum SubtitleSource {
    /// A text stream of the master.
    Master {
        /// The master.
        master: MasterFile,
        /// The stream.
        stream: TextStream,
        /// The zero of the stream, in microseconds of the container's clock.
        start_us: i64,
    },
    /// A file that was uploaded with it (SRT or WebVTT).
    Sidecar {
        /// Its key in the object store.
        object: String,
        /// As it was called, for messages.
        file_name: String,
    },
}

/// `thumbnails`: a picture every so often, in sheets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThumbnailTask {
    /// The master.
    pub master: MasterFile,
    /// Its picture. Its `shots` are left empty.
    pub source: VideoStream,
    /// Microseconds from one to the next.
    pub interval_us: u64,
    /// As long as the picture, in microseconds.
    pub duration_us: u64,
}
