//! Retries: `--retry` before a connection opens, `--reconnect` after one has ended.

use std::time::{Duration, Instant};

use crate::config::OpenConfig;
use crate::engine::open_error::OpenError;
use crate::engine::opening::Deadline;
use crate::engine::opening::{ClientOpening, Opened, Opening};
use crate::engine::opening_evidence::OpeningEvidence;
use crate::engine::run_facts::wall_seconds;
use crate::engine::runtime::Runtime;
use crate::event::{Cause, Ending, Side, TimeoutKind};
use crate::net::proxy::ProxyError;
use crate::net::random;
use crate::net::retry::{Ended, OpenFailure, RetryDecision, RetryReason, Schedule, retry_after};
use crate::net::tls::TlsError;

/// The slot of a client's only connection.
pub const SLOT: usize = 0;

/// Opens a connection, as often as the schedule allows.
pub struct Tries {
    config: OpenConfig,
    /// The schedule of the tries.
    pub schedule: Schedule,
    max_time: Option<Instant>,
    opening: ClientOpening,
    /// The pause before the next try.
    pause: Option<Deadline>,
    lifetimes: Vec<Duration>,
}

impl Tries {
    /// Begins with the first try. `lifetimes` has the durations of earlier connections of the run.
    pub fn new(
        config: &OpenConfig,
        schedule: Schedule,
        lifetimes: Vec<Duration>,
        max_time: Option<Instant>,
        runtime: &Runtime,
        now: Instant,
    ) -> Self {
        let opening = opening(config, &lifetimes, max_time, runtime, now);
        let config = config.clone();
        Self { config, schedule, max_time, opening, pause: None, lifetimes }
    }

    /// Begins with a pause of this length; `why` is the reason.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn pause(
        &mut self,
        why: &str,
        after: Duration,
        number: u32,
        runtime: &mut Runtime,
        now: Instant,
    ) -> std::io::Result<()> {
        let seconds = after.as_secs_f64();
        runtime.note(&format!("{why}; trying again in {seconds:.1} s (attempt {number})"))?;
        self.pause = Some(Deadline::within(after, self.max_time, now));
        Ok(())
    }

    /// After a failed try: another try after a pause, or the error.
    fn failed(
        &mut self,
        error: OpenError,
        runtime: &mut Runtime,
        now: Instant,
    ) -> Result<(), OpenError> {
        match self.schedule.failed(failure(&error), asked_for(&error), random::number()) {
            RetryDecision::Again { after, number } => {
                let text = error.to_string();
                let why = text.lines().next().unwrap_or_default();
                Ok(self.pause(why, after, number, runtime, now)?)
            }
            RetryDecision::GiveUp(RetryReason::TooLong(time)) => {
                let seconds = time.as_secs();
                runtime.note(&format!(
                    "not retrying: the server's Retry-After of {seconds} s is too long"
                ))?;
                Err(error)
            }
            RetryDecision::GiveUp(RetryReason::Lasting | RetryReason::Exhausted) => Err(error),
        }
    }
}

fn opening(
    config: &OpenConfig,
    lifetimes: &[Duration],
    max_time: Option<Instant>,
    runtime: &Runtime,
    now: Instant,
) -> ClientOpening {
    let mut opening = ClientOpening::new(config, SLOT, max_time, runtime, now);
    opening.evidence().lifetimes = lifetimes.to_vec();
    opening
}

impl Opening for Tries {
    fn advance(
        &mut self,
        runtime: &mut Runtime,
        now: Instant,
    ) -> Result<Option<Box<Opened>>, OpenError> {
        if let Some(pause) = self.pause {
            if now < pause.at {
                return Ok(None);
            }
            if pause.is_last() {
                return Err(pause.passed(TimeoutKind::MaxTime.what()));
            }
            self.pause = None;
            runtime.record.again();
            runtime.reporter.next_connection();
            self.opening = opening(&self.config, &self.lifetimes, self.max_time, runtime, now);
        }
        match self.opening.advance(runtime, now) {
            Ok(opened) => Ok(opened),
            Err(error) => self.failed(error, runtime, now).map(|()| None),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.pause.map(|pause| pause.at).or_else(|| self.opening.deadline())
    }

    fn ready(&mut self, event: &mio::event::Event) {
        self.opening.ready(event);
    }

    fn wants_turn(&self) -> bool {
        self.pause.is_none() && self.opening.wants_turn()
    }

    fn evidence(&mut self) -> &mut OpeningEvidence {
        self.opening.evidence()
    }
}

fn failure(error: &OpenError) -> OpenFailure {
    match error {
        OpenError::Resolve { .. } => OpenFailure::Resolve,
        OpenError::Dial(_) | OpenError::Unix(_) => OpenFailure::Connect,
        OpenError::Proxy(error) => of_proxy(error),
        OpenError::ProxyAway { error, .. } => failure(error),
        OpenError::ProxyTls(_) => OpenFailure::ProxyRefused,
        // A server that restarts ends its connections. Like a reset, that may disappear.
        OpenError::Tls(TlsError::ClosedDuringHandshake { .. }) => OpenFailure::Lost,
        OpenError::Tls(_) => OpenFailure::Tls,
        OpenError::TimedOut { .. } => OpenFailure::TimedOut,
        OpenError::Closed { .. } | OpenError::Io(_) => OpenFailure::Lost,
        OpenError::Refused { pair, .. } => {
            let status = pair.response.status_line().map_or(0, |line| line.code);
            OpenFailure::Status(status)
        }
        OpenError::Request(_)
        | OpenError::Choice(_)
        | OpenError::Redirect { .. }
        | OpenError::BadHandshake { .. }
        | OpenError::NotHttp(_)
        | OpenError::Head(_)
        | OpenError::OnlyInterim(_)
        | OpenError::Loop(_)
        | OpenError::Signal(_)
        | OpenError::Local(_) => OpenFailure::Other,
    }
}

fn of_proxy(error: &ProxyError) -> OpenFailure {
    match error {
        ProxyError::Closed { .. } => OpenFailure::Proxy,
        ProxyError::Refused { head } => match head.status_line().map(|line| line.code) {
            Some(500 | 502..=504) => OpenFailure::Proxy,
            _ => OpenFailure::ProxyRefused,
        },
        // RFC 1928 §6: failure, network or host unreachable, connection refused.
        ProxyError::SocksRefused { version: 5, code: 1 | 3..=5 } => OpenFailure::Proxy,
        _ => OpenFailure::ProxyRefused,
    }
}

/// The time in a refusal's Retry-After.
fn asked_for(error: &OpenError) -> Option<Duration> {
    let OpenError::Refused { pair, .. } = error else { return None };
    let value = pair.response.get("retry-after")?;
    retry_after(std::str::from_utf8(value).ok()?, wall_seconds())
}

/// Whether the end of a connection allows another one; `ours` means that this side wanted the end.
pub fn ended(ending: &Ending, ours: bool) -> Ended {
    if ours {
        return Ended::ByUs;
    }
    match &ending.cause {
        Cause::Closed if ending.by == Side::Us => Ended::ByUs,
        Cause::Closed => Ended::Closed(ending.received.as_ref().and_then(|close| close.code)),
        Cause::Violation(_) => Ended::Violation,
        Cause::Timeout(TimeoutKind::Pong | TimeoutKind::Idle) => Ended::Silent,
        Cause::Timeout(_) | Cause::Dropped | Cause::Relay { .. } => Ended::ByUs,
        Cause::Lost(_) if ending.is_unanswered_close() => Ended::ByUs,
        Cause::Lost(_) => Ended::Lost,
    }
}
