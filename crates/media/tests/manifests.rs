//! Manifests as independent readers find them: m3u8-rs every playlist, dash-mpd-core every MPD.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use matinee_media::offer::{DrmSignal, Offer, OfferError, grid};
use matinee_media::presentation::{
    AudioTrack, ByteRange, Presentation, Segment, Sheet, SubtitleTrack, Thumbnails, TrackFile, TrackKey, VideoTrack,
};
use matinee_media::{dash, hls, thumbnails};
use matinee_model::codec::{AudioLayout, KeyTier, Protection, VideoCodec, VideoRange};
use matinee_model::profile::{DeviceProfile, default_profiles};

const KIDS: [(KeyTier, u8); 4] =
    [(KeyTier::Audio, 0xa0), (KeyTier::Sd, 0x5d), (KeyTier::Hd, 0x4d), (KeyTier::Uhd, 0x0d)];

fn kid(tier: KeyTier) -> [u8; 16] {
    [KIDS.iter().find(|(t, _)| *t == tier).unwrap().1; 16]
}

fn signals() -> Vec<DrmSignal> {
    let signal = |(tier, byte): (KeyTier, u8)| DrmSignal {
        kid: kid(tier),
        widevine: vec![byte; 40],
        playready: [vec![0; 32], vec![byte; 20]].concat(),
    };
    KIDS.map(signal).to_vec()
}

fn file(timescale: u32, segment: u32, last: u32, count: usize, tier: KeyTier, peak: u64) -> TrackFile {
    let segment_of = |i: usize| Segment {
        start: i as u64 * u64::from(segment),
        duration: if i + 1 == count { last } else { segment },
        offset: 2_000 + i as u64 * 1_000,
        size: 1_000,
        samples: 96,
        subsamples: 0,
        blake3: String::new(),
    };
    TrackFile {
        object: "packaged/x".to_owned(),
        size: 2_000 + count as u64 * 1_000,
        output_key: String::new(),
        key: Some(TrackKey { tier, kid: hex::encode(kid(tier)), iv: "00".repeat(16) }),
        timescale,
        init: ByteRange { offset: 0, size: 900 },
        sidx: ByteRange { offset: 900, size: 1_100 },
        head_blake3: String::new(),
        average_bandwidth: peak / 2,
        peak_bandwidth: peak,
        segments: (0..count).map(segment_of).collect(),
    }
}

fn video(height: u32, codec: VideoCodec, range: VideoRange, codecs: &str, count: usize) -> VideoTrack {
    VideoTrack {
        name: format!("video-{height}p-{codec}"),
        codec,
        codecs: codecs.to_owned(),
        width: height * 16 / 9,
        height,
        frame_rate: "24000/1001".parse().unwrap(),
        range,
        vmaf: None,
        file: file(24_000, 96_096, 48_048, count, KeyTier::of_height(height), u64::from(height) * 5_000),
    }
}

fn audio(language: &str, label: &str, layout: AudioLayout, count: usize) -> AudioTrack {
    AudioTrack {
        name: format!("audio-{language}-{}", layout.name()),
        codecs: "mp4a.40.2".to_owned(),
        language: language.to_owned(),
        label: label.to_owned(),
        layout,
        sample_rate: 48_000,
        file: file(48_000, 192_512, 96_256, count, KeyTier::Audio, 128_000),
    }
}

fn presentation(count: usize) -> Presentation {
    use VideoRange::{Pq, Sdr};
    let subtitle = |language: &str, label: &str, hearing_impaired| SubtitleTrack {
        name: format!("subs-{language}"),
        language: language.to_owned(),
        label: label.to_owned(),
        forced: false,
        hearing_impaired,
        object: String::new(),
        size: 4_000,
        blake3: String::new(),
    };
    let sheet = Sheet { object: String::new(), size: 90_000, blake3: String::new() };
    Presentation {
        title: "t".to_owned(),
        version: "v".to_owned(),
        duration_us: (count as u64 - 1) * 4_004_000 + 2_002_000,
        video: vec![
            video(360, VideoCodec::H264, Sdr, "avc1.64001e", count),
            video(1080, VideoCodec::H265, Pq, "hvc1.2.4.L123.B0", count),
            video(720, VideoCodec::H264, Sdr, "avc1.64001f", count),
            video(1080, VideoCodec::H264, Sdr, "avc1.640028", count),
            video(2160, VideoCodec::Av1, Pq, "av01.0.13M.10", count),
        ],
        audio: vec![
            audio("en", "English", AudioLayout::Stereo, count),
            audio("en", "English 5.1", AudioLayout::Surround, count),
            audio("de", "Deutsch \"neu\" & <alt>", AudioLayout::Stereo, count),
        ],
        subtitles: vec![subtitle("en", "English", true), subtitle("und", "English", false)],
        thumbnails: Some(Thumbnails {
            interval_us: 10_000_000,
            width: 320,
            height: 180,
            columns: 5,
            rows: 5,
            count: 30,
            sheets: vec![sheet; 2],
        }),
    }
}

