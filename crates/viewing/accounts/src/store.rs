//! The port to what is kept, in one trait for each thing that is.
//!
//! Each call is one transaction; what it returns is durable. Times are microseconds since 1970.

mod sqlite;

use async_trait::async_trait;
use matinee_model::ids::{AccountId, DeviceId, ProfileId};
use matinee_model::territory::Territory;

pub use self::sqlite::SqliteAccounts;
use crate::account::{Account, Device, Profile, Role};
use crate::error::AccountsError;
use crate::mail::Mail;

/// What comes to be at a sign-up, all of it or nothing.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Who.
    pub account: Account,
    /// The hash of its password, where it has one.
    pub password: Option<String>,
    /// Its first profile.
    pub profile: Profile,
    /// The device on which it signs up.
    pub device: NewDevice,
    /// As whom it signs in elsewhere.
    pub identity: Option<Identity>,
    /// The mail that asks to confirm the address.
    pub verification: Option<(Ticket, Mail)>,
}

/// A device that signs in.
#[derive(Debug, Clone)]
pub struct NewDevice {
    /// Which.
    pub device: Device,
    /// What is kept of its refresh token.
    pub keys: RefreshKeys,
}

/// What is kept of a refresh token that was just made.
#[derive(Debug, Clone)]
pub struct RefreshKeys {
    /// The hash of its family.
    pub family: String,
    /// The hash of its turn.
    pub turn: String,
    /// Until when it renews (not included).
    pub expires_us: i64,
}

/// Somebody, as a provider of OpenID Connect knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider's name here.
    pub provider: String,
    /// Its name for them, which never changes.
    pub subject: String,
}

/// What a link in a mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketKind {
    /// To confirm the address.
    Verify,
    /// To choose a new password.
    Reset,
}

/// A link in a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The hash of its secret.
    pub hash: String,
    /// What it is for.
    pub kind: TicketKind,
    /// When it was made.
    pub made_us: i64,
    /// Until when it is good (not included).
    pub expires_us: i64,
}

/// An account with what is kept of its password.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Who.
    pub account: Account,
    /// The hash of its password, where it has one.
    pub password: Option<String>,
}

/// What changes of an account; `None`: it stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Where it is at home.
    pub territory: Option<Territory>,
    /// Of its mails.
    pub language: Option<String>,
    /// What it may do.
    pub roles: Option<Vec<Role>>,
}

/// All that is kept of an account but its secrets.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Who.
    pub account: Account,
    /// Who watches.
    pub profiles: Vec<Profile>,
    /// Where it is signed in.
    pub devices: Vec<Device>,
    /// As whom it signs in elsewhere, and since when.
    pub identities: Vec<(Identity, i64)>,
    /// Links in mails that are still good.
    pub tickets: Vec<Ticket>,
    /// Mails that wait to be sent.
    pub mails: Vec<Mail>,
}

/// Accounts themselves.
#[async_trait]
pub trait Members {
    /// Adds an account and announces it. Fails with [`AccountsError::AddressTaken`].
    async fn add(&self, new: &NewAccount) -> Result<(), AccountsError>;
    /// One account.
    async fn account(&self, id: &AccountId) -> Result<Account, AccountsError>;
    /// One account with what is kept of its password.
    async fn credentials(&self, id: &AccountId) -> Result<Credentials, AccountsError>;
    /// The account of an address, by its key ([`crate::email::Email::key`]).
    async fn credentials_by_email(&self, key: &str) -> Result<Option<Credentials>, AccountsError>;
    /// At most `limit` accounts whose address's key begins with `prefix`, in the order of these keys, after `after`.
    async fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<Account>, AccountsError>;
    /// Changes an account; nothing where all is so already.
    async fn change(&self, id: &AccountId, change: &Change) -> Result<Account, AccountsError>;
    /// From here on the password is another. All devices but `stays` are signed out, links that choose a password are good
    /// no more; `mail` is queued.
    async fn set_password(
        &self,
        id: &AccountId,
        hash: &str,
        stays: Option<&DeviceId>,
        mail: &Mail,
    ) -> Result<(), AccountsError>;
    /// Keeps the same password by another hash, unless it was changed meanwhile.
    async fn rehash(&self, id: &AccountId, from: &str, to: &str) -> Result<(), AccountsError>;
    /// All that is kept of it.
    async fn kept(&self, id: &AccountId) -> Result<Kept, AccountsError>;
    /// Forgets the account and all that is kept of it; that is announced.
    async fn erase(&self, id: &AccountId, now_us: i64) -> Result<(), AccountsError>;

