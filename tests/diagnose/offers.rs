//! Servers that refuse or drop an upgrade without a word, until it has what they want.

use crate::causes::{Told, answer, asks};
use crate::server::{serve_by, switching};

/// Whether a request offers this subprotocol, alone or in a list.
fn offers(request: &str, name: &str) -> bool {
    let line = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Protocol: "));
    line.is_some_and(|list| list.split(", ").any(|one| one == name))
}

/// A 101 that accepts this subprotocol.
fn accept(request: &str, name: &str) -> Vec<u8> {
    let chosen = format!("Sec-WebSocket-Protocol: {name}\r\n");
    switching(request.as_bytes(), &chosen).into_bytes()
}

const MODES: [&[&str]; 2] = [&["--diagnose"], &["doctor"]];

#[test]
fn a_subprotocol_that_the_path_suggests_is_tried() {
    let port = serve_by(|request| match asks(request) {
        true if offers(request, "xmpp") => accept(request, "xmpp"),
        // The page of prosody says no more than the status.
        true => answer(
            "501 Not Implemented",
            "Content-Type: text/html\r\n",
            "<title>501 Not Implemented</title><h1> 501 Not Implemented</h1><p>That&apos;s all I know.</p>",
        ),
        false => answer("200 OK", "", "hello"),
    });
    for mode in MODES {
        let told = Told::of(mode, port, "/xmpp-websocket");
        told.is("W350", "likely (high): the one that it wants was not offered");
        told.has("`-s xmpp`");
    }
}

#[test]
fn the_usual_subprotocols_are_tried_where_an_upgrade_is_dropped() {
    let port = serve_by(|request| match asks(request) {
        true if offers(request, "janus-protocol") => accept(request, "janus-protocol"),
        true => Vec::new(),
        false => answer("403 Forbidden", "", ""),
    });
    for mode in MODES {
        let told = Told::of(mode, port, "/");
        told.is("W107", "likely (high): the server requires a subprotocol");
        told.has("with the subprotocol janus-protocol: a WebSocket opens");
    }
}

#[test]
fn the_page_of_vite_names_its_subprotocol() {
    // It compares the whole header.
    let port = serve_by(|request| match asks(request) {
        true if request.contains("Sec-WebSocket-Protocol: vite-hmr\r\n") => {
            accept(request, "vite-hmr")
        }
        true => Vec::new(),
        false => answer(
            "200 OK",
            "Content-Type: text/html\r\n",
            "<script type=\"module\" src=\"/@vite/client\"></script>",
        ),
    });
    let told = Told::of(&["--diagnose"], port, "/");
    told.is("W107", "likely (high): the server requires a subprotocol");
    told.has("vite-hmr");
}

#[test]
fn the_servers_own_origin_is_tried_where_an_upgrade_is_dropped() {
    let port = serve_by(|request| match asks(request) {
        true if request.contains("Origin: http://127.0.0.1:") => {
            switching(request.as_bytes(), "").into_bytes()
        }
        true => Vec::new(),
        false => answer("200 OK", "", "hello"),
    });
    for mode in MODES {
        let told = Told::of(mode, port, "/.json");
        told.is("W107", "likely (high): the server requires its own Origin");
        told.has("with Origin: http://127.0.0.1:");
    }
}

#[test]
fn a_server_that_refuses_every_subprotocol_is_not_blamed_for_one() {
    let port = serve_by(|_| answer("400 Bad Request", "", ""));
    for mode in MODES {
        let told = Told::of(mode, port, "/mqtt");
        told.lacks("(high)");
        assert_eq!(told.code(), "W323", "{}", told.text);
    }
    let port = serve_by(|request| match asks(request) {
        true => Vec::new(),
        false => answer("200 OK", "", "hello"),
    });
    Told::of(&["--diagnose"], port, "/").lacks("requires a subprotocol, and");
    // The reason was given in words.
    let port = serve_by(|request| match offers(request, "mqtt") {
        true => accept(request, "mqtt"),
        false => answer("400 Bad Request", "", "room is required"),
    });
    Told::of(&["--diagnose"], port, "/").is("W323", "its reason is \"room is required\"");
}

#[test]
fn a_redirect_is_followed_in_a_trial() {
    for opens in [false, true] {
        let port = serve_by(move |request| match request.starts_with("GET /chat/ ") {
            true if opens && asks(request) => switching(request.as_bytes(), "").into_bytes(),
            true => answer("200 OK", "Content-Type: text/html\r\n", "<p>home</p>"),
            false => answer("301 Moved Permanently", "Location: /chat/\r\n", ""),
        });
        let told = Told::of(&["--diagnose"], port, "/chat");
        told.is(
            "W310",
            if opens { "a slash of the path is missing" } else { "no WebSocket at that path" },
        );
        if !opens {
            told.lacks("use `ws://");
        }
    }
}
