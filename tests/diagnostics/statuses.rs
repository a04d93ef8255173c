//! W300 to W313: a page or a redirect instead of a 101.

use wscope::diagnostics::Facts;

use crate::golden::Golden;
use crate::support::Pair;

pub fn cases(golden: &mut Golden) {
    pages(golden);
    redirects(golden);
}

fn pages(golden: &mut Golden) {
    for (code, what, response) in [
        (
            "W300",
            "Express",
            "HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\nContent-Type: text/html; charset=utf-8\r\n\
             \r\n<!doctype html><title>Home</title>",
        ),
        (
            "W301",
            "Server-Sent Events",
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"n\":1}\n\n",
        ),
        (
            "W302",
            "SockJS",
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nWelcome to SockJS!\n",
        ),
        (
            "W302",
            "SockJS, /info",
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n\
             {\"websocket\":true,\"origins\":[\"*:*\"],\"cookie_needed\":false,\"entropy\":1}",
        ),
        (
            "W303",
            "Engine.IO 4, polling",
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n\
             0{\"sid\":\"abc\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000}",
        ),
        ("W305", "no content", "HTTP/1.1 204 No Content\r\n\r\n"),
    ] {
        golden.verdict(code, what, &Pair::new("", response).facts());
    }
    let pair = Pair::new(
        "",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n\
         {\"errors\":[{\"message\":\"POST body missing\"}]}",
    );
    let url = Some("wss://api.example/graphql");
    golden.verdict("W304", "Apollo", &Facts { url, ..pair.facts() });
}

fn redirects(golden: &mut Golden) {
    for (code, what, response) in [
        (
            "W310",
            "a slash",
            "HTTP/1.1 301 Moved Permanently\r\nLocation: http://api.example/chat/\r\n\r\n",
        ),
        (
            "W311",
            "TLS forced",
            "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://api.example/chat\r\n\r\n",
        ),
        ("W312", "login", "HTTP/1.1 302 Found\r\nLocation: /accounts/login/?next=/chat\r\n\r\n"),
        ("W310", "a path alone", "HTTP/1.1 307 Temporary Redirect\r\nLocation: /chat/\r\n\r\n"),
        ("W310", "nowhere", "HTTP/1.1 302 Found\r\n\r\n"),
    ] {
        golden.verdict(code, what, &Pair::new("", response).facts());
    }
    let pair = Pair::new("", "HTTP/1.1 301 Moved\r\nLocation: https://api.example/chat\r\n\r\n");
    let hops = ["ws://api.example/chat", "wss://api.example/chat", "ws://api.example/chat"];
    let hops = hops.map(str::to_owned);
    golden.verdict("W313", "there and back", &Facts { hops: &hops, ..pair.facts() });
}
