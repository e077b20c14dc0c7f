//! The supergraph: the subgraphs' schemas composed into one that plans can be made for.

use graphql_composition::{Subgraphs, compose, render_api_sdl, render_federated_sdl};
use hive_router_query_planner::planner::{Planner, QueryPlannerOptions};
use hive_router_query_planner::utils::parsing::safe_parse_schema;

use crate::error::GraphError;

/// The composed schema.
pub struct Supergraph {
    /// As the planner reads it, with the directives that say which subgraph knows what.
    pub sdl: String,
    /// As clients see it.
    pub api_sdl: String,
    /// Makes plans for it.
    pub planner: Planner,
}

/// Composes subgraphs, each a name and its schema. Fails naming what does not fit together.
pub fn supergraph(schemas: &[(String, String)]) -> Result<Supergraph, GraphError> {
    let mut subgraphs = Subgraphs::default();
    for (name, sdl) in schemas {
        let url = format!("https://{name}.invalid/");
        let ingested = subgraphs.ingest_str(sdl, name, Some(&url));
        ingested.map_err(|error| GraphError::Schema { name: name.clone(), reason: error.to_string() })?;
    }
    let composed = compose(&mut subgraphs).into_result();
    let graph = composed
        .map_err(|diagnostics| GraphError::Composition(diagnostics.iter_messages().collect::<Vec<_>>().join("; ")))?;
    let sdl = render_federated_sdl(&graph).map_err(|error| GraphError::Composition(error.to_string()))?;
    let sdl = roots_joined(&sdl);
    let api_sdl = render_api_sdl(&graph);
    let document = safe_parse_schema(&sdl).map_err(|error| GraphError::Planner(error.to_string()))?;
    let planner = Planner::new_from_supergraph(&document, QueryPlannerOptions::default())
        .map_err(|error| GraphError::Planner(error.to_string()))?;
    Ok(Supergraph { sdl, api_sdl, planner })
}

/// Says of the root types which subgraphs have fields of them: the composer leaves that to the fields, the planner reads
/// it at the type.
fn roots_joined(sdl: &str) -> String {
    let mut joined = String::with_capacity(sdl.len() + 256);
    let mut rest = sdl;
    for root in ["type Query\n{", "type Mutation\n{"] {
        let Some((before, after)) = rest.split_once(root) else { continue };
        let block = after.split_once("\n}").map_or(after, |(block, _)| block);
        let mut graphs: Vec<&str> =
            block.split("@join__field(graph: ").skip(1).filter_map(|part| part.split([',', ')']).next()).collect();
        graphs.sort_unstable();
        graphs.dedup();
        joined.push_str(before);
        joined.push_str(root.trim_end_matches('{'));
        for graph in graphs {
            joined.push_str("  @join__type(graph: ");
            joined.push_str(graph);
            joined.push_str(")\n");
        }
        joined.push('{');
        rest = after;
    }
    joined.push_str(rest);
    joined
}
