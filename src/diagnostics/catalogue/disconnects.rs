//! W8xx: endings without a closing handshake, and what their timing means.

use super::builder::{KNOWN, error, high, low, medium, warning};
use crate::diagnostics::{CatalogueEntry, Clue as C, LikelyCause};

/// What ends a connection in the middle of its traffic.
#[rustfmt::skip]
const LOSSES: &[LikelyCause] = &[
    high("a frame that this side sent is illegal, and the peer ended the connection for it", C::IllegalSent)
        .cure("correct the frame: the peer was right; it may also answer with a Close 1002"),
    medium("the bytes sent by hand are no legal frames here, and the peer ended the connection for them", C::BytesSent)
        .cure("correct the bytes"),
    high("this side read too slowly, and the peer gave up", C::Stalled)
        .cure("read stdout faster, or write it to a file"),
    medium("the peer can't take a control frame between the fragments of a compressed message, a known defect of some libraries (wsproto, tornado)", C::PingInsideCompressed)
        .cure("send the message whole or uncompressed, `--no-compress`, to see whether that is it"),
    medium("the peer's handler ended on our message, or at the opening already, with an exception or on purpose", C::AtOnce)
        .cure("read the peer's log at that moment; without a message, `wscope doctor` shows whether it ends at the opening"),
    medium("the peer's handler ended on our message, with an exception or on purpose", C::AfterOurMessage).unless(&[C::AtOnce])
        .cure("read the peer's log at that moment: the message sent last is what it could not take"),
    low("the peer's process ended, or its handler did without closing"),
    low("a balancer or proxy on the way ended it"),
];

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    error("W801", "the stream ended without a Close frame")
        .because("the peer's process or a proxy ended TCP in order, but not the WebSocket")
        .help("read the peer's log at that moment; `wscope doctor` shows whether it stands a silence")
        .source("RFC 6455 §7.1.5")
        .causes(LOSSES)
        .seen("end of stream (FIN), no Close frame, and bytes crossed within the last second"),
    error("W802", "the connection was reset")
        .because("the peer or something on the way aborted it")
        .help("look at the peer's log at that moment: a crash, a kill, or data it had not read")
        .source(KNOWN)
        .causes(LOSSES)
        .seen("ECONNRESET or EPIPE, and bytes crossed within the last second"),
    error("W803", "cut in the middle of a frame")
        .because("the sender was still sending when the connection ended")
        .help("look at the number of bytes that came: a round number is a limit, another one a crash")
        .source(KNOWN)
        .causes(&[low("the sender crashed"), low("a limit on the size, in the sender or a proxy")])
        .seen("end of stream or reset inside a frame"),
    error("W804", "cut after a silence")
        .because("nothing had crossed for some time, and then the connection was ended without a Close frame, as a timer does")
        .help("send pings more often than that: `--ping-interval SECS`; or raise the timer")
        .source("documentation of nginx, haproxy, Heroku, AWS, Google Cloud, Azure, Envoy and Cloudflare; measured on nginx and haproxy")
        .causes(&[
            high("nginx's proxy_read_timeout, 60 s unless set", C::IdleAt(60, "nginx")),
            high("Cloudflare's idle timeout", C::IdleAt(100, "cloudflare")),
            high("Envoy's or Istio's stream idle timeout", C::IdleAt(300, "envoy")),
            high("Heroku's router", C::IdleAt(55, "heroku")),
            medium("a timer of the proxy that answered", C::SilenceBehindProxy),
            medium("haproxy's `timeout client`, where `timeout tunnel` is not set, or Google Cloud's timeoutSec", C::Idle(30)),
            medium("Heroku's router", C::Idle(55)),
            medium("nginx's proxy_read_timeout or the idle timeout of an AWS load balancer, whose default it is", C::Idle(60)),
            medium("Cloudflare's idle timeout", C::Idle(100)),
            medium("Azure's load balancer, which drops flows after four minutes", C::Idle(240)),
            medium("Envoy's or Istio's stream idle timeout", C::Idle(300)),
            medium("an AWS network load balancer", C::Idle(350)),
            medium("AWS API Gateway's idle limit", C::Idle(600)),
            medium("a timer of a proxy or of the peer", C::Silence),
        ])
        .seen("end of stream or reset after a second or more in which nothing crossed")
        .more("A ping every 60 s races with a timer of 60 s: choose less than half of it."),
    error("W812", "cut after 2 h: AWS API Gateway's longest connection")
        .because("API Gateway ends every WebSocket after two hours, whatever its traffic")
        .help("plan to reconnect before, and to resume the session")
        .source("AWS documentation")
        .causes(&[medium("AWS API Gateway's limit on the duration", C::Lived(7200))])
        .seen("alive for 7200 s, give or take 2 %, with traffic until the end"),
    error("W814", "cut at the same age each time")
        .because("the connections lived equally long whatever they carried, so a clock at the other side ends them")
        .help("do the login step first; otherwise ask for the limit on a connection's age")
        .source(KNOWN)
        .causes(&[low("a deadline of the application for the login or first message"), low("a limit on the age of connections, or of tokens"), medium("Google Cloud's timeoutSec, which is a lifetime", C::Lived(30))])
        .seen("two connections or more with the same lifetime, give or take 2 %"),
    error("W815", "closed as idle though pings were answered")
        .because("a timer of the application counts messages only, not pings and pongs")
        .help("send the application's own heartbeat message")
        .source("reported for several frameworks")
        .causes(&[low("an idle timer in the application or its framework")])
        .seen("pongs came until the end, while the last message is as old as a usual idle timeout"),
    warning("W816", "the peer did not answer our Close frame")
        .because("a Close must be answered by a Close")
        .help("nothing is lost if all was received before; otherwise see why the peer stops reading")
        .source("RFC 6455 §5.5.1")
        .causes(&[low("the peer's library or handler ends TCP instead of closing the WebSocket"), low("the peer's application does not read")])
        .seen("after our Close the end of the stream, or nothing within the time given"),
    warning("W818", "the path died without a sign")
        .because("what we send is no longer acknowledged, and nothing comes")
        .help("find such ends soon with pings: `--ping-interval 20`; the system's own keepalive waits two hours")
        .source("documentation of websockets; tcp(7)")
        .causes(&[low("a laptop slept, or the network changed"), low("a NAT or firewall forgot the connection")])
        .seen("nothing came after a ping within the time given, or written bytes stay unacknowledged"),
    warning("W819", "this side reads too slowly")
        .because("more came than was taken, so the peer had to wait for us")
        .help("read stdout faster, or write it to a file")
        .source(KNOWN)
        .causes(&[low("the reader of stdout is slow")])
        .seen("the queue of what was received stayed full"),
];
