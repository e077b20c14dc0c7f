//! Real films through the packager: what comes out decodes to the same pictures and sound, by a decoder that is not ours.

#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::io::{BufWriter, Cursor};
use std::path::{Path, PathBuf};
use std::process::Command;

use matinee_media::cenc::{ContentKey, Scheme};
use matinee_media::cmaf::track::{Cutting, Source, TrackError, Written, plan, write};
use matinee_media::mp4::{Handler, Mp4};
use matinee_media::presentation::{TrackFile, TrackKey};
use matinee_media::reprotect::Head;
use matinee_model::codec::{KeyTier, Protection};

fn tool(variable: &str, name: &str) -> PathBuf {
    let installed =
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/matinee/tools/bin").join(name);
    std::env::var_os(variable).map_or_else(installed, PathBuf::from)
}

fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    let done = Command::new(tool("MATINEE_FFMPEG", "ffmpeg"))
        .args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    assert!(done.stderr.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

/// The hash of every decoded frame with its time; `key` decrypts.
fn frames(file: &Path, key: Option<&str>) -> Vec<String> {
    let mut arguments = Vec::new();
    if let Some(key) = key {
        arguments.extend(["-decryption_key", key]);
    }
    let path = file.to_str().unwrap();
    arguments.extend(["-i", path, "-map", "0", "-f", "framemd5", "-"]);
    let text = String::from_utf8(ffmpeg(&arguments)).unwrap();
    // Time, length and hash of each frame.
    let line = |l: &str| l.split(',').map(str::trim).collect::<Vec<_>>()[2..].join(" ");
    text.lines().filter(|l| !l.starts_with('#')).map(line).collect()
}

/// The two are the same frames. The last of sound may be longer: how much of it is padding only an edit list's end says.
fn assert_alike(found: &[String], expected: &[String], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: frames");
    let last = expected.len() - 1;
    for (n, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            found == expected || (n == last && what.contains("sound")),
            "{what}, frame {n}: {found}, expected {expected}"
        );
    }
}

const KEY: ContentKey = ContentKey { kid: [0x11; 16], key: [0x22; 16], iv: [0x33; 16] };

fn key_text() -> String {
    hex::encode(KEY.key)
}

fn packaged(source: &Path, scheme: Option<&Scheme>, out: &Path) -> Written {
    let file = Mp4::open(File::open(source).unwrap()).unwrap();
    let sources = [Source { file: &file, track: &file.tracks()[0] }];
    let cutting = Cutting { seconds: (4, 1), frame_ticks: None };
    let plan = plan(&sources, &cutting).unwrap();
    write(&sources, &plan, scheme, &mut BufWriter::new(File::create(out).unwrap())).unwrap()
}

