//! Mails by SMTP.

use std::time::Duration;

use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use openidconnect::url::Url;

use super::{Mail, MailError, Post, sender};

const TIMEOUT: Duration = Duration::from_secs(20);

/// Hands mails to a mail server.
#[derive(Debug, Clone)]
pub struct SmtpPost {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Mailbox,
}

impl SmtpPost {
    /// To the server at `address` (`smtps://user:password@host:port`, or `smtp://…?tls=required`), from `from`.
    ///
    /// Without TLS only a server on this machine is taken: mails hold links that sign people in.
    pub fn new(address: &str, from: &str) -> Result<Self, MailError> {
        let refused = |reason: &str| MailError::Config {
            what: "accounts.mail.smtp",
            // Its password is in no message.
            value: address.rsplit('@').next().unwrap_or_default().to_owned(),
            reason: reason.to_owned(),
        };
        let url = Url::parse(address).map_err(|error| refused(&error.to_string()))?;
        let required = url.query_pairs().any(|(key, value)| key == "tls" && value == "required");
        let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() != "smtps" && !required && !here {
            return Err(refused("use smtps://, or smtp:// with ?tls=required"));
        }
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(address).map_err(|e| refused(&e.to_string()))?;
        Ok(Self { transport: builder.timeout(Some(TIMEOUT)).build(), sender: sender(from)? })
    }
}

#[async_trait]
impl Post for SmtpPost {
    #[tracing::instrument(level = "info", name = "mail.smtp", skip_all)]
    async fn carry(&self, mail: &Mail) -> Result<(), MailError> {
        let message = mail.message(&self.sender)?;
        self.transport.send(message).await.map(|_| ()).map_err(|error| judged(&error))
    }
}

/// Whether a server's refusal is of this mail, or of anything at the moment.
fn judged(error: &Error) -> MailError {
    // 550 to 554 are about the mailbox and the mail; other refusals (530 and 535: sign in first) are the operator's.
    let code = error.status().map(u16::from);
    if error.is_permanent() && code.is_some_and(|code| (550..=554).contains(&code)) {
        return MailError::Refused(error.to_string());
    }
    MailError::Later(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_far_away_is_spoken_to_by_tls_only() {
        for good in ["smtps://ada:pw@mail.example.org", "smtp://mail.example.org?tls=required", "smtp://127.0.0.1:2525"]
        {
            assert!(SmtpPost::new(good, "films@example.org").is_ok(), "{good}");
        }
        for bad in ["smtp://ada:pw@mail.example.org", "http://mail.example.org", "mail.example.org", ""] {
            let refused = SmtpPost::new(bad, "films@example.org").unwrap_err().to_string();
            assert!(refused.contains("accounts.mail.smtp") && !refused.contains("pw"), "{refused}");
        }
    }
}
