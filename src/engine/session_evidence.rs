//! The facts of an open connection, for the diagnostics, in both roles: times, the peer's first
//! bytes, the rules that it broke.
//!
//! It does not judge the facts. It sets times once for each buffer, copies the first bytes as they
//! arrive and decodes them at the end, and examines a frame only if the frame breaks a rule.

use std::time::{Duration, Instant};

use crate::diagnostics::facts::{
    CloseFacts, CrossedMessage, End, EndKind, FrameContext, HEARD_MOST, LastHeard, SILENCE,
};
use crate::diagnostics::{Diagnostic, Facts, classify};
use crate::event::{
    Cause, Direction, Ending, FrameEvent, Lost, MessageInfo, Observed, Side, Totals, WholeMessage,
};
use crate::session::observer::Run;
use crate::session::{Endpoint, Limits, Observer};
use crate::wire::decoder::Input;
use crate::wire::deflate::params::DeflateParams;
use crate::wire::{Control, Data, FrameHeader, OpCode, Role, Violation, ViolationKind};

/// How many bytes from the start of the stream are kept.
const FIRST: usize = 512;

/// How many bytes of the last messages are kept. One byte more than is used shows that there were
/// more.
const HEARD: usize = HEARD_MOST + 1;

/// How many bytes before and after a header that breaks a rule are kept.
const AROUND: usize = 64;

/// How many received messages a client keeps besides the last two: the first ones after the opening
/// and after each message of this side, because they may be answers.
const KEPT: usize = 16;

/// How many of them after each message of this side.
const ANSWERS: u8 = 4;

/// How many violations are kept; more of them explain nothing.
const VIOLATIONS: usize = 16;

/// How long a reader on our side must have been slow to be the cause of an end.
const STALL: Duration = Duration::from_secs(1);

/// How long after the start of a ping its bytes are sent, at most.
const PINGED: Duration = Duration::from_millis(50);

/// How long before the end that may have been, because data that arrived until then is read first.
const RECENT: Duration = Duration::from_secs(5);

/// The evidence of one open connection.
#[derive(Debug)]
pub struct SessionEvidence {
    role: Role,
    opened: Instant,
    /// The first bytes of the peer's stream.
    first: Vec<u8>,
    /// How many of them arrived with the handshake.
    early: u32,
    last_received: Instant,
    last_sent: Instant,
    /// When the last data message of either direction was counted.
    last_message: Instant,
    first_frame: Option<Instant>,
    messages: u64,
    /// The times in which a slow reader on our side stopped receiving, if there were any.
    stall: Option<Box<Stall>>,
    /// The silence before the last received bytes, in milliseconds.
    quiet: u32,
    /// The longest silence before that one, in milliseconds.
    longest_quiet: u32,
    /// The longest silence before bytes that this side has sent since then, in milliseconds.
    quiet_before_ours: u32,
    /// How many frames in a row have the same mask key, and the key.
    masks: (u32, [u8; 4]),
    /// Our side of the stream ended first, on purpose.
    half_closed: bool,
    /// The header of the last received frame, as long as no rule was broken.
    header: Option<FrameHeader>,
    breach: Option<Box<Breach>>,
    /// The number of received pings, as far as it can be counted here.
    pings: u8,
    /// The kept received messages, once a message was received or sent.
    heard: Option<Box<HeardMessages>>,
    /// The number of messages sent, at the last count.
    sent: u32,
}

/// The received messages that are kept: the last two, and those that may be answers.
#[derive(Debug)]
struct HeardMessages {
    last: Vec<u8>,
    before: Vec<u8>,
    /// When the last one and the one before it came.
    at: Instant,
    before_at: Instant,
    /// When this side sent its last message, or when the first one came if that is later.
    ours_at: Instant,
    /// The number of messages sent until then.
    sent: u32,
    /// The messages that may be answers, with their numbers and times.
    answers: Vec<(u64, bool, Instant, Vec<u8>)>,
    /// The number of messages until now, and of those since this side sent its last one.
    count: u64,
    since_ours: u8,
    /// How many messages had been received when each kept message was sent.
    sent_at: Vec<u32>,
    /// The last one is incomplete.
    open: bool,
    /// Which of them are text (not binary).
    last_text: bool,
    before_text: bool,
}

