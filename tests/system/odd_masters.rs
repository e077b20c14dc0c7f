//! Every odd master becomes a right stream, or is refused with what is wrong: taken in by the real program, read back
//! over HTTP by ffprobe, in every codec.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod house;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use house::{House, tool, wait};
use serde_json::Value;

const LADDER: &str = r#"
[[video]]
codec = "h264"
height = 144
crf = 28.0
max_kbps = 300
preset = "veryfast"

[[video]]
codec = "h264"
height = 180
crf = 28.0
max_kbps = 500
preset = "veryfast"

[[video]]
codec = "h265"
height = 180
crf = 30.0
max_kbps = 400
preset = "veryfast"

[[video]]
codec = "av1"
height = 180
crf = 40.0
max_kbps = 400
preset = "10"

[[audio]]
layout = "stereo"
kbps = 96

[[audio]]
layout = "surround"
kbps = 256
"#;

const X264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";

/// Runs ffmpeg in `folder` on arguments that are parted by spaces.
fn ffmpeg(folder: &Path, line: &str) {
    let done = Command::new(tool("MATINEE_FFMPEG", "ffmpeg"))
        .current_dir(folder)
        .args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y"])
        .args(line.split_whitespace())
        .output()
        .unwrap();
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
}

fn source(size: &str, rate: &str, seconds: u32) -> String {
    format!("-f lavfi -i testsrc2=s={size}:r={rate}:d={seconds}")
}

/// A house whose ladder has every codec.
async fn house() -> House {
    let settings = [
        ("MATINEE_ENCODE__CHUNK_SECONDS", "4"),
        ("MATINEE_ENCODE__VMAF_SHARE", "0"),
        ("MATINEE_WORKER__CPU_SLOTS", "2"),
    ];
    let mut house = House::with_ladder(&settings, LADDER);
    house.start(&[]).await;
    house
}

/// A published film, as a reader that is not ours sees it.
struct Stream {
    /// Of `master.m3u8`, with its '/'.
    base: String,
    master: String,
}

/// One track by ffprobe, with every frame decoded.
struct Track {
    probed: Value,
    frames: u64,
}

impl Track {
    fn text(&self, field: &str) -> &str {
        self.probed[field].as_str().unwrap_or("")
    }

    fn number(&self, field: &str) -> u64 {
        self.probed[field].as_u64().or_else(|| self.text(field).parse().ok()).unwrap_or(0)
    }

    /// Frames a second.
    fn rate(&self) -> f64 {
        let (num, den) = self.text("r_frame_rate").split_once('/').unwrap();
        num.parse::<f64>().unwrap() / den.parse::<f64>().unwrap()
    }

    fn aspect(&self) -> f64 {
        let (width, height) = (self.number("width"), self.number("height"));
        assert!(width % 2 == 0 && height % 2 == 0, "{width}x{height}");
        assert!(matches!(self.text("sample_aspect_ratio"), "" | "1:1" | "N/A"), "{}", self.probed);
        width as f64 / height as f64
    }
}

impl Stream {
    async fn open(house: &House, title: &str) -> Self {
        house.published(title).await;
        let session = house.play(title, "clear").await;
        let url = format!("{}{}", house.address, session["hls"].as_str().unwrap());
        let master = reqwest::get(&url).await.unwrap().text().await.unwrap();
        Self { base: url.replace("master.m3u8", ""), master }
    }

    /// The names of tracks that begin so.
    fn tracks(&self, kind: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .master
            .split(['"', '\n'])
            .filter_map(|part| part.strip_suffix("/media.m3u8"))
            .filter(|name| name.starts_with(kind))
            .map(str::to_owned)
            .collect();
        names.sort();
        names.dedup();
        names
    }

