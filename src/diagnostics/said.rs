//! Reads the reason in the body of a refusal: text, JSON or HTML. The server's own words are more
//! important than the rest of its answer.

use serde_json::Value;

use super::sniff::contains_word;
use crate::wire::head::Head;

/// The subject of a refusal's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// Plain HTTP on a port for TLS.
    Tls,
    /// The certificate of the client.
    Certificate,
    /// The port speaks only HTTP/2, as Node's server says it.
    Alpn,
    /// The size of the request's head.
    HeadSize,
    /// The Host header.
    Host,
    /// The Origin header.
    Origin,
    /// The subprotocol.
    Subprotocol,
    /// The version of HTTP.
    Http,
    /// The version of the WebSocket protocol.
    Version,
    /// The key of the handshake.
    Key,
    /// Another WebSocket header.
    Header,
    /// The headers Upgrade or Connection.
    Upgrade,
    /// A session or connection that the client should have opened before.
    Session,
    /// The method of the request.
    Method,
    /// The number of requests, which is too high.
    Rate,
    /// The credentials, or their permissions.
    Credentials,
    /// The path.
    Path,
}

/// Phrases in lower case, in the form that [`says`] uses. The first phrase in the text decides, so
/// the more exact subjects come first.
#[rustfmt::skip]
const PHRASES: &[(Subject, &[&str])] = &[
    (Subject::Tls, &["plain http request was sent to https port", "http request to an https server", "speaking plain http to an ssl-enabled", "combination of host and port requires tls", "https is required", "use https", "https required", "ssl required", "tls required", "requires wss", "use wss", "wss required", "requires ssl", "requires https", "ssl is required", "tls is required", "secure connection required", "secure connection is required", "require a secure connection", "requires a secure connection", "use a secure connection", "must be a secure connection", "secure connections only"]),
    (Subject::Alpn, &["missing alpn protocol"]),
    (Subject::Certificate, &["no required ssl certificate", "ssl certificate error", "client certificate"]),
    (Subject::HeadSize, &["cookie too large", "header fields too large", "header too large", "headers too large", "header line too long", "uri too long", "request-uri too large"]),
    (Subject::Host, &["host header", "header host", "invalid host", "invalid hostname", "bad host", "bad hostname", "unknown host", "unknown hostname", "unknown virtual host", "unknown vhost", "no such virtual host", "virtual host not found", "no such site", "unknown site", "host not allowed", "disallowed host", "disallowedhost", "allowed_hosts", "blocked request. this host", "blocked host", "invalid http_host", "host validation", "host not in", "host not permitted", HOST_IS_NOT, "hosts list", "untrusted host"]),
    (Subject::Subprotocol, &["subprotocol", "sub-protocol", "sub protocol", "sec-websocket-protocol", "protocol not supported", "protocol mismatch", "no matching protocol", "no acceptable protocol", "protocol not accepted", "must support one of"]),
    (Subject::Http, &["http version", "http/1.0", "version of http"]),
    (Subject::Version, &["sec-websocket-version", "unsupported version", "websocket version", "unsupported websocket", "version not supported", "invalid version"]),
    (Subject::Key, &["sec-websocket-key", "websocket key", "challenge failed"]),
    (Subject::Header, &["sec-websocket-*"]),
    (Subject::Session, &["connection id", "connectionid", "connection with that id", "session id", "sessionid", "session not found", "unknown session", "invalid session", "session expired", "no such session", "session does not exist", "client id required", "missing sid", "negotiate"]),
    (Subject::Upgrade, &["upgrade", "upgraded", "websocket only", "not a websocket", "not websocket", "non-websocket", "expected websocket", "expected a websocket", "websocket expected", "websocket request", "websocket connection", "websocket client", "websocket endpoint", "websocket handshake", "requires websocket", "websocket is required", "websockets only", "connection header", "header \"connection\"", "header 'connection'", "hop-by-hop", "bad handshake"]),
    (Subject::Rate, &["too many requests", "too many connections", "rate limit*", "rate-limit*", "quota", "too many clients", "number of connections", "connections reached", "max connections", "maximum connections", "limit reached", "limit exceeded", "throttl*", "connection limit", "token bucket"]),
    (Subject::Credentials, &["token", "accesstoken", "authtoken", "api key", "apikey", "api-key", "api_key", "credential*", "authentic*", "unauthentic*", "authoriz*", "authoris*", "unauthoriz*", "unauthoris*", "jwt", "not logged in", "log in", "login required", "sign in", "permission", "missing auth", "invalid auth", "access key", "password"]),
    (Subject::Method, &["method not allowed", "bad handshake method", "only get", "invalid method", "method must be", "request method"]),
    (Subject::Path, &["cannot get", "no route", "no such path", "unknown path", "invalid path", "path not found", "unknown endpoint", "no such endpoint", "not found", "does not exist", "no handler", "unknown channel", "unknown room", "no such", "invalid url", "wrong path", "doesn't exist", "no matching", "unknown route"]),
];

/// The beginning of the phrase with which a server says that a host is not in its list.
const HOST_IS_NOT: &str = "host is not";

/// The words that may follow it.
const OF_A_LIST: [&str; 13] = [
    "allow*",
    "permitted",
    "accepted",
    "valid",
    "trusted",
    "recogni*",
    "known",
    "on the",
    "in the list",
    "in allow*",
    "listed",
    "whitelisted",
    "an ip address",
];

/// The subject of a text, and the phrase that shows it.
pub(super) fn subject(text: &str) -> Option<(Subject, &'static str)> {
    let found = PHRASES.iter().find_map(|(subject, phrases)| {
        let means = |phrase: &&&str| places(text, phrase).any(|at| is_meant(text, phrase, at));
        phrases.iter().find(means).map(|phrase| (*subject, *phrase))
    });
    // These subjects are exact, so they come before the Origin. Other phrases may be in the text by
    // chance.
    let exact = [Subject::Tls, Subject::Alpn, Subject::Certificate, Subject::HeadSize];
    match found {
        // Another upgrade is meant: of a program, or of a contract.
        Some((Subject::Upgrade, "upgrade")) if speaks_of_product(text) => None,
        Some((subject, phrase)) if exact.contains(&subject) => Some((subject, phrase)),
        _ if speaks_of_origin(text) => Some((Subject::Origin, "origin")),
        found => found,
    }
}

