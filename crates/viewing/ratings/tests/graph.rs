//! The subgraph: what is asked of many titles in one operation costs one call.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use matinee_contracts::ratings::ratings_client::RatingsClient;
use matinee_contracts::ratings::ratings_server::{Ratings, RatingsServer};
use matinee_contracts::ratings::{Opinion, OpinionsReply, OpinionsRequest, Score, ScoresReply, ScoresRequest, Thumb};
use matinee_contracts::viewer::Viewer;
use matinee_service::channel::Channel;
use matinee_service::context::Context;
use matinee_service::subgraph::{GraphRequest, Subgraph};
use serde_json::{Value, json};
use tonic::{Request, Response, Status};

/// Likes every film, and keeps which calls came and for how many titles.
#[derive(Clone, Default)]
struct Liking(Arc<Mutex<Vec<(&'static str, usize)>>>);

impl Liking {
    fn called(&self, call: &'static str, titles: usize) {
        assert!(Context::current().deadline().is_some(), "it is a part of the request");
        self.0.lock().unwrap().push((call, titles));
    }
}

#[tonic::async_trait]
impl Ratings for Liking {
    async fn scores(&self, request: Request<ScoresRequest>) -> Result<Response<ScoresReply>, Status> {
        let titles = request.into_inner().titles;
        self.called("scores", titles.len());
        let score = |title: String| Score { percent: title.len() as f64, title, up: 1, ..Score::default() };
        Ok(Response::new(ScoresReply { scores: titles.into_iter().map(score).collect() }))
    }

    async fn opinions(&self, request: Request<OpinionsRequest>) -> Result<Response<OpinionsReply>, Status> {
        let OpinionsRequest { profile, titles } = request.into_inner();
        assert_eq!(profile, "me");
        self.called("opinions", titles.len());
        let said =
            |title: String| Opinion { listed: title == "film-7", title, thumb: Thumb::Up.into(), ..Opinion::default() };
        Ok(Response::new(OpinionsReply { opinions: titles.into_iter().map(said).collect() }))
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
async fn scores_and_thumbs_of_many_titles_cost_one_call_each() {
    let ratings = Liking::default();
    let subgraph = matinee_ratings::subgraph(RatingsClient::new(Channel::local(RatingsServer::new(ratings.clone()))));
    let said = asked(subgraph.as_ref(), "score thumb listed").await;
    assert_eq!(said.as_array().unwrap().len(), 200);
    assert_eq!(said[7], json!({ "score": 6.0, "thumb": "UP", "listed": true }));
    assert_eq!((&said[107], &said[42]), (&said[7], &json!({ "score": 7.0, "thumb": "UP", "listed": false })));
    let mut calls = ratings.0.lock().unwrap().clone();
    calls.sort_unstable();
    assert_eq!(calls, [("opinions", 100), ("scores", 100)]);
}
