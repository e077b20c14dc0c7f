//! The program under measurement, with a data folder of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::measure::{Failure, cpu_of, peak_of, tool};

/// A running program.
pub struct House {
    /// `http://host:port`.
    pub address: String,
    /// Of its own, or nothing where it runs over another's data.
    _folder: Option<tempfile::TempDir>,
    data: PathBuf,
    grpc: String,
    process: Child,
    settings: Vec<(String, String)>,
}

fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The release program beside this one.
pub fn program() -> Result<PathBuf, Failure> {
    Ok(std::env::current_exe()?.with_file_name("matinee"))
}

impl House {
    /// Starts every role with these settings (`MATINEE_SECTION__KEY`) and waits until it is ready.
    pub fn start(settings: &[(&str, String)]) -> Result<Self, Failure> {
        let folder = tempfile::tempdir_in(crate::measure::films()?)?;
        let data = folder.path().join("data");
        std::fs::create_dir_all(&data)?;
        Self::open(data, Some(folder), settings)
    }

    /// The same over a data folder that is there already.
    pub fn over(data: &Path, settings: &[(&str, String)]) -> Result<Self, Failure> {
        Self::open(data.to_owned(), None, settings)
    }

    fn open(data: PathBuf, folder: Option<tempfile::TempDir>, settings: &[(&str, String)]) -> Result<Self, Failure> {
        let (http, grpc) = (format!("127.0.0.1:{}", free_port()?), format!("127.0.0.1:{}", free_port()?));
        let mut settings: Vec<(String, String)> = settings.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        if !settings.iter().any(|(key, _)| key == "MATINEE_VIEWING__ACCESS") {
            settings.push(("MATINEE_VIEWING__ACCESS".to_owned(), "open".to_owned()));
        }
        settings.push(("MATINEE_SERVICES__ADDRESS".to_owned(), format!("http://{grpc}")));
        settings.push(("MATINEE_FFMPEG".to_owned(), tool("ffmpeg").display().to_string()));
        settings.push(("MATINEE_FFPROBE".to_owned(), tool("ffprobe").display().to_string()));
        let log = std::fs::File::create(data.join("log.txt"))?;
        let process = Command::new(program()?)
            .args(["run", "--listen", &http, "--grpc-listen", &grpc, "--data"])
            .arg(&data)
            .envs(settings.iter().cloned())
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()?;
        let house = Self { address: format!("http://{http}"), _folder: folder, data, grpc, process, settings };
        let ready = format!("{}/readyz", house.address);
        let start = Instant::now();
        while !get(&ready).is_ok_and(|(status, _)| status == 200) {
            if start.elapsed() > Duration::from_secs(30) {
                let log = std::fs::read_to_string(house.data.join("log.txt")).unwrap_or_default();
                return Err(format!("the program was not ready after 30 s (gRPC {}): {log}", house.grpc).into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(house)
    }

    /// `matinee title add`, until the film plays.
    pub fn add(&self, title: &str, file: &Path) -> Result<(), Failure> {
        self.taken_in(title, file, &[])
    }

    fn taken_in(&self, title: &str, file: &Path, options: &[&str]) -> Result<(), Failure> {
        let output = Command::new(program()?)
            .arg("--data")
            .arg(&self.data)
            .args(["title", "add", "--title", title])
            .args(options)
            .arg(file)
            .envs(self.settings.iter().cloned())
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok(())
    }

    /// `matinee title add`, until the film is in.
    pub fn add_without_waiting(&self, title: &str, file: &Path) -> Result<(), Failure> {
        self.taken_in(title, file, &["--no-wait"])
    }

    /// Waits until it is done with what an earlier measurement left behind: events to be taken, films to be encoded.
    pub fn at_rest(&self) -> Result<(), Failure> {
        let start = Instant::now();
        let mut before = self.cpu();
        loop {
            std::thread::sleep(Duration::from_secs(2));
            let now = self.cpu();
            if now - before < 0.1 {
                return Ok(());
            }
            if start.elapsed() > Duration::from_secs(600) {
                return Err("the program did not come to rest in ten minutes".into());
            }
            before = now;
        }
    }

    /// CPU seconds so far, with those of the programs it called.
    pub fn cpu(&self) -> f64 {
        cpu_of(self.process.id())
    }

    /// The most memory it ever had resident, in KiB.
    pub fn peak_kib(&self) -> u64 {
        peak_of(self.process.id())
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// GET, with the answer's status and body.
pub fn get(url: &str) -> Result<(u16, Vec<u8>), Failure> {
    block_on(async {
        let response = reqwest::get(url).await?;
        let status = response.status().as_u16();
        Ok((status, response.bytes().await?.to_vec()))
    })
}

/// The password of the studio in a house of members; an open one asks for none.
pub const STUDIO_KEY: &str = "bench";

/// A request of an operator.
pub fn as_operator(method: reqwest::Method, url: &str) -> reqwest::RequestBuilder {
    reqwest::Client::new().request(method, url).basic_auth("studio", Some(STUDIO_KEY))
}

/// Runs a future to its end on a runtime of its own.
pub fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
