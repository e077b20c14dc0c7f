//! The gRPC contract over the store.

use std::path::Path;
use std::sync::Arc;

use matinee_contracts::ratings as contract;
use matinee_contracts::ratings::ratings_server::{Ratings, RatingsServer};
use matinee_contracts::ratings::{
    EraseReply, EraseRequest, Listing, MyListReply, MyListRequest, OpinionsReply, OpinionsRequest, RateRequest, Score,
    ScoresReply, ScoresRequest, SetListedRequest,
};
use matinee_engines::events::Events;
use matinee_model::ids::{ProfileId, TitleId};
use matinee_service::clock::{Clock, SystemClock};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::announce::announce;
use crate::consume::consume;
use crate::error::RatingsError;
use crate::opinion::{Change, Opinion, Thumb};
use crate::store::{EmbeddedRatings, Fate, MOST_LISTED, RatingsStore};

/// Titles of a list where the caller names no limit.
const LISTED: u32 = 100;
/// Titles about which may be asked at once.
const MOST_ASKED: usize = 500;

/// Ratings. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RatingsService {
    store: Arc<dyn RatingsStore>,
    clock: Arc<dyn Clock>,
    /// Something changed in this process.
    news: Arc<Notify>,
}

impl RatingsService {
    /// Over the embedded store in `folder`.
    pub async fn open(folder: &Path) -> Result<Self, RatingsError> {
        Ok(Self::new(Arc::new(EmbeddedRatings::open(folder).await?), Arc::new(SystemClock)))
    }

    /// Over any store, by any clock.
    #[must_use]
    pub fn new(store: Arc<dyn RatingsStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, news: Arc::default() }
    }

    /// The contract, to be called or hosted.
    #[must_use]
    pub fn server(&self) -> RatingsServer<Self> {
        RatingsServer::new(self.clone())
    }

    /// Tells `log` what changes, until `stop`. One process of an installation does so.
    pub async fn announce(&self, log: Events, stop: CancellationToken) {
        announce(Arc::clone(&self.store), log, Arc::clone(&self.news), stop).await;
    }

    /// Forgets accounts and profiles that `log` says are deleted, until `stop`. One process of an installation does so.
    pub async fn consume(&self, log: Events, stop: CancellationToken) {
        consume(log, Arc::clone(&self.store), || self.news.notify_one(), stop).await;
    }

    async fn change(&self, profile: &str, title: &str, change: Change) -> Result<contract::Opinion, RatingsError> {
        let (profile, title) = (profile_id(profile)?, title_id("title", title)?);
        let opinion = self.store.change(&profile, &title, change, self.clock.now_us()).await?;
        self.news.notify_one();
        Ok(message(&title, opinion))
    }
}

fn profile_id(text: &str) -> Result<ProfileId, RatingsError> {
    ProfileId::parse(text).map_err(|error| RatingsError::Field { field: "profile", reason: error.to_string() })
}

fn title_id(field: &'static str, text: &str) -> Result<TitleId, RatingsError> {
    TitleId::parse(text).map_err(|error| RatingsError::Field { field, reason: error.to_string() })
}

fn title_ids(titles: &[String]) -> Result<Vec<TitleId>, RatingsError> {
    if titles.len() > MOST_ASKED {
        let reason = format!("{} titles are asked about, at most {MOST_ASKED} can be", titles.len());
        return Err(RatingsError::Field { field: "titles", reason });
    }
    titles.iter().map(|title| title_id("titles", title)).collect()
}

/// An opinion as the contract says it.
pub(crate) fn message(title: &TitleId, opinion: Opinion) -> contract::Opinion {
    let thumb = match opinion.thumb {
        Thumb::None => contract::Thumb::Unspecified,
        Thumb::Down => contract::Thumb::Down,
        Thumb::Up => contract::Thumb::Up,
        Thumb::Love => contract::Thumb::Love,
    };
    contract::Opinion {
        title: title.as_str().to_owned(),
        thumb: thumb.into(),
        rated_us: opinion.rated_us,
        listed: opinion.listed_us.is_some(),
        listed_us: opinion.listed_us.unwrap_or(0),
    }
}

#[tonic::async_trait]
impl Ratings for RatingsService {
    async fn rate(&self, request: Request<RateRequest>) -> Result<Response<contract::Opinion>, Status> {
        let RateRequest { profile, title, thumb } = request.into_inner();
        let thumb = match contract::Thumb::try_from(thumb) {
            Ok(contract::Thumb::Unspecified) => Thumb::None,
            Ok(contract::Thumb::Down) => Thumb::Down,
            Ok(contract::Thumb::Up) => Thumb::Up,
            Ok(contract::Thumb::Love) => Thumb::Love,
            Err(_) => {
                let reason = format!("{thumb} is none of 0 (none), 1 (down), 2 (up) and 3 (love)");
                return Err(RatingsError::Field { field: "thumb", reason }.into());
            }
        };
        Ok(Response::new(self.change(&profile, &title, Change::Rate(thumb)).await?))
    }

    async fn scores(&self, request: Request<ScoresRequest>) -> Result<Response<ScoresReply>, Status> {
        let titles = title_ids(&request.get_ref().titles)?;
        let votes = self.store.votes(&titles).await?;
        let score = |(title, votes): (TitleId, crate::opinion::Votes)| Score {
            title: title.into(),
            up: votes.up,
            down: votes.down,
            love: votes.love,
            percent: votes.percent(),
        };
        Ok(Response::new(ScoresReply { scores: titles.into_iter().zip(votes).map(score).collect() }))
    }

    async fn opinions(&self, request: Request<OpinionsRequest>) -> Result<Response<OpinionsReply>, Status> {
        let OpinionsRequest { profile, titles } = request.into_inner();
        let (profile, titles) = (profile_id(&profile)?, title_ids(&titles)?);
        let found = if titles.is_empty() {
            self.store.said(&profile).await?
        } else {
            let opinions = self.store.opinions(&profile, &titles).await?;
            titles.into_iter().zip(opinions).collect()
        };
        let opinions = found.into_iter().map(|(title, opinion)| message(&title, opinion)).collect();
        Ok(Response::new(OpinionsReply { opinions }))
    }

    async fn set_listed(&self, request: Request<SetListedRequest>) -> Result<Response<contract::Opinion>, Status> {
        let SetListedRequest { profile, title, listing } = request.into_inner();
        let change = match Listing::try_from(listing) {
            Ok(Listing::Listed) => Change::List,
            Ok(Listing::Unlisted) => Change::Unlist,
            _ => {
                let reason = format!("{listing} is neither 1 (listed) nor 2 (unlisted)");
                return Err(RatingsError::Field { field: "listing", reason }.into());
            }
        };
        Ok(Response::new(self.change(&profile, &title, change).await?))
    }

    async fn my_list(&self, request: Request<MyListRequest>) -> Result<Response<MyListReply>, Status> {
        let MyListRequest { profile, limit } = request.into_inner();
        let most = if limit == 0 { LISTED } else { limit.min(MOST_LISTED) };
        let found = self.store.list(&profile_id(&profile)?, most as usize).await?;
        let titles = found.into_iter().map(|(title, opinion)| message(&title, opinion)).collect();
        Ok(Response::new(MyListReply { titles }))
    }

    async fn erase(&self, request: Request<EraseRequest>) -> Result<Response<EraseReply>, Status> {
        let profile = profile_id(&request.get_ref().profile)?;
        self.store.erase(&profile, Fate::Stays, self.clock.now_us()).await?;
        self.news.notify_one();
        Ok(Response::new(EraseReply {}))
    }
}
