//! W320 to W349: refusals.

use std::time::Duration;

use wscope::diagnostics::Facts;
use wscope::diagnostics::facts::{Trial, TrialOutcome, Variation};

use crate::golden::Golden;
use crate::support::Pair;

pub fn cases(golden: &mut Golden) {
    for (code, what, response) in ANSWERS {
        golden.verdict(code, what, &Pair::new("", response).facts());
    }
    paths(golden);
    let forbidden = "HTTP/1.1 403 Forbidden\r\nServer: TornadoServer/6.4\r\n\r\n";
    let pair = Pair::new("Origin: https://elsewhere.example\r\n", forbidden);
    let trials = [Trial {
        variation: Variation::OwnOrigin,
        what: "http://api.example".to_owned(),
        outcome: TrialOutcome::Opened,
    }];
    golden.verdict("W327", "tornado", &Facts { trials: &trials, ..pair.facts() });
    golden.verdict("W332", "with an Origin that is not probed", &pair.facts());
    let told = "HTTP/1.1 403 Forbidden\r\nServer: TornadoServer/6.6.1\r\n\r\n";
    let pair = Pair::new("Origin: https://elsewhere.example\r\n", told);
    let body = b"Cross origin websockets not allowed";
    golden.verdict("W327", "tornado, by its body", &Facts { body, ..pair.facts() });
    let pair = Pair::new("", "HTTP/1.1 403 Access denied\r\nServer: daphne\r\n\r\n");
    golden.verdict("W328", "Django Channels", &Facts { trials: &trials, ..pair.facts() });
    let pair = Pair::new("", "HTTP/1.1 504 Gateway Time-out\r\nServer: nginx/1.22.1\r\n\r\n");
    let response_after = Some(Duration::from_secs_f64(60.02));
    golden.verdict("W345", "nginx", &Facts { response_after, ..pair.facts() });
}

/// Paths that show a protocol.
fn paths(golden: &mut Golden) {
    for url in [
        "wss://api.example/socket.io/",
        "wss://api.example/sockjs/",
        "wss://api.example/graphql",
        "ws://api.example:15674/",
        "wss://api.example/mqtt",
    ] {
        let pair = Pair::new("", "HTTP/1.1 404 Not Found\r\n\r\n");
        golden.verdict("W334", "a path that says more", &Facts { url: Some(url), ..pair.facts() });
    }
}

