//! From bytes to text, and from SRT's loose markup to WebVTT's.

/// Text in whatever encoding it was saved: by its byte order mark, else UTF-8, else UTF-16 where every other byte is
/// nought, else Windows-1252 (Latin-1 with quotation marks). Line ends become `\n`.
pub fn decoded(bytes: &[u8]) -> String {
    let text = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ if noughts(bytes, 1) => utf16(bytes, u16::from_le_bytes),
        _ if noughts(bytes, 0) => utf16(bytes, u16::from_be_bytes),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|&b| windows_1252(b)).collect(),
        },
    };
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{fffd}")
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Whether at least a third of the bytes at odd (`1`) or even (`0`) places are nought, and none at the others.
fn noughts(bytes: &[u8], parity: usize) -> bool {
    let sample = &bytes[..bytes.len().min(4096)];
    let at = |parity| sample.iter().skip(parity).step_by(2).filter(|&&b| b == 0).count();
    sample.len() >= 4 && at(parity) * 6 >= sample.len() && at(1 - parity) == 0
}

fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// An SRT cue's text as WebVTT: bold, italics and underline are kept, other tags and `{\an8}` codes are dropped, and
/// what is left of markup is escaped. The second value is the cue settings that a position code asks for.
pub fn from_srt(text: &str) -> (String, &'static str) {
    let mut out = String::with_capacity(text.len());
    let mut settings = "";
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '<'
            && let Some(close) = rest.find('>')
            && let Some(tag) = tag_name(&rest[1..close])
        {
            if matches!(tag.trim_start_matches('/'), "b" | "i" | "u") {
                out.push_str(&format!("<{tag}>"));
            }
            rest = &rest[close + 1..];
            continue;
        }
        if rest.starts_with("{\\")
            && let Some(close) = rest.find('}')
        {
            if matches!(&rest[2..close], "an7" | "an8" | "an9" | "a6") {
                settings = "line:0";
            }
            rest = &rest[close + 1..];
            continue;
        }
        match c {
            '&' => out.push_str(if entity(rest) { "&" } else { "&amp;" }),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    (out, settings)
}

/// `i`, `/i` or `font`, in lower case, of a tag's inside; `None` where it is not a tag but a less-than sign.
fn tag_name(inside: &str) -> Option<String> {
    let name = inside.split_whitespace().next()?;
    let bare = name.strip_prefix('/').unwrap_or(name);
    let is_tag = bare.len() <= 8 && bare.starts_with(|c: char| c.is_ascii_alphabetic());
    (is_tag && bare.chars().all(|c| c.is_ascii_alphanumeric())).then(|| name.to_ascii_lowercase())
}

fn entity(rest: &str) -> bool {
    ["&amp;", "&lt;", "&gt;", "&nbsp;", "&lrm;", "&rlm;"].iter().any(|e| rest.starts_with(e))
}
