//! Which renditions a master is made into.

use matinee_media::track::VideoDescription;
use matinee_model::codec::{VideoCodec, VideoRange};
use matinee_model::ladder::{Ladder, VideoRung};
use matinee_model::time::FrameRate;

use crate::inspection::VideoStream;
use crate::rendition::VideoRendition;

/// The renditions of a master by a ladder, from the lowest of each codec.
///
/// A rung is made where the master is at least as tall; the lowest of a codec is always made, never enlarged. A picture
/// wider than 16:9 is as wide as 16:9 would be, a narrower one as high as the rung.
#[must_use]
pub fn renditions(source: &VideoStream, ladder: &Ladder) -> Vec<VideoRendition> {
    let mut made: Vec<VideoRendition> = Vec::new();
    for rung in ladder.enabled() {
        let lowest = !made.iter().any(|r| r.description.codec == rung.codec);
        let (width, height) = size(source, rung.height);
        // The box that a rung stands for, filled by a picture of any shape.
        let fits = rung.height <= lines(source);
        if !fits && !lowest {
            continue;
        }
        let (rate, every) = rate(source.frame_rate, rung);
        let range = if rung.codec == VideoCodec::H264 { VideoRange::Sdr } else { source.range };
        let name = format!("video-{}p-{}", if fits { rung.height } else { height }, rung.codec);
        if made.iter().any(|r| r.description.track == name) {
            continue;
        }
        made.push(VideoRendition {
            description: VideoDescription { track: name, codec: rung.codec, width, height, frame_rate: rate, range },
            every,
            crf: rung.crf,
            max_kbps: rung.max_kbps,
            preset: rung.preset.clone(),
        });
    }
    made
}

/// Lines of the smallest 16:9 box that the picture fits into: what a wide picture's rung is counted by.
fn lines(source: &VideoStream) -> u32 {
    let by_width = (source.display_width * 9).div_ceil(16);
    // A grid of 2 pixels: 852 × 480 counts as 480, 1998 × 1080 as 1080 at least.
    source.display_height.max(by_width.min(source.display_width))
}

/// The size of a picture in the 16:9 box of this many lines, never larger than the master; even.
fn size(source: &VideoStream, height: u32) -> (u32, u32) {
    let (own_width, own_height) = (f64::from(source.display_width), f64::from(source.display_height));
    let (most_width, most_height) = (f64::from(height) * 16.0 / 9.0, f64::from(height));
    // A portrait picture stands in a box that is turned.
    let (most_width, most_height) =
        if own_height > own_width { (most_height, most_width) } else { (most_width.ceil(), most_height) };
    let factor = (most_width / own_width).min(most_height / own_height).min(1.0);
    let even = |pixels: f64| ((pixels / 2.0).round() as u32 * 2).max(2);
    (even(own_width * factor), even(own_height * factor))
}

/// The rung's rate, and frames of the master for one of it. Halved only where the grid stays the same.
fn rate(own: FrameRate, rung: &VideoRung) -> (FrameRate, u32) {
    let too_fast = rung.max_fps.is_some_and(|most| own.as_f64() > most * 1.01);
    let half = own.den().checked_mul(2).and_then(|den| FrameRate::new(own.num(), den).ok());
    match half {
        Some(half) if too_fast && own.gop_frames() == 2 * half.gop_frames() => (half, 2),
        _ => (own, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspection::{Color, Scan};

    fn source(width: u32, height: u32, rate: &str) -> VideoStream {
        VideoStream {
            index: 0,
            codec: "h264".to_owned(),
            profile: String::new(),
            width,
            height,
            sample_aspect: (1, 1),
            rotation: 0,
            display_width: width,
            display_height: height,
            pixel_format: "yuv420p".to_owned(),
            bits: 8,
            range: VideoRange::Pq,
            color: Color::default(),
            frame_rate: rate.parse().unwrap(),
            variable: false,
            scan: Scan::Progressive,
            start_us: 0,
            decoded_frames: 10,
            frames: 10,
            shots: Vec::new(),
        }
    }

    fn made(source: &VideoStream) -> Vec<(String, u32, u32, u32)> {
        let all = renditions(source, &Ladder::default());
        all.into_iter().map(|r| (r.description.track, r.description.width, r.description.height, r.every)).collect()
    }

    #[test]
    fn rungs_go_up_to_the_master() {
        let names = |s: &VideoStream| made(s).into_iter().map(|(name, ..)| name).collect::<Vec<_>>();
        assert_eq!(names(&source(1920, 1080, "24/1")).last().unwrap(), "video-1080p-h264");
        assert_eq!(names(&source(3840, 2160, "24/1")).len(), 7);
        // Wider than 16:9: counted by its width.
        let wide = made(&source(1920, 800, "24/1"));
        assert_eq!(wide.last().unwrap(), &("video-1080p-h264".to_owned(), 1920, 800, 1));
        assert_eq!(made(&source(160, 120, "25/1")), [("video-120p-h264".to_owned(), 160, 120, 1)]);
        let portrait = made(&source(1080, 1920, "30/1"));
        assert_eq!(portrait.last().map(|r| (r.1, r.2)), Some((1080, 1920)));
        assert!(
            renditions(&source(3840, 2160, "24/1"), &Ladder::default())
                .iter()
                .all(|r| r.description.range == VideoRange::Sdr)
        );
    }

    #[test]
    fn a_fast_master_is_halved_where_the_grid_allows() {
        let fast = made(&source(1280, 720, "60000/1001"));
        assert_eq!(fast.first().unwrap(), &("video-240p-h264".to_owned(), 426, 240, 2));
        assert_eq!(fast.last().unwrap(), &("video-720p-h264".to_owned(), 1280, 720, 1));
    }

    proptest::proptest! {
        #[test]
        fn every_picture_is_even_and_never_enlarged(width in 8_u32..2048, height in 8_u32..2048) {
            let source = source(width * 2, height * 2, "25/1");
            let all = made(&source);
            proptest::prop_assert!(!all.is_empty());
            for (name, w, h, _) in all {
                proptest::prop_assert!(w % 2 == 0 && h % 2 == 0 && w <= width * 2 && h <= height * 2, "{name} {w}x{h}");
            }
        }
    }
}
