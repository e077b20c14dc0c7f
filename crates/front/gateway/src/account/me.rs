//! Who is signed in, as the application shows it on every page.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use matinee_contracts::accounts::{Account, AccountRequest, Profile, UpdateAccountRequest};
use matinee_contracts::billing::{AccountRequest as OfAccount, Subscription};
use matinee_service::clock::rfc3339;
use matinee_service::context::Context;
use matinee_service::http::{JsonBody, Problem};
use matinee_service::viewer::{Membership, Viewer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Gateway;
use crate::account::profiles::ProfileJson;
use crate::billing::{StateJson, state_json};

/// How long the page waits for the subscription, which it can do without.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long it waits for accounts, without which it knows what the access token says.
const ACCOUNTS_PATIENCE: Duration = Duration::from_secs(1);

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
#[serde(rename_all = "camelCase")]
pub struct AccountJson {
    id: String,
    email: String,
    email_verified: bool,
    territory: String,
    language: String,
    /// "studio", "support", "admin".
    roles: Vec<String>,
    has_password: bool,
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
            has_password: account.has_password,
            created: rfc3339(account.created_us),
        }
    }
}

/// Who may play here.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Mode)]
#[serde(rename_all = "lowercase")]
pub enum ModeJson {
    /// Those who subscribe.
    Members,
    /// Anyone, signed in or not.
    Open,
}

impl From<Membership> for ModeJson {
    fn from(membership: Membership) -> Self {
        match membership {
            Membership::Members => Self::Members,
            Membership::Open => Self::Open,
        }
    }
}

/// What an account watches with, in short.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SubscriptionInShort)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionInShort {
    state: StateJson,
    plan: String,
    #[schema(required)]
    until: Option<String>,
}

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Me)]
#[serde(rename_all = "camelCase")]
pub struct MeJson {
    signed_in: bool,
    mode: ModeJson,
    #[schema(required)]
    account: Option<AccountJson>,
    profiles: Vec<ProfileJson>,
    /// The chosen one.
    #[schema(required)]
    profile: Option<ProfileJson>,
    /// Nothing where there is none, or billing does not answer.
    #[schema(required)]
    subscription: Option<SubscriptionInShort>,
    /// Where the request comes from.
    territory: String,
    /// For clients that keep their tokens themselves.
    #[serde(flatten)]
    tokens: TokensJson,
}

/// Tokens in an answer's body; absent where the client has them in cookies.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Tokens)]
#[serde(rename_all = "camelCase")]
pub struct TokensJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_expires: Option<String>,
}

impl MeJson {
    /// Nobody.
    #[must_use]
    pub fn nobody(viewer: &Viewer) -> Self {
        Self {
            signed_in: false,
            mode: viewer.membership.into(),
            account: None,
            profiles: Vec::new(),
            profile: None,
            subscription: None,
            territory: viewer.territory.to_string(),
            tokens: TokensJson::default(),
        }
    }

    /// The account, with the rest of what the application shows of it; `chosen` is the chosen profile's id.
    pub async fn of(gateway: &Gateway, viewer: &Viewer, account: Account, chosen: &str) -> Result<Self, Problem> {
        let (mut accounts, mut billing) = (gateway.accounts.clone(), gateway.billing.clone());
        let request = AccountRequest { account: account.id.clone() };
        let subscription = billing.get_subscription(OfAccount { account: account.id.clone() });
        let (profiles, subscription) =
            tokio::join!(accounts.list_profiles(request), Context::in_time(PATIENCE, subscription));
        let profiles = profiles?.into_inner().profiles;
        let subscription = subscription.and_then(Result::ok).and_then(|answer| short(answer.into_inner()));
        Ok(Self {
            signed_in: true,
            account: Some(account.into()),
            profile: profiles.iter().find(|profile| profile.id == chosen).cloned().map(ProfileJson::from),
            profiles: profiles.into_iter().map(ProfileJson::from).collect(),
            subscription,
            ..Self::nobody(viewer)
        })
    }

