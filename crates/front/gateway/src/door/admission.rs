//! Who comes in: the door's own checks of a request, before any service hears of it.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use matinee_model::ids::{AccountId, ProfileId};
use matinee_model::territory::Territory;
use matinee_service::access::{AccessClaims, AccessError, AccessKeys};
use matinee_service::clock::Clock;
use matinee_service::context::Context;
use matinee_service::http::{BodyLimit, Problem};
use matinee_service::limits::{KeyedLimiter, address_key};
use matinee_service::resilience::fault::Faults;
use matinee_service::viewer::{Member, Membership, Role, Viewer};

use super::classes::body_limit;
use super::cookies::{self, Transport};
use super::place::{Place, Places, languages};
use super::same_site::{ByCookie, forged};
use super::{BehindTls, DoorSettings};

/// How long a browser is known again, from its last visit, in seconds: a year.
const VIEWER_KEPT: u64 = 365 * 24 * 3600;
/// For how long a token goes on that can't be refreshed because accounts do not answer, from when it was issued, in
/// seconds: half a day.
const LENGTHENED: u64 = 12 * 3600;
/// How long it holds each time, in seconds.
const LONGER: u64 = 300;
/// Keys of a limiter, at the most.
const MOST_KEYS: usize = 100_000;

/// Whether a group of routes asks who is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokens {
    /// It does: a token that does not hold is refused.
    Read,
    /// It does not, so that an old token never stands in the way of a new one.
    Ignored,
    /// It does not, and it is not counted either: pictures, which a page asks for by the hundred.
    Public,
}

/// The door's checks. Cheap to share.
#[derive(Debug)]
pub struct Doorman {
    pub(crate) membership: Membership,
    pub(crate) public_url: Option<String>,
    places: Places,
    origins: Vec<HeaderValue>,
    tls: BehindTls,
    keys: AccessKeys,
    clock: Arc<dyn Clock>,
    by_address: Option<KeyedLimiter<IpAddr>>,
    by_account: Option<KeyedLimiter<AccountId>>,
    test_accounts: Vec<AccountId>,
}

/// How a request came, for those who set cookies.
#[derive(Debug, Clone, Copy)]
pub struct CameBy(pub Transport);

impl Doorman {
    pub(crate) fn new(settings: &DoorSettings, keys: AccessKeys, clock: Arc<dyn Clock>) -> Self {
        Self {
            membership: settings.membership,
            public_url: settings.public_url.clone(),
            places: settings.places.clone(),
            origins: settings.origins.clone(),
            tls: settings.tls,
            keys,
            clock,
            by_address: settings.quotas.address.map(|quota| KeyedLimiter::new(quota, MOST_KEYS)),
            by_account: settings.quotas.account.map(|quota| KeyedLimiter::new(quota, MOST_KEYS)),
            test_accounts: settings.test_accounts.clone(),
        }
    }

    /// Microseconds since 1970.
    pub(crate) fn now_us(&self) -> i64 {
        self.clock.now_us()
    }

    /// What stands in for a refresh while accounts do not answer: the access token that this request carries, for a little
    /// longer, and who it is of. It may have expired, but not long ago; it gives nothing but watching; and however often
    /// that is done, it is over [`LENGTHENED`] after accounts last said who this is.
    pub(crate) fn lengthened(&self, viewer: &Viewer, headers: &HeaderMap) -> Option<(String, AccessClaims, Viewer)> {
        let now = self.clock.now_seconds();
        let token = credentials(headers).0?;
        let claims = match self.keys.verify(token, now) {
            Err(AccessError::Expired(ago)) => self.keys.verify(token, now.saturating_sub(ago + 1)).ok()?,
            known => known.ok()?,
        };
        let last = claims.iat.saturating_add(LENGTHENED);
        if last <= now {
            return None;
        }
        let claims = AccessClaims { exp: last.min(now + LONGER).max(claims.exp), roles: Vec::new(), ..claims };
        let token = self.keys.issue(&claims).ok()?;
        let viewer = Viewer {
            member: Some(Member { account: claims.account.clone(), device: claims.device.clone(), roles: Vec::new() }),
            profile: claims.profile.clone(),
            maturity_limit: claims.maturity_limit,
            languages: claims.languages.clone(),
            ..viewer.clone()
        };
        Some((token, claims, viewer))
    }

