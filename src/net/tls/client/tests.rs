//! The client's options, tested with OpenSSL's acceptor in memory.

use std::io::Write as _;

use ::openssl::ec::{EcGroup, EcKey};
use ::openssl::nid::Nid;
use ::openssl::pkcs12::Pkcs12;
use ::openssl::pkey::{PKey, Private};
use ::openssl::rsa::Rsa;
use ::openssl::ssl::{
    AlpnError, SslAcceptor, SslAcceptorBuilder, SslMethod, SslOptions, SslVerifyMode,
};
use ::openssl::symm::Cipher;
use ::openssl::x509::X509;
use rcgen::{CertificateParams, KeyPair};
use tempfile::{NamedTempFile, TempDir};

use super::*;
use crate::net::secret::Secret;
use crate::net::tls::options::{Passphrase, TlsVersion};
use crate::net::tls::tests::{Authority, carry, join, problem};
use crate::net::tls::{CertificateProblem, Handshake, PlainRead};

/// An acceptor for `localhost`, with changes.
fn acceptor(authority: &Authority, change: impl FnOnce(&mut SslAcceptorBuilder)) -> SslAcceptor {
    let (certificate, key) = issued(authority, &ec_key());
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    builder.set_security_level(0);
    builder.set_private_key(&key).unwrap();
    builder.set_certificate(&X509::from_pem(certificate.as_bytes()).unwrap()).unwrap();
    builder.add_extra_chain_cert(X509::from_pem(authority.pem.as_bytes()).unwrap()).unwrap();
    change(&mut builder);
    builder.build()
}

fn ec_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// A certificate for `localhost` in PEM, and its key.
fn issued(authority: &Authority, key: &PKey<Private>) -> (String, PKey<Private>) {
    let pem = String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    let pair = KeyPair::from_pem(&pem).unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    (params.signed_by(&pair, &authority.issuer).unwrap().pem(), key.clone())
}

fn server(acceptor: &SslAcceptor) -> TlsPipe {
    let mut pipe = TlsPipe::new(TapOn::Outgoing, "", false);
    let step = acceptor.accept(pipe.stream()).into();
    pipe.settle(step).unwrap();
    pipe
}

/// Both ends after the handshake, and the result of each.
fn meet(
    options: &TlsOptions,
    acceptor: &SslAcceptor,
) -> (TlsPipe, TlsPipe, [Result<Handshake, TlsError>; 2]) {
    let mut client = TlsClient::new(options).unwrap().start("localhost").unwrap();
    let mut server = server(acceptor);
    let ends = join(&mut client, &mut server, 100_000);
    (client, server, ends)
}

const DONE: Result<Handshake, TlsError> = Ok(Handshake::Done);

fn file(bytes: impl AsRef<[u8]>) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes.as_ref()).unwrap();
    file
}

fn insecure() -> TlsOptions {
    TlsOptions { insecure: true, ..TlsOptions::default() }
}

#[test]
fn the_chain_is_shown_and_the_verdict() {
    let authority = Authority::named("the authority");
    let acceptor = acceptor(&authority, |_| {});
    let (options, _file) = authority.trusted();
    let (client, _, ends) = meet(&options, &acceptor);
    assert_eq!(ends, [DONE, DONE]);
    let facts = client.facts().unwrap();
    assert_eq!(facts.certificate.as_ref().unwrap().names, ["localhost"]);
    assert_eq!(facts.chain.len(), 1);
    assert_eq!(facts.chain[0].subject, "CN=the authority");
    assert_eq!((facts.verified, &facts.problem), (true, &None));
    assert_eq!(facts.version.as_deref(), Some("TLS 1.3"));
}

#[test]
fn a_refused_chain_is_shown_too() {
    let authority = Authority::named("the authority");
    let acceptor = acceptor(&authority, |_| {});
    let (client, _, [end, _]) = meet(&TlsOptions::default(), &acceptor);
    assert_eq!(problem(&end.unwrap_err()), Some(CertificateProblem::UnknownIssuer));
    let issuers = client.certificates().iter().map(|facts| facts.issuer.as_str());
    assert_eq!(issuers.collect::<Vec<_>>(), ["CN=the authority", "CN=the authority"]);
    assert_eq!(client.facts(), None);
}

