//! HTTP heads: where they end, what is read from them, what is wrong with them.
//! Every vector is fed whole, byte by byte, and with bytes after it.
#![allow(missing_docs)]

use proptest::prelude::*;
use wscope::wire::head::{
    Fed, Head, HeadDefectKind as Defect, HeadError, HeadKind, HeadLimits, HeadParser, StartLine,
};

const REQUEST: &[u8] = b"GET /chat?x=1 HTTP/1.1\r\nHost: server.example.com\r\n\
    upgrade: websocket\r\nUpgrade:h2c \r\nX-Empty:\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

/// Feeds the bytes in all three ways and gives the head they all agree on.
fn read(kind: HeadKind, bytes: &[u8]) -> Head {
    let new = || HeadParser::new(kind, HeadLimits::default());
    let whole = match new().push(bytes) {
        Ok(Fed::Complete { consumed, head }) => {
            assert_eq!(consumed, bytes.len());
            head
        }
        other => panic!("{other:?}"),
    };

    let mut parser = new();
    let (last, first) = bytes.split_last().unwrap();
    for byte in first {
        assert_eq!(parser.push(&[*byte]), Ok(Fed::Incomplete));
    }
    let complete = |consumed, head: &Head| Ok(Fed::Complete { consumed, head: head.clone() });
    assert_eq!(parser.push(&[*last]), complete(1, &whole), "byte by byte");

    let trailing = [bytes, b"\x81\x05Hello\r\n\r\n"].concat();
    assert_eq!(new().push(&trailing), complete(bytes.len(), &whole), "trailing");
    assert_eq!(Head::parse(kind, &trailing), whole, "offline");
    assert_eq!(whole.raw(), bytes);
    whole
}

fn request(bytes: &[u8]) -> Head {
    read(HeadKind::Request, bytes)
}

fn response(bytes: &[u8]) -> Head {
    read(HeadKind::Response, bytes)
}

fn defects(head: &Head) -> Vec<(Defect, usize, usize)> {
    let defects = head.defects().iter();
    defects.map(|d| (d.kind, d.line, d.offset)).collect()
}

#[test]
fn a_request_is_seen_as_it_was_sent() {
    let head = request(REQUEST);
    let line = head.request_line().unwrap();
    assert_eq!(line.method, b"GET");
    assert_eq!(line.target, b"/chat?x=1");
    assert_eq!(line.version.to_string(), "HTTP/1.1");
    let fields: Vec<_> = head.headers().map(|field| (field.name, field.value)).collect();
    assert_eq!(
        fields,
        [
            (&b"Host"[..], &b"server.example.com"[..]),
            (b"upgrade", b"websocket"),
            (b"Upgrade", b"h2c"),
            (b"X-Empty", b""),
        ]
    );
    assert_eq!(defects(&head), []);
    assert!(head.is_complete());
    assert_eq!(head.status_line(), None);
}

#[test]
fn a_field_knows_where_it_stands() {
    let head = request(REQUEST);
    let field = head.headers().nth(2).unwrap();
    assert_eq!(&head.raw()[field.line], b"Upgrade:h2c ");
    assert_eq!(&head.raw()[field.value_at], b"h2c");
}

#[test]
fn names_are_compared_without_case_and_lists_span_lines() {
    let head =
        request(b"GET / HTTP/1.1\r\nConnection: keep-alive ,, Upgrade\r\nCONNECTION: x\r\n\r\n");
    assert_eq!(head.get_all("connection").count(), 2);
    assert_eq!(head.get("connection"), Some(&b"keep-alive ,, Upgrade"[..]));
    let tokens: Vec<_> = head.tokens("Connection").collect();
    assert_eq!(tokens, [&b"keep-alive"[..], b"Upgrade", b"x"]);
    assert!(head.has_token("connection", "upgrade"));
    assert!(!head.has_token("connection", "keep"));
}

