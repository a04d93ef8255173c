//! TLS that travels inside TLS: to a server through a proxy that is itself reached by TLS.
//!
//! The outer pipe takes the inner one's ciphertext for plaintext. From outside the two look like
//! one pipe with the plaintext of the inner and the ciphertext of the outer.

use std::io::{self, Read};

use super::{PlainRead, TlsError, TlsPipe};

/// What an outer pipe decrypts, as a source of bytes.
struct Decrypted<'a>(&'a mut TlsPipe);

impl Read for Decrypted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.read_plain(buf) {
            Ok(PlainRead::Data(count)) => Ok(count),
            Ok(PlainRead::Empty) => Err(io::ErrorKind::WouldBlock.into()),
            Ok(PlainRead::Closed(_)) => Ok(0),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

impl TlsPipe {
    /// Lets this pipe, just begun, travel inside `outer`, whose handshake is done.
    #[must_use]
    pub fn inside(mut self, outer: Self) -> Self {
        self.outer = Some(Box::new(outer));
        self.push_out();
        self
    }

    /// Takes ciphertext of this pipe, not of one it travels in, that came before it was begun.
    pub(in crate::net) fn begin_with(&mut self, mut bytes: &[u8]) {
        let mut wire = self.wire.borrow_mut();
        while !bytes.is_empty() && wire.receive(&mut bytes).is_ok() {}
    }

    /// Hands on what waits to be sent, as far as the outer pipe has room.
    pub(super) fn push_out(&mut self) {
        let Some(outer) = &mut self.outer else { return };
        let mut wire = self.wire.borrow_mut();
        let pending = wire.outgoing.pending();
        // A broken pipe takes nothing any more: then nobody waits for it to be sent.
        let taken = outer.write_plain(pending).unwrap_or(pending.len());
        wire.outgoing.consume(taken);
    }

    /// Fetches what the outer pipe has decrypted; whether there was anything, or the end.
    ///
    /// # Errors
    ///
    /// Why the outer pipe broke, once everything before that has been fetched.
    pub(super) fn pull_in(&mut self) -> Result<bool, TlsError> {
        let Some(outer) = &mut self.outer else { return Ok(false) };
        let mut wire = self.wire.borrow_mut();
        let mut fetched = false;
        while wire.incoming.has_room() {
            match wire.receive(&mut Decrypted(outer)) {
                Ok(_) => fetched = true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) if fetched => break,
                Err(error) => {
                    let inner = error.into_inner().and_then(|error| error.downcast().ok());
                    let unknown = || TlsError::Broken { reason: "of unknown cause".to_owned() };
                    return Err(inner.map_or_else(unknown, |error| *error));
                }
            }
        }
        Ok(fetched)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::net::tls::tests::{Authority, carry, join, open_pair};
    use crate::net::tls::{Closure, Handshake, TlsClient};

    /// Both ends of a connection inside a connection, open.
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
    fn the_inner_end_is_told_and_a_cut_too() {
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
}
