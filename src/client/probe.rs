//! Trials: connections to the same server, each with one difference. The different results
//! distinguish the causes.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use super::one_line;
use super::talk::TrialTalk;
use crate::config::{Login, OpenConfig};
use crate::diagnostics::facts::{AGREED, Dial, DialOutcome, Trial, TrialOutcome, Variation};
use crate::diagnostics::{gives_reason, suggested_subprotocols};
use crate::engine::open_error::OpenError;
use crate::engine::opening::{ClientOpening, Opened, Opening as _, open};
use crate::engine::opening_evidence::OpeningEvidence;
use crate::engine::runtime::Runtime;
use crate::event::{Cause, Ending, Event, Side};
use crate::net::resolve::AddressFamily;
use crate::net::tls::TlsError;
use crate::net::tls::options::ServerName;
use crate::ui::ending;
use crate::ui::sanitize::escaped;
use crate::wire::handshake::headers::HeaderEdit;
use crate::wire::head::Head;
use crate::wire::host::address;
use crate::wire::secret::is_secret;

/// How long a trial waits for an answer, at most.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a trial without `--diagnose` waits, at most.
const CHEAP_TIMEOUT: Duration = Duration::from_secs(1);

/// The time limit for all trials of a failure together.
const ALL: Duration = Duration::from_secs(10);

/// A path that no server has.
const UNKNOWN_PATH: &str = "/zz-no-such-path";

/// The slot of a single connection.
pub const SLOT: usize = 0;

/// The headers of an upgrade request.
const UPGRADE: [&str; 5] = [
    "Upgrade",
    "Connection",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Extensions",
];

/// The time limit for trials that begin now: `--max-time` or sooner.
pub fn limit(max_time: Option<Instant>) -> Instant {
    let most = Instant::now() + ALL;
    max_time.map_or(most, |at| at.min(most))
}

/// Makes one connection and drops it; the evidence of the first connection is kept. Returns no
/// outcome if the time ran out before the server answered.
fn traced(
    config: &OpenConfig,
    until: Instant,
    runtime: &mut Runtime,
) -> Result<(Option<TrialOutcome>, OpeningEvidence), OpenError> {
    let now = Instant::now();
    if now >= until {
        return Ok((None, OpeningEvidence::default()));
    }
    let config = hurried(config, PROBE_TIMEOUT);
    runtime.reporter.next_connection();
    let mut opening = ClientOpening::new(&config, SLOT, Some(until), runtime, now).beside();
    match open_apart(&mut opening, runtime) {
        Ok(mut opened) => {
            opened.link.shutdown();
            Ok((Some(TrialOutcome::Opened), opened.evidence))
        }
        Err(error @ (OpenError::Signal(_) | OpenError::Local(_))) => Err(error),
        // The trial did not reach the server, so it says nothing about it.
        Err(OpenError::Resolve { .. }) => Ok((None, OpeningEvidence::default())),
        Err(error) => {
            let evidence = std::mem::take(opening.evidence());
            let outcome = outcome(&evidence, &error);
            let answered = matches!(outcome, TrialOutcome::Status { .. });
            let in_time = answered || Instant::now() < until;
            Ok((in_time.then_some(outcome), evidence))
        }
    }
}

/// Limits every step of an opening to this time.
fn hurried(config: &OpenConfig, most: Duration) -> OpenConfig {
    let mut config = config.clone();
    config.connect_timeout = config.connect_timeout.min(most);
    config.handshake_timeout = config.handshake_timeout.min(most);
    config
}

/// Opens with the cookies of the first request, and stores none: a trial differs in only one thing,
/// and changes nothing.
fn open_apart(
    opening: &mut ClientOpening,
    runtime: &mut Runtime,
) -> Result<Box<Opened>, OpenError> {
    let jar = runtime.record.swap_jar();
    let opened = open(opening, runtime);
    runtime.record.jar = jar;
    opened
}

fn outcome(trace: &OpeningEvidence, error: &OpenError) -> TrialOutcome {
    let head = trace.response().filter(|head| head.status_line().is_some());
    match head.and_then(|head| Some((head, head.status_line()?))) {
        Some((head, line)) => {
            let text = format!("{} {}{}", line.code, escaped(line.reason), server(head));
            TrialOutcome::Status { code: line.code, text, body: trace.body().to_vec() }
        }
        None => {
            let text = one_line(&error.to_string()).to_owned();
            // An alert or a ServerHello is TLS, whatever the result of the handshake.
            let spoken = trace.tls().is_some()
                || matches!(
                    error,
                    OpenError::Tls(TlsError::Alert { .. } | TlsError::CertificateWanted { .. })
                );
            match error {
                _ if spoken => TrialOutcome::Tls(text),
                // A connection that was reset at once was established.
                OpenError::Dial(_) if !was_reset(trace) => TrialOutcome::Unreached(text),
                OpenError::TimedOut { .. } => TrialOutcome::Silence(text),
                _ => TrialOutcome::Nothing(text),
            }
        }
    }
}

/// Whether a connection was reset as soon as it was open.
fn was_reset(trace: &OpeningEvidence) -> bool {
    trace.dials().iter().any(|dial| dial.outcome == DialOutcome::Reset)
}

