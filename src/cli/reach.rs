//! Options about who the user is, redirects, retries, reports, and where defaults come from.
//!
//! As typed; `config/reach.rs` checks them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};

use super::values::duration;

/// All of them.
#[derive(Clone, Debug, Args)]
pub struct ReachOptions {
    /// Who the user is.
    #[command(flatten)]
    pub account: AccountOptions,

    /// Redirects.
    #[command(flatten)]
    pub location: LocationOptions,

    /// Trying again.
    #[command(flatten)]
    pub retry: RetryArguments,

    /// Reports.
    #[command(flatten)]
    pub report: ReportOptions,

    /// Where defaults come from.
    #[command(flatten)]
    pub defaults: DefaultsOptions,
}

/// Who the user is.
#[derive(Clone, Args)]
#[command(next_help_heading = "Credentials")]
pub struct AccountOptions {
    /// Send Basic authorization; without a password, the terminal is asked
    ///
    /// The user's name ends at the first colon. It takes precedence over a user in the URL; an
    /// Authorization given with -H takes precedence over both.
    #[arg(short, long, value_name = "USER[:PASSWORD]", conflicts_with = "bearer")]
    pub user: Option<String>,

    /// Send a bearer token, typed, from a file, or from a variable
    ///
    /// `@FILE` reads it from a file, `@-` from stdin, `env:NAME` from the environment.
    #[arg(long, value_name = "TOKEN|@FILE|env:NAME")]
    pub bearer: Option<String>,

    /// Take user and password for the host from ~/.netrc
    #[arg(long)]
    pub netrc: bool,

    /// Like --netrc, but read FILE
    #[arg(long, value_name = "FILE")]
    pub netrc_file: Option<PathBuf>,

    /// Send a cookie, or those of a file that fit; may be repeated
    ///
    /// `@FILE` reads Netscape's format, which curl, wget and browsers' extensions write.
    #[arg(long, value_name = "NAME=VALUE|@FILE", action = ArgAction::Append)]
    pub cookie: Vec<String>,

    /// Write all cookies to FILE at the end, those of responses included
    #[arg(long, value_name = "FILE")]
    pub cookie_jar: Option<PathBuf>,
}

/// Redirects.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Redirects and retries")]
pub struct LocationOptions {
    /// Follow redirects
    ///
    /// Each is shown. Authorization and Cookie are not sent to another origin.
    #[arg(short = 'L', long)]
    pub location: bool,

    /// Follow redirects, and send Authorization and Cookie wherever they lead
    #[arg(long, hide_short_help = true)]
    pub location_trusted: bool,

    /// Follow redirects, also from wss to ws
    #[arg(long, hide_short_help = true)]
    pub location_downgrade: bool,

    /// Follow at most N redirects
    #[arg(long, value_name = "N", default_value = "10", hide_short_help = true)]
    pub max_redirs: usize,
}

/// Trying again.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Redirects and retries")]
pub struct RetryArguments {
    /// If no connection can be opened, try again up to N times
    ///
    /// Where that may help: names, addresses and proxies that do not answer, lost connections,
    /// timeouts, and statuses 408, 425, 429, 500, 502, 503 and 504. A Retry-After is heeded.
    #[arg(long, value_name = "N")]
    pub retry: Option<u32>,

    /// Wait SECS before the first retry; each further one waits twice as long, up to a minute
    ///
    /// A random part of up to half is taken off.
    #[arg(long, value_name = "SECS", default_value = "1", value_parser = duration)]
    pub retry_delay: Duration,

    /// When the connection is lost or the server restarts, connect again
    ///
    /// Messages given with -x are sent again. Ends when the server closes with 1000, with no code
    /// or one for an error of ours. --retry limits the tries in a row.
    #[arg(long)]
    pub reconnect: bool,
}

impl Default for RetryArguments {
    /// Nothing is tried again.
    fn default() -> Self {
        Self { retry: None, retry_delay: Duration::from_secs(1), reconnect: false }
    }
}

/// What is printed about a run, or instead of one.
#[derive(Clone, Args)]
#[command(next_help_heading = "Input and output")]
pub struct ReportOptions {
    /// Take URL, headers and options from a curl command; `-` reads it from stdin
    ///
    /// Such as browsers copy with "Copy as cURL". What is typed beside it comes on top.
    #[arg(long, value_name = "COMMAND", allow_hyphen_values = true)]
    pub from_curl: Option<String>,

    /// Show the request and the way to the server, and connect to nothing
    #[arg(long, conflicts_with = "curl")]
    pub dry_run: bool,

    /// Print the curl command that does the same handshake, and connect to nothing
    #[arg(long)]
    pub curl: bool,

    /// At the end, write what FORMAT says: `%{http_code} %{time_upgrade}\n`
    ///
    /// `@FILE` reads the format from a file, `@-` from stdin. `%{json}` is everything at once,
    /// `%{stderr}` sends the rest to stderr.
    #[arg(long, value_name = "FORMAT")]
    pub write_out: Option<String>,

    /// At the end, draw on stderr how long each phase took
    #[arg(long)]
    pub timing: bool,
}

/// Where defaults come from.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Defaults")]
pub struct DefaultsOptions {
    /// Read FILE instead of ~/.config/wscope/config
    ///
    /// One option per line, as in `connect-timeout 3`; lines under `[name]` apply only to `wscope @name`.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Read no configuration file and no variable WSCOPE_…
    #[arg(long)]
    pub no_config: bool,
}

/// Hides user, token and cookies, which a derived `Debug` would print.
impl std::fmt::Debug for AccountOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountOptions")
            .field("netrc", &self.netrc)
            .field("netrc_file", &self.netrc_file)
            .field("cookie_jar", &self.cookie_jar)
            .finish_non_exhaustive()
    }
}

/// Hides the copied command, which may hold cookies.
impl std::fmt::Debug for ReportOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReportOptions")
            .field("dry_run", &self.dry_run)
            .field("curl", &self.curl)
            .field("write_out", &self.write_out)
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}