/// Whether a phrase at this position has the listed meaning. If a phrase has several meanings, the
/// words around it decide.
fn is_meant(text: &str, phrase: &str, at: usize) -> bool {
    let before = text[..at].to_ascii_lowercase();
    let after = text[at + phrase.trim_end_matches('*').len()..].to_ascii_lowercase();
    match phrase {
        HOST_IS_NOT => {
            let after = after.trim_start();
            OF_A_LIST.iter().any(|word| places(after, word).next() == Some(0))
        }
        "use https" | "use wss" => {
            let refused = ["not allowed to ", "not permitted to ", "not ", "n't ", "cannot "];
            let address = after.strip_prefix("://").unwrap_or_default();
            let elsewhere = phrase == "use https"
                && address.starts_with(|c: char| c.is_alphanumeric())
                && !says(&after, "instead");
            !elsewhere && !refused.iter().any(|words| before.ends_with(words))
        }
        // One element of the path is a value.
        "invalid path" | "unknown path" | "wrong path" => {
            let parts = ["param*", "variable", "element", "segment", "component"];
            !parts.iter().any(|word| places(after.trim_start(), word).next() == Some(0))
        }
        // A parser speaks of an unexpected token, and CSRF has its own tokens.
        "token" => !before.ends_with("unexpected ") && !says(text, "csrf"),
        // Inside a longer name, the word is only a part of that name.
        "upgrade" | "upgraded" => {
            let (first, last) =
                (text[..at].chars().last(), text[at + phrase.len()..].chars().next());
            ![first, last].iter().flatten().any(|c| c.is_alphanumeric() && *c != 's')
        }
        _ => true,
    }
}

/// Whether a text contains a phrase as whole words, in any letter case. The phrase is in lower
/// case. Its last word may have a plural s; a `*` at its end allows any ending.
pub(super) fn says(text: &str, phrase: &str) -> bool {
    places(text, phrase).next().is_some()
}

/// The positions of a phrase in a text, as [`says`] finds them.
fn places(text: &str, phrase: &str) -> impl Iterator<Item = usize> {
    let (stem, goes_on) = phrase.strip_suffix('*').map_or((phrase, false), |stem| (stem, true));
    let windows = text.as_bytes().windows(stem.len().max(1)).enumerate();
    let ends = move |at: usize| {
        let plural = text[at..].starts_with(['s', 'S']).then_some(at + 1);
        goes_on || is_edge(text, at) || plural.is_some_and(|at| is_edge(text, at))
    };
    windows
        .filter(|(_, window)| window.eq_ignore_ascii_case(stem.as_bytes()))
        .map(|(at, _)| at)
        .filter(move |at| is_edge(text, *at) && ends(at + stem.len()))
}

/// Whether a word begins or ends at this position. `AccessToken` is two words.
fn is_edge(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at(at);
    let mut next = after.chars();
    let (Some(last), Some(first)) = (before.chars().next_back(), next.next()) else { return true };
    let hump = first.is_uppercase()
        && (last.is_lowercase() || next.next().is_some_and(char::is_lowercase));
    !last.is_alphanumeric() || !first.is_alphanumeric() || hump
}

/// Whether a program or a contract is to be upgraded.
fn speaks_of_product(text: &str) -> bool {
    let other = [
        "upgrade your",
        "upgrade the ",
        "upgrade of ",
        "upgrade to a ",
        "upgrade to version",
        "upgrade plan",
        "please upgrade to",
    ];
    let text = text.to_ascii_lowercase();
    !text.contains("websocket") && other.iter().any(|words| text.contains(words))
}

/// Whether the Origin header is meant, not the server behind a CDN.
fn speaks_of_origin(text: &str) -> bool {
    let word = |at: usize| {
        let after = text[at + "origin".len()..].to_ascii_lowercase();
        let server = [" server", " web server", " host", " dns", " is unreachable", " error"];
        !server.iter().any(|word| after.starts_with(word))
    };
    // The text of a refusal has one of these words. In other texts, "origin" may be that of a
    // product.
    let refuses = [
        "allow*",
        "disallow*",
        "not permitted",
        "permit*",
        "forbidden",
        "accept*",
        "invalid",
        "bad",
        "missing",
        "required",
        "requires",
        "must",
        "check*",
        "header",
        "mismatch",
        "match*",
        "denied",
        "deny",
        "reject*",
        "refus*",
        "trust*",
        "untrusted",
        "unknown",
        "wrong",
        "cross",
        "origins",
        "whitelist*",
        "allowlist*",
        "block*",
        "expected",
        "unexpected",
        "illegal",
        "authoriz*",
        "unauthoriz*",
    ];
    let refused = refuses.iter().any(|word| says(text, word)) || text.contains("ORIGIN");
    places(text, "origin").any(word) && refused || says(text, "cors")
}

/// Whether a TLS server says that it received plain HTTP.
pub fn wants_tls(body: &[u8]) -> bool {
    let (_, phrases) = PHRASES[0];
    phrases[..4].iter().any(|phrase| contains_word(body, phrase))
}

/// The most characters of a page that are shown.
const PAGE_SHOWN: usize = 1000;

/// The text of an HTML page, without tags and scripts, up to a limit; `None` if it is not HTML.
pub fn page_text(body: &[u8]) -> Option<String> {
    if !matches!(body.trim_ascii_start(), [b'<', b'!' | b'?' | b'a'..=b'z' | b'A'..=b'Z', ..]) {
        return None;
    }
    let text = words(body);
    let mut shown: String = text.chars().take(PAGE_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push_str(" …");
    }
    Some(shown)
}

/// The readable text of a body: HTML without tags and scripts, or the texts of JSON.
pub(super) fn words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let trimmed = text.trim_start();
    let plain = match trimmed.chars().next() {
        Some('<') => match without_tags(trimmed) {
            empty if empty.trim().is_empty() => noscript(trimmed).unwrap_or_default(),
            text => text,
        },
        Some('{' | '[' | '"') => match serde_json::from_str(trimmed) {
            Ok(value) => spoken(&value, ""),
            Err(_) => trimmed.replace(['{', '}', '[', ']', '"'], " "),
        },
        _ => trimmed.to_owned(),
    };
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text that a page without any other text shows to clients without scripts. A text about
/// scripts says nothing about the request.
fn noscript(html: &str) -> Option<String> {
    let at = html.to_ascii_lowercase().find("<noscript")?;
    let inner = html[at..].split_once('>')?.1;
    let text = without_tags(&inner[..inner.to_ascii_lowercase().find("</noscript")?]);
    (!text.to_ascii_lowercase().contains("javascript")).then_some(text)
}

/// The texts in a JSON value. The name of a member counts only if its text says something about it:
/// a `connectionId` that contains an id is not missing.
fn spoken(value: &Value, name: &str) -> String {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| spoken(value, name)).collect::<Vec<_>>().join(" ")
        }
        Value::Array(list) => {
            list.iter().map(|value| spoken(value, name)).collect::<Vec<_>>().join(" ")
        }
        Value::String(text) => {
            let id = !text.contains(' ')
                && (text.contains(|c: char| c.is_ascii_digit()) || !is_vague(text));
            if id { text.clone() } else { format!("{name} {text}") }
        }
        Value::Null | Value::Bool(_) => name.to_owned(),
        Value::Number(_) => String::new(),
    }
}

