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
        p.close_first(1000, "done");
    };
    client(["--from-curl", &copied.replace("X: 1", "X: 2")])
        .peer(served)
        .stderr("wscope: note: Sec-WebSocket-Key is omitted: [..]\n")
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
             wscope: note: would send b.example as SNI\n\
             wscope: note: secrets are replaced by …; --show-secrets shows them\n",
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

/// What a command gives the program that it runs, one argument in each line.
fn arguments(command: &str, variables: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let curl = folder.path().join("curl");
    std::fs::write(&curl, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").expect("written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&curl, mode).expect("its owner");
    let path = format!("{}:/bin:/usr/bin", folder.path().display());
    let output = std::process::Command::new("/bin/sh")
        .args(["-c", command])
        .env_clear()
        .env("PATH", path)
        .envs(variables.iter().copied())
        .output()
        .expect("a shell");
    assert!(output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().filter(|line| !line.contains("Sec-WebSocket-Key")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_printed_command_runs_with_variables_for_its_secrets() {
    let args = [
        "--bearer",
        "ecretTOKEN",
        "-H",
        "X-Api-Key: k3y!\"`",
        "--cookie",
        "sid=0123456789",
        "-k",
        "--proxy",
        "http://me:pa55w0rd@p.invalid:3128",
        "wss://a.example/?token=t0ken&x=1",
    ];
    let run = |more: &[&str]| {
        let test = Test::new().args(["--curl"]).args(more.iter().copied()).args(args);
        test.stdout_any().stderr_any().status(0)
    };
    let (open, hidden) = (run(&["--show-secrets"]), run(&[]));
    for secret in ["ecretTOKEN", "k3y", "0123456789", "pa55", "t0ken"] {
        assert!(!hidden.stdout().contains(secret) && !hidden.stderr().contains(secret));
        assert!(open.stdout().contains(secret), "{}", open.stdout());
    }
    assert!(hidden.stdout().contains("-H \"Authorization: Bearer $WSCOPE_SECRET_1\""));
    assert!(!hidden.stdout().contains('…'));
    assert_eq!(
        hidden.stderr(),
        "wscope: note: the command takes secrets from shell variables: set WSCOPE_SECRET_1 (Authorization), \
         WSCOPE_SECRET_2 (X-Api-Key), WSCOPE_SECRET_3 (Cookie), WSCOPE_SECRET_4 (the proxy), \
         WSCOPE_SECRET_5 (the URL) first, or add --show-secrets\n"
    );
    assert_eq!(open.stderr(), "");
    let values = [
        ("WSCOPE_SECRET_1", "ecretTOKEN"),
        ("WSCOPE_SECRET_2", "k3y!\"`"),
        ("WSCOPE_SECRET_3", "sid=0123456789"),
        ("WSCOPE_SECRET_4", "me:pa55w0rd"),
        ("WSCOPE_SECRET_5", "t0ken"),
    ];
    assert_eq!(arguments(hidden.stdout(), &values), arguments(open.stdout(), &[]));
}

#[test]
fn where_nothing_is_hidden_nothing_is_said_of_it() {
    for what in ["--curl", "--dry-run"] {
        let output = Test::new()
            .args([what, "-H", "X-A: b", "ws://a.example/?x=1"])
            .stdout_any()
            .stderr_any()
            .status(0);
        assert!(!output.stderr().contains("secret"), "{}", output.stderr());
    }
}
