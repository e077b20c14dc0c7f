//! Billing: plans, subscriptions, invoices and a double-entry ledger whose sum is always zero.
