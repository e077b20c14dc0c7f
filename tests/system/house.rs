//! A running Matinee for tests: the real program with a data folder of its own, which can be killed and started again.

#![allow(dead_code, reason = "not every test uses all of it")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program under test and where it lives.
pub struct House {
    pub data: PathBuf,
    pub address: String,
    grpc: String,
    environment: Vec<(String, String)>,
    process: Option<Child>,
    _folder: tempfile::TempDir,
}

/// The program of one role, beside a house.
pub struct Extra {
    pub address: String,
    process: Child,
}

impl Drop for Extra {
    fn drop(&mut self) {
        kill(&mut self.process);
    }
}

impl Extra {
    /// `kill -9`.
    pub fn kill(&mut self) {
        kill(&mut self.process);
    }
}

fn kill(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A tool of the project's tests: from the environment, or where `tools/install` puts it.
pub fn tool(variable: &str, name: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(
        || PathBuf::from(std::env::var("HOME").unwrap()).join(".cache/matinee/tools/bin").join(name),
        PathBuf::from,
    )
}

impl House {
    /// A house with settings of `MATINEE_SECTION__KEY`, not yet running.
    pub fn new(settings: &[(&str, &str)]) -> Self {
        Self::with_ladder(settings, LADDER)
    }

    /// The same, with renditions by this ladder (TOML).
    pub fn with_ladder(settings: &[(&str, &str)], rungs: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut environment: Vec<(String, String)> =
            settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let ladder = folder.path().join("ladder.toml");
        std::fs::write(&ladder, rungs).unwrap();
        for (key, value) in [
            ("MATINEE_ENCODE__LADDER", ladder.display().to_string()),
            ("MATINEE_VIEWING__ACCESS", "open".to_owned()),
            ("MATINEE_FFMPEG", tool("MATINEE_FFMPEG", "ffmpeg").display().to_string()),
            ("MATINEE_FFPROBE", tool("MATINEE_FFPROBE", "ffprobe").display().to_string()),
        ] {
            if !environment.iter().any(|(k, _)| k == key) {
                environment.push((key.to_owned(), value));
            }
        }
        let (http, grpc) = (free_port(), free_port());
        for key in ["MATINEE_SERVICES__ADDRESS", "MATINEE_SERVICES__ORIGIN"] {
            environment.push((key.to_owned(), format!("http://127.0.0.1:{grpc}")));
        }
        Self {
            data: folder.path().join("data"),
            address: format!("http://127.0.0.1:{http}"),
            grpc: format!("127.0.0.1:{grpc}"),
            environment,
            process: None,
            _folder: folder,
        }
    }

    /// Another setting, from the next start on.
    pub fn set(&mut self, key: &str, value: &str) {
        self.environment.retain(|(known, _)| known != key);
        self.environment.push((key.to_owned(), value.to_owned()));
    }

    /// SIGHUP.
    pub fn hang_up(&self) {
        let pid = rustix::process::Pid::from_child(self.process.as_ref().unwrap());
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_matinee"));
        command.arg("--data").arg(&self.data).envs(self.environment.iter().cloned());
        command
    }

    /// Starts every role but those left out, and waits until it is ready.
    pub async fn start(&mut self, roles: &[&str]) {
        let listen = self.address.trim_start_matches("http://").to_owned();
        let mut command = self.command();
        command.args(["run", "--listen", &listen, "--grpc-listen", &self.grpc]);
        if !roles.is_empty() {
            command.args(["--role", &roles.join(",")]);
        }
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        self.process = Some(command.stderr(log).stdout(Stdio::null()).spawn().unwrap());
        let url = format!("{}/readyz", self.address);
        let log = self.log();
        wait(Duration::from_secs(60), &format!("{url} to be ready; see {}", log.display()), async || {
            reqwest::get(&url).await.is_ok_and(|r| r.status().is_success()).then_some(())
        })
        .await;
    }

    /// Where its services listen for each other.
    pub fn internal(&self) -> String {
        format!("http://{}", self.grpc)
    }

    /// Where its log lines go.
    pub fn log(&self) -> PathBuf {
        std::fs::create_dir_all(&self.data).unwrap();
        self.data.join("log.txt")
    }

    /// A further process that plays only these roles and shares the secrets and the objects.
    pub fn beside(&self, name: &str, roles: &str) -> Extra {
        let mut command = self.command();
        let log = std::fs::File::create(self.data.join(format!("{name}.txt"))).unwrap();
        let (http, grpc) = (free_port(), free_port());
        command.args(["run", "--role", roles]);
        command.args(["--listen", &format!("127.0.0.1:{http}"), "--grpc-listen", &format!("127.0.0.1:{grpc}")]);
        let process = command.stderr(log).stdout(Stdio::null()).spawn().unwrap();
        Extra { address: format!("http://127.0.0.1:{http}"), process }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            kill(&mut process);
        }
    }

    /// SIGTERM, and how it ended.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        let mut process = self.process.take().unwrap();
        let pid = rustix::process::Pid::from_child(&process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        process.wait().unwrap()
    }

    /// `matinee title add`, without waiting until it plays.
    pub fn add(&self, title: &str, file: &Path) {
        self.try_add(title, file, &[]).unwrap();
    }

    /// `matinee title add` with more options, and what it says where it fails.
    pub fn try_add(&self, title: &str, file: &Path, options: &[&str]) -> Result<(), String> {
        let mut command = self.command();
        command.args(["title", "add", "--no-wait", "--title", title]).args(options).arg(file);
        let output = command.output().unwrap();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }

    /// GET of an address below the house's, as JSON.
    pub async fn json(&self, path: &str) -> Option<Value> {
        let response = reqwest::get(format!("{}{path}", self.address)).await.ok()?;
        response.status().is_success().then_some(())?;
        response.json().await.ok()
    }

    /// The title's newest workflow with its tasks.
    pub async fn workflow(&self, title: &str) -> Option<Value> {
        let all = self.json("/api/studio/workflows").await?;
        let newest = all.as_array()?.iter().find(|w| w["subject"] == title)?;
        self.json(&format!("/api/studio/workflows/{}", newest["id"].as_str()?)).await
    }

    /// Waits until the title plays.
    pub async fn published(&self, title: &str) -> Value {
        let path = format!("/api/titles/{title}");
        wait(Duration::from_secs(240), &format!("{title} to be published"), async || {
            if let Some(workflow) = self.workflow(title).await {
                assert_ne!(workflow["state"], "stuck", "{}", workflow["reason"]);
            }
            self.json(&path).await
        })
        .await
    }

    /// A session to play the title.
    pub async fn play(&self, title: &str, protection: &str) -> Value {
        let body = serde_json::json!({ "title": title, "protection": protection });
        let request = reqwest::Client::new().post(format!("{}/api/play", self.address)).json(&body);
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
        response.json().await.unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.log()).unwrap_or_default();
            let from = log.len().saturating_sub(6000);
            eprintln!("--- the house's log\n{}", log.get(from..).unwrap_or(&log));
        }
        self.kill();
    }
}

/// Waits until `condition` gives something, at most `bound`.
pub async fn wait<T>(bound: Duration, what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(start.elapsed() < bound, "waited {bound:?} for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A film of numbered test pictures with a tone, made by ffmpeg.
pub fn film(path: &Path, seconds: u32, size: &str, options: &[&str]) {
    let ffmpeg = tool("MATINEE_FFMPEG", "ffmpeg");
    let picture = format!("testsrc2=size={size}:rate=24");
    let status = Command::new(ffmpeg)
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", &picture])
        .args(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", &seconds.to_string()])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"])
        .args(options)
        .arg(path)
        .status()
        .unwrap();
    assert!(status.success());
}

/// Two small rungs: what the system does is under test here, not the encoder.
const LADDER: &str = r#"
[[video]]
codec = "h264"
height = 144
crf = 30.0
max_kbps = 300
preset = "veryfast"

[[video]]
codec = "h264"
height = 240
crf = 30.0
max_kbps = 600
preset = "veryfast"

[[audio]]
layout = "stereo"
kbps = 96
"#;
