//! Options for credentials, redirects, retries, reports, and the source of defaults.
//!
//! As typed; `config/reach.rs` checks them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};

use super::values::{duration, number};

/// All these options, except those for retries.
#[derive(Clone, Debug, Args)]
pub struct ReachOptions {
    /// Who the user is.
    #[command(flatten)]
    pub account: AccountOptions,

    /// Redirects.
    #[command(flatten)]
    pub location: LocationOptions,

    /// Reports.
    #[command(flatten)]
    pub report: ReportOptions,

    /// Where defaults come from.
    #[command(flatten)]
    pub defaults: DefaultsOptions,
}

/// The credentials.
#[derive(Clone, Args)]
#[command(next_help_heading = "Credentials")]
pub struct AccountOptions {
    /// Send Basic authorization; without a password, ask for it on the terminal
    ///
    /// The first colon ends the user name. -u overrides a user in the URL; an Authorization header of -H
    /// overrides both. wscope answers a Digest challenge, too.
    #[arg(short, long, value_name = "USER[:PASSWORD]", conflicts_with = "bearer")]
    pub user: Option<String>,

    /// Send a bearer token
    ///
    /// `@FILE` reads it from a file, `@-` from stdin, `env:NAME` from an environment variable.
    #[arg(long, value_name = "TOKEN|@FILE|env:NAME")]
    pub bearer: Option<String>,

    /// Read user and password for the host from ~/.netrc
    #[arg(long)]
    pub netrc: bool,

    /// Like --netrc, but read FILE
    #[arg(long, value_name = "FILE")]
    pub netrc_file: Option<PathBuf>,

    /// Send a cookie, or the matching cookies of a file; may be repeated
    ///
    /// `@FILE` reads the Netscape format that curl, wget and browser extensions write.
    #[arg(long, value_name = "NAME=VALUE|@FILE", action = ArgAction::Append)]
    pub cookie: Vec<String>,

    /// At the end, write all cookies to FILE, including those the server set
    #[arg(long, value_name = "FILE")]
    pub cookie_jar: Option<PathBuf>,
}

/// Redirects.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Redirects and retries")]
pub struct LocationOptions {
    /// Follow redirects
    ///
    /// -v shows each redirect. Authorization and Cookie are not sent to another origin.
    #[arg(short = 'L', long)]
    pub location: bool,

    /// Follow redirects, and send Authorization and Cookie to other origins, too
    #[arg(long, hide_short_help = true)]
    pub location_trusted: bool,

    /// Follow redirects, including those from wss:// to ws://
    #[arg(long, hide_short_help = true)]
    pub location_downgrade: bool,

    /// Follow at most N redirects
    #[arg(long, value_name = "N", default_value = "10", value_parser = number::<usize>(0..=u64::MAX), hide_short_help = true)]
    pub max_redirs: usize,
}

/// Options for retries.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Redirects and retries")]
pub struct RetryArguments {
    /// If the connection can't be opened, try again up to N times
    ///
    /// Retries after failures of DNS, TCP and proxies, lost connections, timeouts, and statuses 408,
    /// 425, 429, 500, 502, 503 and 504. Waits as long as a Retry-After header demands.
    #[arg(long, value_name = "N", value_parser = number::<u32>(0..=u64::MAX))]
    pub retry: Option<u32>,

    /// Wait SECS before the first retry, and twice as long before each further one, up to a minute
    ///
    /// Each delay is shortened by a random amount of up to half.
    #[arg(long, value_name = "SECS", default_value = "1", value_parser = duration)]
    pub retry_delay: Duration,

    /// If the connection is lost or the server restarts, connect again
    ///
    /// The messages of -x are sent again. wscope does not reconnect if the server closes with 1000,
    /// without a code, or with a code that reports an error of this side. --retry limits consecutive
    /// attempts.
    #[arg(long)]
    pub reconnect: bool,
}

/// What is printed about a run, or instead of one.
#[derive(Clone, Args)]
#[command(next_help_heading = "Input and output")]
pub struct ReportOptions {
    /// Take URL, headers and options from a curl command; `-` reads it from stdin
    ///
    /// Browsers write one with "Copy as cURL". Other options given to wscope override it.
    #[arg(long, value_name = "COMMAND", allow_hyphen_values = true)]
    pub from_curl: Option<String>,

    /// Print the request and the route to the server, without connecting
    #[arg(long, conflicts_with = "curl")]
    pub dry_run: bool,

    /// Print a curl command that makes the same handshake, without connecting
    #[arg(long)]
    pub curl: bool,

    /// At the end, print FORMAT, such as `%{http_code} %{time_upgrade}\n`
    ///
    /// `@FILE` reads the format from a file, `@-` from stdin. `%{json}` prints all values;
    /// `%{stderr}` sends what follows to stderr.
    #[arg(long, value_name = "FORMAT")]
    pub write_out: Option<String>,

    /// At the end, show on stderr how long each phase took
    #[arg(long)]
    pub timing: bool,
}

/// Where defaults come from.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Defaults")]
pub struct DefaultsOptions {
    /// Read FILE instead of ~/.config/wscope/config
    ///
    /// One option per line, such as `connect-timeout 3`. Lines under `[name]` apply only to `wscope
    /// @name`.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Ignore the configuration file and the variables WSCOPE_…
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
