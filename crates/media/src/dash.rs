//! DASH manifests of a presentation: the live profile (a segment a request) and the on-demand one (byte ranges of one
//! file a track), both static.
//!
//! A picture's key tiers are adaptation sets of their own, tied together so that players switch across them. Sources:
//! ISO/IEC 23009-1 (2022), DASH-IF Interoperability Points 4.3 and its part on content protection, ISO/IEC 23091-2 for
//! colour code points. Written by hand, with a small writer that escapes: a film's manifest is a few kilobytes of two
//! dozen elements whose order matters. The tests read it with `dash-mpd-core`.

mod xml;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use matinee_model::codec::{KeyTier, Protection, VideoRange};

use crate::hls::sheet_us;
use crate::offer::{DrmSignal, Offer};
use crate::presentation::{AudioTrack, ByteRange, SubtitleTrack, Thumbnails, TrackFile, VideoTrack};
use xml::Element;

const SWITCHING: &str = "urn:mpeg:dash:adaptation-set-switching:2016";
const ROLE: &str = "urn:mpeg:dash:role:2011";

/// The ranges that an on-demand player asks for before the first segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// `ftyp moov`.
    pub init: ByteRange,
    /// `sidx`.
    pub sidx: ByteRange,
}

/// `live.mpd`: segments `{track}/{n}.m4s`, n from 0, on an exact timeline.
///
/// `licence` is the address of the ClearKey licence server; players that get one here prefer it to their own setting.
#[must_use]
pub fn live(offer: &Offer, licence: Option<&str>) -> String {
    document(offer, licence, "urn:mpeg:dash:profile:isoff-live:2011", |_, file| timeline(file))
}

/// `ondemand.mpd`: one file a track, `{track}/track.mp4`.
///
/// `head` says where a track's heads are in the file as it is served: encryption by another scheme than the stored one
/// moves them.
#[must_use]
pub fn on_demand(offer: &Offer, licence: Option<&str>, head: impl Fn(&str, &TrackFile) -> Head) -> String {
    document(offer, licence, "urn:mpeg:dash:profile:isoff-on-demand:2011", |name, file| {
        let Head { init, sidx } = head(name, file);
        let base = Element::new("SegmentBase")
            .attr("indexRange", range(sidx))
            .attr("timescale", file.timescale)
            .attr("presentationTimeOffset", start(file))
            .child(Element::new("Initialization").attr("range", range(init)));
        vec![Element::new("BaseURL").text(&format!("{name}/track.mp4")), base]
    })
}

fn document(
    offer: &Offer,
    licence: Option<&str>,
    profile: &str,
    addressing: impl Fn(&str, &TrackFile) -> Vec<Element>,
) -> String {
    let presentation = offer.presentation;
    let mut period = Element::new("Period").attr("id", "0").attr("start", "PT0S");
    let mut id = 0_usize;
    for set in video_sets(offer) {
        period = period.child(video_set(&set, offer, licence, &addressing));
        id = id.max(set.id + 1);
    }
    let default = offer.audio.first().map(|t| t.language.as_str());
    for track in &offer.audio {
        period = period.child(audio_set(id, track, default, offer, licence, &addressing));
        id += 1;
    }
    for track in &presentation.subtitles {
        period = period.child(text_set(id, track, presentation.duration_us));
        id += 1;
    }
    if let Some(thumbnails) = &presentation.thumbnails {
        period = period.child(image_set(id, thumbnails));
    }
    let mpd = Element::new("MPD")
        .attr("xmlns", "urn:mpeg:dash:schema:mpd:2011")
        .attr("xmlns:cenc", "urn:mpeg:cenc:2013")
        .attr("xmlns:mspr", "urn:microsoft:playready")
        .attr("xmlns:dashif", "https://dashif.org/CPS")
        .attr("profiles", profile)
        .attr("type", "static")
        .attr("mediaPresentationDuration", iso_duration(presentation.duration_us))
        .attr("minBufferTime", "PT4S")
        .child(period);
    mpd.document()
}

/// Pictures between which a player switches without a new key: one codec, one range, and one tier where keys differ.
struct VideoSet<'a> {
    id: usize,
    tracks: Vec<&'a VideoTrack>,
    /// The ids of the same picture's other tiers.
    others: Vec<usize>,
}

fn video_sets<'a>(offer: &Offer<'a>) -> Vec<VideoSet<'a>> {
    let tier = |t: &VideoTrack| -> Option<KeyTier> {
        let key = t.file.key.as_ref().filter(|_| offer.protection != Protection::Clear);
        key.map(|k| k.tier)
    };
    let key = |t: &VideoTrack| t.file.key.as_ref().map(|k| k.kid.clone());
    let alike = |a: &VideoTrack, b: &VideoTrack| (a.codec, a.range) == (b.codec, b.range);
    let mut sets: Vec<VideoSet> = Vec::new();
    for &track in &offer.video {
        let same = |set: &&mut VideoSet| {
            let first = set.tracks[0];
            let keyed = tier(track).is_none() || (tier(first), key(first)) == (tier(track), key(track));
            alike(first, track) && keyed
        };
        match sets.iter_mut().find(same) {
            Some(set) => set.tracks.push(track),
            None => sets.push(VideoSet { id: sets.len(), tracks: vec![track], others: Vec::new() }),
        }
    }
    for i in 0..sets.len() {
        let others = sets.iter().filter(|s| s.id != i && alike(s.tracks[0], sets[i].tracks[0]));
        sets[i].others = others.map(|s| s.id).collect();
    }
    sets
}