/// The headers that show who answered, for example `, Server: nginx, X-Powered-By: PHP/8.3`.
fn server(head: &Head) -> String {
    let value = |name| head.get(name).map(escaped).filter(|value| !value.is_empty());
    let named = |name| value(name).map(|value| format!(", {name}: {value}"));
    ["Server", "X-Powered-By", "Sec-WebSocket-Version"].into_iter().filter_map(named).collect()
}

/// Connects to the address that the first connection reached, without another name lookup.
fn at_same_address(config: &OpenConfig, evidence: &OpeningEvidence) -> OpenConfig {
    let mut config = config.clone();
    config.transport.overrides.resolve.extend(evidence.reached());
    config
}

/// A request with only the parts that every client sends, over TLS that accepts any certificate.
fn bare(config: &OpenConfig) -> OpenConfig {
    let mut bare = config.clone();
    bare.transport.tls.insecure = true;
    keep_only_path(&mut bare);
    bare = without_upgrade(&bare);
    bare.target.resource_name = "/".to_owned();
    bare
}

/// TLS that offers only HTTP/2, if HTTP/1.1 was offered and no protocol was agreed.
fn with_only_http2(config: &OpenConfig, evidence: &OpeningEvidence) -> Option<OpenConfig> {
    let silent = evidence.tls().is_some_and(|tls| tls.alpn.is_none());
    let offered = config.transport.tls.alpn.iter().any(|name| name == "http/1.1");
    (silent && offered).then(|| {
        let mut other = bare(config);
        other.transport.tls.alpn = vec![HTTP2.to_owned()];
        other
    })
}

/// The preface of HTTP/2 without TLS (RFC 9113 §3.4), with an empty SETTINGS frame. Returns the trial
/// only if HTTP/2 answers. It needs a connection to the server itself.
fn with_preface(config: &OpenConfig, evidence: &OpeningEvidence, until: Instant) -> Option<Trial> {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let dial = evidence.dials().iter().find(|dial| dial.outcome == DialOutcome::Connected)?;
    if config.target.secure || evidence.goes_by_proxy() || Instant::now() >= until {
        return None;
    }
    let deadline = until.min(Instant::now() + CHEAP_TIMEOUT);
    let mut stream = config.transport.dial(&[dial.address], deadline).ok()?.stream;
    stream.write_all(PREFACE).ok()?;
    let mut head = [0; SETTINGS.len()];
    let mut got = 0;
    while got < head.len() {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left)).ok()?;
        match stream.read(&mut head[got..]) {
            Ok(0) | Err(_) => return None,
            Ok(more) => got += more,
        }
    }
    let outcome = TrialOutcome::Nothing("a SETTINGS frame of HTTP/2 arrives".to_owned());
    let answers = head[3..] == SETTINGS[3..];
    answers.then(|| Trial { variation: Variation::Preface, what: String::new(), outcome })
}

/// The head of a SETTINGS frame (RFC 9113 §4.1); the first three bytes are its length.
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

/// TLS without a name, if one was sent.
fn without_name(config: &OpenConfig) -> Option<OpenConfig> {
    let is_name = address(&config.target.host).is_none();
    (is_name && config.transport.tls.server_name == ServerName::Host).then(|| {
        let mut other = bare(config);
        other.transport.tls.server_name = ServerName::Unsent;
        other
    })
}

/// The result of a trial that ends when TLS has agreed.
fn agreement(variation: Variation, trace: &OpeningEvidence) -> Option<TrialOutcome> {
    let alpn = trace.tls()?.alpn.as_deref();
    match variation {
        Variation::OnlyHttp2 if alpn != Some(HTTP2) => None,
        Variation::OnlyHttp2 => Some(TrialOutcome::Tls(format!("{AGREED} on {HTTP2}"))),
        _ => Some(TrialOutcome::Tls(AGREED.to_owned())),
    }
}

/// The name of HTTP/2 in ALPN.
const HTTP2: &str = "h2";

/// The same server, with TLS instead of without, or the reverse. A server that answered a plain
/// request on the default port serves TLS on another: the default one, too.
fn other_scheme(config: &OpenConfig, evidence: &OpeningEvidence) -> OpenConfig {
    let mut other = config.clone();
    other.target.secure = !config.target.secure;
    if is_answered_plainly(evidence) && is_plain_default(config) {
        other.target.port = 443;
    }
    // The trial does not ask whether the certificate is valid.
    other.transport.tls.insecure = true;
    keep_only_path(&mut other);
    other
}

/// Whether the port speaks plain HTTP.
fn is_answered_plainly(evidence: &OpeningEvidence) -> bool {
    evidence.response().is_some() && !evidence.wants_tls()
}

/// Whether the URL is that of the default port without TLS.
fn is_plain_default(config: &OpenConfig) -> bool {
    let target = &config.target;
    !target.secure && target.port == 80 && target.unix_socket.is_none()
}

/// Keeps only the path of the user's request. Any header, subprotocol or parameter may be a
/// credential. It must not be sent in plain text, or to another server than that of the URL.
fn keep_only_path(config: &mut OpenConfig) {
    (config.headers, config.subprotocols, config.origin) = (Vec::new(), Vec::new(), None);
    (config.login, config.target.basic_auth) = (Login::default(), None);
    config.keeps_cookies = false;
    config.transport.tls.identity = None;
    config.target.resource_name = path(&config.target.resource_name).to_owned();
}

