//! What a rating's label means: from which age on, by which system. The systems stand in `data/ratings.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use matinee_model::territory::Territory;
use serde::Deserialize;

use crate::details::Kind;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct System {
    territory: Territory,
    name: String,
    of: Option<String>,
    ages: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
struct Systems {
    system: Vec<System>,
}

static SYSTEMS: LazyLock<Vec<System>> = LazyLock::new(|| {
    let systems: Systems = toml::from_str(include_str!("../data/ratings.toml")).expect("a test reads the data file");
    systems.system
});

/// The system that `label` is of in `territory` for titles of `kind`, and its age. Nothing where nobody knows the label.
#[must_use]
pub fn age(territory: Territory, kind: Kind, label: &str) -> Option<(&'static str, u32)> {
    let of = if kind == Kind::Movie { "movie" } else { "series" };
    let mut here = SYSTEMS.iter().filter(|s| s.territory == territory && s.of.as_deref().is_none_or(|only| only == of));
    let first = here.clone().next().map_or("national", |system| system.name.as_str());
    if let Some(known) = here.find_map(|s| s.ages.get(label).map(|age| (s.name.as_str(), *age))) {
        return Some(known);
    }
    let digits = label.trim_matches(|c: char| !c.is_ascii_digit());
    let age = digits.parse().ok().filter(|age| *age <= 21)?;
    Some((first, age))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_an_age() {
        let age = |territory: &str, label| age(Territory::parse(territory).unwrap(), Kind::Movie, label);
        assert_eq!(age("DE", "12"), Some(("FSK", 12)));
        assert_eq!(age("US", "PG-13"), Some(("MPA", 13)));
        assert_eq!(age("GB", "R18"), Some(("BBFC", 18)));
        assert_eq!(age("CZ", "15+"), Some(("national", 15)));
        assert_eq!(age("US", "NR"), None);
        assert_eq!(age("US", "1999"), None);
        assert_eq!(super::age(Territory::parse("US").unwrap(), Kind::Series, "TV-MA"), Some(("TV Parental", 17)));
    }
}
