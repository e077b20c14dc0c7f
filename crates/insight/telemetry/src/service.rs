//! The gRPC contract: from reports to events.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::try_join_all;
use matinee_contracts::telemetry::telemetry_server::{Telemetry, TelemetryServer};
use matinee_contracts::telemetry::{ReportReply, ReportRequest};
use matinee_engines::events::{EventError, Events};
use matinee_service::clock::{Clock, SystemClock};
use prost::Message;
use tonic::{Code, Request, Response, Status};

use crate::report::heartbeats;

/// The topic of heartbeats.
pub const TOPIC: &str = "heartbeats";

/// Telemetry. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TelemetryService {
    log: Events,
    clock: Arc<dyn Clock>,
}

impl TelemetryService {
    /// Into this log.
    #[must_use]
    pub fn open(log: Events) -> Self {
        Self::new(log, Arc::new(SystemClock))
    }

    /// By any clock.
    #[must_use]
    pub fn new(log: Events, clock: Arc<dyn Clock>) -> Self {
        Self { log, clock }
    }

    /// The contract, to be called or hosted.
    #[must_use]
    pub fn server(&self) -> TelemetryServer<Self> {
        TelemetryServer::new(self.clone())
    }
}

fn status(error: EventError) -> Status {
    let code = match &error {
        EventError::Name { .. } | EventError::TooLong { .. } => Code::InvalidArgument,
        EventError::NoSpace { .. } => Code::ResourceExhausted,
        EventError::Damaged { .. } => Code::DataLoss,
        EventError::InUse(_) | EventError::Io { .. } | EventError::Closed => Code::Unavailable,
    };
    Status::new(code, error.to_string())
}

#[tonic::async_trait]
impl Telemetry for TelemetryService {
    async fn report(&self, request: Request<ReportRequest>) -> Result<Response<ReportReply>, Status> {
        let events = heartbeats(request.into_inner(), self.clock.now_us())
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let taken = u32::try_from(events.len()).unwrap_or(u32::MAX);
        // At once, so that they share a sync with each other and with those of other viewers.
        let appends = events.iter().map(|event| {
            let payload = Bytes::from(event.encode_to_vec());
            self.log.append(TOPIC, &event.profile, payload)
        });
        try_join_all(appends).await.map_err(status)?;
        Ok(Response::new(ReportReply { taken }))
    }
}
