//! Boxes, read from bytes and written to bytes.

use super::Mp4Error;

/// Four characters.
pub type FourCc = [u8; 4];

/// A four-character code for people.
#[must_use]
pub fn name(code: FourCc) -> String {
    code.iter().map(|&b| if b.is_ascii_graphic() { b as char } else { '?' }).collect()
}

/// One box within bytes.
#[derive(Debug, Clone, Copy)]
pub struct Mp4Box<'a> {
    /// Its four characters.
    pub code: FourCc,
    /// What is in it, without its header.
    pub body: &'a [u8],
    /// All of it.
    pub whole: &'a [u8],
    /// Where it starts, counted from the bytes that were walked.
    pub offset: u64,
}

impl<'a> Mp4Box<'a> {
    /// The error that this box is malformed.
    #[must_use]
    pub fn malformed(&self, reason: &'static str) -> Mp4Error {
        Mp4Error::Box { name: name(self.code), offset: self.offset, reason }
    }

    /// The boxes in it.
    #[must_use]
    pub fn children(&self) -> Boxes<'a> {
        Boxes { bytes: self.body, at: 0, base: self.offset + (self.whole.len() - self.body.len()) as u64 }
    }

    /// The first child of this code.
    pub fn child(&self, code: &FourCc) -> Result<Option<Mp4Box<'a>>, Mp4Error> {
        find(self.children(), code)
    }

    /// The first child of this code, which must be there.
    pub fn need(&self, code: &'static str) -> Result<Mp4Box<'a>, Mp4Error> {
        let four: FourCc = code.as_bytes().try_into().map_err(|_| Mp4Error::Missing(code))?;
        self.child(&four)?.ok_or(Mp4Error::Missing(code))
    }

    /// Version, flags and the rest of a full box.
    pub fn full(&self) -> Result<(u8, u32, Fields<'a>), Mp4Error> {
        let mut fields = Fields::new(*self);
        let word = fields.u32()?;
        Ok(((word >> 24) as u8, word & 0x00ff_ffff, fields))
    }
}

/// The first of these boxes with this code.
pub fn find<'a>(boxes: Boxes<'a>, code: &FourCc) -> Result<Option<Mp4Box<'a>>, Mp4Error> {
    for found in boxes {
        let found = found?;
        if found.code == *code {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Boxes one after the other.
#[derive(Debug, Clone)]
pub struct Boxes<'a> {
    bytes: &'a [u8],
    at: usize,
    base: u64,
}

impl<'a> Boxes<'a> {
    /// Those in `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, base: 0 }
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<Mp4Box<'a>, Mp4Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..)?;
        if rest.is_empty() {
            return None;
        }
        let offset = self.base + self.at as u64;
        let refused = |code: FourCc, reason| Some(Err(Mp4Error::Box { name: name(code), offset, reason }));
        // Whatever is wrong ends the walk.
        let at = std::mem::replace(&mut self.at, self.bytes.len());
        let Some((head, _)) = rest.split_first_chunk::<8>() else {
            return refused(*b"????", "its header is cut short");
        };
        let code = [head[4], head[5], head[6], head[7]];
        let (header, size) = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
            0 => (8, rest.len()),
            1 => {
                let Some(large) = rest.get(8..16).and_then(|b| b.first_chunk::<8>()) else {
                    return refused(code, "its large size is cut short");
                };
                (16, usize::try_from(u64::from_be_bytes(*large)).unwrap_or(usize::MAX))
            }
            size => (8, size as usize),
        };
        if size < header {
            return refused(code, "its size is smaller than its header");
        }
        let Some(whole) = rest.get(..size) else { return refused(code, "it goes past its parent's end") };
        self.at = at + size;
        Some(Ok(Mp4Box { code, body: &whole[header..], whole, offset }))
    }
}

/// Fields of a box, in order.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
    of: Mp4Box<'a>,
}

impl<'a> Fields<'a> {
    /// From the box's body on.
    #[must_use]
    pub fn new(of: Mp4Box<'a>) -> Self {
        Self { rest: of.body, of }
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Mp4Error> {
        let Some((taken, rest)) = self.rest.split_at_checked(n) else {
            return Err(self.of.malformed("it is cut short"));
        };
        self.rest = rest;
        Ok(taken)
    }

    /// What is left.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Mp4Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// An 8-bit number.
    pub fn u8(&mut self) -> Result<u8, Mp4Error> {
        Ok(self.array::<1>()?[0])
    }

    /// A 16-bit number.
    pub fn u16(&mut self) -> Result<u16, Mp4Error> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// A 32-bit number.
    pub fn u32(&mut self) -> Result<u32, Mp4Error> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// A 64-bit number.
    pub fn u64(&mut self) -> Result<u64, Mp4Error> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// A number of 32 bits in version 0 and of 64 in version 1.
    pub fn wide(&mut self, version: u8) -> Result<u64, Mp4Error> {
        if version == 0 { Ok(u64::from(self.u32()?)) } else { self.u64() }
    }

    /// A table of `count` rows of `width` bytes, which must be there in full.
    pub fn table(&mut self, count: u32, width: usize) -> Result<&'a [u8], Mp4Error> {
        let size = (count as usize).checked_mul(width).ok_or_else(|| self.of.malformed("its table is too long"))?;
        self.take(size)
    }
}

/// The big-endian 32-bit number at row `row` (of `width` bytes), `field` words in.
#[must_use]
pub fn word(table: &[u8], row: usize, width: usize, field: usize) -> u32 {
    let at = row * width + field * 4;
    table.get(at..at + 4).map_or(0, |b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
}

/// Writes a box: its size is set when `fill` has written what is in it.
pub fn write(out: &mut Vec<u8>, code: &FourCc, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(code);
    fill(out);
    set_size(out, start);
}

/// Writes a full box.
pub fn write_full(out: &mut Vec<u8>, code: &FourCc, version: u8, flags: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    write(out, code, |out| {
        out.extend_from_slice(&((u32::from(version) << 24) | flags).to_be_bytes());
        fill(out);
    });
}

/// Sets the size of the box that starts at `start` and ends where `out` does.
pub fn set_size(out: &mut [u8], start: usize) {
    // Boxes written here are headers: far below 4 GiB.
    let size = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&size.to_be_bytes());
}
