//! W0xx and W1xx: the URL, the name, TCP, a proxy, and what answers without speaking HTTP.

use super::builder::{KNOWN, MEASURED, WHATWG, error, high, low, medium, note, warning};
use crate::diagnostics::{CatalogueEntry, Clue as C};

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    note("W001", "the URL has an http scheme")
        .because("WebSocket URLs use ws:// and wss://; browsers take http:// and https:// for them too")
        .help("write `ws://` or `wss://` to be understood by every client")
        .source(WHATWG)
        .seen("the scheme is http or https"),
    error("W002", "the URL has a fragment")
        .because("fragments have no meaning in a WebSocket URL and must not be used in one")
        .help("write `%23` instead of `#` if it is data, otherwise leave it out")
        .source("RFC 6455 §3")
        .seen("a # stands in the URL"),
    warning("W003", "the URL holds a user name")
        .because("the grammar of WebSocket URLs has no place for user and password, so clients differ in what they do with them")
        .help("send them as a header: `-H 'Authorization: Basic …'`")
        .source("RFC 6455 §3")
        .seen("an @ stands in the authority")
        .more("wscope sends them as an Authorization header. Some browsers refuse such a URL, others drop the credentials."),
    warning("W004", "the port is that of the other scheme")
        .because("port 443 usually speaks TLS and port 80 usually does not")
        .help("swap the scheme: `wss://` for port 443, `ws://` for port 80")
        .source("RFC 6455 §3")
        .seen("ws:// with port 443, or wss:// with port 80"),
    error("W101", "the host name was not found")
        .because("no address of the kind asked for is known for this name from here")
        .help("check the spelling and what `getent hosts HOST` says; inside a VPN, connect that first")
        .source(KNOWN)
        .causes(&[low("a typo"), low("the name is known only to the DNS server of a VPN or a container network"), low("the name has only IPv6 or only IPv4 addresses, and the other family was asked for")])
        .seen("the resolver answers EAI_NONAME (NXDOMAIN), or with no address of the family"),
    error("W102", "the name server did not answer")
        .because("the host name could not be looked up now; that says nothing of whether it exists")
        .help("try again, or use the address itself in the URL with `-H 'Host: NAME'`")
        .source(KNOWN)
        .causes(&[low("the resolver in /etc/resolv.conf is out of reach"), low("the zone's own servers fail (SERVFAIL)")])
        .seen("the resolver answers EAI_AGAIN, fails, or is silent until the timeout"),
    error("W103", "connection refused")
        .because("the host is there, but nothing listens on that port")
        .help("check the port and whether the server binds this address (0.0.0.0 or 127.0.0.1, IPv4 or IPv6): `ss -ltn` on the host shows it")
        .source(KNOWN)
        .causes(&[low("the server is not running, or on another port"), low("it binds 127.0.0.1 and is asked from another machine or container"), low("the container's port is not published"), low("a firewall rejects with a reset")])
        .seen("connect() fails with ECONNREFUSED on an address and none succeeds"),
    error("W104", "the server listens on the other IP family only")
        .because("this address refuses the connection while the same port of the other loopback address takes it")
        .help("use the address that answers, as in `ws://127.0.0.1:PORT`, or make the server bind both families")
        .source(KNOWN)
        .causes(&[high("the server binds one family only", C::OtherFamilyListens)])
        .seen("localhost, 127.0.0.1 or ::1 refuses, and another connection to the other family succeeds")
        .more("Node.js 17 and later resolve localhost to ::1 first, which is where this began to be seen often."),
    error("W105", "nothing answers at that address")
        .because("packets to that port are dropped on the way, or the host is off")
        .help("try another port of the host, or a longer `--connect-timeout`; then look at firewalls and security groups")
        .source(KNOWN)
        .causes(&[low("a firewall or a cloud security group drops the packets"), low("the host is off, or the address is old")])
        .seen("no answer to the connection request within the time given"),
    error("W106", "there is no way to the host")
        .because("the network has no route to that address")
        .help("check the network and the VPN, or try the other family with `-4` or `-6`")
        .source(KNOWN)
        .causes(&[low("this machine has no IPv6, and the name has only such addresses"), low("a VPN is down")])
        .seen("connect() fails with EHOSTUNREACH or ENETUNREACH"),
    error("W107", "the peer hung up on the request without an answer")
        .because("the connection was made, then closed before a single byte of an answer")
        .help("add `--diagnose`, which tries TLS and a plain request; then see the server's log")
        .source(MEASURED)
        .causes(&[
            high("the port speaks TLS", C::OtherSchemeAnswers).cure("use the other scheme: `wss://` instead of `ws://`, or the other way round"),
            high("an HTTP server that drops the upgrade: its handler does not know this path or refuses the request", C::PlainAnswered).unless(&[C::NoSubprotocolHelps])
                .cure("check the path, then the Origin and the credentials: the server drops upgrades that it does not like"),
            high("the server refuses the subprotocol offered, as libwebsockets does", C::NoSubprotocolHelps)
                .cure("offer one that the server knows, `-s NAME`, or none"),
            medium("the request's head is longer than the server takes", C::LongHead)
                .cure("send fewer or shorter cookies and headers"),
            medium("the service is not HTTP, or a forwarder whose target is down", C::PlainUnanswered).unless(&[C::OtherSchemeAnswers])
                .cure("check what listens on this port, and behind it if it is forwarded"),
            medium("the port speaks TLS only", C::TlsPort).unless(&[C::OtherSchemeFails, C::UrlIsSecure]).cure("try `wss://`"),
            low("plain HTTP is not what the port speaks, but TLS or another protocol; or it forwards to a target that is down").unless(&[C::OtherSchemeFails, C::UrlIsSecure, C::PlainAnswered]),
            low("HTTP is not what the port speaks, or it forwards to a target that is down").unless(&[C::OtherSchemeAnswers, C::NotSecure, C::PlainAnswered]),
            low("the server drops upgrades that it does not like: the path, the Origin, the credentials").unless(&[C::PlainUnanswered]),
        ])
        .seen("end of stream or reset with no byte received"),
    error("W108", "hung up after one second, as Engine.IO does for a foreign path")
        .because("Engine.IO drops upgrades for paths it does not own after exactly 1000 ms, without an answer")
        .help("use the path of Socket.IO: `/socket.io/?EIO=4&transport=websocket`")
        .source("measured on real servers; Engine.IO's destroyUpgradeTimeout")
        .seen("end of stream with no byte received, 0.95 to 1.15 s after the request"),
    error("W109", "connected, but nobody answers the handshake")
        .because("the request was taken and no answer came")
        .help("check the path; a longer `--handshake-timeout` only helps a slow server")
        .source(MEASURED)
        .causes(&[
            high("the port speaks TLS", C::OtherSchemeAnswers).cure("use the other scheme: `wss://` instead of `ws://`, or the other way round"),
            high("an HTTP server whose upgrade listener ignores this path, as Node.js allows", C::PlainAnswered),
            medium("the request's head is longer than the server takes", C::LongHead)
                .cure("send fewer or shorter cookies and headers"),
            medium("the application hangs, or the service is not HTTP", C::PlainUnanswered),
            low("a Node.js server whose upgrade listener ignores this path").unless(&[C::PlainUnanswered]),
            low("the application hangs"),
            low("a service that is not HTTP and waits for more").unless(&[C::PlainAnswered]),
        ])
        .seen("no byte until the handshake timeout"),
    error("W110", "the port speaks another protocol")
        .because("the first bytes are the greeting of a service that is not HTTP")
        .help("use the port where that service, or another one, speaks WebSocket")
        .source(KNOWN)
        .seen("the first bytes are a known banner: SSH, SMTP, FTP, POP3, IMAP, VNC, Redis, AMQP, MySQL, PostgreSQL"),
    error("W111", "the port speaks HTTP/2 without TLS")
        .because("the answer to an HTTP/1.1 request is an HTTP/2 SETTINGS frame")
        .help("use a port that speaks HTTP/1.1, where the upgrade of RFC 6455 works")
        .source("measured on real servers; RFC 9113 §6.5, RFC 8441 §3")
        .seen("the first bytes are a SETTINGS frame: length, type 4, stream 0")
        .more("If the settings hold number 8 with value 1, the server supports WebSocket over HTTP/2 (RFC 8441)."),
    error("W112", "the proxy refused the tunnel")
        .because("the forward proxy answered CONNECT with another status than 2xx")
        .help("ask for the port in the proxy's access list, or go around it: `--noproxy HOST`")
        .source("RFC 6455 §4.1")
        .causes(&[low("the proxy allows CONNECT to port 443 only"), low("the host is on a block list"), low("the proxy itself can't reach the host (502, 503, 504)")])
        .seen("the answer to CONNECT is neither 2xx nor 407"),
    error("W113", "the proxy wants credentials")
        .because("the forward proxy answered CONNECT with 407")
        .help("give them with `--proxy-user USER:PASSWORD`")
        .source("RFC 9110 §15.5.8")
        .seen("the answer to CONNECT has status 407"),
    note("W114", "a proxy variable of the environment is in use")
        .because("a variable sends this connection through a proxy")
        .help("go around it with `--noproxy HOST`, or unset the variable")
        .source(KNOWN)
        .seen("a proxy variable of the environment matched the target"),
    error("W115", "there is no way to the proxy")
        .because("the connection goes through a proxy, and its name or address does not answer; the server was never asked")
        .help("correct the proxy's address or start it, or go around it: `--noproxy HOST`")
        .source(KNOWN)
        .seen("the proxy's name is not found, or its port refuses or is silent"),
    error("W116", "the proxy does not answer")
        .because("it took the connection and the request for a tunnel, and answered nothing; the server was never asked")
        .help("check the proxy's address and scheme (`http://`, `https://`, `socks5h://`), or go around it: `--noproxy HOST`")
        .source(KNOWN)
        .causes(&[low("the port is not that of a proxy of this kind"), low("the proxy can't reach the server, and waits")])
        .seen("no answer to CONNECT or to SOCKS until the handshake timeout, or the end instead of one"),
];
