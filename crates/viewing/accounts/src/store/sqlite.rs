//! The embedded store: one SQLite file. The SQL is the part that PostgreSQL and CockroachDB share.
//!
//! Whose rows they are stands first in each key, but where they are found before it is known whose they are (by a token's
//! hash, a code, an address).

mod devices;
mod members;
mod outbox;
mod pending;
mod profiles;
mod rows;
mod tickets;

use std::path::Path;

use matinee_engines::sql::{self, Database, Migration};
use sqlx::SqliteConnection;

use crate::error::AccountsError;
use crate::store::News;

/// `address` is what an account is found by, `email` where mails go. Flags are 0 and 1. `seq` of an announcement is their
/// order over all accounts.
const MIGRATIONS: [Migration; 1] = [Migration {
    version: 1,
    name: "accounts",
    sql: "
        CREATE TABLE account (
            id TEXT PRIMARY KEY,
            address TEXT NOT NULL UNIQUE,
            email TEXT NOT NULL,
            verified_us BIGINT,
            password TEXT,
            territory TEXT NOT NULL,
            language TEXT NOT NULL,
            roles TEXT NOT NULL,
            created_us BIGINT NOT NULL,
            revision BIGINT NOT NULL
        );
        CREATE TABLE profile (
            account TEXT NOT NULL REFERENCES account (id),
            id TEXT NOT NULL,
            place BIGINT NOT NULL,
            name TEXT NOT NULL,
            avatar TEXT NOT NULL,
            kids BIGINT NOT NULL,
            maturity_limit BIGINT NOT NULL,
            language TEXT NOT NULL,
            audio_language TEXT NOT NULL,
            subtitle_language TEXT NOT NULL,
            autoplay_next BIGINT NOT NULL,
            PRIMARY KEY (account, id)
        );
        CREATE TABLE device (
            account TEXT NOT NULL REFERENCES account (id),
            id TEXT NOT NULL,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            profile TEXT,
            signed_in_us BIGINT NOT NULL,
            last_seen_us BIGINT NOT NULL,
            family TEXT NOT NULL UNIQUE,
            current_turn TEXT NOT NULL,
            previous_turn TEXT,
            salt TEXT,
            turned_us BIGINT NOT NULL,
            expires_us BIGINT NOT NULL,
            replaced_family TEXT,
            PRIMARY KEY (account, id)
        );
        CREATE INDEX device_replaced ON device (replaced_family);
        CREATE INDEX device_expires ON device (expires_us);
        CREATE TABLE identity (
            provider TEXT NOT NULL,
            subject TEXT NOT NULL,
            account TEXT NOT NULL REFERENCES account (id),
            linked_us BIGINT NOT NULL,
            PRIMARY KEY (provider, subject)
        );
        CREATE INDEX identity_account ON identity (account);
        CREATE TABLE ticket (
            hash TEXT PRIMARY KEY,
            account TEXT NOT NULL REFERENCES account (id),
            kind TEXT NOT NULL,
            made_us BIGINT NOT NULL,
            expires_us BIGINT NOT NULL
        );
        CREATE INDEX ticket_account ON ticket (account, kind, made_us);
        CREATE INDEX ticket_expires ON ticket (expires_us);
        CREATE TABLE reset_request (address TEXT PRIMARY KEY, asked_us BIGINT NOT NULL);
        CREATE INDEX reset_request_order ON reset_request (asked_us);
        CREATE TABLE device_code (
            device_hash TEXT PRIMARY KEY,
            user_code TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            state TEXT NOT NULL,
            account TEXT REFERENCES account (id),
            profile TEXT,
            expires_us BIGINT NOT NULL,
            interval_us BIGINT NOT NULL,
            polled_us BIGINT
        );
        CREATE INDEX device_code_account ON device_code (account);
        CREATE INDEX device_code_expires ON device_code (expires_us);
        CREATE TABLE flow (
            state TEXT PRIMARY KEY,
            provider TEXT NOT NULL,
            binding TEXT NOT NULL,
            nonce TEXT NOT NULL,
            verifier TEXT NOT NULL,
            redirect_uri TEXT NOT NULL,
            expires_us BIGINT NOT NULL
        );
        CREATE INDEX flow_expires ON flow (expires_us);
        CREATE TABLE mail (
            id TEXT PRIMARY KEY,
            account TEXT NOT NULL REFERENCES account (id),
            email TEXT NOT NULL,
            subject TEXT NOT NULL,
            text TEXT NOT NULL,
            html TEXT NOT NULL,
            written_us BIGINT NOT NULL,
            until_us BIGINT NOT NULL,
            due_us BIGINT NOT NULL,
            tries BIGINT NOT NULL
        );
        CREATE INDEX mail_account ON mail (account);
        CREATE INDEX mail_due ON mail (due_us);
        CREATE TABLE announcement (
            seq BIGINT PRIMARY KEY,
            account TEXT NOT NULL,
            what TEXT NOT NULL,
            detail TEXT NOT NULL,
            at_us BIGINT NOT NULL
        );
        CREATE TABLE announcement_seq (one BIGINT PRIMARY KEY CHECK (one = 1), next BIGINT NOT NULL);
        INSERT INTO announcement_seq (one, next) VALUES (1, 1);
    ",
}];

