//! A server that receives one request, sends what the test gave it, and ends.

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
    /// FIN at once.
    Hang,
    /// FIN once the client has sent something more, or has ended.
    Wait,
    /// After the client's end, whatever it sends.
    Stay,
    /// RST once the client has answered, or ended.
    Reset,
}

/// What the server sends.
#[derive(Clone, Copy, Debug)]
pub enum Says {
    /// These bytes to whatever comes first.
    Bytes(&'static [u8]),
    /// A 101 with these headers more, then these bytes.
    Open(&'static str, &'static [u8]),
    /// A 101 with these headers more; the bytes follow once the client has sent something.
    OpenThen(&'static str, &'static [u8]),
}

/// Serves each client that comes, the same way; gives the port.
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

/// What goes wrong here is the client's doing, and it is the client that is looked at.
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

/// A request's head, or whatever else comes at once.
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

/// A 101 with these headers more.
pub fn switching(request: &[u8], headers: &str) -> String {
    let head = Head::parse(HeadKind::Request, request);
    let key = String::from_utf8_lossy(head.get("Sec-WebSocket-Key").unwrap_or_default());
    let accept = AcceptSteps::for_key(key.trim().as_bytes()).accept;
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{headers}\r\n"
    )
}

/// Answers each request as `answer` has it, and ends the stream then; gives the port. A request is
/// whatever comes up to a blank line, or at once if it is no GET.
pub fn serve_by(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    serve_all(listener, move |stream| {
        let request = receive(stream);
        stream.write_all(&answer(&String::from_utf8_lossy(&request))).ok()?;
        stream.shutdown(Shutdown::Write).ok()?;
        stream.read_to_end(&mut Vec::new()).ok().map(drop)
    })
}

/// Opens each connection with these header lines, then does as the script has it.
pub fn serve_open(script: impl Fn(&mut TcpStream) -> Option<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    serve_all(listener, move |stream| {
        let request = receive(stream);
        stream.write_all(switching(&request, "").as_bytes()).ok()?;
        script(stream)
    })
}

/// Serves each client in a thread of its own.
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
