//! `matinee account`: who may do what, from the command line. The first administrator is made here.

use clap::{Subcommand, ValueEnum};
use matinee_contracts::accounts::accounts_client::AccountsClient;
use matinee_contracts::accounts::{Account, ListAccountsRequest, SetRolesRequest};

use super::{block_on, channel, reach};
use crate::config::Config;
use crate::terminal::{AnyError, table};

/// What an account may do beside watching.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AccountRole {
    /// Films and the catalogue.
    Studio,
    /// Accounts and plans.
    Support,
    /// Everything.
    Admin,
}

impl AccountRole {
    fn name(self) -> &'static str {
        match self {
            Self::Studio => "studio",
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }
}

/// What to do with accounts.
#[derive(Subcommand)]
pub enum AccountCommand {
    /// Lists accounts by the beginning of their address.
    List {
        /// The beginning; all of them without this.
        #[arg(default_value = "")]
        email: String,
    },
    /// Gives an account exactly these roles; none takes all away.
    Roles {
        /// Its whole address.
        email: String,
        /// The roles.
        roles: Vec<AccountRole>,
    },
}

/// Does it.
pub fn run(config: &Config, command: AccountCommand) -> Result<(), AnyError> {
    block_on(async {
        let mut accounts = AccountsClient::new(channel(config)?);
        match command {
            AccountCommand::List { email } => {
                let request = ListAccountsRequest { email_prefix: email, limit: 500, after: String::new() };
                let found = accounts.list_accounts(request).await.map_err(|status| reach(status, config))?;
                show(found.into_inner().accounts);
            }
            AccountCommand::Roles { email, roles } => {
                let request = ListAccountsRequest { email_prefix: email.clone(), limit: 500, after: String::new() };
                let found = accounts.list_accounts(request).await.map_err(|status| reach(status, config))?.into_inner();
                let named = found.accounts.into_iter().find(|account| account.email.eq_ignore_ascii_case(&email));
                let account = named.ok_or_else(|| format!("there is no account with the address {email}"))?.id;
                let roles = roles.into_iter().map(|role| role.name().to_owned()).collect();
                let changed = accounts.set_roles(SetRolesRequest { account, roles }).await;
                show(vec![changed.map_err(|status| reach(status, config))?.into_inner()]);
            }
        }
        Ok(())
    })
}

fn show(accounts: Vec<Account>) {
    let head = ["ACCOUNT", "ADDRESS", "TERRITORY", "ROLES"].map(str::to_owned).to_vec();
    let row = |account: Account| vec![account.id, account.email, account.territory, account.roles.join(",")];
    print!("{}", table(&std::iter::once(head).chain(accounts.into_iter().map(row)).collect::<Vec<_>>()));
}