impl HeardMessages {
    fn new(sent: u32, now: Instant) -> Self {
        Self {
            last: Vec::new(),
            before: Vec::new(),
            at: now,
            before_at: now,
            ours_at: now,
            sent,
            answers: Vec::new(),
            count: 0,
            since_ours: 0,
            sent_at: Vec::new(),
            open: false,
            last_text: true,
            before_text: true,
        }
    }

    /// Begins another message.
    fn begin(&mut self, now: Instant) {
        if self.count == 0 {
            (self.at, self.ours_at) = (now, now);
        }
        std::mem::swap(&mut self.last, &mut self.before);
        self.last.clear();
        (self.before_at, self.before_text, self.open) = (self.at, self.last_text, true);
    }

    fn extend(&mut self, content: &[u8]) {
        let room = HEARD.saturating_sub(self.last.len());
        self.last.extend_from_slice(&content[..content.len().min(room)]);
    }

    /// Whether the next message may be an answer that is kept.
    fn waits(&self, sent: u32) -> bool {
        self.answers.len() < KEPT && (self.since_ours < ANSWERS || self.sent != sent)
    }

    /// Ends the last message. A client keeps it if it may be an answer.
    fn end(&mut self, opcode: OpCode, is_client: bool, sent: u32, now: Instant) {
        self.last_text = opcode == OpCode::Data(Data::Text);
        if is_client && self.waits(sent) {
            self.since_ours = if self.sent == sent { self.since_ours } else { 0 } + 1;
            self.answers.push((self.count, self.last_text, now, self.last.clone()));
        }
        self.count += 1;
        (self.at, self.sent, self.open) = (now, sent, false);
    }
}

/// The first rules that the peer broke.
#[derive(Debug, Default)]
struct Breach {
    violations: Vec<Violation>,
    /// The frame of the first violation, once the bytes around it were copied.
    frame: Option<BrokenFrame>,
}

/// The frame of the first violation.
#[derive(Debug)]
struct BrokenFrame {
    header: FrameHeader,
    after: Duration,
    around: Vec<u8>,
    around_at: u64,
}

/// Times in which wscope could not receive, because a reader on our side was slow.
#[derive(Debug)]
struct Stall {
    /// When the current one began, if there is one.
    since: Option<Instant>,
    /// The longest recent one.
    from: Instant,
    to: Instant,
}

impl Stall {
    fn new(now: Instant) -> Self {
        Self { since: None, from: now, to: now }
    }

    /// The current one, unless an earlier one was longer and is recent.
    fn longest(&self, now: Instant) -> (Instant, Instant) {
        let recent = now.saturating_duration_since(self.to) <= RECENT;
        let longest = self.to.saturating_duration_since(self.from);
        match self.since {
            Some(since) if !recent || now.saturating_duration_since(since) >= longest => {
                (since, now)
            }
            _ => (self.from, self.to),
        }
    }
}

impl SessionEvidence {
    /// Begins at the 101, in our role; `early` bytes of the peer arrived with the handshake.
    pub fn new(role: Role, early: &[u8], now: Instant) -> Self {
        let mut evidence = Self {
            role,
            opened: now,
            first: Vec::new(),
            early: u32::try_from(early.len()).unwrap_or(u32::MAX),
            last_received: now,
            last_sent: now,
            last_message: now,
            first_frame: None,
            messages: 0,
            stall: None,
            quiet: 0,
            longest_quiet: 0,
            quiet_before_ours: 0,
            masks: (0, [0; 4]),
            half_closed: false,
            header: None,
            breach: None,
            pings: 0,
            heard: None,
            sent: 0,
        };
        evidence.keep_first(early);
        evidence
    }

