//! The manual page: one for the program and its modes, from the help of the command line, the table
//! of the prompt's commands and that of the exit codes. What no table holds (environment, files, examples) is written here.

use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use wscope::engine::exit::Exit;
use wscope::script::command::table::{CommandEntry, Group, entries_of};

use crate::commands::sentence;

const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "WSCOPE_OPTION",
        "A default for --option: the long name in capitals, with _ for -, as in \
         WSCOPE_CONNECT_TIMEOUT=3. Flags are yes or no; an option that can be repeated takes one value \
         per line. WSCOPE_URL is the URL. The command line has precedence.",
    ),
    ("WSCOPE_CONFIG, WSCOPE_NO_CONFIG", "As --config FILE and --no-config."),
    ("WSCOPE_PASSPHRASE", "The passphrase of the key given with --cert or --key."),
    (
        "WSCOPE_CONN, WSCOPE_PEER, WSCOPE_PATH, WSCOPE_SUBPROTOCOL",
        "Set for the process of listen --exec: the number of the client's connection, its address, \
         the requested path, the agreed subprotocol.",
    ),
    (
        "ws_proxy, wss_proxy, http_proxy, https_proxy, all_proxy, no_proxy",
        "The proxy, and the hosts without a proxy, unless --proxy or --noproxy is given. \
         Upper case works too, except for HTTP_PROXY.",
    ),
    (
        "SSL_CERT_FILE, SSL_CERT_DIR",
        "The certificates that OpenSSL trusts, instead of the system's store.",
    ),
    ("SSLKEYLOGFILE", "As --tls-keylog FILE."),
    (
        "SSL_CERT_FILE, NODE_EXTRA_CA_CERTS, DENO_CERT, CURL_CA_BUNDLE, REQUESTS_CA_BUNDLE and others",
        "Set for the program of proxy -- CMD, with those of the proxy and NODE_USE_ENV_PROXY; NO_PROXY \
         is removed. wscope ca env prints them.",
    ),
    ("HOME, XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME", "Where the files below are."),
    ("NETRC", "The file that --netrc reads, instead of ~/.netrc."),
    ("VISUAL, EDITOR, PAGER", "The programs that /edit and the pager of long answers run."),
    ("NO_COLOR", "If set and not empty, --color auto means never."),
    ("TERM", "With dumb, lines are read without an editor."),
    ("TZ", "The time zone of the transcript."),
];

const FILES: &[(&str, &str)] = &[
    (
        "~/.config/wscope/config",
        "Defaults, one option per line, and profiles: lines under [name] apply only to wscope @name. \
         In $XDG_CONFIG_HOME/wscope if that is set; --config names another file.",
    ),
    (
        "~/.local/state/wscope/history",
        "The lines typed at the prompt, readable only by their owner. In $XDG_STATE_HOME/wscope if \
         that is set; --no-history stores none.",
    ),
    (
        "~/.local/share/wscope/ca",
        "The certificate authority of the forward proxy; its key, wscope-ca-key.pem, is readable \
         only by its owner. In $XDG_DATA_HOME/wscope if that is set; --ca-dir names another folder.",
    ),
    ("~/.netrc", "User and password by host, read only with --netrc."),
    (
        "The file of --cookie-jar",
        "Cookies in Netscape's format, written at the end of the run and read with --cookie @FILE. \
         Without these options no cookie is kept.",
    ),
    (
        "/etc/ssl/certs",
        "The system's store of trusted authorities, where most Linux systems keep it. \
         --cacert adds to it.",
    ),
];

/// The kinds of JSON objects that matter most; docs/json.md has all of them.
const JSON: &[(&str, &str)] = &[
    ("start", "The first object: version of the format (v, now 1), program, role."),
    ("head", "The request or the response of the handshake: method or status, headers, raw."),
    (
        "frame",
        "A frame: number, fin, rsv1, rsv2, rsv3, opcode, mask, length, offset, header_hex, and the \
         payload as text or base64. A Close has code and reason.",
    ),
    (
        "message",
        "A whole message, after its last frame: number, opcode, frames, compressed, wire_length, \
         length, and the content as text or base64.",
    ),
    ("violation", "A broken rule: code, section, explanation, frame, offset."),
    ("diagnostic", "An explanation of a failure."),
    ("end", "The end of the connection: how, codes, counts."),
];

