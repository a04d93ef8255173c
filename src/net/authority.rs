//! wscope's own certificate authority, for decrypting TLS: created at its first use and kept in a
//! folder. It issues a certificate for each host.
//!
//! It owns the files. It must not know where the folder is, or who connects. The key never leaves
//! its file, which only its owner can read.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _, SanType, SerialNumber, date_time_ymd,
};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use super::files;
use super::plain_io::plain_io;
use super::random;
use super::tls::{TlsError, TlsServer};
use crate::wire::hex;

/// The file of the key and the certificate; only its owner can read it.
const SECRET: &str = "wscope-ca-key.pem";

/// The file of the certificate; everyone may read it.
const PUBLIC: &str = "wscope-ca.pem";

const DAY: u64 = 24 * 60 * 60;

/// Certificates are backdated, because the clocks of other machines may be slow.
const BACK: u64 = 2 * DAY;

/// The lifetime of the authority: ten years.
const LIFE: u64 = 3650 * DAY;

/// The lifetime of a host's certificate. Browsers refuse long lifetimes: from March 2026 on, more
/// than 200 days (CA/Browser Forum, Baseline Requirements §6.3.2).
const LEAF_LIFE: u64 = 199 * DAY;

/// After this time, a certificate is replaced.
const LEAF_USE: Duration = Duration::from_secs(30 * DAY);

/// The number of hosts whose certificates are kept.
const KEPT: usize = 256;

/// The longest common name (RFC 5280, upper bound ub-common-name).
const COMMON_NAME: usize = 64;

/// Why there is no authority.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// A file or folder can't be used.
    #[error("the certificate authority: {}: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        reason: String,
    },
    /// The content of the file is not our authority.
    #[error("the certificate authority in {} can't be used: {reason}; `wscope ca renew` makes a new one", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// A certificate authority.
pub struct Authority {
    folder: PathBuf,
    /// Whether it was created just now.
    is_new: bool,
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: Vec<u8>,
    /// All hosts share it.
    leaf_key: KeyPair,
    made: HashMap<String, (Rc<TlsServer>, Instant)>,
}

impl Authority {
    /// Opens the authority of a folder, or creates it.
    ///
    /// # Errors
    ///
    /// A file can't be read or written, or is damaged.
    pub fn open(folder: &Path) -> Result<Self, AuthorityError> {
        let path = folder.join(SECRET);
        let is_new = !path.exists();
        if is_new {
            // Another process may have created one first: then that one is used.
            write_new(folder, &make(&path)?, false)?;
        }
        let mode = fs::metadata(&path).map(|file| file.permissions().mode());
        if mode.is_ok_and(|mode| mode & 0o077 != 0) {
            let private = fs::set_permissions(&path, fs::Permissions::from_mode(0o600));
            private.map_err(|error| failed(&path, &error))?;
        }
        let read = files::read_named(&path, files::MOST);
        let bytes = read.map_err(|error| AuthorityError::File {
            path: path.clone(),
            reason: error.fault.to_string(),
        })?;
        let text = String::from_utf8_lossy(&bytes);
        let read = Self::read(folder, &text)
            .map_err(|reason| AuthorityError::Unusable { path, reason })?;
        let public = folder.join(PUBLIC);
        let there = files::read_named(&public, files::MOST);
        if there.ok().as_deref() != Some(read.pem.as_bytes()) {
            fs::write(&public, &read.pem).map_err(|error| failed(&public, &error))?;
        }
        Ok(Self { is_new, ..read })
    }

    /// Replaces the authority with a new one.
    ///
    /// # Errors
    ///
    /// A file can't be written.
    pub fn renew(folder: &Path) -> Result<Self, AuthorityError> {
        write_new(folder, &make(&folder.join(SECRET))?, true)?;
        Self::open(folder)
    }

    fn read(folder: &Path, text: &str) -> Result<Self, String> {
        let at = text.find("-----BEGIN CERTIFICATE-----").ok_or("it has no certificate")?;
        let key = KeyPair::from_pem(&text[..at]).map_err(|_| "it has no key")?;
        let pem = text[at..].to_owned();
        let der = der_of(&pem).ok_or("its certificate can't be read")?;
        let certificate = Certificate::from_der(&der).map_err(|error| error.to_string())?;
        let facts = certificate.tbs_certificate();
        let public = super::certificate::public_key(&der).map_err(|error| error.to_string())?;
        if public != key.subject_public_key_info() {
            return Err("its key belongs to another certificate".to_owned());
        }
        if facts.validity().not_after.to_unix_duration().as_secs() < now() {
            return Err("it has expired".to_owned());
        }
        let params = params(&key);
        if facts.subject().to_string() != subject(&key) {
            return Err("it was not made by wscope".to_owned());
        }
        let issuer = Issuer::new(params, key);
        let leaf_key = KeyPair::generate().map_err(|error| error.to_string())?;
        let (folder, made) = (folder.to_owned(), HashMap::new());
        Ok(Self { folder, is_new: false, issuer, pem, der, leaf_key, made })
    }

