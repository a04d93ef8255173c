//! Removes secrets from events, for all sinks at once.
//!
//! In heads, texts and verdicts, everything that a [`Redactor`] finds is removed. In payloads, only
//! the exact values of secrets are replaced, with one asterisk for each byte, so that lengths stay
//! correct. A value in two pieces of a payload is found, too: a possible beginning of a value is
//! held back until the next piece, or until the end of the frame or message.
//!
//! Anyone could inflate the bytes of a compressed frame, and see the value. Therefore they are held
//! back until the frame ends, and are replaced by asterisks if the frame contains a secret.

use std::io;

use crate::diagnostics::Diagnostic;
use crate::event::{Cause, ConnId, Direction, Ending, Event, FrameEvent, Lost, Stamp};
use crate::ui::redact::Redactor;
use crate::wire::close::CloseBody;
use crate::wire::{Data, OpCode, Violation};

/// Removes secrets from a stream of events.
#[derive(Debug, Default)]
pub(super) struct Redaction {
    pub(super) redactor: Redactor,
    held: Vec<Held>,
}

/// The held-back data of the frame that is arriving.
#[derive(Debug)]
struct Held {
    conn: ConnId,
    direction: Direction,
    payload: Vec<u8>,
    data: Vec<u8>,
    /// The current frame is a control frame.
    in_control: bool,
    /// The known facts about the current compressed message, if it is one.
    compressed: Option<Compressed>,
}

/// A frame of a compressed message.
#[derive(Debug, Default)]
struct Compressed {
    /// Its bytes, until it ends.
    wire: Vec<u8>,
    /// It contains a secret, or the beginning of one; or it is too long to be held back.
    is_secret: bool,
}

/// The most bytes of a compressed frame that are held back; all bytes of a longer one are hidden.
const HELD_BACK: usize = 1 << 20;

/// A shorter beginning of a secret at the end of a fragment does not count.
const MIN_BEGINNING: usize = 3;

type Emit<'e> = dyn FnMut(&Event<'_>) -> io::Result<()> + 'e;

