//! A client pipe and a server pipe, joined in memory.
//!
//! Only on Linux: elsewhere native-tls cannot import the elliptic-curve keys
//! that `rcgen` makes.

use std::io::Write as _;

use native_tls::Identity;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::NamedTempFile;

use super::*;
use crate::net::files::FileOnce;

/// A certificate authority that no system trusts, and its certificates.
pub(crate) struct Authority {
    pub(super) issuer: Issuer<'static, KeyPair>,
    pub(super) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("authority")
    }

    pub(super) fn named(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub(crate) fn acceptor(&self, names: &[&str]) -> TlsAcceptor {
        self.acceptor_with(names, |_| {})
    }

    pub(super) fn acceptor_with(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        acceptor(&certificate, &key)
    }

    /// Client options that trust this authority, and its file.
    pub(crate) fn trusted(&self) -> (TlsOptions, NamedTempFile) {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(self.pem.as_bytes()).unwrap();
        let cacert = Some(FileOnce::new(file.path().to_owned()));
        (TlsOptions { cacert, ..TlsOptions::default() }, file)
    }
}

/// For tests of other modules: a server with a certificate that clients need not trust.
pub(crate) fn test_acceptor() -> TlsAcceptor {
    Authority::new().acceptor(&["localhost"])
}

fn acceptor(certificate: &str, key: &KeyPair) -> TlsAcceptor {
    let identity =
        Identity::from_pkcs8(certificate.as_bytes(), key.serialize_pem().as_bytes()).unwrap();
    TlsAcceptor::new(identity).unwrap()
}

/// Irregular chunk sizes, the same in each run (xorshift).
struct Chunks(u32);

impl Chunks {
    fn next(&mut self, max: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        1 + self.0 as usize % max
    }
}

/// The output of one pipe as the other pipe's socket, limited to this many bytes at a time.
struct Link<'a>(&'a mut TlsPipe, usize);

impl Read for Link<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let max = buf.len().min(self.1);
        match self.0.write_tls(&mut &mut buf[..max])? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            sent => Ok(sent),
        }
    }
}

/// Moves some of the waiting ciphertext, at most `max` bytes.
pub(super) fn carry(from: &mut TlsPipe, to: &mut TlsPipe, max: usize) {
    if to.wants_ciphertext() {
        let _nothing_is_an_error = to.read_tls(&mut Link(from, max));
    }
}

/// Joins client and server in steps of `max` bytes until both have nothing more to do.
pub(super) fn join(
    client: &mut TlsPipe,
    server: &mut TlsPipe,
    max: usize,
) -> [Result<Handshake, TlsError>; 2] {
    loop {
        let results = [client.handshake(), server.handshake()];
        let waiting = results.contains(&Ok(Handshake::InProgress));
        let stuck = client.pending_ciphertext() + server.pending_ciphertext() == 0;
        if !waiting || stuck {
            return results;
        }
        carry(client, server, max);
        carry(server, client, max);
    }
}

/// An open connection to `localhost`, verified.
pub(super) fn open_pair() -> (TlsPipe, TlsPipe) {
    let authority = Authority::new();
    let (options, _file) = authority.trusted();
    let mut client = TlsPipe::client("localhost", &options).unwrap();
    let mut server = TlsPipe::server(&authority.acceptor(&["localhost"])).unwrap();
    assert_eq!(join(&mut client, &mut server, 100_000), [Ok(Handshake::Done), Ok(Handshake::Done)]);
    carry(&mut server, &mut client, 100_000);
    (client, server)
}

fn client_error(host: &str, options: &TlsOptions, acceptor: &TlsAcceptor) -> TlsError {
    let mut client = TlsPipe::client(host, options).unwrap();
    let mut server = TlsPipe::server(acceptor).unwrap();
    let [result, _] = join(&mut client, &mut server, 100_000);
    result.unwrap_err()
}

pub(super) fn problem(error: &TlsError) -> Option<CertificateProblem> {
    match error {
        TlsError::Certificate { problem, .. } => Some(*problem),
        _ => None,
    }
}

#[test]
fn the_client_hello_waits_from_the_start() {
    let mut client = TlsPipe::client("localhost", &TlsOptions::default()).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    assert_eq!(hello[..2], [22, 3]);
    let asks_for = |text: &[u8]| hello.windows(text.len()).any(|window| window == text);
    assert!(asks_for(b"localhost") && asks_for(b"\x08http/1.1"));
    assert_eq!(client.handshake(), Ok(Handshake::InProgress));
    assert_eq!(client.write_plain(b"too early"), Ok(0));
    assert_eq!(client.read_plain(&mut [0; 9]), Ok(PlainRead::Empty));
    assert_eq!(client.facts(), None);
}