    /// The address by which the browser knows this installation, without a slash at its end.
    pub(crate) fn base(&self, headers: &HeaderMap, CameBy(transport): CameBy) -> String {
        if let Some(url) = &self.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let scheme = if transport == Transport::Tls { "https" } else { "http" };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        format!("{scheme}://{host}")
    }

    /// Lets a request in, with its [`Viewer`], or says why not.
    pub(crate) async fn admit(&self, tokens: Tokens, mut request: Request, next: Next) -> Response {
        // HTTP/2 names the host in the request's address.
        if let Some(authority) = request.uri().authority().map(|a| a.as_str().to_owned())
            && let Ok(host) = HeaderValue::from_str(&authority)
        {
            request.headers_mut().entry(header::HOST).or_insert(host);
        }
        let place = self.places.of(&request);
        let transport = if self.tls.0 || place.by_tls { Transport::Tls } else { Transport::Plain };
        let (token, by_cookie) = match tokens {
            Tokens::Read => credentials(request.headers()),
            Tokens::Ignored | Tokens::Public => (None, carries_refresh(request.headers())),
        };
        if forged(&request, &self.origins, by_cookie) {
            let detail = "this is changed only from Matinee's own pages";
            return Problem::forbidden(detail).with_code("other_site").into_response();
        }
        if let Some(limit) = self.by_address.as_ref().filter(|_| tokens != Tokens::Public)
            && let Err(wait) = limit.check(&address_key(place.address))
        {
            return Problem::from(wait).into_response();
        }
        let claims = token.map(|token| self.keys.verify(token, self.clock.now_seconds())).transpose();
        let claims = match claims {
            Ok(claims) => claims,
            Err(error) => return refused(&error, by_cookie, transport),
        };
        if let (Some(limit), Some(claims)) = (&self.by_account, &claims)
            && let Err(wait) = limit.check(&claims.account)
        {
            return Problem::from(wait).into_response();
        }
        let browser = (self.membership == Membership::Open && claims.is_none() && tokens == Tokens::Read)
            .then(|| known_browser(request.headers()).unwrap_or_else(ProfileId::fresh));
        let viewer = self.viewer(claims, browser.clone(), place, request.headers());
        let faults = match self.faults(&viewer, request.headers()) {
            Ok(faults) => faults,
            Err(problem) => return problem.into_response(),
        };
        let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
        let extensions = request.extensions_mut();
        extensions.insert(BodyLimit(body_limit(route.as_deref().unwrap_or_default())));
        extensions.insert(CameBy(transport));
        extensions.insert(viewer);
        let mut response = match faults {
            Some(faults) => Context::current().with_faults(faults).scope(next.run(request)).await,
            None => next.run(request).await,
        };
        if let Some(browser) = browser {
            cookies::keep(response.headers_mut(), cookies::VIEWER, browser.as_str(), VIEWER_KEPT, transport);
        }
        response
    }

    fn viewer(
        &self,
        claims: Option<AccessClaims>,
        browser: Option<ProfileId>,
        place: Place,
        headers: &HeaderMap,
    ) -> Viewer {
        let nobody = Viewer {
            territory: place.territory.unwrap_or(self.places.default),
            network: place.network,
            address: place.address,
            membership: self.membership,
            ..Viewer::nobody(self.places.default, self.membership)
        };
        let Some(claims) = claims else {
            return Viewer { profile: browser, languages: languages(headers), ..nobody };
        };
        // Where nothing says where a request comes from, it comes from where the account is at home.
        let home = || Territory::parse(&claims.territory).ok();
        let roles = claims.roles.iter().filter_map(|role| Role::parse(role)).collect();
        Viewer {
            territory: place.territory.or_else(home).unwrap_or(self.places.default),
            member: Some(Member { account: claims.account, device: claims.device, roles }),
            profile: claims.profile,
            maturity_limit: claims.maturity_limit,
            languages: if claims.languages.is_empty() { languages(headers) } else { claims.languages },
            ..nobody
        }
    }

