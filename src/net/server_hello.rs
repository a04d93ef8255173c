//! Reads protocol version and cipher suite from the ServerHello as it passes.
//!
//! The system's TLS libraries do not report them, but the ServerHello is never encrypted (RFC 8446
//! §4.1.3, RFC 5246 §7.4.1.3). Reads bytes, returns facts; it must not know sockets, native-tls or
//! certificates. Any bytes give an answer, and it keeps at most one handshake message of limited
//! size.

use std::fmt;

/// The handshake message type and length, RFC 8446 §4.
const MESSAGE_HEADER: usize = 4;
/// The record's type, version and length, RFC 8446 §5.1.
const RECORD_HEADER: usize = 5;
/// A ServerHello has some hundred bytes; 16 KiB is a whole record.
const MAX_MESSAGE: usize = 16 * 1024;
/// How much of another protocol's greeting is kept for a quotation.
const FIRST_BYTES: usize = 64;

const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;
const SUPPORTED_VERSIONS: u16 = 43;
const CERTIFICATE_REQUEST: u8 = 13;
/// The record after which everything is encrypted.
const CIPHER_CHANGED: u8 = 20;
const TLS_1_3: u16 = 0x0304;

/// RFC 8446 §4.1.3: a HelloRetryRequest is a ServerHello "with Random set to the
/// special value of the SHA-256 of "HelloRetryRequest"".
const HELLO_RETRY_REQUEST: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A protocol version as on the wire, such as 0x0304.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProtocolVersion(pub u16);

/// A cipher suite as on the wire, such as 0x1301.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CipherSuite(pub u16);

/// The server's choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerHello {
    /// The agreed version.
    pub version: ProtocolVersion,
    /// The agreed cipher suite.
    pub cipher_suite: CipherSuite,
}

/// The tap's result so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelloState {
    /// No ServerHello yet.
    Nothing,
    /// The final ServerHello; later bytes are ignored.
    ServerHello(ServerHello),
    /// The stream does not begin like TLS.
    NotTls,
    /// TLS records, but no readable ServerHello in its place.
    Unreadable,
}

/// The tap: pass the server's bytes to it until it has a result.
#[derive(Debug, Clone)]
pub struct ServerHelloTap {
    state: HelloState,
    first: Vec<u8>,
    header: [u8; RECORD_HEADER],
    header_len: usize,
    /// The number of records begun.
    records: usize,
    /// The number of missing bytes of the current record.
    body_left: usize,
    /// Handshake bytes from the current message on, joined over records.
    message: Vec<u8>,
    /// The number of bytes to skip of a message after the ServerHello.
    skipped: usize,
    /// A CertificateRequest arrived in plain text, which is only possible up to TLS 1.2.
    wants_certificate: bool,
}

impl ServerHelloTap {
    /// A tap for a new stream.
    pub fn new() -> Self {
        Self {
            state: HelloState::Nothing,
            first: Vec::new(),
            header: [0; RECORD_HEADER],
            header_len: 0,
            records: 0,
            body_left: 0,
            message: Vec::new(),
            skipped: 0,
            wants_certificate: false,
        }
    }

    /// Whether the server requested a certificate, if that is visible.
    pub fn wants_certificate(&self) -> bool {
        self.wants_certificate
    }

    /// The result so far.
    pub fn state(&self) -> HelloState {
        self.state
    }

    /// The first bytes of the stream, at most 64.
    pub fn first_bytes(&self) -> &[u8] {
        &self.first
    }

    /// Takes the next bytes from the server.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        let wanted = FIRST_BYTES - self.first.len();
        self.first.extend_from_slice(&bytes[..wanted.min(bytes.len())]);

