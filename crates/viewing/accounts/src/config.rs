//! What an operator may choose. Every key has a default that holds for an installation on one machine.

use serde::{Deserialize, Serialize};

/// Accounts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountsConfig {
    /// What the service calls itself in mails.
    pub name: String,
    /// The address at which viewers reach this installation, without a slash at its end: links in mails begin with it.
    /// Empty: the installation's own.
    pub public_address: String,
    /// How long an access token holds, in seconds. A device that is signed out may go on for so long.
    pub access_seconds: u32,
    /// How long a device stays signed in without being used, in days.
    pub refresh_days: u32,
    /// How long a refresh token that was just used is answered again as before, in seconds.
    pub refresh_grace_seconds: u32,
    /// Devices of an account that are signed in at once; one more signs out the one that was not used for the longest.
    pub devices: u32,
    /// How passwords are hashed.
    pub hashing: Hashing,
    /// How mails are sent.
    pub mail: MailConfig,
    /// OpenID Connect providers by which viewers may sign in.
    pub providers: Vec<Provider>,
}

impl Default for AccountsConfig {
    fn default() -> Self {
        Self {
            name: "Matinee".to_owned(),
            public_address: String::new(),
            access_seconds: 15 * 60,
            refresh_days: 30,
            refresh_grace_seconds: 10,
            devices: 50,
            hashing: Hashing::default(),
            mail: MailConfig::default(),
            providers: Vec::new(),
        }
    }
}

/// How passwords are hashed (argon2id). After a change, each is hashed anew when its account next signs in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hashing {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
    /// Hashes at once.
    pub at_once: usize,
    /// Sign-ins that wait for one; more are told to come again.
    pub waiting: usize,
}

impl Default for Hashing {
    fn default() -> Self {
        // Half of the cores: viewers who play come before those who sign in.
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { memory_kib: 19 * 1024, passes: 2, lanes: 1, at_once: (cores / 2).max(1), waiting: 64 }
    }
}

/// How mails are sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailConfig {
    /// The sender: "Matinee <no-reply@example.org>".
    pub from: String,
    /// A mail server: `smtps://user:password@host` or `smtp://user:password@host?tls=required`. Empty: mails are put as
    /// files into the folder `mails` of the data folder.
    pub smtp: String,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self { from: "Matinee <no-reply@localhost.localdomain>".to_owned(), smtp: String::new() }
    }
}

/// An OpenID Connect provider.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// In addresses: 1 to 32 of a-z, 0-9 and '-'.
    pub name: String,
    /// What viewers read: "Sign in with …".
    pub label: String,
    /// Its issuer, as its discovery document names it. `https`, or this machine.
    pub issuer: String,
    /// As it knows this installation.
    pub client_id: String,
    /// Its secret; empty for a public client.
    #[serde(default)]
    pub client_secret: String,
    /// Asked for beside "openid".
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
}

fn default_scopes() -> Vec<String> {
    vec!["email".to_owned(), "profile".to_owned()]
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("name", &self.name).field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
