//! How a client handles the response: which responses open a connection, and which must not.

use super::closing::ENDING;
use super::handshake::NAMES;
use super::negotiation::{CASE, CMWB};
use crate::check::case::{Case, CitedRule, Expectation, Needs, Tested, rule};
use crate::check::request::Edit;

const STATUS: CitedRule = rule(
    "RFC 6455 §4.1",
    "If the status code received from the server is not 101, the client handles the response per HTTP [RFC2616] procedures.",
);
const UPGRADE: CitedRule = rule(
    "RFC 6455 §4.1",
    "If the response lacks an |Upgrade| header field or the |Upgrade| header field contains a value that is not an ASCII case-insensitive match for the value \"websocket\", the client MUST _Fail the WebSocket Connection_.",
);
const CONNECTION: CitedRule = rule(
    "RFC 6455 §4.1",
    "If the response lacks a |Connection| header field or the |Connection| header field doesn't contain a token that is an ASCII case-insensitive match for the value \"Upgrade\", the client MUST _Fail the WebSocket Connection_.",
);
const ACCEPT: CitedRule = rule(
    "RFC 6455 §4.1",
    "If the response lacks a |Sec-WebSocket-Accept| header field or the |Sec-WebSocket-Accept| contains a value other than the base64-encoded SHA-1 of the concatenation of the |Sec-WebSocket-Key| (as a string, not base64-decoded) with the string \"258EAFA5-E914-47DA-95CA-C5AB0DC85B11\" but ignoring any leading and trailing whitespace, the client MUST _Fail the WebSocket Connection_.",
);
const ACCEPT_ONCE: CitedRule = rule(
    "RFC 6455 §11.3.3",
    "The |Sec-WebSocket-Accept| header MUST NOT appear more than once in an HTTP response.",
);
const EXTENSION: CitedRule = rule(
    "RFC 6455 §4.1",
    "If the response includes a |Sec-WebSocket-Extensions| header field and this header field indicates the use of an extension that was not present in the client's handshake (the server has indicated an extension not requested by the client), the client MUST _Fail the WebSocket Connection_.",
);
const PARAMETERS: CitedRule = rule(
    "RFC 7692 §7",
    "A client MUST _Fail the WebSocket Connection_ if the peer server accepted an extension negotiation offer for this extension with an extension negotiation response meeting any of the following conditions",
);
const REASON: CitedRule = rule("RFC 9112 §4", "A client SHOULD ignore the reason-phrase content");
const STREAM: CitedRule = rule(
    "RFC 6455 §4.1",
    "If the server's response is validated as provided for above, it is said that _The WebSocket Connection is Established_ and that the WebSocket Connection is in the OPEN state.",
);
const MASK_KEY: CitedRule = rule(
    "RFC 6455 §5.3",
    "When preparing a masked frame, the client MUST pick a fresh masking key from the set of allowed 32-bit values.",
);
const BACKOFF: CitedRule = rule(
    "RFC 6455 §7.2.3",
    "Should the first reconnect attempt fail, subsequent reconnect attempts SHOULD be delayed by increasingly longer amounts of time, using a method such as truncated binary exponential backoff.",
);
const NONCE: CitedRule =
    rule("RFC 6455 §4.1", "The nonce MUST be selected randomly for each connection.");

const PROOF: &str = "the client mistakes an HTTP server or a cache for a WebSocket server";
const ASSUMED: &str = "the client sends messages that the server does not understand";
const MISREAD: &str = "both sides compress differently, and messages can't be read";
const COMMON: &str = "servers and proxies send this form, and are refused";
const LOST: &str = "data that arrives with the response is lost";
const BEHAVIOUR: &str = "shows what the client does";

const ACC: &str = "Sec-WebSocket-Accept";
const EXT: &str = "Sec-WebSocket-Extensions";
const PROTO: &str = "Sec-WebSocket-Protocol";

const fn fails(
    id: &'static str,
    title: &'static str,
    rule: CitedRule,
    why: &'static str,
    edits: &'static [Edit],
) -> Case {
    Case::new(id, title, rule, why).of(Tested::Client).open(edits).expect(Expectation::Fails)
}

const fn opens(
    id: &'static str,
    title: &'static str,
    rule: CitedRule,
    edits: &'static [Edit],
) -> Case {
    Case::new(id, title, rule, COMMON).of(Tested::Client).open(edits)
}

