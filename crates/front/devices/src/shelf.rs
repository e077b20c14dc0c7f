//! The shelf: titles and genres as the catalogue had them a moment ago, in memory.
//!
//! A home shows hundreds of titles, and most homes show the same ones. What was read within [`FRESH`] is shown as it is;
//! what is older is shown once more while it is read again behind the viewer's back; only what was never read, or not for
//! [`KEPT`], is waited for. So a catalogue that is slow or down costs what is new, and nothing of what was seen before.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::catalog::{GetTitlesRequest, ListGenresRequest, ListTitlesRequest};
use matinee_service::channel::Channel;
use moka::future::Cache;
use tokio::time::Instant;

use crate::film::Film;
use crate::optional::Optional;

/// What was read so lately is not read again.
const FRESH: Duration = Duration::from_secs(5);
/// Genres change seldom.
const GENRES_FRESH: Duration = Duration::from_secs(60);
/// What was not read again for so long is forgotten.
const KEPT: Duration = Duration::from_secs(600);
/// Titles in memory, at the most: about 1 kB each.
const MOST_TITLES: u64 = 100_000;
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
    genres: Arc<Mutex<Genres>>,
    service: Arc<Optional>,
}

impl Shelf {
    /// An empty one, over this catalogue.
    #[must_use]
    pub fn new(catalog: CatalogClient<Channel>) -> Self {
        let titles = Cache::builder().max_capacity(MOST_TITLES).time_to_live(KEPT).build();
        Self { catalog, titles, genres: Arc::default(), service: Arc::new(Optional::new("catalog", PATIENCE)) }
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
            if kept.read.elapsed() >= FRESH && !kept.again.swap(true, Ordering::Relaxed) {
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
            for film in self.read(missing).await {
                found.insert(Arc::clone(&film.id), film);
            }
        }
        found
    }

    /// One of them.
    pub async fn film(&self, id: &str) -> Option<Arc<Film>> {
        self.films(vec![id]).await.into_values().next()
    }

    /// Reads titles from the catalogue, keeps them, and says which there are. What is not answered stays as it was kept.
    async fn read(&self, ids: Vec<String>) -> Vec<Arc<Film>> {
        let parts = ids.chunks(AT_ONCE).map(|part| async move {
            let request = GetTitlesRequest { ids: part.to_vec() };
            let mut catalog = self.catalog.clone();
            let Some(answer) = self.service.ask(catalog.get_titles(request)).await else {
                self.try_later(part).await;
                return Vec::new();
            };
            let films: Vec<_> = answer.titles.iter().map(|title| Arc::new(Film::of(title))).collect();
            for id in part.iter().filter(|id| !films.iter().any(|film| *film.id == ***id)) {
                self.keep(Arc::from(id.as_str()), None).await;
            }
            for film in &films {
                self.keep(Arc::clone(&film.id), Some(Arc::clone(film))).await;
            }
            films
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

    /// The episodes of a series, in their order; nothing where the catalogue does not answer.
    pub async fn episodes(&self, series: &str) -> Option<Vec<Arc<Film>>> {
        let request = ListTitlesRequest { series: series.to_owned(), ..ListTitlesRequest::default() };
        let mut catalog = self.catalog.clone();
        let answer = self.service.ask(catalog.list_titles(request)).await?;
        let mut films: Vec<_> = answer.titles.iter().map(|title| Arc::new(Film::of(title))).collect();
        // Specials come after the seasons.
        films.sort_by_key(|film| (film.season == 0, film.season, film.episode));
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
