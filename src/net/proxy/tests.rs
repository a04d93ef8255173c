//! Dialogues with proxies, whole, byte by byte and with trailing bytes.

use std::mem;

use proptest::prelude::*;

use super::*;

/// Feeds bytes in pieces of `size`; returns all sent data, and the result of the last step.
fn talk(
    dialogue: &mut Dialogue,
    bytes: &[u8],
    size: usize,
) -> (Vec<u8>, Result<DialogueProgress, ProxyError>) {
    let mut sent = dialogue.take_output();
    let (mut consumed, mut last) = (0, Ok(DialogueProgress { consumed: 0, open: false }));
    for piece in bytes.chunks(size.max(1)) {
        last = dialogue.feed(piece);
        sent.append(&mut dialogue.take_output());
        let Ok(fed) = &last else { break };
        consumed += fed.consumed;
    }
    (sent, last.map(|fed| DialogueProgress { consumed, ..fed }))
}

fn begin(proxy: &str, host: &str, port: u16) -> Dialogue {
    let proxy = Proxy::parse(proxy).unwrap();
    Dialogue::begin(&proxy, &Destination::new(host, port)).unwrap()
}

/// A dialogue that opens the tunnel: the sent data and the received data.
fn opens(proxy: &str, host: &str, sent: &[u8], received: &[u8]) {
    for size in [received.len(), 1, 3] {
        for trailing in [&b""[..], b"\x81\x02hi"] {
            let mut dialogue = begin(proxy, host, 443);
            let bytes = [received, trailing].concat();
            let (all_sent, end) = talk(&mut dialogue, &bytes, size);
            assert_eq!(
                end,
                Ok(DialogueProgress { consumed: received.len(), open: true }),
                "{proxy}, {size}"
            );
            assert_eq!(all_sent.escape_ascii().to_string(), sent.escape_ascii().to_string());
            let after = dialogue.feed(b"more");
            assert_eq!(
                after,
                Ok(DialogueProgress { consumed: 0, open: true }),
                "nothing more is taken"
            );
        }
        let mut dialogue = begin(proxy, host, 443);
        let (_, end) = talk(&mut dialogue, &received[..received.len() - 1], size);
        assert!(!end.unwrap().open, "not before the last byte");
    }
}

/// A dialogue that fails with the same error, however the bytes are cut.
fn fails(proxy: &str, received: &[u8]) -> ProxyError {
    let [whole, cut] = [usize::MAX, 1].map(|size| {
        let mut dialogue = begin(proxy, "h", 443);
        let error = talk(&mut dialogue, &[received, b"trailing"].concat(), size).1.unwrap_err();
        assert_eq!(dialogue.feed(b"x"), Err(error.clone()));
        error
    });
    assert_eq!(mem::discriminant(&whole), mem::discriminant(&cut));
    whole
}

fn request(host: &str, authorization: &str) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n{authorization}\
         User-Agent: wscope/{version}\r\n\r\n"
    )
    .into_bytes()
}

#[test]
fn connect() {
    let answer = b"HTTP/1.1 200 Connection established\r\n\r\n";
    opens("http://p", "example.com", &request("example.com", ""), answer);
    opens("https://p", "::1", &request("[::1]", ""), answer);
    let authorization = "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n";
    opens("http://user:pass@p", "h", &request("h", authorization), answer);
}

#[test]
fn connect_ignores_a_length_and_interim_responses() {
    let answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 299 Yes\r\nContent-Length: 9\r\n\r\n";
    opens("http://p", "h", &request("h", ""), answer);
}

#[test]
fn connect_keeps_the_heads() {
    let mut dialogue = begin("http://p", "h", 443);
    let sent = dialogue.take_output();
    assert_eq!(dialogue.request().unwrap().raw(), sent);
    let answer = b"HTTP/1.1 503 No way\r\nVia: x\r\n\r\n";
    let error = dialogue.feed(&[&answer[..], b"body"].concat()).unwrap_err();
    assert_eq!(dialogue.response().unwrap().raw(), answer);
    assert_eq!(error.head().unwrap().raw(), answer);
    assert_eq!(error.to_string(), "the proxy refused the tunnel with 503 No way");
}

