//! `wscope convert`: a recording in the formats of others, and back.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Output, Test};

/// A recorded session: texts, a binary message, a fragmented one, a ping.
fn recorded() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.jsonl").display().to_string();
    Test::new()
        .args(["--record", &path, "-H", "Authorization: Bearer hunter2hunter2", "--output", "none"])
        .args(["--input", "commands", "-s", "chat"])
        .stdin("hello ${\n/binary 00 ff\n/expect /done/\n/close 1000 bye\n".replace("${", "$${"))
        .peer(|p| {
            p.open_with("Sec-WebSocket-Protocol: chat\r\n");
            p.receive_text("hello ${");
            p.receive_binary(b"\0\xff");
            p.ping("p");
            p.receive_pong("p");
            p.send(b"\x01\x02do\x80\x02ne");
            p.answer_close(1000);
        })
        .stderr_any()
        .status(0);
    (folder, path)
}

fn convert(from: &str, to: &Path) -> Output {
    let args = ["convert", from, to.to_str().expect("a path")];
    Test::new().args(args).stderr_any().status(0)
}

fn frames(path: &Path) -> String {
    let args = ["show", "--timestamps", "off", path.to_str().expect("a path")];
    let shown = Test::new().args(args).stdout_any().stderr_any().status(0);
    let number = regex::Regex::new(r"\[1\] ").expect("an expression");
    let shown = number.replace_all(shown.stdout(), "").into_owned();
    shown.lines().filter(|line| line.contains(" #")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_frame_survives_json_lines_and_packets() {
    let (folder, path) = recorded();
    let all = frames(Path::new(&path));
    assert!(all.contains("#2 TEXT --- 2 do") && all.contains("PING"), "{all}");
    for name in ["again.jsonl", "packets.pcapng"] {
        let out = folder.path().join(name);
        let said = convert(&path, &out);
        assert!(!said.stderr().contains("Close frame"), "{}", said.stderr());
        assert_eq!(frames(&out), all, "{name}");
    }
    let was = std::fs::read_to_string(&path).expect("a recording");
    let is = std::fs::read_to_string(folder.path().join("again.jsonl")).expect("a recording");
    assert_eq!(is, was);
}

#[test]
fn a_connection_that_is_not_in_it_is_named_in_every_format() {
    let (folder, path) = recorded();
    for name in ["x.wsc", "x.js", "x.har", "x.jsonl", "x.txt"] {
        let out = folder.path().join(name).display().to_string();
        let missing = |args: &[&str]| {
            let said = Test::new().args(args).stderr_any().status(1);
            let expected = "it has no connection 5 that was open";
            assert!(said.stderr().contains(expected), "{name}: {}", said.stderr());
        };
        missing(&["convert", &path, &out, "--conn", "5"]);
        missing(&["convert", &format!("{path}#5"), &out]);
    }
}

#[test]
fn wireshark_has_no_complaint_about_the_packets() {
    let (folder, path) = recorded();
    let out = folder.path().join("packets.pcapng");
    convert(&path, &out);
    let tshark = |args: &[&str]| {
        let checks = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"];
        Command::new("tshark").arg("-r").arg(&out).args(checks).args(args).output()
    };
    let Ok(output) = tshark(&["-Y", "websocket"]) else { return };
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8_lossy(&output.stdout).lines().count();
    assert_eq!(lines, frames(Path::new(&path)).lines().count());
    let complaints =
        "tcp.checksum.status==0 || ip.checksum.status==0 || _ws.expert.severity>=\"Warning\"";
    let output = tshark(&["-Y", complaints]).expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}

#[test]
fn an_archive_has_the_fields_that_chrome_imports() {
    let (folder, path) = recorded();
    let out = folder.path().join("session.har");
    let said = convert(&path, &out);
    assert_eq!(
        said.stderr(),
        "wscope: note: not converted, because the format can't hold it: 1 ping, 1 pong, 2 Close frames, 2 boundaries of \
         fragments\n"
    );
    let text = std::fs::read_to_string(&out).expect("an archive");
    let har: Value = serde_json::from_str(&text).expect("JSON");
    assert!(har["log"]["pages"].is_array());
    let entry = &har["log"]["entries"][0];
    assert_eq!(
        (&entry["_resourceType"], &entry["response"]["status"]),
        (&"websocket".into(), &101.into())
    );
    for field in ["blocked", "dns", "ssl", "connect", "send", "wait", "receive"] {
        assert!(entry["timings"][field].is_number(), "{field}");
    }
    assert!(entry["response"]["content"]["mimeType"].is_string());
    let messages = entry["_webSocketMessages"].as_array().expect("messages");
    let of = |m: &Value| (m["type"].clone(), m["opcode"].clone(), m["data"].clone());
    let expected = [("send", 1, "hello ${"), ("send", 2, "AP8="), ("receive", 1, "done")];
    let expected = expected.map(|(kind, opcode, data)| (kind.into(), opcode.into(), data.into()));
    assert_eq!(messages.iter().map(of).collect::<Vec<_>>(), expected);
    assert!(messages.iter().all(|m| m["time"].as_f64().expect("seconds") > 1e9));
    // And back.
    assert_eq!(
        frames(&out),
        "> #1 TEXT F-M 8 hello ${\n> #2 BIN  F-M 2 00 ff\n< #1 TEXT F-- 4 done\n"
    );
}

#[test]
fn a_script_plays_the_session_again() {
    let (folder, path) = recorded();
    let out = folder.path().join("again.wsc");
    convert(&path, &out);
    Test::new()
        .args(["--script", out.to_str().expect("a path"), "--output", "none"])
        .peer(|p| {
            p.open();
            p.receive_text("hello ${");
            p.receive_binary(b"\0\xff");
            p.text("anything");
            p.answer_close(1000);
        })
        .stderr_any()
        .status(0);
}

#[test]
fn load_tests_hold_no_secrets_and_are_javascript() {
    let (folder, path) = recorded();
    for (name, script) in [("test.js", "test.js"), ("test.yml", "test.cjs")] {
        let out = folder.path().join(name);
        convert(&path, &out);
        let test = std::fs::read_to_string(&out).expect("a test");
        assert!(!test.contains("hunter2"), "{test}");
        assert!(
            test.contains("__ENV.AUTHORIZATION") || test.contains("$env.AUTHORIZATION"),
            "{test}"
        );
        let script = folder.path().join(script);
        let code = std::fs::read_to_string(&script).expect("a script");
        assert!(code.contains("hello ${") && code.contains("AP8="), "{code}");
        let module = script.with_extension(if name == "test.js" { "mjs" } else { "cjs" });
        std::fs::write(&module, code).expect("a disk");
        let Ok(checked) = Command::new("node").arg("--check").arg(&module).output() else {
            continue;
        };
        assert!(checked.status.success(), "{checked:?}");
    }
}

#[test]
fn a_report_is_one_file_whose_data_ends_no_script() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("session.jsonl").display().to_string();
    Test::new()
        .args(["--record", &path, "-x", "</script><b>", "--exit-after", "1", "--output", "none"])
        .peer(|p| {
            p.open();
            p.receive_text("</script><b>");
            p.text("{\"a\":1}");
            p.answer_close(1000);
        })
        .stderr_any()
        .status(0);
    let out = folder.path().join("report.html");
    convert(&path, &out);
    let page = std::fs::read_to_string(&out).expect("a page");
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("src="));
    let start = page.find("id=\"data\">").expect("data") + "id=\"data\">".len();
    let data = &page[start..start + page[start..].find("</script>").expect("an end")];
    let data: Value = serde_json::from_str(data).expect("JSON");
    let connection = &data["connections"][0];
    assert_eq!(connection["frames"][0]["text"], "</script><b>");
    assert_eq!(connection["frames"].as_array().expect("frames").len(), 4);
    assert!(
        connection["ending"].as_str().expect("text").contains("closed with 1000 normal closure")
    );
    assert!(connection["request"].as_str().expect("text").starts_with("GET / HTTP/1.1\r\n"));
}

