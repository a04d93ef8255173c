//! Captures of packets and HTTP archives, read by `decode` and `show`.

use std::io::Write as _;

use tempfile::NamedTempFile;

use crate::harness::Test;

const REQUEST: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const RESPONSE: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: x\r\n\r\n";
/// The masked "Hello" of RFC 6455 §5.7.
const HELLO: &[u8] = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
const CLOSE: &[u8] = b"\x88\x02\x03\xe8";
const MASKED_CLOSE: &[u8] = b"\x88\x82\0\0\0\0\x03\xe8";

const CLIENT: (u8, u16) = (1, 50000);
const SERVER: (u8, u16) = (2, 80);
const FIN: u8 = 0x11;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// Segments of a connection, each with the number that its first byte has.
struct Talk {
    link: u32,
    packets: Vec<Vec<u8>>,
    next: [u32; 2],
}

impl Talk {
    fn new(link: u32) -> Self {
        // The client's numbers wrap soon.
        Self { link, packets: Vec::new(), next: [u32::MAX - 20, 1000] }
    }

    fn opened(link: u32) -> Self {
        let mut talk = Self::new(link);
        talk.segment(0, SYN, b"").segment(1, SYN | ACK, b"");
        talk.segment(0, ACK, REQUEST).segment(1, ACK, RESPONSE);
        talk
    }

    fn segment(&mut self, from: usize, flags: u8, payload: &[u8]) -> &mut Self {
        let sequence = self.next[from];
        self.at(from, sequence, flags, payload);
        let counted = payload.len() as u32 + u32::from(flags & (SYN | 1) != 0);
        self.next[from] = sequence.wrapping_add(counted);
        self
    }

