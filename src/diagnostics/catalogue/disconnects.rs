//! W8xx: endings without a closing handshake, and what their timing means.

use super::builder::{KNOWN, error, high, low, medium, warning};
use crate::diagnostics::CatalogueEntry;

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    error("W801", "the stream ended without a Close frame")
        .because("the peer's process or a proxy ended TCP in order, but not the WebSocket")
        .help("look at the time it had been idle and at the peer's log; `--ping-interval 20` keeps proxies from cutting")
        .source("RFC 6455 §7.1.5")
        .causes(&[high("a proxy's timeout, if the connection was idle"), medium("the peer's process ended")])
        .seen("end of stream (FIN) and no Close frame"),
    error("W802", "the connection was reset")
        .because("the peer or something on the way aborted it")
        .help("look at the peer's log at that moment: a crash, a kill, or data it had not read")
        .source(KNOWN)
        .causes(&[high("the peer's process crashed or was killed"), medium("it closed with data unread, which makes a reset of the end"), low("a balancer or firewall dropped it")])
        .seen("ECONNRESET or EPIPE"),
    error("W803", "cut in the middle of a frame")
        .because("the sender was still sending when the connection ended")
        .help("look at the number of bytes that came: a round number is a limit, another one a crash")
        .source(KNOWN)
        .causes(&[high("the sender crashed"), medium("a limit on the size, in the sender or a proxy")])
        .seen("end of stream or reset inside a frame"),
    error("W804", "cut after 30 s: the default of haproxy or Google Cloud")
        .because("haproxy falls back to its client timeout when timeout tunnel is not set")
        .help("set `timeout tunnel 1h` in haproxy, or send pings: `--ping-interval 20`")
        .source("haproxy and Google Cloud documentation; measured on haproxy")
        .causes(&[high("haproxy's timeout client"), medium("Google Cloud's backend timeout, which is a lifetime: raise timeoutSec")])
        .seen("idle or, for Google Cloud, alive for 30 s, give or take 2 %"),
    error("W805", "cut after 55 s of silence: Heroku's router")
        .because("Heroku closes connections that are idle for 55 s")
        .help("send something at least every 50 s: `--ping-interval 45`")
        .source("Heroku documentation")
        .causes(&[high("Heroku's router")])
        .seen("idle for 55 s, give or take 2 %"),
    error("W806", "cut after 60 s of silence: nginx or a load balancer's idle timeout")
        .because("60 s is the default of nginx's proxy_read_timeout, of ingress-nginx and of AWS ALB")
        .help("raise it, in nginx with `proxy_read_timeout 1h;`, or send pings: `--ping-interval 25`")
        .source("nginx, ingress-nginx and AWS documentation; measured on nginx")
        .causes(&[high("nginx's proxy_read_timeout"), medium("the idle timeout of an AWS ALB"), low("another proxy with the same default")])
        .seen("idle for 60 s, give or take 2 %")
        .more("A ping every 60 s races with a timer of 60 s: choose less than half of it."),
    error("W807", "cut after 100 s of silence: Cloudflare")
        .because("Cloudflare closes WebSockets that are idle for 100 s")
        .help("send something at least every 60 s: `--ping-interval 50`")
        .source("Cloudflare documentation")
        .causes(&[high("Cloudflare's idle timeout")])
        .seen("idle for 100 s, give or take 2 %"),
    error("W808", "cut after 4 min of silence: Azure's load balancer")
        .because("Azure's load balancer drops flows that are idle for four minutes")
        .help("send pings, `--ping-interval 60`, or raise the idle timeout, to 30 min at most")
        .source("Azure documentation")
        .causes(&[high("Azure's load balancer")])
        .seen("idle for 240 s, give or take 2 %"),
    error("W809", "cut after 5 min of silence: Envoy's stream idle timeout")
        .because("Envoy and Istio close streams that are idle for five minutes, as do Oracle Cloud's TCP listeners")
        .help("set the route's `idle_timeout`, or send pings: `--ping-interval 60`")
        .source("Envoy and Oracle Cloud documentation")
        .causes(&[high("Envoy or Istio"), low("an Oracle Cloud TCP listener")])
        .seen("idle for 300 s, give or take 2 %"),
    error("W810", "cut after 350 s of silence: AWS network load balancer")
        .because("AWS NLB forgets flows that are idle for 350 s; with TLS listeners this can't be changed")
        .help("send pings: `--ping-interval 60`, or TCP keepalives more often than every 350 s")
        .source("AWS documentation")
        .causes(&[high("an AWS NLB")])
        .seen("idle for 350 s, give or take 2 %"),
    error("W811", "cut after 10 min of silence: AWS API Gateway")
        .because("API Gateway closes WebSockets that are idle for ten minutes")
        .help("send a message more often than every 10 min; `--ping-interval 300` keeps the path open too")
        .source("AWS documentation")
        .causes(&[high("AWS API Gateway's idle limit")])
        .seen("idle for 600 s, give or take 2 %"),
    error("W812", "cut after 2 h: AWS API Gateway's longest connection")
        .because("API Gateway ends every WebSocket after two hours, whatever its traffic")
        .help("plan to reconnect before, and to resume the session")
        .source("AWS documentation")
        .causes(&[high("AWS API Gateway's limit on the duration")])
        .seen("alive for 7200 s, give or take 2 %, with traffic until the end"),
    error("W814", "cut at the same age each time")
        .because("the connections lived equally long whatever they carried, so a clock at the other side ends them")
        .help("do the login step first; otherwise ask for the limit on a connection's age")
        .source(KNOWN)
        .causes(&[high("a deadline of the application for the login or first message"), medium("a limit on the age of connections, or of tokens")])
        .seen("two connections or more with the same lifetime, give or take 2 %"),
    error("W815", "closed as idle though pings were answered")
        .because("a timer of the application counts messages only, not pings and pongs")
        .help("send the application's own heartbeat message")
        .source("reported for several frameworks")
        .causes(&[high("an idle timer in the application or its framework")])
        .seen("pongs came until the end, while the last message is as old as a usual idle timeout"),
    warning("W816", "the peer did not answer our Close frame")
        .because("a Close must be answered by a Close")
        .help("end the connection after 2 to 5 s; `--close-timeout` sets the time")
        .source("RFC 6455 §5.5.1")
        .causes(&[high("the peer's application does not read"), medium("the peer is gone"), low("the peer still sends a long message")])
        .seen("no Close from the peer within the time given"),
    warning("W818", "the path died without a sign")
        .because("what we send is no longer acknowledged, and nothing comes")
        .help("find such ends soon with pings: `--ping-interval 20`; the system's own keepalive waits two hours")
        .source("documentation of websockets; tcp(7)")
        .causes(&[high("a laptop slept, or the network changed"), medium("a NAT or firewall forgot the connection")])
        .seen("nothing came after a ping within the time given, or written bytes stay unacknowledged"),
    warning("W819", "this side reads too slowly")
        .because("more came than was taken, so the peer had to wait for us")
        .help("read stdout faster, or write it to a file")
        .source(KNOWN)
        .causes(&[high("the reader of stdout is slow")])
        .seen("the queue of what was received stayed full"),
];
