//! The movie: its tracks, where their samples are, and the head that describes them.

use super::boxes::{Boxes, FourCc, Mp4Box, find, name};
use super::entry::Entry;
use super::samples::{Samples, Tables};
use super::{Mp4Error, ReadAt};

/// The largest `moov` that is taken: the tables of some thirty hours.
const MOST_MOOV: u64 = 64 << 20;

/// What kind of track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// One track.
#[derive(Debug, Clone)]
pub struct Track {
    /// Its number in the file.
    pub id: u32,
    /// Pictures or sound.
    pub handler: Handler,
    /// Ticks a second.
    pub timescale: u32,
    /// How its samples are coded.
    pub entry: Entry,
    /// Where on its own timeline the presentation starts (the edit list's media time), in ticks.
    pub media_time: u64,
    /// How long the presentation waits before it starts (an empty edit), in ticks.
    pub delay: u64,
    /// ISO 639-2, as packed in `mdhd`.
    pub language: [u8; 3],
    /// Whether samples stand in fragments.
    pub fragmented: bool,
    /// Of a fragmented track: what a fragment leaves out (duration, size, flags).
    pub defaults: (u32, u32, u32),
    pub(super) tables: Tables,
}

/// An MP4 file.
#[derive(Debug)]
pub struct Mp4<R> {
    pub(super) reader: R,
    pub(super) size: u64,
    pub(super) moov: Vec<u8>,
    tracks: Vec<Track>,
    /// Where the first box after `moov` is, for fragments.
    pub(super) after_moov: u64,
}

/// The header of a box in the file: its code, where its body starts and where it ends.
pub(super) struct Top {
    pub code: FourCc,
    pub start: u64,
    pub body: u64,
    pub end: u64,
}

/// Reads the header of the box at `offset`; nothing at the file's end.
pub(super) fn top<R: ReadAt + ?Sized>(reader: &R, offset: u64, size: u64) -> Result<Option<Top>, Mp4Error> {
    if offset >= size {
        return Ok(None);
    }
    let cut = |code: FourCc, reason| Mp4Error::Box { name: name(code), offset, reason };
    if size - offset < 8 {
        return Err(cut(*b"????", "its header is cut short by the file's end"));
    }
    let mut head = [0; 16];
    read(reader, offset, &mut head[..8])?;
    let code = [head[4], head[5], head[6], head[7]];
    let (header, length) = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
        0 => (8, size - offset),
        1 => {
            if size - offset < 16 {
                return Err(cut(code, "its large size is cut short by the file's end"));
            }
            read(reader, offset + 8, &mut head[8..])?;
            let mut large = [0; 8];
            large.copy_from_slice(&head[8..]);
            (16, u64::from_be_bytes(large))
        }
        length => (8, u64::from(length)),
    };
    if length < header {
        return Err(cut(code, "its size is smaller than its header"));
    }
    if length > size - offset {
        return Err(cut(code, "it goes past the file's end"));
    }
    Ok(Some(Top { code, start: offset, body: offset + header, end: offset + length }))
}

pub(super) fn read<R: ReadAt + ?Sized>(reader: &R, offset: u64, buffer: &mut [u8]) -> Result<(), Mp4Error> {
    reader.read_at(offset, buffer).map_err(|source| Mp4Error::Read { offset, source })
}

impl<R: ReadAt> Mp4<R> {
    /// Reads the file's head. Tracks that are neither pictures nor sound are passed over.
    pub fn open(reader: R) -> Result<Self, Mp4Error> {
        let size = reader.size().map_err(|source| Mp4Error::Read { offset: 0, source })?;
        let mut at = 0;
        while let Some(found) = top(&reader, at, size)? {
            at = found.end;
            if found.code != *b"moov" {
                continue;
            }
            let length = found.end - found.body;
            if length > MOST_MOOV {
                let name = "moov".to_owned();
                return Err(Mp4Error::TooLarge { name, offset: found.start, size: length, most: MOST_MOOV });
            }
            let mut moov = vec![0; length as usize];
            read(&reader, found.body, &mut moov)?;
            let tracks = tracks(&moov)?;
            return Ok(Self { reader, size, moov, tracks, after_moov: at });
        }
        Err(Mp4Error::Missing("moov"))
    }

    /// The tracks of pictures and sound, in the file's order.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// The samples of a track, in decoding order.
    pub fn samples<'a>(&'a self, track: &'a Track) -> Samples<'a, R> {
        Samples::new(self, track)
    }

    /// Fills `buffer` from `offset` on.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Mp4Error> {
        read(&self.reader, offset, buffer)
    }
}

