//! `wscope proxy`: forwards connections to a server, and shows them.
//!
//! This file sets it up; `server.rs` is the task that runs, `pair.rs` is one connection on its two
//! legs.

mod connections;
mod pair;
mod pairs;
mod running;
mod server;
mod socks;
mod tunnel;
mod wanted;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use self::running::Running;
use self::server::Server;
use crate::cli::{InputFormat, OutputFormat};
use crate::config::trust::{EXCEPTIONS, proxy_variables, trust_variables};
use crate::config::{ProxyConfig, UsageError};
use crate::engine::exit::Exit;
use crate::engine::runtime::{self, LISTENERS, Runtime};
use crate::event::{ConnId, Event};
use crate::net::authority::Authority;
use crate::net::listener::Listeners;
use crate::net::plain_io::plain_io;
use crate::net::program::Program;
use crate::net::proxy::Proxy;
use crate::net::tls::TlsServer;
use crate::output::reporter::Reporter;
use crate::output::stderr;
use crate::script::runner::{self, ScriptSetup, set_filter};
use crate::wire::Role;

/// After a signal, how long to wait for a reader of stdout.
const STDOUT_TIMEOUT: Duration = Duration::from_secs(1);

/// What the prompt greets with.
const GREETING: &str = "@> hello goes to the server, @< hello to the client (Ctrl-D or /quit leaves, /help for commands)";

/// Runs a proxy.
///
/// # Errors
///
/// It can't listen, a file can't be used, or stdout or stderr failed.
pub fn run(mut config: ProxyConfig) -> anyhow::Result<Exit> {
    let tls = config.tls.as_ref().map(|tls| TlsServer::new(&tls.identity, &tls.passphrase));
    let tls = tls.transpose().map_err(|error| match error.help() {
        Some(help) => anyhow::anyhow!("{error}\n\nhelp: {help}"),
        None => error.into(),
    })?;
    let script = runner::script(config.lines.as_ref(), Role::Server)?;
    let mut reporter =
        Reporter::of(None, config.output, &config.display).with_lenses(config.lenses.clone());
    if config.lines.is_some() {
        reporter = reporter.with_history(&config.display, config.max_kept);
    }
    if config.input == InputFormat::Prompt {
        reporter = reporter.folded();
    }
    if let Some(path) = &config.log {
        reporter.log_to(path).map_err(anyhow::Error::msg)?;
    }
    set_filter(config.filter.as_deref(), &mut reporter)?;
    let mut runtime = Runtime::new(reporter).context("can't set up stdout and the event loop")?;
    runtime.listen_to_signals()?;
    let listeners = Listeners::bind(&config.address, runtime.registry(), LISTENERS)?;
    avoid_itself(&mut config, &listeners);
    let target = &config.open.target;
    let reverse = config.forward.is_none();
    let leads_here = |address: &std::net::SocketAddr| {
        address.port() == target.port && target.is_loopback() && config.address.reaches_loopback()
    };
    if reverse
        && config.open.transport.unix_socket.is_none()
        && listeners.addresses().iter().any(leads_here)
    {
        let text = "--to is this proxy's own address: connections would loop";
        return Err(UsageError::new(text.to_owned()).into());
    }
    let written = config.tls.as_ref().and_then(|tls| tls.certificate_out.as_ref());
    if let (Some(tls), Some(out)) = (&tls, written) {
        let pem = tls.certificate().pem.as_deref().unwrap_or_default();
        fs::write(out, pem).with_context(|| format!("--self-signed-out {}", out.display()))?;
    }
    let forward = config.forward.as_ref();
    let authority = forward.filter(|forward| forward.may_intercept());
    let authority = authority.map(|forward| Authority::open(&forward.authority)).transpose()?;
    if let Some(made) = authority.as_ref().filter(|made| made.is_new() && !config.display.quiet) {
        stderr::note(&format!(
            "created a certificate authority for TLS: {}; `wscope ca trust-help` shows how to \
             make clients trust it",
            made.path().display()
        ));
    }
    let urls = announce(&config, &listeners, tls.as_ref(), &mut runtime)?;
    let runner = config.lines.as_ref().map(|lines| {
        let setup = ScriptSetup {
            lines,
            input: config.input,
            binary: false,
            display: &config.display,
            open: None,
            greeting: GREETING,
        };
        setup.runner(script, &mut runtime)
    });
    let program = match config.command.first() {
        None => None,
        Some(name) => match start(&config, authority.as_ref(), &listeners, tls.is_some())? {
            Ok(program) => Some(Running::new(program, config.display.terminal.stdin, &runtime)?),
            Err((error, status)) => {
                stderr::error(&format!("can't run {}: {}", name.display(), plain_io(&error)));
                return Ok(Exit::Command(status));
            }
        },
    };
    let display = config.display;
    let runner = runner.transpose()?;
    let mut server = Server::new(config, tls, listeners, urls, runner, authority, program);
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
    let signal = runtime.drain_stdout(Some(Instant::now() + STDOUT_TIMEOUT))?;
    if let Some(fault) = &fault {
        stderr::error(fault);
    }
    Ok(signal.map_or(exit, Exit::from))
}

