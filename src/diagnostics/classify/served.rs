//! The server's side: why a client was not accepted, and which option of `listen` accepts it; and
//! what a client wanted that left at once. wscope's own answer is never diagnosed.

use super::findings::Findings;
use crate::diagnostics::Facts;
use crate::diagnostics::facts::EndKind;
use crate::diagnostics::wish;
use crate::wire::Role;

pub(super) fn refused(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let (Role::Server, Some(request), Some(status)) = (facts.role, facts.request, facts.status())
    else {
        return;
    };
    let reason = String::from_utf8_lossy(facts.body).trim().to_owned();
    // A refusal that was asked for needs no explanation.
    if status == 101 || reason.starts_with("this server refuses every handshake") {
        return;
    }
    let get =
        |name: &str| request.get_all(name).next().map(|v| String::from_utf8_lossy(v).into_owned());
    let asked = request.has_token("Upgrade", "websocket");
    let code = match status {
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
            "W360" => match wish::kind(request) {
                Some((what, help)) => d.because(what, format!("the path is {}", path.unwrap_or_default())).help(help),
                None => d,
            },
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

/// A client that was accepted, and left before it sent anything.
pub(super) fn left(facts: &Facts<'_>, found: &mut Findings<'_>) {
    let (Some(wish), Some(end)) = (facts.wish, facts.end) else { return };
    let by_peer = match end.how {
        EndKind::Fin | EndKind::Reset => true,
        EndKind::Closed => facts.close.by_peer && facts.close.received.is_some(),
        _ => false,
    };
    if facts.stream.messages > 0 || !by_peer || end.partial > 0 {
        return;
    }
    let after = format!(
        "the client left {} ms after the 101 without sending a message",
        end.lifetime.as_millis()
    );
    if let Some(first) = wish.offered.first() {
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
