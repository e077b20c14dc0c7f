//! `slice`: plans all that is made of an inspected master, and adds it to the workflow.

mod chunks;
mod renditions;

use std::collections::BTreeMap;

use async_trait::async_trait;
use matinee_contracts::workflow::TaskSpec;
use matinee_media::track::{AudioDescription, SubtitleDescription};
use matinee_model::codec::AudioLayout;
use matinee_model::ladder::Ladder;
use matinee_service::worker::{Done, Handler, TaskError, TaskRun};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use self::chunks::{Chunk, chunks};
pub use self::renditions::renditions;
use crate::inspection::{AudioStream, Inspection, VideoStream};
use crate::rendition::{
    AssembleTask, AudioTask, EncodeTask, MasterFile, MeasureTask, SubtitleSource, SubtitleTask, ThumbnailTask,
    VideoRendition,
};

/// Parameters of `slice`.
#[derive(Debug, Deserialize)]
pub struct SliceTask {
    /// The title's id.
    pub title: String,
    /// The master's id.
    pub master: String,
    /// Its file.
    #[serde(flatten)]
    pub file: MasterFile,
    /// Subtitle files that came with it.
    #[serde(default)]
    pub sidecars: Vec<Sidecar>,
    /// What was said of it when it was taken in; `language` is of a sound that does not say its own.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// Which renditions.
    pub ladder: Ladder,
    /// Of a chunk, about.
    pub chunk_seconds: f64,
    /// From one thumbnail to the next.
    pub thumbnail_seconds: f64,
    /// Of the frames whose VMAF is measured, 0 to 1.
    pub vmaf_share: f64,
    /// ffmpeg's name and version.
    pub tool: String,
    /// The packager's.
    pub package_tool: String,
}

/// A subtitle file that came with the master.
#[derive(Debug, Deserialize)]
pub struct Sidecar {
    /// Its key in the object store.
    pub object: String,
    /// As it was called.
    pub file_name: String,
    /// BCP 47, or empty.
    #[serde(default)]
    pub language: String,
    /// For people, or empty.
    #[serde(default)]
    pub label: String,
}

/// Plans films.
#[derive(Debug, Clone, Copy)]
pub struct SliceHandler;

/// All tasks of a film after `slice`, and its chunks.
#[must_use]
pub fn plan(task: &SliceTask, inspection: &Inspection) -> (Vec<TaskSpec>, Vec<Chunk>) {
    let video = VideoStream { shots: Vec::new(), ..inspection.video.clone() };
    let rate = video.frame_rate;
    let grid = u64::from(rate.segment_frames());
    let target = (task.chunk_seconds * rate.as_f64()).max(1.0) as u64;
    let cut = chunks(video.frames, grid, target, &inspection.video.shots);
    let segment = (grid * u64::from(rate.den()), u64::from(rate.num()));
    let mut planner = Planner { task, tasks: Vec::new(), verified: Vec::new(), names: BTreeMap::new() };
    for rendition in renditions(&video, &task.ladder) {
        planner.rendition(&video, rendition, &cut, segment);
    }
    planner.sound(inspection, segment);
    planner.subtitles(inspection);
    let thumbnails = ThumbnailTask {
        master: task.file.clone(),
        source: video,
        interval_us: (task.thumbnail_seconds.max(1.0) * 1e6) as u64,
        duration_us: inspection.duration_us,
    };
    planner.add("thumbnails", "thumbnails", "cpu", &["inspect"], &thumbnails, 5);
    planner.verified.push("thumbnails".to_owned());
    let verified = std::mem::take(&mut planner.verified);
    let verified: Vec<&str> = verified.iter().map(String::as_str).collect();
    planner.add("verify", "verify", "light", &verified, &json!({"title": task.title}), 0);
    planner.add("publish", "publish", "light", &["verify"], &json!({"title": task.title, "master": task.master}), 0);
    (planner.tasks, cut)
}

struct Planner<'a> {
    task: &'a SliceTask,
    tasks: Vec<TaskSpec>,
    verified: Vec<String>,
    names: BTreeMap<String, u32>,
}

