//! Making what is asked for from what is stored.

use std::sync::Arc;

use bytes::Bytes;
use matinee_contracts::license::license_client::LicenseClient;
use matinee_contracts::workflow::workflow_client::WorkflowClient;
use matinee_engines::objects::ObjectStorage;
use matinee_media::offer::{DrmSignal, Offer, grid};
use matinee_media::presentation::TrackFile;
use matinee_media::reprotect::{ClearSegment, WholeFile};
use matinee_media::subtitles::{Clock, parse, segment};
use matinee_media::{dash, hls, thumbnails, ts};
use matinee_model::codec::{AudioLayout, Protection};
use matinee_model::profile::{DeviceProfile, Packaging};
use matinee_service::channel::Channel;

use crate::address::{Address, Resource};
use crate::error::OriginError;
use crate::film::{Film, Films, StoredTrack, piece};
use crate::verified::{Piece, VerifiedPieces};

/// Films whose description is kept in memory.
const FILMS: u64 = 256;

/// What is answered.
#[derive(Debug)]
pub enum Made {
    /// All of it.
    Bytes(Content),
    /// A whole track, made piece by piece.
    Track(TrackStream),
}

/// Something small enough to be in memory.
#[derive(Debug)]
pub struct Content {
    /// What.
    pub bytes: Bytes,
    /// Its media type.
    pub media_type: &'static str,
}

/// A whole track in some protection.
#[derive(Debug, Clone)]
pub struct TrackStream {
    film: Arc<Film>,
    name: String,
    protection: Protection,
    /// How it is laid out.
    pub whole: Arc<WholeFile>,
}

/// The origin. Cheap to clone.
#[derive(Clone)]
pub struct OriginService {
    films: Films,
    pieces: VerifiedPieces,
    profiles: Arc<[DeviceProfile]>,
}

const M3U8: &str = "application/vnd.apple.mpegurl";
const MPD: &str = "application/dash+xml";
const MP4: &str = "video/mp4";
const AUDIO: &str = "audio/mp4";
const TS: &str = "video/mp2t";
const VTT: &str = "text/vtt; charset=utf-8";
const JPEG: &str = "image/jpeg";

fn text(text: String, media_type: &'static str) -> Made {
    Made::Bytes(Content { bytes: Bytes::from(text), media_type })
}

fn data(bytes: impl Into<Bytes>, media_type: &'static str) -> Made {
    Made::Bytes(Content { bytes: bytes.into(), media_type })
}

impl OriginService {
    /// Over these stores and services; keeps up to `cache_bytes` of stored pieces in memory.
    #[must_use]
    pub fn new(
        objects: ObjectStorage,
        license: LicenseClient<Channel>,
        workflow: WorkflowClient<Channel>,
        profiles: Vec<DeviceProfile>,
        cache_bytes: u64,
    ) -> Self {
        let hashers = std::thread::available_parallelism().map_or(1, usize::from);
        let pieces = VerifiedPieces::new(objects.clone(), workflow, cache_bytes, hashers);
        let films = Films::new(objects, pieces.clone(), license, FILMS);
        Self { films, pieces, profiles: profiles.into() }
    }

    /// Makes what an address asks for.
    pub async fn make(&self, address: &Address) -> Result<Made, OriginError> {
        let film = self.films.get(&address.version).await?;
        let presentation = &film.presentation;
        let protection = address.protection;
        let thumbnails = || presentation.thumbnails.as_ref().ok_or_else(|| film.no("thumbnails"));
        Ok(match &address.resource {
            Resource::Manifest { packaging, max_height } => self.manifest(&film, address, *packaging, *max_height)?,
            Resource::HlsMedia { track } | Resource::TsMedia { track } if film.subtitles(track).is_some() => {
                text(hls::subtitle_playlist(presentation), M3U8)
            }
            Resource::HlsMedia { track } => {
                let stored = film.track(track)?;
                let drm = own(&film, &stored, protection);
                text(hls::media_playlist(stored.file, protection, &drm)?, M3U8)
            }
            Resource::TsMedia { track } => text(hls::ts_playlist(film.track(track)?.file), M3U8),
            Resource::HlsIframes { track } => {
                return Err(film.no(&format!("I-frame playlist of {track}: see thumbs.m3u8")));
            }
            Resource::Init { track } => data(film.track(track)?.head.init(protection)?, media_type(track)),
            Resource::Segment { track, number } => {
                data(self.segment(&film, track, *number, protection).await?, media_type(track))
            }
            Resource::WholeTrack { track } => {
                let whole = Arc::new(film.track(track)?.head.whole(protection)?);
                Made::Track(TrackStream { film: Arc::clone(&film), name: track.clone(), protection, whole })
            }
            Resource::TsSegment { track, number } => {
                if protection != Protection::Clear {
                    return Err(OriginError::NotFound("MPEG-TS is only made clear".to_owned()));
                }
                data(self.transport(&film, track, *number).await?, TS)
            }
            Resource::SubtitleSegment { track, number } => {
                text(self.subtitles(&film, track, Some((*number, Clock::Cmaf))).await?, VTT)
            }
            Resource::TsSubtitleSegment { track, number } => {
                text(self.subtitles(&film, track, Some((*number, Clock::Ts))).await?, VTT)
            }
            Resource::WholeSubtitles { track } => text(self.subtitles(&film, track, None).await?, VTT),
            Resource::ThumbnailIndex => text(thumbnails::vtt(thumbnails()?, presentation.duration_us), VTT),
            Resource::ThumbnailPlaylist => text(hls::image_playlist(thumbnails()?, presentation.duration_us), M3U8),
            Resource::ThumbnailSheet { number } => {
                let sheet = thumbnails()?.sheets.get(*number).ok_or_else(|| film.no(&format!("sheet {number}")))?;
                data(self.pieces.get(&whole_object(&sheet.object, sheet.size, &sheet.blake3)).await?, JPEG)
            }
        })
    }

