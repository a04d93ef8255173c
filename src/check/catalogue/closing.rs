//! The closing handshake.

use super::framing::CONTROL;
use crate::check::case::{Case, CitedRule, Expectation, Tested, rule};

pub(super) const UTF8: CitedRule = rule(
    "RFC 6455 §8.1",
    "When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte stream is not, in fact, a valid UTF-8 stream, that endpoint MUST _Fail the WebSocket Connection_.",
);
pub(super) const ANSWER: CitedRule = rule(
    "RFC 6455 §5.5.1",
    "If an endpoint receives a Close frame and did not previously send a Close frame, the endpoint MUST send a Close frame in response.",
);
const TWO_BYTES: CitedRule = rule(
    "RFC 6455 §5.5.1",
    "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer (in network byte order) representing a status code with value /code/ defined in Section 7.4.",
);
const DEFINED: CitedRule = rule(
    "RFC 6455 §7.4.1",
    "Endpoints MAY use the following pre-defined status codes when sending a Close frame.",
);
const REGISTERED: CitedRule = rule(
    "RFC 6455 §7.4.2",
    "Status codes in the range 1000-2999 are reserved for definition by this protocol, its future revisions, and extensions specified in a permanent and readily available public specification.",
);
const LIBRARIES: CitedRule = rule(
    "RFC 6455 §7.4.2",
    "Status codes in the range 3000-3999 are reserved for use by libraries, frameworks, and applications.",
);
const PRIVATE: CitedRule = rule(
    "RFC 6455 §7.4.2",
    "Status codes in the range 4000-4999 are reserved for private use and thus can't be registered.",
);
const UNUSED: CitedRule = rule("RFC 6455 §7.4.2", "Status codes in the range 0-999 are not used.");
const RESERVED: CitedRule = rule(
    "RFC 6455 §7.4.1",
    "is a reserved value and MUST NOT be set as a status code in a Close control frame by an endpoint.",
);
const LATER: CitedRule =
    rule("RFC 6455 §7.4.1", "Reserved. The specific meaning might be defined in the future.");
const ENDED: CitedRule = rule(
    "RFC 6455 §7.2.1",
    "If at any point the underlying transport layer connection is unexpectedly lost, the client MUST _Fail the WebSocket Connection_.",
);
pub(super) const ENDING: CitedRule = rule(
    "RFC 6455 §7.1.1",
    "In abnormal cases (such as not having received a TCP Close from the server after a reasonable amount of time) a client MAY initiate the TCP Close.",
);
const NO_MORE: CitedRule = rule(
    "RFC 6455 §5.5.1",
    "The application MUST NOT send any more data frames after sending a Close frame.",
);
const FIRST: CitedRule = rule(
    "RFC 6455 §7.1.1",
    "The underlying TCP connection, in most normal cases, SHOULD be closed first by the server, so that it holds the TIME_WAIT state and not the client",
);

const STUCK: &str = "the other side waits for the answer until its timeout, and reports 1006";
const READ: &str = "applications tell a regular end from an error by this code";
const INVENTED: &str = "a code that must not be sent shows that something on the path is broken";
const PREDATES: &str = "the library is older than the registration of the code";

const fn answered(
    id: &'static str,
    title: &'static str,
    rule: CitedRule,
    why: &'static str,
    send: &'static [&'static str],
    codes: &'static [u16],
) -> Case {
    Case::new(id, title, rule, why).send(send).expect(Expectation::Closes(codes))
}

const fn bad(
    id: &'static str,
    title: &'static str,
    rule: CitedRule,
    send: &'static [&'static str],
) -> Case {
    Case::new(id, title, rule, INVENTED).send(send).expect(Expectation::Condemns(&[1002]))
}