#[test]
fn connect_refused() {
    for (answer, text) in [
        ("HTTP/1.1 403 \x1b[2J\r\n\r\n", "the proxy refused the tunnel with 403 \\x1b[2J"),
        ("HTTP/1.1 301\r\n\r\n", "the proxy refused the tunnel with 301"),
        (
            "HTTP/1.1 101 Odd\r\n\r\n".repeat(17).as_str(),
            "the proxy sent 17 interim (1xx) responses and no final one",
        ),
    ] {
        let error = fails("http://p", answer.as_bytes());
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn connect_unauthorized() {
    let answer =
        b"HTTP/1.1 407 Auth\r\nProxy-Authenticate: Digest a=\"b, c\", Basic realm=x\r\n\r\n";
    let error = fails("http://p", answer);
    assert_eq!(
        error.to_string(),
        "the proxy requires a user and password (407 Auth), and offers Digest, Basic"
    );
    assert!(error.help().contains("--proxy-user"));
    let error = fails("http://a:b@p", b"HTTP/1.1 407 Auth\r\nProxy-Authenticate: NTLM\r\n\r\n");
    assert_eq!(
        error.to_string(),
        "the proxy did not accept the user and password (407 Auth), and offers NTLM"
    );
    assert!(error.help().contains("only Basic"));
    // tinyproxy's answer to a wrong password.
    let error = fails("http://a:b@p", b"HTTP/1.1 401 Unauthorized\r\n\r\n");
    assert_eq!(
        error.to_string(),
        "the proxy did not accept the user and password (401 Unauthorized), and offers no scheme"
    );
    assert!(error.help().contains("check the user and password"));
}

#[test]
fn connect_to_what_is_no_proxy() {
    let error = fails("http://p", b"SSH-2.0-x\r\n");
    assert_eq!(
        error.to_string(),
        "the proxy does not speak HTTP; it sent \"SSH-2.0-x\\r\\ntrailing\""
    );
    assert!(fails("http://p", &[0x15, 3, 3, 0, 2, 2, 50]).help().contains("https://"));
    assert!(fails("http://p", &[5, 0xff]).help().contains("socks5h://"));
    let endless = [b"HTTP/1.1 200 OK\r\n".to_vec(), b"a: b\r\n".repeat(100_000)].concat();
    assert!(matches!(fails("http://p", &endless), ProxyError::Head(_)));
}

/// More lines than a head may have, in one read.
#[test]
fn much_of_another_protocol_at_once() {
    let error = fails("http://p", &b"220 hello\r\n".repeat(1000));
    assert!(matches!(error, ProxyError::NotHttp { .. }), "{error}");
}

#[test]
fn an_end_in_the_middle() {
    let mut dialogue = begin("http://p", "h", 443);
    assert_eq!(
        dialogue.ended().to_string(),
        "the proxy closed the connection before its answer to CONNECT"
    );
    dialogue.feed(b"HTTP/1.1 2").unwrap();
    assert_eq!(
        dialogue.ended().to_string(),
        "the proxy closed the connection in the middle of its answer to CONNECT"
    );
    let mut dialogue = begin("socks5://p", "127.0.0.1", 443);
    dialogue.feed(&[5, 0]).unwrap();
    assert_eq!(dialogue.ended(), ProxyError::Closed { received: 0, asked: Asked::Socks5 });
    let mut dialogue = begin("socks5://u:pw@p", "127.0.0.1", 443);
    let asked = Asked::Greeting { credentials: true };
    assert_eq!(dialogue.ended(), ProxyError::Closed { received: 0, asked });
    dialogue.feed(&[5, 2]).unwrap();
    assert_eq!(dialogue.ended(), ProxyError::Closed { received: 0, asked: Asked::Login });
}

#[test]
fn socks5() {
    let greeting = [5, 1, 0];
    let name = [&greeting[..], &[5, 1, 0, 3, 1, b'h', 1, 187]].concat();
    let v4 = [&greeting[..], &[5, 1, 0, 1, 127, 0, 0, 1, 1, 187]].concat();
    let v6 = [&greeting[..], &[5, 1, 0, 4], &[0; 15], &[1, 1, 187]].concat();
    let bound_v4 = [5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    opens("socks5h://p", "h", &name, &bound_v4);
    opens("socks5://p", "127.0.0.1", &v4, &[&[5, 0, 5, 0, 0, 4][..], &[9; 18]].concat());
    opens("socks5://p", "::1", &v6, &[5, 0, 5, 0, 0, 3, 2, b'a', b'b', 0, 80]);
    opens("socks5h://p", "h", &name, &[5, 0, 5, 0, 77, 3, 0, 0, 80]);
}

#[test]
fn socks5_with_user_and_password() {
    let login = [1, 1, b'u', 2, b'p', b'w'];
    let request = [5, 1, 0, 3, 1, b'h', 1, 187];
    let reply = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let sent = [&[5, 2, 0, 2][..], &login, &request].concat();
    opens("socks5h://u:pw@p", "h", &sent, &[&[5, 2, 1, 0][..], &reply].concat());
    // A server may require no authentication.
    let sent = [&[5, 2, 0, 2][..], &request].concat();
    opens("socks5h://u:pw@p", "h", &sent, &[&[5, 0][..], &reply].concat());
}

#[test]
fn socks5_unauthorized() {
    for (proxy, received, sent) in [
        ("socks5h://p", &[5, 0xff][..], false),
        ("socks5h://p", &[5, 2], false),
        ("socks5h://u:p@p", &[5, 0xff], true),
        ("socks5h://u:p@p", &[5, 2, 1, 1], true),
        ("socks5h://u:p@p", &[5, 2, 5, 1], true),
    ] {
        let error = fails(proxy, received);
        assert_eq!(error, ProxyError::SocksUnauthorized { sent }, "{received:?}");
    }
}

#[test]
fn socks5_refused() {
    for code in 1..=255 {
        let error = fails("socks5h://p", &[5, 0, 5, code]);
        assert_eq!(error, ProxyError::SocksRefused { version: 5, code });
    }
    assert_eq!(
        fails("socks5h://p", &[5, 0, 5, 5, 0, 1]).to_string(),
        "the SOCKS5 proxy refused the tunnel with code 5 (connection refused)"
    );
}

#[test]
fn socks5_to_what_is_no_proxy() {
    let error = fails("socks5h://p", b"HTTP/1.0 400 Bad Request\r\n");
    assert_eq!(error.to_string(), "the proxy does not speak SOCKS5: the version is 72, not 5");
    assert!(error.help().contains("http://"));
    for received in [&[5, 1][..], &[5, 0, 4], &[5, 0, 5, 0, 0, 2]] {
        assert!(matches!(fails("socks5h://p", received), ProxyError::NotSocks { .. }));
    }
    assert!(matches!(fails("socks5h://u:p@p", &[5, 2, 9]), ProxyError::NotSocks { .. }));
}

#[test]
fn socks4_and_4a() {
    let granted = [0, 90, 0, 0, 0, 0, 0, 0];
    opens("socks4://p", "127.0.0.1", &[4, 1, 1, 187, 127, 0, 0, 1, 0], &granted);
    opens("socks4a://u@p", "h", &[4, 1, 1, 187, 0, 0, 0, 1, b'u', 0, b'h', 0], &granted);
    assert_eq!(
        fails("socks4a://p", &[0, 91, 0]).to_string(),
        "the SOCKS4 proxy refused the tunnel with code 91 (request rejected or failed)"
    );
    assert!(fails("socks4a://p", b"HTTP").help().contains("http://"));
}

#[test]
fn what_a_protocol_cannot_express() {
    let long = "h".repeat(256);
    for (proxy, host) in [
        ("http://a%3Ab:c@p", "h"),
        ("http://p", "h\r\nX: y"),
        ("http://p", ""),
        ("socks5h://p", &*long),
        ("socks5h://p", ""),
        (&*format!("socks5h://{long}@p"), "h"),
        (&*format!("socks5h://u:{long}@p"), "h"),
        ("socks5h://:x@p", "h"),
        ("socks4://p", "::1"),
        ("socks4a://u:p@p", "h"),
        ("socks4a://u%00@p", "h"),
        ("socks4a://p", "a\0b"),
    ] {
        let proxy = Proxy::parse(proxy).unwrap();
        let error = Dialogue::begin(&proxy, &Destination::new(host, 1)).unwrap_err();
        assert!(matches!(error, ProxyError::Unspeakable { .. }), "{proxy} {host:?}");
    }
}

#[test]
fn nothing_shows_the_password() {
    let dialogue = begin("http://user:secret@p", "h", 1);
    assert_eq!(format!("{dialogue:?}"), "Dialogue { speaks: \"HTTP\", .. }");
}

proptest! {
    /// Any bytes are some answer: no panic, no byte taken twice, and the same result however the
    /// bytes are cut.
    #[test]
    fn any_bytes_in_any_pieces(
        scheme in 0..3_usize,
        start in 0..5_usize,
        tail in proptest::collection::vec(any::<u8>(), 0..64),
        size in 1..20_usize,
    ) {
        let proxy = ["http://u:p@p", "socks5h://u:p@p", "socks4a://u@p"][scheme];
        let starts: [&[u8]; 5] = [b"", b"HTTP/1.1 200 OK\r\n", &[5, 2, 1, 0, 5, 0], &[5, 0], &[0]];
        let bytes = [starts[start], &tail].concat();
        let mut whole = begin(proxy, "h", 80);
        let mut cut = begin(proxy, "h", 80);
        let (sent_whole, end_whole) = talk(&mut whole, &bytes, bytes.len());
        let (sent_cut, end_cut) = talk(&mut cut, &bytes, size);
        match (end_whole, end_cut) {
            (Ok(a), Ok(b)) => {
                prop_assert_eq!(a, b);
                prop_assert_eq!(sent_whole, sent_cut);
                prop_assert!(a.consumed <= bytes.len());
            }
            (Err(a), Err(b)) => prop_assert_eq!(mem::discriminant(&a), mem::discriminant(&b)),
            (a, b) => prop_assert!(false, "{:?} and {:?}", a, b),
        }
    }
}
