//! The client's duties that concern the `Sec-WebSocket-…` headers (RFC 6455 §4.1, §4.3,
//! §9.1, §11.3).

use base64::DecodeError;
use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::facts::HandshakeFacts;
use super::finding::Finding::{self, Moot};
use crate::wire::handshake::grammar::GrammarErrorKind;
use crate::wire::handshake::headers::{EXTENSIONS, KEY, PROTOCOL, VERSION};
use crate::wire::handshake::quoted;

const NO_KEY: Finding = Moot("no key");

/// The IANA registry "WebSocket Extension Name Registry" (RFC 6455 §11.4).
const REGISTERED_EXTENSIONS: [&str; 2] = ["permessage-deflate", "bbf-usp-protocol"];

/// Keys from standards and tutorials; a random source does not produce them.
const SAMPLE_KEYS: [&str; 4] = [
    "dGhlIHNhbXBsZSBub25jZQ==", // RFC 6455 §1.3
    "AQIDBAUGBwgJCgsMDQ4PEC==", // RFC 6455 §4.1, as printed
    "AQIDBAUGBwgJCgsMDQ4PEA==", // the same, encoded correctly
    "x3JJHMbDL1EzLkh9GBhXDw==", // encyclopedias
];

pub(super) fn key_present(facts: &HandshakeFacts<'_>) -> Finding {
    Finding::decide(facts.request.get(KEY).is_some(), "present", || {
        "Sec-WebSocket-Key is missing".to_owned()
    })
}

pub(super) fn key_base64(facts: &HandshakeFacts<'_>) -> Finding {
    let Some(key) = facts.request.get(KEY) else {
        return NO_KEY;
    };
    match BASE64_STANDARD.decode(key) {
        Ok(_) => Finding::kept("base64"),
        Err(DecodeError::InvalidByte(offset, byte)) => Finding::broken(format!(
            "byte {offset} (0x{byte:02x}) of key {} is not base64",
            quoted(key)
        )),
        Err(error) => Finding::broken(format!("key {} is not base64: {error}", quoted(key))),
    }
}

/// RFC 6455 §4.1: "a nonce consisting of a randomly selected 16-byte value that has been
/// base64-encoded".
pub(super) fn key_length(facts: &HandshakeFacts<'_>) -> Finding {
    let Some(key) = facts.request.get(KEY) else {
        return NO_KEY;
    };
    match BASE64_STANDARD.decode(key) {
        Err(_) => Moot("the key is not base64"),
        Ok(nonce) => {
            Finding::decide(nonce.len() == 16, "16 bytes", || format!("{} bytes", nonce.len()))
        }
    }
}

/// RFC 6455 §4.1: "The nonce MUST be selected randomly for each connection."
pub(super) fn key_fresh(facts: &HandshakeFacts<'_>) -> Finding {
    let Some(key) = facts.request.get(KEY) else {
        return NO_KEY;
    };
    let earlier = facts.context.earlier_keys;
    match earlier.iter().position(|earlier| earlier == key) {
        None => Finding::kept("fresh"),
        Some(index) => Finding::broken(format!("same key as connection #{}", index + 1)),
    }
}

pub(super) fn key_random(facts: &HandshakeFacts<'_>) -> Finding {
    let Some(key) = facts.request.get(KEY) else {
        return NO_KEY;
    };
    if SAMPLE_KEYS.iter().any(|sample| sample.as_bytes() == key) {
        return Finding::broken(format!("{} is a well-known sample", quoted(key)));
    }
    let constant = BASE64_STANDARD.decode(key).is_ok_and(|nonce| {
        !nonce.is_empty() && nonce.iter().all(|byte| Some(byte) == nonce.first())
    });
    Finding::decide(!constant, "no known sample", || "the key is one byte repeated".to_owned())
}

/// RFC 6455 §11.3.1: "The |Sec-WebSocket-Key| header field MUST NOT appear more than
/// once in an HTTP request."
pub(super) fn key_once(facts: &HandshakeFacts<'_>) -> Finding {
    Finding::at_most_once(facts.request, KEY)
}