/// Whether a text says that the path is unknown.
pub(super) fn names_path(text: &str) -> bool {
    let unknown = [
        "not found",
        "cannot",
        "can't",
        "could not",
        "couldn't",
        "unable",
        "no",
        "does not",
        "doesn't",
        "unknown",
        "not match*",
        "not exist",
        "isn't",
        "404",
        "missing",
        "gone",
    ];
    let words = [
        "path",
        "route*",
        "page",
        "webpage",
        "url",
        "uri",
        "cannot get",
        "resource",
        "endpoint",
        "handler",
        "file",
    ];
    // The version of an API is another part of the request, even if it stands in the path.
    let version = says(text, "version");
    let says = |words: &[&str]| words.iter().any(|word| says(text, word));
    says(&words) && says(&unknown) && !version
}

/// Whether a text contains the path as whole words, in any letter case. The path `/` does not
/// count.
pub(super) fn names(text: &str, path: &str) -> bool {
    let (text, path) = (text.to_ascii_lowercase(), path.to_ascii_lowercase());
    let path = path.trim_end_matches('/');
    let goes_on = |c: char| c.is_alphanumeric() || "/_-".contains(c);
    let mut places =
        text.match_indices(path).map(|(at, _)| (&text[..at], &text[at + path.len()..]));
    path.len() > 1
        && places.any(|(before, after)| !before.ends_with(goes_on) && !after.starts_with(goes_on))
}

/// Texts in front of the path on a page of "not found", in lower case.
const PATH_MARKS: [&str; 10] = [
    "cannot get ",
    "no route found for get ",
    "route get:",
    "no route matches [get] ",
    "\"path\":\"",
    "requested url ",
    "the requested resource [",
    "the current path, ",
    "request path: ",
    "uri:</th><td>",
];

/// The requested path as the page names it, without its query.
pub(super) fn named_path(body: &[u8]) -> Option<String> {
    let text = decoded(String::from_utf8_lossy(body).into_owned());
    // The positions in both texts are equal, because only ASCII letters change their case.
    let lower = text.to_ascii_lowercase();
    PATH_MARKS.iter().find_map(|mark| {
        let at = lower.find(mark)?;
        // Inside an inner object or a list, the member describes something else.
        if mark.starts_with('"') && !(is_outermost(&text[..at]) && text.contains("404")) {
            return None;
        }
        let rest = text[at + mark.len()..].trim_start_matches(['"', '\'', '`', ' ']);
        let rest = rest.strip_prefix("<code>").unwrap_or(rest);
        let end = rest.find(|c: char| c.is_whitespace() || "\"'<>?`]),".contains(c));
        let path = &rest[..end.unwrap_or(rest.len())];
        path.starts_with('/').then(|| path.to_owned())
    })
}

/// Whether the text after `before` is in the outermost object of JSON.
fn is_outermost(before: &str) -> bool {
    let count = |marks: [char; 2]| before.matches(marks).count();
    before.trim_start().starts_with('{') && count(['{', '[']) == count(['}', ']']) + 1
}

/// The text with the characters in place of HTML's entities.
fn decoded(text: String) -> String {
    [
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&apos;", "'"),
        ("&rsquo;", "'"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#x2F;", "/"),
        ("&#47;", "/"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&nbsp;", " "),
        ("&copy;", "©"),
        ("&#32;", " "),
        ("&#35;", "#"),
        ("&#46;", "."),
        ("&#58;", ":"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(text, |text, (from, to)| text.replace(from, to))
}

/// The names of JSON members that contain the reason. The best name is first.
const SENTENCES: [&str; 13] = [
    "message",
    "error_description",
    "detail",
    "details",
    "description",
    "reason",
    "msg",
    "error",
    "title",
    "faultstring",
    "value",
    "code",
    "status",
];

/// The sentence in a JSON body: the first text in a member with such a name. If there is none, the
/// first word that says more than the status. Also the code and the message of an error in XML.
pub(super) fn sentence(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start();
    if !text.starts_with('{') {
        return xml_error(text);
    }
    let of = |wanted: fn(&str) -> bool| {
        let mut names = SENTENCES.iter();
        names.find_map(|name| members(text, name).find(|value| wanted(value)))
    };
    // problem+json has both a title and a detail (RFC 9457 §3.1).
    let titled = |sentence: String| {
        let mut titles =
            members(text, "title").filter(|title| !is_vague(title) && *title != sentence);
        match titles.next() {
            Some(title) => format!("{title}: {sentence}"),
            None => sentence,
        }
    };
    of(|value| value.contains(' ') && !is_vague(value))
        .map(|sentence| titled(placed(text, sentence)))
        // For example `{"errors":{"token":["is required"]}}`.
        .or_else(|| {
            let mut found = Vec::new();
            sentences(&serde_json::from_str(text).ok()?, "", &mut found);
            (!found.is_empty()).then(|| found.join("; "))
        })
        .or_else(|| of(|value| !is_vague(value)))
}

/// The code and the message of an error in XML, in the form of S3 and the services like it.
fn xml_error(text: &str) -> Option<String> {
    let root = match text.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>")?.1.trim_start(),
        None => text,
    };
    let inner = ["<Error>", "<Error ", "<ErrorResponse>", "<ErrorResponse "]
        .into_iter()
        .find_map(|start| root.strip_prefix(start))?;
    let of = |name: &str| {
        let (_, value) = inner.split_once(&format!("<{name}>"))?;
        let value = decoded(value.split("</").next()?.lines().next()?.trim().to_owned());
        (!value.is_empty()).then_some(value)
    };
    let message = of("Message");
    match (of("Code"), message) {
        (Some(code), Some(message)) if !is_vague(&message) => Some(format!("{code}: {message}")),
        (code, message) => message.or(code),
    }
}

/// The texts in a JSON value that have several words and give a reason, each after its name.
fn sentences(value: &Value, name: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| sentences(value, name, found));
        }
        Value::Array(list) => list.iter().for_each(|value| sentences(value, name, found)),
        Value::String(text) if text.contains(' ') && !is_vague(text) => {
            found.push(format!("{name} {text}"));
        }
        _ => {}
    }
}

