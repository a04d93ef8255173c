//! A server that receives one request, sends the bytes of the test, and ends.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use wscope::wire::handshake::accept::AcceptSteps;
use wscope::wire::head::{Head, HeadKind};

/// How the server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Sends FIN at once.
    Hang,
    /// Sends FIN after the client has sent something more, or has ended.
    Wait,
    /// Waits for the client's end, and ignores its data.
    Stay,
    /// Sends RST after the client has answered, or has ended.
    Reset,
}

/// What the server sends.
#[derive(Clone, Copy, Debug)]
pub enum Says {
    /// These bytes, after any first bytes of the client.
    Bytes(&'static [u8]),
    /// A 101 with additional headers, then these bytes.
    Open(&'static str, &'static [u8]),
    /// A 101 with additional headers; the bytes follow after the client has sent something.
    OpenThen(&'static str, &'static [u8]),
}

/// Serves every client in the same way; returns the port.
pub fn serve(says: Says, end: End) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = listener.local_addr().expect("a bound socket").port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || answer(stream, says, end));
        }
    });
    port
}

/// Errors are ignored here, because the client causes them and the test checks the client.
fn answer(mut stream: TcpStream, says: Says, end: End) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let request = receive(&mut stream);
    match says {
        Says::Bytes(bytes) => stream.write_all(bytes).ok()?,
        Says::Open(headers, bytes) => {
            stream.write_all(&[switching(&request, headers).as_bytes(), bytes].concat()).ok()?;
        }
        Says::OpenThen(headers, bytes) => {
            stream.write_all(switching(&request, headers).as_bytes()).ok()?;
            let _ = stream.read(&mut [0; 512]).ok()?;
            stream.write_all(bytes).ok()?;
        }
    }
    match end {
        End::Hang => stream.shutdown(Shutdown::Write).ok()?,
        End::Wait => {
            let _ = stream.read(&mut [0; 512]).ok()?;
            stream.shutdown(Shutdown::Write).ok()?;
        }
        End::Stay => {}
        End::Reset => {
            let _ = stream.read(&mut [0; 512]);
            return set_socket_linger(&stream, Some(Duration::ZERO)).ok();
        }
    }
    stream.read_to_end(&mut Vec::new()).ok().map(drop)
}

/// The head of a request, or other first bytes.
pub fn receive(stream: &mut TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = stream.read(&mut buffer) {
        heard.extend_from_slice(&buffer[..n]);
        if !heard.starts_with(b"GET ") || heard.windows(4).any(|end| end == b"\r\n\r\n") {
            break;
        }
    }
    heard
}

/// A 101 with additional headers.
pub fn switching(request: &[u8], headers: &str) -> String {
    let head = Head::parse(HeadKind::Request, request);
    let key = String::from_utf8_lossy(head.get("Sec-WebSocket-Key").unwrap_or_default());
    let accept = AcceptSteps::for_key(key.trim().as_bytes()).accept;
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{headers}\r\n"
    )
}

/// Sends the result of `answer` for each request, and then ends the stream; returns the port. A GET
/// ends at a blank line; other bytes are taken as they arrive.
pub fn serve_by(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    serve_all(listener, move |stream| {
        let request = receive(stream);
        stream.write_all(&answer(&String::from_utf8_lossy(&request))).ok()?;
        stream.shutdown(Shutdown::Write).ok()?;
        stream.read_to_end(&mut Vec::new()).ok().map(drop)
    })
}

/// Opens each connection, and then runs the script; returns the port.
pub fn serve_open(script: impl Fn(&mut TcpStream) -> Option<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    serve_all(listener, move |stream| {
        let request = receive(stream);
        stream.write_all(switching(&request, "").as_bytes()).ok()?;
        script(stream)
    })
}

/// Serves each client in its own thread; returns the port.
pub fn serve_all(
    listener: TcpListener,
    serve: impl Fn(&mut TcpStream) -> Option<()> + Send + Sync + 'static,
) -> u16 {
    let port = listener.local_addr().expect("a bound socket").port();
    let serve = std::sync::Arc::new(serve);
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
                serve(&mut stream)
            });
        }
    });
    port
}
