//! Who watches: until somebody signs in, each browser is a viewer of its own, known by a random id in a cookie.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use matinee_model::ids::ProfileId;
use matinee_service::http::problem;

use crate::guard::from_another_site;

const COOKIE: &str = "matinee_viewer";
/// A year, from the last visit.
const KEPT_SECONDS: u32 = 365 * 24 * 3600;

/// Whether the door itself speaks TLS. A proxy before it that does says so in `X-Forwarded-Proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BehindTls(pub bool);

/// The profile of the request.
#[derive(Debug, Clone)]
pub struct Viewer(pub ProfileId);

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let missing =
            || problem(StatusCode::INTERNAL_SERVER_ERROR, "something went wrong on our side", "nobody watches");
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}

/// The id in the request's cookies, where it is one of ours.
fn known(request: &Request) -> Option<ProfileId> {
    let cookies = request.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let ours = pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value);
    ours.filter(|value| value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit()))
        .find_map(|value| ProfileId::parse(value).ok())
}

/// Knows the viewer again, or makes a new one. What changes something is taken from our own pages only.
pub async fn recognise(State(BehindTls(tls)): State<BehindTls>, mut request: Request, next: Next) -> Response {
    if from_another_site(&request) {
        return problem(StatusCode::FORBIDDEN, "not allowed", "this is changed only from Matinee's own pages");
    }
    let forwarded = request.headers().get("x-forwarded-proto").is_some_and(|by| by.as_bytes() == b"https");
    let profile = known(&request).unwrap_or_else(ProfileId::fresh);
    request.extensions_mut().insert(Viewer(profile.clone()));
    let mut response = next.run(request).await;
    let secure = if tls || forwarded { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={profile}; Path=/api; Max-Age={KEPT_SECONDS}; HttpOnly; SameSite=Lax{secure}");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[tokio::test]
    async fn a_cookie_behind_tls_is_never_sent_without() {
        use tower::ServiceExt;
        for (tls, expected) in [(true, true), (false, false)] {
            let layer = axum::middleware::from_fn_with_state(BehindTls(tls), recognise);
            let door = axum::Router::new().route("/", axum::routing::get(|| async {})).layer(layer);
            let answer = door.oneshot(Request::builder().uri("/").body(Body::empty()).unwrap()).await.unwrap();
            let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
            assert_eq!(cookie.contains("; Secure"), expected, "{cookie}");
            assert!(cookie.contains("; HttpOnly"), "{cookie}");
        }
    }

    fn with(cookie: &str) -> Request {
        Request::builder().header(header::COOKIE, cookie).body(Body::empty()).unwrap()
    }

    #[test]
    fn only_an_id_of_ours_is_known_again() {
        let id = ProfileId::fresh();
        assert_eq!(known(&with(&format!("a=b; {COOKIE}={id}; c=d"))), Some(id));
        for other in ["", "matinee_viewer", "matinee_viewer=", "matinee_viewer=../../etc/passwd", "viewer=0123"] {
            assert_eq!(known(&with(other)), None, "{other}");
        }
        assert_eq!(known(&with(&format!("{COOKIE}={}", "0".repeat(31)))), None);
    }
}
