//! Recognises a protocol by its first bytes.

/// Greetings of services that speak first, with the name of the service and a hint where WebSocket
/// may be found.
const BANNERS: &[(&[u8], &str, &str)] = &[
    (b"SSH-", "SSH", ""),
    (b"RFB ", "VNC (RFB)", "noVNC's websockify usually listens on 6080"),
    (b"+OK", "POP3", ""),
    (b"* OK", "IMAP", ""),
    (b"-ERR", "Redis or POP3", ""),
    (b"-NOAUTH", "Redis", ""),
    (b"-DENIED", "Redis", ""),
    (b"AMQP", "AMQP (RabbitMQ)", "RabbitMQ's web-stomp listens on 15674, web-mqtt on 15675"),
    (b"@RSYNCD:", "rsync", ""),
    (b"421 ", "SMTP or FTP", ""),
    (b"554 ", "SMTP", ""),
    (b"ERROR\r\n", "memcached, or another protocol of lines", ""),
    (b"It looks like you are trying to access MongoDB", "MongoDB", ""),
    (b"INFO {", "NATS", "NATS speaks WebSocket on the port of its websocket block, often 8080"),
];

/// Protocols with a status line like that of HTTP.
const LIKE_HTTP: [(&[u8], &str); 3] =
    [(b"RTSP/", "RTSP"), (b"SIP/", "SIP"), (b"ICY ", "SHOUTcast (ICY)")];

/// The service that sends this greeting, and a hint for the user.
pub(super) fn banner(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    if let Some((_, name, hint)) = BANNERS.iter().find(|(start, ..)| bytes.starts_with(start)) {
        return Some((name, hint));
    }
    // SMTP (RFC 5321 §4.2) and FTP (RFC 959 §5.4) greet with "220 ".
    if bytes.starts_with(b"220 ") || bytes.starts_with(b"220-") {
        let smtp = contains_word(bytes, "smtp") || contains_word(bytes, "mail");
        return Some((if smtp { "SMTP" } else { "FTP or SMTP" }, ""));
    }
    if let Some((_, name)) = LIKE_HTTP.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Some((name, ""));
    }
    // An XMPP server answers any bytes with the head of its stream (RFC 6120 §4.2).
    if bytes.starts_with(b"<") && contains(bytes, b"<stream:stream") {
        return Some((
            "XMPP",
            "XMPP over WebSocket (RFC 7395) has a port and path of its own, such as /xmpp-websocket",
        ));
    }
    // IRC: a prefix and a command (RFC 2812 §2.3.1).
    if bytes.starts_with(b":") && contains(bytes, b" NOTICE ") || bytes.starts_with(b"NOTICE ") {
        return Some(("IRC", ""));
    }
    // MySQL: three bytes of length, sequence 0, protocol 10, then the version as text.
    if let [_, 0, 0, 0, 10, digit, ..] = bytes
        && digit.is_ascii_digit()
    {
        return Some(("MySQL", ""));
    }
    // The signature of ZMTP 3 (23/ZMTP).
    if matches!(bytes, [0xff, _, _, _, _, _, _, _, _, 0x7f, ..]) {
        return Some(("ZeroMQ (ZMTP)", ""));
    }
    // The framing of the Debug Adapter Protocol and of language servers: a length, and JSON.
    if let Some(rest) = bytes.strip_prefix(b"Content-Length: ") {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        return match rest[digits..].strip_prefix(b"\r\n\r\n{") {
            Some(json) if digits > 0 => Some(match contains(json, b"\"seq\"") {
                true => ("a debug adapter (Debug Adapter Protocol)", ""),
                false => ("a language server or debug adapter (JSON after Content-Length)", ""),
            }),
            _ => None,
        };
    }
    // PostgreSQL: an ErrorResponse with a severity field. Or the single byte N, if it took the
    // request for a request for TLS.
    if bytes.starts_with(b"E\0\0\0") || (bytes.first() == Some(&b'E') && contains(bytes, b"SFATAL"))
    {
        return Some(("PostgreSQL", ""));
    }
    None
}

