//! Passwords: which are taken, and how they are hashed (argon2id) without starving everything else.
//!
//! Hashing costs what it should: milliseconds of a core and megabytes. So only a few run at once, on threads for blocking
//! work, a few more wait, and the rest is turned away at once. An unknown address costs the same as a known one.
//! Sources: OWASP Password Storage Cheat Sheet (argon2id, m = 19 MiB, t = 2, p = 1); NIST SP 800-63B, 3.1.1.2 (length and
//! known passwords count, classes of characters do not; texts are normalised before they are hashed).

use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use crate::config::Hashing;
use crate::email::Email;
use crate::entropy::{Entropy, random};
use crate::error::AccountsError;

const LEAST: usize = 8;
const MOST: usize = 256;

/// Passwords that are guessed first, small letters, sorted when first used.
static COMMON: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut common: Vec<&str> = include_str!("common_passwords.txt").lines().collect();
    common.sort_unstable();
    common
});

/// A password as somebody gave it, normalised. Never shown.
#[derive(Clone)]
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Password {
    /// One to compare with what is kept: only its length is bounded.
    pub fn given(field: &'static str, text: &str) -> Result<Self, AccountsError> {
        if text.is_empty() {
            return Err(AccountsError::field(field, "it is empty"));
        }
        // Four bytes a character, before it is normalised; nothing longer was ever taken.
        if text.len() > 4 * MOST {
            return Err(AccountsError::field(field, format!("it has more than {MOST} characters")));
        }
        Ok(Self(text.nfc().collect()))
    }

    /// A new one of the account at `email`: 8 to 256 characters that are not guessed first.
    pub fn chosen(field: &'static str, text: &str, email: &Email) -> Result<Self, AccountsError> {
        let password = Self::given(field, text)?;
        let refused = |reason: String| Err(AccountsError::field(field, reason));
        let characters = password.0.chars().count();
        if !(LEAST..=MOST).contains(&characters) {
            return refused(format!("it has {characters} characters, {LEAST} to {MOST} are taken"));
        }
        if password.0.chars().any(char::is_control) {
            return refused("it has a control character".to_owned());
        }
        let small = password.0.to_lowercase();
        if small == email.key() || small == email.local().to_lowercase() {
            return refused("it is the e-mail address".to_owned());
        }
        if COMMON.binary_search(&small.as_str()).is_ok() || is_a_run(&small) {
            return refused("it is one of those that are guessed first; take another".to_owned());
        }
        Ok(password)
    }
}

/// Whether each character follows from the one before alike: "aaaaaaaa", "abcdefgh", "98765432".
fn is_a_run(text: &str) -> bool {
    let codes: Vec<i64> = text.chars().map(|c| i64::from(u32::from(c))).collect();
    let Some(step) = codes.get(1).map(|second| second - codes[0]) else { return true };
    step.abs() <= 1 && codes.windows(2).all(|pair| pair[1] - pair[0] == step)
}

/// Hashes passwords, a few at a time. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Passwords {
    params: Params,
    /// Those that run.
    running: Arc<Semaphore>,
    /// Those that run or wait.
    admitted: Arc<Semaphore>,
    /// A hash of no password, by the same parameters: what an unknown address is compared with.
    nobody: Arc<str>,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").field("params", &self.params).finish_non_exhaustive()
    }
}

impl Passwords {
    /// By these parameters. Takes as long as hashing one password.
    pub(crate) fn new(config: &Hashing, entropy: &dyn Entropy) -> Result<Self, AccountsError> {
        let params = Params::new(config.memory_kib, config.passes, config.lanes, None)
            .map_err(|error| AccountsError::Config { key: "hashing", reason: error.to_string() })?;
        let nobody = hashed(&params, &random::<32>(entropy)?, &random::<16>(entropy)?)?;
        let running = config.at_once.clamp(1, Semaphore::MAX_PERMITS / 2);
        let admitted = running + config.waiting.min(Semaphore::MAX_PERMITS / 2);
        Ok(Self {
            params,
            running: Arc::new(Semaphore::new(running)),
            admitted: Arc::new(Semaphore::new(admitted)),
            nobody: nobody.into(),
        })
    }

    /// The text that is kept of a password (PHC string format).
    pub(crate) async fn hash(&self, password: Password, entropy: &dyn Entropy) -> Result<String, AccountsError> {
        let (params, salt) = (self.params.clone(), random::<16>(entropy)?);
        self.run(move || hashed(&params, password.0.as_bytes(), &salt)).await?
    }

    /// Whether `password` is the one that `kept` was made of; never, in the same time, where nothing is kept.
    pub(crate) async fn verify(&self, password: Password, kept: Option<String>) -> Result<Verdict, AccountsError> {
        let (params, nobody) = (self.params.clone(), Arc::clone(&self.nobody));
        let verify = move || {
            let known = kept.is_some();
            let text = kept.as_deref().unwrap_or(&nobody);
            let hash = PasswordHash::new(text).map_err(|error| AccountsError::Hashing(error.to_string()))?;
            let same = Argon2::from(params).verify_password(password.0.as_bytes(), &hash).is_ok();
            Ok(if same && known { Verdict::Right } else { Verdict::Wrong })
        };
        self.run(verify).await?
    }

