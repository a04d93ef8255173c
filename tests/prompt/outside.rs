//! Editors and pagers on the same terminal.

use std::os::unix::fs::PermissionsExt as _;

use crate::driver::Driven;

/// A program of a shell's commands, in a folder whose name has a space.
fn script(folder: &tempfile::TempDir, commands: &str) -> String {
    let path = folder.path().join("a program");
    std::fs::write(&path, format!("#!/bin/sh\n{commands}\n")).expect("a file");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("ours");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn an_editor_edits_and_the_screen_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let editor = script(
        &folder,
        r#"ls -l "$2" | cut -c1-10; cat "$2"; echo; echo editing $1; read go; echo "$go" >> "$2""#,
    );
    let temporary = tempfile::tempdir().expect("a folder");
    let mut t = Driven::ready_with(&[
        ("VISUAL", &format!("'{editor}' --wait")),
        ("EDITOR", "false"),
        ("TMPDIR", temporary.path().to_str().expect("UTF-8")),
    ]);
    t.order("reply edit it's \"$HOME\" ");
    t.keys("/edit\r");
    assert_eq!(t.report(), r#"Line("/edit")"#);
    t.terminal.wait_for_screen(|screen| {
        screen.has("-rw-------") && screen.has("it's \"$HOME\"") && screen.has("editing --wait")
    });
    assert!(t.is_as_found(), "the editor finds the terminal as the prompt did");
    t.command("say held");
    t.command("away");
    assert_eq!(t.report(), "true");
    assert!(!t.screen().has("held"));
    t.keys("more\r");
    assert_eq!(t.report(), r#"Edited(Ok("it's \"$HOME\" more"))"#);
    t.terminal
        .wait_for_screen(|screen| screen.has("held") && screen.ends_with_line("connected   > "));
    assert_eq!(std::fs::read_dir(temporary.path()).expect("a folder").count(), 0);
    t.leave();
}

#[test]
fn an_editor_that_fails_edits_nothing() {
    for (editor, expected) in [
        ("false", "the editor failed: exit status: 1"),
        ("no-such-editor-anywhere", "the editor failed: exit status: 127"),
        (r"printf 'a\377' >", "the edited text is not UTF-8 at byte 1"),
    ] {
        let mut t = Driven::ready_with(&[("EDITOR", editor)]);
        t.order("reply edit text");
        t.keys("/edit\r");
        t.report();
        assert_eq!(t.report(), format!("Edited(Err({expected:?}))"));
        t.leave();
    }
}

#[test]
fn a_pager_gets_what_does_not_fit() {
    let folder = tempfile::tempdir().expect("a folder");
    let pager = script(&folder, r#"echo "paging $(wc -l)"; read go < /dev/tty"#);
    let mut t = Driven::ready_with(&[("PAGER", &format!("'{pager}'"))]);
    t.order("reply page 100");
    t.keys("/last\r");
    t.report();
    t.terminal.wait_for_screen(|screen| screen.has("paging 100"));
    t.command("flood 10000");
    assert_eq!(t.report(), "flooded");
    t.keys("\r");
    t.terminal.wait_for_screen(|screen| {
        screen.has("* flooded") && screen.ends_with_line("connected   > ")
    });
    assert!(String::from_utf8_lossy(&t.bytes()).contains("* 6,000 lines were not shown"));
    t.order("reply page 10");
    t.keys("/last\r");
    t.report();
    t.terminal.wait_for_screen(|screen| {
        screen.has("page line 9") && screen.ends_with_line("connected   > ")
    });
    t.leave();
}

#[test]
fn without_a_pager_it_is_shown_all_the_same() {
    let mut t = Driven::ready_with(&[("PAGER", "no-such-pager-anywhere")]);
    t.order("reply page 30");
    t.keys("/last\r");
    t.report();
    t.terminal.wait_for_screen(|screen| {
        screen.has("page line 29") && screen.ends_with_line("connected   > ")
    });
    t.leave();
}

#[test]
fn the_end_of_the_session_ends_the_pager() {
    let mut t = Driven::ready_with(&[("PAGER", "cat > /dev/null; read go < /dev/tty; :")]);
    t.order("reply page 100");
    t.keys("/last\r");
    t.report();
    t.command("away");
    while t.report() != "true" {
        t.command("away");
    }
    t.command("say the end");
    t.command("close");
    assert_eq!(t.terminal.end().code(), Some(0));
    assert!(t.screen().has("the end"));
}
