//! Broken rules of frames, and unusual frames that are legal.

use std::time::Duration;

use super::findings::Findings;
use super::why_closed::{ANSWER_IT, UNANSWERED};
use crate::diagnostics::facts::{EndKind, FrameContext, HEARD_MOST};
use crate::diagnostics::heard::is_ordinary;
use crate::diagnostics::{Clue, Diagnostic, Facts, Form, Place, Severity, Span, sniff};
use crate::session::endpoint::PongMismatch;
use crate::session::framing::AS_HTTP;
use crate::wire::deflate::codec::{Deflater, Inflater, TAIL};
use crate::wire::deflate::params::MAX_WINDOW_BITS;
use crate::wire::frame::MAX_HEADER_LEN;
use crate::wire::{Control, Data, FrameHeader, LengthForm, OpCode, Role, Violation, ViolationKind};

/// From this number on, frames with the same mask key are not a coincidence.
const EQUAL_MASKS: u64 = 8;

/// From this number on, printable characters are not a coincidence.
const PLAIN: usize = 8;

/// The most bytes of a frame that are shown.
const SHOWN: usize = 16;

pub(super) fn frames(facts: &Facts<'_>, found: &mut Findings<'_>) {
    if let Some((first, others)) = facts.violations.split_first() {
        // Data that could not be decompressed is not valid text, either. So the decompression error
        // explains more.
        let inflate = others
            .iter()
            .find(|other| other.frame == first.frame && other.kind == ViolationKind::InflateFailed);
        let others = if inflate.is_some() { facts.violations } else { others };
        let first = inflate.unwrap_or(first);
        let how = facts.end.map(|end| end.how);
        match (first.kind, how) {
            // The closing handshake is complete, so no message is lost.
            (ViolationKind::CutInsideFrame, Some(EndKind::Closed)) => found.add("W618", |d| {
                d.title("bytes came after the Close frame")
                    .note(first.detail.clone())
                    .note(format!("frame #{}, byte {} of the stream", first.frame, first.offset))
            }),
            // The entry for the ending explains it.
            (ViolationKind::CutInsideFrame, Some(_)) => {}
            _ => verdict(first, others, facts, found),
        }
        // A later violation may be a consequence of the first one, so it has no excerpt.
        for violation in others.iter().filter(|other| is_separate(other, first)) {
            found.add(code_of(violation, None), |d| {
                let (frame, offset) = (violation.frame, violation.offset);
                d.note(format!("frame #{frame}, byte {offset} of the stream"))
            });
        }
    }
    if let Some(context) = facts.frame.as_ref().filter(|_| !facts.violations.is_empty())
        && let Some(shift) = desync(context, facts.role)
    {
        found.add("W630", |d| d.note(desync_note(shift)));
    }
    odd(facts, found);
}

