//! The rules for certificates, apart from dates, names and trust, by the words of OpenSSL's verifier
//! for their breach.

/// A rule that a chain of certificates broke.
pub(super) struct CertificateRule {
    /// Words in the verdict of the verifier, in lower case.
    words: &'static [&'static str],
    /// The verdict in plain words.
    pub text: &'static str,
    /// What to do.
    pub help: &'static str,
}

const fn rule(
    words: &'static [&'static str],
    text: &'static str,
    help: &'static str,
) -> CertificateRule {
    CertificateRule { words, text, help }
}

/// The first rule whose words are in a verdict is the broken one.
#[rustfmt::skip]
const RULES: &[CertificateRule] = &[
    rule(&["crl"], "a list of revoked certificates, which this machine requires, is missing, out of date or not usable",
        "renew the list where the configuration of OpenSSL on this machine names it, or turn this check off there"),
    rule(&["revoked"], "the certificate, or one of an authority above it, was revoked",
        "replace it at the server"),
    rule(&["certificate purpose", "digital signature"], "the certificate, or one of an authority above it, is not made for TLS servers",
        "issue one for servers, with `extendedKeyUsage = serverAuth`: one for clients or for e-mail does not suffice"),
    rule(&["key too weak"], "a key in the chain is shorter than this machine allows",
        "issue the certificate, and that of its authority if this is the weak one, with a new key: RSA with 2048 bits or more, or ECDSA on P-256"),
    rule(&["digest algorithm too weak"], "a signature in the chain uses a digest that this machine no longer accepts, such as MD5 or SHA-1",
        "make the authority sign anew, with SHA-256"),
    rule(&["suite b", "explicit ecc", "signature algorithm"], "an algorithm or curve in the chain is not allowed here, or does not fit the key",
        "issue the certificate with usual algorithms: SHA-256, and RSA with 2048 bits or ECDSA on P-256"),
    rule(&["signature failure", "certificate's signature", "public key"], "a signature in the chain can't be verified with the key of its issuer",
        "check that the server sends the intermediate certificate that signed its own, and that `--cacert` has the present one: another of the same name does not fit"),
    rule(&["subject issuer mismatch", "identifier mismatch", "serial number mismatch", "issuer certificate lookup"], "a certificate in the chain is not that of the issuer that the one below it names",
        "make the server send the intermediate certificate that signed its own"),
    rule(&["path length constraint", "chain too long", "path loop"], "the chain has more authorities than one of them, or this machine, allows",
        "issue the certificate at an authority that is nearer to the root, or raise the `pathlen` of the authority above"),
    rule(&["invalid ca certificate", "certificate signing", "keycertsign", "basic constraints of ca", "ca cert does not"], "a certificate that signed another one in the chain is not that of an authority: it may not sign certificates",
        "issue it with `basicConstraints = critical,CA:TRUE` and `keyUsage = critical,keyCertSign,cRLSign`, and sign the server's certificate anew"),
    rule(&["ca markings"], "the certificate is that of an authority, and no server's",
        "issue one for the server: `basicConstraints = CA:FALSE`, `extendedKeyUsage = serverAuth`"),
    rule(&["certificate not trusted", "certificate rejected"], "the settings of a root on this machine do not trust it for TLS servers",
        "look at the trusted and rejected uses of the root: `openssl x509 -text -trustout -in FILE`"),
    rule(&["subtree", "name constraint", "name syntax", "rfc 3779"], "an authority in the chain may not issue certificates for a name in it, or its limits can't be checked (name constraints)",
        "get the certificate from an authority that may issue it for all of its names"),
    rule(&["critical extension", "extension feature"], "a certificate in the chain has a critical extension that this machine's TLS library does not know",
        "issue it without that extension"),
    rule(&["policy"], "the chain lacks a policy that an authority in it, or this machine, requires",
        "issue the certificate with that policy"),
    rule(&["proxy certificate", "proxy path", "proxy subject"], "the certificate is one of a proxy (RFC 3820), which is not allowed here",
        "give the server a certificate of its own"),
    rule(&["format error", "inconsistent", "missing", "empty", "critical", "x509v3", "path length"], "a certificate in the chain is not well formed (RFC 5280)",
        "issue it anew with a present version of the authority's program"),
    rule(&["dane", "ocsp", "transparency"], "a check that this machine requires besides the usual ones fails: DANE, OCSP or Certificate Transparency",
        "look at the configuration of OpenSSL on this machine, and at what the server sends for that check"),
];

