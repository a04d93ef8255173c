//! The table of rules: what each asks, how binding it is, and which function judges it.
//! Order matters: it is the order of reports, and within the fatal rules the order in
//! which a client names its reasons.

use super::Level::{self, Must, Other, Should};
use super::Side::{self, Client, Server};
use super::facts::Facts;
use super::{Finding, Rule};
use super::{deflate, request_http as http, request_ws as ws, response as res};

/// Every rule that one captured HTTP/1.1 handshake can decide, client's duties first.
#[rustfmt::skip] // one rule, one line: it is a table
pub static RULES: &[Rule] = &[
    rule("3-uri-fragment", Must, Client, "the URL has no fragment", http::fragment).code("W002"),
    rule("4.1-tls-sni", Must, Client, "TLS names the server", http::sni),
    rule("4.1-req-syntax", Must, Client, "the request is valid HTTP", http::syntax),
    rule("4.1-req-method", Must, Client, "the method is GET", http::method),
    rule("4.1-req-httpver", Must, Client, "the version is HTTP/1.1 or later", http::version),
    rule("4.1-req-target", Must, Client, "the target is the URL's path and query", http::target),
    rule("4.1-req-host", Must, Client, "Host names the URL's host and port", http::host),
    rule("4.1-req-upgrade", Must, Client, "Upgrade offers websocket", http::upgrade),
    rule("4.1-req-connection", Must, Client, "Connection lists upgrade", http::connection),
    rule("4.1-req-key-present", Must, Client, "there is a Sec-WebSocket-Key", ws::key_present),
    rule("4.1-req-key-b64", Must, Client, "the key is base64", ws::key_base64),
    rule("4.1-req-key-16", Must, Client, "the key has 16 bytes", ws::key_length),
    rule("4.1-req-key-fresh", Must, Client, "the key was not used before", ws::key_fresh),
    rule("4.1-req-key-random", Must, Client, "the key is no sample or constant", ws::key_random),
    rule("11.3.1-req-key-once", Must, Client, "Sec-WebSocket-Key appears once", ws::key_once),
    rule("4.1-req-version-present", Must, Client, "there is a Sec-WebSocket-Version", ws::version_present),
    rule("4.1-req-version-13", Must, Client, "the version is 13", ws::version_13),
    rule("4.3-req-version-abnf", Must, Client, "the version is a number from 0 to 255", ws::version_abnf),
    rule("11.3.5-req-version-once", Must, Client, "Sec-WebSocket-Version appears once", ws::version_once),
    rule("4.1-req-origin", Must, Client, "a browser sends Origin", http::origin),
    rule("4.1-req-origin-form", Must, Client, "Origin is an origin", http::origin_form),
    rule("4.1-req-proto-nonempty", Must, Client, "no offered subprotocol is empty", ws::subprotocol_nonempty),
    rule("4.1-req-proto-token", Must, Client, "offered subprotocols are tokens", ws::subprotocol_token),
    rule("4.1-req-proto-unique", Must, Client, "no subprotocol is offered twice", ws::subprotocol_unique),
    rule("9.1-req-ext-abnf", Must, Client, "the offered extensions can be parsed", ws::extension_abnf),
    rule("9.1-req-ext-registered", Must, Client, "offered extensions are registered", ws::extension_registered),
    rule("4.1-req-wait", Must, Client, "nothing is sent before the response", http::wait),
    rule("9112-req-no-body", Other, Client, "the request has no body", http::no_body),
    rule("10.6-tls", Should, Client, "other machines are reached over TLS", http::tls),
    rule("10.5-secret-in-url", Other, Client, "the URL holds no credential", http::secret_in_url),
    rule("7692-7-offer-param", Must, Client, "offered deflate parameters are defined", deflate::offer_param),
    rule("7692-7-offer-value", Must, Client, "offered deflate parameters have legal values", deflate::offer_value),
    rule("7692-7-offer-once", Must, Client, "no deflate parameter is offered twice", deflate::offer_once),

    rule("4.1-res-status", Must, Server, "the status is 101", res::status),
    rule("4.2.2-res-httpver", Must, Server, "the response is HTTP/1.1", res::version).code("W349"),
    rule("4.1-res-upgrade", Must, Server, "Upgrade is websocket", res::upgrade).code("W404").fatal(),
    rule("4.1-res-connection", Must, Server, "Connection lists upgrade", res::connection).code("W405").fatal(),
    rule("4.1-res-accept-present", Must, Server, "there is a Sec-WebSocket-Accept", res::accept_present).code("W401").fatal(),
    rule("4.1-res-accept-value", Must, Server, "the accept value proves the key was read", res::accept_value).code("W402").fatal(),
    rule("4.2.2-res-accept-abnf", Must, Server, "the accept value is base64 of 20 bytes", res::accept_abnf).code("W402"),
    rule("11.3.3-res-accept-once", Must, Server, "Sec-WebSocket-Accept appears once", res::accept_once).code("W403"),
    rule("4.1-res-ext-offered", Must, Server, "accepted extensions were offered", res::extension_offered).code("W420").fatal(),
    rule("9.1-res-ext-abnf", Must, Server, "the accepted extensions can be parsed", res::extension_abnf).code("W421").fatal(),
    rule("11.3.2-res-ext-once", Should, Server, "Sec-WebSocket-Extensions appears once", res::extension_once),
    rule("4.1-res-proto-offered", Must, Server, "the chosen subprotocol was offered", res::subprotocol_offered).code("W410").fatal(),
    rule("4.2.2-res-proto-none", Must, Server, "no subprotocol is chosen if none is offered", res::subprotocol_none).code("W410").fatal(),
    rule("4.2.2-res-proto-token", Must, Server, "the chosen subprotocol is one token", res::subprotocol_token).code("W413").fatal(),
    rule("11.3.4-res-proto-once", Must, Server, "Sec-WebSocket-Protocol appears once", res::subprotocol_once).code("W413").fatal(),
    rule("whatwg-res-proto-acked", Other, Server, "an offered subprotocol is chosen", res::subprotocol_acked).code("W411"),
    rule("9110-res-101-nobody", Other, Server, "a 101 announces no body", res::no_body).code("W406"),
    rule("4.2.2-res-version-absent", Should, Server, "a 101 has no Sec-WebSocket-Version", res::version_absent),
    rule("4.4-res-version-list", Must, Server, "a version mismatch is answered with a list", res::version_list).code("W321"),
    rule("4.3-res-version-abnf", Must, Server, "the versions listed are numbers from 0 to 255", res::version_abnf).code("W321"),
    rule("9110-res-426-upgrade", Other, Server, "a 426 says what to upgrade to", res::status_426),
    rule("9110-res-405-allow", Other, Server, "a 405 lists the methods allowed", res::status_405).code("W336"),
    rule("9110-res-401-auth", Other, Server, "a 401 says how to authenticate", res::status_401),
    rule("whatwg-res-redirect", Other, Server, "the response is no redirect", res::redirect).code("W310"),
    rule("7692-5-fallback", Should, Server, "the first acceptable deflate offer is taken", deflate::fallback).code("W429"),
    rule("7692-7-res-param", Must, Server, "accepted deflate parameters are defined", deflate::answer_param).code("W422").fatal(),
    rule("7692-7-res-value", Must, Server, "accepted deflate parameters have legal values", deflate::answer_value).code("W424").fatal(),
    rule("7692-7-res-once", Must, Server, "deflate and its parameters are accepted once", deflate::answer_once).code("W423").fatal(),
    rule("7692-7.1.1.1-ack", Must, Server, "server_no_context_takeover is confirmed", deflate::takeover_ack).code("W426").fatal(),
    rule("7692-7.1.2.1-le", Must, Server, "the server's window is no larger than offered", deflate::server_bits_le).code("W427").fatal(),
    rule("7692-7.1.2.1-ack", Must, Server, "server_max_window_bits is confirmed", deflate::server_bits_ack).code("W427").fatal(),
    rule("7692-7.1.2.2-offered", Must, Server, "client_max_window_bits was offered", deflate::client_bits_offered).code("W425").fatal(),
    rule("7692-7.1.2.2-le", Should, Server, "the client's window is no larger than hinted", deflate::client_bits_le),
    rule("7692-5-rsv", Must, Server, "only one extension uses RSV1", deflate::rsv).code("W428").fatal(),
];

const fn rule(
    id: &'static str,
    level: Level,
    side: Side,
    title: &'static str,
    judge: fn(&Facts<'_>) -> Finding,
) -> Rule {
    Rule { id, level, side, title, code: None, fatal: false, judge }
}

impl Rule {
    const fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    const fn fatal(mut self) -> Self {
        self.fatal = true;
        self
    }
}
