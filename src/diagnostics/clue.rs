//! Clues: facts of this run that support a cause, or rule it out.
//!
//! A clue is a question about the [`Facts`]. Its answer is the fact in words, or `None`. So each
//! named cause has its fact.

use std::net::Ipv6Addr;
use std::time::Duration;

use super::Facts;
use super::conversation::{Dialogue, PeerMessage, PeerPart};
use super::facts::{
    Dial, EndKind, ProxyFault, SILENCE, SIZEABLE, StreamEnd, TlsFault, Trial, TrialOutcome,
    Variation,
};
use super::heard::Grievance;
use super::inner::inner;
use super::said::Subject;
use super::sniff::{contains, contains_word};
use super::url::Url;
use crate::event::{CertificateFacts, Direction};
use crate::wire::Role;
use crate::wire::head::Head;
use crate::wire::host::{address, is_loopback, is_private};
use crate::wire::secret::is_secret;

/// Words in a path, and the subprotocols that servers require there.
const SUBPROTOCOLS: [(&str, &[&str]); 9] = [
    ("graphql", &["graphql-transport-ws", "graphql-ws"]),
    ("mqtt", &["mqtt"]),
    ("stomp", &["v12.stomp"]),
    ("xmpp", &["xmpp"]),
    ("ocpp", &["ocpp1.6", "ocpp2.0.1"]),
    ("wamp", &["wamp.2.json"]),
    // Those of `MAYBE_WITHOUT` come last.
    ("subscriptions", &["graphql-transport-ws", "graphql-ws"]),
    ("janus", &["janus-protocol"]),
    ("sip", &["sip"]),
];

/// Those of the words that other paths may contain, too.
const MAYBE_WITHOUT: [&str; 3] = ["subscriptions", "janus", "sip"];

/// Names, in Server and Via, of programs that are usually in front of others.
const PROXIES: [&str; 19] = [
    "nginx",
    "apache",
    "haproxy",
    "openresty",
    "caddy",
    "envoy",
    "traefik",
    "cloudflare",
    "varnish",
    "squid",
    "awselb",
    "akamai",
    "tengine",
    "lighttpd",
    "litespeed",
    "nghttpx",
    "h2o/",
    "kong/",
    "apisix",
];

/// Pages of frameworks for a plain request without a route. For an upgrade, they write something
/// else.
const PLAIN_PAGES: [(&str, &str); 5] = [
    ("{\"detail\":\"not found\"}", "FastAPI"),
    ("<pre>cannot get ", "Express"),
    ("\"message\":\"cannot get ", "NestJS"),
    ("<p>the requested resource was not found on this server.</p>", "Django"),
    ("the current path, <code>", "Django"),
];

/// The words of a text that says only that an upgrade failed.
const OF_UPGRADE: &[u8] = b"websocket websockets web socket ws upgrade upgrading connection request http protocol \
    handshake the to a this is was could not couldn t cannot can unable failed fail failing failure error server";

/// Texts that are only in the pages of programs in front of others.
const PROXY_PAGES: [&str; 25] = [
    "the application is currently not serving requests at this endpoint",
    "<body bgcolor=\"white\" fgcolor=\"black\">",
    "<h3>guru meditation:</h3>",
    "<title>no such app</title>",
    "<center>nginx",
    "<h2>the request could not be satisfied.</h2>",
    "proudly powered by litespeed web server",
    "<address>apache/",
    "you don't have permission to access this resource.</p>",
    "<p>the requested url was not found on this server.</p>",
    "request forbidden by administrative rules",
    "no route matched with those values",
    "404 route not found",
    "default backend - 404",
    "this container app is stopped or does not exist",
    "<h1>404 web site not found.</h1>",
    "<h2>the requested url was not found on this server.</h2>",
    "http error 404. the requested resource is not found.",
    "your browser sent an invalid request.\n",
    "no server is available to handle this request",
    "<h1>404 not found</h1>\nthe resource could not be found.\n",
    "<p>please contact the server administrator at ",
    "<h1>500 internal server error</h1>\nan internal server error occurred.\n",
    "your azure front door service configuration",
    "xhtml1-transitional.dtd\">\n<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n <head>\n  <title>",
];

/// Sentences of servers of GraphQL over HTTP about a request without a query: Apollo 2 to 4,
/// express-graphql, graphql-http, and their kin.
const GRAPHQL: [&str; 6] = [
    "post body missing",
    "get query missing",
    "must provide query string",
    "must provide a query string",
    "graphql operations must contain a non-empty `query`",
    "this operation has been blocked as a potential cross-site request forgery (csrf)",
];

/// Names of filters and forward proxies of the client's network, in Server and Via.
const FORWARD_NAMES: [&str; 12] = [
    "squid",
    "tinyproxy",
    "privoxy",
    "mitmproxy",
    "zscaler",
    "proxysg",
    "bluecoat",
    "websense",
    "forcepoint",
    "mcafee web gateway",
    "fortigate",
    "netskope",
];

/// Sentences that are only in the pages of filters.
const FILTER_PAGES: [&str; 6] = [
    "web page blocked",
    "web filter violation",
    "fortiguard intrusion prevention",
    "fortiguard web filter",
    "your system policy has denied access",
    "violation of your internet usage policy",
];

/// Words in the pages of filters that other pages may contain, too.
const FILTER_WORDS: [&str; 14] = [
    "the requested url could not be retrieved",
    "internet usage policy",
    "zscaler",
    "privoxy",
    "tinyproxy",
    "websense",
    "forcepoint",
    "netskope",
    "mcafee web gateway",
    "policy_denied",
    "blocked by your organi",
    "blocked by your administrator",
    "authenticate with the local network",
    "captive portal",
];

/// Words in the issuer's name of products that decrypt TLS.
const INTERCEPTORS: [&str; 22] = [
    "zscaler",
    "netskope",
    "fortinet",
    "fortigate",
    "palo alto",
    "blue coat",
    "bluecoat",
    "sophos",
    "kaspersky",
    "avast",
    "eset ssl",
    "bitdefender",
    "mcafee",
    "cisco umbrella",
    "forcepoint",
    "check point",
    "barracuda",
    "mitmproxy",
    "charles proxy",
    "fiddler",
    "portswigger",
    "squid",
];

/// Names, in Server, of programs without WebSocket support, for any application.
const UNABLE: [&str; 7] =
    ["waitress", "wsgiserver", "simplehttp", "webrick", "amazons3", "github.com", "netlify"];

/// The most characters of a filter's page; a longer page is a website, which may contain any words.
const FILTER_PAGE: usize = 2000;

/// Servers limit a head to 8 KB or more, so a head of this size may be too long.
const LONG_HEAD: usize = 8000;

/// The length of a message that some servers and proxies refuse, in bytes.
const LONG_MESSAGE: u64 = 32 * 1024;

