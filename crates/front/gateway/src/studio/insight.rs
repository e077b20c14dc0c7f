//! How things go: traces, the quality of plays, recommendation models, the search index.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use matinee_contracts::recommend::{ListModelsRequest, Model, TrainRequest, UseModelRequest};
use matinee_contracts::search::{RebuildRequest, StatusRequest};
use matinee_contracts::telemetry::PlayQualityRequest;
use matinee_contracts::traces::{GetRequest, ListRequest};
use matinee_service::clock::rfc3339;
use matinee_service::http::{JsonOrNothing, Problem, Queried};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Gateway;

/// Which traces.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct TracesQuery {
    limit: u32,
    /// That touched this service.
    service: String,
    /// Whose name has this in it.
    name: String,
    /// That took at least so long.
    min_duration_ms: f64,
    /// In which something failed.
    errors: bool,
}

/// A trace, in short.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TraceSummary)]
#[serde(rename_all = "camelCase")]
pub struct TraceJson {
    trace: String,
    name: String,
    service: String,
    #[schema(required)]
    start: Option<String>,
    duration_ms: f64,
    spans: u32,
    errors: u32,
}

/// A span of a trace.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Span)]
#[serde(rename_all = "camelCase")]
pub struct SpanJson {
    id: String,
    /// Empty of the trace's first.
    parent: String,
    name: String,
    service: String,
    /// "server", "client", "internal", "producer", "consumer".
    kind: String,
    start_us: i64,
    duration_us: u64,
    /// Empty where nothing failed.
    error: String,
    tags: BTreeMap<String, String>,
}

/// The spans of a trace.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Trace)]
pub struct SpansJson {
    trace: String,
    spans: Vec<SpanJson>,
}

/// How plays are grouped.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct QualityQuery {
    /// "territory" or "network"; empty: all together.
    by: String,
    /// Over the last so many seconds; 0: 300.
    window: u32,
}

/// How plays of a group go.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QualityRow)]
#[serde(rename_all = "camelCase")]
pub struct QualityRowJson {
    group: String,
    playing: u64,
    plays: u64,
    start_p50_ms: f64,
    start_p95_ms: f64,
    stall_ratio: f64,
    mean_bits_per_second: f64,
    errors: u64,
    /// For pictures and sound, with which players said what follows.
    requests: u64,
    throughput_p50_bits_per_second: f64,
    buffer_p50_ms: f64,
    /// Requests after an empty buffer, of all.
    starved_ratio: f64,
}

/// The same, a step of time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QualityPoint)]
#[serde(rename_all = "camelCase")]
pub struct QualityPointJson {
    #[schema(required)]
    at: Option<String>,
    playing: u64,
    start_p95_ms: f64,
    stall_ratio: f64,
    errors: u64,
}

/// How plays go.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Quality)]
pub struct QualityJson {
    rows: Vec<QualityRowJson>,
    /// The oldest first.
    points: Vec<QualityPointJson>,
}

/// A recommendation model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model)]
#[serde(rename_all = "camelCase")]
pub struct ModelJson {
    id: String,
    #[schema(required)]
    trained: Option<String>,
    factors: u32,
    profiles: u64,
    titles: u64,
    plays: u64,
    recall_at20: f64,
    ndcg_at100: f64,
    in_use: bool,
    seconds: f64,
}

impl From<Model> for ModelJson {
    fn from(model: Model) -> Self {
        Self {
            id: model.id,
            trained: rfc3339(model.trained_us),
            factors: model.factors,
            profiles: model.profiles,
            titles: model.titles,
            plays: model.plays,
            recall_at20: model.recall_at_20,
            ndcg_at100: model.ndcg_at_100,
            in_use: model.in_use,
            seconds: model.seconds,
        }
    }
}

/// Trains a model, or takes an earlier one in use again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = TrainOrUse)]
#[serde(deny_unknown_fields, default)]
pub struct TrainJson {
    /// The id of the model to take in use; empty: a new one is trained.
    r#use: String,
}

/// The search index.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchIndex)]
#[serde(rename_all = "camelCase")]
pub struct IndexJson {
    index: String,
    titles: u64,
    next_event: u64,
}

/// The latest traces.
#[utoipa::path(get, path = "/api/studio/traces", tag = "studio", params(TracesQuery),
    responses((status = 200, body = Vec<TraceJson>)))]
pub async fn traces(
    State(mut gateway): State<Gateway>,
    Queried(asked): Queried<TracesQuery>,
) -> Result<Json<Vec<TraceJson>>, Problem> {
    let request = ListRequest {
        limit: asked.limit,
        service: asked.service,
        name: asked.name,
        // A number that is none (not finite, negative) is 0.
        min_duration_us: (asked.min_duration_ms * 1e3) as u64,
        errors_only: asked.errors,
    };
    let traces = gateway.traces.list(request).await?.into_inner().traces;
    let json = traces.into_iter().map(|trace| TraceJson {
        trace: trace.trace,
        name: trace.name,
        service: trace.service,
        start: rfc3339(trace.start_us),
        duration_ms: trace.duration_us as f64 / 1e3,
        spans: trace.spans,
        errors: trace.errors,
    });
    Ok(Json(json.collect()))
}

