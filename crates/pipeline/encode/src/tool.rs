//! ffmpeg and ffprobe as subprocesses: at low priority, with progress, bounded, and gone with the task that called them.

mod process;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use matinee_engines::objects::{LocalFile, ObjectError, ObjectStorage};
pub use matinee_service::process::Finished;
use matinee_service::process::{Priority, ProcessError, last_line};
use matinee_service::worker::TaskError;

use crate::rendition::MasterFile;

/// Time without any progress after which a subprocess is taken for stuck.
const STALL: Duration = Duration::from_secs(300);
/// Bytes of standard output that are taken.
const MOST_OUTPUT: usize = 64 << 20;

/// Why a tool did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
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

impl From<ProcessError> for ToolError {
    fn from(error: ProcessError) -> Self {
        match error {
            ProcessError::Start { program, source } => Self::Start { program, source },
            ProcessError::Failed { program, status, transient, stderr } => {
                Self::Failed { program, status, transient, stderr }
            }
            ProcessError::Stalled { program, after, stderr } => Self::Stalled { program, after, stderr },
            ProcessError::Output { program, reason } => Self::Output { program, reason },
        }
    }
}

impl ToolError {
    /// The tail of what the tool said.
    #[must_use]
    pub fn stderr(&self) -> &str {
        match self {
            Self::Failed { stderr, .. } | Self::Stalled { stderr, .. } => stderr,
            Self::Start { .. } | Self::Output { .. } => "",
        }
    }

    /// For a task whose input was good when it was inspected: worth trying again.
    #[must_use]
    pub fn retryable(self) -> TaskError {
        TaskError::Retryable { reason: self.to_string(), diagnostics: self.stderr().to_owned() }
    }

    /// For a task that judges its input: what the tool refuses is refused, unless the machine was at fault.
    #[must_use]
    pub fn judged(self, what: &str) -> TaskError {
        match &self {
            Self::Failed { transient: false, stderr, .. } => {
                TaskError::Refused { reason: format!("{what}: {}", last_line(stderr)), diagnostics: stderr.clone() }
            }
            _ => self.retryable(),
        }
    }
}

/// The programs.
#[derive(Debug, Clone)]
pub struct Tools {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    version: String,
}

/// How far ffmpeg is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FfmpegProgress {
    /// Frames written.
    pub frame: u64,
    /// Frames a second.
    pub fps: f64,
    /// Of the output, in microseconds.
    pub out_time_us: u64,
    /// Times real time.
    pub speed: f64,
}

impl Tools {
    /// Asks ffmpeg for its version, and ffprobe whether it is there.
    pub async fn find(ffmpeg: &Path, ffprobe: &Path) -> Result<Self, ToolError> {
        let mut found = Self { ffmpeg: ffmpeg.to_owned(), ffprobe: ffprobe.to_owned(), version: String::new() };
        process::run(&found.ffprobe, &["-version".into()], process::Limits::default(), |_| {}).await?;
        let said = process::run(&found.ffmpeg, &["-version".into()], process::Limits::default(), |_| {}).await?;
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        // "ffmpeg version 9.0.2-static https://… Copyright (c) …"
        let version = text.split_whitespace().nth(2).unwrap_or("unknown");
        found.version = format!("ffmpeg {}", version.split("-http").next().unwrap_or(version));
        Ok(found)
    }

    /// Name and version of ffmpeg.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Name and version of ffmpeg, and of a step that calls it: part of an output's key.
    #[must_use]
    pub fn named(&self, step: &str) -> String {
        format!("{} / {step}", self.version)
    }

    /// Runs ffmpeg at low priority. `arguments` come after the ones that make it quiet.
    ///
    /// Dropping the future kills it.
    pub async fn ffmpeg(
        &self,
        arguments: Vec<OsString>,
        progress: impl FnMut(&FfmpegProgress) + Send,
    ) -> Result<Finished, ToolError> {
        let quiet = ["-hide_banner", "-nostdin", "-nostats", "-y", "-loglevel", "warning", "-progress", "pipe:2"];
        let all: Vec<OsString> = quiet.iter().map(OsString::from).chain(arguments).collect();
        let limits = process::Limits { stall: STALL, output: MOST_OUTPUT, priority: Priority::Idle };
        process::run(&self.ffmpeg, &all, limits, progress).await
    }

    /// Runs ffprobe and gives what it printed.
    pub async fn ffprobe(&self, arguments: Vec<OsString>) -> Result<Finished, ToolError> {
        let limits = process::Limits { stall: STALL, output: MOST_OUTPUT, priority: Priority::Idle };
        process::run(&self.ffprobe, &arguments, limits, |_| {}).await
    }
}

/// Arguments from texts.
#[must_use]
pub fn arguments<const N: usize>(texts: [&str; N]) -> Vec<OsString> {
    texts.iter().map(OsString::from).collect()
}

/// The master as a file that ffmpeg can read.
pub async fn local_master(objects: &ObjectStorage, master: &MasterFile) -> Result<LocalFile, TaskError> {
    let local = objects.local_file(&master.object).await.map_err(|error| match error {
        ObjectError::NotFound(object) => TaskError::Refused {
            reason: format!("the master {object} is gone from the object store"),
            diagnostics: String::new(),
        },
        other => TaskError::Retryable { reason: other.to_string(), diagnostics: String::new() },
    })?;
    let size = tokio::fs::metadata(&local.path).await.map(|m| m.len()).unwrap_or(0);
    if size != master.size {
        let reason =
            format!("the master {} has {size} bytes in the object store, {} were taken in", master.object, master.size);
        return Err(TaskError::Refused { reason, diagnostics: String::new() });
    }
    Ok(local)
}
