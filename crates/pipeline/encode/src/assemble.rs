//! `assemble`: all chunks of a rendition into one clear CMAF track, bit by bit, without encoding anything again.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use matinee_contracts::workflow::Input;
use matinee_engines::objects::{LocalFile, ObjectError, TemporaryFile};
use matinee_media::cmaf::track::{Cutting, Source, TrackError, plan, write};
use matinee_media::mp4::Mp4;
use matinee_media::track::TrackDescription;
use matinee_service::worker::{Done, Handler, TaskError, TaskRun};

use crate::rendition::AssembleTask;

/// Joins chunks.
#[derive(Debug, Clone, Copy)]
pub struct AssembleHandler;

/// A chunk on this machine.
struct Chunk {
    local: LocalFile,
    key: String,
    blake3: String,
}

fn refused(reason: impl Into<String>) -> TaskError {
    TaskError::Refused { reason: reason.into(), diagnostics: String::new() }
}

fn retryable(reason: impl ToString) -> TaskError {
    TaskError::Retryable { reason: reason.to_string(), diagnostics: String::new() }
}

impl AssembleHandler {
    async fn assemble(self, run: &TaskRun) -> Result<Done, TaskError> {
        let task: AssembleTask = run.params()?;
        let mut inputs: Vec<&Input> = run.task.inputs.iter().filter(|i| i.r#type == "encode").collect();
        inputs.sort_by(|a, b| a.name.cmp(&b.name));
        let mut chunks = Vec::with_capacity(inputs.len());
        for input in inputs {
            let file = input.outcome.as_ref().and_then(|o| o.files.first());
            let file = file.ok_or_else(|| refused(format!("input {} has no file", input.name)))?;
            let local = run.objects.local_file(&file.object).await.map_err(|error| match error {
                ObjectError::NotFound(_) => {
                    TaskError::DamagedInput { key: input.key.clone(), reason: "it is gone".to_owned() }
                }
                other => retryable(other),
            })?;
            chunks.push(Chunk { local, key: input.key.clone(), blake3: file.blake3.clone() });
        }
        let output = TemporaryFile(run.objects.scratch_path("track.mp4"));
        let (path, description) = (output.0.clone(), task.description.clone());
        let joined = tokio::task::spawn_blocking(move || join(&task, &chunks, &path));
        joined.await.map_err(retryable)??;
        let stored = run.store_file("track.mp4", &output.0).await?;
        let result = serde_json::to_value(TrackDescription::Video(description)).map_err(retryable)?;
        Ok(Done { result, files: vec![stored], spawn: Vec::new() })
    }
}

fn join(task: &AssembleTask, chunks: &[Chunk], output: &Path) -> Result<(), TaskError> {
    let mut files = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        let damaged = |reason: String| TaskError::DamagedInput { key: chunk.key.clone(), reason };
        let mut hasher = blake3::Hasher::new();
        hasher.update_mmap(&chunk.local.path).map_err(|error| damaged(error.to_string()))?;
        if hasher.finalize().to_hex().as_str() != chunk.blake3 {
            return Err(damaged("its hash differs".to_owned()));
        }
        files.push(open(&chunk.local.path).map_err(damaged)?);
    }
    let track = &task.description.track;
    let mut sources = Vec::with_capacity(files.len());
    for file in &files {
        let found = file.tracks().first().ok_or_else(|| refused(format!("a chunk of {track} has no track")))?;
        sources.push(Source { file, track: found });
    }
    let rate = task.description.frame_rate;
    let cutting = Cutting {
        seconds: (u64::from(rate.segment_frames()) * u64::from(rate.den()), u64::from(rate.num())),
        frame_ticks: Some(rate.den()),
    };
    let malformed = |error: TrackError| match error {
        TrackError::Write(error) => retryable(error),
        other => refused(format!("the chunks of {track} can't be joined: {other}")),
    };
    let plan = plan(&sources, &cutting).map_err(malformed)?;
    for (n, (found, expected)) in plan.samples().zip(&task.chunks).enumerate() {
        if found != *expected {
            return Err(refused(format!("chunk {n} of {track} has {found} frames, {expected} were planned")));
        }
    }
    if plan.timescale() != rate.num() || plan.samples().count() != task.chunks.len() {
        let (found, planned) = (plan.samples().count(), task.chunks.len());
        return Err(refused(format!(
            "{track} has {found} chunks at {} ticks a second, {planned} at {} were planned",
            plan.timescale(),
            rate.num()
        )));
    }
    let mut out = BufWriter::new(File::create(output).map_err(retryable)?);
    write(&sources, &plan, None, &mut out).map_err(malformed)?;
    out.into_inner().map_err(|error| retryable(error.error()))?.sync_all().map_err(retryable)
}

fn open(path: &PathBuf) -> Result<Mp4<File>, String> {
    Mp4::open(File::open(path).map_err(|error| error.to_string())?).map_err(|error| error.to_string())
}

#[async_trait]
impl Handler for AssembleHandler {
    fn task_type(&self) -> &'static str {
        "assemble"
    }

    fn pool(&self) -> &'static str {
        "light"
    }

    async fn run(&self, tasks: Vec<TaskRun>) -> Vec<Result<Done, TaskError>> {
        let mut done = Vec::with_capacity(tasks.len());
        for task in tasks {
            done.push(self.assemble(&task).await);
        }
        done
    }
}