    /// Lists no picture above `max_height`: what a session's plan does not give has no key in its licence, and a player
    /// that found it here would try to play it.
    fn manifest(
        &self,
        film: &Film,
        address: &Address,
        packaging: Packaging,
        max_height: Option<u32>,
    ) -> Result<Made, OriginError> {
        let named = self.profiles.iter().find(|p| p.name == address.profile);
        let profile =
            named.ok_or_else(|| OriginError::NotFound(format!("there is no device profile {}", address.profile)))?;
        let max_height = max_height.map_or(profile.max_height, |height| height.min(profile.max_height));
        let profile = DeviceProfile { max_height, ..profile.clone() };
        let drm = film.drm(address.protection);
        let offer = Offer::new(&film.presentation, &profile, address.protection, &drm)?;
        Ok(match packaging {
            Packaging::Hls => text(hls::multivariant(&offer), M3U8),
            Packaging::HlsTs => text(hls::multivariant_ts(&offer)?, M3U8),
            Packaging::DashLive => text(dash::live(&offer, None), MPD),
            Packaging::DashOnDemand => {
                let mut heads = std::collections::HashMap::new();
                let names = offer.video.iter().map(|v| &v.name).chain(offer.audio.iter().map(|a| &a.name));
                for name in names {
                    let whole = film.track(name)?.head.whole(address.protection)?;
                    heads.insert(name.clone(), (whole.init, whole.sidx));
                }
                let head = |name: &str, file: &TrackFile| {
                    let (init, sidx) = heads.get(name).copied().unwrap_or((file.init, file.sidx));
                    dash::Head { init, sidx }
                };
                text(dash::on_demand(&offer, None, head), MPD)
            }
        })
    }

    async fn segment(&self, film: &Film, track: &str, number: usize, to: Protection) -> Result<Bytes, OriginError> {
        let stored = film.track(track)?;
        let piece = piece(stored.file, number).ok_or_else(|| film.no(&format!("segment {number} of {track}")))?;
        let bytes = self.pieces.get(&piece).await?;
        let as_stored = if stored.file.key.is_some() { Protection::Cbcs } else { Protection::Clear };
        if to == as_stored {
            return Ok(bytes);
        }
        Ok(stored.head.segment(number, &bytes, film.key(stored.head), to)?.into())
    }

    /// A segment in the clear. None where the track has fewer.
    async fn clear(
        &self,
        film: &Film,
        stored: &StoredTrack<'_>,
        number: usize,
    ) -> Result<Option<ClearSegment>, OriginError> {
        let Some(piece) = piece(stored.file, number) else { return Ok(None) };
        let bytes = self.pieces.get(&piece).await?;
        Ok(Some(stored.head.samples(number, &bytes, film.key(stored.head))?))
    }

    async fn transport(&self, film: &Film, track: &str, number: usize) -> Result<Vec<u8>, OriginError> {
        let stored = film.track(track)?;
        let alone = film.presentation.audio.iter().any(|a| a.name == track);
        let stereo = film.presentation.audio.iter().find(|a| alone || a.layout == AudioLayout::Stereo);
        let sound = match (alone, stereo) {
            (true, _) => Some(stored),
            (false, Some(audio)) => Some(film.track(&audio.name)?),
            (false, None) => None,
        };
        let missing = || film.no(&format!("segment {number} of {track}"));
        let mut audio = None;
        if let Some(sound) = &sound {
            audio = self.clear(film, sound, number).await?;
        }
        let picture = if alone { None } else { Some(self.clear(film, &stored, number).await?.ok_or_else(missing)?) };
        if alone && audio.is_none() {
            return Err(missing());
        }
        let pictures = picture.as_ref().map(|p| decoded_first(samples(p), &p.samples)).unwrap_or_default();
        let sounds = audio.as_ref().map(samples).unwrap_or_default();
        let avc = if alone { None } else { Some(ts::AvcConfig::parse(stored.head.configuration())?) };
        let aac = sound.as_ref().map(|s| ts::AacConfig::parse(s.head.configuration())).transpose()?;
        let video =
            avc.as_ref().map(|config| ts::TsVideo { config, timescale: stored.file.timescale, samples: &pictures });
        let with = sound.as_ref().zip(aac.as_ref()).filter(|_| audio.is_some());
        let audio = with.map(|(s, config)| ts::TsAudio { config, timescale: s.file.timescale, samples: &sounds });
        Ok(ts::segment(video, audio)?)
    }

