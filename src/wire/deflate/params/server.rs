//! The server's half of the negotiation: offers in, an answer out.

use super::element::ParamSet;
use super::{ClientMaxWindowBits, DeflateOffer, DeflateParams};
use super::{MAX_WINDOW_BITS, MIN_COMPRESS_BITS, NAME};
use crate::wire::handshake::grammar::Extension;

/// What a server wants of compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerDeflateConfig {
    /// Compress each of our messages on its own even if the client does not ask.
    pub server_no_context_takeover: bool,
    /// Have the client compress each of its messages on its own.
    pub client_no_context_takeover: bool,
    /// The largest window of ours, 9–15; other values are brought into that range.
    pub server_max_window_bits: u8,
    /// The largest window of the client, 9–15. A wish: a client that does not offer
    /// `client_max_window_bits` keeps its 15.
    pub client_max_window_bits: u8,
}

impl Default for ServerDeflateConfig {
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: MAX_WINDOW_BITS,
            client_max_window_bits: MAX_WINDOW_BITS,
        }
    }
}

/// What a server answers to the offers of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// Which of the given elements was accepted.
    pub index: usize,
    /// The parameters in force.
    pub params: DeflateParams,
    /// The element to answer with.
    pub response: Extension,
}

impl ServerDeflateConfig {
    /// Chooses the first acceptable element; elements of other extensions, faulty ones
    /// and those that would have us compress with a window of 8 are passed over.
    ///
    /// RFC 7692 §5: "An element preceding another element has higher preference. It is
    /// RECOMMENDED that a server accepts PMCEs with higher preference if the server
    /// supports them."
    pub fn negotiate(&self, offered: &[Extension]) -> Option<Negotiated> {
        offered.iter().enumerate().filter(|(_, element)| element.name == NAME).find_map(
            |(index, element)| {
                let offer = DeflateOffer::parse(element).ok()?;
                let (params, response) = self.accept(&offer)?;
                Some(Negotiated { index, params, response })
            },
        )
    }

    fn accept(&self, offer: &DeflateOffer) -> Option<(DeflateParams, Extension)> {
        let limit = |bits: u8| bits.clamp(MIN_COMPRESS_BITS, MAX_WINDOW_BITS);
        let ours = limit(self.server_max_window_bits);
        let theirs = limit(self.client_max_window_bits);

        let server_bits = offer.server_max_window_bits.map_or(ours, |bits| bits.min(ours));
        if server_bits < MIN_COMPRESS_BITS {
            return None;
        }
        let hint = match offer.client_max_window_bits {
            ClientMaxWindowBits::Absent => None,
            ClientMaxWindowBits::Bare => Some(MAX_WINDOW_BITS),
            ClientMaxWindowBits::Bits(bits) => Some(bits),
        };
        let client_bits = hint.map_or(MAX_WINDOW_BITS, |hint| hint.min(theirs));
        let params = DeflateParams {
            server_no_context_takeover: self.server_no_context_takeover
                || offer.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover
                || offer.client_no_context_takeover,
            server_max_window_bits: server_bits,
            client_max_window_bits: client_bits,
        };
        // The answer holds only what differs from the default, and what must be confirmed.
        let response = ParamSet {
            server_no_context_takeover: params.server_no_context_takeover,
            client_no_context_takeover: params.client_no_context_takeover,
            server_max_window_bits: (offer.server_max_window_bits.is_some()
                || server_bits < MAX_WINDOW_BITS)
                .then_some(server_bits),
            client_max_window_bits: if client_bits < MAX_WINDOW_BITS {
                ClientMaxWindowBits::Bits(client_bits)
            } else {
                ClientMaxWindowBits::Absent
            },
        };
        Some((params, response.to_extension()))
    }
}
