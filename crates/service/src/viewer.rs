//! Who asks: what the door found out about a request, for the routes behind it.
//!
//! The door puts one [`Viewer`] into each request, from its access token and its address; routes take it as an argument,
//! and hand [`Viewer::words`] to the services that answer differently to different viewers.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use matinee_contracts::viewer;
use matinee_model::ids::{AccountId, DeviceId, ProfileId};
use matinee_model::territory::Territory;

use crate::http::Problem;

/// Who may play in this installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Membership {
    /// Members: who signed in and has a subscription.
    Members,
    /// Anyone; each browser is a viewer of its own.
    #[default]
    Open,
}

impl Membership {
    /// Its name, in configuration and for applications.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Open => "open",
        }
    }
}

/// What an account may do beside watching.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Films and the catalogue.
    Studio,
    /// Accounts, plans and invoices.
    Support,
    /// All, and who has which role.
    Admin,
}

impl Role {
    /// Its name, in tokens and for applications.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Studio => "studio",
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }

    /// The role of this name, where there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "studio" => Some(Self::Studio),
            "support" => Some(Self::Support),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }
}

/// An account that signed in, as its access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub account: AccountId,
    /// On which of its devices.
    pub device: DeviceId,
    /// What it may do beside watching.
    pub roles: Vec<Role>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// Who signed in; nothing where nobody did.
    pub member: Option<Member>,
    /// Whose history, list and rows they are: of the account, or of the browser in an open installation.
    pub profile: Option<ProfileId>,
    /// Where the request comes from.
    pub territory: Territory,
    /// Titles for an older age are never shown, in years; 0: no limit.
    pub maturity_limit: u32,
    /// What the viewer reads, the preferred first (BCP 47).
    pub languages: Vec<String>,
    /// The network's name by the operator's table; empty where it has none.
    pub network: String,
    /// The client's address.
    pub address: IpAddr,
    /// Who may play here.
    pub membership: Membership,
}

impl Viewer {
    /// Nobody in particular, in `territory`: for what is prepared before anyone asks.
    #[must_use]
    pub fn nobody(territory: Territory, membership: Membership) -> Self {
        Self {
            member: None,
            profile: None,
            territory,
            maturity_limit: 0,
            languages: Vec::new(),
            network: String::new(),
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            membership,
        }
    }

    /// As services hear of it.
    #[must_use]
    pub fn words(&self) -> viewer::Viewer {
        let member = self.member.as_ref();
        viewer::Viewer {
            account: member.map(|m| m.account.to_string()).unwrap_or_default(),
            profile: self.profile.as_ref().map(ToString::to_string).unwrap_or_default(),
            device: member.map(|m| m.device.to_string()).unwrap_or_default(),
            territory: self.territory.to_string(),
            maturity_limit: self.maturity_limit,
            languages: self.languages.clone(),
        }
    }

    /// The account, or a problem that asks to sign in.
    pub fn signed_in(&self) -> Result<&Member, Problem> {
        self.member.as_ref().ok_or_else(|| Problem::sign_in("sign in first"))
    }

    /// The profile, or a problem that asks to sign in.
    pub fn watching(&self) -> Result<&ProfileId, Problem> {
        self.profile.as_ref().ok_or_else(|| Problem::sign_in("sign in and choose a profile first"))
    }

    /// Whether the account may do what `role` may.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.member.as_ref().is_some_and(|m| m.roles.iter().any(|has| *has == role || *has == Role::Admin))
    }

    /// The language to speak to the viewer in; English where none is known.
    #[must_use]
    pub fn language(&self) -> &str {
        self.languages.first().map_or("en", String::as_str)
    }
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a route that needs its viewer stands outside of the door");
            let title = "something went wrong on our side";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, title, "nobody watches").into_response()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_enough_for_its_own_work_and_an_admin_for_all() {
        let mut viewer = Viewer::nobody(Territory::parse("DE").unwrap(), Membership::Members);
        assert!(!viewer.may(Role::Studio) && viewer.signed_in().is_err() && viewer.watching().is_err());
        let of = |roles: Vec<Role>| Member {
            account: AccountId::parse("a").unwrap(),
            device: DeviceId::parse("d").unwrap(),
            roles,
        };
        viewer.member = Some(of(vec![Role::Support]));
        assert!(viewer.may(Role::Support) && !viewer.may(Role::Studio) && !viewer.may(Role::Admin));
        viewer.member = Some(of(vec![Role::Admin]));
        assert!(viewer.may(Role::Support) && viewer.may(Role::Studio) && viewer.may(Role::Admin));
        assert_eq!(viewer.words().account, "a");
    }
}
