//! TLS on its way through a forward proxy: decrypted with certificates of its own, or left alone.

use std::net::TcpStream;
use std::process::Output;

use openssl::ssl::{SslConnector, SslMethod, SslStream};
use openssl::x509::X509;
use tempfile::TempDir;

use crate::forward::{Forward, forward};
use crate::harness::{Server, listen, wscope};
use crate::raw::UPGRADE;
use crate::upstream::Upstream;

/// A server under TLS, and its certificate.
struct Secure {
    server: Server,
    folder: TempDir,
}

impl Secure {
    fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("server.pem");
        let server = listen(["--echo", "--self-signed-out", path.to_str().expect("text")]);
        Self { server, folder }
    }

    fn certificate(&self) -> String {
        self.folder.path().join("server.pem").to_str().expect("text").to_owned()
    }

    fn url(&self, host: &str) -> String {
        format!("wss://{host}:{}/", self.server.port())
    }
}

fn echoed(url: &str, args: &[&str]) -> Output {
    wscope().args([url, "-x", "hi", "-w", "0.2"]).args(args).output().expect("a run")
}

#[test]
fn tls_is_read_on_its_way() {
    let secure = Secure::start();
    let proxy = forward(&["--cacert", &secure.certificate()]);
    let authority = proxy.authority();
    for (scheme, host) in [
        ("http", "localhost"),
        ("http", "127.0.0.1"),
        ("socks5h", "localhost"),
        ("socks5", "127.0.0.1"),
    ] {
        let way = proxy.address(scheme);
        let run = echoed(&secure.url(host), &["--proxy", &way, "--cacert", &authority]);
        assert_eq!(String::from_utf8_lossy(&run.stdout), "hi\n", "{scheme} {host}: {run:?}");
    }
    let said = proxy.interrupt();
    assert_eq!(said.matches(" hi\n").count(), 8, "{said}");
    assert_eq!(said.matches("certificate verified").count(), 4, "{said}");
    secure.server.interrupt();
}

/// TLS through a tunnel, with the proxy's authority alone to trust.
fn secured(proxy: &Forward, host: &str, port: u16) -> SslStream<TcpStream> {
    let tunnel = proxy.tunnel(port);
    let mut builder = SslConnector::builder(SslMethod::tls_client()).expect("OpenSSL");
    builder.set_ca_file(proxy.authority()).expect("a certificate");
    builder.set_alpn_protos(b"\x02h2\x08http/1.1").expect("names");
    let tcp = tunnel.tcp().try_clone().expect("a descriptor");
    builder.build().connect(host, tcp).expect("a handshake")
}

#[test]
fn a_certificate_is_made_for_each_name() {
    let (upstream, proxy) = (Upstream::new(), forward(&[]));
    let port = upstream.port();
    let leaf = |host: &str| -> X509 {
        let stream = secured(&proxy, host, port);
        let ssl = stream.ssl();
        // The authority is sent along, and of ALPN only HTTP/1.1 is taken.
        assert_eq!(ssl.peer_cert_chain().expect("a chain").len(), 2);
        assert_eq!(ssl.selected_alpn_protocol(), Some(&b"http/1.1"[..]));
        ssl.peer_certificate().expect("a certificate")
    };
    let (one, two, address) = (leaf("one.example"), leaf("two.example"), leaf("127.0.0.1"));
    let serial = |leaf: &X509| leaf.serial_number().to_bn().expect("a number");
    assert_ne!(serial(&one), serial(&two));
    assert_eq!(serial(&one), serial(&leaf("one.example")), "it is kept");
    let days = one.not_before().diff(one.not_after()).expect("times").days;
    assert!(days <= 199, "{days} days");
    let names = address.subject_alt_names().expect("names");
    assert_eq!(names[0].ipaddress(), Some(&[127, 0, 0, 1][..]));
    assert!(one.authority_key_id().is_some() && one.subject_key_id().is_none());
    proxy.interrupt();
}

