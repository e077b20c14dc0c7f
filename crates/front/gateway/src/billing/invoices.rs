//! Invoices, and the key that makes a payment safe to send again.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use matinee_contracts::billing::{AccountRequest, Invoice, InvoiceRequest};
use matinee_service::clock::rfc3339;
use matinee_service::http::Problem;
use matinee_service::viewer::Viewer;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Gateway;
use crate::account::private;
use crate::billing::{MoneyJson, money};

/// A line of an invoice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvoiceLine)]
pub struct LineJson {
    description: String,
    #[schema(required)]
    amount: Option<MoneyJson>,
    #[schema(required)]
    from: Option<String>,
    #[schema(required)]
    until: Option<String>,
}

/// An invoice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invoice)]
pub struct InvoiceJson {
    id: String,
    /// Without gaps: "2026-000123".
    number: String,
    #[schema(required)]
    issued: Option<String>,
    lines: Vec<LineJson>,
    #[schema(required)]
    total: Option<MoneyJson>,
    #[schema(required)]
    paid: Option<MoneyJson>,
    #[schema(required)]
    refunded: Option<MoneyJson>,
    /// "open", "paid", "void", "refunded".
    state: String,
}

impl From<Invoice> for InvoiceJson {
    fn from(invoice: Invoice) -> Self {
        let lines = invoice.lines.into_iter().map(|line| LineJson {
            description: line.description,
            amount: money(line.amount),
            from: rfc3339(line.from_us),
            until: rfc3339(line.until_us),
        });
        Self {
            id: invoice.id,
            number: invoice.number,
            issued: rfc3339(invoice.issued_us),
            lines: lines.collect(),
            total: money(invoice.total),
            paid: money(invoice.paid),
            refunded: money(invoice.refunded),
            state: invoice.state,
        }
    }
}

/// The key of the header `Idempotency-Key`: what comes twice with one key is done once. A new one where there is none.
pub fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(uuid::Uuid::new_v4().simple().to_string());
    };
    let key = key.to_str().unwrap_or_default().trim().trim_matches('"');
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    if key.is_empty() || key.len() > 128 || !key.bytes().all(plain) {
        let reason = "1 to 128 letters, digits, '-', '_', '.' and ':' are taken";
        return Err(Problem::field("Idempotency-Key", reason));
    }
    Ok(key.to_owned())
}

/// The invoices, the latest first.
#[utoipa::path(get, path = "/api/invoices", tag = "billing", responses((status = 200, body = Vec<InvoiceJson>)))]
pub async fn list(State(mut gateway): State<Gateway>, viewer: Viewer) -> Result<Response, Problem> {
    let account = viewer.signed_in()?.account.to_string();
    let invoices = gateway.billing.list_invoices(AccountRequest { account }).await?.into_inner().invoices;
    Ok(private(invoices.into_iter().map(InvoiceJson::from).collect::<Vec<_>>()))
}

/// An invoice as a page that prints.
#[utoipa::path(get, path = "/api/invoices/{id}", tag = "billing",
    responses((status = 200, body = String, content_type = "text/html")))]
pub async fn show(
    State(mut gateway): State<Gateway>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let account = viewer.signed_in()?.account.to_string();
    let page = gateway.billing.render_invoice(InvoiceRequest { account, invoice: id }).await?.into_inner();
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        // Names and addresses stand in it that somebody chose: nothing of them is ever run.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ];
    Ok((headers, page.html).into_response())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    proptest! {
        #[test]
        fn any_key_is_taken_or_refused(text in "[ -~]{0,140}") {
            let mut headers = HeaderMap::new();
            headers.insert("idempotency-key", HeaderValue::from_str(&text).unwrap());
            if let Ok(key) = idempotency_key(&headers) {
                prop_assert!(!key.is_empty() && key.len() <= 128);
            }
        }
    }
}
