//! Services made slow or dead on purpose, to see what a viewer notices of it.
//!
//! Played by configuration or at run time for every request of this process ([`FaultSwitch`]), or by the header
//! `x-matinee-fault` for one request, where the door allows it (for a test account), through all services that it reaches.
//! Written `ratings=dead,history=slow:2000,search=error:unavailable,recommend=slow:300@0.5`: what is done (nothing is ever
//! answered; the answer comes so many milliseconds later; it is this error), and for which share of the calls.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{HeaderMap, HeaderName, Request, Response};
use tonic::body::Body;
use tonic::{Code, Status};

use super::answer::code_name;
use super::around::{Around, Grpc, Next};
use crate::context::Context;

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static("x-matinee-fault");
/// The most services with faults.
const MOST: usize = 32;
/// The most milliseconds of an answer that is made slow.
const SLOWEST_MS: u64 = 600_000;

/// Why faults can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Not "service=what".
    #[error("x-matinee-fault is refused: {0:?} is not SERVICE=dead, SERVICE=slow:MILLISECONDS or SERVICE=error:CODE")]
    NotOne(String),
    /// More than [`MOST`].
    #[error("x-matinee-fault is refused: it names more than {MOST} services")]
    TooMany,
    /// Not text.
    #[error("x-matinee-fault is refused: it is not plain text")]
    NotText,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    Dead,
    Slow(Duration),
    Error(Code),
}

#[derive(Debug, Clone, PartialEq)]
struct Fault {
    service: String,
    what: What,
    /// Of the calls, 0 to 1.
    share: f64,
}

/// Which services fail, and how. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults(Arc<Vec<Fault>>);

impl Faults {
    /// Reads "ratings=dead,history=slow:2000". An empty text is none.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let faults: Vec<Fault> = parts.map(str::parse).collect::<Result<_, _>>()?;
        if faults.len() > MOST {
            return Err(FaultError::TooMany);
        }
        Ok(Self(Arc::new(faults)))
    }

    /// Of a request's `x-matinee-fault`, where it has one.
    pub fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, FaultError> {
        let Some(value) = headers.get(HEADER) else { return Ok(None) };
        Self::parse(value.to_str().map_err(|_| FaultError::NotText)?).map(Some)
    }

    /// Whether one is of `service`.
    pub(crate) fn names(&self, service: &str) -> bool {
        self.of(service).is_some()
    }

    fn of(&self, service: &str) -> Option<&Fault> {
        self.0.iter().find(|fault| fault.service == service)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{}=", fault.service)?;
            match fault.what {
                What::Dead => write!(f, "dead")?,
                What::Slow(delay) => write!(f, "slow:{}", delay.as_millis())?,
                What::Error(code) => write!(f, "error:{}", code_name(code))?,
            }
            if fault.share < 1.0 {
                write!(f, "@{}", fault.share)?;
            }
        }
        Ok(())
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let read = || {
            let (service, rest) = text.split_once('=')?;
            let (what, share) = match rest.split_once('@') {
                Some((what, share)) => (what, share.parse().ok().filter(|share| (0.0..=1.0).contains(share))?),
                None => (rest, 1.0),
            };
            let what = match what.split_once(':').unwrap_or((what, "")) {
                ("dead", "") => What::Dead,
                ("slow", delay) => {
                    let delay: u64 = delay.strip_suffix("ms").unwrap_or(delay).parse().ok()?;
                    What::Slow(Duration::from_millis(delay.min(SLOWEST_MS)))
                }
                ("error", name) => What::Error((1..=16).map(Code::from_i32).find(|code| code_name(*code) == name)?),
                _ => return None,
            };
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            let service = service.trim();
            let named = !service.is_empty() && service.len() <= 64 && service.chars().all(plain);
            named.then(|| Self { service: service.to_owned(), what, share })
        };
        read().ok_or_else(|| FaultError::NotOne(text.chars().take(100).collect()))
    }
}

/// The faults of a process, changed while it runs. Cheap to clone; clones share it.
#[derive(Debug, Clone, Default)]
pub struct FaultSwitch(Arc<Switch>);

#[derive(Debug, Default)]
struct Switch {
    on: AtomicBool,
    faults: RwLock<Faults>,
}

impl FaultSwitch {
    /// Plays `text` ("ratings=dead"; empty for none) instead of what was played before.
    pub fn set(&self, text: &str) -> Result<(), FaultError> {
        let faults = Faults::parse(text)?;
        if !faults.0.is_empty() {
            tracing::warn!(%faults, "faults are played on purpose");
        }
        let mut played = self.0.faults.write().unwrap_or_else(PoisonError::into_inner);
        self.0.on.store(!faults.0.is_empty(), Ordering::Release);
        *played = faults;
        Ok(())
    }

    /// Plays none.
    pub fn clear(&self) {
        // An empty text is always taken.
        let _ = self.set("");
    }

    /// What is played, as it is written.
    #[must_use]
    pub fn shown(&self) -> String {
        self.0.faults.read().unwrap_or_else(PoisonError::into_inner).to_string()
    }

    fn of(&self, service: &str) -> Option<Fault> {
        if !self.0.on.load(Ordering::Acquire) {
            return None;
        }
        self.0.faults.read().unwrap_or_else(PoisonError::into_inner).of(service).cloned()
    }
}

/// Plays the faults of one service.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) name: &'static str,
    pub(crate) switch: FaultSwitch,
}

impl Around for Played {
    async fn around<S: Grpc>(self: Arc<Self>, request: Request<Body>, mut next: Next<S>) -> Response<Body> {
        let of_request = || Context::current().faults().and_then(|faults| faults.of(self.name)).cloned();
        let Some(fault) = of_request().or_else(|| self.switch.of(self.name)) else { return next.run(request).await };
        if fault.share < 1.0 && rand::random::<f64>() >= fault.share {
            return next.run(request).await;
        }
        match fault.what {
            What::Dead => std::future::pending().await,
            What::Slow(delay) => {
                tokio::time::sleep(delay).await;
                next.run(request).await
            }
            What::Error(code) => Status::new(code, format!("{} fails on purpose", self.name)).into_http(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::*;

    #[test]
    fn faults_are_read_as_they_are_written() {
        let text = "ratings=dead,history=slow:2000,search=error:unavailable,recommend=slow:300@0.5";
        assert_eq!(Faults::parse(text).unwrap().to_string(), text);
        assert_eq!(
            Faults::parse(" ratings=dead , history=slow:30ms").unwrap().to_string(),
            "ratings=dead,history=slow:30"
        );
        assert_eq!(Faults::parse("").unwrap(), Faults::default());
    }

    #[test]
    fn what_is_no_fault_is_refused_and_said() {
        for text in
            ["ratings", "ratings=slow", "ratings=slow:x", "=dead", "a=error:ok", "a=dead@2", "a b=dead", "a=dead:1"]
        {
            let error = Faults::parse(text).unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
        }
        assert_eq!(Faults::parse(&"a=dead,".repeat(33)), Err(FaultError::TooMany));
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(text in "\\PC{0,60}") {
            if let Ok(faults) = Faults::parse(&text) {
                assert_eq!(Faults::parse(&faults.to_string()), Ok(faults));
            }
        }
    }
}
