//! The gRPC contract: from reports to events.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use matinee_contracts::events::{Heartbeat, SegmentRequested};
use matinee_contracts::telemetry::telemetry_server::{Telemetry, TelemetryServer};
use matinee_contracts::telemetry::{
    PlayQualityReply, PlayQualityRequest, ReportReply, ReportRequest, SegmentRequest, SegmentsReply, SegmentsReport,
};
use matinee_engines::events::{EventError, Events};
use matinee_service::clock::{Clock, SystemClock};
use prost::Message;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};

use crate::quality::{By, LONGEST_WINDOW, Quality};
use crate::report::{FieldError, heartbeats};
use crate::segments::{MOST_REQUESTS, requested};
use crate::watch::watch;

/// The topic of heartbeats.
pub const TOPIC: &str = "heartbeats";
/// The topic of what players said with their requests.
pub const SEGMENTS: &str = "segments";

/// Telemetry. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TelemetryService {
    log: Events,
    clock: Arc<dyn Clock>,
    quality: Arc<Mutex<Quality>>,
}

/// The window of [`Telemetry::play_quality`] where none is asked for, in seconds.
const WINDOW: u32 = 300;

impl TelemetryService {
    /// Into this log.
    #[must_use]
    pub fn open(log: Events) -> Self {
        Self::new(log, Arc::new(SystemClock))
    }

    /// By any clock.
    #[must_use]
    pub fn new(log: Events, clock: Arc<dyn Clock>) -> Self {
        Self { log, clock, quality: Arc::default() }
    }

    /// The contract, to be called or hosted.
    #[must_use]
    pub fn server(&self) -> TelemetryServer<Self> {
        TelemetryServer::new(self.clone())
    }

    /// Follows how plays go, from the last day's heartbeats on, until `stop`. Each process that answers
    /// [`Telemetry::play_quality`] does so.
    pub async fn watch(&self, stop: CancellationToken) {
        watch(&self.log, &self.quality, self.clock.as_ref(), stop).await;
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
        let encoded = |event: Heartbeat| {
            let payload = Bytes::from(event.encode_to_vec());
            (event.profile, payload)
        };
        self.log.append_all(TOPIC, events.into_iter().map(encoded).collect()).await.map_err(status)?;
        Ok(Response::new(ReportReply { taken }))
    }

    async fn report_segments(&self, request: Request<SegmentsReport>) -> Result<Response<SegmentsReply>, Status> {
        let SegmentsReport { requests } = request.into_inner();
        if requests.is_empty() || requests.len() > MOST_REQUESTS {
            let reason = format!("{} came, 1 to {MOST_REQUESTS} are taken", requests.len());
            return Err(Status::invalid_argument(FieldError { field: "requests".to_owned(), reason }.to_string()));
        }
        let now_us = self.clock.now_us();
        let events: Vec<_> = {
            let quality = self.quality.lock().unwrap_or_else(PoisonError::into_inner);
            let event = |request: SegmentRequest| {
                let place = quality.place(&request.session);
                requested(request, place, now_us)
            };
            requests.into_iter().filter_map(event).collect()
        };
        let taken = u32::try_from(events.len()).unwrap_or(u32::MAX);
        let encoded = |event: SegmentRequested| {
            let payload = Bytes::from(event.encode_to_vec());
            (event.request.map(|request| request.session).unwrap_or_default(), payload)
        };
        self.log.append_all(SEGMENTS, events.into_iter().map(encoded).collect()).await.map_err(status)?;
        Ok(Response::new(SegmentsReply { taken }))
    }

    async fn play_quality(&self, request: Request<PlayQualityRequest>) -> Result<Response<PlayQualityReply>, Status> {
        let PlayQualityRequest { window_seconds, by } = request.into_inner();
        let refused = |field: &str, reason: String| {
            let error = FieldError { field: field.to_owned(), reason };
            Status::invalid_argument(error.to_string())
        };
        let by = match by.as_str() {
            "" => By::Nothing,
            "territory" => By::Territory,
            "network" => By::Network,
            _ => return Err(refused("by", "nothing, territory and network are taken".to_owned())),
        };
        if window_seconds > LONGEST_WINDOW {
            let reason = format!("{window_seconds} is more than the {LONGEST_WINDOW} that are taken");
            return Err(refused("window_seconds", reason));
        }
        let window = if window_seconds == 0 { WINDOW } else { window_seconds };
        let quality = self.quality.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Response::new(quality.answer(self.clock.now_us(), window, by)))
    }
}
