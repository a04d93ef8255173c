//! Which cases run, and what a run may do.

use rustix::process::Signal;

use crate::{check, listen};

#[test]
fn the_list_and_the_explanation_need_no_server() {
    let list = check(&["--list"]);
    assert_eq!((list.status, list.stderr.as_str()), (Some(0), ""));
    let line = "f/rsv1             must   a text frame with RSV1, nothing negotiated";
    assert!(list.stdout.lines().any(|shown| shown == line), "{}", list.stdout);
    assert!(list.stdout.contains(" cases: as many connections and about "));
    let some = check(&["--list", "c/bad-*", "--output", "json"]);
    assert_eq!(some.objects().len(), 10);
    assert!(some.objects().iter().all(|case| case["rule"]["says"].is_string()));
    let shown = check(&["--show", "f/rsv1"]);
    let by_hand =
        "\nBy hand:\n\n  $ wscope --no-compress URL\n  /frame text rsv1=on wscope check\n";
    assert!(shown.stdout.ends_with(by_hand), "{}", shown.stdout);
    assert!(shown.stdout.contains("\nAutobahn  3.3\n"));
    let raw = check(&["--show", "h/space-colon"]).stdout;
    assert!(raw.contains("\n  X-Wscope : a\\r\\n\n"), "{raw}");
}

#[test]
fn wrong_patterns_and_empty_selections_are_wrong_usage() {
    let server = listen([""; 0]);
    for (args, error) in [
        (&["f/nothing"][..], "no case matches \"f/nothing\"; wscope check --list lists them"),
        (&["@foo"], "no case matches \"@foo\"; wscope check --list lists them"),
        (&[""], "no case matches \"\"; wscope check --list lists them"),
        (&["f/", "!f/"], "no case is left: the patterns and options exclude all of them"),
        (&["l/msg-16m"], "l/msg-16m needs --intrusive"),
        (&["--no-data", "f/len-125"], "f/len-125 needs to be run without --no-data"),
        (
            &["--report", "xml=a"],
            "--report xml=a: write FORMAT=FILE, with text, json, junit, tap or github as FORMAT",
        ),
    ] {
        let run = check(&[&[server.url()], args].concat());
        assert_eq!(run.stderr, format!("wscope: {error}\n"));
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""));
    }
    let run = check(&["f/rsv1"]);
    let error = "f/rsv1 is a case; name the server before it: wscope check URL f/rsv1";
    assert_eq!((run.status, run.stderr), (Some(2), format!("wscope: {error}\n")));
    assert_eq!(check(&["--show", "f/nothing"]).status, Some(2));
    assert_eq!(check(&[]).status, Some(2));
}

#[test]
fn options_that_would_do_nothing_are_wrong_usage() {
    let client = ["--listen", "0"];
    for (args, error) in [
        (&["ws://127.0.0.1:1", "--no-compress"][..], "check has no compression options"),
        (&["ws://127.0.0.1:1", "--connect-wait", "1"], "--listen"),
        (&["ws://127.0.0.1:1", "--self-signed"], "--listen"),
        (&["ws://127.0.0.1:1", "--exec", "true"], "--listen"),
    ] {
        let run = check(args);
        assert!(run.stderr.contains(error), "{args:?}: {}", run.stderr);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{args:?}");
    }
    for (args, error) in [
        (&["-j", "2"][..], "with --listen, --jobs needs --exec"),
        (&["--feed", "cat", "-j", "2"], "with --listen, --jobs needs --exec"),
        (&["--connect-wait", "1"], "with --listen, --connect-wait needs --exec or --feed"),
        (&["--delay", "1"], "with --listen, --delay needs --exec or --feed"),
        (&["--repeat", "2"], "with --listen, --repeat needs --exec or --feed"),
        (&["--cookie", "a=b"], "--cookie"),
        (&["--proxy", "http://127.0.0.1:1"], "--proxy"),
        (&["-4"], "--ipv4"),
        (&["--sni", "a"], "--sni"),
        (&["--i-own-this"], "--i-own-this"),
        (&["--handshake-timeout", "1"], "--handshake-timeout"),
    ] {
        let run = check(&[&client[..], args].concat());
        assert!(run.stderr.contains(error), "{args:?}: {}", run.stderr);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{args:?}");
    }
}

