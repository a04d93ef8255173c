//! A status other than 101, and a 101 that is not usable.

use crate::golden::Golden;
use crate::server::{End, Says};

#[test]
fn a_refusal_is_explained_by_its_content() {
    let mut golden = Golden::default();
    for (code, answer) in [
        ("W301", "200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: hi\n\n"),
        ("W305", "200 OK\r\nContent-Length: 2\r\n\r\nok"),
        ("W310", "302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"),
        ("W312", "302 Found\r\nLocation: https://id.example/login\r\nContent-Length: 0\r\n\r\n"),
        ("W320", "426 Upgrade Required\r\nContent-Length: 16\r\n\r\nUpgrade Required"),
        ("W321", "426 Upgrade Required\r\nSec-WebSocket-Version: 8\r\nContent-Length: 0\r\n\r\n"),
        ("W323", "400 Bad Request\r\nContent-Length: 11\r\n\r\nBad Request"),
        (
            "W324",
            "400 Bad Request\r\nContent-Length: 37\r\n\r\n{\"code\":0,\"message\":\"Transport unknown\"}",
        ),
        (
            "W326",
            "401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"api\"\r\nContent-Length: 0\r\n\r\n",
        ),
        ("W329", "403 Forbidden\r\nServer: istio-envoy\r\nContent-Length: 0\r\n\r\n"),
        ("W330", "403 Forbidden\r\ncf-mitigated: challenge\r\nContent-Length: 0\r\n\r\n"),
        ("W332", "403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
        (
            "W333",
            "404 Not Found\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\ne\r\nPage not found\r\n0\r\n\r\n",
        ),
        ("W334", "404 Not Found\r\nServer: nginx/1.22.1\r\nContent-Length: 0\r\n\r\n"),
        ("W335", "404 Not Found\r\nServer: uvicorn\r\nContent-Length: 0\r\n\r\n"),
        ("W336", "405 Method Not Allowed\r\nAllow: POST\r\nContent-Length: 0\r\n\r\n"),
        ("W339", "410 Gone\r\nContent-Length: 0\r\n\r\n"),
        ("W340", "429 Too Many Requests\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n"),
        ("W341", "500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
        ("W343", "502 Bad Gateway\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n"),
        ("W344", "503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"),
        ("W345", "504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n"),
        ("W347", "525 SSL Handshake Failed\r\nServer: cloudflare\r\nContent-Length: 0\r\n\r\n"),
        (
            "W204",
            "400 Bad Request\r\nContent-Length: 46\r\n\r\nThe plain HTTP request was sent to HTTPS port\n",
        ),
    ] {
        let answer: &'static str = Box::leak(format!("HTTP/1.1 {answer}").into_boxed_str());
        golden.server(code, &[], Says::Bytes(answer.as_bytes()), End::Hang);
    }
    golden.compare("refusals");
}

#[test]
fn a_101_that_breaks_a_rule_is_explained() {
    let mut golden = Golden::default();
    for (code, head) in [
        ("W401", "Upgrade: websocket\r\nConnection: Upgrade\r\n"),
        (
            "W402",
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n",
        ),
    ] {
        let answer: &'static str =
            Box::leak(format!("HTTP/1.1 101 Switching Protocols\r\n{head}\r\n").into_boxed_str());
        golden.server(code, &[], Says::Bytes(answer.as_bytes()), End::Wait);
    }
    for (code, args, headers) in [
        ("W410", &["-s", "mqtt"][..], "Sec-WebSocket-Protocol: chat\r\n"),
        ("W414", &["-s", "mqtt"], "Sec-WebSocket-Protocol: MQTT\r\n"),
        ("W420", &[], "Sec-WebSocket-Extensions: x-unheard-of\r\n"),
        ("W421", &[], "Sec-WebSocket-Extensions: permessage-deflate; =\r\n"),
        ("W422", &[], "Sec-WebSocket-Extensions: permessage-deflate; x=1\r\n"),
        (
            "W424",
            &[],
            "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99\r\n",
        ),
    ] {
        golden.server(code, args, Says::Open(headers, b""), End::Wait);
    }
    golden.compare("switching");
}
