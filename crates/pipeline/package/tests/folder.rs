//! Files packaged into a folder: a reader that is not ours finds every frame, clear and encrypted; what can't be packaged
//! is refused.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use matinee_media::cenc::ContentKey;
use matinee_model::codec::Protection;
use matinee_package::folder::{FolderError, FolderJob, package_folder};
use proptest::prelude::any;
use proptest::{prop_assert, proptest};
use tempfile::TempDir;

const SECONDS: usize = 10;
const RATE: usize = 25;

fn tool(variable: &str, name: &str) -> PathBuf {
    let installed =
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/matinee/tools/bin").join(name);
    std::env::var_os(variable).map_or_else(installed, PathBuf::from)
}

fn said(command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn film(folder: &Path) -> PathBuf {
    let path = folder.join("film.mp4");
    let sources = [
        format!("testsrc2=size=320x180:rate={RATE}:duration={SECONDS}"),
        format!("sine=frequency=440:sample_rate=48000:duration={SECONDS}"),
    ];
    let mut command = Command::new(tool("MATINEE_FFMPEG", "ffmpeg"));
    command.args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", &sources[0], "-f", "lavfi", "-i", &sources[1]]);
    command.args(["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "50", "-pix_fmt", "yuv420p"]);
    said(command.args(["-c:a", "aac", "-metadata:s:a:0", "language=fra"]).arg(&path));
    path
}

fn key() -> ContentKey {
    ContentKey { kid: [3; 16], key: *b"sixteen bytes ok", iv: [9; 16] }
}

fn job(folder: &Path, input: PathBuf, protection: Protection) -> FolderJob {
    let key = (protection != Protection::Clear).then(key);
    FolderJob { inputs: vec![input], out: folder.join(protection.name()), seconds: (4, 1), protection, key }
}

/// The pictures that ffmpeg decodes of `input`, each with its hash.
fn pictures(arguments: &[&str], input: &Path) -> Vec<String> {
    let mut command = Command::new(tool("MATINEE_FFMPEG", "ffmpeg"));
    command.args(["-nostdin", "-v", "error"]).args(arguments).arg("-i").arg(input);
    let text = said(command.args(["-map", "0:v:0", "-f", "framemd5", "-"]));
    let lines = text.lines().filter(|l| !l.starts_with('#'));
    lines.map(|l| l.rsplit(',').next().unwrap().trim().to_owned()).collect()
}

/// A track's segments behind its initialisation, as one file.
fn joined(track: &Path) -> PathBuf {
    let mut bytes = fs::read(track.join("init.mp4")).unwrap();
    for n in 0.. {
        let Ok(segment) = fs::read(track.join(format!("{n}.m4s"))) else { break };
        bytes.extend(segment);
    }
    let path = track.join("joined.mp4");
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_reader_finds_every_frame_by_hls_and_by_dash() {
    let folder = TempDir::new().unwrap();
    let master = film(folder.path());
    let expected = pictures(&[], &master);
    let job = job(folder.path(), master, Protection::Clear);
    let made = package_folder(&job).unwrap();
    assert_eq!(made.video[0].name, "video-180p-h264");
    assert_eq!((made.video[0].frame_rate.num(), made.video[0].frame_rate.den()), (RATE as u32, 1));
    assert_eq!(made.audio[0].name, "audio-fra-stereo");
    assert_eq!(made.duration_us / 1_000_000, SECONDS as u64);
    for manifest in ["master.m3u8", "live.mpd"] {
        let options = ["-allowed_extensions", "ALL", "-extension_picky", "0"];
        let options = if manifest == "live.mpd" { &[][..] } else { &options[..] };
        assert_eq!(pictures(options, &job.out.join(manifest)), expected, "{manifest}");
    }
}

#[test]
fn what_is_encrypted_opens_with_the_key_alone() {
    let folder = TempDir::new().unwrap();
    let master = film(folder.path());
    let expected = pictures(&[], &master);
    for protection in [Protection::Cbcs, Protection::Cenc] {
        let job = job(folder.path(), master.clone(), protection);
        package_folder(&job).unwrap();
        let whole = joined(&job.out.join("video-180p-h264"));
        let right = hex::encode(key().key);
        assert_eq!(pictures(&["-decryption_key", &right], &whole), expected, "{protection:?}");
        let manifest = fs::read_to_string(job.out.join("live.mpd")).unwrap();
        assert!(manifest.contains("03030303-0303-0303-0303-030303030303"), "{manifest}");
    }
}

#[test]
fn nothing_is_written_over_and_nothing_is_protected_without_a_key() {
    let folder = TempDir::new().unwrap();
    let master = film(folder.path());
    let mut job = job(folder.path(), master, Protection::Cbcs);
    job.key = None;
    assert!(matches!(package_folder(&job), Err(FolderError::NoKey("cbcs"))));
    assert!(!job.out.exists());
    fs::create_dir(&job.out).unwrap();
    fs::write(job.out.join("mine.txt"), "mine").unwrap();
    job.key = Some(key());
    assert!(matches!(package_folder(&job), Err(FolderError::NotEmpty(_))));
    assert_eq!(fs::read_dir(&job.out).unwrap().count(), 1);
}

proptest! {
    #[test]
    fn damaged_files_are_refused_without_a_panic(at in any::<u16>(), with in any::<u8>(), length in any::<u16>()) {
        let folder = TempDir::new().unwrap();
        // A head that is almost an MP4 file: sizes and codes that lie.
        let mut bytes = b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2\0\0\0\x20moov\0\0\0\x18trak\0\0\0\x10tkhd\0\0\0\0\0\0\0\0".to_vec();
        let place = usize::from(at) % bytes.len();
        bytes[place] = with;
        bytes.truncate(usize::from(length) % (bytes.len() + 1));
        let input = folder.path().join("damaged.mp4");
        fs::write(&input, bytes).unwrap();
        let refused = package_folder(&job(folder.path(), input, Protection::Clear));
        prop_assert!(refused.is_err());
    }
}
