//! The ways to look at the same traffic: by message, with pretty JSON, filtered, and changed while
//! a frame is half in.

mod ui_support;

use proptest::prelude::*;
use ui_support::*;
use unicode_width::UnicodeWidthStr;
use wscope::event::{ConnId, Event, Stamp};
use wscope::ui::clock::Zone;
use wscope::ui::filter::Filter;
use wscope::ui::pattern::Pattern;
use wscope::ui::pretty::Pretty;
use wscope::ui::style::Palette;
use wscope::ui::view::{Timestamps, View};
use wscope::ui::{HumanOptions, HumanPrinter};
use wscope::wire::deflate::params::DeflateParams;
use wscope::wire::handshake::Agreed;
use wscope::wire::writer::RawFrame;

impl Print for HumanPrinter {
    fn print(&mut self, at: &Stamp, event: &Event<'_>, out: &mut Vec<u8>) {
        HumanPrinter::print(self, at, event, out);
    }
}

fn options(view: View) -> HumanOptions {
    HumanOptions { zone: Zone::Utc, view, ..HumanOptions::new(ToServer) }
}

fn watched(options: HumanOptions) -> Watched<HumanPrinter> {
    Watched::with_deflate(HumanPrinter::new(options), Some(DeflateParams::default()))
}

fn messages() -> Watched<HumanPrinter> {
    watched(options(View::Messages))
}

fn frames() -> Watched<HumanPrinter> {
    watched(options(View::Frames))
}

fn hex() -> Watched<HumanPrinter> {
    watched(options(View::Hex))
}

fn text(text: impl AsRef<[u8]>) -> Vec<u8> {
    bytes(&frame(TEXT, text.as_ref()))
}

fn fragment(opcode: wscope::wire::OpCode, payload: &[u8]) -> Vec<u8> {
    bytes(&RawFrame { fin: false, ..frame(opcode, payload) })
}

#[test]
fn a_message_is_shown_by_its_content() {
    let mut session = messages();
    session.travel(ToServer, MASKED_HELLO);
    session.travel(ToClient, &fragment(TEXT, "grün wie Gr".as_bytes()));
    session.travel(ToClient, &bytes(&frame(PING, b"between")));
    session.travel(ToClient, &bytes(&frame(CONT, "\u{e4}ser".as_bytes())));
    session.travel(ToClient, &bytes(&compressed("squeezed squeezed")));
    session.travel(ToClient, &text(""));
    session.travel(ToClient, &bytes(&frame(CLOSE, b"\x03\xe9restart")));
    assert_eq!(
        session.take(),
        "\
> 12:03:04.120 TEXT 5 Hello
< 12:03:04.120 PING 7 between
< 12:03:04.120 TEXT 17 grün wie Gräser
< 12:03:04.120 TEXT 17 squeezed squeezed
< 12:03:04.120 TEXT 0
< 12:03:04.120 CLOSE 9 1001 going away \"restart\"
"
    );
}

#[test]
fn a_message_takes_one_line() {
    let mut session = messages();
    session.travel(ToClient, &text("one\r\n\ntwo\x1b[2J \u{202e}\n"));
    assert_eq!(session.take(), "< 12:03:04.120 TEXT 18 one\\r\\n\\ntwo\\e[2J \\u{202e}\\n\n");
    session.travel_in_pieces(ToClient, &text("ü".repeat(1 << 20)), 1 << 16);
    let printed = session.take();
    let cut = "< 12:03:04.120 TEXT 2097152 üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü… +2097072 B\n";
    assert_eq!(printed, cut);
    session.travel(ToClient, &bytes(&frame(BINARY, b"\xde\xad")));
    session.travel(ToClient, &bytes(&frame(BINARY, &[b'x'; 1_234])));
    let printed = session.take();
    assert!(printed.starts_with("< 12:03:04.120 BIN  2 de ad\n< 12:03:04.120 BIN  1234 78 78"));
    assert!(printed.ends_with("78 … +1219 B\n"), "{printed}");
    assert_eq!(printed.lines().count(), 2);
}