/// Adds the first violation, and the other violations of the same frame.
fn verdict(first: &Violation, others: &[Violation], facts: &Facts<'_>, found: &mut Findings<'_>) {
    // What is no frame has no header.
    let late = first.kind == ViolationKind::FrameAfterClose;
    let is_own = |context: &&FrameContext<'_>| !late || context.header.offset == first.offset;
    let context = facts.frame.as_ref().filter(is_own);
    let short = context.and_then(|context| short_length(first, context, facts));
    if let Some(context) = context.filter(|_| !late)
        && short.is_none()
        && first.offset < context.header.offset + context.header.bytes().len() as u64
        && let Some((rest, kind)) = text_instead(context, first.frame, facts)
    {
        let place = Place::Frame { number: first.frame, after: Some(context.after) };
        let span = Span { offset: context.header.offset, ..Span::first(place, rest, kind) };
        return super::stream::text_inside(rest, span, found);
    }
    if late && first.detail == AS_HTTP {
        return found.add("W618", |d| {
            let d = d.title("an HTTP response was sent after the Close frame").certain();
            d.severity(Severity::Note)
                .note("the bytes after the Close are HTTP, not frames")
                .help("no data is lost: the server's HTTP framework answers the request although it has switched protocols")
        });
    }
    // A second Close says nothing new, and the first one explains the end. Frames after it may have
    // data.
    let close = OpCode::Control(Control::Close);
    let again = late && context.is_some_and(|context| context.header.opcode == close);
    let again = again && facts.stream.frames <= first.frame;
    found.add(code_of(first, context), |mut d| {
        if again {
            d = d
                .title("a second Close frame came")
                .severity(Severity::Note)
                .help("no data is lost; an endpoint sends one Close only");
        }
        d.notes.extend((!first.detail.is_empty()).then(|| first.detail.clone()));
        let d = match context {
            Some(context) => d.at(span(first, context)),
            None => d.note(format!("frame #{}, byte {} of the stream", first.frame, first.offset)),
        };
        let d = match context {
            Some(context) => content(d, first, context, facts),
            None => d,
        };
        let d = match short {
            Some(short) => short.explain(d),
            None => d,
        };
        let d = match context.and_then(mask_bit_alone) {
            Some((cause, fact)) => d.because(cause, fact).help(
                "do not set the mask bit; write a length of 126 to 65,535 as the byte 126 and two bytes, a longer one as 127 and eight",
            ),
            None => d,
        };
        let d = match first.kind {
            ViolationKind::InflateFailed => context_takeover(d, context, facts),
            ViolationKind::IllegalCloseCode => {
                let reason = context.and_then(close_reason);
                let d = d.note_if(reason.as_ref().map(|reason| format!("its reason: {reason}")));
                let own = reason.filter(|reason| !is_ordinary(reason.as_bytes()));
                match (Clue::BeatUnanswered.seen(facts), own) {
                    (Some(fact), _) => d.suggests(UNANSWERED, fact).help(ANSWER_IT),
                    (None, Some(reason)) => d
                        .suggests(format!("the peer closed because of \"{reason}\""), "its own words, behind a code that must not be sent")
                        .help("do as its reason says; the peer must send another code, such as one of 4000 to 4999"),
                    (None, None) => d,
                }
            }
            _ => d,
        };
        // The violation that failed the connection is always an error.
        let failed = facts.end.is_some_and(|end| end.how == EndKind::Failed);
        let d = if failed { d.severity(Severity::Error) } else { d };
        let same = |other: &&Violation| other.frame == first.frame && other.kind != first.kind;
        others.iter().filter(same).fold(d, |d, other| {
            let rule = other.kind.rule();
            d.note(format!("the same frame: {} ({})", rule.explanation, rule.code))
        })
    });
}

/// The reason of a Close, behind its code.
fn close_reason(context: &FrameContext<'_>) -> Option<String> {
    let header = &context.header;
    let payload = header.offset + header.bytes().len() as u64;
    let at = usize::try_from(payload.checked_sub(context.around_at)?).ok()?;
    let body = context.around.get(at..)?.get(2..usize::try_from(header.len).ok()?)?;
    let reason = std::str::from_utf8(body).ok().filter(|_| header.mask.is_none())?;
    (!reason.is_empty()).then(|| reason.to_owned())
}

/// The most bytes that a length may lack.
const LACKING: usize = 64;

/// The length of a frame is too small: the bytes after the frame complete its text.
struct ShortLength {
    /// The frame is the one before the header that breaks a rule.
    is_before: bool,
    lacks: usize,
    /// The whole text has as many characters as the length says bytes.
    counts_characters: bool,
    /// The whole text is JSON, which proves it.
    is_json: bool,
    /// The bytes after the frame, as text.
    rest: String,
}

/// Finds a length that is too small, in the frame that breaks a rule or in the one before.
fn short_length(
    first: &Violation,
    context: &FrameContext<'_>,
    facts: &Facts<'_>,
) -> Option<ShortLength> {
    let header = &context.header;
    let at = usize::try_from(header.offset.checked_sub(context.around_at)?).ok()?;
    let is_before = first.offset < header.offset + header.bytes().len() as u64;
    let (text, rest) = match is_before {
        true => {
            // The message before may have had several frames, whose payloads do not adjoin.
            let (before, rest) = context.around.split_at_checked(at)?;
            let last = facts.stream.heard?.content;
            let known = last.len().min(before.len());
            let adjoins = known > 0 && before.ends_with(&last[last.len() - known..]);
            (last, Some(rest).filter(|_| adjoins && last.len() < HEARD_MOST)?)
        }
        false => {
            let cut = first.kind == ViolationKind::TruncatedUtf8 && header.mask.is_none();
            let payload = context.around.get(at + header.bytes().len()..).filter(|_| cut)?;
            payload.split_at_checked(usize::try_from(header.len).ok()?)?
        }
    };
    // Another frame may begin with a byte that looks like a part of a character.
    let is_frame = FrameHeader::parse(rest, 0).is_ok_and(|next| {
        let end = end_of(&next).is_some_and(|end| end <= rest.len());
        end && sniff::is_plausible(rest[0]) && LengthForm::minimal(next.len) == next.form
    });
    if is_frame || text.is_empty() {
        return None;
    }
    let began = matches!(text, [b'{' | b'[', ..]);
    (1..=rest.len().min(LACKING)).find_map(|lacks| {
        let whole = [text, &rest[..lacks]].concat();
        let whole = std::str::from_utf8(&whole).ok()?;
        let ends = rest.get(lacks).is_none_or(|byte| sniff::is_plausible(*byte));
        let counts_characters =
            [whole.chars().count(), whole.encode_utf16().count()].contains(&text.len());
        let is_json = began && serde_json::from_str::<serde_json::Value>(whole).is_ok();
        let is_text = !whole.contains(|c: char| c.is_control() && !c.is_whitespace());
        (ends && is_text && (is_json || counts_characters)).then(|| ShortLength {
            is_before,
            lacks,
            counts_characters,
            is_json,
            rest: String::from_utf8_lossy(&rest[..lacks]).into_owned(),
        })
    })
}

