//! The output at the end of a run (`--write-out`, `--timing`, the cookie jar), and instead of a run
//! (`--dry-run`, `--curl`).

use std::path::PathBuf;

use crate::client::account::{self, AccountError};
use crate::config::OpenConfig;
use crate::config::plan::{ConnectPlan, PlannedRoute};
use crate::config::reach::{Preview, ReachConfig};
use crate::engine::exit::Exit;
use crate::engine::open_error::OpenError;
use crate::engine::opening::request;
use crate::engine::opening_evidence::OpeningEvidence;
use crate::engine::runtime::Runtime;
use crate::net::files;
use crate::net::proxy::choice::ProxyReason;
use crate::net::route::Hop;
use crate::net::tls::options::ServerName;
use crate::output::stderr;
use crate::ui::write_out::{OutputTarget, WriteOutFormat};

/// The output at the end.
pub struct RunSummary {
    format: Option<WriteOutFormat>,
    timing: bool,
    jar: Option<PathBuf>,
}

impl RunSummary {
    /// Reads the format.
    ///
    /// # Errors
    ///
    /// The format's file can't be used.
    pub fn begin(reach: &ReachConfig) -> Result<Self, AccountError> {
        let format = account::format(reach)?;
        Ok(Self { format, timing: reach.timing, jar: reach.cookie_jar.clone() })
    }

    /// Prints the summary, and returns the exit status.
    ///
    /// # Errors
    ///
    /// stdout or stderr failed.
    pub fn finish(&self, exit: Exit, runtime: &mut Runtime) -> anyhow::Result<Exit> {
        let mut exit = exit;
        if let Some(path) = &self.jar
            && let Err(error) = files::write_secret(path, &runtime.record.jar.to_netscape())
        {
            stderr::error(&format!("--cookie-jar: {error}"));
            exit = if exit == Exit::Success { Exit::Failure } else { exit };
        }
        runtime.record.finish(exit.code());
        if self.timing {
            let bars = runtime.record.waterfall(runtime.reporter.columns());
            stderr::write(bars.as_bytes());
        }
        if let Some(format) = &self.format {
            for (sink, text) in format.fill(&runtime.record.facts) {
                let text = runtime.reporter.redactor().text(&text);
                match sink {
                    OutputTarget::Stdout => {
                        runtime.stdout.buffer().extend_from_slice(text.as_bytes())
                    }
                    OutputTarget::Stderr => stderr::write(text.as_bytes()),
                }
            }
            if let Some(signal) = runtime.drain_stdout(None)? {
                return Ok(signal.into());
            }
        }
        Ok(exit)
    }
}

/// Prints what the run would do, without doing it.
///
/// # Errors
///
/// The options give no valid request or proxy, or stdout failed.
pub(super) fn instead(
    what: Preview,
    config: &OpenConfig,
    reach: &ReachConfig,
    runtime: &mut Runtime,
) -> anyhow::Result<Exit> {
    let target = &config.target;
    let from_jar = runtime.record.cookies_for(target).filter(|_| config.keeps_cookies);
    let made = request(config, target, from_jar.as_deref()).map_err(OpenError::from);
    let way = made.and_then(|request| Ok((request, way(config)?)));
    let (request, way) = match way {
        Ok(both) => both,
        Err(error) => return crate::client::refused(error, &OpeningEvidence::default(), runtime),
    };
    let options: Vec<_> =
        reach.given.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let plan = ConnectPlan { target, request: &request, way: &way, options: &options };
    let (notes, output) = match what {
        Preview::DryRun => {
            let dry = plan.dry_run(runtime.reporter.redactor());
            (dry.notes, dry.head)
        }
        Preview::Curl => {
            let curl = plan.curl(runtime.reporter.redactor());
            (curl.notes, format!("{}\n", curl.command).into_bytes())
        }
    };
    if runtime.reporter.prints_warnings() {
        notes.iter().for_each(|note| stderr::note(note));
    }
    runtime.stdout.buffer().extend_from_slice(&output);
    let signal = runtime.drain_stdout(None)?;
    Ok(signal.map_or(Exit::Success, Exit::from))
}

/// The route for a plan.
fn way(config: &OpenConfig) -> Result<PlannedRoute, OpenError> {
    let transport = &config.transport;
    let route = transport.route(&config.target)?;
    let (addresses, unix_socket) = match &route.hop {
        Hop::Tcp(host) => (transport.overrides.addresses(host), None),
        Hop::Unix(path) => (None, Some(path.display().to_string())),
    };
    let server = config.target.dialled_host();
    let moved = route.destination.host != server || route.destination.port != config.target.port;
    let (decided_by, written) = match &route.reason {
        ProxyReason::Unasked => (None, None),
        ProxyReason::Option => (Some("--proxy".to_owned()), transport.proxy.proxy.clone()),
        ProxyReason::Variable(name) => {
            (Some((*name).to_owned()), transport.proxy.environment.get(*name).cloned())
        }
        ProxyReason::Bypassed { list, .. } => (Some((*list).to_owned()), None),
    };
    Ok(PlannedRoute {
        addresses: addresses.unwrap_or_default(),
        connect_to: moved.then(|| route.destination.to_string()),
        unix_socket,
        // With the given user and password.
        proxy: route.proxy.and(written),
        decided_by,
        server_name: match &transport.tls.server_name {
            ServerName::Other(name) => Some(name.clone()),
            ServerName::Host | ServerName::Unsent => None,
        },
    })
}
