//! Accounts, through their contract.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod abuse;
mod codes;
mod devices;
mod issuer;
mod mails;
mod members;
mod news;
mod openid;
mod recovery;
mod sign_in;
mod world;
