//! Describes a run without doing it: `--dry-run`, and `--curl` as a command for another program.
//!
//! It makes text from the resolved configuration and the exact bytes of the request, and opens no
//! connection. Every secret is shown as `…`, or in a command as a shell variable, unless
//! `--show-secrets` is given.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::Range;

use super::from_curl;
use crate::net::target::Target;
use crate::ui::redact::Redactor;
use crate::ui::sanitize;
use crate::wire::head::Head;

/// A possible connection. It has no `Debug`, because options may be secrets.
#[derive(Clone, Copy)]
pub struct ConnectPlan<'a> {
    /// The URL.
    pub target: &'a Target,
    /// The request, byte for byte.
    pub request: &'a Head,
    /// The route to the server.
    pub way: &'a PlannedRoute,
    /// The given options about the connection, with their long names and values. Options that curl
    /// has, too, go into its command; the others get a note. Flags have no value.
    pub options: &'a [(&'a str, Option<String>)],
}

/// The route to the server. It has no `Debug`, because a proxy's URL may contain a password.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PlannedRoute {
    /// The addresses of `--resolve`; empty for a lookup.
    pub addresses: Vec<SocketAddr>,
    /// The destination of `--connect-to`, as `host:port`.
    pub connect_to: Option<String>,
    /// The socket of `--unix-socket`.
    pub unix_socket: Option<String>,
    /// The proxy's URL, which may have a user and password.
    pub proxy: Option<String>,
    /// The source of the decision about a proxy: `--proxy`, `https_proxy`, `no_proxy`.
    pub decided_by: Option<String>,
    /// The name in TLS (SNI), if it differs from the URL's host.
    pub server_name: Option<String>,
}

/// The output of `--dry-run`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRun {
    /// The destination and the route, one sentence each, for stderr.
    pub notes: Vec<String>,
    /// The head of the request, for stdout: exactly the bytes that would be sent, except for hidden
    /// secrets. Each connection has a new key.
    pub head: Vec<u8>,
}

/// An equivalent curl command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurlCommand {
    /// The command, for a POSIX shell, on several lines.
    pub command: String,
    /// What the command can't express.
    pub notes: Vec<String>,
}

impl ConnectPlan<'_> {
    /// Describes the request, and its destination.
    pub fn dry_run(&self, redactor: &Redactor) -> DryRun {
        let Self { target, way, .. } = self;
        let redactor = self.redactor(redactor);
        let place = |host: &str, port: u16| match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        let server = way.connect_to.clone().unwrap_or_else(|| place(&target.host, target.port));
        let mut notes = Vec::new();
        let because = way.decided_by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
        if let Some(path) = &way.unix_socket {
            notes.push(format!("would connect to the socket {path}"));
        } else if let Some(proxy) = &way.proxy {
            let proxy = redactor.text(proxy);
            notes.push(format!("would connect to {server} through the proxy {proxy}{because}"));
        } else if way.addresses.is_empty() {
            notes.push(format!("would resolve and connect to {server}{because}"));
        } else {
            let list: Vec<String> = way.addresses.iter().map(ToString::to_string).collect();
            notes.push(format!("would connect to {server} at {}{because}", list.join(", ")));
        }
        if target.secure {
            let name = way.server_name.as_deref().unwrap_or(&target.host);
            notes.push(format!("would send {name} as SNI"));
        }
        let hides = !redactor.spans_of_head(self.request).is_empty()
            || way.proxy.as_ref().is_some_and(|proxy| !redactor.spans(proxy.as_bytes()).is_empty());
        if hides {
            notes.push("secrets are replaced by …; --show-secrets shows them".to_owned());
        }
        let notes = notes.iter().map(|note| sanitize::escaped(note.as_bytes())).collect();
        DryRun { notes, head: redactor.head(self.request).raw().to_vec() }
    }

    /// The curl command that sends the same request by the same route.
    ///
    /// curl puts Host first and its own header where it always does, so the order may differ.
    pub fn curl(&self, redactor: &Redactor) -> CurlCommand {
        let Self { target, request, way, options } = self;
        let redactor = self.redactor(redactor);
        let spans = redactor.spans_of_head(request);
        let mut secrets = ShellSecrets::default();
        let mut notes = Vec::new();
        let mut lines = vec!["curl -i -N --http1.1".to_owned()];
        for field in request.headers() {
            let name = String::from_utf8_lossy(field.name);
            // curl sends the same header itself.
            if name.eq_ignore_ascii_case("host") && field.value == target.host_header.as_bytes() {
                continue;
            }
            let at = field.value_at.start;
            let inside = spans.iter().filter(|span| field.value_at.contains(&span.start));
            let inside = inside.map(|span| span.start - at..span.end.min(field.value_at.end) - at);
            let word = match field.value.is_empty() {
                true => quoted(&format!("{name};")),
                false => {
                    let mut parts = vec![WordPart::Plain(format!("{name}: "))];
                    parts.extend(secrets.parts(field.value, inside, &name));
                    shell_word(parts)
                }
            };
            lines.push(format!("-H {word}"));
        }
        for usual in ["Host", "User-Agent", "Accept"] {
            if request.get(usual).is_none() {
                lines.push(format!("-H {}", quoted(&format!("{usual}:"))));
            }
        }
        let mut word = |text: &str, spans: Vec<Range<usize>>, label: &str| {
            shell_word(secrets.parts(text.as_bytes(), spans, label))
        };
        for (name, value) in *options {
            if !from_curl::is_option_of_curl(name) {
                notes.push(format!("--{name} is omitted: curl does not have it"));
                continue;
            }
            // The options that are headers have been written above.
            if matches!(*name, "user" | "bearer" | "cookie" | "proxy") {
                continue;
            }
            lines.push(match value {
                None => format!("--{name}"),
                Some(value) => {
                    let spans = match *name == "proxy-user" && !redactor.shows_all() {
                        true => std::iter::once(0..value.len()).collect(),
                        false => redactor.spans(value.as_bytes()),
                    };
                    format!("--{name} {}", word(value, spans, &format!("--{name}")))
                }
            });
        }
        if let Some(proxy) = &way.proxy {
            // With -p, curl also opens a tunnel for http URLs, which a WebSocket needs.
            let spans = redactor.spans(proxy.as_bytes());
            lines.push(format!("--proxytunnel --proxy {}", word(proxy, spans, "the proxy")));
        }
        let scheme = if target.secure { "https" } else { "http" };
        let url = format!("{scheme}://{}{}", target.host_header, target.resource_name);
        lines.push(word(&url, redactor.spans(url.as_bytes()), "the URL"));
        notes.extend(secrets.note());
        CurlCommand { command: lines.join(" \\\n  "), notes }
    }

    /// A redactor that knows the secrets of the request, and writes them as `…`.
    fn redactor(&self, redactor: &Redactor) -> Redactor {
        let mut redactor = redactor.brief();
        redactor.learn_head(self.request);
        redactor
    }
}

