//! Trying again: `--retry` while no connection is open, `--reconnect` when one has ended.

use std::time::{Duration, Instant};

use crate::config::OpenConfig;
use crate::engine::exit::Exit;
use crate::engine::open_error::OpenError;
use crate::engine::opening::deadline::{Deadline, pause};
use crate::engine::opening::{Opened, open};
use crate::engine::pump::Outcome;
use crate::engine::run_facts::wall_seconds;
use crate::engine::runtime::Runtime;
use crate::event::{Cause, Side, TimeoutKind};
use crate::net::proxy::ProxyError;
use crate::net::random;
use crate::net::retry::{Ended, Failure, RetryReason, Schedule, Verdict, retry_after};
use crate::ui::ending;

/// Opens a connection, as often as the schedule allows.
///
/// # Errors
///
/// That of the last try.
pub fn open_patiently(
    config: &OpenConfig,
    schedule: &mut Schedule,
    runtime: &mut Runtime,
    max_time: Option<Instant>,
) -> Result<Opened, OpenError> {
    loop {
        let error = match open(config, runtime, max_time) {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        match schedule.failed(failure(&error), asked_for(&error), random::number()) {
            Verdict::Again { after, number } => {
                let text = error.to_string();
                let why = text.lines().next().unwrap_or_default();
                wait(why, after, number, runtime, max_time)?;
            }
            Verdict::GiveUp(RetryReason::TooLong(time)) => {
                let seconds = time.as_secs();
                runtime.note(&format!("the server asks to wait {seconds} s, which is too long"))?;
                return Err(error);
            }
            Verdict::GiveUp(RetryReason::Lasting | RetryReason::Exhausted) => return Err(error),
        }
    }
}

/// After a connection that had stood for this time: waits if another is to follow; gives whether
/// it is.
///
/// # Errors
///
/// A signal came while waiting, or the time of the run is over.
pub fn after(
    outcome: &Outcome,
    stood: Duration,
    schedule: &mut Schedule,
    runtime: &mut Runtime,
    max_time: Option<Instant>,
) -> Result<bool, OpenError> {
    match schedule.ended(ended(outcome), stood, random::number()) {
        Verdict::Again { after, number } => {
            wait(&ending::describe(&outcome.ending), after, number, runtime, max_time)?;
            Ok(true)
        }
        Verdict::GiveUp(_) => Ok(false),
    }
}

fn wait(
    why: &str,
    after: Duration,
    number: u32,
    runtime: &mut Runtime,
    max_time: Option<Instant>,
) -> Result<(), OpenError> {
    let seconds = after.as_secs_f64();
    runtime.note(&format!("{why}; trying again in {seconds:.1} s (try {number})"))?;
    let until = Deadline::within(after, max_time);
    pause(runtime, until.at)?;
    if until.is_last() {
        return Err(until.passed(TimeoutKind::MaxTime.what()));
    }
    runtime.record.again();
    runtime.reporter.next_connection();
    Ok(())
}

fn failure(error: &OpenError) -> Failure {
    match error {
        OpenError::Resolve { .. } => Failure::Resolve,
        OpenError::Dial(_) | OpenError::Unix(_) => Failure::Connect,
        OpenError::Proxy(error) => of_proxy(error),
        OpenError::ProxyAway { error, .. } => failure(error),
        OpenError::ProxyTls(_) => Failure::ProxyRefused,
        OpenError::Tls(_) => Failure::Tls,
        OpenError::TimedOut { .. } => Failure::TimedOut,
        OpenError::Closed { .. } | OpenError::Io(_) => Failure::Lost,
        OpenError::Refused { pair, .. } => {
            let status = pair.response.status_line().map_or(0, |line| line.code);
            Failure::Status(status)
        }
        OpenError::Request(_)
        | OpenError::Choice(_)
        | OpenError::Redirect { .. }
        | OpenError::BadHandshake { .. }
        | OpenError::NotHttp(_)
        | OpenError::Head(_)
        | OpenError::OnlyInterim(_)
        | OpenError::Signal(_)
        | OpenError::Local(_) => Failure::Other,
    }
}

fn of_proxy(error: &ProxyError) -> Failure {
    match error {
        ProxyError::Closed { .. } => Failure::Proxy,
        ProxyError::Refused { head } => match head.status_line().map(|line| line.code) {
            Some(500 | 502..=504) => Failure::Proxy,
            _ => Failure::ProxyRefused,
        },
        // RFC 1928 §6: failure, network or host unreachable, connection refused.
        ProxyError::SocksRefused { version: 5, code: 1 | 3..=5 } => Failure::Proxy,
        _ => Failure::ProxyRefused,
    }
}

/// What a refusal's Retry-After asks for.
fn asked_for(error: &OpenError) -> Option<Duration> {
    let OpenError::Refused { pair, .. } = error else { return None };
    let value = pair.response.get("retry-after")?;
    retry_after(std::str::from_utf8(value).ok()?, wall_seconds())
}

fn ended(outcome: &Outcome) -> Ended {
    let ours = matches!(outcome.exit, Exit::HungUp | Exit::Interrupted | Exit::Terminated);
    if ours || outcome.fault.is_some() || outcome.carried.has_met_goal() {
        return Ended::ByUs;
    }
    match &outcome.ending.cause {
        Cause::Closed if outcome.ending.by == Side::Us => Ended::ByUs,
        Cause::Closed => {
            Ended::Closed(outcome.ending.received.as_ref().and_then(|close| close.code))
        }
        Cause::Violation(_) => Ended::Violation,
        Cause::Timeout(TimeoutKind::Pong | TimeoutKind::Idle) => Ended::Silent,
        Cause::Timeout(_) | Cause::Dropped => Ended::ByUs,
        Cause::Lost(_) => Ended::Lost,
    }
}
