//! Accounts and profiles as their owners and the studio see and change them, all that is kept of one, and its end.

use matinee_contracts::accounts as contract;
use matinee_contracts::accounts::{
    AccountRequest, DeleteRequest, Done, ExportReply, ListAccountsReply, ListAccountsRequest, ListProfilesReply,
    ProfileRequest, PutProfileRequest, SetRolesRequest, UpdateAccountRequest,
};
use matinee_model::ids::ProfileId;
use matinee_service::clock::rfc3339;
use serde_json::{Value, json};

use crate::account::{HasPassword, Profile, Role};
use crate::entropy::fresh_id;
use crate::error::AccountsError;
use crate::fields;
use crate::password::Password;
use crate::service::Desk;
use crate::store::{Change, Kept, TicketKind};

/// Accounts of a list where the caller names no limit, and the most there are in one.
const LISTED: u32 = 50;
const MOST_LISTED: u32 = 200;
/// As long as the longest address.
const MOST_PREFIX: usize = 254;

impl Desk {
    /// One account.
    pub(crate) async fn get_account(&self, request: &AccountRequest) -> Result<contract::Account, AccountsError> {
        let id = fields::account_id("account", &request.account)?;
        Ok(self.store.account(&id).await?.into())
    }

    /// Changes where an account is at home and what it reads; an empty field stays.
    pub(crate) async fn update_account(
        &self,
        request: &UpdateAccountRequest,
    ) -> Result<contract::Account, AccountsError> {
        let id = fields::account_id("account", &request.account)?;
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let territory = given(&request.territory).map(|text| fields::territory(&text)).transpose()?;
        let language = given(&request.language).map(|text| fields::language("language", &text)).transpose()?;
        Ok(self.store.change(&id, &Change { territory, language, roles: None }).await?.into())
    }

    /// Accounts by the beginning of their address, in its order.
    pub(crate) async fn list_accounts(
        &self,
        request: &ListAccountsRequest,
    ) -> Result<ListAccountsReply, AccountsError> {
        let address = |field, text: &str| {
            let text = text.trim().to_ascii_lowercase();
            if text.len() > MOST_PREFIX || !text.bytes().all(|b| b.is_ascii_graphic()) {
                return Err(AccountsError::field(field, "it is not the beginning of an e-mail address"));
            }
            Ok(text)
        };
        let prefix = address("email_prefix", &request.email_prefix)?;
        let after = address("after", &request.after)?;
        let limit = if request.limit == 0 { LISTED } else { request.limit.min(MOST_LISTED) };
        let accounts = self.store.list(&prefix, &after, limit).await?;
        Ok(ListAccountsReply { accounts: accounts.into_iter().map(Into::into).collect() })
    }

    /// What an account may do from here on; tokens that were made before say what it could until they expire.
    pub(crate) async fn set_roles(&self, request: &SetRolesRequest) -> Result<contract::Account, AccountsError> {
        let id = fields::account_id("account", &request.account)?;
        let roles = Role::parse_all(request.roles.iter().map(String::as_str))?;
        Ok(self.store.change(&id, &Change { roles: Some(roles), ..Change::default() }).await?.into())
    }

    /// The profiles of an account, the oldest first.
    pub(crate) async fn list_profiles(&self, request: &AccountRequest) -> Result<ListProfilesReply, AccountsError> {
        let id = fields::account_id("account", &request.account)?;
        self.store.account(&id).await?;
        let profiles = self.store.profiles(&id).await?;
        Ok(ListProfilesReply { profiles: profiles.into_iter().map(Into::into).collect() })
    }

