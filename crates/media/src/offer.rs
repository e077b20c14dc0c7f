//! What a device is offered of a presentation: the tracks that it can play, in the order in which manifests list them,
//! and the keys that it will ask for. HLS and DASH are both written from it, so that they never disagree.

use matinee_model::codec::{Protection, VideoCodec, VideoRange};
use matinee_model::profile::DeviceProfile;

use crate::presentation::{AudioTrack, Presentation, TrackFile, VideoTrack};

/// Why no manifest can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// The profile excludes everything.
    #[error("version {version} has no {kind} track that device profile {profile:?} plays")]
    Nothing {
        /// The presentation's version.
        version: String,
        /// `video` or `audio`.
        kind: &'static str,
        /// The profile's name.
        profile: String,
    },
    /// The profile can't open this protection, or the packaging has none.
    #[error("{what} does not play protection {protection}")]
    Protection {
        /// The profile or the packaging.
        what: String,
        /// The protection's name.
        protection: &'static str,
    },
    /// A protected track without a key.
    #[error("track file {object:?} is clear: it can't be offered as {protection}")]
    ClearTrack {
        /// Its key in the object store.
        object: String,
        /// The protection's name.
        protection: &'static str,
    },
    /// A protected track whose key nobody named.
    #[error("no licence system was given for key {kid} of {object:?}")]
    NoSignal {
        /// Hex.
        kid: String,
        /// The track file's key in the object store.
        object: String,
    },
}

/// What the licence systems need to know of one content key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrmSignal {
    /// The key's id.
    pub kid: [u8; 16],
    /// Widevine's whole `pssh` box; empty to leave Widevine out.
    pub widevine: Vec<u8>,
    /// PlayReady's whole `pssh` box (version 0); empty to leave PlayReady out.
    pub playready: Vec<u8>,
}

/// Bytes before the PlayReady object in a version 0 `pssh`: size, type, version and flags, system id, data size.
const PSSH_HEADER: usize = 32;

impl DrmSignal {
    /// The id as 32 hex digits, lower case.
    #[must_use]
    pub fn kid_hex(&self) -> String {
        hex::encode(self.kid)
    }

    /// Whether the track is encrypted with the key.
    pub(crate) fn opens(&self, file: &TrackFile) -> bool {
        file.key.as_ref().is_some_and(|key| key.kid.eq_ignore_ascii_case(&self.kid_hex()))
    }

    /// The id as a UUID: what `cenc:default_KID` takes.
    #[must_use]
    pub fn kid_uuid(&self) -> String {
        let h = self.kid_hex();
        format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
    }

    /// The PlayReady object inside its `pssh`; absent where there is none.
    #[must_use]
    pub fn playready_object(&self) -> Option<&[u8]> {
        self.playready.get(PSSH_HEADER..).filter(|object| !object.is_empty())
    }

    /// The `pssh` (version 1) of the common system, which ClearKey reads. Source: W3C, "cenc" initialization data format.
    #[must_use]
    pub fn common_pssh(&self) -> Vec<u8> {
        const COMMON_SYSTEM: [u8; 16] =
            [0x10, 0x77, 0xef, 0xec, 0xc0, 0xb2, 0x4d, 0x02, 0xac, 0xe3, 0x3c, 0x1e, 0x52, 0xe2, 0xfb, 0x4b];
        let mut pssh = Vec::with_capacity(52);
        pssh.extend_from_slice(&52_u32.to_be_bytes());
        pssh.extend_from_slice(b"pssh\x01\0\0\0");
        pssh.extend_from_slice(&COMMON_SYSTEM);
        pssh.extend_from_slice(&1_u32.to_be_bytes());
        pssh.extend_from_slice(&self.kid);
        pssh.extend_from_slice(&0_u32.to_be_bytes());
        pssh
    }
}

/// The signal of a track's key; `None` for a clear delivery.
pub(crate) fn signal_of<'a>(
    file: &TrackFile,
    protection: Protection,
    drm: &'a [DrmSignal],
) -> Result<Option<&'a DrmSignal>, OfferError> {
    if protection == Protection::Clear {
        return Ok(None);
    }
    let Some(key) = &file.key else {
        return Err(OfferError::ClearTrack { object: file.object.clone(), protection: protection.name() });
    };
    let found = drm.iter().find(|signal| signal.opens(file));
    found.map(Some).ok_or_else(|| OfferError::NoSignal { kid: key.kid.clone(), object: file.object.clone() })
}