    /// Notes received bytes, before they are decoded.
    pub fn received(&mut self, bytes: &[u8], now: Instant) {
        let quiet = now.saturating_duration_since(self.last_received.max(self.last_sent));
        // The peer has survived the silence before our bytes, too.
        let ours = std::mem::take(&mut self.quiet_before_ours);
        self.longest_quiet = self.longest_quiet.max(self.quiet).max(ours);
        self.quiet = u32::try_from(quiet.as_millis()).unwrap_or(u32::MAX);
        self.last_received = now;
        self.stalls(false, now);
        self.keep_first(bytes);
    }

    /// Notes that our side of the stream has ended on purpose.
    pub fn half_closed(&mut self) {
        self.half_closed = true;
    }

    /// Notes that bytes were sent.
    pub fn sent(&mut self, now: Instant) {
        let quiet = now.saturating_duration_since(self.last_received.max(self.last_sent));
        let quiet = u32::try_from(quiet.as_millis()).unwrap_or(u32::MAX);
        self.quiet_before_ours = self.quiet_before_ours.max(quiet);
        self.last_sent = now;
    }

    /// Notes the totals of received data and the number of messages sent.
    pub fn counted(&mut self, received: Totals, sent: u64, now: Instant) {
        if self.sent != sent as u32 {
            let heard = self.heard.get_or_insert_with(|| Box::new(HeardMessages::new(0, now)));
            heard.ours_at = now;
            for _ in (u64::from(self.sent)..sent).take(Endpoint::MOST_KEPT) {
                heard.sent_at.truncate(Endpoint::MOST_KEPT - 1);
                heard.sent_at.push(received.messages as u32);
            }
        }
        self.sent = sent as u32;
        let messages = received.messages + sent;
        if messages != self.messages {
            (self.messages, self.last_message) = (messages, now);
        }
        if received.frames > 0 {
            self.first_frame.get_or_insert(now);
        }
    }

    /// When the first frame was received.
    pub fn first_frame(&self) -> Option<Instant> {
        self.first_frame
    }

    /// Notes whether wscope can't receive now, because a reader on our side is slow.
    pub fn stalls(&mut self, stalls: bool, now: Instant) {
        if stalls || self.stall.is_some() {
            let stall = self.stall.get_or_insert_with(|| Box::new(Stall::new(now)));
            (stall.from, stall.to) = stall.longest(now);
            stall.since = stall.since.or(Some(now)).filter(|_| stalls);
        }
    }

    /// How long that was, if it may explain an end now.
    fn stalled(&self, now: Instant) -> Option<Duration> {
        let (from, to) = self.stall.as_ref()?.longest(now);
        let recent = now.saturating_duration_since(to) <= RECENT;
        Some(to.saturating_duration_since(from)).filter(|time| recent && *time >= STALL)
    }

    /// Takes the header of a frame of the peer.
    #[inline]
    pub fn frame(&mut self, header: &FrameHeader) {
        // "The masking key needs to be unpredictable" (RFC 6455 §5.3).
        let Some(key) = header.mask else { return };
        let (count, last) = &mut self.masks;
        let same = *count > 0 && *last == key;
        *count = if same { count.saturating_add(1) } else { 1 };
        *last = key;
    }

    /// The kept received messages, if a message has begun to arrive.
    fn heard(&self) -> Option<&HeardMessages> {
        self.heard.as_deref().filter(|heard| heard.count > 0 || heard.open)
    }

    /// Whether each of the next messages is kept, so that none may be left out.
    pub fn wants_each(&self) -> bool {
        self.role == Role::Client && self.heard.as_ref().is_none_or(|heard| heard.waits(self.sent))
    }

    /// Takes a whole message. Before it, this number of messages was left out.
    #[inline]
    pub fn message(&mut self, opcode: OpCode, content: &[u8], left_out: u64) {
        let heard = self
            .heard
            .get_or_insert_with(|| Box::new(HeardMessages::new(self.sent, self.last_received)));
        heard.count += left_out;
        heard.begin(self.last_received);
        heard.extend(content);
        heard.end(opcode, self.role == Role::Client, self.sent, self.last_received);
    }

