//! TLS inside TLS: for a server behind a proxy that also uses TLS.
//!
//! The plaintext of the outer pipe is the ciphertext of the inner one. The caller sees one pipe,
//! with the plaintext of the inner pipe and the ciphertext of the outer pipe.

use std::io::{self, Read};

use super::{PlainRead, TlsError, TlsPipe};

/// The decrypted data of an outer pipe, as a source of bytes.
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
    /// Puts this new pipe inside `outer`, whose handshake is done.
    #[must_use]
    pub fn inside(mut self, outer: Self) -> Self {
        self.outer = Some(Box::new(outer));
        self.push_out();
        self
    }

    /// Takes ciphertext of this pipe (not of an outer pipe) that arrived before this pipe existed.
    pub(in crate::net) fn begin_with(&mut self, mut bytes: &[u8]) {
        let mut wire = self.wire.borrow_mut();
        while !bytes.is_empty() && wire.receive(&mut bytes).is_ok() {}
    }

    /// Passes waiting data to the outer pipe, as far as there is room.
    pub(super) fn push_out(&mut self) {
        let Some(outer) = &mut self.outer else { return };
        let mut wire = self.wire.borrow_mut();
        let pending = wire.outgoing.pending();
        // A failed pipe accepts nothing any more; then no data waits.
        let taken = outer.write_plain(pending).unwrap_or(pending.len());
        wire.outgoing.consume(taken);
    }

    /// Takes the decrypted data of the outer pipe; returns whether there was data or the end.
    ///
    /// # Errors
    ///
    /// Why the outer pipe failed, after all data before the failure has been taken.
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
mod tests;
