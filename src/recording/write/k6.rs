//! A load test for k6.

use serde_json::json;

use super::Plan;
use crate::recording::session::RecordedSession;

/// The script of a connection: `k6 run FILE`. Needs k6 1.6 or later.
pub fn k6(session: &RecordedSession) -> String {
    let plan = Plan::of(session);
    let headers: Vec<String> = plan
        .headers
        .iter()
        .map(|(name, value)| match value {
            Ok(value) => format!("    {}: {},\n", json!(name), json!(value)),
            Err(variable) => format!("    {}: __ENV.{variable},\n", json!(name)),
        })
        .collect();
    let sends: Vec<String> = plan.sends.iter().map(|send| format!("  {send},\n")).collect();
    format!(
        "// Plays the client's side of a recorded WebSocket session: k6 run -e VUS=10 FILE\n\
         // Written by wscope {version}. Values of secrets are taken from variables: k6 run -e NAME=VALUE\n\
         import {{ WebSocket }} from 'k6/websockets'; // k6 1.6 or later; before, 'k6/experimental/websockets'\n\
         import {{ check }} from 'k6';\n\
         import {{ b64decode }} from 'k6/encoding';\n\n\
         const URL = __ENV.URL || {url};\n\
         const SPEED = Number(__ENV.SPEED || 1);\n\
         const SUBPROTOCOLS = {subprotocols};\n\
         const EXPECTED = {receives}; // messages of the server\n\
         const END = {end}; // milliseconds from the opening\n\
         const SCRIPT = [\n{sends}];\n\n\
         export const options = {{\n\
         \x20 scenarios: {{\n\
         \x20   replay: {{\n\
         \x20     executor: 'per-vu-iterations',\n\
         \x20     vus: Number(__ENV.VUS || 1),\n\
         \x20     iterations: Number(__ENV.ITERATIONS || 1),\n\
         \x20   }},\n\
         \x20 }},\n\
         \x20 thresholds: {{ checks: ['rate==1'] }},\n\
         }};\n\n\
         export default function () {{\n\
         \x20 const headers = {{\n{headers}  }};\n\
         \x20 const ws = new WebSocket(URL, SUBPROTOCOLS, {{ headers }});\n\
         \x20 let got = 0;\n\
         \x20 ws.binaryType = 'arraybuffer';\n\
         \x20 ws.onopen = () => {{\n\
         \x20   for (const s of SCRIPT) {{\n\
         \x20     const data = s.text === undefined ? b64decode(s.binary) : s.text;\n\
         \x20     setTimeout(() => ws.send(data), s.at / SPEED);\n\
         \x20   }}\n\
         \x20   setTimeout(() => {{\n\
         \x20     check(got, {{ 'as many messages as recorded': (n) => n >= EXPECTED }});\n\
         \x20     ws.close(1000);\n\
         \x20   }}, END / SPEED + 1000);\n\
         \x20 }};\n\
         \x20 ws.onmessage = () => {{ got += 1; }};\n\
         \x20 ws.onerror = (e) => {{ check(null, {{ 'no error': () => false }}); console.error(e.error); }};\n\
         }}\n",
        version = env!("CARGO_PKG_VERSION"),
        url = json!(plan.url),
        subprotocols = json!(plan.subprotocols),
        receives = plan.receives,
        end = plan.end,
        sends = sends.concat(),
        headers = headers.concat(),
    )
}
