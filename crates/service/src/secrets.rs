//! The installation's secrets: made at the first start, one file each, readable by their owner only.
//!
//! A file that others could read is refused, as is one that can't be understood: a service never goes on with a secret
//! that may be known, and never makes a new master key in place of one that it could not read.

mod ring;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rand::TryRng;
use rand::rngs::SysRng;
use zeroize::Zeroizing;

pub use self::ring::{KEY_BYTES, KeyNumber, KeyRing, RingError, SecretKey};

/// No file of keys is longer.
const MOST_BYTES: u64 = 16 << 10;

/// Why the secrets can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// A file or its folder can't be made or read.
    #[error("{path} can't be {done}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// "made" or "read".
        done: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// Others than its owner can read it.
    #[error(
        "{path} can be read by others than its owner (mode {mode:03o}): run `chmod 600 {path}`, and replace the key if \
         others had access"
    )]
    Open {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is no file of keys.
    #[error("{path} is refused: {source}")]
    Ring {
        /// Which.
        path: PathBuf,
        /// Where and why.
        source: RingError,
    },
    /// The system gave no randomness.
    #[error("the system gave no randomness for {path}: {reason}")]
    Randomness {
        /// What it was for.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
}

/// By which processes of one installation know each other.
#[derive(Clone)]
pub struct ServiceSecret(Zeroizing<String>);

impl ServiceSecret {
    /// The text, for a header: 64 hexadecimal digits.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ServiceSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServiceSecret(…)")
    }
}

/// All of them.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Signs addresses of streams.
    pub signing: KeyRing,
    /// Signs playback tokens.
    pub tokens: KeyRing,
    /// Signs access tokens: who is signed in.
    pub access: KeyRing,
    /// Seals content keys at rest.
    pub master: KeyRing,
    /// Between processes.
    pub service: ServiceSecret,
}

impl Secrets {
    /// Reads the secrets in `folder`; makes the folder and those that are missing, each durably.
    ///
    /// Two processes may do so at once: both end with the same secrets.
    pub fn open(folder: &Path) -> Result<Self, SecretsError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|source| SecretsError::Io {
            path: folder.to_owned(),
            done: "made",
            source,
        })?;
        let service = key_ring(folder, "service.key", "By which processes of this installation know each other.")?;
        let secret = Zeroizing::new(hex::encode(service.current().1.expose()));
        Ok(Self {
            signing: key_ring(folder, "signing.key", "Signs the addresses of streams.")?,
            tokens: key_ring(folder, "tokens.key", "Signs playback tokens.")?,
            access: key_ring(folder, "access.key", "Signs access tokens, by which viewers are signed in.")?,
            master: key_ring(
                folder,
                "master.key",
                "Seals content keys at rest. Keep a copy apart from the databases:\n\
                 # without it no stored film can be opened.",
            )?,
            service: ServiceSecret(secret),
        })
    }
}

/// Reads the ring in `folder/name`, made with one random key where there is none.
fn key_ring(folder: &Path, name: &str, purpose: &str) -> Result<KeyRing, SecretsError> {
    let path = folder.join(name);
    if !path.exists() {
        make(folder, &path, purpose)?;
    }
    let text = read(&path)?;
    KeyRing::parse(&text).map_err(|source| SecretsError::Ring { path, source })
}

fn read(path: &Path) -> Result<Zeroizing<String>, SecretsError> {
    let failed = |source| SecretsError::Io { path: path.to_owned(), done: "read", source };
    let file = File::open(path).map_err(failed)?;
    // Of the file that is open, not of whatever stands under its name a moment later.
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretsError::Open { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// Makes a file of one random key. It appears whole or not at all, and never over one that is there.
fn make(folder: &Path, path: &Path, purpose: &str) -> Result<(), SecretsError> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    SysRng
        .try_fill_bytes(key.as_mut_slice())
        .map_err(|error| SecretsError::Randomness { path: path.to_owned(), reason: error.to_string() })?;
    let digits = Zeroizing::new(hex::encode(key.as_slice()));
    let text = Zeroizing::new(format!(
        "# {purpose}\n# A key a line, the current one first: an id from 1 to 255 and 64 hexadecimal digits.\n\
         # To rotate it, put a line with a new id before this one; take this one out when nothing needs it any more.\n\
         1 {}\n",
        *digits
    ));
    let failed = |source| SecretsError::Io { path: path.to_owned(), done: "made", source };
    let draft = folder.join(format!(".{}", uuid::Uuid::new_v4().simple()));
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let linked = written.and_then(|()| match fs::hard_link(&draft, path) {
        // Another process was first: its key holds.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(&draft);
    linked.map_err(failed)?;
    removed.map_err(failed)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn secrets_are_made_once_and_stay() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("deep/secrets");
        let first = Secrets::open(&place).unwrap();
        let again = Secrets::open(&place).unwrap();
        assert_eq!(first.master, again.master);
        assert_eq!(first.service.expose(), again.service.expose());
        assert_ne!(first.master, first.signing, "each purpose has a key of its own");
        let names: Vec<_> = fs::read_dir(&place).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names.len(), 5, "no draft is left: {names:?}");
        for name in names {
            assert_eq!(fs::metadata(place.join(&name)).unwrap().mode() & 0o777, 0o600, "{name:?}");
        }
    }

    #[test]
    fn processes_that_start_at_once_end_with_the_same_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let rings: Vec<KeyRing> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| Secrets::open(folder.path()).unwrap().master)).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(rings.iter().all(|ring| *ring == rings[0]));
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        Secrets::open(folder.path()).unwrap();
        let path = folder.path().join("master.key");
        for mode in [0o640, 0o604] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let message = Secrets::open(folder.path()).unwrap_err().to_string();
            assert!(message.contains("chmod 600") && message.contains("master.key"), "{message}");
        }
    }

    #[test]
    fn a_damaged_secret_is_refused_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        Secrets::open(folder.path()).unwrap();
        let path = folder.path().join("master.key");
        fs::write(&path, "").unwrap();
        let message = Secrets::open(folder.path()).unwrap_err().to_string();
        assert!(message.contains("master.key") && message.contains("no key"), "{message}");
        assert_eq!(fs::read(&path).unwrap(), b"");
    }
}
