//! One subprocess: at low priority, bounded, gone with whoever called it, its output and what it says.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// Bytes of standard error that are kept.
const TAIL: usize = 8 << 10;
/// The niceness of everything that is called: a viewer comes first.
const NICENESS: i32 = 19;

/// The idle policy has no priorities of its own.
const IDLE: libc::sched_param = libc::sched_param { sched_priority: 0 };

/// Why a program did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It can't be started.
    #[error("{program} can't be started: {source}")]
    Start {
        /// Which.
        program: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// It ended with an error.
    #[error("{program} failed ({status}): {}", last_line(.stderr))]
    Failed {
        /// Its file name.
        program: String,
        /// "exit status: 1".
        status: String,
        /// A signal ended it, or the disk was full: it may go better next time.
        transient: bool,
        /// The tail of what it said.
        stderr: String,
    },
    /// It stopped moving.
    #[error("{program} made no progress for {} s and was stopped", .after.as_secs())]
    Stalled {
        /// Its file name.
        program: String,
        /// For how long.
        after: Duration,
        /// The tail of what it said.
        stderr: String,
    },
    /// It said too much, or its output can't be read.
    #[error("the output of {program} can't be read: {reason}")]
    Output {
        /// Its file name.
        program: String,
        /// Why.
        reason: String,
    },
}

/// The last line that says something.
#[must_use]
pub fn last_line(text: &str) -> &str {
    text.lines().rev().map(str::trim).find(|l| !l.is_empty()).unwrap_or("it said nothing")
}

/// Which processor time it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// The lowest niceness.
    Low,
    /// Runs only where nothing else wants the processor: a niceness alone lets it hold on for some milliseconds while a
    /// viewer's request waits. Where a system refuses it, the niceness is left.
    Idle,
}

/// How much it may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Without a sign of life.
    pub stall: Duration,
    /// Bytes of standard output.
    pub output: usize,
    /// When it runs.
    pub priority: Priority,
}

impl Default for Limits {
    fn default() -> Self {
        Self { stall: Duration::from_secs(20), output: 1 << 20, priority: Priority::Low }
    }
}

/// What becomes of a line of standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// It goes to the tail that is kept.
    Kept,
    /// Whoever listened has done with it.
    Taken,
}

/// What a program gave.
#[derive(Debug, Clone, Default)]
pub struct Finished {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// The tail of standard error.
    pub stderr: String,
}

/// Runs a program to its end, with nothing to read; `heard` gets each line that it says, trimmed.
///
/// Dropping the future kills it, and so does the death of this process.
pub async fn run(
    program: &Path,
    arguments: &[OsString],
    limits: Limits,
    mut heard: impl FnMut(&str) -> Line + Send,
) -> Result<Finished, ProcessError> {
    let name = program.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let idle = limits.priority == Priority::Idle;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // SAFETY: between fork and exec only async-signal-safe system calls are made, and nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            // An encoder must not outlive its caller, even one that is killed.
            rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
            rustix::process::setpriority_process(None, NICENESS)?;
            if idle {
                libc::sched_setscheduler(0, libc::SCHED_IDLE, &IDLE);
            }
            Ok(())
        });
    }
    let mut child = command.spawn().map_err(|source| ProcessError::Start { program: program.to_owned(), source })?;
    let unread = |reason: &str| ProcessError::Output { program: name.clone(), reason: reason.to_owned() };
    let mut stdout = child.stdout.take().ok_or_else(|| unread("there is no pipe"))?;
    let stderr = child.stderr.take().ok_or_else(|| unread("there is no pipe"))?;
    let mut lines = BufReader::new(stderr).split(b'\n');
    let (mut bytes, mut tail) = (Vec::new(), String::new());
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
                return Err(ProcessError::Stalled { program: name, after: limits.stall, stderr: tail });
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
                if heard(line.trim()) == Line::Kept {
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
        return Err(ProcessError::Failed { program: name, status: status.to_string(), transient, stderr: tail });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Vec<OsString> {
        ["-c", script].iter().map(OsString::from).collect()
    }

    #[tokio::test]
    async fn what_stands_still_is_stopped_and_a_failure_says_why() {
        let limits = Limits { stall: Duration::from_millis(100), output: 100, priority: Priority::Low };
        let kept = |_: &str| Line::Kept;
        let stuck = run(Path::new("/bin/sh"), &shell("exec sleep 60"), limits, kept).await;
        assert!(matches!(stuck, Err(ProcessError::Stalled { .. })), "{stuck:?}");
        let failed = run(Path::new("/bin/sh"), &shell("echo no such film >&2; exit 3"), Limits::default(), kept).await;
        assert!(failed.unwrap_err().to_string().ends_with("no such film"));
        let loud = run(Path::new("/bin/sh"), &shell("yes"), limits, kept).await;
        assert!(matches!(loud, Err(ProcessError::Output { .. })));
        let missing = run(Path::new("/nowhere/ffmpeg"), &[], limits, kept).await;
        assert!(missing.unwrap_err().to_string().contains("/nowhere/ffmpeg"));
    }

    #[tokio::test]
    async fn a_dropped_call_leaves_no_process_and_priority_is_low() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let script = format!("echo $$ > {}; exec sleep 60", file.path().display());
        let (program, script) = (Path::new("/bin/sh"), shell(&script));
        let call = run(program, &script, Limits::default(), |_| Line::Kept);
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
        let nice = run(program, &shell("nice"), Limits::default(), |_| Line::Kept).await.unwrap();
        assert_eq!(nice.stdout, b"19\n");
        let policy = "cut -d' ' -f41 /proc/self/stat";
        for (priority, expected) in [(Priority::Low, libc::SCHED_OTHER), (Priority::Idle, libc::SCHED_IDLE)] {
            let limits = Limits { priority, ..Limits::default() };
            let told = run(program, &shell(policy), limits, |_| Line::Kept).await.unwrap();
            assert_eq!(String::from_utf8_lossy(&told.stdout).trim(), expected.to_string());
        }
    }
}