fn profile(name: &str) -> DeviceProfile {
    default_profiles().into_iter().find(|p| p.name == name).unwrap()
}

fn media(text: &str) -> m3u8_rs::MediaPlaylist {
    m3u8_rs::parse_media_playlist_res(text.as_bytes()).unwrap_or_else(|e| panic!("{e:?}: {text}"))
}

#[test]
fn the_multivariant_playlist_lists_each_picture_with_each_layout() {
    let (p, drm) = (presentation(70), signals());
    for protection in Protection::ALL {
        let offer = Offer::new(&p, &profile("web"), protection, &drm).unwrap();
        let text = hls::multivariant(&offer);
        let read = m3u8_rs::parse_master_playlist_res(text.as_bytes()).unwrap();
        assert!(read.independent_segments);
        assert_eq!(read.variants.iter().filter(|v| !v.is_i_frame).count(), 10);
        let first = &read.variants[0];
        assert_eq!(first.uri, "video-360p-h264/media.m3u8");
        assert_eq!((first.bandwidth, first.average_bandwidth), (1_928_000, Some(964_000)));
        assert_eq!(first.codecs.as_deref(), Some("avc1.64001e,mp4a.40.2"));
        assert_eq!(first.frame_rate, Some(23.976));
        assert!(
            text.contains(
                "FRAME-RATE=23.976,VIDEO-RANGE=SDR,AUDIO=\"stereo\",SUBTITLES=\"subs\",CLOSED-CAPTIONS=NONE\n"
            )
        );
        let names: Vec<_> = read.alternatives.iter().map(|a| (a.name.as_str(), a.default)).collect();
        let expected = [("English", true), ("Deutsch 'neu' & <alt>", false), ("English 5.1", true)];
        assert_eq!(names[..3], expected);
        assert_eq!(names[3..], [("English", false), ("English 2", false)]);
        let keys = if protection == Protection::Clear { 0 } else { 4 };
        assert_eq!(read.session_key.len(), keys);
        assert!(
            text.contains(
                "#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=2880,RESOLUTION=320x180,CODECS=\"jpeg\",URI=\"thumbs.m3u8\""
            )
        );
        let order: Vec<_> = offer.video.iter().map(|t| (t.codec, t.height)).collect();
        let h264 = [360, 720, 1080].map(|h| (VideoCodec::H264, h));
        assert_eq!(order[..3], h264, "what every device plays stands first");
    }
}

#[test]
fn a_lower_plan_is_told_of_no_picture_or_key_above_it() {
    let (p, drm) = (presentation(5), signals());
    let low = DeviceProfile { max_height: 480, ..profile("web") };
    let offer = Offer::new(&p, &low, Protection::Cbcs, &drm).unwrap();
    let text = hls::multivariant(&offer);
    let read = m3u8_rs::parse_master_playlist_res(text.as_bytes()).unwrap();
    let pictures: Vec<_> = read.variants.iter().filter(|v| !v.is_i_frame).map(|v| v.uri.as_str()).collect();
    assert_eq!(pictures, ["video-360p-h264/media.m3u8"; 2]);
    let named = |tier| text.contains(&format!("KEYID=0x{}", hex::encode(kid(tier))));
    assert_eq!(KIDS.map(|(tier, _)| named(tier)), [true, true, false, false]);
}

