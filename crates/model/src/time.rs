//! Frame rates and the grid: groups of pictures of two seconds, segments of four, in whole frames.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Frames a second, as an exact fraction: 24000/1001 is 23.976.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FrameRate {
    num: u32,
    den: u32,
}

/// Why a text is not a frame rate.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("frame rate {0:?} is refused: a fraction such as 24000/1001, between 1 and 240, is taken")]
pub struct FrameRateError(String);

impl FrameRate {
    /// `num / den` frames a second, reduced; between 1 and 240.
    pub fn new(num: u32, den: u32) -> Result<Self, FrameRateError> {
        let refused = || FrameRateError(format!("{num}/{den}"));
        if num == 0 || den == 0 || num < den || u64::from(num) > 240 * u64::from(den) {
            return Err(refused());
        }
        let divisor = gcd(num, den);
        Ok(Self { num: num / divisor, den: den / divisor })
    }

    /// The numerator: also the natural timescale of a track of this rate.
    #[must_use]
    pub fn num(self) -> u32 {
        self.num
    }

    /// The denominator: also how long a frame lasts, in ticks of [`FrameRate::num`].
    #[must_use]
    pub fn den(self) -> u32 {
        self.den
    }

    /// Frames a second, for people and for planning.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }

    /// Frames of a group of pictures of about two seconds: 48 at 23.976, 50 at 25, 60 at 29.97, 120 at 59.94.
    #[must_use]
    pub fn gop_frames(self) -> u32 {
        self.frames_in(2)
    }

    /// Frames of a segment of about four seconds: two groups of pictures.
    #[must_use]
    pub fn segment_frames(self) -> u32 {
        2 * self.gop_frames()
    }

    /// When frame `frame` starts, in seconds.
    #[must_use]
    pub fn seconds_at(self, frame: u64) -> f64 {
        frame as f64 * f64::from(self.den) / f64::from(self.num)
    }

    fn frames_in(self, seconds: u32) -> u32 {
        let exact = u64::from(self.num) * u64::from(seconds);
        let den = u64::from(self.den);
        // At most 480, so it fits.
        (((exact + den / 2) / den) as u32).max(1)
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

impl FromStr for FrameRate {
    type Err = FrameRateError;
    fn from_str(text: &str) -> Result<Self, FrameRateError> {
        let refused = || FrameRateError(text.chars().take(40).collect());
        let (num, den) = text.split_once('/').unwrap_or((text, "1"));
        Self::new(num.parse().map_err(|_| refused())?, den.parse().map_err(|_| refused())?)
    }
}

impl TryFrom<String> for FrameRate {
    type Error = FrameRateError;
    fn try_from(text: String) -> Result<Self, FrameRateError> {
        text.parse()
    }
}

impl From<FrameRate> for String {
    fn from(rate: FrameRate) -> String {
        rate.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_rate_that_is_taken_comes_back_as_it_was_written(text in "[0-9/.]{0,12}", num: u32, den: u32) {
            for text in [text, format!("{num}/{den}")] {
                if let Ok(rate) = text.parse::<FrameRate>() {
                    prop_assert!((1.0..=240.0).contains(&rate.as_f64()));
                    prop_assert_eq!(rate.to_string().parse::<FrameRate>(), Ok(rate));
                }
            }
        }
    }

    #[test]
    fn the_grid_is_in_whole_frames() {
        for (rate, gop) in [("24000/1001", 48), ("24", 48), ("25", 50), ("30000/1001", 60), ("60000/1001", 120)] {
            let rate: FrameRate = rate.parse().unwrap();
            assert_eq!(rate.gop_frames(), gop);
            assert_eq!(rate.segment_frames(), 2 * gop);
        }
    }

    #[test]
    fn a_rate_is_reduced_and_bounded() {
        assert_eq!(FrameRate::new(50, 2).unwrap().to_string(), "25/1");
        for bad in ["0/1", "1/0", "1/2", "1000/1", "x", ""] {
            assert!(bad.parse::<FrameRate>().is_err(), "{bad:?}");
        }
    }
}
