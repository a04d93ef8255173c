//! What an open connection left behind, for the diagnostics: clocks, first bytes, broken rules.
//!
//! Costs next to nothing while nobody asks: clocks are set once for each buffer's worth, the first
//! bytes are copied as they came and decoded at the end, and a frame is only looked at closely
//! where a rule was broken. Judges nothing.

use std::time::{Duration, Instant};

use crate::diagnostics::facts::{CloseFacts, End, EndKind, FrameContext};
use crate::diagnostics::{Diagnostic, classify};
use crate::engine::opening_evidence::OpeningEvidence;
use crate::event::{Cause, Direction, Ending, FrameEvent, Lost, MessageInfo, Observed};
use crate::session::{Endpoint, Limits, Observer};
use crate::wire::decoder::Input;
use crate::wire::{Data, FrameHeader, OpCode, Violation, ViolationKind};

/// Bytes from the start of the stream that are kept.
const FIRST: usize = 512;

/// Bytes of the stream kept before and behind a guilty header.
const AROUND: usize = 64;

/// Broken rules that are kept; more of them explain nothing.
const VIOLATIONS: usize = 16;

/// Our reader must have been this slow to be a cause.
const STALL: Duration = Duration::from_secs(10);

/// Watches one open connection.
#[derive(Debug)]
pub struct SessionEvidence {
    opened: Instant,
    first: Vec<u8>,
    early: usize,
    /// When a byte came, and when one left.
    heard: Instant,
    said: Instant,
    /// When the last data message, of either direction, was noticed.
    data: Instant,
    messages: u64,
    stalled_since: Option<Instant>,
    stalled: bool,
    /// The header of the frame that came last, as long as no rule was broken.
    header: Option<FrameHeader>,
    violations: Vec<Violation>,
    frame: Option<Guilty>,
}

/// The frame of the first violation.
#[derive(Debug)]
struct Guilty {
    header: FrameHeader,
    after: Duration,
    around: Vec<u8>,
    around_at: u64,
}

impl SessionEvidence {
    /// Begins at the 101; `early` came in the same segment.
    pub fn new(early: &[u8], now: Instant) -> Self {
        let mut witness = Self {
            opened: now,
            first: Vec::new(),
            early: early.len(),
            heard: now,
            said: now,
            data: now,
            messages: 0,
            stalled_since: None,
            stalled: false,
            header: None,
            violations: Vec::new(),
            frame: None,
        };
        witness.keep_first(early);
        witness
    }

    /// Bytes came, which are not decoded yet.
    pub fn received(&mut self, bytes: &[u8], now: Instant) {
        self.heard = now;
        self.stalled_since = None;
        self.keep_first(bytes);
    }

    /// Bytes left.
    pub fn sent(&mut self, now: Instant) {
        self.said = now;
    }

    /// Data messages, of either direction, up to now.
    pub fn counted(&mut self, messages: u64, now: Instant) {
        if messages != self.messages {
            (self.messages, self.data) = (messages, now);
        }
    }

    /// Nothing can be received, because our own reader is slow.
    pub fn stalls(&mut self, now: Instant) {
        let since = *self.stalled_since.get_or_insert(now);
        self.stalled = now.saturating_duration_since(since) >= STALL;
    }

    /// Takes an event of the peer's stream.
    #[inline]
    pub fn take(&mut self, event: &FrameEvent<'_>) {
        match event {
            FrameEvent::Start { header, .. } if self.violations.is_empty() => {
                self.header = Some(**header);
            }
            FrameEvent::Violation(violation) => {
                // What comes behind the first guilty frame may well be its consequence, and a
                // stream that ends then was cut by our own Close.
                let room = self.violations.len() < VIOLATIONS;
                let cut = violation.kind == ViolationKind::CutInsideFrame;
                let same = |first: &Violation| first.frame == violation.frame && !cut;
                if room && self.violations.first().is_none_or(same) {
                    self.violations.push((*violation).clone());
                }
            }
            _ => {}
        }
    }

    /// Keeps the bytes around the first violation, as long as they are at hand. `offset` is the
    /// stream's at what is still to be taken of `input`.
    pub fn look_around(&mut self, input: &Input<'_>, offset: u64, now: Instant) {
        let (Some(violation), Some(header), None) =
            (self.violations.first(), self.header, &self.frame)
        else {
            return;
        };
        let buffer = input.whole();
        let start = offset.saturating_sub(input.consumed() as u64);
        // A byte far behind its header is shown for itself.
        let far = violation.offset > header.offset + AROUND as u64;
        let centre = if far { violation.offset } else { header.offset };
        let index = |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
        let from = index(centre.saturating_sub(AROUND as u64)).min(buffer.len());
        let to = index(centre + 2 * AROUND as u64).min(buffer.len());
        self.frame = Some(Guilty {
            header,
            after: now.saturating_duration_since(self.opened),
            around: buffer[from..to].to_vec(),
            around_at: start + from as u64,
        });
    }

    /// Explains how the connection ended. The first diagnostic is the verdict.
    pub fn explain(
        &self,
        trace: &OpeningEvidence,
        endpoint: &Endpoint,
        inbound: &Observer,
        ending: &Ending,
        now: Instant,
    ) -> Vec<Diagnostic> {
        let mut facts = trace.facts();
        let since = |at: Instant| now.saturating_duration_since(at);
        let deflate = trace.report().and_then(|report| report.agreed.deflate);
        let message = first_message(&self.first, deflate.as_ref());
        facts.tls.truncated = ending.cause == Cause::Lost(Lost::TruncatedTls);
        facts.stream.first = &self.first;
        facts.stream.early = self.early;
        facts.stream.frames = ending.r#in.frames;
        facts.stream.message = message.as_ref().map(|(info, content)| (*info, content.as_slice()));
        facts.stream.sent = endpoint
            .first_sent()
            .map(|(opcode, content)| (message_info(opcode, content.len() as u64), content));
        facts.violations = &self.violations;
        facts.frame = self.frame.as_ref().map(|guilty| FrameContext {
            header: guilty.header,
            after: guilty.after,
            around: &guilty.around,
            around_at: guilty.around_at,
        });
        facts.pings = endpoint.ping_facts(now);
        facts.pings.data_since = facts.pings.waiting.is_some_and(|waits| since(self.heard) < waits);
        facts.close = CloseFacts::of(ending);
        facts.end = Some(End {
            how: EndKind::from(&ending.cause),
            lifetime: ending.duration,
            idle: since(self.heard.max(self.said)),
            idle_data: since(self.data),
            partial: inbound.partial_frame(),
        });
        facts.stalled = self.stalled && matches!(ending.cause, Cause::Lost(_));
        classify(&facts)
    }

    fn keep_first(&mut self, bytes: &[u8]) {
        if self.first.len() < FIRST {
            let room = FIRST - self.first.len();
            self.first.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }
}

/// The first data message whose end is among the first bytes.
fn first_message(
    first: &[u8],
    deflate: Option<&crate::wire::deflate::params::DeflateParams>,
) -> Option<(MessageInfo, Vec<u8>)> {
    let mut bytes = first.to_vec();
    let mut observer = Observer::of_frames(Direction::ToClient, deflate, Limits::default());
    let mut input = Input::new(&mut bytes);
    let mut content = Vec::new();
    while let Some(observed) = observer.next(&mut input) {
        match observed {
            Observed::Frame(FrameEvent::Data(piece)) => content.extend_from_slice(piece),
            Observed::Frame(FrameEvent::Message(info)) => return Some((*info, content)),
            _ => {}
        }
    }
    None
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
