//! The rows of the table: every command of the prompt with its arguments and its help.
//!
//! Help texts are written for users: what happens, what is left out, what surprises.

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
    Availability::Server("a client has one connection; it is for wscope listen");

const RELAYS: Availability =
    Availability::Proxy("nothing passes through a client; it is for wscope proxy");

const ENDS: Nesting = Nesting::No("it ends the connection");
const SETS: Nesting = Nesting::No("setting a thing again changes nothing");
const HOLDS: Nesting = Nesting::No("it holds the lines that follow, and a command has none");
const ASKS: Nesting = Nesting::No("it is done once, by hand");

/// A row with what most have in common: no other names, no arguments, repeatable.
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

const SPEAKING: &str = "The message is one that the protocol allows, as the lens of the connection knows it: with a fresh \
    id, and packed into what carries it. Where no lens has been chosen yet, this one is.";

/// Every command, those of a group together, in the order of lists.
pub const ENTRIES: &[CommandEntry] = &[
    CommandEntry {
        args: &[PAYLOAD],
        help: "A line that is no command is sent as it is, without this command and without escapes. \
            One space divides the name from the payload; more belong to it.\n\
            PAYLOAD is text with the escapes \\n \\r \\t \\0 \\e \\a \\b \\\\ \\\" \\@ \\xHH \\u{1F600}, \
            unless it begins with @PATH (the bytes of a file of at most 64 MiB), hex: (pairs of digits in any \
            grouping), base64: or text: (text, whatever it begins with). Nothing is an empty message. \
            What is not UTF-8 is sent all the same, and the rule it breaks is shown.",
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
        help: "PAYLOAD is hex: pairs of digits, with spaces, commas, colons or 0x between them as you \
            like. In double quotes, or with a backslash in it, it is text with the escapes of /text. \
            @PATH, base64: and text: mean what they mean there.",
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
        help: "Binary unless text is given. Spaces in PATH are written in quotes or after a backslash; ~/ \
            is your home. A file of any size is sent, in fragments of 1 MiB; a pipe or a device as it is \
            read, until it ends.",
        examples: &[
            ("/file image.png", "a binary message"),
            ("/file \"my order.json\" text", "a text message"),
        ],
        ..row(Group::Send, "file", "sends a file as one message", parse::file)
    },
    CommandEntry {
        args: &[PAYLOAD],
        help: "The round trip is shown when the pong comes. PAYLOAD is written as for /text; \
            more than 125 bytes break RFC 6455 §5.5.",
        examples: &[("/ping", "an empty ping"), ("/ping are you there?", "a ping with a text")],
        ..row(Group::Send, "ping", "sends a ping", |args| parse::text(args).map(Command::Ping))
    },
    CommandEntry {
        args: &[PAYLOAD],
        help: "A pong that answers nothing is legal: a one-way heartbeat (RFC 6455 §5.5.3). Pings of the \
            peer are answered without it, see /autopong.",
        examples: &[("/pong", "a heartbeat")],
        ..row(Group::Send, "pong", "sends an unsolicited pong", |args| {
            parse::text(args).map(Command::Pong)
        })
    },
    CommandEntry {
        args: &[CODE, REASON],
        help: "CODE is a number from 0 to 65535, legal or not, or a registered name such as going-away. \
            Without it the Close frame is empty. REASON is text with the escapes of /text; more than \
            123 bytes do not fit into a legal frame. The answer of the peer is awaited.",
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
        help: "OPCODE is continuation, text, binary, close, ping, pong or a number from 0 to 15; text if \
            left out (also opcode=). All other bits are those of a legal frame, unless set: fin=on|off, \
            rsv1=, rsv2=, rsv3= (on or off), rsv= (all three as a number, RSV1 is 4), mask=on|off|KEY \
            (KEY in 8 hex digits; otherwise as the role demands), form=7|16|64 (the bits that carry \
            the length), length= (the length to announce, whatever the payload has).\n\
            The payload is written as for /text. It begins with the first word that is not an option, \
            behind -- or behind payload=. A word that is nearly an opcode or an option, and an option \
            behind the payload's beginning, are errors unless -- comes first. With code= the frame is a Close: code, then the payload (also \
            behind reason=) as the reason.\n\
            An illegal frame is sent without a question; the rules it breaks are shown.",
        examples: &[
            ("/frame ping rsv1=on hello", "a ping with a bit that nobody agreed on"),
            ("/frame text fin=off Hel", "the beginning of a message"),
            ("/frame continuation lo", "its end"),
            ("/frame 0xb -- fin=on", "a reserved opcode; the payload is fin=on"),
            ("/frame binary mask=37fa213d form=64 hex:00ff", "a known key, a length in 64 bits"),
            ("/frame length=1000 short", "995 bytes are missing, the peer waits for them"),
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
        help: "N fragments of about the same size, or fragments of the SIZES given in bytes, as 2,0,5 (5, \
            is one size); what is left makes a last one. ping sends a ping between the fragments, \
            which RFC 6455 §5.4 allows. MESSAGE is written as for /text; behind -- it may begin with \
            binary or ping, or be empty.",
        examples: &[
            ("/fragment 3 one message, three frames", "three frames"),
            ("/fragment 1,0 ping héllo", "cut inside a character, an empty frame, then the rest"),
            ("/fragment 2 binary hex:00 01 02 03", "a binary message"),
        ],
        ..row(Group::Send, "fragment", "sends a message in fragments", frame::fragment)
    },
    CommandEntry {
        args: &[PAYLOAD],
        help: "No frame is made around them. PAYLOAD is written as for /binary.",
        examples: &[
            ("/bytes 81 80 00 00 00 00", "an empty text frame, masked"),
            ("/bytes \"GET / HTTP/1.1\\r\\n\\r\\n\"", "a request where frames are due"),
        ],
        ..row(Group::Send, "bytes", "sends bytes onto the wire as they are", |args| {
            parse::bytes(args).map(Command::Bytes)
        })
    },
    CommandEntry {
        args: &[PAYLOAD],
        help: "Opens $VISUAL or $EDITOR on the message, with PAYLOAD (written as for /text) to begin with. \
            What is saved is sent as a text message; an empty file sends nothing.",
        examples: &[
            ("/edit", "an empty page"),
            ("/edit {\"op\": \"\"}", "something to start from"),
        ],
        nesting: ASKS,
        ..row(Group::Send, "edit", "writes a message in your editor", |args| {
            parse::text(args).map(Command::Edit)
        })
    },
    CommandEntry {
        args: &[Arg { shown: "URL", kind: ArgKind::Value }],
        help: "The connection that is open is closed first. Options of the command line stay.",
        examples: &[("/open ws://localhost:8080/chat", "another connection")],
        aliases: &["connect"],
        nesting: ASKS,
        side: OPENS,
        ..row(Group::Connection, "open", "opens a connection to another address", parse::open)
    },
    CommandEntry {
        help: "To the same address; with the headers that /headers shows.",
        examples: &[("/reconnect", "the same connection anew")],
        nesting: ASKS,
        side: OPENS,
        ..row(Group::Connection, "reconnect", "opens the connection anew", |args| {
            parse::alone(Command::Reconnect, args)
        })
    },
    CommandEntry {
        args: &[Arg { shown: "[HEADER]", kind: ArgKind::Header }],
        help: "HEADER is written as for -H: Name: value adds or replaces, Name: leaves a default out, \
            Name; sends an empty value, @FILE reads headers from a file. It counts from the next /reconnect on.",
        examples: &[
            ("/headers", "shows them"),
            ("/headers Authorization: Bearer abc", "sends it at the next /reconnect"),
            ("/headers Origin:", "leaves it out"),
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
        help: "TARGET is the number of a client, as the transcript and /clients show it, several as in \
            3,5, or all. LINE is a text or a command; without it, every line that follows is for \
            them, until /to all. @3 LINE is the same in short; behind @3 begins a line, so @3 //x \
            sends /x. A text that begins with @ is written /text \\@.\n\
            /show, /last and /status are about the client named, otherwise about the only one, or the \
            one that sent something last.",
        examples: &[
            ("/to 3 hello", "a text for one client"),
            ("@3,5 /ping", "a ping for two"),
            ("/to 3", "what follows is for client 3"),
            ("/to all", "for everybody again"),
        ],
        nesting: Nesting::No("write @3 there"),
        side: MANY,
        ..row(Group::Connection, "to", "sends a line to some of the clients", parse::to_clients)
    },
    CommandEntry {
        help: "Number, address, path, user agent, what was agreed, how long it has been open and silent, \
            what it sent and was sent.",
        examples: &[("/clients", "a few lines for each")],
        side: MANY,
        ..row(Group::Connection, "clients", "lists who is connected", |args| {
            parse::alone(Command::Clients, args)
        })
    },
    CommandEntry {
        args: &[Arg { shown: "[RULE|off [N]]", kind: ArgKind::Text }],
        help: "RULE is written as for --rule: DIR [OPCODES] [/RE/] -> ACTION. It comes behind those there are; the first \
            that matches counts. Without an argument, lists the rules. off ends rule N, or all of them.",
        examples: &[
            ("/rule > text /secret/ -> drop", "such texts do not reach the server"),
            ("/rule < /price/ -> replace /[0-9]+/7/", "other prices for the client"),
            ("/rule off 2", "ends rule 2"),
        ],
        nesting: SETS,
        side: RELAYS,
        ..row(Group::Connection, "rule", "changes what passes a proxy", parse::rule)
    },
    CommandEntry {
        args: &[Arg { shown: "[DIR [OPCODES] [/RE/]|off]", kind: ArgKind::Text }],
        help: "DIR is > to the server, < to the client, or <>. Without an argument every text and binary message is held. \
            What is behind a held message waits too, but for pings and pongs. off ends it for messages to come.",
        examples: &[
            ("/hold > /order/", "messages to the server with this text"),
            ("/hold", "every message, both ways"),
        ],
        nesting: SETS,
        side: RELAYS,
        ..row(Group::Connection, "hold", "holds messages that pass a proxy", parse::hold)
    },
    CommandEntry {
        help: "The first that is held, of the connection and direction named before it, as in @3> /next.",
        examples: &[("/next", "one passes")],
        side: RELAYS,
        ..row(Group::Connection, "next", "lets a held message pass", |args| {
            parse::alone(Command::Release(ReleaseWhat::Next), args)
        })
    },
    CommandEntry {
        help: "The first that is held; the other end never sees it.",
        examples: &[("/drop", "one does not pass")],
        side: RELAYS,
        ..row(Group::Connection, "drop", "drops a held message", |args| {
            parse::alone(Command::Release(ReleaseWhat::Drop), args)
        })
    },
    CommandEntry {
        help: "Rules that hold are ended too.",
        examples: &[("/pass", "as if nothing had been held")],
        side: RELAYS,
        ..row(Group::Connection, "pass", "lets all held messages pass, ends /hold", |args| {
            parse::alone(Command::Release(ReleaseWhat::All), args)
        })
    },
    CommandEntry {
        args: &[TARGET, CODE, REASON],
        help: "TARGET is written as for /to, CODE and REASON as for /close.",
        examples: &[
            ("/kick 3", "a Close without a code"),
            ("/kick 3 4001 enough", "one that says why"),
            ("/kick all going-away", "everybody"),
        ],
        nesting: ENDS,
        side: MANY,
        ..row(Group::Connection, "kick", "closes the connection of a client", parse::kick)
    },
    CommandEntry {
        help: "Where it leads, how long it has been open, what was agreed.",
        examples: &[("/status", "a few lines")],
        ..row(Group::Connection, "status", "shows how the connection stands", |args| {
            parse::alone(Command::Status, args)
        })
    },
    CommandEntry {
        args: &[Arg { shown: "[on|off|delay TIME]", kind: ArgKind::Choice(PONGS) }],
        help: "Without an argument, shows the current setting. A peer that gets no pong in time should close the connection: \
            see whether it does.",
        examples: &[
            ("/autopong off", "pings stay unanswered"),
            ("/autopong delay 2s", "answers after two seconds"),
        ],
        nesting: SETS,
        ..row(Group::Connection, "autopong", "sets how pings are answered", parse::autopong)
    },
    CommandEntry {
        args: &[SWITCH],
        help: "Without an argument, shows the current setting. RFC 6455 §5.5.1 demands the answer; without it, the peer's \
            timeout is put to the test.",
        examples: &[("/autoclose off", "a Close of the peer stays unanswered")],
        nesting: SETS,
        ..row(Group::Connection, "autoclose", "sets whether a Close is answered", |args| {
            parse::switch(args).map(Command::AutoClose)
        })
    },
    CommandEntry {
        args: &[SWITCH],
        help: "Without an argument, shows the current setting. Counts only where permessage-deflate was agreed; either is legal \
            at any time.",
        examples: &[("/compress off", "messages go out as they are")],
        nesting: SETS,
        ..row(Group::Connection, "compress", "sets whether messages are compressed", |args| {
            parse::switch(args).map(Command::Compress)
        })
    },
    CommandEntry {
        help: "We send nothing more, the peer sees the end of the stream; what it sends is still shown.",
        examples: &[("/half-close", "our side ends without a Close frame")],
        nesting: ENDS,
        ..row(Group::Connection, "half-close", "ends our side of the TCP stream", |args| {
            parse::alone(Command::HalfClose, args)
        })
    },
    CommandEntry {
        help: "No Close frame, no end of TLS: what a crash looks like to the peer.",
        examples: &[("/abort", "the peer sees a reset")],
        nesting: ENDS,
        ..row(Group::Connection, "abort", "ends the TCP connection with a reset", |args| {
            parse::alone(Command::Abort, args)
        })
    },
    CommandEntry {
        args: &[Arg { shown: "INTERVAL", kind: ArgKind::Value }, COMMAND],
        help: "For the first time at once, until /stop, or the end of the script or of the connection. INTERVAL is in seconds, \
            or has a unit: 500ms, 5s, 2m, 1h; at least 1ms. COMMAND is a command that sends or shows, \
            with its slash, a /repeat, or a line of text.",
        examples: &[
            ("/every 5s /ping", "a heartbeat"),
            ("/every 0.5 {\"op\":\"tick\"}", "a text message twice a second"),
            ("/every 1m /repeat 10 /text burst", "ten messages each minute"),
        ],
        nesting: Nesting::No("it goes on by itself"),
        ..row(Group::Script, "every", "repeats a command at an interval", parse::every)
    },
    CommandEntry {
        args: &[Arg { shown: "[N]", kind: ArgKind::Value }],
        help: "N is the number that /every showed; without it all end.",
        examples: &[("/stop", "ends all"), ("/stop 1", "ends the first")],
        nesting: Nesting::No("what it ends is over after the first time"),
        ..row(Group::Script, "stop", "ends one /every, or all", parse::stop)
    },
    CommandEntry {
        args: &[Arg { shown: "N", kind: ArgKind::Value }, COMMAND],
        help: "As fast as the connection takes it; the first error ends it. COMMAND is a command that sends or shows, with its \
            slash, or a line of text.",
        examples: &[("/repeat 1000 /binary 00", "a thousand messages")],
        nesting: Nesting::NotInItself("one with the product of both numbers does the same"),
        ..row(Group::Script, "repeat", "does something N times", parse::repeat)
    },
    CommandEntry {
        args: &[Arg { shown: "TIME", kind: ArgKind::Value }],
        help: "In seconds, or with a unit: 500ms, 5s, 2m, 1h. The lines that follow wait; what is received \
            is shown.",
        examples: &[("/wait 1.5", "a second and a half")],
        nesting: HOLDS,
        ..row(Group::Script, "wait", "waits before the next line", parse::wait)
    },
    CommandEntry {
        args: &[
            Arg { shown: "REGEX", kind: ArgKind::Regex },
            Arg { shown: "[TIMEOUT]", kind: ArgKind::Value },
        ],
        help: "The lines that follow wait for a message that matches; if none comes in time (10 s without \
            TIMEOUT) that is an error, which ends a script. Messages count that came since the \
            connection was opened, at the prompt since the last line that sent something; each is \
            found once. A REGEX with spaces is written /in slashes/ \
            or \"in quotes\"; a backslash makes a slash or a quote a part of it. \
            A plain text may have any length, any other REGEX 1 MiB once compiled. The first MiB of a \
            message is looked at.\n\
            stomp.command=MESSAGE is no REGEX: it waits for a packet of a protocol that a lens reads, with \
            this value in a field, as JSON output has it in fields; dots lead into a field, kind is the kind of the packet.",
        examples: &[
            ("/expect pong", "a message with pong in it"),
            ("/expect /\"op\": *\"ready\"/ 2s", "two seconds for it to come"),
            ("/expect (?i)^welcome 500ms", "whatever its case"),
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
        help: "The lines that follow wait for TIMEOUT (1 s without it). A message that matches is an \
            error, which ends a script; so is one that came before and that no /expect has found. \
            REGEX is written as for /expect.",
        examples: &[
            ("/expect-not error", "no message with error in it, for a second"),
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
        help: "The lines that follow wait for the end of the connection; another code, or none in time \
            (10 s without TIMEOUT), is an error, which ends a script. CODE is a number or a registered \
            name, as an application sees it: 1005 for a Close without a code, 1006 for an end without \
            a Close. With it a script ends with status 0, whatever the code.",
        examples: &[
            ("/expect-close 4401", "the server refuses the token"),
            ("/expect-close going-away 2s", "code 1001, within two seconds"),
        ],
        nesting: HOLDS,
        ..row(
            Group::Script,
            "expect-close",
            "waits for the end with a close code",
            parse::expect_close,
        )
    },
    CommandEntry {
        args: &[
            Arg { shown: "[NAME]", kind: ArgKind::Value },
            Arg { shown: "[VALUE]", kind: ArgKind::Text },
        ],
        help: "${NAME} in a line stands for the value from then on; a name that is not set is an error, \
            and a literal ${ is written $${. VALUE is the rest of the line. Without VALUE the variable \
            is shown, without NAME all are. --set NAME=VALUE sets one at the start, and each named \
            group of an /expect that is met, as in (?<id>[0-9]+), becomes one.\n\
            A value is data: it never becomes a command, an option, an escape or a notation such as \
            @PATH, and in a REGEX it is looked for as it is. In /every and /repeat it is the value at \
            the time of the line.",
        examples: &[
            ("/set user alice", "then {\"user\":\"${user}\"} sends {\"user\":\"alice\"}"),
            ("/set", "shows all"),
        ],
        nesting: SETS,
        ..row(Group::Script, "set", "sets or shows a variable", parse::set)
    },
    CommandEntry {
        args: &[
            Arg { shown: "[REGEX]", kind: ArgKind::Regex },
            Arg { shown: "[COMMAND]", kind: ArgKind::Command },
        ],
        help: "Answers each message of the peer that matches, at once and whatever the lines wait for, \
            until /off; it stays after /reconnect. Without arguments the rules are listed. REGEX is \
            written as for /expect; its named groups are variables in COMMAND, which is a line of text \
            or one of /text, /binary, /ping, /pong, /close, /frame, /bytes, /abort and /half-close. A \
            message that we send is never answered. A peer that sends our answers back a hundred times \
            in a second ends the rule, with an error.",
        examples: &[
            ("/on ^2$ /text 3", "the heartbeat of Engine.IO"),
            ("/on /\"ping\":(?<n>[0-9]+)/ {\"pong\":${n}}", "sends a number back"),
            ("/on", "lists the rules"),
        ],
        nesting: Nesting::No("it goes on by itself"),
        ..row(Group::Script, "on", "answers messages that match", parse::on)
    },
    CommandEntry {
        args: &[Arg { shown: "[N]", kind: ArgKind::Value }],
        help: "N is the number that /on showed; without it all end.",
        examples: &[("/off", "ends all"), ("/off 1", "ends the first")],
        nesting: Nesting::No("what it ends is over after the first time"),
        ..row(Group::Script, "off", "ends one /on, or all", parse::off)
    },
    CommandEntry {
        args: &[
            Arg { shown: "[N]", kind: ArgKind::Value },
            Arg { shown: "[TIMEOUT]", kind: ArgKind::Value },
        ],
        help: "The lines that follow wait until N clients are connected at once, one without N; if they \
            do not come in time (60 s without TIMEOUT) that is an error, which ends a script. TIMEOUT \
            without N has a unit.",
        examples: &[
            ("/await", "somebody"),
            ("/await 2 10", "two clients, at most ten seconds"),
            ("/await 500ms", "one, half a second"),
        ],
        nesting: HOLDS,
        side: MANY,
        ..row(Group::Script, "await", "waits for clients to connect", parse::wait_for_clients)
    },
    CommandEntry {
        args: &[Arg { shown: "FILE", kind: ArgKind::Path(&[]) }],
        help: "Each line of the file is carried out as if it were typed; /# begins a comment. A line that is no \
            command is sent as it is. The file has at most 64 MiB.",
        examples: &[("/source login.wscope", "a file of commands")],
        nesting: ASKS,
        ..row(Group::Script, "source", "does the lines of a file", parse::source)
    },
    CommandEntry {
        help: "",
        examples: &[("/last", "what a preview has cut")],
        ..row(Group::Show, "last", "shows the last message received in full", |args| {
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
            stats (counts, sizes, ratios, round trips), state (what is set), or frames (the last N, \
            20 without N; with a REGEX, the last N messages that match, as /find has it).",
        examples: &[
            ("/show handshake", "why it was accepted or refused"),
            ("/show frames 50", "the last fifty, both ways"),
            ("/show frames 5 /error/", "the last five messages with an error in them"),
        ],
        ..row(Group::Show, "show", "shows what is known of the connection", parse::show)
    },
    CommandEntry {
        args: &[Arg { shown: "REGEX", kind: ArgKind::Regex }],
        help: "Searches the messages and control frames that are in memory, of both directions and of \
            earlier connections too, and shows the last 20 that match; of a long one, the part that \
            matches. The fragments of a message are searched as one, and what a lens says of it. REGEX may \
            stand in slashes or quotes. Memory holds 64 MiB of frames (--max-kept); if older ones have left it, the answer \
            says so.",
        examples: &[
            ("/find error", "the last messages with an error in them"),
            ("/find \"id\": *17\\b", "a regular expression"),
        ],
        ..row(Group::Show, "find", "finds messages that were shown before", parse::find)
    },
    CommandEntry {
        args: &[Arg { shown: "[VIEW]", kind: ArgKind::View }],
        help: "VIEW is frames (a line for each), messages (a line for each, fragments joined), json (an \
            object for each event) or hex (every byte). Without an argument, shows the current setting.",
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
        help: "Only what passes all that is given is shown; the rest is still counted and acted on. OPCODES \
            are names or numbers with commas between; a continuation counts as what it continues. \
            REGEX, in slashes or quotes, is looked for in the content. A server takes @3 or @3,5 too: \
            the frames of these clients. off shows everything, nothing asks what is filtered.",
        examples: &[
            ("/filter in text,binary", "messages received"),
            ("/filter /\"error\"/", "what has an error in it"),
            ("/filter off", "everything"),
        ],
        nesting: SETS,
        ..row(Group::Show, "filter", "sets which frames are shown", parse::filter)
    },
    CommandEntry {
        args: &[Arg { shown: "[auto|always|never]", kind: ArgKind::Pretty }],
        help: "auto lays out JSON in the view of messages where one line is too short for it, always also \
            below the last frame of a message; the first 20 lines are shown, /last shows all. Without an argument, \
            shows the current setting.",
        examples: &[("/pretty always", "JSON below the frames too")],
        nesting: SETS,
        ..row(Group::Show, "pretty", "sets whether JSON is laid out in lines", parse::pretty)
    },
    CommandEntry {
        args: &[Arg { shown: "[on|off|relative]", kind: ArgKind::Timestamps }],
        help: "relative counts from the opening of the connection. Without an argument, shows the current setting.",
        examples: &[("/timestamps relative", "seconds since the opening")],
        nesting: SETS,
        ..row(Group::Show, "timestamps", "sets which time is shown", parse::timestamps)
    },
    CommandEntry {
        args: &[Arg { shown: "[FILE|off]", kind: ArgKind::Path(OFF) }],
        help: "Appends to FILE from now on; off ends it, nothing asks where it goes. A file called off is \
            written ./off.",
        examples: &[("/log session.jsonl", "begins"), ("/log off", "ends")],
        nesting: SETS,
        ..row(Group::Show, "log", "logs the session to a file, or ends that", parse::log)
    },
    CommandEntry {
        args: &[Arg { shown: "[NAME]", kind: ArgKind::Lens }],
        help: "The messages that follow are read as the protocol NAME; auto waits for two kinds of evidence, \
            none reads nothing. Nothing asks which it is. docs/lenses.md has the names.",
        examples: &[("/lens stomp", "reads STOMP"), ("/lens none", "reads nothing")],
        nesting: SETS,
        ..row(Group::Lens, "lens", "sets which protocol messages are read as", parse::lens)
    },
    CommandEntry {
        args: &[SWITCH],
        help: "Sends the heartbeats, and the answers to heartbeats and acknowledgements, that the protocol of \
            the lens demands, as in Engine.IO, STOMP, MQTT and Phoenix; on by default. Nothing asks which it is.",
        examples: &[("/keepalive off", "see when the server gives up")],
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
        examples: &[("/clear", "an empty screen")],
        ..row(Group::Prompt, "clear", "clears the screen", |args| {
            parse::alone(Command::Clear, args)
        })
    },
    CommandEntry {
        aliases: &["?", "h"],
        args: &[Arg { shown: "[COMMAND]", kind: ArgKind::Topic }],
        help: "",
        examples: &[("/help", "all commands"), ("/help frame", "one of them, with examples")],
        nesting: ASKS,
        ..row(Group::Prompt, "help", "lists the commands, or explains one", parse::help)
    },
    CommandEntry {
        aliases: &["q", "exit"],
        help: "Sends Close 1000 and waits for the answer; a server sends 1001 to all. Ctrl-D does the same.",
        examples: &[("/quit", "the end")],
        nesting: ENDS,
        ..row(Group::Prompt, "quit", "closes the connection and leaves", |args| {
            parse::alone(Command::Quit, args)
        })
    },
];
