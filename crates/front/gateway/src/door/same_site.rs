//! Whether what changes something was meant by whoever is signed in: another site's page can make a browser send a
//! request with our cookies. Source: OWASP, "Cross-Site Request Forgery Prevention" (Fetch Metadata, origin checks).

use axum::extract::Request;
use http::{HeaderMap, HeaderValue, Method, header};

/// What clients that say nothing of where a request was made prove by: a page can't set it on a form.
const OWN_HEADER: &str = "x-requested-with";

/// Whether a page of another site wants to change something here. `origins` are other sites that may; `by_cookie`
/// whether the request is signed in by a cookie.
#[must_use]
pub fn forged(request: &Request, origins: &[HeaderValue], by_cookie: ByCookie) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let headers = request.headers();
    let origin = headers.get(header::ORIGIN);
    if origin.is_some_and(|origin| origins.contains(origin)) {
        return false;
    }
    if let Some(site) = headers.get("sec-fetch-site") {
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    // Browsers from before Fetch Metadata.
    if let Some(from) = origin.or_else(|| headers.get(header::REFERER)) {
        return !of_host(from, request);
    }
    by_cookie == ByCookie::Yes && !headers.contains_key(OWN_HEADER)
}

/// Whether a request is signed in by a cookie, which a browser sends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByCookie {
    /// It is.
    Yes,
    /// By a header, or not at all.
    No,
}

/// Whether an origin or an address is of the host that was asked.
fn of_host(from: &HeaderValue, request: &Request) -> bool {
    let host = request.uri().authority().map(|authority| authority.as_str()).or_else(|| host(request.headers()));
    let from = from.to_str().ok().and_then(|from| from.parse::<http::Uri>().ok());
    let from = from.as_ref().and_then(|from| from.authority()).map(|authority| authority.as_str());
    matches!((host, from), (Some(host), Some(from)) if bare(host).eq_ignore_ascii_case(bare(from)))
}

/// Without the port that its scheme implies: a proxy may leave it out.
fn bare(authority: &str) -> &str {
    authority.strip_suffix(":443").or_else(|| authority.strip_suffix(":80")).unwrap_or(authority)
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST).and_then(|host| host.to_str().ok())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    fn post(headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().method(Method::POST).uri("/api/play").header("host", "films.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn only_our_own_pages_change_something() {
        let friend = [HeaderValue::from_static("https://app.example")];
        for (headers, expected) in [
            (&[("sec-fetch-site", "same-origin")][..], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://app.example")], false),
            (&[("origin", "https://films.example")], false),
            (&[("origin", "https://films.example:443")], false),
            (&[("origin", "https://evil.example")], true),
            (&[("origin", "null")], true),
            (&[("referer", "https://films.example/title/a")], false),
            (&[("referer", "https://evil.example/films.example")], true),
            (&[("x-requested-with", "matinee")], false),
            (&[], true),
        ] {
            assert_eq!(forged(&post(headers), &friend, ByCookie::Yes), expected, "{headers:?}");
        }
        assert!(!forged(&post(&[]), &[], ByCookie::No), "without a cookie there is nothing to misuse");
    }

    proptest! {
        #[test]
        fn an_origin_that_is_not_ours_is_refused(origin in "[ -~]{1,60}") {
            let ours = origin.to_ascii_lowercase().contains("films.example");
            prop_assert!(ours || forged(&post(&[("origin", &origin)]), &[], ByCookie::Yes));
        }
    }
}
