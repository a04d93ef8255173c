//! What is wrong with a line: the message, and the byte it points at.

use wscope::script::command::parse;

/// Checks messages that are given up to `[..]`.
fn refused(cases: &[(&str, usize, &str)]) {
    for (line, at, wanted) in cases {
        let error = parse(line).expect_err(line);
        let debugged = error.to_string();
        match wanted.strip_suffix("[..]") {
            Some(begin) => assert!(debugged.starts_with(begin), "{line}: {debugged}"),
            None => assert_eq!(debugged, *wanted, "{line}"),
        }
        assert_eq!(error.at, *at, "{line}: {debugged}");
        assert!(line.is_char_boundary(error.at), "{line}");
        assert!(!debugged.contains('\n') && !debugged.ends_with('.'), "{line}: {debugged}");
    }
}

#[test]
fn unknown_commands_are_suggested_never_done() {
    refused(&[
        ("/pnig", 0, "unknown command /pnig; did you mean /ping?"),
        ("/rec", 0, "unknown command /rec; did you mean /reconnect?"),
        ("/p hi", 0, "unknown command /p; did you mean /ping or /pong or /pretty?"),
        ("/PING", 0, "unknown command /PING; did you mean /ping?"),
        (
            "/etc/passwd",
            0,
            "unknown command /etc/passwd; /help lists all commands; to send a text that begins with /, write //",
        ),
        ("/", 0, "unknown command /; /help lists all[..]"),
        ("/ ping", 0, "unknown command /; /help lists all[..]"),
        ("/\u{1b}[31m", 0, "unknown command /\\e[31m; /help lists all[..]"),
        ("/every 1 /pnig", 9, "unknown command /pnig; did you mean /ping?"),
        ("/help pnig", 6, "unknown command /pnig; did you mean /ping?"),
    ]);
}

#[test]
fn arguments_missing_or_too_many() {
    refused(&[
        ("/file", 5, "/file needs PATH; usage: /file PATH [text|binary]"),
        ("/file \"\"", 8, "/file needs PATH; usage: /file PATH [text|binary]"),
        ("/wait ", 6, "/wait needs TIME; usage: /wait TIME"),
        ("/every", 6, "/every needs INTERVAL; usage: /every INTERVAL COMMAND"),
        ("/every 5s", 9, "/every needs COMMAND; usage: /every INTERVAL COMMAND"),
        ("/every 5s /# no", 15, "/every needs COMMAND; usage: /every INTERVAL COMMAND"),
        ("/repeat", 7, "/repeat needs N; usage: /repeat N COMMAND"),
        ("/expect", 7, "/expect needs REGEX; usage: /expect REGEX [TIMEOUT]"),
        ("/source", 7, "/source needs FILE; usage: /source FILE"),
        ("/open", 5, "/open needs URL; usage: /open URL"),
        ("/show", 5, "/show needs a topic; usage: /show TOPIC [N] [/REGEX/]"),
        ("/autopong delay", 15, "/autopong needs a time; usage: /autopong [on|off|delay TIME]"),
        ("/fragment", 9, "/fragment needs N, or sizes such as 2,0,5; usage: [..]"),
        ("/fragment 3", 11, "/fragment needs a message (an empty one is written --); usage: [..]"),
        ("/fragment 3 ping", 16, "/fragment needs a message[..]"),
        ("/abort now", 7, "unexpected argument \"now\"; usage: /abort"),
        ("/quit 1000", 6, "unexpected argument \"1000\"; usage: /quit"),
        ("/compress on off", 13, "unexpected argument \"off\"; usage: /compress [on|off]"),
        ("/filter off in", 12, "unexpected argument \"in\"; usage: /filter [..]"),
        ("/filter /a/b", 11, "unexpected argument \"b\"; usage: /filter [..]"),
        ("/wait 1 /ping", 8, "unexpected argument \"/ping\"; usage: /wait TIME"),
    ]);
}

#[test]
fn words_that_are_not_what_they_should_be() {
    let times = "write seconds, as in 1.5, or 250ms, 2m, 1h";
    refused(&[
        ("/close bye", 7, "\"bye\" is not a close code; write 0 to 65535, or a name such as [..]"),
        ("/close 65536", 7, "\"65536\" is not a close code; [..]"),
        ("/file a b", 8, "\"b\" is not a type of message; write text or binary; a path with [..]"),
        (
            "/autopong maybe",
            10,
            "\"maybe\" is not a way to answer pings; write on, off or delay 2s",
        ),
        ("/autopong delay x", 16, &format!("\"x\" is not a time; {times}")),
        ("/autoclose maybe", 11, "\"maybe\" is not a switch; write on or off"),
        ("/every 0 a", 7, &format!("\"0\" is not an interval; {times}; at least 1ms")),
        ("/every 1e300 a", 7, "\"1e300\" is not an interval; [..]"),
        ("/repeat 0 a", 8, "\"0\" is not a count; write a number from 1 up"),
        ("/repeat -1 a", 8, "\"-1\" is not a count; [..]"),
        ("/stop all", 6, "\"all\" is not a number; write the number of an /every, or nothing"),
        ("/wait -1", 6, &format!("\"-1\" is not a time; {times}")),
        ("/wait 1000000h", 6, "\"1000000h\" is not a time; [..]"),
        (
            "/expect a b",
            10,
            &format!("\"b\" is not a time; {times}; a regular expression with [..]"),
        ),
        (
            "/show all",
            6,
            "\"all\" is not a topic of /show; write handshake, tls, stats, state, lens, frames, message",
        ),
        (
            "/show frames x",
            13,
            "\"x\" is not a number of frames; write a number, or nothing for 20",
        ),
        ("/view all", 6, "\"all\" is not a view; write frames, messages, json, hex"),
        (
            "/timestamps x",
            12,
            "\"x\" is not a setting of /timestamps; write auto, on, off, relative",
        ),
        (
            "/filter text,tex",
            8,
            "\"text,tex\" is not a filter; write off, in, out, both, opcodes[..]",
        ),
        (
            "/fragment 0 a",
            10,
            "\"0\" is not a way to cut a message; write 1 to 1000000 fragments[..]",
        ),
        ("/fragment 1,,2 a", 10, "\"1,,2\" is not a way to cut a message; [..]"),
        ("/fragment , a", 10, "\",\" is not a way to cut a message; [..]"),
    ]);
}

