//! `wscope convert`: writes a recording in another format.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::{ConvertArgs, ConvertFormat};
use crate::config::UsageError;
use crate::config::recorded::{MAX_HELD, RecordedName};
use crate::engine::exit::Exit;
use crate::event::{ConnId, Direction, Event, FrameEvent};
use crate::net::files;
use crate::net::plain_io::plain_io;
use crate::net::stdio::write_stdout;
use crate::output::stderr;
use crate::recording::write::{HtmlReport, PcapngWriter, artillery, har, k6, script};
use crate::recording::{Fact, Player, Reader, RecordedSession, ReplayPlan, Sessions, Sniffed};
use crate::session::Limits;
use crate::ui::number::counted;
use crate::ui::{HumanOptions, HumanPrinter, JsonPrinter};
use crate::wire::Role;

/// How many bytes are written at once.
const BATCH: usize = 256 * 1024;

/// Converts the recording.
///
/// # Errors
///
/// A file can't be read or written.
pub fn run(args: &ConvertArgs) -> anyhow::Result<Exit> {
    let format = match args.to {
        Some(format) => format,
        None => format_of(&args.output)?,
    };
    let recorded = RecordedName::new(args.input.as_os_str());
    let (name, input) = (recorded.shown(), recorded.open()?);
    let Sniffed { format: found, input } =
        Reader::sniff(input).with_context(|| format!("can't read {name}"))?;
    let Some(found) = found else {
        bail!(
            "{name}: not a recording: neither JSON lines of --record, nor an HTTP archive, nor a \
             packet capture"
        );
    };
    let mut reader = Reader::of(found, input).with_context(|| name.clone())?;
    if is_same(recorded.path(), &args.output) {
        bail!("{name}: IN and OUT are the same file; give another OUT");
    }
    let mut output = Output::new(&args.output);
    let chosen: Vec<u64> = args.conn.iter().copied().chain(recorded.conn()).collect();
    let mut missing = chosen.clone();
    let converted = convert(args, &chosen, &mut missing, format, &mut reader, &mut output);
    let Converted { left_out, beside } = converted.with_context(|| name.clone())?;
    if let Some(conn) = missing.first() {
        return Err(recorded.without(*conn).into());
    }
    output.flush(true)?;
    if let Some((path, text)) = beside {
        fs::write(&path, text).with_context(|| format!("can't write {}", path.display()))?;
    }
    output.finish()?;
    if let Some(text) = reader.remark() {
        stderr::note(&format!("{name}: {text}"));
    }
    if !left_out.is_empty() {
        let text = left_out.join(", ");
        stderr::note(&format!("not converted, because the format can't hold it: {text}"));
    }
    Ok(Exit::Success)
}

/// Whether two names mean the same file. Writing it would empty it before it is read.
fn is_same(input: &Path, output: &Path) -> bool {
    let of = |path: &Path| {
        fs::metadata(path).map(|facts| (facts.dev(), facts.ino(), facts.is_file())).ok()
    };
    of(input).is_some_and(|(.., is_file)| is_file && of(input) == of(output))
}

/// The result of converting a recording.
#[derive(Default)]
struct Converted {
    /// The data that the format can't hold.
    left_out: Vec<String>,
    /// A second file, and its content.
    beside: Option<(PathBuf, String)>,
}

impl Converted {
    /// A result with one file.
    fn without(left_out: impl IntoIterator<Item = String>) -> Self {
        Self { left_out: left_out.into_iter().collect(), beside: None }
    }
}

/// The output file. An existing file stays unchanged until everything is written. If the conversion
/// fails, it is not changed.
struct Output {
    path: PathBuf,
    file: Option<File>,
    /// The draft, and the file that it replaces.
    draft: Option<(PathBuf, PathBuf)>,
    bytes: Vec<u8>,
}

