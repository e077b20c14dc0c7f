//! `verify`: proves that the packaged tracks are one film, and describes it.
//!
//! Every stored segment is read back and hashed; every rendition must have the same segments at the same instants, as
//! many frames as the others, and sound whose segments begin within one of its frames of the picture's.

use std::ops::Range;

use async_trait::async_trait;
use matinee_contracts::workflow::{Input, OutputFile};
use matinee_media::presentation::{AudioTrack, Presentation, Sheet, SubtitleTrack, Thumbnails, TrackFile, VideoTrack};
use matinee_media::track::{SheetLayout, SubtitleDescription, TrackDescription};
use matinee_service::worker::{Done, Handler, TaskError, TaskRun};
use serde::Deserialize;

use crate::package::Packaged;
use crate::{refused, retryable};

/// Parameters of `verify`.
#[derive(Debug, Deserialize)]
struct Parameters {
    title: String,
}

/// What `measure` says.
#[derive(Debug, Deserialize)]
struct Measured {
    vmaf: f64,
}

/// Verifies packaged films.
#[derive(Debug, Clone, Copy)]
pub struct VerifyHandler;

impl VerifyHandler {
    async fn verify(self, run: &TaskRun) -> Result<Done, TaskError> {
        let Parameters { title } = run.params()?;
        let version: String = run.task.key.chars().take(32).collect();
        let presentation = describe(title, version, &run.task.inputs)?;
        coherent(&presentation).map_err(refused)?;
        let files: Vec<_> = presentation.video.iter().map(|v| (&v.name, &v.file)).collect();
        let files: Vec<_> = files.into_iter().chain(presentation.audio.iter().map(|a| (&a.name, &a.file))).collect();
        for (n, (name, file)) in files.iter().enumerate() {
            run.progress.set(n as f64 / files.len() as f64, format!("reading {name}"));
            whole(run, name, file).await?;
        }
        let text = serde_json::to_vec(&presentation).map_err(retryable)?;
        let object = format!("work/{}/presentation.json", run.task.key);
        let stored = run.objects.put(&object, text.into()).await.map_err(retryable)?;
        let output =
            OutputFile { name: "presentation.json".to_owned(), object, size: stored.size, blake3: stored.blake3 };
        let segments: usize = files.iter().map(|(_, f)| f.segments.len()).sum();
        let result = serde_json::json!({
            "version": presentation.version,
            "duration_us": presentation.duration_us,
            "tracks": files.len(),
            "segments": segments,
        });
        Ok(Done { result, files: vec![output], spawn: Vec::new() })
    }
}

/// The film as its tasks describe it.
fn describe(title: String, version: String, inputs: &[Input]) -> Result<Presentation, TaskError> {
    let (mut video, mut audio, mut subtitles, mut thumbnails) = (Vec::new(), Vec::new(), Vec::new(), None);
    for input in inputs {
        match input.r#type.as_str() {
            "package" => {
                let Packaged { description, codecs, file } = parsed(input)?;
                match description {
                    TrackDescription::Video(v) => video.push(VideoTrack {
                        vmaf: measured(inputs, &v.track)?,
                        name: v.track,
                        codec: v.codec,
                        codecs,
                        width: v.width,
                        height: v.height,
                        frame_rate: v.frame_rate,
                        range: v.range,
                        file,
                    }),
                    TrackDescription::Audio(a) => audio.push(AudioTrack {
                        name: a.track,
                        codecs,
                        language: a.language,
                        label: a.label,
                        layout: a.layout,
                        sample_rate: a.sample_rate,
                        file,
                    }),
                }
            }
            "subtitles" => {
                let d: SubtitleDescription = parsed(input)?;
                let OutputFile { object, size, blake3, .. } = files(input).first().cloned().unwrap_or_default();
                subtitles.push(SubtitleTrack {
                    name: d.track,
                    language: d.language,
                    label: d.label,
                    forced: d.forced,
                    hearing_impaired: d.hearing_impaired,
                    object,
                    size,
                    blake3,
                });
            }
            "thumbnails" => {
                let layout: SheetLayout = parsed(input)?;
                let sheet = |f: &OutputFile| Sheet { object: f.object.clone(), size: f.size, blake3: f.blake3.clone() };
                thumbnails = Some(Thumbnails {
                    interval_us: layout.interval_us,
                    width: layout.width,
                    height: layout.height,
                    columns: layout.columns,
                    rows: layout.rows,
                    count: layout.count,
                    sheets: files(input).iter().map(sheet).collect(),
                });
            }
            _ => {}
        }
    }
    video.sort_by_key(|v| (v.codec, v.height));
    let lengths = video.iter().map(|v| &v.file).chain(audio.iter().map(|a| &a.file));
    let duration_us = lengths.map(|f| f.duration() * 1_000_000 / u64::from(f.timescale.max(1))).max().unwrap_or(0);
    Ok(Presentation { title, version, duration_us, video, audio, subtitles, thumbnails })
}

