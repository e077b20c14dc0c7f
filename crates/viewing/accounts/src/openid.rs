//! Signing in at a provider of OpenID Connect.
//!
//! The browser keeps a `binding` that only it has: who lures a viewer to a sign-in that they began themselves is refused.
//! A sign-in that is under way is used up by its first return, good or bad. Somebody is known by the provider's name for
//! them; the first time also by an address, where the provider says that it is confirmed.

use matinee_contracts::accounts::{
    FinishOpenIdRequest, ListProvidersReply, Provider, SignedIn, StartOpenIdReply, StartOpenIdRequest,
};

use crate::account::{Account, HasPassword};
use crate::attempts::Admission;
use crate::email::Email;
use crate::error::AccountsError;
use crate::fields;
use crate::openid_provider::Person;
use crate::secret::Secret;
use crate::service::Desk;
use crate::store::{Flow, Identity, NewAccount};

const SECOND_US: i64 = 1_000_000;
/// How long somebody may take at the provider.
const EXPIRES_US: i64 = 10 * 60 * SECOND_US;
/// Longer codes, states and addresses are not looked at, in bytes.
const MOST_BYTES: usize = 2048;

impl Desk {
    /// The providers that the operator configured, in the order of the configuration.
    pub(crate) fn list_providers(&self) -> ListProvidersReply {
        let provider = |(name, label): (&str, &str)| Provider { name: name.to_owned(), label: label.to_owned() };
        ListProvidersReply { providers: self.openid.providers().map(provider).collect() }
    }

    /// Where a browser goes to sign in, and what it keeps meanwhile.
    pub(crate) async fn start_open_id(&self, request: &StartOpenIdRequest) -> Result<StartOpenIdReply, AccountsError> {
        let now_us = self.clock.now_us();
        if self.flows.admits(now_us) == Admission::Later {
            return Err(AccountsError::Busy("sign-ins at providers"));
        }
        let state = Secret::fresh(self.entropy.as_ref())?;
        let binding = Secret::fresh(self.entropy.as_ref())?;
        let nonce = Secret::fresh(self.entropy.as_ref())?.text();
        let verifier = Secret::fresh(self.entropy.as_ref())?.text();
        let flow = Flow {
            state: state.hash(),
            provider: request.provider.clone(),
            binding: binding.hash(),
            nonce,
            verifier,
            redirect_uri: request.redirect_uri.clone(),
            expires_us: now_us.saturating_add(EXPIRES_US),
        };
        let url = self.openid.authorization(&flow, &state.text(), now_us).await?;
        self.store.start_flow(&flow).await?;
        Ok(StartOpenIdReply { url, binding: binding.text() })
    }

    /// Signs a browser in that came back from a provider.
    pub(crate) async fn finish_open_id(&self, request: FinishOpenIdRequest) -> Result<SignedIn, AccountsError> {
        let refused = |reason: &str| AccountsError::OpenIdRefused(reason.to_owned());
        let kind = fields::device_kind("web")?;
        let device_name = fields::device_name(&request.device_name, kind)?;
        if request.code.is_empty() || request.code.len() > MOST_BYTES {
            return Err(AccountsError::field("code", "a provider's code has 1 to 2048 characters"));
        }
        let unknown = || refused("it was not begun here, took too long, or came back before; begin again");
        let state = Secret::parse(&request.state).ok_or_else(unknown)?;
        let flow = self.store.take_flow(&state.hash(), self.clock.now_us()).await?.ok_or_else(unknown)?;
        let bound = Secret::parse(&request.binding).is_some_and(|binding| binding.hash() == flow.binding);
        if !bound {
            return Err(refused("it was begun in another browser"));
        }
        let person = self.openid.person(&flow, request.code, self.clock.now_us()).await?;
        let identity = Identity { provider: flow.provider, subject: person.subject.clone() };
        if let Some(id) = self.store.by_identity(&identity).await? {
            let account = self.store.account(&id).await?;
            return self.start_session(account, device_name, kind).await;
        }
        let email = confirmed_address(&person)?;
        if let Some(found) = self.store.credentials_by_email(email.key()).await? {
            self.store.link(&found.account.id, &identity, self.clock.now_us()).await?;
            let account = self.store.account(&found.account.id).await?;
            return self.start_session(account, device_name, kind).await;
        }
        self.sign_up_as(person, email, identity, &request.territory, device_name).await
    }

    async fn sign_up_as(
        &self,
        person: Person,
        email: Email,
        identity: Identity,
        territory: &str,
        device_name: String,
    ) -> Result<SignedIn, AccountsError> {
        let territory = fields::territory(territory)?;
        // What the provider says of them is taken where it can be.
        let language = person.locale.and_then(|locale| fields::language("locale", &locale.replace('_', "-")).ok());
        let name = person.name.and_then(|name| fields::line("name", &name, fields::MOST_NAME).ok());
        let (account, profile) = self.new_account(
            email,
            territory,
            language.unwrap_or_else(|| "en".to_owned()),
            name.as_deref().unwrap_or_default(),
        )?;
        let account = Account { verified_us: Some(self.clock.now_us()), password: HasPassword::No, ..account };
        let (device, token) = self.new_device(device_name, "web", Some(profile.id.clone()))?;
        let identity = Some(identity);
        let new = NewAccount { account, password: None, profile, device, identity, verification: None };
        self.store.add(&new).await?;
        self.news.notify_one();
        self.signed_in(new.account, vec![new.profile], new.device.device, &token, new.device.keys.expires_us)
    }
}

fn confirmed_address(person: &Person) -> Result<Email, AccountsError> {
    let refused = |reason: &str| AccountsError::OpenIdRefused(reason.to_owned());
    let email = person.confirmed_email.as_deref();
    let email = email.ok_or_else(|| refused("the provider names no e-mail address of yours that is confirmed"))?;
    Email::parse(email).map_err(|_| refused("the provider names an e-mail address that is not taken here"))
}
