//! TLS as a byte pipe: ciphertext on one side, plaintext on the other.
//!
//! The library works on an in-memory stream: the caller moves bytes and need not guess what the
//! library waits for, tests need no sockets, and wscope can read the ServerHello as it passes. This
//! module must not know the meaning of the plaintext, or the socket of the ciphertext.
//!
//! The only rule: after `handshake`, `read_plain`, `write_plain` and `close_notify`, send the data
//! of [`TlsPipe::write_tls`], because each of these calls can produce data (handshake, alerts, key
//! updates). When ciphertext has arrived, call [`TlsPipe::handshake`] until it is done, and after
//! that [`TlsPipe::read_plain`] until it is empty.

mod client;
mod engine;
mod error;
#[cfg(target_os = "linux")]
mod keys;
mod memory;
mod nested;
pub mod options;
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

pub use self::client::{TlsClient, may_lack_13};
use self::engine::{EngineStream, HandshakeFailure, HandshakeStep, PendingHandshake};
pub use self::error::{CertificateProblem, TlsError};
use self::memory::{MemoryStream, TapOn, Wire};
use self::options::Pin;
pub use self::options::TlsOptions;
pub use self::server::{ServerCertificate, ServerIdentity, TlsServer};
use crate::event::{CertificateFacts, TlsFacts};
use crate::net::certificate;
use crate::net::server_hello::HelloState;
use crate::wire::Role;

/// The pipe accepts plaintext as long as less ciphertext than this (in bytes) waits to be sent; the
/// last record may exceed it.
const OUTGOING_LIMIT: usize = 256 * 1024;
/// Above this, only the library's own answers can have filled the outgoing buffer, because the peer
/// makes requests and never reads. Then nothing more is read.
const OUTGOING_FLOOD: usize = 1024 * 1024;

/// One TLS connection without its socket.
pub struct TlsPipe {
    wire: Rc<RefCell<Wire>>,
    state: PipeState,
    /// The expected host in the certificate; empty on a server.
    host: String,
    verified: bool,
    facts: Option<TlsFacts>,
    /// The certificates of the peer, its own first, whatever the result of the handshake.
    certificates: Vec<CertificateFacts>,
    /// This side has sent a Certificate, which a client does only if the server requests it. In TLS
    /// 1.3, the request itself is encrypted.
    wants_certificate: bool,
    /// The peer's key must be one of these, if the list is not empty.
    pins: Vec<Pin>,
    /// The pipe around this one: see [`TlsPipe::inside`].
    outer: Option<Box<TlsPipe>>,
    /// How the peer's plaintext ended.
    end: Option<Result<Closure, TlsError>>,
}

/// The progress of the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// More ciphertext is needed.
    InProgress,
    /// Plaintext can be sent and received.
    Done,
}

/// The result of reading plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainRead {
    /// This many bytes.
    Data(usize),
    /// No data until more ciphertext arrives.
    Empty,
    /// The end: no more data will come.
    Closed(Closure),
}

/// How the peer ended its plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closure {
    /// With a close_notify alert: no data is missing (RFC 8446 §6.1).
    CloseNotify,
    /// The connection ended without one: bytes may be missing (W216).
    Truncated,
}

enum PipeState {
    Handshaking(PendingHandshake),
    Open(EngineStream),
    Failed(TlsError),
    /// During a step, the library's object is taken out; between two calls, never.
    Stepping,
}