impl Planner<'_> {
    fn add(&mut self, name: &str, kind: &str, pool: &str, needs: &[&str], params: &impl Serialize, rank: i32) {
        let packaging = matches!(kind, "package" | "verify" | "publish");
        let tool = if packaging { self.task.package_tool.clone() } else { format!("{} / {kind} 1", self.task.tool) };
        self.tasks.push(TaskSpec {
            name: name.to_owned(),
            r#type: kind.to_owned(),
            // Plain data of ours: it always becomes JSON.
            params: serde_json::to_string(params).unwrap_or_default(),
            depends_on: needs.iter().map(|n| (*n).to_owned()).collect(),
            pool: pool.to_owned(),
            tool,
            rank,
            ..TaskSpec::default()
        });
    }

    /// A track's name, told from one that is there already by a number.
    fn named(&mut self, name: String) -> String {
        let count = self.names.entry(name.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { name } else { format!("{name}-{count}") }
    }

    fn package(&mut self, track: &str, from: &str, segment: (u64, u64)) {
        let name = format!("package/{track}");
        let params = json!({"title": self.task.title, "segment": segment});
        self.add(&name, "package", "light", &[from], &params, 0);
        self.verified.push(name);
    }

    fn rendition(&mut self, source: &VideoStream, rendition: VideoRendition, cut: &[Chunk], segment: (u64, u64)) {
        let track = rendition.description.track.clone();
        let mut parts = Vec::with_capacity(cut.len());
        for (n, chunk) in cut.iter().enumerate() {
            let name = format!("encode/{track}/{n:05}");
            let params = EncodeTask {
                master: self.task.file.clone(),
                source: source.clone(),
                rendition: rendition.clone(),
                first_frame: chunk.first,
                frames: chunk.frames,
            };
            self.add(&name, "encode", "cpu", &["inspect"], &params, 0);
            if let Some(added) = self.tasks.last_mut() {
                let master: String = self.task.file.blake3.chars().take(16).collect();
                added.affinity = format!("{master}/{n:05}");
            }
            parts.push(name);
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let every = u64::from(rendition.every);
        let frames = cut.iter().map(|c| c.frames.div_ceil(every)).collect();
        let assembled = format!("assemble/{track}");
        let params = AssembleTask { description: rendition.description.clone(), chunks: frames };
        self.add(&assembled, "assemble", "light", &parts, &params, 0);
        self.package(&track, &assembled, segment);
        if self.task.vmaf_share > 0.0 {
            let (name, share) = (format!("measure/{track}"), self.task.vmaf_share);
            let params = MeasureTask { master: self.task.file.clone(), source: source.clone(), rendition, share };
            self.add(&name, "measure", "cpu", &[&assembled], &params, 10);
            self.verified.push(name);
        }
    }

    fn sound(&mut self, inspection: &Inspection, segment: (u64, u64)) {
        let told = self.task.metadata.get("language").map(|l| crate::inspect::language::bcp47(l));
        for (n, source) in inspection.audio.iter().enumerate() {
            let mut source = source.clone();
            if let Some(told) = told.as_ref().filter(|_| n == 0 && source.language == "und") {
                source.language.clone_from(told);
            }
            for rung in &self.task.ladder.audio {
                if rung.layout == AudioLayout::Surround && source.channels < 6 {
                    continue;
                }
                let track =
                    self.named(format!("audio-{}-{}", source.language.to_ascii_lowercase(), rung.layout.name()));
                let params = AudioTask {
                    master: self.task.file.clone(),
                    source: source.clone(),
                    description: AudioDescription {
                        track: track.clone(),
                        language: source.language.clone(),
                        label: label(&source, rung.layout),
                        layout: rung.layout,
                        sample_rate: 48_000,
                    },
                    kbps: rung.kbps,
                    start_us: inspection.video.start_us,
                    duration_us: inspection.duration_us,
                    segment,
                };
                let name = format!("audio/{track}");
                self.add(&name, "audio", "cpu", &["inspect"], &params, 0);
                self.package(&track, &name, segment);
            }
        }
    }

    fn subtitles(&mut self, inspection: &Inspection) {
        let mut all = Vec::new();
        for stream in &inspection.subtitles {
            let (language, title) = (stream.language.clone(), stream.title.clone());
            let source = SubtitleSource::Master {
                master: self.task.file.clone(),
                stream: stream.clone(),
                start_us: inspection.video.start_us,
            };
            all.push((source, language, title, stream.forced, stream.hearing_impaired));
        }
        for sidecar in &self.task.sidecars {
            let language = crate::inspect::language::bcp47(&sidecar.language);
            let (object, file_name) = (sidecar.object.clone(), sidecar.file_name.clone());
            all.push((SubtitleSource::Sidecar { object, file_name }, language, sidecar.label.clone(), false, false));
        }
        for (source, language, label, forced, hearing_impaired) in all {
            let track = self.named(format!("subs-{}", language.to_ascii_lowercase()));
            let label = if label.is_empty() { language.clone() } else { label };
            let description = SubtitleDescription { track: track.clone(), language, label, forced, hearing_impaired };
            let name = format!("subtitles/{track}");
            self.add(&name, "subtitles", "light", &["inspect"], &SubtitleTask { source, description }, 0);
            self.verified.push(name);
        }
    }
}

fn label(source: &AudioStream, layout: AudioLayout) -> String {
    let name = if source.title.is_empty() { source.language.as_str() } else { source.title.as_str() };
    if layout == AudioLayout::Surround { format!("{name} 5.1") } else { name.to_owned() }
}

#[async_trait]
impl Handler for SliceHandler {
    fn task_type(&self) -> &'static str {
        "slice"
    }

    fn pool(&self) -> &'static str {
        "light"
    }

    async fn run(&self, tasks: Vec<TaskRun>) -> Vec<Result<Done, TaskError>> {
        tasks.iter().map(slice).collect()
    }
}

fn slice(run: &TaskRun) -> Result<Done, TaskError> {
    let task: SliceTask = run.params()?;
    let refused = |reason: String| TaskError::Refused { reason, diagnostics: String::new() };
    let input = run.task.inputs.iter().find(|i| i.name == "inspect").and_then(|i| i.outcome.as_ref());
    let report = input.ok_or_else(|| refused("the inspection is missing".to_owned()))?;
    let inspection: Inspection =
        serde_json::from_str(&report.result).map_err(|e| refused(format!("the inspection is not understood: {e}")))?;
    let (spawn, cut) = plan(&task, &inspection);
    let renditions = spawn.iter().filter(|t| t.r#type == "assemble").count();
    Ok(Done { result: json!({"chunks": cut, "renditions": renditions}), files: Vec::new(), spawn })
}
