//! The titles that play, as a plain list, and the pictures that came with their films.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header;
use matinee_contracts::catalog::{GetTitleRequest, ListTitlesRequest, Title};
use matinee_service::clock::rfc3339;
use matinee_service::http::Problem;
use matinee_service::viewer::Viewer;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Gateway;
use crate::artwork::media_type;
use crate::door::Inside;

/// The list and each of it.
pub(crate) fn routes() -> OpenApiRouter<Inside> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// A title as lists show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TitleInList)]
#[serde(rename_all = "camelCase")]
pub struct TitleJson {
    id: String,
    name: String,
    description: String,
    credits: String,
    license: String,
    #[schema(required)]
    artwork: Option<String>,
    published: bool,
    #[schema(required)]
    published_at: Option<String>,
    #[schema(required)]
    version: Option<String>,
    duration_seconds: f64,
}

impl From<Title> for TitleJson {
    fn from(title: Title) -> Self {
        let version = (!title.version.is_empty()).then_some(title.version);
        Self {
            artwork: (!title.artwork.is_empty()).then(|| {
                // The revision is part of the address, so that new artwork is not hidden by a cached one.
                format!("/api/titles/{}/artwork?r={}", title.id, title.revision)
            }),
            id: title.id,
            name: title.name,
            description: title.description,
            credits: title.credits,
            license: title.license,
            published: version.is_some(),
            published_at: rfc3339(title.published_us),
            version,
            duration_seconds: title.duration_us as f64 / 1e6,
        }
    }
}

/// The titles that are published.
#[utoipa::path(get, path = "/api/titles", tag = "viewing", responses((status = 200, body = Vec<TitleJson>)))]
pub async fn list(State(mut gateway): State<Gateway>, viewer: Viewer) -> Result<Response, Problem> {
    let request = ListTitlesRequest { published_only: true, limit: 500, ..ListTitlesRequest::default() };
    let titles = gateway.catalog.list_titles(request).await?.into_inner().titles;
    let shown = titles.into_iter().filter(|title| !hidden(title, &viewer));
    Ok(Json(shown.map(TitleJson::from).collect::<Vec<_>>()).into_response())
}

/// Whether a title is for an older age than the profile's limit.
fn hidden(title: &Title, viewer: &Viewer) -> bool {
    let here = title.ratings.iter().find(|rating| rating.territory == viewer.territory.as_str());
    let age = here.map_or(title.maturity_age, |rating| rating.age);
    viewer.maturity_limit > 0 && age > viewer.maturity_limit
}

/// A title. An unpublished one is as good as none.
#[utoipa::path(get, path = "/api/titles/{id}", tag = "viewing", responses((status = 200, body = TitleJson)))]
pub async fn show(
    State(mut gateway): State<Gateway>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Json<TitleJson>, Problem> {
    let title = gateway.catalog.get_title(GetTitleRequest { id: id.clone() }).await?.into_inner();
    if title.version.is_empty() {
        return Err(Problem::not_found(format!("title {id} is not published")));
    }
    if hidden(&title, &viewer) {
        return Err(Problem::forbidden(format!("title {id} is not for this profile")).with_code("maturity"));
    }
    Ok(Json(title.into()))
}

/// The picture that came with a title's film.
#[utoipa::path(get, path = "/api/titles/{id}/artwork", tag = "viewing",
    responses((status = 200, body = Vec<u8>, content_type = "image/*")))]
pub async fn artwork(State(mut gateway): State<Gateway>, Path(id): Path<String>) -> Result<Response, Problem> {
    let title = gateway.catalog.get_title(GetTitleRequest { id: id.clone() }).await?.into_inner();
    if title.artwork.is_empty() {
        return Err(Problem::not_found(format!("title {id} has no artwork")));
    }
    let bytes = gateway.objects.get(&title.artwork).await.map_err(|error| {
        tracing::warn!(title = id, %error, "artwork can't be read");
        Problem::not_found(format!("the artwork of title {id} can't be read"))
    })?;
    let kind =
        media_type(&bytes).ok_or_else(|| Problem::not_found(format!("the artwork of title {id} is not a picture")))?;
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=86400")];
    Ok((headers, bytes).into_response())
}
