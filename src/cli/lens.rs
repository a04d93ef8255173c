//! Lenses as typed.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};

use crate::lens::{PROTOCOLS, Protocol, find};

/// Which lens reads the messages of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub enum LensChoice {
    /// `auto`: the lens that two kinds of evidence select.
    #[default]
    Auto,
    /// `none`: no lens.
    Off,
    /// The lens of this protocol.
    Named(&'static Protocol),
}

impl LensChoice {
    /// The choice with this name: `auto`, `none`, or a lens such as `stomp`.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "none" => Some(Self::Off),
            name => find(name).map(Self::Named),
        }
    }

    /// The name of this choice.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Off => "none",
            Self::Named(protocol) => protocol.name,
        }
    }

    /// The names of all choices.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ["auto", "none"].into_iter().chain(PROTOCOLS.iter().map(|protocol| protocol.name))
    }
}

/// How messages are read.
#[derive(Debug, Args)]
pub struct LensOptions {
    /// Show what messages mean in the protocol NAME: `auto`, `none`, `stomp`, `mqtt`, …
    ///
    /// `auto` waits for two kinds of evidence: the subprotocol, the URL, the first messages of
    /// either side. The transcript shows the meaning of a message below its frames, JSON output in
    /// `decoded`. Names: stomp, engine.io, socket.io, sockjs, graphql-transport-ws,
    /// graphql-ws, wamp, mqtt, signalr, phoenix, action-cable, pusher, kubernetes, ocpp, nats,
    /// discord, sip, xmpp, vite, rfb, json-rpc, json, msgpack, cbor and protobuf.
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = lens(), hide_possible_values = true, help_heading = "Display")]
    pub lens: LensChoice,

    /// Read binary messages as protobuf, by the schema in FILE.proto
    #[arg(
        long,
        value_name = "FILE",
        requires = "message",
        help_heading = "Display",
        hide_short_help = true
    )]
    pub proto: Option<PathBuf>,

    /// Pass each message to CMD as a line of JSON, and show CMD's answer below the message
    ///
    /// The lines are those of --output json. CMD runs in `sh -c`, and must answer each line with one
    /// line; nothing is shown for an empty line.
    #[arg(long, value_name = "CMD", help_heading = "Display", hide_short_help = true)]
    pub decode_with: Option<String>,

    /// With --proto: the type of each message, as in `pkg.Type`
    #[arg(
        long,
        value_name = "TYPE",
        requires = "proto",
        help_heading = "Display",
        hide_short_help = true
    )]
    pub message: Option<String>,
}

/// How messages are read if there are several paths.
#[derive(Debug, Args)]
pub struct LensMapOptions {
    /// Use the lens NAME for clients that request PATH; may be repeated; see --lens
    #[arg(long = "lens-map", value_name = "/PATH=NAME", action = ArgAction::Append, help_heading = "Display", hide_short_help = true)]
    pub lens_map: Vec<String>,
}

/// Takes a name that a lens has.
pub(super) fn lens() -> impl TypedValueParser<Value = LensChoice> {
    let values: Vec<_> = LensChoice::names().map(PossibleValue::new).collect();
    // Only names are let through.
    PossibleValuesParser::new(values).map(|name| LensChoice::of(&name).unwrap_or_default())
}
