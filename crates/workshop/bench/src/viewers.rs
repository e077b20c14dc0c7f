//! What viewers ask of a town: plays, homes, resume points, heartbeats, and more than it can give.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use matinee_simulate::Chance;
use rustix::thread::{CpuSet, Pid, sched_setaffinity};
use serde_json::json;

use crate::first_frame::HALF_MINUTE;
use crate::house::{House, STUDIO_KEY};
use crate::load::{Ask, Outcome, Pace, load};
use crate::measure::{Failure, Goal, film, line};
use crate::town::Town;

/// A town that is open.
struct Open {
    house: House,
    town: Arc<Town>,
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// Keeps every thread of ours on this core.
fn confine(core: usize) -> Result<(), Failure> {
    let mut cores = CpuSet::new();
    cores.set(core);
    for thread in std::fs::read_dir("/proc/self/task")? {
        let id: i32 = thread?.file_name().to_string_lossy().parse()?;
        sched_setaffinity(Pid::from_raw(id), &cores)?;
    }
    Ok(())
}

async fn open() -> Result<Open, Failure> {
    let town = Arc::new(Town::open().await?);
    let settings = [
        ("MATINEE_VIEWING__ACCESS", "members".to_owned()),
        ("MATINEE_STUDIO__KEY", STUDIO_KEY.to_owned()),
        // One machine stands for all viewers.
        ("MATINEE_VIEWING__RATE_LIMITS", "false".to_owned()),
    ];
    let house = tokio::task::block_in_place(|| {
        let house = House::over(&town.folder, &settings)?;
        house.at_rest()?;
        Ok::<_, Failure>(house)
    })?;
    Ok(Open { house, town })
}

impl Open {
    async fn asked(
        &self,
        rate: u32,
        seconds: u32,
        ask: impl Fn(&Town, u64) -> Ask + Send + Sync + 'static,
    ) -> Result<Outcome, Failure> {
        let town = Arc::clone(&self.town);
        let pace = Pace { rate, seconds, connections: 128 };
        load(&self.house.address, pace, move |n| ask(&town, n)).await
    }
}

/// The viewer of a request: another one each time, in no order.
fn viewer(n: u64) -> u64 {
    n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
}

fn signed(town: &Town, n: u64) -> Vec<(&'static str, String)> {
    let bearer = town.bearer(viewer(n)).unwrap_or_default();
    vec![("authorization", bearer), ("x-requested-with", "bench".to_owned())]
}

fn play(town: &Town, n: u64) -> Ask {
    let title = town.title(&mut Chance::new(n));
    let body = Bytes::from(json!({ "title": title }).to_string());
    Ask { method: "POST", path: "/api/web/play".to_owned(), headers: signed(town, n), body }
}

fn get(town: &Town, n: u64, path: String) -> Ask {
    Ask { method: "GET", path, headers: signed(town, n), body: Bytes::new() }
}

fn home(town: &Town, n: u64) -> Ask {
    get(town, n, "/api/web/home".to_owned())
}

fn prefetched(town: &Town, n: u64) -> Ask {
    let mut ask = home(town, n);
    ask.headers.push(("sec-purpose", "prefetch".to_owned()));
    ask
}

fn resume(town: &Town, n: u64) -> Ask {
    get(town, n, "/api/history?unfinished=true".to_owned())
}

/// `playback.start`, alone and while films are encoded on every core.
pub fn plays() -> Result<(), Failure> {
    runtime()?.block_on(async {
        let open = open().await?;
        // Content keys are made at a title's first play.
        open.asked(200, 15, play).await?;
        let idle = open.asked(1_000, 30, play).await?.all_good()?;
        println!(
            "play: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms at 1000/s",
            idle.ms(0.5),
            idle.ms(0.99),
            idle.ms(0.999)
        );
        line("play", idle.ms(0.99), 10.0, "ms", Goal::AtMost(1.0));
        let master = film("half-minute-720p.mp4", &HALF_MINUTE)?;
        let long = film("two-minutes-1080p.mp4", &crate::onboard::TWO_MINUTES)?;
        drop(master);
        let title = format!("encoded-{}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
        tokio::task::block_in_place(|| open.house.add_without_waiting(&title, &long))?;
        tokio::time::sleep(std::time::Duration::from_secs(15)).await;
        let busy = open.asked(1_000, 30, play).await?;
        println!("play while encoding: {} of {} shed, {} failed", busy.shed, busy.good + busy.shed, busy.failed);
        line("play-while-encoding", busy.ms(0.99), idle.ms(0.99), "ms", Goal::AtMost(2.0));
        tokio::task::block_in_place(|| crate::starve::cancel(&open.house.address, &title))
    })
}

/// Home, and where a profile stopped.
pub fn homes() -> Result<(), Failure> {
    runtime()?.block_on(async {
        let open = open().await?;
        open.asked(100, 10, home).await?;
        let homes = open.asked(500, 30, home).await?;
        println!("home: {} of {} shed, {} failed", homes.shed, homes.good + homes.shed, homes.failed);
        println!("home: p50 {:.2} ms, p99 {:.2} ms at 500/s", homes.ms(0.5), homes.ms(0.99));
        line("home", homes.ms(0.99), 25.0, "ms", Goal::AtMost(1.0));
        let resumes = open.asked(500, 20, resume).await?.all_good()?;
        println!("resume: p50 {:.2} ms, p99 {:.2} ms at 500/s, over HTTP", resumes.ms(0.5), resumes.ms(0.99));
        line("resume", resumes.ms(0.99), 2.0, "ms", Goal::AtMost(1.0));
        Ok(())
    })
}

/// Heartbeats of one report: a device that was without a network sends so many at once, others one; the gateway of a
/// region bundles them.
const BEATS: u64 = 50;

fn report(town: &Town, n: u64) -> Ask {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    let title = town.title(&mut Chance::new(n));
    let beats: Vec<_> = (0..BEATS)
        .map(|beat| {
            json!({
                "title": title, "session": format!("s{n}"), "sequence": beat + 1, "positionSeconds": beat * 10,
                "durationSeconds": 5400, "at": now - (BEATS - beat) * 10_000, "state": "playing",
                "quality": { "startMs": 0, "stalls": 0, "stalledMs": 0, "bitsPerSecond": 3_000_000, "height": 1080,
                    "droppedFrames": 0, "error": "" },
            })
        })
        .collect();
    let body = Bytes::from(json!({ "sentAt": now, "beats": beats }).to_string());
    Ask { method: "POST", path: "/api/heartbeats".to_owned(), headers: signed(town, n), body }
}

/// Heartbeats a second, through the gateway into the log, on disk when they are acknowledged.
pub fn heartbeats() -> Result<(), Failure> {
    runtime()?.block_on(async {
        let open = open().await?;
        let outcome = open.asked(1_100, 30, report).await?;
        println!(
            "heartbeats: {} of {} reports shed, {} failed",
            outcome.shed,
            outcome.good + outcome.shed,
            outcome.failed
        );
        let rate = outcome.good as f64 * BEATS as f64 / outcome.seconds;
        println!("heartbeats: {BEATS} a report, p50 {:.1} ms, p99 {:.1} ms", outcome.ms(0.5), outcome.ms(0.99));
        line("heartbeats", rate, 50_000.0, "a second", Goal::AtLeast(1.0));
        Ok(())
    })
}

/// One in five plays, half look at their home, the rest is fetched before anybody asks.
fn mixed(town: &Town, n: u64) -> Ask {
    match n % 10 {
        0 | 1 => play(town, n),
        2..=6 => home(town, n),
        _ => prefetched(town, n),
    }
}

/// How a viewer's request of one kind is made.
type Asking = fn(&Town, u64) -> Ask;

/// Ten times as much as it can do. The service has one core and those who ask have another: asking ten times as often
/// takes ten times as much of a processor, and nothing of the service's.
pub fn overload() -> Result<(), Failure> {
    runtime()?.block_on(async {
        confine(0)?;
        let open = open().await?;
        confine(1)?;
        open.asked(200, 15, mixed).await?;
        // As much as it answers: the rate rises until a tenth is not answered.
        let mut capacity = 0.0_f64;
        for rate in [250, 375, 500, 625, 750, 875, 1_000, 1_250, 1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 6_000, 8_000] {
            let outcome = open.asked(rate, 8, mixed).await?;
            let answered = outcome.good as f64 / outcome.seconds;
            println!("overload: of {rate} a second, {answered:.0} are answered, p99 {:.1} ms", outcome.ms(0.99));
            capacity = capacity.max(answered);
            if answered < 0.9 * f64::from(rate) {
                break;
            }
        }
        println!("overload: it answers {capacity:.0} requests a second of the mix");
        let offered = (capacity * 10.0) as u32;
        let kinds = [("play", play as Asking, 2), ("browse", home, 5), ("prefetch", prefetched, 3)];
        let mut running = tokio::task::JoinSet::new();
        for (kind, ask, tenths) in kinds {
            let (town, address) = (Arc::clone(&open.town), open.house.address.clone());
            let pace = Pace { rate: offered / 10 * tenths, seconds: 15, connections: 100 * tenths };
            running.spawn(async move { Ok::<_, Failure>((kind, load(&address, pace, move |n| ask(&town, n)).await?)) });
        }
        let (mut useful, mut play_p99) = (0.0, 0.0);
        while let Some(ended) = running.join_next().await {
            let (kind, outcome) = ended??;
            useful += outcome.good as f64 / outcome.seconds;
            if kind == "play" {
                play_p99 = outcome.service_ms(0.99);
            }
            println!(
                "overload {kind}: {} answered, {} shed, {} failed; p99 of those answered {:.1} ms from when they were sent",
                outcome.good, outcome.shed, outcome.failed, outcome.service_ms(0.99)
            );
        }
        line("overload-plays", play_p99, 50.0, "ms", Goal::AtMost(1.0));
        line("overload", useful, capacity, "a second", Goal::AtLeast(0.9));
        Ok(())
    })
}
