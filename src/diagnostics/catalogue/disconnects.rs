//! W8xx: endings without a closing handshake, and what their timing means.

use super::builder::{KNOWN, error, high, low, medium, warning};
use crate::diagnostics::classify::tried::PINGED;
use crate::diagnostics::classify::why_closed::{AWAITS, BEAT, BEATLESS, SEND_AT_ONCE, TOO_LONG};
use crate::diagnostics::{CatalogueEntry, Clue as C, LikelyCause};

/// The cause of an end of an open session of MQTT. Before version 5, a broker gives no reason.
const TAKEN_OVER: &str = "another client connected with the same client id and took the session over, or the broker ended it by a rule of its own";

/// The help for it.
const OTHER_CLIENT_ID: &str =
    "connect with a client id that no other client uses; the broker's log names the reason";

/// The cause of an end that no timer explains.
const PROCESS_ENDED: &str = "the peer's process, or its application, ended at that moment";

/// Possible causes of an end in the middle of traffic.
#[rustfmt::skip]
const LOSSES: &[LikelyCause] = &[
    high("the server stopped listening: its process ended, or restarts", C::Gone)
        .cure("read the server's log: what was received last may have ended its process"),
    high("this side sent an illegal frame, and the peer ended the connection", C::IllegalSent)
        .cure("correct the frame; a peer may also answer it with Close 1002"),
    medium("the bytes sent by hand are not legal frames here, and the peer ended the connection because of them", C::BytesSent)
        .cure("correct the bytes"),
    high("this side did not answer the peer's pings, and the peer gave up", C::PingsMissed).unless(&[C::AfterOurMessage])
        .cure("answer its pings: leave out `--no-pong` and faults that withhold pongs"),
    medium("this side did not answer the peer's pings, and the peer gave up", C::PingsIgnored).unless(&[C::AfterOurMessage])
        .cure("answer its pings: leave out `--no-pong` and faults that withhold pongs"),
    high("this side read too slowly, and the peer gave up", C::Stalled)
        .cure("read stdout faster, or write it to a file"),
    medium("the application did not receive the answer to its heartbeat message", C::BeatUnanswered)
        .cure("answer it as the application's clients do: `/on REGEX /text ANSWER` in a script or at the prompt"),
    medium("the protocol's own heartbeat was not sent in time", C::InnerTimer)
        .cure("send that protocol's own heartbeat, or ask for a longer interval in its first message: pings of WebSocket do not count"),
    medium(AWAITS, C::InnerAwaited).cure(SEND_AT_ONCE),
    medium("the peer ended the connection because our last message breaks a rule of the protocol inside", C::InnerBreach)
        .cure("follow the rule: `wscope -v URL` names it beside the message"),
    medium("the peer can't process a control frame between the fragments of a compressed message, a known defect of some libraries (wsproto, tornado)", C::PingInsideCompressed)
        .cure("send the message whole or uncompressed, `--no-compress`, to check"),
    medium("the server supports none of the subprotocols offered", C::DroppedWithoutSubprotocol)
        .cure("offer one that the server knows, `-s NAME`, or none; names are case-sensitive"),
    medium("a limit on the size of a message, in the server or a proxy", C::LongMessageSent)
        .cure("send it in parts, or raise the limit; a shorter message shows whether that is the cause"),
    medium("the peer's application ended its handler, right after the opening or because of our message", C::AtOnce).unless(&[C::Complained])
        .cure("read the peer's log at that moment; `wscope doctor` shows whether it also ends without a message"),
    medium("the peer's application ended its handler because of our message", C::AfterOurMessage).unless(&[C::AtOnce])
        .cure("read the peer's log at that moment: it ended because of the content or the size of the last message"),
    low(TOO_LONG).with(C::SizeableMessageSent)
        .cure("send a shorter message of the same kind to check"),
    low("a firewall, NAT or load balancer had dropped the connection while it was idle").with(C::IdleBeforeOurs)
        .cure("send pings in a shorter interval: `--ping-interval SECS`"),
    medium("the proxy that answered, or the server behind it, was restarted, or reloaded its configuration", C::TrafficBehindProxy)
        .cure("compare the time with the logs of that proxy and of the server behind it, and reconnect"),
    low(TAKEN_OVER).with(C::MqttSession).cure(OTHER_CLIENT_ID),
    low("the peer's process ended, or its handler ended, possibly because of our message").with(C::SoonAfterOurs),
    low("the peer's process ended, or its handler ended without closing").unless(&[C::SoonAfterOurs]),
    low("a load balancer or proxy ended it, as for a limit on the age of connections").unless(&[C::EndedEarly]),
];

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    error("W801", "the stream ended without a Close frame")
        .because("the peer's process or a proxy closed the TCP connection without closing the WebSocket")
        .help("read the peer's log at that moment")
        .source("RFC 6455 §7.1.5")
        .causes(LOSSES)
        .seen("end of stream (FIN) without a Close frame, less than a second after the last byte"),
    error("W802", "the connection was reset")
        .because("the peer or a device on the path aborted it")
        .help("look in the peer's log for a crash, a killed process, or unread data at that moment")
        .source(KNOWN)
        .causes(LOSSES)
        .seen("ECONNRESET or EPIPE, less than a second after the last byte"),
    error("W803", "cut in the middle of a frame")
        .because("the connection ended while the sender was still sending")
        .help("look at the number of received bytes: a round number suggests a limit, any other number a crash")
        .source(KNOWN)
        .causes(&[
            high("this side read too slowly, and the peer gave up", C::Stalled)
                .cure("read stdout faster, or write it to a file"),
            low("the sender crashed"),
            low("a limit on the size, in the sender or a proxy"),
        ])
        .seen("end of stream or reset inside a frame"),
    error("W804", "cut after a silence")
        .because("there was no traffic for some time, then the connection ended without a Close frame, as with a timer")
        .help("send pings more often: `--ping-interval SECS`; or raise the timeout")
        .source("documentation of nginx, haproxy, Heroku, AWS, Google Cloud, Azure, Envoy and Cloudflare; measured on nginx and haproxy")
        .causes(&[
            high("this side did not answer the peer's pings, and the peer gave up", C::PingsIgnored)
                .cure("answer its pings: leave out `--no-pong` and faults that withhold pongs"),
            medium("the application did not receive the answer to its heartbeat message", C::BeatUnanswered)
                .cure("answer it as the application's clients do: `/on REGEX /text ANSWER` in a script or at the prompt"),
            medium("the protocol's own heartbeat was not sent in time", C::InnerTimer)
                .cure("send that protocol's own heartbeat, or ask for a longer interval in its first message: pings of WebSocket do not count"),
            medium(AWAITS, C::InnerAwaited).cure(SEND_AT_ONCE),
            high("the server stopped listening: its process ended, or restarts", C::Gone)
                .cure("read the server's log: its process may have been ended"),
            medium(BEATLESS, C::BeatAnnounced).cure(BEAT),
            high("nginx's proxy_read_timeout, 60 s unless set", C::IdleAt(60, "nginx")).unless(&[C::TimerRefuted]),
            high("Cloudflare's idle timeout", C::IdleAt(100, "cloudflare")).unless(&[C::TimerRefuted]),
            high("Envoy's or Istio's stream idle timeout", C::IdleAt(300, "envoy")).unless(&[C::TimerRefuted]),
            high("Heroku's router", C::IdleAt(55, "heroku")).unless(&[C::TimerRefuted]),
            medium("haproxy's `timeout client`, if `timeout tunnel` is not set, or Google Cloud's timeoutSec", C::Idle(30)).unless(&[C::TimerRefuted, C::InnerAwaited]),
            medium("Heroku's router", C::Idle(55)).unless(&[C::TimerRefuted, C::InnerAwaited]),
            medium("nginx's proxy_read_timeout or the idle timeout of an AWS load balancer, both 60 s by default", C::Idle(60)).unless(&[C::TimerRefuted, C::InnerAwaited]),
            medium("Cloudflare's idle timeout", C::Idle(100)).unless(&[C::TimerRefuted, C::InnerAwaited]),
            medium("Azure's load balancer, which drops flows after four minutes", C::Idle(240)).unless(&[C::TimerRefuted, C::InnerAwaited]),
            medium("Envoy's or Istio's stream idle timeout", C::Idle(300)).unless(&[C::TimerRefuted, C::InnerAwaited]),
            medium("an AWS network load balancer", C::Idle(350)).unless(&[C::TimerRefuted, C::InnerAwaited]),
            medium("AWS API Gateway's idle limit", C::Idle(600)).unless(&[C::TimerRefuted, C::InnerAwaited]),
            low("the peer's heartbeat does not note pongs, or counts messages only").with(C::PingAnswered).unless(&[C::Serving])
                .cure("see whether the peer's program handles pongs (`pong` events); send messages of the application, or pings: `--ping-interval SECS`"),
            low(TAKEN_OVER).with(C::MqttSession).cure(OTHER_CLIENT_ID),
            low(PROCESS_ENDED).with(C::NoTimersTime).unless(&[C::Serving])
                .cure("read the peer's log at that moment; against a timer, send pings: `--ping-interval SECS`"),
            low("a timer of the peer, or of a proxy").unless(&[C::Serving, C::TimerRefuted]),
            low(PINGED).with(C::PingAtEnd),
            low("a limit on the age of connections, or on the time for a login, which pings do not extend").with(C::NothingCrossed).unless(&[C::Serving]),
            low(PROCESS_ENDED).unless(&[C::Serving, C::NoTimersTime]),
            low("the client's program ended or was killed, or its network went away").with(C::Serving)
                .cure("see whether the client's program still runs; against a timer, send pings: `--ping-interval SECS`"),
            low("a timer of the client, or of something between it and this server").with(C::Serving),
        ])
        .seen("end of stream or reset after a second or more without traffic")
        .more("A ping every 60 s is too late for a timer of 60 s: choose less than half."),
    error("W812", "cut after 2 h: AWS API Gateway's longest connection")
        .because("API Gateway ends every WebSocket after two hours, even with traffic")
        .help("reconnect before that, and resume the session")
        .source("AWS documentation")
        .causes(&[medium("AWS API Gateway's limit on the duration", C::Lived(7200))])
        .seen("a lifetime of 7200 s (± 2 %), with traffic until the end"),
    error("W814", "cut at the same age each time")
        .because("the connections ended at the same age, independent of their traffic, so a timer of the other side ends them")
        .help("log in first; otherwise ask the operator for the limit on a connection's age")
        .source(KNOWN)
        .causes(&[low("a deadline of the application for the login or first message"), low("a limit on the age of connections, or of tokens"), medium("Google Cloud's timeoutSec, which is a lifetime", C::Lived(30))])
        .seen("two or more connections with the same lifetime (± 2 %)"),
    error("W815", "closed as idle though pings were answered")
        .because("a timer of the application counts messages only, not pings and pongs")
        .help("send the application's own heartbeat message")
        .source("reported for several frameworks")
        .causes(&[low("an idle timer in the application or its framework")])
        .seen("pongs arrived until the end, but the last message is as old as a common idle timeout"),
    warning("W816", "the peer did not answer our Close frame")
        .because("the peer must answer a Close with a Close")
        .help("no data is lost if all messages had arrived; otherwise find out why the peer stopped reading")
        .source("RFC 6455 §5.5.1")
        .causes(&[
            low("the peer's library or handler ends TCP instead of closing the WebSocket").with(C::StreamEnded),
            medium("the server handles messages, but not the Close: hand-written code may know no control frames", C::AnsweredBeforeClose)
                .cure("let the server answer a Close with a Close, and a ping with a pong; without that, each client waits for its close timeout"),
            low("the peer's application does not read, or its handler has failed and left the connection open").unless(&[C::StreamEnded, C::AnsweredBeforeClose]),
            low("a proxy keeps the connection open, and the peer behind it has gone").unless(&[C::StreamEnded]),
        ])
        .seen("after our Close: the end of the stream, or nothing within the close timeout"),
    warning("W818", "the peer does not answer any more")
        .because("no pong arrived in time, or what was sent is not acknowledged")
        .help("see whether the peer's program hangs, is stopped, or reads too slowly")
        .source("RFC 6455 §5.5.2; documentation of websockets; tcp(7)")
        .causes(&[low("the peer's program hangs, is stopped or does not read"), low("the peer's library sends no pongs"), low("the network path broke silently: a laptop slept, a NAT or firewall forgot the connection")])
        .seen("nothing arrived within the pong timeout, or sent bytes stay unacknowledged")
        .more("Pings find this early: `--ping-interval 20`."),
    warning("W819", "this side reads too slowly")
        .because("data arrived faster than it was read, so the peer had to wait")
        .help("read stdout faster, or write it to a file")
        .source(KNOWN)
        .causes(&[low("the reader of stdout is slow")])
        .seen("stdout was blocked, or the receive queue stayed full"),
];
