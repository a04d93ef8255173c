//! What people type from habit or by a slip: it does what was meant, or says what to write instead.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::harness::{Test, wscope};

/// Nothing is dialled; stderr begins so, and the status is that of wrong usage.
#[track_caller]
fn refused(args: &[&str], stderr: &str) {
    Test::new().args(args.iter().copied()).stderr(format!("wscope: {stderr}\n")).status(2);
}

/// The peer is reached by this URL, at this Host and path.
#[track_caller]
fn reaches(address: &str, url: &str, host: &'static str, path: &'static str) {
    Test::new()
        .args(["-q", "-w", "0", url])
        .stdin("")
        .peer_on(address, move |p| {
            let request = p.open();
            let text = String::from_utf8_lossy(request.raw()).into_owned();
            assert!(text.starts_with(&format!("GET {path} ")), "{text}");
            assert!(text.contains(&format!("\r\nHost: {host}:")), "{text}");
            p.answer_close(1000);
        })
        .stderr_any()
        .status(0);
}

#[test]
fn help_and_version_are_commands() {
    let shown = |args: &[&str]| {
        let output = Test::new().args(args.iter().copied()).stdout_any().status(0);
        output.stdout().to_owned()
    };
    assert_eq!(shown(&["help"]), shown(&["--help"]));
    assert_eq!(shown(&["help", "listen"]), shown(&["listen", "--help"]));
    assert_eq!(shown(&["version"]), shown(&["--version"]));
    for name in ["/expect", "expect"] {
        assert!(shown(&["help", name]).starts_with("/expect REGEX"), "{name}");
    }
    refused(&["help", "lisen"], "no command 'lisen'; did you mean listen?");
    refused(&["help", "server"], "no command 'server'; did you mean listen?");
    refused(&["help", "xyzzy"], "no command 'xyzzy'; wscope help lists all");
}

#[test]
fn a_mistyped_command_is_no_host() {
    for (args, stderr) in [
        (&["lisen", "9001"][..], "no command 'lisen'; did you mean listen?"),
        (&["doctr", "ws://127.0.0.1:1"], "no command 'doctr'; did you mean doctor?"),
        (&["HANDSHAKE", "ws://127.0.0.1:1"], "no command 'HANDSHAKE'; did you mean handshake?"),
        (&["lisen", "--fault", "masked", "9001"], "no command 'lisen'; did you mean listen?"),
        (&["hand", "ws://127.0.0.1:1"], "no command 'hand'; did you mean handshake?"),
        (&["serve", "9001"], "no command 'serve'; did you mean listen?"),
        (&["completion", "bash"], "no command 'completion'; did you mean completions?"),
        (
            &["lisen"],
            "no command 'lisen'; did you mean listen?; a host of this name is written ws://lisen",
        ),
        (
            &["helpp"],
            "no command 'helpp'; did you mean help?; a host of this name is written ws://helpp",
        ),
        (
            &["hlep"],
            "no command 'hlep'; did you mean help?; a host of this name is written ws://hlep",
        ),
        (
            &["mann"],
            "no command 'mann'; did you mean man?; a host of this name is written ws://mann",
        ),
        (
            &["comp"],
            "no command 'comp'; did you mean completions?; a host of this name is written ws://comp",
        ),
        (&["send", "hello"], "no command 'send', and one URL only; to send a message: -x hello"),
        (&["-v", "listen", "9001"], "the command comes first: wscope listen …"),
        (
            &["-q", "demo"],
            "the command comes first: wscope demo …; a host of this name is written ws://demo",
        ),
        (
            &["ws://127.0.0.1:1", "doctor"],
            "the command comes first: wscope doctor ws://127.0.0.1:1",
        ),
    ] {
        refused(args, stderr);
    }
}

