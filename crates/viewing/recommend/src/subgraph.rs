//! The recommendations' part of the graph: the rows of home, and titles like a title.

use std::sync::Arc;

use async_graphql::{Context, EmptyMutation, ID, Object, Result, SimpleObject};
use matinee_contracts::recommend as contract;
use matinee_contracts::recommend::recommend_client::RecommendClient;
use matinee_contracts::recommend::{HomeRequest, SimilarRequest};
use matinee_service::channel::Channel;
use matinee_service::subgraph::{Schemed, Subgraph, refused, viewer};

/// The subgraph, over the service wherever it is.
#[must_use]
pub fn subgraph(recommend: RecommendClient<Channel>) -> Arc<dyn Subgraph> {
    Arc::new(Schemed::new("recommend", Query { recommend }, EmptyMutation))
}

/// A row of home.
#[derive(SimpleObject)]
struct Row {
    id: ID,
    /// "continue", "top", "trending", "because", "new", "genre", "list" or "for-you".
    kind: String,
    /// The title of "because", the genre of "genre", the territory of "top".
    of: Option<String>,
    titles: Vec<Title>,
}

struct Title {
    id: ID,
    recommend: RecommendClient<Channel>,
}

#[Object]
impl Title {
    async fn id(&self) -> &ID {
        &self.id
    }

    /// Titles like this one that may be watched here and now.
    async fn similar(&self, context: &Context<'_>, #[graphql(default = 12)] first: u32) -> Result<Option<Vec<Title>>> {
        let (viewer, title, limit) = (Some(viewer(context)), self.id.to_string(), first.clamp(1, 100));
        let request = SimilarRequest { viewer, title, limit };
        let alike = self.recommend.clone().similar(request).await.map_err(|status| refused(&status))?.into_inner();
        let title = |id: String| Title { id: id.into(), recommend: self.recommend.clone() };
        Ok(Some(alike.titles.into_iter().map(title).collect()))
    }
}

struct Query {
    recommend: RecommendClient<Channel>,
}

#[Object]
impl Query {
    /// The viewer's rows, in the order in which they are shown.
    async fn home(
        &self,
        context: &Context<'_>,
        #[graphql(default = 12)] rows: u32,
        #[graphql(default = 20)] first: u32,
    ) -> Result<Option<Vec<Row>>> {
        let (rows, titles_a_row) = (rows.clamp(1, 40), first.clamp(1, 100));
        let request = HomeRequest { viewer: Some(viewer(context)), rows, titles_a_row };
        let home = self.recommend.clone().home(request).await.map_err(|status| refused(&status))?.into_inner();
        let title = |id: String| Title { id: id.into(), recommend: self.recommend.clone() };
        let row = |row: contract::Row| Row {
            id: row.id.into(),
            kind: row.kind,
            of: Some(row.of).filter(|of| !of.is_empty()),
            titles: row.titles.into_iter().map(title).collect(),
        };
        Ok(Some(home.rows.into_iter().map(row).collect()))
    }

    #[graphql(entity)]
    async fn find_title(&self, id: ID) -> Title {
        Title { id, recommend: self.recommend.clone() }
    }
}