        while self.is_readable() && !bytes.is_empty() {
            if self.body_left == 0 {
                self.feed_header(&mut bytes);
            } else {
                let part = bytes.len().min(self.body_left);
                self.body_left -= part;
                // Alerts and change_cipher_spec records may come between them.
                if self.header[0] == HANDSHAKE {
                    self.message.extend_from_slice(&bytes[..part]);
                    self.read_messages();
                }
                bytes = &bytes[part..];
            }
        }
        if !self.is_readable() {
            self.message = Vec::new();
        }
    }

    /// Whether the next data can be read: up to TLS 1.2, the whole handshake is plain text.
    fn is_readable(&self) -> bool {
        match self.state {
            HelloState::Nothing => true,
            HelloState::ServerHello(hello) => {
                hello.version.0 < TLS_1_3
                    && !self.wants_certificate
                    && self.header[0] != CIPHER_CHANGED
            }
            HelloState::NotTls | HelloState::Unreadable => false,
        }
    }

    /// After the ServerHello, only the types of messages matter.
    fn pass_over(&mut self) {
        loop {
            let part = self.skipped.min(self.message.len());
            self.message.drain(..part);
            self.skipped -= part;
            let [kind, a, b, c, ..] = *self.message.as_slice() else { return };
            self.wants_certificate |= kind == CERTIFICATE_REQUEST;
            self.message.drain(..MESSAGE_HEADER);
            self.skipped = u32::from_be_bytes([0, a, b, c]) as usize;
        }
    }

    fn feed_header(&mut self, bytes: &mut &[u8]) {
        let part = bytes.len().min(RECORD_HEADER - self.header_len);
        self.header[self.header_len..self.header_len + part].copy_from_slice(&bytes[..part]);
        self.header_len += part;
        *bytes = &bytes[part..];

        // RFC 8446 §5.1 numbers the content types 20 to 23; RFC 6520 adds 24.
        // The version's first byte is 3 from SSL 3.0 to TLS 1.3.
        let looks_like_tls =
            matches!(self.header[0], 20..=24) && (self.header_len < 2 || self.header[1] == 3);
        if !looks_like_tls {
            self.state = match self.state {
                HelloState::ServerHello(hello) => HelloState::ServerHello(hello),
                _ if self.records == 0 => HelloState::NotTls,
                _ => HelloState::Unreadable,
            };
            // Nothing more can be read.
            *bytes = &[];
        } else if self.header_len == RECORD_HEADER {
            self.body_left = usize::from(u16::from_be_bytes([self.header[3], self.header[4]]));
            self.header_len = 0;
            self.records += 1;
        }
    }

    /// Takes complete handshake messages from the front of `message`.
    fn read_messages(&mut self) {
        if matches!(self.state, HelloState::ServerHello(_)) {
            return self.pass_over();
        }
        while let [kind, a, b, c, body @ ..] = self.message.as_slice() {
            let len = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            if *kind != SERVER_HELLO || len > MAX_MESSAGE {
                self.state = HelloState::Unreadable;
                return;
            }
            let Some(body) = body.get(..len) else { return };
            match parse_server_hello(body) {
                None => self.state = HelloState::Unreadable,
                Some((random, _)) if random == HELLO_RETRY_REQUEST => {
                    self.message.drain(..MESSAGE_HEADER + len);
                    continue;
                }
                Some((_, hello)) => {
                    self.state = HelloState::ServerHello(hello);
                    self.message.drain(..MESSAGE_HEADER + len);
                    self.pass_over();
                }
            }
            return;
        }
    }
}

impl Default for ServerHelloTap {
    fn default() -> Self {
        Self::new()
    }
}

/// The random and the choices in the body of a ServerHello, RFC 8446 §4.1.3.
fn parse_server_hello(body: &[u8]) -> Option<([u8; 32], ServerHello)> {
    let (legacy_version, rest) = body.split_first_chunk()?;
    let (random, rest) = rest.split_first_chunk()?;
    let (session_id_len, rest) = rest.split_first()?;
    let rest = rest.get(usize::from(*session_id_len)..)?;
    let (cipher_suite, rest) = rest.split_first_chunk()?;
    let (_compression, extensions) = rest.split_first()?;
    let hello = ServerHello {
        // RFC 8446 §4.2.1: "If this extension is present, clients MUST ignore
        // the ServerHello.legacy_version value and MUST use only the
        // "supported_versions" extension to determine the selected version."
        version: supported_version(extensions)
            .unwrap_or(ProtocolVersion(u16::from_be_bytes(*legacy_version))),
        cipher_suite: CipherSuite(u16::from_be_bytes(*cipher_suite)),
    };
    Some((*random, hello))
}

/// The supported_versions extension's value; TLS 1.2 servers send none.
fn supported_version(extensions: &[u8]) -> Option<ProtocolVersion> {
    let (_total, mut rest) = extensions.split_first_chunk::<2>()?;
    loop {
        let (kind, after) = rest.split_first_chunk::<2>()?;
        let (len, after) = after.split_first_chunk::<2>()?;
        let (value, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        if u16::from_be_bytes(*kind) == SUPPORTED_VERSIONS {
            return value.try_into().ok().map(|v| ProtocolVersion(u16::from_be_bytes(v)));
        }
        rest = after;
    }
}

/// `TLS 1.3`, or the number if the version has no name.
impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0x0300 => f.write_str("SSL 3.0"),
            minor @ 0x0301..=0x0304 => write!(f, "TLS 1.{}", minor - 0x0301),
            other => write!(f, "0x{other:04x}"),
        }
    }
}

