//! Signing up and signing in by a password.
//!
//! An unknown address and a wrong password are answered alike, in the same time. What is asked of one address too often is
//! slowed down, known or not.

use matinee_contracts::accounts::{SignInRequest, SignUpRequest, SignedIn};
use matinee_model::ids::{AccountId, ProfileId};
use matinee_model::territory::Territory;

use crate::account::{Account, HasPassword, Profile};
use crate::email::Email;
use crate::entropy::fresh_id;
use crate::error::AccountsError;
use crate::fields;
use crate::password::{Password, Verdict};
use crate::service::Desk;
use crate::store::NewAccount;

/// The language of an account that names none.
const LANGUAGE: &str = "en";

impl Desk {
    /// Makes an account, signed in on a first device.
    pub(crate) async fn sign_up(&self, request: SignUpRequest) -> Result<SignedIn, AccountsError> {
        let email = Email::parse(&request.email)?;
        let password = Password::chosen("password", &request.password, &email)?;
        let name = fields::line("name", &request.name, fields::MOST_NAME)?;
        let territory = fields::territory(&request.territory)?;
        let language = if request.language.is_empty() { LANGUAGE } else { &request.language };
        let language = fields::language("language", language)?;
        let kind = fields::device_kind(&request.device_kind)?;
        let device_name = fields::device_name(&request.device_name, kind)?;

        let hash = self.passwords.hash(password, self.entropy.as_ref()).await?;
        let (account, profile) = self.new_account(email, territory, language, &name)?;
        let account = Account { password: HasPassword::Yes, ..account };
        let (device, token) = self.new_device(device_name, kind, Some(profile.id.clone()))?;
        let verification = Some(self.verification(&account)?);
        let new = NewAccount { account, password: Some(hash), profile, device, identity: None, verification };
        self.store.add(&new).await?;
        self.mails.notify_one();
        self.news.notify_one();
        self.signed_in(new.account, vec![new.profile], new.device.device, &token, new.device.keys.expires_us)
    }

    /// Signs a device in by a password.
    pub(crate) async fn sign_in(&self, request: SignInRequest) -> Result<SignedIn, AccountsError> {
        let email = Email::parse(&request.email)?;
        let password = Password::given("password", &request.password)?;
        let kind = fields::device_kind(&request.device_kind)?;
        let device_name = fields::device_name(&request.device_name, kind)?;

        self.attempts.begin(email.key(), self.clock.now_us()).map_err(AccountsError::TooManyAttempts)?;
        let found = self.store.credentials_by_email(email.key()).await?;
        let kept = found.as_ref().and_then(|found| found.password.clone());
        let verdict = self.passwords.verify(password.clone(), kept.clone()).await?;
        let (Verdict::Right, Some(found), Some(kept)) = (verdict, found, kept) else {
            return Err(AccountsError::SignInRefused);
        };
        self.attempts.succeeded(email.key());
        if self.passwords.is_stale(&kept) {
            let hash = self.passwords.hash(password, self.entropy.as_ref()).await?;
            self.store.rehash(&found.account.id, &kept, &hash).await?;
        }
        self.start_session(found.account, device_name, kind).await
    }

    /// Signs a device of `account` in, as the only profile where there is one.
    pub(crate) async fn start_session(
        &self,
        account: Account,
        device_name: String,
        kind: &str,
    ) -> Result<SignedIn, AccountsError> {
        let profiles = self.store.profiles(&account.id).await?;
        let only = if let [only] = &profiles[..] { Some(only.id.clone()) } else { None };
        let (device, token) = self.new_device(device_name, kind, only)?;
        self.store.sign_in(&account.id, &device, self.config.devices).await?;
        self.signed_in(account, profiles, device.device, &token, device.keys.expires_us)
    }

    /// An account with its first profile, named as the address where `name` is empty.
    pub(crate) fn new_account(
        &self,
        email: Email,
        territory: Territory,
        language: String,
        name: &str,
    ) -> Result<(Account, Profile), AccountsError> {
        let id = fresh_id(self.clock.as_ref(), self.entropy.as_ref())?;
        let profile_id = fresh_id(self.clock.as_ref(), self.entropy.as_ref())?;
        let own: String = email.local().chars().take_while(|c| *c != '+').take(fields::MOST_NAME).collect();
        let name = match (name.is_empty(), own.is_empty()) {
            (false, _) => name.to_owned(),
            (true, false) => own,
            (true, true) => "Viewer".to_owned(),
        };
        let profile_id = ProfileId::parse(&profile_id).expect("32 hexadecimal digits are an id");
        let profile = Profile::first(profile_id, name, language.clone());
        let account = Account {
            id: AccountId::parse(&id).expect("32 hexadecimal digits are an id"),
            email,
            verified_us: None,
            territory,
            language,
            roles: Vec::new(),
            password: HasPassword::No,
            created_us: self.clock.now_us(),
            revision: 1,
        };
        Ok((account, profile))
    }
}
