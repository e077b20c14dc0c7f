//! What every service stands on: hosting, calling, working, signing, metrics and health.

pub mod channel;
pub mod worker;
