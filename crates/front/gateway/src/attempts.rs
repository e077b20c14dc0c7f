//! How often somebody may try to sign in: from one address, and to one account from anywhere.

use std::net::IpAddr;

use matinee_service::http::Problem;
use matinee_service::limits::{KeyedLimiter, address_key};
use matinee_service::viewer::Viewer;

use crate::door::Quotas;

/// Keys of a limiter, at the most.
const MOST_KEYS: usize = 100_000;

/// Attempts so far.
#[derive(Debug)]
pub struct Attempts {
    by_address: Option<KeyedLimiter<IpAddr>>,
    by_email: Option<KeyedLimiter<String>>,
}

impl Attempts {
    /// None yet.
    pub fn new(quotas: &Quotas) -> Self {
        Self {
            by_address: quotas.attempts.map(|quota| KeyedLimiter::new(quota, MOST_KEYS)),
            by_email: quotas.sign_ins.map(|quota| KeyedLimiter::new(quota, MOST_KEYS)),
        }
    }

    /// Counts an attempt from where the viewer is.
    pub fn from(&self, viewer: &Viewer) -> Result<(), Problem> {
        let Some(limit) = &self.by_address else { return Ok(()) };
        Ok(limit.check(&address_key(viewer.address))?)
    }

    /// Counts an attempt on this account.
    pub fn on(&self, email: &str) -> Result<(), Problem> {
        let Some(limit) = &self.by_email else { return Ok(()) };
        Ok(limit.check(&key(email))?)
    }

    /// The one who tried was the right one.
    pub fn succeeded(&self, email: &str) {
        if let Some(limit) = &self.by_email {
            limit.forgive(&key(email));
        }
    }
}

/// Addresses that differ in their case are one account's.
fn key(email: &str) -> String {
    email.trim().chars().take(320).collect::<String>().to_lowercase()
}
