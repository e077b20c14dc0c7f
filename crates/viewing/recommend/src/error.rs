//! Why a call was refused or failed, and the one place where that becomes a gRPC status.

use matinee_engines::events::EventError;
use matinee_engines::objects::ObjectError;
use tonic::{Code, Status};

use crate::model::DamagedModel;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum RecommendError {
    /// A field that can't be taken.
    #[error("{field} is refused: {reason}")]
    Field {
        /// Its name in the contract.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such model.
    #[error("model {0} does not exist")]
    NoModel(String),
    /// A model on the object store can't be read.
    #[error("model {id} is damaged: {reason}")]
    Damaged {
        /// Which.
        id: String,
        /// What is wrong.
        reason: DamagedModel,
    },
    /// A model that would say nothing.
    #[error("too little was watched to learn from: {profiles} profiles with two titles or more, {needed} are needed")]
    TooLittle {
        /// What there is.
        profiles: usize,
        /// What is needed.
        needed: usize,
    },
    /// One at a time.
    #[error("a model is being trained already")]
    Training,
    /// A file of the lake is not what it should be.
    #[error("object {object} of the lake can't be read: {reason}")]
    Lake {
        /// Which.
        object: String,
        /// What is wrong.
        reason: String,
    },
    /// The lake or the catalogue did not answer.
    #[error("{service} did not answer: {reason}")]
    Answer {
        /// Which.
        service: &'static str,
        /// Its own words.
        reason: String,
    },
    /// What is stored is not what was written.
    #[error("the store of recommendations holds a damaged record at {place}: {reason}")]
    Record {
        /// Where.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// The store's engine failed.
    #[error("the store of recommendations failed: {0}")]
    Store(#[from] fjall::Error),
    /// A thread died.
    #[error("a thread of recommendations stopped: {0}")]
    Stopped(#[from] tokio::task::JoinError),
    /// Events can't be read.
    #[error("events can't be read: {0}")]
    Log(#[from] EventError),
    /// Models can't be read or written.
    #[error("models can't be kept: {0}")]
    Objects(#[from] ObjectError),
    /// Threads for training can't be had.
    #[error("threads for training can't be started: {0}")]
    Threads(String),
}

impl From<RecommendError> for Status {
    fn from(error: RecommendError) -> Self {
        let code = match &error {
            RecommendError::Field { .. } => Code::InvalidArgument,
            RecommendError::NoModel(_) => Code::NotFound,
            RecommendError::TooLittle { .. } => Code::FailedPrecondition,
            RecommendError::Training => Code::Aborted,
            RecommendError::Damaged { .. } | RecommendError::Record { .. } => Code::DataLoss,
            RecommendError::Objects(ObjectError::NoSpace { .. }) => Code::ResourceExhausted,
            RecommendError::Lake { .. }
            | RecommendError::Answer { .. }
            | RecommendError::Store(_)
            | RecommendError::Stopped(_)
            | RecommendError::Log(_)
            | RecommendError::Objects(_)
            | RecommendError::Threads(_) => Code::Unavailable,
        };
        Self::new(code, error.to_string())
    }
}
