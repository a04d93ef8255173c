//! The configuration of `wscope replay`, checked.

use std::sync::Arc;
use std::time::Duration;

use super::reach::Account;
use super::recorded::RecordedName;
use super::rule::{compile, delimited, replacement};
use super::usage::check_subprotocols;
use super::{ClientConfig, OpenConfig, UsageError, lines};
use crate::cli::{CompareChoice, ReplayArgs, ReportFormat};
use crate::recording::{Compare, Comparison, RecordedRequest, ValueRules};
use crate::session::EndpointConfig;
use crate::ui::notation::is_variable;
use crate::ui::pattern::Pattern;
use crate::ui::terminal::Terminal;
use crate::wire::Role;
use crate::wire::handshake::headers::HeaderEdit;

/// When messages are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReplayPace {
    /// After as many messages as in the recording.
    Wait,
    /// At once.
    Fast,
    /// At the recorded times, faster by this factor.
    Timed(f64),
}

/// How to play a recording, and how to compare.
#[derive(Debug)]
pub struct ReplayOptions {
    /// When messages are sent.
    pub pace: ReplayPace,
    /// The longest pause.
    pub max_gap: Option<Duration>,
    /// How long to wait for a message.
    pub patience: Duration,
    /// The replacements in sent messages.
    pub rules: ValueRules,
    /// How received messages are compared.
    pub comparison: Comparison,
}

/// The configuration of `wscope replay`.
#[derive(Debug)]
pub struct ReplayConfig {
    /// The session, without input and output.
    pub client: ClientConfig,
    /// How to play.
    pub options: ReplayOptions,
    /// The number of parallel connections, and of repetitions.
    pub parallel: u32,
    pub repeat: u32,
    /// Print JSON objects instead of text.
    pub json: bool,
    /// What the recording lacks, and how to provide it, one sentence each.
    pub notes: Vec<String>,
}

impl ReplayConfig {
    /// Checks the typed options, before the recording is read.
    ///
    /// # Errors
    ///
    /// An option can't be used.
    pub fn options(args: &ReplayArgs) -> Result<ReplayOptions, UsageError> {
        let pace = pace(&args.pace)?;
        if args.max_gap.is_some() && !matches!(pace, ReplayPace::Timed(_)) {
            let text = "--max-gap: only with --pace original or a factor, such as 2x";
            return Err(UsageError(text.to_owned()));
        }
        let captures =
            args.capture.iter().map(|text| capture(text)).collect::<Result<Vec<_>, _>>()?;
        let set = lines::variables(&args.set, true)?;
        let known = |name: &str| {
            captures
                .iter()
                .map(|(name, _)| name)
                .chain(set.iter().map(|(name, _)| name))
                .any(|n| n == name)
        };
        let replace = args.replace.iter().map(|text| {
            let read = text.strip_prefix('/').ok_or_else(|| "write /RE/TEXT/".to_owned());
            read.and_then(|_| replacement(text, known))
                .map_err(|why| UsageError(format!("--replace {text:?}: {why}")))
        });
        let ignore = args.ignore.iter().map(|text| {
            pattern(text).map_err(|why| UsageError(format!("--ignore {text:?}: {why}")))
        });
        let how = match args.compare {
            CompareChoice::None => Compare::None,
            CompareChoice::Count => Compare::Count,
            CompareChoice::Kind => Compare::Kind,
            CompareChoice::Text => Compare::Text,
            CompareChoice::Json => Compare::Json,
        };
        if !args.ignore_json.is_empty() && how != Compare::Json {
            return Err(UsageError("--ignore-json: only with --compare json".to_owned()));
        }
        if !args.ignore.is_empty() && how < Compare::Text {
            return Err(UsageError("--ignore: only with --compare text or json".to_owned()));
        }
        if let Some(wrong) = args.ignore_json.iter().find(|pointer| !is_pointer(pointer)) {
            let text = format!(
                "--ignore-json: {wrong:?} is not a JSON pointer, such as /data/time (~0 is ~, ~1 is /)"
            );
            return Err(UsageError(text));
        }
        Ok(ReplayOptions {
            pace,
            max_gap: args.max_gap,
            patience: args.step_timeout,
            rules: ValueRules { replace: replace.collect::<Result<_, _>>()?, set, captures },
            comparison: Comparison {
                how,
                ignore: ignore.collect::<Result<_, _>>()?,
                ignore_json: args.ignore_json.clone(),
            },
        })
    }