/// The IANA name, or the number if it is not in our table.
impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match CIPHER_SUITES.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "0x{:04x}", self.0),
        }
    }
}

/// The IANA "TLS Cipher Suites" registry, limited to those that servers still choose: all of TLS
/// 1.3, and those that OpenSSL and SChannel offer for TLS 1.2 and before.
const CIPHER_SUITES: [(u16, &str); 60] = [
    (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"),
    (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256"),
    (0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256"),
    (0x0041, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA"),
    (0x0045, "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA"),
    (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
    (0x0084, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA"),
    (0x0088, "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA"),
    (0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    (0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0x00a8, "TLS_PSK_WITH_AES_128_GCM_SHA256"),
    (0x00a9, "TLS_PSK_WITH_AES_256_GCM_SHA384"),
    (0x1301, "TLS_AES_128_GCM_SHA256"),
    (0x1302, "TLS_AES_256_GCM_SHA384"),
    (0x1303, "TLS_CHACHA20_POLY1305_SHA256"),
    (0x1304, "TLS_AES_128_CCM_SHA256"),
    (0x1305, "TLS_AES_128_CCM_8_SHA256"),
    (0x1306, "TLS_AEGIS_256_SHA512"),
    (0x1307, "TLS_AEGIS_128L_SHA256"),
    (0xc008, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA"),
    (0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    (0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    (0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    (0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    (0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
    (0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    (0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    (0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    (0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0xc05c, "TLS_ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256"),
    (0xc05d, "TLS_ECDHE_ECDSA_WITH_ARIA_256_GCM_SHA384"),
    (0xc060, "TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256"),
    (0xc061, "TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384"),
    (0xc072, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256"),
    (0xc073, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384"),
    (0xc076, "TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256"),
    (0xc077, "TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384"),
    (0xc09c, "TLS_RSA_WITH_AES_128_CCM"),
    (0xc09d, "TLS_RSA_WITH_AES_256_CCM"),
    (0xc09e, "TLS_DHE_RSA_WITH_AES_128_CCM"),
    (0xc09f, "TLS_DHE_RSA_WITH_AES_256_CCM"),
    (0xc0ac, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM"),
    (0xc0ad, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM"),
    (0xc0ae, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"),
    (0xc0af, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8"),
    (0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xccac, "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"),
];

#[cfg(test)]
mod tests {
    use super::*;

    // Captured from `openssl s_server` 3.0, answering `openssl s_client`.
    const TLS_1_3: &str = "160303007a02000076030378a371299d656d40a914026165dc13b67976104e96f9\
        0c9f44c01792968de8452026304943d99f506a08563cc0818fb75f3bbcd7abff33d952d2ea9a8b1be24ed51302\
        00002e002b0002030400330024001d0020afa47b1f236050584231307ef2a82d201e3b2dd383dfeaf85b5b8d55\
        6b8f2d29140303000101";
    const TLS_1_2: &str = "16030300410200003d0303ef19eb2b41635fb5b7264f7bec9c438965b363b4cb03f\
        ff569c572263cb8bab300c02c000015ff01000100000b0004030001020023000000170000";
    /// `s_server -groups P-384`: a HelloRetryRequest, then the ServerHello.
    const TLS_1_3_AFTER_RETRY: &str = "1603030058020000540303cf21ad74e59a6111be1d8c021e65b891c\
        2a211167abb8c5e079e09e2c8a8339c20014722bda47a6e23a306aa74c8f9b4b16d5fd8b3b97c9883ec0ff0d9b0\
        b3737f130300000c002b0002030400330002001814030300010116030300bb020000b703035c3d3dfa7fbc0dcbb\
        4c9d8f3527ca1c194c595a5160f17c7814a799e02154ad620014722bda47a6e23a306aa74c8f9b4b16d5fd8b3b9\
        7c9883ec0ff0d9b0b3737f130300006f002b0002030400330065001800610427ad8340cb39ffcabb90680c1846d\
        b2afd37c9844ff1654c8e00068ad163a2452bab301b75cdc6a55272e61a380de189c703c53ab55c872f39cbedb9\
        abf0d82a28ba84c492f7e4dc343e33c06700fa6ca3dc0ca972e7ea90d0cfe06693759380";

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap())
            .collect()
    }

    fn feed_all(chunks: impl IntoIterator<Item = impl AsRef<[u8]>>) -> HelloState {
        let mut tap = ServerHelloTap::new();
        chunks.into_iter().for_each(|chunk| tap.feed(chunk.as_ref()));
        tap.state()
    }

    /// Feeds a test vector in one piece, byte by byte, and with trailing bytes.
    fn fed_all_ways(bytes: &[u8]) -> HelloState {
        let state = feed_all([bytes]);
        assert_eq!(feed_all(bytes.chunks(1)), state, "byte by byte");
        assert_eq!(feed_all([bytes, b"trailing bytes"]), state, "with trailing bytes");
        state
    }

    fn server_hello(version: u16, cipher_suite: u16) -> HelloState {
        HelloState::ServerHello(ServerHello {
            version: ProtocolVersion(version),
            cipher_suite: CipherSuite(cipher_suite),
        })
    }

    #[test]
    fn tls_1_3_is_recognised_by_supported_versions() {
        assert_eq!(fed_all_ways(&hex(TLS_1_3)), server_hello(0x0304, 0x1302));
    }

    #[test]
    fn tls_1_2_is_recognised_by_the_legacy_version() {
        assert_eq!(fed_all_ways(&hex(TLS_1_2)), server_hello(0x0303, 0xc02c));
    }

    #[test]
    fn a_hello_retry_request_is_passed_over() {
        let bytes = hex(TLS_1_3_AFTER_RETRY);
        assert_eq!(feed_all([&bytes[..99]]), HelloState::Nothing);
        assert_eq!(fed_all_ways(&bytes), server_hello(0x0304, 0x1303));
    }

    #[test]
    fn a_message_may_be_split_over_records_with_alerts_between() {
        let whole = hex(TLS_1_2);
        let mut split = vec![21, 3, 3, 0, 2, 1, 112]; // a warning: unrecognized_name
        for part in whole[RECORD_HEADER..].chunks(7) {
            split.extend([22, 3, 3, 0, u8::try_from(part.len()).unwrap()]);
            split.extend(part);
            split.extend([22, 3, 3, 0, 0]);
        }
        assert_eq!(fed_all_ways(&split), server_hello(0x0303, 0xc02c));
    }

    #[test]
    fn no_prefix_is_enough() {
        let bytes = hex(TLS_1_3);
        let record = RECORD_HEADER + 0x7a;
        for len in 0..record {
            assert_eq!(feed_all([&bytes[..len]]), HelloState::Nothing, "{len} bytes");
        }
    }

    #[test]
    fn other_protocols_are_not_tls_from_their_first_byte() {
        for greeting in ["HTTP/1.1 400 Bad Request\r\n", "SSH-2.0-x", "\x16HTTP", "\0\0"] {
            assert_eq!(fed_all_ways(greeting.as_bytes()), HelloState::NotTls, "{greeting:?}");
        }
        let mut tap = ServerHelloTap::new();
        tap.feed(b"H");
        assert_eq!(tap.state(), HelloState::NotTls);
        tap.feed(&[b'x'; 200]);
        assert_eq!(tap.first_bytes().len(), FIRST_BYTES);
    }

    #[test]
    fn another_message_or_a_cut_one_is_unreadable() {
        assert_eq!(fed_all_ways(&[22, 3, 3, 0, 4, 11, 0, 0, 0]), HelloState::Unreadable);
        assert_eq!(fed_all_ways(&[22, 3, 3, 0, 4, 2, 255, 255, 255]), HelloState::Unreadable);
        assert_eq!(fed_all_ways(&[22, 3, 3, 0, 5, 2, 0, 0, 1, 3]), HelloState::Unreadable);
    }

    #[test]
    fn flipped_bytes_never_panic() {
        let bytes = hex(TLS_1_3_AFTER_RETRY);
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut broken = bytes.clone();
                broken[at] = value;
                assert_eq!(feed_all([&broken]), feed_all(broken.chunks(1)), "byte {at} is {value}");
            }
        }
    }

    #[test]
    fn versions_and_cipher_suites_have_names() {
        assert_eq!(ProtocolVersion(0x0304).to_string(), "TLS 1.3");
        assert_eq!(ProtocolVersion(0x0301).to_string(), "TLS 1.0");
        assert_eq!(ProtocolVersion(0x7f1c).to_string(), "0x7f1c");
        assert_eq!(CipherSuite(0x1301).to_string(), "TLS_AES_128_GCM_SHA256");
        assert_eq!(CipherSuite(0x4a4a).to_string(), "0x4a4a");
        assert!(CIPHER_SUITES.is_sorted_by_key(|(number, _)| *number));
    }
}
