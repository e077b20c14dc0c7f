//! Sign-ins that are under way elsewhere, in SQL.

use async_trait::async_trait;
use matinee_model::ids::ProfileId;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{SqliteAccounts, devices, profiles, rows};
use crate::account::Device;
use crate::error::AccountsError;
use crate::store::{CodeStart, Decision, Flow, NewCode, NewDevice, Pending, Polled};

/// What each too early poll adds to the interval (RFC 8628, 3.5), and the longest.
const SLOWER_US: i64 = 5_000_000;
const SLOWEST_US: i64 = 60_000_000;

#[async_trait]
impl Pending for SqliteAccounts {
    #[tracing::instrument(level = "info", name = "store.start_code", skip_all)]
    async fn start_code(&self, code: &NewCode) -> Result<CodeStart, AccountsError> {
        let added = sqlx::query(
            "INSERT INTO device_code (device_hash, user_code, name, kind, state, expires_us, interval_us)
             VALUES ($1, $2, $3, $4, 'pending', $5, $6) ON CONFLICT (user_code) DO NOTHING",
        )
        .bind(&code.device_hash)
        .bind(&code.user_code)
        .bind(&code.name)
        .bind(&code.kind)
        .bind(code.expires_us)
        .bind(code.interval_us)
        .execute(&self.0.writer)
        .await?;
        Ok(if added.rows_affected() == 0 { CodeStart::Taken } else { CodeStart::Started })
    }

    #[tracing::instrument(level = "info", name = "store.decide_code", skip_all)]
    async fn decide_code(&self, user_code: &str, decision: &Decision, now_us: i64) -> Result<(), AccountsError> {
        let mut step = self.0.begin().await?;
        let (state, account, profile) = match decision {
            Decision::Approve { account, profile } => {
                rows::known(&mut step, account).await?;
                if let Some(profile) = profile {
                    profiles::has(&mut step, account, profile).await?;
                }
                ("approved", Some(account.as_str()), profile.as_ref().map(ProfileId::as_str))
            }
            Decision::Deny => ("denied", None, None),
        };
        let decided = sqlx::query(
            "UPDATE device_code SET state = $2, account = $3, profile = $4
             WHERE user_code = $1 AND state = 'pending' AND expires_us > $5",
        )
        .bind(user_code)
        .bind(state)
        .bind(account)
        .bind(profile)
        .bind(now_us)
        .execute(&mut *step)
        .await?;
        if decided.rows_affected() == 0 {
            return Err(AccountsError::UnknownCode);
        }
        step.commit().await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.poll_code", skip_all)]
    async fn poll_code(
        &self,
        device_hash: &str,
        new: &NewDevice,
        most: u32,
        now_us: i64,
    ) -> Result<Polled, AccountsError> {
        let mut step = self.0.begin().await?;
        let row = sqlx::query("SELECT * FROM device_code WHERE device_hash = $1 AND expires_us > $2")
            .bind(device_hash)
            .bind(now_us)
            .fetch_optional(&mut *step)
            .await?;
        let Some(row) = row else { return Ok(Polled::Expired) };
        let polled = match row.try_get::<String, _>("state")?.as_str() {
            "pending" => {
                let pace = pace(&row, now_us)?;
                let update = match &pace {
                    Pace::Kept => "UPDATE device_code SET polled_us = $2 WHERE device_hash = $1",
                    Pace::Slower(_) => "UPDATE device_code SET interval_us = $2 WHERE device_hash = $1",
                    // Nothing is written any more, however often it polls.
                    Pace::Slowest => return Ok(Polled::SlowDown),
                };
                let (value, polled) = match pace {
                    Pace::Slower(interval_us) => (interval_us, Polled::SlowDown),
                    _ => (now_us, Polled::Pending),
                };
                sqlx::query(update).bind(device_hash).bind(value).execute(&mut *step).await?;
                step.commit().await?;
                return Ok(polled);
            }
            "denied" => Polled::Denied,
            _ => {
                let account: Option<String> = row.try_get("account")?;
                let account = account.ok_or_else(|| AccountsError::damaged("a device code", "it has no account"))?;
                let account = rows::account_id(&account)?;
                let device = Device {
                    name: row.try_get("name")?,
                    kind: row.try_get("kind")?,
                    profile: rows::profile_id(row.try_get("profile")?)?,
                    ..new.device.clone()
                };
                let new = NewDevice { device, keys: new.keys.clone() };
                devices::admit(&mut step, &account, &new, most).await?;
                Polled::Approved(account, new.device)
            }
        };
        sqlx::query("DELETE FROM device_code WHERE device_hash = $1").bind(device_hash).execute(&mut *step).await?;
        step.commit().await?;
        Ok(polled)
    }

    #[tracing::instrument(level = "info", name = "store.start_flow", skip_all)]
    async fn start_flow(&self, flow: &Flow) -> Result<(), AccountsError> {
        sqlx::query(
            "INSERT INTO flow (state, provider, binding, nonce, verifier, redirect_uri, expires_us)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&flow.state)
        .bind(&flow.provider)
        .bind(&flow.binding)
        .bind(&flow.nonce)
        .bind(&flow.verifier)
        .bind(&flow.redirect_uri)
        .bind(flow.expires_us)
        .execute(&self.0.writer)
        .await?;
        Ok(())
    }

    #[tracing::instrument(level = "info", name = "store.take_flow", skip_all)]
    async fn take_flow(&self, state: &str, now_us: i64) -> Result<Option<Flow>, AccountsError> {
        let row = sqlx::query("DELETE FROM flow WHERE state = $1 AND expires_us > $2 RETURNING *")
            .bind(state)
            .bind(now_us)
            .fetch_optional(&self.0.writer)
            .await?;
        let flow = |row: SqliteRow| {
            Ok(Flow {
                state: row.try_get("state")?,
                provider: row.try_get("provider")?,
                binding: row.try_get("binding")?,
                nonce: row.try_get("nonce")?,
                verifier: row.try_get("verifier")?,
                redirect_uri: row.try_get("redirect_uri")?,
                expires_us: row.try_get("expires_us")?,
            })
        };
        row.map(flow).transpose()
    }
}

/// How a device polls.
enum Pace {
    /// Not too often.
    Kept,
    /// Too often: this is its interval from here on.
    Slower(i64),
    /// Too often, with the longest interval.
    Slowest,
}

/// How the device of `row` polls, that does so at `now_us`.
fn pace(row: &SqliteRow, now_us: i64) -> Result<Pace, AccountsError> {
    let interval_us: i64 = row.try_get("interval_us")?;
    let polled_us: Option<i64> = row.try_get("polled_us")?;
    let early = polled_us.is_some_and(|at_us| now_us.abs_diff(at_us) < interval_us.unsigned_abs());
    Ok(match early {
        false => Pace::Kept,
        true if interval_us >= SLOWEST_US => Pace::Slowest,
        true => Pace::Slower((interval_us + SLOWER_US).min(SLOWEST_US)),
    })
}
