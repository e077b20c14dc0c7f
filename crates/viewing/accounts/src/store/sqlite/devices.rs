//! Devices, in SQL.

use async_trait::async_trait;
use matinee_model::ids::{AccountId, DeviceId, ProfileId};
use sqlx::SqliteConnection;

use super::{SqliteAccounts, profiles, rows};
use crate::account::Device;
use crate::error::AccountsError;
use crate::refresh::{Presented, presented};
use crate::store::{Devices, NewDevice, RefreshKeys, Turn, Turned};

#[async_trait]
impl Devices for SqliteAccounts {
    #[tracing::instrument(level = "info", name = "store.sign_in", skip_all)]
    async fn sign_in(&self, account: &AccountId, new: &NewDevice, most: u32) -> Result<(), AccountsError> {
        let mut step = self.0.begin().await?;
        rows::known(&mut step, account).await?;
        admit(&mut step, account, new, most).await?;
        step.commit().await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.turn", skip_all)]
    async fn turn(&self, turn: &Turn) -> Result<Turned, AccountsError> {
        let mut step = self.0.begin().await?;
        let row =
            sqlx::query("SELECT * FROM device WHERE family = $1").bind(&turn.family).fetch_optional(&mut *step).await?;
        let Some(row) = row else {
            let replaced: Option<i64> = sqlx::query_scalar("SELECT turned_us FROM device WHERE replaced_family = $1")
                .bind(&turn.family)
                .fetch_optional(&mut *step)
                .await?;
            let lately = replaced.is_some_and(|at_us| turn.now_us < at_us.saturating_add(turn.grace_us));
            return Ok(if lately { Turned::Replaced } else { Turned::Unknown });
        };
        let (account, device) = rows::device(&row)?;
        let turns = rows::turns(&row)?;
        match presented(&turns, &turn.turn, turn.now_us, turn.grace_us) {
            Presented::Current => {
                let row = sqlx::query(
                    "UPDATE device SET previous_turn = current_turn, current_turn = $3, salt = $4, turned_us = $5,
                         last_seen_us = $5, expires_us = $6, replaced_family = NULL
                     WHERE account = $1 AND id = $2 RETURNING *",
                )
                .bind(account.as_str())
                .bind(device.id.as_str())
                .bind(&turn.next)
                .bind(&turn.salt)
                .bind(turn.now_us)
                .bind(turn.expires_us)
                .fetch_one(&mut *step)
                .await?;
                let (account, device) = rows::device(&row)?;
                step.commit().await?;
                Ok(Turned::Next(account, device))
            }
            Presented::Again(salt) => Ok(Turned::Again(account, device, salt, turns.expires_us)),
            Presented::Expired => Ok(Turned::Expired),
            Presented::Reused => {
                remove(&mut step, &account, &device.id).await?;
                step.commit().await?;
                tracing::warn!(%account, device = %device.id, "a used refresh token came again; its device is signed out");
                Ok(Turned::Reused)
            }
        }
    }

    #[tracing::instrument(level = "info", name = "store.choose_profile", skip_all)]
    async fn choose(
        &self,
        account: &AccountId,
        device: &DeviceId,
        profile: &ProfileId,
        keys: &RefreshKeys,
        now_us: i64,
    ) -> Result<Device, AccountsError> {
        let mut step = self.0.begin().await?;
        rows::known(&mut step, account).await?;
        profiles::has(&mut step, account, profile).await?;
        let row = sqlx::query(
            "UPDATE device SET profile = $3, replaced_family = family, family = $4, current_turn = $5,
                 previous_turn = NULL, salt = NULL, turned_us = $6, last_seen_us = $6, expires_us = $7
             WHERE account = $1 AND id = $2 AND expires_us > $6 RETURNING *",
        )
        .bind(account.as_str())
        .bind(device.as_str())
        .bind(profile.as_str())
        .bind(&keys.family)
        .bind(&keys.turn)
        .bind(now_us)
        .bind(keys.expires_us)
        .fetch_optional(&mut *step)
        .await?;
        let row = row.ok_or_else(|| AccountsError::UnknownDevice(device.clone()))?;
        let (_, device) = rows::device(&row)?;
        step.commit().await?;
        Ok(device)
    }

    #[tracing::instrument(level = "info", name = "store.devices", skip_all)]
    async fn devices(&self, account: &AccountId) -> Result<Vec<Device>, AccountsError> {
        let mut reader = self.0.reader.acquire().await?;
        of(&mut reader, account).await
    }

    #[tracing::instrument(level = "info", name = "store.sign_out", skip_all)]
    async fn sign_out(&self, account: &AccountId, device: &DeviceId) -> Result<(), AccountsError> {
        let mut writer = self.0.writer.acquire().await?;
        remove(&mut writer, account, device).await
    }

    #[tracing::instrument(level = "info", name = "store.sign_out_family", skip_all)]
    async fn sign_out_family(&self, family: &str) -> Result<(), AccountsError> {
        sqlx::query("DELETE FROM device WHERE family = $1").bind(family).execute(&self.0.writer).await?;
        Ok(())
    }
}

/// Those of an account, the last seen first.
pub(super) async fn of(connection: &mut SqliteConnection, account: &AccountId) -> Result<Vec<Device>, AccountsError> {
    let rows = sqlx::query("SELECT * FROM device WHERE account = $1 ORDER BY last_seen_us DESC, id")
        .bind(account.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok(rows::device(row)?.1)).collect()
}

/// Signs a device in, and out those that were not seen for the longest where there are more than `most`.
pub(super) async fn admit(
    step: &mut SqliteConnection,
    account: &AccountId,
    new: &NewDevice,
    most: u32,
) -> Result<(), AccountsError> {
    insert(step, account, new).await?;
    let devices = of(step, account).await?;
    let others = devices.iter().filter(|device| device.id != new.device.id);
    for device in others.skip(usize::try_from(most.max(1) - 1).unwrap_or(usize::MAX)) {
        remove(step, account, &device.id).await?;
    }
    Ok(())
}

pub(super) async fn insert(
    step: &mut SqliteConnection,
    account: &AccountId,
    new: &NewDevice,
) -> Result<(), AccountsError> {
    let device = &new.device;
    sqlx::query(
        "INSERT INTO device (account, id, name, kind, profile, signed_in_us, last_seen_us, family, current_turn,
             turned_us, expires_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $6, $10)",
    )
    .bind(account.as_str())
    .bind(device.id.as_str())
    .bind(&device.name)
    .bind(&device.kind)
    .bind(device.profile.as_ref().map(ProfileId::as_str))
    .bind(device.signed_in_us)
    .bind(device.last_seen_us)
    .bind(&new.keys.family)
    .bind(&new.keys.turn)
    .bind(new.keys.expires_us)
    .execute(step)
    .await?;
    Ok(())
}

async fn remove(
    connection: &mut SqliteConnection,
    account: &AccountId,
    device: &DeviceId,
) -> Result<(), AccountsError> {
    sqlx::query("DELETE FROM device WHERE account = $1 AND id = $2")
        .bind(account.as_str())
        .bind(device.as_str())
        .execute(connection)
        .await?;
    Ok(())
}
