//! W0xx and W1xx: the URL, the name, TCP, a proxy, and servers that do not speak HTTP.

use super::builder::{KNOWN, MEASURED, WHATWG, error, high, low, medium, note, warning};
use super::refusals::{AS_TOLD, OFFER, UNABLE};
use crate::diagnostics::diagnostic::PLAIN_TELLS;
use crate::diagnostics::facts::Variation as V;
use crate::diagnostics::{CatalogueEntry, Clue as C};

/// The cause if the name of the host is a word such as `undefined`.
const UNSET: &str =
    "a variable of a script or a configuration is not set: its host is the word for nothing";
const SET: &str = "set the variable that the URL is made of";

/// The cause if a trial with a subprotocol opens.
const WANTS_SUBPROTOCOL: &str =
    "the server requires a subprotocol, and answers no upgrade without it";

/// The cause if a trial with the server's own Origin opens.
const WANTS_ORIGIN: &str = "the server requires its own Origin, and answers no other upgrade";
const SEND_ORIGIN: &str = "send it: `-o ORIGIN`";

/// The help if nothing on a port answers.
const WHAT_LISTENS: &str = "find out what listens on this port (`ss -ltnp` on its host), whether it hangs, and whether a filter is in front";

/// The help if a server may drop an upgrade because of its subprotocol.
const WITHOUT_SUBPROTOCOL: &str = "try it without `-s`, or with another name; then check the path and the name of the URL, the Origin and the credentials: the server drops what it refuses";

/// The causes if a broker of MQTT drops an upgrade without an answer.
const BROKER: &str = "the server requires a subprotocol, as brokers of MQTT do";
const OFFER_MQTT: &str = "offer it: `-s mqtt`";
const OWN_PORT: &str = "the port does not speak HTTP: it may be the one for MQTT over TCP";
const OTHER_PORT: &str =
    "use the port of the broker's WebSocket listener: its configuration names it";

/// The cause if a proxy that no option names wrote the answer.
const FILTERED: &str = "a transparent proxy or filter of this network intercepts the connection, or a proxy in front of the server refuses it";

/// The same at an address of this machine, which no network is on the way to.
const FILTERED_HERE: &str =
    "a proxy or filter in front of the server, on this machine, refuses the request";
const RULES_HERE: &str = "look at the rules of the proxy that listens there, and whether it passes upgrades; or use the port of the server itself";

/// The cause if a server does not answer an upgrade.
const NOTHING_HANDLES: &str = "nothing handles upgrades at this path: a wrong path, a wrong port such as one for administration, or a proxy that does not forward upgrades";

/// The help if the server gave up after a while.
const PATH_THEN_HANDLER: &str = "check the path and the port, and whether a proxy in front handles upgrades; if the path is right, find out what its handler waits for before it accepts";

/// The cause if the same path opens without its query.
const BY_QUERY: &str = "without the query a WebSocket opens: the server compares the path together with the query, or its handler drops or waits on a parameter";

