//! `docs/write-out.md`, from the table of names.

use std::fmt::Write as _;

use wscope::ui::write_out::NAMES;

const HEAD: &str = "\
# --write-out

`--write-out FORMAT` tells of a run when it is over, as curl's `-w` does. `@FILE` reads the format
from a file, `@-` from stdin. `%{name}` is replaced, `%%` is a percent sign, `\\n`, `\\r` and `\\t`
are line end, carriage return and tab; everything else stands for itself. `%{json}` is all names in
one object, in which what is not known is `null`. `%{stderr}` and `%{stdout}` say where the rest
goes. An unknown name is wrong usage.

Times are seconds from the start with six decimals, `0.000000` for what was not reached. Texts that
came from a peer are escaped as in the transcript.

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
