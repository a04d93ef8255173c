//! One function for each thing the program does; each wires the layers together.

mod books;
pub mod client;
pub mod conductor;
pub mod decode;
pub mod demo;
pub mod doctor;
pub mod exit;
pub mod explain;
pub mod generated;
pub mod handshake;
pub mod listen;
mod log;
pub mod report;
pub mod say;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, ConnectArgs, ListenArgs};
use crate::config::{ClientConfig, ListenConfig, UsageError};
use crate::ui::terminal::Terminal;
use exit::Exit;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let terminal = Terminal::look();
    let result = match cli.command {
        None => connect(cli.connect, terminal),
        Some(Command::Connect(args)) => connect(*args, terminal),
        Some(Command::Listen(args)) => listen(*args, terminal),
        Some(Command::Handshake(args)) => handshake::run(args, terminal),
        Some(Command::Doctor(args)) => doctor::run(*args, terminal),
        Some(Command::Decode(args)) => decode::run(&args, terminal),
        Some(Command::Explain(args)) => explain::run(&args, terminal),
        Some(Command::Demo(args)) => demo::run(&args, terminal),
        Some(Command::Completions { shell }) => generated::print(generated::completions(shell)),
        Some(Command::Man) => generated::print(generated::MAN),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            say::error(&format!("{error:#}"));
            match error.is::<UsageError>() {
                true => Exit::Usage.into(),
                false => Exit::Failure.into(),
            }
        }
    }
}

fn connect(args: ConnectArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    client::run(&ClientConfig::resolve(args, terminal)?)
}

fn listen(args: ListenArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    if args.list_faults {
        return generated::print(&listen::fault::list());
    }
    listen::run(ListenConfig::resolve(args, terminal)?)
}
