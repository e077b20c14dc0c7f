//! `matinee-bench NAME`: ours beside the peer on this machine, in one go, with one line at the end.
//!
//! `NAME: ours FIGURE UNIT, peer FIGURE UNIT, ratio R, goal G, met|short`. It exits with 0 either way: a timing is not a
//! test. Each pair is measured several times in turn (ours, peer, ours, peer, …), because machines drift.

mod first_frame;
mod house;
mod load;
mod measure;
mod onboard;
mod package;
mod recommend;
mod search;
mod starve;
mod town;
mod upload;
mod viewers;

use std::process::ExitCode;

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let lines = match name.as_str() {
        "onboard" => onboard::run(),
        "package" => package::run(),
        "search" => search::run(),
        "recommend" => recommend::run(),
        "starve" => starve::run(),
        "play" => viewers::plays(),
        "home" => viewers::homes(),
        "heartbeats" => viewers::heartbeats(),
        "overload" => viewers::overload(),
        "upload" => upload::run(),
        "first-frame" => first_frame::run(),
        other => {
            eprintln!(
                "matinee-bench: {other:?} is not known: onboard, package, upload, first-frame, recommend, search, starve, play, home, heartbeats, overload"
            );
            return ExitCode::from(2);
        }
    };
    match lines {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("matinee-bench: {name} could not be measured: {error}");
            ExitCode::FAILURE
        }
    }
}
