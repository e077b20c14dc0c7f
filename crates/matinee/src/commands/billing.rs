//! `matinee billing`: what is due, from the command line.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Subcommand;
use matinee_contracts::billing::billing_client::BillingClient;
use matinee_contracts::billing::{LedgerRequest, RunDueRequest};

use super::{block_on, channel, reach};
use crate::config::Config;
use crate::terminal::{AnyError, table};

const DAY_US: i64 = 86_400_000_000;

/// What to do with billing.
#[derive(Subcommand)]
pub enum BillingCommand {
    /// Renews, retries and ends what is due; runs by itself every minute.
    RunDue {
        /// As if it were so many days later: to see on a test installation what will happen.
        #[arg(long, default_value_t = 0, value_name = "DAYS")]
        ahead: u16,
    },
    /// Shows what is on each account of the ledger, and that the sum is zero.
    Ledger,
}

/// Does it.
pub fn run(config: &Config, command: &BillingCommand) -> Result<(), AnyError> {
    block_on(async {
        let mut billing = BillingClient::new(channel(config)?);
        match command {
            BillingCommand::RunDue { ahead } => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
                let now_us = i64::try_from(now)? + i64::from(*ahead) * DAY_US;
                let done = billing.run_due(RunDueRequest { now_us }).await.map_err(|status| reach(status, config))?;
                let done = done.into_inner();
                println!("{} renewed, {} failed, {} ended", done.renewed, done.failed, done.ended);
            }
            BillingCommand::Ledger => {
                let request = LedgerRequest { limit: 1, ..LedgerRequest::default() };
                let ledger = billing.ledger(request).await.map_err(|status| reach(status, config))?.into_inner();
                let head = ["ACCOUNT", "MINOR UNITS", "CURRENCY"].map(str::to_owned).to_vec();
                let balances = ledger.balances.into_iter().map(|balance| (balance.ledger_account, balance.amount));
                let sums = ledger.sums.into_iter().map(|sum| ("(sum)".to_owned(), Some(sum)));
                let rows = balances.chain(sums).map(|(name, amount)| {
                    let amount = amount.unwrap_or_default();
                    vec![name, amount.minor.to_string(), amount.currency]
                });
                print!("{}", table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()));
            }
        }
        Ok(())
    })
}