#[test]
fn the_handshake_works_in_steps_of_any_size() {
    let authority = Authority::new();
    let (options, _file) = authority.trusted();
    let acceptor = authority.acceptor(&["localhost"]);
    for max in [1, 2, 5, 77, 1_000, 100_000] {
        let mut client = TlsPipe::client("localhost.", &options).unwrap();
        let mut server = TlsPipe::server(&acceptor).unwrap();
        let results = join(&mut client, &mut server, max);
        assert_eq!(results, [Ok(Handshake::Done), Ok(Handshake::Done)], "{max} bytes");
    }
}

#[test]
fn both_sides_know_what_was_agreed_on() {
    let (client, server) = open_pair();
    let facts = client.facts().unwrap();
    // native-tls's server supports at most TLS 1.2.
    assert_eq!(facts.version.as_deref(), Some("TLS 1.2"));
    assert!(facts.cipher.as_deref().unwrap().starts_with("TLS_ECDHE_ECDSA_WITH_"));
    assert!(facts.verified);
    assert_eq!(facts.certificate.as_ref().unwrap().names, ["localhost"]);

    let facts = server.facts().unwrap();
    assert_eq!(facts.version, client.facts().unwrap().version);
    assert_eq!(facts.cipher, client.facts().unwrap().cipher);
    assert_eq!((facts.certificate.as_ref(), facts.verified), (None, false));
}

#[test]
fn ten_megabytes_flow_both_ways_at_once_within_bounds() {
    const TOTAL: usize = 10_000_000;
    let (mut client, mut server) = open_pair();
    let data: Vec<u8> = (0..TOTAL).map(|i| (i % 251) as u8).collect();
    let mut chunks = Chunks(0x5eed);
    let mut buf = vec![0; 100_000];
    let (mut sent, mut received) = ([0, 0], [0, 0]);
    while received != [TOTAL, TOTAL] {
        for (side, pipe) in [&mut client, &mut server].into_iter().enumerate() {
            let end = TOTAL.min(sent[side] + chunks.next(600_000));
            sent[side] += pipe.write_plain(&data[sent[side]..end]).unwrap();
            assert!(pipe.pending_ciphertext() < OUTGOING_LIMIT + 17_000);

            let part = chunks.next(buf.len());
            if let PlainRead::Data(count) = pipe.read_plain(&mut buf[..part]).unwrap() {
                let from = received[side];
                assert!(buf[..count] == data[from..from + count], "at {from}");
                received[side] += count;
            }
        }
        carry(&mut client, &mut server, chunks.next(300_000).min(50_000));
        carry(&mut server, &mut client, chunks.next(300_000).min(50_000));
    }
}

#[test]
fn ciphertext_is_refused_when_nobody_reads_the_plaintext() {
    let (mut client, mut server) = open_pair();
    let mut buf = vec![0; 20_000];
    while server.wants_ciphertext() {
        client.write_plain(&[7; 20_000]).unwrap();
        carry(&mut client, &mut server, 8_000);
    }
    assert_eq!(server.feed_ciphertext(b"x"), 0);
    while server.read_plain(&mut buf).unwrap() != PlainRead::Empty {}
    assert!(server.wants_ciphertext());
}

#[test]
fn hostname_mismatch() {
    let authority = Authority::new();
    let (options, _file) = authority.trusted();
    let error = client_error("localhost", &options, &authority.acceptor(&["example.com"]));
    assert_eq!(problem(&error), Some(CertificateProblem::NameMismatch));
    assert_eq!(
        error.to_string(),
        "the certificate of localhost is not accepted: hostname mismatch"
    );
}

#[test]
fn addresses_are_verified_too() {
    let authority = Authority::new();
    let (options, _file) = authority.trusted();
    let acceptor = authority.acceptor(&["127.0.0.1"]);
    let mut client = TlsPipe::client("127.0.0.1", &options).unwrap();
    let mut server = TlsPipe::server(&acceptor).unwrap();
    assert_eq!(join(&mut client, &mut server, 100_000)[0], Ok(Handshake::Done));
    let error = client_error("::1", &options, &acceptor);
    assert_eq!(problem(&error), Some(CertificateProblem::NameMismatch));
}

