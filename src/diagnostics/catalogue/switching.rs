//! W401 to W414: a 101 without a valid proof, for another protocol, or with a wrong subprotocol.

use super::builder::{MEASURED, WHATWG, error, low, medium, warning};
use crate::diagnostics::{CatalogueEntry, Clue as C};

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    error("W401", "the 101 has no Sec-WebSocket-Accept")
        .because("without it, the server has not proved that it read the key; it may not be a WebSocket server")
        .help("make the handler answer with the value that `wscope handshake URL` computes")
        .source("RFC 6455 §4.1")
        .causes(&[
            medium("the server speaks a draft of 2010 (hixie-75 or -76), and not the protocol of RFC 6455", C::OldDraft)
                .cure("update the server or the firmware; no present client speaks that draft"),
            low("a handler writes its 101 by hand"), low("a cache or proxy answered"),
        ])
        .seen("the header is missing"),
    error("W402", "the accept value does not prove our key")
        .because("Sec-WebSocket-Accept must be the base64 of the SHA-1 of the key, as text, followed by the RFC's GUID")
        .help("compare the steps: `wscope handshake URL` shows key, concatenation, SHA-1 and base64")
        .source("RFC 6455 §4.1, §4.2.2")
        .causes(&[low("the key is decoded, lower-cased or trimmed wrongly before hashing"), low("the digest is encoded as hex"), low("a cache sent the answer to another connection")])
        .seen("the value differs from the one computed from the key"),
    warning("W403", "Sec-WebSocket-Accept appears more than once")
        .because("the response must contain the header only once")
        .help("remove the duplicate in the proxy or server that adds it")
        .source("RFC 6455 §11.3.3")
        .causes(&[low("a proxy and the application both write it")])
        .seen("the header appears more than once"),
    error("W404", "the 101 does not switch to websocket")
        .because("the Upgrade header of the 101 is missing or names another protocol")
        .help("look at its value: `h2c` means that the wrong handler answered; a missing header means that a proxy rewrote the response")
        .source("RFC 6455 §4.1")
        .causes(&[low("a proxy removed the header from the response"), low("another upgrade handler answered, as h2c")])
        .seen("Upgrade is not websocket in any letter case"),
    error("W405", "the 101 lacks Connection: Upgrade")
        .because("the Connection header of the 101 does not list upgrade")
        .help("make the proxy forward Connection in the response, too")
        .source("RFC 6455 §4.1")
        .causes(&[low("a proxy replaced it by close or keep-alive"), low("the handler forgot it")])
        .seen("no token upgrade in Connection"),
    warning("W406", "the 101 announces a body")
        .because("a 101 has no body; a client that trusts the header reads frames as the body")
        .help("remove Content-Length and Transfer-Encoding from the 101: frames begin right after the blank line")
        .source("RFC 9110 §8.6, RFC 9112 §6.1")
        .causes(&[low("a framework adds Content-Length: 0 to every response")])
        .seen("Content-Length or Transfer-Encoding in a 101"),
    error("W410", "the server chose a subprotocol that was not offered")
        .because("the client must fail the connection in this case")
        .help("offer it: `-s NAME`, or make the server choose an offered one")
        .source("RFC 6455 §4.1, RFC 7936 §2")
        .causes(&[low("the server always answers with its own name"), low("the client forgot to offer one")])
        .seen("Sec-WebSocket-Protocol contains a name that the request does not"),
    warning("W411", "the server ignored the subprotocols offered")
        .because("the RFC allows it, but browsers fail the connection")
        .help("make the server answer with one of them, or offer none")
        .source(WHATWG)
        .causes(&[low("the server does not negotiate subprotocols"), low("it supports none of the offered ones, and may close next")])
        .seen("subprotocols in the request, none in the 101"),
    warning("W412", "the server accepts any subprotocol")
        .because("it accepted a meaningless name, so its choice proves nothing")
        .help("configure the server with the subprotocols it supports")
        .source(MEASURED)
        .causes(&[low("the default of ws and websocket-node, which select the first offered one")])
        .seen("the server selects a made-up name"),
    error("W413", "the chosen subprotocol is not one token")
        .because("the response must contain exactly one name")
        .help("make the server answer with a single name from the request's list")
        .source("RFC 6455 §4.2.2, §11.3.4")
        .causes(&[low("the server echoes the client's list"), low("the header comes from both proxy and application")])
        .seen("an empty value, a comma, or the header twice"),
    error("W414", "the chosen subprotocol differs in letter case")
        .because("names of subprotocols are case-sensitive")
        .help("spell the name exactly as it was offered")
        .source("RFC 6455 §4.1, RFC 7936 §2")
        .causes(&[low("the server normalises names"), low("the client and the server write the name differently")])
        .seen("the name differs from an offered one only in case"),
];
