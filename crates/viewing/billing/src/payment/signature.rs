//! Signed webhooks, as Stripe signs them: `t=SECONDS,v1=HEX[,v1=HEX…]`, each an HMAC-SHA256 over `SECONDS.BODY`.
//!
//! Source: Stripe, "Verify webhook signatures manually" (docs.stripe.com/webhooks).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::WebhookError;

/// How far a webhook's time may be from ours, in seconds.
const TOLERANCE: i64 = 300;
/// Signatures that are looked at.
const MOST_SIGNATURES: usize = 10;

/// What a signature header holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed<'a> {
    /// Seconds since 1970.
    pub at: i64,
    /// In hexadecimal digits.
    pub signatures: Vec<&'a str>,
}

impl<'a> Signed<'a> {
    /// Reads the header; schemes other than `v1` are passed over.
    pub fn parse(header: &'a str) -> Result<Self, WebhookError> {
        let (mut at, mut signatures) = (None, Vec::new());
        for part in header.split(',') {
            match part.trim().split_once('=') {
                Some(("t", seconds)) if seconds.bytes().all(|b| b.is_ascii_digit()) => at = seconds.parse().ok(),
                Some(("v1", digits)) if signatures.len() < MOST_SIGNATURES => signatures.push(digits),
                _ => {}
            }
        }
        let at = at.ok_or(WebhookError::Signature("its header names no time"))?;
        if signatures.is_empty() {
            return Err(WebhookError::Signature("its header holds none of scheme v1"));
        }
        Ok(Self { at, signatures })
    }
}

/// Whether one of the signatures in `header` is of one of `secrets`, made within five minutes of `now_us`.
pub fn verify(secrets: &[String], header: &str, body: &[u8], now_us: i64) -> Result<(), WebhookError> {
    let signed = Signed::parse(header)?;
    if now_us.div_euclid(1_000_000).checked_sub(signed.at).is_none_or(|age| age.abs() > TOLERANCE) {
        return Err(WebhookError::Signature("its time is more than five minutes from ours"));
    }
    let given: Vec<Vec<u8>> = signed.signatures.iter().filter_map(|digits| hex::decode(digits).ok()).collect();
    for secret in secrets {
        let mac = mac(secret, signed.at, body);
        // Compared in constant time.
        if given.iter().any(|bytes| mac.clone().verify_slice(bytes).is_ok()) {
            return Ok(());
        }
    }
    Err(WebhookError::Signature("it is not of our secret"))
}

/// The header for `body`, signed with `secret` at `seconds` since 1970.
#[must_use]
pub fn sign(secret: &str, seconds: i64, body: &[u8]) -> String {
    format!("t={seconds},v1={}", hex::encode(mac(secret, seconds, body).finalize().into_bytes()))
}

fn mac(secret: &str, seconds: i64, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn checked(secrets: &[&str], header: &str, body: &[u8]) -> Result<(), WebhookError> {
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        verify(&secrets, header, body, NOW * 1_000_000)
    }

    #[test]
    fn one_signature_of_one_secret_is_enough() {
        let header = sign("new", NOW, b"{}");
        assert_eq!(checked(&["new"], &header, b"{}"), Ok(()));
        assert_eq!(checked(&["old", "new"], &header, b"{}"), Ok(()), "while secrets are changed");
        let several = format!("{header},v0=00,v1=zz,v1=00");
        assert_eq!(checked(&["new"], &several, b"{}"), Ok(()));
        // Made apart with Python's hmac module.
        let digits = "e32657f3e678d33b41ec084c16ac0e125d25480a06cb3902286dc5942c6fd259";
        assert_eq!(checked(&["whsec_test"], &format!("t={NOW},v1={digits}"), br#"{"id":"evt_1"}"#), Ok(()));
    }

    #[test]
    fn what_was_changed_or_is_old_is_refused() {
        let header = sign("s", NOW, b"{}");
        for (secrets, header, body) in [
            (vec!["s"], header.as_str(), &b"{ }"[..]),
            (vec!["other"], &header, b"{}"),
            (vec![], &header, b"{}"),
            (vec!["s"], &sign("s", NOW - 301, b"{}"), b"{}"),
            (vec!["s"], &sign("s", NOW + 301, b"{}"), b"{}"),
            (vec!["s"], "", b"{}"),
            (vec!["s"], "v1=00", b"{}"),
            (vec!["s"], "t=1", b"{}"),
            (vec!["s"], "t=-9223372036854775808,v1=00", b"{}"),
        ] {
            assert!(checked(&secrets, header, body).is_err(), "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_header_breaks_it(header in any::<String>(), body in any::<Vec<u8>>()) {
            let _ = checked(&["s"], &header, &body);
        }
    }
}