/// What the first bytes of a service are, in words. They may refuse the bytes that it received.
pub(super) fn shown_as(name: &str, bytes: &[u8]) -> String {
    let refused = [&b"-"[..], b"E\0\0", b"ERROR", b"4", b"5"];
    let refused =
        refused.iter().any(|start| bytes.starts_with(start)) || contains(bytes, b"SFATAL");
    format!("{} of {name}", if refused { "an error" } else { "the greeting" })
}

/// The first bytes of clients that speak first: the offset, the bytes there, and the protocol. The
/// length at the start of a message is left out.
const CLIENTS: &[(usize, &[u8], &str)] = &[
    (0, b"SSH-", "SSH"),
    (0, b"AMQP", "AMQP"),
    (0, b"EHLO ", "SMTP"),
    (0, b"HELO ", "SMTP"),
    (0, b"CONNECT {", "NATS"),
    (0, b"CONNECT\n", "STOMP over TCP"),
    (0, b"CONNECT\r\n", "STOMP over TCP"),
    (0, b"STOMP\n", "STOMP over TCP"),
    (0, b"STOMP\r\n", "STOMP over TCP"),
    (0, b"CAP LS", "IRC"),
    (0, b"NICK ", "IRC"),
    (0, b"*1\r\n$", "Redis"),
    (0, b"*2\r\n$", "Redis"),
    (0, b"*3\r\n$", "Redis"),
    // SSLRequest, then StartupMessage of version 3.0, after the length.
    (4, b"\x04\xd2\x16\x2f", "PostgreSQL"),
    (4, b"\0\x03\0\0user", "PostgreSQL"),
    // OP_MSG, after length, request and response.
    (12, b"\xdd\x07\0\0", "MongoDB"),
    // CONNECT of MQTT 3.1.1 and 5, shorter and longer than 127 bytes (§3.1).
    (2, b"\0\x04MQTT", "MQTT over TCP"),
    (3, b"\0\x04MQTT", "MQTT over TCP"),
    // A TPKT of version 3 with a connection request (RFC 1006).
    (0, b"\x03\0\0\x13\x0e\xe0", "RDP"),
    (4, b"\xffSMB", "SMB"),
    (4, b"\xfeSMB", "SMB"),
];

/// Whether a load balancer sent the client's address before the request (PROXY protocol, §2.1,
/// §2.2).
pub fn is_proxy_protocol(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PROXY ") || bytes.starts_with(b"\r\n\r\n\0\r\nQUIT\n")
}

/// The protocol of a client that speaks first, recognised by its first bytes.
pub fn client(bytes: &[u8]) -> Option<&'static str> {
    let starts = |at: usize, start: &[u8]| bytes.get(at..).is_some_and(|b| b.starts_with(start));
    if let Some((.., name)) = CLIENTS.iter().find(|(at, start, _)| starts(*at, start)) {
        return Some(name);
    }
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if contains(line, b" RTSP/1.0") || contains(line, b" RTSP/2.0") {
        return Some("RTSP");
    }
    if contains(line, b" SIP/2.0") {
        return Some("SIP");
    }
    if bytes.starts_with(b"<") && contains(bytes, b"<stream:stream") {
        return Some("XMPP over TCP");
    }
    // A data frame with a mask and without reserved bits (RFC 6455 §5.2).
    matches!(bytes, [0x81 | 0x82, 0x80..=0xff, _, _, _, _, ..])
        .then_some("WebSocket frames without the opening handshake")
}

/// A TLS record: type 20 to 23, version 3.0 to 3.4 (RFC 8446 §5.1).
pub(super) fn is_tls_record(bytes: &[u8]) -> bool {
    matches!(bytes, [0x14..=0x17, 3, 0..=4, ..])
}

/// The number of a TLS alert record in plain text (RFC 8446 §6).
pub(super) fn tls_alert(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [0x15, 3, 0..=4, 0, 2, 1 | 2, number, ..] => Some(*number),
        _ => None,
    }
}

