//! TLS as a byte pipe: ciphertext on one side, plaintext on the other.
//!
//! native-tls works on an in-memory stream, so the caller moves bytes and never
//! guesses what the library waits for; tests need no sockets, and the
//! ServerHello can be read in passing. Must not know what the plaintext means
//! or which socket the ciphertext goes to.
//!
//! The one rule: after `handshake`, `read_plain`, `write_plain` and
//! `close_notify`, send what [`TlsPipe::write_tls`] has, because each can make
//! the library speak (handshake, alerts, key updates). When ciphertext has come,
//! call [`TlsPipe::handshake`] until it is done, from then on
//! [`TlsPipe::read_plain`] until it is empty.

mod client;
mod engine;
mod error;
mod memory;
mod server;
#[cfg(all(test, target_os = "linux"))]
pub(crate) mod tests;

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Read, Write};
use std::mem;
use std::rc::Rc;

#[cfg(test)]
use native_tls::TlsAcceptor;

pub use self::client::{TlsClient, TlsOptions};
use self::engine::{Middle, Step, Stream};
pub use self::error::{CertificateProblem, TlsError};
use self::memory::{MemoryStream, TapOn, Wire};
pub use self::server::{Certificate, Identity, TlsServer};
use crate::event::{CertificateFacts, TlsFacts};
use crate::net::server_hello::Heard;

/// Plaintext is accepted while less ciphertext than this waits to be sent, in
/// bytes; the last record may go over it.
const OUTGOING_LIMIT: usize = 256 * 1024;
/// Above this only the library's own answers can have grown the outgoing
/// buffer, to a peer that asks and never reads: then nothing more is read.
const OUTGOING_FLOOD: usize = 1024 * 1024;

/// One TLS connection without its socket.
pub struct TlsPipe {
    wire: Rc<RefCell<Wire>>,
    state: State,
    /// Whose certificate is expected; empty on a server.
    host: String,
    verified: bool,
    facts: Option<TlsFacts>,
    /// How the plaintext from the peer ended.
    end: Option<Result<Closure, TlsError>>,
}

/// How far the handshake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// More ciphertext is needed.
    InProgress,
    /// Plaintext can flow.
    Done,
}

/// What reading plaintext gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainRead {
    /// So many bytes.
    Data(usize),
    /// None before more ciphertext comes.
    Empty,
    /// None ever again.
    Closed(Closure),
}

/// How the peer ended its plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closure {
    /// With a close_notify alert: nothing is missing (RFC 8446 §6.1).
    CloseNotify,
    /// The connection ended without one: bytes may be missing (W216).
    Truncated,
}

enum State {
    Handshaking(Middle),
    Open(Stream),
    Failed(TlsError),
    /// The library's object is out for a step; never so between two calls.
    Stepping,
}

impl TlsPipe {
    /// Begins a single connection to `host`; see [`TlsClient`] for several.
    ///
    /// # Errors
    ///
    /// Those of [`TlsClient::new`] and [`TlsClient::start`].
    pub fn client(host: &str, options: &TlsOptions) -> Result<Self, TlsError> {
        TlsClient::new(options)?.start(host)
    }

    /// The server's side with native-tls, an independent peer for tests; see [`TlsServer`].
    #[cfg(test)]
    pub fn server(acceptor: &TlsAcceptor) -> Result<Self, TlsError> {
        let mut pipe = Self::new(TapOn::Outgoing, "", false);
        let step = acceptor.accept(pipe.stream());
        pipe.settle(step.into()).map(|_| pipe)
    }

    fn new(tap_on: TapOn, host: &str, verified: bool) -> Self {
        Self {
            wire: Wire::shared(tap_on),
            state: State::Stepping,
            host: host.to_owned(),
            verified,
            facts: None,
            end: None,
        }
    }

    fn stream(&self) -> MemoryStream {
        MemoryStream(Rc::clone(&self.wire))
    }

