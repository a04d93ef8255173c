//! Waiting for events instead of sleeping, and never for ever.

use std::any::Any;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Nothing in these tests takes so long, unless it hangs.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Opens a [`Gate`]; opening it twice does no harm.
#[derive(Clone, Debug)]
pub struct Key(Sender<()>);

/// Something waits after it until a [`Key`] is turned.
#[derive(Debug)]
pub struct Gate(Receiver<()>);

/// A gate and its key.
pub fn gate() -> (Key, Gate) {
    let (key, gate) = channel();
    (Key(key), Gate(gate))
}

impl Key {
    pub fn open(&self) {
        // Who waited may have ended with the child.
        let _ = self.0.send(());
    }
}

impl Gate {
    /// Waits for the key to be turned, or lost.
    pub fn wait(&self) {
        if let Err(RecvTimeoutError::Timeout) = self.0.recv_timeout(DEADLINE) {
            panic!("the gate was not opened");
        }
    }
}

/// Waits for a thread and passes its panic on.
pub fn join<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic: Box<dyn Any + Send>| std::panic::resume_unwind(panic))
}

/// Kills a child that does not end by itself.
pub struct Watchdog {
    done: Sender<()>,
    thread: JoinHandle<bool>,
}

impl Watchdog {
    /// Begins to watch a child.
    pub fn watch(pid: Pid) -> Self {
        let (done, wait) = channel();
        let thread = thread::spawn(move || {
            let late = matches!(wait.recv_timeout(DEADLINE), Err(RecvTimeoutError::Timeout));
            if late {
                // It may just have ended.
                let _ = kill_process(pid, Signal::KILL);
            }
            late
        });
        Self { done, thread }
    }

    /// The child has ended; returns whether it had to be killed.
    pub fn dismiss(self) -> bool {
        let _ = self.done.send(());
        join(self.thread)
    }
}