fn video(folder: &Path, name: &str, codec: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let mut arguments = vec!["-f", "lavfi", "-i", "testsrc2=s=320x180:r=24000/1001:d=10"];
    arguments.extend_from_slice(codec);
    arguments.extend(["-g", "48", "-video_track_timescale", "24000", path.to_str().unwrap()]);
    ffmpeg(&arguments);
    path
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let x264 = [
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-bf",
        "3",
        "-sc_threshold",
        "0",
        "-x264-params",
        "open-gop=0:slices=2",
    ];
    let x265 = [
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-tag:v",
        "hvc1",
        "-x265-params",
        "log-level=none:no-open-gop=1:keyint=48:min-keyint=48:scenecut=0",
    ];
    let sound = folder.join("sound.mp4");
    ffmpeg(&["-f", "lavfi", "-i", "sine=440:d=10:r=48000", "-ac", "2", "-c:a", "aac", sound.to_str().unwrap()]);
    let av1 = folder.join("av1.mp4");
    let parameters = "keyint=48:scd=0";
    // The encoder greets on the error stream whatever the log level is, so it is called apart.
    let done = Command::new(tool("MATINEE_FFMPEG", "ffmpeg"))
        .args(["-nostdin", "-y", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=24000/1001:d=10", "-c:v", "libsvtav1"])
        .args(["-preset", "12", "-svtav1-params", parameters, "-video_track_timescale", "24000"])
        .arg(&av1)
        .output()
        .unwrap();
    assert!(done.status.success());
    vec![video(folder, "h264.mp4", &x264), video(folder, "h265.mp4", &x265), av1, sound]
}

fn stored(written: Written, encrypted: bool) -> TrackFile {
    let key = TrackKey { tier: KeyTier::Sd, kid: hex::encode(KEY.kid), iv: hex::encode(KEY.iv) };
    written.into_file("track.mp4".to_owned(), "made".to_owned(), encrypted.then_some(key))
}

#[test]
fn every_codec_decodes_alike_in_every_protection() {
    let folder = tempfile::tempdir().unwrap();
    for source in sources(folder.path()) {
        let original = frames(&source, None);
        let out = folder.path().join("out.mp4");
        packaged(&source, None, &out);
        assert_alike(&frames(&out, None), &original, &format!("{} clear", source.display()));

        let cenc = Scheme::Cenc { key: KEY, first_iv: 77 };
        packaged(&source, Some(&cenc), &out);
        assert_alike(&frames(&out, Some(&key_text())), &original, &format!("{} cenc", source.display()));

        let written = packaged(&source, Some(&Scheme::Cbcs(KEY)), &out);
        assert_alike(&frames(&out, Some(&key_text())), &original, &format!("{} cbcs", source.display()));
        assert_eq!(written.segments.len(), 3, "{}", source.display());

        // The stored track made into each protection, as an origin does it.
        let bytes = std::fs::read(&out).unwrap();
        let file = stored(written, true);
        let head = Head::parse(&bytes[..file.init.size as usize], &file).unwrap();
        for protection in Protection::ALL {
            let whole = head.whole(protection).unwrap();
            let mut made = whole.head.clone();
            for (number, segment) in file.segments.iter().enumerate() {
                let from = &bytes[segment.offset as usize..][..segment.size as usize];
                assert_eq!(blake3::hash(from).to_hex().to_string(), segment.blake3);
                let segment = head.segment(number, from, Some(&KEY), protection).unwrap();
                assert_eq!(segment.len() as u64, whole.segments[number].size, "{} {protection:?}", source.display());
                made.extend(segment);
            }
            assert_eq!(made.len() as u64, whole.size);
            let path = folder.path().join("made.mp4");
            std::fs::write(&path, &made).unwrap();
            let key = (protection != Protection::Clear).then(key_text);
            assert_alike(
                &frames(&path, key.as_deref()),
                &original,
                &format!("{} made {protection:?}", source.display()),
            );
        }
    }
}

#[test]
fn joined_chunks_are_the_same_bytes_on_one_timeline() {
    let folder = tempfile::tempdir().unwrap();
    let x264 = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-sc_threshold", "0"];
    let whole = video(folder.path(), "whole.mp4", &x264);
    let mut parts = Vec::new();
    for (name, first, count) in [("a.mp4", "0", "96"), ("b.mp4", "96", "144")] {
        let path = folder.path().join(name);
        let trim = format!("trim=start_frame={first},setpts=PTS-STARTPTS");
        let mut arguments =
            vec!["-f", "lavfi", "-i", "testsrc2=s=320x180:r=24000/1001:d=10", "-vf", &trim, "-frames:v", count];
        arguments.extend_from_slice(&x264);
        arguments.extend(["-g", "48", "-video_track_timescale", "24000", path.to_str().unwrap()]);
        ffmpeg(&arguments);
        parts.push(Mp4::open(File::open(&path).unwrap()).unwrap());
    }
    let sources: Vec<_> = parts.iter().map(|file| Source { file, track: &file.tracks()[0] }).collect();
    let cutting = Cutting { seconds: (96 * 1001, 24_000), frame_ticks: Some(1001) };
    let plan = plan(&sources, &cutting).unwrap();
    assert_eq!(plan.samples().collect::<Vec<_>>(), [96, 144]);
    assert_eq!(plan.duration(), 240 * 1001);
    let out = folder.path().join("joined.mp4");
    let written = write(&sources, &plan, None, &mut File::create(&out).unwrap()).unwrap();
    assert_eq!(written.segments.iter().map(|s| s.samples).collect::<Vec<_>>(), [96, 96, 48]);
    let times = |path: &Path| -> Vec<String> {
        frames(path, None).iter().map(|l| l.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(frames(&out, None).len(), 240);
    assert_eq!(times(&out).len(), times(&whole).len());

    // Every sample's bytes are those of its chunk.
    let joined = Mp4::open(File::open(&out).unwrap()).unwrap();
    let bytes = |file: &Mp4<File>| -> Vec<Vec<u8>> {
        file.samples(&file.tracks()[0])
            .map(|sample| {
                let sample = sample.unwrap();
                let mut bytes = vec![0; sample.size as usize];
                file.read(sample.offset, &mut bytes).unwrap();
                bytes
            })
            .collect()
    };
    assert_eq!(bytes(&joined), [bytes(&parts[0]), bytes(&parts[1])].concat());
}

#[test]
fn chunks_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let x264 = ["-c:v", "libx264", "-preset", "veryfast", "-sc_threshold", "0"];
    let baseline = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "baseline", "-sc_threshold", "0"];
    let (a, b) = (video(folder.path(), "a.mp4", &x264), video(folder.path(), "b.mp4", &baseline));
    let (a, b) = (Mp4::open(File::open(a).unwrap()).unwrap(), Mp4::open(File::open(b).unwrap()).unwrap());
    let sources = [Source { file: &a, track: &a.tracks()[0] }, Source { file: &b, track: &b.tracks()[0] }];
    let cutting = Cutting { seconds: (4, 1), frame_ticks: None };
    assert!(matches!(plan(&sources, &cutting), Err(TrackError::Differs { source_number: 1, .. })));
    let wrong = Cutting { seconds: (4, 1), frame_ticks: Some(1000) };
    assert!(matches!(
        plan(&sources[..1], &wrong),
        Err(TrackError::Uneven { frame: 0, found: 1001, expected: 1000, .. })
    ));
}

#[test]
fn damaged_segments_are_refused_without_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let source = video(folder.path(), "a.mp4", &["-c:v", "libx264", "-preset", "veryfast", "-sc_threshold", "0"]);
    let file = Mp4::open(File::open(source).unwrap()).unwrap();
    let sources = [Source { file: &file, track: &file.tracks()[0] }];
    assert_eq!(sources[0].track.handler, Handler::Video);
    let plan = plan(&sources, &Cutting { seconds: (4, 1), frame_ticks: None }).unwrap();
    let mut out = Cursor::new(Vec::new());
    let written = write(&sources, &plan, Some(&Scheme::Cbcs(KEY)), &mut out).unwrap();
    let bytes = out.into_inner();
    let file = stored(written, true);
    let head = Head::parse(&bytes[..file.init.size as usize], &file).unwrap();
    let whole = &bytes[file.segments[0].offset as usize..][..file.segments[0].size as usize];
    for at in 0..600.min(whole.len()) {
        for value in [0, 0x7f, 0xff] {
            let mut damaged = whole.to_vec();
            damaged[at] = value;
            // Either refused or made of whatever stands there.
            let _ = head.segment(0, &damaged, Some(&KEY), Protection::Cenc).map(|made| assert!(!made.is_empty()));
        }
        assert!(head.segment(0, &whole[..at], Some(&KEY), Protection::Clear).is_err());
    }
}
