//! What an observer reported, in a form that does not depend on how its input was cut.
//!
//! The pieces of a frame's payload are joined, and so are the pieces of content between two other
//! events. All else is kept as it came: the order of events is part of what is compared. Shared
//! with the fuzz targets, so it knows nothing of the tests.

use wscope::event::{Direction, FrameEvent, MessageInfo, Observed};
use wscope::session::{Limits, Observer};
use wscope::wire::decoder::Input;
use wscope::wire::deflate::params::DeflateParams;
use wscope::wire::{FrameHeader, OpCode, Violation};

/// An event that owns its content.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    Head(Vec<u8>),
    HeadError(String),
    Body(Vec<u8>),
    Start(u64, FrameHeader),
    Payload(Vec<u8>),
    Data(Vec<u8>),
    Control(OpCode, Vec<u8>),
    End(u64),
    Message(MessageInfo),
    Violation(Violation),
    Undecodable(Vec<u8>),
}

impl Seen {
    fn of(event: &Observed<'_>) -> Self {
        match event {
            Observed::Head(head) => Self::Head(head.raw().to_vec()),
            Observed::HeadError(error) => Self::HeadError(error.to_string()),
            Observed::Body(bytes) => Self::Body(bytes.to_vec()),
            Observed::Frame(event) => match event {
                FrameEvent::Start { number, header } => Self::Start(*number, **header),
                FrameEvent::Payload(bytes) => Self::Payload(bytes.to_vec()),
                FrameEvent::Data(bytes) => Self::Data(bytes.to_vec()),
                FrameEvent::Control { opcode, payload } => Self::Control(*opcode, payload.to_vec()),
                FrameEvent::End { number, .. } => Self::End(*number),
                FrameEvent::Message(info) => Self::Message(**info),
                FrameEvent::Violation(violation) => Self::Violation((*violation).clone()),
                FrameEvent::Undecodable(bytes) => Self::Undecodable(bytes.to_vec()),
            },
            Observed::Whole(_) => unreachable!("taken apart by note"),
        }
    }

    /// The bytes of an event that comes in pieces.
    fn pieces(&mut self) -> Option<&mut Vec<u8>> {
        match self {
            Self::Body(b) | Self::Payload(b) | Self::Data(b) | Self::Undecodable(b) => Some(b),
            _ => None,
        }
    }

    /// Whether `later` is this event, or could become it when more bytes arrive.
    fn becomes(&self, later: &Self) -> bool {
        match (self, later) {
            (Self::Body(a), Self::Body(b))
            | (Self::Payload(a), Self::Payload(b))
            | (Self::Data(a), Self::Data(b))
            | (Self::Undecodable(a), Self::Undecodable(b)) => b.starts_with(a),
            _ => self == later,
        }
    }
}

/// Joins `event` to the list of what was seen.
pub fn note(seen: &mut Vec<Seen>, event: &Observed<'_>) {
    if let Observed::Whole(message) = event {
        let joined = message.try_events(|event| -> Result<(), ()> {
            note(seen, &Observed::Frame(event));
            Ok(())
        });
        return joined.expect("nothing is refused");
    }
    let mut event = Seen::of(event);
    let kind = std::mem::discriminant(&event);
    if let Some(more) = event.pieces() {
        assert!(!more.is_empty(), "an empty piece tells nothing");
        let frame = seen.iter().rposition(|e| matches!(e, Seen::Start(..))).unwrap_or(0);
        let joined = match event {
            // Content follows its payload at once, so the payload of a frame is no longer last.
            Seen::Payload(_) => {
                seen[frame..].iter_mut().find(|e| std::mem::discriminant(*e) == kind)
            }
            _ => seen.last_mut().filter(|last| std::mem::discriminant(*last) == kind),
        };
        if let (Some(joined), Some(more)) = (joined.and_then(Seen::pieces), event.pieces()) {
            joined.append(more);
            return;
        }
    }
    seen.push(event);
}

/// Feeds pieces of a stream, each to the end before the next, and joins what is reported.
pub fn feed<'a>(observer: &mut Observer, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
    feed_with(observer, pieces, |observer, input, seen| {
        let event = observer.next(input);
        event.inspect(|event| note(seen, event)).is_some()
    })
}

/// The same, with whole messages reported at once.
fn feed_whole<'a>(
    observer: &mut Observer,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Seen> {
    feed_with(observer, pieces, |observer, input, seen| {
        let event = observer.next_or_whole(input);
        event.inspect(|event| note(seen, event)).is_some()
    })
}

fn feed_with<'a>(
    observer: &mut Observer,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    mut step: impl FnMut(&mut Observer, &mut Input<'_>, &mut Vec<Seen>) -> bool,
) -> Vec<Seen> {
    let mut seen = Vec::new();
    for piece in pieces {
        let mut bytes = piece.to_vec();
        let mut input = Input::new(&mut bytes);
        while step(observer, &mut input, &mut seen) {}
    }
    seen
}

