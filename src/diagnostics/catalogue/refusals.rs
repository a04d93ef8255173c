//! W320 to W353: error statuses instead of a 101, and a 101 in an old version of HTTP.

use super::builder::{KNOWN, MEASURED, error, high, low, medium, warning};
use crate::diagnostics::diagnostic::PLAIN_TELLS;
use crate::diagnostics::facts::Variation as V;
use crate::diagnostics::{CatalogueEntry, Clue as C, Family, LikelyCause};

/// The possible causes if a plain GET succeeds and the upgrade is refused.
const SERVES: &str = "the path serves plain HTTP, and no WebSocket, or one that its application refused: credentials, the Origin, a parameter";
const HANDLER: &str = "the path serves plain HTTP, and the server has a handler of upgrades: its application refused, for credentials, the Origin, a parameter or the path";

/// The cause if the library ws answers, which serves one path.
const WS_PATH: &str = "the path that reaches the server is not that of its WebSocket: wrong in the URL, or rewritten by a proxy";

/// The cause if the query lacks the parameters of Engine.IO.
const QUERY: &str = "the query lacks `EIO=4&transport=websocket`, which Socket.IO requires";
const ASK_ENGINE_IO: &str =
    "set `?EIO=4&transport=websocket` in the URL; a proxy must forward the query";
const FIND: &str = "check the path; if it is right, compare headers, query and cookies with those of a client that works";

/// The help if another answer contains the server's reason.
pub(super) const AS_TOLD: &str = "do as that answer says";

/// The help for a server that accepts only the hosts of a list.
const NAME_HOST: &str = "send a Host that the server accepts, `--host NAME`, or add this one to its list: `allowedHosts` in vite and webpack, ALLOWED_HOSTS in Django";

/// The cause if a subprotocol that was not offered changes the answer.
const NOT_OFFERED: &str = "the one that it wants was not offered";

/// The help for it; a name takes the place of the last word.
pub(super) const OFFER: &str = "offer it: `-s NAME`";

/// The cause of an error that only the application's log explains.
const RAISED: &str = "an exception in the application: its handler lacks what it needs (a subprotocol, a header, a service behind it), or it has no route for this path";

/// The cause if the answer names the unknown path.
const NO_ROUTE: &str =
    "the router that answers, of the application or of a gateway, has no route for this path";

/// The cause if a proxy is in front and the server answers the upgrade as a plain GET.
const LOST: &str = "a proxy forwards without Upgrade and Connection, or the application has no WebSocket support, as under WSGI, or has it switched off: it saw a plain GET";
const PASS_UPGRADE: &str = "make the proxy pass the upgrade, in nginx `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";`; then check the path";

/// The same if the path is the first suspect.
const CHECK_PATH_AND_UPGRADE: &str = "check the path, in the URL and as the proxy rewrites it; if it is right, make the proxy pass the upgrade, in nginx `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";`";

/// The help if the proxy also changes the path.
const PASS_UPGRADE_AND_PATH: &str = "make the proxy pass the upgrade, in nginx `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";`, in Apache `ProxyPass … upgrade=websocket`; then compare the paths: in nginx that of `location` with that of `proxy_pass`, in Apache the two of `ProxyPass`";

/// The same if the changed path is the first suspect.
const PATH_AND_PASS_UPGRADE: &str = "compare the paths: in nginx that of `location` with that of `proxy_pass`, in Apache the two of `ProxyPass`; then make the proxy pass the upgrade, in nginx `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";`, in Apache `ProxyPass … upgrade=websocket`";

/// The cause if the program that answers knows neither this path nor others.
const WRONG_PATH: &str = "a wrong path, in the URL or rewritten by a proxy";

/// The same behind a proxy, which may also have the wrong rule for the path.
const ROUTED_WRONGLY: &str = "a wrong path, in the URL or rewritten by a proxy, or a rule of the proxy leads to another server than that of the WebSocket";

/// The same if the program may also have got a plain request, or serves only those.
const ANY_MISSING: &str = "a wrong path, in the URL or rewritten by a proxy, a program without WebSocket, or Upgrade and Connection were lost on the way";

/// The cause if the answer names another path.
const REWRITES: &str =
    "a proxy or the server rewrites the path, and there is no WebSocket at the new one";

/// The cause if a parameter of the URL is a time that has passed.
const LINK_EXPIRED: &str = "the URL was valid until a time that has passed";

/// The help for it.
const NEW_LINK: &str = "get a new URL from where this one came; if it is new, compare the clocks of this machine and of its issuer";

/// The cause if the server asked for a client certificate.
const CERTIFICATE_LACKS: &str =
    "the server asked for a client certificate in the TLS handshake, and none was sent";

/// The help for it.
const SEND_CERTIFICATE: &str = "send one that the server accepts: `--cert FILE --key FILE`";

/// The application read the handshake, and its own upgrade failed.
const UPGRADE_ARRIVED: C = C::All(&[C::UpgradeFailed, C::Differs(V::NoUpgrade)]);

/// The cause if a proxy that no one configured removes the headers of one hop.
const TRANSPARENT: LikelyCause =
    medium("a transparent proxy of this network removed Upgrade and Connection", C::ForwardProxied)
        .cure("use `wss://`, which it can't read, or ask it for a tunnel: `--proxy URL`");

/// The cause if the path has two slashes in a row.
const DOUBLED: LikelyCause = medium(
    "the path has a doubled slash, which many servers take for another path",
    C::DoubledSlash,
)
.unless(&[C::UpgradePasses, C::Differs(V::OtherPath)])
.cure("write the path with single slashes; then check it");

/// The cause if the answering program serves only HTTP.
pub(super) const UNABLE: LikelyCause =
    medium("the program or host that answers has no WebSocket support", C::Unable).cure(
        "run the application, or the WebSocket beside it, under a server with WebSocket support; or correct the host of the URL, or the rule of the proxy that leads there",
    );

/// The help if a rule of the server in front refuses.
const LOOK_FOR_RULE: &str = "look for the rule in the configuration of the server that answered: it may test the path, the Origin (`-o ORIGIN`), the address or the User-Agent (`-H 'User-Agent: …'`)";

/// The cause of a refusal at only one path.
const KNOWN_PATH: &str = "the server knows this path and refuses: credentials, a rule, or a handler that has no WebSocket";
const LOOK: &str = "look at the configuration of the server for this path, and at its log";

/// The possible causes if credentials were sent and refused.
const REFUSED: &str = "the credentials sent are wrong, expired, or for another audience, or a proxy on the way removed them";

/// The possible causes if a gateway can't reach the server behind it.
const DOWN_OR_TLS: &str = "the application is down or on another port, does not speak HTTP there, or only one of proxy and application uses TLS, or the proxy does not trust the application's certificate";

/// The page of OpenShift's router.
const OPENSHIFT: C = C::Body("the application is currently not serving requests at this endpoint");

/// Django's page for a suspicious request.
const SUSPICIOUS: C = C::Body("<h1>bad request (400)</h1><p></p>");

/// The possible causes if a service of AWS refuses without words.
const UNSIGNED: &str = "the request is not signed, or its identity has no permission (a policy of IAM or IoT); a Lambda function URL has no WebSocket at all";

/// The text of aiohttp for a bad request. For a lost upgrade, aiohttp has another text.
const AIOHTTP: C = C::WholeBody("400: bad request");

/// The possible causes if every request gets the same JSON answer.
const REFUSES_ALL: &str = "the application refuses every request alike: credentials, the Origin, a header or a parameter that all of it needs";
const COMPARE: &str = "compare headers, query and cookies with those of a client that works";

/// The cause of a 502 if a handler of WebSockets answers a plain GET.
const HANDLER_BEHIND: &str = "the program behind the gateway dropped the upgrade, as some do that refuse it, or its handler failed on it";

