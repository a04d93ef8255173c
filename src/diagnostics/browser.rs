//! The messages of browsers and of Node's ws about a failure, and the entries that explain them.
//!
//! Browsers report little on purpose, so that pages can't probe the network behind them. The wording
//! is that of Chromium, Firefox, Safari and of Node's ws and net modules.

use super::of_status;

/// The meaning of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserMeaning {
    /// The program that prints such messages.
    pub speaker: &'static str,
    /// The codes of the entries; the most likely one is first.
    pub codes: Vec<&'static str>,
}

const CHROME: &str = "Chrome";
const FIREFOX: &str = "Firefox";
const SAFARI: &str = "Safari";
const NODE: &str = "Node.js";

/// Messages that end with an HTTP status.
const WITH_STATUS: [(&str, &str); 2] =
    [("unexpected response code:", CHROME), ("unexpected server response:", NODE)];

/// Parts of messages in lower case, with plain apostrophes. The first part that a message contains
/// decides.
#[rustfmt::skip]
const MESSAGES: &[(&str, &str, &[&str])] = &[
    ("incorrect 'sec-websocket-accept'", CHROME, &["W402"]),
    ("'sec-websocket-accept' header is missing", CHROME, &["W401"]),
    ("'sec-websocket-accept' header must not appear more than once", CHROME, &["W403"]),
    ("'upgrade' header is missing", CHROME, &["W404"]),
    ("'upgrade' header value is not 'websocket'", CHROME, &["W404"]),
    ("'connection' header is missing", CHROME, &["W405"]),
    ("'connection' header value must contain 'upgrade'", CHROME, &["W405"]),
    ("sent non-empty 'sec-websocket-protocol' header but no response", CHROME, &["W411"]),
    ("response must not include 'sec-websocket-protocol'", CHROME, &["W410"]),
    ("'sec-websocket-protocol' header value", CHROME, &["W410", "W414"]),
    ("'sec-websocket-protocol' header must not appear more than once", CHROME, &["W413"]),
    ("found an unsupported extension", CHROME, &["W420"]),
    ("'sec-websocket-extensions' header value is rejected by the parser", CHROME, &["W421"]),
    ("received unexpected permessage-deflate", CHROME, &["W420", "W423"]),
    ("error in permessage-deflate", CHROME, &["W424", "W422"]),
    ("one or more reserved bits are on", CHROME, &["W602", "W603"]),
    ("invalid frame header", CHROME, &["W461", "W606", "W610"]),
    ("a server must not mask", CHROME, &["W601"]),
    ("could not decode a text frame as utf-8", CHROME, &["W615", "W617"]),
    ("received start of new message but previous", CHROME, &["W614"]),
    ("received unexpected continuation frame", CHROME, &["W613"]),
    ("received a broken close frame", CHROME, &["W619", "W620", "W621"]),
    ("received fragmented control frame", CHROME, &["W608"]),
    ("received control frame having too long payload", CHROME, &["W609"]),
    ("unrecognized frame opcode", CHROME, &["W606", "W607"]),
    ("invalid status line", CHROME, &["W348"]),
    ("failed to inflate", CHROME, &["W624"]),
    ("invalid utf-8 in close frame", CHROME, &["W621"]),
    ("websocket opening handshake timed out", CHROME, &["W109"]),
    ("closed before the connection is established", CHROME, &["W701", "W706"]),
    ("close received after close", CHROME, &["W618"]),
    ("err_name_not_resolved", CHROME, &["W101"]),
    ("err_connection_refused", CHROME, &["W103"]),
    ("err_connection_timed_out", CHROME, &["W105"]),
    ("err_address_unreachable", CHROME, &["W106"]),
    ("err_internet_disconnected", CHROME, &["W106"]),
    ("err_connection_closed", CHROME, &["W107", "W202"]),
    ("err_empty_response", CHROME, &["W107"]),
    ("err_connection_reset", CHROME, &["W107", "W802"]),
    ("err_invalid_http_response", CHROME, &["W348"]),
    ("err_tunnel_connection_failed", CHROME, &["W112"]),
    ("err_proxy", CHROME, &["W112", "W113"]),
    ("err_cert_date_invalid", CHROME, &["W206"]),
    ("err_cert_common_name_invalid", CHROME, &["W207"]),
    ("err_cert_authority_invalid", CHROME, &["W208"]),
    ("err_cert_", CHROME, &["W208", "W206", "W207"]),
    ("err_ssl_version_or_cipher_mismatch", CHROME, &["W209", "W210"]),
    ("err_ssl_client_auth_cert_needed", CHROME, &["W212"]),
    ("err_bad_ssl_client_auth_cert", CHROME, &["W212"]),
    ("err_ssl_protocol_error", CHROME, &["W201"]),
    ("err_timed_out", CHROME, &["W105", "W109"]),
    ("firefox can't establish a connection to the server at", FIREFOX, &["W706"]),
    ("was interrupted while the page was loading", FIREFOX, &["W701", "W706"]),
    ("the operation is insecure", FIREFOX, &["W706"]),
    ("a server with the specified hostname could not be found", SAFARI, &["W101"]),
    ("could not connect to the server", SAFARI, &["W103"]),
    ("there was a bad response from the server", SAFARI, &["W305", "W320"]),
    ("the certificate for this server is invalid", SAFARI, &["W208", "W207", "W206"]),
    ("an ssl error has occurred", SAFARI, &["W201", "W209"]),
    ("the network connection was lost", SAFARI, &["W802", "W801"]),
    ("the request timed out", SAFARI, &["W109", "W105"]),
    ("socket is not connected", SAFARI, &["W801"]),
    ("server sent no subprotocol", NODE, &["W411"]),
    ("server sent a subprotocol but none was requested", NODE, &["W410"]),
    ("server sent an invalid subprotocol", NODE, &["W410", "W414"]),
    ("invalid sec-websocket-accept header", NODE, &["W402"]),
    ("invalid upgrade header", NODE, &["W404", "W320"]),
    ("invalid sec-websocket-extensions header", NODE, &["W421"]),
    ("opening handshake has timed out", NODE, &["W109"]),
    ("ws_err_expected_fin", NODE, &["W608"]),
    ("ws_err_expected_mask", NODE, &["W628"]),
    ("ws_err_unexpected_mask", NODE, &["W601"]),
    ("ws_err_invalid_close_code", NODE, &["W620"]),
    ("ws_err_invalid_control_payload_length", NODE, &["W609"]),
    ("ws_err_invalid_opcode", NODE, &["W606", "W607"]),
    ("ws_err_invalid_utf8", NODE, &["W615"]),
    ("ws_err_unexpected_rsv_1", NODE, &["W602"]),
    ("ws_err_unexpected_rsv_2_3", NODE, &["W603"]),
    ("ws_err_unsupported_data_payload_length", NODE, &["W612"]),
    ("ws_err_unsupported_message_length", NODE, &["W626"]),
    ("invalid websocket frame: rsv1 must be clear", NODE, &["W602", "W461"]),
    ("invalid websocket frame: rsv2 and rsv3 must be clear", NODE, &["W603", "W461"]),
    ("invalid websocket frame: invalid opcode", NODE, &["W606", "W461"]),
    ("invalid websocket frame: mask must be clear", NODE, &["W601"]),
    ("invalid websocket frame: mask must be set", NODE, &["W628"]),
    ("invalid websocket frame: fin must be set", NODE, &["W608"]),
    ("invalid websocket frame: invalid utf-8", NODE, &["W615"]),
    ("invalid websocket frame: invalid status code", NODE, &["W620"]),
    ("enotfound", NODE, &["W101"]),
    ("eai_again", NODE, &["W102"]),
    ("econnrefused", NODE, &["W103"]),
    ("etimedout", NODE, &["W105"]),
    ("ehostunreach", NODE, &["W106"]),
    ("enetunreach", NODE, &["W106"]),
    ("econnreset", NODE, &["W802", "W107"]),
    ("socket hang up", NODE, &["W107"]),
    ("wrong version number", NODE, &["W201"]),
    ("cert_has_expired", NODE, &["W206"]),
    ("err_tls_cert_altname_invalid", NODE, &["W207"]),
    ("self_signed_cert", NODE, &["W208"]),
    ("self-signed certificate", NODE, &["W208"]),
    ("unable_to_verify_leaf_signature", NODE, &["W208"]),
    ("code=1006", "any browser", &["W706"]),
    ("code: 1006", "any browser", &["W706"]),
    ("code 1006", "any browser", &["W706"]),
];

