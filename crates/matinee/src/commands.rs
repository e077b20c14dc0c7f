//! The commands, one file each.

pub mod account;
pub mod billing;
pub mod catalog;
pub mod config;
pub mod ladder;
pub mod openapi;
pub mod package;
pub mod run;
pub mod title;
pub mod workflow;

use matinee_service::channel::Channel;

use crate::config::Config;
use crate::house::secrets;
use crate::terminal::AnyError;

/// A way to the running service, for the command line.
fn channel(config: &Config) -> Result<Channel, AnyError> {
    let secrets = secrets(config)?;
    Channel::remote(&config.services.address, secrets.service.expose())
}

/// A runtime for a command that asks the running service something.
fn block_on<T>(work: impl Future<Output = Result<T, AnyError>>) -> Result<T, AnyError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Says what to do where the service can't be reached.
fn reach(status: tonic::Status, config: &Config) -> AnyError {
    if status.code() == tonic::Code::Unavailable || status.code() == tonic::Code::Unknown {
        let address = &config.services.address;
        return format!("no answer from {address}: is `matinee run` running? ({})", status.message()).into();
    }
    status.into()
}
