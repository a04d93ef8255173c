//! The URL, the name, TCP, a proxy; and what answers a plain request without speaking HTTP.

use std::time::Duration;

use super::application::path_hint;
use super::findings::Findings;
use crate::diagnostics::facts::{DialOutcome, LookupFault, ProxyFault, StreamEnd};
use crate::diagnostics::url::Url;
use crate::diagnostics::{Facts, Form, Place, Severity, Span, sniff};

/// Around the second after which Engine.IO gives up on a path it does not own.
const ENGINE_IO_TIMEOUT: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(950)..=Duration::from_millis(1050);

pub(super) fn url(facts: &Facts<'_>, found: &mut Findings) {
    let Some(typed) = facts.url else { return };
    let url = Url::of(typed);
    let scheme = url.scheme.to_ascii_lowercase();
    let span = |from: usize, len: usize, label: &str| url_span(&url, typed, from, len, label);
    if matches!(scheme.as_str(), "http" | "https") {
        let meant = if url.is_secure() { "wss" } else { "ws" };
        let label = format!("taken as {meant}://");
        found.add("W001", |d| d.at(span(0, scheme.len(), &label)));
    }
    if url.fragment.is_some() {
        found.add("W002", |d| d.at(span(url.shown().len(), 1, "not allowed here")));
    }
    if url.userinfo.is_some() {
        let label = "user and password stand before this";
        found.add("W003", |d| d.at(span(scheme.len() + 3, url.host.len(), label)));
    }
    let clash = matches!((url.is_secure(), url.port()), (false, 443) | (true, 80));
    if clash {
        let from = scheme.len() + 3 + url.host.len();
        let label = if url.is_secure() { "usually without TLS" } else { "usually TLS" };
        found.add("W004", |d| d.at(span(from, url.shown().len(), label)));
    }
}

/// A place in the URL as it is shown. What stands behind the path is left out, but for the `#`.
fn url_span(url: &Url<'_>, typed: &str, from: usize, len: usize, label: &str) -> Option<Span> {
    let mut shown = url.shown();
    if url.scheme.is_empty() && !typed.contains("://") {
        return None;
    }
    let path = shown.len() - url.path.len();
    let end = if from < path { (from + len).min(path) } else { from + len };
    if url.fragment.is_some() {
        shown.push_str("#…");
    }
    Some(Span {
        place: Place::Url,
        offset: 0,
        bytes: shown.into_bytes(),
        marked: from..end,
        label: label.to_owned(),
        form: Form::Text,
    })
}

pub(super) fn lookup(facts: &Facts<'_>, found: &mut Findings) {
    let host = facts.url.map(|url| format!("the name is {}", Url::of(url).host));
    match facts.lookup {
        None => {}
        Some(LookupFault::NotFound) => found.add("W101", |d| d.note_if(host)),
        Some(LookupFault::OtherFamily) => found.add("W101", |d| {
            d.note_if(host)
                .note("it has addresses of the other family only")
                // Neither a typing error nor another DNS server.
                .without_causes(2)
                .help("allow both families: leave out `-4` and `-6`")
        }),
        Some(LookupFault::Unanswered) => found.add("W102", |d| d.note_if(host)),
    }
}

pub(super) fn tcp(facts: &Facts<'_>, found: &mut Findings) {
    let any = |outcome| facts.dials.iter().any(|dial| dial.outcome == outcome);
    let connected = any(DialOutcome::Connected);
    let host = facts.url.map(|url| Url::of(url).host).unwrap_or_default();
    let refused = facts.dials.iter().find(|dial| dial.outcome == DialOutcome::Refused);
    let notes = facts.dials.iter().map(|dial| {
        let elapsed = dial.elapsed.as_secs_f64();
        match dial.outcome {
            DialOutcome::Connected => format!("{}: connected", dial.address),
            DialOutcome::Refused => format!("{}: connection refused", dial.address),
            DialOutcome::Silent => format!("{}: no answer within {elapsed:.1} s", dial.address),
            DialOutcome::Unreachable => format!("{}: unreachable", dial.address),
            DialOutcome::NearEnd => format!("{}: not tried", dial.address),
        }
    });
    let code = match refused {
        _ if facts.dials.is_empty() => return,
        // The session goes on over the other address, so this is only worth a warning.
        Some(_) if connected && host.eq_ignore_ascii_case("localhost") => "W104",
        _ if connected => return,
        // A refusal counts most, because it proves that the host is there.
        Some(_) => "W103",
        None if any(DialOutcome::Silent) => "W105",
        None if any(DialOutcome::Unreachable) => "W106",
        // What is wrong is on this side, and the error itself explains it.
        None => return,
    };
    found.add(code, |mut d| {
        d.notes.extend(notes);
        if connected { d.severity(Severity::Warning) } else { d }
    });
}

