//! `${NAME}`: where values come from, where they may stand, and what they never become.

use std::io::Write as _;

use super::script_of;
use crate::harness::Test;

fn script(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("a disk");
    file
}

#[test]
fn an_id_of_an_answer_is_sent_back() {
    script_of(
        "/set user alice\n{\"user\":\"${user}\"}\n/expect /\"id\":(?<id>[0-9]+)/\n\
         {\"ack\":${id}}\n/text ack ${id}, $${id}\n/expect \"for ${id}\"\n/ping ${id}\n",
    )
    .peer(|p| {
        p.open();
        p.receive_text("{\"user\":\"alice\"}");
        p.text("{\"id\":42}");
        p.receive_text("{\"ack\":42}");
        p.receive_text("ack 42, ${id}");
        p.text("for 42");
        assert_eq!(p.receive_frame().payload, b"42");
        p.answer_close(1000);
    })
    .stdout("{\"id\":42}\nfor 42\n")
    .status(0);
}

#[test]
fn a_value_may_stand_in_any_argument() {
    let file = script("from a file");
    let path = file.path().display().to_string();
    Test::new()
        .args(["--input", "commands", "-w", "0", "--set", "n=2", "--set", "t=1ms", "--set", "e="])
        .args(["--set", &format!("path={path}"), "--set", "h=00 ff", "--set", "code=4001"])
        .stdin(
            "/repeat ${n} hi${e}\n/wait ${t}\n/file ${path} text\n/binary ${h}\n\
             /binary hex:${h}\n/text @${path}\n/fragment ${n} abcd\n/close ${code} bye ${n}\n",
        )
        .peer(|p| {
            p.open();
            p.receive_text("hi");
            p.receive_text("hi");
            p.receive_text("from a file");
            p.receive_binary(b"\x00\xff");
            p.receive_binary(b"\x00\xff");
            p.receive_text("from a file");
            p.receive_text("abcd");
            assert_eq!(p.receive_frame().payload, b"\x0f\xa1bye 2");
            p.close(4001, "");
            p.hang_up();
        })
        .stderr_any()
        .status(0);
}

#[test]
fn what_a_peer_sends_is_only_data() {
    script_of(
        "/expect (?<x>.*)\n${x}\n/text ${x}\n/repeat 1 ${x}\n/expect ^(?<x>@.*)\n/text ${x}\n\
         /frame ping ${x}\n/expect (?<x>.*)\n/text ${x}\n/expect ${x}\n",
    )
    .peer(|p| {
        p.open();
        p.text("/quit");
        p.receive_text("/quit");
        p.receive_text("/quit");
        p.receive_text("/quit");
        p.text("@/etc/hostname");
        p.receive_text("@/etc/hostname");
        assert_eq!(p.receive_frame().payload, b"@/etc/hostname");
        // Neither an escape nor a regular expression.
        p.text("\\n.*(");
        p.receive_text("\\n.*(");
        p.text("\\n.*(");
        p.answer_close(1000);
    })
    .stdout("/quit\n@/etc/hostname\n\\n.*(\n\\n.*(\n")
    .status(0);
}

#[test]
fn an_unknown_name_is_an_error_before_anything_is_opened() {
    for (lines, at, name) in [
        ("hello\n{\"id\":${id}}\n", 2, "\"id\""),
        ("/expect (?<id>x)\n/wait ${di}\n", 2, "\"di\""),
        ("/set a b\n/text ${a b}\n", 2, "\"a b\""),
        ("/on (?<n>x) /text ${m}\n", 1, "\"m\""),
    ] {
        let file = script(lines);
        let path = file.path().display().to_string();
        Test::new()
            .args(["--script", &path, "ws://127.0.0.1:1"])
            .stderr(format!(
                "wscope: --script {path}: line {at}: variable {name} is not set; set it with /set, or write $${{ for a literal ${{\n"
            ))
            .status(2);
    }
    script_of("/text ${x}\n")
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr("wscope: stdin: line 1: variable \"x\" is not set; [..]\n")
        .status(1);
    script_of("/text ${x\n")
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr("wscope: stdin: line 1: ${ without a closing }; a literal ${ is written $${\n")
        .status(1);
}

#[test]
fn messages_that_are_no_lines_keep_their_dollars() {
    for args in [&["-x", "${x} $${y}"][..], &["-x", "${x} $${y}", "--script", "/dev/null"]] {
        Test::new()
            .args(args.iter().copied())
            .args(["-w", "0"])
            .peer(|p| {
                p.open();
                p.receive_text("${x} $${y}");
                p.answer_close(1000);
            })
            .status(0);
    }
    Test::new()
        .args(["-x", "${x}", "--commands", "--set", "x=1", "-w", "0"])
        .peer(|p| {
            p.open();
            p.receive_text("1");
            p.answer_close(1000);
        })
        .status(0);
}

#[test]
fn set_shows_and_its_option_is_checked() {
    script_of("/set\n/set a  two words \n/set a\n/set\n")
        .peer(|p| {
            p.open();
            p.answer_close(1000);
        })
        .stderr("wscope: note: no variables are set\nwscope: note: a= two words \nwscope: note: a= two words \n")
        .status(0);
    for (args, stderr) in [
        (&["--set", "a", "-x", "/ping", "--commands"][..], "--set: \"a\" is not NAME=VALUE; [..]"),
        (
            &["--set", "1a=x", "-x", "/ping", "--commands"],
            "--set: \"1a=x\" is not NAME=VALUE; [..]",
        ),
        (&["--set", "a=b", "-x", "hi"], "--set needs a script, the prompt, [..]"),
    ] {
        let args = args.iter().copied().chain(["ws://127.0.0.1:1"]);
        Test::new().args(args).stderr(format!("wscope: {stderr}\n")).status(2);
    }
}
