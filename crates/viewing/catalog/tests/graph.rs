//! The subgraph: what is asked of many titles in one operation costs one call.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::catalog_server::{Catalog, CatalogServer};
use matinee_contracts::catalog::{GetTitlesRequest, ListTitlesReply, Title};
use matinee_contracts::viewer::Viewer;
use matinee_service::channel::Channel;
use matinee_service::context::Context;
use matinee_service::subgraph::{GraphRequest, Subgraph};
use serde_json::{Value, json};
use tonic::{Request, Response, Status};

/// Knows every film but the seventh, and keeps for how many it was asked each time.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Vec<usize>>>);

#[tonic::async_trait]
impl Catalog for Shelf {
    async fn get_titles(&self, request: Request<GetTitlesRequest>) -> Result<Response<ListTitlesReply>, Status> {
        assert!(Context::current().deadline().is_some(), "it is a part of the request");
        let ids = request.into_inner().ids;
        self.0.lock().unwrap().push(ids.len());
        let known = ids.into_iter().filter(|id| id != "film-7");
        let film = |id: String| Title { name: id.to_uppercase(), id, version: "v1".to_owned(), ..Title::default() };
        Ok(Response::new(ListTitlesReply { titles: known.map(film).collect() }))
    }
}

/// Asks `fields` of films 0 to 99, each of them twice.
async fn asked(subgraph: &dyn Subgraph, fields: &str) -> Value {
    let films = (0..100).chain(0..100);
    let all: Vec<_> = films.map(|n| json!({ "__typename": "Title", "id": format!("film-{n}") })).collect();
    let query =
        format!("query($all: [_Any!]!) {{ _entities(representations: $all) {{ ... on Title {{ {fields} }} }} }}");
    let variables = [("all".to_owned(), Value::Array(all))].into_iter().collect();
    let viewer = Viewer { profile: "me".to_owned(), territory: "DE".to_owned(), ..Viewer::default() };
    let request = GraphRequest { query, variables, viewer };
    // The deadline of the operation holds for what is asked together, too.
    let context = Context::default().within(Duration::from_secs(5));
    let answer = context.scope(subgraph.execute(request)).await;
    assert!(answer.get("errors").is_none_or(|errors| errors == &json!([])), "{answer}");
    answer["data"]["_entities"].clone()
}

#[tokio::test(start_paused = true)]
async fn many_titles_cost_one_call() {
    let catalog = Shelf::default();
    let subgraph = matinee_catalog::subgraph(CatalogClient::new(Channel::local(CatalogServer::new(catalog.clone()))));
    let said = asked(subgraph.as_ref(), "name").await;
    assert_eq!(said.as_array().unwrap().len(), 200);
    assert_eq!((&said[107], &said[142]), (&Value::Null, &json!({ "name": "FILM-42" })));
    assert_eq!(*catalog.0.lock().unwrap(), [100]);

    // What is no id is nothing's, and keeps nobody from an answer.
    let query =
        r#"{ a: title(id: "film-1") { name } b: title(id: "../etc/passwd") { name } c: title(id: "") { name } }"#;
    let request = GraphRequest { query: query.to_owned(), ..GraphRequest::default() };
    let context = Context::default().within(Duration::from_secs(5));
    let answer = context.scope(subgraph.execute(request)).await;
    assert_eq!(answer["data"], json!({ "a": { "name": "FILM-1" }, "b": null, "c": null }));
}
