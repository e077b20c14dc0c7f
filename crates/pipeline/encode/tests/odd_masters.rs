//! Every odd master is understood, or refused in words that say what is wrong and where.

#![allow(clippy::unwrap_used)]

mod film;

use std::path::Path;

use film::{ffmpeg, tools};
use matinee_encode::inspect::inspect_file;
use matinee_encode::inspection::{Inspection, Scan};
use matinee_model::codec::VideoRange;
use matinee_service::worker::{Progress, TaskError};

async fn inspected(folder: &Path, name: &str) -> Result<Inspection, String> {
    let file = folder.join(name);
    let size = std::fs::metadata(&file).unwrap().len();
    match inspect_file(&tools().await, &file, name, size, &Progress::default()).await {
        Ok(inspection) => Ok(inspection),
        Err(TaskError::Refused { reason, .. }) => Err(reason),
        Err(other) => panic!("{name}: {other}"),
    }
}

async fn good(folder: &Path, name: &str) -> Inspection {
    inspected(folder, name).await.unwrap_or_else(|reason| panic!("{name} is refused: {reason}"))
}

const X264: &str = "-c:v libx264 -preset ultrafast";

#[tokio::test]
async fn what_can_not_be_a_film_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("prose.mp4"), "It was a dark and stormy night.\n".repeat(50)).unwrap();
    ffmpeg(
        dir,
        &format!(
            "-f lavfi -i testsrc2=s=320x180:r=25:d=4 -f lavfi -i sine=d=4 {X264} -g 25 -c:a aac -movflags +faststart good.mp4"
        ),
    );
    ffmpeg(dir, &format!("-f lavfi -i testsrc2=s=320x180:r=25:d=4 {X264} late.mp4"));
    ffmpeg(dir, &format!("-f lavfi -i testsrc2=s=320x180:r=25:d=4 {X264} good.mkv"));
    ffmpeg(dir, "-f lavfi -i sine=d=2 -c:a aac sound.mp4");
    let bytes = std::fs::read(dir.join("good.mp4")).unwrap();
    std::fs::write(dir.join("cut.mp4"), &bytes[..bytes.len() / 2]).unwrap();
    let late = std::fs::read(dir.join("late.mp4")).unwrap();
    std::fs::write(dir.join("headless.mp4"), &late[..late.len() / 2]).unwrap();
    let mkv = std::fs::read(dir.join("good.mkv")).unwrap();
    std::fs::write(dir.join("cut.mkv"), &mkv[..mkv.len() / 2]).unwrap();
    let mut noise = bytes.clone();
    let mdat = noise.windows(4).position(|w| w == b"mdat").unwrap() + 2000;
    let end = noise.len() - 100;
    noise[mdat..end].iter_mut().enumerate().for_each(|(i, b)| *b = (i * 31 % 251) as u8);
    std::fs::write(dir.join("noise.mp4"), noise).unwrap();
    std::fs::write(dir.join("bytes.mp4"), (0..5000).map(|i| (i * 7919 % 256) as u8).collect::<Vec<_>>()).unwrap();
    for (name, words) in [
        ("prose.mp4", "is text, not a film"),
        ("sound.mp4", "has sound but no picture"),
        ("cut.mp4", "is cut off"),
        ("cut.mkv", "is cut off"),
        ("headless.mp4", "has no moov box"),
        ("noise.mp4", "do not decode, the first at"),
        ("bytes.mp4", "is not a film that can be read"),
    ] {
        let reason = inspected(dir, name).await.expect_err(name);
        assert!(reason.contains(words) && reason.contains(name), "{name}: {reason}");
    }
    assert_eq!(good(dir, "good.mp4").await.video.frames, 100);
}

#[tokio::test]
async fn rates_and_lengths_are_exact() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let source = |rate: &str, seconds: u32| format!("-f lavfi -i testsrc2=s=320x180:r={rate}:d={seconds}");
    ffmpeg(dir, &format!("{} {X264} -bf 3 film.mkv", source("24000/1001", 3)));
    ffmpeg(dir, &format!("{} {X264} -bf 3 film.mp4", source("60000/1001", 2)));
    ffmpeg(dir, &format!("-f lavfi -i testsrc2=s=320x180:r=25:d=1 -frames:v 1 {X264} one.mp4"));
    ffmpeg(
        dir,
        &format!(
            "{} -vf select='not(mod(n\\,7))+not(mod(n\\,5))+lt(n\\,20)' -fps_mode vfr {X264} varies.mkv",
            source("30", 4)
        ),
    );
    ffmpeg(
        dir,
        &format!(
            "{} -itsoffset 1.5 {} -map 0 -map 1 {X264} -output_ts_offset 5 late.mkv",
            source("25", 2),
            "-f lavfi -i sine=d=1"
        ),
    );
    let film = good(dir, "film.mkv").await.video;
    assert_eq!((film.frame_rate.to_string().as_str(), film.variable, film.frames), ("24000/1001", false, 72));
    let film = good(dir, "film.mp4").await.video;
    assert_eq!((film.frame_rate.to_string().as_str(), film.variable, film.frames), ("60000/1001", false, 120));
    assert_eq!(good(dir, "one.mp4").await.video.frames, 1);
    let varies = good(dir, "varies.mkv").await;
    assert!(varies.video.variable, "{:?}", varies.video);
    assert!(varies.duration_us.abs_diff(4_000_000) < 250_000, "{}", varies.duration_us);
    assert!(varies.warnings.iter().any(|w| w.contains("varies")));
    let late = good(dir, "late.mkv").await;
    assert_eq!((late.video.start_us, late.video.frames), (5_000_000, 50));
    assert!(late.audio[0].start_us.abs_diff(6_500_000) < 25_000, "{}", late.audio[0].start_us);
}

