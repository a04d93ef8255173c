//! The server's answers, and the whole handshake against an independent peer.
#![allow(missing_docs)]

use std::io::{self, Cursor, Read, Write};

use proptest::prelude::*;
use wscope::wire::deflate::params::{DeflateOffer, ServerDeflateConfig};
use wscope::wire::handshake::admission::{Admission, Authorization, Origins, Reject};
use wscope::wire::handshake::grammar::{parse_extensions, parse_subprotocols};
use wscope::wire::handshake::request::RequestSpec;
use wscope::wire::handshake::rules::{HandshakeContext, Outcome, check};
use wscope::wire::handshake::server::{Accepted, Refusal, ServerConfig, respond};
use wscope::wire::head::{Head, HeadKind};

fn spec() -> RequestSpec {
    RequestSpec {
        subprotocols: vec!["chat".to_owned(), "superchat".to_owned()],
        deflate: Some(DeflateOffer::default()),
        origin: Some("http://example.com".to_owned()),
        ..RequestSpec::new("server.example.com", "/chat", *b"\x01 some 16 bytes\xff")
    }
}

fn request(headers: &[&str]) -> Head {
    let spec = RequestSpec {
        headers: headers.iter().map(|text| text.parse().unwrap()).collect(),
        ..spec()
    };
    Head::parse(HeadKind::Request, &spec.encode().unwrap())
}

fn config() -> ServerConfig {
    ServerConfig {
        subprotocols: vec!["superchat".to_owned(), "chat".to_owned()],
        deflate: Some(ServerDeflateConfig::default()),
        headers: vec!["Server: wscope".parse().unwrap()],
        ..ServerConfig::default()
    }
}

fn accepted(request: &Head, config: &ServerConfig) -> Accepted {
    respond(request, config).unwrap_or_else(|refusal| panic!("{}", refusal.reason))
}

fn refused(request: &Head) -> Refusal {
    match respond(request, &config()) {
        Err(refusal) => refusal,
        Ok(_) => panic!("accepted"),
    }
}

fn rule_of(refusal: &Refusal) -> &'static str {
    refusal.rule.expect("a broken rule").id
}