#[test]
fn a_media_playlist_is_exact_and_names_its_keys() {
    let (p, drm) = (presentation(70), signals());
    let track = &p.video[0];
    for (protection, method) in [
        (Protection::Cbcs, Some("METHOD=SAMPLE-AES,")),
        (Protection::Cenc, Some("METHOD=SAMPLE-AES-CTR,")),
        (Protection::Clear, None),
    ] {
        let text = hls::media_playlist(&track.file, protection, &drm).unwrap();
        let read = media(&text);
        assert_eq!(read.segments.len(), 70);
        assert_eq!((read.target_duration, read.end_list), (4, true));
        assert_eq!(read.segments[0].map.as_ref().map(|m| m.uri.as_str()), Some("init.mp4"));
        assert_eq!((read.segments[69].uri.as_str(), read.segments[69].duration), ("69.m4s", 2.002));
        let total: u64 = text.lines().filter_map(|l| l.strip_prefix("#EXTINF:")).map(micros).sum();
        assert_eq!(total, p.duration_us);
        let keys = text.lines().filter(|l| l.starts_with("#EXT-X-KEY:")).count();
        assert_eq!(keys, if method.is_some() { 3 } else { 0 });
        assert!(method.is_none_or(|m| text.matches(m).count() == 3), "{text}");
        let format = "KEYID=0x5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d,KEYFORMAT=\"org.w3.clearkey\"";
        assert_eq!(text.contains(format), method.is_some());
    }
    let missing = hls::media_playlist(&track.file, Protection::Cbcs, &drm[..1]);
    assert!(matches!(missing, Err(OfferError::NoSignal { .. })));
}

fn micros(extinf: &str) -> u64 {
    let (whole, fraction) = extinf.trim_end_matches(',').split_once('.').unwrap();
    assert_eq!(fraction.len(), 6);
    whole.parse::<u64>().unwrap() * 1_000_000 + fraction.parse::<u64>().unwrap()
}

#[test]
fn the_other_playlists_are_read() {
    let p = presentation(70);
    let ts = media(&hls::ts_playlist(&p.video[0].file));
    assert_eq!((ts.segments.len(), ts.segments[3].uri.as_str()), (70, "3.ts"));
    let subtitles = media(&hls::subtitle_playlist(&p));
    assert_eq!((subtitles.segments.len(), subtitles.segments[69].uri.as_str()), (70, "69.vtt"));
    assert_eq!(grid(&p).last().unwrap().end_us, p.duration_us);
    let sheets = p.thumbnails.as_ref().unwrap();
    let text = hls::image_playlist(sheets, p.duration_us);
    let images = media(&text);
    assert_eq!(images.segments.len(), 2);
    assert_eq!(text.matches("#EXT-X-TILES:RESOLUTION=320x180,LAYOUT=5x5,DURATION=10.000000").count(), 2);
    let drm = signals();
    let clear = Offer::new(&p, &profile("legacy-hls"), Protection::Clear, &[]).unwrap();
    let text = hls::multivariant_ts(&clear).unwrap();
    let read = m3u8_rs::parse_master_playlist_res(text.as_bytes()).unwrap();
    let addresses: Vec<_> = read.variants.iter().map(|v| v.uri.as_str()).collect();
    let expected = ["360p", "720p", "1080p"].map(|h| format!("../video-{h}-h264/ts/media.m3u8"));
    assert_eq!(addresses, expected);
    assert!(text.contains("URI=\"../subs-en/ts/media.m3u8\"") && !text.contains("TYPE=AUDIO"));
    let protected = Offer::new(&p, &profile("web"), Protection::Cbcs, &drm).unwrap();
    assert!(matches!(hls::multivariant_ts(&protected), Err(OfferError::Protection { .. })));
}