#[rustfmt::skip] // a table
pub(super) static CASES: &[Case] = &[
    fails("cl/accept-wrong", "a wrong Sec-WebSocket-Accept", ACCEPT, PROOF, &[Edit::Set(ACC, "AAECAwQFBgcICQoLDA0ODxAREhM=")]),
    fails("cl/accept-missing", "no Sec-WebSocket-Accept", ACCEPT, PROOF, &[Edit::Drop(ACC)]),
    fails("cl/accept-dup", "two Sec-WebSocket-Accept headers, the second one wrong", ACCEPT_ONCE, PROOF, &[Edit::Add(ACC, "AAECAwQFBgcICQoLDA0ODxAREhM=")]).should(),
    fails("cl/upgrade-missing", "a 101 without Upgrade", UPGRADE, PROOF, &[Edit::Drop("Upgrade")]),
    fails("cl/upgrade-other", "Upgrade: h2c", UPGRADE, PROOF, &[Edit::Set("Upgrade", "h2c")]),
    fails("cl/connection-missing", "a 101 without Connection", CONNECTION, PROOF, &[Edit::Drop("Connection")]),
    fails("cl/connection-other", "Connection: keep-alive", CONNECTION, PROOF, &[Edit::Set("Connection", "keep-alive")]),
    fails("cl/status-200",
        "a correct response, except for its status \
         200", STATUS, PROOF, &[Edit::Line("HTTP/1.1 200 OK"), Edit::Set("Content-Length", "0")]),
    fails("cl/proto-unoffered", "a subprotocol that was not offered", CASE, ASSUMED, &[Edit::Set(PROTO, "x-wscope-unoffered")]),
    fails("cl/proto-list", "two subprotocols; only one was offered", CASE, ASSUMED, &[Edit::Set(PROTO, "{subprotocol}, x-wscope-unoffered")]).needs(Needs::Subprotocol),
    fails("cl/proto-case",
        "the offered subprotocol in other letter \
         case", CASE, ASSUMED, &[Edit::Set(PROTO, "{SUBPROTOCOL}")]).needs(Needs::Subprotocol),
    fails("cl/proto-absent", "none of the offered subprotocols", CASE, "shows whether the client insists on a subprotocol, as browsers do", &[Edit::Drop(PROTO)]).info().needs(Needs::Subprotocol),
    fails("cl/ext-unoffered", "an extension that was not offered", EXTENSION, ASSUMED, &[Edit::Set(EXT, "x-wscope-unoffered")]),
    fails("cl/ext-badparam", "permessage-deflate with an unknown parameter", PARAMETERS, MISREAD, &[Edit::Set(EXT, "permessage-deflate; x_wscope=1")]),
    fails("cl/ext-dup", "permessage-deflate with a parameter twice", PARAMETERS, MISREAD, &[Edit::Set(EXT, "permessage-deflate; server_no_context_takeover; server_no_context_takeover")]),
    fails("cl/bits-16", "server_max_window_bits of 16", PARAMETERS, MISREAD, &[Edit::Set(EXT, "permessage-deflate; server_max_window_bits=16")]),
    fails("cl/bits-novalue", "server_max_window_bits without a value", PARAMETERS, MISREAD, &[Edit::Set(EXT, "permessage-deflate; server_max_window_bits")]),
    fails("cl/cmwb-unoffered", "client_max_window_bits, which was not offered", CMWB, MISREAD, &[Edit::Set(EXT, "permessage-deflate; client_max_window_bits=10")]).needs(Needs::NoClientBits),
    opens("cl/upgrade-case", "Upgrade: WebSocket with capitals", UPGRADE, &[Edit::Set("Upgrade", "WebSocket")]),
    opens("cl/connection-list", "Connection: keep-alive, Upgrade", CONNECTION, &[Edit::Set("Connection", "keep-alive, Upgrade")]),
    opens("cl/header-case", "header names in lower case", NAMES, &[Edit::Name("upgrade"), Edit::Name("connection"), Edit::Name("sec-websocket-accept")]),
    opens("cl/reason", "a 101 with another reason phrase", REASON, &[Edit::Line("HTTP/1.1 101 Web Socket Protocol Handshake")]).should(),
    opens("cl/reason-empty", "a 101 without a reason phrase", REASON, &[Edit::Line("HTTP/1.1 101 ")]).should(),
    Case::new("cl/early-frame", "a ping in the same segment as the response", STREAM, LOST).of(Tested::Client)
        .open(&[Edit::Behind(b"\x89\x0cwscope check")]).expect(Expectation::Pongs("wscope check")),
    fails("cl/redirect", "status 302", STATUS, BEHAVIOUR, &[
        Edit::Line("HTTP/1.1 302 Found"), Edit::Drop("Upgrade"), Edit::Set("Connection", "close"), Edit::Drop(ACC), Edit::Set("Location", "/wscope-check"), Edit::Set("Content-Length", "0"),
    ]).info(),
    fails("cl/401", "status 401", STATUS, BEHAVIOUR, &[
        Edit::Line("HTTP/1.1 401 Unauthorized"), Edit::Drop("Upgrade"), Edit::Set("Connection", "close"), Edit::Drop(ACC), Edit::Set("WWW-Authenticate", "Basic realm=\"wscope check\""), Edit::Set("Content-Length", "0"),
    ]).info(),
    fails("cl/426", "status 426", STATUS, BEHAVIOUR, &[
        Edit::Line("HTTP/1.1 426 Upgrade Required"), Edit::Set("Connection", "close"), Edit::Drop(ACC), Edit::Set("Sec-WebSocket-Version", "14"), Edit::Set("Content-Length", "0"),
    ]).info(),
    Case::new("cl/close-no-tcp", "a Close, and TCP stays open", ENDING, "shows whether the client ends TCP when the server does not").of(Tested::Client).info()
        .send(&["/autoclose off", "/frame close code=1000", "/wait 5"]).expect(Expectation::Ends),
    Case::new("cl/reconnect", "a reset of each connection, five times", BACKOFF, "if all clients reconnect at once, a server can't recover").of(Tested::Client).info().stress()
        .send(&["/wait 0.05", "/abort"]).expect(Expectation::Returns),
    Case::new("cl/mask-random", "64 pings, whose pongs show the mask keys", MASK_KEY, "a page that knows the keys chooses the bytes that proxies see").of(Tested::Client)
        .send(&["/repeat 64 /ping wscope check"]).expect(Expectation::Keys),
    Case::new("cl/key-fresh", "a connection after others", NONCE, "a cache could answer instead of the server").of(Tested::Client).expect(Expectation::FreshKey),
];
