//! OpenSSL's acceptor: TLS 1.2 and 1.3, keys in every PEM form.

use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{self, AlpnError, SslAcceptor, SslMethod, SslMode, SslSessionCacheMode};
use openssl::x509::X509;

use crate::net::tls::engine::Step;
use crate::net::tls::memory::MemoryStream;

pub(super) type Acceptor = SslAcceptor;

/// The acceptor, and the certificate in DER.
type Loaded = Result<(Acceptor, Option<Vec<u8>>), String>;

/// The only protocol the opening handshake of RFC 6455 can use, as ALPN writes it (RFC 7301 §3.1).
const HTTP_1_1: &[u8] = b"\x08http/1.1";

pub(super) fn from_pem(chain: &[u8], key: &[u8], passphrase: &str) -> Loaded {
    let mut chain = X509::stack_from_pem(chain).map_err(words)?.into_iter();
    let certificate = chain.next().ok_or("there is no PEM certificate in it")?;
    // Without a passphrase the library would ask for one on the terminal.
    let key =
        PKey::private_key_from_pem_passphrase(key, passphrase.as_bytes()).map_err(|error| {
            match passphrase.is_empty() {
                true => "there is no PEM key in it that needs no passphrase".to_owned(),
                false => words(error),
            }
        })?;
    build(&key, &certificate, chain).map_err(words)
}

pub(super) fn from_pkcs12(der: &[u8], passphrase: &str) -> Loaded {
    let archive = Pkcs12::from_der(der).map_err(|_| "it is no PKCS#12 archive".to_owned())?;
    let parts = archive.parse2(passphrase).map_err(words)?;
    let (Some(key), Some(certificate)) = (parts.pkey, parts.cert) else {
        return Err("it holds no certificate with its key".to_owned());
    };
    build(&key, &certificate, parts.ca.into_iter().flatten()).map_err(words)
}

pub(super) fn accept(acceptor: &Acceptor, stream: MemoryStream) -> Step {
    acceptor.accept(stream).into()
}

fn build(
    key: &PKey<Private>,
    certificate: &X509,
    chain: impl Iterator<Item = X509>,
) -> Result<(Acceptor, Option<Vec<u8>>), ErrorStack> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_private_key(key)?;
    builder.set_certificate(certificate)?;
    chain.into_iter().try_for_each(|above| builder.add_extra_chain_cert(above))?;
    builder.check_private_key()?;
    // Sessions that clients may come back to would be kept by the thousand; tickets are theirs.
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    // An idle connection then holds no buffers of 16 KiB each way.
    builder.set_mode(SslMode::RELEASE_BUFFERS);
    builder.set_alpn_select_callback(|_, offered| {
        // A client that offers only others is told no protocol, and fails if it must have one.
        ssl::select_next_proto(HTTP_1_1, offered)
            .filter(|chosen| *chosen == &HTTP_1_1[1..])
            .ok_or(AlpnError::NOACK)
    });
    Ok((builder.build(), certificate.to_der().ok()))
}

/// The last of the library's reasons, which is the most general; the numbers before it help nobody.
fn words(error: ErrorStack) -> String {
    let reason = error.errors().iter().rev().find_map(|error| error.reason());
    reason.map_or_else(|| error.to_string(), str::to_lowercase)
}
