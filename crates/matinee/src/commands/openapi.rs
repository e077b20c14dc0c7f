//! `matinee openapi`: what the gateway serves, for programs.

use std::io::Write;

use crate::terminal::AnyError;

/// Prints the document.
pub fn run() -> Result<(), AnyError> {
    std::io::stdout().write_all(document()?.as_bytes())?;
    Ok(())
}

/// The same as `GET /openapi.json`, with line breaks.
fn document() -> Result<String, AnyError> {
    let document = matinee_gateway::document([matinee_devices::described()]);
    Ok(format!("{}\n", serde_json::to_string_pretty(&document)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_application_s_types_are_made_of_what_is_served() {
        let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/openapi.json");
        let kept = std::fs::read_to_string(kept).unwrap_or_default();
        assert!(kept == document().unwrap(), "web/openapi.json is not what the gateway serves: run `make types`");
    }
}
