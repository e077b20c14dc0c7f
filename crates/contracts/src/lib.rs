//! The contracts between services, generated from `proto/`, and nothing else.

#![allow(clippy::all, clippy::unwrap_used, missing_docs)]

/// Titles, and which version of each is published.
pub mod catalog {
    tonic::include_proto!("matinee.catalog.v1");
}
/// Viewing history.
pub mod history {
    tonic::include_proto!("matinee.history.v1");
}
/// Master files.
pub mod ingest {
    tonic::include_proto!("matinee.ingest.v1");
}
/// Content keys and licences.
pub mod license {
    tonic::include_proto!("matinee.license.v1");
}
/// Playback sessions.
pub mod playback {
    tonic::include_proto!("matinee.playback.v1");
}
/// Workflows, their tasks and their workers.
pub mod workflow {
    tonic::include_proto!("matinee.workflow.v1");
}

/// Packages of which one uses another's messages stand as the generator names them.
mod matinee {
    pub mod events {
        pub mod v1 {
            tonic::include_proto!("matinee.events.v1");
        }
    }
    pub mod telemetry {
        pub mod v1 {
            tonic::include_proto!("matinee.telemetry.v1");
        }
    }
}

/// What happened, as it stands in the event log.
pub use matinee::events::v1 as events;
/// What players report.
pub use matinee::telemetry::v1 as telemetry;
