//! Every kind of JSON line, parsed back into structs that know every field.

mod redaction;
mod schema;
#[path = "../ui_support/mod.rs"]
mod ui_support;

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use proptest::prelude::*;
use schema::*;
use serde_json::{Value, json};
use ui_support::*;
use wscope::event::{
    Cause, CertificateFacts, ConnId, Ending, Event, FrameEvent, Lost, Phases, Side, Stamp,
    TimeoutKind, TlsFacts,
};
use wscope::ui::JsonPrinter;
use wscope::ui::json::{INLINE, PIECE};
use wscope::wire::close::CloseBody;
use wscope::wire::deflate::params::DeflateParams;
use wscope::wire::handshake::Agreed;
use wscope::wire::handshake::grammar::parse_extensions;
use wscope::wire::handshake::rules::{HandshakeContext, check};
use wscope::wire::head::{Head, HeadKind};
use wscope::wire::writer::RawFrame;
use wscope::wire::{LengthForm, OpCode, Role, Violation, ViolationKind};

impl Print for JsonPrinter {
    fn print(&mut self, at: &Stamp, event: &Event<'_>, out: &mut Vec<u8>) {
        JsonPrinter::print(self, at, event, out);
    }
}

fn plain() -> Watched<JsonPrinter> {
    let mut session = Watched::new(JsonPrinter::new(Some(Role::Client)));
    session.print(&Event::Note("the first object is the start")).take();
    session
}

/// Parses every line, each of which must be of a known kind without unknown fields.
fn parse(printed: &str) -> Vec<Line> {
    assert!(printed.is_empty() || printed.ends_with('\n'));
    assert!(printed.chars().all(|c| c == '\n' || !c.is_control()));
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    printed.lines().map(parse).collect()
}

fn values(printed: &str) -> Vec<Value> {
    parse(printed);
    printed.lines().map(|line| serde_json::from_str(line).expect("valid JSON")).collect()
}

fn one(printed: &str) -> Value {
    let mut values = values(printed);
    assert_eq!(values.len(), 1, "{printed}");
    values.remove(0)
}

#[test]
fn the_first_object_names_the_version() {
    let mut session = Watched::new(JsonPrinter::new(Some(Role::Client)));
    let printed = session.print(&Event::Note("hi")).print(&Event::Note("ho")).take();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        printed,
        format!(
            "{{\"event\":\"start\",\"v\":1,\"time\":\"2026-11-21T12:03:04.120000Z\",\"conn\":1,\
             \"program\":\"wscope\",\"version\":\"{version}\",\"role\":\"client\",\"secrets\":\"left-out\"}}\n\
             {{\"event\":\"note\",\"time\":\"2026-11-21T12:03:04.120000Z\",\"conn\":1,\
             \"text\":\"hi\"}}\n\
             {{\"event\":\"note\",\"time\":\"2026-11-21T12:03:04.120000Z\",\"conn\":1,\
             \"text\":\"ho\"}}\n"
        )
    );
    assert!(matches!(&parse(&printed)[0], Line::Start { v: 1, .. }));
    let printed = Watched::new(JsonPrinter::new(None)).print(&Event::Note("")).take();
    assert!(matches!(&parse(&printed)[0], Line::Start { role: None, .. }));
}

#[test]
fn a_frame_and_its_message() {
    let printed = plain().travel(ToServer, MASKED_HELLO).take();
    assert_eq!(
        printed,
        "{\"event\":\"frame\",\"time\":\"2026-11-21T12:03:04.120000Z\",\"conn\":1,\
         \"dir\":\"to-server\",\"number\":1,\"fin\":true,\"rsv1\":false,\"rsv2\":false,\
         \"rsv3\":false,\"opcode\":\"text\",\"mask\":\"37fa213d\",\"length\":5,\
         \"length_form\":7,\"offset\":0,\"header_hex\":\"818537fa213d\",\"text\":\"Hello\"}\n\
         {\"event\":\"message\",\"time\":\"2026-11-21T12:03:04.120000Z\",\"conn\":1,\
         \"dir\":\"to-server\",\"number\":1,\"opcode\":\"text\",\"frames\":1,\"first_frame\":1,\
         \"compressed\":false,\"wire_length\":5,\"length\":5,\"text\":\"Hello\"}\n"
    );
    parse(&printed);
    for size in 1..MASKED_HELLO.len() {
        assert_eq!(plain().travel_in_pieces(ToServer, MASKED_HELLO, size).take(), printed);
    }
}

