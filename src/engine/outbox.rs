//! All data that a connection sends goes through its outbox, which counts it and passes it to the
//! sinks.
//!
//! Frames are appended to the connection's send buffer by a [`Sender`]. The outbox counts them,
//! decodes them before they are sent if a sink needs them, and keeps messages whole: a producer
//! that sends a message in pieces blocks the messages of others until its last piece. Control
//! frames pass between the pieces. Messages of other producers wait in a queue, which is bounded
//! because producers ask for room ([`Outbox::has_room`]) and because queued data is counted (see
//! [`memory`](super::memory)).

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::rc::Rc;
use std::time::Instant;

use super::memory::{Budget, Share};
use crate::event::{ConnId, Direction, Event, FrameEvent, Made, Observed, Totals};
use crate::net::link::{HIGH_WATER, Link};
use crate::net::stdio::Stdout;
use crate::net::transport::TransportError;
use crate::output::reporter::Reporter;
use crate::session::counters::Counters;
use crate::session::endpoint::SendError;
use crate::session::message::FRAGMENT_SIZE;
use crate::session::{Endpoint, Limits, Observer};
use crate::wire::Data;
use crate::wire::decoder::Input;
use crate::wire::deflate::params::DeflateParams;
use crate::wire::violation::Violation;
use crate::wire::writer::RawFrame;

/// The producers that send messages in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Producer {
    /// Whole messages, which need no producer.
    Message,
    /// Standard input.
    Input,
    /// The process of `--exec`.
    Process,
    /// The messages of `--send`.
    Greeting,
    /// `--echo`.
    Echo,
    /// `/file`.
    File,
    /// `/fragment`.
    Fragments,
    /// Single fragments, sent by hand or by JSON commands.
    Hand,
    /// A peer whose message a relay forwards.
    Relay,
}

/// A message that several connections send; it is kept once.
#[derive(Debug)]
pub struct SharedMessage {
    /// Text or binary.
    pub opcode: Data,
    /// The content.
    pub content: Box<[u8]>,
    _share: Share,
}

impl SharedMessage {
    /// Keeps a copy of a message. Its memory counts until the last connection has sent it.
    pub fn new(opcode: Data, content: &[u8], budget: &Rc<Budget>) -> Rc<Self> {
        let mut share = Share::of(budget);
        share.set(content.len() + ENTRY);
        Rc::new(Self { opcode, content: content.into(), _share: share })
    }
}

/// The memory of a queued message in addition to its content; an empty message needs memory, too.
const ENTRY: usize = 128;

#[derive(Debug)]
enum OutgoingContent {
    Own(Vec<u8>),
    Shared(Rc<SharedMessage>),
}

impl OutgoingContent {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(message) => &message.content,
        }
    }
}

/// A message, or a piece of one, that waits for the message slot.
#[derive(Debug)]
struct Queued {
    producer: Producer,
    opcode: Data,
    content: OutgoingContent,
    /// Bytes of `content` that have been sent.
    sent: usize,
    last: bool,
}

/// How our side of the stream ends early, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EarlyEnd {
    HalfClose,
    Abort,
}

/// The data that a connection has to send besides its send buffer.
#[derive(Debug, Default)]
pub struct Outbox {
    observer: Option<Box<OutboundObserver>>,
    slot: Option<Producer>,
    /// Created when a message must wait; most connections never need it.
    queue: Option<Box<MessageQueue>>,
    early_end: Option<EarlyEnd>,
    /// The position where our side of the stream ends: data after it in the send buffer is not
    /// sent.
    end: Option<usize>,
    aborted: bool,
    /// The number of waiting bytes that belong to the handshake.
    handshake: u32,
    /// The number of waiting bytes that will never be sent.
    lost: usize,
}

/// Messages that wait for the message slot or for room.
#[derive(Debug, Default)]
struct MessageQueue {
    messages: VecDeque<Queued>,
    /// The number of bytes in the queue, and of those that only this connection holds.
    queued: usize,
    own: usize,
    /// A Close that waits for the messages in the queue.
    close: Option<(Option<u16>, String)>,
}

impl MessageQueue {
    fn is_done(&self) -> bool {
        self.messages.is_empty() && self.close.is_none()
    }
}

impl Outbox {
    /// Creates an outbox; `observer` decodes what is sent.
    pub fn new(observer: Option<OutboundObserver>) -> Self {
        Self { observer: observer.map(Box::new), ..Self::default() }
    }

