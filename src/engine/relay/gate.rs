//! A direction of a relay that rules, lines of the prompt and faults can change.
//!
//! Received bytes are split into frames and forwarded unchanged. If a rule may match, the message
//! is collected first. An injected frame waits for the end of the current frame, and an injected
//! message for the end of the current message. A held message delays the messages after it, but not
//! pings and pongs.
//!
//! "the compressor and decompressor … use the same LZ77 sliding window" (RFC 7692 §7.1.1): once a
//! compressed message was changed or dropped, all later messages are compressed again, unless each
//! begins with an empty window. Injected messages are not compressed, so they do not affect a
//! window.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Instant;

use super::mischief::{Mischief, Slow, mask};
use crate::config::rule::{Action, MAX_EDITED, Rules};
use crate::engine::outbox::{OutboundObserver, Outbox, Producer, Sender};
use crate::engine::runtime::Runtime;
use crate::event::{
    ConnId, Direction, Event, FrameEvent, Intervened, Intervention, Made, Observed,
};
use crate::net::link::HIGH_WATER;
use crate::net::random;
use crate::session::{Endpoint, EndpointConfig, Limits, Observer};
use crate::ui::number;
use crate::wire::close::CloseBody;
use crate::wire::decoder::Input;
use crate::wire::deflate::params::DeflateParams;
use crate::wire::fault::{BehaviourFault, Fault, FaultKind, FaultPiece, FrameFault, pieces};
use crate::wire::handshake::Agreed;
use crate::wire::violation::{Violation, ViolationKind};
use crate::wire::writer::RawFrame;
use crate::wire::{Control, Data, FrameHeader, OpCode};

/// The largest message, on the wire and inflated, to which rules apply. Also the largest amount of
/// data that may wait after a waiting message.
pub const MOST: usize = 1 << 20;

/// "All control frames MUST have a payload length of 125 bytes or less" (RFC 6455 §5.5).
const MAX_CONTROL: u64 = 125;

/// A direction with rules, held messages and injected frames.
pub struct Gate {
    observer: Observer,
    flow: Flow,
}

/// How a held message is released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// Forwarded unchanged.
    Pass,
    /// Dropped.
    Drop,
    /// Forwarded with this content.
    Edit(Vec<u8>),
}

/// Why both directions are closed, and with which Close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayClose {
    /// The rule that requires it; `None` for a line of the prompt.
    pub rule: Option<u64>,
    /// The Close for both ends.
    pub body: CloseBody,
}

/// Decoded data on its way to the receiver.
struct Flow {
    conn: ConnId,
    direction: Direction,
    rules: Rc<RefCell<Rules>>,
    /// Makes frames: the receiver sees it as the sender of this direction.
    endpoint: Endpoint,
    outbox: Outbox,
    /// The frames made here, until the current frame ends.
    made: Vec<u8>,
    /// The data to forward.
    out: Vec<u8>,
    /// `out` ends inside a frame.
    inside: bool,
    /// The bytes of the current frame that are not in `queue`.
    frame: Vec<u8>,
    /// The kind and number of the current frame; for a message, the number of its first frame.
    about: Option<About>,
    /// The header of the current frame.
    header: Option<FrameHeader>,
    /// What happens to the current data message.
    handling: Handling,
    /// The payload of a control frame.
    control: Vec<u8>,
    queue: VecDeque<GateEntry>,
    queued: usize,
    /// Each compressed message depends on the messages before it.
    takeover: bool,
    deflate: Option<DeflateParams>,
    /// Compressed messages are compressed again.
    recoding: bool,
    /// The peers use no unknown extension.
    readable: bool,
    /// Data is forwarded or dropped as raw bytes, because it follows a Close, or frame boundaries
    /// are unknown.
    plain: bool,
    /// A Close was sent instead of all later data.
    shut: bool,
    /// The rule that caused the Close.
    shut_by: Option<u64>,
    /// The Close for both directions, for the relay.
    close: Option<RelayClose>,
    mischief: Mischief,
}

/// The kind of a frame or message, and its number.
type About = (OpCode, u64);

/// What happens to a data message while its frames arrive.
enum Handling {
    /// It is forwarded.
    Pass,
    /// It is collected for the rules.
    Collect(Whole),
    /// It is compressed again, piece by piece.
    Recode(Data, u64),
    /// It is dropped.
    Discard,
}

/// A message or control frame.
struct Whole {
    opcode: OpCode,
    /// The number of its first frame.
    frame: u64,
    compressed: bool,
    /// The unchanged bytes.
    raw: Vec<u8>,
    content: Vec<u8>,
    /// It breaks a rule of the protocol, so its content is unknown.
    broken: bool,
}

