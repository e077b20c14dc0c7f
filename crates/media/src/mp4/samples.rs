//! Samples in decoding order: from the tables of `moov`, or from one `moof` after the other.

use std::ops::Range;

use super::boxes::{Boxes, Mp4Box, word};
use super::movie::{Mp4, Track, read, top};
use super::{Mp4Error, ReadAt};

/// The largest `moof` that is taken.
const MOST_MOOF: u64 = 32 << 20;
/// Samples of one run that are taken.
const MOST_RUN: u32 = 4 << 20;
/// The latest decode time that is taken: tens of thousands of years in any timescale of use, far from any overflow.
const MOST_TICKS: u64 = 1 << 56;

/// One coded picture or frame of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Where it is in the file.
    pub offset: u64,
    /// Bytes.
    pub size: u32,
    /// When it is decoded, in ticks.
    pub dts: u64,
    /// Ticks.
    pub duration: u32,
    /// From decoding to presentation, in ticks.
    pub cts: i32,
    /// Whether decoding can start here.
    pub sync: bool,
}

/// Where the tables of a progressive track are in the body of `moov`.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    stts: Range<usize>,
    ctts: Range<usize>,
    stss: Option<Range<usize>>,
    /// One size for all, or 0.
    size: u32,
    count: u32,
    stsz: Range<usize>,
    stsc: Range<usize>,
    chunks: Range<usize>,
    wide: bool,
}

impl Tables {
    pub(super) fn parse(moov: &[u8], stbl: Mp4Box<'_>) -> Result<Self, Mp4Error> {
        let mut tables = Self::default();
        for found in stbl.children() {
            let found = found?;
            match &found.code {
                b"stts" => tables.stts = rows(moov, found, 8)?,
                b"ctts" => tables.ctts = rows(moov, found, 8)?,
                b"stss" => tables.stss = Some(rows(moov, found, 4)?),
                b"stsc" => tables.stsc = rows(moov, found, 12)?,
                b"stco" => tables.chunks = rows(moov, found, 4)?,
                b"co64" => {
                    tables.chunks = rows(moov, found, 8)?;
                    tables.wide = true;
                }
                b"stsz" => {
                    let (_, _, mut fields) = found.full()?;
                    tables.size = fields.u32()?;
                    tables.count = fields.u32()?;
                    if tables.size == 0 {
                        tables.stsz = place(moov, fields.table(tables.count, 4)?);
                    }
                }
                _ => {}
            }
        }
        Ok(tables)
    }
}

/// Where the rows of a counted table are.
fn rows(moov: &[u8], found: Mp4Box<'_>, width: usize) -> Result<Range<usize>, Mp4Error> {
    let (_, _, mut fields) = found.full()?;
    let count = fields.u32()?;
    Ok(place(moov, fields.table(count, width)?))
}

/// Where a part of `whole` is in it.
fn place(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr() as usize - whole.as_ptr() as usize;
    start..start + part.len()
}

/// The samples of one track.
#[derive(Debug)]
pub struct Samples<'a, R> {
    file: &'a Mp4<R>,
    track: &'a Track,
    tables: Walk,
    fragments: Fragments,
    dts: u64,
    ended: bool,
}

/// How far the tables are walked.
#[derive(Debug, Default)]
struct Walk {
    sample: u32,
    stts: (usize, u32),
    ctts: (usize, u32),
    stss: usize,
    stsc: usize,
    chunk: usize,
    in_chunk: u32,
    offset: u64,
}

/// The fragment whose samples are handed out, and where the next one is.
#[derive(Debug, Default)]
struct Fragments {
    next: u64,
    samples: std::collections::VecDeque<Sample>,
}

impl<'a, R: ReadAt> Samples<'a, R> {
    pub(super) fn new(file: &'a Mp4<R>, track: &'a Track) -> Self {
        let fragments = Fragments { next: file.after_moov, ..Fragments::default() };
        Self { file, track, tables: Walk::default(), fragments, dts: 0, ended: false }
    }

