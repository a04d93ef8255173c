//! OpenSSL's context: every version, every form of key, the key log.

use std::fs::File;
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use openssl::error::ErrorStack;
use openssl::ssl::{
    Ssl, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslVerifyMode, SslVersion,
};
use openssl::x509::X509;
use openssl::x509::verify::X509CheckFlags;

use super::trust_store::trust_the_system;
use crate::event::CertificateFacts;
use crate::net::plain_io::plain_io;
use crate::net::tls::TlsError;
use crate::net::tls::engine::HandshakeStep;
use crate::net::tls::keys::{Parts, words};
use crate::net::tls::memory::MemoryStream;
use crate::net::tls::options::{ServerName, SystemTrust, TlsOptions, TlsVersion};

pub(super) type Certificate = X509;
pub(super) type Identity = Parts;

/// OpenSSL's texts for a wrong passphrase: of a PKCS#12 archive, of a key.
pub(super) const BAD_PASSPHRASE: [&str; 3] =
    ["mac verify failure", "pkcs12 cipherfinal error", "bad decrypt"];

#[derive(Clone)]
pub(super) struct Connector {
    context: SslContext,
    verify: bool,
    send_name: bool,
}

pub(super) fn certificates(pem: &[u8]) -> Result<Vec<X509>, String> {
    X509::stack_from_pem(pem).map_err(words)
}

pub(super) fn from_pem(chain: &[u8], key: &[u8], passphrase: &str) -> Result<Parts, String> {
    Parts::from_pem(chain, key, passphrase)
}

pub(super) fn from_pkcs12(der: &[u8], passphrase: &str) -> Result<Parts, String> {
    Parts::from_pkcs12(der, passphrase)
}

pub(super) fn shown(identity: &Parts) -> Option<CertificateFacts> {
    CertificateFacts::from_der(&identity.certificate.to_der().ok()?).ok()
}

pub(super) fn build(
    options: &TlsOptions,
    roots: Vec<X509>,
    identity: Option<Parts>,
) -> Result<Connector, TlsError> {
    let setup = |error: ErrorStack| TlsError::Setup { reason: words(error) };
    let mut builder = context(&options.system_trust).map_err(setup)?;
    configure(&mut builder, options, roots).map_err(setup)?;
    if let (Some(parts), Some(asked)) = (identity, &options.identity) {
        parts.install(&mut builder).map_err(|error| TlsError::Identity {
            path: asked.key.as_ref().unwrap_or(&asked.certificate).path().to_owned(),
            reason: words(error),
        })?;
    }
    if let Some(path) = &options.key_log {
        log_keys(&mut builder, path)?;
    }
    Ok(Connector {
        context: builder.build(),
        verify: !options.insecure,
        send_name: options.server_name != ServerName::Unsent,
    })
}

pub(super) fn connect(
    connector: &Connector,
    name: &str,
    stream: MemoryStream,
) -> Result<HandshakeStep, TlsError> {
    let ssl = session(connector, name);
    let ssl = ssl.map_err(|error| TlsError::Setup { reason: words(error) })?;
    Ok(ssl.connect(stream).into())
}

fn session(connector: &Connector, name: &str) -> Result<Ssl, ErrorStack> {
    let mut ssl = Ssl::new(&connector.context)?;
    let address: Option<IpAddr> = name.parse().ok();
    // RFC 6066 §3: "Literal IPv4 and IPv6 addresses are not permitted in \"HostName\"."
    if connector.send_name && address.is_none() {
        ssl.set_hostname(name)?;
    }
    // RFC 9525 §2: as in browsers, a name in the subject does not count.
    let flags = X509CheckFlags::NO_PARTIAL_WILDCARDS | X509CheckFlags::NEVER_CHECK_SUBJECT;
    let checks = ssl.param_mut();
    checks.set_hostflags(flags);
    match address {
        Some(address) => checks.set_ip(address)?,
        None => checks.set_host(name)?,
    }
    if !connector.verify {
        // The name is still checked, so that wscope can report a certificate that it would
        // otherwise refuse.
        ssl.set_verify(SslVerifyMode::NONE);
    }
    Ok(ssl)
}

/// A context like that of [`openssl::ssl::SslConnector`], which would always read the whole bundle of
/// the system's certificates.
fn context(trust: &SystemTrust) -> Result<SslContextBuilder, ErrorStack> {
    let mut builder = SslContextBuilder::new(SslMethod::tls_client())?;
    builder.set_options(SslOptions::ALL | SslOptions::NO_COMPRESSION);
    builder.clear_options(SslOptions::DONT_INSERT_EMPTY_FRAGMENTS);
    builder.set_mode(
        SslMode::AUTO_RETRY
            | SslMode::ACCEPT_MOVING_WRITE_BUFFER
            | SslMode::ENABLE_PARTIAL_WRITE
            | SslMode::RELEASE_BUFFERS,
    );
    builder.set_cipher_list(
        "DEFAULT:!aNULL:!eNULL:!MD5:!3DES:!DES:!RC4:!IDEA:!SEED:!aDSS:!SRP:!PSK",
    )?;
    builder.set_verify(SslVerifyMode::PEER);
    trust_the_system(&mut builder, trust);
    Ok(builder)
}

fn configure(
    builder: &mut SslContextBuilder,
    options: &TlsOptions,
    roots: Vec<X509>,
) -> Result<(), ErrorStack> {
    for root in roots {
        builder.cert_store_mut().add_cert(root)?;
    }
    let oldest = options.oldest();
    if oldest < TlsVersion::V1_2 {
        // TLS 1.0 and 1.1 need SHA-1 in their handshake, which the default level forbids.
        builder.set_security_level(0);
    }
    builder.set_min_proto_version(Some(version(oldest)))?;
    builder.set_max_proto_version(options.max.map(version))?;
    if !options.alpn.is_empty() {
        builder.set_alpn_protos(&alpn(&options.alpn))?;
    }
    Ok(())
}

fn version(version: TlsVersion) -> SslVersion {
    match version {
        TlsVersion::V1_0 => SslVersion::TLS1,
        TlsVersion::V1_1 => SslVersion::TLS1_1,
        TlsVersion::V1_2 => SslVersion::TLS1_2,
        TlsVersion::V1_3 => SslVersion::TLS1_3,
    }
}

/// RFC 7301 §3.1: each name with its length before it.
fn alpn(names: &[String]) -> Vec<u8> {
    let mut list = Vec::new();
    for name in names {
        // The names were checked; a longer one would be cut here.
        let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
        list.push(length);
        list.extend(name.bytes().take(length.into()));
    }
    list
}

/// Appends a line for each secret, as the draft "The SSLKEYLOGFILE Format for TLS" describes.
fn log_keys(builder: &mut SslContextBuilder, path: &Path) -> Result<(), TlsError> {
    let opened = File::options().append(true).create(true).mode(0o600).open(path);
    let file = opened
        .map_err(|error| TlsError::KeyLog { path: path.to_owned(), reason: plain_io(&error) })?;
    builder.set_keylog_callback(move |_, line| {
        // A single write, so that lines of several programs do not mix. A full disk must not end
        // the connection.
        let _ = (&file).write_all(format!("{line}\n").as_bytes());
    });
    Ok(())
}