const ANSWERS: &[(&str, &str, &str)] = &[
    (
        "W117",
        "squid, which nobody configured",
        "HTTP/1.1 400 Bad Request\r\nServer: squid/5.7\r\nX-Squid-Error: ERR_INVALID_REQ 0\r\n\r\n",
    ),
    ("W117", "a captive portal", "HTTP/1.1 511 Network Authentication Required\r\n\r\n"),
    (
        "W320",
        "nginx in front of ws, without the upgrade headers",
        "HTTP/1.1 426 Upgrade Required\r\nServer: nginx/1.22.1\r\nContent-Type: text/plain\r\n\r\n\
         Upgrade Required",
    ),
    (
        "W320",
        "tornado behind a proxy",
        "HTTP/1.1 400 Bad Request\r\nServer: TornadoServer/6.4\r\n\r\n\
         Can \"Upgrade\" only to \"WebSocket\".",
    ),
    (
        "W320",
        "13 is listed, and 13 was sent",
        "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13, 8, 7\r\n\r\n",
    ),
    (
        "W322",
        "ws",
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n\
         Missing or invalid Sec-WebSocket-Key header",
    ),
    (
        "W323",
        "ws with a path option",
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nBad Request",
    ),
    ("W323", "a status nobody expects", "HTTP/1.1 418 I'm a teapot\r\n\r\n"),
    (
        "W324",
        "Socket.IO without transport",
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n\
         {\"code\":0,\"message\":\"Transport unknown\"}",
    ),
    (
        "W324",
        "Socket.IO, another server's session",
        "HTTP/1.1 400 Bad Request\r\n\r\n{\"code\":1,\"message\":\"Session ID unknown\"}",
    ),
    (
        "W325",
        "nginx",
        "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n\
         <title>400 Request Header Or Cookie Too Large</title>",
    ),
    ("W325", "Node", "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n"),
    ("W326", "Basic", "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"api\"\r\n\r\n"),
    ("W329", "Envoy", "HTTP/1.1 403 Forbidden\r\nserver: istio-envoy\r\n\r\n"),
    (
        "W330",
        "Cloudflare",
        "HTTP/1.1 403 Forbidden\r\nServer: cloudflare\r\ncf-mitigated: challenge\r\n\
         CF-Ray: 8f0-FRA\r\nContent-Type: text/html\r\n\r\n<title>Just a moment...</title>",
    ),
    (
        "W331",
        "API Gateway",
        "HTTP/1.1 403 Forbidden\r\nx-amzn-RequestId: 1\r\n\r\n{\"message\":\"Forbidden\"}",
    ),
    ("W332", "uvicorn", "HTTP/1.1 403 Forbidden\r\nserver: uvicorn\r\n\r\n"),
    (
        "W333",
        "ActionCable",
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nPage not found",
    ),
    (
        "W321",
        "an old draft",
        "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8, 7\r\n\r\n",
    ),
    (
        "W320",
        "gorilla/websocket behind a proxy that lost Upgrade, Connection or the key",
        "HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Sec-Websocket-Version: 13\r\nX-Content-Type-Options: nosniff\r\n\r\nBad Request\n",
    ),
    (
        "W328",
        "gorilla/websocket, no Origin",
        "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Sec-Websocket-Version: 13\r\nX-Content-Type-Options: nosniff\r\n\r\nForbidden\n",
    ),
    (
        "W350",
        "a server that speaks one subprotocol",
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\nmissing subprotocol.",
    ),
    (
        "W328",
        "an accepted origin wanted",
        "HTTP/1.1 400 Bad Request\r\n\r\n\"null\" is not an accepted origin.",
    ),
    ("W321", "aiohttp", "HTTP/1.1 400 Bad Request\r\n\r\nUnsupported version: 12"),
    (
        "W352",
        "SignalR",
        "HTTP/1.1 400 Bad Request\r\nServer: Kestrel\r\n\r\nConnection ID required",
    ),
    (
        "W351",
        "Chrome's DevTools",
        "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\n\r\n\
         Host header is specified and is not an IP address or localhost.",
    ),
    (
        "W326",
        "ws with verifyClient",
        "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Type: text/html\r\n\r\nUnauthorized",
    ),
    (
        "W334",
        "Werkzeug",
        "HTTP/1.1 404 NOT FOUND\r\nServer: Werkzeug/3.0.1 Python/3.11.2\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>",
    ),
    (
        "W335",
        "uvicorn without a WebSocket library",
        "HTTP/1.1 404 Not Found\r\nserver: uvicorn\r\ncontent-type: application/json\r\n\r\n{\"detail\":\"Not Found\"}",
    ),
    ("W334", "nginx", "HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\nVia: 1.1 edge\r\n\r\n"),
    ("W335", "Django's runserver", "HTTP/1.1 404 Not Found\r\nServer: WSGIServer/0.2\r\n\r\n"),
    ("W336", "POST only", "HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\n\r\n"),
    ("W337", "406", "HTTP/1.1 406 Not Acceptable\r\n\r\n"),
    ("W338", "408", "HTTP/1.1 408 Request Timeout\r\n\r\n"),
    ("W339", "410", "HTTP/1.1 410 Gone\r\n\r\nuse /v2/stream"),
    ("W340", "429", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\n\r\n"),
    ("W341", "tornado", "HTTP/1.1 500 Internal Server Error\r\nServer: TornadoServer/6.4\r\n\r\n"),
    ("W341", "521 of somebody else", "HTTP/1.1 521 Odd\r\nServer: odd\r\n\r\n"),
    ("W343", "nginx", "HTTP/1.1 502 Bad Gateway\r\nServer: nginx/1.22.1\r\n\r\n"),
    ("W344", "haproxy", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n\r\n"),
    ("W346", "505", "HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n"),
    ("W347", "Cloudflare", "HTTP/1.1 521 Web server is down\r\nServer: cloudflare\r\n\r\n"),
    (
        "W349",
        "a 101 of HTTP/1.0",
        "HTTP/1.0 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    ),
];
