//! What players said of themselves with their requests to an edge (CMCD), and where those players are.
//!
//! An edge knows neither territory nor network; the session's heartbeats do. What comes before the first of them counts
//! among all plays alone.

use matinee_contracts::events::SegmentRequested;
use matinee_contracts::telemetry::SegmentRequest;

/// The most requests of a report.
pub const MOST_REQUESTS: usize = 1000;
/// Characters of an id.
const LONGEST_TEXT: usize = 64;

/// Where a session plays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Where {
    /// ISO 3166-1; empty where it is not known.
    pub territory: String,
    /// Empty where it is not known.
    pub network: String,
}

/// The event of a request; nothing where it can't be taken.
#[must_use]
pub fn requested(request: SegmentRequest, place: Where, received_us: i64) -> Option<SegmentRequested> {
    let plain = |text: &&String| text.chars().count() <= LONGEST_TEXT && !text.chars().any(char::is_control);
    let texts = [&request.session, &request.title, &request.object];
    let taken = !request.session.is_empty() && texts.iter().all(plain);
    let Where { territory, network } = place;
    taken.then_some(SegmentRequested { request: Some(request), territory, network, received_us })
}
