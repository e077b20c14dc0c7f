//! Randomness, passed in, and the ids that are made of it.

use matinee_service::clock::Clock;
use rand::TryRng;
use rand::rngs::SysRng;

use crate::error::AccountsError;

/// Gives bytes that nobody can guess.
pub trait Entropy: Send + Sync + std::fmt::Debug {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), AccountsError>;
}

/// The operating system's.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), AccountsError> {
        SysRng.try_fill_bytes(bytes).map_err(|error| AccountsError::Randomness(error.to_string()))
    }
}

/// So many random bytes.
pub(crate) fn random<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], AccountsError> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}

/// A new id, rising with time (UUID v7): 32 hexadecimal digits.
pub(crate) fn fresh_id(clock: &dyn Clock, entropy: &dyn Entropy) -> Result<String, AccountsError> {
    let millis = u64::try_from(clock.now_us().div_euclid(1_000)).unwrap_or(0);
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &random(entropy)?).into_uuid();
    Ok(id.simple().to_string())
}
