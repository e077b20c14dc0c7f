//! What a master is: the report of `inspect`, which the studio shows and every later task is planned from.

use matinee_model::codec::VideoRange;
use matinee_model::time::FrameRate;
use serde::{Deserialize, Serialize};

/// A master that can be made into a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// As ffprobe names it: "mov,mp4,m4a,3gp,3g2,mj2".
    pub container: String,
    /// Bytes.
    pub size: u64,
    /// Of the picture as it will be played, in microseconds.
    pub duration_us: u64,
    /// The picture that is encoded.
    pub video: VideoStream,
    /// Every language of the sound, in the master's order; may be empty.
    pub audio: Vec<AudioStream>,
    /// Text subtitles in the master, in its order.
    pub subtitles: Vec<TextStream>,
    /// What is unusual but works: "rotated by 90 degrees", "the last 3 packets of stream 1 do not decode".
    pub warnings: Vec<String>,
}

/// Whether a picture's lines come in fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scan {
    /// Whole frames.
    Progressive,
    /// Two fields a frame, the top one first.
    Top,
    /// Two fields a frame, the bottom one first.
    Bottom,
}

/// The picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoStream {
    /// Its index in the container.
    pub index: u32,
    /// ffprobe's name: "h264".
    pub codec: String,
    /// "High 10"; empty where unknown.
    pub profile: String,
    /// Pixels as coded.
    pub width: u32,
    /// Pixels as coded.
    pub height: u32,
    /// Width to height of one pixel: (1, 1) is square.
    pub sample_aspect: (u32, u32),
    /// Clockwise degrees by which it is turned to be seen upright: 0, 90, 180 or 270.
    pub rotation: u32,
    /// Pixels after turning, with square pixels; even.
    pub display_width: u32,
    /// Pixels after turning, with square pixels; even.
    pub display_height: u32,
    /// ffmpeg's name: "yuv420p10le".
    pub pixel_format: String,
    /// Bits a component.
    pub bits: u32,
    /// SDR, HLG or PQ.
    pub range: VideoRange,
    /// ffmpeg's names of primaries, transfer, matrix and range; empty where the master does not say.
    pub color: Color,
    /// The constant rate at which it is encoded.
    pub frame_rate: FrameRate,
    /// The master's frames do not keep that rate: they are repeated or dropped to it.
    pub variable: bool,
    /// Progressive or interlaced.
    pub scan: Scan,
    /// Presentation time of its first frame, in microseconds of the container's clock: the zero of the stream.
    pub start_us: i64,
    /// Frames that were decoded.
    pub decoded_frames: u64,
    /// Frames at [`VideoStream::frame_rate`]: as many as every rendition has.
    pub frames: u64,
    /// Where shots begin, as frame numbers at [`VideoStream::frame_rate`], rising, without 0.
    pub shots: Vec<u64>,
}

/// A picture's colour, by ffmpeg's names; a field is empty where the master does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Color {
    /// "bt709", "bt2020".
    pub primaries: String,
    /// "bt709", "smpte2084", "arib-std-b67".
    pub transfer: String,
    /// The matrix: "bt709", "bt2020nc".
    pub space: String,
    /// "tv" or "pc".
    pub range: String,
    /// The content's light level (MaxCLL), in candela a square metre, of HDR10.
    pub max_cll: Option<u32>,
}

/// One language of the sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioStream {
    /// Its index in the container.
    pub index: u32,
    /// ffprobe's name: "aac".
    pub codec: String,
    /// How many.
    pub channels: u32,
    /// ffmpeg's name: "5.1(side)"; empty where unknown.
    pub layout: String,
    /// Samples a second.
    pub sample_rate: u32,
    /// BCP 47; `und` where the master does not say.
    pub language: String,
    /// The master's title of it; may be empty.
    pub title: String,
    /// Presentation time of its first sample, in microseconds of the container's clock.
    pub start_us: i64,
    /// Microseconds.
    pub duration_us: u64,
}

/// Text subtitles in the master.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextStream {
    /// Its index in the container.
    pub index: u32,
    /// ffprobe's name: "subrip", "mov_text", "ass", "webvtt".
    pub codec: String,
    /// BCP 47; `und` where the master does not say.
    pub language: String,
    /// The master's title of it; may be empty.
    pub title: String,
    /// Only what is not spoken in the film's language.
    pub forced: bool,
    /// For the deaf and hard of hearing.
    pub hearing_impaired: bool,
}
