//! Confirming an address, and passwords that are forgotten or changed.

use matinee_contracts::accounts::{AccountRequest, ChangePasswordRequest, Done, ResetPasswordRequest};
use matinee_model::ids::AccountId;

use crate::account::Account;
use crate::attempts::Admission;
use crate::email::Email;
use crate::entropy::fresh_id;
use crate::error::AccountsError;
use crate::fields;
use crate::mail::Mail;
use crate::mail::texts::Letter;
use crate::password::{Password, Verdict};
use crate::secret::Secret;
use crate::service::Desk;
use crate::store::{Ticket, TicketKind};

const SECOND_US: i64 = 1_000_000;
/// How long a link that confirms an address is good.
const VERIFY_US: i64 = 7 * 24 * 3600 * SECOND_US;
/// How long a link that chooses a password is good.
const RESET_US: i64 = 3600 * SECOND_US;
/// How long it is tried to tell that a password was changed.
const NOTICE_US: i64 = 3 * 24 * 3600 * SECOND_US;
/// Between two mails of one kind to one address.
const SPACING_US: i64 = 60 * SECOND_US;

impl Desk {
    /// Confirms an address by the link that was sent to it.
    pub(crate) async fn verify_email(&self, token: &str) -> Result<Done, AccountsError> {
        let secret = Secret::parse(token).ok_or(AccountsError::UnknownLink)?;
        self.store.verify(&secret.hash(), self.clock.now_us()).await?;
        Ok(Done {})
    }

    /// Sends that link again, unless it did so a moment ago or is confirmed.
    pub(crate) async fn resend_verification(&self, request: &AccountRequest) -> Result<Done, AccountsError> {
        let id = fields::account_id("account", &request.account)?;
        let account = self.store.account(&id).await?;
        if account.verified_us.is_none() {
            let (ticket, mail) = self.verification(&account)?;
            self.store.issue(&id, &ticket, &mail, SPACING_US).await?;
            self.mails.notify_one();
        }
        Ok(Done {})
    }

    /// The ticket and the mail that confirm the address of `account`.
    pub(crate) fn verification(&self, account: &Account) -> Result<(Ticket, Mail), AccountsError> {
        let (secret, ticket) = self.new_ticket(TicketKind::Verify, VERIFY_US)?;
        let link = format!("{}/verify?token={}", self.config.public_address, secret.text());
        Ok((ticket, self.letter(account, VERIFY_US)?.verify(&link)))
    }

    /// Takes a request for a new password; whether the address is known is seen by whoever delivers mails.
    pub(crate) async fn request_password_reset(&self, email: &str) -> Result<Done, AccountsError> {
        let email = Email::parse(email)?;
        let now_us = self.clock.now_us();
        if self.resets.admits(now_us) == Admission::Later {
            return Err(AccountsError::Busy("requests for a new password"));
        }
        self.store.ask_reset(email.key(), now_us).await?;
        self.mails.notify_one();
        Ok(Done {})
    }

    /// Queues the mail that was asked for, where the address of this key has an account.
    pub(crate) async fn answer_reset(&self, key: &str) -> Result<(), AccountsError> {
        if let Some(found) = self.store.credentials_by_email(key).await? {
            let account = &found.account;
            let (secret, ticket) = self.new_ticket(TicketKind::Reset, RESET_US)?;
            let link = format!("{}/reset-password?token={}", self.config.public_address, secret.text());
            let mail = self.letter(account, RESET_US)?.reset(&link);
            match self.store.issue(&account.id, &ticket, &mail, SPACING_US).await {
                // It was deleted a moment ago.
                Err(AccountsError::UnknownAccount(_)) => {}
                other => other?,
            }
        }
        self.store.answered_reset(key).await
    }

    /// Chooses a new password by the link that was sent; every device is signed out.
    pub(crate) async fn reset_password(&self, request: &ResetPasswordRequest) -> Result<Done, AccountsError> {
        let hash = Secret::parse(&request.token).ok_or(AccountsError::UnknownLink)?.hash();
        let holder = self.store.ticket(&hash, TicketKind::Reset, self.clock.now_us()).await?;
        let account = self.store.account(&holder.ok_or(AccountsError::UnknownLink)?).await?;
        let password = Password::chosen("password", &request.password, &account.email)?;
        let password = self.passwords.hash(password, self.entropy.as_ref()).await?;
        let mail = self.letter(&account, NOTICE_US)?.password_changed();
        self.store.reset(&hash, &password, &mail, self.clock.now_us()).await?;
        self.attempts.succeeded(account.email.key());
        self.mails.notify_one();
        Ok(Done {})
    }

    /// Another password, by who knows the present one; every other device is signed out.
    pub(crate) async fn change_password(&self, request: &ChangePasswordRequest) -> Result<Done, AccountsError> {
        let id = fields::account_id("account", &request.account)?;
        let device = fields::device_id("device", &request.device)?;
        let current = Password::given("current", &request.current)?;
        let account = self.store.account(&id).await?;
        let password = Password::chosen("password", &request.password, &account.email)?;
        self.check_password(&id, "current", current).await?;
        let hash = self.passwords.hash(password, self.entropy.as_ref()).await?;
        let mail = self.letter(&account, NOTICE_US)?.password_changed();
        self.store.set_password(&id, &hash, Some(&device), &mail).await?;
        self.mails.notify_one();
        Ok(Done {})
    }

    /// Whether `password`, given in `field`, is that of an account that is signed in; slowed down as a sign-in is.
    pub(crate) async fn check_password(
        &self,
        id: &AccountId,
        field: &'static str,
        password: Password,
    ) -> Result<(), AccountsError> {
        let found = self.store.credentials(id).await?;
        let kept = found.password.ok_or(AccountsError::NoPassword)?;
        let key = found.account.email.key();
        self.attempts.begin(key, self.clock.now_us()).map_err(AccountsError::TooManyAttempts)?;
        if self.passwords.verify(password, Some(kept)).await? == Verdict::Wrong {
            return Err(AccountsError::field(field, "it is not the password of this account"));
        }
        self.attempts.succeeded(key);
        Ok(())
    }

    fn new_ticket(&self, kind: TicketKind, lasts_us: i64) -> Result<(Secret, Ticket), AccountsError> {
        let secret = Secret::fresh(self.entropy.as_ref())?;
        let made_us = self.clock.now_us();
        let ticket = Ticket { hash: secret.hash(), kind, made_us, expires_us: made_us.saturating_add(lasts_us) };
        Ok((secret, ticket))
    }

    fn letter<'a>(&'a self, account: &'a Account, lasts_us: i64) -> Result<Letter<'a>, AccountsError> {
        let now_us = self.clock.now_us();
        Ok(Letter {
            id: fresh_id(self.clock.as_ref(), self.entropy.as_ref())?,
            account: &account.id,
            to: &account.email,
            service: &self.config.name,
            now_us,
            until_us: now_us.saturating_add(lasts_us),
        })
    }
}
