//! The ledger: double entry. What is debited (positive) and what is credited (negative) of one transaction is the same
//! in each currency, so the sum over the whole ledger is always zero.
//!
//! | what happens | debit | credit |
//! |---|---|---|
//! | an invoice is issued | receivable of the account | revenue of the plan |
//! | it is paid | cash at the provider | receivable |
//! | it is given up | revenue | receivable |
//! | a refund | refunds | cash |
//! | money that nothing is owed for, until it is sent back | cash | unapplied |

use std::collections::BTreeMap;
use std::fmt;

use matinee_model::ids::AccountId;
use matinee_model::money::{Currency, Money};

use crate::plan::PlanId;

/// Why a transaction can't be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LedgerError {
    /// It would make money, or lose some.
    #[error("transaction {transaction} does not balance: {currency} sums to {sum}")]
    Unbalanced {
        /// Which.
        transaction: String,
        /// In which currency.
        currency: Currency,
        /// Of the minor unit.
        sum: i128,
    },
    /// It moves nothing.
    #[error("transaction {0} moves nothing")]
    Empty(String),
}

/// Where money is, is owed, or came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerAccount {
    /// What an account owes.
    Receivable(AccountId),
    /// What a payment provider took in for us.
    Cash(String),
    /// What a plan brought.
    Revenue(PlanId),
    /// What was given back.
    Refunds,
    /// What an account paid that nothing is owed for.
    Unapplied(AccountId),
}

impl LedgerAccount {
    /// Its kind: itself, without the account that it is about.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::Receivable(_) => "receivable".to_owned(),
            Self::Unapplied(_) => "unapplied".to_owned(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for LedgerAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receivable(account) => write!(f, "receivable:{account}"),
            Self::Cash(provider) => write!(f, "cash:{provider}"),
            Self::Revenue(plan) => write!(f, "revenue:{plan}"),
            Self::Refunds => f.write_str("refunds"),
            Self::Unapplied(account) => write!(f, "unapplied:{account}"),
        }
    }
}

/// One side of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub ledger_account: LedgerAccount,
    /// Debited where positive, credited where negative.
    pub amount: Money,
}

/// Entries that balance in each currency. No other can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    id: String,
    reason: String,
    entries: Vec<Entry>,
}

impl Transaction {
    /// Of entries that move something; those of nothing are left out.
    pub fn new(id: String, reason: impl Into<String>, entries: Vec<Entry>) -> Result<Self, LedgerError> {
        let entries: Vec<Entry> = entries.into_iter().filter(|entry| entry.amount.minor != 0).collect();
        if entries.is_empty() {
            return Err(LedgerError::Empty(id));
        }
        let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
        for entry in &entries {
            *sums.entry(entry.amount.currency).or_default() += i128::from(entry.amount.minor);
        }
        if let Some((currency, sum)) = sums.into_iter().find(|(_, sum)| *sum != 0) {
            return Err(LedgerError::Unbalanced { transaction: id, currency, sum });
        }
        Ok(Self { id, reason: reason.into(), entries })
    }

    /// Which; the same movement has the same id, so the books take it once.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// For people.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Both sides.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// Takes `amount` from one place to the other.
pub(crate) fn moved(
    id: String,
    reason: impl Into<String>,
    amount: Money,
    to: LedgerAccount,
    from: LedgerAccount,
) -> Result<Transaction, crate::BillingError> {
    let entries = vec![Entry { ledger_account: to, amount }, Entry { ledger_account: from, amount: amount.negated()? }];
    Ok(Transaction::new(id, reason, entries)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    fn entry(minor: i64, currency: &str) -> Entry {
        let amount = Money::new(minor, Currency::parse(currency).unwrap());
        Entry { ledger_account: LedgerAccount::Refunds, amount }
    }

    #[test]
    fn currencies_balance_each_for_itself() {
        let made = |entries| Transaction::new("t".to_owned(), "test", entries);
        assert!(made(vec![entry(5, "EUR"), entry(-5, "EUR"), entry(7, "USD"), entry(-7, "USD")]).is_ok());
        assert!(matches!(made(vec![entry(5, "EUR"), entry(-5, "USD")]), Err(LedgerError::Unbalanced { .. })));
        assert!(matches!(made(vec![entry(5, "EUR")]), Err(LedgerError::Unbalanced { sum: 5, .. })));
        assert_eq!(made(vec![entry(0, "EUR")]), Err(LedgerError::Empty("t".to_owned())));
        assert!(made(vec![entry(i64::MAX, "EUR"), entry(i64::MAX, "EUR"), entry(2, "EUR")]).is_err(), "no wrapping");
    }

    proptest! {
        #[test]
        fn only_what_balances_is_taken(minors in proptest::collection::vec(any::<i64>(), 1..6)) {
            let sum: i128 = minors.iter().map(|minor| i128::from(*minor)).sum();
            let some = minors.iter().any(|minor| *minor != 0);
            let entries = minors.iter().map(|minor| entry(*minor, "EUR")).collect();
            prop_assert_eq!(Transaction::new("t".to_owned(), "test", entries).is_ok(), some && sum == 0);
        }
    }
}
