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

use crate::error::PlaybackError;
use crate::neighbours::{in_time, unavailable};
use crate::remembered::{Keeping, Remembered};

const TIERS: [KeyTier; 4] = [KeyTier::Audio, KeyTier::Sd, KeyTier::Hd, KeyTier::Uhd];
/// About 20 MB. A title's keys don't change; this bounds how long a replaced key store goes unnoticed.
const KEPT: Keeping =
    Keeping { most: 50_000, fresh: Duration::from_secs(10 * 60), stale: Duration::from_secs(24 * 3600) };
const SERVICE: &str = "the licence service";

/// Knows the ids of titles' keys.
#[derive(Debug, Clone)]
pub struct KeyIds {
    license: LicenseClient<Channel>,
    known: Remembered<TitleId, Arc<[String]>>,
}

impl KeyIds {
    /// As `license` names them.
    #[must_use]
    pub fn new(license: LicenseClient<Channel>) -> Self {
        Self { license, known: Remembered::new(KEPT) }
    }

    /// The ids of the keys of the title's sound and of its pictures up to a tier, hexadecimal.
    pub async fn up_to(&self, title: &TitleId, highest: KeyTier) -> Result<Vec<String>, PlaybackError> {
        let kids = self.known.get(title, self.ask(title)).await?;
        Ok(TIERS.iter().zip(kids.iter()).filter(|(tier, _)| **tier <= highest).map(|(_, kid)| kid.clone()).collect())
    }

    async fn ask(&self, title: &TitleId) -> Result<Arc<[String]>, PlaybackError> {
        let labels = TIERS.iter().map(|tier| tier.label().to_owned()).collect();
        let request = EnsureKeysRequest { title: title.as_str().to_owned(), labels };
        let mut license = self.license.clone();
        let answer = in_time(self.known.patience(title), license.ensure_keys(request)).await;
        let keys = answer.map_err(|status| unavailable(SERVICE, title, &status))?.keys;
        if keys.len() != TIERS.len() || keys.iter().any(|key| key.kid.len() != 16) {
            let reason = format!("{} keys for {} labels", keys.len(), TIERS.len());
            return Err(PlaybackError::Answer { service: SERVICE, title: title.clone(), reason });
        }
        Ok(keys.iter().map(|key| hex::encode(&key.kid)).collect())
    }
}
