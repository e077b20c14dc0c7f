//! Films on their way in: uploads, workflows as they run, inspection reports, and the words of a title.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt};
use matinee_contracts::catalog::{GetTitleRequest, ListTitlesRequest, PutTitleRequest, Title};
use matinee_contracts::ingest::ListUploadsRequest;
use matinee_contracts::workflow::{CancelRequest, ListRequest, RetryRequest, ShowRequest};
use matinee_service::clock::rfc3339;
use matinee_service::http::{JsonBody, JsonOrNothing, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Gateway;
use crate::studio::inspection_json::InspectionJson;
use crate::studio::workflow_json::WorkflowJson;
use crate::titles::TitleJson;

/// Workflows, the newest first.
#[utoipa::path(get, path = "/api/studio/workflows", tag = "studio",
    responses((status = 200, body = Vec<WorkflowJson>)))]
pub async fn list_workflows(State(mut gateway): State<Gateway>) -> Result<Json<Vec<WorkflowJson>>, Problem> {
    let request = ListRequest { subject: String::new(), limit: 200 };
    let workflows = gateway.workflow.list(request).await?.into_inner().workflows;
    Ok(Json(workflows.into_iter().map(WorkflowJson::from).collect()))
}

/// A workflow with its tasks.
#[utoipa::path(get, path = "/api/studio/workflows/{id}", tag = "studio",
    responses((status = 200, body = WorkflowJson)))]
pub async fn show_workflow(
    State(mut gateway): State<Gateway>,
    Path(id): Path<String>,
) -> Result<Json<WorkflowJson>, Problem> {
    Ok(Json(gateway.workflow.show(ShowRequest { id }).await?.into_inner().into()))
}

/// The workflow as it is, then again at each change (server-sent events).
#[utoipa::path(get, path = "/api/studio/workflows/{id}/events", tag = "studio",
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub async fn watch_workflow(
    State(mut gateway): State<Gateway>,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let changes = gateway.workflow.watch(ShowRequest { id }).await?.into_inner();
    let events = changes.filter_map(|change| async move {
        let detail = change.ok()?;
        let event = Event::default().json_data(WorkflowJson::from(detail)).ok()?;
        Some(Ok(event))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

/// What a retry takes: one task's name, or nothing for all that failed.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = Retry)]
#[serde(deny_unknown_fields, default)]
pub struct RetryJson {
    task: String,
}

/// Runs what failed again.
#[utoipa::path(post, path = "/api/studio/workflows/{id}/retry", tag = "studio", request_body = RetryJson,
    responses((status = 200, body = WorkflowJson)))]
pub async fn retry_workflow(
    State(mut gateway): State<Gateway>,
    Path(id): Path<String>,
    JsonOrNothing(RetryJson { task }): JsonOrNothing<RetryJson>,
) -> Result<Json<WorkflowJson>, Problem> {
    Ok(Json(gateway.workflow.retry(RetryRequest { id, task }).await?.into_inner().into()))
}

/// Stops a workflow.
#[utoipa::path(post, path = "/api/studio/workflows/{id}/cancel", tag = "studio",
    responses((status = 200, body = WorkflowJson)))]
pub async fn cancel_workflow(
    State(mut gateway): State<Gateway>,
    Path(id): Path<String>,
) -> Result<Json<WorkflowJson>, Problem> {
    let request = CancelRequest { id, reason: "cancelled in the studio".to_owned() };
    Ok(Json(gateway.workflow.cancel(request).await?.into_inner().into()))
}

/// An upload as the studio shows it.
#[derive(Serialize, ToSchema)]
#[schema(as = Upload)]
#[serde(rename_all = "camelCase")]
pub struct UploadJson {
    id: String,
    size: u64,
    offset: u64,
    metadata: std::collections::BTreeMap<String, String>,
    #[schema(required)]
    created_at: Option<String>,
    #[schema(required)]
    expires_at: Option<String>,
    finished: bool,
}

/// Masters on their way in.
#[utoipa::path(get, path = "/api/studio/uploads", tag = "studio",
    responses((status = 200, body = Vec<UploadJson>)))]
pub async fn list_uploads(State(mut gateway): State<Gateway>) -> Result<Json<Vec<UploadJson>>, Problem> {
    let uploads = gateway.ingest.list_uploads(ListUploadsRequest {}).await?.into_inner().uploads;
    let json = uploads.into_iter().map(|upload| UploadJson {
        id: upload.id,
        size: upload.size,
        offset: upload.offset,
        metadata: upload.metadata.into_iter().collect(),
        created_at: rfc3339(upload.created_us),
        expires_at: rfc3339(upload.expires_us),
        finished: upload.finished,
    });
    Ok(Json(json.collect()))
}

/// Titles, published or not.
#[utoipa::path(get, path = "/api/studio/titles", tag = "studio",
    responses((status = 200, body = Vec<TitleJson>)))]
pub async fn list_titles(State(mut gateway): State<Gateway>) -> Result<Json<Vec<TitleJson>>, Problem> {
    let request = ListTitlesRequest { limit: 500, ..ListTitlesRequest::default() };
    let titles = gateway.catalog.list_titles(request).await?.into_inner().titles;
    Ok(Json(titles.into_iter().map(TitleJson::from).collect()))
}

/// A title's words, as the studio changes them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TitleWords {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    credits: String,
    #[serde(default)]
    license: String,
}

/// Changes a title's words, and nothing else of it.
#[utoipa::path(put, path = "/api/studio/titles/{id}", tag = "studio", request_body = TitleWords,
    responses((status = 200, body = TitleJson)))]
pub async fn put_title(
    State(mut gateway): State<Gateway>,
    Path(id): Path<String>,
    JsonBody(words): JsonBody<TitleWords>,
) -> Result<Json<TitleJson>, Problem> {
    let known = match gateway.catalog.get_title(GetTitleRequest { id: id.clone() }).await {
        Ok(title) => title.into_inner(),
        Err(status) if status.code() == tonic::Code::NotFound => Title { id, ..Title::default() },
        Err(status) => return Err(status.into()),
    };
    // What this form does not show stays as it is: its licence windows above all.
    let title = Title {
        name: words.name,
        description: words.description,
        credits: words.credits,
        license: words.license,
        ..known
    };
    Ok(Json(gateway.catalog.put_title(PutTitleRequest { title: Some(title) }).await?.into_inner().into()))
}

/// The newest report on the title's master.
#[utoipa::path(get, path = "/api/studio/titles/{id}/inspection", tag = "studio",
    responses((status = 200, body = InspectionJson)))]
pub async fn inspection(
    State(mut gateway): State<Gateway>,
    Path(id): Path<String>,
) -> Result<Json<InspectionJson>, Problem> {
    let none = || Problem::not_found(format!("no master of title {id} was inspected yet"));
    let newest = ListRequest { subject: id.clone(), limit: 1 };
    let workflows = gateway.workflow.list(newest).await?.into_inner().workflows;
    let Some(workflow) = workflows.into_iter().next() else { return Err(none()) };
    let detail = gateway.workflow.show(ShowRequest { id: workflow.id }).await?.into_inner();
    let report = detail
        .tasks
        .into_iter()
        .find(|task| task.spec.as_ref().is_some_and(|spec| spec.r#type == "inspect"))
        .and_then(|task| task.outcome)
        .and_then(|outcome| serde_json::from_str(&outcome.result).ok());
    report.map(Json).ok_or_else(none)
}
