//! The certificates that the system trusts: where they are, and the cheapest way to load them.
//!
//! A bundle of all certificates takes OpenSSL some 40 ms to read, at every start. A folder whose
//! files are named after the hash of the subject (`openssl rehash`) takes nothing: OpenSSL reads the
//! one certificate that a chain needs. A bundle whose certificates all lie in such a folder is not
//! read.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use openssl::ssl::SslContextBuilder;

use crate::net::files::{MOST, read_named};
use crate::net::tls::options::SystemTrust;

/// Lets the context trust what the system trusts.
///
/// OpenSSL was built for the folders of one distribution; the probe knows those of the others. If a
/// store can't be read, its certificates are not trusted, and the verification reports that.
pub(super) fn trust_the_system(builder: &mut SslContextBuilder, trust: &SystemTrust) {
    let found = openssl_probe::probe();
    // OPENSSLDIR: "/usr/lib/ssl"
    let own = openssl::version::dir().split('"').nth(1).map(Path::new);
    let file = trust.file.clone().or_else(|| own.map(|own| own.join("cert.pem")));
    let mut folders = trust.folders.clone();
    if folders.is_empty() {
        folders.extend(own.map(|own| own.join("certs")));
    }
    let folders = distinct(folders.into_iter().chain(found.cert_dir));
    for file in distinct(file.into_iter().chain(found.cert_file)) {
        if !folders.iter().any(|folder| covers(folder, &file)) {
            let _ = builder.load_verify_locations(Some(&file), None);
        }
    }
    for folder in folders {
        let _ = builder.load_verify_locations(None, Some(&folder));
    }
}

/// The paths that exist, without links, each once. A path that is not UTF-8 is left out: the binding
/// would panic on it.
fn distinct(paths: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut distinct = Vec::new();
    for path in paths.filter_map(|path| fs::canonicalize(path).ok()) {
        if path.to_str().is_some() && !distinct.contains(&path) {
            distinct.push(path);
        }
    }
    distinct
}

/// Whether each certificate of the bundle is in the folder, in a file with the name of its hash.
fn covers(folder: &Path, bundle: &Path) -> bool {
    let (Ok(bundle), Ok(entries)) = (read_named(bundle, MOST), fs::read_dir(folder)) else {
        return false;
    };
    let hashed: Vec<Vec<u8>> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_hashed))
        .filter_map(|entry| read_named(&entry.path(), MOST).ok())
        .collect();
    let hashed: HashSet<&[u8]> = hashed.iter().flat_map(|pem| certificates(pem)).collect();
    !hashed.is_empty() && certificates(&bundle).all(|certificate| hashed.contains(certificate))
}

/// The texts of the certificates in a PEM file.
fn certificates(pem: &[u8]) -> impl Iterator<Item = &[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    memchr::memmem::find_iter(pem, BEGIN).map(|at| {
        let text = &pem[at..];
        let end = memchr::memmem::find(text, b"-----END ").unwrap_or(text.len());
        &text[..end]
    })
}

/// Whether a file has the name that OpenSSL looks for: eight hexadecimal digits and a number. The
/// name of a revocation list (`.r0`) differs.
fn is_hashed(name: &str) -> bool {
    name.split_once('.').is_some_and(|(hash, number)| {
        hash.len() == 8
            && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(number: usize) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{number:064}\n-----END CERTIFICATE-----\n")
    }

    /// A folder with certificates under the names of their hashes.
    fn folder(name: &str, certificates: std::ops::Range<usize>) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("wscope-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for number in certificates {
            fs::write(folder.join(format!("{number:08x}.0")), pem(number)).unwrap();
        }
        folder
    }

    fn bundle(folder: &Path, certificates: std::ops::Range<usize>) -> PathBuf {
        let bundle = folder.join("bundle.crt");
        let text = certificates.map(|number| format!("# {number}\n{}", pem(number)));
        fs::write(&bundle, text.collect::<String>()).unwrap();
        bundle
    }

    #[test]
    fn a_bundle_is_read_unless_a_folder_has_all_its_certificates() {
        let hashed = folder("hashed", 0..3);
        assert!(covers(&hashed, &bundle(&hashed, 0..3)));
        assert!(!covers(&hashed, &bundle(&hashed, 1..4)), "one is in the bundle alone");
        let plain = folder("plain", 0..0);
        assert!(!covers(&plain, &bundle(&plain, 0..1)));
        assert!(!covers(&hashed, &hashed.join("none")), "a bundle that can't be read");
        for folder in [hashed, plain] {
            fs::remove_dir_all(folder).unwrap();
        }
    }

    #[test]
    fn a_link_without_its_target_is_no_certificate() {
        let folder = folder("dangling", 0..1);
        std::os::unix::fs::symlink("gone.pem", folder.join("00000001.0")).unwrap();
        assert!(!covers(&folder, &bundle(&folder, 0..2)));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn openssl_looks_for_names_made_of_a_hash_and_a_number() {
        assert!(is_hashed("002c0b4f.0") && is_hashed("062CDEE6.12"));
        for name in ["002c0b4f", "002c0b4f.", "002c0b4f.r0", "ca-certificates.crt", "2c0b4f.0"] {
            assert!(!is_hashed(name), "{name}");
        }
    }
}
