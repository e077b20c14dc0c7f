//! One call of ffmpeg or ffprobe, and the lines in which it tells how far it is.

use std::ffi::OsString;
use std::path::Path;

pub(super) use matinee_service::process::Limits;
use matinee_service::process::{self, Line};

use super::{FfmpegProgress, Finished, ToolError};

/// Runs a program to its end. Dropping the future kills it and what it started.
pub(super) async fn run(
    program: &Path,
    arguments: &[OsString],
    limits: Limits,
    mut progress: impl FnMut(&FfmpegProgress) + Send,
) -> Result<Finished, ToolError> {
    let mut at = FfmpegProgress::default();
    let heard = |line: &str| if take_progress(line, &mut at, &mut progress) { Line::Taken } else { Line::Kept };
    Ok(process::run(program, arguments, limits, heard).await?)
}

/// Whether a line is one of ffmpeg's `key=value` lines of progress; the last of a group is passed on.
fn take_progress(line: &str, at: &mut FfmpegProgress, progress: &mut impl FnMut(&FfmpegProgress)) -> bool {
    let Some((key, value)) = line.split_once('=') else { return false };
    let value = value.trim();
    match key {
        "frame" => at.frame = value.parse().unwrap_or(at.frame),
        "fps" => at.fps = value.parse().unwrap_or(at.fps),
        "out_time_us" => at.out_time_us = value.parse().unwrap_or(at.out_time_us),
        "speed" => at.speed = value.trim_end_matches('x').parse().unwrap_or(at.speed),
        "progress" => progress(at),
        "bitrate" | "total_size" | "out_time_ms" | "out_time" | "dup_frames" | "drop_frames" => {}
        _ => return key.starts_with("stream_"),
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn progress_is_read_and_words_are_kept() {
        let script =
            "printf 'frame=12\\nfps=3.5\\nout_time_us=500000\\nspeed=2.0x\\nprogress=end\\noh dear\\n' >&2; echo out";
        let script: Vec<OsString> = ["-c", script].iter().map(OsString::from).collect();
        let mut seen = Vec::new();
        let done = run(Path::new("/bin/sh"), &script, Limits::default(), |p| seen.push(*p)).await.unwrap();
        assert_eq!(seen, [FfmpegProgress { frame: 12, fps: 3.5, out_time_us: 500_000, speed: 2.0 }]);
        assert_eq!((done.stdout.as_slice(), done.stderr.as_str()), (b"out\n".as_slice(), "oh dear\n"));
    }
}