/// The spans of a trace.
#[utoipa::path(get, path = "/api/studio/traces/{id}", tag = "studio", responses((status = 200, body = SpansJson)))]
pub async fn trace(State(mut gateway): State<Gateway>, Path(trace): Path<String>) -> Result<Json<SpansJson>, Problem> {
    let spans = gateway.traces.get(GetRequest { trace: trace.clone() }).await?.into_inner().spans;
    let spans = spans.into_iter().map(|span| SpanJson {
        id: span.id,
        parent: span.parent,
        name: span.name,
        service: span.service,
        kind: span.kind,
        start_us: span.start_us,
        duration_us: span.duration_us,
        error: span.error,
        tags: span.tags.into_iter().collect(),
    });
    Ok(Json(SpansJson { trace, spans: spans.collect() }))
}

/// How plays go at the moment.
#[utoipa::path(get, path = "/api/studio/quality", tag = "studio", params(QualityQuery),
    responses((status = 200, body = QualityJson)))]
pub async fn quality(
    State(mut gateway): State<Gateway>,
    Queried(asked): Queried<QualityQuery>,
) -> Result<Json<QualityJson>, Problem> {
    let request = PlayQualityRequest { window_seconds: asked.window, by: asked.by };
    let reply = gateway.telemetry.play_quality(request).await?.into_inner();
    let rows = reply.rows.into_iter().map(|row| QualityRowJson {
        group: row.group,
        playing: row.playing,
        plays: row.plays,
        start_p50_ms: row.start_p50_ms,
        start_p95_ms: row.start_p95_ms,
        stall_ratio: row.stall_ratio,
        mean_bits_per_second: row.mean_bits_per_second,
        errors: row.errors,
        requests: row.requests,
        throughput_p50_bits_per_second: row.throughput_p50_bits_per_second,
        buffer_p50_ms: row.buffer_p50_ms,
        starved_ratio: row.starved_ratio,
    });
    let points = reply.points.into_iter().map(|point| QualityPointJson {
        at: rfc3339(point.at_us),
        playing: point.playing,
        start_p95_ms: point.start_p95_ms,
        stall_ratio: point.stall_ratio,
        errors: point.errors,
    });
    Ok(Json(QualityJson { rows: rows.collect(), points: points.collect() }))
}

/// Recommendation models.
#[utoipa::path(get, path = "/api/studio/models", tag = "studio", responses((status = 200, body = Vec<ModelJson>)))]
pub async fn models(State(mut gateway): State<Gateway>) -> Result<Json<Vec<ModelJson>>, Problem> {
    let models = gateway.recommend.list_models(ListModelsRequest {}).await?.into_inner().models;
    Ok(Json(models.into_iter().map(ModelJson::from).collect()))
}

/// Trains a model over the lake, or takes an earlier one in use again.
#[utoipa::path(post, path = "/api/studio/models", tag = "studio", request_body = TrainJson,
    responses((status = 200, body = ModelJson)))]
pub async fn train(
    State(mut gateway): State<Gateway>,
    JsonOrNothing(asked): JsonOrNothing<TrainJson>,
) -> Result<Json<ModelJson>, Problem> {
    let model = if asked.r#use.is_empty() {
        gateway.recommend.train(TrainRequest {}).await?
    } else {
        gateway.recommend.use_model(UseModelRequest { id: asked.r#use }).await?
    };
    Ok(Json(model.into_inner().into()))
}

/// The search index that answers.
#[utoipa::path(get, path = "/api/studio/search", tag = "studio", responses((status = 200, body = IndexJson)))]
pub async fn search(State(mut gateway): State<Gateway>) -> Result<Json<IndexJson>, Problem> {
    let status = gateway.search.status(StatusRequest {}).await?.into_inner();
    Ok(Json(IndexJson { index: status.index, titles: status.titles, next_event: status.next_event }))
}

/// Builds the index anew from the catalogue's events, and switches to it when it is whole.
#[utoipa::path(post, path = "/api/studio/search", tag = "studio", responses((status = 200, body = IndexJson)))]
pub async fn rebuild(State(mut gateway): State<Gateway>) -> Result<Json<IndexJson>, Problem> {
    gateway.search.rebuild(RebuildRequest {}).await?;
    let status = gateway.search.status(StatusRequest {}).await?.into_inner();
    Ok(Json(IndexJson { index: status.index, titles: status.titles, next_event: status.next_event }))
}