const EXAMPLES: &[(&str, &str)] = &[
    ("A first look, without a network:", "wscope demo"),
    (
        "On a terminal: the handshake, then a line per frame; typed lines are sent:",
        "wscope wss://echo.example/ws",
    ),
    (
        "In a pipe: subscribe, and keep every message as a line:",
        "echo '{\"op\":\"subscribe\"}' | wscope -w forever wss://api.example/feed > feed.jsonl",
    ),
    (
        "Send a message, print the answer, exit:",
        "wscope -x ping --exit-after 1 ws://localhost:8080",
    ),
    (
        "The text of each message received, with its time:",
        "wscope --output json wss://api.example/feed | \
         jq -r 'select(.event == \"message\" and .dir == \"to-client\") | [.time, .text] | @tsv'",
    ),
    (
        "Why is my handshake refused? Every rule with its verdict:",
        "wscope handshake -H 'Authorization: Bearer abc' wss://api.example/feed",
    ),
    (
        "A ping with RSV1, which is illegal here:",
        "echo '{\"type\":\"frame\",\"opcode\":\"ping\",\"rsv1\":true,\"text\":\"x\"}' | \
         wscope --input json -v ws://localhost:8080  # exits 11: the server closes with 1002",
    ),
    (
        "A server that breaks a rule after it has answered three messages:",
        "wscope listen --echo --fault masked@message:3 9001",
    ),
    ("What do these bytes mean?", "wscope decode --hex '81 85 37 fa 21 3d 7f 9f 4d 51 58'"),
];

/// The page in roff.
pub fn page() -> String {
    // What the short help hides would come without its help.
    let shown = |argument: Arg| argument.hide_short_help(false);
    let mut command = wscope::cli::command();
    command.build();
    let command = command.mut_args(shown).mut_subcommands(|mode| mode.mut_args(shown));
    let mut page = title();
    name_and_synopsis(&command, &mut page);
    page.push_str(&rendered(|out| Man::new(command.clone()).render_description_section(out)));
    page.push_str(&examples().to_roff());
    page.push_str(".SH OPTIONS\n");
    page.push_str(&options(&command));
    subcommands(&command, &mut page);
    for section in [prompt(), exit_status(), files(), environment(), json(), see_also()] {
        page.push_str(&section.to_roff());
    }
    page
}

fn title() -> String {
    // By hand: an empty date would be left out, and what follows it would take its place.
    let line =
        concat!(".TH wscope 1 \"\" \"wscope ", env!("CARGO_PKG_VERSION"), "\" \"User Commands\"\n");
    preamble() + line
}

fn name_and_synopsis(command: &Command, page: &mut String) {
    page.push_str(&rendered(|out| Man::new(command.clone()).render_name_section(out)));
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    roff.text([bold("wscope"), roman(" ["), italic("OPTIONS"), roman("] "), italic("URL")]);
    for mode in command.get_subcommands() {
        roff.control("br", []);
        roff.text(usage(mode));
    }
    page.push_str(&roff.to_roff());
}

/// `wscope MODE [OPTIONS] ARGUMENTS`.
fn usage(mode: &Command) -> Vec<Inline> {
    let mut line = vec![bold(format!("wscope {}", mode.get_name()))];
    if mode.get_opts().next().is_some() {
        line.extend([roman(" ["), italic("OPTIONS"), roman("]")]);
    }
    for argument in mode.get_positionals().filter(|argument| !argument.is_hide_set()) {
        let names = argument.get_value_names().unwrap_or_default();
        let name = italic(names.iter().map(|name| name.to_string()).collect::<Vec<_>>().join(" "));
        match argument.is_required_set() || argument.get_id() == "url" {
            true => line.extend([roman(" "), name]),
            false => line.extend([roman(" ["), name, roman("]")]),
        }
    }
    line
}

/// The options of a command below a section of its own: their headings a level lower.
fn options(command: &Command) -> String {
    let section = rendered(|out| Man::new(command.clone()).render_options_section(out));
    let lines = section.lines().filter(|line| *line != ".SH OPTIONS");
    lines.map(|line| line.replacen(".SH ", ".SS ", 1) + "\n").collect()
}

/// The modes: what each is for, which options of its own it has, which it shares.
fn subcommands(command: &Command, page: &mut String) {
    page.push_str(".SH SUBCOMMANDS\n");
    for mode in command.get_subcommands() {
        let mut roff = Roff::new();
        roff.control("SS", [format!("wscope {}", mode.get_name()).as_str()]);
        page.push_str(&roff.to_roff());
        let about = rendered(|out| Man::new(mode.clone()).render_description_section(out));
        page.push_str(about.strip_prefix(".SH DESCRIPTION\n").unwrap_or(&about));
        page.push_str(&own_options(mode, command));
    }
}

