//! Sign-in elsewhere, by OpenID Connect: the browser goes to the provider and comes back with a code.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use matinee_contracts::accounts::{FinishOpenIdRequest, ListProvidersRequest, StartOpenIdRequest};
use matinee_service::http::{Problem, Queried};
use matinee_service::viewer::Viewer;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::account::me::private;
use crate::account::session::{device_name, keep};
use crate::door::Inside;
use crate::door::admission::CameBy;
use crate::door::cookies;

/// Where providers send the browser back to.
const CALLBACK: &str = "/api/openid/callback";
/// Where the browser goes when that came to nothing; the page says so.
const FAILED: &str = "/sign-in?problem=openid";
/// How long a sign-in elsewhere may take, in seconds.
const KEPT: u64 = 900;

/// Somebody who knows who people are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenIdProvider)]
pub struct ProviderJson {
    name: String,
    /// For people.
    label: String,
}

/// What a provider sends a browser back with.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct CameBack {
    state: String,
    code: String,
    /// Why there is no code.
    error: String,
}

/// Where one may sign in elsewhere.
#[utoipa::path(get, path = "/api/openid/providers", tag = "account",
    responses((status = 200, body = Vec<ProviderJson>)))]
pub(crate) async fn providers(State(inside): State<Inside>) -> Result<Response, Problem> {
    let mut accounts = inside.gateway.accounts;
    let providers = accounts.list_providers(ListProvidersRequest {}).await?.into_inner().providers;
    let json = providers.into_iter().map(|provider| ProviderJson { name: provider.name, label: provider.label });
    Ok(private(json.collect::<Vec<_>>()))
}

/// Sends the browser to the provider.
#[utoipa::path(get, path = "/api/openid/{provider}/start", tag = "account", responses((status = 303)))]
pub(crate) async fn start(
    State(inside): State<Inside>,
    viewer: Viewer,
    axum::Extension(by): axum::Extension<CameBy>,
    headers: HeaderMap,
    Path(provider): Path<String>,
) -> Result<Response, Problem> {
    inside.attempts.from(&viewer)?;
    let redirect_uri = format!("{}{CALLBACK}", inside.doorman.base(&headers, by));
    let mut accounts = inside.gateway.accounts;
    let begun = accounts.start_open_id(StartOpenIdRequest { provider, redirect_uri }).await?.into_inner();
    let mut response = to(&begun.url)?;
    cookies::keep(response.headers_mut(), cookies::OPENID, &begun.binding, KEPT, by.0);
    Ok(response)
}

/// Where the provider sends the browser back to: it is signed in, and goes on to the first page.
#[utoipa::path(get, path = "/api/openid/callback", tag = "account", params(CameBack), responses((status = 303)))]
pub(crate) async fn callback(
    State(inside): State<Inside>,
    viewer: Viewer,
    axum::Extension(by): axum::Extension<CameBy>,
    headers: HeaderMap,
    Queried(came): Queried<CameBack>,
) -> Result<Response, Problem> {
    inside.attempts.from(&viewer)?;
    let binding = cookies::read(&headers, cookies::OPENID).unwrap_or_default().to_owned();
    let request = FinishOpenIdRequest {
        state: came.state,
        code: came.code,
        binding,
        device_name: device_name(String::new(), &headers),
        territory: viewer.territory.to_string(),
    };
    let mut accounts = inside.gateway.accounts.clone();
    let finished = accounts.finish_open_id(request).await;
    let mut response = match finished {
        Ok(answer) => {
            let answer = answer.into_inner();
            let mut response = to("/")?;
            let until_us = answer.refresh_expires_us;
            keep(&inside, response.headers_mut(), by, &answer.access_token, &answer.refresh_token, until_us);
            response
        }
        // A person looks at this, not a program.
        Err(status) => {
            tracing::warn!(%status, provider_said = came.error, "a sign-in elsewhere came to nothing");
            to(FAILED)?
        }
    };
    cookies::forget(response.headers_mut(), cookies::OPENID, by.0);
    Ok(response)
}

fn to(address: &str) -> Result<Response, Problem> {
    let location = HeaderValue::from_str(address).map_err(|_| {
        let title = "something went wrong on our side";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, title, "the provider's address can't stand in a header")
    })?;
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}
