//! The devices that are signed in to an account.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use matinee_contracts::accounts::{AccountRequest, DeviceRequest};
use matinee_service::clock::rfc3339;
use matinee_service::http::Problem;
use matinee_service::viewer::Viewer;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Gateway;
use crate::account::me::private;

/// A device that is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignedInDevice)]
#[serde(rename_all = "camelCase")]
pub struct DeviceJson {
    id: String,
    name: String,
    /// "web", "mobile", "tv".
    kind: String,
    #[schema(required)]
    signed_in_at: Option<String>,
    #[schema(required)]
    last_seen_at: Option<String>,
    profile: String,
    /// Whether it is the one that asks.
    current: bool,
}

/// The devices that are signed in.
#[utoipa::path(get, path = "/api/account/devices", tag = "account", responses((status = 200, body = Vec<DeviceJson>)))]
pub async fn list(State(mut gateway): State<Gateway>, viewer: Viewer) -> Result<Response, Problem> {
    let member = viewer.signed_in()?;
    let devices = gateway.accounts.list_devices(AccountRequest { account: member.account.to_string() }).await?;
    let devices = devices.into_inner().devices.into_iter().map(|device| DeviceJson {
        current: device.id == member.device.as_str(),
        id: device.id,
        name: device.name,
        kind: device.kind,
        signed_in_at: rfc3339(device.signed_in_us),
        last_seen_at: rfc3339(device.last_seen_us),
        profile: device.profile,
    });
    Ok(private(devices.collect::<Vec<_>>()))
}

/// Signs a device out.
#[utoipa::path(delete, path = "/api/account/devices/{id}", tag = "account", responses((status = 204)))]
pub async fn sign_out(
    State(mut gateway): State<Gateway>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let account = viewer.signed_in()?.account.to_string();
    gateway.accounts.sign_out_device(DeviceRequest { account, device: id }).await?;
    Ok(StatusCode::NO_CONTENT)
}