/// The texts of the JSON members with this name, or with a name that ends with this word.
fn members<'a>(text: &'a str, name: &str) -> impl Iterator<Item = String> + 'a {
    let key = format!("{name}\"");
    let ends: Vec<usize> =
        text.to_ascii_lowercase().match_indices(&key).map(|(at, _)| at).collect();
    ends.into_iter().filter_map(move |at| {
        let whole = text[..at].ends_with(['"', '_', '-', '.']) || is_edge(text, at);
        let value = text[at + key.len()..].trim_start().strip_prefix(':')?.trim_start();
        // In a list, the first text counts.
        let value = value.strip_prefix('[').unwrap_or(value).trim_start();
        let string = value.strip_prefix('"').filter(|_| whole)?;
        let mut escaped = false;
        let end = string.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let raw = &string[..end.unwrap_or(string.len())];
        // In a body that was cut, the last string has no end.
        Some(serde_json::from_str(&format!("\"{raw}\"")).unwrap_or_else(|_| raw.to_owned()))
    })
}

/// A sentence together with the place of the wrong field, if the body has one.
fn placed(text: &str, sentence: String) -> String {
    let place = text.split_once("\"loc\":[").and_then(|(_, rest)| rest.split_once(']'));
    match place {
        Some((place, _)) if place.len() < 80 => {
            let place = place.replace(['"', ' '], "").replace(',', ".");
            format!("{place}: {sentence}")
        }
        _ => {
            let mut names = ["property", "field", "param", "parameter", "instancePath"].into_iter();
            let named = names.find_map(|name| members(text, name).next());
            let named = named.map(|name| name.trim_matches('/').replace('/', "."));
            match named.filter(|name| is_name(name) && !says(&sentence, name)) {
                Some(name) => format!("{name}: {sentence}"),
                None => sentence,
            }
        }
    }
}

/// Whether a text can be the name of a field.
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || "_-.[]".contains(c);
    !text.is_empty() && text.len() <= 40 && text.chars().all(fits)
}

/// The row with the application's own message on an error page of Tomcat or Jetty.
pub(super) fn message_row(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let lower = text.to_ascii_lowercase();
    [("<b>message</b>", "</p>"), ("message:</th><td>", "</td>")].into_iter().find_map(
        |(start, end)| {
            let at = lower.find(start)? + start.len();
            let row = &text[at..at + lower[at..].find(end)?];
            let row = without_tags(row).split_whitespace().collect::<Vec<_>>().join(" ");
            (!row.is_empty()).then_some(row)
        },
    )
}

/// The end of a block in the text of a page. It is white space, so [`words`] drops it.
const BLOCK: char = '\u{2029}';

/// The elements inside a sentence. Any other element ends it.
const INLINE: [&str; 24] = [
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "kbd", "mark", "q", "s",
    "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var",
];

/// The name of the element whose tag begins the text, in lower case.
fn element(tag: &str) -> String {
    let name = tag.trim_start_matches(['<', '/']);
    name.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

fn without_tags(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        out.push(if INLINE.contains(&element(rest).as_str()) { ' ' } else { BLOCK });
        let lower = rest.get(..7).unwrap_or_default().to_ascii_lowercase();
        let end = match lower.as_str() {
            _ if lower.starts_with("<style") => after(rest, "</style>"),
            "<noscri" => after(rest, "</noscript>"),
            // Every page of a site has the same navigation.
            _ if lower.starts_with("<nav") => after(rest, "</nav>"),
            // A header with an h1 contains the heading of the page.
            "<header" if !rest[..after(rest, "</header>")].contains("<h1") => {
                after(rest, "</header>")
            }
            "<footer" => after(rest, "</footer>"),
            "<script" => after(rest, "</script>"),
            _ => after(rest, ">"),
        };
        rest = &rest[end..];
    }
    out.push_str(rest);
    decoded(out)
}

fn after(text: &str, end: &str) -> usize {
    text.to_ascii_lowercase().find(end).map_or(text.len(), |at| at + end.len())
}

/// Sentences that servers and frameworks write for every refusal with a status. Sources: RFC 9110
/// as CherryPy and Tomcat quote it, Werkzeug, Apache and IIS.
const STOCK_SENTENCES: [&str; 30] = [
    "there is a problem with the resource you are looking for, and it cannot be displayed",
    "there is a problem with the page you are looking for, and it cannot be displayed",
    "the resource you are looking for might have been removed, had its name changed, or is temporarily unavailable",
    "the resource you are looking for has been removed, had its name changed, or is temporarily unavailable",
    "object not found",
    "exception inside application",
    "the server encountered an unexpected condition which prevented it from fulfilling the request",
    "the server encountered an unexpected condition that prevented it from fulfilling the request",
    "the server encountered an internal error and was unable to complete your request",
    "the server encountered an internal error or misconfiguration and was unable to complete your request",
    "either the server is overloaded or there is an error in the application",
    "server got itself in trouble",
    "invalid http request received",
    "the server encountered a temporary error and could not complete your request",
    "request forbidden by administrative rules",
    "the origin server did not find a current representation for the target resource or is not willing to disclose that one exists",
    "that's all i know",
    "the server could not verify that you are authorized to access the url requested",
    "this server could not verify that you are authorized to access the document requested",
    "you either supplied the wrong credentials (e.g. a bad password), or your browser doesn't understand how to supply the credentials required",
    "either you supplied the wrong credentials (e.g., bad password), or your browser doesn't understand how to supply the credentials required",
    "the request has not been applied because it lacks valid authentication credentials for the target resource",
    "the request has not been applied to the target resource because it lacks valid authentication credentials for that resource",
    "you don't have the permission to access the requested resource. it is either read-protected or not readable by the server",
    "you do not have permission to view this directory or page",
    "you don't have permission to access",
    "the server understood the request but refuses to authorize it",
    "the browser (or proxy) sent a request that this server could not understand",
    "the server cannot or will not process the request due to something that is perceived to be a client error",
    "the server is temporarily unable to service your request due to maintenance downtime or capacity problems",
];

/// A text without the stock sentences.
pub(super) fn without_stock(text: &str) -> String {
    STOCK_SENTENCES.iter().fold(text.replace('’', "'"), |mut text, sentence| {
        // The positions in both texts are equal, because only ASCII letters change their case.
        while let Some(at) = text.to_ascii_lowercase().find(sentence) {
            text.replace_range(at..at + sentence.len(), " ");
        }
        text
    })
}

/// The word before the reason of a page.
const REASON: &str = "reason:";

/// The text of an HTML page after its title, which is often only the name of the site. `None` if
/// there is no title, or no text after it.
pub(super) fn below_title(body: &[u8]) -> Option<String> {
    let rest = words(&after_title(body)?);
    (!rest.is_empty()).then_some(rest)
}