/// An entry of the queue.
struct GateEntry {
    item: Item,
    wait: GateWait,
}

enum Item {
    /// Bytes that are forwarded unchanged: whether they belong to a data frame, end a frame, are
    /// continued by later frames, or are a Close.
    Raw { bytes: Vec<u8>, about: Option<About>, data: bool, whole: bool, open: bool, close: bool },
    /// A piece of a message that is compressed again.
    Piece { opcode: Data, frame: u64, content: Vec<u8>, last: bool },
    /// A message or control frame that the rules have checked.
    Whole(Whole, Fate),
}

/// The decision about a message.
enum Fate {
    Pass,
    Drop,
    Edit(Vec<u8>),
    Copy,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum GateWait {
    No,
    Until(Instant),
    Held,
}

impl Item {
    fn len(&self) -> usize {
        match self {
            Self::Raw { bytes, .. } => bytes.len(),
            Self::Piece { content, .. } => content.len(),
            Self::Whole(whole, Fate::Edit(new)) => {
                whole.raw.len() + whole.content.len() + new.len()
            }
            Self::Whole(whole, _) => whole.raw.len() + whole.content.len(),
        }
    }

    /// What the receiver misses if the entry is dropped; `None` if a rule has already dropped it.
    fn about(&self) -> Option<About> {
        match self {
            Self::Raw { about, .. } => *about,
            Self::Piece { opcode, frame, .. } => Some((OpCode::Data(*opcode), *frame)),
            Self::Whole(_, Fate::Drop) => None,
            Self::Whole(whole, _) => Some((whole.opcode, whole.frame)),
        }
    }

    /// Whether it must wait for the end of an injected message.
    fn is_data(&self) -> bool {
        match self {
            Self::Raw { data, .. } => *data,
            Self::Piece { .. } => true,
            Self::Whole(whole, _) => matches!(whole.opcode, OpCode::Data(_)),
        }
    }
}

impl Gate {
    /// Begins at the first frame of a direction.
    pub fn new(
        conn: ConnId,
        direction: Direction,
        agreed: &Agreed,
        rules: Rc<RefCell<Rules>>,
        faults: Vec<Fault>,
        now: Instant,
    ) -> Self {
        let role = direction.sender();
        let deflate = agreed.deflate;
        let config = EndpointConfig { compress: false, deflate, ..EndpointConfig::new(role) };
        let endpoint = Endpoint::new(config, random::system(), now);
        let mut outbox =
            Outbox::new(Some(OutboundObserver::new(direction, None, Limits::default())));
        outbox.mark(Made::Injected);
        let known = usize::from(deflate.is_some());
        let flow = Flow {
            conn,
            direction,
            rules,
            endpoint,
            outbox,
            made: Vec::new(),
            out: Vec::new(),
            inside: false,
            frame: Vec::new(),
            about: None,
            header: None,
            handling: Handling::Pass,
            control: Vec::new(),
            queue: VecDeque::new(),
            queued: 0,
            takeover: deflate.is_some_and(|params| !params.no_context_takeover(role)),
            deflate,
            recoding: false,
            readable: agreed.extensions.len() <= known,
            plain: false,
            shut: false,
            shut_by: None,
            close: None,
            mischief: Mischief::new(faults),
        };
        Self { observer: Observer::of_frames(direction, deflate.as_ref(), Limits::default()), flow }
    }

    /// Takes received data, and forwards what may be forwarded.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn take(&mut self, received: &[u8], runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        let Self { observer, flow } = self;
        let mut rest = received;
        if !flow.plain {
            // Decoding unmasks in place.
            let mut copy = received.to_vec();
            let mut input = Input::new(&mut copy);
            while !flow.plain
                && let Some(observed) = observer.next(&mut input)
            {
                if let Observed::Frame(event) = observed {
                    flow.event(&event, &mut rest, runtime, now)?;
                }
            }
        }
        flow.frame.extend_from_slice(rest);
        if flow.plain {
            flow.push_raw(false, true, false, false);
        } else {
            flow.push_begun();
        }
        flow.drain(runtime, now)
    }

