//! The gRPC contract, and what every call stands on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use matinee_contracts::accounts as contract;
use matinee_contracts::accounts::accounts_server::{Accounts, AccountsServer};
use matinee_contracts::accounts::{
    AccountRequest, ApproveDeviceCodeRequest, ChangePasswordRequest, ChooseProfileRequest, DeleteRequest, DeviceCode,
    DeviceCodeReply, DeviceCodeRequest, DeviceRequest, Done, ExportReply, FinishOpenIdRequest, ListAccountsReply,
    ListAccountsRequest, ListDevicesReply, ListProfilesReply, ListProvidersReply, ListProvidersRequest,
    PasswordResetRequest, PollDeviceCodeRequest, ProfileRequest, PutProfileRequest, RefreshRequest,
    ResetPasswordRequest, SetRolesRequest, SignInRequest, SignOutRequest, SignUpRequest, SignedIn, StartOpenIdReply,
    StartOpenIdRequest, UpdateAccountRequest, VerifyEmailRequest,
};
use matinee_engines::events::Events;
use matinee_service::access::AccessKeys;
use matinee_service::clock::{Clock, SystemClock};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::announce::announce;
use crate::attempts::{Attempts, Rate};
use crate::config::AccountsConfig;
use crate::deliver::deliver;
use crate::entropy::{Entropy, SystemEntropy};
use crate::error::AccountsError;
use crate::mail::{FolderPost, MailError, Post, SmtpPost};
use crate::openid_provider::OpenId;
use crate::password::Passwords;
use crate::store::{AccountStore, SqliteAccounts};

/// Between two sweeps of what has had its time.
const SWEEP: Duration = Duration::from_secs(60);
/// Rows of a kind in one sweep.
const MOST_SWEPT: u32 = 1_000;
/// What anybody may start, signed in or not, a second. With their expiry (at most 15 minutes) it bounds what is kept.
const STARTS_A_SECOND: u32 = 50;
const BURST_SECONDS: u32 = 10;

/// Who may sign in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AccountsService(Arc<Desk>);

/// What every call stands on.
#[derive(Debug)]
pub(crate) struct Desk {
    pub store: Arc<dyn AccountStore>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub access: AccessKeys,
    pub passwords: Passwords,
    pub openid: OpenId,
    pub config: AccountsConfig,
    /// Passwords, by address.
    pub attempts: Attempts,
    /// User codes, by account.
    pub guesses: Attempts,
    /// Of requests for a new password, of device codes, of sign-ins elsewhere.
    pub resets: Rate,
    pub codes: Rate,
    pub flows: Rate,
    /// A mail was queued in this process.
    pub mails: Notify,
    /// Something happened in this process that is to be announced.
    pub news: Notify,
}

impl AccountsService {
    /// Over the embedded store in the file at `path`.
    pub async fn open(path: &Path, access: AccessKeys, config: AccountsConfig) -> Result<Self, AccountsError> {
        let store = Arc::new(SqliteAccounts::open(path).await?);
        Self::new(store, access, config, Arc::new(SystemClock), Arc::new(SystemEntropy))
    }

