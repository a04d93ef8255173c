//! One function for each thing the program does; each wires the layers together.

pub mod client;
pub mod exit;
pub mod report;
pub mod say;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, ConnectArgs};
use crate::config::ClientConfig;
use crate::ui::terminal::Terminal;
use exit::Exit;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let terminal = Terminal::detect();
    let result = match cli.command {
        None => connect(cli.connect, terminal),
        Some(Command::Connect(args)) => connect(args, terminal),
        _ => Ok(Exit::Failure),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            say::error(&format!("{error:#}"));
            Exit::Failure.into()
        }
    }
}

fn connect(args: ConnectArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    match ClientConfig::resolve(args, terminal) {
        Ok(config) => client::run(&config),
        Err(error) => {
            say::error(&error);
            Ok(Exit::Usage)
        }
    }
}
