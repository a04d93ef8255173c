//! `wscope explain`: prints entries of the catalogue of diagnostics.

use crate::cli::ExplainArgs;
use crate::config::Display;
use crate::diagnostics::{CatalogueEntry, browser, entry, topic};
use crate::engine::exit::Exit;
use crate::modes::generated;
use crate::output::stderr;
use crate::ui::explain;
use crate::ui::style::Palette;
use crate::ui::terminal::{FULL_WIDTH, Terminal};

/// Prints the entries about a topic; an unknown topic is a usage error.
pub fn run(args: &ExplainArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let palette = Display::plain(args.color, terminal).palette(terminal.stdout);
    let width = if terminal.stdout { terminal.width } else { FULL_WIDTH };
    let page = Page { width, palette };
    let topic = Some(args.topic.join(" ")).filter(|topic| !topic.is_empty());
    let text = match (&args.browser, &topic) {
        _ if args.list => Ok(page.list()),
        (Some(message), _) => page.browser(message),
        (None, Some(asked)) => page.topic(asked),
        (None, None) => Ok(page.list()),
    };
    match text {
        Ok(text) => generated::print_for_people(&text),
        Err(unknown) => {
            stderr::error(&unknown);
            Ok(Exit::Usage)
        }
    }
}

/// The appearance of the page.
#[derive(Clone, Copy)]
struct Page {
    width: usize,
    palette: Palette,
}

impl Page {
    fn list(self) -> String {
        let mut out = Vec::new();
        explain::list(self.palette, &mut out);
        text(out)
    }

    fn topic(self, asked: &str) -> Result<String, String> {
        let topic = topic(asked).map_err(|unknown| unknown.to_string())?;
        let mut out = Vec::new();
        if let Some(asked) = topic.asked {
            out.extend_from_slice(asked.as_bytes());
            out.push(b'\n');
        }
        if let Some(entry) = topic.entry {
            if !out.is_empty() {
                out.push(b'\n');
            }
            explain::write(entry, self.width, self.palette, &mut out);
        }
        Ok(text(out))
    }

    fn browser(self, message: &str) -> Result<String, String> {
        let meaning = browser::explain(message).ok_or(
            "wscope does not know this message; browsers hide the cause from pages, so run wscope -v URL \
             to see it",
        )?;
        let (first, others) = meaning.codes.split_first().ok_or("no code")?;
        let mut out = Vec::new();
        if let Some(entry) = entry(first) {
            out.extend_from_slice(
                format!("{} reports this for {first}.\n\n", meaning.speaker).as_bytes(),
            );
            explain::write(entry, self.width, self.palette, &mut out);
        }
        let others: Vec<&CatalogueEntry> = others.iter().filter_map(|code| entry(code)).collect();
        if !others.is_empty() {
            out.extend_from_slice(b"\nIt may also be\n");
            for entry in others {
                out.extend_from_slice(format!("  {}  {}\n", entry.code, entry.title).as_bytes());
            }
        }
        Ok(text(out))
    }
}

fn text(out: Vec<u8>) -> String {
    String::from_utf8_lossy(&out).into_owned()
}
