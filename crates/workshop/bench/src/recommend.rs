//! Factorising who watched what, beside PyPI `implicit`: how well both find what was held back, and in what time.
//!
//! The plays are made, of the shape of MovieLens 1M: 6,040 profiles, 3,706 titles, a million plays, tastes in 16 hidden
//! dimensions, few titles that all watch and many that few do. Both get the same plays, factors, regularisation, alpha,
//! iterations and cores; both are judged by the same code.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use matinee_recommend::als::{Factors, Options, Quality, Sparse, evaluate, factorise};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::measure::{Failure, Goal, films, line, median};

const USERS: usize = 6040;
const ITEMS: usize = 3706;
const PLAYS: f64 = 1_000_000.0;
const HIDDEN: usize = 16;
/// How much taste decides beside what everybody watches.
const TASTE: f32 = 2.2;
/// The share of a profile's plays that is held back.
const HELD: f32 = 0.2;
const ALPHA: f32 = 10.0;
const ROUNDS: u64 = 5;

/// Measures Recall@20, NDCG@100 and seconds.
pub fn run() -> Result<(), Failure> {
    let python = peer()?;
    let (seen, held) = plays();
    eprintln!("{USERS} profiles, {ITEMS} titles, {} plays to learn from, {} to find", seen.len(), held.len());
    let options = Options { factors: 64, regularization: 10.0, scaling: 0.0, iterations: 15, ..Options::default() };
    let file = films()?.join("recommend-plays.bin");
    write_plays(&file, &seen)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let options = Options { seed: round, ..options.clone() };
        let start = Instant::now();
        let found = factorise(&seen, &options, |_| {});
        let seconds = start.elapsed().as_secs_f64();
        let quality = judge(&found.users, &found.items, &seen, &held);
        say(round, "ours", seconds, &quality);
        ours.push((seconds, quality));
        let (seconds, users, items) = fit(&python, &file, &options)?;
        let quality = judge(&users, &items, &seen, &held);
        say(round, "implicit", seconds, &quality);
        theirs.push((seconds, quality));
    }
    let middle = |of: &[(f64, Quality)], figure: fn(&(f64, Quality)) -> f64| median(of.iter().map(figure).collect());
    let both = |figure: fn(&(f64, Quality)) -> f64| (middle(&ours, figure), middle(&theirs, figure));
    let (our, their) = both(|(_, quality)| quality.recall_at_20 * 100.0);
    line("recommend", our, their, "% Recall@20", Goal::AtLeast(0.99));
    let (our, their) = both(|(_, quality)| quality.ndcg_at_100 * 100.0);
    line("recommend", our, their, "% NDCG@100", Goal::AtLeast(0.99));
    let (our, their) = both(|(seconds, _)| *seconds);
    line("recommend", our, their, "s", Goal::AtMost(1.0));
    Ok(())
}

fn say(round: u64, who: &str, seconds: f64, quality: &Quality) {
    let Quality { recall_at_20, ndcg_at_100, .. } = quality;
    eprintln!("round {round}, {who}: {seconds:.2} s, Recall@20 {recall_at_20:.4}, NDCG@100 {ndcg_at_100:.4}");
}

fn judge(users: &Factors, items: &Factors, seen: &Sparse, held: &Sparse) -> Quality {
    evaluate(items, seen, held, |n| users.row(n))
}