/// Removes everything that is only for the server of the URL: a login, cookies, and everything with
/// a secret name.
fn leave_out_secrets(config: &mut OpenConfig) {
    (config.login, config.target.basic_auth) = (Login::default(), None);
    config.keeps_cookies = false;
    config.transport.tls.identity = None;
    let is_public = |edit: &HeaderEdit| {
        let offers = edit.name().eq_ignore_ascii_case("sec-websocket-protocol");
        let names = edit.value().unwrap_or_default();
        !(is_secret(edit.name()) || offers && (is_secret(names) || names.contains(TOKEN)))
    };
    config.headers.retain(is_public);
    // A token follows the name of its kind.
    if config.subprotocols.iter().any(|name| is_secret(name) || name.starts_with(TOKEN)) {
        config.subprotocols = Vec::new();
    }
    let resource = &config.target.resource_name;
    let query = resource.split_once('?').map_or("", |(_, query)| query);
    let is_open = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        !is_secret(name) && !value.starts_with(TOKEN)
    };
    if !query.split(['&', ';']).all(is_open) {
        config.target.resource_name = path(resource).to_owned();
    }
}

/// The beginning of a JSON Web Token.
const TOKEN: &str = "eyJ";

/// The path without the query, which may contain a token.
fn path(resource: &str) -> &str {
    resource.split_once('?').map_or(resource, |(path, _)| path)
}

/// The request as a plain GET.
fn without_upgrade(config: &OpenConfig) -> OpenConfig {
    let mut other = config.clone();
    other.headers.retain(|edit| !UPGRADE.iter().any(|name| edit.name().eq_ignore_ascii_case(name)));
    other.headers.extend(UPGRADE.iter().filter_map(|name| HeaderEdit::remove(name).ok()));
    (other.subprotocols, other.deflate) = (Vec::new(), None);
    other
}

/// Whether the request has an Origin.
fn has_origin(config: &OpenConfig) -> bool {
    let given = |edit: &HeaderEdit| edit.name().eq_ignore_ascii_case("origin");
    config.origin.is_some()
        || config.headers.iter().any(|edit| given(edit) && edit.value().is_some())
}

/// The request with the server's own origin.
fn with_own_origin(config: &OpenConfig) -> OpenConfig {
    let mut other = without_origin(config);
    let scheme = if config.target.secure { "https" } else { "http" };
    other.origin = Some(format!("{scheme}://{}", config.target.host_header));
    other
}

/// The request without an Origin.
fn without_origin(config: &OpenConfig) -> OpenConfig {
    let mut other = config.clone();
    other.origin = None;
    other.headers.retain(|edit| !edit.name().eq_ignore_ascii_case("origin"));
    other
}

/// The request without subprotocols.
fn without_subprotocols(config: &OpenConfig) -> OpenConfig {
    let mut other = config.clone();
    other.subprotocols = Vec::new();
    other.headers.retain(|edit| !edit.name().eq_ignore_ascii_case("sec-websocket-protocol"));
    other
}

/// The request to a path that no server has.
fn with_other_path(config: &OpenConfig) -> OpenConfig {
    let mut other = config.clone();
    other.target.resource_name = UNKNOWN_PATH.to_owned();
    other
}

/// Whether the sent Host differs from that of the URL.
fn has_other_host(config: &OpenConfig, evidence: &OpeningEvidence) -> bool {
    evidence.sent("Host").is_some_and(|sent| sent != config.target.host_header.as_bytes())
}

/// The Host `localhost`, which development servers accept. Only if another name was sent, the
/// server is on this machine, and it does not ask for a login.
fn near_host(config: &OpenConfig, evidence: &OpeningEvidence) -> Option<String> {
    let here = |dial: &Dial| {
        dial.outcome != DialOutcome::Connected || dial.address.ip().to_canonical().is_loopback()
    };
    let status = evidence.response().and_then(Head::status_line).map(|line| line.code);
    let dials = evidence.dials();
    let is_here = !evidence.goes_by_proxy() && !dials.is_empty() && dials.iter().all(here);
    if !is_here || status == Some(401) || evidence.sent("Host").is_none() {
        return None;
    }
    let host = &*config.target.host;
    let other =
        !has_other_host(config, evidence) && host != "localhost" && host.parse::<IpAddr>().is_err();
    let port = config.target.host_header.strip_prefix(host).filter(|_| other)?;
    Some(format!("localhost{port}"))
}

