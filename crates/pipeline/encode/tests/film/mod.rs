//! Films for the tests, made by ffmpeg.

#![allow(dead_code)]

pub mod workbench;

use std::path::{Path, PathBuf};
use std::process::Command;

use matinee_encode::tool::Tools;

pub fn tool(variable: &str, name: &str) -> PathBuf {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    std::env::var_os(variable).map_or_else(|| home.join(".cache/matinee/tools/bin").join(name), PathBuf::from)
}

pub async fn tools() -> Tools {
    Tools::find(&tool("MATINEE_FFMPEG", "ffmpeg"), &tool("MATINEE_FFPROBE", "ffprobe")).await.unwrap()
}

/// Runs ffmpeg on a line of arguments, which are parted by spaces, and gives its standard output.
pub fn ffmpeg(folder: &Path, line: &str) -> Vec<u8> {
    let done = Command::new(tool("MATINEE_FFMPEG", "ffmpeg"))
        .current_dir(folder)
        .args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y"])
        .args(line.split_whitespace())
        .output()
        .unwrap();
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}
