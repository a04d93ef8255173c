//! The common parts of modes that listen: the certificate, the lines with the URLs, and the end.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::cli::OutputFormat;
use crate::config::{Display, TlsConfig, TrafficConfig};
use crate::engine::exit::Exit;
use crate::engine::runtime::{self, Runtime, Task};
use crate::event::{ConnId, Event};
use crate::net::tls::TlsServer;
use crate::output::stderr;
use crate::script::runner::ScriptRunner;

/// How long stdout may take for the rest at an urgent end.
const STDOUT_TIMEOUT: Duration = Duration::from_secs(1);

/// Sets up TLS, if it was requested.
///
/// # Errors
///
/// The certificate or the key can't be used.
pub fn set_up_tls(config: Option<&TlsConfig>) -> anyhow::Result<Option<TlsServer>> {
    let tls = config.map(|tls| TlsServer::new(&tls.identity, &tls.passphrase)).transpose();
    tls.map_err(|error| match error.help() {
        Some(help) => anyhow::anyhow!("{error}\n\nhelp: {help}"),
        None => error.into(),
    })
}

/// Writes the temporary certificate to the file that the user named.
///
/// # Errors
///
/// It can't be written.
pub fn write_certificate(
    config: Option<&TlsConfig>,
    tls: Option<&TlsServer>,
) -> anyhow::Result<()> {
    let out = config.and_then(|config| config.certificate_out.as_ref());
    if let (Some(tls), Some(out)) = (tls, out) {
        let pem = tls.certificate().pem.as_deref().unwrap_or_default();
        fs::write(out, pem).with_context(|| format!("--self-signed-out {}", out.display()))?;
    }
    Ok(())
}

/// Prints where clients can connect (even with `-q` if the user can't know it: `asked`), a line
/// about the mode, and the certificate that clients will see.
///
/// # Errors
///
/// stdout failed.
pub fn announce(
    urls: &[String],
    asked: bool,
    traffic: &TrafficConfig,
    line: Option<String>,
    tls: Option<&TlsServer>,
    runtime: &mut Runtime,
) -> io::Result<()> {
    let (quiet, is_json) = (traffic.display.quiet, traffic.output == OutputFormat::Json);
    for url in urls {
        if !quiet || asked && !is_json {
            stderr::line(&format!("listening on {url}"));
        }
        if is_json {
            runtime.report(ConnId(0), &Event::Listening { url })?;
        }
    }
    line.iter().for_each(|line| stderr::line(line));
    let certificate = tls.map(TlsServer::certificate).filter(|made| made.pem.is_some());
    if let Some(certificate) = certificate.filter(|_| !quiet) {
        stderr::line(&format!("certificate fingerprint (SHA-256) {}", certificate.fingerprint));
    }
    runtime.drain_stdout(None).map(drop)
}

/// A server as a task.
pub trait Serves: Task {
    /// The status, and the error of this side.
    fn result(&mut self) -> (Exit, Option<String>);

    /// Returns the runner of its lines, at the end.
    fn take_runner(&mut self) -> Option<ScriptRunner>;
}

/// Runs a server until it is done. `hurries` returns whether an end does not wait for the reader of
/// stdout.
///
/// # Errors
///
/// An output failed.
pub fn run(
    server: &mut impl Serves,
    display: &Display,
    hurries: impl Fn(Exit) -> bool,
    runtime: &mut Runtime,
) -> anyhow::Result<Exit> {
    let ran = runtime::run(server, runtime);
    let (exit, fault) = server.result();
    server.take_runner().map_or(Ok(()), |runner| runner.leave(display, runtime))?;
    ran?;
    runtime.reporter.take_answers(true, &mut runtime.stdout)?;
    runtime.reporter.end_log().map_err(anyhow::Error::msg)?;
    let signal = runtime.drain_stdout(hurries(exit).then(|| Instant::now() + STDOUT_TIMEOUT))?;
    if let Some(fault) = &fault {
        stderr::error(fault);
    }
    Ok(signal.map_or(exit, Exit::from))
}
