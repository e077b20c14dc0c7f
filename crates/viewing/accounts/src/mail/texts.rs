//! What mails say.

use matinee_model::ids::AccountId;

use super::Mail;
use crate::email::Email;

/// What stands in every mail.
#[derive(Debug, Clone)]
pub(crate) struct Letter<'a> {
    pub id: String,
    pub account: &'a AccountId,
    pub to: &'a Email,
    /// What the service calls itself.
    pub service: &'a str,
    pub now_us: i64,
    /// After this it is of no use.
    pub until_us: i64,
}

impl Letter<'_> {
    /// Asks to confirm the address by `link`.
    pub(crate) fn verify(self, link: &str) -> Mail {
        let (subject, service) = (format!("Confirm your e-mail address for {}", self.service), self.service.to_owned());
        let before = format!("Welcome to {service}. Please confirm that this is your e-mail address:");
        self.written(subject, &before, Some((link, "Confirm the address")), "If you did not sign up, ignore this mail.")
    }

    /// Lets its reader choose a new password by `link`.
    pub(crate) fn reset(self, link: &str) -> Mail {
        let (subject, service) = (format!("A new password for {}", self.service), self.service.to_owned());
        let before =
            format!("Somebody asked for a new password for your account at {service}. Choose it here, within an hour:");
        let after =
            "Afterwards every device has to sign in again. If it was not you, ignore this mail: nothing changes.";
        self.written(subject, &before, Some((link, "Choose a new password")), after)
    }

    /// Says that the password is another one now.
    pub(crate) fn password_changed(self) -> Mail {
        let (subject, service) = (format!("Your password for {} was changed", self.service), self.service.to_owned());
        let before = format!("The password of your account at {service} was changed, and devices were signed out.");
        self.written(subject, &before, None, "If it was not you, ask for a new password on the sign-in page at once.")
    }

    fn written(self, subject: String, before: &str, link: Option<(&str, &str)>, after: &str) -> Mail {
        let service = self.service;
        let (mut text, mut html) = (format!("{before}\n\n"), format!("<p>{}</p>\n", escaped(before)));
        if let Some((address, label)) = link {
            text.push_str(&format!("{address}\n\n"));
            html.push_str(&format!("<p><a href=\"{}\">{}</a></p>\n", escaped(address), escaped(label)));
        }
        text.push_str(&format!("{after}\n\n{service}\n"));
        html.push_str(&format!("<p>{}</p>\n<p>{}</p>\n", escaped(after), escaped(service)));
        let html = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title></head>\n<body>\n{html}</body></html>\n",
            escaped(&subject)
        );
        Mail {
            id: self.id,
            account: self.account.clone(),
            to: self.to.clone(),
            subject,
            text,
            html,
            written_us: self.now_us,
            until_us: self.until_us,
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_not_write_html() {
        let (account, to) = (AccountId::parse("a1").unwrap(), Email::parse("ada@example.org").unwrap());
        let letter = Letter { id: "m".into(), account: &account, to: &to, service: "<b>&", now_us: 0, until_us: 1 };
        let mail = letter.verify("https://x.example/verify?token=1&a=\"2");
        assert!(mail.text.contains("https://x.example/verify?token=1&a=\"2\n"));
        assert!(mail.html.contains("href=\"https://x.example/verify?token=1&amp;a=&quot;2\""));
        assert!(!mail.html.contains("<b>"));
    }
}