/// The page after its title. Before the title, there are only other tags.
fn after_title(body: &[u8]) -> Option<Vec<u8>> {
    const END: &[u8] = b"</title>";
    let at = body.windows(END.len()).position(|tag| tag.eq_ignore_ascii_case(END))?;
    Some([b"<p>", &body[at + END.len()..]].concat())
}

/// Phrases with which a server says that it has no service for now.
const UNAVAILABLE: [&str; 15] = [
    "temporarily unavailable",
    "currently unavailable",
    "service unavailable",
    "service is unavailable",
    "server is unavailable",
    "temporarily down",
    "temporarily offline",
    "under maintenance",
    "in maintenance",
    "down for maintenance",
    "closed for maintenance",
    "undergoing maintenance",
    "scheduled maintenance",
    "performing maintenance",
    "performing some maintenance",
];

/// Whether a text says that the service is unavailable for now.
pub(super) fn is_unavailable(text: &str) -> bool {
    let denied = ["no scheduled maintenance", "not under maintenance", "not in maintenance"];
    UNAVAILABLE.iter().any(|phrase| says(text, phrase))
        && !denied.iter().any(|phrase| says(text, phrase))
}

/// Whether a body is a JSON object that says that the request failed.
pub(super) fn is_error(body: &[u8]) -> bool {
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else { return false };
    let failed = |name: &str, value: &Value| match value {
        Value::String(text) => {
            let word = text.to_ascii_lowercase();
            let kind = ["error", "fail", "failed", "failure"].contains(&word.as_str());
            kind && ["status", "state", "result", "type", "kind"].contains(&name)
        }
        Value::Bool(value) => !value && ["success", "ok"].contains(&name),
        // A status of HTTP in the body, whatever the answer's own is.
        Value::Number(number) => {
            let error = number.as_u64().is_some_and(|code| (400..600).contains(&code));
            error && ["code", "status", "statuscode", "errcode"].contains(&name)
        }
        _ => false,
    };
    members.iter().any(|(name, value)| failed(&name.to_ascii_lowercase(), value))
}

/// Words with which a sentence says what failed or what is required, besides those that end in "n't".
const FAILS: [&str; 34] = [
    "not",
    "cannot",
    "no longer",
    "there is no",
    "no server",
    "unable to",
    "failed",
    "failure",
    "must",
    "required",
    "require*",
    "missing",
    "invalid",
    "expired",
    "denied",
    "refused",
    "rejected",
    "forbidden",
    "blocked",
    "filtered",
    "banned",
    "exceeded",
    "reached",
    "too many",
    "unavailable",
    "down for",
    "closed",
    "disabled",
    "suspended",
    "unsupported",
    "timed out",
    "stopped",
    "maintenance",
    "offline",
];

/// The first words of sentences that greet, apologise or advise.
const COURTESIES: [&str; 40] = [
    "welcome",
    "contact",
    "if you",
    "if this",
    "check",
    "try",
    "go back",
    "go home",
    "go to",
    "return",
    "visit",
    "thank*",
    "we apologi*",
    "sorry for",
    "you can",
    "you may",
    "let us",
    "need help",
    "learn",
    "have you",
    "for more",
    "see",
    "read",
    "refresh",
    "reload",
    "wait",
    "come back",
    "back to",
    "click",
    "hang on",
    "stay tuned",
    "we'll be",
    "we will be",
    "don't panic",
    "don't worry",
    "do not panic",
    "do not worry",
    "it's not you",
    "it is not you",
    "oops",
];

/// Words with which advice says what is required.
const REQUIRES: [&str; 5] = ["only", "through", "via", "vpn", "instead"];

/// Words about the request and what it needs. On a long page, a reason has one of them.
const REQUESTED: [&str; 50] = [
    "access",
    "account",
    "address",
    "api",
    "app",
    "application",
    "apps",
    "category",
    "certificate",
    "client",
    "connection",
    "country",
    "credential",
    "customer",
    "device",
    "domain",
    "endpoint",
    "gateway",
    "host",
    "identity",
    "ip",
    "key",
    "license",
    "licence",
    "limit",
    "login",
    "maintenance",
    "network",
    "origin",
    "permission",
    "plan",
    "policy",
    "project",
    "proxy",
    "quota",
    "region",
    "request",
    "requests",
    "room",
    "server",
    "service",
    "session",
    "site",
    "subscription",
    "token",
    "trial",
    "tunnel",
    "user",
    "website",
    "websocket",
];

/// The most sentences of a short page, which has no room for anything but the reason.
const FEW: usize = 2;

/// The most sentences of a page on which a failure needs no word about the request.
const SOME: usize = 4;

/// The reason that an HTML page gives: the sentences that say what failed or what is required. On a
/// long page, they must be about the request or stand right below the status. If there are none, a
/// short page is taken at its word in any language, but a greeting, an apology or advice is no
/// reason.
pub(super) fn reasons(body: &[u8]) -> Option<String> {
    let below = after_title(body).filter(|rest| !words(rest).is_empty());
    let text = String::from_utf8_lossy(below.as_deref().unwrap_or(body)).into_owned();
    let plain = match without_tags(&text) {
        empty if empty.trim().is_empty() => noscript(&text).unwrap_or_default(),
        plain => plain,
    };
    let all: Vec<String> = plain
        .split(BLOCK)
        .map(|block| block.split_whitespace().collect::<Vec<_>>().join(" "))
        .flat_map(|block| split(&block))
        .filter(|sentence| !sentence.is_empty())
        .collect();
    // A page may mark its reason with this word.
    let marked = |sentence: &String| {
        let start = sentence.get(..REASON.len()).filter(|start| start.eq_ignore_ascii_case(REASON));
        start.map(|start| sentence[start.len()..].trim().to_owned())
    };
    if let Some(reason) = all.iter().find_map(marked).filter(|reason| !is_vague(reason)) {
        return Some(reason);
    }
    let more: Vec<&String> =
        all.iter().filter(|sentence| !is_vague(&without_stock(sentence))).collect();
    let is_near = |at: usize| at > 0 && is_vague(&all[at - 1]);
    let fits = |at: usize, sentence: &str| {
        more.len() <= SOME || is_near(at) || REQUESTED.iter().any(|word| says(sentence, word))
    };
    let failing = all.iter().enumerate();
    let failing = failing.filter(|(at, sentence)| is_reason(sentence) && fits(*at, sentence));
    let mut told: Vec<&str> = failing.map(|(_, sentence)| sentence.as_str()).collect();
    let greets = || more.iter().any(|sentence| says(sentence, "welcome"));
    if told.is_empty() && more.len() <= FEW && !greets() {
        told = more.into_iter().map(String::as_str).filter(|sentence| is_said(sentence)).collect();
    }
    (!told.is_empty()).then(|| told.join(" "))
}

