//! How each service is reached: over the network, until this process turns out to run it itself; and through which
//! layers, by what the answer is worth to whoever asks.

use std::collections::HashMap;

use matinee_service::channel::{Channel, TransportError};
use matinee_service::resilience::{Policy, Resilience};

/// A way to every service, by its name.
pub struct Reach {
    elsewhere: Channel,
    here: HashMap<&'static str, Channel>,
    resilience: Resilience,
}

impl Reach {
    /// Everything is at `address`, so far.
    pub fn new(address: &str, secret: &str, resilience: Resilience) -> Result<Self, TransportError> {
        Ok(Self { elsewhere: Channel::remote(address, secret)?, here: HashMap::new(), resilience })
    }

    /// A service is in this process.
    pub fn found(&mut self, name: &'static str, channel: Channel) {
        self.here.insert(name, channel);
    }

    /// To a service without whose answer nothing goes on.
    pub fn essential(&self, name: &'static str) -> Channel {
        self.to(name, Policy::essential())
    }

    /// To one whose answer is left out where it does not come.
    pub fn optional(&self, name: &'static str) -> Channel {
        self.to(name, Policy::optional())
    }

    /// To one that nobody waits for: by workers, consumers of events, and the studio's long work.
    pub fn background(&self, name: &'static str) -> Channel {
        self.to(name, Policy::background())
    }

    /// To one as it is, without any layer: for what must not watch itself.
    pub fn plain(&self, name: &'static str) -> Channel {
        self.here.get(name).unwrap_or(&self.elsewhere).clone()
    }

    fn to(&self, name: &'static str, policy: Policy) -> Channel {
        self.plain(name).guarded(name, policy, &self.resilience)
    }
}
