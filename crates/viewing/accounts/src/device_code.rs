//! Signing in by a code: a device without a keyboard shows one, and a viewer types it where they are signed in.
//!
//! Source: RFC 8628. The code the device polls with has 256 random bits; the one the viewer types has 34, lives for a
//! quarter of an hour, and wrong ones are slowed down by account.

use matinee_contracts::accounts::device_code_reply::State;
use matinee_contracts::accounts::{
    ApproveDeviceCodeRequest, DeviceCode, DeviceCodeReply, DeviceCodeRequest, Done, SignedIn,
};

use crate::attempts::Admission;
use crate::error::AccountsError;
use crate::fields;
use crate::secret::Secret;
use crate::service::Desk;
use crate::store::{CodeStart, Decision, NewCode, Polled};
use crate::user_code::UserCode;

const SECOND_US: i64 = 1_000_000;
/// How long a code waits for its viewer, in seconds.
const EXPIRES_SECONDS: u32 = 15 * 60;
/// The least time between two polls, in seconds.
const INTERVAL_SECONDS: u32 = 5;
/// Codes that are tried where another device shows the same: one in 10⁵ at 10⁵ devices that wait.
const TRIES: usize = 5;

impl Desk {
    /// Gives a device its two codes.
    pub(crate) async fn start_device_code(&self, request: &DeviceCodeRequest) -> Result<DeviceCode, AccountsError> {
        let kind = if request.device_kind.is_empty() { "tv" } else { &request.device_kind };
        let kind = fields::device_kind(kind)?;
        let name = fields::device_name(&request.device_name, kind)?;
        let now_us = self.clock.now_us();
        if self.codes.admits(now_us) == Admission::Later {
            return Err(AccountsError::Busy("devices that sign in by code"));
        }
        let secret = Secret::fresh(self.entropy.as_ref())?;
        for _ in 0..TRIES {
            let user_code = UserCode::fresh(self.entropy.as_ref())?;
            let code = NewCode {
                device_hash: secret.hash(),
                user_code: user_code.letters().to_owned(),
                name: name.clone(),
                kind: kind.to_owned(),
                expires_us: now_us.saturating_add(i64::from(EXPIRES_SECONDS) * SECOND_US),
                interval_us: i64::from(INTERVAL_SECONDS) * SECOND_US,
            };
            if self.store.start_code(&code).await? == CodeStart::Started {
                return Ok(DeviceCode {
                    device_code: secret.text(),
                    user_code: user_code.shown(),
                    expires_in_seconds: EXPIRES_SECONDS,
                    interval_seconds: INTERVAL_SECONDS,
                });
            }
        }
        Err(AccountsError::Busy("devices that sign in by code"))
    }

    /// A viewer says that the device which shows a code is theirs, or that it is not.
    pub(crate) async fn approve_device_code(&self, request: &ApproveDeviceCodeRequest) -> Result<Done, AccountsError> {
        let account = fields::account_id("account", &request.account)?;
        let given = !request.profile.is_empty();
        let profile = given.then(|| fields::profile_id("profile", &request.profile)).transpose()?;
        let now_us = self.clock.now_us();
        self.guesses.begin(account.as_str(), now_us).map_err(AccountsError::TooManyAttempts)?;
        let code = UserCode::parse(&request.user_code)?;
        let decision =
            if request.deny { Decision::Deny } else { Decision::Approve { account: account.clone(), profile } };
        self.store.decide_code(code.letters(), &decision, now_us).await?;
        self.guesses.succeeded(account.as_str());
        Ok(Done {})
    }

    /// A device asks what became of its code; when it was approved, the answer signs it in, once.
    pub(crate) async fn poll_device_code(&self, device_code: &str) -> Result<DeviceCodeReply, AccountsError> {
        let Some(secret) = Secret::parse(device_code) else { return Ok(reply(State::Expired, None)) };
        let (device, token) = self.new_device(String::new(), "tv", None)?;
        let now_us = self.clock.now_us();
        let polled = self.store.poll_code(&secret.hash(), &device, self.config.devices, now_us).await?;
        let (id, signed_in) = match polled {
            Polled::Pending => return Ok(reply(State::Pending, None)),
            Polled::SlowDown => return Ok(reply(State::SlowDown, None)),
            Polled::Denied => return Ok(reply(State::Denied, None)),
            Polled::Expired => return Ok(reply(State::Expired, None)),
            Polled::Approved(id, device) => (id, device),
        };
        let account = self.store.account(&id).await?;
        let profiles = self.store.profiles(&id).await?;
        let signed_in = self.signed_in(account, profiles, signed_in, &token, device.keys.expires_us)?;
        Ok(reply(State::Approved, Some(signed_in)))
    }
}

fn reply(state: State, signed_in: Option<SignedIn>) -> DeviceCodeReply {
    DeviceCodeReply { state: state.into(), signed_in }
}
