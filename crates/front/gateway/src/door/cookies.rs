//! The cookies of a browser: its tokens, out of reach of scripts, and until somebody signs in who it is.

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

/// Carries the access token, to every route.
pub const ACCESS: &str = "matinee_access";
/// Carries the refresh token, to the account's routes alone.
pub const REFRESH: &str = "matinee_refresh";
/// Binds a sign-in elsewhere to the browser that began it.
pub const OPENID: &str = "matinee_openid";
/// Knows a browser again in an installation without accounts.
pub const VIEWER: &str = "matinee_viewer";

/// Where each is sent.
fn path(name: &str) -> &'static str {
    match name {
        REFRESH => "/api/account",
        OPENID => "/api/openid",
        _ => "/",
    }
}

/// Whether the browser came by TLS, so that it keeps its cookies to that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// It did.
    Tls,
    /// It did not.
    Plain,
}

/// The cookie of this name.
#[must_use]
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value).filter(|value| !value.is_empty())
}

/// Keeps a cookie in the browser for so many seconds.
pub fn keep(headers: &mut HeaderMap, name: &str, value: &str, seconds: u64, transport: Transport) {
    let secure = if transport == Transport::Tls { "; Secure" } else { "" };
    let path = path(name);
    let text = format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    match HeaderValue::from_str(&text) {
        Ok(mut value) => {
            value.set_sensitive(true);
            headers.append(SET_COOKIE, value);
        }
        Err(_) => tracing::error!(name, "a cookie can't stand in a header"),
    }
}

/// Makes the browser forget a cookie.
pub fn forget(headers: &mut HeaderMap, name: &str, transport: Transport) {
    keep(headers, name, "", 0, transport);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    #[test]
    fn the_refresh_token_goes_to_the_account_alone_and_no_token_to_scripts() {
        for (name, place) in [(ACCESS, "Path=/;"), (REFRESH, "Path=/api/account;"), (OPENID, "Path=/api/openid;")] {
            for (transport, secure) in [(Transport::Tls, true), (Transport::Plain, false)] {
                let mut headers = HeaderMap::new();
                keep(&mut headers, name, "v", 60, transport);
                let text = headers[SET_COOKIE].to_str().unwrap();
                assert!(text.contains(place) && text.contains("HttpOnly") && text.contains("SameSite=Lax"), "{text}");
                assert_eq!(text.contains("; Secure"), secure, "{text}");
            }
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=b; matinee_access=x.y.z; c"));
        headers.append(COOKIE, HeaderValue::from_static("matinee_refresh=r"));
        assert_eq!(read(&headers, ACCESS), Some("x.y.z"));
        assert_eq!(read(&headers, REFRESH), Some("r"));
        assert_eq!(read(&headers, VIEWER), None);
    }

    proptest! {
        #[test]
        fn any_cookies_are_read(text in "[ -~]{0,100}") {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_str(&text).unwrap());
            prop_assert!(read(&headers, ACCESS).is_none_or(|value| !value.contains(';')));
        }
    }
}
