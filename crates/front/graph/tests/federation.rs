//! The graph over subgraphs that the test plays: real schemas, answered by a GraphQL server of another maker.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{
    EmptyMutation, EmptySubscription, ID, Object, ObjectType, SDLExportOptions, Schema, SimpleObject, Variables,
};
use async_trait::async_trait;
use matinee_contracts::viewer::Viewer;
use matinee_graph::{Asked, Graph, GraphError, Limits};
use matinee_service::subgraph::{GraphRequest, Subgraph};
use serde_json::{Value, json};

/// A subgraph over one schema, which counts how often it is asked, or never answers.
struct Over<Q, M> {
    name: &'static str,
    schema: Schema<Q, M, EmptySubscription>,
    asked: Arc<AtomicUsize>,
    dead: bool,
}

#[async_trait]
impl<Q: ObjectType + 'static, M: ObjectType + 'static> Subgraph for Over<Q, M> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn sdl(&self) -> String {
        self.schema.sdl_with_options(SDLExportOptions::new().federation())
    }

    async fn execute(&self, request: GraphRequest) -> Value {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.dead {
            std::future::pending::<()>().await;
        }
        let variables = Variables::from_json(Value::Object(request.variables));
        let asked = async_graphql::Request::new(request.query).variables(variables).data(request.viewer);
        serde_json::to_value(self.schema.execute(asked).await).unwrap()
    }
}

mod catalog {
    use super::*;

    #[derive(SimpleObject, Clone)]
    pub struct Title {
        pub id: ID,
        pub name: String,
        pub year: Option<i32>,
    }

    pub struct Query;

    pub fn title(id: &str) -> Option<Title> {
        let year = match id {
            "kite" => 1999,
            "boat" => 2004,
            _ => return None,
        };
        Some(Title { id: id.into(), name: format!("The {id}"), year: Some(year) })
    }

    #[Object]
    impl Query {
        async fn title(&self, id: ID) -> Option<Title> {
            title(&id)
        }

        async fn titles(&self, #[graphql(default = 10)] first: usize) -> Vec<Title> {
            ["kite", "boat"].into_iter().filter_map(title).take(first).collect()
        }

        #[graphql(entity)]
        async fn find_title(&self, id: ID) -> Option<Title> {
            title(&id)
        }
    }
}

mod ratings {
    use super::*;

    pub struct Title {
        id: ID,
    }

    #[Object]
    impl Title {
        async fn id(&self) -> &ID {
            &self.id
        }

        async fn score(&self) -> Option<f64> {
            Some(if self.id.as_str() == "kite" { 0.9 } else { 0.4 })
        }

        async fn thumb(&self, context: &async_graphql::Context<'_>) -> Option<String> {
            let viewer = context.data_unchecked::<Viewer>();
            (viewer.profile == "me").then(|| "up".to_owned())
        }
    }

    pub struct Query;

    #[Object]
    impl Query {
        async fn best(&self) -> Vec<Title> {
            vec![Title { id: "boat".into() }, Title { id: "kite".into() }, Title { id: "boat".into() }]
        }

        #[graphql(entity)]
        async fn find_title(&self, id: ID) -> Title {
            Title { id }
        }
    }

    pub struct Mutation;

    #[Object]
    impl Mutation {
        async fn rate(&self, title: ID) -> Title {
            Title { id: title }
        }
    }
}

struct World {
    graph: Graph,
    catalog: Arc<AtomicUsize>,
    ratings: Arc<AtomicUsize>,
}

fn world(ratings_dead: bool) -> World {
    let (catalog, ratings) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let titles = Over {
        name: "catalog",
        schema: Schema::build(catalog::Query, EmptyMutation, EmptySubscription).enable_federation().finish(),
        asked: Arc::clone(&catalog),
        dead: false,
    };
    let scores = Over {
        name: "ratings",
        schema: Schema::build(ratings::Query, ratings::Mutation, EmptySubscription).enable_federation().finish(),
        asked: Arc::clone(&ratings),
        dead: ratings_dead,
    };
    let graph = Graph::open(vec![Arc::new(titles), Arc::new(scores)], Limits::default()).unwrap();
    World { graph, catalog, ratings }
}

async fn answer(graph: &Graph, query: &str, variables: Value) -> Value {
    let asked = Asked { query: Some(query.to_owned()), variables: variables.as_object().cloned(), ..Asked::default() };
    graph.answer(asked, &Viewer { profile: "me".to_owned(), ..Viewer::default() }).await
}

