//! permessage-deflate negotiation (RFC 7692 §7): offers, answers, and every fault.
#![allow(missing_docs)]

use tungstenite::protocol::Role;
use wscope::wire::deflate::params::{
    ClientMaxWindowBits, DeflateFault as Fault, DeflateOffer, DeflateParams, Fit, MAX_WINDOW_BITS,
    Negotiated, ServerDeflateConfig,
};
use wscope::wire::handshake::grammar::{Extension, parse_extensions};

fn elements(text: &str) -> Vec<Extension> {
    parse_extensions([text.as_bytes()]).unwrap()
}

/// One element, `permessage-deflate` left out.
fn element(params: &str) -> Extension {
    elements(&format!("permessage-deflate{params}")).remove(0)
}

fn offer(params: &str) -> DeflateOffer {
    DeflateOffer::parse(&element(params)).unwrap()
}

fn answer(offered: &str, answered: &str) -> Result<DeflateParams, Vec<Fault>> {
    offer(offered).check_response(&element(answered))
}

fn negotiate(config: ServerDeflateConfig, offers: &str) -> Option<Negotiated> {
    config.negotiate(&elements(offers))
}

#[test]
fn the_default_offer_is_that_of_browsers() {
    assert_eq!(DeflateOffer::default().to_string(), "permessage-deflate; client_max_window_bits");
}

#[test]
fn offers_are_written_as_they_are_read() {
    for text in [
        "",
        "; client_max_window_bits",
        "; client_max_window_bits=10",
        "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8; client_max_window_bits=15",
    ] {
        assert_eq!(offer(text).to_string(), format!("permessage-deflate{text}"));
    }
    assert_eq!(
        offer("; server_max_window_bits=\"10\"").server_max_window_bits,
        Some(10),
        "quoted values count the same"
    );
}

#[test]
fn each_fault_of_an_element_is_named() {
    for (params, code, text) in [
        ("; foo", "W422", "unknown permessage-deflate parameter \"foo\""),
        (
            "; client_max_window_bits; client_max_window_bits=9",
            "W423",
            "permessage-deflate parameter client_max_window_bits is repeated",
        ),
        (
            "; server_no_context_takeover=1",
            "W424",
            "server_no_context_takeover takes no value, but has \"1\"",
        ),
        (
            "; client_no_context_takeover=true",
            "W424",
            "client_no_context_takeover takes no value, but has \"true\"",
        ),
        ("; server_max_window_bits", "W424", "server_max_window_bits needs a value from 8 to 15"),
        ("; server_max_window_bits=09", "W424", "server_max_window_bits=09 has a leading zero"),
        (
            "; server_max_window_bits=7",
            "W424",
            "server_max_window_bits=7 is not a number from 8 to 15",
        ),
        (
            "; client_max_window_bits=16",
            "W424",
            "client_max_window_bits=16 is not a number from 8 to 15",
        ),
        (
            "; client_max_window_bits=+9",
            "W424",
            "client_max_window_bits=+9 is not a number from 8 to 15",
        ),
        (
            "; client_max_window_bits=0",
            "W424",
            "client_max_window_bits=0 is not a number from 8 to 15",
        ),
        (
            "; client_max_window_bits=99999999999",
            "W424",
            "client_max_window_bits=99999999999 is not a number from 8 to 15",
        ),
    ] {
        for faults in [
            DeflateOffer::parse(&element(params)).unwrap_err(),
            answer("; client_max_window_bits", params).unwrap_err(),
        ] {
            let fault = faults.iter().find(|fault| fault.code() == code);
            assert_eq!(fault.map(ToString::to_string).as_deref(), Some(text), "{params}");
        }
    }
}

#[test]
fn all_faults_of_an_element_are_found() {
    let faults = DeflateOffer::parse(&element("; foo; foo; server_max_window_bits")).unwrap_err();
    let codes: Vec<_> = faults.iter().map(Fault::code).collect();
    assert_eq!(codes, ["W422", "W423", "W422", "W424"]);
}

#[test]
fn each_fault_of_an_answer_is_named() {
    for (offered, answered, code, fault) in [
        (
            "; client_max_window_bits",
            "; client_max_window_bits",
            "W424",
            Fault::MissingValue { name: "client_max_window_bits".to_owned() },
        ),
        ("", "; client_max_window_bits=10", "W425", Fault::ClientBitsNotOffered { bits: 10 }),
        ("; server_no_context_takeover", "", "W426", Fault::ServerNoContextTakeoverNotConfirmed),
        ("; server_max_window_bits=10", "", "W427", Fault::ServerBitsNotConfirmed { offered: 10 }),
        (
            "; server_max_window_bits=10",
            "; server_max_window_bits=11",
            "W427",
            Fault::ServerBitsAboveOffer { offered: 10, got: 11 },
        ),
    ] {
        assert_eq!(fault.code(), code);
        assert_eq!(answer(offered, answered), Err(vec![fault]), "{offered} {answered}");
    }
}

