//! Where uploads are written down: one SQLite file.

use std::collections::BTreeMap;
use std::path::Path;

use matinee_engines::objects::PartsId;
use matinee_engines::sql::{self, Database, Migration};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::IngestError;

const MIGRATIONS: [Migration; 1] = [Migration {
    version: 1,
    name: "uploads",
    sql: "
        CREATE TABLE upload (
            id TEXT PRIMARY KEY,
            size BIGINT NOT NULL,
            at BIGINT NOT NULL,
            metadata TEXT NOT NULL,
            kind TEXT NOT NULL,
            title TEXT NOT NULL,
            master TEXT NOT NULL,
            object TEXT NOT NULL,
            parts TEXT NOT NULL,
            created_us BIGINT NOT NULL,
            expires_us BIGINT NOT NULL,
            blake3 TEXT NOT NULL,
            finished_us BIGINT NOT NULL,
            announced BIGINT NOT NULL
        );
        CREATE INDEX upload_title ON upload (title, kind);
    ",
}];

/// One upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its id.
    pub id: String,
    /// Bytes of the whole.
    pub size: u64,
    /// Bytes that are on disk.
    pub offset: u64,
    /// As the client gave it.
    pub metadata: BTreeMap<String, String>,
    /// `master`, `subtitles` or `artwork`.
    pub kind: String,
    /// The title's id.
    pub title: String,
    /// Of subtitles and artwork: the master that they belong to; empty until one takes them.
    pub master: String,
    /// Its key in the object store, once it is whole.
    pub object: String,
    /// Its parts until then.
    pub parts: PartsId,
    /// Microseconds since 1970.
    pub created_us: i64,
    /// When it is thrown away if it is not whole by then.
    pub expires_us: i64,
    /// Hex, of the whole; empty until it is whole.
    pub blake3: String,
    /// When it was whole; 0 until then.
    pub finished_us: i64,
}

impl Upload {
    /// One of its metadata; empty where it is not given.
    #[must_use]
    pub fn told(&self, key: &str) -> &str {
        self.metadata.get(key).map_or("", String::as_str)
    }
}

/// The table.
#[derive(Debug, Clone)]
pub struct UploadStore(Database);

