//! Onboarding a two-minute 1080p film, beside one plain ffmpeg command that makes the same renditions.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::house::House;
use crate::measure::{Cost, Failure, Goal, cost, film, line, median, tool};

/// The default ladder's rungs up to 1080 lines: height, width, CRF, peak in kbit/s. The preset is the ladder's.
const RUNGS: [(u32, u32, u32, u32); 5] =
    [(240, 426, 23, 400), (360, 640, 23, 800), (480, 854, 22, 1500), (720, 1280, 22, 3000), (1080, 1920, 21, 6000)];
const PRESET: &str = "fast";
const ROUNDS: usize = 3;

/// The options of a film of two minutes.
pub const TWO_MINUTES: [&str; 24] = [
    "-f",
    "lavfi",
    "-i",
    "testsrc2=size=1920x1080:rate=24,noise=alls=8:allf=t,hue=H=t/7",
    "-f",
    "lavfi",
    "-i",
    "anoisesrc=color=pink:amplitude=0.3:sample_rate=48000,aformat=channel_layouts=stereo",
    "-t",
    "120",
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-b:v",
    "12M",
    "-g",
    "120",
    "-pix_fmt",
    "yuv420p",
    "-c:a",
    "aac",
    "-b:a",
    "192k",
];

/// Measures CPU seconds and wall seconds, with one worker slot and with two.
pub fn run() -> Result<(), Failure> {
    let master = film("two-minutes-1080p.mp4", &TWO_MINUTES)?;
    let mut ours: [Vec<(f64, f64)>; 2] = Default::default();
    let mut peer = Vec::new();
    for round in 1..=ROUNDS {
        // One slot shows how it scales; once is enough for that.
        for slots in if round == 1 { 1..=2 } else { 2..=2 } {
            let figure = onboard(&master, slots)?;
            eprintln!("round {round}, ours with {slots} slot(s): {:.1} s CPU, {:.1} s wall", figure.0, figure.1);
            ours[slots - 1].push(figure);
        }
        let figure = plain(&master)?;
        eprintln!("round {round}, plain ffmpeg: {:.1} s CPU, {:.1} s wall", figure.cpu, figure.wall);
        peer.push(figure);
    }
    let cpu = |figures: &[(f64, f64)]| median(figures.iter().map(|f| f.0).collect());
    let wall = |figures: &[(f64, f64)]| median(figures.iter().map(|f| f.1).collect());
    let (one, two) = (wall(&ours[0]), wall(&ours[1]));
    println!("onboard scaling: 1 worker {one:.1} s wall, 2 workers {two:.1} s wall, speed-up {:.2}", one / two);
    let peer_wall = median(peer.iter().map(|c| c.wall).collect());
    let peer_cpu = median(peer.iter().map(|c| c.cpu).collect());
    line("onboard-wall", two, peer_wall, "s", Goal::AtMost(1.10));
    line("onboard", cpu(&ours[1]), peer_cpu, "CPU-s", Goal::AtMost(1.10));
    Ok(())
}

/// CPU seconds and wall seconds from the file to the published title.
fn onboard(master: &Path, slots: usize) -> Result<(f64, f64), Failure> {
    let house = House::start(&[
        ("MATINEE_WORKER__CPU_SLOTS", slots.to_string()),
        ("MATINEE_ENCODE__CHUNK_SECONDS", "30".to_owned()),
    ])?;
    let (before, start) = (house.cpu(), Instant::now());
    house.add("film", master)?;
    Ok((house.cpu() - before, start.elapsed().as_secs_f64()))
}

/// One ffmpeg command: decodes once, makes every rendition and the sound.
fn plain(master: &Path) -> Result<Cost, Failure> {
    let folder = tempfile::tempdir()?;
    let names: Vec<String> = (0..RUNGS.len()).map(|i| format!("[s{i}]")).collect();
    let mut graph = format!("[0:v]split={}{}", RUNGS.len(), names.concat());
    for (i, (height, width, ..)) in RUNGS.iter().enumerate() {
        graph.push_str(&format!(";[s{i}]scale={width}:{height}:flags=bicubic[v{i}]"));
    }
    let mut command = Command::new(tool("ffmpeg"));
    command.args(["-nostdin", "-v", "error", "-y", "-i"]).arg(master).args(["-filter_complex", &graph]);
    for (i, (height, _, crf, kbps)) in RUNGS.iter().enumerate() {
        let (rate, buffer) = (format!("{kbps}k"), format!("{kbps}k"));
        command.args(["-map", &format!("[v{i}]"), "-c:v", "libx264", "-preset", PRESET, "-crf", &crf.to_string()]);
        command.args(["-maxrate", &rate, "-bufsize", &buffer, "-g", "48", "-keyint_min", "48", "-sc_threshold", "0"]);
        command.arg(folder.path().join(format!("{height}.mp4")));
    }
    command.args(["-map", "0:a", "-c:a", "aac", "-b:a", "128k"]).arg(folder.path().join("audio.mp4"));
    cost(&mut command)
}