    /// Whether it was created just now.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The file of its certificate.
    pub fn path(&self) -> PathBuf {
        self.folder.join(PUBLIC)
    }

    /// Its certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The SHA-256 hash of its public key, in base64; Chromium takes it as an option.
    pub fn spki(&self) -> String {
        BASE64_STANDARD.encode(Sha256::digest(self.issuer.key().subject_public_key_info()))
    }

    /// Writes the system's trusted certificates and its own certificate into one file.
    ///
    /// # Errors
    ///
    /// The file can't be written.
    pub fn write_bundle(&self, path: &Path) -> Result<usize, AuthorityError> {
        let roots = system_roots();
        let text: String = roots.iter().map(String::as_str).chain([self.pem.as_str()]).collect();
        fs::write(path, text).map_err(|error| failed(path, &error))?;
        Ok(roots.len())
    }

    /// Writes the bundle next to its own files, and returns the path.
    ///
    /// # Errors
    ///
    /// The file can't be written.
    pub fn bundle(&self) -> Result<PathBuf, AuthorityError> {
        let path = self.folder.join("bundle.pem");
        // Written to another file first, because a program may be reading the bundle.
        let new = path.with_extension(format!("{}.new", std::process::id()));
        self.write_bundle(&new)?;
        fs::rename(&new, &path).map_err(|error| failed(&path, &error))?;
        Ok(path)
    }

    /// The server's side of TLS for a host: a name, or an IP address without brackets.
    ///
    /// # Errors
    ///
    /// The TLS library refuses.
    pub fn server(&mut self, host: &str) -> Result<Rc<TlsServer>, TlsError> {
        if let Some((server, made)) = self.made.get(host)
            && made.elapsed() < LEAF_USE
        {
            return Ok(Rc::clone(server));
        }
        let leaf =
            self.leaf(host).map_err(|error| TlsError::Setup { reason: error.to_string() })?;
        // Clients trust the authority, but some look for its certificate in the sent chain.
        let chain = format!("{leaf}{}", self.pem);
        let server = Rc::new(TlsServer::of_pem(&chain, &self.leaf_key.serialize_pem())?);
        if self.made.len() >= KEPT {
            self.made.clear();
        }
        self.made.insert(host.to_owned(), (Rc::clone(&server), Instant::now()));
        Ok(server)
    }

    fn leaf(&self, host: &str) -> Result<String, rcgen::Error> {
        let mut params = CertificateParams::default();
        let common = if host.len() <= COMMON_NAME { host } else { "wscope" };
        params.distinguished_name.push(DnType::CommonName, common);
        params.subject_alt_names = vec![match host.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(host.try_into()?),
        }];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        // By default, the serial number is the hash of the key, which all hosts share.
        params.serial_number = Some(serial());
        set_validity(&mut params, LEAF_LIFE);
        Ok(params.signed_by(&self.leaf_key, &self.issuer)?.pem())
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Creates the key and the certificate of a new authority.
fn make(path: &Path) -> Result<String, AuthorityError> {
    let fail = |error: rcgen::Error| AuthorityError::Unusable {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let key = KeyPair::generate().map_err(fail)?;
    let mut params = params(&key);
    params.serial_number = Some(serial());
    set_validity(&mut params, LIFE);
    let certificate = params.self_signed(&key).map_err(fail)?;
    Ok(format!("{}{}", key.serialize_pem(), certificate.pem()))
}

/// The parameters that the certificate and the issuer have in common, so that the issuer can be
/// built again from the key alone.
fn params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "wscope");
    params.distinguished_name.push(DnType::CommonName, common_name(key));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// A different name for each key, so that users can distinguish old authorities in a list.
fn common_name(key: &KeyPair) -> String {
    let digest = Sha256::digest(key.subject_public_key_info());
    format!("wscope proxy CA {}", hex(&digest[..4]))
}

/// The subject in the text form of X.509, with the last part first.
fn subject(key: &KeyPair) -> String {
    format!("CN={},O=wscope", common_name(key))
}

fn serial() -> SerialNumber {
    let mut serial = random::nonce();
    // RFC 5280 §4.1.2.2: positive.
    serial[0] = serial[0] & 0x7f | 1;
    SerialNumber::from_slice(&serial)
}

fn now() -> u64 {
    u64::try_from(super::clock::wall_micros()).unwrap_or(0) / 1_000_000
}

/// Makes a certificate valid for this many seconds, beginning two days ago.
fn set_validity(params: &mut CertificateParams, life: u64) {
    let from = now().saturating_sub(BACK);
    let at = |seconds| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
    (params.not_before, params.not_after) = (at(from), at(from + life));
}

fn failed(path: &Path, error: &io::Error) -> AuthorityError {
    AuthorityError::File { path: path.to_owned(), reason: plain_io(error) }
}

/// Writes the secret file atomically. An existing file stays, unless `replace` is true.
fn write_new(folder: &Path, text: &str, replace: bool) -> Result<(), AuthorityError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| failed(folder, &error))?;
    let (path, new) = (folder.join(SECRET), folder.join(format!(".{}.new", std::process::id())));
    let open = || OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new);
    let written = open().and_then(|mut file: File| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let placed = written.and_then(|()| match replace {
        true => fs::rename(&new, &path),
        false => fs::hard_link(&new, &path),
    });
    let _ = fs::remove_file(&new);
    match placed {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(&path, &error)),
        _ => Ok(()),
    }
}

