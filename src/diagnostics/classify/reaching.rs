//! The URL, the name, TCP, a proxy; and servers that do not speak HTTP.

use std::time::Duration;

use super::application::path_hint;
use super::findings::Findings;
use crate::diagnostics::facts::{
    DialOutcome, LookupFault, ProxyFacts, ProxyFault, StreamEnd, Trial, Unanswered, Variation,
};
use crate::diagnostics::url::Url;
use crate::diagnostics::{Clue, Diagnostic, Facts, Form, Place, Severity, Span, said, sniff};
use crate::wire::host::is_loopback;

/// Engine.IO gives up on a path that is not its own after about a second.
const ENGINE_IO_TIMEOUT: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(950)..=Duration::from_millis(1150);

pub(super) fn url(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let Some(typed) = facts.url else { return };
    let url = Url::of(typed);
    let scheme = url.scheme.to_ascii_lowercase();
    let span = |from: usize, len: usize, label: &str| url_span(&url, typed, from, len, label);
    if matches!(scheme.as_str(), "http" | "https") {
        let meant = if url.is_secure() { "wss" } else { "ws" };
        let label = format!("used as {meant}://");
        found.add("W001", |d| d.at(span(0, scheme.len(), &label)));
    }
    if url.fragment.is_some() {
        found.add("W002", |d| d.at(span(url.shown().len(), 1, "not allowed here")));
    }
    if url.userinfo.is_some() {
        let label = "user and password are before this";
        found.add("W003", |d| d.at(span(scheme.len() + 3, url.host.len(), label)));
    }
    let clash = matches!((url.is_secure(), url.port()), (false, 443) | (true, 80));
    if clash {
        let from = scheme.len() + 3 + url.host.len();
        let label = if url.is_secure() { "usually without TLS" } else { "usually TLS" };
        found.add("W004", |d| d.at(span(from, url.shown().len(), label)));
    }
}

/// A position in the shown URL. The text after the path is not shown; only the `#` of a fragment
/// is.
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

pub(super) fn lookup(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let host = facts.url.map(|url| format!("the name is {}", Url::of(url).host));
    match facts.lookup {
        None => {}
        Some(LookupFault::NotFound) => found.add("W101", |d| d.note_if(host)),
        Some(LookupFault::OtherFamily) => found.add("W101", |d| {
            d.note_if(host)
                .note("it has addresses of the other family only")
                .certain()
                .help("allow both families: omit `-4` and `-6`")
        }),
        Some(LookupFault::Unanswered) => found.add("W102", |d| d.note_if(host)),
    }
}

pub(super) fn tcp(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let any = |outcome| facts.dials.iter().any(|dial| dial.outcome == outcome);
    let connected = any(DialOutcome::Connected);
    let refused = facts.dials.iter().find(|dial| dial.outcome == DialOutcome::Refused);
    let notes = facts.dials.iter().map(ToString::to_string);
    let code = match refused {
        _ if facts.dials.is_empty() => return,
        // The session continues over the other address, so nothing is wrong.
        _ if connected => return,
        Some(_) if Clue::OtherFamilyListens.seen(facts).is_some() => "W104",
        // A refusal is the most important result, because it proves that the host exists.
        Some(_) => "W103",
        // The port answered, and then the listener reset the connection.
        None if any(DialOutcome::Reset) => "W107",
        None if any(DialOutcome::Silent) => "W105",
        None if any(DialOutcome::Unreachable) => "W106",
        None => {
            return found.add("W106", |d| {
                d.certain()
                    .title("the address or port to leave from can't be used")
                    .help("check `--interface` and `--local-port`: the address must be one of this machine, and the port free")
            });
        }
    };
    let other = facts.trial(Variation::OtherFamily).map(|trial| trial.what.clone());
    found.add(code, |mut d| {
        d.notes.extend(notes);
        if code == "W107" {
            return d
                .certain()
                .title("the connection was reset right after it had opened")
                .possible("something there accepts the connection, and resets it before a request: a filter of addresses, a limit of connections, or a forwarder whose target is down")
                .help("check what listens on this port: its rules for addresses, its limits, and what is behind it; no request was sent");
        }
        match (code, other) {
            ("W104", Some(other)) => d.help(format!(
                "use the address that answers, as in `{}`, or make the server listen on both families",
                facts.url.map(|url| Url::of(url).with_authority(&other)).unwrap_or_default()
            )),
            _ => d,
        }
    });
}

