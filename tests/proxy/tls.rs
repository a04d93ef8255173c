//! TLS with the client, with the server, with both.

use std::process::Output;

use crate::harness::{listen, wscope};
use crate::upstream::proxy;

fn echoed(url: &str, args: &[&str]) -> Output {
    wscope().args([url, "-x", "hi", "-w", "0.2"]).args(args).output().expect("a run")
}

#[test]
fn tls_is_spoken_with_either_end() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    let (theirs, ours) = (path("server.pem"), path("proxy.pem"));
    let server = listen(["--echo", "--self-signed-out", &theirs]);
    let proxy = proxy(server.url(), &["--cacert", &theirs, "--self-signed-out", &ours]);
    assert!(proxy.url().starts_with("wss://"), "{}", proxy.url());
    let run = echoed(proxy.url(), &["--cacert", &ours]);
    assert_eq!(String::from_utf8_lossy(&run.stdout), "hi\n", "{run:?}");
    let said = proxy.stdout.wait_for("closed with");
    assert!(said.contains("certificate verified"), "{said}");
    for side in ["client: TLS 1.3", "server: TLS 1.3"] {
        assert_eq!(said.matches(&format!("[1] TLS with the {side}")).count(), 1, "{said}");
    }
    proxy.interrupt();
    server.interrupt();
}

#[test]
fn a_server_without_trust_is_a_502_and_a_diagnosis() {
    let server = listen(["--echo", "--self-signed"]);
    let strict = proxy(server.url(), &[]);
    let run = echoed(strict.url(), &[]);
    assert_eq!(run.status.code(), Some(7), "{run:?}");
    strict.stdout.wait_for("error[W2");
    strict.interrupt();
    let lax = proxy(server.url(), &["-k"]);
    assert_eq!(String::from_utf8_lossy(&echoed(lax.url(), &[]).stdout), "hi\n");
    lax.interrupt();
    server.interrupt();
}
