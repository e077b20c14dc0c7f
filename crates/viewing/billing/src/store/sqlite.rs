//! The embedded store: one SQLite file. The SQL is the part that PostgreSQL and CockroachDB share.

use std::path::Path;

use async_trait::async_trait;
use matinee_engines::sql::{self, Database, Migration};
use matinee_model::ids::AccountId;
use matinee_model::money::Money;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::books::{account_of, damaged, invoice_of};
use super::{Announcement, BillingStore, Booked, Step, books, plans};
use crate::answer::Remembered;
use crate::customer::Customer;
use crate::error::BillingError;
use crate::intent::Intent;
use crate::invoice::Invoice;
use crate::plan::{Plan, PlanId};

/// `seq` of an announcement is the order of the changes over all accounts. What one account's decisions depend on stands
/// in one row, `customer.data`.
const MIGRATIONS: [Migration; 1] = [Migration {
    version: 1,
    name: "billing",
    sql: "
        CREATE TABLE plan (
            id TEXT NOT NULL,
            revision BIGINT NOT NULL,
            name TEXT NOT NULL,
            max_height BIGINT NOT NULL,
            streams BIGINT NOT NULL,
            trial_days BIGINT NOT NULL,
            offered BIGINT NOT NULL,
            rank BIGINT NOT NULL,
            made_us BIGINT NOT NULL,
            PRIMARY KEY (id, revision)
        );
        CREATE TABLE plan_price (
            plan TEXT NOT NULL,
            revision BIGINT NOT NULL,
            territory TEXT NOT NULL,
            minor BIGINT NOT NULL CHECK (minor >= 0),
            currency TEXT NOT NULL,
            PRIMARY KEY (plan, revision, territory)
        );
        CREATE TABLE customer (
            account TEXT PRIMARY KEY,
            revision BIGINT NOT NULL,
            due_us BIGINT,
            data TEXT NOT NULL
        );
        CREATE INDEX customer_due ON customer (due_us);
        CREATE TABLE intent (
            account TEXT NOT NULL,
            id TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
            minor BIGINT NOT NULL CHECK (minor > 0),
            currency TEXT NOT NULL,
            made_us BIGINT NOT NULL,
            data TEXT NOT NULL,
            PRIMARY KEY (account, id)
        );
        CREATE INDEX intent_state ON intent (state, id);
        CREATE TABLE answer (
            account TEXT NOT NULL,
            idempotency_key TEXT NOT NULL,
            hash TEXT NOT NULL,
            intent TEXT,
            answer TEXT,
            at_us BIGINT NOT NULL,
            PRIMARY KEY (account, idempotency_key)
        );
        CREATE INDEX answer_age ON answer (at_us);
        CREATE TABLE invoice (
            account TEXT NOT NULL,
            id TEXT NOT NULL UNIQUE,
            number TEXT NOT NULL UNIQUE,
            issued_us BIGINT NOT NULL,
            lines TEXT NOT NULL,
            total BIGINT NOT NULL CHECK (total > 0),
            paid BIGINT NOT NULL CHECK (paid >= 0 AND paid <= total),
            refunded BIGINT NOT NULL CHECK (refunded >= 0 AND refunded <= paid),
            currency TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('open', 'paid', 'void', 'refunded')),
            provider TEXT,
            payment TEXT,
            PRIMARY KEY (account, id)
        );
        CREATE TABLE invoice_series (year BIGINT PRIMARY KEY, last BIGINT NOT NULL);
        CREATE TABLE ledger_transaction (
            account TEXT NOT NULL,
            id TEXT NOT NULL UNIQUE,
            at_us BIGINT NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (account, id)
        );
        CREATE INDEX ledger_transaction_order ON ledger_transaction (at_us, id);
        CREATE TABLE ledger_entry (
            account TEXT NOT NULL,
            transaction_id TEXT NOT NULL,
            place BIGINT NOT NULL,
            ledger_account TEXT NOT NULL,
            kind TEXT NOT NULL,
            minor BIGINT NOT NULL CHECK (minor <> 0),
            currency TEXT NOT NULL,
            PRIMARY KEY (account, transaction_id, place)
        );
        CREATE INDEX ledger_entry_kind ON ledger_entry (kind, currency, minor);
        CREATE TABLE webhook_event (
            provider TEXT NOT NULL,
            id TEXT NOT NULL,
            at_us BIGINT NOT NULL,
            PRIMARY KEY (provider, id)
        );
        CREATE INDEX webhook_event_age ON webhook_event (at_us);
        CREATE TABLE announcement (
            account TEXT NOT NULL,
            revision BIGINT NOT NULL,
            plan TEXT NOT NULL,
            state TEXT NOT NULL,
            until_us BIGINT NOT NULL,
            at_us BIGINT NOT NULL,
            seq BIGINT NOT NULL,
            PRIMARY KEY (account, revision)
        );
        CREATE INDEX announcement_order ON announcement (seq);
        CREATE TABLE announcement_seq (one BIGINT PRIMARY KEY CHECK (one = 1), next BIGINT NOT NULL);
        INSERT INTO announcement_seq (one, next) VALUES (1, 1);
    ",
}];

