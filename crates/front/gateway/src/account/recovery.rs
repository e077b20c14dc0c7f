//! E-mail addresses that are proved, and passwords that are forgotten or changed.

use axum::extract::State;
use http::StatusCode;
use matinee_contracts::accounts::{
    AccountRequest, ChangePasswordRequest, PasswordResetRequest, ResetPasswordRequest, VerifyEmailRequest,
};
use matinee_service::http::{JsonBody, Problem};
use matinee_service::viewer::Viewer;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::Gateway;
use crate::door::Inside;

/// The token of a mail.
#[derive(Deserialize, ToSchema)]
#[schema(as = Verify)]
#[serde(deny_unknown_fields)]
pub struct VerifyJson {
    token: String,
}

/// An e-mail address.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ForgotPassword)]
#[serde(deny_unknown_fields)]
pub struct ForgotJson {
    email: String,
}

/// The token of a mail, and a new password.
#[derive(Deserialize, ToSchema)]
#[schema(as = ResetPassword)]
#[serde(deny_unknown_fields)]
pub struct ResetJson {
    token: String,
    /// 8 to 256 characters.
    password: String,
}

/// The password so far, and a new one.
#[derive(Deserialize, ToSchema)]
#[schema(as = ChangePassword)]
#[serde(deny_unknown_fields)]
pub struct PasswordJson {
    /// Empty where there is none yet.
    #[serde(default)]
    current: String,
    /// 8 to 256 characters.
    password: String,
}

/// Proves an e-mail address by the token that was mailed to it.
#[utoipa::path(post, path = "/api/account/verify", tag = "account", request_body = VerifyJson,
    responses((status = 204)))]
pub(crate) async fn verify(
    State(inside): State<Inside>,
    viewer: Viewer,
    JsonBody(asked): JsonBody<VerifyJson>,
) -> Result<StatusCode, Problem> {
    inside.attempts.from(&viewer)?;
    let mut accounts = inside.gateway.accounts;
    accounts.verify_email(VerifyEmailRequest { token: asked.token }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mails the token again.
#[utoipa::path(post, path = "/api/account/resend-verification", tag = "account", responses((status = 204)))]
pub(crate) async fn resend(State(inside): State<Inside>, viewer: Viewer) -> Result<StatusCode, Problem> {
    let account = viewer.signed_in()?.account.to_string();
    inside.attempts.from(&viewer)?;
    let mut accounts = inside.gateway.accounts;
    accounts.resend_verification(AccountRequest { account }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mails a way to a new password, where the address is known; the answer does not tell whether it is.
#[utoipa::path(post, path = "/api/account/forgot-password", tag = "account", request_body = ForgotJson,
    responses((status = 204)))]
pub(crate) async fn forgot(
    State(inside): State<Inside>,
    viewer: Viewer,
    JsonBody(asked): JsonBody<ForgotJson>,
) -> Result<StatusCode, Problem> {
    inside.attempts.from(&viewer)?;
    let mut accounts = inside.gateway.accounts;
    accounts.request_password_reset(PasswordResetRequest { email: asked.email }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a new password by a mailed token, and signs every device out.
#[utoipa::path(post, path = "/api/account/reset-password", tag = "account", request_body = ResetJson,
    responses((status = 204)))]
pub(crate) async fn reset(
    State(inside): State<Inside>,
    viewer: Viewer,
    JsonBody(asked): JsonBody<ResetJson>,
) -> Result<StatusCode, Problem> {
    inside.attempts.from(&viewer)?;
    let mut accounts = inside.gateway.accounts;
    accounts.reset_password(ResetPasswordRequest { token: asked.token, password: asked.password }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the password.
#[utoipa::path(post, path = "/api/account/password", tag = "account", request_body = PasswordJson,
    responses((status = 204)))]
pub async fn change_password(
    State(mut gateway): State<Gateway>,
    State(attempts): State<std::sync::Arc<crate::attempts::Attempts>>,
    viewer: Viewer,
    JsonBody(asked): JsonBody<PasswordJson>,
) -> Result<StatusCode, Problem> {
    let member = viewer.signed_in()?;
    attempts.from(&viewer)?;
    let request = ChangePasswordRequest {
        account: member.account.to_string(),
        device: member.device.to_string(),
        current: asked.current,
        password: asked.password,
    };
    gateway.accounts.change_password(request).await?;
    Ok(StatusCode::NO_CONTENT)
}
