//! The user's command that gets each message, and answers with a line (`--decode-with`).
//!
//! Answers may arrive at any time; each names its message. The queue for the command is limited; a
//! message that does not fit is not passed on, and is reported.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use crate::event::{ConnId, Direction, Event, FrameEvent, MessageInfo, Stamp};
use crate::lens::{Decoded, LARGEST, Value};
use crate::net::coprocess::{Coprocess, CoprocessAnswer};
use crate::session::Assembler;
use crate::ui::connections::PerConnection;
use crate::ui::json;
use crate::ui::meaning::Meaning;
use crate::ui::number::counted;

/// A command that does not answer for this time gets no more messages.
const PATIENCE: Duration = Duration::from_secs(5);

/// The largest number of waiting messages, and of their bytes.
const WAITING: (usize, usize) = (4096, 16 << 20);

/// A command, and the messages that it has not answered.
pub struct DecodeWith {
    command: Coprocess,
    coming: PerConnection<ArrivingMessages>,
    waiting: VecDeque<Question>,
    /// The number of bytes of waiting messages.
    bytes: usize,
    /// When the command got the first of them, or when it last answered.
    since: Instant,
}

/// The messages that are arriving, to the server and to the client.
struct ArrivingMessages([Assembler; 2]);

impl Default for ArrivingMessages {
    fn default() -> Self {
        Self([0; 2].map(|_| Assembler::new(LARGEST)))
    }
}

struct Question {
    conn: ConnId,
    direction: Direction,
    number: u64,
    len: usize,
}

/// The results for messages.
#[derive(Default)]
pub struct Answers {
    /// The answers of the command, with their connections.
    pub meanings: Vec<(ConnId, Meaning)>,
    /// Why the command gets no more messages.
    pub given_up: Option<String>,
}

impl DecodeWith {
    /// Starts the command; another thread calls `wake` when it has answered.
    ///
    /// # Errors
    ///
    /// The system gives no process or thread.
    pub fn new(command: &str, wake: impl Fn() + Send + 'static) -> io::Result<Self> {
        Ok(Self {
            command: Coprocess::spawn(command, wake)?,
            coming: PerConnection::default(),
            waiting: VecDeque::new(),
            bytes: 0,
            since: Instant::now(),
        })
    }

    /// Takes one event. If a message is not passed to the command, returns the reason.
    pub fn take(&mut self, at: &Stamp, event: &Event<'_>) -> Option<Meaning> {
        match event {
            Event::Frame(direction, event) => {
                let ArrivingMessages(coming) = self.coming.of(at.conn);
                let message = coming[*direction as usize]
                    .take(event, |message| (message.len, message.into_content()));
                let (FrameEvent::Message(info), Some((len, content))) = (event, message) else {
                    return None;
                };
                let why = if len > content.len() as u64 {
                    format!("{len} B, too large for the command")
                } else if self.waiting.len() < WAITING.0 && self.bytes < WAITING.1 {
                    self.ask(at, *direction, info, &content);
                    return None;
                } else {
                    let behind = counted(self.waiting.len() as u64, "message");
                    format!(
                        "{len} B, not passed to the command, because {behind} wait for its answer"
                    )
                };
                let packets = vec![Decoded::new("command", "not-asked", why)];
                let (direction, number) = (*direction, info.number);
                Some(Meaning { direction, number, is_late: false, packets })
            }
            Event::End(_) | Event::Failed(_) | Event::Passed(_) => {
                self.coming.forget(at.conn);
                None
            }
            _ => None,
        }
    }

    fn ask(&mut self, at: &Stamp, direction: Direction, info: &MessageInfo, content: &[u8]) {
        if self.waiting.is_empty() {
            self.since = Instant::now();
        }
        let (conn, number, len) = (at.conn, info.number, content.len());
        self.command.ask(json::message(at, direction, info, content));
        self.waiting.push_back(Question { conn, direction, number, len });
        self.bytes += len;
    }

    /// The answers of the command. `wait` waits for all missing answers, but not longer than for a
    /// single one.
    pub fn answers(&mut self, wait: bool) -> Answers {
        let mut answers = Answers::default();
        if wait {
            self.since = Instant::now();
        }
        let mut patience = self.since + PATIENCE;
        while !self.waiting.is_empty() {
            match self.command.answer(wait.then_some(patience)) {
                CoprocessAnswer::Line(line) => {
                    self.since = Instant::now();
                    if !wait {
                        patience = self.since + PATIENCE;
                    }
                    let Some(question) = self.waiting.pop_front() else { break };
                    self.bytes -= question.len;
                    answers.meanings.extend(question.meaning(&line));
                }
                CoprocessAnswer::Pending if Instant::now() < patience => break,
                CoprocessAnswer::Pending => {
                    let owed = counted(self.waiting.len() as u64, "message");
                    let text = format!(
                        "--decode-with: {owed} not decoded after {} s; the command gets no more messages",
                        PATIENCE.as_secs()
                    );
                    answers.given_up = Some(text);
                    break;
                }
                CoprocessAnswer::Ended => {
                    let owed = counted(self.waiting.len() as u64, "message");
                    let text = format!("--decode-with: the command has ended, {owed} not decoded");
                    answers.given_up = Some(text);
                    break;
                }
            }
        }
        answers
    }
}

impl Question {
    /// The meaning in an answer; an empty answer has none.
    fn meaning(self, line: &[u8]) -> Option<(ConnId, Meaning)> {
        if line.is_empty() {
            return None;
        }
        let line = String::from_utf8_lossy(line).into_owned();
        let packet =
            Decoded::new("command", "line", line.as_str()).field("line", Value::Text(line));
        let Self { conn, direction, number, .. } = self;
        Some((conn, Meaning { direction, number, is_late: true, packets: vec![packet] }))
    }
}
