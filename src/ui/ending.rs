//! The end of a connection as a sentence: who closed, with which codes, and whether the closing
//! handshake was complete.

use super::{clock, number, sanitize};
use crate::event::{Cause, Ending, Lost, Side, TimeoutKind, Totals};
use crate::wire::close::{self, CloseBody};
use crate::wire::{Role, Violation};

/// Describes the end of a connection in one line, safe for a terminal: first who ended it and why,
/// then what the other end did.
///
/// For example `the server closed with 4401 "token expired" after 3.204 s`.
pub fn describe(ending: &Ending) -> String {
    match &ending.cause {
        Cause::Violation(violation) if ending.role.is_some() => {
            let text = sanitize::escaped(violation.to_string().as_bytes());
            failed(ending, &format!("{}: {text}", fault(violation)))
        }
        Cause::Timeout(kind) if ending.role.is_some() => failed(ending, kind.what()),
        cause => ended(ending, cause),
    }
}

/// Like [`describe`], if another text explains the broken rule: it has only the code of the rule.
pub fn summarize(ending: &Ending) -> String {
    let Cause::Violation(violation) = &ending.cause else { return describe(ending) };
    failed(ending, &format!("{} ({})", fault(violation), violation.kind.rule().code))
}

/// Who set the rule that was broken: a limit belongs to this side.
fn fault(violation: &Violation) -> &'static str {
    match violation.kind.is_limit() {
        true => "a limit of this side was crossed",
        false => "the peer broke the protocol",
    }
}

/// An end because of the peer's fault: first the fault, then what this side did. Leaves out the
/// reason of a Close that repeats the fault.
fn failed(ending: &Ending, what: &str) -> String {
    let mut parts = vec![what.to_owned()];
    parts.extend(ending.received.as_ref().map(|body| format!("received {}", close_body(body))));
    let after = clock::seconds(ending.duration);
    parts.push(match (&ending.sent, &ending.cause) {
        (Some(body), Cause::Timeout(TimeoutKind::Close)) => {
            format!("closed with {} after {after}", close_body(body))
        }
        (Some(CloseBody { code: Some(code), .. }), _) => {
            format!("closed with {code} after {after}")
        }
        _ => format!("ended after {after}"),
    });
    parts.join("; ")
}

/// An end without a broken rule, or the end of a relayed connection.
fn ended(ending: &Ending, cause: &Cause) -> String {
    let (near, far) = match ending.role {
        Some(Role::Client) => ("", "the server"),
        Some(Role::Server) => ("", "the client"),
        None => ("the client", "the server"),
    };
    let near = PeerEnd { name: near, body: ending.sent.as_ref() };
    let far = PeerEnd { name: far, body: ending.received.as_ref() };
    let far_first = matches!(ending.by, Side::Peer | Side::End(Role::Server));
    let (first, second) = if far_first { (far, near) } else { (near, far) };
    let after = clock::seconds(ending.duration);
    let mut parts = Vec::new();
    match cause {
        Cause::Relay { rule, close } => {
            let who = rule.map_or_else(|| "the proxy".to_owned(), |rule| format!("rule {rule}"));
            let with = close_body(close);
            parts.push(format!("{who} closed both sides with {with} after {after}"));
            for end in [near, far] {
                match end.body {
                    None => parts.push(format!("{} did not answer", end.name)),
                    Some(answer) if answer.code == close.code && answer.reason.is_empty() => {}
                    Some(answer) if answer == close => {}
                    Some(_) => parts.extend(end.answered()),
                }
            }
            return parts.join("; ");
        }
        Cause::Closed if ending.role.is_none() && ending.by == Side::Us => {
            parts.push(format!("the proxy closed both sides after {after}"));
        }
        Cause::Closed => {
            parts.push(format!("{} after {after}", first.closed().unwrap_or_default()));
            // "When sending a Close frame in response, the endpoint typically echos the status
            // code" (RFC 6455 §5.5.1): an echo is not mentioned.
            let code = |end: &PeerEnd<'_>| end.body.and_then(|body| body.code);
            if code(&first) != code(&second) || second.has_reason() {
                parts.extend(second.answered());
            }
            return parts.join("; ");
        }
        Cause::Lost(how) => {
            // "1006 … is designated for use … to indicate that the connection was closed
            // abnormally, e.g., without sending or receiving a Close control frame" (§7.4.1).
            let without = match (ending.by, &ending.sent, &ending.received) {
                (_, None, None) => "without a Close frame",
                (Side::End(_), ..) | (_, _, Some(_)) => "before the closing handshake was complete",
                (_, Some(_), None) => "without the peer's Close frame",
            };
            let what = match ending.by {
                Side::End(role) => format!("the connection of {} was lost", name(role)),
                _ => "connection lost".to_owned(),
            };
            // A client that ends TCP in order has ended it on purpose, or its program has ended.
            let by = match (how, ending.role) {
                (Lost::EndOfStream, Some(Role::Server)) => ", sent by the client",
                _ => "",
            };
            let how = sanitize::escaped(how.to_string().as_bytes());
            parts.push(format!("{what} {without} after {after} (1006): {how}{by}"));
        }
        Cause::Violation(_) | Cause::Timeout(_) | Cause::Dropped => parts.push(match ending.by {
            Side::End(role) => format!("ended by {} after {after}", name(role)),
            Side::Us if ending.role.is_none() => format!("ended by the proxy after {after}"),
            _ => format!("ended without a closing handshake after {after}"),
        }),
    }
    parts.extend(near.closed());
    parts.extend(far.closed());
    parts.join("; ")
}