    /// Takes a run of messages with its last message; `input` is the data that contains it.
    #[inline(never)]
    pub fn run(&mut self, run: &Run, last: &WholeMessage<'_>, input: &[u8]) {
        let (from, len) = run.before_last;
        let mut left_out = run.messages - 1;
        if run.messages > 1
            && let Some(content) = input.get(from..from + len)
        {
            // The frame's header has two bytes; the first one has its kind.
            let first = from.checked_sub(2).map(|at| input[at]);
            let kind = if first == Some(0x81) { Data::Text } else { Data::Binary };
            self.message(OpCode::Data(kind), content, left_out - 1);
            left_out = 0;
        }
        self.message(last.header.opcode, last.content, left_out);
    }

    /// Takes a piece of a message, or its end with the kind of the message.
    fn piece(&mut self, content: Result<&[u8], OpCode>) {
        let heard = self
            .heard
            .get_or_insert_with(|| Box::new(HeardMessages::new(self.sent, self.last_received)));
        if !heard.open {
            heard.begin(self.last_received);
        }
        match content {
            Ok(content) => heard.extend(content),
            Err(opcode) => {
                heard.end(opcode, self.role == Role::Client, self.sent, self.last_received);
            }
        }
    }

    /// Takes an event of the peer's stream.
    #[inline]
    pub fn take(&mut self, event: &FrameEvent<'_>) {
        match event {
            FrameEvent::Data(content) => self.piece(Ok(content)),
            FrameEvent::Message(info) => self.piece(Err(info.opcode)),
            FrameEvent::Start { header, .. } => {
                self.frame(header);
                let ping = header.opcode == OpCode::Control(Control::Ping);
                self.pings = self.pings.saturating_add(ping.into());
                if self.breach.is_none() {
                    self.header = Some(**header);
                }
            }
            FrameEvent::Violation(violation) => {
                // Violations after the first frame that breaks a rule may be its consequence, and a
                // stream that ends then was cut by our own Close.
                let violations = &mut self.breach.get_or_insert_default().violations;
                let room = violations.len() < VIOLATIONS;
                let cut = violation.kind == ViolationKind::CutInsideFrame;
                let same = |first: &Violation| first.frame == violation.frame && !cut;
                if room && violations.first().is_none_or(same) {
                    violations.push((*violation).clone());
                }
            }
            _ => {}
        }
    }

    /// The time from the opening to the peer's last byte.
    pub fn until_last(&self) -> Duration {
        self.last_received.saturating_duration_since(self.opened)
    }

    /// The time from the peer's last message to its last byte; `None` if that message is
    /// incomplete.
    pub fn since_message(&self) -> Option<Duration> {
        let heard = self.heard().filter(|heard| !heard.open)?;
        Some(self.last_received.saturating_duration_since(heard.at))
    }

    /// The time from our ping to the loss of the connection or to the peer's Close, if the ping was
    /// the last traffic before it, and the peer had answered none before.
    pub fn after_ping(
        &self,
        endpoint: Option<&Endpoint>,
        ending: &Ending,
        now: Instant,
    ) -> Option<Duration> {
        let pings = endpoint?.ping_facts(now);
        let closed = ending.by == Side::Peer && ending.received.is_some();
        let lost = matches!(ending.cause, Cause::Lost(_));
        let waited = pings.waiting.filter(|_| (closed || lost) && pings.answered == 0)?;
        let end = if closed { self.last_received } else { now };
        let after = waited.checked_sub(now.saturating_duration_since(end))?;
        let since = |at: Instant| end.saturating_duration_since(at);
        let quiet = match closed {
            // Our answer to the Close is sent after it.
            true => Duration::from_millis(self.quiet.into()),
            false if since(self.last_received) >= after => since(self.last_sent),
            false => return None,
        };
        (quiet + PINGED >= after && since(self.last_message) >= after).then_some(after)
    }

