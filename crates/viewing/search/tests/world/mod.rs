//! A search service with its catalogue, its log and a clock that is set.

#![allow(dead_code, reason = "each of the tests uses a part of it")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::catalog_server::{Catalog, CatalogServer};
use matinee_contracts::catalog::{Credit, ListTitlesReply, ListTitlesRequest, Title, TitleKind};
use matinee_contracts::events::TitleChanged;
use matinee_contracts::search::search_client::SearchClient;
use matinee_contracts::search::{SearchReply, SearchRequest, StatusReply, StatusRequest};
use matinee_contracts::viewer::Viewer;
use matinee_engines::events::{self, EventLogConfig, Events};
use matinee_search::SearchService;
use matinee_search::consume::TOPIC;
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use prost::Message;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

pub const SOON: Duration = Duration::from_secs(60);

/// A clock that is set.
#[derive(Debug, Default)]
pub struct Hands(pub AtomicI64);

impl Clock for Hands {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A catalogue that can be listed, until it is told to fail.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    pub titles: Arc<Mutex<BTreeMap<String, Title>>>,
    pub fails: Arc<AtomicBool>,
    /// Appended to the log when the list was read to its end, as if it were written meanwhile.
    pub meanwhile: Arc<Mutex<Option<(Events, Title)>>>,
}

#[tonic::async_trait]
impl Catalog for Listed {
    async fn list_titles(&self, request: Request<ListTitlesRequest>) -> Result<Response<ListTitlesReply>, Status> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(Status::unavailable("it is down"));
        }
        let ListTitlesRequest { after, limit, .. } = request.into_inner();
        let titles: Vec<Title> = {
            let titles = self.titles.lock().unwrap();
            titles.values().filter(|title| title.id > after).take(limit as usize).cloned().collect()
        };
        let meanwhile = if titles.is_empty() { self.meanwhile.lock().unwrap().take() } else { None };
        if let Some((log, title)) = meanwhile {
            append(&log, title, false).await;
        }
        Ok(Response::new(ListTitlesReply { titles }))
    }
}

async fn append(log: &Events, title: Title, deleted: bool) -> u64 {
    let key = title.id.clone();
    let event = TitleChanged { title: Some(title), deleted, at_us: 0 };
    log.append(TOPIC, &key, event.encode_to_vec().into()).await.unwrap()
}

pub struct World {
    pub client: SearchClient<Channel>,
    pub catalogue: Listed,
    pub log: Events,
    pub clock: Arc<Hands>,
    stop: CancellationToken,
    reader: JoinHandle<()>,
}

impl World {
    pub async fn open(folder: &Path) -> Self {
        Self::with(folder, Listed::default()).await
    }

    pub async fn with(folder: &Path, catalogue: Listed) -> Self {
        let log = events::open(&folder.join("events"), EventLogConfig::default()).await.unwrap();
        let clock = Arc::new(Hands::default());
        let client = CatalogClient::new(Channel::local(CatalogServer::new(catalogue.clone())));
        let service = SearchService::open(&folder.join("search"), client, log.clone(), clock.clone()).await.unwrap();
        let (stop, client) = (CancellationToken::new(), SearchClient::new(Channel::local(service.server())));
        let stopped = stop.clone();
        let reader = tokio::spawn(async move { service.consume(stopped).await });
        Self { client, catalogue, log, clock, stop, reader }
    }

    pub async fn close(self) -> Listed {
        self.stop.cancel();
        self.reader.await.unwrap();
        self.catalogue
    }

    /// Waits until an index answers that has every event before `next`.
    pub async fn read_to(&self, next: u64) -> StatusReply {
        let read = async {
            loop {
                match self.client.clone().status(StatusRequest {}).await {
                    Ok(status) if status.get_ref().next_event >= next => return status.into_inner(),
                    _ => tokio::time::sleep(Duration::from_millis(2)).await,
                }
            }
        };
        tokio::time::timeout(SOON, read).await.unwrap()
    }

    /// Writes titles, and waits until they are found.
    pub async fn put<const N: usize>(&self, titles: [Title; N]) {
        let mut last = 0;
        for title in titles {
            self.catalogue.titles.lock().unwrap().insert(title.id.clone(), title.clone());
            last = append(&self.log, title, false).await;
        }
        self.read_to(last + 1).await;
    }

    pub async fn delete(&self, id: &str) {
        self.catalogue.titles.lock().unwrap().remove(id);
        let last = append(&self.log, Title { id: id.to_owned(), ..Title::default() }, true).await;
        self.read_to(last + 1).await;
    }

    pub async fn ask(&self, request: SearchRequest) -> Result<SearchReply, Status> {
        self.client.clone().search(request).await.map(Response::into_inner)
    }

    pub async fn answer(&self, query: &str) -> SearchReply {
        self.ask(question(query)).await.unwrap()
    }

    /// The ids of what is found.
    pub async fn found(&self, query: &str) -> Vec<String> {
        ids(&self.answer(query).await)
    }
}

pub fn ids(reply: &SearchReply) -> Vec<String> {
    reply.hits.iter().map(|hit| hit.title.clone()).collect()
}

pub fn viewer(territory: &str, maturity_limit: u32) -> Option<Viewer> {
    Some(Viewer { territory: territory.to_owned(), maturity_limit, ..Viewer::default() })
}

/// A grown-up's in Germany.
pub fn question(query: &str) -> SearchRequest {
    SearchRequest { query: query.to_owned(), viewer: viewer("DE", 0), ..SearchRequest::default() }
}

/// A published movie.
pub fn movie(id: &str, name: &str) -> Title {
    let (id, name, version) = (id.to_owned(), name.to_owned(), "v1".to_owned());
    Title { id, name, version, revision: 1, kind: TitleKind::Movie.into(), year: 2000, ..Title::default() }
}

pub fn with(id: &str, name: &str) -> Credit {
    Credit { person: id.to_owned(), name: name.to_owned(), job: "cast".to_owned(), ..Credit::default() }
}