#[rustfmt::skip] // a table
pub(super) static CASES: &[Case] = &[
    answered("c/1000", "Close 1000", ANSWER, STUCK, &["/close 1000"], &[1000]).autobahn("7.1.1, 7.3.3"),
    answered("c/empty", "a Close without a code", ANSWER, STUCK, &["/close"], &[1000]).autobahn("7.3.1"),
    answered("c/reason", "Close 1000 with a reason", ANSWER, STUCK, &["/close 1000 wscope check"], &[1000]).autobahn("7.3.4"),
    answered("c/reason-123", "Close 1000 with the longest reason", ANSWER, STUCK, &["/close 1000 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"], &[1000]).autobahn("7.3.5"),
    Case::new("c/reason-124", "a Close of 126 bytes", CONTROL, "control frames would fill memory").send(&["/frame close code=1000 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"])
        .expect(Expectation::DiesUnlike(&[1002], 1000)).autobahn("7.3.6"),
    bad("c/1byte", "a Close with a body of one byte", TWO_BYTES, &[r"/frame close \x03"]).autobahn("7.3.2"),
    Case::new("c/reason-badutf8", "a Close whose reason is not UTF-8", UTF8, "the reason reaches logs and applications as garbage").send(&[r"/frame close code=1000 \xff"])
        .expect(Expectation::Condemns(&[1007, 1002])).autobahn("7.5.1"),
    answered("c/valid-1001", "Close 1001", DEFINED, READ, &["/close 1001"], &[1001, 1000]).autobahn("7.7.2"),
    answered("c/valid-1002", "Close 1002", DEFINED, READ, &["/close 1002"], &[1002, 1000]).autobahn("7.7.3"),
    answered("c/valid-1003", "Close 1003", DEFINED, READ, &["/close 1003"], &[1003, 1000]).autobahn("7.7.4"),
    answered("c/valid-1007", "Close 1007", DEFINED, READ, &["/close 1007"], &[1007, 1000]).autobahn("7.7.5"),
    answered("c/valid-1008", "Close 1008", DEFINED, READ, &["/close 1008"], &[1008, 1000]).autobahn("7.7.6"),
    answered("c/valid-1009", "Close 1009", DEFINED, READ, &["/close 1009"], &[1009, 1000]).autobahn("7.7.7"),
    answered("c/valid-1010", "Close 1010", DEFINED, READ, &["/close 1010"], &[1010, 1000]).autobahn("7.7.8"),
    answered("c/valid-1011", "Close 1011", DEFINED, READ, &["/close 1011"], &[1011, 1000]).autobahn("7.7.9"),
    answered("c/valid-1012", "Close 1012, registered later", REGISTERED, PREDATES, &["/close 1012"], &[1012, 1000]).should(),
    answered("c/valid-1013", "Close 1013, registered later", REGISTERED, PREDATES, &["/close 1013"], &[1013, 1000]).should(),
    answered("c/valid-1014", "Close 1014, registered later", REGISTERED, PREDATES, &["/close 1014"], &[1014, 1000]).should(),
    answered("c/valid-3000", "Close 3000", LIBRARIES, READ, &["/close 3000"], &[3000, 1000]).autobahn("7.7.10"),
    answered("c/valid-3999", "Close 3999", LIBRARIES, READ, &["/close 3999"], &[3999, 1000]).autobahn("7.7.11"),
    answered("c/valid-4000", "Close 4000", PRIVATE, READ, &["/close 4000"], &[4000, 1000]).autobahn("7.7.12"),
    answered("c/valid-4999", "Close 4999", PRIVATE, READ, &["/close 4999"], &[4999, 1000]).autobahn("7.7.13"),
    bad("c/bad-0", "Close 0, which is not used", UNUSED, &["/frame close code=0"]).autobahn("7.9.1"),
    bad("c/bad-999", "Close 999, which is not used", UNUSED, &["/frame close code=999"]).autobahn("7.9.2"),
    bad("c/bad-1004", "Close 1004, a reserved code", LATER, &["/frame close code=1004"]).autobahn("7.9.3"),
    bad("c/bad-1005", "Close 1005, a reserved code", RESERVED, &["/frame close code=1005"]).autobahn("7.9.4"),
    bad("c/bad-1006", "Close 1006, a reserved code", RESERVED, &["/frame close code=1006"]).autobahn("7.9.5"),
    bad("c/bad-1016", "Close 1016, which is not registered", REGISTERED, &["/frame close code=1016"]).autobahn("7.9.6"),
    bad("c/bad-1100", "Close 1100, which is not registered", REGISTERED, &["/frame close code=1100"]).autobahn("7.9.7"),
    bad("c/bad-2000", "Close 2000, which is not registered", REGISTERED, &["/frame close code=2000"]).autobahn("7.9.8"),
    bad("c/bad-2999", "Close 2999, which is not registered", REGISTERED, &["/frame close code=2999"]).autobahn("7.9.9"),
    Case::new("c/bad-1015", "Close 1015, a reserved code", RESERVED, INVENTED).send(&["/frame close code=1015"]).expect(Expectation::Condemns(&[1002])),
    Case::new("c/info-5000", "Close 5000, which nothing defines", PRIVATE, READ).info().send(&["/frame close code=5000"]).expect(Expectation::Learns).autobahn("7.13.1"),
    Case::new("c/info-65535", "Close 65535, which nothing defines", PRIVATE, READ).info().send(&["/frame close code=65535"]).expect(Expectation::Learns).autobahn("7.13.2"),
    Case::new("c/ping-after", "a ping after a Close", NO_MORE, "data after a Close is lost").send(&["/close 1000", "/frame ping wscope check"])
        .expect(Expectation::Silence).autobahn("7.1.3"),
    Case::new("c/two", "two Closes", NO_MORE, "the second Close may be attributed to another connection").send(&["/frame close code=1000", "/frame close code=1000"])
        .expect(Expectation::Silence).autobahn("7.1.2"),
    Case::new("c/frag", "a Close without FIN", CONTROL, "control frames would have to wait for data").send(&["/frame close fin=off code=1000"])
        .expect(Expectation::DiesUnlike(&[1002], 1000)),
    answered("c/tcp-first", "Close 1000; the server must end TCP first", FIRST, "the client's port stays in TIME_WAIT for minutes", &["/close 1000"], &[1000]).should().of(Tested::Server),
    answered("c/data-then-close", "256 KiB, then Close 1000", ANSWER, "the end of a transfer is lost", &["/frame binary mask=00000000 length=262144", r"/repeat 2048 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a", "/close 1000"], &[1000])
        .mirror(&["/frame binary length=262144", r"/repeat 2048 /bytes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a", "/close 1000"]).should().stress().autobahn("7.1.6"),
    Case::new("c/no-reply", "no answer to a Close of the other side", ENDING, "shows whether a connection whose peer does not close is kept").info().stress()
        .send(&["/autoclose off", "/frame ping rsv2=on wscope check", "/wait 10"]).expect(Expectation::Ends),
    Case::new("c/half-close", "the end of our stream without a Close", ENDED, "shows whether a connection whose peer is gone is kept").info().stress()
        .send(&["/half-close"]).expect(Expectation::Learns),
];
