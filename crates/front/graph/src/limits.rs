//! How much an open query may ask for. Our own applications' persisted queries are known, and not limited.

use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::{FieldSelection, SelectionSet};
use hive_router_query_planner::ast::value::Value as Literal;
use serde_json::{Map, Value};

use crate::error::Refused;

/// The bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of nesting.
    pub depth: u32,
    /// The sum over all fields, each as often as the lists around it are long.
    pub cost: u64,
    /// Bytes of the document.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 10, cost: 5_000, bytes: 16 << 10 }
    }
}

/// A list whose length is not asked for counts as so long.
const LIST: u64 = 10;
/// Arguments that say how long a list is.
const LENGTHS: [&str; 3] = ["first", "limit", "rows"];
/// Fields that answer lists without an argument for their length, as the schema's authors name them.
const PLURAL: char = 's';

/// Refuses a selection that is nested too deeply or asks for too much.
pub fn check(selections: &SelectionSet, variables: &Map<String, Value>, limits: Limits) -> Result<(), Refused> {
    let depth = depth(selections);
    if depth > limits.depth {
        return Err(Refused::Deep { depth, most: limits.depth });
    }
    let cost = cost(selections, variables);
    if cost > limits.cost {
        return Err(Refused::Costly { cost, most: limits.cost });
    }
    Ok(())
}

fn depth(selections: &SelectionSet) -> u32 {
    let item = |item: &SelectionItem| match item {
        SelectionItem::Field(field) if field.selections.items.is_empty() => 1,
        SelectionItem::Field(field) => 1 + depth(&field.selections),
        SelectionItem::InlineFragment(fragment) => depth(&fragment.selections),
        // Normalisation put the fragment in its place.
        SelectionItem::FragmentSpread(_) => 0,
    };
    selections.items.iter().map(item).max().unwrap_or(0)
}

fn cost(selections: &SelectionSet, variables: &Map<String, Value>) -> u64 {
    let item = |item: &SelectionItem| match item {
        SelectionItem::Field(field) => {
            1_u64.saturating_add(length(field, variables).saturating_mul(cost(&field.selections, variables)))
        }
        SelectionItem::InlineFragment(fragment) => cost(&fragment.selections, variables),
        SelectionItem::FragmentSpread(_) => 0,
    };
    selections.items.iter().map(item).fold(0, u64::saturating_add)
}

/// How many items a field is taken to answer.
fn length(field: &FieldSelection, variables: &Map<String, Value>) -> u64 {
    if field.selections.items.is_empty() {
        return 0;
    }
    let asked = field.arguments.as_ref().and_then(|arguments| {
        LENGTHS.iter().find_map(|name| match arguments.get_argument(name)? {
            Literal::Int(length) => u64::try_from(*length).ok(),
            Literal::Variable(variable) => variables.get(variable).and_then(Value::as_u64),
            _ => None,
        })
    });
    asked.unwrap_or(if field.name.ends_with(PLURAL) { LIST } else { 1 })
}
