//! The scratch area: files on their way into the store, or out of it to another program.
//!
//! Several processes may share a store, so each has a folder of its own here, held by a lock as long as it lives. Folders
//! of processes that are gone are removed when the next one opens the store.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// This process's scratch folder.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    // The lock lasts as long as the file is open.
    _lock: File,
}

impl Scratch {
    /// Takes a folder below `root` and empties those that nobody holds.
    pub fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        for entry in fs::read_dir(root)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "lock") {
                clear_if_unheld(&path)?;
            }
        }
        let folder = root.join(uuid::Uuid::now_v7().simple().to_string());
        let lock = File::create(folder.with_extension("lock"))?;
        lock.lock()?;
        fs::create_dir(&folder)?;
        Ok(Self { folder, _lock: lock })
    }

    /// A path of its own for `name`, whose characters that are not safe in a path are replaced.
    pub fn path(&self, name: &str) -> PathBuf {
        let safe: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' }).collect();
        // The end of a name holds its extension, which ffmpeg reads.
        let tail = &safe[safe.len().saturating_sub(100)..];
        self.folder.join(format!("{}-{tail}", uuid::Uuid::new_v4().simple()))
    }
}

fn clear_if_unheld(lock: &Path) -> io::Result<()> {
    let file = match File::open(lock) {
        Ok(file) => file,
        // Another process cleared it between the listing and here.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if file.try_lock().is_err() {
        return Ok(());
    }
    match fs::remove_dir_all(lock.with_extension("")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    match fs::remove_file(lock) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_are_cleared_and_the_living_are_not() {
        let root = tempfile::tempdir().unwrap();
        let dead = Scratch::open(root.path()).unwrap();
        let left = dead.path("left over.mp4");
        fs::write(&left, b"x").unwrap();
        drop(dead);
        let living = Scratch::open(root.path()).unwrap();
        let held = living.path("../held.mp4");
        assert!(held.starts_with(&living.folder), "{held:?}");
        fs::write(&held, b"x").unwrap();
        let _third = Scratch::open(root.path()).unwrap();
        assert!(!left.exists());
        assert!(held.exists());
    }
}
