//! Errors of TLS, each with its cure.
//!
//! The TLS libraries give text only. Only this file interprets OpenSSL's texts; on other systems,
//! an unknown text is printed unchanged.

use std::path::PathBuf;

use thiserror::Error;

use crate::diagnostics;

/// Why TLS can't be used, or can't be used any more.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TlsError {
    /// The setup of the system's TLS library failed.
    #[error("TLS cannot be set up: {reason}")]
    Setup {
        /// The library's error text.
        reason: String,
    },
    /// The file of `--cacert` is unusable.
    #[error("the CA file {} cannot be used: {reason}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Our own certificate or key is unusable.
    #[error("the certificate or key in {} cannot be used: {reason}", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file of `--pass-file` is unusable.
    #[error("the passphrase file {} cannot be used: {reason}", path.display())]
    PassFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A key or archive is encrypted, and no passphrase was given.
    #[error("the key in {} needs a passphrase", path.display())]
    PassphraseNeeded {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase is not that of the key or archive.
    #[error("the passphrase does not open the key in {}", path.display())]
    PassphraseWrong {
        /// The file.
        path: PathBuf,
    },
    /// The file of `--tls-keylog` can't be written.
    #[error("the TLS key log {} cannot be written: {reason}", path.display())]
    KeyLog {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        reason: String,
    },
    /// This system's TLS library does not support the option.
    #[error("{option} is not available with this system's TLS library")]
    Unavailable {
        /// The option.
        option: &'static str,
    },
    /// The server's key is not one of those of `--pinned-sha256`.
    #[error("the key of {host} is not the pinned one; it is {}", shown(found))]
    Pinned {
        /// The host.
        host: String,
        /// The pin of its key; empty if it sent no certificate.
        found: String,
    },
    /// The server's certificate is refused (W206 to W208, W218).
    #[error("the certificate of {host} is not accepted: {reason}")]
    Certificate {
        /// The host that the certificate must prove.
        host: String,
        /// The kind of defect.
        problem: CertificateProblem,
        /// The library's error text.
        reason: String,
    },
    /// The server answered in plain HTTP (W201).
    #[error("the port speaks plain HTTP, not TLS")]
    PlainHttp,
    /// The server sent data that is neither TLS nor HTTP (W110).
    #[error("the port does not speak TLS; it sent \"{}\"", first_bytes.escape_ascii())]
    NotTls {
        /// The beginning of the received data, at most 64 bytes.
        first_bytes: Vec<u8>,
    },
    /// A client sent an HTTP request, but our server expects TLS.
    #[error("the client speaks plain HTTP to a TLS port")]
    PlainHttpRequest,
    /// The connection ended before the end of the handshake (W202).
    #[error(
        "the peer closed the connection {} the TLS handshake",
        if *answered { "during" } else { "at the start of" }
    )]
    ClosedDuringHandshake {
        /// Whether both sides had sent data. A client that left before the server's first bytes has
        /// not seen a certificate.
        answered: bool,
    },
    /// The peer refused with an alert (RFC 8446 §6.2).
    #[error("the peer refused TLS with alert {number} ({})", alert_name(*number))]
    Alert {
        /// The alert's description number.
        number: u8,
    },
    /// The peer requested a client certificate, then refused or ended the connection (W212).
    #[error("the server asked for a client certificate, and then {how}")]
    CertificateWanted {
        /// How it did that.
        how: String,
    },
    /// The handshake failed in another way.
    #[error("the TLS handshake failed: {reason}")]
    Handshake {
        /// The library's error text.
        reason: String,
    },
    /// After the handshake, data arrived that TLS does not allow.
    #[error("the TLS connection broke: {reason}")]
    Broken {
        /// The library's error text.
        reason: String,
    },
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateProblem {
    /// It has expired.
    Expired,
    /// It is not yet valid.
    NotYetValid,
    /// It is for other names.
    NameMismatch,
    /// It is self-signed.
    SelfSigned,
    /// Its chain does not end in a trusted root.
    UnknownIssuer,
    /// Anything else.
    Other,
}

impl TlsError {
    /// Interprets the library's text about a failed handshake with `host`.
    pub(super) fn from_handshake_text(text: &str, host: &str) -> Self {
        if text.contains("certificate verify failed") {
            let reason = verify_reason(text).unwrap_or(text).to_owned();
            let problem = CertificateProblem::from_reason(&reason);
            return Self::Certificate { host: host.to_owned(), problem, reason };
        }
        if text.contains(":http request:") {
            return Self::PlainHttpRequest;
        }
        match alert_number(text) {
            Some(number) => Self::Alert { number },
            None => Self::Handshake { reason: openssl_reason(text).to_owned() },
        }
    }

