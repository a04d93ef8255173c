//! `--retry` and `--reconnect`: whether to try again, and when.
//!
//! It computes the delay from the failure and a random number. It does not wait, and does not
//! connect. RFC 6455 §7.2.3: "To avoid this, clients SHOULD use some form of backoff when trying to
//! reconnect after abnormal closures".

use std::time::Duration;

use crate::wire::http_date;

/// The first delay without `--retry-delay`.
pub const DEFAULT_DELAY: Duration = Duration::from_secs(1);

/// The longest delay, unless the first delay is longer.
const CAP: Duration = Duration::from_secs(60);

/// A longer Retry-After counts as a refusal, because a run that sleeps for days is useless.
const MOST_ASKED: Duration = Duration::from_secs(3600);

/// If a connection stayed open for this time, the problem was solved: the delays start over.
const STABLE: Duration = Duration::from_secs(10);

/// What failed while a connection was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenFailure {
    /// The name has no address, or the name server did not answer.
    Resolve,
    /// No TCP connection to any address.
    Connect,
    /// A proxy could not be reached or answered that it could not reach the server.
    Proxy,
    /// A proxy refused: it would refuse again.
    ProxyRefused,
    /// TLS was refused, or the certificate is not trusted: the next try would fail in the same way.
    Tls,
    /// One of our timeouts passed.
    TimedOut,
    /// The stream ended before the response was complete.
    Lost,
    /// The server answered with this status instead of 101.
    Status(u16),
    /// Anything else: a response that breaks the rules, a signal, an error of this machine.
    Other,
}

/// How an open connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// This side ended it.
    ByUs,
    /// Lost without a Close frame (1006).
    Lost,
    /// The peer did not answer pings.
    Silent,
    /// The peer closed with this code, or without one.
    Closed(Option<u16>),
    /// A side broke the protocol.
    Violation,
}

/// The user's options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryOptions {
    /// How many retries in a row; `None`: no limit, as with `--reconnect`.
    pub retries: Option<u32>,
    /// The first delay, which doubles each time.
    pub delay: Duration,
}

impl Default for RetryOptions {
    /// No retries.
    fn default() -> Self {
        Self { retries: Some(0), delay: DEFAULT_DELAY }
    }
}

/// The next action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryDecision {
    /// Try again.
    Again {
        /// After this time.
        after: Duration,
        /// Which try in a row this will be, from 1.
        number: u32,
    },
    /// Report the failure and end.
    GiveUp(RetryReason),
}

/// Why there is no retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryReason {
    /// The next try would fail in the same way.
    Lasting,
    /// The requested number of attempts is used up.
    Exhausted,
    /// The server demands a wait of more than an hour.
    TooLong(Duration),
}

/// The tries of one run.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    options: RetryOptions,
    /// The number of granted tries in a row.
    granted: u32,
}

impl OpenFailure {
    /// Whether the failure may disappear by itself.
    pub fn is_transient(self) -> bool {
        match self {
            Self::Resolve | Self::Connect | Self::Proxy | Self::TimedOut | Self::Lost => true,
            // The statuses that curl retries, and 425 (RFC 8470 §5.2), which asks for a retry.
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500 | 502..=504),
            Self::ProxyRefused | Self::Tls | Self::Other => false,
        }
    }
}

impl Ended {
    /// Whether `--reconnect` connects again.
    ///
    /// It connects again after codes about the peer's state: 1001 going away, 1011 internal error,
    /// 1012 restart, 1013 try again later, 1014 bad gateway. 1000, no code, and an application's
    /// own codes are an intended end.
    pub fn is_reconnected(self) -> bool {
        match self {
            Self::Lost | Self::Silent => true,
            Self::Closed(code) => matches!(code, Some(1001 | 1011..=1014)),
            Self::ByUs | Self::Violation => false,
        }
    }
}

