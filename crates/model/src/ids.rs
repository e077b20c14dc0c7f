//! Identifiers. Each is a type of its own, so that one is never taken for another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not an identifier.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{kind} id {value:?} is refused: 1 to 64 of a-z, 0-9, '-' and '_' are taken")]
pub struct IdError {
    kind: &'static str,
    value: String,
}

fn checked(kind: &'static str, value: &str) -> Result<String, IdError> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if value.is_empty() || value.len() > 64 || !value.chars().all(legal) {
        return Err(IdError { kind, value: value.chars().take(80).collect() });
    }
    Ok(value.to_owned())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes 1 to 64 of `a-z`, `0-9`, `-` and `_`, which are safe in keys, paths and addresses.
            pub fn parse(value: &str) -> Result<Self, IdError> {
                checked($kind, value).map(Self)
            }

            /// A new one, rising with time (UUID v7).
            #[must_use]
            pub fn fresh() -> Self {
                Self(uuid::Uuid::now_v7().simple().to_string())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(value: String) -> Result<Self, IdError> {
                Self::parse(&value)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(value: &str) -> Result<Self, IdError> {
                Self::parse(value)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

id!(
    /// A film, as the catalogue knows it.
    TitleId,
    "title"
);
id!(
    /// One packaged, immutable making of a title. A title plays in one version at a time.
    VersionId,
    "version"
);
id!(
    /// A master file that came in whole (the id of its upload).
    MasterId,
    "master"
);
id!(
    /// A run of a workflow.
    WorkflowId,
    "workflow"
);

id!(
    /// Somebody who watches, within an account.
    ProfileId,
    "profile"
);

id!(
    /// Who signs in and pays.
    AccountId,
    "account"
);

id!(
    /// A device that is signed in.
    DeviceId,
    "device"
);

id!(
    /// Somebody who made a title or acts in it.
    PersonId,
    "person"
);

id!(
    /// One play, from its start to its end.
    SessionId,
    "session"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_leave_its_folder_is_refused() {
        for bad in ["", "../etc", "a/b", "A", "é", &"x".repeat(65)] {
            assert!(TitleId::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(TitleId::parse("big-buck-bunny").unwrap().as_str(), "big-buck-bunny");
    }
}