#[test]
fn what_is_not_text_is_base64() {
    let mut session = plain();
    session.travel(ToClient, &bytes(&RawFrame { fin: false, ..frame(TEXT, b"caf\xc3") }));
    session.travel(ToClient, &bytes(&frame(CONT, b"\xa9")));
    session.travel(ToClient, &bytes(&frame(BINARY, b"text")));
    session.travel(ToClient, &bytes(&frame(PING, b"ping")));
    session.travel(ToClient, &bytes(&frame(OpCode::from(12), b"op")));
    let values = values(&session.take());
    let payload: Vec<_> = values
        .iter()
        .map(|value| (value["event"].as_str(), value["text"].as_str(), value["base64"].as_str()))
        .collect();
    assert_eq!(
        payload,
        [
            (Some("frame"), None, Some("Y2Fmww==")),
            (Some("frame"), None, Some("qQ==")),
            (Some("message"), Some("café"), None),
            (Some("frame"), None, Some("dGV4dA==")),
            (Some("message"), None, Some("dGV4dA==")),
            (Some("frame"), Some("ping"), None),
            (Some("violation"), None, None),
            (Some("frame"), None, Some("b3A=")),
        ]
    );
    assert_eq!(values[7]["opcode"], json!(12));
}

#[test]
fn a_compressed_message_keeps_its_wire_bytes() {
    let printer = JsonPrinter::new(None);
    let mut session = Watched::with_deflate(printer, Some(DeflateParams::default()));
    let sent = compressed("aaaaaaaaaaaaaaaaaaaaaaaa");
    let values = values(&session.travel(ToClient, &bytes(&sent)).take());
    assert_eq!(values[1]["rsv1"], json!(true));
    assert_eq!(values[1]["base64"], json!(BASE64_STANDARD.encode(&sent.payload)));
    assert_eq!(values[2]["text"], json!("aaaaaaaaaaaaaaaaaaaaaaaa"));
    assert_eq!(values[2]["wire_length"], json!(6));
    assert_eq!(values[2]["length"], json!(24));
    assert_eq!(values[2]["compressed"], json!(true));
}

#[test]
fn rsv1_without_compression_leaves_text_readable() {
    let rsv1 = RawFrame { rsv1: true, ..frame(TEXT, b"Hello") };
    let values = values(&plain().travel(ToClient, &bytes(&rsv1)).take());
    assert_eq!(values[0]["event"], json!("violation"));
    assert_eq!(values[1]["text"], json!("Hello"));
}

#[test]
fn a_close_prints_its_code_and_reason() {
    for (payload, code, reason) in [
        (&b"\x03\xe9restart"[..], json!(1001), json!("restart")),
        (b"\x03\xe8", json!(1000), json!("")),
        (b"\x03\xe8\xff", json!(1000), Value::Null),
        (b"", Value::Null, Value::Null),
        (b"\x03", Value::Null, Value::Null),
    ] {
        let printed = plain().travel(ToClient, &bytes(&frame(CLOSE, payload))).take();
        let close = values(&printed).into_iter().find(|value| value["event"] == "frame");
        let close = close.expect("a frame");
        assert_eq!((&close["code"], &close["reason"]), (&code, &reason), "{printed}");
    }
}

