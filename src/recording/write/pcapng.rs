//! A generated packet capture: TCP connections without TLS, with the bytes of the recording.
//!
//! Raw IP, one packet for each piece of the recording, with correct lengths, numbers and checksums,
//! so that Wireshark reports no errors.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::event::{ConnId, Direction};
use crate::recording::{Fact, Record};
use crate::wire::Role;

/// The most bytes of payload in a packet: the length of an IPv4 packet has sixteen bits.
const MOST: usize = 65_000;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// Writes records as packets.
#[derive(Debug, Default)]
pub struct PcapngWriter {
    role: Option<Role>,
    connections: HashMap<ConnId, TcpConnection>,
    /// Connections with TLS: a comment states it.
    secure: Vec<ConnId>,
    addresses: HashMap<ConnId, (SocketAddr, SocketAddr)>,
    last: i64,
    began: bool,
    heads: u64,
}

#[derive(Debug)]
struct TcpConnection {
    /// The addresses of client and server.
    ends: [SocketAddr; 2],
    /// The sequence number of the next byte of each end.
    next: [u32; 2],
    last_head: Option<Direction>,
}

impl PcapngWriter {
    /// Takes a record.
    pub fn take(&mut self, record: &Record, out: &mut Vec<u8>) {
        if !self.began {
            self.began = true;
            header(out);
        }
        let at = record.at;
        self.last = at.micros.max(self.last);
        match &record.fact {
            Fact::Start { role, .. } => {
                self.finish(out);
                self.role = *role;
                self.addresses.clear();
                self.secure.clear();
            }
            Fact::Connected { local, peer } => {
                let (client, server) = match self.role {
                    Some(Role::Client) => (local, peer),
                    _ => (peer, local),
                };
                // For a relayed connection, the client's side comes first.
                self.addresses.entry(at.conn).or_insert_with(|| ends(client, server, at.conn));
            }
            Fact::Tls(_) => self.secure.push(at.conn),
            Fact::Head(direction, bytes) | Fact::Bytes(direction, bytes) => {
                self.open(at.conn, at.micros, out);
                let Some(connection) = self.connections.get_mut(&at.conn) else { return };
                // A proxy records both versions of a head that it changes, but a stream can contain
                // only one.
                if matches!(record.fact, Fact::Head(..))
                    && connection.last_head.replace(*direction) == Some(*direction)
                {
                    self.heads += 1;
                    return;
                }
                for piece in bytes.chunks(MOST) {
                    connection.packet(at.micros, *direction as usize, PSH | ACK, piece, "", out);
                }
            }
            Fact::End(_) | Fact::Failed(_) | Fact::Passed(_) => {
                self.close(at.conn, at.micros, false, out)
            }
            Fact::Closed { reset, .. } => self.close(at.conn, at.micros, *reset, out),
            _ => {}
        }
    }

    /// The number of heads that were left out: changed heads, as the proxy forwarded them.
    pub fn heads_left_out(&self) -> u64 {
        self.heads
    }

    /// Ends all open connections.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.began {
            self.began = true;
            header(out);
        }
        let mut rest: Vec<ConnId> = self.connections.keys().copied().collect();
        rest.sort_unstable();
        rest.into_iter().for_each(|conn| self.close(conn, self.last, false, out));
    }

    fn open(&mut self, conn: ConnId, micros: i64, out: &mut Vec<u8>) {
        if self.connections.contains_key(&conn) {
            return;
        }
        let unknown = || ends("", "", conn);
        let (client, server) = self.addresses.get(&conn).copied().unwrap_or_else(unknown);
        let mut connection =
            TcpConnection { ends: [client, server], next: [1000, 2000], last_head: None };
        let secure = self.secure.contains(&conn);
        let comment = if secure { "wss: written as plain text, without TLS" } else { "" };
        connection.packet(micros, 0, SYN, b"", comment, out);
        connection.packet(micros, 1, SYN | ACK, b"", "", out);
        connection.packet(micros, 0, ACK, b"", "", out);
        self.connections.insert(conn, connection);
    }

    fn close(&mut self, conn: ConnId, micros: i64, reset: bool, out: &mut Vec<u8>) {
        let Some(mut connection) = self.connections.remove(&conn) else { return };
        if reset {
            return connection.packet(micros, 1, RST | ACK, b"", "", out);
        }
        connection.packet(micros, 0, FIN | ACK, b"", "", out);
        connection.packet(micros, 1, FIN | ACK, b"", "", out);
        connection.packet(micros, 0, ACK, b"", "", out);
    }
}

/// The addresses of both ends; an end without an IP address gets a loopback address.
fn ends(client: &str, server: &str, conn: ConnId) -> (SocketAddr, SocketAddr) {
    let made_up = |port: u16| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
    let port = 10_000 + (conn.0 % 50_000) as u16;
    let server = server.parse().unwrap_or(made_up(80));
    let client: SocketAddr = client.parse().unwrap_or(made_up(port));
    match (client, server) {
        (SocketAddr::V4(_), SocketAddr::V4(_)) | (SocketAddr::V6(_), SocketAddr::V6(_)) => {
            (client, server)
        }
        _ => (made_up(client.port()), made_up(server.port())),
    }
}

