//! `inspect`: what a master is, and whether all of it decodes. What can't become a right stream is refused here, in words
//! that say what is wrong and where.

mod decode;
pub(crate) mod language;
mod probe;
mod rate;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use matinee_model::codec::VideoRange;
use matinee_service::worker::{Done, Handler, Progress, TaskError, TaskRun};
use serde::Deserialize;

use self::decode::Decoded;
use self::probe::{Packets, Probe, Stream};
use self::rate::Rate;
use crate::inspection::{AudioStream, Color, Inspection, Scan, TextStream, VideoStream};
use crate::rendition::MasterFile;
use crate::tool::{ToolError, Tools, local_master};

/// Frames in a thousand that may fail to decode before a master is refused.
const BAD_FRAMES: u64 = 10;
/// Pixels of a side that are taken.
const MOST_PIXELS: u32 = 8192;
/// Text subtitles that can become WebVTT.
const TEXT: [&str; 7] = ["subrip", "srt", "mov_text", "ass", "ssa", "webvtt", "text"];

/// Inspects masters.
#[derive(Debug, Clone)]
pub struct InspectHandler {
    tools: Arc<Tools>,
}

#[derive(Debug, Deserialize)]
struct Parameters {
    #[serde(flatten)]
    master: MasterFile,
    file_name: String,
}

fn refused(reason: impl Into<String>) -> TaskError {
    TaskError::Refused { reason: reason.into(), diagnostics: String::new() }
}

impl InspectHandler {
    /// With these programs.
    #[must_use]
    pub fn new(tools: Arc<Tools>) -> Self {
        Self { tools }
    }

    async fn inspect(&self, run: &TaskRun) -> Result<Done, TaskError> {
        let Parameters { master, file_name } = run.params()?;
        if master.size == 0 {
            return Err(refused(format!("{file_name} is empty: it has 0 bytes")));
        }
        let local = local_master(&run.objects, &master).await?;
        let inspection = inspect_file(&self.tools, &local.path, &file_name, master.size, &run.progress).await?;
        let result = serde_json::to_value(&inspection).map_err(|error| refused(error.to_string()))?;
        Ok(Done { result, ..Done::default() })
    }
}

/// Inspects a file of `size` bytes, called `name` in messages.
pub async fn inspect_file(
    tools: &Tools,
    file: &Path,
    name: &str,
    size: u64,
    progress: &Progress,
) -> Result<Inspection, TaskError> {
    progress.set(0.0, "reading its head");
    let probe = match probe::probe(tools, file).await {
        Ok(probe) => probe,
        Err(error) => return Err(unreadable(file, name, error).await),
    };
    let picture = picture_of(&probe, file, name).await?;
    let (packets, complaints) = probe::packets(tools, file, picture.index)
        .await
        .map_err(|error| error.judged(&format!("{name} can't be read")))?;
    whole(&probe, picture, &packets, &complaints, name)?;
    let ticks =
        picture.time_base.split_once('/').and_then(|(n, d)| Some((n.parse::<f64>().ok()?, d.parse::<f64>().ok()?)));
    let tick_us = ticks.map_or(1.0, |(n, d)| n * 1e6 / d.max(1.0));
    let stated = [picture.r_frame_rate.as_str(), picture.avg_frame_rate.as_str()];
    let Some(rate) = rate::rate(&packets.times_us, packets.last_duration_us, &stated, tick_us) else {
        return Err(refused(format!("{name} has a frame rate ({}) outside of 1 to 240", picture.avg_frame_rate)));
    };
    let seconds = rate.rate.seconds_at(rate.frames);
    let sound: Vec<&Stream> = probe.streams.iter().filter(|s| s.codec_type == "audio").collect();
    let sound_indices: Vec<u32> = sound.iter().map(|s| s.index).collect();
    let start = packets.times_us.first().copied().unwrap_or(0);
    let decoded = decode::decode(tools, file, picture.index, &sound_indices, |at| {
        let done = (at.out_time_us as i64 - start) as f64 / 1e6 / seconds.max(0.001);
        progress.set(done * 0.95, format!("decoding, {:.0} times as fast as it plays", at.speed));
    });
    let decoded = decoded.await.map_err(|error| error.judged(&format!("{name} can't be decoded")))?;
    let mut warnings = missing_frames(&packets, &decoded, name)?;
    progress.set(0.97, "looking for fields");
    let scan = match picture.field_order.as_str() {
        "progressive" => Scan::Progressive,
        _ => decode::scan(tools, file, picture.index, seconds).await.map_err(ToolError::retryable)?,
    };
    let video = video_stream(picture, rate, scan, &packets, &decoded, name)?;
    warnings.extend(unusual(&video, &probe));
    Ok(Inspection {
        container: probe.format.format_name.clone(),
        size,
        duration_us: (seconds * 1e6).round() as u64,
        audio: sound.into_iter().filter(|s| s.channels > 0).map(|s| audio_stream(s, video.start_us)).collect(),
        subtitles: probe.streams.iter().filter(|s| is_text(s)).map(text_stream).collect(),
        video,
        warnings,
    })
}