/// The help for it.
const CHECK_QUERY: &str = "leave out the query, or make the server compare the path alone, in Netty with `checkStartsWith`; otherwise check the parameters one by one";

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    note("W001", "the URL has an http scheme")
        .because("WebSocket URLs use ws:// and wss://; browsers take http:// and https:// for them too")
        .help("write `ws://` or `wss://`, which every client accepts")
        .source(WHATWG)
        .seen("the scheme is http or https"),
    error("W002", "the URL has a fragment")
        .because("fragments have no meaning in a WebSocket URL and must not be used in one")
        .help("write `%23` if the `#` is data; otherwise remove it")
        .source("RFC 6455 §3")
        .seen("the URL contains a #"),
    warning("W003", "the URL contains a user name")
        .because("the grammar of WebSocket URLs has no place for user and password, and clients handle them differently")
        .help("send them as a header: `-H 'Authorization: Basic …'`")
        .source("RFC 6455 §3")
        .seen("the authority contains an @")
        .more("wscope sends them as an Authorization header. Some browsers refuse such a URL, others drop the credentials."),
    warning("W004", "the port is that of the other scheme")
        .because("port 443 usually speaks TLS and port 80 usually does not")
        .help("swap the scheme: `wss://` for port 443, `ws://` for port 80")
        .source("RFC 6455 §3")
        .seen("ws:// with port 443, or wss:// with port 80"),
    error("W101", "the host name was not found")
        .because("DNS has no address of the requested family for this name")
        .help("check the spelling, and the output of `getent hosts HOST`; if the name belongs to a VPN, connect the VPN first")
        .source(KNOWN)
        .causes(&[
            medium(UNSET, C::Host("undefined")).cure(SET),
            medium(UNSET, C::Host("null")).cure(SET),
            medium("names in .local are announced by the hosts themselves (mDNS): the host is off or in another network, or this machine does not look for them, as in containers", C::Host(".local"))
                .cure("use the host's address, or a name that DNS has; on Linux, mDNS needs avahi and nss-mdns"),
            medium("this side looks the name up, as `socks5://` asks for, and only the proxy may know it", C::OwnLookup)
                .cure("write `socks5h://` instead of `socks5://`, so that the proxy looks the name up; otherwise check the spelling"),
            low("a typo"), low("the name is known only to the DNS server of a VPN or a container network"), low("the name has only IPv6 or only IPv4 addresses, and the other family was requested")])
        .seen("the resolver answers EAI_NONAME (NXDOMAIN), or has no address of the family"),
    error("W102", "the name server did not answer")
        .because("the lookup failed temporarily; the name may still exist")
        .help("try again, or use the address itself in the URL with `-H 'Host: NAME'`")
        .source(KNOWN)
        .causes(&[low("the resolver in /etc/resolv.conf is unreachable"), low("the zone's own servers fail (SERVFAIL)")])
        .seen("the resolver answers EAI_AGAIN, fails, or is silent until the timeout"),
    error("W103", "connection refused")
        .because("the host answers, but nothing listens on that port")
        .help("check the port, and with `ss -ltn` on the host which addresses the server listens on (0.0.0.0 or 127.0.0.1, IPv4 or IPv6)")
        .source(KNOWN)
        .causes(&[
            medium("an option of this run leads to an address where the server is not", C::OwnAddress)
                .cure("correct the addresses of `--resolve` and `--connect-to`, or omit them"),
            medium("the server, or another program, has this port at the other loopback address only", C::OtherFamilyTaken)
                .cure("check what listens there (`ss -ltnp`): if it is the server, use that address; otherwise start the server"),
            medium("the name leads to 0.0.0.0, which stands for no server: DNS filters answer so for a blocked name", C::Unspecified)
                .cure("ask another DNS server, as with `dig NAME @9.9.9.9`, and look for a filter (Pi-hole, AdGuard, a hosts file)"),
            low("the server is not running, or on another port"), low("it listens on 127.0.0.1, and the client is on another machine or in a container").unless(&[C::LoopbackDialled]), low("the container's port is not published"), low("a firewall rejects with a reset")])
        .seen("connect() fails with ECONNREFUSED on an address and none succeeds"),
    error("W104", "the server listens on the other IP family only")
        .because("this address refuses the connection; a WebSocket opens at the same port of the other loopback address")
        .help("use the address that answers, as in `ws://127.0.0.1:PORT`, or make the server listen on both families")
        .source(KNOWN)
        .causes(&[high("the server listens on one family only", C::OtherFamilyListens)])
        .seen("localhost, 127.0.0.1 or ::1 refuses, and a WebSocket opens at the other family")
        .more("Node.js 17 and later resolve localhost to ::1 first, which made this error common."),
    error("W105", "nothing answers at that address")
        .because("packets to that port are dropped on the path, or the host is down")
        .help("try another port of the host, or a longer `--connect-timeout`; then look at firewalls and security groups")
        .source(KNOWN)
        .causes(&[medium("an option of this run leads to an address where the server is not", C::OwnAddress)
                .cure("correct the addresses of `--resolve` and `--connect-to`, or omit them"), low("a firewall or a cloud security group drops the packets"), low("the host is down, or the address is outdated"), low("the program that listens takes no more connections, and its queue is full")])
        .seen("no answer to the SYN within the connect timeout"),
    error("W106", "there is no route to the host")
        .because("this machine can't send to that address: no route leads there, or what was chosen to leave from can't be used")
        .help("check the network, the VPN and the host's firewall, or try the other family with `-4` or `-6`")
        .source(KNOWN)
        .causes(&[
            high("the address is link-local, so it needs the name of an interface", C::LinkLocal)
                .cure("put the interface behind the address, as in `ws://[fe80::1%eth0]:8080/`; `ip -6 route show fe80::/64` lists the interfaces"),
            low("a firewall rejects the packets, or the host is off: a device on the path reports it"),
            low("a VPN is down"),
            low("this machine has no IPv6, and the name has only such addresses").unless(&[C::HostIsAddress]),
        ])
        .seen("connect() fails with EHOSTUNREACH or ENETUNREACH"),
    error("W107", "the peer closed the connection without answering the request")
        .because("the TCP connection opened, and was closed before a complete answer")
        .help("see the server's log for the reason; `wscope doctor` compares with other requests")
        .source(MEASURED)
        .causes(&[
            high("the port speaks TLS", C::OtherSchemeAnswers).cure("use the other scheme: `wss://` instead of `ws://`, or vice versa"),
            high("the server stopped listening after this request: its process ended, or restarts", C::Gone)
                .cure("read the server's log: the request may have ended its process"),
            medium(BY_QUERY, C::Opens(V::NoQuery))
                .cure(CHECK_QUERY),
            medium(NOTHING_HANDLES, C::All(&[C::GaveUp, C::PlainAnswered])).unless(&[C::OtherPathAnswered, C::PlainFails, C::UpgradePasses, C::PlainTells])
                .cure(PATH_THEN_HANDLER),
            medium(NOTHING_HANDLES, C::All(&[C::GaveUp, C::SpeaksHttp])).unless(&[C::OtherPathAnswered, C::PlainFails, C::UpgradePasses, C::PlainTells, C::PlainUnanswered, C::NoSubprotocolHelps])
                .cure(PATH_THEN_HANDLER),
            medium("the application did not answer the upgrade in time, or what the port forwards to could not be reached, and the server gave up", C::GaveUp).unless(&[C::PlainUnanswered, C::NoSubprotocolHelps])
                .cure("check what is behind the port, and read the application's log: find out what its handler waits for before it accepts; then check the path"),
            medium(PLAIN_TELLS, C::PlainTells)
                .cure(AS_TOLD),
            high("a proxy answers, which can't reach the application behind it", C::PlainGateway)
                .cure("start the application, or correct its address and port in the proxy"),
            UNABLE,
            high("an HTTP server, or something in front of it, drops the upgrade: it has no WebSocket at this path, or its handler refuses the request or fails", C::PlainAnswered).unless(&[C::NoSubprotocolHelps, C::Opens(V::Subprotocol), C::Opens(V::OwnOrigin), C::GaveUp, C::PlainGateway, C::PlainFails, C::PlainUnread, C::Unable])
                .cure("check the path, and that the program has a WebSocket there; then the Origin and the credentials: the server drops upgrades that it refuses"),
            medium("what answers fails itself, as a proxy whose target is down, or an application with an error", C::PlainFails).unless(&[C::NoSubprotocolHelps, C::GaveUp, C::PlainGateway])
                .cure("check that the target of the proxy runs, and its log; then the path, the Origin and the credentials"),
            medium("every request is refused, and the refusal of the upgrade was lost: something in front puts bytes before it, such as the PROXY protocol, or the server drops what it refuses", C::PlainUnread).unless(&[C::NoSubprotocolHelps, C::GaveUp])
                .cure("check what stands in front of the server, and whether both agree on the PROXY protocol; then the path and the credentials"),
            high(WANTS_SUBPROTOCOL, C::Opens(V::Subprotocol))
                .cure(OFFER),
            high(WANTS_ORIGIN, C::Opens(V::OwnOrigin))
                .cure(SEND_ORIGIN),
            high("the server refuses the subprotocol offered, as libwebsockets does", C::NoSubprotocolHelps)
                .cure("offer one that the server knows, `-s NAME`, or none"),
            medium(BROKER, C::All(&[C::InPath("mqtt"), C::SpeaksHttp])).unless(&[C::Offered("mqtt"), C::OtherSchemeAnswers, C::NoSubprotocolHelps, C::SubprotocolFails])
                .cure(OFFER_MQTT),
            medium("the server refuses the subprotocol offered, as libwebsockets does", C::All(&[C::SubprotocolSent, C::SpeaksHttp])).unless(&[C::OtherSchemeAnswers, C::NoSubprotocolHelps, C::NoSubprotocolFails, C::GaveUp, C::Gone, C::AllDropped])
                .cure(WITHOUT_SUBPROTOCOL),
            medium("the server requires a client certificate, and none was sent", C::CertificateAsked).unless(&[C::PlainAnswered, C::OtherPathAnswered])
                .cure("send one: `--cert FILE --key FILE`"),
            medium("the server refuses the client certificate that was sent: it does not trust its issuer, or wants another", C::CertificateTaken).unless(&[C::PlainAnswered, C::OtherPathAnswered])
                .cure("send a certificate of an authority that the server trusts: `--cert FILE --key FILE`; its log may name what it wants"),
            medium("the request's head is longer than the server accepts", C::LongHead)
                .cure("send fewer or shorter cookies and headers"),
            medium("an HTTP server drops each request for this path", C::OtherPathAnswered).unless(&[C::OtherSchemeAnswers, C::PlainAnswered])
                .cure("check the path, and the server's rules for it"),
            medium("another service than HTTP listens here, which greeted a later request", C::PlainForeign)
                .cure("use the port on which that service, or another one, speaks WebSocket"),
            medium("the proxy could not reach the server, and closed the tunnel that it had opened, as a proxy does that answers before it connects; or the server closed it", C::Tunnelled).unless(&[C::OtherSchemeAnswers, C::PlainAnswered, C::OtherPathAnswered, C::SpeaksHttp, C::PlainForeign])
                .cure("check that the proxy, and the server that it uses itself, reach the host and port of the URL: its log may tell; or bypass it: `--noproxy HOST`"),
            medium("the service is not plain HTTP (it may expect HTTP/2, or the PROXY protocol first), forwards to a target that is down, or drops each connection: nginx's 444, a limit, a filter of addresses", C::PlainUnanswered).unless(&[C::OtherSchemeAnswers, C::OtherPathAnswered, C::SpeaksHttp, C::Gone, C::PlainForeign, C::CertificateAsked, C::CertificateTaken])
                .cure("check what listens on this port, what it expects first, and what is behind it if it is forwarded"),
            medium("the server drops each request, as nginx's 444 does: it has no site for this Host, or a filter refuses this address", C::AllDropped).unless(&[C::OtherSchemeAnswers, C::GaveUp, C::NoSubprotocolHelps])
                .cure("check the name and port of the URL against the server's configuration: `--host NAME`; then its filters"),
            medium("an HTTP server listens here, and drops requests that nothing handles or that it refuses: an unknown Host, a wrong path, this address, an Origin, credentials, a subprotocol, the target of a proxy that is down", C::SpeaksHttp).unless(&[C::OtherSchemeAnswers, C::PlainAnswered, C::OtherPathAnswered, C::GaveUp, C::AllDropped])
                .cure("check the path and the name of the URL, then the Origin and the credentials: the server drops what it refuses"),
            medium("the port speaks TLS only", C::TlsPort).unless(&[C::OtherSchemeFails, C::UrlIsSecure, C::Gone]).cure("try `wss://`"),
            low("the port speaks TLS only").unless(&[C::OtherSchemeFails, C::UrlIsSecure, C::PlainAnswered, C::Gone]),
            low(OWN_PORT).with(C::InPath("mqtt")).unless(&[C::OtherSchemeAnswers, C::OtherPathAnswered, C::PlainAnswered, C::SpeaksHttp, C::Gone, C::PlainForeign])
                .cure(OTHER_PORT),
            low(BROKER).with(C::InPath("mqtt")).unless(&[C::Offered("mqtt"), C::OtherSchemeAnswers, C::NoSubprotocolHelps, C::SubprotocolFails, C::SpeaksHttp])
                .cure(OFFER_MQTT),
            low("the port speaks another protocol than HTTP (it may expect HTTP/2, or the PROXY protocol first), forwards to a target that is down, or takes no more connections").unless(&[C::OtherSchemeAnswers, C::PlainAnswered, C::PlainUnanswered, C::SpeaksHttp, C::Gone, C::CertificateAsked, C::CertificateTaken]),
            low("the server refuses the subprotocol offered, as libwebsockets does").with(C::SubprotocolSent).unless(&[C::SpeaksHttp, C::OtherSchemeAnswers, C::NoSubprotocolHelps, C::NoSubprotocolFails, C::Gone])
                .cure(WITHOUT_SUBPROTOCOL),
            low("the server, or a filter in front, drops what it refuses: this address, an unknown Host, the path, the Origin, the credentials").unless(&[C::PlainUnanswered, C::SpeaksHttp, C::Gone]),
        ])
        .seen("end of stream or reset with no byte received"),
    error("W108", "closed after one second, as Engine.IO does for an unknown path")
        .because("Engine.IO closes upgrades for other paths than its own after exactly 1000 ms, without an answer")
        .help("check the path: that of Socket.IO is usually `/socket.io/?EIO=4&transport=websocket`; if the WebSocket is that of an application behind a development server or a proxy, make this forward upgrades: `ws: true`")
        .source("measured on real servers; Engine.IO's destroyUpgradeTimeout")
        .causes(&[
            medium("the path serves plain HTTP, and nothing handles an upgrade there: the path is wrong, or a development server or proxy with an Engine.IO of its own does not forward upgrades to the application", C::PlainServes)
                .cure("if a development server or a proxy is in front, make it forward upgrades (`ws: true` in browser-sync, webpack and http-proxy), or ask the application itself; otherwise find the path of the WebSocket"),
            medium("the path is wrong: a plain GET finds nothing there, either", C::PlainMissing),
            low("the path is wrong, or that of Socket.IO is another one").unless(&[C::PlainAnswered]),
            low("a development server or proxy with an Engine.IO of its own does not forward upgrades to the application").unless(&[C::PlainServes]),
        ])
        .seen("end of stream with no byte received, 0.95 to 1.15 s after the request"),
    error("W109", "connected, but the handshake is not answered")
        .because("the server accepted the connection and sent no complete answer")
        .help("check the path; a longer `--handshake-timeout` helps only if the server is slow")
        .source(MEASURED)
        .causes(&[
            high("the port speaks TLS", C::OtherSchemeAnswers).cure("use the other scheme: `wss://` instead of `ws://`, or vice versa"),
            high(WANTS_SUBPROTOCOL, C::Opens(V::Subprotocol))
                .cure(OFFER),
            high(WANTS_ORIGIN, C::Opens(V::OwnOrigin))
                .cure(SEND_ORIGIN),
            medium(PLAIN_TELLS, C::PlainTells).unless(&[C::PlainFails])
                .cure(AS_TOLD),
            UNABLE,
            medium("what is behind fails, as a plain GET shows, or its handler hangs", C::PlainFails)
                .cure("read the log of the server and of what it depends on"),
            medium("a plain GET is answered and the upgrade is not: a proxy in front does not pass it on, or the WebSocket's handler hangs or is slow", C::UpgradeAlone).unless(&[C::PlainFails, C::UpgradePasses])
                .cure("make the proxy in front pass the upgrade, in proxies of Node.js the option `ws: true` and the event `upgrade`; otherwise find out what the handler waits for before it accepts"),
            medium("the handler of this path hangs or is slow, or a proxy in front does not forward its upgrade: other paths are answered", C::OtherPathAnswered).unless(&[C::UpgradeAlone])
                .cure("find out what the handler does before it accepts; a longer `--handshake-timeout` helps if it is only slow"),
            medium(BY_QUERY, C::Opens(V::NoQuery))
                .cure(CHECK_QUERY),
            medium(NOTHING_HANDLES, C::PlainAnswered).unless(&[C::OtherPathAnswered, C::PlainFails, C::UpgradePasses])
                .cure("check the path and the port, and whether a proxy in front handles upgrades"),
            medium("the request's head is longer than the server accepts", C::LongHead)
                .cure("send fewer or shorter cookies and headers"),
            medium("no request gets an answer: the application hangs or is slow to start, or a filter drops what this address sends", C::All(&[C::PlainUnanswered, C::SpeaksHttp])).unless(&[C::OtherPathAnswered, C::Opens(V::NoQuery)])
                .cure("try again when it has started, and from another address; then read the log of the server and of the filter in front"),
            medium("the application hangs or is slow to start, a filter drops the request, or nothing handles upgrades at this path", C::SpeaksHttp).unless(&[C::PlainAnswered, C::OtherPathAnswered, C::PlainUnanswered])
                .cure("try again when it has started; then check the path, and whether the server handles upgrades"),
            medium("no request gets an answer: the application hangs, the service is not HTTP, or a filter drops what this address sends", C::PlainUnanswered).unless(&[C::SpeaksHttp, C::OtherPathAnswered, C::Opens(V::NoQuery)])
                .cure(WHAT_LISTENS),
            medium("neither a request nor TLS gets an answer: the application hangs, the service is not HTTP, or a filter drops what this address sends", C::OtherSchemeSilent).unless(&[C::PlainAnswered, C::PlainUnanswered, C::OtherPathAnswered])
                .cure(WHAT_LISTENS),
            // A server that knows no handler for the path may leave every request there unanswered.
            low(NOTHING_HANDLES).unless(&[C::AllSilent, C::OtherPathAnswered, C::UpgradePasses]),
            low("the path is wrong, and the server leaves each request unanswered for which it has no handler").with(C::AllSilent).unless(&[C::UpgradePasses]),
            low("the application hangs or is slow, or a filter drops the request").unless(&[C::PlainUnanswered, C::OtherPathAnswered, C::PlainAnswered, C::OtherSchemeSilent]),
            low("the application hangs or is slow").with(C::PlainAnswered).unless(&[C::OtherPathAnswered]),
            low("a service that is not HTTP and waits for more").unless(&[C::PlainAnswered, C::SpeaksHttp, C::UpgradePasses]),
        ])
        .seen("no byte until the handshake timeout"),
    error("W110", "the port speaks another protocol")
        .because("the first bytes are the greeting of a service that is not HTTP, or its error")
        .help("use the port on which that service, or another one, speaks WebSocket")
        .source(KNOWN)
        .seen("the first bytes are a known banner: SSH, SMTP, FTP, POP3, IMAP, VNC, Redis, AMQP, MySQL, PostgreSQL"),
    error("W111", "the port speaks HTTP/2 without TLS")
        .because("an HTTP/2 SETTINGS frame answers an HTTP/1.1 request, or an HTTP/2 preface where the request got no answer")
        .help("use a port that speaks HTTP/1.1, as the upgrade of RFC 6455 requires")
        .source("measured on real servers; RFC 9113 §3.4 and §6.5, RFC 8441 §3")
        .causes(&[
            medium("the port accepts only HTTP/2, and drops requests in HTTP/1.1", C::All(&[C::PlainHttp2, C::PlainUnanswered]))
                .cure("make the server accept HTTP/1.1 on this port, in Envoy with `codec_type: AUTO`, or use another port"),
            // The upgrade was the only request in HTTP/1.1.
            low("the port accepts only HTTP/2, and drops requests in HTTP/1.1")
                .with(C::PlainHttp2)
                .unless(&[C::PlainUnanswered])
                .cure("make the server accept HTTP/1.1 on this port, in Envoy with `codec_type: AUTO`, or use another port"),
            low("the server speaks both, and drops what it refuses: the path, an unknown Host, this address, the Origin, the credentials").with(C::PlainHttp2),
        ])
        .seen("the first bytes are a SETTINGS frame: length, type 4, stream 0; or they follow a preface")
        .more("If the settings contain number 8 with value 1, the server supports WebSocket over HTTP/2 (RFC 8441)."),
    error("W112", "the proxy refused the tunnel")
        .because("the forward proxy did not open the tunnel: it answered CONNECT without a 2xx status, or the request of SOCKS without success")
        .help("allow the port in the proxy's access list, or bypass the proxy: `--noproxy HOST`")
        .source("RFC 6455 §4.1, RFC 1928 §6")
        .causes(&[
            medium("the proxy can't reach the target, as with `ssh -D`, which then closes without a reply; or its rules forbid the target", C::ProxyDropped)
                .cure("check that something listens on HOST:PORT, as seen from the proxy's machine; then the proxy's rules and log"),
            medium("the proxy blocks this site, and redirects to the page that says so", C::ProxyBlocks)
                .cure("open that page in a browser: it may name the rule; ask those who operate the proxy to allow the host"),
            medium("a login page of the network or of the proxy is in the way", C::ProxyRedirects).unless(&[C::ProxyBlocks])
                .cure("open that page in a browser and log in"),
            medium("the port is that of a proxy of another kind than HTTP, as of SOCKS", C::ProxyIsSocks)
                .cure("use the scheme of SOCKS: `--proxy socks5h://HOST:PORT`"),
            medium("a web server listens there, and no proxy", C::ProxyIsServer)
                .cure("correct the proxy's address: `--proxy URL`, or the variable of the environment"),
            medium("the proxy can't reach the next proxy, which it passes requests on to", C::ProxyLosesUpstream)
                .cure("check the upstream proxy in the configuration of this proxy, and whether it runs; or bypass this proxy: `--noproxy HOST`"),
            medium("the proxy can't reach the server", C::ProxyFailed).unless(&[C::ProxyLosesUpstream]).cure("check host and port, and whether the proxy can reach them"),
            medium("the proxy's rules forbid this host or port, or this client; many allow CONNECT to port 443 only", C::ProxyForbids),
            low("the proxy's rules forbid this host or port, or this client").unless(&[C::ProxyDropped, C::ProxyIsSocks, C::ProxyFailed, C::ProxyIsServer, C::ProxyForbids, C::ProxyRedirects]),
            low("the proxy itself can't reach the host").unless(&[C::ProxyDropped, C::ProxyIsSocks, C::ProxyFailed, C::ProxyIsServer, C::ProxyForbids, C::ProxyRedirects]),
        ])
        .seen("the answer to CONNECT is neither 2xx nor 407, or SOCKS opens no tunnel"),
    error("W113", "the proxy requires credentials")
        .because("the forward proxy opens no tunnel without a login")
        .help("send them with `--proxy-user USER:PASSWORD`")
        .source("RFC 9110 §15.5.8")
        .seen("the answer to CONNECT has status 407; SOCKS5 refuses to go on without a login, or ends at ours"),
    note("W114", "an environment variable selects a proxy")
        .because("an environment variable routes this connection through a proxy")
        .help("bypass it with `--noproxy HOST`, or unset the variable")
        .source(KNOWN)
        .seen("a proxy variable of the environment matched the target"),
    error("W115", "the proxy can't be reached")
        .because("the connection goes through a proxy, whose name or address does not answer; the server was not contacted")
        .help("correct the proxy's address, start the proxy, or bypass it: `--noproxy HOST`")
        .source(KNOWN)
        .seen("the proxy's name is not found, or its port refuses connections or does not answer"),
    error("W116", "the proxy does not answer")
        .because("it accepted the connection, but did not answer the request for a tunnel; the server was not contacted")
        .help("check the proxy's address and scheme (`http://`, `https://`, `socks5h://`), or bypass it: `--noproxy HOST`")
        .source(KNOWN)
        .causes(&[
            medium("the proxy speaks no TLS", C::ProxyTlsUnanswered)
                .cure("write `http://` instead of `https://` for the proxy"),
            low("the proxy requires a user and password").with(C::ProxyGreeted),
            low("the port is not that of a proxy of this kind"),
            low("the proxy can't reach the server, and waits").unless(&[C::ProxyNotAsked]),
        ])
        .seen("no answer to TLS, to CONNECT or to SOCKS within the handshake timeout, or the end of the stream"),
    error("W117", "a proxy on the path answered instead of the server")
        .because("the answer comes from a filter or proxy that was not requested: a transparent proxy, the network's login page, or a proxy in front of the server")
        .help("use `wss://`, which a proxy can't read unless this machine trusts its certificate; or allow the address in the proxy")
        .source("documentation of Squid, tinyproxy, Privoxy, FortiGate, Zscaler; RFC 6585 §6")
        .causes(&[
            high("the network requires a login in a browser first (a captive portal)", C::StatusIs(511))
                .cure("log in to the network: open any http:// page in a browser"),
            high("the port is that of a forward proxy, which takes whole URLs and CONNECT only", C::WantsWholeUrl)
                .cure("name it as the proxy, and the server in the URL: `--proxy http://HOST:PORT ws://SERVER/`"),
            high(FILTERED, C::Interceptor).unless(&[C::StatusIs(511), C::Loopback, C::WantsWholeUrl]),
            medium(FILTERED, C::MaybeInterceptor).unless(&[C::Loopback, C::WantsWholeUrl]),
            high(FILTERED_HERE, C::All(&[C::Interceptor, C::Loopback])).unless(&[C::StatusIs(511), C::WantsWholeUrl])
                .cure(RULES_HERE),
            medium(FILTERED_HERE, C::All(&[C::MaybeInterceptor, C::Loopback])).unless(&[C::StatusIs(511), C::WantsWholeUrl])
                .cure(RULES_HERE),
        ])
        .seen("over ws:// and without a proxy: 511, X-Squid-Error or the page of a filter; if nothing else explains the answer, 407, or the name of a forward proxy in Server or on the page"),
];
