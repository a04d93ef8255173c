//! W7xx: received close codes. Their registered names are in
//! [`close::REGISTRY`](crate::wire::close::REGISTRY); this file explains them.

use super::builder::{IANA, error, high, low, medium, note, warning};
use crate::diagnostics::{CatalogueEntry, Clue as C, LikelyCause};

/// A cause for `listen`: the client itself chose the code.
const REFUSED_BY_CLIENT: LikelyCause =
    low("the client's program chose this code for a reason of its own")
        .with(C::Serving)
        .unless(&[C::ReasonGiven])
        .cure("look in the client's log or code for what it refused");

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    note("W700", "closed normally (1000)")
        .because("the peer has finished its work")
        .help("if this is unexpected, read the last messages and the peer's log")
        .source("RFC 6455 §7.4.1")
        .seen("close code 1000 from the peer"),
    note("W701", "the peer is leaving (1001)")
        .because("the server shuts down, or the browser leaves the page")
        .help("reconnect after a random delay")
        .source("RFC 6455 §7.4.1")
        .causes(&[low("a shutdown or deployment of the server"), low("an idle timeout of AWS API Gateway").unless(&[C::EndedEarly])])
        .seen("close code 1001 from the peer"),
    error("W702", "the peer reports that this side broke the protocol (1002)")
        .because("the code means that a frame of this side was not accepted; some applications refuse with it for reasons of their own")
        .help("look at the last frames sent: `-vv` shows every byte")
        .source("RFC 6455 §7.4.1; measured on real servers")
        .causes(&[
            high("this side sent an illegal frame, and the peer rejected it", C::IllegalSent).cure("correct the frame that was sent by hand or by a fault"),
            medium("the bytes sent by hand are not legal frames here, and the peer rejected them", C::BytesSent).cure("correct the bytes"),
            medium("the peer can't process a control frame between the fragments of a compressed message, a known defect of some libraries", C::PingInsideCompressed)
                .cure("send the message whole or uncompressed, `--no-compress`, to check"),
            medium("the peer answers 1012 or 1014 with 1002 because it does not know them, as faye, cowboy and websocket-driver do", C::NewCodeSent)
                .cure("close with 1000 or 1001 to check"),
            low("the application chose this code for its own reason").unless(&[C::IllegalSent]),
            low("a proxy changed the frames").unless(&[C::NothingSent]),
        ])
        .seen("close code 1002 from the peer"),
    error("W703", "the peer can't take this type of data (1003)")
        .because("it accepts only text or only binary messages, and received the other type")
        .help("send the other type (`-b` sends binary messages), or the content that the application expects, such as JSON")
        .source("RFC 6455 §7.4.1; measured on real servers")
        .causes(&[low("text was sent to an application that expects binary, or vice versa"), low("the content is not what the application expects, such as JSON")])
        .seen("close code 1003 from the peer"),
    error("W704", "a reserved close code (1004)")
        .because("1004 has no meaning and must not be sent")
        .help("correct the peer")
        .source("RFC 6455 §7.4.1")
        .seen("close code 1004 from the peer"),
    note("W705", "closed without a code (1005)")
        .because("the Close frame had no code; 1005 is a local label for that and is never sent")
        .help("if this is unexpected, read the last messages and the peer's log")
        .source("RFC 6455 §7.1.5")
        .seen("a Close frame with an empty body, or the label 1005 of an API"),
    error("W706", "the connection was lost without a Close frame (1006)")
        .because("1006 is a local label; browsers show it for every failure, DNS, TLS and refusals included")
        .help("connect with `wscope -v URL` to see the cause")
        .source("RFC 6455 §7.1.5; WHATWG WebSockets Standard")
        .causes(&[low("the handshake failed, if the page never saw open"), low("an idle timeout of a proxy, if it was open"), low("the network or the peer went away")])
        .seen("the label 1006 of an API, with nothing else known")
        .more("Browsers hide the cause from pages on purpose, so that a page can't probe the local network."),
    error("W707", "the peer could not use a payload (1007)")
        .because("the data of a message did not match its type")
        .help("read the reason, if there is one; otherwise send binary data with `-b`, and text in UTF-8, and retry with `--no-compress` if compression was agreed")
        .source("RFC 6455 §7.4.1")
        .causes(&[
            high("this side sent an illegal frame, and the peer rejected it", C::IllegalSent),
            low("the content is not what the application expects, such as JSON").with(C::TextSent).unless(&[C::ReasonGiven])
                .cure("send the content that the application expects, such as valid JSON; or binary data with `-b`"),
            low("text that is not UTF-8").unless(&[C::ReasonGiven, C::TextSent]),
            low("a compressed message that it could not inflate").unless(&[C::ReasonGiven]),
        ])
        .seen("close code 1007 from the peer"),
    error("W708", "refused by the peer's policy (1008)")
        .because("1008 is the general code if no other fits; the reason has the details")
        .help("read the reason; common ones are a missing login, a rate limit, too many fragments")
        .source("RFC 6455 §7.4.1")
        .causes(&[
            low("the login was missing, late or refused").unless(&[C::ReasonGiven, C::Serving]),
            low("a rate limit").unless(&[C::ReasonGiven, C::Serving]),
            REFUSED_BY_CLIENT,
        ])
        .seen("close code 1008 from the peer"),
    error("W709", "a message was too big for the peer (1009)")
        .because("the peer limits the length of messages")
        .help("send smaller messages, or raise the peer's limit")
        .more("Defaults: Engine.IO 1 MB, websockets 1 MiB, aiohttp 4 MiB, ws 100 MiB; AWS API Gateway takes 32 KB a frame, 128 KB a message.")
        .source("RFC 6455 §7.4.1; measured on real servers")
        .causes(&[low("the limit that the peer's configuration or its library's default sets")])
        .seen("close code 1009 from the peer"),
    error("W710", "the peer needed an extension (1010)")
        .because("a client sends 1010 if the server does not accept a required extension; a server must not send it")
        .help("enable the extensions that the reason lists on the server")
        .source("RFC 6455 §7.4.1")
        .causes(&[low("the client requires an extension that this server did not accept").with(C::Serving)
            .cure("let this server accept it (permessage-deflate, without `--no-compress`), or let the client do without")])
        .seen("close code 1010 from the peer"),
    error("W711", "the peer failed (1011)")
        .because("the peer met an unexpected condition that kept it from continuing")
        .help("read the peer's log at that moment")
        .source("RFC 6455 §7.4.1; documentation of websockets")
        .causes(&[
            low("an exception in the peer's application").unless(&[C::PingReason]),
            low("keepalive ping timeout, from the Python library websockets").unless(&[C::ReasonGiven, C::EndedEarly]),
        ])
        .seen("close code 1011 from the peer"),
    note("W712", "the service restarts (1012)")
        .because("the server restarts and will accept connections again")
        .help("reconnect after a random delay of 5 to 30 s")
        .source(IANA)
        .seen("close code 1012 from the peer"),
    warning("W713", "the service is overloaded (1013)")
        .because("the server asks clients to wait before they reconnect")
        .help("reconnect with growing delays, or connect to another server")
        .source(IANA)
        .causes(&[REFUSED_BY_CLIENT])
        .seen("close code 1013 from the peer"),
    error("W714", "a gateway got a bad answer (1014)")
        .because("the server behind the gateway failed, as with status 502")
        .help("check the gateway's upstream")
        .source(IANA)
        .causes(&[REFUSED_BY_CLIENT])
        .seen("close code 1014 from the peer"),
    error("W715", "TLS failed (1015)")
        .because("1015 is a local label for a failed TLS handshake and is never sent")
        .help("connect with `wscope -v URL` to see the TLS error")
        .source("RFC 6455 §7.4.1")
        .seen("the label 1015 of an API"),
    error("W716", "an unassigned close code (1016 to 2999)")
        .because("these codes are reserved for future versions and extensions of the protocol")
        .help("correct the peer: applications use 4000 to 4999")
        .source("RFC 6455 §7.4.2")
        .seen("a close code from 1016 to 2999"),
    error("W717", "unauthorized, forbidden or timeout (3000, 3003, 3008)")
        .because("these codes are registered with the meanings of HTTP's 401, 403 and 408")
        .help("log in again, ask for the permission, or try again")
        .source(IANA)
        .causes(&[REFUSED_BY_CLIENT])
        .seen("close code 3000, 3003 or 3008")
        .more("SockJS sends 3000 with Go away! inside its own close frame, c[3000,\"Go away!\"]."),
    note("W718", "a code of a library or framework (3xxx)")
        .because("3000 to 3999 are registered by libraries and frameworks")
        .help("look the number up in the documentation of the server's library")
        .source("RFC 6455 §7.4.2")
        .seen("another close code from 3000 to 3999"),
    error("W719", "a close code of GraphQL over WebSocket")
        .because("graphql-ws and related protocols use 4004 to 4504 with meanings of their own")
        .help("send `connection_init` first and wait for `connection_ack` before you subscribe")
        .source("graphql-ws protocol")
        .seen("one of 4004, 4005, 4400, 4401, 4403, 4406, 4408, 4409, 4429, 4500, 4504 where the subprotocol or path names GraphQL")
        .more("4400 bad request, 4401 unauthorized (subscribed before the ack), 4403 forbidden, 4406 subprotocol not acceptable, 4408 init timeout, 4409 duplicate id, 4429 double init, 4500 internal error, 4504 ack timeout, 4004 bad response, 4005 client error."),
    error("W720", "a close code of Discord's gateway")
        .because("Discord uses 4000 to 4014 with meanings of its own")
        .help("correct what the code names before you connect again")
        .source("Discord developer documentation")
        .seen("4000 to 4014, and the host or the hello message is Discord's gateway's"),
    error("W721", "a close code of Discord's voice servers")
        .because("the voice servers use the gateway's numbers with other meanings")
        .help("look the number up among the voice close codes, not the gateway's")
        .source("Discord developer documentation")
        .seen("4001 to 4022, and the host is a voice server of Discord"),
    error("W722", "a close code of Pusher")
        .because("Pusher's codes say whether to reconnect: 4000 to 4099: only after a correction; 4100 to 4199: after a second or more; 4200 to 4299: at once")
        .help("follow the rule of the range")
        .source("Pusher Channels protocol 7")
        .seen("4000 to 4299, and the first message or the host is Pusher's"),
    note("W723", "a private close code (4xxx)")
        .because("its meaning is defined by this application")
        .help("look it up in the application's documentation")
        .source("RFC 6455 §7.4.2")
        .seen("another close code from 4000 to 4999"),
    error("W724", "a close code outside the registry (5000 and above, or below 1000)")
        .because("valid close codes are 1000 to 4999")
        .help("correct the peer")
        .source("RFC 6455 §7.4.2")
        .causes(&[low("a code with its two bytes swapped"), low("an HTTP status or error number used as a close code")])
        .seen("a close code below 1000 or from 5000 on"),
];