#[test]
fn status_lines() {
    for (line, code, reason) in [
        ("HTTP/1.1 101 Switching Protocols", 101, "Switching Protocols"),
        ("HTTP/1.0 404 ", 404, ""),
        ("HTTP/1.1 200", 200, ""),
    ] {
        let head = response(format!("{line}\r\n\r\n").as_bytes());
        let status = head.status_line().unwrap();
        assert_eq!((status.code, status.reason), (code, reason.as_bytes()), "{line}");
        assert_eq!(defects(&head), []);
    }
}

#[test]
fn start_lines_that_are_none_are_kept() {
    for (kind, line) in [
        (HeadKind::Request, "GET /"),
        (HeadKind::Request, "GET HTTP/1.1"),
        (HeadKind::Request, "G(T / HTTP/1.1"),
        (HeadKind::Request, "GET / HTTP/11"),
        (HeadKind::Request, "GET / http/1.1"),
        (HeadKind::Response, "HTTP/1.1 1x1 No"),
        (HeadKind::Response, "HTTP/1.1 1011"),
        (HeadKind::Response, "HTTP/1.1"),
        (HeadKind::Response, "HTTP/1.1  101 two spaces"),
        (HeadKind::Response, "HTTP/2 101"),
        (HeadKind::Response, "<!doctype html>"),
    ] {
        let head = read(kind, format!("{line}\r\nA: b\r\n\r\n").as_bytes());
        assert_eq!(head.start_line(), StartLine::Unparsable(line.as_bytes()));
        assert_eq!(defects(&head), [(Defect::MalformedStartLine, 1, 0)], "{line}");
        assert_eq!(head.get("a"), Some(&b"b"[..]));
    }
}

#[test]
fn a_sloppy_request_line_is_read_and_reported() {
    let head = request(b"GET  /a b  HTTP/1.1\r\n\r\n");
    assert_eq!(head.request_line().unwrap().target, b"/a b");
    assert_eq!(defects(&head), [(Defect::MalformedStartLine, 1, 0)]);
}

#[test]
fn each_defect_has_its_line_and_offset() {
    for (bytes, expected) in [
        ("\r\nGET / HTTP/1.1\r\n\r\n", (Defect::LeadingEmptyLine, 1, 0)),
        ("GET / HTTP/1.1\n\r\n", (Defect::BareLineFeed, 1, 14)),
        ("GET / HTTP/1.1\r\n\n", (Defect::BareLineFeed, 2, 16)),
        ("GET / HTTP/1.1\r\nHost\r\n\r\n", (Defect::MissingColon, 2, 16)),
        ("GET / HTTP/1.1\r\n: x\r\n\r\n", (Defect::EmptyName, 2, 16)),
        ("GET / HTTP/1.1\r\nA \t: x\r\n\r\n", (Defect::SpaceBeforeColon, 2, 17)),
        ("GET / HTTP/1.1\r\nA(: x\r\n\r\n", (Defect::IllegalNameByte(b'('), 2, 17)),
        ("GET / HTTP/1.1\r\nA: x\0\r\n\r\n", (Defect::IllegalValueByte(0), 2, 20)),
        ("GET / HTTP/1.1\r\nA: x\ry\r\n\r\n", (Defect::IllegalValueByte(b'\r'), 2, 20)),
        ("GET / HTTP/1.1\r\nA: x\r\n y\r\n\r\n", (Defect::ObsoleteFolding, 3, 22)),
        ("GET / HTTP/1.1\r\n x: y\r\n\r\n", (Defect::FoldingWithoutField, 2, 16)),
    ] {
        assert_eq!(defects(&request(bytes.as_bytes())), [expected], "{bytes:?}");
    }
}

#[test]
fn a_defect_reads_as_a_sentence() {
    let head = request(b"GET / HTTP/1.1\r\nA\x01: x\r\n\r\n");
    assert_eq!(head.defects()[0].to_string(), "line 2, byte 17: byte 0x01 in a header name");
}