    /// Interprets the library's text about an open connection.
    pub(super) fn from_stream_text(text: &str) -> Self {
        match alert_number(text) {
            Some(number) => Self::Alert { number },
            None => Self::Broken { reason: openssl_reason(text).to_owned() },
        }
    }

    /// Whether the peer and this side could not agree. An error of this side or of its TLS library
    /// proves nothing about the peer. A certificate proves nothing either, because it is sent after
    /// the version is agreed.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::PlainHttp
            | Self::NotTls { .. }
            | Self::ClosedDuringHandshake { .. }
            | Self::Alert { .. } => true,
            Self::Handshake { reason } => {
                let words = ["unsupported protocol", "wrong version number", "protocol version"];
                words.iter().any(|words| reason.contains(words))
            }
            _ => false,
        }
    }

    /// The code of the diagnostic, if there is one.
    pub fn code(&self) -> Option<&'static str> {
        use CertificateProblem as Problem;
        Some(match self {
            Self::PlainHttp => "W201",
            Self::NotTls { .. } => "W110",
            Self::PlainHttpRequest => "W204",
            Self::ClosedDuringHandshake { .. } => "W202",
            Self::CertificateWanted { .. } => "W212",
            Self::Certificate { problem, .. } => match problem {
                Problem::Expired | Problem::NotYetValid => "W206",
                Problem::NameMismatch => "W207",
                Problem::SelfSigned | Problem::UnknownIssuer => "W208",
                Problem::Other => "W218",
            },
            Self::Alert { number } => return diagnostics::of_alert(*number),
            Self::Setup { .. }
            | Self::CaFile { .. }
            | Self::Identity { .. }
            | Self::PassFile { .. }
            | Self::PassphraseNeeded { .. }
            | Self::PassphraseWrong { .. }
            | Self::KeyLog { .. }
            | Self::Unavailable { .. }
            | Self::Pinned { .. }
            | Self::Handshake { .. }
            | Self::Broken { .. } => {
                return None;
            }
        })
    }

    /// What the user can do, if wscope knows: the advice of the catalogue, if it has an entry.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::CaFile { .. } => {
                Some("give a PEM file with one or more BEGIN CERTIFICATE blocks")
            }
            Self::Identity { .. } => Some(
                "give PEM files with --cert and --key, or a PKCS#12 archive with --cert; a \
                 passphrase goes in WSCOPE_PASSPHRASE or --pass-file",
            ),
            Self::PassphraseNeeded { .. } => {
                Some("give it with --pass-env NAME or --pass-file FILE")
            }
            Self::PassphraseWrong { .. } => {
                Some("correct it in WSCOPE_PASSPHRASE, or in what --pass-env or --pass-file names")
            }
            Self::KeyLog { .. } => Some("give another file, or unset SSLKEYLOGFILE"),
            Self::Pinned { .. } => Some(
                "someone may intercept the connection; if the server has a new key, pin that \
                     one",
            ),
            _ => Some(diagnostics::entry(self.code()?)?.help),
        }
    }
}

impl CertificateProblem {
    fn from_reason(reason: &str) -> Self {
        // OpenSSL 3 writes "self-signed" and "hostname", OpenSSL 1.1 "self signed" and "Hostname".
        let reason = reason.to_ascii_lowercase().replace("self signed", "self-signed");
        let table = [
            // A list of revoked certificates has dates and an issuer of its own.
            ("crl", Self::Other),
            ("has expired", Self::Expired),
            ("not yet valid", Self::NotYetValid),
            // Other mismatches are about the chain.
            ("hostname mismatch", Self::NameMismatch),
            ("address mismatch", Self::NameMismatch),
            ("self-signed certificate in certificate chain", Self::UnknownIssuer),
            ("self-signed certificate", Self::SelfSigned),
            ("unable to get", Self::UnknownIssuer),
            ("unable to verify", Self::UnknownIssuer),
        ];
        let known = table.into_iter().find(|(words, _)| reason.contains(words));
        known.map_or(Self::Other, |(_, problem)| problem)
    }
}

fn shown(pin: &str) -> &str {
    if pin.is_empty() { "unknown" } else { pin }
}

/// The text in the last parentheses: native-tls appends OpenSSL's verdict.
fn verify_reason(text: &str) -> Option<&str> {
    let (_, reason) = text.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    Some(reason)
}

/// The number in OpenSSL's `SSL alert number 40`.
fn alert_number(text: &str) -> Option<u8> {
    let (_, after) = text.split_once("alert number ")?;
    let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    after[..digits].parse().ok()
}

/// The reason in OpenSSL's `error:CODE:LIBRARY:FUNCTION:REASON:FILE:LINE:DATA`.
fn openssl_reason(text: &str) -> &str {
    let reason = text.strip_prefix("error:").and_then(|fields| fields.split(':').nth(3));
    reason.filter(|reason| !reason.is_empty()).unwrap_or(text)
}

