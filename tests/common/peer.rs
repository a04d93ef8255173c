//! The other end of the wire, scripted byte by byte: a server that does exactly what the test asks.
//!
//! Reads what the client sends through the library's observer, so a test sees frames; writes
//! bytes, so a test can send whatever it likes. Every wait has a deadline.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use wscope::event::{Direction, FrameEvent, Observed};
use wscope::session::{Endpoint, EndpointConfig, Limits, Observer};
use wscope::wire::decoder::Input;
use wscope::wire::handshake::accept::AcceptSteps;
use wscope::wire::handshake::server::{Accepted, ServerConfig, respond};
use wscope::wire::head::{Head, HeadKind};
use wscope::wire::writer::RawFrame;
use wscope::wire::{Data, FrameHeader, OpCode, Role};

use crate::frames::{self, BINARY, CLOSE, PING, PONG, TEXT};
use crate::waiting::DEADLINE;

/// A byte stream: TCP, or TLS over it.
pub trait Wire: Read + Write + Send {}

impl<T: Read + Write + Send> Wire for T {}

/// A frame of the client's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub header: FrameHeader,
    /// Unmasked; compressed if it travelled so.
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn opcode(&self) -> OpCode {
        self.header.opcode
    }
}

/// What the client sent, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Received {
    Frame(Frame),
    Message(OpCode, Vec<u8>),
}

/// One connection of the client's, and the script's hands on it.
pub struct Peer {
    wire: Box<dyn Wire>,
    tcp: TcpStream,
    observer: Observer,
    received: VecDeque<Received>,
    payload: Vec<u8>,
    content: Vec<u8>,
    /// Sends compressed, once that was agreed.
    endpoint: Option<Endpoint>,
}

impl Peer {
    /// Takes over a connection.
    pub fn new(tcp: TcpStream) -> Self {
        let wire = Box::new(tcp.try_clone().expect("a descriptor"));
        Self::over(wire, tcp)
    }

    /// Takes over a connection with something between it and the script.
    pub fn over(wire: Box<dyn Wire>, tcp: TcpStream) -> Self {
        tcp.set_read_timeout(Some(DEADLINE)).expect("a time");
        tcp.set_write_timeout(Some(DEADLINE)).expect("a time");
        tcp.set_nodelay(true).expect("a TCP socket");
        Self {
            wire,
            tcp,
            observer: Observer::of_frames(Direction::ToServer, None, Limits::default()),
            received: VecDeque::new(),
            payload: Vec::new(),
            content: Vec::new(),
            endpoint: None,
        }
    }

    /// The socket below.
    pub fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    // The opening handshake.

    /// Reads the request's head.
    pub fn request(&mut self) -> Head {
        let mut raw = Vec::new();
        let mut byte = [0];
        while !raw.ends_with(b"\r\n\r\n") {
            assert_eq!(self.wire.read(&mut byte).expect("a request"), 1, "the request's end");
            raw.push(byte[0]);
        }
        Head::parse(HeadKind::Request, &raw)
    }

    /// Reads the request and answers with these header lines, a right accept value among them.
    pub fn open_with(&mut self, headers: &str) -> Head {
        self.open_and(headers, b"")
    }

    /// Reads the request and accepts it.
    pub fn open(&mut self) -> Head {
        self.open_with("")
    }

    /// Accepts, with more bytes in the same segment as the 101.
    pub fn open_and(&mut self, headers: &str, more: impl AsRef<[u8]>) -> Head {
        let request = self.request();
        let head = switching_protocols(&request, headers);
        self.send([head.as_bytes(), more.as_ref()].concat());
        request
    }

    /// Accepts as the library's server does, so that messages can be compressed.
    pub fn negotiate(&mut self, config: &ServerConfig) -> Accepted {
        let request = self.request();
        let accepted = respond(&request, config).expect("a good request");
        self.send(&accepted.response);
        let deflate = accepted.agreed.deflate;
        self.observer =
            Observer::of_frames(Direction::ToServer, deflate.as_ref(), Limits::default());
        let config = EndpointConfig { deflate, ..EndpointConfig::new(Role::Server) };
        let random = Box::new(|bytes: &mut [u8]| bytes.fill(7));
        self.endpoint = Some(Endpoint::new(config, random, Instant::now()));
        accepted
    }

