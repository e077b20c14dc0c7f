//! Plans in SQL: each edition a row, never changed, its prices beside it.

use matinee_model::territory::Reach;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::books::{damaged, money_of, small};
use crate::error::BillingError;
use crate::plan::{Plan, PlanId, Price};

pub(super) async fn newest(step: &mut SqliteConnection) -> Result<Vec<Plan>, BillingError> {
    let rows = sqlx::query(
        "SELECT * FROM plan WHERE revision = (SELECT MAX(revision) FROM plan AS other WHERE other.id = plan.id)
         ORDER BY rank, id",
    )
    .fetch_all(&mut *step)
    .await?;
    let mut plans = Vec::with_capacity(rows.len());
    for row in &rows {
        plans.push(plan_of(step, row).await?);
    }
    Ok(plans)
}

pub(super) async fn find(step: &mut SqliteConnection, id: &PlanId) -> Result<Option<Plan>, BillingError> {
    let row = sqlx::query("SELECT * FROM plan WHERE id = $1 ORDER BY revision DESC LIMIT 1")
        .bind(id.as_str())
        .fetch_optional(&mut *step)
        .await?;
    match row {
        Some(row) => Ok(Some(plan_of(step, &row).await?)),
        None => Ok(None),
    }
}

pub(super) async fn add(step: &mut SqliteConnection, plan: &Plan, now_us: i64) -> Result<(), BillingError> {
    let revision = i64::try_from(plan.revision).map_err(|error| damaged(&error))?;
    sqlx::query(
        "INSERT INTO plan (id, revision, name, max_height, streams, trial_days, offered, rank, made_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(plan.id.as_str())
    .bind(revision)
    .bind(&plan.name)
    .bind(i64::from(plan.max_height))
    .bind(i64::from(plan.streams))
    .bind(i64::from(plan.trial_days))
    .bind(i64::from(plan.offered))
    .bind(i64::from(plan.rank))
    .bind(now_us)
    .execute(&mut *step)
    .await?;
    for price in &plan.prices {
        sqlx::query("INSERT INTO plan_price (plan, revision, territory, minor, currency) VALUES ($1, $2, $3, $4, $5)")
            .bind(plan.id.as_str())
            .bind(revision)
            .bind(price.reach.to_string())
            .bind(price.amount.minor)
            .bind(price.amount.currency.as_str())
            .execute(&mut *step)
            .await?;
    }
    Ok(())
}

async fn plan_of(step: &mut SqliteConnection, row: &SqliteRow) -> Result<Plan, BillingError> {
    let (id, revision): (String, i64) = (row.try_get("id")?, row.try_get("revision")?);
    let prices = sqlx::query(
        "SELECT territory, minor, currency FROM plan_price WHERE plan = $1 AND revision = $2 ORDER BY territory",
    )
    .bind(&id)
    .bind(revision)
    .fetch_all(step)
    .await?;
    let price = |row: &SqliteRow| {
        let reach = Reach::parse(&row.try_get::<String, _>("territory")?).map_err(|error| damaged(&error))?;
        Ok::<_, BillingError>(Price { reach, amount: money_of(row, "minor")? })
    };
    Ok(Plan {
        id: PlanId::parse("id", &id)?,
        name: row.try_get("name")?,
        prices: prices.iter().map(price).collect::<Result<_, _>>()?,
        max_height: small(row, "max_height")?,
        streams: small(row, "streams")?,
        trial_days: small(row, "trial_days")?,
        offered: row.try_get::<i64, _>("offered")? != 0,
        rank: small(row, "rank")?,
        revision: u64::try_from(revision).map_err(|error| damaged(&error))?,
    })
}