    /// Takes the end of the stream: an incomplete message is forwarded as received.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn finish(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        let flow = &mut self.flow;
        flow.push_cut();
        if !flow.frame.is_empty() {
            flow.push_raw(false, false, false, false);
        }
        flow.drain(runtime, now)
    }

    /// Forwards what may be forwarded now.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn advance(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        self.flow.drain(runtime, now)
    }

    /// Takes the data to forward.
    pub fn take_out(&mut self) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.flow.out);
        self.flow.mischief.trim(&mut out);
        out
    }

    /// Runs the faults that are due: `messages` of the receiver have arrived, the last data at
    /// `heard`.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn go_wrong(
        &mut self,
        messages: u64,
        heard: Instant,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        let flow = &mut self.flow;
        for fault in flow.mischief.due(messages) {
            let text = flow.fire(&fault, runtime, now)?;
            runtime.report(flow.conn, &Event::Note(&text))?;
            runtime.remark(flow.conn, &text);
        }
        if flow.mischief.looks_at_silence(heard, now) {
            let text = "the peer was silent, so its connection ends";
            runtime.report(flow.conn, &Event::Note(text))?;
            runtime.remark(flow.conn, text);
        }
        Ok(())
    }

    /// Takes the slowdowns that begin now.
    pub fn take_slow(&mut self) -> Vec<Slow> {
        self.flow.mischief.take_slow()
    }

    /// When silence of the receiver ends the stream.
    pub fn silence_ends(&self, heard: Instant) -> Option<Instant> {
        self.flow.mischief.deadline(heard)
    }

    /// Whether a fault holds back the end of the stream.
    pub fn keeps_transport(&self) -> bool {
        self.flow.mischief.keeps_transport()
    }

    /// Whether there is room for more data.
    pub fn has_room(&self) -> bool {
        self.flow.queued < MOST
    }

    /// Whether no data waits.
    pub fn is_empty(&self) -> bool {
        let Flow { queue, out, frame, handling, .. } = &self.flow;
        let collecting = matches!(handling, Handling::Collect(_));
        queue.is_empty() && out.is_empty() && frame.is_empty() && !collecting
    }

    /// Whether something can be forwarded now.
    pub fn can_move(&self) -> bool {
        let Flow { queue, out, inside, made, outbox, endpoint, .. } = &self.flow;
        let queued = outbox.can_move(out.len()) && endpoint.is_open();
        let front = queue.front().is_some_and(|entry| {
            entry.wait == GateWait::No && (outbox.is_free(endpoint) || !entry.item.is_data())
        });
        !out.is_empty() || front || !inside && (!made.is_empty() || queued)
    }

    /// Whether a message waits.
    pub fn waits(&self) -> bool {
        !self.flow.queue.is_empty() || self.flow.outbox.queued() > 0
    }

    /// The number of waiting bytes.
    pub fn held(&self) -> usize {
        let Flow { queued, out, frame, made, handling, outbox, .. } = &self.flow;
        let collected = match handling {
            Handling::Collect(whole) => whole.raw.len() + whole.content.len(),
            _ => 0,
        };
        queued + out.len() + frame.len() + made.len() + collected + outbox.queued()
    }

    /// When a delayed message may be forwarded.
    pub fn deadline(&self) -> Option<Instant> {
        match self.flow.queue.front()?.wait {
            GateWait::Until(at) => Some(at),
            GateWait::No | GateWait::Held => None,
        }
    }

    /// Sends to the receiver of this direction, at the next end of a frame or message.
    pub fn sender(&mut self, now: Instant) -> Sender<'_> {
        let Flow { endpoint, outbox, made, .. } = &mut self.flow;
        Sender { endpoint: Some(endpoint), outbox, tx: made, now }
    }

    /// The endpoint that makes the injected frames.
    pub fn endpoint(&self) -> &Endpoint {
        &self.flow.endpoint
    }

    /// The first rule that an injected frame broke. Injected frames may be compressed, if that was
    /// agreed.
    pub fn breach(&self) -> Option<&(Made, Violation)> {
        let compressed =
            |kind| kind == ViolationKind::Rsv1WithoutExtension && self.flow.deflate.is_some();
        self.flow.outbox.breach().filter(|(_, broken)| !compressed(broken.kind))
    }

    /// Whether there is room for injected data.
    pub fn has_room_for(&self, producer: Producer) -> bool {
        let Flow { endpoint, outbox, made, out, .. } = &self.flow;
        !endpoint.is_open() || outbox.has_room(producer, made.len() + out.len())
    }

    /// How the stream to the receiver must end, if that was requested: with a reset (true) or in
    /// order.
    pub fn end(&self) -> Option<bool> {
        let Flow { outbox, out, mischief, .. } = &self.flow;
        let asked = (outbox.has_end() && out.is_empty()).then(|| outbox.wants_abort());
        mischief.end().or(asked)
    }

    /// The first held message.
    pub fn first_held(&self) -> Option<&[u8]> {
        self.flow.queue.iter().find_map(|entry| match &entry.item {
            Item::Whole(whole, _) if entry.wait == GateWait::Held => Some(&*whole.content),
            _ => None,
        })
    }

    /// Releases the first held message. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn release(&mut self, how: Release, runtime: &mut Runtime) -> io::Result<bool> {
        let flow = &mut self.flow;
        let held = flow.queue.iter_mut().find(|entry| entry.wait == GateWait::Held);
        let Some(GateEntry { item: Item::Whole(whole, fate), wait }) = held else {
            return Ok(false);
        };
        *wait = GateWait::No;
        let what = match how {
            Release::Pass => Intervention::Released,
            Release::Drop => {
                *fate = Fate::Drop;
                Intervention::Dropped
            }
            Release::Edit(new) => {
                flow.queued += new.len();
                *fate = Fate::Edit(new);
                Intervention::Edited
            }
        };
        let (opcode, frame) = (whole.opcode, whole.frame);
        flow.report(opcode, frame, None, what, runtime)?;
        Ok(true)
    }

    /// Takes the Close of a rule for both directions.
    pub fn take_close(&mut self) -> Option<RelayClose> {
        self.flow.close.take()
    }

    /// Sends a Close instead of all later data.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn shut(
        &mut self,
        close: &RelayClose,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        let flow = &mut self.flow;
        (flow.shut, flow.shut_by) = (true, close.rule);
        let mut waiting = std::mem::take(&mut flow.queue);
        if flow.inside {
            flow.queue.extend(waiting.pop_front());
        }
        flow.queued = flow.queue.front().map_or(0, |rest| rest.item.len());
        let mut dropped: Vec<About> =
            waiting.iter().filter_map(|entry| entry.item.about()).collect();
        if flow.header.is_none() || !matches!(flow.handling, Handling::Pass) {
            flow.frame.clear();
            // The started message; its other frames are reported at their ends.
            match std::mem::replace(&mut flow.handling, Handling::Discard) {
                Handling::Collect(whole) if !whole.raw.is_empty() => {
                    dropped.push((whole.opcode, whole.frame));
                }
                _ => {}
            }
        }
        // A message in pieces is reported once.
        dropped.dedup();
        for about in dropped {
            flow.dropped(about, runtime)?;
        }
        // If it has already been closed, no Close is needed.
        let CloseBody { code, reason } = &close.body;
        let closed = std::str::from_utf8(reason)
            .is_ok_and(|reason| flow.endpoint.close(*code, reason, now, &mut flow.made).is_ok());
        if !closed && flow.endpoint.is_open() {
            // A Close that an endpoint would refuse is sent anyway, because the user asked for it.
            let frame = RawFrame {
                opcode: OpCode::Control(Control::Close),
                mask: flow.endpoint.key(),
                payload: close.body.to_payload(),
                ..RawFrame::default()
            };
            frame.write(&mut flow.made);
            flow.endpoint.drop_connection();
        }
        flow.drain(runtime, now)
    }
}

