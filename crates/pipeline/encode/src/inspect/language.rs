//! Languages as containers name them (ISO 639-2, three letters) to BCP 47.

/// Two letters for those that have them: terminological and bibliographic codes alike.
const SHORT: [(&str, &str); 62] = [
    ("ara", "ar"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cze", "cs"),
    ("chi", "zh"),
    ("zho", "zh"),
    ("dan", "da"),
    ("deu", "de"),
    ("ger", "de"),
    ("dut", "nl"),
    ("nld", "nl"),
    ("ell", "el"),
    ("gre", "el"),
    ("eng", "en"),
    ("est", "et"),
    ("eus", "eu"),
    ("baq", "eu"),
    ("fas", "fa"),
    ("per", "fa"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("fre", "fr"),
    ("gle", "ga"),
    ("glg", "gl"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("arm", "hy"),
    ("ind", "id"),
    ("isl", "is"),
    ("ice", "is"),
    ("ita", "it"),
    ("jpn", "ja"),
    ("kat", "ka"),
    ("kor", "ko"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mkd", "mk"),
    ("msa", "ms"),
    ("may", "ms"),
    ("nor", "no"),
    ("nob", "nb"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rum", "ro"),
    ("rus", "ru"),
    ("slk", "sk"),
    ("slo", "sk"),
    ("slv", "sl"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tha", "th"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("vie", "vi"),
];

/// BCP 47; `und` where the container does not say.
pub fn bcp47(stated: &str) -> String {
    let stated = stated.trim().to_ascii_lowercase().replace('_', "-");
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if stated.is_empty() || stated == "und" || stated.len() > 35 || !stated.chars().all(legal) {
        return "und".to_owned();
    }
    let (language, rest) = stated.split_once('-').map_or((stated.as_str(), None), |(l, r)| (l, Some(r)));
    let short = SHORT.iter().find(|(long, _)| *long == language).map_or(language, |(_, short)| short);
    match rest {
        Some(region) if region.len() == 2 => format!("{short}-{}", region.to_ascii_uppercase()),
        Some(rest) => format!("{short}-{rest}"),
        None => short.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::bcp47;

    #[test]
    fn three_letters_become_two_where_there_are_two() {
        for (stated, expected) in [
            ("eng", "en"),
            ("GER", "de"),
            ("", "und"),
            ("und", "und"),
            ("pt_br", "pt-BR"),
            ("gsw", "gsw"),
            ("a b", "und"),
        ] {
            assert_eq!(bcp47(stated), expected);
        }
    }
}