/// The tracks in the body of a `moov`.
fn tracks(moov: &[u8]) -> Result<Vec<Track>, Mp4Error> {
    let mut movie_timescale = 1000;
    if let Some(mvhd) = find(Boxes::new(moov), b"mvhd")? {
        let (version, _, mut fields) = mvhd.full()?;
        fields.take(if version == 0 { 8 } else { 16 })?;
        movie_timescale = fields.u32()?.max(1);
    }
    let mvex = find(Boxes::new(moov), b"mvex")?;
    let mut tracks = Vec::new();
    for found in Boxes::new(moov) {
        let found = found?;
        if found.code == *b"trak" {
            tracks.extend(track(moov, found, movie_timescale, mvex)?);
        }
    }
    Ok(tracks)
}

fn track(
    moov: &[u8],
    trak: Mp4Box<'_>,
    movie_timescale: u32,
    mvex: Option<Mp4Box<'_>>,
) -> Result<Option<Track>, Mp4Error> {
    let mdia = trak.need("mdia")?;
    let hdlr = mdia.need("hdlr")?;
    let handler = match hdlr.body.get(8..12) {
        Some(b"vide") => Handler::Video,
        Some(b"soun") => Handler::Audio,
        _ => return Ok(None),
    };
    let tkhd = trak.need("tkhd")?;
    let (version, _, mut fields) = tkhd.full()?;
    fields.take(if version == 0 { 8 } else { 16 })?;
    let id = fields.u32()?;
    let mdhd = mdia.need("mdhd")?;
    let (version, _, mut fields) = mdhd.full()?;
    fields.take(if version == 0 { 8 } else { 16 })?;
    let timescale = fields.u32()?;
    if timescale == 0 {
        return Err(mdhd.malformed("its timescale is 0"));
    }
    fields.wide(version)?;
    let packed = fields.u16()?;
    let letter = |shift: u16| (((packed >> shift) & 31) as u8 + 0x60).clamp(b'a', b'z');
    let stbl = mdia.need("minf")?.need("stbl")?;
    let stsd = stbl.need("stsd")?;
    let (_, _, mut fields) = stsd.full()?;
    if fields.u32()? != 1 {
        return Err(stsd.malformed("one sample entry is taken, no more and no fewer"));
    }
    let Some(entry) = Boxes::new(fields.rest()).next() else { return Err(stsd.malformed("it is empty")) };
    let (delay, media_time) = edits(trak, movie_timescale, timescale)?;
    let defaults = defaults(mvex, id)?;
    Ok(Some(Track {
        id,
        handler,
        timescale,
        entry: Entry::parse(entry?)?,
        media_time,
        delay,
        language: [letter(10), letter(5), letter(0)],
        fragmented: defaults.is_some(),
        defaults: defaults.unwrap_or_default(),
        tables: Tables::parse(moov, stbl)?,
    }))
}

/// How long the presentation waits and where on the track's timeline it starts, both in the track's ticks.
fn edits(trak: Mp4Box<'_>, movie_timescale: u32, timescale: u32) -> Result<(u64, u64), Mp4Error> {
    let Some(edts) = trak.child(b"edts")? else { return Ok((0, 0)) };
    let Some(elst) = edts.child(b"elst")? else { return Ok((0, 0)) };
    let (version, _, mut fields) = elst.full()?;
    let mut delay = 0;
    for _ in 0..fields.u32()? {
        let duration = fields.wide(version)?;
        let start = fields.wide(version)?;
        fields.u32()?;
        let empty = if version == 0 { start == u64::from(u32::MAX) } else { start == u64::MAX };
        if !empty {
            return Ok((delay, start));
        }
        let ticks = u128::from(duration) * u128::from(timescale) / u128::from(movie_timescale);
        delay += u64::try_from(ticks).map_err(|_| elst.malformed("an empty edit is too long"))?;
    }
    Ok((delay, 0))
}

/// A fragmented track's defaults.
fn defaults(mvex: Option<Mp4Box<'_>>, id: u32) -> Result<Option<(u32, u32, u32)>, Mp4Error> {
    let Some(mvex) = mvex else { return Ok(None) };
    for trex in mvex.children() {
        let trex = trex?;
        if trex.code != *b"trex" {
            continue;
        }
        let (_, _, mut fields) = trex.full()?;
        if fields.u32()? == id {
            fields.u32()?;
            return Ok(Some((fields.u32()?, fields.u32()?, fields.u32()?)));
        }
    }
    Ok(None)
}
