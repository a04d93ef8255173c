//! SIGINT and SIGTERM as events of the loop.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;

use mio::{Interest, Registry};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::reactor::SIGNAL;

/// A request to end, from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// `kill`.
    Terminate,
}

/// Listens for signals; a byte in a pipe for each.
pub struct Signals {
    interrupt: mio::net::UnixStream,
    terminate: mio::net::UnixStream,
    ready: bool,
}

impl Signals {
    /// Takes over SIGINT and SIGTERM.
    ///
    /// # Errors
    ///
    /// The system has no descriptors left.
    pub fn listen(registry: &Registry) -> io::Result<Self> {
        let open = |signal| -> io::Result<mio::net::UnixStream> {
            let (ours, hook) = UnixStream::pair()?;
            signal_hook::low_level::pipe::register(signal, hook)?;
            ours.set_nonblocking(true)?;
            let mut ours = mio::net::UnixStream::from_std(ours);
            registry.register(&mut ours, SIGNAL, Interest::READABLE)?;
            Ok(ours)
        };
        Ok(Self { interrupt: open(SIGINT)?, terminate: open(SIGTERM)?, ready: false })
    }

    /// Notes that the poll says that a signal came.
    pub fn set_ready(&mut self) {
        self.ready = true;
    }

    /// A signal that came since the last call.
    pub fn take(&mut self) -> Option<Signal> {
        if !std::mem::take(&mut self.ready) {
            return None;
        }
        let came = |pipe: &mut mio::net::UnixStream| matches!(pipe.read(&mut [0; 8]), Ok(1..));
        if came(&mut self.interrupt) {
            return Some(Signal::Interrupt);
        }
        came(&mut self.terminate).then_some(Signal::Terminate)
    }
}
