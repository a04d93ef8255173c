//! A client's TLS options, as plain values.
//!
//! It must not know the TLS libraries. It reads only the file of a passphrase.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::TlsError;
use crate::net::files::FileOnce;
use crate::net::secret::Secret;

/// How a client uses TLS.
#[derive(Debug, Clone)]
pub struct TlsOptions {
    /// Accept any certificate for any name (`-k`). Pins are still checked.
    pub insecure: bool,
    /// A PEM file whose certificates are trusted besides the system's (`--cacert`).
    pub cacert: Option<FileOnce>,
    /// A folder of such files, with any names (`--capath`).
    pub capath: Option<PathBuf>,
    /// The client certificate for a server that requests one (`--cert`, `--key`).
    pub identity: Option<ClientIdentity>,
    /// The oldest version (`--tls-min`); by default TLS 1.2.
    pub min: Option<TlsVersion>,
    /// The newest version (`--tls-max`); by default the newest supported version.
    pub max: Option<TlsVersion>,
    /// The server name.
    pub server_name: ServerName,
    /// The offered application protocols (RFC 7301), in order of preference, each of 1 to 255
    /// bytes; an empty list sends no ALPN.
    pub alpn: Vec<String>,
    /// The server's key must be one of these (`--pinned-sha256`); an empty list accepts any key.
    pub pins: Vec<Pin>,
    /// The file to which the session keys are appended, for Wireshark (`--tls-keylog`,
    /// `SSLKEYLOGFILE`). Linux only.
    pub key_log: Option<PathBuf>,
    /// Where the trusted certificates of the system are. Linux only: native-tls reads the variables
    /// itself.
    pub system_trust: SystemTrust,
}

/// The variables with which OpenSSL is told where the trusted certificates are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemTrust {
    /// A file with all of them (`SSL_CERT_FILE`), in place of the one that OpenSSL was built for.
    pub file: Option<PathBuf>,
    /// Folders whose files are named after hashes (`SSL_CERT_DIR`, separated by colons), in place of
    /// the one that OpenSSL was built for.
    pub folders: Vec<PathBuf>,
}

/// The name in the ClientHello (RFC 6066 §3), which the certificate must prove.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ServerName {
    /// The name of the host.
    #[default]
    Host,
    /// Another name, which the certificate must prove instead (`--sni`).
    Other(String),
    /// No name is sent; the certificate must prove the host's name (`--no-sni`).
    Unsent,
}

/// Certificate and key of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// A PEM file with the certificate and its chain, or a PKCS#12 archive.
    pub certificate: FileOnce,
    /// The key, in PEM; without it, the key is in the file of the certificate.
    pub key: Option<FileOnce>,
    /// The passphrase of an encrypted key or archive.
    pub passphrase: Passphrase,
}

/// The source of a key's passphrase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Passphrase {
    /// Not given: ask for it if a key needs one.
    #[default]
    Unknown,
    /// Known.
    Given(Secret),
    /// On the first line of a file.
    File(FileOnce),
}

impl Passphrase {
    /// The passphrase; reads it from its file, if it is in a file. `None` if it is unknown.
    ///
    /// # Errors
    ///
    /// [`TlsError::PassFile`]: the file can't be read, or its first line can't be a passphrase. A
    /// passphrase can't contain a NUL, because OpenSSL's C strings end there and its binding would
    /// panic.
    pub(super) fn read(&self) -> Result<Option<Secret>, TlsError> {
        let file = match self {
            Self::Unknown => return Ok(None),
            Self::Given(secret) if secret.reveal().contains('\0') => {
                return Err(TlsError::Setup {
                    reason: "a passphrase must not contain NUL".to_owned(),
                });
            }
            Self::Given(secret) => return Ok(Some(secret.clone())),
            Self::File(file) => file,
        };
        let unusable = |reason| TlsError::PassFile { path: file.path().to_owned(), reason };
        let bytes = file.read().map_err(|error| unusable(error.fault.to_string()))?;
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = std::str::from_utf8(line)
            .map_err(|_| unusable("its first line is not UTF-8".to_owned()))?;
        match text.contains('\0') {
            true => Err(unusable("its first line has a NUL".to_owned())),
            false => Ok(Some(Secret::new(text))),
        }
    }
}

/// A version of TLS that an option can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// RFC 2246; deprecated by RFC 8996.
    V1_0,
    /// RFC 4346; deprecated by RFC 8996.
    V1_1,
    /// RFC 5246.
    V1_2,
    /// RFC 8446.
    V1_3,
}

/// SHA-256 over the DER of a certificate's SubjectPublicKeyInfo (as in RFC 7469 §2.4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pin([u8; 32]);

/// A text that is not a valid value. Each error says what to write.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TlsValueError {
    /// Not a version.
    #[error("{0:?} is not a TLS version; write 1.0, 1.1, 1.2 or 1.3")]
    Version(String),
    /// Not a hash.
    #[error("{0:?} is not a SHA-256 hash; write 64 hex digits, or base64 as in sha256//AAAA…=")]
    Pin(String),
    /// Not a protocol name.
    #[error("{0:?} is not an ALPN protocol name, which has 1 to 255 bytes")]
    Alpn(String),
}

