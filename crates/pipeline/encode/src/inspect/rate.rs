//! The constant rate at which a master is encoded: its own where it keeps one, else a standard one near it.

use matinee_model::time::FrameRate;

/// What people film in.
const STANDARD: [(u32, u32); 9] =
    [(24_000, 1001), (24, 1), (25, 1), (30_000, 1001), (30, 1), (48, 1), (50, 1), (60_000, 1001), (60, 1)];

/// A master's rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At which it is encoded.
    pub rate: FrameRate,
    /// Its own frames do not keep it.
    pub variable: bool,
    /// Frames at that rate.
    pub frames: u64,
}

/// The rate of frames shown at `times_us` (rising), the last for `last_us`; `stated` are the rates that the container
/// gives; its times are rounded to `tick_us`. Nothing where there are no frames or no rate between 1 and 240 fits.
pub fn rate(times_us: &[i64], last_us: i64, stated: &[&str], tick_us: f64) -> Option<Rate> {
    let (first, last) = (*times_us.first()?, *times_us.last()?);
    let stated: Vec<FrameRate> = stated.iter().filter_map(|text| text.parse().ok()).collect();
    let standard = STANDARD.iter().filter_map(|(num, den)| FrameRate::new(*num, *den).ok());
    let constant = stated.iter().copied().chain(standard.clone()).find(|rate| keeps(times_us, *rate, tick_us));
    if let Some(rate) = constant {
        return Some(Rate { rate, variable: false, frames: times_us.len() as u64 });
    }
    let span = (last - first) as f64 + if last_us > 0 { last_us as f64 } else { 0.0 };
    let average = if times_us.len() > 1 && last > first {
        (times_us.len() - 1) as f64 * 1e6 / (last - first) as f64
    } else {
        stated.first()?.as_f64()
    };
    let mut standard = standard;
    let rate = standard.clone().find(|r| r.as_f64() >= average * 0.985).or_else(|| standard.next_back())?;
    let frames = (span * rate.as_f64() / 1e6).round().max(1.0) as u64;
    Some(Rate { rate, variable: true, frames })
}

/// Whether frame `i` is shown `i` frames after the first, but for the rounding of the container's clock.
fn keeps(times_us: &[i64], rate: FrameRate, tick_us: f64) -> bool {
    let Some(first) = times_us.first() else { return false };
    let tolerance = (1.1 * tick_us + 2.0).min(250_000.0 / rate.as_f64());
    times_us.iter().enumerate().all(|(i, time)| {
        let expected = rate.seconds_at(i as u64) * 1e6;
        ((time - first) as f64 - expected).abs() <= tolerance
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(rate: f64, frames: usize, tick: f64) -> Vec<i64> {
        (0..frames).map(|i| ((i as f64 * 1e6 / rate / tick).round() * tick) as i64 + 80_000).collect()
    }

    #[test]
    fn a_rounded_clock_does_not_hide_a_constant_rate() {
        let film = times(24_000.0 / 1001.0, 5000, 1000.0);
        let found = rate(&film, 42_000, &["500/21", "24000/1001"], 1000.0).unwrap();
        assert_eq!((found.rate.to_string().as_str(), found.variable, found.frames), ("24000/1001", false, 5000));
        // The stated rate may be that of fields.
        let found = rate(&times(25.0, 100, 1.0), 40_000, &["50/1", "25/1"], 1.0).unwrap();
        assert_eq!((found.rate.to_string().as_str(), found.variable), ("25/1", false));
    }

    #[test]
    fn a_variable_rate_becomes_a_standard_one_of_the_same_length() {
        let mut phone: Vec<i64> = (0..300).map(|i| i * 33_366 + (i % 7) * 4_000).collect();
        phone.sort_unstable();
        let found = rate(&phone, 33_366, &["30/1", "3000/101"], 11.0).unwrap();
        assert!(found.variable);
        assert_eq!(found.rate.to_string(), "30000/1001");
        let seconds = found.rate.seconds_at(found.frames);
        assert!((seconds - 10.01).abs() < 0.05, "{seconds}");
    }

    #[test]
    fn one_frame_takes_the_stated_rate() {
        let found = rate(&[0], 40_000, &["25/1"], 1.0).unwrap();
        assert_eq!((found.rate.to_string().as_str(), found.frames, found.variable), ("25/1", 1, false));
        assert_eq!(rate(&[], 0, &["25/1"], 1.0), None);
    }
}
