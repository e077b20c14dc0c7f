//! `matinee`: a streaming service in one program. This file is its command line.

mod commands;
mod config;
mod house;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, ConfigError};

/// The system's spends a sixth of a busy gateway's time on what its threads free for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A streaming service that an organisation can run itself.
#[derive(Parser)]
#[command(name = "matinee", version, about, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

/// Where the configuration is, and what goes over it.
#[derive(Args)]
struct Place {
    /// The configuration, a TOML file. Without it, defaults hold.
    #[arg(long, short, global = true, env = "MATINEE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of databases, secrets and, by default, films (over data.folder).
    #[arg(long, global = true, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the service: every role, or those named.
    Run(commands::run::RunArgs),
    /// Explains the configuration.
    Config {
        #[command(subcommand)]
        command: commands::config::ConfigCommand,
    },
    /// Adds titles and lists them.
    Title {
        #[command(subcommand)]
        command: commands::title::TitleCommand,
    },
    /// Takes a whole catalogue in, writes it out, adds artwork.
    Catalog {
        #[command(subcommand)]
        command: commands::catalog::CatalogCommand,
    },
    /// Lists accounts and says what they may do.
    Account {
        #[command(subcommand)]
        command: commands::account::AccountCommand,
    },
    /// Does what is due, and shows the ledger.
    Billing {
        #[command(subcommand)]
        command: commands::billing::BillingCommand,
    },
    /// Shows workflows and intervenes in them.
    Workflow {
        #[command(subcommand)]
        command: commands::workflow::WorkflowCommand,
    },
    /// Packages MP4 files into a folder of HLS and DASH, with no service around it.
    Package(commands::package::PackageArgs),
    /// Prints the document of the REST interface (OpenAPI 3.1), of which the application's types are made.
    Openapi,
    /// Shows the ladder and what can be made of a master with it.
    Ladder {
        #[command(subcommand)]
        command: commands::ladder::LadderCommand,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = config(&cli).map_err(Into::into).and_then(|read| match cli.command {
        Command::Run(ref args) => commands::run::run(read, args, cli.place.config.is_some().then_some(|| config(&cli))),
        Command::Config { command } => commands::config::run(&read, &command),
        Command::Title { command } => commands::title::run(&read, command),
        Command::Catalog { command } => commands::catalog::run(&read, command),
        Command::Account { command } => commands::account::run(&read, command),
        Command::Billing { command } => commands::billing::run(&read, &command),
        Command::Workflow { command } => commands::workflow::run(&read, command),
        Command::Package(args) => commands::package::run(args),
        Command::Openapi => commands::openapi::run(),
        Command::Ladder { command } => commands::ladder::run(&read, &command),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("matinee: {}", terminal::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn config(cli: &Cli) -> Result<Config, ConfigError> {
    let mut flags = Vec::new();
    if let Some(folder) = &cli.place.data {
        flags.push(("data.folder", folder.display().to_string()));
    }
    if let Command::Run(args) = &cli.command {
        if let Some(listen) = args.listen {
            flags.push(("server.listen", listen.to_string()));
        }
        if let Some(listen) = args.grpc_listen {
            flags.push(("server.grpc_listen", listen.to_string()));
        }
    }
    Config::load(cli.place.config.as_deref(), std::env::vars(), &flags)
}