#[test]
fn a_client_without_trust_is_named_with_the_cure() {
    let secure = Secure::start();
    let proxy = forward(&["-k"]);
    let run = echoed(&secure.url("localhost"), &["--proxy", &proxy.address("http")]);
    assert_eq!(run.status.code(), Some(6), "{run:?}");
    let said = proxy.stdout.wait_for("error[W368]");
    assert!(said.contains("alert 48 (unknown_ca)"), "{said}");
    proxy.stdout.wait_for("wscope ca trust-help");
    proxy.interrupt();
    secure.server.interrupt();
}

#[test]
fn a_server_without_trust_is_a_502_inside_tls() {
    let secure = Secure::start();
    let proxy = forward(&[]);
    let args = ["--proxy", &proxy.address("http"), "--cacert", &proxy.authority()];
    let run = echoed(&secure.url("localhost"), &args);
    assert_eq!(run.status.code(), Some(7), "{run:?}");
    assert!(String::from_utf8_lossy(&run.stderr).contains("502"), "{run:?}");
    let said = proxy.stdout.wait_for("error[W208]");
    assert!(said.contains("answered 502: the certificate of localhost is not accepted"), "{said}");
    proxy.interrupt();
    secure.server.interrupt();
}

#[test]
fn some_hosts_are_left_alone() {
    let secure = Secure::start();
    let port = secure.server.port();
    for args in [
        &["--tunnel", "LOCAL*"][..],
        &["--tunnel", &format!("localhost:{port}"), "--intercept", "localhost"],
        &["--intercept", "*.example"],
    ] {
        let proxy = forward(args);
        let certificate = secure.certificate();
        let way = ["--proxy", &proxy.address("http"), "--cacert", &certificate];
        let run = echoed(&secure.url("localhost"), &way);
        assert_eq!(String::from_utf8_lossy(&run.stdout), "hi\n", "{args:?} {run:?}");
        let said = proxy.stdout.wait_for(" back");
        let line = said.lines().last().expect("lines");
        assert!(line.starts_with("* [1] tunnelled, not decrypted: "), "{line}");
        assert!(line.contains(&format!(" to localhost:{port}, ")), "{line}");
        assert!(!said.contains("GET /"), "{said}");
        proxy.interrupt();
    }
    secure.server.interrupt();
}

#[test]
fn what_is_tunnelled_needs_no_authority() {
    let run = wscope().args(["proxy", "0", "--max-time", "0.1", "--ca-dir", "/proc/none"]).output();
    assert_eq!(run.expect("a run").status.code(), Some(1));
    let mut command = wscope();
    command.args(["proxy", "0", "--max-time", "0.1", "--ca-dir", "/proc/none", "--tunnel", "*"]);
    assert_eq!(command.output().expect("a run").status.code(), Some(12));
}

#[test]
fn a_request_in_absolute_form_may_ask_for_tls() {
    let secure = Secure::start();
    let proxy = forward(&["--cacert", &secure.certificate()]);
    let mut client = proxy.raw();
    let port = secure.server.port();
    client.send(format!(
        "GET https://localhost:{port}/ HTTP/1.1\r\nHost: localhost:{port}\r\n{UPGRADE}\r\n"
    ));
    assert_eq!(client.response().status(), 101);
    drop(client);
    proxy.interrupt();
    secure.server.interrupt();
}

#[test]
fn a_proxy_may_itself_be_reached_by_tls() {
    let secure = Secure::start();
    let folder = TempDir::new().expect("a folder");
    let own = folder.path().join("proxy.pem");
    let own = own.to_str().expect("text");
    let proxy = forward(&["--cacert", &secure.certificate(), "--self-signed-out", own]);
    assert!(proxy.url().starts_with("https://"), "{}", proxy.url());
    let both = folder.path().join("both.pem");
    let read = |path: &str| std::fs::read_to_string(path).expect("a certificate");
    std::fs::write(&both, read(own) + &read(&proxy.authority())).expect("written");
    let way = proxy.address("https").replace("127.0.0.1", "localhost");
    let args = ["--proxy", &way, "--cacert", both.to_str().expect("text")];
    let run = echoed(&secure.url("localhost"), &args);
    assert_eq!(String::from_utf8_lossy(&run.stdout), "hi\n", "{run:?}");
    proxy.interrupt();
    secure.server.interrupt();
}
