//! Replies to commands that show something.

use std::fmt::Write as _;
use std::time::Instant;

use crate::config::OpenConfig;
use crate::event::{ConnId, Direction, Event};
use crate::output::connection_history::ConnectionHistory;
use crate::output::reporter::Reporter;
use crate::output::secrets;
use crate::script::command::{AutoPong, FilterChange, Show};
use crate::script::runner::{ClientFacts, Connections};
use crate::session::Endpoint;
use crate::session::endpoint::State;
use crate::ui::checklist::Checklist;
use crate::ui::filter::{ClientSet, Filter};
use crate::ui::pretty::Pretty;
use crate::ui::sanitize::{escape_into, escaped};
use crate::ui::view::{Timestamps, View};
use crate::ui::{HumanOptions, HumanPrinter, clock, hexdump, notation, number, pretty, stats};
use crate::wire::handshake::headers::HeaderEdit;
use crate::wire::{Data, OpCode, Role};

type CommandResult = Result<String, String>;

/// `3 lines`.
pub(crate) fn lines(n: usize) -> String {
    number::counted(n as u64, "line")
}

/// `1 job`.
pub(crate) fn jobs(n: usize) -> String {
    number::counted(n as u64, "job")
}

pub(crate) fn auto_pong(choice: AutoPong) -> String {
    match choice {
        AutoPong::On => "pings are answered at once".to_owned(),
        AutoPong::Off => "pings are not answered".to_owned(),
        AutoPong::Delay(time) => format!("pings are answered after {} s", time.as_secs_f64()),
    }
}

pub(crate) fn auto_close(on: bool) -> String {
    match on {
        true => "a Close of the peer is answered".to_owned(),
        false => "a Close of the peer is not answered".to_owned(),
    }
}

pub(crate) fn compress(on: bool, agreed: Option<bool>) -> String {
    match (on, agreed) {
        (_, Some(false)) => "permessage-deflate was not agreed: messages are sent uncompressed",
        (true, _) => "messages are sent compressed",
        (false, _) => "messages are sent uncompressed",
    }
    .to_owned()
}

/// The headers of the next request, besides the defaults.
pub(crate) fn headers(open: &OpenConfig, changed: bool) -> String {
    let when = if changed { "the next /reconnect sends" } else { "sent with the default headers" };
    // If the headers can't be sent, the attempt to connect reports the error.
    let edits = open.edits(&open.target, None).unwrap_or_else(|_| open.headers.clone());
    if edits.is_empty() {
        return format!("{when}: none");
    }
    let mut text = format!("{when}:");
    for edit in &edits {
        let _ = write!(text, "\n  {}", shown(edit));
    }
    text
}

/// A header as given, without secrets.
fn shown(edit: &HeaderEdit) -> String {
    let name = edit.name();
    match edit.value() {
        None => format!("{name}: is not sent"),
        Some(_) if secrets::redactor().hides(name) => format!("{name}: [redacted]"),
        Some(value) => format!("{name}: {}", escaped(value.as_bytes())),
    }
}

/// The last message in full.
pub(crate) fn last(id: ConnId, connections: &dyn Connections) -> Result<Vec<u8>, String> {
    let reporter = connections.reporter();
    let book = reporter.connection_history(id).ok_or_else(|| unknown(id, connections))?;
    let last = book.last.as_ref().ok_or(NOTHING)?;
    let mut out = Vec::new();
    name_client(id, reporter, &mut out);
    let is_text = last.opcode == Some(OpCode::Data(Data::Text));
    content(&last.content, is_text, reporter, &mut out);
    let kept = last.content.len() as u64;
    if kept < last.len {
        let _ = writeln!(Text(&mut out), "… {} of {} bytes are kept", kept, last.len);
    }
    Ok(out)
}

