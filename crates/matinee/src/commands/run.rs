//! `matinee run`: the service, until it is told to stop.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use matinee_service::resilience::FaultSwitch;
use matinee_service::trace::{Spans, TraceSettings, spans};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{Config, ConfigError};
use crate::house::{self, Role};
use crate::terminal::AnyError;

/// Which roles, and where.
#[derive(Args)]
pub struct RunArgs {
    /// The roles this process plays; all of them without this.
    #[arg(long, value_delimiter = ',', value_name = "ROLE")]
    pub role: Vec<Role>,
    /// Where to listen for HTTP (over server.listen).
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Where to listen for gRPC (over server.grpc_listen).
    #[arg(long, value_name = "ADDRESS")]
    pub grpc_listen: Option<SocketAddr>,
    /// How log lines look.
    #[arg(long, default_value = "text")]
    pub log: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Runs until SIGTERM or SIGINT, then drains. With SIGHUP, `again` reads the configuration's file anew, where it has one,
/// for the faults that are played: the rest holds until the next start.
pub fn run(
    config: Config,
    args: &RunArgs,
    again: Option<impl Fn() -> Result<Config, ConfigError>>,
) -> Result<(), AnyError> {
    let (spans, collected) = spans(TraceSettings {
        rate: config.insight.trace_rate,
        slow: std::time::Duration::from_millis(config.insight.trace_slow_ms),
    });
    log(args.log, spans);
    let roles = if args.role.is_empty() { Role::value_variants().to_vec() } else { args.role.clone() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let signalled = stop.clone();
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            tracing::info!("stopping: running requests end, running tasks go back");
            signalled.cancel();
        });
        let faults = FaultSwitch::default();
        faults.set(&config.faults.inject)?;
        let running = house::open(config, &roles, collected, faults.clone(), stop);
        tokio::select! {
            ended = running => ended,
            never = heed_changes(again, &faults) => Err(never.into()),
        }
    })?;
    // Blocking work that outlives its request (a hash, a long read) is not waited for: nothing is lost by it.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    Ok(())
}

/// Plays other faults with each SIGHUP. Returns only where signals can't be had.
async fn heed_changes(again: Option<impl Fn() -> Result<Config, ConfigError>>, faults: &FaultSwitch) -> std::io::Error {
    // Without a file SIGHUP ends the process, as of any program whose terminal is closed.
    let Some(again) = again else { return std::future::pending().await };
    let mut changed = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) {
        Ok(changed) => changed,
        Err(error) => return error,
    };
    loop {
        changed.recv().await;
        let read = again().map_err(AnyError::from).and_then(|config| Ok(faults.set(&config.faults.inject)?));
        match read {
            Ok(()) => tracing::info!(faults = faults.shown(), "the configuration was read again, for its faults"),
            Err(error) => tracing::error!(%error, "the configuration can't be read again; nothing changes"),
        }
    }
}

fn log(format: LogFormat, spans: Spans) {
    let filter = EnvFilter::try_from_env("MATINEE_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_target(false).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    // Lines are of events alone: spans are not written into them, which would cost each request.
    let lines = lines.with_filter(filter.and(filter_fn(|metadata| metadata.is_event())));
    tracing_subscriber::registry().with(lines).with(spans.with_filter(Spans::filter())).init();
}
