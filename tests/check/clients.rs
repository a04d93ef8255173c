//! `--listen`: clients that are brought by commands, that come by themselves, and that a harness made
//! for another suite brings.

use std::fs;

use serde_json::Value;
use wscope::wire::{Control, OpCode};

use crate::frames::frame;
use crate::harness::{Server, receive, receive_close, wscope};
use crate::raw::UPGRADE;
use crate::{Served, check};

/// A command line that runs the binary with these options.
fn client(options: &str) -> String {
    format!("'{}' {options} {{url}}", env!("CARGO_BIN_EXE_wscope"))
}

/// Clients may come.
#[track_caller]
fn await_clients(args: &[&str]) -> Served {
    let mut command = wscope();
    command.args(["check", "--listen", "0"]).args(args);
    Served(Some(Server::start(&mut command)))
}

/// Its report, once it has ended by itself.
#[track_caller]
fn report(mut server: Served, status: i32) -> String {
    server.0.take().expect("it runs").ends(status).stdout
}

/// The answer to a plain request.
#[track_caller]
fn page(server: &Served, path: &str) -> (u16, String) {
    let mut raw = server.raw();
    raw.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    let text = String::from_utf8(raw.rest()).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
    (status.expect("a status"), body.to_owned())
}

#[test]
fn its_own_client_passes_what_a_command_brings_it_to() {
    let command = client("--echo");
    let cases = ["f/", "c/", "m/", "z/", "cl/"];
    let run = check(
        &[&["--listen", "0", "--strict", "--output", "json", "--exec", &command], &cases[..]]
            .concat(),
    );
    let bad: Vec<Value> =
        run.objects().into_iter().filter(|object| object["failed"] == true).collect();
    assert!(bad.is_empty() && run.status == Some(0), "{bad:#?}\n{}", run.stderr);
    for id in ["f/rsv1", "m/masked-text", "c/bad-1005", "z/text", "cl/accept-wrong", "cl/key-fresh"]
    {
        assert_eq!(run.verdict(id).0, "PASS", "{id}");
    }
    assert_eq!(run.verdict("cl/proto-case").0, "SKIP");
    assert_eq!(run.stderr, "");
}

#[test]
fn clients_are_tested_over_tls_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("certificate.pem");
    let path = path.to_str().expect("text");
    let command = client(&format!("--cacert {path} --echo"));
    let run = check(&[
        "--listen",
        "0",
        "--self-signed-out",
        path,
        "--exec",
        &command,
        "--output",
        "json",
        "f/ping",
        "f/rsv1",
        "cl/accept-wrong",
    ]);
    assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);
    assert_eq!(run.verdict("cl/accept-wrong").0, "PASS");
    let url = run.objects().pop().expect("a summary")["url"].to_string();
    assert!(url.starts_with("\"wss://127.0.0.1:"), "{url}");
    let missing = check(&["--listen", "0", "--cert", "/nowhere/at/all", "--exec", "true"]);
    assert_eq!(missing.status, Some(1), "{}", missing.stderr);
    assert!(missing.stderr.contains("/nowhere/at/all"), "{}", missing.stderr);
}

#[test]
fn a_client_that_lets_breaches_pass_fails_and_the_report_says_how_to_run_it_again() {
    let command = client("--lenient");
    let run = check(&["--listen", "0", "--exec", &command, "f/rsv1", "f/ping", "m/masked-text"]);
    assert_eq!(run.status, Some(13), "{}", run.stderr);
    let again =
        format!("wscope check --listen 0 --exec '{}' f/rsv1", command.replace('\'', r"'\''"));
    for line in [
        "FAIL  f/rsv1  a text frame with RSV1, nothing negotiated",
        "FAIL  m/masked-text  a masked text frame",
        "      got       the connection stays open: a ping is answered",
        &format!("      again     {again}"),
        "1 PASS, 2 FAIL",
    ] {
        assert!(run.stdout.lines().any(|own| own == line), "{line}\n{}", run.stdout);
    }
}