#[test]
fn a_good_request_is_answered_with_a_101() {
    let answer = accepted(&request(&["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]), &config());
    assert_eq!(
        String::from_utf8(answer.response).unwrap(),
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         Sec-WebSocket-Protocol: superchat\r\n\
         Sec-WebSocket-Extensions: permessage-deflate\r\n\
         Server: wscope\r\n\
         \r\n"
    );
}

#[test]
fn both_sides_agree_on_the_same() {
    let request = request(&[]);
    for config in [config(), ServerConfig::default()] {
        let answer = accepted(&request, &config);
        let response = Head::parse(HeadKind::Response, &answer.response);
        let report = check(&HandshakeContext::new(&request, Some(&response)));
        for verdict in &report.verdicts {
            assert_ne!(verdict.outcome, Outcome::Fail, "{}", verdict.text);
        }
        assert_eq!(report.agreed, answer.agreed);
    }
}

#[test]
fn an_unknown_subprotocol_is_left_unanswered() {
    let answer = accepted(&request(&["Sec-WebSocket-Protocol: other"]), &config());
    assert_eq!(answer.agreed.subprotocol, None);
    let response = Head::parse(HeadKind::Response, &answer.response);
    assert_eq!(response.get("Sec-WebSocket-Protocol"), None);
}

#[test]
fn a_faulty_deflate_offer_is_declined_not_refused() {
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7";
    let answer = accepted(&request(&[offer]), &config());
    assert_eq!(answer.agreed.deflate, None);
    assert_eq!(answer.agreed.extensions, []);
}

#[test]
fn the_answer_can_be_changed_by_hand() {
    let config = ServerConfig {
        headers: vec!["sec-websocket-accept: wrong".parse().unwrap(), "Upgrade:".parse().unwrap()],
        ..ServerConfig::default()
    };
    let answer = accepted(&request(&[]), &config);
    let text = String::from_utf8(answer.response).unwrap();
    assert!(text.ends_with("Connection: Upgrade\r\nsec-websocket-accept: wrong\r\n\r\n"), "{text}");
}

#[test]
fn each_ground_to_refuse_has_its_status() {
    for (header, status, rule) in [
        ("Host:", 400, "4.1-req-host"),
        ("Upgrade:", 426, "4.1-req-upgrade"),
        ("Connection: close", 400, "4.1-req-connection"),
        ("Sec-WebSocket-Version:", 426, "4.1-req-version-present"),
        ("Sec-WebSocket-Version: 8", 426, "4.1-req-version-13"),
        ("Sec-WebSocket-Version: x", 426, "4.3-req-version-abnf"),
        ("Sec-WebSocket-Key:", 400, "4.1-req-key-present"),
        ("Sec-WebSocket-Key: !", 400, "4.1-req-key-b64"),
        ("Sec-WebSocket-Key: AAAA", 400, "4.1-req-key-16"),
        ("Sec-WebSocket-Protocol: a,,b", 400, "4.1-req-proto-nonempty"),
        ("Sec-WebSocket-Protocol: a/b", 400, "4.1-req-proto-token"),
        ("Sec-WebSocket-Protocol: a, a", 400, "4.1-req-proto-unique"),
        ("Sec-WebSocket-Extensions: ;", 400, "9.1-req-ext-abnf"),
    ] {
        let refusal = refused(&request(&[header]));
        assert_eq!((refusal.status, rule_of(&refusal)), (status, rule), "{header}");
        let response = Head::parse(HeadKind::Response, &refusal.response);
        assert_eq!(response.defects(), []);
        assert_eq!(response.status_line().unwrap().code, status);
        assert!(response.has_token("Connection", "close"));
        let body = &refusal.response[response.raw().len()..];
        assert_eq!(response.get("Content-Length"), Some(body.len().to_string().as_bytes()));
        if status == 426 {
            assert_eq!(response.get("Sec-WebSocket-Version"), Some(&b"13"[..]));
            assert_eq!(response.get("Upgrade"), Some(&b"websocket"[..]));
        }
    }
    let curl = refused(&request(&["Sec-WebSocket-Version:", "Sec-WebSocket-Key:"]));
    assert_eq!((curl.status, rule_of(&curl)), (426, "4.1-req-version-present"));
    let reason = "Sec-WebSocket-Version is missing; Sec-WebSocket-Key is missing";
    assert!(curl.reason.contains(reason), "{}", curl.reason);
    for (twice, rule) in [
        (["Sec-WebSocket-Version: 13"; 2], "11.3.5-req-version-once"),
        (["Sec-WebSocket-Key: AAAA"; 2], "11.3.1-req-key-once"),
        (["Host: a"; 2], "4.1-req-host"),
    ] {
        assert_eq!(rule_of(&refused(&request(&twice))), rule);
    }
}

#[test]
fn the_request_line_can_be_a_ground_to_refuse() {
    let good = String::from_utf8(spec().encode().unwrap()).unwrap();
    for (line, status, rule) in [
        ("POST /chat HTTP/1.1", 405, "4.1-req-method"),
        ("GET /chat HTTP/1.0", 400, "4.1-req-httpver"),
        ("GET chat HTTP/1.1", 400, "4.1-req-target"),
        ("GET /chat", 400, "4.1-req-syntax"),
    ] {
        let bytes = good.replace("GET /chat HTTP/1.1", line);
        let refusal = refused(&Head::parse(HeadKind::Request, bytes.as_bytes()));
        assert_eq!((refusal.status, rule_of(&refusal)), (status, rule));
        let response = Head::parse(HeadKind::Response, &refusal.response);
        assert_eq!(response.get("Allow").is_some(), status == 405);
    }
}

#[test]
fn a_browser_gets_a_page_that_explains_how_to_connect() {
    let get = |host: &str| {
        let raw = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let refusal = refused(&Head::parse(HeadKind::Request, raw.as_bytes()));
        (refusal.status, String::from_utf8(refusal.response).unwrap())
    };
    let (status, page) = get("localhost:9001");
    assert!(status == 426 && page.contains("wscope ws://localhost:9001/\n"), "{page}");
    let (_, hostile) = get("<script>alert(1)</script>");
    assert!(!hostile.contains("ws://<script>"), "{hostile}");
    // The reason quotes the request; no browser may take it for a page.
    assert!(hostile.contains("text/plain") && hostile.contains("nosniff"), "{hostile}");
}

#[test]
fn a_server_has_its_own_grounds_to_refuse() {
    let reject = Some(Reject { status: 503, body: Some("closed today".to_owned()) });
    for (admission, status) in [
        (Admission { paths: vec!["/other".to_owned()], ..Admission::default() }, 404),
        (Admission { origins: Origins::Local, ..Admission::default() }, 403),
        (
            Admission {
                authorization: Some(Authorization::Bearer("secret".to_owned())),
                ..Admission::default()
            },
            401,
        ),
        (Admission { reject, ..Admission::default() }, 503),
    ] {
        let config = ServerConfig { admission, ..config() };
        let refusal = respond(&request(&[]), &config).expect_err("refused");
        assert_eq!((refusal.status, refusal.rule.is_none()), (status, true));
        let response = Head::parse(HeadKind::Response, &refusal.response);
        assert_eq!(response.defects(), []);
        assert_eq!(response.status_line().unwrap().code, status);
        assert_eq!(response.get("WWW-Authenticate").is_some(), status == 401);
        assert_eq!(refusal.response.ends_with(b"\r\n\r\nclosed today"), status == 503);
    }
}

#[test]
fn bare_line_feeds_are_overlooked() {
    let bytes = String::from_utf8(spec().encode().unwrap()).unwrap().replace("\r\n", "\n");
    accepted(&Head::parse(HeadKind::Request, bytes.as_bytes()), &config());
}

/// A stream in memory whose answer is made from what was written to it.
struct Peer<F> {
    written: Vec<u8>,
    answer: Option<Cursor<Vec<u8>>>,
    make: F,
}

impl<F: FnMut(&[u8]) -> Vec<u8>> Peer<F> {
    fn new(make: F) -> Self {
        Self { written: Vec::new(), answer: None, make }
    }
}

impl<F: FnMut(&[u8]) -> Vec<u8>> Read for Peer<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (written, make) = (&self.written, &mut self.make);
        self.answer.get_or_insert_with(|| Cursor::new(make(written))).read(buffer)
    }
}

impl<F> Write for Peer<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn tungstenite_accepts_our_request_and_we_its_response() {
    let plain = RequestSpec { subprotocols: Vec::new(), deflate: None, ..spec() };
    let request = plain.encode().unwrap();
    let sent = request.clone();
    let socket = tungstenite::accept(Peer::new(move |_| sent.clone())).expect("a valid request");
    let response = Head::parse(HeadKind::Response, &socket.get_ref().written);
    let request = Head::parse(HeadKind::Request, &request);
    let report = check(&HandshakeContext::new(&request, Some(&response)));
    for verdict in &report.verdicts {
        assert_ne!(verdict.outcome, Outcome::Fail, "{}: {}", verdict.rule.id, verdict.text);
    }
}

#[test]
fn tungstenite_accepts_our_response_and_we_its_request() {
    let peer = Peer::new(|bytes: &[u8]| {
        let request = Head::parse(HeadKind::Request, bytes);
        accepted(&request, &ServerConfig::default()).response
    });
    let (_, response) = tungstenite::client("ws://localhost/chat", peer).expect("a valid response");
    assert_eq!(response.status().as_u16(), 101);
}

proptest! {
    #[test]
    fn any_request_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let bytes = [&b"GET / HTTP/1.1\r\n"[..], &bytes, b"\r\n\r\n"].concat();
        let refusal = refused(&Head::parse(HeadKind::Request, &bytes));
        prop_assert!(refusal.status >= 400);
    }

    #[test]
    fn any_list_is_read(lines in proptest::collection::vec(
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..20),
            "[a-c;,=\"\\\\ ]{0,20}".prop_map(String::into_bytes),
        ], 0..4)
    ) {
        let lines = lines.iter().map(Vec::as_slice);
        let list = parse_subprotocols(lines.clone());
        for fault in &list.faults {
            let line = lines.clone().nth(fault.line - 1).unwrap();
            prop_assert!(fault.offset <= line.len());
        }
        match parse_extensions(lines.clone()) {
            Err(error) => {
                let line = lines.clone().nth(error.line - 1).unwrap();
                prop_assert!(error.offset <= line.len());
            }
            Ok(list) => {
                let written: Vec<String> = list.iter().map(ToString::to_string).collect();
                let again = parse_extensions(written.iter().map(|text| text.as_bytes()));
                prop_assert_eq!(again, Ok(list), "written and read again");
            }
        }
    }

    #[test]
    fn line_splits_of_a_list_do_not_matter(
        names in proptest::collection::vec("[a-z]{1,3}(; [a-z]{1,2}(=[0-9])?){0,2}", 1..5),
        split in 0..5_usize,
    ) {
        let (first, second) = names.split_at(split.min(names.len()));
        let whole = names.join(", ");
        let (first, second) = (first.join(","), second.join(" , "));
        let lines = [first.as_bytes(), second.as_bytes()];
        prop_assert_eq!(parse_extensions(lines), parse_extensions([whole.as_bytes()]));
    }
}
