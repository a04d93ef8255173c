//! Many clients in one loop: what one of them does or leaves undone costs the others nothing.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tungstenite::Message;
use wscope::event::Direction;

use crate::frames::{self, BINARY, CLOSE, PING, PONG, TEXT};
use crate::harness::{Server, listen, receive};
use crate::raw::{Raw, UPGRADE};
use crate::waiting::DEADLINE;

/// More than the buffers of a socket and a connection hold.
const MUCH: usize = 24 << 20;

/// The time a process has had on a CPU.
fn cpu(server: &Server) -> Duration {
    let path = format!("/proc/{}/stat", server.pid());
    let stat = std::fs::read_to_string(path).expect("the process");
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|field| field.parse::<u64>().expect("a number")).sum();
    // Linux reports it in hundredths of a second.
    Duration::from_millis(ticks * 10)
}

/// Waits for so many pings, a tenth of a second apart; nobody else has anything to do meanwhile.
#[track_caller]
fn idles_for(pings: u32, server: &Server, timer: &mut Raw) {
    let is_ping = |raw: &mut Raw| assert_eq!(raw.receive_frame().0, PING);
    is_ping(timer);
    let before = cpu(server);
    (0..pings).for_each(|_| is_ping(timer));
    let used = cpu(server) - before;
    let most = Duration::from_millis(100) * pings / 3;
    assert!(used < most, "{used:?} of CPU in {pings} tenths of a second");
}

/// A message of the client's.
fn message(size: usize) -> Vec<u8> {
    let frame = frames::frame(BINARY, vec![b'x'; size]);
    frames::bytes([frames::towards(Direction::ToServer, frame)])
}

fn pinged(raw: &mut Raw, payload: &str) {
    raw.frame(frames::frame(PING, payload));
    assert_eq!(raw.receive_frame(), (PONG, payload.as_bytes().to_vec()));
}

/// Reads what comes until no more does for now.
fn sip(raw: &Raw, most: usize) -> usize {
    let count = raw.tcp().read(&mut vec![0; most]).expect("it sends");
    assert!(count > 0, "it ended");
    count
}

#[test]
fn a_client_that_reads_slowly_costs_no_cpu() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(&[&[b'x'; 999][..], b"\n"].concat().repeat(MUCH / 1000)).expect("a disk");
    let path = file.path().to_str().expect("UTF-8");
    // Long lines fill the socket's buffers soon, and only then there is nothing to do.
    for args in [["--send", path], ["--exec", "yes $(printf %01000d 0)"]] {
        let server = listen(args.into_iter().chain(["--handshake-timeout", "0.8"]));
        let slow = server.open();
        sip(&slow, 1000);
        // It is ended once its time is over; until then nobody has anything to do.
        let mut timer = server.raw();
        timer.send("GET / HTTP/1.1\r\n");
        while server.raw().ask("/", "").status() != 426 {}
        let before = cpu(&server);
        timer.end();
        let used = cpu(&server) - before;
        assert!(used < Duration::from_millis(300), "{used:?} of CPU");
        server.interrupt();
    }
}

#[test]
fn a_client_that_takes_a_broadcast_slowly_costs_no_cpu() {
    let server = listen(["--broadcast", "--ping-interval", "0.1", "--pong-timeout", "60"]);
    let slow = server.open();
    let mut sender = server.open();
    server.stderr.wait_for("[2] joined");
    sender.send(message(MUCH));
    let mut left = MUCH;
    // Somewhere on the way the send buffer is half empty, and the socket full.
    while left > MUCH / 2 {
        left -= sip(&slow, 1 << 16);
    }
    idles_for(6, &server, &mut sender);
    server.interrupt();
}

#[test]
fn a_process_that_writes_while_its_client_closes_costs_no_cpu() {
    let server = listen([
        "--exec",
        "read -r line; while :; do echo x; sleep 0.01; done",
        "--ping-interval",
        "0.1",
        "--pong-timeout",
        "60",
        "--close-timeout",
        "60",
        "--input",
        "commands",
        "--linger",
        "-1",
    ]);
    let mut server = server;
    let mut timer = server.open();
    server.stderr.wait_for("[1] joined");
    let mut closing = server.open();
    server.stderr.wait_for("[2] joined");
    server.write("@2 /close 1000\n");
    closing.receive_close(1000);
    // Its process begins to write, and it does not answer the Close.
    closing.frame(frames::frame(TEXT, "go"));
    idles_for(8, &server, &mut timer);
    server.interrupt();
}

#[test]
fn the_end_of_a_process_waits_for_the_close_without_cpu() {
    let server =
        listen(["--exec", "read -r line", "--ping-interval", "0.1", "--close-timeout", "60"]);
    let mut timer = server.open();
    let mut ended = server.open();
    ended.frame(frames::frame(TEXT, "go"));
    while ended.receive_frame().0 != frames::CLOSE {}
    idles_for(6, &server, &mut timer);
    server.interrupt();
}