#[test]
fn a_bad_answer_is_not_also_a_missing_one() {
    let faults = answer("; server_max_window_bits=10", "; server_max_window_bits=99").unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
}

#[test]
fn legal_answers_set_the_parameters() {
    let params = |server_flag, client_flag, server_max_window_bits, client_max_window_bits| {
        Ok(DeflateParams {
            server_no_context_takeover: server_flag,
            client_no_context_takeover: client_flag,
            server_max_window_bits,
            client_max_window_bits,
        })
    };
    for (offered, answered, expected) in [
        ("", "", params(false, false, 15, 15)),
        // A server may limit itself, and reset the client, without being asked.
        (
            "",
            "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9",
            params(true, true, 9, 15),
        ),
        ("; client_max_window_bits", "", params(false, false, 15, 15)),
        ("; client_max_window_bits", "; client_max_window_bits=8", params(false, false, 15, 8)),
        // The client keeps to its own hints whatever the answer.
        (
            "; client_max_window_bits=10; client_no_context_takeover",
            "",
            params(false, true, 15, 10),
        ),
        (
            "; client_max_window_bits=10",
            "; client_max_window_bits=12",
            params(false, false, 15, 10),
        ),
        ("; server_max_window_bits=10", "; server_max_window_bits=8", params(false, false, 8, 15)),
    ] {
        assert_eq!(answer(offered, answered), expected, "{offered} → {answered}");
    }
}

#[test]
fn a_window_of_8_cannot_be_compressed_for() {
    let params = answer("; client_max_window_bits", "; client_max_window_bits=8").unwrap();
    assert_eq!(params.window_bits(Role::Client), 8);
    assert_eq!(params.window_bits(Role::Server), MAX_WINDOW_BITS);
    assert!(!params.no_context_takeover(Role::Client));
    assert!(!params.no_context_takeover(Role::Server));
}

#[test]
fn an_answer_is_measured_against_the_offer_it_fits_best() {
    let offers = [offer("; server_no_context_takeover"), offer("")];
    let fit = |offers: &[DeflateOffer], answered| Fit::best(offers, &element(answered));
    assert_eq!(fit(&offers, "").offer, Some(1));
    assert_eq!(fit(&offers, "; server_no_context_takeover").offer, Some(0));
    assert_eq!(fit(&offers, "; foo").offer, Some(1));
    let unasked = fit(&[], "; client_max_window_bits=9");
    assert_eq!(unasked.offer, None);
    assert_eq!(unasked.outcome, Err(vec![Fault::ClientBitsNotOffered { bits: 9 }]));
}

#[test]
fn a_server_takes_the_first_acceptable_offer() {
    let config = ServerDeflateConfig::default();
    for (offers, index, response) in [
        ("permessage-deflate", 0, "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits", 0, "permessage-deflate"),
        (
            "x-other, permessage-deflate; foo, permessage-deflate; server_max_window_bits=8, \
             permessage-deflate; server_max_window_bits=10, permessage-deflate",
            3,
            "permessage-deflate; server_max_window_bits=10",
        ),
        (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            0,
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        ),
        (
            "permessage-deflate; client_max_window_bits=8",
            0,
            "permessage-deflate; client_max_window_bits=8",
        ),
    ] {
        let chosen = negotiate(config, offers).unwrap();
        assert_eq!(chosen.index, index, "{offers}");
        assert_eq!(chosen.response.to_string(), response, "{offers}");
        assert_eq!(
            offer_at(offers, index).check_response(&chosen.response),
            Ok(chosen.params),
            "both sides hold the same parameters"
        );
    }
}

fn offer_at(offers: &str, index: usize) -> DeflateOffer {
    DeflateOffer::parse(&elements(offers)[index]).unwrap()
}

#[test]
fn a_server_declines_what_it_cannot_do() {
    let config = ServerDeflateConfig::default();
    for offers in [
        "x-other",
        "permessage-deflate; foo",
        "permessage-deflate; server_max_window_bits=8",
        "Permessage-Deflate",
    ] {
        assert_eq!(negotiate(config, offers), None, "{offers}");
    }
}

#[test]
fn a_server_has_wishes_of_its_own() {
    let config = ServerDeflateConfig {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        server_max_window_bits: 1,
        client_max_window_bits: 12,
    };
    let limited = negotiate(config, "permessage-deflate; client_max_window_bits").unwrap();
    assert_eq!(
        limited.response.to_string(),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
         server_max_window_bits=9; client_max_window_bits=12"
    );
    // Without client_max_window_bits in the offer it may not be answered.
    let unlimited = negotiate(config, "permessage-deflate").unwrap();
    assert_eq!(unlimited.params.client_max_window_bits, 15);
    assert!(!unlimited.response.has("client_max_window_bits"));
    assert_eq!(offer("").client_max_window_bits, ClientMaxWindowBits::Absent);
}
