//! Scores of titles, as ratings said a moment ago. A score that is older is not shown: without ratings there is none.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use matinee_contracts::ratings::ScoresRequest;
use moka::future::Cache;

use crate::Devices;

/// How long a score is shown without asking again.
const FRESH: Duration = Duration::from_secs(3);
/// Scores in memory, at the most.
const MOST: u64 = 100_000;
/// Titles that ratings take in one request.
const AT_ONCE: usize = 500;

/// Scores in memory: nothing for a title that nobody rated. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Scores(Cache<Arc<str>, Option<u8>>);

impl Default for Scores {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(FRESH).build())
    }
}

impl Scores {
    /// The scores of those of `titles` that have one, in percent, as far as ratings answer.
    pub async fn of(&self, devices: &Devices, titles: &[Arc<str>]) -> HashMap<Arc<str>, u8> {
        let (mut found, mut unknown) = (HashMap::new(), Vec::new());
        for title in titles {
            match self.0.get(title).await {
                Some(Some(score)) => drop(found.insert(Arc::clone(title), score)),
                Some(None) => {}
                None => unknown.push(title),
            }
        }
        for part in unknown.chunks(AT_ONCE) {
            let request = ScoresRequest { titles: part.iter().map(ToString::to_string).collect() };
            let mut ratings = devices.services.ratings.clone();
            let Some(answer) = devices.optional.ratings.ask(ratings.scores(request)).await else { break };
            let mut said: HashMap<_, _> = answer
                .scores
                .into_iter()
                .map(|score| {
                    let votes = score.up.saturating_add(score.down).saturating_add(score.love);
                    // Between 0 and 100, so it fits.
                    let percent = score.percent.round().clamp(0.0, 100.0) as u8;
                    (score.title, (votes > 0).then_some(percent))
                })
                .collect();
            for title in part {
                let score = said.remove(&***title).flatten();
                self.0.insert(Arc::clone(title), score).await;
                if let Some(score) = score {
                    found.insert(Arc::clone(title), score);
                }
            }
        }
        found
    }
}
