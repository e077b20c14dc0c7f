//! The graph: takes an operation, plans it, runs it, and answers what was asked for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use graphql_tools::parser::query::{Definition, Document, OperationDefinition, Selection};
use graphql_tools::validation::rules::default_rules_validation_plan;
use graphql_tools::validation::validate::{ValidationPlan, validate};
use hive_router_query_planner::ast::normalization::normalize_operation;
use hive_router_query_planner::ast::operation::OperationDefinition as Operation;
use hive_router_query_planner::graph::PlannerOverrideContext;
use hive_router_query_planner::planner::plan_nodes::QueryPlan;
use hive_router_query_planner::state::supergraph_state::OperationKind;
use hive_router_query_planner::utils::cancellation::CancellationToken;
use hive_router_query_planner::utils::parsing::safe_parse_operation_with_token_limit;
use matinee_contracts::viewer::Viewer;
use matinee_service::subgraph::Subgraph;
use moka::sync::Cache;
use serde_json::{Map, Value, json};

use crate::compose::{Supergraph, supergraph};
use crate::error::{GraphError, Refused};
use crate::execute::Run;
use crate::limits::{Limits, check};
use crate::persisted::{OWN, Persisted, hash};
use crate::project::projected;

/// Plans kept.
const PLANS: u64 = 1_000;
/// Words of a query at the most.
const TOKENS: usize = 4_000;
/// How long planning may take.
const PLANNING: Duration = Duration::from_secs(1);

/// What a client sends.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[schema(as = GraphOperation)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The document; nothing where its hash is enough.
    #[serde(default)]
    pub query: Option<String>,
    /// Which of the document's operations.
    #[serde(default)]
    pub operation_name: Option<String>,
    /// By name.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub variables: Option<Map<String, Value>>,
    /// `persistedQuery.sha256Hash`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub extensions: Option<Value>,
}

/// An operation that is ready to run.
struct Planned {
    operation: Operation,
    plan: QueryPlan,
}

/// The graph. Cheap to clone.
#[derive(Clone)]
pub struct Graph(Arc<Inner>);

struct Inner {
    supergraph: Supergraph,
    subgraphs: HashMap<&'static str, Arc<dyn Subgraph>>,
    rules: ValidationPlan,
    persisted: Persisted,
    plans: Cache<String, Arc<Planned>>,
    limits: Limits,
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graph").field("subgraphs", &self.0.subgraphs.keys()).finish_non_exhaustive()
    }
}

impl Graph {
    /// Composes these subgraphs. Fails where they don't fit together, or where one of our own applications' queries
    /// does not fit them.
    pub fn open(subgraphs: Vec<Arc<dyn Subgraph>>, limits: Limits) -> Result<Self, GraphError> {
        let schemas: Vec<(String, String)> = subgraphs.iter().map(|s| (s.name().to_owned(), s.sdl())).collect();
        let graph = Self(Arc::new(Inner {
            supergraph: supergraph(&schemas)?,
            subgraphs: subgraphs.into_iter().map(|subgraph| (subgraph.name(), subgraph)).collect(),
            rules: default_rules_validation_plan(),
            persisted: Persisted::default(),
            plans: Cache::new(PLANS),
            limits,
        }));
        Ok(graph)
    }

    /// Refuses a graph that can't answer our own applications' queries.
    pub fn checked(self) -> Result<Self, GraphError> {
        for (name, text) in OWN {
            let refused = |reason: Refused| GraphError::Persisted { name: name.to_owned(), reason: reason.to_string() };
            self.planned(text, None).map_err(refused)?;
        }
        Ok(self)
    }

