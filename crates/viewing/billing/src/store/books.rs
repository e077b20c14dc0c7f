//! The books in SQL: invoices and the ledger.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use matinee_model::ids::AccountId;
use matinee_model::money::{Currency, Money};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{Booked, StepInvoice};
use crate::error::BillingError;
use crate::invoice::{Invoice, InvoiceState, Payment};
use crate::ledger::Transaction;

pub(super) fn damaged(error: &dyn std::fmt::Display) -> BillingError {
    BillingError::Damaged(error.to_string())
}

pub(super) fn small(row: &SqliteRow, column: &str) -> Result<u32, BillingError> {
    u32::try_from(row.try_get::<i64, _>(column)?).map_err(|error| damaged(&format!("{column}: {error}")))
}

pub(super) fn money_of(row: &SqliteRow, column: &str) -> Result<Money, BillingError> {
    let currency = Currency::parse(&row.try_get::<String, _>("currency")?).map_err(|error| damaged(&error))?;
    Ok(Money::new(row.try_get(column)?, currency))
}

pub(super) fn account_of(row: &SqliteRow) -> Result<AccountId, BillingError> {
    AccountId::parse(&row.try_get::<String, _>("account")?).map_err(|error| damaged(&error))
}

/// Writes an invoice; one that is issued gets the next number of its year.
pub(super) async fn write(step: &mut SqliteConnection, invoice: &StepInvoice) -> Result<(), BillingError> {
    match invoice {
        StepInvoice::Issued(invoice) => issue(step, invoice).await,
        StepInvoice::Changed(invoice) => {
            let payment = invoice.payment.as_ref();
            let done = sqlx::query(
                "UPDATE invoice SET paid = $3, refunded = $4, state = $5, provider = $6, payment = $7
                 WHERE account = $1 AND id = $2",
            )
            .bind(invoice.account.as_str())
            .bind(&invoice.id)
            .bind(invoice.paid)
            .bind(invoice.refunded)
            .bind(invoice.state.as_str())
            .bind(payment.map(|payment| payment.provider.as_str()))
            .bind(payment.map(|payment| payment.reference.as_str()))
            .execute(step)
            .await?;
            if done.rows_affected() == 1 { Ok(()) } else { Err(BillingError::UnknownInvoice(invoice.id.clone())) }
        }
    }
}

