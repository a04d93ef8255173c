//! One function for each thing the program does; each wires the layers together.

mod command_line;
pub mod connect;
pub mod decode;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod generated;
pub mod handshake;
pub mod listen;

use std::process::ExitCode;

use crate::cli::{Cli, ConnectArgs, ListenArgs, Mode};
use crate::config::{ClientConfig, ListenConfig, UsageError};
use crate::engine::exit::Exit;
use crate::ui::terminal::Terminal;
use command_line::{CommandLine, Given};

/// Runs the program.
pub fn main() -> ExitCode {
    let terminal = Terminal::look();
    let result = command_line::read().and_then(|read| match read {
        CommandLine::Run(cli, given) => run(*cli, given, terminal),
        CommandLine::Ended(exit) => Ok(exit),
    });
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            crate::output::stderr::error(&format!("{error:#}"));
            match error.is::<UsageError>() {
                true => Exit::Usage.into(),
                false => Exit::Failure.into(),
            }
        }
    }
}

fn run(cli: Cli, given: Given, terminal: Terminal) -> anyhow::Result<Exit> {
    match cli.mode {
        None => connect(cli.connect, given, terminal),
        Some(Mode::Connect(args)) => connect(*args, given, terminal),
        Some(Mode::Listen(args)) => listen(*args, terminal),
        Some(Mode::Handshake(args)) => handshake::run(*args, terminal, given),
        Some(Mode::Doctor(args)) => doctor::run(*args, terminal),
        Some(Mode::Decode(args)) => decode::run(&args, terminal),
        Some(Mode::Explain(args)) => explain::run(&args, terminal),
        Some(Mode::Demo(args)) => demo::run(&args, terminal),
        Some(Mode::Completions { shell }) => generated::print(generated::completions(shell)),
        Some(Mode::Man) => generated::print(generated::MAN),
    }
}

fn connect(args: ConnectArgs, given: Given, terminal: Terminal) -> anyhow::Result<Exit> {
    let mut config = ClientConfig::resolve(args, terminal)?;
    config.reach.given = given;
    connect::run(config)
}

fn listen(args: ListenArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    if args.list_faults {
        return generated::print(&crate::behaviour::faults::list());
    }
    listen::run(ListenConfig::resolve(args, terminal)?)
}
