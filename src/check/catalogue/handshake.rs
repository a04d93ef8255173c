//! The opening handshake: requests that must be refused, and odd ones that must be accepted.

use super::framing::RSV;
use crate::check::case::{Case, CitedRule, Expectation, rule};
use crate::check::request::Edit;

/// The name by which [`CaseFacts::broken`](crate::check::facts::CaseFacts::broken) reports a
/// response that breaks the grammar of HTTP.
pub const RES_GRAMMAR: &str = "9110-2.2-res-grammar";

const MUST_STOP: &str = "the server MUST stop processing the client's handshake and return an HTTP response with an appropriate error code (such as 400 Bad Request)";
const STOP: CitedRule = rule("RFC 6455 §4.2.1", MUST_STOP);
// A server that does not decode the key follows §4.2.2: "It is not necessary for the server to
// base64-decode".
const SIXTEEN: CitedRule = rule(
    "RFC 6455 §4.2.1",
    "A |Sec-WebSocket-Key| header field with a base64-encoded (see Section 4 of [RFC4648]) value that, when decoded, is 16 bytes in length.",
);
const KEY_ONCE: CitedRule = rule(
    "RFC 6455 §11.3.1",
    "The |Sec-WebSocket-Key| header field MUST NOT appear more than once in an HTTP request.",
);
const VERSION: CitedRule = rule(
    "RFC 6455 §4.2.2",
    "the server MUST abort the WebSocket handshake described in this section and instead send an appropriate HTTP error code (such as 426 Upgrade Required) and a |Sec-WebSocket-Version| header field indicating the version(s) the server is capable of understanding.",
);
const VERSION_ONCE: CitedRule = rule(
    "RFC 6455 §11.3.5",
    "The |Sec-WebSocket-Version| header field MUST NOT appear more than once in an HTTP request.",
);
const GET: CitedRule = rule(
    "RFC 6455 §4.1",
    "The method of the request MUST be GET, and the HTTP version MUST be at least 1.1.",
);
const HOST: CitedRule = rule(
    "RFC 9112 §3.2",
    "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host header field and to any request message that contains more than one Host header field line or a Host header field with an invalid field value.",
);
const CONNECTION: CitedRule = rule(
    "RFC 6455 §4.2.1",
    "A |Connection| header field that includes the token \"Upgrade\", treated as an ASCII case-insensitive value.",
);
const UPGRADE: CitedRule = rule(
    "RFC 6455 §4.2.1",
    "An |Upgrade| header field containing the value \"websocket\", treated as an ASCII case-insensitive value.",
);
pub(super) const NAMES: CitedRule = rule("RFC 9110 §5.1", "Field names are case-insensitive");
const FOLD: CitedRule = rule(
    "RFC 9112 §5.2",
    "A server that receives an obs-fold in a request message that is not within a \"message/http\" container MUST either reject the message by sending a 400 (Bad Request), preferably with a representation explaining that obsolete line folding is unacceptable, or replace each received obs-fold with one or more SP octets prior to interpreting the field value or forwarding the message downstream.",
);
const COLON: CitedRule = rule(
    "RFC 9112 §5.1",
    "A server MUST reject, with a response status code of 400 (Bad Request), any received request message that contains whitespace between a header field name and colon.",
);
const LF: CitedRule = rule(
    "RFC 9112 §2.2",
    "Although the line terminator for the start-line and fields is the sequence CRLF, a recipient MAY recognize a single LF as a line terminator and ignore any preceding CR.",
);
const ABSOLUTE: CitedRule = rule(
    "RFC 9112 §3.2.2",
    "A server MUST accept the absolute-form in requests even though most HTTP/1.1 clients will only send the absolute-form to a proxy.",
);
const SERVICE: CitedRule = rule(
    "RFC 6455 §4.2.2",
    "If the requested service is not available, the server MUST send an appropriate HTTP error code (such as 404 Not Found) and abort the WebSocket handshake.",
);
const WAIT: CitedRule = rule(
    "RFC 6455 §4.1",
    "Once the client's opening handshake has been sent, the client MUST wait for a response from the server before sending any further data.",
);
const TIMEOUT: CitedRule = rule(
    "RFC 9112 §9.5",
    "Servers will usually have some timeout value beyond which they will no longer maintain an inactive connection.",
);
const PERSISTENT: CitedRule = rule(
    "RFC 9112 §9.3",
    "HTTP/1.1 defaults to the use of \"persistent connections\", allowing multiple requests and responses to be carried over a single connection.",
);
const NO_LIMIT: CitedRule = rule(
    "RFC 6455 §4.1",
    "There is no limit to the number of established WebSocket connections a client can have with a single remote host.",
);
const LIMITS: CitedRule = rule(
    "RFC 9110 §5.4",
    "A server that receives a request header field line, field value, or set of fields larger than it wishes to process MUST respond with an appropriate 4xx (Client Error) status code.",
);

