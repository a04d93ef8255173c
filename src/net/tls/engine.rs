//! The TLS libraries' objects behind one face: native-tls, and on Linux OpenSSL itself for a
//! server.
//!
//! native-tls's acceptor stops at TLS 1.2. Knows the in-memory stream and nothing of sockets.

use std::io::{self, Read, Write};

use native_tls::{HandshakeError, MidHandshakeTlsStream, TlsStream};
#[cfg(target_os = "linux")]
use openssl::ssl::{self, MidHandshakeSslStream, SslStream};

use super::memory::MemoryStream;

/// A stream whose handshake is done.
pub(super) enum Stream {
    Native(TlsStream<MemoryStream>),
    #[cfg(target_os = "linux")]
    Openssl(SslStream<MemoryStream>),
}

/// A handshake that needs more bytes.
pub(super) enum Middle {
    Native(MidHandshakeTlsStream<MemoryStream>),
    #[cfg(target_os = "linux")]
    Openssl(MidHandshakeSslStream<MemoryStream>),
}

/// How far a step of the handshake came.
pub(super) enum Step {
    Done(Stream),
    Wait(Middle),
    /// Failed, in the library's words.
    Failed(String),
}

impl Middle {
    pub(super) fn handshake(self) -> Step {
        match self {
            Self::Native(middle) => middle.handshake().into(),
            #[cfg(target_os = "linux")]
            Self::Openssl(middle) => middle.handshake().into(),
        }
    }
}

impl From<Result<TlsStream<MemoryStream>, HandshakeError<MemoryStream>>> for Step {
    fn from(step: Result<TlsStream<MemoryStream>, HandshakeError<MemoryStream>>) -> Self {
        match step {
            Ok(stream) => Self::Done(Stream::Native(stream)),
            Err(HandshakeError::WouldBlock(middle)) => Self::Wait(Middle::Native(middle)),
            Err(HandshakeError::Failure(error)) => Self::Failed(error.to_string()),
        }
    }
}

#[cfg(target_os = "linux")]
impl From<Result<SslStream<MemoryStream>, ssl::HandshakeError<MemoryStream>>> for Step {
    fn from(step: Result<SslStream<MemoryStream>, ssl::HandshakeError<MemoryStream>>) -> Self {
        match step {
            Ok(stream) => Self::Done(Stream::Openssl(stream)),
            Err(ssl::HandshakeError::WouldBlock(middle)) => Self::Wait(Middle::Openssl(middle)),
            Err(ssl::HandshakeError::Failure(middle)) => Self::Failed(middle.error().to_string()),
            Err(ssl::HandshakeError::SetupFailure(errors)) => Self::Failed(errors.to_string()),
        }
    }
}

impl Stream {
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

    /// Sends a close_notify. It fails only on a connection that is already broken.
    pub(super) fn shutdown(&mut self) {
        match self {
            Self::Native(stream) => drop(stream.shutdown()),
            #[cfg(target_os = "linux")]
            Self::Openssl(stream) => drop(stream.shutdown()),
        }
    }

    /// The peer's certificate in DER.
    pub(super) fn peer_certificate(&self) -> Option<Vec<u8>> {
        match self {
            Self::Native(stream) => stream.peer_certificate().ok().flatten()?.to_der().ok(),
            #[cfg(target_os = "linux")]
            Self::Openssl(stream) => stream.ssl().peer_certificate()?.to_der().ok(),
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