    /// A segment with a number of its own.
    fn at(&mut self, from: usize, sequence: u32, flags: u8, payload: &[u8]) -> &mut Self {
        let ends = [CLIENT, SERVER];
        let (source, target) = (ends[from], ends[1 - from]);
        let mut tcp = Vec::new();
        tcp.extend(source.1.to_be_bytes());
        tcp.extend(target.1.to_be_bytes());
        tcp.extend(sequence.to_be_bytes());
        tcp.extend([0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(payload);
        let mut ip = vec![0x45, 0];
        ip.extend((tcp.len() as u16 + 20).to_be_bytes());
        ip.extend([0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, source.0, 10, 0, 0, target.0]);
        ip.extend(tcp);
        let mut packet = match self.link {
            0 => vec![2, 0, 0, 0],
            1 => [&[0; 12][..], &[0x81, 0x00, 0, 7, 0x08, 0x00]].concat(),
            113 => [&[0; 14][..], &[0x08, 0x00]].concat(),
            276 => [&[0x08, 0x00][..], &[0; 18]].concat(),
            _ => Vec::new(),
        };
        packet.extend(ip);
        self.packets.push(packet);
        self
    }

    fn closed(&mut self) -> &mut Self {
        self.segment(0, ACK, MASKED_CLOSE).segment(1, ACK, CLOSE);
        self.segment(1, FIN, b"").segment(0, FIN, b"")
    }

    /// As a file of pcap, in this byte order.
    fn pcap(&self, big_endian: bool) -> NamedTempFile {
        let u32s = |values: &[u32]| -> Vec<u8> {
            let bytes = |v: &u32| if big_endian { v.to_be_bytes() } else { v.to_le_bytes() };
            values.iter().flat_map(bytes).collect()
        };
        let mut file = u32s(&[0xa1b2_c3d4, 0, 0, 0, 0x4_0000, self.link]);
        for (second, packet) in (1_800_000_000..).zip(&self.packets) {
            let len = packet.len() as u32;
            file.extend(u32s(&[second, 5, len, len]));
            file.extend(packet);
        }
        written(&file)
    }

    /// As a file of pcapng.
    fn pcapng(&self) -> NamedTempFile {
        let mut file = Vec::new();
        let mut block = |kind: u32, body: &[u8]| {
            let len = (body.len() as u32).next_multiple_of(4) + 12;
            file.extend(kind.to_le_bytes());
            file.extend(len.to_le_bytes());
            file.extend(body);
            file.resize(file.len().next_multiple_of(4), 0);
            file.extend(len.to_le_bytes());
        };
        block(
            0x0a0d_0d0a,
            &[&0x1a2b_3c4du32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat(),
        );
        block(1, &[&self.link.to_le_bytes()[..], &[0; 4]].concat());
        for (second, packet) in (1_800_000_000u64..).zip(&self.packets) {
            let micros = second * 1_000_000;
            let len = packet.len() as u32;
            let head = [0, (micros >> 32) as u32, micros as u32, len, len];
            let mut body: Vec<u8> = head.iter().flat_map(|v| v.to_le_bytes()).collect();
            body.extend(packet);
            block(6, &body);
        }
        written(&file)
    }
}

fn written(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("a disk");
    file
}

/// What `decode` prints of a file, without times.
fn decoded(file: &NamedTempFile, args: &[&str], status: i32) -> (String, String) {
    let path = file.path().to_str().expect("a path");
    let test = Test::new().args(["decode"]).args([path]).args(args.to_vec());
    let output = test.stdout_any().stderr_any().status(status);
    let time = regex::Regex::new(r" \d\d:\d\d:\d\d\.\d{3}").expect("an expression");
    (time.replace_all(output.stdout(), "").into_owned(), output.stderr().replace(path, "FILE"))
}

const FRAMES: &str = "> [1] #1 TEXT F-M 5 Hello\n\
    > [1] #2 CLOSE F-M 2 1000 normal closure\n\
    < [1] #1 CLOSE F-- 2 1000 normal closure\n";

fn frames(shown: &str) -> String {
    shown.lines().filter(|line| line.contains(" #")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_capture_of_every_link_type_and_file_format_is_decoded() {
    for link in [0, 1, 101, 113, 276] {
        let mut talk = Talk::opened(link);
        talk.segment(0, ACK, HELLO).closed();
        for file in [talk.pcap(false), talk.pcap(true), talk.pcapng()] {
            let (shown, _) = decoded(&file, &[], 0);
            assert_eq!(frames(&shown), FRAMES, "link type {link}: {shown}");
            assert!(
                shown.contains("* [1] connection from 10.0.0.1:50000 to 10.0.0.2:80\n"),
                "{shown}"
            );
            assert!(shown.contains("the client closed with 1000 normal closure"), "{shown}");
        }
    }
}

#[test]
fn segments_out_of_order_repeated_and_overlapping_are_put_together() {
    let mut talk = Talk::opened(101);
    let start = talk.next[0];
    let at = |offset: usize| start.wrapping_add(offset as u32);
    talk.at(0, at(8), ACK, &HELLO[8..]);
    talk.at(0, at(0), ACK, &HELLO[..3]);
    talk.at(0, at(0), ACK, &HELLO[..3]);
    talk.at(0, at(2), ACK, &HELLO[2..8]);
    talk.next[0] = at(HELLO.len());
    talk.closed();
    assert_eq!(frames(&decoded(&talk.pcap(false), &[], 0).0), FRAMES);
}

#[test]
fn missing_bytes_are_named_and_the_other_direction_goes_on() {
    let mut talk = Talk::opened(101);
    talk.segment(0, ACK, HELLO);
    talk.next[0] = talk.next[0].wrapping_add(7);
    talk.closed();
    let (shown, _) = decoded(&talk.pcap(false), &[], 0);
    let gap = "* [1] 7 bytes of the client are missing in the capture after byte 160: what follows them \
               can't be decoded\n";
    assert!(shown.contains(gap), "{shown}");
    assert!(frames(&shown).ends_with("< [1] #1 CLOSE F-- 2 1000 normal closure\n"), "{shown}");
}

#[test]
fn streams_are_listed_by_what_they_carry() {
    let mut talk = Talk::new(101);
    talk.segment(0, SYN, b"").segment(0, ACK, b"\x16\x03\x01\0\x05hello");
    let file = talk.pcap(false);
    let (listed, _) = decoded(&file, &["--list"], 0);
    let tls = "   1  10.0.0.1:50000 > 10.0.0.2:80  TLS: can't be decoded without its keys; record it \
         with `wscope proxy`, or decrypt it with tshark\n";
    assert_eq!(listed, tls);
    let (shown, said) = decoded(&file, &[], 0);
    assert_eq!(shown, "");
    assert!(said.contains("TLS streams, which can't be decoded without their keys: 1 ("), "{said}");
    let mut talk = Talk::opened(101);
    talk.segment(0, ACK, HELLO).closed();
    let (listed, _) = decoded(&talk.pcap(false), &["--list"], 0);
    let line = "   1  10.0.0.1:50000 > 10.0.0.2:80  101  a.test/chat  > 2 frames in 5 B  < 1 frame in 0 B  ";
    assert!(listed.starts_with(line), "{listed}");
}

#[test]
fn a_stream_without_its_handshake_is_decoded_where_it_is_asked_for() {
    let mut talk = Talk::new(101);
    talk.segment(0, ACK, HELLO);
    let file = talk.pcap(false);
    assert_eq!(decoded(&file, &[], 0).0, "");
    let (shown, _) = decoded(&file, &["--stream", "1"], 0);
    assert_eq!(frames(&shown), "> [1] #1 TEXT F-M 5 Hello\n");
}

#[test]
fn a_damaged_capture_is_an_error_behind_what_could_be_read() {
    let mut talk = Talk::opened(101);
    talk.segment(0, ACK, HELLO);
    let whole = std::fs::read(talk.pcap(false).path()).expect("a file");
    let (shown, said) = decoded(&written(&whole[..whole.len() - 4]), &[], 0);
    assert!(!frames(&shown).contains("Hello"), "{shown}");
    assert!(said.contains("FILE: the capture ends inside a packet\n"), "{said}");
    let damaged = [&whole[..], &[0xff; 16]].concat();
    let (shown, said) = decoded(&written(&damaged), &[], 1);
    assert!(frames(&shown).contains("Hello"), "{shown}");
    assert!(said.contains("the capture is damaged before byte "), "{said}");
}

/// An archive with one entry, as its writer shapes it.
fn har(request: &str, response: &str, messages: &str) -> NamedTempFile {
    let text = format!(
        "{{\"log\":{{\"version\":\"1.2\",\"entries\":[{{\"startedDateTime\":\"2026-11-21T07:00:00.000Z\",\
         \"time\":1000,\"_resourceType\":\"websocket\",\"request\":{request},\"response\":{response},\
         \"_webSocketMessages\":{messages}}}]}}}}"
    );
    written(text.as_bytes())
}

#[test]
fn archives_of_chrome_and_mitmproxy_are_read() {
    let messages = "[{\"type\":\"send\",\"time\":1795244400.5,\"opcode\":1,\"data\":\"Hello\"},\
        {\"type\":\"receive\",\"time\":1795244400.75,\"opcode\":2,\"data\":\"AAEC\"}]";
    // Chrome may leave out method, version and headers; mitmproxy writes them.
    let bare = (
        "{\"method\":\"\",\"url\":\"ws://a.test/x?y=1\",\"httpVersion\":\"\",\"headers\":[]}",
        "{\"status\":101,\"statusText\":\"\",\"headers\":[]}",
    );
    let full = (
        "{\"method\":\"GET\",\"url\":\"wss://a.test/x?y=1\",\"httpVersion\":\"HTTP/1.1\",\"headers\":\
        [{\"name\":\"Host\",\"value\":\"a.test\"},{\"name\":\"Upgrade\",\"value\":\"websocket\"}]}",
        "{\"status\":101,\"statusText\":\"Switching Protocols\",\"headers\":[]}",
    );
    for (request, response) in [bare, full] {
        let (shown, _) = decoded(&har(request, response, messages), &[], 0);
        assert!(
            shown.contains("> GET /x?y=1 HTTP/1.1\n") && shown.contains("> Host: a.test\n"),
            "{shown}"
        );
        let expected = "> #1 TEXT F-M 5 Hello\n< #1 BIN  F-- 3 00 01 02\n";
        assert_eq!(frames(&shown), expected, "{shown}");
    }
    let (_, said) = decoded(&written(b"{\"log\": {}}"), &[], 1);
    assert!(said.contains("not an HTTP archive: it has no log.entries"), "{said}");
}
