//! Device profiles: which of the stored renditions a kind of device is offered. Data, with an explained default.

use serde::{Deserialize, Serialize};

use crate::codec::{AudioLayout, Protection, VideoCodec, VideoRange};

/// The default profiles, as text.
pub const DEFAULT_PROFILES: &str = include_str!("../data/profiles.toml");

/// Why profiles are refused.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// They are not TOML, or have unknown or missing keys.
    #[error("the device profiles are not understood: {0}")]
    Syntax(#[from] toml::de::Error),
    /// Two profiles have one name, or a name is not safe in an address.
    #[error("device profile {0:?}: a name of a-z, 0-9 and '-' that stands there once is taken")]
    Name(String),
}

/// How segments are laid out and listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Packaging {
    /// HLS over CMAF.
    Hls,
    /// HLS over MPEG-TS, clear only.
    HlsTs,
    /// DASH, a segment a request (live profile).
    DashLive,
    /// DASH, byte ranges of one file a track (on-demand profile).
    DashOnDemand,
}

impl Packaging {
    const ALL: [Self; 4] = [Self::Hls, Self::HlsTs, Self::DashLive, Self::DashOnDemand];

    /// The manifest's folder, name and ending.
    const fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Hls => ("", "master", ".m3u8"),
            Self::HlsTs => ("ts/", "master", ".m3u8"),
            Self::DashLive => ("", "live", ".mpd"),
            Self::DashOnDemand => ("", "ondemand", ".mpd"),
        }
    }

    /// The manifest's path below a version's address: `master.m3u8`, or `master-720p.m3u8` for one whose pictures are at
    /// most 720 lines high.
    ///
    /// The limit stands in the file's name and not in a folder's, so that both list the same segments, kept once.
    #[must_use]
    pub fn manifest(self, max_height: Option<u32>) -> String {
        let (folder, name, ending) = self.parts();
        match max_height {
            Some(height) => format!("{folder}{name}-{height}p{ending}"),
            None => format!("{folder}{name}{ending}"),
        }
    }

    /// The packaging whose manifest has this path, and the height that it is limited to.
    #[must_use]
    pub fn of_manifest(path: &str) -> Option<(Self, Option<u32>)> {
        Self::ALL.into_iter().find_map(|packaging| {
            let (folder, name, ending) = packaging.parts();
            let rest = path.strip_prefix(folder)?.strip_prefix(name)?.strip_suffix(ending)?;
            let height = rest.strip_prefix('-').and_then(|rest| rest.strip_suffix('p')).and_then(|h| h.parse().ok());
            // One manifest has one path: no sign, no leading zeros.
            (packaging.manifest(height) == path).then_some((packaging, height))
        })
    }
}

/// What a kind of device can show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceProfile {
    /// As it stands in addresses: "web", "tv-4k".
    pub name: String,
    /// For people.
    pub description: String,
    /// The codecs it decodes.
    pub codecs: Vec<VideoCodec>,
    /// The ranges it shows.
    pub ranges: Vec<VideoRange>,
    /// The tallest picture.
    pub max_height: u32,
    /// The fastest picture, frames a second.
    pub max_fps: f64,
    /// The layouts it can play.
    pub audio: Vec<AudioLayout>,
    /// The packagings it understands.
    pub packaging: Vec<Packaging>,
    /// The protections it can open.
    pub protection: Vec<Protection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    profile: Vec<DeviceProfile>,
}

/// Reads profiles from TOML.
pub fn parse_profiles(text: &str) -> Result<Vec<DeviceProfile>, ProfileError> {
    let File { profile } = toml::from_str(text)?;
    for (i, p) in profile.iter().enumerate() {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let twice = profile[..i].iter().any(|q| q.name == p.name);
        if p.name.is_empty() || !p.name.chars().all(legal) || twice {
            return Err(ProfileError::Name(p.name.clone()));
        }
    }
    Ok(profile)
}

/// The default profiles.
#[must_use]
pub fn default_profiles() -> Vec<DeviceProfile> {
    parse_profiles(DEFAULT_PROFILES).expect("the default profiles are checked by a test")
}

impl DeviceProfile {
    /// Whether the device is offered a video track of these properties.
    #[must_use]
    pub fn shows(&self, codec: VideoCodec, range: VideoRange, height: u32, fps: f64) -> bool {
        self.codecs.contains(&codec)
            && self.ranges.contains(&range)
            && height <= self.max_height
            && fps <= self.max_fps + 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_profiles_are_whole() {
        let profiles = parse_profiles(DEFAULT_PROFILES).unwrap();
        assert!(profiles.iter().any(|p| p.name == "web"));
    }

    #[test]
    fn a_manifests_path_says_its_packaging_and_its_height() {
        for packaging in Packaging::ALL {
            for height in [None, Some(0), Some(720), Some(u32::MAX)] {
                assert_eq!(Packaging::of_manifest(&packaging.manifest(height)), Some((packaging, height)));
            }
        }
        assert_eq!(Packaging::HlsTs.manifest(Some(480)), "ts/master-480p.m3u8");
        for path in ["", "master", "master-.m3u8", "master-720.m3u8", "master-0720p.m3u8", "master-+720p.m3u8"] {
            assert_eq!(Packaging::of_manifest(path), None, "{path}");
        }
        for path in ["master-9999999999p.m3u8", "live.m3u8", "ts/live.mpd", "live-720p.mpd/", "../master.m3u8"] {
            assert_eq!(Packaging::of_manifest(path), None, "{path}");
        }
    }
}
