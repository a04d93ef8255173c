//! A tunnel with a connected server, until its first bytes show what it carries.

use std::time::Instant;

use crate::config::ForwardConfig;
use crate::engine::opening::ClientOpening;
use crate::net::first_bytes::{self, FirstBytes};
use crate::net::link::SocketLink;
use crate::net::proxy::Destination;

/// How many bytes are received from a server that speaks first.
const PEEK: usize = 4096;

/// A client and its server, before the content of the tunnel is known.
pub struct Tunnel {
    /// The client.
    pub client: SocketLink,
    /// The opening that has connected to the server.
    pub way: ClientOpening,
    /// The server.
    pub server: Box<SocketLink>,
    /// The destination that the client requested.
    pub destination: Destination,
    /// The deadline for the client's first data.
    pub until: Instant,
}

/// What a tunnel carries.
pub enum TunnelContent {
    /// It is not known yet.
    Unknown,
    /// TLS to decrypt, for this host.
    Tls(String),
    /// An HTTP request.
    Http,
    /// Bytes to forward undecoded, with their description.
    Bytes(&'static str),
    /// Nothing: the tunnel has ended, for this reason.
    Nothing(String),
}

/// TLS that is not decrypted.
pub const UNDECRYPTED: &str = "tunnelled, not decrypted";

/// Neither TLS nor HTTP.
const FOREIGN: &str = "neither TLS nor HTTP, forwarded unchanged";

impl Tunnel {
    /// Examines the data that has arrived from either side.
    pub fn turn(&mut self, config: &ForwardConfig, now: Instant) -> TunnelContent {
        if let Err(error) = self.client.flush() {
            return TunnelContent::Nothing(error.to_string());
        }
        if self.client.pending() > 0 {
            let text = "the client does not read the answer to its request";
            return match self.until > now {
                true => TunnelContent::Unknown,
                false => TunnelContent::Nothing(text.to_owned()),
            };
        }
        if config.is_tunnelled(&self.destination) {
            return TunnelContent::Bytes(UNDECRYPTED);
        }
        if self.client.may_read_ahead(first_bytes::MOST)
            && let Err(error) = self.client.read_ahead(first_bytes::MOST)
        {
            return TunnelContent::Nothing(error.to_string());
        }
        let ended = self.client.has_ended_ahead();
        let bytes = self.client.set_back();
        match FirstBytes::of(bytes) {
            FirstBytes::Tls { name } => {
                let named = name.as_deref().unwrap_or(&self.destination.host);
                let named = Destination::new(named, self.destination.port);
                let decrypts = config.intercepts(&self.destination) || config.intercepts(&named);
                match decrypts && !config.is_tunnelled(&named) {
                    true => TunnelContent::Tls(named.host),
                    false => TunnelContent::Bytes(UNDECRYPTED),
                }
            }
            FirstBytes::Http => TunnelContent::Http,
            FirstBytes::Other => TunnelContent::Bytes(FOREIGN),
            FirstBytes::Unknown => {
                let none = bytes.is_empty();
                match () {
                    () if none && ended => TunnelContent::Nothing(
                        "the client closed its tunnel without sending a byte".to_owned(),
                    ),
                    () if self.server_spoke() || ended => TunnelContent::Bytes(FOREIGN),
                    () if self.until > now => TunnelContent::Unknown,
                    () if none => {
                        let text = "the client sent nothing through its tunnel within the handshake timeout";
                        TunnelContent::Nothing(text.to_owned())
                    }
                    () => TunnelContent::Bytes(FOREIGN),
                }
            }
        }
    }

    /// Whether the server has sent data, or has ended, before the client sent anything.
    fn server_spoke(&mut self) -> bool {
        if self.server.may_read_ahead(PEEK) && self.server.read_ahead(PEEK).is_err() {
            // Forwarding meets the error again.
            return true;
        }
        !self.server.set_back().is_empty() || self.server.has_ended_ahead()
    }

    /// Whether another turn could do something without an event.
    pub fn wants_turn(&self) -> bool {
        // Before the client has its answer, no data is examined.
        self.client.pending() == 0
            && (self.client.may_read_ahead(first_bytes::MOST) || self.server.may_read_ahead(PEEK))
    }
}
