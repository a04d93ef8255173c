//! A client that does exactly what the test asks, byte by byte.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use wscope::event::{Direction, FrameEvent, Observed};
use wscope::session::{Limits, Observer};
use wscope::wire::OpCode;
use wscope::wire::decoder::Input;
use wscope::wire::head::{Head, HeadKind};
use wscope::wire::writer::RawFrame;

use crate::frames;
use crate::waiting::DEADLINE;

/// The key of RFC 6455 §1.3.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The header lines of a handshake, but for `Host`.
pub const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/// A connection.
pub struct Raw {
    tcp: TcpStream,
}

/// An answer to a request.
#[derive(Debug)]
pub struct Response {
    pub head: Head,
    pub body: String,
}

impl Response {
    pub fn status(&self) -> u16 {
        self.head.status_line().expect("a status line").code
    }

    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.head.get(name).map(|value| std::str::from_utf8(value).expect("text"))
    }
}

impl Raw {
    #[track_caller]
    pub fn connect(port: u16) -> Self {
        let tcp = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        tcp.set_read_timeout(Some(DEADLINE)).expect("a time");
        tcp.set_write_timeout(Some(DEADLINE)).expect("a time");
        tcp.set_nodelay(true).expect("a TCP socket");
        Self { tcp }
    }

    pub fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.tcp.write_all(bytes.as_ref()).expect("it reads");
    }

    /// Sends to a server that may have ended the connection.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.tcp.write_all(bytes.as_ref()).is_ok()
    }

    /// Sends a frame, masked.
    pub fn frame(&mut self, frame: RawFrame) {
        self.send(frames::bytes([frames::towards(Direction::ToServer, frame)]));
    }

    /// Asks for a path with these header lines, each with its line end, and gives the answer.
    #[track_caller]
    pub fn ask(&mut self, path: &str, headers: &str) -> Response {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n"));
        self.response()
    }

    /// A handshake that must succeed.
    #[track_caller]
    pub fn open(&mut self) {
        let response = self.ask("/", UPGRADE);
        assert_eq!(response.status(), 101, "{response:?}");
        assert_eq!(response.header("Sec-WebSocket-Accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }

    /// The next answer.
    #[track_caller]
    pub fn response(&mut self) -> Response {
        let mut raw = Vec::new();
        let mut byte = [0];
        while !raw.ends_with(b"\r\n\r\n") {
            let n = self.tcp.read(&mut byte).expect("an answer");
            assert_eq!(n, 1, "the end of {:?}", String::from_utf8_lossy(&raw));
            raw.push(byte[0]);
        }
        let head = Head::parse(HeadKind::Response, &raw);
        assert_eq!(head.defects(), []);
        let length = head.get("Content-Length").map_or(0, |value| {
            std::str::from_utf8(value).expect("text").parse().expect("a number")
        });
        let mut body = vec![0; length];
        self.tcp.read_exact(&mut body).expect("the body");
        Response { head, body: String::from_utf8(body).expect("text") }
    }

    /// All that still comes; the connection must end in order.
    #[track_caller]
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.tcp.read_to_end(&mut bytes).expect("an orderly end");
        bytes
    }

    /// Waits for the end, in order or not.
    pub fn end(&mut self) {
        let mut buffer = [0; 64 * 1024];
        while matches!(self.tcp.read(&mut buffer), Ok(1..)) {}
    }

    /// The next frame: its opcode and its payload.
    #[track_caller]
    pub fn receive_frame(&mut self) -> (OpCode, Vec<u8>) {
        let mut observer = Observer::of_frames(Direction::ToClient, None, Limits::default());
        let mut payload = Vec::new();
        let mut byte = [0];
        loop {
            assert_eq!(self.tcp.read(&mut byte).expect("a frame"), 1, "an end inside a frame");
            let mut input = Input::new(&mut byte);
            while let Some(observed) = observer.next(&mut input) {
                match observed {
                    Observed::Frame(FrameEvent::Payload(bytes)) => payload.extend_from_slice(bytes),
                    Observed::Frame(FrameEvent::End { header, .. }) => {
                        return (header.opcode, payload);
                    }
                    _ => {}
                }
            }
        }
    }

    /// A Close with this code.
    #[track_caller]
    pub fn receive_close(&mut self, code: u16) {
        let (opcode, payload) = self.receive_frame();
        assert_eq!(opcode, frames::CLOSE);
        assert_eq!(payload.get(..2), Some(&code.to_be_bytes()[..]), "{payload:?}");
    }

    /// Ends our side of the stream.
    pub fn hang_up(&mut self) {
        let _ = self.tcp.shutdown(Shutdown::Write);
    }
}
