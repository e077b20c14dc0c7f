//! What an account, a profile and a device are.

use std::fmt;

use matinee_contracts::accounts as contract;
use matinee_model::ids::{AccountId, DeviceId, ProfileId};
use matinee_model::territory::Territory;

use crate::email::Email;
use crate::error::AccountsError;
use crate::fields;

/// Profiles of an account.
pub const MOST_PROFILES: usize = 5;
/// The highest age of a maturity rating, in years.
const MOST_AGE: u32 = 21;
/// The highest maturity limit of a kids' profile, in years.
const KIDS_AGE: u32 = 12;
const MOST_AVATAR: usize = 32;

/// What an account may do beside watching.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Films and the catalogue.
    Studio,
    /// Accounts and plans.
    Support,
    /// All, and the roles of others.
    Admin,
}

impl Role {
    /// Takes a name.
    pub fn parse(name: &str) -> Result<Self, AccountsError> {
        match name {
            "studio" => Ok(Self::Studio),
            "support" => Ok(Self::Support),
            "admin" => Ok(Self::Admin),
            _ => Err(AccountsError::field("roles", "\"studio\", \"support\" and \"admin\" are taken")),
        }
    }

    /// Takes names in any order, each once or more often.
    pub fn parse_all<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<Self>, AccountsError> {
        let mut roles = names.into_iter().map(Self::parse).collect::<Result<Vec<_>, _>>()?;
        roles.sort_unstable();
        roles.dedup();
        Ok(roles)
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Studio => "studio",
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Which.
    pub id: AccountId,
    /// Where mails go; no two accounts have one.
    pub email: Email,
    /// Since when it is known that they arrive there, in microseconds since 1970.
    pub verified_us: Option<i64>,
    /// Where the account is at home.
    pub territory: Territory,
    /// Of mails and of new profiles (BCP 47).
    pub language: String,
    /// What it may do beside watching, in order.
    pub roles: Vec<Role>,
    /// Whether it can sign in by a password.
    pub password: HasPassword,
    /// Since when it is here, in microseconds since 1970.
    pub created_us: i64,
    /// Rises by one with each change, from 1.
    pub revision: u64,
}

/// Whether an account can sign in by a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HasPassword {
    /// It has one.
    Yes,
    /// It signs in elsewhere.
    No,
}

/// Somebody who watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Which.
    pub id: ProfileId,
    /// No two of an account have one.
    pub name: String,
    /// One of the application's pictures, by name; empty: the application's choice.
    pub avatar: String,
    /// Whether it is a child's.
    pub kids: bool,
    /// Titles for an older age are hidden, in years; 0: no limit.
    pub maturity_limit: u32,
    /// Of the application (BCP 47).
    pub language: String,
    /// Of sound; empty: as the application.
    pub audio_language: String,
    /// Of subtitles; empty: none.
    pub subtitle_language: String,
    /// Whether the next episode begins by itself.
    pub autoplay_next: bool,
}

impl Profile {
    /// The first of an account: without limits.
    #[must_use]
    pub fn first(id: ProfileId, name: String, language: String) -> Self {
        Self {
            id,
            name,
            avatar: String::new(),
            kids: false,
            maturity_limit: 0,
            audio_language: language.clone(),
            language,
            subtitle_language: String::new(),
            autoplay_next: true,
        }
    }

    /// Takes what a viewer chose; `language` stands where none was.
    pub fn parse(id: ProfileId, words: contract::Profile, language: &str) -> Result<Self, AccountsError> {
        let name = fields::line("profile.name", &words.name, fields::MOST_NAME)?;
        if name.is_empty() {
            return Err(AccountsError::field("profile.name", "it is empty"));
        }
        let slug = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if words.avatar.len() > MOST_AVATAR || !words.avatar.bytes().all(slug) {
            return Err(AccountsError::field("profile.avatar", "up to 32 of a-z, 0-9, '-' and '_' are taken"));
        }
        let limit = match (words.kids, words.maturity_limit) {
            (true, 0) => KIDS_AGE,
            (true, limit) if limit > KIDS_AGE => {
                return Err(AccountsError::field("profile.maturity_limit", "a kids' profile has one of at most 12"));
            }
            (_, limit) if limit > MOST_AGE => {
                return Err(AccountsError::field("profile.maturity_limit", "0 (none) to 21 years are taken"));
            }
            (_, limit) => limit,
        };
        let tag = |field, text: &str| if text.is_empty() { Ok(String::new()) } else { fields::language(field, text) };
        let own = tag("profile.language", &words.language)?;
        Ok(Self {
            id,
            name,
            avatar: words.avatar,
            kids: words.kids,
            maturity_limit: limit,
            language: if own.is_empty() { language.to_owned() } else { own },
            audio_language: tag("profile.audio_language", &words.audio_language)?,
            subtitle_language: tag("profile.subtitle_language", &words.subtitle_language)?,
            autoplay_next: words.autoplay_next,
        })
    }

