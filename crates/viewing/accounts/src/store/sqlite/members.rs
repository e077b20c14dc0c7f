//! Accounts, in SQL.

use async_trait::async_trait;
use matinee_model::ids::{AccountId, DeviceId};
use sqlx::{Row, SqliteConnection};

use super::{SqliteAccounts, announce, devices, outbox, profiles, rows, tickets};
use crate::account::{Account, Role};
use crate::error::AccountsError;
use crate::mail::Mail;
use crate::store::{Change, Credentials, Identity, Kept, Members, NewAccount, News};

/// All that hangs on an account.
const ERASED: [&str; 7] = [
    "DELETE FROM mail WHERE account = $1",
    "DELETE FROM ticket WHERE account = $1",
    "DELETE FROM identity WHERE account = $1",
    "DELETE FROM device_code WHERE account = $1",
    "DELETE FROM device WHERE account = $1",
    "DELETE FROM profile WHERE account = $1",
    "DELETE FROM account WHERE id = $1",
];

impl SqliteAccounts {
    /// Adds many accounts at once, all or none: those of another service, or made up for a measurement.
    #[tracing::instrument(level = "info", name = "store.import_accounts", skip_all)]
    pub async fn import(&self, accounts: &[NewAccount]) -> Result<(), AccountsError> {
        let mut step = self.0.begin().await?;
        for new in accounts {
            insert(&mut step, new).await?;
        }
        step.commit().await?;
        Ok(())
    }
}

#[async_trait]
impl Members for SqliteAccounts {
    #[tracing::instrument(level = "info", name = "store.add_account", skip_all)]
    async fn add(&self, new: &NewAccount) -> Result<(), AccountsError> {
        let mut step = self.0.begin().await?;
        insert(&mut step, new).await?;
        step.commit().await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.account", skip_all)]
    async fn account(&self, id: &AccountId) -> Result<Account, AccountsError> {
        let mut reader = self.0.reader.acquire().await?;
        Ok(rows::known(&mut reader, id).await?.account)
    }

    #[tracing::instrument(level = "info", name = "store.credentials", skip_all)]
    async fn credentials(&self, id: &AccountId) -> Result<Credentials, AccountsError> {
        let mut reader = self.0.reader.acquire().await?;
        rows::known(&mut reader, id).await
    }

    #[tracing::instrument(level = "info", name = "store.credentials_by_email", skip_all)]
    async fn credentials_by_email(&self, key: &str) -> Result<Option<Credentials>, AccountsError> {
        let row =
            sqlx::query("SELECT * FROM account WHERE address = $1").bind(key).fetch_optional(&self.0.reader).await?;
        row.as_ref().map(rows::credentials).transpose()
    }

    #[tracing::instrument(level = "info", name = "store.list_accounts", skip_all)]
    async fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<Account>, AccountsError> {
        // A range of the index, where LIKE would read every row. Addresses are ASCII: nothing in one is above "~".
        let rows = sqlx::query(
            "SELECT * FROM account WHERE address >= $1 AND address < $2 AND address > $3 ORDER BY address LIMIT $4",
        )
        .bind(prefix)
        .bind(format!("{prefix}\u{7f}"))
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.0.reader)
        .await?;
        rows.iter().map(|row| Ok(rows::credentials(row)?.account)).collect()
    }

    #[tracing::instrument(level = "info", name = "store.change_account", skip_all)]
    async fn change(&self, id: &AccountId, change: &Change) -> Result<Account, AccountsError> {
        let mut step = self.0.begin().await?;
        let before = rows::known(&mut step, id).await?.account;
        let territory = change.territory.unwrap_or(before.territory);
        let language = change.language.as_ref().unwrap_or(&before.language);
        let roles = change.roles.as_ref().unwrap_or(&before.roles);
        if (territory, language, roles) == (before.territory, &before.language, &before.roles) {
            return Ok(before);
        }
        let row = sqlx::query(
            "UPDATE account SET territory = $2, language = $3, roles = $4, revision = revision + 1
             WHERE id = $1 RETURNING *",
        )
        .bind(id.as_str())
        .bind(territory.as_str())
        .bind(language)
        .bind(roles_text(roles))
        .fetch_one(&mut *step)
        .await?;
        let account = rows::credentials(&row)?.account;
        step.commit().await?;
        Ok(account)
    }

