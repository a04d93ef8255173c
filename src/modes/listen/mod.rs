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

use std::fs;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use self::hub::Hub;
use self::server::Server;
use self::shared::Shared;
use crate::behaviour::greeting::Greeting;
use crate::behaviour::input::StdinInput;
use crate::behaviour::mock::MockScript;
use crate::cli::{InputFormat, OutputFormat};
use crate::config::recorded::Recorded;
use crate::config::{ListenBehaviour, ListenConfig, MockConfig, TlsConfig};
use crate::engine::exit::Exit;
use crate::engine::runtime::{self, LISTENERS, Runtime};
use crate::event::{ConnId, Event};
use crate::net::listener::{Listeners, descriptors_left};
use crate::net::tls::{ServerCertificate, TlsServer};
use crate::output::reporter::Reporter;
use crate::output::stderr;
use crate::recording::Plan;
use crate::script::json;
use crate::script::runner::{self, ScriptSetup, Source};
use crate::wire::Role;
use crate::wire::handshake::server::ServerConfig;

/// After a signal, how long to wait for a reader of stdout.
const STDOUT_TIMEOUT: Duration = Duration::from_secs(1);

/// What the prompt greets with.
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
    let tls = config.tls.as_ref().map(set_up_tls).transpose()?;
    let greeting = config.send.as_ref();
    let greeting = greeting
        .map(|source| Greeting::open(source, config.input, config.binary_input, json::run))
        .transpose()?;
    let script = runner::script(config.lines.as_ref(), Role::Server)?;
    let mut reporter = Reporter::of(Role::Server, config.output, &config.display)
        .with_lenses(config.lenses.clone());
    if config.lines.is_some() {
        reporter = reporter.with_history(&config.display, config.max_kept);
    }
    if config.input == InputFormat::Prompt {
        reporter = reporter.folded();
    }
    runner::set_filter(config.filter.as_deref(), &mut reporter)?;
    if let Some(path) = &config.log {
        reporter.log_to(path).map_err(anyhow::Error::msg)?;
    }
    let mut runtime = Runtime::new(reporter).context("can't set up stdout and the event loop")?;
    runtime.listen_to_signals()?;
    let listeners = Listeners::bind(&config.address, runtime.registry(), LISTENERS)?;
    if let (Some(tls), Some(out)) =
        (&tls, config.tls.as_ref().and_then(|tls| tls.certificate_out.as_ref()))
    {
        let pem = tls.certificate().pem.as_deref().unwrap_or_default();
        fs::write(out, pem).with_context(|| format!("--self-signed-out {}", out.display()))?;
    }
    let urls =
        announce(&config, &listeners, tls.as_ref().map(TlsServer::certificate), &mut runtime)?;
    let (script, each) =
        if config.each { (Source::default(), Some(script)) } else { (script, None) };
    let runner = config.lines.as_ref().filter(|_| each.is_none()).map(|lines| {
        let setup = ScriptSetup {
            lines,
            input: config.input,
            binary: config.binary,
            display: &config.display,
            open: None,
            greeting: GREETING,
        };
        setup.runner(script, &mut runtime)
    });
    let runner = runner.transpose()?;
    let received = runner.as_ref().map(|runner| Rc::clone(runner.received()));
    let most_clients = most_clients(&config);
    let display = config.display;
    let input = StdinInput::open(config.input, config.binary_input, &runtime)
        .context("can't read stdin")?;
    let mut shared = Shared::new(config, tls, greeting, most_clients, received, each);
    shared.mock = mock.map(Rc::new);
    let mut server = Server::new(Hub::new(shared, listeners, urls), input, runner);
    let ran = runtime::run(&mut server, &mut runtime);
    let (exit, fault) = server.result();
    if let Some(prompt) = server.take_runner().and_then(|mut runner| runner.take_prompt()) {
        runtime.reporter.flush()?;
        prompt.close();
        runtime.reporter.move_transcript_back(&display);
    }
    ran?;
    runtime.reporter.take_answers(true, &mut runtime.stdout)?;
    runtime.reporter.end_log().map_err(anyhow::Error::msg)?;
    let deadline = match exit {
        Exit::Interrupted | Exit::Terminated | Exit::Timeout => {
            Some(Instant::now() + STDOUT_TIMEOUT)
        }
        _ => None,
    };
    let signal = runtime.drain_stdout(deadline)?;
    if let Some(fault) = &fault {
        stderr::error(fault);
    }
    Ok(signal.map_or(exit, Exit::from))
}

/// Reads the server's side of a recording; what it agreed on is agreed on again.
fn recorded_server(config: &MockConfig, server: &mut ServerConfig) -> anyhow::Result<MockScript> {
    let Recorded { mut session, notes } = config.name.read()?;
    notes.iter().for_each(|note| stderr::note(note));
    if server.subprotocols.is_empty() {
        server.subprotocols.extend(session.subprotocol.take());
    }
    let plan = Plan::of(&mut session, Role::Server);
    if plan.steps.is_empty() {
        stderr::note("the server of this connection sent nothing");
    }
    Ok(MockScript::new(plan, config.matching, config.unmatched))
}

fn set_up_tls(config: &TlsConfig) -> anyhow::Result<TlsServer> {
    let made = TlsServer::new(&config.identity, &config.passphrase);
    made.map_err(|error| match error.help() {
        Some(help) => anyhow::anyhow!("{error}\n\nhelp: {help}"),
        None => error.into(),
    })
}

/// How many clients there may be: as requested, or as descriptors allow.
fn most_clients(config: &ListenConfig) -> usize {
    // A process of --exec has a pipe for its stdin and one for its stdout.
    let each = if matches!(config.answer, ListenBehaviour::Exec { .. }) { 3 } else { 1 };
    let possible = usize::try_from(descriptors_left() / each).unwrap_or(usize::MAX).max(1);
    match config.max_clients {
        Some(most) if most > possible && !config.display.quiet => {
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

/// Prints where it listens, before any client is accepted; returns the URLs.
fn announce(
    config: &ListenConfig,
    listeners: &Listeners,
    certificate: Option<&ServerCertificate>,
    runtime: &mut Runtime,
) -> io::Result<Vec<String>> {
    let scheme = if config.tls.is_some() { "wss" } else { "ws" };
    let path = config.server.admission.paths.first().map_or("/", String::as_str);
    let mut urls: Vec<String> =
        listeners.addresses().iter().map(|address| format!("{scheme}://{address}{path}")).collect();
    urls.extend(listeners.path().map(|file| format!("{scheme}+unix:{}", file.display())));
    let quiet = config.display.quiet;
    if !quiet {
        config.notes.iter().for_each(|note| stderr::note(note));
    }
    for url in &urls {
        // A port that the system chose is known to nobody else.
        if !quiet || config.address.has_any_port() && config.output != OutputFormat::Json {
            stderr::line(&format!("listening on {url}"));
        }
        if config.output == OutputFormat::Json {
            let event = Event::Listening { url };
            runtime.report(ConnId(0), &event)?;
        }
    }
    if let Some(text) = config.faults.drawn() {
        stderr::line(&text);
    }
    if let Some(certificate) = certificate.filter(|certificate| certificate.pem.is_some())
        && !quiet
    {
        stderr::line(&format!("certificate fingerprint (SHA-256) {}", certificate.fingerprint));
    }
    runtime.drain_stdout(None)?;
    Ok(urls)
}
