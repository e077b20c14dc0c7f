//! One subprocess: its priority, its death with its parent, its output and its progress.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use super::{FfmpegProgress, Finished, ToolError};

/// Bytes of standard error that are kept.
const TAIL: usize = 8 << 10;
/// The niceness of everything that is called: a viewer comes first.
const NICENESS: i32 = 19;

/// The idle policy has no priorities of its own.
const IDLE: libc::sched_param = libc::sched_param { sched_priority: 0 };

/// How much it may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Without a sign of life.
    pub stall: Duration,
    /// Bytes of standard output.
    pub output: usize,
    /// Runs only where nothing else wants the processor: a niceness alone lets it hold on for some milliseconds while a
    /// viewer's request waits.
    pub idle: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { stall: Duration::from_secs(20), output: 1 << 20, idle: false }
    }
}

/// Runs a program to its end. Dropping the future kills it and what it started.
pub(super) async fn run(
    program: &Path,
    arguments: &[OsString],
    limits: Limits,
    mut progress: impl FnMut(&FfmpegProgress) + Send,
) -> Result<Finished, ToolError> {
    let name = program.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let idle = limits.idle;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // SAFETY: between fork and exec only async-signal-safe system calls are made, and nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            // A master's encoder must not outlive the worker, even one that is killed.
            rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
            rustix::process::setpriority_process(None, NICENESS)?;
            if idle {
                // Where a system refuses it, the niceness is left.
                libc::sched_setscheduler(0, libc::SCHED_IDLE, &IDLE);
            }
            Ok(())
        });
    }
    let mut child = command.spawn().map_err(|source| ToolError::Start { program: program.to_owned(), source })?;
    let unread = |reason: &str| ToolError::Output { program: name.clone(), reason: reason.to_owned() };
    let mut stdout = child.stdout.take().ok_or_else(|| unread("there is no pipe"))?;
    let stderr = child.stderr.take().ok_or_else(|| unread("there is no pipe"))?;
    let mut lines = BufReader::new(stderr).split(b'\n');
    let (mut bytes, mut tail, mut at) = (Vec::new(), String::new(), FfmpegProgress::default());
    let mut buffer = vec![0; 64 << 10];
    let (mut printing, mut speaking) = (true, true);
    while printing || speaking {
        let step = async {
            tokio::select! {
                read = stdout.read(&mut buffer), if printing => Step::Printed(read),
                line = lines.next_segment(), if speaking => Step::Said(line),
            }
        };
        match timeout(limits.stall, step).await {
            Err(_) => {
                // kill_on_drop ends it.
                return Err(ToolError::Stalled { program: name, after: limits.stall, stderr: tail });
            }
            Ok(Step::Printed(Ok(0))) => printing = false,
            Ok(Step::Printed(Ok(n))) => {
                if bytes.len() + n > limits.output {
                    return Err(unread("it is larger than is taken"));
                }
                bytes.extend_from_slice(&buffer[..n]);
            }
            Ok(Step::Said(Ok(Some(line)))) => {
                let line = String::from_utf8_lossy(&line);
                if !take_progress(line.trim(), &mut at, &mut progress) {
                    keep(&mut tail, &line);
                }
            }
            Ok(Step::Said(Ok(None))) => speaking = false,
            Ok(Step::Printed(Err(error)) | Step::Said(Err(error))) => return Err(unread(&error.to_string())),
        }
    }
    let status = child.wait().await.map_err(|error| unread(&error.to_string()))?;
    if !status.success() {
        let full = tail.contains("No space left on device");
        let transient = status.code().is_none() || full;
        return Err(ToolError::Failed { program: name, status: status.to_string(), transient, stderr: tail });
    }
    Ok(Finished { stdout: bytes, stderr: tail })
}

enum Step {
    Printed(std::io::Result<usize>),
    Said(std::io::Result<Option<Vec<u8>>>),
}

/// Keeps the last [`TAIL`] bytes of what is said.
fn keep(tail: &mut String, line: &str) {
    tail.push_str(line.trim_end());
    tail.push('\n');
    if tail.len() > 2 * TAIL {
        let mut cut = tail.len() - TAIL;
        while !tail.is_char_boundary(cut) {
            cut += 1;
        }
        tail.drain(..cut);
    }
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

    fn shell(script: &str) -> Vec<OsString> {
        ["-c", script].iter().map(OsString::from).collect()
    }

    #[tokio::test]
    async fn progress_is_read_and_words_are_kept() {
        let script =
            "printf 'frame=12\\nfps=3.5\\nout_time_us=500000\\nspeed=2.0x\\nprogress=end\\noh dear\\n' >&2; echo out";
        let mut seen = Vec::new();
        let done = run(Path::new("/bin/sh"), &shell(script), Limits::default(), |p| seen.push(*p)).await.unwrap();
        assert_eq!(seen, [FfmpegProgress { frame: 12, fps: 3.5, out_time_us: 500_000, speed: 2.0 }]);
        assert_eq!((done.stdout.as_slice(), done.stderr.as_str()), (b"out\n".as_slice(), "oh dear\n"));
    }

    #[tokio::test]
    async fn what_stands_still_is_stopped_and_a_failure_says_why() {
        let limits = Limits { stall: Duration::from_millis(100), output: 100, idle: false };
        let stuck = run(Path::new("/bin/sh"), &shell("exec sleep 60"), limits, |_| {}).await;
        assert!(matches!(stuck, Err(ToolError::Stalled { .. })), "{stuck:?}");
        let failed =
            run(Path::new("/bin/sh"), &shell("echo no such film >&2; exit 3"), Limits::default(), |_| {}).await;
        assert!(failed.unwrap_err().to_string().ends_with("no such film"));
        let loud = run(Path::new("/bin/sh"), &shell("yes"), limits, |_| {}).await;
        assert!(matches!(loud, Err(ToolError::Output { .. })));
        let missing = run(Path::new("/nowhere/ffmpeg"), &[], limits, |_| {}).await;
        assert!(missing.unwrap_err().to_string().contains("/nowhere/ffmpeg"));
    }

    #[tokio::test]
    async fn a_dropped_call_leaves_no_process_and_priority_is_low() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let script = format!("echo $$ > {}; exec sleep 60", file.path().display());
        let (program, script) = (Path::new("/bin/sh"), shell(&script));
        let call = run(program, &script, Limits::default(), |_| {});
        let pid = async {
            loop {
                let text = std::fs::read_to_string(file.path()).unwrap();
                if text.ends_with('\n') {
                    return text.trim().to_owned();
                }
                tokio::task::yield_now().await;
            }
        };
        let pid = tokio::select! { _ = call => panic!("it ended"), pid = pid => pid };
        let gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        };
        let waited = timeout(Duration::from_secs(10), async {
            while !gone() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        waited.await.unwrap();
        let nice = run(program, &shell("nice"), Limits::default(), |_| {}).await.unwrap();
        assert_eq!(nice.stdout, b"19\n");
        let policy = "cut -d' ' -f41 /proc/self/stat";
        for (idle, expected) in [(false, libc::SCHED_OTHER), (true, libc::SCHED_IDLE)] {
            let limits = Limits { idle, ..Limits::default() };
            let told = run(program, &shell(policy), limits, |_| {}).await.unwrap();
            assert_eq!(String::from_utf8_lossy(&told.stdout).trim(), expected.to_string());
        }
    }
}
