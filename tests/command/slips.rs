//! A slip in a command's own words is an error, and never becomes payload.

use wscope::script::command::{Command, parse};

#[test]
fn a_slip_is_refused_with_what_to_write() {
    for (line, at, said) in [
        ("/frame pingg fin=maybe x", 7, "\"pingg\" is not an opcode; write ping, or --"),
        ("/frame tetx hello", 7, "\"tetx\" is not an opcode; write text, or --"),
        (
            "/frame rsv1=on ping hello",
            15,
            "\"ping\" is an opcode that does not come first; write opcode=ping",
        ),
        ("/frame rsv1=on pnig hello", 15, "\"pnig\" is not an opcode; write ping"),
        ("/frame ping fim=on x", 12, "\"fim=on\" is not an option of /frame; write fin="),
        ("/frame ping fin=maybe x", 16, "\"maybe\" is not a switch; write on or off"),
        (
            "/frame hello fin=off",
            13,
            "\"fin=off\" is an option in the payload; write options before",
        ),
        ("/frame ping hello msak=off", 18, "\"msak=off\" is an option in the payload"),
        ("/frame ping hexx:00ff", 12, "\"hexx:\" is not a notation; write hex:, or text:"),
        ("/fragment 3 binry x", 12, "\"binry\" is not an option; write binary, or --"),
        ("/fragment 3 binary pign x", 19, "\"pign\" is not an option; write ping, or --"),
        ("/text HEX:00 ff", 6, "\"HEX:\" is not a notation; write hex:"),
        ("/text bas64:AAH+", 6, "\"bas64:\" is not a notation; write base64:"),
        ("/ping b64:AAH+", 6, "\"b64:\" is not a notation; write base64:"),
        (
            "/every 5s ping",
            10,
            "\"ping\" is a command without its slash; write /ping, or /text ping",
        ),
        ("/repeat 3 ping me", 10, "\"ping\" is a command without its slash"),
        ("/every 1s binary 00", 10, "\"binary\" is a command without its slash"),
        (
            "/show frame 3",
            6,
            "\"frame\" is not a topic of /show; write handshake, tls, stats, state, lens, frames, message; did you mean frames?",
        ),
        ("/sleep 1", 0, "unknown command /sleep; did you mean /wait?"),
        ("/stats", 0, "unknown command /stats; did you mean /show stats?"),
        ("/log of", 5, "\"of\" is not a choice of /log; write off"),
        ("/open wss//h", 6, "a colon is missing after `wss`; write wss://h"),
        ("/open @dev", 6, "a profile is not a URL; write it first, as in wscope @dev"),
        ("/close 1000x", 7, "\"1000x\" is not a close code"),
        ("/autopong of", 10, "\"of\" is not a way to answer pings"),
        ("/compress onn", 10, "\"onn\" is not a switch"),
        ("/show frmes", 6, "\"frmes\" is not a topic of /show"),
        ("/view hexx", 6, "\"hexx\" is not a view"),
        ("/filter inn", 8, "\"inn\" is not a filter"),
        ("/timestamps of", 12, "\"of\" is not a setting of /timestamps"),
        ("/file x txt", 8, "\"txt\" is not a type of message"),
        ("/stop all", 6, "\"all\" is not a number"),
        ("/wait 5sec", 6, "\"5sec\" is not a time"),
        ("/reconnect now", 11, "unexpected argument \"now\""),
        ("/quit 1000", 6, "unexpected argument \"1000\""),
    ] {
        let error = parse(line).expect_err(line);
        assert!(error.to_string().starts_with(said), "{line}: {error}");
        assert_eq!(error.at, at, "{line}: {error}");
    }
}

#[test]
fn what_only_looks_like_a_slip_is_sent() {
    for line in [
        "/frame -- pingg",
        "/frame length=1000 short",
        "/frame ping hello there a=b",
        "/frame text payload=fin=on",
        "/frame code=1000 reason=fin=on",
        "/frame ping ping",
        "/fragment 3 -- binry",
        "/fragment 2 one message",
        "/text hey: you",
        "/text next: 5",
        "/text text:hexx:00ff",
        "/text {\"hex\":\"00\"}",
        "/every 1s status update from me",
        "/every 1s close the door",
        "/repeat 2 help me",
        "/repeat 2 /text ping",
        "/log ./of",
        "/open 7001",
    ] {
        assert!(!matches!(parse(line), Err(_) | Ok(Command::Nothing)), "{line}: {:?}", parse(line));
    }
    // A line that is no command is sent as it is.
    assert!(matches!(parse("ping"), Ok(Command::Text(_))));
}
