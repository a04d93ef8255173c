//! `wscope proxy`: connections are passed on to a server, and shown.
//!
//! This sets it up; `server.rs` is the task that runs, `pair.rs` is one connection on its two legs.

mod pair;
mod server;

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use self::server::Server;
use crate::cli::OutputFormat;
use crate::config::{ProxyConfig, UsageError};
use crate::engine::exit::Exit;
use crate::engine::runtime::{self, LISTENERS, Runtime};
use crate::event::{ConnId, Event};
use crate::net::listener::Listeners;
use crate::net::tls::TlsServer;
use crate::output::reporter::Reporter;
use crate::output::stderr;
use crate::script::runner::set_filter;

/// After a signal, how long to wait for a reader of stdout.
const STDOUT_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs a proxy.
///
/// # Errors
///
/// It can't listen, a file can't be used, or stdout or stderr failed.
pub fn run(config: ProxyConfig) -> anyhow::Result<Exit> {
    let tls = config.tls.as_ref().map(|tls| TlsServer::new(&tls.identity, &tls.passphrase));
    let tls = tls.transpose().map_err(|error| match error.help() {
        Some(help) => anyhow::anyhow!("{error}\n\nhelp: {help}"),
        None => error.into(),
    })?;
    let mut reporter = Reporter::of(None, config.output, &config.display);
    if let Some(path) = &config.log {
        reporter.log_to(path).map_err(anyhow::Error::msg)?;
    }
    set_filter(config.filter.as_deref(), &mut reporter)?;
    let mut runtime = Runtime::new(reporter).context("can't set up stdout and the event loop")?;
    runtime.listen_to_signals()?;
    let listeners = Listeners::bind(&config.address, runtime.registry(), LISTENERS)?;
    let target = &config.open.target;
    let leads_here = |address: &std::net::SocketAddr| {
        address.port() == target.port && target.is_loopback() && config.address.reaches_loopback()
    };
    if config.open.transport.unix_socket.is_none() && listeners.addresses().iter().any(leads_here) {
        let text = "--to is where this proxy listens: connections would go round in it";
        return Err(UsageError::new(text.to_owned()).into());
    }
    let written = config.tls.as_ref().and_then(|tls| tls.certificate_out.as_ref());
    if let (Some(tls), Some(out)) = (&tls, written) {
        let pem = tls.certificate().pem.as_deref().unwrap_or_default();
        fs::write(out, pem).with_context(|| format!("--self-signed-out {}", out.display()))?;
    }
    announce(&config, &listeners, tls.as_ref(), &mut runtime)?;
    let mut server = Server::new(config, tls, listeners);
    let ran = runtime::run(&mut server, &mut runtime);
    let exit = server.exit();
    ran?;
    runtime.reporter.end_log().map_err(anyhow::Error::msg)?;
    let signal = runtime.drain_stdout(Some(Instant::now() + STDOUT_TIMEOUT))?;
    Ok(signal.map_or(exit, Exit::from))
}

/// Says where it listens, before anybody can connect.
fn announce(
    config: &ProxyConfig,
    listeners: &Listeners,
    tls: Option<&TlsServer>,
    runtime: &mut Runtime,
) -> anyhow::Result<()> {
    let scheme = if tls.is_some() { "wss" } else { "ws" };
    let quiet = config.display.quiet;
    if !quiet && !config.address.is_local() {
        stderr::note("other machines can connect, too");
    }
    for address in listeners.addresses() {
        let url = format!("{scheme}://{address}/");
        if !quiet || config.address.has_any_port() && config.output != OutputFormat::Json {
            stderr::line(&format!("listening on {url}"));
        }
        if config.output == OutputFormat::Json {
            runtime.report(ConnId(0), &Event::Listening { url: &url })?;
        }
    }
    let certificate = tls.map(TlsServer::certificate).filter(|made| made.pem.is_some());
    if let Some(certificate) = certificate.filter(|_| !quiet) {
        stderr::line(&format!("certificate fingerprint (SHA-256) {}", certificate.fingerprint));
    }
    runtime.drain_stdout(None)?;
    Ok(())
}