/// Why ffprobe could not read a file, for its operator.
async fn unreadable(file: &Path, name: &str, error: ToolError) -> TaskError {
    let said = error.stderr().to_owned();
    let reason = if is_prose(file).await {
        format!("{name} is text, not a film")
    } else if said.contains("moov atom not found") && has_boxes(file).await {
        format!("{name} has no moov box, the index of an MP4: the file was cut off, or its recording never ended")
    } else if matches!(error, ToolError::Failed { transient: false, .. }) {
        format!("{name} is not a film that can be read: no container that ffprobe knows begins in its first bytes")
    } else {
        return error.retryable();
    };
    TaskError::Refused { reason, diagnostics: said }
}

/// Whether a file begins as an MP4 does. ffprobe goes by the name's ending where it knows nothing better.
async fn has_boxes(file: &Path) -> bool {
    use tokio::io::AsyncReadExt;
    let mut head = [0; 8];
    let Ok(mut opened) = tokio::fs::File::open(file).await else { return false };
    let known = [b"ftyp", b"mdat", b"free", b"wide", b"skip", b"styp", b"moof"];
    opened.read_exact(&mut head).await.is_ok() && known.iter().any(|code| head[4..] == code[..])
}

/// Whether a file begins with nothing but text.
async fn is_prose(file: &Path) -> bool {
    use tokio::io::AsyncReadExt;
    let mut head = Vec::new();
    let Ok(opened) = tokio::fs::File::open(file).await else { return false };
    if opened.take(4096).read_to_end(&mut head).await.is_err() || head.is_empty() {
        return false;
    }
    let valid = match std::str::from_utf8(&head) {
        Ok(text) => text,
        // A character may be cut by the end of what was read.
        Err(error) if head.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or("")
        }
        Err(_) => return false,
    };
    !valid.is_empty() && valid.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

/// The stream that is encoded.
async fn picture_of<'a>(probe: &'a Probe, file: &Path, name: &str) -> Result<&'a Stream, TaskError> {
    let pictures = || probe.streams.iter().filter(|s| s.codec_type == "video" && s.disposition.attached_pic == 0);
    let Some(picture) = pictures().find(|s| s.disposition.default == 1).or_else(|| pictures().next()) else {
        if probe.streams.iter().any(|s| s.codec_type == "audio") {
            return Err(refused(format!("{name} has sound but no picture")));
        }
        let text = is_prose(file).await;
        return Err(refused(if text {
            format!("{name} is text, not a film")
        } else {
            format!("{name} has no picture")
        }));
    };
    if picture.codec_name.is_empty() || picture.width == 0 || picture.height == 0 {
        return Err(refused(format!(
            "the picture of {name} (stream {}) is of a codec that can't be decoded",
            picture.index
        )));
    }
    if picture.width.max(picture.height) > MOST_PIXELS || picture.width.min(picture.height) < 16 {
        let (width, height) = (picture.width, picture.height);
        return Err(refused(format!(
            "the picture of {name} has {width}×{height} pixels; 16 to {MOST_PIXELS} a side are taken"
        )));
    }
    Ok(picture)
}

