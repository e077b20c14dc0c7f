//! SQL: how every service opens its SQLite database, and how its tables come to be.
//!
//! A committed transaction is on disk (`synchronous=FULL`). There is one writer a database, so that writes queue here and
//! never meet `SQLITE_BUSY`, and several readers, which see the last commit and never wait for the writer (WAL).

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr, Sqlite, Transaction};

/// Connections that read at once.
const READERS: u32 = 4;
/// How long a connection waits for another process's lock.
const BUSY: Duration = Duration::from_secs(10);

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// Its folder can't be made.
    #[error("the folder of database {path} can't be made: {source}")]
    Folder {
        /// The database.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// It is no database, or can't be read.
    #[error("database {path} can't be opened: {source}")]
    Open {
        /// The database.
        path: PathBuf,
        /// SQLite's reason.
        source: sqlx::Error,
    },
    /// A step to the newest tables failed; the database stays at the step before.
    #[error("database {path} can't be brought up to date: {source}")]
    Migrate {
        /// The database.
        path: PathBuf,
        /// Which step, and why.
        source: MigrateError,
    },
}

/// One step from the tables of one release to those of the next. Never changed once released.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Rising from 1.
    pub version: i64,
    /// What it does, for people.
    pub name: &'static str,
    /// One or more statements; they all happen or none does.
    pub sql: &'static str,
}

/// An open database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    /// For queries.
    pub reader: SqlitePool,
    /// The one connection that writes.
    pub writer: SqlitePool,
}

/// Opens the database at `path`, made with its folder where there is none, and runs the migrations that it lacks.
pub async fn open(path: &Path, migrations: &[Migration]) -> Result<Database, SqlError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| SqlError::Folder { path: path.to_owned(), source })?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY);
    let opened = |source| SqlError::Open { path: path.to_owned(), source };
    let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await.map_err(opened)?;
    let steps = migrations
        .iter()
        .map(|m| {
            let sql = m.sql.into_sql_str();
            sqlx::migrate::Migration::new(m.version, Cow::Borrowed(m.name), MigrationType::Simple, sql, false)
        })
        .collect();
    Migrator::with_migrations(steps)
        .run(&writer)
        .await
        .map_err(|source| SqlError::Migrate { path: path.to_owned(), source })?;
    let reader = SqlitePoolOptions::new()
        .max_connections(READERS)
        .connect_with(options.create_if_missing(false))
        .await
        .map_err(opened)?;
    Ok(Database { reader, writer })
}

impl Database {
    /// A transaction that writes: it holds the write lock from its first statement, so what it read stays true.
    pub async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    /// Ends all connections; the write-ahead log goes into the database file.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Migration = Migration {
        version: 1,
        name: "films",
        sql: "CREATE TABLE film (id TEXT PRIMARY KEY) STRICT; INSERT INTO film VALUES ('one');",
    };
    const SECOND: Migration =
        Migration { version: 2, name: "years", sql: "ALTER TABLE film ADD COLUMN year INTEGER NOT NULL DEFAULT 0" };

    async fn pragma(database: &Database, name: &'static str) -> i64 {
        let sql = match name {
            "synchronous" => "PRAGMA synchronous",
            _ => "PRAGMA foreign_keys",
        };
        sqlx::query_scalar(sql).fetch_one(&database.writer).await.unwrap()
    }

    #[tokio::test]
    async fn a_database_goes_on_from_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/films.db");
        open(&path, &[FIRST]).await.unwrap().close().await;
        let database = open(&path, &[FIRST, SECOND]).await.unwrap();
        let (id, year): (String, i64) =
            sqlx::query_as("SELECT id, year FROM film").fetch_one(&database.reader).await.unwrap();
        assert_eq!((id.as_str(), year), ("one", 0));
        assert_eq!(pragma(&database, "synchronous").await, 2, "FULL");
        assert_eq!(pragma(&database, "foreign_keys").await, 1);
    }

    #[tokio::test]
    async fn a_step_that_was_changed_after_its_release_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("films.db");
        open(&path, &[FIRST]).await.unwrap().close().await;
        let changed = Migration { sql: "CREATE TABLE other (id TEXT)", ..FIRST };
        assert!(matches!(open(&path, &[changed]).await, Err(SqlError::Migrate { .. })));
    }

    #[tokio::test]
    async fn what_is_rolled_back_is_not_seen() {
        let folder = tempfile::tempdir().unwrap();
        let database = open(&folder.path().join("films.db"), &[FIRST]).await.unwrap();
        let mut transaction = database.begin().await.unwrap();
        sqlx::query("INSERT INTO film VALUES ('two')").execute(&mut *transaction).await.unwrap();
        transaction.rollback().await.unwrap();
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM film").fetch_one(&database.reader).await.unwrap();
        assert_eq!(count, 1);
    }
}
