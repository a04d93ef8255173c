//! RFB, which noVNC uses through websockify: RFC 6143. A packet may span messages, and a message may
//! hold several packets.
//!
//! The handshake and what the client sends are read. Drawings of the server depend on encodings, so
//! they are only counted; typed keys are not shown.

use crate::lens::decoded;
use crate::lens::kept::{Next, Streams, Want};
use crate::lens::payload::cursor::Cursor;
use crate::lens::text::brief;
use crate::lens::{AwaitedMessage, Decoded, LARGEST, Lens, LensMessage, Protocol};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "rfb",
    word: "rfb",
    title: "RFB (VNC)",
    subprotocols: &["binary"],
    url: |url| crate::lens::text::path_ends(url, "/websockify"),
    beginning: |message| version(message.content).is_some(),
    begins_like_others: false,
    lens: |_| Box::new(Rfb::default()),
    commands: &[],
};

const NAME: &str = "rfb";

/// `RFB 003.008\n`, §7.1.1.
const VERSION: usize = 12;

fn version(bytes: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(bytes.get(..VERSION)?).ok()?;
    text.strip_prefix("RFB 003.")?.strip_suffix('\n')?.parse().ok()
}

/// The next packet of a side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum RfbPhase {
    #[default]
    Version,
    Security,
    /// The challenge of VNC authentication, or its response.
    Challenge,
    SecurityResult,
    Init,
    Messages,
    /// Data that can't be divided into packets.
    Opaque,
}

#[derive(Default)]
struct Rfb {
    streams: Streams<(RfbPhase, Vec<u8>)>,
    /// The phases of the server and of the client.
    phases: [RfbPhase; 2],
    minor: u32,
    screen: String,
}

const SECURITY: [&str; 3] = ["invalid", "None", "VNC authentication"];

/// The messages of a client: names and lengths, §7.5. For some, the content decides the length. The
/// last ones are extensions that noVNC uses.
const MESSAGES: [(u8, &str, usize); 11] = [
    (0, "SetPixelFormat", 20),
    (2, "SetEncodings", 4),
    (3, "FramebufferUpdateRequest", 10),
    (4, "KeyEvent", 8),
    (5, "PointerEvent", 6),
    (6, "ClientCutText", 8),
    (150, "EnableContinuousUpdates", 10),
    (248, "ClientFence", 9),
    (250, "xvp", 4),
    (251, "SetDesktopSize", 8),
    (255, "QEMU extended KeyEvent", 12),
];

/// The length of the next packet in a phase; `Ok(None)` if more data is needed to know it.
fn length(
    phase: RfbPhase,
    from_client: bool,
    minor: u32,
    bytes: &[u8],
) -> Result<Option<usize>, ()> {
    let number = |at: usize| {
        let four = bytes.get(at..at + 4)?;
        Some(u32::from_be_bytes([four[0], four[1], four[2], four[3]]) as usize)
    };
    Ok(match (phase, from_client) {
        (RfbPhase::Version, _) => Some(VERSION),
        (RfbPhase::Security, true) => Some(1),
        // No type, but a reason.
        (RfbPhase::Security, false) if minor < 7 && number(0) == Some(0) => {
            number(4).map(|len| len.saturating_add(8))
        }
        (RfbPhase::Security, false) if minor < 7 => Some(4),
        // No type, but a reason.
        (RfbPhase::Security, false) if bytes.first() == Some(&0) => {
            number(1).map(|len| len.saturating_add(5))
        }
        (RfbPhase::Security, false) => bytes.first().map(|all| 1 + usize::from(*all)),
        (RfbPhase::Challenge, _) => Some(16),
        (RfbPhase::SecurityResult, _) => match number(0) {
            Some(0) => Some(4),
            Some(_) if minor >= 8 => number(4).map(|len| len.saturating_add(8)),
            result => result.map(|_| 4),
        },
        (RfbPhase::Init, true) => Some(1),
        (RfbPhase::Init, false) => number(20).map(|len| len.saturating_add(24)),
        (RfbPhase::Messages, true) => {
            let Some(kind) = bytes.first() else { return Ok(None) };
            let (_, _, len) = MESSAGES.iter().find(|row| row.0 == *kind).ok_or(())?;
            match kind {
                2 => bytes
                    .get(2..4)
                    .map(|all| 4 + 4 * usize::from(u16::from_be_bytes([all[0], all[1]]))),
                // The extended clipboard has a negative length.
                6 => number(4).map(|text| (text as u32 as i32).unsigned_abs() as usize + 8),
                248 => bytes.get(8).map(|payload| 9 + usize::from(*payload)),
                251 => bytes.get(6).map(|screens| 8 + 16 * usize::from(*screens)),
                // The other messages of QEMU are about audio.
                255 if bytes.get(1).is_some_and(|kind| *kind != 0) => return Err(()),
                _ => Some(*len),
            }
        }
        (RfbPhase::Messages, false) | (RfbPhase::Opaque, _) => Some(bytes.len()),
    })
}

