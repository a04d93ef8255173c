//! Why there is no open connection, in words, and the status to end with.

use std::io;

use crate::modes::exit::Exit;
use crate::net::dial::DialError;
use crate::net::link::{LinkError, plain_io};
use crate::net::resolve::ResolveError;
use crate::net::signals::Signal;
use crate::net::tls::TlsError;
use crate::ui::sanitize;
use crate::wire::handshake::headers::HeaderError;
use crate::wire::handshake::rules::Report;
use crate::wire::head::{Head, HeadError};

/// A handshake that did not lead to a connection.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The request as it was sent.
    pub request: Head,
    /// The response as it came.
    pub response: Head,
    /// Every rule's verdict.
    pub report: Report,
}

/// Why there is no open connection.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The request can't be written.
    #[error("{0}")]
    Request(#[from] HeaderError),
    /// The name.
    #[error("{error}")]
    Resolve {
        /// What the resolver says.
        #[from]
        error: ResolveError,
    },
    /// TCP.
    #[error("{0}")]
    Dial(#[from] DialError),
    /// TLS.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// Another status than 101.
    #[error("the server answered {status} instead of 101 switching protocols{body}")]
    Refused {
        /// The status line's code and reason, escaped.
        status: String,
        /// The status line, headers and body for stderr, if the transcript did not show them.
        body: String,
        /// What was asked, answered and judged.
        pair: Box<Pair>,
    },
    /// A 101 that can't be used.
    #[error("the server's 101 breaks the handshake's rules: {list}")]
    BadHandshake {
        /// The broken rules.
        list: String,
        /// What was asked, answered and judged.
        pair: Box<Pair>,
    },
    /// Not HTTP.
    #[error("the server's answer is not HTTP: {}", sanitize::escaped(.0))]
    NotHttp(Vec<u8>),
    /// An endless head.
    #[error("the server's response: {0}")]
    Head(HeadError),
    /// Interim responses without end.
    #[error("the server sent {0} interim (1xx) responses and no final one")]
    OnlyInterim(usize),
    /// The stream ended too early.
    #[error(
        "the server closed the connection before its response was complete, after {received} bytes"
    )]
    Closed {
        /// Bytes of the response that came.
        received: usize,
    },
    /// A deadline passed.
    #[error("timed out after {seconds} s: {what}")]
    TimedOut {
        /// The time given.
        seconds: f64,
        /// What was waited for.
        what: &'static str,
    },
    /// A signal came.
    #[error("interrupted")]
    Signal(Signal),
    /// The socket failed.
    #[error("the connection failed during the handshake: {}", plain_io(.0))]
    Io(io::Error),
    /// stdout, stderr or the system failed.
    #[error("{}", plain_io(.0))]
    Local(#[from] io::Error),
}

impl OpenError {
    /// The status to end with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Request(_) => Exit::Usage,
            Self::Resolve { error: ResolveError::TimedOut { .. } } => Exit::Timeout,
            Self::Resolve { .. } => Exit::Resolve,
            Self::Dial(error) if error.timed_out => Exit::Timeout,
            Self::Dial(_) => Exit::Connect,
            Self::Tls(_) => Exit::Tls,
            Self::Refused { .. } => Exit::Refused,
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

impl From<LinkError> for OpenError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Io(error) => Self::Io(error),
            LinkError::Tls(error) => Self::Tls(error),
        }
    }
}