#[test]
fn a_folded_value_spans_its_lines() {
    let head = request(b"GET / HTTP/1.1\r\nA: x,\r\n\ty \r\nB: z\r\n\r\n");
    assert_eq!(head.get("a"), Some(&b"x,\r\n\ty"[..]));
    assert_eq!(head.tokens("a").collect::<Vec<_>>(), [b"x", b"y"]);
    assert_eq!(head.get("b"), Some(&b"z"[..]));
}

#[test]
fn blank_folded_lines_add_nothing() {
    let head = request(b"GET / HTTP/1.1\r\nA:\r\n \r\n\tx\r\n \r\nB: y\r\n \r\n\r\n");
    assert_eq!(head.get("a"), Some(&b"x"[..]));
    assert_eq!(head.get("b"), Some(&b"y"[..]));
    assert!(head.defects().iter().all(|d| d.kind == Defect::ObsoleteFolding));
}

#[test]
fn values_may_hold_any_text() {
    let head = request("GET / HTTP/1.1\r\nA: grüße\t: x\r\n\r\n".as_bytes());
    assert_eq!(head.get("a"), Some("grüße\t: x".as_bytes()));
    assert_eq!(defects(&head), []);
}

#[test]
fn one_head_follows_another() {
    let mut parser = HeadParser::new(HeadKind::Response, HeadLimits::default());
    let both = [b"HTTP/1.1 103 Early Hints\r\n\r\n", RESPONSE].concat();
    let Ok(Fed::Complete { consumed, head }) = parser.push(&both) else {
        panic!("the first head is whole");
    };
    assert_eq!(head.status_line().unwrap().code, 103);
    let Ok(Fed::Complete { head, .. }) = parser.push(&both[consumed..]) else {
        panic!("the second head is whole");
    };
    assert_eq!(head.raw(), RESPONSE);
}

#[test]
fn a_head_of_exactly_the_limit_is_read() {
    let limits = HeadLimits { max_bytes: REQUEST.len(), max_headers: 4 };
    let fed = HeadParser::new(HeadKind::Request, limits).push(REQUEST);
    assert!(matches!(fed, Ok(Fed::Complete { .. })));
}

#[test]
fn an_endless_head_is_an_error_at_its_offset() {
    let limits = HeadLimits { max_bytes: 100, max_headers: 4 };
    let endless = [b'a'; 101];
    let error = Err(HeadError::TooLong { limit: 100 });
    let mut parser = HeadParser::new(HeadKind::Request, limits);
    assert_eq!(parser.push(&endless), error);
    assert_eq!(parser.raw(), &endless[..100]);
    assert_eq!(parser.push(b"x"), error, "the error stays");

    let mut parser = HeadParser::new(HeadKind::Request, limits);
    for byte in &endless[..100] {
        assert_eq!(parser.push(&[*byte]), Ok(Fed::Incomplete));
    }
    assert_eq!(parser.push(b"a"), error);
}

#[test]
fn too_many_headers_are_an_error_at_the_first_too_many() {
    let limits = HeadLimits { max_bytes: 1000, max_headers: 2 };
    let mut parser = HeadParser::new(HeadKind::Request, limits);
    let error = HeadError::TooManyHeaders { limit: 2, offset: 30 };
    let bytes = b"GET / HTTP/1.1\r\nA: 1\r\n b\r\nB:\r\nC: 1\r\n\r\n";
    assert_eq!(parser.push(bytes), Err(error));
    assert_eq!(error.to_string(), "more than 2 headers in the http head, the next one at byte 30");
}

#[test]
fn a_head_cut_short_is_marked() {
    let mut parser = HeadParser::new(HeadKind::Response, HeadLimits::default());
    let cut = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webs";
    assert_eq!(parser.push(cut), Ok(Fed::Incomplete));
    let head = Head::parse(HeadKind::Response, cut);
    assert_eq!(head.raw(), cut);
    assert_eq!(head.get("upgrade"), Some(&b"webs"[..]));
    assert_eq!(defects(&head), [(Defect::Truncated, 2, cut.len())]);
    assert!(!head.is_complete());
}

