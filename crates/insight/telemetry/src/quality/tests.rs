use matinee_contracts::telemetry::{Quality as Told, SegmentRequest};
use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_800_000_000 * SECOND_US;

fn heartbeat(session: &str, sequence: u32, ago_s: i64, told: Told) -> Heartbeat {
    let (at_us, state) = (NOW - ago_s * SECOND_US, PlayState::Playing.into());
    let beat = Beat { session: session.to_owned(), sequence, at_us, state, quality: Some(told), ..Beat::default() };
    let territory = (if session.starts_with('f') { "FR" } else { "DE" }).to_owned();
    Heartbeat {
        profile: "p".to_owned(),
        territory,
        network: "AS1".to_owned(),
        beat: Some(beat),
        ..Heartbeat::default()
    }
}

fn session(name: &str, start_ms: u32, stalled_ms: u32) -> Vec<Heartbeat> {
    let beat = |n: u32| Told {
        start_ms: if n == 1 { start_ms } else { 0 },
        stalled_ms: if n == 3 { stalled_ms } else { 0 },
        bits_per_second: 4_000_000,
        throughput_bits_per_second: if n == 1 { 0 } else { 20_000_000 },
        ..Told::default()
    };
    (1..=7).map(|n| heartbeat(name, n, 70 - i64::from(n) * 10, beat(n))).collect()
}

fn heard(beats: &[Heartbeat]) -> Quality {
    let mut quality = Quality::default();
    beats.iter().for_each(|beat| quality.take(beat));
    quality
}

#[test]
fn figures_are_of_all_and_of_each_group() {
    let beats = [session("d1", 500, 3_000), session("f1", 1_500, 0), session("f2", 900, 0)].concat();
    let quality = heard(&beats);
    let all = quality.answer(NOW, 300, By::Nothing);
    let row = &all.rows[0];
    assert_eq!((row.group.as_str(), row.playing, row.plays, row.errors), ("", 3, 3, 0));
    assert!((row.start_p50_ms / 900.0 - 1.0).abs() < 0.03 && (row.start_p95_ms / 1500.0 - 1.0).abs() < 0.03, "{row:?}");
    assert!((row.stall_ratio - 3.0 / 180.0).abs() < 1e-6, "{row:?}");
    assert_eq!(row.mean_bits_per_second, 4_000_000.0);
    assert!((row.throughput_p50_bits_per_second / 20e6 - 1.0).abs() < 0.03, "{row:?}");
    let by = quality.answer(NOW, 300, By::Territory).rows;
    let seen: Vec<(&str, u64, u64)> = by.iter().map(|row| (row.group.as_str(), row.playing, row.plays)).collect();
    assert_eq!(seen, [("FR", 2, 2), ("DE", 1, 1)]);
    assert_eq!(quality.answer(NOW, 300, By::Network).rows.len(), 1);
    assert_eq!(all.points.iter().map(|point| point.playing).max(), Some(3));
}

fn requested(starved: bool, kilobits: u64, territory: &str) -> SegmentRequested {
    let request = SegmentRequest {
        session: "d1".to_owned(),
        object: "video".to_owned(),
        throughput_bits_per_second: kilobits * 1000,
        buffer_ms: Some(if starved { 0 } else { 20_000 }),
        starved,
        at_us: NOW - SECOND_US,
        ..SegmentRequest::default()
    };
    let (request, territory) = (Some(request), territory.to_owned());
    SegmentRequested { request, territory, network: String::new(), received_us: NOW }
}

