//! `matinee config`: what is in force, and whether it holds.

use clap::Subcommand;

use crate::config::Config;
use crate::terminal::AnyError;

/// What to do with the configuration.
#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Reads and checks the configuration, and prints every key with the value in force.
    Check,
}

/// Does it. A wrong configuration has already been refused by name when this is reached; the programs are looked for.
pub fn run(config: &Config, command: &ConfigCommand) -> Result<(), AnyError> {
    match command {
        ConfigCommand::Check => {
            print!("{}", toml::to_string(&hide(config))?);
            for (key, program) in [("tools.ffmpeg", &config.tools.ffmpeg), ("tools.ffprobe", &config.tools.ffprobe)] {
                let output = std::process::Command::new(program).arg("-version").output();
                let output = output.map_err(|e| format!("{key}: {} can't be run: {e}", program.display()))?;
                let text = String::from_utf8_lossy(&output.stdout);
                println!("# {key}: {}", text.lines().next().unwrap_or("no version"));
            }
            let rungs = config.ladder()?.enabled().len();
            println!("# the ladder has {rungs} rungs switched on; {} device profiles", config.profiles()?.len());
            println!("# the configuration holds");
            Ok(())
        }
    }
}

fn hide(config: &Config) -> Config {
    let mut shown = config.clone();
    if !shown.studio.key.is_empty() {
        shown.studio.key = "(hidden)".to_owned();
    }
    shown
}
