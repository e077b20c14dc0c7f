//! Devices that are signed in: their tokens, their profiles, and how they are signed out.
//!
//! Signing out ends the refresh token at once; the access token holds until it expires, minutes later.

use matinee_contracts::accounts::{
    AccountRequest, ChooseProfileRequest, DeviceRequest, Done, ListDevicesReply, SignedIn,
};
use matinee_model::ids::{DeviceId, ProfileId};
use matinee_service::access::AccessClaims;

use crate::account::{Account, Device, Profile, Role};
use crate::entropy::fresh_id;
use crate::error::AccountsError;
use crate::fields;
use crate::refresh::RefreshToken;
use crate::secret::Secret;
use crate::service::Desk;
use crate::store::{NewDevice, RefreshKeys, Turn, Turned};

const SECOND_US: i64 = 1_000_000;
const DAY_US: i64 = 24 * 3600 * SECOND_US;

impl Desk {
    /// Renews a device's tokens.
    pub(crate) async fn refresh(&self, text: &str) -> Result<SignedIn, AccountsError> {
        let token = RefreshToken::parse(text).ok_or(AccountsError::RefreshUnknown)?;
        let salt = Secret::fresh(self.entropy.as_ref())?.text();
        let next = token.successor(&salt);
        let turn = Turn {
            family: token.family_hash(),
            turn: token.turn_hash(),
            next: next.turn_hash(),
            salt,
            now_us: self.clock.now_us(),
            grace_us: i64::from(self.config.refresh_grace_seconds) * SECOND_US,
            expires_us: self.refresh_expires_us(),
        };
        let (account, device, next, expires_us) = match self.store.turn(&turn).await? {
            Turned::Next(account, device) => (account, device, next, turn.expires_us),
            Turned::Again(account, device, salt, expires_us) => (account, device, token.successor(&salt), expires_us),
            Turned::Expired => return Err(AccountsError::RefreshExpired),
            Turned::Reused => return Err(AccountsError::RefreshReused),
            Turned::Replaced => return Err(AccountsError::RefreshReplaced),
            Turned::Unknown => return Err(AccountsError::RefreshUnknown),
        };
        let account = match self.store.account(&account).await {
            // It was deleted a moment ago.
            Err(AccountsError::UnknownAccount(_)) => return Err(AccountsError::RefreshUnknown),
            account => account?,
        };
        let profiles = self.store.profiles(&account.id).await?;
        self.signed_in(account, profiles, device, &next, expires_us)
    }

    /// Another profile watches on a device.
    pub(crate) async fn choose_profile(&self, request: &ChooseProfileRequest) -> Result<SignedIn, AccountsError> {
        let account = fields::account_id("account", &request.account)?;
        let device = fields::device_id("device", &request.device)?;
        let profile = fields::profile_id("profile", &request.profile)?;
        let (token, keys) = self.new_token()?;
        let device = self.store.choose(&account, &device, &profile, &keys, self.clock.now_us()).await?;
        let account = self.store.account(&account).await?;
        let profiles = self.store.profiles(&account.id).await?;
        self.signed_in(account, profiles, device, &token, keys.expires_us)
    }

    /// Signs the device of a refresh token out. A token that is none of ours changes nothing.
    pub(crate) async fn sign_out(&self, text: &str) -> Result<Done, AccountsError> {
        if let Some(token) = RefreshToken::parse(text) {
            self.store.sign_out_family(&token.family_hash()).await?;
        }
        Ok(Done {})
    }

    /// The devices of an account, the last seen first.
    pub(crate) async fn list_devices(&self, request: &AccountRequest) -> Result<ListDevicesReply, AccountsError> {
        let account = fields::account_id("account", &request.account)?;
        self.store.account(&account).await?;
        let devices = self.store.devices(&account).await?;
        Ok(ListDevicesReply { devices: devices.into_iter().map(Into::into).collect() })
    }

    /// Signs a device out from another one.
    pub(crate) async fn sign_out_device(&self, request: &DeviceRequest) -> Result<Done, AccountsError> {
        let account = fields::account_id("account", &request.account)?;
        let device = fields::device_id("device", &request.device)?;
        self.store.sign_out(&account, &device).await?;
        Ok(Done {})
    }

    /// A device that signs in now, with its first refresh token.
    pub(crate) fn new_device(
        &self,
        name: String,
        kind: &str,
        profile: Option<ProfileId>,
    ) -> Result<(NewDevice, RefreshToken), AccountsError> {
        let id = fresh_id(self.clock.as_ref(), self.entropy.as_ref())?;
        let (token, keys) = self.new_token()?;
        let now_us = self.clock.now_us();
        let device = Device {
            id: DeviceId::parse(&id).expect("32 hexadecimal digits are an id"),
            name,
            kind: kind.to_owned(),
            signed_in_us: now_us,
            last_seen_us: now_us,
            profile,
        };
        Ok((NewDevice { device, keys }, token))
    }

    fn new_token(&self) -> Result<(RefreshToken, RefreshKeys), AccountsError> {
        let token = RefreshToken::fresh(self.entropy.as_ref())?;
        let (family, turn) = (token.family_hash(), token.turn_hash());
        Ok((token, RefreshKeys { family, turn, expires_us: self.refresh_expires_us() }))
    }

    fn refresh_expires_us(&self) -> i64 {
        self.clock.now_us().saturating_add(i64::from(self.config.refresh_days) * DAY_US)
    }

    /// What a device that is signed in holds.
    pub(crate) fn signed_in(
        &self,
        account: Account,
        profiles: Vec<Profile>,
        device: Device,
        refresh: &RefreshToken,
        refresh_expires_us: i64,
    ) -> Result<SignedIn, AccountsError> {
        let only = profiles.len() == 1;
        let profile = profiles.into_iter().find(|profile| only || device.profile.as_ref() == Some(&profile.id));
        let iat = self.clock.now_seconds();
        let exp = iat + u64::from(self.config.access_seconds);
        let access = self.access.issue(&AccessClaims {
            account: account.id.clone(),
            device: device.id.clone(),
            profile: profile.as_ref().map(|profile| profile.id.clone()),
            maturity_limit: profile.as_ref().map_or(0, |profile| profile.maturity_limit),
            languages: profile.as_ref().map_or_else(|| vec![account.language.clone()], Profile::languages),
            roles: account.roles.iter().map(Role::to_string).collect(),
            territory: account.territory.as_str().to_owned(),
            iat,
            exp,
        })?;
        Ok(SignedIn {
            account: Some(account.into()),
            access_token: access,
            access_expires_us: i64::try_from(exp).unwrap_or(i64::MAX).saturating_mul(SECOND_US),
            refresh_token: refresh.text(),
            refresh_expires_us,
            device: device.id.into(),
            profile: profile.map(Into::into),
        })
    }
}
