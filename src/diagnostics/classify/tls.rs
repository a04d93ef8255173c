//! TLS: why the handshake failed, what it agreed on, and who issued the certificate.

use super::findings::Findings;
use super::reaching::greeted;
use crate::diagnostics::catalogue::tls::USE_WSS;
use crate::diagnostics::clue::is_valid;
use crate::diagnostics::facts::TlsFault;
use crate::diagnostics::{Clue, Facts, Place, Span, certificate, of_alert, sniff};
use crate::event::CertificateFacts;
use crate::wire::Role;

pub(super) fn tls(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let tls = &facts.tls;
    match tls.fault {
        None => {}
        Some(TlsFault::NotTls(bytes)) => not_tls(bytes, found),
        // A client of ours saw our certificate and sent this alert.
        Some(TlsFault::Alert(number @ (42 | 46 | 48))) if facts.role == Role::Server => {
            distrust(facts, format!("the alert's number is {number}"), found);
        }
        Some(TlsFault::Closed) if facts.role == Role::Server => {
            distrust(facts, "it closed the connection during the TLS handshake".to_owned(), found);
        }
        Some(TlsFault::Closed | TlsFault::Silent) if greeted(facts, "TLS", found) => {}
        Some(TlsFault::Closed) => found.add("W202", |d| d),
        Some(TlsFault::Silent) => found.add("W203", |d| d),
        Some(TlsFault::Dates { .. }) => found.add("W206", |d| {
            let now = tls.now.map(|now| format!("this machine's clock: {now}"));
            let d = d.note_if(tls.certificate.map(dates)).note_if(now);
            match Clue::IssuerDates.seen(facts) {
                Some(fact) => d
                    .title("a certificate in the chain above the server's own is expired or not yet valid")
                    .certain()
                    .because("an intermediate certificate, or a root of this machine, is out of date", fact)
                    .help("make the server send the new intermediate certificate, and update the roots of this machine: to renew the server's own does not help"),
                None => d,
            }
        }),
        Some(TlsFault::Name) => found.add("W207", |d| {
            let nameless = tls.certificate.is_some_and(|c| c.names.is_empty());
            let d = d.note_if(tls.certificate.map(names));
            match nameless {
                true => d.title("the certificate has no subjectAltName"),
                false => d,
            }
        }),
        Some(TlsFault::Issuer { .. }) => {
            // A certificate that is its own issuer has its own cause.
            let other = tls.certificate.filter(|one| one.issuer != one.subject);
            found.add("W208", |d| d.note_if(other.map(issuer)));
        }
        Some(TlsFault::Certificate(reason)) => found.add("W218", |d| {
            let insecure = "`--insecure` connects without verification";
            let d = d.note_if(tls.certificate.map(issuer));
            match certificate::broken(reason) {
                Some(rule) => d
                    .because(rule.text, format!("the TLS library says \"{reason}\""))
                    .help(format!("{}; {insecure}", rule.help)),
                None => d,
            }
        }),
        // These alerts are about the certificate of the side that receives them.
        Some(TlsFault::Alert(number @ (42..=46 | 48 | 49 | 51)))
            if facts.role == Role::Client && tls.own_certificate =>
        {
            found.add("W212", |d| {
                let d = d.title("the server refuses our client certificate");
                let d = d.note(format!("the alert's number is {number}"));
                let fact = "a client certificate was sent, and the alert is about that";
                let help = match number {
                    44 | 45 => "look at the dates of the certificate of `--cert`, and of its issuer's at the server; renew what has expired",
                    _ => "send a certificate of an issuer that the server trusts: `--cert FILE --key FILE`",
                };
                let d = d.certain();
                let own = tls.shown.zip(tls.now).map(|(own, now)| (own, is_valid(own, now)));
                match (number, own) {
                    (48, _) => d.because("the server does not trust the issuer of the client certificate", fact),
                    (45, Some((own, false))) => d.because("the client certificate has expired", dates(own)),
                    (45, Some((own, true))) => d.suggests(
                        "a certificate of an authority above the client's has expired at the server, or the server's clock is wrong",
                        dates(own),
                    ),
                    (45, None) => d.suggests("the client certificate, or one that the server checks it with, has expired", fact),
                    (44, _) => d.suggests("the client certificate was revoked", fact),
                    _ => d.suggests("the client certificate does not meet the server's rules", fact),
                }
                .help(help)
            });
        }
        Some(TlsFault::Alert(number)) => {
            // Any other alert means that the handshake failed.
            let code = of_alert(number).unwrap_or("W209");
            found.add(code, |d| d.note(format!("the alert's number is {number}")));
        }
        Some(TlsFault::CertificateWanted) => found.add("W212", |d| d),
        Some(TlsFault::PlainRequest) => found.add("W204", |d| d.certain().help(USE_WSS)),
    }
    if tls.fault.is_none() && tls.alpn == Some("h2") {
        found.add("W214", |d| d);
    }
    // Many servers never send close_notify, so its absence matters only if nothing else explains
    // the end.
    if tls.truncated && facts.close.received.is_none() && facts.close.sent.is_none() {
        found.add("W216", |d| d);
    }
    let certificate = tls.certificate.filter(|_| Clue::IssuerIntercepts.seen(facts).is_some());
    if let Some(certificate) = certificate {
        found.add("W217", |d| d.note(issuer(certificate)));
    }
}

/// Explains why a client left after it received the certificate.
fn distrust(facts: &Facts<'_>, note: String, found: &mut Findings<'_>) {
    found.add("W368", |d| match facts.tls.intercepted {
        true => d
            .title("the client does not trust the certificate of this proxy")
            .note("the proxy decrypts TLS with a certificate of its own authority")
            .note(note)
            .help("make the client trust it: `wscope ca trust-help`; or do not decrypt its TLS: `--tunnel HOST`"),
        false => d.note(note),
    });
}

fn not_tls(bytes: &[u8], found: &mut Findings<'_>) {
    let span = |label: String| Span::first(Place::FirstBytes, bytes, label);
    match sniff::banner(bytes) {
        Some((name, _)) => {
            found.add("W110", |d| {
                d.title(format!("the port speaks {name}, not TLS"))
                    .at(span(sniff::shown_as(name, bytes)))
            });
        }
        None if bytes.is_empty() => found.add("W201", |d| d),
        None => {
            let label = "not a TLS record";
            found.add("W201", |d| d.at(span(label.to_owned()).marking(0..1)));
        }
    }
}

fn dates(certificate: &CertificateFacts) -> String {
    format!("it is valid from {} to {}", certificate.not_before, certificate.not_after)
}

fn names(certificate: &CertificateFacts) -> String {
    match certificate.names.as_slice() {
        [] => format!("it lists no names; its subject is {}", certificate.subject),
        names => format!("it lists {}", names.join(", ")),
    }
}

fn issuer(certificate: &CertificateFacts) -> String {
    format!("its issuer is {}", certificate.issuer)
}
