//! What is cut into chunks, encoded apart and joined is the master again: every frame once, at its time, on one grid,
//! with the sound beside it.

#![allow(clippy::unwrap_used)]

mod film;

use std::fs::File;
use std::path::Path;

use film::ffmpeg;
use film::workbench::Made;
use matinee_media::mp4::{Mp4, Sample};

const LADDER: &str = r#"
[[video]]
codec = "h264"
height = 144
crf = 23.0
max_kbps = 600
preset = "veryfast"

[[video]]
codec = "h264"
height = 180
crf = 23.0
max_kbps = 900
preset = "veryfast"

[[video]]
codec = "h265"
height = 180
crf = 24.0
max_kbps = 900
preset = "veryfast"

[[video]]
codec = "av1"
height = 180
crf = 30.0
max_kbps = 900
preset = "10"

[[audio]]
layout = "stereo"
kbps = 128

[[audio]]
layout = "surround"
kbps = 256
"#;
const TRACKS: [&str; 4] = ["video-144p-h264", "video-180p-h264", "video-180p-h265", "video-180p-av1"];
/// Bits of a frame's number, as stripes of 32 pixels of a picture 320 pixels wide.
const STRIPES: usize = 10;
const WIDTH: usize = 320;
const HEIGHT: usize = 180;
/// Seconds of an AAC frame.
const AUDIO_FRAME: f64 = 1024.0 / 48_000.0;

/// A film whose frames show their own numbers.
fn numbered(folder: &Path, rate: &str, frames: u32, name: &str) {
    let stripes = "geq=lum='255*mod(floor(N/pow(2,floor(X/32))),2)':cb=128:cr=128";
    ffmpeg(
        folder,
        &format!(
            "-f lavfi -i nullsrc=s={WIDTH}x{HEIGHT}:r={rate},{stripes} -frames:v {frames} \
             -c:v libx264 -preset ultrafast -crf 12 -bf 2 -g 37 -pix_fmt yuv420p {name}"
        ),
    );
}

/// The numbers that a track's frames show, in the order in which they are shown.
fn numbers(track: &Path) -> Vec<usize> {
    let (folder, name) = (track.parent().unwrap(), track.file_name().unwrap().to_str().unwrap());
    let scaled = format!("scale={WIDTH}:{HEIGHT}:flags=neighbor,format=gray");
    let pixels = ffmpeg(folder, &format!("-i {name} -fps_mode passthrough -vf {scaled} -f rawvideo -"));
    assert_eq!(pixels.len() % (WIDTH * HEIGHT), 0);
    let row = WIDTH * (HEIGHT / 2);
    let number = |picture: &[u8]| {
        let lit = |n: usize| picture[row + n * 32 + 16] > 127;
        (0..STRIPES).filter(|n| lit(*n)).map(|n| 1 << n).sum()
    };
    pixels.chunks(WIDTH * HEIGHT).map(number).collect()
}

