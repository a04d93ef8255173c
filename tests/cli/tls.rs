//! `wss://`: trusted, not trusted, not verified, and not TLS at all.
//!
//! Only on Linux: elsewhere native-tls cannot import the elliptic-curve keys that `rcgen` makes.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use native_tls::{Identity, TlsAcceptor};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use tempfile::NamedTempFile;

use crate::harness::Test;
use crate::peer::Peer;
use crate::transcript::objects;

/// An authority that no system trusts, in a file, and a server's certificate from it.
struct Authority {
    file: NamedTempFile,
    acceptor: TlsAcceptor,
}

impl Authority {
    /// Issues a certificate for a name.
    fn for_name(name: &str) -> Self {
        Self::issuing(CertificateParams::new([name.to_owned()]).expect("a name"))
    }

    /// Issues a certificate with these parameters.
    fn issuing(certificate: CertificateParams) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, "authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let mut file = NamedTempFile::new().expect("a file");
        let authority = params.self_signed(&key).expect("a certificate");
        file.write_all(authority.pem().as_bytes()).expect("a disk");
        let issuer = Issuer::new(params, key);

        let key = KeyPair::generate().expect("a key");
        let pem = certificate.signed_by(&key, &issuer).expect("a certificate").pem();
        let identity = Identity::from_pkcs8(pem.as_bytes(), key.serialize_pem().as_bytes());
        let acceptor = TlsAcceptor::new(identity.expect("key and certificate")).expect("TLS");
        Self { file, acceptor }
    }

    /// Does no more than the TLS handshake with so many clients.
    fn serves_all(&self, clients: usize) -> impl FnOnce(TcpListener) + Send + 'static {
        let acceptor = self.acceptor.clone();
        move |listener| {
            for _ in 0..clients {
                let (tcp, _) = listener.accept().expect("a connection");
                let _ = acceptor.accept(tcp);
            }
        }
    }

    fn path(&self) -> String {
        self.file.path().to_str().expect("a path").to_owned()
    }

    /// Serves one client; one that breaks off the handshake is none.
    fn serves(
        &self,
        script: impl FnOnce(&mut Peer) + Send + 'static,
    ) -> impl FnOnce(TcpListener) + Send + 'static {
        let acceptor = self.acceptor.clone();
        move |listener| {
            let (tcp, _) = listener.accept().expect("a connection");
            let below = tcp.try_clone().expect("a descriptor");
            if let Ok(tls) = acceptor.accept(tcp) {
                script(&mut Peer::over(Box::new(tls), below));
            }
        }
    }
}

fn hello(p: &mut Peer) {
    p.open();
    p.text("Hello");
    p.close_first(1000, "done");
}

const LOCALHOST: &str = "wss://localhost:{port}/";

#[test]
fn a_certificate_of_a_given_authority_is_accepted() {
    let authority = Authority::for_name("localhost");
    Test::new()
        .args(["--input", "none", "-4", "--cacert", &authority.path(), LOCALHOST])
        .server(authority.serves(hello))
        .stdout("Hello\n")
        .status(0);
}

