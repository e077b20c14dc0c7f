//! The three kinds of device, and what the screen of each wants.

use matinee_service::http::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// A browser on a desk or a lap.
    Web,
    /// A phone or a tablet.
    Mobile,
    /// A television.
    Tv,
}

/// How much a device's home shows, and how large its pictures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows of home, at the most.
    pub rows: u32,
    /// Titles of a row, at the most.
    pub titles: u32,
    /// How wide a card's poster is, in pixels.
    pub poster: u32,
    /// How wide a card's backdrop is, in pixels; nothing where cards have none.
    pub backdrop: Option<u32>,
    /// How wide the backdrop of a title's own page is, in pixels.
    pub stage: u32,
    /// Whether a card says what its title is about: shown while it has the focus.
    pub blurb: bool,
    /// The device profile by which it plays.
    pub plays_as: &'static str,
}

impl Device {
    /// The device of this name, as it stands in addresses.
    pub fn parse(name: &str) -> Result<Self, Problem> {
        match name {
            "web" => Ok(Self::Web),
            "mobile" => Ok(Self::Mobile),
            "tv" => Ok(Self::Tv),
            other => {
                let shown: String = other.chars().take(40).collect();
                Err(Problem::not_found(format!("device {shown:?} is not known: web, mobile and tv are")))
            }
        }
    }

    /// What its screen wants.
    #[must_use]
    pub fn shape(self) -> Shape {
        match self {
            Self::Web => Shape {
                rows: 12,
                titles: 20,
                poster: 342,
                backdrop: Some(780),
                stage: 1920,
                blurb: false,
                plays_as: "web",
            },
            // A home is read over a mobile network: posters alone, as wide as three of them beside each other.
            Self::Mobile => Shape {
                rows: 12,
                titles: 20,
                poster: 342,
                backdrop: None,
                stage: 1280,
                blurb: false,
                plays_as: "mobile",
            },
            // Seen from a sofa: fewer, larger, and the one in focus fills the screen behind the rows.
            Self::Tv => Shape {
                rows: 12,
                titles: 20,
                poster: 780,
                backdrop: Some(3840),
                stage: 3840,
                blurb: true,
                plays_as: "tv-4k",
            },
        }
    }
}
