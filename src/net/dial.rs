//! Connects to the first address that answers (Happy Eyeballs, RFC 8305 §5).
//!
//! It handles addresses, threads and the clock. It must not know names, TLS, or the data on the
//! connection.

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::plain_io::plain_io;
use super::source::LocalAddress;

/// RFC 8305 §5: "a simple implementation can have a fixed delay for how long to
/// wait before starting the next connection attempt. This delay is referred to
/// as the "Connection Attempt Delay". One recommended value for a default delay
/// is 250 milliseconds."
pub const CONNECTION_ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// A TCP connection, and how it was opened.
#[derive(Debug)]
pub struct Dialed {
    /// The connection: blocking, with `TCP_NODELAY`.
    pub stream: TcpStream,
    /// Every attempt that was started, in the order of the addresses.
    pub attempts: Vec<Attempt>,
}

/// One attempt to connect.
#[derive(Debug)]
pub struct Attempt {
    /// The address.
    pub addr: SocketAddr,
    /// When it began, in time since the beginning of the race.
    pub started: Duration,
    /// How long it took, or how long it was awaited.
    pub elapsed: Duration,
    /// How it ended.
    pub outcome: AttemptOutcome,
}

/// How an attempt ended.
#[derive(Debug)]
pub enum AttemptOutcome {
    /// This attempt won.
    Connected,
    /// The system refused.
    Failed(io::Error),
    /// There was no answer when another address won, or when the time limit had passed.
    Unanswered,
}

/// No connection to any of the addresses was possible (W103 to W106).
#[derive(Debug, Error)]
pub struct DialError {
    /// Every attempt that was started, in the order of the addresses.
    pub attempts: Vec<Attempt>,
    /// Whether the deadline ended the race.
    pub timed_out: bool,
}

/// Connects to one of `addrs`, from an address, port or interface of this machine. Each attempt
/// starts 250 ms after the previous one.
///
/// A failure starts the next attempt at once, and the first success wins. For a single address, the
/// calling thread connects, which saves the start of a helper thread. Threads of other attempts end
/// by themselves, at the latest at the deadline.
///
/// # Errors
///
/// [`DialError`] with one attempt for each address tried; [`LocalAddress::connect`] may fail each.
pub fn dial(
    source: &LocalAddress,
    addrs: &[SocketAddr],
    deadline: Instant,
) -> Result<Dialed, DialError> {
    let source = source.clone();
    let connect = move |addr, timeout| source.connect(addr, timeout);
    let (stream, _, attempts) = match addrs {
        [addr] => connect_alone(*addr, deadline, connect)?,
        addrs => race(addrs, deadline, CONNECTION_ATTEMPT_DELAY, connect)?,
    };
    // Small frames must leave at once. If this call fails, the connection is already dead, and its
    // first use reports a better error.
    let _ = stream.set_nodelay(true);
    Ok(Dialed { stream, attempts })
}

type Won<S> = (S, SocketAddr, Vec<Attempt>);

fn connect_alone<S>(
    addr: SocketAddr,
    deadline: Instant,
    connect: impl Fn(SocketAddr, Duration) -> io::Result<S>,
) -> Result<Won<S>, DialError> {
    let begin = Instant::now();
    let result = connect_until(addr, deadline, connect);
    let elapsed = begin.elapsed();
    let started = Duration::ZERO;
    match result {
        Ok(stream) => {
            let outcome = AttemptOutcome::Connected;
            Ok((stream, addr, vec![Attempt { addr, started, elapsed, outcome }]))
        }
        Err(error) => {
            let timed_out = Instant::now() >= deadline;
            let outcome = AttemptOutcome::Failed(error);
            let attempts = vec![Attempt { addr, started, elapsed, outcome }];
            Err(DialError { attempts, timed_out })
        }
    }
}

/// Connects within the remaining time. If no time is left, returns a timeout; `connect_timeout`
/// would report a zero duration as invalid input.
fn connect_until<S>(
    addr: SocketAddr,
    deadline: Instant,
    connect: impl Fn(SocketAddr, Duration) -> io::Result<S>,
) -> io::Result<S> {
    match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
        timeout => connect(addr, timeout),
    }
}

/// What a helper thread reports: which attempt, when it ended, how.
type AttemptReport<S> = (usize, Instant, io::Result<S>);

