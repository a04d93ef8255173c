//! `wscope proxy`: forwards connections to a server, and shows them.
//!
//! This file sets it up; `server.rs` is the task that runs, `pair.rs` is one connection on its two
//! legs.

mod connections;
mod pair;
mod running;
mod server;
mod socks;
mod tunnel;
mod wanted;

use std::ffi::{OsStr, OsString};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;

use self::running::Running;
use self::server::ProxyServer;
use crate::config::trust::{EXCEPTIONS, proxy_variables, trust_variables};
use crate::config::{ProxyConfig, UsageError};
use crate::engine::exit::Exit;
use crate::engine::runtime::{LISTENERS, Runtime};
use crate::modes::serving::{self, set_up_tls, write_certificate};
use crate::net::authority::Authority;
use crate::net::listener::Listeners;
use crate::net::plain_io::plain_io;
use crate::net::program::Program;
use crate::net::proxy::Proxy;
use crate::net::tls::TlsServer;
use crate::output::stderr;
use crate::script::runner::{self, ScriptSetup};
use crate::wire::Role;
use crate::wire::host::is_loopback;

/// The first line of the prompt.
const GREETING: &str = "@> hello goes to the server, @< hello to the client (Ctrl-D or /quit leaves, /help for commands)";

/// Runs a proxy.
///
/// # Errors
///
/// It can't listen, a file can't be used, or stdout or stderr failed.
pub fn run(mut config: ProxyConfig) -> anyhow::Result<Exit> {
    let tls = set_up_tls(config.tls.as_ref())?;
    let script = runner::script(config.traffic.lines.as_ref(), Role::Server)?;
    let reporter = runner::reporter(None, &config.traffic)?;
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
    write_certificate(config.tls.as_ref(), tls.as_ref())?;
    let forward = config.forward.as_ref();
    let authority = forward.filter(|forward| forward.may_intercept());
    let authority = authority.map(|forward| Authority::open(&forward.authority)).transpose()?;
    if let Some(made) =
        authority.as_ref().filter(|made| made.is_new() && !config.traffic.display.quiet)
    {
        stderr::note(&format!(
            "created a certificate authority for TLS: {}; `wscope ca trust-help` shows how to \
             make clients trust it",
            made.path().display()
        ));
    }
    let urls = announce(&config, &listeners, tls.as_ref(), &mut runtime)?;
    let setup = ScriptSetup::of(&config.traffic, None, GREETING);
    let runner = setup.map(|setup| setup.runner(script, &mut runtime));
    let program = match config.command.first() {
        None => None,
        Some(name) => match start(&config, authority.as_ref(), &listeners, tls.is_some())? {
            Ok(program) => {
                Some(Running::new(program, config.traffic.display.terminal.stdin, &runtime)?)
            }
            Err((error, status)) => {
                stderr::error(&format!("can't run {}: {}", name.display(), plain_io(&error)));
                return Ok(Exit::Command(status));
            }
        },
    };
    let display = config.traffic.display;
    let runner = runner.transpose()?;
    let mut server = ProxyServer::new(config, tls, listeners, urls, runner, authority, program);
    serving::run(&mut server, &display, |_| true, &mut runtime)
}

/// Ignores proxy variables that name this proxy: its shell was prepared for clients of the proxy.
fn avoid_itself(config: &mut ProxyConfig, listeners: &Listeners) {
    let ports: Vec<u16> = listeners.addresses().iter().map(SocketAddr::port).collect();
    let is_own = |value: &str| {
        Proxy::parse(value)
            .is_ok_and(|proxy| is_loopback(&proxy.host) && ports.contains(&proxy.port))
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

/// A word of a command, with `{url}` replaced. A word that is not text stays unchanged.
fn with_url(word: &OsStr, url: &str) -> OsString {
    word.to_str().map_or_else(|| word.to_owned(), |text| text.replace("{url}", url).into())
}

/// Prints where the proxy listens, before a client can connect; returns the URLs.
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
    if !config.traffic.display.quiet && !config.address.is_local() {
        stderr::note("other machines can connect, too");
    }
    let urls: Vec<String> =
        listeners.addresses().iter().map(|address| format!("{scheme}://{address}/")).collect();
    // A started program finds the proxy in its variables.
    let asked = config.address.has_any_port() && config.command.is_empty();
    serving::announce(&urls, asked, &config.traffic, None, tls, runtime)?;
    Ok(urls)
}
