//! `measure`: the VMAF of a rendition against its master, on windows of one closed group of pictures, spread evenly.
//!
//! Source: Z. Li et al., "VMAF: The Journey Continues" (Netflix, 2018).

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use matinee_engines::objects::{ObjectError, TemporaryFile};
use matinee_media::track::VideoDescription;
use matinee_service::worker::{Done, Handler, TaskError, TaskRun};
use serde::Deserialize;

use crate::encode::reading;
use crate::picture::{frames, keep_hdr, keeps_range, to_sdr};
use crate::rendition::MeasureTask;
use crate::tool::{ToolError, Tools, arguments, local_master};

/// Pictures are compared at this height at most: what the model was trained for.
const MOST_LINES: u32 = 1080;

#[derive(Deserialize)]
struct Log {
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
struct Frame {
    metrics: Metrics,
}

#[derive(Deserialize)]
struct Metrics {
    vmaf: f64,
}

/// Measures renditions.
#[derive(Debug, Clone)]
pub struct MeasureHandler {
    tools: Arc<Tools>,
}

/// First frames (at the master's rate) of the windows that are measured: `share` of all groups of `gop` frames.
#[must_use]
pub fn windows(frames: u64, gop: u64, share: f64) -> Vec<u64> {
    let gop = gop.max(1);
    let groups = frames.div_ceil(gop).max(1);
    let count = ((groups as f64 * share.clamp(0.0, 1.0)).round() as u64).clamp(1, groups);
    // Each in the middle of its part of the film: the first frames are seldom like the others.
    (0..count).map(|n| (n * groups + groups / 2) / count * gop).collect()
}

fn retryable(reason: impl ToString) -> TaskError {
    TaskError::Retryable { reason: reason.to_string(), diagnostics: String::new() }
}

/// The size at which a rendition is compared.
fn compared(task: &MeasureTask) -> (u32, u32) {
    let (width, height) = (task.source.display_width, task.source.display_height);
    if height <= MOST_LINES {
        return (width, height);
    }
    ((u64::from(width) * u64::from(MOST_LINES) / u64::from(height) / 2 * 2) as u32, MOST_LINES)
}

fn graph(task: &MeasureTask, first: u64, count: u64, log: &Path) -> String {
    let (width, height) = compared(task);
    let rendition: &VideoDescription = &task.rendition.description;
    let every = u64::from(task.rendition.every);
    let keeps = keeps_range(&task.source, &task.rendition);
    let reference =
        if keeps { keep_hdr(&task.source, width, height) } else { to_sdr(&task.source, width, height, "yuv420p") };
    let format = if keeps { "yuv420p10le" } else { "yuv420p" };
    let halved = if every > 1 { format!("framestep={every},") } else { String::new() };
    let rate = rendition.frame_rate.as_f64();
    let from = (first / every) as f64 - 0.5;
    let to = from + count.div_ceil(every) as f64;
    format!(
        "[0:{}]{},{halved}{reference},settb=AVTB,setpts=N/{rate}/TB[r];\
         [1:0]trim=start={:.6}:end={:.6},scale={width}:{height}:flags=bicubic,format={format},setsar=1,settb=AVTB,\
         setpts=N/{rate}/TB[d];[d][r]libvmaf=log_fmt=json:n_threads=1:log_path={}",
        task.source.index,
        frames(&task.source, first, count),
        from / rate,
        to / rate,
        log.display(),
    )
}

impl MeasureHandler {
    /// With these programs.
    #[must_use]
    pub fn new(tools: Arc<Tools>) -> Self {
        Self { tools }
    }

    async fn measure(&self, run: &TaskRun) -> Result<Done, TaskError> {
        let task: MeasureTask = run.params()?;
        let master = local_master(&run.objects, &task.master).await?;
        let input = run.task.inputs.iter().find(|i| i.r#type == "assemble");
        let input = input.ok_or_else(|| retryable("the assembled rendition is missing"))?;
        let file = input.outcome.as_ref().and_then(|o| o.files.first());
        let file = file.ok_or_else(|| retryable("the assembled rendition has no file"))?;
        let track = run.objects.local_file(&file.object).await.map_err(|error| match error {
            ObjectError::NotFound(_) => {
                TaskError::DamagedInput { key: input.key.clone(), reason: "it is gone".to_owned() }
            }
            other => retryable(other),
        })?;
        let gop = u64::from(task.source.frame_rate.gop_frames());
        let windows = windows(task.source.frames, gop, task.share);
        let mut scores = Vec::new();
        for (n, first) in windows.iter().enumerate() {
            run.progress.set(n as f64 / windows.len() as f64, format!("window {} of {}", n + 1, windows.len()));
            let count = gop.min(task.source.frames - first);
            let log = TemporaryFile(run.objects.scratch_path("vmaf.json"));
            let mut all = reading(&master.path, &task.source, *first);
            let at = task.source.frame_rate.seconds_at(*first);
            if *first > 0 {
                all.extend(arguments(["-noaccurate_seek", "-ss", &format!("{at:.6}")]));
            }
            all.push("-i".into());
            all.push(track.path.clone().into());
            let graph = graph(&task, *first, count, &log.0);
            all.extend(arguments(["-filter_complex", &graph, "-an", "-f", "null", "-"]));
            self.tools.ffmpeg(all, |_| {}).await.map_err(ToolError::retryable)?;
            let text = tokio::fs::read(&log.0).await.map_err(retryable)?;
            let read: Log = serde_json::from_slice(&text).map_err(retryable)?;
            scores.extend(read.frames.iter().map(|f| f.metrics.vmaf));
        }
        if scores.is_empty() {
            return Err(retryable(format!("no frame of {} could be compared", task.rendition.description.track)));
        }
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        let minimum = scores.iter().copied().fold(f64::INFINITY, f64::min);
        let result = serde_json::json!({"vmaf": mean, "minimum": minimum, "frames": scores.len()});
        Ok(Done { result, files: Vec::new(), spawn: Vec::new() })
    }
}

#[async_trait]
impl Handler for MeasureHandler {
    fn task_type(&self) -> &'static str {
        "measure"
    }

    fn pool(&self) -> &'static str {
        "cpu"
    }

    async fn run(&self, tasks: Vec<TaskRun>) -> Vec<Result<Done, TaskError>> {
        let mut done = Vec::with_capacity(tasks.len());
        for task in tasks {
            done.push(self.measure(&task).await);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::windows;

    #[test]
    fn windows_are_spread_over_the_film_and_never_outside() {
        assert_eq!(windows(1, 48, 0.1), [0]);
        assert_eq!(windows(480, 48, 1.0), (0..10).map(|n| n * 48).collect::<Vec<_>>());
        for (frames, share) in [(1000, 0.1), (100_000, 0.01), (49, 1.0), (48, 0.0)] {
            let made = windows(frames, 48, share);
            assert!(made.iter().all(|w| *w < frames) && made.is_sorted_by(|a, b| a < b), "{frames} {share}: {made:?}");
        }
    }
}
