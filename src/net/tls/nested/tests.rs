//! TLS inside TLS, both joined in memory.

use super::*;
use crate::net::tls::tests::{Authority, carry, join, open_pair};
use crate::net::tls::{Closure, Handshake, TlsClient};

/// Both ends of an open connection inside a connection.
fn nested_pair(max: usize) -> (TlsPipe, TlsPipe) {
    let (outer_client, outer_server) = open_pair();
    let authority = Authority::new();
    let (options, _file) = authority.trusted();
    let client = TlsClient::new(&options).unwrap().start("example.com").unwrap();
    let server = TlsPipe::server(&authority.acceptor(&["example.com"])).unwrap();
    let (mut client, mut server) = (client.inside(outer_client), server.inside(outer_server));
    let done = Ok(Handshake::Done);
    assert_eq!(join(&mut client, &mut server, max), [done.clone(), done]);
    carry(&mut server, &mut client, 100_000);
    (client, server)
}

#[test]
fn a_connection_inside_a_connection_in_steps_of_any_size() {
    for max in [1, 100, 100_000] {
        let (client, _server) = nested_pair(max);
        let facts = client.facts().unwrap();
        assert_eq!(facts.certificate.as_ref().unwrap().names, ["example.com"]);
    }
}

#[test]
fn bytes_arrive_whatever_the_steps() {
    let (mut client, mut server) = nested_pair(100_000);
    let data: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
    let (mut sent, mut received) = (0, Vec::new());
    let mut buf = vec![0; 70_000];
    let mut step = 1;
    while received.len() < data.len() {
        step = step * 7919 % 60_013;
        let end = data.len().min(sent + step);
        sent += client.write_plain(&data[sent..end]).unwrap();
        carry(&mut client, &mut server, step);
        if let PlainRead::Data(count) = server.read_plain(&mut buf).unwrap() {
            received.extend_from_slice(&buf[..count]);
        }
    }
    assert!(received == data);
}

#[test]
fn the_inner_end_is_reported_and_a_cut_too() {
    for polite in [true, false] {
        let (mut client, mut server) = nested_pair(100_000);
        client.write_plain(b"last").unwrap();
        if polite {
            client.close_notify();
        }
        while client.pending_ciphertext() > 0 {
            carry(&mut client, &mut server, 100_000);
        }
        server.feed_eof();
        let mut buf = [0; 9];
        assert_eq!(server.read_plain(&mut buf), Ok(PlainRead::Data(4)));
        let closure = if polite { Closure::CloseNotify } else { Closure::Truncated };
        assert_eq!(server.read_plain(&mut buf), Ok(PlainRead::Closed(closure)));
    }
}

#[test]
fn a_forged_outer_record_breaks_the_inner_connection_after_the_good_bytes() {
    let (mut client, mut server) = nested_pair(100_000);
    client.write_plain(b"good").unwrap();
    carry(&mut client, &mut server, 100_000);
    server.feed_ciphertext(&[&[23, 3, 3, 0, 40][..], &[9; 40]].concat());
    let mut buf = [0; 9];
    assert_eq!(server.read_plain(&mut buf), Ok(PlainRead::Data(4)));
    let error = server.read_plain(&mut buf).unwrap_err();
    assert!(matches!(error, TlsError::Broken { .. }), "{error}");
    assert_eq!(server.read_plain(&mut buf), Err(error));
}
