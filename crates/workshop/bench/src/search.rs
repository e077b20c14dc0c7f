//! Search beside OpenSearch, over the same 10,000 titles: how long an answer takes while somebody types, and how often the
//! right title is first where its name is misspelt.

mod opensearch;
mod ours;

use std::time::{Duration, Instant};

use matinee_contracts::catalog::{Title, TitleKind};
use matinee_simulate::{Chance, misspelt, titles};

use self::opensearch::OpenSearch;
use self::ours::Ours;
use crate::measure::{Failure, Goal, line, median, percentile};

const TITLES: usize = 10_000;
const SEED: u64 = 20_261;
/// Misspelt names that are asked for.
const MISSPELT: usize = 2_000;
/// Names that are typed letter by letter, half of them misspelt.
const NAMES: usize = 200;
const ROUNDS: usize = 3;
/// Titles that are new, one after the other.
const NEW: usize = 50;
/// The bound on the time from an event to its title's being found, in milliseconds.
const FRESH: f64 = 1_000.0;
/// The bound on ours, in milliseconds.
const BOUND: f64 = 10.0;

/// Measures both. Without `peer` ("alone" on the command line) ours alone, for those who work on it.
pub fn run() -> Result<(), Failure> {
    let alone = std::env::args().nth(2).is_some_and(|word| word == "alone");
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measured(alone))
}

async fn measured(alone: bool) -> Result<(), Failure> {
    let licensed = titles(SEED, TITLES);
    // Everything everywhere, so that both have the same titles to choose from.
    let mut free = licensed.clone();
    free.iter_mut().for_each(|title| title.windows.clear());
    let questions = misspelt(SEED + 1, &free, MISSPELT);
    let typing = typing(&free);
    eprintln!("{} misspelt names, {} questions while typing", questions.len(), typing.len());

    let ours = Ours::start(free.clone()).await?;
    let peer = if alone { None } else { Some(OpenSearch::start(&free).await?) };
    let (mut first, mut peers_first) = (0_u32, 0_u32);
    let verbose = std::env::var_os("MATINEE_BENCH_VERBOSE").is_some();
    for (query, id) in &questions {
        let found = ours.first(query).await?;
        first += u32::from(found.as_deref() == Some(id));
        if verbose && found.as_deref() != Some(id) {
            eprintln!("{query:?}: {} instead of {}", named(&free, found.as_deref()), named(&free, Some(id)));
        }
        if let Some(peer) = &peer {
            peers_first += u32::from(peer.first(query).await?.as_deref() == Some(id));
        }
    }
    let share = |count: u32| 100.0 * f64::from(count) / questions.len() as f64;
    drop(ours);

    // With licences and ages to look at, as in an installation.
    let ours = Ours::start(licensed).await?;
    let (mut own, mut peers) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let mut taken = Vec::new();
        for query in &typing {
            taken.push(ours.typed(query).await?);
        }
        let mut peers_taken = Vec::new();
        if let Some(peer) = &peer {
            for query in &typing {
                peers_taken.push(peer.typed(query).await?);
            }
        }
        // The first round warms up.
        if round > 0 {
            let (a, b) = (milliseconds(&taken), milliseconds(&peers_taken));
            eprintln!(
                "round {round}: ours p50 {:.2} p99 {:.2} ms, peer p50 {:.2} p99 {:.2} ms",
                percentile(a.clone(), 0.5),
                percentile(a.clone(), 0.99),
                percentile(b.clone(), 0.5),
                percentile(b.clone(), 0.99)
            );
            own.push(percentile(a, 0.99));
            peers.push(percentile(b, 0.99));
        }
    }
    let mut fresh = Vec::new();
    for number in 0..NEW {
        fresh.push(ours.fresh(number).await?);
    }
    if let Some(peer) = peer {
        peer.stop()?;
    }
    let own = median(own);
    line("search-fresh", percentile(milliseconds(&fresh), 1.0), FRESH, "ms at most", Goal::AtMost(1.0));
    line("search-bound", own, BOUND, "ms p99", Goal::AtMost(1.0));
    if alone {
        println!("search-hits: ours {:.2} % first", share(first));
        return Ok(());
    }
    line("search-typing", own, median(peers), "ms p99", Goal::AtMost(1.0));
    line("search", share(first), share(peers_first), "% first", Goal::AtLeast(1.0));
    Ok(())
}

fn named<'a>(titles: &'a [Title], id: Option<&str>) -> &'a str {
    titles.iter().find(|title| Some(title.id.as_str()) == id).map_or("nothing", |title| title.name.as_str())
}

fn milliseconds(taken: &[Duration]) -> Vec<f64> {
    taken.iter().map(|time| time.as_secs_f64() * 1e3).collect()
}

/// Names, letter by letter, from their first on.
fn typing(titles: &[Title]) -> Vec<String> {
    let mut chance = Chance::new(SEED + 2);
    let shown: Vec<&Title> = titles.iter().filter(|title| title.kind() != TitleKind::Episode).collect();
    let right = (0..NAMES / 2).map(|_| chance.of(&shown).name.to_lowercase());
    let mut names: Vec<String> = right.collect();
    names.extend(misspelt(SEED + 3, titles, NAMES / 2).into_iter().map(|(query, _)| query));
    let mut queries = Vec::new();
    for name in names {
        let ends = name.char_indices().map(|(at, letter)| at + letter.len_utf8());
        queries.extend(ends.filter_map(|end| name.get(..end)).map(str::to_owned));
    }
    queries
}

/// How long `work` takes.
async fn timed(work: impl Future<Output = Result<(), Failure>>) -> Result<Duration, Failure> {
    let start = Instant::now();
    work.await?;
    Ok(start.elapsed())
}
