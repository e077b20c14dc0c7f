//! The embedded store: one SQLite file. The SQL is the part that PostgreSQL and CockroachDB share.

mod import;
mod rows;
mod step;
mod tables;

use std::path::Path;

use async_trait::async_trait;
use matinee_contracts::catalog::{Artwork as Picture, LicenceWindow};
use matinee_engines::sql::{self, Database};
use matinee_model::ids::{PersonId, TitleId};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use self::rows::{damaged, find, known, person_of, title_of, unsigned, version_of};
use self::step::{Credited, Step};
use super::{Announcement, CatalogStore, Change, Shelf, Tally, Trial, Wanted, Written};
use crate::details::Kind;
use crate::error::{CatalogError, refused};
use crate::exchange::Entry;
use crate::person::Person;
use crate::title::{Artwork, Edition, Said, Title};

/// The most pictures of a title: each kind in some languages.
const MOST_PICTURES: usize = 100;

/// The adapter.
#[derive(Debug, Clone)]
pub struct SqliteCatalog(Database);

impl SqliteCatalog {
    /// Opens the file, making it and its tables where they are not there.
    pub async fn open(path: &Path) -> Result<Self, CatalogError> {
        Ok(Self(sql::open(path, &tables::MIGRATIONS).await?))
    }

    async fn begin(&self, now_us: i64) -> Result<Step, CatalogError> {
        Ok(Step::new(self.0.begin().await?, now_us))
    }
}

#[async_trait]
impl CatalogStore for SqliteCatalog {
    #[tracing::instrument(level = "info", name = "store.put_title", skip_all)]
    async fn put(&self, said: Said, expected: Option<u64>, now_us: i64) -> Result<Written<Title>, CatalogError> {
        let mut step = self.begin(now_us).await?;
        let (title, _) = step.put(said, expected, Credited::Known).await?;
        step.commit(title).await
    }

    #[tracing::instrument(level = "info", name = "store.title", skip_all)]
    async fn title(&self, id: &TitleId) -> Result<Title, CatalogError> {
        let mut reader = self.0.reader.acquire().await?;
        known(&mut reader, id).await
    }