/// An HTTP/2 SETTINGS frame at the start (RFC 9113 §6.5): returns whether it allows Extended
/// CONNECT (setting 8, RFC 8441 §3).
pub(super) fn http2_settings(bytes: &[u8]) -> Option<bool> {
    let [a, b, c, 4, 0 | 1, 0, 0, 0, 0, settings @ ..] = bytes else { return None };
    let len = u32::from_be_bytes([0, *a, *b, *c]) as usize;
    if !len.is_multiple_of(6) {
        return None;
    }
    let settings = &settings[..len.min(settings.len())];
    Some(settings.as_chunks::<6>().0.contains(&[0, 8, 0, 0, 0, 1]))
}

/// The kind of text at the start of these bytes; `None` if they are not text, or may be a frame
/// header.
pub(super) fn text(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"HTTP/1.") {
        return Some("an HTTP response");
    }
    let start = bytes.trim_ascii_start();
    let run = bytes.iter().take_while(|byte| is_printable(byte)).count();
    match start {
        [b'<', b'!' | b'?' | b'a'..=b'z' | b'A'..=b'Z', ..] if run > 2 => Some("HTML or XML"),
        [b'{', b'"' | b'\n' | b'\r' | b' ' | b'}', ..] if run > 2 => Some("JSON"),
        // Opcodes 3 to 7 and 11 to 15, RSV2 and RSV3 are never legal, so the bytes are not a frame.
        [first, ..] if run >= 8 && !is_plausible(*first) => Some("text"),
        _ => None,
    }
}

/// Whether a byte is a character of ASCII text.
pub(super) fn is_printable(byte: &u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t')
}

/// Whether a byte may begin a frame: RSV2 and RSV3 are 0, and the opcode is defined.
pub(super) fn is_plausible(first: u8) -> bool {
    first & 0x30 == 0 && matches!(first & 0xf, 0..=2 | 8..=10)
}

/// Whether `bytes` contains `needle`.
pub(super) fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len().max(1)).any(|window| window == needle)
}

/// Whether `bytes` contains a text in any letter case. `needle` is in lower case.
pub(super) fn contains_word(bytes: &[u8], needle: &str) -> bool {
    let needle = needle.as_bytes();
    bytes.windows(needle.len().max(1)).any(|window| window.eq_ignore_ascii_case(needle))
}

