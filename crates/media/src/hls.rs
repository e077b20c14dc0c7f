//! HLS playlists of a presentation: multivariant, media (fragmented MP4 and MPEG-TS), subtitles and thumbnails.
//!
//! Pure text from the stored description; every address is relative to the playlist's own. Sources: RFC 8216 and
//! draft-pantos-hls-rfc8216bis; Roku, "HLS image media playlist" for thumbnails.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use matinee_model::codec::{AudioLayout, Protection};

use crate::offer::{DrmSignal, Offer, OfferError, Window, grid, signal_of, windows};
use crate::presentation::{AudioTrack, Presentation, Thumbnails, TrackFile, VideoTrack};

const NEVER: &str = "a String takes every write";

/// `master.m3u8`: the variants over CMAF.
#[must_use]
pub fn multivariant(offer: &Offer) -> String {
    let mut out = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    session_keys(&mut out, offer);
    let subtitles = !offer.presentation.subtitles.is_empty();
    write_audio(&mut out, &offer.audio, |name| format!("{name}/media.m3u8"));
    write_subtitles(&mut out, offer.presentation, |name| format!("{name}/media.m3u8"));
    for group in groups(&offer.audio) {
        for track in &offer.video {
            stream_inf(&mut out, track, group.as_ref(), subtitles);
            writeln!(out, "{}/media.m3u8", track.name).expect(NEVER);
        }
    }
    if offer.video.is_empty() {
        sound_only(&mut out, &offer.audio, subtitles, |name| format!("{name}/media.m3u8"));
    }
    if let Some(thumbnails) = &offer.presentation.thumbnails {
        image_stream_inf(&mut out, thumbnails, "thumbs.m3u8");
    }
    out
}

/// `ts/master.m3u8`: the variants over MPEG-TS, each H.264 track muxed with the default audio; clear only.
pub fn multivariant_ts(offer: &Offer) -> Result<String, OfferError> {
    if offer.protection != Protection::Clear {
        let what = "MPEG-TS".to_owned();
        return Err(OfferError::Protection { what, protection: offer.protection.name() });
    }
    let video = offer.transport_video();
    if video.is_empty() && !offer.video.is_empty() {
        let version = offer.presentation.version.clone();
        return Err(OfferError::Nothing { version, kind: "H.264 SDR", profile: "MPEG-TS".to_owned() });
    }
    let mut out = String::from("#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    let subtitles = !offer.presentation.subtitles.is_empty();
    let muxed = offer.audio.first().copied();
    write_subtitles(&mut out, offer.presentation, |name| format!("../{name}/ts/media.m3u8"));
    for track in &video {
        // Muxed: the sound counts towards the variant's bits, but stands in no group.
        let group = muxed.map(|a| Group { id: None, tracks: vec![a] });
        stream_inf(&mut out, track, group.as_ref(), subtitles);
        writeln!(out, "../{}/ts/media.m3u8", track.name).expect(NEVER);
    }
    if video.is_empty() {
        sound_only(&mut out, &offer.audio, subtitles, |name| format!("../{name}/ts/media.m3u8"));
    }
    Ok(out)
}

/// `{track}/media.m3u8`: a track's CMAF segments, with its keys where it is protected.
///
/// Fails where a protected track has no key, or its key no entry in `drm`.
pub fn media_playlist(file: &TrackFile, protection: Protection, drm: &[DrmSignal]) -> Result<String, OfferError> {
    let windows = windows(file);
    let mut out = opening(7, &windows);
    out.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    if let Some(signal) = signal_of(file, protection, drm)? {
        write_keys(&mut out, signal, protection);
    }
    out.push_str("#EXT-X-MAP:URI=\"init.mp4\"\n");
    segments(&mut out, &windows, "m4s");
    Ok(out)
}

/// `{track}/ts/media.m3u8`: a track's MPEG-TS segments.
#[must_use]
pub fn ts_playlist(file: &TrackFile) -> String {
    let windows = windows(file);
    let mut out = opening(3, &windows);
    segments(&mut out, &windows, "ts");
    out
}

/// `{subs}/media.m3u8`: a subtitle track in WebVTT segments on the presentation's grid. The same text serves
/// `{subs}/ts/media.m3u8`, whose segments stand on MPEG-TS's clock.
#[must_use]
pub fn subtitle_playlist(presentation: &Presentation) -> String {
    let windows = grid(presentation);
    let mut out = opening(3, &windows);
    segments(&mut out, &windows, "vtt");
    out
}

/// `thumbs.m3u8`: the sheets of thumbnails as an image playlist, of a presentation of `duration_us`.
#[must_use]
pub fn image_playlist(thumbnails: &Thumbnails, duration_us: u64) -> String {
    let sheet_us = sheet_us(thumbnails);
    let count = thumbnails.sheets.len() as u64;
    let window = |i: u64| {
        let start_us = i * sheet_us;
        let end = if i + 1 == count { duration_us } else { start_us + sheet_us };
        Window { start_us, end_us: end.max(start_us + 1_000) }
    };
    let windows: Vec<_> = (0..count).map(window).collect();
    let mut out = opening(7, &windows);
    out.push_str("#EXT-X-IMAGES-ONLY\n");
    for (i, window) in windows.iter().enumerate() {
        let Thumbnails { width, height, columns, rows, .. } = thumbnails;
        let each = seconds(thumbnails.interval_us);
        writeln!(
            out,
            "#EXTINF:{},\n#EXT-X-TILES:RESOLUTION={width}x{height},LAYOUT={columns}x{rows},DURATION={each}\nthumbs/{i}.jpg",
            seconds(window.end_us - window.start_us)
        )
        .expect(NEVER);
    }
    out.push_str("#EXT-X-ENDLIST\n");
    out
}

/// Audio tracks that stand in for each other: one layout.
struct Group<'a> {
    /// Its GROUP-ID; absent where the sound is muxed into the variant.
    id: Option<&'static str>,
    tracks: Vec<&'a AudioTrack>,
}

