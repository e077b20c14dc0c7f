//! Accounts: who may sign in, their profiles and their devices.
//!
//! Passwords are kept as argon2id hashes, every other secret (refresh tokens, links in mails, device codes) as a SHA-256 of
//! its 256 random bits: whoever reads the database can't sign in with it. The one exception is a mail that waits to be
//! sent, which holds its link until it is.
//!
//! An access token says who is signed in without asking here; it holds until it expires (15 minutes), also on a device that
//! was signed out meanwhile. The refresh token that renews it is used once (see [`refresh`]).
//!
//! - [`email`], [`password`], [`fields`], [`user_code`]: what may be given, and how it is made one.
//! - [`service`]: the gRPC contract; what it does is in `sign_in`, `devices`, `recovery`, `members`, `device_code`, `openid`.
//! - [`store`]: the port to what is kept, with SQLite as its embedded adapter.
//! - [`mail`]: the port to whoever carries mails, with a folder and SMTP as its adapters; [`deliver`] hands them over.
//! - [`announce`]: what happened to accounts, told in the event log.

pub mod account;
pub mod announce;
mod attempts;
pub mod config;
pub mod deliver;
mod device_code;
mod devices;
pub mod email;
pub mod entropy;
pub mod error;
pub mod fields;
pub mod mail;
mod members;
mod openid;
mod openid_provider;
pub mod password;
mod recovery;
pub mod refresh;
mod secret;
pub mod service;
mod sign_in;
pub mod store;
mod subgraph;
pub mod user_code;

pub use config::AccountsConfig;
pub use error::AccountsError;
pub use service::AccountsService;
pub use subgraph::subgraph;
