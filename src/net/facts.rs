//! Turns the errors of this layer into facts for the diagnostics.

use std::io::ErrorKind;

use super::dial::{Attempt, AttemptOutcome};
use super::plain_io::plain_io;
use super::proxy::{Asked, ProxyError};
use super::resolve::ResolveError;
use super::tls::{CertificateProblem, TlsError};
use super::transport::TransportError;
use crate::diagnostics::facts::{Dial, DialOutcome, LookupFault, ProxyFault, TlsFault};
use crate::event::Lost;

impl From<&ResolveError> for LookupFault {
    fn from(error: &ResolveError) -> Self {
        match error {
            ResolveError::NotFound { .. } => Self::NotFound,
            ResolveError::NoAddressOfFamily { .. } => Self::OtherFamily,
            ResolveError::Temporary { .. }
            | ResolveError::TimedOut { .. }
            | ResolveError::System { .. } => Self::Unanswered,
        }
    }
}

impl From<TransportError> for Lost {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Io(error) => match error.kind() {
                ErrorKind::ConnectionReset => Self::Reset,
                ErrorKind::BrokenPipe => Self::BrokenPipe,
                ErrorKind::TimedOut => Self::TimedOut,
                _ => Self::Other(plain_io(&error)),
            },
            TransportError::Tls(error) => Self::Other(error.to_string()),
        }
    }
}

/// Why a proxy did not open the tunnel; `None` if it got no request.
pub fn proxy_fault(error: &ProxyError) -> Option<ProxyFault> {
    match error {
        ProxyError::Unauthorized { .. } | ProxyError::SocksUnauthorized { .. } => {
            Some(ProxyFault::Unauthorized)
        }
        ProxyError::Unspeakable { .. } => None,
        ProxyError::NotHttp { .. } | ProxyError::NotSocks { .. } => Some(ProxyFault::Foreign),
        ProxyError::Closed { asked: Asked::Greeting { credentials }, .. } => {
            Some(ProxyFault::Greeting { credentials: *credentials })
        }
        ProxyError::Closed { asked: Asked::Login, .. } => Some(ProxyFault::Unauthorized),
        ProxyError::Closed { asked: Asked::Socks5, .. } => Some(ProxyFault::Dropped),
        ProxyError::Closed { received: 0, asked: Asked::Connect | Asked::Socks4 } => {
            Some(ProxyFault::Silent)
        }
        // RFC 1928 §6.
        ProxyError::SocksRefused { version: 5, code: 2 } => Some(ProxyFault::Forbidden),
        ProxyError::SocksRefused { version: 5, code: 3..=6 } => Some(ProxyFault::Unreached),
        _ => Some(ProxyFault::Refused),
    }
}

impl From<&Attempt> for Dial {
    fn from(attempt: &Attempt) -> Self {
        let outcome = match &attempt.outcome {
            AttemptOutcome::Connected => DialOutcome::Connected,
            AttemptOutcome::Unanswered => DialOutcome::Silent,
            AttemptOutcome::Failed(error) => match error.kind() {
                ErrorKind::ConnectionRefused => DialOutcome::Refused,
                ErrorKind::ConnectionReset => DialOutcome::Reset,
                ErrorKind::TimedOut => DialOutcome::Silent,
                // The local end: --interface, --local-port, or no free port.
                ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse => DialOutcome::NearEnd,
                _ => DialOutcome::Unreachable,
            },
        };
        Self { address: attempt.addr, outcome, elapsed: attempt.elapsed }
    }
}

