//! What ffprobe says of a file, in our words.

use std::path::Path;

use serde::Deserialize;

use crate::tool::{ToolError, Tools, arguments};

/// ffprobe's JSON.
#[derive(Debug, Default, Deserialize)]
pub struct Probe {
    /// Streams, in the container's order.
    #[serde(default)]
    pub streams: Vec<Stream>,
    /// The container.
    #[serde(default)]
    pub format: Format,
}

/// The container.
#[derive(Debug, Default, Deserialize)]
pub struct Format {
    /// "mov,mp4,m4a,3gp,3g2,mj2".
    #[serde(default)]
    pub format_name: String,
    /// Seconds.
    pub duration: Option<String>,
}

/// A stream. Numbers that ffprobe prints as texts are texts here.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct Stream {
    pub index: u32,
    pub codec_name: String,
    pub codec_type: String,
    pub profile: String,
    pub width: u32,
    pub height: u32,
    pub sample_aspect_ratio: String,
    pub pix_fmt: String,
    pub field_order: String,
    pub color_range: String,
    pub color_space: String,
    pub color_transfer: String,
    pub color_primaries: String,
    pub r_frame_rate: String,
    pub avg_frame_rate: String,
    pub time_base: String,
    pub start_time: Option<String>,
    pub duration: Option<String>,
    pub nb_frames: Option<String>,
    pub bits_per_raw_sample: Option<String>,
    pub sample_rate: Option<String>,
    pub channels: u32,
    pub channel_layout: String,
    pub disposition: Disposition,
    pub tags: std::collections::BTreeMap<String, String>,
    pub side_data_list: Vec<SideData>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
pub struct Disposition {
    pub default: u8,
    pub attached_pic: u8,
    pub forced: u8,
    pub hearing_impaired: u8,
    pub comment: u8,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct SideData {
    pub rotation: Option<f64>,
    pub max_content: Option<u32>,
}

impl Stream {
    /// A tag, whatever its case.
    pub fn tag(&self, name: &str) -> &str {
        let found = self.tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.trim())
    }

    /// Seconds, where the stream or its tags (Matroska) say.
    pub fn seconds(&self) -> Option<f64> {
        let own = self.duration.as_deref().and_then(|d| d.parse().ok());
        own.or_else(|| {
            let clock = self.tag("DURATION");
            let mut parts = clock.split(':');
            let (h, m, s) = (parts.next()?, parts.next()?, parts.next()?);
            Some(h.parse::<f64>().ok()? * 3600.0 + m.parse::<f64>().ok()? * 60.0 + s.parse::<f64>().ok()?)
        })
    }

    /// When it starts on the container's clock, in microseconds.
    pub fn start_us(&self) -> i64 {
        let seconds: f64 = self.start_time.as_deref().and_then(|s| s.parse().ok()).unwrap_or(0.0);
        (seconds * 1e6).round() as i64
    }
}

/// Times of the picture's packets, in microseconds, in presentation order.
#[derive(Debug, Default)]
pub struct Packets {
    /// Presentation times, rising.
    pub times_us: Vec<i64>,
    /// Of the last packet, where it says.
    pub last_duration_us: i64,
    /// Packets without a time.
    pub timeless: usize,
}

/// Asks ffprobe for the container and its streams.
pub async fn probe(tools: &Tools, file: &Path) -> Result<Probe, ToolError> {
    let mut all = arguments(["-v", "error", "-of", "json", "-show_format", "-show_streams", "-i"]);
    all.push(file.into());
    let done = tools.ffprobe(all).await?;
    serde_json::from_slice(&done.stdout)
        .map_err(|error| ToolError::Output { program: "ffprobe".to_owned(), reason: error.to_string() })
}

/// Reads the times of a stream's packets, without decoding. Those that are to be decoded but not shown are left out.
pub async fn packets(tools: &Tools, file: &Path, stream: u32) -> Result<(Packets, String), ToolError> {
    let selected = stream.to_string();
    let mut all = arguments(["-v", "error", "-select_streams", &selected]);
    all.extend(arguments(["-show_entries", "packet=pts_time,duration_time,flags", "-of", "csv=p=0", "-i"]));
    all.push(file.into());
    let done = tools.ffprobe(all).await?;
    Ok((read_packets(&String::from_utf8_lossy(&done.stdout)), done.stderr))
}

fn read_packets(text: &str) -> Packets {
    let mut packets = Packets::default();
    let micros = |field: Option<&str>| field.and_then(|f| f.parse::<f64>().ok()).map(|s| (s * 1e6).round() as i64);
    let mut last = i64::MIN;
    for line in text.lines() {
        let mut fields = line.split(',');
        let (time, duration, flags) = (micros(fields.next()), micros(fields.next()), fields.next().unwrap_or(""));
        if flags.contains('D') {
            continue;
        }
        let Some(time) = time else {
            packets.timeless += 1;
            continue;
        };
        packets.times_us.push(time);
        if time > last {
            last = time;
            packets.last_duration_us = duration.unwrap_or(0);
        }
    }
    packets.times_us.sort_unstable();
    packets
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_that_ffprobe_could_say_panics(
            table in "([-0-9./NA]{0,9},){0,4}[KD_\n]{0,5}", key in "[a-z_]{1,14}", value in "[-0-9./:a-zA-Z]{0,14}", text in ".*",
        ) {
            let _ = read_packets(&table);
            let _ = read_packets(&text);
            for said in [text, format!("{{\"streams\":[{{\"{key}\":\"{value}\"}}],\"format\":{{\"{key}\":\"{value}\"}}}}")] {
                if let Ok(probe) = serde_json::from_str::<Probe>(&said) {
                    for stream in &probe.streams {
                        let _ = (stream.tag(&key), stream.seconds(), stream.start_us());
                    }
                }
            }
        }
    }

    #[test]
    fn packets_are_put_in_order_and_hidden_ones_left_out() {
        let read = read_packets("-0.04,0.04,KD_\n0.00,0.04,K__\n0.12,0.04,___\n0.04,0.04,___\nN/A,0.04,___\n");
        assert_eq!(read.times_us, [0, 40_000, 120_000]);
        assert_eq!((read.last_duration_us, read.timeless), (40_000, 1));
    }
}
