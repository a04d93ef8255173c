//! `docs/write-out.md`, from the table of names.

use std::fmt::Write as _;

use wscope::ui::write_out::NAMES;

const HEAD: &str = "\
# --write-out

`--write-out FORMAT` prints values of a run at its end, as curl's `-w` does. `@FILE` reads the format from a file,
`@-` from stdin. `%{name}` is replaced, `%%` is a percent sign, `\\n`, `\\r` and `\\t` are line end, carriage return and
tab; other text is printed unchanged. `%{json}` prints all values as one object; a value that the run does not have is
`null`. `%{stderr}` and `%{stdout}` send the text after them to stderr or stdout. An unknown name is a usage error
(status 2).

Times are seconds from the start with six decimals, `0.000000` for a phase that was not reached. Text
from a peer is escaped as in the transcript.

| name | meaning |
| --- | --- |
";

/// The page.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for variable in NAMES {
        let _ = writeln!(page, "| `{}` | {} |", variable.name, variable.help);
    }
    page
}
