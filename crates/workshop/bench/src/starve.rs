//! The 99th percentile of a segment request while every core encodes, beside that of the same service at rest.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::house::{House, as_operator, block_on, get};
use crate::measure::{Failure, Goal, film, line, median, percentile};

/// Requests a second: as of a few hundred viewers, each asking every four seconds for picture and sound.
const RATE: u32 = 100;
const SECONDS: u32 = 15;
const ROUNDS: usize = 3;

/// Measures milliseconds from a request that is due to its last byte, so that a request that waits for the one before
/// is counted whole.
pub fn run() -> Result<(), Failure> {
    let master = film("half-minute-720p.mp4", &crate::first_frame::HALF_MINUTE)?;
    let long = film("two-minutes-1080p.mp4", &crate::onboard::TWO_MINUTES)?;
    let house = House::start(&[("MATINEE_WORKER__CPU_SLOTS", "2".to_owned())])?;
    house.add("film", &master)?;
    let segments = segments(&house.address, "film")?;
    let (mut idle, mut busy) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        idle.push(percentile(block_on(requests(&segments))?, 0.99));
        let title = format!("long-{round}");
        house.add_without_waiting(&title, &long)?;
        encoding(&house, &title)?;
        busy.push(percentile(block_on(requests(&segments))?, 0.99));
        encoding(&house, &title).map_err(|_| "the film was encoded before the measurement ended")?;
        cancel(&house.address, &title)?;
        let (at_rest, at_work) = (idle[round - 1], busy[round - 1]);
        eprintln!("round {round}: p99 {at_rest:.2} ms at rest, {at_work:.2} ms while every core encodes");
    }
    line("starve", median(busy), median(idle), "ms", Goal::AtMost(2.0));
    Ok(())
}

fn asked(url: &str) -> Result<Value, Failure> {
    block_on(async { Ok(as_operator(Method::GET, url).send().await?.error_for_status()?.json().await?) })
}

/// The addresses of every segment of every picture of an encrypted session.
fn segments(address: &str, title: &str) -> Result<Vec<String>, Failure> {
    let session: Value = block_on(async {
        let body = json!({ "title": title });
        Ok(reqwest::Client::new().post(format!("{address}/api/play")).json(&body).send().await?.json().await?)
    })?;
    let master = format!("{address}{}", session["hls"].as_str().ok_or("the session has no HLS")?);
    let folder = |url: &str| url.rsplit_once('/').map(|(folder, _)| folder.to_owned()).unwrap_or_default();
    let lines = |url: &str| -> Result<Vec<String>, Failure> {
        let (_, body) = get(url)?;
        let text = String::from_utf8(body)?;
        let named = text.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
        Ok(named.map(|l| format!("{}/{l}", folder(url))).collect())
    };
    let mut all = Vec::new();
    for playlist in lines(&master)? {
        all.extend(lines(&playlist)?);
    }
    if all.is_empty() { Err("the film has no segments".into()) } else { Ok(all) }
}

/// Asks for the segments in turn at a steady rate; milliseconds of each.
async fn requests(segments: &[String]) -> Result<Vec<f64>, Failure> {
    let client = reqwest::Client::new();
    let start = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for n in 0..RATE * SECONDS {
        let due = start + Duration::from_secs(1) / RATE * n;
        tokio::time::sleep_until(due.into()).await;
        let asking = client.get(&segments[n as usize % segments.len()]);
        running.spawn(async move {
            let answer = asking.send().await?.error_for_status()?;
            answer.bytes().await?;
            Ok::<f64, reqwest::Error>(due.elapsed().as_secs_f64() * 1e3)
        });
    }
    let mut times = Vec::new();
    while let Some(ended) = running.join_next().await {
        times.push(ended??);
    }
    Ok(times)
}

/// The title's workflow.
fn workflow(address: &str, title: &str) -> Result<Value, Failure> {
    let all = asked(&format!("{address}/api/studio/workflows"))?;
    let found = all.as_array().and_then(|all| all.iter().find(|w| w["subject"] == title)).cloned();
    let id = found.as_ref().and_then(|w| w["id"].as_str()).ok_or("the film's workflow has not begun")?;
    asked(&format!("{address}/api/studio/workflows/{id}"))
}

/// Waits until chunks are being encoded; fails where that is over.
fn encoding(house: &House, title: &str) -> Result<(), Failure> {
    let start = Instant::now();
    loop {
        if let Ok(workflow) = workflow(&house.address, title) {
            let tasks = workflow["taskList"].as_array().cloned().unwrap_or_default();
            if tasks.iter().any(|t| t["type"] == "encode" && t["state"] == "running") {
                return Ok(());
            }
            if workflow["state"] != "active" {
                return Err(format!("nothing of {title} is being encoded").into());
            }
        }
        if start.elapsed() > Duration::from_secs(120) {
            return Err(format!("{title} was not being encoded after two minutes").into());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Ends the title's workflow.
pub fn cancel(address: &str, title: &str) -> Result<(), Failure> {
    let id = workflow(address, title)?["id"].as_str().unwrap_or_default().to_owned();
    block_on(async {
        let cancel = as_operator(Method::POST, &format!("{address}/api/studio/workflows/{id}/cancel"));
        cancel.json(&json!({})).send().await?.error_for_status()?;
        Ok(())
    })
}