impl Flow {
    fn event(
        &mut self,
        event: &FrameEvent<'_>,
        rest: &mut &[u8],
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        match event {
            FrameEvent::Start { number, header } => {
                self.take_raw(header.wire_len().saturating_sub(self.frame.len()), rest);
                self.begin(*number, header, runtime)?;
            }
            FrameEvent::Payload(bytes) => {
                self.take_raw(bytes.len(), rest);
                self.check_size(runtime)?;
            }
            FrameEvent::Data(bytes) => {
                match &mut self.handling {
                    Handling::Collect(whole) => whole.content.extend_from_slice(bytes),
                    Handling::Recode(opcode, frame) => {
                        let (opcode, frame, content) = (*opcode, *frame, bytes.to_vec());
                        self.push(Item::Piece { opcode, frame, content, last: false });
                    }
                    Handling::Pass | Handling::Discard => {}
                }
                self.check_size(runtime)?;
            }
            FrameEvent::Control { payload, .. } => self.control = payload.to_vec(),
            FrameEvent::End { number, header } => {
                self.end_frame(*number, header, runtime, now)?;
                self.drain(runtime, now)?;
            }
            FrameEvent::Message(_) => {
                self.end_message(runtime, now)?;
                self.drain(runtime, now)?;
            }
            FrameEvent::Violation(_) => {
                if let Handling::Collect(whole) = &mut self.handling {
                    whole.broken = true;
                }
            }
            FrameEvent::Undecodable(_) => {
                self.push_cut();
                self.plain = true;
            }
        }
        Ok(())
    }