/// A stream of frames and what is agreed for it.
#[derive(Clone, Debug)]
pub struct Stream {
    pub direction: Direction,
    pub deflate: Option<DeflateParams>,
    pub limits: Limits,
    pub bytes: Vec<u8>,
}

impl Stream {
    pub fn new(direction: Direction, bytes: impl Into<Vec<u8>>) -> Self {
        Self { direction, deflate: None, limits: Limits::default(), bytes: bytes.into() }
    }

    pub fn deflate(mut self, params: DeflateParams) -> Self {
        self.deflate = Some(params);
        self
    }

    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    pub fn observer(&self) -> Observer {
        Observer::of_frames(self.direction, self.deflate.as_ref(), self.limits)
    }

    /// What is seen when the stream comes in the pieces that end at `cuts`, and then ends; checks
    /// that whole messages reported at once are the same.
    pub fn cut(&self, cuts: &[usize]) -> Vec<Seen> {
        let mut observer = self.observer();
        let mut seen = feed(&mut observer, pieces(&self.bytes, cuts));
        seen.extend(observer.finish().map(Seen::Violation));

        let mut observer = self.observer();
        let mut whole = feed_whole(&mut observer, pieces(&self.bytes, cuts));
        whole.extend(observer.finish().map(Seen::Violation));
        assert_eq!(whole, seen, "whole messages at once");
        self.check_runs(cuts, &seen);
        seen
    }

    /// Checks that runs of small messages are the messages that events report, and leave the
    /// observer where events do.
    fn check_runs(&self, cuts: &[usize], seen: &[Seen]) {
        let mut observer = self.observer();
        let (mut content, mut messages) = (Vec::new(), 0);
        let mut told =
            feed_with(&mut observer, pieces(&self.bytes, cuts), |observer, input, told| {
                let before = content.len();
                let run = match self.direction {
                    Direction::ToClient => {
                        observer.take_run(input, 40, |bytes| content.extend_from_slice(bytes))
                    }
                    Direction::ToServer => observer.take_masked_run(input, 40, |_, bytes| {
                        content.extend_from_slice(bytes);
                    }),
                };
                assert_eq!(run.bytes, (content.len() - before) as u64);
                messages += run.messages;
                let event = observer.next(input);
                match &event {
                    Some(Observed::Frame(FrameEvent::Data(bytes))) => {
                        content.extend_from_slice(bytes)
                    }
                    Some(Observed::Frame(FrameEvent::Message(_))) => messages += 1,
                    _ => {}
                }
                let more = event.inspect(|event| note(told, event)).is_some();
                more || run.messages > 0
            });
        told.extend(observer.finish().map(Seen::Violation));
        let faults = |events: &[Seen]| -> Vec<Seen> {
            events.iter().filter(|event| matches!(event, Seen::Violation(_))).cloned().collect()
        };
        assert_eq!(faults(&told), faults(seen), "violations after runs");
        let all = seen.iter().filter(|event| matches!(event, Seen::Message(_))).count();
        assert_eq!(messages, all as u64, "messages in runs");
        let data = seen.iter().filter_map(|event| match event {
            Seen::Data(bytes) => Some(&bytes[..]),
            _ => None,
        });
        assert_eq!(content, data.collect::<Vec<_>>().concat(), "content in runs");
    }

    pub fn whole(&self) -> Vec<Seen> {
        self.cut(&[])
    }

    pub fn byte_by_byte(&self) -> Vec<Seen> {
        self.cut(&(1..self.bytes.len()).collect::<Vec<_>>())
    }

    /// What is seen whole; checks that it is the same byte by byte, and that a ping after it
    /// changes nothing.
    #[track_caller]
    pub fn seen(&self) -> Vec<Seen> {
        let whole = self.whole();
        assert_eq!(self.byte_by_byte(), whole, "byte by byte");

        let mut longer = self.clone();
        longer.bytes.extend(match self.direction {
            Direction::ToServer => &[0x89, 0x80, 1, 2, 3, 4][..],
            Direction::ToClient => &[0x89, 0x00][..],
        });
        let longer = longer.whole();
        let unended = self.observer_after().finish().is_some();
        let lasting = &whole[..whole.len() - usize::from(unended)];
        assert!(longer.len() >= lasting.len(), "trailing bytes");
        for (before, after) in lasting.iter().zip(&longer) {
            assert!(before.becomes(after), "trailing bytes made {after:?} of {before:?}");
        }
        whole
    }

    fn observer_after(&self) -> Observer {
        let mut observer = self.observer();
        feed(&mut observer, [&self.bytes[..]]);
        observer
    }
}

/// Cuts `bytes` at the given places; those beyond the end count as the end.
pub fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| (*cut).min(bytes.len())).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    let mut start = 0;
    ends.into_iter()
        .map(|end| {
            let piece = &bytes[start..end];
            start = end;
            piece
        })
        .collect()
}