#[test]
fn what_can_not_be_converted_is_said() {
    let (folder, path) = recorded();
    let out = folder.path().join("x.unknown").display().to_string();
    Test::new()
        .args(["convert", &path, &out])
        .stderr(format!(
            "wscope: {out}: the name does not determine a format; give one with --to\n"
        ))
        .status(2);
    Test::new()
        .args(["convert", &path, "/dev/full", "--to", "jsonl"])
        .stderr("wscope: can't write /dev/full: no space left on device\n")
        .status(1);
}

#[test]
fn a_file_is_not_emptied_by_what_can_not_be_converted() {
    let (folder, path) = recorded();
    let was = std::fs::read(&path).expect("a recording");
    Test::new()
        .args(["convert", &path, &path])
        .stderr(format!("wscope: {path}: IN and OUT are the same file; give another OUT\n"))
        .status(1);
    assert_eq!(std::fs::read(&path).expect("a recording"), was);
    let out = folder.path().join("kept.wsc");
    std::fs::write(&out, "kept").expect("room");
    let out = out.display().to_string();
    for args in [&["--conn", "2", &path, &out][..], &[&format!("{path}#2"), &out]] {
        let said = Test::new().args(["convert"].iter().chain(args)).stderr_any().status(1);
        assert!(said.stderr().starts_with(&format!("wscope: {path}: ")), "{}", said.stderr());
        assert_eq!(std::fs::read(&out).expect("it is there"), b"kept");
    }
}

