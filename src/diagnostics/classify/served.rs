//! The server's side: why `listen` refused a client, and which option accepts it. Also, what a
//! client wanted that left at once. wscope's own answers need no diagnosis.

use std::borrow::Cow;
use std::time::Duration;

use super::findings::Findings;
use crate::diagnostics::facts::{EndKind, HEARD_MOST};
use crate::diagnostics::inner::{inner, unbegun};
use crate::diagnostics::{ClientProtocol, Confidence, Diagnostic, Facts, sniff, wish};
use crate::event::Direction;
use crate::wire::Role;
use crate::wire::head::{Head, HttpVersion};
use crate::wire::secret::is_secret;

pub(super) fn refused(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let (Role::Server, Some(request), Some(status)) = (facts.role, facts.request, facts.status())
    else {
        return;
    };
    let reason = String::from_utf8_lossy(facts.body).trim().to_owned();
    // A refusal that an option requests needs no explanation.
    if status == 101 || reason.starts_with("this server refuses every handshake") {
        return;
    }
    let get =
        |name: &str| request.get_all(name).next().map(|v| String::from_utf8_lossy(v).into_owned());
    let asked = request.has_token("Upgrade", "websocket");
    let balanced = sniff::is_proxy_protocol(request.raw());
    let code = match status {
        _ if balanced => "W363",
        _ if !asked => "W360",
        404 => "W361",
        403 => "W362",
        401 => "W364",
        400 if reason.contains("subprotocol") && !reason.contains("Sec-WebSocket") => "W365",
        _ => "W363",
    };
    let path = request.request_line().map(|line| String::from_utf8_lossy(line.target).into_owned());
    let path = path.map(|target| target.split('?').next().unwrap_or_default().to_owned());
    found.add(code, |d| {
        // An answer with a page ends with the reason; the transcript shows the whole page.
        let reason = reason.trim_end().rsplit("\n\n").next().unwrap_or_default();
        let d = d.note(format!("wscope answered {status}: {reason}"));
        let d = d.note_if(get("User-Agent").map(|agent| format!("User-Agent: {agent}")));
        match code {
            "W360" if get("Sec-WebSocket-Key").is_some() => lost_upgrade(request, d)
                .help("send `Upgrade: websocket` and `Connection: Upgrade`; make a proxy forward them; in nginx: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";`"),
            "W360" if request.request_line().is_some_and(|line| line.method == b"CONNECT") => d
                .because("the client takes this server for a forward proxy", "the method is CONNECT")
                .help("`wscope proxy PORT` is a forward proxy; or remove http_proxy, https_proxy or the proxy setting from the client"),
            "W360" if names_another_host(request) => d
                .because("the client takes this server for a forward proxy", "the request line has a whole URL, as only proxies get one")
                .help("`wscope proxy PORT` is a forward proxy; or remove http_proxy or the proxy setting from the client"),
            "W360" => {
                let path = path.unwrap_or_default();
                let of_path = |p: ClientProtocol| (p.what, format!("the path is {path}"), p.confidence, p.help);
                let client_protocol = wish::client_protocol(request).map(of_path);
                let probe = || health_check(get("User-Agent"), &path).or_else(|| scan(request));
                match client_protocol.or_else(probe) {
                    Some((what, fact, confidence, help)) => {
                        let d = match confidence {
                            // The line has no cause, so it shows what it was.
                            Confidence::Low => {
                                let path: String = path.chars().take(TYPED).collect();
                                d.title(format!("the client did not ask for a WebSocket, but for {path}"))
                            }
                            _ => d,
                        };
                        d.judged(confidence, what, fact).help(help)
                    }
                    None => match request.request_line().map(|line| line.method) {
                        Some(method @ (b"POST" | b"PUT" | b"PATCH" | b"DELETE")) => d
                            .because(
                                "the client sends an HTTP request of its own, as a webhook or a form does",
                                format!("the method is {}", String::from_utf8_lossy(method)),
                            )
                            .help("send it to an HTTP server: this one accepts only WebSockets, which begin with GET"),
                        _ => d,
                    },
                }
            }
            "W364" => match elsewhere(request) {
                Some((place, fact)) => d
                    .because(place, fact)
                    .help("make the client send them in the header: `Authorization: Bearer TOKEN`, or Basic for --user"),
                None if wants_bearer(facts) => d.help(
                    "give the token to the client: `wscope --bearer TOKEN URL`; browsers can't send one",
                ),
                None => d,
            },
            "W363" if balanced => d
                .because("a balancer in front of this server speaks the PROXY protocol", "the first bytes are those of it")
                .help("switch the PROXY protocol off at the balancer (haproxy: no send-proxy and no send-proxy-v2; nginx: proxy_protocol off)"),
            "W363" if is_old(request) && asked => d
                .because("a proxy in front of this server forwards the request as HTTP/1.0, which has no upgrade", "the request is HTTP/1.0, with an Upgrade header")
                .help("make the proxy speak HTTP/1.1 to this server: in nginx, `proxy_http_version 1.1;`"),
            "W361" => d.help(format!("serve it too: {}, or correct the client's URL", option("--path", &path.unwrap_or_default()))),
            "W362" => foreign_origin(&get("Origin").unwrap_or_default(), get("User-Agent"), d),
            "W365" => match get("Sec-WebSocket-Protocol") {
                Some(offered) => {
                    let first = offered.split(',').next().unwrap_or_default().trim().to_owned();
                    d.help(format!("support it: {}, or correct the client's list", option("-s", &first)))
                }
                None => d,
            },
            _ => d,
        }
    });
}

/// Whether the refusal asks for a token.
fn wants_bearer(facts: &Facts<'_>) -> bool {
    let wanted = facts.response.and_then(|head| head.get("WWW-Authenticate")).unwrap_or_default();
    wanted.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
}

/// A client that closes with 1000 within this time was not waiting for a message.
const PATIENCE: Duration = Duration::from_secs(1);

/// Explains why an accepted client left before it got what it wanted.
pub(super) fn left(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let Some(end) = facts.end.filter(|_| facts.role == Role::Server) else { return };
    let by_peer = match end.how {
        EndKind::Fin | EndKind::Reset => true,
        EndKind::Closed => facts.close.by_peer && facts.close.received.is_some(),
        _ => false,
    };
    let spoke = facts.stream.messages > 0;
    let answered = spoke && facts.stream.sent.is_some();
    if !by_peer || end.partial > 0 {
        return;
    }
    let after = format!(
        "the client left {} ms after the 101, and {}",
        end.lifetime.as_millis(),
        match (spoke, answered) {
            (true, true) => "no such message was sent to it",
            (true, false) => "nothing was sent to it",
            _ => "sent no message",
        }
    );
    // A client that rejects the handshake does not send 1000. A client that waits for a message
    // waits longer.
    let in_order = facts.close.received.is_some_and(|close| close.code == Some(1000));
    // A client that received its own message back may leave in order, because the echo was not an
    // answer.
    if in_order && end.lifetime < PATIENCE && !(answered && is_echo(facts)) {
        return;
    }
    let help = facts.wish.and_then(|wish| wish.speaks.as_ref()).map(|speaks| speaks.help);
    if answered {
        // The client may have received what it waited for.
        if let Some(owed) = owed(facts, in_order) {
            found.add("W367", |d| d.title(owed).note(after).help(help.unwrap_or(wish::ANSWER)));
        }
        return;
    }
    let Some(wish) = facts.wish else {
        // Its first message may show the protocol as well as the request does.
        if let Some((title, waits)) = unbegun(facts).filter(|_| spoke) {
            let waits = wish::waiting(title, &waits);
            found.add("W367", |d| d.title(waits).note(after).help(wish::ANSWER));
        }
        return;
    };
    // A client that sent no message waits for no answer.
    let what = |one: &wish::ClientProtocol| match one.begins.filter(|_| !spoke) {
        Some(title) => format!("the client speaks {title}").into(),
        None => one.what.clone(),
    };
    if let Some(first) = wish.offered.first().filter(|_| !spoke && !in_order) {
        let names = wish.offered.join(", ");
        found.add("W366", |d| {
            d.title(format!("the client offered \"{names}\" and got no subprotocol"))
                .note(after.clone())
                .note_if(wish.speaks.as_ref().map(what))
                .help(format!("start wscope with {}", option("-s", first)))
        });
    } else if let Some(client_protocol) = &wish.speaks {
        found
            .add("W367", |d| d.title(what(client_protocol)).note(after).help(client_protocol.help));
    }
}

/// The message that the client still waited for. The kept messages show it if they are all
/// messages, and complete, or if the server only sent back the received ones.
fn owed(facts: &Facts<'_>, in_order: bool) -> Option<String> {
    let stream = &facts.stream;
    let whole = !stream.kept.iter().any(|one| one.ours && one.content.len() >= HEARD_MOST);
    let echo = is_echo(facts);
    let inner = inner(facts).filter(|_| echo || stream.kept_all && whole)?;
    if let Some(awaited) = inner.awaited.filter(|one| one.direction == Direction::ToClient) {
        return Some(wish::waiting(inner.title, &awaited));
    }
    let title = inner.title;
    let back = |what: String| {
        format!("the client speaks {title}, and got {what} back, which is no answer")
    };
    match inner.asked.filter(|_| echo) {
        Some(about) => Some(back(format!("its own request {about}").trim_end().to_owned())),
        // A packet may be in parts, so that the kept ones do not show what it is.
        None if echo && inner.is_named && !in_order => Some(back("its own message".to_owned())),
        None => None,
    }
}

/// Whether this side sent back the first received message.
fn is_echo(facts: &Facts<'_>) -> bool {
    let (Some((_, came)), Some((_, sent))) = (facts.stream.message, facts.stream.sent) else {
        return false;
    };
    came[..came.len().min(HEARD_MOST)] == *sent
}

/// Whether the request is HTTP/1.0.
fn is_old(request: &Head) -> bool {
    let line = request.request_line();
    line.is_some_and(|line| line.version == HttpVersion { major: 1, minor: 0 })
}

/// Explains a request with a key and without Upgrade: a proxy removed the header, or the client did
/// not send it.
fn lost_upgrade(request: &Head, d: Diagnostic) -> Diagnostic {
    const FACT: &str = "the request has a Sec-WebSocket-Key but no Upgrade";
    let old = is_old(request);
    // "an intermediary … MUST … remove" the headers that Connection names (RFC 9110 §7.6.1).
    let replaced = request.has_token("Connection", "close");
    let via = ["Via", "Forwarded", "X-Forwarded-For", "X-Real-IP"];
    let proxied = old || replaced || via.iter().any(|name| request.get(name).is_some());
    let by_hand = request.get("User-Agent").is_some_and(|agent| agent.starts_with(b"curl/"));
    match (proxied, by_hand) {
        (true, _) => d.because("a proxy removed Upgrade", FACT),
        (false, true) => d.suggests("the client did not send Upgrade", FACT),
        (false, false) => d
            .suggests("the client did not send Upgrade, as one written by hand or fetch()", FACT)
            .suggests("a proxy removed Upgrade", FACT),
    }
}

/// Words in the User-Agent of programs that check whether a server is up, in lower case, with the
/// names of these programs.
const CHECKERS: &[(&str, &str)] = &[
    ("elb-healthchecker", "AWS Elastic Load Balancing"),
    ("route53-health", "AWS Route 53"),
    ("kube-probe", "Kubernetes"),
    ("googlehc", "Google Cloud"),
    ("load balancer agent", "Azure Load Balancer"),
    ("edge health probe", "Azure Front Door"),
    ("consul health check", "Consul"),
    ("envoy/hc", "Envoy"),
    ("prometheus/", "Prometheus"),
    ("blackbox exporter", "Prometheus"),
    ("uptime-kuma", "Uptime Kuma"),
    ("uptimerobot", "UptimeRobot"),
    ("pingdom", "Pingdom"),
    ("zabbix", "Zabbix"),
    ("check_http", "Nagios"),
];

/// Words in the User-Agent of other such programs.
const CHECKING: &[&str] =
    &["healthcheck", "health-check", "health check", "health probe", "uptime", "monitoring"];

/// Names of paths for health checks.
const HEALTH: &[&str] = &[
    "health",
    "healthz",
    "healthcheck",
    "livez",
    "liveness",
    "ready",
    "readyz",
    "readiness",
    "metrics",
];

/// The help for a health check.
const CHECK_TCP: &str = "let it check the TCP port (Kubernetes: tcpSocket), let it expect status 426, or remove this server from what it checks";

/// Recognises a health check. Returns its description, the fact that shows it, the confidence, and
/// the help.
fn health_check(
    agent: Option<String>,
    path: &str,
) -> Option<(Cow<'static, str>, String, Confidence, &'static str)> {
    let agent = agent.unwrap_or_default().to_ascii_lowercase();
    let any = "this is a health check or a monitor, not a client";
    if let Some((_, whose)) = CHECKERS.iter().find(|(word, _)| agent.contains(word)) {
        let what = format!("this is a health check of {whose}, not a client");
        let fact = "the User-Agent names it".to_owned();
        return Some((what.into(), fact, Confidence::High, CHECK_TCP));
    }
    if let Some(word) = CHECKING.iter().find(|word| agent.contains(**word)) {
        let fact = format!("the User-Agent has the word {word}");
        return Some((any.into(), fact, Confidence::Medium, CHECK_TCP));
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    let by_hand = agent.starts_with("mozilla/") || agent.starts_with("curl/");
    let asked = HEALTH.contains(&last) && !by_hand;
    asked.then(|| (any.into(), format!("the path is {path}"), Confidence::Medium, CHECK_TCP))
}

/// Words in the User-Agent of programs that look for open ports and known vulnerabilities. They are
/// whole words in lower case.
const SCANNERS: &[&str] = &[
    "zgrab",
    "masscan",
    "nmap",
    "censys",
    "censysinspect",
    "shodan",
    "nuclei",
    "nikto",
    "internetmeasurement",
];

/// First names of paths that only a search for secrets requests.
const HIDDEN: &[&str] =
    &[".env", ".git", ".aws", ".svn", ".hg", ".htaccess", ".htpasswd", ".DS_Store", ".ssh"];

/// Recognises a request of a scanner, with the same result as [`health_check`].
fn scan(request: &Head) -> Option<(Cow<'static, str>, String, Confidence, &'static str)> {
    let line = request.request_line()?;
    let agent = String::from_utf8_lossy(request.get("User-Agent").unwrap_or_default());
    let agent = agent.to_ascii_lowercase();
    let close = "let only its users reach this port: listen on loopback, or behind a firewall";
    let scanner = "this is a scanner of ports or of known faults, not a client";
    let words = || agent.split(|c: char| !c.is_alphanumeric());
    if let Some(word) = words().find(|word| SCANNERS.contains(word)) {
        let fact = format!("the User-Agent has the word {word}");
        return Some((scanner.into(), fact, Confidence::High, close));
    }
    let target = String::from_utf8_lossy(line.target);
    let front = target.strip_prefix('/').and_then(|path| path.split(['/', '?']).next());
    // For example `.env` and `.env.local`.
    let hidden = front.is_some_and(|front| HIDDEN.contains(&front) || front.starts_with(".env."));
    if hidden {
        let fact = "the path is that of a hidden file".to_owned();
        return Some((scanner.into(), fact, Confidence::Medium, close));
    }
    // HAProxy's `option httpchk` and the health checks of other load balancers send this.
    (line.method == b"OPTIONS" && is_old(request) && agent.is_empty()).then(|| {
        let what = "this is a health check of a balancer, such as HAProxy's, not a client";
        let fact = "the request is OPTIONS in HTTP/1.0, without User-Agent".to_owned();
        (what.into(), fact, Confidence::Medium, CHECK_TCP)
    })
}

/// The most bytes of a peer's value in a command of a help.
const TYPED: usize = 200;

/// An option with a value from the peer, quoted for a shell. If the value can't be typed, only the
/// option's name.
fn option(name: &str, value: &str) -> String {
    let strange = |c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER || c == '`';
    if value.len() > TYPED || value.contains(strange) {
        return format!("`{name}`");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || ".:/_-".contains(c);
    match !value.is_empty() && value.chars().all(plain) {
        true => format!("`{name} {value}`"),
        false => format!("`{name} '{}'`", value.replace('\'', "'\\''")),
    }
}

/// Explains an Origin that is not allowed, from a page or another program.
fn foreign_origin(origin: &str, agent: Option<String>, d: Diagnostic) -> Diagnostic {
    // The User-Agent of every browser begins with this word.
    let browser = agent.as_ref().is_some_and(|agent| agent.starts_with("Mozilla/"));
    let program = agent.as_ref().filter(|_| !browser).and_then(|agent| agent.split(' ').next());
    // `--origin null` accepts both; browsers send one or the other.
    let of_file = matches!(origin, "null" | "file://") && program.is_none();
    let allowed = if of_file { "null" } else { origin };
    let is_origin = !allowed.contains(',') && !allowed.trim_end_matches('/').is_empty();
    let d = match is_origin {
        true => d.help(format!("allow it: {}", option("--origin", allowed))),
        false => d.help("correct the Origin that the client sends: it is not that of one site"),
    };
    let page = "the page was opened from a file, or is sandboxed";
    let fact = format!("Origin: {origin}");
    match program {
        Some(program) => {
            let program: String = program.chars().take(60).collect();
            let fact = format!("{fact}, and the User-Agent is not that of a browser");
            d.because(format!("{program} sends this Origin by itself or was told to"), fact)
        }
        None if !of_file => d,
        None if browser && origin == "null" => d.because(page, fact),
        None if browser => d.suggests(page, fact),
        None => d.suggests(page, fact).possible("the client's library sends this Origin by itself"),
    }
}

/// Whether the request is one to a proxy: its target is a whole URL (RFC 9112 §3.2.2).
fn names_another_host(request: &Head) -> bool {
    let line = request.request_line();
    line.is_some_and(|line| line.target.starts_with(b"http://"))
}

/// The place of the client's credentials, if it is not the header that this server reads, and the
/// fact that shows it.
fn elsewhere(request: &Head) -> Option<(&'static str, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if let Some(value) = request.get("Authorization") {
        let scheme = text(value.split(|byte| *byte == b' ').next().unwrap_or_default());
        let known = ["Basic", "Bearer"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        let other = !known && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let place = "the client sends its credentials in a scheme that this server does not read";
        return other.then(|| (place, format!("the request has Authorization: {scheme}")));
    }
    let line = request.request_line()?;
    let query = line.target.split(|byte| *byte == b'?').nth(1).unwrap_or_default();
    let names = query.split(|byte| *byte == b'&');
    let mut names = names.map(|pair| text(pair.split(|byte| *byte == b'=').next().unwrap_or(pair)));
    if let Some(name) = names.find(|name| is_secret(name)) {
        let place = "the client sends its credentials in the query of the URL";
        return Some((place, format!("the query has {name}")));
    }
    let mut offered = request.tokens("Sec-WebSocket-Protocol").map(text);
    offered.find(|name| is_secret(name) || name.eq_ignore_ascii_case("bearer"))?;
    let place = "the client sends its credentials among the subprotocols, as browsers have to";
    // The name may itself be the secret.
    Some((place, "a name in Sec-WebSocket-Protocol is one of credentials".to_owned()))
}
