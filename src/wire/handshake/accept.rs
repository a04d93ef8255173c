//! The `Sec-WebSocket-Accept` proof (RFC 6455 §4.2.2), step by step, and known errors of servers.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use sha1::{Digest as _, Sha1};

/// The GUID of RFC 6455 §1.3.
pub const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The computation of an accept value with all steps between key and result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptSteps {
    /// The value of `Sec-WebSocket-Key` without white space around it. The key is not decoded; any
    /// bytes are accepted.
    pub key: Vec<u8>,
    /// The key with [`GUID`] after it.
    pub concatenated: Vec<u8>,
    /// The SHA-1 hash of `concatenated`.
    pub sha1: [u8; 20],
    /// `sha1` in base64: the value that the server must send.
    pub accept: String,
}

impl AcceptSteps {
    /// Computes the accept value for a key as it stands in the header.
    ///
    /// RFC 6455 §4.2.2: "The value of this header field is constructed by
    /// concatenating /key/, defined above in step 4 in Section 4.2.2, with the string
    /// "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", taking the SHA-1 hash of this
    /// concatenated value to obtain a 20-byte value and base64-encoding […] this
    /// 20-byte hash."
    pub fn for_key(key: &[u8]) -> Self {
        let concatenated = [key, GUID.as_bytes()].concat();
        let sha1: [u8; 20] = Sha1::digest(&concatenated).into();
        Self { key: key.to_vec(), concatenated, sha1, accept: BASE64_STANDARD.encode(sha1) }
    }
}

/// Bugs that explain a wrong accept value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptMistake {
    /// The key was base64-decoded before hashing.
    KeyDecoded,
    /// The key was turned into lower case.
    KeyLowerCased,
    /// The GUID was written in lower case.
    GuidLowerCased,
    /// The digest was base64-encoded as hexadecimal text.
    HexEncoded,
    /// The digest was sent as hexadecimal text.
    HexDigest,
    /// The key was hashed without the GUID.
    GuidMissing,
    /// The key was sent back as received.
    KeyEchoed,
    /// The answer differs from the correct value only in letter case.
    CaseChanged,
}

impl AcceptMistake {
    /// Finds the bug that turns `key` into `got`, if it is a known one.
    pub fn identify(key: &[u8], got: &[u8]) -> Option<Self> {
        let proof = |bytes: &[u8]| BASE64_STANDARD.encode(Sha1::digest(bytes));
        let right = AcceptSteps::for_key(key);
        let hex: String = right.sha1.iter().map(|b| format!("{b:02x}")).collect();
        let with_guid = |key: &[u8]| [key, GUID.as_bytes()].concat();
        let is = |candidate: &str| candidate.as_bytes() == got;

        if BASE64_STANDARD.decode(key).is_ok_and(|decoded| is(&proof(&with_guid(&decoded)))) {
            Some(Self::KeyDecoded)
        } else if is(&proof(&with_guid(&key.to_ascii_lowercase()))) {
            Some(Self::KeyLowerCased)
        } else if is(&proof(&[key, GUID.to_ascii_lowercase().as_bytes()].concat())) {
            Some(Self::GuidLowerCased)
        } else if is(&BASE64_STANDARD.encode(&hex)) {
            Some(Self::HexEncoded)
        } else if got.eq_ignore_ascii_case(hex.as_bytes()) {
            Some(Self::HexDigest)
        } else if is(&proof(key)) {
            Some(Self::GuidMissing)
        } else if key == got {
            Some(Self::KeyEchoed)
        } else if got.eq_ignore_ascii_case(right.accept.as_bytes()) {
            Some(Self::CaseChanged)
        } else {
            None
        }
    }
}

impl fmt::Display for AcceptMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyDecoded => "the server base64-decoded the key before hashing it",
            Self::KeyLowerCased => "the server lower-cased the key before hashing it",
            Self::GuidLowerCased => "the server hashed the GUID in lower case",
            Self::HexEncoded => "the server base64-encoded the hex digest, not the 20 bytes",
            Self::HexDigest => "the server sent the digest in hex instead of base64",
            Self::GuidMissing => "the server hashed the key without the GUID",
            Self::KeyEchoed => "the server sent the key back",
            Self::CaseChanged => "the letter case of the value was changed on the way",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tungstenite::handshake::derive_accept_key;

    #[test]
    fn rfc_6455_section_1_3_sample() {
        let steps = AcceptSteps::for_key(b"dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(
            steps.concatenated,
            b"dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        );
        assert_eq!(
            steps.sha1,
            [
                0xb3, 0x7a, 0x4f, 0x2c, 0xc0, 0x62, 0x4f, 0x16, 0x90, 0xf6, 0x46, 0x06, 0xcf, 0x38,
                0x59, 0x45, 0xb2, 0xbe, 0xc4, 0xea
            ]
        );
        assert_eq!(steps.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn agrees_with_tungstenite() {
        for key in [&b""[..], b"x", b"AAAAAAAAAAAAAAAAAAAAAA==", b"\xff\x00 not base64"] {
            assert_eq!(AcceptSteps::for_key(key).accept, derive_accept_key(key));
        }
    }

    #[test]
    fn names_each_known_mistake() {
        let key = b"dGhlIHNhbXBsZSBub25jZQ==";
        for (got, mistake) in [
            (derive_accept_key(b"the sample nonce"), AcceptMistake::KeyDecoded),
            (derive_accept_key(&key.to_ascii_lowercase()), AcceptMistake::KeyLowerCased),
            (
                BASE64_STANDARD.encode(Sha1::digest(
                    "dGhlIHNhbXBsZSBub25jZQ==258eafa5-e914-47da-95ca-c5ab0dc85b11",
                )),
                AcceptMistake::GuidLowerCased,
            ),
            (
                "YjM3YTRmMmNjMDYyNGYxNjkwZjY0NjA2Y2YzODU5NDViMmJlYzRlYQ==".to_owned(),
                AcceptMistake::HexEncoded,
            ),
            ("b37a4f2cc0624f1690f64606cf385945b2bec4ea".to_owned(), AcceptMistake::HexDigest),
            (BASE64_STANDARD.encode(Sha1::digest(key)), AcceptMistake::GuidMissing),
            ("dGhlIHNhbXBsZSBub25jZQ==".to_owned(), AcceptMistake::KeyEchoed),
            ("S3PPLMBITXAQ9KYGZZHZRBK+XOO=".to_owned(), AcceptMistake::CaseChanged),
        ] {
            assert_eq!(AcceptMistake::identify(key, got.as_bytes()), Some(mistake), "{got}");
        }
        assert_eq!(AcceptMistake::identify(key, b"anything else"), None);
    }
}
