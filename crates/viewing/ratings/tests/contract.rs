//! Ratings, through their contract and the event log.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use matinee_contracts::events::account_changed::What;
use matinee_contracts::events::{AccountChanged, AccountDeleted, OpinionChanged, ProfileDeleted};
use matinee_contracts::ratings::ratings_client::RatingsClient;
use matinee_contracts::ratings::{
    EraseRequest, Listing, MyListRequest, Opinion, OpinionsRequest, RateRequest, Score, ScoresRequest,
    SetListedRequest, Thumb,
};
use matinee_engines::events::{self, EventLogConfig, Events};
use matinee_ratings::store::{EmbeddedRatings, MOST_LISTED, RatingsStore};
use matinee_ratings::{RatingsService, announce, consume};
use matinee_service::channel::Channel;
use matinee_service::clock::Clock;
use proptest::prelude::*;
use prost::Message;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Code;

const SOON: Duration = Duration::from_secs(20);

/// A clock that moves by one with each look.
#[derive(Debug, Default)]
struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now_us(&self) -> i64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

struct World {
    client: RatingsClient<Channel>,
    store: Arc<EmbeddedRatings>,
    log: Events,
    stop: CancellationToken,
    loops: Vec<JoinHandle<()>>,
}

impl World {
    async fn open(folder: &Path) -> Self {
        let mut world = Self::without_loops(folder, Arc::default()).await;
        let service = RatingsService::new(world.store.clone(), Arc::new(Ticks::default()));
        world.client = RatingsClient::new(Channel::local(service.server()));
        let (told, heard) = (service.clone(), service);
        let (log, stop) = (world.log.clone(), world.stop.clone());
        world.loops.push(tokio::spawn(async move { told.announce(log, stop).await }));
        let (log, stop) = (world.log.clone(), world.stop.clone());
        world.loops.push(tokio::spawn(async move { heard.consume(log, stop).await }));
        world
    }

    async fn without_loops(folder: &Path, clock: Arc<Ticks>) -> Self {
        let store = Arc::new(EmbeddedRatings::open(&folder.join("ratings")).await.unwrap());
        let log = events::open(&folder.join("events"), EventLogConfig::default()).await.unwrap();
        let service = RatingsService::new(store.clone(), clock);
        let client = RatingsClient::new(Channel::local(service.server()));
        Self { client, store, log, stop: CancellationToken::new(), loops: Vec::new() }
    }

    async fn close(self) {
        self.stop.cancel();
        for one in self.loops {
            one.await.unwrap();
        }
    }

    async fn rate(&self, profile: &str, title: &str, thumb: Thumb) -> Result<Opinion, tonic::Status> {
        let request = RateRequest { profile: profile.to_owned(), title: title.to_owned(), thumb: thumb.into() };
        self.client.clone().rate(request).await.map(tonic::Response::into_inner)
    }

    async fn set_listed(&self, profile: &str, title: &str, listing: Listing) -> Result<Opinion, tonic::Status> {
        let request =
            SetListedRequest { profile: profile.to_owned(), title: title.to_owned(), listing: listing.into() };
        self.client.clone().set_listed(request).await.map(tonic::Response::into_inner)
    }

    async fn list(&self, profile: &str) -> Vec<String> {
        let request = MyListRequest { profile: profile.to_owned(), limit: 0 };
        let reply = self.client.clone().my_list(request).await.unwrap().into_inner();
        reply.titles.into_iter().map(|opinion| opinion.title).collect()
    }

    async fn said(&self, profile: &str, titles: &[&str]) -> Vec<Opinion> {
        let titles = titles.iter().map(|&title| title.to_owned()).collect();
        let request = OpinionsRequest { profile: profile.to_owned(), titles };
        self.client.clone().opinions(request).await.unwrap().into_inner().opinions
    }

    async fn erase(&self, profile: &str) {
        self.client.clone().erase(EraseRequest { profile: profile.to_owned() }).await.unwrap();
    }

    async fn score(&self, title: &str) -> Score {
        let request = ScoresRequest { titles: vec![title.to_owned()] };
        self.client.clone().scores(request).await.unwrap().into_inner().scores.remove(0)
    }

    async fn votes(&self, title: &str) -> (u64, u64, u64) {
        let score = self.score(title).await;
        (score.down, score.up, score.love)
    }

