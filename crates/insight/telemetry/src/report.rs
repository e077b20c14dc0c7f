//! What a report must hold, and the time that its beats get.

use std::time::Duration;

use matinee_contracts::events::Heartbeat;
use matinee_contracts::telemetry::{Beat, ReportRequest};
use matinee_model::ids::{ProfileId, TitleId};

/// The most beats of a report.
pub const MOST_BEATS: usize = 1000;
/// How late a beat may come: a device may have been without a network.
pub const LATEST: Duration = Duration::from_secs(30 * 24 * 3600);
/// The longest film, in microseconds.
const LONGEST_US: u64 = 7 * 24 * 3600 * 1_000_000;
/// Characters of an id of a session, a device or an account, of a network and of an error.
const LONGEST_TEXT: usize = 64;

/// Why a report was refused or lost.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{field} is refused: {reason}")]
pub struct FieldError {
    /// Its name in the contract; `beats[3].title` for one of a beat.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

fn refused(field: impl Into<String>, reason: impl ToString) -> FieldError {
    FieldError { field: field.into(), reason: reason.to_string() }
}

/// When a beat was: the device's time, with the error of its clock (as its `sent_us` shows it) taken out; never in the
/// future, and not more than [`LATEST`] ago.
#[must_use]
pub fn corrected_us(at_us: i64, sent_us: i64, received_us: i64) -> i64 {
    let latest = i64::try_from(LATEST.as_micros()).unwrap_or(i64::MAX);
    let ago = sent_us.saturating_sub(at_us).clamp(0, latest);
    received_us.saturating_sub(ago)
}

fn text(field: &str, value: &str) -> Result<(), FieldError> {
    if value.chars().count() > LONGEST_TEXT || value.chars().any(char::is_control) {
        return Err(refused(field, format!("at most {LONGEST_TEXT} characters are taken, and no control characters")));
    }
    Ok(())
}

fn beat(n: usize, beat: &Beat) -> Result<(), FieldError> {
    let field = |name: &str| format!("beats[{n}].{name}");
    TitleId::parse(&beat.title).map_err(|error| refused(field("title"), error))?;
    if beat.session.is_empty() {
        return Err(refused(field("session"), "it is missing"));
    }
    text(&field("session"), &beat.session)?;
    for (name, value) in [("position_us", beat.position_us), ("duration_us", beat.duration_us)] {
        if value > LONGEST_US {
            return Err(refused(field(name), format!("{value} is more than the {LONGEST_US} that are taken")));
        }
    }
    if let Some(quality) = &beat.quality {
        text(&field("quality.error"), &quality.error)?;
    }
    Ok(())
}

/// The events of a report, or the first field that can't be taken.
pub fn heartbeats(report: ReportRequest, received_us: i64) -> Result<Vec<Heartbeat>, FieldError> {
    ProfileId::parse(&report.profile).map_err(|error| refused("profile", error))?;
    for (field, value) in [("account", &report.account), ("device", &report.device), ("network", &report.network)] {
        text(field, value)?;
    }
    let territory = &report.territory;
    if !(territory.is_empty() || territory.len() == 2 && territory.bytes().all(|b| b.is_ascii_uppercase())) {
        return Err(refused("territory", format!("{territory:?} is not two capital letters (ISO 3166-1)")));
    }
    if report.beats.is_empty() || report.beats.len() > MOST_BEATS {
        return Err(refused("beats", format!("{} came, 1 to {MOST_BEATS} are taken", report.beats.len())));
    }
    let ReportRequest { account, profile, device, territory, network, sent_us, beats } = report;
    let event = |(n, mut sent): (usize, Beat)| {
        beat(n, &sent)?;
        sent.at_us = corrected_us(sent.at_us, sent_us, received_us);
        Ok(Heartbeat {
            account: account.clone(),
            profile: profile.clone(),
            device: device.clone(),
            territory: territory.clone(),
            network: network.clone(),
            beat: Some(sent),
            received_us,
        })
    };
    beats.into_iter().enumerate().map(event).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn a_clock_that_is_wrong_by_hours_does_not_matter() {
        for error in [-5 * HOUR, 0, 7 * HOUR] {
            let (received, sent) = (100 * HOUR, 100 * HOUR + error);
            assert_eq!(corrected_us(sent - 10, sent, received), received - 10);
            assert_eq!(corrected_us(sent + HOUR, sent, received), received, "nothing is in the future");
        }
    }

    proptest! {
        #[test]
        fn no_time_leaves_its_bounds(at: i64, sent: i64, received in 0..i64::MAX / 2) {
            let corrected = corrected_us(at, sent, received);
            prop_assert!(corrected <= received);
            prop_assert!(corrected >= received - LATEST.as_micros() as i64);
        }

        #[test]
        fn order_within_a_report_stays(sent in 0..i64::MAX / 2, ago in proptest::collection::vec(0..HOUR, 2)) {
            let received = 1000 * HOUR;
            let times: Vec<i64> = ago.iter().map(|ago| corrected_us(sent - ago, sent, received)).collect();
            prop_assert_eq!(times[0].cmp(&times[1]), ago[1].cmp(&ago[0]));
        }
    }
}