    /// The schema as clients see it.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.0.supergraph.api_sdl
    }

    /// The schema with the directives that say which subgraph knows what.
    #[must_use]
    pub fn supergraph(&self) -> &str {
        &self.0.supergraph.sdl
    }

    /// Answers an operation: `{"data": …, "errors": […]}`.
    pub async fn answer(&self, asked: Asked, viewer: &Viewer) -> Value {
        match self.answered(asked, viewer).await {
            Ok(answer) => answer,
            Err(refused) => refused.answer(),
        }
    }

    async fn answered(&self, asked: Asked, viewer: &Viewer) -> Result<Value, Refused> {
        let hashed = asked.extensions.as_ref().and_then(|all| all.pointer("/persistedQuery/sha256Hash"));
        let (text, open) = match (asked.query, hashed.and_then(Value::as_str)) {
            (Some(text), _) if text.len() > self.0.limits.bytes && !self.0.persisted.knows(&text) => {
                return Err(Refused::Long { bytes: text.len(), most: self.0.limits.bytes });
            }
            (Some(text), _) => {
                let open = !self.0.persisted.knows(&text);
                (text, open)
            }
            (None, Some(hash)) => (self.0.persisted.get(hash).ok_or(Refused::Unknown)?.to_owned(), false),
            (None, None) => return Err(Refused::Syntax("there is no query".to_owned())),
        };
        let planned = self.planned(&text, asked.operation_name.as_deref())?;
        let variables = variables(&planned.operation, asked.variables.unwrap_or_default())?;
        if open {
            check(&planned.operation.selection_set, &variables, self.0.limits)?;
        }
        let run = Run::new(&self.0.subgraphs, &variables, viewer);
        if let Some(node) = &planned.plan.node {
            run.node(node).await;
        }
        let (data, errors) = run.ended();
        let schema = &self.0.supergraph.planner.supergraph;
        let root = match planned.operation.operation_kind {
            Some(OperationKind::Mutation) => schema.mutation_type.as_deref().unwrap_or("Mutation"),
            _ => schema.query_type.as_str(),
        };
        let data = projected(schema, root, &planned.operation.selection_set, &data, &variables);
        let mut answer = json!({ "data": data });
        if !errors.is_empty() {
            answer["errors"] = Value::Array(errors);
        }
        Ok(answer)
    }

    /// The plan for an operation, made once.
    fn planned(&self, text: &str, operation: Option<&str>) -> Result<Arc<Planned>, Refused> {
        let key = hash(&format!("{}\n{text}", operation.unwrap_or_default()));
        if let Some(planned) = self.0.plans.get(&key) {
            return Ok(planned);
        }
        let document = safe_parse_operation_with_token_limit(text, TOKENS);
        let document = document.map_err(|error| Refused::Syntax(error.to_string()))?;
        if asks_for_the_schema(&document) {
            return Err(Refused::Introspection);
        }
        let planner = &self.0.supergraph.planner;
        let invalid = validate(&planner.consumer_schema.document, &document, &self.0.rules);
        if !invalid.is_empty() {
            let reasons: Vec<String> = invalid.into_iter().take(10).map(|error| error.message).collect();
            return Err(Refused::Invalid(reasons.join("; ")));
        }
        let normalized = normalize_operation(&planner.supergraph, &document, operation);
        let operation = normalized.map_err(|error| Refused::Invalid(error.to_string()))?.operation;
        if matches!(operation.operation_kind, Some(OperationKind::Subscription)) {
            return Err(Refused::Invalid("subscriptions are not given".to_owned()));
        }
        let patience = CancellationToken::with_timeout(PLANNING);
        let plan = planner.plan_from_normalized_operation(&operation, PlannerOverrideContext::default(), &patience);
        let plan = plan.map_err(|error| Refused::Plan(error.to_string()))?;
        let planned = Arc::new(Planned { operation, plan });
        self.0.plans.insert(key, Arc::clone(&planned));
        Ok(planned)
    }
}

/// What the client sent, with the operation's defaults. A variable that must be there and is not is refused by name.
fn variables(operation: &Operation, mut given: Map<String, Value>) -> Result<Map<String, Value>, Refused> {
    let mut taken = Map::new();
    for definition in operation.variable_definitions.iter().flatten() {
        let value = match given.remove(&definition.name) {
            Some(value) => value,
            None => match &definition.default_value {
                Some(default) => literal(default),
                None if definition.variable_type.is_non_null() => {
                    return Err(Refused::Invalid(format!("variable ${} is missing", definition.name)));
                }
                None => continue,
            },
        };
        if value.is_null() && definition.variable_type.is_non_null() {
            return Err(Refused::Invalid(format!("variable ${} must not be null", definition.name)));
        }
        taken.insert(definition.name.clone(), value);
    }
    Ok(taken)
}

fn literal(value: &hive_router_query_planner::ast::value::Value) -> Value {
    use hive_router_query_planner::ast::value::Value as Literal;
    match value {
        Literal::Variable(_) | Literal::Null => Value::Null,
        Literal::Int(number) => json!(number),
        Literal::Float(number) => json!(number),
        Literal::String(text) | Literal::Enum(text) => json!(text),
        Literal::Boolean(truth) => json!(truth),
        Literal::List(items) => items.iter().map(literal).collect(),
        Literal::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), literal(value))).collect(),
    }
}

fn asks_for_the_schema(document: &Document<'static, String>) -> bool {
    document.definitions.iter().any(|definition| {
        let selections = match definition {
            Definition::Operation(OperationDefinition::Query(query)) => &query.selection_set,
            Definition::Operation(OperationDefinition::SelectionSet(set)) => set,
            _ => return false,
        };
        selections.items.iter().any(|item| match item {
            Selection::Field(field) => field.name == "__schema" || field.name == "__type",
            _ => false,
        })
    })
}
