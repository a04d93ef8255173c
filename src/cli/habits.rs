//! Options and commands of other programs, and their names in wscope.
//!
//! One table of options and one of commands. wscope looks up only names that it does not have
//! itself.

/// An option of other programs.
pub struct Habit {
    /// Its names in the other programs, with their dashes.
    pub names: &'static [&'static str],
    /// The option of wscope for a client; empty if only a server has it.
    pub client: &'static str,
    /// The option of wscope for a server (`wscope listen`); empty if it is the same as for a
    /// client, or if there is none.
    pub server: &'static str,
}

const fn habit(names: &'static [&'static str], client: &'static str) -> Habit {
    Habit { names, client, server: "" }
}

const fn both(names: &'static [&'static str], client: &'static str, server: &'static str) -> Habit {
    Habit { names, client, server }
}

/// Options of wscat, websocat, curl, wget, HTTPie and nc.
pub const OPTIONS: &[Habit] = &[
    both(
        &["--timeout", "-m", "-T", "--time-limit"],
        "--max-time SECS limits the whole run, --connect-timeout and --handshake-timeout the opening",
        "--max-time SECS limits the whole run, --idle-timeout a silent client",
    ),
    habit(
        &[
            "--no-check",
            "--no-check-certificate",
            "--no-verify",
            "--skip-verify",
            "--verify",
            "--allow-insecure",
            "--insecure-skip-verify",
            "--ws-insecure",
        ],
        "-k accepts any certificate",
    ),
    habit(
        &["-n"],
        "wscat's -n is -k here (any certificate), websocat's -n is -w forever (stay after the end of the input)",
    ),
    habit(&["--no-close"], "-w forever stays until the peer closes"),
    both(
        &["-t", "--text", "--text-mode"],
        "messages are text unless -b is given; wget's -t is --retry N",
        "messages are text unless -b is given",
    ),
    both(
        &["--port", "-p"],
        "the port is a part of the URL, as in localhost:9001",
        "the port is an argument, as in wscope listen 9001",
    ),
    both(
        &["--listen", "--server", "-s", "-l"],
        "wscope listen PORT is a server",
        "wscope listen is the server already; the port is an argument",
    ),
    habit(&["--url"], "the URL is an argument: wscope URL"),
    both(
        &["--auth", "-a", "--basic-auth", "--http-user", "--username"],
        "-u USER:PASSWORD sends Basic authorization, --bearer TOKEN a token",
        "-u USER:PASSWORD requires Basic authorization, --bearer TOKEN a token",
    ),
    habit(
        &["--password", "--http-password"],
        "-u USER:PASSWORD sends both; with -u USER, wscope asks for the password",
    ),
    both(
        &["--token", "--oauth2-bearer", "--access-token"],
        "--bearer TOKEN sends it",
        "--bearer TOKEN requires it",
    ),
    both(
        &[
            "--protocol",
            "--protocols",
            "--subprotocols",
            "--sub-protocol",
            "--ws-protocol",
            "--server-protocol",
            "-P",
        ],
        "-s NAME offers a subprotocol; the version of WebSocket is always 13",
        "-s NAME accepts a subprotocol; the version of WebSocket is always 13",
    ),
    habit(
        &["--grep", "--match"],
        "--filter FILTER selects what is shown, --until REGEX ends at a message",
    ),
    both(
        &["--message", "--send", "--data", "--data-raw", "--body", "-d", "--msg"],
        "-x MESSAGE sends a message",
        "--send FILE sends messages to each client first, --reply TEXT answers each message",
    ),
    habit(&["-e"], "-x MESSAGE sends a message; curl's -e is -H 'Referer: URL' here"),
    both(
        &["--raw"],
        "--output raw writes only the bytes of messages, /bytes at the prompt sends raw bytes",
        "--output raw writes only the bytes of messages, /bytes at the prompt sends raw bytes",
    ),
    habit(
        &["-f", "--fail", "--fail-with-body"],
        "the exit status is 7 if the server refuses the handshake, without an option",
    ),
    both(
        &["--close", "--close-code"],
        "-w SECS closes that long after the end of the input, /close CODE at the prompt at once",
        "/close CODE at the prompt closes",
    ),
    habit(&["--data-binary", "--upload-file"], "--input whole < FILE sends a file as one message"),
    both(
        &["--headers", "--add-header", "--request-header", "--custom-header"],
        "-H 'NAME: VALUE' sends a header, -H @FILE those of a file",
        "-H 'NAME: VALUE' adds a header to the 101",
    ),
    habit(&["--user-agent", "-A"], "-H 'User-Agent: NAME' sends it"),
    habit(&["-U"], "wget's -U is -H 'User-Agent: NAME' here, websocat's -U is --input none"),
    habit(&["--referer", "--referrer"], "-H 'Referer: URL' sends it"),
    habit(
        &["--request", "-X", "--method"],
        "the opening handshake is always a GET (RFC 6455 §4.1)",
    ),
    habit(
        &["--follow", "--max-redirect", "-F"],
        "-L follows redirects, --max-redirs N limits their number",
    ),
    both(
        &["--ca", "--ca-certificate", "--ca-cert", "--cafile", "--ca-file", "--ssl-ca", "--trust"],
        "--cacert FILE trusts the certificates of a file",
        "",
    ),
    both(
        &["--certificate", "--client-cert", "--client-pkcs12-der", "--pkcs12-der"],
        "--cert FILE is the client's certificate, --key FILE its key",
        "--cert FILE is the server's certificate, --key FILE its key",
    ),
    both(
        &["--private-key", "--cert-key", "--client-key"],
        "--key FILE is the key of --cert",
        "--key FILE is the key of --cert",
    ),
    both(
        &["--passphrase", "--pass", "--pkcs12-passwd", "--client-pkcs12-passwd"],
        "--pass-env NAME or --pass-file FILE holds the passphrase of the key",
        "--pass-file FILE or WSCOPE_PASSPHRASE holds the passphrase of the key",
    ),
    both(
        &["--tls", "--ssl", "--secure", "--https"],
        "a wss:// URL uses TLS",
        "--cert FILE or --self-signed turns TLS on",
    ),
    habit(
        &["--tls-domain", "--servername", "--server-name", "--tls-hostname"],
        "--sni NAME sends NAME as SNI",
    ),
    habit(
        &["--tlsv1.2", "--tlsv1.3", "--tlsv1.1", "--tlsv1", "--ssl-version", "--secure-protocol"],
        "--tls-min VERSION and --tls-max VERSION limit the versions of TLS",
    ),
    both(
        &[
            "-i",
            "--include",
            "--debug",
            "--trace",
            "--trace-ascii",
            "--server-response",
            "-D",
            "--dump-header",
            "-I",
            "--head",
            "--dump",
            "--show-ping-pong",
            "--log-verbose",
            "--print",
        ],
        "-v shows the handshake and every frame, -vv every byte; wscope handshake URL only the handshake",
        "-v shows the handshake and every frame, -vv every byte",
    ),
    both(&["--silent", "--no-verbose", "-nv"], "-q shows errors only", "-q shows errors only"),
    both(&["-S", "--show-error"], "errors are always shown", "errors are always shown"),
    both(
        &["--no-color", "--no-colour", "--colour", "--style"],
        "--color never shows no colours; NO_COLOR in the environment does the same",
        "--color never shows no colours; NO_COLOR in the environment does the same",
    ),
    both(
        &["--json", "-j", "--jsonrpc"],
        "--output json writes each event as JSON, --input json reads commands",
        "--output json writes each event as JSON, --input json reads commands",
    ),
    both(
        &["--hex", "--base64"],
        "--output hex writes messages as hex; /binary at the prompt and --input json send any bytes",
        "--output hex writes messages as hex",
    ),
    both(
        &["--output-file", "--outfile", "-O", "--download", "--output-document"],
        "> FILE writes the messages to a file, --log FILE every event",
        "> FILE writes the messages to a file, --log FILE every event",
    ),
    both(
        &["--log-file", "--log-traffic", "--record", "--logfile"],
        "--log FILE writes every event to a file",
        "--log FILE writes every event to a file",
    ),
    both(
        &["--null-terminated", "--null", "-0", "-z"],
        "--input null and --output null end each message with a NUL",
        "--input null and --output null end each message with a NUL",
    ),
    both(
        &["--no-line", "--chunks", "--buffer-size", "-B", "--no-buffer", "-N"],
        "--input chunks sends bytes as they come, --output raw writes nothing between messages",
        "--input chunks sends bytes as they come, --output raw writes nothing between messages",
    ),
    both(
        &["--one-message", "-1", "--count", "--max-messages", "--limit", "--messages"],
        "--exit-after N ends after N received messages",
        "--exit-after N ends after N received messages",
    ),
    both(
        &["--exit-on-eof", "--oneshot", "--one-shot"],
        "--exit-on-close leaves the prompt when the connection ends; in a pipe, wscope always does",
        "--once serves one client",
    ),
    both(
        &["-E"],
        "curl's -E is --cert FILE here, websocat's -E is --exit-on-close",
        "--once serves one client",
    ),
    habit(&["--unidirectional"], "--output none writes no messages"),
    habit(&["--unidirectional-reverse"], "--input none sends nothing"),
    both(
        &["--ping", "--keepalive", "--keep-alive", "--heartbeat", "--interval", "--auto-ping"],
        "--ping-interval SECS sends pings, --pong-timeout SECS limits the wait for a pong",
        "--ping-interval SECS sends pings, --pong-timeout SECS limits the wait for a pong",
    ),
    both(
        &["--ping-timeout"],
        "--pong-timeout SECS limits the wait for a pong",
        "--pong-timeout SECS limits the wait for a pong",
    ),
    both(
        &["--inhibit-pongs"],
        "--no-pong leaves pings unanswered",
        "--no-pong leaves pings unanswered",
    ),
    habit(
        &["--tries", "--retries", "--retry-connrefused", "--retry-all-errors"],
        "--retry N tries up to N more times, --retry-delay SECS apart at first",
    ),
    habit(
        &["--autoreconnect", "--auto-reconnect", "--reconnect-delay"],
        "--reconnect connects again if the connection is lost, --retry-delay SECS later",
    ),
    habit(
        &["--waitretry", "--retry-max-time"],
        "--retry-delay SECS is the delay before the first retry",
    ),
    both(
        &["--compress", "--compressed", "--permessage-deflate", "--deflate", "--perMessageDeflate"],
        "permessage-deflate is offered unless --no-compress is given",
        "permessage-deflate is accepted unless --no-compress is given",
    ),
    both(
        &["--no-compression", "--disable-compression"],
        "--no-compress offers no compression",
        "--no-compress declines compression",
    ),
    habit(
        &["--load-cookies", "--cookies", "--cookie-file", "--session"],
        "--cookie NAME=VALUE or --cookie @FILE sends cookies",
    ),
    habit(&["--save-cookies", "-c"], "--cookie-jar FILE keeps cookies"),
    habit(&["--bind-address", "--source", "--bind"], "--interface ADDR sets the local address"),
    habit(&["--no-proxy"], "--noproxy '*' uses no proxy"),
    habit(
        &[
            "--socks5",
            "--socks5-hostname",
            "--socks4",
            "--http-proxy",
            "--https-proxy",
            "--ws-c-uri",
        ],
        "--proxy URL takes http://, https:// and socks5:// proxies",
    ),
    habit(
        &["--abstract-socket", "--unix", "--uds", "--ws-unix"],
        "--unix-socket PATH connects to a Unix socket, as does ws+unix:PATH:/RESOURCE",
    ),
    habit(&["--offline", "--preview"], "--dry-run prints the request, without connecting"),
    habit(
        &["--slash"],
        "at the prompt, a line that begins with / is a command; -x '/…' --commands runs one",
    ),
    habit(
        &["--max-ws-message-length", "--max-message-size", "--max-payload", "--max-frame-size"],
        "--max-message SIZE limits a message",
    ),
    both(
        &["--cmd", "--sh-c", "--command"],
        "-x '/COMMAND' --commands runs a command of the prompt",
        "--exec CMD runs a process for each client",
    ),
    both(&["--restrict-uri"], "", "--path PATH serves only that path"),
    both(
        &["--conncap", "--max-connections", "--max-conns"],
        "",
        "--max-clients N serves at most N at once",
    ),
    both(&["--static-file"], "", "--reject STATUS:BODY answers with a body instead of a WebSocket"),
    both(
        &["--pretty-print", "--format", "--prettify"],
        "--pretty always pretty-prints JSON",
        "--pretty always pretty-prints JSON",
    ),
    both(
        &["--time", "--timestamp", "--show-timestamps"],
        "--timestamps auto, on, off or relative sets the timestamps",
        "--timestamps auto, on, off or relative sets the timestamps",
    ),
    both(
        &["--wait-time", "--delay", "--idle"],
        "-w SECS closes that long after the end of the input",
        "",
    ),
];

