//! Commands that browsers copy, and the result of each option.

use super::*;

const CHROME: &str = r#"curl 'wss://example.com/socket?v=1' \
  -H 'Upgrade: websocket' \
  -H 'Origin: https://example.com' \
  -H 'Cache-Control: no-cache' \
  -H 'Accept-Language: en-US,en;q=0.9' \
  -H 'Pragma: no-cache' \
  -H 'Connection: Upgrade' \
  -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
  -H 'User-Agent: Mozilla/5.0' \
  -H 'Sec-WebSocket-Version: 13' \
  -H 'Sec-WebSocket-Protocol: chat, superchat' \
  -b 'sid=1; theme=dark' \
  -H 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'"#;

fn parsed(text: &str) -> FromCurl {
    FromCurl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> String {
    FromCurl::parse(text).expect_err("refused").to_string()
}

fn headers(from: &FromCurl) -> Vec<String> {
    let line = |edit: &HeaderEdit| format!("{}: {}", edit.name(), edit.value().unwrap_or("-"));
    from.headers.iter().map(line).collect()
}

#[test]
fn what_chrome_copies_is_a_connection() {
    let from = parsed(CHROME);
    assert_eq!(from.url, "wss://example.com/socket?v=1");
    assert_eq!(from.origin.as_deref(), Some("https://example.com"));
    assert_eq!(from.subprotocols, ["chat", "superchat"]);
    assert_eq!(
        headers(&from),
        [
            "Cache-Control: no-cache",
            "Accept-Language: en-US,en;q=0.9",
            "Pragma: no-cache",
            "User-Agent: Mozilla/5.0",
            "Cookie: sid=1; theme=dark",
        ]
    );
    assert!(from.options.is_empty());
    assert_eq!(
        from.notes,
        [
            "Upgrade is omitted: it belongs to the browser's connection",
            "Connection is omitted: it belongs to the browser's connection",
            "Sec-WebSocket-Key is omitted: each connection has a new one",
            "Sec-WebSocket-Version is omitted: each connection has a new one",
        ]
    );
}

#[test]
fn what_firefox_and_windows_copy_is_the_same_connection() {
    let firefox = r#"curl 'wss://h/a' --http1.1 -H 'Accept: */*' -H 'Accept-Encoding: gzip, deflate, br, zstd' -H 'Sec-WebSocket-Extensions: permessage-deflate' -H $'X-Q: it\'s'"#;
    let from = parsed(firefox);
    assert_eq!(
        headers(&from),
        ["Accept: */*", "Accept-Encoding: gzip, deflate, br, zstd", "X-Q: it's"]
    );
    assert!(from.notes[0].contains("the browser's was \"permessage-deflate\""));
    let cmd =
        "curl.exe ^\"wss://h/a?x=1^&y=2^\" ^\r\n  -H ^\"X-Q: ^\\^\"a^\\^\"^\" ^\r\n  --insecure";
    let from = parsed(cmd);
    assert_eq!(from.url, "wss://h/a?x=1&y=2");
    assert_eq!(headers(&from), ["X-Q: \"a\""]);
    assert_eq!(from.options, [("insecure", None)]);
}

#[test]
fn options_become_those_of_this_program() {
    let from = parsed(
        "curl -skL -u me:pw -x proxy:3128 -U p:q --cacert ca.pem --cert c.pem --key k.pem \
         --resolve h:443:127.0.0.1 --connect-to ::x:1 --max-time 5 --connect-timeout 2 \
         --unix-socket /s -b jar.txt -4 -k --compressed --no-location -XGET -A agent -e ref \
         https://h/",
    );
    let value = |text: &str| Some(text.to_owned());
    assert_eq!(
        from.options,
        [
            ("insecure", None),
            ("location", None),
            ("user", value("me:pw")),
            ("proxy", value("http://proxy:3128")),
            ("proxy-user", value("p:q")),
            ("cacert", value("ca.pem")),
            ("cert", value("c.pem")),
            ("key", value("k.pem")),
            ("resolve", value("h:443:127.0.0.1")),
            ("connect-to", value("::x:1")),
            ("max-time", value("5")),
            ("connect-timeout", value("2")),
            ("unix-socket", value("/s")),
            ("cookie", value("@jar.txt")),
            ("ipv4", None),
        ]
    );
    assert_eq!(headers(&from), ["User-Agent: agent", "Referer: ref"]);
    assert_eq!(parsed("curl --socks5-hostname s:1 ws://h").options[0].1, value("socks5h://s:1"));
    assert_eq!(parsed("curl -x socks5://s:1 ws://h").options[0].1, value("socks5://s:1"));
}

#[test]
fn host_stays_only_where_it_differs() {
    assert!(parsed("curl -H 'Host: h:81' ws://h:81/").headers.is_empty());
    assert!(parsed("curl -H 'Host: h' https://h:443/").headers.is_empty());
    assert_eq!(headers(&parsed("curl -H 'Host: other' ws://h/")), ["Host: other"]);
}

#[test]
fn a_fragment_and_the_headers_of_http_2_are_dropped() {
    let from = parsed("curl --url 'wss://h/a#b' -H ':authority: h' -H 'te: trailers'");
    assert_eq!(from.url, "wss://h/a");
    assert!(from.headers.is_empty());
    assert!(from.notes[0].starts_with(":authority is omitted"), "{:?}", from.notes);
}

#[test]
fn a_passphrase_is_not_taken_over() {
    let from = parsed("curl -E c.pem:hunter2 --pass hunter2 ws://h");
    assert_eq!(from.options, [("cert", Some("c.pem".to_owned()))]);
    assert_eq!(from.notes.len(), 2);
    for (written, file) in [("'C:c.pem'", "C:c.pem"), (r"'a\:b'", "a:b")] {
        let from = parsed(&format!("curl -E {written} ws://h"));
        assert_eq!(from.options[0].1.as_deref(), Some(file));
    }
}

#[test]
fn a_broken_offer_is_sent_as_it_was() {
    let from = parsed("curl ws://h -H 'Sec-WebSocket-Protocol: a b,,'");
    assert!(from.subprotocols.is_empty());
    assert_eq!(headers(&from), ["Sec-WebSocket-Protocol: a b,,"]);
}

#[test]
fn what_no_handshake_can_be_is_refused_with_the_reason() {
    for option in ["-d x", "--data-raw x", "-F a=b", "-T f", "--json {}"] {
        let text = refused(&format!("curl ws://h {}", option.replace("{}", "'{}'")));
        assert!(text.contains("GET without content") && text.contains("-x"), "{text}");
    }
    assert!(refused("curl -X POST ws://h").contains("MUST be GET"));
    assert!(refused("curl -I ws://h").contains("-I is not supported"));
}

#[test]
fn errors_name_what_is_wrong() {
    assert_eq!(
        refused("curl --heade 'A: b' ws://h"),
        "curl's option --heade is unknown; did you mean --header or --head?"
    );
    assert!(refused("curl -sZ ws://h").contains("-Z is unknown"));
    assert!(refused("curl ws://h -H").contains("-H needs a value"));
    assert!(refused("wget ws://h").contains("\"wget\""));
    assert!(refused("").contains("does not begin with curl"));
    assert!(refused("curl -k").contains("no URL"));
    assert!(refused("curl ws://a ws://b").contains("2 URLs"));
    assert!(refused("curl ws://a -H 'no colon'").contains("has no colon"));
    assert!(refused("curl 'ws://a").contains("never closed"));
}

#[test]
fn the_arguments_mean_the_same() {
    let from = parsed("curl -k -H 'A: -b' -H 'B;' -H 'Accept:' -H 'Origin: o' -m 1 ws://h");
    assert_eq!(
        from.to_arguments(),
        [
            "--header=A: -b",
            "--header=B;",
            "--header=Accept:",
            "--origin=o",
            "--insecure",
            "--max-time=1"
        ]
    );
}

#[test]
fn debug_output_has_no_secrets() {
    let from =
        parsed("curl -u me:hunter2 -H 'Authorization: hunter2' 'ws://a:hunter2@h?t=hunter2'");
    assert!(!format!("{from:?}").contains("hunter2"));
}

#[test]
fn any_beginning_of_a_command_is_read_or_refused() {
    for end in (0..CHROME.len()).filter(|end| CHROME.is_char_boundary(*end)) {
        let _ = FromCurl::parse(&CHROME[..end]);
    }
}