#[test]
fn what_players_say_with_their_requests_is_of_all_and_of_where_they_are() {
    let mut beats = session("d1", 500, 0);
    for beat in &mut beats {
        // A player of others', which says it with its requests.
        beat.beat.as_mut().unwrap().quality.as_mut().unwrap().throughput_bits_per_second = 0;
    }
    let mut quality = heard(&beats);
    assert_eq!(quality.place("d1"), Where { territory: "DE".to_owned(), network: "AS1".to_owned() });
    assert_eq!(quality.place("nobody"), Where::default());
    for said in [requested(false, 8_000, "DE"), requested(false, 9_000, "DE"), requested(true, 500, "FR")] {
        quality.hear(&said);
    }
    quality.hear(&requested(false, 8_000, ""));
    let mut manifest = requested(false, 1, "DE");
    manifest.request.as_mut().unwrap().object = "manifest".to_owned();
    quality.hear(&manifest);
    let row = quality.answer(NOW, 300, By::Nothing).rows.remove(0);
    assert_eq!((row.plays, row.requests, row.starved_ratio), (1, 4, 0.25));
    assert!((row.throughput_p50_bits_per_second / 8e6 - 1.0).abs() < 0.03, "{row:?}");
    assert!((row.buffer_p50_ms / 20_000.0 - 1.0).abs() < 0.03, "{row:?}");
    let by = quality.answer(NOW, 300, By::Territory).rows;
    let seen: Vec<(&str, u64, u64)> = by.iter().map(|row| (row.group.as_str(), row.plays, row.requests)).collect();
    assert_eq!(seen, [("DE", 1, 2), ("FR", 0, 1)]);
}

#[test]
fn nobody_else_s_heartbeat_moves_a_session() {
    let mut quality = heard(&session("d1", 500, 0));
    let mut other = heartbeat("d1", 1, 0, Told::default());
    (other.profile, other.territory) = ("q".to_owned(), "US".to_owned());
    quality.take(&other);
    assert_eq!(quality.place("d1").territory, "DE");
}

#[test]
fn who_left_or_fell_silent_does_not_play() {
    let mut quality = heard(&[session("d1", 500, 0), session("d2", 500, 0)].concat());
    let mut end = heartbeat("d1", 8, 0, Told::default());
    end.beat.as_mut().unwrap().state = PlayState::Ended.into();
    quality.take(&end);
    let playing = |quality: &Quality, now| quality.answer(now, 300, By::Nothing).rows[0].playing;
    assert_eq!(playing(&quality, NOW), 1);
    assert_eq!(playing(&quality, NOW + 31 * SECOND_US), 0);
}

#[test]
fn a_session_that_is_heard_of_in_its_middle_is_no_new_play() {
    let beats: Vec<Heartbeat> = session("d1", 500, 0).split_off(3);
    let row = heard(&beats).answer(NOW, 300, By::Nothing).rows.remove(0);
    assert_eq!((row.playing, row.plays), (1, 0));
}

#[test]
fn memory_has_a_bound() {
    let mut quality = Quality::default();
    for n in 0..2_000_i64 {
        let mut beat = heartbeat(&format!("d{n}"), 1, 90_000 - n * 45, Told { start_ms: 100, ..Told::default() });
        beat.network = format!("AS{n}");
        quality.take(&beat);
    }
    assert!(quality.groups.len() <= MOST_GROUPS);
    assert!(quality.fine.steps.len() <= 361 && quality.coarse.steps.len() <= 289);
    assert!(quality.sessions.len() < 100, "those of long ago are forgotten");
    assert!((50..=60).contains(&quality.answer(NOW, 86_400, By::Nothing).points.len()));
    // A heartbeat of before all steps changes nothing.
    quality.take(&heartbeat("old", 1, 200_000, Told { start_ms: 1, ..Told::default() }));
    assert!(quality.fine.steps.len() <= 361);
}

proptest! {
    #[test]
    fn what_comes_twice_counts_once(order in proptest::collection::vec(0_usize..21, 0..60)) {
        let beats = [session("d1", 500, 3_000), session("f1", 1_500, 0), session("f2", 900, 100)].concat();
        let once = heard(&beats).answer(NOW, 300, By::Territory);
        let again: Vec<Heartbeat> = beats.iter().cloned().chain(order.iter().map(|n| beats[*n].clone())).collect();
        prop_assert_eq!(once, heard(&again).answer(NOW, 300, By::Territory));
    }
}
