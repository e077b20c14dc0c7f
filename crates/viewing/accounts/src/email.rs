//! E-mail addresses: which are taken, and which two are one.
//!
//! The part before the `@` is ASCII, as nearly every address in use (a letter that only looks like another can't be in it);
//! the domain may be international and is kept in its ASCII form, so that two which look alike differ where it counts.
//! Capitals make no difference to whose an address is. Dots and `+tags` do: providers differ in what they make of them.

use std::fmt;

use openidconnect::url::Url;

use crate::error::AccountsError;

const MOST_BYTES: usize = 254;
const MOST_LOCAL: usize = 64;
const MOST_LABEL: usize = 63;

/// An address that a mail can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// As it was given; its domain in ASCII and small letters.
    shown: String,
    /// By which an account is found: all small.
    key: String,
}

impl Email {
    /// Takes an address as people write it; spaces around it are dropped.
    pub fn parse(text: &str) -> Result<Self, AccountsError> {
        let refused = |reason: &str| AccountsError::field("email", reason);
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        // Before anything else, in characters of up to four bytes.
        if text.len() > 4 * MOST_BYTES {
            return Err(refused("it is longer than 254 characters"));
        }
        let Some((local, domain)) = text.rsplit_once('@') else {
            return Err(refused("it has no @; an address looks like name@example.org"));
        };
        check_local(local).map_err(refused)?;
        let domain = domain_of(domain).ok_or_else(|| refused("what stands after the @ is not a domain"))?;
        let shown = format!("{local}@{domain}");
        if shown.len() > MOST_BYTES {
            return Err(refused("it is longer than 254 characters"));
        }
        let key = shown.to_ascii_lowercase();
        Ok(Self { shown, key })
    }

    /// Where mails go.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// By which an account is found.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What stands before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        self.shown.rsplit_once('@').map_or("", |(local, _)| local)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// A dot-atom of RFC 5321: quoted parts are in no use, and a way to write commands into mails.
fn check_local(local: &str) -> Result<(), &'static str> {
    let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    if local.is_empty() || local.len() > MOST_LOCAL {
        return Err("what stands before the @ has 1 to 64 characters");
    }
    if !local.is_ascii() {
        return Err("what stands before the @ has letters from a to z only");
    }
    if !local.bytes().all(atom) {
        return Err("what stands before the @ has a character that no address has");
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err("what stands before the @ has a dot at an end, or two in a row");
    }
    Ok(())
}

/// The ASCII form of a domain of at least two labels; nothing where it is none, or a number of the network.
fn domain_of(text: &str) -> Option<String> {
    // An address of the web has more than a domain in these places.
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.') || (!c.is_ascii() && !c.is_whitespace());
    if text.is_empty() || !text.chars().all(plain) {
        return None;
    }
    let url = Url::parse(&format!("http://{text}/")).ok()?;
    let domain = url.domain()?.to_owned();
    let label = |label: &str| {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (1..=MOST_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(legal)
    };
    let top = domain.rsplit('.').next()?;
    let whole = domain.contains('.') && domain.split('.').all(label) && !top.bytes().all(|b| b.is_ascii_digit());
    whole.then_some(domain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn capitals_make_no_difference_to_whose_an_address_is() {
        let one = Email::parse(" Ada.Lovelace+films@Example.ORG ").unwrap();
        assert_eq!(one.as_str(), "Ada.Lovelace+films@example.org");
        assert_eq!(one.key(), Email::parse("ada.lovelace+FILMS@example.org").unwrap().key());
        assert_ne!(one.key(), Email::parse("ada.lovelace@example.org").unwrap().key());
        assert_eq!(one.local(), "Ada.Lovelace+films");
    }

    #[test]
    fn an_international_domain_is_kept_in_its_ascii_form() {
        let one = Email::parse("ada@bücher.example").unwrap();
        assert_eq!(one.as_str(), "ada@xn--bcher-kva.example");
        assert_eq!(one, Email::parse("ada@xn--bcher-kva.example").unwrap());
        assert_eq!(one, Email::parse("ada@BÜCHER。example").unwrap(), "with a full stop of another script");
        // A Cyrillic "a": looks the same, is another.
        assert_ne!(Email::parse("ada@exаmple.org").unwrap().key(), Email::parse("ada@example.org").unwrap().key());
    }

    #[test]
    fn letters_that_look_alike_make_no_second_address() {
        for trick in
            ["mıke@example.org", "ｍike@example.org", "mi\u{212a}e@example.org", "аda@example.org", "ada＠example.org"]
        {
            assert!(Email::parse(trick).is_err(), "{trick:?}");
        }
        // The Kelvin sign in a domain is a k; there it is one domain.
        assert_eq!(Email::parse("ada@\u{212a}ino.example").unwrap(), Email::parse("ada@kino.example").unwrap());
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        let long = format!("{}@example.org", "a".repeat(65));
        let longer = format!("a@{}.org", "b.".repeat(130));
        for bad in [
            "",
            "@",
            "a",
            "a@",
            "@example.org",
            "a@b",
            "a@localhost",
            "a b@example.org",
            "a@exam ple.org",
            "a@@example.org",
            "a@b@example.org",
            ".a@example.org",
            "a.@example.org",
            "a..b@example.org",
            "a@-b.org",
            "a@b-.org",
            "a@b..org",
            "a@.org",
            "a@192.168.0.1",
            "a@[::1]",
            "a@1.2",
            "a@example.org:80",
            "a@example.org/x",
            "a@u:p@example.org",
            "\"a\"@example.org",
            "a@example.org\r\nBcc: b@example.org",
            "a\0@example.org",
            "a@example.123",
            "a@exam%70le.org",
            "a@exa_mple.org",
            "a@example.org?x",
            &long,
            &longer,
            &"x".repeat(100_000),
        ] {
            let refused = Email::parse(bad).unwrap_err().to_string();
            assert!(refused.starts_with("email is refused: "), "{bad:?}: {refused}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_that_mail_takes_or_refused(text in any::<String>()) {
            if let Ok(email) = Email::parse(&text) {
                prop_assert!(email.as_str().parse::<lettre::Address>().is_ok());
            }
        }

        #[test]
        fn what_was_taken_is_taken_again_as_the_same(text in "[a-zA-Z0-9.+_-]{1,12}@[a-zA-Zäöß0-9-]{1,10}\\.[a-z]{2,5}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(&Email::parse(email.as_str()).unwrap(), &email);
                prop_assert!(email.key().is_ascii());
                prop_assert!(email.as_str().parse::<lettre::Address>().is_ok());
            }
        }
    }
}