#[test]
fn one_command_gets_a_url_a_line_when_the_case_before_is_done() {
    let loop_ =
        format!("while read -r url; do '{}' --echo \"$url\"; done", env!("CARGO_BIN_EXE_wscope"));
    let run = check(&["--listen", "0", "--feed", &loop_, "--output", "json", "k/", "u/split-ok"]);
    assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);
    assert_eq!(run.verdict("k/ping-126"), ("PASS".into(), "Close 1002".into()));
}

#[test]
fn a_command_that_brings_nobody_is_one_sentence() {
    let run = check(&["--listen", "0", "--exec", "echo broken >&2; exit 3 #", "f/ping", "f/rsv1"]);
    assert_eq!(run.status, Some(4), "{}", run.stderr);
    let text = "stopped: no connection to test on: the command ended with status 3 before it connected (broken)";
    assert!(run.stdout.lines().any(|line| line == text), "{}", run.stdout);
}

#[test]
fn a_client_that_is_late_is_one_case_without_a_verdict() {
    let url = format!("case {{url}} in */f/rsv1/*) sleep 600;; *) {};; esac", client(""));
    let args = ["--listen", "0", "--exec", &url, "--connect-wait", "0.5", "--output", "json"];
    let run = check(&[&args[..], &["f/rsv1", "f/rsv2", "f/rsv3"]].concat());
    let late = "the command did not connect within 0.5 s";
    assert_eq!(run.verdict("f/rsv1"), ("INCONCLUSIVE".into(), late.into()), "{}", run.stdout);
    assert_eq!((run.verdict("f/rsv3").0.as_str(), run.status), ("PASS", Some(0)));
}

#[test]
fn a_client_that_takes_any_101_fails() {
    let server = await_clients(&["cl/accept-wrong", "cl/status-200", "cl/proto-unoffered"]);
    for path in ["/cl/accept-wrong", "/c/cl/status-200", "/"] {
        let mut raw = server.raw();
        raw.ask(path, UPGRADE);
        let (opcode, payload) = raw.receive_frame();
        assert_eq!(opcode, OpCode::Control(Control::Ping));
        match path {
            // It is gone, as it must be.
            "/" => raw.hang_up(),
            _ => raw.frame(frame(OpCode::Control(Control::Pong), payload)),
        }
        raw.rest();
    }
    let text = report(server, 13);
    assert!(text.contains("FAIL  cl/accept-wrong  a wrong Sec-WebSocket-Accept\n"), "{text}");
    assert!(text.contains("got       the connection opens: a ping is answered\n"), "{text}");
    assert!(text.ends_with("\n1 PASS, 2 FAIL\n"), "{text}");
}

#[test]
fn a_client_that_comes_back_is_told_from_one_that_does_not() {
    let server = await_clients(&["--stress", "cl/reconnect", "--output", "json"]);
    // The client of an application goes where its URL leads, whatever path that has.
    for path in ["/cl/reconnect", "/", "/chat", "/", "/"] {
        let mut raw = server.raw();
        raw.ask(path, UPGRADE);
        raw.end();
    }
    let text = report(server, 0);
    let case: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert!(case["got"].as_str().is_some_and(|got| got.starts_with("it connects again")), "{text}");
    assert!(case["measured"].as_str().is_some_and(|text| text.starts_with("after ")), "{text}");
    let command = client("--echo");
    let args = ["--listen", "0", "--stress", "--exec", &command, "--output", "json"];
    let run = check(&[&args[..], &["cl/reconnect", "f/ping"]].concat());
    let got = "it does not connect again";
    assert_eq!(run.verdict("cl/reconnect"), ("INFO".to_owned(), got.to_owned()));
    assert_eq!((run.verdict("f/ping").0.as_str(), run.status), ("PASS", Some(0)));
}