    /// Whether the peer broke a rule.
    pub fn has_breach(&self) -> bool {
        self.breach.is_some()
    }

    /// Copies the bytes around the first violation while they are available. Call it after the
    /// events of a buffer. `offset` is the stream position of the first byte of `input` that was
    /// not consumed.
    pub fn look_around(&mut self, input: &Input<'_>, offset: u64, now: Instant) {
        let (Some(breach), Some(header)) = (&mut self.breach, self.header) else { return };
        let (Some(violation), None) = (breach.violations.first(), &breach.frame) else { return };
        let buffer = input.whole();
        let start = offset.saturating_sub(input.consumed() as u64);
        // If the wrong byte is far behind its header, only the bytes around it are shown.
        let far = violation.offset > header.offset + AROUND as u64;
        let centre = if far { violation.offset } else { header.offset };
        let index = |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
        let from = index(centre.saturating_sub(AROUND as u64)).min(buffer.len());
        let to = index(centre + 2 * AROUND as u64).min(buffer.len());
        let (mut around, around_at) = (buffer[from..to].to_vec(), start + from as u64);
        // The decoder has unmasked the payload up to `offset` in place.
        header.mask_payload(&mut around, around_at, offset);
        let after = now.saturating_duration_since(self.opened);
        breach.frame = Some(BrokenFrame { header, after, around, around_at });
    }

