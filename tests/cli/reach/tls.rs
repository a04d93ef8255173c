//! TLS as it is chosen: the name asked for, certificates of clients, pins, versions, secrets for
//! Wireshark. The peers are OpenSSL's acceptor.

use std::fs;
use std::io::{self, Write as _};
use std::net::{Shutdown, TcpListener};
use std::path::PathBuf;

use openssl::ssl::{NameType, SslAcceptor, SslFiletype, SslMethod, SslVerifyMode};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::client;
use crate::harness::Test;
use crate::peer::Peer;

const URL: &str = "wss://localhost:{port}/";

/// An authority, a server and a client of its making, as PEM files in a folder.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new(server: &str) -> Self {
        let this = Self { folder: tempfile::tempdir().expect("a folder") };
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, "authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        this.write("ca.pem", &params.self_signed(&key).expect("a certificate").pem());
        let issuer = Issuer::new(params, key);
        for (file, name) in [("server", server), ("client", "client.example")] {
            let key = KeyPair::generate().expect("a key");
            let params = CertificateParams::new([name.to_owned()]).expect("a name");
            let certificate = params.signed_by(&key, &issuer).expect("a certificate").pem();
            this.write(&format!("{file}.pem"), &certificate);
            this.write(&format!("{file}.key"), &key.serialize_pem());
        }
        this
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("a disk");
    }

    fn path(&self, name: &str) -> String {
        self.at(name).to_str().expect("a path").to_owned()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Serves one client, whom it may ask for a certificate: returns the name it was asked for, whether
    /// it saw a certificate, and the version. Whoever breaks off the handshake is not a client.
    fn serves(&self, asks: bool) -> impl FnOnce(TcpListener) + Send + 'static {
        let mut acceptor =
            SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).expect("OpenSSL");
        acceptor
            .set_certificate_file(self.at("server.pem"), SslFiletype::PEM)
            .expect("a certificate");
        acceptor.set_private_key_file(self.at("server.key"), SslFiletype::PEM).expect("a key");
        // Without this OpenSSL keeps no name.
        acceptor.set_servername_callback(|_, _| Ok(()));
        if asks {
            acceptor.set_ca_file(self.at("ca.pem")).expect("an authority");
            acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        }
        let acceptor = acceptor.build();
        move |listener| {
            let (tcp, _) = listener.accept().expect("a connection");
            let below = tcp.try_clone().expect("a descriptor");
            let mut tls = match acceptor.accept(tcp) {
                Ok(tls) => tls,
                // Closing with input unread would be a reset, which overtakes the alert.
                Err(_) => {
                    let _ = below.shutdown(Shutdown::Write);
                    let _ = io::copy(&mut &below, &mut io::sink());
                    return;
                }
            };
            if tls.ssl_peek(&mut [0]).is_err() {
                return;
            }
            let name = tls.ssl().servername(NameType::HOST_NAME).unwrap_or("none").to_owned();
            let shown = tls.ssl().peer_certificate().is_some();
            let version = tls.ssl().version_str();
            let mut p = Peer::over(Box::new(tls), below);
            p.open();
            p.text(format!("{name} {shown} {version}"));
            p.close_first(1000, "done");
        }
    }
}

/// A run that trusts the authority.
fn trusting(files: &Files, args: &[&str]) -> Test {
    client(["-4", "--cacert", &files.path("ca.pem")]).args(args.iter().copied()).args([URL])
}

#[test]
fn the_name_asked_for_can_be_another_or_none() {
    let files = Files::new("other.example");
    trusting(&files, &["--sni", "other.example"])
        .server(files.serves(false))
        .stdout("other.example false TLSv1.3\n")
        .status(0);
    let files = Files::new("localhost");
    trusting(&files, &["--no-sni"])
        .server(files.serves(false))
        .stdout("none false TLSv1.3\n")
        .status(0);
    trusting(&files, &[]).server(files.serves(false)).stdout("localhost false TLSv1.3\n").status(0);
}

#[test]
fn a_client_shows_its_certificate() {
    let files = Files::new("localhost");
    let (certificate, key) = (files.path("client.pem"), files.path("client.key"));
    trusting(&files, &["--cert", &certificate, "--key", &key])
        .server(files.serves(true))
        .stdout("localhost true TLSv1.3\n")
        .status(0);
    trusting(&files, &[]).server(files.serves(true)).stderr("wscope: [..]\n...\n").status(6);
}

#[test]
fn a_server_that_asked_for_a_certificate_and_hangs_up_without_a_word_is_explained() {
    let files = Files::new("localhost");
    for (asks, explained) in [(true, true), (false, false)] {
        let mut acceptor =
            SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).expect("OpenSSL");
        acceptor
            .set_certificate_file(files.at("server.pem"), SslFiletype::PEM)
            .expect("a certificate");
        acceptor.set_private_key_file(files.at("server.key"), SslFiletype::PEM).expect("a key");
        if asks {
            acceptor.set_verify(SslVerifyMode::PEER);
        }
        let acceptor = acceptor.build();
        let output = trusting(&files, &[])
            .server(move |listener| {
                let (tcp, _) = listener.accept().expect("a connection");
                let below = tcp.try_clone().expect("a descriptor");
                let mut tls = acceptor.accept(tcp).expect("TLS");
                let _ = tls.ssl_peek(&mut [0]);
                let _ = below.shutdown(Shutdown::Write);
                let _ = io::copy(&mut &below, &mut io::sink());
            })
            .stderr_any()
            .status(10);
        let told = output.stderr();
        assert_eq!(told.contains("the server requires a client certificate"), explained, "{told}");
    }
}