impl Rfb {
    fn look(&mut self, phase: RfbPhase, packet: &[u8], from_client: bool) -> Decoded {
        let mut from = Cursor::new(packet);
        let new = |kind: &str, more: String| {
            Decoded::new(NAME, kind, format!("{kind}{more}")).field("type", kind)
        };
        match (phase, from_client) {
            (RfbPhase::Version, _) => {
                let minor = version(packet).unwrap_or_default();
                new("version", format!(" 3.{minor}")).field("minor", minor)
            }
            (RfbPhase::Security, false) if self.minor < 7 && packet.starts_with(&[0; 4]) => {
                let why = String::from_utf8_lossy(packet.get(8..).unwrap_or_default());
                new("refused", format!(" {}", brief(&why))).refuses_if(true)
            }
            (RfbPhase::Security, false) if self.minor < 7 => {
                new("security", format!(" {}", security(packet[3])))
            }
            (RfbPhase::Security, false) if packet[0] == 0 => {
                new("refused", format!(" {}", brief(&String::from_utf8_lossy(&packet[5..]))))
                    .refuses_if(true)
            }
            (RfbPhase::Security, false) => {
                let all: Vec<_> = packet[1..].iter().map(|kind| security(*kind)).collect();
                new("security types", format!(" {}", all.join(", ")))
            }
            (RfbPhase::Security, true) => new("security type", format!(" {}", security(packet[0]))),
            (RfbPhase::Challenge, false) => new("challenge", String::new()),
            (RfbPhase::Challenge, true) => new("response", String::new()),
            (RfbPhase::SecurityResult, _) => match from.u32() {
                Some(0) => new("security result", " OK".to_owned()),
                _ => {
                    let why = String::from_utf8_lossy(packet.get(8..).unwrap_or_default());
                    new("security result", format!(" failed {}", brief(&why)))
                }
            },
            (RfbPhase::Init, true) => {
                let shared = packet[0] != 0;
                new("ClientInit", if shared { " shared" } else { "" }.to_owned())
            }
            (RfbPhase::Init, false) => {
                let (width, height) = (from.u16().unwrap_or(0), from.u16().unwrap_or(0));
                let name = String::from_utf8_lossy(&packet[24..]);
                self.screen = format!("{width}x{height} {}", brief(&name));
                new("ServerInit", format!(" {}", self.screen))
                    .field("width", width)
                    .field("height", height)
                    .field("name", &*name)
            }
            (RfbPhase::Messages, true) => {
                let row = MESSAGES.iter().find(|row| row.0 == packet[0]);
                let name = row.map_or("message", |row| row.1);
                match packet[0] {
                    // Typed keys may be a password.
                    2 => new(name, format!(" ({})", (packet.len() - 4) / 4)),
                    6 => new(name, format!(" {} B", packet.len() - 8)),
                    _ => new(name, String::new()),
                }
            }
            (RfbPhase::Messages | RfbPhase::Opaque, _) => {
                new("data", format!(" {} B", packet.len()))
            }
        }
    }

