//! A connection with pings, from its opening to its end, and the output of its results.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::behaviour::ping::{PingLog, Pinger};
use crate::client::probe::SLOT;
use crate::client::refused;
use crate::client::session::ClientSession;
use crate::config::{PingConfig, PingPlan};
use crate::engine::exit::Exit;
use crate::engine::opening::{ClientOpening, Opening as _, open};
use crate::engine::runtime::{Runtime, run as run_task};
use crate::event::{ConnId, Ending, Stamp};
use crate::net::clock::wall_micros;
use crate::ui::terminal::Terminal;

/// How long the closing handshake may take after `--max-time`.
const CLOSING: Duration = Duration::from_millis(200);

/// The results of a connection with pings.
pub(super) struct Pinged {
    /// The status of this connection.
    pub(super) exit: Exit,
    /// How it ended.
    pub(super) ending: Option<Ending>,
}

/// Opens a connection, sends the planned pings, and closes it. If nothing opened, returns the
/// status as an error.
pub(super) fn connection(
    config: &PingConfig,
    plan: PingPlan,
    log: &Rc<RefCell<PingLog>>,
    until: Option<Instant>,
    runtime: &mut Runtime,
) -> anyhow::Result<Result<Pinged, Exit>> {
    let mut opening = ClientOpening::new(&config.client.open, SLOT, until, runtime, Instant::now());
    let opened = match open(&mut opening, runtime) {
        Ok(opened) => *opened,
        Err(error) => return Ok(Err(refused(error, opening.evidence(), runtime)?)),
    };
    let now = Instant::now();
    // A search needs time for each of its connections.
    let mut session = match config.idle_limit {
        Some(_) => ClientSession::new(&config.client, opened, None, runtime)?
            .quietly()
            .with(Pinger::new(plan, log, None, now)),
        None => {
            let session = ClientSession::new(&config.client, opened, until, runtime)?;
            let closes_at =
                until.map(|at| at - CLOSING.min(at.saturating_duration_since(now) / 10));
            session.with(Pinger::new(plan, log, closes_at, now))
        }
    };
    run_task(&mut session, runtime)?;
    Ok(Ok(Pinged { exit: session.exit(), ending: session.ending.take() }))
}

/// The current time, for a connection.
pub(super) fn stamp(conn: u64) -> Stamp {
    Stamp { micros: wall_micros(), conn: ConnId(conn) }
}

/// Writes lines to stdout.
pub(super) fn print(lines: &[String], runtime: &mut Runtime) -> io::Result<()> {
    let mut text = lines.iter().map(|line| format!("{line}\n")).collect::<String>().into_bytes();
    Terminal::look().fold(&mut text);
    runtime.stdout.buffer().extend_from_slice(&text);
    runtime.stdout.flush()
}
