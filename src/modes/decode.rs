//! `wscope decode`: decodes captured bytes into frames, without a network.

mod decoding;
pub mod hex;
mod listing;

use std::io::{self, BufRead, Read};
use std::path::Path;

use anyhow::Context as _;

use crate::cli::{DecodeArgs, DecodeFormat, ShowArgs};
use crate::config::environment::pager;
use crate::config::recorded::RecordedName;
use crate::config::{Display, LensConfig, UsageError, check_raw, limits};
use crate::engine::exit::Exit;
use crate::modes::decode::decoding::{DecodeOptions, Decoding, READ};
use crate::modes::decode::hex::HexReader;
use crate::output::pager::Pager;
use crate::output::stderr;
use crate::recording::{Reader, Sniffed, StreamKind};
use crate::script::command::filter_for;
use crate::session::Limits;
use crate::ui::terminal::Terminal;
use crate::ui::view::View;
use crate::wire::Role;

/// The longest line of hex in bytes, including its end.
const LINE: u64 = 64 << 20;

/// Decodes the input.
pub fn run(args: &DecodeArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    check_raw(args.output == DecodeFormat::Raw, args.force, terminal)?;
    let display = Display::resolve(&args.display, terminal);
    let lenses = match args.output {
        DecodeFormat::Frames | DecodeFormat::Json => LensConfig::resolve(&args.lenses, &[])?,
        DecodeFormat::Raw | DecodeFormat::Lines => LensConfig::off(),
    };
    let what = DecodeOptions { role: args.role, deflate: args.deflate, output: args.output };
    let mut decoding = Decoding::new(what, limits(&args.limits), lenses, &display)?;
    if args.list {
        decoding.list();
    }
    let result = read(args, &mut decoding);
    ended(result, decoding)
}

/// Shows a recording as a transcript.
pub fn show(args: &ShowArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let mut display = Display::resolve(&args.display, terminal);
    display.timestamps = args.timestamps;
    display.view = args.view.unwrap_or_default();
    let output = match display.view {
        View::Json => DecodeFormat::Json,
        _ => DecodeFormat::Frames,
    };
    let filter = |role| {
        let Some(text) = &args.filter else { return Ok(None) };
        let filter = filter_for(text, role);
        filter.map_err(|error| UsageError::new(format!("--filter {text:?}: {error}")))
    };
    let filters = [filter(Role::Client)?, filter(Role::Server)?];
    let what = DecodeOptions { role: None, deflate: false, output };
    let lenses = LensConfig::resolve(&args.lenses, &[])?;
    let mut decoding = Decoding::new(what, Limits::default(), lenses, &display)?;
    decoding.set_filters(filters);
    let recorded = RecordedName::new(args.file.as_os_str());
    let (name, input) = (recorded.shown(), recorded.open()?);
    let Sniffed { format, input } =
        Reader::sniff(input).with_context(|| format!("can't read {name}"))?;
    let Some(format) = format else {
        anyhow::bail!(
            "{name}: not a recording: neither JSON lines of --record, nor an HTTP archive, nor a \
             packet capture; `wscope decode` reads bytes and hex"
        );
    };
    let mut reader = Reader::of(format, input).with_context(|| name.clone())?;
    let paged = terminal.stdout && !args.no_pager;
    decoding.show_in(paged.then(|| Pager::start(&pager())).flatten());
    let result = recording(&recorded, recorded.conn(), &mut reader, &mut decoding);
    ended(result, decoding)
}