/// Refuses a file whose picture ends before its index says.
fn whole(probe: &Probe, picture: &Stream, packets: &Packets, said: &str, name: &str) -> Result<(), TaskError> {
    let (Some(first), Some(last)) = (packets.times_us.first(), packets.times_us.last()) else {
        if packets.timeless > 0 {
            return Err(refused(format!(
                "the frames of {name} have no times: put it into a container such as MP4 or Matroska"
            )));
        }
        let reason =
            format!("{name} has a picture (stream {}) without a single frame: the file is cut off", picture.index);
        return Err(TaskError::Refused { reason, diagnostics: said.to_owned() });
    };
    let promised = picture.seconds().or_else(|| probe.format.duration.as_deref().and_then(|d| d.parse().ok()));
    // Matroska counts a length from its clock's zero, others from the first frame.
    let zero = if probe.format.format_name.contains("matroska") { 0.min(*first) } else { *first };
    let there = (last - zero + packets.last_duration_us) as f64 / 1e6;
    // A container's length may include sound that goes on for a little.
    let own = picture.seconds().is_some();
    let slack = if own { (promised.unwrap_or(0.0) * 0.005).max(0.5) } else { f64::MAX };
    if let Some(promised) = promised.filter(|promised| promised - there > slack) {
        let reason = format!("{name} is cut off: its picture ends at {there:.2} s, its index promises {promised:.2} s");
        return Err(TaskError::Refused { reason, diagnostics: said.to_owned() });
    }
    if said.contains("partial file") || said.contains("File ended prematurely") {
        let reason = format!("{name} is cut off: its bytes end within a frame, at {there:.2} s");
        return Err(TaskError::Refused { reason, diagnostics: said.to_owned() });
    }
    Ok(())
}

/// Which frames did not decode: a few are a warning, more are a refusal.
fn missing_frames(packets: &Packets, decoded: &Decoded, name: &str) -> Result<Vec<String>, TaskError> {
    let came: std::collections::HashSet<i64> = decoded.times_us.iter().copied().collect();
    let near = |time: &i64| (-2..=2).any(|shift| came.contains(&(time + shift)));
    let missing: Vec<i64> = packets.times_us.iter().copied().filter(|time| !near(time)).collect();
    // The second field of a frame may be a packet of its own, and it has no frame of its own.
    let expected = packets.times_us.len().min(decoded.times_us.len() + missing.len()) as u64;
    let start = packets.times_us.first().copied().unwrap_or(0);
    let Some(first) = missing.first() else {
        return Ok(decoded.complaints.lines().take(3).map(|l| format!("a decoder complained: {l}")).collect());
    };
    let at = (first - start) as f64 / 1e6;
    let count = missing.len() as u64;
    if decoded.times_us.is_empty() || count * 1000 > expected * BAD_FRAMES {
        let reason = format!("{name} is damaged: {count} of {expected} frames do not decode, the first at {at:.2} s");
        return Err(TaskError::Refused { reason, diagnostics: decoded.complaints.clone() });
    }
    Ok(vec![format!(
        "{count} of {expected} frames do not decode, the first at {at:.2} s; the frame before stands in for each"
    )])
}

fn video_stream(
    picture: &Stream,
    rate: Rate,
    scan: Scan,
    packets: &Packets,
    decoded: &Decoded,
    name: &str,
) -> Result<VideoStream, TaskError> {
    let turned = picture.side_data_list.iter().find_map(|s| s.rotation).unwrap_or(0.0);
    if turned.rem_euclid(90.0) > 0.5 && turned.rem_euclid(90.0) < 89.5 {
        return Err(refused(format!("the picture of {name} is turned by {turned} degrees; multiples of 90 are taken")));
    }
    let rotation = ((-turned / 90.0).round() as i64).rem_euclid(4) as u32 * 90;
    let (aspect_num, aspect_den) = aspect(&picture.sample_aspect_ratio);
    let wide = (f64::from(picture.width) * f64::from(aspect_num) / f64::from(aspect_den)).round();
    if !(16.0..=f64::from(4 * MOST_PIXELS)).contains(&wide) {
        return Err(refused(format!(
            "the pixels of {name} have the shape {aspect_num}:{aspect_den}, which no screen shows"
        )));
    }
    let (upright_width, upright_height) = (wide as u32, picture.height);
    let (display_width, display_height) =
        if rotation.is_multiple_of(180) { (upright_width, upright_height) } else { (upright_height, upright_width) };
    let start_us = packets.times_us.first().copied().unwrap_or(0);
    let frame_at = |time: &i64| ((time - start_us) as f64 * rate.rate.as_f64() / 1e6).round() as u64;
    let mut shots: Vec<u64> = decoded.shots_us.iter().map(frame_at).filter(|f| *f > 0 && *f < rate.frames).collect();
    shots.dedup();
    let known = |text: &str| if text == "unknown" || text == "reserved" { String::new() } else { text.to_owned() };
    Ok(VideoStream {
        index: picture.index,
        codec: picture.codec_name.clone(),
        profile: known(&picture.profile),
        width: picture.width,
        height: picture.height,
        sample_aspect: (aspect_num, aspect_den),
        rotation,
        display_width: even(display_width),
        display_height: even(display_height),
        pixel_format: picture.pix_fmt.clone(),
        bits: bits(picture),
        range: match picture.color_transfer.as_str() {
            "smpte2084" => VideoRange::Pq,
            "arib-std-b67" => VideoRange::Hlg,
            _ => VideoRange::Sdr,
        },
        color: Color {
            primaries: known(&picture.color_primaries),
            transfer: known(&picture.color_transfer),
            space: known(&picture.color_space),
            range: known(&picture.color_range),
            max_cll: picture.side_data_list.iter().find_map(|s| s.max_content),
        },
        frame_rate: rate.rate,
        variable: rate.variable,
        scan,
        start_us,
        decoded_frames: decoded.times_us.len() as u64,
        frames: rate.frames,
        shots,
    })
}

