//! A load test for Artillery: the test itself, and the processor that plays the messages.
//!
//! Artillery's own steps wait in unexpected units, and fail if a message arrives that they do not
//! wait for. So a single step plays everything.

use serde_json::json;

use super::Plan;
use crate::recording::session::RecordedSession;

/// The test in YAML, and the processor, for a file with this name.
pub fn artillery(session: &RecordedSession, processor: &str) -> (String, String) {
    let plan = Plan::of(session);
    let mut headers = String::new();
    for (name, value) in &plan.headers {
        let value = match value {
            Ok(value) => json!(value).to_string(),
            Err(variable) => format!("\"{{{{ $env.{variable} }}}}\""),
        };
        headers.push_str(&format!("      {}: {value}\n", json!(name)));
    }
    let headers =
        if headers.is_empty() { String::new() } else { format!("    headers:\n{headers}") };
    let subprotocols = match plan.subprotocols.is_empty() {
        true => String::new(),
        false => format!("    subprotocols: {}\n", json!(plan.subprotocols)),
    };
    let ws = match headers.is_empty() && subprotocols.is_empty() {
        true => String::new(),
        false => format!("  ws:\n{headers}{subprotocols}"),
    };
    let test = format!(
        "# Plays the client's side of a recorded WebSocket session: artillery run FILE\n\
         # Written by wscope {version}. Values of secrets are taken from variables of the environment.\n\
         config:\n\
         \x20 target: {url}\n\
         \x20 processor: {processor}\n\
         {ws}\
         \x20 phases:\n\
         \x20   - duration: 1\n\
         \x20     arrivalCount: 1\n\
         \x20 ensure:\n\
         \x20   thresholds:\n\
         \x20     - vusers.failed: 1\n\
         scenarios:\n\
         \x20 - name: replay\n\
         \x20   engine: ws\n\
         \x20   flow:\n\
         \x20     - function: replay\n",
        version = env!("CARGO_PKG_VERSION"),
        url = json!(plan.url),
        processor = json!(format!("./{processor}")),
    );
    let sends: Vec<String> = plan.sends.iter().map(|send| format!("  {send},\n")).collect();
    let code = format!(
        "'use strict';\n\
         const SPEED = Number(process.env.SPEED || 1);\n\
         const EXPECTED = {receives}; // messages of the server\n\
         const END = {end}; // milliseconds from the opening\n\
         const SCRIPT = [\n{sends}];\n\n\
         module.exports = {{ replay }};\n\n\
         function replay(context, events, done) {{\n\
         \x20 const ws = context.ws;\n\
         \x20 let got = 0;\n\
         \x20 ws.onmessage = () => {{ got += 1; events.emit('counter', 'replay.received', 1); }};\n\
         \x20 for (const s of SCRIPT) {{\n\
         \x20   const data = s.text === undefined ? Buffer.from(s.binary, 'base64') : s.text;\n\
         \x20   setTimeout(() => {{ ws.send(data); events.emit('counter', 'replay.sent', 1); }}, s.at / SPEED);\n\
         \x20 }}\n\
         \x20 setTimeout(() => {{\n\
         \x20   if (got >= EXPECTED) return done();\n\
         \x20   return done(new Error(`${{got}} of ${{EXPECTED}} messages came`));\n\
         \x20 }}, END / SPEED + 1000);\n\
         }}\n",
        receives = plan.receives,
        end = plan.end,
        sends = sends.concat(),
    );
    (test, code)
}
