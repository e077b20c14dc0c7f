//! The end of a film's way: each track is packaged (CMAF, `cbcs`), the whole is verified, and a title is switched to it.
//!
//! Three task types, each with a handler: `package` writes one encrypted track, `verify` proves that all tracks are one
//! film and describes it as a [`matinee_media::presentation::Presentation`], `publish` stores that under the version's id
//! and tells the catalogue. Only `publish` changes what a viewer sees, and it does so in one call.

pub mod folder;
mod package;
mod publish;
mod verify;

use std::sync::Arc;

use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::license::license_client::LicenseClient;
use matinee_contracts::workflow::{LeasedTask, OutputFile};
use matinee_service::channel::Channel;
use matinee_service::worker::{Handler, TaskError};
use serde::de::DeserializeOwned;

pub use package::PackageHandler;
pub use publish::PublishHandler;
pub use verify::VerifyHandler;

/// The tool that these tasks name, which is part of their outputs' keys.
pub const TOOL: &str = "matinee-package 1";

/// The handlers of `package`, `verify` and `publish`.
#[must_use]
pub fn handlers(license: LicenseClient<Channel>, catalog: CatalogClient<Channel>) -> Vec<Arc<dyn Handler>> {
    vec![Arc::new(PackageHandler::new(license)), Arc::new(VerifyHandler), Arc::new(PublishHandler::new(catalog))]
}

/// It will not go better next time.
fn refused(reason: impl Into<String>) -> TaskError {
    TaskError::Refused { reason: reason.into(), diagnostics: String::new() }
}

/// It may go better next time.
fn retryable(reason: impl ToString) -> TaskError {
    TaskError::Retryable { reason: reason.to_string(), diagnostics: String::new() }
}

/// What a failed call to another service means for the task.
fn called(what: &str, status: &tonic::Status) -> TaskError {
    let reason = format!("{what}: {}", status.message());
    match status.code() {
        tonic::Code::InvalidArgument | tonic::Code::NotFound | tonic::Code::FailedPrecondition => refused(reason),
        _ => retryable(reason),
    }
}

/// The result of input `name`.
fn result<T: DeserializeOwned>(task: &LeasedTask, name: &str) -> Result<T, TaskError> {
    let input = task.inputs.iter().find(|i| i.name == name);
    let outcome = input.and_then(|i| i.outcome.as_ref()).ok_or_else(|| refused(format!("input {name} is missing")))?;
    serde_json::from_str(&outcome.result).map_err(|error| refused(format!("input {name} is not understood: {error}")))
}

/// File `file` of the only input whose name starts with `prefix`.
fn file<'a>(task: &'a LeasedTask, prefix: &str, file: &str) -> Result<&'a OutputFile, TaskError> {
    let input = task.inputs.iter().find(|i| i.name.starts_with(prefix));
    let files = input.and_then(|i| i.outcome.as_ref()).map(|o| o.files.as_slice()).unwrap_or_default();
    let found = files.iter().find(|f| f.name == file);
    found.ok_or_else(|| refused(format!("input {prefix} has no file {file}")))
}