    /// The first `count` changes that were told.
    async fn told(&self, count: u64) -> Vec<OpinionChanged> {
        tokio::time::timeout(SOON, self.log.wait(announce::TOPIC, count - 1)).await.unwrap().unwrap();
        let events = self.log.read(announce::TOPIC, 0, 1_000).await.unwrap();
        events.into_iter().map(|event| OpinionChanged::decode(event.payload).unwrap()).collect()
    }

    async fn account_event(&self, payload: Vec<u8>) {
        let offset = self.log.append(consume::TOPIC, "a1", payload.into()).await.unwrap();
        let read = async {
            while self.store.next().await.unwrap() <= offset {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(SOON, read).await.unwrap();
    }
}

fn changed(what: What) -> Vec<u8> {
    AccountChanged { account: "a1".to_owned(), what: Some(what), at_us: 1 }.encode_to_vec()
}

#[tokio::test]
async fn thumbs_are_counted_once_and_change_their_minds() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    assert!(world.score("film").await.percent == 0.0);
    for profile in ["p1", "p2", "p1"] {
        world.rate(profile, "film", Thumb::Up).await.unwrap();
    }
    world.rate("p3", "film", Thumb::Love).await.unwrap();
    assert_eq!(world.votes("film").await, (0, 2, 1));
    let liked = world.score("film").await.percent;
    world.rate("p2", "film", Thumb::Down).await.unwrap();
    assert_eq!(world.votes("film").await, (1, 1, 1));
    assert!(world.score("film").await.percent < liked);
    world.rate("p2", "film", Thumb::Unspecified).await.unwrap();
    assert_eq!(world.votes("film").await, (0, 1, 1));
    assert_eq!(world.said("p2", &[]).await, []);
    assert_eq!(
        world.said("p1", &["other", "film"]).await.iter().map(Opinion::thumb).collect::<Vec<_>>(),
        [Thumb::Unspecified, Thumb::Up]
    );
    world.close().await;
}

#[tokio::test]
async fn votes_are_exact_however_many_come_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let world = Arc::new(World::open(folder.path()).await);
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..200_u32 {
        let world = Arc::clone(&world);
        let thumb = [Thumb::Down, Thumb::Up, Thumb::Love, Thumb::Up][(n % 4) as usize];
        // Fifty profiles, each four times: what it says last is not known, that it says one thing is.
        tasks.spawn(async move { world.rate(&format!("p{}", n / 4), "film", thumb).await.unwrap() });
    }
    tasks.join_all().await;
    let (down, up, love) = world.votes("film").await;
    assert_eq!(down + up + love, 50);
    let mut counted = (0, 0, 0);
    for n in 0..50 {
        match world.said(&format!("p{n}"), &["film"]).await[0].thumb() {
            Thumb::Down => counted.0 += 1,
            Thumb::Up => counted.1 += 1,
            Thumb::Love => counted.2 += 1,
            Thumb::Unspecified => panic!("a vote is lost"),
        }
    }
    assert_eq!((down, up, love), counted);
    Arc::into_inner(world).unwrap().close().await;
}

#[tokio::test]
async fn the_list_has_the_latest_first_and_holds_a_title_once() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    for title in ["a", "b", "c", "a"] {
        let opinion = world.set_listed("p1", title, Listing::Listed).await.unwrap();
        assert!(opinion.listed && opinion.listed_us > 0);
    }
    world.rate("p1", "z", Thumb::Up).await.unwrap();
    world.set_listed("p10", "other", Listing::Listed).await.unwrap();
    assert_eq!(world.list("p1").await, ["c", "b", "a"]);
    world.set_listed("p1", "b", Listing::Unlisted).await.unwrap();
    world.set_listed("p1", "a", Listing::Unlisted).await.unwrap();
    world.set_listed("p1", "a", Listing::Listed).await.unwrap();
    assert_eq!(world.list("p1").await, ["a", "c"]);
    world.close().await;
}