impl Output {
    fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), file: None, draft: None, bytes: Vec::new() }
    }

    fn is_stdout(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    fn flush(&mut self, now: bool) -> anyhow::Result<()> {
        if self.bytes.len() < BATCH && !now {
            return Ok(());
        }
        let written = self.write();
        self.bytes.clear();
        let name = self.path.display();
        written.map_err(|error| anyhow::anyhow!("can't write {name}: {}", plain_io(&error)))
    }

    fn write(&mut self) -> io::Result<()> {
        if self.is_stdout() {
            return write_stdout(&self.bytes);
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => self.create()?,
        };
        self.file.insert(file).write_all(&self.bytes)
    }

    /// Begins a draft next to the file. Writes the file directly if it is not a regular file (such
    /// as a pipe), or if its folder is not writable.
    fn create(&mut self) -> io::Result<File> {
        let target = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let before = fs::metadata(&target).ok();
        if before.as_ref().is_none_or(fs::Metadata::is_file)
            && let Some(name) = target.file_name()
        {
            let name = format!(".{}.{}", name.to_string_lossy(), std::process::id());
            let draft = target.with_file_name(name);
            if let Ok(file) = files::create_new_private(&draft) {
                self.draft = Some((draft, target));
                if let Some(before) = before {
                    file.set_permissions(before.permissions())?;
                }
                return Ok(file);
            }
        }
        files::create_private(&self.path)
    }

    /// Replaces the file with the draft.
    fn finish(&mut self) -> anyhow::Result<()> {
        let Some((draft, target)) = &self.draft else { return Ok(()) };
        fs::rename(draft, target).map_err(|error| {
            anyhow::anyhow!("can't write {}: {}", self.path.display(), plain_io(&error))
        })?;
        self.draft = None;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some((draft, _)) = &self.draft {
            let _ = fs::remove_file(draft);
        }
    }
}

/// Writes the recording, or only the chosen connections. Removes the connections that it finds from
/// `missing`.
fn convert(
    args: &ConvertArgs,
    chosen: &[u64],
    missing: &mut Vec<u64>,
    format: ConvertFormat,
    reader: &mut Reader<'_>,
    output: &mut Output,
) -> anyhow::Result<Converted> {
    let mut role = Some(Role::Client);
    let mut player = Player::new(Limits::default(), None);
    let mut json = JsonPrinter::new(role);
    let mut human = human_of(role);
    let mut packets = PcapngWriter::default();
    let mut report = HtmlReport::default();
    let mut sessions = match format {
        ConvertFormat::Wsc => Sessions::of_acts(None),
        _ => Sessions::default(),
    };
    let (mut last, mut notes, mut made) = (0, 0, 0);
    while let Some(record) = reader.next_record()? {
        let conn = record.at.conn;
        if !chosen.is_empty() && conn != ConnId(0) && !chosen.contains(&conn.0) {
            continue;
        }
        missing.retain(|missing| *missing != conn.0);
        last = record.at.micros.max(last);
        if let Fact::Start { role: new, secrets, complete } = record.fact {
            role = new;
            sessions.begin(role, complete);
            json = JsonPrinter::new(role).with_secrets(secrets);
            human = human_of(role);
        }
        let out = &mut output.bytes;
        match format {
            ConvertFormat::Pcapng => {
                packets.take(&record, out);
                notes += u64::from(matches!(record.fact, Fact::Note(_) | Fact::Diagnostic(_)));
            }
            ConvertFormat::Html => report.record(&record),
            ConvertFormat::Jsonl | ConvertFormat::Txt => {
                notes += u64::from(matches!(record.fact, Fact::Diagnostic(_)));
            }
            _ => {}
        }
        if sessions.held() > MAX_HELD {
            bail!(
                "it has more than {} MiB of messages{}",
                MAX_HELD >> 20,
                if chosen.is_empty() { "; name one connection with --conn N" } else { "" }
            );
        }
        player.play(record, &mut |at, event| {
            made += u64::from(matches!(event, Event::Made(.., FrameEvent::End { .. })));
            match format {
                ConvertFormat::Pcapng => {}
                ConvertFormat::Jsonl => json.print(at, event, out),
                ConvertFormat::Txt => human.print(at, event, out),
                ConvertFormat::Html => report.take(at, event),
                _ => sessions.take(at, event),
            }
            anyhow::Ok(())
        })?;
        output.flush(false)?;
    }
    let is_stdout = output.is_stdout();
    let out = &mut output.bytes;
    player.end(last, &mut |at, event| {
        match format {
            ConvertFormat::Pcapng => {}
            ConvertFormat::Jsonl => json.print(at, event, out),
            ConvertFormat::Txt => human.print(at, event, out),
            ConvertFormat::Html => report.take(at, event),
            _ => sessions.take(at, event),
        }
        anyhow::Ok(())
    })?;
    // Every format has the data of both ends. Only the transcript has the frames that a proxy made.
    let of_proxy = (made > 0).then(|| format!("{} that the proxy made", counted(made, "frame")));
    match format {
        ConvertFormat::Jsonl => {
            json.flush_partial(out);
            return Ok(Converted::without((notes > 0).then(|| counted(notes, "diagnostic"))));
        }
        ConvertFormat::Txt => {
            human.flush_partial(out);
            return Ok(Converted::without((notes > 0).then(|| counted(notes, "diagnostic"))));
        }
        ConvertFormat::Pcapng => {
            packets.finish(out);
            let heads = packets.heads_left_out();
            let lines =
                (notes > 0).then(|| format!("{} of notes and diagnostics", counted(notes, "line")));
            let heads =
                (heads > 0).then(|| format!("{} as a proxy changed it", counted(heads, "head")));
            return Ok(Converted::without(lines.into_iter().chain(heads).chain(of_proxy)));
        }
        ConvertFormat::Html => {
            out.extend_from_slice(report.page().as_bytes());
            return Ok(Converted::without(of_proxy));
        }
        _ => {}
    }
    let (mut sessions, left_out) = sessions.finish();
    let mut left: Vec<String> = left_out.describe().into_iter().chain(of_proxy).collect();
    if format == ConvertFormat::Har {
        serde_json::to_writer_pretty(&mut *out, &har(&sessions))?;
        out.push(b'\n');
        return Ok(Converted::without(left));
    }
    if !missing.is_empty() {
        return Ok(Converted::default());
    }
    let session = only(&mut sessions)?;
    let mut converted = Converted::default();
    let (text, sent) = match format {
        ConvertFormat::Wsc => {
            let plan = ReplayPlan::of(session, Role::Client);
            if plan.cut > 0 {
                left.push(counted(plan.cut, "unfinished frame"));
            }
            (script(&session.url(), &plan), plan.steps.len())
        }
        ConvertFormat::K6 => (k6(session), session.of(Direction::ToServer).count()),
        _ => {
            let beside = args.output.with_extension("cjs");
            let name = beside.file_name().map(|name| name.to_string_lossy().into_owned());
            let (Some(name), false) = (name, is_stdout) else {
                bail!("a test for Artillery is two files, and can't be written to stdout");
            };
            let (test, code) = artillery(session, &name);
            converted.beside = Some((beside, code));
            (test, session.of(Direction::ToServer).count())
        }
    };
    if sent == 0 {
        stderr::note("the client of this connection sent nothing");
    }
    out.extend_from_slice(text.as_bytes());
    converted.left_out = left;
    Ok(converted)
}