pub(super) fn proxy(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let Some(proxy) = &facts.proxy else { return };
    if let Some(answer) = proxy.answer {
        let status = answer.status_line().map(|line| line.code);
        let through = of_proxy(proxy);
        match status {
            Some(200..=299) => {}
            // tinyproxy answers 401 to a wrong password.
            Some(401 | 407) => found.add("W113", |d| {
                d.at(Span::header_or_start(answer, "Proxy-Authenticate", "accepted schemes"))
                    .note(through)
            }),
            _ => found.add("W112", |d| {
                let d = d.at(Span::start_line(answer, "")).note(through);
                match status.and_then(|status| said::telling(facts.body, status)) {
                    Some(words) => d.suggests(
                        format!("the proxy's reason is \"{words}\""),
                        "the answer has this text",
                    ),
                    None => d,
                }
            }),
        }
    } else if let Some(fault) = proxy.fault {
        let code = match fault {
            ProxyFault::Refused
            | ProxyFault::Forbidden
            | ProxyFault::Unreached
            | ProxyFault::Dropped
            | ProxyFault::Foreign => "W112",
            ProxyFault::Unauthorized => "W113",
            ProxyFault::Away => "W115",
            ProxyFault::Silent | ProxyFault::Greeting { .. } | ProxyFault::Tls => "W116",
        };
        found.add(code, |d| {
            let d = d.note(of_proxy(proxy));
            let d = match fault {
                ProxyFault::Foreign => {
                    d.title("the proxy does not speak the protocol of its scheme").certain()
                }
                ProxyFault::Dropped => {
                    d.title("the proxy ended the connection instead of opening the tunnel")
                }
                _ => d,
            };
            // The variable leads other programs to the proxy, too.
            match proxy.variable {
                Some(_) => {
                    let help = d.help.replace(
                        "`--noproxy HOST`",
                        "`--noproxy HOST`, or `no_proxy=HOST` in the environment",
                    );
                    d.help(help)
                }
                None => d,
            }
        });
    }
    if let Some(d) = found.found.last_mut().filter(|d| d.severity == Severity::Error) {
        *d = with_proxy(d.clone(), facts, proxy);
    }
    // An error of the proxy already names the variable.
    if let Some(variable) = proxy.variable.filter(|_| !found.has_error()) {
        found.add("W114", |d| d.note(format!("{variable} names {}", proxy.address)));
    }
}

/// Puts the addresses of this run into the help. A proxy of the environment for a server on this
/// machine is one too many.
fn with_proxy(d: Diagnostic, facts: &Facts<'_>, proxy: &ProxyFacts<'_>) -> Diagnostic {
    let address = proxy.address.split_once("://").map_or(proxy.address, |(_, address)| address);
    let mut help = d.help.replace("socks5h://HOST:PORT", &format!("socks5h://{address}"));
    if let Some(url) = facts.url.map(Url::of) {
        help = help.replace("on HOST:PORT", &format!("on {}:{}", url.host, url.port()));
    }
    let d = d.help(help);
    let host = facts.url.map(|url| Url::of(url).host).filter(|host| is_loopback(host));
    match proxy.variable.zip(host) {
        Some((variable, host)) => {
            let text =
                "a proxy of the environment is used for a server on this machine, which needs none";
            let help = format!(
                "leave the proxy out for it: `--noproxy {host}`, or `{host}` in the variable `no_proxy`; if it is needed: {}",
                d.help
            );
            d.suggests(text, format!("{variable} names {}; {host} is this machine", proxy.address))
                .help(help)
        }
        None => d,
    }
}

/// The address of the proxy, and the variable that names it.
fn of_proxy(proxy: &ProxyFacts<'_>) -> String {
    match proxy.variable {
        Some(variable) => format!("the proxy is {}, from {variable}", proxy.address),
        None => format!("the proxy is {}", proxy.address),
    }
}

