//! Other connections to the same place, each different in one thing: what that changes shows
//! causes apart.

use std::time::{Duration, Instant};

use crate::config::{Login, OpenConfig};
use crate::diagnostics::facts::OriginProbe;
use crate::engine::open_error::OpenError;
use crate::engine::opening::{ClientOpening, Opening as _, open};
use crate::engine::opening_evidence::OpeningEvidence;
use crate::engine::runtime::Runtime;
use crate::event::CertificateFacts;
use crate::net::tls::TlsError;
use crate::ui::sanitize::escaped;
use crate::wire::handshake::headers::HeaderEdit;
use crate::wire::head::Head;
use crate::wire::secret;

/// How long a probe waits for an answer, at most.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// The slot of a connection beside which there is no other.
pub const SLOT: usize = 0;

/// What makes a request one for an upgrade.
const UPGRADE: [&str; 5] = [
    "Upgrade",
    "Connection",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Extensions",
];

/// What a probe got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeResult {
    /// A WebSocket opened.
    Opened,
    /// An HTTP status, with the line it came in and the server's name for itself.
    Status {
        /// The number.
        code: u16,
        /// `426 Upgrade Required, Server: nginx`.
        text: String,
    },
    /// Nothing of HTTP; in words.
    Nothing(String),
}

impl ProbeResult {
    /// The status, 101 included.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Opened => Some(101),
            Self::Status { code, .. } => Some(*code),
            Self::Nothing(_) => None,
        }
    }

    /// What came, in words.
    pub fn text(&self) -> &str {
        match self {
            Self::Opened => "101 Switching Protocols",
            Self::Status { text, .. } | Self::Nothing(text) => text,
        }
    }
}

/// Makes one connection and drops it; what was known of the one before stays.
///
/// # Errors
///
/// A signal came, or this side failed.
pub fn probe(config: &OpenConfig, runtime: &mut Runtime) -> Result<ProbeResult, OpenError> {
    Ok(traced(config, runtime)?.0)
}

/// The same with what the connection left behind.
fn traced(
    config: &OpenConfig,
    runtime: &mut Runtime,
) -> Result<(ProbeResult, OpeningEvidence), OpenError> {
    let mut config = config.clone();
    config.handshake_timeout = config.handshake_timeout.min(PROBE_TIMEOUT);
    runtime.reporter.next_connection();
    let mut opening = ClientOpening::new(&config, SLOT, None, runtime, Instant::now()).beside();
    match open(&mut opening, runtime) {
        Ok(mut opened) => {
            opened.link.shutdown();
            Ok((ProbeResult::Opened, opened.evidence))
        }
        Err(error @ (OpenError::Signal(_) | OpenError::Local(_))) => Err(error),
        Err(error) => {
            let evidence = std::mem::take(opening.evidence());
            Ok((answer(&evidence, &error), evidence))
        }
    }
}

fn answer(trace: &OpeningEvidence, error: &OpenError) -> ProbeResult {
    let head = trace.response().filter(|head| head.status_line().is_some());
    match head.and_then(|head| Some((head, head.status_line()?))) {
        Some((head, line)) => {
            let text = format!("{} {}{}", line.code, escaped(line.reason), server(head));
            ProbeResult::Status { code: line.code, text }
        }
        None => ProbeResult::Nothing(error.to_string()),
    }
}

/// As in `, Server: nginx`.
pub fn server(head: &Head) -> String {
    let name = head.get("Server").map(escaped).unwrap_or_default();
    if name.is_empty() { name } else { format!(", Server: {name}") }
}

/// The same place with or without TLS.
pub fn other_scheme(config: &OpenConfig) -> OpenConfig {
    let mut other = config.clone();
    other.target.secure = !config.target.secure;
    // Whether the certificate is any good is another question.
    other.transport.tls.insecure = true;
    // Credentials meant for TLS must not cross in plain text, nor go to whoever answers.
    other.headers.retain(|edit| !secret::is_secret(edit.name()));
    forget_user(&mut other);
    other.target.resource_name = path(&config.target.resource_name).to_owned();
    other
}

/// The user's credentials are not sent.
fn forget_user(config: &mut OpenConfig) {
    config.login = Login::default();
    config.target.basic_auth = None;
    config.keeps_cookies = false;
}

/// Without the query, which may hold a token.
fn path(resource: &str) -> &str {
    resource.split_once('?').map_or(resource, |(path, _)| path)
}

/// The same request as a plain one.
pub fn without_upgrade(config: &OpenConfig) -> OpenConfig {
    let mut other = config.clone();
    other.headers.retain(|edit| !UPGRADE.iter().any(|name| edit.name().eq_ignore_ascii_case(name)));
    other.headers.extend(UPGRADE.iter().filter_map(|name| HeaderEdit::remove(name).ok()));
    (other.subprotocols, other.deflate) = (Vec::new(), None);
    other
}

/// Whether the request has an Origin.
pub fn has_origin(config: &OpenConfig) -> bool {
    let given = |edit: &HeaderEdit| edit.name().eq_ignore_ascii_case("origin");
    config.origin.is_some()
        || config.headers.iter().any(|edit| given(edit) && edit.value().is_some())
}