    /// Sets the phases after a packet.
    fn after(&mut self, phase: RfbPhase, packet: &[u8], from_client: bool) {
        let phases = &mut self.phases;
        match (phase, from_client) {
            (RfbPhase::Version, true) => {
                self.minor = version(packet).unwrap_or_default();
                // Before version 3.7, the server chooses.
                phases[1] = if self.minor < 7 { RfbPhase::Init } else { RfbPhase::Security };
            }
            (RfbPhase::Version, false) => phases[0] = RfbPhase::Security,
            (RfbPhase::Security, false) if self.minor < 7 => self.secured(packet[3]),
            (RfbPhase::Security, true) => self.secured(packet[0]),
            (RfbPhase::Security, false) => {}
            (RfbPhase::Challenge, true) => phases[1] = RfbPhase::Init,
            (RfbPhase::Challenge, false) => phases[0] = RfbPhase::SecurityResult,
            (RfbPhase::SecurityResult, _) => phases[0] = RfbPhase::Init,
            (RfbPhase::Init, _) => phases[usize::from(from_client)] = RfbPhase::Messages,
            (RfbPhase::Messages | RfbPhase::Opaque, _) => {}
        }
    }

    fn secured(&mut self, security: u8) {
        self.phases = match (security, self.minor) {
            (1, 8..) => [RfbPhase::SecurityResult, RfbPhase::Init],
            (1, _) => [RfbPhase::Init, RfbPhase::Init],
            (2, _) => [RfbPhase::Challenge, RfbPhase::Challenge],
            _ => [RfbPhase::Opaque, RfbPhase::Opaque],
        };
    }
}

fn security(kind: u8) -> String {
    SECURITY.get(usize::from(kind)).map_or_else(|| kind.to_string(), |name| (*name).to_owned())
}

impl Lens for Rfb {
    fn read(&mut self, message: &LensMessage<'_>) -> Option<Vec<Decoded>> {
        let from_client = message.from_client();
        let mut streams = std::mem::take(&mut self.streams);
        let packets = streams.packets(message, message.content.len() as u64, |bytes| {
            let phase = self.phases[usize::from(from_client)];
            // The next packet may depend on the other side.
            if bytes.is_empty() {
                return Next::Incomplete(Want::Any);
            }
            match length(phase, from_client, self.minor, bytes) {
                Err(()) => Next::Wrong,
                Ok(Some(len)) if len > LARGEST => Next::Wrong,
                Ok(Some(len)) if len > 0 && bytes.len() >= len => {
                    let packet = &bytes[..len];
                    if phase == RfbPhase::Version && version(packet).is_none() {
                        return Next::Wrong;
                    }
                    self.after(phase, packet, from_client);
                    Next::Packet((phase, packet.to_vec()), len)
                }
                Ok(Some(len)) if len > 0 => Next::Incomplete(Want::Bytes(len)),
                Ok(_) => Next::Incomplete(Want::Any),
            }
        });
        self.streams = streams;
        let mut look = |(phase, packet): (_, Vec<u8>)| self.look(phase, &packet, from_client);
        decoded::packets(packets?.into_iter().map(|taken| Some(taken.looked_at(NAME, &mut look))))
    }

    fn expects(&self) -> Option<AwaitedMessage> {
        match self.phases {
            [RfbPhase::Version, _] => {
                Some(AwaitedMessage::of_server("its version", "the client sends nothing before it"))
            }
            [_, RfbPhase::Version] => {
                Some(AwaitedMessage::of_client("its version", "the server sends nothing before it"))
            }
            [_, RfbPhase::Security] => Some(AwaitedMessage::of_client(
                "the security type",
                "the server sends nothing before it",
            )),
            [_, RfbPhase::Init] => Some(AwaitedMessage::of_client(
                "ClientInit",
                "the server describes its screen only after it",
            )),
            _ => None,
        }
    }

