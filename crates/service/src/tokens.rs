//! Playback tokens: what a session may open, signed, so that the licence service need not ask anybody.
//!
//! A compact JWT, always HS256 and for the audience "license"; a token that says otherwise in its header or its claims is
//! refused. Times are passed in.

use matinee_model::ids::{TitleId, VersionId};
use serde::{Deserialize, Serialize};

use crate::jwt::{Jwt, Refused, Term};
use crate::secrets::KeyRing;

/// Whom playback tokens are for.
const AUDIENCE: &str = "license";

/// Why a token is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was valid once.
    #[error("the playback token expired {0} s ago; start playback again")]
    Expired(u64),
    /// It was issued in the future.
    #[error("the playback token was issued {0} s in the future; compare the machines' clocks")]
    NotYet(u64),
    /// It was changed, or made by somebody else.
    #[error("the playback token's signature does not match")]
    Forged,
    /// It is no playback token.
    #[error("the playback token can't be read: {0}")]
    Malformed(&'static str),
    /// Its key was taken out of the ring, or never was in it.
    #[error("the playback token was signed with a key that is not known here")]
    UnknownKey,
    /// It could not be made.
    #[error("the playback token could not be signed: {0}")]
    Signing(jsonwebtoken::errors::Error),
}

impl From<Refused> for TokenError {
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

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaybackClaims {
    /// The session's id.
    pub sid: String,
    /// What is watched.
    pub title: TitleId,
    /// In which version.
    pub version: VersionId,
    /// The ids of the content keys that it opens, hexadecimal.
    pub kids: Vec<String>,
    /// Until when, in seconds since 1970 (not included).
    pub exp: u64,
    /// Since when, in seconds since 1970.
    pub iat: u64,
}

impl Term for PlaybackClaims {
    fn issued(&self) -> u64 {
        self.iat
    }

    fn expires(&self) -> u64 {
        self.exp
    }
}

/// Makes tokens and checks them.
#[derive(Debug, Clone)]
pub struct TokenKeys(Jwt);

impl TokenKeys {
    /// Signs with the ring's current key and takes tokens of each.
    #[must_use]
    pub fn new(ring: &KeyRing) -> Self {
        Self(Jwt::new(ring, AUDIENCE))
    }

    /// Makes a token that says this.
    pub fn issue(&self, claims: &PlaybackClaims) -> Result<String, TokenError> {
        self.0.issue(claims).map_err(TokenError::Signing)
    }

    /// What `token` says, where it is genuine and valid at `now`, in seconds since 1970.
    pub fn verify(&self, token: &str, now: u64) -> Result<PlaybackClaims, TokenError> {
        Ok(self.0.verify(token, now)?)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::{EncodingKey, Header, encode};
    use proptest::prelude::{any, prop_assert, proptest};
    use serde_json::json;

    use super::*;
    use crate::jwt::addressed;
    use crate::secrets::SecretKey;

    fn keys(byte: u8) -> TokenKeys {
        TokenKeys::new(&KeyRing::of(SecretKey::new([byte; 32])))
    }

    fn claims() -> PlaybackClaims {
        PlaybackClaims {
            sid: "s1".to_owned(),
            title: TitleId::parse("film").unwrap(),
            version: VersionId::parse("v1").unwrap(),
            kids: vec!["00112233445566778899aabbccddeeff".to_owned()],
            exp: 2_000,
            iat: 1_000,
        }
    }

    #[test]
    fn a_token_says_what_was_put_in_until_it_expires() {
        let token = keys(1).issue(&claims()).unwrap();
        assert_eq!(keys(1).verify(&token, 1_999), Ok(claims()));
        assert_eq!(keys(1).verify(&token, 2_000), Err(TokenError::Expired(0)));
        assert_eq!(keys(1).verify(&token, 900), Err(TokenError::NotYet(100)));
        assert_eq!(keys(1).verify(&token, 950), Ok(claims()), "clocks differ a little");
    }

    #[test]
    fn a_token_of_another_key_is_forged() {
        let token = keys(2).issue(&claims()).unwrap();
        assert_eq!(keys(1).verify(&token, 1_500), Err(TokenError::Forged));
    }

    #[test]
    fn claims_can_not_be_changed() {
        let token = keys(1).issue(&claims()).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let body = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap().replace("film", "gold");
        let changed = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(body), parts[2]);
        assert_eq!(keys(1).verify(&changed, 1_500), Err(TokenError::Forged));
    }

    #[test]
    fn a_header_can_not_choose_its_algorithm() {
        let token = keys(1).issue(&claims()).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        for alg in ["none", "None", "HS384", "RS256", "EdDSA"] {
            let header = URL_SAFE_NO_PAD.encode(json!({"typ": "JWT", "alg": alg, "kid": "1"}).to_string());
            for signature in ["", parts[2]] {
                let refused = keys(1).verify(&format!("{header}.{}.{signature}", parts[1]), 1_500);
                assert!(matches!(refused, Err(TokenError::Malformed(_))), "{alg}: {refused:?}");
            }
        }
    }

    #[test]
    fn a_token_for_another_audience_is_refused() {
        for aud in ["edge", ""] {
            let token = addressed(&[1; 32], aud, claims());
            assert!(matches!(keys(1).verify(&token, 1_500), Err(TokenError::Malformed(_))), "{aud:?}");
        }
        let (header, key) =
            (Header { kid: Some("1".to_owned()), ..Header::default() }, EncodingKey::from_secret(&[1; 32]));
        let token = encode(&header, &claims(), &key).unwrap();
        assert!(matches!(keys(1).verify(&token, 1_500), Err(TokenError::Malformed(_))), "none at all");
    }

    #[test]
    fn rotation_keeps_old_tokens_until_their_key_is_taken_out() {
        let (one, two) = ("01".repeat(32), "02".repeat(32));
        let old = TokenKeys::new(&KeyRing::parse(&format!("1 {one}")).unwrap()).issue(&claims()).unwrap();
        let rotated = TokenKeys::new(&KeyRing::parse(&format!("2 {two}\n1 {one}")).unwrap());
        assert_eq!(rotated.verify(&old, 1_500), Ok(claims()));
        let after = TokenKeys::new(&KeyRing::parse(&format!("2 {two}")).unwrap());
        assert_eq!(after.verify(&old, 1_500), Err(TokenError::UnknownKey));
        assert_eq!(after.verify(&rotated.issue(&claims()).unwrap(), 1_500), Ok(claims()));
    }

    proptest! {
        #[test]
        fn any_text_is_refused(token in any::<String>()) {
            prop_assert!(keys(1).verify(&token, 1_500).is_err());
        }
    }
}