#[test]
fn a_long_frame_follows_in_pieces() {
    let content: Vec<u8> = (0..INLINE + 1).map(|at| at as u8).collect();
    let key = Some([9, 8, 7, 6]);
    let sent = bytes(&RawFrame { mask: key, ..frame(BINARY, &content) });
    let mut session = plain();
    let mut decoded = Vec::new();
    let printed = session.travel_in_pieces(ToServer, &sent, 10_007).take();
    let lines = parse(&printed);
    assert!(printed.lines().all(|line| line.len() < PIECE * 2));
    let last = lines.len() - 1;
    for (at, line) in lines.iter().enumerate() {
        match line {
            Line::Frame { payload: Some(payload), length, text: None, base64: None, .. } => {
                assert_eq!((at, payload.as_str(), *length), (0, "follows", content.len() as u64));
            }
            Line::Payload { base64, offset, number: 1, .. } => {
                assert_eq!(*offset, decoded.len() as u64);
                decoded.extend(BASE64_STANDARD.decode(base64).expect("base64"));
            }
            Line::FrameEnd { received, .. } => {
                assert_eq!((at, *received), (last - 1, content.len() as u64));
            }
            Line::Message { content: Some(omitted), text: None, base64: None, .. } => {
                assert_eq!((at, omitted.as_str()), (last, "omitted"));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(decoded, content);
}

#[test]
fn the_longest_frame_that_is_not_long() {
    let content = vec![b'x'; INLINE];
    let printed = plain().travel(ToClient, &bytes(&frame(TEXT, &content))).take();
    match &parse(&printed)[..] {
        [Line::Frame { text: Some(frame), .. }, Line::Message { text: Some(message), .. }] => {
            assert_eq!((frame.len(), message.len()), (INLINE, INLINE));
        }
        other => panic!("{} lines", other.len()),
    }
}

#[test]
fn a_frame_that_is_cut_keeps_what_came() {
    let mut session = plain();
    session.travel(ToClient, &bytes(&frame(TEXT, b"Hello"))[..5]).cut(ToClient);
    let values = values(&session.take());
    assert_eq!(values[0]["text"], json!("Hel"));
    assert_eq!(values[0]["received"], json!(3));
    assert_eq!(values[1]["name"], json!("cut-inside-frame"));
    assert_eq!(values.len(), 2);

    session = plain();
    session.travel(ToClient, &bytes(&frame(TEXT, b"Hello"))[..5]);
    session.print(&Event::End(&ending()));
    let events: Vec<_> = parse(&session.take());
    assert!(matches!(events[..], [Line::Frame { received: Some(3), .. }, Line::End { .. }]));

    session = plain();
    session.travel(ToClient, &bytes(&frame(BINARY, &vec![0; INLINE + 1]))[..20]);
    session.printer.flush_partial(&mut session.out);
    let events = parse(&session.take());
    assert!(matches!(
        events[..],
        [Line::Frame { .. }, Line::Payload { .. }, Line::FrameEnd { received: 10, .. }]
    ));
}

#[test]
fn violations_carry_the_row_of_the_catalogue() {
    let long = RawFrame { form: Some(LengthForm::Bits64), ..frame(TEXT, b"Hello") };
    let printed = plain().travel(ToClient, &bytes(&long)).take();
    let values = values(&printed);
    assert_eq!((&values[0]["code"], &values[0]["close"]), (&json!("W610"), &json!(1002)));
    assert_eq!((&values[0]["frame"], &values[0]["offset"]), (&json!(1), &json!(0)));
    assert_eq!(values[0]["detail"], json!("5 written in 64 bits"));
    assert_eq!(values[1]["length_form"], json!(64));
}

#[test]
fn bytes_without_frames_are_kept() {
    let mut lost = vec![0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 1];
    lost.extend(vec![0xaa; PIECE + 1]);
    let lines = parse(&plain().travel(ToClient, &lost).take());
    let mut decoded = Vec::new();
    for line in &lines {
        if let Line::Undecodable { base64, .. } = line {
            decoded.extend(BASE64_STANDARD.decode(base64).expect("base64"));
        }
    }
    assert_eq!(decoded, &lost[10..]);
}

#[test]
fn hostile_text_is_harmless_and_comes_back() {
    let text = "\"\\/\u{8}\u{c}\n\r\t\0\u{1b}\u{7f}\u{85}\u{2028}\u{2029}\u{202e}\u{e0041}é日😀";
    let printed = plain().travel(ToClient, &bytes(&frame(TEXT, text.as_bytes()))).take();
    assert!(printed.contains(r#""\"\\/\u0008\u000c\n\r\t\u0000\u001b\u007f\u0085\u2028\u2029\u202e\udb40\udc41é日😀""#), "{printed}");
    assert_eq!(values(&printed)[1]["text"], json!(text));
}

#[test]
fn heads_are_kept_raw_and_parsed() {
    let request = Head::parse(
        HeadKind::Request,
        b"GET /chat?x=1 HTTP/1.1\r\nhost: a\r\nX: \xff \r\nx: 2\n\r\n",
    );
    let response = Head::parse(HeadKind::Response, b"HTTP/1.1 101 Switching\r\n\r\n");
    let broken = Head::parse(HeadKind::Response, b"SSH-2.0\r\n\r\n");
    let mut session = plain();
    session.print(&Event::Head(ToServer, &request));
    session.print(&Event::Head(ToClient, &response));
    session.print(&Event::Head(ToClient, &broken));
    let values = values(&session.take());
    assert_eq!(values[0]["dir"], json!("to-server"));
    assert_eq!(values[0]["kind"], json!("request"));
    assert_eq!(values[0]["target"], json!("/chat?x=1"));
    assert_eq!(values[0]["headers"], json!([["host", "a"], ["X", "\u{fffd}"], ["x", "2"]]));
    let raw = BASE64_STANDARD.decode(values[0]["raw_base64"].as_str().expect("there"));
    assert_eq!(raw.expect("base64"), request.raw());
    assert_eq!(values[0]["defects"].as_array().map(Vec::len), Some(request.defects().len()));
    assert_eq!(values[1]["status"], json!(101));
    assert_eq!(values[1]["reason"], json!("Switching"));
    assert_eq!(values[1]["raw"], json!("HTTP/1.1 101 Switching\r\n\r\n"));
    assert_eq!(values[1].get("raw_base64"), None);
    assert_eq!(values[2]["unparsable"], json!("SSH-2.0"));
}

#[test]
fn a_body_is_kept_whole() {
    let body = vec![b'x'; PIECE + 5];
    let values = values(&plain().print(&Event::Body(&body)).print(&Event::Body(b"\xff")).take());
    let whole: String = values.iter().filter_map(|value| value["text"].as_str()).collect();
    assert_eq!(whole.as_bytes(), body);
    assert_eq!(values[2]["base64"], json!("/w=="));
}

#[test]
fn the_handshake_lists_every_rule() {
    let request = Head::parse(HeadKind::Request, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let report = check(&HandshakeContext::new(&request, None));
    let printed = plain().print(&Event::Judged(&report)).take();
    let lines = parse(&printed);
    let [Line::Handshake { verdicts, .. }] = &lines[..] else { panic!("{printed}") };
    assert_eq!(verdicts.len(), report.verdicts.len());
    let upgrade = verdicts.iter().find(|verdict| verdict.rule == "4.1-req-upgrade");
    let upgrade = upgrade.expect("the rule is listed");
    assert_eq!((upgrade.outcome.as_str(), upgrade.level.as_str()), ("fail", "must"));
    assert!(verdicts.iter().any(|verdict| verdict.outcome == "not-applicable"));
}

#[test]
fn the_handshake_shows_the_accept_value_step_by_step() {
    let request = b"GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let request = Head::parse(HeadKind::Request, request);
    let report = check(&HandshakeContext::new(&request, None));
    let values = values(&plain().print(&Event::Judged(&report)).take());
    // The example of RFC 6455 §1.3.
    let steps = json!({
        "key": "dGhlIHNhbXBsZSBub25jZQ==",
        "with_guid": "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
        "sha1": "b37a4f2cc0624f1690f64606cf385945b2bec4ea",
        "base64": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    });
    assert_eq!(values[0]["accept"], steps);
}

#[test]
fn the_phases_are_in_microseconds() {
    let phases = Phases { upgrade: Duration::from_micros(7), ..Phases::default() };
    let values = values(&plain().print(&Event::Timing(&phases)).take());
    assert_eq!((&values[0]["upgrade_us"], &values[0]["tls_us"]), (&json!(7), &Value::Null));
}

#[test]
fn facts_about_the_connection() {
    let address = |text: &str| text.parse().expect("an address");
    let addresses = [address("127.0.0.1:80"), address("[::1]:80")];
    let mut session = plain();
    session.print(&Event::Resolved { host: "a.example", addresses: &addresses });
    session.print(&Event::AddressFailed { address: addresses[1], error: "refused" });
    session.print(&Event::Connected { local: "127.0.0.1:9", peer: "[::1]:80" });
    session.print(&Event::Tls(&TlsFacts::default()));
    session.print(&Event::Tls(&TlsFacts {
        certificate: Some(CertificateFacts { names: vec!["a".into()], ..Default::default() }),
        chain: vec![CertificateFacts { subject: "CN=b".into(), ..Default::default() }],
        problem: Some("hostname mismatch".into()),
        alpn: Some("http/1.1".into()),
        ..TlsFacts::default()
    }));
    session.print(&Event::Open(&Agreed::default()));
    session.print(&Event::Open(&Agreed {
        subprotocol: Some("chat".into()),
        deflate: Some(DeflateParams::default()),
        extensions: parse_extensions([&b"permessage-deflate"[..]]).expect("valid"),
    }));
    session.print(&Event::RoundTrip(Duration::from_micros(123)));
    let values = values(&session.take());
    assert_eq!(values[0]["addresses"], json!(["127.0.0.1:80", "[::1]:80"]));
    assert_eq!(values[1]["error"], json!("refused"));
    assert_eq!(values[2]["peer"], json!("[::1]:80"));
    assert_eq!(values[3]["certificate"], Value::Null);
    assert_eq!(values[4]["certificate"]["names"], json!(["a"]));
    assert_eq!(values[4]["chain"][0]["subject"], json!("CN=b"));
    assert_eq!(values[4]["problem"], json!("hostname mismatch"));
    assert_eq!(values[5]["deflate"], Value::Null);
    assert_eq!(values[6]["deflate"]["server_max_window_bits"], json!(15));
    assert_eq!(values[6]["extensions"], json!(["permessage-deflate"]));
    assert_eq!(values[7]["rtt_us"], json!(123));
}

#[test]
fn what_a_server_prints() {
    let mut session = Watched::new(JsonPrinter::new(Some(Role::Server)));
    session.print(&Event::Listening { url: "ws://127.0.0.1:9001/" });
    session.print(&Event::Accepted { local: "/run/socket", peer: "a local client" });
    session.print(&Event::Failed("answered 404: path \"/x\" is not served here"));
    let printed = session.take();
    assert!(matches!(&parse(&printed)[3], Line::Failed { .. }));
    let values = values(&printed);
    assert_eq!((&values[0]["event"], &values[0]["role"]), (&json!("start"), &json!("server")));
    assert_eq!(values[1]["url"], json!("ws://127.0.0.1:9001/"));
    assert_eq!(values[2]["event"], json!("connected"));
    assert_eq!(
        (&values[2]["local"], &values[2]["peer"]),
        (&json!("/run/socket"), &json!("a local client"))
    );
    assert_eq!(values[3]["text"], json!("answered 404: path \"/x\" is not served here"));
}

#[test]
fn every_cause_of_an_end() {
    let kind = ViolationKind::LengthTopBit;
    let violation = Violation { kind, frame: 1, offset: 2, detail: "x".into() };
    for (cause, name, detail) in [
        (Cause::Closed, "closed", Value::Null),
        (Cause::Violation(violation), "violation", Value::Null),
        (Cause::Timeout(TimeoutKind::Pong), "timeout", json!("pong")),
        (Cause::Timeout(TimeoutKind::Idle), "timeout", json!("idle")),
        (Cause::Lost(Lost::Other("reset".into())), "lost", json!("reset")),
        (Cause::Dropped, "dropped", Value::Null),
    ] {
        let received = Some(CloseBody { code: None, reason: b"\xff".to_vec() });
        let end = Ending { by: Side::Peer, cause, received, sent: None, ..ending() };
        let end = one(&plain().print(&Event::End(&end)).take());
        assert_eq!((&end["cause"], &end["detail"]), (&json!(name), &detail));
        assert_eq!(end["violation"].is_object(), name == "violation");
        assert_eq!(end["by"], json!("peer"));
        assert_eq!(end["duration_us"], json!(3_204_000));
        assert_eq!(end["out"]["wire_bytes"], json!(19));
        assert_eq!(end["sent"], Value::Null);
        assert_eq!(end["received"], json!({"code": null, "reason": "\u{fffd}"}));
    }
}

#[test]
fn connections_and_directions_are_kept_apart() {
    let mut session = plain();
    let hello = bytes(&frame(TEXT, b"Hello"));
    session.travel(ToClient, &hello[..3]).travel(ToServer, MASKED_HELLO);
    session.at.conn = ConnId(2);
    session.print(&Event::Frame(ToClient, FrameEvent::Undecodable(b"x")));
    session.at.conn = ConnId(1);
    session.travel(ToClient, &hello[3..]);
    let printed: Vec<_> = values(&session.take())
        .iter()
        .map(|value| format!("{} {} {}", value["conn"], value["dir"], value["event"]))
        .collect();
    assert_eq!(
        printed,
        [
            r#"1 "to-server" "frame""#,
            r#"1 "to-server" "message""#,
            r#"2 "to-client" "undecodable""#,
            r#"1 "to-client" "frame""#,
            r#"1 "to-client" "message""#,
        ]
    );
}

/// The bytes of one direction put together again from the record.
fn rebuilt(lines: Vec<Line>) -> Vec<u8> {
    let decode = |text: &str| BASE64_STANDARD.decode(text).expect("base64");
    let unhex = |text: &str| -> Vec<u8> {
        let digits = text.as_bytes().chunks(2);
        let text = |pair| std::str::from_utf8(pair).expect("ASCII");
        digits.map(|pair| u8::from_str_radix(text(pair), 16).expect("hexadecimal")).collect()
    };
    let (mut out, mut key) = (Vec::new(), Vec::new());
    let masked = |payload: Vec<u8>, key: &[u8]| -> Vec<u8> {
        payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect()
    };
    for line in lines {
        match line {
            Line::Frame { header_hex, mask, text, base64, .. } => {
                out.extend(unhex(&header_hex));
                key = mask.map_or(vec![0; 4], |mask| unhex(&mask));
                let payload = text.map(String::into_bytes).or(base64.map(|b| decode(&b)));
                out.extend(masked(payload.unwrap_or_default(), &key));
            }
            // All pieces but the last have a multiple of four bytes.
            Line::Payload { base64, .. } => out.extend(masked(decode(&base64), &key)),
            Line::Undecodable { base64, .. } => out.extend(decode(&base64)),
            _ => {}
        }
    }
    out
}

proptest! {
    #[test]
    fn any_bytes_can_be_put_together_again(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        text in "\\PC{0,20}",
        size in 1usize..50,
    ) {
        let sent = [bytes_of_text(&text), bytes].concat();
        let mut session = plain();
        session.travel_in_pieces(ToServer, &sent, size);
        session.printer.flush_partial(&mut session.out);
        let rebuilt = rebuilt(parse(&session.take()));
        // A header of which the end never came is no event.
        prop_assert!(sent.starts_with(&rebuilt));
        prop_assert!(sent.len() - rebuilt.len() < 14);
    }
}

fn bytes_of_text(text: &str) -> Vec<u8> {
    bytes(&RawFrame { mask: Some([1, 0, 0xff, 7]), ..frame(TEXT, text.as_bytes()) })
}