/// A track's samples with their bytes.
fn samples(path: &Path) -> Vec<(Sample, Vec<u8>)> {
    let file = Mp4::open(File::open(path).unwrap()).unwrap();
    let read = |sample: Sample| {
        let mut bytes = vec![0; sample.size as usize];
        file.read(sample.offset, &mut bytes).unwrap();
        (sample, bytes)
    };
    file.samples(&file.tracks()[0]).map(|sample| read(sample.unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_frame_is_there_once_on_one_grid_at_23_976() {
    let folder = tempfile::tempdir().unwrap();
    let frames = 330;
    numbered(folder.path(), "24000/1001", frames, "film.mkv");
    let made = Made::of(&folder.path().join("film.mkv"), LADDER, 4.0, &["encode", "assemble"]).await;
    assert!(made.chunks.len() >= 3, "{:?}", made.chunks);
    assert!(made.chunks.iter().all(|c| c.first % 96 == 0), "chunks start on the segment grid: {:?}", made.chunks);
    let expected: Vec<usize> = (0..frames as usize).collect();
    let mut timings: Vec<Vec<i64>> = Vec::new();
    for track in TRACKS {
        let joined = made.file(&format!("assemble/{track}")).await;
        assert_eq!(numbers(&joined), expected, "{track}");
        let written = samples(&joined);
        let keys: Vec<usize> = (0..written.len()).filter(|n| written[*n].0.sync).collect();
        let grid: Vec<usize> = (0..frames as usize).step_by(48).collect();
        assert_eq!(keys, grid, "{track}: groups of two seconds, 48 frames at 23.976, and none between");
        // A closed group is shown whole before the next one.
        let mut shown: Vec<i64> = written.iter().map(|(s, _)| s.dts as i64 + i64::from(s.cts)).collect();
        for group in shown.chunks(48) {
            let least = group.iter().min().unwrap();
            assert_eq!(*least, group[0], "{track}: nothing is shown before its key frame");
        }
        shown.sort_unstable();
        timings.push(shown);
        // Joined bit by bit: the chunks' samples, one behind the other.
        let mut apart = Vec::new();
        for n in 0..made.chunks.len() {
            apart.extend(samples(&made.file(&format!("encode/{track}/{n:05}")).await));
        }
        assert_eq!(apart.len(), written.len());
        assert!(apart.iter().zip(&written).all(|(a, b)| a.1 == b.1), "{track}: a sample's bytes changed");
    }
    let first = &timings[0];
    assert!(first.iter().enumerate().all(|(n, at)| *at == 1001 * n as i64), "frames are 1001/24000 s apart");
    assert!(timings.iter().all(|t| t == first), "renditions show the same instants");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_near_a_boundary_moves_it_to_the_nearest_point_of_the_grid() {
    let folder = tempfile::tempdir().unwrap();
    // A hard cut at 20.2 s; chunks of 16 s, segments of 4 s.
    ffmpeg(
        folder.path(),
        "-f lavfi -i color=c=red:s=320x180:r=25:d=20.2 -f lavfi -i testsrc2=s=320x180:r=25:d=15.8 \
         -filter_complex [0][1]concat=n=2[v] -map [v] -c:v libx264 -preset ultrafast film.mp4",
    );
    let made = Made::of(&folder.path().join("film.mp4"), LADDER, 16.0, &[]).await;
    assert_eq!(made.inspection.video.shots, [505]);
    let starts: Vec<u64> = made.chunks.iter().map(|c| c.first).collect();
    assert!(starts.contains(&500), "the boundary stands at 20 s, beside the cut, not at 16 s: {starts:?}");
    assert_eq!(made.chunks.iter().map(|c| c.frames).sum::<u64>(), made.inspection.video.frames);
}

/// When each run of true begins.
fn onsets(lit: impl Iterator<Item = bool>, seconds: f64) -> Vec<f64> {
    let (mut before, mut found) = (false, Vec::new());
    for (n, now) in lit.enumerate() {
        if now && !before {
            found.push(n as f64 * seconds);
        }
        before = now;
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flash_and_its_click_stay_together_at_every_chunk_boundary() {
    let folder = tempfile::tempdir().unwrap();
    // Every 24th frame is white, and a click of 10 ms begins with it.
    let flash = "geq=lum='if(mod(N\\,24)\\,16\\,235)':cb=128:cr=128";
    let click = "aevalsrc='if(lt(mod(t\\,1.001)\\,0.01)\\,sin(2*PI*1000*t)\\,0)':s=48000:d=17";
    ffmpeg(
        folder.path(),
        &format!(
            "-f lavfi -i nullsrc=s=320x180:r=24000/1001,{flash} -f lavfi -i {click} -frames:v 400 \
             -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a pcm_s16le -shortest film.mkv"
        ),
    );
    let made = Made::of(&folder.path().join("film.mkv"), LADDER, 4.0, &["encode", "assemble", "audio"]).await;
    assert!(made.chunks.len() >= 4);
    let sound = made.file("audio/audio-und-stereo").await;
    let pcm = ffmpeg(sound.parent().unwrap(), "-i track.mp4 -ac 1 -ar 48000 -f s16le -");
    let levels = pcm.chunks(2).map(|b| i16::from_le_bytes([b[0], b[1]]).unsigned_abs());
    // 5 ms of quiet part two clicks: a sine passes zero all the time.
    let mut last = 0_usize;
    let loud: Vec<bool> = levels
        .enumerate()
        .map(|(n, level)| {
            if level > 1500 {
                last = n + 1;
            }
            last > 0 && n + 1 - last < 240
        })
        .collect();
    let clicks = onsets(loud.into_iter(), 1.0 / 48_000.0);
    for track in TRACKS {
        let joined = made.file(&format!("assemble/{track}")).await;
        let gray = ffmpeg(
            joined.parent().unwrap(),
            "-i track.mp4 -fps_mode passthrough -vf scale=16:16,format=gray -f rawvideo -",
        );
        let lit = gray.chunks(256).map(|p| p.iter().map(|v| u32::from(*v)).sum::<u32>() > 256 * 120);
        let flashes = onsets(lit, 1001.0 / 24_000.0);
        assert_eq!((flashes.len(), clicks.len()), (17, 17), "{track}");
        for (flash, click) in flashes.iter().zip(&clicks) {
            assert!(
                (flash - click).abs() <= AUDIO_FRAME,
                "{track}: a flash at {flash:.4} s, its click at {click:.4} s"
            );
        }
    }
}

/// Integrated loudness by EBU R 128, in LUFS.
fn loudness(track: &Path) -> f64 {
    let done = std::process::Command::new(film::tool("MATINEE_FFMPEG", "ffmpeg"))
        .args(["-hide_banner", "-nostdin", "-nostats", "-i"])
        .arg(track)
        .args(["-af", "ebur128", "-f", "null", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let line = said.lines().rev().map(str::trim).find(|l| l.starts_with("I:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_layout_is_as_loud_as_it_should_be() {
    let folder = tempfile::tempdir().unwrap();
    ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=320x180:r=25:d=8 -f lavfi -i anoisesrc=d=8:c=pink:a=0.05 -map 0 -map 1 \
         -af pan=5.1|FL=c0|FR=c0|FC=c0|LFE=0.1*c0|BL=0.5*c0|BR=0.5*c0 -c:v libx264 -preset ultrafast -c:a pcm_s16le film.mkv",
    );
    let made = Made::of(&folder.path().join("film.mkv"), LADDER, 8.0, &["audio"]).await;
    for track in ["audio-und-stereo", "audio-und-surround"] {
        let loud = loudness(&made.file(&format!("audio/{track}")).await);
        assert!((loud + 23.0).abs() <= 0.5, "{track} is at {loud} LUFS");
    }
    assert!(made.result("audio/audio-und-stereo")["loudness"]["integrated"].is_number());
}