/// One end of a connection: its name, empty for this side, and the Close frame it sent.
#[derive(Clone, Copy)]
struct PeerEnd<'a> {
    name: &'static str,
    body: Option<&'a CloseBody>,
}

impl PeerEnd<'_> {
    fn has_reason(&self) -> bool {
        self.body.is_some_and(|body| !body.reason.is_empty())
    }

    fn closed(&self) -> Option<String> {
        self.did("closed")
    }

    fn answered(&self) -> Option<String> {
        self.did("answered")
    }

    fn did(&self, verb: &str) -> Option<String> {
        let body = self.body?;
        let divider = if self.name.is_empty() { "" } else { " " };
        Some(format!("{}{divider}{verb} with {}", self.name, close_body(body)))
    }
}

/// The close code as an application sees it.
pub fn seen_code(ending: &Ending) -> u16 {
    match (&ending.cause, &ending.received, &ending.sent) {
        // RFC 6455 §7.1.5: "the status code contained in the first Close control frame received …
        // If this Close control frame contains no status code, _The WebSocket Connection Close
        // Code_ is considered to be 1005."
        (_, Some(received), _) => received.code.unwrap_or(1005),
        (Cause::Violation(_), _, Some(sent)) => sent.code.unwrap_or(1005),
        // "1006 is a reserved value … designated for use in applications expecting a status code
        // to indicate that the connection was closed abnormally" (§7.4.1).
        _ => 1006,
    }
}

fn name(role: Role) -> &'static str {
    match role {
        Role::Client => "the client",
        Role::Server => "the server",
    }
}

