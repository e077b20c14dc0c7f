//! The embedded key store: sealed keys in one SQLite file. The SQL is the part that PostgreSQL and CockroachDB share.
//!
//! Beside the keys stands a proof of each master key they rest under, so that a wrong one is noticed at the start and
//! not by the first viewer. After a rotation of the master key all keys are sealed again under the current one.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use matinee_engines::sql::{self, Database, Migration};
use matinee_model::ids::TitleId;
use matinee_service::clock::Clock;
use matinee_service::secrets::KeyNumber;
use rand::TryRng;
use rand::rngs::SysRng;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};
use zeroize::Zeroizing;

use super::KeyStore;
use crate::error::LicenseError;
use crate::keys::{BYTES, ContentKey, KeyId, KeyMaterial, Label};
use crate::seal::{Seal, Unsealed};

const MIGRATIONS: [Migration; 1] = [Migration {
    version: 1,
    name: "content keys",
    sql: "
        CREATE TABLE content_key (
            title TEXT NOT NULL,
            label TEXT NOT NULL,
            kid TEXT NOT NULL UNIQUE,
            master BIGINT NOT NULL,
            sealed TEXT NOT NULL,
            created_us BIGINT NOT NULL,
            PRIMARY KEY (title, label)
        );
        CREATE INDEX content_key_master ON content_key (master);
        CREATE TABLE master_proof (master BIGINT PRIMARY KEY, proof TEXT NOT NULL);
    ",
}];

/// The adapter.
#[derive(Debug, Clone)]
pub struct SqliteKeys {
    database: Database,
    seal: Arc<Seal>,
    clock: Arc<dyn Clock>,
}

impl SqliteKeys {
    /// Opens the file, making it and its tables where they are not there, and compares its keys with the master keys.
    ///
    /// Fails with [`LicenseError::WrongMaster`] or [`LicenseError::MissingMaster`] where they don't go together.
    pub async fn open(path: &Path, seal: Seal, clock: Arc<dyn Clock>) -> Result<Self, LicenseError> {
        let store = Self { database: sql::open(path, &MIGRATIONS).await?, seal: Arc::new(seal), clock };
        store.take_over().await?;
        Ok(store)
    }

    /// Checks every master key that is in use, then brings all keys under the current one.
    async fn take_over(&self) -> Result<(), LicenseError> {
        let mut step = self.database.begin().await?;
        let current = i64::from(self.seal.current().0);
        let proofs = sqlx::query("SELECT master, proof FROM master_proof").fetch_all(&mut *step).await?;
        let mut proven = false;
        for row in &proofs {
            let number = master_of(row)?;
            let proof = unhex(&row.try_get::<String, _>("proof")?, "proof")?;
            self.seal.recognises(number, &proof).map_err(|refused| match refused {
                Unsealed::Missing(number) => LicenseError::MissingMaster(number),
                Unsealed::Refused => LicenseError::WrongMaster(number),
            })?;
            proven |= i64::from(number.0) == current;
        }
        if !proven {
            let proof = self.seal.proof().map_err(|error| LicenseError::Row(error.to_string()))?;
            sqlx::query("INSERT INTO master_proof (master, proof) VALUES ($1, $2)")
                .bind(current)
                .bind(hex::encode(proof))
                .execute(&mut *step)
                .await?;
        }
        let resealed = self.reseal(&mut step, current).await?;
        sqlx::query("DELETE FROM master_proof WHERE master <> $1").bind(current).execute(&mut *step).await?;
        step.commit().await?;
        if resealed > 0 {
            tracing::info!(
                keys = resealed,
                master = current,
                "content keys were sealed again under the current master key"
            );
        }
        Ok(())
    }

    async fn reseal(&self, step: &mut Transaction<'static, Sqlite>, current: i64) -> Result<usize, LicenseError> {
        let rows = sqlx::query("SELECT * FROM content_key WHERE master <> $1").bind(current).fetch_all(&mut **step);
        let rows = rows.await?;
        for row in &rows {
            let key = self.key_of(row)?;
            let sealed = self.sealed(&key)?;
            sqlx::query("UPDATE content_key SET master = $2, sealed = $3 WHERE kid = $1")
                .bind(key.id.to_string())
                .bind(current)
                .bind(hex::encode(sealed))
                .execute(&mut **step)
                .await?;
        }
        Ok(rows.len())
    }

    fn sealed(&self, key: &ContentKey) -> Result<Vec<u8>, LicenseError> {
        let made = self.seal.seal(&key.title, &key.label, key.id, &key.material);
        made.map_err(|error| making(&key.title, &key.label, error.to_string()))
    }

