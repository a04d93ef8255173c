//! The rows of the table: every command of the prompt with its arguments and its help.
//!
//! Help texts are written for users: what happens, what does not happen, and what may surprise.

use crate::script::command::entry::Args;
use crate::script::command::error::ParseError;
use crate::script::command::table::{
    Arg, ArgKind, Availability, Choices, CommandEntry, Group, Nesting, SHOWN,
};
use crate::script::command::{Command, ReleaseWhat, frame, parse};

const ON_OFF: Choices = &[("on", ""), ("off", "")];
const PONGS: Choices = &[
    ("on", "answers pings at once"),
    ("off", "leaves pings unanswered"),
    ("delay", "answers after a time"),
];
const TYPES: Choices = &[("text", "as a text message"), ("binary", "as a binary message")];
const BINARY: Choices = &[("binary", "a binary message")];
const PING: Choices = &[("ping", "a ping between the fragments")];
const DIRECTIONS: Choices = &[
    ("in", "what is received"),
    ("out", "what is sent"),
    ("both", "both directions"),
    ("off", "everything"),
];
const OFF: Choices = &[("off", "ends the log")];

const PAYLOAD: Arg = Arg { shown: "[PAYLOAD]", kind: ArgKind::Payload };
const SWITCH: Arg = Arg { shown: "[on|off]", kind: ArgKind::Choice(ON_OFF) };
const COMMAND: Arg = Arg { shown: "COMMAND", kind: ArgKind::Command };

const TARGET: Arg = Arg { shown: "TARGET", kind: ArgKind::Clients };
const CODE: Arg = Arg { shown: "[CODE]", kind: ArgKind::CloseCode };
const REASON: Arg = Arg { shown: "[REASON]", kind: ArgKind::Reason };

const OPENS: Availability = Availability::Client("a server does not open connections, clients do");
const MANY: Availability =
    Availability::Server("a client has one connection only; this command is for wscope listen");

const RELAYS: Availability = Availability::Proxy("it is for wscope proxy");

const ENDS: Nesting = Nesting::No("it ends the connection");
const SETS: Nesting = Nesting::No("repeating a setting has no effect");
const HOLDS: Nesting = Nesting::No("it makes the following lines wait, but no lines follow");
const ASKS: Nesting = Nesting::No("it can only be a line of its own");

