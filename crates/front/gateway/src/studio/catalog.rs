//! The catalogue, as the studio keeps it.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use matinee_contracts::catalog::{
    DeleteTitleRequest, ExportRequest, GetTitleRequest, ImportRequest, ListGenresRequest, ListTitlesRequest,
    PutArtworkRequest, PutTitleRequest, SetWindowsRequest, TitleKind,
};
use matinee_service::http::{BytesBody, JsonBody, Problem, Queried};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Gateway;
use crate::studio::title_json::{StudioTitleJson, WindowJson, windows};

/// A part of the catalogue.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// After this id.
    after: String,
    /// At most 500.
    limit: u32,
    /// "movie", "series" or "episode"; empty: all.
    kind: String,
    /// The episodes of it.
    series: String,
    genre: String,
    /// Only what is published.
    published: bool,
}

/// Titles.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StudioTitles)]
pub struct TitlesJson {
    titles: Vec<StudioTitleJson>,
}

/// What is deleted is at this revision; 0: whatever it is.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Revision {
    revision: u64,
}

/// Licence windows.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PutWindows)]
#[serde(deny_unknown_fields)]
pub struct WindowsJson {
    #[serde(default)]
    revision: u64,
    windows: Vec<WindowJson>,
}

/// Of a text in the picture.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PictureQuery {
    /// BCP 47; empty: it has none.
    language: String,
}

/// How a catalogue is written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct FormatQuery {
    /// "csv" or "json"; of an import also "tmdb".
    format: String,
    /// Only says what would happen.
    dry_run: bool,
}

/// What is wrong with a catalogue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportProblem)]
pub struct ImportProblemJson {
    line: u32,
    field: String,
    reason: String,
}

/// What an import did: all of it, or nothing where there are problems.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Import)]
pub struct ImportJson {
    added: u32,
    changed: u32,
    unchanged: u32,
    problems: Vec<ImportProblemJson>,
}

/// A genre.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StudioGenre)]
pub struct GenreJson {
    id: String,
    name: String,
    titles: u32,
}

fn kind(name: &str) -> Result<TitleKind, Problem> {
    match name {
        "" => Ok(TitleKind::Unspecified),
        "movie" => Ok(TitleKind::Movie),
        "series" => Ok(TitleKind::Series),
        "episode" => Ok(TitleKind::Episode),
        _ => Err(Problem::field("kind", "movie, series and episode are taken")),
    }
}

/// Titles, published or not, by their ids.
#[utoipa::path(get, path = "/api/studio/catalog/titles", tag = "studio", params(ListQuery),
    responses((status = 200, body = TitlesJson)))]
pub async fn list(
    State(mut gateway): State<Gateway>,
    Queried(asked): Queried<ListQuery>,
) -> Result<Json<TitlesJson>, Problem> {
    let request = ListTitlesRequest {
        published_only: asked.published,
        limit: asked.limit,
        after: asked.after,
        kind: kind(&asked.kind)?.into(),
        series: asked.series,
        genre: asked.genre,
    };
    let titles = gateway.catalog.list_titles(request).await?.into_inner().titles;
    Ok(Json(TitlesJson { titles: titles.into_iter().map(StudioTitleJson::from).collect() }))
}

/// All that is kept of a title.
#[utoipa::path(get, path = "/api/studio/catalog/titles/{id}", tag = "studio",
    responses((status = 200, body = StudioTitleJson)))]
pub async fn show(
    State(mut gateway): State<Gateway>,
    Path(id): Path<String>,
) -> Result<Json<StudioTitleJson>, Problem> {
    Ok(Json(gateway.catalog.get_title(GetTitleRequest { id }).await?.into_inner().into()))
}

/// Adds a title, or changes what is said about it.
#[utoipa::path(put, path = "/api/studio/catalog/titles/{id}", tag = "studio", request_body = StudioTitleJson,
    responses((status = 200, body = StudioTitleJson)))]
pub async fn put(
    State(mut gateway): State<Gateway>,
    Path(id): Path<String>,
    JsonBody(json): JsonBody<StudioTitleJson>,
) -> Result<Json<StudioTitleJson>, Problem> {
    let request = PutTitleRequest { title: Some(json.title(id)) };
    Ok(Json(gateway.catalog.put_title(request).await?.into_inner().into()))
}

