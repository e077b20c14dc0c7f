//! The columns of each topic, and events as rows of them.
//!
//! Every topic has `offset` (the event's number in its topic) and `logged` (when it was appended). Numbers are signed, as
//! Spark and others read no unsigned ones; durations end in `_us` (microseconds) or `_ms`; times are Parquet timestamps
//! in microseconds, UTC; texts are never null, and empty where nothing is known.
//!
//! | topic | columns |
//! |---|---|
//! | heartbeats | account, profile, device, territory, network, title, session, sequence (32 bit), position_us, duration_us, at (time, corrected), received (time), state (playing, paused, stalled, ended or empty), start_ms, stalls, stalled_ms, bits_per_second, throughput_bits_per_second, height, dropped_frames (32 bit), error |
//! | segments | territory, network (both as the session's heartbeats say), object (manifest, audio, video, muxed, init, caption, timed-text, key, other or empty), bits_per_second, throughput_bits_per_second, buffer_ms (32 bit; -1: not said), starved, startup, cached (boolean), at (time) |
//! | ratings | profile, title, thumb (none, down, up, love), rated (time), listed (boolean), listed_at (time), at (time) |
//! | catalog | title, deleted (boolean), name, kind (movie, series, episode), series, season, episode, year, genres (list of text), people (list of text), maturity_age (32 bit), original_language, duration_us, version, published (time), revision, at (time) |
//! | subscriptions | account, plan, state, until (time), at (time) |
//! | accounts | account, what (made, deleted, profile_deleted or empty), territory, profiles (list of text: those that were deleted), at (time) |
//!
//! A time of 0 is one that is not known. Rows of segments say how delivery went, and nothing of who watched what: neither
//! session nor title stands in them, so that there is nothing to take out when somebody is deleted.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, ListBuilder, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use matinee_contracts::catalog::TitleKind;
use matinee_contracts::events::{
    AccountChanged, Heartbeat, OpinionChanged, SegmentRequested, SubscriptionChanged, TitleChanged, account_changed,
};
use matinee_contracts::ratings::Thumb;
use matinee_contracts::telemetry::{Beat, PlayState, Quality, SegmentRequest};
use matinee_engines::events::Event;
use prost::Message;

use crate::error::LakeError;

/// The version of the columns; it stands in each file's metadata as `matinee.columns`.
pub const VERSION: &str = "1";

/// What the lake takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// What is watched.
    Heartbeats,
    /// How segments came, as players say.
    Segments,
    /// What is thought of titles.
    Ratings,
    /// What the catalogue says.
    Catalog,
    /// What became of subscriptions.
    Subscriptions,
    /// What became of accounts.
    Accounts,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Heartbeats, Self::Segments, Self::Ratings, Self::Catalog, Self::Subscriptions, Self::Accounts];

    /// Its name in the event log and in the lake.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Heartbeats => "heartbeats",
            Self::Segments => "segments",
            Self::Ratings => "ratings",
            Self::Catalog => "catalog",
            Self::Subscriptions => "subscriptions",
            Self::Accounts => "accounts",
        }
    }

    /// The topic of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }

    /// The columns that say whose a row is.
    #[must_use]
    pub fn owners(self) -> &'static [&'static str] {
        match self {
            Self::Heartbeats => &["account", "profile"],
            Self::Ratings => &["profile"],
            Self::Segments | Self::Catalog => &[],
            Self::Subscriptions | Self::Accounts => &["account"],
        }
    }

    /// Its columns.
    pub fn schema(self) -> Result<SchemaRef, LakeError> {
        Ok(self.rows(&[])?.schema())
    }

    /// Events as rows. One that can't be read is logged and left out.
    pub fn rows(self, events: &[Event]) -> Result<RecordBatch, LakeError> {
        let columns = match self {
            Self::Heartbeats => heartbeats(&read(events)),
            Self::Segments => segments(&read(events)),
            Self::Ratings => ratings(&read(events)),
            Self::Catalog => catalog(&read(events)),
            Self::Subscriptions => subscriptions(&read(events)),
            Self::Accounts => accounts(&read(events)),
        };
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, its)| (name, its, false)));
        batch.map_err(|error| LakeError::Encode { topic: self.name(), reason: error.to_string() })
    }
}

type Columns = Vec<(&'static str, ArrayRef)>;

/// An event and what it says.
struct Row<'e, M> {
    event: &'e Event,
    says: M,
}

fn read<M: Message + Default>(events: &[Event]) -> Vec<Row<'_, M>> {
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        match M::decode(event.payload.as_ref()) {
            Ok(says) => rows.push(Row { event, says }),
            Err(error) => {
                tracing::warn!(event = event.offset, %error, "an event can't be read and is left out of the lake");
            }
        }
    }
    rows
}

fn text<'r, M>(rows: &'r [Row<'_, M>], of: impl Fn(&'r M) -> &'r str) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(rows.iter().map(|row| of(&row.says))))
}