/// Names of hosts that are near a command.
#[test]
fn a_word_alone_may_be_a_host() {
    for name in ["shop", "main", "king", "slow", "pong", "listener", "ping1", "proxy2", "relay"] {
        let to = format!("{name}:80:127.0.0.1");
        let output =
            wscope().args([name, "--resolve", &to, "--dry-run"]).output().expect("it runs");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
    for name in ["shop", "main", "king", "slow", "pong", "listener"] {
        let output = wscope().args([name, "--dry-run"]).output().expect("it runs");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_word_too_many_says_where_it_belongs() {
    for (args, stderr) in [
        (&["ws://127.0.0.1:1", "hello"][..], "one URL only; to send a message: -x hello"),
        (&["ws://127.0.0.1:1", "it's", "me"], r"one URL only; to send a message: -x 'it'\''s me'"),
        (&["-c", "ws://127.0.0.1:1", "hello"], "one URL only; to send a message: -x hello"),
        (
            &["ws://127.0.0.1:1", "ws://127.0.0.1:2"],
            "one URL only, not ws://127.0.0.1:2 too; run wscope once for each",
        ),
        (
            &["-", "ws://127.0.0.1:1"],
            "one URL only; - is not needed, stdin is read without it: wscope ws://127.0.0.1:1",
        ),
        (&["ws://127.0.0.1:1", "-"], "one URL only; - is not needed, stdin is read without it"),
        (&["-"], "- is not a URL; wscope reads stdin without it"),
        (&["localhost", "9001"], "one URL only; a port follows a colon: localhost:9001"),
        (&["localhost:1", "X-A:b"], "one URL only; a header is written -H X-A:b, a message -x"),
        (&["handshake", "localhost:1", "hello"], "one URL only, not hello too"),
        (
            &["listen", "localhost", "9001"],
            "one address only; a port follows a colon: localhost:9001",
        ),
        (&["listen", "9001", "hi"], "one address only; to answer every message: --reply hi"),
        (
            &["POST", "ws://127.0.0.1:1"],
            "one URL only; POST before it is not a URL: wscope ws://127.0.0.1:1",
        ),
        (&["-b", "k=v", "ws://h"], "one URL only; k=v before it is not a URL: wscope ws://h"),
        (&["-lp", "9001"], "wscope listen has no option -p; the port is an argument, [..]"),
        (&["decode", "81", "85"], "one FILE only; hex digits are written --hex '81 85'"),
        (&["connect", "localhost:1", "@dev", "@b"], "unknown profile @dev[..]"),
    ] {
        refused(args, stderr);
    }
}

#[test]
fn a_slip_in_a_url_says_what_to_write() {
    for (url, stderr) in [
        ("wss//h", "a colon is missing after `wss`; write wss://h"),
        ("http//h:1", "a colon is missing after `http`; write http://h:1"),
        ("ws:h:1", "two slashes are missing after `ws:`; write ws://h:1"),
        ("ws:/h", "a slash is missing after `ws:/`; write ws://h"),
        (
            "wss:///h",
            "`wss:///` has no host, as with an empty variable, or a slash too many; write \
             wss://HOST/h or wss://h",
        ),
        ("ws://ws://h", "the URL has two schemes; write ws://h"),
        ("wws://h", "wws:// is not a scheme; write ws://h"),
        ("//h:1", "the scheme is missing; write ws://h:1"),
        (
            "/app.sock",
            "a path is not a URL; write ws+unix:/app.sock for a Unix socket, ws://HOST/app.sock for a \
             server",
        ),
        ("./app.sock", "a path is not a URL; write ws+unix:./app.sock"),
        ("::1:9001", "an IPv6 address needs brackets in a URL; write [::1]:9001 or [::1:9001]"),
        ("ws://fe80::1%eth0/x", "an IPv6 address needs brackets in a URL; write [fe80::1%eth0]"),
        ("[::1", "an IPv6 address needs brackets in a URL; write [::1]"),
        ("ws-l:127.0.0.1:9001", "`ws-l:` is websocat's; write wscope listen 127.0.0.1:9001"),
        ("autoreconnect:ws://h", "`autoreconnect:` is websocat's; write --reconnect ws://h"),
        ("70000", "the port `70000` is not a number from 1 to 65535"),
        ("ws+unix:", "the path of the Unix socket is missing; [..]"),
        ("[fe80::1%25a/b]", "[..]"),
    ] {
        refused(&[url], stderr);
    }
}

#[test]
fn a_long_option_needs_two_dashes() {
    for (args, stderr) in [
        (&["-insecure", "ws://h"][..], "unknown option -insecure; did you mean --insecure?"),
        (&["-header", "A: b", "ws://h"], "unknown option -header; did you mean --header?"),
        (&["-version"], "unknown option -version; did you mean --version?"),
        (&["listen", "-cert=x", "0"], "wscope listen has no option -cert; did you mean --cert?"),
    ] {
        refused(args, stderr);
    }
}

#[test]
fn letters_of_curl_are_hardly_a_subprotocol() {
    Test::new()
        .args(["-sSL", "-w", "0"])
        .stdin("")
        .peer(|p| {
            p.open_with("Sec-WebSocket-Protocol: SL\r\n");
            p.answer_close(1000);
        })
        .stderr("wscope: note: -s offers \"SL\" as subprotocol; curl's -s is -q here\n")
        .status(0);
}

#[test]
fn an_option_that_took_the_url_or_the_port_is_named() {
    for (args, stderr) in [
        (&["-s", "ws://h"][..], "wscope needs URL; -s took the word after it as its value"),
        (&["handshake", "--origin", "ws://h"], "wscope handshake needs URL; --origin took [..]"),
        (&["listen", "--fault", "9001"], "wscope listen needs [ADDR:]PORT; --fault took [..]"),
        (&["-l"], "wscope listen needs [ADDR:]PORT; wscope help listen shows how"),
        (
            &["listen", "ws://localhost:9001/x"],
            "a URL is not a listen address; write it without scheme and path: localhost:9001",
        ),
        (&["listen", "9001", "9002"], "one address only, not 9002 too; run wscope once for each"),
        (&["proxy", "1", "ws://h", "cat"], "[..] only [ADDR:]PORT and URL, and CMD after --"),
        (&["proxy", "--to", "ws://h:1", "--"], "wscope proxy: the command is missing after --"),
        (&["proxy", "--to", "ws://h", "0", "--"], "wscope proxy: the command is missing after --"),
        (
            &["proxy", "--to", "ws://h:1", "--to", "ws://h:2"],
            "wscope proxy needs [ADDR:]PORT; wscope help proxy shows how",
        ),
        (&["--until", "(", "ws://h"], "--until: \"(\" is not a regular expression: unclosed group"),
        (
            &["proxy", "1", "--rule", "> -> dorp"],
            "--rule: rule \"> -> dorp\": \"dorp\" is not an action; did you mean drop?",
        ),
        (
            &["check", "ws://127.0.0.1:1", "f/rsv9"],
            "no case matches \"f/rsv9\"; did you mean f/rsv1 [..]? wscope check --list lists them",
        ),
    ] {
        refused(args, stderr);
    }
}

#[test]
fn what_should_be_a_file_may_be_something_else() {
    for (args, stderr) in [
        (&["show", "ws://h"][..], "can't open ws://h: a file is expected here, not a URL"),
        (&["replay", "ws://h"], "can't open ws://h: a file is expected here, not a URL"),
        (
            &["decode", "8100"],
            "can't open 8100: no such file or directory; to decode hex digits: --hex 8100",
        ),
    ] {
        let output = Test::new().args(args.to_vec()).stderr_any().status(1);
        assert_eq!(output.stderr(), format!("wscope: {stderr}\n"), "{args:?}");
    }
}

#[test]
fn an_origin_that_is_none_is_noted() {
    Test::new()
        .args(["-o", "out.txt", "-w", "0"])
        .stdin("")
        .peer(|p| {
            assert_eq!(p.open().get("Origin"), Some(&b"out.txt"[..]));
            p.answer_close(1000);
        })
        .stderr("wscope: note: -o sends \"out.txt\" as Origin, [..]; to write messages to a file: > FILE\n")
        .status(0);
}

#[test]
fn a_port_alone_is_of_this_machine() {
    reaches("127.0.0.1:0", "{port}", "localhost", "/");
    reaches("127.0.0.1:0", ":{port}", "localhost", "/");
    reaches("127.0.0.1:0", "{port}/chat?x=1", "localhost", "/chat?x=1");
    reaches("127.0.0.1:0", "ws://:{port}/chat", "localhost", "/chat");
    reaches("127.0.0.1:0", "127.0.0.1:{port}/chat", "127.0.0.1", "/chat");
}

#[test]
fn an_address_may_have_a_zone() {
    // The loopback interface is the first.
    reaches("[::1]:0", "ws://[::1%251]:{port}/", "[::1]", "/");
    reaches("[::1]:0", "[::1%1]:{port}/x", "[::1]", "/x");
}

#[test]
fn a_unix_socket_is_a_url() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.sock");
    let mut server = wscope()
        .args(["listen", "--echo", "--unix-socket"])
        .arg(&path)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut line = String::new();
    let mut stderr = BufReader::new(server.stderr.take().expect("piped"));
    stderr.read_line(&mut line).expect("a line");
    let printed = line.trim().strip_prefix("listening on ").expect(&line).to_owned();
    let path = path.display();
    for url in [printed, format!("ws+unix:{path}:/chat?a=b"), format!("unix://{path}")] {
        Test::new().args(["-x", "hi", "--exit-after", "1", &url]).stdout("hi\n").status(0);
    }
    Test::new()
        .args(["-x", "/open nowhere://h", "--commands", &format!("ws+unix:{path}:/")])
        .stderr("wscope: -x: line 1: the scheme nowhere:// is not supported; [..]\n")
        .status(1);
    server.kill().expect("our child");
    server.wait().expect("our child");
}

#[test]
fn a_profile_may_come_after_options() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "[dev]\nheader X-Profile: dev\n").expect("written");
    let config = file.path().display().to_string();
    for place in [0, 4, 6] {
        let mut args = vec!["--config", &config, "-w", "0", "ws://127.0.0.1:{port}", "-q"];
        args.insert(place, "@dev");
        Test::new()
            .args(args)
            .stdin("")
            .peer(|p| {
                let request = p.open();
                assert_eq!(request.get("X-Profile"), Some(&b"dev"[..]));
                p.answer_close(1000);
            })
            .status(0);
    }
    for line in ["/open @dev", "/open @dev/x"] {
        Test::new()
            .args(["-x", line, "--commands"])
            .peer(|p| {
                p.open();
                p.answer_close(1001);
            })
            .stderr("wscope: -x: line 1: [..]\n")
            .status(1);
    }
}