#[test]
fn a_reset_is_noticed_while_a_process_does_not_read() {
    let server = listen(["--exec", "sleep 1000"]);
    let stuck = server.open();
    stuck.tcp().set_nonblocking(true).expect("a flag");
    let bytes = message(1 << 16);
    let begun = Instant::now();
    // More waits than the server reads: its socket is full as well.
    let mut refused = None::<Instant>;
    while refused.is_none_or(|at| at.elapsed() < Duration::from_millis(200)) {
        assert!(begun.elapsed() < DEADLINE, "it was never told to wait");
        match stuck.tcp().write(&bytes) {
            Ok(1..) => refused = None,
            Ok(0) | Err(_) => {
                refused.get_or_insert_with(Instant::now);
            }
        }
    }
    rustix::net::sockopt::set_socket_linger(stuck.tcp(), Some(Duration::ZERO)).expect("TCP");
    drop(stuck);
    server.stderr.wait_for("[1] left: connection lost without a Close frame");
    server.interrupt();
}

#[test]
fn a_bomb_is_made_without_holding_up_the_loop() {
    // A gibibyte of zeroes.
    let server = listen(["--echo", "--fault", "deflate-bomb:1073741824"]);
    let deflate = format!("{UPGRADE}Sec-WebSocket-Extensions: permessage-deflate\r\n");
    let begun = Instant::now();
    let clients: Vec<_> = (0..16)
        .map(|_| {
            let mut client = server.raw();
            assert_eq!(client.ask("/", &deflate).status(), 101);
            client
        })
        .collect();
    assert_eq!(server.raw().ask("/", "").status(), 426);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    drop(clients);
    server.interrupt();
}

#[test]
fn two_that_write_before_they_read_are_read_on() {
    const COUNT: usize = 12;
    let server = listen(["--broadcast", "--input", "none", "--output", "none"]);
    let clients = [server.open(), server.open()];
    server.stderr.wait_for("[2] joined");
    let all: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            std::thread::spawn(move || {
                // More than sockets hold: the other one does not read yet.
                (0..COUNT).for_each(|_| client.send(message(1 << 20)));
                // All of it, with the headers: a socket closed with bytes unread is reset, and with
                // it goes what it has not sent yet.
                let mut left = COUNT * ((1 << 20) + 10);
                while left > 0 {
                    left = left.saturating_sub(sip(&client, 1 << 20));
                }
            })
        })
        .collect();
    all.into_iter().for_each(crate::waiting::join);
    server.interrupt();
}

#[test]
fn pongs_are_read_while_a_big_message_drains() {
    let server = listen(["--broadcast", "--ping-interval", "0.1", "--pong-timeout", "1.5"]);
    let mut slow = server.open();
    let mut sender = server.open();
    server.stderr.wait_for("[2] joined");
    sender.send(message(MUCH));
    // It reads little, and what looks like its pongs goes on for longer than the timeout.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(2500) {
        sip(&slow, 4096);
        for raw in [&mut slow, &mut sender] {
            raw.frame(frames::frame(PONG, "wscope 1"));
        }
        idle_a_moment(&mut sender);
    }
    let said = server.interrupt().stderr;
    assert!(!said.contains("pong timeout"), "{said}");
}

/// Until the next ping.
fn idle_a_moment(raw: &mut Raw) {
    assert_eq!(raw.receive_frame().0, PING);
}

#[test]
fn a_message_to_all_waits_for_the_end_of_a_file() {
    let mut server = listen(["--input", "commands", "-w", "-1"]);
    let mut client = server.client();
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    let content = "x".repeat(MUCH);
    file.write_all(content.as_bytes()).expect("a disk");
    server.stderr.wait_for("[1] joined");
    server.write(&format!("/every 10ms hello\n@1 /file {} text\n", file.path().display()));
    let (mut whole, mut hellos) = (0, 0);
    while whole == 0 || hellos < 3 {
        match receive(&mut client) {
            text if text == "hello" => hellos += 1,
            text => {
                assert!(text == content, "{} bytes", text.len());
                whole += 1;
            }
        }
    }
    server.interrupt();
}

#[test]
fn a_message_of_a_neighbour_waits_for_fragments_by_hand() {
    let mut server = listen(["--broadcast", "--input", "json"]);
    let (mut one, mut two) = (server.client(), server.client());
    server.stderr.wait_for("[2] joined");
    server.write("{\"type\":\"text\",\"text\":\"be\",\"fin\":false,\"conn\":1}\n");
    // It is there as soon as the ping after it is.
    server.write("{\"type\":\"ping\",\"conn\":1}\n");
    assert!(matches!(one.read().expect("a ping"), Message::Ping(_)));
    two.send(Message::text("between")).expect("open");
    two.send(Message::Ping("x".into())).expect("open");
    assert!(matches!(two.read().expect("a pong"), Message::Pong(_)));
    server.write("{\"type\":\"text\",\"text\":\"gun\",\"conn\":1}\n");
    assert_eq!((receive(&mut one), receive(&mut one)), ("begun".to_owned(), "between".to_owned()));
    server.interrupt();
}

