//! Signing up, in and out; refreshing tokens; choosing a profile.
//!
//! A browser gets its tokens in cookies that no script can read. A client that says `"tokens": "body"` gets them in the
//! answer, and no cookie.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use matinee_contracts::accounts::{
    ChooseProfileRequest, RefreshRequest, SignInRequest, SignOutRequest, SignUpRequest, SignedIn,
};
use matinee_service::access::AccessClaims;
use matinee_service::clock::rfc3339;
use matinee_service::http::{JsonBody, JsonOrNothing, Problem};
use matinee_service::viewer::Viewer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::account::me::{MeJson, TokensJson, private};
use crate::door::Inside;
use crate::door::admission::CameBy;
use crate::door::cookies;

/// How long a browser keeps an access token that was made to hold longer, in seconds: as any, longer than it holds, so that
/// the application hears that it expired.
const LENGTHENED_KEPT: u64 = 30 * 24 * 3600;

/// Where a client wants its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = TokensIn)]
#[serde(rename_all = "lowercase")]
pub enum TokensIn {
    /// In cookies.
    #[default]
    Cookie,
    /// In the answer's body.
    Body,
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[schema(as = SignUp)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignUpJson {
    email: String,
    /// 8 to 256 characters.
    password: String,
    /// Of the first profile.
    #[serde(default)]
    name: String,
    /// ISO 3166-1 alpha-2; where it is not said, where the request comes from.
    #[serde(default)]
    territory: String,
    /// BCP 47; where it is not said, what the client asks for.
    #[serde(default)]
    language: String,
    #[serde(default)]
    device_name: String,
    #[serde(default)]
    device_kind: String,
    #[serde(default)]
    tokens: TokensIn,
}

/// A sign-in.
#[derive(Deserialize, ToSchema)]
#[schema(as = SignIn)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignInJson {
    email: String,
    password: String,
    #[serde(default)]
    device_name: String,
    #[serde(default)]
    device_kind: String,
    #[serde(default)]
    tokens: TokensIn,
}

/// A refresh token, of a client that keeps its own.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = Refresh)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RefreshJson {
    refresh_token: String,
    tokens: TokensIn,
}

/// A profile's id.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChooseProfile)]
#[serde(deny_unknown_fields)]
pub struct ChooseJson {
    profile: String,
    #[serde(default)]
    tokens: TokensIn,
}

/// Signs in on this device: hands out the tokens, and says who is signed in.
pub async fn signed_in(
    inside: &Inside,
    viewer: &Viewer,
    by: CameBy,
    tokens: TokensIn,
    answer: SignedIn,
) -> Result<Response, Problem> {
    let account = answer.account.unwrap_or_default();
    let chosen = answer.profile.map(|profile| profile.id).unwrap_or_default();
    let me = MeJson::of(&inside.gateway, viewer, account, &chosen).await;
    let body = match tokens {
        TokensIn::Cookie => TokensJson::default(),
        TokensIn::Body => TokensJson {
            access_token: Some(answer.access_token.clone()),
            access_expires: rfc3339(answer.access_expires_us),
            refresh_token: Some(answer.refresh_token.clone()),
            refresh_expires: rfc3339(answer.refresh_expires_us),
        },
    };
    // The tokens are handed out whatever the page says: a refresh token is used up by now.
    let mut response = match me {
        Ok(me) => private(me.with_tokens(body)),
        Err(problem) => problem.into_response(),
    };
    if tokens == TokensIn::Cookie {
        let headers = response.headers_mut();
        keep(inside, headers, by, &answer.access_token, &answer.refresh_token, answer.refresh_expires_us);
    }
    Ok(response)
}

/// Puts tokens into cookies.
///
/// The access token's cookie outlives the token, so that the application hears that it expired, and refreshes it.
pub fn keep(inside: &Inside, headers: &mut HeaderMap, by: CameBy, access: &str, refresh: &str, until_us: i64) {
    let left = until_us.saturating_sub(inside.doorman.now_us()) / 1_000_000;
    let seconds = u64::try_from(left).unwrap_or(0).max(60);
    cookies::keep(headers, cookies::ACCESS, access, seconds, by.0);
    cookies::keep(headers, cookies::REFRESH, refresh, seconds, by.0);
}

/// Makes the browser forget its tokens.
pub fn forget(headers: &mut HeaderMap, by: CameBy) {
    cookies::forget(headers, cookies::ACCESS, by.0);
    cookies::forget(headers, cookies::REFRESH, by.0);
}