/// The same request with the server's own origin.
pub fn with_own_origin(config: &OpenConfig) -> OpenConfig {
    let mut other = without_origin(config);
    let scheme = if config.target.secure { "https" } else { "http" };
    other.origin = Some(format!("{scheme}://{}", config.target.host_header));
    other
}

/// The same request without an Origin.
pub fn without_origin(config: &OpenConfig) -> OpenConfig {
    let mut other = config.clone();
    other.origin = None;
    other.headers.retain(|edit| !edit.name().eq_ignore_ascii_case("origin"));
    other
}

/// Asks once more with the server's own Origin, as a page of the site would.
///
/// # Errors
///
/// Those of [`probe`].
pub fn origin(
    config: &OpenConfig,
    runtime: &mut Runtime,
) -> Result<(OriginProbe, ProbeResult), OpenError> {
    let answer = probe(&with_own_origin(config), runtime)?;
    let status = answer.status().unwrap_or_default();
    Ok((OriginProbe { with_origin: true, status }, answer))
}

/// Whether [`compare`] has a question to ask about a failure.
pub fn can_compare(error: &OpenError) -> bool {
    use OpenError as E;
    let foreign = matches!(error, E::Tls(_) | E::Closed { .. } | E::NotHttp(_) | E::Io(_));
    foreign || matches!(error, E::TimedOut { .. } | E::Refused { .. })
}

/// Spends a connection or two on comparing the causes of a failure; what is learned is noted
/// in the trace of the failure.
///
/// # Errors
///
/// Those of [`probe`].
pub fn compare(
    config: &OpenConfig,
    error: &OpenError,
    evidence: &mut OpeningEvidence,
    runtime: &mut Runtime,
) -> Result<(), OpenError> {
    let mut learned = Vec::new();
    let conn = runtime.reporter.connection();
    match error {
        error if is_about_certificate(error) => {
            evidence.certificate = certificate(config, runtime)?;
        }
        OpenError::Tls(_) | OpenError::Closed { .. } | OpenError::NotHttp(_) | OpenError::Io(_) => {
            learned.extend(other_scheme_sentence(config, runtime)?);
        }
        OpenError::TimedOut { .. } if config.target.secure => {
            learned.extend(other_scheme_sentence(config, runtime)?);
        }
        OpenError::Refused { .. } => {
            let refused = evidence.response().and_then(Head::status_line).map(|line| line.code);
            learned.push(path_or_headers(config, refused, runtime)?);
            if matches!(refused, Some(400..=499)) {
                let (probed, answer) = origin(config, runtime)?;
                evidence.origin_probe = Some(probed);
                learned.push(format!("with the server's own Origin it answers {}", answer.text()));
            }
        }
        _ => {}
    }
    evidence.learned = learned;
    // What is explained now is the first one's failure.
    runtime.reporter.return_to(conn);
    Ok(())
}

/// Whether only the certificate is in the way.
pub fn is_about_certificate(error: &OpenError) -> bool {
    matches!(error, OpenError::Tls(TlsError::Certificate { .. }))
}

/// The server's certificate, whatever it is worth: a refused one is not kept by the library.
///
/// # Errors
///
/// Those of [`probe`].
pub fn certificate(
    config: &OpenConfig,
    runtime: &mut Runtime,
) -> Result<Option<CertificateFacts>, OpenError> {
    // Nothing of the request goes to a server that is not trusted but what every client sends.
    let mut bare = OpenConfig { headers: Vec::new(), ..config.clone() };
    bare.transport.tls.insecure = true;
    forget_user(&mut bare);
    bare = without_upgrade(&bare);
    bare.target.resource_name = "/".to_owned();
    let (_, trace) = traced(&bare, runtime)?;
    Ok(trace.tls().and_then(|tls| tls.certificate.clone()))
}

/// What the port answers to the other scheme, if it answers.
///
/// # Errors
///
/// Those of [`probe`].
pub fn other_scheme_sentence(
    config: &OpenConfig,
    runtime: &mut Runtime,
) -> Result<Option<String>, OpenError> {
    let other = other_scheme(config);
    let scheme = if other.target.secure { "wss" } else { "ws" };
    Ok(match probe(&other, runtime)? {
        ProbeResult::Opened => Some(format!("{scheme}:// works on this port: a WebSocket opened")),
        ProbeResult::Status { text, .. } => {
            Some(format!("{scheme}:// is spoken on this port: the answer was {text}"))
        }
        ProbeResult::Nothing(_) => None,
    })
}

/// Tells a wrong path from headers that were lost on the way.
fn path_or_headers(
    config: &OpenConfig,
    refused: Option<u16>,
    runtime: &mut Runtime,
) -> Result<String, OpenError> {
    let plain = probe(&without_upgrade(config), runtime)?;
    Ok(match plain.status() {
        None => "a plain GET is not answered: the upgrade's headers reach the server".to_owned(),
        status if status == refused => format!(
            "a plain GET gets the same status, {}: the upgrade made no difference, so a hop drops \
             its headers or nothing at this path is a WebSocket",
            plain.text()
        ),
        _ => format!(
            "a plain GET gets another answer, {}: the upgrade's headers reach whoever answers",
            plain.text()
        ),
    })
}
