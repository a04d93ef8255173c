//! Facts against a cause, and words without a reason. The first cause must be true for unusual
//! servers, too.

use crate::causes::{Told, answer, asks};
use crate::server::{End, Says, serve, serve_by};

fn is_for(request: &str, path: &str) -> bool {
    request.split(' ').nth(1).is_some_and(|target| target.split('?').next() == Some(path))
}

pub const OPEN: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                      Sec-WebSocket-Accept: x\r\n\r\n";

#[test]
fn an_upgrade_that_passes_elsewhere_is_not_lost_on_the_way() {
    // trio-websocket refuses like this at one path; other paths open.
    for server in ["", "Server: nginx/1.22.1\r\n"] {
        let port = serve_by(move |request| match asks(request) && !is_for(request, "/deny") {
            true => OPEN.to_vec(),
            false => answer("400 Bad Request", server, ""),
        });
        let told = Told::of(&["--diagnose"], port, "/deny");
        told.is("W323", "that this path needs is missing or wrong");
        told.lacks("removed Upgrade");
        told.lacks("forwards without Upgrade");
    }
}

#[test]
fn a_proxy_that_answers_502_to_a_plain_get_is_named() {
    // http-proxy without its target: it destroys the socket of an upgrade.
    let port = serve_by(|request| match asks(request) {
        true => Vec::new(),
        false => answer("502 Bad Gateway", "", "Bad gateway"),
    });
    for args in [&["--diagnose"][..], &["doctor"]] {
        let told = Told::of(args, port, "/");
        told.is("W107", "a proxy answers, which can't reach the application behind it");
        told.lacks("drops the upgrade");
    }
}

#[test]
fn what_a_framework_writes_for_any_ground_is_no_reason() {
    let html = "Content-Type: text/html; charset=utf-8\r\n";
    for (status, body, code) in [
        // Werkzeug, which Flask and Quart use.
        (
            "401 Unauthorized",
            "<!doctype html>\n<html lang=en>\n<title>401 Unauthorized</title>\n<h1>Unauthorized</h1>\n<p>The server could not verify that you are authorized to access the URL requested. You either supplied the wrong credentials (e.g. a bad password), or your browser doesn&#39;t understand how to supply the credentials required.</p>",
            "W326",
        ),
        (
            "403 Forbidden",
            "<title>403 Forbidden</title><h1>Forbidden</h1><p>You don&#39;t have the permission to access the requested resource. It is either read-protected or not readable by the server.</p>",
            "W332",
        ),
        (
            "500 Internal Server Error",
            "<title>500 Internal Server Error</title><h1>Internal Server Error</h1><p>The server encountered an internal error and was unable to complete your request. Either the server is overloaded or there is an error in the application.</p>",
            "W341",
        ),
        // A page with the frame of the whole site.
        (
            "403 Forbidden",
            "<!DOCTYPE html><html><head><title>Jupyter Server</title></head><body><noscript>Jupyter Server requires JavaScript. Please enable it to proceed.</noscript><h1>403 : Forbidden</h1></body></html>",
            "W332",
        ),
    ] {
        let port = serve_by(move |_| answer(status, html, body));
        let told = Told::of(&[], port, "/ws");
        assert_eq!(told.code(), code, "{}", told.text);
        told.lacks("its reason is");
        told.lacks("(high)");
    }
}

#[test]
fn an_exception_on_a_page_is_the_reason() {
    // Express in development mode.
    let page = "<!DOCTYPE html><title>Error</title><pre>TypeError: Cannot read properties of undefined (reading &#39;sid&#39;)<br> &nbsp; &nbsp;at /app/index.js:90:93</pre>";
    let port = serve_by(move |_| answer("500 Internal Server Error", "", page));
    let told = Told::of(&[], port, "/ws");
    told.is("W341", "TypeError: Cannot read properties of undefined (reading 'sid')");
    // ws4py under CherryPy, behind a proxy without Upgrade.
    let page = "<html><head><title>500 Internal Server Error</title></head><body><h2>500 Internal Server Error</h2><p>The server encountered an unexpected condition which prevented it from fulfilling the request.</p><pre id=\"traceback\">Traceback (most recent call last):\n  File \"/a.py\", line 133, in upgrade\n    raise HandshakeError('x')\nws4py.exc.HandshakeError: Header Upgrade is not defined\n</pre></body></html>";
    let server = "Server: nginx/1.22.1\r\n";
    let port = serve_by(move |_| answer("500 Internal Server Error", server, page));
    Told::of(&["--diagnose"], port, "/ws").is("W320", "forwards without Upgrade");
}

#[test]
fn credentials_count_wherever_they_are() {
    let port = serve_by(|_| answer("401 Unauthorized", "Connection: close\r\n", ""));
    let refused = "the credentials sent are wrong, expired, or for another audience";
    for (args, path, fact) in [
        (&[][..], "/ws?room=1&access_token=abc", "the parameter access_token was sent"),
        (&["-H", "X-Api-Key: abc"], "/ws", "a X-Api-Key header was sent"),
        (&["-s", "bearer.token.abc"], "/ws", "a subprotocol that carries credentials was offered"),
    ] {
        let told = Told::of(args, port, path);
        told.is("W326", refused);
        told.has(fact);
        told.lacks("no credentials were sent");
        told.lacks("abc");
    }
    Told::of(&[], port, "/ws?room=1").is("W326", "no credentials were sent");
}

