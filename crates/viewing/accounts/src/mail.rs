//! Mails: what one is, and the port to whoever carries them.

mod folder;
mod smtp;
pub(crate) mod texts;

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use lettre::Message;
use lettre::message::{Mailbox, MultiPart};
use matinee_model::ids::AccountId;

pub use self::folder::FolderPost;
pub use self::smtp::SmtpPost;
use crate::email::Email;

/// Why a mail was not carried.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It will never be: the address is refused, or the mail is none.
    #[error("the mail is refused: {0}")]
    Refused(String),
    /// It may be later.
    #[error("the mail can't be handed over at the moment: {0}")]
    Later(String),
    /// The sender or the server that is configured is none.
    #[error("{what} {value:?} is refused: {reason}")]
    Config {
        /// What of it.
        what: &'static str,
        /// Without its password.
        value: String,
        /// What is wrong.
        reason: String,
    },
}

/// A mail, as plain text and as HTML.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Which: also its Message-ID, by which one that was handed over twice is one.
    pub id: String,
    /// Whose account it is about.
    pub account: AccountId,
    /// Where it goes.
    pub to: Email,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
    /// When it was written, in microseconds since 1970.
    pub written_us: i64,
    /// After this it is of no use, in microseconds since 1970.
    pub until_us: i64,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not its text: it may hold a link that signs somebody in.
        f.debug_struct("Mail").field("id", &self.id).field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl Mail {
    /// As it goes over the wire (RFC 5322), from `sender`.
    pub(crate) fn message(&self, sender: &Mailbox) -> Result<Message, MailError> {
        let to: lettre::Address = self.to.as_str().parse().map_err(refused)?;
        let written = Duration::from_micros(u64::try_from(self.written_us).unwrap_or(0));
        Message::builder()
            .from(sender.clone())
            .to(Mailbox::new(None, to))
            .subject(self.subject.clone())
            .date(SystemTime::UNIX_EPOCH + written)
            .message_id(Some(format!("<{}@{}>", self.id, sender.email.domain())))
            .multipart(MultiPart::alternative_plain_html(self.text.clone(), self.html.clone()))
            .map_err(refused)
    }
}

fn refused(error: impl std::fmt::Display) -> MailError {
    MailError::Refused(error.to_string())
}

/// The sender of all mails.
pub(crate) fn sender(from: &str) -> Result<Mailbox, MailError> {
    from.parse().map_err(|error: lettre::address::AddressError| MailError::Config {
        what: "accounts.mail.from",
        value: from.to_owned(),
        reason: error.to_string(),
    })
}

/// Carries mails. One that it took may be handed to it again.
#[async_trait]
pub trait Post: Send + Sync + std::fmt::Debug {
    /// Takes `mail`: when this returns, it is in other hands for good.
    async fn carry(&self, mail: &Mail) -> Result<(), MailError>;
}
