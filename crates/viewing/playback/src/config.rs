//! What an operator decides about playback.

use std::time::Duration;

use matinee_model::profile::{DeviceProfile, default_profiles};

use crate::error::PlaybackError;

/// How sessions are made.
#[derive(Debug, Clone)]
pub struct PlaybackConfig {
    /// Where viewers reach the edge (`https://edge.example.org`); empty when it is the server that they asked.
    pub edge_url: String,
    /// Where players ask for licences; relative when it is the server that they asked.
    pub license_url: String,
    /// How long a session's addresses and its token hold.
    pub valid: Duration,
    /// Whether members may have streams that are not encrypted. Whoever holds one can keep the film, at any height.
    pub clear_to_members: bool,
    /// The devices there are.
    pub profiles: Vec<DeviceProfile>,
}

impl Default for PlaybackConfig {
    fn default() -> Self {
        Self {
            edge_url: String::new(),
            license_url: "/license/clearkey".to_owned(),
            valid: Duration::from_secs(6 * 3600),
            clear_to_members: false,
            profiles: default_profiles(),
        }
    }
}

impl PlaybackConfig {
    /// Refuses what no session could be made of.
    pub fn check(&self) -> Result<(), PlaybackError> {
        let refuse = |key, reason: String| Err(PlaybackError::Config { key, reason });
        let edge = &self.edge_url;
        let absolute = edge.starts_with("https://") || edge.starts_with("http://");
        if !edge.is_empty() && (!absolute || edge.contains(['?', '#']) || edge.contains(char::is_whitespace)) {
            return refuse(
                "edge_url",
                format!("{edge:?} is neither empty nor an address such as https://edge.example.org"),
            );
        }
        if self.license_url.is_empty() {
            return refuse("license_url", "players need an address for licences".to_owned());
        }
        if self.valid < Duration::from_secs(1) {
            return refuse("valid", format!("{:?} is over before a player can ask", self.valid));
        }
        if self.profiles.is_empty() {
            return refuse("profiles", "there is no device profile".to_owned());
        }
        match self.profiles.iter().find(|profile| profile.protection.is_empty()) {
            Some(profile) => refuse("profiles", format!("device profile {} has no protection", profile.name)),
            None => Ok(()),
        }
    }
}