/// The fault of a TLS error; `None` for errors that are not part of a handshake with a peer, such
/// as a CA file that can't be read.
pub fn tls_fault(error: &TlsError) -> Option<TlsFault<'_>> {
    use CertificateProblem as Problem;
    Some(match error {
        TlsError::PlainHttp => TlsFault::NotTls(b"HTTP/"),
        TlsError::NotTls { first_bytes } => TlsFault::NotTls(first_bytes),
        TlsError::PlainHttpRequest => TlsFault::PlainRequest,
        TlsError::ClosedDuringHandshake { .. } => TlsFault::Closed,
        TlsError::Alert { number } => TlsFault::Alert(*number),
        TlsError::CertificateWanted { .. } => TlsFault::CertificateWanted,
        TlsError::Certificate { problem, reason, .. } => match problem {
            Problem::Expired => TlsFault::Dates { early: false },
            Problem::NotYetValid => TlsFault::Dates { early: true },
            Problem::NameMismatch => TlsFault::Name,
            Problem::SelfSigned => TlsFault::Issuer { is_own: true },
            Problem::UnknownIssuer => TlsFault::Issuer { is_own: false },
            Problem::Other => TlsFault::Certificate(reason),
        },
        TlsError::Setup { .. }
        | TlsError::CaFile { .. }
        | TlsError::Identity { .. }
        | TlsError::Handshake { .. }
        | TlsError::PassFile { .. }
        | TlsError::PassphraseNeeded { .. }
        | TlsError::PassphraseWrong { .. }
        | TlsError::KeyLog { .. }
        | TlsError::Unavailable { .. }
        | TlsError::Pinned { .. }
        | TlsError::Broken { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::time::Duration;

    use super::*;
    use crate::diagnostics::{Facts, classify};
    use crate::wire::Role;

    /// The code of the verdict.
    fn verdict(facts: &Facts<'_>) -> Option<&'static str> {
        classify(facts).first().map(|found| found.entry.code)
    }

    #[test]
    fn lookups_are_classified() {
        let host = || "h".to_owned();
        let refused = std::io::Error::other("x");
        let no_address =
            ResolveError::NoAddressOfFamily { host: host(), family: Default::default(), found: 1 };
        for (error, code) in [
            (ResolveError::NotFound { host: host() }, "W101"),
            (ResolveError::Temporary { host: host() }, "W102"),
            (ResolveError::TimedOut { host: host() }, "W102"),
            (no_address, "W101"),
            (ResolveError::System { host: host(), source: refused }, "W102"),
        ] {
            let lookup = Some(LookupFault::from(&error));
            let facts = Facts { lookup, ..Facts::new(Role::Client) };
            assert_eq!(verdict(&facts), Some(code), "{error}");
        }
    }

    #[test]
    fn dials_are_classified() {
        let attempt = |outcome| Attempt {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
            started: Duration::ZERO,
            elapsed: Duration::from_secs(1),
            outcome,
        };
        for (kind, code) in [
            (ErrorKind::ConnectionRefused, "W103"),
            (ErrorKind::TimedOut, "W105"),
            (ErrorKind::HostUnreachable, "W106"),
        ] {
            let dials = [Dial::from(&attempt(AttemptOutcome::Failed(kind.into())))];
            let facts = Facts { dials: &dials, ..Facts::new(Role::Client) };
            assert_eq!(verdict(&facts), Some(code), "{kind}");
        }
        let dial = Dial::from(&attempt(AttemptOutcome::Unanswered));
        assert_eq!(dial.outcome, DialOutcome::Silent);
        assert_eq!(Dial::from(&attempt(AttemptOutcome::Connected)).outcome, DialOutcome::Connected);
    }

    #[test]
    fn tls_is_classified_as_the_errors_name_themselves() {
        let certificate = |problem| TlsError::Certificate {
            host: "h".to_owned(),
            problem,
            reason: String::new(),
        };
        let alerts = (0..=u8::MAX).map(|number| TlsError::Alert { number });
        let others = [
            TlsError::PlainHttp,
            TlsError::NotTls { first_bytes: b"SSH-2.0-x\r\n".to_vec() },
            TlsError::PlainHttpRequest,
            TlsError::ClosedDuringHandshake { answered: false },
            certificate(CertificateProblem::Expired),
            certificate(CertificateProblem::NotYetValid),
            certificate(CertificateProblem::NameMismatch),
            certificate(CertificateProblem::SelfSigned),
            certificate(CertificateProblem::UnknownIssuer),
            certificate(CertificateProblem::Other),
            TlsError::Setup { reason: String::new() },
        ];
        for error in others.into_iter().chain(alerts) {
            let Some(code) = error.code() else { continue };
            let mut facts = Facts::new(Role::Client);
            facts.tls.fault = tls_fault(&error);
            assert_eq!(verdict(&facts), Some(code), "{error}");
        }
    }
}