/// A message in full: JSON is pretty-printed, other text is escaped for a terminal, everything else
/// is hexadecimal.
fn content(content: &[u8], is_text: bool, reporter: &Reporter, out: &mut Vec<u8>) {
    if !is_text {
        hexdump::dump(content, 0, 0, out);
    } else if reporter.pretty() != Pretty::Never
        && pretty::append(content, 0, usize::MAX, reporter.palette(), out).is_some()
    {
        out.push(b'\n');
    } else {
        for line in content.split(|byte| *byte == b'\n') {
            escape_into(line, out);
            out.push(b'\n');
        }
    }
}

/// `/show message N`.
pub(crate) fn message(
    number: u64,
    direction: Option<Direction>,
    of: &ClientSet,
    reporter: &Reporter,
) -> Result<Vec<u8>, String> {
    let found = reporter.message(number, direction, of)?;
    let mut out = Vec::new();
    name_client(found.conn, reporter, &mut out);
    content(&found.content, found.is_text, reporter, &mut out);
    if let Some(missing) = &found.missing {
        let _ = writeln!(Text(&mut out), "… {missing}");
    }
    Ok(out)
}

const NOTHING: &str = "no message received yet";

/// Lets `write!` append to bytes.
struct Text<'a>(&'a mut Vec<u8>);

impl std::fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// `/show`.
pub(crate) fn show(
    show: Show,
    id: ConnId,
    connections: &dyn Connections,
    by_itself: &[(&str, String)],
    now: Instant,
) -> Result<Vec<u8>, String> {
    let reporter = connections.reporter();
    let book = reporter.connection_history(id).ok_or_else(|| unknown(id, connections))?;
    let (palette, sent) = (reporter.palette(), reporter.sent());
    let mut out = Vec::new();
    name_client(id, reporter, &mut out);
    match show {
        Show::Handshake => {
            let (Some(request), Some(report)) = (&book.request, &book.report) else {
                return Err("no handshake yet".to_owned());
            };
            let response = book.response.as_ref();
            Checklist { request, response, report, all: true }.write(b"", palette, &mut out);
        }
        Show::Tls => {
            let facts = book.tls.as_ref().ok_or("the connection does not use TLS")?;
            let options =
                HumanOptions { palette, timestamps: Timestamps::Off, ..HumanOptions::new(sent) };
            let at = reporter.stamp();
            HumanPrinter::new(options).print(&at, &Event::Tls(facts), &mut out);
        }
        Show::Stats => {
            let now = reporter.stamp().micros;
            out.extend_from_slice(stats::render(&book.stats, sent, now).as_bytes());
        }
        Show::Frames(n) => {
            let of = match reporter.role() {
                Some(Role::Client) => ClientSet::All,
                _ => ClientSet::Only(vec![id]),
            };
            out.append(&mut reporter.last_frames(n, &of));
        }
        // Other functions answer these.
        Show::Lens | Show::Message(..) => {}
        Show::State => state(reporter, connections.endpoint(id), by_itself, now, &mut out),
    }
    Ok(out)
}

fn state(
    reporter: &Reporter,
    endpoint: Option<&Endpoint>,
    by_itself: &[(&str, String)],
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
                    "the peer's Close is not answered"
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
                fact("message", "our fragmented message is not finished");
            }
        }
    }
    fact("view", view_name(reporter.view()));
    fact("filter", &filter_text(reporter));
    fact("timestamps", timestamps_name(reporter.timestamps()));
    let log = reporter
        .log_path()
        .map_or("none".to_owned(), |path| escaped(path.as_os_str().as_encoded_bytes()));
    fact("log", &log);
    for (kind, line) in by_itself {
        fact(kind, line);
    }
}

/// `/status` of a client, in one or two lines.
pub(crate) fn status(open: &OpenConfig, connections: &dyn Connections, now: Instant) -> String {
    let id = ConnId(1);
    let url = &open.target;
    let Some(endpoint) = connections.endpoint(id) else { return format!("not connected; {url}") };
    let book = connections.reporter().connection_history(id);
    let mut text = format!("connected to {url}");
    if let Some((_, peer)) = book.and_then(|book| book.addresses.as_ref()) {
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
        let _ = write!(text, "\n{}", amounts(book, connections.reporter()));
    }
    text
}

