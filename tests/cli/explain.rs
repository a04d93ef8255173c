//! `wscope explain`: the catalogue on stdout, status 2 for what it does not know.

use crate::harness::Test;

fn explaining<'a>(args: impl IntoIterator<Item = &'a str>) -> Test {
    Test::new().args(["explain"]).args(args)
}

const W463: &str = "\
error[W463]: accepted, then dropped at once

What it means
  The stream ended right after the 101, without a frame.

How it is recognised
  End of stream less than 100 ms after the 101, and no frame.

What to do
  Read the application's log at that moment, and that of a proxy in front, which may answer 101 before the backend does.

Source
  widely known

Possible causes
  - the server supports none of the subprotocols offered
  - the proxy accepted and the backend refused
  - the application's handler ended at once, or with an exception
  - the application does not know the path
";

#[test]
fn a_code_in_either_letter_case() {
    for code in ["W463", "w463"] {
        explaining([code]).stdout(W463).status(0);
    }
}

#[test]
fn a_close_code_and_its_name() {
    for asked in ["1001", "going-away"] {
        explaining([asked])
            .stdout_like(
                "Close code 1001, going away: a server is going down, or a browser has left the page.\n\
                 \n\
                 note[W701]: the peer is leaving (1001)\n\
                 ...",
            )
            .status(0);
    }
}

#[test]
fn a_status_and_a_rule() {
    explaining(["404"])
        .stdout_like(
            "HTTP status 404 instead of 101.\n\nerror[W334]: there is no WebSocket at this path\n...",
        )
        .status(0);
    explaining(["4.1-req-method"])
        .stdout("Rule 4.1-req-method of the handshake: the method is GET.\n")
        .status(0);
}

#[test]
fn messages_of_a_browser_are_explained() {
    explaining(["--browser", "WebSocket connection to 'ws://h/' failed: Invalid frame header"])
        .stdout_like(
            "Chrome reports this for W461.\n\
             \n\
             error[W461]: the server accepted the upgrade, then sent text instead of frames\n\
             ...\n\
             It may also be\n  W606  a reserved data opcode\n  \
             W610  a length is not written in its shortest form\n",
        )
        .status(0);
}

#[test]
fn the_list_has_every_code() {
    let output = explaining(["--list"]).stdout_any().status(0);
    for entry in wscope::diagnostics::entries() {
        let line = format!("  {}  {}\n", entry.code, entry.title);
        assert!(output.stdout().contains(&line), "{line}");
    }
}

#[test]
fn colours_on_demand() {
    explaining(["--color", "always", "W463"])
        .stdout(W463.replacen("error[W463]", "\x1b[31merror[W463]\x1b[0m", 1))
        .status(0);
}

#[test]
fn exit_2_for_what_is_not_known_with_the_nearest() {
    explaining(["going-awya"])
        .stderr(
            "wscope: unknown topic \"going-awya\" (did you mean going-away?); \
             see `wscope explain --list`\n",
        )
        .status(2);
    explaining(["--browser", "it does not work"])
        .stderr(
            "wscope: wscope does not know this message; browsers hide the cause from pages, so run \
             wscope -v URL to see it\n",
        )
        .status(2);
}

#[test]
fn errors_of_the_system_are_explained_by_name_and_by_their_words() {
    let begins = |args: &[&str], lines: &str| {
        explaining(args.iter().copied()).stdout_like(format!("{lines}...\n")).status(0);
    };
    let reset = "ECONNRESET (\"connection reset by peer\"): [..]\n\nerror[W802]: the connection was reset\n";
    begins(&["ECONNRESET"], reset);
    begins(&["econnreset"], reset);
    begins(&["connection", "reset", "by", "peer"], reset);
    begins(&["Connection reset by peer (os error 104)"], reset);
    begins(&["connect ECONNREFUSED 127.0.0.1:80"], "ECONNREFUSED [..]\n\nerror[W103]: [..]\n");
    begins(&["ETIMEDOUT"], "ETIMEDOUT [..]\n\nerror[W105]: [..]\n");
    begins(&["socket hang up"], "Node.js reports this for W107.\n\nerror[W107]: [..]\n");
    explaining(["EADDRINUSE"])
        .stdout_like("EADDRINUSE (\"address already in use\"): [..]\n")
        .status(0);
}
