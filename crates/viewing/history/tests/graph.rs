//! The subgraph: what is asked of many titles in one operation costs one call.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use matinee_contracts::history::history_client::HistoryClient;
use matinee_contracts::history::history_server::{History, HistoryServer};
use matinee_contracts::history::{PositionsReply, PositionsRequest, Watched};
use matinee_contracts::viewer::Viewer;
use matinee_service::channel::Channel;
use matinee_service::context::Context;
use matinee_service::subgraph::{GraphRequest, Subgraph};
use serde_json::{Value, json};
use tonic::{Request, Response, Status};

/// Says that each film was left after a second, and keeps for how many it was asked each time.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<usize>>>);

#[tonic::async_trait]
impl History for Diary {
    async fn positions(&self, request: Request<PositionsRequest>) -> Result<Response<PositionsReply>, Status> {
        assert!(Context::current().deadline().is_some(), "it is a part of the request");
        let PositionsRequest { profile, titles } = request.into_inner();
        assert_eq!(profile, "me");
        self.0.lock().unwrap().push(titles.len());
        let left =
            |title: String| Watched { finished: title == "film-7", title, resume_us: 1_500_000, ..Watched::default() };
        Ok(Response::new(PositionsReply { titles: titles.into_iter().map(left).collect() }))
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
async fn positions_in_many_titles_cost_one_call() {
    let history = Diary::default();
    let subgraph = matinee_history::subgraph(HistoryClient::new(Channel::local(HistoryServer::new(history.clone()))));
    let said = asked(subgraph.as_ref(), "resumeSeconds finished").await;
    assert_eq!(said.as_array().unwrap().len(), 200);
    assert_eq!(said[7], json!({ "resumeSeconds": 1.5, "finished": true }));
    assert_eq!(said[142], json!({ "resumeSeconds": 1.5, "finished": false }));
    assert_eq!(*history.0.lock().unwrap(), [100]);
}
