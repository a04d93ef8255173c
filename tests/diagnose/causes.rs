//! Causes that only a comparison, the server's words or an action of this side shows. Each server
//! here sends the bytes of a real server, and the first cause must be the true one.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::golden::{typed, wscope};
use crate::server::{End, Says, receive, serve, serve_all, serve_by, serve_open, switching};

/// The output of the program, and its status.
pub struct Told {
    pub text: String,
    pub status: Option<i32>,
}

impl Told {
    pub fn of(args: &[&str], port: u16, path: &str) -> Self {
        let url = format!("ws://127.0.0.1:{port}{path}");
        Self::run(&[args, &[url.as_str()]].concat())
    }

    pub fn run(args: &[&str]) -> Self {
        let common: &[&str] = match args.first() {
            Some(&"doctor") => &[],
            _ => &["--input", "none", "--output", "none"],
        };
        let args = match args.split_first() {
            Some((&"doctor", rest)) => [&["doctor"], rest].concat(),
            _ => [common, args].concat(),
        };
        Self::read(wscope(&args))
    }

    /// Runs it with these lines on stdin.
    pub fn typed(args: &[&str], port: u16, lines: &str) -> Self {
        let url = format!("ws://127.0.0.1:{port}/");
        Self::read(typed(
            &[args, &["--input", "commands", "--output", "none", &url]].concat(),
            lines,
        ))
    }

    /// Runs it with this message on stdin.
    pub fn piped(args: &[&str], port: u16, message: &str) -> Self {
        let url = format!("ws://127.0.0.1:{port}/hub");
        Self::read(typed(
            &[args, &["--input", "whole", "--output", "none", &url]].concat(),
            message,
        ))
    }

    /// The lines are commands.
    pub fn commanded(args: &[&str], port: u16, lines: &str) -> Self {
        let url = format!("ws://127.0.0.1:{port}/hub");
        let input = ["--input", "commands", "--output", "none", &url];
        Self::read(typed(&[args, &input].concat(), lines))
    }

    fn read(output: std::process::Output) -> Self {
        let text = [output.stdout, output.stderr].concat();
        // Joins the lines of a wrapped sentence.
        let text = String::from_utf8_lossy(&text).replace("\n     ", " ");
        let text = text.split('\n').map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "));
        Self { text: text.collect::<Vec<_>>().join("\n"), status: output.status.code() }
    }

    pub fn code(&self) -> &str {
        let found = self.text.lines().find_map(|line| {
            let (severity, rest) = line.split_once('[')?;
            ["error", "warning", "note"].contains(&severity).then(|| rest.get(..4))?
        });
        found.unwrap_or("none")
    }

    /// The first named cause.
    pub fn cause(&self) -> &str {
        let named = |line: &&str| line.starts_with("= likely") || line.starts_with("= possible");
        self.text.lines().find(named).unwrap_or_default()
    }

    #[track_caller]
    pub fn is(&self, code: &str, cause: &str) {
        assert_eq!(self.code(), code, "{}", self.text);
        assert!(self.cause().contains(cause), "{cause}: {}", self.text);
    }

    #[track_caller]
    pub fn has(&self, text: &str) {
        assert!(self.text.contains(text), "{text}: {}", self.text);
    }

    #[track_caller]
    pub fn lacks(&self, text: &str) {
        assert!(!self.text.contains(text), "{text}: {}", self.text);
    }
}

pub fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}

pub fn asks(request: &str) -> bool {
    request.contains("Upgrade: websocket")
}

/// The same refusal that gorilla/websocket sends for every reason.
fn gorilla(status: &str) -> Vec<u8> {
    let (_, words) = status.split_once(' ').expect("a reason");
    let headers = "Content-Type: text/plain; charset=utf-8\r\nSec-Websocket-Version: 13\r\n\
                   X-Content-Type-Options: nosniff\r\n";
    answer(status, headers, &format!("{words}\n"))
}

#[test]
fn gorilla_lists_13_in_every_refusal_and_means_another_thing() {
    let port = serve_by(|_| gorilla("403 Forbidden"));
    let told = Told::of(&["-o", "https://evil.example"], port, "/ws");
    told.is("W327", "the Origin is not on the server's list; the request has Origin");
    told.has("-o http://127.0.0.1");
    Told::of(&[], port, "/ws").is("W328", "requires an Origin");
    // The Origin is that of the server, and a proxy changed Host.
    let own = format!("http://127.0.0.1:{port}");
    Told::of(&["-o", &own], port, "/ws").is("W327", "a proxy changes Host");
    let port = serve_by(|_| gorilla("400 Bad Request"));
    let told = Told::of(&["--diagnose"], port, "/ws");
    told.is("W320", "forwards without Upgrade");
    told.lacks("W321");
}