/// A question about the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clue {
    /// All of these are seen.
    All(&'static [Self]),
    /// The request with this difference gets the same answer.
    Same(Variation),
    /// The request with this difference gets another answer. Without an answer, the trial shows no
    /// difference: a limit on connections may end it.
    Differs(Variation),
    /// A WebSocket opens with this difference.
    Opens(Variation),
    /// The request has an Origin.
    OriginSent,
    /// The request has no Origin.
    NoOrigin,
    /// The Origin of the request is that of the server.
    OriginIsOwn,
    /// The Origin of the request has the host of the URL, and no other port.
    OriginOfHost,
    /// An Authorization or Cookie header was sent.
    CredentialsSent,
    /// Neither Authorization nor Cookie was sent.
    NoCredentials,
    /// WWW-Authenticate asks for an Authorization; there was none, but a Cookie.
    NoAuthorization,
    /// The request has another header, query parameter or subprotocol with the name of a secret.
    SecretSent,
    /// WWW-Authenticate requires Digest.
    WantsDigest,
    /// Another program than the one of the Server header wrote the page of a TLS port.
    OtherPageOfTls,
    /// The first attempt was at a loopback address.
    LoopbackDialled,
    /// The library of this machine may lack TLS 1.3.
    OldLibrary,
    /// The answer quotes the version that was sent, and says that it is not supported.
    VersionQuoted,
    /// The sent Authorization is Digest.
    DigestSent,
    /// There is no WWW-Authenticate.
    NoChallenge,
    /// A subprotocol was offered.
    SubprotocolSent,
    /// A subprotocol whose name contains this text was offered.
    Offered(&'static str),
    /// No subprotocol was offered.
    NoSubprotocol,
    /// The query contains this text.
    InQuery(&'static str),
    /// The path of the URL contains this text.
    InPath(&'static str),
    /// The header Server names this program.
    Server(&'static str),
    /// The response names a program that usually is a reverse proxy.
    Proxied,
    /// The response lists version 13, as gorilla/websocket does in every refusal.
    ListsVersion13,
    /// A redirect to the requested URL, over TLS and without a cookie.
    RedirectsToItself,
    /// The body is the default page of a web server without a site.
    DefaultPage,
    /// Squid says that the request has no whole URL, as only requests to a proxy have one.
    WantsWholeUrl,
    /// A filter, or a proxy that no option names, wrote the answer and says so.
    Interceptor,
    /// A word in the answer suggests a filter or such a proxy.
    MaybeInterceptor,
    /// The answer names a program that usually is a forward proxy, although this run uses none, and
    /// the server is not on this machine.
    ForwardProxied,
    /// The answer names another path than the requested one.
    NamesOtherPath,
    /// The answer names the end of the requested path. Many proxies remove a prefix on purpose.
    NamesShorterPath,
    /// The answer names the requested path, or says that it is unknown.
    NamesPath,
    /// The answer is that of a router without a route. It does not depend on the kind of request.
    Unrouted,
    /// Engine.IO refuses without a reason, which it does only if the application tells it to.
    AllowRequest,
    /// The answer has a header that belongs only to a completed handshake.
    Accepts,
    /// A library for Go read the handshake, and failed after that.
    Untaken,
    /// The answer may be that of an ASGI server: nothing names another program, and it has no words
    /// of its own.
    MaybeAsgi,
    /// The answer is a 501 that any handler in Go may write.
    GoUnable,
    /// At an unknown path, another server answers.
    OtherPathElsewhere,
    /// A plain GET gets the same answer as the upgrade, at a path that the server knows.
    PlainSameAtKnownPath,
    /// The refusal has the form of the library ws. Its 401 means that verifyClient refused.
    WsRefusal,
    /// The answer is the bare 400 of the library ws, which gets no request without Upgrade.
    WsBadRequest,
    /// What Node's inspector says at a path without a target, also to an upgrade.
    InspectorTarget,
    /// Werkzeug's page for an upgrade at a route without WebSocket, if the upgrade arrived.
    PlainRoute,
    /// A plain GET succeeds, and the code of an upgrade handler wrote the refusal: an HTTP server
    /// adds headers of its own.
    Handwritten,
    /// The path is that of Socket.IO, and the query lacks a parameter that it requires.
    EngineIoQuery,
    /// The answer to a plain GET is the error of Engine.IO with this number.
    PlainEngineIo(u8),
    /// The answer names a subprotocol that was not offered.
    SubprotocolNamed,
    /// Subprotocols were offered, and the 101 names none.
    SubprotocolIgnored,
    /// The same as [`Clue::SubprotocolIgnored`], and the connection ended before any message of the
    /// peer.
    DroppedWithoutSubprotocol,
    /// The response has this status.
    StatusIs(u16),
    /// The answer took so long that the server may have waited for something.
    SlowAnswer,
    /// The body contains this text, in any letter case.
    Body(&'static str),
    /// The body is exactly this text, in any letter case.
    WholeBody(&'static str),
    /// Envoy's own message about its upstream contains this text.
    Envoy(&'static str),
    /// The page of Apache's proxy contains this text.
    ApacheProxy(&'static str),
    /// The answer has the ids that AWS API Gateway gives to a WebSocket.
    GatewayIds,
    /// The answer is about SNI, and this run uses no TLS.
    SniBehind,
    /// API Gateway wrote the answer: its headers have an id of it, which a Lambda URL has not.
    ApiGateway,
    /// ngrok's header names this error.
    Ngrok(&'static str),
    /// Cloudflare itself refuses, with the error number of a firewall rule.
    CloudflareRule,
    /// Cloudflare's own answer has this number.
    CloudflareError(u16),
    /// The answer is what a server of GraphQL over HTTP says about a request without a query.
    GraphqlWords,
    /// Allow lists methods, but not GET.
    AllowsOther,
    /// The body is empty.
    NoBody,
    /// The same request without the upgrade gets the same answer.
    PlainSame,
    /// The same as [`Clue::PlainSame`], and a reverse proxy answered.
    PlainSameBehindProxy,
    /// The same request without the upgrade succeeds, and the upgrade gets an error or no answer.
    PlainServes,
    /// The upgrade gets no answer, and a plain GET finds nothing at this path.
    PlainMissing,
    /// Neither a plain GET nor another path got an answer.
    AllSilent,
    /// A trial opened a WebSocket, so the whole path to the server passes upgrades.
    UpgradePasses,
    /// A proxy answers a plain GET: it can't reach the server behind it. The upgrade gets such an
    /// answer, too, or none.
    PlainGateway,
    /// The program in front answers the upgrade itself, but passes a plain GET on.
    OnlyPlainPassed,
    /// The path of the URL has two slashes in a row.
    DoubledSlash,
    /// A plain GET gets an error of the program; the upgrade gets no answer.
    PlainFails,
    /// The answer to a plain GET is not HTTP.
    PlainForeign,
    /// A plain GET gets an empty 400, as from a parser.
    PlainUnread,
    /// A plain GET gets an answer that only a handler of WebSockets gives, but the upgrade gets that
    /// of a gateway, which is not a program that is known to carry upgrades.
    PlainWebSocket,
    /// A plain GET gets an answer that only an existing path has.
    PlainKnown,
    /// The certificate's issuer is a product that decrypts TLS.
    IssuerIntercepts,
    /// The page asks for a login.
    LoginPage,
    /// The edge of a CDN, or its firewall, refused.
    EdgeRefuses,
    /// The answer is in HTTP/1.0, and nothing shows a program in front.
    Http10,
    /// The answer keeps the connection open. A TLS port would not do that after a request that it
    /// can't read.
    KeptAlive,
    /// A gateway reports that it has no application for the host's name.
    NoApplication,
    /// The page is the proxy's own, so no server behind it received the request.
    ProxyPage,
    /// The same as [`Clue::ProxyPage`], at a path that ends with a slash.
    Directory,
    /// The page or the headers show that the proxy itself answered.
    ProxyOwn,
    /// The answer lacks the usual headers of servers, so the parser of the request wrote it.
    BareParser,
    /// This side sent its first message shortly before the end, which came early.
    SoonAfterOurs,
    /// The peer answered none of our pings, or not our Close, in a second or more.
    Unread,
    /// The peer answered none of two or more pings, and nothing came after the first of them.
    PingsUnanswered,
    /// This side sent a message, and no bytes that are not UTF-8 in one of text.
    TextSent,
    /// The last traffic was a message of ours that is longer than the lowest usual limits.
    SizeableMessageSent,
    /// The last traffic was a long message of ours.
    LongMessageSent,
    /// A program in front answered the handshake, and the connection ended in the middle of
    /// traffic, at no round age.
    TrafficBehindProxy,
    /// The redirect only adds or removes slashes in the path.
    RedirectsSlash,
    /// The redirect leads to another host.
    RedirectsHost,
    /// The redirect leads to another path.
    RedirectsPath,
    /// The redirect leads to a WebSocket at an address that only the server's network knows.
    RedirectsInside,
    /// The redirect leads to a page with the name of a file, or has a URL in its query.
    RedirectsPage,
    /// A request without TLS is redirected to another host. That host is in a private network, or
    /// the redirect fits [`Clue::RedirectsPage`].
    RedirectsAway,
    /// Another path and a plain GET get answers, but the upgrade at this path gets none.
    UpgradeAlone,
    /// The user gave this run a client certificate.
    CertificateSent,
    /// The same as [`Clue::CertificateSent`], and the server had requested one.
    CertificateTaken,
    /// The page is one that a framework writes only for plain requests.
    PlainPage,
    /// The same as [`Clue::PlainPage`], and a program in front answered, or changed the path.
    PlainPageBehindProxy,
    /// The answer says only that the upgrade failed. Some frameworks say so to any request that they
    /// can't upgrade.
    UpgradeFailed,
    /// Without a subprotocol, it opens, or gets an answer if there was none.
    NoSubprotocolHelps,
    /// The redirect only changes the slashes of the path, and its target does not open, either.
    RedirectFails,
    /// The sent Host is not that of the URL, and the URL's Host may get another status.
    OtherHostSent,
    /// The sent Origin is that of the server. A program is in front, or the server compares the
    /// Origin with Host.
    OwnOriginBehindProxy,
    /// The head of the request is longer than many servers accept.
    LongHead,
    /// The connection ended right after the 101 and our message; the peer sent no message.
    AtOnce,
    /// The reason of the Close names an idle timer.
    TimerReason,
    /// The reason of the Close names a timeout, but not which one.
    TimeoutReason,
    /// The reason of the Close says that the first message did not arrive in time.
    FirstMessageReason,
    /// The reason of the Close says that a ping was not answered.
    PingReason,
    /// The reason of the Close has a meaning.
    ReasonGiven,
    /// The last message is a complaint, and the end came right after it.
    Complained,
    /// The peer's last message answered our last one, and it did not answer our Close soon after.
    AnsweredBeforeClose,
    /// The last message says that the peer ended this session, and the end came right after it.
    SessionEnded,
    /// The protocol inside shows that the server ended the session, and this side did not ask for
    /// it.
    SessionLeft,
    /// The last message is a heartbeat, which was not answered.
    BeatUnanswered,
    /// The protocol inside requires messages of ours more often than we sent them.
    InnerTimer,
    /// The protocol inside goes on with a message of this side, which has sent none.
    InnerAwaited,
    /// A session of MQTT was open.
    MqttSession,
    /// A silence as long as the last one did not end the connection, or the heartbeats of the
    /// protocol inside were sent in time.
    TimerRefuted,
    /// The last silence was too short, and no whole number of half seconds, as that of a timer is.
    NoTimersTime,
    /// Our message begins with the header that language servers have on stdin and stdout.
    HeaderSent,
    /// Our only message is a notification of JSON-RPC (JSON-RPC 2.0 §4.1).
    NotificationSent,
    /// The peer ended the stream.
    StreamEnded,
    /// Our last message breaks a rule of the protocol inside.
    InnerBreach,
    /// Our last message asked for the end.
    Farewell,
    /// The first message announces a heartbeat or a login, and this side sent nothing.
    BeatAnnounced,
    /// A server of Socket.IO received no packet that connects to a namespace.
    NoNamespace,
    /// This side is the server.
    Serving,
    /// The request does not offer permessage-deflate.
    NoCompressionOffered,
    /// Only the upgrade at this path gets this answer.
    UpgradeHere,
    /// This side sent no message, so none can have broken a rule.
    NothingSent,
    /// Our Close has a code that was registered after the RFC.
    NewCodeSent,
    /// The end came so early that no timer can be the cause.
    EndedEarly,
    /// The path names a protocol that requires a subprotocol, and none was offered.
    PathWantsSubprotocol,
    /// Without a subprotocol, there is no answer, either.
    NoSubprotocolFails,
    /// With the subprotocols that the path suggests and the usual ones, it does not open, either.
    SubprotocolFails,
    /// The server accepted this connection and refused a later one.
    Gone,
    /// The port speaks HTTP, whatever the answer to the trial was.
    SpeaksHttp,
    /// The answer names a program without WebSocket support.
    Unable,
    /// Every request gets this answer, and it is JSON.
    AllSameJson,
    /// Every request gets this answer, and it has no body.
    AllSameEmpty,
    /// The answer to a plain GET has a reason, but the answer to the upgrade has none.
    PlainTells,
    /// This side did not answer pings of the peer, on purpose.
    PingsIgnored,
    /// This side did not answer several pings.
    PingsMissed,
    /// The last traffic was our ping, right before the end; the peer had answered none.
    EndedOnPing,
    /// Our first ping met the end, and no trial tells whether it was the cause.
    PingAtEnd,
    /// The last traffic was a ping of the peer and its pong.
    PingAnswered,
    /// Our last message came after a silence, and the peer answered it with a reset.
    IdleBeforeOurs,
    /// There was no traffic after the 101.
    NothingCrossed,
    /// The proxy's answer or reply means that it could not reach the server.
    ProxyFailed,
    /// The proxy's answer means that the proxy passes requests to another one, which it could not
    /// reach.
    ProxyLosesUpstream,
    /// The scheme of the proxy lets this side look names up.
    OwnLookup,
    /// The proxy's answer is 403, or its reply names its rules.
    ProxyForbids,
    /// The proxy ended the connection before wscope had told it the server's address.
    ProxyNotAsked,
    /// The proxy ended the connection at the greeting of SOCKS, which offered no credentials.
    ProxyGreeted,
    /// The proxy took part in SOCKS, and ended the connection when it was told the target.
    ProxyDropped,
    /// The proxy did not answer TLS.
    ProxyTlsUnanswered,
    /// There is a WWW-Authenticate.
    Challenged,
    /// The same request without the upgrade gets an answer, but the upgrade gets none.
    PlainAnswered,
    /// The same request without the upgrade gets no answer, either.
    PlainUnanswered,
    /// The first bytes are an error or a page of an HTTP server, but its head is missing.
    Headless,
    /// The same as [`Clue::Headless`], and the error says that nothing is at this path.
    HeadlessMissing,
    /// The port answers in HTTP/2, and no request in HTTP/1.1 got an answer.
    PlainHttp2,
    /// The server refuses its own Origin, too, and the answer does not mention the Origin.
    OriginUnnamed,
    /// A gRPC server answers.
    Grpc,
    /// A server that speaks HTTP drops every request without an answer, at any path.
    AllDropped,
    /// The proxy redirects to a page whose URL speaks of a block.
    ProxyBlocks,
    /// The answer to CONNECT is a redirect.
    ProxyRedirects,
    /// Another path gets an answer, but this one gets none.
    OtherPathAnswered,
    /// The peer ended the connection so late that a timer may be the cause.
    GaveUp,
    /// Another path gets no answer in time.
    OtherPathSilent,
    /// The port answers the other scheme.
    OtherSchemeAnswers,
    /// The port does not answer the other scheme.
    OtherSchemeFails,
    /// The port is silent with TLS, too, which the URL does not require.
    OtherSchemeSilent,
    /// The server's address is one of this machine.
    Loopback,
    /// A WebSocket opens at the other loopback address.
    OtherFamilyListens,
    /// Another program answers at the other loopback address.
    OtherFamilyTaken,
    /// An option of this run leads to another address than the URL.
    OwnAddress,
    /// An option of this run changes or removes the name in TLS.
    OwnName,
    /// An option of this run offers other protocols than HTTP/1.1 in TLS.
    OwnAlpn,
    /// This run has its own root certificates.
    OwnRoots,
    /// TLS agrees on HTTP/2 if that is offered, and agreed on no protocol when HTTP/1.1 was. No
    /// request in HTTP/1.1 got an answer.
    OnlyHttp2,
    /// TLS agrees if no name is sent.
    NoNameHelps,
    /// The response has a status.
    Status,
    /// The URL does not require TLS.
    NotSecure,
    /// The URL requires TLS.
    UrlIsSecure,
    /// TLS failed with this alert.
    Alert(u8),
    /// The port is a usual port for TLS.
    TlsPort,
    /// The certificate is its own issuer.
    SelfSigned,
    /// The server did not send the issuer's certificate. Its own certificate says where to get it.
    IssuerElsewhere,
    /// The server did not send the issuer's certificate, and the roots of this run do not prove its
    /// own certificate.
    IssuerLacking,
    /// The server sent certificates besides its own, and none of them is that of its issuer.
    IssuerUnsent,
    /// The server sent its own root, which is not trusted.
    RootSent,
    /// The certificate is the default one of a server that has none for this name.
    DefaultCertificate,
    /// A name of the certificate would match if a wildcard stood for no label, or for several.
    Wildcard,
    /// The server's own certificate is valid today, but one above it is not.
    IssuerDates,
    /// An option of this run limits the versions of TLS.
    VersionsLimited,
    /// An HTTP server, not a proxy, answers CONNECT.
    ProxyIsServer,
    /// The answer to CONNECT says that the proxy is not one of HTTP, or names SOCKS.
    ProxyIsSocks,
    /// The connection goes through a forward proxy, which said that it is open.
    Tunnelled,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate has a subjectAltName.
    HasNames,
    /// The certificate has no subjectAltName.
    NoNames,
    /// The server requested a client certificate.
    CertificateAsked,
    /// The URL has a link-local IPv6 address without a zone (RFC 4007 §6).
    LinkLocal,
    /// A parameter of the URL is a time until which the URL was valid.
    LinkExpired,
    /// The name of the URL leads to the address that stands for none.
    Unspecified,
    /// The 101 has the headers of a draft before RFC 6455.
    OldDraft,
    /// The host of the URL is an address.
    HostIsAddress,
    /// The host is an address, and the certificate that was refused for its names lists it.
    AddressAsName,
    /// The host of the URL is this name. If the name begins with a dot, the host ends with it.
    Host(&'static str),
    /// The last traffic before the end was our message.
    AfterOurMessage,
    /// Our last message was compressed and fragmented, with a control frame between the fragments.
    PingInsideCompressed,
    /// This side sent a frame that breaks a rule.
    IllegalSent,
    /// This side sent raw bytes, and no frame is known to be illegal.
    BytesSent,
    /// The reader of our stdout was slow.
    Stalled,
    /// A header of the response names this program.
    Hop(&'static str),
    /// The connection was idle for this number of seconds, give or take 2 %.
    Idle(u64),
    /// The same as [`Clue::Idle`], and this program is on the path.
    IdleAt(u64, &'static str),
    /// The connection lasted this number of seconds, give or take 2 %.
    Lived(u64),
}

impl Clue {
    /// The fact in words, if the facts show it.
    pub fn seen(self, facts: &Facts<'_>) -> Option<String> {
        let url = facts.url.map(Url::of);
        let header = |name: &'static str| {
            let value = facts.response?.get(name)?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let sent = |name: &'static str| sent(facts, name);
        let trial = |variation: Variation| facts.trial(variation);
        let status = facts.status();
        let compared = |variation, same: bool| {
            let trial: &Trial = facts.trial(variation)?;
            let differs = trial.status() != status;
            // A server that is too busy has not judged the difference.
            let known = !matches!(trial.status(), None | Some(429 | 503));
            // Two failures of a gateway count as the same result.
            let gateway = |status| matches!(status, Some(502..=504));
            let known = known && !(gateway(status) && gateway(trial.status()));
            // Another server's answer says nothing about this one.
            let elsewhere =
                variation == Variation::OtherPath && Self::OtherPathElsewhere.seen(facts).is_some();
            (known && differs != same && status.is_some() && !elsewhere).then(|| trial.to_string())
        };
        // The result of a trial, if it has this property.
        let tried = |variation, is: &dyn Fn(&Trial) -> bool| {
            facts.trial(variation).filter(|trial| is(trial)).map(ToString::to_string)
        };
        let opens = |variation| tried(variation, &|trial| trial.status() == Some(101));
        match self {
            Self::Same(variation) => compared(variation, true),
            Self::Differs(variation) => compared(variation, false),
            Self::Opens(variation) => opens(variation),
            Self::All(clues) => {
                let mut all: Vec<String> = Vec::new();
                for clue in clues {
                    let fact = clue.seen(facts)?;
                    // A clue may contain the fact of another one.
                    if !all.iter().any(|other| other.contains(&fact)) {
                        all.push(fact);
                    }
                }
                Some(all.join("; "))
            }
            Self::OriginSent => {
                let origin = String::from_utf8_lossy(sent("Origin")?).into_owned();
                Some(format!("the request has Origin: {origin}"))
            }
            Self::NoOrigin => {
                let request = facts.request?;
                request.get("Origin").is_none().then(|| "the request has no Origin".to_owned())
            }
            Self::OriginIsOwn => {
                let own = url?.http_origin();
                let origin = sent("Origin")?;
                origin
                    .eq_ignore_ascii_case(own.as_bytes())
                    .then(|| "the Origin sent is the server's own".to_owned())
            }
            Self::OriginOfHost => {
                let origin = String::from_utf8_lossy(sent("Origin")?).into_owned();
                let (url, origin) = (url?, Url::of(&origin));
                // Another port is another application.
                let same = origin.host.eq_ignore_ascii_case(url.host)
                    && origin.port.is_none_or(|port| port == url.port());
                same.then(|| "the Origin sent has the host of the URL".to_owned())
            }
            Self::CredentialsSent => ["Authorization", "Cookie"]
                .into_iter()
                .find(|name| sent(name).is_some())
                .map(|name| match (name, sent(name).and_then(scheme)) {
                    ("Authorization", Some(scheme)) => format!("Authorization: {scheme} was sent"),
                    _ => format!("a {name} header was sent"),
                }),
            Self::NoCredentials => {
                let request = facts.request?;
                let none = |name: &str| request.get(name).is_none();
                (none("Authorization") && none("Cookie"))
                    .then(|| "neither Authorization nor Cookie was sent".to_owned())
            }
            Self::NoAuthorization => {
                let request = facts.request?;
                let only_cookie = sent("Cookie").is_some() && request.get("Authorization").is_none();
                let value = header("WWW-Authenticate").filter(|_| only_cookie)?;
                let wanted = value.split([' ', ',']).next()?.to_owned();
                // Some applications ask for a login by a form or a header of their own like this.
                let own = ["cookie", "session", "form"];
                let own = own.iter().any(|name| contains_word(wanted.as_bytes(), name));
                let by_header = value.contains("type=\"header\"");
                let fact = format!("WWW-Authenticate asks for {wanted}, and only a Cookie was sent");
                (!own && !by_header && !wanted.is_empty()).then_some(fact)
            }
            Self::SecretSent => secret_sent(facts),
            Self::OtherPageOfTls => {
                let server = header("Server").filter(|name| !name.is_empty())?;
                let name = server.split(['/', ' ']).next()?.to_ascii_lowercase();
                let page = String::from_utf8_lossy(facts.body).to_ascii_lowercase();
                // nginx and its relatives name themselves below. Go's answer has no Server.
                let writer = page.split("<center>").last().filter(|_| page.contains("<center>"));
                let other = match writer {
                    Some(writer) => !writer.contains(&name),
                    None => page.starts_with("client sent an http request to an https server"),
                };
                other.then(|| format!("the page is not that of {server}, which the answer names"))
            }
            Self::LoopbackDialled => {
                let near = |dial: &&Dial| dial.address.ip().to_canonical().is_loopback();
                let dial = facts.dials.first().filter(near)?;
                Some(format!("{} is an address of this machine", dial.address.ip()))
            }
            Self::OldLibrary => {
                facts.tls.may_lack_13.then(|| "the TLS library may lack TLS 1.3".to_owned())
            }
            Self::VersionQuoted => {
                let version = sent("Sec-WebSocket-Version")?;
                let version = std::str::from_utf8(version).ok()?.trim();
                quotes_version(facts.body, version).map(|words| format!("the answer says \"{words}\""))
            }
            Self::WantsDigest => {
                let wanted = header("WWW-Authenticate")?;
                let digest = wanted.trim_start().to_ascii_lowercase().starts_with("digest");
                digest.then(|| "WWW-Authenticate wants Digest".to_owned())
            }
            Self::DigestSent => {
                let digest = sent("Authorization").and_then(scheme)?.eq_ignore_ascii_case("digest");
                digest.then(|| "Authorization: Digest was sent".to_owned())
            }
            Self::NoChallenge => {
                let none = facts.response?.get("WWW-Authenticate").is_none();
                none.then(|| "the answer has no WWW-Authenticate".to_owned())
            }
            Self::SubprotocolSent => {
                let names = String::from_utf8_lossy(sent("Sec-WebSocket-Protocol")?).into_owned();
                Some(format!("{names} was offered"))
            }
            Self::Offered(text) => {
                let mut names = facts.request?.tokens("Sec-WebSocket-Protocol");
                let offered = names.any(|name| contains_word(name, text));
                offered.then(|| format!("a subprotocol of {text} was offered"))
            }
            Self::NoSubprotocol => {
                let none = facts.request?.get("Sec-WebSocket-Protocol").is_none();
                none.then(|| "the request offers no subprotocol".to_owned())
            }
            Self::InQuery(text) => {
                url?.query.contains(text).then(|| format!("the URL has {text}"))
            }
            Self::InPath(text) => {
                let has = url?.path.to_ascii_lowercase().contains(text);
                has.then(|| format!("{text} is in the path"))
            }
            Self::Server(word) => {
                let server = header("Server")?;
                contains_word(server.as_bytes(), word).then(|| format!("Server: {server}"))
            }
            Self::Proxied => proxied(facts.response?),
            Self::ListsVersion13 => facts
                .response?
                .has_token("Sec-WebSocket-Version", "13")
                .then(|| "the answer lists version 13, as each refusal of gorilla/websocket does".to_owned()),
            Self::WantsWholeUrl => header("X-Squid-Error")
                .filter(|error| error.starts_with("ERR_INVALID_URL"))
                .map(|error| format!("X-Squid-Error: {error}")),
            Self::Interceptor => interceptor(facts),
            Self::MaybeInterceptor => maybe_interceptor(facts),
            // No network is on the way to an address of this machine.
            Self::ForwardProxied => {
                forward_proxied(facts).filter(|_| Self::Loopback.seen(facts).is_none())
            }
            Self::NamesOtherPath => {
                let asked = url?.path;
                let bodies = [Some(facts.body), trial(Variation::NoUpgrade).and_then(Trial::body)];
                bodies.into_iter().flatten().find_map(|body| {
                    let named = super::said::named_path(body)?;
                    // express-ws adds its own word to the path.
                    let inner = named.trim_end_matches(".websocket");
                    let same = |a: &str, b: &str| a.trim_matches('/') == b.trim_matches('/');
                    let coded = [named.as_str(), asked].iter().any(|path| path.contains(['%', '\\', '\u{fffd}']));
                    let other = !coded && !same(&named, asked) && !same(inner, asked);
                    other.then(|| format!(
                        "the answer names the path {inner}, but {asked} was requested"))
                })
            }
            Self::NamesShorterPath => {
                let named = super::said::named_path(facts.body)?;
                let shorter = named == "/" || url?.path.ends_with(&named);
                Self::NamesOtherPath.seen(facts).filter(|_| shorter)
            }
            Self::NamesPath => {
                let (path, text) = (url?.path, super::said::words(facts.body));
                let page = super::said::page_text(facts.body).is_some();
                let named = super::said::names(&text, path).then(|| format!("the answer names the path {path}"));
                let told = || format!("the answer is \"{text}\"");
                let says = !page && text.len() < FILTER_PAGE / 10 && super::said::names_path(&text);
                named.or_else(|| says.then(told))
            }
            Self::NoApplication => ["<title>site not found", "no app configured at that hostname", "this container app is stopped or does not exist", "<title>no such app</title>"]
                .into_iter()
                .find_map(|words| Self::Body(words).seen(facts)),
            Self::Accepts => shown(facts.response?, "Sec-WebSocket-Accept"),
            Self::AllowRequest => {
                let asks = Self::InQuery("transport=websocket").seen(facts)?;
                let forbids = || Self::WholeBody("forbidden").seen(facts);
                let empty = Self::NoBody.seen(facts).or_else(forbids).filter(|_| status == Some(400))?;
                Self::InQuery("EIO=").seen(facts).map(|_| format!("{asks}; {empty}"))
            }
            // These are the texts of Go, aiohttp and tornado. At a path with a WebSocket, they
            // answer a plain GET in another way.
            Self::Unrouted => ["404 page not found", "404: not found"]
                .into_iter()
                .find_map(|text| Self::WholeBody(text).seen(facts))
                .or_else(|| Self::Body("<title>404: not found</title><body>404").seen(facts)),
            Self::Untaken => Self::ListsVersion13.seen(facts),
            Self::MaybeAsgi => {
                const ASGI: [&str; 4] = ["uvicorn", "daphne", "hypercorn", "granian"];
                let head = facts.response?;
                let named = |name| Self::Server(name).seen(facts);
                let other = head.get("Server").is_some() && proxied(head).is_none();
                let bare = super::said::is_bare(
                    &super::said::words(facts.body), status.unwrap_or_default(), b"forbidden access denied");
                ASGI.into_iter().find_map(named).or_else(|| {
                    // These servers write a reason phrase.
                    let phrase = head.status_line().is_some_and(|line| !line.reason.is_empty());
                    (!other && bare && phrase && head.get("X-Powered-By").is_none())
                        .then(|| "the answer names no other program".to_owned())
                })
            }
            Self::GoUnable => {
                let form = |name, value: &str| header(name).is_some_and(|v| v.eq_ignore_ascii_case(value));
                let go = form("X-Content-Type-Options", "nosniff") && form("Content-Type", "text/plain; charset=utf-8");
                (status == Some(501) && go)
                    .then(|| "the answer is a 501 in the form of Go's http.Error".to_owned())
            }
            Self::OtherPathElsewhere => {
                let other = trial(Variation::OtherPath)?;
                let TrialOutcome::Status { code: 400..=499, text, body } = &other.outcome else {
                    return None;
                };
                let name = |server: &str| server.split(['/', ' ', ',']).next().unwrap_or_default().to_owned();
                let theirs = text.split_once(", Server: ").map_or("", |(_, server)| server);
                let ours = header("Server").unwrap_or_default();
                // A refusal of the application may have no Server. Then, only a proxy's name shows
                // another server.
                let proxy = PROXIES.iter().any(|name| contains_word(theirs.as_bytes(), name));
                let servers = name(theirs) != name(&ours)
                    && !theirs.is_empty()
                    && (proxy || !ours.is_empty());
                let page = |body: &[u8]| PROXY_PAGES.iter().any(|page| contains_word(body, page));
                let pages = page(body) && !page(facts.body);
                (servers || pages).then(|| format!("another server answers {other}"))
            }
            Self::PlainSameAtKnownPath => {
                let same = Self::PlainSame.seen(facts)?;
                let other = trial(Variation::OtherPath)?;
                // If only one of the two answers has a body, an unknown path has its own page.
                let body = other.body().unwrap_or_default();
                let page = other.status() == status && body.is_empty() != facts.body.is_empty();
                let known = page || Self::Differs(Variation::OtherPath).seen(facts).is_some();
                let lost = Self::UpgradePasses.seen(facts).is_none();
                (known && lost).then(|| format!("{same}, but not {other}"))
            }
            Self::WsBadRequest => {
                let form = header("Content-Type").is_some_and(|kind| kind == "text/html");
                let own = status == Some(400) && facts.body == b"Bad Request" && form;
                // A plain GET does not reach the library.
                let upgrade = Self::PlainSame.seen(facts).is_none();
                (own && upgrade).then(||
                    "the answer is that of the library ws, which gets only requests with Upgrade".to_owned())
            }
            Self::InspectorTarget => {
                // Behind a proxy, the upgrade may have been lost.
                let direct = proxied(facts.response?).is_none();
                Self::WholeBody("websockets request was expected").seen(facts).filter(|_| direct)
            }
            Self::PlainRoute => {
                let shouts = facts.response?.status_line()?.reason == b"BAD REQUEST";
                let page = contains_word(facts.body, "the browser (or proxy) sent a request that this server could not understand");
                // A plain GET gets this page at a route of WebSocket.
                let arrived = proxied(facts.response?).is_none() && Self::PlainSame.seen(facts).is_none()
                    || Self::Differs(Variation::NoUpgrade).seen(facts).is_some();
                (status == Some(400) && shouts && page && arrived).then(||
                    "the page is Werkzeug's for a request that does not fit the route".to_owned())
            }
            Self::Handwritten => {
                let head = facts.response?;
                let plain = Self::PlainServes.seen(facts)?;
                // Libraries of HTTP write a date, a length or a type.
                let names = ["Server", "Date", "Via", "X-Powered-By", "Content-Length", "Transfer-Encoding", "Content-Type"];
                let bare = names.iter().all(|name| head.get(name).is_none());
                (bare && facts.body.is_empty()).then(||
                    format!("{plain}; the refusal has none of the headers that a server of HTTP writes"))
            }
            Self::EngineIoQuery => {
                let url = url?;
                let path = url.path.to_ascii_lowercase();
                let known = ["socket.io", "engine.io"].into_iter().find(|name| path.contains(name))?;
                let lacks = ["EIO=", "transport="].into_iter().find(|name| !url.query.contains(name))?;
                Some(format!("{known} is in the path, and the query has no {}", lacks.trim_end_matches('=')))
            }
            Self::PlainEngineIo(number) => {
                let trial = trial(Variation::NoUpgrade).filter(|_| status >= Some(400))?;
                let code = super::sniff::engine_io_code(trial.body()?)?;
                (code == number).then(|| format!("{trial}: {}", super::said::words(trial.body().unwrap_or_default())))
            }
            Self::SubprotocolNamed => {
                // Other statuses have reasons of their own.
                let judged = matches!(status, Some(400 | 406 | 426));
                let name = header("Sec-WebSocket-Protocol").filter(|name| judged && !name.trim().is_empty())?;
                let offered = facts.request?.has_token("Sec-WebSocket-Protocol", name.trim());
                (!offered).then(|| format!("the answer names the subprotocol {}, which was not offered", name.trim()))
            }
            Self::WsRefusal => {
                let head = facts.response?;
                let line = head.status_line()?;
                let names = ["Server", "Date", "Via", "X-Powered-By", "WWW-Authenticate"];
                let bare = names.iter().all(|name| head.get(name).is_none());
                let html = header("Content-Type").is_some_and(|value| value == "text/html");
                let closes = header("Connection").is_some_and(|value| value == "close");
                let body = facts.body == line.reason;
                (bare && html && closes && body)
                    .then(||
                        match line.code {
                            401 => "the answer looks like that of the library ws, which sends 401 if its \
                                    verifyClient refuses".to_owned(),
                            _ => "the answer looks like that of the library ws, which takes the upgrades".to_owned(),
                        })
            }
            Self::SubprotocolIgnored => {
                let head = facts.response.filter(|_| status == Some(101))?;
                let names = String::from_utf8_lossy(sent("Sec-WebSocket-Protocol")?).into_owned();
                let ignored = head.get("Sec-WebSocket-Protocol").is_none();
                ignored.then(|| format!("{names} was offered, and the 101 names none"))
            }
            Self::DroppedWithoutSubprotocol => {
                let end = facts.end?;
                let early = facts.stream.messages == 0 && end.lifetime < SILENCE;
                Self::SubprotocolIgnored.seen(facts).filter(|_| early)
            }
            Self::StatusIs(number) => {
                (status == Some(number)).then(|| format!("the status is {number}"))
            }
            Self::SlowAnswer => {
                let after = facts.response_after.filter(|after| *after >= SILENCE)?;
                Some(format!("the answer took {:.1} s", after.as_secs_f64()))
            }
            Self::Body(text) => {
                contains_word(facts.body, text).then(|| format!("the body contains {text:?}"))
            }
            Self::DefaultPage => ["Welcome to nginx!", "Apache2 Debian Default Page", "Apache2 Ubuntu Default Page", "Welcome to OpenResty!", "access a host that isn't set up yet", "IIS Windows Server", "Caddy works!", "<h1>It works!</h1>", "<title>Default Web Site Page", " is for sale</title>"]
                .into_iter()
                .find(|mark| contains(facts.body, mark.as_bytes()))
                .map(|mark| format!("the page has {mark:?}")),
            Self::WholeBody(text) => {
                let same = facts.body.trim_ascii().eq_ignore_ascii_case(text.as_bytes());
                same.then(|| format!("the body is {text:?}"))
            }
            Self::Envoy(text) => {
                let own = facts.body.trim_ascii_start().starts_with(b"upstream connect error");
                (own && contains_word(facts.body, text))
                    .then(|| format!("Envoy's message contains {text:?}"))
            }
            Self::ApacheProxy(text) => {
                let own = contains_word(facts.body, "<h1>proxy error</h1>");
                (own && contains_word(facts.body, text))
                    .then(|| format!("the page of Apache's proxy contains {text:?}"))
            }
            Self::GatewayIds => {
                let members = serde_json::from_slice::<serde_json::Value>(facts.body).ok()?;
                let all = ["message", "connectionId", "requestId"];
                all.iter().all(|name| members.get(name).is_some()).then(||
                    "the answer has a connectionId and a requestId, as API Gateway's for `$connect`".to_owned())
            }
            Self::SniBehind => Self::NotSecure.seen(facts)
                .filter(|_| contains_word(facts.body, "server name indication"))
                .map(|plain| format!("the answer is about the name in TLS, and {plain}")),
            Self::ApiGateway => header("x-amz-apigw-id").map(|id| format!("x-amz-apigw-id: {id}")),
            Self::Ngrok(code) => header("Ngrok-Error-Code")
                .filter(|value| value.eq_ignore_ascii_case(code))
                .map(|value| format!("Ngrok-Error-Code: {value}")),
            Self::CloudflareRule => cloudflare(facts)
                .filter(|number| status == Some(403) && matches!(number, 1006..=1012 | 1020))
                .map(|number| format!("Cloudflare's error code is {number}")),
            Self::CloudflareError(wanted) => cloudflare(facts)
                .filter(|number| *number == wanted && status >= Some(400))
                .map(|number| format!("Cloudflare's error code is {number}")),
            Self::GraphqlWords => {
                let text = super::said::words(facts.body);
                let lower = text.to_ascii_lowercase();
                // Inside a longer phrase, the words have another meaning.
                let ends = |rest: &str| !rest.trim_start().starts_with(|c: char| c.is_alphanumeric());
                let said = |word: &&&str| {
                    let mut rests = lower.split(**word).skip(1);
                    rests.any(|rest| word.ends_with('`') || ends(rest))
                };
                let word = GRAPHQL.iter().find(said)?;
                Some(format!("the answer contains {word:?}, as GraphQL over HTTP says without a query"))
            }
            Self::AllowsOther => {
                let allow = header("Allow").filter(|_| status == Some(405))?;
                let has = |list: &[&str]| {
                    let mut methods = allow.split(',').map(str::trim);
                    methods.any(|name| list.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)))
                };
                let writes = has(&["POST", "PUT", "PATCH", "DELETE"]);
                (writes && !has(&["GET"])).then(|| format!("Allow: {allow}"))
            }
            Self::NoBody => facts.body.trim_ascii().is_empty().then(|| "the body is empty".to_owned()),
            Self::PlainSame => {
                let trial = trial(Variation::NoUpgrade)?;
                let same = status.is_some()
                    && trial.status() == status
                    && trial.body().is_none_or(|body| body == facts.body);
                same.then(|| format!("{trial}, the same answer as with Upgrade"))
            }
            Self::PlainSameBehindProxy => {
                let proxy = proxied(facts.response?)?;
                let same = Self::PlainSame.seen(facts)?;
                let lost = Self::UpgradePasses.seen(facts).is_none();
                lost.then(|| format!("{same}; {proxy}"))
            }
            Self::UpgradePasses => {
                let here = |trial: &&Trial| {
                    !matches!(trial.variation, Variation::OtherScheme | Variation::OtherFamily)
                };
                let opened = |trial: &&Trial| trial.status() == Some(101);
                let mut trials = facts.trials.iter();
                trials.find(|trial| here(trial) && opened(trial)).map(ToString::to_string)
            }
            Self::PlainGateway => {
                let gateway = |status: u16| matches!(status, 502..=504);
                let fails = |trial: &Trial| trial.status().is_some_and(gateway);
                tried(Variation::NoUpgrade, &fails).filter(|_| status.is_none_or(gateway))
            }
            Self::OnlyPlainPassed => {
                let own = Self::ProxyOwn.seen(facts)?;
                let differs = Self::Differs(Variation::NoUpgrade).seen(facts)?;
                let body = trial(Variation::NoUpgrade)?.body()?;
                let theirs = !PROXY_PAGES.iter().any(|page| contains_word(body, page));
                let passed = theirs && !matches!(trial(Variation::NoUpgrade)?.status(), Some(300..=399 | 500..));
                passed.then(|| format!("{own}; {differs}"))
            }
            Self::DoubledSlash => {
                let path = url?.path;
                path.contains("//").then(|| format!("the path is {path}"))
            }
            Self::PlainFails => tried(Variation::NoUpgrade, &|trial| {
                matches!(trial.status(), Some(500..=504)) && status.is_none()
            }),
            Self::PlainForeign => tried(Variation::NoUpgrade, &|trial| {
                matches!(&trial.outcome, TrialOutcome::Nothing(text) if text.contains("is not HTTP"))
            }),
            Self::PlainUnread => {
                let trials = [trial(Variation::NoUpgrade)?, trial(Variation::OtherPath)?];
                let unread = |trial: &&Trial| trial.status() == Some(400) && trial.body() == Some(b"");
                (status.is_none() && trials.iter().all(unread)).then(|| trials[0].to_string())
            }
            Self::PlainWebSocket => tried(Variation::NoUpgrade, &|trial| {
                let TrialOutcome::Status { code, text, body } = &trial.outcome else { return false };
                let told = super::said::words(body);
                let handshake = super::said::subject(&told).is_some_and(|(about, _)| {
                    matches!(about, Subject::Upgrade | Subject::Version | Subject::Key | Subject::Header)
                });
                let shown = *code == 426 || text.contains("Sec-WebSocket-Version: ") || handshake;
                let own = facts.response.is_some_and(|head| proxied(head).is_none());
                matches!(code, 400..=499) && shown && own && matches!(status, Some(500..))
            }),
            Self::PlainKnown => tried(Variation::NoUpgrade, &|trial| {
                matches!(trial.status(), Some(405 | 406 | 415)) && trial.status() != status
            }),
            Self::ProxyPage => {
                let page = |page: &str| contains_word(facts.body, page);
                // nginx and its variants sign their pages like this.
                let signed = header("Server")
                    .is_some_and(|name| page(&format!("<hr><center>{}<", name.to_ascii_lowercase())));
                (signed || PROXY_PAGES.into_iter().any(page))
                    .then(|| "the page is the proxy's own".to_owned())
            }
            Self::Directory => {
                let slash = url?.path.is_empty() || url?.path.ends_with('/');
                Self::ProxyPage.seen(facts).filter(|_| slash)
            }
            Self::ProxyOwn => Self::ProxyPage.seen(facts).or_else(|| {
                let head = facts.response?;
                let own = ["X-Cf-RouterError", "x-render-routing", "X-Vercel-Error"];
                if let Some(error) = own.into_iter().find_map(|name| shown(head, name)) {
                    return Some(error);
                }
                let server = header("Server")?;
                let named = |name: &str| contains_word(server.as_bytes(), name);
                // These programs mark forwarded answers.
                let envoy = named("envoy") && head.get("x-envoy-upstream-service-time").is_none();
                if named("awselb") {
                    return Some(format!("Server: {server}, which a target would replace"));
                }
                let empty = facts.body.trim_ascii().is_empty();
                let bare = named("caddy") || named("hypercorn") && status == Some(404);
                let bare = bare && head.get("Via").is_none() && empty;
                let h2o = named("h2o/") && head.status_line()?.reason == b"File Not Found";
                (envoy || bare || h2o).then(|| format!("{server} answered itself: what it passes on is marked"))
            }),
            Self::BareParser => {
                let head = facts.response.filter(|_| status == Some(400))?;
                let lacks = |names: &[&str]| names.iter().all(|name| head.get(name).is_none());
                // Node's parser writes `Connection: close`; a handler of upgrades may write nothing.
                let empty = facts.body.is_empty()
                    && lacks(&["Content-Type", "Content-Length"])
                    && head.headers().len() > 0;
                let own = contains_word(facts.body, "invalid http request received");
                let bare = lacks(&["Date", "Server", "Via"]) && (empty || own);
                bare.then(|| "the answer has neither a date nor a reason, as those of a parser".to_owned())
            }
            Self::SoonAfterOurs => {
                let end = facts.end.filter(|end| end.lifetime < SILENCE)?;
                let sent = facts.stream.sent.is_some() && facts.stream.messages > 0;
                sent.then(|| format!("it ended {} ms after the 101, and a message was sent meanwhile", end.lifetime.as_millis()))
            }
            Self::Unread => {
                let pinged = facts.pings.waiting.is_some_and(|since| since >= SILENCE);
                let unclosed = facts.end.is_some_and(|end| end.how == EndKind::CloseTimeout);
                (pinged || unclosed).then(|| "a ping or our Close got no answer".to_owned())
            }
            Self::PingsUnanswered => {
                let pings = &facts.pings;
                let silent = pings.answered == 0 && pings.unsolicited == 0 && !pings.data_since;
                let waited = pings.waiting.is_some_and(|since| since >= SILENCE);
                (silent && waited && pings.unanswered > 1)
                    .then(|| format!("{} pings were sent, and no pong came", pings.unanswered))
            }
            Self::TextSent => {
                let valid = facts.stream.sent.is_some()
                    && facts.stream.illegal_sent.is_none()
                    && !facts.stream.bytes_sent;
                valid.then(|| "each text that this side sent is UTF-8".to_owned())
            }
            Self::SizeableMessageSent => {
                let len = facts.stream.last_sent_len;
                ((SIZEABLE..LONG_MESSAGE).contains(&len) && facts.stream.ended_on_ours)
                    .then(|| format!("a message of {len} bytes was sent right before the end"))
            }
            Self::LongMessageSent => {
                let len = facts.stream.last_sent_len;
                (len >= LONG_MESSAGE && facts.stream.ended_on_ours)
                    .then(|| format!("a message of {len} bytes was sent right before the end"))
            }
            Self::TrafficBehindProxy => {
                let hop = proxied(facts.response?)?;
                let end = facts.end.filter(|end| !end.is_silent() && end.lifetime >= SILENCE)?;
                let end = Some(end).filter(|end| !is_round_age(end.lifetime))?;
                Some(format!("it ended {:.1} s after the 101, in the middle of traffic; {hop}", end.lifetime.as_secs_f64()))
            }
            Self::RedirectsPage => {
                let location = header("Location")?;
                let lower = location.to_ascii_lowercase();
                let to = Url::of(&lower);
                let told = ["://", "%3a%2f%2f", "%3a//"].iter().any(|mark| to.query.contains(mark));
                let ends = [".html", ".htm", ".php", ".cgi", ".aspx", ".jsp"];
                let page = ends.iter().any(|end| to.path.ends_with(end));
                (told || page).then(|| format!("Location: {location}"))
            }
            Self::RedirectsInside => {
                let location = header("Location")?;
                let to = Url::of(&location);
                let lower = location.to_ascii_lowercase();
                let socket = ["ws://", "wss://"].iter().any(|scheme| lower.starts_with(scheme));
                let moved = url.is_some_and(|asked| {
                    !asked.host.eq_ignore_ascii_case(to.host) || asked.port() != to.port()
                });
                let near = is_private(to.host) || is_loopback(to.host);
                (socket && moved && near).then(|| format!("Location: {location}"))
            }
            Self::RedirectsAway => {
                let location = Self::RedirectsHost.seen(facts).filter(|_| facts.proxy.is_none())?;
                let asked = url.filter(|url| !url.is_secure())?;
                let to = header("Location")?;
                let near = is_private(Url::of(&to).host) && !is_private(asked.host);
                (near || Self::RedirectsPage.seen(facts).is_some()).then_some(location)
            }
            Self::RedirectsSlash | Self::RedirectsHost | Self::RedirectsPath => {
                let location = header("Location")?;
                let (to, asked) = (Url::of(&location), url?);
                let bare = |path: &str| path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
                let host = !to.host.is_empty() && !to.host.eq_ignore_ascii_case(asked.host);
                let slash = to.path != asked.path && bare(to.path) == bare(asked.path);
                let path = bare(to.path) != bare(asked.path);
                let seen = match self {
                    Self::RedirectsSlash => slash && !host,
                    Self::RedirectsHost => host,
                    _ => path && !host,
                };
                seen.then(|| format!("Location: {location}"))
            }
            Self::RedirectsToItself => header("Location")
                .filter(|to| url.is_some_and(|url| url.is_secure() && url.is_met_by(to)) && header("Set-Cookie").is_none())
                .map(|_| "the Location is the URL that was asked for".to_owned()),
            Self::UpgradeAlone => {
                let plain = Self::PlainAnswered.seen(facts)?;
                let other = Self::OtherPathAnswered.seen(facts)?;
                Some(format!("{plain}; {other}"))
            }
            Self::CertificateSent => {
                facts.tls.own_certificate.then(|| "a client certificate was given".to_owned())
            }
            Self::CertificateTaken => Self::CertificateSent.seen(facts).filter(|_| facts.tls.asked),
            Self::PlainServes => tried(Variation::NoUpgrade, &|trial| {
                matches!(trial.status(), Some(200..=299)) && status.is_none_or(|code| code >= 400)
            }),
            Self::PlainMissing => tried(Variation::NoUpgrade, &|trial| {
                trial.status() == Some(404) && status.is_none()
            }),
            Self::AllSilent => {
                let plain = Self::PlainUnanswered.seen(facts)?;
                let silent = |trial: &Trial| matches!(trial.outcome, TrialOutcome::Silence(_));
                Some(format!("{plain}; {}", tried(Variation::OtherPath, &silent)?))
            }
            Self::LoginPage => {
                let words = ["type=\"password\"", "type=password", "<title>sign in", "<title>log in", "<title>login"];
                let word = words.iter().find(|word| contains_word(facts.body, word))?;
                Some(format!("the page contains {word}"))
            }
            Self::EdgeRefuses => {
                let edge = Self::Server("akamaighost").seen(facts);
                let pages = ["incapsula incident id", "the request could not be satisfied", "your support id is", "sucuri website firewall"];
                let page = || pages.iter().find_map(|page| Self::Body(page).seen(facts));
                let edge = edge.filter(|_| status == Some(403));
                edge.or_else(page).filter(|_| matches!(status, Some(200..=299 | 403)))
            }
            Self::Http10 => {
                let head = facts.response?;
                let version = head.status_line()?.version;
                let old = (version.major, version.minor) == (1, 0) && proxied(head).is_none();
                old.then(|| "the answer is written in HTTP/1.0".to_owned())
            }
            Self::KeptAlive => {
                let kept = facts.response?.has_token("Connection", "keep-alive");
                kept.then(||
                    "the answer keeps the connection open, which a TLS port would not \
                     do".to_owned())
            }
            Self::PlainPage => {
                let (_, name) = PLAIN_PAGES.iter().find(|(page, _)| contains_word(facts.body, page))?;
                Some(format!("the page is {name}'s for a plain request"))
            }
            Self::PlainPageBehindProxy => {
                let page = Self::PlainPage.seen(facts)?;
                // If the upgrade gets another answer than a plain GET, it has arrived.
                let arrived = [Self::Differs(Variation::NoUpgrade), Self::UpgradePasses];
                let arrived = arrived.iter().any(|clue| clue.seen(facts).is_some());
                let front = proxied(facts.response?).or_else(|| Self::NamesOtherPath.seen(facts))?;
                (!arrived).then(|| format!("{page}; {front}"))
            }
            Self::UpgradeFailed => {
                let text = super::said::words(facts.body);
                let fails = ["fail*", "failed", "failure", "error", "unable", "cannot", "can't", "could not", "couldn't"];
                let fails = fails.iter().any(|word| super::said::says(&text, word));
                let alone = super::said::is_bare(&text, status.unwrap_or_default(), OF_UPGRADE);
                (fails && alone && contains_word(text.as_bytes(), "upgrad"))
                    .then(|| format!("the answer is \"{text}\""))
            }
            // Another refusal may have another reason, such as a token in the subprotocol.
            Self::NoSubprotocolHelps => tried(Variation::NoSubprotocol, &|trial| match status {
                Some(_) => trial.status() == Some(101),
                None => trial.status().is_some_and(|code| !matches!(code, 429 | 502..=504)),
            }),
            Self::NoSubprotocolFails => tried(Variation::NoSubprotocol, &|trial| {
                reached(trial) && trial.status().is_none() && status.is_none()
            }),
            Self::SubprotocolFails => {
                tried(Variation::Subprotocol, &|trial| trial.status() != Some(101))
            }
            Self::RedirectFails => {
                Self::RedirectsSlash.seen(facts)?;
                let fails = |code| code != 101;
                tried(Variation::Redirected, &|trial| trial.status().is_some_and(fails))
            }
            Self::OtherHostSent => {
                let (url, host) = (url?, String::from_utf8_lossy(sent("Host")?).into_owned());
                let name = Url::of(&format!("ws://{host}")).host.trim_end_matches('.').to_owned();
                let same = name.eq_ignore_ascii_case(url.host.trim_end_matches('.'));
                let known = url.host.is_ascii() && facts.hops.len() < 2;
                let helps = trial(Variation::OwnHost).is_none_or(|trial| trial.status() != status);
                (known && helps && !same).then(|| format!("Host: {host} was sent"))
            }
            Self::OwnOriginBehindProxy => {
                let own = Self::OriginIsOwn.seen(facts)?;
                let sign = proxied(facts.response?).or_else(|| Self::ListsVersion13.seen(facts))?;
                Some(format!("{own}; {sign}"))
            }
            Self::LongHead => {
                let length = facts.request?.raw().len();
                (length > LONG_HEAD).then(|| format!("the request's head has {length} bytes"))
            }
            Self::AtOnce => {
                let end = facts.end?;
                let nothing = facts.stream.messages == 0 && end.lifetime < SILENCE;
                let nothing = nothing && facts.stream.ended_on_ours;
                nothing.then(|| format!(
                    "nothing arrived in the {} ms after the 101", end.lifetime.as_millis()))
            }
            Self::TimerReason => {
                let other = [Self::PingReason, Self::FirstMessageReason];
                if other.iter().any(|clue| clue.seen(facts).is_some()) {
                    return None;
                }
                let timer = reason(facts, &[" idle", " inactivity ", " no activity "]);
                // An account or a device may be inactive, too.
                let inactive = || reason(facts, &[" inactive "]).filter(|_| !is_qualified(facts));
                timer.or_else(inactive)
            }
            Self::TimeoutReason => reason(facts, TIME_UP),
            Self::FirstMessageReason => {
                let late = [" too late ", " not received "];
                let waited = reason(facts, TIME_UP).or_else(|| reason(facts, &late))?;
                let first =
                    [" initial", " handshake", " login", " auth", " hello ", " identify", " connect timeout "];
                reason(facts, &first).map(|_| waited)
            }
            Self::PingReason => {
                let beats = [" ping ", " pings ", " pong ", " pongs ", " pingtimeout ", " heartbeat", " keepalive", " keep alive "];
                let missed = [
                    " miss", " no ", " not ", " never ", " late ", " lost ", " fail", " expired ", " without ",
                    " unanswered ", " dead ",
                ];
                let missed = reason(facts, TIME_UP).or_else(|| reason(facts, &missed))?;
                reason(facts, &beats).map(|_| missed)
            }
            Self::ReasonGiven => {
                let text = String::from_utf8_lossy(&facts.close.received?.reason);
                (!super::said::is_vague(&text)).then(|| "the Close has a reason".to_owned())
            }
            Self::Complained => complained(facts).filter(Complaint::leads).map(|complaint| {
                format!("it came right before the end: {}", complaint.shown())
            }),
            Self::AnsweredBeforeClose => {
                let heard = facts.stream.heard.filter(|heard| !heard.answered)?;
                let waits = facts.end.is_some_and(|end| end.how == EndKind::CloseTimeout);
                let answered = waits && facts.stream.sent.is_some() && facts.role == Role::Client;
                // Later, the application may have stopped reading.
                let soon = facts.end?.last + 2 * SILENCE >= facts.end?.lifetime.saturating_sub(facts.end?.idle);
                (answered && soon).then(|| {
                    format!("it answered our last message: {}", super::heard::shown(heard.content))
                })
            }
            Self::SessionEnded => {
                let heard = facts.stream.heard.filter(|heard| heard.quiet < SILENCE / 2)?;
                let told = facts.role == Role::Client && super::heard::says_ended(heard.content);
                let told = told && !super::heard::is_echo(facts);
                told.then(|| format!("it is {}", super::heard::shown(heard.content)))
            }
            Self::SessionLeft => {
                let inner = inner(facts).filter(|inner| inner.farewell.is_none())?;
                // Our last message may have asked for it in the application's words.
                let ours = facts.stream.kept.iter().rfind(|one| one.ours);
                let asked = ours.is_some_and(|one| super::heard::may_be_last(one.content));
                let goodbye = inner.goodbye.filter(|_| facts.role == Role::Client && !asked)?;
                Some(format!("in {} it sent: {goodbye}", inner.title))
            }
            Self::BeatUnanswered => beat_unanswered(facts),
            Self::InnerTimer => {
                let (inner, end) = (inner(facts).filter(|_| facts.role == Role::Client)?, facts.end?);
                // The peer's messages do not count.
                let silent = end.idle_data.max(facts.stream.ours_quiet);
                let every = inner.every.filter(|every| silent >= *every)?;
                Some(format!(
                    "{} requires a message at least every {} s, and none was sent for {:.1} s",
                    inner.title, every.as_secs_f64(), silent.as_secs_f64()))
            }
            Self::InnerAwaited => {
                let waited = facts.end.is_some_and(|end| end.lifetime >= SILENCE);
                let silent = facts.stream.sent.is_none() && facts.role == Role::Client;
                if !waited || !silent || is_engine_io(facts) {
                    return None;
                }
                let lens = inner(facts).and_then(|inner| Some((inner.title, inner.awaited?)));
                let lens = lens.filter(|(_, waits)| waits.direction == Direction::ToServer);
                let lens = lens.map(|(title, waits)| (title, waits.message.to_string()));
                let cluster = Self::InPath("/socketcluster").seen(facts);
                let cluster = cluster.map(|_| ("SocketCluster", "the event #handshake".to_owned()));
                let (title, message) = lens.or(cluster)?;
                Some(format!("{title} goes on with {message} of the client, and no message was sent"))
            }
            Self::MqttSession => {
                let inner = inner(facts).filter(|_| facts.role == Role::Client)?;
                let open = inner.awaited.is_none() && facts.stream.messages > 0;
                let open = open && inner.title.starts_with("MQTT") && inner.farewell.is_none();
                open.then(|| "the session of MQTT was open".to_owned())
            }
            Self::TimerRefuted => {
                let end = facts.end?;
                let earlier = end.quiet.max(end.longest_quiet);
                if earlier >= SILENCE && earlier + earlier / 20 >= end.idle {
                    return Some(format!(
                        "an earlier silence of {:.1} s did not end it", earlier.as_secs_f64()));
                }
                let inner = inner(facts).filter(|_| facts.role == Role::Client)?;
                let every = inner.every.filter(|every| end.idle < *every)?;
                Some(format!(
                    "{} requires a message at least every {} s, which was sent in time",
                    inner.title, every.as_secs_f64()))
            }
            Self::StreamEnded => {
                let ended = matches!(facts.end?.how, EndKind::Fin | EndKind::Reset);
                ended.then(|| "the peer ended the stream".to_owned())
            }
            Self::InnerBreach => {
                let inner = inner(facts).filter(|_| facts.role == Role::Client)?;
                let ours = facts.stream.kept.iter().filter(|message| message.ours).count();
                let early = inner.awaited.filter(|waits| {
                    let fresh = facts.stream.kept_all && inner.goodbye.is_none();
                    waits.direction == Direction::ToClient && fresh && ours > 1
                });
                let broken = inner.breach.or_else(|| {
                    Some(format!("it was sent before {} came", early?.message))
                })?;
                let title = inner.title;
                after_ours(facts).then(|| format!("{title}, the last message sent: {broken}"))
            }
            Self::Farewell => farewell(facts),
            Self::BeatAnnounced => {
                let (_, first) = facts.stream.message?;
                let speaks = contains_word(first, "heartbeat") || super::heard::asks_login(first);
                let shown = || format!("its first message is {}", super::heard::shown(first));
                if facts.stream.sent.is_none() {
                    return speaks.then(|| shown() + ", and nothing was sent");
                }
                let mut ours = facts.stream.kept.iter().filter(|message| message.ours);
                let beat = ours.any(|one| super::heard::keeps_alive(&super::heard::text(one.content)));
                let every = super::heard::beat_interval(first).filter(|_| facts.role == Role::Client)?;
                // A server that sends heartbeats itself may have named its own interval.
                let mut theirs = facts.stream.kept.iter().filter(|message| !message.ours);
                let own = theirs.any(|one| super::heard::keeps_alive(&super::heard::text(one.content)));
                let due = facts.end?.last >= every * 2 && !beat && !own && facts.stream.kept_all;
                due.then(|| shown() + ", and no heartbeat was sent")
            }
            Self::NoNamespace => {
                let asks = |(_, sent): (_, &[u8])| sent.starts_with(b"40");
                let none = !facts.stream.sent.is_some_and(asks);
                let old = facts.stream.second.is_some_and(|second| second.starts_with(b"40"));
                (none && !old && is_engine_io(facts)).then(|| "no packet `40` was sent".to_owned())
            }
            Self::UpgradeHere => {
                let plain = Self::Differs(Variation::NoUpgrade).seen(facts)?;
                let other = Self::Differs(Variation::OtherPath).seen(facts)?;
                Some(format!("{plain}; {other}"))
            }
            Self::Serving => (facts.role == Role::Server).then(|| "a client was served".to_owned()),
            Self::NoCompressionOffered => {
                let offer = facts.request?.get("Sec-WebSocket-Extensions").unwrap_or_default();
                let none = !contains(offer, b"permessage-deflate");
                none.then(|| "the request does not offer permessage-deflate".to_owned())
            }
            Self::NothingSent => {
                facts.stream.sent.is_none().then(|| "no message had been sent".to_owned())
            }
            Self::NoTimersTime => {
                let end = facts.end.filter(|end| end.idle < SHORTEST_TIMER)?;
                // A timer runs from the opening, from the last byte or from the last message, and
                // expires a little late.
                let whole = |time: Duration| (time.subsec_millis() + 20) % 500 < 170;
                let fits = [end.lifetime, end.idle, end.idle_data].into_iter().any(whole);
                (!fits).then(|| format!("the silence lasted {:.2} s", end.idle.as_secs_f64()))
            }
            Self::HeaderSent => {
                let (_, sent) = facts.stream.sent?;
                sent.starts_with(b"Content-Length:")
                    .then(|| "it begins with Content-Length".to_owned())
            }
            Self::NotificationSent => {
                let (_, sent) = facts.stream.sent?;
                let ours = facts.stream.kept.iter().filter(|one| one.ours).count();
                let members: serde_json::Map<String, serde_json::Value> =
                    serde_json::from_slice(sent).ok().filter(|_| ours == 1)?;
                let called = members.contains_key("jsonrpc") && members.contains_key("method");
                (called && !members.contains_key("id"))
                    .then(|| "it has jsonrpc and method, and no id".to_owned())
            }
            Self::NewCodeSent => {
                let code = facts.close.sent?.code.filter(|code| (1012..=1014).contains(code))?;
                Some(format!("our Close has the code {code}"))
            }
            Self::EndedEarly => {
                let end = facts.end.filter(|end| end.lifetime < SILENCE)?;
                Some(format!("it ended {} ms after the 101", end.lifetime.as_millis()))
            }
            Self::PathWantsSubprotocol => {
                let offered = facts.request?.get("Sec-WebSocket-Protocol").is_some();
                let (word, _) = required_subprotocol(url?.path).filter(|_| !offered)?;
                Some(format!("no subprotocol was offered, and {word} in the path wants one"))
            }
            Self::Gone => {
                // The server accepted the first connection, so the refused trial came later.
                let taken = facts.unanswered.is_some() || status.is_some();
                let refused = |trial: &&Trial| {
                    trial.variation != Variation::OtherFamily && trial.is_refused()
                };
                let trial = facts.trials.iter().find(refused).filter(|_| taken)?;
                Some(format!("{trial}, a moment later"))
            }
            Self::SpeaksHttp => {
                let secure = url?.is_secure();
                let spoken = |trial: &&Trial| {
                    let other = trial.variation == Variation::OtherScheme;
                    let plain = matches!(&trial.outcome, TrialOutcome::Nothing(text) if text.contains("plain HTTP"));
                    // An HTTP server with TLS explains that plain HTTP is wrong there.
                    let refuses = trial.body().is_some_and(super::said::wants_tls);
                    let here = if secure { refuses } else { plain };
                    if other { here } else { trial.status().is_some() }
                };
                facts.trials.iter().find(spoken).map(ToString::to_string)
            }
            Self::Unable => {
                // The same form as in the text of a trial.
                let line = |name| header(name).map(|value| format!("{name}: {value}"));
                let plain = || trial(Variation::NoUpgrade).filter(|_| status.is_none()).map(ToString::to_string);
                let server = |line: &str| line.split_once("Server: ").is_some_and(|(_, server)| {
                    UNABLE.iter().any(|name| contains_word(server.as_bytes(), name))
                });
                // A server of Next.js may take upgrades, as in development: behind a proxy, they may
                // have been lost.
                let front = facts.response.and_then(proxied).is_some();
                let powered = |line: &str| line.split_once("X-Powered-By: ").is_some_and(|(_, name)| {
                    name.starts_with("PHP/") || name.starts_with("Next.js") && !front
                });
                let host = || header("Host").filter(|host| sent("Host") == Some(host.as_bytes()));
                [line("Server"), line("X-Powered-By"), plain()].into_iter().flatten()
                    .find(|line| server(line) || powered(line))
                    .or_else(|| host().map(|host| format!("Host: {host} in the answer, as PHP's built-in server writes")))
                    .or_else(|| Self::Body("<p>error code explanation: ").seen(facts))
            }
            Self::AllSameJson => {
                let json = matches!(facts.body.trim_ascii_start().first(), Some(b'{' | b'['));
                Self::All(&[Self::PlainSame, Self::Same(Variation::OtherPath)]).seen(facts).filter(|_| json)
            }
            Self::AllSameEmpty => Self::All(&[Self::PlainSame, Self::Same(Variation::OtherPath)]).seen(facts).filter(|_| Self::NoBody.seen(facts).is_some()),
            Self::PlainTells => {
                let told = plain_told(facts);
                told.and_then(|_| trial(Variation::NoUpgrade).map(ToString::to_string))
            }
            Self::PingsIgnored => {
                let ignored = facts.pings.ignored;
                (ignored > 0).then(|| match ignored {
                    1 => "this side left a ping unanswered".to_owned(),
                    _ => format!("this side left {ignored} pings unanswered"),
                })
            }
            Self::PingsMissed => Self::PingsIgnored.seen(facts).filter(|_| facts.pings.ignored > 1),
            Self::EndedOnPing => {
                let proved = ends_on_pings(facts) == Some(true);
                let after = if proved { facts.stream.after_ping? } else { at_ping(facts)? };
                // After a longer silence, a timer or a NAT may have ended the connection before.
                let awake = facts.end.is_some_and(|end| end.idle < LEAST_IDLE)
                    || Self::TimerRefuted.seen(facts).is_some();
                (proved || awake).then(|| format!(
                    "our ping was the last traffic, {} ms before the end", after.as_millis()))
            }
            Self::PingAtEnd => {
                let after = at_ping(facts).filter(|_| ends_on_pings(facts).is_none())?;
                Some(format!("our first ping was the last traffic, {} ms before the end", after.as_millis()))
            }
            Self::PingAnswered => {
                let alone = facts.stream.ended_on_ping && facts.pings.ignored == 0;
                let end = facts.end.filter(|end| alone && end.how == EndKind::Fin)?;
                let idle = end.idle.as_secs_f64();
                Some(format!("its ping was answered {idle:.1} s before the end, and nothing crossed after that"))
            }
            Self::IdleBeforeOurs => {
                let end = facts.end.filter(|end| end.how == EndKind::Reset && facts.stream.ended_on_ours)?;
                let idle = end.lifetime.saturating_sub(end.last).saturating_sub(end.idle);
                (idle >= 2 * SILENCE).then(|| format!(
                    "nothing crossed for {:.1} s before our last message, which was answered with a reset",
                    idle.as_secs_f64()))
            }
            Self::NothingCrossed => {
                let nothing = facts.stream.frames == 0 && facts.stream.sent.is_none();
                (facts.end.is_some() && nothing).then(|| "nothing crossed since the 101".to_owned())
            }
            Self::ProxyFailed if facts.proxy?.fault == Some(ProxyFault::Unreached) => {
                Some("its reply says so".to_owned())
            }
            Self::ProxyForbids if facts.proxy?.fault == Some(ProxyFault::Forbidden) => {
                Some("its reply names its rules".to_owned())
            }
            Self::ProxyFailed => {
                let line = facts.proxy?.answer?.status_line()?;
                matches!(line.code, 500 | 502..=504).then(|| format!("the proxy answered {}", line.code))
            }
            Self::ProxyLosesUpstream => {
                let failed = Self::ProxyFailed.seen(facts)?;
                let text = super::said::words(facts.body).to_ascii_lowercase();
                let named = ["upstream proxy", "upstream web proxy", "parent proxy", "cache peer"];
                let word = named.iter().find(|word| text.contains(**word))?;
                Some(format!("{failed}, with the words {word:?}"))
            }
            Self::OwnLookup => {
                let local = facts.proxy?.address.starts_with("socks5://");
                local.then(|| format!("the proxy is {}", facts.proxy.map_or("", |proxy| proxy.address)))
            }
            Self::ProxyForbids => {
                let line = facts.proxy?.answer?.status_line()?;
                (line.code == 403).then(|| "the proxy answered 403".to_owned())
            }
            Self::ProxyNotAsked => {
                let early = matches!(facts.proxy?.fault?, ProxyFault::Greeting { .. } | ProxyFault::Tls);
                early.then(|| "the proxy had not been told where to".to_owned())
            }
            Self::ProxyGreeted => (facts.proxy?.fault? == ProxyFault::Greeting { credentials: false })
                .then(|| "it closed the connection where it chooses how to log in".to_owned()),
            Self::ProxyDropped => (facts.proxy?.fault? == ProxyFault::Dropped)
                .then(|| "it speaks SOCKS5, and closed the connection when it was told where to".to_owned()),
            Self::ProxyTlsUnanswered => (facts.proxy?.fault? == ProxyFault::Tls)
                .then(|| "it did not answer TLS".to_owned()),
            Self::Challenged => header("WWW-Authenticate").map(|_| "the answer has a WWW-Authenticate".to_owned()),
            Self::PlainAnswered => tried(Variation::NoUpgrade, &|trial| {
                trial.status().is_some() && status.is_none()
            }),
            Self::PlainUnanswered => tried(Variation::NoUpgrade, &|trial| {
                reached(trial) && trial.status().is_none()
            }),
            Self::Headless => super::said::headless(facts.first_bytes)
                .map(|(_, text)| format!("the answer begins with \"{text}\"")),
            Self::HeadlessMissing => {
                let (status, _) = super::said::headless(facts.first_bytes)?;
                Self::Headless.seen(facts).filter(|_| status == Some(404))
            }
            Self::PlainHttp2 => tried(Variation::Preface, &|_| true).filter(|_| !answers_http1(facts)),
            Self::OriginUnnamed => {
                let same = Self::Same(Variation::OwnOrigin).seen(facts).filter(|_| Self::Same(Variation::NoOrigin).seen(facts).is_none())?;
                let text = super::said::words(facts.body);
                let named = super::said::subject(&text).is_some_and(|(subject, _)| subject == Subject::Origin);
                (!named).then_some(same)
            }
            Self::Grpc => {
                let kind = header("Content-Type")?;
                kind.starts_with("application/grpc").then(|| format!("Content-Type: {kind}"))
            }
            Self::AllDropped => {
                let plain = Self::PlainUnanswered.seen(facts)?;
                let other = trial(Variation::OtherPath)?;
                let dropped = matches!(other.outcome, TrialOutcome::Nothing(_));
                (dropped && Self::SpeaksHttp.seen(facts).is_some()).then(|| format!("{plain}; {other}"))
            }
            Self::ProxyBlocks => {
                let to = Self::ProxyRedirects.seen(facts)?;
                let words = ["block*", "denied", "deny", "forbidden", "filter*", "blacklist*", "policy"];
                words.iter().any(|word| super::said::says(&to, word)).then_some(to)
            }
            Self::ProxyRedirects => {
                let answer = facts.proxy?.answer?;
                let code = answer.status_line()?.code;
                let to = answer.get("Location").map(|to| String::from_utf8_lossy(to).into_owned())?;
                matches!(code, 300..=399).then(|| format!("it answered {code}, Location: {to}"))
            }
            Self::OtherPathAnswered => {
                // If this path gets no answer at all, even an end at the other path is an answer.
                let silent = facts.unanswered.is_some_and(|end| end.how == StreamEnd::Timeout);
                tried(Variation::OtherPath, &|trial| {
                    trial.status().is_some() && status.is_none()
                        || silent && matches!(trial.outcome, TrialOutcome::Nothing(_))
                })
            }
            Self::GaveUp => {
                let unanswered = facts.unanswered?;
                let late = unanswered.after >= SILENCE && unanswered.how != StreamEnd::Timeout;
                late.then(|| format!("it ended the connection after {:.1} s", unanswered.after.as_secs_f64()))
            }
            Self::OtherPathSilent => tried(Variation::OtherPath, &|trial| {
                matches!(trial.outcome, TrialOutcome::Silence(_))
            }),
            Self::OtherSchemeAnswers => tried(Variation::OtherScheme, &Trial::is_spoken),
            Self::OtherSchemeFails => {
                tried(Variation::OtherScheme, &|trial| reached(trial) && !trial.is_spoken())
            }
            Self::OtherSchemeSilent => tried(Variation::OtherScheme, &|trial| {
                matches!(trial.outcome, TrialOutcome::Silence(_))
            })
            .filter(|_| Self::NotSecure.seen(facts).is_some()),
            Self::Loopback => {
                let near = facts.dials.iter().find(|dial| dial.address.ip().is_loopback())?;
                Some(format!("{} is this machine", near.address))
            }
            Self::OtherFamilyListens => {
                tried(Variation::OtherFamily, &|trial| trial.outcome == TrialOutcome::Opened)
            }
            Self::OtherFamilyTaken => tried(Variation::OtherFamily, &|trial| {
                reached(trial) && trial.outcome != TrialOutcome::Opened
            }),
            Self::OwnAddress => facts
                .redirected
                .then(|| "--resolve or --connect-to leads there".to_owned()),
            Self::OwnName => facts.tls.own_name.map(str::to_owned),
            Self::OwnAlpn => facts.tls.own_alpn.map(str::to_owned),
            Self::OwnRoots => {
                facts.tls.own_roots.then(|| "an option of this run gives the roots".to_owned())
            }
            Self::OnlyHttp2 => {
                let other = facts.tls.alpn.is_none() && !answers_http1(facts);
                tried(Variation::OnlyHttp2, &|trial| trial.agrees() && other)
            }
            Self::NoNameHelps => tried(Variation::NoName, &Trial::agrees),
            Self::Status => status.map(|status| format!("the status is {status}")),
            Self::UrlIsSecure => url?.is_secure().then(|| "the URL asks for TLS".to_owned()),
            Self::NotSecure => (!url?.is_secure()).then(|| "the URL asks for no TLS".to_owned()),
            Self::Alert(number) => (facts.tls.fault == Some(TlsFault::Alert(number)))
                .then(|| format!("the alert's number is {number}")),
            Self::TlsPort => {
                let port = url?.port();
                matches!(port, 443 | 8443).then(|| format!("{port} is a usual port of TLS"))
            }
            Self::SelfSigned => {
                let shown = facts.tls.fault == Some(TlsFault::Issuer { is_own: true });
                let subject = facts.tls.certificate.map(|c| (&c.subject, c.subject == c.issuer));
                match subject {
                    Some((subject, true)) => Some(format!("its subject and issuer are {subject}")),
                    Some((_, false)) => None,
                    None => shown.then(|| "its issuer is its subject".to_owned()),
                }
            }
            Self::IssuerIntercepts => {
                let issuer = &facts.tls.certificate?.issuer;
                let name = issuer.to_ascii_lowercase();
                let known = INTERCEPTORS.iter().any(|word| name.contains(word));
                known.then(|| format!("the certificate's issuer is {issuer}"))
            }
            Self::IssuerElsewhere => {
                let certificate = facts.tls.certificate?;
                lone_issuer(facts).filter(|_| certificate.names_issuer)
            }
            Self::IssuerLacking => lone_issuer(facts).filter(|_| facts.tls.own_roots),
            Self::IssuerUnsent => {
                let certificate = facts.tls.certificate?;
                let first = facts.tls.chain.first()?;
                let sent = facts.tls.chain.iter().any(|one| one.subject == certificate.issuer);
                let own = certificate.issuer == certificate.subject;
                (!sent && !own).then(|| format!(
                    "the issuer is {}, and the certificate beside it is that of {}",
                    certificate.issuer, first.subject))
            }
            Self::RootSent => {
                let root = facts.tls.chain.iter().find(|one| one.subject == one.issuer)?;
                Some(format!("the server sent the root {}", root.subject))
            }
            Self::DefaultCertificate => {
                let subject = &facts.tls.certificate?.subject;
                let lower = subject.to_ascii_lowercase();
                let known = ["default cert", "fake certificate"].iter().any(|name| lower.contains(name));
                known.then(|| format!("its subject is {subject}"))
            }
            Self::Wildcard => {
                let host = facts.tls.name.or(url.map(|url| url.host))?.to_ascii_lowercase();
                let near = |name: &&String| {
                    let Some(domain) = name.strip_prefix("*.") else { return false };
                    let domain = domain.to_ascii_lowercase();
                    let labels = host.strip_suffix(&domain).and_then(|rest| rest.strip_suffix('.'));
                    host == domain || labels.is_some_and(|labels| labels.contains('.'))
                };
                let name = facts.tls.certificate?.names.iter().find(near)?;
                Some(format!("it lists {name}, and the name is {host}"))
            }
            Self::IssuerDates => {
                let Some(TlsFault::Dates { .. }) = facts.tls.fault else { return None };
                let now = facts.tls.now?;
                if !is_valid(facts.tls.certificate?, now) {
                    return None;
                }
                let other = facts.tls.chain.iter().find(|one| !is_valid(one, now));
                Some(match other {
                    Some(one) => format!(
                        "{} is valid from {} to {}", one.subject, one.not_before, one.not_after),
                    None => "all certificates that the server sent are valid".to_owned(),
                })
            }
            Self::VersionsLimited => facts.tls.own_versions.map(str::to_owned),
            Self::ProxyIsServer => {
                let answer = facts.proxy?.answer?;
                let code = answer.status_line()?.code;
                let server = String::from_utf8_lossy(answer.get("Server")?).into_owned();
                let web = ["nginx", "apache", "caddy", "lighttpd", "iis", "express", "openresty"];
                let named = web.iter().any(|name| contains_word(server.as_bytes(), name));
                (named && matches!(code, 400 | 404 | 405 | 501)).then(|| format!("it answered {code}, Server: {server}"))
            }
            Self::ProxyIsSocks => {
                let reason = facts.proxy?.answer?.status_line()?.reason;
                let texts = [String::from_utf8_lossy(reason).into_owned(), super::said::words(facts.body)];
                let names = ["not an http proxy", "socks", "socks4", "socks5"];
                let name = names.iter().find(|name| texts.iter().any(|text| super::said::says(text, name)))?;
                Some(format!("its answer has the words {name:?}"))
            }
            Self::Tunnelled => {
                let proxy = facts.proxy?;
                let open = proxy.answer.is_none_or(|head| {
                    head.status_line().is_some_and(|line| matches!(line.code, 200..=299))
                });
                (open && proxy.fault.is_none())
                    .then(|| format!("the connection goes through {}", proxy.address))
            }
            Self::NotYetValid => (facts.tls.fault == Some(TlsFault::Dates { early: true }))
                .then(|| "its first date is in the future".to_owned()),
            Self::HasNames => {
                let names = &facts.tls.certificate?.names;
                (!names.is_empty()).then(|| format!("it lists {}", names.join(", ")))
            }
            Self::NoNames => {
                let certificate = facts.tls.certificate?;
                certificate.names.is_empty().then(|| {
                    format!("it has no subjectAltName; its subject is {}", certificate.subject)
                })
            }
            Self::CertificateAsked => {
                let unsent = facts.tls.asked && !facts.tls.own_certificate;
                (unsent || facts.tls.fault == Some(TlsFault::CertificateWanted))
                    .then(|| "the server asked for one".to_owned())
            }
            Self::Host(name) => {
                let host = url?.host.to_ascii_lowercase();
                let fits = host == name || (name.starts_with('.') && host.ends_with(name));
                fits.then(|| format!("the name is {host}"))
            }
            Self::Unspecified => {
                let dial = facts.dials.iter().find(|dial| dial.address.ip().is_unspecified())?;
                let named = address(url?.host).is_none();
                named.then(|| format!("{} was dialled", dial.address))
            }
            Self::OldDraft => ["WebSocket-Origin", "WebSocket-Location", "Sec-WebSocket-Location"]
                .into_iter()
                .find(|name| header(name).is_some())
                .map(|name| format!("the 101 has {name}")),
            Self::LinkExpired => super::request_part::expired_link(facts),
            Self::LinkLocal => {
                let host = url?.host.trim_matches(['[', ']']);
                let local = host.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_unicast_link_local());
                local.then(|| format!("{host} has no zone"))
            }
            Self::HostIsAddress => {
                let host = url?.host;
                address(host).map(|_| format!("{} is an address", host.trim_matches(['[', ']'])))
            }
            Self::AddressAsName => {
                let host = url?.host.trim_matches(['[', ']']);
                let names = &facts.tls.certificate?.names;
                let listed = address(host).is_some() && names.iter().any(|name| name == host);
                listed.then(|| format!("it lists {}", names.join(", ")))
            }
            Self::AfterOurMessage => {
                // If the server answered earlier messages for some time, our last one was not its
                // reason.
                let steady = facts.stream.messages > 1
                    && facts.end.is_some_and(|end| end.lifetime >= SILENCE);
                // A server usually sends a message because the client asked for it.
                (facts.stream.ended_on_ours && !steady && facts.role == Role::Client)
                    .then(|| "the last traffic was a message from this side".to_owned())
            }
            Self::PingInsideCompressed => facts.stream.ping_inside_compressed.then(|| {
                "the last message was compressed and fragmented, with a control frame between its frames".to_owned()
            }),
            Self::IllegalSent => facts
                .stream
                .illegal_sent
                .map(|rule| format!("this side sent a frame that breaks a rule: {rule}")),
            Self::BytesSent => {
                let stream = &facts.stream;
                (stream.bytes_sent && stream.illegal_sent.is_none())
                    .then(|| "raw bytes were sent".to_owned())
            }
            Self::Stalled => facts
                .stalled
                .map(|time| format!("stdout was blocked for {:.1} s", time.as_secs_f64())),
            Self::Hop(word) => ["Server", "Via", "CF-Ray", "x-amzn-requestid", "x-amzn-ErrorType", "X-Powered-By"]
                .into_iter()
                .find_map(|name| {
                    let value = header(name)?;
                    let line = format!("{name}: {value}");
                    contains_word(line.as_bytes(), word).then_some(line)
                }),
            Self::Idle(seconds) => {
                let end = facts.end?;
                is_near(end.idle, seconds).then(|| format!("the connection was idle for {seconds} s"))
            }
            Self::IdleAt(seconds, word) => {
                let hop = Self::Hop(word).seen(facts)?;
                let idle = Self::Idle(seconds).seen(facts)?;
                Some(format!("{idle}; {hop}"))
            }
            Self::Lived(seconds) => {
                let end = facts.end?;
                is_near(end.lifetime, seconds).then(|| format!("the connection was open for {seconds} s"))
            }
        }
    }
}

/// Whether a trial reached the server.
fn reached(trial: &Trial) -> bool {
    !matches!(trial.outcome, TrialOutcome::Unreached(_))
}

/// Whether a trial in HTTP/1.1 got an answer, though the upgrade got none.
fn answers_http1(facts: &Facts<'_>) -> bool {
    [Clue::PlainAnswered, Clue::OtherPathAnswered, Clue::NoSubprotocolHelps, Clue::SpeaksHttp]
        .iter()
        .any(|clue| clue.seen(facts).is_some())
}

/// The word in a path that names a protocol, and its subprotocols.
fn subprotocols_of(path: &str) -> Option<(&'static str, &'static [&'static str])> {
    let path = path.to_ascii_lowercase();
    // The word begins there: "/swamp" and "/gossip" name no protocol.
    let begins = |word: &str| {
        path.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part.starts_with(word))
    };
    SUBPROTOCOLS.into_iter().find(|(word, _)| begins(word))
}

/// The word in a path that names a protocol which needs a subprotocol, and the usual one.
pub(super) fn required_subprotocol(path: &str) -> Option<(&'static str, &'static str)> {
    let (word, names) = subprotocols_of(path)?;
    (!MAYBE_WITHOUT.contains(&word)).then_some((word, *names.first()?))
}

/// The subprotocols that a path suggests.
pub fn suggested_subprotocols(path: &str) -> &'static [&'static str] {
    subprotocols_of(path).map_or(&[], |(_, names)| names)
}

/// Names the issuer of the only certificate that the server sent.
fn lone_issuer(facts: &Facts<'_>) -> Option<String> {
    let certificate = facts.tls.certificate?;
    let lone = facts.tls.chain.is_empty() && certificate.issuer != certificate.subject;
    lone.then(|| {
        let issuer = &certificate.issuer;
        format!("the server sent one certificate, but not that of its issuer {issuer}")
    })
}

/// Whether a time is within the dates of a certificate. Times are RFC 3339 in UTC.
pub(super) fn is_valid(certificate: &CertificateFacts, now: &str) -> bool {
    let seconds = |time: &str| time.get(..19).unwrap_or(time).to_owned();
    let now = seconds(now);
    seconds(&certificate.not_before) <= now && now <= seconds(&certificate.not_after)
}

/// The error number in an answer that Cloudflare itself wrote. The whole body is `error code:
/// NUMBER`, or the page marks the number.
fn cloudflare(facts: &Facts<'_>) -> Option<u16> {
    let server = facts.response?.get("Server")?;
    if !server.eq_ignore_ascii_case(b"cloudflare") {
        return None;
    }
    let body = String::from_utf8_lossy(facts.body);
    let marked = || body.split_once("cf-error-code\">")?.1.split('<').next();
    if let Some(number) = body.trim().strip_prefix("error code: ").or_else(marked) {
        return number.parse().ok();
    }
    // The heading of the page has the number: `Error 1033`.
    let page = super::said::page_text(facts.body)?.to_ascii_lowercase();
    let mut numbers = page.split("error ").skip(1).filter_map(|rest| rest.split(' ').next());
    numbers.find_map(|number| number.parse().ok())
}

/// The status and the head of an error that a device on the path may have written: without TLS, and
/// without a configured proxy. With TLS, the answer is the server's.
fn interceptable<'a>(facts: &Facts<'a>) -> Option<(u16, &'a Head)> {
    let head = facts.response?;
    let code = head.status_line()?.code;
    let plain = facts.url.is_some_and(|url| !Url::of(url).is_secure());
    (plain && facts.proxy.is_none() && code >= 400).then_some((code, head))
}

/// The text by which a filter or a proxy shows that it wrote the answer itself.
fn interceptor(facts: &Facts<'_>) -> Option<String> {
    let (code, head) = interceptable(facts)?;
    if code == 511 {
        return Some("the status is 511, which only a network's own proxy sends".to_owned());
    }
    shown(head, "X-Squid-Error").or_else(|| filter_page(facts, &FILTER_PAGES))
}

/// A word that suggests a filter or a proxy. Servers and their own proxies may use it, too.
fn maybe_interceptor(facts: &Facts<'_>) -> Option<String> {
    let (code, head) = interceptable(facts)?;
    if code == 407 {
        return Some("the status is 407, but no proxy was requested".to_owned());
    }
    let server = head.get("Server").unwrap_or_default();
    let named = FORWARD_NAMES.iter().any(|name| contains_word(server, name));
    let named = if named { shown(head, "Server") } else { None };
    named.or_else(|| filter_page(facts, &FILTER_WORDS))
}

/// The first of these words in an HTML page.
fn filter_page(facts: &Facts<'_>, words: &[&str]) -> Option<String> {
    let text = super::said::page_text(facts.body).filter(|_| facts.body.len() < FILTER_PAGE)?;
    let word = words.iter().find(|word| contains_word(text.as_bytes(), word))?;
    Some(format!("the page has the words {word:?}, as filters and proxies of networks write"))
}

/// The header that names a usual forward proxy. The server may also use such a program.
fn forward_proxied(facts: &Facts<'_>) -> Option<String> {
    let (_, head) = interceptable(facts)?;
    ["Via", "X-Cache", "X-Cache-Lookup"].into_iter().find_map(|name| {
        let value = head.get(name)?;
        let known = FORWARD_NAMES.iter().any(|name| contains_word(value, name));
        known.then(|| shown(head, name)).flatten()
    })
}

/// A header and its value.
fn shown(head: &Head, name: &'static str) -> Option<String> {
    head.get(name).map(|value| format!("{name}: {}", String::from_utf8_lossy(value)))
}

fn sent<'a>(facts: &Facts<'a>, name: &'static str) -> Option<&'a [u8]> {
    facts.request?.get(name)
}

/// Parts of the request that look like credentials, in addition to Authorization and Cookie. The
/// values are secret.
fn secret_sent(facts: &Facts<'_>) -> Option<String> {
    let request = facts.request?;
    let names = request.headers().map(|field| String::from_utf8_lossy(field.name).into_owned());
    let known = ["authorization", "cookie", "proxy-authorization"];
    let other = |name: &String| !known.contains(&name.to_ascii_lowercase().as_str());
    let mut named = names.filter(|name| is_secret(name) && other(name));
    if let Some(name) = named.next() {
        return Some(format!("a {name} header was sent"));
    }
    let query = facts.url.map(|url| Url::of(url).query).unwrap_or_default();
    let name = |pair: &'_ str| pair.split_once('=').map(|(name, _)| name.to_owned());
    let mut parameters = query.trim_start_matches('?').split('&').filter_map(name);
    if let Some(name) = parameters.find(|name| is_secret(name)) {
        return Some(format!("the parameter {name} was sent"));
    }
    let mut offered = request.tokens("Sec-WebSocket-Protocol");
    let secret = offered.any(|name| is_secret(&String::from_utf8_lossy(name)));
    secret.then(|| "a subprotocol that carries credentials was offered".to_owned())
}

/// Whether this side's last message got no answer. An early end also counts, because the peer may
/// have sent its messages before.
fn after_ours(facts: &Facts<'_>) -> bool {
    facts.stream.ended_on_ours || facts.end.is_some_and(|end| end.last < SILENCE)
}

/// The reason in the answer to a plain GET, if the answer to the upgrade has none.
pub(super) fn plain_told(facts: &Facts<'_>) -> Option<String> {
    use super::said::{says, subject, telling};
    let trial = facts.trial(Variation::NoUpgrade)?;
    let told = telling(trial.body()?, trial.status()?)?;
    let bare = telling(facts.body, facts.status().unwrap_or_default()).is_none();
    // A WebSocket server may answer a plain GET with a request for an upgrade.
    let handshake = [Subject::Upgrade, Subject::Method, Subject::Version, Subject::Key];
    // An upgrade has neither another method nor a body.
    let of_http = told.contains("POST") || GRAPHQL.iter().any(|words| says(&told, words));
    let known = !matches!(trial.status(), Some(200..=399 | 404 | 405 | 426 | 501))
        && !of_http
        && !subject(&told).is_some_and(|(about, _)| handshake.contains(&about));
    (bare && known).then_some(told)
}

/// The sentence of a body that says that this version is not supported: right after the word
/// "version" comes the number, and before it, or after the number, the refusal.
fn quotes_version(body: &[u8], version: &str) -> Option<String> {
    let text = super::said::words(body);
    let lower = text.to_ascii_lowercase();
    let (before, rest) = lower.split_once("version")?;
    let number = rest.trim_start_matches(|c: char| " :='\"`([".contains(c));
    let after = number.strip_prefix(version).filter(|rest| !rest.starts_with(char::is_numeric))?;
    let refused = ["unsupported", "not support", "unknown", "invalid", "bad", "illegal"];
    let wants = ["must", "expect", "require", "need", "only", "missing"];
    let says = |words: &[&str], text: &str| words.iter().any(|word| text.contains(word));
    let refuses = says(&refused, before) || says(&["not support", "unsupported"], after);
    (refuses && !says(&wants, &lower)).then(|| text.trim().chars().take(80).collect())
}

/// No usual idle timeout is shorter than this.
const LEAST_IDLE: std::time::Duration = std::time::Duration::from_millis(1900);

/// The time from our ping to the end, if the ping met the end.
pub(super) fn at_ping(facts: &Facts<'_>) -> Option<std::time::Duration> {
    let round_trip = facts.response_after.unwrap_or_default();
    let after = facts.stream.after_ping.filter(|_| facts.role == Role::Client)?;
    (after <= AT_PING + round_trip).then_some(after)
}

/// Whether the trials prove that the server ends sessions because of a ping; `Some(false)` if they
/// rule it out, and `None` if they are too few.
pub(super) fn ends_on_pings(facts: &Facts<'_>) -> Option<bool> {
    let of = |variation| facts.trials.iter().filter(move |trial| trial.variation == variation);
    let refuted = of(Variation::Again).any(|trial| trial.outcome != TrialOutcome::Stayed)
        || of(Variation::Pinged).any(|trial| !matches!(trial.outcome, TrialOutcome::Ended(_)));
    let twice = of(Variation::Again).count() > 1 && of(Variation::Pinged).count() > 1;
    if refuted { Some(false) } else { twice.then_some(true) }
}

/// An end this soon after our ping, besides the time on the way, is the peer's answer to it.
const AT_PING: std::time::Duration = std::time::Duration::from_millis(50);

/// The least time between a heartbeat and an end that it caused.
const BEAT: std::time::Duration = std::time::Duration::from_millis(300);

/// A complaint in a message right before the end.
pub(super) struct Complaint<'a> {
    /// How surely it is a complaint.
    pub grievance: Grievance,
    /// The beginning of the message.
    pub text: &'a [u8],
    /// It is the last message. Otherwise, it came shortly before the last one.
    pub is_last: bool,
    /// Only heartbeats came after it.
    pub is_said_last: bool,
    /// The time since then.
    pub quiet: Duration,
    /// The text of the protocol inside for it.
    pub read: Option<String>,
}

impl Complaint<'_> {
    /// Whether it may be the first cause. A single word may mean anything.
    pub fn leads(&self) -> bool {
        self.grievance >= Grievance::Shouted
    }

    /// When the end came, for example `the Close came right after it`.
    pub fn when(&self, end: &str) -> String {
        match self.quiet {
            quiet if quiet >= SILENCE => {
                format!("{end} came {:.1} s after it", quiet.as_secs_f64())
            }
            _ if self.is_last => format!("{end} came right after it"),
            _ => format!("{end} came right after them"),
        }
    }

    /// For example `its last message is …`.
    pub fn shown(&self) -> String {
        if let Some(read) = &self.read {
            return read.clone();
        }
        let which = match (self.is_last, self.is_said_last) {
            (true, _) => "its last message",
            (false, true) => "its last message besides heartbeats",
            (false, false) => "the message before its last",
        };
        format!("{which} is {}", super::heard::shown(self.text))
    }
}

/// The complaint in a message right before the end, if there is one. Heartbeats after it hide
/// nothing. A refusal by the protocol inside is not forgotten after a silence.
pub(super) fn complained<'a>(facts: &Facts<'a>) -> Option<Complaint<'a>> {
    use super::heard::{complains, is_goodbye};
    let last = facts.stream.heard.as_ref()?;
    // A message that we sent right after the opening did not wait for the peer's message.
    let early = facts.end.is_some_and(|end| end.last < SILENCE);
    if (last.answered && !early) || super::heard::is_echo(facts) {
        return None;
    }
    let protocol = inner(facts);
    let talk = Dialogue::of(facts, protocol.as_ref());
    let (heard, is_passed) = talk.said_last(facts)?;
    let open = !heard.answered || early;
    let soon = heard.quiet < SILENCE && open;
    let of = |text: &'a [u8], is_last, grievance, read| {
        let (said, quiet) = (std::ptr::eq(text, heard.content), heard.quiet);
        let is_last = is_last && !is_passed;
        Complaint { grievance, text, is_last, is_said_last: said, quiet, read }
    };
    let refusal = protocol.and_then(|one| Some((one.title, one.is_named, one.refusal?)));
    let refusal = refusal.filter(|(_, is_named, _)| soon || *is_named && open);
    if let Some((title, is_named, (refusal, is_last))) = refusal {
        let text = if is_last { heard.content } else { heard.before };
        let read = Some(format!("the peer refuses, in {title}: {refusal}"));
        let grievance = if is_named { Grievance::Refusal } else { Grievance::Marked };
        return Some(of(text, is_last, grievance, read));
    }
    let sockjs = facts.stream.message.is_some_and(|(_, first)| first == b"o");
    let judged = |text: &'a [u8], is_last| {
        // SockJS closes with 1000 or 3000 if nothing is wrong.
        let left = text.starts_with(b"c[1000,") || text.starts_with(b"c[3000,");
        let closed = sockjs && text.starts_with(b"c[") && !left;
        let grievance = if closed { Some(Grievance::Marked) } else { complains(text) };
        Some(of(text, is_last, grievance?, None))
    };
    let marked = |one: &Complaint<'_>| one.grievance >= Grievance::Marked;
    let last_quiet = last.quiet;
    let last = judged(heard.content, true).filter(|one| soon && (!is_passed || marked(one)));
    let goodbye = || is_goodbye(heard.content).then(|| judged(heard.before, false)).flatten();
    let error = || talk.error_before_last().and_then(|text| judged(text, false)).filter(marked);
    let refused = || {
        let (text, refusal) = talk.last_refusal().filter(|_| facts.role == Role::Client)?;
        let read = Some(format!("our request failed: {refusal}"));
        Some(of(text, false, Grievance::Marked, read))
    };
    if last_quiet >= SILENCE {
        return refused();
    }
    // A single word may mean anything, but the protocol inside knows its errors.
    match last {
        Some(last) if last.leads() => Some(last),
        word => goodbye().or_else(error).or_else(refused).or(word),
    }
}

/// Idle timers that are as short as this are rare.
const SHORTEST_TIMER: Duration = Duration::from_secs(10);

/// Ages at which proxies and services end connections, and lifetimes of tokens, in seconds.
const AGES: [u64; 18] =
    [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600, 900, 1200, 1800, 3600, 7200];

/// Whether an age is one at which proxies and services end connections.
pub(super) fn is_round_age(age: Duration) -> bool {
    let is_near = |wanted: &u64| {
        let wanted = Duration::from_secs(*wanted);
        age.abs_diff(wanted) <= (wanted / 50).min(SILENCE)
    };
    AGES.iter().any(is_near)
}

/// The message by which the server announced its end, unasked: the last one, or the one before a
/// goodbye.
pub(super) fn announced(facts: &Facts<'_>) -> Option<String> {
    use super::heard::{NOTICE, is_goodbye, shown};
    let soon = facts.stream.heard.is_some_and(|heard| heard.quiet.as_secs() < NOTICE);
    let talk = Dialogue::of(facts, inner(facts).as_ref());
    let mut theirs = talk.theirs.iter().rev().filter(|_| soon && facts.role == Role::Client);
    let (last, before) = (theirs.next()?, theirs.next());
    let announces = |one: &PeerMessage<'_>| one.part == PeerPart::Announcement;
    if announces(last) {
        return Some(format!("its last message is {}", shown(last.content)));
    }
    let before = before.filter(|one| is_goodbye(last.content) && announces(one))?;
    Some(format!("the message before its last is {}", shown(before.content)))
}

/// How our last message asked for the end, unless the peer complained. Usually, the protocol inside
/// shows it. A word in a text counts only if the Close says that everything is done.
fn farewell(facts: &Facts<'_>) -> Option<String> {
    let mut ours = facts.stream.kept.iter().rev().filter(|message| message.ours);
    let last = ours.next().filter(|_| after_ours(facts))?;
    if complained(facts).is_some_and(|complaint| complaint.leads()) {
        return None;
    }
    let done = facts.close.received.is_some_and(|body| matches!(body.code, None | Some(1000)));
    let bare = done && super::heard::is_goodbye(last.content) && !last.content.is_empty();
    let bare = || bare.then(|| super::heard::shown(last.content));
    let asks = inner(facts).and_then(|inner| inner.farewell).or_else(bare)?;
    Some(format!("the last message sent asks for the end: {asks}"))
}

/// The unanswered heartbeat: it was the peer's last message, this side sent nothing after it, and
/// the peer ended the connection some time later.
fn beat_unanswered(facts: &Facts<'_>) -> Option<String> {
    let (heard, end) = (facts.stream.heard.as_ref()?, facts.end?);
    let engine_io = is_engine_io(facts);
    // A copy of our message is not a heartbeat.
    let echo = facts.stream.sent.is_some_and(|(_, sent)| sent == heard.content);
    let beats = |text: &[u8]| super::heard::is_heartbeat(text, engine_io) && !echo;
    let first = facts.stream.message.map(|(_, content)| content).unwrap_or_default();
    // These protocols require no answer to a heartbeat: Action Cable, whose pings have the time as
    // their message, and SockJS.
    let counts = super::sniff::contains(heard.content, b"\"message\":");
    let welcomed = super::sniff::contains(first, b"\"welcome\"") && counts;
    let one_way = welcomed || first == b"o";
    let by_peer = match end.how {
        EndKind::Fin | EndKind::Reset => facts.close.sent.is_none(),
        EndKind::Closed => facts.close.by_peer && facts.close.received.is_some(),
        EndKind::Failed => facts.is_closed_illegally(),
        _ => false,
    };
    // The Close comes some time after the heartbeat, and before our end.
    let waited = heard.quiet >= BEAT || end.quiet >= BEAT;
    let waited = waited && heard.quiet >= ping_timeout(facts).unwrap_or_default();
    let open = !heard.answered && !one_way && by_peer;
    let inner = inner(facts).filter(|_| open);
    // A known protocol says itself which of its heartbeats want an answer.
    let known = inner.as_ref().is_some_and(|inner| inner.is_named) && !engine_io;
    let beat = inner.as_ref().and_then(|inner| inner.beat(facts));
    if let Some((since, (beat, answer))) = beat {
        // An error of the peer may come between the heartbeat and the end.
        let between = end.longest_quiet >= BEAT && end.quiet < BEAT;
        let least = ping_timeout(facts).unwrap_or(BEAT);
        if waited || between || since >= least {
            return Some(format!("{beat} wants the answer {answer}, and none was sent"));
        }
    }
    let silent = open && waited;
    (silent && !known && beats(heard.content)).then(|| {
        format!(
            "{} came {:.1} s before the end, and nothing was sent after it",
            super::heard::shown(heard.content),
            heard.quiet.as_secs_f64()
        )
    })
}

fn is_engine_io(facts: &Facts<'_>) -> bool {
    facts.stream.message.is_some_and(|(_, first)| first.starts_with(b"0{\"sid\""))
}

/// How long Engine.IO waits for the answer to a heartbeat, from its first message. A tenth is
/// subtracted for tolerance.
fn ping_timeout(facts: &Facts<'_>) -> Option<std::time::Duration> {
    let (_, first) = facts.stream.message.filter(|_| is_engine_io(facts))?;
    let members = serde_json::from_slice::<serde_json::Value>(first.get(1..)?).ok()?;
    let millis = members.get("pingTimeout")?.as_u64()?;
    Some(std::time::Duration::from_millis(millis.min(3_600_000) / 10 * 9))
}

/// The words of a reason about a timeout.
const TIME_UP: &[&str] = &["timeout", "timed out", "time out"];

/// The reason of the peer's Close, if it contains one of these words. The words are in lower case;
/// spaces mark their ends.
fn reason(facts: &Facts<'_>, words: &[&str]) -> Option<String> {
    let reason = String::from_utf8_lossy(&facts.close.received?.reason);
    let lower = reason.to_ascii_lowercase();
    let tokens: Vec<_> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|t| !t.is_empty()).collect();
    let spaced = format!(" {} ", tokens.join(" "));
    let speaks = words.iter().any(|word| spaced.contains(word));
    speaks.then(|| format!("its reason is \"{reason}\""))
}

