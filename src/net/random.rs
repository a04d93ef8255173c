//! Randomness from the operating system, for handshake keys and mask keys.

use crate::session::keys::RandomSource;

/// The system's strong source.
///
/// "The masking key MUST be derived from a strong source of entropy" (RFC 6455 §5.3). The source is
/// there from boot on every supported system; should it ever fail, continuing with predictable keys
/// would be worse than ending.
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
