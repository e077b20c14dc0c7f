//! One call of ffmpeg: the picture is decoded once and written in every size and format.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use matinee_contracts::catalog::{Artwork, ArtworkFile};
use matinee_engines::objects::{ObjectStorage, TemporaryFile};
use matinee_model::ids::TitleId;
use matinee_service::process::{self, Limits, Line, Priority, ProcessError};
use tracing::instrument;

use super::header::{self, Format, Header};
use super::{LEAST_WIDTH, MOST_PIXELS, PictureKind};
use crate::error::{CatalogError, refused};

/// Time in which all sizes of a picture are made, also on a machine that has more to do.
const LONGEST: Duration = Duration::from_secs(180);
/// Bytes of the colours that ffmpeg prints.
const SAMPLES: usize = 32 * 32 * 3;
/// The largest file that is made, in bytes.
const MOST_MADE: u64 = 64 << 20;

pub(super) struct Source<'a> {
    pub title: &'a TitleId,
    pub kind: PictureKind,
    pub language: &'a str,
    pub header: Header,
    pub image: Bytes,
}

/// A file that ffmpeg is to write.
struct Wanted {
    width: u32,
    format: Format,
    file: TemporaryFile,
}

#[instrument(level = "info", name = "catalog.make_picture", skip_all)]
pub(super) async fn make(ffmpeg: &Path, objects: &ObjectStorage, source: Source<'_>) -> Result<Artwork, CatalogError> {
    let Source { title, kind, language, header, image } = source;
    let folder = format!("artwork/{title}/{}", kind.as_str());
    let blake3 = blake3::hash(&image).to_hex().to_string();
    // What it is as it is looked at: a camera may have turned it.
    let (width, height) = looked_at(ffmpeg, objects, header, &image).await?;
    if width < LEAST_WIDTH {
        return Err(refused("image", format!("it is {width} pixels wide, at least {LEAST_WIDTH} are taken")));
    }
    kind.fits(width, height)?;

    let input = TemporaryFile(objects.scratch_path("picture"));
    write(&input.0, &image).await?;
    let formats = match kind {
        // Letters on nothing: a JPEG would put something behind them.
        PictureKind::Logo => [Format::WebP, Format::Png].as_slice(),
        _ => &[Format::Avif, Format::WebP, Format::Jpeg],
    };
    let mut wanted = Vec::new();
    for width in kind.widths_of(width) {
        for format in formats {
            let file = TemporaryFile(objects.scratch_path(&format!("picture.{}", format.name())));
            wanted.push(Wanted { width, format: *format, file });
        }
    }
    let mut arguments = reading(header.format, &input.0);
    for want in &wanted {
        arguments.extend(writing(want, kind));
    }
    arguments.extend(texts(&["-map", "0:v:0", "-frames:v", "1", "-vf", COLOURS, "-f", "rawvideo", "pipe:1"]));
    let colours = run(ffmpeg, &arguments).await?;

    objects.put(&format!("{folder}/original-{}", &blake3[..32]), image).await?;
    let mut files = Vec::with_capacity(wanted.len());
    for want in wanted {
        files.push(keep(objects, &folder, want).await?);
    }
    Ok(Artwork {
        kind: kind.as_str().to_owned(),
        language: language.to_owned(),
        width,
        height,
        blake3,
        colour: colour(&colours),
        files,
    })
}

/// Its colours in small, without what can be seen through.
const COLOURS: &str = "scale=32:32:flags=area,format=rgb24";

/// How wide and high a picture is on a screen. Refuses one that can't be decoded, or is another than its header says.
async fn looked_at(
    ffmpeg: &Path,
    objects: &ObjectStorage,
    header: Header,
    image: &Bytes,
) -> Result<(u32, u32), CatalogError> {
    let input = TemporaryFile(objects.scratch_path("picture"));
    let small = TemporaryFile(objects.scratch_path("picture.png"));
    write(&input.0, image).await?;
    let mut arguments = reading(header.format, &input.0);
    // One tenth is enough to see which way it is turned, and that it decodes.
    let tenth = "scale=max(iw/10\\,1):max(ih/10\\,1)";
    arguments.extend(texts(&["-map", "0:v:0", "-frames:v", "1", "-vf", tenth, "-c:v", "png", "-f", "image2pipe"]));
    arguments.push(named(&small.0));
    run(ffmpeg, &arguments).await?;
    let bytes = tokio::fs::read(&small.0).await.map_err(|error| unread(&error))?;
    let seen = header::read(&bytes).map_err(|reason| refused("image", reason))?;
    let turned = (seen.width > seen.height) != (header.width > header.height) && seen.width != seen.height;
    let (width, height) = if turned { (header.height, header.width) } else { (header.width, header.height) };
    // A part of a picture (a tile) has another shape.
    let share = |whole: u32, tenth: u32| whole.abs_diff(tenth * 10) <= 10 + whole / 50;
    if !share(width, seen.width) || !share(height, seen.height) {
        return Err(refused("image", "what is in it is of another size than it says"));
    }
    Ok((width, height))
}

fn reading(format: Format, input: &Path) -> Vec<OsString> {
    let pixels = MOST_PIXELS.to_string();
    let mut arguments = texts(&["-hide_banner", "-nostdin", "-nostats", "-y", "-loglevel", "error"]);
    arguments.extend(texts(&["-xerror", "-err_detect", "explode", "-threads", "1", "-max_pixels", &pixels]));
    arguments.extend(texts(&["-protocol_whitelist", "file", "-f", format.demuxer(), "-i"]));
    arguments.push(named(input));
    arguments
}