#[test]
fn the_variables_of_openssl_add_certificates_to_trust() {
    let authority = Authority::for_name("localhost");
    Test::new()
        .args(["--input", "none", "-4", LOCALHOST])
        .env("SSL_CERT_FILE", &authority.path())
        .server(authority.serves(hello))
        .stdout("Hello\n")
        .status(0);

    // Folders whose files have the names that `openssl rehash` gives.
    let (empty, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let pem = std::fs::read(authority.path()).unwrap();
    let hash = openssl::x509::X509::from_pem(&pem).unwrap().subject_name_hash();
    std::fs::write(folder.path().join(format!("{hash:08x}.0")), pem).unwrap();
    let folders = std::env::join_paths([empty.path(), folder.path()]).unwrap();
    Test::new()
        .args(["--input", "none", "-4", LOCALHOST])
        .env("SSL_CERT_DIR", folders.to_str().unwrap())
        .server(authority.serves(hello))
        .stdout("Hello\n")
        .status(0);
}

#[test]
fn verbose_shows_protocol_cipher_and_certificate() {
    let authority = Authority::for_name("localhost");
    Test::new()
        .args(["--input", "none", "-v", "-4", "--cacert", &authority.path(), LOCALHOST])
        .server(authority.serves(hello))
        .stdout("Hello\n")
        .stderr(
            "...\n* TLS 1.[..], TLS_[..], certificate verified\n\
             * certificate of [..], issued by [..]authority of a test[..]\n\
             * valid [..] to [..] for localhost; serial [..]\n...\n",
        )
        .status(0);
}

#[test]
fn json_has_the_same_facts() {
    let authority = Authority::for_name("localhost");
    let output = Test::new()
        .args(["--input", "none", "--output", "json", "-4", "--cacert", &authority.path()])
        .args([LOCALHOST])
        .server(authority.serves(hello))
        .stdout_any()
        .status(0);
    let objects = objects(&output);
    let tls = objects.iter().find(|object| object["event"] == "tls").expect("a tls object");
    assert_eq!(tls["verified"], true);
    assert_eq!(tls["certificate"]["names"][0], "localhost");
    assert!(tls["version"].as_str().is_some_and(|version| version.starts_with("TLS 1.")), "{tls}");
}

#[test]
fn exit_6_for_an_authority_nobody_trusts() {
    let authority = Authority::for_name("localhost");
    let output = Test::new()
        .args(["--input", "none", "-4", LOCALHOST])
        .server(authority.serves(hello))
        .stderr_any()
        .status(6);
    let said = output.stderr();
    assert!(said.contains("certificate") && said.contains("--cacert"), "{said}");
    assert!(said.contains("[W208]"), "{said}");
}

/// A server of HTTP/2 alone: it agrees on nothing but h2, and ends at any other request.
#[test]
fn a_server_that_agrees_on_http2_alone_is_recognised() {
    use openssl::pkey::PKey;
    use openssl::ssl::{AlpnError, SslAcceptor, SslMethod, select_next_proto};
    use openssl::x509::X509;

    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let own = params.self_signed(&key).expect("a certificate").pem();
    let key = key.serialize_pem();
    for (protocols, code) in
        [(&b"\x02h2"[..], "W213"), (b"\x02h2\x08http/1.1", "W107"), (b"", "W107")]
    {
        let mut builder = SslAcceptor::mozilla_intermediate(SslMethod::tls()).expect("TLS");
        let pem = PKey::private_key_from_pem(key.as_bytes()).expect("a key");
        builder.set_private_key(&pem).expect("a key");
        let x509 = X509::from_pem(own.as_bytes()).expect("a certificate");
        builder.set_certificate(&x509).expect("a certificate");
        builder.set_alpn_select_callback(move |_, offered| {
            select_next_proto(protocols, offered)
                .filter(|_| !protocols.is_empty())
                .ok_or(AlpnError::NOACK)
        });
        let acceptor = builder.build();
        let output = Test::new()
            .args(["--input", "none", "-4", "--insecure", LOCALHOST])
            .server(move |listener: TcpListener| {
                // The request, and a trial with h2 if no protocol was agreed.
                let clients = if protocols.len() > 3 { 1 } else { 2 };
                for _ in 0..clients {
                    let (tcp, _) = listener.accept().expect("a connection");
                    if let Ok(mut tls) = acceptor.accept(tcp) {
                        let _ = tls.read(&mut [0; 1024]);
                        let _ = tls.shutdown();
                    }
                }
            })
            .stderr_any()
            .status(10);
        let said = output.stderr();
        assert!(said.contains(&format!("[{code}]")), "{said}");
        assert_eq!(said.contains("speaks only HTTP/2 over TLS"), code == "W213", "{said}");
    }
}

#[test]
fn a_self_signed_certificate_is_named_once() {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let pem = params.self_signed(&key).expect("a certificate").pem();
    let identity = Identity::from_pkcs8(pem.as_bytes(), key.serialize_pem().as_bytes());
    let acceptor = TlsAcceptor::new(identity.expect("key and certificate")).expect("TLS");
    let server = move |listener: TcpListener| {
        let (tcp, _) = listener.accept().expect("a connection");
        let _ = acceptor.accept(tcp);
    };
    Test::new()
        .args(["-x", "hello", "-4", LOCALHOST])
        .server(server)
        .stderr(
            "wscope: the certificate of localhost is not accepted: self-signed certificate\n\
             error[W208]: the certificate's issuer is not trusted\n   \
             = the certificate chain does not end in a trusted root (RFC 5280 §6)\n\
             help: trust it with `--cacert FILE`, or use --insecure\n",
        )
        .status(6);
}

#[test]
fn a_wildcard_of_another_depth_is_shown_without_another_connection() {
    let authority = Authority::for_name("*.shop.test");
    let output = Test::new()
        .args(["--input", "none", "--cacert", &authority.path()])
        .args(["--resolve", "eu.ws.shop.test:{port}:127.0.0.1", "wss://eu.ws.shop.test:{port}/"])
        .server(authority.serves_all(1))
        .stderr_any()
        .status(6);
    let said = output.stderr();
    assert!(said.contains("it lists *.shop.test, and the name is eu.ws.shop.test"), "{said}");
    assert!(!said.contains("--diagnose"), "{said}");
}

#[test]
fn exit_6_for_another_host_name() {
    let authority = Authority::for_name("elsewhere.example");
    let output = Test::new()
        .args(["--input", "none", "-4", "--cacert", &authority.path(), LOCALHOST])
        .server(authority.serves(hello))
        .stderr_any()
        .status(6);
    let said = output.stderr();
    assert!(said.contains("localhost") && said.contains("W207"), "{said}");
}

#[test]
fn a_name_in_the_subject_alone_proves_nothing() {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(DnType::CommonName, "localhost");
    let authority = Authority::issuing(params);
    let output = Test::new()
        .args(["--input", "none", "-4", "--diagnose", "--cacert", &authority.path(), LOCALHOST])
        .server(authority.serves_all(2))
        .stderr_any()
        .status(6);
    let said = output.stderr().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("error[W207]: the certificate has no subjectAltName"), "{said}");
    assert!(said.contains("likely (high): the certificate has only a common name"), "{said}");
}

