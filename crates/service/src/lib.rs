//! What every service stands on: hosting, calling, working, signing, metrics and health.

pub mod access;
pub mod channel;
pub mod clock;
pub mod content;
pub mod context;
pub mod door;
pub mod health;
pub mod http;
mod jwt;
pub mod limits;
pub mod metrics;
pub mod process;
pub mod resilience;
pub mod secrets;
pub mod signing;
pub mod subgraph;
pub mod tokens;
pub mod trace;
pub mod viewer;
pub mod worker;
