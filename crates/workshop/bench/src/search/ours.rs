//! Our search, in this process, through its contract.

use std::sync::Arc;
use std::time::Duration;

use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::catalog_server::{Catalog, CatalogServer};
use matinee_contracts::catalog::{ListTitlesReply, ListTitlesRequest, Title};
use matinee_contracts::search::search_client::SearchClient;
use matinee_contracts::search::{RebuildRequest, SearchReply, SearchRequest};
use matinee_contracts::viewer::Viewer;
use matinee_engines::events::{EventLogConfig, open};
use matinee_search::SearchService;
use matinee_service::channel::Channel;
use matinee_service::clock::SystemClock;
use tonic::{Request, Response, Status};

use super::timed;
use crate::measure::Failure;

/// A catalogue that can be listed.
struct Listed(Arc<Vec<Title>>);

#[tonic::async_trait]
impl Catalog for Listed {
    async fn list_titles(&self, request: Request<ListTitlesRequest>) -> Result<Response<ListTitlesReply>, Status> {
        let ListTitlesRequest { limit, after, .. } = request.into_inner();
        let from = self.0.partition_point(|title| title.id <= after);
        let titles = self.0.iter().skip(from).take(limit as usize).cloned().collect();
        Ok(Response::new(ListTitlesReply { titles }))
    }
}

/// The service.
pub struct Ours {
    client: SearchClient<Channel>,
    _folder: tempfile::TempDir,
}

impl Ours {
    /// Over these titles, in the order of their ids.
    pub async fn start(titles: Vec<Title>) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let log = open(&folder.path().join("events"), EventLogConfig::default()).await?;
        let catalogue = CatalogClient::new(Channel::local(CatalogServer::new(Listed(Arc::new(titles)))));
        let service = SearchService::open(&folder.path().join("search"), catalogue, log, Arc::new(SystemClock)).await?;
        let mut client = SearchClient::new(Channel::local(service.server()));
        let start = std::time::Instant::now();
        let built = client.rebuild(RebuildRequest {}).await?.into_inner();
        eprintln!("ours: {} titles in {:.2} s", built.titles, start.elapsed().as_secs_f64());
        Ok(Self { client, _folder: folder })
    }

    async fn ask(&self, query: &str) -> Result<SearchReply, Failure> {
        let viewer = Viewer {
            territory: "DE".to_owned(),
            languages: vec!["de".to_owned(), "en".to_owned()],
            ..Viewer::default()
        };
        let request = SearchRequest { query: query.to_owned(), viewer: Some(viewer), ..SearchRequest::default() };
        Ok(self.client.clone().search(request).await?.into_inner())
    }

    /// The first title that is found.
    pub async fn first(&self, query: &str) -> Result<Option<String>, Failure> {
        Ok(self.ask(query).await?.hits.into_iter().next().map(|hit| hit.title))
    }

    /// How long an answer takes.
    pub async fn typed(&self, query: &str) -> Result<Duration, Failure> {
        timed(async { self.ask(query).await.map(|_| ()) }).await
    }
}
