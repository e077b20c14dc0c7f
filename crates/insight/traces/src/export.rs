//! Spans to whoever else keeps traces, over HTTP.

mod otlp;
mod zipkin;

use std::time::Duration;

pub use otlp::Otlp;
pub use zipkin::Zipkin;

use matinee_service::trace::ExportError;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(2);
/// The most of an answer's body that is shown.
const SHOWN: usize = 200;

fn client() -> Result<reqwest::Client, ExportError> {
    reqwest::Client::builder().connect_timeout(CONNECT).build().map_err(failed)
}

fn failed(error: reqwest::Error) -> ExportError {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    ExportError(text)
}

async fn taken(answer: reqwest::Response) -> Result<(), ExportError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let said = answer.text().await.unwrap_or_default();
    let said: String = said.chars().take(SHOWN).collect();
    Err(ExportError(format!("it answered {status}: {said}")))
}
