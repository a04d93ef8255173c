//! OpenSSL's acceptor: TLS 1.2 and 1.3, keys in every PEM form.

use openssl::error::ErrorStack;
use openssl::ssl::{self, AlpnError, SslAcceptor, SslMethod, SslMode, SslSessionCacheMode};

use crate::net::tls::engine::HandshakeStep;
use crate::net::tls::keys::{Parts, words};
use crate::net::tls::memory::MemoryStream;

pub(super) type Acceptor = SslAcceptor;

/// The acceptor, and the certificate in DER.
type Loaded = Result<(Acceptor, Option<Vec<u8>>), String>;

/// The only protocol that the opening handshake of RFC 6455 can use, in ALPN's format (RFC 7301
/// §3.1).
const HTTP_1_1: &[u8] = b"\x08http/1.1";

pub(super) fn from_pem(chain: &[u8], key: &[u8], passphrase: &str) -> Loaded {
    build(Parts::from_pem(chain, key, passphrase)?).map_err(words)
}

pub(super) fn from_pkcs12(der: &[u8], passphrase: &str) -> Loaded {
    build(Parts::from_pkcs12(der, passphrase)?).map_err(words)
}

pub(super) fn accept(acceptor: &Acceptor, stream: MemoryStream) -> HandshakeStep {
    acceptor.accept(stream).into()
}

fn build(parts: Parts) -> Result<(Acceptor, Option<Vec<u8>>), ErrorStack> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    let der = parts.certificate.to_der().ok();
    parts.install(&mut builder)?;
    // A session cache would keep thousands of sessions; with tickets, the clients keep them.
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    // Then an idle connection has no buffers of 16 KiB for each direction.
    builder.set_mode(SslMode::RELEASE_BUFFERS);
    builder.set_alpn_select_callback(|_, offered| {
        // A client that offers only other protocols gets none, and fails if it requires one.
        ssl::select_next_proto(HTTP_1_1, offered)
            .filter(|chosen| *chosen == &HTTP_1_1[1..])
            .ok_or(AlpnError::NOACK)
    });
    Ok((builder.build(), der))
}