    async fn subtitles(&self, film: &Film, track: &str, part: Option<(usize, Clock)>) -> Result<String, OriginError> {
        let stored = film.subtitles(track).ok_or_else(|| film.no(&format!("subtitles {track}")))?;
        let bytes = self.pieces.get(&whole_object(&stored.object, stored.size, &stored.blake3)).await?;
        let Some((number, clock)) = part else { return Ok(String::from_utf8_lossy(&bytes).into_owned()) };
        let windows = grid(&film.presentation);
        let window = windows.get(number).ok_or_else(|| film.no(&format!("segment {number} of {track}")))?;
        let parsed = parse(&bytes).map_err(|error| OriginError::Unavailable(format!("{}: {error}", stored.object)))?;
        Ok(segment(&parsed.cues, *window, clock))
    }

    /// Bytes of a whole track: its head, or one of its segments, counted from 1.
    pub async fn part(&self, stream: &TrackStream, number: usize) -> Result<Bytes, OriginError> {
        match number.checked_sub(1) {
            None => Ok(Bytes::copy_from_slice(&stream.whole.head)),
            Some(segment) => self.segment(&stream.film, &stream.name, segment, stream.protection).await,
        }
    }
}

impl TrackStream {
    /// Its media type.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        media_type(&self.name)
    }

    /// What changes when the bytes do.
    pub fn identity(&self) -> Result<String, OriginError> {
        let file = self.film.track(&self.name)?.file;
        Ok(format!("{}/{}/{}", file.output_key, file.head_blake3, self.protection.name()))
    }
}

fn media_type(track: &str) -> &'static str {
    if track.starts_with("audio") { AUDIO } else { MP4 }
}

/// Only the key of this track.
fn own(film: &Film, stored: &StoredTrack<'_>, protection: Protection) -> Vec<DrmSignal> {
    let kid = stored.head.kid();
    film.drm(protection).into_iter().filter(|signal| Some(signal.kid) == kid).collect()
}

fn whole_object(object: &str, size: u64, blake3: &str) -> Piece {
    // Outputs stand below the key of the task that made them: `work/{key}/…`.
    let output_key = object.split('/').nth(1).unwrap_or_default().to_owned();
    Piece { object: object.to_owned(), offset: 0, size, blake3: blake3.to_owned(), output_key }
}

fn samples(segment: &ClearSegment) -> Vec<ts::Sample<'_>> {
    let sample = |s: &matinee_media::reprotect::ClearSample| (s.dts, s.cts, s.sync, s.range.clone());
    let all = segment.samples.iter().map(sample);
    all.map(|(dts, cts, sync, range)| ts::Sample { dts, cts, sync, data: &segment.data[range] }).collect()
}

/// Frames by which x264 decodes ahead: its B-frames are references of one another, two deep.
const REORDERED: i64 = 2;

/// MPEG-TS wants each picture decoded before it is shown, CMAF lets it be shown earlier (negative composition offsets): the
/// decoding times go back, by as much in every segment.
fn decoded_first<'a>(
    mut samples: Vec<ts::Sample<'a>>,
    timed: &[matinee_media::reprotect::ClearSample],
) -> Vec<ts::Sample<'a>> {
    let frame = timed.first().map_or(0, |s| i64::from(s.duration));
    let needed = samples.iter().map(|s| -s.cts).max().unwrap_or(0);
    let shift = needed.max(REORDERED * frame);
    for sample in &mut samples {
        sample.dts -= shift;
        sample.cts += shift;
    }
    samples
}

#[cfg(test)]
mod tests {
    use matinee_media::reprotect::ClearSample;

    use super::*;

    #[test]
    fn pictures_are_decoded_before_they_are_shown_and_shown_when_they_were() {
        let cts = [0_i64, 2, -1, -2, 1];
        let timed: Vec<ClearSample> = (0..5)
            .map(|n| ClearSample { dts: n * 100, cts: cts[n as usize] * 100, duration: 100, sync: n == 0, range: 0..0 })
            .collect();
        let segment = ClearSegment { data: Vec::new(), samples: timed.clone() };
        let made = decoded_first(samples(&segment), &timed);
        assert!(made.iter().all(|s| s.cts >= 0), "{made:?}");
        assert!(made.is_sorted_by(|a, b| a.dts < b.dts));
        assert!(made.iter().zip(&timed).all(|(a, b)| a.dts + a.cts == b.dts + b.cts));
        assert_eq!(made[0].dts, -200);
    }
}
