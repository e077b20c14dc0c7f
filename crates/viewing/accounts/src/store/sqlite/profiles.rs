//! Profiles, in SQL.

use async_trait::async_trait;
use matinee_model::ids::{AccountId, ProfileId};
use sqlx::{Row, SqliteConnection};

use super::{SqliteAccounts, announce, rows};
use crate::account::{MOST_PROFILES, Profile};
use crate::error::AccountsError;
use crate::store::{News, Profiles};

#[async_trait]
impl Profiles for SqliteAccounts {
    #[tracing::instrument(level = "info", name = "store.profiles", skip_all)]
    async fn profiles(&self, account: &AccountId) -> Result<Vec<Profile>, AccountsError> {
        let mut reader = self.0.reader.acquire().await?;
        of(&mut reader, account).await
    }

    #[tracing::instrument(level = "info", name = "store.add_profile", skip_all)]
    async fn add_profile(&self, account: &AccountId, profile: &Profile) -> Result<(), AccountsError> {
        let mut step = self.0.begin().await?;
        rows::known(&mut step, account).await?;
        let others = of(&mut step, account).await?;
        named_once(&others, profile)?;
        if others.len() >= MOST_PROFILES {
            return Err(AccountsError::TooManyProfiles(MOST_PROFILES));
        }
        let place: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(place), 0) + 1 FROM profile WHERE account = $1")
            .bind(account.as_str())
            .fetch_one(&mut *step)
            .await?;
        insert(&mut step, account, profile, place).await?;
        step.commit().await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.change_profile", skip_all)]
    async fn change_profile(&self, account: &AccountId, profile: &Profile) -> Result<(), AccountsError> {
        let mut step = self.0.begin().await?;
        rows::known(&mut step, account).await?;
        let all = of(&mut step, account).await?;
        let before = all.iter().find(|other| other.id == profile.id);
        if before.ok_or_else(|| AccountsError::UnknownProfile(profile.id.clone()))? == profile {
            return Ok(());
        }
        named_once(&all, profile)?;
        sqlx::query(
            "UPDATE profile SET name = $3, avatar = $4, kids = $5, maturity_limit = $6, language = $7,
                 audio_language = $8, subtitle_language = $9, autoplay_next = $10
             WHERE account = $1 AND id = $2",
        )
        .bind(account.as_str())
        .bind(profile.id.as_str())
        .bind(&profile.name)
        .bind(&profile.avatar)
        .bind(i64::from(profile.kids))
        .bind(i64::from(profile.maturity_limit))
        .bind(&profile.language)
        .bind(&profile.audio_language)
        .bind(&profile.subtitle_language)
        .bind(i64::from(profile.autoplay_next))
        .execute(&mut *step)
        .await?;
        step.commit().await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.delete_profile", skip_all)]
    async fn delete_profile(&self, account: &AccountId, id: &ProfileId, now_us: i64) -> Result<(), AccountsError> {
        let mut step = self.0.begin().await?;
        rows::known(&mut step, account).await?;
        let all = of(&mut step, account).await?;
        if !all.iter().any(|profile| profile.id == *id) {
            return Err(AccountsError::UnknownProfile(id.clone()));
        }
        if all.len() == 1 {
            return Err(AccountsError::LastProfile);
        }
        for statement in [
            "DELETE FROM profile WHERE account = $1 AND id = $2",
            "UPDATE device SET profile = NULL WHERE account = $1 AND profile = $2",
            "UPDATE device_code SET profile = NULL WHERE account = $1 AND profile = $2",
        ] {
            sqlx::query(statement).bind(account.as_str()).bind(id.as_str()).execute(&mut *step).await?;
        }
        announce(&mut step, account.as_str(), &News::ProfileDeleted(id.as_str().to_owned()), now_us).await?;
        step.commit().await?;
        Ok(())
    }
}

/// Those of an account, the oldest first.
pub(super) async fn of(connection: &mut SqliteConnection, account: &AccountId) -> Result<Vec<Profile>, AccountsError> {
    let rows = sqlx::query("SELECT * FROM profile WHERE account = $1 ORDER BY place, id")
        .bind(account.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(rows::profile).collect()
}

/// Whether the account has it.
pub(super) async fn has(step: &mut SqliteConnection, account: &AccountId, id: &ProfileId) -> Result<(), AccountsError> {
    let row = sqlx::query("SELECT 1 AS one FROM profile WHERE account = $1 AND id = $2")
        .bind(account.as_str())
        .bind(id.as_str())
        .fetch_optional(step)
        .await?;
    row.map(|row| row.len()).map(|_| ()).ok_or_else(|| AccountsError::UnknownProfile(id.clone()))
}

pub(super) async fn insert(
    step: &mut SqliteConnection,
    account: &AccountId,
    profile: &Profile,
    place: i64,
) -> Result<(), AccountsError> {
    sqlx::query(
        "INSERT INTO profile (account, id, place, name, avatar, kids, maturity_limit, language, audio_language,
             subtitle_language, autoplay_next)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(account.as_str())
    .bind(profile.id.as_str())
    .bind(place)
    .bind(&profile.name)
    .bind(&profile.avatar)
    .bind(i64::from(profile.kids))
    .bind(i64::from(profile.maturity_limit))
    .bind(&profile.language)
    .bind(&profile.audio_language)
    .bind(&profile.subtitle_language)
    .bind(i64::from(profile.autoplay_next))
    .execute(step)
    .await?;
    Ok(())
}

/// A name stands for one: a request to add it that is sent again adds no second.
fn named_once(all: &[Profile], profile: &Profile) -> Result<(), AccountsError> {
    let name = profile.name.to_lowercase();
    if all.iter().any(|other| other.id != profile.id && other.name.to_lowercase() == name) {
        return Err(AccountsError::field("profile.name", "another profile of the account has it"));
    }
    Ok(())
}