    /// The totals of sent data; zero if nothing is observed.
    pub fn totals(&self) -> Totals {
        self.observer.as_ref().map(|observer| observer.counters.totals()).unwrap_or_default()
    }

    /// The size of the queue: its messages are not encoded yet.
    pub fn queued(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.queued + queue.messages.len() * ENTRY)
    }

    /// Bytes that waited in the queue and will never be sent.
    pub fn lost(&self) -> usize {
        self.lost
    }

    /// The memory that the observer keeps between messages, in bytes.
    pub fn observer_held(&self) -> usize {
        self.observer.as_ref().map_or(0, |observer| observer.observer.held())
    }

    /// The number of queued bytes that only this connection holds.
    pub fn held(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.own + queue.messages.len() * ENTRY)
    }

    /// Whether a producer should produce more, if `pending` bytes wait in the send buffer. Whole
    /// messages may wait in the queue; pieces need the message slot.
    pub fn has_room(&self, producer: Producer, pending: usize) -> bool {
        match producer {
            Producer::Message => pending + self.queued() < HIGH_WATER && !self.is_closing(),
            producer => self.is_free_for(producer) && pending < HIGH_WATER,
        }
    }

    /// Whether something waits in the queue.
    pub fn has_queue(&self) -> bool {
        self.queue.is_some()
    }

    /// Whether [`Sender::move_queued`] would move messages to the send buffer, which has `pending`
    /// bytes.
    pub fn can_move(&self, pending: usize) -> bool {
        let Some(queue) = &self.queue else { return false };
        let waits = self.next_queued().is_some() || queue.messages.is_empty();
        waits && pending < HIGH_WATER
    }

    /// Reports the new data, before it is sent.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub fn report(
        &mut self,
        conn: ConnId,
        link: &mut Link,
        stdout: &mut Stdout,
        reporter: &mut Reporter,
    ) -> io::Result<()> {
        if let Some(end) = self.end {
            link.tx.truncate(end);
        }
        self.observe(conn, &link.tx, reporter, stdout)
    }

    /// Sends the reported data, then ends our side if that was requested.
    ///
    /// # Errors
    ///
    /// The transport failed.
    pub fn send(&mut self, link: &mut Link) -> Result<(), TransportError> {
        let sent = match self.early_end.take() {
            None if link.pending() > 0 => link.flush(),
            None => Ok(()),
            Some(end) => self.end_early(end, link),
        };
        if self.end.is_some() || link.has_ended() {
            self.end = Some(link.tx.len());
        }
        self.skip(link.tx.len());
        sent
    }

    #[cold]
    fn end_early(&mut self, end: EarlyEnd, link: &mut Link) -> Result<(), TransportError> {
        match end {
            EarlyEnd::HalfClose => link.half_close(),
            EarlyEnd::Abort => {
                // The data before the end is meant to arrive.
                let sent = link.flush();
                link.abort();
                self.aborted = true;
                sent
            }
        }
    }

    /// Takes or releases the message slot for a message that a relay forwards.
    pub fn occupy(&mut self, goes_on: bool) {
        self.slot = goes_on.then_some(Producer::Relay);
    }

    /// Whether a forwarded message may continue or begin: no producer on this side is inside a
    /// message.
    pub fn is_free(&self, endpoint: &Endpoint) -> bool {
        match self.slot {
            // A frame made by hand may have begun a message.
            None => !endpoint.situation().message_open,
            Some(owner) => owner == Producer::Relay,
        }
    }

    /// Whether the requested end is a reset.
    pub fn wants_abort(&self) -> bool {
        self.early_end == Some(EarlyEnd::Abort)
    }

    /// Whether the end of our side was requested.
    pub fn has_end(&self) -> bool {
        self.end.is_some()
    }

    /// Whether the connection has been reset.
    pub fn has_aborted(&self) -> bool {
        self.aborted
    }

    /// Reports what has been appended to the send buffer since the last call.
    ///
    /// # Errors
    ///
    /// An output failed.
    #[inline]
    pub fn observe(
        &mut self,
        conn: ConnId,
        tx: &[u8],
        reporter: &mut Reporter,
        stdout: &mut Stdout,
    ) -> io::Result<()> {
        let Some(observer) = &mut self.observer else { return Ok(()) };
        let tx = &tx[..self.end.map_or(tx.len(), |end| end.min(tx.len()))];
        observer.observe(conn, tx, reporter, stdout)
    }

    /// Notes that the endpoint itself made the data from `start` in the send buffer.
    pub fn note_automatic(&mut self, start: usize, tx: &[u8]) {
        if let Some(observer) = self.observer.as_mut().filter(|_| tx.len() > start) {
            observer.automatic.push(start..tx.len());
        }
    }

    /// From now on, reports observed frames as made by a relay.
    pub fn mark(&mut self, made: Made) {
        if let Some(observer) = &mut self.observer {
            observer.made = Some(made);
        }
    }

    /// The first rule that a frame made by a relay broke.
    pub fn breach(&self) -> Option<&(Made, Violation)> {
        self.observer.as_ref()?.breach.as_deref()
    }

    /// Starts after `len` bytes of the send buffer, which belong to the handshake.
    pub fn skip_handshake(&mut self, len: usize) {
        self.handshake = u32::try_from(len).unwrap_or(u32::MAX);
        self.skip(len);
    }

    /// Notes that bytes of the send buffer have left. Returns whether any of them followed the
    /// handshake.
    pub fn note_left(&mut self, bytes: usize) -> bool {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let beyond = bytes > self.handshake;
        self.handshake = self.handshake.saturating_sub(bytes);
        beyond
    }

    /// Starts observing after `len` bytes of the send buffer.
    pub fn skip(&mut self, len: usize) {
        if let Some(observer) = &mut self.observer {
            observer.seen = len;
        }
    }

    /// Drops all waiting data, also in `link`, because it can't be sent any more.
    pub fn clear(&mut self, link: &mut Link) {
        self.lost += link.pending();
        link.drop_unsent();
        self.skip(link.tx.len());
        self.clear_queue();
    }

    fn clear_queue(&mut self) {
        self.lost += self.queue.as_ref().map_or(0, |queue| queue.queued);
        self.queue = None;
    }

    /// Whether a Close waits for messages before it.
    fn is_closing(&self) -> bool {
        self.queue.as_ref().is_some_and(|queue| queue.close.is_some())
    }

    /// Whether a producer may append to the send buffer: no other producer is inside a message, and
    /// no earlier data waits.
    #[inline]
    fn is_free_for(&self, producer: Producer) -> bool {
        let free = self.slot.is_none_or(|owner| owner == producer);
        free && self.next_queued().is_none() && !self.is_closing()
    }

    /// The index of the message or piece that may be sent next.
    #[inline]
    fn next_queued(&self) -> Option<usize> {
        let messages = &self.queue.as_ref()?.messages;
        match self.slot {
            None => (!messages.is_empty()).then_some(0),
            Some(owner) => messages.iter().position(|queued| queued.producer == owner),
        }
    }

    fn push(&mut self, queued: Queued) {
        let queue = self.queue.get_or_insert_default();
        let len = queued.content.bytes().len();
        queue.queued += len;
        if let OutgoingContent::Own(_) = queued.content {
            queue.own += len;
        }
        queue.messages.push_back(queued);
    }
}

