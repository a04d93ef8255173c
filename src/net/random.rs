//! Randomness from the operating system, for handshake keys and mask keys.

use crate::session::keys::RandomSource;

/// The system's strong source.
///
/// "The masking key MUST be derived from a strong source of entropy" (RFC 6455 §5.3). Every
/// supported system has the source from boot on. If it ever failed, it would be worse to continue
/// with predictable keys than to end the program.
pub fn system() -> RandomSource {
    Box::new(|bytes| {
        if let Err(error) = getrandom::fill(bytes) {
            eprintln!("wscope: the system has no randomness: {error}");
            std::process::exit(1);
        }
    })
}

/// Any number, for delays that must differ.
pub fn number() -> u64 {
    let mut bytes = [0; 8];
    system()(&mut bytes);
    u64::from_ne_bytes(bytes)
}

/// A fresh nonce for `Sec-WebSocket-Key`: "a randomly selected 16-byte value" (§4.1).
pub fn nonce() -> [u8; 16] {
    let mut nonce = [0; 16];
    system()(&mut nonce);
    nonce
}
