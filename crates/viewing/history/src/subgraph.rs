//! The history's part of the graph: where the viewer stopped.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, Object, Result};
use matinee_contracts::history::history_client::HistoryClient;
use matinee_contracts::history::{ListRequest, PositionsRequest, RemoveRequest, Watched};
use matinee_contracts::viewer::Viewer;
use matinee_service::channel::Channel;
use matinee_service::subgraph::{Schemed, Subgraph, loader, profile, refused, viewer};
use tonic::Status;

/// The subgraph, over the service wherever it is.
#[must_use]
pub fn subgraph(history: HistoryClient<Channel>) -> Arc<dyn Subgraph> {
    let (queries, mutations) = (Query { history: history.clone() }, Mutation { history: history.clone() });
    let positions = move |viewer: &Viewer| Positions { history: history.clone(), profile: viewer.profile.clone() };
    Arc::new(Schemed::new("history", queries, mutations).batching(positions))
}

/// Where the viewer is in titles.
struct Positions {
    history: HistoryClient<Channel>,
    profile: String,
}

impl Loader<String> for Positions {
    type Value = Watched;
    type Error = Status;

    async fn load(&self, titles: &[String]) -> std::result::Result<HashMap<String, Watched>, Status> {
        let request = PositionsRequest { profile: self.profile.clone(), titles: titles.to_vec() };
        let found = self.history.clone().positions(request).await?.into_inner().titles;
        Ok(found.into_iter().map(|watched| (watched.title.clone(), watched)).collect())
    }
}

struct Title {
    id: ID,
    watched: Option<Watched>,
}

impl Title {
    async fn watched(&self, context: &Context<'_>) -> Result<Option<Watched>> {
        if let Some(watched) = &self.watched {
            return Ok(Some(watched.clone()));
        }
        if viewer(context).profile.is_empty() {
            return Ok(None);
        }
        loader::<Positions>(context)?.load_one(self.id.to_string()).await.map_err(|status| refused(&status))
    }
}

#[Object]
impl Title {
    async fn id(&self) -> &ID {
        &self.id
    }

    /// Where the viewer goes on: 0 at the beginning.
    async fn resume_seconds(&self, context: &Context<'_>) -> Result<Option<f64>> {
        Ok(self.watched(context).await?.map(|watched| watched.resume_us as f64 / 1e6))
    }

    /// Whether the viewer watched it to its end.
    async fn finished(&self, context: &Context<'_>) -> Result<Option<bool>> {
        Ok(self.watched(context).await?.map(|watched| watched.finished))
    }
}

struct Query {
    history: HistoryClient<Channel>,
}

#[Object]
impl Query {
    /// What the viewer began and did not finish, the latest first.
    async fn continue_watching(
        &self,
        context: &Context<'_>,
        #[graphql(default = 20)] first: u32,
    ) -> Result<Vec<Title>> {
        let limit = first.clamp(1, 500);
        let request = ListRequest { profile: profile(context)?, unfinished_only: true, limit };
        let watched = self.history.clone().list(request).await.map_err(|status| refused(&status))?.into_inner();
        let title = |watched: Watched| Title { id: watched.title.clone().into(), watched: Some(watched) };
        Ok(watched.titles.into_iter().map(title).collect())
    }

    #[graphql(entity)]
    async fn find_title(&self, id: ID) -> Title {
        Title { id, watched: None }
    }
}

struct Mutation {
    history: HistoryClient<Channel>,
}

#[Object]
impl Mutation {
    /// Takes a title out of the viewer's history.
    async fn forget(&self, context: &Context<'_>, title: ID) -> Result<Title> {
        let request = RemoveRequest { profile: profile(context)?, title: title.to_string() };
        self.history.clone().remove(request).await.map_err(|status| refused(&status))?;
        Ok(Title { id: title, watched: None })
    }
}
