//! W300 to W313: a page, a stream or a redirect instead of a 101.

use super::builder::{KNOWN, MEASURED, WHATWG, error, high, low, medium};
use super::refusals::UNABLE;
use crate::diagnostics::facts::Variation as V;
use crate::diagnostics::{CatalogueEntry, Clue as C, LikelyCause};

/// The help for a login page in place of the WebSocket.
const LOG_IN: &str = "if the login is that of the site, send its cookie or token: `--cookie NAME=VALUE`, `--bearer TOKEN`; if it is that of the network, log in with a browser first";

/// The cause if another path opens a WebSocket, and this one answers with a success. The path may
/// be right: a rule of a proxy may lose the upgrade at it, or the application may not take it now.
const OTHER_PATH: LikelyCause = medium(
    "the path is wrong, or a proxy or the application does not upgrade at this one: another path opens a WebSocket",
    C::Opens(V::OtherPath),
)
.cure("read the answer, which may say why; otherwise use another path; if this one is right, its rule in a proxy must forward Upgrade and Connection, as that of the other path does");

/// The cause if the upgrade reached a web server behind a proxy.
const NOT_ROUTED: &str = "a proxy forwards without Upgrade and Connection, or no rule of it leads the upgrade to the server of the WebSocket";

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    error("W300", "this path serves a web page")
        .because("the server answered 200 with HTML, so the upgrade was ignored")
        .help("find the path of the WebSocket; if it is this path, make the proxy forward Upgrade: `wscope explain W320`")
        .source(MEASURED)
        .causes(&[
            UNABLE,
            OTHER_PATH,
            medium("this is the default page of the web server, or of a parked domain: it has no site for this Host, or the machine or port is another one", C::DefaultPage)
                .cure("check the name and port of the URL against the server's configuration; another name: `--host NAME`"),
            medium("a web application firewall rejected the request", C::EdgeRefuses)
                .cure("give the number on its page to those who operate it"),
            medium("the page is a login page: the server, or a portal of this network, sends it to clients that are not logged in", C::LoginPage)
                .cure("send what the browser sends: `--cookie NAME=VALUE` or `--bearer TOKEN`"),
            medium("a wrong path or port: the server answers any path with this page, as single-page applications do, or a portal of this network answers for it", C::All(&[C::PlainSame, C::Same(V::OtherPath)])).unless(&[C::LoginPage, C::DefaultPage, C::EdgeRefuses])
                .cure("find the path of the WebSocket; if the page is the network's, log in to that first"),
            medium("a wrong path or port: a plain GET gets this page, too", C::PlainSame).unless(&[C::LoginPage, C::DefaultPage, C::EdgeRefuses, C::All(&[C::PlainSame, C::Same(V::OtherPath)])]),
            medium(NOT_ROUTED, C::PlainSameBehindProxy).unless(&[C::ProxyPage, C::DefaultPage, C::EdgeRefuses]),
            medium("the path is wrong, and the server answers any path with its page", C::Same(V::OtherPath)).unless(&[C::All(&[C::PlainSame, C::Same(V::OtherPath)])]),
            low("the path is wrong, and the server answers any path with its page").unless(&[C::Differs(V::OtherPath), C::Same(V::OtherPath)]),
            low(NOT_ROUTED).unless(&[C::Opens(V::OtherPath)]),
            low("the WebSocket is on another port than this web server, or its handler is not mounted"),
        ])
        .seen("status 200 with Content-Type text/html"),
    error("W301", "this path serves Server-Sent Events")
        .because("the server answered 200 with text/event-stream, which is not WebSocket")
        .help("read it with `curl -N URL`, or find the WebSocket path")
        .source(MEASURED)
        .seen("Content-Type text/event-stream"),
    error("W302", "this is the base URL of SockJS")
        .because("SockJS serves its raw WebSocket one path segment deeper")
        .help("append `/websocket` to the path")
        .source("measured on real servers; SockJS protocol 0.3.3")
        .seen("the body is \"Welcome to SockJS!\", or JSON with the key websocket at /info")
        .more("The framed variant is at /SERVER/SESSION/websocket, with three digits and any word."),
    error("W303", "Engine.IO answered as long polling")
        .because("the request lacks the parameters that ask Socket.IO for a WebSocket")
        .help("add `?EIO=4&transport=websocket` to the path of Socket.IO, usually `/socket.io/`")
        .source("measured on real servers; Engine.IO protocol 4")
        .seen("the body begins with 0{\"sid\" or {\"code\":N,\"message\""),
    error("W304", "GraphQL over HTTP answered")
        .because("subscriptions usually have a path of their own")
        .help("try `/graphql/ws` or `/subscriptions` with `-s graphql-transport-ws`")
        .source(KNOWN)
        .causes(&[
            medium("the path serves GraphQL over HTTP; its WebSocket is at another path, or not enabled", C::GraphqlWords)
                .cure("enable subscriptions on the server, or find their path, such as `/graphql/ws` or `/subscriptions`; offer `-s graphql-transport-ws`"),
            medium("the path serves GraphQL over HTTP alone", C::PlainSame).unless(&[C::GraphqlWords]), low("the server serves queries here and subscriptions elsewhere, or none").unless(&[C::GraphqlWords]),
            low("a proxy removed Upgrade and Connection, so that the handler of HTTP answered").with(C::GraphqlWords).unless(&[C::Differs(V::NoUpgrade), C::UpgradePasses]),
            low("no graphql subprotocol was offered").unless(&[C::SubprotocolSent])])
        .seen("JSON with errors or data where the path says graphql; a sentence of such a server about a missing query"),
    error("W305", "the endpoint exists, but does not upgrade")
        .because("the server answered with a success status instead of 101")
        .help("check the path, and the order of the routes on the server; a proxy may remove Upgrade: `wscope explain W320`")
        .source("RFC 6455 §4.1")
        .causes(&[
            medium("the port is that of MongoDB, which does not speak HTTP", C::Body("trying to access mongodb over http"))
                .cure("correct the port of the URL"),
            medium("the port serves metrics for Prometheus, and no WebSocket", C::All(&[C::Body("# help"), C::Body("# type")]))
                .cure("correct the port of the URL: this one is for measurements"),
            UNABLE,
            OTHER_PATH,
            medium("the server agreed to the handshake, and wrote this status instead of 101, or a proxy did; or this is an HTTP handler in a framework that writes Sec-WebSocket-Accept for any upgrade", C::Accepts).unless(&[C::PlainSame])
                .cure("check the path; if it is right, correct the status line of the server: `HTTP/1.1 101 Switching Protocols`, and ask it without the proxy in front"),
            medium("a gRPC server answers, which has no WebSocket here", C::Grpc)
                .cure("use a client of gRPC, or the port on which the WebSocket is served"),
            medium("every request gets this answer: an application answers any path over plain HTTP, and has no WebSocket, or its server's support for it is missing or off", C::All(&[C::PlainSame, C::Same(V::OtherPath)])).unless(&[C::NoBody, C::Grpc, C::ProxyOwn])
                .cure("check the path, and whether the server is one with WebSocket support, which is on"),
            medium("the server in front answered itself: no handler of it fits this path or Host, as where `/ws/` in a Caddyfile, which fits that path alone, should be `/ws/*`", C::ProxyOwn)
                .cure("compare path, name and port of the URL with the handlers of the server in front"),
            medium("every request gets this answer: the server has no WebSocket, or no site for this Host, the name and port of the URL", C::AllSameEmpty).unless(&[C::Grpc, C::ProxyOwn])
                .cure("check the path, and the name that the server is set up for: `--host NAME`"),
            medium("an HTTP handler serves this path, and no WebSocket", C::PlainSame).unless(&[C::All(&[C::PlainSame, C::Same(V::OtherPath)]), C::ProxyOwn]),
            medium("a proxy forwards without Upgrade and Connection", C::PlainSameBehindProxy).unless(&[C::All(&[C::PlainSame, C::Same(V::OtherPath)]), C::ProxyOwn]),
            medium("a handler at this path saw the upgrade and did not take it: the application refused, returned without an answer, or its WebSocket support is not attached to the server", C::UpgradeHere)
                .cure("check that the framework's WebSocket support is attached to the server that listens; then read the application's log, and compare query, headers and cookies with those of a client that works"),
            low("an HTTP handler serves this path, and no WebSocket").unless(&[C::PlainSame, C::All(&[C::PlainSame, C::Same(V::OtherPath)]), C::UpgradeHere, C::ProxyOwn]),
            low("a proxy forwards without Upgrade and Connection").unless(&[C::PlainSameBehindProxy, C::ProxyOwn, C::Differs(V::NoUpgrade), C::Opens(V::OtherPath)]),
            low("the server has no site for this Host, the name and port of the URL").with(C::NoBody).unless(&[C::All(&[C::PlainSame, C::Same(V::OtherPath)]), C::Differs(V::OtherPath), C::ProxyOwn]),
        ])
        .seen("a 2xx status that no other entry explains"),
    error("W310", "the server redirects the handshake")
        .because("the WebSocket is at another URL; browsers do not follow redirects here")
        .help("use the URL in the Location header")
        .source(WHATWG)
        .causes(&[
            UNABLE,
            medium("a rule of the server in front redirects to the server behind it instead of forwarding", C::RedirectsInside)
                .cure("make the rule forward: in Apache the flag `[P]` of RewriteRule, or `ProxyPass`"),
            medium("the server adds the slash of a directory, and there is no WebSocket at that path, either", C::RedirectFails)
                .cure("check the path: that of the Location is another one without WebSocket"),
            high("a slash of the path is missing or superfluous", C::RedirectsSlash).unless(&[C::Unable, C::RedirectFails]),
            medium("a slash of the path is missing or superfluous", C::RedirectsSlash).unless(&[C::RedirectFails]),
            medium("a login, or a captive portal of this network, answers instead of the WebSocket", C::RedirectsAway).unless(&[C::RedirectsInside])
                .cure(LOG_IN),
            medium("a page for people answers: a login, a portal, maintenance, a suspended account", C::RedirectsPage).unless(&[C::RedirectsAway])
                .cure("open the page in a browser, which says why; the WebSocket is not there"),
            medium("the site, or its login, is at another host", C::RedirectsHost).unless(&[C::RedirectsPage, C::RedirectsAway, C::RedirectsInside]), medium("the WebSocket is at another path, or a login or default page is", C::RedirectsPath).unless(&[C::RedirectsPage, C::RedirectsInside])])
        .seen("status 301, 302, 303, 307 or 308 to another path or host"),
    error("W311", "the site forces TLS")
        .because("the server redirects to the same place with https://")
        .help("use `wss://` instead of `ws://`")
        .source("widely known; reported for php-wss")
        .causes(&[medium("the site is at another host, too", C::RedirectsHost)])
        .seen("a redirect from ws:// to https:// or wss://"),
    error("W312", "the server redirects to a login page")
        .because("the request is not authenticated, and the login is made for a browser")
        .help("send what the browser sends: `--cookie NAME=VALUE` or `--bearer TOKEN`")
        .source("RFC 6455 §4.2.2, RFC 9110 §15.4")
        .causes(&[
            high("no session cookie or token was sent", C::NoCredentials).unless(&[C::SecretSent, C::RedirectsAway]),
            medium("no session cookie or token was sent", C::NoCredentials).unless(&[C::SecretSent])
                .cure(LOG_IN),
            medium("a captive portal of this network answers instead of the server", C::RedirectsAway),
            high("the credentials sent are wrong or have expired, or a proxy on the way removed them", C::CredentialsSent), medium("the credentials sent are wrong, have expired, or belong into a header", C::SecretSent)])
        .seen("a redirect to a URL whose host or path has login, signin, auth, sso, oauth or saml as a part"),
    error("W313", "the redirects never end")
        .because("the chain of redirects returns to an earlier URL, or is too long")
        .help("follow the chain with `curl -sIL URL` and correct the server that redirects back")
        .source("RFC 9110 §15.4")
        .causes(&[
            medium("TLS ends at a proxy, and the server behind it sees plain HTTP and redirects to TLS again", C::RedirectsToItself)
                .cure("make the proxy send X-Forwarded-Proto, and the server trust it (uvicorn: `--proxy-headers --forwarded-allow-ips`; Django: SECURE_PROXY_SSL_HEADER), or use TLS to the server, in Cloudflare the mode Full"),
            low("a proxy terminates TLS, and the server behind it forces TLS").unless(&[C::RedirectsToItself]), low("the site expects a cookie that it sets during the redirects")])
        .seen("a URL appears twice in the chain, or there are more than five; or a Location is the requested URL"),
];