impl Redaction {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { redactor, held: Vec::new() }
    }

    /// Whether this event may contain a secret; most do not.
    #[inline]
    pub(super) fn concerns(&self, event: &Event<'_>) -> bool {
        !self.redactor.shows_all()
            && (!self.redactor.values().is_empty() || !matches!(event, Event::Frame(..)))
    }

    /// Emits the event without secrets.
    pub(super) fn emit(
        &mut self,
        at: &Stamp,
        event: &Event<'_>,
        emit: &mut Emit<'_>,
    ) -> io::Result<()> {
        let Self { redactor, .. } = self;
        match event {
            Event::Head(direction, head) => emit(&Event::Head(*direction, &redactor.head(head))),
            Event::Note(text) => emit(&Event::Note(&redactor.sentence(text))),
            Event::Failed(text) => emit(&Event::Failed(&redactor.sentence(text))),
            Event::Passed(text) => emit(&Event::Passed(&redactor.sentence(text))),
            Event::Listening { url } => emit(&Event::Listening { url: &redactor.text(url) }),
            Event::Body(bytes) => match masked(bytes, redactor.values()) {
                Some(masked) => emit(&Event::Body(&masked)),
                None => emit(event),
            },
            Event::Judged(report) => {
                let mut report = (*report).clone();
                for verdict in &mut report.verdicts {
                    verdict.text = redactor.sentence(&verdict.text).into_owned();
                }
                emit(&Event::Judged(&report))
            }
            Event::Open(agreed) => {
                let mut agreed = (*agreed).clone();
                agreed.subprotocol = agreed.subprotocol.map(|name| redactor.text(&name).into());
                emit(&Event::Open(&agreed))
            }
            Event::End(ending) => {
                self.held.retain(|held| held.conn != at.conn);
                let ending = self.ending(ending);
                emit(&Event::End(&ending))
            }
            // These frames come whole.
            Event::Made(made, direction, frame) => {
                let values = redactor.values();
                let (FrameEvent::Payload(bytes) | FrameEvent::Data(bytes)) = frame else {
                    return emit(event);
                };
                let bytes = masked(bytes, values).unwrap_or_else(|| bytes.to_vec());
                let frame = match frame {
                    FrameEvent::Payload(_) => FrameEvent::Payload(&bytes),
                    _ => FrameEvent::Data(&bytes),
                };
                emit(&Event::Made(*made, *direction, frame))
            }
            Event::Frame(direction, frame) => self.frame(at.conn, *direction, frame, emit),
            other => emit(other),
        }
    }

    /// The diagnostics of a connection, without secrets.
    pub(super) fn diagnostics(&self, found: &[Diagnostic]) -> Vec<Diagnostic> {
        let mut found = found.to_vec();
        for diagnostic in &mut found {
            for note in &mut diagnostic.notes {
                *note = self.redactor.quoting(note);
            }
            for cause in &mut diagnostic.causes {
                cause.text = self.redactor.quoting(&cause.text).into();
                if let Some(because) = &mut cause.because {
                    *because = self.redactor.quoting(because);
                }
            }
            diagnostic.title = self.redactor.sentence(&diagnostic.title).into_owned().into();
            diagnostic.help = self.redactor.sentence(&diagnostic.help).into_owned().into();
            // The number of bytes stays the same, so the marks stay in their place.
            if let Some(span) = &mut diagnostic.span {
                for secret in self.redactor.spans(&span.bytes) {
                    span.bytes[secret].fill(b'*');
                }
            }
        }
        found
    }

    fn frame(
        &mut self,
        conn: ConnId,
        direction: Direction,
        event: &FrameEvent<'_>,
        emit: &mut Emit<'_>,
    ) -> io::Result<()> {
        let values = self.redactor.values();
        let at = self.held.iter().position(|h| h.conn == conn && h.direction == direction);
        let at = at.unwrap_or_else(|| {
            let (payload, data, compressed) = (Vec::new(), Vec::new(), None);
            let in_control = false;
            self.held.push(Held { conn, direction, payload, data, in_control, compressed });
            self.held.len() - 1
        });
        let held = &mut self.held[at];
        let mut emit = |event: FrameEvent<'_>| emit(&Event::Frame(direction, event));
        match event {
            FrameEvent::Payload(bytes) if held.holds_back() => {
                let Some(Compressed { wire, is_secret }) = &mut held.compressed else {
                    return Ok(());
                };
                wire.extend_from_slice(bytes);
                if wire.len() > HELD_BACK {
                    *is_secret = true;
                }
                match *is_secret && wire.len() > HELD_BACK {
                    true => emit(FrameEvent::Payload(&stars(wire))),
                    false => Ok(()),
                }
            }
            FrameEvent::Payload(bytes) => {
                piece(&mut held.payload, bytes, values, |bytes| emit(FrameEvent::Payload(bytes)))
            }
            FrameEvent::Data(bytes) => {
                if let Some(compressed) = &mut held.compressed {
                    let joined;
                    let whole = match held.data.is_empty() {
                        true => *bytes,
                        false => {
                            joined = [&held.data[..], bytes].concat();
                            &joined[..]
                        }
                    };
                    compressed.is_secret |= masked(whole, values).is_some();
                }
                piece(&mut held.data, bytes, values, |bytes| emit(FrameEvent::Data(bytes)))
            }
            FrameEvent::End { header, .. } => {
                if !held.payload.is_empty() {
                    emit(FrameEvent::Payload(&std::mem::take(&mut held.payload)))?;
                }
                // A secret that begins at the end of a fragment may continue in the next one.
                let is_control = matches!(header.opcode, OpCode::Control(_));
                if let Some(compressed) = held.compressed.as_mut().filter(|_| !is_control) {
                    let begun = !header.fin && held.data.len() >= MIN_BEGINNING;
                    let hide = compressed.is_secret || begun;
                    let wire = match hide {
                        true => stars(&mut compressed.wire),
                        false => std::mem::take(&mut compressed.wire),
                    };
                    // The rest of the secret is in the next fragment.
                    compressed.is_secret = begun;
                    if !wire.is_empty() {
                        emit(FrameEvent::Payload(&wire))?;
                    }
                }
                let goes_on = is_control || !header.fin && held.data.len() >= MIN_BEGINNING;
                if !held.data.is_empty() && !goes_on {
                    emit(FrameEvent::Data(&std::mem::take(&mut held.data)))?;
                }
                emit(event.clone())
            }
            FrameEvent::Control { opcode, payload } => match masked(payload, values) {
                Some(payload) => emit(FrameEvent::Control { opcode: *opcode, payload: &payload }),
                None => emit(event.clone()),
            },
            FrameEvent::Undecodable(bytes) => match masked(bytes, values) {
                Some(bytes) => emit(FrameEvent::Undecodable(&bytes)),
                None => emit(event.clone()),
            },
            FrameEvent::Violation(violation) => emit(FrameEvent::Violation(&Violation {
                detail: self.redactor.sentence(&violation.detail).into_owned(),
                ..(*violation).clone()
            })),
            FrameEvent::Start { header, .. } => {
                // Drops the data of an unfinished message.
                if matches!(header.opcode, OpCode::Data(Data::Text | Data::Binary)) {
                    held.data.clear();
                    held.compressed = header.rsv1.then(Compressed::default);
                }
                held.in_control = matches!(header.opcode, OpCode::Control(_));
                emit(event.clone())
            }
            FrameEvent::Message(_) => emit(event.clone()),
        }
    }

    fn ending(&self, ending: &Ending) -> Ending {
        let mut ending = ending.clone();
        let close = |body: &mut CloseBody| {
            if let Some(reason) = masked(&body.reason, self.redactor.values()) {
                body.reason = reason;
            }
        };
        ending.sent.iter_mut().chain(&mut ending.received).for_each(close);
        match &mut ending.cause {
            Cause::Violation(violation) => {
                violation.detail = self.redactor.sentence(&violation.detail).into_owned();
            }
            Cause::Lost(Lost::Other(how)) => *how = self.redactor.text(how).into_owned(),
            _ => {}
        }
        ending
    }
}

