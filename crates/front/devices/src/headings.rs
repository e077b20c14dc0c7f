//! What stands over a row, in the viewer's language. English where it is spoken in none that is known here.

/// The words of one language. `{}` stands for what the row is of.
struct Words {
    language: &'static str,
    going_on: &'static str,
    top: &'static str,
    trending: &'static str,
    because: &'static str,
    new: &'static str,
    list: &'static str,
    for_you: &'static str,
}

const WORDS: [Words; 5] = [
    Words {
        language: "en",
        going_on: "Continue watching",
        top: "Top 10 today",
        trending: "Trending now",
        because: "Because you watched {}",
        new: "New here",
        list: "My list",
        for_you: "For you",
    },
    Words {
        language: "de",
        going_on: "Weiterschauen",
        top: "Top 10 heute",
        trending: "Derzeit beliebt",
        because: "Weil du {} gesehen hast",
        new: "Neu hier",
        list: "Meine Liste",
        for_you: "Für dich",
    },
    Words {
        language: "fr",
        going_on: "Reprendre la lecture",
        top: "Top 10 du jour",
        trending: "Tendances actuelles",
        because: "Parce que vous avez regardé {}",
        new: "Nouveautés",
        list: "Ma liste",
        for_you: "Pour vous",
    },
    Words {
        language: "es",
        going_on: "Seguir viendo",
        top: "Top 10 de hoy",
        trending: "Tendencias",
        because: "Porque viste {}",
        new: "Novedades",
        list: "Mi lista",
        for_you: "Para ti",
    },
    Words {
        language: "it",
        going_on: "Continua a guardare",
        top: "I 10 più visti oggi",
        trending: "Di tendenza",
        because: "Perché hai guardato {}",
        new: "Novità",
        list: "La mia lista",
        for_you: "Per te",
    },
];

/// The heading of a row of `kind`; `of` is the name of what it is of: the title of "because", the genre of "genre".
#[must_use]
pub fn heading(kind: &str, of: Option<&str>, languages: &[String]) -> String {
    let spoken = languages.iter().find_map(|tag| {
        let base = tag.split('-').next().unwrap_or_default();
        WORDS.iter().find(|words| words.language.eq_ignore_ascii_case(base))
    });
    let words = spoken.unwrap_or(&WORDS[0]);
    match (kind, of) {
        ("continue", _) => words.going_on.to_owned(),
        ("top", _) => words.top.to_owned(),
        ("because", Some(of)) => words.because.replace("{}", of),
        ("new", _) => words.new.to_owned(),
        ("list", _) => words.list.to_owned(),
        ("genre", Some(of)) => of.to_owned(),
        ("trending", _) => words.trending.to_owned(),
        _ => words.for_you.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_headed_in_the_viewers_language() {
        let speaks = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>();
        assert_eq!(heading("continue", None, &speaks(&["de-AT"])), "Weiterschauen");
        assert_eq!(
            heading("because", Some("Metropolis"), &speaks(&["xx", "fr"])),
            "Parce que vous avez regardé Metropolis"
        );
        assert_eq!(heading("genre", Some("Comedy"), &[]), "Comedy");
        assert_eq!(heading("a kind of tomorrow", None, &[]), "For you");
    }
}