    /// What the access token says by itself, where accounts do not answer: enough to go on watching.
    #[must_use]
    pub fn by_token(viewer: &Viewer) -> Self {
        let Some(member) = &viewer.member else { return Self::nobody(viewer) };
        let account = AccountJson {
            id: member.account.to_string(),
            email: String::new(),
            // Nobody is asked to verify what is not known.
            email_verified: true,
            territory: viewer.territory.to_string(),
            language: viewer.language().to_owned(),
            roles: member.roles.iter().map(|role| role.as_str().to_owned()).collect(),
            has_password: true,
            created: None,
        };
        let profile = viewer.profile.as_ref().map(|profile| Profile {
            id: profile.to_string(),
            maturity_limit: viewer.maturity_limit,
            language: viewer.language().to_owned(),
            autoplay_next: true,
            ..Profile::default()
        });
        Self {
            signed_in: true,
            account: Some(account),
            profiles: profile.iter().cloned().map(ProfileJson::from).collect(),
            profile: profile.map(ProfileJson::from),
            ..Self::nobody(viewer)
        }
    }

    /// With tokens in the body.
    #[must_use]
    pub fn with_tokens(self, tokens: TokensJson) -> Self {
        Self { tokens, ..self }
    }
}

fn short(subscription: Subscription) -> Option<SubscriptionInShort> {
    let state = state_json(subscription.state())?;
    Some(SubscriptionInShort { state, plan: subscription.plan, until: rfc3339(subscription.period_end_us) })
}

/// A profile that was just changed or read.
impl From<Profile> for ProfileJson {
    fn from(profile: Profile) -> Self {
        Self {
            id: profile.id,
            name: profile.name,
            avatar: profile.avatar,
            kids: profile.kids,
            maturity_limit: profile.maturity_limit,
            language: profile.language,
            audio_language: profile.audio_language,
            subtitle_language: profile.subtitle_language,
            autoplay_next: profile.autoplay_next,
        }
    }
}

/// An answer that nobody else may see.
pub fn private<T: Serialize>(body: T) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// Who is signed in, with which profiles; 401 with code "expired" where the access token is to be refreshed.
///
/// Where accounts do not answer, it is as much as the token says: names and the mail address are empty.
#[utoipa::path(get, path = "/api/account", tag = "account", responses((status = 200, body = MeJson)))]
pub async fn show(State(gateway): State<Gateway>, viewer: Viewer) -> Result<Response, Problem> {
    let Some(member) = &viewer.member else { return Ok(private(MeJson::nobody(&viewer))) };
    let asked = async {
        let mut accounts = gateway.accounts.clone();
        let account = accounts.get_account(AccountRequest { account: member.account.to_string() }).await?.into_inner();
        let chosen = viewer.profile.as_ref().map(ToString::to_string).unwrap_or_default();
        MeJson::of(&gateway, &viewer, account, &chosen).await
    };
    match Context::in_time(ACCOUNTS_PATIENCE, asked).await {
        Some(Ok(me)) => Ok(private(me)),
        Some(Err(problem)) if problem.status() != StatusCode::SERVICE_UNAVAILABLE => Err(problem),
        _ => Ok(private(MeJson::by_token(&viewer))),
    }
}

/// What is changed; what is not said stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChangeAccount)]
#[serde(deny_unknown_fields)]
pub struct ChangeJson {
    /// ISO 3166-1 alpha-2.
    #[serde(default)]
    territory: String,
    /// BCP 47.
    #[serde(default)]
    language: String,
}

/// Changes where the account is at home, or its language.
#[utoipa::path(patch, path = "/api/account", tag = "account", request_body = ChangeJson,
    responses((status = 200, body = MeJson)))]
pub async fn change(
    State(gateway): State<Gateway>,
    viewer: Viewer,
    JsonBody(change): JsonBody<ChangeJson>,
) -> Result<Response, Problem> {
    let request = UpdateAccountRequest {
        account: viewer.signed_in()?.account.to_string(),
        territory: change.territory,
        language: change.language,
    };
    let mut accounts = gateway.accounts.clone();
    let account = accounts.update_account(request).await?.into_inner();
    let chosen = viewer.profile.as_ref().map(ToString::to_string).unwrap_or_default();
    Ok(private(MeJson::of(&gateway, &viewer, account, &chosen).await?))
}
