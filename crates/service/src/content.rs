//! Content that never changes, over HTTP: ranges, entity tags and cache headers. Source: RFC 9110, RFC 9111.

use std::ops::Range;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// A version never changes, so nothing of it does.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// What is answered with.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// Changes when the bytes do. The first 32 characters become the entity tag.
    pub tag: &'a str,
    /// Bytes of the whole.
    pub size: u64,
    /// Its media type.
    pub media_type: &'a str,
}

/// A range of which nothing exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the range lies outside the content")]
pub struct Unsatisfiable;

/// The range that is asked for of `size` bytes: none for the whole, an error where it can't be had. Of several ranges none
/// is taken, as RFC 9110 allows.
pub fn wanted(header: Option<&HeaderValue>, size: u64) -> Result<Option<Range<u64>>, Unsatisfiable> {
    let Some(text) = header.and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("bytes=")) else {
        return Ok(None);
    };
    let Some((from, to)) = text.split_once('-') else { return Ok(None) };
    let range = match (from.trim().parse::<u64>(), to.trim().parse::<u64>()) {
        (Ok(from), Ok(to)) if from <= to => from..to.saturating_add(1).min(size),
        (Ok(from), Err(_)) if to.trim().is_empty() => from..size,
        (Err(_), Ok(last)) if from.trim().is_empty() && last > 0 => size.saturating_sub(last)..size,
        _ => return Ok(None),
    };
    if range.start >= range.end { Err(Unsatisfiable) } else { Ok(Some(range)) }
}

/// Answers with content that never changes: whole, as the range that is asked for, or not at all where the client has it.
pub fn answer(asked: &HeaderMap, content: &Content<'_>, body: impl FnOnce(Range<u64>) -> Body) -> Response {
    let size = content.size;
    let tag: String = content.tag.chars().take(32).collect();
    let tag = format!("\"{tag}\"");
    let mut headers = HeaderMap::new();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, FOREVER);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_TYPE, value(content.media_type.to_owned()));
    let matches = |name: header::HeaderName| {
        let value = asked.get(name)?.to_str().ok()?;
        Some(value.split(',').any(|one| {
            matches!(one.trim().trim_start_matches("W/"), "*") || one.trim().trim_start_matches("W/") == tag
        }))
    };
    if matches(header::IF_NONE_MATCH) == Some(true) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let ranges = if matches(header::IF_RANGE) == Some(false) { None } else { asked.get(header::RANGE) };
    let (status, range) = match wanted(ranges, size) {
        Ok(None) => (StatusCode::OK, 0..size),
        Ok(Some(range)) => (StatusCode::PARTIAL_CONTENT, range),
        Err(Unsatisfiable) => {
            headers.remove(header::CACHE_CONTROL);
            headers.insert(header::CONTENT_RANGE, value(format!("bytes */{size}")));
            return (StatusCode::RANGE_NOT_SATISFIABLE, headers, Bytes::new()).into_response();
        }
    };
    if status == StatusCode::PARTIAL_CONTENT {
        headers.insert(header::CONTENT_RANGE, value(format!("bytes {}-{}/{size}", range.start, range.end - 1)));
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    (status, headers, body(range)).into_response()
}

fn value(text: String) -> HeaderValue {
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    #[test]
    fn ranges_are_those_of_rfc_9110() {
        let of = |text: &str| wanted(Some(&HeaderValue::from_str(text).unwrap()), 100);
        assert_eq!(of("bytes=0-9"), Ok(Some(0..10)));
        assert_eq!(of("bytes=90-"), Ok(Some(90..100)));
        assert_eq!(of("bytes=-10"), Ok(Some(90..100)));
        assert_eq!(of("bytes=-1000"), Ok(Some(0..100)));
        assert_eq!(of("bytes=50-5000"), Ok(Some(50..100)));
        assert_eq!(of("bytes=100-"), Err(Unsatisfiable));
        for ignored in ["bytes=9-0", "bytes=a-b", "lines=0-9", "bytes=0-1,5-6", "bytes=-0"] {
            assert_eq!(of(ignored), Ok(None), "{ignored}");
        }
    }

    proptest! {
        #[test]
        fn a_range_never_leaves_what_there_is(text in "bytes=[0-9]{0,21}-[0-9]{0,21}", size in any::<u64>()) {
            if let Ok(Some(range)) = wanted(Some(&HeaderValue::from_str(&text).unwrap()), size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
