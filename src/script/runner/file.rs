//! `/file`: a file as one message, in constant memory, to one peer or to several.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::event::ConnId;
use crate::net::link::plain_io;
use crate::script::runner::connections::Connections;
use crate::script::runner::send::Sender;
use crate::ui::filter::ClientSet;
use crate::ui::number;
use crate::ui::progress::Progress;
use crate::ui::sanitize::escaped;
use crate::wire::Data;
use crate::wire::utf8::{Utf8Error, Utf8Validator};

/// A file of more bytes goes out in fragments of so many.
const PIECE: usize = 1024 * 1024;

/// How often it is said how far a file is.
const BAR_EVERY: Duration = Duration::from_secs(1);

/// A file on its way.
pub(crate) struct FileSending {
    /// Who is sent it, as long as it can be sent.
    to: Vec<ConnId>,
    name: String,
    file: File,
    text: bool,
    size: u64,
    sent: u64,
    begun: Instant,
    next_bar: Instant,
    buffer: Vec<u8>,
}

impl FileSending {
    /// Opens a file; one that is to be text is read through first, because a message that has
    /// begun can't be taken back.
    pub(crate) fn begin(
        path: &Path,
        text: bool,
        to: Vec<ConnId>,
        now: Instant,
    ) -> Result<Self, String> {
        let path = crate::config::expand_home(path);
        let name = escaped(path.as_os_str().as_encoded_bytes());
        let plain = |error: io::Error| format!("{name}: {}", plain_io(&error));
        if text {
            check_text(&path, &name)?;
        }
        let file = File::open(&path).map_err(plain)?;
        let size = file.metadata().map_err(plain)?.len();
        let next_bar = now + BAR_EVERY;
        Ok(Self { to, file, text, size, sent: 0, begun: now, next_bar, buffer: Vec::new(), name })
    }

    /// Sends the next piece. Gives a summary once all is handed over. Who can't be sent it any more
    /// is left out.
    ///
    /// # Errors
    ///
    /// The file can't be read, or nobody is left; in words.
    pub(crate) fn go_on(
        &mut self,
        connections: &mut dyn Connections,
        now: Instant,
    ) -> Result<Option<String>, String> {
        let Self { to, name, file, buffer, sent, size, .. } = self;
        buffer.clear();
        // A byte more than fits shows whether this is the last piece.
        let left = (PIECE as u64).min(size.saturating_sub(*sent).max(1));
        let read = file.by_ref().take(left).read_to_end(buffer);
        read.map_err(|error| format!("{name}: byte {sent}: {}", plain_io(&error)))?;
        *sent += buffer.len() as u64;
        let last = buffer.is_empty() || *sent >= *size;
        let opcode = if self.text { Data::Text } else { Data::Binary };
        let mut fault = "the connection ended before all was sent".to_owned();
        to.retain(|id| {
            let Some(Sender { endpoint, link }) = connections.sender(*id) else { return false };
            let result = endpoint.send_fragment(opcode, buffer, last, &mut link.tx);
            result.map_err(|error| fault = error.to_string()).is_ok()
        });
        if to.is_empty() {
            return Err(format!("{name}: byte {sent}: {fault}"));
        }
        Ok(last.then(|| {
            let time = now.saturating_duration_since(self.begun);
            let bytes = number::grouped(*sent);
            format!("{name}: {bytes} bytes sent in {:.3} s", time.as_secs_f64())
        }))
    }

    /// Who is sent it.
    pub(crate) fn target(&self) -> ClientSet {
        ClientSet::Only(self.to.clone())
    }

    /// How much has been handed over, in percent.
    pub(crate) fn percent(&self) -> u8 {
        let percent = (self.sent * 100).checked_div(self.size).unwrap_or(100);
        u8::try_from(percent).unwrap_or(100)
    }

    /// A line that says how far it is, once a second.
    pub(crate) fn bar(&mut self, columns: usize, now: Instant) -> Option<String> {
        if now < self.next_bar {
            return None;
        }
        self.next_bar = now + BAR_EVERY;
        let elapsed = now.saturating_duration_since(self.begun);
        let progress = Progress { done: self.sent, total: self.size, elapsed };
        Some(format!(
            "{} {}\n",
            self.name,
            progress.render(columns.saturating_sub(self.name.len() + 1))
        ))
    }
}

fn check_text(path: &Path, name: &str) -> Result<(), String> {
    let plain = |error: io::Error| format!("{name}: {}", plain_io(&error));
    let mut file = File::open(path).map_err(plain)?;
    let mut utf8 = Utf8Validator::default();
    let mut buffer = vec![0; PIECE];
    let not_text = |error: Utf8Error| format!("{name}: {error}; send it with /file {name} binary");
    loop {
        let n = file.read(&mut buffer).map_err(plain)?;
        if n == 0 {
            return utf8.finish().map_err(not_text);
        }
        utf8.push(&buffer[..n]).map_err(not_text)?;
    }
}
