//! `--rule`: what is done to messages that pass, compressed or not.

use std::io::{Read, Write};
use std::net::TcpStream;

use wscope::event::{Direction, FrameEvent, Observed};
use wscope::session::{Limits, Observer};
use wscope::wire::OpCode;
use wscope::wire::decoder::Input;
use wscope::wire::deflate::params::DeflateParams;
use wscope::wire::writer::RawFrame;

use crate::frames::{self, BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT};
use crate::harness::{Server, wscope};
use crate::raw::Raw;
use crate::upstream::{SWITCHED, Upstream, head, read};

const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// Both ends of a connection with compression; `answer` is what the server agrees to.
pub fn open_compressed(upstream: &Upstream, proxy: &Server, answer: &str) -> (Raw, TcpStream) {
    let mut client = proxy.raw();
    client.send(format!("GET / HTTP/1.1\r\nHost: x\r\n{}{OFFER}\r\n", crate::raw::UPGRADE));
    let mut server = upstream.accept();
    head(&mut server);
    let extension = format!("Sec-WebSocket-Extensions: {answer}\r\n\r\n");
    let switched = SWITCHED.strip_suffix("\r\n").expect("a head");
    server.write_all(format!("{switched}{extension}").as_bytes()).expect("it reads");
    assert_eq!(client.response().status(), 101);
    (client, server)
}

/// What was agreed.
pub fn params(client_no_context_takeover: bool, server_no_context_takeover: bool) -> DeflateParams {
    let default = DeflateParams::default();
    DeflateParams { client_no_context_takeover, server_no_context_takeover, ..default }
}

pub fn masked(frame: RawFrame) -> RawFrame {
    frames::towards(Direction::ToServer, frame)
}

pub fn text(content: &str) -> Vec<u8> {
    frames::bytes([masked(frames::frame(TEXT, content))])
}

/// A peer that decodes what it receives, and breaks where a rule is broken.
pub struct Peer {
    tcp: TcpStream,
    observer: Observer,
    rest: Vec<u8>,
    /// What has been decoded and not been asked for.
    seen: Vec<(OpCode, Vec<u8>)>,
    /// Whether the messages were compressed.
    pub compressed: Vec<bool>,
}

impl Peer {
    pub fn new(tcp: &TcpStream, direction: Direction, deflate: Option<&DeflateParams>) -> Self {
        Self {
            tcp: tcp.try_clone().expect("a descriptor"),
            observer: Observer::of_frames(direction, deflate, Limits::default()),
            rest: Vec::new(),
            seen: Vec::new(),
            compressed: Vec::new(),
        }
    }

    /// The next message or control frame.
    #[track_caller]
    pub fn next(&mut self) -> (OpCode, Vec<u8>) {
        while self.seen.is_empty() {
            self.read();
        }
        self.seen.remove(0)
    }

    /// Decodes what comes next; returns how many bytes that are.
    #[track_caller]
    pub fn read(&mut self) -> usize {
        let mut buffer = [0; 4096];
        let n = self.tcp.read(&mut buffer).expect("bytes");
        assert!(n > 0, "the end came first");
        let mut input = Input::new(&mut buffer[..n]);
        while let Some(observed) = self.observer.next(&mut input) {
            let Observed::Frame(event) = observed else { continue };
            match event {
                FrameEvent::Data(bytes) => self.rest.extend_from_slice(bytes),
                FrameEvent::Control { opcode, payload } => {
                    self.seen.push((opcode, payload.to_vec()));
                }
                FrameEvent::Message(info) => {
                    self.compressed.push(info.compressed);
                    self.seen.push((info.opcode, std::mem::take(&mut self.rest)));
                }
                FrameEvent::Violation(violation) => panic!("{violation:?}"),
                _ => {}
            }
        }
        n
    }

    #[track_caller]
    pub fn expect(&mut self, opcode: OpCode, content: &str) {
        let (got, bytes) = self.next();
        assert_eq!((got, String::from_utf8_lossy(&bytes).as_ref()), (opcode, content));
    }
}