    #[tracing::instrument(level = "info", name = "store.set_password", skip_all)]
    async fn set_password(
        &self,
        id: &AccountId,
        hash: &str,
        stays: Option<&DeviceId>,
        mail: &Mail,
    ) -> Result<(), AccountsError> {
        let mut step = self.0.begin().await?;
        rows::known(&mut step, id).await?;
        sqlx::query("UPDATE account SET password = $2, revision = revision + 1 WHERE id = $1")
            .bind(id.as_str())
            .bind(hash)
            .execute(&mut *step)
            .await?;
        sqlx::query("DELETE FROM device WHERE account = $1 AND id <> $2")
            .bind(id.as_str())
            .bind(stays.map_or("", DeviceId::as_str))
            .execute(&mut *step)
            .await?;
        tickets::use_up_resets(&mut step, id).await?;
        outbox::queue(&mut step, mail).await?;
        step.commit().await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.rehash", skip_all)]
    async fn rehash(&self, id: &AccountId, from: &str, to: &str) -> Result<(), AccountsError> {
        sqlx::query("UPDATE account SET password = $3 WHERE id = $1 AND password = $2")
            .bind(id.as_str())
            .bind(from)
            .bind(to)
            .execute(&self.0.writer)
            .await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.kept", skip_all)]
    async fn kept(&self, id: &AccountId) -> Result<Kept, AccountsError> {
        // One transaction: all as it was at one moment.
        let mut reader = self.0.reader.begin().await?;
        let account = rows::known(&mut reader, id).await?.account;
        let profiles = profiles::of(&mut reader, id).await?;
        let devices = devices::of(&mut reader, id).await?;
        let tickets = sqlx::query("SELECT * FROM ticket WHERE account = $1 ORDER BY made_us")
            .bind(id.as_str())
            .fetch_all(&mut *reader)
            .await?;
        let mails = sqlx::query("SELECT * FROM mail WHERE account = $1 ORDER BY written_us")
            .bind(id.as_str())
            .fetch_all(&mut *reader)
            .await?;
        let identities = sqlx::query("SELECT provider, subject, linked_us FROM identity WHERE account = $1")
            .bind(id.as_str())
            .fetch_all(&mut *reader)
            .await?;
        let identity = |row: &sqlx::sqlite::SqliteRow| {
            let identity = Identity { provider: row.try_get("provider")?, subject: row.try_get("subject")? };
            Ok::<_, AccountsError>((identity, row.try_get("linked_us")?))
        };
        Ok(Kept {
            account,
            profiles,
            devices,
            identities: identities.iter().map(identity).collect::<Result<_, _>>()?,
            tickets: tickets.iter().map(rows::ticket).collect::<Result<_, _>>()?,
            mails: mails.iter().map(rows::mail).collect::<Result<_, _>>()?,
        })
    }

    #[tracing::instrument(level = "info", name = "store.erase_account", skip_all)]
    async fn erase(&self, id: &AccountId, now_us: i64) -> Result<(), AccountsError> {
        let mut step = self.0.begin().await?;
        let address = rows::known(&mut step, id).await?.account.email;
        let profiles = profiles::of(&mut step, id).await?;
        for statement in ERASED {
            sqlx::query(statement).bind(id.as_str()).execute(&mut *step).await?;
        }
        sqlx::query("DELETE FROM reset_request WHERE address = $1").bind(address.key()).execute(&mut *step).await?;
        let news = News::Deleted(profiles.into_iter().map(|profile| profile.id.into()).collect());
        announce(&mut step, id.as_str(), &news, now_us).await?;
        step.commit().await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.by_identity", skip_all)]
    async fn by_identity(&self, identity: &Identity) -> Result<Option<AccountId>, AccountsError> {
        let id: Option<String> =
            sqlx::query_scalar("SELECT account FROM identity WHERE provider = $1 AND subject = $2")
                .bind(&identity.provider)
                .bind(&identity.subject)
                .fetch_optional(&self.0.reader)
                .await?;
        id.as_deref().map(rows::account_id).transpose()
    }

    #[tracing::instrument(level = "info", name = "store.link_identity", skip_all)]
    async fn link(&self, id: &AccountId, identity: &Identity, now_us: i64) -> Result<(), AccountsError> {
        let mut step = self.0.begin().await?;
        let account = rows::known(&mut step, id).await?.account;
        if account.verified_us.is_none() {
            sqlx::query("UPDATE account SET verified_us = $2, password = NULL, revision = revision + 1 WHERE id = $1")
                .bind(id.as_str())
                .bind(now_us)
                .execute(&mut *step)
                .await?;
            for statement in [
                "DELETE FROM device WHERE account = $1",
                "DELETE FROM ticket WHERE account = $1",
                "DELETE FROM identity WHERE account = $1",
                "DELETE FROM device_code WHERE account = $1",
            ] {
                sqlx::query(statement).bind(id.as_str()).execute(&mut *step).await?;
            }
        }
        insert_identity(&mut step, id, identity, now_us).await?;
        step.commit().await?;
        Ok(())
    }
}

/// An account with all that comes to be with it.
async fn insert(step: &mut SqliteConnection, new: &NewAccount) -> Result<(), AccountsError> {
    let account = &new.account;
    let added = sqlx::query(
        "INSERT INTO account
             (id, address, email, verified_us, password, territory, language, roles, created_us, revision)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1) ON CONFLICT (address) DO NOTHING",
    )
    .bind(account.id.as_str())
    .bind(account.email.key())
    .bind(account.email.as_str())
    .bind(account.verified_us)
    .bind(&new.password)
    .bind(account.territory.as_str())
    .bind(&account.language)
    .bind(roles_text(&account.roles))
    .bind(account.created_us)
    .execute(&mut *step)
    .await?;
    if added.rows_affected() == 0 {
        return Err(AccountsError::AddressTaken);
    }
    profiles::insert(step, &account.id, &new.profile, 0).await?;
    devices::insert(step, &account.id, &new.device).await?;
    if let Some(identity) = &new.identity {
        insert_identity(step, &account.id, identity, account.created_us).await?;
    }
    if let Some((ticket, mail)) = &new.verification {
        tickets::insert(step, &account.id, ticket).await?;
        outbox::queue(step, mail).await?;
    }
    let news = News::Made(account.territory.as_str().to_owned());
    announce(step, account.id.as_str(), &news, account.created_us).await?;
    Ok(())
}

async fn insert_identity(
    step: &mut SqliteConnection,
    account: &AccountId,
    identity: &Identity,
    now_us: i64,
) -> Result<(), AccountsError> {
    sqlx::query(
        "INSERT INTO identity (provider, subject, account, linked_us) VALUES ($1, $2, $3, $4)
         ON CONFLICT (provider, subject) DO NOTHING",
    )
    .bind(&identity.provider)
    .bind(&identity.subject)
    .bind(account.as_str())
    .bind(now_us)
    .execute(step)
    .await?;
    Ok(())
}

fn roles_text(roles: &[Role]) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" ")
}
