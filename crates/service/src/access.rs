//! Access tokens: who is signed in, as which profile, signed, so that no service need ask accounts for each request.
//!
//! A compact JWT, always HS256 and for the audience "matinee", valid for minutes. It says what was true when it was made:
//! a device that is signed out, or a role that is taken away, is still in the tokens made before, until they expire.

use matinee_model::ids::{AccountId, DeviceId, ProfileId};
use serde::{Deserialize, Serialize};

use crate::jwt::{Jwt, Refused, Term};
use crate::secrets::KeyRing;

/// Whom access tokens are for.
const AUDIENCE: &str = "matinee";

/// Why an access token is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// It was valid once: the client gets a new one with its refresh token.
    #[error("the access token expired {0} s ago; refresh it")]
    Expired(u64),
    /// It was issued in the future.
    #[error("the access token was issued {0} s in the future; compare the machines' clocks")]
    NotYet(u64),
    /// It was changed, or made by somebody else.
    #[error("the access token's signature does not match")]
    Forged,
    /// It is no access token.
    #[error("the access token can't be read: {0}")]
    Malformed(&'static str),
    /// Its key was taken out of the ring, or never was in it.
    #[error("the access token was signed with a key that is not known here")]
    UnknownKey,
    /// It could not be made.
    #[error("the access token could not be signed: {0}")]
    Signing(jsonwebtoken::errors::Error),
}

impl From<Refused> for AccessError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Expired(seconds) => Self::Expired(seconds),
            Refused::NotYet(seconds) => Self::NotYet(seconds),
            Refused::Forged => Self::Forged,
            Refused::Malformed(reason) => Self::Malformed(reason),
            Refused::UnknownKey => Self::UnknownKey,
        }
    }
}

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Who is signed in.
    pub account: AccountId,
    /// On which of its devices.
    pub device: DeviceId,
    /// As which profile, where one was chosen.
    pub profile: Option<ProfileId>,
    /// Titles for an older age are hidden from the profile, in years; 0: no limit.
    pub maturity_limit: u32,
    /// What the profile reads, hears and has subtitles in, the preferred first (BCP 47).
    pub languages: Vec<String>,
    /// What the account may do beside watching: "studio", "support", "admin".
    pub roles: Vec<String>,
    /// Where the account is at home (ISO 3166-1 alpha-2).
    pub territory: String,
    /// Since when, in seconds since 1970.
    pub iat: u64,
    /// Until when, in seconds since 1970 (not included).
    pub exp: u64,
}

impl Term for AccessClaims {
    fn issued(&self) -> u64 {
        self.iat
    }

    fn expires(&self) -> u64 {
        self.exp
    }
}

/// Makes access tokens and checks them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AccessKeys(Jwt);

impl AccessKeys {
    /// Signs with the ring's current key and takes tokens of each.
    #[must_use]
    pub fn new(ring: &KeyRing) -> Self {
        Self(Jwt::new(ring, AUDIENCE))
    }

    /// Makes a token that says this.
    pub fn issue(&self, claims: &AccessClaims) -> Result<String, AccessError> {
        self.0.issue(claims).map_err(AccessError::Signing)
    }

    /// What `token` says, where it is genuine and valid at `now`, in seconds since 1970.
    pub fn verify(&self, token: &str, now: u64) -> Result<AccessClaims, AccessError> {
        Ok(self.0.verify(token, now)?)
    }
}

#[cfg(test)]
mod tests {
    use matinee_model::ids::{TitleId, VersionId};
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;
    use crate::jwt::addressed;
    use crate::secrets::SecretKey;
    use crate::tokens::{PlaybackClaims, TokenKeys};

    fn ring(byte: u8) -> KeyRing {
        KeyRing::of(SecretKey::new([byte; 32]))
    }

    fn keys(byte: u8) -> AccessKeys {
        AccessKeys::new(&ring(byte))
    }

    fn claims() -> AccessClaims {
        AccessClaims {
            account: AccountId::parse("a1").unwrap(),
            device: DeviceId::parse("d1").unwrap(),
            profile: Some(ProfileId::parse("p1").unwrap()),
            maturity_limit: 12,
            languages: vec!["de".to_owned(), "en".to_owned()],
            roles: vec!["studio".to_owned()],
            territory: "DE".to_owned(),
            iat: 1_000,
            exp: 1_900,
        }
    }

    #[test]
    fn a_token_says_who_is_signed_in_until_it_expires() {
        for profile in [claims().profile, None] {
            let claims = AccessClaims { profile, ..claims() };
            let token = keys(1).issue(&claims).unwrap();
            assert_eq!(keys(1).verify(&token, 1_899), Ok(claims.clone()));
            assert_eq!(keys(1).verify(&token, 1_907), Err(AccessError::Expired(7)));
            assert_eq!(keys(1).verify(&token, 950), Ok(claims), "clocks differ a little");
            assert_eq!(keys(1).verify(&token, 900), Err(AccessError::NotYet(100)));
            assert_eq!(keys(2).verify(&token, 1_500), Err(AccessError::Forged));
        }
    }

    #[test]
    fn no_other_token_of_the_house_is_an_access_token() {
        let playback = PlaybackClaims {
            sid: "s1".to_owned(),
            title: TitleId::parse("film").unwrap(),
            version: VersionId::parse("v1").unwrap(),
            kids: Vec::new(),
            iat: 1_000,
            exp: 1_900,
        };
        // Even by the same ring.
        let token = TokenKeys::new(&ring(1)).issue(&playback).unwrap();
        assert!(matches!(keys(1).verify(&token, 1_500), Err(AccessError::Malformed(_))));
        let access = keys(1).issue(&claims()).unwrap();
        assert!(TokenKeys::new(&ring(1)).verify(&access, 1_500).is_err());
        let elsewhere = addressed(&[1; 32], "license", claims());
        assert!(matches!(keys(1).verify(&elsewhere, 1_500), Err(AccessError::Malformed(_))));
    }

    #[test]
    fn ids_in_a_token_are_checked_as_elsewhere() {
        let wrong = serde_json::json!({
            "account": "../etc", "device": "d1", "profile": null, "maturity_limit": 0, "languages": [], "roles": [],
            "territory": "DE", "iat": 1_000, "exp": 1_900,
        });
        let token = addressed(&[1; 32], AUDIENCE, wrong);
        assert!(matches!(keys(1).verify(&token, 1_500), Err(AccessError::Malformed(_))));
    }

    proptest! {
        #[test]
        fn any_text_is_refused(token in any::<String>()) {
            prop_assert!(keys(1).verify(&token, 1_500).is_err());
        }
    }
}
