//! Which index answers: a file names it, and one atomic rename of that file is the switch to another.
//!
//! An index that is being built lies beside the one that answers. Whatever the process's end interrupts, the file names an
//! index that was whole. Where that one can't be opened, the latest other one that can answers, and reads on from where it
//! was in the log.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use crate::error::SearchError;
use crate::index::Live;

/// The file.
const CURRENT: &str = "current";
/// What the folders of indexes are called, before their number.
const PREFIX: &str = "index-";

/// The indexes of an installation.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
    live: RwLock<Option<Arc<Live>>>,
    /// Held while the index that answers changes, by its events or for another.
    pub turn: tokio::sync::Mutex<()>,
    /// Held while another is built.
    pub building: tokio::sync::Mutex<()>,
}

impl Shelf {
    /// Opens what is in `folder`, made where there is none. No index answers where none can be opened.
    pub async fn open(folder: &Path) -> Result<Self, SearchError> {
        let place = folder.to_owned();
        let live = tokio::task::spawn_blocking(move || find(&place)).await??;
        let (folder, live) = (folder.to_owned(), RwLock::new(live.map(Arc::new)));
        let shelf = Self { folder, live, turn: tokio::sync::Mutex::default(), building: tokio::sync::Mutex::default() };
        shelf.tidy();
        Ok(shelf)
    }

    /// The index that answers, if there is one.
    #[must_use]
    pub fn live(&self) -> Option<Arc<Live>> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An empty index beside the one that answers. Removes those that were begun before and never answered.
    pub async fn begin(&self) -> Result<Arc<Live>, SearchError> {
        self.tidy();
        let folder = self.folder.clone();
        let made = tokio::task::spawn_blocking(move || {
            let last = numbers(&folder)?.last().copied().unwrap_or(0);
            let name = format!("{PREFIX}{:08}", last + 1);
            Live::create(&name, &folder.join(&name))
        });
        Ok(Arc::new(made.await??))
    }

    /// From here on `new` answers, also after a restart; the one before it is removed.
    pub async fn switch(&self, new: Arc<Live>) -> Result<(), SearchError> {
        let (folder, name) = (self.folder.clone(), new.name().to_owned());
        tokio::task::spawn_blocking(move || point(&folder, &name)).await??;
        let old = self.live.write().unwrap_or_else(PoisonError::into_inner).replace(new);
        if let Some(old) = old {
            tokio::task::spawn_blocking(move || old.close()).await?;
        }
        self.tidy();
        Ok(())
    }

    /// Removes the folders of indexes that do not answer. Searches that still read one have its files open.
    fn tidy(&self) {
        let Some(live) = self.live() else { return };
        for number in numbers(&self.folder).unwrap_or_default() {
            let path = self.folder.join(format!("{PREFIX}{number:08}"));
            if path != live.folder()
                && let Err(error) = fs::remove_dir_all(&path)
            {
                tracing::warn!(path = %path.display(), %error, "an index that is not needed any more can't be removed");
            }
        }
    }
}

/// The numbers of the indexes in `folder`, rising.
fn numbers(folder: &Path) -> Result<Vec<u32>, SearchError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(SearchError::io(folder))? {
        let name = entry.map_err(SearchError::io(folder))?.file_name();
        let number: Option<u32> =
            name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|number| number.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Opens the index that the file names, else the latest that can be opened.
fn find(folder: &Path) -> Result<Option<Live>, SearchError> {
    fs::create_dir_all(folder).map_err(SearchError::io(folder))?;
    let named = fs::read_to_string(folder.join(CURRENT)).unwrap_or_default();
    let others = numbers(folder)?.into_iter().rev().map(|number| format!("{PREFIX}{number:08}"));
    let named = named.trim().to_owned();
    let first = Some(named.clone()).filter(|name| name.starts_with(PREFIX) && !name.contains(['/', '.']));
    for name in first.into_iter().chain(others.filter(|name| *name != named)) {
        match Live::open(&name, &folder.join(&name)) {
            Ok(live) => return Ok(Some(live)),
            Err(error) => tracing::warn!(index = name, %error, "this index can't answer"),
        }
    }
    Ok(None)
}

fn point(folder: &Path, name: &str) -> Result<(), SearchError> {
    let (path, staged) = (folder.join(CURRENT), folder.join("current.new"));
    let write = || {
        let mut file = fs::File::create(&staged)?;
        writeln!(file, "{name}")?;
        file.sync_all()?;
        fs::rename(&staged, &path)?;
        fs::File::open(folder)?.sync_all()
    };
    write().map_err(SearchError::io(&path))
}
