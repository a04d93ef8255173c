//! Asking for a passphrase on the terminal, where neither stdin nor stdout need be it.
//!
//! What is typed is not shown. Must not know what the passphrase is for beyond a file's name.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;

use rustix::termios::{self, LocalModes, OptionalActions, Termios};

use crate::net::tls::options::{Passphrase, Secret};
use crate::net::tls::{TlsClient, TlsError, TlsOptions};

/// Sets TLS up, and asks for the passphrase of an encrypted key if nobody has said it. It is kept
/// in `options`, so that nobody is asked twice.
///
/// # Errors
///
/// Those of [`TlsClient::new`]; [`TlsError::PassphraseNeeded`] when there is no terminal.
pub fn tls_client(options: &mut TlsOptions) -> Result<TlsClient, TlsError> {
    match TlsClient::new(options) {
        Err(TlsError::PassphraseNeeded { path }) => {
            let Ok(text) = ask(&path) else { return Err(TlsError::PassphraseNeeded { path }) };
            if let Some(identity) = &mut options.identity {
                identity.passphrase = Passphrase::Given(Secret(text));
            }
            TlsClient::new(options)
        }
        other => other,
    }
}

/// Reads a line from the terminal without showing it.
fn ask(path: &Path) -> io::Result<String> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let quiet = Quiet::begin(terminal.try_clone()?)?;
    // A file's name is the user's own, but may hold anything.
    let name = path.display().to_string();
    write!(terminal, "passphrase for {}: ", name.escape_debug())?;
    let mut line = String::new();
    let read = BufReader::new(&terminal).read_line(&mut line);
    drop(quiet);
    writeln!(terminal)?;
    if read? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that shows nothing of what is typed, until it is dropped.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn begin(terminal: File) -> io::Result<Self> {
        let before = termios::tcgetattr(&terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        termios::tcsetattr(&terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = termios::tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}