/// `sent 2 frames, 2 messages, 10 bytes; received …`: counts all frames, and the bytes of messages.
pub(crate) fn amounts(book: &ConnectionHistory, reporter: &Reporter) -> String {
    let (sent, relays) = (reporter.sent(), reporter.role().is_none());
    let amount = |direction| {
        let stats = book.stats.direction(direction);
        let frames = number::counted(stats.all().frames, "frame");
        let messages = number::counted(book.stats.messages(direction), "message");
        let bytes = stats.message_bytes();
        let plural = if bytes == 1 { "" } else { "s" };
        format!("{frames}, {messages}, {} byte{plural}", number::grouped(bytes))
    };
    let (near, far) = if relays { ("the client sent", "the server") } else { ("sent", "received") };
    format!("{near} {}; {far} {}", amount(sent), amount(sent.opposite()))
}

/// `/view`.
pub(crate) fn view(view: Option<View>, reporter: &mut Reporter) -> CommandResult {
    if let Some(view) = view {
        reporter.transcript_mut()?.set_view(view);
    }
    Ok(format!("view: {}", view_name(reporter.view())))
}

/// `/pretty`.
pub(crate) fn pretty(choice: Option<Pretty>, reporter: &mut Reporter) -> String {
    if let Some(choice) = choice {
        reporter.set_pretty(choice);
    }
    let when = match reporter.pretty() {
        Pretty::Auto => "pretty-printed in the view of messages if it does not fit into a line",
        Pretty::Always => "always pretty-printed",
        Pretty::Never => "as received",
    };
    format!("JSON: {when}")
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
pub(crate) fn timestamps(choice: Option<Timestamps>, reporter: &mut Reporter) -> CommandResult {
    if let Some(choice) = choice {
        reporter.transcript_mut()?.set_timestamps(choice);
    }
    Ok(format!("timestamps: {}", timestamps_name(reporter.timestamps())))
}

fn timestamps_name(timestamps: Timestamps) -> &'static str {
    match timestamps {
        Timestamps::Auto => "time of day, with 80 columns or more",
        Timestamps::On => "time of day",
        Timestamps::Off => "none",
        Timestamps::Relative => "seconds since the connection was opened",
    }
}

/// `/filter`.
pub(crate) fn filter(change: FilterChange, reporter: &mut Reporter) -> CommandResult {
    match change {
        FilterChange::Ask => {}
        FilterChange::Off => reporter.transcript_mut()?.set_filter(None),
        FilterChange::Only(filter) => reporter.transcript_mut()?.set_filter(Some(filter)),
    }
    Ok(format!("shown: {}", filter_text(reporter)))
}

fn filter_text(reporter: &Reporter) -> String {
    let (filter, sent, relays) = (reporter.filter(), reporter.sent(), reporter.role().is_none());
    let Some(Filter { clients, direction, opcodes, regex, unless }) = filter else {
        return "everything".to_owned();
    };
    let mut parts = Vec::new();
    if *clients != ClientSet::All {
        parts.push(self::clients(clients, relays));
    }
    parts.extend(direction.map(|direction| match direction == sent {
        true => "sent".to_owned(),
        false => "received".to_owned(),
    }));
    if !opcodes.is_empty() {
        let names: Vec<String> =
            opcodes.iter().map(|opcode| notation::opcode_word(*opcode)).collect();
        parts.push(names.join(", "));
    }
    parts.extend(regex.as_ref().map(ToString::to_string));
    parts.extend(unless.as_ref().map(|unless| format!("not {unless}")));
    if parts.is_empty() { "everything".to_owned() } else { parts.join("; ") }
}

