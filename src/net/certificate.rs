//! The facts about a certificate that users want to see: subject, issuer, names, validity.
//!
//! Reads DER, returns text (RFC 5280). It verifies nothing, and must not know TLS or sockets. The
//! texts come from the peer and must be escaped where they are printed.

use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;
use x509_cert::Certificate;
use x509_cert::der::{self, Decode as _, Encode as _};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{AuthorityInfoAccessSyntax, SubjectAltName};

use crate::event::CertificateFacts;
use crate::wire::hex;

/// The method of an AuthorityInfoAccess that names the issuer's certificate.
const CA_ISSUERS: der::asn1::ObjectIdentifier =
    der::asn1::ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.2");

/// The bytes are not a certificate of RFC 5280.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the peer's certificate cannot be read: {0}")]
pub struct CertificateError(#[from] der::Error);

impl CertificateFacts {
    /// Reads a DER certificate.
    ///
    /// # Errors
    ///
    /// [`CertificateError`] when the DER or one of the fields shown is malformed.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let certificate = Certificate::from_der(der)?;
        let facts = certificate.tbs_certificate();
        let names = facts
            .get_extension::<SubjectAltName>()?
            .map_or_else(Vec::new, |(_critical, names)| names.0.iter().map(name_text).collect());
        Ok(Self {
            subject: facts.subject().to_string(),
            issuer: facts.issuer().to_string(),
            names,
            not_before: facts.validity().not_before.to_string(),
            not_after: facts.validity().not_after.to_string(),
            serial: hex(facts.serial_number().as_bytes()),
            names_issuer: facts.get_extension::<AuthorityInfoAccessSyntax>()?.is_some_and(
                |(_critical, access)| access.0.iter().any(|one| one.access_method == CA_ISSUERS),
            ),
        })
    }
}

/// The SubjectPublicKeyInfo of a DER certificate, in DER. A pin is its hash.
///
/// # Errors
///
/// [`CertificateError`] when the DER is malformed.
pub fn public_key(der: &[u8]) -> Result<Vec<u8>, CertificateError> {
    let certificate = Certificate::from_der(der)?;
    Ok(certificate.tbs_certificate().subject_public_key_info().to_der()?)
}

fn name_text(name: &GeneralName) -> String {
    match name {
        GeneralName::DnsName(name) => name.to_string(),
        GeneralName::IpAddress(octets) => ip_text(octets.as_bytes()),
        GeneralName::UniformResourceIdentifier(uri) => format!("URI:{uri}"),
        GeneralName::Rfc822Name(address) => format!("email:{address}"),
        GeneralName::DirectoryName(name) => format!("DirName:{name}"),
        GeneralName::RegisteredId(oid) => format!("RID:{oid}"),
        GeneralName::OtherName(other) => format!("otherName:{}", other.type_id),
        GeneralName::EdiPartyName(_) => "ediPartyName".to_owned(),
    }
}

/// RFC 5280 §4.2.1.6: an iPAddress has four octets for IPv4, sixteen for IPv6.
fn ip_text(octets: &[u8]) -> String {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        Ipv4Addr::from(octets).to_string()
    } else if let Ok(octets) = <[u8; 16]>::try_from(octets) {
        Ipv6Addr::from(octets).to_string()
    } else {
        format!("IP:{}", hex(octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType, SerialNumber, date_time_ymd};

    fn sample() -> Vec<u8> {
        let names = ["example.com", "*.example.com", "127.0.0.1", "::1"].map(String::from);
        let mut params = CertificateParams::new(names).unwrap();
        params.subject_alt_names.push(SanType::URI("wss://example.com/".try_into().unwrap()));
        params.subject_alt_names.push(SanType::Rfc822Name("a@example.com".try_into().unwrap()));
        params.distinguished_name.push(DnType::CommonName, "example.com");
        params.distinguished_name.push(DnType::OrganizationName, "Müller, Söhne");
        params.not_before = date_time_ymd(2026, 1, 2);
        params.not_after = date_time_ymd(2051, 12, 31);
        params.serial_number = Some(SerialNumber::from_slice(&[0x01, 0xab, 0xff]));
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn a_certificate_is_printed_as_text() {
        let facts = CertificateFacts::from_der(&sample()).unwrap();
        assert_eq!(facts.subject, "O=Müller\\, Söhne,CN=example.com");
        assert_eq!(
            facts.names,
            [
                "example.com",
                "*.example.com",
                "127.0.0.1",
                "::1",
                "URI:wss://example.com/",
                "email:a@example.com"
            ]
        );
        // RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime after that.
        assert_eq!(facts.not_before, "2026-01-02T00:00:00Z");
        assert_eq!(facts.not_after, "2051-12-31T00:00:00Z");
        assert_eq!(facts.serial, "01abff");
    }

    #[test]
    fn broken_der_is_an_error_never_a_panic() {
        let der = sample();
        for len in 0..der.len() {
            assert!(CertificateFacts::from_der(&der[..len]).is_err(), "{len} bytes");
        }
        assert!(CertificateFacts::from_der(&[&der[..], b"more"].concat()).is_err());
        for at in 0..der.len() {
            let mut broken = der.clone();
            broken[at] ^= 0xff;
            let _ = CertificateFacts::from_der(&broken);
        }
    }

    #[test]
    fn an_address_of_odd_length_is_shown_in_hex() {
        assert_eq!(ip_text(&[1, 2, 3]), "IP:010203");
    }
}
