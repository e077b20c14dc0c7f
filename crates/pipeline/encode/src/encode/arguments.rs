//! ffmpeg's arguments for a chunk.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use matinee_model::codec::VideoCodec;

use crate::inspection::VideoStream;
use crate::picture::{graph, keeps_range};
use crate::rendition::{EncodeTask, VideoRendition};
use crate::tool::arguments;

/// Seconds before a chunk from which the master is read, for filters that look back and for clocks that round.
const MARGIN: f64 = 1.0;

/// Where reading starts for what begins at frame `first`: a little before, at a key frame. Times stay the container's.
pub fn input(master: &Path, source: &VideoStream, first: u64) -> Vec<OsString> {
    let mut all = arguments(["-copyts", "-noautorotate"]);
    if first > 0 {
        let from = source.start_us as f64 / 1e6 + source.frame_rate.seconds_at(first) - MARGIN;
        all.extend(arguments(["-seek_timestamp", "1", "-noaccurate_seek", "-ss", &format!("{from:.6}")]));
    }
    all.push("-i".into());
    all.push(master.into());
    all
}

/// One ffmpeg that makes the chunk of each of `tasks` (all of one chunk) into the path beside it.
pub fn encode(master: &Path, tasks: &[&EncodeTask], outputs: &[PathBuf]) -> Vec<OsString> {
    let Some(task) = tasks.first() else { return Vec::new() };
    let renditions: Vec<&VideoRendition> = tasks.iter().map(|t| &t.rendition).collect();
    let mut all = input(master, &task.source, task.first_frame);
    let from = format!("0:{}", task.source.index);
    let filters = graph(&from, &task.source, &renditions, task.first_frame, task.frames);
    all.extend(arguments(["-filter_complex", &filters]));
    for (n, (rendition, output)) in renditions.iter().zip(outputs).enumerate() {
        let frames = task.frames.div_ceil(u64::from(rendition.every)).to_string();
        all.extend(arguments(["-map", &format!("[v{n}]"), "-frames:v", &frames, "-fps_mode", "passthrough"]));
        all.extend(encoder(&task.source, rendition));
        let timescale = rendition.description.frame_rate.num().to_string();
        all.extend(arguments(["-map_metadata", "-1", "-video_track_timescale", &timescale, "-f", "mp4"]));
        all.push(output.into());
    }
    all
}

/// The encoder's own arguments. Nothing in them depends on the chunk, so that all chunks share their parameter sets.
fn encoder(source: &VideoStream, rendition: &VideoRendition) -> Vec<OsString> {
    let gop = rendition.description.frame_rate.gop_frames();
    let (kbps, crf) = (rendition.max_kbps, rendition.crf.to_string());
    let preset = rendition.preset.as_str();
    match rendition.description.codec {
        VideoCodec::H264 => {
            let rate = format!("{kbps}k");
            let keys = format!("keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0");
            arguments([
                "-c:v",
                "libx264",
                "-preset",
                preset,
                "-crf",
                &crf,
                "-maxrate",
                &rate,
                "-bufsize",
                &rate,
                "-profile:v",
                "high",
                "-x264-params",
                &keys,
            ])
        }
        VideoCodec::H265 => {
            let mut parameters = format!(
                "keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:vbv-maxrate={kbps}:vbv-bufsize={kbps}:\
                 repeat-headers=0:log-level=error"
            );
            if keeps_range(source, rendition) {
                parameters.push_str(":hdr10-opt=1");
                if let Some(peak) = source.color.max_cll {
                    parameters.push_str(&format!(":max-cll={peak},0"));
                }
            }
            arguments([
                "-c:v",
                "libx265",
                "-preset",
                preset,
                "-crf",
                &crf,
                "-tag:v",
                "hvc1",
                "-x265-params",
                &parameters,
            ])
        }
        VideoCodec::Av1 => {
            let parameters = format!("keyint={gop}:scd=0:mbr={kbps}");
            let gop = gop.to_string();
            arguments(["-c:v", "libsvtav1", "-preset", preset, "-crf", &crf, "-g", &gop, "-svtav1-params", &parameters])
        }
    }
}
