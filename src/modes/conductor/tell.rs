//! What the commands that ask are answered.

use std::fmt::Write as _;
use std::time::Instant;

use crate::config::OpenConfig;
use crate::event::{Direction, Event};
use crate::modes::client::desk::Desk;
use crate::session::Endpoint;
use crate::session::endpoint::State;
use crate::ui::checklist::Checklist;
use crate::ui::command::notation;
use crate::ui::command::{AutoPong, Filter, FilterChange, Show, Timestamps, View, Way};
use crate::ui::sanitize::{escape_into, escaped};
use crate::ui::{HumanOptions, HumanPrinter, clock, hexdump, number, pretty, redact, stats};
use crate::wire::handshake::headers::HeaderEdit;
use crate::wire::{Data, OpCode};

type Answer = Result<String, String>;

/// `3 lines`.
pub(super) fn lines(n: usize) -> String {
    counted(n, "line")
}

/// `1 job`.
pub(super) fn jobs(n: usize) -> String {
    counted(n, "job")
}

fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

pub(super) fn auto_pong(choice: AutoPong) -> String {
    match choice {
        AutoPong::On => "pings are answered at once".to_owned(),
        AutoPong::Off => "pings are not answered".to_owned(),
        AutoPong::Delay(time) => format!("pings are answered after {} s", time.as_secs_f64()),
    }
}

pub(super) fn auto_close(on: bool) -> String {
    match on {
        true => "a close of the peer is answered".to_owned(),
        false => "a close of the peer is not answered".to_owned(),
    }
}

pub(super) fn compress(on: bool, agreed: Option<bool>) -> String {
    match (on, agreed) {
        (_, Some(false)) => "permessage-deflate was not agreed: messages go out uncompressed",
        (true, _) => "messages go out compressed",
        (false, _) => "messages go out uncompressed",
    }
    .to_owned()
}

/// What the next connection's request will have besides the defaults.
pub(super) fn headers(open: &OpenConfig, changed: bool) -> String {
    let when = if changed { "the next /reconnect sends" } else { "sent beside the defaults" };
    if open.headers.is_empty() {
        return format!("{when}: nothing");
    }
    let mut text = format!("{when}:");
    for edit in &open.headers {
        let _ = write!(text, "\n  {}", shown(edit));
    }
    text
}

/// As it was given, but for what is secret.
fn shown(edit: &HeaderEdit) -> String {
    let name = edit.name();
    match edit.value() {
        None => format!("{name}: is left out"),
        Some(_) if redact::is_secret(name) => format!("{name}: [redacted]"),
        Some(value) => format!("{name}: {}", escaped(value.as_bytes())),
    }
}

/// The last message in full.
pub(super) fn last(desk: &Desk) -> Result<Vec<u8>, String> {
    let book = desk.reporter.book().ok_or(NOTHING)?;
    let last = book.last.as_ref().ok_or(NOTHING)?;
    let mut out = Vec::new();
    let is_text = last.opcode == Some(OpCode::Data(Data::Text));
    let palette = desk.reporter.palette();
    if !is_text {
        hexdump::dump(&last.content, 0, 0, &mut out);
    } else if desk.reporter.pretty()
        && pretty::append(&last.content, 0, palette, &mut out).is_some()
    {
        out.push(b'\n');
    } else {
        for line in last.content.split(|byte| *byte == b'\n') {
            escape_into(line, &mut out);
            out.push(b'\n');
        }
    }
    let kept = last.content.len() as u64;
    if kept < last.len {
        let _ = writeln!(Text(&mut out), "… {} of {} bytes are kept", kept, last.len);
    }
    Ok(out)
}

const NOTHING: &str = "no message was received yet";

/// Lets `write!` append to bytes.
struct Text<'a>(&'a mut Vec<u8>);

impl std::fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// `/show`.
pub(super) fn show(
    show: Show,
    desk: &Desk,
    endpoint: Option<&Endpoint>,
    every: &[String],
    now: Instant,
) -> Result<Vec<u8>, String> {
    let book = desk.reporter.book().ok_or("there was no connection yet")?;
    let palette = desk.reporter.palette();
    let mut out = Vec::new();
    match show {
        Show::Handshake => {
            let (Some(request), Some(report)) = (&book.request, &book.report) else {
                return Err("there was no handshake yet".to_owned());
            };
            Checklist { request, response: book.response.as_ref(), report }
                .write(palette, &mut out);
        }
        Show::Tls => {
            let facts = book.tls.as_ref().ok_or("the connection is not under TLS")?;
            let options = HumanOptions {
                palette,
                timestamps: Timestamps::Off,
                ..HumanOptions::new(Direction::ToServer)
            };
            let at = desk.reporter.stamp();
            HumanPrinter::new(options).print(&at, &Event::Tls(facts), &mut out);
        }
        Show::Stats => {
            let now = desk.reporter.stamp().micros;
            out.extend_from_slice(stats::render(&book.stats, Direction::ToServer, now).as_bytes());
        }
        Show::Frames(n) => book.frames(n).for_each(|line| out.extend_from_slice(line)),
        Show::State => state(desk, endpoint, every, now, &mut out),
    }
    Ok(out)
}