    fn track(&self, name: &str) -> Track {
        let url = format!("{}{name}/track.mp4", self.base);
        let read = |command: &mut Command| {
            let output = command.output().unwrap();
            assert!(output.stderr.is_empty(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        let mut probe = Command::new(tool("MATINEE_FFPROBE", "ffprobe"));
        let probed = read(probe.args(["-v", "fatal", "-show_streams", "-of", "json"]).arg(&url));
        let probed: Value = serde_json::from_slice(&probed).unwrap();
        // By ffmpeg, as not every ffprobe has a decoder for AV1.
        let mut decode = Command::new(tool("MATINEE_FFMPEG", "ffmpeg"));
        decode.args(["-nostdin", "-v", "error", "-i"]).arg(&url).args([
            "-fps_mode",
            "passthrough",
            "-f",
            "framecrc",
            "-",
        ]);
        let decoded = String::from_utf8(read(&mut decode)).unwrap();
        let frames = decoded.lines().filter(|line| !line.starts_with('#')).count() as u64;
        Track { probed: probed["streams"][0].clone(), frames }
    }

    async fn subtitles(&self, name: &str) -> String {
        reqwest::get(format!("{}{name}/subs.vtt", self.base)).await.unwrap().text().await.unwrap()
    }

    /// Every picture track; all have the same frames at the same rate.
    fn pictures(&self) -> Vec<(String, Track)> {
        let tracks: Vec<_> = self.tracks("video-").into_iter().map(|n| (n.clone(), self.track(&n))).collect();
        assert_eq!(tracks.len(), 4, "{}", self.master);
        for (name, track) in &tracks {
            assert_eq!(track.frames, tracks[0].1.frames, "{name}");
            assert_eq!(track.text("r_frame_rate"), tracks[0].1.text("r_frame_rate"), "{name}");
            assert!(matches!(track.text("field_order"), "" | "progressive" | "unknown"), "{name}: {}", track.probed);
        }
        tracks
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_pictures_become_right_streams() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let film = |name: &str, line: String| {
        ffmpeg(dir, &format!("{line} {name}"));
        dir.join(name)
    };
    let cinema = film("cinema.mkv", format!("{} {X264} -bf 3", source("320x180", "24000/1001", 3)));
    let one = film("one.mp4", format!("{} -frames:v 1 {X264}", source("320x180", "25", 1)));
    let uneven = "-vf select='not(mod(n\\,7))+not(mod(n\\,5))+lt(n\\,20)' -fps_mode vfr";
    let varies = film("varies.mkv", format!("{} {uneven} {X264}", source("320x180", "30", 4)));
    let upright = film("upright.mp4", format!("{} {X264}", source("320x180", "25", 1)));
    let turned = film("turned.mp4", format!("-display_rotation 90 -i {} -c copy", upright.display()));
    let wide = film("wide.mp4", format!("{} -vf setsar=4/3 {X264}", source("320x180", "25", 1)));
    let odd = film("odd.mkv", format!("{} -vf format=yuv444p,crop=853:481 -c:v ffv1", source("860x490", "25", 1)));
    let fields = "-vf tinterlace=interleave_top,setfield=tff";
    let interlaced = film(
        "fields.mp4",
        format!("{} {fields} {X264} -flags +ildct+ilme -x264-params tff=1", source("320x240", "50", 2)),
    );
    let house = house().await;
    let films = [
        ("cinema", &cinema),
        ("one", &one),
        ("varies", &varies),
        ("turned", &turned),
        ("wide", &wide),
        ("odd", &odd),
        ("fields", &interlaced),
    ];
    for (title, file) in films {
        house.add(title, file);
    }

    let stream = Stream::open(&house, "cinema").await;
    for (name, track) in stream.pictures() {
        assert_eq!((track.frames, track.text("r_frame_rate")), (72, "24000/1001"), "{name}");
    }
    assert!(stream.tracks("audio-").is_empty(), "a silent film has no sound");
    for (name, track) in Stream::open(&house, "one").await.pictures() {
        assert_eq!(track.frames, 1, "{name}");
    }
    for (name, track) in Stream::open(&house, "varies").await.pictures() {
        let seconds = track.frames as f64 / track.rate();
        assert!((seconds - 4.0).abs() < 0.15, "{name}: {seconds} s");
        assert_eq!(track.text("r_frame_rate"), track.text("avg_frame_rate"), "{name} is constant");
    }
    for (title, aspect) in [("turned", 180.0 / 320.0), ("wide", 320.0 * 4.0 / 3.0 / 180.0), ("odd", 853.0 / 481.0)] {
        for (name, track) in Stream::open(&house, title).await.pictures() {
            let found = track.aspect();
            assert!((found / aspect - 1.0).abs() < 0.02, "{title} {name}: {found}, not {aspect}");
            assert_eq!(track.frames, 25, "{title} {name}");
        }
    }
    for (name, track) in Stream::open(&house, "fields").await.pictures() {
        let seconds = track.frames as f64 / track.rate();
        assert!((seconds - 2.0).abs() < 0.05, "{name}: {seconds} s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn high_dynamic_range_is_kept_in_ten_bits_and_tone_mapped_for_h264() {
    let folder = tempfile::tempdir().unwrap();
    let house = house().await;
    let transfers = [("pq", "smpte2084", "PQ"), ("hlg", "arib-std-b67", "HLG")];
    for (title, transfer, _) in transfers {
        let colour = format!("setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc");
        let coding = "-pix_fmt yuv420p10le -c:v libx265 -preset ultrafast -x265-params log-level=none -tag:v hvc1";
        let file = format!("{title}.mp4");
        ffmpeg(folder.path(), &format!("{} {coding} -vf {colour} {file}", source("320x180", "25", 1)));
        house.add(title, &folder.path().join(file));
    }
    for (title, transfer, range) in transfers {
        let stream = Stream::open(&house, title).await;
        for (name, track) in stream.pictures() {
            assert_eq!(track.frames, 25, "{name}");
            let found = (track.text("pix_fmt"), track.text("color_transfer"), track.text("color_primaries"));
            if name.ends_with("h264") {
                assert_eq!(found, ("yuv420p", "bt709", "bt709"), "{title} {name}");
            } else {
                assert_eq!(found, ("yuv420p10le", transfer, "bt2020"), "{title} {name}");
            }
        }
        assert!(stream.master.contains(&format!("VIDEO-RANGE={range}")), "{}", stream.master);
        assert!(stream.master.contains("VIDEO-RANGE=SDR"), "{}", stream.master);
    }
}

const BROKEN: &str = "1
00:00:01,000 --> 00:00:00,500
It ends before it begins

2
00:00:xx,000 --> 00:00:02,000
No time at all

3
00:00:01,500 --> 00:00:02,500
This one is right

4
99:99:99,999 -->
Nor this
";

#[tokio::test(flavor = "multi_thread")]
async fn every_language_of_sound_is_kept_and_broken_subtitles_lose_only_what_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    std::fs::write(dir.join("a.srt"), "1\n00:00:00,500 --> 00:00:01,500\nBonjour\n").unwrap();
    std::fs::write(dir.join("broken.srt"), BROKEN).unwrap();
    ffmpeg(
        dir,
        &format!(
            "{} -f lavfi -i sine=d=3 -f lavfi -i anoisesrc=d=3:c=pink:a=0.2 -i a.srt -map 0 -map 1 -map 2 -map 3 \
             -filter:a:1 pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0 {X264} -c:a aac -c:s srt -ac:a:0 1 \
             -metadata:s:a:0 language=ger -metadata:s:a:1 language=eng -metadata:s:s:0 language=fre film.mkv",
            source("320x180", "25", 3)
        ),
    );
    let house = house().await;
    let sidecar = format!("en={}", dir.join("broken.srt").display());
    house.try_add("film", &dir.join("film.mkv"), &["--subtitle", &sidecar]).unwrap();
    let stream = Stream::open(&house, "film").await;
    let sound: Vec<(String, u64)> =
        stream.tracks("audio-").into_iter().map(|n| (n.clone(), stream.track(&n).number("channels"))).collect();
    let expected = [("audio-de-stereo", 2), ("audio-en-stereo", 2), ("audio-en-surround", 6)];
    assert_eq!(sound, expected.map(|(name, channels)| (name.to_owned(), channels)));
    assert_eq!(stream.tracks("subs-"), ["subs-en", "subs-fr"]);
    let broken = stream.subtitles("subs-en").await;
    assert!(
        broken.contains("This one is right") && !broken.contains("No time") && !broken.contains("Nor this"),
        "{broken}"
    );
    assert!(stream.subtitles("subs-fr").await.contains("Bonjour"));
    let workflow = house.workflow("film").await.unwrap();
    let tasks = workflow["taskList"].as_array().unwrap();
    let told = tasks.iter().find(|t| t["name"] == "subtitles/subs-en").unwrap();
    assert!(!told["result"]["broken"].as_array().unwrap().is_empty(), "the studio is told what was left out: {told}");
}

fn halved(dir: &Path, from: &str, to: &str) -> PathBuf {
    let bytes = std::fs::read(dir.join(from)).unwrap();
    std::fs::write(dir.join(to), &bytes[..bytes.len() / 2]).unwrap();
    dir.join(to)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_film_is_refused_soon_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let film = format!("{} -f lavfi -i sine=d=4 {X264} -c:a aac", source("320x180", "25", 4));
    ffmpeg(dir, &format!("{film} -movflags +faststart good.mp4"));
    ffmpeg(dir, &format!("{film} late.mp4"));
    ffmpeg(dir, "-f lavfi -i sine=d=2 -c:a aac sound.mp4");
    std::fs::write(dir.join("prose.mp4"), "It was a dark and stormy night.\n".repeat(50)).unwrap();
    std::fs::write(dir.join("nothing.mp4"), "").unwrap();
    let cut = halved(dir, "good.mp4", "cut.mp4");
    let headless = halved(dir, "late.mp4", "headless.mp4");
    let house = house().await;
    let refused = house.try_add("nothing", &dir.join("nothing.mp4"), &[]).unwrap_err();
    assert!(refused.contains("empty"), "{refused}");
    let cases = [
        ("cut", cut, "is cut off"),
        ("headless", headless, "has no moov box"),
        ("sound", dir.join("sound.mp4"), "has sound but no picture"),
        ("prose", dir.join("prose.mp4"), "is text, not a film"),
    ];
    for (title, file, _) in &cases {
        house.add(title, file);
    }
    for (title, file, words) in cases {
        let workflow = wait(Duration::from_secs(60), &format!("{title} to be refused"), async || {
            house.workflow(title).await.filter(|workflow| workflow["state"] == "stuck")
        })
        .await;
        let reason = workflow["reason"].as_str().unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(reason.contains(words) && reason.contains(name), "{title}: {reason}");
        assert!(house.json(&format!("/api/titles/{title}")).await.is_none(), "{title} is not published");
    }
}
