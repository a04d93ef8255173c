//! When faults come, which of them, and how they are asked for.

use std::io::Write as _;

use wscope::wire::Role;
use wscope::wire::fault::FaultInfo;

use crate::frames::{TEXT, frame};
use crate::harness::{listen, wscope};

#[test]
fn a_fault_waits_for_its_message() {
    let server = listen(["--echo", "--fault", "orphan-continuation@message:2"]);
    let mut raw = server.open();
    for text in ["one", "two"] {
        raw.frame(frame(TEXT, text));
        assert_eq!(raw.receive_frame(), (TEXT, text.into()));
    }
    assert_eq!(raw.receive_frame().1, b"fault");
    raw.frame(frame(TEXT, "three"));
    assert_eq!(raw.receive_frame(), (TEXT, b"three".to_vec()), "only once");
    server.interrupt();
}

#[test]
fn several_come_in_their_order() {
    let faults =
        ["--echo", "--fault", "rsv3", "--fault", "close:1001@message:1", "--fault", "masked"];
    let server = listen(faults);
    let mut raw = server.open();
    assert_eq!(raw.receive_frame().1, b"fault");
    assert_eq!(raw.receive_frame().1, b"fault");
    raw.frame(frame(TEXT, "now"));
    assert_eq!(raw.receive_frame(), (TEXT, b"now".to_vec()));
    raw.receive_close(1001);
    server.interrupt();
}

#[test]
fn a_fault_of_one_connection_harms_no_other() {
    let server = listen(["--echo", "--fault", "rst:messages=2"]);
    let mut victim = server.open();
    let mut other = server.open();
    for _ in 0..2 {
        victim.frame(frame(TEXT, "x"));
        assert_eq!(victim.receive_frame(), (TEXT, b"x".to_vec()));
    }
    victim.end();
    server.stderr.wait_for("[1] left: ended without a closing handshake");
    other.frame(frame(TEXT, "y"));
    assert_eq!(other.receive_frame(), (TEXT, b"y".to_vec()));
    server.interrupt();
}

#[test]
fn a_seed_is_printed_and_repeats_the_draw() {
    let drawn = |fault: &str| {
        let server = listen(["--echo", "--fault", fault]);
        let faults: Vec<String> = (1..=8)
            .map(|number| {
                let mut raw = server.raw();
                raw.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", crate::raw::UPGRADE));
                let said = server.stderr.wait_until("a fault", |said| {
                    said.lines().any(|line| fault_in(line, number).is_some())
                });
                said.lines().find_map(|line| fault_in(line, number)).expect("waited for")
            })
            .collect();
        let said = server.interrupt().stderr;
        (faults, said)
    };
    let (first, said) = drawn("random");
    let seed = said.split("--fault random:").nth(1).and_then(|rest| rest.split(' ').next());
    let (second, _) = drawn(&format!("random:{}", seed.expect("a seed")));
    assert_eq!(first, second);
}

/// The fault that a line reports of a connection.
fn fault_in(line: &str, conn: usize) -> Option<String> {
    let rest = line.split_once(&format!("[{conn}] "))?.1;
    let name = rest.split_once("fault ")?.1.split(':').next()?;
    Some(name.to_owned())
}

#[test]
fn the_list_needs_no_port() {
    let listed = wscope().args(["listen", "--list-faults"]).output().expect("the binary starts");
    let text = String::from_utf8(listed.stdout).expect("text");
    assert!(listed.status.success());
    for info in FaultInfo::of(Role::Server) {
        assert!(text.contains(&format!("\n  {}", info.name)), "{}", info.name);
        assert!(text.contains(&format!("    client: {}\n", info.peer)), "{}", info.name);
    }
}

#[test]
fn the_list_ignores_other_options_also_those_of_a_configuration() {
    let mut config = tempfile::NamedTempFile::new().expect("a file");
    config.write_all(b"insecure\nconnect-timeout 3\n").expect("a disk");
    let name = config.path().to_str().expect("a path");
    for args in [&["--list-faults", "--config", name][..], &["ws://h", "-v", "--list-faults"]] {
        let listed = wscope().args(args).output().expect("the binary starts");
        assert!(listed.status.success(), "{args:?}: {}", String::from_utf8_lossy(&listed.stderr));
        assert!(!listed.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn an_unknown_fault_is_wrong_usage() {
    let refused =
        wscope().args(["listen", "--fault", "maskd", "0"]).output().expect("the binary starts");
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(
        said,
        "wscope: --fault: unknown fault \"maskd\"; did you mean masked? --list-faults lists all\n"
    );
}

#[test]
fn a_slow_reader_is_slow() {
    let server = listen(["--echo", "--fault", "slow-reader:2000"]);
    let mut raw = server.open();
    let started = std::time::Instant::now();
    raw.frame(frame(TEXT, "x".repeat(1000)));
    assert_eq!(raw.receive_frame().1.len(), 1000);
    assert!(started.elapsed() >= std::time::Duration::from_millis(400), "{:?}", started.elapsed());
    server.interrupt();
}