/// Nothing tells it from the client that may come back: a harness would lose its next case.
#[test]
fn a_client_at_the_root_gets_the_next_case_while_another_may_come_back() {
    let server = await_clients(&["--stress", "cl/reconnect", "f/ping", "--output", "json"]);
    let end = |path: &str| {
        let mut raw = server.raw();
        raw.ask(path, UPGRADE);
        raw.end();
    };
    end("/cl/reconnect");
    let mut raw = server.raw();
    raw.ask("/", UPGRADE);
    let (opcode, payload) = raw.receive_frame();
    assert_eq!((opcode, &payload[..]), (OpCode::Control(Control::Ping), &b"wscope check"[..]));
    raw.frame(frame(OpCode::Control(Control::Pong), payload));
    raw.rest();
    (0..4).for_each(|_| end("/cl/reconnect"));
    let text = report(server, 0);
    let case = |id: &str| {
        let mut lines = text.lines().map(|it| serde_json::from_str::<Value>(it).expect("JSON"));
        lines.find(|it| it["id"] == id).expect("a case")
    };
    assert_eq!(case("f/ping")["verdict"], "PASS", "{text}");
    let got = case("cl/reconnect")["got"].to_string();
    assert!(got.starts_with("\"it connects again"), "{got}");
}

#[test]
fn a_client_whose_request_breaks_a_rule_fails() {
    let server = await_clients(&["f/ping"]);
    let mut raw = server.raw();
    raw.send(
        "GET /f/ping HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hvcnQ=\r\n\r\n",
    );
    assert!(raw.rest().starts_with(b"HTTP/1.1 400 "));
    let text = report(server, 13);
    assert!(text.contains("FAIL  f/ping  a ping\n") && text.contains("16 bytes"), "{text}");
}

#[test]
fn mask_keys_that_repeat_fail() {
    let server = await_clients(&["cl/mask-random"]);
    let mut raw = server.raw();
    raw.ask("/cl/mask-random", UPGRADE);
    loop {
        let (opcode, payload) = raw.receive_frame();
        if opcode != OpCode::Control(Control::Ping) {
            break;
        }
        // `frame` masks with one key.
        raw.frame(frame(OpCode::Control(Control::Pong), payload));
    }
    raw.hang_up();
    let text = report(server, 13);
    assert!(text.contains("got       the same mask key for several frames\n"), "{text}");
}

