//! W5xx: the handshake succeeds, but the messages carry another protocol.

use super::builder::{MEASURED, error, low, medium, note, warning};
use crate::diagnostics::{CatalogueEntry, Clue as C};

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    note("W501", "this is a Socket.IO server (Engine.IO 4)")
        .because("the first message is Engine.IO's open packet, so each message begins with a packet type")
        .help("send `40` to connect, then events as in `42[\"name\",\"value\"]`; answer each `2` with `3`")
        .source("measured on real servers; Engine.IO protocol 4")
        .seen("the first message begins with 0{\"sid\", and it is not Engine.IO 3"),
    error("W502", "Engine.IO rejected a packet it could not parse")
        .because("each message must begin with the digit of its packet type")
        .help("begin messages with a digit: `40` first, then `42[\"name\",\"value\"]`")
        .source(MEASURED)
        .seen("after the open packet and our message without a digit, a Close without code"),
    note("W503", "this is a SockJS session")
        .because("the first message is SockJS's open frame, so messages are JSON arrays of strings")
        .help("send messages as `[\"text\"]`; received ones have the form `a[\"text\"]`")
        .source("measured on real servers; SockJS protocol 0.3.3")
        .seen("the first message is the letter o"),
    error("W504", "SockJS could not read our message")
        .because("SockJS takes JSON arrays of strings only")
        .help("wrap the message: `[\"text\"]`; or use the raw path, `/websocket`")
        .source(MEASURED)
        .seen("a Close 3000 with the reason Broken framing"),
    error("W505", "the GraphQL server waited for connection_init")
        .because("graphql-transport-ws expects that message first, and closes with 4408 if it is late")
        .help("send it first: `-x '{\"type\":\"connection_init\"}'`")
        .source("measured on real servers; graphql-ws protocol")
        .seen("a Close 4408 if the subprotocol or the path names GraphQL"),
    error("W506", "the GraphQL server refused the subprotocol")
        .because("it supports none of the offered ones")
        .help("offer `-s graphql-transport-ws`; old servers use `-s graphql-ws`")
        .source("measured on real servers; graphql-ws protocol")
        .seen("a Close 4406"),
    error("W507", "the STOMP server waits for CONNECT")
        .because("STOMP begins with a CONNECT frame, which ends with a NUL")
        .help("send it: `printf 'CONNECT\\naccept-version:1.2\\nhost:/\\n\\n\\0' | wscope --input whole -s v12.stomp URL`")
        .source("measured on RabbitMQ; STOMP 1.2")
        .causes(&[low("no CONNECT was sent"), low("CONNECT lacked the NUL at its end, or a header")])
        .seen("an ERROR frame about CONNECT; or a stomp subprotocol, and the server ends before any message"),
    note("W508", "this is ActionCable")
        .because("the first message is its welcome, and a ping follows every three seconds")
        .help("subscribe: `-x '{\"command\":\"subscribe\",\"identifier\":\"{\\\"channel\\\":\\\"NAME\\\"}\"}'`")
        .source(MEASURED)
        .seen("the first message is {\"type\":\"welcome\"}"),
    note("W509", "this is the Pusher protocol")
        .because("its data field is JSON inside a string")
        .help("subscribe: `-x '{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"NAME\"}}'`")
        .source("Pusher Channels protocol 7")
        .seen("the first message has the event pusher:connection_established"),
    note("W510", "this is a SignalR hub")
        .because("messages end with the byte 0x1e, and the first one is a handshake")
        .help("send the handshake first: `printf '{\"protocol\":\"json\",\"version\":1}\\036' | wscope --input whole URL`")
        .source("SignalR hub protocol")
        .seen("a message of JSON that ends with 0x1e"),
    error("W511", "MQTT needs binary frames")
        .because("MQTT control packets must be sent in binary frames; a server may close the connection on a text frame")
        .help("send binary messages: `-b`")
        .source("MQTT 5.0 §6; measured on aedes")
        .seen("subprotocol mqtt and a text message of ours"),
    note("W512", "the WAMP router waits for HELLO")
        .because("WAMP begins with a HELLO message of the client")
        .help("send it: `-x '[1,\"REALM\",{\"roles\":{\"subscriber\":{}}}]'`")
        .source("WAMP specification, sessions")
        .seen("a wamp.2 subprotocol, and the server ends before any message"),
    note("W513", "this is Discord's gateway")
        .because("its hello message contains the heartbeat interval")
        .help("identify with op 2 and send `{\"op\":1,\"d\":null}` in that interval")
        .source("Discord developer documentation")
        .seen("the first message has op 10 and heartbeat_interval"),
    note("W514", "this is a Socket.IO 2 server (Engine.IO 3)")
        .because("its open packet has no maxPayload, and it connects to the default namespace by itself")
        .help("send events as in `42[\"name\",\"value\"]` without `40`; here the client pings: send `2`, and `3` comes back")
        .source("measured on real servers; Engine.IO protocol 3")
        .seen("the open packet without maxPayload, and EIO=3 in the URL or an unsolicited `40` after it"),
    warning("W515", "the server does not continue the agreed protocol")
        .because("in the subprotocol that was agreed a message of the server comes now, and none came")
        .help("read the server's log at that moment: an exception when the session began, or another application")
        .source(MEASURED)
        .seen("a subprotocol whose next message is the server's, and no message in two seconds or more"),
    warning("W516", "the server answers with an error")
        .because("what was requested inside the session failed, while the WebSocket itself is healthy")
        .help("do as the message says; `-v` shows what each message means in its protocol")
        .source("specifications of the protocols inside; measured on real servers")
        .seen("an answer of the server is an error of the protocol inside, or is marked as one, and this side did not go on after it"),
    warning("W517", "the server says nothing, and the path is that of a protocol with a subprotocol")
        .because("a broker may accept a client without a subprotocol, and then wait for messages of its own protocol")
        .help("offer the subprotocol: `-s mqtt`, `-s v12.stomp`, `-s graphql-transport-ws`; MQTT needs binary messages, too: `-b`")
        .source("measured on mosquitto")
        .seen("MQTT, STOMP, GraphQL, OCPP, WAMP or XMPP in the path, no subprotocol in the request, and no message of the server in two seconds or more"),
    warning("W518", "no answer to a message that is not of the agreed protocol")
        .because("a protocol inside defines the form of its messages, and servers ignore others or end the session")
        .help("send a message of that protocol: with the commands of its lens, or without `-s`")
        .source("specifications of the protocols inside; measured on real servers")
        .seen("an agreed subprotocol, our only message is not one of it, and at most a greeting and heartbeats came after it; or the last message lacks the end mark of its protocol (NUL, 0x1e), and nothing came after it"),
    warning("W519", "nothing was received after the opening")
        .because("the server accepted the upgrade, and then sent no message")
        .help("send a ping to see whether anyone reads the frames: `--ping-interval 1`, or `wscope doctor`")
        .source("measured on uWSGI's router without --http-websockets")
        .causes(&[
            medium("our message has the header lines of the protocol on stdin and stdout, and over WebSocket it has none", C::HeaderSent)
                .cure("send the JSON alone, one object in each message"),
            medium("our message is a notification, which gets no answer: it has no id", C::NotificationSent)
                .cure("give it an id, as in `{\"jsonrpc\":\"2.0\",\"id\":1,…}`"),
            low("the application does not answer this message").unless(&[C::Unread]),
            low("a server or proxy answers the upgrade, but passes no frames to the application")
                .cure("check whether each server and proxy in front passes on frames, and whether the program reads from the connection"),
            low("the program does not read from the connection, or hangs"),
        ])
        .seen("a message or a ping was sent, no message came in a second or more, and this side ended the session"),
];
