//! `/help`: the table as text, without colours; the caller wraps the lines.

use std::fmt::Write as _;

use crate::lens;
use crate::script::command::entry::Availability;
use crate::script::command::table::{CommandEntry, Group, entries_of, find};
use crate::wire::Role;

/// The columns of the usages in the overview; a longer one is cut to its name.
const USAGE_WIDTH: usize = 29;

/// What a line means; precedes the list of commands.
const PREAMBLE: &str = "A line is sent as a text message, unchanged. A line that begins with / is a \
    command. // sends a text that begins with a slash, /# begins a comment. /help COMMAND shows more.";

/// How a line of a server may begin.
const TARGETS: &str = "A line goes to all clients. @3 LINE goes to client 3, @3,5 LINE to 3 and 5.";

/// How a line of a proxy begins.
const DIRECTIONS: &str = "A line names a connection and a direction: @3> LINE goes to the server of connection \
    3, @3< LINE to its client; @> and @< are those of the last connection, @all> and @all< those of all. \
    /rule, /hold and /drop change what passes.";

/// Commands about the automatic behaviour of an endpoint, which a proxy does not have.
const OF_ENDPOINTS: [&str; 5] = ["autopong", "autoclose", "compress", "on", "off"];

/// All commands of a side, grouped and aligned. `role` is the role of this side; a proxy has none.
pub fn overview(role: Option<Role>) -> String {
    let mut out = format!("{PREAMBLE}\n");
    match role {
        Some(Role::Client) => {}
        Some(Role::Server) => out.push_str(&format!("{TARGETS}\n")),
        None => out.push_str(&format!("{DIRECTIONS}\n")),
    }
    for group in Group::ALL {
        let _ = writeln!(out, "\n{}", group.title());
        for entry in entries_of(group).filter(|entry| is_of_use(entry, role)) {
            let _ = writeln!(out, "  {:USAGE_WIDTH$}  {}", short_usage(entry), entry.summary);
        }
    }
    out
}

/// Whether a command has an effect for this role.
fn is_of_use(entry: &CommandEntry, role: Option<Role>) -> bool {
    let changes_what_passes = matches!(entry.side, Availability::Proxy(_));
    match role {
        None => !OF_ENDPOINTS.contains(&entry.name) && entry.side.refuses(Role::Server).is_none(),
        Some(role) => !changes_what_passes && entry.side.refuses(role).is_none(),
    }
}

/// The help of one command; `None` if the command does not exist.
pub fn of(name: &str) -> Option<String> {
    let entry = find(name)?;
    let mut out = format!("{}\n  {}\n", entry.usage(), entry.summary);
    if !entry.aliases.is_empty() {
        let aliases: Vec<_> = entry.aliases.iter().map(|alias| format!("/{alias}")).collect();
        let _ = writeln!(out, "  also: {}", aliases.join(", "));
    }
    if let Some(side) = entry.side.word() {
        let _ = writeln!(out, "  for a {side} only");
    }
    for paragraph in entry.help.lines() {
        let _ = writeln!(out, "\n  {paragraph}");
    }
    if let Some(protocol) = lens::find(entry.name).filter(|_| entry.group == Group::Lens) {
        out.push_str("\nCommands\n");
        for command in protocol.commands {
            let _ = writeln!(out, "  {}", [command.name, command.arguments].join(" ").trim());
            let _ = writeln!(out, "      {}", command.help);
        }
    }
    out.push_str("\nExamples\n");
    for (line, meaning) in entry.examples {
        let _ = writeln!(out, "  {line}\n      {meaning}");
    }
    Some(out)
}

/// The usage, or the part of it that fits.
fn short_usage(entry: &CommandEntry) -> String {
    let usage = entry.usage();
    match usage.chars().count() <= USAGE_WIDTH {
        true => usage,
        false => format!("/{} …", entry.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::command::table::ENTRIES;
    use crate::ui::wrap::fold;

    #[test]
    fn every_line_can_be_broken_to_80_columns() {
        for text in ENTRIES
            .iter()
            .filter_map(|entry| of(entry.name))
            .chain([Some(Role::Client), Some(Role::Server), None].map(overview))
        {
            for line in fold(&text, 80).lines() {
                assert!(line.chars().count() <= 80, "{line}");
                assert_eq!(line.trim_end(), line);
            }
        }
    }

    #[test]
    fn the_overview_has_a_line_for_each_command() {
        let sides = [Some(Role::Client), Some(Role::Server), None];
        for (role, entry) in sides.iter().flat_map(|r| ENTRIES.iter().map(move |e| (*r, e))) {
            let begin = format!("  /{} ", entry.name);
            let lines = overview(role);
            let lines = lines.lines().filter(|line| line.starts_with(&begin)).count();
            assert_eq!(lines, usize::from(is_of_use(entry, role)), "{begin}");
        }
        assert!(overview(None).contains("  /rule ") && !overview(None).contains("  /autopong "));
        let overview = overview(Some(Role::Client));
        assert!(
            overview.contains("  /close [CODE] [REASON]         starts the closing handshake\n")
        );
        assert!(overview.contains("  /frame …"));
    }

    #[test]
    fn the_long_form_has_usage_help_and_examples() {
        let wanted = "/stop [N]\n  stops one /every or all\n\n  \
            N is the number that /every printed. Without N, stops all.\n\nExamples\n  \
            /stop\n      stops all\n  /stop 1\n      stops the first\n";
        assert_eq!(of("stop").as_deref(), Some(wanted));
        let stomp = of("stomp").unwrap_or_default();
        let listed = "\nCommands\n  connect [LOGIN] [PASSCODE] [HOST]\n      Opens the session,";
        assert!(stomp.contains(listed), "{stomp}");
        assert!(of("q").is_some_and(|text| text.contains("  also: /q, /exit\n")));
        assert_eq!(of("nothing"), None);
    }
}