#[test]
fn thumbnails_point_into_their_sheets() {
    let p = presentation(70);
    let text = thumbnails::vtt(p.thumbnails.as_ref().unwrap(), 299_000_000);
    assert!(text.starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:10.000\nthumbs/0.jpg#xywh=0,0,320,180\n"));
    assert!(text.contains("\n00:01:10.000 --> 00:01:20.000\nthumbs/0.jpg#xywh=640,180,320,180\n"));
    assert!(text.ends_with("\n00:04:50.000 --> 00:04:59.000\nthumbs/1.jpg#xywh=1280,0,320,180\n"));
}

#[test]
fn the_live_manifest_ties_tiers_together() {
    let (p, drm) = (presentation(70), signals());
    let offer = Offer::new(&p, &profile("web"), Protection::Cbcs, &drm).unwrap();
    let text = dash::live(&offer, Some("/license/clearkey?a=1&b=2"));
    let mpd = dash_mpd_core::parse(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    assert_eq!(dash_mpd_core::check_conformity(&mpd), Vec::<String>::new());
    assert_eq!(mpd.mpdtype.as_deref(), Some("static"));
    let sets = &mpd.periods[0].adaptations;
    // H.264 in SD and HD, H.265 and AV1 in PQ; three of sound, two of text, one of images.
    assert_eq!(sets.len(), 4 + 3 + 2 + 1);
    let switching = |i: usize| {
        let of = |s: &dash_mpd_core::SupplementalProperty| s.schemeIdUri.ends_with("switching:2016");
        sets[i].supplemental_property.iter().find(|s| of(s)).and_then(|s| s.value.clone())
    };
    assert_eq!([switching(0), switching(1), switching(2)], [Some("1".into()), Some("0".into()), None]);
    assert_eq!(sets[1].representations.len(), 2);
    let kid = sets[0].ContentProtection[0].default_KID.clone();
    assert_eq!(kid.as_deref(), Some("5d5d5d5d-5d5d-5d5d-5d5d-5d5d5d5d5d5d"));
    assert_eq!(sets[0].ContentProtection.len(), 4);
    // The reader knows elements by their local names, and files both spellings of the address under this one.
    let licence = sets[0].ContentProtection[1].clearkey_laurl.as_ref().unwrap();
    assert_eq!(licence.content.as_deref(), Some("/license/clearkey?a=1&b=2"));
    assert!(text.contains("xmlns:dashif=\"https://dashif.org/CPS\"") && text.contains("<dashif:Laurl "));
    assert_eq!(sets[2].essential_property.len(), 3, "{text}");
    let first = &sets[0].representations[0];
    let template = first.SegmentTemplate.as_ref().unwrap();
    assert_eq!(template.startNumber, Some(0));
    let runs = &template.SegmentTimeline.as_ref().unwrap().segments;
    assert_eq!(
        runs.iter().map(|s| (s.t, s.d, s.r)).collect::<Vec<_>>(),
        [(Some(0), 96_096, Some(68)), (Some(69 * 96_096), 48_048, None),]
    );
    assert_eq!(first.frameRate.as_deref(), Some("24000/1001"));
    assert!(text.contains("Deutsch &quot;neu&quot; &amp; &lt;alt&gt;"));
    assert!(text.contains("value=\"5x5\"") && text.contains("width=\"1600\" height=\"900\""));
}

#[test]
fn the_on_demand_manifest_takes_the_served_ranges() {
    let p = presentation(70);
    let offer = Offer::new(&p, &profile("tv-hd"), Protection::Clear, &[]).unwrap();
    let head = |_: &str, file: &TrackFile| dash::Head { init: file.init, sidx: file.sidx };
    let text = dash::on_demand(&offer, None, head);
    let mpd = dash_mpd_core::parse(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    assert_eq!(dash_mpd_core::check_conformity(&mpd), Vec::<String>::new());
    let sets = &mpd.periods[0].adaptations;
    assert_eq!(sets[0].representations.len(), 3, "without keys, tiers stand together");
    assert!(sets.iter().all(|s| s.ContentProtection.is_empty()));
    let first = &sets[0].representations[0];
    assert_eq!(first.BaseURL[0].base, "video-360p-h264/track.mp4");
    let base = first.SegmentBase.as_ref().unwrap();
    assert_eq!(base.indexRange.as_deref(), Some("900-1999"));
    assert_eq!(base.Initialization.as_ref().unwrap().range.as_deref(), Some("0-899"));
}

#[test]
fn what_a_device_can_not_play_is_refused_by_name() {
    let (mut p, drm) = (presentation(2), signals());
    let refused = Offer::new(&p, &profile("legacy-hls"), Protection::Cbcs, &drm).unwrap_err();
    assert_eq!(refused.to_string(), "device profile \"legacy-hls\" does not play protection cbcs");
    p.video.retain(|t| t.codec == VideoCodec::Av1);
    let refused = Offer::new(&p, &profile("mobile"), Protection::Cbcs, &drm).unwrap_err();
    assert_eq!(refused.to_string(), "version v has no video track that device profile \"mobile\" plays");
    p.video.clear();
    let sound = Offer::new(&p, &profile("mobile"), Protection::Cbcs, &drm).unwrap();
    assert!(hls::multivariant(&sound).contains("audio-en-stereo/media.m3u8"));
    assert_eq!(grid(&p).len(), 2);
}
