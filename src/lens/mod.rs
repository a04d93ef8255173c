//! Lenses: the meaning of a session's messages in the protocol that they carry.
//!
//! A [`Lens`] gets whole messages and returns their meaning, which is shown in addition to the
//! frames. It uses no sockets and changes no bytes. Any bytes give a meaning or none, in limited
//! time and memory. [`PROTOCOLS`] registers them all; a [`Conversation`] chooses one by
//! [`Evidence`], pairs requests with answers and counts heartbeats. `docs/lenses.md` shows how to
//! add one.

mod body;
mod conversation;
mod decoded;
mod evidence;
mod facts;
mod interface;
mod kept;
mod message;
mod pairs;
pub mod payload;
mod protocol;
mod secrets;
mod speech;
mod text;
mod value;

pub use conversation::Conversation;
pub use decoded::{Answered, Decoded, Ends, LensViolation, Pairing};
pub use evidence::Evidence;
pub use facts::LensFacts;
pub use interface::{AwaitedMessage, Carried, Lens, Protocol};
pub use message::{LARGEST, LensMessage};
pub use pairs::UnansweredCall;
pub use protocol::{PROTOCOLS, carrier_of, find};
pub use secrets::Secrets;
pub use speech::{Beat, Outgoing, SpeechArguments, SpeechCommand, SpeechError, gives_secret};
pub use value::Value;
