//! One module for each subcommand; it connects the layers.

pub mod ca;
pub mod check;
mod command_line;
pub mod completions;
pub mod connect;
pub mod convert;
pub mod decode;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod generated;
pub mod handshake;
pub mod listen;
pub mod ping;
pub mod proxy;
pub mod replay;
mod serving;

use std::process::ExitCode;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::behaviour::faults;
use crate::cli::{self, Cli, ConnectArgs, ListenArgs, Mode, ProxyArgs};
use crate::config::{ClientConfig, ListenConfig, ProxyConfig, UsageError};
use crate::engine::exit::Exit;
use crate::net::signals::outlive_full_files;
use crate::output::{secrets, stderr};
use crate::ui::redact::Redactor;
use crate::ui::terminal::Terminal;
use crate::wire::Role;
use crate::wire::handshake::admission::Authorization;
use command_line::{CommandLine, Given};

/// How long stderr may take for the last lines after a signal or a timeout.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Runs the program.
pub fn main() -> ExitCode {
    outlive_full_files();
    let terminal = Terminal::look();
    let result = command_line::read().and_then(|read| match read {
        CommandLine::Run(cli, given) => run(*cli, given, terminal),
        CommandLine::Ended(exit) => Ok(exit),
    });
    let exit = result.unwrap_or_else(|error| {
        stderr::error(&format!("{error:#}"));
        if error.is::<UsageError>() { Exit::Usage } else { Exit::Failure }
    });
    // wscope waits for a user who reads a transcript in a pager, unless the time limit has passed.
    let hurried =
        matches!(exit, Exit::Timeout | Exit::Interrupted | Exit::Terminated | Exit::HungUp);
    stderr::finish(hurried.then_some(LAST_LINES));
    exit.into()
}

fn run(cli: Cli, given: Given, terminal: Terminal) -> anyhow::Result<Exit> {
    let display = match &cli.mode {
        None => Some(&cli.connect.display),
        Some(Mode::Connect(args)) => Some(&args.display),
        Some(Mode::Listen(args)) => Some(&args.display),
        Some(Mode::Proxy(args)) => Some(&args.display),
        Some(Mode::Handshake(args)) => Some(&args.display),
        Some(Mode::Ping(args)) => Some(&args.display),
        Some(Mode::Replay(args)) => Some(&args.display),
        Some(Mode::Demo(args)) => Some(&args.display),
        Some(Mode::Decode(args)) => Some(&args.display),
        Some(Mode::Show(args)) => Some(&args.display),
        Some(Mode::Check(args)) => Some(&args.display),
        Some(_) => None,
    };
    let mut redactor = match display {
        Some(display) => Redactor::of(display.show_secrets, &display.redact),
        None => Redactor::new(),
    };
    for (name, value) in &given {
        let value = value.as_deref().unwrap_or_default();
        match (name.as_str(), value.split_once(':')) {
            ("user" | "proxy-user", Some((_, password))) => redactor.learn(password.as_bytes()),
            // The sent value of a file or a variable is known anyway.
            ("bearer", Some(("env", _))) => {}
            ("bearer", _) if !value.starts_with('@') => redactor.learn(value.as_bytes()),
            _ => {}
        }
    }
    secrets::publish(&redactor);
    match cli.mode {
        None => connect(cli.connect, given, terminal),
        Some(Mode::Connect(args)) => connect(*args, given, terminal),
        Some(Mode::Listen(args)) => listen(*args, terminal),
        Some(Mode::Proxy(args)) => proxy(*args, terminal),
        Some(Mode::Ca(args)) => ca::run(args),
        Some(Mode::Handshake(args)) => handshake::run(*args, terminal, given),
        Some(Mode::Doctor(args)) => doctor::run(*args, terminal),
        Some(Mode::Check(args)) => check::run(*args, terminal),
        Some(Mode::Ping(args)) => ping::run(*args, terminal, given),
        Some(Mode::Decode(args)) => decode::run(&args, terminal),
        Some(Mode::Convert(args)) => convert::run(&args),
        Some(Mode::Replay(args)) => replay::run(*args, terminal, given),
        Some(Mode::Show(args)) => decode::show(&args, terminal),
        Some(Mode::Explain(args)) => explain::run(&args, terminal),
        Some(Mode::Demo(args)) => demo::run(&args, terminal),
        Some(Mode::Completions { shell, words }) => completions::run(shell, &words),
        Some(Mode::Man) => generated::print(generated::MAN),
        Some(Mode::Help { command }) => command_line::help(command.as_deref()),
        Some(Mode::Version) => generated::print(cli::VERSION),
    }
}

fn connect(args: ConnectArgs, given: Given, terminal: Terminal) -> anyhow::Result<Exit> {
    if args.faults.list_faults {
        return generated::print_for_people(&faults::list(Role::Client));
    }
    let mut config = ClientConfig::resolve(args, terminal)?;
    config.reach.given = given;
    connect::run(config)
}

fn proxy(args: ProxyArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let config = ProxyConfig::resolve(args, terminal)?;
    let asked = config.forward.as_ref().and_then(|forward| forward.authorization.as_ref());
    learn(asked);
    proxy::run(config)
}

fn listen(args: ListenArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    if args.faults.list_faults {
        return generated::print_for_people(&faults::list(Role::Server));
    }
    let config = ListenConfig::resolve(args, terminal)?;
    learn(config.server.admission.authorization.as_ref());
    listen::run(config)
}

/// Learns the credentials that clients must send, so that no output shows them.
fn learn(asked: Option<&Authorization>) {
    let mut redactor = secrets::redactor();
    match asked {
        Some(Authorization::Basic(pair)) => {
            redactor.learn_basic(BASE64_STANDARD.encode(pair).as_bytes());
        }
        Some(Authorization::Bearer(token)) => redactor.learn(token.as_bytes()),
        None => {}
    }
    secrets::publish(&redactor);
}
