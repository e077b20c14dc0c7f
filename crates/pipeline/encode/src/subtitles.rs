//! `subtitles`: one language, from the master or from a file beside it, as one WebVTT file on the picture's clock.

use std::sync::Arc;

use async_trait::async_trait;
use matinee_engines::objects::ObjectError;
use matinee_media::subtitles::{Parsed, parse, write};
use matinee_service::worker::{Done, Handler, TaskError, TaskRun};
use serde_json::json;

use crate::rendition::{SubtitleSource, SubtitleTask};
use crate::tool::{Tools, arguments, local_master};

/// Broken cues that are listed, at most.
const MOST_BROKEN: usize = 100;
/// The largest file that is taken, in bytes.
const MOST_BYTES: u64 = 16 << 20;

/// Makes subtitles.
#[derive(Debug, Clone)]
pub struct SubtitleHandler {
    tools: Arc<Tools>,
}

fn refused(reason: String) -> TaskError {
    TaskError::Refused { reason, diagnostics: String::new() }
}

fn retryable(reason: impl ToString) -> TaskError {
    TaskError::Retryable { reason: reason.to_string(), diagnostics: String::new() }
}

impl SubtitleHandler {
    /// With these programs.
    #[must_use]
    pub fn new(tools: Arc<Tools>) -> Self {
        Self { tools }
    }

    async fn make(&self, run: &TaskRun) -> Result<Done, TaskError> {
        let task: SubtitleTask = run.params()?;
        let parsed = match &task.source {
            SubtitleSource::Master { master, stream, start_us } => {
                let local = local_master(&run.objects, master).await?;
                let mut all = arguments(["-copyts", "-i"]);
                all.push(local.path.clone().into());
                let map = format!("0:{}", stream.index);
                all.extend(arguments(["-map", &map, "-c:s", "webvtt", "-f", "webvtt", "-"]));
                let what = format!("the subtitles in stream {}", stream.index);
                let made = self.tools.ffmpeg(all, |_| {}).await.map_err(|error| error.judged(&what))?;
                let mut parsed = understood(&made.stdout, &what)?;
                shift(&mut parsed, *start_us);
                parsed
            }
            SubtitleSource::Sidecar { object, file_name } => {
                let gone = |error: ObjectError| match error {
                    ObjectError::NotFound(_) => refused(format!("{file_name} is gone from the object store")),
                    other => retryable(other),
                };
                let size = run.objects.size(object).await.map_err(gone)?.unwrap_or(0);
                if size > MOST_BYTES {
                    return Err(refused(format!("{file_name} has {size} bytes, subtitles have {MOST_BYTES} at most")));
                }
                understood(&run.objects.get(object).await.map_err(gone)?, file_name)?
            }
        };
        let object = format!("work/{}/subs.vtt", run.task.key);
        let stored = run.objects.put(&object, write(&parsed.cues).into()).await.map_err(retryable)?;
        let file = matinee_contracts::workflow::OutputFile {
            name: "subs.vtt".to_owned(),
            object,
            size: stored.size,
            blake3: stored.blake3,
        };
        let mut result = serde_json::to_value(&task.description).map_err(retryable)?;
        let broken = parsed.broken.iter().take(MOST_BROKEN);
        result["cues"] = json!(parsed.cues.len());
        result["broken"] = broken.map(|b| json!({"line": b.line, "reason": b.reason})).collect();
        Ok(Done { result, files: vec![file], spawn: Vec::new() })
    }
}

fn understood(bytes: &[u8], what: &str) -> Result<Parsed, TaskError> {
    parse(bytes).map_err(|error| refused(format!("{what}: {error}")))
}

/// From the container's clock to the picture's. What ends before the picture starts is left out.
fn shift(parsed: &mut Parsed, start_us: i64) {
    for cue in &mut parsed.cues {
        cue.start_us = cue.start_us.saturating_add_signed(start_us.saturating_neg());
        cue.end_us = cue.end_us.saturating_add_signed(start_us.saturating_neg());
    }
    parsed.cues.retain(|cue| cue.end_us > cue.start_us);
}

#[async_trait]
impl Handler for SubtitleHandler {
    fn task_type(&self) -> &'static str {
        "subtitles"
    }

    fn pool(&self) -> &'static str {
        "light"
    }

    async fn run(&self, tasks: Vec<TaskRun>) -> Vec<Result<Done, TaskError>> {
        let mut done = Vec::with_capacity(tasks.len());
        for task in tasks {
            done.push(self.make(&task).await);
        }
        done
    }
}
