//! Why a connection could not be opened, as a text and an exit status.

use std::fmt::{Display, Write as _};
use std::io;

use crate::engine::exit::Exit;
use crate::net::dial::DialError;
use crate::net::plain_io::plain_io;
use crate::net::proxy::ProxyError;
use crate::net::proxy::choice::ChoiceError;
use crate::net::proxy::tunnel::TunnelError;
use crate::net::redirect::RedirectError;
use crate::net::resolve::ResolveError;
use crate::net::route::{ProxyRequestError, UnixSocketError};
use crate::net::signals::Signal;
use crate::net::tls::TlsError;
use crate::net::transport::TransportError;
use crate::ui::sanitize;
use crate::wire::handshake::headers::HeaderError;
use crate::wire::handshake::rules::Report;
use crate::wire::head::{Head, HeadError};

/// A handshake that did not lead to a connection.
#[derive(Clone, Debug)]
pub struct HandshakePair {
    /// The request as it was sent.
    pub request: Head,
    /// The response as received.
    pub response: Head,
    /// Every rule's verdict.
    pub report: Report,
}

/// Why a connection could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The request can't be written.
    #[error("{0}")]
    Request(#[from] HeaderError),
    /// The name lookup failed.
    #[error("{error}")]
    Resolve {
        /// The error of the resolver.
        #[from]
        error: ResolveError,
    },
    /// The TCP connection failed.
    #[error("{0}")]
    Dial(#[from] DialError),
    /// The proxy's URL is wrong.
    #[error("{0}")]
    Choice(#[from] ChoiceError),
    /// The Unix socket can't be used.
    #[error("{}", explained(.0, Some(.0.code()), Some(.0.help())))]
    Unix(#[from] UnixSocketError),
    /// The proxy refused or failed.
    #[error("{0}")]
    Proxy(#[from] ProxyError),
    /// The proxy can't be reached: its name lookup or its TCP connection failed.
    #[error("the proxy {proxy}: {error}")]
    ProxyAway {
        /// The proxy, without credentials.
        proxy: String,
        /// Why the proxy can't be reached.
        error: Box<OpenError>,
    },
    /// TLS with the proxy failed.
    #[error("the proxy: {}", tls_text(.0))]
    ProxyTls(TlsError),
    /// A redirect that is not followed.
    #[error("{error}")]
    Redirect {
        /// Why it is not followed.
        error: RedirectError,
        /// The response that redirects.
        pair: Box<HandshakePair>,
    },
    /// TLS failed.
    #[error("{}", tls_text(.0))]
    Tls(#[from] TlsError),
    /// Another status than 101.
    #[error("the server answered {status} instead of 101 switching protocols{body}")]
    Refused {
        /// The status line's code and reason, escaped.
        status: String,
        /// The status line, headers and body for stderr, if the transcript did not show them.
        body: String,
        /// The request, the response, and the verdicts.
        pair: Box<HandshakePair>,
    },
    /// An unusable 101.
    #[error("the server's 101 breaks the handshake's rules: {list}")]
    BadHandshake {
        /// The broken rules.
        list: String,
        /// The request, the response, and the verdicts.
        pair: Box<HandshakePair>,
    },
    /// Not HTTP.
    #[error("the server's answer is not HTTP: {}", sanitize::escaped(.0))]
    NotHttp(Vec<u8>),
    /// An endless head.
    #[error("the server's response: {0}")]
    Head(HeadError),
    /// Only interim responses.
    #[error("the server sent {0} interim (1xx) responses and no final one")]
    OnlyInterim(usize),
    /// The stream ended before the end of the response.
    #[error(
        "the server closed the connection before its response was complete, after {received} bytes"
    )]
    Closed {
        /// The number of received bytes of the response.
        received: usize,
    },
    /// The target is an address on which this program listens.
    #[error("{0} is this proxy's own address: the connection would loop")]
    Loop(String),
    /// A deadline passed.
    #[error("timed out after {} s: {what}", (.seconds * 1000.0).round() / 1000.0)]
    TimedOut {
        /// The time limit.
        seconds: f64,
        /// The awaited event.
        what: &'static str,
    },
    /// A signal arrived.
    #[error("interrupted")]
    Signal(Signal),
    /// The socket failed.
    #[error("the connection failed during the handshake: {}", plain_io(.0))]
    Io(io::Error),
    /// stdout, stderr or the system failed.
    #[error("{}", plain_io(.0))]
    Local(io::Error),
}

fn tls_text(error: &TlsError) -> String {
    match error.code() {
        // The catalogue explains the error.
        Some(_) => error.to_string(),
        None => explained(error, None, error.help()),
    }
}

fn explained(error: &dyn Display, code: Option<&str>, help: Option<&str>) -> String {
    let mut text = match code {
        Some(code) => format!("{error} ({code})"),
        None => error.to_string(),
    };
    if let Some(help) = help {
        let _ = write!(text, "\n\nhelp: {help}");
    }
    text
}

/// Written by hand: the derived implementation would make the error its own cause, and it would be
/// printed twice.
impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Local(error)
    }
}

impl OpenError {
    /// The status to end with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Request(_) | Self::Choice(_) => Exit::Usage,
            Self::Resolve { error: ResolveError::TimedOut { .. } } => Exit::Timeout,
            Self::Resolve { .. } => Exit::Resolve,
            Self::Dial(error) if error.timed_out => Exit::Timeout,
            Self::Dial(_) | Self::Unix(_) | Self::Loop(_) => Exit::Connect,
            Self::ProxyAway { error, .. } if error.exit() == Exit::Timeout => Exit::Timeout,
            Self::Proxy(_) | Self::ProxyAway { .. } | Self::ProxyTls(_) => Exit::Proxy,
            Self::Tls(_) => Exit::Tls,
            Self::Refused { .. } | Self::Redirect { .. } => Exit::Refused,
            Self::BadHandshake { .. } | Self::NotHttp(_) | Self::Head(_) | Self::OnlyInterim(_) => {
                Exit::BadHandshake
            }
            Self::Closed { .. } | Self::Io(_) => Exit::Lost,
            Self::TimedOut { .. } => Exit::Timeout,
            Self::Signal(signal) => (*signal).into(),
            Self::Local(_) => Exit::Failure,
        }
    }
}

impl OpenError {
    /// The status with which a gateway answers its client (RFC 9110 §15.6, RFC 5842 §7.2).
    pub fn gateway_status(&self) -> u16 {
        match self {
            Self::Loop(_) => 508,
            error if error.exit() == Exit::Timeout => 504,
            _ => 502,
        }
    }

    /// The error of a transport between this side and a proxy.
    pub fn of_proxy(error: TransportError) -> Self {
        match error {
            TransportError::Tls(error) => Self::ProxyTls(error),
            TransportError::Io(error) => Self::Io(error),
        }
    }
}

impl From<TunnelError> for OpenError {
    fn from(error: TunnelError) -> Self {
        match error {
            TunnelError::Proxy(error) => Self::Proxy(error),
            TunnelError::Link(error) => Self::of_proxy(error),
        }
    }
}

impl From<ProxyRequestError> for OpenError {
    fn from(error: ProxyRequestError) -> Self {
        match error {
            ProxyRequestError::Resolve(error) => error.into(),
            ProxyRequestError::Proxy(error) => error.into(),
        }
    }
}

impl From<TransportError> for OpenError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Io(error) => Self::Io(error),
            TransportError::Tls(error) => Self::Tls(error),
        }
    }
}
