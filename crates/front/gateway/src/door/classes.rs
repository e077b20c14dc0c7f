//! What kind of request it is: what is shed first under load, how long it may take, and how large its body may be.
//!
//! By the route's template, so that no address can choose its own class.

use std::time::Duration;

use http::{HeaderMap, Method};
use matinee_service::door::Entry;
use matinee_service::resilience::Priority;

/// A screen or a small change.
const USUAL: Duration = Duration::from_secs(15);
/// A play: a player that waited longer asks again.
const PLAY: Duration = Duration::from_secs(8);
/// What reads or writes much: a catalogue, a picture, all that is kept of an account, a trained model.
const LONG: Duration = Duration::from_secs(300);

/// Of a body of JSON, in bytes.
const SMALL: usize = 64 << 10;
/// Of a thousand heartbeats, in bytes.
const HEARTBEATS: usize = 512 << 10;
/// Of a webhook, in bytes.
const WEBHOOK: usize = 256 << 10;
/// Of a title with all its people and words, in bytes.
const TITLE: usize = 1 << 20;
/// Of a picture, in bytes.
const PICTURE: usize = 24 << 20;
/// Of a whole catalogue, in bytes.
const CATALOGUE: usize = 64 << 20;

/// How a request of this route is taken.
#[must_use]
pub fn entry(method: &Method, route: &str, headers: &HeaderMap) -> Entry {
    Entry { priority: priority(method, route, headers), patience: patience(method, route) }
}

fn priority(method: &Method, route: &str, headers: &HeaderMap) -> Priority {
    match route {
        "/api/play" | "/api/{device}/play" | "/api/sessions/{id}/end" | "/api/account/refresh" => Priority::Play,
        // Money is told once, and whoever tells it comes again ever later.
        "/webhooks/{provider}" => Priority::Play,
        "/api/heartbeats" => Priority::Telemetry,
        _ if *method == Method::GET && ahead_of_time(headers) => Priority::Prefetch,
        _ => Priority::Browse,
    }
}

/// Whether nobody waits for it yet. Source: W3C "Speculation", `Sec-Purpose`; browsers before it say `Purpose`.
fn ahead_of_time(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-moz", "x-purpose"].iter().any(|name| {
        let value = headers.get(*name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| {
            let first = value.split([';', ',']).next().unwrap_or_default().trim();
            first.eq_ignore_ascii_case("prefetch")
        })
    })
}

fn patience(method: &Method, route: &str) -> Option<Duration> {
    match route {
        "/api/play" | "/api/{device}/play" => Some(PLAY),
        // Streams of events, and films on their way in, take as long as they take.
        "/api/studio/workflows/{id}/events" => None,
        "/uploads" | "/uploads/{id}" => None,
        "/api/studio/catalog/import"
        | "/api/studio/catalog/export"
        | "/api/studio/catalog/titles/{id}/artwork/{kind}"
        | "/api/studio/models"
        | "/api/studio/search"
        | "/api/account/export" => Some(LONG),
        "unmatched" if *method != Method::GET && *method != Method::HEAD => None,
        _ => Some(USUAL),
    }
}

/// What a route's requests are limited together with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// Screens and plays.
    Screens,
    /// Reports of players.
    Reports,
    /// Nothing: files, pictures, uploads, streams of events.
    Not,
}

/// What requests of this route are limited together with.
#[must_use]
pub fn limited(route: &str) -> Limited {
    match route {
        "/api/heartbeats" => Limited::Reports,
        "/api/artwork/{title}/{kind}" | "/api/studio/workflows/{id}/events" => Limited::Not,
        _ if route.starts_with("/api/") || route == "/graphql" => Limited::Screens,
        _ => Limited::Not,
    }
}

/// The most bytes of a body that this route takes.
#[must_use]
pub fn body_limit(route: &str) -> usize {
    match route {
        "/api/heartbeats" => HEARTBEATS,
        "/webhooks/{provider}" => WEBHOOK,
        "/api/studio/catalog/import" => CATALOGUE,
        "/api/studio/catalog/titles/{id}/artwork/{kind}" => PICTURE,
        "/graphql" => TITLE,
        _ if route.starts_with("/api/studio/catalog/") => TITLE,
        _ => SMALL,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn plays_come_before_browsing_and_heartbeats_last() {
        let of = |method: Method, route: &str, purpose: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(purpose) = purpose {
                headers.insert("sec-purpose", HeaderValue::from_static(purpose));
            }
            entry(&method, route, &headers).priority
        };
        let play = of(Method::POST, "/api/{device}/play", Some("prefetch"));
        let browse = of(Method::GET, "/api/{device}/home", None);
        let prefetch = of(Method::GET, "/api/{device}/home", Some("prefetch;prerender"));
        let telemetry = of(Method::POST, "/api/heartbeats", None);
        assert!(play > browse && browse > prefetch && prefetch > telemetry);
    }

    #[test]
    fn only_what_lasts_has_no_limit() {
        assert_eq!(entry(&Method::GET, "/api/studio/workflows/{id}/events", &HeaderMap::new()).patience, None);
        assert_eq!(entry(&Method::GET, "/api/{device}/home", &HeaderMap::new()).patience, Some(USUAL));
        assert!(body_limit("/api/account/sign-in") < body_limit("/api/heartbeats"));
    }
}
