//! The gRPC contract over the store.

use std::path::Path;
use std::sync::Arc;

use matinee_contracts::catalog as contract;
use matinee_contracts::catalog::catalog_server::{Catalog, CatalogServer};
use matinee_contracts::catalog::{
    GetTitleRequest, ListTitlesReply, ListTitlesRequest, PublishRequest, PutTitleRequest, UnpublishRequest,
};
use matinee_engines::events::Events;
use matinee_service::clock::{Clock, SystemClock};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::announce::announce;
use crate::error::CatalogError;
use crate::store::{CatalogStore, Shelf, SqliteCatalog};
use crate::title::{Artwork, Edition, Title, Words, title_id};

/// Titles of a list where the caller names no limit, and the most there are in one.
const MOST_LISTED: u32 = 500;

/// The catalogue. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CatalogService {
    store: Arc<dyn CatalogStore>,
    clock: Arc<dyn Clock>,
    /// Something was published in this process.
    news: Arc<Notify>,
}

impl CatalogService {
    /// Over the embedded store in the file at `path`.
    pub async fn open(path: &Path) -> Result<Self, CatalogError> {
        Ok(Self::new(Arc::new(SqliteCatalog::open(path).await?), Arc::new(SystemClock)))
    }

    /// Over any store, by any clock.
    #[must_use]
    pub fn new(store: Arc<dyn CatalogStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, news: Arc::default() }
    }

    /// The contract, to be called or hosted.
    #[must_use]
    pub fn server(&self) -> CatalogServer<Self> {
        CatalogServer::new(self.clone())
    }

    /// Announces what is published to `log`, until `shutdown`. One process of an installation does so.
    pub async fn announce(&self, log: Events, shutdown: CancellationToken) {
        announce(Arc::clone(&self.store), log, Arc::clone(&self.news), shutdown).await;
    }
}

#[tonic::async_trait]
impl Catalog for CatalogService {
    async fn put_title(&self, request: Request<PutTitleRequest>) -> Result<Response<contract::Title>, Status> {
        let Some(title) = request.into_inner().title else {
            return Err(CatalogError::Field { field: "title", reason: "it is missing".to_owned() }.into());
        };
        let id = title_id("id", &title.id)?;
        let words = Words::new(title.name, title.description, title.credits, title.license)?;
        let artwork = Artwork::parse(&title.artwork)?;
        // 0 is what a caller sends who did not read the title first.
        let expected = Some(title.revision).filter(|revision| *revision > 0);
        let now_us = self.clock.now_us();
        Ok(reply(self.store.put(&id, &words, artwork.as_ref(), expected, now_us).await?))
    }

    async fn get_title(&self, request: Request<GetTitleRequest>) -> Result<Response<contract::Title>, Status> {
        let id = title_id("id", &request.get_ref().id)?;
        Ok(reply(self.store.title(&id).await?))
    }

    async fn list_titles(&self, request: Request<ListTitlesRequest>) -> Result<Response<ListTitlesReply>, Status> {
        let ListTitlesRequest { published_only, limit, after, .. } = request.into_inner();
        if !after.is_empty() {
            title_id("after", &after)?;
        }
        let limit = if limit == 0 { MOST_LISTED } else { limit.min(MOST_LISTED) };
        let shelf = if published_only { Shelf::Published } else { Shelf::All };
        let titles = self.store.titles(shelf, &after, limit).await?;
        Ok(Response::new(ListTitlesReply { titles: titles.into_iter().map(message).collect() }))
    }

    async fn publish(&self, request: Request<PublishRequest>) -> Result<Response<contract::Title>, Status> {
        let request = request.into_inner();
        let id = title_id("title", &request.title)?;
        let edition = Edition::new(&request.version, request.duration_us).map_err(Status::from)?;
        let artwork = Artwork::parse(&request.artwork)?;
        let title = self.store.publish(&id, &edition, artwork.as_ref(), self.clock.now_us()).await?;
        self.news.notify_one();
        Ok(reply(title))
    }

    async fn unpublish(&self, request: Request<UnpublishRequest>) -> Result<Response<contract::Title>, Status> {
        let id = title_id("title", &request.get_ref().title)?;
        Ok(reply(self.store.unpublish(&id).await?))
    }
}

fn reply(title: Title) -> Response<contract::Title> {
    Response::new(message(title))
}

fn message(title: Title) -> contract::Title {
    let card = title.card();
    let mut message = contract::Title {
        id: card.id.as_str().to_owned(),
        name: card.words.name().to_owned(),
        description: card.words.description().to_owned(),
        credits: card.words.credits().to_owned(),
        license: card.words.license().to_owned(),
        artwork: card.artwork.as_ref().map_or_else(String::new, |artwork| artwork.key().to_owned()),
        created_us: card.created_us,
        revision: card.revision,
        ..contract::Title::default()
    };
    if let Title::Published(title) = title {
        message.version = title.edition.version.into();
        message.duration_us = title.edition.duration_us;
        message.published_us = title.published_us;
    }
    message
}