#[test]
fn habits_of_other_programs_name_the_option_here() {
    for (args, stderr) in [
        (&["--timeout", "5", "localhost:1"][..], "unknown option --timeout; --max-time SECS [..]"),
        (&["--port", "9001"], "unknown option --port; the port is a part of the URL, [..]"),
        (&["--auth=me:secret", "localhost:1"], "unknown option --auth; -u USER:PASSWORD [..]"),
        (&["--no-check", "localhost:1"], "unknown option --no-check; -k [..]"),
        (&["--protocol", "chat", "localhost:1"], "unknown option --protocol; -s NAME [..]"),
        (&["-n", "localhost:1"], "unknown option -n; wscat's -n is -k here [..]"),
        (&["-t", "localhost:1"], "unknown option -t; messages are text unless -b [..]"),
        (&["--no-check-certificate", "localhost:1"], "[..]; -k [..]"),
        (&["-d", "x", "localhost:1"], "unknown option -d; -x MESSAGE [..]"),
        (
            &["listen", "--timeout", "5", "1"],
            "wscope listen has no option --timeout; --max-time[..]--idle-timeout[..]",
        ),
        (&["listen", "--port", "9001"], "wscope listen has no option --port; [..]"),
        (
            &["listen", "--until", "x", "1"],
            "wscope listen has no option --until; wscope connect has it",
        ),
        (
            &["handshake", "--fault", "x"],
            "wscope handshake has no option --fault; wscope connect has it",
        ),
        (&["--hedaer", "x"], "unknown option --hedaer; did you mean --header?"),
        (
            &["-X", "GET", "localhost:1"],
            "unknown option -X; the opening handshake is always a GET [..]",
        ),
        (&["--exec", "cat", "localhost:1"], "unknown option --exec; wscope listen has it"),
        (&["--raw", "localhost:1"], "unknown option --raw; --output raw [..]"),
        (&["-f", "localhost:1"], "unknown option -f; the exit status is 7 [..]"),
        (&["-E", "localhost:1"], "unknown option -E; curl's -E is --cert FILE here, [..]"),
        (&["-c", "3", "ws://h"], "-c is the URL, as in wscat; --exit-after 3 ends [..]"),
        (
            &["--message", "hi", "ws://h"],
            "--message needs --proto FILE, too; to send a message: -x MESSAGE",
        ),
        (
            &["listen", "--host", "0.0.0.0", "1"],
            "wscope listen has no option --host; the address is part of the argument, [..]",
        ),
        (&["listen", "-x", "hi", "1"], "wscope listen has no option -x; --send FILE [..]"),
        (&["proxy", "1", "--upstream", "ws://h"], "[..]no option --upstream; --to URL [..]"),
        (&["proxy", "--listen", "1"], "wscope proxy has no option --listen; the port is [..]"),
        (&["ping", "-n", "3", "ws://h"], "wscope ping has no option -n; -c N [..]"),
        (&["check", "--junit", "x", "ws://h"], "[..]no option --junit; --output FORMAT [..]"),
        (&["check", "--case", "f/rsv1", "ws://h"], "[..]; cases are arguments [..]"),
        (&["replay", "--speed", "2", "f"], "wscope replay has no option --speed; --pace 2x [..]"),
        (&["convert", "-o", "a", "b"], "[..]; the file to write is the second argument[..]"),
        (&["ca", "path", "--dir", "x"], "wscope ca has no option --dir; --ca-dir DIR [..]"),
        (&["--xyzzy"], "unknown option --xyzzy; wscope --help lists all"),
        (
            &["listen", "--xyzzy"],
            "wscope listen has no option --xyzzy; wscope help listen lists all",
        ),
        (
            &["decode", "--timeout", "1"],
            "wscope decode has no option --timeout; wscope help decode lists all",
        ),
    ] {
        refused(args, stderr);
    }
}