/// The names of RFC 8446 §6 and, for 41 and 60 to 100, of RFC 5246 §7.2.
fn alert_name(number: u8) -> &'static str {
    match number {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "unassigned",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify_failed(reason: &str) -> TlsError {
        let text = format!(
            "error:0A000086:SSL routines:tls_post_process_server_certificate:\
             certificate verify failed:../ssl/statem/statem_clnt.c:1889: ({reason})"
        );
        TlsError::from_handshake_text(&text, "example.com")
    }

    #[test]
    fn an_error_of_this_side_is_no_refusal_of_the_peer() {
        let (path, reason) = (PathBuf::from("file"), "no protocols available".to_owned());
        for own in [
            TlsError::Setup { reason: reason.clone() },
            TlsError::Identity { path: path.clone(), reason: reason.clone() },
            TlsError::KeyLog { path, reason: reason.clone() },
            TlsError::Unavailable { option: "--tls-max" },
            TlsError::Handshake { reason },
        ] {
            assert!(!own.is_refusal(), "{own}");
        }
        assert!(TlsError::Alert { number: 70 }.is_refusal());
        assert!(TlsError::ClosedDuringHandshake { answered: false }.is_refusal());
        let words = "unsupported protocol".to_owned();
        assert!(TlsError::Handshake { reason: words }.is_refusal());
    }

    #[test]
    fn certificate_verdicts_keep_openssls_words() {
        let error = verify_failed("certificate has expired");
        assert_eq!(
            error.to_string(),
            "the certificate of example.com is not accepted: certificate has expired"
        );
        for (reason, problem, code) in [
            ("certificate has expired", CertificateProblem::Expired, Some("W206")),
            ("certificate is not yet valid", CertificateProblem::NotYetValid, Some("W206")),
            ("hostname mismatch", CertificateProblem::NameMismatch, Some("W207")),
            ("IP address mismatch", CertificateProblem::NameMismatch, Some("W207")),
            ("self-signed certificate", CertificateProblem::SelfSigned, Some("W208")),
            ("self signed certificate", CertificateProblem::SelfSigned, Some("W208")),
            (
                "self-signed certificate in certificate chain",
                CertificateProblem::UnknownIssuer,
                Some("W208"),
            ),
            (
                "unable to get local issuer certificate",
                CertificateProblem::UnknownIssuer,
                Some("W208"),
            ),
            (
                "unable to verify the first certificate",
                CertificateProblem::UnknownIssuer,
                Some("W208"),
            ),
            ("Hostname mismatch", CertificateProblem::NameMismatch, Some("W207")),
            ("certificate revoked", CertificateProblem::Other, Some("W218")),
            ("unsuitable certificate purpose", CertificateProblem::Other, Some("W218")),
            ("subject issuer mismatch", CertificateProblem::Other, Some("W218")),
            ("CRL has expired", CertificateProblem::Other, Some("W218")),
            ("unable to get certificate CRL", CertificateProblem::Other, Some("W218")),
        ] {
            let error = verify_failed(reason);
            assert!(
                matches!(&error, TlsError::Certificate { problem: p, .. } if *p == problem),
                "{reason}"
            );
            assert_eq!(error.code(), code, "{reason}");
            assert!(error.help().is_some_and(|help| help.contains("--insecure")), "{reason}");
        }
    }

    #[test]
    fn alerts_are_named() {
        let text = "error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:\
                    ../ssl/record/rec_layer_s3.c:1605:SSL alert number 40";
        let error = TlsError::from_handshake_text(text, "h");
        assert_eq!(error.to_string(), "the peer refused TLS with alert 40 (handshake_failure)");
        assert_eq!(error.code(), Some("W209"));
        assert_eq!(TlsError::from_stream_text("SSL alert number 116:x").code(), Some("W212"));
        assert_eq!(TlsError::Alert { number: 255 }.help(), None);
    }

    #[test]
    fn other_texts_are_cut_to_the_reason() {
        let text =
            "error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl/x.c:354:";
        assert_eq!(
            TlsError::from_handshake_text(text, "h").to_string(),
            "the TLS handshake failed: wrong version number"
        );
        assert_eq!(
            TlsError::from_stream_text("some other system's words").to_string(),
            "the TLS connection broke: some other system's words"
        );
        let text = "error:0A00009C:SSL routines:ssl3_get_record:http request:../ssl/x.c:345:";
        assert_eq!(TlsError::from_handshake_text(text, ""), TlsError::PlainHttpRequest);
    }

    #[test]
    fn foreign_bytes_are_quoted_harmlessly() {
        let error = TlsError::NotTls { first_bytes: b"SSH-2.0\x1b[2J\r\n".to_vec() };
        assert_eq!(
            error.to_string(),
            "the port does not speak TLS; it sent \"SSH-2.0\\x1b[2J\\r\\n\""
        );
    }
}
