//! Providers of OpenID Connect: where they are, what their keys are, and what their answers say.
//!
//! Authorization code with PKCE, state and nonce. Discovery and keys are fetched when they are first used, kept for an hour,
//! and fetched again where a signature names a key that is not among them (at most once a minute). Requests go to `https`
//! only (or to this machine), follow no redirect, and take at most a megabyte within seconds.
//! Sources: OpenID Connect Core 1.0, 3.1; RFC 9700.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdTokenClaims, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::url::Url;
use openidconnect::{
    AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, SignatureVerificationError, SubjectIdentifier, TokenResponse,
};
use tokio::sync::Mutex;

use crate::config::Provider;
use crate::error::AccountsError;
use crate::store::Flow;

const SECOND_US: i64 = 1_000_000;
const KEPT_US: i64 = 3600 * SECOND_US;
const LEAST_KEPT_US: i64 = 60 * SECOND_US;
const TIMEOUT: Duration = Duration::from_secs(5);
const MOST_BYTES: usize = 1 << 20;
/// How far a provider's clock may be from ours, in microseconds.
const SKEW_US: i64 = 60 * SECOND_US;

/// Who came back from a provider.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// The provider's name for them, which never changes.
    pub subject: String,
    /// Where the provider says that mails reach them.
    pub confirmed_email: Option<String>,
    pub name: Option<String>,
    pub locale: Option<String>,
}

/// The providers that are configured.
#[derive(Debug)]
pub(crate) struct OpenId {
    providers: Vec<Known>,
    http: reqwest::Client,
}

#[derive(Debug)]
struct Known {
    config: Provider,
    issuer: IssuerUrl,
    /// What it says of itself, and when it did.
    described: Mutex<Option<(Arc<CoreProviderMetadata>, i64)>>,
}

#[derive(Debug, thiserror::Error)]
enum HttpError {
    #[error("{0} is neither https nor on this machine")]
    Address(String),
    #[error("it answers more than a megabyte")]
    Long,
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error(transparent)]
    Http(#[from] http::Error),
}

