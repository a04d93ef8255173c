//! Looks at what is sent: the bytes themselves are decoded, as those received are.

use std::io;

use crate::event::{ConnId, Direction, Event, Observed, Totals};
use crate::net::stdio::Stdout;
use crate::output::reporter::Reporter;
use crate::session::counters::Counters;
use crate::session::{Limits, Observer};
use crate::wire::decoder::Input;
use crate::wire::deflate::params::DeflateParams;

/// Decodes what is sent, because somebody looks.
pub struct OutboundObserver {
    conn: ConnId,
    direction: Direction,
    observer: Observer,
    counters: Counters,
    /// How far the bytes to send have been looked at.
    seen: usize,
    scratch: Vec<u8>,
}

impl OutboundObserver {
    /// Begins with the first frame.
    pub fn new(deflate: Option<&DeflateParams>, limits: Limits) -> Self {
        Self::of(ConnId(1), Direction::ToServer, deflate, limits)
    }

    /// The same for one of many connections, and a direction.
    pub fn of(
        conn: ConnId,
        direction: Direction,
        deflate: Option<&DeflateParams>,
        limits: Limits,
    ) -> Self {
        Self {
            conn,
            direction,
            observer: Observer::of_frames(direction, deflate, limits),
            counters: Counters::default(),
            seen: 0,
            scratch: Vec::new(),
        }
    }

    /// What has been seen in all.
    pub fn totals(&self) -> Totals {
        self.counters.totals()
    }

    /// Notes that the buffer has been sent but for `len` bytes, all of which were looked at.
    pub fn sent(&mut self, len: usize) {
        self.seen = len;
    }

    /// Tells what has been added to the bytes to send since the last look.
    ///
    /// # Errors
    ///
    /// stderr failed.
    pub fn look(
        &mut self,
        tx: &[u8],
        reporter: &mut Reporter,
        stdout: &mut Stdout,
    ) -> io::Result<()> {
        if tx.len() == self.seen {
            return Ok(());
        }
        let Self { conn, direction, observer, counters, seen, scratch } = self;
        scratch.clear();
        scratch.extend_from_slice(&tx[*seen..]);
        *seen = tx.len();
        let stamp = reporter.stamp_of(*conn);
        let mut input = Input::new(scratch);
        while let Some(observed) = observer.next(&mut input) {
            let Observed::Frame(event) = observed else { continue };
            counters.count(&event);
            reporter.event(&stamp, &Event::Frame(*direction, event), stdout)?;
        }
        Ok(())
    }
}