    /// Takes the handshake as far as the ciphertext at hand goes.
    ///
    /// # Errors
    ///
    /// Why it failed, the same at each call. An alert for the peer may still
    /// wait to be sent.
    pub fn handshake(&mut self) -> Result<Handshake, TlsError> {
        match mem::replace(&mut self.state, State::Stepping) {
            State::Handshaking(middle) => self.settle(middle.handshake()),
            other => {
                let result = match &other {
                    State::Failed(error) => Err(error.clone()),
                    State::Open(_) => Ok(Handshake::Done),
                    State::Handshaking(_) | State::Stepping => Ok(Handshake::InProgress),
                };
                self.state = other;
                result
            }
        }
    }

    fn settle(&mut self, step: Step) -> Result<Handshake, TlsError> {
        match step {
            Step::Done(stream) => {
                self.facts = Some(self.collect_facts(&stream));
                self.state = State::Open(stream);
                Ok(Handshake::Done)
            }
            Step::Wait(middle) => {
                self.state = State::Handshaking(middle);
                Ok(Handshake::InProgress)
            }
            Step::Failed(words) => {
                let error = self.explain_handshake_failure(&words);
                self.state = State::Failed(error.clone());
                Err(error)
            }
        }
    }

    /// What was agreed on, once the handshake is done.
    pub fn facts(&self) -> Option<&TlsFacts> {
        self.facts.as_ref()
    }

    /// Whether ciphertext is welcome; if not, stop reading the socket.
    pub fn wants_ciphertext(&self) -> bool {
        let wire = self.wire.borrow();
        let ended = self.end.is_some() || matches!(self.state, State::Failed(_));
        !ended && wire.incoming.has_room() && wire.outgoing.pending().len() < OUTGOING_FLOOD
    }

    /// Reads ciphertext once from `source` straight into the incoming buffer;
    /// 0 is its end, noted as by [`TlsPipe::feed_eof`].
    ///
    /// # Errors
    ///
    /// Those of `source`, and `WouldBlock` when the buffer is full.
    pub fn read_tls(&mut self, source: &mut impl Read) -> io::Result<usize> {
        self.wire.borrow_mut().receive(source)
    }

    /// Takes ciphertext from a slice and says how much: less than all when the
    /// buffer is full.
    pub fn feed_ciphertext(&mut self, mut bytes: &[u8]) -> usize {
        let before = bytes.len();
        let mut wire = self.wire.borrow_mut();
        while !bytes.is_empty() && wire.receive(&mut bytes).is_ok() {}
        before - bytes.len()
    }

    /// Notes that no more ciphertext will come.
    pub fn feed_eof(&mut self) {
        self.wire.borrow_mut().incoming.set_eof();
    }

    /// How many bytes of ciphertext wait to be sent.
    pub fn pending_ciphertext(&self) -> usize {
        self.wire.borrow().outgoing.pending().len()
    }

    /// Writes waiting ciphertext once to `sink` and says how much went.
    ///
    /// # Errors
    ///
    /// Those of `sink`.
    pub fn write_tls(&mut self, sink: &mut impl Write) -> io::Result<usize> {
        let mut wire = self.wire.borrow_mut();
        if wire.outgoing.pending().is_empty() {
            return Ok(0);
        }
        let sent = sink.write(wire.outgoing.pending())?;
        wire.outgoing.consume(sent);
        Ok(sent)
    }