    // Sending.

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).expect("the client reads");
    }

    /// Sends bytes to a client that may be gone.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.wire.write_all(bytes.as_ref())?;
        self.wire.flush()
    }

    /// Writes once, as much as the socket takes.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wire.write(bytes)
    }

    pub fn frame(&mut self, frame: RawFrame) {
        self.send(frames::bytes([frame]));
    }

    pub fn text(&mut self, text: impl AsRef<[u8]>) {
        self.frame(frames::frame(TEXT, text));
    }

    pub fn binary(&mut self, bytes: impl AsRef<[u8]>) {
        self.frame(frames::frame(BINARY, bytes));
    }

    pub fn ping(&mut self, payload: impl AsRef<[u8]>) {
        self.frame(frames::frame(PING, payload));
    }

    pub fn close(&mut self, code: u16, reason: &str) {
        self.frame(frames::frame(CLOSE, frames::close_payload(code, reason)));
    }

    /// Sends a message the way that was negotiated.
    pub fn message(&mut self, opcode: Data, content: impl AsRef<[u8]>) {
        let mut out = Vec::new();
        let endpoint = self.endpoint.as_mut().expect("negotiated");
        endpoint.send_message(opcode, content.as_ref(), &mut out).expect("it is open");
        self.send(out);
    }

    // Hearing.

    /// The next frame.
    #[track_caller]
    pub fn receive_frame(&mut self) -> Frame {
        loop {
            match self.receive() {
                Some(Received::Frame(frame)) => return frame,
                Some(Received::Message(..)) => {}
                None => panic!("the client ended the stream where a frame was expected"),
            }
        }
    }

    /// The next message, of however many frames, and its content.
    #[track_caller]
    pub fn receive_message(&mut self) -> (OpCode, Vec<u8>) {
        loop {
            match self.receive() {
                Some(Received::Message(opcode, content)) => return (opcode, content),
                Some(Received::Frame(frame)) if matches!(frame.opcode(), OpCode::Data(_)) => {}
                other => panic!("expected a message, not {other:?}"),
            }
        }
    }

    #[track_caller]
    pub fn receive_text(&mut self, text: &str) {
        self.receive_content(TEXT, text.as_bytes());
    }

    #[track_caller]
    pub fn receive_binary(&mut self, bytes: &[u8]) {
        self.receive_content(BINARY, bytes);
    }

    #[track_caller]
    fn receive_content(&mut self, opcode: OpCode, content: &[u8]) {
        let (received, bytes) = self.receive_message();
        assert_eq!(received, opcode);
        assert!(bytes == content, "{:?} instead of {:?}", short(&bytes), short(content));
    }

    #[track_caller]
    pub fn receive_pong(&mut self, payload: impl AsRef<[u8]>) {
        let frame = self.receive_frame();
        assert_eq!((frame.opcode(), &frame.payload[..]), (PONG, payload.as_ref()));
    }

    /// A Close with this code and an empty or any reason.
    #[track_caller]
    pub fn receive_close(&mut self, code: u16) {
        let frame = self.receive_frame();
        assert_eq!(frame.opcode(), CLOSE, "{frame:?}");
        assert_eq!(frame.payload.get(..2), Some(&code.to_be_bytes()[..]), "{:?}", frame.payload);
    }

    /// The end of the stream, and nothing before it.
    #[track_caller]
    pub fn receive_end(&mut self) {
        assert_eq!(self.receive(), None);
    }

    /// The client closes with this code; it is answered, and the connection ended.
    #[track_caller]
    pub fn answer_close(&mut self, code: u16) {
        self.receive_close(code);
        self.close(code, "");
        self.hang_up();
    }

    /// Closes, receives the answer, and ends the connection, as a server should.
    #[track_caller]
    pub fn close_first(&mut self, code: u16, reason: &str) {
        self.close(code, reason);
        self.receive_close(code);
        self.hang_up();
    }

    /// The next frame, and the message that it is all of.
    #[track_caller]
    pub fn receive_data(&mut self) -> (Frame, Vec<u8>) {
        let frame = self.receive_frame();
        let (_, content) = self.receive_message();
        (frame, content)
    }

    /// Why nothing more can be received.
    #[track_caller]
    pub fn receive_failure(&mut self) -> io::Error {
        self.wire.read(&mut [0; 16]).expect_err("a failure")
    }

    /// Exactly so many bytes.
    pub fn receive_raw(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        self.wire.read_exact(&mut bytes).expect("so many bytes");
        bytes
    }

    fn receive(&mut self) -> Option<Received> {
        let mut buffer = [0; 16 * 1024];
        while self.received.is_empty() {
            match self.wire.read(&mut buffer) {
                Ok(0) => return None,
                Ok(n) => self.observe(&mut buffer[..n]),
                Err(error) => panic!("the client was not heard: {error}"),
            }
        }
        self.received.pop_front()
    }

    fn observe(&mut self, bytes: &mut [u8]) {
        let mut input = Input::new(bytes);
        while let Some(observed) = self.observer.next(&mut input) {
            let Observed::Frame(event) = observed else { continue };
            match event {
                FrameEvent::Start { .. } => self.payload.clear(),
                FrameEvent::Payload(piece) => self.payload.extend_from_slice(piece),
                FrameEvent::Data(piece) => self.content.extend_from_slice(piece),
                FrameEvent::End { header, .. } => self.received.push_back(Received::Frame(Frame {
                    header: *header,
                    payload: self.payload.clone(),
                })),
                FrameEvent::Message(info) => {
                    let content = std::mem::take(&mut self.content);
                    self.received.push_back(Received::Message(info.opcode, content));
                }
                FrameEvent::Control { .. }
                | FrameEvent::Violation(_)
                | FrameEvent::Undecodable(_) => {}
            }
        }
    }

    // Ending.

    /// Ends the stream in order (FIN); what the client still sends can be received.
    pub fn hang_up(&mut self) {
        // The client may have been faster.
        let _ = self.tcp.shutdown(Shutdown::Write);
    }

    /// Ends the connection with RST, once the script is done.
    pub fn reset(&mut self) {
        rustix::net::sockopt::set_socket_linger(&self.tcp, Some(Duration::ZERO))
            .expect("a TCP socket");
    }
}

/// A 101 with a right accept value and these header lines, each with its line end.
pub fn switching_protocols(request: &Head, headers: &str) -> String {
    let key = request.get("Sec-WebSocket-Key").expect("a key");
    let accept = AcceptSteps::for_key(key).accept;
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{headers}\r\n"
    )
}

fn short(bytes: &[u8]) -> String {
    let end = bytes.len().min(80);
    format!("{} bytes: {}", bytes.len(), bytes[..end].escape_ascii())
}