/// Explains an answer to a plain request that is not an HTTP head, or a missing answer.
pub(super) fn first_bytes(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let bytes = facts.first_bytes;
    if !bytes.is_empty() {
        return foreign(facts, bytes, found);
    }
    let Some(unanswered) = facts.unanswered else { return };
    if unanswered.received > 0 {
        return begun(unanswered, facts.ends_line, found);
    }
    if greeted(facts, "HTTP", found) {
        return;
    }
    let seconds = unanswered.after.as_secs_f64();
    let after = match unanswered.how {
        StreamEnd::Timeout => format!("no answer came in {seconds:.3} s after the request"),
        _ => format!("the connection closed {seconds:.3} s after the request"),
    };
    let code = match unanswered.how {
        _ if Clue::OnlyHttp2.seen(facts).is_some() => "W213",
        _ if Clue::PlainHttp2.seen(facts).is_some() => "W111",
        StreamEnd::Timeout => "W109",
        // Engine.IO drops only upgrades: Node.js answers a plain GET.
        _ if Clue::PlainUnanswered.seen(facts).is_some() => "W107",
        _ if ENGINE_IO_TIMEOUT.contains(&unanswered.after) => "W108",
        _ => "W107",
    };
    found.add(code, |d| {
        let told: Vec<String> = d.causes.iter().filter_map(|c| c.because.clone()).collect();
        let trials = facts.trials.iter().map(Trial::to_string);
        let trials = trials.filter(|text| !told.contains(text));
        let ruled_out = Clue::SubprotocolFails.seen(facts).is_some();
        let mut d = d.note(after).note_if(path_hint(facts).filter(|_| !ruled_out));
        d.notes.extend(trials);
        let default = facts.url.is_some_and(|url| Url::of(url).path.starts_with("/socket.io/"));
        match d.entry.code {
            "W108" if default => {
                d.help("`/socket.io/` is only the default: look up the option `path` of the server")
            }
            _ => d,
        }
    });
}

/// Adds the service that greeted a later request on this port. Returns whether there is one.
pub(super) fn greeted(facts: &Facts<'_>, instead: &str, found: &mut Findings<'_>) -> bool {
    let greeting = |trial: &'_ Trial| Some((trial.to_string(), trial.greeting()?));
    let Some((seen, (name, hint))) = facts.trials.iter().find_map(greeting) else { return false };
    found.add("W110", |d| {
        let d = d.title(format!("the port speaks {name}, not {instead}")).note(seen);
        if hint.is_empty() { d } else { d.note(hint) }
    });
    true
}

/// The causes of a head that is not complete.
const FAILS: &str = "the server, or a proxy in front, fails or hangs while it writes its response";
const UNENDED: &str = "the head is written without the empty line at its end";

/// Explains a response that began and was not completed. If what came ends at the end of a line, the
/// empty line is missing first.
fn begun(unanswered: Unanswered, ends_line: bool, found: &mut Findings<'_>) {
    let received = unanswered.received;
    let after = unanswered.after.as_secs_f64();
    let (code, title, how) = match unanswered.how {
        StreamEnd::Timeout => (
            "W109",
            "the server began its response and did not complete its head",
            "nothing more came",
        ),
        _ => (
            "W107",
            "the peer closed the connection in the middle of the response's head",
            "the end",
        ),
    };
    found.add(code, |d| {
        d.certain()
            .title(title)
            .note(format!(
                "{received} bytes of the head came, and then {how}, {after:.1} s after the request"
            ))
            .possible(if ends_line { UNENDED } else { FAILS })
            .possible(if ends_line { FAILS } else { UNENDED })
            .help("read the server's log; `wscope -vv URL` shows what came; the head must end with an empty line")
    });
}

fn foreign(facts: &Facts<'_>, bytes: &[u8], found: &mut Findings<'_>) {
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
            let d = match Clue::UrlIsSecure.seen(facts) {
                Some(_) => d.title("the server speaks HTTP/2, though HTTP/1.1 was asked for"),
                None => d,
            };
            match extended {
                true => d.note("it supports WebSocket over HTTP/2 (RFC 8441) only"),
                false => d,
            }
        });
    }
    if let Some((name, hint)) = sniff::banner(bytes) {
        return found.add("W110", |d| {
            let d = d.at(span(sniff::shown_as(name, bytes)));
            let d = d.title(format!("the port speaks {name}, not HTTP"));
            if hint.is_empty() { d } else { d.note(hint) }
        });
    }
    found.add("W348", |d| {
        let mut d = d.at(span("not a status line".to_owned()));
        let told: Vec<String> = d.causes.iter().filter_map(|c| c.because.clone()).collect();
        let trials = facts.trials.iter().map(Trial::to_string);
        d.notes.extend(trials.filter(|text| !told.contains(text)));
        match d.is_supported() {
            true => d.title("the server answers the upgrade without a status line"),
            false => d,
        }
    });
}
