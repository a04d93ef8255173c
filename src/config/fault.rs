//! Parses and checks `--fault NAME[:ARG][@WHEN]`.

use super::usage::UsageError;
use crate::cli::size;
use crate::net::random;
use crate::ui::notation;
use crate::ui::suggest::near;
use crate::wire::close::MAX_REASON_LEN;
use crate::wire::fault::{Argument, CATALOGUE, Fault, FaultInfo, FaultKind, FaultValue, When};
use crate::wire::handshake::headers::HeaderEdit;
use crate::wire::{Role, role_name};

/// The faults of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Faults {
    /// No faults.
    #[default]
    None,
    /// These faults on every connection.
    Chosen(Vec<Fault>),
    /// One fault on each connection, chosen by this seed and the connection's number.
    Random {
        /// The seed, which repeats the choice.
        seed: u64,
    },
}

/// The name for a random fault.
pub const RANDOM: &str = "random";

impl Faults {
    /// Reads all `--fault`s.
    ///
    /// # Errors
    ///
    /// A fault is unknown, does not apply to the role, has a wrong argument, or excludes another
    /// one.
    pub fn parse(texts: &[String], role: Role) -> Result<Self, UsageError> {
        let seeds: Vec<Option<&str>> = texts.iter().filter_map(|text| random_seed(text)).collect();
        match (seeds.as_slice(), texts) {
            ([], []) => Ok(Self::None),
            ([], _) => {
                let faults: Vec<Fault> =
                    texts.iter().map(|text| parse(text, role)).collect::<Result<_, _>>()?;
                exclusive(&faults)?;
                Ok(Self::Chosen(faults))
            }
            ([None], [_]) => Ok(Self::Random { seed: fresh_seed() }),
            ([Some(seed)], [_]) => match notation::number(seed) {
                Some(seed) => Ok(Self::Random { seed }),
                None => Err(usage(
                    &format!("random:{seed}"),
                    "write random, or random:SEED with a number",
                )),
            },
            _ => Err(UsageError("--fault random can't be combined with other faults".to_owned())),
        }
    }

    /// Whether a fault needs a connection without compression.
    pub fn decline_deflate(&self) -> bool {
        matches!(self, Self::Chosen(faults) if faults.iter().any(Fault::declines_deflate))
    }

    /// How the faults are chosen, so that the user can repeat it.
    pub fn drawn(&self) -> Option<String> {
        match self {
            Self::Random { seed } => Some(format!(
                "--fault random uses the seed {seed}; --fault random:{seed} picks the same \
                 faults again"
            )),
            Self::None | Self::Chosen(_) => None,
        }
    }

