//! Keys and values as they stand on disk.

use matinee_model::ids::{ProfileId, TitleId};
use prost::Message;

use crate::opinion::{Opinion, Thumb, Told, Votes};

/// Between the parts of a key; no id holds it.
const BETWEEN: u8 = 0;

/// What a profile says of a title.
#[derive(Clone, PartialEq, Message)]
pub struct OpinionRow {
    #[prost(uint32, tag = "1")]
    thumb: u32,
    #[prost(int64, tag = "2")]
    rated_us: i64,
    #[prost(int64, optional, tag = "3")]
    listed_us: Option<i64>,
}

impl OpinionRow {
    pub fn of(opinion: Opinion) -> Self {
        let Opinion { thumb, rated_us, listed_us } = opinion;
        let thumb = match thumb {
            Thumb::None => 0,
            Thumb::Down => 1,
            Thumb::Up => 2,
            Thumb::Love => 3,
        };
        Self { thumb, rated_us, listed_us }
    }

    pub fn opinion(self) -> Opinion {
        let thumb = match self.thumb {
            1 => Thumb::Down,
            2 => Thumb::Up,
            3 => Thumb::Love,
            _ => Thumb::None,
        };
        Opinion { thumb, rated_us: self.rated_us, listed_us: self.listed_us }
    }
}

/// How much a profile says, and whether it is deleted.
#[derive(Clone, PartialEq, Message)]
pub struct ProfileRow {
    #[prost(uint32, tag = "1")]
    pub opinions: u32,
    #[prost(uint32, tag = "2")]
    pub listed: u32,
    #[prost(bool, tag = "3")]
    pub gone: bool,
}

/// The votes of a title.
#[derive(Clone, PartialEq, Message)]
pub struct VotesRow {
    #[prost(uint64, tag = "1")]
    down: u64,
    #[prost(uint64, tag = "2")]
    up: u64,
    #[prost(uint64, tag = "3")]
    love: u64,
}

impl VotesRow {
    pub fn of(Votes { down, up, love }: Votes) -> Self {
        Self { down, up, love }
    }

    pub fn votes(self) -> Votes {
        Votes { down: self.down, up: self.up, love: self.love }
    }
}

/// A change that is to be told.
#[derive(Clone, PartialEq, Message)]
pub struct ToldRow {
    #[prost(string, tag = "1")]
    profile: String,
    #[prost(string, tag = "2")]
    title: String,
    #[prost(message, tag = "3")]
    opinion: Option<OpinionRow>,
    #[prost(int64, tag = "4")]
    at_us: i64,
}

impl ToldRow {
    pub fn of(profile: &ProfileId, title: &TitleId, opinion: Opinion, at_us: i64) -> Self {
        let (profile, title) = (profile.as_str().to_owned(), title.as_str().to_owned());
        Self { profile, title, opinion: Some(OpinionRow::of(opinion)), at_us }
    }

    pub fn told(self) -> Result<Told, String> {
        Ok(Told {
            profile: ProfileId::parse(&self.profile).map_err(|error| error.to_string())?,
            title: TitleId::parse(&self.title).map_err(|error| error.to_string())?,
            opinion: self.opinion.unwrap_or_default().opinion(),
            at_us: self.at_us,
        })
    }
}

/// The beginning of a profile's keys.
pub fn prefix(profile: &ProfileId) -> Vec<u8> {
    let mut key = profile.as_str().as_bytes().to_vec();
    key.push(BETWEEN);
    key
}

pub fn opinion_key(profile: &ProfileId, title: &TitleId) -> Vec<u8> {
    let mut key = prefix(profile);
    key.extend_from_slice(title.as_str().as_bytes());
    key
}

/// Sorts the latest first.
pub fn list_key(profile: &ProfileId, listed_us: i64, title: &TitleId) -> Vec<u8> {
    let mut key = prefix(profile);
    key.extend_from_slice(&(i64::MAX - listed_us.max(0)).to_be_bytes());
    key.extend_from_slice(title.as_str().as_bytes());
    key
}

/// The number that a key or a value is.
pub fn number(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))
}
