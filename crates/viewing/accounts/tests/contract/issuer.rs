//! A provider of OpenID Connect for tests, honest or not: discovery, keys and tokens, signed RS256.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use matinee_accounts::config::Provider;
use openidconnect::url::Url;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

pub const CLIENT: &str = "films";
pub const SECRET: &str = "a secret between two";
pub const CALLBACK: &str = "https://films.example/api/openid/callback";

/// What is wrong with an ID token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    Nothing,
    Nonce,
    NoNonce,
    Audience,
    Issuer,
    Expired,
    Signature,
    Claims,
    Algorithm,
    Symmetric,
    Missing,
    OtherKey,
    AccessToken,
}

struct Grant {
    claims: Value,
    challenge: String,
    wrong: Wrong,
}

struct Inner {
    key: KeyPair,
    kid: String,
    other: KeyPair,
    grants: HashMap<String, Grant>,
    discoveries: usize,
    /// What it tells beside the ID token.
    told: Value,
}

#[derive(Clone)]
pub struct Issuer {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

/// What a browser is sent to the provider with.
pub struct Sent(HashMap<String, String>);

impl Sent {
    pub fn parse(url: &str) -> Self {
        Self(Url::parse(url).unwrap().query_pairs().into_owned().collect())
    }

    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

impl Issuer {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Inner {
            key: KeyPair::generate(KeySize::Rsa2048).unwrap(),
            kid: "first".to_owned(),
            other: KeyPair::generate(KeySize::Rsa2048).unwrap(),
            grants: HashMap::new(),
            discoveries: 0,
            told: Value::Null,
        };
        let issuer = Self { url, inner: Arc::new(Mutex::new(inner)) };
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        issuer
    }

    pub fn provider(&self) -> Provider {
        Provider {
            name: "example".to_owned(),
            label: "Example".to_owned(),
            issuer: self.url.clone(),
            client_id: CLIENT.to_owned(),
            client_secret: SECRET.to_owned(),
            scopes: vec!["email".to_owned(), "profile".to_owned()],
        }
    }

    /// Somebody signed in there: the code with which their browser is sent back.
    pub fn grant(&self, sent: &Sent, person: Value, now: u64, wrong: Wrong) -> String {
        assert_eq!(sent.get("client_id"), CLIENT);
        assert_eq!(sent.get("redirect_uri"), CALLBACK);
        assert_eq!((sent.get("response_type"), sent.get("code_challenge_method")), ("code", "S256"));
        assert!(sent.get("scope").contains("openid"), "{}", sent.get("scope"));
        let mut claims = person;
        let (issuer, audience) = match wrong {
            Wrong::Issuer => ("https://elsewhere.example", CLIENT),
            Wrong::Audience => (self.url.as_str(), "somebody else"),
            _ => (self.url.as_str(), CLIENT),
        };
        let expires = if wrong == Wrong::Expired { now - 120 } else { now + 300 };
        let nonce = if wrong == Wrong::Nonce { "another" } else { sent.get("nonce") };
        for (name, value) in
            [("iss", json!(issuer)), ("aud", json!(audience)), ("exp", json!(expires)), ("iat", json!(now))]
        {
            claims[name] = value;
        }
        if wrong != Wrong::NoNonce {
            claims["nonce"] = json!(nonce);
        }
        if wrong == Wrong::AccessToken {
            claims["at_hash"] = json!(URL_SAFE_NO_PAD.encode([1; 16]));
        }
        let mut inner = self.inner.lock().unwrap();
        let code = format!("code-{}", inner.grants.len());
        inner.grants.insert(code.clone(), Grant { claims, challenge: sent.get("code_challenge").to_owned(), wrong });
        code
    }

    /// From here on it signs with another key.
    pub fn rotate(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        inner.kid = "second".to_owned();
    }

    /// From here on it tells this of whoever holds an access token.
    pub fn tells(&self, told: Value) {
        self.inner.lock().unwrap().told = told;
    }

    /// How often it was asked what it is.
    pub fn discoveries(&self) -> usize {
        self.inner.lock().unwrap().discoveries
    }
}

async fn discovery(State(issuer): State<Issuer>) -> Json<Value> {
    issuer.inner.lock().unwrap().discoveries += 1;
    let at = |path: &str| format!("{}{path}", issuer.url);
    Json(json!({
        "issuer": issuer.url, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"), "jwks_uri": at("/jwks"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

async fn keys(State(issuer): State<Issuer>) -> Json<Value> {
    let inner = issuer.inner.lock().unwrap();
    let public = inner.key.public_key();
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (n, e) = (public.modulus(), public.exponent());
    Json(json!({"keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": inner.kid,
        "n": number(n.big_endian_without_leading_zero()), "e": number(e.big_endian_without_leading_zero()),
    }]}))
}

async fn userinfo(State(issuer): State<Issuer>, headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    match &issuer.inner.lock().unwrap().told {
        Value::Null => Err(StatusCode::NOT_FOUND),
        told if bearer == Some("Bearer unused") => Ok(Json(told.clone())),
        _ => Err(StatusCode::UNAUTHORIZED),
    }
}

async fn token(
    State(issuer): State<Issuer>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Json<Value>, (StatusCode, Json<Value>)> {
    let refused = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": error})));
    let encoded = SECRET.replace(' ', "+");
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{encoded}")));
    if headers.get("authorization").and_then(|value| value.to_str().ok()) != Some(&basic) {
        return Err(refused("invalid_client"));
    }
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let mut inner = issuer.inner.lock().unwrap();
    let grant = inner.grants.remove(field("code")).ok_or_else(|| refused("invalid_grant"))?;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier")));
    if challenge != grant.challenge || field("redirect_uri") != CALLBACK || field("grant_type") != "authorization_code"
    {
        return Err(refused("invalid_grant"));
    }
    let mut answer = json!({"access_token": "unused", "token_type": "Bearer", "expires_in": 60});
    if grant.wrong != Wrong::Missing {
        answer["id_token"] = json!(id_token(&inner, &grant));
    }
    Ok(Json(answer))
}

fn id_token(inner: &Inner, grant: &Grant) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let algorithm = match grant.wrong {
        Wrong::Algorithm => "none",
        Wrong::Symmetric => "HS256",
        _ => "RS256",
    };
    let kid = if grant.wrong == Wrong::OtherKey { "unheard of" } else { &inner.kid };
    let signed = format!("{}.{}", part(&json!({"alg": algorithm, "kid": kid, "typ": "JWT"})), part(&grant.claims));
    let by = |key: &KeyPair| {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        signature
    };
    let signature = match grant.wrong {
        Wrong::Algorithm => Vec::new(),
        Wrong::Symmetric => {
            let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
            mac.update(signed.as_bytes());
            mac.finalize().into_bytes().to_vec()
        }
        Wrong::Signature | Wrong::OtherKey => by(&inner.other),
        _ => by(&inner.key),
    };
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    if grant.wrong != Wrong::Claims {
        return token;
    }
    // Genuine, but for what it says.
    let mut claims = grant.claims.clone();
    claims["sub"] = json!("admin");
    let parts: Vec<&str> = token.split('.').collect();
    format!("{}.{}.{}", parts[0], part(&claims), parts[2])
}
