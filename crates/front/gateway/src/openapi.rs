//! What the door serves, for programs: one OpenAPI 3.1 document of all routes, made of the routes themselves.

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header;
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;

use crate::guard::StudioAccess;
use crate::{account, artwork, billing, history, studio, titles};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Matinee",
        description = "A streaming service: accounts, subscriptions, screens for each kind of device, plays, and the \
                       studio. Times are RFC 3339 in UTC; refusals are problems by RFC 9457.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "account", description = "Who is signed in"),
        (name = "billing", description = "What is paid for"),
        (name = "viewing", description = "What is watched"),
        (name = "studio", description = "What an operator does"),
    )
)]
struct Begun;

/// The gateway's own routes, and those of other crates that `rooms` describe.
pub fn document(rooms: impl IntoIterator<Item = Document>) -> Value {
    let access = StudioAccess::default();
    let own = [
        account::for_strangers(),
        billing::for_strangers(),
        history::heartbeats(),
        artwork::routes(),
        studio::routes(&access),
        studio::events(&access),
        account::for_viewers(),
        billing::for_viewers(),
        history::routes(),
        titles::routes(),
    ];
    let mut document = Begun::openapi();
    for part in own.into_iter().map(OpenApiRouter::into_openapi).chain(rooms) {
        document.merge(part);
    }
    finished(document)
}

/// `GET /openapi.json`.
pub fn route(document: &Value) -> Router {
    let document = document.to_string();
    Router::new().route(
        "/openapi.json",
        get(move || {
            let document = document.clone();
            async move { ([(header::CONTENT_TYPE, "application/json")], document).into_response() }
        }),
    )
}

/// With what holds for every route: problems, the parts of addresses, and how one signs in.
fn finished(document: Document) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    document["components"]["schemas"]["Problem"] = json!({
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "description": "By which a program tells it from others of its status."},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "reason"],
                    "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
                },
            },
        },
    });
    document["components"]["securitySchemes"] = json!({
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "matinee_access"},
        "studio": {"type": "http", "scheme": "basic"},
    });
    let problem = json!({
        "description": "A refusal.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    });
    let Some(paths) = document["paths"].as_object_mut() else { return document };
    for (path, item) in paths.iter_mut() {
        let Some(item) = item.as_object_mut() else { continue };
        for (method, operation) in item.iter_mut() {
            operation["operationId"] = Value::String(operation_id(method, path));
            if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
                responses.insert("default".to_owned(), problem.clone());
            }
            let studio = path.starts_with("/api/studio");
            let ways = if studio {
                json!([{"bearer": []}, {"cookie": []}, {"studio": []}])
            } else {
                json!([{}, {"bearer": []}, {"cookie": []}])
            };
            operation["security"] = ways;
            name_parts(path, operation);
        }
    }
    document
}

/// Unique in the document, and readable as a function's name: "getAccountDevices", "putTitlesIdThumb".
fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(['/', '-', '{', '}', '.']).filter(|word| !word.is_empty() && *word != "api");
    let mut id = method.to_owned();
    for word in words {
        let (first, rest) = word.split_at(1);
        id.push_str(&first.to_uppercase());
        id.push_str(rest);
    }
    id
}

/// Describes the parts of an address that its handler takes as plain texts.
fn name_parts(path: &str, operation: &mut Value) {
    let parts = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    for part in parts {
        let known = operation["parameters"].as_array().is_some_and(|parameters| {
            parameters.iter().any(|parameter| parameter["in"] == "path" && parameter["name"] == part)
        });
        if known {
            continue;
        }
        let parameter =
            json!({"name": part, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}});
        match operation["parameters"].as_array_mut() {
            Some(parameters) => parameters.push(parameter),
            None => operation["parameters"] = json!([parameter]),
        }
    }
}
