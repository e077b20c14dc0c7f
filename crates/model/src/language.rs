//! Languages by BCP 47 (RFC 5646), in the spelling that the RFC recommends: `en`, `pt-BR`, `zh-Hant-TW`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest tag, in bytes.
const MOST: usize = 35;

/// Why a text is not a language.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("language {0:?} is refused: a tag by BCP 47 is taken, such as en, pt-BR or zh-Hant")]
pub struct LanguageError(String);

/// A language, with its script, region, variants and extensions where they are told.
///
/// It is well formed; whether its parts are registered is not asked. Tags that were grandfathered (`i-klingon`) and
/// those of private use alone (`x-mine`) are not taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String);

impl Language {
    /// Takes a tag in any case; `_` for `-` is not taken.
    pub fn parse(tag: &str) -> Result<Self, LanguageError> {
        spelled(tag).map(Self).ok_or_else(|| LanguageError(tag.chars().take(MOST + 5).collect()))
    }

    /// The tag, as it is spelled.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language alone: `pt` of `pt-BR`.
    #[must_use]
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }
}

/// The tag in its recommended spelling, or nothing where it is not well formed. Source: RFC 5646, 2.1 and 2.1.1.
fn spelled(tag: &str) -> Option<String> {
    if tag.len() > MOST || !tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return None;
    }
    let lower = tag.to_ascii_lowercase();
    let mut parts = lower.split('-').peekable();
    let letters = |part: &str| part.bytes().all(|b| b.is_ascii_alphabetic());
    let primary = parts.next().filter(|p| (2..=8).contains(&p.len()) && letters(p))?;
    let mut spelled = primary.to_owned();
    let mut push = |part: &str| {
        spelled.push('-');
        spelled.push_str(part);
    };
    if primary.len() < 4 {
        for _ in 0..3 {
            let Some(extended) = parts.next_if(|p| p.len() == 3 && letters(p)) else { break };
            push(extended);
        }
    }
    if let Some(script) = parts.next_if(|p| p.len() == 4 && letters(p)) {
        push(&format!("{}{}", script[..1].to_ascii_uppercase(), &script[1..]));
    }
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if let Some(region) = parts.next_if(|p| (p.len() == 2 && letters(p)) || (p.len() == 3 && digits(p))) {
        push(&region.to_ascii_uppercase());
    }
    let mut variants = Vec::new();
    while let Some(variant) =
        parts.next_if(|p| (5..=8).contains(&p.len()) || (p.len() == 4 && p.as_bytes()[0].is_ascii_digit()))
    {
        if variants.contains(&variant) {
            return None;
        }
        variants.push(variant);
        push(variant);
    }
    let mut singletons = Vec::new();
    while let Some(singleton) = parts.next_if(|p| p.len() == 1) {
        let (least, private) = if singleton == "x" { (1, true) } else { (2, false) };
        if singletons.contains(&singleton) {
            return None;
        }
        singletons.push(singleton);
        push(singleton);
        let mut any = false;
        while let Some(part) = parts.next_if(|p| (least..=8).contains(&p.len())) {
            any = true;
            push(part);
        }
        if !any || (private && parts.peek().is_some()) {
            return None;
        }
    }
    parts.next().is_none().then_some(spelled)
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Language {
    type Error = LanguageError;
    fn try_from(value: String) -> Result<Self, LanguageError> {
        Self::parse(&value)
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn tags_are_spelled_as_the_rfc_recommends() {
        for (given, spelled) in [
            ("EN", "en"),
            ("pt-br", "pt-BR"),
            ("ZH-hANT-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("sl-rozaj-biske", "sl-rozaj-biske"),
            ("de-1996", "de-1996"),
            ("zh-cmn-hans-cn", "zh-cmn-Hans-CN"),
            ("en-u-ca-gregory-x-mine", "en-u-ca-gregory-x-mine"),
            ("und", "und"),
        ] {
            assert_eq!(Language::parse(given).unwrap().as_str(), spelled);
        }
        assert_eq!(Language::parse("pt-BR").unwrap().primary(), "pt");
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        let long = "en-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd";
        for bad in
            ["", "e", "en_US", "en-", "-en", "en--us", "english1", "en-x", "x-mine", "1en", "é", "de-1996-1996", long]
        {
            assert!(Language::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_spelled_tag_stays_as_it_is(tag in "[a-zA-Z0-9-]{0,36}") {
            if let Ok(language) = Language::parse(&tag) {
                prop_assert_eq!(Language::parse(language.as_str()).unwrap(), language);
            }
        }
    }
}