/// Repeats the connection with one difference. Returns `None` if there would be no difference, or
/// if `until` came before an answer.
///
/// # Errors
///
/// A signal arrived, or this side failed.
pub fn attempt(
    variation: Variation,
    config: &OpenConfig,
    evidence: &OpeningEvidence,
    until: Instant,
    runtime: &mut Runtime,
) -> Result<Option<Trial>, OpenError> {
    let config = &at_same_address(config, evidence);
    let (other, what) = match variation {
        Variation::NoUpgrade => (without_upgrade(config), String::new()),
        Variation::NoOrigin if has_origin(config) => (without_origin(config), String::new()),
        Variation::OwnOrigin => {
            let other = with_own_origin(config);
            let own = other.origin.clone().unwrap_or_default();
            if evidence.sent("Origin").is_some_and(|sent| sent == own.as_bytes()) {
                return Ok(None);
            }
            (other, own)
        }
        Variation::OtherPath if path(&config.target.resource_name) != UNKNOWN_PATH => {
            (with_other_path(config), UNKNOWN_PATH.to_owned())
        }
        Variation::NoQuery if config.target.resource_name.contains('?') => {
            let mut other = config.clone();
            other.target.resource_name = path(&config.target.resource_name).to_owned();
            (other, String::new())
        }
        // A port speaks one of both only.
        Variation::OtherScheme if is_answered_plainly(evidence) && !is_plain_default(config) => {
            return Ok(None);
        }
        Variation::OtherScheme => {
            let other = other_scheme(config, evidence);
            let scheme = if other.target.secure { "wss" } else { "ws" };
            let moved = other.target.port != config.target.port;
            let port = if moved { " on port 443" } else { "" };
            (other, format!("{scheme}://{port}"))
        }
        Variation::NoSubprotocol if evidence.sent("Sec-WebSocket-Protocol").is_some() => {
            (without_subprotocols(config), String::new())
        }
        Variation::Subprotocol => return with_subprotocols(config, evidence, until, runtime),
        Variation::Redirected => match at_location(config, evidence) {
            Some(other) => {
                let what = other.target.resource_name.clone();
                (other, what)
            }
            None => return Ok(None),
        },
        Variation::OwnHost => {
            let own = config.target.host_header.clone();
            if !has_other_host(config, evidence) {
                return Ok(None);
            }
            let mut other = config.clone();
            other.headers.retain(|edit| !edit.name().eq_ignore_ascii_case("host"));
            (other, own)
        }
        Variation::NearHost => match near_host(config, evidence) {
            Some(near) => {
                let mut other = config.clone();
                leave_out_secrets(&mut other);
                other.headers.retain(|edit| !edit.name().eq_ignore_ascii_case("host"));
                other.headers.extend(HeaderEdit::send("Host", &near).ok());
                (other, near)
            }
            None => return Ok(None),
        },
        Variation::OtherFamily => match at_other_family(config, evidence) {
            Some(other) => other,
            None => return Ok(None),
        },
        Variation::OnlyHttp2 | Variation::NoName => {
            let other = match variation {
                Variation::OnlyHttp2 => with_only_http2(config, evidence),
                _ => without_name(config),
            };
            let Some(other) = other else { return Ok(None) };
            let (_, trace) = traced(&other, until, runtime)?;
            let outcome = agreement(variation, &trace);
            return Ok(outcome.map(|outcome| Trial { variation, what: String::new(), outcome }));
        }
        Variation::Preface => return Ok(with_preface(config, evidence, until)),
        Variation::NoOrigin
        | Variation::NoSubprotocol
        | Variation::OtherPath
        | Variation::NoQuery
        | Variation::Unchanged
        | Variation::Again
        | Variation::Pinged => return Ok(None),
    };
    let (outcome, _) = traced(&other, until, runtime)?;
    // These trials lack more than the difference. If the server takes a request that lacks the
    // same, or says nothing to it, they prove nothing.
    let lacks = matches!(variation, Variation::OtherScheme | Variation::NearHost);
    if lacks && outcome == Some(TrialOutcome::Opened) && evidence.response().is_some() {
        let mut control = config.clone();
        match variation {
            Variation::NearHost => leave_out_secrets(&mut control),
            _ => keep_only_path(&mut control),
        }
        let (control, _) = traced(&control, until, runtime)?;
        if !matches!(control, Some(TrialOutcome::Status { .. })) {
            return Ok(None);
        }
    }
    // If a server does not accept this machine's name, that proves nothing about another name.
    // Beside a server that answers, the other loopback address need not have one.
    let only_open = match variation {
        Variation::NearHost => true,
        Variation::OtherFamily => evidence.response().is_some(),
        _ => false,
    };
    let trial = outcome.map(|outcome| Trial { variation, what, outcome });
    Ok(trial.filter(|trial| !only_open || trial.status() == Some(101)))
}

/// Subprotocols that servers require most. The list is short, because some servers read only the
/// first 128 bytes of one.
const USUAL: [&str; 10] = [
    "mqtt",
    "xmpp",
    "sip",
    "janus-protocol",
    "v12.stomp",
    "graphql-transport-ws",
    "graphql-ws",
    "ocpp1.6",
    "wamp.2.json",
    "nats",
];

/// The subprotocols to offer, each list in a trial of its own: those that the path or an answer
/// suggests, then the usual ones.
fn offers(config: &OpenConfig, evidence: &OpeningEvidence) -> Vec<Vec<String>> {
    let named = evidence.response().and_then(|head| head.get("Sec-WebSocket-Protocol"));
    let named = named.map(|name| String::from_utf8_lossy(name.trim_ascii()).into_owned());
    let is_token = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let named = named.filter(|name| !name.is_empty() && name.chars().all(is_token));
    let plain = evidence.trials.iter().find(|trial| trial.variation == Variation::NoUpgrade);
    let page = String::from_utf8_lossy(plain.and_then(Trial::body).unwrap_or_default());
    let vite = page.contains("/@vite/client").then(|| "vite-hmr".to_owned());
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let hinted = match named.or(vite) {
        Some(name) => vec![name],
        None => owned(suggested_subprotocols(path(&config.target.resource_name))),
    };
    [hinted, owned(&USUAL)].into_iter().filter(|names| !names.is_empty()).collect()
}

