//! Pictures: each one that comes in is looked at, measured, and made in the sizes and formats that devices ask for.
//!
//! A picture comes from outside: its bytes and pixels are bounded before anything decodes it, its format is told to
//! ffmpeg by what its bytes are and not by what they claim, and what it carries beside the picture (places, cameras) is
//! left out. What was made is kept in the object store under its hash, `artwork/{title}/{kind}/{width}-{hash}.{format}`,
//! so that an address never shows something else.

pub mod header;
mod make;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use matinee_contracts::catalog::Artwork;
use matinee_engines::objects::ObjectStorage;
use matinee_model::ids::TitleId;
use tokio::sync::Semaphore;

use crate::error::{CatalogError, refused};

/// The largest picture, in bytes.
pub const MOST_BYTES: usize = 20 << 20;
/// Its most pixels: a picture of 8K has 33 million.
pub const MOST_PIXELS: u64 = 40_000_000;
/// Its longest side, in pixels.
const LONGEST_SIDE: u32 = 10_000;
/// Its least width, in pixels.
const LEAST_WIDTH: u32 = 320;
/// Pictures that are made at once.
const AT_ONCE: usize = 2;
/// Pictures that are made or wait for it: each holds its bytes.
const WAITING: usize = 8;

/// What a picture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// Upright, 2:3.
    Poster,
    /// Wide, 16:9.
    Backdrop,
    /// The title's lettering, on nothing.
    Logo,
    /// A frame of it.
    Still,
}

impl PictureKind {
    /// `poster`, `backdrop`, `logo` or `still`.
    pub fn parse(name: &str) -> Result<Self, CatalogError> {
        let all = [Self::Poster, Self::Backdrop, Self::Logo, Self::Still];
        let known = all.into_iter().find(|kind| kind.as_str() == name);
        known.ok_or_else(|| refused("kind", "it is none of poster, backdrop, logo and still"))
    }

    /// As the contract names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Poster => "poster",
            Self::Backdrop => "backdrop",
            Self::Logo => "logo",
            Self::Still => "still",
        }
    }

    /// The widths that devices ask for, in pixels.
    fn widths(self) -> &'static [u32] {
        match self {
            Self::Poster => &[160, 320, 640, 960],
            Self::Backdrop => &[480, 960, 1920, 3840],
            Self::Logo => &[240, 480, 960],
            Self::Still => &[320, 640, 1280, 1920],
        }
    }

    /// The widths of a picture that is `width` wide: none is larger than it.
    fn widths_of(self, width: u32) -> Vec<u32> {
        let widths = self.widths();
        let mut made: Vec<u32> = widths.iter().copied().filter(|made| *made <= width).collect();
        if made.len() < widths.len() && made.last() != Some(&width) {
            // Its own size is the best there is.
            made.push(width);
        }
        made
    }

    /// Refuses what is plainly of another kind.
    fn fits(self, width: u32, height: u32) -> Result<(), CatalogError> {
        let reason = match self {
            Self::Poster if width > height => "a poster is upright (2:3)",
            Self::Backdrop | Self::Still if width < height => "it is upright, a wide picture (16:9) is taken",
            _ => return Ok(()),
        };
        Err(refused("image", format!("{reason}; it is {width}x{height}")))
    }
}

/// Makes pictures. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pictures {
    ffmpeg: PathBuf,
    objects: ObjectStorage,
    waiting: Arc<Semaphore>,
    at_once: Arc<Semaphore>,
}

impl Pictures {
    /// By this ffmpeg (which needs the encoders mjpeg, png, libwebp and libaom-av1), into this store.
    #[must_use]
    pub fn new(ffmpeg: PathBuf, objects: ObjectStorage) -> Self {
        let (waiting, at_once) = (Arc::new(Semaphore::new(WAITING)), Arc::new(Semaphore::new(AT_ONCE)));
        Self { ffmpeg, objects, waiting, at_once }
    }

    /// Makes a picture of `title` in all its sizes; they are in the object store then. The same picture again makes the
    /// same objects.
    ///
    /// Fails with the field `image` where it is not one that is taken, and with [`CatalogError::Busy`] where too many are
    /// being made.
    pub async fn make(
        &self,
        title: &TitleId,
        kind: PictureKind,
        language: &str,
        image: Bytes,
    ) -> Result<Artwork, CatalogError> {
        if image.len() > MOST_BYTES {
            return Err(refused("image", format!("it has {} bytes, at most {MOST_BYTES} are taken", image.len())));
        }
        let header = header::read(&image).map_err(|reason| refused("image", reason))?;
        let (width, height) = (header.width, header.height);
        let pixels = u64::from(width) * u64::from(height);
        if width.max(height) > LONGEST_SIDE || pixels > MOST_PIXELS {
            let most = format!("{LONGEST_SIDE} a side and {MOST_PIXELS} in all are taken");
            return Err(refused("image", format!("it has {width}x{height} pixels, at most {most}")));
        }
        let Ok(_place) = self.waiting.try_acquire() else { return Err(CatalogError::Busy) };
        // It is never closed.
        let _turn = self.at_once.acquire().await.map_err(|_| CatalogError::Busy)?;
        let source = make::Source { title, kind, language, header, image };
        make::make(&self.ffmpeg, &self.objects, source).await
    }

    /// Takes all pictures of a title that is gone out of the object store.
    pub async fn remove(&self, title: &TitleId) -> Result<(), CatalogError> {
        for key in self.objects.list(&format!("artwork/{title}")).await? {
            self.objects.delete(&key).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_size_is_larger_than_the_picture() {
        assert_eq!(PictureKind::Poster.widths_of(2000), [160, 320, 640, 960]);
        assert_eq!(PictureKind::Poster.widths_of(640), [160, 320, 640]);
        assert_eq!(PictureKind::Poster.widths_of(500), [160, 320, 500]);
        assert_eq!(PictureKind::Backdrop.widths_of(320), [320]);
        assert_eq!(PictureKind::Backdrop.widths_of(4096), [480, 960, 1920, 3840]);
    }
}
