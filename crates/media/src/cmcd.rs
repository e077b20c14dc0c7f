//! CMCD: what a player says of itself with each request for a segment, in the query argument `CMCD` or in the headers
//! `CMCD-Request`, `CMCD-Object`, `CMCD-Status` and `CMCD-Session`.
//!
//! Reading never fails: it comes from anybody, and what is wrong, unknown or too much is left out.
//! Source: CTA-5004, "Web Application Video Ecosystem: Common Media Client Data" (2020), with version 2's keys passed over.

/// The most bytes that are looked at.
pub const LONGEST: usize = 4096;
/// Characters of a text.
const LONGEST_TEXT: usize = 64;

/// The headers that may hold it, as HTTP names them.
pub const HEADERS: [&str; 4] = ["cmcd-request", "cmcd-object", "cmcd-status", "cmcd-session"];

/// What is asked for (`ot`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// A playlist or manifest.
    Manifest,
    /// Sound.
    Audio,
    /// Pictures.
    Video,
    /// Both in one.
    Muxed,
    /// An initialisation segment.
    Init,
    /// Subtitles.
    Caption,
    /// Timed text in ISO media.
    TimedText,
    /// A key or a licence.
    Key,
    /// Something else.
    Other,
}

/// What a player said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cmcd {
    /// `sid`: the playback session.
    pub session: Option<String>,
    /// `cid`: the content.
    pub content: Option<String>,
    /// `ot`.
    pub object: Option<Object>,
    /// `br`: of what is asked for, in bits per second.
    pub bits_per_second: Option<u64>,
    /// `tb`: of the highest rendition, in bits per second.
    pub top_bits_per_second: Option<u64>,
    /// `mtp`: measured throughput, in bits per second.
    pub throughput_bits_per_second: Option<u64>,
    /// `rtp`: as fast as it should come, in bits per second.
    pub wanted_bits_per_second: Option<u64>,
    /// `bl`: what is buffered, in milliseconds.
    pub buffer_ms: Option<u32>,
    /// `dl`: when it must be there, in milliseconds.
    pub deadline_ms: Option<u32>,
    /// `d`: how long the segment plays, in milliseconds.
    pub duration_ms: Option<u32>,
    /// `bs`: the buffer ran empty since the last request.
    pub starved: bool,
    /// `su`: it is needed at once: a start, a seek, or an empty buffer.
    pub startup: bool,
    /// `pr`: how fast it plays, in hundredths; 100 is as fast as it was made.
    pub rate_percent: Option<u32>,
}

impl Cmcd {
    /// Of an address's query (`a=1&CMCD=bl%3D1200`); nothing where it holds no CMCD.
    #[must_use]
    pub fn of_query(query: &str) -> Option<Self> {
        let mut found = None;
        for argument in query.split('&') {
            let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
            if name == "CMCD" && value.len() <= LONGEST {
                found.get_or_insert_with(Self::default).read(&percent_decoded(value));
            }
        }
        found
    }

    /// Of the values of the headers; nothing where there are none.
    #[must_use]
    pub fn of_headers<'h>(values: impl IntoIterator<Item = &'h str>) -> Option<Self> {
        let mut found = None;
        for value in values.into_iter().take(HEADERS.len()).filter(|value| value.len() <= LONGEST) {
            found.get_or_insert_with(Self::default).read(value);
        }
        found
    }

    fn read(&mut self, list: &str) {
        for part in parts(list) {
            let (key, value) = part.split_once('=').map_or((part, None), |(key, value)| (key, Some(value)));
            self.take(key.trim(), value.map(str::trim));
        }
    }

    fn take(&mut self, key: &str, value: Option<&str>) {
        let kilobits = || number(value).and_then(|kilobits| kilobits.checked_mul(1000));
        let short = || number(value).and_then(|number| u32::try_from(number).ok());
        let set = || matches!(value, None | Some("true" | "?1"));
        match key {
            "sid" => self.session = text(value),
            "cid" => self.content = text(value),
            "ot" => self.object = value.map(object),
            "br" => self.bits_per_second = kilobits(),
            "tb" => self.top_bits_per_second = kilobits(),
            "mtp" => self.throughput_bits_per_second = kilobits(),
            "rtp" => self.wanted_bits_per_second = kilobits(),
            "bl" => self.buffer_ms = short(),
            "dl" => self.deadline_ms = short(),
            "d" => self.duration_ms = short(),
            "bs" => self.starved = set(),
            "su" => self.startup = set(),
            "pr" => self.rate_percent = value.and_then(hundredths),
            _ => {}
        }
    }
}