/// Each option that the table advises is there where it is advised, and no name in the table is
/// one that the program has.
#[test]
fn the_table_of_habits_is_true() {
    let program = wscope::cli::command();
    let listen = program.find_subcommand("listen").expect("a mode");
    let connect = program.find_subcommand("connect").expect("a mode");
    let has = |command: &clap::Command, option: &str| match option.strip_prefix("--") {
        Some(long) => wscope::config::invocation::find_long(command, long).is_some(),
        None => command.get_arguments().any(|arg| arg.get_short() == option.chars().nth(1)),
    };
    let advised = |text: &str| {
        let words = text.split([' ', ',', ';', ':', '(', ')', '\'']).map(str::to_owned);
        words.filter(|word| word.starts_with('-') && word.len() > 1).collect::<Vec<_>>()
    };
    for habit in wscope::cli::habits::OPTIONS {
        for (text, command) in [(habit.client, connect), (habit.server, listen)] {
            let foreign = |word: &String| word[1..].starts_with(|c: char| c.is_ascii_digit());
            for option in advised(text).iter().filter(|word| !foreign(word)) {
                let is_foreign = habit.names.contains(&option.as_str());
                assert!(has(command, option) || is_foreign || option == "-vv", "{text}: {option}");
            }
        }
    }
}