/// What one kind of device is offered.
#[derive(Debug, Clone)]
pub struct Offer<'a> {
    /// Where the tracks are from.
    pub presentation: &'a Presentation,
    /// How they are protected on the way.
    pub protection: Protection,
    /// The licence systems, one entry a key; empty for a clear delivery.
    pub drm: &'a [DrmSignal],
    /// H.264 in SDR first (what every device plays), then other codecs and ranges, each from the smallest.
    pub video: Vec<&'a VideoTrack>,
    /// In the presentation's order: the first is the default.
    pub audio: Vec<&'a AudioTrack>,
}

impl<'a> Offer<'a> {
    /// Chooses the tracks that `profile` plays.
    ///
    /// Fails where it plays none of them, can't open `protection`, or where a protected track's key has no entry in `drm`.
    pub fn new(
        presentation: &'a Presentation,
        profile: &DeviceProfile,
        protection: Protection,
        drm: &'a [DrmSignal],
    ) -> Result<Self, OfferError> {
        if !profile.protection.contains(&protection) {
            let what = format!("device profile {:?}", profile.name);
            return Err(OfferError::Protection { what, protection: protection.name() });
        }
        let nothing =
            |kind| OfferError::Nothing { version: presentation.version.clone(), kind, profile: profile.name.clone() };
        let shown = |t: &&VideoTrack| profile.shows(t.codec, t.range, t.height, t.frame_rate.as_f64());
        let mut video: Vec<_> = presentation.video.iter().filter(shown).collect();
        video.sort_by_key(|t| (t.range, t.codec, t.height, t.file.average_bandwidth));
        let audio: Vec<_> = presentation.audio.iter().filter(|t| profile.audio.contains(&t.layout)).collect();
        if video.is_empty() && (!presentation.video.is_empty() || audio.is_empty()) {
            return Err(nothing("video"));
        }
        if audio.is_empty() && !presentation.audio.is_empty() {
            return Err(nothing("audio"));
        }
        for file in video.iter().map(|t| &t.file).chain(audio.iter().map(|t| &t.file)) {
            signal_of(file, protection, drm)?;
        }
        Ok(Self { presentation, protection, drm, video, audio })
    }

    /// The tracks that MPEG-TS carries: H.264 in SDR.
    pub(crate) fn transport_video(&self) -> Vec<&'a VideoTrack> {
        let carried = |t: &&&VideoTrack| t.codec == VideoCodec::H264 && t.range == VideoRange::Sdr;
        self.video.iter().filter(carried).copied().collect()
    }
}

/// A span of the presentation's timeline, `start_us..end_us`, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Inclusive.
    pub start_us: u64,
    /// Exclusive.
    pub end_us: u64,
}

/// The grid that subtitles are cut on: the first video track's segments, or the first audio track's where there is no
/// video. Without a gap; the last one reaches to the presentation's end.
#[must_use]
pub fn grid(presentation: &Presentation) -> Vec<Window> {
    let video = presentation.video.first().map(|t| &t.file);
    let Some(file) = video.or_else(|| presentation.audio.first().map(|t| &t.file)) else {
        return Vec::new();
    };
    let mut windows = windows(file);
    if let Some(last) = windows.last_mut() {
        last.end_us = last.end_us.max(presentation.duration_us);
    }
    windows
}

/// The segments of a file in microseconds from its start, each end rounded once, so that their lengths add up exactly.
pub(crate) fn windows(file: &TrackFile) -> Vec<Window> {
    let scale = u128::from(file.timescale.max(1));
    let micros = |ticks: u64| ((u128::from(ticks) * 1_000_000 + scale / 2) / scale) as u64;
    let mut end = 0_u64;
    let window = |duration: u32| {
        let start = end;
        end += u64::from(duration);
        Window { start_us: micros(start), end_us: micros(end) }
    };
    file.segments.iter().map(|s| s.duration).map(window).collect()
}
