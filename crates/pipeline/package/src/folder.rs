//! Packaging files into a folder, with no service around it: CMAF segments, HLS and DASH, clear or encrypted, laid out
//! as the origin serves them. What a web server gives from such a folder plays.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use matinee_media::cenc::{ContentKey, Scheme, pssh};
use matinee_media::cmaf::track::{Cutting, Piece, Source, TrackError, Written, plan, write_pieces};
use matinee_media::mp4::entry::Codec;
use matinee_media::mp4::{Mp4, Mp4Error, Track};
use matinee_media::offer::{DrmSignal, Offer, OfferError};
use matinee_media::presentation::{AudioTrack, Presentation, TrackFile, TrackKey, VideoTrack};
use matinee_media::{dash, hls};
use matinee_model::codec::{AudioLayout, KeyTier, Protection, VideoCodec, VideoRange};
use matinee_model::profile::{DeviceProfile, Packaging};
use matinee_model::time::{FrameRate, FrameRateError};

/// What is packaged, and how.
#[derive(Debug)]
pub struct FolderJob {
    /// MP4 files; every track of each is packaged.
    pub inputs: Vec<PathBuf>,
    /// Where to; made where it is missing, and must be empty.
    pub out: PathBuf,
    /// A segment's length in seconds, as a fraction.
    pub seconds: (u64, u64),
    /// How the tracks are protected.
    pub protection: Protection,
    /// The key of every track; must be there unless the protection is `clear`.
    pub key: Option<ContentKey>,
}

/// Why files can't be packaged.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file or folder can't be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There is something in the way.
    #[error("{path} is not empty: nothing is written over", path = .0.display())]
    NotEmpty(PathBuf),
    /// A file is no MP4 that is understood.
    #[error("{path}: {source}", path = path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong, and where.
        source: Mp4Error,
    },
    /// A track can't be cut or encrypted.
    #[error("{path}, track {track}: {source}", path = path.display())]
    Track {
        /// Which file.
        path: PathBuf,
        /// The track's number in it.
        track: u32,
        /// What is wrong.
        source: TrackError,
    },
    /// A track's frames come too fast or too slowly.
    #[error("{path}, track {track}: {source}", path = path.display())]
    Rate {
        /// Which file.
        path: PathBuf,
        /// The track's number in it.
        track: u32,
        /// What is wrong.
        source: FrameRateError,
    },
    /// Nothing to package.
    #[error("there is no track to package")]
    NoTracks,
    /// Protection without a key.
    #[error("protection {0} needs a key")]
    NoKey(&'static str),
    /// The manifests can't be written.
    #[error(transparent)]
    Offer(#[from] OfferError),
}

/// Packages, and returns what was made. The manifests are written last.
pub fn package_folder(job: &FolderJob) -> Result<Presentation, FolderError> {
    let key = match (job.protection, &job.key) {
        (Protection::Clear, _) => None,
        (_, Some(key)) => Some(key),
        (protection, None) => return Err(FolderError::NoKey(protection.name())),
    };
    fs::create_dir_all(&job.out).map_err(at(&job.out))?;
    if fs::read_dir(&job.out).map_err(at(&job.out))?.next().is_some() {
        return Err(FolderError::NotEmpty(job.out.clone()));
    }
    let mut film = Presentation {
        title: String::new(),
        version: job.out.display().to_string(),
        duration_us: 0,
        video: Vec::new(),
        audio: Vec::new(),
        subtitles: Vec::new(),
        thumbnails: None,
    };
    for path in &job.inputs {
        let malformed = |source| FolderError::Malformed { path: path.clone(), source };
        let file = Mp4::open(File::open(path).map_err(at(path))?).map_err(malformed)?;
        for track in file.tracks() {
            let number = (film.video.len() + film.audio.len()) as u64;
            let scheme = key.map(|key| scheme(job.protection, key, number));
            let name = unique(&film, name(track));
            let written = cut(job, path, &Source { file: &file, track }, scheme.as_ref(), &name)?;
            let tier = match track.entry.codec {
                Codec::Video { height, .. } => KeyTier::of_height(height),
                Codec::Audio { .. } => KeyTier::Audio,
            };
            let held = key.map(|k| TrackKey { tier, kid: hex::encode(k.kid), iv: hex::encode(k.iv) });
            let packaged = written.into_file(format!("{name}/track.mp4"), String::new(), held);
            film.duration_us =
                film.duration_us.max(packaged.duration() * 1_000_000 / u64::from(packaged.timescale.max(1)));
            add(&mut film, path, track, name, packaged)?;
        }
    }
    if film.video.is_empty() && film.audio.is_empty() {
        return Err(FolderError::NoTracks);
    }
    manifests(job, &film, key)?;
    Ok(film)
}

fn at(path: &Path) -> impl Fn(io::Error) -> FolderError + '_ {
    |source| FolderError::Io { path: path.to_owned(), source }
}

/// How track `number` is encrypted: under `cenc` each has a range of IVs of its own, as they share a key.
fn scheme(protection: Protection, key: &ContentKey, number: u64) -> Scheme {
    if protection == Protection::Cbcs {
        return Scheme::Cbcs(key.clone());
    }
    let start = key.iv.iter().take(8).fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    Scheme::Cenc { key: key.clone(), first_iv: start.wrapping_add(number << 40) }
}

