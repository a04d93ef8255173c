//! The server's side: certificate and key from files, or created at the start; then one pipe for
//! each client.
//!
//! It reads the files. It must not know sockets, or where a passphrase comes from.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::engine::HandshakeStep;
use super::options::Passphrase;
use super::{TapOn, TlsError, TlsPipe};
use crate::net::files;
use crate::net::secret::Secret;
#[cfg(not(target_os = "linux"))]
use native as library;
#[cfg(target_os = "linux")]
use openssl as library;

#[cfg(not(target_os = "linux"))]
mod native;
#[cfg(target_os = "linux")]
mod openssl;

/// The source of a server's certificate and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerIdentity {
    /// A certificate with its chain, and the key, in PEM. They may be in one file.
    Pem {
        /// The chain, the server's own certificate first.
        certificate: PathBuf,
        /// The key: PKCS#8, and PKCS#1 and SEC1 if the library accepts them.
        key: PathBuf,
    },
    /// A PKCS#12 archive with both.
    Pkcs12(PathBuf),
    /// A temporary certificate for these names and addresses.
    SelfSigned(Vec<String>),
}

/// The library, set up once for any number of connections.
pub struct TlsServer {
    acceptor: library::Acceptor,
    certificate: ServerCertificate,
}

/// The server's own certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerCertificate {
    /// The certificate in PEM, if it was created here.
    pub pem: Option<String>,
    /// The SHA-256 hash of its DER, in the notation of `openssl x509 -fingerprint -sha256`.
    pub fingerprint: String,
}

impl TlsServer {
    /// Reads or makes certificate and key.
    ///
    /// # Errors
    ///
    /// [`TlsError::Identity`] and [`TlsError::PassFile`] when a file can't be read or used,
    /// [`TlsError::Setup`] otherwise.
    pub fn new(identity: &ServerIdentity, passphrase: &Passphrase) -> Result<Self, TlsError> {
        let passphrase = passphrase.read()?;
        let passphrase = passphrase.as_ref().map_or("", Secret::reveal);
        let (loaded, pem) = match identity {
            ServerIdentity::Pem { certificate, key } => {
                let chain = read(certificate)?;
                let secret = if key == certificate { chain.clone() } else { read(key)? };
                let loaded = library::from_pem(&chain, &secret, passphrase);
                (loaded.map_err(|reason| unusable(key, reason))?, None)
            }
            ServerIdentity::Pkcs12(path) => {
                let loaded = library::from_pkcs12(&read(path)?, passphrase);
                (loaded.map_err(|reason| unusable(path, reason))?, None)
            }
            ServerIdentity::SelfSigned(names) => {
                let setup = |reason: String| TlsError::Setup { reason };
                let made = rcgen::generate_simple_self_signed(names.clone());
                let made = made.map_err(|error| setup(error.to_string()))?;
                let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
                let loaded = library::from_pem(pem.as_bytes(), key.as_bytes(), "");
                (loaded.map_err(setup)?, Some(pem))
            }
        };
        let (acceptor, der) = loaded;
        let fingerprint = der.map(|der| fingerprint(&der)).unwrap_or_default();
        Ok(Self { acceptor, certificate: ServerCertificate { pem, fingerprint } })
    }

    /// Takes a chain, the server's own certificate first, and its key.
    ///
    /// # Errors
    ///
    /// [`TlsError::Setup`]: the library refuses them.
    pub fn of_pem(chain: &str, key: &str) -> Result<Self, TlsError> {
        let loaded = library::from_pem(chain.as_bytes(), key.as_bytes(), "");
        let (acceptor, der) = loaded.map_err(|reason| TlsError::Setup { reason })?;
        let fingerprint = der.map(|der| fingerprint(&der)).unwrap_or_default();
        let certificate = ServerCertificate { pem: None, fingerprint };
        Ok(Self { acceptor, certificate })
    }

    /// The certificate that clients see.
    pub fn certificate(&self) -> &ServerCertificate {
        &self.certificate
    }

    /// Begins the server's side of a connection.
    ///
    /// # Errors
    ///
    /// An error that the library reports at once.
    pub fn accept(&self) -> Result<TlsPipe, TlsError> {
        let mut pipe = TlsPipe::new(TapOn::Outgoing, "", false);
        let step: HandshakeStep = library::accept(&self.acceptor, pipe.stream());
        pipe.settle(step).map(|_| pipe)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    files::read_named(path, files::MOST).map_err(|error| unusable(path, error.fault.to_string()))
}

fn unusable(path: &Path, reason: String) -> TlsError {
    TlsError::Identity { path: path.to_owned(), reason }
}

/// The hash as `AB:CD:…`, the notation of other programs.
fn fingerprint(der: &[u8]) -> String {
    let digest = Sha256::digest(der);
    let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}