    /// The faults that a tester asks for; anybody else's wish is not heard.
    fn faults(&self, viewer: &Viewer, headers: &HeaderMap) -> Result<Option<Faults>, Problem> {
        let tests = viewer.member.as_ref().is_some_and(|member| self.test_accounts.contains(&member.account));
        if !tests && !viewer.may(Role::Admin) {
            return Ok(None);
        }
        Faults::from_headers(headers).map_err(|error| Problem::field("x-matinee-fault", error.to_string()))
    }
}

/// The access token of a request: by its header, else by its cookie.
fn credentials(headers: &HeaderMap) -> (Option<&str>, ByCookie) {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = authorization.and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    if bearer.is_some() {
        return (bearer, ByCookie::No);
    }
    let cookie = cookies::read(headers, cookies::ACCESS);
    (cookie, if cookie.is_some() { ByCookie::Yes } else { ByCookie::No })
}

fn carries_refresh(headers: &HeaderMap) -> ByCookie {
    if cookies::read(headers, cookies::REFRESH).is_some() { ByCookie::Yes } else { ByCookie::No }
}

/// The id in the browser's cookie, where it is one of ours.
fn known_browser(headers: &HeaderMap) -> Option<ProfileId> {
    let id = cookies::read(headers, cookies::VIEWER)?;
    let ours = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    ours.then(|| ProfileId::parse(id).ok()).flatten()
}

fn refused(error: &AccessError, by_cookie: ByCookie, transport: Transport) -> Response {
    let expired = matches!(error, AccessError::Expired(_));
    let code = if expired { "expired" } else { "invalid_token" };
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "not signed in", error.to_string()).with_code(code);
    let mut response = problem.into_response();
    let headers = response.headers_mut();
    headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
    // One that expired stays, so that the application knows to refresh it; one that never held is of no use.
    if !expired && by_cookie == ByCookie::Yes {
        cookies::forget(headers, cookies::ACCESS, transport);
    }
    response
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn only_an_id_of_ours_is_known_again() {
        let id = ProfileId::fresh();
        let known = |value: &str| known_browser(&with(header::COOKIE, value));
        assert_eq!(known(&format!("a=b; matinee_viewer={id}; c=d")), Some(id));
        for other in ["", "matinee_viewer", "matinee_viewer=", "matinee_viewer=../../etc/passwd", "viewer=0123"] {
            assert_eq!(known(other), None, "{other}");
        }
        assert_eq!(known(&format!("matinee_viewer={}", "0".repeat(31))), None);
    }

    #[test]
    fn a_header_comes_before_a_cookie() {
        let mut headers = with(header::COOKIE, "matinee_access=cookie");
        assert_eq!(credentials(&headers), (Some("cookie"), ByCookie::Yes));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("bearer header"));
        assert_eq!(credentials(&headers), (Some("header"), ByCookie::No));
        // The studio's password is no token.
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic c3R1ZGlvOg=="));
        assert_eq!(credentials(&headers), (Some("cookie"), ByCookie::Yes));
    }

    proptest! {
        #[test]
        fn any_header_is_read(text in "[ -~]{0,80}") {
            let headers = with(header::AUTHORIZATION, &text);
            let (token, by_cookie) = credentials(&headers);
            prop_assert!(by_cookie == ByCookie::No && token.is_none_or(|token| text.contains(token)));
        }
    }
}