    fn table(&self, range: &Range<usize>) -> &'a [u8] {
        self.file.moov.get(range.clone()).unwrap_or_default()
    }

    /// The next sample by the tables.
    fn tabled(&mut self) -> Result<Option<Sample>, Mp4Error> {
        let malformed = |name: &str, reason| Mp4Error::Box { name: name.to_owned(), offset: 0, reason };
        let tables = &self.track.tables;
        if self.tables.sample >= tables.count {
            return Ok(None);
        }
        let (stts, ctts) = (self.table(&tables.stts), self.table(&tables.ctts));
        let (stsc, chunks, stsz) = (self.table(&tables.stsc), self.table(&tables.chunks), self.table(&tables.stsz));
        let walk = &mut self.tables;
        let size = if tables.size == 0 { word(stsz, walk.sample as usize, 4, 0) } else { tables.size };
        // A new chunk begins where the last one's samples are used up.
        if walk.in_chunk == 0 {
            let width = if tables.wide { 8 } else { 4 };
            if walk.chunk * width >= chunks.len() {
                return Err(malformed("stco", "it has fewer chunks than the samples need"));
            }
            walk.offset = if tables.wide {
                (u64::from(word(chunks, walk.chunk, 8, 0)) << 32) | u64::from(word(chunks, walk.chunk, 8, 1))
            } else {
                u64::from(word(chunks, walk.chunk, 4, 0))
            };
            walk.chunk += 1;
            // stsc rows say from which chunk on (counted from 1) how many samples a chunk has.
            while (walk.stsc + 1) * 12 < stsc.len() && word(stsc, walk.stsc + 1, 12, 0) as usize <= walk.chunk {
                walk.stsc += 1;
            }
            walk.in_chunk = word(stsc, walk.stsc, 12, 1);
            if walk.in_chunk == 0 {
                return Err(malformed("stsc", "a chunk has no samples"));
            }
        }
        let offset = walk.offset;
        walk.offset = offset.checked_add(u64::from(size)).ok_or_else(|| malformed("stco", "an offset is too large"))?;
        walk.in_chunk -= 1;
        if walk.offset > self.file.size {
            return Err(Mp4Error::Box {
                name: "mdat".to_owned(),
                offset,
                reason: "a sample goes past the file's end: the file is cut short",
            });
        }
        while walk.stts.0 * 8 < stts.len() && walk.stts.1 >= word(stts, walk.stts.0, 8, 0) {
            walk.stts = (walk.stts.0 + 1, 0);
        }
        if walk.stts.0 * 8 >= stts.len() {
            return Err(malformed("stts", "it covers fewer samples than stsz"));
        }
        let duration = word(stts, walk.stts.0, 8, 1);
        walk.stts.1 += 1;
        let mut cts = 0;
        if !ctts.is_empty() {
            while walk.ctts.0 * 8 < ctts.len() && walk.ctts.1 >= word(ctts, walk.ctts.0, 8, 0) {
                walk.ctts = (walk.ctts.0 + 1, 0);
            }
            cts = word(ctts, walk.ctts.0, 8, 1) as i32;
            walk.ctts.1 += 1;
        }
        walk.sample += 1;
        let sync = match &tables.stss {
            None => true,
            Some(range) => {
                let stss = self.file.moov.get(range.clone()).unwrap_or_default();
                while walk.stss * 4 < stss.len() && word(stss, walk.stss, 4, 0) < walk.sample {
                    walk.stss += 1;
                }
                walk.stss * 4 < stss.len() && word(stss, walk.stss, 4, 0) == walk.sample
            }
        };
        let sample = Sample { offset, size, dts: self.dts, duration, cts, sync };
        self.dts += u64::from(duration);
        Ok(Some(sample))
    }

    /// The next sample by fragments.
    fn fragmented(&mut self) -> Result<Option<Sample>, Mp4Error> {
        loop {
            if let Some(sample) = self.fragments.samples.pop_front() {
                return Ok(Some(sample));
            }
            let Some(found) = top(&self.file.reader, self.fragments.next, self.file.size)? else { return Ok(None) };
            self.fragments.next = found.end;
            if found.code != *b"moof" {
                continue;
            }
            let length = found.end - found.body;
            if length > MOST_MOOF {
                let name = "moof".to_owned();
                return Err(Mp4Error::TooLarge { name, offset: found.start, size: length, most: MOST_MOOF });
            }
            let mut moof = vec![0; length as usize];
            read(&self.file.reader, found.body, &mut moof)?;
            let fragment = fragment(&moof, found.start, self.track.id, self.track.defaults, self.dts)?;
            if let Some(last) = fragment.last() {
                self.dts = last.dts + u64::from(last.duration);
                let end = fragment.iter().map(|s| s.offset + u64::from(s.size)).max().unwrap_or(0);
                if end > self.file.size {
                    return Err(Mp4Error::Box {
                        name: "moof".to_owned(),
                        offset: found.start,
                        reason: "its samples go past the file's end: the file is cut short",
                    });
                }
            }
            self.fragments.samples = fragment.into();
        }
    }
}

