//! `wscope demo`: a session over loopback with an echo server inside the process.
//!
//! Only the steps are scripted: the client is that of `wscope connect`, the server is made of the
//! parts of `wscope listen`, and they use real sockets.

use std::io;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::behaviour::echo::Echo;
use crate::behaviour::steps::Step;
use crate::cli::{DemoArgs, OutputFormat};
use crate::client::session::ClientSession;
use crate::config::{ClientConfig, Display, OpenConfig};
use crate::engine::connection::{Connection, ConnectionSetup};
use crate::engine::exit::Exit;
use crate::engine::memory::Budget;
use crate::engine::opening::server::{HandshakeAnswer, OpeningProgress, ServerOpening};
use crate::engine::opening::{ClientOpening, open};
use crate::engine::runtime::{LISTENERS, NextRound, Ready, Runtime, Task, run as run_task};
use crate::engine::slots::{Slot, SlotPart, token};
use crate::event::ConnId;
use crate::net::link::SocketLink;
use crate::net::listener::{ListenAddress, Listeners};
use crate::output::reporter::Reporter;
use crate::session::{EndpointConfig, Limits};
use crate::ui::terminal::Terminal;
use crate::wire::deflate::params::ServerDeflateConfig;
use crate::wire::handshake::server::{ServerConfig, respond};
use crate::wire::head::Head;
use crate::wire::{Data, Role};

/// A text that is long and regular enough to show compression.
const VERSE: &[u8] = b"row, row, row your boat, gently down the stream; merrily, merrily, merrily, merrily, life is but a dream";

/// The slot of each side's only socket.
const SLOT: Slot = 0;

/// How long the server waits for the client's request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The limit for queued data of the server.
const MEMORY: usize = 1024 * 1024;

/// Shows the session.
///
/// # Errors
///
/// Loopback can't be used, or stdout failed.
pub fn run(args: &DemoArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let display = Display::resolve(&args.display, terminal);
    let quiet = Reporter::of(
        Role::Server,
        OutputFormat::None,
        &Display { quiet: true, verbose: 0, ..display },
    );
    let runtime = Runtime::new(quiet)?;
    let address = ListenAddress::Loopback(0);
    let listeners = Listeners::bind(&address, runtime.registry(), LISTENERS)
        .context("can't listen on loopback")?;
    let address = listeners.addresses().first().copied().context("no address on loopback")?;
    let server = std::thread::spawn(move || serve(listeners, runtime));

    let url = format!("ws://{address}/demo");
    let config = ClientConfig::silent(OpenConfig::of_url(&url)?, display);
    let reporter = Reporter::new(OutputFormat::Frames, &config.traffic.display);
    let mut runtime = Runtime::new(reporter)?;
    let now = Instant::now();
    let opened =
        open(&mut ClientOpening::new(&config.open, SLOT, None, &runtime, now), &mut runtime)?;
    let steps = [
        Step::Message(Data::Text, b"Hello", usize::MAX),
        Step::Message(Data::Binary, b"\x00\x01\x02\xfd\xfe\xff", usize::MAX),
        Step::Message(Data::Text, b"one message, three frames", 9),
        Step::Message(Data::Text, VERSE, usize::MAX),
        Step::Ping(b"are you there?"),
        Step::Close(1000, "that was the demo"),
    ];
    let mut session = ClientSession::new(&config, *opened, None, &mut runtime)?.with_steps(steps);
    run_task(&mut session, &mut runtime)?;
    let served = server.join().map_err(|_| anyhow::anyhow!("the echo server panicked"))?;
    served.context("the echo server failed")?;
    Ok(session.exit())
}

/// Serves one client in a separate loop, and echoes every message.
fn serve(listeners: Listeners, mut runtime: Runtime) -> io::Result<()> {
    run_task(&mut EchoServer { listeners, stage: DemoStage::Listening }, &mut runtime)
}

/// A server for one client.
struct EchoServer {
    listeners: Listeners,
    stage: DemoStage,
}

/// The state of the server.
enum DemoStage {
    Listening,
    Opening(Box<ServerOpening>),
    Open(Box<Connection>),
    Done,
}

impl EchoServer {
    fn answer(head: &Head) -> HandshakeAnswer {
        let deflate = Some(ServerDeflateConfig::default());
        match respond(head, &ServerConfig { deflate, ..ServerConfig::default() }) {
            Ok(accepted) => HandshakeAnswer::Accept(accepted, Vec::new()),
            Err(refusal) => HandshakeAnswer::Refuse(refusal),
        }
    }

    fn accept(&mut self, runtime: &Runtime, now: Instant) -> io::Result<DemoStage> {
        let Some((stream, address)) = self.listeners.accept()? else {
            return Ok(DemoStage::Listening);
        };
        let socket = token(SLOT, SlotPart::Socket);
        let link = SocketLink::without_buffer(stream, None, runtime.registry(), socket)?;
        let limits = Limits::default();
        let opening = ServerOpening::new(ConnId(1), address, link, limits, REQUEST_TIMEOUT, now);
        Ok(DemoStage::Opening(Box::new(opening)))
    }

    fn advance(
        mut opening: Box<ServerOpening>,
        runtime: &mut Runtime,
        now: Instant,
    ) -> io::Result<DemoStage> {
        let (mut outputs, buffers) = runtime.outputs_and_buffers();
        match opening.advance(&mut Self::answer, buffers, &mut outputs, now)? {
            OpeningProgress::Pending | OpeningProgress::Asked(_) | OpeningProgress::Socks => {
                Ok(DemoStage::Opening(opening))
            }
            OpeningProgress::Refused { .. } => Ok(DemoStage::Done),
            OpeningProgress::Accepted(request) => {
                let (link, inbound) = opening.into_parts();
                let memory = Budget::new(MEMORY);
                let endpoint = EndpointConfig::new(Role::Server).into();
                let setup =
                    ConnectionSetup::new(ConnId(1), &request.agreed, Some(&endpoint), &memory);
                let mut connection = Box::new(Connection::new(link, inbound, &setup, now));
                connection.add(Echo::default());
                Ok(DemoStage::Open(connection))
            }
        }
    }
}

impl Task for EchoServer {
    fn round(&mut self, runtime: &mut Runtime, now: Instant) -> io::Result<()> {
        self.stage = match std::mem::replace(&mut self.stage, DemoStage::Done) {
            DemoStage::Listening => self.accept(runtime, now)?,
            DemoStage::Opening(opening) => Self::advance(opening, runtime, now)?,
            DemoStage::Open(mut connection) => {
                runtime.give_turn(&mut connection, now)?;
                match connection.is_over() {
                    true => DemoStage::Done,
                    false => DemoStage::Open(connection),
                }
            }
            DemoStage::Done => DemoStage::Done,
        };
        Ok(())
    }

    fn next(&mut self, runtime: &Runtime, _: Instant) -> NextRound {
        let (busy, deadline) = match &self.stage {
            DemoStage::Listening => (false, None),
            DemoStage::Opening(opening) => (opening.wants_turn(), Some(opening.deadline())),
            DemoStage::Open(connection) => {
                (connection.wants_turn(&runtime.stdout, &runtime.reporter), connection.deadline())
            }
            DemoStage::Done => return NextRound::Done,
        };
        if busy { NextRound::Now } else { NextRound::Wait(deadline) }
    }

    fn ready(&mut self, ready: Ready<'_>) {
        match (ready, &mut self.stage) {
            (Ready::Socket(_, event), DemoStage::Opening(opening)) => opening.link.ready(event),
            (Ready::Socket(_, event), DemoStage::Open(connection)) => connection.ready(event),
            _ => {}
        }
    }
}