/// The adapter.
#[derive(Debug, Clone)]
pub struct SqliteBilling(Database);

impl SqliteBilling {
    /// Opens the file, making it and its tables where they are not there.
    pub async fn open(path: &Path) -> Result<Self, BillingError> {
        Ok(Self(sql::open(path, &MIGRATIONS).await?))
    }
}

#[async_trait]
impl BillingStore for SqliteBilling {
    #[tracing::instrument(level = "info", name = "store.plans", skip_all)]
    async fn plans(&self) -> Result<Vec<Plan>, BillingError> {
        let mut reader = self.0.reader.acquire().await?;
        plans::newest(&mut reader).await
    }

    #[tracing::instrument(level = "info", name = "store.plan", skip_all)]
    async fn plan(&self, id: &PlanId) -> Result<Plan, BillingError> {
        let mut reader = self.0.reader.acquire().await?;
        plans::find(&mut reader, id).await?.ok_or_else(|| BillingError::UnknownPlan(id.clone()))
    }

    #[tracing::instrument(level = "info", name = "store.put_plan", skip_all)]
    async fn put_plan(&self, plan: &Plan, expected: Option<u64>, now_us: i64) -> Result<Plan, BillingError> {
        let mut step = self.0.begin().await?;
        let before = plans::find(&mut step, &plan.id).await?;
        let current = before.as_ref().map_or(0, |plan| plan.revision);
        if let Some(expected) = expected.filter(|expected| *expected != current) {
            return Err(BillingError::Changed { plan: plan.id.clone(), current, expected });
        }
        let mut next = Plan { revision: current, ..plan.clone() };
        next.prices.sort_by_key(|price| price.reach.to_string());
        if before.as_ref() == Some(&next) {
            return Ok(next);
        }
        next.revision += 1;
        plans::add(&mut step, &next, now_us).await?;
        step.commit().await?;
        Ok(next)
    }

    #[tracing::instrument(level = "info", name = "store.customer", skip_all)]
    async fn customer(&self, account: &AccountId) -> Result<Option<Customer>, BillingError> {
        let row = sqlx::query("SELECT revision, data FROM customer WHERE account = $1")
            .bind(account.as_str())
            .fetch_optional(&self.0.reader)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut customer: Customer = serde_json::from_str(&row.try_get::<String, _>("data")?)?;
        customer.revision = u64::try_from(row.try_get::<i64, _>("revision")?).map_err(|error| damaged(&error))?;
        Ok(Some(customer))
    }

