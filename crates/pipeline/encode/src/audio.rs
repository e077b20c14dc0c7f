//! `audio`: one language in one layout, as loud as EBU R 128 asks, exactly as long as the picture.
//!
//! Two passes: the first measures loudness and true peak, the second changes the gain once for the whole film, so that
//! its dynamics stay. Only where that would pass the ceiling is a limiter added.

use std::ffi::OsString;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use matinee_engines::objects::TemporaryFile;
use matinee_media::cmaf::track::{Cutting, Source, plan, write};
use matinee_media::mp4::Mp4;
use matinee_media::track::TrackDescription;
use matinee_model::codec::AudioLayout;
use matinee_service::worker::{Done, Handler, TaskError, TaskRun};
use serde::Serialize;

use crate::rendition::AudioTask;
use crate::tool::{FfmpegProgress, ToolError, Tools, arguments, local_master};

/// Integrated loudness, in LUFS. Source: EBU R 128.
const TARGET: f64 = -23.0;
/// The true peak's ceiling, in dBTP. Source: EBU R 128.
const CEILING: f64 = -1.0;
/// What is more silent than this is left as it is, in LUFS: the gate of ITU-R BS.1770.
const SILENT: f64 = -70.0;

/// What the first pass measured, and what was done about it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Loudness {
    /// Integrated, in LUFS; absent where the sound is silent.
    pub integrated: Option<f64>,
    /// In dBTP; absent where the sound is silent.
    pub true_peak: Option<f64>,
    /// In dB.
    pub gain: f64,
    /// Whether peaks had to be held down.
    pub limited: bool,
}

impl Loudness {
    /// From the summary that ffmpeg's `ebur128` ends with.
    fn of(summary: &str) -> Self {
        let last = |name: &str, unit: &str| {
            let line = summary.lines().rev().map(str::trim).find(|l| l.starts_with(name) && l.ends_with(unit))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok().filter(|value| value.is_finite())
        };
        let integrated = last("I:", "LUFS").filter(|loud| *loud > SILENT);
        let true_peak = last("Peak:", "dBFS");
        let gain = integrated.map_or(0.0, |loud| TARGET - loud);
        let limited = integrated.is_some() && true_peak.is_some_and(|peak| peak + gain > CEILING);
        Self { integrated, true_peak, gain, limited }
    }

    fn filter(&self) -> String {
        let limiter = if self.limited {
            let ceiling = 10_f64.powf(CEILING / 20.0);
            format!(",alimiter=level=disabled:limit={ceiling:.4}:attack=5:release=50:latency=1")
        } else {
            String::new()
        };
        format!("volume={:.2}dB:precision=float{limiter}", self.gain)
    }
}

/// The sound of a master on the picture's clock, in this layout.
fn aligned(task: &AudioTask) -> String {
    let layout = if task.description.layout == AudioLayout::Surround { "5.1" } else { "stereo" };
    let (index, start) = (task.source.index, task.start_us as f64 / 1e6);
    let rate = task.description.sample_rate;
    format!(
        "[0:{index}]asetpts=PTS-({start:.6})/TB,aresample={rate}:async=1000:first_pts=0,\
         aformat=channel_layouts={layout}:sample_rates={rate}"
    )
}

fn reading(master: &Path) -> Vec<OsString> {
    let mut all = arguments(["-copyts", "-i"]);
    all.push(master.into());
    all
}

/// Encodes sound.
#[derive(Debug, Clone)]
pub struct AudioHandler {
    tools: Arc<Tools>,
}

impl AudioHandler {
    /// With these programs.
    #[must_use]
    pub fn new(tools: Arc<Tools>) -> Self {
        Self { tools }
    }