/// A Python that has `implicit`, in an environment that is made once.
fn peer() -> Result<PathBuf, Failure> {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let tools = std::env::var_os("MATINEE_TOOLS").map_or_else(|| home.join(".cache/matinee/tools"), PathBuf::from);
    let environment = tools.join("py-bench");
    let python = environment.join("bin/python");
    if !python.exists() {
        run_to_end(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    if run_to_end(Command::new(&python).args(["-c", "import implicit"])).is_err() {
        eprintln!("installing implicit");
        run_to_end(Command::new(&python).args(["-m", "pip", "install", "-q", "implicit"]))?;
    }
    Ok(python)
}

fn run_to_end(command: &mut Command) -> Result<String, Failure> {
    // As implicit asks for: its own threads must not share the cores with those of its BLAS.
    let output = command.env("OPENBLAS_NUM_THREADS", "1").output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{:?} failed: {}", command.get_program(), words.trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn fit(python: &Path, plays: &Path, options: &Options) -> Result<(f64, Factors, Factors), Failure> {
    let out = plays.with_file_name("recommend-factors.bin");
    let mut command = Command::new(python);
    command.args(["-c", include_str!("recommend.py")]).arg(plays).arg(&out);
    command.args([options.factors.to_string(), options.regularization.to_string(), ALPHA.to_string()]);
    command.args([options.iterations.to_string(), options.seed.to_string()]);
    let seconds: f64 = run_to_end(&mut command)?.trim().parse()?;
    let bytes = std::fs::read(&out)?;
    let numbers: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let (users, items) = numbers.split_at_checked(USERS * options.factors).ok_or("implicit wrote too few factors")?;
    let of = |numbers| Factors::of(options.factors, numbers).ok_or("implicit wrote a part of a row");
    Ok((seconds, of(users)?, of(items)?))
}

fn write_plays(file: &Path, seen: &Sparse) -> Result<(), Failure> {
    let mut numbers = vec![seen.rows() as i32, seen.width() as i32, seen.len() as i32, 0];
    let mut columns = Vec::new();
    for row in 0..seen.rows() {
        columns.extend(seen.row(row).0.iter().map(|column| *column as i32));
        numbers.push(columns.len() as i32);
    }
    numbers.extend(columns);
    std::fs::write(file, numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())?;
    Ok(())
}

/// What both learn from, and what they are to find. The same each time.
fn plays() -> (Sparse, Sparse) {
    let mut random = StdRng::seed_from_u64(2026);
    let normal = |random: &mut StdRng| {
        let (u, v): (f32, f32) = (1.0 - random.random::<f32>(), random.random());
        (-2.0 * u.ln()).sqrt() * (std::f32::consts::TAU * v).cos()
    };
    let hidden = |random: &mut StdRng| -> Vec<f32> { (0..HIDDEN).map(|_| normal(random)).collect() };
    let items: Vec<Vec<f32>> = (0..ITEMS).map(|_| hidden(&mut random)).collect();
    // Log-normal, as films are: the first hundredth has a tenth of all plays.
    let watched: Vec<f32> = (0..ITEMS).map(|_| normal(&mut random) * 1.3).collect();
    let activity: Vec<f64> = (0..USERS).map(|_| f64::from(normal(&mut random)).exp()).collect();
    let each = PLAYS / activity.iter().sum::<f64>();
    let (mut seen, mut held) = (Vec::new(), Vec::new());
    for (user, activity) in activity.iter().enumerate() {
        let (taste, count) = (hidden(&mut random), (activity * each).clamp(20.0, ITEMS as f64 / 2.0) as usize);
        let mut ranked: Vec<(f32, u32)> = items
            .iter()
            .zip(&watched)
            .enumerate()
            .map(|(item, (its, watched))| {
                let fits: f32 = taste.iter().zip(its).map(|(a, b)| a * b).sum::<f32>() / (HIDDEN as f32).sqrt();
                // The greatest of these are a sample without replacement (Gumbel).
                let chance = -(-(random.random::<f32>().max(1e-9)).ln()).ln();
                (watched + TASTE * fits + chance, item as u32)
            })
            .collect();
        ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        for (_, item) in ranked.into_iter().take(count) {
            let to = if random.random::<f32>() < HELD { &mut held } else { &mut seen };
            to.push((user as u32, item, ALPHA));
        }
    }
    (Sparse::of(USERS, ITEMS, seen), Sparse::of(USERS, ITEMS, held))
}
