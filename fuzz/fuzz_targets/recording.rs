//! Recordings of every format: any bytes are records or an error with its place, and what they play is
//! written again without a panic. What was written as packets is read again as the same bytes. Both ends
//! can be played, and their messages compared.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope::event::Direction;
use wscope::recording::write::{PcapngWriter, HtmlReport, har};
use wscope::behaviour::mock::MockScript;
use wscope::cli::{MatchChoice, UnmatchedChoice};
use wscope::recording::{
    Compare, Comparison, Fact, ReplayPlan, Player, Reader, Record, RecordedRequest, Sessions, Sniffed,
};
use wscope::session::Limits;
use wscope::wire::Role;

/// The records of a file, as far as it can be read.
fn records(bytes: &[u8]) -> Option<Vec<Record>> {
    let Sniffed { format, input } = Reader::sniff(Box::new(bytes)).ok()?;
    let mut reader = Reader::of(format?, input).ok()?;
    let mut records = Vec::new();
    loop {
        match reader.next_record() {
            Ok(Some(record)) => records.push(record),
            Ok(None) => break,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                break;
            }
        }
    }
    Some(records)
}

/// How many bytes go each way.
fn carried(records: &[Record]) -> [usize; 2] {
    let mut carried = [0; 2];
    for record in records {
        if let Fact::Bytes(direction, bytes) | Fact::Head(direction, bytes) = &record.fact {
            carried[usize::from(*direction == Direction::ToClient)] += bytes.len();
        }
    }
    carried
}

/// What each end did, as whoever plays it takes it.
fn plans(sessions: Sessions, role: Role) {
    for mut session in sessions.finish().0 {
        let request = RecordedRequest::of(&session);
        assert!(!request.resource().is_empty() || request.url.is_empty());
        let plan = ReplayPlan::of(&mut session, role);
        assert!(plan.steps.is_sorted_by_key(|step| step.after));
        assert!(plan.steps.iter().all(|step| step.after <= plan.awaited.len()));
        let json = Comparison { how: Compare::Json, ..Comparison::default() };
        for pair in plan.awaited.windows(2) {
            let [one, other] = pair else { continue };
            let (one, other) = ((one.opcode, &one.content[..]), (other.opcode, &other.content[..]));
            assert_eq!(json.difference(1, one, one), None);
            let _ = json.difference(1, one, other);
        }
        MockScript::new(plan, MatchChoice::Content, UnmatchedChoice::Close);
    }
}

fuzz_target!(|input: &[u8]| {
    let Some(all) = records(input) else { return };
    let limits = Limits { inflated: 1 << 20, ..Limits::default() };
    let (mut player, mut sessions, mut report) =
        (Player::new(limits, None), Sessions::default(), HtmlReport::default());
    let (mut packets, mut file) = (PcapngWriter::default(), Vec::new());
    let mut acts = [Sessions::of_acts(None), Sessions::of_acts(None)];
    for record in &all {
        packets.take(record, &mut file);
        report.record(record);
        if let Fact::Start { role, complete, .. } = record.fact {
            sessions.begin(role, complete);
            acts.iter_mut().for_each(|one| one.begin(role, complete));
        }
        let played: Result<(), ()> = player.play(record.clone(), &mut |at, event| {
            sessions.take(at, event);
            acts.iter_mut().for_each(|one| one.take(at, event));
            report.take(at, event);
            Ok(())
        });
        assert!(played.is_ok());
    }
    let [client, server] = acts;
    plans(client, Role::Client);
    plans(server, Role::Server);
    packets.finish(&mut file);
    assert!(report.page().contains("</html>"));
    assert!(har(&sessions.finish().0)["log"]["entries"].is_array());
    // Streams that ask for no WebSocket are left out.
    let again = records(&file).expect("a capture");
    let (was, is) = (carried(&all), carried(&again));
    assert!(is[0] <= was[0] && is[1] <= was[1]);
});
