//! Device adapters: TV, mobile and web, each with the fields, artwork sizes and rows that its screen wants.
//!
//! A screen is put together of what several services say, asked side by side. Only what a screen is of must answer: for
//! the rest there is a short time and something to show instead, so that a viewer never sees that a service is down.
//!
//! | does not answer | what is shown |
//! |---|---|
//! | recommend | the top ten of the territory as it was last, else the newest titles; `stale` is true |
//! | ratings | titles without a score |
//! | history | titles without progress |
//! | accounts, billing | no profile's name; a title counts as playable until it is played |
//! | catalog | what was shown before; of a title's page at least what its card knows |
//! | search | a problem, of the search alone |

mod answer;
mod card;
mod device;
mod film;
mod headings;
mod history;
mod home;
mod opinions;
mod optional;
mod play;
mod scores;
mod search;
mod shelf;
mod title_page;
mod top;

use std::sync::Arc;
use std::time::Duration;

use matinee_contracts::accounts::accounts_client::AccountsClient;
use matinee_contracts::billing::billing_client::BillingClient;
use matinee_contracts::catalog::catalog_client::CatalogClient;
use matinee_contracts::history::history_client::HistoryClient;
use matinee_contracts::playback::playback_client::PlaybackClient;
use matinee_contracts::ratings::ratings_client::RatingsClient;
use matinee_contracts::recommend::recommend_client::RecommendClient;
use matinee_contracts::search::search_client::SearchClient;
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::optional::Optional;
use crate::scores::Scores;
use crate::shelf::Shelf;
use crate::top::Top;

pub use device::{Device, Shape};

/// The services of which screens are made.
#[derive(Debug, Clone)]
pub struct Services {
    /// Titles.
    pub catalog: CatalogClient<Channel>,
    /// Rows.
    pub recommend: RecommendClient<Channel>,
    /// Scores, thumbs and lists.
    pub ratings: RatingsClient<Channel>,
    /// Where viewers stopped.
    pub history: HistoryClient<Channel>,
    /// Search.
    pub search: SearchClient<Channel>,
    /// What an account may watch with.
    pub billing: BillingClient<Channel>,
    /// Profiles.
    pub accounts: AccountsClient<Channel>,
    /// Sessions.
    pub playback: PlaybackClient<Channel>,
}

/// How long a screen waits for what it can do without.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For rows and similar titles.
    pub recommend: Duration,
    /// For scores, thumbs and lists.
    pub ratings: Duration,
    /// For progress.
    pub history: Duration,
    /// For the profile's name.
    pub accounts: Duration,
    /// For whether an account may play.
    pub billing: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            recommend: Duration::from_millis(300),
            ratings: Duration::from_millis(150),
            history: Duration::from_millis(200),
            accounts: Duration::from_millis(150),
            billing: Duration::from_millis(150),
        }
    }
}

#[derive(Debug)]
struct Optionals {
    recommend: Optional,
    ratings: Optional,
    history: Optional,
    accounts: Optional,
    billing: Optional,
}

/// What the routes' addresses are made of.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(Device)))]
struct Described;

/// The adapters. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Devices {
    services: Services,
    optional: Arc<Optionals>,
    shelf: Shelf,
    scores: Scores,
    top: Arc<Top>,
    clock: Arc<dyn Clock>,
}

impl Devices {
    /// Over these services.
    #[must_use]
    pub fn new(services: Services, patience: Patience, clock: Arc<dyn Clock>) -> Self {
        let optional = Optionals {
            recommend: Optional::new("recommend", patience.recommend),
            ratings: Optional::new("ratings", patience.ratings),
            history: Optional::new("history", patience.history),
            accounts: Optional::new("accounts", patience.accounts),
            billing: Optional::new("billing", patience.billing),
        };
        Self {
            optional: Arc::new(optional),
            shelf: Shelf::new(services.catalog.clone()),
            scores: Scores::default(),
            top: Arc::default(),
            clock,
            services,
        }
    }

    /// Keeps what a home falls back to at hand, until `stop`.
    pub async fn maintain(&self, stop: CancellationToken) {
        top::maintain(self, stop).await;
    }

    /// The adapters' routes, which stand behind the door: each needs its [`matinee_service::viewer::Viewer`].
    pub fn router(&self) -> OpenApiRouter {
        routes().with_state(self.clone())
    }
}

fn routes() -> OpenApiRouter<Devices> {
    OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(home::home))
        .routes(routes!(title_page::title))
        .routes(routes!(search::search))
        .routes(routes!(play::play))
        .routes(routes!(play::play_plainly))
        .routes(routes!(opinions::rate))
        .routes(routes!(opinions::list))
        .routes(routes!(opinions::put, opinions::remove))
}

/// What the adapters serve, for programs.
#[must_use]
pub fn described() -> utoipa::openapi::OpenApi {
    routes().into_openapi()
}