fn race<S: Send + 'static>(
    addrs: &[SocketAddr],
    deadline: Instant,
    delay: Duration,
    connect: impl Fn(SocketAddr, Duration) -> io::Result<S> + Clone + Send + 'static,
) -> Result<Won<S>, DialError> {
    let begin = Instant::now();
    let (reporter, reports): (Sender<AttemptReport<S>>, Receiver<AttemptReport<S>>) =
        mpsc::channel();
    let mut attempts: Vec<Attempt> = Vec::with_capacity(addrs.len());
    let mut waiting = addrs.iter();
    let mut running = 0_usize;
    let mut next_start = begin;

    loop {
        let now = Instant::now();
        if now >= deadline && !attempts.is_empty() {
            give_up(&mut attempts, now - begin);
            return Err(DialError { attempts, timed_out: true });
        }
        if now >= next_start
            && let Some(&addr) = waiting.next()
        {
            let index = attempts.len();
            let (connect, reporter) = (connect.clone(), reporter.clone());
            let job = move || {
                let result = connect_until(addr, deadline, connect);
                // After the race, nothing receives the result.
                let _ = reporter.send((index, Instant::now(), result));
            };
            let outcome = match thread::Builder::new().name("dialer".to_owned()).spawn(job) {
                Ok(_) => {
                    running += 1;
                    next_start = now + delay;
                    AttemptOutcome::Unanswered
                }
                Err(error) => AttemptOutcome::Failed(error),
            };
            let started = now - begin;
            attempts.push(Attempt { addr, started, elapsed: Duration::ZERO, outcome });
            continue;
        }
        if running == 0 && waiting.len() == 0 {
            return Err(DialError { attempts, timed_out: false });
        }

        let wake = if waiting.len() == 0 { deadline } else { next_start.min(deadline) };
        match reports.recv_timeout(wake.saturating_duration_since(now)) {
            Ok((index, ended, Ok(stream))) => {
                give_up(&mut attempts, ended - begin);
                attempts[index].outcome = AttemptOutcome::Connected;
                let addr = attempts[index].addr;
                return Ok((stream, addr, attempts));
            }
            Ok((index, ended, Err(error))) => {
                let attempt = &mut attempts[index];
                attempt.elapsed = (ended - begin).saturating_sub(attempt.started);
                attempt.outcome = AttemptOutcome::Failed(error);
                running -= 1;
                next_start = now;
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}

/// Notes how long the unanswered attempts were awaited.
fn give_up(attempts: &mut [Attempt], now: Duration) {
    for attempt in attempts {
        if matches!(attempt.outcome, AttemptOutcome::Unanswered) {
            attempt.elapsed = now.saturating_sub(attempt.started);
        }
    }
}

/// A line for each address.
impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempts.as_slice() {
            [] => f.write_str("no address to connect to"),
            [attempt] => write!(f, "cannot connect to {attempt}"),
            attempts => {
                write!(f, "cannot connect to any of {} addresses", attempts.len())?;
                attempts.iter().try_for_each(|attempt| write!(f, "\n  {attempt}"))
            }
        }
    }
}

/// `ADDRESS: how it ended`.
impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elapsed = Elapsed(self.elapsed);
        write!(f, "{}: ", self.addr)?;
        match (&self.outcome, kind(self)) {
            (AttemptOutcome::Connected, _) => write!(f, "connected in {elapsed}"),
            (AttemptOutcome::Unanswered, _) | (_, Some(io::ErrorKind::TimedOut)) => {
                write!(f, "no answer within {elapsed}")
            }
            (_, Some(io::ErrorKind::ConnectionRefused)) => f.write_str("connection refused"),
            (_, Some(io::ErrorKind::HostUnreachable)) => f.write_str("host unreachable"),
            (_, Some(io::ErrorKind::NetworkUnreachable)) => f.write_str("network unreachable"),
            (AttemptOutcome::Failed(error), _) => f.write_str(&plain_io(error)),
        }
    }
}

fn kind(attempt: &Attempt) -> Option<io::ErrorKind> {
    match &attempt.outcome {
        AttemptOutcome::Failed(error) => Some(error.kind()),
        AttemptOutcome::Connected | AttemptOutcome::Unanswered => None,
    }
}

/// A duration for users: `0.21 ms`, `48 ms`, `10.0 s`.
struct Elapsed(Duration);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.as_secs_f64() * 1000.0;
        match milliseconds {
            ..10.0 => write!(f, "{milliseconds:.2} ms"),
            ..1000.0 => write!(f, "{milliseconds:.0} ms"),
            _ => write!(f, "{:.1} s", milliseconds / 1000.0),
        }
    }
}
