//! Reading MP4 (ISO/IEC 14496-12): boxes, tracks and their samples, progressive and fragmented.
//!
//! Bytes come from a [`ReadAt`] in pieces; only the tables of `moov` or of one `moof` are held at a time, so that memory
//! does not grow with the film. Every malformed input is refused with the box and its offset, never with a panic.

pub mod boxes;
pub mod entry;
pub mod movie;
pub mod samples;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

pub use movie::{Handler, Mp4, Track};
pub use samples::{Sample, Samples};

/// Bytes that can be read at any place.
pub trait ReadAt {
    /// Fills `buffer` from `offset` on. Fails where there are fewer bytes.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// All of them.
    fn size(&self) -> io::Result<u64>;
}

impl ReadAt for File {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        let bytes = self.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.as_slice().read_at(offset, buffer)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

/// Why an MP4 file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Mp4Error {
    /// The bytes can't be read.
    #[error("MP4 bytes at {offset} can't be read: {source}")]
    Read {
        /// Where.
        offset: u64,
        /// The system's reason.
        source: io::Error,
    },
    /// A box is cut short or contradicts itself.
    #[error("box {name} at byte {offset} is malformed: {reason}")]
    Box {
        /// Its four characters.
        name: String,
        /// Where it starts in the file (or in its parent, where the file's offset is not known).
        offset: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// A box that must be there is not.
    #[error("the file has no {0} box")]
    Missing(&'static str),
    /// What is stored is not what this packager handles.
    #[error("sample entry {0:?} is not packaged: avc1, hvc1, hev1, av01 and mp4a are")]
    Entry(String),
    /// Larger than anything that is sane.
    #[error("box {name} at byte {offset} has {size} bytes, more than the {most} that are taken")]
    TooLarge {
        /// Its four characters.
        name: String,
        /// Where it starts.
        offset: u64,
        /// What it says.
        size: u64,
        /// The bound.
        most: u64,
    },
}
