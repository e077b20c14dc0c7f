//! What keeps a slow or dead service from taking others with it, as layers around every call and every server.
//!
//! - `stack`: which layers a client and a server have, in the order in which they read.
//! - [`policy`]: how patient a client is, by what the answer is worth.
//! - `deadline`, `retry`, [`breaker`], `bulkhead`: one idea each.
//! - [`adaptive`] (by `gradient`): how much a process takes on at once, and what it sheds first.
//! - [`fault`]: services made slow or dead on purpose.
//! - `measure`: rate, errors and duration of calls.
//!
//! `tower` gives the budget of retries. A gRPC call that failed is an `Ok` answer with a status, one whose caller left is
//! neither good nor bad, and what one layer refuses must not be tried again by the layer above: `tower`'s other layers and
//! `tower-resilience` were looked at and would need an adapter for each of these, longer than the layers that are here.

pub mod adaptive;
pub(crate) mod answer;
pub(crate) mod around;
pub mod breaker;
mod bulkhead;
mod deadline;
pub mod fault;
mod gradient;
mod measure;
pub mod policy;
mod priority;
mod retry;
mod stack;

use std::sync::Arc;

pub use self::adaptive::{AdaptiveLimit, LimitSettings, Permit, Shed};
pub use self::fault::{FaultSwitch, Faults};
use self::measure::Measures;
pub use self::policy::Policy;
pub use self::priority::Priority;
pub use self::stack::Served;
pub(crate) use self::stack::client;
use crate::metrics::Metrics;

/// What all guarded clients and servers of a process share: its measurements and its fault switch. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Resilience {
    measures: Arc<Measures>,
    faults: FaultSwitch,
}

impl Resilience {
    /// Measured in `metrics`; no faults are played.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        Self { measures: Arc::new(Measures::new(metrics)), faults: FaultSwitch::default() }
    }

    /// With the faults of this switch.
    #[must_use]
    pub fn with_faults(self, faults: FaultSwitch) -> Self {
        Self { faults, ..self }
    }

    /// Which faults are played for every request of this process.
    #[must_use]
    pub fn faults(&self) -> &FaultSwitch {
        &self.faults
    }
}
