//! Everything that can be served from the stored tracks of one version: each way to combine a picture, a sound,
//! subtitles, a packaging, a protection and a kind of device. None of them is stored; each is made when asked for.

use matinee_model::codec::{AudioLayout, Protection, VideoCodec, VideoRange};
use matinee_model::profile::{DeviceProfile, Packaging};

/// The tracks that are stored of one version.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// Pictures.
    pub video: Vec<StoredVideo>,
    /// Sounds.
    pub audio: Vec<StoredAudio>,
    /// Names of subtitle tracks.
    pub subtitles: Vec<String>,
}

/// A stored picture.
#[derive(Debug, Clone)]
pub struct StoredVideo {
    /// `video-720p-h264`.
    pub name: String,
    /// Its codec.
    pub codec: VideoCodec,
    /// Its range.
    pub range: VideoRange,
    /// Lines.
    pub height: u32,
    /// Frames a second.
    pub fps: f64,
}

/// A stored sound.
#[derive(Debug, Clone)]
pub struct StoredAudio {
    /// `audio-en-stereo`.
    pub name: String,
    /// Stereo or surround.
    pub layout: AudioLayout,
}

/// One thing that can be played.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Combination {
    /// The picture's track.
    pub video: String,
    /// The sound's track; absent where the film is silent.
    pub audio: Option<String>,
    /// The subtitles' track; absent where they are off.
    pub subtitles: Option<String>,
    /// How it is laid out and listed.
    pub packaging: Packaging,
    /// How it is protected.
    pub protection: Protection,
    /// The device's profile.
    pub profile: String,
}

/// Whether a packaging can carry this picture under this protection.
///
/// MPEG-TS is made clear and with H.264 only: no player reads Common Encryption or AV1 there.
fn carries(packaging: Packaging, protection: Protection, codec: VideoCodec) -> bool {
    packaging != Packaging::HlsTs || (protection == Protection::Clear && codec == VideoCodec::H264)
}

/// Every combination that `profiles` are offered of `stored`, in the order of the profiles; each stands there once.
///
/// A silent film has combinations without a sound; a film with sound that a device can't play has none for it.
pub fn combinations<'a>(stored: &'a Stored, profiles: &'a [DeviceProfile]) -> impl Iterator<Item = Combination> + 'a {
    profiles.iter().flat_map(move |profile| {
        let video = stored.video.iter().filter(|v| profile.shows(v.codec, v.range, v.height, v.fps));
        video.flat_map(move |picture| of_picture(stored, profile, picture))
    })
}

/// The combinations of one picture on one kind of device.
fn of_picture(stored: &Stored, profile: &DeviceProfile, picture: &StoredVideo) -> Vec<Combination> {
    let audio: Vec<Option<&StoredAudio>> = if stored.audio.is_empty() {
        vec![None]
    } else {
        stored.audio.iter().filter(|a| profile.audio.contains(&a.layout)).map(Some).collect()
    };
    let mut all = Vec::new();
    for &packaging in &profile.packaging {
        for &protection in profile.protection.iter().filter(|p| carries(packaging, **p, picture.codec)) {
            for sound in &audio {
                if packaging == Packaging::HlsTs && sound.is_some_and(|a| a.layout == AudioLayout::Surround) {
                    continue; // It is muxed with the default stereo sound.
                }
                for subtitles in std::iter::once(None).chain(stored.subtitles.iter().map(Some)) {
                    all.push(Combination {
                        video: picture.name.clone(),
                        audio: sound.map(|a| a.name.clone()),
                        subtitles: subtitles.cloned(),
                        packaging,
                        protection,
                        profile: profile.name.clone(),
                    });
                }
            }
        }
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashSet;

    use matinee_model::ladder::{DEFAULT_LADDER, Ladder};
    use matinee_model::profile::default_profiles;

    use super::*;

    fn uhd_hdr() -> Stored {
        let rungs = Ladder::parse(DEFAULT_LADDER).unwrap();
        let video = rungs.enabled().into_iter().map(|rung| StoredVideo {
            name: format!("video-{}p-{}", rung.height, rung.codec),
            codec: rung.codec,
            range: if rung.codec == VideoCodec::H264 { VideoRange::Sdr } else { VideoRange::Pq },
            height: rung.height,
            fps: 24.0,
        });
        let layouts = [AudioLayout::Stereo, AudioLayout::Surround];
        let audio = layouts.into_iter().flat_map(|layout| {
            ["en", "fr", "de"].map(|l| StoredAudio { name: format!("audio-{l}-{}", layout.name()), layout })
        });
        Stored {
            video: video.collect(),
            audio: audio.collect(),
            subtitles: ["en", "fr", "de"].map(|l| format!("subs-{l}")).to_vec(),
        }
    }

    #[test]
    fn a_2160p_hdr_master_serves_1200_combinations_and_each_once() {
        let profiles = default_profiles();
        let all: Vec<_> = combinations(&uhd_hdr(), &profiles).collect();
        let once: HashSet<_> = all.iter().collect();
        assert_eq!(once.len(), all.len());
        assert!(all.len() >= 1200, "{}", all.len());
    }

    #[test]
    fn transport_streams_are_clear_and_never_carry_surround() {
        let profiles = default_profiles();
        for c in combinations(&uhd_hdr(), &profiles).filter(|c| c.packaging == Packaging::HlsTs) {
            assert_eq!(c.protection, Protection::Clear);
            assert!(c.video.ends_with("h264"), "{c:?}");
            assert!(c.audio.is_some_and(|a| !a.ends_with("surround")));
        }
    }

    #[test]
    fn a_silent_film_is_combined_without_sound() {
        let silent = Stored { audio: Vec::new(), ..uhd_hdr() };
        let profiles = default_profiles();
        let all: Vec<_> = combinations(&silent, &profiles).collect();
        assert!(!all.is_empty());
        assert!(all.iter().all(|c| c.audio.is_none()));
    }
}