/// Describes the transferred data, as in `sent 2 frames, 1 message, 5 bytes (13 on the wire);
/// received …`.
pub fn totals(ending: &Ending) -> String {
    let (out, answer) = match ending.role {
        None => ("the client sent", "the server"),
        Some(_) => ("sent", "received"),
    };
    format!("{out} {}; {answer} {}", amount(&ending.out), amount(&ending.r#in))
}

/// A close code with its registered name, and its reason in quotes: `1001 going away "restart"`.
pub fn close_body(body: &CloseBody) -> String {
    let mut out = Vec::new();
    match body.code {
        // The application defines their meaning (RFC 6455 §7.4.2): the registry has no names for
        // them.
        Some(code @ 4000..=4999) => out.extend_from_slice(code.to_string().as_bytes()),
        Some(code) => {
            out.extend_from_slice(format!("{code} {}", close::lookup(code).name).as_bytes());
        }
        None => out.extend_from_slice(b"no code"),
    }
    if !body.reason.is_empty() {
        out.push(b' ');
        sanitize::quote_into(&body.reason, &mut out);
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn amount(totals: &Totals) -> String {
    let Totals { frames, messages, bytes, wire_bytes } = *totals;
    let frames = number::counted(frames, "frame");
    let messages = number::counted(messages, "message");
    let bytes = number::counted(bytes, "byte");
    format!("{frames}, {messages}, {bytes} ({wire_bytes} on the wire)")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::Lost;
    use crate::wire::{Violation, ViolationKind};

    fn body(code: u16, reason: &str) -> Option<CloseBody> {
        Some(CloseBody { code: Some(code), reason: reason.into() })
    }

    fn ending(
        by: Side,
        cause: Cause,
        sent: Option<CloseBody>,
        received: Option<CloseBody>,
    ) -> Ending {
        Ending {
            role: Some(Role::Client),
            by,
            cause,
            sent,
            received,
            duration: Duration::from_millis(3204),
            out: Totals { frames: 2, messages: 1, bytes: 5, wire_bytes: 17 },
            r#in: Totals { frames: 1, messages: 0, bytes: 0, wire_bytes: 4 },
        }
    }

    #[test]
    fn a_clean_close_by_us() {
        let end = ending(Side::Us, Cause::Closed, body(1000, ""), body(1000, ""));
        assert_eq!(describe(&end), "closed with 1000 normal closure after 3.204 s");
        assert_eq!(
            totals(&end),
            "sent 2 frames, 1 message, 5 bytes (17 on the wire); \
             received 1 frame, 0 messages, 0 bytes (4 on the wire)"
        );
    }

    #[test]
    fn a_clean_close_by_the_peer_with_a_hostile_reason() {
        let end =
            ending(Side::Peer, Cause::Closed, body(1001, ""), body(1001, "re\u{202e}\x1b[2Jx"));
        assert_eq!(
            describe(&end),
            "the server closed with 1001 going away \"re\\u{202e}\\e[2Jx\" after 3.204 s"
        );
    }

    #[test]
    fn a_private_code_comes_with_the_reason_alone_and_another_answer_is_named() {
        let end = ending(Side::Peer, Cause::Closed, body(1002, ""), body(4401, "token expired"));
        let text = "the server closed with 4401 \"token expired\" after 3.204 s; \
                    answered with 1002 protocol error";
        assert_eq!(describe(&end), text);
        let end = Ending { role: Some(Role::Server), ..end };
        assert!(describe(&end).starts_with("the client closed with 4401 "));
    }

    #[test]
    fn a_relayed_close_names_both_ends() {
        let by = Side::End(Role::Client);
        let ending =
            |by, cause, sent, received| Ending { role: None, ..ending(by, cause, sent, received) };
        let end = ending(by, Cause::Closed, body(1000, "bye"), body(1001, ""));
        let text = "the client closed with 1000 normal closure \"bye\" after 3.204 s; \
                    the server answered with 1001 going away";
        assert_eq!(describe(&end), text);
        let lost = ending(by, Cause::Lost(Lost::Reset), None, body(1001, ""));
        let text = "the connection of the client was lost before the closing handshake was complete \
                    after 3.204 s (1006): connection reset by peer; the server closed with 1001 going away";
        assert_eq!(describe(&lost), text);
        let ours = ending(Side::Us, Cause::Dropped, body(1000, ""), None);
        let text = "ended by the proxy after 3.204 s; the client closed with 1000 normal closure";
        assert_eq!(describe(&ours), text);
        assert!(totals(&ours).starts_with("the client sent "));
    }

    #[test]
    fn a_close_without_code() {
        let end = ending(
            Side::Peer,
            Cause::Closed,
            Some(CloseBody::default()),
            Some(CloseBody::default()),
        );
        assert_eq!(describe(&end), "the server closed with no code after 3.204 s");
    }

    #[test]
    fn a_lost_connection() {
        let lost = || Cause::Lost(Lost::Reset);
        assert_eq!(
            describe(&ending(Side::Network, lost(), None, None)),
            "connection lost without a Close frame after 3.204 s (1006): connection reset by peer"
        );
        assert_eq!(
            describe(&ending(Side::Network, lost(), body(1000, ""), None)),
            "connection lost without the peer's Close frame after 3.204 s (1006): \
             connection reset by peer; closed with 1000 normal closure"
        );
    }

    #[test]
    fn a_timeout() {
        let end = ending(Side::Us, Cause::Timeout(TimeoutKind::Close), body(1000, ""), None);
        assert_eq!(
            describe(&end),
            "the peer did not answer our Close frame within the close timeout; closed with 1000 normal closure after 3.204 s"
        );
    }

    #[test]
    fn a_violation() {
        let kind = ViolationKind::Rsv1WithoutExtension;
        let violation = Violation { kind, frame: 4, offset: 1187, detail: String::new() };
        let cause = Cause::Violation(violation);
        let end = ending(Side::Us, cause, body(1002, "x"), None);
        assert_eq!(
            describe(&end),
            "the peer broke the protocol: frame #4, byte 1187: RSV1 is set but no extension was \
             agreed that gives it a meaning (W602, RFC 6455 §5.2); closed with 1002 after 3.204 s"
        );
    }

    #[test]
    fn dropped() {
        assert_eq!(
            describe(&ending(Side::Us, Cause::Dropped, None, None)),
            "ended without a closing handshake after 3.204 s"
        );
    }
}