#[test]
fn options_of_a_frame() {
    refused(&[
        ("/frame 16", 7, "\"16\" is not an opcode; write 0 to 15, or continuation, text, [..]"),
        (
            "/frame opcode=pnig",
            14,
            "\"pnig\" is not an opcode; write 0 to 15, or continuation, [..]",
        ),
        ("/frame ping fin=maybe", 16, "\"maybe\" is not a switch; write on or off"),
        ("/frame rsv=8", 11, "\"8\" is not a value of rsv; write 0 to 7"),
        ("/frame mask=xyz", 12, "\"xyz\" is not a mask; write on, off or 8 hex digits"),
        ("/frame form=8", 12, "\"8\" is not a form; write 7, 16 or 64"),
        (
            "/frame length=-1",
            14,
            "\"-1\" is not a length; write a number of bytes, at most 64 bits long",
        ),
        ("/frame code=x", 12, "\"x\" is not a close code; [..]"),
        ("/frame code=1000 @a", 17, "with code=, the reason must be text, not @FILE"),
        (
            "/frame ping fni=off a",
            12,
            "\"fni=off\" is not an option of /frame; write fin=, or -- before a payload that begins so",
        ),
        ("/frame fin=on fin=off", 14, "fin is given twice"),
        ("/frame ping opcode=pong", 12, "opcode is given twice"),
    ]);
}

#[test]
fn payloads() {
    refused(&[
        (r"/text a\q", 7, r"\q is not an escape; a backslash is written \\ (known: \n \r [..]"),
        (r"/text \", 6, r"a backslash at the end; a literal backslash is written \\ [..]"),
        (r"/text é\x1", 8, r"\x needs two hex digits, as in \x7f"),
        (r"/ping \u00e9", 6, r"\u needs a code point in braces, as in \u{1F600}"),
        (r"/close 1000 \q", 12, r"\q is not an escape; [..]"),
        (
            "/binary hello",
            8,
            "\"hello\" is not hex: 'h' is not a hex digit; for text write it in quotes",
        ),
        ("/binary 00 ff f", 14, "\"00 ff f\" is not hex: an odd number of digits; for text [..]"),
        ("/text hex:0g", 11, "\"0g\" is not hex: 'g' is not a hex digit"),
        ("/binary \"hello", 8, "the \" here is not closed"),
        ("/text base64:A*==", 14, "\"A*==\" is not base64: '*' at character 2 is not base64"),
        ("/text base64:AAA", 16, "\"AAA\" is not base64: [..]"),
        ("/text @", 7, "no path after @; a text that begins with @ is written \\@"),
        ("/text @\"a", 7, "the \" here is not closed"),
        (
            "/text @\"a\" b",
            10,
            "\" b\" is not part of the path; write the path alone, in quotes if it has spaces",
        ),
        ("/file 'a", 6, "the ' here is not closed"),
    ]);
}

#[test]
fn regular_expressions_and_headers() {
    refused(&[
        ("/expect (a", 8, "\"(a\" is not a regular expression: unclosed group"),
        ("/expect /a", 8, "the / here is not closed"),
        ("/expect \"a", 8, "the \" here is not closed"),
        ("/filter /(a/", 8, "\"(a\" is not a regular expression: unclosed group"),
        ("/filter in out", 11, "the direction is given twice"),
        ("/filter text ping", 13, "the list of opcodes is given twice"),
        ("/filter /a/ /b/", 12, "the regular expression is given twice"),
        ("/headers Origin", 9, "header \"Origin\" has no colon; write 'Name: value', or [..]"),
    ]);
}

#[test]
fn what_can_not_be_repeated_is_refused_with_the_reason() {
    refused(&[
        ("/every 1 /every 1 /ping", 9, "/every can't be used in /every: it already repeats"),
        ("/repeat 2 /every 1 /ping", 10, "/every can't be used in /repeat: it already repeats"),
        ("/repeat 2 /repeat 2 a", 10, "/repeat can't be used in /repeat: multiply [..]"),
        ("/every 1 /repeat 2 /repeat 2 a", 19, "/repeat can't be used in /repeat: [..]"),
        (
            "/every 1 /source x",
            9,
            "/source can't be used in /every: it can only be a line of its own",
        ),
        (
            "/repeat 2 /wait 1",
            10,
            "/wait can't be used in /repeat: it makes the following lines wait[..]",
        ),
        (
            "/every 1 /expect a",
            9,
            "/expect can't be used in /every: it makes the following lines wait[..]",
        ),
        ("/repeat 2 /quit", 10, "/quit can't be used in /repeat: it ends the connection"),
        (
            "/every 1 /view hex",
            9,
            "/view can't be used in /every: repeating a setting has no effect",
        ),
    ]);
}