impl Schedule {
    /// The schedule before the first try.
    pub fn new(options: RetryOptions) -> Self {
        Self { options, granted: 0 }
    }

    /// The decision after a failed opening. `retry_after` is the header of the response, `random`
    /// any number.
    pub fn failed(
        &mut self,
        failure: OpenFailure,
        retry_after: Option<Duration>,
        random: u64,
    ) -> RetryDecision {
        if !failure.is_transient() {
            return RetryDecision::GiveUp(RetryReason::Lasting);
        }
        match retry_after {
            Some(asked) if asked > MOST_ASKED => RetryDecision::GiveUp(RetryReason::TooLong(asked)),
            // "Servers send the "Retry-After" header field to indicate how long the user agent
            // ought to wait before making a follow-up request" (RFC 9110 §10.2.3).
            asked => self.again(asked.unwrap_or_default(), random),
        }
    }

    /// The decision of `--reconnect` after the end of a connection that was open for `stood`.
    pub fn ended(&mut self, ended: Ended, stood: Duration, random: u64) -> RetryDecision {
        if !ended.is_reconnected() {
            return RetryDecision::GiveUp(RetryReason::Lasting);
        }
        if stood >= STABLE {
            self.granted = 0;
        }
        self.again(Duration::ZERO, random)
    }

    fn again(&mut self, least: Duration, random: u64) -> RetryDecision {
        if self.options.retries.is_some_and(|most| self.granted >= most) {
            return RetryDecision::GiveUp(RetryReason::Exhausted);
        }
        let after = jittered(self.delay(), random).max(least);
        self.granted = self.granted.saturating_add(1);
        RetryDecision::Again { after, number: self.granted }
    }

    /// "Subsequent reconnect attempts SHOULD be delayed by increasingly longer amounts of time,
    /// using a method such as truncated binary exponential backoff" (RFC 6455 §7.2.3).
    fn delay(&self) -> Duration {
        let first = self.options.delay;
        let doubled = 1u32.checked_shl(self.granted).and_then(|factor| first.checked_mul(factor));
        doubled.unwrap_or(Duration::MAX).min(CAP.max(first))
    }
}

/// A random delay between half of `delay` and `delay`, so that many clients do not come back at the
/// same time.
fn jittered(delay: Duration, random: u64) -> Duration {
    let half = delay / 2;
    let share = random as f64 / u64::MAX as f64;
    half + half.mul_f64(share.clamp(0.0, 1.0))
}

