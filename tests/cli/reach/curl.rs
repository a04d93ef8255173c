//! `--from-curl`, `--curl` and `--dry-run`.

use super::{client, values};
use crate::harness::Test;

#[test]
fn a_copied_command_becomes_the_connection() {
    let copied = "curl 'ws://127.0.0.1:{port}/chat' -H 'Origin: https://a.example' \
        -H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' -H 'Cookie: a=b' -H 'X: 1' \
        -H 'Sec-WebSocket-Protocol: chat'";
    let served = |p: &mut crate::peer::Peer| {
        let request = p.open_with("Sec-WebSocket-Protocol: chat\r\n");
        assert!(request.raw().starts_with(b"GET /chat "));
        assert_eq!(values(&request, "Origin"), ["https://a.example"]);
        assert_eq!(values(&request, "Cookie"), ["a=b"]);
        assert_eq!(values(&request, "Sec-WebSocket-Protocol"), ["chat"]);
        assert_eq!(values(&request, "X"), ["2"]);
        assert_ne!(values(&request, "Sec-WebSocket-Key"), ["AAAAAAAAAAAAAAAAAAAAAA=="]);
        p.close_first(1000, "");
    };
    client(["--from-curl", &copied.replace("X: 1", "X: 2")])
        .peer(served)
        .stderr("wscope: note: Sec-WebSocket-Key is left out: [..]\n")
        .status(0);
}

#[test]
fn there_and_back_it_is_the_same_request() {
    let given = ["-u", "me:pw", "-o", "https://a.example", "-s", "chat", "-H", "X: it's", "-k"];
    let url = "wss://a.example/chat?x=1";
    let curl = Test::new()
        .args(["--curl", "--show-secrets", "-q"])
        .args(given)
        .args([url])
        .stdout_any()
        .status(0);
    assert!(curl.stdout().contains("--insecure \\\n"), "{}", curl.stdout());
    let dry = |args: &[&str], stdin: &str| {
        let output = Test::new()
            .args(["--dry-run", "-q", "--show-secrets"])
            .args(args.iter().copied())
            .stdin(stdin)
            .stdout_any()
            .status(0);
        let mut lines: Vec<String> =
            output.stdout().lines().filter(|l| !l.contains("-Key")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let again = dry(&["--from-curl", "-"], curl.stdout());
    assert_eq!(again, dry(&[&given[..], &[url]].concat(), ""));
}

#[test]
fn a_dry_run_prints_where_to_and_what() {
    Test::new()
        .args(["--dry-run", "--proxy", "http://u:pw@p.invalid:1", "--sni", "b.example"])
        .args(["wss://u:pw@a.example/"])
        .stdout_like(
            "GET / HTTP/1.1\r\nHost: a.example\r\n...\nAuthorization: Basic …\r\n\r\n",
        )
        .stderr(
            "wscope: note: would connect to a.example:443 through the proxy http://…@p.invalid:1 (--proxy)\n\
             wscope: note: would ask for b.example in TLS\n",
        )
        .status(0);
}

#[test]
fn exit_2_for_what_is_no_curl_command() {
    Test::new()
        .args(["--from-curl", "wget x"])
        .stderr("wscope: the command does not begin with curl, [..]\n")
        .status(2);
}