/// Whether a subprotocol may be what a refusal wants.
fn may_want_subprotocol(evidence: &OpeningEvidence) -> bool {
    let code = evidence.response().and_then(Head::status_line).map(|line| line.code);
    let other = matches!(code, Some(401 | 404 | 405 | 429));
    let offered = evidence.sent("Sec-WebSocket-Protocol").is_some();
    !offered && !other && !gives_reason(evidence.body(), code.unwrap_or_default())
}

/// Offers subprotocols until a WebSocket opens, if the request has none and the refusal gives no
/// other reason.
fn with_subprotocols(
    config: &OpenConfig,
    evidence: &OpeningEvidence,
    until: Instant,
    runtime: &mut Runtime,
) -> Result<Option<Trial>, OpenError> {
    let mut last = None;
    if !may_want_subprotocol(evidence) {
        return Ok(last);
    }
    for names in offers(config, evidence) {
        let mut what = if names == USUAL { String::new() } else { names.join(", ") };
        let mut other = without_subprotocols(config);
        other.subprotocols = names;
        let (Some(outcome), trace) = traced(&other, until, runtime)? else { break };
        let opened = outcome == TrialOutcome::Opened;
        let taken = trace.response().and_then(|head| head.get("Sec-WebSocket-Protocol"));
        if let Some(name) = taken.filter(|_| opened) {
            what = escaped(name);
        }
        last = Some(Trial { variation: Variation::Subprotocol, what, outcome });
        if opened {
            break;
        }
    }
    Ok(last)
}

/// The request to the path of a redirect to the same server.
fn at_location(config: &OpenConfig, evidence: &OpeningEvidence) -> Option<OpenConfig> {
    let location = evidence.response()?.get("Location")?;
    let location = std::str::from_utf8(location).ok()?;
    let host = format!("://{}/", config.target.host_header);
    let path = match location.split_once(&host) {
        Some((_, path)) => format!("/{path}"),
        None => location.to_owned(),
    };
    let local = path.starts_with('/') && !path.starts_with("//");
    let printed = path.bytes().all(|byte| byte.is_ascii_graphic());
    (local && printed && path != config.target.resource_name).then(|| {
        let mut other = config.clone();
        other.target.resource_name = path;
        other
    })
}

/// Whether a trial differs from the first request only in a header, or opened at another path.
fn is_compared(trial: &Trial) -> bool {
    use Variation as V;
    match trial.variation {
        V::OwnOrigin | V::NoOrigin | V::NoSubprotocol | V::Subprotocol => true,
        V::OwnHost | V::NearHost => true,
        V::OtherPath => trial.status() == Some(101),
        _ => false,
    }
}

/// Repeats the first request twice, and once the trial whose difference changed the answer. If the
/// server's answers change by themselves, for example because several servers take turns, the trial
/// proves nothing. If a repetition has another result, this removes the compared trials from the
/// evidence and adds the new result.
///
/// # Errors
///
/// Those of [`attempt`].
pub fn control(
    config: &OpenConfig,
    evidence: &mut OpeningEvidence,
    until: Instant,
    runtime: &mut Runtime,
) -> Result<Option<Trial>, OpenError> {
    let first = evidence.response().and_then(Head::status_line).map(|line| line.code);
    // A trial without an answer does not prove a difference.
    let differs =
        |trial: &&Trial| is_compared(trial) && trial.status().is_some() && trial.status() != first;
    let changed = evidence.trials.iter().find(differs).cloned();
    // The server dropped the upgrade at once, but answered a plain request.
    let soon = evidence.failed_after().is_some_and(|after| after < CHEAP_TIMEOUT);
    let answers =
        |trial: &Trial| trial.variation == Variation::NoUpgrade && trial.status().is_some();
    let dropped = first.is_none() && soon && evidence.trials.iter().any(answers);
    if changed.is_none() && !dropped {
        return Ok(None);
    }
    let variation = Variation::Unchanged;
    // A server that is too busy or does not answer has not judged the request.
    let answered = |trial: &Trial| !matches!(trial.status(), None | Some(429 | 503));
    let mut other = None;
    let same = at_same_address(config, evidence);
    for _ in 0..2 {
        let (Some(outcome), _) = traced(&same, until, runtime)? else { break };
        let trial = Trial { variation, what: String::new(), outcome };
        if trial.status() != first && answered(&trial) {
            other = Some(trial);
            break;
        }
    }
    if other.is_none()
        && let Some(changed) = changed
        && let Some(again) = attempt(changed.variation, config, evidence, until, runtime)?
        && again.status() != changed.status()
        && answered(&again)
    {
        other = Some(Trial { variation, what: changed.label(), outcome: again.outcome });
    }
    let Some(trial) = other else { return Ok(None) };
    let elsewhere =
        |trial: &Trial| matches!(trial.variation, Variation::OtherScheme | Variation::OtherFamily);
    evidence.trials.retain(elsewhere);
    evidence.trials.push(trial.clone());
    Ok(Some(trial))
}

