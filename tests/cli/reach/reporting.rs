//! `--write-out` and `--timing`.

use super::{client, hello};
use crate::harness::Test;

#[test]
fn every_name_has_a_value() {
    let output = Test::new()
        .args(["-w", "0", "-x", "hi", "--write-out", "%{json}", "ws://u:pw@127.0.0.1:{port}/a"])
        .peer(|p| {
            p.open();
            p.receive_text("hi");
            p.answer_close(1000);
        })
        .stdout_any()
        .stderr_any()
        .status(0);
    let object: serde_json::Value = serde_json::from_str(output.stdout()).expect("JSON");
    for (name, value) in [
        ("scheme", "ws".into()),
        ("remote_ip", "127.0.0.1".into()),
        ("http_code", 101.into()),
        ("http_version", "1.1".into()),
        ("close_code", 1000.into()),
        ("exitcode", 0.into()),
        ("messages_sent", 1.into()),
        ("bytes_sent", 2.into()),
        ("frames_sent", 2.into()),
        ("frames_received", 1.into()),
        ("num_redirects", 0.into()),
        ("errormsg", serde_json::Value::Null),
        ("time_proxy", serde_json::Value::Null),
    ] {
        assert_eq!(object[name], value, "{name}");
    }
    assert!(object["url"].as_str().expect("a text").ends_with("/a"));
    let times = ["namelookup", "connect", "upgrade", "first_frame", "total"]
        .map(|name| object[format!("time_{name}")].as_f64().expect("a time"));
    assert!(times.is_sorted() && times[4] > 0.0, "{times:?}");
}

#[test]
fn it_follows_the_payload_and_goes_where_it_should() {
    client(["--write-out", "%{http_code} %{messages_received}\\n%{stderr}%{exitcode}\\n"])
        .peer(hello)
        .stdout("Hello\n101 1\n")
        .stderr("0\n")
        .status(0);
}

#[test]
fn a_failure_is_printed_too() {
    client(["--write-out", "%{exitcode} %{http_code} %{errormsg}", "ws://nonexistent.invalid/"])
        .stdout_like("3  host nonexistent.invalid was not found; [..]")
        .stderr("wscope: host nonexistent.invalid [..]\nerror[W101]: [..]\n...\n")
        .status(3);
}

#[test]
fn exit_2_for_a_name_that_there_is_not() {
    client(["--write-out", "%{http_cod}", "ws://127.0.0.1:1"])
        .stderr("wscope: --write-out: unknown name %{http_cod}; did you mean http_code?\n")
        .status(2);
}

#[test]
fn the_phases_are_bars() {
    client(["--timing"])
        .peer(hello)
        .stdout("Hello\n")
        .stderr(
            "  dns [..]█[..]\n  tcp [..]█[..]\n  upgrade [..]█[..]\n  first frame [..]█[..]\n  total [..] ms\n",
        )
        .status(0);
}
