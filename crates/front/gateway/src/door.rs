//! The door: what happens to every request before a service hears of it, and to every answer.
//!
//! In the order in which a request meets it: the trace, the priority and the deadline (`matinee_service::door`); headers
//! that every answer carries; other sites' pages (CORS); compression; problems for what no route answers; the adaptive
//! limit, which sheds prefetches before screens and screens before plays; then who it is ([`admission`]): the client's
//! address and territory, whether a page of ours asks, the access token, how often it asks. Routes behind it take a
//! [`matinee_service::viewer::Viewer`].

pub(crate) mod admission;
mod classes;
pub(crate) mod cookies;
mod headers;
mod network;
mod place;
mod same_site;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use http::HeaderValue;
use matinee_model::ids::AccountId;
use matinee_model::territory::Territory;
use matinee_service::access::AccessKeys;
use matinee_service::clock::Clock;
use matinee_service::limits::Quota;
use matinee_service::resilience::{AdaptiveLimit, LimitSettings, Resilience};
use matinee_service::viewer::Membership;
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;

use self::admission::{Doorman, Tokens};
use self::classes::Limited;
use crate::attempts::Attempts;
use crate::{Gateway, account, artwork, billing, history, openapi, studio, titles, web};

pub use self::network::{Known, Network, NetworkError, Networks};
pub use self::place::Places;
pub use crate::guard::StudioAccess;

/// Pictures that are read at once. A page asks for hundreds in one breath; they wait for each other, and none is shed.
const PICTURES_AT_ONCE: usize = 64;

/// Whether the door itself speaks TLS. A proxy before it that does says so in `X-Forwarded-Proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BehindTls(pub bool);

/// How often something may be asked; nothing where there is no limit.
#[derive(Debug, Clone, Copy)]
pub struct Quotas {
    /// From one address (of IPv6, from one /64).
    pub address: Option<Quota>,
    /// By one account.
    pub account: Option<Quota>,
    /// Sign-ins, sign-ups, codes and forgotten passwords, from one address.
    pub attempts: Option<Quota>,
    /// Sign-ins to one account, from anywhere; those that succeed are not counted.
    pub sign_ins: Option<Quota>,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            address: Some(Quota::per_second(100).with_burst(600)),
            account: Some(Quota::per_second(30).with_burst(300)),
            attempts: Some(Quota::per_minute(20).with_burst(30)),
            sign_ins: Some(Quota::per_minute(5).with_burst(10)),
        }
    }
}

/// How the door is kept.
#[derive(Debug, Clone)]
pub struct DoorSettings {
    /// Who may play here.
    pub membership: Membership,
    /// How a request's territory is found out.
    pub places: Places,
    /// Other sites whose pages may call, as `Origin` names them: `https://app.example`.
    pub origins: Vec<HeaderValue>,
    /// Sites whose scripts and frames pages hold: those of a payment provider's form.
    pub forms: &'static [&'static str],
    /// How often something may be asked.
    pub quotas: Quotas,
    /// Who may use the studio beside accounts with a role.
    pub studio: StudioAccess,
    /// Whether the door speaks TLS.
    pub tls: BehindTls,
    /// The address by which browsers know this installation (`https://films.example`); by each request's own where it is
    /// not said. Sign-in elsewhere comes back to it.
    pub public_url: Option<String>,
    /// Accounts that may ask for faults by header.
    pub test_accounts: Vec<AccountId>,
}

impl DoorSettings {
    /// An open installation on this machine, in `territory`.
    #[must_use]
    pub fn open(territory: Territory) -> Self {
        Self {
            membership: Membership::Open,
            places: Places { default: territory, networks: Networks::default(), proxies: Vec::new(), header: None },
            origins: Vec::new(),
            forms: &[],
            quotas: Quotas::default(),
            studio: StudioAccess::default(),
            tls: BehindTls(false),
            public_url: None,
            test_accounts: Vec::new(),
        }
    }
}

/// What the door is made with, beside its settings.
#[derive(Debug)]
pub struct Keeper {
    /// By which access tokens are checked.
    pub keys: AccessKeys,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// For its limits.
    pub resilience: Resilience,
}

/// Routes of other crates, which the door takes in.
#[derive(Default)]
pub struct Rooms {
    /// For viewers: the device adapters, the graph. Each of their requests has its viewer.
    pub viewing: Vec<OpenApiRouter>,
    /// For the studio alone: uploads.
    pub studio: Router,
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rooms").field("viewing", &self.viewing.len()).finish_non_exhaustive()
    }
}