    /// Explains how the connection ended. The first diagnostic is the verdict. `opening` has the
    /// facts before the 101: a client gets them from its
    /// [`OpeningEvidence`](crate::engine::opening_evidence::OpeningEvidence), a server may begin
    /// with [`Facts::new`]; its `ended_on_ours` says whether nothing arrived after our last
    /// message. A leg of a relay has no `endpoint`; `deflate` is the agreed compression.
    pub fn explain(
        &self,
        opening: Facts<'_>,
        endpoint: Option<&Endpoint>,
        deflate: Option<&DeflateParams>,
        inbound: &Observer,
        ending: &Ending,
        now: Instant,
    ) -> Vec<Diagnostic> {
        let mut facts = opening;
        let since = |at: Instant| now.saturating_duration_since(at);
        let messages = self.first_messages(deflate);
        let after_ours = facts.stream.ended_on_ours;
        facts.tls.truncated = ending.cause == Cause::Lost(Lost::TruncatedTls);
        facts.stream.first = &self.first;
        facts.stream.early = self.early as usize;
        facts.stream.frames = ending.r#in.frames;
        let (equal, key) = self.masks;
        facts.stream.equal_masks = (equal > 1).then(|| (equal.into(), key));
        facts.stream.messages = ending.r#in.messages;
        facts.stream.unfinished = inbound.unfinished_message().copied();
        facts.stream.message = messages.first().map(|(info, content)| (*info, content.as_slice()));
        let broken = self.breach.as_ref().and_then(|breach| breach.violations.first());
        let before = |info: &MessageInfo| broken.is_none_or(|one| info.first_frame < one.frame);
        let alone = deflate.is_some_and(|agreed| match self.role {
            Role::Client => agreed.server_no_context_takeover,
            Role::Server => agreed.client_no_context_takeover,
        });
        facts.stream.compressed_alone =
            alone && messages.iter().any(|(info, _)| info.compressed && before(info));
        facts.stream.second = messages.get(1).map(|(_, content)| content.as_slice());
        facts.stream.heard = self.heard().filter(|heard| !heard.open).map(|heard| {
            let gap = heard.at.saturating_duration_since(heard.before_at);
            LastHeard {
                content: &heard.last,
                before: if gap < SILENCE { &heard.before } else { &[] },
                // A Close may wait for the end of TCP.
                quiet: match ending.received {
                    Some(_) => self.last_received.saturating_duration_since(heard.at),
                    None => since(heard.at),
                },
                answered: heard.sent != self.sent,
            }
        });
        // A Close may wait for the end of TCP.
        let ended = if ending.received.is_some() { self.last_received } else { now };
        let ours_at = self.heard().map(|heard| heard.ours_at);
        facts.stream.ours_quiet =
            ours_at.map(|at| ended.saturating_duration_since(at)).unwrap_or_default();
        let ping =
            self.header.is_some_and(|header| header.opcode == OpCode::Control(Control::Ping));
        let newest = self.heard().is_none_or(|heard| heard.at < self.last_received);
        let first = self.pings == 1;
        facts.stream.ended_on_ping =
            ping && first && newest && self.last_sent >= self.last_received;
        facts.stream.after_ping = self.after_ping(endpoint, ending, now);
        let ours_last = after_ours && facts.stream.after_ping.is_none();
        facts.stream.ended_on_ours = ours_last && since(self.last_sent) < SILENCE;
        facts.stream.ping_inside_compressed =
            ours_last && endpoint.is_some_and(Endpoint::mixes_control_into_compressed);
        facts.stream.bytes_sent = endpoint.is_some_and(Endpoint::has_sent_bytes);
        facts.stream.illegal_sent =
            endpoint.and_then(Endpoint::illegal_sent).map(|kind| kind.rule().explanation);
        facts.stream.last_sent_len = endpoint.map_or(0, Endpoint::last_sent_len);
        let (kept, all) = self.kept(&messages, endpoint, ending.r#in.messages, ended);
        (facts.stream.kept, facts.stream.kept_all) = (&kept, all);
        facts.stream.kept_next = self.sent as usize <= Endpoint::MOST_KEPT
            && self.heard().is_none_or(|heard| heard.answers.len() < KEPT);
        facts.stream.sent = endpoint
            .and_then(|endpoint| endpoint.kept_sent().next())
            .map(|(opcode, content)| (message_info(opcode, content.len() as u64), content));
        if let Some(breach) = &self.breach {
            facts.violations = &breach.violations;
            facts.frame = breach.frame.as_ref().map(|frame| FrameContext {
                header: frame.header,
                after: frame.after,
                around: &frame.around,
                around_at: frame.around_at,
            });
        }
        facts.pings = endpoint.map(|one| one.ping_facts(now)).unwrap_or_default();
        let silence = since(self.last_received);
        facts.pings.data_since = facts.pings.waiting.is_some_and(|waits| silence < waits);
        facts.close = CloseFacts::of(ending);
        // A ping does not end a connection, but the silence before it may have ended it.
        let pinged = facts.pings.waiting.filter(|waits| *waits < SILENCE);
        let pinged = pinged.is_some_and(|waits| since(self.last_sent) + PINGED >= waits);
        let ended_itself = matches!(ending.cause, Cause::Lost(_)) && !facts.stream.ended_on_ours;
        let last_sent = match pinged && ended_itself {
            true => self.last_received,
            false => self.last_sent,
        };
        facts.end = Some(End {
            // A peer that ends its stream after ours does what it should.
            how: match ending.cause {
                Cause::Lost(Lost::EndOfStream) if self.half_closed => EndKind::Closed,
                ref cause => EndKind::from(cause),
            },
            lifetime: ending.duration,
            idle: since(self.last_received.max(last_sent)),
            idle_data: since(self.last_message),
            quiet: Duration::from_millis(self.quiet.into()),
            longest_quiet: Duration::from_millis(self.longest_quiet.into()),
            last: self.last_received.saturating_duration_since(self.opened),
            partial: inbound.partial_frame(),
        });
        facts.stalled = self.stalled(now).filter(|_| matches!(ending.cause, Cause::Lost(_)));
        classify(&facts)
    }

    /// The kept messages, in order: those of `first`, those that may be answers, and the last ones.
    /// Also returns whether these are all messages.
    fn kept<'k>(
        &'k self,
        first: &'k [(MessageInfo, Vec<u8>)],
        endpoint: Option<&'k Endpoint>,
        received: u64,
        ended: Instant,
    ) -> (Vec<CrossedMessage<'k>>, bool) {
        let theirs = |text, content: &'k [u8], at: Instant| {
            let quiet = ended.saturating_duration_since(at);
            CrossedMessage { ours: false, text, content, quiet }
        };
        // The first messages are kept with more bytes.
        let first = (0..).zip(first.iter().map(|(info, content)| {
            theirs(info.opcode == OpCode::Data(Data::Text), content.as_slice(), self.opened)
        }));
        let mut came: Vec<(u64, CrossedMessage<'k>)> = first.collect();
        if let Some(heard) = self.heard() {
            let answers = heard.answers.iter();
            came.extend(
                answers.map(|(number, text, at, content)| (*number, theirs(*text, content, *at))),
            );
            // If the last message is incomplete, the one before it was the last.
            let last = [
                theirs(heard.before_text, &heard.before, heard.before_at),
                theirs(heard.last_text, &heard.last, heard.at),
            ];
            let last = &last[..2 - usize::from(heard.open)];
            let last = &last[last.len().saturating_sub(received as usize)..];
            came.extend((received - last.len() as u64..).zip(last.iter().copied()));
        }
        came.sort_by_key(|(at, _)| *at);
        came.dedup_by(|(at, later), (first, kept)| {
            // The time of the first messages is known only from the others.
            kept.quiet = if at == first { kept.quiet.min(later.quiet) } else { kept.quiet };
            at == first
        });
        let all = came.len() as u64 == received && self.sent as usize <= Endpoint::MOST_KEPT;
        let ours = endpoint.into_iter().flat_map(Endpoint::kept_sent);
        let sent_at = self.heard.iter().flat_map(|heard| heard.sent_at.iter().copied());
        let sent_at = sent_at.chain(std::iter::repeat(u32::MAX));
        let ours = sent_at.zip(ours).map(|(at, (opcode, content))| {
            let text = opcode == Data::Text;
            (at.into(), CrossedMessage { ours: true, text, content, quiet: Duration::ZERO })
        });
        let mut kept: Vec<_> = ours.chain(came).collect();
        kept.sort_by_key(|(at, message)| (*at, !message.ours));
        (kept.into_iter().map(|(_, message)| message).collect(), all)
    }