    /// Adds a profile (without an id) or changes one.
    pub(crate) async fn put_profile(&self, request: PutProfileRequest) -> Result<contract::Profile, AccountsError> {
        let account = fields::account_id("account", &request.account)?;
        let words = request.profile.ok_or_else(|| AccountsError::field("profile", "it is missing"))?;
        let language = self.store.account(&account).await?.language;
        if words.id.is_empty() {
            let id = fresh_id(self.clock.as_ref(), self.entropy.as_ref())?;
            let id = ProfileId::parse(&id).expect("32 hexadecimal digits are an id");
            let profile = Profile::parse(id, words, &language)?;
            self.store.add_profile(&account, &profile).await?;
            return Ok(profile.into());
        }
        let id = fields::profile_id("profile.id", &words.id)?;
        let profile = Profile::parse(id, words, &language)?;
        self.store.change_profile(&account, &profile).await?;
        Ok(profile.into())
    }

    /// Deletes a profile that is not the last.
    pub(crate) async fn delete_profile(&self, request: &ProfileRequest) -> Result<Done, AccountsError> {
        let account = fields::account_id("account", &request.account)?;
        let profile = fields::profile_id("profile", &request.profile)?;
        self.store.delete_profile(&account, &profile, self.clock.now_us()).await?;
        self.news.notify_one();
        Ok(Done {})
    }

    /// All that is kept of an account but its secrets, as JSON for people.
    pub(crate) async fn export(&self, request: &AccountRequest) -> Result<ExportReply, AccountsError> {
        let id = fields::account_id("account", &request.account)?;
        let json = exported(&self.store.kept(&id).await?);
        Ok(ExportReply { json: format!("{json:#}\n").into_bytes() })
    }

    /// Deletes an account for good, by who knows its password (where it has one).
    pub(crate) async fn delete(&self, request: &DeleteRequest) -> Result<Done, AccountsError> {
        let id = fields::account_id("account", &request.account)?;
        let account = self.store.account(&id).await?;
        if account.password == HasPassword::Yes {
            self.check_password(&id, "password", Password::given("password", &request.password)?).await?;
        }
        self.store.erase(&id, self.clock.now_us()).await?;
        self.news.notify_one();
        Ok(Done {})
    }
}

fn exported(kept: &Kept) -> Value {
    let account = &kept.account;
    let profile = |profile: &Profile| {
        json!({
            "id": profile.id, "name": profile.name, "avatar": profile.avatar, "kids": profile.kids,
            "maturityLimit": profile.maturity_limit, "language": profile.language,
            "audioLanguage": profile.audio_language, "subtitleLanguage": profile.subtitle_language,
            "autoplayNext": profile.autoplay_next,
        })
    };
    let devices = kept.devices.iter().map(|device| {
        json!({
            "id": device.id, "name": device.name, "kind": device.kind, "signedIn": rfc3339(device.signed_in_us),
            "lastSeen": rfc3339(device.last_seen_us), "profile": device.profile,
        })
    });
    let identities = kept.identities.iter().map(|(identity, linked_us)| {
        json!({"provider": identity.provider, "subject": identity.subject, "linked": rfc3339(*linked_us)})
    });
    let links = kept.tickets.iter().map(|ticket| {
        let purpose = match ticket.kind {
            TicketKind::Verify => "confirm the e-mail address",
            TicketKind::Reset => "choose a new password",
        };
        json!({"for": purpose, "made": rfc3339(ticket.made_us), "expires": rfc3339(ticket.expires_us)})
    });
    let mails = kept
        .mails
        .iter()
        .map(|mail| json!({"to": mail.to.as_str(), "subject": mail.subject, "written": rfc3339(mail.written_us)}));
    json!({
        "account": {
            "id": account.id, "email": account.email.as_str(), "emailVerified": account.verified_us.map(rfc3339),
            "territory": account.territory, "language": account.language,
            "roles": account.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
            "hasPassword": account.password == HasPassword::Yes, "created": rfc3339(account.created_us),
        },
        "profiles": kept.profiles.iter().map(profile).collect::<Vec<_>>(),
        "devices": devices.collect::<Vec<_>>(),
        "signsInElsewhere": identities.collect::<Vec<_>>(),
        "linksInMails": links.collect::<Vec<_>>(),
        "mailsToBeSent": mails.collect::<Vec<_>>(),
    })
}
