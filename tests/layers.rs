//! The rules of the sources as tests: what `ARCHITECTURE.md` states about the layers, and what every
//! file owes its reader. They read the sources as text and know nothing of what the code does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers from the ground up; a file uses its own and those before it.
const LAYERS: [&[&str]; 15] = [
    &["wire"],
    &["event"],
    // Both read what the wire and the events say; neither needs the other.
    &["session", "lens"],
    // Below the network, so that its errors can take their advice from the catalogue.
    &["diagnostics"],
    &["net"],
    &["ui"],
    // Above the words of people and of JSON, which it reads, and below all that reads it.
    &["recording"],
    // One layer: what was typed and what it resolves to.
    &["cli", "config"],
    &["output"],
    &["engine"],
    &["behaviour"],
    &["script"],
    &["check"],
    &["client"],
    &["modes"],
];

/// What only some places may name, and why. A place is a file or folder of `src/`.
const RESERVED: [Reserved; 9] = [
    Reserved {
        names: &["Instant::now", "SystemTime::now", "Timestamp::now", "Zoned::now"],
        places: &["net", "modes", "engine", "output", "behaviour", "script", "client", "config"],
        reason: "time is an argument, so that a recording replays as it happened",
    },
    Reserved {
        names: &["env::var", "env::args", "env::current_dir"],
        places: &["ui/terminal", "config"],
        reason: "the environment is read once, where the configuration is made",
    },
    Reserved {
        names: &["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "mio::"],
        places: &["net", "modes", "engine", "output", "behaviour", "script", "client", "config"],
        reason: "only the network layer touches sockets; a mode runs its loop",
    },
    Reserved {
        names: &["fs::", "File::open", "File::create"],
        places: &[
            "net",
            "modes",
            "engine",
            "output",
            "behaviour",
            "script",
            "client",
            "config",
            "ui/prompt",
        ],
        reason: "bytes come in and go out through the layers that own descriptors; the prompt's \
                 are the terminal, its history, the file that an editor edits",
    },
    Reserved {
        names: &["io::stdin", "io::stdout", "println!", "print!("],
        places: &[
            "net/stdio",
            "net/files",
            "ui/terminal",
            "ui/prompt/tty",
            "modes",
            "engine",
            "output",
            "behaviour",
            "script",
            "config",
        ],
        reason: "stdout is payload and has one writer; others only ask whether it is a terminal",
    },
    Reserved {
        names: &["thread::"],
        places: &[
            "net",
            "modes",
            "engine",
            "output",
            "behaviour",
            "script",
            "client",
            "config",
            "ui/prompt",
        ],
        reason: "one loop runs everything; threads only carry calls that block, as the line \
                 editor and the terminal do",
    },
    Reserved {
        names: &["anyhow"],
        places: &["modes", "main.rs", "script/runner", "behaviour/greeting", "client"],
        reason: "errors are typed until somebody prints them",
    },
    Reserved {
        names: &["process::exit"],
        places: &["net/random"],
        reason: "destructors restore the terminal; only a system without randomness ends at once",
    },
    Reserved {
        names: &[".unwrap()", "todo!(", "unimplemented!(", "dbg!("],
        places: &[],
        reason: "no panic is reachable from outside, and nothing listed in --help is missing",
    },
];

struct Reserved {
    names: &'static [&'static str],
    places: &'static [&'static str],
    reason: &'static str,
}