impl OpenId {
    /// Over these; nothing is asked of them yet.
    pub(crate) fn new(providers: &[Provider]) -> Result<Self, AccountsError> {
        let refused = |reason: String| AccountsError::Config { key: "providers", reason };
        let mut known: Vec<Known> = Vec::with_capacity(providers.len());
        for config in providers {
            let name = &config.name;
            let slug = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if !(1..=32).contains(&name.len()) || !name.bytes().all(slug) {
                return Err(refused(format!("name {name:?} is not 1 to 32 of a-z, 0-9 and '-'")));
            }
            if known.iter().any(|other| other.config.name == *name) {
                return Err(refused(format!("two are called {name:?}")));
            }
            let issuer = IssuerUrl::new(config.issuer.clone());
            let issuer = issuer.map_err(|error| refused(format!("issuer {:?} of {name}: {error}", config.issuer)))?;
            if !reachable(issuer.url()) {
                return Err(refused(format!(
                    "issuer {:?} of {name} is neither https nor on this machine",
                    config.issuer
                )));
            }
            if config.client_id.is_empty() {
                return Err(refused(format!("{name} has no client_id")));
            }
            known.push(Known { config: config.clone(), issuer, described: Mutex::default() });
        }
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| refused(error.to_string()))?;
        Ok(Self { providers: known, http })
    }

    /// Their names and labels.
    pub(crate) fn providers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.providers.iter().map(|known| (known.config.name.as_str(), known.config.label.as_str()))
    }

    /// The address at which a browser signs in for `flow`, with `state`.
    pub(crate) async fn authorization(&self, flow: &Flow, state: &str, now_us: i64) -> Result<String, AccountsError> {
        let known = self.known(&flow.provider)?;
        let redirect = redirect(&flow.redirect_uri)?;
        let described = self.described(known, now_us, KEPT_US).await?;
        let client = CoreClient::from_provider_metadata(
            (*described).clone(),
            ClientId::new(known.config.client_id.clone()),
            None,
        )
        .set_redirect_uri(redirect);
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(flow.verifier.clone()));
        let (state, nonce) = (state.to_owned(), flow.nonce.clone());
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .set_pkce_challenge(challenge);
        for scope in &known.config.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        Ok(request.url().0.to_string())
    }

    /// Who came back with `code`.
    pub(crate) async fn person(&self, flow: &Flow, code: String, now_us: i64) -> Result<Person, AccountsError> {
        let known = self.known(&flow.provider)?;
        let described = self.described(known, now_us, KEPT_US).await?;
        let tokens = self.tokens(known, &described, flow, code).await?;
        let proven = match claims(known, &described, flow, &tokens, now_us) {
            Err(Unproven::UnknownKey) => {
                // It may have new keys.
                let described = self.described(known, now_us, LEAST_KEPT_US).await?;
                claims(known, &described, flow, &tokens, now_us)
            }
            other => other,
        };
        let person = proven?;
        if person.confirmed_email.is_some() || described.userinfo_endpoint().is_none() {
            return Ok(person);
        }
        Ok(self.asked_again(known, &described, &tokens, person).await)
    }

    /// What a provider tells beside the ID token, which need not name an address (OpenID Connect Core 1.0, 5.4).
    async fn asked_again(
        &self,
        known: &Known,
        described: &CoreProviderMetadata,
        tokens: &CoreTokenResponse,
        person: Person,
    ) -> Person {
        let client =
            CoreClient::from_provider_metadata(described.clone(), ClientId::new(known.config.client_id.clone()), None);
        let subject = SubjectIdentifier::new(person.subject.clone());
        let Ok(request) = client.user_info(tokens.access_token().clone(), Some(subject)) else { return person };
        let http = |request| call(self.http.clone(), request);
        let told: Result<CoreUserInfoClaims, _> = request.request_async(&http).await;
        match told {
            Ok(told) => Person {
                confirmed_email: told
                    .email()
                    .filter(|_| told.email_verified() == Some(true))
                    .map(|email| email.as_str().to_owned()),
                name: told.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned()).or(person.name),
                locale: told.locale().map(|locale| locale.as_str().to_owned()).or(person.locale),
                subject: person.subject,
            },
            Err(error) => {
                // Whoever signed in before is known by the subject alone.
                let error = failed(known, &error);
                tracing::warn!(%error, "a provider does not tell of somebody that signs in");
                person
            }
        }
    }

    async fn tokens(
        &self,
        known: &Known,
        described: &CoreProviderMetadata,
        flow: &Flow,
        code: String,
    ) -> Result<CoreTokenResponse, AccountsError> {
        let secret = Some(&known.config.client_secret).filter(|secret| !secret.is_empty());
        let by_body = described.token_endpoint_auth_methods_supported().is_some_and(|methods| {
            methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        let client = CoreClient::from_provider_metadata(
            described.clone(),
            ClientId::new(known.config.client_id.clone()),
            secret.map(|secret| ClientSecret::new(secret.clone())),
        )
        .set_redirect_uri(redirect(&flow.redirect_uri)?)
        .set_auth_type(if by_body { AuthType::RequestBody } else { AuthType::BasicAuth });
        let request = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| failed(known, &error))?
            .set_pkce_verifier(PkceCodeVerifier::new(flow.verifier.clone()));
        let http = |request| call(self.http.clone(), request);
        request.request_async(&http).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(answer) => {
                AccountsError::OpenIdRefused(format!("the provider does not take the code ({})", answer.error()))
            }
            other => failed(known, &other),
        })
    }

    fn known(&self, name: &str) -> Result<&Known, AccountsError> {
        let known = self.providers.iter().find(|known| known.config.name == name);
        known.ok_or_else(|| AccountsError::UnknownProvider(name.chars().take(32).collect()))
    }

    /// What a provider says of itself, not older than `kept_us`; older where it does not answer.
    async fn described(
        &self,
        known: &Known,
        now_us: i64,
        kept_us: i64,
    ) -> Result<Arc<CoreProviderMetadata>, AccountsError> {
        let mut described = known.described.lock().await;
        if let Some((metadata, at_us)) = described.as_ref()
            && now_us.abs_diff(*at_us) < kept_us.unsigned_abs()
        {
            return Ok(Arc::clone(metadata));
        }
        let http = |request| call(self.http.clone(), request);
        match CoreProviderMetadata::discover_async(known.issuer.clone(), &http).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *described = Some((Arc::clone(&metadata), now_us));
                Ok(metadata)
            }
            Err(error) => {
                let Some((metadata, at_us)) = described.as_mut() else { return Err(failed(known, &error)) };
                tracing::warn!(provider = known.config.name, %error, "a provider can't be asked; what it said before is used");
                // Not for each sign-in: it may take seconds.
                *at_us = now_us - kept_us + LEAST_KEPT_US.min(kept_us);
                Ok(Arc::clone(metadata))
            }
        }
    }
}

