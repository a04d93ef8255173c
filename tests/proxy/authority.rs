//! `wscope ca`: the certificate authority of the forward proxy.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use regex::Regex;
use tempfile::TempDir;

use crate::harness::wscope;

/// Runs it with a home folder of its own; stdout, and stderr.
#[track_caller]
fn ca(home: &TempDir, args: &[&str]) -> (String, String) {
    let run = wscope().env("HOME", home.path()).arg("ca").args(args).output().expect("a run");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(run.status.code(), Some(0), "{args:?} {run:?}");
    (text(&run.stdout), text(&run.stderr))
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("it is there").permissions().mode() & 0o777
}

#[test]
fn it_is_made_at_its_first_use_for_its_owner_alone() {
    let home = TempDir::new().expect("a folder");
    let (path, note) = ca(&home, &["path"]);
    assert!(note.contains("created a certificate authority"), "{note}");
    let path = Path::new(path.trim_end());
    assert_eq!(path, home.path().join(".local/share/wscope/ca/wscope-ca.pem"));
    let folder = path.parent().expect("a folder");
    assert_eq!((mode(folder), mode(&folder.join("wscope-ca-key.pem"))), (0o700, 0o600));
    let (pem, note) = ca(&home, &["pem"]);
    assert_eq!((pem.as_str(), note.as_str()), (&*fs::read_to_string(path).expect("text"), ""));
    assert!(!pem.contains("PRIVATE"), "{pem}");
}

#[test]
fn the_folder_is_that_of_the_user_or_of_the_option() {
    let home = TempDir::new().expect("a folder");
    let other = home.path().join("other");
    let run = wscope().env("XDG_DATA_HOME", &other).args(["ca", "path"]).output().expect("a run");
    let path = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(path.starts_with(other.to_str().expect("text")), "{path}");
    let own = home.path().join("own");
    let own = own.to_str().expect("text");
    let path = ca(&home, &["path", "--ca-dir", own]).0;
    assert_eq!(path, format!("{own}/wscope-ca.pem\n"));
    assert_eq!(ca(&home, &["--ca-dir", own, "path"]).0, path);
    let homeless = wscope().args(["ca", "path"]).output().expect("a run");
    assert_eq!(homeless.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&homeless.stderr).contains("--ca-dir DIR"), "{homeless:?}");
}

#[test]
#[cfg(target_os = "linux")] // it reads the certificate with OpenSSL
fn the_hash_is_that_of_the_public_key() {
    let home = TempDir::new().expect("a folder");
    let (pem, _) = ca(&home, &["pem"]);
    let certificate = openssl::x509::X509::from_pem(pem.as_bytes()).expect("a certificate");
    let key = certificate.public_key().and_then(|key| key.public_key_to_der()).expect("a key");
    let hash = openssl::base64::encode_block(&openssl::sha::sha256(&key));
    assert_eq!(ca(&home, &["spki"]).0, format!("{hash}\n"));
    assert!(ca(&home, &[]).0.contains(&hash));
    assert!(ca(&home, &["trust-help", "chromium"]).0.contains(&format!("spki-list={hash}\n")));
}

#[test]
fn variables_are_printed_for_a_shell() {
    let home = TempDir::new().expect("a folder");
    let (text, _) = ca(&home, &["env"]);
    assert!(text.lines().all(|line| line.starts_with("export ")), "{text}");
    for name in [
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
        "CURL_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
        "GIT_SSL_CAINFO",
        "CARGO_HTTP_CAINFO",
        "AWS_CA_BUNDLE",
        "WEBSOCKET_CLIENT_CA_BUNDLE",
        "DENO_CERT",
    ] {
        assert!(text.contains(&format!("export {name}=/")), "{name} in {text}");
    }
    assert!(!text.contains("proxy"), "{text}");
    let (text, _) = ca(&home, &["env", "8080"]);
    assert!(text.contains("export https_proxy=http://127.0.0.1:8080\n"), "{text}");
    assert!(text.contains("unset no_proxy\n"), "{text}");
    let (text, _) = ca(&home, &["env", "[::1]:1", "--shell", "fish"]);
    assert!(text.contains("set -gx HTTP_PROXY 'http://[::1]:1'\n"), "{text}");
    let wrong = wscope().env("HOME", home.path()).args(["ca", "env", "x"]).output().expect("a run");
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn a_bundle_has_the_systems_roots_too() {
    let home = TempDir::new().expect("a folder");
    let out = home.path().join("bundle.pem");
    let (text, note) = ca(&home, &["bundle", out.to_str().expect("text")]);
    assert_eq!(text, "");
    let bundle = fs::read_to_string(&out).expect("a bundle");
    assert!(bundle.ends_with(&ca(&home, &["pem"]).0));
    let has_roots = bundle.matches("BEGIN CERTIFICATE").count() > 1;
    assert!(has_roots || note.contains("contains only wscope's"), "{note}");
}

#[test]
fn each_program_has_its_steps() {
    let home = TempDir::new().expect("a folder");
    let (all, _) = ca(&home, &["trust-help"]);
    let path = ca(&home, &["path"]).0;
    for target in
        ["chromium", "firefox", "node", "python", "curl", "java", "debian", "macos", "windows"]
    {
        let (text, _) = ca(&home, &["trust-help", target]);
        let steps = text.split("\n\nPORT is").next().expect("steps").lines().nth(2).expect("steps");
        assert!(all.contains(steps), "{target}: {steps}");
    }
    assert!(all.contains(path.trim_end()));
    let left = Regex::new(r"\b(FILE|SPKI|CERTIFICATE)\b").expect("a pattern");
    assert!(!left.is_match(&all), "{all}");
}

#[test]
fn a_new_one_replaces_the_old_one() {
    let home = TempDir::new().expect("a folder");
    let old = ca(&home, &["pem"]).0;
    let (said, _) = ca(&home, &["renew"]);
    assert!(said.contains("trust-help") && said.contains("remove the old one"), "{said}");
    let new = ca(&home, &["pem"]).0;
    assert_ne!(new, old);
    let key = home.path().join(".local/share/wscope/ca/wscope-ca-key.pem");
    assert_eq!(mode(&key), 0o600);
    fs::write(&key, "damaged").expect("written");
    let run = wscope().env("HOME", home.path()).args(["ca", "pem"]).output().expect("a run");
    assert_eq!(run.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&run.stderr).contains("`wscope ca renew` makes a new one"),
        "{run:?}"
    );
    ca(&home, &["renew"]);
}
