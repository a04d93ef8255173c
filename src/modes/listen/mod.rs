//! `wscope listen`: a server for any number of clients.
//!
//! This file sets it up; `server.rs` is the task that runs, `hub.rs` owns the clients.

mod client;
mod client_script;
mod connections;
mod each;
mod explain;
mod hub;
mod server;
mod shared;
mod upstream;

use std::io;
use std::rc::Rc;

use anyhow::Context as _;

use self::hub::Hub;
use self::server::ListenServer;
use self::shared::ListenShared;
use crate::behaviour::greeting::Greeting;
use crate::behaviour::input::StdinInput;
use crate::behaviour::mock::MockScript;
use crate::config::recorded::Recorded;
use crate::config::{ListenBehaviour, ListenConfig, MockConfig};
use crate::engine::exit::Exit;
use crate::engine::runtime::{LISTENERS, Runtime};
use crate::modes::serving::{self, set_up_tls, write_certificate};
use crate::net::listener::{Listeners, descriptors_left};
use crate::net::tls::TlsServer;
use crate::output::stderr;
use crate::recording::ReplayPlan;
use crate::script::json;
use crate::script::runner::{self, ScriptSetup, Source};
use crate::wire::Role;
use crate::wire::handshake::server::ServerConfig;

/// The first line of the prompt.
const GREETING: &str =
    "A line goes to all clients, @3 hello to one (Ctrl-D or /quit leaves, /help for commands)";

/// Runs a server.
///
/// # Errors
///
/// It can't listen, a file can't be used, or stdin, stdout or stderr failed.
pub fn run(mut config: ListenConfig) -> anyhow::Result<Exit> {
    let mock = match &config.answer {
        ListenBehaviour::Replay(mock) => Some(recorded_server(mock, &mut config.server)?),
        _ => None,
    };
    let tls = set_up_tls(config.tls.as_ref())?;
    let greeting = config.send.as_ref();
    let greeting = greeting
        .map(|source| {
            Greeting::open(source, config.traffic.input, config.traffic.binary_input, json::run)
        })
        .transpose()?;
    let script = runner::script(config.traffic.lines.as_ref(), Role::Server)?;
    let reporter = runner::reporter(Some(Role::Server), &config.traffic)?;
    let mut runtime = Runtime::new(reporter).context("can't set up stdout and the event loop")?;
    runtime.listen_to_signals()?;
    let listeners = Listeners::bind(&config.address, runtime.registry(), LISTENERS)?;
    write_certificate(config.tls.as_ref(), tls.as_ref())?;
    let urls = announce(&config, &listeners, tls.as_ref(), &mut runtime)?;
    let (script, each) =
        if config.each { (Source::default(), Some(script)) } else { (script, None) };
    let setup = ScriptSetup::of(&config.traffic, None, GREETING).filter(|_| each.is_none());
    let runner = setup.map(|setup| setup.runner(script, &mut runtime)).transpose()?;
    let received = runner.as_ref().map(|runner| Rc::clone(runner.received()));
    let most_clients = most_clients(&config);
    let display = config.traffic.display;
    let input = StdinInput::open(config.traffic.input, config.traffic.binary_input, &runtime)
        .context("can't read stdin")?;
    let mut shared = ListenShared::new(config, tls, greeting, most_clients, received, each);
    shared.mock = mock.map(Rc::new);
    let mut server = ListenServer::new(Hub::new(shared, listeners, urls), input, runner);
    let hurries = |exit| matches!(exit, Exit::Interrupted | Exit::Terminated | Exit::Timeout);
    serving::run(&mut server, &display, hurries, &mut runtime)
}

/// Reads the server's side of a recording, and agrees on the same values again.
fn recorded_server(config: &MockConfig, server: &mut ServerConfig) -> anyhow::Result<MockScript> {
    let Recorded { mut session, notes } = config.name.read()?;
    notes.iter().for_each(|note| stderr::note(note));
    if server.subprotocols.is_empty() {
        server.subprotocols.extend(session.subprotocol.take());
    }
    let plan = ReplayPlan::of(&mut session, Role::Server);
    if plan.steps.is_empty() {
        stderr::note("the server of this connection sent nothing");
    }
    Ok(MockScript::new(plan, config.matching, config.unmatched))
}

/// The largest number of clients: as requested, or as many as the descriptors allow.
fn most_clients(config: &ListenConfig) -> usize {
    // A process of --exec has a pipe for its stdin and one for its stdout.
    let each = if matches!(config.answer, ListenBehaviour::Exec { .. }) { 3 } else { 1 };
    let possible = usize::try_from(descriptors_left() / each).unwrap_or(usize::MAX).max(1);
    match config.max_clients {
        Some(most) if most > possible && !config.traffic.display.quiet => {
            stderr::note(&format!(
                "the descriptor limit allows {possible} clients, not {most}; raise it with \
                 ulimit -n"
            ));
            most
        }
        Some(most) => most,
        None => possible,
    }
}

/// Prints where the server listens, before it accepts a client; returns the URLs.
fn announce(
    config: &ListenConfig,
    listeners: &Listeners,
    tls: Option<&TlsServer>,
    runtime: &mut Runtime,
) -> io::Result<Vec<String>> {
    let scheme = if config.tls.is_some() { "wss" } else { "ws" };
    let path = config.server.admission.paths.first().map_or("/", String::as_str);
    let mut urls: Vec<String> =
        listeners.addresses().iter().map(|address| format!("{scheme}://{address}{path}")).collect();
    urls.extend(listeners.path().map(|file| format!("{scheme}+unix:{}", file.display())));
    if !config.traffic.display.quiet {
        config.notes.iter().for_each(|note| stderr::note(note));
    }
    // If the system chose the port, the user can't know it otherwise.
    let asked = config.address.has_any_port();
    let faults = config.faults.drawn();
    serving::announce(&urls, asked, &config.traffic, faults, tls, runtime)?;
    Ok(urls)
}
