//! What waits to leave and what has had its time, in SQL.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{SqliteAccounts, rows};
use crate::error::AccountsError;
use crate::mail::Mail;
use crate::store::{Announcement, News, Outbox};

/// What has had its time. Batches, so that nobody waits for long behind one.
const SWEPT: [&str; 4] = [
    "DELETE FROM device WHERE (account, id) IN
         (SELECT account, id FROM device WHERE expires_us <= $1 ORDER BY expires_us LIMIT $2)",
    "DELETE FROM ticket WHERE hash IN (SELECT hash FROM ticket WHERE expires_us <= $1 ORDER BY expires_us LIMIT $2)",
    "DELETE FROM device_code WHERE device_hash IN
         (SELECT device_hash FROM device_code WHERE expires_us <= $1 ORDER BY expires_us LIMIT $2)",
    "DELETE FROM flow WHERE state IN (SELECT state FROM flow WHERE expires_us <= $1 ORDER BY expires_us LIMIT $2)",
];

#[async_trait]
impl Outbox for SqliteAccounts {
    #[tracing::instrument(level = "info", name = "store.due_mails", skip_all)]
    async fn due_mails(&self, now_us: i64, most: u32) -> Result<Vec<(Mail, u32)>, AccountsError> {
        let rows = sqlx::query("SELECT * FROM mail WHERE due_us <= $1 ORDER BY due_us LIMIT $2")
            .bind(now_us)
            .bind(i64::from(most))
            .fetch_all(&self.0.reader)
            .await?;
        let mail = |row: &SqliteRow| {
            let tries: i64 = row.try_get("tries")?;
            Ok((rows::mail(row)?, u32::try_from(tries).unwrap_or(u32::MAX)))
        };
        rows.iter().map(mail).collect()
    }

    #[tracing::instrument(level = "info", name = "store.forget_mail", skip_all)]
    async fn forget_mail(&self, id: &str) -> Result<(), AccountsError> {
        sqlx::query("DELETE FROM mail WHERE id = $1").bind(id).execute(&self.0.writer).await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.put_off_mail", skip_all)]
    async fn put_off_mail(&self, id: &str, due_us: i64) -> Result<(), AccountsError> {
        sqlx::query("UPDATE mail SET tries = tries + 1, due_us = $2 WHERE id = $1")
            .bind(id)
            .bind(due_us)
            .execute(&self.0.writer)
            .await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.unannounced", skip_all)]
    async fn unannounced(&self, most: u32) -> Result<Vec<Announcement>, AccountsError> {
        let rows = sqlx::query("SELECT * FROM announcement ORDER BY seq LIMIT $1")
            .bind(i64::from(most))
            .fetch_all(&self.0.reader)
            .await?;
        rows.iter().map(announcement).collect()
    }

    #[tracing::instrument(level = "info", name = "store.announced", skip_all)]
    async fn announced(&self, seq: i64) -> Result<(), AccountsError> {
        sqlx::query("DELETE FROM announcement WHERE seq <= $1").bind(seq).execute(&self.0.writer).await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.sweep", skip_all)]
    async fn sweep(&self, now_us: i64, most: u32) -> Result<u64, AccountsError> {
        let mut swept = 0;
        for statement in SWEPT {
            let gone = sqlx::query(statement).bind(now_us).bind(i64::from(most)).execute(&self.0.writer).await?;
            swept += gone.rows_affected();
        }
        Ok(swept)
    }
}

fn announcement(row: &SqliteRow) -> Result<Announcement, AccountsError> {
    let detail: String = row.try_get("detail")?;
    let account: String = row.try_get("account")?;
    let news = match row.try_get::<String, _>("what")?.as_str() {
        "made" => News::Made(detail),
        "deleted" => News::Deleted(detail.split_whitespace().map(str::to_owned).collect()),
        "profile_deleted" => News::ProfileDeleted(detail),
        other => return Err(AccountsError::damaged(&account, format!("an announcement of {other:?}"))),
    };
    Ok(Announcement { seq: row.try_get("seq")?, account, news, at_us: row.try_get("at_us")? })
}

/// Queues a mail, within the transaction of what it is about.
pub(super) async fn queue(step: &mut SqliteConnection, mail: &Mail) -> Result<(), AccountsError> {
    sqlx::query(
        "INSERT INTO mail (id, account, email, subject, text, html, written_us, until_us, due_us, tries)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, 0)",
    )
    .bind(&mail.id)
    .bind(mail.account.as_str())
    .bind(mail.to.as_str())
    .bind(&mail.subject)
    .bind(&mail.text)
    .bind(&mail.html)
    .bind(mail.written_us)
    .bind(mail.until_us)
    .execute(step)
    .await?;
    Ok(())
}