pub(super) fn version_present(facts: &HandshakeFacts<'_>) -> Finding {
    Finding::decide(facts.request.get(VERSION).is_some(), "present", || {
        "Sec-WebSocket-Version is missing".to_owned()
    })
}

/// RFC 6455 §4.1: "The request MUST include a header field with the name
/// |Sec-WebSocket-Version|. The value of this header field MUST be 13."
pub(super) fn version_13(facts: &HandshakeFacts<'_>) -> Finding {
    let mut values = facts.request.get_all(VERSION);
    let Some(first) = values.next() else {
        return Moot("no version");
    };
    match [first].into_iter().chain(values).find(|&value| value != b"13") {
        None => Finding::kept("13"),
        Some(other) => Finding::broken(format!("version {}", quoted(other))),
    }
}

pub(super) fn version_abnf(facts: &HandshakeFacts<'_>) -> Finding {
    let mut values = facts.request.get_all(VERSION).peekable();
    if values.peek().is_none() {
        return Moot("no version");
    }
    match values.find(|value| !is_version(value)) {
        None => Finding::kept("a version number"),
        Some(bad) => Finding::broken(format!("{} is not a version number", quoted(bad))),
    }
}

/// RFC 6455 §11.3.5: "The |Sec-WebSocket-Version| header field MUST NOT appear more than
/// once in an HTTP request."
pub(super) fn version_once(facts: &HandshakeFacts<'_>) -> Finding {
    Finding::at_most_once(facts.request, VERSION)
}

pub(super) fn subprotocol_nonempty(facts: &HandshakeFacts<'_>) -> Finding {
    no_subprotocol_fault(facts, |kind| *kind == GrammarErrorKind::EmptyElement)
}

pub(super) fn subprotocol_token(facts: &HandshakeFacts<'_>) -> Finding {
    no_subprotocol_fault(facts, |kind| matches!(kind, GrammarErrorKind::IllegalByte(_)))
}

pub(super) fn subprotocol_unique(facts: &HandshakeFacts<'_>) -> Finding {
    no_subprotocol_fault(facts, |kind| matches!(kind, GrammarErrorKind::Repeated(_)))
}

pub(super) fn extension_abnf(facts: &HandshakeFacts<'_>) -> Finding {
    match &facts.offered_extensions {
        Err(error) => Finding::broken(error.to_string()),
        Ok(list) if list.is_empty() => Moot("no extension offered"),
        Ok(list) => Finding::kept(format!("{} offered", list.len())),
    }
}

/// RFC 6455 §9.1 requires registered names; private ones are in wide use and do no harm, so an
/// unregistered name is only a note.
pub(super) fn extension_registered(facts: &HandshakeFacts<'_>) -> Finding {
    let list = facts.offered_extensions.as_deref().unwrap_or_default();
    if list.is_empty() {
        return match facts.request.get(EXTENSIONS) {
            None => Moot("no extension offered"),
            Some(_) => Moot("the list cannot be parsed"),
        };
    }
    let known = |name: &str| REGISTERED_EXTENSIONS.contains(&name);
    match list.iter().find(|extension| !known(&extension.name)) {
        None => Finding::kept("registered"),
        Some(other) => Finding::Odd(format!("{} is not registered", other.name)),
    }
}

/// RFC 6455 §4.3: `version = DIGIT | (NZDIGIT DIGIT) | ("1" DIGIT DIGIT) | ("2" DIGIT
/// DIGIT)`, "Limited to 0-255 range, with no leading zeros".
pub(super) fn is_version(value: &[u8]) -> bool {
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<u8>().ok());
    // The number, written again, gives the same text only if the text has no sign and no leading
    // zeros.
    number.is_some_and(|number| number.to_string().as_bytes() == value)
}

fn no_subprotocol_fault(
    facts: &HandshakeFacts<'_>,
    concerns: impl Fn(&GrammarErrorKind) -> bool,
) -> Finding {
    if facts.request.get(PROTOCOL).is_none() {
        return Moot("no subprotocol offered");
    }
    let list = &facts.offered_subprotocols;
    match list.faults.iter().find(|fault| concerns(&fault.kind)) {
        Some(fault) => Finding::broken(fault.to_string()),
        None => Finding::kept(format!("{} offered", list.names.len())),
    }
}
