//! The film's way through the encoder: inspect a master, slice it into chunks, encode each chunk's renditions, its sound,
//! its subtitles and its thumbnails, join the chunks and measure the result.
//!
//! Each step is one task type with a [`matinee_service::worker::Handler`] of its own, so that any worker can do any of
//! them. ffmpeg and ffprobe are called as subprocesses.

pub mod assemble;
pub mod encode;
pub mod inspect;
pub mod inspection;
pub mod picture;
pub mod rendition;
pub mod slice;
pub mod tool;
