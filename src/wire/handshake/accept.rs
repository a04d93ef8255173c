//! The `Sec-WebSocket-Accept` proof (RFC 6455 §4.2.2), step by step, and known errors of servers.

use std::fmt;

use base64::prelude::{
    BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE as URL_SAFE,
    BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD, Engine as _,
};
use md5::Md5;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};

use crate::wire::hex;

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
    /// The key was turned into upper case.
    KeyUpperCased,
    /// The key was hashed with white space around it.
    KeySpaced,
    /// The key was hashed without the `=` at its end.
    KeyUnpadded,
    /// An empty key was hashed.
    KeyEmpty,
    /// This word was hashed in place of the key, as languages write a missing value.
    KeyWord(&'static str),
    /// The value is that of the example in RFC 6455 §1.3.
    Sample,
    /// The GUID was written in lower case.
    GuidLowerCased,
    /// The GUID has a typing error: a wrong, missing or swapped character, or no hyphens.
    GuidMistyped,
    /// The GUID was hashed before the key.
    GuidFirst,
    /// The key was hashed without the GUID.
    GuidMissing,
    /// The digest was base64-encoded as hexadecimal text.
    HexEncoded,
    /// The digest was sent as hexadecimal text.
    HexDigest,
    /// Another hash function was used; its name.
    OtherHash(&'static str),
    /// The digest was encoded in the alphabet for URLs, or without padding.
    OtherBase64,
    /// The text was base64-encoded without a hash.
    NotHashed,
    /// The key was sent back as received.
    KeyEchoed,
    /// The answer differs from the correct value only in letter case.
    CaseChanged,
}

/// The key of the example in RFC 6455 §1.3.
const SAMPLE_KEY: &[u8] = b"dGhlIHNhbXBsZSBub25jZQ==";

/// Texts of a missing value: in JavaScript, in Java and JSON, in Python, in Ruby and Go, in Lua.
const MISSING: [&str; 5] = ["undefined", "null", "None", "nil", "<nil>"];

/// White space that a parser of headers may leave at the key: before it, and after it.
const SPACES: [(&str, &str); 6] =
    [(" ", ""), ("", " "), (" ", " "), ("", "\r"), ("", "\n"), ("", "\r\n")];

impl AcceptMistake {
    /// Finds the bug that turns `key` into `got`, if it is a known one.
    pub fn identify(key: &[u8], got: &[u8]) -> Option<Self> {
        let right = AcceptSteps::for_key(key);
        let hex = hex(&right.sha1);
        let is = |candidate: &str| candidate.as_bytes() == got;
        let hashed = |text: &[u8]| is(&BASE64_STANDARD.encode(Sha1::digest(text)));
        let proves = |key: &[u8]| is(&AcceptSteps::for_key(key).accept);
        let unpadded = key.trim_ascii_end().strip_suffix(b"==").unwrap_or_default();
        let spaced = |(before, after): &(&str, &str)| {
            proves(&[before.as_bytes(), key, after.as_bytes()].concat())
        };
        let guid = GUID.as_bytes();
        let found = [
            (is(&right.accept), None),
            (
                BASE64_STANDARD.decode(key).is_ok_and(|decoded| proves(&decoded)),
                Some(Self::KeyDecoded),
            ),
            (proves(&key.to_ascii_lowercase()), Some(Self::KeyLowerCased)),
            (proves(&key.to_ascii_uppercase()), Some(Self::KeyUpperCased)),
            (SPACES.iter().any(spaced), Some(Self::KeySpaced)),
            (!unpadded.is_empty() && proves(unpadded), Some(Self::KeyUnpadded)),
            (proves(b""), Some(Self::KeyEmpty)),
            (proves(SAMPLE_KEY), Some(Self::Sample)),
            (
                hashed(&[key, GUID.to_ascii_lowercase().as_bytes()].concat()),
                Some(Self::GuidLowerCased),
            ),
            (hashed(&[guid, key].concat()), Some(Self::GuidFirst)),
            (hashed(key), Some(Self::GuidMissing)),
            (is(&BASE64_STANDARD.encode(&hex)), Some(Self::HexEncoded)),
            (got.eq_ignore_ascii_case(hex.as_bytes()), Some(Self::HexDigest)),
            (is_of::<Sha256>(&right.concatenated, got), Some(Self::OtherHash("SHA-256"))),
            (is_of::<Sha512>(&right.concatenated, got), Some(Self::OtherHash("SHA-512"))),
            (is_of::<Md5>(&right.concatenated, got), Some(Self::OtherHash("MD5"))),
            (
                [URL_SAFE.encode(right.sha1), URL_SAFE_NO_PAD.encode(right.sha1)]
                    .iter()
                    .chain([&BASE64_STANDARD_NO_PAD.encode(right.sha1)])
                    .any(|text| is(text)),
                Some(Self::OtherBase64),
            ),
            (is(&BASE64_STANDARD.encode(&right.concatenated)), Some(Self::NotHashed)),
            (key == got, Some(Self::KeyEchoed)),
            (got.eq_ignore_ascii_case(right.accept.as_bytes()), Some(Self::CaseChanged)),
        ];
        if let Some((_, mistake)) = found.into_iter().find(|(matches, _)| *matches) {
            return mistake;
        }
        let word = MISSING.into_iter().find(|word| proves(word.as_bytes())).map(Self::KeyWord);
        let mut typed = mistyped_guids();
        word.or_else(|| {
            typed.any(|guid| hashed(&[key, &guid].concat())).then_some(Self::GuidMistyped)
        })
    }
}

/// The GUID with each possible typing error.
fn mistyped_guids() -> impl Iterator<Item = Vec<u8>> {
    let guid = GUID.as_bytes();
    let changed = |at: usize, len: usize, by: &[u8]| {
        [&guid[..at], by, guid.get(at + len..).unwrap_or_default()].concat()
    };
    let wrong = (0..guid.len())
        .flat_map(move |at| b"0123456789ABCDEF-".iter().map(move |byte| changed(at, 1, &[*byte])));
    let missing = (0..guid.len()).map(move |at| changed(at, 1, b""));
    let swapped =
        guid.windows(2).enumerate().map(move |(at, two)| changed(at, 2, &[two[1], two[0]]));
    let bare = guid.iter().copied().filter(|byte| *byte != b'-').collect();
    wrong.chain(missing).chain(swapped).chain([bare])
}

/// Whether a value is a digest with this hash function, in base64 or in hexadecimal text.
fn is_of<D: Digest>(text: &[u8], got: &[u8]) -> bool {
    let digest = D::digest(text);
    BASE64_STANDARD.encode(&digest).as_bytes() == got
        || got.eq_ignore_ascii_case(hex(&digest).as_bytes())
}

impl fmt::Display for AcceptMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyWord(word) => {
                return write!(f, "the server hashed the word {word} in place of the key, as if the request had no key");
            }
            Self::OtherHash(name) => {
                return write!(f, "the server hashed with {name} instead of SHA-1");
            }
            Self::KeyDecoded => "the server base64-decoded the key before hashing it",
            Self::KeyLowerCased => "the server lower-cased the key before hashing it",
            Self::KeyUpperCased => "the server upper-cased the key before hashing it",
            Self::KeySpaced => "the server hashed the key with white space around it",
            Self::KeyUnpadded => "the server hashed the key without the `=` at its end",
            Self::KeyEmpty => "the server hashed an empty key, as if the request had no key",
            Self::Sample => {
                "the server sent the value of the RFC's example instead of computing it"
            }
            Self::GuidLowerCased => "the server hashed the GUID in lower case",
            Self::GuidMistyped => "the server hashed a GUID with a typing error",
            Self::GuidFirst => "the server hashed the GUID before the key, not after it",
            Self::GuidMissing => "the server hashed the key without the GUID",
            Self::HexEncoded => "the server base64-encoded the hex digest, not the 20 bytes",
            Self::HexDigest => "the server sent the digest in hex instead of base64",
            Self::OtherBase64 => {
                "the server encoded the digest in another base64: for URLs, or without `=`"
            }
            Self::NotHashed => "the server base64-encoded key and GUID without hashing them",
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
            (derive_accept_key(b""), AcceptMistake::KeyEmpty),
            ("Kfh9QIsMVZcl6xEPYxPHzW8SZ8w=".to_owned(), AcceptMistake::KeyEmpty),
            (derive_accept_key(b"undefined"), AcceptMistake::KeyWord("undefined")),
            (derive_accept_key(b"None"), AcceptMistake::KeyWord("None")),
            (derive_accept_key(b" dGhlIHNhbXBsZSBub25jZQ=="), AcceptMistake::KeySpaced),
            (derive_accept_key(b"dGhlIHNhbXBsZSBub25jZQ==\r\n"), AcceptMistake::KeySpaced),
            (derive_accept_key(b"dGhlIHNhbXBsZSBub25jZQ"), AcceptMistake::KeyUnpadded),
            (derive_accept_key(&key.to_ascii_uppercase()), AcceptMistake::KeyUpperCased),
            (
                BASE64_STANDARD.encode(Sha1::digest([GUID.as_bytes(), key].concat())),
                AcceptMistake::GuidFirst,
            ),
            (
                BASE64_STANDARD.encode(Sha256::digest([key, GUID.as_bytes()].concat())),
                AcceptMistake::OtherHash("SHA-256"),
            ),
            (
                BASE64_STANDARD.encode(Md5::digest([key, GUID.as_bytes()].concat())),
                AcceptMistake::OtherHash("MD5"),
            ),
            (
                BASE64_STANDARD.encode(Sha1::digest(
                    "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B1",
                )),
                AcceptMistake::GuidMistyped,
            ),
            (
                BASE64_STANDARD.encode(Sha1::digest(
                    "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5BA0DC85B11",
                )),
                AcceptMistake::GuidMistyped,
            ),
            (
                BASE64_STANDARD.encode(Sha1::digest(
                    "dGhlIHNhbXBsZSBub25jZQ==258EAFA5E91447DA95CAC5AB0DC85B11",
                )),
                AcceptMistake::GuidMistyped,
            ),
            ("s3pPLMBiTxaQ9kYGzzhZRbK-xOo=".to_owned(), AcceptMistake::OtherBase64),
            ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo".to_owned(), AcceptMistake::OtherBase64),
            (BASE64_STANDARD.encode([key, GUID.as_bytes()].concat()), AcceptMistake::NotHashed),
        ] {
            assert_eq!(AcceptMistake::identify(key, got.as_bytes()), Some(mistake), "{got}");
        }
        for other in [&b"anything else"[..], b"", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="] {
            assert_eq!(AcceptMistake::identify(key, other), None);
        }
        // With another key, the value of the example shows that nothing was computed.
        let sample = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        let found = AcceptMistake::identify(b"x3JJHMbDL1EzLkh9GBhXDw==", sample);
        assert_eq!(found, Some(AcceptMistake::Sample));
    }
}
