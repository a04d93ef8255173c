//! One interface to the objects of the TLS libraries: native-tls, and on Linux OpenSSL itself.
//!
//! On Linux, only tests use native-tls, as an independent peer. The engine knows the in-memory
//! stream, but no sockets.

use std::io::{self, Read, Write};

use native_tls::{HandshakeError, MidHandshakeTlsStream, TlsStream};
#[cfg(target_os = "linux")]
use openssl::ssl::{self, MidHandshakeSslStream, SslStream};
#[cfg(target_os = "linux")]
use openssl::x509::X509VerifyResult;

use super::memory::MemoryStream;

/// A stream whose handshake is done.
pub(super) enum EngineStream {
    Native(TlsStream<MemoryStream>),
    #[cfg(target_os = "linux")]
    Openssl(SslStream<MemoryStream>),
}

/// A handshake that needs more bytes.
pub(super) enum PendingHandshake {
    Native(MidHandshakeTlsStream<MemoryStream>),
    #[cfg(target_os = "linux")]
    Openssl(MidHandshakeSslStream<MemoryStream>),
}

/// The result of a step of the handshake.
pub(super) enum HandshakeStep {
    Done(EngineStream),
    Wait(PendingHandshake),
    Failed(HandshakeFailure),
}

/// A handshake that failed.
pub(super) struct HandshakeFailure {
    /// The library's error text.
    pub(super) words: String,
    /// The certificates that the peer sent, its own first, in DER.
    pub(super) chain: Vec<Vec<u8>>,
}

impl From<String> for HandshakeFailure {
    fn from(words: String) -> Self {
        Self { words, chain: Vec::new() }
    }
}

impl PendingHandshake {
    pub(super) fn handshake(self) -> HandshakeStep {
        match self {
            Self::Native(middle) => middle.handshake().into(),
            #[cfg(target_os = "linux")]
            Self::Openssl(middle) => middle.handshake().into(),
        }
    }
}

impl From<Result<TlsStream<MemoryStream>, HandshakeError<MemoryStream>>> for HandshakeStep {
    fn from(step: Result<TlsStream<MemoryStream>, HandshakeError<MemoryStream>>) -> Self {
        match step {
            Ok(stream) => Self::Done(EngineStream::Native(stream)),
            Err(HandshakeError::WouldBlock(middle)) => Self::Wait(PendingHandshake::Native(middle)),
            Err(HandshakeError::Failure(error)) => Self::Failed(error.to_string().into()),
        }
    }
}

#[cfg(target_os = "linux")]
impl From<Result<SslStream<MemoryStream>, ssl::HandshakeError<MemoryStream>>> for HandshakeStep {
    fn from(step: Result<SslStream<MemoryStream>, ssl::HandshakeError<MemoryStream>>) -> Self {
        match step {
            Ok(stream) => Self::Done(EngineStream::Openssl(stream)),
            Err(ssl::HandshakeError::WouldBlock(middle)) => {
                Self::Wait(PendingHandshake::Openssl(middle))
            }
            Err(ssl::HandshakeError::Failure(middle)) => {
                // The same text as from native-tls.
                let words = match problem(middle.ssl()) {
                    Some(problem) => format!("{} ({problem})", middle.error()),
                    None => middle.error().to_string(),
                };
                Self::Failed(HandshakeFailure { words, chain: chain(middle.ssl()) })
            }
            Err(ssl::HandshakeError::SetupFailure(errors)) => {
                Self::Failed(errors.to_string().into())
            }
        }
    }
}

impl EngineStream {
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Native(stream) => stream.read(buffer),
            #[cfg(target_os = "linux")]
            Self::Openssl(stream) => stream.read(buffer),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Native(stream) => stream.write(bytes),
            #[cfg(target_os = "linux")]
            Self::Openssl(stream) => stream.write(bytes),
        }
    }

    /// Sends a close_notify. It fails only on a connection that has already failed.
    pub(super) fn shutdown(&mut self) {
        match self {
            Self::Native(stream) => drop(stream.shutdown()),
            #[cfg(target_os = "linux")]
            Self::Openssl(stream) => drop(stream.shutdown()),
        }
    }

    /// The peer's certificates in DER: its own, then the others, if the library shows them. A
    /// server sees only the first.
    pub(super) fn peer_certificates(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Native(stream) => {
                let own = stream.peer_certificate().ok().flatten();
                own.and_then(|certificate| certificate.to_der().ok()).into_iter().collect()
            }
            #[cfg(target_os = "linux")]
            Self::Openssl(stream) if stream.ssl().is_server() => {
                let own = stream.ssl().peer_certificate();
                own.and_then(|certificate| certificate.to_der().ok()).into_iter().collect()
            }
            #[cfg(target_os = "linux")]
            Self::Openssl(stream) => chain(stream.ssl()),
        }
    }

    /// The errors of the verification, if they were ignored and the library shows them.
    pub(super) fn verify_problem(&self) -> Option<String> {
        match self {
            Self::Native(_) => None,
            #[cfg(target_os = "linux")]
            Self::Openssl(stream) => problem(stream.ssl()).map(str::to_owned),
        }
    }

    /// The protocol agreed by ALPN.
    pub(super) fn alpn(&self) -> Option<Vec<u8>> {
        match self {
            Self::Native(stream) => stream.negotiated_alpn().ok().flatten(),
            #[cfg(target_os = "linux")]
            Self::Openssl(stream) => stream.ssl().selected_alpn_protocol().map(<[u8]>::to_vec),
        }
    }
}

#[cfg(target_os = "linux")]
fn chain(ssl: &ssl::SslRef) -> Vec<Vec<u8>> {
    let sent = ssl.peer_cert_chain().into_iter().flatten();
    sent.filter_map(|certificate| certificate.to_der().ok()).collect()
}

#[cfg(target_os = "linux")]
fn problem(ssl: &ssl::SslRef) -> Option<&'static str> {
    match ssl.verify_result() {
        X509VerifyResult::OK => None,
        problem => Some(problem.error_string()),
    }
}
