//! The ids of a title's content keys, as the licence service names them, remembered for a while.
//!
//! Only ids are kept. Many sessions that start at once for one title cause one question.

use std::sync::Arc;
use std::time::Duration;

use matinee_contracts::license::EnsureKeysRequest;
use matinee_contracts::license::license_client::LicenseClient;
use matinee_model::codec::KeyTier;
use matinee_model::ids::TitleId;
use matinee_service::channel::Channel;
use moka::future::Cache;
use tonic::Status;

use crate::error::PlaybackError;

const TIERS: [KeyTier; 4] = [KeyTier::Audio, KeyTier::Sd, KeyTier::Hd, KeyTier::Uhd];
/// Titles remembered: about 20 MB.
const TITLES: u64 = 50_000;
/// A title's keys don't change; this bounds how long a replaced key store goes unnoticed.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);
const SERVICE: &str = "the licence service";

/// Knows the ids of titles' keys.
#[derive(Debug, Clone)]
pub struct KeyIds {
    license: LicenseClient<Channel>,
    known: Cache<TitleId, Arc<[String]>>,
    patience: Duration,
}

impl KeyIds {
    /// Asks `license`, and waits for an answer no longer than `patience`.
    #[must_use]
    pub fn new(license: LicenseClient<Channel>, patience: Duration) -> Self {
        let known = Cache::builder().max_capacity(TITLES).time_to_live(REMEMBERED).build();
        Self { license, known, patience }
    }

    /// The ids of the title's keys, hexadecimal.
    pub async fn of(&self, title: &TitleId) -> Result<Arc<[String]>, PlaybackError> {
        let asked = self.known.try_get_with_by_ref(title, self.ask(title)).await;
        asked.map_err(|error: Arc<PlaybackError>| PlaybackError::clone(&error))
    }

    async fn ask(&self, title: &TitleId) -> Result<Arc<[String]>, PlaybackError> {
        let labels = TIERS.iter().map(|tier| tier.label().to_owned()).collect();
        let request = EnsureKeysRequest { title: title.as_str().to_owned(), labels };
        let mut license = self.license.clone();
        let answer = tokio::time::timeout(self.patience, license.ensure_keys(request)).await;
        let late = |_| Status::deadline_exceeded(format!("no answer after {:?}", self.patience));
        let keys = answer.map_err(late).and_then(|answer| answer).map_err(|status| PlaybackError::Unavailable {
            service: SERVICE,
            title: title.clone(),
            reason: status.message().to_owned(),
        })?;
        let keys = keys.into_inner().keys;
        if keys.len() != TIERS.len() || keys.iter().any(|key| key.kid.len() != 16) {
            let reason = format!("{} keys for {} labels", keys.len(), TIERS.len());
            return Err(PlaybackError::Answer { service: SERVICE, title: title.clone(), reason });
        }
        Ok(keys.iter().map(|key| hex::encode(&key.kid)).collect())
    }
}
