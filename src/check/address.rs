//! What a tested client requests: a case in the path of its URL, a resource of the browser page, or
//! a request of a harness for Autobahn's fuzzing server.

use crate::wire::percent::percent_decoded;

/// What is requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `/`: the page for browsers; over WebSocket, the next open case.
    Root,
    /// `/cases`: the cases, for the page.
    Cases,
    /// `/result?id=ID`: the verdict on a case, for the page.
    Result(String),
    /// `/done`: the page has finished.
    Done,
    /// `/ID` or `/c/ID/TOKEN`: a case.
    Case(String, Option<String>),
    /// `/getCaseCount`.
    Count,
    /// `/runCase?case=N` or `casetuple=ID`.
    Run(Number),
    /// `/getCaseInfo?case=N`.
    Info(Number),
    /// `/getCaseStatus?case=N`.
    Status(Number),
    /// `/updateReports`.
    Reports,
    /// Any other path.
    Other,
}

/// The case that a harness requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Number {
    /// By its place, from 1.
    Place(usize),
    /// By its id.
    Id(String),
    /// None, or an invalid number.
    Unknown,
}

/// The longest target that is examined.
const LONGEST: usize = 1024;

/// Reads the target of a request.
pub fn read(target: &str) -> Address {
    let target = if target.len() > LONGEST { "" } else { target };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match path {
        "/" => Address::Root,
        "/cases" => Address::Cases,
        "/done" => Address::Done,
        "/result" => parameter(query, "id").map_or(Address::Other, Address::Result),
        "/getCaseCount" => Address::Count,
        "/runCase" => Address::Run(number(query)),
        "/getCaseInfo" => Address::Info(number(query)),
        "/getCaseStatus" => Address::Status(number(query)),
        "/updateReports" => Address::Reports,
        path => case(&decoded(path)),
    }
}

/// `/f/rsv1`, `/c/f/rsv1/0123abcd`.
fn case(path: &str) -> Address {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match parts[..] {
        ["c", area, word, token] => Address::Case(format!("{area}/{word}"), Some(token.to_owned())),
        ["c", area, word] => Address::Case(format!("{area}/{word}"), None),
        [area, word] => Address::Case(format!("{area}/{word}"), None),
        _ => Address::Other,
    }
}

fn number(query: &str) -> Number {
    if let Some(id) = parameter(query, "casetuple") {
        return Number::Id(id);
    }
    let place = parameter(query, "case").and_then(|text| text.parse().ok());
    place.filter(|place| *place > 0).map_or(Number::Unknown, Number::Place)
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let pair = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = pair.into_iter().find(|(own, _)| *own == name)?.1;
    Some(decoded(value))
}

fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&percent_decoded(text)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_in_the_path() {
        let case = |id: &str, token: Option<&str>| Address::Case(id.into(), token.map(Into::into));
        assert_eq!(read("/f/rsv1"), case("f/rsv1", None));
        assert_eq!(read("/c/1000"), case("c/1000", None));
        assert_eq!(read("/f/len-2%5E62"), case("f/len-2^62", None));
        assert_eq!(read("/c/f/rsv1"), case("f/rsv1", None));
        assert_eq!(read("/c/c/1000/0123abcd?x"), case("c/1000", Some("0123abcd")));
        for other in ["/chat", "", "*", "/a/b/c", "/result", "/result?x=1"] {
            assert_eq!(read(other), Address::Other, "{other}");
        }
        assert_eq!(read(&format!("/f/{}", "x".repeat(2000))), Address::Other);
        assert_eq!(read("/"), Address::Root);
        assert_eq!(read("/result?id=f%2Frsv1"), Address::Result("f/rsv1".into()));
    }

    #[test]
    fn autobahn_s_paths_are_known() {
        assert_eq!(read("/getCaseCount?agent=a"), Address::Count);
        assert_eq!(read("/runCase?case=12&agent=x"), Address::Run(Number::Place(12)));
        assert_eq!(
            read("/runCase?agent=x&casetuple=f%2Fping"),
            Address::Run(Number::Id("f/ping".into()))
        );
        for text in ["/runCase", "/runCase?case=0", "/runCase?case=-1", "/runCase?case=1e9"] {
            assert_eq!(read(text), Address::Run(Number::Unknown), "{text}");
        }
        assert_eq!(read("/getCaseInfo?case=1"), Address::Info(Number::Place(1)));
        assert_eq!(read("/getCaseStatus?case=1&agent=x"), Address::Status(Number::Place(1)));
        assert_eq!(read("/updateReports?agent=x"), Address::Reports);
    }
}