#[test]
fn messages_are_dropped_edited_copied_and_the_others_pass_as_they_came() {
    let upstream = Upstream::new();
    let args = [
        ["--rule", "> /secret/ -> drop"],
        ["--rule", "> /price (\\d+)/ -> replace /price (\\d+)/price ${1}0/"],
        ["--rule", "> binary -> dup"],
    ];
    let proxy = upstream.proxy(&args.concat());
    let (mut client, mut server) = upstream.open(&proxy);
    let one = frames::bytes([
        masked(frames::fragment(TEXT, "exa")),
        masked(frames::frame(CONTINUATION, "ct")),
    ]);
    client.send(&one);
    assert_eq!(read(&mut server, one.len()), one);
    client.send(text("a secret"));
    client.send(text("price 12"));
    client.send(frames::bytes([masked(frames::frame(BINARY, "b"))]));
    client.send(frames::bytes([masked(frames::frame(PING, "secret"))]));
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    at_server.expect(TEXT, "price 120");
    at_server.expect(BINARY, "b");
    at_server.expect(BINARY, "b");
    at_server.expect(PING, "secret");
    let down = frames::bytes([frames::frame(TEXT, "a secret")]);
    server.write_all(&down).expect("it reads");
    assert_eq!(client.receive_frame(), (TEXT, b"a secret".to_vec()));
    drop((client, server, at_server));
    let said = proxy.stdout.wait_for("on the wire)");
    for line in [
        "text #3 to the server: dropped (rule 1)",
        "text #4 to the server: edited (rule 2)",
        "binary #5 to the server: copied (rule 3)",
        "#3 TEXT F-M 8 a secret (dropped)\n",
        "#4 TEXT F-M 8 price 12 (replaced)\n",
        "price 120 (edited)",
        "(copied)",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    proxy.interrupt();
}

#[test]
fn json_marks_what_was_done() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--output", "json", "--rule", "< -> replace /x/y/"]);
    let (mut client, mut server) = upstream.open(&proxy);
    server.write_all(&frames::bytes([frames::frame(TEXT, "xx")])).expect("it reads");
    assert_eq!(client.receive_frame(), (TEXT, b"yy".to_vec()));
    drop((client, server));
    proxy.stdout.wait_for("\"event\":\"end\"");
    let output = proxy.interrupt().stdout;
    let lines: Vec<serde_json::Value> =
        output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let messages: Vec<_> = lines.iter().filter(|line| line["event"] == "message").collect();
    assert_eq!((&messages[0]["text"], &messages[0]["made"]), (&"xx".into(), &().into()));
    assert_eq!((&messages[1]["text"], &messages[1]["made"]), (&"yy".into(), &"edited".into()));
    let done = lines.iter().find(|line| line["event"] == "intervened").expect("it is reported");
    assert_eq!((&done["what"], &done["rule"]), (&"edited".into(), &1.into()));
    assert_eq!((&done["dir"], &done["frame"]), (&"to-client".into(), &1.into()));
}

#[test]
fn a_delayed_message_holds_those_behind_it_but_no_pings() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--rule", "> /slow/ -> delay 300ms"]);
    let (mut client, server) = upstream.open(&proxy);
    let began = std::time::Instant::now();
    client.send([text("slow"), text("fast")].concat());
    client.send(frames::bytes([masked(frames::frame(PING, "p"))]));
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    at_server.expect(PING, "p");
    at_server.expect(TEXT, "slow");
    assert!(began.elapsed() >= std::time::Duration::from_millis(300));
    at_server.expect(TEXT, "fast");
    // The end waits, too.
    client.send(text("slow"));
    client.hang_up();
    at_server.expect(TEXT, "slow");
    drop((client, server));
    proxy.interrupt();
}

#[test]
fn an_edited_control_frame_keeps_within_its_size() {
    let upstream = Upstream::new();
    let rule = format!("> ping -> replace /a/{}/", "b".repeat(125));
    let proxy = upstream.proxy(&["--rule", &rule]);
    let (mut client, server) = upstream.open(&proxy);
    for ping in ["a", "aa"] {
        client.send(frames::bytes([masked(frames::frame(PING, ping))]));
    }
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    at_server.expect(PING, &"b".repeat(125));
    at_server.expect(PING, "aa");
    proxy
        .stdout
        .wait_for("frame #2 to the server is not changed: the result would have more than 125 B");
    drop((client, server));
    proxy.interrupt();
}

