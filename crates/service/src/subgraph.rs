//! A service's part of the federated graph (Apollo Federation 2), as the graph calls it.
//!
//! Each service owns its subgraph: its schema, and what it answers. The graph composes them and splits an operation into
//! requests to them, in this process or, over the internal address, in another.
//!
//! What resolvers ask for one title after another goes to the service in one call: see [`batched`].

use std::time::Duration;

use async_graphql::dataloader::DataLoader;
use async_graphql::{EmptySubscription, ErrorExtensions, ObjectType, SDLExportOptions, Schema, Variables};
use async_trait::async_trait;
use futures::future::BoxFuture;
use matinee_contracts::viewer::Viewer;
use serde_json::{Map, Value, json};
use tracing::Instrument;

use crate::context::Context;

/// Titles of one call: no service takes more.
const BATCH: usize = 500;
/// How long what is asked is gathered.
const MOMENT: Duration = Duration::from_millis(2);

/// One request to a subgraph.
#[derive(Debug, Clone, Default)]
pub struct GraphRequest {
    /// A document with one operation.
    pub query: String,
    /// By name, without the `$`.
    pub variables: Map<String, Value>,
    /// Who asks.
    pub viewer: Viewer,
}

/// A service's part of the graph.
#[async_trait]
pub trait Subgraph: Send + Sync {
    /// Its name: that of its service.
    fn name(&self) -> &'static str;

    /// Its schema with the federation's directives.
    fn sdl(&self) -> String;

    /// Its answer: `{"data": …, "errors": […]}`.
    async fn execute(&self, request: GraphRequest) -> Value;
}

type Prepare = dyn Fn(async_graphql::Request, &Viewer) -> async_graphql::Request + Send + Sync;

/// A subgraph over a schema of `async-graphql`. The schema's resolvers find the [`Viewer`] in their context.
pub struct Schemed<Q, M> {
    name: &'static str,
    schema: Schema<Q, M, EmptySubscription>,
    prepare: Option<Box<Prepare>>,
}

impl<Q: ObjectType + 'static, M: ObjectType + 'static> Schemed<Q, M> {
    /// The subgraph of the service `name` with these queries and mutations.
    pub fn new(name: &'static str, queries: Q, mutations: M) -> Self {
        let schema = Schema::build(queries, mutations, EmptySubscription).enable_federation().finish();
        Self { name, schema, prepare: None }
    }

    /// With what `loader` makes for each request of a viewer: its resolvers find it by [`loader`].
    #[must_use]
    pub fn batching<L: Send + Sync + 'static>(self, loader: impl Fn(&Viewer) -> L + Send + Sync + 'static) -> Self {
        let prepare = move |request: async_graphql::Request, viewer: &Viewer| request.data(batched(loader(viewer)));
        Self { prepare: Some(Box::new(prepare)), ..self }
    }
}

#[async_trait]
impl<Q: ObjectType + 'static, M: ObjectType + 'static> Subgraph for Schemed<Q, M> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn sdl(&self) -> String {
        self.schema.sdl_with_options(SDLExportOptions::new().federation())
    }

    async fn execute(&self, request: GraphRequest) -> Value {
        let variables = Variables::from_json(Value::Object(request.variables));
        let asked = async_graphql::Request::new(request.query).variables(variables);
        let asked = match &self.prepare {
            Some(prepare) => prepare(asked, &request.viewer),
            None => asked,
        };
        let asked = asked.data(request.viewer);
        let answer = self.schema.execute(asked).await;
        serde_json::to_value(answer).unwrap_or_else(|error| json!({ "errors": [{ "message": error.to_string() }] }))
    }
}

/// A loader of one request: what its resolvers ask within a moment goes to the service together, each thing once.
fn batched<L: Send + Sync + 'static>(loader: L) -> DataLoader<L> {
    DataLoader::new(loader, in_the_request).delay(MOMENT).max_batch_size(BATCH)
}

/// A batch is a part of the request that asked first: its deadline, its faults and its trace hold for it.
fn in_the_request(work: BoxFuture<'static, ()>) {
    tokio::spawn(Context::current().scope(work).in_current_span());
}

/// The request's loader, which [`Schemed::batching`] made.
pub fn loader<'a, L: Send + Sync + 'static>(
    context: &async_graphql::Context<'a>,
) -> async_graphql::Result<&'a DataLoader<L>> {
    context.data::<DataLoader<L>>()
}

/// A service's refusal as an error of the graph: what it says, with the status as its code.
#[must_use]
pub fn refused(status: &tonic::Status) -> async_graphql::Error {
    let code = format!("{:?}", status.code());
    async_graphql::Error::new(status.message()).extend_with(|_, extensions| extensions.set("code", code.as_str()))
}

/// Who asks. The graph gives it with each request; without it, nobody does.
#[must_use]
pub fn viewer(context: &async_graphql::Context<'_>) -> Viewer {
    context.data_opt::<Viewer>().cloned().unwrap_or_default()
}

/// The viewer's profile, or that none was chosen.
pub fn profile(context: &async_graphql::Context<'_>) -> async_graphql::Result<String> {
    let profile = viewer(context).profile;
    if profile.is_empty() {
        let none = async_graphql::Error::new("this is for viewers who signed in and chose a profile");
        return Err(none.extend_with(|_, extensions| extensions.set("code", "sign_in")));
    }
    Ok(profile)
}