pub(super) fn proxy(facts: &Facts<'_>, found: &mut Findings) {
    let Some(proxy) = &facts.proxy else { return };
    if let Some(answer) = proxy.answer {
        let status = answer.status_line().map(|line| line.code);
        let through = format!("the proxy is {}", proxy.address);
        match status {
            Some(200..=299) => {}
            // tinyproxy answers 401 to a wrong password.
            Some(401 | 407) => found.add("W113", |d| {
                d.at(Span::header_or_start(answer, "Proxy-Authenticate", "what it takes"))
                    .note(through)
            }),
            _ => found.add("W112", |d| d.at(Span::start_line(answer, "")).note(through)),
        }
    } else if let Some(fault) = proxy.fault {
        let code = match fault {
            ProxyFault::Refused => "W112",
            ProxyFault::Unauthorized => "W113",
        };
        found.add(code, |d| d.note(format!("the proxy is {}", proxy.address)));
    }
    if let Some(variable) = proxy.variable {
        found.add("W114", |d| d.note(format!("{variable} names {}", proxy.address)));
    }
}

/// A plain request was answered by something else than an HTTP head, or by nothing.
pub(super) fn first_bytes(facts: &Facts<'_>, found: &mut Findings) {
    let bytes = facts.first_bytes;
    if !bytes.is_empty() {
        return foreign(bytes, found);
    }
    let Some(unanswered) = facts.unanswered.filter(|end| end.received == 0) else { return };
    let secure = facts.url.is_some_and(|url| Url::of(url).is_secure());
    let port = facts.url.map(|url| Url::of(url).port());
    let after = format!("it was {:.3} s after the request", unanswered.after.as_secs_f64());
    let code = match unanswered.how {
        StreamEnd::Timeout => "W109",
        _ if ENGINE_IO_TIMEOUT.contains(&unanswered.after) => "W108",
        _ if !secure && matches!(port, Some(443 | 8443)) => "W205",
        _ => "W107",
    };
    found.add(code, |d| {
        let d = d.note(after).note_if(path_hint(facts));
        match (code, secure) {
            // The first cause is a port that speaks TLS only.
            ("W107", true) => {
                d.without_causes(1).help("see the server's log for the reason; TLS itself was fine")
            }
            _ => d,
        }
    });
}

fn foreign(bytes: &[u8], found: &mut Findings) {
    let span = |label: String| Span::first(Place::FirstBytes, bytes, label);
    if let Some(number) = sniff::tls_alert(bytes) {
        return found.add("W205", |d| d.at(span(format!("TLS alert {number}")).marking(0..7)));
    }
    if sniff::is_tls_record(bytes) {
        return found.add("W205", |d| d.at(span("a TLS record".to_owned()).marking(0..5)));
    }
    if let Some(extended) = sniff::http2_settings(bytes) {
        return found.add("W111", |d| {
            let d = d.at(span("SETTINGS".to_owned()).marking(0..9));
            match extended {
                true => d.note("it allows WebSocket over HTTP/2 (RFC 8441), but only that way"),
                false => d,
            }
        });
    }
    if let Some((name, hint)) = sniff::banner(bytes) {
        return found.add("W110", |d| {
            let d = d.at(span(format!("the greeting of {name}")));
            if hint.is_empty() { d } else { d.note(hint) }
        });
    }
    found.add("W348", |d| d.at(span("no status line".to_owned())));
}
