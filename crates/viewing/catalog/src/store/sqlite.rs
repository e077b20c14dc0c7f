//! The embedded store: one SQLite file. The SQL is the part that PostgreSQL and CockroachDB share.

use std::path::Path;

use async_trait::async_trait;
use matinee_engines::sql::{self, Database, Migration};
use matinee_model::ids::{TitleId, VersionId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{Announcement, CatalogStore, Shelf};
use crate::error::CatalogError;
use crate::title::{Artwork, Card, Edition, PublishedTitle, Title, UnpublishedTitle, Words};

/// `seq` of an announcement is the order of the switches over all titles.
const MIGRATIONS: [Migration; 1] = [Migration {
    version: 1,
    name: "titles",
    sql: "
        CREATE TABLE title (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            description TEXT NOT NULL,
            credits TEXT NOT NULL,
            license TEXT NOT NULL,
            artwork TEXT,
            version TEXT,
            duration_us BIGINT,
            published_us BIGINT,
            created_us BIGINT NOT NULL,
            revision BIGINT NOT NULL,
            CHECK ((version IS NULL) = (duration_us IS NULL) AND (version IS NULL) = (published_us IS NULL))
        );
        CREATE TABLE announcement (
            title TEXT NOT NULL,
            revision BIGINT NOT NULL,
            version TEXT NOT NULL,
            at_us BIGINT NOT NULL,
            seq BIGINT NOT NULL,
            PRIMARY KEY (title, revision)
        );
        CREATE INDEX announcement_order ON announcement (seq);
        CREATE TABLE announcement_seq (one BIGINT PRIMARY KEY CHECK (one = 1), next BIGINT NOT NULL);
        INSERT INTO announcement_seq (one, next) VALUES (1, 1);
    ",
}];

/// The adapter.
#[derive(Debug, Clone)]
pub struct SqliteCatalog(Database);

impl SqliteCatalog {
    /// Opens the file, making it and its tables where they are not there.
    pub async fn open(path: &Path) -> Result<Self, CatalogError> {
        Ok(Self(sql::open(path, &MIGRATIONS).await?))
    }
}

#[async_trait]
impl CatalogStore for SqliteCatalog {
    async fn put(
        &self,
        id: &TitleId,
        words: &Words,
        artwork: Option<&Artwork>,
        expected: Option<u64>,
        now_us: i64,
    ) -> Result<Title, CatalogError> {
        let mut step = self.0.begin().await?;
        let before = find(&mut step, id).await?;
        let current = before.as_ref().map_or(0, |title| title.card().revision);
        if let Some(expected) = expected.filter(|expected| *expected != current) {
            return Err(CatalogError::Changed { title: id.clone(), current, expected });
        }
        if let Some(title) = before {
            let card = title.card();
            if card.words == *words && (artwork.is_none() || artwork == card.artwork.as_ref()) {
                return Ok(title);
            }
        }
        sqlx::query(
            "INSERT INTO title (id, name, description, credits, license, artwork, created_us, revision)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 1)
             ON CONFLICT (id) DO UPDATE SET
                 name = excluded.name, description = excluded.description, credits = excluded.credits,
                 license = excluded.license, artwork = COALESCE(excluded.artwork, title.artwork),
                 revision = title.revision + 1",
        )
        .bind(id.as_str())
        .bind(words.name())
        .bind(words.description())
        .bind(words.credits())
        .bind(words.license())
        .bind(artwork.map(Artwork::key))
        .bind(now_us)
        .execute(&mut *step)
        .await?;
        let title = known(&mut step, id).await?;
        step.commit().await?;
        Ok(title)
    }

    async fn title(&self, id: &TitleId) -> Result<Title, CatalogError> {
        let mut reader = self.0.reader.acquire().await?;
        known(&mut reader, id).await
    }

    async fn titles(&self, shelf: Shelf, after: &str, limit: u32) -> Result<Vec<Title>, CatalogError> {
        let query = match shelf {
            Shelf::All => sqlx::query("SELECT * FROM title WHERE id > $1 ORDER BY id LIMIT $2"),
            Shelf::Published => {
                sqlx::query("SELECT * FROM title WHERE id > $1 AND version IS NOT NULL ORDER BY id LIMIT $2")
            }
        };
        let rows = query.bind(after).bind(i64::from(limit)).fetch_all(&self.0.reader).await?;
        rows.iter().map(title_of).collect()
    }

    async fn publish(
        &self,
        id: &TitleId,
        edition: &Edition,
        artwork: Option<&Artwork>,
        now_us: i64,
    ) -> Result<Title, CatalogError> {
        let mut step = self.0.begin().await?;
        let before = known(&mut step, id).await?;
        if matches!(&before, Title::Published(title) if title.edition.version == edition.version) {
            return Ok(before);
        }
        // Bounded to a week when it was taken in, so it fits.
        let duration_us = edition.duration_us as i64;
        let row = sqlx::query(
            "UPDATE title SET version = $2, duration_us = $3, published_us = $4,
                 artwork = COALESCE($5, artwork), revision = revision + 1
             WHERE id = $1 RETURNING *",
        )
        .bind(id.as_str())
        .bind(edition.version.as_str())
        .bind(duration_us)
        .bind(now_us)
        .bind(artwork.map(Artwork::key))
        .fetch_one(&mut *step)
        .await?;
        let title = title_of(&row)?;
        let seq: i64 = sqlx::query_scalar("UPDATE announcement_seq SET next = next + 1 WHERE one = 1 RETURNING next")
            .fetch_one(&mut *step)
            .await?;
        sqlx::query("INSERT INTO announcement (title, revision, version, at_us, seq) VALUES ($1, $2, $3, $4, $5)")
            .bind(id.as_str())
            .bind(row.try_get::<i64, _>("revision")?)
            .bind(edition.version.as_str())
            .bind(now_us)
            .bind(seq)
            .execute(&mut *step)
            .await?;
        step.commit().await?;
        Ok(title)
    }

    async fn unpublish(&self, id: &TitleId) -> Result<Title, CatalogError> {
        let mut step = self.0.begin().await?;
        let before = known(&mut step, id).await?;
        if matches!(before, Title::Unpublished(_)) {
            return Ok(before);
        }
        let row = sqlx::query(
            "UPDATE title SET version = NULL, duration_us = NULL, published_us = NULL, revision = revision + 1
             WHERE id = $1 RETURNING *",
        )
        .bind(id.as_str())
        .fetch_one(&mut *step)
        .await?;
        let title = title_of(&row)?;
        step.commit().await?;
        Ok(title)
    }

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
}

async fn find(connection: &mut SqliteConnection, id: &TitleId) -> Result<Option<Title>, CatalogError> {
    let row = sqlx::query("SELECT * FROM title WHERE id = $1").bind(id.as_str()).fetch_optional(connection).await?;
    row.as_ref().map(title_of).transpose()
}

async fn known(connection: &mut SqliteConnection, id: &TitleId) -> Result<Title, CatalogError> {
    find(connection, id).await?.ok_or_else(|| CatalogError::UnknownTitle(id.clone()))
}

fn title_of(row: &SqliteRow) -> Result<Title, CatalogError> {
    let text = |column| row.try_get::<String, _>(column);
    let id = text("id")?;
    let wrong = |error: &dyn std::fmt::Display| damaged(&id, error.to_string());
    let words = Words::new(text("name")?, text("description")?, text("credits")?, text("license")?);
    let artwork = row.try_get::<Option<String>, _>("artwork")?.unwrap_or_default();
    let card = Card {
        id: TitleId::parse(&id).map_err(|error| wrong(&error))?,
        words: words.map_err(|error| wrong(&error))?,
        artwork: Artwork::parse(&artwork).map_err(|error| wrong(&error))?,
        created_us: row.try_get("created_us")?,
        revision: unsigned(&id, "revision", row.try_get("revision")?)?,
    };
    let Some(version) = row.try_get::<Option<String>, _>("version")? else {
        return Ok(Title::Unpublished(UnpublishedTitle { card }));
    };
    let edition = Edition {
        version: version_of(&id, &version)?,
        duration_us: unsigned(&id, "duration_us", row.try_get("duration_us")?)?,
    };
    Ok(Title::Published(PublishedTitle { card, edition, published_us: row.try_get("published_us")? }))
}

fn version_of(title: &str, version: &str) -> Result<VersionId, CatalogError> {
    VersionId::parse(version).map_err(|error| damaged(title, error.to_string()))
}

fn unsigned(title: &str, column: &str, value: i64) -> Result<u64, CatalogError> {
    u64::try_from(value).map_err(|_| damaged(title, format!("{column} is {value}")))
}

fn damaged(title: &str, reason: String) -> CatalogError {
    CatalogError::Damaged { title: title.to_owned(), reason }
}