/// Variables that name this very proxy are for its clients: it runs in a shell that was prepared for
/// them.
fn avoid_itself(config: &mut ProxyConfig, listeners: &Listeners) {
    let ports: Vec<u16> = listeners.addresses().iter().map(SocketAddr::port).collect();
    let is_own = |value: &str| {
        Proxy::parse(value).is_ok_and(|proxy| {
            let ip = proxy.host.parse::<IpAddr>();
            let is_here = proxy.host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
            is_here && ports.contains(&proxy.port)
        })
    };
    if config.address.reaches_loopback() {
        config.open.transport.proxy.environment.retain(|_, value| !is_own(value));
    }
}

/// Starts the program that uses this proxy.
fn start(
    config: &ProxyConfig,
    authority: Option<&Authority>,
    listeners: &Listeners,
    secure: bool,
) -> anyhow::Result<Result<Program, (io::Error, u8)>> {
    let mut address = listeners.addresses().first().copied().context("the proxy has no address")?;
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let Some(forward) = &config.forward else {
        let url = format!("{}://{address}/", if secure { "wss" } else { "ws" });
        let words: Vec<_> = config.command.iter().map(|word| with_url(word, &url)).collect();
        let variables =
            [("WSCOPE_URL", url.into()), ("WSCOPE_PORT", address.port().to_string().into())];
        return Ok(Program::start(&words, &variables, &[]));
    };
    let scheme = if secure { "https" } else { "http" };
    let mut variables = proxy_variables(&format!("{scheme}://{}{address}", forward.userinfo()));
    if let Some(authority) = authority {
        variables.extend(trust_variables(&authority.path(), &authority.bundle()?));
    }
    Ok(Program::start(&config.command, &variables, &EXCEPTIONS))
}

/// A word of a command, with the URL instead of `{url}`; a word that is not text has none.
fn with_url(word: &OsStr, url: &str) -> OsString {
    word.to_str().map_or_else(|| word.to_owned(), |text| text.replace("{url}", url).into())
}

/// Prints where it listens, before any client can connect; returns the URLs.
fn announce(
    config: &ProxyConfig,
    listeners: &Listeners,
    tls: Option<&TlsServer>,
    runtime: &mut Runtime,
) -> anyhow::Result<Vec<String>> {
    let scheme = match (config.forward.is_some(), tls.is_some()) {
        (true, true) => "https",
        (true, false) => "http",
        (false, true) => "wss",
        (false, false) => "ws",
    };
    let quiet = config.display.quiet;
    // A program knows where by its variables.
    let runs_program = !config.command.is_empty();
    if !quiet && !config.address.is_local() {
        stderr::note("other machines can connect, too");
    }
    let urls: Vec<String> =
        listeners.addresses().iter().map(|address| format!("{scheme}://{address}/")).collect();
    for url in &urls {
        let asked = config.address.has_any_port() && !runs_program;
        if !quiet || asked && config.output != OutputFormat::Json {
            stderr::line(&format!("listening on {url}"));
        }
        if config.output == OutputFormat::Json {
            runtime.report(ConnId(0), &Event::Listening { url })?;
        }
    }
    let certificate = tls.map(TlsServer::certificate).filter(|made| made.pem.is_some());
    if let Some(certificate) = certificate.filter(|_| !quiet) {
        stderr::line(&format!("certificate fingerprint (SHA-256) {}", certificate.fingerprint));
    }
    runtime.drain_stdout(None)?;
    Ok(urls)
}