#[test]
fn only_an_origin_that_opens_the_way_is_named_as_the_cause() {
    let port = serve_by(|request| {
        match request.contains("Origin: http://127.0.0.1") {
        true => b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n".to_vec(),
        // ws does this if verifyClient returns false.
        false => answer("401 Unauthorized", "Connection: close\r\nContent-Type: text/html\r\n", "Unauthorized"),
    }
    });
    let told = Told::of(&["-o", "https://evil.example", "--diagnose"], port, "/");
    told.is("W327", "the Origin is not on the server's list");
    let told = Told::of(&["-o", "https://evil.example"], port, "/");
    told.is("W326", "the application refuses the Origin");
    assert_eq!(told.status, Some(7));
}

#[test]
fn who_hangs_up_is_not_taken_for_tls_once_tls_was_tried() {
    // Redis, PostgreSQL and a forwarder without a target end the connection after any bytes.
    let mute = serve_by(|_| Vec::new());
    let told = Told::of(&["--diagnose"], mute, "/");
    told.is("W107", "the service is not plain HTTP");
    told.lacks("speaks TLS");
    told.has("a plain GET without Upgrade: ");
    // Node's upgrade handler destroys the socket. nginx does the same with 444.
    let port = serve_by(|request| match request.starts_with("GET ") && !asks(request) {
        true => answer("404 Not Found", "Content-Type: text/plain\r\n", "Not Found"),
        false => Vec::new(),
    });
    for args in [&["--diagnose"][..], &["doctor"]] {
        let told = Told::of(args, port, "/");
        told.is("W107", "an HTTP server, or something in front of it, drops the upgrade");
        told.has("likely (high)");
        told.lacks("wss://` instead");
    }
}

#[test]
fn the_second_of_a_probe_is_not_that_of_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = serve_all(listener, |stream| {
        let mut buffer = [0; 4096];
        let n = stream.read(&mut buffer).ok()?;
        if asks(&String::from_utf8_lossy(&buffer[..n])) {
            // The time of Engine.IO's destroyUpgradeTimeout.
            stream.set_read_timeout(Some(Duration::from_millis(1000))).ok()?;
            let _ = stream.read(&mut buffer);
            return None;
        }
        // Node.js answers anything else.
        stream.write_all(&answer("404 Not Found", "", "")).ok()
    });
    // The machine may be busy, which changes the measured time. So the test has five tries.
    let told = |args| (0..5).any(|_| Told::of(args, port, "/").code() == "W108");
    assert!(told(&[]) && told(&["--diagnose"]));
}

#[test]
fn the_servers_own_words_come_first() {
    for (status, body, code) in [
        ("400 Bad Request", "missing subprotocol.", "W350"),
        ("400 Bad Request", "https://x is not an accepted origin.", "W328"),
        ("400 Bad Request", "Unsupported version: 12", "W321"),
        ("400 Bad Request", "Connection ID required", "W352"),
        ("404 Not Found", "No Connection with that ID", "W352"),
        ("400 Bad Request", "Invalid Host header", "W351"),
        (
            "500 Internal Server Error",
            "Host header is specified and is not an IP address or localhost.",
            "W351",
        ),
        ("403 Forbidden", "{\"error\":{\"message\":\"Invalid API key\"}}", "W326"),
        ("403 Forbidden", "<html><body><h1>Bad CSRF token</h1></body></html>", "W332"),
        ("400 Bad Request", "{\"error\":\"Origin not allowed\"}", "W328"),
        ("200 OK", "please upgrade to a WebSocket", "W320"),
        ("400 Bad Request", "unknown room lobby-7", "W323"),
    ] {
        let port = serve_by(move |_| answer(status, "", body));
        let told = Told::of(&[], port, "/");
        assert_eq!(told.code(), code, "{body}: {}", told.text);
        told.lacks("without a reason");
    }
    let port = serve_by(|_| answer("400 Bad Request", "", "Bad Request"));
    Told::of(&[], port, "/").has("without a reason");
    let port = serve_by(|_| answer("400 Bad Request", "", "the moon is full"));
    let told = Told::of(&[], port, "/");
    told.has("< the moon is full");
    told.lacks("without a reason");
    // The body is shown only once, with the answer.
    let told = Told::of(&["-v"], port, "/");
    told.has("< the moon is full");
    told.lacks("= seen: the server's message");
    // doctor does not show the answer, so the diagnosis has the words.
    Told::of(&["doctor"], port, "/").has("= seen: the server's message: the moon is full");
}