#[test]
fn a_file_uses_only_its_own_layer_or_those_below() {
    let mut faults = String::new();
    for file in Source::all("src") {
        let Some(own) = layer_of(&file.top()) else {
            assert!(["lib.rs", "main.rs"].contains(&file.name.as_str()), "no layer: {}", file.name);
            continue;
        };
        for (number, line) in file.code() {
            for used in crate_paths(line) {
                match layer_of(used) {
                    Some(layer) if layer <= own => {}
                    Some(_) => fault(&mut faults, &file, number, &format!("uses {used}, above it")),
                    None => fault(&mut faults, &file, number, &format!("uses unknown {used}")),
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn clocks_sockets_and_the_like_stay_where_they_belong() {
    let mut faults = String::new();
    for file in Source::all("src") {
        for (number, line) in file.code_without_tests() {
            for Reserved { names, places, reason } in &RESERVED {
                let at_home = places.iter().any(|place| file.is_in(place));
                for name in names.iter().filter(|name| !at_home && names_it(line, name)) {
                    fault(&mut faults, &file, number, &format!("names {name}: {reason}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn a_type_name_has_one_meaning() {
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in Source::all("src") {
        for name in file.code_without_tests().filter_map(|(_, line)| defined_type(line)) {
            files.entry(name.to_owned()).or_default().push(file.name.clone());
        }
    }
    // Two implementations of one interface, of which a build takes one.
    let one_of_two = |files: &[String]| {
        let folder = |file: &String| {
            ["/native.rs", "/openssl.rs"]
                .iter()
                .find_map(|end| Some(file.strip_suffix(end)?.to_owned()))
        };
        let folders: Vec<_> = files.iter().map(folder).collect();
        folders[0].is_some() && folders.iter().all(|other| *other == folders[0])
    };
    files.retain(|_, files| files.len() > 1 && !one_of_two(files));
    assert!(files.is_empty(), "one name for several types: {files:#?}");
}

#[test]
fn no_circle_of_files_uses_itself() {
    let mut uses = Modules::of(Source::all("src")).uses();
    // What uses none of the rest, or is used by none of it, is in no circle.
    loop {
        let before = uses.len();
        let left: BTreeSet<_> = uses.iter().map(|(user, _)| user.clone()).collect();
        uses.retain(|(_, used)| left.contains(used));
        let left: BTreeSet<_> = uses.iter().map(|(_, used)| used.clone()).collect();
        uses.retain(|(user, _)| left.contains(user));
        if uses.len() == before {
            break;
        }
    }
    assert!(uses.is_empty(), "files use each other in a circle:\n{uses:#?}");
}

#[test]
fn names_are_followed_to_the_file_that_defines_them() {
    let source = |name: &str, text: &str| Source { name: name.to_owned(), text: text.to_owned() };
    let modules = Modules::of(vec![
        source("lib.rs", "pub mod a;\npub mod b;"),
        source("a/mod.rs", "mod c;\npub use c::{C, D as E};\nfn f() { c::g() }"),
        source("a/c.rs", "use super::super::b::{self, B};\nfn g() { b::h() }"),
        source("b.rs", "use crate::a::{E};\n// crate::a::f\nfn h() { crate::a::f() }"),
    ]);
    let uses = modules.uses().into_iter().map(|(user, used)| format!("{user} {used}"));
    assert_eq!(uses.collect::<Vec<_>>(), ["a a::c", "a::c b", "b a", "b a::c"]);
}

#[test]
fn every_file_begins_with_its_purpose() {
    for file in Source::all("src").into_iter().chain(Source::all("tests")) {
        assert!(file.text.starts_with("//! "), "{} has no header", file.name);
    }
}

#[test]
fn no_mode_uses_another() {
    let mut faults = String::new();
    for file in Source::all("src").into_iter().filter(|file| file.top() == "modes") {
        let own = file.name["modes/".len()..].split(['/', '.']).next().unwrap_or_default();
        for (number, line) in file.code() {
            for used in line.split("crate::modes::").skip(1).map(identifier) {
                let shared = ["command_line", "generated", "serving"].contains(&used);
                if own != "mod" && used != own && !shared {
                    fault(&mut faults, &file, number, &format!("uses the mode {used}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn no_test_waits_by_the_clock() {
    let sleep = ["thread::", "sleep"].concat();
    for file in Source::all("src").into_iter().chain(Source::all("tests")) {
        assert!(!file.text.contains(&sleep), "{} sleeps: wait for what must happen", file.name);
    }
}

#[test]
fn unsafe_code_is_forbidden() {
    let manifest = read(&root().join("Cargo.toml"));
    assert!(manifest.contains("[lints.rust]\nunsafe_code = \"forbid\"\n"));
}

#[test]
fn the_layer_table_orders_the_layers() {
    assert!(
        layer_of("wire") < layer_of("session") && layer_of("session") < layer_of("diagnostics")
    );
    assert!(layer_of("net") < layer_of("modes"));
    assert_eq!(layer_of("cli"), layer_of("config"));
    assert_eq!(layer_of("elsewhere"), None);
}

#[test]
fn paths_into_the_crate_are_found_wherever_they_stand() {
    let found = |line| crate_paths(line).collect::<Vec<_>>();
    assert_eq!(found("use crate::wire::mask;"), ["wire"]);
    assert_eq!(found("use crate::{event::Event, ui::{human, json}, net};"), ["event", "ui", "net"]);
    assert_eq!(found("    f(crate::event::X, crate::net::Y)"), ["event", "net"]);
    assert_eq!(found("pub(crate) fn f()"), [""; 0]);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn layer_of(top: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&top))
}

fn fault(faults: &mut String, file: &Source, number: usize, what: &str) {
    writeln!(faults, "src/{}:{number} {what}", file.name).expect("a String takes all");
}

/// The top modules that `line` reaches through `crate::`.
fn crate_paths(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
        Some(group) => heads_of_group(group),
        None => vec![identifier(rest)],
    })
}

/// The first identifier of every path in a `{…}` group whose brace has been taken.
fn heads_of_group(group: &str) -> Vec<&str> {
    let (mut depth, mut heads, mut at_head) = (0, Vec::new(), true);
    for (at, byte) in group.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => break,
            b'}' => depth -= 1,
            b',' if depth == 0 => at_head = true,
            b' ' => {}
            _ if at_head => {
                heads.push(identifier(&group[at..]));
                at_head = false;
            }
            _ => {}
        }
    }
    heads
}

/// The name of the type that this line of a file defines, outside functions and `impl`s.
fn defined_type(line: &str) -> Option<&str> {
    let line = match line.strip_prefix("pub") {
        Some(rest) => rest.strip_prefix(' ').or_else(|| Some(rest.split_once(") ")?.1))?,
        None => line,
    };
    let rest =
        ["struct ", "enum ", "trait ", "type "].iter().find_map(|kind| line.strip_prefix(kind))?;
    Some(identifier(rest))
}

fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    &text[..end]
}

/// Whether `line` names `name` as a word of its own: `fs::` is not in `offs::`, nor `print!(` in
/// `eprint!(`.
fn names_it(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        name.starts_with('.') || !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

/// A source file, named relative to its folder.
struct Source {
    name: String,
    text: String,
}

impl Source {
    /// All Rust files under `folder` of the repository, in order.
    fn all(folder: &str) -> Vec<Self> {
        let folder = root().join(folder);
        let mut paths = Vec::new();
        gather(&folder, &mut paths);
        paths.sort();
        assert!(!paths.is_empty(), "no sources in {}", folder.display());
        let source = |path: PathBuf| {
            let name = path.strip_prefix(&folder).expect("found below its folder");
            let name = name.to_string_lossy().replace('\\', "/");
            Self { name, text: read(&path) }
        };
        paths.into_iter().map(source).collect()
    }

    /// The module of the crate's root that this file belongs to.
    fn top(&self) -> String {
        identifier(&self.name).to_owned()
    }

    fn is_in(&self, place: &str) -> bool {
        self.name
            .strip_prefix(place)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.']))
    }

    /// Its lines by number, comments left out.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The same up to the tests, which come last in a file or fill a file called `tests.rs`.
    fn code_without_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let all_tests = self.name.ends_with("tests.rs") || self.name.contains("/tests/");
        self.code().take_while(move |(_, line)| !all_tests && line.trim() != "#[cfg(test)]")
    }
}

/// The modules of the crate by their paths, as `net::tls`; the root has none.
struct Modules(BTreeMap<String, Module>);

struct Module {
    /// Its code without comments, `use` declarations and tests.
    code: String,
    imports: Vec<Import>,
}

/// One name of a `use` declaration.
#[derive(Clone)]
struct Import {
    public: bool,
    name: String,
    path: Vec<String>,
}

impl Modules {
    fn of(sources: Vec<Source>) -> Self {
        let sources = sources.into_iter().filter(|file| !file.name.ends_with("tests.rs"));
        let module = |file: Source| {
            let path = file.name.trim_end_matches(".rs").trim_end_matches("/mod");
            let path = if path == "lib" { "" } else { path };
            let lines: Vec<_> = file.code().map(|(_, line)| line).collect();
            let text = lines.join("\n");
            let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            let (mut code, mut imports) = (String::new(), Vec::new());
            for statement in text.split_inclusive(';') {
                // What stands before a `use` on the line decides whether it is one.
                let at = statement.rfind("use ").filter(|at| {
                    let before = statement[..*at].rsplit('\n').next().unwrap_or_default().trim();
                    before.is_empty() || before == "pub" || before.starts_with("pub(")
                });
                let Some(at) = at else {
                    code.push_str(statement);
                    continue;
                };
                let public = statement[..at].trim_end().ends_with(['b', ')']);
                code.push_str(&statement[..at]);
                let tree = statement[at + "use ".len()..].trim_end_matches(';');
                imports_of(tree, &[], public, &mut imports);
            }
            (path.replace('/', "::"), Module { code, imports })
        };
        Self(sources.map(module).collect())
    }

    /// Which module uses which other. That it names its parts for others (`pub use`) is no use.
    fn uses(&self) -> BTreeSet<(String, String)> {
        let mut uses = BTreeSet::new();
        for (name, module) in self.0.iter().filter(|(name, _)| !name.is_empty()) {
            let imported = module.imports.iter().filter(|import| !import.public);
            let imported = imported.map(|import| import.path.clone());
            let inline = module.code.split(|c: char| !(c.is_alphanumeric() || "_:".contains(c)));
            let inline = inline.filter(|word| word.contains("::"));
            let inline = inline.map(|word| word.split("::").map(str::to_owned).collect::<Vec<_>>());
            for path in imported.chain(inline) {
                let used = self.find(name, &path, 0);
                uses.extend(used.filter(|used| used != name).map(|used| (name.clone(), used)));
            }
        }
        uses
    }

    /// The module that defines what `path` means in the module `from`; none for other crates.
    fn find(&self, from: &str, path: &[String], depth: usize) -> Option<String> {
        let (first, mut rest) = path.split_first()?;
        let mut module = from.to_owned();
        match first.as_str() {
            "crate" => module.clear(),
            "self" => {}
            "super" => {
                module = parent(&module).to_owned();
                while let Some((first, more)) = rest.split_first()
                    && first == "super"
                {
                    (module, rest) = (parent(&module).to_owned(), more);
                }
            }
            _ => rest = path,
        }
        let is_local = rest.len() == path.len();
        for (at, name) in rest.iter().enumerate() {
            let inner = if module.is_empty() { name.clone() } else { format!("{module}::{name}") };
            let import = self.0.get(&module)?.imports.iter().find(|import| import.name == *name);
            if self.0.contains_key(&inner) {
                module = inner;
            } else if let Some(import) = import.filter(|_| depth < 8) {
                let path = [&import.path[..], &rest[at + 1..]].concat();
                return self.find(&module, &path, depth + 1);
            } else if is_local && at == 0 {
                return None;
            }
        }
        (!module.is_empty()).then_some(module)
    }
}

fn parent(module: &str) -> &str {
    module.rsplit_once("::").map_or("", |(parent, _)| parent)
}

/// The names of a `use` tree whose outer part is `before`.
fn imports_of(tree: &str, before: &[String], public: bool, imports: &mut Vec<Import>) {
    let (mut depth, mut start) = (0, 0);
    for (at, byte) in tree.bytes().chain([b',']).enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                let part = tree[start..at].trim();
                start = at + 1;
                let (outer, group) = part.split_once('{').unwrap_or((part, ""));
                let (outer, alias) = outer.split_once(" as ").unwrap_or((outer, ""));
                let names = outer.split("::").map(str::trim).filter(|name| !name.is_empty());
                let mut path = [before, &names.map(str::to_owned).collect::<Vec<_>>()].concat();
                if let Some(inner) = group.strip_suffix('}') {
                    imports_of(inner, &path, public, imports);
                    continue;
                }
                path.pop_if(|last| path_is_whole(last));
                let name =
                    if alias.is_empty() { path.last().map_or("", |name| name) } else { alias };
                imports.push(Import { public, name: name.trim().to_owned(), path });
            }
            _ => {}
        }
    }
}

/// Whether the last part of a path means all before it.
fn path_is_whole(last: &str) -> bool {
    ["self", "*"].contains(&last)
}

fn gather(folder: &Path, paths: &mut Vec<PathBuf>) {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() && !path.ends_with("node_modules") {
            gather(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}
