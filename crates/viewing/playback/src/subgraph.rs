//! Playback's part of the graph: what the account plays at the moment. A play itself begins at a device's adapter, which
//! knows the device's profile.

use std::sync::Arc;

use async_graphql::{Context, EmptyMutation, ID, Object, Result, SimpleObject};
use matinee_contracts::playback as contract;
use matinee_contracts::playback::SessionsRequest;
use matinee_contracts::playback::playback_client::PlaybackClient;
use matinee_service::channel::Channel;
use matinee_service::subgraph::{Schemed, Subgraph, refused, viewer};

/// The subgraph, over the service wherever it is.
#[must_use]
pub fn subgraph(playback: PlaybackClient<Channel>) -> Arc<dyn Subgraph> {
    Arc::new(Schemed::new("playback", Query { playback }, EmptyMutation))
}

/// A device that plays.
#[derive(SimpleObject)]
struct Stream {
    session: ID,
    device: ID,
    title: Title,
}

#[derive(SimpleObject)]
struct Title {
    id: ID,
}

struct Query {
    playback: PlaybackClient<Channel>,
}

#[Object]
impl Query {
    /// What the viewer's account plays at the moment.
    async fn streams(&self, context: &Context<'_>) -> Result<Option<Vec<Stream>>> {
        let account = viewer(context).account;
        if account.is_empty() {
            return Ok(None);
        }
        let playing = self.playback.clone().sessions(SessionsRequest { account }).await;
        let playing = playing.map_err(|status| refused(&status))?.into_inner().sessions;
        let stream = |playing: contract::Playing| Stream {
            session: playing.session.into(),
            device: playing.device.into(),
            title: Title { id: playing.title.into() },
        };
        Ok(Some(playing.into_iter().map(stream).collect()))
    }

    #[graphql(entity)]
    async fn find_title(&self, id: ID) -> Title {
        Title { id }
    }
}
