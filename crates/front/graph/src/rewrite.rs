//! Changes that a plan asks for in what goes to a subgraph or comes from it: where two subgraphs name one thing
//! differently, or a client asks for one field twice with different arguments.

use hive_router_query_planner::planner::plan_nodes::{FetchNodePathSegment as Segment, FetchRewrite};
use serde_json::Value;

/// Makes one change.
pub fn rewrite(change: &FetchRewrite, value: &mut Value) {
    match change {
        FetchRewrite::KeyRenamer(renamer) => rename(value, &renamer.path, &renamer.rename_key_to),
        FetchRewrite::ValueSetter(setter) => set(value, &setter.path, &setter.set_value_to),
    }
}

fn of_type(value: &Value, types: &std::collections::BTreeSet<String>) -> bool {
    value.get("__typename").and_then(Value::as_str).is_none_or(|name| types.contains(name))
}

fn rename(value: &mut Value, path: &[Segment], to: &str) {
    if let Value::Array(items) = value {
        return items.iter_mut().for_each(|item| rename(item, path, to));
    }
    match path {
        [Segment::TypenameEquals(types), rest @ ..] if of_type(value, types) => rename(value, rest, to),
        [Segment::Key(key)] => {
            if let Some(fields) = value.as_object_mut()
                && key != to
                && let Some(moved) = fields.remove(key)
            {
                fields.insert(to.to_owned(), moved);
            }
        }
        [Segment::Key(key), rest @ ..] => {
            if let Some(field) = value.get_mut(key) {
                rename(field, rest, to);
            }
        }
        _ => {}
    }
}

fn set(value: &mut Value, path: &[Segment], to: &str) {
    if let Value::Array(items) = value {
        return items.iter_mut().for_each(|item| set(item, path, to));
    }
    match path {
        [] => *value = Value::String(to.to_owned()),
        [Segment::TypenameEquals(types), rest @ ..] => {
            if of_type(value, types) {
                set(value, rest, to);
            }
        }
        [Segment::Key(key), rest @ ..] => {
            if let Some(field) = value.get_mut(key) {
                set(field, rest, to);
            }
        }
    }
}
