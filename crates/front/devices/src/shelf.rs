//! The shelf: titles and genres as the catalogue had them a moment ago, in memory.
//!
//! A home shows hundreds of titles, and most homes show the same ones. What was read within [`FRESH`] is shown as it is;
//! what is older is shown once more while it is read again behind the viewer's back; only what was never read, or not for
//! [`OLD`], is waited for. So a catalogue that is slow or down costs what is new, and nothing of what was seen before:
//! where it does not answer, what is old is shown as it was.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::{GetTitleRequest, GetTitlesRequest, ListGenresRequest, ListTitlesRequest, Title};
use matinee_service::channel::Channel;
use matinee_service::context::Context;
use moka::future::Cache;
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::film::Film;
use crate::optional::Optional;

/// What was read so lately is not read again.
const FRESH: Duration = Duration::from_secs(5);
/// Genres change seldom.
const GENRES_FRESH: Duration = Duration::from_secs(60);
/// What was not read again for so long is shown only where the catalogue does not answer.
const OLD: Duration = Duration::from_secs(600);
/// And for so long it is forgotten: longer than a catalogue is down.
const KEPT: Duration = Duration::from_secs(48 * 3600);
/// Titles in memory, at the most: about 1 kB each.
const MOST_TITLES: u64 = 100_000;
/// Titles in memory with all that a page says of them, at the most: about 10 kB each.
const MOST_PAGES: u64 = 5_000;
/// Series whose episodes are in memory, at the most.
const MOST_SERIES: u64 = 5_000;
/// Titles that the catalogue takes in one request.
const AT_ONCE: usize = 500;
/// How long a screen waits for titles that it must have.
const PATIENCE: Duration = Duration::from_millis(500);

/// A title as it was read, or that there is none.
#[derive(Debug)]
struct Kept {
    film: Option<Arc<Film>>,
    read: Instant,
    /// Whether somebody reads it again at the moment.
    again: AtomicBool,
}

/// Whether a service did not answer, rather than say no.
fn is_away(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled)
}

#[derive(Debug, Default)]
struct Genres {
    names: Arc<HashMap<String, String>>,
    /// When to read them again; nothing where nobody tried yet.
    next: Option<Instant>,
}

/// Titles in memory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shelf {
    catalog: CatalogClient<Channel>,
    titles: Cache<Arc<str>, Arc<Kept>>,
    pages: Cache<Arc<str>, Arc<Title>>,
    series: Cache<Arc<str>, Arc<Vec<Arc<Film>>>>,
    genres: Arc<Mutex<Genres>>,
    service: Arc<Optional>,
}

impl Shelf {
    /// An empty one, over this catalogue.
    #[must_use]
    pub fn new(catalog: CatalogClient<Channel>) -> Self {
        let titles = Cache::builder().max_capacity(MOST_TITLES).time_to_live(KEPT).build();
        let pages = Cache::builder().max_capacity(MOST_PAGES).time_to_live(KEPT).build();
        let series = Cache::builder().max_capacity(MOST_SERIES).time_to_live(KEPT).build();
        let service = Arc::new(Optional::new("catalog", PATIENCE));
        Self { catalog, titles, pages, series, genres: Arc::default(), service }
    }

    /// Those of `ids` that are known, by id.
    pub async fn films(&self, ids: Vec<&str>) -> HashMap<Arc<str>, Arc<Film>> {
        let (mut found, mut missing, mut stale) = (HashMap::new(), Vec::new(), Vec::new());
        for id in ids {
            if found.contains_key(id) {
                continue;
            }
            let Some(kept) = self.titles.get(id).await else {
                missing.push(id.to_owned());
                continue;
            };
            if kept.read.elapsed() >= OLD {
                missing.push(id.to_owned());
            } else if kept.read.elapsed() >= FRESH && !kept.again.swap(true, Ordering::Relaxed) {
                stale.push(id.to_owned());
            }
            if let Some(film) = &kept.film {
                found.insert(Arc::clone(&film.id), Arc::clone(film));
            }
        }
        if !stale.is_empty() {
            let shelf = self.clone();
            tokio::spawn(async move { shelf.read(stale).await });
        }
        if !missing.is_empty() {
            missing.sort_unstable();
            missing.dedup();
            for (id, film) in self.read(missing).await {
                match film {
                    Some(film) => found.insert(id, film),
                    // It was there once.
                    None => found.remove(&id),
                };
            }
        }
        found
    }

    /// One of them.
    pub async fn film(&self, id: &str) -> Option<Arc<Film>> {
        self.films(vec![id]).await.into_values().next()
    }

    /// Reads titles from the catalogue, keeps them, and says of each whether there is one. What is not answered stays as
    /// it was kept, and is left out.
    async fn read(&self, ids: Vec<String>) -> Vec<(Arc<str>, Option<Arc<Film>>)> {
        let parts = ids.chunks(AT_ONCE).map(|part| async move {
            let request = GetTitlesRequest { ids: part.to_vec() };
            let mut catalog = self.catalog.clone();
            let Some(answer) = self.service.ask(catalog.get_titles(request)).await else {
                self.try_later(part).await;
                return Vec::new();
            };
            let mut read: HashMap<&str, Arc<Film>> =
                answer.titles.iter().map(|title| (title.id.as_str(), Arc::new(Film::of(title)))).collect();
            let read: Vec<_> = part.iter().map(|id| (Arc::from(id.as_str()), read.remove(id.as_str()))).collect();
            for (id, film) in &read {
                self.keep(Arc::clone(id), film.clone()).await;
            }
            read
        });
        join_all(parts).await.into_iter().flatten().collect()
    }