/// What the device is called, where it does not say: "Firefox on Linux".
#[must_use]
pub fn device_name(said: String, headers: &HeaderMap) -> String {
    if !said.is_empty() {
        return said;
    }
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    // The order matters: each browser also names those that it wants to be taken for.
    let named =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    let browser = named(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = named(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Tizen", "Samsung TV"),
        ("Web0S", "LG TV"),
        ("CrOS", "ChromeOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(only), None) | (None, Some(only)) => only.to_owned(),
        (None, None) => "A device".to_owned(),
    }
}

/// "web", where the device does not say what it is.
pub fn device_kind(said: String) -> String {
    if said.is_empty() { "web".to_owned() } else { said }
}

/// Makes an account that is signed in on this device.
#[utoipa::path(post, path = "/api/account/sign-up", tag = "account", request_body = SignUpJson,
    responses((status = 200, body = MeJson)))]
pub(crate) async fn sign_up(
    State(inside): State<Inside>,
    viewer: Viewer,
    axum::Extension(by): axum::Extension<CameBy>,
    headers: HeaderMap,
    JsonBody(asked): JsonBody<SignUpJson>,
) -> Result<Response, Problem> {
    inside.attempts.from(&viewer)?;
    let request = SignUpRequest {
        email: asked.email,
        password: asked.password,
        name: asked.name,
        territory: if asked.territory.is_empty() { viewer.territory.to_string() } else { asked.territory },
        language: if asked.language.is_empty() { viewer.language().to_owned() } else { asked.language },
        device_name: device_name(asked.device_name, &headers),
        device_kind: device_kind(asked.device_kind),
    };
    let mut accounts = inside.gateway.accounts.clone();
    let answer = accounts.sign_up(request).await?.into_inner();
    signed_in(&inside, &viewer, by, asked.tokens, answer).await
}

/// Signs in on this device.
#[utoipa::path(post, path = "/api/account/sign-in", tag = "account", request_body = SignInJson,
    responses((status = 200, body = MeJson)))]
pub(crate) async fn sign_in(
    State(inside): State<Inside>,
    viewer: Viewer,
    axum::Extension(by): axum::Extension<CameBy>,
    headers: HeaderMap,
    JsonBody(asked): JsonBody<SignInJson>,
) -> Result<Response, Problem> {
    inside.attempts.from(&viewer)?;
    inside.attempts.on(&asked.email)?;
    let request = SignInRequest {
        email: asked.email.clone(),
        password: asked.password,
        device_name: device_name(asked.device_name, &headers),
        device_kind: device_kind(asked.device_kind),
    };
    let mut accounts = inside.gateway.accounts.clone();
    let answer = accounts.sign_in(request).await?.into_inner();
    inside.attempts.succeeded(&asked.email);
    signed_in(&inside, &viewer, by, asked.tokens, answer).await
}

/// New tokens for the refresh token in the cookie, or in the body. It is used up by it.
///
/// Where accounts do not answer, the access token that the request carries, even if it just expired, is made to hold a
/// little longer, for watching alone, and the refresh token stays as it is.
#[utoipa::path(post, path = "/api/account/refresh", tag = "account", request_body = RefreshJson,
    responses((status = 200, body = MeJson)))]
pub(crate) async fn refresh(
    State(inside): State<Inside>,
    viewer: Viewer,
    axum::Extension(by): axum::Extension<CameBy>,
    headers: HeaderMap,
    JsonOrNothing(asked): JsonOrNothing<RefreshJson>,
) -> Result<Response, Problem> {
    // A token that came in the body goes back in the body.
    let tokens = if asked.refresh_token.is_empty() { asked.tokens } else { TokensIn::Body };
    let token = if asked.refresh_token.is_empty() {
        cookies::read(&headers, cookies::REFRESH).unwrap_or_default().to_owned()
    } else {
        asked.refresh_token
    };
    if token.is_empty() {
        let mut response = Problem::sign_in("there is no refresh token; sign in").into_response();
        forget(response.headers_mut(), by);
        return Ok(response);
    }
    let asked_with = token.clone();
    let mut accounts = inside.gateway.accounts.clone();
    match accounts.refresh(RefreshRequest { refresh_token: token }).await {
        Ok(answer) => signed_in(&inside, &viewer, by, tokens, answer.into_inner()).await,
        Err(status) => {
            let problem = Problem::from(status);
            if problem.status() == StatusCode::SERVICE_UNAVAILABLE
                && let Some((access, claims, viewer)) = inside.doorman.lengthened(&viewer, &headers)
            {
                tracing::warn!(account = %claims.account, "accounts do not answer: an access token holds a little longer");
                return Ok(lengthened(&viewer, by, tokens, access, &claims, asked_with));
            }
            let gone = problem.status() == StatusCode::UNAUTHORIZED;
            // Another request of this browser was first, whose answer brings the tokens.
            let problem =
                if problem.status() == StatusCode::CONFLICT { problem.with_code("replaced") } else { problem };
            let mut response =
                if gone { problem.with_code("sign_in").into_response() } else { problem.into_response() };
            // Only where it does not hold any more: a service that is down must not sign anybody out.
            if gone {
                forget(response.headers_mut(), by);
            }
            Ok(response)
        }
    }
}