impl ShortLength {
    fn explain(&self, mut d: Diagnostic) -> Diagnostic {
        let whose = if self.is_before { "the frame before" } else { "this frame" };
        let bytes = if self.lacks == 1 { "byte" } else { "bytes" };
        let fact = format!(
            "the {} {bytes} after it, `{}`, complete {}",
            self.lacks,
            self.rest,
            if self.is_json { "its JSON" } else { "its text" }
        );
        // Nothing else of this header has a meaning.
        d.causes.clear();
        let d = d.title(format!("the length of {whose} is too small"));
        let (text, help) = match self.counts_characters {
            true => (
                "the sender wrote the number of characters as the length",
                "send the length of the payload in bytes, as it is after encoding as UTF-8",
            ),
            false => (
                "the sender wrote a length that is too small",
                "send the length of the payload in bytes, as it is after encoding",
            ),
        };
        let d = if self.is_json { d.because(text, fact) } else { d.suggests(text, fact) };
        d.help(help)
    }
}

/// The fewest compressed bytes that are no coincidence.
const COMPRESSED: usize = 5;

/// How a text that is not UTF-8 comes from compression, although its frame has no RSV1: it has a
/// message of ours as it was compressed, or it can be inflated itself.
fn uncompressed(d: Diagnostic, payload: &[u8], facts: &Facts<'_>) -> Option<Diagnostic> {
    let agreed = facts.response?.tokens("Sec-WebSocket-Extensions");
    let agreed = agreed.into_iter().any(|name| name.starts_with(b"permessage-deflate"));
    if !agreed || facts.role == Role::Server {
        return None;
    }
    let help = "leave permessage-deflate out of the server's 101, or implement it; `--no-compress` offers none";
    let mut deflater = Deflater::new(MAX_WINDOW_BITS, false)?;
    let ours = facts.stream.kept.iter().filter(|message| message.ours);
    for message in ours {
        let mut compressed = Vec::new();
        deflater.deflate(message.content, true, &mut compressed);
        let len = compressed.len().min(SHOWN);
        let known = &compressed[..len];
        if len >= COMPRESSED && payload.windows(len).any(|window| window == known) {
            let mut d = d;
            d.causes.clear();
            return Some(
                d.because(
                    "the server accepted permessage-deflate, and does not implement it",
                    format!("its text has our message as it was compressed: {}", hex(known)),
                )
                .help(help),
            );
        }
    }
    let mut output = [0; HEARD_MOST];
    let mut inflater = Inflater::new(MAX_WINDOW_BITS, true);
    let done = inflater.inflate(payload, &mut output).ok()?;
    let text = std::str::from_utf8(&output[..done.produced]).ok()?;
    let legible = text.len() >= PLAIN && !text.contains(|c: char| c.is_control() && c != '\n');
    legible.then(|| {
        let shown: String = text.chars().take(SHOWN * 2).collect();
        d.suggests(
            "the server compressed the message, but did not set RSV1",
            format!("the payload can be inflated: {shown}"),
        )
        .help("set RSV1 on the first frame of a compressed message; `--no-compress` offers no compression")
    })
}