#[test]
fn another_name_can_be_asked_for() {
    let authority = Authority::new();
    let (mut options, _file) = authority.trusted();
    options.server_name = options::ServerName::Other("example.com".to_owned());
    let mut client = TlsPipe::client("127.0.0.1", &options).unwrap();
    let mut server = TlsPipe::server(&authority.acceptor(&["example.com"])).unwrap();
    assert_eq!(join(&mut client, &mut server, 100_000)[0], Ok(Handshake::Done));
}

#[test]
fn unknown_issuer_and_the_alert_that_the_server_gets() {
    let authority = Authority::new();
    let mut client = TlsPipe::client("localhost", &TlsOptions::default()).unwrap();
    let mut server = TlsPipe::server(&authority.acceptor(&["localhost"])).unwrap();
    let [failed, _] = join(&mut client, &mut server, 100_000);
    assert_eq!(problem(&failed.clone().unwrap_err()), Some(CertificateProblem::UnknownIssuer));
    assert_eq!(client.handshake(), failed, "the same at each call");
    assert!(!client.wants_ciphertext());

    carry(&mut client, &mut server, 100_000);
    assert_eq!(server.handshake(), Err(TlsError::Alert { number: 48 }));
}

#[test]
fn self_signed() {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let acceptor = acceptor(&certificate.pem(), &key);
    let error = client_error("localhost", &TlsOptions::default(), &acceptor);
    assert_eq!(problem(&error), Some(CertificateProblem::SelfSigned));
}

#[test]
fn expired_and_not_yet_valid() {
    let authority = Authority::new();
    let (options, _file) = authority.trusted();
    let expired = authority.acceptor_with(&["localhost"], |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    });
    let error = client_error("localhost", &options, &expired);
    assert_eq!(problem(&error), Some(CertificateProblem::Expired));

    let early = authority
        .acceptor_with(&["localhost"], |params| params.not_before = date_time_ymd(3000, 1, 1));
    let error = client_error("localhost", &options, &early);
    assert_eq!(problem(&error), Some(CertificateProblem::NotYetValid));
}

#[test]
fn insecure_accepts_anything_and_reports_it() {
    let authority = Authority::new();
    let options = TlsOptions { insecure: true, ..TlsOptions::default() };
    let mut client = TlsPipe::client("localhost", &options).unwrap();
    let mut server = TlsPipe::server(&authority.acceptor(&["example.com"])).unwrap();
    assert_eq!(join(&mut client, &mut server, 100_000)[0], Ok(Handshake::Done));
    let facts = client.facts().unwrap();
    assert!(!facts.verified);
    assert_eq!(facts.certificate.as_ref().unwrap().names, ["example.com"]);
}

#[test]
fn a_ca_file_may_hold_several_certificates() {
    let (one, two) = (Authority::named("one"), Authority::named("two"));
    let (options, mut file) = one.trusted();
    file.write_all(two.pem.as_bytes()).unwrap();
    let client = TlsClient::new(&options).unwrap();
    for authority in [&one, &two] {
        let mut client = client.start("localhost").unwrap();
        let mut server = TlsPipe::server(&authority.acceptor(&["localhost"])).unwrap();
        assert_eq!(join(&mut client, &mut server, 100_000)[0], Ok(Handshake::Done));
    }
}

#[test]
fn a_client_can_be_set_up_in_another_thread() {
    fn is_sendable<T: Send + Sync>() {}
    is_sendable::<TlsClient>();
}

