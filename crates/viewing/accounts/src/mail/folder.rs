//! Mails as files: for an installation without a mail server, and for whoever wants to read what would be sent.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use lettre::message::Mailbox;

use super::{Mail, MailError, Post, sender};

/// The oldest files go when there are more.
const MOST_KEPT: usize = 1_000;

/// Puts each mail into a folder, as one `.eml` that appears whole. Their names rise with time.
#[derive(Debug, Clone)]
pub struct FolderPost {
    folder: PathBuf,
    sender: Mailbox,
}

impl FolderPost {
    /// Into `folder`, made where there is none and readable by its owner only, from `from`.
    pub fn open(folder: &Path, from: &str) -> Result<Self, MailError> {
        use std::os::unix::fs::DirBuilderExt;
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| MailError::Config {
            what: "the folder of mails",
            value: folder.display().to_string(),
            reason: error.to_string(),
        })?;
        Ok(Self { folder: folder.to_owned(), sender: sender(from)? })
    }
}

#[async_trait]
impl Post for FolderPost {
    #[tracing::instrument(level = "info", name = "mail.folder", skip_all)]
    async fn carry(&self, mail: &Mail) -> Result<(), MailError> {
        let bytes = mail.message(&self.sender)?.formatted();
        // The same mail has the same name: handed over twice, it is one file.
        let name = format!("{:016}-{}.eml", mail.written_us, mail.id);
        let folder = self.folder.clone();
        let write = move || put(&folder, &name, &bytes);
        let written = tokio::task::spawn_blocking(write).await.map_err(|error| MailError::Later(error.to_string()))?;
        written.map_err(|error| MailError::Later(format!("{}: {error}", self.folder.display())))
    }
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let draft = folder.join(format!(".{name}"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(name))?;
    File::open(folder)?.sync_all()?;
    let mut names = fs::read_dir(folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') && name.ends_with(".eml"))
        .collect::<Vec<_>>();
    if names.len() > MOST_KEPT {
        names.sort_unstable();
        for old in &names[..names.len() - MOST_KEPT] {
            fs::remove_file(folder.join(old))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use matinee_model::ids::AccountId;

    use super::*;
    use crate::email::Email;

    fn mail(written_us: i64) -> Mail {
        Mail {
            id: "m1".to_owned(),
            account: AccountId::parse("a1").unwrap(),
            to: Email::parse("ada@example.org").unwrap(),
            subject: "Zwölf Filme".to_owned(),
            text: "Watch them.\n".to_owned(),
            html: "<p>Watch them.</p>".to_owned(),
            written_us,
            until_us: i64::MAX,
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_mail_that_is_handed_over_twice_is_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let post = FolderPost::open(&folder.path().join("mails"), "Matinee <films@example.org>").unwrap();
        post.carry(&mail(1)).await.unwrap();
        post.carry(&mail(1)).await.unwrap();
        let names = names(&folder.path().join("mails"));
        assert_eq!(names, ["0000000000000001-m1.eml"]);
        let text = fs::read_to_string(folder.path().join("mails").join(&names[0])).unwrap();
        for part in ["From: Matinee <films@example.org>", "To: ada@example.org", "<m1@example.org>", "text/html"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[tokio::test]
    async fn the_oldest_mails_make_room() {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..MOST_KEPT {
            fs::write(folder.path().join(format!("{i:016}-x.eml")), "").unwrap();
        }
        let post = FolderPost::open(folder.path(), "films@example.org").unwrap();
        post.carry(&mail(5_000)).await.unwrap();
        let names = names(folder.path());
        assert_eq!(names.len(), MOST_KEPT);
        assert_eq!(names[0], "0000000000000001-x.eml");
    }

    #[test]
    fn a_sender_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = FolderPost::open(folder.path(), "nobody").unwrap_err().to_string();
        assert!(refused.contains("accounts.mail.from"), "{refused}");
    }
}
