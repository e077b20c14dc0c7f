//! What payment providers report. The body goes to billing as it came: its signature is over its bytes.

use axum::Json;
use axum::extract::{Path, State};
use http::HeaderMap;
use matinee_contracts::billing::WebhookRequest;
use matinee_service::http::{BytesBody, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Gateway;

/// Headers that are passed on, at the most.
const MOST_HEADERS: usize = 64;

/// That it was taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookTaken)]
pub struct TakenJson {
    /// It was taken before, and changed nothing now.
    repeated: bool,
}

/// Takes what a payment provider reports.
#[utoipa::path(post, path = "/webhooks/{provider}", tag = "billing",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = TakenJson)))]
pub async fn take(
    State(mut gateway): State<Gateway>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    BytesBody(body): BytesBody,
) -> Result<Json<TakenJson>, Problem> {
    // Never our own credentials, should a browser have been made to send this.
    let own = ["cookie", "authorization"];
    let headers = headers.iter().filter(|(name, _)| !own.contains(&name.as_str())).take(MOST_HEADERS);
    let headers = headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let request = WebhookRequest { provider, body: body.to_vec(), headers: headers.collect() };
    let reply = gateway.billing.webhook(request).await?.into_inner();
    Ok(Json(TakenJson { repeated: reply.repeated_event }))
}
