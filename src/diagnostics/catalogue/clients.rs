//! W360 to W367: what a client of ours did that was not let in, or did not stay.

use super::builder::{KNOWN, error, low};
use crate::diagnostics::CatalogueEntry;

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    error("W360", "the client did not ask for a WebSocket")
        .because("its request has no Upgrade: websocket, so it is a plain HTTP request")
        .help("use a WebSocket client: `wscope URL`; curl and the address bar of a browser send a plain GET")
        .source("RFC 6455 §4.1")
        .seen("a request without the token websocket in Upgrade"),
    error("W361", "the client asked for a path that is not served")
        .because("--path lists the paths that are served, and this is none of them")
        .help("serve it too: `--path PATH`, or correct the client's URL")
        .source("RFC 6455 §4.2.2")
        .seen("a path that no --path names"),
    error("W362", "the client's Origin is not allowed")
        .because("a browser names the site of the page that connects, and this one is not let in")
        .help("let it in: `--origin ORIGIN`")
        .source("RFC 6455 §10.2")
        .seen("an Origin that no --origin names; without --origin, one of another site where listen serves this machine alone"),
    error("W363", "the client's handshake breaks a rule")
        .because("what the request says can't begin a WebSocket")
        .help("correct the client: the answer names the header")
        .source("RFC 6455 §4.1")
        .causes(&[low("a client made by hand"), low("a proxy that changed the request")])
        .seen("a key that is not 16 bytes in base64, another version than 13, a header missing or repeated"),
    error("W364", "the client sent no credentials, or the wrong ones")
        .because("this server was started with --user or --bearer")
        .help("give them to the client: `wscope -u USER:PASSWORD URL`, `wscope --bearer TOKEN URL`; browsers can't send a token")
        .source("RFC 9110 §15.5.2")
        .seen("no Authorization, or another one than --user or --bearer ask for"),
    error("W365", "the client offered no subprotocol that is spoken here")
        .because("this server was started with --require-subprotocol")
        .help("let the client offer one of those given with `-s`")
        .source("RFC 6455 §4.2.2")
        .seen("none of the names in Sec-WebSocket-Protocol is one of -s"),
    error("W366", "the client offered subprotocols, got none, and left")
        .because("browsers and many libraries fail the connection then")
        .help("start with `-s NAME`, the name it offers")
        .source("RFC 6455 §4.1; WHATWG WebSockets Standard")
        .seen("subprotocols in the request, none in the 101, and the end before any message of the client"),
    error("W367", "the client speaks a protocol that it gets no answer in, and left")
        .because("path or subprotocol name a protocol in which the server has to answer or to speak first")
        .help("use a plain WebSocket client, or answer as that protocol does")
        .source(KNOWN)
        .seen("/socket.io/, /sockjs, mqtt or graphql in the request, and the end before any message of the client"),
];
