//! `wscope demo`: a session over loopback with an echo server inside the process.
//!
//! Nothing is staged but the script: the client is the one of `wscope connect`, the server is an
//! endpoint in the server's role, and between them are real sockets.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Instant;

use anyhow::Context as _;

use crate::cli::{DemoArgs, OutputFormat};
use crate::config::{ClientConfig, Display, OpenConfig};
use crate::engine::exit::Exit;
use crate::engine::opening::open;
use crate::engine::pump::{Pump, Step};
use crate::engine::runtime::Runtime;
use crate::event::{Direction, FrameEvent, Observed};
use crate::net::random;
use crate::output::reporter::Reporter;
use crate::session::{Endpoint, EndpointConfig, Limits, Observer};
use crate::ui::terminal::Terminal;
use crate::wire::decoder::Input;
use crate::wire::deflate::params::ServerDeflateConfig;
use crate::wire::handshake::server::{ServerConfig, respond};
use crate::wire::{Data, OpCode, Role};

/// Text long and regular enough to show what compression does.
const VERSE: &[u8] = b"row, row, row your boat, gently down the stream; merrily, merrily, merrily, merrily, life is but a dream";

/// Shows the session.
///
/// # Errors
///
/// Loopback can't be used, or stdout failed.
pub fn run(args: &DemoArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("can't listen on loopback")?;
    let address = listener.local_addr()?;
    let server = std::thread::spawn(move || serve(&listener));

    let url = format!("ws://{address}/demo");
    let display = Display::resolve(&args.display, terminal);
    let config = ClientConfig::silent(OpenConfig::of_url(&url)?, display);
    let reporter = Reporter::new(OutputFormat::Frames, &config.display);
    let mut runtime = Runtime::new(reporter)?;
    let opened = open(&config.open, &mut runtime, None)?;
    let script = [
        Step::Message(Data::Text, b"Hello", usize::MAX),
        Step::Message(Data::Binary, b"\x00\x01\x02\xfd\xfe\xff", usize::MAX),
        Step::Message(Data::Text, b"one message, three frames", 9),
        Step::Message(Data::Text, VERSE, usize::MAX),
        Step::Ping(b"are you there?"),
        Step::Close(1000, "that was the demo"),
    ];
    let outcome = Pump::new(&config, &mut runtime, opened, None)?.with_script(script).run()?;
    let served = server.join().map_err(|_| anyhow::anyhow!("the echo server panicked"))?;
    served.context("the echo server failed")?;
    Ok(outcome.exit)
}

/// Serves one client: every message goes back as it came.
fn serve(listener: &TcpListener) -> anyhow::Result<()> {
    let (mut stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    let mut inbound = Observer::before_handshake(Direction::ToServer, Limits::default());
    let mut endpoint = None;
    let mut message = (Data::Text, Vec::new());
    let mut buffer = vec![0; 16 * 1024];
    let mut tx = Vec::new();
    loop {
        let n = stream.read(&mut buffer)?;
        let now = Instant::now();
        let mut input = Input::new(&mut buffer[..n]);
        loop {
            let answer = match inbound.next(&mut input) {
                None => break,
                Some(Observed::Head(head)) => {
                    let deflate = Some(ServerDeflateConfig::default());
                    respond(head, &ServerConfig { deflate, ..ServerConfig::default() })
                }
                Some(Observed::Frame(event)) => {
                    if let Some(endpoint) = &mut endpoint {
                        echo(&event, endpoint, &mut message, now, &mut tx);
                    }
                    continue;
                }
                Some(Observed::HeadError(error)) => anyhow::bail!("{error}"),
                Some(Observed::Body(_) | Observed::Whole(_)) => continue,
            };
            let accepted = answer.map_err(|refusal| anyhow::anyhow!(refusal.reason))?;
            tx.extend_from_slice(&accepted.response);
            let deflate = accepted.agreed.deflate;
            inbound.expect_frames(deflate.as_ref());
            let config = EndpointConfig { deflate, ..EndpointConfig::new(Role::Server) };
            endpoint = Some(Endpoint::new(config, random::system(), now));
        }
        if n == 0 || send(&mut stream, &mut tx)? || endpoint.as_ref().is_some_and(Endpoint::is_done)
        {
            return Ok(());
        }
    }
}

/// Acts on one event, and sends a message back once it is complete.
fn echo(
    event: &FrameEvent<'_>,
    endpoint: &mut Endpoint,
    (opcode, content): &mut (Data, Vec<u8>),
    now: Instant,
    tx: &mut Vec<u8>,
) {
    endpoint.receive(event, now, tx);
    match event {
        FrameEvent::Data(bytes) => content.extend_from_slice(bytes),
        FrameEvent::Message(info) => {
            if let OpCode::Data(data) = info.opcode {
                *opcode = data;
            }
            // Once the connection is closing nobody waits for it.
            let _ = endpoint.send_message(*opcode, content, tx);
            content.clear();
        }
        _ => {}
    }
}

/// Sends what waits; true when the client is gone.
fn send(stream: &mut TcpStream, tx: &mut Vec<u8>) -> io::Result<bool> {
    match stream.write_all(tx) {
        Ok(()) => {
            tx.clear();
            Ok(false)
        }
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(true),
        Err(error) => Err(error),
    }
}
