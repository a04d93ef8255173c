//! native-tls's acceptor, for systems with their own TLS library: TLS 1.2, keys in PKCS#8.

use native_tls::{Identity, TlsAcceptor};

use crate::net::tls::engine::HandshakeStep;
use crate::net::tls::memory::MemoryStream;

pub(super) type Acceptor = TlsAcceptor;

/// The acceptor, and the certificate in DER.
type Loaded = Result<(Acceptor, Option<Vec<u8>>), String>;

pub(super) fn from_pem(chain: &[u8], key: &[u8], _passphrase: &str) -> Loaded {
    let certificate = native_tls::Certificate::from_pem(chain).and_then(|first| first.to_der());
    build(Identity::from_pkcs8(chain, key), certificate.ok())
}

pub(super) fn from_pkcs12(der: &[u8], passphrase: &str) -> Loaded {
    build(Identity::from_pkcs12(der, passphrase), None)
}

pub(super) fn accept(acceptor: &Acceptor, stream: MemoryStream) -> HandshakeStep {
    acceptor.accept(stream).into()
}

fn build(identity: native_tls::Result<Identity>, certificate: Option<Vec<u8>>) -> Loaded {
    let acceptor = identity.and_then(TlsAcceptor::new).map_err(|error| error.to_string())?;
    Ok((acceptor, certificate))
}