impl<R: ReadAt> Iterator for Samples<'_, R> {
    type Item = Result<Sample, Mp4Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = if self.track.fragmented { self.fragmented() } else { self.tabled() };
        // An error ends it.
        self.ended = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

/// The samples that one `moof` (its body; it starts at `start` in the file) has for a track.
pub fn fragment(
    moof: &[u8],
    start: u64,
    id: u32,
    defaults: (u32, u32, u32),
    mut dts: u64,
) -> Result<Vec<Sample>, Mp4Error> {
    let mut samples = Vec::new();
    for traf in Boxes::new(moof) {
        let traf = traf?;
        if traf.code != *b"traf" {
            continue;
        }
        let tfhd = traf.need("tfhd")?;
        let (_, flags, mut fields) = tfhd.full()?;
        if fields.u32()? != id {
            continue;
        }
        let mut base = start;
        let (mut duration, mut size, mut sample_flags) = defaults;
        if flags & 1 != 0 {
            base = fields.u64()?;
        }
        if flags & 2 != 0 {
            fields.u32()?;
        }
        if flags & 8 != 0 {
            duration = fields.u32()?;
        }
        if flags & 0x10 != 0 {
            size = fields.u32()?;
        }
        if flags & 0x20 != 0 {
            sample_flags = fields.u32()?;
        }
        if let Some(tfdt) = traf.child(b"tfdt")? {
            let (version, _, mut fields) = tfdt.full()?;
            dts = fields.wide(version)?;
            if dts > MOST_TICKS {
                return Err(tfdt.malformed("its decode time is past all bounds"));
            }
        }
        let mut offset = base;
        for trun in traf.children() {
            let trun = trun?;
            if trun.code == *b"trun" {
                (offset, dts) = run(trun, base, offset, dts, (duration, size, sample_flags), &mut samples)?;
            }
        }
    }
    Ok(samples)
}

/// Adds the samples of one `trun`; returns where the next one's bytes and time begin.
fn run(
    trun: Mp4Box<'_>,
    base: u64,
    mut offset: u64,
    mut dts: u64,
    defaults: (u32, u32, u32),
    samples: &mut Vec<Sample>,
) -> Result<(u64, u64), Mp4Error> {
    let (version, flags, mut fields) = trun.full()?;
    let count = fields.u32()?;
    if count > MOST_RUN {
        return Err(trun.malformed("it has too many samples"));
    }
    if flags & 1 != 0 {
        let shift = i64::from(fields.u32()? as i32);
        offset = base.checked_add_signed(shift).ok_or_else(|| trun.malformed("its data offset is out of the file"))?;
    }
    let first_flags = if flags & 4 != 0 { Some(fields.u32()?) } else { None };
    for n in 0..count {
        let duration = if flags & 0x100 != 0 { fields.u32()? } else { defaults.0 };
        let size = if flags & 0x200 != 0 { fields.u32()? } else { defaults.1 };
        let own = if flags & 0x400 != 0 { fields.u32()? } else { defaults.2 };
        let sample_flags = if n == 0 { first_flags.unwrap_or(own) } else { own };
        let cts = if flags & 0x800 != 0 { fields.u32()? as i32 } else { 0 };
        if version == 0 && cts < 0 {
            return Err(trun.malformed("a composition offset is too large"));
        }
        samples.push(Sample { offset, size, dts, duration, cts, sync: sample_flags & 0x0001_0000 == 0 });
        let next = (offset.checked_add(u64::from(size)), dts.checked_add(u64::from(duration)));
        (offset, dts) = match next {
            (Some(offset), Some(dts)) if dts <= MOST_TICKS => (offset, dts),
            _ => return Err(trun.malformed("its samples go past all bounds")),
        };
    }
    Ok((offset, dts))
}
