//! The lenses, one file for each, and the table of them.

use super::interface::Protocol;

mod action_cable;
mod discord;
mod engine_io;
mod graphql;
mod json_rpc;
mod kubernetes;
mod mqtt;
mod nats;
mod ocpp;
mod phoenix;
mod plain;
mod pusher;
mod rfb;
mod signalr;
mod sip;
mod socket_io;
mod sockjs;
mod stomp;
mod vite;
mod wamp;
mod xmpp;

/// The protocol that carries this one, if this one is never used directly on a WebSocket; otherwise
/// the protocol itself.
pub fn carrier_of(protocol: &'static Protocol) -> &'static Protocol {
    match protocol.name == socket_io::PROTOCOL.name {
        true => &engine_io::PROTOCOL,
        false => protocol,
    }
}

#[cfg(test)]
mod tests;

/// All protocols. If two have the same evidence, the first one is chosen.
pub static PROTOCOLS: [&Protocol; 25] = [
    &stomp::PROTOCOL,
    &engine_io::PROTOCOL,
    &socket_io::PROTOCOL,
    &sockjs::PROTOCOL,
    &graphql::TRANSPORT_WS,
    &graphql::LEGACY,
    &wamp::PROTOCOL,
    &mqtt::PROTOCOL,
    &signalr::PROTOCOL,
    &phoenix::PROTOCOL,
    &action_cable::PROTOCOL,
    &pusher::PROTOCOL,
    &kubernetes::PROTOCOL,
    &ocpp::PROTOCOL,
    &nats::PROTOCOL,
    &discord::PROTOCOL,
    &sip::PROTOCOL,
    &xmpp::PROTOCOL,
    &vite::PROTOCOL,
    &rfb::PROTOCOL,
    &json_rpc::PROTOCOL,
    &plain::JSON,
    &plain::MSGPACK,
    &plain::CBOR,
    &plain::PROTOBUF,
];

/// The protocol with this name or word.
pub fn find(name: &str) -> Option<&'static Protocol> {
    PROTOCOLS.into_iter().find(|protocol| [protocol.name, protocol.word].contains(&name))
}
