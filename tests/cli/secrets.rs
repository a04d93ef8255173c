//! Secrets of the command line: in no output that people or machines keep, by name or by value, not
//! even where the server sends them back; and in all of them with `--show-secrets`.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use wscope::wire::writer::RawFrame;

use crate::frames;
use crate::harness::{Output, Test};
use crate::peer::Peer;

const SECRETS: [&str; 8] = [
    "s3cr3t-password",
    "s3cr3t-api-key",
    "s3cr3t-auth-token",
    "s3cr3t-cookie",
    "s3cr3t-access",
    "s3cr3t-sig",
    "s3cr3t-k8s",
    "s3cr3t-tenant",
];

const URL: &str =
    "ws://me:s3cr3t-password@127.0.0.1:{port}/feed?a=1&access_token=s3cr3t-access&sig=s3cr3t-sig";

/// With every secret there is.
fn secret(options: &[&str]) -> Test {
    Test::new().args(options.iter().copied()).args([
        "-H",
        "X-Api-Key: s3cr3t-api-key",
        "-H",
        "X-Auth-Token: s3cr3t-auth-token",
        "-H",
        "Cookie: id=s3cr3t-cookie",
        "-H",
        "X-Tenant: s3cr3t-tenant",
        "--redact",
        "x-tenant",
        "-s",
        "base64url.bearer.authorization.k8s.io.s3cr3t-k8s",
        URL,
    ])
}

/// Sends all secrets back in every place it can.
fn echo(p: &mut Peer) {
    let all = SECRETS.join(" ");
    p.open_with(&format!("X-Echo: {all}\r\n"));
    p.text(&all);
    let (first, second) = all.split_at(all.len() / 2);
    p.frame(crate::frames::fragment(crate::frames::TEXT, first));
    p.ping(&all[..100]);
    p.frame(crate::frames::frame(crate::frames::CONTINUATION, second));
    p.receive_pong(&all[..100]);
    p.close_first(4000, &all[..100]);
}

#[track_caller]
fn has_none(output: &Output) {
    let shown = [&output.stdout[..], &output.stderr].concat();
    let shown = String::from_utf8_lossy(&shown);
    let found: Vec<_> = SECRETS.iter().filter(|secret| shown.contains(*secret)).collect();
    assert!(found.is_empty(), "{found:?} in {shown}");
}

#[track_caller]
fn has_all(output: &Output) {
    let shown = [&output.stdout[..], &output.stderr].concat();
    let shown = String::from_utf8_lossy(&shown);
    // The password is sent as Basic.
    let lacking: Vec<_> =
        SECRETS.iter().skip(1).filter(|secret| !shown.contains(*secret)).collect();
    assert!(lacking.is_empty(), "{lacking:?} not in {shown}");
}

#[test]
fn no_view_of_a_session_shows_them() {
    let log = tempfile::NamedTempFile::new().expect("a file");
    let path = log.path().display().to_string();
    for options in [
        &["-v", "--output", "none"][..],
        &["-vv", "--output", "none"],
        &["--output", "json", "--log", &path],
    ] {
        let run = |more: &[&str]| {
            let options = [options, &["--input", "none"], more].concat();
            secret(&options).peer(echo).stdout_any().stderr_any().status(11)
        };
        has_none(&run(&[]));
        let logged = std::fs::read(log.path()).expect("a log");
        has_none(&Output { stdout: logged, stderr: Vec::new() });
        // A line of a dump holds 16 bytes.
        if !options.contains(&"-vv") {
            has_all(&run(&["--show-secrets"]));
        }
        std::fs::write(log.path(), "").expect("a log");
    }
}

#[test]
fn payload_on_stdout_is_exact() {
    let all = SECRETS.join(" ");
    let output = secret(&["--input", "none"]).peer(echo).stdout_any().stderr_any().status(11);
    assert_eq!(output.stdout(), format!("{all}\n{all}\n"));
    has_none(&Output { stdout: Vec::new(), ..output });
}

#[test]
fn a_plan_shows_none() {
    for option in ["--dry-run", "--curl"] {
        let run = |more: &[&str]| {
            let options = [&[option], more].concat();
            secret(&options).server(drop).stdout_any().stderr_any().status(0)
        };
        has_none(&run(&[]));
        has_all(&run(&["--show-secrets"]));
    }
}

