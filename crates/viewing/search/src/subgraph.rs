//! The search's part of the graph.

use std::sync::Arc;

use async_graphql::{Context, EmptyMutation, ID, Object, Result, SimpleObject};
use matinee_contracts::search as contract;
use matinee_contracts::search::SearchRequest;
use matinee_contracts::search::search_client::SearchClient;
use matinee_service::channel::Channel;
use matinee_service::subgraph::{Schemed, Subgraph, refused, viewer};

/// The subgraph, over the service wherever it is.
#[must_use]
pub fn subgraph(search: SearchClient<Channel>) -> Arc<dyn Subgraph> {
    Arc::new(Schemed::new("search", Query { search }, EmptyMutation))
}

/// What was found.
#[derive(SimpleObject)]
struct Found {
    total: u32,
    /// What was understood where a word was misspelt.
    corrected: Option<String>,
    hits: Vec<Hit>,
    people: Vec<Person>,
}

/// A title that was found.
#[derive(SimpleObject)]
struct Hit {
    /// Why: "name", "person", "genre" or "description".
    matched: String,
    title: Title,
}

/// Somebody who was found.
#[derive(SimpleObject)]
struct Person {
    id: ID,
    name: String,
    /// How many titles they are named with.
    titles: u32,
}

#[derive(SimpleObject)]
struct Title {
    id: ID,
}

struct Query {
    search: SearchClient<Channel>,
}

#[Object]
impl Query {
    /// Titles and people by what was typed so far.
    async fn search(
        &self,
        context: &Context<'_>,
        query: String,
        #[graphql(default = 20)] first: u32,
        #[graphql(default)] genres: Vec<String>,
    ) -> Result<Option<Found>> {
        let request = SearchRequest {
            query,
            viewer: Some(viewer(context)),
            limit: first.clamp(1, 100),
            genres,
            ..SearchRequest::default()
        };
        let found = self.search.clone().search(request).await.map_err(|status| refused(&status))?.into_inner();
        let hit = |hit: contract::Hit| Hit { matched: hit.matched, title: Title { id: hit.title.into() } };
        let person =
            |person: contract::PersonHit| Person { id: person.person.into(), name: person.name, titles: person.titles };
        Ok(Some(Found {
            total: found.total,
            corrected: Some(found.corrected).filter(|corrected| !corrected.is_empty()),
            hits: found.hits.into_iter().map(hit).collect(),
            people: found.people.into_iter().map(person).collect(),
        }))
    }

    #[graphql(entity)]
    async fn find_title(&self, id: ID) -> Title {
        Title { id }
    }
}