/// Why a frame of the server has a mask bit, but its payload is text without a mask. A length from
/// 128 on in one byte sets that bit (RFC 6455 §5.2).
fn mask_bit_alone(context: &FrameContext<'_>) -> Option<(String, String)> {
    let header = &context.header;
    let masked = header.mask.is_some() && header.form == LengthForm::Bits7;
    let at = usize::try_from(header.offset.checked_sub(context.around_at)?).ok()?;
    let [_, length, rest @ ..] = context.around.get(at..).filter(|_| masked)? else { return None };
    let announced = usize::try_from(header.len).ok()?;
    let (payload, behind) = rest.split_at(announced.min(rest.len()));
    // A masked text of this length has other bytes, too.
    let text = payload.len() >= SHOWN && payload.iter().all(sniff::is_printable);
    text.then(|| {
        let why = match behind.first() {
            Some(next) if sniff::is_printable(next) => {
                format!("the server wrote the length {length} into one byte, which sets the mask bit")
            }
            Some(_) => "the server set the mask bit, but sent no key and did not mask".to_owned(),
            None => format!(
                "the server set the mask bit without a mask, as a length of {length} in one byte does"
            ),
        };
        let shown = String::from_utf8_lossy(&payload[..SHOWN]);
        (why, format!("the bytes from the key on are text: {shown}"))
    })
}

/// The text in place of a header, if it is certainly text. The rest of a frame with a wrong length
/// may look like text, too.
fn text_instead<'a>(
    context: &FrameContext<'a>,
    number: u64,
    facts: &Facts<'_>,
) -> Option<(&'a [u8], &'static str)> {
    let at = usize::try_from(context.header.offset.checked_sub(context.around_at)?).ok()?;
    let rest = context.around.get(at..)?;
    // If there is no previous frame, or it held a complete message, no length was wrong.
    let whole = || {
        if number == 1 {
            return true;
        }
        let last = facts.stream.heard.map(|heard| heard.content).unwrap_or_default();
        let before = &context.around[..at];
        let adjoins = match before.len() < last.len() {
            true => !before.is_empty() && last.ends_with(before),
            false => before.ends_with(last),
        };
        adjoins
            && serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(last).is_ok()
    };
    // In the first frame, 8 bytes of text and nothing else are no header and payload.
    let alone = || number == 1 && rest.len() >= 8 && rest.iter().all(sniff::is_printable);
    let kind = sniff::text(rest).or_else(|| alone().then_some("text"));
    let kind = kind.filter(|kind| *kind != "text" || whole())?;
    let aligned = || desync(context, facts.role).is_none();
    (rest.starts_with(b"HTTP/1.") || aligned()).then_some((rest, kind))
}

