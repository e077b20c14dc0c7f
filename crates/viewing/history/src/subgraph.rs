//! The history's part of the graph: where the viewer stopped.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use matinee_contracts::history::history_client::HistoryClient;
use matinee_contracts::history::{ListRequest, RemoveRequest, ResumeRequest, Watched};
use matinee_service::channel::Channel;
use matinee_service::subgraph::{Schemed, Subgraph, profile, refused, viewer};

/// The subgraph, over the service wherever it is.
#[must_use]
pub fn subgraph(history: HistoryClient<Channel>) -> Arc<dyn Subgraph> {
    Arc::new(Schemed::new("history", Query { history: history.clone() }, Mutation { history }))
}

struct Title {
    id: ID,
    watched: Option<Watched>,
    history: HistoryClient<Channel>,
}

impl Title {
    async fn watched(&self, context: &Context<'_>) -> Result<Option<Watched>> {
        if let Some(watched) = &self.watched {
            return Ok(Some(watched.clone()));
        }
        let profile = viewer(context).profile;
        if profile.is_empty() {
            return Ok(None);
        }
        let request = ResumeRequest { profile, title: self.id.to_string() };
        let watched = self.history.clone().resume(request).await.map_err(|status| refused(&status))?;
        Ok(Some(watched.into_inner()))
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
        let title = |watched: Watched| Title {
            id: watched.title.clone().into(),
            watched: Some(watched),
            history: self.history.clone(),
        };
        Ok(watched.titles.into_iter().map(title).collect())
    }

    #[graphql(entity)]
    async fn find_title(&self, id: ID) -> Title {
        Title { id, watched: None, history: self.history.clone() }
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
        Ok(Title { id: title, watched: None, history: self.history.clone() })
    }
}