const GRAMMAR: CitedRule = rule(
    "RFC 9110 §2.2",
    "A sender MUST NOT generate protocol elements that do not match the grammar defined by the corresponding ABNF rules.",
);
const STATUS_LINE: CitedRule = rule(
    "RFC 6455 §4.2.2",
    "A Status-Line with a 101 response code as per RFC 2616 [RFC2616]. Such a response could look like \"HTTP/1.1 101 Switching Protocols\"",
);

const PROVES: &str = "the key proves that the server means WebSocket; without it a cache or an HTTP server can be tricked into a connection";
const SMUGGLES: &str =
    "a proxy and the server behind it read different requests from the same bytes";
const OLD: &str =
    "a client of another version of the protocol is accepted, and its frames are misread";
const REFUSE: &str = "a request that is not a WebSocket handshake opens a connection, which other checks then never see";
const COMMON: &str = "browsers, proxies and libraries send this form, and are refused";

const KEY: &str = "Sec-WebSocket-Key";
const VER: &str = "Sec-WebSocket-Version";

const fn refused(
    id: &'static str,
    title: &'static str,
    rule: CitedRule,
    why: &'static str,
) -> Case {
    Case::of_server(id, title, rule, why).expect(Expectation::Refused(&[]))
}

/// A request that asks for no WebSocket may get a page or anything else that the path serves.
const fn ignored(
    id: &'static str,
    title: &'static str,
    rule: CitedRule,
    why: &'static str,
) -> Case {
    Case::of_server(id, title, rule, why).expect(Expectation::Ignored)
}

const fn accepted(id: &'static str, title: &'static str, rule: CitedRule) -> Case {
    Case::of_server(id, title, rule, COMMON).expect(Expectation::Accepted)
}

const fn learns(id: &'static str, title: &'static str, rule: CitedRule, why: &'static str) -> Case {
    Case::of_server(id, title, rule, why).info().expect(Expectation::Learns)
}

