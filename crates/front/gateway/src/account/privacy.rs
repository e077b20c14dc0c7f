//! What is kept of an account, handed out or forgotten (GDPR, articles 15, 17 and 20), from every service that keeps
//! something of it.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::future::try_join_all;
use http::header;
use matinee_contracts::accounts::{AccountRequest, DeleteRequest};
use matinee_contracts::billing::{AccountRequest as OfAccount, CancelRequest};
use matinee_contracts::history::{EraseRequest as EraseHistory, ListRequest};
use matinee_contracts::ratings::{EraseRequest as EraseRatings, OpinionsRequest, Thumb};
use matinee_service::clock::rfc3339;
use matinee_service::http::{JsonBody, Problem};
use matinee_service::viewer::Viewer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tonic::Status;
use utoipa::ToSchema;

use crate::Gateway;
use crate::account::session::forget;
use crate::door::admission::CameBy;

/// Titles of one profile's history, at the most: what history gives in one answer.
const WATCHED: u32 = 500;

/// All that is kept of an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Export)]
pub struct ExportJson {
    account: Value,
    billing: Value,
    /// By profile.
    #[schema(value_type = Object)]
    history: Map<String, Value>,
    /// By profile.
    #[schema(value_type = Object)]
    ratings: Map<String, Value>,
}

/// The password, so that nobody deletes an account in passing.
#[derive(Deserialize, ToSchema)]
#[schema(as = DeleteAccount)]
#[serde(deny_unknown_fields)]
pub struct DeleteJson {
    /// Empty where the account has none.
    #[serde(default)]
    password: String,
}

/// What was forgotten: "deleted", or "soon" where a service does not answer and forgets it when it does again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deleted)]
pub struct DeletedJson {
    account: &'static str,
    billing: &'static str,
    history: &'static str,
    ratings: &'static str,
}

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

async fn profiles(gateway: &Gateway, account: &str) -> Result<Vec<String>, Status> {
    let mut accounts = gateway.accounts.clone();
    let profiles = accounts.list_profiles(AccountRequest { account: account.to_owned() }).await?.into_inner().profiles;
    Ok(profiles.into_iter().map(|profile| profile.id).collect())
}

async fn history_of(gateway: &Gateway, profile: &str) -> Result<(String, Value), Status> {
    let mut history = gateway.history.clone();
    let request = ListRequest { profile: profile.to_owned(), unfinished_only: false, limit: WATCHED };
    let watched = history.list(request).await?.into_inner().titles;
    let watched = watched.into_iter().map(|watched| {
        json!({
            "title": watched.title,
            "positionSeconds": watched.position_us as f64 / 1e6,
            "durationSeconds": watched.duration_us as f64 / 1e6,
            "finished": watched.finished,
            "timesFinished": watched.times_finished,
            "at": rfc3339(watched.at_us),
        })
    });
    Ok((profile.to_owned(), watched.collect()))
}

async fn ratings_of(gateway: &Gateway, profile: &str) -> Result<(String, Value), Status> {
    let mut ratings = gateway.ratings.clone();
    let request = OpinionsRequest { profile: profile.to_owned(), titles: Vec::new() };
    let said = ratings.opinions(request).await?.into_inner().opinions;
    let said = said.into_iter().map(|opinion| {
        let thumb = match opinion.thumb() {
            Thumb::Up => "up",
            Thumb::Down => "down",
            Thumb::Love => "love",
            Thumb::Unspecified => "none",
        };
        json!({
            "title": opinion.title,
            "thumb": thumb,
            "ratedAt": rfc3339(opinion.rated_us),
            "listed": opinion.listed,
            "listedAt": rfc3339(opinion.listed_us),
        })
    });
    Ok((profile.to_owned(), said.collect()))
}

/// All that is kept of the account, in one JSON. It is whole, or a problem.
#[utoipa::path(get, path = "/api/account/export", tag = "account", responses((status = 200, body = ExportJson)))]
pub async fn export(State(gateway): State<Gateway>, viewer: Viewer) -> Result<Response, Problem> {
    let account = viewer.signed_in()?.account.to_string();
    let profiles = profiles(&gateway, &account).await?;
    let (mut accounts, mut billing) = (gateway.accounts.clone(), gateway.billing.clone());
    let (kept, paid, history, ratings) = tokio::try_join!(
        accounts.export(AccountRequest { account: account.clone() }),
        billing.export(OfAccount { account: account.clone() }),
        try_join_all(profiles.iter().map(|profile| history_of(&gateway, profile))),
        try_join_all(profiles.iter().map(|profile| ratings_of(&gateway, profile))),
    )?;
    let export = ExportJson {
        account: parsed(&kept.into_inner().json),
        billing: parsed(&paid.into_inner().json),
        history: history.into_iter().collect(),
        ratings: ratings.into_iter().collect(),
    };
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"matinee-account.json\""),
    ];
    Ok((headers, Json(export)).into_response())
}

/// Deletes the account for good, with all that is kept of it; invoices stay for as long as the law asks.
#[utoipa::path(delete, path = "/api/account", tag = "account", request_body = DeleteJson,
    responses((status = 200, body = DeletedJson)))]
pub async fn delete(
    State(gateway): State<Gateway>,
    viewer: Viewer,
    axum::Extension(by): axum::Extension<CameBy>,
    JsonBody(asked): JsonBody<DeleteJson>,
) -> Result<Response, Problem> {
    let account = viewer.signed_in()?.account.to_string();
    let profiles = profiles(&gateway, &account).await?;
    let mut accounts = gateway.accounts.clone();
    // First, and alone: it checks the password. It also tells the others, who forget what they do not hear of here.
    accounts.delete(DeleteRequest { account: account.clone(), password: asked.password }).await?;
    let mut billing = gateway.billing.clone();
    let cancelled = billing.cancel(CancelRequest { account, reason: "the account was deleted".to_owned() });
    let (cancelled, history, ratings) = tokio::join!(
        cancelled,
        try_join_all(profiles.iter().map(|profile| {
            let mut history = gateway.history.clone();
            async move { history.erase(EraseHistory { profile: profile.clone() }).await }
        })),
        try_join_all(profiles.iter().map(|profile| {
            let mut ratings = gateway.ratings.clone();
            async move { ratings.erase(EraseRatings { profile: profile.clone() }).await }
        })),
    );
    let without = |status: &Status| matches!(status.code(), tonic::Code::NotFound | tonic::Code::FailedPrecondition);
    let said = |done: bool| if done { "deleted" } else { "soon" };
    let answer = DeletedJson {
        account: "deleted",
        billing: said(cancelled.is_ok() || cancelled.as_ref().is_err_and(without)),
        history: said(history.is_ok()),
        ratings: said(ratings.is_ok()),
    };
    let mut response = ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response();
    forget(response.headers_mut(), by);
    Ok(response)
}
