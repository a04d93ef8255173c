//! W320 to W349: error statuses where a 101 should be, and one in an old version.

use super::builder::{KNOWN, MEASURED, error, high, low, medium, warning};
use crate::diagnostics::{CatalogueEntry, Family};

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    error("W320", "a hop removed Upgrade from the request")
        .because("the server behaves as if it had not been asked to upgrade, though our request did ask")
        .help("make the proxy pass it; in nginx: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";`")
        .source("measured on nginx; nginx and haproxy documentation")
        .causes(&[high("a reverse proxy forwards without Upgrade and Connection, which are hop-by-hop headers"), medium("a CDN or firewall without WebSocket support"), low("the path leads to an HTTP handler that asks for an upgrade of another kind")])
        .seen("426 without Sec-WebSocket-Version, or an error whose body speaks of Upgrade"),
    error("W321", "the server wants another version of the protocol")
        .because("the answer lists the versions the server speaks")
        .help("ask for one it lists: `-H 'Sec-WebSocket-Version: 13'`")
        .source("RFC 6455 §4.4")
        .causes(&[high("the version header was changed or removed on the way, if 13 is listed"), low("the server speaks only an old draft")])
        .seen("an error status with a Sec-WebSocket-Version header"),
    error("W322", "the server rejects a WebSocket header")
        .because("the answer names a header of the handshake as missing or invalid")
        .help("compare with what was sent: `wscope handshake URL`; a proxy may rewrite or repeat the header")
        .source("measured on ws")
        .causes(&[high("a header given with -H replaces a default one"), medium("a proxy changed, removed or repeated it")])
        .seen("a 4xx whose body names a Sec-WebSocket header"),
    error("W323", "the server rejects the request without saying why")
        .because("the answer is a 4xx with nothing in it that tells the reason")
        .help("check the path and the query; ws with a path option answers 400 for every other path")
        .source("measured on ws and graphql-ws")
        .causes(&[high("the path is not the one the server was made for"), medium("a query parameter or header the application needs is missing")])
        .seen("a bare 400 Bad Request, or a 4xx with no entry of its own"),
    error("W324", "Engine.IO rejects the query")
        .because("a parameter of Socket.IO's transport is missing, old or wrong")
        .help("set `EIO=4&transport=websocket` and leave out `sid`; behind a load balancer use sticky sessions")
        .source("measured on real servers; Engine.IO protocol 4")
        .causes(&[high("transport is missing or EIO is not the server's version"), medium("sid is that of an old session, or another server's behind the balancer")])
        .seen("JSON with code 0 to 5, or the words Transport unknown, Session ID unknown, Unsupported protocol version")
        .more("The codes: 0 transport unknown, 1 session ID unknown, 2 bad handshake method, 3 bad request, 4 forbidden, 5 unsupported protocol version."),
    error("W325", "the request's head is too large")
        .because("the server limits the size of the headers, usually to 8 or 16 KB")
        .help("send fewer or shorter cookies and tokens")
        .source("measured on real servers; RFC 6585 §5")
        .causes(&[high("cookies have piled up"), medium("a long token in the URL")])
        .seen("431, or 400 with words about the header's size"),
    error("W326", "the server wants credentials, or refuses those it got")
        .because("the status is 401")
        .help("send them: `-H 'Authorization: Bearer TOKEN'`, or `wss://USER:PASSWORD@HOST/` for Basic")
        .source("RFC 6455 §4.1, RFC 9110 §15.5.2")
        .causes(&[high("no Authorization header or cookie was sent"), medium("the token has expired or is for another audience"), low("the API takes its token in the query or in the first message")])
        .seen("status 401"),
    error("W327", "the server refuses our Origin")
        .because("the server compares Origin with those it allows, and ours is not among them")
        .help("send an allowed one: `-o https://HOST`, or add yours to the server's list")
        .source("RFC 6455 §10.2; measured on tornado")
        .seen("403 as asked, 101 when the Origin is that of the site; or a body that names the origin"),
    error("W328", "the server refuses a request without Origin")
        .because("the host validator of Django Channels and others rejects a missing Origin")
        .help("send one: `-o https://HOST`")
        .source("Django Channels documentation")
        .seen("403 without Origin, another answer with it"),
    error("W329", "Envoy does not allow the upgrade")
        .because("the route has no upgrade_configs for websocket, or the header came twice")
        .help("add `upgrade_configs: [{upgrade_type: websocket}]` to the route, and set Upgrade in one hop only")
        .source("Envoy documentation and issues")
        .causes(&[high("the route has no upgrade_configs"), low("two proxies each add Upgrade, which makes websocket,websocket")])
        .seen("403 with Server envoy or istio-envoy"),
    error("W330", "a bot challenge was served")
        .because("a protection service wants a browser to solve a task before it lets anybody through")
        .help("put the path or this address on the service's allow list")
        .source(KNOWN)
        .seen("403 or 503 with cf-mitigated: challenge, or a challenge page"),
    error("W331", "API Gateway forbids the request")
        .because("the stage or path is wrong, or an authorizer refused")
        .help("put the stage into the path, as in `wss://ID.execute-api.REGION.amazonaws.com/STAGE`, and check the authorizer of `$connect`")
        .source(KNOWN)
        .causes(&[high("the stage is missing in the path"), medium("the authorizer of $connect refused")])
        .seen("403 with {\"message\":\"Forbidden\"} and an x-amzn header"),
    error("W332", "the application refused the connection")
        .because("the status is 403; ASGI servers send it when the application closes before it accepts")
        .help("try with the site's origin, `-o https://HOST`, then check the credentials and the application's log")
        .source("ASGI specification; Django Channels documentation")
        .causes(&[high("the application's check of user, token or origin said no"), medium("the path matches no route of the application"), low("a firewall in front refused")])
        .seen("403 with nothing in it that tells more"),
    error("W333", "Rails answers 404 for an Origin it does not allow")
        .because("ActionCable hides a refused Origin, and a request that is no upgrade, behind Page not found")
        .help("send one of the server's `allowed_request_origins`: `-o https://HOST`")
        .source("measured on real servers; Rails' connection base")
        .seen("404 in plain text with the body Page not found"),
    error("W334", "nothing lives at this path")
        .because("the status is 404, sent by the hop that its headers name")
        .help("check the path, and whether a proxy rewrites its prefix; common ones are `/ws`, `/cable`, `/socket.io/`, `/graphql`")
        .source("RFC 6455 §4.2.2")
        .causes(&[high("a wrong path"), medium("a proxy strips or adds a prefix"), low("the server hides a refusal behind 404")])
        .seen("status 404"),
    error("W335", "the server has no WebSocket support loaded")
        .because("a development server or a build without the WebSocket library answers, so the path is unknown to it")
        .help("run an ASGI server with WebSocket support, as in `pip install 'uvicorn[standard]'`")
        .source(KNOWN)
        .seen("404 from a WSGI development server or from uvicorn"),
    error("W336", "the method is not allowed")
        .because("only GET may upgrade, and only where the server has a handler for it")
        .help("leave the method as it is (GET) and check that the path has a handler for it")
        .source("RFC 6455 §4.1")
        .causes(&[high("the path belongs to an API that takes POST only"), low("the method was changed on the way")])
        .seen("status 405"),
    error("W337", "an HTTP handler negotiated content with the upgrade")
        .because("the route is not a WebSocket: it looked at Accept or Content-Type")
        .help("check the path, and read the body of the answer")
        .source("RFC 9110 §15.5.7, §15.5.16")
        .seen("status 406 or 415"),
    error("W338", "the server gave up waiting for the request")
        .because("the request's head did not arrive in time")
        .help("try again, and look for a proxy that holds requests back")
        .source("RFC 9110 §15.5.9")
        .causes(&[high("a slow link"), medium("a proxy buffers the request")])
        .seen("status 408"),
    error("W339", "the endpoint was retired or blocked")
        .because("the server says that this resource is gone, or withheld for legal reasons")
        .help("read the body of the answer for the new address")
        .source("RFC 9110 §15.5.11, RFC 7725 §3")
        .seen("status 410 or 451"),
    error("W340", "too many requests")
        .because("the server limits the rate of connections")
        .help("wait as long as Retry-After says, and reconnect with growing, random delays")
        .source("RFC 6455 §7.2.3, RFC 6585 §4")
        .seen("status 429"),
    error("W341", "the server failed in the handshake")
        .because("the application broke while answering a request that is in order")
        .help("try without extensions and subprotocols, `--no-compress`; then read the server's log")
        .source(MEASURED)
        .causes(&[high("an exception in the application's handler"), low("the server can't parse an extension parameter, as tornado")])
        .seen("status 500, or a 5xx with no entry of its own"),
    error("W343", "the proxy could not use its upstream")
        .because("a gateway got no valid answer from the server behind it")
        .help("check that the application runs on the address the proxy has for it, without TLS if the proxy uses none")
        .source("measured on nginx; RFC 9110 §15.6.3")
        .causes(&[high("the application is down or on another port"), medium("the proxy speaks plain text to a TLS upstream, or the other way round"), low("the upstream speaks HTTP/2 only")])
        .seen("status 502"),
    error("W344", "no healthy backend")
        .because("a balancer or gateway has no server to send the request to, or the server is overloaded")
        .help("check the health checks: a plain GET to a WebSocket path gets 426, which some balancers call unhealthy")
        .source("RFC 9110 §15.6.4")
        .causes(&[high("the application is down or starting"), medium("its health check fails")])
        .seen("status 503"),
    error("W345", "the backend took too long")
        .because("a gateway waited in vain for the server's answer to the upgrade")
        .help("look at what the application does before it accepts; compare the time with the proxy's timeouts of 30 or 60 s")
        .source("RFC 9110 §15.6.5")
        .causes(&[high("the application hangs in its handler"), medium("the proxy takes the upgrade for a request and waits for its end")])
        .seen("status 504"),
    error("W346", "the server refuses the HTTP version")
        .because("the upgrade needs HTTP/1.1, and the server or a proxy speaks another")
        .help("make the proxy speak HTTP/1.1 to its upstream; in nginx: `proxy_http_version 1.1;`")
        .source("measured on websockets; RFC 9110 §15.6.6")
        .seen("status 505"),
    error("W347", "Cloudflare could not reach the origin")
        .because("the status tells what went wrong between Cloudflare and the site's own server")
        .help("fix the origin, not the client")
        .source("Cloudflare documentation")
        .seen("status 520 to 530 with Server cloudflare")
        .more("520 unknown answer, 521 refused, 522 connection timed out, 523 unreachable, 524 answer timed out, 525 TLS handshake failed, 526 invalid certificate, 530 name not found."),
    error("W348", "the answer is not HTTP")
        .because("the first line is no status line")
        .help("check the port: another service answers there")
        .source("RFC 9112 §4")
        .seen("the first bytes are no HTTP/x.y and no greeting that is known"),
    warning("W349", "the 101 is written in HTTP/1.0")
        .about(Family::Agreement)
        .because("1xx statuses do not exist in HTTP/1.0")
        .help("make the server's status line `HTTP/1.1 101 Switching Protocols`")
        .source("RFC 6455 §4.2.2, RFC 9110 §15.2; measured on websockets")
        .causes(&[high("a proxy speaks HTTP/1.0 to the application, nginx's old default"), medium("a library for HTTP/1.0 wrote the answer")])
        .seen("a 101 whose status line has another version than HTTP/1.1"),
];
