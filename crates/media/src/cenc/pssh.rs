//! `pssh` boxes: what tells a licence system which keys a stream needs.

use base64::Engine;

use crate::mp4::boxes::write_full;

/// The W3C Common system, by which ClearKey finds its keys.
pub const COMMON: [u8; 16] = *b"\x10\x77\xef\xec\xc0\xb2\x4d\x02\xac\xe3\x3c\x1e\x52\xe2\xfb\x4b";
/// Widevine.
pub const WIDEVINE: [u8; 16] = *b"\xed\xef\x8b\xa9\x79\xd6\x4a\xce\xa3\xc8\x27\xdc\xd5\x1d\x21\xed";
/// PlayReady.
pub const PLAYREADY: [u8; 16] = *b"\x9a\x04\xf0\x79\x98\x40\x42\x86\xab\x92\xe6\x5b\xe0\x88\x5f\x95";

/// The Common box (version 1) that names these keys.
#[must_use]
pub fn common(kids: &[[u8; 16]]) -> Vec<u8> {
    boxed(COMMON, kids, &[])
}

/// Widevine's box: a `WidevinePsshData` with the key ids (field 2) and the protection scheme (field 9).
#[must_use]
pub fn widevine(kids: &[[u8; 16]], scheme: &[u8; 4]) -> Vec<u8> {
    let mut data = Vec::new();
    for kid in kids {
        data.extend_from_slice(&[0x12, 16]);
        data.extend_from_slice(kid);
    }
    // protection_scheme, a varint of the four characters.
    data.push(0x48);
    let mut value = u32::from_be_bytes(*scheme);
    while value >= 0x80 {
        data.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    data.push(value as u8);
    boxed_v0(WIDEVINE, &data)
}

/// PlayReady's box, with [`playready_object`].
#[must_use]
pub fn playready(kids: &[[u8; 16]], scheme: &[u8; 4], license_url: Option<&str>) -> Vec<u8> {
    boxed_v0(PLAYREADY, &playready_object(kids, scheme, license_url))
}

/// The PlayReady object: one rights-management header of version 4.3.
/// Source: Microsoft, "PlayReady Header Specification" and "PlayReady Object".
#[must_use]
pub fn playready_object(kids: &[[u8; 16]], scheme: &[u8; 4], license_url: Option<&str>) -> Vec<u8> {
    let algorithm = if scheme == b"cbcs" { "AESCBC" } else { "AESCTR" };
    let mut xml = String::from(
        "<WRMHEADER xmlns=\"http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader\" version=\"4.3.0.0\"><DATA><PROTECTINFO><KIDS>",
    );
    for kid in kids {
        let value = base64::engine::general_purpose::STANDARD.encode(guid(kid));
        xml.push_str(&format!("<KID ALGID=\"{algorithm}\" VALUE=\"{value}\"></KID>"));
    }
    xml.push_str("</KIDS></PROTECTINFO>");
    if let Some(url) = license_url {
        let escaped = url.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        xml.push_str(&format!("<LA_URL>{escaped}</LA_URL>"));
    }
    xml.push_str("</DATA></WRMHEADER>");
    let header: Vec<u8> = xml.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = header.len() as u32;
    let mut object = Vec::with_capacity(header.len() + 10);
    object.extend_from_slice(&(length + 10).to_le_bytes());
    object.extend_from_slice(&1_u16.to_le_bytes());
    object.extend_from_slice(&1_u16.to_le_bytes());
    object.extend_from_slice(&(length as u16).to_le_bytes());
    object.extend_from_slice(&header);
    object
}

/// A key id in the byte order of a Windows GUID.
fn guid(kid: &[u8; 16]) -> [u8; 16] {
    let mut guid = *kid;
    guid[..4].reverse();
    guid[4..6].reverse();
    guid[6..8].reverse();
    guid
}

fn boxed(system: [u8; 16], kids: &[[u8; 16]], data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_full(&mut out, b"pssh", 1, 0, |out| {
        out.extend_from_slice(&system);
        out.extend_from_slice(&(kids.len() as u32).to_be_bytes());
        kids.iter().for_each(|kid| out.extend_from_slice(kid));
        out.extend_from_slice(&(data.len() as u32).to_be_bytes());
        out.extend_from_slice(data);
    });
    out
}

fn boxed_v0(system: [u8; 16], data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_full(&mut out, b"pssh", 0, 0, |out| {
        out.extend_from_slice(&system);
        out.extend_from_slice(&(data.len() as u32).to_be_bytes());
        out.extend_from_slice(data);
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_box_names_its_keys() {
        let made = common(&[[7; 16]]);
        assert_eq!(made.len(), 12 + 16 + 4 + 16 + 4);
        assert_eq!(&made[..8], b"\0\0\0\x34pssh");
        assert_eq!(&made[12..28], &COMMON);
    }

    #[test]
    fn a_playready_key_id_is_a_guid() {
        let kid: [u8; 16] = std::array::from_fn(|i| i as u8);
        assert_eq!(guid(&kid)[..8], [3, 2, 1, 0, 5, 4, 7, 6]);
    }
}