    #[tracing::instrument(level = "info", name = "store.commit", skip_all)]
    async fn commit(&self, change: &Step) -> Result<(), BillingError> {
        let account = &change.customer.account;
        let mut step = self.0.begin().await?;
        let revision = move_customer(&mut step, &change.customer).await?;
        if let Some((provider, event)) = &change.event
            && !note(&mut step, provider, event, change.at_us).await?
        {
            return Err(BillingError::Repeated);
        }
        for intent in &change.intents {
            write_intent(&mut step, intent).await?;
        }
        for invoice in &change.invoices {
            books::write(&mut step, invoice).await?;
        }
        for transaction in &change.transactions {
            books::book(&mut step, account, transaction, change.at_us).await?;
        }
        write_answers(&mut step, change).await?;
        if change.announced {
            announce(&mut step, change, revision).await?;
        }
        step.commit().await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.due", skip_all)]
    async fn due(&self, now_us: i64, after: &str, most: u32) -> Result<Vec<AccountId>, BillingError> {
        let rows =
            sqlx::query("SELECT account FROM customer WHERE due_us <= $1 AND account > $2 ORDER BY account LIMIT $3")
                .bind(now_us)
                .bind(after)
                .bind(i64::from(most))
                .fetch_all(&self.0.reader)
                .await?;
        rows.iter().map(account_of).collect()
    }

    #[tracing::instrument(level = "info", name = "store.under_way", skip_all)]
    async fn under_way(&self, made_us: i64, after: &str, most: u32) -> Result<Vec<Intent>, BillingError> {
        let rows = sqlx::query(
            "SELECT data FROM intent WHERE state = 'pending' AND id > $2 AND made_us <= $1 ORDER BY id LIMIT $3",
        )
        .bind(made_us)
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(&self.0.reader)
        .await?;
        rows.iter().map(intent_of).collect()
    }

    #[tracing::instrument(level = "info", name = "store.intent", skip_all)]
    async fn intent(&self, account: &AccountId, id: &str) -> Result<Option<Intent>, BillingError> {
        let row = sqlx::query("SELECT data FROM intent WHERE account = $1 AND id = $2")
            .bind(account.as_str())
            .bind(id)
            .fetch_optional(&self.0.reader)
            .await?;
        row.as_ref().map(intent_of).transpose()
    }

    #[tracing::instrument(level = "info", name = "store.remembered", skip_all)]
    async fn remembered(&self, account: &AccountId, key: &str) -> Result<Option<Remembered>, BillingError> {
        let row = sqlx::query("SELECT hash, intent, answer FROM answer WHERE account = $1 AND idempotency_key = $2")
            .bind(account.as_str())
            .bind(key)
            .fetch_optional(&self.0.reader)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let answer: Option<String> = row.try_get("answer")?;
        let answer = answer.map(|answer| serde_json::from_str(&answer)).transpose()?;
        Ok(Some(Remembered { hash: row.try_get("hash")?, intent: row.try_get("intent")?, answer }))
    }

    #[tracing::instrument(level = "info", name = "store.invoices", skip_all)]
    async fn invoices(&self, account: &AccountId, most: u32) -> Result<Vec<Invoice>, BillingError> {
        let rows =
            sqlx::query("SELECT * FROM invoice WHERE account = $1 ORDER BY issued_us DESC, number DESC LIMIT $2")
                .bind(account.as_str())
                .bind(i64::from(most))
                .fetch_all(&self.0.reader)
                .await?;
        rows.iter().map(invoice_of).collect()
    }

    #[tracing::instrument(level = "info", name = "store.invoice", skip_all)]
    async fn invoice(&self, id: &str) -> Result<Option<Invoice>, BillingError> {
        let row = sqlx::query("SELECT * FROM invoice WHERE id = $1").bind(id).fetch_optional(&self.0.reader).await?;
        row.as_ref().map(invoice_of).transpose()
    }

    #[tracing::instrument(level = "info", name = "store.booked", skip_all)]
    async fn booked(&self, account: Option<&AccountId>, after: &str, most: u32) -> Result<Vec<Booked>, BillingError> {
        let mut reader = self.0.reader.acquire().await?;
        books::booked(&mut reader, account, after, most).await
    }

    #[tracing::instrument(level = "info", name = "store.balances", skip_all)]
    async fn balances(&self, account: Option<&AccountId>) -> Result<Vec<(String, Money)>, BillingError> {
        let mut reader = self.0.reader.acquire().await?;
        books::balances(&mut reader, account).await
    }

    #[tracing::instrument(level = "info", name = "store.sums", skip_all)]
    async fn sums(&self) -> Result<Vec<Money>, BillingError> {
        let mut reader = self.0.reader.acquire().await?;
        books::sums(&mut reader).await
    }

    #[tracing::instrument(level = "info", name = "store.note_event", skip_all)]
    async fn note_event(&self, provider: &str, event: &str, now_us: i64) -> Result<bool, BillingError> {
        let mut step = self.0.begin().await?;
        let fresh = note(&mut step, provider, event, now_us).await?;
        step.commit().await?;
        Ok(fresh)
    }

    #[tracing::instrument(level = "info", name = "store.knows_event", skip_all)]
    async fn knows_event(&self, provider: &str, event: &str) -> Result<bool, BillingError> {
        let row = sqlx::query("SELECT id FROM webhook_event WHERE provider = $1 AND id = $2")
            .bind(provider)
            .bind(event)
            .fetch_optional(&self.0.reader)
            .await?;
        Ok(row.is_some())
    }

    #[tracing::instrument(level = "info", name = "store.forget", skip_all)]
    async fn forget(&self, before_us: i64, account: Option<&AccountId>) -> Result<(), BillingError> {
        let mut step = self.0.begin().await?;
        // A call whose payment is under way is still waited for.
        sqlx::query("DELETE FROM answer WHERE at_us < $1 AND answer IS NOT NULL")
            .bind(before_us)
            .execute(&mut *step)
            .await?;
        sqlx::query("DELETE FROM webhook_event WHERE at_us < $1").bind(before_us).execute(&mut *step).await?;
        if let Some(account) = account {
            sqlx::query("DELETE FROM answer WHERE account = $1").bind(account.as_str()).execute(&mut *step).await?;
            sqlx::query("DELETE FROM intent WHERE account = $1 AND state <> 'pending'")
                .bind(account.as_str())
                .execute(&mut *step)
                .await?;
        }
        step.commit().await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.unannounced", skip_all)]
    async fn unannounced(&self, most: u32) -> Result<Vec<Announcement>, BillingError> {
        let rows = sqlx::query("SELECT * FROM announcement ORDER BY seq LIMIT $1")
            .bind(i64::from(most))
            .fetch_all(&self.0.reader)
            .await?;
        let announcement = |row: &SqliteRow| {
            Ok(Announcement {
                account: account_of(row)?,
                plan: PlanId::parse("plan", &row.try_get::<String, _>("plan")?)?,
                state: row.try_get("state")?,
                until_us: row.try_get("until_us")?,
                at_us: row.try_get("at_us")?,
                revision: u64::try_from(row.try_get::<i64, _>("revision")?).map_err(|error| damaged(&error))?,
            })
        };
        rows.iter().map(announcement).collect()
    }

    #[tracing::instrument(level = "info", name = "store.announced", skip_all)]
    async fn announced(&self, announcement: &Announcement) -> Result<(), BillingError> {
        sqlx::query("DELETE FROM announcement WHERE account = $1 AND revision = $2")
            .bind(announcement.account.as_str())
            .bind(i64::try_from(announcement.revision).map_err(|error| damaged(&error))?)
            .execute(&self.0.writer)
            .await?;
        Ok(())
    }
}

fn intent_of(row: &SqliteRow) -> Result<Intent, BillingError> {
    Ok(serde_json::from_str(&row.try_get::<String, _>("data")?)?)
}

/// Writes the account where it is still at the revision at which it was read; the new one.
async fn move_customer(step: &mut SqliteConnection, customer: &Customer) -> Result<i64, BillingError> {
    let revision = i64::try_from(customer.revision).map_err(|error| damaged(&error))?;
    // While a payment is under way, nothing else falls due.
    let due = customer.subscription.as_ref().and_then(crate::subscription::Subscription::due_us);
    let due = due.filter(|_| customer.pending.is_none());
    let query = if revision == 0 {
        sqlx::query(
            "INSERT INTO customer (account, revision, due_us, data) VALUES ($1, $2 + 1, $3, $4)
             ON CONFLICT (account) DO NOTHING",
        )
    } else {
        sqlx::query(
            "UPDATE customer SET revision = $2 + 1, due_us = $3, data = $4 WHERE account = $1 AND revision = $2",
        )
    };
    let done = query
        .bind(customer.account.as_str())
        .bind(revision)
        .bind(due)
        .bind(serde_json::to_string(customer)?)
        .execute(step)
        .await?;
    if done.rows_affected() == 1 { Ok(revision + 1) } else { Err(BillingError::Raced) }
}

async fn note(step: &mut SqliteConnection, provider: &str, event: &str, now_us: i64) -> Result<bool, BillingError> {
    let done =
        sqlx::query("INSERT INTO webhook_event (provider, id, at_us) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(provider)
            .bind(event)
            .bind(now_us)
            .execute(step)
            .await?;
    Ok(done.rows_affected() == 1)
}

async fn write_intent(step: &mut SqliteConnection, intent: &Intent) -> Result<(), BillingError> {
    sqlx::query(
        "INSERT INTO intent (account, id, state, minor, currency, made_us, data) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (account, id) DO UPDATE SET state = excluded.state, data = excluded.data",
    )
    .bind(intent.account.as_str())
    .bind(&intent.id)
    .bind(intent.state.as_str())
    .bind(intent.amount.minor)
    .bind(intent.amount.currency.as_str())
    .bind(intent.made_us)
    .bind(serde_json::to_string(intent)?)
    .execute(step)
    .await?;
    Ok(())
}

async fn write_answers(step: &mut SqliteConnection, change: &Step) -> Result<(), BillingError> {
    let account = change.customer.account.as_str();
    if let Some((asked, intent, answer)) = &change.asked {
        sqlx::query(
            "INSERT INTO answer (account, idempotency_key, hash, intent, answer, at_us) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(account)
        .bind(&asked.key)
        .bind(&asked.hash)
        .bind(intent.as_deref())
        .bind(answer.as_ref().map(serde_json::to_string).transpose()?)
        .bind(change.at_us)
        .execute(&mut *step)
        .await?;
    }
    if let Some((key, answer)) = &change.answer {
        // The first answer stays: it was given already.
        sqlx::query("UPDATE answer SET answer = $3 WHERE account = $1 AND idempotency_key = $2 AND answer IS NULL")
            .bind(account)
            .bind(key)
            .bind(serde_json::to_string(answer)?)
            .execute(step)
            .await?;
    }
    Ok(())
}

async fn announce(step: &mut SqliteConnection, change: &Step, revision: i64) -> Result<(), BillingError> {
    let Some(subscription) = &change.customer.subscription else { return Ok(()) };
    let seq: i64 = sqlx::query_scalar("UPDATE announcement_seq SET next = next + 1 WHERE one = 1 RETURNING next")
        .fetch_one(&mut *step)
        .await?;
    sqlx::query(
        "INSERT INTO announcement (account, revision, plan, state, until_us, at_us, seq)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(change.customer.account.as_str())
    .bind(revision)
    .bind(subscription.terms.plan.as_str())
    .bind(subscription.word())
    .bind(subscription.until_us(change.at_us))
    .bind(change.at_us)
    .bind(seq)
    .execute(step)
    .await?;
    Ok(())
}