#[tokio::test]
async fn every_change_is_told_once_it_is_kept_and_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody tells: the process dies before.
    let world = World::without_loops(folder.path(), Arc::default()).await;
    world.rate("p1", "film", Thumb::Up).await.unwrap();
    world.rate("p1", "film", Thumb::Up).await.unwrap();
    world.set_listed("p1", "film", Listing::Listed).await.unwrap();
    world.close().await;
    let world = World::open(folder.path()).await;
    world.rate("p1", "film", Thumb::Unspecified).await.unwrap();
    let told = world.told(3).await;
    let said = |told: &OpinionChanged| {
        let opinion = told.opinion.clone().unwrap();
        (told.profile.clone(), opinion.title.clone(), opinion.thumb(), opinion.listed)
    };
    let p1 = |thumb, listed| ("p1".to_owned(), "film".to_owned(), thumb, listed);
    let expected = [p1(Thumb::Up, false), p1(Thumb::Up, true), p1(Thumb::Unspecified, true)];
    assert_eq!(told.iter().map(said).collect::<Vec<_>>(), expected);
    world.close().await;
}

#[tokio::test]
async fn an_erased_profile_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    world.rate("p1", "film", Thumb::Love).await.unwrap();
    world.rate("p10", "film", Thumb::Up).await.unwrap();
    world.set_listed("p1", "other", Listing::Listed).await.unwrap();
    world.erase("p1").await;
    assert_eq!(world.votes("film").await, (0, 1, 0));
    assert_eq!((world.list("p1").await, world.said("p1", &[]).await), (Vec::new(), Vec::new()));
    assert_eq!(world.said("p10", &[]).await.len(), 1, "a profile whose id only begins alike stays");
    let told = world.told(5).await;
    assert!(told[3..].iter().all(|told| told.opinion.as_ref().is_some_and(|o| !o.listed && o.thumb == 0)));
    world.rate("p1", "film", Thumb::Up).await.unwrap();
    world.close().await;
}

#[tokio::test]
async fn a_deleted_account_takes_its_votes_along_and_says_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    for profile in ["p1", "p2", "p3", "p4"] {
        world.rate(profile, "film", Thumb::Up).await.unwrap();
    }
    world.account_event(vec![0xff; 9]).await;
    world.account_event(changed(What::ProfileDeleted(ProfileDeleted { profile: "p1".to_owned() }))).await;
    let profiles = vec!["p2".to_owned(), "NO ID".to_owned(), "p3".to_owned()];
    world.account_event(changed(What::Deleted(AccountDeleted { profiles }))).await;
    assert_eq!(world.votes("film").await, (0, 1, 0));
    // With a token that is still valid for some minutes.
    let refused = world.rate("p2", "film", Thumb::Up).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::NotFound, "profile p2 was deleted"));
    world.close().await;
    let world = World::open(folder.path()).await;
    assert_eq!(world.store.next().await.unwrap(), 3);
    assert_eq!(world.votes("film").await, (0, 1, 0));
    world.close().await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    let message = |result: Result<Opinion, tonic::Status>| {
        let status = result.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        status.message().split(':').next().unwrap().to_owned()
    };
    assert_eq!(message(world.rate("", "film", Thumb::Up).await), "profile is refused");
    assert_eq!(message(world.rate("p1", "../x", Thumb::Up).await), "title is refused");
    assert_eq!(message(world.set_listed("p1", "film", Listing::Unspecified).await), "listing is refused");
    let request = RateRequest { profile: "p1".to_owned(), title: "film".to_owned(), thumb: 9 };
    let status = world.client.clone().rate(request).await.unwrap_err();
    assert_eq!(status.message(), "thumb is refused: 9 is none of 0 (none), 1 (down), 2 (up) and 3 (love)");
    let request = ScoresRequest { titles: vec!["film".to_owned(); 501] };
    let status = world.client.clone().scores(request).await.unwrap_err();
    assert_eq!(status.message(), "titles is refused: 501 titles are asked about, at most 500 can be");
    world.close().await;
}

#[tokio::test]
async fn a_list_has_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).await;
    for n in 0..MOST_LISTED {
        world.set_listed("p1", &format!("t{n}"), Listing::Listed).await.unwrap();
    }
    let status = world.set_listed("p1", "one-more", Listing::Listed).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    world.set_listed("p1", "t0", Listing::Listed).await.unwrap();
    world.set_listed("p1", "t1", Listing::Unlisted).await.unwrap();
    world.set_listed("p1", "one-more", Listing::Listed).await.unwrap();
    world.close().await;
}