/// The number of an Engine.IO error, as in `{"code":3,"message":"Bad request"}`. Some errors are
/// recognised by their words alone, also if those are the body of a whole response.
pub(super) fn engine_io_code(body: &[u8]) -> Option<u8> {
    const WORDS: [&str; 6] = [
        "Transport unknown",
        "Session ID unknown",
        "Bad handshake method",
        "Bad request",
        "Forbidden",
        "Unsupported protocol version",
    ];
    let text = String::from_utf8_lossy(body);
    let text = text.rsplit("\r\n\r\n").next()?.trim();
    let number = |words: &str| WORDS.iter().position(|known| *known == words).map(|at| at as u8);
    if let Some((code, said)) =
        text.strip_prefix("{\"code\":").and_then(|rest| rest.split_once(",\"message\":\""))
    {
        // The body may be cut.
        let said = said.split('"').next()?;
        let at: usize = code.parse().ok()?;
        return WORDS.get(at).filter(|words| words.starts_with(said)).map(|_| at as u8);
    }
    let python = text.contains("unsupported version of the Socket.IO or Engine.IO protocols");
    // Other programs also use the other words.
    number(text).filter(|code| matches!(code, 0 | 1 | 5)).or(python.then_some(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_are_known_by_their_first_bytes() {
        for (bytes, name) in [
            (&b"SSH-2.0-OpenSSH_9.6\r\n"[..], "SSH"),
            (b"220 mx.example ESMTP Postfix\r\n", "SMTP"),
            (b"220 (vsFTPd 3.0.5)\r\n", "FTP or SMTP"),
            (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", "IMAP"),
            (b"+OK ready\r\n", "POP3"),
            (b"RFB 003.008\n", "VNC (RFB)"),
            (b"-ERR unknown command 'GET'\r\n", "Redis or POP3"),
            (b"AMQP\0\0\x09\x01", "AMQP (RabbitMQ)"),
            (b"RTSP/1.0 400 Bad Request\r\n", "RTSP"),
            (b"<?xml version='1.0'?><stream:stream from='x'>", "XMPP"),
            (b"J\0\0\0\x0a8.0.36\0", "MySQL"),
            (b"E\0\0\0\x8cSFATAL\0VFATAL\0", "PostgreSQL"),
            (
                b"Content-Length: 138\r\n\r\n{\"seq\": 1, \"type\": \"event\"",
                "a debug adapter (Debug Adapter Protocol)",
            ),
        ] {
            assert_eq!(banner(bytes).map(|(name, _)| name), Some(name));
            for end in 0..bytes.len() {
                let _ = banner(&bytes[..end]);
            }
            assert_eq!(banner(&[bytes, b"more"].concat()).map(|(name, _)| name), Some(name));
        }
        for bytes in [
            &b"HTTP/1.1 200 OK"[..],
            b"Content-Length: 138\r\nServer: a\r\n\r\n{",
            b"Content-Length: \r\n\r\n{",
            b"Content-Length: 5\r\n\r\nhello",
        ] {
            assert_eq!(banner(bytes), None);
        }
    }

    #[test]
    fn clients_are_known_by_their_first_bytes() {
        for (bytes, name) in [
            (&b"\0\0\0\x08\x04\xd2\x16\x2f"[..], "PostgreSQL"),
            (b"\0\0\0\x29\0\x03\0\0user\0me\0", "PostgreSQL"),
            (b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02ab", "MQTT over TCP"),
            (b"CONNECT\naccept-version:1.2\nhost:/\n\n\0", "STOMP over TCP"),
            (b"*1\r\n$4\r\nPING\r\n", "Redis"),
            (b"OPTIONS rtsp://h/s RTSP/1.0\r\nCSeq: 1\r\n\r\n", "RTSP"),
            (b"\x81\x82\x01\x02\x03\x04ij", "WebSocket frames without the opening handshake"),
        ] {
            assert_eq!(client(bytes), Some(name));
            for end in 0..bytes.len() {
                let _ = client(&bytes[..end]);
            }
            assert_eq!(client(&[bytes, b"more"].concat()), Some(name));
        }
        for bytes in [&b"GET / HTTP/1.1\r\n"[..], b"\x16\x03\x01", b"hello", b""] {
            assert_eq!(client(bytes), None);
        }
    }

    #[test]
    fn records_alerts_and_settings() {
        assert!(is_tls_record(b"\x16\x03\x03\0\x7a") && !is_tls_record(b"\x81\x03"));
        assert_eq!(tls_alert(b"\x15\x03\x01\0\x02\x02\x46"), Some(70));
        assert_eq!(tls_alert(b"\x15\x03\x01\0\x02\x02"), None);
        let plain = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64";
        assert_eq!(http2_settings(plain), Some(false));
        assert_eq!(http2_settings(b"\0\0\x06\x04\0\0\0\0\0\0\x08\0\0\0\x01"), Some(true));
        assert_eq!(http2_settings(b"\0\0\0\x04\0\0\0\0\0"), Some(false));
        assert_eq!(http2_settings(b"\0\0\x05\x04\0\0\0\0\0"), None);
    }

    #[test]
    fn text_is_distinguished_from_frames() {
        assert_eq!(text(b"HTTP/1.1 400 Bad Request\r\n"), Some("an HTTP response"));
        assert_eq!(text(b"<!doctype html>"), Some("HTML or XML"));
        assert_eq!(text(b"{\"error\":1}"), Some("JSON"));
        assert_eq!(text(b"goodbye, world"), Some("text"));
        for frame in [&b"\x81\x05hello"[..], b"\x89\x00", b"\xc1\x07", b"\x88\x02\x03\xe8"] {
            assert_eq!(text(frame), None);
        }
    }
}
