//! Our search, in this process, through its contract.

use std::sync::Arc;
use std::time::{Duration, Instant};

use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::catalog_server::{Catalog, CatalogServer};
use matinee_contracts::catalog::{ListTitlesReply, ListTitlesRequest, Title};
use matinee_contracts::events::TitleChanged;
use matinee_contracts::search::search_client::SearchClient;
use matinee_contracts::search::{RebuildRequest, SearchReply, SearchRequest};
use matinee_contracts::viewer::Viewer;
use matinee_engines::events::{EventLogConfig, Events, open};
use matinee_search::SearchService;
use matinee_search::consume::TOPIC;
use matinee_service::channel::Channel;
use matinee_service::clock::SystemClock;
use prost::Message;
use tokio_util::sync::{CancellationToken, DropGuard};
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
    log: Events,
    _stop: DropGuard,
    _folder: tempfile::TempDir,
}

impl Ours {
    /// Over these titles, in the order of their ids.
    pub async fn start(titles: Vec<Title>) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let log = open(&folder.path().join("events"), EventLogConfig::default()).await?;
        let catalogue = CatalogClient::new(Channel::local(CatalogServer::new(Listed(Arc::new(titles)))));
        let place = folder.path().join("search");
        let service = SearchService::open(&place, catalogue, Arc::clone(&log), Arc::new(SystemClock)).await?;
        let mut client = SearchClient::new(Channel::local(service.server()));
        let start = Instant::now();
        let built = client.rebuild(RebuildRequest {}).await?.into_inner();
        eprintln!("ours: {} titles in {:.2} s", built.titles, start.elapsed().as_secs_f64());
        let stop = CancellationToken::new();
        let (stopped, guard) = (stop.clone(), stop.drop_guard());
        tokio::spawn(async move { service.consume(stopped).await });
        Ok(Self { client, log, _stop: guard, _folder: folder })
    }

    /// How long it takes from the event that says that there is a title until it is found.
    pub async fn fresh(&self, number: usize) -> Result<Duration, Failure> {
        // Of letters alone, for a number is a word of its own.
        let name: String = format!("{number:04}").bytes().map(|digit| char::from(b'a' + (digit - b'0'))).collect();
        let (id, name) = (format!("new-{number}"), format!("zz{name}qq"));
        let title = Title { id: id.clone(), name: name.clone(), version: "v1".to_owned(), ..Title::default() };
        let event = TitleChanged { title: Some(title), ..TitleChanged::default() };
        let start = Instant::now();
        self.log.append(TOPIC, &id, event.encode_to_vec().into()).await?;
        while self.first(&name).await?.as_deref() != Some(id.as_str()) {
            if start.elapsed() > Duration::from_secs(30) {
                return Err("a new title is not found after 30 s".into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(start.elapsed())
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
