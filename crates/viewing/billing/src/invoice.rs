//! Invoices. Their numbers have no gaps: one is given in the transaction that issues the invoice.
//!
//! An invoice holds no personal data beside the account's id, so it can be kept as the law asks when an account goes.

use matinee_model::ids::AccountId;
use matinee_model::money::{Money, MoneyError};
use serde::{Deserialize, Serialize};

use crate::error::BillingError;
use crate::ledger::{Entry, LedgerAccount, Transaction, moved};
use crate::names::derived;
use crate::plan::PlanId;
use crate::subscription::Terms;

/// One line: a plan for a time. Negative where a part of what was paid is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Whose revenue it is.
    pub plan: PlanId,
    /// For people.
    pub description: String,
    /// Tax included.
    pub amount: Money,
    /// Microseconds since 1970.
    pub from_us: i64,
    /// Microseconds since 1970.
    pub until_us: i64,
}

impl Line {
    /// A whole period under `terms`.
    #[must_use]
    pub fn period(terms: &Terms, from_us: i64, until_us: i64) -> Self {
        let description = format!("{}, one month", terms.name);
        Self { plan: terms.plan.clone(), description, amount: terms.price, from_us, until_us }
    }
}

/// Where an invoice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InvoiceState {
    /// Owed.
    Open,
    /// Paid, and perhaps a part given back.
    Paid,
    /// Given up.
    Void,
    /// All of it given back.
    Refunded,
}

impl InvoiceState {
    /// The contract's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Void => "void",
            Self::Refunded => "refunded",
        }
    }
}

/// The payment of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Through whom.
    pub provider: String,
    /// The provider's name for it.
    pub reference: String,
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// Which.
    pub id: String,
    /// Without gaps in its year; empty until the store issues it.
    pub number: String,
    /// Whose.
    pub account: AccountId,
    /// Microseconds since 1970.
    pub issued_us: i64,
    /// What for.
    pub lines: Vec<Line>,
    /// Of the lines.
    pub total: Money,
    /// Of the minor unit.
    pub paid: i64,
    /// Of the minor unit; never more than was paid.
    pub refunded: i64,
    /// Where it is.
    pub state: InvoiceState,
    /// How it was paid, where it was.
    pub payment: Option<Payment>,
}

impl Invoice {
    /// An open one over `lines`, with the transaction that books what is owed.
    pub fn issue(
        id: String,
        account: &AccountId,
        lines: Vec<Line>,
        now_us: i64,
    ) -> Result<(Self, Transaction), BillingError> {
        let total = total(&lines)?;
        let invoice = Self {
            id,
            number: String::new(),
            account: account.clone(),
            issued_us: now_us,
            lines,
            total,
            paid: 0,
            refunded: 0,
            state: InvoiceState::Open,
            payment: None,
        };
        let booked = invoice.booked("issued", "invoice issued", Money::negated)?;
        Ok((invoice, booked))
    }

    /// Revenue by its lines, and what is owed against it; `sign` turns a line's amount into its entry.
    fn booked(
        &self,
        what: &str,
        reason: &str,
        sign: impl Fn(Money) -> Result<Money, MoneyError>,
    ) -> Result<Transaction, BillingError> {
        let mut entries = Vec::with_capacity(self.lines.len() + 1);
        for line in &self.lines {
            let amount = sign(line.amount)?;
            entries.push(Entry { ledger_account: LedgerAccount::Revenue(line.plan.clone()), amount });
        }
        let owed = LedgerAccount::Receivable(self.account.clone());
        entries.push(Entry { ledger_account: owed, amount: sign(self.total)?.negated()? });
        Ok(Transaction::new(derived(&[what, &self.id]), reason, entries)?)
    }

    /// Paid in full.
    pub fn paid(mut self, payment: Payment) -> Result<(Self, Transaction), BillingError> {
        let booked = moved(
            derived(&["paid", &self.id]),
            "payment",
            self.total,
            LedgerAccount::Cash(payment.provider.clone()),
            LedgerAccount::Receivable(self.account.clone()),
        )?;
        self.paid = self.total.minor;
        self.state = InvoiceState::Paid;
        self.payment = Some(payment);
        Ok((self, booked))
    }

    /// Given up: nothing is owed for it any more.
    pub fn void(mut self) -> Result<(Self, Transaction), BillingError> {
        let booked = self.booked("void", "invoice given up", Ok)?;
        self.state = InvoiceState::Void;
        Ok((self, booked))
    }

    /// What can still be given back, of the minor unit.
    #[must_use]
    pub fn refundable(&self) -> i64 {
        self.paid - self.refunded
    }

    /// `amount` was given back by the transaction `name`.
    pub fn refund(mut self, amount: Money, name: &str, reason: &str) -> Result<(Self, Transaction), BillingError> {
        if amount.currency != self.total.currency {
            return Err(MoneyError::Mixed(amount.currency, self.total.currency).into());
        }
        let Some(payment) = self.payment.as_ref().filter(|_| (1..=self.refundable()).contains(&amount.minor)) else {
            return Err(BillingError::field(
                "amount",
                format!("{} of {} can be given back", self.refundable(), self.paid),
            ));
        };
        let cash = LedgerAccount::Cash(payment.provider.clone());
        let booked = moved(derived(&["refunded", name]), reason, amount, LedgerAccount::Refunds, cash)?;
        self.refunded += amount.minor;
        if self.refunded == self.paid {
            self.state = InvoiceState::Refunded;
        }
        Ok((self, booked))
    }
}

/// The sum of `lines`, which are of one currency.
pub fn total(lines: &[Line]) -> Result<Money, BillingError> {
    let (first, rest) =
        lines.split_first().ok_or_else(|| BillingError::Damaged("an invoice without lines".to_owned()))?;
    let mut sum = first.amount;
    for line in rest {
        sum = sum.plus(line.amount)?;
    }
    Ok(sum)
}