#[test]
fn a_server_far_away_is_not_tested_without_being_asked_for() {
    // No name is looked up, and nothing is dialled, before that.
    for url in ["ws://server.invalid/", "wss://192.0.2.1/", "ws://[2001:db8::1]/"] {
        let run = check(&[url]);
        assert!(
            run.stderr.contains(" is neither local nor on a private network: "),
            "{}",
            run.stderr
        );
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""));
    }
}

#[test]
fn without_data_only_handshakes_and_control_frames_are_sent() {
    let server = listen(["--output", "lines"]);
    let run = check(&[server.url(), "--no-data", "--output", "json"]);
    assert_eq!(run.status, Some(0), "{}", run.stdout);
    let sent: Vec<String> = run.objects().iter().map(|case| case["sent"].to_string()).collect();
    assert!(!sent.iter().any(|sent| sent.contains("/text") || sent.contains("/frame text")));
    assert!(sent.iter().any(|sent| sent.contains("/ping")));
    let output = server.interrupt();
    assert_eq!(output.stdout, "");
}

#[test]
fn one_case_shows_its_transcript() {
    let server = listen([""; 0]);
    let run = check(&[server.url(), "f/rsv2"]);
    assert!(run.stdout.starts_with("passed: "), "{}", run.stdout);
    assert!(run.stdout.contains("\nPASS  f/rsv2  a text frame with RSV2\n"), "{}", run.stdout);
    let heads = run.stderr.lines().filter(|line| line.starts_with("> GET / HTTP/1.1")).count();
    assert_eq!(heads, 1, "{}", run.stderr);
    for line in ["User-Agent: wscope-check/", " W603 ", "1002 protocol error"] {
        assert!(run.stderr.contains(line), "{line}: {}", run.stderr);
    }
}

#[test]
fn a_signal_ends_a_run_with_what_is_known() {
    let server = listen(["--fault", "delay:30"]);
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report");
    let mut child = crate::harness::wscope()
        .args(["check", server.url(), "--handshake-timeout", "30", "--report"])
        .arg(format!("json={}", report.display()))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    server.stderr.wait_for("joined: ");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, Signal::INT).expect("it runs");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let text = std::fs::read_to_string(report).expect("a report");
    assert!(text.contains("\"stopped\":\"interrupted\""), "{text}");
}

#[test]
fn the_time_is_over_when_it_is_over() {
    let server = listen(["--fault", "delay:30"]);
    let run = check(&[server.url(), "--max-time", "0.1"]);
    assert_eq!(run.status, Some(12));
    assert_eq!(run.stdout.lines().nth(1), Some("stopped: the time set by --max-time is over"));
}

#[test]
fn groups_are_patterns_and_no_profiles() {
    let all = check(&["--list", "--output", "json"]).objects().len();
    let mut sum = 0;
    for group in ["@must", "@should", "@info"] {
        let some = check(&["--list", group, "--output", "json"]);
        let level = &group[1..];
        assert!(some.objects().iter().all(|case| case["level"] == *level), "{group}");
        sum += some.objects().len();
    }
    assert_eq!(sum, all);
    let server = listen(["--echo"]);
    let run = check(&[server.url(), "@rfc7692", "--output", "json"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.objects().len() > 10);
}

#[test]
fn a_transcript_has_whole_connections_one_after_the_other() {
    let server = listen(["--echo"]);
    let run = check(&[server.url(), "p/", "-v"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let said = run.stderr + &run.stdout;
    let mut connections = said.split("* connected to ").skip(1);
    let first = connections.next().expect("a control");
    let order = [
        "> GET / ",
        "* open: ",
        " PING F-M ",
        " PONG F-- ",
        "> ",
        " CLOSE F-M ",
        " CLOSE F-- ",
        "* closed ",
    ];
    let mut rest = first;
    for part in order {
        rest = &rest[rest.find(part).unwrap_or_else(|| panic!("{part}: {first}"))..];
    }
    for connection in connections.filter(|connection| connection.contains("* open: ")) {
        assert_eq!(connection.matches(" CLOSE F-M ").count(), 1, "{connection}");
        assert_eq!(connection.matches("\n* closed ").count(), 1, "{connection}");
    }
}