#[test]
fn the_passphrase_of_a_key_comes_from_a_file_or_the_environment() {
    let files = Files::new("localhost");
    let pem = fs::read(files.at("client.key")).expect("a key");
    let key = openssl::pkey::PKey::private_key_from_pem(&pem).expect("a key");
    let cipher = openssl::symm::Cipher::aes_256_cbc();
    let sealed = key.private_key_to_pem_pkcs8_passphrase(cipher, b"hunter2").expect("OpenSSL");
    fs::write(files.at("sealed.key"), sealed).expect("a disk");
    files.write("pass", "hunter2\n");
    let (certificate, key) = (files.path("client.pem"), files.path("sealed.key"));
    let identity = ["--cert", &certificate, "--key", &key];
    let run = |more: &[&str]| trusting(&files, &[&identity[..], more].concat());
    for test in [
        run(&["--pass-file", &files.path("pass")]),
        run(&["--pass-env", "WORD"]).env("WORD", "hunter2"),
        run(&[]).env("WSCOPE_PASSPHRASE", "hunter2"),
    ] {
        test.server(files.serves(true)).stdout("localhost true TLSv1.3\n").status(0);
    }
    let output = run(&["-v", "--pass-env", "WORD"])
        .env("WORD", "hunter1")
        .server(files.serves(true))
        .stderr_any()
        .status(6);
    assert!(!output.stderr().contains("hunter1"), "{}", output.stderr());
}

#[test]
fn pipes_are_read_once() {
    let files = Files::new("localhost");
    let both = ["client.pem", "client.key"].map(|name| fs::read_to_string(files.at(name)));
    let both = both.map(|text| text.expect("a disk")).concat();
    let pem = fs::read_to_string(files.at("ca.pem")).expect("a disk");
    // Each gives its bytes to the first who reads them; a second one would wait for ever.
    let pipes = [("both", both), ("ca", pem), ("pass", "not needed\n".to_owned())];
    let writers = pipes.map(|(name, text)| {
        let path = files.at(name);
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
        std::thread::spawn(move || fs::write(path, text).expect("it is read"))
    });
    client(["-4", "--cacert", &files.path("ca"), "--cert", &files.path("both")])
        .args(["--pass-file", &files.path("pass"), "--retry", "1", "--retry-delay", "0", URL])
        .server({
            let serve = files.serves(true);
            // The first connection is reset, as something unread is there: all is set up anew for
            // the second.
            move |listener| {
                let (tcp, _) = listener.accept().expect("a client");
                tcp.peek(&mut [0]).expect("its hello");
                drop(tcp);
                serve(listener);
            }
        })
        .stdout("localhost true TLSv1.3\n")
        .stderr("wscope: note: the connection failed during the handshake: [..]; trying again in 0.0 s (attempt 1)\n")
        .status(0);
    writers.into_iter().for_each(|writer| writer.join().expect("a writer"));
}

#[test]
fn a_folder_of_authorities_may_hold_a_fifo() {
    let files = Files::new("localhost");
    fs::create_dir(files.at("folder")).expect("a disk");
    fs::copy(files.at("ca.pem"), files.at("folder/ca.pem")).expect("a disk");
    let fifo = files.at("folder/fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
    client(["-4", "--capath", &files.path("folder"), URL])
        .server(files.serves(false))
        .stdout("localhost false TLSv1.3\n")
        .status(0);
}

#[test]
fn a_pinned_key_is_the_only_one() {
    let files = Files::new("localhost");
    let wrong = "00".repeat(32);
    let output = trusting(&files, &["--pinned-sha256", &wrong])
        .server(files.serves(false))
        .stderr_any()
        .status(6);
    let told = output.stderr();
    let right = told.split("it is ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let right = right.unwrap_or_else(|| panic!("no pin in {told}"));
    // A pin holds even where nothing else is verified.
    for how in ["--insecure", "--no-sni"] {
        trusting(&files, &["--pinned-sha256", &wrong, "--pinned-sha256", right, how])
            .server(files.serves(false))
            .stdout_any()
            .status(0);
    }
}

#[test]
fn the_version_can_be_limited() {
    let files = Files::new("localhost");
    trusting(&files, &["--tls-max", "1.2"])
        .server(files.serves(false))
        .stdout("localhost false TLSv1.2\n")
        .status(0);
    // TLS 1.2 alone.
    let output = trusting(&files, &["--tls-min", "1.3"])
        .server(|listener| {
            let (mut tcp, _) = listener.accept().expect("a connection");
            let _ = tcp.write_all(b"\x15\x03\x03\0\x02\x02\x46");
            let _ = tcp.shutdown(Shutdown::Write);
            let _ = io::copy(&mut tcp, &mut io::sink());
        })
        .stderr_any()
        .status(6);
    let told = output.stderr();
    assert!(told.contains("limited by an option") && told.contains("--tls-min allows"), "{told}");
}

#[test]
fn secrets_are_written_for_wireshark() {
    let files = Files::new("localhost");
    let (option, variable) = (files.path("option.log"), files.path("variable.log"));
    trusting(&files, &["--tls-keylog", &option]).server(files.serves(false)).stdout_any().status(0);
    trusting(&files, &[])
        .env("SSLKEYLOGFILE", &variable)
        .server(files.serves(false))
        .stdout_any()
        .status(0);
    for path in [option, variable] {
        let text = fs::read_to_string(path).expect("a log");
        assert!(text.contains("CLIENT_TRAFFIC_SECRET_0 "), "{text}");
    }
}

#[test]
fn a_folder_of_authorities_is_trusted() {
    let files = Files::new("localhost");
    let folder = files.path("");
    client(["-4", "--capath", &folder, URL])
        .server(files.serves(false))
        .stdout("localhost false TLSv1.3\n")
        .status(0);
}
