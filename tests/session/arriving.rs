//! Frames arrive while a line is typed: the line is never torn, the network never waits.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use crate::frames::{PING, TEXT, bytes, frame};
use crate::session::{PROMPT, Setup, has_row};
use crate::waiting::gate;

/// Frames of a flood.
const FLOOD: usize = 100_000;

#[test]
fn what_is_typed_stays_whole_while_frames_arrive() {
    let typed = "typed in between";
    let mut s = Setup::new().ready(|p, told| {
        p.open();
        for n in 0..typed.len() {
            told.wait();
            p.text(format!("frame {n}."));
        }
        p.receive_text(typed);
        p.answer_close(1000);
    });
    for (n, key) in typed.char_indices() {
        s.keys([key as u8]);
        s.release_peer();
        s.wait_for_screen(|screen| {
            has_row(screen, &format!("frame {n}."))
                && screen.line() == format!("{PROMPT}{}", &typed[..=n]).trim_end()
                && screen.cursor.1 == PROMPT.len() + n + 1
        });
    }
    s.keys("\r");
    s.wait_for_row(&format!(" 16 {typed}"));
    s.leave();
}

#[test]
fn the_cursor_stays_where_it_was_in_the_line() {
    let mut s = Setup::new().ready(|p, told| {
        p.open();
        told.wait();
        (0..200).for_each(|n| p.text(format!("frame {n}.")));
        p.receive_text("hello new world");
        p.answer_close(1000);
    });
    s.keys("hello world");
    s.keys("\x1b[D".repeat(5));
    s.wait_for_screen(|screen| screen.cursor.1 == PROMPT.len() + 6);
    s.release_peer();
    s.wait_for_screen(|screen| {
        has_row(screen, "frame 199.")
            && screen.line() == format!("{PROMPT}hello world")
            && screen.cursor.1 == PROMPT.len() + 6
    });
    s.keys("new \r");
    s.wait_for_row(" 15 hello new world");
    s.leave();
}

#[test]
fn a_flood_never_waits_for_the_editor_and_none_of_it_is_lost_to_the_log() {
    let (done, written) = gate();
    let mut s = Setup::new().args(["--log", "events.jsonl"]).ready(move |p, told| {
        p.open();
        p.receive_text("earlier");
        told.wait();
        for thousand in 0..FLOOD / 1000 {
            let numbers = thousand * 1000..(thousand + 1) * 1000;
            let mut burst = bytes(numbers.map(|n| frame(TEXT, format!("frame {n}."))));
            burst.extend(bytes([frame(PING, format!("{thousand}"))]));
            p.send(burst);
            // It reads on and answers, whatever the editor does.
            p.receive_pong(format!("{thousand}"));
        }
        done.open();
        p.receive_text("half a line");
        p.answer_close(1000);
    });
    s.enter("earlier");
    s.wait_for_line(PROMPT);
    s.keys("half");
    s.wait_for_line(&format!("{PROMPT}half"));
    s.keys("\x12");
    let searching = "(reverse-i-search)`': half";
    s.wait_for_screen(|screen| screen.line() == searching);
    s.release_peer();
    written.wait();
    let screen = s.screen();
    assert_eq!(screen.line(), searching, "the search is still open: {screen:#?}");
    // Ctrl-G: out of the search.
    s.keys("\x07");
    s.wait_for_screen(|screen| {
        has_row(screen, &format!("frame {}.", FLOOD - 1))
            && screen.ends_with_line(&format!("{PROMPT}half"))
    });
    let shown = s.bytes();
    let missing = reported_missing(&shown);
    let frames = String::from_utf8_lossy(&shown).matches(" frame ").count();
    // And two lines for each ping and its pong.
    let lines = frames + missing;
    assert!(missing > FLOOD / 2, "{missing} were not shown, {frames} were");
    assert!((FLOOD..=FLOOD + FLOOD / 500).contains(&lines), "{missing} and {frames}");
    s.keys(" a line\r");
    s.wait_for_row(" 11 half a line");
    s.wait_for_line(PROMPT);
    s.keys("\x04");
    s.end(0);
    assert_logged(&s.path("events.jsonl"));
}

/// The log holds every message of the flood, in order.
#[track_caller]
fn assert_logged(path: &Path) {
    let log = BufReader::new(File::open(path).expect("a log"));
    let texts = log.lines().filter_map(|line| {
        let event: serde_json::Value = serde_json::from_str(&line.expect("UTF-8")).expect("JSON");
        let is_message = event["event"] == "message" && event["dir"] == "to-client";
        is_message.then(|| event["text"].as_str().expect("a text").to_owned())
    });
    let mut expected = 0;
    for text in texts {
        assert_eq!(text, format!("frame {expected}."));
        expected += 1;
    }
    assert_eq!(expected, FLOOD);
}

/// How many lines the reported gaps amount to.
fn reported_missing(shown: &[u8]) -> usize {
    let shown = String::from_utf8_lossy(shown);
    let gaps = shown.lines().filter_map(|line| {
        let (before, _) = line.split_once(" lines were not shown")?;
        let count = before.rsplit(' ').next()?.replace(',', "");
        Some(count.parse::<usize>().expect("a number"))
    });
    gaps.sum()
}

#[test]
fn lines_fit_the_window_and_follow_its_size() {
    let long = "0123456789".repeat(100);
    let sent = long.clone();
    let mut s = Setup::new().ready(move |p, told| {
        p.open();
        for n in 0..3 {
            told.wait();
            p.text(format!("{n}:{sent}"));
        }
        p.answer_close(1000);
    });
    s.keys("half");
    for (n, columns) in [100, 72, 130].into_iter().enumerate() {
        if n > 0 {
            s.resize(columns, 30);
        }
        s.release_peer();
        let start = format!(" {n}:0123");
        let screen = s.wait_for_screen(|screen| {
            has_row(screen, &start) && screen.ends_with_line(&format!("{PROMPT}half"))
        });
        let row = screen.rows.iter().position(|row| row.contains(&start)).expect("it is there");
        assert_eq!(row + 1, screen.cursor.0, "one row for one frame: {screen:#?}");
        let width = screen.rows[row].chars().count();
        let columns = usize::from(columns);
        assert!((columns - 10..=columns).contains(&width), "{width} of {columns}: {screen:#?}");
    }
    s.keys("\x03");
    s.wait_for_line(PROMPT);
    s.leave();
}