/// Adds what the content of a frame shows about its fault: another frame inside, or text that is
/// not compressed.
fn content(
    d: Diagnostic,
    first: &Violation,
    context: &FrameContext<'_>,
    facts: &Facts<'_>,
) -> Diagnostic {
    let role = facts.role;
    let FrameContext { header, around, around_at, .. } = context;
    let from = |offset: u64| around.get(usize::try_from(offset.checked_sub(*around_at)?).ok()?..);
    let payload = header.offset + header.bytes().len() as u64;
    let utf8 = matches!(first.kind, ViolationKind::InvalidUtf8 | ViolationKind::TruncatedUtf8);
    if utf8 && role == Role::Client && first.offset > payload {
        let len = first.offset - payload;
        let legal = from(first.offset).and_then(|rest| {
            let next = FrameHeader::parse(rest, 0).ok()?;
            // A character of another encoding may look like a header, but the bytes after its frame
            // do not.
            let after = rest.get(end_of(&next)?..)?;
            let goes_on = after.first().is_none_or(|byte| sniff::is_plausible(*byte));
            let legal = sniff::is_plausible(*rest.first()?) && next.fin && next.mask.is_none();
            (legal && goes_on && LengthForm::minimal(next.len) == next.form).then_some(())
        });
        if len < header.len && legal.is_some() {
            let swapped = match header.form {
                LengthForm::Bits7 => false,
                LengthForm::Bits16 => header.len.swap_bytes() >> 48 == len,
                LengthForm::Bits64 => header.len.swap_bytes() == len,
            };
            let fact = format!(
                "the length says {}, and a legal frame begins after {len} bytes",
                header.len
            );
            let d = d.title("the length of a frame is wrong: another frame begins inside it");
            return match swapped {
                true => d
                    .because("the bytes of the length are in the wrong order", fact)
                    .help("write lengths in network byte order, the high byte first"),
                false => d
                    .suggests(
                        "the length is that of something else than the payload in bytes",
                        fact,
                    )
                    .help("send the length of the payload in bytes, as it is after encoding"),
            };
        }
    }
    let plain = utf8 && !header.rsv1 && header.opcode == OpCode::Data(Data::Text);
    let known = from(payload.max(*around_at)).filter(|_| plain);
    let most = usize::try_from(header.len).unwrap_or(usize::MAX);
    if let Some(payload) = known
        && let Some(d) = uncompressed(d.clone(), &payload[..payload.len().min(most)], facts)
    {
        return d;
    }
    if d.entry.code == "W615"
        && let Some(payload) = known
        && let Some((start, format)) = FILES.iter().find(|(start, _)| payload.starts_with(start))
    {
        let text = "binary data is sent as text";
        let mut d = d;
        d.causes.retain(|cause| cause.text != text);
        return d.suggests(text, format!("it begins as {format} does: {}", hex(start)));
    }
    if first.kind == ViolationKind::InvalidUtf8
        && d.entry.code == "W615"
        && let Some(fact) = latin(first, context)
    {
        let text = "text in another encoding, such as Latin-1";
        let mut d = d;
        d.causes.retain(|cause| cause.text != text);
        return d.suggests(text, fact).help("encode text as UTF-8");
    }
    let raw = (first.kind == ViolationKind::InflateFailed && header.mask.is_none())
        .then(|| from(payload))
        .flatten();
    let raw =
        raw.map(|rest| &rest[..rest.len().min(usize::try_from(header.len).unwrap_or(usize::MAX))]);
    if let Some((format, header)) = raw.filter(|_| header.rsv1).and_then(wrapped) {
        let bytes = hex(&header);
        return d
            .because(
                format!("the sender compresses as {format}, where raw DEFLATE is required"),
                format!("the payload begins with the header of {format}, {bytes}, and can be inflated behind it"),
            )
            .help("make raw DEFLATE: windowBits -15 in zlib's deflateInit2, `deflateRaw` in Node.js and pako; or leave permessage-deflate out");
    }
    match raw.filter(|raw| raw.len() >= PLAIN && raw.iter().all(|byte| matches!(byte, b' '..=b'~')))
    {
        Some(raw) => d
            .because(
                "the sender set RSV1 on a message that it did not compress",
                format!(
                    "the payload is text: {}",
                    String::from_utf8_lossy(&raw[..raw.len().min(SHOWN)])
                ),
            )
            .help("set RSV1 on compressed messages only"),
        None => d,
    }
}

/// The format and the header of compressed data that has a header, if the data behind it can be
/// inflated: zlib (RFC 1950 §2.2) or gzip (RFC 1952 §2.3).
fn wrapped(payload: &[u8]) -> Option<(&'static str, Vec<u8>)> {
    let (format, header) = match payload {
        // No other flag, so the header has no further fields.
        [0x1f, 0x8b, 8, 0, ..] => ("gzip", payload.get(..10)?),
        [method, flags, ..]
            if method & 0x8f == 8
                && flags & 0x20 == 0
                && u16::from_be_bytes([*method, *flags]).is_multiple_of(31) =>
        {
            ("zlib", payload.get(..2)?)
        }
        _ => return None,
    };
    // A checksum follows the data, so only its first bytes are inflated.
    let mut output = [0; 4];
    let done = Inflater::new(MAX_WINDOW_BITS, true).inflate(&payload[header.len()..], &mut output);
    done.is_ok_and(|done| done.produced > 0).then(|| (format, header.to_vec()))
}

