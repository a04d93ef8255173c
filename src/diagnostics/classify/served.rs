//! The server's side: why a client was not accepted, and which option of `listen` accepts it; and
//! what a client wanted that left at once. wscope's own answer is never diagnosed.

use super::findings::Findings;
use crate::diagnostics::Facts;
use crate::diagnostics::facts::EndKind;
use crate::diagnostics::wish;
use crate::wire::Role;
use crate::wire::head::Head;
use crate::wire::secret::is_secret;

pub(super) fn refused(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let (Role::Server, Some(request), Some(status)) = (facts.role, facts.request, facts.status())
    else {
        return;
    };
    let reason = String::from_utf8_lossy(facts.body).trim().to_owned();
    // A refusal that was asked for needs no explanation.
    let named = reason.starts_with("the client speaks ");
    if status == 101 || named || reason.starts_with("this server refuses every handshake") {
        return;
    }
    let get =
        |name: &str| request.get_all(name).next().map(|v| String::from_utf8_lossy(v).into_owned());
    let asked = request.has_token("Upgrade", "websocket");
    let balanced = reason.contains("of the PROXY protocol");
    let code = match status {
        _ if balanced => "W363",
        _ if !asked => "W360",
        404 => "W361",
        403 => "W362",
        401 => "W364",
        400 if reason.contains("subprotocol") && !reason.contains("Sec-WebSocket") => "W365",
        _ => "W363",
    };
    let path = request.request_line().map(|line| String::from_utf8_lossy(line.target).into_owned());
    let path = path.map(|target| target.split('?').next().unwrap_or_default().to_owned());
    found.add(code, |d| {
        // A page that was answered ends with the reason; the transcript shows all of it.
        let reason = reason.trim_end().rsplit("\n\n").next().unwrap_or_default();
        let d = d.note(format!("wscope answered {status}: {reason}"));
        let d = d.note_if(get("User-Agent").map(|agent| format!("User-Agent: {agent}")));
        match code {
            "W360" if get("Sec-WebSocket-Key").is_some() => d
                .because("a proxy removed Upgrade", "the request has a Sec-WebSocket-Key but no Upgrade")
                .help("make the proxy forward it; in nginx: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";`"),
            "W360" if let Some(fact) = proxied(request) => d
                .because("the client takes this server for a forward proxy", fact)
                .help("`wscope proxy PORT` is a forward proxy; or remove http_proxy, https_proxy or the proxy setting from the client"),
            "W360" => match wish::kind(request) {
                Some((what, help)) => d.because(what, format!("the path is {}", path.unwrap_or_default())).help(help),
                None => d,
            },
            "W363" if balanced => d
                .because("a balancer in front of this server speaks the PROXY protocol", "that is what its connection begins with")
                .help("switch the PROXY protocol off at the balancer (haproxy: no send-proxy; nginx: proxy_protocol off)"),
            "W361" => d.help(format!("serve it too: `--path {}`, or correct the client's URL", path.unwrap_or_default())),
            "W362" => {
                let origin = get("Origin").unwrap_or_default();
                let allowed = match origin.as_str() {
                    // What browsers send for a page from a file.
                    "file://" => "null",
                    origin => origin,
                };
                let d = d.help(format!("allow it: `--origin {allowed}`"));
                match allowed {
                    "null" => d.because("the page was opened from a file, or is sandboxed", format!("Origin: {origin}")),
                    _ => d,
                }
            }
            "W364" => match elsewhere(request) {
                Some(fact) => d
                    .because("the client sends its credentials in another form than this server reads", fact)
                    .help("send them in Authorization, as Basic or Bearer, as `wscope -u USER:PASSWORD URL` and `wscope --bearer TOKEN URL` do"),
                None => d,
            },
            "W365" => match get("Sec-WebSocket-Protocol") {
                Some(offered) => {
                    let first = offered.split(',').next().unwrap_or_default().trim().to_owned();
                    d.help(format!("support it: `-s {first}`, or correct the client's list"))
                }
                None => d,
            },
            _ => d,
        }
    });
}

/// The mark of a request to a forward proxy (RFC 9112 §3.2.2, §3.2.3).
fn proxied(request: &Head) -> Option<&'static str> {
    let line = request.request_line()?;
    let absolute = line.target.starts_with(b"http://") || line.target.starts_with(b"https://");
    match line.method {
        b"CONNECT" => Some("the method is CONNECT"),
        _ => absolute.then_some("the request's target is a whole URL"),
    }
}

/// Credentials outside of what Authorization has for Basic and Bearer; their values are secret.
fn elsewhere(request: &Head) -> Option<String> {
    let word = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if let Some(value) = request.get("Authorization") {
        let scheme = word(value.split(|byte| *byte == b' ').next().unwrap_or_default());
        let known = ["basic", "bearer"].iter().any(|name| scheme.eq_ignore_ascii_case(name));
        let named = scheme.len() < value.len() && scheme.len() <= 20;
        return (!known && named).then(|| format!("the scheme of Authorization is {scheme}"));
    }
    let target = word(request.request_line()?.target);
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let mut names = query.split('&').filter_map(|pair| Some(pair.split_once('=')?.0));
    if let Some(name) = names.find(|name| is_secret(name)) {
        return Some(format!("the parameter {name} was sent"));
    }
    let mut offered = request.tokens("Sec-WebSocket-Protocol").map(word);
    let secret = offered.any(|name| is_secret(&name) || name.eq_ignore_ascii_case("bearer"));
    secret.then(|| "a subprotocol that carries credentials was offered".to_owned())
}

/// A client that was accepted, and left before it sent anything, or got no answer.
pub(super) fn left(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let (Some(wish), Some(end)) = (facts.wish, facts.end) else { return };
    let by_peer = match end.how {
        EndKind::Fin | EndKind::Reset => true,
        EndKind::Closed => facts.close.by_peer && facts.close.received.is_some(),
        _ => false,
    };
    let silent = facts.stream.messages == 0;
    // Who was not answered has waited in vain.
    let waited = wish.speaks.is_some() && facts.stream.sent.is_none();
    if !(silent || waited) || !by_peer || end.partial > 0 {
        return;
    }
    let what = if silent { "without sending a message" } else { "without an answer" };
    let after = format!("the client left {} ms after the 101 {what}", end.lifetime.as_millis());
    if let Some(first) = wish.offered.first().filter(|_| silent) {
        let names = wish.offered.join("\", \"");
        found.add("W366", |d| {
            d.title(format!("the client offered \"{names}\" and got no subprotocol"))
                .note(after.clone())
                .note_if(wish.speaks.map(|(what, _)| what))
                .help(format!("start wscope with `-s {first}`"))
        });
    } else if let Some((what, help)) = wish.speaks {
        found.add("W367", |d| d.title(what).note(after).help(help));
    }
}