/// Options with a value of this kind, in all modes.
fn options_taking(value_names: &[&str]) -> Vec<(String, String)> {
    let mut program = wscope::cli::command();
    program.build();
    let modes = program.get_subcommands().filter(|mode| mode.get_name() != "help");
    let options = modes.flat_map(|mode| {
        let takes = |arg: &&clap::Arg| {
            let names = arg.get_value_names().unwrap_or_default();
            names.iter().any(|name| value_names.contains(&name.as_str()))
        };
        let longs = mode.get_arguments().filter(takes).filter_map(clap::Arg::get_long);
        longs.map(|long| (mode.get_name().to_owned(), format!("--{long}"))).collect::<Vec<_>>()
    });
    options.collect()
}

#[test]
fn a_number_that_is_none_is_refused_in_one_plain_sentence() {
    let all = options_taking(&["N", "N|full", "SECS", "SIZE", "BYTES", "BITS", "MODE"]);
    assert!(all.len() > 60, "{all:?}");
    for (mode, option) in &all {
        for value in ["x", "-5x", "99999999999999999999999Q"] {
            let word = format!("{option}={value}");
            let output = Test::new().args([mode, &word]).stderr_any().status(2);
            let said = output.stderr();
            let begins = format!("wscope: {option}: \"{value}\" is not a");
            assert!(said.starts_with(&begins) && said.contains("; write "), "{mode}: {said}");
            assert_eq!(said.lines().count(), 1, "{mode}: {said}");
        }
    }
    // A negative number is a value, and no unknown option.
    for (mode, option) in all.iter().filter(|(_, option)| {
        !["--wait", "--idle-exit", "--pong-timeout"].contains(&option.as_str())
    }) {
        let output = Test::new().args([mode, option, "-1"]).stderr_any().status(2);
        let said = output.stderr();
        let begins = format!("wscope: {option}: \"-1\" is not a");
        assert!(said.starts_with(&begins), "{mode}: {said}");
    }
}

