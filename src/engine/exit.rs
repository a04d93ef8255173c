//! Exit codes: the only table; the manual page and the tests use it.

use crate::event::{Cause, Ending, Side};
use crate::net::signals::Signal;
use crate::wire::close;

/// How the program ends. Scripts rely on the numbers; [`Exit::TABLE`] has their meanings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the table describes them, to users too
pub enum Exit {
    Success,
    Failure,
    Usage,
    Resolve,
    Connect,
    Proxy,
    Tls,
    Refused,
    BadHandshake,
    Violation,
    Lost,
    PeerError,
    Timeout,
    Unmet,
    HungUp,
    Interrupted,
    Terminated,
    /// The status of a program that `wscope proxy -- CMD` ran.
    Command(u8),
}

impl From<Signal> for Exit {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Interrupt => Self::Interrupted,
            Signal::Terminate => Self::Terminated,
            Signal::Hangup => Self::HungUp,
        }
    }
}

impl Exit {
    /// All statuses, ascending, each with its meaning, for the manual page.
    pub const TABLE: &[(Self, &str)] = &[
        (
            Self::Success,
            "ended cleanly: the peer answered our Close, or our message that asks for the end, with a Close or the end of the connection; or the peer closed with 1000, 1001 or no code",
        ),
        (Self::Failure, "any other error"),
        (Self::Usage, "wrong usage"),
        (Self::Resolve, "the name was not resolved"),
        (Self::Connect, "no TCP connection"),
        (Self::Proxy, "a proxy refused or failed"),
        (Self::Tls, "TLS failed"),
        (Self::Refused, "the server answered the handshake with a status other than 101"),
        (
            Self::BadHandshake,
            "a 101 that breaks the RFC: wrong accept value, missing headers, unoffered subprotocol or extension; or an answer that is not HTTP",
        ),
        (
            Self::Violation,
            "the peer broke the protocol after the handshake, or exceeded --max-message or --max-inflated",
        ),
        (Self::Lost, "the connection was lost without a Close frame (1006)"),
        (Self::PeerError, "the peer closed with an error code"),
        (Self::Timeout, "wscope's own timeout has passed; no ping of `wscope ping` was answered"),
        (
            Self::Unmet,
            "an expectation was not met (--until, --exit-after, /expect; doctor: the connection stays open; check: no case fails; replay: nothing differs)",
        ),
        (Self::HungUp, "SIGHUP: the terminal is gone"),
        (Self::Interrupted, "SIGINT"),
        (Self::Terminated, "SIGTERM"),
    ];

    /// The status that the shell gets.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Resolve => 3,
            Self::Connect => 4,
            Self::Proxy => 5,
            Self::Tls => 6,
            Self::Refused => 7,
            Self::BadHandshake => 8,
            Self::Violation => 9,
            Self::Lost => 10,
            Self::PeerError => 11,
            Self::Timeout => 12,
            Self::Unmet => 13,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
            Self::Command(status) => status,
        }
    }

    /// The status for the end of a connection.
    pub fn of(ending: &Ending) -> Self {
        match &ending.cause {
            Cause::Violation(_) => Self::Violation,
            Cause::Timeout(_) => Self::Timeout,
            Cause::Lost(_) if ending.is_unanswered_close() => Self::Success,
            Cause::Lost(_) => Self::Lost,
            Cause::Dropped | Cause::Relay { .. } => Self::Failure,
            Cause::Closed => {
                let received = ending.received.as_ref().and_then(|body| body.code);
                let sent = ending.sent.as_ref().and_then(|body| body.code);
                let echoed = ending.by == Side::Us && received == sent;
                match close::is_regular(received) || echoed {
                    true => Self::Success,
                    false => Self::PeerError,
                }
            }
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Lost, TimeoutKind, Totals};
    use crate::wire::close::CloseBody;
    use crate::wire::{Violation, ViolationKind};
    use std::time::Duration;

    fn ending(by: Side, cause: Cause, sent: Option<u16>, received: Option<u16>) -> Ending {
        let body = |code| CloseBody { code, reason: Vec::new() };
        let totals = Totals::default();
        Ending {
            role: Some(crate::wire::Role::Client),
            by,
            cause,
            sent: Some(body(sent)),
            received: Some(body(received)),
            duration: Duration::ZERO,
            out: totals,
            r#in: totals,
        }
    }

    #[test]
    fn the_table_is_the_contract() {
        let codes: Vec<u8> = Exit::TABLE.iter().map(|(exit, _)| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 129, 130, 143]);
    }

    #[test]
    fn a_regular_close_is_success_whoever_began() {
        for code in [None, Some(1000), Some(1001)] {
            assert_eq!(Exit::of(&ending(Side::Peer, Cause::Closed, code, code)), Exit::Success);
        }
        let ours = ending(Side::Us, Cause::Closed, Some(4000), Some(4000));
        assert_eq!(Exit::of(&ours), Exit::Success);
    }

    #[test]
    fn an_end_in_answer_to_our_close_is_success() {
        let ours = |how| {
            let ended = ending(Side::Network, Cause::Lost(how), Some(1000), None);
            Exit::of(&Ending { received: None, ..ended })
        };
        assert_eq!(ours(Lost::EndOfStream), Exit::Success);
        assert_eq!(ours(Lost::Reset), Exit::Lost);
        let without = ending(Side::Network, Cause::Lost(Lost::Reset), None, None);
        assert_eq!(Exit::of(&Ending { sent: None, received: None, ..without }), Exit::Lost);
    }

    #[test]
    fn an_error_code_from_the_peer_is_a_failure() {
        for code in [1002, 1006, 1011, 3000, 4001] {
            let theirs = ending(Side::Peer, Cause::Closed, Some(code), Some(code));
            assert_eq!(Exit::of(&theirs), Exit::PeerError);
        }
        let crossed = ending(Side::Us, Cause::Closed, Some(1000), Some(1011));
        assert_eq!(Exit::of(&crossed), Exit::PeerError);
    }

    #[test]
    fn every_cause_has_its_code() {
        let violation = Violation {
            kind: ViolationKind::Rsv2OrRsv3,
            frame: 1,
            offset: 0,
            detail: String::new(),
        };
        let causes = [
            (Cause::Violation(violation), Exit::Violation),
            (Cause::Timeout(TimeoutKind::Pong), Exit::Timeout),
            (Cause::Lost(Lost::EndOfStream), Exit::Lost),
            (Cause::Dropped, Exit::Failure),
        ];
        for (cause, exit) in causes {
            assert_eq!(Exit::of(&ending(Side::Us, cause, None, None)), exit);
        }
    }
}
