//! Which addresses a session gets: by what its device understands and how the stream is protected.

use matinee_model::codec::Protection;
use matinee_model::ids::VersionId;
use matinee_model::profile::{DeviceProfile, Packaging};

use crate::error::PlaybackError;

/// The device profile of who names none.
const DEFAULT_PROFILE: &str = "web";

/// The addresses of one session. Empty where the device does not understand the packaging.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addresses {
    /// HLS over CMAF.
    pub hls: String,
    /// DASH.
    pub dash: String,
    /// HLS over MPEG-TS, clear.
    pub hls_ts: String,
    /// WebVTT with thumbnails.
    pub thumbnails: String,
}

/// The profile of that name, or the default one for an empty name.
pub fn profile<'a>(profiles: &'a [DeviceProfile], name: &str) -> Result<&'a DeviceProfile, PlaybackError> {
    let wanted = if name.is_empty() { DEFAULT_PROFILE } else { name };
    let found = profiles.iter().find(|profile| profile.name == wanted);
    // Profiles of one's own need not have the default's name.
    let found = found.or(if name.is_empty() { profiles.first() } else { None });
    found.ok_or_else(|| {
        let known: Vec<&str> = profiles.iter().map(|profile| profile.name.as_str()).collect();
        PlaybackError::field("profile", format!("{:?} is not one of {}", shortened(name), known.join(", ")))
    })
}

/// The protection of that name; for an empty name, the strongest default that the profile can open.
pub fn protection(profile: &DeviceProfile, name: &str) -> Result<Protection, PlaybackError> {
    let opens = |protection: &Protection| profile.protection.contains(protection);
    let chosen = if name.is_empty() {
        Some(Protection::default()).filter(opens).or_else(|| profile.protection.first().copied())
    } else {
        Protection::from_name(name).filter(opens)
    };
    chosen.ok_or_else(|| {
        let known: Vec<&str> = profile.protection.iter().map(|protection| protection.name()).collect();
        let reason =
            format!("{:?} is not one that profile {} opens: {}", shortened(name), profile.name, known.join(", "));
        PlaybackError::field("protection", reason)
    })
}

/// The addresses of `version` below `edge_url` for a device, with pictures up to `max_height`. `token` signs them for one
/// protection: who may fetch the encrypted stream may not fetch a clear one, so MPEG-TS, which is always clear, is only
/// given where that was chosen.
#[must_use]
pub fn addresses(
    edge_url: &str,
    token: impl Fn(Protection) -> String,
    version: &VersionId,
    device: &DeviceProfile,
    protection: Protection,
    max_height: Option<u32>,
    profiles: &[DeviceProfile],
) -> Addresses {
    let base = edge_url.trim_end_matches('/');
    let below = |protection: Protection, profile: &DeviceProfile, file: &str| {
        let token = token(protection);
        format!("{base}/v/{token}/{version}/{}/{}/{file}", protection.name(), profile.name)
    };
    let manifest = |protection: Protection, profile: &DeviceProfile, packaging: Packaging| {
        // Said only where it limits, so that as many as can share one manifest.
        let limit = max_height.filter(|height| *height < profile.max_height);
        below(protection, profile, &packaging.manifest(limit))
    };
    let speaks = |packaging| device.packaging.contains(&packaging);
    let dash = match (speaks(Packaging::DashLive), speaks(Packaging::DashOnDemand)) {
        (true, _) => manifest(protection, device, Packaging::DashLive),
        (false, true) => manifest(protection, device, Packaging::DashOnDemand),
        (false, false) => String::new(),
    };
    let old = |p: &&DeviceProfile| p.packaging.contains(&Packaging::HlsTs) && p.protection.contains(&Protection::Clear);
    let legacy = Some(device).filter(old).or_else(|| profiles.iter().find(old));
    Addresses {
        hls: if speaks(Packaging::Hls) { manifest(protection, device, Packaging::Hls) } else { String::new() },
        dash,
        hls_ts: legacy
            .filter(|_| protection == Protection::Clear)
            .map_or_else(String::new, |p| manifest(Protection::Clear, p, Packaging::HlsTs)),
        thumbnails: below(protection, device, "thumbs.vtt"),
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use matinee_model::profile::default_profiles;

    use super::*;

    fn given(edge_url: &str, name: &str) -> Addresses {
        let profiles = default_profiles();
        let device = profile(&profiles, name).unwrap();
        limited(edge_url, device, None)
    }

    fn limited(edge_url: &str, device: &DeviceProfile, max_height: Option<u32>) -> Addresses {
        let (profiles, version) = (default_profiles(), VersionId::parse("v1").unwrap());
        let chosen = protection(device, "").unwrap();
        addresses(edge_url, |p| format!("T-{}", p.name()), &version, device, chosen, max_height, &profiles)
    }

    #[test]
    fn a_plans_height_stands_in_the_manifests_names_where_it_limits() {
        let profiles = default_profiles();
        let web = profile(&profiles, "web").unwrap();
        let low = limited("", web, Some(480));
        assert_eq!(low.hls, "/v/T-cbcs/v1/cbcs/web/master-480p.m3u8");
        assert_eq!(low.dash, "/v/T-cbcs/v1/cbcs/web/live-480p.mpd");
        assert_eq!(limited("", web, Some(web.max_height)), limited("", web, None));
        let old = profile(&profiles, "legacy-hls").unwrap();
        assert_eq!(limited("", old, Some(240)).hls_ts, "/v/T-clear/v1/clear/legacy-hls/ts/master-240p.m3u8");
    }

    #[test]
    fn a_browser_gets_every_packaging_that_can_be_encrypted() {
        let expected = Addresses {
            hls: "/v/T-cbcs/v1/cbcs/web/master.m3u8".to_owned(),
            dash: "/v/T-cbcs/v1/cbcs/web/live.mpd".to_owned(),
            hls_ts: String::new(),
            thumbnails: "/v/T-cbcs/v1/cbcs/web/thumbs.vtt".to_owned(),
        };
        assert_eq!(given("", ""), expected);
    }

    #[test]
    fn an_old_device_gets_what_it_understands() {
        let addresses = given("https://edge.example.org/", "legacy-hls");
        assert_eq!((addresses.hls.as_str(), addresses.dash.as_str()), ("", ""));
        assert_eq!(addresses.hls_ts, "https://edge.example.org/v/T-clear/v1/clear/legacy-hls/ts/master.m3u8");
    }

    #[test]
    fn what_is_unknown_is_refused_with_what_there_is() {
        let profiles = default_profiles();
        let message = profile(&profiles, "toaster").unwrap_err().to_string();
        assert_eq!(message, "profile is refused: \"toaster\" is not one of web, mobile, tv-hd, tv-4k, legacy-hls");
        let web = profile(&profiles, "").unwrap();
        let message = protection(web, "rot13").unwrap_err().to_string();
        assert_eq!(message, "protection is refused: \"rot13\" is not one that profile web opens: cbcs, cenc, clear");
        let old = profile(&profiles, "legacy-hls").unwrap();
        assert_eq!(protection(old, "").unwrap(), Protection::Clear);
        assert!(protection(old, "cbcs").unwrap_err().to_string().contains("legacy-hls opens: clear"));
    }

    #[test]
    fn profiles_of_ones_own_need_no_web() {
        let mut profiles = default_profiles();
        profiles.retain(|profile| profile.name == "tv-hd");
        assert_eq!(profile(&profiles, "").unwrap().name, "tv-hd");
        assert!(profile(&profiles, "web").is_err());
    }
}