/// The parts between commas that are in no quotes.
fn parts(list: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    list.split(move |c: char| {
        let here = c == ',' && !quoted;
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        here
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}

fn number(value: Option<&str>) -> Option<u64> {
    value?.parse().ok()
}

/// A decimal as hundredths: "1.25" is 125.
fn hundredths(value: &str) -> Option<u32> {
    let value: f64 = value.parse().ok()?;
    (0.0..=100.0).contains(&value).then_some((value * 100.0).round() as u32)
}

/// A text in quotes (or, as some players send it, in none), shortened, without control characters.
fn text(value: Option<&str>) -> Option<String> {
    let value = value?;
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let mut text = String::new();
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        if !c.is_control() && text.chars().count() < LONGEST_TEXT {
            text.push(c);
        }
    }
    Some(text).filter(|text| !text.is_empty())
}

fn object(value: &str) -> Object {
    match value {
        "m" => Object::Manifest,
        "a" => Object::Audio,
        "v" => Object::Video,
        "av" => Object::Muxed,
        "i" => Object::Init,
        "c" => Object::Caption,
        "tt" => Object::TimedText,
        "k" => Object::Key,
        _ => Object::Other,
    }
}

/// What `%41` and so on stand for; what stands for nothing stays.
fn percent_decoded(value: &str) -> String {
    let bytes = value.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        let hex = digits.filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        match (byte, hex.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(value)) => {
                decoded.push(value);
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_query_is_read() {
        let query = "token=a&CMCD=bl%3D21300%2Cbr%3D3200%2Cbs%2Ccid%3D%22faec5fc2-ac30-11ea%22%2Cd%3D4004%2Cmtp%3D25400%2Cot%3Dv%2Cpr%3D1.08%2Csf%3Dh%2Csid%3D%226e2fb550%2C%5C%22c457%22%2Csu%2Ctb%3D6000%2Cnor%3D%22..%252F300kbps%22";
        let said = Cmcd::of_query(query).unwrap();
        assert_eq!(said.session.as_deref(), Some("6e2fb550,\"c457"));
        assert_eq!(said.content.as_deref(), Some("faec5fc2-ac30-11ea"));
        assert_eq!(
            (said.object, said.bits_per_second, said.top_bits_per_second),
            (Some(Object::Video), Some(3_200_000), Some(6_000_000))
        );
        assert_eq!(
            (said.throughput_bits_per_second, said.buffer_ms, said.duration_ms),
            (Some(25_400_000), Some(21_300), Some(4004))
        );
        assert!(said.starved && said.startup);
        assert_eq!(said.rate_percent, Some(108));
        assert_eq!(Cmcd::of_query("token=a&cmcd=bl"), None);
    }

    #[test]
    fn headers_are_read_together() {
        let said = Cmcd::of_headers(["bl=1200,dl=900", "br=800,ot=a", "bs=?0", "sid=\"s1\""]).unwrap();
        assert_eq!((said.buffer_ms, said.deadline_ms, said.object), (Some(1200), Some(900), Some(Object::Audio)));
        assert!(!said.starved);
        assert_eq!(said.session.as_deref(), Some("s1"));
        assert_eq!(Cmcd::of_headers([]), None);
    }

    #[test]
    fn what_is_wrong_is_left_out() {
        let said =
            Cmcd::of_headers(["bl=-1,br=99999999999999999999,pr=NaN,sid=\"\",d=abc,=,mtp=18446744073709551615,ot=zz"])
                .unwrap();
        assert_eq!(said, Cmcd { object: Some(Object::Other), ..Cmcd::default() });
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in ".{0,300}", raw in "[ -~]{0,300}") {
            for query in [format!("CMCD={text}"), format!("CMCD={raw}")] {
                if let Some(said) = Cmcd::of_query(&query) {
                    prop_assert!(said.session.is_none_or(|session| session.chars().count() <= LONGEST_TEXT));
                }
            }
            let _ = Cmcd::of_headers([text.as_str(), raw.as_str()]);
        }

        #[test]
        fn what_is_said_is_heard(buffer in any::<u32>(), kilobits in 0_u64..1_000_000, session in "[a-zA-Z0-9 ,=%&-]{1,64}", starved in any::<bool>()) {
            let list = format!("bl={buffer},br={kilobits}{},sid=\"{session}\"", if starved { ",bs" } else { "" });
            let escaped: String = list.bytes().map(|b| format!("%{b:02X}")).collect();
            for said in [Cmcd::of_query(&format!("CMCD={escaped}")), Cmcd::of_headers([list.as_str()])] {
                let said = said.unwrap();
                prop_assert_eq!((said.buffer_ms, said.bits_per_second), (Some(buffer), Some(kilobits * 1000)));
                prop_assert_eq!(said.session.as_deref(), Some(session.as_str()));
                prop_assert_eq!(said.starved, starved);
            }
        }
    }
}