    /// Runs a fault; returns what it did, or why it is impossible.
    fn fire(&mut self, fault: &Fault, runtime: &mut Runtime, now: Instant) -> io::Result<String> {
        match fault.info.kind {
            FaultKind::Frames(kind) => {
                let role = self.direction.sender();
                let pieces = match pieces(fault, self.deflate.as_ref(), role) {
                    Ok(pieces) => pieces,
                    Err(error) => {
                        return Ok(format!("fault {}: not sent: {error}", fault.info.name));
                    }
                };
                for piece in pieces {
                    let Self { endpoint, outbox, made, .. } = self;
                    match piece {
                        FaultPiece::Frame(mut frame) => {
                            frame.mask = frame.mask.or_else(|| mask(kind, endpoint));
                            endpoint.send_raw(&frame, now, made);
                        }
                        FaultPiece::Bytes(bytes) => made.extend_from_slice(bytes),
                        FaultPiece::End => {
                            Sender { endpoint: Some(endpoint), outbox, tx: made, now }.half_close();
                        }
                    }
                }
                if matches!(kind, FrameFault::DeflateBomb | FrameFault::DeflateCorrupt)
                    && self.takeover
                {
                    self.recode(runtime)?;
                }
            }
            FaultKind::Behaviour(behaviour) => {
                if behaviour == BehaviourFault::KeepTcp && self.endpoint.is_open() {
                    let _ = self.endpoint.close(Some(1000), "", now, &mut self.made);
                }
                self.mischief.behave(behaviour, fault, self.out.len());
            }
            FaultKind::Head(_) | FaultKind::Answer(_) | FaultKind::Pace(_) => {}
        }
        Ok(fault.to_string())
    }

    fn take_raw(&mut self, n: usize, rest: &mut &[u8]) {
        let (taken, left) = rest.split_at(n.min(rest.len()));
        self.frame.extend_from_slice(taken);
        *rest = left;
    }

    /// Whether a rule may match messages of this kind.
    fn looks_at(&self, opcode: OpCode) -> bool {
        let rules = self.rules.borrow();
        self.readable
            && match opcode {
                // Every message after a changed one is compressed again.
                OpCode::Data(_) if self.takeover => rules.look_at_messages(self.direction),
                _ => rules.look_at(self.direction, opcode),
            }
    }

    fn begin(
        &mut self,
        number: u64,
        header: &FrameHeader,
        runtime: &mut Runtime,
    ) -> io::Result<()> {
        (self.about, self.header) = (Some((header.opcode, number)), Some(*header));
        self.control.clear();
        let OpCode::Data(opcode @ (Data::Text | Data::Binary)) = header.opcode else {
            return Ok(());
        };
        // The previous message was cut; the receiver has to handle that.
        self.push_cut();
        let compressed = header.rsv1 && self.deflate.is_some();
        self.handling = match self.shut {
            true => Handling::Discard,
            false if self.looks_at(header.opcode) || self.recoding && compressed => {
                Handling::Collect(Whole {
                    opcode: header.opcode,
                    frame: number,
                    compressed,
                    raw: Vec::new(),
                    content: Vec::new(),
                    broken: false,
                })
            }
            false => Handling::Pass,
        };
        if header.len > MOST as u64 {
            self.give_up(opcode, runtime)?;
        }
        Ok(())
    }

    /// Stops checking a message that has become too long.
    fn check_size(&mut self, runtime: &mut Runtime) -> io::Result<()> {
        let Handling::Collect(whole) = &self.handling else { return Ok(()) };
        let OpCode::Data(opcode) = whole.opcode else { return Ok(()) };
        let longest = whole.content.len().max(whole.raw.len() + self.frame.len());
        if longest > MOST { self.give_up(opcode, runtime) } else { Ok(()) }
    }

    fn give_up(&mut self, opcode: Data, runtime: &mut Runtime) -> io::Result<()> {
        let Handling::Collect(whole) = std::mem::replace(&mut self.handling, Handling::Pass) else {
            return Ok(());
        };
        if self.looks_at(whole.opcode) {
            let text = format!(
                "the message of frame #{} {} is forwarded without rules: it has more than 1 MiB",
                whole.frame,
                towards(self.direction),
            );
            runtime.report(self.conn, &Event::Note(&text))?;
        }
        let waits = !self.queue.is_empty();
        if whole.compressed && !whole.broken && (self.recoding || self.takeover && waits) {
            self.recode(runtime)?;
            let frame = whole.frame;
            self.handling = Handling::Recode(opcode, frame);
            self.push(Item::Piece { opcode, frame, content: whole.content, last: false });
            self.frame.clear();
        } else if !whole.raw.is_empty() {
            let (bytes, about) = (whole.raw, Some((whole.opcode, whole.frame)));
            let (data, open, close) = (true, true, false);
            self.push(Item::Raw { bytes, about, data, whole: true, open, close });
        }
        Ok(())
    }