#[test]
fn a_flood_to_an_unread_stdout_stalls_only_messages() {
    for echo in [&[][..], &["--echo"]] {
        let server = listen_unread(echo);
        let flood = server.open();
        flood.tcp().set_write_timeout(Some(Duration::from_millis(300))).expect("a time");
        let bytes = message(1 << 16);
        while (&mut flood.tcp()).write_all(&bytes).is_ok() {}
        let mut other = server.open();
        pinged(&mut other, "there?");
        pinged(&mut server.open(), "and now?");
        server.signal(Signal::TERM);
        server.ends(143);
    }
}

/// A server whose stdout is a pipe that nobody reads.
fn listen_unread(args: &[&str]) -> Server {
    let folder = tempfile::TempDir::new().expect("a folder");
    let mut command = crate::harness::shell(
        "mkfifo \"$0/out\"; exec 4<>\"$0/out\"; \
         exec \"$PROGRAM\" listen --input none --output lines \"$@\" 0 >&4",
    );
    command.env("PATH", "/usr/bin:/bin").arg(folder.path()).args(args);
    Server::start(&mut command)
}

#[test]
fn bombs_do_not_keep_the_end_from_coming() {
    let mut deflater = frames::deflater(true);
    let payload = frames::deflated(&mut deflater, vec![0; 32 << 20]);
    let frame = frames::compressed(BINARY, payload);
    let bytes = frames::bytes([frames::towards(Direction::ToServer, frame)]).repeat(4);
    let server = listen(["--reply", "ok", "--max-time", "2"]);
    let deflate = format!("{UPGRADE}Sec-WebSocket-Extensions: permessage-deflate\r\n");
    let begun = Instant::now();
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let mut raw = server.raw();
            assert_eq!(raw.ask("/", &deflate).status(), 101);
            let bytes = bytes.clone();
            std::thread::spawn(move || while raw.try_send(&bytes) {})
        })
        .collect();
    server.ends(12);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    clients.into_iter().for_each(crate::waiting::join);
}

#[test]
fn unfinished_messages_have_one_bound() {
    for answer in [&["--broadcast"][..], &["--output", "lines"]] {
        let args = ["--input", "none", "--max-memory", "8M"];
        let server = listen(args.into_iter().chain(answer.iter().copied()));
        let mut clients: Vec<_> = (0..4)
            .map(|_| {
                let mut raw = server.open();
                raw.frame(frames::fragment(BINARY, vec![b'x'; 4 << 20]));
                raw
            })
            .collect();
        // Whoever crosses the bound gets a Close.
        server.stderr.wait_for("1009");
        let told: Vec<_> = clients
            .iter_mut()
            .filter_map(|raw| {
                raw.tcp().set_read_timeout(Some(Duration::from_millis(300))).expect("a time");
                let mut head = [0; 4];
                raw.tcp()
                    .read_exact(&mut head)
                    .ok()
                    .map(|()| u16::from_be_bytes([head[2], head[3]]))
            })
            .collect();
        assert!(!told.is_empty() && told.iter().all(|code| *code == 1009), "{told:?}");
        assert!(told.len() < 4, "there is room for one: {told:?}");
        server.interrupt();
    }
}

/// What compression keeps between messages counts, though nobody gives way for that alone.
#[test]
fn windows_of_compression_count() {
    let server = listen(["--input", "none", "--output", "lines", "--max-memory", "1M"]);
    let deflate = format!("{UPGRADE}Sec-WebSocket-Extensions: permessage-deflate\r\n");
    let text = vec![b'x'; 64 << 10];
    let compressing: Vec<_> = (0..24)
        .map(|number| {
            let mut raw = server.raw();
            assert_eq!(raw.ask("/", &deflate).status(), 101);
            let payload = frames::deflated(&mut frames::deflater(false), text.clone());
            raw.frame(frames::compressed(BINARY, payload));
            raw.frame(frames::frame(PING, number.to_string()));
            assert_eq!(raw.receive_frame().1, number.to_string().as_bytes());
            raw
        })
        .collect();
    // Alone it would fit in.
    let mut one = server.open();
    one.frame(frames::fragment(BINARY, vec![b'x'; 400 << 10]));
    let (opcode, payload) = one.receive_frame();
    assert_eq!((opcode, &payload[..2]), (CLOSE, &1009_u16.to_be_bytes()[..]));
    drop(compressing);
    server.interrupt();
}