#[test]
fn a_refusal_that_quotes_the_request_shows_none() {
    for options in [&["--input", "none"][..], &["handshake"]] {
        let output = secret(options)
            .peer(|p| {
                let request = p.request();
                let body = [request.raw(), SECRETS.join(" ").as_bytes()].concat();
                let length = body.len();
                p.send(format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {length}\r\n\r\n"));
                p.send(&body);
            })
            .stdout_any()
            .stderr_any()
            .status(7);
        has_none(&output);
    }
}

#[test]
fn an_error_that_quotes_a_url_shows_none() {
    let output = secret(&["--input", "none", "-L"])
        .peer(|p| {
            p.request();
            p.send(
                "HTTP/1.1 302 Found\r\nLocation: wss://u:s3cr3t-password@h:x/?token=s3cr3t-access",
            );
            p.send("\r\nContent-Length: 0\r\n\r\n");
        })
        .stdout_any()
        .stderr_any()
        .status(7);
    has_none(&output);
}

#[test]
fn answers_of_the_prompt_show_none() {
    let commands = "/expect s3cr3t\n/show handshake\n/show frames 9\n/show state\n\
        /headers\n/status\n/last\n/nothing s3cr3t-api-key\n";
    for options in [&["-q", "--output", "frames"][..], &["--output", "none"]] {
        let options = [options, &["--input", "commands"]].concat();
        let output = secret(&options)
            .stdin(commands)
            .peer(|p| {
                p.open_with(&format!("X-Echo: {}\r\n", SECRETS.join(" ")));
                p.text(SECRETS.join(" "));
                p.answer_close(1001);
            })
            .stdout_any()
            .stderr_any()
            .status(1);
        has_none(&output);
        let shown = output.stderr();
        assert!(shown.contains("X-Api-Key: [redacted]") && shown.contains("******"), "{shown}");
    }
}

#[test]
fn a_name_to_redact_is_not_empty() {
    Test::new()
        .args(["--redact", "", "ws://127.0.0.1:9"])
        .stderr("wscope: --redact needs a value: --redact NAME\n")
        .status(2);
}

/// The password of any URL on the command line is a secret wherever it turns up.
#[test]
fn the_password_of_an_origin_is_a_secret() {
    let output = Test::new()
        .args(["-o", "http://u:s3cr3t-password@origin.example", "-v", "--input", "none"])
        .peer(|p| {
            p.open_with("X-Echo: s3cr3t-password\r\n");
            p.text("it was s3cr3t-password");
            p.close_first(1000, "done");
        })
        .stdout_any()
        .stderr_any()
        .status(0);
    let stderr = output.stderr();
    assert!(stderr.contains("X-Echo: [redacted]") && !stderr.contains("s3cr3t"), "{stderr}");
}

#[test]
fn a_compressed_frame_with_a_secret_is_hidden_and_the_recording_can_be_read() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let log = folder.path().join("log");
    let path = log.to_str().expect("text").to_owned();
    let texts =
        ["first and again", "the s3cr3t-cut-token, and again", "cut: s3cr3t-", "last and again"];
    let peer = move |p: &mut Peer| {
        p.open_with("Sec-WebSocket-Extensions: permessage-deflate\r\n");
        let mut deflater = frames::deflater(false);
        for text in texts {
            let payload = frames::deflated(&mut deflater, text);
            if text.starts_with("the") {
                // The frame is cut inside the secret's bytes, wherever these are.
                let (one, two) = payload.split_at(payload.len() / 2);
                p.frame(RawFrame { fin: false, ..frames::compressed(frames::TEXT, one) });
                p.frame(frames::frame(frames::CONTINUATION, two));
            } else {
                p.frame(frames::compressed(frames::TEXT, payload));
            }
        }
        p.close_first(1000, "done");
    };
    let shown =
        |args: &[&str]| Test::new().args(args.iter().copied()).stdout_any().stderr_any().status(0);
    for secrets in [false, true] {
        let _ = std::fs::remove_file(&log);
        let args = ["--bearer", "s3cr3t-cut-token", "--input", "none", "--record", &path];
        let show = secrets.then_some("--show-secrets");
        Test::new().args(args).args(show).peer(peer).stdout_any().status(0);
        let logged = std::fs::read_to_string(&log).expect("a log");
        let objects = logged.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        let objects: Vec<serde_json::Value> = objects.collect();
        let frames = objects.iter().filter(|one| one["event"] == "frame");
        let hidden: Vec<bool> = frames
            .filter(|frame| frame["opcode"] != "close")
            .map(|frame| {
                let bytes =
                    frame["base64"].as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
                let bytes = bytes.expect("base64");
                assert_eq!(bytes.len() as u64, frame["length"].as_u64().expect("a length"));
                bytes.iter().all(|byte| *byte == b'*')
            })
            .collect();
        assert_eq!(hidden.len(), 5, "{logged}");
        assert!(!hidden[0] && !hidden[3] && !hidden[4], "{hidden:?}");
        // At least the frame that holds the end of the secret.
        assert_eq!(hidden[2], !secrets, "{logged}");
        assert_eq!(logged.contains("s3cr3t-cut-token"), secrets, "{logged}");
        let said = shown(&["show", &path]);
        for text in ["first and again", "cut: s3cr3t-", "last and again"] {
            assert!(said.stdout().contains(text), "{text}: {}", said.stdout());
        }
    }
}