#[test]
fn insecure_reports_what_it_ignores() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority, |_| {});
    let (client, _, ends) = meet(&insecure(), &acceptor);
    assert_eq!(ends, [DONE, DONE]);
    let facts = client.facts().unwrap();
    assert_eq!(facts.problem.as_deref(), Some("self-signed certificate in certificate chain"));
    // A wrong name is a problem, too.
    let (mut options, _file) = authority.trusted();
    options.insecure = true;
    let mut client = TlsClient::new(&options).unwrap().start("example.com").unwrap();
    assert_eq!(join(&mut client, &mut server(&acceptor), 100_000)[0], DONE);
    assert_eq!(client.facts().unwrap().problem.as_deref(), Some("hostname mismatch"));
}

#[test]
fn a_folder_of_authorities() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority, |_| {});
    let folder = TempDir::new().unwrap();
    let capath = Some(folder.path().to_owned());
    let options = TlsOptions { capath, ..TlsOptions::default() };
    std::fs::create_dir(folder.path().join("a folder")).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "no certificate").unwrap();
    let error = TlsClient::new(&options).unwrap_err();
    assert!(error.to_string().ends_with("no file in it holds a PEM certificate"), "{error}");
    std::fs::write(folder.path().join("any name"), &authority.pem).unwrap();
    assert_eq!(meet(&options, &acceptor).2, [DONE, DONE]);
}

#[test]
fn versions_are_limits() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority, |builder| {
        builder.clear_options(SslOptions::NO_TLSV1 | SslOptions::NO_TLSV1_1);
        builder.set_min_proto_version(None).unwrap();
        builder.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    });
    let (options, _file) = authority.trusted();
    for (min, max, agreed) in [
        (None, None, "TLS 1.3"),
        (None, Some(TlsVersion::V1_2), "TLS 1.2"),
        (Some(TlsVersion::V1_3), None, "TLS 1.3"),
        (None, Some(TlsVersion::V1_1), "TLS 1.1"),
        (Some(TlsVersion::V1_0), Some(TlsVersion::V1_0), "TLS 1.0"),
    ] {
        let (client, _, ends) = meet(&TlsOptions { min, max, ..options.clone() }, &acceptor);
        assert_eq!(ends, [DONE, DONE], "{agreed}");
        assert_eq!(client.facts().unwrap().version.as_deref(), Some(agreed));
    }
}

#[test]
fn no_common_version() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority, |builder| {
        builder.set_max_proto_version(Some(::openssl::ssl::SslVersion::TLS1_2)).unwrap();
    });
    let options = TlsOptions { min: Some(TlsVersion::V1_3), ..insecure() };
    let (mut client, mut server, [_, refused]) = meet(&options, &acceptor);
    assert!(refused.is_err());
    carry(&mut server, &mut client, 1000);
    let error = client.handshake().unwrap_err();
    assert_eq!((error.code(), error), (Some("W210"), TlsError::Alert { number: 70 }));
}

#[test]
fn alpn_is_what_was_asked_for() {
    let authority = Authority::new();
    let picky = acceptor(&authority, |builder| {
        builder.set_alpn_select_callback(|_, offered| {
            ::openssl::ssl::select_next_proto(b"\x02h2", offered).ok_or(AlpnError::ALERT_FATAL)
        });
    });
    let asking = |names: &[&str]| TlsOptions {
        alpn: names.iter().map(|name| name.to_string()).collect(),
        ..insecure()
    };
    let (client, ..) = meet(&asking(&["http/1.1", "h2"]), &picky);
    assert_eq!(client.facts().unwrap().alpn.as_deref(), Some("h2"));
    let (client, _, ends) = meet(&asking(&[]), &picky);
    assert_eq!((ends, &client.facts().unwrap().alpn), ([DONE, DONE], &None));
    let (mut client, mut server, _) = meet(&asking(&["http/1.1"]), &picky);
    carry(&mut server, &mut client, 1000);
    assert_eq!(client.handshake().unwrap_err().code(), Some("W213"));
}

#[test]
fn the_name_is_sent_replaced_or_left_out() {
    for (server_name, sent, has_sni) in [
        (ServerName::Host, "localhost", true),
        (ServerName::Other("other.example".to_owned()), "other.example", true),
        (ServerName::Unsent, "localhost", false),
    ] {
        let options = TlsOptions { server_name, ..TlsOptions::default() };
        let mut client = TlsClient::new(&options).unwrap().start("localhost").unwrap();
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        assert_eq!(memchr::memmem::find(&hello, sent.as_bytes()).is_some(), has_sni, "{sent}");
    }
    // Even if the name is not sent, the certificate must prove the host's name.
    let authority = Authority::new();
    let acceptor = acceptor(&authority, |_| {});
    let (mut options, _file) = authority.trusted();
    options.server_name = ServerName::Unsent;
    assert_eq!(meet(&options, &acceptor).2, [DONE, DONE]);
    let mut client = TlsClient::new(&options).unwrap().start("example.com").unwrap();
    let [end, _] = join(&mut client, &mut server(&acceptor), 100_000);
    assert_eq!(problem(&end.unwrap_err()), Some(CertificateProblem::NameMismatch));
}

