//! `-L`: hops, their limit, circles, and who learns what.

use super::{answer, client, values};
use crate::server::serve_next;

#[test]
fn each_hop_is_shown_and_followed() {
    client(["-L", "ws://127.0.0.1:{port}/old"])
        .server(|listener| {
            answer(&listener, "HTTP/1.1 302 Found\nLocation: /new\nContent-Length: 0\n\n");
            serve_next(&listener, |p| {
                let request = p.request();
                assert!(request.raw().starts_with(b"GET /new "));
                p.send(crate::peer::switching_protocols(&request, ""));
                p.text("Hello");
                p.close_first(1000, "done");
            });
        })
        .stdout("Hello\n")
        .stderr("wscope: note: redirect 1: 302 to ws://127.0.0.1:{port}/new\n")
        .status(0);
}

#[test]
fn exit_7_without_location_for_a_circle_and_beyond_the_limit() {
    client([])
        .server(|listener| {
            answer(&listener, "HTTP/1.1 302 Found\nLocation: /new\nContent-Length: 0\n\n");
        })
        .stderr("wscope: the server redirects the handshake: the WebSocket is at another path, or a login or default page is; the server answered 302 Found instead of 101 [..]\n...\n")
        .status(7);
    client(["-L"])
        .server(|listener| {
            answer(&listener, "HTTP/1.1 302 Found\nLocation: /\n\n");
        })
        .stderr(
            "wscope: redirect loop: ws://127.0.0.1:{port}/ was already requested\n\
             error[W313]: [..]\n...\n",
        )
        .status(7);
    client(["-q", "-L", "--max-redirs", "1"])
        .server(|listener| {
            answer(&listener, "HTTP/1.1 307 Go\nLocation: /1\n\n");
            answer(&listener, "HTTP/1.1 308 On\nLocation: /2\n\n");
        })
        .stderr("wscope: the server redirects to ws://127.0.0.1:{port}/2 after 1 redirects; [..]\n")
        .status(7);
}

#[test]
fn credentials_stay_with_their_origin() {
    let elsewhere = "HTTP/1.1 301 Moved\nLocation: http://localhost:{port}/there\n\n";
    for (option, sent) in [("-L", 0), ("--location-trusted", 1)] {
        let head = elsewhere.to_owned();
        client(["-q", "-4", option, "-u", "me:pw", "--cookie", "a=b"])
            .server(move |listener| {
                let port = listener.local_addr().expect("bound").port().to_string();
                let request = answer(&listener, &head.replace("{port}", &port));
                assert_eq!(values(&request, "Authorization"), ["Basic bWU6cHc="]);
                assert_eq!(values(&request, "Cookie"), ["a=b"]);
                serve_next(&listener, |p| {
                    let request = p.open();
                    assert_eq!(values(&request, "Authorization").len(), sent);
                    assert_eq!(values(&request, "Cookie").len(), sent);
                    p.close_first(1000, "done");
                });
            })
            .status(0);
    }
}

#[test]
fn a_cookie_of_the_response_makes_the_same_url_another() {
    let jar = tempfile::NamedTempFile::new().expect("a file");
    let path = jar.path().to_str().expect("a path");
    client(["-q", "-L", "--cookie-jar", path])
        .server(|listener| {
            answer(&listener, "HTTP/1.1 302 Found\nLocation: /\nSet-Cookie: id=7; Path=/\n\n");
            serve_next(&listener, |p| {
                let request = p.open_with("Set-Cookie: more=8; HttpOnly\r\n");
                assert_eq!(values(&request, "Cookie"), ["id=7"]);
                p.close_first(1000, "done");
            });
        })
        .status(0);
    let kept = std::fs::read_to_string(jar.path()).expect("a jar");
    assert!(kept.contains("127.0.0.1\tFALSE\t/\tFALSE\t0\tid\t7\n"), "{kept}");
    assert!(kept.contains("#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t0\tmore\t8\n"), "{kept}");
}

#[test]
fn the_handshake_mode_follows_too() {
    let output = crate::harness::Test::new()
        .args(["handshake", "-L", "ws://127.0.0.1:{port}/old"])
        .server(|listener| {
            answer(&listener, "HTTP/1.1 302 Found\nLocation: /new\n\n");
            serve_next(&listener, |p| {
                p.open();
                p.answer_close(1000);
            });
        })
        .stdout_any()
        .status(0);
    assert!(output.stdout().contains("redirect 1: 302 to ws://127.0.0.1:"), "{}", output.stdout());
}
