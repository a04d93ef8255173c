//! Objects for everything that is not a frame: addresses, TLS, heads, the handshake, the end.

use super::object::{ObjectWriter, PIECE, base64, string};
use crate::event::{
    Cause, CommandEnd, Direction, Ending, Event, Intervened, Intervention, Side, Stamp,
};
use crate::ui::clock::UtcClock;
use crate::ui::ending;
use crate::wire::close::CloseBody;
use crate::wire::handshake::Agreed;
use crate::wire::handshake::accept::AcceptSteps;
use crate::wire::handshake::rules::RuleVerdict;
use crate::wire::head::{Head, HeadKind, StartLine};
use crate::wire::{Violation, role_name};

/// Prints an event that does not depend on other events.
pub(super) fn print(at: &Stamp, event: &Event<'_>, clock: &mut UtcClock, out: &mut Vec<u8>) {
    let direction = match event {
        Event::Head(direction, _) => Some(*direction),
        Event::Body(_) => Some(Direction::ToClient),
        Event::Intervened(done) => Some(done.direction),
        _ => None,
    };
    let mut object = |kind: &str, fields: &dyn Fn(&mut ObjectWriter<'_>)| {
        let mut object = ObjectWriter::begin(kind, at, direction, clock, out);
        fields(&mut object);
        object.end();
    };
    match event {
        Event::Resolved { host, addresses } => object("resolved", &|object| {
            object.string("host", host);
            object.strings("addresses", *addresses);
        }),
        Event::AddressFailed { address, error } => object("address-failed", &|object| {
            object.display("address", address);
            object.string("error", error);
        }),
        Event::Listening { url } => object("listening", &|object| object.string("url", url)),
        Event::Connected { local, peer } | Event::Accepted { local, peer } => {
            object("connected", &|object| {
                object.string("local", local);
                object.string("peer", peer);
            })
        }
        Event::Tls(facts) => object("tls", &|object| {
            object.optional("peer", facts.peer.map(role_name));
            object.fields(facts);
        }),
        Event::Head(_, head) => object("head", &|object| self::head(head, object)),
        Event::Body(bytes) => {
            for piece in bytes.chunks(PIECE) {
                object("body", &|object| object.text_or_base64(true, piece));
            }
        }
        Event::Timing(phases) => object("timing", &|object| {
            object.micros("resolve_us", phases.resolve);
            object.micros("connect_us", phases.connect);
            object.micros("proxy_us", phases.proxy);
            object.micros("tls_us", phases.tls);
            object.micros("upgrade_us", phases.upgrade);
        }),
        Event::Judged(report) => object("handshake", &|object| {
            object.nested_if("accept", report.accept.as_ref(), accept);
            object.array("verdicts", &report.verdicts, verdict);
        }),
        Event::Open(agreed) => object("open", &|object| open(agreed, object)),
        Event::RoundTrip(time) => {
            object("round-trip", &|object| object.micros("rtt_us", *time));
        }
        Event::CommandEnded(end) => object("command", &|object| {
            let (status, signal) = match end {
                CommandEnd::Status(status) => (Some(*status), None),
                CommandEnd::Signal(signal) => (None, Some(*signal)),
            };
            let number = |n: Option<i32>| n.and_then(|n| u64::try_from(n).ok());
            object.optional_number("status", number(status));
            object.optional_number("signal", number(signal));
        }),
        Event::Intervened(done) => object("intervened", &|object| intervened(done, object)),
        Event::Note(text) => object("note", &|object| object.string("text", text)),
        Event::Failed(text) => {
            object("failed", &|object| object.string("text", text));
        }
        Event::Passed(text) => object("passed", &|object| object.string("text", text)),
        Event::Automatic(_) | Event::Frame(..) | Event::Made(..) | Event::End(_) => {}
    }
}

fn intervened(done: &Intervened, object: &mut ObjectWriter<'_>) {
    object.word("what", done.what.name());
    object.opcode(done.opcode);
    object.number("frame", done.frame);
    object.optional_number("rule", done.rule);
    match done.what {
        Intervention::Delayed(time) => object.micros("time_us", time),
        Intervention::Closed(code) => object.number("code", code.into()),
        _ => {}
    }
}