    /// The first two data messages of the peer, if they end within the first bytes.
    fn first_messages(&self, deflate: Option<&DeflateParams>) -> Vec<(MessageInfo, Vec<u8>)> {
        let direction = match self.role {
            Role::Client => Direction::ToClient,
            Role::Server => Direction::ToServer,
        };
        let mut bytes = self.first.clone();
        let mut observer = Observer::of_frames(direction, deflate, Limits::default());
        let mut input = Input::new(&mut bytes);
        let (mut messages, mut content) = (Vec::new(), Vec::new());
        while messages.len() < 2
            && let Some(observed) = observer.next(&mut input)
        {
            match observed {
                Observed::Frame(FrameEvent::Data(piece)) => content.extend_from_slice(piece),
                Observed::Frame(FrameEvent::Message(info)) => {
                    messages.push((*info, std::mem::take(&mut content)));
                }
                _ => {}
            }
        }
        messages
    }

    fn keep_first(&mut self, bytes: &[u8]) {
        if self.first.len() < FIRST {
            let room = FIRST - self.first.len();
            self.first.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }
}

fn message_info(opcode: Data, len: u64) -> MessageInfo {
    MessageInfo {
        number: 1,
        opcode: OpCode::Data(opcode),
        frames: 1,
        first_frame: 1,
        compressed: false,
        wire_len: len,
        len,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::EndpointConfig;

    /// A server that receives `bytes` of a client, whose stream then ends. Returns the codes of the
    /// diagnostics, and the notes of the verdict.
    fn served(bytes: &[u8]) -> (Vec<&'static str>, Vec<String>) {
        let opened = Instant::now();
        let now = opened + Duration::from_secs(3);
        let config = EndpointConfig::new(Role::Server);
        let mut endpoint = Endpoint::new(config, Box::new(|_| ()), opened);
        let mut inbound = Observer::of_frames(Direction::ToServer, None, Limits::default());
        let mut evidence = SessionEvidence::new(Role::Server, b"", opened);
        let (mut bytes, mut out) = (bytes.to_vec(), Vec::new());
        evidence.received(&bytes, now);
        let mut input = Input::new(&mut bytes);
        while let Some(observed) = inbound.next(&mut input) {
            let Observed::Frame(event) = observed else { continue };
            evidence.take(&event);
            endpoint.receive(&event, now, &mut out);
        }
        evidence.look_around(&input, inbound.offset(), now);
        let mut how = Lost::EndOfStream;
        if let Some(cut) = inbound.finish() {
            evidence.take(&FrameEvent::Violation(&cut));
            how = how.inside(&cut);
        }
        endpoint.end_of_stream(how);
        let ending = endpoint.ending(now, Totals::default(), Totals::default());
        let facts = Facts::new(Role::Server);
        let found = evidence.explain(facts, Some(&endpoint), None, &inbound, &ending, now);
        let codes = found.iter().map(|diagnostic| diagnostic.entry.code).collect();
        (codes, found.first().map(|verdict| verdict.notes.clone()).unwrap_or_default())
    }

    #[test]
    fn a_server_knows_where_a_client_broke_a_rule_and_where_it_was_cut() {
        let (codes, notes) = served(b"\x81\x02hi");
        assert_eq!((codes, notes), (vec!["W628"], vec![]));
        let (codes, notes) = served(b"\x81\x85\0\0\0\0hel");
        assert_eq!(codes, ["W803"]);
        assert_eq!(notes[..2], ["3 of 5 payload bytes came", "9 bytes of the frame arrived"]);
        assert_eq!(served(b"").0, ["W801"]);
    }

    /// The places of the kept messages among these: a message of the peer, or `>` for one of ours.
    fn kept(talk: &[&str]) -> (Vec<String>, bool) {
        let now = Instant::now();
        let config = EndpointConfig::new(Role::Client);
        let mut endpoint = Endpoint::new(config, Box::new(|_| ()), now);
        endpoint.keep_sent(true);
        let mut evidence = SessionEvidence::new(Role::Client, b"", now);
        let mut received = Totals::default();
        for text in talk {
            match text.strip_prefix('>') {
                Some(ours) => {
                    let sent = endpoint.send_message(Data::Text, ours.as_bytes(), &mut Vec::new());
                    sent.expect("it is open");
                }
                None => {
                    evidence.message(OpCode::Data(Data::Text), text.as_bytes(), 0);
                    received.messages += 1;
                }
            }
            evidence.counted(received, endpoint.messages_sent(), now);
        }
        let (kept, all) = evidence.kept(&[], Some(&endpoint), received.messages, now);
        let shown = kept.iter().map(|one| {
            let text = String::from_utf8_lossy(one.content);
            if one.ours { format!(">{text}") } else { text.into_owned() }
        });
        (shown.collect(), all)
    }

    #[test]
    fn the_messages_after_each_of_ours_are_kept_in_their_order() {
        let few = ["hello", ">a", "1", ">b", ">c", "2", "3"];
        assert_eq!(kept(&few), (few.map(str::to_owned).to_vec(), true));
        let many: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        let mut talk = vec!["hello", ">a", "no"];
        talk.extend(many.iter().map(String::as_str));
        talk.extend([">b", "never", "41", "42", "43", "44"]);
        let wanted = ["hello", ">a", "no", "0", "1", "2", ">b", "never", "41", "42", "43", "44"];
        assert_eq!(kept(&talk), (wanted.map(str::to_owned).to_vec(), false));
        // Of many sent messages, the first ones and the last one are kept.
        let ours: Vec<String> = (0..20).map(|n| format!(">{n}")).collect();
        let (all, whole) = kept(&ours.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((all.len(), all.last().map(String::as_str), whole), (8, Some(">19"), false));
    }

    #[test]
    fn it_is_small_until_a_rule_is_broken() {
        assert!(size_of::<SessionEvidence>() <= 200, "{}", size_of::<SessionEvidence>());
    }
}