/// Words about a connection and its silence.
const OF_CONNECTION: &str = "session connection client socket websocket peer idle inactive inactivity activity \
    timeout timed time out too long for was been has is have had you your due to the a by \
    because of no data message messages received within after closed closing close seconds \
    minutes s ms sec min ping pong keepalive read write in server exceeded limit expired and";

/// Whether the reason of the peer's Close is about something other than the connection.
pub(super) fn is_qualified(facts: &Facts<'_>) -> bool {
    let reason =
        facts.close.received.map(|body| String::from_utf8_lossy(&body.reason)).unwrap_or_default();
    let lower = reason.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let known = |word: &str| OF_CONNECTION.split(' ').any(|known| known == word);
    words.any(|word| !known(word) && !word.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether a time is this number of seconds, give or take 2 %.
pub(super) fn is_near(time: std::time::Duration, seconds: u64) -> bool {
    let wanted = std::time::Duration::from_secs(seconds);
    time.abs_diff(wanted) <= wanted / 50
}

/// The header that shows a reverse proxy.
pub(super) fn proxied(head: &Head) -> Option<String> {
    if let Some(via) = head.get("Via") {
        return Some(format!("Via: {}", String::from_utf8_lossy(via)));
    }
    let server = head.get("Server")?;
    let known = PROXIES.iter().any(|name| contains_word(server, name));
    known.then(|| format!("Server: {}", String::from_utf8_lossy(server)))
}

/// The scheme of an Authorization header. The rest of the header is secret.
fn scheme(value: &[u8]) -> Option<String> {
    let word = value.split(|byte| *byte == b' ').next()?;
    let word = String::from_utf8_lossy(word).into_owned();
    ["basic", "bearer", "digest"].contains(&word.to_ascii_lowercase().as_str()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_path_names_a_protocol_only_where_it_begins() {
        assert_eq!(required_subprotocol("/api/mqtt5"), Some(("mqtt", "mqtt")));
        assert_eq!(required_subprotocol("/my-wamp"), Some(("wamp", "wamp.2.json")));
        assert_eq!(suggested_subprotocols("/swamp/gossip"), &[] as &[&str]);
    }
}