/// A piece of a shell word.
enum WordPart {
    /// Plain text.
    Plain(String),
    /// A variable of this name.
    Variable(String),
}

/// The secrets of a command, each with its variable and its description. It has no `Debug`.
#[derive(Default)]
struct ShellSecrets(Vec<(Vec<u8>, String, String)>);

impl ShellSecrets {
    /// A text with a variable in place of each secret. A secret has one variable, even if it occurs
    /// several times.
    fn parts(
        &mut self,
        text: &[u8],
        spans: impl IntoIterator<Item = Range<usize>>,
        label: &str,
    ) -> Vec<WordPart> {
        let plain = |bytes: &[u8]| WordPart::Plain(String::from_utf8_lossy(bytes).into_owned());
        let (mut parts, mut done) = (Vec::new(), 0);
        for span in spans {
            parts.push(plain(&text[done..span.start]));
            parts.push(WordPart::Variable(self.name(&text[span.clone()], label)));
            done = span.end;
        }
        parts.push(plain(&text[done..]));
        parts
    }

    fn name(&mut self, secret: &[u8], label: &str) -> String {
        if let Some((_, name, _)) = self.0.iter().find(|(known, ..)| known == secret) {
            return name.clone();
        }
        let name = format!("WSCOPE_SECRET_{}", self.0.len() + 1);
        self.0.push((secret.to_vec(), name.clone(), label.to_owned()));
        name
    }

    /// The note on the variables that the user must set.
    fn note(&self) -> Option<String> {
        let set: Vec<_> =
            self.0.iter().map(|(_, name, label)| format!("{name} ({label})")).collect();
        (!set.is_empty()).then(|| {
            format!(
                "the command takes secrets from shell variables: set {} first, or add \
                 --show-secrets",
                set.join(", ")
            )
        })
    }
}