/// Options that people try with one command: looked up before [`OPTIONS`], which are about the
/// handshake and the messages.
pub const OF_COMMANDS: &[(&str, &[&str], &str)] = &[
    (
        "listen",
        &["--host", "--bind", "--address", "--addr", "--interface"],
        "the address is part of the argument, as in wscope listen 0.0.0.0:9001",
    ),
    (
        "listen",
        &["-x", "--execute"],
        "--send FILE sends messages to each client first, --reply TEXT answers each message",
    ),
    (
        "proxy",
        &["--upstream", "--target", "--backend", "--server", "--forward", "--remote", "--url"],
        "--to URL is the server",
    ),
    (
        "proxy",
        &["--port", "-p", "--listen", "-l"],
        "the port is an argument, as in wscope proxy 9001 --to URL",
    ),
    ("proxy", &["--exec", "-x", "--run"], "the program comes last: wscope proxy -- CMD"),
    ("ping", &["-n", "--times", "--pings"], "-c N ends after N pings"),
    (
        "ping",
        &["-t", "-w", "--wait", "--timeout", "--deadline"],
        "--max-time SECS limits the run, -W SECS the wait for a pong",
    ),
    ("ping", &["-f", "--flood"], "-i SECS is the interval, as in -i 0.01"),
    (
        "check",
        &["--case", "--cases", "--test", "--only", "--filter", "-t"],
        "cases are arguments after the URL, as in wscope check URL f/rsv1",
    ),
    (
        "check",
        &["--skip", "--exclude"],
        "cases that begin with ! are left out, as in wscope check URL '!z/'",
    ),
    (
        "check",
        &["--junit", "--tap", "--github", "--json", "--xml", "--format"],
        "--output FORMAT prints a report, --report FORMAT=FILE writes one to a file",
    ),
    ("replay", &["--speed", "--rate"], "--pace 2x is twice as fast"),
    ("replay", &["--diff", "--check", "--verify"], "--compare HOW compares the answers"),
    ("show", &["--json"], "--view json shows a JSON object for each event"),
    ("show", &["--hex"], "--view hex shows every byte"),
    (
        "convert",
        &["-o", "--output", "--out"],
        "the file to write is the second argument: wscope convert IN OUT",
    ),
    ("convert", &["-f", "--format", "-t"], "--to FORMAT is the format to write"),
    ("ca", &["--dir", "--folder"], "--ca-dir DIR is the folder of the authority"),
    ("handshake", &["--json"], "--output json writes each event as JSON"),
    ("ping", &["--json"], "--output json writes each event as JSON"),
    ("doctor", &["--json"], "--output json writes each event as JSON"),
];