/// Whether the text of a short page is a whole sentence, and none that only greets or advises.
fn is_said(sentence: &str) -> bool {
    let whole = sentence.ends_with(['.', '!', '\u{3002}', '\u{ff01}', '\u{964}']);
    let requires = REQUIRES.iter().any(|word| says(sentence, word));
    whole && !is_about_page(sentence) && (!is_polite(sentence) || requires)
}

/// Whether a sentence only greets, apologises or advises.
fn is_polite(sentence: &str) -> bool {
    let begun = sentence.trim_start_matches(|c: char| !c.is_alphanumeric());
    let polite = begun.get(..7).filter(|word| word.eq_ignore_ascii_case("please "));
    let begun = if polite.is_some() { &begun[7..] } else { begun };
    COURTESIES.iter().any(|start| places(begun, start).next() == Some(0))
}

/// Whether a sentence repeats a status, as pages for any missing address do.
fn is_about_page(sentence: &str) -> bool {
    ["the page", "this page", "page you"].iter().any(|words| says(sentence, words))
}

/// The sentences of a text.
fn split(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    let ends = |rest: &str| {
        let mut marks = rest.match_indices(['.', '!', '?']).map(|(at, mark)| at + mark.len());
        marks.find(|at| {
            let mut next = rest[*at..].chars();
            next.next() == Some(' ') && next.next().is_some_and(|c| !c.is_lowercase())
        })
    };
    while let Some(at) = ends(rest) {
        found.push(rest[..at].to_owned());
        rest = rest[at..].trim_start();
    }
    found.push(rest.to_owned());
    found
}

/// Whether a sentence of a page says what failed or what is required. An apology may say that the
/// service is unavailable.
fn is_reason(sentence: &str) -> bool {
    let told = without_stock(sentence);
    let fails = told.contains("n't") || FAILS.iter().any(|phrase| says(&told, phrase));
    let fails = fails && !is_polite(&told) || is_unavailable(&told);
    !is_about_page(&told) && !told.ends_with('?') && !is_vague(&told) && fails
}

/// The most characters of a sentence that may be a reason.
const TELLING: usize = 160;

/// A short body's sentence, if it says more than the status.
pub(super) fn telling(body: &[u8], status: u16) -> Option<String> {
    let named = exception(body).or_else(|| sentence(body));
    let page = named.is_none() && page_text(body).is_some();
    let text = named.or_else(|| below_title(body)).unwrap_or_else(|| words(body));
    let known = [VAGUE, phrase(status).as_bytes()].join(&b" "[..]);
    let told = !text.is_empty()
        && text.chars().count() <= TELLING
        && !is_bare(&without_stock(&text), status, &known);
    if page { reasons(body).filter(|_| told) } else { told.then_some(text) }
}

/// The error that the challenge of an answer names in the credentials (RFC 6750 §3).
pub(super) fn challenge(head: &Head) -> Option<&[u8]> {
    let value = head.get("WWW-Authenticate")?;
    [&b"error_description=\""[..], b"error=\""].into_iter().find_map(|name| {
        let at = value.windows(name.len()).position(|text| text == name)? + name.len();
        let end = value[at..].iter().position(|byte| *byte == b'"')?;
        Some(&value[at..at + end])
    })
}

/// The registered words for a status, and the usual words of pages for it.
pub(super) fn phrase(status: u16) -> &'static str {
    match status {
        400 => "bad request",
        401 => "unauthorized authorization required",
        402 => "payment required",
        403 => "forbidden access denied",
        404 => "not found",
        405 => "method not allowed",
        408 => "request timeout",
        426 => "upgrade required",
        429 => "too many requests",
        500 => "internal server error",
        501 => "not implemented",
        502 => "bad gateway",
        503 => "service temporarily unavailable",
        504 => "gateway timeout time out",
        _ => "",
    }
}

/// The status and the beginning of an error or a page of an HTTP server whose head is missing, as in
/// `Error 404: Not Found`. Only an error that is told with its registered words has a status.
pub(super) fn headless(bytes: &[u8]) -> Option<(Option<u16>, String)> {
    let text = String::from_utf8_lossy(bytes);
    let lower = text.trim_start().to_ascii_lowercase();
    let is_page = ["<!doctype html", "<html"].iter().any(|start| lower.starts_with(start));
    let line = text.trim().lines().next()?.trim();
    // The text of a page may be about another status.
    let title = lower.split_once("<title>").and_then(|(_, rest)| Some(rest.split_once('<')?.0));
    let (searched, most) = match title.filter(|_| is_page) {
        Some(title) => (title, title.len()),
        None if is_page => (&*lower, BEFORE_BODY),
        None => (line, BEFORE_STATUS),
    };
    let status = searched.char_indices().take(most).find_map(|(at, _)| {
        let (before, rest) = searched.split_at(at);
        let code: u16 = rest.get(..3)?.parse().ok()?;
        let alone = !before.ends_with(|c: char| c.is_ascii_alphanumeric());
        let words = rest.get(3..)?.trim_start_matches([' ', ':', '-']).to_ascii_lowercase();
        let word = words.split(|c: char| !c.is_ascii_alphabetic()).next()?;
        let known = phrase(code).split(' ').next().is_some_and(|known| known == word);
        let letters = is_page || !before.contains(|c: char| !c.is_ascii_alphabetic() && c != ' ');
        (alone && letters && known && !word.is_empty()).then_some(code)
    });
    (is_page || status.is_some()).then(|| (status, line.chars().take(80).collect()))
}

/// The most characters before the status in a page without a title.
const BEFORE_BODY: usize = 200;

/// The most characters before the status in a line, as in `HTTP Error 404`.
const BEFORE_STATUS: usize = 16;

/// Whether a refusal gives a reason that another subprotocol would not change.
pub fn gives_reason(body: &[u8], status: u16) -> bool {
    telling(body, status)
        .is_some_and(|told| !subject(&told).is_some_and(|(about, _)| about == Subject::Subprotocol))
}

/// The most characters of an exception that are read.
const EXCEPTION: usize = 300;

/// The beginnings of the lines of a stack, which follow the exception.
const STACKS: [&str; 4] = ["\n    at ", "\n\tat ", "<br> &nbsp; &nbsp;at ", "<br>    at "];