/// Parses a Retry-After: seconds, or a date (RFC 9110 §10.2.3); `now` in seconds since the Unix
/// epoch. A date in the past means no delay.
pub fn retry_after(value: &str, now: i64) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let wait = http_date::parse(value)?.saturating_sub(now);
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn schedule(retries: Option<u32>, delay: Duration) -> Schedule {
        Schedule::new(RetryOptions { retries, delay })
    }

    fn wait(verdict: RetryDecision) -> Duration {
        match verdict {
            RetryDecision::Again { after, .. } => after,
            RetryDecision::GiveUp(reason) => panic!("gave up: {reason:?}"),
        }
    }

    #[test]
    fn delays_double_up_to_a_minute() {
        let mut tries = schedule(None, SECOND);
        let waits: Vec<u64> = (0..9)
            .map(|_| wait(tries.failed(OpenFailure::Connect, None, u64::MAX)).as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        for _ in 0..100 {
            assert_eq!(wait(tries.failed(OpenFailure::Lost, None, u64::MAX)), CAP);
        }
    }

    #[test]
    fn a_long_first_delay_is_its_own_cap_and_none_is_none() {
        let mut long = schedule(None, CAP * 5);
        for _ in 0..3 {
            assert_eq!(wait(long.failed(OpenFailure::Resolve, None, u64::MAX)), CAP * 5);
        }
        let mut none = schedule(None, Duration::ZERO);
        assert_eq!(wait(none.failed(OpenFailure::Resolve, None, u64::MAX)), Duration::ZERO);
        assert!(wait(schedule(None, Duration::MAX).failed(OpenFailure::Lost, None, 7)) > CAP);
    }

    #[test]
    fn jitter_takes_at_most_half() {
        for (random, millis) in [(0, 500), (u64::MAX / 2, 750), (u64::MAX, 1000)] {
            let after = wait(schedule(None, SECOND).failed(OpenFailure::Lost, None, random));
            assert_eq!(after.as_millis(), millis, "{random}");
        }
    }

    #[test]
    fn so_many_times_and_no_more() {
        let mut tries = schedule(Some(2), SECOND);
        for number in 1..=2 {
            let verdict = tries.failed(OpenFailure::TimedOut, None, 0);
            assert!(matches!(verdict, RetryDecision::Again { number: n, .. } if n == number));
        }
        let verdict = tries.failed(OpenFailure::TimedOut, None, 0);
        assert_eq!(verdict, RetryDecision::GiveUp(RetryReason::Exhausted));
        let verdict = schedule(Some(0), SECOND).failed(OpenFailure::Connect, None, 0);
        assert_eq!(verdict, RetryDecision::GiveUp(RetryReason::Exhausted));
    }

    #[test]
    fn what_lasts_is_not_tried_again() {
        use OpenFailure::{Other, ProxyRefused, Status, Tls};
        for failure in
            [Tls, ProxyRefused, Other, Status(401), Status(404), Status(501), Status(301)]
        {
            let verdict = schedule(None, SECOND).failed(failure, None, 0);
            assert_eq!(verdict, RetryDecision::GiveUp(RetryReason::Lasting), "{failure:?}");
        }
        for status in [408, 425, 429, 500, 502, 503, 504] {
            assert!(Status(status).is_transient(), "{status}");
        }
    }

    #[test]
    fn the_server_may_ask_for_more() {
        let asks = |seconds| {
            let asked = Some(Duration::from_secs(seconds));
            schedule(None, SECOND).failed(OpenFailure::Status(503), asked, u64::MAX)
        };
        assert_eq!(wait(asks(120)), SECOND * 120);
        assert_eq!(wait(asks(0)), SECOND);
        assert_eq!(asks(3601), RetryDecision::GiveUp(RetryReason::TooLong(SECOND * 3601)));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after(" 120 ", 0), Some(SECOND * 120));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_770), Some(SECOND * 7));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_999), Some(Duration::ZERO));
        let most = Some(Duration::from_secs(u64::MAX));
        assert_eq!(retry_after("99999999999999999999999", 0), most);
        for wrong in ["", "-1", "1.5", "soon"] {
            assert_eq!(retry_after(wrong, 0), None, "{wrong}");
        }
    }

    #[test]
    fn ends_that_somebody_meant_are_ends() {
        for ended in
            [Ended::Lost, Ended::Silent, Ended::Closed(Some(1001)), Ended::Closed(Some(1012))]
        {
            assert!(ended.is_reconnected(), "{ended:?}");
        }
        for ended in [
            Ended::ByUs,
            Ended::Violation,
            Ended::Closed(None),
            Ended::Closed(Some(1000)),
            Ended::Closed(Some(1008)),
            Ended::Closed(Some(4001)),
        ] {
            let verdict = schedule(None, SECOND).ended(ended, CAP, 0);
            assert_eq!(verdict, RetryDecision::GiveUp(RetryReason::Lasting), "{ended:?}");
        }
    }

    #[test]
    fn a_connection_that_stood_begins_the_delays_anew() {
        let mut tries = schedule(Some(3), SECOND);
        for expected in [1, 2] {
            let after = wait(tries.ended(Ended::Lost, SECOND, u64::MAX));
            assert_eq!(after.as_secs(), expected);
        }
        assert_eq!(wait(tries.ended(Ended::Lost, STABLE, u64::MAX)), SECOND);
    }
}
