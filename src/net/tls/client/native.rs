//! native-tls's connector, for systems with their own TLS library: no key log; keys in PKCS#8
//! without a passphrase, or in PKCS#12.

use native_tls::{Protocol, TlsConnector};

use crate::event::CertificateFacts;
use crate::net::tls::TlsError;
use crate::net::tls::engine::HandshakeStep;
use crate::net::tls::memory::MemoryStream;
use crate::net::tls::options::{ServerName, TlsOptions, TlsVersion};

pub(super) type Certificate = native_tls::Certificate;
pub(super) type Identity = native_tls::Identity;
pub(super) type Connector = TlsConnector;

/// The systems have different texts for this; this one is macOS's.
pub(super) const BAD_PASSPHRASE: [&str; 1] =
    ["The user name or passphrase you entered is not correct."];

pub(super) fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, String> {
    Certificate::stack_from_pem(pem).map_err(|error| error.to_string())
}

pub(super) fn from_pem(chain: &[u8], key: &[u8], _passphrase: &str) -> Result<Identity, String> {
    Identity::from_pkcs8(chain, key)
        .map_err(|error| format!("{error}; on this system a PKCS#12 archive may do"))
}

pub(super) fn from_pkcs12(der: &[u8], passphrase: &str) -> Result<Identity, String> {
    Identity::from_pkcs12(der, passphrase).map_err(|error| error.to_string())
}

/// The library does not make it available.
pub(super) fn shown(_: &Identity) -> Option<CertificateFacts> {
    None
}

pub(super) fn build(
    options: &TlsOptions,
    roots: Vec<Certificate>,
    identity: Option<Identity>,
) -> Result<Connector, TlsError> {
    if options.key_log.is_some() {
        return Err(TlsError::Unavailable { option: "--tls-keylog" });
    }
    let mut builder = TlsConnector::builder();
    builder
        .danger_accept_invalid_certs(options.insecure)
        .danger_accept_invalid_hostnames(options.insecure)
        .use_sni(options.server_name != ServerName::Unsent)
        .min_protocol_version(Some(protocol(options.oldest())))
        .max_protocol_version(options.max.map(protocol))
        .request_alpns(&options.alpn.iter().map(String::as_str).collect::<Vec<_>>());
    for root in roots {
        builder.add_root_certificate(root);
    }
    if let Some(identity) = identity {
        builder.identity(identity);
    }
    builder.build().map_err(|error| TlsError::Setup { reason: error.to_string() })
}

pub(super) fn connect(
    connector: &Connector,
    name: &str,
    stream: MemoryStream,
) -> Result<HandshakeStep, TlsError> {
    Ok(connector.connect(name, stream).into())
}

fn protocol(version: TlsVersion) -> Protocol {
    match version {
        TlsVersion::V1_0 => Protocol::Tlsv10,
        TlsVersion::V1_1 => Protocol::Tlsv11,
        TlsVersion::V1_2 => Protocol::Tlsv12,
        TlsVersion::V1_3 => Protocol::Tlsv13,
    }
}