#[test]
fn a_useless_ca_file_is_named() {
    let empty = NamedTempFile::new().unwrap();
    let missing = empty.path().with_extension("missing");
    for path in [empty.path(), &missing] {
        let options =
            TlsOptions { cacert: Some(FileOnce::new(path.to_owned())), ..TlsOptions::default() };
        let error = TlsClient::new(&options).unwrap_err();
        assert!(matches!(error, TlsError::CaFile { .. }), "{error}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}

#[test]
fn plain_http_is_recognised_in_pieces_and_whole() {
    let answer = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    for size in [1, 3, answer.len()] {
        let mut client = TlsPipe::client("localhost", &TlsOptions::default()).unwrap();
        let error = answer.chunks(size).find_map(|chunk| {
            client.feed_ciphertext(chunk);
            client.handshake().err()
        });
        assert_eq!(error, Some(TlsError::PlainHttp), "{size} bytes");
        assert_eq!(TlsError::PlainHttp.to_string(), "the port speaks plain HTTP, not TLS");
        assert!(TlsError::PlainHttp.help().unwrap().contains("use ws://"));
    }
}

#[test]
fn a_page_without_a_status_line_is_plain_http() {
    let mut client = TlsPipe::client("localhost", &TlsOptions::default()).unwrap();
    client.feed_ciphertext(b"<!doctype html>\n<html>");
    assert_eq!(client.handshake(), Err(TlsError::PlainHttp));
}

#[test]
fn another_protocol_is_quoted() {
    let mut client = TlsPipe::client("localhost", &TlsOptions::default()).unwrap();
    client.feed_ciphertext(b"SSH-2.0-OpenSSH_9.2\r\n");
    let error = client.handshake().unwrap_err();
    assert!(error.to_string().contains("SSH-2.0-OpenSSH_9.2"), "{error}");
}

#[test]
fn a_plain_request_to_the_server_is_recognised() {
    let mut server = TlsPipe::server(&Authority::new().acceptor(&["localhost"])).unwrap();
    server.feed_ciphertext(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(server.handshake(), Err(TlsError::PlainHttpRequest));
}

#[test]
fn an_end_during_the_handshake_is_reported() {
    let mut client = TlsPipe::client("localhost", &TlsOptions::default()).unwrap();
    client.feed_eof();
    assert_eq!(client.handshake(), Err(TlsError::ClosedDuringHandshake { answered: false }));

    let mut client = TlsPipe::client("localhost", &TlsOptions::default()).unwrap();
    let mut server = TlsPipe::server(&Authority::new().acceptor(&["localhost"])).unwrap();
    carry(&mut client, &mut server, 15);
    server.read_tls(&mut io::empty()).unwrap();
    // The client has not seen the certificate.
    assert_eq!(server.handshake(), Err(TlsError::ClosedDuringHandshake { answered: false }));

    let mut client = TlsPipe::client("localhost", &TlsOptions::default()).unwrap();
    let mut server = TlsPipe::server(&Authority::new().acceptor(&["localhost"])).unwrap();
    carry(&mut client, &mut server, 100_000);
    server.handshake().unwrap();
    carry(&mut server, &mut client, 50);
    client.read_tls(&mut io::empty()).unwrap();
    assert_eq!(client.handshake(), Err(TlsError::ClosedDuringHandshake { answered: true }));
}

#[test]
fn close_notify_is_distinguished_from_truncation() {
    for (polite, closure) in [(true, Closure::CloseNotify), (false, Closure::Truncated)] {
        let (mut client, mut server) = open_pair();
        client.write_plain(b"last words").unwrap();
        if polite {
            client.close_notify();
        }
        carry(&mut client, &mut server, 100_000);
        server.feed_eof();
        let mut buf = [0; 100];
        assert_eq!(server.read_plain(&mut buf), Ok(PlainRead::Data(10)));
        assert_eq!(&buf[..10], b"last words");
        for _ in 0..2 {
            assert_eq!(server.read_plain(&mut buf), Ok(PlainRead::Closed(closure)));
        }
        assert!(!server.wants_ciphertext());
    }
}

#[test]
fn a_close_notify_ends_one_direction_only() {
    let (mut client, mut server) = open_pair();
    client.close_notify();
    assert!(client.write_plain(b"more").is_err());
    carry(&mut client, &mut server, 100_000);
    let mut buf = [0; 100];
    assert_eq!(server.read_plain(&mut buf), Ok(PlainRead::Closed(Closure::CloseNotify)));
    server.write_plain(b"answer").unwrap();
    carry(&mut server, &mut client, 100_000);
    assert_eq!(client.read_plain(&mut buf), Ok(PlainRead::Data(6)));
}

#[test]
fn a_forged_record_breaks_the_connection_after_the_good_bytes() {
    let (mut client, mut server) = open_pair();
    client.write_plain(b"good").unwrap();
    carry(&mut client, &mut server, 100_000);
    server.feed_ciphertext(&[&[23, 3, 3, 0, 40][..], &[9; 40]].concat());
    let mut buf = [0; 100];
    assert_eq!(server.read_plain(&mut buf), Ok(PlainRead::Data(4)));
    let error = server.read_plain(&mut buf).unwrap_err();
    assert!(matches!(error, TlsError::Broken { .. }), "{error}");
    assert_eq!(server.read_plain(&mut buf), Err(error));
    // The server sends the client an alert.
    carry(&mut server, &mut client, 100_000);
    assert_eq!(client.read_plain(&mut buf), Err(TlsError::Alert { number: 20 }));
}
