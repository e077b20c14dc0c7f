//! Links in mails and requests for them, in SQL.

use async_trait::async_trait;
use matinee_model::ids::AccountId;
use sqlx::{Row, SqliteConnection};

use super::{SqliteAccounts, outbox, rows};
use crate::error::AccountsError;
use crate::mail::Mail;
use crate::store::{Ticket, TicketKind, Tickets};

/// Tickets of one kind that are good at once.
const MOST: i64 = 5;

#[async_trait]
impl Tickets for SqliteAccounts {
    #[tracing::instrument(level = "info", name = "store.issue_ticket", skip_all)]
    async fn issue(
        &self,
        account: &AccountId,
        ticket: &Ticket,
        mail: &Mail,
        spacing_us: i64,
    ) -> Result<(), AccountsError> {
        let mut step = self.0.begin().await?;
        rows::known(&mut step, account).await?;
        let last: Option<i64> = sqlx::query_scalar("SELECT MAX(made_us) FROM ticket WHERE account = $1 AND kind = $2")
            .bind(account.as_str())
            .bind(rows::kind_text(ticket.kind))
            .fetch_one(&mut *step)
            .await?;
        // Either way: a clock that was set back is no reason to send none.
        if last.is_some_and(|last| ticket.made_us.abs_diff(last) < spacing_us.unsigned_abs()) {
            return Ok(());
        }
        insert(&mut step, account, ticket).await?;
        sqlx::query(
            "DELETE FROM ticket WHERE account = $1 AND kind = $2 AND hash NOT IN
                 (SELECT hash FROM ticket WHERE account = $1 AND kind = $2 ORDER BY made_us DESC LIMIT $3)",
        )
        .bind(account.as_str())
        .bind(rows::kind_text(ticket.kind))
        .bind(MOST)
        .execute(&mut *step)
        .await?;
        outbox::queue(&mut step, mail).await?;
        step.commit().await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.ticket", skip_all)]
    async fn ticket(&self, hash: &str, kind: TicketKind, now_us: i64) -> Result<Option<AccountId>, AccountsError> {
        let mut reader = self.0.reader.acquire().await?;
        holder(&mut reader, hash, kind, now_us).await
    }

    #[tracing::instrument(level = "info", name = "store.verify_email", skip_all)]
    async fn verify(&self, hash: &str, now_us: i64) -> Result<(), AccountsError> {
        let mut step = self.0.begin().await?;
        let account = holder(&mut step, hash, TicketKind::Verify, now_us).await?;
        let account = account.ok_or(AccountsError::UnknownLink)?;
        sqlx::query("DELETE FROM ticket WHERE account = $1 AND kind = $2")
            .bind(account.as_str())
            .bind(rows::kind_text(TicketKind::Verify))
            .execute(&mut *step)
            .await?;
        confirm(&mut step, &account, now_us).await?;
        step.commit().await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.reset_password", skip_all)]
    async fn reset(&self, hash: &str, password: &str, mail: &Mail, now_us: i64) -> Result<(), AccountsError> {
        let mut step = self.0.begin().await?;
        let account = holder(&mut step, hash, TicketKind::Reset, now_us).await?;
        let account = account.ok_or(AccountsError::UnknownLink)?;
        use_up_resets(&mut step, &account).await?;
        sqlx::query("UPDATE account SET password = $2, revision = revision + 1 WHERE id = $1")
            .bind(account.as_str())
            .bind(password)
            .execute(&mut *step)
            .await?;
        // Who reads the mails of an address owns it.
        confirm(&mut step, &account, now_us).await?;
        sqlx::query("DELETE FROM device WHERE account = $1").bind(account.as_str()).execute(&mut *step).await?;
        sqlx::query("DELETE FROM device_code WHERE account = $1").bind(account.as_str()).execute(&mut *step).await?;
        outbox::queue(&mut step, mail).await?;
        step.commit().await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.ask_reset", skip_all)]
    async fn ask_reset(&self, key: &str, now_us: i64) -> Result<(), AccountsError> {
        sqlx::query("INSERT INTO reset_request (address, asked_us) VALUES ($1, $2) ON CONFLICT (address) DO NOTHING")
            .bind(key)
            .bind(now_us)
            .execute(&self.0.writer)
            .await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.asked_resets", skip_all)]
    async fn asked_resets(&self, most: u32) -> Result<Vec<String>, AccountsError> {
        let addresses = sqlx::query_scalar("SELECT address FROM reset_request ORDER BY asked_us LIMIT $1")
            .bind(i64::from(most))
            .fetch_all(&self.0.reader)
            .await?;
        Ok(addresses)
    }

    #[tracing::instrument(level = "info", name = "store.answered_reset", skip_all)]
    async fn answered_reset(&self, key: &str) -> Result<(), AccountsError> {
        sqlx::query("DELETE FROM reset_request WHERE address = $1").bind(key).execute(&self.0.writer).await?;
        Ok(())
    }
}

async fn holder(
    connection: &mut SqliteConnection,
    hash: &str,
    kind: TicketKind,
    now_us: i64,
) -> Result<Option<AccountId>, AccountsError> {
    let row = sqlx::query("SELECT account FROM ticket WHERE hash = $1 AND kind = $2 AND expires_us > $3")
        .bind(hash)
        .bind(rows::kind_text(kind))
        .bind(now_us)
        .fetch_optional(connection)
        .await?;
    row.map(|row| rows::account_id(&row.try_get::<String, _>("account")?)).transpose()
}

/// Mails arrive at the account's address.
async fn confirm(step: &mut SqliteConnection, account: &AccountId, now_us: i64) -> Result<(), AccountsError> {
    sqlx::query("UPDATE account SET verified_us = $2, revision = revision + 1 WHERE id = $1 AND verified_us IS NULL")
        .bind(account.as_str())
        .bind(now_us)
        .execute(step)
        .await?;
    Ok(())
}

/// No link that was sent before chooses a password any more.
pub(super) async fn use_up_resets(step: &mut SqliteConnection, account: &AccountId) -> Result<(), AccountsError> {
    sqlx::query("DELETE FROM ticket WHERE account = $1 AND kind = $2")
        .bind(account.as_str())
        .bind(rows::kind_text(TicketKind::Reset))
        .execute(step)
        .await?;
    Ok(())
}

pub(super) async fn insert(
    step: &mut SqliteConnection,
    account: &AccountId,
    ticket: &Ticket,
) -> Result<(), AccountsError> {
    sqlx::query("INSERT INTO ticket (hash, account, kind, made_us, expires_us) VALUES ($1, $2, $3, $4, $5)")
        .bind(&ticket.hash)
        .bind(account.as_str())
        .bind(rows::kind_text(ticket.kind))
        .bind(ticket.made_us)
        .bind(ticket.expires_us)
        .execute(step)
        .await?;
    Ok(())
}