/// The rule that this verdict of the verifier is about.
pub(super) fn broken(verdict: &str) -> Option<&'static CertificateRule> {
    let verdict = verdict.to_ascii_lowercase();
    RULES.iter().find(|rule| rule.words.iter().any(|words| verdict.contains(words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_of_the_verifier_has_its_rule() {
        // `X509_verify_cert_error_string` of OpenSSL 3.0, without dates, names and trust.
        for (verdicts, words) in [
            (
                &[
                    "unable to get certificate CRL",
                    "unable to decrypt CRL's signature",
                    "CRL signature failure",
                    "CRL is not yet valid",
                    "CRL has expired",
                    "format error in CRL's lastUpdate field",
                    "unable to get CRL issuer certificate",
                    "key usage does not include CRL signing",
                    "unhandled critical CRL extension",
                    "different CRL scope",
                    "CRL path validation error",
                ][..],
                "list of revoked",
            ),
            (&["certificate revoked"], "was revoked"),
            (
                &["unsuitable certificate purpose", "unsupported certificate purpose"],
                "not made for TLS servers",
            ),
            (&["EE certificate key too weak", "CA certificate key too weak"], "shorter than"),
            (&["CA signature digest algorithm too weak"], "digest"),
            (
                &[
                    "Suite B: invalid ECC curve",
                    "Cannot find certificate signature algorithm",
                    "cert info signature and signature algorithm mismatch",
                    "subject signature algorithm and issuer public key algorithm mismatch",
                    "Certificate public key has explicit ECC parameters",
                ],
                "algorithm or curve",
            ),
            (
                &[
                    "unable to decrypt certificate's signature",
                    "unable to decode issuer public key",
                    "certificate signature failure",
                    "issuer certificate doesn't have a public key",
                ],
                "can't be verified with the key",
            ),
            (
                &[
                    "subject issuer mismatch",
                    "authority and subject key identifier mismatch",
                    "authority and issuer serial number mismatch",
                ],
                "not that of the issuer",
            ),
            (
                &["certificate chain too long", "path length constraint exceeded", "path loop"],
                "more authorities",
            ),
            (
                &[
                    "invalid CA certificate",
                    "key usage does not include certificate signing",
                    "Path length given without key usage keyCertSign",
                    "CA cert does not include key usage extension",
                ],
                "may not sign",
            ),
            (&["invalid non-CA certificate (has CA markings)"], "no server's"),
            (&["certificate not trusted", "certificate rejected"], "settings of a root"),
            (
                &[
                    "permitted subtree violation",
                    "excluded subtree violation",
                    "unsupported name constraint type",
                    "unsupported or invalid name syntax",
                ],
                "name constraints",
            ),
            (&["unhandled critical extension", "unsupported extension feature"], "does not know"),
            (&["no explicit policy"], "lacks a policy"),
            (
                &[
                    "proxy path length constraint exceeded",
                    "proxy certificates not allowed, please set the appropriate flag",
                ],
                "",
            ),
            (
                &[
                    "format error in certificate's notBefore field",
                    "invalid or inconsistent certificate extension",
                    "Missing Authority Key Identifier",
                    "Issuer name empty",
                    "Subject Key Identifier marked critical",
                    "Using cert extension requires at least X509v3",
                    "Path length invalid for non-CA cert",
                ],
                "not well formed",
            ),
            (&["no matching DANE TLSA records", "OCSP verification needed"], "besides the usual"),
        ] {
            for verdict in verdicts {
                let rule = broken(verdict).unwrap_or_else(|| panic!("{verdict}"));
                assert!(rule.text.contains(words), "{verdict}: {}", rule.text);
            }
        }
        // These name no rule.
        for verdict in ["unspecified certificate verification error", "out of memory", "Ungültig"]
        {
            assert!(broken(verdict).is_none(), "{verdict}");
        }
    }
}