    fn end_frame(
        &mut self,
        number: u64,
        header: &FrameHeader,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        self.header = None;
        if let OpCode::Control(control) = header.opcode {
            return self.end_control(control, number, header, runtime, now);
        }
        match &mut self.handling {
            Handling::Pass => {
                self.push_raw(true, true, !header.fin, false);
                if self.shut {
                    // It was incomplete when a Close replaced the data after it.
                    self.handling = Handling::Discard;
                }
            }
            Handling::Collect(whole) => {
                whole.raw.append(&mut self.frame);
                if whole.broken && header.fin {
                    let about = Some((whole.opcode, whole.frame));
                    let bytes = std::mem::take(&mut whole.raw);
                    self.handling = Handling::Pass;
                    let (data, whole, open, close) = (true, true, false, false);
                    self.push(Item::Raw { bytes, about, data, whole, open, close });
                }
            }
            Handling::Recode(..) => self.frame.clear(),
            Handling::Discard => {
                self.frame.clear();
                self.dropped((header.opcode, number), runtime)?;
            }
        }
        Ok(())
    }

    fn end_control(
        &mut self,
        control: Control,
        number: u64,
        header: &FrameHeader,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<()> {
        let close = control == Control::Close;
        // Only the end may follow.
        if close {
            self.push_cut();
            self.plain = true;
        }
        let opcode = header.opcode;
        let answers = self.shut && close;
        let held = self.queue.front().is_some_and(|entry| entry.wait == GateWait::Held);
        let waits = close && held && !self.shut && !self.mischief.drops(control);
        if self.shut || self.mischief.drops(control) {
            self.frame.clear();
            // The answer to a Close of this side is not forwarded, because the other end gets its
            // own Close.
            if !answers {
                self.dropped((opcode, number), runtime)?;
            }
        } else if header.len <= MAX_CONTROL && self.looks_at(opcode) {
            let (raw, content) =
                (std::mem::take(&mut self.frame), std::mem::take(&mut self.control));
            let (compressed, broken) = (false, false);
            let whole = Whole { opcode, frame: number, compressed, raw, content, broken };
            self.decide(whole, runtime, now)?;
        } else if matches!(control, Control::Ping | Control::Pong)
            && !self.inside
            && self.queue.front().is_some_and(|entry| self.must_wait(entry, now))
        {
            self.out.append(&mut self.frame);
        } else {
            self.push_raw(false, true, false, close);
        }
        if waits {
            let towards = towards(self.direction);
            let text = format!("close #{number} {towards} waits for a message that is held");
            runtime.report(self.conn, &Event::Note(&text))?;
        }
        Ok(())
    }

    fn end_message(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        match std::mem::replace(&mut self.handling, Handling::Pass) {
            Handling::Collect(whole) => self.decide(whole, runtime, now),
            Handling::Recode(opcode, frame) => {
                self.push(Item::Piece { opcode, frame, content: Vec::new(), last: true });
                Ok(())
            }
            Handling::Pass | Handling::Discard => Ok(()),
        }
    }

    /// Asks the rules about a message or control frame, and carries out the decision when its turn
    /// comes.
    fn decide(&mut self, whole: Whole, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        let (opcode, frame) = (whole.opcode, whole.frame);
        // "All control frames MUST have a payload length of 125 bytes or less" (RFC 6455 §5.5).
        let most = match opcode {
            OpCode::Control(_) => MAX_CONTROL as usize,
            _ => MAX_EDITED,
        };
        let rules = Rc::clone(&self.rules);
        let rules = rules.borrow();
        let (mut fate, mut wait) = (Fate::Pass, GateWait::No);
        let found = rules.find(self.direction, opcode, &whole.content).filter(|_| self.readable);
        let what = match found.map(|(_, rule)| rule.action()) {
            None | Some(Action::Reject(_)) => None,
            Some(Action::Drop) => {
                fate = Fate::Drop;
                Some(Intervention::Dropped)
            }
            Some(Action::Delay(time)) => {
                wait = GateWait::Until(now + *time);
                Some(Intervention::Delayed(*time))
            }
            Some(Action::Hold) => {
                wait = GateWait::Held;
                Some(Intervention::Held)
            }
            Some(Action::Copy) => {
                fate = Fate::Copy;
                Some(Intervention::Copied)
            }
            Some(Action::Close(code)) => {
                fate = Fate::Drop;
                let rule = found.map(|(id, _)| id);
                let body = CloseBody { code: Some(*code), ..CloseBody::default() };
                self.close = Some(RelayClose { rule, body });
                (self.shut, self.shut_by) = (true, rule);
                Some(Intervention::Closed(*code))
            }
            Some(Action::Replace(find, with)) if find.is_match(&whole.content) => {
                match find.replace(&whole.content, with, most) {
                    Some(new) => {
                        fate = Fate::Edit(new);
                        Some(Intervention::Edited)
                    }
                    None => {
                        let text = format!(
                            "frame #{frame} {} is not changed: the result would have more than {}",
                            towards(self.direction),
                            number::size(most as u64)
                        );
                        runtime.report(self.conn, &Event::Note(&text))?;
                        None
                    }
                }
            }
            Some(Action::Replace(..)) => None,
        };
        if let Some(what) = what {
            self.report(opcode, frame, found.map(|(id, _)| id), what, runtime)?;
        }
        self.push(Item::Whole(whole, fate));
        if let Some(entry) = self.queue.back_mut() {
            entry.wait = wait;
        }
        Ok(())
    }

    fn report(
        &self,
        opcode: OpCode,
        frame: u64,
        rule: Option<u64>,
        what: Intervention,
        runtime: &mut Runtime,
    ) -> io::Result<()> {
        let done = Intervened { direction: self.direction, opcode, frame, rule, what };
        runtime.report(self.conn, &Event::Intervened(&done))
    }

    /// Reports a message that the receiver will not get.
    fn dropped(&self, (opcode, frame): About, runtime: &mut Runtime) -> io::Result<()> {
        self.report(opcode, frame, self.shut_by, Intervention::Dropped, runtime)
    }

    fn push(&mut self, item: Item) {
        self.queued += item.len();
        self.queue.push_back(GateEntry { item, wait: GateWait::No });
    }

    /// Forwards the rest of the frame as received, after the waiting data.
    fn push_raw(&mut self, is_data: bool, is_whole: bool, goes_on: bool, is_close: bool) {
        let mut new = std::mem::take(&mut self.frame);
        if self.shut && self.plain {
            return;
        }
        let last = self.queue.back_mut().map(|entry| &mut entry.item);
        if let Some(Item::Raw { bytes, whole: whole @ false, open, close, .. }) = last {
            self.queued += new.len();
            bytes.append(&mut new);
            (*whole, *open, *close) = (is_whole, goes_on, is_close);
        } else if !new.is_empty() || is_whole {
            let (data, whole, open, close) = (is_data, is_whole, goes_on, is_close);
            let about = self.about.filter(|_| !self.plain || close);
            self.push(Item::Raw { bytes: new, about, data, whole, open, close });
        }
    }

    /// Forwards the rest of a message that is not continued, as received.
    fn push_cut(&mut self) {
        if let Handling::Collect(whole) = std::mem::replace(&mut self.handling, Handling::Pass)
            && !whole.raw.is_empty()
        {
            let (data, open, close) = (true, true, false);
            let about = Some((whole.opcode, whole.frame));
            self.push(Item::Raw { bytes: whole.raw, about, data, whole: true, open, close });
        }
    }

    /// Forwards the received part of a frame that need not be complete.
    fn push_begun(&mut self) {
        let Some(header) = self.header else { return };
        if matches!(self.handling, Handling::Recode(..) | Handling::Discard) {
            self.frame.clear();
        }
        let is_control = matches!(header.opcode, OpCode::Control(_));
        let passes = match is_control {
            true => header.len > MAX_CONTROL && !self.shut,
            false => matches!(self.handling, Handling::Pass),
        };
        if passes && !self.frame.is_empty() {
            self.push_raw(!is_control, false, true, false);
        }
    }

    /// Moves data that may be forwarded to `out`.
    fn drain(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        loop {
            if !self.inside {
                self.put_in(runtime)?;
            }
            let Some(entry) = self.queue.front() else { return Ok(()) };
            if self.out.len() >= HIGH_WATER || self.must_wait(entry, now) {
                return Ok(());
            }
            let Some(GateEntry { item, .. }) = self.queue.pop_front() else { return Ok(()) };
            self.queued -= item.len();
            self.pass(item, runtime)?;
        }
    }

    /// Whether an entry must wait, because of a rule or for the end of an injected message.
    fn must_wait(&self, entry: &GateEntry, now: Instant) -> bool {
        let waits = match entry.wait {
            GateWait::No => false,
            GateWait::Until(at) => at > now,
            GateWait::Held => true,
        };
        waits || entry.item.is_data() && !self.outbox.is_free(&self.endpoint)
    }

    fn pass(&mut self, item: Item, runtime: &mut Runtime) -> io::Result<()> {
        match item {
            Item::Raw { mut bytes, data, whole, open, close, .. } => {
                self.out.append(&mut bytes);
                self.inside = !whole;
                if data {
                    self.outbox.occupy(open);
                }
                if close {
                    self.closed(runtime)?;
                }
            }
            Item::Piece { opcode, content, last, .. } => self.compress(opcode, &content, last),
            Item::Whole(whole, fate) => {
                let changed = !matches!(fate, Fate::Pass | Fate::Copy);
                if changed && whole.compressed && self.takeover && !self.shut {
                    self.recode(runtime)?;
                }
                match fate {
                    Fate::Drop => {}
                    Fate::Pass => self.pass_whole(&whole, runtime)?,
                    Fate::Copy => {
                        self.pass_whole(&whole, runtime)?;
                        self.make(Made::Copied, whole.opcode, whole.content, runtime)?;
                    }
                    Fate::Edit(new) => self.make(Made::Edited, whole.opcode, new, runtime)?,
                }
            }
        }
        Ok(())
    }

    fn pass_whole(&mut self, whole: &Whole, runtime: &mut Runtime) -> io::Result<()> {
        match whole.opcode {
            OpCode::Data(opcode) if whole.compressed && self.recoding => {
                self.compress(opcode, &whole.content, true);
            }
            opcode => {
                self.out.extend_from_slice(&whole.raw);
                if opcode == OpCode::Control(Control::Close) {
                    self.closed(runtime)?;
                }
            }
        }
        Ok(())
    }

    /// From now on, compresses compressed messages again.
    fn recode(&mut self, runtime: &mut Runtime) -> io::Result<()> {
        if std::mem::replace(&mut self.recoding, true) {
            return Ok(());
        }
        let text = format!(
            "messages {} are recompressed from here on, because a compressed message was changed \
             or dropped",
            towards(self.direction)
        );
        runtime.report(self.conn, &Event::Note(&text))
    }

    fn compress(&mut self, opcode: Data, content: &[u8], last: bool) {
        self.endpoint.set_compress(true);
        // After a Close, the receiver expects nothing.
        let _ = self.endpoint.send_fragment(opcode, content, last, &mut self.out);
        self.endpoint.set_compress(false);
        self.outbox.occupy(!last);
    }

    /// Forwards a frame made by this side.
    fn make(
        &mut self,
        made: Made,
        opcode: OpCode,
        content: Vec<u8>,
        runtime: &mut Runtime,
    ) -> io::Result<()> {
        self.put_in(runtime)?;
        match opcode {
            OpCode::Data(opcode) => {
                // After a Close, the receiver expects nothing.
                let _ = self.endpoint.send_message(opcode, &content, &mut self.made);
            }
            OpCode::Control(_) => {
                let frame = RawFrame {
                    opcode,
                    mask: self.endpoint.key(),
                    payload: content,
                    ..RawFrame::default()
                };
                frame.write(&mut self.made);
            }
        }
        self.outbox.mark(made);
        let result = self.report_made(runtime);
        self.outbox.mark(Made::Injected);
        if opcode == OpCode::Control(Control::Close) {
            self.closed(runtime)?;
        }
        result
    }

    /// Forwards the injected data. No frame may be incomplete.
    fn put_in(&mut self, runtime: &mut Runtime) -> io::Result<()> {
        let pending = self.out.len();
        let Self { endpoint, outbox, made, .. } = self;
        let now = Instant::now();
        Sender { endpoint: Some(endpoint), outbox, tx: made, now }.move_queued(pending);
        match self.made.is_empty() {
            true => Ok(()),
            false => self.report_made(runtime),
        }
    }

    fn report_made(&mut self, runtime: &mut Runtime) -> io::Result<()> {
        let (outputs, _) = runtime.outputs_and_buffers();
        self.outbox.observe(self.conn, &self.made, outputs.reporter, outputs.stdout)?;
        self.out.append(&mut self.made);
        self.outbox.skip(0);
        Ok(())
    }

    /// Notes that a Close has been forwarded: nothing may be injected after it.
    fn closed(&mut self, runtime: &mut Runtime) -> io::Result<()> {
        self.endpoint.drop_connection();
        if self.outbox.queued() == 0 {
            return Ok(());
        }
        let text =
            format!("nothing more can be injected {}: a Close has passed", towards(self.direction));
        runtime.report(self.conn, &Event::Note(&text))
    }
}

fn towards(direction: Direction) -> &'static str {
    match direction {
        Direction::ToServer => "to the server",
        Direction::ToClient => "to the client",
    }
}
