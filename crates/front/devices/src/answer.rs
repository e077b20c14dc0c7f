//! How a screen is sent: as JSON with an entity tag, so that one that did not change is not sent again.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

/// Of one viewer, and looked at again each time.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// `screen` as JSON, or that the client has it already.
pub fn screen(asked: &HeaderMap, screen: &impl Serialize) -> Response {
    let body = match serde_json::to_vec(screen) {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(%error, "a screen can't be written as JSON");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    // Weak: it may be sent compressed or not.
    let tag = format!("W/\"{}\"", &blake3::hash(&body).to_hex()[..24]);
    let known = asked.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let has = known.is_some_and(|known| known.split(',').any(|one| weak(one) == weak(&tag)));
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, PRIVATE);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    if has {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (headers, body).into_response()
}

fn weak(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    #[test]
    fn what_did_not_change_is_not_sent_again() {
        let first = screen(&HeaderMap::new(), &[1, 2, 3]);
        let mut asked = HeaderMap::new();
        asked.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(screen(&asked, &[1, 2, 3]).status(), 304);
        assert_eq!(screen(&asked, &[1, 2]).status(), 200);
    }

    proptest! {
        #[test]
        fn any_header_is_borne(text in "[ -~]{0,60}") {
            let mut asked = HeaderMap::new();
            asked.insert(header::IF_NONE_MATCH, HeaderValue::from_str(&text).unwrap());
            prop_assert!(screen(&asked, &[1]).status() == StatusCode::OK);
        }
    }
}