#[test]
fn a_word_of_a_body_is_a_whole_word() {
    for (status, body, code) in [
        // A gateway describes the server behind it.
        ("502 Bad Gateway", "localhost is not reachable", "W343"),
        ("502 Bad Gateway", "unknown host api.internal", "W343"),
        ("502 Bad Gateway", "The backend host is not responding", "W343"),
        ("502 Bad Gateway", "the upstream requires TLS", "W343"),
        ("503 Service Unavailable", "upstream host is not available", "W344"),
        ("500 Internal Server Error", "Ghost is not configured", "W341"),
        ("500 Internal Server Error", "the database host is not allowed", "W341"),
        ("429 Too Many Requests", "quota: this hostel has no rooms", "W340"),
        ("429 Too Many Requests", "too many connections from this host", "W340"),
        ("401 Unauthorized", "token for localhost is not valid", "W326"),
        ("404 Not Found", "Cannot find this hosted file", "W334"),
        ("403 Forbidden", "the room's host is not online", "W332"),
        ("403 Forbidden", "rejected because https://x.example says so", "W332"),
        ("403 Forbidden", "the id must be verified because use https://x.example", "W332"),
        ("403 Forbidden", "not allowed to use https tunnelling here", "W332"),
        ("403 Forbidden", "banned; use https://help.example/ to appeal", "W332"),
        ("403 Forbidden", "see the blog in the footer", "W332"),
        ("403 Forbidden", "corsairs stay outside", "W332"),
        ("400 Bad Request", "Unexpected token o in JSON at position 1", "W323"),
        // These texts are about this request.
        ("403 Forbidden", "please use HTTPS", "W204"),
        ("403 Forbidden", "you have to use https instead of http", "W204"),
        ("403 Forbidden", "use wss://", "W204"),
        ("400 Bad Request", "Invalid hostname", "W351"),
        ("403 Forbidden", "Host is not in the list", "W351"),
        ("400 Bad Request", "DisallowedHost at /ws", "W351"),
        ("403 Forbidden", "AccessTokenExpired", "W326"),
        ("403 Forbidden", "{\"error\":\"invalid_token\"}", "W326"),
        ("403 Forbidden", "Unauthorized client", "W326"),
        ("400 Bad Request", "the connection was not upgraded", "W320"),
        ("400 Bad Request", "subprotocols missing", "W350"),
        ("403 Forbidden", "you are being throttled", "W340"),
    ] {
        let port = serve_by(move |_| answer(status, "", body));
        let told = Told::of(&[], port, "/");
        assert_eq!(told.code(), code, "{body}: {}", told.text);
    }
}

#[test]
fn what_wscopes_own_proxy_says_of_its_upstream_is_the_cause() {
    for why in [
        "the certificate of localhost is not accepted: self-signed certificate",
        "cannot connect to 127.0.0.1:9: connection refused",
        "the client certificate is missing, and the origin requires https",
    ] {
        let body = format!("wscope proxy: {why}\n");
        let port = serve_by(move |_| answer("502 Bad Gateway", "", &body));
        for args in [&[][..], &["--diagnose"]] {
            let told = Told::of(args, port, "/");
            told.is("W343", &format!("its reason is \"{why}\""));
            told.lacks("--host NAME");
        }
    }
}

#[test]
fn a_proxy_that_loses_the_upgrade_is_told_from_a_wrong_path() {
    // Express behind nginx: the upgrade and a plain GET get the same page.
    let port = serve_by(|request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>Cannot GET {path}</pre>\n</body>\n</html>\n"
        );
        answer("404 Not Found", "Server: nginx/1.22.1\r\nX-Powered-By: Express\r\n", &page)
    });
    let told = Told::of(&["--diagnose"], port, "/ws");
    told.is("W334", "a proxy forwards without Upgrade");
    told.has("the page is Express's for a plain request; Server: nginx/1.22.1");
    Told::of(&[], port, "/ws").is("W334", "a proxy forwards without Upgrade");
    // nginx's own page: no program behind it received the request.
    let own = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";
    let port = serve_by(move |_| answer("404 Not Found", "Server: nginx/1.22.1\r\n", own));
    let told = Told::of(&["--diagnose"], port, "/ws");
    told.is("W334", "the server in front answered itself");
    told.lacks("without Upgrade and Connection");
    // Flask behind nginx.
    let flask = "<!doctype html>\n<html lang=en>\n<title>400 Bad Request</title>\n<h1>Bad Request</h1>\n<p>The browser (or proxy) sent a request that this server could not understand.</p>\n";
    let port = serve_by(move |_| answer("400 BAD REQUEST", "Server: nginx/1.22.1\r\n", flask));
    Told::of(&["--diagnose"], port, "/ws").is("W323", "a proxy forwards without Upgrade");
    // Werkzeug without a proxy.
    let port = serve_by(|_| {
        answer(
            "404 NOT FOUND",
            "Server: Werkzeug/3.0.1 Python/3.11.2\r\n",
            "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>\n",
        )
    });
    Told::of(&[], port, "/ws").is("W334", "a wrong path");
}

#[test]
fn engine_io_says_by_its_code_what_it_dislikes() {
    let bad = |code: u8, message: &str| {
        let body = format!("{{\"code\":{code},\"message\":\"{message}\"}}");
        serve_by(move |_| answer("400 Bad Request", "Content-Type: application/json\r\n", &body))
    };
    let right = "/socket.io/?EIO=4&transport=websocket";
    let told = Told::of(&[], bad(3, "Bad request"), right);
    told.is("W320", "a reverse or transparent proxy forwards without Upgrade");
    let told = Told::of(&[], bad(5, "Unsupported protocol version"), right);
    told.is("W324", "EIO is not a version");
    told.has("EIO=3");
    Told::of(&[], bad(0, "Transport unknown"), "/socket.io/").is("W324", "transport is missing");
    let told =
        Told::of(&[], bad(1, "Session ID unknown"), "/socket.io/?EIO=4&transport=websocket&sid=x");
    told.is("W324", "sid belongs to an expired session");
}

