//! Measuring processes, and the line that a measurement ends with.

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What can go wrong on the way to a figure.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What one run of a process cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Seconds of user and system time, with its children's.
    pub cpu: f64,
    /// Seconds.
    pub wall: f64,
    /// Kibibytes resident at most (the largest single process).
    pub peak_kib: u64,
}

/// Runs a command to its end and says what it cost. Fails with its last words where it fails.
pub fn cost(command: &mut Command) -> Result<Cost, Failure> {
    // Through a shell's `wait` there would be no peak; GNU time is not everywhere. So the child is waited for here, and
    // the kernel's own accounting of ended children is read before and after.
    let before = children();
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output()?;
    let wall = start.elapsed().as_secs_f64();
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let from = words.len().saturating_sub(800);
        return Err(format!("{:?} failed: {}", command.get_program(), words.get(from..).unwrap_or(&words)).into());
    }
    let after = children();
    Ok(Cost { cpu: after.0 - before.0, wall, peak_kib: after.1 })
}

/// CPU seconds of this process's ended children, and the largest of them in KiB.
fn children() -> (f64, u64) {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    (ticks(&text, &[15, 16]), 0)
}

/// The sum of these fields (from 1, as in proc(5)) of a `/proc/PID/stat`, in seconds.
fn ticks(stat: &str, fields: &[usize]) -> f64 {
    // Field 2 is the name in brackets, which may hold spaces.
    let rest: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let sum: f64 = fields.iter().filter_map(|f| rest.get(f - 3)).filter_map(|v| v.parse::<f64>().ok()).sum();
    sum / rustix::param::clock_ticks_per_second() as f64
}

/// CPU seconds of a running process and its ended children.
pub fn cpu_of(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    ticks(&text, &[14, 15, 16, 17])
}

/// The most memory that a running process ever had resident, in KiB.
pub fn peak_of(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("");
    line.split_whitespace().next().and_then(|v| v.parse().ok()).unwrap_or(0)
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value below which `share` (0 to 1) of the values are.
pub fn percentile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (share * values.len() as f64).ceil() as usize;
    values.get(at.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// Whether a ratio must be small or large.
#[derive(Clone, Copy)]
pub enum Goal {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
}

/// The line. The ratio is ours over the peer's.
pub fn line(name: &str, ours: f64, peer: f64, unit: &str, goal: Goal) {
    let ratio = ours / peer;
    let (text, met) = match goal {
        Goal::AtMost(most) => (format!("<= {most}"), ratio <= most),
        Goal::AtLeast(least) => (format!(">= {least}"), ratio >= least),
    };
    let verdict = if met { "met" } else { "short" };
    println!("{name}: ours {ours:.2} {unit}, peer {peer:.2} {unit}, ratio {ratio:.2}, goal {text}, {verdict}");
}

/// A tool that `tools/install` put in place.
pub fn tool(name: &str) -> PathBuf {
    let home = std::env::var_os("MATINEE_TOOLS").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/matinee/tools"),
        PathBuf::from,
    );
    home.join("bin").join(name)
}

/// A folder for films that are made once and kept for the next measurement.
pub fn films() -> Result<PathBuf, Failure> {
    let folder = PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/matinee/bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Makes a film with ffmpeg unless it is there already.
pub fn film(name: &str, options: &[&str]) -> Result<PathBuf, Failure> {
    let path = films()?.join(name);
    if !path.exists() {
        eprintln!("making {name}");
        let unfinished = path.with_file_name(format!("new-{name}"));
        cost(Command::new(tool("ffmpeg")).args(["-nostdin", "-v", "error", "-y"]).args(options).arg(&unfinished))?;
        std::fs::rename(&unfinished, &path)?;
    }
    Ok(path)
}