    /// The faults of a connection on the side of `role`.
    pub fn of(&self, conn: u64, role: Role) -> Vec<Fault> {
        match self {
            Self::None => Vec::new(),
            Self::Chosen(faults) => faults.clone(),
            Self::Random { seed } => {
                let drawn = scramble(seed.wrapping_add(conn.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
                let count = FaultInfo::of(role).count() as u64;
                let info = FaultInfo::of(role).nth((drawn % count) as usize);
                info.map(Fault::plain).into_iter().collect()
            }
        }
    }
}

/// The finalizer of SplitMix64: similar inputs give different outputs.
fn scramble(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A seed that is short enough to type.
fn fresh_seed() -> u64 {
    let [a, b, c, ..] = random::nonce();
    u64::from(u32::from_be_bytes([0, a, b, c]))
}

/// The text after `random`, if the name is `random`.
fn random_seed(text: &str) -> Option<Option<&str>> {
    match text.split_once(':') {
        None => (text == RANDOM).then_some(None),
        Some((name, seed)) => (name == RANDOM).then_some(Some(seed)),
    }
}

fn parse(text: &str, role: Role) -> Result<Fault, UsageError> {
    let (rest, when) = split_when(text)?;
    let (name, argument) = match rest.split_once(':') {
        Some((name, argument)) => (name, Some(argument)),
        None => (rest, None),
    };
    let Some(info) = CATALOGUE.iter().find(|info| info.name == name) else {
        let near = near(name, FaultInfo::of(role).map(|info| info.name).chain([RANDOM]));
        let advice = match near.as_slice() {
            [] => "--list-faults lists all".to_owned(),
            names => format!("did you mean {}? --list-faults lists all", names.join(" or ")),
        };
        return Err(UsageError(format!("--fault: unknown fault {name:?}; {advice}")));
    };
    if let Some(why) = info.unfit_for(role) {
        let who = role_name(role);
        return Err(UsageError(format!("--fault: {name} is not a fault of a {who}: {why}")));
    }
    let mut fault = Fault { when: when.unwrap_or_default(), ..Fault::plain(info) };
    if when.is_some() && !takes_when(info.kind) {
        return Err(usage(text, "it is part of the handshake and takes no @"));
    }
    let Some(argument) = argument else { return Ok(fault) };
    let value = match (info.argument, argument.split_once('=')) {
        (Argument::Place, Some(("messages", count))) if when.is_none() => {
            let count = notation::number(count).filter(|count| *count > 0);
            fault.when = When::Message(count.ok_or_else(|| usage(text, &wanted(info, role)))?);
            Some(FaultValue::None)
        }
        (kind, _) => value(kind, argument),
    };
    fault.value = value.ok_or_else(|| usage(text, &wanted(info, role)))?;
    Ok(fault)
}

/// Removes `@open` or `@message:N` from the end. The reason of a Close may contain an `@`, too.
fn split_when(text: &str) -> Result<(&str, Option<When>), UsageError> {
    let Some((rest, when)) = text.rsplit_once('@') else { return Ok((text, None)) };
    let when = match when.split_once(':') {
        None if when == "open" => Some(When::Open),
        Some(("message", n)) => notation::number(n).filter(|n| *n > 0).map(When::Message),
        _ => None,
    };
    match when {
        Some(when) => Ok((rest, Some(when))),
        None => Err(usage(text, "after @ write open, or message:N")),
    }
}

fn value(kind: Argument, text: &str) -> Option<FaultValue> {
    match kind {
        Argument::None => None,
        Argument::Number { least, most, .. } => {
            let number = size(text).ok()?;
            (least..=most).contains(&number).then_some(FaultValue::Number(number))
        }
        Argument::Time { .. } => notation::duration(text).ok().map(FaultValue::Time),
        Argument::Text { .. } => {
            // The text is written into a header.
            HeaderEdit::send("X", text).ok().filter(|_| !text.is_empty())?;
            Some(FaultValue::Text(text.to_owned()))
        }
        Argument::Close { .. } => {
            let (code, reason) = text.split_once(':').unwrap_or((text, ""));
            let code = notation::close_code(code)?;
            (reason.len() <= MAX_REASON_LEN).then(|| FaultValue::Close(code, reason.to_owned()))
        }
        Argument::Place => {
            let bytes = size(text.strip_prefix("bytes=")?).ok()?;
            Some(FaultValue::Number(bytes))
        }
    }
}

/// The accepted arguments of a fault, in words.
fn wanted(info: &FaultInfo, role: Role) -> String {
    let name = info.name;
    let usage = format!("write {name}{}", info.argument.usage());
    match info.argument {
        Argument::None => format!("{name} takes no argument"),
        Argument::Number { shown, least, most, .. } => {
            format!("{usage}; {shown} is {least} to {most}")
        }
        Argument::Time { .. } => format!("{usage}; TIME is {}", notation::TIMES),
        Argument::Text { shown, .. } => format!("{usage}; {shown} is written into a header"),
        Argument::Close { .. } => format!(
            "{usage}; CODE is 0 to 65535 or a name such as going-away, REASON at most {MAX_REASON_LEN} bytes"
        ),
        Argument::Place => {
            let from = match role {
                Role::Server => "the 101 included",
                Role::Client => "beginning with the first frame",
            };
            format!("{usage}; bytes counts sent bytes, {from}; messages counts received messages")
        }
    }
}

/// Whether a fault accepts `@WHEN`, because it has no fixed time.
pub fn takes_when(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::Frames(_) | FaultKind::Behaviour(_))
}

/// Checks that at most one fault replaces the answer, and at most one slows it down.
fn exclusive(faults: &[Fault]) -> Result<(), UsageError> {
    let of = |is: fn(&FaultKind) -> bool| {
        let mut names =
            faults.iter().filter(move |fault| is(&fault.info.kind)).map(|f| f.info.name);
        Some((names.next()?, names.next()?))
    };
    let answers = of(|kind| matches!(kind, FaultKind::Answer(_)));
    let paces = of(|kind| matches!(kind, FaultKind::Pace(_)));
    match answers.or(paces) {
        Some((one, other)) => {
            Err(UsageError(format!("--fault: {one} and {other} exclude each other")))
        }
        None => Ok(()),
    }
}

fn usage(text: &str, advice: &str) -> UsageError {
    UsageError(format!("--fault {text:?}: {advice}"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;

    fn one(text: &str) -> Fault {
        match Faults::parse(&[text.to_owned()], Role::Server) {
            Ok(Faults::Chosen(mut faults)) if faults.len() == 1 => faults.remove(0),
            other => panic!("{text}: {other:?}"),
        }
    }

    fn refused(texts: &[&str]) -> String {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        Faults::parse(&texts, Role::Server).expect_err("no faults").to_string()
    }

    #[test]
    fn every_fault_can_be_asked_for_by_its_name() {
        for info in FaultInfo::of(Role::Server) {
            assert_eq!(one(info.name), Fault::plain(info));
        }
    }

    #[test]
    fn arguments_stand_behind_a_colon() {
        assert_eq!(one("status:404").value, FaultValue::Number(404));
        assert_eq!(one("delay:1.5").value, FaultValue::Time(Duration::from_millis(1500)));
        assert_eq!(one("drip:20ms").value, FaultValue::Time(Duration::from_millis(20)));
        assert_eq!(one("close:4000").value, FaultValue::Close(4000, String::new()));
        assert_eq!(
            one("close:going-away:b: c@d@open").value,
            FaultValue::Close(1001, "b: c@d".into())
        );
        assert_eq!(one("deflate-bomb:1M").value, FaultValue::Number(1 << 20));
        assert_eq!(one("rst:bytes=1000").value, FaultValue::Number(1000));
        assert_eq!(one("subprotocol-unoffered:x.y").value, FaultValue::Text("x.y".into()));
    }

    #[test]
    fn moments_stand_behind_an_at() {
        assert_eq!(one("masked@open").when, When::Open);
        assert_eq!(one("masked@message:3").when, When::Message(3));
        assert_eq!(one("close:1001:bye@message:1").when, When::Message(1));
        assert_eq!(one("fin:messages=3"), one("fin@message:3"));
    }

    #[test]
    fn an_error_names_what_is_wrong_and_what_would_be_right() {
        for (text, expected) in [
            ("maskd", "unknown fault \"maskd\"; did you mean masked? --list-faults lists all"),
            ("nonsense", "unknown fault \"nonsense\"; --list-faults lists all"),
            ("masked:1", "masked takes no argument"),
            ("status:20", "write status[:STATUS]; STATUS is 200 to 599"),
            ("delay:x", "write delay[:TIME]; TIME is seconds, as in 1.5, or 250ms, 2m, 1h"),
            ("close:99999", "write close[:CODE[:REASON]]; CODE is 0 to 65535 or a name"),
            ("rst:1000", "write rst[:bytes=N|:messages=N]"),
            ("rst:messages=0", "write rst[:bytes=N|:messages=N]"),
            ("masked@later", "after @ write open, or message:N"),
            ("masked@message:0", "after @ write open, or message:N"),
            ("accept-wrong@message:1", "it is part of the handshake and takes no @"),
            ("extension-unoffered:a\r\nb: c", "EXTENSION is written into a header"),
            ("unmasked", "unmasked is not a fault of a server: a server masks no frame"),
            ("random:x", "write random, or random:SEED with a number"),
        ] {
            let refused = refused(&[text]);
            assert!(refused.contains(expected), "{text}: {refused}");
        }
    }

    #[test]
    fn a_client_has_those_that_mean_something_for_it() {
        let refused = |name: &str| {
            let faults = Faults::parse(&[name.to_owned()], Role::Client);
            faults.expect_err("a refusal").to_string()
        };
        assert!(refused("accept-wrong").contains("is in a server's answer"));
        assert!(refused("masked").contains("a client masks all its frames"));
        assert!(refused("keep-tcp").contains("it is the server that ends TCP"));
        assert!(refused("rst:1").contains("beginning with the first frame"));
        for info in FaultInfo::of(Role::Client) {
            assert!(Faults::parse(&[info.name.to_owned()], Role::Client).is_ok(), "{}", info.name);
        }
    }

    #[test]
    fn some_exclude_each_other() {
        assert!(refused(&["random", "masked"]).contains("can't be combined"));
        assert!(refused(&["status", "garbage"]).contains("status and garbage exclude each other"));
        assert!(refused(&["delay", "bytewise"]).contains("delay and bytewise exclude each other"));
    }

    #[test]
    fn a_seed_repeats_a_draw() {
        let draw = |seed| {
            let faults = Faults::Random { seed };
            (1..=200)
                .flat_map(|conn| faults.of(conn, Role::Server))
                .map(|f| f.info.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let drawn: HashSet<_> = draw(7).into_iter().collect();
        assert!(drawn.len() > CATALOGUE.len() / 2, "{} of all", drawn.len());
        let seed = Faults::parse(&["random:0x10".to_owned()], Role::Server).expect("a seed");
        assert_eq!(seed, Faults::Random { seed: 16 });
    }
}