#[test]
fn a_close_right_behind_the_101_is_doctors_verdict() {
    for (code, reason) in
        [(4406, "no"), (1002, ""), (1008, "policy"), (1011, "oops"), (4401, "who?")]
    {
        let port = serve_open(move |stream| {
            let mut close = vec![0x88, 2 + reason.len() as u8];
            close.extend_from_slice(&u16::to_be_bytes(code));
            close.extend_from_slice(reason.as_bytes());
            stream.write_all(&close).ok()?;
            stream.read_to_end(&mut Vec::new()).ok().map(drop)
        });
        let told = Told::of(&["doctor", "--idle", "0"], port, "/");
        let first = told.text.lines().next().unwrap_or_default();
        let expected = format!("opens, but not healthy: the server closed with {code} ");
        assert!(first.starts_with(&expected) && first.contains(reason), "{}", told.text);
        assert_eq!(told.status, Some(11), "{}", told.text);
        let connect = Told::of(&[], port, "/");
        assert_eq!(connect.code(), told.code());
    }
    let port = serve_open(|stream| {
        stream.write_all(b"\x88\x00").ok()?;
        stream.read_to_end(&mut Vec::new()).ok().map(drop)
    });
    let told = Told::of(&[], port, "/wrong");
    told.is("W705", "the application does not know the path");
    told.has("closed at once, before any message");
    assert_eq!(told.status, Some(0));
    assert_eq!(Told::of(&["doctor", "--idle", "0"], port, "/").status, Some(13));
}

#[test]
fn an_end_in_the_middle_of_traffic_is_no_timer() {
    // A server that never answers a Close.
    let port = serve_open(|stream| {
        let _ = stream.read(&mut [0; 512]).ok()?;
        stream.write_all(b"\x81\x02yo").ok()?;
        stream.read(&mut [0; 512]).ok().map(drop)
    });
    let told = Told::typed(&["-v"], port, "hi\n/expect yo\n/close\n");
    assert_eq!(told.status, Some(0), "{}", told.text);
    told.lacks("timer");
    told.lacks("W801");
    // A handler fails with an exception on our message.
    let port = serve_open(|stream| stream.read(&mut [0; 512]).ok().map(drop));
    let told = Told::of(&["-x", "hi", "-w", "-1"], port, "/");
    told.is("W801", "the peer's application ended its handler");
    told.lacks("--ping-interval");
    assert_eq!(told.status, Some(10));
}

