//! The answer as the client asked for it: its fields in its order under its names, and nothing that only the plan needed.
//! A field that must not be empty and is empties what it stands in (GraphQL, "Handling Field Errors").

use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;
use hive_router_query_planner::state::supergraph_state::{SupergraphState, TypeNode};
use serde_json::{Map, Value};

/// The part of `data` that `selections` of the type `parent` ask for; nothing where a field that must not be empty is.
pub fn projected(
    schema: &SupergraphState,
    parent: &str,
    selections: &SelectionSet,
    data: &Value,
    variables: &Map<String, Value>,
) -> Option<Value> {
    let mut answer = Map::new();
    fields(schema, parent, selections, data, variables, &mut answer)?;
    Some(Value::Object(answer))
}

fn fields(
    schema: &SupergraphState,
    parent: &str,
    selections: &SelectionSet,
    data: &Value,
    variables: &Map<String, Value>,
    answer: &mut Map<String, Value>,
) -> Option<()> {
    let named = data.get("__typename").and_then(Value::as_str).unwrap_or(parent);
    let left_out = |skip: &Option<String>, include: &Option<String>| {
        let holds = |name: &String| variables.get(name).and_then(Value::as_bool).unwrap_or(false);
        skip.as_ref().is_some_and(holds) || include.as_ref().is_some_and(|name| !holds(name))
    };
    for item in &selections.items {
        match item {
            SelectionItem::Field(field) => {
                if left_out(&field.skip_if, &field.include_if) {
                    continue;
                }
                let key = field.alias.as_deref().unwrap_or(&field.name);
                if field.name == "__typename" {
                    answer.insert(key.to_owned(), Value::String(named.to_owned()));
                    continue;
                }
                let definition = schema.definitions.get(named).or_else(|| schema.definitions.get(parent));
                let kind = &definition?.fields().get(&field.name)?.field_type;
                let value = valued(schema, kind, &field.selections, data.get(key), variables)?;
                answer.insert(key.to_owned(), value);
            }
            SelectionItem::InlineFragment(fragment) => {
                let of_it = named == fragment.type_condition
                    || schema
                        .interface_to_object_types
                        .get(&fragment.type_condition)
                        .is_some_and(|types| types.contains(named));
                if of_it && !left_out(&fragment.skip_if, &fragment.include_if) {
                    fields(schema, named, &fragment.selections, data, variables, answer)?;
                }
            }
            SelectionItem::FragmentSpread(_) => {}
        }
    }
    Some(())
}

/// A value of the type `kind`; nothing where it must not be empty and is.
fn valued(
    schema: &SupergraphState,
    kind: &TypeNode,
    selections: &SelectionSet,
    data: Option<&Value>,
    variables: &Map<String, Value>,
) -> Option<Value> {
    match kind {
        TypeNode::NonNull(inner) => {
            let value = valued(schema, inner, selections, data, variables)?;
            if value.is_null() { None } else { Some(value) }
        }
        TypeNode::List(inner) => {
            let Some(Value::Array(items)) = data else { return Some(Value::Null) };
            let items = items.iter().map(|item| valued(schema, inner, selections, Some(item), variables));
            Some(items.collect::<Option<Vec<_>>>().map_or(Value::Null, Value::Array))
        }
        TypeNode::Named(name) => {
            let data = data.unwrap_or(&Value::Null);
            if data.is_null() || selections.items.is_empty() {
                return Some(data.clone());
            }
            Some(projected(schema, name, selections, data, variables).unwrap_or(Value::Null))
        }
    }
}
