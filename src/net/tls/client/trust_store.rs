//! The certificates that the system trusts: where they are, and the cheapest way to load them.
//!
//! A bundle of all certificates takes OpenSSL some 40 ms to read, at every start. A folder whose
//! files are named after the hash of the subject (`openssl rehash`) takes nothing: OpenSSL reads the
//! one certificate that a chain needs. The system's bundle is not read if all its certificates lie in
//! such a folder, where OpenSSL finds them. A file that the user named is always read.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use openssl::ssl::SslContextBuilder;
use openssl::x509::X509;

use crate::net::files::{MOST, read_named};
use crate::net::tls::options::SystemTrust;

/// How many names of a folder are compared with the hashes of their certificates: to read a
/// certificate takes as long for one as in a bundle. Old versions of OpenSSL made other hashes, and
/// so other names, for a whole folder.
const COMPARED: usize = 3;

/// Lets the context trust what the system trusts.
///
/// OpenSSL was built for the folders of one distribution; the probe knows those of the others. If a
/// store can't be read, its certificates are not trusted, and the verification reports that.
pub(super) fn trust_the_system(builder: &mut SslContextBuilder, trust: &SystemTrust) {
    let found = openssl_probe::probe();
    // OPENSSLDIR: "/usr/lib/ssl"
    let own = openssl::version::dir().split('"').nth(1).map(Path::new);
    let mut folders = trust.folders.clone();
    if folders.is_empty() {
        folders.extend(own.map(|own| own.join("certs")));
    }
    let folders = distinct(folders.into_iter().chain(found.cert_dir));
    let files = match trust.file.as_ref().filter(|file| file.exists()) {
        Some(file) => vec![file.clone()],
        None => {
            let own = own.map(|own| own.join("cert.pem"));
            let mut files = distinct(own.into_iter().chain(found.cert_file));
            files.retain(|file| !folders.iter().any(|folder| covers(folder, file)));
            files
        }
    };
    // The binding would panic on a path that is not UTF-8.
    let usable = |path: &&PathBuf| path.to_str().is_some();
    for file in files.iter().filter(usable) {
        let _ = builder.load_verify_locations(Some(file), None);
    }
    for folder in folders.iter().filter(usable) {
        let _ = builder.load_verify_locations(None, Some(folder));
    }
}

/// The paths that exist; of those that lead to the same place, the first. OpenSSL gets them as they
/// were given, because it divides a list of folders at colons.
fn distinct(paths: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut places = HashSet::new();
    paths.filter(|path| fs::canonicalize(path).is_ok_and(|place| places.insert(place))).collect()
}

/// Whether OpenSSL finds each certificate of the bundle in the folder.
fn covers(folder: &Path, bundle: &Path) -> bool {
    let (Ok(bundle), Ok(entries)) = (read_named(bundle, MOST), fs::read_dir(folder)) else {
        return false;
    };
    let mut numbers: HashMap<u32, HashMap<u32, Vec<u8>>> = HashMap::new();
    for entry in entries.flatten() {
        // To open a FIFO would wait for a writer.
        if let Some((hash, number)) = entry.file_name().to_str().and_then(hash_and_number)
            && entry.path().is_file()
            && let Ok(pem) = read_named(&entry.path(), MOST)
        {
            numbers.entry(hash).or_default().insert(number, pem);
        }
    }
    let is_named_right = |hash: u32, pem: &[u8]| {
        X509::from_pem(pem).is_ok_and(|certificate| certificate.subject_name_hash() == hash)
    };
    let mut firsts = numbers.iter().filter_map(|(hash, files)| Some((*hash, files.get(&0)?)));
    if !firsts.by_ref().take(COMPARED).all(|(hash, pem)| is_named_right(hash, pem)) {
        return false;
    }
    // OpenSSL reads .0, .1 and so on, up to the first number that is missing.
    let found: HashSet<&[u8]> = numbers
        .values()
        .flat_map(|files| (0..).map_while(|number| files.get(&number)))
        .filter_map(|pem| {
            let mut all = certificates(pem);
            all.next().filter(|_| all.next().is_none())
        })
        .collect();
    !found.is_empty() && certificates(&bundle).all(|certificate| found.contains(certificate))
}

