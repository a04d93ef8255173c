//! Bytes and the rules of RFC 6455, RFC 7692 and HTTP/1.1 heads.
//!
//! Everything here turns bytes into meaning or meaning into bytes. It uses no sockets, clocks,
//! terminals, environment or threads, and no input causes a panic: all data that a peer can send
//! has a representation.

pub mod close;
pub mod coding;
pub mod cookie;
pub mod decoder;
pub mod deflate;
pub mod fault;
pub mod frame;
pub mod handshake;
pub mod head;
pub mod host;
pub mod http_date;
pub mod mask;
pub mod percent;
pub mod secret;
pub mod socks;
pub mod utf8;
pub mod violation;
pub mod writer;

pub use frame::{FrameHeader, LengthForm};
pub use tungstenite::protocol::Role;
pub use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
pub use violation::{Violation, ViolationKind};

/// Bytes in lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The name of a role.
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::Client => "client",
        Role::Server => "server",
    }
}
