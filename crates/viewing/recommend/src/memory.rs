//! What rows are made of, as the events so far have it: the store, and what of it is held in memory.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use matinee_contracts::catalog::Title;

use crate::error::RecommendError;
use crate::model::Model;
use crate::popular::Popular;
use crate::store::{Batch, Store};
use crate::titles::{Fact, Titles};
use crate::together::Together;

/// A model and which of its rows is which title.
#[derive(Debug)]
pub struct InUse {
    /// The model.
    pub model: Arc<Model>,
    // Row by title's number.
    rows: HashMap<u32, u32>,
    // Title's number by row.
    numbers: Vec<Option<u32>>,
}

impl InUse {
    fn new(model: Arc<Model>, titles: &Titles) -> Self {
        let numbers: Vec<Option<u32>> = model.header.titles.iter().map(|id| titles.number(id)).collect();
        let rows = numbers.iter().enumerate().filter_map(|(row, number)| Some(((*number)?, row as u32))).collect();
        Self { model, rows, numbers }
    }

    /// The row of a title.
    #[must_use]
    pub fn row(&self, title: u32) -> Option<u32> {
        self.rows.get(&title).copied()
    }

    /// The titles' numbers, by row.
    #[must_use]
    pub fn numbers(&self) -> &[Option<u32>] {
        &self.numbers
    }
}

/// The memory. One writer, many readers.
#[derive(Debug)]
pub struct Memory {
    /// On disk.
    pub store: Store,
    titles: RwLock<Arc<Titles>>,
    popular: RwLock<Popular>,
    together: RwLock<Together>,
    model: RwLock<Option<Arc<InUse>>>,
    writing: Mutex<()>,
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// Opens it over the store in `folder`.
    pub async fn open(folder: &Path) -> Result<Self, RecommendError> {
        let store = Store::open(folder).await?;
        let reader = store.clone();
        let kept = tokio::task::spawn_blocking(move || reader.kept()).await??;
        let mut facts = Vec::new();
        for (number, title) in kept.titles {
            place(&mut facts, number, title.map(|title| Fact::of(number, &title)));
        }
        Ok(Self {
            store,
            titles: RwLock::new(Arc::new(Titles::of(facts))),
            popular: RwLock::new(kept.popular),
            together: RwLock::new(kept.together),
            model: RwLock::default(),
            writing: Mutex::default(),
        })
    }

    /// All titles, as they are now.
    #[must_use]
    pub fn titles(&self) -> Arc<Titles> {
        Arc::clone(&read(&self.titles))
    }

    /// The counts. Held only shortly.
    pub fn popular(&self) -> RwLockReadGuard<'_, Popular> {
        read(&self.popular)
    }

    /// The neighbours. Held only shortly.
    pub fn together(&self) -> RwLockReadGuard<'_, Together> {
        read(&self.together)
    }

    /// The model that is in use.
    #[must_use]
    pub fn model(&self) -> Option<Arc<InUse>> {
        read(&self.model).clone()
    }

    /// Takes a model in use.
    pub fn use_model(&self, model: Arc<Model>) {
        let _turn = self.turn();
        let used = InUse::new(model, &self.titles());
        *self.model.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(used));
    }

    /// Held by whoever changes anything.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a batch: on disk first, then here. The caller has the turn.
    pub(crate) fn keep(&self, mut batch: Batch) -> Result<(), RecommendError> {
        self.store.commit(&batch)?;
        let mut popular = self.popular.write().unwrap_or_else(PoisonError::into_inner);
        let mut dropped = Batch::default();
        for (place, title, heat) in batch.heats.drain(..) {
            let cold = popular.set(place, title, heat.unwrap_or_default());
            dropped.heats.extend(cold.into_iter().map(|title| (place, title, None)));
        }
        drop(popular);
        let mut together = self.together.write().unwrap_or_else(PoisonError::into_inner);
        for (title, neighbours) in batch.neighbours.drain(..) {
            together.set(title, neighbours);
        }
        drop(together);
        if !batch.titles.is_empty() {
            self.set_titles(batch.titles);
        }
        // What memory dropped goes from the disk, too. A failure leaves it there until it is dropped again.
        if !dropped.heats.is_empty() {
            self.store.commit(&dropped)?;
        }
        Ok(())
    }

    fn set_titles(&self, changed: Vec<(String, u32, Option<Title>)>) {
        let mut facts = self.titles().facts();
        for (_, number, title) in changed {
            place(&mut facts, number, title.map(|title| Fact::of(number, &title)));
        }
        let titles = Arc::new(Titles::of(facts));
        if let Some(used) = self.model() {
            let used = InUse::new(Arc::clone(&used.model), &titles);
            *self.model.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(used));
        }
        *self.titles.write().unwrap_or_else(PoisonError::into_inner) = titles;
    }
}

fn place(facts: &mut Vec<Option<Arc<Fact>>>, number: u32, fact: Option<Fact>) {
    let at = number as usize;
    if facts.len() <= at {
        facts.resize(at + 1, None);
    }
    facts[at] = fact.map(Arc::new);
}