    fn state(&self) -> Vec<(&'static str, String)> {
        vec![("version", format!("3.{}", self.minor)), ("screen", self.screen.clone())]
    }
}

#[cfg(test)]
mod tests {
    use crate::lens::protocol::tests::Script;

    #[test]
    fn a_handshake_of_3_8() {
        for size in [1, 5, 1000] {
            let mut script = Script::auto("binary", "/websockify");
            let mut all = |from_client: bool, bytes: &[u8]| -> Vec<String> {
                let parts = bytes.chunks(size);
                match from_client {
                    true => parts.flat_map(|part| script.client_bytes(part)).collect(),
                    false => parts.flat_map(|part| script.server_bytes(part)).collect(),
                }
            };
            assert_eq!(all(false, b"RFB 003.008\n"), ["version 3.8"]);
            assert_eq!(all(true, b"RFB 003.008\n"), ["version 3.8"]);
            assert_eq!(all(false, b"\x02\x01\x02"), ["security types None, VNC authentication"]);
            assert_eq!(all(true, b"\x02"), ["security type VNC authentication"]);
            assert_eq!(all(false, &[7; 16]), ["challenge"]);
            assert_eq!(all(true, &[8; 16]), ["response"]);
            assert_eq!(all(false, b"\0\0\0\0"), ["security result OK"]);
            assert_eq!(all(true, b"\x01"), ["ClientInit shared"]);
            let init = [b"\x04\0\x03\0", &[0; 16][..], b"\0\0\0\x04desk"].concat();
            assert_eq!(all(false, &init), ["ServerInit 1024x768 desk"]);
            let lines =
                all(true, b"\x02\0\0\x01\0\0\0\0\x03\0\0\0\0\0\0\0\0\0\x06\0\0\0\0\0\0\x02hi");
            assert_eq!(
                lines,
                ["SetEncodings (1)", "FramebufferUpdateRequest", "ClientCutText 2 B"]
            );
        }
    }

    #[test]
    fn extensions_of_no_vnc_have_their_lengths() {
        let mut script = Script::of("rfb", "binary", "/");
        script.server_bytes(b"RFB 003.008\n");
        script.client_bytes(b"RFB 003.008\n");
        script.server_bytes(b"\x01\x01");
        script.client_bytes(b"\x01");
        script.server_bytes(b"\0\0\0\0");
        script.client_bytes(b"\x01");
        let key = [&[255, 0][..], &[0; 10]].concat();
        let fence = [&[248, 0, 0, 0, 0, 0, 0, 0, 2][..], b"ab"].concat();
        let size = [&[251, 0, 4, 0, 3, 0, 1, 0][..], &[0; 16]].concat();
        let clipboard = b"\x06\0\0\0\xff\xff\xff\xfcabcd".to_vec();
        let updates = [&[150][..], &[0; 9]].concat();
        let lines = script.client_bytes(&[key, fence, size, clipboard, updates].concat());
        assert_eq!(lines.len(), 5, "{lines:?}");
        assert_eq!(lines[4], "EnableContinuousUpdates");
    }

    #[test]
    fn a_flood_of_packets_is_counted() {
        let mut script = Script::of("rfb", "binary", "/");
        script.server_bytes(b"RFB 003.008\n");
        script.client_bytes(b"RFB 003.008\n");
        script.server_bytes(b"\x01\x01");
        script.client_bytes(b"\x01");
        script.server_bytes(b"\0\0\0\0");
        script.client_bytes(b"\x01");
        let lines = script.client_bytes(&b"\x05\0\0\0\0\0".repeat(1500));
        assert_eq!(lines.len(), 1001);
        assert_eq!(lines[1000], "and 500 packets more");
    }
}
