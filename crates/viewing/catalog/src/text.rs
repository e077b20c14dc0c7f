//! What a text may hold that viewers see, whatever it says.

use crate::error::{CatalogError, refused};

/// A text of one line: at most `most` characters, all of which can be shown.
pub(crate) fn line(field: &str, value: &str, most: usize) -> Result<(), CatalogError> {
    shown(field, value, most, char::is_control)
}

/// As [`line`], and there is something in it.
pub(crate) fn said(field: &str, value: &str, most: usize) -> Result<(), CatalogError> {
    if value.trim().is_empty() {
        return Err(refused(field, "it is empty"));
    }
    line(field, value, most)
}

/// A text that may have line breaks and tabs.
pub(crate) fn text(field: &str, value: &str, most: usize) -> Result<(), CatalogError> {
    shown(field, value, most, |c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

fn shown(field: &str, value: &str, most: usize, bad: impl Fn(char) -> bool) -> Result<(), CatalogError> {
    // Most are short enough by their bytes already.
    let length = if value.len() <= most { 0 } else { value.chars().count() };
    if length > most {
        return Err(refused(field, format!("it has {length} characters, at most {most} are taken")));
    }
    match value.chars().enumerate().find(|(_, c)| bad(*c) || turns_text(*c)) {
        Some((at, c)) => {
            let code = u32::from(c);
            Err(refused(field, format!("character {} is U+{code:04X}, which is not shown", at + 1)))
        }
        None => Ok(()),
    }
}

/// Characters that turn the direction of the text around them, with which one name can be made to look like another.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The beginning of a value that is refused, for its message.
pub(crate) fn shortened(value: &str) -> String {
    value.chars().take(80).collect()
}
