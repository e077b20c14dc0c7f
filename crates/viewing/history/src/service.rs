//! The gRPC contract over the store.

use std::path::Path;
use std::sync::Arc;

use matinee_contracts::history as contract;
use matinee_contracts::history::history_server::{History, HistoryServer};
use matinee_contracts::history::{
    EraseReply, EraseRequest, ListReply, ListRequest, PositionsReply, PositionsRequest, RemoveReply, RemoveRequest,
    ResumeRequest,
};
use matinee_engines::events::Events;
use matinee_model::ids::{ProfileId, TitleId};
use matinee_service::clock::{Clock, SystemClock};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::consume::consume;
use crate::error::HistoryError;
use crate::store::{EmbeddedHistory, HistoryStore, Shelf};
use crate::watched::Watched;

/// Titles of a list where the caller names no limit.
const LISTED: u32 = 50;
/// The most titles of a list.
const MOST_LISTED: u32 = 500;

/// Viewing history. Cheap to clone.
#[derive(Debug, Clone)]
pub struct HistoryService {
    store: Arc<dyn HistoryStore>,
    clock: Arc<dyn Clock>,
}

impl HistoryService {
    /// Over the embedded store in `folder`.
    pub async fn open(folder: &Path) -> Result<Self, HistoryError> {
        Ok(Self::new(Arc::new(EmbeddedHistory::open(folder).await?), Arc::new(SystemClock)))
    }

    /// Over any store, by any clock.
    #[must_use]
    pub fn new(store: Arc<dyn HistoryStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// The contract, to be called or hosted.
    #[must_use]
    pub fn server(&self) -> HistoryServer<Self> {
        HistoryServer::new(self.clone())
    }

    /// Takes heartbeats from `log`, until `stop`. One process of an installation does so.
    pub async fn consume(&self, log: Events, stop: CancellationToken) {
        consume(log, Arc::clone(&self.store), stop).await;
    }
}

fn profile_id(text: &str) -> Result<ProfileId, HistoryError> {
    ProfileId::parse(text).map_err(|error| HistoryError::Field { field: "profile", reason: error.to_string() })
}

fn title_id(text: &str) -> Result<TitleId, HistoryError> {
    TitleId::parse(text).map_err(|error| HistoryError::Field { field: "title", reason: error.to_string() })
}

fn message(title: &TitleId, watched: Option<Watched>) -> contract::Watched {
    let mut message = contract::Watched { title: title.as_str().to_owned(), ..contract::Watched::default() };
    if let Some(watched) = watched {
        message.resume_us = watched.last.resume_us();
        message.position_us = watched.last.position_us;
        message.duration_us = watched.last.duration_us;
        message.at_us = watched.last.moment.at_us;
        message.finished = watched.last.finished();
        message.times_finished = watched.times_finished;
    }
    message
}

#[tonic::async_trait]
impl History for HistoryService {
    async fn resume(&self, request: Request<ResumeRequest>) -> Result<Response<contract::Watched>, Status> {
        let (profile, title) = (profile_id(&request.get_ref().profile)?, title_id(&request.get_ref().title)?);
        Ok(Response::new(message(&title, self.store.watched(&profile, &title).await?)))
    }

    async fn positions(&self, request: Request<PositionsRequest>) -> Result<Response<PositionsReply>, Status> {
        let PositionsRequest { profile, titles } = request.into_inner();
        if titles.len() > MOST_LISTED as usize {
            let reason = format!("{} came, at most {MOST_LISTED} are taken", titles.len());
            return Err(HistoryError::Field { field: "titles", reason }.into());
        }
        let profile = profile_id(&profile)?;
        let parsed = titles.iter().map(|title| {
            TitleId::parse(title).map_err(|error| HistoryError::Field { field: "titles", reason: error.to_string() })
        });
        let titles = parsed.collect::<Result<Vec<_>, _>>()?;
        let watched = self.store.positions(&profile, &titles).await?;
        let titles = titles.iter().zip(watched).map(|(title, watched)| message(title, watched)).collect();
        Ok(Response::new(PositionsReply { titles }))
    }

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListReply>, Status> {
        let ListRequest { profile, unfinished_only, limit } = request.into_inner();
        let shelf = if unfinished_only { Shelf::Unfinished } else { Shelf::All };
        let most = if limit == 0 { LISTED } else { limit.min(MOST_LISTED) };
        let found = self.store.latest(&profile_id(&profile)?, shelf, most as usize).await?;
        let titles = found.into_iter().map(|(title, watched)| message(&title, Some(watched))).collect();
        Ok(Response::new(ListReply { titles }))
    }

    async fn remove(&self, request: Request<RemoveRequest>) -> Result<Response<RemoveReply>, Status> {
        let (profile, title) = (profile_id(&request.get_ref().profile)?, title_id(&request.get_ref().title)?);
        self.store.remove(&profile, &title, self.clock.now_us()).await?;
        Ok(Response::new(RemoveReply {}))
    }

    async fn erase(&self, request: Request<EraseRequest>) -> Result<Response<EraseReply>, Status> {
        self.store.erase(&profile_id(&request.get_ref().profile)?, self.clock.now_us()).await?;
        Ok(Response::new(EraseReply {}))
    }
}
