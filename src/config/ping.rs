//! The configuration of `wscope ping`, checked.

use std::time::Duration;

use super::{ClientConfig, UsageError};
use crate::cli::{PingArgs, ReportFormat};
use crate::ui::terminal::Terminal;

/// With more than a thousand pings per second, the results would measure wscope itself.
const LEAST_INTERVAL: Duration = Duration::from_millis(1);

/// The time limit of the search for an idle timeout.
const SEARCH: Duration = Duration::from_secs(600);

/// Which pings are sent, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PingPlan {
    /// The time from the 101 to the first ping.
    pub first: Duration,
    /// The time between two pings.
    pub interval: Duration,
    /// The number of pings; `None`: no limit.
    pub count: Option<u64>,
    /// The size of the payload in bytes, at most 125.
    pub size: usize,
    /// How long to wait for an answer.
    pub timeout: Duration,
    /// Send text messages instead, and wait for their echo.
    pub echo: bool,
}

impl PingPlan {
    /// A single ping after a silence.
    pub fn after(self, silence: Duration) -> Self {
        Self { first: silence, count: Some(1), ..self }
    }

    /// Pings at this interval, for this time.
    pub fn over(self, time: Duration, interval: Duration) -> Self {
        let count = time.as_nanos().div_ceil(interval.as_nanos().max(1));
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        Self { first: interval, interval, count: Some(count), ..self }
    }
}

/// The configuration of `wscope ping`.
#[derive(Debug)]
pub struct PingConfig {
    /// The session, without input and output.
    pub client: ClientConfig,
    /// The pings.
    pub plan: PingPlan,
    /// Search for the idle limit, at most for this time.
    pub idle_limit: Option<Duration>,
    /// End after this time.
    pub max_time: Option<Duration>,
    /// Print JSON objects instead of text.
    pub json: bool,
}

impl PingConfig {
    /// Checks the typed options.
    ///
    /// # Errors
    ///
    /// An option can't be used.
    pub fn resolve(args: PingArgs, terminal: Terminal) -> Result<Self, UsageError> {
        if args.interval < LEAST_INTERVAL {
            return Err(UsageError("--interval must be 0.001 or more".to_owned()));
        }
        if args.pong_timeout.is_zero() {
            return Err(UsageError("--pong-timeout must be more than 0".to_owned()));
        }
        let PingArgs { url, handshake, reach, display, .. } = args;
        Ok(Self {
            client: ClientConfig::dial(&url, handshake, reach, &display, terminal)?,
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
