//! What names, languages and kinds may hold.

use matinee_model::ids::{AccountId, DeviceId, ProfileId};
use matinee_model::language::Language;
use matinee_model::territory::Territory;

use crate::error::AccountsError;

/// The longest name, in characters.
pub const MOST_NAME: usize = 50;
/// The longest name of a device, in characters.
pub const MOST_DEVICE_NAME: usize = 100;

/// An account's id, or why the field `field` holds none.
pub(crate) fn account_id(field: &'static str, id: &str) -> Result<AccountId, AccountsError> {
    AccountId::parse(id).map_err(|error| AccountsError::field(field, error.to_string()))
}

/// A profile's id, or why the field `field` holds none.
pub(crate) fn profile_id(field: &'static str, id: &str) -> Result<ProfileId, AccountsError> {
    ProfileId::parse(id).map_err(|error| AccountsError::field(field, error.to_string()))
}

/// A device's id, or why the field `field` holds none.
pub(crate) fn device_id(field: &'static str, id: &str) -> Result<DeviceId, AccountsError> {
    DeviceId::parse(id).map_err(|error| AccountsError::field(field, error.to_string()))
}

/// A territory, or why the field "territory" holds none.
pub(crate) fn territory(text: &str) -> Result<Territory, AccountsError> {
    Territory::parse(text).map_err(|error| AccountsError::field("territory", error.to_string()))
}

/// A language tag (BCP 47) in its recommended spelling: "de", "pt-BR", "zh-Hant-TW".
pub(crate) fn language(field: &'static str, text: &str) -> Result<String, AccountsError> {
    let language = Language::parse(text).map_err(|error| AccountsError::field(field, error.to_string()))?;
    Ok(language.as_str().to_owned())
}

/// A line of at most `most` characters that can be shown; spaces around it are dropped. It may be empty.
pub(crate) fn line(field: &'static str, text: &str, most: usize) -> Result<String, AccountsError> {
    let text = text.trim();
    // Bytes first: no more of it is looked at than could be taken.
    let length = if text.len() > 4 * most { text.len() } else { text.chars().count() };
    if length > most {
        return Err(AccountsError::field(field, format!("it has {length} characters, at most {most} are taken")));
    }
    match text.chars().find(|c| c.is_control() || unseen(*c)) {
        Some(c) => Err(AccountsError::field(field, format!("it has U+{:04X}, which is not shown", u32::from(c)))),
        None => Ok(text.to_owned()),
    }
}

/// Characters that turn the direction of the text around them, or that break lines.
fn unseen(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// What a device is.
pub(crate) fn device_kind(text: &str) -> Result<&'static str, AccountsError> {
    match text {
        "" | "web" => Ok("web"),
        "mobile" => Ok("mobile"),
        "tv" => Ok("tv"),
        _ => Err(AccountsError::field("device_kind", "\"web\", \"mobile\" and \"tv\" are taken")),
    }
}

/// A device's name as somebody sees it in a list.
pub(crate) fn device_name(text: &str, kind: &str) -> Result<String, AccountsError> {
    let name = line("device_name", text, MOST_DEVICE_NAME)?;
    if !name.is_empty() {
        return Ok(name);
    }
    let named = match kind {
        "tv" => "Television",
        "mobile" => "Mobile device",
        _ => "Browser",
    };
    Ok(named.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    #[test]
    fn languages_are_spelled_in_one_way() {
        assert_eq!(language("language", "PT-br").unwrap(), "pt-BR");
        for bad in ["", "e", "english language", "en_US", "en-"] {
            let refused = language("profile.language", bad).unwrap_err().to_string();
            assert!(refused.starts_with("profile.language is refused"), "{bad}: {refused}");
        }
    }

    #[test]
    fn a_line_can_be_shown() {
        assert_eq!(line("name", "  Ada  ", 5).unwrap(), "Ada");
        for bad in ["A\0", "A\nB", "\u{202e}gpj", "Adaada", &"x".repeat(1_000_000)] {
            assert!(line("name", bad, 5).unwrap_err().to_string().starts_with("name is refused"));
        }
        assert_eq!(device_name("", "tv").unwrap(), "Television");
        assert!(device_kind("fridge").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_line_or_refused(text in any::<String>()) {
            if let Ok(line) = line("name", &text, 10) {
                prop_assert!(line.chars().count() <= 10 && !line.chars().any(char::is_control));
            }
            let _ = language("language", &text);
        }
    }
}
