//! The transcript: events as lines for people.
//!
//! `>` was sent, `<` was received, `*` informs, `!` tells of a broken rule. Heads are shown line by
//! line as they crossed the wire, frames as one line each, or with every byte. Appends to a
//! buffer, and holds back just the frame that is still coming in: its line is told at its end.

use super::clock::{LocalClock, Zone};
use super::connections::PerConnection;
use super::ending;
use super::style::{Ink, Palette};
use crate::event::{ConnId, Direction, Event, FrameEvent, Stamp};
use crate::wire::{Control, OpCode};
use body::Body;
use lane::Lane;
use page::Page;

mod body;
mod dump;
mod facts;
mod lane;
mod line;
mod page;
mod preview;

/// How much is shown of each frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// One line with a preview of the payload.
    #[default]
    Frames,
    /// Every byte of header and payload; warnings about the handshake too.
    Hex,
}

/// How a transcript looks.
#[derive(Clone, Copy, Debug)]
pub struct HumanOptions {
    /// The direction marked `>`; the other one is marked `<`.
    pub sent: Direction,
    /// Columns a frame's line may take, 40 to 1000; other values are taken as the nearest of
    /// these.
    pub width: usize,
    /// Colours or none.
    pub palette: Palette,
    /// How much is shown of each frame.
    pub verbosity: Verbosity,
    /// Which time is shown.
    pub zone: Zone,
    /// Whether lines carry the number of their connection, as in `< [2] …`.
    pub show_connection: bool,
}

impl HumanOptions {
    /// 80 columns, no colours, one line per frame, local time, one connection.
    pub fn new(sent: Direction) -> Self {
        Self {
            sent,
            width: 80,
            palette: Palette::default(),
            verbosity: Verbosity::default(),
            zone: Zone::default(),
            show_connection: false,
        }
    }
}

/// Prints events for people. See the [module](self).
#[derive(Debug)]
pub struct HumanPrinter {
    page: Page,
    connections: PerConnection<Connection>,
}

/// What is remembered of one connection.
#[derive(Debug, Default)]
struct Connection {
    to_server: Lane,
    to_client: Lane,
    body: Body,
}

impl Connection {
    #[inline]
    fn lane(&mut self, direction: Direction) -> &mut Lane {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    /// Tells what is known of frames that will not be completed.
    fn finish(&mut self, conn: ConnId, page: &mut Page, out: &mut Vec<u8>) {
        for direction in [page.sent, page.sent.opposite()] {
            self.lane(direction).finish(conn, page, out);
        }
        self.body.finish(conn, page, out);
    }
}

impl HumanPrinter {
    /// A printer that has told nothing yet.
    pub fn new(options: HumanOptions) -> Self {
        let HumanOptions { sent, width, palette, verbosity, zone, show_connection } = options;
        let page = Page {
            sent,
            width: width.clamp(40, 1000),
            palette,
            hex: verbosity == Verbosity::Hex,
            clock: LocalClock::new(zone),
            show_connection,
            number_width: 1,
            dumping: None,
        };
        Self { page, connections: PerConnection::default() }
    }

    /// Takes one event and appends the lines it completes, each with its `\n`.
    ///
    /// Events of one direction must come in order; directions and connections may interleave.
    pub fn print(&mut self, at: &Stamp, event: &Event<'_>, out: &mut Vec<u8>) {
        let Self { page, connections } = self;
        let connection = connections.of(at.conn);
        match event {
            Event::Frame(direction, event) => {
                frame(connection, at, *direction, event, page, out);
            }
            Event::RoundTrip(time) => {
                let lanes = [&mut connection.to_client, &mut connection.to_server];
                if !lanes.into_iter().any(|lane| lane.take_round_trip(*time)) {
                    facts::round_trip(at.conn, *time, page, out);
                }
            }
            Event::Body(bytes) => connection.body.push(bytes, at.conn, page, out),
            Event::Note(text) => {
                // A note may explain what has just been found; the finding comes first.
                for lane in [&mut connection.to_server, &mut connection.to_client] {
                    lane.flush_if_blamed(page, out);
                }
                page.info(at.conn, text, out);
            }
            Event::End(end) => {
                connection.finish(at.conn, page, out);
                page.info(at.conn, &ending::describe(end), out);
                page.info(at.conn, &ending::totals(end), out);
                connections.forget(at.conn);
            }
            Event::Failed(why) => {
                connection.finish(at.conn, page, out);
                page.info(at.conn, why, out);
                connections.forget(at.conn);
            }
            other => facts::print(at.conn, other, page, out),
        }
    }

    /// Tells what is known of frames that are not complete, when no more events will come.
    pub fn flush_partial(&mut self, out: &mut Vec<u8>) {
        for conn in self.connections.ids() {
            self.connections.of(conn).finish(conn, &mut self.page, out);
        }
    }
}

fn frame(
    connection: &mut Connection,
    at: &Stamp,
    direction: Direction,
    event: &FrameEvent<'_>,
    page: &mut Page,
    out: &mut Vec<u8>,
) {
    if let FrameEvent::Start { header, .. } = event
        && header.opcode == OpCode::Control(Control::Close)
    {
        // The Close may be the answer to what was found in the other direction.
        connection.lane(direction.opposite()).flush_if_blamed(page, out);
    }
    connection.lane(direction).take(at, direction, event, page, out);
}

/// Whose frame a dump was last written for.
type Dumping = (ConnId, Direction, u64);

/// The ink of a direction.
#[inline]
fn ink(direction: Direction, sent: Direction) -> Ink {
    if direction == sent { Ink::Sent } else { Ink::Received }
}