/// Prints the end of a connection.
pub(super) fn end(at: &Stamp, end: &Ending, clock: &mut UtcClock, out: &mut Vec<u8>) {
    let Ending { role: _, by, cause, sent, received, duration, out: sent_totals, r#in } = end;
    let mut object = ObjectWriter::begin("end", at, None, clock, out);
    object.word(
        "by",
        match by {
            Side::Us => "us",
            Side::Peer => "peer",
            Side::Network => "network",
            Side::End(role) => role_name(*role),
        },
    );
    let name = match cause {
        Cause::Closed | Cause::Relay { .. } => "closed",
        Cause::Violation(_) => "violation",
        Cause::Timeout(_) => "timeout",
        Cause::Lost(_) => "lost",
        Cause::Dropped => "dropped",
    };
    object.word("cause", name);
    match cause {
        Cause::Timeout(kind) => object.value("detail", kind),
        Cause::Lost(how) => object.display("detail", how),
        _ => object.null("detail"),
    }
    if let Cause::Relay { rule, close: body } = cause {
        object.optional_number("rule", *rule);
        object.nested_if("relay", Some(body), close);
    }
    let found = match cause {
        Cause::Violation(found) => Some(found),
        _ => None,
    };
    object.nested_if("violation", found, violation);
    object.nested_if("sent", sent.as_ref(), close);
    object.nested_if("received", received.as_ref(), close);
    object.micros("duration_us", *duration);
    object.value("out", sent_totals);
    object.value("in", r#in);
    object.string("text", &ending::describe(end));
    object.end();
}

/// The fields of a violation.
pub(super) fn violation(violation: &Violation, object: &mut ObjectWriter<'_>) {
    let Violation { kind, frame, offset, detail } = violation;
    let rule = kind.rule();
    object.word("code", rule.code);
    object.word("name", rule.name);
    object.string("section", rule.section);
    object.string("explanation", rule.explanation);
    object.string("detail", detail);
    object.number("frame", *frame);
    object.number("offset", *offset);
    object.optional_number("close", rule.close.map(|code| u16::from(code).into()));
}

fn head(head: &Head, object: &mut ObjectWriter<'_>) {
    object.word(
        "kind",
        match head.kind() {
            HeadKind::Request => "request",
            HeadKind::Response => "response",
        },
    );
    match head.start_line() {
        StartLine::Request(line) => {
            object.lossy("method", line.method);
            object.lossy("target", line.target);
            object.display("version", line.version);
        }
        StartLine::Status(line) => {
            object.display("version", line.version);
            object.number("status", line.code.into());
            object.lossy("reason", line.reason);
        }
        StartLine::Unparsable(line) => object.lossy("unparsable", line),
    }
    object.array("headers", head.headers(), |field, out| {
        out.push(b'[');
        string(&String::from_utf8_lossy(field.name), out);
        out.push(b',');
        string(&String::from_utf8_lossy(field.value), out);
        out.push(b']');
    });
    object.strings("defects", head.defects());
    object.lossy("raw", head.raw());
    if std::str::from_utf8(head.raw()).is_err() {
        base64(head.raw(), object.key("raw_base64"));
    }
}

fn verdict(verdict: &RuleVerdict, out: &mut Vec<u8>) {
    let RuleVerdict { rule, outcome, text } = verdict;
    ObjectWriter::inline(out, |object| {
        object.string("rule", rule.id);
        object.string("title", rule.title);
        object.word("side", role_name(rule.side));
        object.value("level", &rule.level);
        object.value("outcome", outcome);
        object.optional("code", rule.code);
        object.string("text", text);
    });
}

/// The accept value step by step, RFC 6455 §4.2.2.
fn accept(steps: &AcceptSteps, object: &mut ObjectWriter<'_>) {
    object.lossy("key", &steps.key);
    object.lossy("with_guid", &steps.concatenated);
    object.hex("sha1", &steps.sha1);
    object.string("base64", &steps.accept);
}

fn open(agreed: &Agreed, object: &mut ObjectWriter<'_>) {
    object.optional("subprotocol", agreed.subprotocol.as_deref());
    object.strings("extensions", &agreed.extensions);
    object.value("deflate", &agreed.deflate);
}

pub(super) fn close(body: &CloseBody, object: &mut ObjectWriter<'_>) {
    object.optional_number("code", body.code.map(u64::from));
    object.lossy("reason", &body.reason);
}
