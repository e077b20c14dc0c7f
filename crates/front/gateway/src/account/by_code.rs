//! Sign-in by code, for devices without a keyboard. Source: RFC 8628, whose names and error codes are kept.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use matinee_contracts::accounts::device_code_reply::State as CodeState;
use matinee_contracts::accounts::{ApproveDeviceCodeRequest, DeviceCodeRequest, PollDeviceCodeRequest};
use matinee_service::http::{JsonBody, JsonOrNothing, Problem};
use matinee_service::viewer::Viewer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::account::session::{TokensIn, device_kind, device_name, signed_in};
use crate::door::Inside;
use crate::door::admission::CameBy;

/// The page where codes are typed.
const PAGE: &str = "/device";

/// A device that wants to sign in.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = BeginDeviceCode)]
#[serde(deny_unknown_fields, default)]
pub struct BeginJson {
    /// What it is called: "Living room".
    name: String,
    /// "tv", "mobile", "web".
    kind: String,
}

/// A code to be typed elsewhere (RFC 8628, section 3.2).
#[derive(Serialize, ToSchema)]
#[schema(as = DeviceCode)]
pub struct CodeJson {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    /// Seconds.
    expires_in: u32,
    /// Seconds between polls.
    interval: u32,
}

/// A poll.
#[derive(Deserialize, ToSchema)]
#[schema(as = PollDeviceCode)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PollJson {
    #[serde(alias = "device_code")]
    device_code: String,
    #[serde(default)]
    tokens: TokensIn,
}

/// A code that was typed.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ApproveDeviceCode)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApproveJson {
    user_code: String,
    #[serde(default)]
    deny: bool,
}

/// An error as RFC 8628 writes it, with what a problem says beside it.
#[derive(Serialize)]
struct NotYet {
    error: &'static str,
    error_description: &'static str,
    r#type: &'static str,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: &'static str,
}

fn not_yet(code: &'static str, detail: &'static str) -> Response {
    let body = NotYet {
        error: code,
        error_description: detail,
        r#type: "about:blank",
        title: "not signed in yet",
        status: StatusCode::BAD_REQUEST.as_u16(),
        code,
        detail,
    };
    let headers = [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::BAD_REQUEST, headers, Json(body)).into_response()
}

/// A code that the viewer types on a device that is signed in.
#[utoipa::path(post, path = "/api/device/code", tag = "account", request_body = BeginJson,
    responses((status = 200, body = CodeJson)))]
pub(crate) async fn begin(
    State(inside): State<Inside>,
    viewer: Viewer,
    axum::Extension(by): axum::Extension<CameBy>,
    headers: HeaderMap,
    JsonOrNothing(asked): JsonOrNothing<BeginJson>,
) -> Result<Response, Problem> {
    inside.attempts.from(&viewer)?;
    let request = DeviceCodeRequest {
        device_name: device_name(asked.name, &headers),
        device_kind: if asked.kind.is_empty() { "tv".to_owned() } else { device_kind(asked.kind) },
    };
    let mut accounts = inside.gateway.accounts.clone();
    let code = accounts.start_device_code(request).await?.into_inner();
    let page = format!("{}{PAGE}", inside.doorman.base(&headers, by));
    let answer = CodeJson {
        verification_uri_complete: format!("{page}?code={}", code.user_code),
        verification_uri: page,
        device_code: code.device_code,
        user_code: code.user_code,
        expires_in: code.expires_in_seconds,
        interval: code.interval_seconds,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// Whether the code was typed: tokens, or "authorization_pending", "slow_down", "access_denied", "expired_token".
#[utoipa::path(post, path = "/api/device/token", tag = "account", request_body = PollJson,
    responses((status = 200, body = crate::account::me::MeJson)))]
pub(crate) async fn poll(
    State(inside): State<Inside>,
    viewer: Viewer,
    axum::Extension(by): axum::Extension<CameBy>,
    JsonBody(asked): JsonBody<PollJson>,
) -> Result<Response, Problem> {
    let mut accounts = inside.gateway.accounts.clone();
    let reply = match accounts.poll_device_code(PollDeviceCodeRequest { device_code: asked.device_code }).await {
        Ok(reply) => reply.into_inner(),
        Err(status) if status.code() == tonic::Code::NotFound => {
            return Ok(not_yet("invalid_grant", "there is no such code"));
        }
        Err(status) => return Err(status.into()),
    };
    Ok(match (reply.state(), reply.signed_in) {
        (CodeState::Approved, Some(answer)) => return signed_in(&inside, &viewer, by, asked.tokens, answer).await,
        (CodeState::Approved, None) => not_yet("invalid_grant", "the code was used before"),
        (CodeState::SlowDown, _) => not_yet("slow_down", "ask less often: 5 seconds more between two polls"),
        (CodeState::Denied, _) => not_yet("access_denied", "the viewer declined"),
        (CodeState::Expired, _) => not_yet("expired_token", "the code is too old; begin again"),
        (CodeState::Pending | CodeState::Unspecified, _) => {
            not_yet("authorization_pending", "the code was not typed yet")
        }
    })
}

/// Signs the device in, or declines, whose code the viewer typed.
#[utoipa::path(post, path = "/api/device/approve", tag = "account", request_body = ApproveJson,
    responses((status = 204)))]
pub(crate) async fn approve(
    State(inside): State<Inside>,
    viewer: Viewer,
    JsonBody(asked): JsonBody<ApproveJson>,
) -> Result<StatusCode, Problem> {
    let member = viewer.signed_in()?;
    // Codes are short, so that they can be typed; they must not be tried through.
    inside.attempts.from(&viewer)?;
    let request = ApproveDeviceCodeRequest {
        account: member.account.to_string(),
        profile: viewer.profile.as_ref().map(ToString::to_string).unwrap_or_default(),
        user_code: asked.user_code,
        deny: asked.deny,
    };
    let mut accounts = inside.gateway.accounts;
    accounts.approve_device_code(request).await?;
    Ok(StatusCode::NO_CONTENT)
}