/// Why an ID token proves nothing.
enum Unproven {
    /// It names a key that the provider was not seen with.
    UnknownKey,
    /// It is none, or not for this.
    Refused(String),
}

impl From<Unproven> for AccountsError {
    fn from(unproven: Unproven) -> Self {
        match unproven {
            Unproven::UnknownKey => {
                Self::OpenIdRefused("the ID token is signed with no key of the provider".to_owned())
            }
            Unproven::Refused(reason) => Self::OpenIdRefused(reason),
        }
    }
}

/// What the ID token among `tokens` says, where it is the provider's, for us, for this flow, and of now.
fn claims(
    known: &Known,
    described: &CoreProviderMetadata,
    flow: &Flow,
    tokens: &CoreTokenResponse,
    now_us: i64,
) -> Result<Person, Unproven> {
    let refused = |reason: &dyn std::fmt::Display| Unproven::Refused(format!("the ID token is refused: {reason}"));
    let token = tokens.id_token().ok_or_else(|| refused(&"there is none"))?;
    let client =
        CoreClient::from_provider_metadata(described.clone(), ClientId::new(known.config.client_id.clone()), None);
    let micros = u64::try_from(now_us.saturating_sub(SKEW_US)).unwrap_or(0);
    let now = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
    let verifier = client
        .id_token_verifier()
        // Signatures of the provider only: one by the client's secret is for those that have no keys.
        .set_allowed_algs([
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            CoreJwsSigningAlgorithm::RsaSsaPssSha256,
            CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            CoreJwsSigningAlgorithm::EcdsaP384Sha384,
            CoreJwsSigningAlgorithm::EdDsa,
        ])
        .set_time_fn(move || now.into());
    let claims: &CoreIdTokenClaims = match token.claims(&verifier, &Nonce::new(flow.nonce.clone())) {
        Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
            return Err(Unproven::UnknownKey);
        }
        other => other.map_err(|error| refused(&error))?,
    };
    if let Some(expected) = claims.access_token_hash() {
        let algorithm = token.signing_alg().map_err(|error| refused(&error))?;
        let key = token.signing_key(&verifier).map_err(|error| refused(&error))?;
        let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
        if actual.map_err(|error| refused(&error))? != *expected {
            return Err(refused(&"it belongs to another access token"));
        }
    }
    let confirmed = claims.email_verified() == Some(true);
    Ok(Person {
        subject: claims.subject().as_str().to_owned(),
        confirmed_email: claims.email().filter(|_| confirmed).map(|email| email.as_str().to_owned()),
        name: claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned()),
        locale: claims.locale().map(|locale| locale.as_str().to_owned()),
    })
}

/// Whether what is sent there can be read by nobody else.
fn reachable(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")),
        _ => false,
    }
}

fn redirect(uri: &str) -> Result<RedirectUrl, AccountsError> {
    let refused = |reason: String| AccountsError::field("redirect_uri", reason);
    if uri.len() > 2048 {
        return Err(refused("it is longer than 2048 characters".to_owned()));
    }
    let redirect = RedirectUrl::new(uri.to_owned()).map_err(|error| refused(error.to_string()))?;
    let url = redirect.url();
    if !matches!(url.scheme(), "http" | "https") || url.fragment().is_some() {
        return Err(refused("an address of http or https without a fragment is taken".to_owned()));
    }
    Ok(redirect)
}

fn failed(known: &Known, error: &dyn std::error::Error) -> AccountsError {
    // With its causes: the outermost says only that a request failed.
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        reason = format!("{reason}: {inner}");
        cause = inner.source();
    }
    AccountsError::ProviderFailed { provider: known.config.name.clone(), reason }
}

async fn call(client: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let request = reqwest::Request::try_from(request)?;
    if !reachable(request.url()) {
        return Err(HttpError::Address(request.url().to_string()));
    }
    let mut response = client.execute(request).await?;
    let mut answer = http::Response::builder().status(response.status());
    for (name, value) in response.headers() {
        answer = answer.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await? {
        if body.len() + part.len() > MOST_BYTES {
            return Err(HttpError::Long);
        }
        body.extend_from_slice(&part);
    }
    Ok(answer.body(body)?)
}