/// The audio groups, or one `None` where there is no sound, so that variants are written once.
fn groups<'a>(audio: &[&'a AudioTrack]) -> Vec<Option<Group<'a>>> {
    let of = |layout: AudioLayout| {
        let tracks: Vec<_> = audio.iter().filter(|t| t.layout == layout).copied().collect();
        (!tracks.is_empty()).then_some(Some(Group { id: Some(layout.name()), tracks }))
    };
    let found: Vec<_> = [AudioLayout::Stereo, AudioLayout::Surround].into_iter().filter_map(of).collect();
    if found.is_empty() { vec![None] } else { found }
}

fn stream_inf(out: &mut String, track: &VideoTrack, group: Option<&Group>, subtitles: bool) {
    let sound = group.map_or(&[][..], |g| &g.tracks);
    let peak = sound.iter().map(|t| t.file.peak_bandwidth).max().unwrap_or(0);
    let mean = sound.iter().map(|t| t.file.average_bandwidth).max().unwrap_or(0);
    let mut codecs = vec![track.codecs.as_str()];
    for t in sound {
        if !codecs.contains(&t.codecs.as_str()) {
            codecs.push(&t.codecs);
        }
    }
    write!(
        out,
        "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS=\"{}\",RESOLUTION={}x{},FRAME-RATE={:.3},VIDEO-RANGE={}",
        track.file.peak_bandwidth + peak,
        track.file.average_bandwidth + mean,
        codecs.join(","),
        track.width,
        track.height,
        track.frame_rate.as_f64(),
        track.range.name(),
    )
    .expect(NEVER);
    if let Some(id) = group.and_then(|g| g.id) {
        write!(out, ",AUDIO=\"{id}\"").expect(NEVER);
    }
    if subtitles {
        out.push_str(",SUBTITLES=\"subs\"");
    }
    out.push_str(",CLOSED-CAPTIONS=NONE\n");
}

/// A film without a picture: each audio track is a variant.
fn sound_only(out: &mut String, audio: &[&AudioTrack], subtitles: bool, address: impl Fn(&str) -> String) {
    for track in audio {
        let file = &track.file;
        let group = if subtitles { ",SUBTITLES=\"subs\"" } else { "" };
        writeln!(
            out,
            "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS=\"{}\"{group}\n{}",
            file.peak_bandwidth,
            file.average_bandwidth,
            track.codecs,
            address(&track.name)
        )
        .expect(NEVER);
    }
}

fn write_audio(out: &mut String, audio: &[&AudioTrack], address: impl Fn(&str) -> String) {
    let default = audio.first().map(|t| t.language.as_str());
    for group in groups(audio).into_iter().flatten() {
        let mut names = Names::default();
        let mut chosen = false;
        for track in &group.tracks {
            let is_default = !chosen && Some(track.language.as_str()) == default;
            chosen |= is_default;
            writeln!(
                out,
                "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{}\",NAME=\"{}\"{},DEFAULT={},AUTOSELECT=YES,CHANNELS=\"{}\",URI=\"{}\"",
                group.id.unwrap_or_default(),
                names.unique(&track.label),
                language(&track.language),
                yes_no(is_default),
                track.layout.channels(),
                address(&track.name),
            )
            .expect(NEVER);
        }
    }
}

fn write_subtitles(out: &mut String, presentation: &Presentation, address: impl Fn(&str) -> String) {
    let mut names = Names::default();
    for track in &presentation.subtitles {
        let characteristics = if track.hearing_impaired {
            ",CHARACTERISTICS=\"public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound\""
        } else {
            ""
        };
        writeln!(
            out,
            "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subs\",NAME=\"{}\"{},DEFAULT=NO,AUTOSELECT=YES,FORCED={}{characteristics},URI=\"{}\"",
            names.unique(&track.label),
            language(&track.language),
            yes_no(track.forced),
            address(&track.name),
        )
        .expect(NEVER);
    }
}

