//! One end of a recorded connection as a plan: its acts, each after a number of messages of the
//! other end; and the request that opened the connection.

use std::time::Duration;

use super::acts::{Act, ActKind};
use super::session::RecordedSession;
use crate::event::Direction;
use crate::ui::redact::REDACTED;
use crate::wire::close::CloseBody;
use crate::wire::head::Head;
use crate::wire::{Control, Data, OpCode, Role};

/// Header fields that each client creates itself, or that are for a proxy.
const OWN: [&str; 11] = [
    "host",
    "upgrade",
    "connection",
    "content-length",
    "transfer-encoding",
    "proxy-connection",
    "proxy-authorization",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "sec-websocket-protocol",
];

/// This many asterisks in a payload may replace a secret.
const ASTERISKS: &[u8] = b"********";

/// The plan of one end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayPlan {
    /// Its steps, in order.
    pub steps: Vec<PlanStep>,
    /// The messages of the other end.
    pub awaited: Vec<RecordedMessage>,
    /// The Close with which the other end began to close.
    pub close: Option<CloseBody>,
    /// The number of incomplete frames, which are not sent again.
    pub cut: u64,
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanStep {
    /// How many messages of the other end had arrived before.
    pub after: usize,
    /// The time since the opening.
    pub at: Duration,
    /// The step ends a message, and the next message of the other end arrived before this end's
    /// next message.
    pub answered: bool,
    /// The act.
    pub what: ActKind,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedMessage {
    /// Text or binary.
    pub opcode: Data,
    /// The content.
    pub content: Vec<u8>,
}

impl ReplayPlan {
    /// The plan of the end with this role.
    pub fn of(session: &mut RecordedSession, role: Role) -> Self {
        let (acts, cut) = std::mem::take(&mut session.acts).finish();
        let opened = session.opened.unwrap_or(session.began);
        let own = Direction::sent_by(role);
        let mut plan = Self { cut, ..Self::default() };
        let mut open = RecordedMessage { opcode: Data::Text, content: Vec::new() };
        for Act { micros, direction, what } in acts {
            if direction == own {
                let at = u64::try_from(micros.saturating_sub(opened)).unwrap_or(0);
                let (after, at) = (plan.awaited.len(), Duration::from_micros(at));
                plan.steps.push(PlanStep { after, at, answered: false, what });
                continue;
            }
            match what {
                ActKind::Piece(piece) => {
                    if piece.first {
                        open = RecordedMessage { opcode: piece.opcode, content: Vec::new() };
                    }
                    open.content.extend_from_slice(&piece.content);
                    if piece.last {
                        let content = std::mem::take(&mut open.content);
                        plan.awaited.push(RecordedMessage { opcode: open.opcode, content });
                    }
                }
                ActKind::Frame(frame) if frame.opcode == OpCode::Control(Control::Close) => {
                    plan.close.get_or_insert_with(|| CloseBody::parse(&frame.payload));
                }
                ActKind::Frame(_) | ActKind::Bytes(_) => {}
            }
        }
        let mut next = plan.awaited.len();
        for step in plan.steps.iter_mut().rev() {
            if step.what.ends_message() {
                step.answered = step.after < next;
                next = step.after;
            }
        }
        plan
    }

    /// Whether this end begins the closing handshake.
    pub fn closes(&self) -> bool {
        self.steps.iter().any(|step| step.what.is_close())
    }

    /// The numbers of this end's messages that may contain a masked secret.
    pub fn masked(&self) -> Vec<usize> {
        let mut number = 1;
        let mut found = Vec::new();
        for step in &self.steps {
            if let ActKind::Piece(piece) = &step.what {
                let masked = memchr::memmem::find(&piece.content, ASTERISKS).is_some();
                if masked && found.last() != Some(&number) {
                    found.push(number);
                }
            }
            number += usize::from(step.what.ends_message());
        }
        found
    }
}

impl ActKind {
    /// Whether it ends a message.
    pub fn ends_message(&self) -> bool {
        matches!(self, Self::Piece(piece) if piece.last)
    }

    /// Whether it is a Close.
    pub fn is_close(&self) -> bool {
        matches!(self, Self::Frame(frame) if frame.opcode == OpCode::Control(Control::Close))
    }
}

/// The request of a recorded connection, for a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedRequest {
    /// The URL.
    pub url: String,
    /// The header fields that a client does not create itself, in order.
    pub headers: Vec<(String, String)>,
    /// The names of all header fields, in order.
    pub order: Vec<String>,
    /// The subprotocols.
    pub subprotocols: Vec<String>,
    /// The names of header fields whose value was a secret, and is missing.
    pub missing: Vec<String>,
}