/// Repeats the request at the loopback address of the other family, if the requested one refused,
/// or if the program there, which may be another one, did not upgrade.
fn at_other_family(
    config: &OpenConfig,
    evidence: &OpeningEvidence,
) -> Option<(OpenConfig, String)> {
    let (first, rest) = evidence.dials().split_first()?;
    let same = |dial: &Dial| dial.address.is_ipv4() == first.address.is_ipv4();
    let answered = matches!(first.outcome, DialOutcome::Refused | DialOutcome::Connected);
    let here = first.address.ip().is_loopback() && !evidence.goes_by_proxy();
    if !here || !answered || !rest.iter().all(same) {
        return None;
    }
    let ip: IpAddr = match first.address.is_ipv4() {
        true => Ipv6Addr::LOCALHOST.into(),
        false => Ipv4Addr::LOCALHOST.into(),
    };
    let address = SocketAddr::new(ip, first.address.port());
    let mut other = config.clone();
    keep_only_path(&mut other);
    other.transport.family = AddressFamily::default();
    other.transport.overrides.connect_to.insert(0, format!("::{address}").parse().ok()?);
    Some((other, address.to_string()))
}

/// The differences that distinguish the causes of a failure, in the order of the trials.
pub fn variations(error: &OpenError, evidence: &OpeningEvidence) -> &'static [Variation] {
    use OpenError as E;
    use Variation as V;
    match error {
        E::Dial(_) => &[V::OtherFamily],
        // The server has not received a request yet.
        _ if !evidence.is_connected() || evidence.awaits_proxy() || is_about_certificate(error) => {
            &[]
        }
        // Each trial may wait for its whole time, so those of the path come first.
        E::TimedOut { .. } if evidence.was_asked() => &[
            V::OtherScheme,
            V::OnlyHttp2,
            V::NoUpgrade,
            V::NoQuery,
            V::OtherPath,
            V::NoSubprotocol,
            V::OwnOrigin,
            V::Subprotocol,
        ],
        E::Closed { .. } | E::Io(_) if evidence.was_asked() => &[
            V::OtherScheme,
            V::OnlyHttp2,
            V::Preface,
            V::NoUpgrade,
            V::NoQuery,
            V::NoSubprotocol,
            V::OwnOrigin,
            V::Subprotocol,
            V::OtherPath,
        ],
        E::Tls(TlsError::Alert { .. }) => &[V::OtherScheme, V::NoName],
        E::NotHttp(_) => &[V::OtherScheme, V::NoUpgrade],
        E::Tls(_) | E::Closed { .. } | E::Io(_) | E::TimedOut { .. } => &[V::OtherScheme],
        E::Refused { .. } => {
            match evidence.response().and_then(Head::status_line).map(|line| line.code) {
                _ if evidence.wants_tls() => &[V::OtherScheme],
                Some(300..=399) => &[V::NoUpgrade, V::Redirected, V::OtherFamily],
                Some(400..=501) => &[
                    V::NoUpgrade,
                    V::OwnOrigin,
                    V::NoOrigin,
                    V::NoSubprotocol,
                    V::Subprotocol,
                    V::OwnHost,
                    V::NearHost,
                    V::OtherPath,
                    V::OtherScheme,
                    V::OtherFamily,
                ],
                Some(200..=299) => &[V::NoUpgrade, V::OtherPath, V::OtherScheme, V::OtherFamily],
                _ => &[V::NoUpgrade, V::OtherFamily],
            }
        }
        _ => &[],
    }
}

/// Whether [`compare`] with `all` would make more trials than without.
pub fn can_compare(config: &OpenConfig, error: &OpenError, evidence: &OpeningEvidence) -> bool {
    let costs = |variation: &Variation| !is_cheap(*variation, config, error);
    (is_about_certificate(error) && evidence.certificates.is_empty())
        || variations(error, evidence).iter().any(costs)
}

/// Makes trials to distinguish the causes of a failure, and adds their results to the evidence.
/// Without `all`, makes only the cheapest ones. All end at `max_time`.
///
/// # Errors
///
/// Those of [`attempt`].
pub fn compare(
    config: &OpenConfig,
    error: &OpenError,
    all: bool,
    max_time: Option<Instant>,
    evidence: &mut OpeningEvidence,
    runtime: &mut Runtime,
) -> Result<(), OpenError> {
    let conn = runtime.reporter.connection();
    let until = limit(max_time);
    if all && is_about_certificate(error) {
        refused_tls(config, evidence, until, runtime)?;
    }
    for variation in variations(error, evidence) {
        if all || is_cheap(*variation, config, error) {
            let config = hurried(config, if all { PROBE_TIMEOUT } else { CHEAP_TIMEOUT });
            let trial = attempt(*variation, &config, evidence, until, runtime)?;
            evidence.trials.extend(trial);
        }
    }
    control(config, evidence, until, runtime)?;
    // The explanation belongs to the first connection.
    runtime.reporter.return_to(conn);
    Ok(())
}

/// The trials without `--diagnose`: the other loopback address, and, if the request was cut off
/// without a byte, TLS instead of plain text, or HTTP/2 with or without TLS.
fn is_cheap(variation: Variation, config: &OpenConfig, error: &OpenError) -> bool {
    let cut = matches!(error, OpenError::Closed { .. } | OpenError::Io(_));
    match variation {
        Variation::OtherFamily => matches!(error, OpenError::Dial(_)),
        Variation::OtherScheme => cut && !config.target.secure,
        Variation::OnlyHttp2 | Variation::Preface => cut,
        _ => false,
    }
}

/// Whether the certificate is the only problem.
pub fn is_about_certificate(error: &OpenError) -> bool {
    matches!(error, OpenError::Tls(TlsError::Certificate { .. }))
}

