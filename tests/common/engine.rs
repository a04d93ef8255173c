//! tungstenite's own engine as the other end: the independent peer and oracle.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};

use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::{CloseFrame, Message, Role, WebSocket, WebSocketConfig};
use tungstenite::{Bytes, Error};
use wscope::wire::{CloseCode, OpCode};

/// The largest frame or message the engine takes.
pub const LIMIT: usize = 1 << 16;

/// Two byte queues that look like a socket: reading returns `WouldBlock` when there is nothing.
#[derive(Debug, Default)]
struct Wire {
    incoming: VecDeque<u8>,
    ended: bool,
    outgoing: Vec<u8>,
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.incoming.read(buf)? {
            0 if !self.ended => Err(ErrorKind::WouldBlock.into()),
            n => Ok(n),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// tungstenite over byte queues.
pub struct Engine {
    socket: WebSocket<Wire>,
    /// What it accepted, control frames included.
    pub accepted: Vec<Message>,
    /// How it ended.
    pub end: Option<Error>,
}

impl Engine {
    pub fn new(role: Role) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(1024)
            .max_frame_size(Some(LIMIT))
            .max_message_size(Some(LIMIT));
        let socket = WebSocket::from_raw_socket(Wire::default(), role, Some(config));
        Self { socket, accepted: Vec::new(), end: None }
    }

    /// Reads until there is nothing more to read or the engine gives up.
    pub fn receive_bytes(&mut self, bytes: &[u8]) {
        self.socket.get_mut().incoming.extend(bytes);
        while self.end.is_none() {
            match self.socket.read() {
                Ok(message) => self.accepted.push(message),
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => self.end = Some(error),
            }
        }
    }

    /// Tells it that the stream ended.
    pub fn end_of_stream(&mut self) {
        self.socket.get_mut().ended = true;
        self.receive_bytes(&[]);
    }

    /// Takes what it wrote.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.socket.get_mut().outgoing)
    }

    pub fn send_fragment(&mut self, opcode: OpCode, piece: &[u8], last: bool) {
        let frame = Frame::message(Bytes::copy_from_slice(piece), opcode, last);
        self.socket.send(Message::Frame(frame)).expect("the connection is open");
    }

    pub fn ping(&mut self, payload: &[u8]) {
        let ping = Message::Ping(Bytes::copy_from_slice(payload));
        self.socket.send(ping).expect("the connection is open");
    }

    pub fn close(&mut self) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "done".into() };
        self.socket.close(Some(frame)).expect("the connection is open");
    }

    /// Whether the closing handshake is complete on its side.
    pub fn closed_cleanly(&self) -> bool {
        matches!(self.end, Some(Error::ConnectionClosed))
    }
}
