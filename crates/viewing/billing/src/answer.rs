//! Idempotency: the same key with the same request has the same answer, and with another request is refused.

use prost::Message;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::BillingError;

const LONGEST_KEY: usize = 128;

/// A call, as its caller named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The caller's idempotency key.
    pub key: String,
    /// Of the whole request.
    pub hash: String,
}

impl Asked {
    /// `what` is the call's name.
    pub(crate) fn new(what: &str, key: &str, request: &impl Message) -> Result<Self, BillingError> {
        if key.is_empty() || key.len() > LONGEST_KEY || !key.chars().all(|c| c.is_ascii_graphic()) {
            let reason = format!("1 to {LONGEST_KEY} visible ASCII characters are taken");
            return Err(BillingError::field("idempotency_key", reason));
        }
        let mut hash = Sha256::new();
        hash.update(what.as_bytes());
        hash.update([0]);
        hash.update(request.encode_to_vec());
        Ok(Self { key: key.to_owned(), hash: hex::encode(hash.finalize()) })
    }
}

/// How a call was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// With a message of the contract, in hexadecimal digits.
    Done(String),
    /// The payment provider said no.
    Declined(String),
}

impl Answer {
    pub(crate) fn done(message: &impl Message) -> Self {
        Self::Done(hex::encode(message.encode_to_vec()))
    }

    /// The message, or why there is none.
    pub(crate) fn read<M: Message + Default>(&self) -> Result<M, BillingError> {
        let damaged = |error: &dyn std::fmt::Display| BillingError::Damaged(format!("an answer: {error}"));
        match self {
            Self::Declined(reason) => Err(BillingError::Declined(reason.clone())),
            Self::Done(digits) => {
                let bytes = hex::decode(digits).map_err(|error| damaged(&error))?;
                M::decode(bytes.as_slice()).map_err(|error| damaged(&error))
            }
        }
    }
}

/// A call that came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// Of its request.
    pub hash: String,
    /// The payment that it began, where it did.
    pub intent: Option<String>,
    /// How it was answered; none while its payment is under way.
    pub answer: Option<Answer>,
}