fn texts<'r, M>(rows: &'r [Row<'_, M>], of: impl Fn(&'r M) -> Vec<&'r str>) -> ArrayRef {
    let mut list = ListBuilder::new(StringBuilder::new());
    for row in rows {
        of(&row.says).into_iter().for_each(|one| list.values().append_value(one));
        list.append(true);
    }
    Arc::new(list.finish())
}

/// Of up to 63 bits; a larger number, which no one measures, becomes the largest.
fn long<M>(rows: &[Row<'_, M>], of: impl Fn(&M) -> u64) -> ArrayRef {
    let value = |row: &Row<M>| i64::try_from(of(&row.says)).unwrap_or(i64::MAX);
    Arc::new(Int64Array::from_iter_values(rows.iter().map(value)))
}

fn int<M>(rows: &[Row<'_, M>], of: impl Fn(&M) -> u32) -> ArrayRef {
    let value = |row: &Row<M>| i32::try_from(of(&row.says)).unwrap_or(i32::MAX);
    Arc::new(Int32Array::from_iter_values(rows.iter().map(value)))
}

fn flag<M>(rows: &[Row<'_, M>], of: impl Fn(&M) -> bool) -> ArrayRef {
    Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(of(&row.says)))))
}

fn time<M>(rows: &[Row<'_, M>], of: impl Fn(&Row<'_, M>) -> i64) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(of)).with_timezone("UTC"))
}

/// What all topics have.
fn logged<M>(rows: &[Row<'_, M>]) -> Columns {
    let offset = |row: &Row<M>| i64::try_from(row.event.offset).unwrap_or(i64::MAX);
    let offsets: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(offset)));
    vec![("offset", offsets), ("logged", time(rows, |row| row.event.at_us))]
}

fn beat(of: &Heartbeat) -> Option<&Beat> {
    of.beat.as_ref()
}

fn quality(of: &Heartbeat) -> Option<&Quality> {
    beat(of)?.quality.as_ref()
}

