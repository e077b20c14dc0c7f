//! Reading SRT and WebVTT, as they are found rather than as they should be.

use super::Cue;
use super::text::{decoded, from_srt};

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// By their start; never empty.
    pub cues: Vec<Cue>,
    /// What was left out, in the file's order.
    pub broken: Vec<BrokenCue>,
}

/// A cue that was left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct BrokenCue {
    /// From 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// Why a whole file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubtitleError {
    /// Larger than any film's subtitles.
    #[error("a subtitle file of {0} bytes is refused: at most 16777216 are taken")]
    TooLarge(usize),
    /// Nothing that looks like a cue.
    #[error("no cue was found: neither SRT nor WebVTT")]
    NoCue,
    /// There were cues, and each is broken.
    #[error("none of {} cues can be used; the first: {}", .0.len(), .0[0])]
    AllBroken(Vec<BrokenCue>),
}

const LARGEST: usize = 16 << 20;
const ARROW: &str = "-->";

/// Reads SRT or WebVTT, in whatever encoding and with whatever is missing.
///
/// Broken cues (a time that is no time, that runs backwards or is negative; no text) are reported and left out. Fails
/// where nothing is left.
pub fn parse(bytes: &[u8]) -> Result<Parsed, SubtitleError> {
    if bytes.len() > LARGEST {
        return Err(SubtitleError::TooLarge(bytes.len()));
    }
    let text = decoded(bytes);
    let lines: Vec<&str> = text.split('\n').collect();
    let is_vtt = lines.first().is_some_and(|l| l.trim_start_matches('\u{feff}').starts_with("WEBVTT"));
    let (mut cues, mut broken) = (Vec::new(), Vec::new());
    for block in blocks(&lines, is_vtt) {
        match block.cue(is_vtt) {
            Ok(cue) => cues.push(cue),
            Err(reason) => broken.push(BrokenCue { line: block.line, reason }),
        }
    }
    if cues.is_empty() {
        let error = if broken.is_empty() { SubtitleError::NoCue } else { SubtitleError::AllBroken(broken) };
        return Err(error);
    }
    cues.sort_by_key(|c: &Cue| (c.start_us, c.end_us));
    Ok(Parsed { cues, broken })
}

/// A timing line and the lines under it.
struct Block<'a> {
    /// Of the timing, from 1.
    line: usize,
    timing: &'a str,
    text: Vec<&'a str>,
}

/// The cues' lines. A timing line opens one wherever it stands, even without a blank line or a counter before it; the
/// counter or identifier above the next one is not text.
fn blocks<'a>(lines: &[&'a str], is_vtt: bool) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    let mut comment = false;
    for (i, &line) in lines.iter().enumerate() {
        let blank = line.trim().is_empty();
        if comment {
            comment = !blank;
            continue;
        }
        let after_blank = i == 0 || lines[i - 1].trim().is_empty();
        if is_vtt && after_blank && ["NOTE", "STYLE", "REGION"].iter().any(|w| starts_block(line, w)) {
            (open, comment) = (false, true);
        } else if line.contains(ARROW) {
            blocks.push(Block { line: i + 1, timing: line, text: Vec::new() });
            open = true;
        } else if blank {
            open = false;
        } else if open
            && !is_counter(line, lines.get(i + 1))
            && let Some(block) = blocks.last_mut()
        {
            block.text.push(line);
        }
    }
    blocks
}

fn starts_block(line: &str, word: &str) -> bool {
    line.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

fn is_counter(line: &str, next: Option<&&str>) -> bool {
    let digits = line.trim();
    digits.chars().all(|c| c.is_ascii_digit()) && next.is_some_and(|n| n.contains(ARROW))
}

impl Block<'_> {
    fn cue(&self, is_vtt: bool) -> Result<Cue, String> {
        let (start, rest) = self.timing.split_once(ARROW).ok_or("no arrow")?;
        let mut words = rest.split_whitespace();
        let end = words.next().ok_or("no end time")?;
        let (start_us, end_us) = (time(start)?, time(end)?);
        if end_us <= start_us {
            return Err(format!("it ends at {end:?}, not after its start at {:?}", start.trim()));
        }
        let joined = self.text.iter().map(|l| l.trim()).collect::<Vec<_>>().join("\n");
        let (text, settings) = if is_vtt {
            let known = words.filter(|w| is_setting(w));
            (joined, known.collect::<Vec<_>>().join(" "))
        } else {
            let (text, settings) = from_srt(&joined);
            (text, settings.to_owned())
        };
        let kept = text.split('\n').map(str::trim).filter(|l| !l.is_empty());
        let text = kept.collect::<Vec<_>>().join("\n");
        if text.is_empty() {
            return Err("no text".to_owned());
        }
        Ok(Cue { start_us, end_us, settings, text })
    }
}

fn is_setting(word: &str) -> bool {
    let known = |name: &str| matches!(name, "vertical" | "line" | "position" | "size" | "align");
    word.split_once(':').is_some_and(|(name, value)| known(name) && !value.is_empty())
}

/// `HH:MM:SS,mmm`, `MM:SS.mmm` and what lies between, in microseconds.
fn time(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let refused = |why: &str| format!("time {:?} is refused: {why}", text.chars().take(40).collect::<String>());
    if text.starts_with(['-', '−']) {
        return Err(refused("it is negative"));
    }
    let number = |part: &str, most_digits: usize| {
        let part = part.trim();
        let digits = !part.is_empty() && part.len() <= most_digits && part.chars().all(|c| c.is_ascii_digit());
        if digits { part.parse::<u64>().ok() } else { None }
    };
    let malformed = || refused("HH:MM:SS.mmm is taken");
    let (whole, fraction) = text.split_once([',', '.']).unwrap_or((text, "0"));
    let parts: Vec<&str> = whole.split(':').collect();
    let (h, m, s) = match parts[..] {
        [m, s] => ("0", m, s),
        [h, m, s] => (h, m, s),
        _ => return Err(malformed()),
    };
    let hours = number(h, 4).ok_or_else(malformed)?;
    let minutes = number(m, 2).ok_or_else(malformed)?;
    let seconds = number(s, 2).ok_or_else(malformed)?;
    if minutes > 59 || seconds > 59 {
        return Err(refused("an hour has 60 minutes and a minute 60 seconds"));
    }
    let fraction = fraction.trim();
    let digits = number(fraction, 9).ok_or_else(malformed)?;
    // At most 9 digits, so the power fits; beyond milliseconds nothing is kept.
    let milliseconds = digits * 1_000 / 10_u64.pow(fraction.len() as u32);
    Ok(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + milliseconds * 1_000)
}
