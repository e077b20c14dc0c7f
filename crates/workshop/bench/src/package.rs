//! Packaging a film into CMAF segments with HLS and DASH, clear and `cbcs`, beside Shaka Packager and ffmpeg.

use std::path::Path;
use std::process::Command;

use crate::house::program;
use crate::measure::{Cost, Failure, Goal, film, line, median, tool};

const ROUNDS: usize = 7;
const KEY: &str = "0123456789abcdef0123456789abcdef";
const KID: &str = "00112233445566778899aabbccddeeff";

/// Measures megabytes a CPU second and peak memory.
pub fn run() -> Result<(), Failure> {
    let input = film(
        "two-minutes-8mbit.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=1920x1080:rate=24,noise=alls=20:allf=t",
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
            "8M",
            "-maxrate",
            "8M",
            "-bufsize",
            "8M",
            "-g",
            "48",
            "-keyint_min",
            "48",
            "-sc_threshold",
            "0",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
            "-b:a",
            "128k",
        ],
    )?;
    let megabytes = std::fs::metadata(&input)?.len() as f64 / 1e6;
    let mut figures: [Vec<Cost>; 5] = Default::default();
    for _ in 0..ROUNDS {
        let runs: [fn(&Path, &Path) -> Command; 5] = [
            |i, o| ours(i, o, "clear"),
            |i, o| ours(i, o, "cbcs"),
            |i, o| shaka(i, o, false),
            |i, o| shaka(i, o, true),
            ffmpeg,
        ];
        for (make, kept) in runs.iter().zip(&mut figures) {
            let out = tempfile::tempdir_in(crate::measure::films()?)?;
            kept.push(measured(make(&input, out.path()))?);
        }
    }
    let rate = |costs: &[Cost]| megabytes / median(costs.iter().map(|c| c.cpu).collect());
    let wall = |costs: &[Cost]| median(costs.iter().map(|c| c.wall).collect());
    let peak = |costs: &[Cost]| costs.iter().map(|c| c.peak_kib).max().unwrap_or(0) as f64 / 1024.0;
    let names = ["ours clear", "ours cbcs", "Shaka Packager clear", "Shaka Packager cbcs", "ffmpeg -c copy -f dash"];
    for (name, costs) in names.iter().zip(&figures) {
        let (mb, seconds, mib) = (rate(costs), wall(costs), peak(costs));
        println!("{name}: {mb:.0} MB a CPU second, {seconds:.2} s wall for {megabytes:.0} MB, peak {mib:.1} MiB");
    }
    let unit = "MB/CPU-s";
    line("package-clear-shaka", rate(&figures[0]), rate(&figures[2]), unit, Goal::AtLeast(3.0));
    line("package-clear-ffmpeg", rate(&figures[0]), rate(&figures[4]), unit, Goal::AtLeast(1.5));
    line("package-cbcs-ffmpeg", rate(&figures[1]), rate(&figures[4]), unit, Goal::AtLeast(1.5));
    let most = peak(&figures[0]).max(peak(&figures[1]));
    line("package-memory", most, 48.0, "MiB", Goal::AtMost(1.0));
    line("package", rate(&figures[1]), rate(&figures[3]), unit, Goal::AtLeast(3.0));
    Ok(())
}

/// Runs it under the shell's accounting of its own, so that the peak is the command's alone.
fn measured(command: Command) -> Result<Cost, Failure> {
    let script = "import os, resource, sys, time, subprocess\n\
        start = time.monotonic()\n\
        done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)\n\
        wall = time.monotonic() - start\n\
        used = resource.getrusage(resource.RUSAGE_CHILDREN)\n\
        print(used.ru_utime + used.ru_stime, wall, used.ru_maxrss)\n\
        sys.stderr.buffer.write(done.stderr[-800:])\n\
        sys.exit(done.returncode)";
    let output =
        Command::new("python3").args(["-c", script]).arg(command.get_program()).args(command.get_args()).output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{:?} failed: {words}", command.get_program()).into());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let mut next = || numbers.next().and_then(Result::ok).ok_or("no figures came back");
    Ok(Cost { cpu: next()?, wall: next()?, peak_kib: next()? as u64 })
}

fn ours(input: &Path, out: &Path, protection: &str) -> Command {
    let mut command = Command::new(program().unwrap_or_else(|_| "matinee".into()));
    command.args(["package", "--protection", protection, "--key", KEY, "--kid", KID, "--out"]).arg(out).arg(input);
    command
}

fn shaka(input: &Path, out: &Path, protected: bool) -> Command {
    let mut command = Command::new(tool("packager"));
    for stream in ["video", "audio"] {
        let (i, o) = (input.display(), out.display());
        command.arg(format!(
            "in={i},stream={stream},init_segment={o}/{stream}-init.mp4,segment_template={o}/{stream}-$Number$.m4s"
        ));
    }
    command.args(["--segment_duration", "4", "--quiet"]);
    command.arg("--mpd_output").arg(out.join("manifest.mpd"));
    command.arg("--hls_master_playlist_output").arg(out.join("master.m3u8"));
    if protected {
        command.args(["--enable_raw_key_encryption", "--protection_scheme", "cbcs", "--clear_lead", "0"]);
        command.args(["--keys", &format!("label=:key_id={KID}:key={KEY}")]);
    }
    command
}

fn ffmpeg(input: &Path, out: &Path) -> Command {
    let mut command = Command::new(tool("ffmpeg"));
    command.args(["-nostdin", "-v", "error", "-i"]).arg(input).args(["-map", "0", "-c", "copy", "-f", "dash"]);
    command.args(["-seg_duration", "4", "-hls_playlist", "1"]).arg(out.join("manifest.mpd"));
    command
}