/// Finds the entries for a message. It may be copied from a console together with the text around
/// it.
pub fn explain(message: &str) -> Option<BrowserMeaning> {
    let message = message.to_lowercase().replace(['\u{2018}', '\u{2019}'], "'");
    for (words, speaker) in WITH_STATUS {
        if let Some((_, rest)) = message.split_once(words) {
            let rest = rest.trim_start();
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            if let Ok(status) = rest[..digits].parse() {
                return Some(BrowserMeaning { speaker, codes: vec![of_status(status)] });
            }
        }
    }
    let row = MESSAGES.iter().find(|(words, ..)| message.contains(words));
    row.map(|(_, speaker, codes)| BrowserMeaning { speaker, codes: codes.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_leads_to_entries_and_is_found_by_its_own_words() {
        for (words, _, codes) in MESSAGES {
            assert_eq!(*words, words.to_lowercase(), "compared in lower case");
            assert!(!codes.is_empty());
            assert!(codes.iter().all(|code| super::super::entry(code).is_some()), "{words}");
            let meaning = explain(&words.to_uppercase()).map(|meaning| meaning.codes);
            assert_eq!(meaning.as_deref(), Some(*codes), "{words} is hidden by a row above");
        }
    }

    #[test]
    fn messages_are_found_as_consoles_print_them() {
        for (message, speaker, code) in [
            (
                "WebSocket connection to 'wss://h/x' failed: Error during WebSocket handshake: \
                 Unexpected response code: 403",
                CHROME,
                "W332",
            ),
            (
                "WebSocket connection to 'ws://h/' failed: Error in connection establishment: \
                 net::ERR_CONNECTION_REFUSED",
                CHROME,
                "W103",
            ),
            (
                "Firefox can\u{2019}t establish a connection to the server at wss://h/x.",
                FIREFOX,
                "W706",
            ),
            ("WebSocket connection failed: The network connection was lost.", SAFARI, "W802"),
            ("Error: Unexpected server response: 404", NODE, "W334"),
            ("RangeError [WS_ERR_UNEXPECTED_RSV_1]: x", NODE, "W602"),
            ("CloseEvent { wasClean: false, code: 1006, reason: '' }", "any browser", "W706"),
        ] {
            let meaning = explain(message).expect(message);
            assert_eq!((meaning.speaker, meaning.codes[0]), (speaker, code), "{message}");
        }
        assert_eq!(explain("Unexpected response code: soon"), None);
        assert_eq!(explain("it does not work"), None);
    }
}