    /// Resolves all settings, with the request of the recording.
    ///
    /// # Errors
    ///
    /// An option, or the recording's URL, can't be used.
    pub fn resolve(
        args: ReplayArgs,
        options: ReplayOptions,
        name: &RecordedName,
        request: RecordedRequest,
        terminal: Terminal,
    ) -> Result<Self, UsageError> {
        let url = url(args.url.as_deref(), &request, name)?;
        let ReplayArgs { handshake, reach, display, .. } = args;
        let ReplayArgs { parallel, repeat, max_time, close_timeout, log, .. } = args;
        let mut client = ClientConfig::dial(&url, handshake, reach, &display, terminal)?;
        let has_cookie = !client.reach.cookies.is_empty();
        let has_account = client.reach.account != Account::Unspecified;
        let notes = again(&mut client.open, request, GivenCredentials { has_cookie, has_account })?;
        let endpoint = EndpointConfig { close_timeout, ..EndpointConfig::new(Role::Client) };
        client.traffic.log = log;
        Ok(Self {
            client: ClientConfig { max_time, endpoint: Arc::new(endpoint), ..client },
            options,
            parallel,
            repeat,
            json: args.output == ReportFormat::Json,
            notes,
        })
    }
}

/// Credentials that were given with their own option.
#[derive(Clone, Copy)]
struct GivenCredentials {
    has_cookie: bool,
    has_account: bool,
}

/// The URL: the given one, with the recording's path if it has no path.
fn url(
    given: Option<&str>,
    request: &RecordedRequest,
    name: &RecordedName,
) -> Result<String, UsageError> {
    let lacks = |text: &str| {
        let name = name.shown();
        Err(UsageError(format!("{name}: a secret was removed from the recorded URL; {text}")))
    };
    let Some(given) = given else {
        return match request.lacks_in_url() {
            true => lacks("give the whole URL after the file"),
            false => Ok(request.url.clone()),
        };
    };
    let rest = given.split_once("://").map_or(given, |(_, rest)| rest);
    if given.starts_with("ws+unix:") || given.starts_with("wss+unix:") || rest.contains(['/', '?'])
    {
        return Ok(given.to_owned());
    }
    match request.lacks_in_url() && request.resource().contains('?') {
        true => lacks("give the URL with path and query"),
        false => Ok(format!("{given}{}", request.resource())),
    }
}

/// Uses the recorded request, unless an option replaces a part; returns what the recording lacks.
fn again(
    open: &mut OpenConfig,
    request: RecordedRequest,
    given: GivenCredentials,
) -> Result<Vec<String>, UsageError> {
    let RecordedRequest { headers, order, subprotocols, missing, .. } = request;
    let is_given = |open: &OpenConfig, name: &str| {
        let named = |other: &str| name.eq_ignore_ascii_case(other);
        open.headers.iter().any(|edit| named(edit.name()))
            || named("origin") && open.origin.is_some()
            || named("cookie") && given.has_cookie
            || named("authorization") && given.has_account
            || named("sec-websocket-protocol") && !open.subprotocols.is_empty()
    };
    let mut notes = Vec::new();
    for name in &missing {
        if is_given(open, name) {
            continue;
        }
        let how = match &*name.to_ascii_lowercase() {
            "cookie" => "--cookie NAME=VALUE".to_owned(),
            "authorization" => {
                "-u USER:PASSWORD, --bearer TOKEN or -H 'Authorization: …'".to_owned()
            }
            "sec-websocket-protocol" => "-s NAME".to_owned(),
            _ => format!("-H '{name}: …'"),
        };
        notes.push(format!(
            "the recording does not contain the value of {name}, because it is a secret; \
                 give it with {how}"
        ));
    }
    let kept: Vec<_> = headers.iter().filter(|(name, _)| !is_given(open, name)).collect();
    let kept: Vec<HeaderEdit> =
        kept.into_iter().filter_map(|(name, value)| HeaderEdit::send(name, value).ok()).collect();
    open.headers.splice(0..0, kept);
    if open.header_order.is_empty() {
        open.header_order = order;
    }
    if open.subprotocols.is_empty() && check_subprotocols(&subprotocols).is_ok() {
        open.subprotocols = subprotocols;
    }
    Ok(notes)
}

/// `wait`, `original`, `fast`, `2x`.
fn pace(text: &str) -> Result<ReplayPace, UsageError> {
    let factor = |text: &str| text.parse().ok().filter(|n: &f64| n.is_finite() && *n > 0.0);
    match text {
        "wait" => Ok(ReplayPace::Wait),
        "fast" => Ok(ReplayPace::Fast),
        "original" => Ok(ReplayPace::Timed(1.0)),
        _ => text.strip_suffix('x').and_then(factor).map(ReplayPace::Timed).ok_or_else(|| {
            UsageError(format!(
                "--pace: {text:?} is not a pace; write wait, original, fast, or a factor such as 2x or 0.5x"
            ))
        }),
    }
}

