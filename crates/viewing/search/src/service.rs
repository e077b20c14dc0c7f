//! The gRPC contract over the index.

use std::path::Path;
use std::sync::Arc;

use matinee_contracts::search::search_server::{Search, SearchServer};
use matinee_contracts::search::{RebuildReply, RebuildRequest, SearchReply, SearchRequest, StatusReply, StatusRequest};
use matinee_engines::events::Events;
use matinee_service::clock::Clock;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::answer::Question;
use crate::consume::consume;
use crate::error::SearchError;
use crate::rebuild::{Catalogue, PAGE_BYTES, rebuild};
use crate::shelf::Shelf;

/// Searches that may wait for a processor; more are refused.
const WAITING: usize = 256;

/// Search. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SearchService {
    shelf: Arc<Shelf>,
    catalogue: Catalogue,
    log: Events,
    clock: Arc<dyn Clock>,
    /// Searches that wait or run.
    room: Arc<Semaphore>,
    /// Searches that run: one a processor, for they do nothing but compute.
    turns: Arc<Semaphore>,
}

impl SearchService {
    /// Over the indexes in `folder`. An index that is missing or damaged is built by [`SearchService::consume`].
    pub async fn open(
        folder: &Path,
        catalogue: Catalogue,
        log: Events,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SearchError> {
        let shelf = Arc::new(Shelf::open(folder).await?);
        let catalogue = catalogue.max_decoding_message_size(PAGE_BYTES);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let (room, turns) = (Arc::new(Semaphore::new(WAITING)), Arc::new(Semaphore::new(processors)));
        Ok(Self { shelf, catalogue, log, clock, room, turns })
    }

    /// The contract, to be called or hosted.
    #[must_use]
    pub fn server(&self) -> SearchServer<Self> {
        SearchServer::new(self.clone())
    }

    /// Takes the catalogue's changes from the log, until `stop`. One process of an installation does so.
    pub async fn consume(&self, stop: CancellationToken) {
        consume(Arc::clone(&self.log), self.catalogue.clone(), Arc::clone(&self.shelf), stop).await;
    }

    #[tracing::instrument(level = "info", name = "store.search", skip_all)]
    async fn answer(&self, question: Question) -> Result<SearchReply, SearchError> {
        let _room = self.room.try_acquire().map_err(|_| SearchError::Busy(WAITING))?;
        let _turn = self.turns.acquire().await.map_err(|_| SearchError::NotReady)?;
        let live = self.shelf.live().ok_or(SearchError::NotReady)?;
        tokio::task::spawn_blocking(move || question.answer(&live)).await?
    }
}

#[tonic::async_trait]
impl Search for SearchService {
    async fn search(&self, request: Request<SearchRequest>) -> Result<Response<SearchReply>, Status> {
        let question = Question::of(request.into_inner(), self.clock.now_us())?;
        Ok(Response::new(self.answer(question).await?))
    }

    async fn rebuild(&self, _: Request<RebuildRequest>) -> Result<Response<RebuildReply>, Status> {
        // On its own, so that a caller that goes away does not interrupt it.
        let (log, catalogue, shelf) = (Arc::clone(&self.log), self.catalogue.clone(), Arc::clone(&self.shelf));
        let built = tokio::spawn(async move { rebuild(&log, &catalogue, &shelf).await });
        let built = built.await.map_err(SearchError::from)??;
        Ok(Response::new(RebuildReply { index: built.index, titles: built.titles }))
    }

    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusReply>, Status> {
        let live = self.shelf.live().ok_or(SearchError::NotReady)?;
        let view = live.view();
        let (titles, next_event) = (view.table.len() as u64, view.next);
        Ok(Response::new(StatusReply { index: live.name().to_owned(), titles, next_event }))
    }
}
