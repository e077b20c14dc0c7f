//! The invoice as a page of HTML: it prints on one sheet, reads well aloud, and needs nothing from elsewhere.

use jiff::Timestamp;
use matinee_model::money::Money;

use crate::config::Seller;
use crate::error::BillingError;
use crate::invoice::{Invoice, InvoiceState};

const STYLE: &str = "\
:root{color-scheme:light}\
body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:44rem;margin:2rem auto;padding:0 1rem}\
header{display:flex;justify-content:space-between;gap:2rem;flex-wrap:wrap}\
h1{font-size:1.5rem;margin:0}address{font-style:normal;white-space:pre-line}\
dl{display:grid;grid-template-columns:max-content auto;gap:.25rem 1rem}dt{font-weight:600}dd{margin:0}\
table{width:100%;border-collapse:collapse;margin:1.5rem 0}caption{text-align:left;font-weight:600;padding:.5rem 0}\
th,td{text-align:left;padding:.5rem .25rem;border-bottom:1px solid #767676}\
.amount{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}tfoot th,tfoot td{font-weight:600}\
@page{size:A4;margin:18mm}@media print{body{margin:0;max-width:none}tr{break-inside:avoid}}";

/// Renders `invoice` of `seller`. All text that somebody wrote is escaped.
pub fn render(invoice: &Invoice, seller: &Seller) -> Result<String, BillingError> {
    let number = escaped(&invoice.number);
    let mut rows = String::new();
    for line in &invoice.lines {
        rows.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td><time datetime=\"{from}\">{from}</time> to \
             <time datetime=\"{until}\">{until}</time></td><td class=\"amount\">{}</td></tr>\n",
            escaped(&line.description),
            escaped(&amount(line.amount)),
            from = day(line.from_us)?,
            until = day(line.until_us)?,
        ));
    }
    let mut sums = sum("Total, tax included", invoice.total);
    sums.push_str(&sum("Paid", Money::new(invoice.paid, invoice.total.currency)));
    if invoice.refunded > 0 {
        sums.push_str(&sum("Given back", Money::new(invoice.refunded, invoice.total.currency)));
    }
    let state = match invoice.state {
        InvoiceState::Open => "Not paid yet",
        InvoiceState::Paid => "Paid",
        InvoiceState::Void => "Given up: nothing is owed",
        InvoiceState::Refunded => "Given back in full",
    };
    let tax_id =
        if seller.tax_id.is_empty() { String::new() } else { format!("Tax number: {}", escaped(&seller.tax_id)) };
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Invoice {number}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header>\n<h1>Invoice {number}</h1>\n<address><strong>{name}</strong>\n{address}\n{tax_id}</address>\n</header>\n\
         <dl>\n<dt>Date</dt><dd><time datetime=\"{issued}\">{issued}</time></dd>\n\
         <dt>Account</dt><dd>{account}</dd>\n<dt>State</dt><dd>{state}</dd>\n</dl>\n\
         <table>\n<caption>What this invoice is for</caption>\n\
         <thead><tr><th scope=\"col\">Plan</th><th scope=\"col\">Time (UTC)</th>\
         <th scope=\"col\" class=\"amount\">Amount</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n<tfoot>\n{sums}</tfoot>\n</table>\n</main>\n</body>\n</html>\n",
        name = escaped(&seller.name),
        address = escaped(&seller.address),
        issued = day(invoice.issued_us)?,
        account = escaped(invoice.account.as_str()),
    ))
}

fn sum(words: &str, money: Money) -> String {
    let money = escaped(&amount(money));
    format!("<tr><th scope=\"row\" colspan=\"2\">{words}</th><td class=\"amount\">{money}</td></tr>\n")
}

fn day(at_us: i64) -> Result<String, BillingError> {
    let at = Timestamp::from_microsecond(at_us).map_err(|_| BillingError::Calendar(at_us))?;
    Ok(at.to_zoned_datetime(jiff::tz::TimeZone::UTC).date().to_string())
}

/// For people: "9.99 EUR", "790 JPY", "−3.50 USD".
#[must_use]
pub fn amount(money: Money) -> String {
    let digits = iso_currency::Currency::from_code(money.currency.as_str()).and_then(|currency| currency.exponent());
    let digits = usize::from(digits.unwrap_or(2));
    let unit = 10_u64.pow(u32::try_from(digits).unwrap_or(2));
    let sign = if money.minor < 0 { "\u{2212}" } else { "" };
    let minor = money.minor.unsigned_abs();
    if digits == 0 {
        return format!("{sign}{minor} {}", money.currency);
    }
    format!("{sign}{}.{:0digits$} {}", minor / unit, minor % unit, money.currency)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use matinee_model::ids::AccountId;
    use matinee_model::money::Currency;
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;
    use crate::invoice::Line;
    use crate::plan::PlanId;

    fn money(minor: i64, currency: &str) -> Money {
        Money::new(minor, Currency::parse(currency).unwrap())
    }

    fn invoice(description: &str) -> Invoice {
        let line = Line {
            plan: PlanId::parse("plan", "standard").unwrap(),
            description: description.to_owned(),
            amount: money(999, "EUR"),
            from_us: 1_790_000_000_000_000,
            until_us: 1_792_600_000_000_000,
        };
        let account = AccountId::parse("a1").unwrap();
        Invoice::issue("i".to_owned(), &account, vec![line], 1_790_000_000_000_000).unwrap().0
    }

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        for (minor, currency, text) in [
            (999, "EUR", "9.99 EUR"),
            (5, "EUR", "0.05 EUR"),
            (-350, "USD", "\u{2212}3.50 USD"),
            (790, "JPY", "790 JPY"),
            (1_500, "KWD", "1.500 KWD"),
            (i64::MIN, "EUR", "\u{2212}92233720368547758.08 EUR"),
        ] {
            assert_eq!(amount(money(minor, currency)), text);
        }
    }

    #[test]
    fn what_somebody_wrote_is_text() {
        let seller = Seller { name: "<script>alert('x')</script>".to_owned(), ..Seller::default() };
        let page = render(&invoice("A & B <i>"), &seller).unwrap();
        assert!(page.contains("A &amp; B &lt;i&gt;") && page.contains("&lt;script&gt;alert(&#39;x&#39;)"));
        assert!(page.contains("9.99 EUR") && page.contains("<html lang=\"en\">") && page.contains("scope=\"col\""));
    }

    proptest! {
        #[test]
        fn no_text_makes_markup(text in any::<String>()) {
            let page = render(&invoice(&text), &Seller::default()).unwrap();
            let plain = render(&invoice("x"), &Seller::default()).unwrap();
            prop_assert!(page.matches('<').count() == plain.matches('<').count());
        }
    }
}