#[test]
fn http_behind_the_close_is_one_line() {
    let port = serve_open(|stream| {
        stream.write_all(b"\x81\x02yo\x88\x02\x03\xe8HTTP/1.1 200 OK\r\nServer: Werkzeug/3.0.1 Python/3.11.2\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok()?;
        stream.read_to_end(&mut Vec::new()).ok().map(drop)
    });
    let told = Told::of(&["-vv"], port, "/");
    assert_eq!(told.status, Some(0), "{}", told.text);
    assert!(told.text.matches("! W").count() <= 1, "{}", told.text);
    told.lacks("another thread");
    // The response may come instead of an answer to our Close.
    let port = serve_open(|stream| {
        let _ = stream.read(&mut [0; 512]).ok()?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nServer: Werkzeug/3.1.9 Python/3.11.7\r\nContent-Length: 0\r\n\r\n").ok()?;
        None
    });
    let told = Told::of(&["-w", "0"], port, "/");
    assert_eq!(told.status, Some(0), "{}", told.text);
    told.lacks("W605");
}

#[test]
fn a_silence_is_told_with_its_length_and_a_ping_that_cures_it() {
    let port = serve_open(|stream| {
        stream.write_all(b"\x81\x02yo").ok()?;
        // The timer also ends connections that answer pings.
        stream.set_read_timeout(Some(Duration::from_millis(1500))).ok()?;
        while let Ok(n @ 1..) = stream.read(&mut [0; 512]) {
            if n > 6 {
                stream.write_all(b"\x8a\x0dwscope doctor").ok()?;
            }
        }
        None
    });
    let told = Told::of(&[], port, "/");
    told.is("W804", "possible: a timer of the peer, or of a proxy");
    told.has("possible: the peer's process, or its application, ended at that moment");
    told.has("cut after 1.5 s without traffic");
    told.has("`--ping-interval 0.7`");
    assert_eq!(told.status, Some(10));
    let told = Told::of(&["doctor", "--idle", "3"], port, "/");
    assert!(
        told.text.starts_with("opens, but not healthy: cut after 1.5 s without traffic"),
        "{}",
        told.text
    );
    assert_eq!(told.status, Some(10));
    // The same server, but with a Close.
    let port = serve_open(|stream| {
        stream.set_read_timeout(Some(Duration::from_millis(1200))).ok()?;
        while let Ok(1..) = stream.read(&mut [0; 512]) {
            stream.write_all(b"\x8a\x0dwscope doctor").ok()?;
        }
        stream.write_all(b"\x88\x02\x03\xe9").ok()?;
        stream.set_read_timeout(None).ok()?;
        stream.read_to_end(&mut Vec::new()).ok().map(drop)
    });
    let told = Told::of(&["doctor"], port, "/");
    told.has("the peer closed after 1.2 s without traffic");
    told.has("`--ping-interval 0.6`");
    assert_eq!(told.status, Some(13), "{}", told.text);
}

#[test]
fn a_pong_that_was_cut_is_an_answer_and_no_silence() {
    let port = serve_open(|stream| {
        let mut buffer = [0; 512];
        loop {
            let n = stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
            match buffer[0] {
                0x89 if n >= 19 => stream.write_all(b"\x8a\x0awscope doc").ok()?,
                0x88 => stream.write_all(b"\x88\x02\x03\xe8").ok()?,
                _ => {}
            }
        }
    });
    let told = Told::of(&["doctor", "--idle", "0"], port, "/");
    told.has("odd ping answered with a payload cut to 10 bytes (§5.5.3)");
    assert_eq!((told.code(), told.status), ("W622", Some(0)), "{}", told.text);
}

#[test]
fn credentials_that_were_sent_are_not_missing() {
    let basic = "WWW-Authenticate: Basic realm=\"api\"\r\n";
    let port = serve_by(move |_| answer("401 Unauthorized", basic, ""));
    let told = Told::of(&["-u", "me:hunter2"], port, "/");
    told.is("W326", "the credentials sent are wrong");
    told.has("Authorization: Basic was sent");
    told.lacks("hunter2");
    // The server asks for an Authorization, which a cookie is not.
    let told = Told::of(&["--cookie", "a=b"], port, "/");
    told.is("W326", "(high): no Authorization was sent");
    told.has("likely (medium): the credentials sent are wrong");
    Told::of(&[], port, "/").is("W326", "no credentials were sent");
    let digest = "WWW-Authenticate: Digest realm=\"api\", nonce=\"n\", qop=\"auth\"\r\n";
    let port = serve_by(move |_| answer("401 Unauthorized", digest, ""));
    Told::of(&["--bearer", "t0ken"], port, "/")
        .is("W326", "the server requires another authentication scheme");
}

#[test]
fn a_password_that_is_a_word_of_the_verdict_is_not_given_away_by_it() {
    let port = serve_by(|_| answer("401 Unauthorized", "WWW-Authenticate: Basic\r\n", "wrong: no"));
    for command in [&["-u", "me:wrong"][..], &["doctor", "-u", "me:wrong"]] {
        let told = Told::of(command, port, "/");
        told.has("the credentials sent are wrong");
        told.lacks("are [redacted]");
        told.lacks("wrong: no");
    }
}

#[test]
fn a_digest_challenge_is_answered() {
    let challenge = "WWW-Authenticate: Digest realm=\"cam\", nonce=\"abc\", algorithm=SHA-256, qop=\"auth\", opaque=\"o\"\r\n";
    let port = serve_by(move |request| {
        let right = request.contains("\r\nAuthorization: Digest username=\"me\", realm=\"cam\", nonce=\"abc\", uri=\"/ws\", response=\"")
            && request.contains("algorithm=SHA-256, qop=auth, nc=00000001, cnonce=\"")
            && request.contains("opaque=\"o\"");
        match right {
            true => answer("418 I'm a teapot", "", "let in"),
            false => answer("401 Unauthorized", challenge, ""),
        }
    });
    let told = Told::of(&["-v", "-u", "me:hunter2"], port, "/ws");
    told.has("418 I'm a teapot");
    told.has("the server requires Digest authorization");
    told.lacks("hunter2");
    // doctor accepts the options of connect.
    Told::of(&["doctor", "-u", "me:hunter2"], port, "/ws").has("418 I'm a teapot");
    // wscope asks only once for a password that the server refuses.
    let port = serve_by(move |_| answer("401 Unauthorized", challenge, ""));
    let told = Told::of(&["-u", "me:wrong"], port, "/ws");
    told.is("W326", "the credentials sent are");
}

#[test]
fn doctor_sends_the_credentials_that_connect_sends() {
    for (args, header) in [
        (&["-u", "me:pw"][..], "Authorization: Basic bWU6cHc="),
        (&["--bearer", "t0ken"], "Authorization: Bearer t0ken"),
        (&["--cookie", "a=b"], "Cookie: a=b"),
    ] {
        let port = serve_by(move |request| match request.contains(header) {
            true => answer("418 I'm a teapot", "", ""),
            false => answer("401 Unauthorized", "", ""),
        });
        let told = Told::of(&[&["doctor"], args].concat(), port, "/");
        told.has("; the server answered 418");
        assert_eq!(told.status, Some(7));
    }
}

#[test]
fn a_proxy_is_named_with_its_address_and_the_variable() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = closed.local_addr().expect("bound").port();
    drop(closed);
    let proxy = format!("http://127.0.0.1:{port}");
    let told = Told::run(&["--proxy", &proxy, "ws://server.invalid/"]);
    assert_eq!((told.code(), told.status), ("W115", Some(5)), "{}", told.text);
    told.has(&format!("the proxy is {proxy}"));
    told.lacks("W103");
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = serve_all(silent, |stream| stream.read_to_end(&mut Vec::new()).ok().map(drop));
    let proxy = format!("http://127.0.0.1:{port}");
    let told =
        Told::run(&["--proxy", &proxy, "--handshake-timeout", "200ms", "ws://server.invalid/"]);
    assert_eq!(told.code(), "W116", "{}", told.text);
    told.lacks("Node.js");
    // It speaks SOCKS alone, and says so.
    let port = serve_by(|_| b"HTTP/1.0 501 Tor is not an HTTP Proxy\r\n\r\n".to_vec());
    let proxy = format!("http://127.0.0.1:{port}");
    let told = Told::run(&["--proxy", &proxy, "ws://server.invalid/"]);
    told.has(&format!("use the scheme of SOCKS: `--proxy socks5h://127.0.0.1:{port}`"));
    // wscope speaks SOCKS to an HTTP proxy.
    let port = serve_by(|_| answer("400 Bad Request", "", ""));
    let proxy = format!("socks5h://127.0.0.1:{port}");
    let told = Told::run(&["--proxy", &proxy, "ws://server.invalid/"]);
    assert_eq!(told.code(), "W112", "{}", told.text);
    told.has("it seems to speak HTTP: use http://");
}

