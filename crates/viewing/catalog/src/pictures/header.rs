//! What a picture's first bytes say: its format and how large it is, before anything decodes it.
//!
//! Sources: ISO/IEC 10918-1 B.2 (JPEG), RFC 2083 (PNG), RFC 9649 (WebP), the AVIF specification (ISOBMFF `ispe`).

/// A picture's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Baseline, extended or progressive, in grey or three colours.
    Jpeg,
    /// Any.
    Png,
    /// A still one.
    WebP,
    /// A still one.
    Avif,
}

impl Format {
    /// As the contract names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Avif => "avif",
        }
    }

    /// What ffmpeg is told to read it as: it must not guess, a playlist could name other files.
    pub(super) fn demuxer(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg_pipe",
            Self::Png => "png_pipe",
            Self::WebP => "webp_pipe",
            Self::Avif => "mov",
        }
    }
}

/// What a picture says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Its format.
    pub format: Format,
    /// In pixels, as stored.
    pub width: u32,
    /// In pixels, as stored.
    pub height: u32,
}

/// Reads the header of a picture, or says why it is none that is taken.
pub fn read(bytes: &[u8]) -> Result<Header, String> {
    let (format, size) = match bytes {
        [0xff, 0xd8, 0xff, ..] => (Format::Jpeg, jpeg(bytes)?),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => (Format::Png, png(bytes)),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => (Format::WebP, webp(bytes)?),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => (Format::Avif, avif(bytes)?),
        _ => return Err("it is neither a JPEG, a PNG, a WebP nor an AVIF".to_owned()),
    };
    match size {
        Some((width, height)) if width > 0 && height > 0 => Ok(Header { format, width, height }),
        _ => Err(format!("it is a damaged {}: its size can't be read", format.name())),
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 2).map(|b| u32::from(u16::from_be_bytes([b[0], b[1]])))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
}

fn le24(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 3).map(|b| u32::from_le_bytes([b[0], b[1], b[2], 0]))
}

type Size = Option<(u32, u32)>;

fn jpeg(bytes: &[u8]) -> Result<Size, String> {
    let mut at = 2;
    loop {
        // Any number of 0xff may stand before a marker.
        while bytes.get(at) == Some(&0xff) && bytes.get(at + 1) == Some(&0xff) {
            at += 1;
        }
        let (Some(0xff), Some(marker), Some(length)) = (bytes.get(at), bytes.get(at + 1), be16(bytes, at + 2)) else {
            return Ok(None);
        };
        match marker {
            0xc0..=0xc2 => {
                let size = be16(bytes, at + 7).zip(be16(bytes, at + 5));
                return match bytes.get(at + 9) {
                    Some(1 | 3) => Ok(size),
                    Some(_) => Err("it is a JPEG for print (CMYK): colours for screens are taken".to_owned()),
                    None => Ok(None),
                };
            }
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Err("it is a lossless or arithmetic JPEG, which is not taken".to_owned());
            }
            _ if length < 2 => return Ok(None),
            _ => at += 2 + length as usize,
        }
    }
}

fn png(bytes: &[u8]) -> Size {
    (bytes.get(12..16)? == b"IHDR").then(|| be32(bytes, 16).zip(be32(bytes, 20)))?
}

fn webp(bytes: &[u8]) -> Result<Size, String> {
    let size = match bytes.get(12..16) {
        Some(b"VP8X") => {
            // RFC 9649, 2.7: the second bit from below.
            if bytes.get(20).is_some_and(|flags| flags & 0x02 != 0) {
                return Err("it moves: a still picture is taken".to_owned());
            }
            le24(bytes, 24).zip(le24(bytes, 27)).map(|(w, h)| (w + 1, h + 1))
        }
        Some(b"VP8 ") if bytes.get(23..26) == Some(&[0x9d, 0x01, 0x2a]) => {
            let side = |at| bytes.get(at..at + 2).map(|b| u32::from(u16::from_le_bytes([b[0], b[1]]) & 0x3fff));
            side(26).zip(side(28))
        }
        Some(b"VP8L") if bytes.get(20) == Some(&0x2f) => bytes.get(21..25).map(|b| {
            let bits = u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
            ((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1)
        }),
        _ => None,
    };
    Ok(size)
}

/// The largest of the sizes that its items have: the picture is larger than its tiles.
fn avif(bytes: &[u8]) -> Result<Size, String> {
    let brands = be32(bytes, 0).and_then(|length| bytes.get(8..length as usize)).unwrap_or_default();
    if !brands.chunks_exact(4).enumerate().any(|(i, brand)| i != 1 && brand == b"avif") {
        return Err("it is neither a JPEG, a PNG, a WebP nor a still AVIF".to_owned());
    }
    // Items are described in the first box after the brands.
    let start = be32(bytes, 0).unwrap_or(0) as usize;
    let length = be32(bytes, start).unwrap_or(0) as usize;
    let meta = bytes.get(start..start.saturating_add(length)).unwrap_or_default();
    let sizes = meta
        .windows(4)
        .enumerate()
        .filter(|(_, four)| four == b"ispe")
        .filter_map(|(at, _)| be32(meta, at + 8).zip(be32(meta, at + 12)));
    Ok(sizes.max_by_key(|(width, height)| u64::from(*width) * u64::from(*height)))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, proptest};
    use proptest::sample::select;

    use super::*;

    #[test]
    fn what_is_no_picture_is_refused_by_its_bytes() {
        for (bytes, says) in [
            (&b"#EXTM3U\nhttp://example.org/"[..], "neither"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "neither"),
            (b"GIF89a", "neither"),
            (b"", "neither"),
            (b"\xff\xd8\xff", "damaged jpeg"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\0\0\0\0\x01", "damaged png"),
            (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", "neither"),
            (b"\xff\xd8\xff\xc3\0\x0b\x08\0\x10\0\x10\x03", "lossless"),
            (b"\xff\xd8\xff\xc0\0\x0b\x08\0\x10\0\x10\x04", "print"),
        ] {
            let refused = read(bytes).unwrap_err();
            assert!(refused.contains(says), "{bytes:?}: {refused}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            start in select(vec![
                &b"\xff\xd8\xff"[..], b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", b"RIFF\0\0\0\0WEBPVP8X", b"RIFF\0\0\0\0WEBPVP8L",
                b"\0\0\0\x14ftypavif\0\0\0\0mif1", b"",
            ]),
            rest in vec(any::<u8>(), 0..200),
        ) {
            let _ = read(&[start, &rest].concat());
        }
    }
}