/// The help if an HTTP server answers the upgrade without a head.
const PATH_BEFORE_PORT: &str =
    "check the path, and that the server has a handler of WebSockets there; only then the port";

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    error("W320", "the upgrade did not reach the handler that answered")
        .because("our request asked for an upgrade, but the server answered as if headers of the handshake were missing")
        .help("if a proxy is in front, make it forward the handshake headers; otherwise run the application under a server with WebSocket support; in nginx: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";`")
        .source("measured on nginx, gorilla/websocket and Engine.IO; nginx and haproxy documentation")
        .causes(&[
            medium("the application read the upgrade and could not complete it: it has no handler of WebSockets, or something answered the request before", UPGRADE_ARRIVED)
                .cure("read the application's log; check that a handler of WebSockets is set, and that no other one answers the request"),
            TRANSPARENT,
            medium("Upgrade arrived with another value, as `websocket, websocket` where two proxies each add it", C::WholeBody("invalid upgrade header"))
                .cure("set Upgrade in one proxy only, to what the client sent; in nginx: `proxy_set_header Upgrade $http_upgrade;`"),
            medium("a reverse proxy forwards without Upgrade and Connection, which are hop-by-hop headers", C::PlainSameBehindProxy).unless(&[C::ForwardProxied]),
            medium("a reverse proxy forwards without Upgrade and Connection, which are hop-by-hop headers", C::All(&[C::PlainSame, C::ListsVersion13])),
            medium("a reverse proxy forwards without Upgrade and Connection, which are hop-by-hop headers", C::Proxied).unless(&[C::UpgradePasses, UPGRADE_ARRIVED]),
            medium("the server runs the application without WebSocket support, as a plain WSGI server does", C::Http10)
                .cure("run the application under a server with WebSocket support, or enable it in this one"),
            medium("Upgrade, Connection or Sec-WebSocket-Key was removed or changed on the path", C::ListsVersion13),
            low("a reverse or transparent proxy forwards without Upgrade and Connection").unless(&[C::Proxied, C::ListsVersion13, UPGRADE_ARRIVED]),
            low("the application could not complete the upgrade: it has no handler of WebSockets, or something answered the request before").with(C::UpgradeFailed).unless(&[UPGRADE_ARRIVED]),
            medium("the server runs the application without WebSocket support, as a plain WSGI server does", C::PlainSameBehindProxy).unless(&[C::ListsVersion13]),
            low("the server runs the application without WebSocket support, as a plain WSGI server does").unless(&[UPGRADE_ARRIVED]),
            low("the path has an HTTP handler that requires another kind of upgrade"),
        ])
        .seen("426 or 400 though version 13 was sent; an error whose body mentions Upgrade; Engine.IO's code 3 for a correct query"),
    error("W321", "the server requires another version of the protocol")
        .because("the answer names other versions than the requested one")
        .help("send version 13, or one that the server lists: `-H 'Sec-WebSocket-Version: 13'`")
        .source("RFC 6455 §4.4")
        .causes(&[
            medium("the server does not support the version that was sent: it quotes it", C::VersionQuoted)
                .cure("send a version that the server supports, `-H 'Sec-WebSocket-Version: VERSION'`, or update the server"),
            medium("the version header was changed or removed on the path", C::Proxied).unless(&[C::VersionQuoted]),
            low("the version header was changed or removed on the path").unless(&[C::VersionQuoted]),
            low("the server supports only an old draft"),
        ])
        .seen("400 or 426 whose Sec-WebSocket-Version lacks the version that was sent, or a body that mentions the version"),
    error("W322", "the server rejects a WebSocket header")
        .because("the answer names a header of the handshake as missing or invalid")
        .help("compare with what was sent: `wscope handshake URL`; a proxy may remove, rewrite or repeat the header")
        .source("measured on ws and websockets")
        .causes(&[medium("a proxy changed, removed or repeated it", C::Proxied), low("a header given with -H replaces a default one"), low("a proxy changed, removed or repeated it")])
        .seen("a 4xx whose body names a Sec-WebSocket header"),
    error("W323", "the server rejects the request")
        .because("the answer is a 4xx status without a more specific cause")
        .help("check the path and the query; ws with a path option answers 400 for every other path")
        .source("measured on ws and graphql-ws")
        .causes(&[
            low("the server has no routes for this Host, the name and port of the URL: Cowboy answers 400 then").with(C::All(&[C::Server("cowboy"), C::NoBody])).unless(&[C::All(&[C::PlainSame, C::Same(V::OtherPath)])]),
            DOUBLED,
            TRANSPARENT,
            medium("Django takes the request for suspicious, as it does one whose Host ALLOWED_HOSTS lacks", SUSPICIOUS)
                .cure("add the name to ALLOWED_HOSTS, or send one of its names: `--host NAME`; a proxy in front must forward Host"),
            medium(LOST, C::PlainSameBehindProxy).unless(&[C::ProxyPage, SUSPICIOUS, AIOHTTP, C::WsBadRequest, C::PlainRoute])
                .cure(PASS_UPGRADE),
            medium(QUERY, C::EngineIoQuery).unless(&[C::PlainSame])
                .cure(ASK_ENGINE_IO),
            medium(WS_PATH, C::WsBadRequest)
                .cure("check the path that reaches the server, in the URL and as a proxy rewrites it, against the `path` option of the WebSocket"),
            medium("the upgrade arrived at a route of HTTP: the application has no WebSocket at this path, or none at all", C::PlainRoute)
                .cure("check the path, and that the application has a WebSocket there; in Flask with flask-sock or Flask-SocketIO, under a server that supports them"),
            medium("the application refuses in Socket.IO's `allowRequest`, for the Origin, a cookie or a token: its other refusals have words", C::AllowRequest)
                .cure("check the Origin, the cookies and the query against the server's `allowRequest`"),
            medium("the server in front refused the request itself: it could not read it, or a rule or limit of it forbids it", C::ProxyOwn).unless(&[C::LongHead])
                .cure("read the log of the server that answered; check what stands in front of it, and its limits for headers"),
            medium("something in front puts bytes before the request, such as the PROXY protocol, or changes it: the server could not read it", C::BareParser).unless(&[C::AllowRequest, C::LongHead, C::Differs(V::NoUpgrade), C::Differs(V::OtherPath)])
                .cure("check what stands in front of the server, and whether that and the server agree on the PROXY protocol"),
            medium("the request's head is longer than the server accepts", C::LongHead)
                .cure("send fewer or shorter cookies and headers"),
            medium(HANDLER, C::Handwritten).unless(&[C::WsBadRequest])
                .cure(FIND),
            medium(SERVES, C::PlainServes).unless(&[C::WsBadRequest, C::PlainRoute, C::Handwritten])
                .cure(FIND),
            medium(PLAIN_TELLS, C::PlainTells).unless(&[C::ProxyPage])
                .cure(AS_TOLD),
            medium("every request is refused, whatever its path: for its Host or for a proxy in front that the server does not trust, or something in front refuses it or puts bytes before it (the PROXY protocol)", C::All(&[C::PlainSame, C::Same(V::OtherPath)])).unless(&[C::Proxied, C::ProxyOwn, C::AllSameJson, SUSPICIOUS])
                .cure("read the log of the server that answers; try the name that it is set up for, `--host NAME`; add the proxy in front to those that it trusts, in Home Assistant `trusted_proxies`"),
            medium(REFUSES_ALL, C::AllSameJson)
                .cure(COMPARE),
            medium("every upgrade is refused, whatever its path: the server was made for another one, or has its WebSocket switched off, or hands upgrades to a handler that refuses them", C::Same(V::OtherPath)).unless(&[C::All(&[C::PlainSame, C::Same(V::OtherPath)])])
                .cure("check the path, and in the server's configuration and log whether its WebSocket is on and what its handler of upgrades refuses"),
            medium("a query parameter, header or subprotocol that this path needs is missing or wrong, or Upgrade and Connection were lost on the way", C::PlainSameAtKnownPath).unless(&[C::PlainServes, C::PlainTells, C::ProxyOwn])
                .cure("compare query, headers, cookies and subprotocol with those of a client that works: this path is known; then look for a proxy on the way: `wss://` passes a transparent one"),
            medium("a query parameter, header or subprotocol that this path needs is missing or wrong", C::Differs(V::OtherPath)).unless(&[C::PlainServes, C::PlainSameAtKnownPath, C::ProxyOwn])
                .cure("compare query, headers, cookies and subprotocol with those of a client that works: this path is known"),
            medium(LOST, C::Proxied).unless(&[C::Differs(V::NoUpgrade), C::ProxyOwn, C::UpgradePasses, SUSPICIOUS, AIOHTTP, C::WsBadRequest, C::PlainRoute])
                .cure(PASS_UPGRADE),
            low("a proxy in front that the server does not trust, as Home Assistant refuses it").with(AIOHTTP).unless(&[C::Differs(V::OtherPath)])
                .cure("add the proxy in front to those that the server trusts, in Home Assistant `trusted_proxies`; otherwise check path and query"),
            low("the server does not serve this path").unless(&[C::Differs(V::OtherPath), C::Same(V::OtherPath), C::ProxyOwn, C::AllowRequest, C::WsBadRequest, C::PlainRoute]),
            low("the server does not serve this path, or a query parameter, header or subprotocol that the application needs is missing").with(C::All(&[C::PlainSame, C::Same(V::OtherPath)])).unless(&[C::ProxyOwn, C::AllowRequest, C::WsBadRequest, C::PlainRoute]),
            low("a query parameter, header or subprotocol that the application needs is missing").unless(&[C::Differs(V::OtherPath), C::ProxyOwn, C::All(&[C::PlainSame, C::Same(V::OtherPath)])]),
            low(LOST).unless(&[C::Differs(V::NoUpgrade), C::ProxyOwn, C::UpgradePasses, C::AllowRequest, SUSPICIOUS, AIOHTTP, C::WsBadRequest, C::PlainRoute]),
        ])
        .seen("a bare 400 Bad Request, or a 4xx with no entry of its own"),
    error("W324", "Engine.IO rejects the query")
        .because("a parameter of Socket.IO's transport is missing, old or wrong")
        .help("set `EIO=4&transport=websocket` and leave out `sid`")
        .source("measured on real servers; Engine.IO protocol 4")
        .causes(&[
            high("EIO is not a version that the server supports", C::Body("Unsupported protocol version")),
            high("EIO is missing, or not a version that the server supports", C::PlainEngineIo(5)),
            high("transport is missing, as where a proxy drops the query, or the server does not support it", C::PlainEngineIo(0)),
            high("sid belongs to an expired session, or to another server behind the load balancer", C::PlainEngineIo(1)),
            high("EIO is not a version that the server supports", C::Body("unsupported version of the socket.io or engine.io protocols")),
            high("sid belongs to an expired session, or to another server behind the load balancer", C::Body("Session ID unknown")),
            high("transport is missing, as where a proxy drops the query, or the server does not support it", C::Body("Transport unknown")),
        ])
        .seen("JSON with code 0 to 5, or the words Transport unknown, Session ID unknown, Unsupported protocol version")
        .more("The codes: 0 transport unknown, 1 session ID unknown, 2 bad handshake method, 3 bad request, 4 forbidden, 5 unsupported protocol version."),
    error("W325", "the request header is too large")
        .because("the server limits the size of request headers, usually to 8 or 16 KB")
        .help("send fewer or shorter cookies and tokens")
        .source("measured on real servers; RFC 6585 §5")
        .causes(&[
            high("the URL is longer than the server accepts, as by a token in the query", C::StatusIs(414))
                .cure("shorten the URL: send a long token in a header or a cookie, if the server takes it there"),
            low("there are too many cookies").unless(&[C::NoCredentials]),
            low("a long token in the URL"),
        ])
        .seen("431, or 400 with a body about the header's size"),
    error("W326", "the server requires credentials, or refuses those that were sent (401)")
        .because("the status or the body asks for credentials")
        .help("send them: `-u USER:PASSWORD`, `--bearer TOKEN` or `--cookie NAME=VALUE`; some APIs take a token in the query")
        .source("RFC 6455 §4.1, RFC 9110 §15.5.2")
        .causes(&[
            high("the server requires another authentication scheme than the one sent", C::WantsDigest).unless(&[C::NoCredentials, C::NoAuthorization, C::DigestSent])
                .cure("use `-u USER:PASSWORD`, which also answers a Digest challenge"),
            high("no credentials were sent", C::NoCredentials).unless(&[C::NoChallenge]),
            high("no Authorization was sent, and the server asks for one", C::NoAuthorization)
                .cure("send the one that WWW-Authenticate names: `-u USER:PASSWORD` for Basic and Digest, `--bearer TOKEN` for Bearer"),
            high(REFUSED, C::CredentialsSent).unless(&[C::NoChallenge, C::NoAuthorization])
                .cure("compare user, password or token with what the server's log expects, and the scheme with WWW-Authenticate"),
            medium("the application refuses the Origin: ws answers 401 if its verifyClient refuses", C::OriginSent).unless(&[C::Challenged, C::Same(V::OwnOrigin), C::OriginIsOwn])
                .cure("try an Origin that the server allows: `-o ORIGIN`; then the credentials"),
            medium(CERTIFICATE_LACKS, C::CertificateAsked).unless(&[C::Challenged, C::CredentialsSent])
                .cure(SEND_CERTIFICATE),
            medium("the verifyClient of the library ws refuses: it wants another Origin, or a token or cookie", C::WsRefusal).unless(&[C::Differs(V::OwnOrigin)])
                .cure("try an Origin that the server allows: `-o ORIGIN`; then the token or cookie that its verifyClient reads"),
            medium(REFUSED, C::CredentialsSent)
                .cure("compare what was sent with what the server's log shows"),
            medium(REFUSED, C::SecretSent).unless(&[C::Challenged])
                .cure("compare what was sent with what the server's log shows"),
            medium(PLAIN_TELLS, C::PlainTells)
                .cure(AS_TOLD),
            medium("no credentials were sent", C::NoCredentials).unless(&[C::SecretSent]),
            low("the application refuses the Origin, which is not on its list: ws answers 401 if its verifyClient refuses").unless(&[C::Challenged, C::NoOrigin, C::WsRefusal]),
            low("the application wants an Origin: ws answers 401 if its verifyClient refuses").unless(&[C::Challenged, C::OriginSent, C::WsRefusal]),
            low("the API takes its token in the query or in the first message"),
        ])
        .seen("status 401, or a 4xx whose body mentions credentials or a token"),
    error("W327", "the server refuses our Origin")
        .because("the server allows only certain Origins, and ours is not among them")
        .help("send an allowed one with `-o ORIGIN`, or add yours to the server's list")
        .source("RFC 6455 §10.2; measured on tornado and gorilla/websocket")
        .causes(&[
            high("the Origin is not on the server's list", C::Differs(V::OwnOrigin)),
            medium("a proxy changes Host, so that the server compares the Origin with another name", C::OwnOriginBehindProxy)
                .cure("make the proxy pass Host; in nginx: `proxy_set_header Host $http_host;`"),
            medium("requests with an Origin are refused: one that is not on the server's list, or without what browsers must bring, such as a token or a cookie", C::OriginUnnamed)
                .cure("leave the Origin out, or send one of the server's list, `-o ORIGIN`, and what its pages send"),
            high("the Origin is not on the server's list", C::Differs(V::NoOrigin)).unless(&[C::OwnOriginBehindProxy, C::OriginUnnamed])
                .cure("leave the Origin out, or send one of the server's list: `-o ORIGIN`"),
            medium("the Origin is not on the server's list", C::OriginSent).unless(&[C::OriginUnnamed]),
            low("a proxy changes Host, so that the server compares the Origin with another name").unless(&[C::Differs(V::OwnOrigin), C::Same(V::NoOrigin)]),
        ])
        .seen("another status or 101 with another Origin; a body that names the origin; gorilla/websocket's 403"),
    error("W328", "the server refuses a request without Origin")
        .because("its check of the Origin, like the host validator of Django Channels, rejects a missing one")
        .help("send one: `-o https://HOST`")
        .source("Django Channels documentation; measured on gorilla/websocket")
        .causes(&[
            high("the server requires an Origin", C::Differs(V::OwnOrigin)),
            medium("the server requires an Origin", C::NoOrigin),
        ])
        .seen("another status with an Origin; a body that names the origin, or gorilla/websocket's 403, where none was sent"),
    error("W329", "Envoy does not forward the upgrade")
        .because("Envoy sent this 403, or forwarded it")
        .help("add `upgrade_configs: [{upgrade_type: websocket}]` to the route, and set Upgrade in one proxy only")
        .source("Envoy documentation and issues")
        .causes(&[
            medium("a filter of Envoy refuses every request here, as ext_authz or RBAC, or can't reach its service; or the application behind it refuses", C::PlainSame)
                .cure("look at Envoy's log of this request for the filter that answered (`ext_authz_denied`, `ext_authz_error`, `rbac_access_denied`), and at what it requires"),
            medium("the route has no upgrade_configs for websocket", C::NoBody).unless(&[C::PlainSame]),
            low("an authorization filter of Envoy (ext_authz, RBAC) refuses, or can't reach its service").unless(&[C::PlainSame, C::Differs(V::NoUpgrade)]),
            low("two proxies each add Upgrade, which makes websocket,websocket").unless(&[C::PlainSame]),
            low("the application behind it refused").unless(&[C::PlainSame]),
        ])
        .seen("403 with Server envoy or istio-envoy"),
    error("W330", "a bot challenge was served")
        .because("a protection service requires a browser to solve a challenge first")
        .help("put the path or this address on the service's allow list")
        .source(KNOWN)
        .seen("403 or 503 with cf-mitigated: challenge, or a challenge page"),
    error("W331", "API Gateway, or another service of AWS, forbids the request")
        .because("the stage or path is wrong, or an authorizer refused")
        .help("put the stage into the path, as in `wss://ID.execute-api.REGION.amazonaws.com/STAGE`, and check the authorizer of `$connect`")
        .source(KNOWN)
        .causes(&[
            medium("the path has no stage or route of this API", C::Body("missing authentication token")),
            medium("the authorizer of `$connect` failed, or answered in a form that API Gateway does not take", C::Hop("authorizerconfiguration"))
                .cure("read the log of the authorizer, and check the policy that it returns"),
            medium("the integration of `$connect`, as its Lambda function, failed", C::StatusIs(500)).unless(&[C::Hop("authorizerconfiguration")])
                .cure("read the log of the integration; the answer's requestId names the request"),
            medium("the integration of `$connect`, as its Lambda function, failed", C::StatusIs(502))
                .cure("read the log of the integration; the answer's requestId names the request"),
            medium("the authorizer of `$connect` refused, or the path has no stage of this API", C::GatewayIds).unless(&[C::StatusIs(500), C::StatusIs(502)])
                .cure("check what the authorizer of `$connect` reads, a token, a header or a parameter of the query; then the stage in the path"),
            medium("the authorizer of `$connect` refused, or a policy denies the request", C::ApiGateway).unless(&[C::StatusIs(500), C::StatusIs(502), C::GatewayIds, C::Body("missing authentication token")])
                .cure("check what the authorizer of `$connect` reads, a token, a header or a parameter of the query, and the policy that it returns"),
            medium(UNSIGNED, C::Hop("accessdenied")).unless(&[C::GatewayIds, C::ApiGateway])
                .cure("sign the request, or correct the policy; for a WebSocket, use the URL of an API Gateway"),
            medium(UNSIGNED, C::Body("\"traceid\":"))
                .cure("sign the request, or correct the policy of its identity or certificate"),
            low("the stage is missing in the path").unless(&[C::Hop("accessdenied"), C::Body("\"traceid\":"), C::StatusIs(500), C::StatusIs(502), C::GatewayIds, C::Body("missing authentication token")]),
            low("the authorizer of `$connect` refused").unless(&[C::ApiGateway, C::StatusIs(500), C::StatusIs(502), C::GatewayIds, C::Body("missing authentication token")]),
        ])
        .seen("403 or 5xx with x-amzn-ErrorType, or with a connectionId and a requestId; 403 with {\"message\":\"Forbidden\"} and an x-amzn header"),
    error("W332", "the application refused the connection")
        .because("the status is 403, which most frameworks send when the application refuses the handshake")
        .help("check the path, the Origin and the credentials, and see the application's log")
        .source("RFC 6455 §4.2.2")
        .causes(&[
            high("a rule of Cloudflare's firewall refused the request", C::CloudflareRule)
                .cure("look for the request in Cloudflare's security events, and allow it there"),
            medium(LINK_EXPIRED, C::LinkExpired).cure(NEW_LINK),
            medium(CERTIFICATE_LACKS, C::CertificateAsked).unless(&[C::CredentialsSent])
                .cure(SEND_CERTIFICATE),
            high("an authorization policy (RBAC) of Envoy or Istio refused the request", C::WholeBody("rbac: access denied"))
                .cure("allow the request in the policy"),
            medium("the edge of the CDN or its firewall refused the request", C::EdgeRefuses)
                .cure("look for the request, by the reference on its page, in the CDN's security events"),
            medium("a rule of the load balancer, or its firewall (AWS WAF), refused the request", C::Server("awselb"))
                .cure("look at the rules of the load balancer's listener, and at the log of AWS WAF"),
            medium("the web server answers itself: the path is a directory without an index page, and no WebSocket is behind it", C::Directory).unless(&[C::Same(V::OtherPath)])
                .cure("check the path, and that the server in front passes it to the application"),
            medium("a rule of the server that answered forbids it: an Origin that it requires (none was sent), deny, Require, an access list, a filter of the User-Agent", C::All(&[C::ProxyPage, C::NoOrigin]))
                .cure(LOOK_FOR_RULE),
            medium("a rule of the server that answered forbids it: a list of Origins, deny, Require, an access list, a filter of the User-Agent", C::ProxyPage).unless(&[C::NoOrigin])
                .cure(LOOK_FOR_RULE),
            medium("a proxy changes Host, so that the server compares the Origin with another name", C::OwnOriginBehindProxy)
                .cure("make the proxy pass Host; in nginx: `proxy_set_header Host $http_host;`"),
            medium(QUERY, C::EngineIoQuery).unless(&[C::PlainSame, C::ProxyPage])
                .cure(ASK_ENGINE_IO),
            medium("the Origin is not allowed, or credentials, a subprotocol, a parameter or a header are missing", C::OriginSent).unless(&[C::Same(V::NoOrigin), C::OriginOfHost])
                .cure("send an Origin that the server allows, `-o ORIGIN`, then check path and credentials"),
            medium("the credentials sent are refused", C::CredentialsSent).unless(&[C::ProxyPage]),
            medium(REFUSES_ALL, C::AllSameJson).unless(&[C::PlainTells])
                .cure(COMPARE),
            medium("every request is refused, whatever its path: by the application, for credentials, the Origin, a header or a parameter that all of it needs, or by a filter in front, for this address", C::All(&[C::PlainSame, C::Same(V::OtherPath)])).unless(&[C::ProxyPage, C::PlainTells, C::AllSameJson])
                .cure("compare headers, query and cookies with those of a client that works; then find out which hop answers, and whether it lets this address in"),
            medium(KNOWN_PATH, C::PlainSameAtKnownPath).unless(&[C::ProxyPage, C::PlainTells])
                .cure(LOOK),
            medium(KNOWN_PATH, C::OtherPathElsewhere).unless(&[C::ProxyPage, C::PlainTells, C::PlainKnown, C::PlainServes])
                .cure(LOOK),
            medium(HANDLER, C::Handwritten)
                .cure(FIND),
            medium(SERVES, C::PlainServes).unless(&[C::Handwritten])
                .cure(FIND),
            medium(PLAIN_TELLS, C::PlainTells).unless(&[C::ProxyPage])
                .cure(AS_TOLD),
            medium("the application knows this path and refuses: credentials, a parameter or the Origin", C::PlainKnown).unless(&[C::ProxyPage])
                .cure("see the application's log, and compare credentials, query and Origin with those of a client that works"),
            low("the server does not support EIO=3, the version of Socket.IO 2").with(C::InQuery("EIO=3")).unless(&[C::PlainSame, C::ProxyPage]),
            low("credentials are missing, or those sent are refused; or a parameter of the path or the query is missing or wrong").with(C::SecretSent).unless(&[C::ProxyPage]),
            low("the Origin is not on the application's list, nor is any that was tried").with(C::Same(V::NoOrigin)).unless(&[C::NoOrigin]),
            low("the application requires credentials, an Origin, or a subprotocol, parameter or header that was not sent").unless(&[C::CredentialsSent, C::SecretSent, C::OriginSent, C::ProxyPage, C::All(&[C::PlainSame, C::Same(V::OtherPath)]), C::PlainServes]),
            low("the application requires credentials, or a subprotocol, parameter or header that was not sent").with(C::OriginOfHost).unless(&[C::CredentialsSent, C::SecretSent, C::ProxyPage, C::All(&[C::PlainSame, C::Same(V::OtherPath)]), C::PlainServes]),
            low("the Origin is not allowed").with(C::OriginOfHost).unless(&[C::Same(V::NoOrigin)]),
            low("the path matches no route: ASGI servers answer 403 then").with(C::MaybeAsgi).unless(&[C::Differs(V::OtherPath), C::OtherPathSilent, C::OtherPathElsewhere, C::ProxyPage, C::PlainSame, C::PlainServes, C::PlainKnown]),
            low("a filter in front refuses this client: a list of addresses, a web application firewall").unless(&[C::All(&[C::PlainSame, C::Same(V::OtherPath)]), C::ProxyPage]),
            low("a parameter or header that this path needs is missing or wrong").unless(&[C::Same(V::OtherPath), C::ProxyPage, C::PlainServes, C::SecretSent]),
            low("a web application firewall refused").with(C::ProxyPage).unless(&[C::Differs(V::OtherPath)]),
        ])
        .seen("403 without a more specific cause"),
    error("W333", "ActionCable answers 404: the Origin is refused, or the upgrade was lost")
        .because("ActionCable answers Page not found both to a refused Origin and to a request without Upgrade")
        .help("send one of the server's `allowed_request_origins`: `-o https://HOST`")
        .source("measured on real servers; Rails' connection base")
        .causes(&[
            medium("a proxy removes Upgrade and Connection, or changes Host or sends no X-Forwarded-Proto, which the server compares the Origin with", C::OriginIsOwn)
                .cure("make the proxy pass all of them; in nginx: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;`"),
            medium("the Origin is not among allowed_request_origins", C::OriginSent),
            medium("a proxy forwards without Upgrade and Connection, or changes Host: the server's own Origin is refused, too", C::Same(V::OwnOrigin))
                .cure(PASS_UPGRADE),
            medium("the application requires an Origin of its allowed_request_origins", C::NoOrigin).unless(&[C::Same(V::OwnOrigin)]),
            low("a proxy forwards without Upgrade and Connection").unless(&[C::Differs(V::NoUpgrade), C::OriginIsOwn]),
        ])
        .seen("404 in plain text with the body Page not found"),
    error("W334", "there is no WebSocket at this path")
        .because("the status or the body reports that the path is unknown")
        .help("check the path, and whether a proxy rewrites its prefix; common ones are `/ws`, `/cable`, `/socket.io/`, `/graphql`")
        .source("RFC 6455 §4.2.2")
        .causes(&[
            high("the gateway has no site and no running application for this host name: it is stopped, or does not exist", C::NoApplication)
                .cure("start the application, or correct the name of the host in the URL"),
            high("the path is not that of a target of Node's inspector, which has an id", C::InspectorTarget)
                .cure("take the URL from `webSocketDebuggerUrl` in `http://HOST/json/list` of this server"),
            UNABLE,
            medium(LOST, C::All(&[C::PlainPageBehindProxy, C::NamesShorterPath])).unless(&[C::ProxyOwn])
                .cure(PASS_UPGRADE_AND_PATH),
            medium(REWRITES, C::All(&[C::PlainPageBehindProxy, C::NamesOtherPath])).unless(&[C::ProxyOwn])
                .cure(PATH_AND_PASS_UPGRADE),
            medium(REWRITES, C::NamesOtherPath)
                .cure("compare the paths, and whether the server itself strips a prefix: in nginx that of `location` with that of `proxy_pass`, in Apache the two of `ProxyPass`; then check the path of the application"),
            DOUBLED,
            TRANSPARENT,
            medium("the router that answers, of the application or of a proxy, has no route for this path, as it is in the URL or as a proxy rewrote it, or for this Host", C::Unrouted).unless(&[C::NamesOtherPath, C::OtherPathElsewhere, C::Differs(V::OtherPath)])
                .cure("check the path, in the URL and as a proxy forwards it, with or without its prefix, and the name and port of the URL; in Phoenix it ends with `/websocket`; in traefik and gateways, compare the rules for path and host"),
            medium(NO_ROUTE, C::All(&[C::NamesPath, C::Proxied])).unless(&[C::Unrouted, C::ProxyOwn, C::PlainPage, C::Differs(V::OtherPath), C::Differs(V::NoUpgrade), C::UpgradePasses])
                .cure(CHECK_PATH_AND_UPGRADE),
            medium(NO_ROUTE, C::NamesPath).unless(&[C::Unrouted, C::ProxyOwn, C::PlainPage, C::Differs(V::OtherPath)])
                .cure("check the path, in the URL and in the application; in Phoenix it ends with `/websocket`"),
            medium(LOST, C::PlainPageBehindProxy).unless(&[C::ProxyOwn])
                .cure(PASS_UPGRADE),
            medium(LOST, C::PlainSameBehindProxy).unless(&[C::ProxyOwn, C::Unrouted, C::PlainPageBehindProxy, C::Same(V::OtherPath)])
                .cure(PASS_UPGRADE),
            medium("a proxy forwards this path to another server, which does not know it: the proxy rewrites it wrongly or sends another Host, or the application has another path", C::OtherPathElsewhere).unless(&[C::PlainPageBehindProxy])
                .cure("compare the path that reaches the server behind with the application's: in nginx that of `proxy_pass`, in Apache the second one of `ProxyPass`; if the server behind has rules for hosts, make the proxy forward Host, in nginx `proxy_set_header Host $http_host;`"),
            medium("the application took the upgrade for a plain request: it has no WebSocket at this path or none at all, or a proxy removed Upgrade and Connection", C::PlainPage).unless(&[C::Proxied, C::ForwardProxied, C::Differs(V::NoUpgrade), C::UpgradePasses, C::NamesOtherPath])
                .cure("check the path, and that the WebSocket server is attached to the program that listens on this port; if a proxy is in front, make it forward Upgrade and Connection"),
            medium("the server in front passes a plain GET on, and has no rule for an upgrade at this path", C::OnlyPlainPassed)
                .cure("add the rule for WebSockets to the server in front, in Traffic Server `map ws://…` or `map wss://…` next to the one for http"),
            medium("the server in front answered itself: it has no route for this path, this Host or these headers", C::ProxyOwn).unless(&[C::OnlyPlainPassed])
                .cure("check the path, and the name and port of the URL, against the configuration of the server in front"),
            medium("the server knows the path and saw no upgrade: a proxy on the path, possibly a transparent one, removed Upgrade and Connection", C::PlainSameAtKnownPath).unless(&[C::Proxied, C::ForwardProxied, C::Http10])
                .cure("make the proxy forward Upgrade and Connection, or, if the server is on another machine, use `wss://`, which a transparent proxy can't read"),
            medium(ANY_MISSING, C::All(&[C::PlainSame, C::Same(V::OtherPath)])).unless(&[C::NamesOtherPath, C::NamesPath, C::Unrouted, C::PlainSameAtKnownPath, C::Unable, C::PlainPage, C::Proxied, C::ProxyOwn, C::InspectorTarget])
                .cure("check the path, then the name and port of the URL; if they are right, make the proxy forward Upgrade and Connection, or, if the server is on another machine, use `wss://`, which a transparent proxy can't read"),
            // Only an upgrade that has arrived rules out that it was lost.
            medium(WRONG_PATH, C::All(&[C::Same(V::OtherPath), C::Differs(V::NoUpgrade)])).unless(&[C::NamesPath, C::Unrouted, C::ProxyOwn]),
            medium(WRONG_PATH, C::All(&[C::Same(V::OtherPath), C::Unable])).unless(&[C::PlainSameAtKnownPath, C::All(&[C::PlainSame, C::Same(V::OtherPath)]), C::NamesPath, C::Unrouted, C::ProxyOwn]),
            medium(ANY_MISSING, C::Same(V::OtherPath)).unless(&[C::Differs(V::NoUpgrade), C::UpgradePasses, C::NamesOtherPath, C::NamesPath, C::Unrouted, C::PlainSameAtKnownPath, C::Unable, C::PlainPage, C::Proxied, C::ProxyOwn, C::InspectorTarget])
                .cure("check the path, in the URL and as a proxy rewrites it; then that the application runs under a server with WebSocket support, and that a proxy on the way forwards Upgrade and Connection"),
            medium("the path exists, but a resource or parameter in the URL is unknown, or a proxy passes it to a server that does not know it: another path gets another answer", C::Differs(V::OtherPath)),
            medium(ANY_MISSING, C::Status).unless(&[C::NamesOtherPath, C::PlainPage, C::Differs(V::OtherPath), C::Same(V::OtherPath), C::NamesPath, C::Unrouted, C::Proxied, C::ProxyOwn, C::Unable, C::InspectorTarget]),
            medium(ROUTED_WRONGLY, C::Proxied).unless(&[C::Differs(V::NoUpgrade), C::UpgradePasses, C::Differs(V::OtherPath), C::NamesPath, C::Unrouted, C::ProxyOwn])
                .cure(CHECK_PATH_AND_UPGRADE),
            medium(ROUTED_WRONGLY, C::Proxied).unless(&[C::Differs(V::OtherPath), C::NamesPath, C::Unrouted, C::ProxyOwn]),
            // A page for any path says nothing about the upgrade.
            medium(LOST, C::All(&[C::PlainSameBehindProxy, C::Same(V::OtherPath)])).unless(&[C::ProxyOwn, C::Unrouted, C::PlainPageBehindProxy])
                .cure(PASS_UPGRADE),
            medium(LOST, C::Proxied).unless(&[C::Differs(V::NoUpgrade), C::PlainPageBehindProxy, C::PlainSameBehindProxy, C::ProxyOwn, C::UpgradePasses, C::All(&[C::PlainSame, C::Same(V::OtherPath)]), C::Unrouted])
                .cure(PASS_UPGRADE),
            low("Upgrade and Connection were lost on the way").with(C::NamesPath).unless(&[C::Differs(V::NoUpgrade), C::UpgradePasses, C::Proxied, C::ProxyOwn, C::Unrouted]),
            low("the server has no WebSocket support").with(C::Http10).unless(&[C::Unable])
                .cure("run the application under a server with WebSocket support"),
            low("the server in front has no site for this Host, the name and port of the URL").unless(&[C::UpgradePasses, C::ProxyOwn, C::Unrouted, C::Differs(V::OtherPath)]),
            low("the server hides a refusal behind 404").unless(&[C::NamesOtherPath, C::PlainPage]),
        ])
        .seen("status 404, or a 4xx whose body reports an unknown path"),
    error("W335", "the server handled the upgrade as a plain request")
        .because("uvicorn answers an unknown path of a WebSocket with 403, and wsgiref, such as Django's development server, has no WebSocket support of its own, so this 404 comes from plain HTTP")
        .help("run an ASGI server with WebSocket support, as in `pip install 'uvicorn[standard]'`; if there is a proxy, make it forward Upgrade")
        .source("measured on uvicorn and Django")
        .causes(&[
            TRANSPARENT,
            medium("a proxy forwards without Upgrade and Connection", C::Proxied)
                .cure("make the proxy forward the upgrade; then check that uvicorn has a WebSocket library"),
            medium("uvicorn runs without a WebSocket library, or a proxy on the path removed Upgrade and Connection", C::Server("uvicorn")).unless(&[C::Proxied, C::ForwardProxied]),
            medium("wsgiref, such as Django's development server, has no WebSocket support of its own", C::Server("wsgiserver"))
                .cure("run the application under an ASGI server, such as daphne or uvicorn"),
        ])
        .seen("404 with Server uvicorn or WSGIServer"),
    error("W336", "the method is not allowed")
        .because("only GET can upgrade, and the server has no handler for it here")
        .help("check that the path has a handler for GET")
        .source("RFC 6455 §4.1")
        .causes(&[
            TRANSPARENT,
            medium("the path is that of an HTTP API, and no WebSocket", C::AllowsOther)
                .cure("look up the path of the WebSocket; this one takes the methods of its Allow header"),
            medium(LOST, C::PlainSameBehindProxy).unless(&[C::ProxyPage])
                .cure(PASS_UPGRADE),
            medium(LOST, C::Proxied).unless(&[C::Differs(V::NoUpgrade), C::ProxyPage, C::UpgradePasses])
                .cure(PASS_UPGRADE),
            UNABLE,
            medium("the platform or server in front refuses the method itself, and passes no upgrade on", C::ProxyOwn)
                .cure("look up whether that platform serves WebSockets, and where"),
            low("the path belongs to an API that accepts POST only").unless(&[C::AllowsOther]),
            low("Upgrade and Connection were lost on the way: some handlers of WebSockets refuse a plain GET so").unless(&[C::AllowsOther, C::Differs(V::NoUpgrade), C::UpgradePasses, C::Proxied, C::ProxyOwn]),
            low("a proxy changed the method"),
        ])
        .seen("status 405"),
    error("W337", "an HTTP handler rejected the content type of the upgrade")
        .because("the path is not a WebSocket: its handler checked Accept or Content-Type")
        .help("check the path, and read the body of the answer")
        .source("RFC 9110 §15.5.7, §15.5.16")
        .seen("status 406 or 415"),
    error("W338", "the server timed out waiting for the request")
        .because("the request header did not arrive in time")
        .help("try again, and look for a proxy that buffers requests")
        .source("RFC 9110 §15.5.9")
        .causes(&[low("a slow link"), low("a proxy buffers the request")])
        .seen("status 408"),
    error("W339", "the endpoint was retired or blocked")
        .because("the server reports that this resource is gone, or blocked for legal reasons")
        .help("read the body of the answer for the new address")
        .source("RFC 9110 §15.5.11, RFC 7725 §3")
        .causes(&[medium(LINK_EXPIRED, C::LinkExpired).cure(NEW_LINK)])
        .seen("status 410 or 451"),
    error("W340", "too many requests")
        .because("the server limits the rate of connections")
        .help("wait as long as Retry-After demands, and reconnect with growing, random delays")
        .source("RFC 6455 §7.2.3, RFC 6585 §4")
        .seen("status 429"),
    error("W341", "the server failed in the handshake")
        .because("the application failed on a valid request")
        .help("read the server's log; the handler may need a subprotocol (`-s NAME`), an Origin or a parameter, or fail on one that was sent")
        .source(MEASURED)
        .causes(&[
            UNABLE,
            medium("the application failed, and seems to have ended at this request", C::Gone)
                .cure("read the application's log, and start it again; its handler may need a subprotocol (`-s NAME`), an Origin or a parameter, or fail on one that was sent"),
            high("a Worker of Cloudflare threw an exception", C::CloudflareError(1101))
                .cure("read the Worker's log"),
            medium(PLAIN_TELLS, C::PlainTells).unless(&[C::ProxyPage, C::Untaken])
                .cure(AS_TOLD),
            medium("the library of the handshake failed after it had read the request: a middleware wraps the response, which then can't be taken over (in Go, without http.Hijacker)", C::Untaken)
                .cure("take middleware that wraps the response (logs, metrics, compression, timeouts) off this path, or let it pass http.Hijacker"),
            medium("the path serves plain HTTP, and its handler does not take this upgrade", C::PlainServes)
                .cure("check the path, and whether the server has WebSocket support; then the subprotocol that the handler may require, `-s NAME`"),
            medium("the server in front answered itself: it failed, or a rule of it denies with this status", C::ProxyPage)
                .cure("read the log of the server in front: its rules, its files or its way to the application"),
            medium("every request fails alike: an exception in the application before it looks at the path, a server program without WebSocket, or a proxy that can't reach it, as over TLS", C::All(&[C::PlainSame, C::Same(V::OtherPath)])).unless(&[C::ProxyPage, C::Unable, C::Untaken])
                .cure("find out which hop answers, and read its log; run the application under a server with WebSocket support; check the proxy's scheme, port and trust for its upstream"),
            medium(RAISED, C::Same(V::OtherPath)).unless(&[C::All(&[C::PlainSame, C::Same(V::OtherPath)]), C::ProxyPage, C::Untaken])
                .cure("read the application's log; check what the handler needs, such as `-s NAME` or a database, and the path: some frameworks raise an exception for an unknown one"),
            medium("a proxy forwards without Upgrade and Connection, and the application fails on the plain GET", C::PlainSameBehindProxy).unless(&[C::Same(V::OtherPath), C::ProxyPage])
                .cure(PASS_UPGRADE),
            low("a middleware wraps the response, so that a library of Go can't take the connection over (http.Hijacker)").with(C::GoUnable)
                .cure("read the server's log; take middleware that wraps the response (logs, metrics, compression, timeouts) off this path, or let it pass http.Hijacker"),
            low(RAISED).unless(&[C::All(&[C::PlainSame, C::Same(V::OtherPath)]), C::ProxyPage, C::Unable, C::Untaken]),
            low("the server has none of the subprotocols offered, or a proxy removed Sec-WebSocket-Protocol").with(C::SubprotocolSent).unless(&[C::All(&[C::PlainSame, C::Same(V::OtherPath)]), C::Same(V::OtherPath), C::ProxyPage]),
            low("a proxy forwards without Upgrade and Connection, and the application fails on the plain GET").with(C::Proxied).unless(&[C::Differs(V::NoUpgrade), C::UpgradePasses, C::ProxyPage]),
            low("a proxy in front can't reach the application, as over TLS").unless(&[C::Gone, C::All(&[C::PlainSame, C::Same(V::OtherPath)]), C::ProxyPage, C::Differs(V::NoUpgrade), C::Untaken]),
        ])
        .seen("status 500, or a 5xx with no entry of its own"),
    error("W343", "the proxy got no valid answer from its upstream")
        .because("a gateway got no valid answer from the server behind it")
        .help("check that the application listens on the proxy's upstream address, with TLS if and only if the proxy uses TLS; the proxy's log tells a refused connection from one that was closed, and from a certificate")
        .source("measured on nginx; documentation of haproxy, Envoy and Apache; RFC 9110 §15.6.3")
        .causes(&[
            high("the proxy's TLS to its upstream failed", C::Envoy("transport failure reason: tls"))
                .cure("make the proxy use TLS if and only if the upstream speaks it, and check the upstream's certificate"),
            high("the proxy's TLS to its upstream failed", C::ApacheProxy("error during ssl handshake with remote server"))
                .cure("make the proxy use TLS if and only if the upstream speaks it, and check the upstream's certificate"),
            high("the connection was refused: nothing listens at the proxy's upstream address, or a firewall rejects it", C::Envoy("connection refused"))
                .cure("start the application, or correct the upstream's address and port in the proxy"),
            high("the connection was refused: nothing listens at the proxy's upstream address, or a firewall rejects it", C::Envoy("delayed connect error: 111"))
                .cure("start the application, or correct the upstream's address and port in the proxy"),
            medium(DOWN_OR_TLS, C::Envoy("connection failure")).unless(&[C::Envoy("transport failure reason: tls"), C::Envoy("connection refused"), C::Envoy("delayed connect error: 111")]),
            high("the proxy's upstream address does not answer in time", C::Envoy("reset reason: connection timeout"))
                .cure("correct the upstream's address and port in the proxy, and look at the firewall between them"),
            high("the proxy's limit on connections or waiting requests is reached (a circuit breaker)", C::Envoy("reset reason: overflow"))
                .cure("raise the limits of the proxy's cluster"),
            medium("the upstream's answer is not valid HTTP/1.1, or it and the proxy speak different versions", C::Envoy("reset reason: protocol error"))
                .cure("check the port of the upstream and the version of HTTP that the proxy speaks to it"),
            medium("the upstream closed the connection without an answer: its handler dropped the upgrade or failed, or it expects TLS", C::Envoy("connection termination"))
                .cure("read the application's log: it was reached"),
            medium("the upstream closed the connection without an answer: its handler dropped the upgrade or failed, or it expects TLS", C::Envoy("remote reset"))
                .cure("read the application's log: it was reached"),
            medium("the upstream closed the connection without an answer: its handler dropped the upgrade or failed, or it expects TLS", C::ApacheProxy("error reading from remote server"))
                .cure("read the application's log: it was reached"),
            medium("the upstream was reached, and closed the connection or sent invalid HTTP: its handler dropped the upgrade or failed, or it expects TLS", C::Body("the server returned an invalid or incomplete response"))
                .cure("read the application's log: it was reached"),
            medium("the upstream was reached, and closed the connection or sent invalid HTTP: its handler dropped the upgrade or failed, or it expects TLS", C::Body("an invalid response was received from the upstream"))
                .cure("read the application's log: it was reached"),
            high("the tunnel is offline: no agent serves this address", C::Ngrok("err_ngrok_3200"))
                .cure("start the agent of the tunnel, and use the address that it prints"),
            medium("the tunnel is offline: no agent serves this address", C::Body("err_ngrok_3200"))
                .cure("start the agent of the tunnel, and use the address that it prints"),
            high("the tunnel's agent can't connect to the local application", C::Ngrok("err_ngrok_8012"))
                .cure("start the application on the port that the agent forwards to"),
            medium("the tunnel's agent can't connect to the local application", C::Body("err_ngrok_8012"))
                .cure("start the application on the port that the agent forwards to"),
            // The program that takes the upgrades wrote this answer, so they reach it.
            medium(HANDLER_BEHIND, C::All(&[C::PlainWebSocket, C::WsRefusal]))
                .cure("read the log of the program that answers, and of what it calls for an upgrade, such as the function for `$connect`"),
            medium("the gateway itself can't carry an upgrade, as with a middleware that buffers or wraps the answer, or with HTTP/2 to its upstream: to a plain GET, a handler of WebSockets answers", C::PlainWebSocket)
                .cure("read the gateway's log, which has the error, and that of the program behind it; if that was not reached, take middleware that wraps the answer (compression, logs, timeouts) off this path, and make the gateway speak HTTP/1.1 to its upstream"),
            medium("the upstream dropped the upgrade, or the gateway itself can't carry one, or a handler behind it failed: without the upgrade, the gateway gets an answer", C::Differs(V::NoUpgrade)).unless(&[C::PlainWebSocket])
                .cure("read the gateway's log, which has the error; then check the path, the Origin and the credentials: some applications drop upgrades that they refuse"),
            medium(HANDLER_BEHIND, C::PlainWebSocket),
            medium("the upstream closed the connection after a while, or could not be reached: its name does not resolve, its host does not answer", C::SlowAnswer).unless(&[C::Differs(V::NoUpgrade)])
                .cure("read the log of the proxy, which has the error, then that of the application"),
            medium(DOWN_OR_TLS, C::PlainSame).unless(&[C::ApacheProxy("error during ssl handshake with remote server"), C::Ngrok("err_ngrok_3200"), C::Ngrok("err_ngrok_8012")]),
            low(DOWN_OR_TLS).unless(&[C::Differs(V::NoUpgrade)]),
            low("the application closed the connection: it drops upgrades that it refuses, or plain requests, as where the proxy does not forward Upgrade and Connection; or it fails").unless(&[C::Differs(V::NoUpgrade), C::Envoy("connection failure")]),
            low("the proxy can't carry an upgrade (a middleware or library in it buffers the answer), or the head of the answer is larger than the proxy's buffer").unless(&[C::Differs(V::NoUpgrade)]),
        ])
        .seen("status 502; an error of ngrok; a 503 in which Envoy says how its upstream failed"),
    error("W344", "the service is unavailable")
        .because("the server is overloaded or in maintenance, or a gateway has no server for the request")
        .help("check that the application runs, and the health checks: a plain GET to a WebSocket path gets 426, which some load balancers treat as unhealthy")
        .source("RFC 9110 §15.6.4")
        .causes(&[
            medium("nginx answers itself: a limit of it (limit_req, limit_conn), a `return 503`, or in Kubernetes a service without endpoints", C::Body("<center>nginx"))
                .cure("read nginx's error log, which names the limit; in Kubernetes, check that the service has ready pods"),
            medium("OpenShift's router answers itself: it has no route for this host and path, or no ready pod behind it", OPENSHIFT)
                .cure("check host and path of the URL against the route, and that the pods behind its service are ready"),
            medium("the proxy has no working server behind it", C::ProxyPage).unless(&[C::Body("<center>nginx"), C::Body("backend fetch failed"), OPENSHIFT]),
            medium("HTTP.sys answers itself: the application pool of IIS is stopped, or its queue is full", C::Body("http error 503. the service is unavailable"))
                .cure("start the application pool, and look into the event log for what stopped it"),
            high("the proxy has no healthy server behind it", C::WholeBody("no healthy upstream"))
                .cure("start the application, and check the health checks of the proxy: a plain GET to a WebSocket path gets 426, which some treat as unhealthy"),
            high("the proxy has no working server behind it", C::WholeBody("no available server")),
            medium("the proxy has no working server behind it", C::Body("failure to get a peer from the ring-balancer")),
            medium("the load balancer has no healthy or registered target", C::Server("awselb"))
                .cure("check the target group: registered targets, their port, and the health check's path and codes"),
            medium("the proxy could not connect to the server behind it, which is down or on another port", C::Body("due to maintenance downtime or capacity"))
                .cure("start the application, or correct its address in the proxy"),
            medium("the application behind the router crashed, does not start or does not answer", C::Body("herokucdn.com/error-pages/application-error"))
                .cure("read the application's log"),
            medium("the cache in front gets no valid answer from the server behind it, to a plain GET either", C::All(&[C::Body("backend fetch failed"), C::PlainGateway]))
                .cure("start the server behind the cache, or correct its address and port there"),
            medium("the cache in front got no valid answer from the server behind it, or is not configured to pipe upgrades", C::Body("backend fetch failed")).unless(&[C::PlainGateway])
                .cure("in Varnish: `if (req.http.upgrade ~ \"(?i)websocket\") { return (pipe); }`, and check the backend"),
            low("the application is down, starting or in maintenance"),
            low("its health check fails"),
        ])
        .seen("status 503"),
    error("W345", "the backend took too long")
        .because("a gateway timed out waiting for the server's answer to the upgrade")
        .help("check what the application does before it accepts; compare the time with the proxy's timeouts of 30 or 60 s")
        .source("RFC 9110 §15.6.5")
        .causes(&[medium("the proxy could not connect to the server behind it: http-proxy-middleware of Node.js answers 504 then", C::Body("error occurred while trying to proxy"))
                .cure("start the application, or correct its address in the proxy (`target`)"), low("the application hangs in its handler, or nothing accepts connections at its address: another port, a firewall, one bound to 127.0.0.1"), low("the proxy handles the upgrade as a plain request and waits for its end")])
        .seen("status 504"),
    error("W346", "the server refuses the HTTP version")
        .because("the upgrade needs HTTP/1.1, and the server or a proxy speaks another")
        .help("make the proxy speak HTTP/1.1 to its upstream and pass the upgrade; in nginx: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";`")
        .source("measured on websockets and autobahn; RFC 9110 §15.6.6")
        .causes(&[
            medium("the target group of the load balancer speaks HTTP/2 or gRPC alone", C::StatusIs(464))
                .cure("set the protocol version of the target group to HTTP1"),
            medium("a proxy forwards in HTTP/1.0, as nginx does by default", C::Proxied).unless(&[C::StatusIs(464)]),
        ])
        .seen("status 505; 464 of an AWS load balancer"),
    error("W347", "Cloudflare could not reach the origin")
        .because("the status names the failure between Cloudflare and the origin server")
        .help("fix the origin, not the client")
        .source("Cloudflare documentation")
        .causes(&[
            high("the tunnel to the origin is down: no agent of it (cloudflared) is connected", C::CloudflareError(1033))
                .cure("start cloudflared at the origin"),
            high("the origin's name can't be resolved", C::CloudflareError(1016))
                .cure("correct the origin's name in the DNS settings"),
            high("the origin's answer was empty, unexpected or not HTTP", C::CloudflareError(520)),
            medium("the origin's answer was empty, unexpected or not HTTP", C::StatusIs(520)),
            high("the origin refuses connections: it is down, or its firewall blocks Cloudflare's addresses", C::CloudflareError(521))
                .cure("start the origin's server, and allow Cloudflare's addresses in its firewall"),
            medium("the origin refuses connections: it is down, or its firewall blocks Cloudflare's addresses", C::StatusIs(521))
                .cure("start the origin's server, and allow Cloudflare's addresses in its firewall"),
            high("the connection to the origin timed out: its address, its firewall or its load may be why", C::CloudflareError(522))
                .cure("check the origin's address in the DNS settings, its firewall, and whether it is overloaded"),
            medium("the connection to the origin timed out: its address, its firewall or its load may be why", C::StatusIs(522))
                .cure("check the origin's address in the DNS settings, its firewall, and whether it is overloaded"),
            high("there is no route to the origin", C::CloudflareError(523))
                .cure("check the origin's address in the DNS settings, and its network"),
            medium("there is no route to the origin", C::StatusIs(523))
                .cure("check the origin's address in the DNS settings, and its network"),
            high("the origin took the connection and did not answer in time", C::CloudflareError(524))
                .cure("find out what the handler does before it accepts"),
            medium("the origin took the connection and did not answer in time", C::StatusIs(524))
                .cure("find out what the handler does before it accepts"),
            high("the TLS handshake between Cloudflare and the origin failed", C::CloudflareError(525))
                .cure("check that the origin's port speaks TLS and has a certificate for this name, or change Cloudflare's encryption mode from Full to Flexible"),
            medium("the TLS handshake between Cloudflare and the origin failed", C::StatusIs(525))
                .cure("check that the origin's port speaks TLS and has a certificate for this name, or change Cloudflare's encryption mode from Full to Flexible"),
            high("the origin's certificate is not valid for Cloudflare", C::CloudflareError(526))
                .cure("install a valid or Cloudflare's own origin certificate, or change the encryption mode from Full (strict) to Full"),
            medium("the origin's certificate is not valid for Cloudflare", C::StatusIs(526))
                .cure("install a valid or Cloudflare's own origin certificate, or change the encryption mode from Full (strict) to Full"),
            medium("the origin's name can't be resolved, its tunnel is down, or Cloudflare blocks the request: the page has another number", C::StatusIs(530)).unless(&[C::CloudflareError(1016), C::CloudflareError(1033)]),
        ])
        .seen("status 520 to 530 with Server cloudflare")
        .more("520 unknown answer, 521 refused, 522 connection timed out, 523 unreachable, 524 answer timed out, 525 TLS handshake failed, 526 invalid certificate, 530 with a number of its own in the page: 1016 name not found, 1033 tunnel down."),
    error("W348", "the answer is not HTTP")
        .because("the first line is not a status line")
        .help("check the port: another service listens there")
        .source("RFC 9112 §4; measured on CivetWeb")
        .causes(&[
            medium("an HTTP server listens here, and has no WebSocket at this path: it writes its error for the upgrade without a status line", C::HeadlessMissing).unless(&[C::PlainUnanswered])
                .cure(PATH_BEFORE_PORT),
            medium("an HTTP server listens here, and what it writes for an upgrade has no status line: nothing handles upgrades at this path, or what handles them writes no head", C::PlainAnswered).unless(&[C::Headless])
                .cure(PATH_BEFORE_PORT),
            medium("an HTTP server refuses the upgrade, and writes its error without a status line", C::Headless).unless(&[C::HeadlessMissing, C::PlainUnanswered])
                .cure(PATH_BEFORE_PORT),
        ])
        .seen("the first bytes are neither HTTP/x.y nor a known greeting"),
    warning("W349", "the 101 is written in HTTP/1.0")
        .about(Family::Agreement)
        .because("1xx statuses do not exist in HTTP/1.0")
        .help("make the server's status line `HTTP/1.1 101 Switching Protocols`")
        .source("RFC 6455 §4.2.2, RFC 9110 §15.2; measured on websockets")
        .causes(&[low("a proxy speaks HTTP/1.0 to the application, nginx's old default"), low("a library for HTTP/1.0 wrote the answer")])
        .seen("a 101 whose status line has another version than HTTP/1.1"),
    error("W350", "the server requires a subprotocol")
        .because("the answer names a subprotocol, or another one changes it")
        .help("offer one that the server supports, `-s NAME`, or none")
        .source("RFC 6455 §4.2.2; measured on several frameworks")
        .causes(&[
            high(NOT_OFFERED, C::Opens(V::Subprotocol))
                .cure(OFFER),
            high(NOT_OFFERED, C::SubprotocolNamed)
                .cure(OFFER),
            high("the server supports none of the offered ones", C::NoSubprotocolHelps),
            high("the server supports none of the offered ones, or a proxy removed them", C::SubprotocolSent).unless(&[C::NoSubprotocolHelps, C::Opens(V::Subprotocol), C::SubprotocolNamed]),
            high("no subprotocol was offered", C::NoSubprotocol).unless(&[C::Opens(V::Subprotocol), C::SubprotocolNamed]),
        ])
        .seen("an error status whose body or headers name the subprotocol; another subprotocol that opens"),
    error("W351", "the server refuses the Host header")
        .because("a server may list the hosts that it serves, and refuse a request with another Host")
        .help("send an allowed Host with `--host NAME`, or add yours to the server's list; a proxy may have to forward it")
        .source("measured on Chrome's DevTools, vite and Django")
        .causes(&[
            high("Cloudflare has no site for an address: the URL, or the Host, has an address instead of a name", C::CloudflareError(1003))
                .cure("use the name of the site in the URL, or send it: `--host NAME`"),
            high("Cloudflare does not know this host: no record of its DNS leads to a site there", C::CloudflareError(1001))
                .cure("correct the name in the URL or in `--host NAME`, or its record in Cloudflare's DNS"),
            high("the Host that was sent is not one that the server accepts", C::Differs(V::OwnHost))
                .cure(NAME_HOST),
            medium("it opens as localhost: the server may not know this Host, or localhost is another site", C::Differs(V::NearHost))
                .cure(NAME_HOST),
            medium(PLAIN_TELLS, C::PlainTells)
                .cure(NAME_HOST),
            medium("the server in front has no site for this Host", C::ProxyOwn)
                .cure("correct the name in the URL, send one that the server in front serves, `--host NAME`, or add this one to its sites"),
            medium("a proxy changes Host", C::Proxied).unless(&[C::ProxyOwn]).cure("make the proxy forward Host, in nginx `proxy_set_header Host $http_host;`, or allow the name that the proxy sends"),
            low("the host of the URL is not on the server's list, which protects it against DNS rebinding"),
        ])
        .seen("an error status whose body mentions the host"),
    error("W352", "the server requires an existing session or connection id")
        .because("the answer reports that the id is missing or unknown")
        .help("create the session first and put its id into the URL; SignalR: `curl -X POST URL/negotiate?negotiateVersion=1`, then `?id=` with its connectionToken")
        .source("measured on SignalR")
        .causes(&[
            medium("the id in the URL is unknown or has expired, or a proxy drops the query", C::InQuery("id=")),
            medium("SignalR saw no WebSocket, which needs no id: a proxy removed Upgrade and Connection, or WebSockets are off in the server", C::WholeBody("connection id required"))
                .cure("make the proxy forward Upgrade and Connection: `wscope explain W320`; otherwise create the session first: `curl -X POST URL/negotiate?negotiateVersion=1`"),
            low("no id was sent"),
        ])
        .seen("a 4xx whose body mentions a session or connection id"),
    error("W353", "a proxy speaks plain HTTP to a TLS port behind it")
        .because("the body is the error page of a TLS port that received plain HTTP, and this port does not speak TLS itself")
        .help("make the proxy use TLS to its upstream; in nginx: `proxy_pass https://…`")
        .source("measured on nginx")
        .causes(&[
            high("the proxy's upstream speaks TLS", C::OtherSchemeFails),
            medium("the proxy's upstream speaks TLS", C::KeptAlive),
            medium("the proxy's upstream speaks TLS", C::OtherPageOfTls),
            medium("the proxy's upstream speaks TLS", C::Proxied).unless(&[C::OtherSchemeFails, C::KeptAlive]),
        ])
        .seen("such a page over wss://, over ws:// if the port itself does not speak TLS, or in an answer that keeps the connection"),
];
