//! The end of a connection as a sentence: who closed, with which codes, and whether it was
//! in order.

use super::{clock, number, sanitize};
use crate::event::{Cause, Ending, Side, Totals};
use crate::wire::Role;
use crate::wire::close::{self, CloseBody};

/// Describes how a connection ended, in one line, harmless for a terminal.
///
/// As in `sent 1000 normal closure; then received 1000 normal closure; closed cleanly by us after
/// 3.204 s`.
pub fn describe(ending: &Ending) -> String {
    let mut parts = frames(ending);
    if let Side::End(role) = ending.by {
        parts.push(relayed(ending, name(role)));
        return parts.join("; ");
    }
    let after = clock::seconds(ending.duration);
    parts.push(match &ending.cause {
        Cause::Violation(violation) => {
            let text = sanitize::escaped(violation.to_string().as_bytes());
            return broken(ending, &format!(": {text}"));
        }
        Cause::Closed => {
            let by = match ending.by {
                Side::Us => "us",
                Side::Peer => "the peer",
                Side::Network => "the network",
                Side::End(role) => name(role),
            };
            format!("closed cleanly by {by} after {after}")
        }
        Cause::Timeout(kind) => format!("ended by us after {after}: {}", kind.what()),
        Cause::Lost(how) => {
            // "1006 … is designated for use … to indicate that the connection was closed
            // abnormally, e.g., without sending or receiving a Close control frame" (§7.4.1).
            let without = match (&ending.sent, &ending.received) {
                (_, Some(_)) => "before the closing handshake was complete",
                (Some(_), None) => "without the peer's close frame",
                (None, None) => "without a close frame",
            };
            let how = sanitize::escaped(how.to_string().as_bytes());
            format!("connection lost {without} after {after} (1006): {how}")
        }
        Cause::Dropped => format!("dropped by us without a closing handshake after {after}"),
    });
    parts.join("; ")
}

/// The same where the rule that was broken is explained beside it: only its code is named.
pub fn summarize(ending: &Ending) -> String {
    let Cause::Violation(violation) = &ending.cause else { return describe(ending) };
    broken(ending, &format!(" ({})", violation.kind.rule().code))
}

/// An end because of the peer's fault: that first, then what this side did about it. The reason of our
/// Close says the same again, and is left out.
fn broken(ending: &Ending, what: &str) -> String {
    let mut parts = vec![format!("the peer broke the protocol{what}")];
    parts.extend(frames(&Ending { sent: None, ..ending.clone() }));
    let after = clock::seconds(ending.duration);
    let code = ending.sent.as_ref().and_then(|body| body.code);
    parts.push(match code {
        Some(code) => format!("closed with {code} after {after}"),
        None => format!("ended after {after}"),
    });
    parts.join("; ")
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

/// How a relayed connection ended, which the end of that name brought about.
fn relayed(ending: &Ending, name: &str) -> String {
    let after = clock::seconds(ending.duration);
    match &ending.cause {
        Cause::Closed => format!("closed cleanly by {name} after {after}"),
        Cause::Lost(how) => {
            let without = match (&ending.sent, &ending.received) {
                (None, None) => "without a close frame",
                _ => "before the closing handshake was complete",
            };
            let how = sanitize::escaped(how.to_string().as_bytes());
            format!("the connection of {name} was lost {without} after {after} (1006): {how}")
        }
        Cause::Violation(_) | Cause::Timeout(_) | Cause::Dropped => {
            format!("ended by {name} after {after}")
        }
    }
}

fn name(role: Role) -> &'static str {
    match role {
        Role::Client => "the client",
        Role::Server => "the server",
    }
}

/// Describes what crossed, as in `sent 2 frames, 1 message, 5 bytes (13 on the wire); received …`.
pub fn totals(ending: &Ending) -> String {
    let (out, answer) = match ending.by {
        Side::End(_) => ("the client sent", "the server"),
        _ => ("sent", "received"),
    };
    format!("{out} {}; {answer} {}", amount(&ending.out), amount(&ending.r#in))
}

/// A close code with its name, and its reason in quotes: `1001 going away "restart"`.
pub fn close_body(body: &CloseBody) -> String {
    let mut out = Vec::new();
    match body.code {
        Some(code) => {
            out.extend_from_slice(format!("{code} {}", close::lookup(code).name).as_bytes());
        }
        None => out.extend_from_slice(b"a close without code"),
    }
    if !body.reason.is_empty() {
        out.push(b' ');
        sanitize::quote_into(&body.reason, &mut out);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The Close frames, in the order in which they crossed.
fn frames(ending: &Ending) -> Vec<String> {
    let (out, answer) = match ending.by {
        Side::End(_) => ("the client sent", "the server sent"),
        _ => ("sent", "received"),
    };
    let sent = ending.sent.as_ref().map(|body| format!("{out} {}", close_body(body)));
    let received = ending.received.as_ref().map(|body| format!("{answer} {}", close_body(body)));
    // Who completed a closing handshake answered the other's Close.
    let peer_first =
        matches!(ending.by, Side::Peer | Side::End(Role::Server)) && ending.cause == Cause::Closed;
    match (sent, received) {
        (Some(sent), Some(received)) if peer_first => vec![received, format!("then {sent}")],
        (Some(sent), Some(received)) => vec![sent, format!("then {received}")],
        (sent, received) => sent.into_iter().chain(received).collect(),
    }
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
    use crate::event::{Lost, TimeoutKind};
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
        assert_eq!(
            describe(&end),
            "sent 1000 normal closure; then received 1000 normal closure; \
             closed cleanly by us after 3.204 s"
        );
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
            "received 1001 going away \"re\\u{202e}\\e[2Jx\"; then sent 1001 going away; \
             closed cleanly by the peer after 3.204 s"
        );
    }

    #[test]
    fn a_close_without_code() {
        let end = ending(
            Side::Peer,
            Cause::Closed,
            Some(CloseBody::default()),
            Some(CloseBody::default()),
        );
        assert_eq!(
            describe(&end),
            "received a close without code; then sent a close without code; closed cleanly by the peer after 3.204 s"
        );
    }

    #[test]
    fn a_lost_connection() {
        let lost = || Cause::Lost(Lost::Reset);
        assert_eq!(
            describe(&ending(Side::Network, lost(), None, None)),
            "connection lost without a close frame after 3.204 s (1006): connection reset by peer"
        );
        assert_eq!(
            describe(&ending(Side::Network, lost(), body(1000, ""), None)),
            "sent 1000 normal closure; connection lost without the peer's close frame \
             after 3.204 s (1006): connection reset by peer"
        );
    }

    #[test]
    fn a_timeout() {
        let end = ending(Side::Us, Cause::Timeout(TimeoutKind::Close), body(1000, ""), None);
        assert_eq!(
            describe(&end),
            "sent 1000 normal closure; ended by us after 3.204 s: \
             the peer did not answer our close frame within the close timeout"
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
            "dropped by us without a closing handshake after 3.204 s"
        );
    }
}