    async fn keep(&self, id: Arc<str>, film: Option<Arc<Film>>) {
        let kept = Kept { film, read: Instant::now(), again: AtomicBool::new(false) };
        self.titles.insert(id, Arc::new(kept)).await;
    }

    async fn try_later(&self, ids: &[String]) {
        for id in ids {
            if let Some(kept) = self.titles.get(id.as_str()).await {
                kept.again.store(false, Ordering::Relaxed);
            }
        }
    }

    /// A page of what the catalogue has published, after the title `after`: kept, and by which a top ten can be made
    /// where nobody recommends. Nothing where it does not answer.
    pub async fn page(&self, after: &str) -> Option<Vec<Arc<Film>>> {
        let request =
            ListTitlesRequest { published_only: true, after: after.to_owned(), ..ListTitlesRequest::default() };
        let mut catalog = self.catalog.clone();
        let answer = self.service.ask(catalog.list_titles(request)).await?;
        let films: Vec<_> = answer.titles.iter().map(|title| Arc::new(Film::of(title))).collect();
        for film in &films {
            self.keep(Arc::clone(&film.id), Some(Arc::clone(film))).await;
        }
        Some(films)
    }

    /// All that the catalogue says of a title; where it does not answer, what it said last, or as much as a card knows.
    pub async fn page_of(&self, id: &str) -> Result<(Arc<Title>, Arc<Film>), Status> {
        let before = self.page_before(id).await;
        let mut catalog = self.catalog.clone();
        let asked = catalog.get_title(GetTitleRequest { id: id.to_owned() });
        let answered = if before.is_some() {
            // Where something can stand in, nobody waits long.
            let late = || Err(Status::deadline_exceeded("the catalogue does not answer in time"));
            Context::in_time(PATIENCE, asked).await.unwrap_or_else(late)
        } else {
            asked.await
        };
        match answered {
            Ok(answer) => {
                let title = Arc::new(answer.into_inner());
                self.pages.insert(Arc::from(id), Arc::clone(&title)).await;
                let film = Arc::new(Film::of(&title));
                Ok((title, film))
            }
            Err(status) => before.filter(|_| is_away(&status)).ok_or(status),
        }
    }

    /// The same, as far as it is known without asking.
    pub async fn page_before(&self, id: &str) -> Option<(Arc<Title>, Arc<Film>)> {
        if let Some(title) = self.pages.get(id).await {
            let film = Arc::new(Film::of(&title));
            return Some((title, film));
        }
        let film = self.titles.get(id).await?.film.clone()?;
        Some((Arc::new(film.title()), film))
    }

    /// The episodes of a series, in their order; where the catalogue does not answer, those that it had.
    pub async fn episodes(&self, series: &str) -> Option<Arc<Vec<Arc<Film>>>> {
        let request = ListTitlesRequest { series: series.to_owned(), ..ListTitlesRequest::default() };
        let mut catalog = self.catalog.clone();
        let Some(answer) = self.service.ask(catalog.list_titles(request)).await else {
            return self.series.get(series).await;
        };
        let mut films: Vec<_> = answer.titles.iter().map(|title| Arc::new(Film::of(title))).collect();
        // Specials come after the seasons.
        films.sort_by_key(|film| (film.season == 0, film.season, film.episode));
        let films = Arc::new(films);
        self.series.insert(Arc::from(series), Arc::clone(&films)).await;
        Some(films)
    }

    /// The names of genres, by id; as far as they are known. Only the first who asks waits for the catalogue.
    pub async fn genres(&self) -> Arc<HashMap<String, String>> {
        let (names, first) = {
            let mut genres = self.genres.lock().unwrap_or_else(PoisonError::into_inner);
            let (now, first) = (Instant::now(), genres.next.is_none());
            if genres.next.is_some_and(|next| now < next) {
                return Arc::clone(&genres.names);
            }
            genres.next = Some(now + FRESH);
            (Arc::clone(&genres.names), first)
        };
        let shelf = self.clone();
        let reading = tokio::spawn(async move { shelf.read_genres().await });
        if first { reading.await.ok().flatten().unwrap_or(names) } else { names }
    }

    async fn read_genres(&self) -> Option<Arc<HashMap<String, String>>> {
        let mut catalog = self.catalog.clone();
        let answer = self.service.ask(catalog.list_genres(ListGenresRequest {})).await?;
        let names: HashMap<_, _> = answer.genres.into_iter().map(|genre| (genre.id, genre.name)).collect();
        let names = Arc::new(names);
        let read = Genres { names: Arc::clone(&names), next: Some(Instant::now() + GENRES_FRESH) };
        *self.genres.lock().unwrap_or_else(PoisonError::into_inner) = read;
        Some(names)
    }
}