fn even(pixels: u32) -> u32 {
    (pixels & !1).max(2)
}

/// "4:3" as numbers; what is missing or absurd is square.
fn aspect(text: &str) -> (u32, u32) {
    let parsed = text.split_once(':').and_then(|(n, d)| Some((n.parse().ok()?, d.parse().ok()?)));
    parsed.filter(|(n, d)| *n > 0 && *d > 0).unwrap_or((1, 1))
}

/// Bits of a component, from the pixel format's name where the stream does not say.
fn bits(picture: &Stream) -> u32 {
    let stated = picture.bits_per_raw_sample.as_deref().and_then(|b| b.parse().ok());
    let named = [16, 14, 12, 10, 9].into_iter().find(|b| {
        picture.pix_fmt.ends_with(&format!("p{b}le"))
            || picture.pix_fmt.ends_with(&format!("p{b}be"))
            || picture.pix_fmt.contains(&format!("p0{b}"))
    });
    named.or(stated.filter(|b| *b > 0)).unwrap_or(8)
}

fn audio_stream(stream: &Stream, start_us: i64) -> AudioStream {
    AudioStream {
        index: stream.index,
        codec: stream.codec_name.clone(),
        channels: stream.channels,
        layout: stream.channel_layout.clone(),
        sample_rate: stream.sample_rate.as_deref().and_then(|r| r.parse().ok()).unwrap_or(48_000),
        language: language::bcp47(stream.tag("language")),
        title: stream.tag("title").to_owned(),
        start_us: if stream.start_time.is_some() { stream.start_us() } else { start_us },
        duration_us: (stream.seconds().unwrap_or(0.0).max(0.0) * 1e6).round() as u64,
    }
}

fn is_text(stream: &Stream) -> bool {
    stream.codec_type == "subtitle" && TEXT.contains(&stream.codec_name.as_str())
}

fn text_stream(stream: &Stream) -> TextStream {
    TextStream {
        index: stream.index,
        codec: stream.codec_name.clone(),
        language: language::bcp47(stream.tag("language")),
        title: stream.tag("title").to_owned(),
        forced: stream.disposition.forced == 1,
        hearing_impaired: stream.disposition.hearing_impaired == 1,
    }
}

/// What is unusual but works.
fn unusual(video: &VideoStream, probe: &Probe) -> Vec<String> {
    let mut warnings = Vec::new();
    if video.variable {
        warnings
            .push(format!("its frame rate varies: it is encoded at {:.3} frames a second", video.frame_rate.as_f64()));
    }
    if video.scan != Scan::Progressive {
        warnings.push("its lines come in fields: they are woven into whole frames".to_owned());
    }
    if video.rotation != 0 {
        warnings.push(format!("it is turned by {} degrees to stand upright", video.rotation));
    }
    if video.sample_aspect.0 != video.sample_aspect.1 {
        warnings
            .push(format!("its pixels are {}:{}: they are made square", video.sample_aspect.0, video.sample_aspect.1));
    }
    for stream in probe.streams.iter().filter(|s| s.codec_type == "subtitle" && !is_text(s)) {
        warnings.push(format!(
            "subtitles of stream {} are pictures ({}), which are left out",
            stream.index, stream.codec_name
        ));
    }
    if !probe.streams.iter().any(|s| s.codec_type == "audio") {
        warnings.push("it has no sound".to_owned());
    }
    warnings
}

#[async_trait]
impl Handler for InspectHandler {
    fn task_type(&self) -> &'static str {
        "inspect"
    }

    fn pool(&self) -> &'static str {
        "cpu"
    }

    async fn run(&self, tasks: Vec<TaskRun>) -> Vec<Result<Done, TaskError>> {
        let mut done = Vec::with_capacity(tasks.len());
        for task in tasks {
            done.push(self.inspect(&task).await);
        }
        done
    }
}