/// What the gateway's own routes have.
#[derive(Clone, FromRef)]
pub(crate) struct Inside {
    pub(crate) gateway: Gateway,
    pub(crate) doorman: Arc<Doorman>,
    pub(crate) attempts: Arc<Attempts>,
}

impl Gateway {
    /// The door with everything behind it: the gateway's own routes, those of `rooms`, and the pages.
    pub fn door(self, settings: &DoorSettings, keeper: Keeper, rooms: Rooms) -> Router {
        let Keeper { keys, clock, resilience } = keeper;
        let doorman = Arc::new(Doorman::new(settings, keys, clock));
        let attempts = Arc::new(Attempts::new(&settings.quotas));
        let inside = Inside { gateway: self, doorman: Arc::clone(&doorman), attempts };

        let taken = |routes: OpenApiRouter<Inside>| Router::from(routes).with_state(inside.clone());
        let strangers = taken(account::for_strangers().merge(billing::for_strangers()));
        let (heartbeats, pictures) = (taken(history::heartbeats()), taken(artwork::routes()));
        let (studio, events) = (taken(studio::routes(&settings.studio)), taken(studio::events(&settings.studio)));
        let mut viewing = taken(account::for_viewers().merge(billing::for_viewers()))
            .merge(taken(history::routes()).merge(taken(titles::routes())));
        let mut described = Vec::new();
        for room in rooms.viewing {
            let (routes, document) = room.split_for_parts();
            described.push(document);
            viewing = viewing.merge(routes);
        }
        let viewing = viewing.merge(openapi::route(&openapi::document(described)));
        let uploads = studio::guarded(rooms.studio, &settings.studio);

        let admitted = |routes: Router, tokens: Tokens| {
            let doorman = Arc::clone(&doorman);
            routes.layer(from_fn_with_state((doorman, tokens), admit))
        };
        let limit = AdaptiveLimit::new("gateway", screens_at_once(), &resilience);
        // They wait for the disk, which would make room for others that then is not there.
        let reports = AdaptiveLimit::new("heartbeats", REPORTS_AT_ONCE, &resilience);
        let pictures = pictures.layer(from_fn_with_state(Arc::new(Semaphore::new(PICTURES_AT_ONCE)), in_turn));
        let screens = admitted(viewing, Tokens::Read)
            .merge(admitted(strangers, Tokens::Ignored))
            .merge(admitted(studio, Tokens::Read));
        let routes = limit
            .over(screens)
            .merge(reports.over(admitted(heartbeats, Tokens::Read)))
            .merge(admitted(pictures, Tokens::Public))
            .merge(admitted(events, Tokens::Read))
            .layer(from_fn(headers::problems))
            .merge(admitted(uploads, Tokens::Read))
            .route("/studio", get(web::page))
            .route("/studio/{*page}", get(web::page))
            .fallback(web::file)
            .layer(
                tower_http::compression::CompressionLayer::new()
                    .quality(tower_http::CompressionLevel::Precise(4))
                    .compress_when(web::Compressible),
            );
        let routes = if settings.origins.is_empty() { routes } else { routes.layer(headers::cors(&settings.origins)) };
        let limit_of = move |route: &str| match classes::limited(route) {
            Limited::Screens => Some(limit.clone()),
            Limited::Reports => Some(reports.clone()),
            Limited::Not => None,
        };
        let door = matinee_service::door::Door::new("gateway", classes::entry).shedding(limit_of);
        door.over(routes.layer(from_fn_with_state(headers::content_policy(settings.forms), headers::security)))
    }
}

/// Heartbeats at once: they wait for each other's sync more than they compute.
const REPORTS_AT_ONCE: LimitSettings = LimitSettings {
    first: 512,
    least: 128,
    most: 4096,
    window: Duration::from_millis(100),
    tolerance: 1.5,
    shares: [1.0; 4],
    patience: Duration::ZERO,
};

/// Screens and plays at once: about a millisecond each, so that under load even the last of the least waits a few tens of
/// them.
fn screens_at_once() -> LimitSettings {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    LimitSettings {
        first: 32 * cores,
        least: 6 * cores,
        patience: Duration::from_millis(8),
        ..LimitSettings::default()
    }
}

async fn admit(State((doorman, tokens)): State<(Arc<Doorman>, Tokens)>, request: Request, next: Next) -> Response {
    doorman.admit(tokens, request, next).await
}

async fn in_turn(State(places): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    // The semaphore is never closed; were it, pictures would be read without a turn.
    let _place = places.acquire().await;
    next.run(request).await
}