impl RecordedRequest {
    /// The request of a connection.
    pub fn of(session: &RecordedSession) -> Self {
        let mut request = Self { url: session.url(), ..Self::default() };
        for field in session.request.iter().flat_map(Head::headers) {
            let name = String::from_utf8_lossy(field.name).into_owned();
            if !request.order.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
                request.order.push(name.clone());
            }
            if OWN.contains(&&*name.to_ascii_lowercase()) {
                continue;
            }
            let value = String::from_utf8_lossy(field.value).into_owned();
            match value.contains(REDACTED) {
                false => request.headers.push((name, value)),
                true => request.missing.push(name),
            }
        }
        let offered = session.request.iter().flat_map(|head| head.tokens("sec-websocket-protocol"));
        let offered = offered.map(|name| String::from_utf8_lossy(name).into_owned());
        let (missing, offered): (Vec<_>, Vec<_>) =
            offered.partition(|name| name.contains(REDACTED));
        request.subprotocols = offered;
        if !missing.is_empty() {
            request.missing.push("Sec-WebSocket-Protocol".to_owned());
        }
        request
    }

    /// Whether a secret is missing in the URL.
    pub fn lacks_in_url(&self) -> bool {
        let encoded = REDACTED.replace('[', "%5B").replace(']', "%5D");
        self.url.contains(REDACTED) || self.url.contains(&encoded)
    }

    /// The path and query of the URL.
    pub fn resource(&self) -> &str {
        let rest = self.url.split_once("://").map_or("", |(_, rest)| rest);
        rest.find(['/', '?']).map_or("/", |at| &rest[at..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ConnId, Event, Stamp};
    use crate::recording::{Fact, Piece, Player, Record, Sessions};
    use crate::session::Limits;
    use crate::wire::writer::{RawFrame, write_frame};
    use Direction::{ToClient, ToServer};

    const REQUEST: &str = "GET /chat?x=1 HTTP/1.1\r\nHost: a.example\r\nUser-Agent: u\r\n\
        Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat, v2\r\n\
        Authorization: [redacted]\r\nX-Id: 7\r\n\r\n";
    const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
        Sec-WebSocket-Protocol: chat\r\n\r\n";

    /// A session with these facts, one millisecond apart.
    fn session(role: Option<Role>, complete: bool, facts: Vec<Fact>) -> RecordedSession {
        let heads = [(ToServer, REQUEST), (ToClient, RESPONSE)];
        let heads = heads.map(|(way, head)| Fact::Head(way, head.as_bytes().to_vec()));
        let mut player = Player::new(Limits::default(), None);
        let mut sessions = Sessions::of_acts(None);
        sessions.begin(role, complete);
        let start = Fact::Start { role, secrets: false, complete };
        let opened = match complete {
            true => vec![Fact::Open(Default::default())],
            false => vec![],
        };
        let all = [start].into_iter().chain(heads).chain(opened).chain(facts);
        for (at, fact) in all.enumerate() {
            let record = Record { at: Stamp { micros: at as i64 * 1000, conn: ConnId(1) }, fact };
            let mut take = |at: &Stamp, event: &Event<'_>| {
                sessions.take(at, event);
                Ok::<(), ()>(())
            };
            player.play(record, &mut take).expect("nothing is refused");
        }
        let (mut all, _) = sessions.finish();
        all.pop().expect("a session")
    }

    fn frame(way: Direction, opcode: OpCode, fin: bool, payload: &[u8]) -> Fact {
        let mut bytes = Vec::new();
        let key = (way == ToServer).then_some([1, 2, 3, 4]);
        write_frame(opcode, fin, false, key, payload, &mut bytes);
        Fact::Bytes(way, bytes)
    }

    fn text(way: Direction, text: &str) -> Fact {
        frame(way, OpCode::Data(Data::Text), true, text.as_bytes())
    }

    fn control(way: Direction, control: Control, payload: &[u8]) -> Fact {
        frame(way, OpCode::Control(control), true, payload)
    }

    fn piece(content: &str, first: bool, last: bool) -> ActKind {
        let content = content.as_bytes().to_vec();
        ActKind::Piece(Piece { opcode: Data::Text, content, first, last, compressed: false })
    }

    fn messages(plan: &ReplayPlan) -> usize {
        plan.steps.iter().filter(|step| step.what.ends_message()).count()
    }

    #[test]
    fn a_step_waits_for_the_messages_that_came_before_it() {
        let facts = vec![
            text(ToServer, "one"),
            text(ToServer, "two"),
            text(ToClient, "answer"),
            text(ToClient, "push"),
            text(ToServer, "three"),
        ];
        let plan = ReplayPlan::of(&mut session(Some(Role::Client), true, facts), Role::Client);
        let steps: Vec<_> =
            plan.steps.iter().map(|step| (step.after, step.answered, step.what.clone())).collect();
        let expected = [
            (0, false, piece("one", true, true)),
            (0, true, piece("two", true, true)),
            (2, false, piece("three", true, true)),
        ];
        assert_eq!(steps, expected);
        assert_eq!((plan.awaited.len(), messages(&plan), plan.closes()), (2, 3, false));
        assert_eq!(plan.awaited[1].content, b"push");
        let gap = plan.steps[2].at.saturating_sub(plan.steps[0].at);
        assert_eq!(gap, Duration::from_millis(4));
    }

    #[test]
    fn fragments_and_pings_stay_as_they_were() {
        let facts = vec![
            frame(ToServer, OpCode::Data(Data::Text), false, b"he"),
            control(ToServer, Control::Ping, b"p"),
            frame(ToServer, OpCode::Data(Data::Continue), true, b"llo"),
        ];
        let plan = ReplayPlan::of(&mut session(Some(Role::Client), true, facts), Role::Client);
        let steps: Vec<_> = plan.steps.iter().map(|step| step.what.clone()).collect();
        let ping = RawFrame {
            opcode: OpCode::Control(Control::Ping),
            mask: Some([1, 2, 3, 4]),
            payload: b"p".to_vec(),
            ..RawFrame::default()
        };
        assert_eq!(
            steps,
            [piece("he", true, false), ActKind::Frame(ping), piece("llo", false, true)]
        );
        assert_eq!(messages(&plan), 1);
    }

    #[test]
    fn what_the_endpoint_did_by_itself_is_left_out() {
        // The recording states it.
        let facts = vec![
            control(ToClient, Control::Ping, b"a"),
            Fact::Automatic(ToServer),
            control(ToServer, Control::Pong, b"a"),
            control(ToServer, Control::Pong, b"a"),
            control(ToClient, Control::Close, &[0x0f, 0xa0]),
            Fact::Automatic(ToServer),
            control(ToServer, Control::Close, &[0x0f, 0xa0]),
        ];
        let plan = ReplayPlan::of(&mut session(Some(Role::Client), true, facts), Role::Client);
        assert_eq!((plan.steps.len(), plan.closes()), (1, false));
        assert_eq!(plan.close.and_then(|close| close.code), Some(4000));
        // It is derived from the frames.
        for (role, complete) in [(None, false), (Some(Role::Server), true), (None, true)] {
            let facts = vec![
                control(ToClient, Control::Ping, b"a"),
                control(ToClient, Control::Ping, b"b"),
                control(ToServer, Control::Pong, b"b"),
                control(ToServer, Control::Pong, b"b"),
                control(ToServer, Control::Close, &[3, 0xe8]),
                control(ToClient, Control::Close, &[3, 0xe8]),
            ];
            let mut session = session(role, complete, facts);
            let plan = ReplayPlan::of(&mut session, Role::Client);
            assert_eq!((plan.steps.len(), plan.closes()), (2, true), "{role:?}");
            assert_eq!(plan.close, None);
        }
    }

    #[test]
    fn frames_by_hand_keep_their_bits() {
        let broken = RawFrame {
            rsv2: true,
            opcode: OpCode::Data(Data::Reserved(3)),
            payload: b"x".to_vec(),
            ..RawFrame::default()
        };
        let mut bytes = Vec::new();
        broken.write(&mut bytes);
        let facts = vec![Fact::Bytes(ToServer, bytes), text(ToServer, "after")];
        let plan = ReplayPlan::of(&mut session(Some(Role::Client), true, facts), Role::Client);
        let steps: Vec<_> = plan.steps.into_iter().map(|step| step.what).collect();
        assert_eq!(steps, [ActKind::Frame(broken), piece("after", true, true)]);
    }

    #[test]
    fn a_frame_that_was_cut_is_counted() {
        let facts = vec![text(ToServer, "one"), Fact::Bytes(ToServer, vec![0x81, 0x85, 1, 2])];
        let plan = ReplayPlan::of(&mut session(None, false, facts), Role::Client);
        assert_eq!((plan.steps.len(), plan.cut), (1, 0));
        let facts = vec![Fact::Bytes(ToServer, vec![0x81, 0x85, 1, 2, 3, 4, 0])];
        let plan = ReplayPlan::of(&mut session(None, false, facts), Role::Client);
        assert_eq!((plan.steps.len(), plan.cut), (0, 1));
    }

    #[test]
    fn the_server_s_side_is_planned_alike() {
        let facts = vec![
            text(ToClient, "hello"),
            text(ToServer, "one"),
            text(ToClient, "answer"),
            control(ToClient, Control::Close, &[0x0f, 0xa0]),
            control(ToServer, Control::Close, &[0x0f, 0xa0]),
        ];
        let plan = ReplayPlan::of(&mut session(Some(Role::Client), true, facts), Role::Server);
        let after: Vec<_> = plan.steps.iter().map(|step| step.after).collect();
        assert_eq!((after, plan.closes(), plan.close), (vec![0, 1, 1], true, None));
    }

    #[test]
    fn the_request_is_made_again_without_what_is_its_own() {
        let request = RecordedRequest::of(&session(Some(Role::Client), true, vec![]));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(request.headers, [pair("User-Agent", "u"), pair("X-Id", "7")]);
        assert_eq!(request.missing, ["Authorization"]);
        assert_eq!(request.subprotocols, ["chat", "v2"]);
        assert_eq!(request.url, "ws://a.example/chat?x=1");
        assert_eq!((request.resource(), request.lacks_in_url()), ("/chat?x=1", false));
    }

    #[test]
    fn a_masked_secret_is_noticed() {
        let facts = vec![text(ToServer, "fine"), text(ToServer, "token=**********")];
        let plan = ReplayPlan::of(&mut session(Some(Role::Client), true, facts), Role::Client);
        assert_eq!(plan.masked(), [2]);
    }
}