async fn issue(step: &mut SqliteConnection, invoice: &Invoice) -> Result<(), BillingError> {
    let at = Timestamp::from_microsecond(invoice.issued_us).map_err(|_| BillingError::Calendar(invoice.issued_us))?;
    let year = at.to_zoned_datetime(TimeZone::UTC).year();
    let number: i64 = sqlx::query_scalar(
        "INSERT INTO invoice_series (year, last) VALUES ($1, 1)
         ON CONFLICT (year) DO UPDATE SET last = invoice_series.last + 1 RETURNING last",
    )
    .bind(i64::from(year))
    .fetch_one(&mut *step)
    .await?;
    let payment = invoice.payment.as_ref();
    sqlx::query(
        "INSERT INTO invoice
             (account, id, number, issued_us, lines, total, paid, refunded, currency, state, provider, payment)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(invoice.account.as_str())
    .bind(&invoice.id)
    .bind(format!("{year}-{number:06}"))
    .bind(invoice.issued_us)
    .bind(serde_json::to_string(&invoice.lines)?)
    .bind(invoice.total.minor)
    .bind(invoice.paid)
    .bind(invoice.refunded)
    .bind(invoice.total.currency.as_str())
    .bind(invoice.state.as_str())
    .bind(payment.map(|payment| payment.provider.as_str()))
    .bind(payment.map(|payment| payment.reference.as_str()))
    .execute(step)
    .await?;
    Ok(())
}

pub(super) fn invoice_of(row: &SqliteRow) -> Result<Invoice, BillingError> {
    let state: String = row.try_get("state")?;
    let state = match state.as_str() {
        "open" => InvoiceState::Open,
        "paid" => InvoiceState::Paid,
        "void" => InvoiceState::Void,
        "refunded" => InvoiceState::Refunded,
        other => return Err(damaged(&format!("an invoice is {other:?}"))),
    };
    let provider: Option<String> = row.try_get("provider")?;
    let reference: Option<String> = row.try_get("payment")?;
    Ok(Invoice {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        account: account_of(row)?,
        issued_us: row.try_get("issued_us")?,
        lines: serde_json::from_str(&row.try_get::<String, _>("lines")?)?,
        total: money_of(row, "total")?,
        paid: row.try_get("paid")?,
        refunded: row.try_get("refunded")?,
        state,
        payment: provider.zip(reference).map(|(provider, reference)| Payment { provider, reference }),
    })
}

/// Books a transaction. The one place where the ledger is written; what stands there afterwards balances, or nothing
/// does: a [`Transaction`] is balanced by its type, and the engine sums it once more.
pub(super) async fn book(
    step: &mut SqliteConnection,
    account: &AccountId,
    transaction: &Transaction,
    now_us: i64,
) -> Result<(), BillingError> {
    sqlx::query("INSERT INTO ledger_transaction (account, id, at_us, reason) VALUES ($1, $2, $3, $4)")
        .bind(account.as_str())
        .bind(transaction.id())
        .bind(now_us)
        .bind(transaction.reason())
        .execute(&mut *step)
        .await?;
    for (at, entry) in (0_i64..).zip(transaction.entries()) {
        sqlx::query(
            "INSERT INTO ledger_entry (account, transaction_id, place, ledger_account, kind, minor, currency)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(account.as_str())
        .bind(transaction.id())
        .bind(at)
        .bind(entry.ledger_account.to_string())
        .bind(entry.ledger_account.kind())
        .bind(entry.amount.minor)
        .bind(entry.amount.currency.as_str())
        .execute(&mut *step)
        .await?;
    }
    let wrong: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM (
             SELECT currency FROM ledger_entry WHERE account = $1 AND transaction_id = $2
             GROUP BY currency HAVING SUM(minor) <> 0
         ) AS unbalanced",
    )
    .bind(account.as_str())
    .bind(transaction.id())
    .fetch_one(step)
    .await?;
    if wrong == 0 { Ok(()) } else { Err(damaged(&format!("transaction {} does not balance", transaction.id()))) }
}

pub(super) async fn booked(
    step: &mut SqliteConnection,
    account: Option<&AccountId>,
    after: &str,
    most: u32,
) -> Result<Vec<Booked>, BillingError> {
    // From the start where `after` is none of ours.
    let from: Option<(i64, String)> = sqlx::query_as("SELECT at_us, id FROM ledger_transaction WHERE id = $1")
        .bind(after)
        .fetch_optional(&mut *step)
        .await?;
    let (at_us, id) = from.unwrap_or((i64::MIN, String::new()));
    let query = match account {
        Some(account) => sqlx::query(
            "SELECT account, id, at_us, reason FROM ledger_transaction
             WHERE (at_us, id) > ($1, $2) AND account = $4 ORDER BY at_us, id LIMIT $3",
        )
        .bind(at_us)
        .bind(id)
        .bind(i64::from(most))
        .bind(account.as_str()),
        None => sqlx::query(
            "SELECT account, id, at_us, reason FROM ledger_transaction
             WHERE (at_us, id) > ($1, $2) ORDER BY at_us, id LIMIT $3",
        )
        .bind(at_us)
        .bind(id)
        .bind(i64::from(most)),
    };
    let rows = query.fetch_all(&mut *step).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let id: String = row.try_get("id")?;
        let entries = sqlx::query(
            "SELECT ledger_account, minor, currency FROM ledger_entry
             WHERE account = $1 AND transaction_id = $2 ORDER BY place",
        )
        .bind(row.try_get::<String, _>("account")?)
        .bind(&id)
        .fetch_all(&mut *step)
        .await?;
        let entries = entries.iter().map(|entry| Ok((entry.try_get("ledger_account")?, money_of(entry, "minor")?)));
        let entries = entries.collect::<Result<_, BillingError>>()?;
        found.push(Booked { id, at_us: row.try_get("at_us")?, reason: row.try_get("reason")?, entries });
    }
    Ok(found)
}

pub(super) async fn balances(
    step: &mut SqliteConnection,
    account: Option<&AccountId>,
) -> Result<Vec<(String, Money)>, BillingError> {
    let query = match account {
        Some(account) => sqlx::query(
            "SELECT ledger_account AS name, currency, SUM(minor) AS minor FROM ledger_entry WHERE account = $1
             GROUP BY ledger_account, currency ORDER BY ledger_account, currency",
        )
        .bind(account.as_str()),
        None => sqlx::query(
            "SELECT kind AS name, currency, SUM(minor) AS minor FROM ledger_entry
             GROUP BY kind, currency ORDER BY kind, currency",
        ),
    };
    let rows = query.fetch_all(step).await?;
    rows.iter().map(|row| Ok((row.try_get("name")?, money_of(row, "minor")?))).collect()
}

pub(super) async fn sums(step: &mut SqliteConnection) -> Result<Vec<Money>, BillingError> {
    let rows =
        sqlx::query("SELECT currency, SUM(minor) AS minor FROM ledger_entry GROUP BY currency ORDER BY currency")
            .fetch_all(step)
            .await?;
    rows.iter().map(|row| money_of(row, "minor")).collect()
}