/// The formats of files whose first bytes are no UTF-8, by these bytes.
const FILES: &[(&[u8], &str)] = &[
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x1f\x8b\x08", "gzip data"),
    (b"\x1a\x45\xdf\xa3", "a WebM or Matroska video"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data"),
    (b"\x78\x9c", "zlib data"),
    (b"\x78\xda", "zlib data"),
];

/// The bytes in hexadecimal, with spaces.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// The word around a byte that is not UTF-8, if the byte is a letter of Latin-1 beside a letter, and
/// the known payload is text besides such bytes.
fn latin(first: &Violation, context: &FrameContext<'_>) -> Option<String> {
    let header = &context.header;
    let index = |at: u64| usize::try_from(at.checked_sub(context.around_at)?).ok();
    let all = context.unmasked();
    let start = index(header.offset + header.bytes().len() as u64).unwrap_or_default();
    let end = index(header.offset + header.bytes().len() as u64 + header.len);
    let payload = all.get(start..end.unwrap_or(all.len()).min(all.len()))?;
    let at = index(first.offset)?.checked_sub(start)?;
    // A letter may look like the first byte of a character; then the byte after it is wrong.
    let at = if payload.get(at)?.is_ascii() { at.checked_sub(1)? } else { at };
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0xc0;
    let is_text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t' | 0xa0..);
    let beside = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
    let ascii = |at: usize| payload.get(at).is_some_and(u8::is_ascii_alphabetic);
    let byte = payload.get(at).filter(|byte| **byte >= 0xc0)?;
    // Data of another kind has bytes that no text has, or few bytes of ASCII.
    let plain = payload.iter().filter(|byte| byte.is_ascii()).count();
    let fits = payload.iter().all(is_text) && plain * 2 > payload.len();
    if !fits || !beside.into_iter().any(ascii) {
        return None;
    }
    let before = payload[..at].iter().rev().take_while(|byte| is_letter(byte)).count();
    let after = payload[at..].iter().take_while(|byte| is_letter(byte)).count();
    let word: String =
        payload[at - before..at + after].iter().map(|byte| char::from(*byte)).collect();
    Some(format!("byte {byte:#04x} is a letter in \"{word}\", read as Latin-1"))
}

/// Adds the cause if the peer keeps its compression context against the agreement. Only a message
/// after others can depend on a context (RFC 7692 §7.1.1). The proof is that the message is valid
/// DEFLATE except for its references to earlier data.
fn context_takeover(
    d: Diagnostic,
    context: Option<&FrameContext<'_>>,
    facts: &Facts<'_>,
) -> Diagnostic {
    // The number includes the message itself.
    let number = facts.stream.messages;
    let (name, whose) = match facts.role {
        Role::Client => ("server_no_context_takeover", "server"),
        Role::Server => ("client_no_context_takeover", "client"),
    };
    // Nothing came before the first message of a connection.
    if number == 1
        && !d.is_supported()
        && context.is_some_and(|context| refers_before(context, facts))
    {
        return d
            .suggests(
                "the sender uses one compressor for several connections",
                "the first message can be inflated if it may refer to data before it, which this connection never had",
            )
            .help(format!("let the {whose} make a compressor for each connection; `--no-compress` offers no compression"));
    }
    let behind = number >= 2 && facts.stream.compressed_alone && !d.is_supported();
    if !behind || !context.is_some_and(|context| refers_before(context, facts)) {
        return d;
    }
    d.because(
        format!("the sender keeps its context, although {name} was agreed"),
        format!("message #{number} can be inflated if it may refer to those before it"),
    )
    .help(format!(
        "let the {whose} reset its compression after each message, or not agree to {name}"
    ))
}

/// Whether the message of a frame can be decompressed with a window of earlier data: zeros, and
/// then the last messages.
fn refers_before(context: &FrameContext<'_>, facts: &Facts<'_>) -> bool {
    let FrameContext { header, around_at, .. } = context;
    let around = context.unmasked();
    let payload = || {
        let start = header.offset + header.bytes().len() as u64;
        let from = usize::try_from(start.checked_sub(*around_at)?).ok()?;
        let most = usize::try_from(header.len).unwrap_or(usize::MAX);
        around.get(from..).map(|rest| (&rest[..rest.len().min(most)], rest.len() >= most))
    };
    let Some((payload, is_whole)) = payload().filter(|_| header.fin && header.rsv1) else {
        return false;
    };
    let theirs = facts.stream.kept.iter().filter(|message| !message.ours);
    let mut window = vec![0; usize::from(u16::MAX) / 2];
    theirs.for_each(|message| window.extend_from_slice(message.content));
    let mut inflater = Inflater::new(MAX_WINDOW_BITS, false);
    // If the message is longer than this, its end is unknown.
    let mut output = vec![0; 64 * 1024];
    for stored in window.chunks(usize::from(u16::MAX)) {
        let len = u16::try_from(stored.len()).unwrap_or(u16::MAX);
        let block = [&[0][..], &len.to_le_bytes(), &(!len).to_le_bytes(), stored].concat();
        if inflater.inflate(&block, &mut output).is_err() {
            return false;
        }
    }
    let Ok(done) = inflater.inflate(payload, &mut output) else { return false };
    let text = std::str::from_utf8(&output[..done.produced]);
    let is_cut = |error: std::str::Utf8Error| error.error_len().is_none() && !is_whole;
    let legible = header.opcode != OpCode::Data(Data::Text) || text.map_or_else(is_cut, |_| true);
    // The decoder can read a block of one byte only if the message itself has ended its last block.
    let end = [&TAIL[..], &[0, 1, 0, 0xfe, 0xff, b'.']].concat();
    let mut ended = || {
        let rest = inflater.inflate(&end, &mut output).ok();
        rest.is_some_and(|rest| {
            rest.consumed == end.len() && output[..rest.produced].ends_with(b".")
        })
    };
    done.produced > 0 && legible && (!is_whole || ended())
}

/// Whether a violation may have another cause than the first one.
fn is_separate(other: &Violation, first: &Violation) -> bool {
    other.frame != first.frame && other.kind != ViolationKind::CutInsideFrame
}

/// The entry of the violation, or a more exact one.
fn code_of(violation: &Violation, context: Option<&FrameContext<'_>>) -> &'static str {
    let not_utf8_by_design = ["surrogate", "overlong", "U+10FFFF"];
    match violation.kind {
        ViolationKind::InvalidUtf8
            if not_utf8_by_design.iter().any(|word| violation.detail.contains(word)) =>
        {
            "W617"
        }
        ViolationKind::MessageTooBig | ViolationKind::LengthTopBit
            if context.is_some_and(|context| spells_text(&context.header)) =>
        {
            "W612"
        }
        kind => kind.rule().code,
    }
}

/// Whether the bytes of a length are printable, so that they are text instead of a length.
fn spells_text(header: &FrameHeader) -> bool {
    let bytes = header.bytes();
    let length = bytes.get(2..2 + header.form.extra_bytes()).unwrap_or_default();
    let printable = length.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\n'));
    header.form != LengthForm::Bits7 && printable
}

/// An excerpt with the byte that breaks the rule, or with the header if that byte is not in the
/// payload.
fn span(violation: &Violation, context: &FrameContext<'_>) -> Span {
    let FrameContext { header, around, around_at, after } = context;
    let own = header.bytes();
    let index =
        |offset: u64| usize::try_from(offset.saturating_sub(*around_at)).unwrap_or(usize::MAX);
    let place = Place::Frame { number: violation.frame, after: Some(*after) };
    let payload = header.offset + own.len() as u64;
    // A text that is cut inside a character lacks what comes after its last byte. The last frame of
    // its message may be empty.
    let is_cut = violation.kind == ViolationKind::TruncatedUtf8;
    let last = if header.len == 0 { header.offset } else { violation.offset };
    let guilty = index(if is_cut { last.saturating_sub(1) } else { violation.offset });
    let is_byte = violation.offset >= payload && violation.kind != ViolationKind::CutInsideFrame;
    let unmasked = context.unmasked();
    if is_byte && let Some(byte) = unmasked.get(guilty) {
        let start = guilty.saturating_sub(SHOWN / 2).max(index(header.offset).min(guilty));
        let what = match is_cut {
            true => format!("byte {byte:#04x} is the last one of the text"),
            false => format!("byte {byte:#04x} of the payload"),
        };
        return Span {
            place,
            offset: around_at + start as u64,
            bytes: unmasked[start..unmasked.len().min(start + SHOWN)].to_vec(),
            marked: guilty - start..guilty - start + 1,
            label: format!("{what}; {}", bits(header)),
            form: Form::Hex,
        };
    }
    let at = index(header.offset);
    let bytes = around.get(at..).filter(|rest| rest.starts_with(&own)).unwrap_or(&own);
    Span {
        place,
        offset: header.offset,
        bytes: bytes[..bytes.len().min(SHOWN)].to_vec(),
        marked: 0..if own.len() > 2 { own.len() } else { 1 },
        label: bits(header),
        form: Form::Hex,
    }
}

/// The fields of a header, for example `FIN=1 RSV1=1 opcode=text len=15`.
fn bits(header: &FrameHeader) -> String {
    let bit = |name: &str, set: bool| if set { format!("{name}=1 ") } else { String::new() };
    let opcode = match crate::wire::frame::opcode_name(header.opcode) {
        Some(name) => name.to_owned(),
        None => format!("{} (reserved)", header.opcode_bits()),
    };
    format!(
        "FIN={} {}{}{}opcode={opcode} {}len={}",
        u8::from(header.fin),
        bit("RSV1", header.rsv1),
        bit("RSV2", header.rsv2),
        bit("RSV3", header.rsv3),
        bit("MASK", header.mask.is_some()),
        header.len,
    )
}

/// The distance from the illegal header to the nearest legal one. If it is negative, the previous
/// frame announced too many bytes; if it is positive, too few.
fn desync(context: &FrameContext<'_>, role: Role) -> Option<i64> {
    let at = usize::try_from(context.header.offset.checked_sub(context.around_at)?).ok()?;
    // The mask bit of the illegal header proves nothing: a client masks, a server does not.
    let masked = role == Role::Server;
    let legal = |at: usize| {
        let rest = context.around.get(at..)?;
        sniff::is_plausible(*rest.first()?).then_some(())?;
        let header = FrameHeader::parse(rest, 0).ok()?;
        let short = LengthForm::minimal(header.len) == header.form && header.has_end();
        // Zero bytes look like the header of an empty frame. So a header counts only if its frame
        // has content and ends inside the known bytes. A control frame must also have a legal
        // length.
        let whole = end_of(&header).is_some_and(|end| end <= rest.len());
        let control = !header.is_control() || (header.fin && header.len <= 125);
        (short && whole && control && header.len > 0 && header.mask.is_some() == masked)
            .then_some(())
    };
    // If the header itself is plausible, no length was wrong.
    if sniff::is_plausible(*context.around.get(at)?) {
        return None;
    }
    // The previous frame ends at the illegal header, as it should.
    let ends = |from: usize| {
        let header = FrameHeader::parse(context.around.get(from..)?, 0).ok()?;
        (end_of(&header)? == at - from).then_some(())
    };
    (1..=MAX_HEADER_LEN).find_map(|k| {
        if legal(at + k).is_some() {
            return Some(k as i64);
        }
        let before = at.checked_sub(k).filter(|from| ends(*from).is_none());
        before.and_then(legal).map(|()| -(k as i64))
    })
}

/// The end of a frame that begins at 0, if it fits into memory addresses.
fn end_of(header: &FrameHeader) -> Option<usize> {
    usize::try_from(header.len).ok()?.checked_add(header.wire_len())
}

fn desync_note(shift: i64) -> String {
    let (count, way) = match shift {
        ..0 => (-shift, "earlier, so the previous length was too large"),
        _ => (shift, "later, so the previous length was too small"),
    };
    let why = match count {
        4 => "; 4 is the size of a mask key",
        2 | 8 => "; it is the size of an extended length",
        _ => "",
    };
    format!("a legal header begins {count} bytes {way}{why}")
}

/// A peer must answer a ping "as soon as is practical" (RFC 6455 §5.5.2), which takes some round
/// trips.
const PONG_OVERDUE: Duration = Duration::from_secs(1);

fn odd(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let pings = &facts.pings;
    if let Some(PongMismatch { ping, pong, is_start }) = pings.mismatched {
        found.add("W622", |d| {
            let d = d.title("a pong has a different payload than its ping").certain();
            let d = d.help("make the peer send back the whole payload of the ping");
            d.note(match is_start {
                true => {
                    format!("the ping had {ping} bytes, the pong the first {pong} of them (§5.5.3)")
                }
                false => format!("the ping had {ping} bytes, the pong {pong} others (§5.5.3)"),
            })
        });
    } else if pings.unsolicited > 0 {
        let count = pings.unsolicited;
        found.add("W622", |d| d.note(format!("{count} of them arrived")).severity(Severity::Note));
    }
    // A peer needs some time for its pong. A peer that has closed sends none, and neither does one
    // whose connection this side has failed.
    let failed = facts.close.sent.and_then(|sent| sent.code);
    let failed = matches!(failed, Some(1002 | 1003 | 1007 | 1009));
    let owes = facts.close.received.is_none() && pings.mismatched.is_none() && !failed;
    let overdue = pings.waiting.filter(|_| owes);
    let overdue = overdue.filter(|waiting| *waiting >= PONG_OVERDUE && pings.data_since);
    if let Some(waiting) = overdue {
        found.add("W623", |d| {
            d.note(format!("a ping has been unanswered for {:.1} s", waiting.as_secs_f64()))
        });
    }
    if let Some((count, key)) = facts.stream.equal_masks.filter(|(count, _)| *count >= EQUAL_MASKS)
    {
        let [a, b, c, d] = key;
        let text = format!("{count} frames had the key {a:02x}{b:02x}{c:02x}{d:02x}");
        found.add("W629", |d| d.note(text));
    }
}