#[test]
fn pins_hold_even_without_verification() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority, |_| {});
    let other = Pin::of_key(b"another key");
    let options = TlsOptions { pins: vec![other], ..insecure() };
    let (mut client, mut server, [end, _]) = meet(&options, &acceptor);
    let error = end.unwrap_err();
    let TlsError::Pinned { found, .. } = &error else { panic!("{error}") };
    assert_eq!(client.handshake(), Err(error.clone()), "the same at each call");
    assert_eq!(client.write_plain(b"secret"), Err(error.clone()));
    carry(&mut client, &mut server, 100_000);
    server.handshake().unwrap();
    assert!(matches!(server.read_plain(&mut [0; 9]), Ok(PlainRead::Closed(_))));

    let key = acceptor.context().certificate().unwrap().public_key().unwrap();
    let pin = Pin::of_key(&key.public_key_to_der().unwrap());
    assert_eq!(&pin.to_string(), found, "the error tells the pin that would do");
    let options = TlsOptions { pins: vec![other, pin], ..insecure() };
    assert_eq!(meet(&options, &acceptor).2, [DONE, DONE]);
}

/// A server that requires a certificate of `authority`.
fn demanding(authority: &Authority) -> SslAcceptor {
    acceptor(authority, |builder| {
        builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        let root = X509::from_pem(authority.pem.as_bytes()).unwrap();
        builder.cert_store_mut().add_cert(root).unwrap();
    })
}

fn once(file: &NamedTempFile) -> FileOnce {
    FileOnce::new(file.path().to_owned())
}

fn showing(
    certificate: &NamedTempFile,
    key: Option<&NamedTempFile>,
    passphrase: Option<&str>,
) -> TlsOptions {
    let identity = ClientIdentity {
        certificate: once(certificate),
        key: key.map(once),
        passphrase: match passphrase {
            Some(text) => Passphrase::Given(Secret::new(text)),
            None => Passphrase::Unknown,
        },
    };
    TlsOptions { identity: Some(identity), ..insecure() }
}

#[test]
fn a_missing_client_certificate_is_reported_when_reading() {
    let authority = Authority::new();
    let (mut client, mut server, ends) = meet(&insecure(), &demanding(&authority));
    assert_eq!(ends[0], DONE, "in TLS 1.3 the server judges after the client is done");
    carry(&mut client, &mut server, 100_000);
    assert!(server.handshake().is_err());
    carry(&mut server, &mut client, 100_000);
    let error = client.read_plain(&mut [0; 9]).unwrap_err();
    assert_eq!((error.code(), error), (Some("W212"), TlsError::Alert { number: 116 }));
}

#[test]
fn a_client_certificate_with_a_key_of_any_form() {
    let authority = Authority::new();
    let acceptor = demanding(&authority);
    let cipher = Cipher::aes_256_cbc();
    let rsa = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    for key in [ec_key(), rsa] {
        let (certificate, key) = issued(&authority, &key);
        let plain = [
            Some(key.private_key_to_pem_pkcs8().unwrap()),
            key.rsa().ok().map(|rsa| rsa.private_key_to_pem().unwrap()),
            key.ec_key().ok().map(|ec| ec.private_key_to_pem().unwrap()),
        ];
        let encrypted = [
            Some(key.private_key_to_pem_pkcs8_passphrase(cipher, b"pass").unwrap()),
            key.rsa().ok().map(|rsa| rsa.private_key_to_pem_passphrase(cipher, b"pass").unwrap()),
            key.ec_key().ok().map(|ec| ec.private_key_to_pem_passphrase(cipher, b"pass").unwrap()),
        ];
        let certificate = file(certificate);
        for pem in plain.iter().flatten() {
            let key = file(pem);
            assert_eq!(meet(&showing(&certificate, Some(&key), None), &acceptor).2, [DONE, DONE]);
        }
        for pem in encrypted.iter().flatten() {
            let key = file(pem);
            let options = showing(&certificate, Some(&key), Some("pass"));
            assert_eq!(meet(&options, &acceptor).2, [DONE, DONE]);
            let error = TlsClient::new(&showing(&certificate, Some(&key), None)).unwrap_err();
            assert_eq!(error, TlsError::PassphraseNeeded { path: key.path().to_owned() });
            let wrong = TlsClient::new(&showing(&certificate, Some(&key), Some("no")));
            let said = wrong.unwrap_err().to_string();
            assert!(said.starts_with("the passphrase does not open the key in "), "{said}");
        }
    }
}

