//! Parses a packet: link layers, IP, the TCP segment.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A segment of TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'p> {
    /// Its source.
    pub from: SocketAddr,
    /// Its destination.
    pub to: SocketAddr,
    /// The sequence number of its first byte.
    pub sequence: u32,
    /// The flags; the methods explain them.
    flags: u8,
    /// Its captured content.
    pub payload: &'p [u8],
    /// The number of bytes that were not captured.
    pub missing: usize,
}

impl Segment<'_> {
    /// The sender ends its stream.
    pub fn fin(&self) -> bool {
        self.flags & 0x01 != 0
    }

    /// The stream begins.
    pub fn syn(&self) -> bool {
        self.flags & 0x02 != 0
    }

    /// The connection is reset.
    pub fn rst(&self) -> bool {
        self.flags & 0x04 != 0
    }

    /// It acknowledges something.
    pub fn ack(&self) -> bool {
        self.flags & 0x10 != 0
    }
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const TCP: u8 = 6;

/// Whether packets of this link type can be read.
pub fn is_known(link: u16) -> bool {
    matches!(link, 0 | 1 | 12 | 14 | 101 | 108 | 113 | 228 | 229 | 276)
}

/// The TCP segment in a packet, if there is one.
pub fn segment(link: u16, packet: &[u8]) -> Option<Segment<'_>> {
    match link {
        // BSD loopback: the address family, in the byte order of the machine or of the network.
        0 | 108 => ip(packet.get(4..)?),
        1 => by_type(u16_at(packet, 12)?, packet.get(14..)?),
        12 | 14 | 101 | 228 | 229 => ip(packet),
        // Linux cooked.
        113 => by_type(u16_at(packet, 14)?, packet.get(16..)?),
        276 => by_type(u16_at(packet, 0)?, packet.get(20..)?),
        _ => None,
    }
}

/// Parses a packet by its EtherType, after any VLAN tags.
fn by_type(mut kind: u16, mut packet: &[u8]) -> Option<Segment<'_>> {
    while matches!(kind, 0x8100 | 0x88a8 | 0x9100) {
        kind = u16_at(packet, 2)?;
        packet = packet.get(4..)?;
    }
    matches!(kind, IPV4 | IPV6).then(|| ip(packet))?
}

fn ip(packet: &[u8]) -> Option<Segment<'_>> {
    match packet.first()? >> 4 {
        4 => ipv4(packet),
        6 => ipv6(packet),
        _ => None,
    }
}

fn ipv4(packet: &[u8]) -> Option<Segment<'_>> {
    let header = usize::from(packet[0] & 0x0f) * 4;
    // The length is 0 if the network card divides segments itself.
    let len = match usize::from(u16_at(packet, 2)?) {
        0 => packet.len(),
        len => len,
    };
    let fragment = u16_at(packet, 6)?;
    let is_fragment = fragment & 0x3fff != 0;
    if header < 20 || *packet.get(9)? != TCP || is_fragment {
        return None;
    }
    let from = Ipv4Addr::from(*packet.get(12..)?.first_chunk::<4>()?);
    let to = Ipv4Addr::from(*packet.get(16..)?.first_chunk::<4>()?);
    tcp(from.into(), to.into(), packet.get(header..)?, len.checked_sub(header)?)
}

fn ipv6(packet: &[u8]) -> Option<Segment<'_>> {
    let (mut next, len) = (*packet.get(6)?, usize::from(u16_at(packet, 4)?));
    let from = Ipv6Addr::from(*packet.get(8..)?.first_chunk::<16>()?);
    let to = Ipv6Addr::from(*packet.get(24..)?.first_chunk::<16>()?);
    let mut rest = packet.get(40..)?;
    let mut len = if len == 0 { rest.len() } else { len };
    // Hop-by-hop, routing, destination options.
    while matches!(next, 0 | 43 | 60) {
        let header = (usize::from(*rest.get(1)?) + 1) * 8;
        next = rest[0];
        rest = rest.get(header..)?;
        len = len.checked_sub(header)?;
    }
    (next == TCP).then(|| tcp(from.into(), to.into(), rest, len))?
}

/// `len` is the length of the segment on the wire.
fn tcp(from: IpAddr, to: IpAddr, bytes: &[u8], len: usize) -> Option<Segment<'_>> {
    let header = usize::from(bytes.get(12)? >> 4) * 4;
    if header < 20 {
        return None;
    }
    let carried = len.checked_sub(header)?;
    let captured = bytes.get(header..)?;
    // A short frame of Ethernet is padded.
    let payload = &captured[..captured.len().min(carried)];
    Some(Segment {
        from: SocketAddr::new(from, u16_at(bytes, 0)?),
        to: SocketAddr::new(to, u16_at(bytes, 2)?),
        sequence: u32::from_be_bytes(*bytes.get(4..)?.first_chunk()?),
        flags: bytes[13],
        payload,
        missing: carried - payload.len(),
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
