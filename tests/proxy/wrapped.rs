//! `wscope proxy … -- CMD`: a program that uses the proxy, and whose status is the proxy's.

use std::io::Read;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::harness::{listen, wscope};

/// The proxy with a folder for its authority.
fn proxy(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = wscope();
    command.args(["proxy", "--ca-dir"]).arg(folder.path().join("ca")).args(args);
    command
}

/// The proxy before one server.
fn proxy_to(args: &[&str]) -> Command {
    let mut command = wscope();
    command.arg("proxy").args(args);
    command
}

fn run(args: &[&str]) -> Output {
    let folder = TempDir::new().expect("a folder");
    proxy(&folder, args).output().expect("a run")
}

#[test]
fn its_status_is_ours() {
    for (script, status) in
        [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143)]
    {
        assert_eq!(run(&["-q", "--", "sh", "-c", script]).status.code(), Some(status), "{script}");
    }
    let missing = run(&["0", "--", "/nonexistent/program", "-x"]);
    assert_eq!(missing.status.code(), Some(127), "{missing:?}");
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(said.contains("can't run /nonexistent/program: no such file"), "{said}");
    assert_eq!(run(&["-q", "--", "/"]).status.code(), Some(126));
}

#[test]
fn its_traffic_passes_here_and_its_stdout_is_its_own() {
    let folder = TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    let (certificate, log) = (path("server.pem"), path("log.jsonl"));
    let server = listen(["--echo", "--self-signed-out", &certificate]);
    let url = format!("wss://localhost:{}/", server.port());
    let program = wscope().get_program().to_str().expect("text").to_owned();
    let args =
        ["--cacert", &certificate, "--log", &log, "--", &program, &url, "-x", "hi", "-w", "0.2"];
    // A list of exceptions would keep it from the proxy.
    let ran = proxy(&folder, &args).env("no_proxy", "localhost").output().expect("a run");
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "hi\n");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(
        said.contains("TEXT F1M 4→2 hi") && said.contains("the client closed with 1000"),
        "{said}"
    );
    let logged = std::fs::read_to_string(&log).expect("a log");
    assert!(
        logged.lines().last().is_some_and(|line| line.contains("\"event\":\"end\"")),
        "{logged}"
    );
    server.interrupt();
}

#[test]
fn it_finds_the_proxy_and_the_trust_in_its_variables() {
    let script = "echo $http_proxy $HTTPS_PROXY; [ -z \"$NO_PROXY$no_proxy\" ] || echo exceptions; \
                  cat \"$SSL_CERT_FILE\" | tail -1; cat \"$NODE_EXTRA_CA_CERTS\" | head -1";
    let folder = TempDir::new().expect("a folder");
    let args = ["-u", "me:p@ss", "-q", "--", "sh", "-c", script];
    let ran = proxy(&folder, &args).env("NO_PROXY", "*").output().expect("a run");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let lines: Vec<&str> = said.lines().collect();
    let [urls, end, begin] = lines[..] else { panic!("{said} {ran:?}") };
    let (one, two) = urls.split_once(' ').expect("two");
    assert!(one == two && one.starts_with("http://me:p%40ss@127.0.0.1:"), "{urls}");
    assert_eq!((end, begin), ("-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----"));
    assert_eq!(String::from_utf8_lossy(&ran.stderr).replace("wscope: note: ", ""), "");
}

#[test]
fn signals_are_for_it() {
    let script = "trap 'echo interrupted; exit 3' INT; trap 'echo ended; exit 4' TERM; echo ready; \
                  while :; do read -r line < /dev/zero 2>/dev/null & wait; done";
    for (signal, word, status) in [(Signal::INT, "interrupted", 3), (Signal::TERM, "ended", 4)] {
        let folder = TempDir::new().expect("a folder");
        let mut command = proxy(
            &folder,
            &[
                "-q",
                "--",
                "sh",
                "-c",
                &script.replace("read -r line < /dev/zero 2>/dev/null", "cat <&3"),
            ],
        );
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut stdout = child.stdout.take().expect("piped");
        let mut first = [0; 6];
        stdout.read_exact(&mut first).expect("a word");
        assert_eq!(&first, b"ready\n");
        kill_process(Pid::from_child(&child), signal).expect("it runs");
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).expect("text");
        assert_eq!(rest.trim(), word);
        assert_eq!(child.wait().expect("our child").code(), Some(status));
    }
}

#[test]
fn the_time_is_for_both() {
    assert_eq!(run(&["-q", "--max-time", "0.3", "--", "sleep", "60"]).status.code(), Some(12));
}

#[test]
fn before_one_server_it_finds_the_url_in_its_words_and_variables() {
    let server = listen(["--echo"]);
    let to = format!("ws://127.0.0.1:{}/", server.port());
    let program = wscope().get_program().to_str().expect("text").to_owned();
    let args = ["--to", &to, "--", &program, "{url}there?a={b}", "-x", "hi", "-w", "0.2"];
    let ran = proxy_to(&args).output().expect("a run");
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "hi\n");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(said.contains("GET /there?a={b} HTTP/1.1"), "{said}");

    let script = "echo $WSCOPE_URL ws://127.0.0.1:$WSCOPE_PORT/ $no_proxy $http_proxy; exit 5";
    let args = ["-q", "--to", &to, "--", "sh", "-c", script];
    let environment = [("no_proxy", "here"), ("http_proxy", "http://127.0.0.1:1")];
    let ran = proxy_to(&args).envs(environment).output().expect("a run");
    assert_eq!(ran.status.code(), Some(5), "{ran:?}");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let [url, again, exception, another] = said.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{said}")
    };
    assert_eq!((url, exception, another), (again, "here", "http://127.0.0.1:1"));
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
    server.interrupt();
}

#[test]
fn before_one_server_the_url_says_whether_clients_need_tls() {
    let args = ["-q", "--to", "ws://127.0.0.1:1", "--self-signed", "--", "echo", "{url}"];
    let said = proxy_to(&args).output().expect("a run").stdout;
    assert!(said.starts_with(b"wss://127.0.0.1:"), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn what_has_no_sense_is_wrong_usage() {
    for (args, word) in [
        (&["--output", "json", "--", "true"][..], "--log FILE"),
        (&["--unix-socket", "/x", "--", "true"], "--to"),
        (&["--to", "ws://x", "-u", "a:b", "--", "true"], "can't be combined with"),
        (&["--input", "commands", "--", "true"], "can't be combined with"),
        (&["--script", "-", "--", "true"], "stdin, which belongs to CMD"),
        (&[][..], "PORT"),
    ] {
        let ran = run(args);
        assert_eq!(ran.status.code(), Some(2), "{args:?} {ran:?}");
        assert!(String::from_utf8_lossy(&ran.stderr).contains(word), "{args:?} {ran:?}");
    }
}