#[test]
fn a_client_certificate_and_its_key_in_one_file() {
    let authority = Authority::new();
    let (certificate, key) = issued(&authority, &ec_key());
    let key_pem = key.private_key_to_pem_pkcs8().unwrap();
    let both = file([certificate.as_bytes(), &key_pem].concat());
    let (_, server, ends) = meet(&showing(&both, None, None), &demanding(&authority));
    assert_eq!(ends, [DONE, DONE]);
    assert_eq!(server.facts().unwrap().certificate.as_ref().unwrap().names, ["localhost"]);
}

#[test]
fn a_client_certificate_in_pkcs12() {
    let authority = Authority::new();
    let (certificate, key) = issued(&authority, &ec_key());
    let certificate = X509::from_pem(certificate.as_bytes()).unwrap();
    for passphrase in ["pass", ""] {
        let mut builder = Pkcs12::builder();
        builder.name("client").pkey(&key).cert(&certificate);
        let archive = file(builder.build2(passphrase).unwrap().to_der().unwrap());
        let options = showing(&archive, None, Some(passphrase));
        assert_eq!(meet(&options, &demanding(&authority)).2, [DONE, DONE]);
        let unasked = TlsClient::new(&showing(&archive, None, None));
        match passphrase {
            "" => drop(unasked.unwrap()),
            _ => {
                let needed = TlsError::PassphraseNeeded { path: archive.path().to_owned() };
                assert_eq!(unasked.unwrap_err(), needed);
            }
        }
        let wrong = TlsClient::new(&showing(&archive, None, Some("no"))).unwrap_err();
        assert_eq!(wrong, TlsError::PassphraseWrong { path: archive.path().to_owned() });
    }
}

#[test]
fn a_passphrase_on_the_first_line_of_a_file() {
    let authority = Authority::new();
    let (certificate, key) = issued(&authority, &ec_key());
    let key = key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"pass").unwrap();
    let (certificate, key) = (file(certificate), file(key));
    let mut options = showing(&certificate, Some(&key), None);
    for (content, fits) in [
        (&b"pass"[..], true),
        (b"pass\r\nmore", true),
        (b" pass", false),
        (b"\xff\n", false),
        (b"pa\0ss", false),
        (b"", false),
    ] {
        let passphrase = file(content);
        if let Some(identity) = &mut options.identity {
            identity.passphrase = Passphrase::File(once(&passphrase));
        }
        let made = TlsClient::new(&options);
        assert_eq!(made.is_ok(), fits, "{}: {made:?}", content.escape_ascii());
    }
}

#[test]
fn a_useless_client_certificate_is_named() {
    let authority = Authority::new();
    let (certificate, _) = issued(&authority, &ec_key());
    let other = file(ec_key().private_key_to_pem_pkcs8().unwrap());
    let (certificate, empty) = (file(certificate), file(""));
    for (options, reason) in [
        (showing(&certificate, Some(&other), None), "key values mismatch"),
        (showing(&certificate, Some(&empty), None), "it has no PEM key"),
        (showing(&empty, None, None), "it is not a PKCS#12 archive"),
        (showing(&other, None, None), "it has no PEM certificate"),
    ] {
        let error = TlsClient::new(&options).unwrap_err();
        assert!(matches!(error, TlsError::Identity { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn the_key_log_is_what_wireshark_reads() {
    let authority = Authority::new();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys");
    let options = TlsOptions { key_log: Some(path.clone()), ..insecure() };
    for expected in [1, 2] {
        assert_eq!(meet(&options, &acceptor(&authority, |_| {})).2, [DONE, DONE]);
        let log = std::fs::read_to_string(&path).unwrap();
        for label in ["CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "SERVER_TRAFFIC_SECRET_0 "] {
            let lines = log.lines().filter(|line| line.starts_with(label));
            assert_eq!(lines.count(), expected, "appended");
        }
    }
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else may read it");
    let options = TlsOptions { key_log: Some(folder.path().to_owned()), ..insecure() };
    let error = TlsClient::new(&options).unwrap_err();
    assert!(matches!(error, TlsError::KeyLog { .. }), "{error}");
}
