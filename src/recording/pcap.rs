//! Packet capture files: pcap in both byte orders and resolutions, and pcapng.
//!
//! The reader returns one packet at a time, and does not parse its content.

use std::io::{BufRead, Read as _};

use super::RecordingError;
use super::error::Result;

/// The longest packet or block that is accepted; captures on a loopback have 64 KiB segments.
const MAX_BLOCK: u32 = 16 << 20;

/// The largest number of interfaces of a section that are kept.
const MAX_INTERFACES: usize = 4096;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;

/// A packet of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'p> {
    /// Microseconds since the epoch.
    pub micros: i64,
    /// The type of its first bytes: LINKTYPE_….
    pub link: u16,
    /// Its captured bytes.
    pub bytes: &'p [u8],
}

/// Reads a file of packets.
#[derive(Debug)]
pub struct PacketFile<R> {
    input: R,
    form: CaptureFormat,
    big_endian: bool,
    interfaces: Vec<CaptureInterface>,
    block: Vec<u8>,
    /// The number of bytes read.
    offset: u64,
    cut: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CaptureFormat {
    /// pcap, with this many ticks per second.
    Pcap {
        ticks: u64,
    },
    Pcapng,
}

#[derive(Clone, Copy, Debug)]
struct CaptureInterface {
    link: u16,
    ticks: u64,
    /// The number of seconds to add.
    offset: i64,
}

impl<R: BufRead> PacketFile<R> {
    /// Whether a file with this beginning is a packet capture.
    pub fn is_one(beginning: &[u8]) -> bool {
        let Some((first, _)) = beginning.split_first_chunk::<4>() else { return false };
        let first = u32::from_le_bytes(*first);
        first == SECTION_HEADER
            || pcap_form(first).is_some()
            || pcap_form(first.swap_bytes()).is_some()
    }

    /// Reads the header.
    ///
    /// # Errors
    ///
    /// It is not a packet capture.
    pub fn new(mut input: R) -> Result<Self> {
        let mut magic = [0; 4];
        input.read_exact(&mut magic)?;
        let first = u32::from_le_bytes(magic);
        let mut file = Self {
            input,
            form: CaptureFormat::Pcapng,
            big_endian: false,
            interfaces: Vec::new(),
            block: Vec::new(),
            offset: 4,
            cut: false,
        };
        if first == SECTION_HEADER {
            file.section()?;
            return Ok(file);
        }
        let (ticks, big_endian) = match (pcap_form(first), pcap_form(first.swap_bytes())) {
            (Some(ticks), _) => (ticks, false),
            (None, Some(ticks)) => (ticks, true),
            (None, None) => return Err(RecordingError::new("not a packet capture")),
        };
        (file.form, file.big_endian) = (CaptureFormat::Pcap { ticks }, big_endian);
        let mut header = [0; 20];
        file.input.read_exact(&mut header)?;
        file.offset += 20;
        // The upper bits describe frame check sequences.
        let link = file.u32(&header, 16) as u16;
        file.interfaces.push(CaptureInterface { link, ticks, offset: 0 });
        Ok(file)
    }

    /// Whether the file ends inside a packet.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The next packet; `None` at the end.
    ///
    /// # Errors
    ///
    /// The rest can't be read.
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>> {
        match self.form {
            CaptureFormat::Pcap { ticks } => self.next_of_pcap(ticks),
            CaptureFormat::Pcapng => self.next_of_pcapng(),
        }
    }

    fn next_of_pcap(&mut self, ticks: u64) -> Result<Option<Packet<'_>>> {
        if !self.fill(16)? {
            return Ok(None);
        }
        let (seconds, fraction) = (self.u32(&self.block, 0), self.u32(&self.block, 4));
        let captured = self.u32(&self.block, 8);
        self.check(captured)?;
        if !self.fill(captured as usize)? {
            return Ok(None);
        }
        let micros =
            i64::from(seconds) * 1_000_000 + (u64::from(fraction) * 1_000_000 / ticks) as i64;
        let link = self.interfaces.first().map_or(0, |one| one.link);
        Ok(Some(Packet { micros, link, bytes: &self.block }))
    }

