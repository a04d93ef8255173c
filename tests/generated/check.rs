//! `docs/check-cases.md`: the cases of `wscope check` from their table, as Markdown.

use std::fmt::Write as _;

use wscope::check::case::Risk;
use wscope::check::catalogue::{AREAS, all};

const PREAMBLE: &str = "\
# The cases of wscope check

[`wscope check`](check.md) tests these cases, in the order in which a connection proceeds. Ids \
do not change.
`wscope check --show ID` prints the whole rule, what fails if a peer breaks it, and how to \
repeat the case by hand.
`from` is the side that is tested: `server`, `client` (with `--listen`) or `both`. `AB` has the \
numbers of Autobahn's
cases.

This page is generated from the program's own table.
";

/// The page.
pub fn page() -> String {
    let mut page = PREAMBLE.to_owned();
    for (area, about) in AREAS {
        let _ = writeln!(page, "\n## {area}/: {about}\n");
        page += "| id | sent | expected | from | level | rule | AB |\n| --- | --- | --- | --- | --- | --- | --- |\n";
        for case in all().filter(|case| case.area() == *area) {
            let risk = match case.risk {
                Risk::Default => String::new(),
                risk => format!(", --{}", risk.name()),
            };
            let (id, title, level) = (case.id, case.title, case.level.name());
            let (expected, section) = (case.expect.describe(), case.rule.section);
            let tested = case.tested.name();
            let cells = format!(
                "`{id}` | {title} | {expected} | {tested} | {level}{risk} | {section} | {}",
                case.autobahn
            );
            let _ = writeln!(page, "| {} |", cells.replace("PASS*", "PASS\\*").trim_end());
        }
    }
    page
}