fn video_set(
    set: &VideoSet,
    offer: &Offer,
    licence: Option<&str>,
    addressing: impl Fn(&str, &TrackFile) -> Vec<Element>,
) -> Element {
    let first = set.tracks[0];
    let mut element = Element::new("AdaptationSet")
        .attr("id", set.id)
        .attr("contentType", "video")
        .attr("mimeType", "video/mp4")
        .attr("segmentAlignment", "true")
        .attr("startWithSAP", 1)
        .attr("maxWidth", set.tracks.iter().map(|t| t.width).max().unwrap_or(0))
        .attr("maxHeight", set.tracks.iter().map(|t| t.height).max().unwrap_or(0));
    element = element.children(protection(&first.file, offer, licence)).children(colour(first));
    if !set.others.is_empty() {
        let ids: Vec<_> = set.others.iter().map(ToString::to_string).collect();
        element = element.child(property("SupplementalProperty", SWITCHING, &ids.join(",")));
    }
    element = element.child(property("Role", ROLE, "main"));
    for track in &set.tracks {
        let rate = track.frame_rate;
        let rate = if rate.den() == 1 { rate.num().to_string() } else { rate.to_string() };
        let representation = Element::new("Representation")
            .attr("id", &track.name)
            .attr("bandwidth", track.file.peak_bandwidth.max(1))
            .attr("codecs", &track.codecs)
            .attr("width", track.width)
            .attr("height", track.height)
            .attr("frameRate", rate)
            .attr("sar", "1:1");
        element = element.child(representation.children(addressing(&track.name, &track.file)));
    }
    element
}

fn audio_set(
    id: usize,
    track: &AudioTrack,
    default: Option<&str>,
    offer: &Offer,
    licence: Option<&str>,
    addressing: impl Fn(&str, &TrackFile) -> Vec<Element>,
) -> Element {
    // Code points of ISO/IEC 23091-3: 2 is stereo, 6 is 5.1.
    let channels = Element::new("AudioChannelConfiguration")
        .attr("schemeIdUri", "urn:mpeg:mpegB:cicp:ChannelConfiguration")
        .attr("value", track.layout.channels());
    let role = if default == Some(track.language.as_str()) { "main" } else { "dub" };
    let representation = Element::new("Representation")
        .attr("id", &track.name)
        .attr("bandwidth", track.file.peak_bandwidth.max(1))
        .attr("codecs", &track.codecs)
        .attr("audioSamplingRate", track.sample_rate)
        .children(addressing(&track.name, &track.file));
    Element::new("AdaptationSet")
        .attr("id", id)
        .attr("contentType", "audio")
        .attr("mimeType", "audio/mp4")
        .attr("lang", lang(&track.language))
        .attr("segmentAlignment", "true")
        .attr("startWithSAP", 1)
        .child(channels)
        .children(protection(&track.file, offer, licence))
        .child(Element::new("Label").text(&track.label))
        .child(property("Role", ROLE, role))
        .child(representation)
}

fn text_set(id: usize, track: &SubtitleTrack, duration_us: u64) -> Element {
    let mut element = Element::new("AdaptationSet")
        .attr("id", id)
        .attr("contentType", "text")
        .attr("mimeType", "text/vtt")
        .attr("lang", lang(&track.language))
        .child(Element::new("Label").text(&track.label));
    if track.hearing_impaired {
        // Source: the TV-Anytime audio purpose scheme, value 2 "for the hard of hearing".
        element = element.child(property("Accessibility", "urn:tva:metadata:cs:AudioPurposeCS:2007", "2"));
    }
    let role = match (track.forced, track.hearing_impaired) {
        (true, _) => "forced-subtitle",
        (false, true) => "caption",
        (false, false) => "subtitle",
    };
    let bandwidth = (u128::from(track.size) * 8_000_000 / u128::from(duration_us.max(1))).max(1);
    let file = Element::new("BaseURL").text(&format!("{}/subs.vtt", track.name));
    let representation =
        Element::new("Representation").attr("id", &track.name).attr("bandwidth", bandwidth).child(file);
    element.child(property("Role", ROLE, role)).child(representation)
}

