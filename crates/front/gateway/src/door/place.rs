//! Where a request comes from: the client's address, behind the operator's own proxies, and its territory.
//!
//! What a header says of either is believed only where a trusted proxy sent it: anyone can write a header.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use http::{HeaderMap, HeaderName};
use matinee_model::territory::Territory;

use super::network::{Network, Networks};

/// Languages of a request, at the most.
const MOST_LANGUAGES: usize = 5;
/// Hops of `X-Forwarded-For` that are looked at.
const MOST_HOPS: usize = 32;

/// How places are found out.
#[derive(Debug, Clone)]
pub struct Places {
    /// Where those are of whom nothing is known.
    pub default: Territory,
    /// The operator's table.
    pub networks: Networks,
    /// Whose word is believed.
    pub proxies: Vec<Network>,
    /// The header in which they say where the client is.
    pub header: Option<HeaderName>,
}

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The client's address.
    pub address: IpAddr,
    /// Where that is, where that is known.
    pub territory: Option<Territory>,
    /// The network's name; empty where it has none.
    pub network: String,
    /// Whether the client came by TLS, as the proxy says.
    pub by_tls: bool,
}

impl Places {
    /// Where `request` comes from.
    #[must_use]
    pub fn of(&self, request: &Request) -> Place {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip().to_canonical());
        let headers = request.headers();
        let trusted = self.trusts(peer);
        let address = if trusted { self.client(peer, headers) } else { peer };
        let told = self.header.as_ref().filter(|_| trusted).and_then(|name| headers.get(name));
        let told = told.and_then(|value| Territory::parse(value.to_str().ok()?.trim()).ok());
        let known = self.networks.of(address);
        Place {
            address,
            territory: told.or(known.map(|known| known.territory)),
            network: known.map(|known| known.name.clone()).unwrap_or_default(),
            by_tls: headers.get("x-forwarded-proto").is_some_and(|by| by.as_bytes() == b"https"),
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|proxy| proxy.holds(address))
    }

    /// The last address of the proxies' list that is not a proxy's own: what stands before it, the client wrote.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let hops: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        let mut nearest = peer;
        for hop in hops.iter().rev().take(MOST_HOPS) {
            let Some(address) = hop_address(hop) else { break };
            nearest = address;
            if !self.trusts(address) {
                break;
            }
        }
        nearest
    }
}

/// "192.0.2.1", "192.0.2.1:443", "2001:db8::1", "[2001:db8::1]:443".
fn hop_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let address = hop.parse::<IpAddr>().ok().or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()));
    let bracketed = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address.or_else(bracketed).map(|address| address.to_canonical())
}

/// The languages that `Accept-Language` names, the preferred first. Source: RFC 9110, section 12.5.4.
#[must_use]
pub fn languages(headers: &HeaderMap) -> Vec<String> {
    let Some(text) = headers.get(http::header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()) else {
        return Vec::new();
    };
    let mut wanted: Vec<(&str, f32)> = text
        .split(',')
        .take(20)
        .filter_map(|one| {
            let mut parts = one.split(';');
            let tag = parts.next().unwrap_or_default().trim();
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.trim().parse::<f32>().ok());
            let weight = weight.unwrap_or(1.0);
            (is_tag(tag) && weight > 0.0 && weight <= 1.0).then_some((tag, weight))
        })
        .collect();
    wanted.sort_by(|a, b| b.1.total_cmp(&a.1));
    wanted.into_iter().take(MOST_LANGUAGES).map(|(tag, _)| tag.to_owned()).collect()
}

/// Whether it has the form of a language tag (BCP 47).
fn is_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    let letters = (2..=8).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic());
    letters
        && tag.len() <= 35
        && parts.all(|p| !p.is_empty() && p.len() <= 8 && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use proptest::prelude::{prop_assert, proptest};

    use super::*;
    use crate::door::network::Known;

    fn places() -> Places {
        let known = Known { territory: Territory::parse("FR").unwrap(), name: "campus".to_owned() };
        Places {
            default: Territory::parse("DE").unwrap(),
            networks: Networks::new([("198.51.100.0/24".parse().unwrap(), known)]),
            proxies: vec!["10.0.0.0/8".parse().unwrap()],
            header: Some(HeaderName::from_static("x-territory")),
        }
    }

    fn request(peer: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        request
    }

    #[test]
    fn a_proxys_word_is_believed_and_a_clients_is_not() {
        let told = [("x-forwarded-for", "203.0.113.9, 192.0.2.1, 10.0.0.2"), ("x-territory", "at")];
        let place = places().of(&request("10.0.0.1", &told));
        assert_eq!(place.address, "192.0.2.1".parse::<IpAddr>().unwrap(), "what stands before it, the client wrote");
        assert_eq!(place.territory, Territory::parse("AT").ok());
        let place = places().of(&request("192.0.2.7", &told));
        assert_eq!((place.address, place.territory), ("192.0.2.7".parse().unwrap(), None));
    }

    #[test]
    fn a_network_of_the_table_says_where_it_is() {
        let place = places().of(&request("198.51.100.4", &[]));
        assert_eq!((place.territory, place.network.as_str()), (Territory::parse("FR").ok(), "campus"));
        let place = places().of(&request("10.0.0.1", &[("x-forwarded-for", "[::ffff:198.51.100.4]:9")]));
        assert_eq!(place.territory, Territory::parse("FR").ok());
    }

    #[test]
    fn the_preferred_language_comes_first() {
        let spoken = |text: &str| languages(request("10.0.0.1", &[("accept-language", text)]).headers());
        assert_eq!(spoken("en;q=0.5, de-AT, fr;q=0.9, *;q=0.1, xx;q=0"), ["de-AT", "fr", "en"]);
        assert!(spoken("../../etc, \", ;q=1").is_empty());
    }

    proptest! {
        #[test]
        fn any_headers_give_a_place(hops in "[ -~]{0,80}", told in "[ -~]{0,10}", spoken in "[ -~]{0,80}") {
            let headers = [("x-forwarded-for", &*hops), ("x-territory", &*told), ("accept-language", &*spoken)];
            let request = request("10.0.0.1", &headers);
            let _ = places().of(&request);
            prop_assert!(languages(request.headers()).iter().all(|tag| is_tag(tag)));
        }
    }
}