    /// Decrypts into `buf` as much as there is: many records in one call.
    ///
    /// # Errors
    ///
    /// Why the connection broke, after the last good byte; the same at each call.
    pub fn read_plain(&mut self, buf: &mut [u8]) -> Result<PlainRead, TlsError> {
        let stream = match &mut self.state {
            State::Open(stream) => stream,
            State::Failed(error) => return Err(error.clone()),
            State::Handshaking(_) | State::Stepping => return Ok(PlainRead::Empty),
        };
        let mut filled = 0;
        while filled < buf.len() && self.end.is_none() {
            match stream.read(&mut buf[filled..]) {
                Ok(0) => self.end = Some(Ok(Closure::CloseNotify)),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) if self.wire.borrow().incoming.eof_met() => {
                    self.end = Some(Ok(Closure::Truncated));
                }
                Err(error) => self.end = Some(Err(TlsError::from_stream_text(&error.to_string()))),
            }
        }
        match &self.end {
            _ if filled > 0 => Ok(PlainRead::Data(filled)),
            None => Ok(PlainRead::Empty),
            Some(Ok(closure)) => Ok(PlainRead::Closed(*closure)),
            Some(Err(error)) => Err(error.clone()),
        }
    }

    /// Encrypts plaintext and says how much was taken: less than all, even none,
    /// while the handshake lasts or 256 KiB of ciphertext wait to be sent.
    ///
    /// # Errors
    ///
    /// Why the connection broke.
    pub fn write_plain(&mut self, plain: &[u8]) -> Result<usize, TlsError> {
        let stream = match &mut self.state {
            State::Open(stream) => stream,
            State::Failed(error) => return Err(error.clone()),
            State::Handshaking(_) | State::Stepping => return Ok(0),
        };
        let mut taken = 0;
        while taken < plain.len() && self.wire.borrow().outgoing.pending().len() < OUTGOING_LIMIT {
            match stream.write(&plain[taken..]) {
                Ok(0) => break,
                Ok(count) => taken += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // What was encrypted before can still be sent; the next call fails.
                Err(_) if taken > 0 => break,
                Err(error) => return Err(TlsError::from_stream_text(&error.to_string())),
            }
        }
        Ok(taken)
    }

    /// Ends our plaintext: RFC 8446 §6.1 "Each party MUST send a "close_notify"
    /// alert before closing its write side of the connection". Reading goes on.
    pub fn close_notify(&mut self) {
        if let State::Open(stream) = &mut self.state {
            stream.shutdown();
        }
    }

    fn collect_facts(&self, stream: &Stream) -> TlsFacts {
        let hello = match self.wire.borrow().tap.heard() {
            Heard::ServerHello(hello) => Some(hello),
            Heard::Nothing | Heard::NotTls | Heard::Unreadable => None,
        };
        let certificate = stream.peer_certificate();
        let alpn = stream.alpn();
        TlsFacts {
            version: hello.map(|hello| hello.version.to_string()),
            cipher: hello.map(|hello| hello.cipher_suite.to_string()),
            alpn: alpn.map(|name| String::from_utf8_lossy(&name).into_owned()),
            certificate: certificate.and_then(|der| CertificateFacts::from_der(&der).ok()),
            verified: self.verified,
        }
    }

    fn explain_handshake_failure(&self, words: &str) -> TlsError {
        let wire = self.wire.borrow();
        if wire.tap.heard() == Heard::NotTls {
            let first_bytes = wire.tap.first_bytes();
            return if looks_like_http(first_bytes) {
                TlsError::PlainHttp
            } else {
                TlsError::NotTls { first_bytes: first_bytes.to_vec() }
            };
        }
        if wire.incoming.eof_met() {
            return TlsError::ClosedDuringHandshake { answered: wire.incoming.has_begun() };
        }
        TlsError::from_handshake_text(words, &self.host)
    }
}

impl fmt::Debug for TlsPipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Handshaking(_) | State::Stepping => "handshaking",
            State::Open(_) => "open",
            State::Failed(_) => "failed",
        };
        f.debug_struct("TlsPipe")
            .field("host", &self.host)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

/// A status line, or the page alone that some servers send for a request they
/// take for HTTP/0.9.
fn looks_like_http(first_bytes: &[u8]) -> bool {
    let starts = ["HTTP/", "<!DOCTYPE HTML", "<html"];
    starts.iter().any(|start| {
        first_bytes
            .get(..start.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(start.as_bytes()))
    })
}