#[test]
fn control_frames_are_dim_among_messages() {
    let options = HumanOptions { palette: Palette { on: true }, ..options(View::Messages) };
    let mut session = watched(options);
    session.travel(ToClient, &bytes(&frame(PING, b"between"))).travel(ToClient, &text("x"));
    assert_eq!(
        session.take(),
        "\x1b[2m< 12:03:04.120 PING 7 between\x1b[0m\n\
         \x1b[36m< 12:03:04.120 TEXT\x1b[0m 1 x\n"
    );
}

#[test]
fn json_is_shown_on_several_lines() {
    let json = r#"{"price": 1.250, "sizes":[1,{}]}"#;
    let mut session = messages();
    assert_eq!(
        session.travel(ToClient, &text(json)).take(),
        "< 12:03:04.120 TEXT 32 {\"price\": 1.250, \"sizes\":[1,{}]}\n",
        "what fits stays in its line"
    );
    session.printer.set_width(40);
    assert_eq!(
        session.travel(ToClient, &text(json)).take(),
        r#"< TEXT 32 {
      "price": 1.250,
      "sizes": [
        1,
        {}
      ]
    }
"#,
        "40 columns have no room for the time"
    );
    // JSON by chance is none of a binary message's business.
    assert!(session.travel(ToClient, &bytes(&frame(BINARY, b"[1]"))).take().contains("5b 31 5d"));
}