#[test]
fn a_rule_closes_both_ends() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--rule", "< /bad/ -> close 1011"]);
    let (mut client, mut server) = upstream.open(&proxy);
    let sent = [frames::frame(TEXT, "good"), frames::frame(TEXT, "bad"), frames::frame(TEXT, "x")];
    server.write_all(&frames::bytes(sent)).expect("it reads");
    assert_eq!(client.receive_frame(), (TEXT, b"good".to_vec()));
    assert_eq!(client.receive_frame(), (CLOSE, 1011u16.to_be_bytes().to_vec()));
    let mut at_server = Peer::new(&server, Direction::ToServer, None);
    assert_eq!(at_server.next(), (CLOSE, 1011u16.to_be_bytes().to_vec()));
    let answer = frames::frame(CLOSE, 1011u16.to_be_bytes());
    server.write_all(&frames::bytes([answer.clone()])).expect("it reads");
    client.send(frames::bytes([masked(answer)]));
    drop((server, at_server));
    assert!(client.rest().is_empty(), "no second Close");
    drop(client);
    let said = proxy.stdout.wait_for("on the wire)");
    assert!(said.contains("both ends are closed with 1011 instead (rule 1)"), "{said}");
    proxy.interrupt();
}

#[test]
fn a_request_is_rejected() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--rule", "> /^GET \\/admin/ -> reject 403"]);
    let mut client = proxy.raw();
    assert_eq!(client.ask("/admin", crate::raw::UPGRADE).status(), 403);
    proxy.stdout.wait_for("answered 403: rule 1 rejects this request");
    let (client, server) = upstream.open(&proxy);
    drop((client, server));
    proxy.interrupt();
}

/// Messages of which one is dropped, one edited and one put in: what is behind them stays readable.
fn compressed(answer: &str, takeover: bool) {
    let upstream = Upstream::new();
    let rules = ["--rule", "> /drop/ -> drop", "--rule", "<> /edit/ -> replace /edit/changed/"];
    let proxy = upstream.proxy(&rules);
    let (mut client, mut server) = open_compressed(&upstream, &proxy, answer);
    let params = params(!takeover, !takeover);
    let mut at_server = Peer::new(&server, Direction::ToServer, Some(&params));
    let mut deflater = frames::deflater(!takeover);
    let mut message = |content: &str| {
        let payload = frames::deflated(&mut deflater, format!("{content}, and much that repeats"));
        frames::bytes([masked(frames::compressed(TEXT, payload))])
    };
    for content in ["first", "drop", "second", "edit", "third", "drop", "fourth"] {
        client.send(message(content));
    }
    for content in ["first", "second", "changed", "third", "fourth"] {
        at_server.expect(TEXT, &format!("{content}, and much that repeats"));
    }
    assert_eq!(at_server.compressed, [true, true, false, true, true]);
    let tcp = client.tcp().try_clone().expect("a descriptor");
    let mut at_client = Peer::new(&tcp, Direction::ToClient, Some(&params));
    let mut deflater = frames::deflater(!takeover);
    for content in ["one", "edit", "three", "four"] {
        let payload = frames::deflated(&mut deflater, format!("{content}, and much that repeats"));
        server.write_all(&frames::bytes([frames::compressed(TEXT, payload)])).expect("it reads");
    }
    for content in ["one", "changed", "three", "four"] {
        at_client.expect(TEXT, &format!("{content}, and much that repeats"));
    }
    drop((client, server, tcp, at_server, at_client));
    let said = proxy.stdout.wait_for("on the wire)");
    let notes = said.matches("are recompressed from here on").count();
    assert_eq!(notes, if takeover { 2 } else { 0 }, "{said}");
    proxy.interrupt();
}

#[test]
fn compressed_messages_stay_readable_behind_those_that_were_changed() {
    compressed("permessage-deflate", true);
    let without = "permessage-deflate; client_no_context_takeover; server_no_context_takeover";
    compressed(without, false);
}