#[test]
fn a_leaf_without_its_issuer_is_no_self_signed_one() {
    let authority = Authority::for_name("localhost");
    let output = Test::new()
        .args(["--input", "none", "-4", "--diagnose", LOCALHOST])
        .server(authority.serves_all(2))
        .stderr_any()
        .status(6);
    let said = output.stderr().split_whitespace().collect::<Vec<_>>().join(" ");
    // It names no place where its issuer's certificate is, so that may be a root nobody knows.
    let cause = "possible: the server sends its own certificate without the intermediate one";
    assert!(said.contains("error[W208]") && said.contains(cause), "{said}");
    assert!(!said.contains("self-signed"), "{said}");
}

#[test]
fn exit_6_for_a_certificate_of_the_past() {
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    params.not_after = rcgen::date_time_ymd(2001, 1, 1);
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    let authority = Authority::issuing(params);
    let output = Test::new()
        .args(["--input", "none", "-4", "--cacert", &authority.path(), LOCALHOST])
        .server(authority.serves(hello))
        .stderr_any()
        .status(6);
    assert!(output.stderr().contains("[W206]"), "{output:?}");
}

#[test]
fn insecure_accepts_any_certificate() {
    let authority = Authority::for_name("elsewhere.example");
    Test::new()
        .args(["--input", "none", "-4", "-k", LOCALHOST])
        .server(authority.serves(hello))
        .stdout("Hello\n")
        .status(0);
}

#[test]
fn exit_6_when_the_port_speaks_no_tls() {
    let output = Test::new()
        .args(["--input", "none", "wss://127.0.0.1:{port}/"])
        .peer(|p| {
            // A web server's answer to what it can't read.
            p.receive_raw(5);
            p.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            p.hang_up();
        })
        .stderr_any()
        .status(6);
    assert!(output.stderr().contains("ws://"), "{}", output.stderr());
}

#[test]
fn a_cacert_that_cannot_be_read_is_named() {
    let output = Test::new()
        .args(["--cacert", "/nonexistent/ca.pem", "wss://127.0.0.1:1/"])
        .stderr_any()
        .status(6);
    assert!(output.stderr().contains("/nonexistent/ca.pem"), "{}", output.stderr());
}

#[test]
fn exit_6_for_a_certificate_that_is_only_for_clients() {
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let authority = Authority::issuing(params);
    let output = Test::new()
        .args(["--input", "none", "-4", "--cacert", &authority.path(), LOCALHOST])
        .server(authority.serves(hello))
        .stderr_any()
        .status(6);
    let said = output.stderr().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("error[W218]") && said.contains("not made for TLS servers"), "{said}");
    assert!(said.contains("extendedKeyUsage = serverAuth"), "{said}");
}
