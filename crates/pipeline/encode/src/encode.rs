//! `encode`: one chunk of one rendition, or of several at once: whatever renditions of a chunk are leased together are
//! made by one ffmpeg, which decodes the chunk once.

mod arguments;

pub(crate) use self::arguments::input as reading;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use matinee_engines::objects::TemporaryFile;
use matinee_media::mp4::Mp4;
use matinee_service::worker::{Done, Handler, TaskError, TaskRun};

use crate::rendition::EncodeTask;
use crate::tool::{FfmpegProgress, Tools, local_master};

/// Renditions of a chunk that are made at once, at most.
const AT_ONCE: u32 = 32;

/// Encodes chunks.
#[derive(Debug, Clone)]
pub struct EncodeHandler {
    tools: Arc<Tools>,
}

impl EncodeHandler {
    /// With these programs.
    #[must_use]
    pub fn new(tools: Arc<Tools>) -> Self {
        Self { tools }
    }

    /// Makes all of `tasks`, which are of one chunk.
    async fn chunk(&self, runs: &[&TaskRun], tasks: &[&EncodeTask]) -> Result<Vec<Done>, TaskError> {
        let (Some(run), Some(task)) = (runs.first(), tasks.first()) else { return Ok(Vec::new()) };
        let master = local_master(&run.objects, &task.master).await?;
        let outputs: Vec<TemporaryFile> =
            tasks.iter().map(|_| TemporaryFile(run.objects.scratch_path("chunk.mp4"))).collect();
        let paths: Vec<PathBuf> = outputs.iter().map(|o| o.0.clone()).collect();
        let tell = |at: &FfmpegProgress| {
            let first = tasks[0];
            let done = at.frame * u64::from(first.rendition.every);
            let left = first.frames.saturating_sub(done) as f64 / (at.fps * f64::from(first.rendition.every)).max(0.1);
            for run in runs {
                run.progress.set(done as f64 / first.frames as f64, format!("{:.0} fps, {left:.0} s left", at.fps));
            }
        };
        let called = self.tools.ffmpeg(arguments::encode(&master.path, tasks, &paths), tell).await;
        called.map_err(crate::tool::ToolError::retryable)?;
        let mut done = Vec::with_capacity(tasks.len());
        for ((run, task), output) in runs.iter().zip(tasks).zip(&outputs) {
            let frames = checked(task, output.0.clone()).await?;
            let stored = run.store_file("chunk.mp4", &output.0).await?;
            done.push(Done { result: serde_json::json!({"frames": frames}), files: vec![stored], spawn: Vec::new() });
        }
        Ok(done)
    }
}

/// Frames of a chunk that was made; they must be as many as were asked for.
async fn checked(task: &EncodeTask, path: PathBuf) -> Result<u64, TaskError> {
    let retryable = |reason: String| TaskError::Retryable { reason, diagnostics: String::new() };
    let counted = tokio::task::spawn_blocking(move || -> Result<u64, String> {
        let file = Mp4::open(std::fs::File::open(path).map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
        let track = file.tracks().first().ok_or("it has no track")?;
        let mut frames = 0;
        for sample in file.samples(track) {
            sample.map_err(|e| e.to_string())?;
            frames += 1;
        }
        Ok(frames)
    });
    let found = counted.await.map_err(|e| retryable(e.to_string()))?.map_err(retryable)?;
    let expected = task.frames.div_ceil(u64::from(task.rendition.every));
    if found != expected {
        let (track, first) = (&task.rendition.description.track, task.first_frame);
        return Err(retryable(format!("the chunk of {track} from frame {first} has {found} frames, not {expected}")));
    }
    Ok(found)
}

#[async_trait]
impl Handler for EncodeHandler {
    fn task_type(&self) -> &'static str {
        "encode"
    }

    fn pool(&self) -> &'static str {
        "cpu"
    }

    fn batch(&self) -> u32 {
        AT_ONCE
    }

    async fn run(&self, runs: Vec<TaskRun>) -> Vec<Result<Done, TaskError>> {
        let parsed: Vec<Result<EncodeTask, TaskError>> = runs.iter().map(TaskRun::params).collect();
        let mut ended: Vec<Option<Result<Done, TaskError>>> =
            parsed.iter().map(|p| p.as_ref().err().map(|error| Err(error.clone()))).collect();
        // One affinity is one chunk of one master; what differs all the same is made apart.
        let tasks: Vec<Option<&EncodeTask>> = parsed.iter().map(|p| p.as_ref().ok()).collect();
        let alike = |a: &EncodeTask, b: &EncodeTask| {
            (&a.master, &a.source, a.first_frame, a.frames) == (&b.master, &b.source, b.first_frame, b.frames)
        };
        while let Some(first) = (0..runs.len()).find(|n| ended[*n].is_none()) {
            let members: Vec<usize> = (first..runs.len())
                .filter(|n| ended[*n].is_none() && tasks[*n].zip(tasks[first]).is_some_and(|(a, b)| alike(a, b)))
                .collect();
            let of_chunk: Vec<&EncodeTask> = members.iter().filter_map(|n| tasks[*n]).collect();
            let of_runs: Vec<&TaskRun> = members.iter().map(|n| &runs[*n]).collect();
            match self.chunk(&of_runs, &of_chunk).await {
                Ok(done) => members.iter().zip(done).for_each(|(n, done)| ended[*n] = Some(Ok(done))),
                Err(error) => members.iter().for_each(|n| ended[*n] = Some(Err(error.clone()))),
            }
        }
        ended.into_iter().map(|e| e.unwrap_or(Err(TaskError::Lost))).collect()
    }
}