/// An access token that was made to hold longer, with the refresh token that it came with.
fn lengthened(
    viewer: &Viewer,
    by: CameBy,
    tokens: TokensIn,
    access: String,
    claims: &AccessClaims,
    refresh_token: String,
) -> Response {
    let me = MeJson::by_token(viewer);
    if tokens == TokensIn::Cookie {
        let mut response = private(me);
        cookies::keep(response.headers_mut(), cookies::ACCESS, &access, LENGTHENED_KEPT, by.0);
        return response;
    }
    let expires_us = i64::try_from(claims.exp.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
    private(me.with_tokens(TokensJson {
        access_token: Some(access),
        access_expires: rfc3339(expires_us),
        refresh_token: Some(refresh_token),
        refresh_expires: None,
    }))
}

/// Signs this device out.
#[utoipa::path(post, path = "/api/account/sign-out", tag = "account", request_body = RefreshJson,
    responses((status = 200, body = MeJson)))]
pub(crate) async fn sign_out(
    State(inside): State<Inside>,
    viewer: Viewer,
    axum::Extension(by): axum::Extension<CameBy>,
    headers: HeaderMap,
    JsonOrNothing(asked): JsonOrNothing<RefreshJson>,
) -> Result<Response, Problem> {
    let token = if asked.refresh_token.is_empty() {
        cookies::read(&headers, cookies::REFRESH).unwrap_or_default().to_owned()
    } else {
        asked.refresh_token
    };
    if !token.is_empty() {
        let mut accounts = inside.gateway.accounts.clone();
        let done = accounts.sign_out(SignOutRequest { refresh_token: token }).await;
        // One that is not known any more is signed out already.
        if let Err(status) = done
            && !matches!(status.code(), tonic::Code::Unauthenticated | tonic::Code::NotFound)
        {
            return Err(status.into());
        }
    }
    let mut response = private(MeJson::nobody(&viewer));
    forget(response.headers_mut(), by);
    Ok(response)
}

/// Watches as another profile of the account from now on.
#[utoipa::path(post, path = "/api/account/choose-profile", tag = "account", request_body = ChooseJson,
    responses((status = 200, body = MeJson)))]
pub(crate) async fn choose_profile(
    State(inside): State<Inside>,
    viewer: Viewer,
    axum::Extension(by): axum::Extension<CameBy>,
    JsonBody(asked): JsonBody<ChooseJson>,
) -> Result<Response, Problem> {
    let member = viewer.signed_in()?;
    let request = ChooseProfileRequest {
        account: member.account.to_string(),
        device: member.device.to_string(),
        profile: asked.profile,
    };
    let mut accounts = inside.gateway.accounts.clone();
    let answer = accounts.choose_profile(request).await?.into_inner();
    signed_in(&inside, &viewer, by, asked.tokens, answer).await
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    #[test]
    fn a_device_is_named_for_people() {
        let named = |agent: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
            device_name(String::new(), &headers)
        };
        assert_eq!(named("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"), "Firefox on Linux");
        let chrome = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
        assert_eq!(named(chrome), "Chrome on Windows");
        assert_eq!(named("curl/8.0"), "A device");
    }

    proptest! {
        #[test]
        fn any_agent_has_a_short_name(agent in "[ -~]{0,200}") {
            let mut headers = HeaderMap::new();
            headers.insert(header::USER_AGENT, HeaderValue::from_str(&agent).unwrap());
            prop_assert!(device_name(String::new(), &headers).len() < 40);
        }
    }
}
