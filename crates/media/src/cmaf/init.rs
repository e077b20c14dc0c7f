//! The initialisation segment: `ftyp moov`, clear or encrypted.

use crate::cenc::{Scheme, pssh};
use crate::mp4::boxes::{FourCc, set_size, write, write_full};
use crate::mp4::movie::{Handler, Track};

/// What an initialisation segment says.
#[derive(Debug, Clone)]
pub struct InitSpec {
    /// Pictures or sound.
    pub handler: Handler,
    /// Ticks a second.
    pub timescale: u32,
    /// The clear sample entry, whole.
    pub entry: Vec<u8>,
    /// Ticks of the track's timeline before the presentation starts (encoder delay of sound).
    pub media_time: u64,
    /// ISO 639-2.
    pub language: [u8; 3],
    /// Pixels; 0 for sound.
    pub width: u32,
    /// Pixels; 0 for sound.
    pub height: u32,
}

impl InitSpec {
    /// As a track has it.
    #[must_use]
    pub fn of(track: &Track) -> Self {
        let (width, height) = match track.entry.codec {
            crate::mp4::entry::Codec::Video { width, height, .. } => (width, height),
            crate::mp4::entry::Codec::Audio { .. } => (0, 0),
        };
        Self {
            handler: track.handler,
            timescale: track.timescale,
            entry: track.entry.bytes.clone(),
            // Pictures are shifted so that the first is shown at 0.
            media_time: if track.handler == Handler::Audio { track.media_time } else { 0 },
            language: track.language,
            width,
            height,
        }
    }
}

const TRACK_ID: u32 = 1;
const MATRIX: [u32; 9] = [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000];

fn u32s(out: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|v| out.extend_from_slice(&v.to_be_bytes()));
}

/// Writes `ftyp moov`.
#[must_use]
pub fn init_segment(spec: &InitSpec, scheme: Option<&Scheme>) -> Vec<u8> {
    let mut out = Vec::with_capacity(2048);
    write(&mut out, b"ftyp", |out| out.extend_from_slice(b"iso6\0\0\0\0iso6cmfcdashmp41"));
    write(&mut out, b"moov", |out| {
        write_full(out, b"mvhd", 0, 0, |out| {
            u32s(out, &[0, 0, 1000, 0, 0x0001_0000, 0x0100_0000, 0, 0]);
            u32s(out, &MATRIX);
            u32s(out, &[0, 0, 0, 0, 0, 0, TRACK_ID + 1]);
        });
        write(out, b"trak", |out| trak(out, spec, scheme));
        write(out, b"mvex", |out| {
            write_full(out, b"trex", 0, 0, |out| u32s(out, &[TRACK_ID, 1, 0, 0, 0]));
        });
        if let Some(scheme) = scheme {
            let kids = [scheme.key().kid];
            out.extend_from_slice(&pssh::common(&kids));
            out.extend_from_slice(&pssh::widevine(&kids, scheme.code()));
            out.extend_from_slice(&pssh::playready(&kids, scheme.code(), None));
        }
    });
    out
}

fn trak(out: &mut Vec<u8>, spec: &InitSpec, scheme: Option<&Scheme>) {
    let audio = spec.handler == Handler::Audio;
    write_full(out, b"tkhd", 0, 7, |out| {
        u32s(out, &[0, 0, TRACK_ID, 0, 0, 0, 0, 0, if audio { 0x0100_0000 } else { 0 }]);
        u32s(out, &MATRIX);
        u32s(out, &[spec.width << 16, spec.height << 16]);
    });
    if spec.media_time > 0 {
        write(out, b"edts", |out| {
            write_full(out, b"elst", 1, 0, |out| {
                u32s(out, &[1, 0, 0]);
                out.extend_from_slice(&spec.media_time.to_be_bytes());
                u32s(out, &[0x0001_0000]);
            });
        });
    }
    write(out, b"mdia", |out| {
        write_full(out, b"mdhd", 0, 0, |out| {
            u32s(out, &[0, 0, spec.timescale, 0]);
            let letter = |i: usize| u16::from(spec.language[i].wrapping_sub(0x60) & 31);
            out.extend_from_slice(&((letter(0) << 10) | (letter(1) << 5) | letter(2)).to_be_bytes());
            out.extend_from_slice(&[0, 0]);
        });
        write_full(out, b"hdlr", 0, 0, |out| {
            out.extend_from_slice(&[0; 4]);
            out.extend_from_slice(if audio { b"soun" } else { b"vide" });
            out.extend_from_slice(&[0; 12]);
            out.extend_from_slice(if audio { b"sound\0" } else { b"video\0" });
        });
        write(out, b"minf", |out| {
            if audio {
                write_full(out, b"smhd", 0, 0, |out| u32s(out, &[0]));
            } else {
                write_full(out, b"vmhd", 0, 1, |out| u32s(out, &[0, 0]));
            }
            write(out, b"dinf", |out| {
                write_full(out, b"dref", 0, 0, |out| {
                    u32s(out, &[1]);
                    write_full(out, b"url ", 0, 1, |_| {});
                });
            });
            write(out, b"stbl", |out| {
                write_full(out, b"stsd", 0, 0, |out| {
                    u32s(out, &[1]);
                    sample_entry(out, spec, scheme);
                });
                for code in [b"stts", b"stsc", b"stco"] {
                    write_full(out, code, 0, 0, |out| u32s(out, &[0]));
                }
                write_full(out, b"stsz", 0, 0, |out| u32s(out, &[0, 0]));
            });
        });
    });
}

/// The entry as it is, or as `encv`/`enca` with what a decryptor needs.
fn sample_entry(out: &mut Vec<u8>, spec: &InitSpec, scheme: Option<&Scheme>) {
    let start = out.len();
    out.extend_from_slice(&spec.entry);
    let Some(scheme) = scheme else { return };
    let mut original: FourCc = [0; 4];
    original.copy_from_slice(&out[start + 4..start + 8]);
    let audio = spec.handler == Handler::Audio;
    out[start + 4..start + 8].copy_from_slice(if audio { b"enca" } else { b"encv" });
    write(out, b"sinf", |out| {
        write(out, b"frma", |out| out.extend_from_slice(&original));
        write_full(out, b"schm", 0, 0, |out| {
            out.extend_from_slice(scheme.code());
            u32s(out, &[0x0001_0000]);
        });
        write(out, b"schi", |out| tenc(out, scheme, audio));
    });
    set_size(out, start);
}

fn tenc(out: &mut Vec<u8>, scheme: &Scheme, audio: bool) {
    match scheme {
        Scheme::Cbcs(key) => write_full(out, b"tenc", 1, 0, |out| {
            // One block of ten in pictures, every block in sound; no IV of the sample's own, so a constant one.
            out.extend_from_slice(&[0, if audio { 0 } else { 0x19 }, 1, 0]);
            out.extend_from_slice(&key.kid);
            out.push(16);
            out.extend_from_slice(&key.iv);
        }),
        Scheme::Cenc { key, .. } => write_full(out, b"tenc", 0, 0, |out| {
            out.extend_from_slice(&[0, 0, 1, 8]);
            out.extend_from_slice(&key.kid);
        }),
    }
}
