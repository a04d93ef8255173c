//! W360 to W368: why `listen` refused a client, or why the client left.

use super::builder::{KNOWN, error, low};
use crate::diagnostics::CatalogueEntry;

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    error("W360", "the client did not ask for a WebSocket")
        .because("the request has no Upgrade: websocket header, so it is plain HTTP")
        .help("use a WebSocket client: `wscope URL`; curl and the address bar of a browser send a plain GET")
        .source("RFC 6455 §4.1")
        .seen("a request without the token websocket in Upgrade"),
    error("W361", "the client asked for a path that is not served")
        .because("--path lists the served paths, and this one is not among them")
        .help("serve it too: `--path PATH`, or correct the client's URL")
        .source("RFC 6455 §4.2.2")
        .seen("a path that no --path names"),
    error("W362", "the client's Origin is not allowed")
        .because("a browser sends the site of its page as Origin, other programs what they choose; this one is not allowed")
        .help("allow it: `--origin ORIGIN`")
        .source("RFC 6455 §10.2")
        .seen("an Origin that is not in --origin; without --origin, one of another site if listen serves only this machine"),
    error("W363", "the client's handshake breaks a rule")
        .because("the request is not a valid opening handshake")
        .help("let the client send what the answer names; `wscope URL` sends a valid request")
        .source("RFC 6455 §4.1")
        .causes(&[low("a hand-written client"), low("a proxy that changed the request")])
        .seen("a key that is not 16 bytes in base64, a version other than 13, a missing or repeated header"),
    error("W364", "the client sent no credentials, or the wrong ones")
        .because("this server was started with --user or --bearer")
        .help("give them to the client: `wscope -u USER:PASSWORD URL`, `wscope --bearer TOKEN URL`; browsers can't send a token")
        .source("RFC 9110 §15.5.2")
        .seen("no Authorization header, or one that does not match --user or --bearer"),
    error("W365", "the client offered no subprotocol that this server supports")
        .because("this server was started with --require-subprotocol")
        .help("make the client offer one of the subprotocols of `-s`")
        .source("RFC 6455 §4.2.2")
        .seen("none of the names in Sec-WebSocket-Protocol is one of -s"),
    error("W366", "the client offered subprotocols, got none, and left")
        .because("browsers and many libraries fail the connection if the server selects none")
        .help("start wscope with `-s NAME`, a name that the client offers")
        .source("RFC 6455 §4.1; WHATWG WebSockets Standard")
        .seen("the client offered subprotocols, the 101 named none, and the client left without sending a message"),
    error("W367", "the client left: this server does not answer in the client's protocol")
        .because("its path or subprotocol belongs to a protocol in which the server must answer or send first")
        .help("use a plain WebSocket client, or let `--exec` answer in that protocol")
        .source(KNOWN)
        .seen("/socket.io/, /sockjs, mqtt, graphql or another protocol's mark in the request, and the client left without a message or an answer"),
    error("W368", "the client does not trust the certificate of this server")
        .because("the client refused the certificate: it must trust the certificate or its issuer")
        .help("give the certificate to the client (`listen --self-signed-out FILE` writes it): `wscope --cacert FILE`, curl --cacert FILE, NODE_EXTRA_CA_CERTS=FILE, Python cafile=FILE")
        .source("RFC 8446 §6.2")
        .causes(&[low("the authority is not among those that the client trusts"), low("the client has its own list of authorities, or pins the server's key")])
        .seen("alert 42, 46 or 48 of a client of listen or proxy, or its end during the TLS handshake"),
];
