//! Lines, files, repetitions and searches without an end: each has a bound, a turn, or is streamed.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use super::script_of;
use crate::frames::CLOSE;
use crate::harness::Test;
use crate::waiting::gate;

/// A pipe with a name, to which nobody writes yet.
fn fifo(folder: &Path) -> String {
    let path = folder.join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    path.display().to_string()
}

#[test]
fn a_line_of_stdin_that_is_too_long_is_one_error_and_the_end() {
    let mut lines = vec![b'x'; 65 * 1024 * 1024];
    lines.extend_from_slice(b"\nnever\n");
    script_of("")
        .stdin(lines)
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr("wscope: stdin: line 1: a line has at most 64 MiB; /file sends more\n")
        .status(1);
}

#[test]
fn a_pipe_is_sent_as_it_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = fifo(folder.path());
    let (heard, go_on) = gate();
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut pipe = fs::File::options().write(true).open(path).expect("a reader");
            pipe.write_all(b"hello ").expect("a reader");
            go_on.wait();
            pipe.write_all(b"world").expect("a reader");
        }
    });
    script_of(&format!("/file {path}\nafter\n"))
        .peer(move |p| {
            p.open();
            let first = p.receive_frame();
            assert_eq!((first.header.fin, &first.payload[..]), (false, &b"hello "[..]));
            heard.open();
            p.receive_binary(b"hello world");
            p.receive_text("after");
            p.answer_close(1000);
        })
        .stderr(format!("wscope: note: {path}: 11 bytes sent in [..]\n"))
        .status(0);
    writer.join().expect("written");
}

#[test]
fn a_file_whose_size_the_system_does_not_know_is_sent_whole() {
    let content = fs::read("/proc/version").expect("Linux");
    let len = content.len();
    for kind in ["binary", "text"] {
        let content = content.clone();
        script_of(&format!("/file /proc/version {kind}\n"))
            .peer(move |p| {
                p.open();
                assert_eq!(p.receive_message().1, content);
                p.answer_close(1000);
            })
            .stderr(format!("wscope: note: /proc/version: {len} bytes sent in [..]\n"))
            .status(0);
    }
}

#[test]
fn a_pipe_without_a_writer_holds_up_only_the_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = fifo(folder.path());
    script_of(&format!("begun\n/file {path}\n"))
        .peer(|p| {
            p.open();
            p.receive_text("begun");
            p.ping("are you there");
            p.receive_pong("are you there");
            p.close_first(1000, "done");
        })
        .stderr("wscope: stdin: line 2: the connection ended before everything was sent\n")
        .status(1);
    for line in ["/text @", "/source "] {
        script_of(&format!("{line}{path}\n"))
            .peer(|p| {
                p.open();
                p.answer_close(1001);
            })
            .stderr(format!(
                "wscope: stdin: line 1: {path}: its writer did not close it within a second\n"
            ))
            .status(1);
    }
}

#[test]
fn a_file_that_is_read_whole_has_a_bound() {
    let bound = "/dev/zero: a file that is read whole has at most 64 MiB";
    for (line, instead) in [
        ("/text @/dev/zero", "/file sends files of any size"),
        ("/source /dev/zero", "use --input commands for longer input"),
    ] {
        script_of(&format!("{line}\n"))
            .peer(|p| {
                p.open();
                p.answer_close(1001);
            })
            .stderr(format!("wscope: stdin: line 1: {bound}; {instead}\n"))
            .status(1);
    }
    Test::new()
        .args(["--script", "/dev/zero", "ws://127.0.0.1:9"])
        .stderr(format!("wscope: --script {bound}; use --input commands for longer input\n"))
        .status(2);
}

#[test]
fn a_pipe_can_be_a_script() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = fifo(folder.path());
    let writer = std::thread::spawn({
        let path = path.clone();
        move || fs::write(path, "one\n/# a comment\ntwo").expect("a reader")
    });
    Test::new()
        .args(["--script", &path, "-w", "0"])
        .peer(|p| {
            p.open();
            p.receive_text("one");
            p.receive_text("two");
            p.answer_close(1000);
        })
        .status(0);
    writer.join().expect("written");
}

#[test]
fn a_repetition_without_an_end_ends_with_one_error_when_the_connection_closes() {
    script_of("/repeat 1000000000000 x\n")
        .peer(|p| {
            p.open();
            for _ in 0..1000 {
                p.receive_text("x");
            }
            p.close(1000, "");
            while p.receive_frame().opcode() != CLOSE {}
            p.hang_up();
        })
        .stderr("wscope: stdin: line 1: the connection is closing, nothing more can be sent\n")
        .status(1);
}

#[test]
fn a_repeated_file_is_sent_each_time() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"content").expect("a disk");
    let path = file.path().display().to_string();
    script_of(&format!("/repeat 3 /file {path} text\nafter\n"))
        .peer(|p| {
            p.open();
            for _ in 0..3 {
                p.receive_text("content");
            }
            p.receive_text("after");
            p.answer_close(1000);
        })
        .stderr_any()
        .status(0);
}

#[test]
fn a_job_that_repeats_leaves_the_script_where_it_is() {
    script_of("/every 1h /repeat 2 tick\n/expect go\nend\n")
        .args(["--output", "none"])
        .peer(|p| {
            p.open();
            p.receive_text("tick");
            p.receive_text("tick");
            p.ping("not yet");
            p.receive_pong("not yet");
            p.text("go");
            p.receive_text("end");
            p.answer_close(1000);
        })
        .stderr("wscope: note: 1 job stopped\n")
        .status(0);
}

#[test]
fn a_long_text_is_found_in_a_long_message() {
    let text = "a".repeat(100_000);
    let message = format!("{}b{}", "a".repeat(99_999).repeat(5), "a".repeat(99_999));
    script_of(&format!("/expect {text}b\n/expect {text}c 0\n"))
        .args(["--output", "none"])
        .peer(move |p| {
            p.open();
            p.text(message);
            p.answer_close(1001);
        })
        .stderr_any()
        .status(13);
}

#[test]
fn an_expression_that_is_too_slow_is_refused_with_a_way_out() {
    script_of("/expect \\w{100}\n")
        .peer(|p| {
            p.open();
            p.answer_close(1001);
        })
        .stderr(
            "wscope: stdin: line 1: \"\\\\w{100}\" is not a regular expression: it is larger \
             than 1 MiB when compiled; use fewer repetitions, or begin it with (?-u), which \
             limits \\w, \\d and \\s to ASCII\n",
        )
        .status(1);
}
