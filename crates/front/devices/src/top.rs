//! What a home falls back to when nobody recommends: the top ten of the territory as it was last, filled up with the
//! newest titles of the catalogue. It is kept in memory and renewed in the background.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use matinee_contracts::recommend::{HomeReply, HomeRequest};
use matinee_model::territory::Territory;
use matinee_service::viewer::{Membership, Viewer};
use tokio_util::sync::CancellationToken;

use crate::Devices;
use crate::film::Film;

/// Titles of it.
pub const TEN: usize = 10;
/// Titles that are kept for a territory: some may not be for every profile.
const KEPT: usize = 50;
/// The newest titles that are kept.
const NEWEST: usize = 200;
/// How often the top tens are renewed.
const AGAIN: Duration = Duration::from_secs(30);
/// The catalogue is walked through on each so many-th time.
const WALK: u64 = 10;
/// Pages of a walk, at the most: 500 titles each.
const PAGES: usize = 200;

/// Top tens by territory, and the newest titles.
#[derive(Debug, Default)]
pub struct Top {
    /// Bounded by how many territories there are.
    by_territory: Mutex<HashMap<Territory, Vec<String>>>,
    newest: Mutex<Arc<Vec<Arc<Film>>>>,
}

impl Top {
    /// Keeps the top row of an answer for `viewer`, where it holds for everybody there.
    pub fn remember(&self, viewer: &Viewer, home: &HomeReply) {
        if viewer.maturity_limit > 0 {
            return;
        }
        // Where nobody watched anything yet, what is new stands for it.
        let of = |kind: &str| home.rows.iter().find(|row| row.kind == kind && !row.titles.is_empty());
        let Some(row) = of("top").or_else(|| of("new")) else { return };
        let titles: Vec<_> = row.titles.iter().take(KEPT).cloned().collect();
        self.by_territory.lock().unwrap_or_else(PoisonError::into_inner).insert(viewer.territory, titles);
    }

    /// The top ten that `viewer` is shown at `now_us`.
    pub async fn ten(&self, devices: &Devices, viewer: &Viewer, now_us: i64) -> Vec<Arc<Film>> {
        let titles = {
            let tops = self.by_territory.lock().unwrap_or_else(PoisonError::into_inner);
            tops.get(&viewer.territory).cloned().unwrap_or_default()
        };
        let films = devices.shelf.films(titles.iter().map(String::as_str).collect()).await;
        let newest = Arc::clone(&self.newest.lock().unwrap_or_else(PoisonError::into_inner));
        let ranked = titles.iter().filter_map(|title| films.get(title.as_str()));
        let mut ten: Vec<Arc<Film>> = Vec::with_capacity(TEN);
        for film in ranked.chain(newest.iter()) {
            if ten.len() == TEN {
                break;
            }
            if film.shown(viewer, now_us) && !ten.iter().any(|has| has.id == film.id) {
                ten.push(Arc::clone(film));
            }
        }
        ten
    }

    fn territories(&self) -> Vec<Territory> {
        self.by_territory.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }
}

/// Renews it until `stop`.
pub async fn maintain(devices: &Devices, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(AGAIN);
    let mut turn = 0_u64;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let renewed = async {
            // A walk that found nothing is tried again the next time.
            let empty = devices.top.newest.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
            if turn.is_multiple_of(WALK) || empty {
                walk(devices).await;
            }
            for territory in devices.top.territories() {
                let nobody = Viewer::nobody(territory, Membership::Open);
                let request = HomeRequest { viewer: Some(nobody.words()), rows: 0, titles_a_row: 0 };
                let mut recommend = devices.services.recommend.clone();
                if let Some(home) = devices.optional.recommend.ask(recommend.home(request)).await {
                    devices.top.remember(&nobody, &home);
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = renewed => turn += 1,
        }
    }
}

/// Reads the published titles of the catalogue, which are in memory from then on, and keeps the newest.
pub async fn walk(devices: &Devices) {
    let (mut newest, mut after): (Vec<Arc<Film>>, String) = (Vec::new(), String::new());
    for _ in 0..PAGES {
        let Some(page) = devices.shelf.page(&after).await else { break };
        let Some(last) = page.last() else { break };
        after = last.id.to_string();
        newest.extend(page.into_iter().filter(|film| film.kind != crate::film::Kind::Episode));
        newest.sort_by_key(|film| std::cmp::Reverse(film.published_us));
        newest.truncate(NEWEST);
    }
    if !newest.is_empty() {
        *devices.top.newest.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(newest);
    }
}