    /// Over any store, by any clock and randomness. Takes as long as hashing one password.
    pub fn new(
        store: Arc<dyn AccountStore>,
        access: AccessKeys,
        config: AccountsConfig,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, AccountsError> {
        let rate = || Rate::new(STARTS_A_SECOND, BURST_SECONDS);
        let passwords = Passwords::new(&config.hashing, entropy.as_ref())?;
        let openid = OpenId::new(&config.providers)?;
        Ok(Self(Arc::new(Desk {
            store,
            clock,
            entropy,
            access,
            passwords,
            openid,
            config,
            attempts: Attempts::default(),
            guesses: Attempts::default(),
            resets: rate(),
            codes: rate(),
            flows: rate(),
            mails: Notify::new(),
            news: Notify::new(),
        })))
    }

    /// The contract, to be called or hosted.
    #[must_use]
    pub fn server(&self) -> AccountsServer<Self> {
        AccountsServer::new(self.clone())
    }

    /// Whoever carries mails by this configuration: a mail server, or files in `folder`.
    pub fn post(config: &AccountsConfig, folder: &Path) -> Result<Arc<dyn Post>, MailError> {
        if config.mail.smtp.is_empty() {
            return Ok(Arc::new(FolderPost::open(folder, &config.mail.from)?));
        }
        Ok(Arc::new(SmtpPost::new(&config.mail.smtp, &config.mail.from)?))
    }

    /// Hands mails to `post`, until `shutdown`. One process of an installation does so.
    pub async fn deliver(&self, post: Arc<dyn Post>, shutdown: CancellationToken) {
        deliver(&self.0, post.as_ref(), shutdown).await;
    }

    /// Announces what happened to `log`, until `shutdown`. One process of an installation does so.
    pub async fn announce(&self, log: Events, shutdown: CancellationToken) {
        announce(Arc::clone(&self.0.store), log, &self.0.news, shutdown).await;
    }

    /// Forgets what has had its time, until `shutdown`. Any number of processes may do so.
    pub async fn maintain(&self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            match self.sweep().await {
                // There may be more.
                Ok(swept) if swept >= u64::from(MOST_SWEPT) => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "what has had its time can't be forgotten; it is tried again"),
            }
            tokio::select! {
                () = tokio::time::sleep(SWEEP) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// Forgets a batch of what has had its time; how many that were.
    pub async fn sweep(&self) -> Result<u64, AccountsError> {
        self.0.store.sweep(self.0.clock.now_us(), MOST_SWEPT).await
    }
}

type Answer<T> = Result<Response<T>, Status>;

fn answer<T>(result: Result<T, AccountsError>) -> Answer<T> {
    Ok(Response::new(result?))
}

#[tonic::async_trait]
impl Accounts for AccountsService {
    async fn sign_up(&self, request: Request<SignUpRequest>) -> Answer<SignedIn> {
        answer(self.0.sign_up(request.into_inner()).await)
    }

    async fn sign_in(&self, request: Request<SignInRequest>) -> Answer<SignedIn> {
        answer(self.0.sign_in(request.into_inner()).await)
    }

    async fn refresh(&self, request: Request<RefreshRequest>) -> Answer<SignedIn> {
        answer(self.0.refresh(&request.get_ref().refresh_token).await)
    }

    async fn choose_profile(&self, request: Request<ChooseProfileRequest>) -> Answer<SignedIn> {
        answer(self.0.choose_profile(request.get_ref()).await)
    }

    async fn sign_out(&self, request: Request<SignOutRequest>) -> Answer<Done> {
        answer(self.0.sign_out(&request.get_ref().refresh_token).await)
    }

    async fn verify_email(&self, request: Request<VerifyEmailRequest>) -> Answer<Done> {
        answer(self.0.verify_email(&request.get_ref().token).await)
    }

    async fn resend_verification(&self, request: Request<AccountRequest>) -> Answer<Done> {
        answer(self.0.resend_verification(request.get_ref()).await)
    }

    async fn request_password_reset(&self, request: Request<PasswordResetRequest>) -> Answer<Done> {
        answer(self.0.request_password_reset(&request.get_ref().email).await)
    }

    async fn reset_password(&self, request: Request<ResetPasswordRequest>) -> Answer<Done> {
        answer(self.0.reset_password(request.get_ref()).await)
    }

    async fn change_password(&self, request: Request<ChangePasswordRequest>) -> Answer<Done> {
        answer(self.0.change_password(request.get_ref()).await)
    }

    async fn get_account(&self, request: Request<AccountRequest>) -> Answer<contract::Account> {
        answer(self.0.get_account(request.get_ref()).await)
    }

    async fn update_account(&self, request: Request<UpdateAccountRequest>) -> Answer<contract::Account> {
        answer(self.0.update_account(request.get_ref()).await)
    }

    async fn list_accounts(&self, request: Request<ListAccountsRequest>) -> Answer<ListAccountsReply> {
        answer(self.0.list_accounts(request.get_ref()).await)
    }

    async fn set_roles(&self, request: Request<SetRolesRequest>) -> Answer<contract::Account> {
        answer(self.0.set_roles(request.get_ref()).await)
    }

    async fn list_profiles(&self, request: Request<AccountRequest>) -> Answer<ListProfilesReply> {
        answer(self.0.list_profiles(request.get_ref()).await)
    }

    async fn put_profile(&self, request: Request<PutProfileRequest>) -> Answer<contract::Profile> {
        answer(self.0.put_profile(request.into_inner()).await)
    }

    async fn delete_profile(&self, request: Request<ProfileRequest>) -> Answer<Done> {
        answer(self.0.delete_profile(request.get_ref()).await)
    }

    async fn list_devices(&self, request: Request<AccountRequest>) -> Answer<ListDevicesReply> {
        answer(self.0.list_devices(request.get_ref()).await)
    }

    async fn sign_out_device(&self, request: Request<DeviceRequest>) -> Answer<Done> {
        answer(self.0.sign_out_device(request.get_ref()).await)
    }

    async fn start_device_code(&self, request: Request<DeviceCodeRequest>) -> Answer<DeviceCode> {
        answer(self.0.start_device_code(request.get_ref()).await)
    }

    async fn approve_device_code(&self, request: Request<ApproveDeviceCodeRequest>) -> Answer<Done> {
        answer(self.0.approve_device_code(request.get_ref()).await)
    }

    async fn poll_device_code(&self, request: Request<PollDeviceCodeRequest>) -> Answer<DeviceCodeReply> {
        answer(self.0.poll_device_code(&request.get_ref().device_code).await)
    }

    async fn list_providers(&self, _: Request<ListProvidersRequest>) -> Answer<ListProvidersReply> {
        answer(Ok(self.0.list_providers()))
    }

    async fn start_open_id(&self, request: Request<StartOpenIdRequest>) -> Answer<StartOpenIdReply> {
        answer(self.0.start_open_id(request.get_ref()).await)
    }

    async fn finish_open_id(&self, request: Request<FinishOpenIdRequest>) -> Answer<SignedIn> {
        answer(self.0.finish_open_id(request.into_inner()).await)
    }

    async fn export(&self, request: Request<AccountRequest>) -> Answer<ExportReply> {
        answer(self.0.export(request.get_ref()).await)
    }

    async fn delete(&self, request: Request<DeleteRequest>) -> Answer<Done> {
        answer(self.0.delete(request.get_ref()).await)
    }
}
