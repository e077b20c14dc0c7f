//! Billing: plans, subscriptions, invoices and a double-entry ledger whose sum is always zero.
//!
//! All that concerns one account is decided by pure functions over what was read, and committed as one [`store::Step`]
//! that holds only where nobody changed the account in between. A payment is written down as an intent before its
//! provider is asked, under an id that follows from what it is for; the same id is the provider's idempotency key. So
//! a process may die between any two steps: what was begun is finished at the next start, and nothing is charged twice.
//!
//! - [`plan`], [`subscription`], [`period`]: what is sold, and the states of a subscription.
//! - [`change`]: from one plan to another.
//! - [`ledger`], [`invoice`], [`page`]: the books, and the invoice as a page that prints.
//! - [`answer`]: the same key with the same request has the same answer.
//! - [`intent`], [`settle`]: payments, and what follows from their outcome.
//! - [`payment`]: the port to payment providers: the built-in one for tests, and Stripe.
//! - [`store`]: the port to what is kept, with SQLite as its embedded adapter.
//! - [`entitlement`]: what an account may watch with, from memory.
//! - [`service`]: the gRPC contract.

pub mod announce;
pub mod answer;
pub mod change;
pub mod config;
pub mod consume;
pub mod customer;
mod due;
pub mod entitlement;
pub mod error;
mod flows;
pub mod intent;
pub mod invoice;
pub mod ledger;
mod message;
mod names;
pub mod page;
pub mod payment;
pub mod period;
pub mod plan;
pub mod service;
pub mod settle;
pub mod store;
mod subgraph;
pub mod subscription;
mod webhook;

pub use config::BillingConfig;
pub use error::BillingError;
pub use service::BillingService;
pub use subgraph::subgraph;