#[tokio::test]
async fn an_operation_goes_to_those_who_know() {
    let world = world(false);
    let query =
        "query ($id: ID!) { title(id: $id) { score n: name thumb __typename } none: title(id: \"none\") { name } }";
    let said = answer(&world.graph, query, json!({ "id": "kite" })).await;
    let title = json!({ "score": 0.9, "n": "The kite", "thumb": "up", "__typename": "Title" });
    assert_eq!(said, json!({ "data": { "title": title, "none": null } }));
    let keys: Vec<&String> = said["data"]["title"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["score", "n", "thumb", "__typename"], "in the order asked for");
}

#[tokio::test]
async fn objects_of_a_list_are_asked_about_together_and_once() {
    let world = world(false);
    let said = answer(&world.graph, "{ best { id name ...F } } fragment F on Title { year }", json!({})).await;
    let names: Vec<&str> =
        said["data"]["best"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["The boat", "The kite", "The boat"]);
    assert_eq!(said["data"]["best"][0]["year"], 2004);
    assert_eq!((world.ratings.load(Ordering::SeqCst), world.catalog.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn a_mutation_answers_what_others_know() {
    let world = world(false);
    let said = answer(&world.graph, "mutation { rate(title: \"boat\") { name score } }", json!({})).await;
    assert_eq!(said, json!({ "data": { "rate": { "name": "The boat", "score": 0.4 } } }));
}

#[tokio::test(start_paused = true)]
async fn a_dead_subgraph_costs_its_own_fields_only() {
    let world = world(true);
    let said = answer(&world.graph, "{ titles(first: 1) { name score } }", json!({})).await;
    assert_eq!(said["data"], json!({ "titles": [{ "name": "The kite", "score": null }] }));
    assert_eq!(said["errors"][0]["extensions"], json!({ "service": "ratings", "code": "SUBGRAPH_UNAVAILABLE" }));
    // A field that must not be empty empties what it stands in.
    let said = answer(&world.graph, "{ best { name } }", json!({})).await;
    assert_eq!(said["data"], Value::Null);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_with_a_code() {
    let world = world(false);
    let deep = format!("{{ best {}{{ id }} }}", "");
    assert_eq!(answer(&world.graph, &deep, json!({})).await["errors"], Value::Null);
    for (query, code, says) in [
        ("{ title", "GRAPHQL_PARSE_FAILED", "not understood"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED", "nothing"),
        ("query ($id: ID!) { title(id: $id) { name } }", "GRAPHQL_VALIDATION_FAILED", "$id is missing"),
        ("{ __schema { types { name } } }", "GRAPHQL_VALIDATION_FAILED", "/graphql/schema"),
        ("{ titles(first: 100000) { name } }", "QUERY_TOO_COSTLY", "costs"),
    ] {
        let said = answer(&world.graph, query, json!({})).await;
        let error = &said["errors"][0];
        assert_eq!(error["extensions"]["code"], code, "{query}: {said}");
        assert!(error["message"].as_str().unwrap().contains(says), "{query}: {said}");
    }
    let long = format!("{{ titles {{ name }} }} #{}", "x".repeat(20_000));
    assert_eq!(answer(&world.graph, &long, json!({})).await["errors"][0]["extensions"]["code"], "QUERY_TOO_COSTLY");
    let aliases: String = (0..2_000).map(|n| format!("a{n}: title(id: \"kite\") {{ name }} ")).collect();
    let many =
        answer(&world.graph, &format!("{{ {} }}", &aliases[..15_000].rsplit_once("a").unwrap().0), json!({})).await;
    assert!(many["errors"][0]["extensions"]["code"].is_string(), "{many}");
    let unknown = Asked { extensions: Some(json!({ "persistedQuery": { "sha256Hash": "00" } })), ..Asked::default() };
    let said = world.graph.answer(unknown, &Viewer::default()).await;
    assert_eq!(said["errors"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(world.catalog.load(Ordering::SeqCst) + world.ratings.load(Ordering::SeqCst), 1, "nobody was asked");
}

#[test]
fn a_graph_that_cannot_answer_our_own_queries_is_not_opened() {
    let refused = world(false).graph.checked().unwrap_err();
    assert!(matches!(&refused, GraphError::Persisted { name, .. } if name == "home"), "{refused}");
}

#[test]
fn the_schema_is_there_for_clients() {
    let world = world(false);
    assert!(world.graph.schema().contains("score: Float"), "{}", world.graph.schema());
    assert!(world.graph.supergraph().contains("@join__type(graph: CATALOG"));
}

#[test]
fn the_routes_are_described_for_programs() {
    let document = matinee_graph::router(world(false).graph).to_openapi();
    let document = serde_json::to_value(document).unwrap();
    assert_eq!(document["paths"]["/graphql"]["post"]["tags"], json!(["viewing"]));
    assert!(document["components"]["schemas"]["GraphOperation"]["properties"]["operationName"].is_object());
    assert!(document["paths"]["/graphql/schema"]["get"].is_object());
}
