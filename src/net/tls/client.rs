//! The client's side: options, the library set up with them, a connection begun.
//!
//! Reads the CA file; must not know sockets.

use std::fs;
use std::path::{Path, PathBuf};

use native_tls::{Certificate, TlsConnector};

use super::{TapOn, TlsError, TlsPipe};

/// How a client speaks TLS.
#[derive(Debug, Clone)]
pub struct TlsOptions {
    /// Accept any certificate for any name (`-k`).
    pub insecure: bool,
    /// A PEM file whose certificates are trusted besides the system's (`--cacert`).
    pub cacert: Option<PathBuf>,
    /// The name to ask for and to verify, instead of the host.
    pub sni: Option<String>,
    /// The application protocols offered (RFC 7301), best first; empty offers none.
    pub alpn: Vec<String>,
}

/// The library set up once, for any number of connections. Setting up reads the
/// system's trust store: some milliseconds, worth doing while a name resolves.
#[derive(Debug, Clone)]
pub struct TlsClient {
    connector: TlsConnector,
    verified: bool,
    sni: Option<String>,
}

impl Default for TlsOptions {
    /// Verifies, asks for the host, and offers `http/1.1`, the only protocol
    /// that the opening handshake of RFC 6455 can use.
    fn default() -> Self {
        Self { insecure: false, cacert: None, sni: None, alpn: vec!["http/1.1".to_owned()] }
    }
}

impl TlsClient {
    /// Sets up the library and reads the CA file.
    ///
    /// # Errors
    ///
    /// [`TlsError::CaFile`] and [`TlsError::Setup`].
    pub fn new(options: &TlsOptions) -> Result<Self, TlsError> {
        let mut builder = TlsConnector::builder();
        builder
            .danger_accept_invalid_certs(options.insecure)
            .danger_accept_invalid_hostnames(options.insecure)
            .request_alpns(&options.alpn.iter().map(String::as_str).collect::<Vec<_>>());
        if let Some(path) = &options.cacert {
            for certificate in read_ca_file(path)? {
                builder.add_root_certificate(certificate);
            }
        }
        let connector = builder.build().map_err(setup_error)?;
        Ok(Self { connector, verified: !options.insecure, sni: options.sni.clone() })
    }

    /// Begins a connection to `host`: the ClientHello is ready to be sent.
    ///
    /// # Errors
    ///
    /// What the library refuses at once, such as a host that no name can be.
    pub fn start(&self, host: &str) -> Result<TlsPipe, TlsError> {
        // RFC 6066 §3: "The hostname is represented as a byte string using ASCII
        // encoding without a trailing dot."
        let name = self.sni.as_deref().unwrap_or(host);
        let name = name.strip_suffix('.').unwrap_or(name);
        let mut pipe = TlsPipe::new(TapOn::Incoming, name, self.verified);
        let step = self.connector.connect(name, pipe.stream());
        pipe.settle(step.into()).map(|_| pipe)
    }
}

fn setup_error(error: native_tls::Error) -> TlsError {
    TlsError::Setup { reason: error.to_string() }
}

fn read_ca_file(path: &Path) -> Result<Vec<Certificate>, TlsError> {
    let fail = |reason: String| TlsError::CaFile { path: path.to_owned(), reason };
    let pem = fs::read(path).map_err(|error| fail(error.to_string()))?;
    let certificates =
        Certificate::stack_from_pem(&pem).map_err(|error| fail(error.to_string()))?;
    if certificates.is_empty() {
        return Err(fail("it holds no PEM certificate".to_owned()));
    }
    Ok(certificates)
}
