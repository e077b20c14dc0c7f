//! A service's part of the federated graph (Apollo Federation 2), as the graph calls it.
//!
//! Each service owns its subgraph: its schema, and what it answers. The graph composes them and splits an operation into
//! requests to them, in this process or, over the internal address, in another.

use async_trait::async_trait;
use matinee_contracts::viewer::Viewer;
use serde_json::{Map, Value};

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
