//! A packaged version of a title, as it is stored and as manifests are made from it.
//!
//! Each track is one file: a CMAF track (`ftyp moov sidx (moof mdat)*`), encrypted with `cbcs` where it has a key. A
//! segment is a range of that file. Every other packaging and protection is made from it when it is asked for.

use matinee_model::codec::{AudioLayout, KeyTier, VideoCodec, VideoRange};
use matinee_model::time::FrameRate;
use serde::{Deserialize, Serialize};

/// A packaged version of a title.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Presentation {
    /// The title's id.
    pub title: String,
    /// This version's id.
    pub version: String,
    /// Of the longest track, in microseconds.
    pub duration_us: u64,
    /// Video tracks, of every codec, from the smallest.
    pub video: Vec<VideoTrack>,
    /// Audio tracks; the first is the default.
    pub audio: Vec<AudioTrack>,
    /// Subtitle tracks.
    pub subtitles: Vec<SubtitleTrack>,
    /// Scrubbing thumbnails.
    pub thumbnails: Option<Thumbnails>,
}

/// One video rendition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoTrack {
    /// As it stands in addresses: `video-720p-h264`.
    pub name: String,
    /// The codec.
    pub codec: VideoCodec,
    /// RFC 6381, from the sample entry: `avc1.64001f`.
    pub codecs: String,
    /// Pixels. Always square.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Constant.
    pub frame_rate: FrameRate,
    /// SDR, HLG or PQ.
    pub range: VideoRange,
    /// Mean VMAF over the measured frames, 0 to 100; absent where it was not measured.
    pub vmaf: Option<f64>,
    /// The file and its segments.
    pub file: TrackFile,
}

/// One audio rendition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioTrack {
    /// As it stands in addresses: `audio-en-stereo`.
    pub name: String,
    /// RFC 6381: `mp4a.40.2`.
    pub codecs: String,
    /// BCP 47; `und` where the master does not say.
    pub language: String,
    /// For people: "English", "English 5.1".
    pub label: String,
    /// Stereo or surround.
    pub layout: AudioLayout,
    /// Samples a second.
    pub sample_rate: u32,
    /// The file and its segments.
    pub file: TrackFile,
}

/// One subtitle language: a WebVTT file, whole, and cut on the segment grid when a manifest asks for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubtitleTrack {
    /// As it stands in addresses: `subs-en`.
    pub name: String,
    /// BCP 47; `und` where it is not known.
    pub language: String,
    /// For people.
    pub label: String,
    /// Only what is not spoken in the film's language.
    pub forced: bool,
    /// For the deaf and hard of hearing.
    pub hearing_impaired: bool,
    /// Key of the whole WebVTT file in the object store.
    pub object: String,
    /// Bytes.
    pub size: u64,
    /// Hex, of the file.
    pub blake3: String,
}

/// Thumbnails in sheets (sprites), one every `interval_us`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thumbnails {
    /// Microseconds from one to the next.
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
    /// The sheets, in order.
    pub sheets: Vec<Sheet>,
}

/// One sheet of thumbnails: a JPEG.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Key in the object store.
    pub object: String,
    /// Bytes.
    pub size: u64,
    /// Hex.
    pub blake3: String,
}

/// One CMAF track as one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackFile {
    /// Key in the object store.
    pub object: String,
    /// Bytes of the whole file.
    pub size: u64,
    /// The output key of the task that made it: what is named when it is found damaged.
    pub output_key: String,
    /// The key that it is encrypted with (`cbcs`); absent for a clear one.
    pub key: Option<TrackKey>,
    /// Ticks a second.
    pub timescale: u32,
    /// Where the initialisation segment (`ftyp moov`) is.
    pub init: ByteRange,
    /// Where the segment index (`sidx`) is.
    pub sidx: ByteRange,
    /// Hex, of the initialisation segment and the index together (the bytes before the first segment).
    pub head_blake3: String,
    /// Mean, in bits a second.
    pub average_bandwidth: u64,
    /// Of the segment with the most bits for its length, in bits a second.
    pub peak_bandwidth: u64,
    /// In order, without a gap.
    pub segments: Vec<Segment>,
}

impl TrackFile {
    /// In ticks.
    #[must_use]
    pub fn duration(&self) -> u64 {
        self.segments.iter().map(|s| u64::from(s.duration)).sum()
    }
}

/// Which content key a track is encrypted with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackKey {
    /// The tier.
    pub tier: KeyTier,
    /// 16 bytes, hex.
    pub kid: String,
    /// The constant IV of `cbcs`: 16 bytes, hex.
    pub iv: String,
}

/// Bytes `offset..offset + size` of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteRange {
    /// From the file's start.
    pub offset: u64,
    /// How many.
    pub size: u64,
}

/// One media segment (`moof mdat`, once or several times) of a track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// When it starts on the presentation's timeline, in ticks (its first presentation time).
    pub start: u64,
    /// Ticks.
    pub duration: u32,
    /// From the file's start.
    pub offset: u64,
    /// Bytes.
    pub size: u32,
    /// Frames of video, or access units of audio.
    pub samples: u32,
    /// Subsample entries that the stored protection has, over all samples (0 for audio and for a clear track). With
    /// `samples` it says how large the segment is in any other protection.
    #[serde(default)]
    pub subsamples: u32,
    /// Hex.
    pub blake3: String,
}