#[test]
fn values_that_are_refused_are_named_with_what_is_accepted() {
    for (args, stderr) in [
        (
            &["--exit-after", "x", "ws://a"][..],
            "--exit-after: \"x\" is not a whole number from 1 on; write 3, for example",
        ),
        (
            &["check", "ws://a", "--max-time", "-1"],
            "--max-time: \"-1\" is not a time; write seconds, as in 1.5, or 250ms, 2m, 1h",
        ),
        (
            &["check", "ws://a", "--jobs", "65"],
            "--jobs: \"65\" is not a whole number from 1 to 64; write 3, for example",
        ),
        (&["ws://a", "--exit-after"], "--exit-after needs a value: --exit-after N"),
        (&["listen"], "wscope listen needs [ADDR:]PORT; wscope help listen shows how"),
        (&["convert"], "wscope convert needs IN and OUT; wscope help convert shows how"),
        (
            &["ws://a", "--output", "jsn"],
            "--output: \"jsn\" is not one of lines, [..]; did you mean json?",
        ),
    ] {
        refused(args, stderr);
    }
}

/// A value that an option takes, so that what is refused is not the value.
fn value_of(arg: &clap::Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let name = names.first().map(|name| name.as_str()).unwrap_or_default();
    match (arg.get_possible_values().first(), arg.get_long(), name) {
        (Some(value), ..) => value.get_name(),
        (_, Some("resolve"), _) => "a:1:127.0.0.1",
        (_, Some("connect-to"), _) => "a:1:b:2",
        (_, Some("pinned-sha256"), _) => "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        (.., "[ADDR:]PORT" | "BITS") => "9",
        (.., "USER:PASSWORD" | "USER:PASS" | "USER[:PASSWORD]") => "a:b",
        (.., "URL") => "ws://127.0.0.1:1",
        _ => "1",
    }
    .to_owned()
}

/// An argument as it is typed.
fn typed(arg: &clap::Arg) -> Vec<String> {
    match arg.get_long() {
        Some(long) if arg.get_action().takes_values() => {
            vec![format!("--{long}={}", value_of(arg))]
        }
        Some(long) => vec![format!("--{long}")],
        // The second of two.
        None if arg.get_id() == "server" => vec!["9".to_owned(), value_of(arg)],
        None if arg.is_last_set() => vec!["--".to_owned(), value_of(arg)],
        None => vec![value_of(arg)],
    }
}

#[test]
fn options_that_exclude_each_other_are_named_in_our_own_words() {
    let mut program = wscope::cli::command();
    program.build();
    let mut tried = 0;
    for mode in [&program].into_iter().chain(program.get_subcommands()) {
        for arg in mode.get_arguments() {
            for other in mode.get_arg_conflicts_with(arg) {
                let name = Some(mode.get_name()).filter(|name| *name != "wscope");
                let mut both = [typed(arg), typed(other)];
                both.sort_by_key(|words| words[0] == "--");
                let words = name.map(str::to_owned).into_iter().chain(both.concat());
                let words: Vec<String> = words.collect();
                let output = Test::new().args(words.clone()).stderr_any().status(2);
                let stderr = output.stderr();
                let sentences = [" can't be combined with ", " one URL only, "];
                let known = sentences.iter().any(|sentence| stderr.contains(sentence));
                assert!(known, "{words:?}: {stderr}");
                assert_eq!(stderr.lines().count(), 1, "{words:?}: {stderr}");
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn whatever_is_refused_has_a_sentence_of_our_own() {
    for (args, stderr) in [
        (
            &["-q", "-v", "ws://h"][..],
            "--quiet can't be combined with --verbose; leave one of them out",
        ),
        (&["--key", "x", "ws://h"], "--key needs --cert FILE, too"),
        (&["listen", "--exec-raw", "9001"], "--exec-raw needs --exec CMD, too"),
        (
            &["decode", "--hex", "81", "f"],
            "--hex can't be combined with FILE; leave one of them out",
        ),
        (&["ca", "nope"], "wscope ca has no command 'nope'; it has [..]"),
        (&["ca", "pen"], "wscope ca has no command 'pen'; did you mean pem?"),
        (&["man", "x"], "unexpected argument x: wscope man takes no argument"),
        (
            &["convert", "a", "b", "c d"],
            "unexpected argument 'c d': wscope convert takes only IN and OUT",
        ),
        (&["ping", "ws://h", "b"], "one URL only, not b too"),
        (&["listen", "--quiet=1", "9001"], "--quiet takes no value; write it alone"),
        (&["-v"], "wscope needs URL; wscope --help shows how"),
        (&["completions", "tcsh"], "SHELL: \"tcsh\" is not one of [..]"),
    ] {
        refused(args, stderr);
    }
}