fn layout(channels: u16) -> AudioLayout {
    if channels > AudioLayout::Stereo.channels() { AudioLayout::Surround } else { AudioLayout::Stereo }
}

fn language(track: &Track) -> String {
    String::from_utf8_lossy(&track.language).into_owned()
}

fn name(track: &Track) -> String {
    match track.entry.codec {
        Codec::Video { codec, height, .. } => format!("video-{height}p-{codec}"),
        Codec::Audio { channels, .. } => format!("audio-{}-{}", language(track), layout(channels).name()),
    }
}

/// `wanted`, with a number behind it where it is taken.
fn unique(film: &Presentation, wanted: String) -> String {
    let taken =
        |name: &String| film.video.iter().any(|v| v.name == *name) || film.audio.iter().any(|a| a.name == *name);
    let numbered = (2..).map(|n| format!("{wanted}-{n}"));
    std::iter::once(wanted.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(wanted)
}

/// Writes `{name}/init.mp4` and `{name}/{n}.m4s`.
fn cut(
    job: &FolderJob,
    path: &Path,
    source: &Source<'_, File>,
    scheme: Option<&Scheme>,
    name: &str,
) -> Result<Written, FolderError> {
    let failed = |error| FolderError::Track { path: path.to_owned(), track: source.track.id, source: error };
    let folder = job.out.join(name);
    fs::create_dir(&folder).map_err(at(&folder))?;
    let sources = [*source];
    let plan = plan(&sources, &Cutting { seconds: job.seconds, frame_ticks: None }).map_err(failed)?;
    let written = write_pieces(&sources, &plan, scheme, |piece| match piece {
        Piece::Init(bytes) => fs::write(folder.join("init.mp4"), bytes),
        Piece::Segment { number, head, data } => {
            let mut file = File::create_new(folder.join(format!("{number}.m4s")))?;
            file.write_all(head)?;
            file.write_all(data)
        }
        // Segments are files here; nobody looks them up.
        Piece::Index(_) => Ok(()),
    });
    written.map_err(failed)
}

fn add(film: &mut Presentation, path: &Path, track: &Track, name: String, file: TrackFile) -> Result<(), FolderError> {
    let codecs = track.entry.codecs.clone();
    match track.entry.codec {
        Codec::Video { codec, width, height } => {
            let frame_rate =
                rate(&file).map_err(|source| FolderError::Rate { path: path.to_owned(), track: track.id, source })?;
            let range = track.entry.range();
            film.video.push(VideoTrack { name, codec, codecs, width, height, frame_rate, range, vmaf: None, file });
        }
        Codec::Audio { sample_rate, channels } => {
            let language = language(track);
            let label = language.clone();
            let layout = layout(channels);
            film.audio.push(AudioTrack { name, codecs, language, label, layout, sample_rate, file });
        }
    }
    Ok(())
}

/// Frames a second: the track's mean.
fn rate(file: &TrackFile) -> Result<FrameRate, FrameRateError> {
    let frames: u64 = file.segments.iter().map(|s| u64::from(s.samples)).sum();
    let (mut num, mut den) = (frames * u64::from(file.timescale), file.duration());
    let (mut a, mut b) = (num, den);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    (num, den) = (num / a.max(1), den / a.max(1));
    let narrow = |n: u64, by: u64| u32::try_from(n / by).unwrap_or(u32::MAX);
    // A film of uneven frames has no short fraction.
    let by = num.max(den) / u64::from(u32::MAX) + 1;
    FrameRate::new(narrow(num, by), narrow(den, by))
}

/// `master.m3u8`, `{track}/media.m3u8` and `live.mpd`.
fn manifests(job: &FolderJob, film: &Presentation, key: Option<&ContentKey>) -> Result<(), FolderError> {
    let everything = DeviceProfile {
        name: "everything".to_owned(),
        description: String::new(),
        codecs: vec![VideoCodec::H264, VideoCodec::H265, VideoCodec::Av1],
        ranges: vec![VideoRange::Sdr, VideoRange::Hlg, VideoRange::Pq],
        max_height: u32::MAX,
        max_fps: f64::MAX,
        audio: vec![AudioLayout::Stereo, AudioLayout::Surround],
        packaging: vec![Packaging::Hls, Packaging::DashLive],
        protection: vec![job.protection],
    };
    let signals: Vec<DrmSignal> = key
        .map(|key| {
            let (kids, code) = ([key.kid], scheme(job.protection, key, 0).code());
            DrmSignal {
                kid: key.kid,
                widevine: pssh::widevine(&kids, code),
                playready: pssh::playready(&kids, code, None),
            }
        })
        .into_iter()
        .collect();
    let offer = Offer::new(film, &everything, job.protection, &signals)?;
    let put = |name: &str, text: String| {
        let path = job.out.join(name);
        fs::write(&path, text).map_err(at(&path))
    };
    let files = film.video.iter().map(|v| (&v.name, &v.file)).chain(film.audio.iter().map(|a| (&a.name, &a.file)));
    for (name, file) in files {
        put(&format!("{name}/media.m3u8"), hls::media_playlist(file, job.protection, &signals)?)?;
    }
    put("live.mpd", dash::live(&offer, None))?;
    put("master.m3u8", hls::multivariant(&offer))
}