fn image_set(id: usize, thumbnails: &Thumbnails) -> Element {
    let Thumbnails { width, height, columns, rows, .. } = thumbnails;
    let sheet_us = sheet_us(thumbnails);
    let largest = thumbnails.sheets.iter().map(|s| s.size).max().unwrap_or(0);
    let bandwidth = (u128::from(largest) * 8_000_000).div_ceil(u128::from(sheet_us)).max(1);
    let tiles = format!("{columns}x{rows}");
    let template = Element::new("SegmentTemplate")
        .attr("media", "thumbs/$Number$.jpg")
        .attr("timescale", 1_000_000)
        .attr("duration", sheet_us)
        .attr("startNumber", 0);
    let representation = Element::new("Representation")
        .attr("id", "thumbs")
        .attr("bandwidth", bandwidth)
        .attr("width", width * columns)
        .attr("height", height * rows)
        .child(property("EssentialProperty", "http://dashif.org/guidelines/thumbnail_tile", &tiles));
    Element::new("AdaptationSet")
        .attr("id", id)
        .attr("contentType", "image")
        .attr("mimeType", "image/jpeg")
        .child(template)
        .child(representation)
}

/// What a licence system needs, in the order in which players prefer them; nothing where the delivery is clear.
fn protection(file: &TrackFile, offer: &Offer, licence: Option<&str>) -> Vec<Element> {
    let key = file.key.as_ref().filter(|_| offer.protection != Protection::Clear);
    let of_key = |s: &&DrmSignal| key.is_some_and(|k| s.kid_hex().eq_ignore_ascii_case(&k.kid));
    // An offer is only made where every protected track's key has its signal.
    let Some(signal) = offer.drm.iter().find(of_key) else {
        return Vec::new();
    };
    let content = |scheme: &str| Element::new("ContentProtection").attr("schemeIdUri", scheme);
    let pssh = |bytes: &[u8]| Element::new("cenc:pssh").text(&STANDARD.encode(bytes));
    let common = content("urn:mpeg:dash:mp4protection:2011")
        .attr("value", offer.protection.name())
        .attr("cenc:default_KID", signal.kid_uuid());
    let mut clear_key = content("urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e").attr("value", "ClearKey1.0");
    if let Some(address) = licence {
        clear_key = clear_key.child(Element::new("dashif:Laurl").attr("Lic_type", "EME-1.0").text(address));
    }
    let mut out = vec![common, clear_key];
    if !signal.widevine.is_empty() {
        let widevine = content("urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed").attr("value", "Widevine");
        out.push(widevine.child(pssh(&signal.widevine)));
    }
    if let Some(object) = signal.playready_object() {
        let playready = content("urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95").attr("value", "MSPR 2.0");
        let object = Element::new("mspr:pro").text(&STANDARD.encode(object));
        out.push(playready.child(pssh(&signal.playready)).child(object));
    }
    out
}

/// The colour of a picture that is not plain BT.709: a device that does not know PQ must not show it; an HLG picture is
/// still watchable in SDR, so there it is only a hint.
fn colour(track: &VideoTrack) -> Vec<Element> {
    let (kind, transfer) = match track.range {
        VideoRange::Sdr => return Vec::new(),
        VideoRange::Pq => ("EssentialProperty", "16"),
        VideoRange::Hlg => ("SupplementalProperty", "18"),
    };
    vec![
        property(kind, "urn:mpeg:mpegB:cicp:ColourPrimaries", "9"),
        property(kind, "urn:mpeg:mpegB:cicp:TransferCharacteristics", transfer),
        property(kind, "urn:mpeg:mpegB:cicp:MatrixCoefficients", "9"),
    ]
}

/// The segments of a file, equal neighbours counted rather than listed.
fn timeline(file: &TrackFile) -> Vec<Element> {
    let mut runs: Vec<(u64, u32, u64)> = Vec::new();
    let mut expected = None;
    for s in &file.segments {
        match runs.last_mut() {
            Some((_, duration, repeats)) if *duration == s.duration && expected == Some(s.start) => *repeats += 1,
            _ => runs.push((s.start, s.duration, 0)),
        }
        expected = Some(s.start + u64::from(s.duration));
    }
    let mut list = Element::new("SegmentTimeline");
    for (start, duration, repeats) in runs {
        let mut run = Element::new("S").attr("t", start).attr("d", duration);
        if repeats > 0 {
            run = run.attr("r", repeats);
        }
        list = list.child(run);
    }
    let template = Element::new("SegmentTemplate")
        .attr("timescale", file.timescale)
        .attr("presentationTimeOffset", start(file))
        .attr("startNumber", 0)
        .attr("initialization", "$RepresentationID$/init.mp4")
        .attr("media", "$RepresentationID$/$Number$.m4s")
        .child(list);
    vec![template]
}

/// Where the file's timeline meets the period's start, in ticks: 0 for every file that begins with the film.
fn start(file: &TrackFile) -> u64 {
    file.segments.first().map_or(0, |s| s.start)
}

fn property(name: &'static str, scheme: &str, value: &str) -> Element {
    Element::new(name).attr("schemeIdUri", scheme).attr("value", value)
}

fn range(range: ByteRange) -> String {
    format!("{}-{}", range.offset, (range.offset + range.size).saturating_sub(1))
}

fn lang(tag: &str) -> &str {
    if tag.is_empty() { "und" } else { tag }
}

fn iso_duration(us: u64) -> String {
    format!("PT{}.{:06}S", us / 1_000_000, us % 1_000_000)
}