fn image_stream_inf(out: &mut String, thumbnails: &Thumbnails, uri: &str) {
    let largest = thumbnails.sheets.iter().map(|s| s.size).max().unwrap_or(0);
    let bandwidth = (u128::from(largest) * 8_000_000).div_ceil(u128::from(sheet_us(thumbnails)));
    writeln!(
        out,
        "#EXT-X-IMAGE-STREAM-INF:BANDWIDTH={},RESOLUTION={}x{},CODECS=\"jpeg\",URI=\"{uri}\"",
        bandwidth.max(1),
        thumbnails.width,
        thumbnails.height,
    )
    .expect(NEVER);
}

/// How much of the film one sheet shows, in microseconds; at least 1.
pub(crate) fn sheet_us(thumbnails: &Thumbnails) -> u64 {
    (thumbnails.interval_us * u64::from(thumbnails.columns * thumbnails.rows)).max(1)
}

/// One session key per content key of the offered tracks, in ClearKey's format alone.
///
/// Shaka Player builds its licence systems from session keys where it knows one's format, and then never looks at the
/// media playlists': with Widevine here it would not play by ClearKey at all. The media playlists carry all formats.
fn session_keys(out: &mut String, offer: &Offer) {
    if offer.protection == Protection::Clear {
        return;
    }
    let tracks = || offer.video.iter().map(|t| &t.file).chain(offer.audio.iter().map(|t| &t.file));
    for signal in offer.drm.iter().filter(|signal| tracks().any(|file| signal.opens(file))) {
        clear_key(out, "SESSION-KEY", signal, offer.protection);
    }
}

fn method(protection: Protection) -> &'static str {
    match protection {
        Protection::Cbcs => "SAMPLE-AES",
        Protection::Cenc => "SAMPLE-AES-CTR",
        Protection::Clear => "NONE",
    }
}

fn clear_key(out: &mut String, tag: &str, signal: &DrmSignal, protection: Protection) {
    // hls.js reads the key's id from the data.
    writeln!(
        out,
        "#EXT-X-{tag}:METHOD={},URI=\"data:text/plain;base64,{}\",KEYID=0x{},KEYFORMAT=\"org.w3.clearkey\",KEYFORMATVERSIONS=\"1\"",
        method(protection),
        STANDARD.encode(signal.kid),
        signal.kid_hex(),
    )
    .expect(NEVER);
}

fn write_keys(out: &mut String, signal: &DrmSignal, protection: Protection) {
    clear_key(out, "KEY", signal, protection);
    if !signal.widevine.is_empty() {
        // The common box stands before Widevine's own: "cenc" data is any number of boxes, and a player that maps
        // Widevine's format to ClearKey (Shaka Player has no format for that in HLS) finds its key's id there.
        let mut boxes = signal.common_pssh();
        boxes.extend_from_slice(&signal.widevine);
        writeln!(
            out,
            "#EXT-X-KEY:METHOD={},URI=\"data:text/plain;base64,{}\",KEYID=0x{},KEYFORMAT=\"urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed\",KEYFORMATVERSIONS=\"1\"",
            method(protection),
            STANDARD.encode(boxes),
            signal.kid_hex(),
        )
        .expect(NEVER);
    }
    if let Some(object) = signal.playready_object() {
        writeln!(
            out,
            "#EXT-X-KEY:METHOD={},URI=\"data:text/plain;charset=UTF-16;base64,{}\",KEYFORMAT=\"com.microsoft.playready\",KEYFORMATVERSIONS=\"1\"",
            method(protection),
            STANDARD.encode(object),
        )
        .expect(NEVER);
    }
}

fn opening(version: u8, windows: &[Window]) -> String {
    let longest = windows.iter().map(|w| w.end_us - w.start_us).max().unwrap_or(0);
    let target = ((longest + 500_000) / 1_000_000).max(1);
    let mut out = String::with_capacity(256 + windows.len() * 32);
    write!(
        out,
        "#EXTM3U\n#EXT-X-VERSION:{version}\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n"
    )
    .expect(NEVER);
    out
}

fn segments(out: &mut String, windows: &[Window], extension: &str) {
    for (n, w) in windows.iter().enumerate() {
        write!(out, "#EXTINF:{},\n{n}.{extension}\n", seconds(w.end_us - w.start_us)).expect(NEVER);
    }
    out.push_str("#EXT-X-ENDLIST\n");
}

/// Seconds with six decimals, from microseconds: exact.
fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

fn yes_no(value: bool) -> &'static str {
    if value { "YES" } else { "NO" }
}

fn language(tag: &str) -> String {
    if tag.is_empty() || tag == "und" { String::new() } else { format!(",LANGUAGE=\"{}\"", quoted(tag)) }
}

/// What may stand in a quoted string: no quotation mark and no control character.
fn quoted(text: &str) -> String {
    let legal = |c: char| match c {
        '"' => '\'',
        c if c.is_control() => ' ',
        c => c,
    };
    text.chars().map(legal).collect()
}

/// The names of one group: each stands there once, as the specification asks.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn unique(&mut self, label: &str) -> String {
        let label = quoted(label);
        let mut name = label.clone();
        let mut n = 2;
        while self.0.contains(&name) {
            name = format!("{label} {n}");
            n += 1;
        }
        self.0.push(name.clone());
        name
    }
}
