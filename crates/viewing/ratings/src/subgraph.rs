//! The ratings' part of the graph: what others and the viewer say of a title, and the viewer's list.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, ID, Object, Result};
use matinee_contracts::ratings as contract;
use matinee_contracts::ratings::ratings_client::RatingsClient;
use matinee_contracts::ratings::{
    Listing, MyListRequest, Opinion, OpinionsRequest, RateRequest, ScoresRequest, SetListedRequest,
};
use matinee_contracts::viewer::Viewer;
use matinee_service::channel::Channel;
use matinee_service::subgraph::{Schemed, Subgraph, loader, profile, refused, viewer};
use tonic::Status;

/// The subgraph, over the service wherever it is.
#[must_use]
pub fn subgraph(ratings: RatingsClient<Channel>) -> Arc<dyn Subgraph> {
    let (queries, mutations) = (Query { ratings: ratings.clone() }, Mutation { ratings: ratings.clone() });
    let said = move |viewer: &Viewer| Said { ratings: ratings.clone(), profile: viewer.profile.clone() };
    Arc::new(Schemed::new("ratings", queries, mutations).batching(said))
}

/// What is said of titles, by everybody and by the viewer.
struct Said {
    ratings: RatingsClient<Channel>,
    profile: String,
}

/// A title whose score is asked for.
#[derive(Clone, PartialEq, Eq, Hash)]
struct ScoreOf(String);

/// A title of which the viewer may have said something.
#[derive(Clone, PartialEq, Eq, Hash)]
struct OpinionOf(String);

impl Loader<ScoreOf> for Said {
    type Value = contract::Score;
    type Error = Status;

    async fn load(&self, titles: &[ScoreOf]) -> std::result::Result<HashMap<ScoreOf, contract::Score>, Status> {
        let request = ScoresRequest { titles: titles.iter().map(|title| title.0.clone()).collect() };
        let scores = self.ratings.clone().scores(request).await?.into_inner().scores;
        Ok(scores.into_iter().map(|score| (ScoreOf(score.title.clone()), score)).collect())
    }
}

impl Loader<OpinionOf> for Said {
    type Value = Opinion;
    type Error = Status;

    async fn load(&self, titles: &[OpinionOf]) -> std::result::Result<HashMap<OpinionOf, Opinion>, Status> {
        let titles = titles.iter().map(|title| title.0.clone()).collect();
        let request = OpinionsRequest { profile: self.profile.clone(), titles };
        let opinions = self.ratings.clone().opinions(request).await?.into_inner().opinions;
        Ok(opinions.into_iter().map(|opinion| (OpinionOf(opinion.title.clone()), opinion)).collect())
    }
}

/// What a viewer says of a title.
#[derive(Enum, Copy, Clone, PartialEq, Eq)]
enum Thumb {
    None,
    Down,
    Up,
    Love,
}

impl From<Thumb> for contract::Thumb {
    fn from(thumb: Thumb) -> Self {
        match thumb {
            Thumb::None => Self::Unspecified,
            Thumb::Down => Self::Down,
            Thumb::Up => Self::Up,
            Thumb::Love => Self::Love,
        }
    }
}

impl From<contract::Thumb> for Thumb {
    fn from(thumb: contract::Thumb) -> Self {
        match thumb {
            contract::Thumb::Unspecified => Self::None,
            contract::Thumb::Down => Self::Down,
            contract::Thumb::Up => Self::Up,
            contract::Thumb::Love => Self::Love,
        }
    }
}

struct Title {
    id: ID,
}

impl Title {
    async fn opinion(&self, context: &Context<'_>) -> Result<Option<Opinion>> {
        if viewer(context).profile.is_empty() {
            return Ok(None);
        }
        let title = OpinionOf(self.id.to_string());
        loader::<Said>(context)?.load_one(title).await.map_err(|status| refused(&status))
    }
}

#[Object]
impl Title {
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The lower bound of the share of those who like it, 0 to 100; nothing where nobody rated it.
    async fn score(&self, context: &Context<'_>) -> Result<Option<f64>> {
        let title = ScoreOf(self.id.to_string());
        let score = loader::<Said>(context)?.load_one(title).await.map_err(|status| refused(&status))?;
        let rated = |score: &contract::Score| score.up + score.down + score.love > 0;
        Ok(score.filter(rated).map(|score| score.percent))
    }

    /// The viewer's.
    async fn thumb(&self, context: &Context<'_>) -> Result<Option<Thumb>> {
        Ok(self.opinion(context).await?.map(|opinion| opinion.thumb().into()))
    }

    /// Whether it is on the viewer's list.
    async fn listed(&self, context: &Context<'_>) -> Result<Option<bool>> {
        Ok(self.opinion(context).await?.map(|opinion| opinion.listed))
    }
}

struct Query {
    ratings: RatingsClient<Channel>,
}

#[Object]
impl Query {
    /// The viewer's list, the latest first.
    async fn my_list(&self, context: &Context<'_>, #[graphql(default = 50)] first: u32) -> Result<Vec<Title>> {
        let request = MyListRequest { profile: profile(context)?, limit: first.clamp(1, 500) };
        let listed = self.ratings.clone().my_list(request).await.map_err(|status| refused(&status))?.into_inner();
        let title = |opinion: Opinion| Title { id: opinion.title.into() };
        Ok(listed.titles.into_iter().map(title).collect())
    }

    #[graphql(entity)]
    async fn find_title(&self, id: ID) -> Title {
        Title { id }
    }
}

struct Mutation {
    ratings: RatingsClient<Channel>,
}

#[Object]
impl Mutation {
    /// Says something of a title, or takes it back.
    async fn rate(&self, context: &Context<'_>, title: ID, thumb: Thumb) -> Result<Title> {
        let thumb = contract::Thumb::from(thumb).into();
        let request = RateRequest { profile: profile(context)?, title: title.to_string(), thumb };
        self.ratings.clone().rate(request).await.map_err(|status| refused(&status))?;
        Ok(Title { id: title })
    }

    /// Puts a title on the viewer's list, or takes it off.
    async fn set_listed(&self, context: &Context<'_>, title: ID, listed: bool) -> Result<Title> {
        let listing = if listed { Listing::Listed } else { Listing::Unlisted };
        let request =
            SetListedRequest { profile: profile(context)?, title: title.to_string(), listing: listing.into() };
        self.ratings.clone().set_listed(request).await.map_err(|status| refused(&status))?;
        Ok(Title { id: title })
    }
}
