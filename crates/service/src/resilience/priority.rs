//! How much a request matters when not all can be taken.

/// How much a request matters. The greater is shed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Priority {
    /// Reports of players: they are sent again.
    Telemetry,
    /// What a client fetches ahead of need.
    Prefetch,
    /// Pages that someone looks at.
    #[default]
    Browse,
    /// The start of a film, its licence, signing in.
    Play,
}

impl Priority {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Telemetry, Self::Prefetch, Self::Browse, Self::Play];

    /// Its name in headers and measurements.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Telemetry => "telemetry",
            Self::Prefetch => "prefetch",
            Self::Browse => "browse",
            Self::Play => "play",
        }
    }

    /// The priority of this name, where there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.as_str() == name)
    }

    /// Its place in [`Priority::ALL`].
    pub(crate) fn place(self) -> usize {
        self as usize
    }
}