/// Commands of other programs, with the names that they have there.
pub const COMMANDS: &[(&str, &[&str])] = &[
    ("listen", &["serve", "server", "listener", "bind"]),
    ("connect", &["client", "open", "dial", "get", "ws", "wss", "shell"]),
    ("handshake", &["head", "upgrade", "headers"]),
    ("doctor", &["test", "diagnose", "probe", "scan", "debug"]),
    ("decode", &["parse", "dissect", "dump"]),
    ("explain", &["why", "code", "codes"]),
    ("completions", &["completion", "complete"]),
    ("man", &["manual"]),
];

/// What to write instead of an option that users often try with this command, but which it does not
/// have.
pub fn option_of(command: &str, name: &str) -> Option<&'static str> {
    let of = |(of, names, _): &&(&str, &[&str], &str)| *of == command && names.contains(&name);
    OF_COMMANDS.iter().find(of).map(|(.., advice)| *advice)
}

/// What to write instead of an unknown option.
pub fn option(name: &str, serves: bool) -> Option<&'static str> {
    let advice = |habit: &Habit| match serves {
        true => habit.server,
        false => habit.client,
    };
    let found = OPTIONS.iter().find(|h| h.names.contains(&name) && !advice(h).is_empty());
    found.map(advice)
}

/// The command of wscope that corresponds to a command of another program.
pub fn command(name: &str) -> Option<&'static str> {
    COMMANDS.iter().find(|(_, names)| names.contains(&name)).map(|(command, _)| *command)
}