impl Held {
    /// Whether the current bytes belong to a compressed frame.
    fn holds_back(&self) -> bool {
        self.compressed.is_some() && !self.in_control
    }
}

/// One asterisk for each byte; consumes the bytes.
fn stars(bytes: &mut Vec<u8>) -> Vec<u8> {
    let stars = vec![b'*'; bytes.len()];
    bytes.clear();
    stars
}

/// Emits a piece of a payload, except for a possible beginning of a secret at its end.
fn piece(
    held: &mut Vec<u8>,
    bytes: &[u8],
    values: &[Vec<u8>],
    mut emit: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let joined;
    let whole = match held.is_empty() {
        true => bytes,
        false => {
            joined = [&std::mem::take(held)[..], bytes].concat();
            &joined
        }
    };
    let masked = masked(whole, values);
    let whole = masked.as_deref().unwrap_or(whole);
    let begun = values.iter().map(|value| {
        let most = whole.len().min(value.len() - 1);
        (1..=most).rev().find(|n| whole.ends_with(&value[..*n])).unwrap_or(0)
    });
    let (shown, rest) = whole.split_at(whole.len() - begun.max().unwrap_or(0));
    held.extend_from_slice(rest);
    if shown.is_empty() { Ok(()) } else { emit(shown) }
}

/// The bytes with asterisks for each of `values`; `None` if they contain none.
fn masked(bytes: &[u8], values: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut masked: Option<Vec<u8>> = None;
    for value in values {
        for at in memchr::memmem::find_iter(bytes, value) {
            masked.get_or_insert_with(|| bytes.to_vec())[at..at + value.len()].fill(b'*');
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{FrameHeader, LengthForm};
    use proptest::prelude::*;

    /// The emitted data for a payload in these pieces.
    fn shown(values: &[&str], pieces: &[&[u8]]) -> Vec<u8> {
        let mut redactor = Redactor::new();
        values.iter().for_each(|value| redactor.learn(value.as_bytes()));
        let mut redaction = Redaction::new(redactor);
        let (conn, direction) = (ConnId(1), Direction::ToClient);
        let mut shown = Vec::new();
        let header = FrameHeader {
            fin: true,
            rsv1: false,
            rsv2: false,
            rsv3: false,
            opcode: OpCode::Data(Data::Text),
            mask: None,
            len: pieces.concat().len() as u64,
            form: LengthForm::Bits7,
            offset: 0,
        };
        let pieces = pieces.iter().map(|piece| FrameEvent::Payload(piece));
        for event in pieces.chain([FrameEvent::End { number: 1, header: &header }]) {
            let take = &mut |event: &Event<'_>| {
                if let Event::Frame(_, FrameEvent::Payload(bytes)) = event {
                    assert!(!bytes.is_empty());
                    shown.extend_from_slice(bytes);
                }
                Ok(())
            };
            redaction.frame(conn, direction, &event, take).expect("no sink fails");
        }
        shown
    }

    #[test]
    fn values_are_masked_wherever_a_payload_is_cut() {
        let payload = b"a secret, sec, and a secretsecret: secre";
        let expected = b"a ******, sec, and a ************: secre";
        for cut in 0..payload.len() {
            let (first, second) = payload.split_at(cut);
            assert_eq!(shown(&["secret"], &[first, second]), expected, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = payload.chunks(1).collect();
        assert_eq!(shown(&["secret"], &bytes), expected);
    }

    proptest! {
        #[test]
        fn nothing_but_secrets_changes(payload in "[abs]{0,40}", cut in 0usize..40) {
            let cut = cut.min(payload.len());
            let (first, second) = payload.as_bytes().split_at(cut);
            let shown = shown(&["abba", "sabbas"], &[first, second]);
            let expected = payload.replace("sabbas", "******").replace("abba", "****");
            prop_assert_eq!(shown.len(), payload.len());
            prop_assert!(!String::from_utf8_lossy(&shown).contains("abba"), "{expected}");
        }
    }
}
