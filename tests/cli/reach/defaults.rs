//! The configuration file, profiles and variables: who wins.

use std::fs;

use tempfile::TempDir;

use super::values;
use crate::harness::{Test, wscope};

const FILE: &str = "\
header X-Common: 1
user-agent-is-no-option-here
";

/// A home with a configuration file.
fn home(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join(".config/wscope")).expect("a disk");
    fs::write(folder.path().join(".config/wscope/config"), text).expect("a disk");
    let path = folder.path().to_str().expect("a path").to_owned();
    (folder, path)
}

/// The head that would be sent.
fn head(home: &str, args: &[&str], environment: &[(&str, &str)]) -> String {
    let mut test = Test::new().env("HOME", home);
    for (name, value) in environment {
        test = test.env(name, value);
    }
    test.args(["--dry-run", "-q"])
        .args(args.iter().copied())
        .stdout_any()
        .status(0)
        .stdout()
        .to_owned()
}

#[test]
fn file_profile_environment_and_command_line_in_this_order() {
    let (_folder, home) = home(
        "header X: common\norigin http://common\n[dev]\nurl ws://dev.example/\norigin http://dev\n",
    );
    let origin =
        |text: &str| text.lines().find_map(|l| l.strip_prefix("Origin: ")).map(str::to_owned);
    let common = head(&home, &["ws://a.example/"], &[]);
    assert!(common.contains("X: common\r\n"), "{common}");
    assert_eq!(origin(&common).as_deref(), Some("http://common"));
    let variable = [("WSCOPE_ORIGIN", "http://variable")];
    // A profile is the first argument.
    let dev = |more: &[&str], environment: &[(&str, &str)]| {
        let mut test = Test::new().env("HOME", &home).args(["@dev", "--dry-run", "-q"]);
        for (name, value) in environment {
            test = test.env(name, value);
        }
        test.args(more.iter().copied()).stdout_any().status(0).stdout().to_owned()
    };
    assert!(dev(&[], &[]).contains("Host: dev.example\r\n"));
    assert_eq!(origin(&dev(&[], &[])).as_deref(), Some("http://dev"));
    assert_eq!(origin(&dev(&[], &variable)).as_deref(), Some("http://variable"));
    assert_eq!(origin(&dev(&["-o", "http://typed"], &variable)).as_deref(), Some("http://typed"));
    let off = head(&home, &["--no-config", "ws://a.example/"], &variable);
    assert_eq!(origin(&off), None);
    let off = head(&home, &["ws://a.example/"], &[("WSCOPE_NO_CONFIG", "1")]);
    assert!(!off.contains("X: common"), "{off}");
}

#[test]
fn another_file_can_be_named() {
    let (_folder, home) = home("header X: usual\n");
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), "header X: named\n").expect("a disk");
    let path = file.path().to_str().expect("a path");
    assert!(head(&home, &["--config", path, "ws://a/"], &[]).contains("X: named\r\n"));
    assert!(head(&home, &["ws://a/"], &[("WSCOPE_CONFIG", path)]).contains("X: named\r\n"));
    Test::new()
        .args(["--config", "/nonexistent", "ws://a/"])
        .stderr("wscope: configuration: /nonexistent: [..]\n")
        .status(2);
}

#[test]
fn a_default_of_another_mode_is_for_that_mode() {
    // listen's, doctor's, and everybody's.
    let (_folder, home) = home("once\nidle 1\nheader X: 1\n");
    let sent = head(&home, &["ws://a.example/"], &[("WSCOPE_BROADCAST", "true")]);
    assert!(sent.contains("X: 1\r\n"), "{sent}");
}

#[test]
fn faults_are_reported_with_file_and_line() {
    let (_folder, home) = home("connect-timeout soon\n");
    Test::new()
        .env("HOME", &home)
        .args(["ws://a/"])
        .stderr("wscope: [..]/.config/wscope/config:1: --[..]: \"[..]\n")
        .status(2);
    Test::new()
        .env("HOME", &home)
        .args(["@dev"])
        .stderr("wscope: unknown profile @dev in [..]\n")
        .status(2);
    Test::new()
        .env("WSCOPE_CONECT_TIMEOUT", "3")
        .args(["--dry-run", "ws://a/"])
        .stdout_any()
        .stderr("wscope: note: variable WSCOPE_CONECT_TIMEOUT: unknown option --conect-timeout; did you mean --connect-timeout?\n...\n")
        .status(0);
}

#[test]
fn a_broken_file_stops_neither_help_nor_manual() {
    let (_folder, home) = home(FILE);
    for args in [
        &["man"][..],
        &["completions", "bash"],
        &["explain", "1006"],
        &["--help"],
        &["--version"],
        &["handshake", "--help"],
    ] {
        let output = wscope().env("HOME", &home).args(args).output().expect("the binary");
        assert!(output.status.success() && output.stderr.is_empty(), "{args:?}: {output:?}");
    }
    Test::new()
        .env("HOME", &home)
        .args(["ws://a/"])
        .stderr("wscope: [..]/config:2: [..]\n")
        .status(2);
}

/// `-l` is a mode, before which no default may stand.
#[test]
fn modes_by_their_flags_have_defaults_too() {
    let (_folder, home) = home("header X: 1\nmax-time 0.1\n");
    Test::new().env("HOME", &home).args(["-l", "127.0.0.1:0"]).stderr_any().status(12);
}

#[test]
fn what_listen_passes_to_a_process_is_no_option() {
    Test::new()
        .args(["--input", "none", "-H", "X: 1"])
        .env("WSCOPE_CONN", "1")
        .env("WSCOPE_PATH", "/x")
        .env("WSCOPE_SUBPROTOCOL", "chat")
        .env("WSCOPE_PASSPHRASE", "secret")
        .peer(|p| {
            assert_eq!(values(&p.open(), "Sec-WebSocket-Protocol"), [""; 0]);
            p.close_first(1000, "done");
        })
        .status(0);
}