    /// Who signs in as `identity`.
    async fn by_identity(&self, identity: &Identity) -> Result<Option<AccountId>, AccountsError>;
    /// From here on the account signs in as `identity` too, and its address is confirmed. Where it was not before, whoever
    /// signed up with it may not have been its owner: its password goes and its devices are signed out.
    async fn link(&self, id: &AccountId, identity: &Identity, now_us: i64) -> Result<(), AccountsError>;
}

/// Profiles.
#[async_trait]
pub trait Profiles {
    /// Those of an account, the oldest first.
    async fn profiles(&self, account: &AccountId) -> Result<Vec<Profile>, AccountsError>;
    /// Adds one, unless there are [`crate::account::MOST_PROFILES`] or one has the name.
    async fn add_profile(&self, account: &AccountId, profile: &Profile) -> Result<(), AccountsError>;
    /// Changes one.
    async fn change_profile(&self, account: &AccountId, profile: &Profile) -> Result<(), AccountsError>;
    /// Forgets one that is not the last, and announces that. Nobody watches as it on any device from here on.
    async fn delete_profile(&self, account: &AccountId, id: &ProfileId, now_us: i64) -> Result<(), AccountsError>;
}

/// A refresh token that was presented, and what it becomes.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The hash of its family.
    pub family: String,
    /// The hash of its turn.
    pub turn: String,
    /// The hash of the next one, made by `salt`.
    pub next: String,
    /// By which it was made.
    pub salt: String,
    /// When it is presented.
    pub now_us: i64,
    /// For how long one that was used is answered again.
    pub grace_us: i64,
    /// Until when the next one renews.
    pub expires_us: i64,
}

/// What a refresh token was.
#[derive(Debug, Clone)]
pub enum Turned {
    /// The current one: from here on it is the next.
    Next(AccountId, Device),
    /// One that was used a moment ago: its successor by this salt is current, and renews until then.
    Again(AccountId, Device, String, i64),
    /// One of ours whose time is over.
    Expired,
    /// One that was used before: its device is signed out.
    Reused,
    /// One whose device got a new family a moment ago.
    Replaced,
    /// None of ours.
    Unknown,
}

/// Devices.
#[async_trait]
pub trait Devices {
    /// Signs a device in; of more than `most`, the one that was not seen for the longest is signed out.
    async fn sign_in(&self, account: &AccountId, new: &NewDevice, most: u32) -> Result<(), AccountsError>;
    /// Uses a refresh token.
    async fn turn(&self, turn: &Turn) -> Result<Turned, AccountsError>;
    /// Another profile, by a new refresh token. The old one is answered with [`Turned::Replaced`] for a while.
    async fn choose(
        &self,
        account: &AccountId,
        device: &DeviceId,
        profile: &ProfileId,
        keys: &RefreshKeys,
        now_us: i64,
    ) -> Result<Device, AccountsError>;
    /// Those of an account, the last seen first.
    async fn devices(&self, account: &AccountId) -> Result<Vec<Device>, AccountsError>;
    /// Signs one out; where it is already, nothing happens.
    async fn sign_out(&self, account: &AccountId, device: &DeviceId) -> Result<(), AccountsError>;
    /// Signs the one out that holds a token of this family.
    async fn sign_out_family(&self, family: &str) -> Result<(), AccountsError>;
}

/// Links in mails, and requests for them.
#[async_trait]
pub trait Tickets {
    /// Keeps a ticket and queues its mail; neither where one of its kind was made less than `spacing_us` ago. At most five
    /// of a kind are good at once.
    async fn issue(
        &self,
        account: &AccountId,
        ticket: &Ticket,
        mail: &Mail,
        spacing_us: i64,
    ) -> Result<(), AccountsError>;
    /// Whose ticket it is, where it is good.
    async fn ticket(&self, hash: &str, kind: TicketKind, now_us: i64) -> Result<Option<AccountId>, AccountsError>;
    /// Uses a ticket up: the address is confirmed. Fails with [`AccountsError::UnknownLink`].
    async fn verify(&self, hash: &str, now_us: i64) -> Result<(), AccountsError>;
    /// Uses a ticket up: the password is another, the address is confirmed, every device is signed out; `mail` is queued.
    async fn reset(&self, hash: &str, password: &str, mail: &Mail, now_us: i64) -> Result<(), AccountsError>;

    /// Keeps that somebody asked for a new password for an address, known or not, by its key.
    async fn ask_reset(&self, key: &str, now_us: i64) -> Result<(), AccountsError>;
    /// The oldest of these, at most `most`.
    async fn asked_resets(&self, most: u32) -> Result<Vec<String>, AccountsError>;
    /// Forgets one that was answered.
    async fn answered_reset(&self, key: &str) -> Result<(), AccountsError>;
}