    /// Whether `kept` was made by other parameters than these.
    pub(crate) fn is_stale(&self, kept: &str) -> bool {
        let Ok(hash) = PasswordHash::new(kept) else { return true };
        let params = Params::try_from(&hash);
        let same = |params: &Params| {
            (params.m_cost(), params.t_cost(), params.p_cost())
                == (self.params.m_cost(), self.params.t_cost(), self.params.p_cost())
        };
        hash.algorithm.as_str() != "argon2id" || !params.as_ref().is_ok_and(same)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AccountsError> {
        let busy = |_| AccountsError::Busy("passwords to check");
        let _admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(busy)?;
        let running = Arc::clone(&self.running).acquire_owned().await;
        let running = running.map_err(|_| AccountsError::Busy("passwords to check"))?;
        let run = move || {
            // Until it is done, also where its caller went away.
            let _running = running;
            work()
        };
        tokio::task::spawn_blocking(run).await.map_err(|error| AccountsError::Hashing(error.to_string()))
    }
}

/// What a password is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Right,
    Wrong,
}

fn hashed(params: &Params, password: &[u8], salt: &[u8]) -> Result<String, AccountsError> {
    let hash: PasswordHash = Argon2::from(params)
        .hash_password_with_salt(password, salt)
        .map_err(|error| AccountsError::Hashing(error.to_string()))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    fn cheap() -> Hashing {
        Hashing { memory_kib: 64, passes: 1, lanes: 1, at_once: 1, waiting: 1 }
    }

    fn chosen(text: &str) -> Result<Password, AccountsError> {
        Password::chosen("password", text, &Email::parse("ada.lovelace@example.org").unwrap())
    }

    #[test]
    fn passwords_that_are_guessed_first_are_refused() {
        let refused = [
            "",
            "short",
            "password",
            "PassWord",
            "QWERTYUIOP",
            "iloveyou",
            "aaaaaaaa",
            "abcdefghij",
            "87654321",
            "ada.lovelace",
            "Ada.Lovelace@example.org",
            "tab\tin the middle",
            &"x".repeat(257),
            &"é".repeat(5_000),
        ];
        for bad in refused {
            let message = chosen(bad).unwrap_err().to_string();
            let reason = message.strip_prefix("password is refused: ");
            let reason = reason.unwrap_or_else(|| panic!("{bad:?}: {message}"));
            assert!(bad.is_empty() || !reason.contains(bad), "a password is in no message: {reason}");
        }
        for good in ["correct horse", "пароль-для-кино", "🎬🎬🎬🎬🍿🍿🍿🍿", &"ab".repeat(128)]
        {
            assert!(chosen(good).is_ok(), "{good:?}");
        }
    }

    #[tokio::test]
    async fn a_password_is_recognised_however_its_accents_are_written() {
        let passwords = Passwords::new(&cheap(), &SystemEntropy).unwrap();
        let kept = passwords.hash(chosen("caf\u{e9} de nuit").unwrap(), &SystemEntropy).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{kept}");
        let given = |text: &str| Password::given("password", text).unwrap();
        let verify = |text: &str, kept: Option<String>| passwords.verify(given(text), kept);
        assert_eq!(verify("cafe\u{301} de nuit", Some(kept.clone())).await.unwrap(), Verdict::Right);
        assert_eq!(verify("cafe de nuit", Some(kept.clone())).await.unwrap(), Verdict::Wrong);
        assert_eq!(verify("cafe de nuit", None).await.unwrap(), Verdict::Wrong);
        assert!(!passwords.is_stale(&kept));
        let stronger = Passwords::new(&Hashing { passes: 2, ..cheap() }, &SystemEntropy).unwrap();
        assert!(stronger.is_stale(&kept));
        assert_eq!(stronger.verify(given("caf\u{e9} de nuit"), Some(kept)).await.unwrap(), Verdict::Right);
    }

    #[tokio::test]
    async fn more_than_may_wait_is_turned_away() {
        let passwords = Passwords::new(&cheap(), &SystemEntropy).unwrap();
        let others = passwords.admitted.acquire_many(2).await.unwrap();
        assert!(matches!(passwords.run(|| 1).await, Err(AccountsError::Busy(_))));
        drop(others);
        assert_eq!(passwords.run(|| 1).await.unwrap(), 1);
    }

    #[test]
    fn the_list_is_of_passwords_that_length_alone_would_let_through() {
        assert!(COMMON.iter().all(|word| word.to_lowercase() == **word));
        assert!(COMMON.len() > 250);
    }
}
