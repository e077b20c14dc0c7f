//! May this viewer watch this title, here and now?
//!
//! What the catalogue says of the title and what billing says of the account decide it, in the order in which a person
//! would want to be told: who they are, whether the title may be shown here and now at all, whether it is for their
//! age, and last whether they pay for it.

use matinee_contracts::billing::EntitlementReply;
use matinee_contracts::catalog::{LicenceWindow as Window, MaturityRating, Title, TitleKind};
use matinee_contracts::viewer::Viewer;
use matinee_model::ids::{TitleId, VersionId};
use matinee_model::licence::{LicenceWindow, Licensed, licensed};
use matinee_model::territory::{Reach, Territory};

use crate::error::{PlaybackError, Refusal};

const CATALOG: &str = "the catalogue";

/// A version that may be played, and where and for whom.
#[derive(Debug, Clone)]
pub struct Playable {
    /// Which title.
    pub title: TitleId,
    /// In which version.
    pub version: VersionId,
    /// How long it plays, in microseconds.
    pub duration_us: u64,
    windows: Vec<LicenceWindow>,
    maturity_age: u32,
    ratings: Vec<MaturityRating>,
}

impl Playable {
    /// Of what the catalogue answered about `title`. Fails where it has no version that plays.
    pub fn of(title: TitleId, found: Title) -> Result<Self, PlaybackError> {
        if found.kind() == TitleKind::Series {
            return Err(PlaybackError::Series(title));
        }
        if found.version.is_empty() {
            return Err(PlaybackError::NotPublished(title));
        }
        let answer = |reason: String| PlaybackError::Answer { service: CATALOG, title: title.clone(), reason };
        let version = VersionId::parse(&found.version).map_err(|error| answer(error.to_string()))?;
        let windows = found.windows.iter().map(window).collect::<Result<_, _>>().map_err(answer)?;
        let (maturity_age, ratings) = (found.maturity_age, found.ratings);
        Ok(Self { title, version, duration_us: found.duration_us, windows, maturity_age, ratings })
    }

    /// From which age on it may be watched in `territory`.
    fn age(&self, territory: Territory) -> u32 {
        let here = self.ratings.iter().find(|rating| rating.territory == territory.as_str());
        here.map_or(self.maturity_age, |rating| rating.age)
    }

    /// Whether it may be shown in `territory` at `now_us` to a profile with this age limit (0: none).
    pub fn admits(&self, territory: Territory, maturity_limit: u32, now_us: i64) -> Result<(), PlaybackError> {
        let refuse = |why| Err(PlaybackError::Refused { title: self.title.clone(), why });
        match licensed(&self.windows, territory, now_us) {
            Licensed::Until(_) => {}
            Licensed::NotHere => return refuse(Refusal::NotLicensedHere(territory)),
            Licensed::NotNow(from_us) => return refuse(Refusal::NotLicensedNow(territory, from_us)),
        }
        let age = self.age(territory);
        if maturity_limit > 0 && age > maturity_limit {
            return refuse(Refusal::Maturity { age, limit: maturity_limit });
        }
        Ok(())
    }
}

fn window(window: &Window) -> Result<LicenceWindow, String> {
    let reach = Reach::parse(&window.territory).map_err(|error| error.to_string())?;
    Ok(LicenceWindow { reach, from_us: window.from_us, until_us: Some(window.until_us).filter(|until| *until > 0) })
}

/// What an account may watch with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Devices at once.
    pub streams: u32,
    /// The tallest picture; nothing where there is no limit.
    pub max_height: Option<u32>,
}

impl Terms {
    /// Of an installation where everybody may watch.
    pub const OPEN: Self = Self { streams: u32::MAX, max_height: None };
    /// Of an account about which billing can't be asked and was never asked: it plays on one device, until it can.
    pub const IN_DOUBT: Self = Self { streams: 1, max_height: Some(1080) };

    /// Of what billing says, or why the account may not watch.
    pub fn of(title: &TitleId, entitlement: &EntitlementReply) -> Result<Self, PlaybackError> {
        if entitlement.entitled {
            let max_height = Some(entitlement.max_height).filter(|height| *height > 0);
            return Ok(Self { streams: entitlement.streams.max(1), max_height });
        }
        let why = match entitlement.reason.as_str() {
            "lapsed" => Refusal::Lapsed,
            "past_due" => Refusal::PastDue,
            _ => Refusal::NoSubscription,
        };
        Err(PlaybackError::Refused { title: title.clone(), why })
    }
}

/// Where a viewer is. An installation that does not say is asked about its own territory only.
pub fn territory(viewer: &Viewer) -> Result<Territory, PlaybackError> {
    Territory::parse(&viewer.territory).map_err(|error| PlaybackError::field("viewer.territory", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title() -> TitleId {
        TitleId::parse("kite").unwrap()
    }

    fn playable(windows: Vec<Window>, ratings: Vec<MaturityRating>) -> Playable {
        let version = "v1".to_owned();
        Playable::of(title(), Title { version, windows, ratings, maturity_age: 16, ..Title::default() }).unwrap()
    }

    fn code(result: Result<(), PlaybackError>) -> String {
        result.map_or_else(|error| error.to_string(), |()| "plays".to_owned())
    }

    #[test]
    fn a_viewer_is_told_where_and_when() {
        let day = |territory: &str, from_us, until_us| Window { territory: territory.to_owned(), from_us, until_us };
        let film = playable(vec![day("DE", 1_000_000, 2_000_000)], Vec::new());
        let at = |territory: &str, now| code(film.admits(Territory::parse(territory).unwrap(), 0, now));
        assert_eq!(at("DE", 1_000_000), "plays");
        assert_eq!(at("FR", 1_000_000), "not_licensed_here: title kite is not licensed in FR");
        assert_eq!(at("DE", 2_000_000), "not_licensed_now: the licence of title kite in DE is over");
        assert_eq!(at("DE", 0), "not_licensed_now: title kite is licensed in DE from 1970-01-01T00:00:01Z on");
    }

    #[test]
    fn a_childs_profile_sees_what_is_for_its_age_where_it_is() {
        let label =
            |territory: &str, age| MaturityRating { territory: territory.to_owned(), age, ..Default::default() };
        let film = playable(Vec::new(), vec![label("DE", 6)]);
        let for_a_child = |territory: &str| code(film.admits(Territory::parse(territory).unwrap(), 12, 0));
        assert_eq!(for_a_child("DE"), "plays");
        assert_eq!(for_a_child("US"), "maturity: title kite is for viewers from 16 on, the profile's limit is 12");
    }

    #[test]
    fn what_billing_says_decides() {
        let says = |entitled, reason: &str| EntitlementReply {
            entitled,
            reason: reason.to_owned(),
            max_height: 1080,
            streams: 2,
            ..EntitlementReply::default()
        };
        assert_eq!(Terms::of(&title(), &says(true, "")).unwrap(), Terms { streams: 2, max_height: Some(1080) });
        for (reason, code) in [("lapsed", "lapsed:"), ("past_due", "past_due:"), ("", "no_subscription:")] {
            assert!(Terms::of(&title(), &says(false, reason)).unwrap_err().to_string().starts_with(code));
        }
    }

    #[test]
    fn a_series_is_not_played_itself() {
        let series = Title { kind: TitleKind::Series.into(), version: "v1".to_owned(), ..Title::default() };
        assert!(matches!(Playable::of(title(), series), Err(PlaybackError::Series(_))));
    }
}