#[test]
fn what_is_not_http_is_known_early() {
    for (kind, bytes, verdict) in [
        (HeadKind::Response, &b""[..], false),
        (HeadKind::Response, b"H", false),
        (HeadKind::Response, b"HTTP/1", false),
        (HeadKind::Response, b"HTML", true),
        (HeadKind::Response, b"SSH-2.0-OpenSSH", true),
        (HeadKind::Response, b"\x15\x03\x01\x00\x02", true),
        (HeadKind::Response, b"\x81\x05Hello", true),
        (HeadKind::Request, b"GET / HT", false),
        (HeadKind::Request, b"\r\nG", false),
        (HeadKind::Request, b"PRI * HTTP/2.0\r\n\r\nSM", false),
        (HeadKind::Request, b"\x16\x03\x01", true),
        (HeadKind::Request, b"GET\x00", true),
        (HeadKind::Request, b"{\"a\"", true),
    ] {
        let mut parser = HeadParser::new(kind, HeadLimits::default());
        let complete = matches!(parser.push(bytes), Ok(Fed::Complete { .. }));
        assert_eq!(parser.not_http(), verdict, "{}", bytes.escape_ascii());
        assert!(complete || parser.raw() == bytes, "the bytes are kept");
    }
}

/// Bytes that look enough like a head to reach every branch.
fn head_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"GET / HTTP/1.1\r\n".to_vec()),
        Just(b"HTTP/1.1 101 x\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"Upgrade: websocket\r\n".to_vec()),
        Just(b" folded\r\n".to_vec()),
        Just(b":".to_vec()),
        Just(b" ".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn kind() -> impl Strategy<Value = HeadKind> {
    prop_oneof![Just(HeadKind::Request), Just(HeadKind::Response)]
}

type Outcome = Result<Option<(usize, Head)>, HeadError>;

/// Feeds in pieces of the given sizes until the head ends; the offset is absolute.
fn feed(parser: &mut HeadParser, bytes: &[u8], sizes: &[usize]) -> Outcome {
    let mut sizes = sizes.iter().copied().cycle();
    let mut at = 0;
    while at < bytes.len() {
        let end = bytes.len().min(at + sizes.next().unwrap_or(1).max(1));
        if let Fed::Complete { consumed, head } = parser.push(&bytes[at..end])? {
            return Ok(Some((at + consumed, head)));
        }
        at = end;
    }
    Ok(None)
}

proptest! {
    #[test]
    fn splits_do_not_matter(
        kind in kind(),
        bytes in head_like(),
        sizes in proptest::collection::vec(1..9_usize, 1..5),
    ) {
        let limits = HeadLimits { max_bytes: 60, max_headers: 3 };
        let mut whole = HeadParser::new(kind, limits);
        let mut split = HeadParser::new(kind, limits);
        let expected = feed(&mut whole, &bytes, &[usize::MAX / 2]);
        prop_assert_eq!(feed(&mut split, &bytes, &sizes), expected);
        prop_assert_eq!(split.raw(), whole.raw());
        prop_assert_eq!(split.not_http(), whole.not_http());
    }

    #[test]
    fn the_view_never_leaves_the_bytes(kind in kind(), bytes in head_like()) {
        let head = Head::parse(kind, &bytes);
        prop_assert!(bytes.starts_with(head.raw()));
        for field in head.headers() {
            prop_assert_eq!(&head.raw()[field.value_at.clone()], field.value);
            prop_assert!(field.line.start <= field.value_at.start);
            prop_assert!(field.value_at.end <= field.line.end);
        }
        for defect in head.defects() {
            prop_assert!(defect.offset <= head.raw().len());
        }
        if let Ok(Some((end, fed))) =
            feed(&mut HeadParser::new(kind, HeadLimits::default()), &bytes, &[1])
        {
            prop_assert_eq!(&bytes[..end], head.raw());
            prop_assert_eq!(fed, head);
        }
    }
}
