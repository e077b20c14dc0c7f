//! Running a plan: its requests to the subgraphs, in the order and beside each other as the plan says, and what they
//! answer joined into one.
//!
//! A subgraph that does not answer leaves its fields empty, with an error that names it: the rest of the answer stands.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, join_all};
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;
use hive_router_query_planner::planner::plan_nodes::{
    BatchFetchNode, FetchNode, FlattenNode, FlattenNodePathSegment as Segment, PlanNode,
};
use matinee_contracts::viewer::Viewer;
use matinee_service::subgraph::{GraphRequest, Subgraph};
use serde_json::{Map, Value, json};

use crate::rewrite::rewrite;

/// How long a subgraph may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Objects that one request to a subgraph may be about.
const MOST_ENTITIES: usize = 2_000;

/// One operation that is being answered.
pub struct Run<'a> {
    /// By name.
    pub subgraphs: &'a HashMap<&'static str, Arc<dyn Subgraph>>,
    /// What the client sent with its operation.
    pub variables: &'a Map<String, Value>,
    /// Who asks.
    pub viewer: &'a Viewer,
    data: Mutex<Value>,
    errors: Mutex<Vec<Value>>,
}

impl<'a> Run<'a> {
    /// Nothing is answered yet.
    #[must_use]
    pub fn new(
        subgraphs: &'a HashMap<&'static str, Arc<dyn Subgraph>>,
        variables: &'a Map<String, Value>,
        viewer: &'a Viewer,
    ) -> Self {
        Self { subgraphs, variables, viewer, data: Mutex::new(json!({})), errors: Mutex::default() }
    }

