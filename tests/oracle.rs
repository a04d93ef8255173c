//! The independent judge: tungstenite's engine and our observer read the same bytes.
//!
//! Whatever tungstenite accepts we decode to the same messages, and we call it a violation only
//! where RFC 6455 says so; whatever we find without fault tungstenite accepts. The differences are
//! listed here, each with its reason.

mod common;

use proptest::prelude::*;
use tungstenite::error::ProtocolError;
use tungstenite::{Error, Message};

use common::engine::{Engine, LIMIT};
use common::frames::*;
use common::seen::{Seen, Stream};
use common::streams;
use wscope::event::Direction;
use wscope::session::Limits;
use wscope::wire::close::CloseBody;
use wscope::wire::{CloseCode, OpCode, Role, ViolationKind as K};

/// What we report although tungstenite accepts it.
const JUSTIFIED: [(K, &str); 2] = [
    // Not checked by tungstenite.
    (K::NonMinimalLength, "the minimal number of bytes MUST be used to encode the length (§5.2)"),
    // tungstenite accepts the frame and tells its user another code, 1002.
    (K::IllegalCloseCode, "MUST NOT be set as a status code in a Close control frame (§7.4.1)"),
];

/// Codes tungstenite rewrites although the registry has them: 1014 was registered after RFC 6455.
const LEGAL_BUT_REWRITTEN: [u16; 1] = [1014];

/// A message or a control frame.
#[derive(Clone, Debug, PartialEq)]
struct Item {
    opcode: OpCode,
    content: Vec<u8>,
}

/// Our reading: items and violations with the frames they end in, up to the first Close.
#[derive(Debug, Default)]
struct Reading {
    items: Vec<(u64, Item)>,
    violations: Vec<(u64, K)>,
}

fn ours(stream: &Stream) -> Reading {
    let limits = Limits { message: LIMIT as u64, ..Limits::default() };
    let mut reading = Reading::default();
    let (mut frame, mut content) = (0, Vec::new());
    for event in stream.clone().limits(limits).whole() {
        match event {
            // What follows a Close is nobody's business: tungstenite stops reading there.
            Seen::Start(..) if matches!(reading.items.last(), Some((_, i)) if i.opcode == CLOSE) => {
                break;
            }
            // A message abandoned for another leaves its content behind.
            Seen::Start(number, header) => {
                frame = number;
                if matches!(header.opcode, TEXT | BINARY) {
                    content.clear();
                }
            }
            Seen::Data(mut piece) => content.append(&mut piece),
            Seen::Message(info) => {
                let item = Item { opcode: info.opcode, content: std::mem::take(&mut content) };
                reading.items.push((frame, item));
            }
            Seen::Control(opcode, payload) => {
                reading.items.push((frame, Item { opcode, content: payload }));
            }
            Seen::Violation(v) => reading.violations.push((v.frame, v.kind)),
            _ => {}
        }
    }
    reading
}

fn theirs(stream: &Stream) -> Engine {
    let mut engine = Engine::new(match stream.direction {
        Direction::ToServer => Role::Server,
        Direction::ToClient => Role::Client,
    });
    engine.receive_bytes(&stream.bytes);
    engine.end_of_stream();
    engine
}

/// Whether tungstenite's message says the same as ours.
fn same(ours: &Item, theirs: &Message) -> bool {
    match theirs {
        Message::Text(text) => ours.opcode == TEXT && ours.content == text.as_bytes(),
        Message::Binary(bytes) => ours.opcode == BINARY && ours.content == bytes[..],
        Message::Ping(bytes) => ours.opcode == PING && ours.content == bytes[..],
        Message::Pong(bytes) => ours.opcode == PONG && ours.content == bytes[..],
        Message::Close(None) => ours.opcode == CLOSE && ours.content.is_empty(),
        Message::Close(Some(close)) => {
            let body = CloseBody::parse(&ours.content);
            let Some(code) = body.code.filter(|_| ours.opcode == CLOSE) else { return false };
            let may_be_sent = wscope::wire::close::may_be_sent(code);
            let rewritten = !may_be_sent || LEGAL_BUT_REWRITTEN.contains(&code);
            match rewritten {
                true => close.code == CloseCode::Protocol,
                false => {
                    u16::from(close.code) == code && close.reason.as_bytes() == &body.reason[..]
                }
            }
        }
        Message::Frame(_) => false,
    }
}

/// Compares both readings, in both directions of the property.
fn compare(stream: &Stream) -> Result<(), TestCaseError> {
    let (ours, theirs) = (ours(stream), theirs(stream));

    // What tungstenite accepts we read the same way, and blame only with reason.
    prop_assert!(theirs.accepted.len() <= ours.items.len(), "{ours:#?} {:#?}", theirs.accepted);
    for ((frame, ours), theirs) in ours.items.iter().zip(&theirs.accepted) {
        prop_assert!(same(ours, theirs), "frame #{frame}: {ours:?} is not {theirs:?}");
    }
    let accepted = theirs.accepted.len().checked_sub(1).map_or(0, |last| ours.items[last].0);
    for (frame, kind) in &ours.violations {
        let justified = JUSTIFIED.iter().any(|(justified, _)| justified == kind);
        prop_assert!(*frame > accepted || justified, "tungstenite accepts {kind:?} in #{frame}");
    }

    // What we find without fault tungstenite accepts.
    let faulty = ours.violations.first().map_or(u64::MAX, |(frame, _)| *frame);
    let sound = ours.items.iter().take_while(|(frame, _)| *frame < faulty).count();
    prop_assert!(theirs.accepted.len() >= sound, "{:?} after {sound} sound items", theirs.end);
    let sound = ours.violations.is_empty();
    // Whatever tungstenite finds after a Close, we looked no further.
    let closed = ours.items.last().is_some_and(|(_, item)| item.opcode == CLOSE);
    // Else the stream ended without a Close, perhaps inside a message.
    let cut = Error::Protocol(ProtocolError::ResetWithoutClosingHandshake).to_string();
    let end = theirs.end.map(|error| error.to_string());
    prop_assert!(!sound || closed || end == Some(cut), "we find no fault, tungstenite: {end:?}");
    Ok(())
}

#[test]
fn the_differences_listed_are_all_there_are_for_close_codes() {
    for code in 0..=u16::MAX {
        let stream =
            Stream::new(Direction::ToClient, bytes([frame(CLOSE, close_payload(code, "why"))]));
        compare(&stream).unwrap_or_else(|error| panic!("close code {code}: {error}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn legal_streams(stream in streams::legal(Just(None))) {
        compare(&stream)?;
    }

    #[test]
    fn slightly_wrong_streams(stream in streams::mutated(Just(None))) {
        compare(&stream)?;
    }

    #[test]
    fn noise(stream in streams::noise(Just(None))) {
        compare(&stream)?;
    }
}