#[test]
fn a_long_message_passes_without_a_look() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy(&["--rule", "<> -> drop"]);
    let (mut client, mut server) = upstream.open(&proxy);
    let long = frames::noise(1_200_000);
    let bytes = frames::bytes([
        masked(frames::fragment(BINARY, &long[..700_000])),
        masked(frames::frame(CONTINUATION, &long[700_000..])),
    ]);
    let reading = std::thread::spawn({
        let n = bytes.len();
        let mut server = server.try_clone().expect("a descriptor");
        move || read(&mut server, n)
    });
    client.send(&bytes);
    client.send(text("dropped"));
    client.send(frames::bytes([masked(frames::frame(PONG, "end"))]));
    assert!(crate::waiting::join(reading) == bytes);
    let pong = frames::bytes([masked(frames::frame(PONG, "end"))]);
    assert_eq!(read(&mut server, pong.len()), pong);
    proxy.stdout.wait_for("is forwarded without rules: it has more than 1 MiB");
    drop((client, server));
    proxy.interrupt();
}

#[test]
fn what_no_rule_matches_passes_byte_for_byte() {
    let rule = ["--rule", "<> text,binary,ping,pong,close /no such content/ -> drop"];
    let (up, down) = (frames::noise(300_000), frames::noise(250_001));
    // A ping passes before a message that is being collected.
    let of_control = ["--rule", "<> ping,pong,close /no such content/ -> drop"];
    let (at_server, at_client) = crate::exact::exchange(&up, &down, &of_control);
    crate::exact::same("to the server", &at_server, &up);
    crate::exact::same("to the client", &at_client, &down);
    let mut legal = frames::bytes([
        masked(frames::fragment(TEXT, "frag")),
        masked(frames::frame(CONTINUATION, "ment")),
        masked(frames::frame(PING, "p")),
        frames::frame(TEXT, "bare"),
        RawFrame { rsv1: true, rsv3: true, ..masked(frames::frame(BINARY, [0xff; 200])) },
        masked(frames::frame(TEXT, [0xff, 0xfe])),
        masked(frames::frame(CONTINUATION, "of nothing")),
        masked(frames::frame(BINARY, frames::noise(70_000))),
        masked(frames::frame(PING, [b'x'; 200])),
        masked(frames::frame(CLOSE, [3])),
        masked(frames::frame(TEXT, "after the close")),
    ]);
    legal.extend([0x82, 0xfe, 0, 1, 1, 2, 3, 4, 5]);
    let cut = frames::bytes([frames::fragment(TEXT, "cut"), frames::frame(CONTINUATION, "short")]);
    let cut = &cut[..cut.len() - 2];
    let (at_server, at_client) = crate::exact::exchange(&legal, cut, &rule);
    assert!(at_server == legal, "{at_server:?}");
    assert!(at_client == cut, "{at_client:?}");
}

#[test]
fn latency_and_throttle_take_their_time() {
    let began = std::time::Instant::now();
    let bytes = frames::bytes([masked(frames::frame(BINARY, frames::noise(30_000)))]);
    let down = frames::bytes([frames::frame(TEXT, "x")]);
    let args = ["--latency", "150+-50", "--throttle", "100K"];
    let (at_server, at_client) = crate::exact::exchange(&bytes, &down, &args);
    assert!(at_server == bytes && at_client == down);
    assert!(began.elapsed() >= std::time::Duration::from_millis(350), "{:?}", began.elapsed());
}

#[test]
fn rules_come_from_files_and_what_is_none_is_wrong_usage() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("rules");
    std::fs::write(&path, "# what is secret\n\n> /secret/ -> drop\n< -> explode\n")
        .expect("a file");
    let path = path.to_str().expect("text");
    let run = |args: &[&str]| {
        let to = ["proxy", "0", "--to", "ws://127.0.0.1:9"];
        let run = wscope().args(to).args(args).output().expect("a run");
        assert_eq!(run.status.code(), Some(2), "{run:?}");
        String::from_utf8_lossy(&run.stderr).into_owned()
    };
    let said = run(&["--rules", path]);
    assert!(said.contains("rules:4: ") && said.contains("\"explode\""), "{said}");
    assert!(
        run(&["--rules", "/no/such/file"])
            .ends_with("--rules /no/such/file: no such file or directory\n")
    );
    assert!(run(&["--rule", "> txt -> drop"]).contains("did you mean text?"));
    for option in ["--intercept", "--tunnel"] {
        let said = run(&[option, ""]);
        assert!(said.contains(&format!("{option} needs a value")), "{said}");
    }
    assert!(run(&["--rule", "nonsense"]).contains("is not a direction"));
    assert!(run(&["--latency", "10±20"]).contains("--latency"));
    assert!(run(&["--throttle", "0"]).contains("nothing would pass"));
}
