//! SIGINT, SIGTERM and SIGHUP as events of the loop.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use mio::{Interest, Registry};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

use super::reactor::SIGNAL;

/// A request to end, from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// `kill`.
    Terminate,
    /// The terminal is gone.
    Hangup,
}

/// Makes a file that reaches the limit of the shell (`ulimit -f`) an error of writing, as a full disk is
/// one, instead of the end of the program.
pub fn outlive_full_files() {
    // Without it all is as before.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// Listens for signals; a byte in a pipe for each. Before that they end the program, as they do by
/// default: nothing would answer them while a name is resolved or an address tried.
#[derive(Default)]
pub struct Signals {
    pipes: Option<[(Signal, mio::net::UnixStream); 3]>,
    ready: bool,
}

impl Signals {
    /// Takes over SIGINT, SIGTERM and SIGHUP, unless that was done before.
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

    /// A signal that arrived since the last call.
    pub fn take(&mut self) -> Option<Signal> {
        if !std::mem::take(&mut self.ready) {
            return None;
        }
        let came = |pipe: &mut mio::net::UnixStream| matches!(pipe.read(&mut [0; 8]), Ok(1..));
        let pipes = self.pipes.iter_mut().flatten();
        let first = pipes.filter_map(|(signal, pipe)| came(pipe).then_some(*signal)).next();
        // Another one may have come with it, for which there is no event.
        self.ready = first.is_some();
        first
    }
}
