//! The origin over HTTP: `/origin/{version}/{protection}/{profile}/…`, with ranges, entity tags and cache headers.

use std::ops::Range;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::{StreamExt, stream};
use http::HeaderMap;
use matinee_service::content::{Content, answer};

use crate::address;
use crate::error::OriginError;
use crate::service::{Made, OriginService, TrackStream};

/// Routes of the origin.
pub fn router(service: OriginService) -> Router {
    Router::new().route("/origin/{*path}", get(serve)).with_state(service)
}

async fn serve(State(service): State<OriginService>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    let Some(address) = address::parse(&format!("/{path}")) else {
        return OriginError::NotFound(format!("{path:?} is no address of a stream")).into_response();
    };
    match service.make(&address).await {
        Ok(Made::Bytes(content)) => {
            let tag = blake3::hash(&content.bytes).to_hex();
            let size = content.bytes.len() as u64;
            answer(&headers, &Content { tag: &tag, size, media_type: content.media_type }, |range| {
                Body::from(content.bytes.slice(range.start as usize..range.end as usize))
            })
        }
        Ok(Made::Track(stream)) => whole(service, stream, &headers),
        Err(error) => error.into_response(),
    }
}

fn whole(service: OriginService, track: TrackStream, headers: &HeaderMap) -> Response {
    let tag = match track.identity() {
        Ok(identity) => blake3::hash(identity.as_bytes()).to_hex(),
        Err(error) => return error.into_response(),
    };
    let (size, media_type) = (track.whole.size, track.media_type());
    answer(headers, &Content { tag: &tag, size, media_type }, move |range| {
        let parts = parts(&track, &range);
        Body::from_stream(stream::iter(parts).then(move |(number, part)| {
            let (service, track) = (service.clone(), track.clone());
            async move {
                let bytes = service.part(&track, number).await.map_err(std::io::Error::other)?;
                let slice = bytes.get(part).map(|found| bytes.slice_ref(found));
                slice.ok_or_else(|| std::io::Error::other("a part is shorter than planned"))
            }
        }))
    })
}

/// Which parts of a track (0 is its head) hold a range, and what of each.
fn parts(track: &TrackStream, range: &Range<u64>) -> Vec<(usize, Range<usize>)> {
    let head = track.whole.head.len() as u64;
    let segments = track.whole.segments.iter().map(|s| s.offset..s.offset + s.size);
    let mut found = Vec::new();
    for (number, part) in std::iter::once(0..head).chain(segments).enumerate() {
        let (start, end) = (part.start.max(range.start), part.end.min(range.end));
        if start < end {
            found.push((number, (start - part.start) as usize..(end - part.start) as usize));
        }
    }
    found
}