/// A sign-in by code that begins.
#[derive(Debug, Clone)]
pub struct NewCode {
    /// The hash of the device's secret.
    pub device_hash: String,
    /// What the viewer types.
    pub user_code: String,
    /// The device.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// Until when (not included).
    pub expires_us: i64,
    /// The least time between two polls.
    pub interval_us: i64,
}

/// Whether a code could be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeStart {
    /// It waits for a viewer.
    Started,
    /// Another device shows the same.
    Taken,
}

/// What a viewer says to a code.
#[derive(Debug, Clone)]
pub enum Decision {
    /// The device is theirs.
    Approve {
        /// Who they are.
        account: AccountId,
        /// Who will watch there.
        profile: Option<ProfileId>,
    },
    /// It is not.
    Deny,
}

/// What a device that polls hears.
#[derive(Debug, Clone)]
pub enum Polled {
    /// Nobody typed the code yet.
    Pending,
    /// It polls too often: its interval is longer from here on.
    SlowDown,
    /// It is signed in.
    Approved(AccountId, Device),
    /// The viewer said no.
    Denied,
    /// The code is over, or never was.
    Expired,
}

/// A sign-in at a provider that is under way.
#[derive(Debug, Clone)]
pub struct Flow {
    /// The hash of its state.
    pub state: String,
    /// The provider's name.
    pub provider: String,
    /// The hash of what the browser keeps.
    pub binding: String,
    /// What the ID token must carry.
    pub nonce: String,
    /// The PKCE verifier.
    pub verifier: String,
    /// Where the browser comes back to.
    pub redirect_uri: String,
    /// Until when (not included).
    pub expires_us: i64,
}

/// Sign-ins that are under way elsewhere.
#[async_trait]
pub trait Pending {
    /// Keeps a code until a viewer types it.
    async fn start_code(&self, code: &NewCode) -> Result<CodeStart, AccountsError>;
    /// Says yes or no to a code, once. Fails with [`AccountsError::UnknownCode`].
    async fn decide_code(&self, user_code: &str, decision: &Decision, now_us: i64) -> Result<(), AccountsError>;
    /// Polls; where the code was approved, it is used up and the device signs in as `new` with the account's limit `most`.
    async fn poll_code(
        &self,
        device_hash: &str,
        new: &NewDevice,
        most: u32,
        now_us: i64,
    ) -> Result<Polled, AccountsError>;
    /// Keeps a sign-in at a provider.
    async fn start_flow(&self, flow: &Flow) -> Result<(), AccountsError>;
    /// Takes it out, whoever asks.
    async fn take_flow(&self, state: &str, now_us: i64) -> Result<Option<Flow>, AccountsError>;
}

/// What happened to an account, for others to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It is here.
    Made(String),
    /// It is gone, with these profiles.
    Deleted(Vec<String>),
    /// One of its profiles is gone.
    ProfileDeleted(String),
}

/// News that others must hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Rises over all accounts.
    pub seq: i64,
    /// Whose.
    pub account: String,
    /// What.
    pub news: News,
    /// When.
    pub at_us: i64,
}

/// What waits to leave, and what has had its time.
#[async_trait]
pub trait Outbox {
    /// Mails to be handed over now, at most `most`, the oldest first, and how often each was tried.
    async fn due_mails(&self, now_us: i64, most: u32) -> Result<Vec<(Mail, u32)>, AccountsError>;
    /// Forgets a mail that is in other hands, or given up.
    async fn forget_mail(&self, id: &str) -> Result<(), AccountsError>;
    /// Counts a try; the next is at `due_us`.
    async fn put_off_mail(&self, id: &str, due_us: i64) -> Result<(), AccountsError>;
    /// The oldest announcements that nobody heard yet, at most `most`, in order.
    async fn unannounced(&self, most: u32) -> Result<Vec<Announcement>, AccountsError>;
    /// Forgets those that were heard, up to this one.
    async fn announced(&self, seq: i64) -> Result<(), AccountsError>;
    /// Forgets at most `most` each of devices, links, codes and sign-ins whose time is over; how many they were.
    async fn sweep(&self, now_us: i64, most: u32) -> Result<u64, AccountsError>;
}

/// What is kept.
pub trait AccountStore:
    Members + Profiles + Devices + Tickets + Pending + Outbox + Send + Sync + std::fmt::Debug
{
}

impl<S> AccountStore for S where
    S: Members + Profiles + Devices + Tickets + Pending + Outbox + Send + Sync + std::fmt::Debug
{
}