fn upload(row: &SqliteRow) -> Result<Upload, IngestError> {
    let number = |name: &str| -> Result<u64, sqlx::Error> { Ok(row.try_get::<i64, _>(name)?.unsigned_abs()) };
    let metadata: String = row.try_get("metadata")?;
    Ok(Upload {
        id: row.try_get("id")?,
        size: number("size")?,
        offset: number("at")?,
        metadata: serde_json::from_str(&metadata).unwrap_or_default(),
        kind: row.try_get("kind")?,
        title: row.try_get("title")?,
        master: row.try_get("master")?,
        object: row.try_get("object")?,
        parts: PartsId(row.try_get("parts")?),
        created_us: row.try_get("created_us")?,
        expires_us: row.try_get("expires_us")?,
        blake3: row.try_get("blake3")?,
        finished_us: row.try_get("finished_us")?,
    })
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl UploadStore {
    /// Opens the file, making it where it is not there.
    pub async fn open(path: &Path) -> Result<Self, IngestError> {
        Ok(Self(sql::open(path, &MIGRATIONS).await?))
    }

    /// Writes a new one down.
    pub async fn add(&self, upload: &Upload) -> Result<(), IngestError> {
        let mut step = self.0.begin().await?;
        sqlx::query(
            "INSERT INTO upload (id, size, at, metadata, kind, title, master, object, parts, created_us, expires_us,
                                 blake3, finished_us, announced)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0)",
        )
        .bind(&upload.id)
        .bind(signed(upload.size))
        .bind(signed(upload.offset))
        .bind(serde_json::to_string(&upload.metadata).unwrap_or_default())
        .bind(&upload.kind)
        .bind(&upload.title)
        .bind(&upload.master)
        .bind(&upload.object)
        .bind(&upload.parts.0)
        .bind(upload.created_us)
        .bind(upload.expires_us)
        .bind(&upload.blake3)
        .bind(upload.finished_us)
        .execute(&mut *step)
        .await?;
        Ok(step.commit().await?)
    }

    /// One of them.
    pub async fn get(&self, id: &str) -> Result<Upload, IngestError> {
        let row = sqlx::query("SELECT * FROM upload WHERE id = $1").bind(id).fetch_optional(&self.0.reader).await?;
        upload(&row.ok_or_else(|| IngestError::Unknown(id.chars().take(64).collect()))?)
    }

    /// All that are not whole, and the last hundred that are, the newest first.
    pub async fn list(&self) -> Result<Vec<Upload>, IngestError> {
        let query = "SELECT * FROM upload ORDER BY finished_us = 0 DESC, created_us DESC LIMIT 200";
        sqlx::query(query).fetch_all(&self.0.reader).await?.iter().map(upload).collect()
    }

    /// So many bytes are on disk.
    pub async fn reached(&self, id: &str, offset: u64, expires_us: i64) -> Result<(), IngestError> {
        let mut step = self.0.begin().await?;
        sqlx::query("UPDATE upload SET at = $2, expires_us = $3 WHERE id = $1")
            .bind(id)
            .bind(signed(offset))
            .bind(expires_us)
            .execute(&mut *step)
            .await?;
        Ok(step.commit().await?)
    }

    /// It is whole.
    pub async fn sealed(&self, id: &str, blake3: &str, at_us: i64) -> Result<(), IngestError> {
        let mut step = self.0.begin().await?;
        sqlx::query("UPDATE upload SET blake3 = $2, finished_us = $3 WHERE id = $1 AND finished_us = 0")
            .bind(id)
            .bind(blake3)
            .bind(at_us)
            .execute(&mut *step)
            .await?;
        Ok(step.commit().await?)
    }

    /// Whole subtitles and artwork of a master: its own, and those of its title that no master has taken.
    pub async fn companions(&self, master: &str, title: &str) -> Result<Vec<Upload>, IngestError> {
        let rows = sqlx::query(
            "SELECT * FROM upload WHERE kind <> 'master' AND finished_us > 0
                AND (master = $1 OR (master = '' AND title = $2)) ORDER BY created_us, id",
        )
        .bind(master)
        .bind(title)
        .fetch_all(&self.0.reader)
        .await?;
        rows.iter().map(upload).collect()
    }

    /// A master and these of its companions are announced.
    pub async fn announced(&self, master: &str, companions: &[Upload]) -> Result<(), IngestError> {
        let mut step = self.0.begin().await?;
        for companion in companions {
            let query = sqlx::query("UPDATE upload SET master = $2 WHERE id = $1");
            query.bind(&companion.id).bind(master).execute(&mut *step).await?;
        }
        sqlx::query("UPDATE upload SET announced = 1 WHERE id = $1").bind(master).execute(&mut *step).await?;
        Ok(step.commit().await?)
    }

    /// Masters that are whole and not announced.
    pub async fn unannounced(&self) -> Result<Vec<Upload>, IngestError> {
        let query = "SELECT * FROM upload WHERE kind = 'master' AND finished_us > 0 AND announced = 0 ORDER BY id";
        sqlx::query(query).fetch_all(&self.0.reader).await?.iter().map(upload).collect()
    }

    /// Uploads whose bytes are all there, but which were not sealed.
    pub async fn unsealed(&self) -> Result<Vec<Upload>, IngestError> {
        let query = "SELECT * FROM upload WHERE finished_us = 0 AND at = size";
        sqlx::query(query).fetch_all(&self.0.reader).await?.iter().map(upload).collect()
    }

    /// Unfinished uploads whose time is over.
    pub async fn expired(&self, now_us: i64) -> Result<Vec<Upload>, IngestError> {
        let query = sqlx::query("SELECT * FROM upload WHERE finished_us = 0 AND expires_us < $1").bind(now_us);
        query.fetch_all(&self.0.reader).await?.iter().map(upload).collect()
    }

    /// Forgets one.
    pub async fn remove(&self, id: &str) -> Result<(), IngestError> {
        let mut step = self.0.begin().await?;
        sqlx::query("DELETE FROM upload WHERE id = $1").bind(id).execute(&mut *step).await?;
        Ok(step.commit().await?)
    }
}