/// An end this soon after the opening is a reaction to the opening, or to our first message.
const EARLY: Duration = Duration::from_millis(1200);

/// How long a trial session is watched, at least.
const WATCHED: Duration = Duration::from_millis(300);

/// How long a trial session is watched, at most.
const WATCHED_MOST: Duration = Duration::from_millis(1500);

/// The longest time from a ping to the end of a session that trials with a ping can repeat: each of
/// them is watched for longer than that.
const AFTER_PING: Duration = Duration::from_secs(2);

/// How long a peer may take to answer the Close of a trial.
const LEAVE: Duration = Duration::from_millis(200);

/// Whether the peer ended a session soon after it opened; `lasted` excludes the wait for the end of
/// TCP.
pub fn ended_early(ending: &Ending, lasted: Duration) -> bool {
    let lost = matches!(ending.cause, Cause::Lost(_)) && ending.sent.is_none();
    let closed = ending.by == Side::Peer && ending.received.is_some();
    (lost || closed) && lasted < EARLY
}

/// The time from a ping to the end of a session, unless it is too long for a trial to repeat.
pub fn watchable(after_ping: Option<Duration>) -> Option<Duration> {
    after_ping.filter(|after| *after <= AFTER_PING)
}

/// Makes a plain request after a session was lost, to see whether the server still listens. Notes
/// only a failed connection, or that a proxy no longer reaches the server.
///
/// # Errors
///
/// Those of [`attempt`].
pub fn look_again(
    config: &OpenConfig,
    max_time: Option<Instant>,
    evidence: &mut OpeningEvidence,
    runtime: &mut Runtime,
) -> Result<(), OpenError> {
    let conn = runtime.reporter.connection();
    let until = limit(max_time);
    let trial = attempt(Variation::NoUpgrade, config, evidence, until, runtime)?;
    let gone = |trial: &Trial| matches!(trial.outcome, TrialOutcome::Unreached(_));
    // A server that takes only upgrades may drop the plain request.
    let again = match &trial {
        Some(trial) if trial.is_gateway_error() => {
            let (outcome, _) = traced(&at_same_address(config, evidence), until, runtime)?;
            let variation = Variation::Again;
            outcome.map(|outcome| Trial { variation, what: String::new(), outcome })
        }
        _ => None,
    };
    evidence.trials.extend(trial.filter(gone));
    evidence.trials.extend(again.filter(Trial::is_gateway_error));
    runtime.reporter.return_to(conn);
    Ok(())
}

/// After the peer has ended a session at once, opens sessions with one difference, and sends no
/// messages in them. A session that stays open shows the cause. If the first session ended
/// `after_ping` after our ping, others with and without a ping show whether that was the cause.
/// `lasted` is how long the first session was open. All trials end at `max_time`. The evidence gets
/// the results.
///
/// # Errors
///
/// Those of [`attempt`].
pub fn compare_session(
    config: &OpenConfig,
    lasted: Duration,
    after_ping: Option<Duration>,
    max_time: Option<Instant>,
    evidence: &mut OpeningEvidence,
    runtime: &mut Runtime,
) -> Result<(), OpenError> {
    let conn = runtime.reporter.connection();
    let mut patience = (lasted * 3).clamp(WATCHED, WATCHED_MOST);
    let is_early = lasted < EARLY;
    let pong_wait = after_ping.map(|after| (after * 3 / 2).max(patience / 2));
    // A session without a ping is watched for as long as one with it.
    patience = patience.max(WATCHED + pong_wait.unwrap_or_default());
    let watched = Watched { patience, pong_wait, is_early, until: limit(max_time) };
    let done = watched.compare(config, evidence, runtime);
    runtime.reporter.return_to(conn);
    done
}

/// The settings of watched sessions.
struct Watched {
    /// How long a session is watched.
    patience: Duration,
    /// How long of that a session is watched after a ping, if the first one ended on our ping.
    pong_wait: Option<Duration>,
    /// The first session ended soon enough that a trial without a difference would end, too.
    is_early: bool,
    /// See [`limit`].
    until: Instant,
}

impl Watched {
    fn compare(
        &self,
        config: &OpenConfig,
        evidence: &mut OpeningEvidence,
        runtime: &mut Runtime,
    ) -> Result<(), OpenError> {
        let config = &at_same_address(config, evidence);
        let again = self.add(Variation::Again, "", config, evidence, runtime)?;
        let stayed = |outcome: &Option<_>| *outcome == Some(TrialOutcome::Stayed);
        let ended = |outcome: &Option<_>| matches!(outcome, Some(TrialOutcome::Ended(_)));
        // Each result must come twice: one of several servers may end its sessions.
        if self.pong_wait.is_some()
            && stayed(&again)
            && ended(&self.add(Variation::Pinged, "", config, evidence, runtime)?)
            && stayed(&self.add(Variation::Again, "", config, evidence, runtime)?)
        {
            self.add(Variation::Pinged, "", config, evidence, runtime)?;
        }
        if !ended(&again) || !self.is_early {
            return Ok(());
        }
        let place = evidence.trials.len();
        for (variation, what, other) in session_variations(config, evidence) {
            match self.add(variation, &what, &other, evidence, runtime)? {
                Some(TrialOutcome::Stayed) => {}
                Some(_) => continue,
                None => break,
            }
            // A server that ends only some connections must not look like a proof.
            let again = self.add(Variation::Again, "", config, evidence, runtime)?;
            if let Some(TrialOutcome::Ended(_)) = again {
                self.add(variation, &what, &other, evidence, runtime)?;
            }
            break;
        }
        // It runs last, because it may wait longest, but its result comes before the trials that
        // confirm another one.
        let plain = attempt(Variation::NoUpgrade, config, evidence, self.until, runtime)?;
        evidence.trials.splice(place..place, plain);
        Ok(())
    }

