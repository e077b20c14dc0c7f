//! How each service is reached: over the network, until this process turns out to run it itself.

use matinee_service::channel::{Channel, TransportError};

/// A way to every service.
#[derive(Clone)]
pub struct Reach {
    pub accounts: Channel,
    pub billing: Channel,
    pub catalog: Channel,
    pub history: Channel,
    pub ingest: Channel,
    pub lake: Channel,
    pub license: Channel,
    pub playback: Channel,
    pub ratings: Channel,
    pub recommend: Channel,
    pub search: Channel,
    pub telemetry: Channel,
    pub traces: Channel,
    pub workflow: Channel,
}

impl Reach {
    /// Everything is at `address`, so far.
    pub fn new(address: &str, secret: &str) -> Result<Self, TransportError> {
        let elsewhere = Channel::remote(address, secret)?;
        let to = |_name: &'static str| elsewhere.clone();
        Ok(Self {
            accounts: to("accounts"),
            billing: to("billing"),
            catalog: to("catalog"),
            history: to("history"),
            ingest: to("ingest"),
            lake: to("lake"),
            license: to("license"),
            playback: to("playback"),
            ratings: to("ratings"),
            recommend: to("recommend"),
            search: to("search"),
            telemetry: to("telemetry"),
            traces: to("traces"),
            workflow: to("workflow"),
        })
    }

    /// The way to a service of this name, with the layers that every call goes through.
    #[expect(clippy::unused_self, reason = "the layers are shared by all ways")]
    pub fn guarded(&self, _name: &'static str, channel: Channel) -> Channel {
        channel
    }
}
