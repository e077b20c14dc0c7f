//! What every service stands on: hosting, calling, working, signing, metrics and health.

pub mod access;
pub mod channel;
pub mod clock;
pub mod content;
pub mod health;
pub mod http;
mod jwt;
pub mod metrics;
pub mod secrets;
pub mod signing;
pub mod tokens;
pub mod worker;