/// Takes a title out of the catalogue for good.
#[utoipa::path(delete, path = "/api/studio/catalog/titles/{id}", tag = "studio", params(Revision),
    responses((status = 204)))]
pub async fn delete(
    State(mut gateway): State<Gateway>,
    Path(id): Path<String>,
    Queried(asked): Queried<Revision>,
) -> Result<StatusCode, Problem> {
    gateway.catalog.delete_title(DeleteTitleRequest { id, revision: asked.revision }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replaces a title's licence windows. Without any it plays everywhere and always.
#[utoipa::path(put, path = "/api/studio/catalog/titles/{id}/windows", tag = "studio", request_body = WindowsJson,
    responses((status = 200, body = StudioTitleJson)))]
pub async fn put_windows(
    State(mut gateway): State<Gateway>,
    Path(id): Path<String>,
    JsonBody(json): JsonBody<WindowsJson>,
) -> Result<Json<StudioTitleJson>, Problem> {
    let request = SetWindowsRequest { title: id, revision: json.revision, windows: windows(&json.windows)? };
    Ok(Json(gateway.catalog.set_windows(request).await?.into_inner().into()))
}

/// Takes a picture (JPEG, PNG, WebP or AVIF), of which sizes and formats are made. `kind`: "poster", "backdrop", "logo",
/// "still".
#[utoipa::path(put, path = "/api/studio/catalog/titles/{id}/artwork/{kind}", tag = "studio", params(PictureQuery),
    request_body(content = Vec<u8>, content_type = "image/*"), responses((status = 200, body = StudioTitleJson)))]
pub async fn put_artwork(
    State(mut gateway): State<Gateway>,
    Path((title, kind)): Path<(String, String)>,
    Queried(asked): Queried<PictureQuery>,
    BytesBody(image): BytesBody,
) -> Result<Json<StudioTitleJson>, Problem> {
    let request = PutArtworkRequest { title, kind, language: asked.language, image: image.to_vec() };
    Ok(Json(gateway.catalog.put_artwork(request).await?.into_inner().into()))
}

/// Takes a whole catalogue in: all of it, or none.
#[utoipa::path(post, path = "/api/studio/catalog/import", tag = "studio", params(FormatQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = ImportJson)))]
pub async fn import(
    State(mut gateway): State<Gateway>,
    Queried(asked): Queried<FormatQuery>,
    BytesBody(body): BytesBody,
) -> Result<Json<ImportJson>, Problem> {
    let request = ImportRequest { format: asked.format, body: body.to_vec(), dry_run: asked.dry_run };
    let reply = gateway.catalog.import(request).await?.into_inner();
    let problems = reply.problems.into_iter().map(|problem| ImportProblemJson {
        line: problem.line,
        field: problem.field,
        reason: problem.reason,
    });
    Ok(Json(ImportJson {
        added: reply.added,
        changed: reply.changed,
        unchanged: reply.unchanged,
        problems: problems.collect(),
    }))
}

/// The whole catalogue, as a file.
#[utoipa::path(get, path = "/api/studio/catalog/export", tag = "studio", params(FormatQuery),
    responses((status = 200, body = String, content_type = "text/csv")))]
pub async fn export(
    State(mut gateway): State<Gateway>,
    Queried(asked): Queried<FormatQuery>,
) -> Result<Response, Problem> {
    let format = if asked.format.is_empty() { "json".to_owned() } else { asked.format };
    let body = gateway.catalog.export(ExportRequest { format: format.clone() }).await?.into_inner().body;
    let (kind, name) = match format.as_str() {
        "csv" => ("text/csv; charset=utf-8", "attachment; filename=\"catalogue.csv\""),
        _ => ("application/json", "attachment; filename=\"catalogue.json\""),
    };
    let headers =
        [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}

/// Genres, and how many titles are of each.
#[utoipa::path(get, path = "/api/studio/catalog/genres", tag = "studio",
    responses((status = 200, body = Vec<GenreJson>)))]
pub async fn genres(State(mut gateway): State<Gateway>) -> Result<Json<Vec<GenreJson>>, Problem> {
    let genres = gateway.catalog.list_genres(ListGenresRequest {}).await?.into_inner().genres;
    let json = genres.into_iter().map(|genre| GenreJson { id: genre.id, name: genre.name, titles: genre.titles });
    Ok(Json(json.collect()))
}