#[test]
fn who_broke_the_rule_is_not_the_peer() {
    let port = serve_open(|stream| {
        let _ = stream.read(&mut [0; 512]).ok()?;
        stream.write_all(b"\x88\x02\x03\xea").ok()?;
        stream.read_to_end(&mut Vec::new()).ok().map(drop)
    });
    let told = Told::typed(&["-w", "-1"], port, "/frame rsv2=on hi\n");
    told.is("W702", "this side sent an illegal frame, and the peer rejected it");
    told.lacks("W623");
    let told = Told::typed(&["-w", "-1"], port, "/bytes b1 80 00000000\n");
    told.is("W702", "this side sent an illegal frame, and the peer rejected it");
    let told = Told::typed(&["-w", "-1"], port, "/bytes 81 83 00000000\n/bytes ffffff\n");
    told.is("W702", "the bytes sent by hand are not legal frames here");
    // A peer that ends TCP instead.
    let port = serve_open(|stream| stream.read(&mut [0; 512]).ok().map(drop));
    let told = Told::typed(&["-w", "-1"], port, "/bytes 81 02 6869\n");
    told.is("W801", "this side sent an illegal frame");
}

#[test]
fn a_ping_between_compressed_fragments_is_named_where_the_peer_is_lost_on_it() {
    // wsproto and tornado lose the connection because of such a ping.
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = serve_all(listener, |stream| {
        let request = receive(stream);
        let deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
        stream.write_all(switching(&request, deflate).as_bytes()).ok()?;
        let mut heard = Vec::new();
        let mut buffer = [0; 512];
        // The last fragment has FIN and opcode 0.
        while !heard.contains(&0x80) {
            let n = stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
            heard.extend_from_slice(&buffer[..n]);
        }
        None
    });
    let line = "/fragment 3 ping a message of some length, some length, some length\n";
    let told = Told::typed(&["-w", "-1"], port, line);
    told.is("W801", "a control frame between the fragments of a compressed message");
    told.lacks("a timer");
    told.lacks("W623");
    let told = Told::typed(&["-w", "-1", "--no-compress"], port, line);
    told.lacks("a control frame between");
}

#[test]
fn a_netrc_that_is_refused_was_sent() {
    let netrc = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(netrc.path(), "machine 127.0.0.1 login me password pw\n").expect("a disk");
    let file = netrc.path().to_str().expect("a path");
    let port =
        serve_by(|_| answer("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", ""));
    for args in [&["--netrc-file", file][..], &["doctor", "--netrc-file", file]] {
        let told = Told::of(args, port, "/");
        told.is("W326", "the credentials sent are wrong");
        told.lacks("no credentials were sent");
    }
}

#[test]
fn tls_that_ends_without_http_is_tls_all_the_same() {
    // A port that speaks only HTTP/2 sends this alert to a client that offers http/1.1.
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = serve_all(listener, |stream| {
        let mut first = [0; 1024];
        let n = stream.read(&mut first).ok()?;
        if first[..n].starts_with(&[22, 3]) {
            stream.write_all(&[21, 3, 3, 0, 2, 2, 120]).ok()?;
            let _ = stream.read_to_end(&mut Vec::new());
        }
        None
    });
    for args in [&["--diagnose"][..], &["doctor"]] {
        let told = Told::of(args, port, "/");
        told.is("W107", "the port speaks TLS");
        told.has("likely (high)");
    }
}