fn own_options(mode: &Command, top: &Command) -> String {
    let is_shared = |argument: &Arg| {
        top.get_arguments().any(|other| {
            let values = |of: &Arg| {
                let values = of.get_possible_values();
                values.iter().map(|value| value.get_name().to_owned()).collect::<Vec<_>>()
            };
            other.get_id() == argument.get_id()
                && other.get_help().map(ToString::to_string)
                    == argument.get_help().map(ToString::to_string)
                && values(other) == values(argument)
        })
    };
    let (shared, own): (Vec<&Arg>, Vec<&Arg>) =
        mode.get_arguments().partition(|argument| is_shared(argument));
    let shared = shared.iter().filter(|argument| !is_standard(argument));
    let mut text = String::new();
    if own.iter().any(|argument| !is_standard(argument)) {
        let mut rest = mode.clone();
        for argument in mode.get_arguments() {
            if is_shared(argument) || is_standard(argument) {
                rest = rest.mut_arg(argument.get_id().clone(), |argument| argument.hide(true));
            }
        }
        // Headings would be lost among those of the modes.
        text.extend(
            options(&rest)
                .lines()
                .filter(|line| !line.starts_with(".SS "))
                .map(|l| format!("{l}\n")),
        );
    }
    let flags: Vec<_> =
        shared.filter_map(|argument| Some(format!("--{}", argument.get_long()?))).collect();
    if !flags.is_empty() {
        let mut roff = Roff::new();
        roff.control("PP", []);
        let all = top.get_arguments().filter(|argument| !is_standard(argument));
        if flags.len() == all.filter(|argument| argument.get_long().is_some()).count() {
            roff.text([roman("Accepts all options above.")]);
        } else {
            roff.text([roman(format!(
                "Also accepts these options, described above: {}.",
                flags.join(", ")
            ))]);
        }
        text.push_str(&roff.to_roff());
    }
    text
}

/// Whether clap adds it by itself.
fn is_standard(argument: &Arg) -> bool {
    argument.get_id() == "help" || argument.get_id() == "version"
}

/// The commands of the prompt: usage, what each does, and its first example.
fn prompt() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    roff.text([roman(
        "On a terminal, wscope reads lines. A line is sent as a text message, unchanged. A line that \
         begins with / is a command; // begins a text with a slash, /# begins a comment.",
    )]);
    for group in Group::ALL {
        roff.control("SS", [group.title()]);
        for entry in entries_of(group) {
            command(entry, &mut roff);
        }
    }
    roff
}

fn command(entry: &CommandEntry, roff: &mut Roff) {
    roff.control("TP", []);
    let name = format!("/{}", entry.name);
    let arguments = entry.usage().split_off(name.len());
    roff.text([bold(name), italic(arguments)]);
    let side = entry.side.word().map(|side| format!(" For a {side} only.")).unwrap_or_default();
    roff.text([roman(format!("{}{side}", sentence(entry.summary)))]);
    for paragraph in entry.help.lines() {
        roff.control("IP", []);
        roff.text([roman(paragraph)]);
    }
    for (line, meaning) in entry.examples {
        roff.control("IP", []);
        roff.text([bold(*line), roman(format!(": {meaning}."))]);
    }
}

fn exit_status() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (exit, meaning) in Exit::TABLE {
        item(&mut roff, &exit.code().to_string(), meaning);
    }
    roff
}

fn environment() -> Roff {
    table("ENVIRONMENT", ENVIRONMENT)
}

fn files() -> Roff {
    table("FILES", FILES)
}

fn json() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["JSON"]);
    roff.text([roman(
        "--output json and --log write one object per line. event names its kind, time is RFC 3339, \
         conn counts connections, dir is to-server or to-client. All kinds, all fields, and the \
         commands of --input json are in docs/json.md of the source.",
    )]);
    for (name, meaning) in JSON {
        item(&mut roff, name, meaning);
    }
    roff
}

fn table(heading: &str, rows: &[(&str, &str)]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [heading]);
    for (name, meaning) in rows {
        item(&mut roff, name, meaning);
    }
    roff
}

fn item(roff: &mut Roff, name: &str, meaning: &str) {
    roff.control("TP", []);
    roff.text([bold(name)]);
    roff.text([roman(meaning)]);
}

fn examples() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]);
    for (what, line) in EXAMPLES {
        roff.control("PP", []);
        roff.text([roman(*what)]);
        roff.control("PP", []);
        roff.control("RS", ["4"]);
        roff.control("nf", []);
        roff.text([roman(*line)]);
        roff.control("fi", []);
        roff.control("RE", []);
    }
    roff
}

fn see_also() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman("RFC 6455 (the WebSocket protocol), RFC 7692 (permessage-deflate)")]);
    roff
}

fn rendered(render: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    render(&mut out).expect("a Vec takes all");
    let text = String::from_utf8(out).expect("help is text");
    // Each part begins with the same definitions; the page has them once.
    text.replace(&preamble(), "")
}

/// The definitions that keep apostrophes what they are.
fn preamble() -> String {
    Roff::new().render()
}
