//! The film's way through the encoder: inspect a master, slice it into chunks, encode each chunk's renditions, its sound,
//! its subtitles and its thumbnails, join the chunks and measure the result.
//!
//! Each step is one task type with a [`matinee_service::worker::Handler`] of its own, so that any worker can do any of
//! them. ffmpeg and ffprobe are called as subprocesses.

pub mod assemble;
pub mod audio;
pub mod encode;
pub mod inspect;
pub mod inspection;
pub mod measure;
pub mod picture;
pub mod rendition;
pub mod slice;
pub mod subtitles;
pub mod thumbnails;
pub mod tool;

use std::sync::Arc;

use matinee_service::worker::Handler;

/// A handler for each task type of this crate.
#[must_use]
pub fn handlers(tools: &Arc<tool::Tools>) -> Vec<Arc<dyn Handler>> {
    let tools = || Arc::clone(tools);
    vec![
        Arc::new(inspect::InspectHandler::new(tools())),
        Arc::new(slice::SliceHandler),
        Arc::new(encode::EncodeHandler::new(tools())),
        Arc::new(assemble::AssembleHandler),
        Arc::new(audio::AudioHandler::new(tools())),
        Arc::new(subtitles::SubtitleHandler::new(tools())),
        Arc::new(thumbnails::ThumbnailHandler::new(tools())),
        Arc::new(measure::MeasureHandler::new(tools())),
    ]
}
