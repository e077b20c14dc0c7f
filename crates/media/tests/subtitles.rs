//! Subtitles from the wild: every good cue is kept, every broken one named, and what is written can be read again.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use matinee_media::offer::Window;
use matinee_media::subtitles::{Clock, Cue, SubtitleError, parse, segment, write};
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

fn cue(start_ms: u64, end_ms: u64, text: &str) -> Cue {
    let (start_us, end_us) = (start_ms * 1000, end_ms * 1000);
    Cue { start_us, end_us, settings: String::new(), text: text.to_owned() }
}

#[test]
fn loose_srt_is_read() {
    let text = "\u{feff}1\r\n00:00:01,000 --> 00:00:02,500\r\nOne\r\n\r\n\
                00:00:03.5 --> 00:00:04,000 X1:10 X2:20\r\n<font color=\"red\">Two</font> & <I>more</I>\r\n\
                3\r\n0:0:5,25-->00:00:06,000\r\n{\\an8}5 < 6\r\n";
    let parsed = parse(text.as_bytes()).unwrap();
    assert_eq!(parsed.broken, []);
    let mut third = cue(5_250, 6_000, "5 &lt; 6");
    third.settings = "line:0".to_owned();
    assert_eq!(parsed.cues, [cue(1_000, 2_500, "One"), cue(3_500, 4_000, "Two &amp; <i>more</i>"), third]);
}

#[test]
fn every_broken_cue_is_named_by_its_line() {
    let text = "1\n00:00:01,000 --> 00:00:02,000\nGood\n\n\
                2\n-00:00:03,000 --> 00:00:04,000\nNegative\n\n\
                3\n00:00:09,000 --> 00:00:08,000\nBackwards\n\n\
                4\n00:61:00,000 --> 00:62:00,000\nMinutes\n\n\
                5\nxx --> 00:00:12,000\nNo time\n\n\
                6\n00:00:13,000 --> 00:00:14,000\n\n\
                7\n00:00:15,000 -->\nNo end\n";
    let parsed = parse(text.as_bytes()).unwrap();
    assert_eq!(parsed.cues, [cue(1_000, 2_000, "Good")]);
    let found: Vec<_> = parsed.broken.iter().map(ToString::to_string).collect();
    let lines: Vec<_> = parsed.broken.iter().map(|b| b.line).collect();
    assert_eq!(lines, [6, 10, 14, 18, 22, 25], "{found:#?}");
    assert!(found[0].contains("negative") && found[2].contains("60 minutes"), "{found:#?}");
}

#[test]
fn a_file_without_a_good_cue_is_refused() {
    assert_eq!(parse(b""), Err(SubtitleError::NoCue));
    assert_eq!(parse(b"just\ntext\n"), Err(SubtitleError::NoCue));
    let refused = parse(b"1\n00:00:02,000 --> 00:00:01,000\nx\n").unwrap_err();
    assert!(refused.to_string().starts_with("none of 1 cues can be used; the first: line 2"), "{refused}");
}

#[test]
fn encodings_are_told_apart() {
    let text = "1\n00:00:01,000 --> 00:00:02,000\nCafé “où”\n";
    let utf16 = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    let (little, big) = (utf16(u16::to_le_bytes), utf16(u16::to_be_bytes));
    let marked = [&[0xff, 0xfe][..], &little].concat();
    let windows = b"1\n00:00:01,000 --> 00:00:02,000\nCaf\xe9 \x93o\xf9\x94\n".to_vec();
    for bytes in [text.as_bytes().to_vec(), little, big, marked, windows] {
        assert_eq!(parse(&bytes).unwrap().cues, [cue(1_000, 2_000, "Café “où”")]);
    }
}

#[test]
fn webvtt_keeps_settings_and_loses_comments() {
    let text = "WEBVTT - title\nKind: captions\n\nNOTE\n00:00 --> x\n\nSTYLE\n::cue { color: red }\n\n\
                id\n00:01.000 --> 00:02.000 align:start region:a line:-1\n<v Ann>Hello</v>\nthere\n";
    let parsed = parse(text.as_bytes()).unwrap();
    assert_eq!(parsed.broken, []);
    assert_eq!(parsed.cues[0].settings, "align:start line:-1");
    assert_eq!(parsed.cues[0].text, "<v Ann>Hello</v>\nthere");
}

#[test]
fn a_cue_stands_in_every_segment_that_it_touches() {
    let cues = [cue(1_000, 2_000, "a"), cue(3_500, 4_500, "b"), cue(4_000, 8_000, "c")];
    let window = |start: u64| Window { start_us: start * 1_000_000, end_us: (start + 4) * 1_000_000 };
    let texts = |start| {
        let out = segment(&cues, window(start), Clock::Cmaf);
        assert!(out.starts_with("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n"), "{out}");
        ["a", "b", "c"].into_iter().filter(|t| out.contains(&format!("\n{t}\n"))).collect::<Vec<_>>()
    };
    assert_eq!([texts(0), texts(4), texts(8)], [vec!["a", "b"], vec!["b", "c"], vec![]]);
    assert!(segment(&cues, window(8), Clock::Ts).contains("MPEGTS:900000,"));
}

proptest! {
    #[test]
    fn nothing_read_breaks_what_is_written(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(parsed) = parse(&bytes) {
            prop_assert_eq!(parse(write(&parsed.cues).as_bytes()).unwrap().cues, parsed.cues);
        }
    }

    #[test]
    fn cue_like_text_survives(
        lines in prop::collection::vec("([0-9]{1,3}|[0-9:,.-]{0,14} ?--> ?[0-9:,.]{0,14}( line:[0-9])?|0[0-9]:0[0-9],[0-9] --> 1[0-9]:00\\.[0-9]|[<>&{}\\\\/a-z -]{0,12}|)", 0..24),
        vtt in any::<bool>(),
    ) {
        let head = if vtt { "WEBVTT\n\n" } else { "" };
        let text = format!("{head}{}", lines.join("\n"));
        let timings = text.matches('\n').count() + 1;
        match parse(text.as_bytes()) {
            Ok(parsed) => {
                prop_assert!(parsed.cues.len() + parsed.broken.len() <= timings);
                prop_assert!(parsed.cues.iter().all(|c| c.start_us < c.end_us && !c.text.is_empty()));
                let again = parse(write(&parsed.cues).as_bytes()).unwrap();
                prop_assert_eq!(again.broken, []);
                prop_assert_eq!(again.cues, parsed.cues);
            }
            Err(SubtitleError::AllBroken(broken)) => prop_assert!(!broken.is_empty()),
            Err(SubtitleError::NoCue) => prop_assert!(!text.contains("-->") || vtt),
            Err(other) => panic!("{other}"),
        }
    }
}