/// The target in words, as in `client 3`, `clients 3,5`, `all clients`; for a proxy, `connection 3,
/// to the server`.
pub(crate) fn clients(target: &ClientSet, relays: bool) -> String {
    let noun = if relays { "connection" } else { "client" };
    let who = match target {
        ClientSet::All | ClientSet::Every(_) => format!("all {noun}s"),
        ClientSet::Last(_) => format!("the last {noun}"),
        ClientSet::Only(ids) => {
            let plural = if ids.len() == 1 { "" } else { "s" };
            let numbers: Vec<_> = ids.iter().map(|id| id.pair().to_string()).collect();
            format!("{noun}{plural} {}", numbers.join(","))
        }
    };
    match target.direction() {
        None => who,
        Some(Direction::ToServer) => who + ", to the server",
        Some(Direction::ToClient) => who + ", to the client",
    }
}

/// The error that a named connection does not exist, with those that do.
pub(crate) fn missing(id: ConnId, connections: &dyn Connections) -> String {
    let open = connections.present(&ClientSet::All);
    let (noun, state) = match connections.relays() {
        true => ("connection", "open"),
        false => ("client", "connected"),
    };
    let id = id.pair();
    if open.is_empty() {
        return format!("{noun} {id} is not {state}; no {noun} is {state}");
    }
    let numbers: Vec<_> = open.iter().take(LISTED).map(ToString::to_string).collect();
    let more = match open.len() - numbers.len() {
        0 => String::new(),
        n => format!(" and {n} more; /clients lists them"),
    };
    format!("{noun} {id} is not {state}; {state}: {}{more}", numbers.join(", "))
}

/// The largest number of connections that an error lists.
const LISTED: usize = 10;

/// The error that wscope remembers nothing of a connection.
fn unknown(id: ConnId, connections: &dyn Connections) -> String {
    match connections.role() {
        Role::Client => "no connection yet".to_owned(),
        Role::Server => missing(id, connections),
    }
}

/// Begins a server's reply with the client's number.
pub(crate) fn name_client(id: ConnId, reporter: &Reporter, out: &mut Vec<u8>) {
    if reporter.role() != Some(Role::Client) {
        let noun = if reporter.role().is_none() { "connection" } else { "client" };
        out.extend_from_slice(format!("{noun} {}\n", id.0).as_bytes());
    }
}

/// `/clients`.
pub(crate) fn client_list(connections: &dyn Connections, now: Instant) -> Vec<u8> {
    let mut text = String::new();
    for client in connections.clients(now) {
        let _ = writeln!(text, "{}", entry(&client, connections));
    }
    if text.is_empty() {
        text.push_str("no client is connected\n");
    }
    text.into_bytes()
}

/// `/status` of a server.
pub(crate) fn status_of_server(connections: &dyn Connections) -> String {
    let there = match connections.present(&ClientSet::All).len() {
        0 => "no client is connected".to_owned(),
        1 => "1 client".to_owned(),
        n => format!("{n} clients"),
    };
    format!("listening on {}; {there}", connections.urls().join(", "))
}

/// `/status` of one client of a server.
///
/// # Errors
///
/// The client is not connected.
pub(crate) fn status_of_client(
    id: ConnId,
    connections: &dyn Connections,
    now: Instant,
) -> CommandResult {
    match connections.clients(now).iter().find(|client| client.id == id) {
        Some(client) => Ok(entry(client, connections)),
        None => Err(missing(id, connections)),
    }
}

/// The client, and its state.
fn entry(client: &ClientFacts, connections: &dyn Connections) -> String {
    let ClientFacts { id, about, state, times } = client;
    let mut text = format!("[{}] {about}\n    {state}", id.0);
    if let Some((age, idle)) = times {
        let _ = write!(text, " for {}, idle for {}", clock::seconds(*age), clock::seconds(*idle));
    }
    if let Some(book) = connections.reporter().connection_history(*id) {
        let _ = write!(text, "; {}", amounts(book, connections.reporter()));
    }
    text
}