/// The texts of the certificates in a PEM file. A text without the right end reaches to the end of
/// the file.
fn certificates(pem: &[u8]) -> impl Iterator<Item = &[u8]> {
    const END: &[u8] = b"\n-----END CERTIFICATE-----";
    let begins = memchr::memmem::find_iter(pem, b"-----BEGIN ");
    begins.map(|at| {
        // OpenSSL reads a certificate only from the beginning of a line.
        let text = &pem[if at > 0 && pem[at - 1] != b'\n' { at - 1 } else { at }..];
        let end = memchr::memmem::find(text, END).map_or(text.len(), |end| end + END.len());
        &text[..end]
    })
}

/// The parts of a name that OpenSSL looks for: eight hexadecimal digits in lower case, and a number.
/// The name of a revocation list (`.r0`) differs.
fn hash_and_number(name: &str) -> Option<(u32, u32)> {
    let (hash, number) = name.split_once('.')?;
    let (hash, number) = (u32::from_str_radix(hash, 16).ok()?, number.parse().ok()?);
    (name == format!("{hash:08x}.{number}")).then_some((hash, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Certificates with subjects of their own, as PEM, with the hashes of their subjects.
    fn authorities<const N: usize>() -> [(String, u32); N] {
        std::array::from_fn(|number| {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut params = rcgen::CertificateParams::default();
            params.distinguished_name.push(rcgen::DnType::CommonName, format!("{number}"));
            let pem = params.self_signed(&key).unwrap().pem();
            let hash = X509::from_pem(pem.as_bytes()).unwrap().subject_name_hash();
            (pem, hash)
        })
    }

    /// A folder with these files.
    fn folder(files: &[(String, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn a_bundle_is_read_unless_a_folder_has_all_its_certificates() {
        let [(one, hash_one), (two, hash_two), (three, _)] = authorities();
        let hashed = folder(&[
            (format!("{hash_one:08x}.0"), &one),
            (format!("{hash_two:08x}.0"), &two),
            ("both.crt".into(), &format!("# one\n{one}\n# two\n{two}")),
            ("more.crt".into(), &format!("{one}{two}{three}")),
        ]);
        let bundle = |name| hashed.path().join(name);
        assert!(covers(hashed.path(), &bundle("both.crt")));
        assert!(!covers(hashed.path(), &bundle("more.crt")), "one is in the bundle alone");
        assert!(!covers(hashed.path(), &bundle("none")), "a bundle that can't be read");
        assert!(!covers(folder(&[]).path(), &bundle("both.crt")), "a folder without hashes");
    }

    #[test]
    fn a_certificate_counts_only_where_openssl_finds_it() {
        let [(one, hash), (two, hash_two)] = authorities();
        let bundle = folder(&[("one.crt".into(), &one)]);
        let bundle = bundle.path().join("one.crt");
        let with_two = format!("{two}{one}");
        for (name, text) in [
            (format!("{:08x}.0", hash ^ 1), &one),
            (format!("{hash:08X}.0").replace(|c: char| c.is_ascii_digit(), "A"), &one),
            (format!("{hash:08x}.1"), &one),
            (format!("{hash:08x}.00"), &one),
            (format!("{hash:08x}.r0"), &one),
            (format!("{hash_two:08x}.0"), &with_two),
            (format!("{hash:08x}.0"), &format!("x {one}")),
            (format!("{hash:08x}.0"), &one.replace("-----END CERT", "-----END NOTHING")),
        ] {
            let folder = folder(&[(name.clone(), text)]);
            assert!(!covers(folder.path(), &bundle), "{name}");
        }
        let second = [(format!("{hash:08x}.0"), one.as_str()), (format!("{hash:08x}.1"), &one)];
        assert!(covers(folder(&second).path(), &bundle));
    }

    #[test]
    fn a_link_without_its_target_and_a_fifo_are_no_certificates() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let [(one, hash)] = authorities();
        let folder = folder(&[("one.crt".into(), &one)]);
        let name = folder.path().join(format!("{hash:08x}.0"));
        std::os::unix::fs::symlink("gone.pem", &name).unwrap();
        assert!(!covers(folder.path(), &folder.path().join("one.crt")));
        fs::remove_file(&name).unwrap();
        mknodat(CWD, &name, FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(!covers(folder.path(), &folder.path().join("one.crt")));
    }
}