    /// What was answered, and what went wrong.
    #[must_use]
    pub fn ended(self) -> (Value, Vec<Value>) {
        let whole = |poisoned: PoisonError<_>| poisoned.into_inner();
        (self.data.into_inner().unwrap_or_else(whole), self.errors.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs one node of the plan and all below it.
    pub fn node<'n>(&'n self, node: &'n PlanNode) -> BoxFuture<'n, ()> {
        async move {
            match node {
                PlanNode::Sequence(sequence) => {
                    for node in &sequence.nodes {
                        self.node(node).await;
                    }
                }
                PlanNode::Parallel(parallel) => {
                    join_all(parallel.nodes.iter().map(|node| self.node(node))).await;
                }
                PlanNode::Condition(condition) => {
                    let holds = self.variables.get(&condition.condition).and_then(Value::as_bool).unwrap_or(false);
                    let clause = if holds { &condition.if_clause } else { &condition.else_clause };
                    if let Some(node) = clause {
                        self.node(node).await;
                    }
                }
                PlanNode::Fetch(fetch) => self.fetch(fetch).await,
                PlanNode::Flatten(flatten) => self.flatten(flatten).await,
                PlanNode::BatchFetch(batch) => self.batch(batch).await,
                PlanNode::Subscription(_) | PlanNode::Defer(_) => {
                    self.fail("the graph", "subscriptions and deferred answers are not given");
                }
            }
        }
        .boxed()
    }

    async fn fetch(&self, fetch: &FetchNode) {
        let variables = self.used(fetch.variable_usages.as_ref());
        let Some(mut answer) = self.ask(&fetch.service_name, &fetch.operation.document_str, variables).await else {
            return;
        };
        for change in fetch.output_rewrites.iter().flatten() {
            rewrite(change, &mut answer);
        }
        merge(&mut self.data.lock().unwrap_or_else(PoisonError::into_inner), answer);
    }

    async fn flatten(&self, flatten: &FlattenNode) {
        let PlanNode::Fetch(fetch) = flatten.node.as_ref() else {
            return self.node(&flatten.node).await;
        };
        let Some(requires) = &fetch.requires else { return self.fetch(fetch).await };
        let (representations, places) =
            self.entities(flatten.path.as_slice(), requires, fetch.input_rewrites.as_deref());
        if representations.is_empty() {
            return;
        }
        let mut variables = self.used(fetch.variable_usages.as_ref());
        variables.insert("representations".to_owned(), Value::Array(representations));
        let answer = self.ask(&fetch.service_name, &fetch.operation.document_str, variables).await;
        let entities = answer.and_then(|mut answer| answer.get_mut("_entities").map(Value::take));
        self.place(entities, places, fetch.output_rewrites.as_deref());
    }

    async fn batch(&self, batch: &BatchFetchNode) {
        let mut variables = self.used(batch.variable_usages.as_ref());
        let mut places = Vec::new();
        for alias in &batch.entity_batch.aliases {
            let (mut all, mut at): (Vec<Value>, Vec<(String, usize)>) = (Vec::new(), Vec::new());
            for path in &alias.merge_paths {
                let (found, found_at) =
                    self.entities(path.as_slice(), &alias.requires, alias.input_rewrites.as_deref());
                let base = all.len();
                at.extend(found_at.into_iter().map(|(pointer, index)| (pointer, base + index)));
                all.extend(found);
            }
            variables.insert(alias.representations_variable_name.clone(), Value::Array(all));
            places.push(at);
        }
        if places.iter().all(Vec::is_empty) {
            return;
        }
        let answer = self.ask(&batch.service_name, &batch.operation.document_str, variables).await;
        let Some(mut answer) = answer else { return };
        for (alias, at) in batch.entity_batch.aliases.iter().zip(places) {
            let entities = answer.get_mut(&alias.alias).map(Value::take);
            self.place(entities, at, alias.output_rewrites.as_deref());
        }
    }

    /// What the objects at `path` are known by, each once, and which object is which of them.
    fn entities(
        &self,
        path: &[Segment],
        requires: &SelectionSet,
        input: Option<&[hive_router_query_planner::planner::plan_nodes::FetchRewrite]>,
    ) -> (Vec<Value>, Vec<(String, usize)>) {
        let data = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        objects(&data, path, String::new(), &mut found);
        let (mut all, mut known, mut places) = (Vec::new(), HashMap::new(), Vec::new());
        for pointer in found {
            let Some(object) = data.pointer(&pointer) else { continue };
            let Some(mut representation) = required(object, requires) else { continue };
            for change in input.into_iter().flatten() {
                rewrite(change, &mut representation);
            }
            let key = representation.to_string();
            let index = *known.entry(key).or_insert_with(|| {
                all.push(representation);
                all.len() - 1
            });
            places.push((pointer, index));
        }
        if all.len() > MOST_ENTITIES {
            drop(data);
            self.fail("the graph", &format!("{} objects are asked for at once, {MOST_ENTITIES} are taken", all.len()));
            return (Vec::new(), Vec::new());
        }
        (all, places)
    }

    /// Puts what a subgraph answered about objects where they are.
    fn place(
        &self,
        entities: Option<Value>,
        places: Vec<(String, usize)>,
        output: Option<&[hive_router_query_planner::planner::plan_nodes::FetchRewrite]>,
    ) {
        let Some(Value::Array(mut entities)) = entities else { return };
        for entity in &mut entities {
            for change in output.into_iter().flatten() {
                rewrite(change, entity);
            }
        }
        let mut data = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        for (pointer, index) in places {
            if let (Some(object), Some(entity)) = (data.pointer_mut(&pointer), entities.get(index)) {
                merge(object, entity.clone());
            }
        }
    }

    fn used(&self, names: Option<&BTreeSet<String>>) -> Map<String, Value> {
        let named =
            names.into_iter().flatten().filter_map(|name| Some((name.clone(), self.variables.get(name)?.clone())));
        named.collect()
    }

    /// The `data` of a subgraph's answer; its errors are kept.
    async fn ask(&self, name: &str, query: &str, variables: Map<String, Value>) -> Option<Value> {
        let Some(subgraph) = self.subgraphs.get(name) else {
            self.fail(name, "it is not in this graph");
            return None;
        };
        let request = GraphRequest { query: query.to_owned(), variables, viewer: self.viewer.clone() };
        let Ok(mut answer) = tokio::time::timeout(PATIENCE, subgraph.execute(request)).await else {
            self.fail(name, &format!("no answer after {PATIENCE:?}"));
            return None;
        };
        if let Some(Value::Array(said)) = answer.get_mut("errors").map(Value::take) {
            for error in said {
                let message = error.get("message").and_then(Value::as_str).unwrap_or("it failed").to_owned();
                let code = error.pointer("/extensions/code").cloned();
                self.note(name, &message, code);
            }
        }
        answer.get_mut("data").map(Value::take).filter(|data| !data.is_null())
    }

    fn fail(&self, subgraph: &str, reason: &str) {
        self.note(subgraph, reason, Some(json!("SUBGRAPH_UNAVAILABLE")));
    }

    fn note(&self, subgraph: &str, message: &str, code: Option<Value>) {
        let mut extensions = json!({ "service": subgraph });
        if let Some(code) = code {
            extensions["code"] = code;
        }
        let error = json!({ "message": message, "extensions": extensions });
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).push(error);
    }
}

/// Pointers (RFC 6901) to the objects at `path` below `value`.
fn objects(value: &Value, path: &[Segment], at: String, found: &mut Vec<String>) {
    let Some((first, rest)) = path.split_first() else {
        match value {
            Value::Object(_) => found.push(at),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    objects(item, path, format!("{at}/{index}"), found);
                }
            }
            _ => {}
        }
        return;
    };
    match (first, value) {
        (Segment::Field(name), Value::Object(fields)) => {
            if let Some(field) = fields.get(name) {
                objects(field, rest, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        (Segment::List, Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                objects(item, rest, format!("{at}/{index}"), found);
            }
        }
        (Segment::TypeCondition(types), Value::Object(fields)) => {
            let named = fields.get("__typename").and_then(Value::as_str);
            if named.is_none_or(|name| types.contains(name)) {
                objects(value, rest, at, found);
            }
        }
        // A list of lists, or a list that the path does not name.
        (_, Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                objects(item, path, format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// The part of `object` that another subgraph knows it by; nothing where a part of that is missing.
fn required(object: &Value, requires: &SelectionSet) -> Option<Value> {
    let fields = object.as_object()?;
    let mut part = Map::new();
    for item in &requires.items {
        match item {
            SelectionItem::Field(field) => {
                let value = fields.get(field.alias.as_deref().unwrap_or(&field.name))?;
                let value = match value {
                    Value::Object(_) if !field.selections.items.is_empty() => required(value, &field.selections)?,
                    Value::Array(items) if !field.selections.items.is_empty() => {
                        items.iter().map(|item| required(item, &field.selections)).collect::<Option<_>>()?
                    }
                    other => other.clone(),
                };
                part.insert(field.name.clone(), value);
            }
            SelectionItem::InlineFragment(fragment) => {
                let named = fields.get("__typename").and_then(Value::as_str);
                if named == Some(fragment.type_condition.as_str())
                    && let Value::Object(more) = required(object, &fragment.selections)?
                {
                    part.extend(more);
                }
            }
            SelectionItem::FragmentSpread(_) => return None,
        }
    }
    if part.is_empty() { None } else { Some(Value::Object(part)) }
}

/// Joins `more` into `data`: objects by their fields, lists by their places.
fn merge(data: &mut Value, more: Value) {
    match (data, more) {
        (Value::Object(fields), Value::Object(more)) => {
            for (name, value) in more {
                match fields.get_mut(&name) {
                    Some(known) => merge(known, value),
                    None => {
                        fields.insert(name, value);
                    }
                }
            }
        }
        (Value::Array(items), Value::Array(more)) if items.len() == more.len() => {
            for (item, more) in items.iter_mut().zip(more) {
                merge(item, more);
            }
        }
        // What is known stays where the other subgraph knows nothing.
        (_, Value::Null) => {}
        (data, more) => *data = more,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_joined_by_field_and_place() {
        let mut data = json!({ "a": { "x": 1 }, "list": [{ "id": 1 }, { "id": 2 }] });
        merge(&mut data, json!({ "a": { "y": 2 }, "list": [{ "n": "one" }, null] }));
        assert_eq!(data, json!({ "a": { "x": 1, "y": 2 }, "list": [{ "id": 1, "n": "one" }, { "id": 2 }] }));
    }

    #[test]
    fn objects_are_found_in_lists_of_lists() {
        let data = json!({ "rows": [{ "titles": [{ "id": 1 }, null, { "id": 2 }] }, { "titles": [] }] });
        let field = |name: &str| Segment::Field(name.to_owned());
        let mut found = Vec::new();
        objects(&data, &[field("rows"), Segment::List, field("titles"), Segment::List], String::new(), &mut found);
        assert_eq!(found, ["/rows/0/titles/0", "/rows/0/titles/2"]);
    }
}