    fn next_of_pcapng(&mut self) -> Result<Option<Packet<'_>>> {
        loop {
            if !self.fill(4)? {
                return Ok(None);
            }
            let kind = self.u32(&self.block, 0);
            if kind == SECTION_HEADER {
                self.section()?;
                continue;
            }
            if !self.fill(4)? {
                return Ok(None);
            }
            let len = self.u32(&self.block, 0);
            if len < 12 || !len.is_multiple_of(4) {
                return Err(self.wrong(&format!("a block of {len} bytes")));
            }
            self.check(len)?;
            if !self.fill(len as usize - 8)? {
                return Ok(None);
            }
            let body = self.block.len() - 4;
            self.block.truncate(body);
            match kind {
                INTERFACE => self.interface()?,
                ENHANCED_PACKET | OBSOLETE_PACKET if body >= 20 => {
                    let interface = match kind {
                        ENHANCED_PACKET => self.u32(&self.block, 0) as usize,
                        _ => usize::from(self.u16(&self.block, 0)),
                    };
                    let ticks = u64::from(self.u32(&self.block, 4)) << 32
                        | u64::from(self.u32(&self.block, 8));
                    let captured = self.u32(&self.block, 12) as usize;
                    let Some(CaptureInterface { link, ticks: resolution, offset }) =
                        self.interfaces.get(interface).copied()
                    else {
                        return Err(self.wrong("a packet of an interface that is not described"));
                    };
                    let end = (20 + captured).min(body);
                    let micros = i128::from(ticks) * 1_000_000 / i128::from(resolution)
                        + i128::from(offset) * 1_000_000;
                    let micros = i64::try_from(micros).unwrap_or(i64::MAX);
                    return Ok(Some(Packet { micros, link, bytes: &self.block[20..end] }));
                }
                SIMPLE_PACKET if body >= 4 => {
                    let Some(one) = self.interfaces.first().copied() else {
                        return Err(self.wrong("a packet of an interface that is not described"));
                    };
                    let end = (4 + self.u32(&self.block, 0) as usize).min(body);
                    return Ok(Some(Packet {
                        micros: 0,
                        link: one.link,
                        bytes: &self.block[4..end],
                    }));
                }
                _ => {}
            }
        }
    }

    /// Reads a section header, after its type.
    fn section(&mut self) -> Result<()> {
        if !self.fill(8)? {
            return Err(self.wrong("it ends inside the header"));
        }
        self.big_endian = false;
        self.big_endian = match self.u32(&self.block, 4) {
            BYTE_ORDER_MAGIC => false,
            magic if magic.swap_bytes() == BYTE_ORDER_MAGIC => true,
            _ => return Err(self.wrong("no byte order")),
        };
        let len = self.u32(&self.block, 0);
        if len < 28 || !len.is_multiple_of(4) {
            return Err(self.wrong(&format!("a header of {len} bytes")));
        }
        self.check(len)?;
        self.interfaces.clear();
        self.fill(len as usize - 12)?;
        Ok(())
    }

    fn interface(&mut self) -> Result<()> {
        if self.block.len() < 8 {
            return Err(self.wrong("an interface without a description"));
        }
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(self.wrong("too many interfaces"));
        }
        let mut interface =
            CaptureInterface { link: self.u16(&self.block, 0), ticks: 1_000_000, offset: 0 };
        let mut options = &self.block[8..];
        while let Some((head, rest)) = options.split_first_chunk::<4>() {
            let (code, len) = (self.u16(head, 0), usize::from(self.u16(head, 2)));
            let Some(value) = rest.get(..len) else { break };
            match (code, value) {
                (OPTION_RESOLUTION, [power]) => interface.ticks = ticks(*power),
                (OPTION_OFFSET, [..]) if len == 8 => {
                    let (first, second) = (self.u32(value, 0), self.u32(value, 4));
                    let (low, high) =
                        if self.big_endian { (second, first) } else { (first, second) };
                    interface.offset = (u64::from(high) << 32 | u64::from(low)) as i64;
                }
                (0, _) => break,
                _ => {}
            }
            options = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
        self.interfaces.push(interface);
        Ok(())
    }

    /// Reads this many bytes; false at the end of the file.
    fn fill(&mut self, len: usize) -> Result<bool> {
        self.block.clear();
        let n = (&mut self.input).take(len as u64).read_to_end(&mut self.block)?;
        self.offset += n as u64;
        self.cut |= n > 0 && n < len;
        Ok(n == len)
    }

    fn check(&self, len: u32) -> Result<()> {
        match len > MAX_BLOCK {
            true => Err(self.wrong(&format!("a packet of {len} bytes"))),
            false => Ok(()),
        }
    }

    fn wrong(&self, what: &str) -> RecordingError {
        RecordingError::new(format!("the capture is damaged before byte {}: {what}", self.offset))
    }

    fn u32(&self, bytes: &[u8], at: usize) -> u32 {
        let Some((bytes, _)) = bytes.get(at..).and_then(<[u8]>::split_first_chunk) else {
            return 0;
        };
        if self.big_endian { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) }
    }

    fn u16(&self, bytes: &[u8], at: usize) -> u16 {
        let Some((bytes, _)) = bytes.get(at..).and_then(<[u8]>::split_first_chunk) else {
            return 0;
        };
        if self.big_endian { u16::from_be_bytes(*bytes) } else { u16::from_le_bytes(*bytes) }
    }
}

/// The ticks per second of a pcap file with this magic number.
fn pcap_form(magic: u32) -> Option<u64> {
    match magic {
        0xa1b2_c3d4 => Some(1_000_000),
        0xa1b2_3c4d => Some(1_000_000_000),
        _ => None,
    }
}

/// The ticks per second from `if_tsresol`: a power of ten, or of two if the first bit is set.
fn ticks(power: u8) -> u64 {
    let exponent = u32::from(power & 0x7f);
    let ticks =
        if power & 0x80 == 0 { 10u64.checked_pow(exponent) } else { 2u64.checked_pow(exponent) };
    ticks.unwrap_or(u64::MAX)
}