    #[tracing::instrument(level = "info", name = "store.titles", skip_all)]
    async fn titles(&self, ids: &[TitleId]) -> Result<Vec<Title>, CatalogError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM title WHERE id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id.as_str());
        }
        query.push(")");
        let rows = query.build().fetch_all(&self.0.reader).await?;
        rows.iter().map(title_of).collect()
    }

    #[tracing::instrument(level = "info", name = "store.list_titles", skip_all)]
    async fn list(&self, wanted: &Wanted, after: &str, limit: u32) -> Result<Vec<Title>, CatalogError> {
        let mut reader = self.0.reader.acquire().await?;
        // The genre's index gives titles in the order of their ids, so its list begins where the last one ended.
        let mut query = QueryBuilder::<Sqlite>::new(match wanted.genre {
            Some(_) => "SELECT title.* FROM title_genre JOIN title ON title.id = title_genre.title WHERE ",
            None => "SELECT * FROM title WHERE ",
        });
        if let Some(genre) = &wanted.genre {
            query.push("title_genre.genre = ").push_bind(genre).push(" AND ");
        }
        if let Some(kind) = wanted.kind {
            query.push("kind = ").push_bind(kind.as_str()).push(" AND ");
        }
        if wanted.shelf == Shelf::Published {
            query.push("(version IS NOT NULL OR shown_us IS NOT NULL) AND ");
        }
        match &wanted.series {
            Some(series) => {
                query.push("series = ").push_bind(series.as_str());
                if let Ok(last) = TitleId::parse(after) {
                    // Where the episode is gone meanwhile, nobody knows any more what came after it.
                    let last = find(&mut reader, &last).await?;
                    let Some(place) = last.as_ref().and_then(|title| title.card().details.place()) else {
                        return Err(refused("after", format!("{after} is not an episode")));
                    };
                    query.push(" AND (season, episode) > (");
                    query.push_bind(i64::from(place.season)).push(", ").push_bind(i64::from(place.episode)).push(")");
                }
                query.push(" ORDER BY season, episode");
            }
            None if wanted.genre.is_some() => {
                query.push("title_genre.title > ").push_bind(after).push(" ORDER BY title_genre.title");
            }
            None => {
                query.push("id > ").push_bind(after).push(" ORDER BY id");
            }
        }
        query.push(" LIMIT ").push_bind(i64::from(limit));
        let rows = query.build().fetch_all(&mut *reader).await?;
        rows.iter().map(title_of).collect()
    }

    #[tracing::instrument(level = "info", name = "store.publish", skip_all)]
    async fn publish(
        &self,
        id: &TitleId,
        edition: &Edition,
        artwork: Option<&Artwork>,
        now_us: i64,
    ) -> Result<Written<Title>, CatalogError> {
        let mut step = self.begin(now_us).await?;
        let mut before = step.expected(id, None).await?;
        if matches!(&before, Title::Published(title) if title.edition.version == edition.version) {
            return step.commit(before).await;
        }
        if before.card().details.kind() == Kind::Series {
            return Err(refused("title", "it is a series: its episodes are published"));
        }
        if let Some(artwork) = artwork {
            match &mut before {
                Title::Published(title) => title.card.artwork = Some(artwork.clone()),
                Title::Unpublished(title) => title.card.artwork = Some(artwork.clone()),
            }
        }
        let title = step.switch(&before, Some(edition.clone())).await?;
        let seq = step.seq().await?;
        sqlx::query("INSERT INTO announcement (title, revision, version, at_us, seq) VALUES ($1, $2, $3, $4, $5)")
            .bind(id.as_str())
            .bind(title.card().revision as i64)
            .bind(edition.version.as_str())
            .bind(now_us)
            .bind(seq)
            .execute(step.connection())
            .await?;
        step.commit(title).await
    }

    #[tracing::instrument(level = "info", name = "store.unpublish", skip_all)]
    async fn unpublish(&self, id: &TitleId, now_us: i64) -> Result<Written<Title>, CatalogError> {
        let mut step = self.begin(now_us).await?;
        let before = step.expected(id, None).await?;
        let title = match before {
            Title::Unpublished(_) => before,
            Title::Published(_) => step.switch(&before, None).await?,
        };
        step.commit(title).await
    }

    #[tracing::instrument(level = "info", name = "store.delete_title", skip_all)]
    async fn delete(
        &self,
        id: &TitleId,
        expected: Option<u64>,
        now_us: i64,
    ) -> Result<Written<Option<u64>>, CatalogError> {
        let mut step = self.begin(now_us).await?;
        let before = match step.expected(id, expected).await {
            Err(CatalogError::UnknownTitle(_)) => return step.commit(None).await,
            before => before?,
        };
        let revision = step.remove(&before).await?;
        step.commit(Some(revision)).await
    }

    #[tracing::instrument(level = "info", name = "store.set_windows", skip_all)]
    async fn set_windows(
        &self,
        id: &TitleId,
        windows: Vec<LicenceWindow>,
        expected: Option<u64>,
        now_us: i64,
    ) -> Result<Written<Title>, CatalogError> {
        let mut step = self.begin(now_us).await?;
        let before = step.expected(id, expected).await?;
        let details = before.card().details.with_windows(windows);
        if details == before.card().details {
            return step.commit(before).await;
        }
        let title = step.change(&before, |card| card.details = details).await?;
        step.commit(title).await
    }

    #[tracing::instrument(level = "info", name = "store.put_picture", skip_all)]
    async fn put_picture(&self, id: &TitleId, picture: Picture, now_us: i64) -> Result<Written<Title>, CatalogError> {
        let mut step = self.begin(now_us).await?;
        let before = step.expected(id, None).await?;
        let mut pictures = before.card().pictures.clone();
        match pictures.iter().position(|p| p.kind == picture.kind && p.language == picture.language) {
            Some(at) if pictures[at] == picture => return step.commit(before).await,
            Some(at) => pictures[at] = picture,
            None if pictures.len() >= MOST_PICTURES => {
                return Err(refused("language", format!("the title has {MOST_PICTURES} pictures already")));
            }
            None => pictures.push(picture),
        }
        let title = step.change(&before, |card| card.pictures = pictures).await?;
        step.commit(title).await
    }

    #[tracing::instrument(level = "info", name = "store.put_person", skip_all)]
    async fn put_person(
        &self,
        person: Person,
        expected: Option<u64>,
        now_us: i64,
    ) -> Result<Written<Person>, CatalogError> {
        let mut step = self.begin(now_us).await?;
        let person = step.put_person(person, expected).await?;
        step.commit(person).await
    }

    #[tracing::instrument(level = "info", name = "store.person", skip_all)]
    async fn person(&self, id: &PersonId) -> Result<Person, CatalogError> {
        let row = sqlx::query("SELECT * FROM person WHERE id = $1").bind(id.as_str());
        let row = row.fetch_optional(&self.0.reader).await?;
        person_of(&row.ok_or_else(|| CatalogError::UnknownPerson(id.clone()))?)
    }

    #[tracing::instrument(level = "info", name = "store.people", skip_all)]
    async fn people(&self, after: &str, limit: u32) -> Result<Vec<Person>, CatalogError> {
        let rows = sqlx::query("SELECT * FROM person WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&self.0.reader)
            .await?;
        rows.iter().map(person_of).collect()
    }

    #[tracing::instrument(level = "info", name = "store.genres", skip_all)]
    async fn genres(&self) -> Result<Vec<(String, u32)>, CatalogError> {
        let rows = sqlx::query("SELECT genre, count(*) AS titles FROM title_genre GROUP BY genre ORDER BY genre")
            .fetch_all(&self.0.reader)
            .await?;
        let count = |row: &SqliteRow| {
            let titles: i64 = row.try_get("titles")?;
            Ok((row.try_get("genre")?, u32::try_from(titles).unwrap_or(u32::MAX)))
        };
        rows.iter().map(count).collect()
    }

    #[tracing::instrument(level = "info", name = "store.import", skip_all)]
    async fn import(&self, entries: Vec<Entry>, trial: Trial, now_us: i64) -> Result<Written<Tally>, CatalogError> {
        import::import(self.begin(now_us).await?, entries, trial).await
    }

    // What the announcer asks every second is no part of anybody's trace.
    async fn unannounced(&self, most: u32) -> Result<Vec<Announcement>, CatalogError> {
        let rows = sqlx::query("SELECT title, revision, version, at_us FROM announcement ORDER BY seq LIMIT $1")
            .bind(i64::from(most))
            .fetch_all(&self.0.reader)
            .await?;
        let announcement = |row: &SqliteRow| {
            let id: String = row.try_get("title")?;
            Ok(Announcement {
                title: TitleId::parse(&id).map_err(|error| damaged(&id, error.to_string()))?,
                version: version_of(&id, &row.try_get::<String, _>("version")?)?,
                at_us: row.try_get("at_us")?,
                revision: unsigned(&id, "revision", row.try_get("revision")?)?,
            })
        };
        rows.iter().map(announcement).collect()
    }

    async fn announced(&self, announcement: &Announcement) -> Result<(), CatalogError> {
        sqlx::query("DELETE FROM announcement WHERE title = $1 AND revision = $2")
            .bind(announcement.title.as_str())
            .bind(announcement.revision as i64)
            .execute(&self.0.writer)
            .await?;
        Ok(())
    }

    async fn untold(&self, most: u32) -> Result<Vec<Change>, CatalogError> {
        let rows = sqlx::query("SELECT seq, title, payload FROM title_change ORDER BY seq LIMIT $1")
            .bind(i64::from(most))
            .fetch_all(&self.0.reader)
            .await?;
        let change = |row: &SqliteRow| {
            Ok(Change { seq: row.try_get("seq")?, title: row.try_get("title")?, payload: row.try_get("payload")? })
        };
        rows.iter().map(change).collect()
    }

    async fn told(&self, seq: i64) -> Result<(), CatalogError> {
        sqlx::query("DELETE FROM title_change WHERE seq <= $1").bind(seq).execute(&self.0.writer).await?;
        Ok(())
    }
}