impl TlsPipe {
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
            state: PipeState::Stepping,
            host: host.to_owned(),
            verified,
            facts: None,
            certificates: Vec::new(),
            wants_certificate: false,
            pins: Vec::new(),
            outer: None,
            end: None,
        }
    }

    fn stream(&self) -> MemoryStream {
        MemoryStream(Rc::clone(&self.wire))
    }

    /// Continues the handshake as far as the received ciphertext allows.
    ///
    /// # Errors
    ///
    /// The reason of the failure; every call returns it. An alert for the peer may still wait to be
    /// sent.
    pub fn handshake(&mut self) -> Result<Handshake, TlsError> {
        loop {
            let step = self.step();
            self.push_out();
            if step != Ok(Handshake::InProgress) || !self.pull_in()? {
                return step;
            }
        }
    }

    fn step(&mut self) -> Result<Handshake, TlsError> {
        match mem::replace(&mut self.state, PipeState::Stepping) {
            PipeState::Handshaking(middle) => self.settle(middle.handshake()),
            other => {
                let result = match &other {
                    PipeState::Failed(error) => Err(error.clone()),
                    PipeState::Open(_) => Ok(Handshake::Done),
                    PipeState::Handshaking(_) | PipeState::Stepping => Ok(Handshake::InProgress),
                };
                self.state = other;
                result
            }
        }
    }

    fn settle(&mut self, step: HandshakeStep) -> Result<Handshake, TlsError> {
        match step {
            HandshakeStep::Done(mut stream) => {
                let chain = stream.peer_certificates();
                self.note_certificates(&chain);
                self.facts = Some(self.collect_facts(&stream));
                self.wants_certificate = self.sent_certificate();
                if let Err(error) = self.check_pins(chain.first()) {
                    stream.shutdown();
                    self.state = PipeState::Failed(error.clone());
                    return Err(error);
                }
                self.state = PipeState::Open(stream);
                Ok(Handshake::Done)
            }
            HandshakeStep::Wait(middle) => {
                self.state = PipeState::Handshaking(middle);
                Ok(Handshake::InProgress)
            }
            HandshakeStep::Failed(HandshakeFailure { words, chain }) => {
                self.note_certificates(&chain);
                let error = self.explain_handshake_failure(&words);
                self.state = PipeState::Failed(error.clone());
                Err(error)
            }
        }
    }

    /// Skips certificates that can't be parsed. The library has already judged them.
    fn note_certificates(&mut self, chain: &[Vec<u8>]) {
        let facts = chain.iter().filter_map(|der| CertificateFacts::from_der(der).ok());
        self.certificates = facts.collect();
    }

    fn check_pins(&self, certificate: Option<&Vec<u8>>) -> Result<(), TlsError> {
        if self.pins.is_empty() {
            return Ok(());
        }
        let key = certificate.and_then(|der| certificate::public_key(der).ok());
        let found = key.map(|spki| Pin::of_key(&spki));
        match found {
            Some(pin) if self.pins.contains(&pin) => Ok(()),
            _ => Err(TlsError::Pinned {
                host: self.host.clone(),
                found: found.map(|pin| pin.to_string()).unwrap_or_default(),
            }),
        }
    }

    /// The certificates that the peer sent, its own first, even if they were refused. Only its own,
    /// if the library does not show the others.
    pub fn certificates(&self) -> &[CertificateFacts] {
        &self.certificates
    }

    /// Whether the server requested a client certificate.
    pub fn wants_certificate(&self) -> bool {
        self.wants_certificate || self.wire.borrow().tap.wants_certificate()
    }

    /// The agreement, once the handshake is done.
    pub fn facts(&self) -> Option<&TlsFacts> {
        self.facts.as_ref()
    }

    /// Whether there is room for ciphertext; if not, stop reading from the socket.
    pub fn wants_ciphertext(&self) -> bool {
        let wire = self.wire.borrow();
        let ended = self.end.is_some() || matches!(self.state, PipeState::Failed(_));
        if let Some(outer) = &self.outer {
            return !ended && outer.wants_ciphertext();
        }
        !ended && wire.incoming.has_room() && wire.outgoing.pending().len() < OUTGOING_FLOOD
    }

    /// Reads ciphertext once from `source` straight into the incoming buffer;
    /// 0 is its end, noted as by [`TlsPipe::feed_eof`].
    ///
    /// # Errors
    ///
    /// Those of `source`, and `WouldBlock` when the buffer is full.
    pub fn read_tls(&mut self, source: &mut impl Read) -> io::Result<usize> {
        match &mut self.outer {
            Some(outer) => outer.read_tls(source),
            None => self.wire.borrow_mut().receive(source),
        }
    }

    /// Takes ciphertext from a slice and returns how much: less than all when the
    /// buffer is full.
    pub fn feed_ciphertext(&mut self, mut bytes: &[u8]) -> usize {
        if let Some(outer) = &mut self.outer {
            return outer.feed_ciphertext(bytes);
        }
        let before = bytes.len();
        let mut wire = self.wire.borrow_mut();
        while !bytes.is_empty() && wire.receive(&mut bytes).is_ok() {}
        before - bytes.len()
    }

    /// Notes that no more ciphertext will come.
    pub fn feed_eof(&mut self) {
        match &mut self.outer {
            Some(outer) => outer.feed_eof(),
            None => self.wire.borrow_mut().incoming.set_eof(),
        }
    }

    /// How many bytes of ciphertext wait to be sent.
    pub fn pending_ciphertext(&self) -> usize {
        let own = self.wire.borrow().outgoing.pending().len();
        own + self.outer.as_ref().map_or(0, |outer| outer.pending_ciphertext())
    }

    /// Writes waiting ciphertext once to `sink` and returns how much was written.
    pub fn write_tls(&mut self, sink: &mut impl Write) -> io::Result<usize> {
        self.push_out();
        if let Some(outer) = &mut self.outer {
            return outer.write_tls(sink);
        }
        let mut wire = self.wire.borrow_mut();
        if wire.outgoing.pending().is_empty() {
            return Ok(0);
        }
        let sent = sink.write(wire.outgoing.pending())?;
        wire.outgoing.consume(sent);
        Ok(sent)
    }

    /// Decrypts as much as possible into `buf`: many records in one call.
    ///
    /// # Errors
    ///
    /// Why the connection failed, after the last good byte; every call returns it.
    pub fn read_plain(&mut self, buf: &mut [u8]) -> Result<PlainRead, TlsError> {
        loop {
            let read = self.decrypt(buf);
            self.push_out();
            if read != Ok(PlainRead::Empty) || !self.pull_in()? {
                return read;
            }
        }
    }

    fn decrypt(&mut self, buf: &mut [u8]) -> Result<PlainRead, TlsError> {
        let stream = match &mut self.state {
            PipeState::Open(stream) => stream,
            PipeState::Failed(error) => return Err(error.clone()),
            PipeState::Handshaking(_) | PipeState::Stepping => return Ok(PlainRead::Empty),
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

    /// Encrypts plaintext, and returns how much was accepted: less than all, or nothing, during the
    /// handshake, or if 256 KiB of ciphertext wait to be sent.
    pub fn write_plain(&mut self, plain: &[u8]) -> Result<usize, TlsError> {
        let taken = self.encrypt(plain);
        self.push_out();
        taken
    }

    fn encrypt(&mut self, plain: &[u8]) -> Result<usize, TlsError> {
        let stream = match &mut self.state {
            PipeState::Open(stream) => stream,
            PipeState::Failed(error) => return Err(error.clone()),
            PipeState::Handshaking(_) | PipeState::Stepping => return Ok(0),
        };
        let mut taken = 0;
        while taken < plain.len() && self.wire.borrow().outgoing.pending().len() < OUTGOING_LIMIT {
            match stream.write(&plain[taken..]) {
                Ok(0) => break,
                Ok(count) => taken += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // Data that was encrypted before can still be sent; the next call fails.
                Err(_) if taken > 0 => break,
                Err(error) => return Err(TlsError::from_stream_text(&error.to_string())),
            }
        }
        Ok(taken)
    }

    /// Ends our plaintext: RFC 8446 §6.1 "Each party MUST send a "close_notify" alert before
    /// closing its write side of the connection". Reading continues.
    pub fn close_notify(&mut self) {
        if let PipeState::Open(stream) = &mut self.state {
            stream.shutdown();
        }
        self.push_out();
        if let Some(outer) = &mut self.outer
            && self.wire.borrow().outgoing.pending().is_empty()
        {
            outer.close_notify();
        }
    }

    fn collect_facts(&self, stream: &EngineStream) -> TlsFacts {
        let hello = match self.wire.borrow().tap.state() {
            HelloState::ServerHello(hello) => Some(hello),
            HelloState::Nothing | HelloState::NotTls | HelloState::Unreadable => None,
        };
        let alpn = stream.alpn();
        // A server expects no name in the certificate.
        let peer = if self.host.is_empty() { Role::Client } else { Role::Server };
        TlsFacts {
            peer: Some(peer),
            version: hello.map(|hello| hello.version.to_string()),
            cipher: hello.map(|hello| hello.cipher_suite.to_string()),
            alpn: alpn.map(|name| String::from_utf8_lossy(&name).into_owned()),
            certificate: self.certificates.first().cloned(),
            chain: self.certificates.get(1..).unwrap_or_default().to_vec(),
            verified: self.verified,
            problem: stream.verify_problem(),
        }
    }

    /// Whether the last flight of a client's TLS 1.3 handshake, which waits to be sent, has another
    /// encrypted record besides that of Finished.
    fn sent_certificate(&self) -> bool {
        const ENCRYPTED: u8 = 23;
        let wire = self.wire.borrow();
        let mut rest = wire.outgoing.pending();
        let mut encrypted = 0;
        while let [kind, _, _, a, b, after @ ..] = rest {
            encrypted += usize::from(*kind == ENCRYPTED);
            rest = after.get(usize::from(u16::from_be_bytes([*a, *b]))..).unwrap_or_default();
        }
        !self.host.is_empty() && encrypted > 1
    }

    fn explain_handshake_failure(&self, words: &str) -> TlsError {
        let wire = self.wire.borrow();
        if wire.tap.state() == HelloState::NotTls {
            let first_bytes = wire.tap.first_bytes();
            return if looks_like_http(first_bytes) {
                TlsError::PlainHttp
            } else {
                TlsError::NotTls { first_bytes: first_bytes.to_vec() }
            };
        }
        let error = match wire.incoming.eof_met() {
            true => TlsError::ClosedDuringHandshake {
                answered: wire.incoming.has_begun() && wire.outgoing.has_begun(),
            },
            false => TlsError::from_handshake_text(words, &self.host),
        };
        match error {
            // TLS 1.2 has no better alert for this.
            TlsError::Alert { number }
                if wire.tap.wants_certificate() && number == HANDSHAKE_FAILURE =>
            {
                TlsError::CertificateWanted { how: "refused the handshake (alert 40)".to_owned() }
            }
            TlsError::ClosedDuringHandshake { .. } if wire.tap.wants_certificate() => {
                TlsError::CertificateWanted { how: "closed the connection".to_owned() }
            }
            error => error,
        }
    }
}

impl fmt::Debug for TlsPipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            PipeState::Handshaking(_) | PipeState::Stepping => "handshaking",
            PipeState::Open(_) => "open",
            PipeState::Failed(_) => "failed",
        };
        f.debug_struct("TlsPipe")
            .field("host", &self.host)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

/// The alert handshake_failure (RFC 8446 §6.2).
const HANDSHAKE_FAILURE: u8 = 40;

/// A status line, or a page without one, which some servers send if they take a request for
/// HTTP/0.9.
fn looks_like_http(first_bytes: &[u8]) -> bool {
    let starts = ["HTTP/", "<!DOCTYPE HTML", "<html"];
    starts.iter().any(|start| {
        first_bytes
            .get(..start.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(start.as_bytes()))
    })
}