/// A word of a POSIX shell with variables: in one pair of double quotes if no character has a
/// special meaning there, otherwise in pieces.
fn shell_word(parts: Vec<WordPart>) -> String {
    let is_plain = |part: &WordPart| match part {
        WordPart::Plain(text) => !text.chars().any(|c| "\"$`\\!".contains(c) || must_be_escaped(c)),
        WordPart::Variable(_) => true,
    };
    if !parts.iter().any(|part| matches!(part, WordPart::Variable(_))) {
        let plain = parts.iter().map(|part| match part {
            WordPart::Plain(text) | WordPart::Variable(text) => text.as_str(),
        });
        return quoted(&plain.collect::<String>());
    }
    let whole = parts.iter().all(is_plain);
    let mut word = String::new();
    for (at, part) in parts.iter().enumerate() {
        let next = match parts.get(at + 1) {
            Some(WordPart::Plain(text)) => text.chars().next(),
            _ => None,
        };
        match part {
            WordPart::Plain(text) if whole => word.push_str(text),
            WordPart::Plain(text) if text.is_empty() => {}
            WordPart::Plain(text) => word.push_str(&quoted(text)),
            WordPart::Variable(name) if !whole => {
                let _ = write!(word, "\"${name}\"");
            }
            WordPart::Variable(name) => {
                let goes_on = next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
                let _ = match goes_on {
                    true => write!(word, "${{{name}}}"),
                    false => write!(word, "${name}"),
                };
            }
        }
    }
    if whole { format!("\"{word}\"") } else { word }
}

/// A word in the simplest form that a shell reads as this text: bare, in single quotes, or in
/// `$'…'` if a character could affect a terminal.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with('=') {
        return word.to_owned();
    }
    if !word.chars().any(must_be_escaped) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut text = String::from("$'");
    for c in word.chars() {
        match c {
            '\n' => text.push_str(r"\n"),
            '\r' => text.push_str(r"\r"),
            '\t' => text.push_str(r"\t"),
            '\'' | '\\' => text.extend(['\\', c]),
            // Always with all digits, so that the next character can't count as one.
            c if must_be_escaped(c) => {
                let _ = match u32::from(c) {
                    code @ ..=0xffff => write!(text, "\\u{code:04x}"),
                    code => write!(text, "\\U{code:08x}"),
                };
            }
            c => text.push(c),
        }
    }
    text.push('\'');
    text
}