impl Default for TlsOptions {
    /// Verifies the certificate for the host, and offers `http/1.1`, the only protocol that the
    /// opening handshake of RFC 6455 can use.
    fn default() -> Self {
        Self {
            insecure: false,
            cacert: None,
            capath: None,
            identity: None,
            min: None,
            max: None,
            server_name: ServerName::Host,
            alpn: vec!["http/1.1".to_owned()],
            pins: Vec::new(),
            key_log: None,
            system_trust: SystemTrust::default(),
        }
    }
}

impl TlsOptions {
    /// Whether the user gave roots besides the system's.
    pub fn has_own_roots(&self) -> bool {
        self.cacert.is_some() || self.capath.is_some()
    }

    /// The allowed versions, in words; `None` if no option limits them.
    pub fn range(&self) -> Option<String> {
        let words = |version: TlsVersion| format!("TLS 1.{}", version as u8);
        let at_most = self.max.map(|max| format!("--tls-max allows {} at most", words(max)));
        let at_least = self.min.map(|min| format!("--tls-min allows {} at least", words(min)));
        match (at_least, at_most) {
            (Some(least), Some(most)) => Some(format!("{least}, and {most}")),
            (least, most) => least.or(most),
        }
    }

    /// The oldest accepted version: TLS 1.2, or an older one if `max` requires it.
    pub fn oldest(&self) -> TlsVersion {
        let newest = self.max.unwrap_or(TlsVersion::V1_3);
        self.min.unwrap_or(TlsVersion::V1_2.min(newest))
    }
}

/// Parses a list like `h2,http/1.1`; an empty text offers nothing.
///
/// # Errors
///
/// [`TlsValueError::Alpn`].
pub fn parse_alpn(text: &str) -> Result<Vec<String>, TlsValueError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let check = |name: &str| match name.len() {
        1..=255 => Ok(name.to_owned()),
        _ => Err(TlsValueError::Alpn(name.to_owned())),
    };
    text.split(',').map(|name| check(name.trim())).collect()
}

impl FromStr for TlsVersion {
    type Err = TlsValueError;

    fn from_str(text: &str) -> Result<Self, TlsValueError> {
        Ok(match text {
            "1.0" | "1" => Self::V1_0,
            "1.1" => Self::V1_1,
            "1.2" => Self::V1_2,
            "1.3" => Self::V1_3,
            other => return Err(TlsValueError::Version(other.to_owned())),
        })
    }
}

impl Pin {
    /// The pin of a key, given as the DER of its SubjectPublicKeyInfo.
    pub fn of_key(spki: &[u8]) -> Self {
        Self(Sha256::digest(spki).into())
    }
}

impl FromStr for Pin {
    type Err = TlsValueError;

    /// Hex, with or without colons; base64; or curl's `sha256//BASE64`.
    fn from_str(text: &str) -> Result<Self, TlsValueError> {
        let bytes = match text.strip_prefix("sha256//") {
            Some(base64) => STANDARD.decode(base64).ok(),
            None => hex(text).or_else(|| STANDARD.decode(text).ok()),
        };
        let wrong = || TlsValueError::Pin(text.to_owned());
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or_else(wrong)
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    let value = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = digits.as_chunks::<2>();
    let pair = |[high, low]: &[u8; 2]| Some(value(*high)? << 4 | value(*low)?);
    pairs.iter().map(pair).collect::<Option<Vec<u8>>>().filter(|_| rest.is_empty())
}

/// In the notation of curl's `--pinnedpubkey`.
impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256//{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_in_three_forms() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let pin = Pin::of_key(b"");
        assert_eq!(hex.parse(), Ok(pin));
        assert_eq!(hex.to_uppercase().parse(), Ok(pin));
        assert_eq!(base64.parse(), Ok(pin));
        assert_eq!(pin.to_string(), format!("sha256//{base64}"));
        assert_eq!(pin.to_string().parse(), Ok(pin));
        let pairs: Vec<&str> = (0..32).map(|at| &hex[2 * at..2 * at + 2]).collect();
        assert_eq!(pairs.join(":").parse(), Ok(pin));
        for wrong in ["", "e3", &hex[1..], "sha256//", "sha256//AA==", "ü"] {
            assert_eq!(wrong.parse::<Pin>(), Err(TlsValueError::Pin(wrong.to_owned())));
        }
    }

    #[test]
    fn versions() {
        assert_eq!("1.0".parse(), Ok(TlsVersion::V1_0));
        assert_eq!("1.3".parse(), Ok(TlsVersion::V1_3));
        assert!("1.4".parse::<TlsVersion>().is_err() && "".parse::<TlsVersion>().is_err());
        let oldest = |min, max| TlsOptions { min, max, ..TlsOptions::default() }.oldest();
        assert_eq!(oldest(None, None), TlsVersion::V1_2);
        assert_eq!(oldest(None, Some(TlsVersion::V1_1)), TlsVersion::V1_1);
        assert_eq!(oldest(Some(TlsVersion::V1_0), None), TlsVersion::V1_0);
    }

    #[test]
    fn alpn_is_a_list() {
        assert_eq!(parse_alpn("h2, http/1.1"), Ok(vec!["h2".to_owned(), "http/1.1".to_owned()]));
        assert_eq!(parse_alpn(""), Ok(Vec::new()));
        assert!(parse_alpn("a,,b").is_err() && parse_alpn(&"x".repeat(256)).is_err());
    }

    #[test]
    fn a_passphrase_is_not_shown() {
        let passphrase = Passphrase::Given(Secret::new("word"));
        assert_eq!(format!("{passphrase:?}"), "Given((hidden))");
    }
}
