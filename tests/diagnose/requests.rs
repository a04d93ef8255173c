//! Faults of our own request, as the program reports them, and a 101 whose head ended early.

use std::net::TcpListener;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::causes::{Told, answer};
use crate::server::{End, Says, serve, serve_all, serve_by, serve_open, switching};
use std::io::Write as _;

/// A token that was valid until 2001-09-09T01:46:40Z.
fn expired() -> String {
    let piece = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2ln", piece("{\"alg\":\"HS256\"}"), piece("{\"exp\":1000000000}"))
}

#[test]
fn an_expired_token_is_named_and_not_shown() {
    let port = serve_by(|_| answer("403 Forbidden", "", ""));
    let token = expired();
    let told = Told::of(&["--bearer", &token], port, "/ws");
    told.is("W332", "likely (medium): the token that was sent has expired");
    told.has("was valid until 2001-09-09T01:46:40Z");
    told.lacks(&token);
    let told = Told::of(&[], port, &format!("/ws?access_token={token}"));
    told.is("W332", "likely (medium): the token that was sent has expired");
    told.has("the token in the parameter access_token");
    let port = serve_by(|_| answer("401 Unauthorized", "WWW-Authenticate: Bearer\r\n", ""));
    let told = Told::of(&["--bearer", &token], port, "/ws");
    // A challenge asks for a login, and does not say what is wrong with the token.
    told.is("W326", "likely (medium): the token that was sent has expired");
    let port = serve_by(|_| answer("401 Unauthorized", "", "token expired"));
    let told = Told::of(&["--bearer", &token], port, "/ws");
    told.is("W326", "likely (high): the token that was sent has expired");
    let port = serve_open(|stream| stream.write_all(b"\x88\x02\x11\x31").ok());
    let told = Told::of(&["--bearer", &token], port, "/ws");
    told.has("likely (medium): the token that was sent has expired");
}

#[test]
fn a_value_that_was_never_filled_in_is_named() {
    let port = serve_by(|_| answer("403 Forbidden", "", ""));
    Told::of(&[], port, "/ws?token=").is("W332", "the parameter token is empty");
    Told::of(&[], port, "/rooms/{id}").is("W332", "the path still has the placeholder `{id}`");
    let told = Told::of(&["-H", "Authorization: Bearer <hunter>"], port, "/ws");
    told.is("W332", "the Authorization header still has a placeholder");
    told.lacks("hunter");
    let told = Told::of(&["--bearer", "abc"], port, "/rooms/7?cursor=null");
    told.lacks("placeholder");
    told.lacks("had no value");
    // A word for no value is no secret.
    Told::of(&[], port, "/ws?token=None").is("W332", "the parameter token is `None`");
}

#[test]
fn a_blank_line_before_the_proof_is_found_behind_it() {
    let bytes =
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                  \r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let port = serve(Says::Bytes(bytes), End::Wait);
    Told::of(&[], port, "/ws").is("W401", "likely (high): the head of the 101 ended early");
}

#[test]
fn a_socket_io_that_closes_a_websocket_for_polling_is_explained() {
    let port = serve_open(|stream| stream.write_all(b"\x88\x00").ok());
    let told = Told::of(&[], port, "/socket.io/?EIO=4&transport=polling");
    told.has("the URL asks for long polling, and a WebSocket was opened");
    told.has("write `transport=websocket`");
    let told = Told::of(&[], port, "/socket.io/?EIO=4&transport=websocket");
    told.lacks("long polling");
}

#[test]
fn a_trial_without_credentials_proves_nothing_if_the_request_opens_without_them() {
    // Only the request with the token is refused.
    let port = serve_by(|request| match request.contains("token=") {
        true => answer("403 Forbidden", "", ""),
        false => switching(request.as_bytes(), "").into_bytes(),
    });
    let lead = format!("h.example:{port}:127.0.0.1:{port}");
    let url = format!("ws://h.example:{port}/ws?token=undefined");
    let told = Told::run(&["--diagnose", "--connect-to", &lead, &url]);
    told.lacks("W351");
    told.has("the parameter token is `undefined`");
}

#[test]
fn a_refusal_on_the_default_port_is_compared_with_tls_on_its_default_port() {
    let port = serve_by(|_| answer("404 Not Found", "", ""));
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let secure =
        serve_all(listener, |stream| stream.write_all(b"\x15\x03\x03\x00\x02\x02\x28").ok());
    let plain = format!("h.example:80:127.0.0.1:{port}");
    let other = format!("h.example:443:127.0.0.1:{secure}");
    let lead = ["--connect-to", &plain, "--connect-to", &other];
    let told = Told::run(&[&lead[..], &["--diagnose", "ws://h.example/ws"]].concat());
    told.is("W334", "");
    told.has("with wss:// on port 443: ");
    // Without --diagnose, and on another port, there is no such trial.
    let told = Told::run(&[&lead[..], &["ws://h.example/ws"]].concat());
    told.lacks("on port 443");
    Told::of(&["--diagnose"], port, "/ws").lacks("with wss://");
}
