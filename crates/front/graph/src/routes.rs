//! The graph over HTTP: `POST /graphql`, and its schema at `GET /graphql/schema`.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, Json, Query, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use matinee_service::viewer::Viewer;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::Refused;
use crate::graph::{Asked, Graph};

/// The routes, which stand behind the door: it says who asks, as an extension of the request. Without it, nobody does.
pub fn router(graph: Graph) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(answer)).routes(routes!(schema)).with_state(graph)
}

/// What the graph answers.
#[derive(ToSchema)]
#[schema(as = GraphAnswer)]
#[expect(dead_code, reason = "it describes what is written as it comes")]
struct AnswerJson {
    /// What was asked for, as far as it is known.
    #[schema(value_type = Option<Object>)]
    data: Option<Map<String, Value>>,
    /// What went wrong, each with a `message` and `extensions.code`.
    #[schema(value_type = Option<Vec<Object>>)]
    errors: Option<Vec<Value>>,
}

/// Answers an operation of the federated graph.
#[utoipa::path(post, path = "/graphql", tag = "viewing", request_body = Asked,
    responses((status = 200, body = AnswerJson)))]
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

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Whether the schema is wanted as the planner reads it.
    #[serde(default)]
    supergraph: Option<String>,
}

/// The schema of the graph, as clients see it; with `?supergraph`, as the planner reads it.
#[utoipa::path(get, path = "/graphql/schema", tag = "viewing", params(Which),
    responses((status = 200, body = String, content_type = "text/plain")))]
async fn schema(State(graph): State<Graph>, Query(which): Query<Which>) -> Response {
    let text = if which.supergraph.is_some() { graph.supergraph() } else { graph.schema() };
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text.to_owned()).into_response()
}