#[rustfmt::skip] // a table
pub(super) static CASES: &[Case] = &[
    refused("h/key-missing", "no Sec-WebSocket-Key", STOP, PROVES).open(&[Edit::Drop(KEY)]),
    refused("h/key-empty", "an empty Sec-WebSocket-Key", STOP, PROVES).open(&[Edit::Set(KEY, "")]),
    refused("h/key-15", "a key of 15 bytes", SIXTEEN, PROVES).should().open(&[Edit::Set(KEY, "AAECAwQFBgcICQoLDA0O")]),
    refused("h/key-17", "a key of 17 bytes", SIXTEEN, PROVES).should().open(&[Edit::Set(KEY, "AAECAwQFBgcICQoLDA0ODxA=")]),
    refused("h/key-notb64", "a key that is not base64", STOP, PROVES).open(&[Edit::Set(KEY, "!!!!!!!!!!!!!!!!!!!!!!==")]),
    refused("h/key-dup", "two different keys", KEY_ONCE, SMUGGLES).open(&[Edit::Add(KEY, "AAECAwQFBgcICQoLDA0ODw==")]),
    refused("h/version-missing", "no Sec-WebSocket-Version", STOP, OLD).open(&[Edit::Drop(VER)]),
    refused("h/version-0", "version 0", VERSION, OLD).open(&[Edit::Set(VER, "0")]),
    refused("h/version-12", "version 12", VERSION, OLD).open(&[Edit::Set(VER, "12")]),
    refused("h/version-99", "version 99", VERSION, OLD).open(&[Edit::Set(VER, "99")]),
    refused("h/version-text", "a version that is not a number", STOP, OLD).open(&[Edit::Set(VER, "abc")]),
    learns("h/version-8", "version 8, an old draft of the protocol", VERSION, "some servers still accept it").open(&[Edit::Set(VER, "8")]),
    refused("h/version-dup", "two version headers, both 13", VERSION_ONCE, SMUGGLES).should().open(&[Edit::Add(VER, "13")]),
    refused("h/version-list", "a list of versions in the request", VERSION_ONCE, SMUGGLES).should().open(&[Edit::Set(VER, "13, 8")]),
    ignored("h/method-post", "POST", GET, REFUSE).open(&[Edit::Line("POST {target} HTTP/1.1"), Edit::Add("Content-Length", "0")]),
    ignored("h/method-head", "HEAD", GET, REFUSE).open(&[Edit::Line("HEAD {target} HTTP/1.1")]),
    ignored("h/http10", "HTTP/1.0", GET, REFUSE).open(&[Edit::Line("GET {target} HTTP/1.0")]),
    Case::of_server("h/res-version", "a valid handshake; the answer must be HTTP/1.1", STATUS_LINE, "HTTP/1.0 has no Upgrade, so some proxies and clients end the connection (W349)").expect(Expectation::Keeps(&["4.2.2-res-httpver"])),
    Case::of_server("h/res-grammar", "a valid handshake; the answer must follow the grammar of HTTP", GRAMMAR, "clients and proxies with a strict HTTP parser refuse the answer").expect(Expectation::Keeps(&[RES_GRAMMAR])),
    refused("h/host-missing", "no Host", HOST, SMUGGLES).open(&[Edit::Drop("Host")]),
    refused("h/host-dup", "two Host headers", HOST, SMUGGLES).open(&[Edit::Add("Host", "other.example")]),
    learns("h/host-other", "the Host of another site", HOST, "shows whether the server looks at Host, which protects from DNS rebinding").open(&[Edit::Set("Host", "other.example")]),
    learns("h/query-kept", "a query after the path", SERVICE, "shows whether a query changes what is served").open(&[Edit::Line("GET {target}?wscope=%20 HTTP/1.1")]),
    ignored("h/upgrade-missing", "no Upgrade", UPGRADE, REFUSE).open(&[Edit::Drop("Upgrade")]),
    ignored("h/upgrade-h2c", "Upgrade to h2c", UPGRADE, REFUSE).open(&[Edit::Set("Upgrade", "h2c")]),
    learns("h/upgrade-list", "websocket as the second of two protocols", UPGRADE, "shows whether Upgrade is read as a list").open(&[Edit::Set("Upgrade", "foo, websocket")]),
    ignored("h/conn-missing", "no Connection", CONNECTION, SMUGGLES).open(&[Edit::Drop("Connection")]),
    ignored("h/conn-keepalive", "only Connection: keep-alive", CONNECTION, SMUGGLES).open(&[Edit::Set("Connection", "keep-alive")]),
    accepted("h/conn-list", "Connection: keep-alive, Upgrade, as Firefox sends it", CONNECTION).open(&[Edit::Set("Connection", "keep-alive, Upgrade")]),
    accepted("h/conn-case", "Connection: upgrade in lower case", CONNECTION).open(&[Edit::Set("Connection", "upgrade")]),
    accepted("h/upgrade-case", "Upgrade: WebSocket with capitals", UPGRADE).open(&[Edit::Set("Upgrade", "WebSocket")]),
    accepted("h/header-case", "header names in lower case", NAMES).open(&[
        Edit::Name("host"), Edit::Name("upgrade"), Edit::Name("connection"), Edit::Name("sec-websocket-key"), Edit::Name("sec-websocket-version"),
    ]),
    refused("h/folded", "a header folded over two lines", FOLD, SMUGGLES).info().open(&[Edit::Raw("X-Wscope: a"), Edit::Raw(" b")]),
    refused("h/space-colon", "white space before a colon", COLON, SMUGGLES).open(&[Edit::Raw("X-Wscope : a")]),
    learns("h/bare-lf", "lines that end with LF only", LF, SMUGGLES).open(&[Edit::BareLf]),
    accepted("h/abs-uri", "the URL in absolute form", ABSOLUTE).open(&[Edit::Line("GET http://{host}{target} HTTP/1.1")]),
    learns("h/path-404", "a path that is unlikely to exist", SERVICE, "shows whether the server opens a WebSocket on any path").open(&[Edit::Line("GET /wscope-check/no-such-path HTTP/1.1")]),
    learns("h/body", "a request with a body of 5 bytes", WAIT, "the body is read as frames, or as the next request")
        .open(&[Edit::Set("Content-Length", "5"), Edit::Behind(b"hello")]),
    learns("h/early-data", "a ping in the same segment as the request", WAIT, "some servers lose early data, and in others it corrupts the stream")
        .open(&[Edit::Behind(b"\x89\x80\0\0\0\0")]),
    // The text is long enough for a whole frame, because some servers read a whole frame before
    // they judge it.
    Case::of_server("h/twice", "the request again after the 101", RSV, "a proxy that sends a second request on an open WebSocket must not be answered")
        .send(&[r"/bytes GET\x20/\x20HTTP/1.1\r\nHost:\x20a\r\nUser-Agent:\x20wscope-check\r\nAccept:\x20*/*\r\nConnection:\x20close\r\n\r\n"]).expect(Expectation::Dies(&[1002])),
    learns("h/reuse-after-4xx", "a valid request on the connection of one without a key", PERSISTENT, "shows whether the connection can be used for another request").open(&[Edit::After(&[Edit::Drop(KEY)])]),
    learns("h/parallel-5", "five connections at the same time", NO_LIMIT, "shows whether connections from one address are limited").stress().connections(5),
    learns("h/slow-head", "a request one byte at a time, 2 ms apart", TIMEOUT, "shows whether a slow request is refused as an attack").stress().open(&[Edit::Slow]),
    learns("h/head-8k", "a header of 8 KB", LIMITS, "shows the limit on the size of a request").stress().open(&[Edit::Set("X-Wscope", LONG)]),
    learns("h/head-20k", "two headers of 20 KB together", LIMITS, "shows the limit on the size of a request").stress().open(&[Edit::Set("X-Wscope", LONGER), Edit::Add("X-Wscope", LONG)]),
    learns("h/head-200", "200 headers", LIMITS, "shows the limit on the number of headers").stress().open(&[Edit::Raw(MANY)]),
    learns("h/stall-head", "half a request, then silence for 12 s", TIMEOUT, "shows whether the server gives up a request that never ends").stress().open(&[Edit::Half]),
];

