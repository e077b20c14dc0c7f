//! The graph over HTTP: `POST /graphql`, and its schema at `GET /graphql/schema`.

use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, Json, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{StatusCode, header};
use matinee_service::viewer::Viewer;
use serde::Deserialize;

use crate::error::Refused;
use crate::graph::{Asked, Graph};

/// The routes, which stand behind the door: it says who asks, as an extension of the request. Without it, nobody does.
pub fn router(graph: Graph) -> Router {
    Router::new().route("/graphql", post(answer)).route("/graphql/schema", get(schema)).with_state(graph)
}

async fn answer(
    State(graph): State<Graph>,
    viewer: Option<Extension<Viewer>>,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Response {
    let viewer = viewer.map(|Extension(viewer)| viewer.words()).unwrap_or_default();
    let headers = [(header::CACHE_CONTROL, "no-store")];
    match asked {
        Ok(Json(asked)) => (headers, Json(graph.answer(asked, &viewer).await)).into_response(),
        Err(rejection) => {
            let refused = Refused::Syntax(rejection.body_text());
            (StatusCode::BAD_REQUEST, headers, Json(refused.answer())).into_response()
        }
    }
}

#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    supergraph: Option<String>,
}

/// As clients see it; with `?supergraph`, as the planner reads it.
async fn schema(State(graph): State<Graph>, Query(which): Query<Which>) -> Response {
    let text = if which.supergraph.is_some() { graph.supergraph() } else { graph.schema() };
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text.to_owned()).into_response()
}
