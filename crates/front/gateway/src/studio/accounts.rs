//! Accounts, as support and admins see them.

use axum::extract::{Path, State};
use axum::response::Response;
use matinee_contracts::accounts::{Account, ListAccountsRequest, SetRolesRequest};
use matinee_service::clock::rfc3339;
use matinee_service::http::{JsonBody, Problem, Queried};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Gateway;
use crate::account::private;

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StudioAccount)]
#[serde(rename_all = "camelCase")]
pub struct AccountJson {
    id: String,
    email: String,
    email_verified: bool,
    territory: String,
    language: String,
    roles: Vec<String>,
    #[schema(required)]
    created: Option<String>,
}

impl From<Account> for AccountJson {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            email: account.email,
            email_verified: account.email_verified,
            territory: account.territory,
            language: account.language,
            roles: account.roles,
            created: rfc3339(account.created_us),
        }
    }
}

/// Which accounts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// How their address begins.
    q: String,
    limit: u32,
    /// After this id.
    after: String,
}

/// Roles.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PutRoles)]
#[serde(deny_unknown_fields)]
pub struct RolesJson {
    /// "studio", "support", "admin".
    roles: Vec<String>,
}

/// Accounts by the beginning of their address.
#[utoipa::path(get, path = "/api/studio/accounts", tag = "studio", params(ListQuery),
    responses((status = 200, body = Vec<AccountJson>)))]
pub async fn list(State(mut gateway): State<Gateway>, Queried(asked): Queried<ListQuery>) -> Result<Response, Problem> {
    let request = ListAccountsRequest { email_prefix: asked.q, limit: asked.limit, after: asked.after };
    let accounts = gateway.accounts.list_accounts(request).await?.into_inner().accounts;
    Ok(private(accounts.into_iter().map(AccountJson::from).collect::<Vec<_>>()))
}

/// Says what an account may do beside watching. It holds from its next access token on.
#[utoipa::path(put, path = "/api/studio/accounts/{id}/roles", tag = "studio", request_body = RolesJson,
    responses((status = 200, body = AccountJson)))]
pub async fn set_roles(
    State(mut gateway): State<Gateway>,
    Path(account): Path<String>,
    JsonBody(asked): JsonBody<RolesJson>,
) -> Result<Response, Problem> {
    let request = SetRolesRequest { account, roles: asked.roles };
    Ok(private(AccountJson::from(gateway.accounts.set_roles(request).await?.into_inner())))
}