/// The only connection, which a script plays.
fn only(sessions: &mut [RecordedSession]) -> anyhow::Result<&mut RecordedSession> {
    match sessions {
        [] => bail!("none of its connections was open"),
        [one] => Ok(one),
        more => {
            let numbers: Vec<String> = more.iter().map(|one| one.conn.to_string()).collect();
            bail!("it has connections {}: choose one with --conn N", numbers.join(", "))
        }
    }
}

fn human_of(role: Option<Role>) -> HumanPrinter {
    HumanPrinter::new(HumanOptions {
        width: crate::ui::terminal::FULL_WIDTH,
        show_connection: role != Some(Role::Client),
        ..HumanOptions::new(Direction::sent_by(role.unwrap_or(Role::Client)))
    })
}

fn format_of(path: &Path) -> anyhow::Result<ConvertFormat> {
    Ok(match path.extension().and_then(|one| one.to_str()).unwrap_or_default() {
        "jsonl" | "json" | "log" => ConvertFormat::Jsonl,
        "har" => ConvertFormat::Har,
        "pcapng" | "pcap" => ConvertFormat::Pcapng,
        "html" | "htm" => ConvertFormat::Html,
        "wsc" => ConvertFormat::Wsc,
        "js" => ConvertFormat::K6,
        "yml" | "yaml" => ConvertFormat::Artillery,
        "txt" => ConvertFormat::Txt,
        _ => {
            let text = format!(
                "{}: the name does not determine a format; give one with --to",
                path.display()
            );
            return Err(UsageError::new(text).into());
        }
    })
}