#[test]
fn a_page_runs_the_cases_in_a_browser() {
    let server = await_clients(&["f/ping", "f/rsv1"]);
    let (status, text) = page(&server, "/");
    assert!(status == 200 && text.starts_with("<!doctype html>"), "{text}");
    let cases: Value = serde_json::from_str(&page(&server, "/cases").1).expect("JSON");
    assert_eq!(cases[1]["id"], "f/rsv1");
    assert_eq!(page(&server, "/result?id=f/ping"), (200, "null".to_owned()));
    let mut client = server.client_of(format!("{}f/ping", server.url()));
    // It answers the ping as it reads on.
    while client.read().is_ok() {}
    let result = page(&server, "/result?id=f%2Fping").1;
    assert_eq!(result, r#"{"got":"the pong","verdict":"PASS"}"#);
    assert_eq!(page(&server, "/f/unknown").0, 404);
    assert_eq!(page(&server, "/done"), (200, "true".to_owned()));
    let text = report(server, 0);
    assert!(
        text.ends_with(
            "\nINCONCLUSIVE  1 case: no client connected for it\n\n1 PASS, 1 INCONCLUSIVE\n"
        ),
        "{text}"
    );
}

#[test]
fn a_harness_made_for_autobahn_works_as_it_is() {
    let server = await_clients(&["--echo", "no", "f/ping", "f/rsv1", "c/1000"]);
    let url = |path: &str| format!("{}{path}", server.url());
    let ask = |path: &str| {
        let mut client = server.client_of(url(path));
        let text = receive(&mut client);
        assert_eq!(receive_close(&mut client).0, 1000);
        while client.read().is_ok() {}
        text
    };
    assert_eq!(ask("getCaseCount"), "3");
    let info: Value = serde_json::from_str(&ask("getCaseInfo?case=2")).expect("JSON");
    assert_eq!(info["id"], "f/rsv1");
    for number in 1..=3 {
        let mut client = server.client_of(url(&format!("runCase?case={number}&agent=test")));
        while client.read().is_ok() {}
    }
    assert_eq!(ask("getCaseStatus?case=1&agent=test"), r#"{"behavior":"OK"}"#);
    let mut client = server.client_of(url("updateReports?agent=test"));
    assert_eq!(receive_close(&mut client).0, 1000);
    while client.read().is_ok() {}
    assert!(report(server, 0).starts_with("passed: the clients of ws://127.0.0.1:"));
}

#[test]
fn a_harness_gets_no_response_that_opens_nothing_unless_a_pattern_names_it() {
    let server = await_clients(&["--output", "json"]);
    let mut client = server.client_of(format!("{}getCaseCount", server.url()));
    let count: usize = receive(&mut client).parse().expect("a number");
    let mut client = server.client_of(format!("{}runCase?case=1", server.url()));
    while client.read().is_ok() {}
    let mut client = server.client_of(format!("{}updateReports", server.url()));
    while client.read().is_ok() {}
    let text = report(server, 0);
    let objects = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let objects: Vec<Value> = objects.collect();
    let of = |verdict: &str| objects.iter().filter(|object| object["verdict"] == verdict).count();
    assert_eq!((of("PASS"), of("INCONCLUSIVE")), (1, count - 1));
    assert_eq!(objects.len(), count + of("SKIP") + 1);
}

#[test]
fn without_a_case_that_ran_nothing_is_shown() {
    let server = await_clients(&[]);
    page(&server, "/done");
    let text = report(server, 13);
    assert!(text.contains("stopped: the clients ran no case\n"), "{text}");
}

#[test]
fn a_signal_ends_it_with_a_report() {
    let server = await_clients(&["f/ping"]);
    let mut raw = server.raw();
    raw.ask("/f/ping", UPGRADE);
    assert_eq!(raw.receive_frame().0, OpCode::Control(Control::Ping));
    let printed = server.interrupt();
    assert!(printed.stdout.contains("stopped: interrupted\n"), "{}", printed.stdout);
}

#[test]
fn recordings_of_what_did_not_pass_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("kept");
    let command = client("--lenient");
    let run = check(&[
        "--listen",
        "0",
        "--exec",
        &command,
        "--transcripts",
        path.to_str().expect("text"),
        "f/rsv1",
        "f/ping",
    ]);
    assert_eq!(run.status, Some(13), "{}", run.stderr);
    let names: Vec<_> = fs::read_dir(&path)
        .expect("a folder")
        .map(|entry| entry.expect("a file").file_name())
        .collect();
    assert_eq!(names, ["f-rsv1.jsonl"]);
    let shown = wscope().arg("show").arg(path.join("f-rsv1.jsonl")).output().expect("it runs");
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains("W602") && text.contains("PONG"), "{text}");
}

#[test]
fn cases_of_clients_are_listed_and_explained() {
    let run = check(&["--list", "--listen"]);
    assert!(run.stdout.contains("cl/accept-wrong") && !run.stdout.contains("h/key-15"));
    let run = check(&["--show", "m/masked-text"]);
    for line in ["  $ wscope listen --no-compress 9001", "  /frame text mask=01020304 wscope check"]
    {
        assert!(run.stdout.lines().any(|own| own == line), "{}", run.stdout);
    }
    let run = check(&["--listen", "0", "-H", "A: b"]);
    assert_eq!(run.status, Some(2), "{}", run.stderr);
    let run = check(&["--listen", "f/rsv1"]);
    assert!(run.stderr.contains("\"f/rsv1\" is not a listen address"), "{}", run.stderr);
    let run = check(&["--listen", "0", "--exec", "true", "h/key-15"]);
    assert!(run.stderr.contains("no case matches \"h/key-15\""), "{}", run.stderr);
}