/// Prints the rest, and chooses the status.
fn ended(result: anyhow::Result<()>, mut decoding: Decoding) -> anyhow::Result<Exit> {
    let result = result.and_then(|()| decoding.finish());
    // Data before an error has been decoded, so it is printed.
    let flushed = decoding.flush(true);
    match result.and(flushed.map_err(anyhow::Error::from)) {
        Ok(()) => {}
        // A closed reader of stdout is success.
        Err(error) if is_closed_pipe(&error) => return Ok(Exit::Success),
        Err(error) => return Err(error),
    }
    Ok(if decoding.violations > 0 { Exit::Violation } else { Exit::Success })
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Reads the input piece by piece.
fn read(args: &DecodeArgs, decoding: &mut Decoding) -> anyhow::Result<()> {
    if let Some(hex) = &args.hex {
        return read_hex(&mut hex.as_bytes(), "--hex", &mut |bytes| decoding.feed(bytes));
    }
    let recorded = RecordedName::new(args.file.as_deref().unwrap_or(Path::new("-")).as_os_str());
    let name = recorded.shown();
    let mut input = recorded.open().map_err(|error| {
        match name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            true => anyhow::anyhow!("{error}; to decode hex digits: --hex {name}"),
            false => error.into(),
        }
    })?;
    let stream = args.stream.or(recorded.conn());
    let cannot_read = || format!("can't read {name}");
    if !args.raw {
        let Sniffed { format, mut input } = Reader::sniff(input).with_context(cannot_read)?;
        return match format {
            Some(format) => {
                let mut reader = Reader::of(format, input).with_context(|| name.clone())?;
                recording(&recorded, stream, &mut reader, decoding)
            }
            None if args.list || stream.is_some() => {
                anyhow::bail!(
                    "{name}: --list and --stream are for recordings and captures of packets"
                )
            }
            None => read_hex(&mut input, &name, &mut |bytes| decoding.feed(bytes)),
        };
    }
    let mut buffer = vec![0; READ];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => decoding.feed(&mut buffer[..n])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).with_context(cannot_read),
        }
    }
}

/// Decodes a recording, and reports the parts that could not be decoded.
fn recording(
    recorded: &RecordedName,
    only: Option<u64>,
    reader: &mut Reader<'_>,
    decoding: &mut Decoding,
) -> anyhow::Result<()> {
    let name = recorded.shown();
    if let Some(stream) = only {
        decoding.only(stream);
        reader.capture().into_iter().for_each(|capture| capture.only(stream));
    }
    let result = decoding.recording(reader).with_context(|| name.clone());
    decoding.flush(true)?;
    if let Some(text) = reader.remark() {
        stderr::note(&format!("{name}: {text}"));
    }
    if let Some(capture) = reader.capture().filter(|_| !decoding.is_listing()) {
        let count = |kind: StreamKind| capture.streams().iter().filter(|s| s.kind == kind).count();
        let (websockets, tls) = (count(StreamKind::WebSocket), count(StreamKind::Tls));
        if tls > 0 {
            stderr::note(&format!(
                "{name}: TLS streams, which can't be decoded without their keys: {tls} (--list \
                 shows them; record with `wscope proxy`, or decrypt them with tshark)"
            ));
        } else if websockets == 0 {
            stderr::note(&format!(
                "{name}: no stream in it requests a WebSocket; --list shows all streams"
            ));
        }
    }
    result?;
    match only {
        Some(conn) if !decoding.has_found(conn, reader) => Err(recorded.without(conn).into()),
        _ => Ok(()),
    }
}

fn read_hex(
    input: &mut dyn BufRead,
    name: &str,
    feed: &mut dyn FnMut(&mut [u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut reader = HexReader::default();
    let mut line = Vec::new();
    let mut bytes = Vec::new();
    loop {
        line.clear();
        let n = (&mut *input)
            .take(LINE)
            .read_until(b'\n', &mut line)
            .with_context(|| format!("can't read {name}"))?;
        let too_long = n as u64 == LINE && !line.ends_with(b"\n");
        let text = String::from_utf8_lossy(&line);
        // The lines before an invalid line are decoded.
        let result = match too_long {
            true => Err(reader.too_long(LINE)),
            false => reader.line(&text, &mut bytes),
        };
        let result = result.with_context(|| name.to_owned());
        if !bytes.is_empty() && (n == 0 || bytes.len() >= READ || result.is_err()) {
            feed(&mut bytes)?;
            bytes.clear();
        }
        result?;
        if n == 0 {
            return Ok(());
        }
    }
}
