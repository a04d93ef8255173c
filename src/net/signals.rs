//! SIGINT, SIGTERM and SIGHUP as events of the loop.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use mio::{Interest, Registry};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

use super::reactor::SIGNAL;

/// A request from outside to end the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// `kill`.
    Terminate,
    /// The terminal was closed.
    Hangup,
}

/// Turns the limit for file sizes of the shell (`ulimit -f`) into a write error, like a full disk.
/// By default, it ends the program.
pub fn outlive_full_files() {
    // If this fails, nothing changes.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// Listens for signals; each one writes a byte to a pipe. Before that, signals end the program,
/// which is the default: during a name lookup, nothing else could react to them.
#[derive(Default)]
pub struct Signals {
    pipes: Option<[(Signal, mio::net::UnixStream); 3]>,
    ready: bool,
}

impl Signals {
    /// Handles SIGINT, SIGTERM and SIGHUP from now on; does nothing at a second call.
    pub fn listen(&mut self, registry: &Registry) -> io::Result<()> {
        if self.pipes.is_some() {
            return Ok(());
        }
        let open = |signal| -> io::Result<mio::net::UnixStream> {
            let (ours, hook) = UnixStream::pair()?;
            signal_hook::low_level::pipe::register(signal, hook)?;
            ours.set_nonblocking(true)?;
            let mut ours = mio::net::UnixStream::from_std(ours);
            registry.register(&mut ours, SIGNAL, Interest::READABLE)?;
            Ok(ours)
        };
        self.pipes = Some([
            (Signal::Interrupt, open(SIGINT)?),
            (Signal::Terminate, open(SIGTERM)?),
            (Signal::Hangup, open(SIGHUP)?),
        ]);
        Ok(())
    }

    /// Notes that the poll reported a signal.
    pub fn set_ready(&mut self) {
        self.ready = true;
    }

    /// A signal that has arrived since the last call.
    pub fn take(&mut self) -> Option<Signal> {
        if !std::mem::take(&mut self.ready) {
            return None;
        }
        let came = |pipe: &mut mio::net::UnixStream| matches!(pipe.read(&mut [0; 8]), Ok(1..));
        let pipes = self.pipes.iter_mut().flatten();
        let first = pipes.filter_map(|(signal, pipe)| came(pipe).then_some(*signal)).next();
        // Another signal may have arrived at the same time, for which there is no event.
        self.ready = first.is_some();
        first
    }
}