/// The adapter.
#[derive(Debug, Clone)]
pub struct SqliteAccounts(Database);

impl SqliteAccounts {
    /// Opens the file, making it and its tables where they are not there.
    pub async fn open(path: &Path) -> Result<Self, AccountsError> {
        Ok(Self(sql::open(path, &MIGRATIONS).await?))
    }
}

/// Keeps news until they are heard, within the transaction of what they tell.
async fn announce(step: &mut SqliteConnection, account: &str, news: &News, at_us: i64) -> Result<(), AccountsError> {
    let (what, detail) = match news {
        News::Made(territory) => ("made", territory.clone()),
        News::Deleted(profiles) => ("deleted", profiles.join(" ")),
        News::ProfileDeleted(profile) => ("profile_deleted", profile.clone()),
    };
    let seq: i64 = sqlx::query_scalar("UPDATE announcement_seq SET next = next + 1 WHERE one = 1 RETURNING next")
        .fetch_one(&mut *step)
        .await?;
    sqlx::query("INSERT INTO announcement (seq, account, what, detail, at_us) VALUES ($1, $2, $3, $4, $5)")
        .bind(seq)
        .bind(account)
        .bind(what)
        .bind(detail)
        .bind(at_us)
        .execute(step)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row};

    use super::*;

    /// What is asked for with each request, by a million accounts.
    const ASKED: [&str; 14] = [
        "SELECT * FROM account WHERE id = $1",
        "SELECT * FROM account WHERE address = $1",
        "SELECT * FROM account WHERE address >= $1 AND address < $2 AND address > $3 ORDER BY address LIMIT $4",
        "SELECT * FROM profile WHERE account = $1 ORDER BY place, id",
        "SELECT * FROM device WHERE family = $1",
        "SELECT turned_us FROM device WHERE replaced_family = $1",
        "SELECT * FROM device WHERE account = $1 ORDER BY last_seen_us DESC, id",
        "SELECT account FROM identity WHERE provider = $1 AND subject = $2",
        "SELECT account FROM ticket WHERE hash = $1 AND kind = $2 AND expires_us > $3",
        "SELECT MAX(made_us) FROM ticket WHERE account = $1 AND kind = $2",
        "SELECT * FROM device_code WHERE device_hash = $1 AND expires_us > $2",
        "SELECT * FROM mail WHERE due_us <= $1 ORDER BY due_us LIMIT $2",
        "SELECT address FROM reset_request ORDER BY asked_us LIMIT $1",
        "SELECT account, id FROM device WHERE expires_us <= $1 ORDER BY expires_us LIMIT $2",
    ];

    #[tokio::test]
    async fn nothing_reads_through_all_accounts() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteAccounts::open(&folder.path().join("accounts.db")).await.unwrap();
        for asked in ASKED {
            let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {asked}")));
            let rows = plan.fetch_all(&store.0.reader).await.unwrap();
            let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
            let by_index = steps.iter().any(|step| step.contains("USING") && step.contains("INDEX"));
            assert!(by_index, "{asked}: {steps:?}");
            let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE"));
            assert!(!sorts || asked.contains("account = $1"), "{asked} sorts more than one account's: {steps:?}");
        }
    }
}