#[test]
fn a_refused_subprotocol_and_a_refused_host_are_found_by_comparison() {
    let open = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n";
    // libwebsockets does this.
    let port = serve_by(|request| match request.contains("Sec-WebSocket-Protocol") {
        true => Vec::new(),
        false => open.to_vec(),
    });
    Told::of(&["-s", "chat", "--diagnose"], port, "/")
        .is("W107", "the server refuses the subprotocol");
    let port = serve_by(|request| match request.contains("Host: a.example") {
        true => answer("400 Bad Request", "", "Bad Request"),
        false => open.to_vec(),
    });
    Told::of(&["--host", "a.example", "--diagnose"], port, "/")
        .is("W351", "the Host that was sent");
}

#[test]
fn an_answer_that_keeps_the_connection_is_that_of_a_proxy_before_a_tls_port() {
    let page = "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>";
    for (headers, code) in
        [("Connection: close\r\n", "W204"), ("Server: nginx\r\nConnection: keep-alive\r\n", "W353")]
    {
        let port = serve_by(move |_| answer("400 Bad Request", headers, page));
        assert_eq!(Told::of(&[], port, "/").code(), code);
    }
}

#[test]
fn a_reason_phrase_and_a_header_are_the_servers_words_too() {
    for (status, headers, body, code) in [
        // autobahn
        ("400 WebSocket connection denied: origin 'x' not allowed", "", "", "W327"),
        // websocket-node
        ("403 Forbidden", "X-WebSocket-Reject-Reason: bad origin\r\n", "", "W327"),
        ("400 Bad Request", "", "Unsupported HTTP version: b'HTTP/1.0'", "W346"),
        ("403 Forbidden", "", "HTTPS required", "W204"),
        ("403 Forbidden", "", "Host not in allowlist", "W351"),
        ("403 Forbidden", "", "Maximum number of connections reached", "W340"),
    ] {
        let port = serve_by(move |_| answer(status, headers, body));
        assert_eq!(
            Told::of(&["-o", "http://x.example"], port, "/").code(),
            code,
            "{status} {body}"
        );
    }
    // The server's reason is the cause, in the first line. A sentence without a reason is no cause.
    let port = serve_by(|_| answer("403 Forbidden", "", "{\"error\":\"user is banned\"}"));
    let told = Told::of(&[], port, "/");
    told.is("W332", "its reason is \\\"user is banned\\\"".replace("\\", "").as_str());
    let port = serve_by(|_| answer("403 Forbidden", "", "Access denied"));
    Told::of(&[], port, "/").is("W332", "the application requires credentials");
}

#[test]
fn the_first_line_names_the_cause() {
    let port = serve_by(|_| answer("404 Not Found", "", ""));
    for args in [&[][..], &["--diagnose"], &["doctor"]] {
        let told = Told::of(args, port, "/");
        let first = told.text.lines().next().unwrap_or_default().to_owned();
        assert!(first.contains(": there is no WebSocket at this path: a wrong path"), "{first}");
    }
}

/// A listener at one loopback address. At the other address, a bound socket refuses on the same
/// port, so that no other test gets it.
fn at_one(here: &str, there: &str) -> (TcpListener, Socket) {
    loop {
        let listener = TcpListener::bind(format!("{here}:0")).expect("loopback");
        let port = listener.local_addr().expect("bound").port();
        let other: SocketAddr = format!("{there}:{port}").parse().expect("an address");
        let held = Socket::new(Domain::for_address(other), Type::STREAM, None).expect("a socket");
        if held.bind(&other.into()).is_ok() {
            return (listener, held);
        }
    }
}

#[test]
fn the_other_loopback_address_is_tried() {
    let (v6, _refusing) = at_one("[::1]", "127.0.0.1");
    let opens = |stream: &mut TcpStream| {
        let request = receive(stream);
        stream.write_all(switching(&request, "").as_bytes()).ok()
    };
    let port = serve_all(v6, opens);
    let told = Told::of(&[], port, "/chat");
    assert_eq!((told.code(), told.status), ("W104", Some(4)), "{}", told.text);
    told.has(&format!("`ws://[::1]:{port}/chat`"));
    let (v4, _refusing) = at_one("127.0.0.1", "[::1]");
    let port = serve_all(v4, opens);
    let told = Told::run(&[&format!("ws://[::1]:{port}/")]);
    assert_eq!(told.code(), "W104", "{}", told.text);
    told.has(&format!("`ws://127.0.0.1:{port}/`"));
    // A program with another answer at the other address need not be the server.
    for bytes in [&b"SSH-2.0-x\r\n"[..], b"HTTP/1.1 404 Not Found\r\n\r\n"] {
        let (v6, _refusing) = at_one("[::1]", "127.0.0.1");
        let port = serve_all(v6, move |stream| stream.write_all(bytes).ok());
        let told = Told::of(&[], port, "/");
        told.is("W103", "likely (medium): the server, or another program, has this port");
    }
}