/// What may happen to ratings.
#[derive(Debug, Clone)]
enum Step {
    Rate(u8, u8, u8),
    List(u8, u8, bool),
    Erase(u8),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..3u8, 0..4u8, 0..4u8).prop_map(|(profile, title, thumb)| Step::Rate(profile, title, thumb)),
        6 => (0..3u8, 0..4u8, any::<bool>()).prop_map(|(profile, title, on)| Step::List(profile, title, on)),
        1 => (0..3u8).prop_map(Step::Erase),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..40)
}

type Model = BTreeMap<(u8, u8), (u8, Option<usize>)>;

fn apply(model: &mut Model, at: usize, step: &Step) {
    match *step {
        Step::Rate(profile, title, thumb) => model.entry((profile, title)).or_default().0 = thumb,
        Step::List(profile, title, on) => {
            let listed = &mut model.entry((profile, title)).or_default().1;
            *listed = if on { listed.or(Some(at)) } else { None };
        }
        Step::Erase(profile) => model.retain(|(owner, _), _| *owner != profile),
        Step::Restart => {}
    }
    model.retain(|_, (thumb, listed)| *thumb != 0 || listed.is_some());
}

async fn play(steps: Vec<Step>) {
    let folder = tempfile::tempdir().unwrap();
    let (clock, mut model) = (Arc::new(Ticks::default()), Model::new());
    let mut world = World::without_loops(folder.path(), clock.clone()).await;
    for (at, step) in steps.iter().enumerate() {
        match *step {
            Step::Rate(profile, title, thumb) => {
                let thumb = Thumb::try_from(i32::from(thumb)).unwrap();
                world.rate(&format!("p{profile}"), &format!("t{title}"), thumb).await.unwrap();
            }
            Step::List(profile, title, on) => {
                let listing = if on { Listing::Listed } else { Listing::Unlisted };
                world.set_listed(&format!("p{profile}"), &format!("t{title}"), listing).await.unwrap();
            }
            Step::Erase(profile) => world.erase(&format!("p{profile}")).await,
            Step::Restart => {
                world.close().await;
                world = World::without_loops(folder.path(), clock.clone()).await;
            }
        }
        apply(&mut model, at, step);
    }
    for title in 0..4 {
        let count = |wanted| model.iter().filter(|((_, t), (thumb, _))| *t == title && *thumb == wanted).count() as u64;
        assert_eq!(world.votes(&format!("t{title}")).await, (count(1), count(2), count(3)));
    }
    let mut heard: BTreeMap<(String, String), Opinion> = BTreeMap::new();
    for (_, told) in world.store.untold(10_000).await.unwrap() {
        let (profile, title) = (told.profile.as_str().to_owned(), told.title.as_str().to_owned());
        let listed = told.opinion.listed_us.is_some();
        heard.insert((profile, title), Opinion { listed, rated_us: told.opinion.rated_us, ..Opinion::default() });
    }
    for profile in 0..3 {
        let mut listed: Vec<_> = model
            .iter()
            .filter(|((p, _), _)| *p == profile)
            .filter_map(|((_, t), (_, at))| at.map(|at| (at, *t)))
            .collect();
        listed.sort_unstable_by(|a, b| b.cmp(a));
        let listed: Vec<String> = listed.into_iter().map(|(_, title)| format!("t{title}")).collect();
        assert_eq!(world.list(&format!("p{profile}")).await, listed);
        let said: Vec<(String, i32)> =
            world.said(&format!("p{profile}"), &[]).await.into_iter().map(|o| (o.title, o.thumb)).collect();
        let expected: Vec<(String, i32)> = model
            .iter()
            .filter(|((p, _), _)| *p == profile)
            .map(|((_, title), (thumb, _))| (format!("t{title}"), i32::from(*thumb)))
            .collect();
        assert_eq!(said, expected);
        // Whoever hears what is told knows the same.
        for opinion in world.said(&format!("p{profile}"), &[]).await {
            let told = &heard[&(format!("p{profile}"), opinion.title.clone())];
            assert_eq!((told.listed, told.rated_us), (opinion.listed, opinion.rated_us));
        }
    }
    world.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_done_votes_lists_and_what_is_told_agree_with_a_model(steps in steps()) {
        tokio::runtime::Runtime::new().unwrap().block_on(play(steps));
    }
}
