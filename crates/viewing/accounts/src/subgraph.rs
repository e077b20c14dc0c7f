//! The accounts' part of the graph: who is signed in.

use std::sync::Arc;

use async_graphql::{Context, EmptyMutation, ID, Object, Result, SimpleObject};
use matinee_contracts::accounts as contract;
use matinee_contracts::accounts::AccountRequest;
use matinee_contracts::accounts::accounts_client::AccountsClient;
use matinee_service::channel::Channel;
use matinee_service::subgraph::{Schemed, Subgraph, refused, viewer};

/// The subgraph, over the service wherever it is.
#[must_use]
pub fn subgraph(accounts: AccountsClient<Channel>) -> Arc<dyn Subgraph> {
    Arc::new(Schemed::new("accounts", Query { accounts }, EmptyMutation))
}

/// Who is signed in.
struct Me {
    accounts: AccountsClient<Channel>,
    account: String,
    profile: String,
}

#[derive(SimpleObject)]
struct Account {
    id: ID,
    email: String,
    email_verified: bool,
    territory: String,
    roles: Vec<String>,
}

#[derive(SimpleObject)]
struct Profile {
    id: ID,
    name: String,
    avatar: String,
    kids: bool,
    /// Titles for an older age are hidden; 0: no limit.
    maturity_limit: u32,
    language: String,
}

impl Me {
    async fn all(&self) -> Result<Vec<Profile>> {
        let request = AccountRequest { account: self.account.clone() };
        let found = self.accounts.clone().list_profiles(request).await.map_err(|status| refused(&status))?;
        let profile = |profile: contract::Profile| Profile {
            id: profile.id.into(),
            name: profile.name,
            avatar: profile.avatar,
            kids: profile.kids,
            maturity_limit: profile.maturity_limit,
            language: profile.language,
        };
        Ok(found.into_inner().profiles.into_iter().map(profile).collect())
    }
}

#[Object]
impl Me {
    async fn account(&self) -> Result<Option<Account>> {
        let request = AccountRequest { account: self.account.clone() };
        let found = self.accounts.clone().get_account(request).await.map_err(|status| refused(&status))?.into_inner();
        Ok(Some(Account {
            id: found.id.into(),
            email: found.email,
            email_verified: found.email_verified,
            territory: found.territory,
            roles: found.roles,
        }))
    }

    /// The one that is chosen on this device.
    async fn profile(&self) -> Result<Option<Profile>> {
        Ok(self.all().await?.into_iter().find(|profile| profile.id.as_str() == self.profile))
    }

    async fn profiles(&self) -> Result<Option<Vec<Profile>>> {
        self.all().await.map(Some)
    }
}

struct Query {
    accounts: AccountsClient<Channel>,
}

#[Object]
impl Query {
    /// Who is signed in; nothing where nobody is.
    async fn me(&self, context: &Context<'_>) -> Option<Me> {
        let viewer = viewer(context);
        let me = Me { accounts: self.accounts.clone(), account: viewer.account, profile: viewer.profile };
        Some(me).filter(|me| !me.account.is_empty())
    }
}