    async fn encode(&self, run: &TaskRun) -> Result<Done, TaskError> {
        let task: AudioTask = run.params()?;
        let master = local_master(&run.objects, &task.master).await?;
        let length = task.duration_us.max(1);
        let part = |from: f64, note: &'static str| {
            move |at: &FfmpegProgress| {
                run.progress.set((from + at.out_time_us as f64 / length as f64 / 2.0).min(1.0), note);
            }
        };
        let end = task.duration_us as f64 / 1e6;
        let mut measure = arguments(["-loglevel", "info"]);
        measure.extend(reading(&master.path));
        let graph = format!("{},atrim=end={end:.6},ebur128=peak=true:framelog=quiet[a]", aligned(&task));
        measure.extend(arguments(["-filter_complex", &graph, "-map", "[a]", "-f", "null", "-"]));
        let measured = self.tools.ffmpeg(measure, part(0.0, "measuring loudness")).await;
        let loudness = Loudness::of(&measured.map_err(ToolError::retryable)?.stderr);

        let encoded = TemporaryFile(run.objects.scratch_path("audio.mp4"));
        let mut encode = reading(&master.path);
        let graph = format!("{},{},apad=whole_dur={end:.6},atrim=end={end:.6}[a]", aligned(&task), loudness.filter());
        let rate = format!("{}k", task.kbps);
        encode.extend(arguments(["-filter_complex", &graph, "-map", "[a]", "-c:a", "aac", "-b:a", &rate]));
        encode.extend(arguments(["-map_metadata", "-1", "-f", "mp4"]));
        encode.push(encoded.0.clone().into());
        self.tools.ffmpeg(encode, part(0.5, "encoding")).await.map_err(ToolError::retryable)?;

        let track = TemporaryFile(run.objects.scratch_path("track.mp4"));
        let (from, to, segment) = (encoded.0.clone(), track.0.clone(), task.segment);
        let cut = tokio::task::spawn_blocking(move || cut(&from, &to, segment)).await;
        let failed = |reason: String| TaskError::Retryable { reason, diagnostics: String::new() };
        cut.map_err(|error| failed(error.to_string()))?.map_err(failed)?;
        let stored = run.store_file("track.mp4", &track.0).await?;
        let described = serde_json::to_value(TrackDescription::Audio(task.description));
        let mut result = described.map_err(|error| failed(error.to_string()))?;
        result["loudness"] = serde_json::json!(loudness);
        Ok(Done { result, files: vec![stored], spawn: Vec::new() })
    }
}

/// Cuts what was encoded into a clear CMAF track.
fn cut(from: &Path, to: &Path, segment: (u64, u64)) -> Result<(), String> {
    let file = Mp4::open(File::open(from).map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
    let track = file.tracks().first().ok_or("the encoded sound has no track")?;
    let sources = [Source { file: &file, track }];
    let plan = plan(&sources, &Cutting { seconds: segment, frame_ticks: None }).map_err(|e| e.to_string())?;
    let mut out = BufWriter::new(File::create(to).map_err(|e| e.to_string())?);
    write(&sources, &plan, None, &mut out).map_err(|e| e.to_string())?;
    out.into_inner().map_err(|e| e.to_string())?.sync_all().map_err(|e| e.to_string())
}

#[async_trait]
impl Handler for AudioHandler {
    fn task_type(&self) -> &'static str {
        "audio"
    }

    fn pool(&self) -> &'static str {
        "cpu"
    }

    async fn run(&self, tasks: Vec<TaskRun>) -> Vec<Result<Done, TaskError>> {
        let mut done = Vec::with_capacity(tasks.len());
        for task in tasks {
            done.push(self.encode(&task).await);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read_and_quiet_sound_is_raised() {
        let said = "  Integrated loudness:\n    I:         -31.4 LUFS\n    Threshold: -41.5 LUFS\n\n  True peak:\n    Peak:       -4.2 dBFS\n";
        let loudness = Loudness::of(said);
        assert_eq!((loudness.integrated, loudness.true_peak), (Some(-31.4), Some(-4.2)));
        assert!((loudness.gain - 8.4).abs() < 1e-9);
        assert!(loudness.limited);
    }

    #[test]
    fn silence_stays_as_it_is() {
        let loudness = Loudness::of("    I:         -70.0 LUFS\n    Peak:       -inf dBFS\n");
        assert_eq!(loudness, Loudness { integrated: None, true_peak: None, gain: 0.0, limited: false });
    }
}