/// The exception on a page with a stack, as frameworks show it in development.
pub(super) fn exception(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    // PHP prints the exception before the file and the line.
    if let Some((_, raised)) = text.split_once("Uncaught ").filter(|_| text.contains("Fatal error"))
    {
        let line = raised.split(" in /").next().unwrap_or_default();
        return Some(decoded(line.lines().next()?.chars().take(EXCEPTION).collect()));
    }
    let line = match text.split_once("Traceback (most recent call last)") {
        // Python prints the exception after its stack, in the only line without an indent.
        Some((_, stack)) => {
            let mut lines = stack.lines().skip(1);
            lines.find(|line| line.starts_with(|c: char| c.is_alphabetic()))?
        }
        None => {
            let above = STACKS.iter().filter_map(|mark| text.find(mark)).min()?;
            text[..above].rsplit(['\n', '>']).next()?
        }
    };
    let line = line.split('<').next().unwrap_or_default();
    let line = decoded(line.chars().take(EXCEPTION).collect());
    let (name, says) = line.split_once(": ")?;
    let named = name.ends_with("Error") || name.ends_with("Exception");
    (named && !name.contains(' ') && !says.trim().is_empty()).then(|| line.trim().to_owned())
}

/// Words that give no reason for a refusal.
pub(super) const VAGUE: &[u8] = b"nothing here there to see nope no not none empty found sorry lost missing endpoint default backend an a is are was this your you not allowed permitted access denied forbidden rejected refused \
    unauthorized bad invalid internal fail failed failure unknown unexpected something went wrong occurred \
    please try again later handshake connection websocket connect unable to client contact support browser or \
    proxy sent that could understand resource requested server got itself in trouble s all i know we re n \
    problem problems happened page go home back what happened oh oops hello world it works in seconds minutes a few moments";

/// Whether a text contains only words that give no reason.
pub(super) fn is_vague(text: &str) -> bool {
    is_bare(text, 0, VAGUE)
}

/// Words that say no more than a status does.
const EMPTY: &[&str] = &[
    "error",
    "status",
    "statuscode",
    "code",
    "message",
    "page",
    "detail",
    "details",
    "title",
    "reason",
    "http",
    "nginx",
    "openresty",
    "apache",
    "tomcat",
    "jetty",
    "undertow",
    "glassfish",
    "debian",
    "ubuntu",
    "microsoft",
    "iis",
    "eclipse",
    "powered",
    "by",
    "report",
    "server",
    "success",
    "false",
    "true",
    "the",
    "request",
    "response",
    "msg",
    "type",
    "null",
    "ok",
    "problem",
    "description",
    "at",
    "port",
    "sorry",
    "oops",
    "timestamp",
    "path",
    "instance",
    "method",
    "get",
    "id",
    "requestid",
    "traceid",
    "trace",
    "uri",
    "url",
];

