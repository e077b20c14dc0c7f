//! Real films with damaged bytes, through everything that reads them: refused or read, never a panic, never without end.

#![allow(clippy::unwrap_used)]

use std::io::Cursor;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use matinee_media::cenc::{ContentKey, Scheme};
use matinee_media::cmaf::track::{Cutting, Source, plan, write};
use matinee_media::mp4::Mp4;
use matinee_media::presentation::{TrackFile, TrackKey};
use matinee_media::reprotect::Head;
use matinee_media::ts::{AacConfig, AvcConfig};
use matinee_model::codec::{KeyTier, Protection};
use proptest::prelude::*;

const KEY: ContentKey = ContentKey { kid: [1; 16], key: [2; 16], iv: [3; 16] };
const CUTTING: Cutting = Cutting { seconds: (4, 1), frame_ticks: None };

fn ffmpeg() -> PathBuf {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    std::env::var_os("MATINEE_FFMPEG").map_or_else(|| home.join(".cache/matinee/tools/bin/ffmpeg"), PathBuf::from)
}

/// Small real films: with tables and with fragments, H.264 and H.265, with sound.
fn films() -> &'static [Vec<u8>] {
    static FILMS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FILMS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let made = |name: &str, options: &str| {
            let path = folder.path().join(name);
            let done = Command::new(ffmpeg())
                .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=1"])
                .args(["-f", "lavfi", "-i", "sine=d=1:r=48000", "-c:a", "aac", "-g", "12", "-pix_fmt", "yuv420p"])
                .args(options.split_whitespace())
                .arg(&path)
                .output()
                .unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            std::fs::read(path).unwrap()
        };
        vec![
            made("tables.mp4", "-c:v libx264 -preset ultrafast -bf 2"),
            made("first.mp4", "-c:v libx264 -preset ultrafast -movflags +faststart"),
            made("fragments.mp4", "-c:v libx264 -preset ultrafast -movflags +frag_keyframe+empty_moov"),
            made("hevc.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none -tag:v hvc1"),
        ]
    })
}

/// Reads everything there is to read in a file, and packages it.
fn digest(bytes: Vec<u8>) {
    let Ok(file) = Mp4::open(bytes) else { return };
    for track in file.tracks() {
        let _ = AvcConfig::parse(&track.entry.config);
        let _ = AacConfig::parse(&track.entry.config);
        let sources = [Source { file: &file, track }];
        let Ok(planned) = plan(&sources, &CUTTING) else { continue };
        for scheme in [None, Some(Scheme::Cbcs(KEY)), Some(Scheme::Cenc { key: KEY, first_iv: 9 })] {
            let _ = write(&sources, &planned, scheme.as_ref(), &mut Cursor::new(Vec::new()));
        }
    }
}

/// A stored track: its bytes and what is known of it.
fn stored() -> &'static (Vec<u8>, TrackFile) {
    static STORED: OnceLock<(Vec<u8>, TrackFile)> = OnceLock::new();
    STORED.get_or_init(|| {
        let file = Mp4::open(films()[0].clone()).unwrap();
        let sources = [Source { file: &file, track: &file.tracks()[0] }];
        let mut out = Cursor::new(Vec::new());
        let written = write(&sources, &plan(&sources, &CUTTING).unwrap(), Some(&Scheme::Cbcs(KEY)), &mut out).unwrap();
        let key = TrackKey { tier: KeyTier::Sd, kid: hex::encode(KEY.kid), iv: hex::encode(KEY.iv) };
        (out.into_inner(), written.into_file("track.mp4".to_owned(), "made".to_owned(), Some(key)))
    })
}

#[derive(Debug, Clone)]
enum Damage {
    Byte(prop::sample::Index, u8),
    /// Four bytes, as a size or a count stands there.
    Word(prop::sample::Index, u32),
    Cut(prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let sizes = prop_oneof![Just(0), Just(1), Just(8), Just(u32::MAX), Just(1 << 31), any::<u32>()];
    let one = prop_oneof![
        4 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        4 => (any::<prop::sample::Index>(), sizes).prop_map(|(at, word)| Damage::Word(at, word)),
        1 => any::<prop::sample::Index>().prop_map(Damage::Cut),
    ];
    proptest::collection::vec(one, 1..6)
}

/// Damages `bytes` within `within`.
fn damaged(bytes: &[u8], within: std::ops::Range<usize>, damage: &[Damage]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for each in damage {
        let end = within.end.min(bytes.len());
        if end < within.start + 4 {
            break;
        }
        let place = |at: &prop::sample::Index| within.start + at.index(end - within.start - 3);
        match each {
            Damage::Byte(at, byte) => bytes[place(at)] = *byte,
            Damage::Word(at, word) => {
                let at = place(at);
                bytes[at..at + 4].copy_from_slice(&word.to_be_bytes());
            }
            Damage::Cut(at) => bytes.truncate(place(at)),
        }
    }
    bytes
}

/// Where the tables are: the rest of a film is pictures.
fn tables(bytes: &[u8]) -> std::ops::Range<usize> {
    let moov = bytes.windows(4).position(|w| w == b"moov").unwrap();
    let size = u32::from_be_bytes(bytes[moov - 4..moov].try_into().unwrap()) as usize;
    moov - 4..moov - 4 + size
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_tables_never_panic(film in 0_usize..4, damage in damage()) {
        let bytes = &films()[film];
        digest(damaged(bytes, tables(bytes), &damage));
    }

    #[test]
    fn damaged_films_never_panic(film in 0_usize..4, damage in damage()) {
        let bytes = &films()[film];
        digest(damaged(bytes, 0..bytes.len(), &damage));
    }

    #[test]
    fn damaged_stored_tracks_never_panic(damage in damage(), segment: bool) {
        let (bytes, file) = stored();
        let head = (file.init.offset + file.init.size) as usize;
        let first = &file.segments[0];
        let (from, to) = (first.offset as usize, (first.offset + u64::from(first.size)) as usize);
        let (init, media) = if segment {
            (bytes[..head].to_vec(), damaged(&bytes[from..to], 0..to - from, &damage))
        } else {
            (damaged(&bytes[..head], 0..head, &damage), bytes[from..to].to_vec())
        };
        let Ok(read) = Head::parse(&init, file) else { return Ok(()) };
        for protection in Protection::ALL {
            let _ = read.init(protection);
            let _ = read.whole(protection);
            let _ = read.segment(0, &media, Some(&KEY), protection);
        }
    }
}
