//! Networks by their prefix, and which territory each is in. Source: RFC 4632 (CIDR).

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use matinee_model::territory::Territory;

/// Why a text is not a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("network {0:?} is refused: an address and the length of its prefix are taken, such as 192.0.2.0/24")]
pub struct NetworkError(String);

/// Addresses that begin alike. IPv4 addresses are those of `::ffff:0:0/96`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    bits: u128,
    prefix: u8,
}

impl Network {
    /// Whether `address` is in it.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        masked(bits(address), self.prefix) == self.bits
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn masked(bits: u128, prefix: u8) -> u128 {
    let rest = 128 - u32::from(prefix.min(128));
    bits.checked_shr(rest).and_then(|high| high.checked_shl(rest)).unwrap_or(0)
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let refused = || NetworkError(text.chars().take(60).collect());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| refused())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| refused())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(most);
        if prefix > most {
            return Err(refused());
        }
        let prefix = prefix + (128 - most);
        Ok(Self { bits: masked(bits(address), prefix), prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = std::net::Ipv6Addr::from_bits(self.bits);
        match address.to_ipv4_mapped().filter(|_| self.prefix >= 96) {
            Some(v4) => write!(f, "{v4}/{}", self.prefix - 96),
            None => write!(f, "{address}/{}", self.prefix),
        }
    }
}

/// What is known of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Where it is.
    pub territory: Territory,
    /// What the operator calls it: "campus", "AS64500". May be empty.
    pub name: String,
}

/// The operator's table of networks; the longest prefix that holds an address says where it is.
#[derive(Debug, Clone, Default)]
pub struct Networks(BTreeMap<u8, HashMap<u128, Known>>);

impl Networks {
    /// A table of these; of two that are equal, the later counts.
    #[must_use]
    pub fn new(table: impl IntoIterator<Item = (Network, Known)>) -> Self {
        let mut networks: BTreeMap<u8, HashMap<u128, Known>> = BTreeMap::new();
        for (network, known) in table {
            networks.entry(network.prefix).or_default().insert(network.bits, known);
        }
        Self(networks)
    }

    /// What is known of the narrowest network that holds `address`.
    #[must_use]
    pub fn of(&self, address: IpAddr) -> Option<&Known> {
        let bits = bits(address);
        self.0.iter().rev().find_map(|(prefix, networks)| networks.get(&masked(bits, *prefix)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_is_in_its_networks() {
        assert!(network("192.0.2.0/24").holds("192.0.2.77".parse().unwrap()));
        assert!(!network("192.0.2.0/24").holds("192.0.3.1".parse().unwrap()));
        assert!(network("10.1.2.3").holds("10.1.2.3".parse().unwrap()));
        assert!(network("0.0.0.0/0").holds("203.0.113.9".parse().unwrap()));
        assert!(!network("0.0.0.0/0").holds("2001:db8::1".parse().unwrap()));
        assert!(network("::/0").holds("2001:db8::1".parse().unwrap()));
        assert!(network("2001:db8::/32").holds("2001:db8:1::1".parse().unwrap()));
        for bad in ["", "192.0.2.0/33", "::/129", "192.0.2/24", "a/8", "192.0.2.0/", "192.0.2.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_longest_prefix_says_where_an_address_is() {
        let known = |territory: &str, name: &str| Known {
            territory: Territory::parse(territory).unwrap(),
            name: name.to_owned(),
        };
        let table = Networks::new([
            (network("10.0.0.0/8"), known("DE", "all")),
            (network("10.7.0.0/16"), known("FR", "office")),
            (network("2001:db8::/32"), known("AT", "")),
        ]);
        let of = |address: &str| table.of(address.parse().unwrap()).map(|known| known.territory.to_string());
        assert_eq!(of("10.1.1.1").as_deref(), Some("DE"));
        assert_eq!(of("10.7.1.1").as_deref(), Some("FR"));
        assert_eq!(of("::ffff:10.7.1.1").as_deref(), Some("FR"));
        assert_eq!(of("2001:db8::1").as_deref(), Some("AT"));
        assert_eq!(of("192.0.2.1"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_network_or_refused(text in "[0-9a-f.:/]{0,45}") {
            if let Ok(network) = text.parse::<Network>() {
                prop_assert_eq!(network.to_string().parse::<Network>(), Ok(network));
            }
        }

        #[test]
        fn a_network_holds_its_own_address(address in any::<IpAddr>(), prefix in 0_u8..=128) {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let network: Network = format!("{address}/{}", prefix.min(most)).parse().unwrap();
            prop_assert!(network.holds(address));
        }
    }
}
