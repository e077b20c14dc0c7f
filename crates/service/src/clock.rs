//! What time it is, passed in, so that tests decide it; and how times are written for others.

use std::time::{SystemTime, UNIX_EPOCH};

/// Says what time it is.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Microseconds since 1970 (UTC).
    fn now_us(&self) -> i64;

    /// Whole seconds since 1970 (UTC), as tokens and signed addresses count.
    fn now_seconds(&self) -> u64 {
        u64::try_from(self.now_us().div_euclid(1_000_000)).unwrap_or(0)
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }
}

/// Microseconds since the epoch as RFC 3339 in UTC; nothing for 0.
#[must_use]
pub fn rfc3339(micros: i64) -> Option<String> {
    if micros <= 0 {
        return None;
    }
    let seconds = micros.div_euclid(1_000_000);
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Civil date from days since the epoch. Source: H. Hinnant, "chrono-compatible low-level date algorithms".
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let millis = micros.rem_euclid(1_000_000) / 1000;
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339() {
        assert_eq!(rfc3339(0), None);
        assert_eq!(rfc3339(1_000).as_deref(), Some("1970-01-01T00:00:00.001Z"));
        assert_eq!(rfc3339(951_825_600_000_000).as_deref(), Some("2000-02-29T12:00:00.000Z"));
        assert_eq!(rfc3339(1_795_478_399_999_000).as_deref(), Some("2026-11-23T23:59:59.999Z"));
    }
}
