//! Writes messages to stdout in the payload formats of `--output`, as they arrive.

use std::io;

use crate::cli::OutputFormat;
use crate::event::FrameEvent;
use crate::net::stdio::Stdout;
use crate::session::Observer;
use crate::session::observer::Run;
use crate::ui::sanitize::escape_into;
use crate::wire::decoder::Input;

/// Writes the content of received messages.
#[derive(Clone, Copy, Debug)]
pub struct PayloadSink {
    format: PayloadFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PayloadFormat {
    /// Bytes, with this separator after each message.
    Payload(Option<u8>),
    /// Escaped text, with this separator after each message: for a terminal, which must not get
    /// hostile bytes unescaped. Pipes and files get the exact bytes.
    Escaped(u8),
    /// Hex digits, then a newline.
    Hex,
    /// Another sink writes stdout.
    Nothing,
}

impl PayloadSink {
    /// A sink for a format. It writes nothing if another sink has the format.
    pub fn new(format: OutputFormat, to_terminal: bool) -> Self {
        let format = match format {
            OutputFormat::Lines | OutputFormat::Null if to_terminal => {
                PayloadFormat::Escaped(b'\n')
            }
            OutputFormat::Lines => PayloadFormat::Payload(Some(b'\n')),
            OutputFormat::Null => PayloadFormat::Payload(Some(0)),
            OutputFormat::Raw => PayloadFormat::Payload(None),
            OutputFormat::Hex => PayloadFormat::Hex,
            OutputFormat::Json | OutputFormat::Frames | OutputFormat::None => {
                PayloadFormat::Nothing
            }
        };
        Self { format }
    }

    /// Takes a run of small messages, as many as the buffer of stdout should hold.
    #[inline]
    pub fn take_run(
        &self,
        inbound: &mut Observer,
        input: &mut Input<'_>,
        stdout: &mut Stdout,
    ) -> Run {
        let PayloadFormat::Payload(separator) = self.format else { return Run::default() };
        let room = stdout.room();
        let buffer = stdout.buffer();
        // Even with separators, the contents are not longer than their frames.
        buffer.reserve(input.rest().len().min(room) + 256);
        inbound.take_run(input, room, |content| {
            buffer.extend_from_slice(content);
            buffer.extend(separator);
        })
    }

    /// Whether it writes anything.
    pub fn delivers(&self) -> bool {
        self.format != PayloadFormat::Nothing
    }

    /// Takes the content of a whole message.
    #[inline]
    pub fn take_message(&self, content: &[u8], stdout: &mut Stdout) -> io::Result<()> {
        if self.format == PayloadFormat::Nothing {
            return Ok(());
        }
        self.take_content(content, stdout)?;
        self.end_message(stdout);
        Ok(())
    }

    /// Takes one event of the peer's direction.
    #[inline]
    pub fn take(&self, event: &FrameEvent<'_>, stdout: &mut Stdout) -> io::Result<()> {
        match event {
            FrameEvent::Data(bytes) => self.take_content(bytes, stdout),
            FrameEvent::Message(_) => {
                self.end_message(stdout);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    #[inline]
    fn take_content(&self, bytes: &[u8], stdout: &mut Stdout) -> io::Result<()> {
        match self.format {
            PayloadFormat::Payload(_) => return stdout.push(bytes),
            PayloadFormat::Escaped(_) => escape_into(bytes, stdout.buffer()),
            PayloadFormat::Hex => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let digits = |byte: &u8| [byte >> 4, byte & 15].map(|n| DIGITS[usize::from(n)]);
                stdout.buffer().extend(bytes.iter().flat_map(digits));
            }
            PayloadFormat::Nothing => {}
        }
        Ok(())
    }

    #[inline]
    /// Ends a message: writes the separator.
    pub fn end_message(&self, stdout: &mut Stdout) {
        match self.format {
            PayloadFormat::Payload(separator) => stdout.buffer().extend(separator),
            PayloadFormat::Escaped(separator) => stdout.buffer().push(separator),
            PayloadFormat::Hex => stdout.buffer().push(b'\n'),
            PayloadFormat::Nothing => {}
        }
    }
}