/// Sends on one connection: frames go to the send buffer, or messages to the queue.
pub struct Sender<'a> {
    /// The endpoint of the connection. A leg of a relay has none: it sends raw bytes and frames
    /// made by hand unchanged, and refuses all other data.
    pub endpoint: Option<&'a mut Endpoint>,
    /// The waiting data besides the send buffer.
    pub outbox: &'a mut Outbox,
    /// The send buffer.
    pub tx: &'a mut Vec<u8>,
    /// The current time.
    pub now: Instant,
}

impl Sender<'_> {
    /// Whether messages can be sent.
    pub fn is_open(&self) -> bool {
        self.endpoint.as_ref().is_some_and(|endpoint| endpoint.is_open())
            && !self.outbox.is_closing()
    }

    /// Sends a whole message.
    ///
    /// # Errors
    ///
    /// [`SendError::NotOpen`] once the connection is closing.
    #[inline]
    pub fn message(&mut self, opcode: Data, content: &[u8]) -> Result<(), SendError> {
        self.fragment(Producer::Message, opcode, content, true)
    }

    /// Sends the next piece of a producer's message; the first piece decides the `opcode`.
    ///
    /// # Errors
    ///
    /// [`SendError::NotOpen`] once the connection is closing.
    #[inline]
    pub fn fragment(
        &mut self,
        producer: Producer,
        opcode: Data,
        piece: &[u8],
        last: bool,
    ) -> Result<(), SendError> {
        if self.outbox.is_free_for(producer) {
            speaking(&mut self.endpoint)?.send_fragment(opcode, piece, last, self.tx)?;
            self.outbox.slot = (!last).then_some(producer);
            return Ok(());
        }
        if !self.is_open() {
            return Err(SendError::NotOpen);
        }
        let content = OutgoingContent::Own(piece.to_vec());
        self.outbox.push(Queued { producer, opcode, content, sent: 0, last });
        Ok(())
    }

    /// Ends an unfinished message of a producer, which will not send the rest.
    pub fn end_message(&mut self, producer: Producer) {
        let queue = self.outbox.queue.as_ref();
        let waits = queue.and_then(|q| q.messages.iter().rfind(|q| q.producer == producer));
        if waits.map_or(self.outbox.slot == Some(producer), |piece| !piece.last) {
            // Closing ends the message, too.
            let _ = self.fragment(producer, Data::Binary, &[], true);
        }
    }

    /// Sends a message that other connections also send. All queues share one copy of a long
    /// message.
    ///
    /// # Errors
    ///
    /// [`SendError::NotOpen`] once the connection is closing.
    pub fn shared(&mut self, message: &Rc<SharedMessage>) -> Result<(), SendError> {
        if !self.is_open() {
            return Err(SendError::NotOpen);
        }
        let outbox = &mut *self.outbox;
        let room = self.tx.len() < HIGH_WATER && message.content.len() < HIGH_WATER;
        if outbox.queue.is_none() && outbox.slot.is_none() && room {
            return speaking(&mut self.endpoint)?.send_message(
                message.opcode,
                &message.content,
                self.tx,
            );
        }
        outbox.push(Queued {
            producer: Producer::Message,
            opcode: message.opcode,
            content: OutgoingContent::Shared(Rc::clone(message)),
            sent: 0,
            last: true,
        });
        Ok(())
    }

    /// Sends a ping.
    ///
    /// # Errors
    ///
    /// The connection is closing, or the payload exceeds 125 bytes.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        speaking(&mut self.endpoint)?.send_ping(payload, self.now, self.tx)
    }

    /// Sends an unsolicited pong.
    ///
    /// # Errors
    ///
    /// The connection is closing, or the payload exceeds 125 bytes.
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendError> {
        speaking(&mut self.endpoint)?.send_pong(payload, self.tx)
    }

    /// Starts the closing handshake, after the waiting messages.
    ///
    /// # Errors
    ///
    /// The connection is closing already, the code may not be sent, or the reason is too long.
    pub fn close(&mut self, code: Option<u16>, reason: &str) -> Result<(), SendError> {
        let endpoint = speaking(&mut self.endpoint)?;
        let Some(queue) = &mut self.outbox.queue else {
            return endpoint.close(code, reason, self.now, self.tx);
        };
        if queue.close.is_some() {
            return Err(SendError::NotOpen);
        }
        endpoint.check_close(code, reason)?;
        queue.close = Some((code, reason.to_owned()));
        Ok(())
    }

    /// Starts the closing handshake without the waiting messages, because the peer is too slow.
    pub fn close_now(&mut self, code: Option<u16>, reason: &str) {
        self.outbox.clear_queue();
        // If it is already closing, no Close is needed.
        let _ = self.close(code, reason);
    }

    /// Sends a frame made by hand, legal or not.
    pub fn raw(&mut self, frame: &RawFrame) {
        match &mut self.endpoint {
            Some(endpoint) => endpoint.send_raw(frame, self.now, self.tx),
            None => frame.write(self.tx),
        }
    }

    /// Sends bytes unchanged.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.endpoint.iter_mut().for_each(|endpoint| endpoint.note_bytes(bytes));
        self.tx.extend_from_slice(bytes);
    }

    /// Sends bytes and empties their buffer; swaps it with the send buffer if possible.
    pub fn take_bytes(&mut self, bytes: &mut Vec<u8>) {
        match self.tx.is_empty() && self.endpoint.is_none() {
            true => std::mem::swap(self.tx, bytes),
            false => {
                self.bytes(bytes);
                bytes.clear();
            }
        }
    }

    /// Ends our side of the stream after what has been sent; receiving continues.
    pub fn half_close(&mut self) {
        self.outbox.clear_queue();
        self.outbox.early_end.get_or_insert(EarlyEnd::HalfClose);
        self.outbox.end.get_or_insert(self.tx.len());
    }

    /// Resets the connection after what has been sent.
    pub fn abort(&mut self) {
        self.outbox.clear_queue();
        self.outbox.early_end = Some(EarlyEnd::Abort);
        self.outbox.end.get_or_insert(self.tx.len());
    }

    /// Moves queued data to the send buffer, which has `pending` bytes, as far as there is room.
    pub fn move_queued(&mut self, pending: usize) {
        let Some(endpoint) = self.endpoint.as_mut().filter(|endpoint| endpoint.is_open()) else {
            return self.outbox.clear_queue();
        };
        let before = self.tx.len();
        let mut moved = 0;
        // The compressed data may be small, but other connections wait for their turn.
        while moved < FRAGMENT_SIZE
            && pending + self.tx.len() - before < HIGH_WATER
            && let Some(at) = self.outbox.next_queued()
            && let Some(queue) = &mut self.outbox.queue
            && let Some(queued) = queue.messages.get_mut(at)
        {
            let rest = &queued.content.bytes()[queued.sent..];
            let piece = &rest[..rest.len().min(FRAGMENT_SIZE)];
            let whole = piece.len() == rest.len();
            let last = queued.last && whole;
            let len = piece.len();
            // The connection is open.
            let _ = endpoint.send_fragment(queued.opcode, piece, last, self.tx);
            queued.sent += len;
            moved += len;
            let own = matches!(queued.content, OutgoingContent::Own(_));
            self.outbox.slot = (!last).then_some(queued.producer);
            queue.queued -= len;
            queue.own -= if own { len } else { 0 };
            if whole {
                queue.messages.remove(at);
            }
        }
        let stuck = self.outbox.next_queued().is_none();
        let Some(queue) = &mut self.outbox.queue else { return };
        // If the producer was refused more, the rest of its message never comes, so the message is
        // cut.
        if let Some((code, reason)) = queue.close.take_if(|_| stuck) {
            self.outbox.clear_queue();
            let _ = endpoint.close(code, &reason, self.now, self.tx);
        } else if queue.is_done() {
            self.outbox.clear_queue();
        }
    }
}