/// 200 header lines.
const MANY: &str = {
    const LINE: &[u8; 13] = b"X-Wscope: a\r\n";
    const LEN: usize = 200 * 13 - 2;
    const BYTES: [u8; LEN] = {
        let mut bytes = [0; LEN];
        let mut at = 0;
        while at < LEN {
            bytes[at] = LINE[at % 13];
            at += 1;
        }
        bytes
    };
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
};

const XS: &str = {
    const BYTES: [u8; 12_000] = [b'x'; 12_000];
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
};
/// 8000 bytes.
const LONG: &str = XS.split_at(8000).0;
/// 12,000 bytes.
const LONGER: &str = XS;

#[cfg(test)]
mod tests {
    use crate::check::catalogue::find;
    use crate::check::facts::{CaseFacts, CaseOpening};
    use crate::check::judge::judge;
    use crate::check::verdict::Verdict;
    use crate::wire::Role;

    #[test]
    fn a_server_need_not_decode_the_key_but_has_to_read_it() {
        let facts = CaseFacts { opening: CaseOpening::Open, ..CaseFacts::default() };
        for (id, verdict) in [
            ("h/key-15", Verdict::Warn),
            ("h/key-17", Verdict::Warn),
            ("h/key-notb64", Verdict::Fail),
            ("h/key-empty", Verdict::Fail),
        ] {
            let case = find(id, Role::Server).expect("a case");
            assert_eq!(judge(case, &facts, false).verdict, verdict, "{id}");
        }
    }
}
