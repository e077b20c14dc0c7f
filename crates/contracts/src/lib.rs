//! The contracts between services, generated from `proto/`, and nothing else.

#![allow(clippy::all, clippy::unwrap_used, missing_docs)]

macro_rules! packages {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// As the generator names them where one package uses another's messages.
        mod matinee {
            $(pub mod $name {
                pub mod v1 {
                    include!(concat!(env!("OUT_DIR"), "/matinee.", stringify!($name), ".v1.rs"));
                }
            })*
        }
        $($(#[$doc])* pub use matinee::$name::v1 as $name;)*
    };
}

packages! {
    /// Accounts, profiles and devices.
    accounts,
    /// Plans, subscriptions, invoices and the ledger.
    billing,
    /// Titles, people, artwork, licence windows, and which version of each title is published.
    catalog,
    /// What happened, as it stands in the event log.
    events,
    /// Viewing history.
    history,
    /// Master files.
    ingest,
    /// Events as Parquet.
    lake,
    /// Content keys and licences.
    license,
    /// Playback sessions.
    playback,
    /// Thumbs and lists.
    ratings,
    /// The rows of a profile's home.
    recommend,
    /// Search.
    search,
    /// What players report.
    telemetry,
    /// Spans of this installation.
    traces,
    /// Who asks.
    viewer,
    /// Workflows, their tasks and their workers.
    workflow,
}
