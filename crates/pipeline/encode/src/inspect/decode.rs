//! The full decode: does every frame come, where do shots begin, are there fields.
//!
//! One pass over the file. The picture is made small before anything looks at it, so that it costs little more than the
//! decoding itself.

use std::ffi::OsString;
use std::path::Path;

use crate::inspection::Scan;
use crate::tool::{FfmpegProgress, ToolError, Tools, arguments};

/// A change between two frames, 0 to 100, from which on a shot begins.
const SHOT: f64 = 12.0;
/// Frames that are looked at for fields, in each of three places.
const LOOKED_AT: &str = "60";

/// What came out.
#[derive(Debug, Default)]
pub struct Decoded {
    /// When each decoded frame is shown, in microseconds of the container's clock, in decoding order of the filter.
    pub times_us: Vec<i64>,
    /// Those of them at which a shot begins.
    pub shots_us: Vec<i64>,
    /// What the decoders complained of.
    pub complaints: String,
}

/// Decodes the picture and all sound.
pub async fn decode(
    tools: &Tools,
    file: &Path,
    video: u32,
    audio: &[u32],
    progress: impl FnMut(&FfmpegProgress) + Send,
) -> Result<Decoded, ToolError> {
    let mut all = arguments(["-loglevel", "error", "-copyts", "-noautorotate", "-i"]);
    all.push(file.into());
    // The change is measured on a picture of 128 × 72; the list of frames comes on standard output.
    let filter =
        format!("[0:{video}]scale=128:72:flags=fast_bilinear,format=gray,scdet=t={SHOT},metadata=mode=print:file=-[v]");
    all.extend(arguments(["-filter_complex", &filter, "-map", "[v]"]));
    for stream in audio {
        all.extend(arguments(["-map", &format!("0:{stream}")]));
    }
    all.extend(arguments(["-max_error_rate", "1", "-fps_mode", "passthrough", "-f", "null", "-"]));
    let done = tools.ffmpeg(all, progress).await?;
    let mut decoded = read_frames(&String::from_utf8_lossy(&done.stdout));
    decoded.complaints = done.stderr;
    Ok(decoded)
}

/// Reads what the `metadata` filter prints: a line with the time, then a line a value.
fn read_frames(text: &str) -> Decoded {
    let mut decoded = Decoded::default();
    for line in text.lines() {
        if let Some((_, time)) = line.split_once("pts_time:") {
            if let Ok(seconds) = time.trim().parse::<f64>() {
                decoded.times_us.push((seconds * 1e6).round() as i64);
            }
        } else if line.starts_with("lavfi.scd.time=") {
            decoded.shots_us.extend(decoded.times_us.last());
        }
    }
    decoded
}

/// Whether the picture comes in fields: looked at in three places of a film of `seconds`, because headers lie.
pub async fn scan(tools: &Tools, file: &Path, video: u32, seconds: f64) -> Result<Scan, ToolError> {
    let mut counts = [0_u64; 3];
    for place in [0.1, 0.5, 0.9] {
        let start = format!("{:.3}", (seconds * place - 1.0).max(0.0));
        let mut all: Vec<OsString> = arguments(["-loglevel", "info", "-ss", &start, "-i"]);
        all.push(file.into());
        let map = format!("0:{video}");
        all.extend(arguments(["-map", &map, "-vf", "idet", "-frames:v", LOOKED_AT, "-f", "null", "-"]));
        let done = tools.ffmpeg(all, |_| {}).await?;
        for (count, found) in counts.iter_mut().zip(read_fields(&done.stderr)) {
            *count += found;
        }
    }
    let [top, bottom, progressive] = counts;
    Ok(if top + bottom <= progressive {
        Scan::Progressive
    } else if top >= bottom {
        Scan::Top
    } else {
        Scan::Bottom
    })
}

/// Frames with the top field first, with the bottom one first, and progressive ones, by `idet`.
fn read_fields(said: &str) -> [u64; 3] {
    let Some(line) = said.lines().rev().find(|l| l.contains("Multi frame detection:")) else { return [0; 3] };
    let count = |name: &str| -> u64 {
        let rest = line.split_once(name).map_or("", |(_, rest)| rest);
        rest.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    [count("TFF:"), count("BFF:"), count("Progressive:")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_shots_are_read() {
        let text = "frame:0    pts:0       pts_time:0\nlavfi.scd.mafd=0.0\nlavfi.scd.score=0.0\n\
                    frame:1    pts:512     pts_time:0.04\nlavfi.scd.mafd=50\nlavfi.scd.score=50\nlavfi.scd.time=0.04\n";
        let read = read_frames(text);
        assert_eq!((read.times_us, read.shots_us), (vec![0, 40_000], vec![40_000]));
    }

    #[test]
    fn fields_are_counted() {
        let said = "[idet] Single frame detection: TFF:1 BFF:0 Progressive: 3 Undetermined: 1\n\
                    [idet] Multi frame detection: TFF:    52 BFF:     1 Progressive:     7 Undetermined:     0\n";
        assert_eq!(read_fields(said), [52, 1, 7]);
    }
}
