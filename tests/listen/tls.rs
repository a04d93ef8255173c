//! TLS: certificates from files or made on the spot, and clients that do not speak it.

use std::io::Write as _;
use std::path::PathBuf;

use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::symm::Cipher;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};
use tempfile::TempDir;

use crate::harness::{Server, listen, wscope};

/// A folder with keys and certificates in the forms people have them.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Self {
        Self { folder: TempDir::new().expect("a folder") }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::File::create(&path)
            .and_then(|mut file| file.write_all(bytes.as_ref()))
            .expect("a disk");
        path
    }
}

fn rsa() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key")
}

fn ec() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
    PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key")
}

/// A certificate for localhost that vouches for itself.
fn certificate(key: &PKey<Private>) -> X509 {
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_text("CN", "localhost").expect("a name");
    let name = name.build();
    let mut builder = X509::builder().expect("a certificate");
    builder.set_version(2).expect("a version");
    builder.set_subject_name(&name).expect("a name");
    builder.set_issuer_name(&name).expect("a name");
    builder.set_pubkey(key).expect("a key");
    builder.set_not_before(&Asn1Time::days_from_now(0).expect("a time")).expect("a time");
    builder.set_not_after(&Asn1Time::days_from_now(1).expect("a time")).expect("a time");
    let names = SubjectAlternativeName::new()
        .dns("localhost")
        .ip("127.0.0.1")
        .build(&builder.x509v3_context(None, None))
        .expect("names");
    builder.append_extension(names).expect("names");
    builder.sign(key, MessageDigest::sha256()).expect("a signature");
    builder.build()
}

/// A message through TLS to the server and back, by wscope as a client.
#[track_caller]
fn echoes_securely(server: &Server, cacert: &PathBuf) {
    let output = wscope()
        .args(["-q", "-x", "secret", "--exit-after", "1", "--cacert"])
        .arg(cacert)
        .arg(server.url())
        .output()
        .expect("the binary");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b"secret\n"[..]), "{said}");
}

#[test]
fn a_throw_away_certificate_in_two_commands() {
    let files = Files::new();
    let path = files.folder.path().join("server.pem");
    let server =
        listen(["--echo".as_ref(), "-v".as_ref(), "--self-signed-out".as_ref(), path.as_os_str()]);
    assert!(server.url().starts_with("wss://127.0.0.1:"));
    echoes_securely(&server, &path);
    let said = server.stderr.wait_for("TLS 1.3, TLS_");
    let printed = said.split("(SHA-256) ").nth(1).and_then(|rest| rest.lines().next());
    let pem = X509::from_pem(&std::fs::read(&path).expect("written")).expect("a certificate");
    let digest = pem.digest(MessageDigest::sha256()).expect("a digest");
    let digest: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(printed, Some(digest.join(":").as_str()));
    server.interrupt();
}

#[test]
fn keys_in_every_form() {
    let files = Files::new();
    let (rsa, ec) = (rsa(), ec());
    let rsa_pkcs1 = rsa.rsa().and_then(|key| key.private_key_to_pem()).expect("PKCS#1");
    let ec_sec1 = ec.ec_key().and_then(|key| key.private_key_to_pem()).expect("SEC1");
    for (key, pem) in [
        (&rsa, rsa.private_key_to_pem_pkcs8().expect("PKCS#8")),
        (&rsa, rsa_pkcs1),
        (&ec, ec.private_key_to_pem_pkcs8().expect("PKCS#8")),
        (&ec, ec_sec1),
    ] {
        let certificate = files.write("cert.pem", certificate(key).to_pem().expect("PEM"));
        let key = files.write("key.pem", pem);
        let args =
            ["--echo".as_ref(), "--cert".as_ref(), certificate.as_os_str(), "--key".as_ref()];
        let server = listen(args.into_iter().chain([key.as_os_str()]));
        echoes_securely(&server, &certificate);
        server.interrupt();
    }
}

#[test]
fn a_key_with_a_passphrase_and_an_archive() {
    let files = Files::new();
    let key = ec();
    let certificate = certificate(&key);
    let trusted = files.write("trusted.pem", certificate.to_pem().expect("PEM"));
    let locked = key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"open sesame");
    let both = [certificate.to_pem().expect("PEM"), locked.expect("a key")].concat();
    let both = files.write("both.pem", both);
    let archive = Pkcs12::builder().pkey(&key).cert(&certificate).name("x").build2("open sesame");
    let archive = files.write("server.p12", archive.and_then(|a| a.to_der()).expect("an archive"));
    let pass = files.write("pass", "open sesame\n");

    for file in [&both, &archive] {
        let mut command = wscope();
        command.env("WSCOPE_PASSPHRASE", "open sesame");
        let server = Server::start(command.args(["listen", "--echo", "0", "--cert"]).arg(file));
        echoes_securely(&server, &trusted);
        server.interrupt();
        let mut command = wscope();
        command.args(["listen", "--echo", "0", "--cert"]).arg(file).arg("--pass-file").arg(&pass);
        Server::start(&mut command).interrupt();

        let wrong = wscope().args(["listen", "0", "--cert"]).arg(file).output().expect("it runs");
        assert_eq!(wrong.status.code(), Some(1));
        let said = String::from_utf8_lossy(&wrong.stderr);
        assert!(said.contains("WSCOPE_PASSPHRASE"), "{said}");
    }
}

#[test]
fn plain_http_on_the_tls_port_is_answered() {
    let server = listen(["--echo", "--self-signed"]);
    let mut raw = server.raw();
    let response = raw.ask("/", crate::raw::UPGRADE);
    assert_eq!(response.status(), 400);
    assert!(response.body.contains("use wss:// instead of ws://"), "{}", response.body);
    server.stderr.wait_for("the client speaks plain HTTP on a TLS port");
    let mut garbage = server.raw();
    garbage.send([0; 64]);
    garbage.end();
    server.stderr.wait_for("[2] 127.0.0.1");
    let mut mute = server.raw();
    mute.hang_up();
    mute.end();
    server.stderr.wait_for("closed the connection at the start of the TLS handshake");
    server.interrupt();
}

#[test]
fn a_certificate_without_its_key_is_named() {
    let files = Files::new();
    let certificate = files.write("cert.pem", certificate(&ec()).to_pem().expect("PEM"));
    let other = files.write("key.pem", ec().private_key_to_pem_pkcs8().expect("PEM"));
    let output = wscope()
        .args(["listen", "0", "--cert"])
        .arg(&certificate)
        .arg("--key")
        .arg(&other)
        .output()
        .expect("the binary");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("key.pem cannot be used: ") && said.contains("help: "), "{said}");
}