/// Whether a text says no more than its status and the known words, such as the reason phrase and
/// the path.
pub(super) fn is_bare(text: &str, status: u16, known: &[u8]) -> bool {
    let known = String::from_utf8_lossy(known).to_ascii_lowercase();
    let known: Vec<&str> = known.split(|c: char| !c.is_alphanumeric()).collect();
    let number = status.to_string();
    text.to_ascii_lowercase().split(|c: char| !c.is_alphanumeric()).all(|word| {
        word.is_empty()
            || word == number
            || known.contains(&word)
            || EMPTY.contains(&word)
            // Numbers, times and ids say nothing more.
            || word.chars().any(|c| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(body: &str) -> Option<Subject> {
        subject(&words(body.as_bytes())).map(|(subject, _)| subject)
    }

    #[test]
    fn servers_are_taken_at_their_word() {
        for (body, wanted) in [
            ("Cross origin websockets not allowed", Some(Subject::Origin)),
            ("https://evil.example is not an accepted origin.", Some(Subject::Origin)),
            ("{\"error\":\"Origin not allowed\"}", Some(Subject::Origin)),
            ("missing subprotocol.", Some(Subject::Subprotocol)),
            ("Unsupported version: 12", Some(Subject::Version)),
            ("Connection ID required", Some(Subject::Session)),
            (
                "Host header is specified and is not an IP address or localhost.",
                Some(Subject::Host),
            ),
            ("Blocked request. This host (\"x\") is not allowed.", Some(Subject::Host)),
            ("Invalid Host header", Some(Subject::Host)),
            ("Can \"Upgrade\" only to \"WebSocket\".", Some(Subject::Upgrade)),
            (
                "No WebSocket UPGRADE hdr: None\n Can \"Upgrade\" only to \"WebSocket\".",
                Some(Subject::Upgrade),
            ),
            (
                "Failed to open a WebSocket connection: missing Sec-WebSocket-Key header.\n",
                Some(Subject::Key),
            ),
            ("{\"error\":{\"message\":\"Invalid API key\"}}", Some(Subject::Credentials)),
            (
                "<!DOCTYPE html><html><head><style>a.origin{}</style></head><body><pre>Cannot GET /ws</pre></body></html>",
                Some(Subject::Path),
            ),
            (
                "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head>",
                Some(Subject::Tls),
            ),
            ("Web server is down. The origin web server is not reachable", None),
            ("the original request", None),
            ("Bad Request", None),
        ] {
            assert_eq!(about(body), wanted, "{body}");
        }
    }

    #[test]
    fn json_has_a_sentence() {
        for (body, wanted) in [
            (
                r#"{"statusCode":400,"code":"X","error":"Bad Request","message":"needs \"room\", a name"}"#,
                Some("needs \"room\", a name"),
            ),
            (r#"{"error":{"code":7,"message":"key is revoked"}}"#, Some("key is revoked")),
            (r#"{ "error" : "no such room" }"#, Some("no such room")),
            (r#"{"message":"Forbidden"}"#, None),
            (r#"{"message":"cut in the mid"#, Some("cut in the mid")),
            (r#"{"message":7,"title":"#, None),
            ("no such room", None),
        ] {
            assert_eq!(sentence(body.as_bytes()).as_deref(), wanted, "{body}");
        }
    }

    #[test]
    fn a_body_that_repeats_its_status_says_nothing() {
        let bare = |body: &str, status, reason: &str| {
            is_bare(&words(body.as_bytes()), status, reason.as_bytes())
        };
        assert!(bare("", 400, "Bad Request"));
        assert!(bare("Bad Request\n", 400, "Bad Request"));
        assert!(bare(
            "<html><title>400 Bad Request</title><hr>nginx/1.22.1</html>",
            400,
            "Bad Request"
        ));
        assert!(bare("{\"message\":\"Forbidden\",\"statusCode\":403}", 403, "Forbidden"));
        assert!(!bare("wrong room", 400, "Bad Request"));
    }

    #[test]
    fn a_page_names_the_path_that_its_server_was_asked_for() {
        for (body, wanted) in [
            ("<pre>Cannot GET /wrong</pre>", Some("/wrong")),
            ("no route found for GET /socket (AppWeb.Router)", Some("/socket")),
            ("{\"message\":\"Route GET:/a/b?x=1 not found\"}", Some("/a/b")),
            ("<h2>No route matches [GET] &quot;/cable&quot;</h2>", Some("/cable")),
            ("{\"status\":404,\"path\":\"/ws\"}", Some("/ws")),
            ("{\"path\":\"/ws\",\"status\":404}", Some("/ws")),
            ("<pre>Cannot GET /a&amp;b</pre>", Some("/a&b")),
            ("{\"status\":404,\"errors\":[{\"path\":\"/name\"}]}", None),
            ("{\"detail\":{\"code\":404,\"path\":\"/name\"}}", None),
            ("{\"error\":\"no such user\",\"path\":\"/name\"}", None),
            ("Requested URL /nope not found", Some("/nope")),
            ("The requested URL was not found on this server.", None),
            ("404 page not found", None),
            ("cannot get ", None),
        ] {
            assert_eq!(named_path(body.as_bytes()).as_deref(), wanted, "{body}");
        }
    }

    #[test]
    fn a_stack_has_its_exception() {
        for (body, wanted) in [
            (
                "<pre>Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\n    ^^^\nws4py.exc.HandshakeError: Header Upgrade is not defined\n</pre>",
                Some("ws4py.exc.HandshakeError: Header Upgrade is not defined"),
            ),
            (
                "<title>Error</title><pre>TypeError: Cannot read &quot;sid&quot;<br> &nbsp; &nbsp;at f (/a.js:1:2)</pre>",
                Some("TypeError: Cannot read \"sid\""),
            ),
            (
                "java.lang.IllegalStateException: no session\n\tat com.example.A.b(A.java:3)\n",
                Some("java.lang.IllegalStateException: no session"),
            ),
            ("Meet us\n    at the station", None),
            ("Traceback (most recent call last)", None),
            ("Error: a word", None),
        ] {
            assert_eq!(exception(body.as_bytes()).as_deref(), wanted, "{body}");
        }
    }

    #[test]
    fn a_page_is_more_than_its_title() {
        let page =
            b"<!DOCTYPE html><html><head><title>My Site</title></head><body><noscript>My Site \
                     requires JavaScript.</noscript><h1>403 : Forbidden</h1></body>";
        assert_eq!(below_title(page).as_deref(), Some("403 : Forbidden"));
        assert_eq!(below_title(b"<title>Not Found</title>"), None);
        assert_eq!(below_title(b"no room"), None);
    }

    #[test]
    fn an_error_in_xml_is_its_code_and_message() {
        let of = |body: &str| sentence(body.as_bytes());
        let missing = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code>\
                       <Message>The specified key does not exist.</Message><Key>chat</Key>\
                       <RequestId>7Q2X</RequestId></Error>";
        assert_eq!(of(missing).as_deref(), Some("NoSuchKey: The specified key does not exist."));
        let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        assert_eq!(of(denied).as_deref(), Some("Access Denied"));
        for other in ["<Error>", "<html><Error><Message>a b</Message>", "<Errors><Message>x y"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn a_sentence_of_a_page_is_a_reason_if_it_says_what_failed_or_is_required() {
        for (page, wanted) in [
            (
                "<h1>Acme</h1><p>Deploy faster.</p><p>The room is closed.</p>",
                Some("The room is closed."),
            ),
            (
                "<h1>Sorry!</h1><p>Your trial has expired. Please contact support.</p>",
                Some("Your trial has expired."),
            ),
            ("<p>You must use the <b>mobile</b> app.</p>", Some("You must use the mobile app.")),
            ("<h1>Welcome to Acme</h1><p>The realtime platform for everyone</p>", None),
            ("<h1>Oops!</h1><p>Please check back soon.</p>", None),
            ("<p>The page you were looking for doesn't exist.</p>", None),
            ("<p>If this is not what you expected, contact support.</p>", None),
            ("<title>The room is closed</title><p>Deploy faster</p>", None),
            (
                "<noscript>The endpoint a.example is offline.</noscript>",
                Some("The endpoint a.example is offline."),
            ),
            ("<noscript>JavaScript is required.</noscript><div></div>", None),
        ] {
            assert_eq!(reasons(page.as_bytes()).as_deref(), wanted, "{page}");
        }
    }

    #[test]
    fn a_short_page_is_taken_at_its_word() {
        for (text, quoted) in [
            ("Room 7 is full.", true),
            ("Der Raum ist voll.", true),
            ("Please use the VPN.", true),
            ("Go through the VPN, direct access is not permitted.", true),
            ("Only employees may use this service.", true),
            ("Wrong region.", true),
            ("Your plan allows 3 seats only.", true),
            ("Please contact support.", false),
            ("Please try again later.", false),
            ("Go back to the home page.", false),
            ("Thank you for your patience.", false),
            ("Don't panic.", false),
            ("It is not you, it is us.", false),
            ("Are you lost?", false),
            ("Welcome to Acme.", false),
            ("The realtime platform for everyone", false),
        ] {
            let page = format!("<title>Acme</title><h1>Sorry</h1><p>{text}</p>");
            let wanted = quoted.then_some(text);
            assert_eq!(reasons(page.as_bytes()).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn a_reason_on_a_long_page_is_about_the_request() {
        let more = "<h2>Acme</h2><p>Deploy faster.</p><p>Loved by teams.</p><p>Since 1999.</p>";
        for (text, quoted) in [
            ("We do not sell your data.", false),
            ("It is not magic, it is Acme.", false),
            ("Fields marked * are required.", false),
            ("Our office is closed on Sundays.", false),
            ("Don't panic.", false),
            ("Reproduction not permitted.", false),
            ("Your account is suspended.", true),
            ("This room is closed.", true),
        ] {
            let page = format!("<title>Acme</title>{more}<p>{text}</p>");
            let wanted = quoted.then_some(text);
            assert_eq!(reasons(page.as_bytes()).as_deref(), wanted, "{text}");
        }
        let page = format!("<h1>Access denied</h1><p>Bots are not welcome here.</p>{more}");
        assert_eq!(reasons(page.as_bytes()).as_deref(), Some("Bots are not welcome here."));
    }

    #[test]
    fn any_body_has_words() {
        for odd in [
            "<noscript",
            "<noscript>",
            "<?xml",
            "<Error><Code>",
            "<",
            "<style",
            "<script><",
            "{\"",
            "&amp",
            "<\u{e9}\u{e9}\u{e9}\u{e9}>",
            "\u{feff}<a",
        ] {
            let _ = subject(&words(odd.as_bytes()));
            let _ = (exception(odd.as_bytes()), below_title(odd.as_bytes()));
            let _ = (reasons(odd.as_bytes()), sentence(odd.as_bytes()));
        }
    }
}
