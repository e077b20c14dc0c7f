//! The profiles of an account.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use matinee_contracts::accounts::{Profile, ProfileRequest, PutProfileRequest};
use matinee_service::http::{JsonBody, Problem};
use matinee_service::viewer::Viewer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Gateway;
use crate::account::me::private;

/// A profile.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Profile)]
#[serde(rename_all = "camelCase")]
pub struct ProfileJson {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) avatar: String,
    pub(crate) kids: bool,
    /// Titles for an older age are hidden; 0: no limit.
    pub(crate) maturity_limit: u32,
    /// Of the application, of sound, of subtitles (empty: none); BCP 47.
    pub(crate) language: String,
    pub(crate) audio_language: String,
    pub(crate) subtitle_language: String,
    pub(crate) autoplay_next: bool,
}

/// What a profile is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PutProfile)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PutJson {
    /// Taken from the address; here it is allowed, so that what was read can be sent back.
    #[serde(default)]
    #[allow(dead_code, reason = "the address says which profile it is")]
    id: String,
    name: String,
    #[serde(default)]
    avatar: String,
    #[serde(default)]
    kids: bool,
    #[serde(default)]
    maturity_limit: u32,
    #[serde(default)]
    language: String,
    #[serde(default)]
    audio_language: String,
    #[serde(default)]
    subtitle_language: String,
    #[serde(default = "yes")]
    autoplay_next: bool,
}

fn yes() -> bool {
    true
}

async fn put(gateway: Gateway, viewer: &Viewer, id: String, json: PutJson) -> Result<Response, Problem> {
    let profile = Profile {
        id,
        name: json.name,
        avatar: json.avatar,
        kids: json.kids,
        maturity_limit: json.maturity_limit,
        language: json.language,
        audio_language: json.audio_language,
        subtitle_language: json.subtitle_language,
        autoplay_next: json.autoplay_next,
    };
    let account = viewer.signed_in()?.account.to_string();
    let mut accounts = gateway.accounts;
    let put = accounts.put_profile(PutProfileRequest { account, profile: Some(profile) }).await?;
    Ok(private(ProfileJson::from(put.into_inner())))
}

/// Adds a profile: at most five.
#[utoipa::path(post, path = "/api/account/profiles", tag = "account", request_body = PutJson,
    responses((status = 200, body = ProfileJson)))]
pub async fn add(
    State(gateway): State<Gateway>,
    viewer: Viewer,
    JsonBody(json): JsonBody<PutJson>,
) -> Result<Response, Problem> {
    put(gateway, &viewer, String::new(), json).await
}

/// Changes a profile.
#[utoipa::path(put, path = "/api/account/profiles/{id}", tag = "account", request_body = PutJson,
    responses((status = 200, body = ProfileJson)))]
pub async fn change(
    State(gateway): State<Gateway>,
    viewer: Viewer,
    Path(id): Path<String>,
    JsonBody(json): JsonBody<PutJson>,
) -> Result<Response, Problem> {
    put(gateway, &viewer, id, json).await
}

/// Deletes a profile with everything of it; the last one stays.
#[utoipa::path(delete, path = "/api/account/profiles/{id}", tag = "account", responses((status = 204)))]
pub async fn delete(
    State(mut gateway): State<Gateway>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let account = viewer.signed_in()?.account.to_string();
    gateway.accounts.delete_profile(ProfileRequest { account, profile: id }).await?;
    Ok(StatusCode::NO_CONTENT)
}
