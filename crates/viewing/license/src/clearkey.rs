//! The licence of Clear Key: a JSON request that names key ids, and a JSON Web Key set in answer.
//! Source: W3C, "Encrypted Media Extensions", section 9.1 (Clear Key: request and licence format).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::LicenseError;
use crate::keys::{BYTES, ContentKey, KeyId};

/// A longer request is refused, in bytes.
pub const MOST_BYTES: usize = 16 << 10;
/// As many keys as one licence may hold.
const MOST_KEYS: usize = 64;
/// Licences are not kept by the player.
const TEMPORARY: &str = "temporary";

#[derive(Deserialize)]
struct LicenseRequest<'a> {
    #[serde(borrow)]
    kids: Vec<std::borrow::Cow<'a, str>>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

#[derive(Serialize)]
struct JsonWebKey<'a> {
    kty: &'static str,
    kid: &'a str,
    k: &'a str,
}

#[derive(Serialize)]
struct JsonWebKeySet<'a> {
    keys: Vec<JsonWebKey<'a>>,
    r#type: &'static str,
}

/// The key ids that a licence request names, each once, in its order.
pub fn requested(body: &[u8]) -> Result<Vec<KeyId>, LicenseError> {
    if body.len() > MOST_BYTES {
        let reason = format!("it has {} bytes, at most {MOST_BYTES} are taken", body.len());
        return Err(LicenseError::Request(reason));
    }
    let refused = |reason: String| LicenseError::Request(reason);
    let request: LicenseRequest = serde_json::from_slice(body).map_err(|error| refused(error.to_string()))?;
    if let Some(kind) = request.kind.filter(|kind| kind != TEMPORARY) {
        let shown: String = kind.chars().take(40).collect();
        return Err(refused(format!("type {shown:?} is not given here, only {TEMPORARY:?} is")));
    }
    if request.kids.is_empty() || request.kids.len() > MOST_KEYS {
        return Err(refused(format!("it names {} keys, 1 to {MOST_KEYS} are taken", request.kids.len())));
    }
    let mut ids = Vec::with_capacity(request.kids.len());
    for (index, kid) in request.kids.iter().enumerate() {
        let wrong = || refused(format!("kids[{index}] is not base64url of {BYTES} bytes without padding"));
        let bytes = URL_SAFE_NO_PAD.decode(kid.as_bytes()).map_err(|_| wrong())?;
        let id = KeyId(bytes.try_into().map_err(|_| wrong())?);
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// A licence that holds these keys.
#[must_use]
pub fn license(keys: &[ContentKey]) -> Zeroizing<Vec<u8>> {
    let encode = |bytes: &[u8]| Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes));
    let encoded: Vec<_> = keys.iter().map(|key| (encode(&key.id.0), encode(key.material.key.as_slice()))).collect();
    let keys = encoded.iter().map(|(kid, k)| JsonWebKey { kty: "oct", kid, k });
    let set = JsonWebKeySet { keys: keys.collect(), r#type: TEMPORARY };
    Zeroizing::new(serde_json::to_vec(&set).expect("a set of texts is always JSON"))
}

#[cfg(test)]
mod tests {
    use matinee_model::ids::TitleId;
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use serde_json::{Value, json};

    use super::*;
    use crate::keys::{KeyMaterial, Label};

    fn request(kids: &[&str]) -> Vec<u8> {
        json!({"kids": kids, "type": "temporary"}).to_string().into_bytes()
    }

    #[test]
    fn the_request_of_the_standard_is_understood() {
        // The example of the standard.
        let body = br#"{"kids":["LwVHf8JLtPrv2GUXFW2v_A"],"type":"temporary"}"#;
        let ids = requested(body).unwrap();
        assert_eq!(ids, [KeyId::from_hex("2f05477fc24bb4faefd86517156daffc").unwrap()]);
        assert_eq!(requested(br#"{"kids":["LwVHf8JLtPrv2GUXFW2v_A","LwVHf8JLtPrv2GUXFW2v_A"]}"#).unwrap(), ids);
    }

    #[test]
    fn what_is_no_request_is_refused_with_what_is_wrong() {
        let message = |body: &[u8]| requested(body).unwrap_err().to_string();
        for body in [&b""[..], b"{", b"[]", b"null", b"\xff\xfe", br#"{"type":"temporary"}"#, br#"{"kids":[1]}"#] {
            assert!(message(body).starts_with("the licence request is not understood"), "{body:?}");
        }
        assert!(message(&request(&[])).contains("0 keys"));
        assert!(message(&request(&["AAAA"])).contains("kids[0]"));
        assert!(message(&request(&["LwVHf8JLtPrv2GUXFW2v_A", "LwVHf8JLtPrv2GUXFW2v/A=="])).contains("kids[1]"));
        assert!(message(&request(&["LwVHf8JLtPrv2GUXFW2v_A"; 65])).contains("65 keys"));
        assert!(message(br#"{"kids":["LwVHf8JLtPrv2GUXFW2v_A"],"type":"persistent-license"}"#).contains("persistent"));
        assert!(message(&vec![b' '; MOST_BYTES + 1]).contains("16385 bytes"));
        let deep = "[".repeat(MOST_BYTES);
        assert!(requested(deep.as_bytes()).is_err());
    }

    #[test]
    fn the_licence_is_a_json_web_key_set() {
        let key = ContentKey {
            title: TitleId::parse("film").unwrap(),
            label: Label::parse("hd").unwrap(),
            id: KeyId::from_hex("2f05477fc24bb4faefd86517156daffc").unwrap(),
            material: KeyMaterial { key: Zeroizing::new([0xff; 16]), iv: Zeroizing::new([1; 16]) },
        };
        let set: Value = serde_json::from_slice(&license(&[key])).unwrap();
        let expected = json!({
            "keys": [{"kty": "oct", "kid": "LwVHf8JLtPrv2GUXFW2v_A", "k": "_____________________w"}],
            "type": "temporary"
        });
        assert_eq!(set, expected);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in any::<Vec<u8>>()) {
            let _ = requested(&body);
        }

        #[test]
        fn ids_go_there_and_back(ids in proptest::collection::hash_set(any::<[u8; 16]>(), 1..64)) {
            let kids: Vec<String> = ids.iter().map(|id| URL_SAFE_NO_PAD.encode(id)).collect();
            let kids: Vec<&str> = kids.iter().map(String::as_str).collect();
            let expected: Vec<KeyId> = ids.iter().map(|id| KeyId(*id)).collect();
            prop_assert_eq!(requested(&request(&kids)).unwrap(), expected);
        }
    }
}
