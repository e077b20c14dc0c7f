//! The ladder: which renditions are made of a master. It is data; the default is explained in its own file.

use serde::{Deserialize, Serialize};

use crate::codec::{AudioLayout, VideoCodec};

/// The default ladder, as text: what an operator copies and changes.
pub const DEFAULT_LADDER: &str = include_str!("../data/ladder.toml");

/// Why a ladder is refused.
#[derive(Debug, thiserror::Error)]
pub enum LadderError {
    /// It is not TOML, or has unknown or missing keys.
    #[error("the ladder is not understood: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A rung asks for what can't be made.
    #[error("the ladder's {codec} rung of height {height}: {reason}")]
    Rung {
        /// The rung's codec.
        codec: VideoCodec,
        /// The rung's height.
        height: u32,
        /// What is wrong with it.
        reason: String,
    },
    /// No video rung, or no audio layout.
    #[error("the ladder has no {0}")]
    Empty(&'static str),
}

/// The renditions to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// The rungs, in any order.
    #[serde(rename = "video")]
    pub video: Vec<VideoRung>,
    /// The audio layouts; each is made for every language of the master.
    #[serde(rename = "audio")]
    pub audio: Vec<AudioRung>,
}

/// One video rung. Made only where the master is at least as tall (never enlarged), except the lowest of its codec.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoRung {
    /// The codec.
    pub codec: VideoCodec,
    /// Lines of a 16:9 picture; the width follows from the master's shape. A wider picture is as wide as 16:9 would be.
    pub height: u32,
    /// Constant quality: x264's and x265's CRF (0 to 51), SVT-AV1's (1 to 63).
    pub crf: f32,
    /// The peak, in kilobits a second: the decoder's buffer model (VBV) holds it over one second.
    pub max_kbps: u32,
    /// The encoder's preset: x264's and x265's names, SVT-AV1's numbers.
    pub preset: String,
    /// The highest frame rate of this rung; a faster master is halved. Empty for no limit.
    #[serde(default)]
    pub max_fps: Option<f64>,
    /// Whether the rung is made; lets a default carry rungs that wait to be switched on.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// One audio layout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioRung {
    /// Stereo, or surround where the master has it.
    pub layout: AudioLayout,
    /// Kilobits a second, in all.
    pub kbps: u32,
}

fn yes() -> bool {
    true
}

impl Ladder {
    /// Reads a ladder from TOML and checks every rung.
    pub fn parse(text: &str) -> Result<Self, LadderError> {
        let ladder: Self = toml::from_str(text)?;
        ladder.check()?;
        Ok(ladder)
    }

    /// The rungs that are switched on, from the lowest.
    #[must_use]
    pub fn enabled(&self) -> Vec<&VideoRung> {
        let mut rungs: Vec<_> = self.video.iter().filter(|r| r.enabled).collect();
        rungs.sort_by_key(|r| (r.codec, r.height));
        rungs
    }

    fn check(&self) -> Result<(), LadderError> {
        if self.enabled().is_empty() {
            return Err(LadderError::Empty("video rung that is switched on"));
        }
        if self.audio.is_empty() {
            return Err(LadderError::Empty("audio layout"));
        }
        for (i, rung) in self.video.iter().enumerate() {
            let refused = |reason: String| LadderError::Rung { codec: rung.codec, height: rung.height, reason };
            if !(64..=2160).contains(&rung.height) || !rung.height.is_multiple_of(2) {
                return Err(refused("an even height between 64 and 2160 is taken".to_owned()));
            }
            let most = if rung.codec == VideoCodec::Av1 { 63.0 } else { 51.0 };
            if !(0.0..=most).contains(&rung.crf) {
                return Err(refused(format!("crf {} is outside 0 to {most}", rung.crf)));
            }
            if !(50..=100_000).contains(&rung.max_kbps) {
                return Err(refused(format!("max_kbps {} is outside 50 to 100000", rung.max_kbps)));
            }
            if self.video[..i].iter().any(|r| r.codec == rung.codec && r.height == rung.height) {
                return Err(refused("it stands there twice".to_owned()));
            }
        }
        Ok(())
    }
}

impl Default for Ladder {
    fn default() -> Self {
        Self::parse(DEFAULT_LADDER).expect("the default ladder is checked by a test")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_panics(text in ".*", at in any::<prop::sample::Index>(), with in ".{0,12}") {
            let _ = Ladder::parse(&text);
            let mut changed = DEFAULT_LADDER.to_owned();
            let place = at.index(changed.len());
            if changed.is_char_boundary(place) {
                changed.insert_str(place, &with);
            }
            let _ = Ladder::parse(&changed);
        }
    }

    #[test]
    fn the_default_ladder_is_whole() {
        let ladder = Ladder::parse(DEFAULT_LADDER).unwrap();
        assert!(ladder.video.iter().any(|r| r.height == 240 && r.codec == VideoCodec::H264));
        assert!(ladder.video.iter().any(|r| r.height == 2160));
    }

    #[test]
    fn a_bad_rung_is_named() {
        let text = DEFAULT_LADDER.replacen("height = 240", "height = 241", 1);
        let message = Ladder::parse(&text).unwrap_err().to_string();
        assert!(message.contains("height 241"), "{message}");
    }
}