/// The first certificate of a PEM text, in DER.
fn der_of(pem: &str) -> Option<Vec<u8>> {
    let body = pem.split("-----BEGIN CERTIFICATE-----").nth(1)?.split("-----END").next()?;
    let base64: String = body.split_ascii_whitespace().collect();
    BASE64_STANDARD.decode(base64).ok()
}

/// The certificates that the system trusts, each in PEM.
fn system_roots() -> Vec<String> {
    let mut found = Vec::new();
    for path in trust_files() {
        let Ok(bytes) = files::read_named(&path, files::MOST) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        for part in text.split("-----BEGIN CERTIFICATE-----").skip(1) {
            let Some((body, _)) = part.split_once("-----END CERTIFICATE-----") else { continue };
            let lines: Vec<&str> = body.split_whitespace().collect();
            let pem = format!(
                "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
                lines.join("\n")
            );
            if !found.contains(&pem) {
                found.push(pem);
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    found
}

/// The files of the system's trusted certificates, the most likely first.
fn trust_files() -> Vec<PathBuf> {
    let usual = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
        "/opt/homebrew/etc/ca-certificates/cert.pem",
    ];
    usual.iter().map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::CertificateFacts;

    #[test]
    fn it_is_made_once_and_its_key_is_its_owners() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("a/ca");
        let first = Authority::open(&folder).expect("made");
        let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
        assert!(first.is_new() && mode(&folder) == 0o700);
        assert_eq!(mode(&folder.join(SECRET)), 0o600);
        assert!(!fs::read_to_string(first.path()).expect("there").contains("PRIVATE"));
        let again = Authority::open(&folder).expect("read");
        assert!(!again.is_new() && again.spki() == first.spki() && again.pem() == first.pem());
        let new = Authority::renew(&folder).expect("made");
        assert_ne!(new.spki(), first.spki());
        assert_eq!(fs::read_to_string(new.path()).expect("there"), new.pem());
        assert_eq!(fs::read_dir(&folder).expect("there").count(), 2);
    }

    #[test]
    fn a_damaged_file_is_an_error_with_a_cure() {
        let folder = tempfile::tempdir().expect("a folder");
        Authority::open(folder.path()).expect("made");
        let path = folder.path().join(SECRET);
        let good = fs::read_to_string(&path).expect("there");
        let other = make(&path).expect("made");
        let at = |text: &str| text.find("-----BEGIN CERT").expect("one");
        let mixed = format!("{}{}", &good[..at(&good)], &other[at(&other)..]);
        for text in ["", "x", &good[..at(&good)], &good[at(&good)..], &mixed] {
            fs::write(&path, text).expect("written");
            let error = Authority::open(folder.path()).expect_err("damaged").to_string();
            assert!(error.contains("wscope ca renew"), "{error}");
        }
        fs::write(&path, &good).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("ours");
        Authority::open(folder.path()).expect("good again");
        assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_hosts_certificate_has_what_clients_look_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::open(folder.path()).expect("made");
        let leaf = |host: &str| {
            let pem = authority.leaf(host).expect("a certificate");
            let der = der_of(&pem).expect("PEM");
            (CertificateFacts::from_der(&der).expect("DER"), der)
        };
        let (facts, der) = leaf("example.com");
        assert_eq!(facts.names, ["example.com"]);
        assert_ne!(leaf("example.com").0.serial, facts.serial);
        let certificate = Certificate::from_der(&der).expect("DER");
        let validity = certificate.tbs_certificate().validity();
        let [from, to] = [validity.not_before, validity.not_after].map(|at| at.to_unix_duration());
        assert!(to - from <= Duration::from_secs(199 * DAY) && from.as_secs() + DAY < now());
        assert_eq!(leaf("::1").0.names, ["::1"]);
        assert_eq!(leaf("10.0.0.1").0.names, ["10.0.0.1"]);
        let long = format!("{}.example", "a".repeat(60));
        assert_eq!(leaf(&long).0.names, [long]);
        let issuer = CertificateFacts::from_der(authority.der()).expect("DER").subject;
        assert_eq!(facts.issuer, issuer);
    }
}
