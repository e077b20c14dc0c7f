//! Lists in one cell of a table: items divided by `|`, their parts by `;`, with `\` before what is meant as it stands.
//!
//! `tmdb-2;Ada Lovelace;director;|;A name alone;cast;Herself` are two credits.

/// Joins items of parts into one text.
pub(super) fn join<'a>(items: impl IntoIterator<Item = Vec<&'a str>>) -> String {
    let mut text = String::new();
    for (i, parts) in items.into_iter().enumerate() {
        if i > 0 {
            text.push('|');
        }
        for (j, part) in parts.into_iter().enumerate() {
            if j > 0 {
                text.push(';');
            }
            for c in part.chars() {
                if matches!(c, '|' | ';' | '\\') {
                    text.push('\\');
                }
                text.push(c);
            }
        }
    }
    text
}

/// Splits what [`join`] joined; none of an empty text. Fails where `\` stands at the end or before another letter.
pub(super) fn split(text: &str) -> Result<Vec<Vec<String>>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let (mut items, mut parts, mut part) = (Vec::new(), Vec::new(), String::new());
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match c {
            '|' => {
                parts.push(std::mem::take(&mut part));
                items.push(std::mem::take(&mut parts));
            }
            ';' => parts.push(std::mem::take(&mut part)),
            '\\' => match letters.next() {
                Some(c @ ('|' | ';' | '\\')) => part.push(c),
                _ => return Err("a \\ stands before something other than |, ; and \\".to_owned()),
            },
            c => part.push(c),
        }
    }
    parts.push(part);
    items.push(parts);
    Ok(items)
}

/// A cell as a spreadsheet does not take for a formula.
pub(super) fn guarded(cell: String) -> String {
    let mut letters = cell.chars();
    let guard = match letters.next() {
        Some(c) if starts_formula(c) => true,
        Some('\'') => letters.next().is_some_and(|c| starts_formula(c) || c == '\''),
        _ => false,
    };
    if guard { format!("'{cell}") } else { cell }
}

/// What [`guarded`] guarded.
pub(super) fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(|c| starts_formula(c) || c == '\'') => rest,
        _ => cell,
    }
}

fn starts_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use proptest::{collection, option};

    use super::*;

    #[test]
    fn a_formula_becomes_a_text_and_an_apostrophe_stays() {
        assert_eq!(guarded("=1+1".to_owned()), "'=1+1");
        assert_eq!(guarded("'Allo 'Allo!".to_owned()), "'Allo 'Allo!");
        assert!(split("a\\b").is_err() && split("a\\").is_err());
    }

    proptest! {
        #[test]
        fn what_is_joined_is_split_again(items in collection::vec(collection::vec(any::<String>(), 1..4), 1..4)) {
            let text = join(items.iter().map(|parts| parts.iter().map(String::as_str).collect()));
            // One empty part alone is as good as nothing.
            if text.is_empty() {
                prop_assert!(items.iter().flatten().all(String::is_empty));
            } else {
                prop_assert_eq!(split(&text).unwrap(), items);
            }
        }

        #[test]
        fn a_guarded_cell_is_no_formula_and_comes_back(start in option::of("[-='+@\t]{1,3}"), rest in any::<String>()) {
            let cell = format!("{}{rest}", start.unwrap_or_default());
            let guarded = guarded(cell.clone());
            prop_assert!(!guarded.starts_with(starts_formula));
            prop_assert_eq!(unguarded(&guarded), cell.as_str());
        }
    }
}