fn writing(want: &Wanted, kind: PictureKind) -> Vec<OsString> {
    let mut filter = format!("scale={}:-2:flags=lanczos", want.width);
    let encoder: &[&str] = match want.format {
        Format::Avif => {
            filter.push_str(":out_range=pc:out_color_matrix=bt709,format=yuv420p");
            &[
                "-c:v",
                "libaom-av1",
                "-usage",
                "allintra",
                "-still-picture",
                "1",
                "-cpu-used",
                "8",
                "-crf",
                "30",
                "-f",
                "avif",
            ]
        }
        Format::WebP => {
            filter.push_str(if kind == PictureKind::Logo { ",format=bgra" } else { ",format=yuv420p" });
            &["-c:v", "libwebp", "-quality", "80", "-f", "webp"]
        }
        Format::Jpeg => {
            filter.push_str(":out_range=pc:out_color_matrix=bt601,format=yuvj420p");
            &["-c:v", "mjpeg", "-q:v", "3", "-f", "mjpeg"]
        }
        Format::Png => {
            filter.push_str(",format=rgba");
            &["-c:v", "png", "-f", "image2pipe"]
        }
    };
    let mut arguments =
        texts(&["-map", "0:v:0", "-frames:v", "1", "-map_metadata", "-1", "-threads", "1", "-vf", &filter]);
    arguments.extend(texts(encoder));
    arguments.push(named(&want.file.0));
    arguments
}

async fn keep(objects: &ObjectStorage, folder: &str, want: Wanted) -> Result<ArtworkFile, CatalogError> {
    let size = tokio::fs::metadata(&want.file.0).await.map(|file| file.len()).unwrap_or(0);
    if size == 0 || size > MOST_MADE {
        return Err(refused("image", format!("a {} of it has {size} bytes", want.format.name())));
    }
    let bytes = Bytes::from(tokio::fs::read(&want.file.0).await.map_err(|error| unread(&error))?);
    let made = header::read(&bytes).map_err(|reason| refused("image", reason))?;
    let hash = blake3::hash(&bytes).to_hex();
    let object = format!("{folder}/{}-{}.{}", want.width, &hash[..32], want.format.name());
    objects.put(&object, bytes).await?;
    Ok(ArtworkFile { object, format: want.format.name().to_owned(), width: made.width, height: made.height, size })
}

/// Runs ffmpeg; what it can't decode is the picture's fault.
async fn run(ffmpeg: &Path, arguments: &[OsString]) -> Result<Vec<u8>, CatalogError> {
    let limits = Limits { stall: LONGEST, output: SAMPLES, priority: Priority::Idle };
    let run = process::run(ffmpeg, arguments, limits, |_| Line::Kept);
    match tokio::time::timeout(LONGEST, run).await {
        Err(_) => Err(CatalogError::Slow(LONGEST.as_secs())),
        Ok(Ok(finished)) => Ok(finished.stdout),
        Ok(Err(ProcessError::Failed { transient: false, stderr, .. })) => {
            // What follows its first words are consequences.
            let first = stderr.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it said nothing");
            let reason: String = first.chars().take(200).collect();
            Err(refused("image", format!("it can't be decoded: {reason}")))
        }
        Ok(Err(error)) => Err(error.into()),
    }
}

async fn write(path: &Path, bytes: &Bytes) -> Result<(), CatalogError> {
    tokio::fs::write(path, bytes).await.map_err(|error| unread(&error))
}

fn unread(error: &std::io::Error) -> CatalogError {
    CatalogError::Scratch(error.to_string())
}

fn texts(texts: &[&str]) -> Vec<OsString> {
    texts.iter().map(OsString::from).collect()
}

/// A file that is no other protocol's address, whatever is in its name.
fn named(path: &Path) -> OsString {
    let mut name = OsString::from("file:");
    name.push(PathBuf::from(path));
    name
}

/// The colour that most of a picture has: the mean of the most frequent of 512. Black where there are no samples.
fn colour(samples: &[u8]) -> String {
    let mut shares: HashMap<[u8; 3], ([u32; 3], u32)> = HashMap::new();
    for pixel in samples.chunks_exact(3) {
        let bucket = [pixel[0] >> 5, pixel[1] >> 5, pixel[2] >> 5];
        let (sum, count) = shares.entry(bucket).or_default();
        for (sum, value) in sum.iter_mut().zip(pixel) {
            *sum += u32::from(*value);
        }
        *count += 1;
    }
    // Where two are as frequent, the brighter one: letterboxes are black.
    let most = shares.into_iter().max_by_key(|(bucket, (_, count))| (*count, *bucket));
    let mut text = String::from("#");
    for channel in 0..3 {
        let mean = most.as_ref().map_or(0, |(_, (sum, count))| sum[channel] / count);
        // Writing into a string does not fail.
        let _ = write!(text, "{mean:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_colour_is_the_most_frequent_one() {
        let mut samples = [10, 20, 200].repeat(6);
        samples.extend([255, 0, 0].repeat(4));
        assert_eq!(colour(&samples), "#0a14c8");
        assert_eq!(colour(&[]), "#000000");
    }
}