fn heartbeats(rows: &[Row<'_, Heartbeat>]) -> Columns {
    let mut columns = logged(rows);
    columns.extend([
        ("account", text(rows, |of| &of.account)),
        ("profile", text(rows, |of| &of.profile)),
        ("device", text(rows, |of| &of.device)),
        ("territory", text(rows, |of| &of.territory)),
        ("network", text(rows, |of| &of.network)),
        ("title", text(rows, |of| beat(of).map_or("", |beat| &beat.title))),
        ("session", text(rows, |of| beat(of).map_or("", |beat| &beat.session))),
        ("sequence", int(rows, |of| beat(of).map_or(0, |beat| beat.sequence))),
        ("position_us", long(rows, |of| beat(of).map_or(0, |beat| beat.position_us))),
        ("duration_us", long(rows, |of| beat(of).map_or(0, |beat| beat.duration_us))),
        ("at", time(rows, |row| beat(&row.says).map_or(0, |beat| beat.at_us))),
        ("received", time(rows, |row| row.says.received_us)),
        ("state", text(rows, |of| state(beat(of).map_or(PlayState::Unspecified, Beat::state)))),
        ("start_ms", int(rows, |of| quality(of).map_or(0, |quality| quality.start_ms))),
        ("stalls", int(rows, |of| quality(of).map_or(0, |quality| quality.stalls))),
        ("stalled_ms", int(rows, |of| quality(of).map_or(0, |quality| quality.stalled_ms))),
        ("bits_per_second", int(rows, |of| quality(of).map_or(0, |quality| quality.bits_per_second))),
        (
            "throughput_bits_per_second",
            long(rows, |of| quality(of).map_or(0, |quality| quality.throughput_bits_per_second)),
        ),
        ("height", int(rows, |of| quality(of).map_or(0, |quality| quality.height))),
        ("dropped_frames", int(rows, |of| quality(of).map_or(0, |quality| quality.dropped_frames))),
        ("error", text(rows, |of| quality(of).map_or("", |quality| &quality.error))),
    ]);
    columns
}

fn segments(rows: &[Row<'_, SegmentRequested>]) -> Columns {
    let number = |of: fn(&SegmentRequest) -> u64| long(rows, |row| row.request.as_ref().map_or(0, of));
    let yes = |of: fn(&SegmentRequest) -> bool| flag(rows, |row| row.request.as_ref().is_some_and(of));
    let buffer = |row: &Row<SegmentRequested>| {
        let said = row.says.request.as_ref().and_then(|request| request.buffer_ms);
        said.map_or(-1, |buffer_ms| i32::try_from(buffer_ms).unwrap_or(i32::MAX))
    };
    let mut columns = logged(rows);
    columns.extend([
        ("territory", text(rows, |of| &of.territory)),
        ("network", text(rows, |of| &of.network)),
        ("object", text(rows, |of| of.request.as_ref().map_or("", |request| &request.object))),
        ("bits_per_second", number(|request| request.bits_per_second)),
        ("throughput_bits_per_second", number(|request| request.throughput_bits_per_second)),
        ("buffer_ms", Arc::new(Int32Array::from_iter_values(rows.iter().map(buffer)))),
        ("starved", yes(|request| request.starved)),
        ("startup", yes(|request| request.startup)),
        ("cached", yes(|request| request.cached)),
        ("at", time(rows, |row| row.says.request.as_ref().map_or(0, |request| request.at_us))),
    ]);
    columns
}

fn state(state: PlayState) -> &'static str {
    match state {
        PlayState::Unspecified => "",
        PlayState::Playing => "playing",
        PlayState::Paused => "paused",
        PlayState::Stalled => "stalled",
        PlayState::Ended => "ended",
    }
}

fn ratings(rows: &[Row<'_, OpinionChanged>]) -> Columns {
    let opinion = |of: &OpinionChanged| of.opinion.clone().unwrap_or_default();
    let thumb = |of: &OpinionChanged| match opinion(of).thumb() {
        Thumb::Unspecified => "none",
        Thumb::Down => "down",
        Thumb::Up => "up",
        Thumb::Love => "love",
    };
    let mut columns = logged(rows);
    columns.extend([
        ("profile", text(rows, |of| &of.profile)),
        ("title", text(rows, |of| of.opinion.as_ref().map_or("", |opinion| &opinion.title))),
        ("thumb", text(rows, thumb)),
        ("rated", time(rows, |row| opinion(&row.says).rated_us)),
        ("listed", flag(rows, |of| opinion(of).listed)),
        ("listed_at", time(rows, |row| opinion(&row.says).listed_us)),
        ("at", time(rows, |row| row.says.at_us)),
    ]);
    columns
}

fn catalog(rows: &[Row<'_, TitleChanged>]) -> Columns {
    let nothing = matinee_contracts::catalog::Title::default();
    let kind = |of: &TitleChanged| match of.title.as_ref().map(matinee_contracts::catalog::Title::kind) {
        Some(TitleKind::Series) => "series",
        Some(TitleKind::Episode) => "episode",
        Some(TitleKind::Movie | TitleKind::Unspecified) | None => "movie",
    };
    let mut columns = logged(rows);
    let number = |of: fn(&matinee_contracts::catalog::Title) -> u32| int(rows, |row| row.title.as_ref().map_or(0, of));
    let word = |of: fn(&matinee_contracts::catalog::Title) -> &str| text(rows, |row| row.title.as_ref().map_or("", of));
    columns.extend([
        ("title", word(|title| &title.id)),
        ("deleted", flag(rows, |of| of.deleted)),
        ("name", word(|title| &title.name)),
        ("kind", text(rows, kind)),
        ("series", word(|title| &title.series)),
        ("season", number(|title| title.season)),
        ("episode", number(|title| title.episode)),
        ("year", number(|title| title.year)),
        ("genres", texts(rows, |of| of.title.iter().flat_map(|t| &t.genres).map(String::as_str).collect())),
        ("people", texts(rows, |of| of.title.iter().flat_map(|t| &t.people).map(|p| p.person.as_str()).collect())),
        ("maturity_age", number(|title| title.maturity_age)),
        ("original_language", word(|title| &title.original_language)),
        ("duration_us", long(rows, |of| of.title.as_ref().map_or(0, |title| title.duration_us))),
        ("version", word(|title| &title.version)),
        ("published", time(rows, |row| row.says.title.as_ref().unwrap_or(&nothing).published_us)),
        ("revision", long(rows, |of| of.title.as_ref().map_or(0, |title| title.revision))),
        ("at", time(rows, |row| row.says.at_us)),
    ]);
    columns
}

fn subscriptions(rows: &[Row<'_, SubscriptionChanged>]) -> Columns {
    let mut columns = logged(rows);
    columns.extend([
        ("account", text(rows, |of| &of.account)),
        ("plan", text(rows, |of| &of.plan)),
        ("state", text(rows, |of| &of.state)),
        ("until", time(rows, |row| row.says.until_us)),
        ("at", time(rows, |row| row.says.at_us)),
    ]);
    columns
}

/// What the column "what" says where rows are of erased ones.
pub const DELETED: [&str; 2] = ["deleted", "profile_deleted"];

fn accounts(rows: &[Row<'_, AccountChanged>]) -> Columns {
    use account_changed::What;
    let what = |of: &AccountChanged| match &of.what {
        Some(What::Made(_)) => "made",
        Some(What::Deleted(_)) => DELETED[0],
        Some(What::ProfileDeleted(_)) => DELETED[1],
        None => "",
    };
    let territory = |of: &'_ AccountChanged| match &of.what {
        Some(What::Made(made)) => made.territory.clone(),
        _ => String::new(),
    };
    let territories: Vec<String> = rows.iter().map(|row| territory(&row.says)).collect();
    let mut columns = logged(rows);
    columns.extend([
        ("account", text(rows, |of| &of.account)),
        ("what", text(rows, what)),
        ("territory", Arc::new(StringArray::from_iter_values(territories)) as ArrayRef),
        (
            "profiles",
            texts(rows, |of| match &of.what {
                Some(What::Deleted(deleted)) => deleted.profiles.iter().map(String::as_str).collect(),
                Some(What::ProfileDeleted(deleted)) => vec![deleted.profile.as_str()],
                _ => Vec::new(),
            }),
        ),
        ("at", time(rows, |row| row.says.at_us)),
    ]);
    columns
}
