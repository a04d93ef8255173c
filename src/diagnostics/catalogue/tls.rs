//! W2xx: TLS, its alerts, certificates and ALPN.

use super::builder::{KNOWN, MEASURED, error, high, low, medium, note, warning};
use crate::diagnostics::diagnostic::SELF_SIGNED;
use crate::diagnostics::{CatalogueEntry, Clue as C};

/// The code of the entry for a TLS alert that the peer sent (RFC 8446 §6.2), if there is one.
pub fn of_alert(number: u8) -> Option<&'static str> {
    Some(match number {
        40 | 47 | 71 => "W209",
        70 => "W210",
        112 => "W211",
        42 | 43 | 46 | 116 => "W212",
        120 => "W213",
        _ => return None,
    })
}

/// The cure for a plain request to a TLS port.
pub(in crate::diagnostics) const USE_WSS: &str =
    "change the URL to `wss://`; in other clients, use wss:// or https://";

/// The cause if the server compares both names (RFC 9110 §15.5.20).
const NAMES_DIFFER: &str = "the Host header has another name than TLS (SNI), and the server accepts a request only with the same name in both";

/// The help for it.
const SAME_NAME: &str = "send the name of the Host to TLS, too: `--sni NAME`; or put it into the URL, and leave out `--host`";

/// The cure if the server has no certificate for the name, or got an address.
const KNOWN_NAME: &str = "connect by a name the server has a certificate for";

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    error("W201", "the port speaks plain HTTP, not TLS")
        .because("one side spoke TLS, and the other plain HTTP: the answer to a ClientHello begins with no TLS record")
        .help("use ws:// instead of wss://, or the server's TLS port")
        .source(MEASURED)
        .seen("the first byte after the ClientHello is none of 0x14 to 0x18, most often the H of HTTP")
        .more("OpenSSL calls this \"wrong version number\", rustls InvalidContentType. Twelve of the sixteen servers we tested answer like this."),
    error("W202", "the server closed the connection on our ClientHello")
        .because("the stream ended at the beginning of the TLS handshake")
        .help("run `wscope doctor URL`; the server may accept only other TLS versions, names or addresses")
        .source(MEASURED)
        .causes(&[
            high("the port speaks plain text", C::OtherSchemeAnswers).cure("use `ws://` instead of `wss://`"),
            low("the port speaks plain text and closes on unknown input").unless(&[C::OtherSchemeFails]),
            low("a policy on TLS versions, names or addresses"),
            low("the service is neither TLS nor HTTP, or it is a forwarder whose target is down"),
        ])
        .seen("end of stream with no byte of a ServerHello"),
    error("W203", "the TLS handshake hangs")
        .because("the server did not answer the ClientHello")
        .help("try ws:// instead of wss://: a plain-text port often waits for the end of a line")
        .source(MEASURED)
        .causes(&[
            high("the port speaks plain text", C::OtherSchemeAnswers).cure("use `ws://` instead of `wss://`"),
            low("the port speaks plain text; tornado and daphne wait like this").unless(&[C::OtherSchemeFails]),
            medium("the service speaks neither TLS nor HTTP, or it hangs", C::OtherSchemeFails)
                .cure("check what listens on this port, and whether it hangs: it answers neither TLS nor HTTP"),
            low("packets are lost after the first ones (MTU)").unless(&[C::OtherSchemeFails, C::OtherSchemeAnswers, C::Loopback]),
            low("the service hangs, or speaks neither TLS nor HTTP").unless(&[C::OtherSchemeFails, C::OtherSchemeAnswers]),
        ])
        .seen("no byte in answer to the ClientHello until the timeout"),
    error("W204", "plain HTTP was sent to a TLS port")
        .because("the answer is that of a TLS port to a plain request: of this port, or of one behind a proxy that passed the request on")
        .help("change the URL to `wss://`; if that fails, a proxy at this port must use TLS to its upstream, in nginx `proxy_pass https://…`")
        .source(MEASURED)
        .causes(&[
            high("this port speaks TLS", C::OtherSchemeAnswers).cure(USE_WSS),
            low("this port speaks TLS"),
            low("a proxy at this port speaks plain HTTP to a TLS port behind it").unless(&[C::OtherSchemeAnswers]),
        ])
        .seen("status 400 with the words of nginx, Go or Apache for a plain request on a TLS port"),
    error("W205", "the port speaks TLS")
        .because("the plain request was answered with a TLS record")
        .help("change the URL to `wss://`")
        .source(MEASURED)
        .seen("the first bytes are an alert record (15 03 0x 00 02 …) or another record of TLS"),
    error("W206", "the certificate is expired or not yet valid")
        .because("the current time is outside the certificate's validity")
        .help("renew the certificate, or skip the check with --insecure; check this machine's clock")
        .source("RFC 5280 §4.1.2.5")
        .causes(&[
            high("its validity has not begun: it is too new, or this machine's clock is behind", C::NotYetValid)
                .cure("wait until its validity begins, or correct this machine's clock; --insecure skips the check"),
            low("the certificate was not renewed"),
            low("it was renewed, but the server was not reloaded"),
            low("this machine's clock is wrong"),
        ])
        .seen("the verifier compares notBefore and notAfter with the clock"),
    error("W207", "the certificate is for other names")
        .because("the certificate's subjectAltName does not contain the requested host")
        .help("use a name that the certificate lists, or --insecure to connect without verification")
        .source("RFC 9525 §6")
        .causes(&[
            high("the certificate has only a common name, which TLS clients ignore", C::NoNames)
                .cure("make a certificate with subjectAltName, as in `openssl req -addext subjectAltName=DNS:HOST`, or use --insecure"),
            high("its wildcard stands for exactly one label", C::Wildcard)
                .cure("use a name with exactly one label in its place, or a certificate that lists this name"),
            high("the certificate lists the address as a DNS name, and clients compare an address with IP addresses only", C::AddressAsName)
                .cure("make a certificate with the address, as in `openssl req -addext subjectAltName=IP:ADDRESS`"),
            medium("an address was used instead of a name", C::HostIsAddress).unless(&[C::AddressAsName]),
            low("another name of the server was used"),
            low("the certificate has only a common name, which TLS clients ignore").unless(&[C::HasNames]),
            low("the server has several sites and answers with its default one"),
        ])
        .seen("the host is not among the subject alternative names"),
    error("W208", "the certificate's issuer is not trusted")
        .because("the certificate chain does not end in a trusted root")
        .help("trust its issuer with `--cacert FILE`, or use --insecure; if browsers trust it, the server probably does not send the intermediate certificate")
        .source("RFC 5280 §6")
        .causes(&[
            high("the server has no certificate for this name, and shows its default one", C::DefaultCertificate)
                .cure("connect by a name that the server has a certificate for, or give it one for this name"),
            high(SELF_SIGNED, C::SelfSigned).unless(&[C::DefaultCertificate]).cure("trust it with `--cacert FILE`, or use --insecure"),
            medium("TLS is intercepted by a security product or a debugging proxy", C::IssuerIntercepts)
                .cure("trust its authority with `--cacert FILE`, or test from another network"),
            medium("the server sends another certificate than that of its issuer, as an old intermediate one after a renewal", C::IssuerUnsent).unless(&[C::RootSent])
                .cure("make the server send the intermediate certificate that signed its own (in nginx, in the file of `ssl_certificate`)"),
            medium("the server sends its own certificate without the intermediate one", C::IssuerElsewhere).unless(&[C::IssuerIntercepts])
                .cure("make the server send the whole chain (in nginx, `ssl_certificate` with both certificates in one file); a private authority is trusted with `--cacert FILE`"),
            medium("it is from another authority than those of the roots given, or the server leaves out the intermediate certificate", C::IssuerLacking).unless(&[C::IssuerIntercepts, C::IssuerElsewhere])
                .cure("trust its issuer: `--cacert FILE` with the certificate of that authority; or make the server send the whole chain"),
            medium("it is from a private authority, or from a product that decrypts TLS", C::RootSent).unless(&[C::IssuerIntercepts])
                .cure("trust its authority with `--cacert FILE`, or use --insecure"),
            medium("it is from another authority than those of the roots given", C::OwnRoots).unless(&[C::IssuerIntercepts, C::IssuerElsewhere, C::IssuerLacking, C::IssuerUnsent, C::SelfSigned, C::RootSent])
                .cure("give the certificate of the authority that issued it: `--cacert FILE`; wscope then trusts no other one"),
            low("it is from a private authority").unless(&[C::SelfSigned, C::RootSent, C::OwnRoots]),
            low("the server sends its own certificate without the intermediate one").unless(&[C::SelfSigned, C::RootSent, C::IssuerElsewhere, C::IssuerLacking]),
            low("TLS is intercepted by a security product or a debugging proxy").unless(&[C::SelfSigned, C::RootSent]),
        ])
        .seen("the verifier finds no trusted issuer"),
    error("W209", "the server refuses our TLS handshake")
        .because("it answered with an alert that does not name the cause")
        .help("compare the cipher suites and versions of both sides: `openssl s_client -connect HOST:PORT`")
        .source("RFC 8446 §6.2")
        .causes(&[
            medium("the server has no certificate for this name: Go's servers and Caddy answer so", C::Alert(80))
                .cure(KNOWN_NAME),
            medium("an option of this run sends a name that the server does not have, or none", C::OwnName)
                .cure("give a name that the server has to `--sni`, or omit `--sni` and `--no-sni`"),
            medium("the server does not know the name: an address was used", C::HostIsAddress).unless(&[C::OwnName])
                .cure(KNOWN_NAME),
            high("the server does not know the name sent to it: without one, TLS agrees", C::NoNameHelps).unless(&[C::OwnName])
                .cure(KNOWN_NAME),
            medium("the server does not know the name: an option of this run leads the name to another address", C::OwnAddress).unless(&[C::OwnName, C::HostIsAddress, C::NoNameHelps])
                .cure("check the name of the URL, and the address of `--resolve` or `--connect-to`: the server must have a certificate for that name"),
            low("the server has no site or certificate for the name that was sent").unless(&[C::OwnName, C::HostIsAddress, C::OwnAddress])
                .cure("check the name of the URL against the sites of the server; then compare cipher suites and versions: `openssl s_client -connect HOST:PORT`"),
            low("the server accepts only cipher suites or curves that are not offered"),
        ])
        .seen("alert 40 handshake_failure, 47 illegal_parameter or 71 insufficient_security, or one without an entry"),
    error("W210", "client and server share no TLS version")
        .because("the server refused the handshake with the alert protocol_version")
        .help("update the older side; TLS 1.2 is the oldest secure version")
        .source("RFC 8446 §6.2")
        .causes(&[
            medium("the versions that this side offers are limited by an option", C::VersionsLimited)
                .cure("leave out `--tls-max` and `--tls-min`"),
            low("the server speaks only TLS 1.0 or 1.1"),
            low("the server requires TLS 1.3, which this system's library lacks").with(C::OldLibrary).unless(&[C::VersionsLimited]),
        ])
        .seen("alert 70 protocol_version"),
    error("W211", "the server has no site with this name")
        .because("the name sent in the TLS handshake, or the Host header, matches no site there")
        .help("connect by a name the server knows")
        .source("RFC 6455 §4.1, RFC 9110 §15.5.20")
        .causes(&[
            high(NAMES_DIFFER, C::All(&[C::OtherHostSent, C::UrlIsSecure, C::Body("server name indication")])).unless(&[C::HostIsAddress])
                .cure(SAME_NAME),
            medium(NAMES_DIFFER, C::All(&[C::OtherHostSent, C::UrlIsSecure, C::StatusIs(421)])).unless(&[C::Body("server name indication"), C::HostIsAddress])
                .cure(SAME_NAME),
            medium("an option of this run sends a name that the server does not have, or none", C::OwnName)
                .cure("give a name that the server has to `--sni`, or omit `--sni` and `--no-sni`"),
            medium("a proxy in front speaks TLS to this server, with another name than the Host that it forwards", C::SniBehind)
                .cure("make the proxy send the same name to TLS; in nginx: `proxy_ssl_server_name on; proxy_ssl_name $host;`"),
            high("the URL has an address instead of a name", C::HostIsAddress).unless(&[C::Status, C::OwnName])
                .cure("connect by a name the server knows, not by address"),
            medium("the URL has an address instead of a name", C::HostIsAddress).unless(&[C::OwnName, C::SniBehind])
                .cure("connect by a name the server knows, not by address"),
            low("the server does not have this name"),
            low(NAMES_DIFFER).with(C::OtherHostSent).unless(&[C::NotSecure, C::StatusIs(421)]).cure(SAME_NAME),
        ])
        .seen("alert 112 unrecognized_name, or status 421"),
    error("W212", "the server requires a client certificate")
        .because("the server refused the connection because the client sent no certificate, or one it does not accept")
        .help("send one: `--cert FILE --key FILE`")
        .source("RFC 8446 §6.2")
        .causes(&[
            high("no certificate was sent, or one that the server does not accept", C::CertificateAsked),
            medium("the certificate sent is not accepted: its issuer, its dates or its purpose", C::CertificateSent)
                .cure("send one that the server accepts, of an issuer that it trusts: `--cert FILE --key FILE`"),
        ])
        .seen("alert 42, 43, 46 or 116; another alert or the end after a CertificateRequest; or status 400, 403, 495 or 496 with a body about certificates"),
    error("W213", "the server offers only another protocol over TLS")
        .because("the server accepts nothing that was offered in the ALPN extension, which is http/1.1 by default; such a server often supports HTTP/2 only")
        .help("use an HTTP/1.1 port of the server, or enable HTTP/1.1 on this one")
        .source("RFC 7301 §3.2; measured on real servers")
        .causes(&[
            medium("http/1.1 was not offered", C::OwnAlpn).cure("offer `http/1.1` with `--alpn`, or omit it"),
            high("the server speaks only HTTP/2 over TLS", C::All(&[C::OnlyHttp2, C::PlainUnanswered])),
            medium("the server speaks only HTTP/2 over TLS", C::OnlyHttp2).unless(&[C::PlainUnanswered]),
        ])
        .seen("alert 120 no_application_protocol; or an end without an answer after no protocol was agreed, if TLS agrees on h2 where that is offered"),
    error("W214", "TLS agreed on HTTP/2")
        .because("the HTTP/1.1 upgrade is not possible on an HTTP/2 connection")
        .help("offer only http/1.1 in ALPN")
        .source("RFC 8441 §5, RFC 9113 §8.6")
        .seen("the protocol agreed by ALPN is h2"),
    error("W215", "a Node.js HTTP/2 server without HTTP/1.1")
        .because("the server insists on h2 in ALPN")
        .help("set `allowHTTP1: true` in the server's http2.createSecureServer")
        .source(MEASURED)
        .seen("403 with the words Missing ALPN Protocol, expected to be available"),
    warning("W216", "TLS ended without close_notify")
        .because("the TCP connection ended before TLS did, so the last bytes may be missing")
        .help("treat it as a lost connection, and check how long it was idle")
        .source("RFC 8446 §6.1")
        .seen("end of stream without the close_notify alert, and no Close frame"),
    note("W217", "TLS is intercepted by a security product")
        .because("the certificate was issued by a product that decrypts TLS; such products often break the upgrade")
        .help("test from another network, or ask for an exception for this host")
        .source(KNOWN)
        .seen("the certificate's issuer is a known security product"),
    error("W218", "the certificate is refused")
        .because("the TLS library of this machine refuses it for another reason than its dates, its names or its issuer")
        .help("replace the certificate, or its chain, at the server; `--insecure` connects without verification")
        .source("OpenSSL's X509_verify_cert_error_string; RFC 5280 §4.2, §6")
        .seen("the verifier of the TLS library reports an error of another kind than W206 to W208"),
];
