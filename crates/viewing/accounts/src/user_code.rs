//! User codes: what a viewer reads from a television and types on a telephone.
//!
//! Eight consonants out of twenty: no vowels, so that no words come about, and no two that look alike. However they are
//! written (small, with spaces, without the dash), they are the same code.
//! Source: RFC 8628, 6.1.

use crate::entropy::{Entropy, random};
use crate::error::AccountsError;

const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;
/// A longer text is not looked at.
const MOST_BYTES: usize = 64;

/// A code of eight letters: 20⁸, about 2³⁴·⁵.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// A new one. Every code is as likely as every other.
    pub fn fresh(entropy: &dyn Entropy) -> Result<Self, AccountsError> {
        let mut code = String::with_capacity(LENGTH);
        while code.len() < LENGTH {
            for byte in random::<16>(entropy)? {
                // 240 is twelve times 20: a byte above would favour the first letters.
                if byte < 240 && code.len() < LENGTH {
                    code.push(char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
                }
            }
        }
        Ok(Self(code))
    }

    /// Reads what somebody typed.
    pub fn parse(text: &str) -> Result<Self, AccountsError> {
        let refused = |reason: &str| AccountsError::field("user_code", reason);
        if text.len() > MOST_BYTES {
            return Err(refused("a code has eight letters"));
        }
        let code: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}' | '.' | '_'))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        if !code.bytes().all(|b| LETTERS.contains(&b)) {
            return Err(refused("a code has only the letters B C D F G H J K L M N P Q R S T V W X Z"));
        }
        if code.len() != LENGTH {
            return Err(refused("a code has eight letters"));
        }
        Ok(Self(code))
    }

    /// The letters, as they are kept.
    #[must_use]
    pub fn letters(&self) -> &str {
        &self.0
    }

    /// As a screen shows it: `WDJB-MJHT`.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{}-{}", &self.0[..LENGTH / 2], &self.0[LENGTH / 2..])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for typed in ["WDJB-MJHT", "wdjbmjht", " wdjb mjht ", "WDJB–MJHT", "w.d.j.b-m.j.h.t"] {
            assert_eq!(UserCode::parse(typed).unwrap().shown(), "WDJB-MJHT", "{typed:?}");
        }
        for bad in ["", "WDJB", "WDJB-MJHTT", "WDJB-MJH0", "WDJA-MJHT", "ＷDJB-MJHT", "' OR 1=1"] {
            let refused = UserCode::parse(bad).unwrap_err().to_string();
            assert!(refused.starts_with("user_code is refused"), "{bad:?}: {refused}");
        }
    }

    #[test]
    fn a_fresh_code_reads_back() {
        for _ in 0..100 {
            let code = UserCode::fresh(&SystemEntropy).unwrap();
            assert_eq!(UserCode::parse(&code.shown()).unwrap(), code);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_code_or_refused(text in any::<String>()) {
            if let Ok(code) = UserCode::parse(&text) {
                prop_assert!(code.letters().len() == LENGTH);
                prop_assert_eq!(UserCode::parse(&code.shown()).unwrap(), code);
            }
        }
    }
}
