//! What `wscope ping` is to do, checked.

use std::time::Duration;

use super::reach::ReachConfig;
use super::{ClientConfig, Display, OpenConfig, UsageError};
use crate::cli::reach::RetryArguments;
use crate::cli::{PingArgs, ReachOptions, ReportFormat};
use crate::session::Limits;
use crate::ui::terminal::Terminal;

/// More pings than a thousand a second measure this program.
const LEAST_INTERVAL: Duration = Duration::from_millis(1);

/// The time limit of the search for an idle timeout.
const SEARCH: Duration = Duration::from_secs(600);

/// Which pings are sent, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PingPlan {
    /// From the 101 to the first.
    pub first: Duration,
    /// From one to the next.
    pub interval: Duration,
    /// How many; without a number, forever.
    pub count: Option<u64>,
    /// Bytes of payload, at most 125.
    pub size: usize,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// Text messages are sent instead, and come back.
    pub echo: bool,
}

impl PingPlan {
    /// A single ping after a silence.
    pub fn after(self, silence: Duration) -> Self {
        Self { first: silence, count: Some(1), ..self }
    }

    /// Pings at an interval over a time.
    pub fn over(self, time: Duration, interval: Duration) -> Self {
        let count = time.as_nanos().div_ceil(interval.as_nanos().max(1));
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        Self { first: interval, interval, count: Some(count), ..self }
    }
}

/// What `wscope ping` is to do.
#[derive(Debug)]
pub struct PingConfig {
    /// The session, without input and output.
    pub client: ClientConfig,
    /// Which pings are sent.
    pub plan: PingPlan,
    /// Search for the limit on silence, for so long.
    pub idle_limit: Option<Duration>,
    /// End after this time.
    pub max_time: Option<Duration>,
    /// Objects of JSON instead of text.
    pub json: bool,
}

impl PingConfig {
    /// Checks what was typed.
    ///
    /// # Errors
    ///
    /// Something of it can't be used.
    pub fn resolve(args: PingArgs, terminal: Terminal) -> Result<Self, UsageError> {
        if args.interval < LEAST_INTERVAL {
            return Err(UsageError("--interval must be 0.001 or more".to_owned()));
        }
        if args.pong_timeout.is_zero() {
            return Err(UsageError("--pong-timeout must be more than 0".to_owned()));
        }
        let reach = ReachConfig::resolve(ReachOptions {
            account: args.account,
            location: args.location,
            retry: RetryArguments::default(),
            report: args.report,
            defaults: args.defaults,
        })?;
        let open = OpenConfig {
            redirects: reach.redirects,
            keeps_cookies: reach.keeps_cookies(),
            ..OpenConfig::resolve(&args.url, args.handshake, Limits::default())?
        };
        let display = Display::resolve(&args.display, terminal);
        Ok(Self {
            client: ClientConfig { reach, ..ClientConfig::silent(open, display) },
            plan: PingPlan {
                first: Duration::ZERO,
                interval: args.interval,
                count: args.count,
                size: args.size.into(),
                timeout: args.pong_timeout,
                echo: args.echo,
            },
            idle_limit: args.idle_limit.then(|| args.max_time.unwrap_or(SEARCH)),
            max_time: args.max_time,
            json: args.output == ReportFormat::Json,
        })
    }
}
