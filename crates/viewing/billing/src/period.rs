//! Periods: months, counted from the instant at which the first began.
//!
//! Each end is reckoned from the anchor and not from the end before, so that 31 January is followed by 28 February and
//! then by 31 March. The calendar is UTC's: everybody's periods end at the same instant that was shown to them.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::error::BillingError;

/// `months` after `anchor_us` (microseconds since 1970): the same day and time, or the month's last day where it has no
/// such day.
pub fn months_after(anchor_us: i64, months: u32) -> Result<i64, BillingError> {
    let outside = || BillingError::Calendar(anchor_us);
    let anchor = Timestamp::from_microsecond(anchor_us).map_err(|_| outside())?.to_zoned_datetime(TimeZone::UTC);
    let span = Span::new().try_months(i64::from(months)).map_err(|_| outside())?;
    Ok(anchor.checked_add(span).map_err(|_| outside())?.timestamp().as_microsecond())
}

/// The first period, from `first` on, that is not over at `now_us`: its number, its start and its end.
pub fn period_at(anchor_us: i64, first: u32, now_us: i64) -> Result<(u32, i64, i64), BillingError> {
    let (mut number, mut start) = (first, months_after(anchor_us, first)?);
    loop {
        let end = months_after(anchor_us, number + 1)?;
        if end > now_us {
            return Ok((number, start, end));
        }
        (number, start) = (number + 1, end);
    }
}

/// Microseconds of so many days.
#[must_use]
pub fn days_us(days: u32) -> i64 {
    i64::from(days) * 86_400_000_000
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    #[test]
    fn a_month_ends_on_its_day_or_its_last() {
        let anchor = at("2026-01-31T12:30:00.000001Z");
        let ends: Vec<i64> = (1..=4).map(|n| months_after(anchor, n).unwrap()).collect();
        let days = ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"];
        assert_eq!(ends, days.map(|day| at(&format!("{day}T12:30:00.000001Z"))));
        assert_eq!(months_after(at("2027-08-31T00:00:00Z"), 6).unwrap(), at("2028-02-29T00:00:00Z"), "a leap year");
    }

    #[test]
    fn a_time_outside_of_the_calendar_is_refused() {
        assert!(months_after(i64::MAX, 1).is_err());
        assert!(months_after(at("9999-12-01T00:00:00Z"), 2).is_err());
    }

    proptest! {
        #[test]
        fn periods_follow_each_other_without_a_gap(
            anchor in 0_i64..4_000_000_000_000_000, first in 0_u32..40, later in 0_i64..100_000_000_000_000
        ) {
            let now = anchor + later;
            let (number, start, end) = period_at(anchor, first, now).unwrap();
            prop_assert!(number >= first && end > now && start < end);
            prop_assert!(number == first || start <= now);
            prop_assert!((28..=31).contains(&((end - start) / days_us(1))));
        }
    }
}
