//! The client's side: the library set up with the options, then one pipe for each connection.
//!
//! It reads the files that the options name. It must not know sockets, or where a passphrase comes
//! from. On Linux the library is OpenSSL itself, because native-tls has no key log, accepts no
//! encrypted keys, and shows neither the chain nor the reason for not trusting it.

use std::fs;
use std::path::Path;

#[cfg(not(target_os = "linux"))]
use native as library;
#[cfg(target_os = "linux")]
use openssl as library;

use super::engine::HandshakeStep;
use super::options::{ClientIdentity, Pin, ServerName, TlsOptions};
use super::{TapOn, TlsError, TlsPipe};
use crate::event::CertificateFacts;
use crate::net::files::{self, FileOnce};
use crate::net::plain_io::plain_io;
use crate::net::secret::Secret;

#[cfg(not(target_os = "linux"))]
mod native;
#[cfg(target_os = "linux")]
mod openssl;
#[cfg(target_os = "linux")]
mod trust_store;

/// The library, set up once for any number of connections.
#[derive(Clone)]
pub struct TlsClient {
    connector: library::Connector,
    verified: bool,
    server_name: ServerName,
    pins: Vec<Pin>,
    shown: Option<CertificateFacts>,
}

impl TlsClient {
    /// Sets up the library and reads the files.
    ///
    /// # Errors
    ///
    /// [`TlsError::PassphraseNeeded`] if a key or archive is encrypted and there is no passphrase:
    /// ask for it, and try again. [`TlsError::CaFile`], [`TlsError::Identity`],
    /// [`TlsError::KeyLog`], [`TlsError::Unavailable`] and [`TlsError::Setup`].
    pub fn new(options: &TlsOptions) -> Result<Self, TlsError> {
        let mut roots = Vec::new();
        if let Some(file) = &options.cacert {
            roots.extend(read_ca_file(file)?);
        }
        if let Some(path) = &options.capath {
            roots.extend(read_ca_folder(path)?);
        }
        let identity = options.identity.as_ref().map(read_identity).transpose()?;
        let shown = identity.as_ref().and_then(library::shown);
        Ok(Self {
            connector: library::build(options, roots, identity)?,
            verified: !options.insecure,
            server_name: options.server_name.clone(),
            pins: options.pins.clone(),
            shown,
        })
    }

    /// The certificate that wscope shows to a server that requests one, if the library makes it
    /// available.
    pub fn shown(&self) -> Option<&CertificateFacts> {
        self.shown.as_ref()
    }

    /// Begins a connection to `host`: the ClientHello is ready to be sent.
    ///
    /// # Errors
    ///
    /// An error that the library reports at once, such as an invalid host name.
    pub fn start(&self, host: &str) -> Result<TlsPipe, TlsError> {
        let name = match &self.server_name {
            ServerName::Other(name) => name,
            ServerName::Host | ServerName::Unsent => host,
        };
        // RFC 6066 §3: "The hostname is represented as a byte string using ASCII
        // encoding without a trailing dot."
        let name = name.strip_suffix('.').unwrap_or(name);
        let mut pipe = TlsPipe::new(TapOn::Incoming, name, self.verified);
        pipe.pins.clone_from(&self.pins);
        let step: HandshakeStep = library::connect(&self.connector, name, pipe.stream())?;
        pipe.settle(step).map(|_| pipe)
    }
}

/// Whether the library may lack TLS 1.3: OpenSSL before 1.1.1, or that of another system.
pub fn may_lack_13() -> bool {
    #[cfg(target_os = "linux")]
    return ::openssl::version::number() < 0x1010_1000;
    #[cfg(not(target_os = "linux"))]
    true
}

#[cfg(test)]
impl TlsPipe {
    /// Begins a single connection to `host`.
    pub fn client(host: &str, options: &TlsOptions) -> Result<Self, TlsError> {
        TlsClient::new(options)?.start(host)
    }
}

impl std::fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsClient")
            .field("verified", &self.verified)
            .field("server_name", &self.server_name)
            .field("pins", &self.pins)
            .finish_non_exhaustive()
    }
}

fn ca_error(path: &Path, reason: String) -> TlsError {
    TlsError::CaFile { path: path.to_owned(), reason }
}

fn read_ca_file(file: &FileOnce) -> Result<Vec<library::Certificate>, TlsError> {
    let fail = |reason| ca_error(file.path(), reason);
    let pem = file.read().map_err(|error| fail(error.fault.to_string()))?;
    let certificates = library::certificates(pem).map_err(fail)?;
    if certificates.is_empty() {
        return Err(fail("it holds no PEM certificate".to_owned()));
    }
    Ok(certificates)
}

/// Every file of a folder that contains a certificate counts. OpenSSL's own method needs names made
/// of hashes, and ignores a folder without them.
fn read_ca_folder(path: &Path) -> Result<Vec<library::Certificate>, TlsError> {
    let fail = |error: std::io::Error| ca_error(path, plain_io(&error));
    let mut certificates = Vec::new();
    for entry in fs::read_dir(path).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        // Opening a FIFO would wait for a writer; the other files may be of another kind.
        if path.is_file()
            && let Ok(pem) = files::read_named(&path, files::MOST)
        {
            certificates.extend(library::certificates(&pem).unwrap_or_default());
        }
    }
    if certificates.is_empty() {
        return Err(ca_error(path, "no file in it holds a PEM certificate".to_owned()));
    }
    Ok(certificates)
}

fn read_identity(identity: &ClientIdentity) -> Result<library::Identity, TlsError> {
    let passphrase = identity.passphrase.read()?;
    let passphrase = passphrase.as_ref().map(Secret::reveal);
    let certificate = read(&identity.certificate)?;
    let is_pem = contains(certificate, "-----BEGIN ");
    let file = identity.key.as_ref().filter(|_| is_pem).unwrap_or(&identity.certificate);
    let loaded = if is_pem {
        let key = read(file)?;
        if is_encrypted(key) && passphrase.is_none() {
            return Err(TlsError::PassphraseNeeded { path: file.path().to_owned() });
        }
        library::from_pem(certificate, key, passphrase.unwrap_or_default())
    } else {
        library::from_pkcs12(certificate, passphrase.unwrap_or_default())
    };
    match loaded {
        // An archive nearly always has a passphrase. It shows this only by refusing an empty one.
        Err(reason)
            if !is_pem && passphrase.is_none() && library::BAD_PASSPHRASE.contains(&&*reason) =>
        {
            Err(TlsError::PassphraseNeeded { path: file.path().to_owned() })
        }
        Err(reason) if library::BAD_PASSPHRASE.iter().any(|text| reason.contains(text)) => {
            Err(TlsError::PassphraseWrong { path: file.path().to_owned() })
        }
        loaded => loaded.map_err(|reason| unusable(file, reason)),
    }
}

fn read(file: &FileOnce) -> Result<&[u8], TlsError> {
    file.read().map_err(|error| unusable(file, error.fault.to_string()))
}

fn unusable(file: &FileOnce, reason: String) -> TlsError {
    TlsError::Identity { path: file.path().to_owned(), reason }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

/// PKCS#8 says it in its first line, PKCS#1 and SEC1 in a header (RFC 1421 §4.6.1.1).
fn is_encrypted(pem: &[u8]) -> bool {
    contains(pem, "BEGIN ENCRYPTED PRIVATE KEY") || contains(pem, "Proc-Type: 4,ENCRYPTED")
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