fn must_be_escaped(c: char) -> bool {
    c.is_control() || crate::ui::sanitize::is_hidden(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::from_curl::FromCurl;
    use crate::wire::handshake::request::RequestSpec;
    use crate::wire::head::HeadKind;

    fn request(target: &Target, headers: &[&str]) -> Head {
        let spec = RequestSpec {
            headers: headers.iter().map(|text| text.parse().expect("a header")).collect(),
            user_agent: Some("wscope/1".to_owned()),
            ..RequestSpec::new(&target.host_header, &target.resource_name, *b"the sample nonce")
        };
        Head::parse(HeadKind::Request, &spec.encode().expect("sendable"))
    }

    const SECRETS: [&str; 3] =
        ["Authorization: Basic aHVudGVyMg==", "Cookie: sid=aHVudGVyMg", "X-A: it's"];

    #[test]
    fn the_command_is_pasted_as_it_is() {
        let target = Target::parse("wss://h:81/a?b=c&d").expect("a URL");
        let options =
            [("insecure", None), ("sni", Some("x".to_owned())), ("max-time", Some("5".to_owned()))];
        let way = PlannedRoute {
            proxy: Some("http://me:pw@p:3128".to_owned()),
            ..PlannedRoute::default()
        };
        let request = request(&target, &SECRETS);
        let plan = ConnectPlan { target: &target, request: &request, way: &way, options: &options };
        let made = plan.curl(&Redactor::new());
        assert_eq!(
            made.command,
            r#"curl -i -N --http1.1 \
  -H 'Upgrade: websocket' \
  -H 'Connection: Upgrade' \
  -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
  -H 'Sec-WebSocket-Version: 13' \
  -H 'User-Agent: wscope/1' \
  -H "Authorization: Basic $WSCOPE_SECRET_1" \
  -H "Cookie: $WSCOPE_SECRET_2" \
  -H 'X-A: it'\''s' \
  -H Accept: \
  --insecure \
  --max-time 5 \
  --proxytunnel --proxy "http://$WSCOPE_SECRET_3@p:3128" \
  'https://h:81/a?b=c&d'"#
        );
        assert_eq!(
            made.notes,
            [
                "--sni is omitted: curl does not have it",
                "the command takes secrets from shell variables: set WSCOPE_SECRET_1 (Authorization), \
                 WSCOPE_SECRET_2 (Cookie), WSCOPE_SECRET_3 (the proxy) first, or add --show-secrets",
            ]
        );
        let shown = plan.curl(&Redactor::of(true, &[])).command;
        assert!(shown.contains("aHVudGVyMg==") && shown.contains("me:pw@"), "{shown}");
    }

    #[test]
    fn what_is_written_for_curl_is_read_back() {
        let target = Target::parse("ws://h/").expect("a URL");
        let request = request(&target, &["X-B;", "Host: other", "User-Agent:", "X-C: \x1b[1m"]);
        let way = PlannedRoute::default();
        let plan = ConnectPlan { target: &target, request: &request, way: &way, options: &[] };
        let back =
            FromCurl::parse(&plan.curl(&Redactor::of(true, &[])).command).expect("a curl command");
        assert_eq!(back.url, "http://h/");
        let names: Vec<_> = back.headers.iter().map(|edit| (edit.name(), edit.value())).collect();
        assert_eq!(
            names,
            [
                ("X-B", Some("")),
                ("X-C", Some("\x1b[1m")),
                ("User-Agent", None),
                ("Accept", None),
                ("Host", Some("other")),
            ]
        );
    }

    #[test]
    fn a_dry_run_prints_the_route_and_the_very_bytes() {
        let target = Target::parse("wss://h/").expect("a URL");
        let request = request(&target, &SECRETS);
        let way = PlannedRoute {
            proxy: Some("socks5h://me:pw@p:1080".to_owned()),
            decided_by: Some("all_proxy".to_owned()),
            ..PlannedRoute::default()
        };
        let plan = ConnectPlan { target: &target, request: &request, way: &way, options: &[] };
        let run = plan.dry_run(&Redactor::new());
        assert_eq!(
            run.notes,
            [
                "would connect to h:443 through the proxy socks5h://…@p:1080 (all_proxy)",
                "would send h as SNI",
                "secrets are replaced by …; --show-secrets shows them",
            ]
        );
        let text = String::from_utf8(run.head).expect("text");
        assert!(text.contains("\r\nAuthorization: Basic …\r\nCookie: …\r\nX-A: it's\r\n\r\n"));
        assert_eq!(plan.dry_run(&Redactor::of(true, &[])).head, request.raw());
    }

    #[test]
    fn other_routes_are_printed() {
        let target = Target::parse("ws://[::1]:9/").expect("a URL");
        let request = request(&target, &[]);
        let printed = |way: PlannedRoute| {
            let plan = ConnectPlan { target: &target, request: &request, way: &way, options: &[] };
            plan.dry_run(&Redactor::new()).notes.join("|")
        };
        assert_eq!(printed(PlannedRoute::default()), "would resolve and connect to [::1]:9");
        let socket = Some("/s\x1b".to_owned());
        assert_eq!(
            printed(PlannedRoute { unix_socket: socket, ..PlannedRoute::default() }),
            "would connect to the socket /s\\e"
        );
        let addresses = vec![([127, 0, 0, 1], 9).into(), ([127, 0, 0, 2], 9).into()];
        assert_eq!(
            printed(PlannedRoute {
                addresses,
                connect_to: Some("o:9".to_owned()),
                ..PlannedRoute::default()
            }),
            "would connect to o:9 at 127.0.0.1:9, 127.0.0.2:9"
        );
    }
}

#[cfg(test)]
mod shell_quote_tests {
    use super::*;
    use crate::config::from_curl::split;

    #[test]
    fn a_word_takes_the_plainest_form() {
        for (word, expected) in [
            ("wss://h:81/a", "wss://h:81/a"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$x `y` \\ \"", "'$x `y` \\ \"'"),
            ("a\x1b'\\é\u{202e}1", r"$'a\u001b\'\\é\u202e1'"),
            ("x\n\u{e0001}", r"$'x\n\U000e0001'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn a_word_with_variables_keeps_what_is_beside_them() {
        let word = |parts: &[&str]| {
            let part = |text: &&str| match text.strip_prefix('$') {
                Some(name) => WordPart::Variable(name.to_owned()),
                None => WordPart::Plain((*text).to_owned()),
            };
            shell_word(parts.iter().map(part).collect())
        };
        assert_eq!(word(&["A: ", "$S", ""]), "\"A: $S\"");
        assert_eq!(word(&["a=", "$S", "b"]), "\"a=${S}b\"");
        assert_eq!(word(&["it's ", "$S", "!"]), "'it'\\''s '\"$S\"'!'");
        assert_eq!(word(&["a b"]), "'a b'");
    }

    #[test]
    fn a_shell_reads_the_same_back() {
        for word in
            ["", "a b", "it's", "$x", "a\x1b'\\é\u{202e}1", "\u{e0001}f", "\x7f0", "^", "~", "#"]
        {
            let words = split(&format!("x {} y", quoted(word))).expect("whole").words;
            assert_eq!(words, ["x", word, "y"]);
        }
    }
}
