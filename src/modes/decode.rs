//! `wscope decode`: captured bytes into frames, without a network.

mod decoding;
pub mod hex;
mod log;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use anyhow::Context as _;

use crate::cli::{DecodeArgs, DecodeFormat};
use crate::config::{Display, check_raw};
use crate::engine::exit::Exit;
use crate::modes::decode::decoding::{Decoding, READ};
use crate::modes::decode::hex::HexReader;
use crate::modes::decode::log::Log;
use crate::net::plain_io::plain_io;
use crate::ui::terminal::Terminal;

/// The most bytes of a line of hex, its end included.
const LINE: u64 = 64 << 20;

/// Decodes what the arguments name.
pub fn run(args: &DecodeArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    check_raw(args.output == DecodeFormat::Raw, args.force, terminal)?;
    let display = Display::resolve(&args.display, terminal);
    let mut decoding = Decoding::new(args, &display)?;
    let result = read(args, &mut decoding);
    let result = result.and_then(|()| decoding.finish());
    // What came before an error has been decoded, and is printed.
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

/// Reads the input, a piece at a time.
fn read(args: &DecodeArgs, decoding: &mut Decoding<'_>) -> anyhow::Result<()> {
    if let Some(hex) = &args.hex {
        return read_hex(&mut hex.as_bytes(), "--hex", &mut |bytes| decoding.feed(bytes));
    }
    let (name, input): (String, Box<dyn Read>) = match &args.file {
        Some(path) if path.as_os_str() != "-" => {
            let file = File::open(path).map_err(|error| {
                anyhow::anyhow!("can't open {}: {}", path.display(), plain_io(&error))
            })?;
            (path.display().to_string(), Box::new(file))
        }
        _ => ("stdin".to_owned(), Box::new(io::stdin())),
    };
    let mut input = BufReader::with_capacity(READ, input);
    let cannot_read = || format!("can't read {name}");
    if !args.raw {
        // Hex has no brace; a log begins with one.
        let is_log = input.fill_buf().with_context(cannot_read)?.first() == Some(&b'{');
        return match is_log {
            true => read_log(&mut input, decoding).context(name),
            false => read_hex(&mut input, &name, &mut |bytes| decoding.feed(bytes)),
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

fn read_log(input: &mut dyn BufRead, decoding: &mut Decoding<'_>) -> anyhow::Result<()> {
    let (mut log, mut line) = (Log::default(), Vec::new());
    decoding.begin_log(false);
    loop {
        line.clear();
        let n = (&mut *input).take(LINE).read_until(b'\n', &mut line)?;
        match n {
            0 => return Ok(()),
            _ if n as u64 == LINE && !line.ends_with(b"\n") => {
                anyhow::bail!("a line has more than {} MiB", LINE >> 20);
            }
            _ => log.line(&String::from_utf8_lossy(&line), decoding)?,
        }
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
        // What came before a bad line is decoded all the same.
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