/// A row with the usual values: no other names, no arguments, repeatable.
const fn row(
    group: Group,
    name: &'static str,
    summary: &'static str,
    parse: fn(&mut Args<'_>) -> Result<Command, ParseError>,
) -> CommandEntry {
    CommandEntry {
        name,
        aliases: &[],
        group,
        args: &[],
        summary,
        help: "",
        examples: &[],
        nesting: Nesting::Yes,
        side: Availability::Both,
        parse,
    }
}

const SPOKEN: &[Arg] = &[
    Arg { shown: "COMMAND", kind: ArgKind::Spoken },
    Arg { shown: "[ARGUMENTS]", kind: ArgKind::Text },
];
const REST: Arg = Arg { shown: "[ARGUMENTS]", kind: ArgKind::Text };
const METHOD: &[Arg] = &[Arg { shown: "METHOD", kind: ArgKind::Spoken }, REST];
const ACTION: &[Arg] = &[Arg { shown: "ACTION", kind: ArgKind::Spoken }, REST];
const VALUE: &[Arg] = &[Arg { shown: "VALUE", kind: ArgKind::Text }];

/// A row of a protocol that lenses speak, by its word.
const fn spoken(
    name: &'static str,
    summary: &'static str,
    args: &'static [Arg],
    examples: &'static [(&'static str, &'static str)],
) -> CommandEntry {
    CommandEntry { args, help: SPEAKING, examples, ..row(Group::Lens, name, summary, parse::speak) }
}

const SPEAKING: &str = "Sends a valid message, with a new id if the protocol has one. If no lens is active, this \
     command activates its own.";

/// Every command, grouped, in the order of lists.
pub const ENTRIES: &[CommandEntry] = &[
    CommandEntry {
        args: &[PAYLOAD],
        help: "A line without a command is sent unchanged, without escapes. After /text, the first space is a \
            separator; further spaces belong to the payload.\n\
            PAYLOAD is text with the escapes \\n \\r \\t \\0 \\e \\a \\b \\\\ \\\" \\@ \\xHH \\u{1F600}. \
            @PATH sends the content of a file (up to 64 MiB), hex: pairs of hex digits, base64: decoded \
            base64, text: the text that follows, whatever it begins with. Without PAYLOAD the message is \
            empty. Invalid UTF-8 is sent, too; a line names the rule it breaks.",
        examples: &[
            ("/text two\\nlines", "a message of two lines"),
            ("/text @subscribe.json", "the content of a file"),
            ("/text hex:ff fe", "a text that is not UTF-8"),
            ("/text text:@home", "the text @home"),
        ],
        ..row(Group::Send, "text", "sends a text message", |args| {
            parse::text(args).map(Command::Text)
        })
    },
    CommandEntry {
        args: &[PAYLOAD],
        help: "PAYLOAD is pairs of hex digits; spaces, commas, colons and 0x between them are ignored. In \
            double quotes, or with a backslash, it is text with the escapes of /text. @PATH, base64: and \
            text: work as for /text.",
        examples: &[
            ("/binary 00 01 fe ff", "four bytes"),
            ("/binary \"hello\\0\"", "the bytes of a text"),
            ("/binary base64:AAH+/w==", "the same four bytes"),
        ],
        ..row(Group::Send, "binary", "sends a binary message", |args| {
            parse::bytes(args).map(Command::Binary)
        })
    },
    CommandEntry {
        args: &[
            Arg { shown: "PATH", kind: ArgKind::Path(&[]) },
            Arg { shown: "[text|binary]", kind: ArgKind::Choice(TYPES) },
        ],
        help: "The message is binary unless text is given. A PATH with spaces is written in quotes or with \
            backslashes; ~/ is your home directory. The file may have any size; it is sent in fragments of \
            1 MiB. A pipe or device is sent until it ends.",
        examples: &[
            ("/file image.png", "a binary message"),
            ("/file \"my order.json\" text", "a text message"),
        ],
        ..row(Group::Send, "file", "sends a file as one message", parse::file)
    },
    CommandEntry {
        args: &[PAYLOAD],
        help: "The pong is shown with its round trip time. PAYLOAD is written as for /text; a payload of \
            more than 125 bytes breaks RFC 6455 §5.5.",
        examples: &[("/ping", "an empty ping"), ("/ping are you there?", "a ping with a text")],
        ..row(Group::Send, "ping", "sends a ping", |args| parse::text(args).map(Command::Ping))
    },
    CommandEntry {
        args: &[PAYLOAD],
        help: "An unsolicited pong is legal; it serves as a one-way heartbeat (RFC 6455 §5.5.3). wscope \
            answers the peer's pings without this command, see /autopong.",
        examples: &[("/pong", "a heartbeat")],
        ..row(Group::Send, "pong", "sends an unsolicited pong", |args| {
            parse::text(args).map(Command::Pong)
        })
    },
    CommandEntry {
        args: &[CODE, REASON],
        help: "CODE is a number from 0 to 65535, legal or not, or a registered name such as going-away. \
            Without CODE the Close frame is empty. REASON is text with the escapes of /text; a legal frame \
            has room for 123 bytes. wscope then waits for the peer's Close.",
        examples: &[
            ("/close", "a Close without a code"),
            ("/close 1000 bye", "a normal closure with a reason"),
            ("/close going-away", "code 1001"),
            ("/close 1006", "a code that must never be sent"),
        ],
        ..row(Group::Send, "close", "starts the closing handshake", frame::close)
    },
    CommandEntry {
        args: &[
            Arg { shown: "[OPCODE]", kind: ArgKind::Opcode },
            Arg { shown: "[KEY=VALUE…]", kind: ArgKind::FrameOption },
            PAYLOAD,
        ],
        help: "OPCODE is continuation, text, binary, close, ping, pong or a number from 0 to 15, also \
            written opcode=; the default is text. These options change the other bits, which are otherwise \
            those of a legal frame: fin=on|off; rsv1=, rsv2=, rsv3= (on or off); rsv= (all three as a \
            number, RSV1 is 4); mask=on|off|KEY (KEY in 8 hex digits); form=7|16|64 (the size of the \
            length field); length= (the announced length, whatever the payload's length is).\n\
            The payload is written as for /text. It begins at the first word that is not an option, after \
            --, or after payload=. A mistyped opcode or option, and an option inside the payload, are \
            errors unless -- comes first. With code= the frame is a Close; the payload, or reason=, is its \
            reason.\n\
            An illegal frame is sent at once; a line names the rules it breaks.",
        examples: &[
            ("/frame ping rsv1=on hello", "a ping with RSV1, which is illegal"),
            ("/frame text fin=off Hel", "the beginning of a message"),
            ("/frame continuation lo", "its end"),
            ("/frame 0xb -- fin=on", "a reserved opcode; the payload is fin=on"),
            ("/frame binary mask=37fa213d form=64 hex:00ff", "a known key, a length in 64 bits"),
            ("/frame length=1000 short", "995 bytes are missing; the peer waits for them"),
            ("/frame code=1005 reason=\\xff", "a Close that breaks two rules"),
        ],
        ..row(Group::Send, "frame", "sends a frame with every bit chosen", frame::frame)
    },
    CommandEntry {
        args: &[
            Arg { shown: "N|SIZES", kind: ArgKind::Value },
            Arg { shown: "[binary]", kind: ArgKind::Choice(BINARY) },
            Arg { shown: "[ping]", kind: ArgKind::Choice(PING) },
            Arg { shown: "MESSAGE", kind: ArgKind::Payload },
        ],
        help: "N is the number of fragments, of about equal size. SIZES are their sizes in bytes, such as \
            2,0,5, or 5, for one size; the rest of the message is a last fragment. ping sends a ping \
            between the fragments, which RFC 6455 §5.4 allows. MESSAGE is written as for /text; after -- \
            it may begin with binary or ping, or be empty.",
        examples: &[
            ("/fragment 3 one message, three frames", "three frames"),
            ("/fragment 1,0 ping héllo", "cut inside a character, an empty frame, then the rest"),
            ("/fragment 2 binary hex:00 01 02 03", "a binary message"),
        ],
        ..row(Group::Send, "fragment", "sends a message in fragments", frame::fragment)
    },
    CommandEntry {
        args: &[PAYLOAD],
        help: "The bytes are sent without a frame header. PAYLOAD is written as for /binary.",
        examples: &[
            ("/bytes 81 80 00 00 00 00", "an empty text frame, masked"),
            ("/bytes \"GET / HTTP/1.1\\r\\n\\r\\n\"", "an HTTP request instead of a frame"),
        ],
        ..row(Group::Send, "bytes", "sends raw bytes, without a frame", |args| {
            parse::bytes(args).map(Command::Bytes)
        })
    },
    CommandEntry {
        args: &[PAYLOAD],
        help: "Opens $VISUAL or $EDITOR with PAYLOAD (written as for /text). The saved text is sent as a text \
            message; an empty file sends nothing.",
        examples: &[
            ("/edit", "begins with an empty file"),
            ("/edit {\"op\": \"\"}", "begins with this text"),
        ],
        nesting: ASKS,
        ..row(Group::Send, "edit", "writes a message in your editor", |args| {
            parse::text(args).map(Command::Edit)
        })
    },
    CommandEntry {
        args: &[Arg { shown: "URL", kind: ArgKind::Value }],
        help: "Closes the current connection first. The options of the command line still apply.",
        examples: &[("/open ws://localhost:8080/chat", "another connection")],
        aliases: &["connect"],
        nesting: ASKS,
        side: OPENS,
        ..row(Group::Connection, "open", "opens a connection to another URL", parse::open)
    },
    CommandEntry {
        help: "Connects to the same URL, with the headers that /headers shows.",
        examples: &[("/reconnect", "the same connection again")],
        nesting: ASKS,
        side: OPENS,
        ..row(Group::Connection, "reconnect", "opens the connection again", |args| {
            parse::alone(Command::Reconnect, args)
        })
    },
    CommandEntry {
        args: &[Arg { shown: "[HEADER]", kind: ArgKind::Header }],
        help: "HEADER is written as for -H: Name: value adds or replaces a header, Name: removes a default \
            header, Name; sends an empty value, @FILE reads headers from a file. The change takes effect at \
            the next /reconnect or /open.",
        examples: &[
            ("/headers", "shows the headers"),
            ("/headers Authorization: Bearer abc", "sends this header at the next /reconnect"),
            ("/headers Origin:", "removes the header"),
        ],
        nesting: SETS,
        side: OPENS,
        ..row(
            Group::Connection,
            "headers",
            "shows or changes the headers of the handshake",
            |args| parse::headers(args),
        )
    },
    CommandEntry {
        args: &[TARGET, Arg { shown: "[LINE]", kind: ArgKind::Command }],
        help: "TARGET is the number of a client, as shown in the transcript and by /clients; several \
            numbers, such as 3,5; or all. LINE is a text or a command. Without LINE, all following lines \
            are for TARGET, until /to all. @3 LINE is short for /to 3 LINE; LINE is read as usual, so @3 \
            //x sends /x. A text that begins with @ is written /text \\@.\n\
            /show, /last and /status are about TARGET; without one, about the only client, or the client \
            that sent something last.",
        examples: &[
            ("/to 3 hello", "a text for one client"),
            ("@3,5 /ping", "a ping for two"),
            ("/to 3", "the following lines are for client 3"),
            ("/to all", "the following lines are for all clients"),
        ],
        nesting: Nesting::No("write @3 there"),
        side: MANY,
        ..row(Group::Connection, "to", "sends a line to some clients", parse::to_clients)
    },
    CommandEntry {
        help: "Shows each client's number, address, path, user agent, subprotocol and extensions, how long \
            it has been open and idle, and what it sent and received.",
        examples: &[("/clients", "a few lines for each client")],
        side: MANY,
        ..row(Group::Connection, "clients", "lists the connected clients", |args| {
            parse::alone(Command::Clients, args)
        })
    },
    CommandEntry {
        args: &[Arg { shown: "[RULE|off [N]]", kind: ArgKind::Text }],
        help: "RULE is written as for --rule: DIR [OPCODES] [/RE/] -> ACTION. It is added after the existing \
            rules; the first match counts. Without an argument, lists the rules. \"off N\" removes rule N, \"off\" removes all.",
        examples: &[
            ("/rule > text /secret/ -> drop", "these texts do not reach the server"),
            ("/rule < /price/ -> replace /[0-9]+/7/", "other prices for the client"),
            ("/rule off 2", "ends rule 2"),
        ],
        nesting: SETS,
        side: RELAYS,
        ..row(Group::Connection, "rule", "changes the messages that a proxy forwards", parse::rule)
    },
    CommandEntry {
        args: &[Arg { shown: "[DIR [OPCODES] [/RE/]|off]", kind: ArgKind::Text }],
        help: "DIR is > to the server, < to the client, or <> for both. Without an argument, holds every text and binary message. Messages after a held one wait too, except pings and pongs. off stops holding new \
            messages.",
        examples: &[
            ("/hold > /order/", "messages to the server with this text"),
            ("/hold", "every message, both ways"),
        ],
        nesting: SETS,
        side: RELAYS,
        ..row(Group::Connection, "hold", "holds messages in a proxy", parse::hold)
    },
    CommandEntry {
        help: "Forwards the first held message. A connection and a direction before the command \
             select the message, as in @3> /next.",
        examples: &[("/next", "one passes")],
        side: RELAYS,
        ..row(Group::Connection, "next", "forwards a held message", |args| {
            parse::alone(Command::Release(ReleaseWhat::Next), args)
        })
    },
    CommandEntry {
        help: "Drops the first held message; the other end does not receive it.",
        examples: &[("/drop", "one message is not forwarded")],
        side: RELAYS,
        ..row(Group::Connection, "drop", "drops a held message", |args| {
            parse::alone(Command::Release(ReleaseWhat::Drop), args)
        })
    },
    CommandEntry {
        help: "Also ends the rules that hold messages.",
        examples: &[("/pass", "the proxy holds nothing any more")],
        side: RELAYS,
        ..row(Group::Connection, "pass", "forwards all held messages, ends /hold", |args| {
            parse::alone(Command::Release(ReleaseWhat::All), args)
        })
    },
    CommandEntry {
        args: &[TARGET, CODE, REASON],
        help: "TARGET is written as for /to, CODE and REASON as for /close. A proxy closes both ends.",
        examples: &[
            ("/kick 3", "a Close without a code"),
            ("/kick 3 4001 enough", "a Close with code and reason"),
            ("/kick all going-away", "closes all clients with 1001"),
        ],
        nesting: ENDS,
        side: MANY,
        ..row(Group::Connection, "kick", "closes a client's connection", parse::kick)
    },
    CommandEntry {
        help: "Shows the addresses, the duration, the subprotocol and the extensions.",
        examples: &[("/status", "a few lines")],
        ..row(Group::Connection, "status", "shows the state of the connection", |args| {
            parse::alone(Command::Status, args)
        })
    },
    CommandEntry {
        args: &[Arg { shown: "[on|off|delay TIME]", kind: ArgKind::Choice(PONGS) }],
        help: "Without an argument, shows the current setting. Use off or delay to test whether the peer \
            closes a connection whose pongs are missing.",
        examples: &[
            ("/autopong off", "pings are not answered"),
            ("/autopong delay 2s", "answers after two seconds"),
        ],
        nesting: SETS,
        ..row(Group::Connection, "autopong", "sets how pings are answered", parse::autopong)
    },
    CommandEntry {
        args: &[SWITCH],
        help: "Without an argument, shows the current setting. RFC 6455 §5.5.1 requires an answer; use off to \
            test the peer's timeout.",
        examples: &[("/autoclose off", "the peer's Close is not answered")],
        nesting: SETS,
        ..row(Group::Connection, "autoclose", "sets whether a Close is answered", |args| {
            parse::switch(args).map(Command::AutoClose)
        })
    },
    CommandEntry {
        args: &[SWITCH],
        help: "Without an argument, shows the current setting. Applies only if permessage-deflate was \
            agreed; both settings are legal at any time.",
        examples: &[("/compress off", "messages are sent uncompressed")],
        nesting: SETS,
        ..row(Group::Connection, "compress", "sets whether messages are compressed", |args| {
            parse::switch(args).map(Command::Compress)
        })
    },
    CommandEntry {
        help: "The peer sees the end of the stream without a Close frame. wscope sends nothing more, but \
            still receives.",
        examples: &[("/half-close", "sends a FIN")],
        nesting: ENDS,
        ..row(Group::Connection, "half-close", "ends our side of the TCP stream", |args| {
            parse::alone(Command::HalfClose, args)
        })
    },
    CommandEntry {
        help: "Sends no Close frame and no TLS close_notify; to the peer it looks like a crash.",
        examples: &[("/abort", "the peer sees a reset")],
        nesting: ENDS,
        ..row(Group::Connection, "abort", "ends the TCP connection with a reset", |args| {
            parse::alone(Command::Abort, args)
        })
    },
    CommandEntry {
        args: &[Arg { shown: "INTERVAL", kind: ArgKind::Value }, COMMAND],
        help: "Runs COMMAND at once and then at each INTERVAL, until /stop or the end of the script or of the \
            connection. INTERVAL is in seconds or has a unit: 500ms, 5s, 2m, 1h; the minimum is 1ms. COMMAND \
            is a /command that sends or shows something, a /repeat, or a line of text.",
        examples: &[
            ("/every 5s /ping", "a heartbeat"),
            ("/every 0.5 {\"op\":\"tick\"}", "a text message twice a second"),
            ("/every 1m /repeat 10 /text burst", "ten messages each minute"),
        ],
        nesting: Nesting::No("it already repeats"),
        ..row(Group::Script, "every", "repeats a command at an interval", parse::every)
    },
    CommandEntry {
        args: &[Arg { shown: "[N]", kind: ArgKind::Value }],
        help: "N is the number that /every printed. Without N, stops all.",
        examples: &[("/stop", "stops all"), ("/stop 1", "stops the first")],
        nesting: Nesting::No("running it again has no effect"),
        ..row(Group::Script, "stop", "stops one /every or all", parse::stop)
    },
    CommandEntry {
        args: &[Arg { shown: "N", kind: ArgKind::Value }, COMMAND],
        help: "Runs COMMAND N times, as fast as the connection allows. The first error ends it. COMMAND is a \
            /command that sends or shows something, or a line of text.",
        examples: &[("/repeat 1000 /binary 00", "a thousand messages")],
        nesting: Nesting::NotInItself("multiply the two numbers instead"),
        ..row(Group::Script, "repeat", "runs a command N times", parse::repeat)
    },
    CommandEntry {
        args: &[Arg { shown: "TIME", kind: ArgKind::Value }],
        help: "TIME is in seconds or has a unit: 500ms, 5s, 2m, 1h. The following lines wait; received \
            frames are still shown.",
        examples: &[("/wait 1.5", "a second and a half")],
        nesting: HOLDS,
        ..row(Group::Script, "wait", "waits before the next line", parse::wait)
    },
    CommandEntry {
        args: &[
            Arg { shown: "REGEX", kind: ArgKind::Regex },
            Arg { shown: "[TIMEOUT]", kind: ArgKind::Value },
        ],
        help: "The following lines wait until a message matches REGEX. If none arrives within TIMEOUT, that is \
            an error, which ends a script. Without TIMEOUT, the script of a client waits until a message matches, the \
            connection ends or --max-time has passed; the prompt and a server wait 10 s.\n\
            A script searches all messages since the connection was opened; the prompt searches those since \
            the last line that sent something. Each message matches only one /expect.\n\
            A REGEX with spaces is written /in slashes/ or \"in quotes\"; a backslash escapes a slash or \
            quote inside. A REGEX may have up to 1 MiB when compiled; a plain text may have any \
            length. Only the first \
            MiB of a message is searched.\n\
            stomp.command=MESSAGE waits for a STOMP packet whose field command is MESSAGE; other lenses work in \
            the same way. JSON output shows the names in fields; dots lead into a field, kind is the kind of \
            the packet.",
        examples: &[
            ("/expect pong", "a message that contains pong"),
            ("/expect /\"op\": *\"ready\"/ 2s", "waits two seconds at most"),
            ("/expect (?i)^welcome 500ms", "ignores upper and lower case"),
            ("/expect rpc.id=3", "the answer to a request of JSON-RPC"),
        ],
        nesting: HOLDS,
        ..row(Group::Script, "expect", "waits for a message that matches", parse::expect)
    },
    CommandEntry {
        args: &[
            Arg { shown: "REGEX", kind: ArgKind::Regex },
            Arg { shown: "[TIMEOUT]", kind: ArgKind::Value },
        ],
        help: "The following lines wait for TIMEOUT (1 s by default). A message that matches REGEX is an \
            error, which ends a script; so is an earlier message that no /expect has matched. REGEX is \
            written as for /expect.",
        examples: &[
            ("/expect-not error", "for a second, no message contains error"),
            ("/expect-not /\"op\": *\"tick\"/ 5s", "no tick for five seconds"),
        ],
        nesting: HOLDS,
        ..row(Group::Script, "expect-not", "fails if a message matches", parse::expect_not)
    },
    CommandEntry {
        args: &[
            Arg { shown: "CODE", kind: ArgKind::CloseCode },
            Arg { shown: "[TIMEOUT]", kind: ArgKind::Value },
        ],
        help: "The following lines wait for the end of the connection. Another close code, or no end within \
            TIMEOUT (as for /expect), is an error, which ends a script. CODE is a number or a registered \
            name, as an application sees it: 1005 for a Close without a code, 1006 for an end without a \
            Close. If the code is the expected one, the script ends with status 0.",
        examples: &[
            ("/expect-close 4401", "the server refuses the token"),
            ("/expect-close going-away 2s", "code 1001, within two seconds"),
        ],
        nesting: HOLDS,
        ..row(Group::Script, "expect-close", "waits for a close code", parse::expect_close)
    },
    CommandEntry {
        args: &[
            Arg { shown: "[NAME]", kind: ArgKind::Value },
            Arg { shown: "[VALUE]", kind: ArgKind::Text },
        ],
        help: "In the following lines, ${NAME} is replaced by VALUE, the rest of this line. An unset name is \
            an error; a literal ${ is written $${. Without VALUE, shows the variable; without NAME, shows \
            all. --set NAME=VALUE sets a variable at the start. Each named group of an /expect, such as \
            (?<id>[0-9]+), sets one, too.\n\
            A value is data: it is never read as a command, an option, an escape or a notation such as \
            @PATH, and a REGEX searches for it literally. /every and /repeat use the value at the time of \
            their line.",
        examples: &[
            ("/set user alice", "then {\"user\":\"${user}\"} sends {\"user\":\"alice\"}"),
            ("/set", "shows all variables"),
        ],
        nesting: SETS,
        ..row(Group::Script, "set", "sets or shows a variable", parse::set)
    },
    CommandEntry {
        args: &[
            Arg { shown: "[REGEX]", kind: ArgKind::Regex },
            Arg { shown: "[COMMAND]", kind: ArgKind::Command },
        ],
        help: "Runs COMMAND for each received message that matches REGEX, at once, even while a line waits. \
            The rule applies until /off, also after /reconnect. Without arguments, lists the rules. REGEX \
            is written as for /expect; its named groups are variables in COMMAND. COMMAND is a line of text \
            or one of /text, /binary, /ping, /pong, /close, /frame, /bytes, /abort and /half-close. If the \
            peer echoes the answers a hundred times within a second, the rule ends with an error.",
        examples: &[
            ("/on ^2$ /text 3", "the heartbeat of Engine.IO"),
            ("/on /\"ping\":(?<n>[0-9]+)/ {\"pong\":${n}}", "sends a number back"),
            ("/on", "lists the rules"),
        ],
        nesting: Nesting::No("it already applies to every message"),
        ..row(Group::Script, "on", "answers messages that match", parse::on)
    },
    CommandEntry {
        args: &[Arg { shown: "[N]", kind: ArgKind::Value }],
        help: "N is the number that /on printed. Without N, removes all.",
        examples: &[("/off", "removes all"), ("/off 1", "removes the first")],
        nesting: Nesting::No("running it again has no effect"),
        ..row(Group::Script, "off", "removes one /on rule or all", parse::off)
    },
    CommandEntry {
        args: &[
            Arg { shown: "[N]", kind: ArgKind::Value },
            Arg { shown: "[TIMEOUT]", kind: ArgKind::Value },
        ],
        help: "The following lines wait until N clients (1 by default) are connected. If they do not connect \
            within TIMEOUT (60 s by default), that is an error, which ends a script. TIMEOUT without N needs \
            a unit.",
        examples: &[
            ("/await", "one client"),
            ("/await 2 10", "two clients, within ten seconds"),
            ("/await 500ms", "one client, within half a second"),
        ],
        nesting: HOLDS,
        side: MANY,
        ..row(Group::Script, "await", "waits for clients to connect", parse::wait_for_clients)
    },
    CommandEntry {
        args: &[Arg { shown: "FILE", kind: ArgKind::Path(&[]) }],
        help: "Runs each line of FILE as if typed; /# begins a comment. A line without a command is sent as a \
            message. FILE may have up to 64 MiB.",
        examples: &[("/source login.wscope", "a file of commands")],
        nesting: ASKS,
        ..row(Group::Script, "source", "runs the lines of a file", parse::source)
    },
    CommandEntry {
        help: "",
        examples: &[("/last", "the whole message, where the transcript has cut it")],
        ..row(Group::Show, "last", "shows the last received message in full", |args| {
            parse::alone(Command::Last, args)
        })
    },
    CommandEntry {
        args: &[
            Arg { shown: "TOPIC", kind: ArgKind::Choice(SHOWN) },
            Arg { shown: "[N]", kind: ArgKind::Value },
            Arg { shown: "[/REGEX/]", kind: ArgKind::Regex },
        ],
        help: "TOPIC is handshake (both heads, every rule's verdict), tls (version, cipher, certificate), lens \
            (session, subscriptions, unanswered calls of the protocol inside), \
            stats (counts, sizes, ratios, round trips), state (the settings), frames (the last N, 20 by \
            default; with REGEX, the last N messages that match, as for /find), or message (the whole \
            message of frame N: text as received, JSON pretty-printed, binary in hexadecimal).\n\
            N is the number after # in the line of a frame. /show message N shows the message that was \
            received with this number, or else the one that was sent; /show message N out shows the sent \
            one. Without N, shows the last received message.",
        examples: &[
            ("/show handshake", "why the handshake succeeded or failed"),
            ("/show frames 50", "the last fifty frames, both directions"),
            ("/show frames 5 /error/", "the last five messages that contain error"),
            ("/show message 1", "the whole message of frame #1"),
        ],
        ..row(Group::Show, "show", "shows details of the connection", parse::show)
    },
    CommandEntry {
        args: &[Arg { shown: "REGEX", kind: ArgKind::Regex }],
        help: "Searches the messages and control frames in memory, of both directions and of earlier \
            connections, and shows the last 20 matches. Of a long message it shows the matching part. \
            Fragments are searched as one message, and the meaning that a lens reads is searched too. REGEX may be written in slashes or quotes. Memory holds \
            64 MiB of frames (--max-kept); if older frames were dropped, the answer says how many.",
        examples: &[
            ("/find error", "the last messages that contain error"),
            ("/find \"id\": *17\\b", "a regular expression"),
        ],
        ..row(Group::Show, "find", "searches earlier messages", parse::find)
    },
    CommandEntry {
        args: &[Arg { shown: "[VIEW]", kind: ArgKind::View }],
        help: "VIEW is frames (a line per frame), messages (a line per message, fragments joined), json (an \
            object per event) or hex (every byte). Without an argument, shows the current setting.",
        examples: &[("/view hex", "every byte of header and payload")],
        nesting: SETS,
        ..row(Group::Show, "view", "sets how traffic is shown", parse::view)
    },
    CommandEntry {
        args: &[
            Arg { shown: "[in|out|both|off]", kind: ArgKind::Choice(DIRECTIONS) },
            Arg { shown: "[OPCODES]", kind: ArgKind::Opcodes },
            Arg { shown: "[/REGEX/]", kind: ArgKind::Regex },
        ],
        help: "Shows only frames that meet all given conditions; hidden frames are still counted and \
            answered. OPCODES are comma-separated names or numbers; a continuation frame counts as the \
            opcode of its message. REGEX, in slashes or quotes, searches the content, and what a lens reads in it; \
            !/REGEX/ must not match the content. On a server, @3 or \
            @3,5 shows only these clients. off shows everything. Without an argument, shows the current \
            setting.",
        examples: &[
            ("/filter in text,binary", "received messages"),
            ("/filter /\"error\"/", "messages that contain \"error\""),
            ("/filter off", "everything"),
        ],
        nesting: SETS,
        ..row(Group::Show, "filter", "sets which frames are shown", parse::filter)
    },
    CommandEntry {
        args: &[Arg { shown: "[auto|always|never]", kind: ArgKind::Pretty }],
        help: "auto pretty-prints JSON in the view of messages if it does not fit into one line; always does \
            so in every view, below the last frame of a message. At most 20 lines are shown; /last shows \
            all. Without an argument, shows the current setting.",
        examples: &[("/pretty always", "JSON below the frames, too")],
        nesting: SETS,
        ..row(Group::Show, "pretty", "sets whether JSON is pretty-printed", parse::pretty)
    },
    CommandEntry {
        args: &[Arg { shown: "[auto|on|off|relative]", kind: ArgKind::Timestamps }],
        help: "relative counts from the opening of the connection. Without an argument, shows the current \
            setting.",
        examples: &[("/timestamps relative", "seconds since the opening")],
        nesting: SETS,
        ..row(Group::Show, "timestamps", "sets the timestamps of the transcript", parse::timestamps)
    },
    CommandEntry {
        args: &[Arg { shown: "[FILE|off]", kind: ArgKind::Path(OFF) }],
        help: "Appends every event to FILE from now on; off stops the log. Without an argument, shows the \
            current file. For a file called off, write ./off.",
        examples: &[("/log session.jsonl", "starts the log"), ("/log off", "stops it")],
        nesting: SETS,
        ..row(Group::Show, "log", "starts or stops logging to a file", parse::log)
    },
    CommandEntry {
        args: &[Arg { shown: "[NAME]", kind: ArgKind::Lens }],
        help: "The following messages are read as the protocol NAME; auto waits for two kinds of \
             evidence, none turns lenses off. Without an argument, shows the current setting. \
             docs/lenses.md has the names.",
        examples: &[("/lens stomp", "reads STOMP"), ("/lens none", "reads nothing")],
        nesting: SETS,
        ..row(Group::Lens, "lens", "sets which protocol messages are read as", parse::lens)
    },
    CommandEntry {
        args: &[SWITCH],
        help: "Sends the heartbeats, answers and acknowledgements that the protocol of the lens \
             requires, as in Engine.IO, STOMP, MQTT and Phoenix; on by default. Without an \
             argument, shows the current setting.",
        examples: &[("/keepalive off", "shows when the server gives up")],
        nesting: SETS,
        ..row(Group::Lens, "keepalive", "sets whether heartbeats are sent", |args| {
            parse::switch(args).map(Command::KeepAlive)
        })
    },
    spoken(
        "stomp",
        "sends messages of STOMP",
        SPOKEN,
        &[
            ("/stomp connect guest guest", "opens the session"),
            ("/stomp subscribe /topic/a", "subscribes, under a new id"),
        ],
    ),
    spoken(
        "sio",
        "sends messages of Socket.IO",
        SPOKEN,
        &[
            ("/sio connect", "joins the main namespace"),
            ("/sio emit chat {\"text\":\"hi\"}", "an event with an argument"),
            ("/sio call add 1 2", "an event that the server acknowledges"),
        ],
    ),
    spoken(
        "eio",
        "sends packets of Engine.IO",
        SPOKEN,
        &[("/eio close", "ends the session"), ("/eio probe", "begins an upgrade")],
    ),
    spoken(
        "sockjs",
        "sends messages of SockJS",
        SPOKEN,
        &[("/sockjs send hi", "a message, packed in a list")],
    ),
    spoken(
        "gql",
        "sends messages of GraphQL over WebSocket",
        SPOKEN,
        &[
            ("/gql init", "connection_init, which comes first"),
            ("/gql subscribe subscription { news }", "runs an operation, under a new id"),
        ],
    ),
    spoken(
        "rpc",
        "sends messages of JSON-RPC 2.0",
        METHOD,
        &[
            ("/rpc add [2,3]", "a request, under a new id"),
            ("/rpc notify log {\"text\":\"hi\"}", "one without an answer"),
        ],
    ),
    spoken(
        "wamp",
        "sends messages of WAMP",
        SPOKEN,
        &[
            ("/wamp hello realm1", "opens the session"),
            ("/wamp call com.x.add 2 3", "calls a procedure"),
        ],
    ),
    spoken(
        "mqtt",
        "sends messages of MQTT",
        SPOKEN,
        &[
            ("/mqtt connect", "opens a session of MQTT 3.1.1"),
            ("/mqtt sub a/# 1", "subscribes with QoS 1"),
            ("/mqtt pub a/b 21.5", "publishes with QoS 0"),
        ],
    ),
    spoken(
        "signalr",
        "sends messages of SignalR",
        SPOKEN,
        &[
            ("/signalr handshake", "the record that comes first"),
            ("/signalr invoke Send 42 hi", "calls a method, and asks for its result"),
        ],
    ),
    spoken(
        "phx",
        "sends messages of Phoenix channels",
        SPOKEN,
        &[
            ("/phx join room:1", "joins a topic"),
            ("/phx push room:1 new_msg {\"body\":\"hi\"}", "an event to it"),
        ],
    ),
    spoken(
        "cable",
        "sends messages of Action Cable",
        SPOKEN,
        &[
            ("/cable subscribe ChatChannel {\"room\":1}", "subscribes to a channel"),
            ("/cable perform ChatChannel speak {\"text\":\"hi\"}", "calls an action"),
        ],
    ),
    spoken(
        "pusher",
        "sends messages of Pusher",
        SPOKEN,
        &[("/pusher subscribe news", "subscribes to a channel")],
    ),
    spoken(
        "k8s",
        "sends messages of the channels of Kubernetes",
        SPOKEN,
        &[
            ("/k8s stdin ls -l", "a line for the process"),
            ("/k8s resize 80 24", "the size of its terminal"),
        ],
    ),
    spoken(
        "nats",
        "sends messages of NATS",
        SPOKEN,
        &[("/nats sub a.>", "subscribes to subjects"), ("/nats pub a.b 21.5", "publishes")],
    ),
    spoken(
        "xmpp",
        "sends messages of XMPP",
        SPOKEN,
        &[("/xmpp open example.com", "opens the stream to a domain")],
    ),
    spoken(
        "ocpp",
        "sends messages of OCPP",
        ACTION,
        &[("/ocpp Heartbeat {}", "a call, under a new id")],
    ),
    spoken(
        "msgpack",
        "sends messages of MessagePack",
        VALUE,
        &[("/msgpack {\"a\":[1,2.5]}", "a binary message of this value")],
    ),
    spoken(
        "cbor",
        "sends messages of CBOR",
        VALUE,
        &[("/cbor {\"a\":[1,2.5]}", "a binary message of this value")],
    ),
    CommandEntry {
        examples: &[("/clear", "clears the screen")],
        ..row(Group::Prompt, "clear", "clears the screen", |args| {
            parse::alone(Command::Clear, args)
        })
    },
    CommandEntry {
        aliases: &["?", "h"],
        args: &[Arg { shown: "[COMMAND]", kind: ArgKind::Topic }],
        help: "",
        examples: &[("/help", "all commands"), ("/help frame", "one command, with examples")],
        nesting: ASKS,
        ..row(Group::Prompt, "help", "lists the commands, or explains one", parse::help)
    },
    CommandEntry {
        aliases: &["q", "exit"],
        help: "Sends Close 1000 and waits for the answer; a server sends 1001 to all clients. Ctrl-D does the same.",
        examples: &[("/quit", "ends the session")],
        nesting: ENDS,
        ..row(Group::Prompt, "quit", "closes the connection and exits", |args| {
            parse::alone(Command::Quit, args)
        })
    },
];