fn state(
    desk: &Desk,
    endpoint: Option<&Endpoint>,
    every: &[String],
    now: Instant,
    out: &mut Vec<u8>,
) {
    let mut fact = |name: &str, value: &str| {
        let _ = writeln!(Text(out), "{name:<14}{value}");
    };
    match endpoint {
        None => fact("connection", "none"),
        Some(endpoint) => {
            let state = match endpoint.state() {
                State::Open if endpoint.received_close().is_some() => {
                    "the peer's close is not answered"
                }
                State::Open => "open",
                State::Closing => "closing",
                State::Closed => "closed",
            };
            fact("connection", state);
            fact("open for", &clock::seconds(endpoint.age(now)));
            fact("pings", &auto_pong(endpoint.auto_pong()));
            fact("close", &auto_close(endpoint.auto_close()));
            let compressed = match endpoint.compresses() {
                None => compress(true, Some(false)),
                Some(on) => compress(on, Some(true)),
            };
            fact("compression", &compressed);
            if endpoint.is_fragmenting() {
                fact("message", "a fragmented message of ours is not finished");
            }
        }
    }
    let reporter = &desk.reporter;
    fact("view", view_name(reporter.view()));
    fact("filter", &filter_text(reporter.filter()));
    fact("timestamps", timestamps_name(reporter.timestamps()));
    let log = reporter
        .log_path()
        .map_or("none".to_owned(), |path| escaped(path.as_os_str().as_encoded_bytes()));
    fact("log", &log);
    for job in every {
        fact("job", job);
    }
}

/// `/status`, in one or two lines.
pub(super) fn status(
    open: &OpenConfig,
    desk: &Desk,
    endpoint: Option<&Endpoint>,
    now: Instant,
) -> String {
    let url = &open.target;
    let Some(endpoint) = endpoint else { return format!("not connected; {url}") };
    let book = desk.reporter.book();
    let mut text = format!("connected to {url}");
    if let Some((_, peer)) = book.and_then(|book| book.addresses) {
        let _ = write!(text, " ({peer})");
    }
    let _ = write!(text, " for {}", clock::seconds(endpoint.age(now)));
    if let Some(version) = book.and_then(|book| book.tls.as_ref()?.version.as_deref()) {
        let _ = write!(text, "; {version}");
    }
    if let Some(report) = book.and_then(|book| book.report.as_ref()) {
        if let Some(name) = &report.agreed.subprotocol {
            let _ = write!(text, "; subprotocol {}", escaped(name.as_bytes()));
        }
        let deflate =
            if report.agreed.deflate.is_some() { "permessage-deflate" } else { "no compression" };
        let _ = write!(text, "; {deflate}");
    }
    if let Some(book) = book {
        let amount = |direction| {
            let all = book.stats.direction(direction).all();
            let messages = book.stats.messages(direction);
            let bytes = number::grouped(all.payload);
            format!("{} frames, {messages} messages, {bytes} bytes", all.frames)
        };
        let (sent, received) = (amount(Direction::ToServer), amount(Direction::ToClient));
        let _ = write!(text, "\nsent {sent}; received {received}");
    }
    text
}

/// `/view`.
pub(super) fn view(view: Option<View>, desk: &mut Desk) -> Answer {
    if let Some(view) = view {
        desk.reporter.set_view(view)?;
    }
    Ok(format!("view: {}", view_name(desk.reporter.view())))
}

fn view_name(view: View) -> &'static str {
    match view {
        View::Frames => "frames",
        View::Messages => "messages",
        View::Json => "json",
        View::Hex => "hex",
    }
}

/// `/timestamps`.
pub(super) fn timestamps(choice: Option<Timestamps>, desk: &mut Desk) -> Answer {
    if let Some(choice) = choice {
        desk.reporter.set_timestamps(choice)?;
    }
    Ok(format!("timestamps: {}", timestamps_name(desk.reporter.timestamps())))
}

fn timestamps_name(timestamps: Timestamps) -> &'static str {
    match timestamps {
        Timestamps::On => "time of day",
        Timestamps::Off => "none",
        Timestamps::Relative => "seconds since the connection was opened",
    }
}

/// `/filter`.
pub(super) fn filter(change: FilterChange, desk: &mut Desk) -> Answer {
    match change {
        FilterChange::Ask => {}
        FilterChange::Off => desk.reporter.set_filter(None)?,
        FilterChange::Only(filter) => desk.reporter.set_filter(Some(filter))?,
    }
    Ok(format!("shown: {}", filter_text(desk.reporter.filter())))
}

fn filter_text(filter: Option<&Filter>) -> String {
    let Some(Filter { way, opcodes, regex }) = filter else { return "everything".to_owned() };
    let mut parts = Vec::new();
    parts.extend(way.map(|way| match way {
        Way::In => "received".to_owned(),
        Way::Out => "sent".to_owned(),
    }));
    if !opcodes.is_empty() {
        let names: Vec<String> =
            opcodes.iter().map(|opcode| notation::opcode_word(*opcode)).collect();
        parts.push(names.join(", "));
    }
    parts.extend(regex.as_ref().map(|regex| super::lines::quoted(regex.as_str())));
    if parts.is_empty() { "everything".to_owned() } else { parts.join("; ") }
}