#[test]
fn a_path_that_refuses_another_method_is_known() {
    // Litestar and Falcon under an ASGI server: 403 to every upgrade that they refuse.
    let port = serve_by(|request| match asks(request) {
        true => answer("403 Forbidden", "", ""),
        false => answer("405 Method Not Allowed", "", ""),
    });
    for args in [&["--diagnose"][..], &["doctor"]] {
        let told = Told::of(args, port, "/guarded");
        told.is("W332", "the application knows this path and refuses");
        told.lacks("no route");
    }
}

#[test]
fn what_can_not_be_told_apart_is_one_cause() {
    // Two possible causes: a wrong path, or a right path behind a proxy that shows no trace.
    let port = serve_by(|_| answer("404 Not Found", "", "404 Not Found"));
    let told = Told::of(&["--diagnose"], port, "/ws");
    told.is("W334", "a program without WebSocket, or Upgrade and Connection were lost on the way");
    // The server received the upgrade: it opens another path.
    let port = serve_by(|request| match asks(request) && !is_for(request, "/ws") {
        true => OPEN.to_vec(),
        false => answer("404 Not Found", "", "404 Not Found"),
    });
    Told::of(&["--diagnose"], port, "/ws").lacks("Upgrade and Connection");
}

#[test]
fn nginx_has_its_own_grounds_for_503() {
    let page = "<html><head><title>503 Service Temporarily Unavailable</title></head><body><center><h1>503 Service Temporarily Unavailable</h1></center><hr><center>nginx/1.22.1</center></body></html>";
    let port = serve_by(move |_| answer("503 Service Temporarily Unavailable", "", page));
    let told = Told::of(&[], port, "/");
    told.is("W344", "nginx answers itself: a limit of it");
    told.lacks("no working server");
}

#[test]
fn what_a_gateway_says_of_its_upstream_is_true_whoever_runs_it() {
    let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1><p>The remote server does not speak TLS.</p></body></html>";
    let port = serve_by(move |_| answer("502 Bad Gateway", "Server: mitmproxy 11.0.2\r\n", page));
    let told = Told::of(&[], port, "/");
    told.is("W343", "its reason is \"The remote server does not speak TLS.\"");
    told.lacks("W117");
}

#[test]
fn the_words_of_a_close_leave_no_guess_beside_them() {
    for (close, code, reason) in [
        (&b"\x88\x13\x03\xeaprotocol required"[..], "W702", "protocol required"),
        (b"\x88\x0f\x03\xebexpected JSON", "W703", "expected JSON"),
    ] {
        let told = Told::of(&[], serve(Says::Open("", close), End::Wait), "/");
        assert_eq!(told.code(), code, "{}", told.text);
        told.has(reason);
        told.lacks("possible");
    }
}

#[test]
fn who_was_hung_up_on_owes_no_pong() {
    // The server sends a masked frame, so this side has closed with 1002.
    let port = serve(Says::Open("", b"\x81\x82\x01\x02\x03\x04ik"), End::Stay);
    let told = Told::of(&["doctor"], port, "/");
    assert_eq!(told.code(), "W601", "{}", told.text);
    told.lacks("W623");
}

#[test]
fn the_bytes_of_an_illegal_frame_are_shown_as_sent() {
    // The length 221 in one byte: the mask bit is its top bit.
    let json = "{\"items\":[".to_owned() + &"\"item\",".repeat(40);
    let frame = [b"\x81\xdd", &json.as_bytes()[..221]].concat();
    let port = serve(Says::Open("", Box::leak(frame.into_boxed_slice())), End::Stay);
    let told = Told::of(&["--input", "none"], port, "/");
    assert_eq!(told.code(), "W601", "{}", told.text);
    told.has("81 dd 7b 22 69 74 65 6d 73 22 3a 5b");
    told.has("the server wrote the length 221 into one byte");
    told.lacks("echo");
}

#[test]
fn words_are_read_for_what_they_are_about() {
    let json = "Content-Type: application/json\r\n";
    for (status, headers, body, code, cause) in [
        // The text is about another kind of upgrade.
        (
            "426 Upgrade Required",
            json,
            "{\"message\":\"Please upgrade your app to 3.2\"}",
            "W323",
            "Please upgrade your app to 3.2",
        ),
        (
            "403 Forbidden",
            "WWW-Authenticate: Bearer error=\"insufficient_scope\"\r\n",
            "",
            "W332",
            "insufficient_scope",
        ),
        // The edge of a CDN sends such a page for any reason.
        (
            "403 Forbidden",
            "Server: AkamaiGHost\r\nContent-Type: text/html\r\n",
            "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1>You don't have permission to access \"http&#58;&#47;&#47;x\" on this server.<P>Reference&#32;&#35;18&#46;2d</BODY></HTML>",
            "W332",
            "the edge of the CDN or its firewall",
        ),
        // A client without a login gets the login page.
        (
            "200 OK",
            "Content-Type: text/html\r\n",
            "<html><title>Sign in</title><form><input type=\"password\"></form></html>",
            "W300",
            "the page is a login",
        ),
    ] {
        let port = serve_by(move |_| answer(status, headers, body));
        for args in [&[][..], &["--diagnose"]] {
            Told::of(args, port, "/ws").is(code, cause);
        }
    }
}