#[test]
fn a_connection_is_named_behind_the_file() {
    let (folder, path) = recorded();
    let out = folder.path().join("one.txt");
    convert(&format!("{path}#1"), &out);
    let whole = folder.path().join("whole.txt");
    convert(&path, &whole);
    assert_eq!(std::fs::read(out).expect("text"), std::fs::read(whole).expect("text"));
    for command in ["show", "decode"] {
        let shown = Test::new().args([command, &format!("{path}#1")]).stdout_any().status(0);
        assert!(shown.stdout().contains("hello ${"), "{}", shown.stdout());
        let missing = format!(
            "wscope: {path}: it has no connection 2 that was open; `wscope decode --list` lists \
             its connections\n"
        );
        Test::new().args([command, &format!("{path}#2")]).stderr(missing).status(1);
        let unread = format!(
            "wscope: can't open {path}#x: no such file or directory; what follows # is the number of a connection, as in FILE#1\n"
        );
        Test::new().args([command, &format!("{path}#x")]).stderr(unread).status(1);
    }
}

/// Whatever name it has: with a connection, or through a link.
#[test]
fn in_is_never_written() {
    let (folder, path) = recorded();
    let was = std::fs::read(&path).expect("a recording");
    let link = folder.path().join("link.jsonl");
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    let link = link.to_str().expect("a path").to_owned();
    for (from, to) in
        [(path.clone(), &path), (format!("{path}#1"), &path), (format!("{path}#1"), &link)]
    {
        let said = "IN and OUT are the same file; give another OUT\n";
        let said = format!("wscope: {path}: {said}");
        Test::new().args(["convert", &from, to]).stderr(said).status(1);
        assert_eq!(std::fs::read(&path).expect("a recording"), was);
    }
}

#[test]
fn out_stays_if_in_cannot_be_converted_to_its_end() {
    let (folder, path) = recorded();
    let lines = std::fs::read_to_string(&path).expect("a recording");
    // More than is written at once, and then a line that is none.
    let many = lines.repeat(1 + (1 << 20) / lines.len());
    let broken = folder.path().join("broken.jsonl");
    std::fs::write(&broken, many.clone() + "{\n").expect("room");
    let whole = folder.path().join("whole.jsonl");
    std::fs::write(&whole, many).expect("room");
    let paths = [&broken, &whole].map(|path| path.to_str().expect("a path").to_owned());
    for (input, name) in [(&paths[0], "out.txt"), (&format!("{}#99", paths[1]), "out.jsonl")] {
        let out = folder.path().join(name);
        std::fs::write(&out, "kept").expect("room");
        let to = out.to_str().expect("a path");
        Test::new().args(["convert", input, to]).stderr_any().status(1);
        assert_eq!(std::fs::read_to_string(&out).expect("text"), "kept", "{input}");
    }
    // A test of Artillery is two files.
    let (test, beside) = (folder.path().join("t.yml"), folder.path().join("t.cjs"));
    std::fs::write(&beside, "kept").expect("room");
    let to = test.to_str().expect("a path");
    Test::new().args(["convert", "--conn", "1", "--conn", "7", &path, to]).stderr_any().status(1);
    assert_eq!(std::fs::read_to_string(&beside).expect("text"), "kept");
    assert!(!test.exists());
    let names = std::fs::read_dir(folder.path()).expect("a folder");
    let names = names.map(|entry| entry.expect("a file").file_name().into_string().expect("text"));
    assert_eq!(names.filter(|name| name.starts_with('.')).count(), 0, "a draft is left");
}

#[test]
fn the_shells_limit_of_a_file_is_an_error_that_names_it() {
    let (folder, path) = recorded();
    let out = folder.path().join("limited.html");
    let ran = Command::new("sh")
        .args([
            "-c",
            "ulimit -f 1; exec \"$@\"",
            "sh",
            env!("CARGO_BIN_EXE_wscope"),
            "convert",
            &path,
        ])
        .arg(&out)
        .output()
        .expect("a shell");
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(said, format!("wscope: can't write {}: file too large\n", out.display()));
}

/// `wscope proxy` records a head that it changes twice: as it came, and as it passed it on.
#[test]
fn packets_have_one_of_two_versions_of_a_head() {
    let (folder, path) = recorded();
    let was = std::fs::read_to_string(&path).expect("a recording");
    let head = was.lines().find(|line| line.contains("\"kind\":\"request\"")).expect("a request");
    let twice = folder.path().join("twice.jsonl");
    std::fs::write(&twice, was.replace(head, &format!("{head}\n{head}"))).expect("room");
    let out = folder.path().join("packets.pcapng");
    let said = convert(twice.to_str().expect("a path"), &out);
    assert!(said.stderr().contains("1 head as a proxy changed it"), "{}", said.stderr());
    assert_eq!(frames(&out), frames(Path::new(&path)));
}
