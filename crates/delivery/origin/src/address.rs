//! What a path below `/{version}/{protection}/{profile}/` asks for. Nothing else is understood, so no path leaves it.

use matinee_model::codec::Protection;
use matinee_model::profile::Packaging;

/// A path, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The version.
    pub version: String,
    /// How it is to be protected.
    pub protection: Protection,
    /// The device's profile.
    pub profile: String,
    /// What of it.
    pub resource: Resource,
}

/// What is asked for. Segments and sheets are counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Resource {
    Manifest { packaging: Packaging, max_height: Option<u32> },
    HlsMedia { track: String },
    HlsIframes { track: String },
    Init { track: String },
    Segment { track: String, number: usize },
    WholeTrack { track: String },
    TsMedia { track: String },
    TsSegment { track: String, number: usize },
    SubtitleSegment { track: String, number: usize },
    TsSubtitleSegment { track: String, number: usize },
    WholeSubtitles { track: String },
    ThumbnailSheet { number: usize },
    ThumbnailIndex,
    ThumbnailPlaylist,
}

/// A name that is safe in an address: a-z, A-Z, 0-9, '-' and '_', 64 at most.
fn name(part: &str) -> Option<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!part.is_empty() && part.len() <= 64 && part.chars().all(legal)).then(|| part.to_owned())
}

/// A number as it is written in manifests: no sign, no leading zeros.
fn number(part: &str, suffix: &str) -> Option<usize> {
    let digits = part.strip_suffix(suffix)?;
    let value: usize = digits.parse().ok()?;
    (value.to_string() == digits).then_some(value)
}

/// Understands `/{version}/{protection}/{profile}/…`, or nothing.
#[must_use]
pub fn parse(path: &str) -> Option<Address> {
    let mut parts = path.strip_prefix('/')?.split('/');
    let version = name(parts.next()?)?;
    let protection = Protection::from_name(parts.next()?)?;
    let profile = name(parts.next()?)?;
    let rest: Vec<&str> = parts.take(4).collect();
    let manifest = Packaging::of_manifest(&rest.join("/"));
    let manifest = manifest.map(|(packaging, max_height)| Resource::Manifest { packaging, max_height });
    Some(Address { version, protection, profile, resource: manifest.or_else(|| resource(&rest))? })
}

fn resource(rest: &[&str]) -> Option<Resource> {
    Some(match rest {
        ["thumbs.vtt"] => Resource::ThumbnailIndex,
        ["thumbs.m3u8"] => Resource::ThumbnailPlaylist,
        ["thumbs", sheet] => Resource::ThumbnailSheet { number: number(sheet, ".jpg")? },
        [track, "ts", "media.m3u8"] => Resource::TsMedia { track: name(track)? },
        [track, "ts", file] => match number(file, ".ts") {
            Some(number) => Resource::TsSegment { track: name(track)?, number },
            None => Resource::TsSubtitleSegment { track: name(track)?, number: number(file, ".vtt")? },
        },
        [track, file] => of_track(name(track)?, file)?,
        _ => return None,
    })
}

fn of_track(track: String, file: &str) -> Option<Resource> {
    Some(match file {
        "media.m3u8" => Resource::HlsMedia { track },
        "iframes.m3u8" => Resource::HlsIframes { track },
        "init.mp4" => Resource::Init { track },
        "track.mp4" => Resource::WholeTrack { track },
        "subs.vtt" => Resource::WholeSubtitles { track },
        _ => match number(file, ".m4s") {
            Some(number) => Resource::Segment { track, number },
            None => Resource::SubtitleSegment { track, number: number(file, ".vtt")? },
        },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    #[test]
    fn each_kind_of_address_is_understood() {
        let of = |rest: &str| parse(&format!("/v1/cbcs/web/{rest}")).map(|a| a.resource);
        let track = || "video-720p-h264".to_owned();
        let manifest = |packaging, max_height| Some(Resource::Manifest { packaging, max_height });
        assert_eq!(of("master.m3u8"), manifest(Packaging::Hls, None));
        assert_eq!(of("ts/master.m3u8"), manifest(Packaging::HlsTs, None));
        assert_eq!(of("live-480p.mpd"), manifest(Packaging::DashLive, Some(480)));
        assert_eq!(of("video-720p-h264/14.m4s"), Some(Resource::Segment { track: track(), number: 14 }));
        assert_eq!(of("video-720p-h264/ts/3.ts"), Some(Resource::TsSegment { track: track(), number: 3 }));
        assert_eq!(of("video-720p-h264/ts/media.m3u8"), Some(Resource::TsMedia { track: track() }));
        assert_eq!(of("subs-en/0.vtt"), Some(Resource::SubtitleSegment { track: "subs-en".into(), number: 0 }));
        assert_eq!(of("thumbs/2.jpg"), Some(Resource::ThumbnailSheet { number: 2 }));
    }

    #[test]
    fn what_could_leave_the_version_is_not_understood() {
        for path in [
            "/../cbcs/web/master.m3u8",
            "/v1/cbcs/web/../master.m3u8",
            "/v1/cbcs/web/a%2fb/1.m4s",
            "/v1/none/web/live.mpd",
            "/v1/cbcs/web/t/01.m4s",
            "/v1/cbcs/web/t/+1.m4s",
            "/v1/cbcs/web/t/ts/1.ts/x",
        ] {
            assert_eq!(parse(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_makes_a_name_that_is_not_one(path in any::<String>(), version in ".{0,12}", track in ".{0,12}") {
            let _ = parse(&path);
            if let Some(address) = parse(&format!("/{version}/clear/web/{track}/1.m4s")) {
                prop_assert!(address.version == version && !version.contains(['.', '/', '%']));
                prop_assert!(!track.contains(['.', '/', '%']));
            }
        }
    }
}