impl TcpConnection {
    /// Writes a packet from the client (0) or the server (1).
    fn packet(
        &mut self,
        micros: i64,
        from: usize,
        flags: u8,
        payload: &[u8],
        comment: &str,
        out: &mut Vec<u8>,
    ) {
        let (source, target) = (self.ends[from], self.ends[1 - from]);
        let acknowledged = if flags & ACK != 0 { self.next[1 - from] } else { 0 };
        // The largest window, because no end acknowledges data in between.
        let options: &[u8] = if flags & SYN != 0 { &[2, 4, 0xff, 0xd7, 1, 3, 3, 14] } else { &[] };
        let mut tcp = Vec::with_capacity(20 + options.len() + payload.len());
        tcp.extend(source.port().to_be_bytes());
        tcp.extend(target.port().to_be_bytes());
        tcp.extend(self.next[from].to_be_bytes());
        tcp.extend(acknowledged.to_be_bytes());
        tcp.extend([(((20 + options.len()) / 4) << 4) as u8, flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(options);
        tcp.extend(payload);
        let counted = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.next[from] = self.next[from].wrapping_add(counted);
        let mut packet = Vec::with_capacity(tcp.len() + 40);
        let (addresses, len) = match (source.ip(), target.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                packet.extend([0x45, 0]);
                packet.extend((20 + tcp.len() as u16).to_be_bytes());
                packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
                packet.extend(from.octets());
                packet.extend(to.octets());
                let sum = checksum(&packet, 0);
                packet[10..12].copy_from_slice(&sum.to_be_bytes());
                ([from.octets(), to.octets()].concat(), tcp.len() as u32)
            }
            (from, to) => {
                let octets = |ip: IpAddr| match ip {
                    IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                    IpAddr::V6(ip) => ip.octets(),
                };
                packet.extend([0x60, 0, 0, 0]);
                packet.extend((tcp.len() as u16).to_be_bytes());
                packet.extend([6, 64]);
                packet.extend(octets(from));
                packet.extend(octets(to));
                ([octets(from), octets(to)].concat(), tcp.len() as u32)
            }
        };
        // The pseudo header: addresses, protocol 6, length.
        let pseudo = sum(&addresses) + 6 + (len >> 16) + (len & 0xffff);
        let sum = checksum(&tcp, pseudo);
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        packet.extend(tcp);
        block(6, out, |out| {
            let micros = micros.max(0) as u64;
            for value in
                [0, (micros >> 32) as u32, micros as u32, packet.len() as u32, packet.len() as u32]
            {
                out.extend(value.to_le_bytes());
            }
            out.extend(&packet);
            pad(out, packet.len());
            // epb_flags: outbound is what the client sends.
            let direction: u32 = if from == Direction::ToServer as usize { 2 } else { 1 };
            option(2, &direction.to_le_bytes(), out);
            if !comment.is_empty() {
                option(1, comment.as_bytes(), out);
            }
            option(0, b"", out);
        });
    }
}

/// The section header and the only interface: raw IP, microseconds.
fn header(out: &mut Vec<u8>) {
    block(0x0a0d_0d0a, out, |out| {
        out.extend(0x1a2b_3c4du32.to_le_bytes());
        out.extend([1, 0, 0, 0]);
        out.extend([0xff; 8]);
        let name = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
        option(4, name.as_bytes(), out);
        option(0, b"", out);
    });
    block(1, out, |out| {
        out.extend([101, 0, 0, 0, 0, 0, 0, 0]);
        option(2, env!("CARGO_PKG_NAME").as_bytes(), out);
        option(9, &[6], out);
        option(0, b"", out);
    });
}

fn block(kind: u32, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(kind.to_le_bytes());
    out.extend([0; 4]);
    body(out);
    let len = (out.len() - start + 4) as u32;
    out.extend(len.to_le_bytes());
    out[start + 4..start + 8].copy_from_slice(&len.to_le_bytes());
}

fn option(code: u16, value: &[u8], out: &mut Vec<u8>) {
    out.extend(code.to_le_bytes());
    out.extend((value.len() as u16).to_le_bytes());
    out.extend(value);
    pad(out, value.len());
}

/// Adds padding up to a multiple of four.
fn pad(out: &mut Vec<u8>, len: usize) {
    out.extend(&[0; 3][..len.next_multiple_of(4) - len]);
}

/// The Internet checksum (RFC 1071) of these bytes and of the earlier sum.
fn checksum(bytes: &[u8], before: u32) -> u16 {
    let mut total = sum(bytes) + before;
    while total >> 16 != 0 {
        total = (total & 0xffff) + (total >> 16);
    }
    !(total as u16)
}

fn sum(bytes: &[u8]) -> u32 {
    let pairs = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |b| u32::from(*b)));
    pairs.sum()
}
