//! W420 to W463: extensions in a 101, and the bytes right after its blank line.

use super::builder::{KNOWN, MEASURED, error, low, medium, note, warning};
use crate::diagnostics::{CatalogueEntry, Clue as C};

#[rustfmt::skip]
pub(super) const ENTRIES: &[CatalogueEntry] = &[
    error("W420", "the server enabled an extension that was not offered")
        .because("wscope can't decode its frames, so it must fail the connection")
        .help("make the server enable only offered extensions, or offer it with `-H 'Sec-WebSocket-Extensions: …'`")
        .source("RFC 6455 §4.1, §9.1")
        .seen("Sec-WebSocket-Extensions contains a name that the request does not"),
    error("W421", "the extensions of the 101 can't be parsed")
        .because("Sec-WebSocket-Extensions does not follow its grammar")
        .help("correct the header at the place marked: names and parameters, `;` between parameters, `,` between extensions")
        .source("RFC 6455 §9.1")
        .seen("the header is not a list of extensions"),
    error("W422", "an unknown permessage-deflate parameter was accepted")
        .because("a client must refuse a response with an undefined parameter")
        .help("make the server answer with the four parameters of the RFC only")
        .source("RFC 7692 §7")
        .seen("a parameter other than the four"),
    error("W423", "a permessage-deflate parameter is repeated")
        .because("each parameter, and the extension itself, may appear in the response only once")
        .help("make the server write each parameter once")
        .source("RFC 7692 §7")
        .seen("a parameter, or the extension, appears twice"),
    error("W424", "a permessage-deflate parameter has a bad value")
        .because("window bits are 8 to 15 without a leading zero, and the flags take no value")
        .help("make the server write window bits as in `server_max_window_bits=15`, and the flags without a value")
        .source("RFC 7692 §7.1.2")
        .causes(&[low("client_max_window_bits without a value, which only a request may have; libsoup once sent it")])
        .seen("a value outside 8 to 15, a leading zero, a missing value, or a flag with one"),
    error("W425", "client_max_window_bits was answered but not offered")
        .because("a server may limit the client's window only if the client said it can")
        .help("make the server leave it out unless the request has it")
        .source("RFC 7692 §7.1.2.2")
        .seen("the parameter is in the response and not in the offer"),
    error("W426", "server_no_context_takeover was not confirmed")
        .because("a server that accepts the offer must repeat the parameter")
        .help("make the server write `server_no_context_takeover` in its answer, or do not offer it")
        .source("RFC 7692 §7.1.1.1; measured on tornado")
        .seen("the parameter is in the offer and not in the response"),
    error("W427", "the server's window is larger than offered")
        .because("the client asked for a smaller window, and the server did not confirm it")
        .help("make the server answer with the same or a smaller server_max_window_bits")
        .source("RFC 7692 §7.1.2.1")
        .seen("server_max_window_bits is larger than in the offer, or missing"),
    error("W428", "two extensions use RSV1")
        .because("RSV1 in a frame would be ambiguous")
        .help("make the server accept one of them")
        .source("RFC 7692 §5")
        .seen("two accepted extensions that both mark frames with RSV1"),
    note("W429", "no compression was agreed")
        .because("the server declined permessage-deflate, or the better offer of it")
        .help("no action needed; messages are sent uncompressed")
        .source("RFC 7692 §5")
        .causes(&[low("the server does not compress"), low("a proxy removed Sec-WebSocket-Extensions")])
        .seen("permessage-deflate in the request, not in the 101"),
    warning("W430", "a window of 8 bits was agreed")
        .because("zlib can't make streams with a window of 256 bytes, and implementations handle it differently")
        .help("ask for 9 to 15 bits: `--server-max-window-bits 9`")
        .source("RFC 7692 §7.1.2; zlib's deflateInit2")
        .seen("max_window_bits is 8 in the agreement"),
    note("W440", "frames came in the same segment as the 101")
        .because("a server may send as soon as it has answered; some clients lose these frames")
        .help("no action needed in wscope; other clients must read frames from the bytes after the blank line")
        .source("RFC 6455 §4.2.2")
        .seen("bytes after the 101's blank line"),
    error("W461", "the server accepted the upgrade, then sent text instead of frames")
        .because("an application or proxy wrote an HTTP response, HTML or JSON where a frame should be")
        .help("read the text: it contains the server's error message")
        .source(MEASURED)
        .causes(&[
            medium("Socket.IO rejects EIO=3 or a missing EIO after it has switched", C::InPath("socket.io")),
            low("a handler writes text to the raw socket"),
            low("an error page of a proxy or framework"),
        ])
        .seen("the first bytes are HTTP/1., HTML or JSON, or eight printable characters that are not a legal header")
        .more("Other clients report that RSV1 is set, or an invalid frame header: the letter H is RSV1 with opcode 8."),
    error("W462", "a TLS record came after the 101")
        .because("the bytes after the 101 are TLS, not frames")
        .help("terminate TLS in one place only: the proxy forwards a TLS stream inside the WebSocket")
        .source(KNOWN)
        .causes(&[low("TLS is used twice, by the proxy and by the server behind it"), low("two streams were mixed up")])
        .seen("the first bytes are 14 to 17, 03, 00 to 04"),
    error("W463", "accepted, then dropped at once")
        .because("the stream ended right after the 101, without a frame")
        .help("read the application's log at that moment, and that of a proxy in front, which may answer 101 before the backend does")
        .source(KNOWN)
        .causes(&[
            medium("the server supports none of the subprotocols offered", C::DroppedWithoutSubprotocol)
                .cure("offer one that the server knows, `-s NAME`, or none; names are case-sensitive"),
            medium("the proxy accepted and the backend refused", C::Proxied),
            low("the application's handler ended at once, or with an exception"),
            low("the application does not know the path"),
        ])
        .seen("end of stream less than 100 ms after the 101, and no frame"),
];
