//! What goes wrong with the graph, and how a client hears of it.

use serde_json::{Value, json};

/// Why the graph can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// The subgraphs don't fit together.
    #[error("the subgraphs can't be composed: {0}")]
    Composition(String),
    /// A subgraph's schema is not one.
    #[error("the schema of subgraph {name} is refused: {reason}")]
    Schema {
        /// Which.
        name: String,
        /// Where and why.
        reason: String,
    },
    /// The planner refuses the composed schema.
    #[error("no plan can be made for the composed schema: {0}")]
    Planner(String),
    /// One of our own applications' queries is not valid.
    #[error("persisted query {name} is refused: {reason}")]
    Persisted {
        /// Its file's name.
        name: String,
        /// Why.
        reason: String,
    },
}

/// Why an operation is not run. The code stands in the answer's `extensions.code`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not GraphQL.
    #[error("the query is not understood: {0}")]
    Syntax(String),
    /// It does not fit the schema.
    #[error("{0}")]
    Invalid(String),
    /// It is nested too deeply.
    #[error("the query is {depth} levels deep, {most} are taken")]
    Deep {
        /// Its depth.
        depth: u32,
        /// The bound.
        most: u32,
    },
    /// It asks for too much.
    #[error("the query costs {cost}, {most} is taken")]
    Costly {
        /// What it costs: a field one, each of a list's fields as often as the list is long.
        cost: u64,
        /// The bound.
        most: u64,
    },
    /// It is longer than a query may be.
    #[error("the query has {bytes} bytes, {most} are taken")]
    Long {
        /// Its length.
        bytes: usize,
        /// The bound.
        most: usize,
    },
    /// The hash is not one of ours.
    #[error("no query with this hash is known")]
    Unknown,
    /// It asks about the schema itself.
    #[error("the schema is not asked for by a query; it is at /graphql/schema")]
    Introspection,
    /// No plan was found.
    #[error("the query can't be planned: {0}")]
    Plan(String),
}

impl Refused {
    fn code(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "GRAPHQL_PARSE_FAILED",
            Self::Invalid(_) | Self::Introspection => "GRAPHQL_VALIDATION_FAILED",
            Self::Deep { .. } | Self::Costly { .. } | Self::Long { .. } => "QUERY_TOO_COSTLY",
            Self::Unknown => "PERSISTED_QUERY_NOT_FOUND",
            Self::Plan(_) => "QUERY_NOT_PLANNED",
        }
    }

    /// As an answer of the graph.
    #[must_use]
    pub fn answer(&self) -> Value {
        json!({ "errors": [{ "message": self.to_string(), "extensions": { "code": self.code() } }] })
    }
}