/// `NAME=/RE/`.
fn capture(text: &str) -> Result<(String, Pattern), UsageError> {
    let fail = |why: String| UsageError(format!("--capture {text:?}: {why}"));
    match text.split_once('=') {
        Some((name, expression)) if is_variable(name) => {
            Ok((name.to_owned(), pattern(expression).map_err(fail)?))
        }
        _ => Err(fail(
            "write NAME=/RE/; a name has letters, digits and _, no digit first".to_owned(),
        )),
    }
}

/// `/RE/`, with `\/` for a slash.
fn pattern(text: &str) -> Result<Pattern, String> {
    match text.strip_prefix('/').and_then(delimited) {
        Some((expression, "")) => compile(&expression),
        _ => {
            Err("write the expression between slashes, as in /a+/, with \\/ for a slash".to_owned())
        }
    }
}

/// Whether this is a JSON pointer (RFC 6901 §3): 0 or 1 follows each tilde.
fn is_pointer(text: &str) -> bool {
    text.starts_with('/') && text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    fn request(url: &str) -> RecordedRequest {
        RecordedRequest { url: url.to_owned(), ..RecordedRequest::default() }
    }

    #[test]
    fn a_pace_is_a_word_or_a_factor() {
        assert_eq!(pace("wait").ok(), Some(ReplayPace::Wait));
        assert_eq!(pace("original").ok(), Some(ReplayPace::Timed(1.0)));
        assert_eq!(pace("0.5x").ok(), Some(ReplayPace::Timed(0.5)));
        for wrong in ["", "x", "0x", "-1x", "2", "NaNx", "infx", "slow"] {
            assert!(pace(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_url_without_a_path_gets_that_of_the_recording() {
        let name = RecordedName::new(OsStr::new("a.jsonl"));
        let recorded = request("wss://a.example/chat?x=1");
        let url = |given: Option<&str>| url(given, &recorded, &name).ok();
        assert_eq!(url(None).as_deref(), Some("wss://a.example/chat?x=1"));
        assert_eq!(url(Some("ws://b:9")).as_deref(), Some("ws://b:9/chat?x=1"));
        assert_eq!(url(Some("b:9")).as_deref(), Some("b:9/chat?x=1"));
        assert_eq!(url(Some("ws://b:9/")).as_deref(), Some("ws://b:9/"));
        assert_eq!(url(Some("b/x?y")).as_deref(), Some("b/x?y"));
    }

    #[test]
    fn a_url_that_lacks_a_secret_is_not_dialled() {
        let name = RecordedName::new(OsStr::new("a.jsonl"));
        let recorded = request("wss://a.example/?token=[redacted]");
        for given in [None, Some("ws://b")] {
            let error = url(given, &recorded, &name).expect_err("a secret is missing");
            assert!(error.to_string().contains("a secret was removed"), "{error}");
        }
        assert!(url(Some("ws://b/?token=1"), &recorded, &name).is_ok());
    }

    #[test]
    fn what_is_given_takes_the_place_of_what_was_recorded() {
        let mut open = OpenConfig::of_url("ws://a/").expect("a URL");
        open.headers.push("x-id: mine".parse().expect("a header"));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let recorded = RecordedRequest {
            headers: vec![
                pair("User-Agent", "u"),
                pair("X-Id", "7"),
                pair("Cookie", "a=1"),
                pair("Authorization", "Basic x"),
            ],
            subprotocols: vec!["chat".to_owned()],
            missing: vec!["X-Token".to_owned(), "x-ID".to_owned()],
            ..RecordedRequest::default()
        };
        let given = GivenCredentials { has_cookie: true, has_account: false };
        let notes = again(&mut open, recorded, given).expect("a request");
        let names: Vec<_> = open.headers.iter().map(HeaderEdit::name).collect();
        assert_eq!(names, ["User-Agent", "Authorization", "x-id"]);
        assert_eq!(open.subprotocols, ["chat"]);
        assert_eq!(notes.len(), 1);
        assert!(notes[0].ends_with("give it with -H 'X-Token: …'"), "{notes:?}");
    }

    #[test]
    fn captures_and_patterns_are_read() {
        assert!(capture("id=/a(.)/").is_ok());
        for wrong in ["id", "1=/a/", "id=a", "id=/a", "id=/(/", "=/a/"] {
            assert!(capture(wrong).is_err(), "{wrong}");
        }
        assert!(pattern(r"/a\/b/").is_ok_and(|pattern| pattern.is_match(b"a/b")));
    }
}