    /// What it reads, hears and has subtitles in, the preferred first, each once.
    #[must_use]
    pub fn languages(&self) -> Vec<String> {
        let mut languages: Vec<String> = Vec::new();
        for language in [&self.language, &self.audio_language, &self.subtitle_language] {
            if !language.is_empty() && !languages.contains(language) {
                languages.push(language.clone());
            }
        }
        languages
    }
}

/// Something that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Which.
    pub id: DeviceId,
    /// "Firefox on Linux".
    pub name: String,
    /// "web", "mobile", "tv".
    pub kind: String,
    /// Since when, in microseconds since 1970.
    pub signed_in_us: i64,
    /// When it last renewed its tokens, in microseconds since 1970.
    pub last_seen_us: i64,
    /// Who watches there.
    pub profile: Option<ProfileId>,
}

impl From<Account> for contract::Account {
    fn from(account: Account) -> Self {
        Self {
            id: account.id.into(),
            email: account.email.as_str().to_owned(),
            email_verified: account.verified_us.is_some(),
            territory: account.territory.into(),
            language: account.language,
            roles: account.roles.iter().map(Role::to_string).collect(),
            created_us: account.created_us,
            revision: account.revision,
            has_password: account.password == HasPassword::Yes,
        }
    }
}

impl From<Profile> for contract::Profile {
    fn from(profile: Profile) -> Self {
        Self {
            id: profile.id.into(),
            name: profile.name,
            avatar: profile.avatar,
            kids: profile.kids,
            maturity_limit: profile.maturity_limit,
            language: profile.language,
            audio_language: profile.audio_language,
            subtitle_language: profile.subtitle_language,
            autoplay_next: profile.autoplay_next,
        }
    }
}

impl From<Device> for contract::Device {
    fn from(device: Device) -> Self {
        Self {
            id: device.id.into(),
            name: device.name,
            kind: device.kind,
            signed_in_us: device.signed_in_us,
            last_seen_us: device.last_seen_us,
            profile: device.profile.map_or_else(String::new, Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: contract::Profile) -> Result<Profile, AccountsError> {
        Profile::parse(ProfileId::parse("p1").unwrap(), words, "de")
    }

    fn words() -> contract::Profile {
        contract::Profile { name: "Ada".to_owned(), ..contract::Profile::default() }
    }

    #[test]
    fn a_kids_profile_has_a_limit() {
        assert_eq!(parse(contract::Profile { kids: true, ..words() }).unwrap().maturity_limit, 12);
        let six = contract::Profile { kids: true, maturity_limit: 6, ..words() };
        assert_eq!(parse(six).unwrap().maturity_limit, 6);
        assert!(parse(contract::Profile { kids: true, maturity_limit: 16, ..words() }).is_err());
        assert!(parse(contract::Profile { maturity_limit: 99, ..words() }).is_err());
        assert_eq!(parse(words()).unwrap().maturity_limit, 0);
    }

    #[test]
    fn languages_stand_once_each_the_preferred_first() {
        let words =
            contract::Profile { audio_language: "en".to_owned(), subtitle_language: "de".to_owned(), ..words() };
        assert_eq!(parse(words).unwrap().languages(), ["de", "en"]);
    }

    #[test]
    fn roles_are_known_ones() {
        assert_eq!(Role::parse_all(["admin", "studio", "admin"]).unwrap(), [Role::Studio, Role::Admin]);
        assert!(Role::parse_all(["root"]).is_err());
    }
}