    /// Watches a session, and notes the result.
    fn add(
        &self,
        variation: Variation,
        what: &str,
        config: &OpenConfig,
        evidence: &mut OpeningEvidence,
        runtime: &mut Runtime,
    ) -> Result<Option<TrialOutcome>, OpenError> {
        let trial = self.watch(variation, what, config, runtime)?;
        let outcome = trial.as_ref().map(|trial| trial.outcome.clone());
        evidence.trials.extend(trial);
        Ok(outcome)
    }

    /// Whether the remaining time is too short for another session.
    fn is_late(&self, now: Instant) -> bool {
        now + self.patience >= self.until
    }

    /// Opens a session, and watches whether it stays open; `None` if there is no time for it. For
    /// [`Variation::Pinged`], a ping follows within that time; a session that ends before it counts
    /// as one without a ping.
    fn watch(
        &self,
        variation: Variation,
        what: &str,
        config: &OpenConfig,
        runtime: &mut Runtime,
    ) -> Result<Option<Trial>, OpenError> {
        if self.is_late(Instant::now()) {
            return Ok(None);
        }
        let config = hurried(config, PROBE_TIMEOUT);
        runtime.reporter.next_connection();
        let what = what.to_owned();
        let mut trial = Trial { variation, what, outcome: TrialOutcome::Opened };
        let conn = runtime.reporter.connection();
        runtime.report(conn, &Event::Note(&format!("trial: {}", trial.label())))?;
        let now = Instant::now();
        let mut opening =
            ClientOpening::new(&config, SLOT, Some(self.until), runtime, now).beside();
        trial.outcome = match open_apart(&mut opening, runtime) {
            Ok(opened) => {
                let mut talk = TrialTalk::new(*opened);
                let time = match self.is_late(Instant::now()) {
                    true => Duration::ZERO,
                    false => self.patience,
                };
                let after = self.pong_wait.unwrap_or_default().min(time);
                let stayed = match variation {
                    Variation::Pinged if !talk.idle(time - after, runtime)? => {
                        trial.variation = Variation::Again;
                        false
                    }
                    Variation::Pinged => {
                        talk.ping(after, runtime)?;
                        talk.is_open()
                    }
                    _ => talk.idle(time, runtime)?,
                };
                let outcome = match stayed {
                    true => TrialOutcome::Stayed,
                    false => TrialOutcome::Ended(ending::describe(&talk.ending())),
                };
                if stayed {
                    talk.close(LEAVE, runtime)?;
                }
                runtime.report(conn, &Event::End(&talk.ending()))?;
                if stayed && time.is_zero() {
                    return Ok(None);
                }
                outcome
            }
            Err(error @ (OpenError::Signal(_) | OpenError::Local(_))) => return Err(error),
            Err(_) if Instant::now() >= self.until => return Ok(None),
            Err(error) => outcome(&std::mem::take(opening.evidence()), &error),
        };
        Ok(Some(trial))
    }
}

/// The differences that may keep such a session open.
fn session_variations(
    config: &OpenConfig,
    evidence: &OpeningEvidence,
) -> Vec<(Variation, String, OpenConfig)> {
    let mut list = Vec::new();
    let own = with_own_origin(config);
    let origin = own.origin.clone().unwrap_or_default();
    if evidence.sent("Origin").is_none_or(|sent| sent != origin.as_bytes()) {
        list.push((Variation::OwnOrigin, origin, own));
    }
    if has_origin(config) {
        list.push((Variation::NoOrigin, String::new(), without_origin(config)));
    }
    for name in suggested_subprotocols(path(&config.target.resource_name)) {
        if config.subprotocols.iter().any(|offered| offered == name) {
            continue;
        }
        let mut other = without_subprotocols(config);
        other.subprotocols = vec![(*name).to_owned()];
        list.push((Variation::Subprotocol, (*name).to_owned(), other));
    }
    if evidence.sent("Sec-WebSocket-Protocol").is_some() {
        list.push((Variation::NoSubprotocol, String::new(), without_subprotocols(config)));
    }
    if path(&config.target.resource_name) != UNKNOWN_PATH {
        list.push((Variation::OtherPath, UNKNOWN_PATH.to_owned(), with_other_path(config)));
    }
    list
}

/// Notes the refused certificates. If the library did not keep them, one more connection without
/// verification gets them.
///
/// # Errors
///
/// Those of [`attempt`].
pub fn refused_tls(
    config: &OpenConfig,
    evidence: &mut OpeningEvidence,
    until: Instant,
    runtime: &mut Runtime,
) -> Result<(), OpenError> {
    if !evidence.certificates.is_empty() {
        return Ok(());
    }
    // A server that is not trusted gets only the parts that every client sends.
    let config = at_same_address(config, evidence);
    let (_, trace) = traced(&bare(&config), until, runtime)?;
    evidence.certificates = trace.certificates;
    Ok(())
}
