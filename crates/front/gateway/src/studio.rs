//! What an operator sees and does: uploads, workflows as they run, inspection reports, titles.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt};
use matinee_contracts::catalog::{GetTitleRequest, ListTitlesRequest, PutTitleRequest, Title};
use matinee_contracts::ingest::ListUploadsRequest;
use matinee_contracts::workflow::{CancelRequest, ListRequest, RetryRequest, ShowRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Gateway;
use crate::answer::{Problem, time};
use crate::titles::TitleJson;
use crate::workflow_json::WorkflowJson;

/// `GET /api/studio/workflows`: the newest first.
pub async fn list_workflows(State(mut gateway): State<Gateway>) -> Result<Json<Vec<WorkflowJson>>, Problem> {
    let request = ListRequest { subject: String::new(), limit: 200 };
    let workflows = gateway.workflow.list(request).await?.into_inner().workflows;
    Ok(Json(workflows.into_iter().map(WorkflowJson::from).collect()))
}

/// `GET /api/studio/workflows/{id}`.
pub async fn show_workflow(
    State(mut gateway): State<Gateway>,
    Path(id): Path<String>,
) -> Result<Json<WorkflowJson>, Problem> {
    Ok(Json(gateway.workflow.show(ShowRequest { id }).await?.into_inner().into()))
}

/// `GET /api/studio/workflows/{id}/events`: the workflow as it is, then again at each change (server-sent events).
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
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct RetryJson {
    task: String,
}

/// `POST /api/studio/workflows/{id}/retry`.
pub async fn retry_workflow(
    State(mut gateway): State<Gateway>,
    Path(id): Path<String>,
    body: Option<Json<RetryJson>>,
) -> Result<Json<WorkflowJson>, Problem> {
    let Json(RetryJson { task }) = body.unwrap_or_default();
    Ok(Json(gateway.workflow.retry(RetryRequest { id, task }).await?.into_inner().into()))
}

/// `POST /api/studio/workflows/{id}/cancel`.
pub async fn cancel_workflow(
    State(mut gateway): State<Gateway>,
    Path(id): Path<String>,
) -> Result<Json<WorkflowJson>, Problem> {
    let request = CancelRequest { id, reason: "cancelled in the studio".to_owned() };
    Ok(Json(gateway.workflow.cancel(request).await?.into_inner().into()))
}

/// An upload as the studio shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadJson {
    id: String,
    size: u64,
    offset: u64,
    metadata: std::collections::BTreeMap<String, String>,
    created_at: Option<String>,
    expires_at: Option<String>,
    finished: bool,
}

/// `GET /api/studio/uploads`.
pub async fn list_uploads(State(mut gateway): State<Gateway>) -> Result<Json<Vec<UploadJson>>, Problem> {
    let uploads = gateway.ingest.list_uploads(ListUploadsRequest {}).await?.into_inner().uploads;
    let json = uploads.into_iter().map(|upload| UploadJson {
        id: upload.id,
        size: upload.size,
        offset: upload.offset,
        metadata: upload.metadata.into_iter().collect(),
        created_at: time(upload.created_us),
        expires_at: time(upload.expires_us),
        finished: upload.finished,
    });
    Ok(Json(json.collect()))
}

/// `GET /api/studio/titles`: published or not.
pub async fn list_titles(State(mut gateway): State<Gateway>) -> Result<Json<Vec<TitleJson>>, Problem> {
    let request = ListTitlesRequest { limit: 500, ..ListTitlesRequest::default() };
    let titles = gateway.catalog.list_titles(request).await?.into_inner().titles;
    Ok(Json(titles.into_iter().map(TitleJson::from).collect()))
}

/// A title's words, as the studio changes them.
#[derive(Deserialize)]
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

/// `PUT /api/studio/titles/{id}`.
pub async fn put_title(
    State(mut gateway): State<Gateway>,
    Path(id): Path<String>,
    body: Result<Json<TitleWords>, JsonRejection>,
) -> Result<Json<TitleJson>, Problem> {
    let Json(words) = body?;
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

/// `GET /api/studio/titles/{id}/inspection`: the newest report on the title's master.
pub async fn inspection(State(mut gateway): State<Gateway>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
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
