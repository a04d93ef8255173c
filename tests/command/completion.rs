//! What is proposed while a line is typed, and the grey rest after it.

use wscope::script::command::completion::complete;
use wscope::script::command::completion::hint;

/// The start and the replacements at the end of a line; there are two files.
fn proposed(line: &str) -> (usize, Vec<String>) {
    let files = |path: &str| {
        let all = ["notes.txt", "my file", "src/", "~/home"];
        all.iter().filter(|file| file.starts_with(path)).map(|file| (*file).to_owned()).collect()
    };
    let (start, found) = complete(line, line.len(), &files);
    (start, found.into_iter().map(|candidate| candidate.replacement).collect())
}

fn proposes(line: &str, start: usize, wanted: &[&str]) {
    let (at, found) = proposed(line);
    assert_eq!(found, wanted, "{line}");
    assert!(wanted.is_empty() || at == start, "{line}: {at}");
}

#[test]
fn texts_are_left_alone() {
    for line in ["", "hello", "//pi", "/# pi", "/nonsense on", " /pi"] {
        proposes(line, 0, &[]);
    }
}

#[test]
fn commands_by_their_beginning() {
    proposes("/pi", 0, &["/ping "]);
    proposes("/PO", 0, &["/pong "]);
    proposes("/sta", 0, &["/status"]);
    assert!(proposed("/").1.len() > 30);
    let (_, found) = complete("/ping hello", 2, &|_| Vec::new());
    assert_eq!(found.len(), 5, "{found:?}");
    assert_eq!(
        (found[0].display.as_str(), found[0].description.as_str()),
        ("/ping", "sends a ping")
    );
}

#[test]
fn what_lenses_speak() {
    proposes("/lens st", 6, &["stomp"]);
    proposes("/stomp su", 7, &["subscribe "]);
    proposes("/mqtt pub", 6, &["pub ", "pub1 ", "pub2 "]);
    proposes("/rpc no", 5, &["notify "]);
    proposes("/show le", 6, &["lens"]);
    let (_, found) = complete("/sio emi", 8, &|_| Vec::new());
    assert!(!found[0].description.is_empty());
}

#[test]
fn commands_inside_others() {
    proposes("/every 5s /pi", 10, &["/ping "]);
    proposes("/every 5s /repeat 2 /pi", 20, &["/ping "]);
    proposes("/every 5s /ev", 10, &[]);
    proposes("/every 5s /repeat 2 /rep", 20, &[]);
    proposes("/repeat 2 /show st", 16, &["stats", "state"]);
    assert!(proposed("/repeat 2 ").1.contains(&"/binary ".to_owned()));
    proposes("/repeat 2 hello", 0, &[]);
}

#[test]
fn words_of_a_closed_choice() {
    proposes("/autoclose ", 11, &["on", "off"]);
    proposes("/autopong d", 10, &["delay"]);
    proposes("/view ", 6, &["frames", "messages", "json", "hex"]);
    proposes("/timestamps r", 12, &["relative"]);
    proposes("/show h", 6, &["handshake"]);
    proposes("/show m", 6, &["message"]);
    proposes("/show frames ", 13, &[]);
    proposes("/help fr", 6, &["frame", "fragment"]);
    proposes("/help /fra", 6, &["frame", "fragment"]);
    proposes("/clear ", 7, &[]);
}

#[test]
fn close_codes_by_number_and_name() {
    proposes(
        "/close 100",
        7,
        &["1000", "1001", "1002", "1003", "1004", "1005", "1006", "1007", "1008", "1009"],
    );
    proposes("/close go", 7, &["going-away"]);
    proposes("/close 1000 go", 12, &[]);
    let (_, found) = complete("/close 1000", 11, &|_| Vec::new());
    assert_eq!(found[0].display, "1000  normal closure");
}

#[test]
fn frames() {
    proposes("/frame pi", 7, &["ping"]);
    proposes("/frame rs", 7, &["rsv1=", "rsv2=", "rsv3=", "rsv="]);
    proposes("/frame ping fi", 12, &["fin="]);
    proposes("/frame ping fin=o", 12, &["fin=on", "fin=off"]);
    proposes("/frame fin=on form=", 14, &["form=7", "form=16", "form=64"]);
    proposes("/frame opcode=po", 7, &["opcode=pong"]);
    proposes("/frame code=goi", 7, &["code=going-away"]);
    proposes("/frame ping hello fi", 0, &[]);
    proposes("/frame ping he", 12, &["hex:"]);
    proposes("/frame -- @no", 10, &["@notes.txt"]);
    proposes("/fragment 2 b", 12, &["binary", "base64:"]);
    proposes("/fragment 2 binary p", 19, &["ping"]);
}

#[test]
fn filters() {
    proposes("/filter i", 8, &["in"]);
    proposes("/filter in te", 11, &["text"]);
    proposes("/filter in text,pi", 11, &["text,ping"]);
    proposes("/filter in text in", 0, &[]);
}

#[test]
fn headers() {
    proposes("/headers auth", 9, &["Authorization: "]);
    proposes("/headers Authorization: B", 0, &[]);
}

#[test]
fn files() {
    proposes("/file no", 6, &["notes.txt"]);
    proposes("/file my", 6, &[r"my\ file"]);
    proposes(r"/file my\ f", 6, &[r"my\ file"]);
    proposes("/file \"my f", 6, &["\"my file\""]);
    proposes("/file 's", 6, &["'src/"]);
    proposes("/file ~/h", 6, &["~/home"]);
    proposes("/file notes.txt t", 16, &["text"]);
    proposes("/text @my f", 6, &["@my file"]);
    proposes("/text he", 6, &["hex:"]);
    proposes("/log o", 5, &["off"]);
    proposes("/log n", 5, &["notes.txt"]);
    proposes("/file \"notes.txt\"", 0, &[]);
}

#[test]
fn hints_are_the_arguments_that_are_left() {
    for (line, wanted) in [
        ("/close", " [CODE] [REASON]"),
        ("/close ", "[CODE] [REASON]"),
        ("/close 1000", " [REASON]"),
        ("/close 1000 ", "[REASON]"),
        ("/rec", "onnect"),
        ("/ev", "ery INTERVAL COMMAND"),
        ("/frame ping ", "[KEY=VALUE…] [PAYLOAD]"),
        ("/frame fin=on ", "[KEY=VALUE…] [PAYLOAD]"),
        ("/fragment 3 ping ", "MESSAGE"),
        ("/every 5s ", "COMMAND"),
        ("/every 5s /clo", "se [CODE] [REASON]"),
        ("/every 5s /close 1000 ", "[REASON]"),
        ("/expect /two words/ ", "[TIMEOUT]"),
        ("/expect /two words", " [TIMEOUT]"),
        ("/filter text ", "[/REGEX/]"),
        ("/h", "elp [COMMAND]"),
        ("/stom", "p COMMAND [ARGUMENTS]"),
        ("/stomp send ", "DESTINATION [BODY…]"),
        ("/stomp send", " DESTINATION [BODY…]"),
        ("/stomp send /topic/a ", "[BODY…]"),
        ("/rpc add ", "[PARAMS…]"),
    ] {
        assert_eq!(hint(line, line.len()).as_deref(), Some(wanted), "{line}");
    }
    for line in
        ["", "hello", "/", "/p", "/abort", "/ping hi", "/close 1000 bye", "/pnig ", "//close"]
    {
        assert_eq!(hint(line, line.len()), None, "{line}");
    }
    assert_eq!(hint("/close", 3), None);
}
