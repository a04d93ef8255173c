//! The report on a handshake, as `wscope handshake` shows it.

use wscope::ui::checklist::Checklist;
use wscope::ui::style::Palette;
use wscope::wire::handshake::rules::{HandshakeContext, Outcome, check};
use wscope::wire::head::{Head, HeadKind};

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: 4VCy7N4jcZzUVe1gBqGqVg==\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\n\r\n";

fn report(response: &str, palette: Palette) -> String {
    let request = Head::parse(HeadKind::Request, REQUEST.as_bytes());
    let response = Head::parse(HeadKind::Response, response.as_bytes());
    let report = check(&HandshakeContext::new(&request, Some(&response)));
    let mut out = Vec::new();
    let (response, all) = (Some(&response), true);
    Checklist { request: &request, response, report: &report, all }.write(b"", palette, &mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    for verdict in &report.verdicts {
        let mark = match verdict.outcome {
            Outcome::Pass => "✓ pass",
            Outcome::Fail => "✗ FAIL",
            Outcome::Warn => "! warn",
            Outcome::NotApplicable => "- n/a ",
        };
        let line = text.lines().find(|line| line.contains(&format!(" {} ", verdict.rule.id)));
        let line = line.expect("every rule is listed");
        assert!(line.contains(mark), "{line}");
    }
    text
}

#[test]
fn a_handshake_in_order() {
    let text = report(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: JKZgDlp/dfhNazy+MzAB8Q0khUQ=\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
        Palette::default(),
    );
    for part in [
        "✓ the handshake is in order\n67 rules: 38 passed, 0 FAILED, 0 warned, 29 not applicable\n\nRequest\n> GET /chat HTTP/1.1\n> Host: server.example.com\n",
        "> Sec-WebSocket-Protocol: chat\n>\n\nResponse\n< HTTP/1.1 101 Switching Protocols\n",
        "\n\nRules for the client\n  - n/a   3-uri-fragment            the URL has no fragment: ",
        "\n\nRules for the server\n  ✓ pass  4.1-res-status            the status is 101: 101\n",
        "\n  ✓ pass  4.2.2-res-version-absent  a 101 has no Sec-WebSocket-Version: absent\n",
        "

Sec-WebSocket-Accept
  key           4VCy7N4jcZzUVe1gBqGqVg==
  with the GUID 4VCy7N4jcZzUVe1gBqGqVg==258EAFA5-E914-47DA-95CA-C5AB0DC85B11
  SHA-1         24 a6 60 0e 5a 7f 75 f8 4d 6b 3c be 33 30 01 f1 0d 24 85 44
  base64        JKZgDlp/dfhNazy+MzAB8Q0khUQ=
  received      JKZgDlp/dfhNazy+MzAB8Q0khUQ= (the same)

Agreed
  subprotocol   chat
  extensions    none
",
    ] {
        assert!(text.contains(part), "{part}\nis not in\n{text}");
    }
}

#[test]
fn a_wrong_accept_value_is_explained() {
    let text = report(
        "HTTP/1.1 101 \x1b[2J\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: 4VCy7N4jcZzUVe1gBqGqVg==\r\n\r\n",
        Palette { on: true },
    );
    assert!(text.contains("\x1b[31m✗ FAIL\x1b[0m  4.1-res-accept-value"), "{text}");
    assert!(
        text.contains("received      \x1b[31m4VCy7N4jcZzUVe1gBqGqVg== (not the same)\x1b[0m\n")
    );
    assert!(text.contains("why           the server sent the key back\n"), "{text}");
    assert!(text.contains("HTTP/1.1 101 \\e[2J\n"), "{text}");
}

#[test]
fn a_missing_response_leaves_out_its_parts() {
    let request = Head::parse(HeadKind::Request, REQUEST.as_bytes());
    let report = check(&HandshakeContext::new(&request, None));
    let mut out = Vec::new();
    Checklist { request: &request, response: None, report: &report, all: false }.write(
        b"",
        Palette::default(),
        &mut out,
    );
    let text = String::from_utf8(out).expect("UTF-8");
    assert!(!text.contains("\nResponse\n") && !text.contains("received"), "{text}");
    assert!(text.contains("Sec-WebSocket-Accept\n  key           4VCy7N4jcZzUVe1gBqGqVg==\n"));
}
