//! A table of URLs: which are accepted, which are refused; and no password leaks.

use super::*;

fn parse(text: &str) -> Target {
    Target::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn error_text(text: &str) -> String {
    match Target::parse(text) {
        Ok(target) => panic!("{text} was accepted as {target}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn urls_become_host_port_host_header_and_resource() {
    // typed, as spoken, host, port, Host header, resource
    let table = [
        ("ws://example.com", "ws://example.com/", "example.com", 80, "example.com", "/"),
        ("wss://example.com", "wss://example.com/", "example.com", 443, "example.com", "/"),
        (
            "WSS://EXAMPLE.com/Chat",
            "wss://example.com/Chat",
            "example.com",
            443,
            "example.com",
            "/Chat",
        ),
        ("ws://h:80/", "ws://h/", "h", 80, "h", "/"),
        ("ws://h:443/", "ws://h:443/", "h", 443, "h:443", "/"),
        ("wss://h:443/a?b=c", "wss://h/a?b=c", "h", 443, "h", "/a?b=c"),
        ("ws://h?x=1", "ws://h/?x=1", "h", 80, "h", "/?x=1"),
        ("ws://h:/", "ws://h/", "h", 80, "h", "/"),
        ("localhost:9000", "ws://localhost:9000/", "localhost", 9000, "localhost:9000", "/"),
        ("localhost", "ws://localhost/", "localhost", 80, "localhost", "/"),
        ("ws:9000", "ws://ws:9000/", "ws", 9000, "ws:9000", "/"),
        ("h/p?u=http://x", "ws://h/p?u=http://x", "h", 80, "h", "/p?u=http://x"),
        ("[::1]:9000/x", "ws://[::1]:9000/x", "::1", 9000, "[::1]:9000", "/x"),
        ("wss://[2001:DB8::1]", "wss://[2001:db8::1]/", "2001:db8::1", 443, "[2001:db8::1]", "/"),
        ("127.0.0.1:1/é", "ws://127.0.0.1:1/%C3%A9", "127.0.0.1", 1, "127.0.0.1:1", "/%C3%A9"),
        ("ws://h/a%23b", "ws://h/a%23b", "h", 80, "h", "/a%23b"),
    ];
    for (typed, spoken, host, port, host_header, resource) in table {
        let target = parse(typed);
        assert_eq!(target.to_string(), spoken, "{typed}");
        assert_eq!(target.host, host, "{typed}");
        assert_eq!(target.port, port, "{typed}");
        assert_eq!(target.host_header, host_header, "{typed}");
        assert_eq!(target.resource_name, resource, "{typed}");
    }
}

#[test]
fn idna_hosts_keep_both_forms() {
    let target = parse("wss://Bücher.example/");
    assert_eq!(target.host, "xn--bcher-kva.example");
    assert_eq!(target.host_header, "xn--bcher-kva.example");
    assert_eq!(target.unicode_host.as_deref(), Some("bücher.example"));
    assert_eq!(parse("ws://example.com").unicode_host, None);
}

#[test]
fn http_schemes_are_mapped_with_a_note() {
    assert_eq!(parse("http://h/").notes, ["http:// is used as ws:// (W001)"]);
    let target = parse("HTTPS://h/");
    assert!(target.secure);
    assert_eq!(target.notes, ["https:// is used as wss:// (W001)"]);
    assert!(parse("ws://h/").notes.is_empty());
}

#[test]
fn user_and_password_become_basic_authentication() {
    // The RFC 7617 §2 example.
    let target = parse("ws://Aladdin:open%20sesame@h/");
    assert_eq!(target.basic_auth.as_deref(), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    assert_eq!(target.host_header, "h");
    assert!(target.notes[0].ends_with("(W003)"));
    for text in [target.to_string(), format!("{target:?}"), target.notes.join("")] {
        assert!(!text.contains("sesame") && !text.contains("QWxh"), "{text}");
    }

    assert_eq!(parse("user@h").basic_auth.as_deref(), Some("Basic dXNlcjo="));
    assert_eq!(parse("a:b@c@h:1").basic_auth.as_deref(), Some("Basic YTpiQGM="));
    assert_eq!(parse("a:%zz%4@h").basic_auth.as_deref(), Some("Basic YTolenolNA=="));
    assert_eq!(parse("ws://@h").basic_auth, None);
    assert_eq!(Target::parse("a%3Ab:c@h"), Err(TargetError::ColonInUser));
}

#[test]
fn a_broken_password_is_not_quoted() {
    for typed in
        ["ws://user:secret/x@h/", "ws://user:secret?x@h", "secret!<>/@h", "user:secret\\@h"]
    {
        assert!(!error_text(typed).contains("secret"), "{}", error_text(typed));
    }
}

#[test]
fn a_rewritten_resource_is_noted() {
    for (typed, note) in [
        ("ws://h/a/../b", "the path is normalised to /b; --path-as-is keeps it"),
        ("ws://h\\a", "the path is normalised to /a; --path-as-is keeps it"),
        ("ws://h/ü", "the path is normalised to /%C3%BC; --path-as-is keeps it"),
    ] {
        assert_eq!(parse(typed).notes, [note], "{typed}");
    }
}

#[test]
fn a_port_of_the_other_scheme_is_noted() {
    assert!(parse("ws://h:443").notes[0].ends_with("(W004)"));
    assert!(parse("wss://h:80").notes[0].ends_with("(W004)"));
}

#[test]
fn empty() {
    assert_eq!(Target::parse(""), Err(TargetError::Empty));
}

#[test]
fn forbidden_characters_are_refused_not_dropped() {
    for (typed, character, offset) in [
        (" ws://h", ' ', 0),
        ("ws://h/\n", '\n', 7),
        ("ws://a\tb", '\t', 6),
        ("ws://h/a\u{a0}b", '\u{a0}', 8),
        ("h\0", '\0', 1),
        ("h\u{9b}", '\u{9b}', 1),
    ] {
        assert_eq!(
            Target::parse(typed),
            Err(TargetError::ForbiddenCharacter { character, offset })
        );
    }
    assert!(error_text("h\n").contains("U+000A at byte 1"));
}

#[test]
fn fragment() {
    assert_eq!(Target::parse("ws://h/a#b"), Err(TargetError::Fragment { offset: 8 }));
    assert!(error_text("ws://h/#").contains("%23"));
}

#[test]
fn unsupported_scheme() {
    let text = error_text("FTP://user:secret@h");
    assert!(
        text.contains("ftp://") && text.contains("ws://") && !text.contains("secret"),
        "{text}"
    );
}

#[test]
fn a_slip_says_what_to_write() {
    for (typed, write) in [
        ("ws:/h", "ws://h"),
        ("wss:h", "wss://h"),
        ("ws:localhost:9000", "ws://localhost:9000"),
        ("WSS:127.0.0.1:9000/x", "wss://127.0.0.1:9000/x"),
        ("http:", "http://HOST"),
        ("wss//h/p", "wss://h/p"),
        ("http//h", "http://h"),
        ("ws:///h", "ws://HOST/h or ws://h"),
        ("ws:////h", "ws://h"),
        ("ws;//h", "ws://h"),
        ("ws:\\\\h", "ws://h"),
        ("wss:.//h", "wss://h"),
        ("ws://ws://h:1", "ws://h:1"),
        ("ws://https://h", "https://h"),
        ("wws://h", "ws://h"),
        ("htps://h", "https://h"),
        ("wsss://h", "wss://h"),
        ("\"ws://h\"", "ws://h"),
        ("<ws://h>", "ws://h"),
        ("“ws://h”", "ws://h"),
        ("//h/x", "ws://h/x"),
        ("../app.sock", "ws+unix:../app.sock"),
        ("/p", "ws+unix:/p for a Unix socket, ws://HOST/p for a server"),
        ("/?token=secret", "ws://HOST"),
        ("ws-listen:h:1", "wscope listen h:1"),
        ("ws:me:secret@h", "ws://HOST"),
        ("wss//h/?token=secret", "wss://HOST"),
    ] {
        let Err(TargetError::Mistyped { write: meant, .. }) = Target::parse(typed) else {
            panic!("{typed}: {:?}", Target::parse(typed))
        };
        assert_eq!(meant, write, "{typed}");
        assert!(!error_text(typed).contains("secret"));
    }
    for host in ["ws", "wss", "ws/path", "ws.example", "http.example/x", "wsx", "ws:9000/p"] {
        assert!(Target::parse(host).is_ok(), "{host}");
    }
    assert_eq!(Target::parse("-"), Err(TargetError::Dash));
    assert!(error_text("@dev").contains("wscope @dev"));
}

#[test]
fn a_port_alone_is_of_this_machine() {
    for (typed, spoken) in [
        ("7001", "ws://localhost:7001/"),
        (":7001", "ws://localhost:7001/"),
        ("7001/chat?x=1", "ws://localhost:7001/chat?x=1"),
        (":7001/chat", "ws://localhost:7001/chat"),
        ("80", "ws://localhost/"),
        ("wss://:7001/", "wss://localhost:7001/"),
        ("wss://7001/", "wss://localhost:7001/"),
        // Too much for a port: an address in one number.
        ("ws://2130706433/", "ws://127.0.0.1/"),
    ] {
        assert_eq!(parse(typed).to_string(), spoken, "{typed}");
    }
    assert_eq!(parse("ws://7001").notes, ["7001 is used as localhost:7001"]);
    assert!(parse("7001").notes.is_empty());
    for typed in ["70000", "0", ":0", ":99999/x"] {
        assert!(matches!(Target::parse(typed), Err(TargetError::BadPort { .. })), "{typed}");
    }
}

#[test]
fn unix_sockets_have_urls() {
    for (typed, path, spoken) in [
        ("ws+unix:/run/app.sock:/path", "/run/app.sock", "ws://localhost/path"),
        ("ws+unix:///run/app.sock:/a?b=c", "/run/app.sock", "ws://localhost/a?b=c"),
        ("ws+unix:/run/app.sock", "/run/app.sock", "ws://localhost/"),
        ("unix:app.sock:", "app.sock", "ws://localhost/"),
        ("WSS+UNIX:/a:b:/c", "/a:b", "wss://localhost/c"),
        ("http+unix://%2Frun%2Fapp.sock/x", "/run/app.sock", "ws://localhost/x"),
    ] {
        let target = parse(typed);
        assert_eq!(target.to_string(), spoken, "{typed}");
        assert_eq!(target.unix_socket.as_deref(), Some(std::path::Path::new(path)), "{typed}");
    }
    assert_eq!(Target::parse("ws+unix:"), Err(TargetError::NoSocket));
}

#[test]
fn a_zone_is_dialled_and_not_sent() {
    for typed in ["ws://[fe80::1%25eth0]:9/", "[fe80::1%eth0]:9"] {
        let target = parse(typed);
        assert_eq!((&*target.host, &*target.host_header), ("fe80::1", "[fe80::1]:9"), "{typed}");
        assert_eq!(target.dialled_host(), "fe80::1%eth0");
    }
    for typed in ["[fe80::1%]", "[fe80::1%25]", "[fe80::1%a b]", "[fe80::1%25a/b]", "[h%25x]"] {
        assert!(Target::parse(typed).is_err() || typed == "[fe80::1%25]", "{typed}");
    }
}

#[test]
fn missing_host() {
    for typed in ["ws://", "?q", "user:pw@"] {
        assert_eq!(Target::parse(typed), Err(TargetError::MissingHost), "{typed}");
    }
}

#[test]
fn bare_ipv6() {
    assert_eq!(error_text("::1"), "an IPv6 address needs brackets in a URL; write [::1]");
    for (typed, write) in [
        ("ws://fe80::1/x", "[fe80::1]"),
        ("fe80::1%eth0", "[fe80::1%eth0]"),
        ("::1:9001/x", "[::1]:9001 or [::1:9001]"),
        ("::1:18701", "[::1]:18701"),
        ("fe80::1%eth0:9001", "[fe80::1%eth0]:9001"),
        ("[::1", "[::1]"),
        ("[::1:18701", "[::1]:18701"),
        ("[h", "[ADDRESS]:PORT"),
    ] {
        assert!(error_text(typed).ends_with(&format!("write {write}")), "{}", error_text(typed));
    }
}

#[test]
fn bad_port() {
    for typed in ["h:65536", "h:0", "h:x", "h:-1", "[::1]:99999", "h:1:2", "h:+80"] {
        assert!(matches!(Target::parse(typed), Err(TargetError::BadPort { .. })), "{typed}");
    }
    assert_eq!(error_text("h:70000/x"), "the port `70000` is not a number from 1 to 65535");
}

#[test]
fn bad_host() {
    for typed in ["ws://a b", "ws://[::1", "ws://1.2.3.400/", "ws://a<b/", "ws://[::1]x/"] {
        assert!(Target::parse(typed).is_err(), "{typed}");
    }
    assert!(matches!(Target::parse("ws://a<b/"), Err(TargetError::BadHost { .. })));
}

#[test]
fn loopback() {
    for typed in
        ["localhost", "LOCALHOST.", "a.localhost:1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]"]
    {
        assert!(parse(typed).is_loopback(), "{typed}");
    }
    for typed in ["example.com", "notlocalhost", "128.0.0.1", "[::2]"] {
        assert!(!parse(typed).is_loopback(), "{typed}");
    }
}