fn parsed<T: serde::de::DeserializeOwned>(input: &Input) -> Result<T, TaskError> {
    let text = input.outcome.as_ref().map_or("", |o| o.result.as_str());
    serde_json::from_str(text).map_err(|error| refused(format!("input {} is not understood: {error}", input.name)))
}

fn files(input: &Input) -> &[OutputFile] {
    input.outcome.as_ref().map(|o| o.files.as_slice()).unwrap_or_default()
}

fn measured(inputs: &[Input], track: &str) -> Result<Option<f64>, TaskError> {
    let name = format!("measure/{track}");
    let found = inputs.iter().find(|i| i.name == name);
    Ok(found.map(parsed::<Measured>).transpose()?.map(|m| m.vmaf))
}

/// Microseconds of `ticks`, rounded.
fn micros(ticks: u64, file: &TrackFile) -> u64 {
    (ticks * 1_000_000 + u64::from(file.timescale) / 2) / u64::from(file.timescale.max(1))
}

/// Whether all tracks are one film on one grid; says which is not, and where.
fn coherent(film: &Presentation) -> Result<(), String> {
    let Some(first) = film.video.first() else { return Err("there is no picture".to_owned()) };
    for video in &film.video {
        if video.file.segments.len() != first.file.segments.len() {
            let (found, expected) = (video.file.segments.len(), first.file.segments.len());
            return Err(format!("{} has {found} segments, {} has {expected}", video.name, first.name));
        }
        for (n, (segment, expected)) in video.file.segments.iter().zip(&first.file.segments).enumerate() {
            let (at, grid) = (micros(segment.start, &video.file), micros(expected.start, &first.file));
            if at.abs_diff(grid) > 1 {
                return Err(format!("segment {n} of {} starts at {at} µs, {} at {grid} µs", video.name, first.name));
            }
        }
        let (length, expected) =
            (micros(video.file.duration(), &video.file), micros(first.file.duration(), &first.file));
        let frame = 1_000_000.0 / video.frame_rate.as_f64().min(first.frame_rate.as_f64());
        if length.abs_diff(expected) as f64 > frame + 1.0 {
            return Err(format!("{} lasts {length} µs, {} {expected} µs", video.name, first.name));
        }
    }
    for audio in &film.audio {
        let frame = 1_024_000_000 / u64::from(audio.sample_rate.max(1));
        for (n, (segment, picture)) in audio.file.segments.iter().zip(&first.file.segments).enumerate() {
            let (at, grid) = (micros(segment.start, &audio.file), micros(picture.start, &first.file));
            if at.abs_diff(grid) > frame {
                return Err(format!("segment {n} of {} starts at {at} µs, the picture's at {grid} µs", audio.name));
            }
        }
        let (length, picture) =
            (micros(audio.file.duration(), &audio.file), micros(first.file.duration(), &first.file));
        if length.abs_diff(picture) > 2 * frame + 1 {
            return Err(format!("{} lasts {length} µs, the picture {picture} µs", audio.name));
        }
    }
    Ok(())
}

/// Reads a stored track back, in pieces, and compares every hash.
async fn whole(run: &TaskRun, name: &str, file: &TrackFile) -> Result<(), TaskError> {
    let head = 0..file.sidx.offset + file.sidx.size;
    let damaged = |what: String| TaskError::DamagedInput { key: file.output_key.clone(), reason: what };
    let check = async |range: Range<u64>, blake3: &str, what: String| {
        let bytes = run.objects.get_range(&file.object, range).await;
        let bytes = bytes.map_err(|error| damaged(format!("{what}: {error}")))?;
        let found = tokio::task::spawn_blocking(move || blake3::hash(&bytes)).await.map_err(retryable)?;
        if found.to_hex().as_str() == blake3 { Ok(()) } else { Err(damaged(format!("{what}: its hash differs"))) }
    };
    check(head, &file.head_blake3, format!("the head of {name}")).await?;
    for (n, segment) in file.segments.iter().enumerate() {
        let range = segment.offset..segment.offset + u64::from(segment.size);
        check(range, &segment.blake3, format!("segment {n} of {name}")).await?;
    }
    Ok(())
}

#[async_trait]
impl Handler for VerifyHandler {
    fn task_type(&self) -> &'static str {
        "verify"
    }

    fn pool(&self) -> &'static str {
        "light"
    }

    async fn run(&self, tasks: Vec<TaskRun>) -> Vec<Result<Done, TaskError>> {
        let mut done = Vec::with_capacity(tasks.len());
        for task in tasks {
            done.push(self.verify(&task).await);
        }
        done
    }
}