/// As with a development server on ::1 that is found before the one on 127.0.0.1.
#[test]
fn another_program_at_the_first_loopback_address_is_told() {
    let both = || loop {
        let v6 = TcpListener::bind("[::1]:0").expect("loopback");
        let port = v6.local_addr().expect("bound").port();
        if let Ok(v4) = TcpListener::bind(("127.0.0.1", port)) {
            return (v6, v4);
        }
    };
    let refuses = |stream: &mut TcpStream| {
        receive(stream);
        stream.write_all(&answer("404 Not Found", "", "no such page")).ok()
    };
    let (v6, v4) = both();
    let port = serve_all(v6, refuses);
    serve_all(v4, |stream| {
        let request = receive(stream);
        stream.write_all(switching(&request, "").as_bytes()).ok()
    });
    let url = format!("ws://[::1]:{port}/chat");
    for args in [&["--diagnose"][..], &["doctor"]] {
        let told = Told::run(&[args, &[&url]].concat());
        told.has(&format!("likely (medium): another program has the port at [::1]:{port}"));
        told.has(&format!("the WebSocket is at 127.0.0.1:{port}"));
    }
    Told::run(&[&url]).lacks("another program");
    // Both refuse.
    let (v6, v4) = both();
    let port = serve_all(v6, refuses);
    serve_all(v4, refuses);
    let told = Told::run(&["--diagnose", &format!("ws://[::1]:{port}/chat")]);
    told.lacks("another program");
    told.lacks(&format!("at 127.0.0.1:{port}"));
}

/// Options that put a secret in every possible place of a request.
const EVERYWHERE: [&str; 12] = [
    "-s",
    "bearer",
    "-s",
    "s3cr3t",
    "-H",
    "X-Custom: s3cr3t",
    "-H",
    "Cookie: a=s3cr3t",
    "-o",
    "https://s3cr3t.test",
    "-u",
    "me:s3cr3t",
];

#[test]
fn another_server_than_that_of_the_url_gets_nothing_of_the_user_but_the_path() {
    let heard = Arc::new(Mutex::new(String::new()));
    let (v6, _refusing) = at_one("[::1]", "127.0.0.1");
    let seen = Arc::clone(&heard);
    let port = serve_all(v6, move |stream| {
        let request = receive(stream);
        seen.lock().ok()?.push_str(&String::from_utf8_lossy(&request));
        stream.write_all(switching(&request, "").as_bytes()).ok()
    });
    let told = Told::of(&EVERYWHERE, port, "/p?token=s3cr3t");
    assert_eq!(told.code(), "W104", "{}", told.text);
    // The agreement of a trial says nothing about the requested connection.
    told.lacks("agreed to none");
    // In plain text, a trial sends only the path.
    let seen = Arc::clone(&heard);
    let port = serve_by(move |request| {
        seen.lock().expect("no test failed").push_str(request);
        if request.starts_with("GET ") { answer("404 Not Found", "", "") } else { Vec::new() }
    });
    let url = format!("wss://127.0.0.1:{port}/p?token=s3cr3t");
    Told::run(&[&EVERYWHERE[..], &["--diagnose", &url]].concat()).has("with ws://");
    let heard = heard.lock().expect("no test failed");
    assert_eq!(heard.matches("GET /p HTTP/1.1\r\n").count(), 2, "{heard}");
    assert!(!heard.contains("s3cr3t"), "{heard}");
    for name in ["Authorization", "Cookie", "Origin", "Sec-WebSocket-Protocol"] {
        assert!(!heard.contains(name), "{heard}");
    }
}

#[test]
fn a_mute_listener_at_the_other_loopback_address_holds_nobody_up() {
    let (v6, _refusing) = at_one("[::1]", "127.0.0.1");
    let port = serve_all(v6, |stream| stream.read_to_end(&mut Vec::new()).ok().map(drop));
    let began = Instant::now();
    let told = Told::of(&["--max-time", "0.3"], port, "/");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!((told.code(), told.status), ("W103", Some(4)), "{}", told.text);
}

#[test]
fn engine_io_3_is_told_by_its_open_packet() {
    let open = b"0{\"sid\":\"abc\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":5000}";
    let port = serve_open(move |stream| {
        stream.write_all(&[&[0x81, open.len() as u8], &open[..], b"\x81\x0240"].concat()).ok()?;
        stream.write_all(b"\x88\x02\x03\xe8").ok()?;
        stream.read_to_end(&mut Vec::new()).ok().map(drop)
    });
    let told = Told::of(&["-v"], port, "/socket.io/?EIO=3&transport=websocket");
    told.has("note[W514]: this is a Socket.IO 2 server (Engine.IO 3)");
    told.has("here the client pings");
}

#[test]
fn what_doctor_did_not_send_is_no_fault_of_the_server() {
    let says = Says::OpenThen("Sec-WebSocket-Protocol: v12.stomp\r\n", b"\x8a\x0dwscope doctor");
    let told = Told::of(&["doctor", "-s", "v12.stomp", "--idle", "0"], serve(says, End::Wait), "/");
    told.lacks("W507");
    assert_eq!(told.status, Some(0), "{}", told.text);
}