    fn key_of(&self, row: &SqliteRow) -> Result<ContentKey, LicenseError> {
        let damaged = |error: &dyn std::fmt::Display| LicenseError::Row(error.to_string());
        let title = TitleId::parse(&row.try_get::<String, _>("title")?).map_err(|error| damaged(&error))?;
        let label = Label::parse(&row.try_get::<String, _>("label")?).map_err(|error| damaged(&error))?;
        let kid: String = row.try_get("kid")?;
        let id = KeyId::from_hex(&kid).ok_or_else(|| damaged(&format!("{kid:?} is no key id")))?;
        let number = master_of(row)?;
        let spoilt = || LicenseError::Damaged { id, title: title.clone(), label: label.as_str().to_owned() };
        let sealed = hex::decode(row.try_get::<String, _>("sealed")?).map_err(|_| spoilt())?;
        let material = self.seal.open(number, &title, &label, id, &sealed).map_err(|refused| match refused {
            Unsealed::Missing(number) => LicenseError::MissingMaster(number),
            Unsealed::Refused => spoilt(),
        })?;
        Ok(ContentKey { title, label, id, material })
    }

    async fn find(&self, title: &TitleId, label: &Label) -> Result<Option<ContentKey>, LicenseError> {
        let row = sqlx::query("SELECT * FROM content_key WHERE title = $1 AND label = $2")
            .bind(title.as_str())
            .bind(label.as_str())
            .fetch_optional(&self.database.reader)
            .await?;
        row.as_ref().map(|row| self.key_of(row)).transpose()
    }

    /// Makes these keys in one transaction, or finds that somebody else just did.
    async fn make(&self, title: &TitleId, labels: &[&Label]) -> Result<Vec<ContentKey>, LicenseError> {
        let mut keys = Vec::with_capacity(labels.len());
        let mut step = self.database.begin().await?;
        for label in labels {
            let fresh = fresh(title, label)?;
            sqlx::query(
                "INSERT INTO content_key (title, label, kid, master, sealed, created_us)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (title, label) DO NOTHING",
            )
            .bind(title.as_str())
            .bind(label.as_str())
            .bind(fresh.id.to_string())
            .bind(i64::from(self.seal.current().0))
            .bind(hex::encode(self.sealed(&fresh)?))
            .bind(self.clock.now_us())
            .execute(&mut *step)
            .await?;
            let row = sqlx::query("SELECT * FROM content_key WHERE title = $1 AND label = $2")
                .bind(title.as_str())
                .bind(label.as_str())
                .fetch_one(&mut *step)
                .await?;
            keys.push(self.key_of(&row)?);
        }
        step.commit().await?;
        Ok(keys)
    }
}

#[async_trait]
impl KeyStore for SqliteKeys {
    #[tracing::instrument(level = "info", name = "store.ensure_keys", skip_all)]
    async fn ensure(&self, title: &TitleId, labels: &[Label]) -> Result<Vec<ContentKey>, LicenseError> {
        let mut found = Vec::with_capacity(labels.len());
        let mut missing = Vec::new();
        for label in labels {
            match self.find(title, label).await? {
                Some(key) => found.push(key),
                None => missing.push(label),
            }
        }
        if !missing.is_empty() {
            found.extend(self.make(title, &missing).await?);
        }
        let of = |label: &Label| found.iter().find(|key| key.label == *label).cloned();
        Ok(labels.iter().filter_map(of).collect())
    }

    #[tracing::instrument(level = "info", name = "store.keys_by_id", skip_all)]
    async fn by_id(&self, ids: &[KeyId]) -> Result<Vec<ContentKey>, LicenseError> {
        let mut keys = Vec::with_capacity(ids.len());
        for id in ids {
            let row = sqlx::query("SELECT * FROM content_key WHERE kid = $1")
                .bind(id.to_string())
                .fetch_optional(&self.database.reader)
                .await?
                .ok_or(LicenseError::UnknownKey(*id))?;
            keys.push(self.key_of(&row)?);
        }
        Ok(keys)
    }
}

/// A key that never was, from the system's randomness.
fn fresh(title: &TitleId, label: &Label) -> Result<ContentKey, LicenseError> {
    let mut id = [0; BYTES];
    let mut material = KeyMaterial { key: Zeroizing::new([0; BYTES]), iv: Zeroizing::new([0; BYTES]) };
    for bytes in [&mut id, &mut *material.key, &mut *material.iv] {
        SysRng.try_fill_bytes(bytes).map_err(|error| making(title, label, error.to_string()))?;
    }
    Ok(ContentKey { title: title.clone(), label: label.clone(), id: KeyId(id), material })
}

fn making(title: &TitleId, label: &Label, reason: String) -> LicenseError {
    LicenseError::Making { title: title.clone(), label: label.clone(), reason }
}

fn master_of(row: &SqliteRow) -> Result<KeyNumber, LicenseError> {
    let number: i64 = row.try_get("master")?;
    u8::try_from(number).map(KeyNumber).map_err(|_| LicenseError::Row(format!("master key {number}")))
}

fn unhex(digits: &str, what: &str) -> Result<Vec<u8>, LicenseError> {
    hex::decode(digits).map_err(|error| LicenseError::Row(format!("{what}: {error}")))
}