#[tokio::test]
async fn shapes_fields_and_colour_are_seen() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let source = "-f lavfi -i testsrc2=s=320x180:r=25:d=2";
    ffmpeg(dir, &format!("{source} {X264} upright.mp4"));
    ffmpeg(dir, "-display_rotation 90 -i upright.mp4 -c copy turned.mp4");
    ffmpeg(dir, &format!("{source} -vf setsar=4/3 {X264} wide.mp4"));
    ffmpeg(dir, "-f lavfi -i testsrc2=s=860x490:r=25:d=1 -vf format=yuv444p,crop=853:481 -c:v ffv1 odd.mkv");
    ffmpeg(
        dir,
        &format!(
            "-f lavfi -i testsrc2=s=320x240:r=50:d=2 -vf tinterlace=interleave_top,setfield=tff {X264} -flags +ildct+ilme -x264-params tff=1 fields.mp4"
        ),
    );
    for (name, transfer) in [("pq.mp4", "smpte2084"), ("hlg.mp4", "arib-std-b67")] {
        ffmpeg(
            dir,
            &format!(
                "{source} -pix_fmt yuv420p10le -c:v libx265 -preset ultrafast -x265-params log-level=none -vf setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc -tag:v hvc1 {name}"
            ),
        );
    }
    let turned = good(dir, "turned.mp4").await.video;
    assert_eq!((turned.rotation, turned.display_width, turned.display_height), (270, 180, 320));
    let wide = good(dir, "wide.mp4").await.video;
    assert_eq!((wide.sample_aspect, wide.display_width, wide.display_height), ((4, 3), 426, 180));
    let odd = good(dir, "odd.mkv").await.video;
    assert_eq!((odd.width, odd.height, odd.display_width, odd.display_height), (853, 481, 852, 480));
    assert_eq!(good(dir, "fields.mp4").await.video.scan, Scan::Top);
    assert_eq!(good(dir, "upright.mp4").await.video.scan, Scan::Progressive);
    let pq = good(dir, "pq.mp4").await.video;
    assert_eq!((pq.range, pq.bits, pq.color.primaries.as_str()), (VideoRange::Pq, 10, "bt2020"));
    assert_eq!(good(dir, "hlg.mp4").await.video.range, VideoRange::Hlg);
}

#[tokio::test]
async fn sound_and_subtitles_are_listed_by_language() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("a.srt"), "1\n00:00:00,000 --> 00:00:01,000\nHello\n").unwrap();
    ffmpeg(
        dir,
        &format!(
            "-f lavfi -i testsrc2=s=320x180:r=25:d=2 -f lavfi -i sine=d=2 -f lavfi -i anoisesrc=d=2:c=pink -i a.srt -map 0 -map 1 -map 2 -map 3 \
         -filter:a:1 pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0 {X264} -c:a aac -c:s srt -ac:a:0 1 \
         -metadata:s:a:0 language=ger -metadata:s:a:1 language=eng -metadata:s:s:0 language=fre -disposition:s:0 forced film.mkv"
        ),
    );
    let film = good(dir, "film.mkv").await;
    let sound: Vec<_> = film.audio.iter().map(|a| (a.language.as_str(), a.channels)).collect();
    assert_eq!(sound, [("de", 1), ("en", 6)]);
    assert_eq!((film.subtitles[0].language.as_str(), film.subtitles[0].forced), ("fr", true));
    assert!(film.audio[0].duration_us.abs_diff(2_000_000) < 50_000);
}

#[tokio::test]
async fn shots_are_found_where_they_begin() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    ffmpeg(
        dir,
        &format!(
            "-f lavfi -i color=c=red:s=320x180:r=24:d=2 -f lavfi -i mandelbrot=s=320x180:r=24 -f lavfi -i color=c=blue:s=320x180:r=24:d=2 \
         -filter_complex [1]trim=end_frame=30[m];[0][m][2]concat=n=3[v] -map [v] {X264} film.mp4"
        ),
    );
    assert_eq!(good(dir, "film.mp4").await.video.shots, [48, 78]);
}
