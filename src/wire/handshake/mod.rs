//! The opening handshake (RFC 6455 §4) on bytes: composing a request, judging a
//! captured pair of heads, answering as a server.
//!
//! Everything works on [`Head`](crate::wire::head::Head)s, the exact bytes of the wire, so a header
//! that the user replaced is judged as it was sent. No sockets, no randomness, no clock: keys are
//! arguments.

pub mod accept;
pub mod admission;
pub mod digest;
pub mod grammar;
pub mod headers;
pub mod request;
pub mod rules;
pub mod server;

use crate::wire::deflate::params::DeflateParams;
use grammar::Extension;

/// What both sides agreed on in a successful handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// The subprotocol in use, if any.
    pub subprotocol: Option<String>,
    /// The permessage-deflate parameters; `None` means messages are not compressed.
    pub deflate: Option<DeflateParams>,
    /// The accepted extensions as the server wrote them, in order.
    pub extensions: Vec<Extension>,
}

/// Bytes of a peer for a message: escaped, in quotes, and cut at 80 bytes.
fn quoted(bytes: &[u8]) -> String {
    const SHOWN: usize = 80;
    match bytes.get(..SHOWN) {
        Some(start) if bytes.len() > SHOWN => {
            format!("\"{}…\" ({} bytes)", start.escape_ascii(), bytes.len())
        }
        _ => format!("\"{}\"", bytes.escape_ascii()),
    }
}
