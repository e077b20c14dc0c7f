//! What was found in a master, as the studio shows it: the report of the pipeline's `inspect`, with its names. A text is
//! empty where the master does not say.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What was found in a master.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Inspection)]
pub struct InspectionJson {
    /// As ffprobe names it: "mov,mp4,m4a,3gp,3g2,mj2".
    container: String,
    /// Bytes.
    size: u64,
    duration_us: u64,
    video: VideoJson,
    audio: Vec<AudioJson>,
    subtitles: Vec<TextJson>,
    /// What is unusual but works.
    warnings: Vec<String>,
}

/// The picture.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = InspectedVideo)]
pub struct VideoJson {
    index: u32,
    codec: String,
    profile: String,
    width: u32,
    height: u32,
    /// Width to height of one pixel: two numbers.
    #[schema(min_items = 2, max_items = 2)]
    sample_aspect: [u32; 2],
    /// Clockwise degrees by which it is turned to be seen upright.
    rotation: u32,
    /// As it is shown: turned, with square pixels.
    display_width: u32,
    display_height: u32,
    pixel_format: String,
    /// Of a component.
    bits: u32,
    range: RangeJson,
    color: ColorJson,
    /// A fraction: "24000/1001".
    frame_rate: String,
    /// The master's frames do not keep that rate.
    variable: bool,
    scan: ScanJson,
    start_us: i64,
    decoded_frames: u64,
    frames: u64,
    /// Where shots begin, in frames.
    shots: Vec<u64>,
}

/// The picture's dynamic range.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Range)]
#[serde(rename_all = "UPPERCASE")]
pub enum RangeJson {
    /// Standard.
    Sdr,
    /// Hybrid log-gamma.
    Hlg,
    /// Perceptual quantiser.
    Pq,
}

/// Whether a picture's lines come in fields, and which comes first.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Scan)]
#[serde(rename_all = "lowercase")]
pub enum ScanJson {
    /// Whole frames.
    Progressive,
    /// The top one.
    Top,
    /// The bottom one.
    Bottom,
}

/// The picture's colour, by ffmpeg's names.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = InspectedColor)]
pub struct ColorJson {
    primaries: String,
    transfer: String,
    space: String,
    range: String,
    /// Candela a square metre, of HDR10.
    #[schema(required)]
    max_cll: Option<u32>,
}

/// One language of the sound.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = InspectedAudio)]
pub struct AudioJson {
    index: u32,
    codec: String,
    channels: u32,
    layout: String,
    sample_rate: u32,
    language: String,
    title: String,
    start_us: i64,
    duration_us: u64,
}

/// Text subtitles in the master.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = InspectedText)]
pub struct TextJson {
    index: u32,
    codec: String,
    language: String,
    title: String,
    forced: bool,
    hearing_impaired: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_the_pipeline_is_read_and_told_as_it_is() {
        let report = serde_json::json!({
            "container": "mov,mp4", "size": 1024, "duration_us": 5_000_000,
            "video": {
                "index": 0, "codec": "h264", "profile": "High 10", "width": 1920, "height": 1080,
                "sample_aspect": [1, 1], "rotation": 0, "display_width": 1920, "display_height": 1080,
                "pixel_format": "yuv420p10le", "bits": 10, "range": "PQ",
                "color": {"primaries": "bt2020", "transfer": "smpte2084", "space": "bt2020nc", "range": "tv",
                          "max_cll": 1000},
                "frame_rate": "24000/1001", "variable": false, "scan": "progressive", "start_us": -80,
                "decoded_frames": 120, "frames": 120, "shots": [48],
            },
            "audio": [{
                "index": 1, "codec": "aac", "channels": 2, "layout": "stereo", "sample_rate": 48000, "language": "en",
                "title": "", "start_us": 0, "duration_us": 5_000_000,
            }],
            "subtitles": [{
                "index": 2, "codec": "subrip", "language": "de", "title": "", "forced": false, "hearing_impaired": true,
            }],
            "warnings": ["rotated by 90 degrees"],
        });
        let read: InspectionJson = serde_json::from_value(report.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), report);
    }
}