/// The endpoint that makes a frame.
#[inline]
fn speaking<'e>(endpoint: &'e mut Option<&mut Endpoint>) -> Result<&'e mut Endpoint, SendError> {
    endpoint.as_deref_mut().ok_or(SendError::NotOpen)
}

/// Decodes sent data for the sinks that need it.
#[derive(Debug)]
pub struct OutboundObserver {
    direction: Direction,
    observer: Observer,
    counters: Counters,
    /// How much of the send buffer has been observed.
    seen: usize,
    /// The parts of the rest that the endpoint itself has made.
    automatic: Vec<Range<usize>>,
    scratch: Vec<u8>,
    /// How a relay made these frames.
    made: Option<Made>,
    /// The first rule that such a frame broke.
    breach: Option<Box<(Made, Violation)>>,
}

impl OutboundObserver {
    /// Creates an observer that begins with the first frame of a direction.
    pub fn new(direction: Direction, deflate: Option<&DeflateParams>, limits: Limits) -> Self {
        Self {
            direction,
            observer: Observer::of_frames(direction, deflate, limits),
            counters: Counters::default(),
            seen: 0,
            automatic: Vec::new(),
            scratch: Vec::new(),
            made: None,
            breach: None,
        }
    }

    #[inline(never)]
    fn observe(
        &mut self,
        conn: ConnId,
        tx: &[u8],
        reporter: &mut Reporter,
        stdout: &mut Stdout,
    ) -> io::Result<()> {
        let Some(fresh @ [_, ..]) = tx.get(self.seen..) else { return Ok(()) };
        let Self { direction, observer, counters, seen, automatic, scratch, made, breach } = self;
        // Decoding unmasks in place, but the sent bytes must not change.
        scratch.clear();
        scratch.extend_from_slice(fresh);
        // The position in the send buffer where the decoded stream begins.
        let origin = (*seen as u64).wrapping_sub(observer.offset());
        *seen = tx.len();
        let stamp = reporter.stamp_of(conn);
        let mut input = Input::new(scratch);
        while let Some(observed) = observer.next(&mut input) {
            let Observed::Frame(event) = observed else { continue };
            counters.count(&event);
            if let FrameEvent::Start { header, .. } = event {
                let at = header.offset.wrapping_add(origin) as usize;
                if automatic.iter().any(|made| made.contains(&at)) {
                    reporter.event(&stamp, &Event::Automatic(*direction), stdout)?;
                }
            }
            if let (Some(made), None, FrameEvent::Violation(broken)) = (*made, &breach, &event) {
                *breach = Some(Box::new((made, (*broken).clone())));
            }
            let event = match *made {
                None => Event::Frame(*direction, event),
                Some(made) => Event::Made(made, *direction, event),
            };
            reporter.event(&stamp, &event, stdout)?;
        }
        automatic.clear();
        Ok(())
    }
}