#[test]
fn json_on_several_lines_is_bounded() {
    let lines_of = |items: usize| {
        let mut session = messages();
        let json = format!("[{}1]", "1,".repeat(items - 1));
        let printed = session.travel(ToClient, &text(json)).take();
        printed.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let lines = lines_of(10_000);
    assert_eq!(lines.len(), 21);
    assert_eq!(lines[0], "< 12:03:04.120 TEXT 20001 [");
    assert_eq!(lines[20], "    … +9982 lines");
    // Instead of a line that counts one line, that line is shown.
    let always = HumanOptions { pretty: Pretty::Always, ..options(View::Messages) };
    let mut session = watched(always);
    let json = format!("[{}1]", "1,".repeat(18));
    let printed = session.travel(ToClient, &text(json)).take();
    assert_eq!((printed.lines().count(), printed.lines().last()), (21, Some("    ]")));
}

#[test]
fn always_pretty_shows_json_below_the_last_frame_too() {
    let mut session = watched(HumanOptions { pretty: Pretty::Always, ..options(View::Frames) });
    session.travel(ToClient, &fragment(TEXT, b"[1")).travel(ToClient, &bytes(&frame(CONT, b"]")));
    session.travel(ToClient, &text("none")).travel(ToServer, MASKED_HELLO);
    assert_eq!(
        session.take(),
        "\
< 12:03:04.120 #1 TEXT --- 2 [1
< 12:03:04.120 #2 CONT F-- 1 ]
    [
      1
    ]
< 12:03:04.120 #3 TEXT F-- 4 none
> 12:03:04.120 #1 TEXT F-M 5 Hello
"
    );
    let mut auto = frames();
    assert_eq!(auto.travel(ToClient, &text("[1]")).take().lines().count(), 1);
}

#[test]
fn json_has_colours() {
    let palette = Palette { on: true };
    let mut session = watched(HumanOptions { palette, ..options(View::Messages) });
    let json = format!("[{}1]", "1,".repeat(79));
    let printed = session.travel(ToClient, &text(json)).take();
    assert!(printed.starts_with("\x1b[36m< 12:03:04.120 TEXT\x1b[0m 161 [\n"), "{printed}");
    assert!(printed.contains("\n      \x1b[33m1\x1b[0m,\n"), "{printed}");
}

#[test]
fn a_message_whose_end_does_not_come_is_printed_as_such() {
    let mut session = messages();
    session.travel(ToClient, &text("Hello")[..5]).cut(ToClient);
    assert_eq!(
        session.take(),
        "\
< 12:03:04.120 TEXT 3 Hel (incomplete)
! W627 RFC 6455 §7.1.5: the stream ended inside a frame: 3 of 5 payload bytes came \
(frame #1, byte 5)
"
    );
    let mut session = messages();
    session.travel(ToClient, &fragment(BINARY, b"a")).print(&Event::End(&ending()));
    let printed = session.take();
    let expected = "\
< 12:03:04.120 BIN  1 61 (incomplete)
* closed with 1000";
    assert!(printed.starts_with(expected), "{printed}");
}

#[test]
fn violations_are_printed_in_every_view() {
    for mut session in [messages(), frames(), hex()] {
        session.printer.set_filter(Some(Filter { opcodes: vec![PING], ..Filter::default() }));
        session.travel(ToClient, &bytes(&RawFrame { rsv2: true, ..frame(TEXT, b"Hello") }));
        session.print(&Event::Note("noted")).print(&Event::End(&ending()));
        let printed = session.take();
        assert!(printed.starts_with("! W603"), "{printed}");
        assert!(printed.contains("\n* noted\n") && !printed.contains("Hello"), "{printed}");
    }
}

#[test]
fn a_frame_of_no_message_has_its_line_among_messages() {
    let mut session = messages();
    session.travel(ToClient, &bytes(&frame(CONT, b"x")));
    assert!(session.take().starts_with("< 12:03:04.120 #1 CONT F-- 1 "));
}

#[test]
fn on_a_narrow_screen_the_time_of_frames_is_there_only_if_asked_for() {
    for (timestamps, view, has_time) in [
        (Timestamps::Auto, View::Frames, false),
        (Timestamps::On, View::Frames, true),
        (Timestamps::Auto, View::Messages, true),
    ] {
        let mut session = watched(HumanOptions { width: 60, timestamps, ..options(view) });
        for content in ["x", "long enough to be cut, long enough to be cut, long enough to be cut"]
        {
            let line = session.travel(ToClient, &text(content)).take();
            assert_eq!(line.starts_with("< 12:03:04.120 "), has_time, "{timestamps:?}: {line}");
            assert!(line.trim_end().width() <= 60, "{line}");
        }
    }
}

#[test]
fn times_can_be_relative_or_missing() {
    let mut session = frames();
    session.printer.set_timestamps(Timestamps::Relative);
    session.print(&Event::Note("before"));
    session.at.micros += 1_000_000;
    session.print(&Event::Open(&Agreed::default()));
    session.at.micros += 3_204_000;
    session.travel(ToServer, MASKED_HELLO);
    session.at.conn = ConnId(2);
    session.print(&Event::Open(&Agreed::default()));
    session.at.micros += 1_000;
    session.travel(ToClient, &text("x"));
    session.printer.set_timestamps(Timestamps::Off);
    session.travel(ToClient, &text("x"));
    session.printer.set_timestamps(Timestamps::On);
    session.travel(ToClient, &text("x"));
    let printed = session.take();
    let lines: Vec<&str> = printed.lines().filter(|line| !line.starts_with('*')).collect();
    assert_eq!(
        lines,
        [
            ">   +3.204 #1 TEXT F-M 5 Hello",
            "<   +0.001 #1 TEXT F-- 1 x",
            "< #2 TEXT F-- 1 x",
            "< 12:03:08.325 #3 TEXT F-- 1 x",
        ]
    );
}

#[test]
fn a_frame_that_is_half_in_is_printed_as_it_began() {
    let sent = text("half and half");
    for (from, to) in [
        (View::Frames, View::Hex),
        (View::Frames, View::Messages),
        (View::Hex, View::Frames),
        (View::Hex, View::Messages),
        (View::Messages, View::Frames),
        (View::Messages, View::Hex),
    ] {
        for cut in 2..sent.len() {
            let mut unchanged = watched(options(from));
            let mut changed = watched(options(from));
            changed.travel(ToClient, &sent[..cut]).printer.set_view(to);
            changed.travel(ToClient, &sent[cut..]);
            assert_eq!(changed.take(), unchanged.travel(ToClient, &sent).take(), "{from:?} {to:?}");
            assert_eq!(changed.printer.view(), to);
            let mut fresh = watched(options(to));
            fresh.travel(ToClient, &sent).take();
            let next = text("next");
            assert_eq!(
                changed.travel(ToClient, &next).take(),
                fresh.travel(ToClient, &next).take(),
                "the next one is told the new way"
            );
        }
    }
}

#[test]
fn a_message_that_is_half_in_is_printed_as_it_began() {
    let mut session = frames();
    session.travel(ToClient, &fragment(TEXT, b"un")).printer.set_view(View::Messages);
    session
        .travel(ToClient, &bytes(&frame(PING, b"")))
        .travel(ToClient, &bytes(&frame(CONT, b"o")));
    session.travel(ToClient, &text("due"));
    assert_eq!(
        session.take(),
        "\
< 12:03:04.120 #1 TEXT --- 2 un
< 12:03:04.120 PING 0
< 12:03:04.120 #3 CONT F-- 1 o
< 12:03:04.120 TEXT 3 due
"
    );
}

#[test]
fn the_width_can_change() {
    let mut session = frames();
    let long = text([b'x'; 200]);
    session.printer.set_width(60);
    assert_eq!(session.travel(ToClient, &long).take().trim_end().width(), 60);
    session.printer.set_width(120);
    assert_eq!(session.travel(ToClient, &long).take().trim_end().width(), 120);
    session.travel(ToClient, &long[..50]).printer.set_width(80);
    assert_eq!(session.travel(ToClient, &long[50..]).take().trim_end().width(), 80);
}

fn filter(
    direction: Option<wscope::event::Direction>,
    opcodes: &[wscope::wire::OpCode],
    regex: Option<&str>,
) -> Filter {
    let regex = regex.map(|regex| Pattern::new(regex).expect("valid"));
    Filter { direction, opcodes: opcodes.to_vec(), regex, ..Filter::default() }
}

/// Some of everything, every piece its own.
fn traffic(session: &mut Watched<HumanPrinter>) -> String {
    session.travel(ToServer, MASKED_HELLO);
    session.travel_in_pieces(ToClient, &fragment(BINARY, b"apple"), 1);
    session.travel_in_pieces(ToClient, &bytes(&frame(PING, b"pear")), 1);
    session.travel_in_pieces(ToClient, &bytes(&frame(CONT, b"plum")), 1);
    session.travel_in_pieces(ToClient, &bytes(&compressed("apple and pear")), 1);
    session.travel(ToClient, &bytes(&frame(CLOSE, b"\x03\xe8apple")));
    session.take()
}

/// The numbers of the frames that are shown, `>` before ours.
fn shown(view: View, only: Filter) -> String {
    let mut session = watched(options(view));
    session.printer.set_filter(Some(only));
    let printed = traffic(&mut session);
    let number = |line: &str| {
        let at = line.find('#')?;
        Some(line[..1].replace('<', "") + line[at + 1..].split(' ').next()?)
    };
    printed.lines().filter_map(number).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_filter_decides_which_frames_are_shown() {
    for view in [View::Frames, View::Hex] {
        for (only, expected) in [
            (filter(None, &[], None), ">1 1 2 3 4 5"),
            (filter(Some(ToServer), &[], None), ">1"),
            (filter(Some(ToClient), &[], None), "1 2 3 4 5"),
            (filter(None, &[BINARY], None), "1 3"),
            (filter(None, &[TEXT, PING], None), ">1 2 4"),
            (filter(Some(ToClient), &[TEXT, PING], None), "2 4"),
            (filter(None, &[], Some("apple")), "1 4 5"),
            (filter(None, &[], Some("^Hello$|l.m")), ">1 3"),
            (filter(None, &[CLOSE, PING], Some("p")), "2 5"),
            (filter(None, &[], Some("nothing")), ""),
        ] {
            assert_eq!(shown(view, only.clone()), expected, "{view:?} {only:?}");
        }
    }
}

#[test]
fn what_a_filter_lets_pass_looks_as_without_it() {
    for view in [View::Frames, View::Messages, View::Hex] {
        let mut plain = watched(options(view));
        let mut filtered = watched(options(view));
        filtered.printer.set_filter(Some(filter(None, &[], Some("(?s).*"))));
        assert_eq!(traffic(&mut filtered), traffic(&mut plain));
        assert!(filtered.printer.filter().is_some());
    }
}

#[test]
fn among_messages_a_regex_sees_the_whole_message() {
    let mut session = messages();
    session.printer.set_filter(Some(filter(None, &[], Some("applepl"))));
    let printed = traffic(&mut session);
    assert_eq!(printed, "< 12:03:04.120 BIN  9 61 70 70 6c 65 70 6c 75 6d\n");
}

#[test]
fn a_long_frame_is_decided_before_its_end() {
    let mut long = vec![b'x'; 300_000];
    long[10] = b'y';
    for (regex, rows) in [("y", 300_000 / 16), ("z", 0)] {
        let mut session = hex();
        session.printer.set_filter(Some(filter(None, &[], Some(regex))));
        session.travel_in_pieces(ToClient, &text(&long), 1000);
        let printed = session.take();
        assert_eq!(printed.lines().filter(|line| line.contains("|xx")).count(), rows);
        assert!(!printed.contains("continues"));
    }
}

#[test]
fn without_its_filter_what_is_half_in_is_shown() {
    let mut session = frames();
    session.printer.set_filter(Some(filter(None, &[], Some("never"))));
    let sent = text("Hello");
    session.travel(ToClient, &sent[..4]).printer.set_filter(None);
    assert!(session.travel(ToClient, &sent[4..]).take().ends_with(" 5 Hello\n"));
}

proptest! {
    #[test]
    fn a_line_is_no_wider_than_the_terminal(
        content in prop_oneof![any::<String>(), "[日本e\u{301}❤\u{fe0f}x]{0,80}"],
        width in 40usize..200,
        view in prop_oneof![Just(View::Frames), Just(View::Messages)],
    ) {
        let pretty = Pretty::Never;
        let mut session = watched(HumanOptions { width, pretty, ..options(view) });
        session.travel(ToServer, MASKED_HELLO);
        session.travel(ToClient, &text(&content));
        session.travel(ToClient, &bytes(&frame(BINARY, content.as_bytes())));
        session.travel(ToClient, &bytes(&frame(CLOSE, &[b"\x03\xe9", &content.as_bytes()[..content.len().min(99)]].concat())));
        for line in session.take().lines().filter(|line| !line.starts_with('!')) {
            prop_assert!(line.width() <= width, "{line:?} has {} columns", line.width());
        }
    }

    #[test]
    fn any_bytes_and_changes_give_harmless_lines(
        pieces in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 0..40), 0..7u8), 0..12),
    ) {
        let mut session = messages();
        for (piece, change) in &pieces {
            session.travel(ToClient, piece);
            let printer = &mut session.printer;
            match change {
                0 => printer.set_view(View::Frames),
                1 => printer.set_view(View::Messages),
                2 => printer.set_view(View::Hex),
                3 => printer.set_timestamps(Timestamps::Relative),
                4 => printer.set_filter(Some(filter(None, &[TEXT], Some("a")))),
                5 => printer.set_filter(None),
                _ => printer.set_width(50),
            }
        }
        session.print(&Event::End(&ending()));
        let printed = session.take();
        prop_assert!(printed.chars().all(|c| c == '\n' || !c.is_control()), "{printed}");
        prop_assert!(printed.ends_with('\n'));
    }
}
