// A client of npm's ws for the interop tests of the server: follows the steps that listen describes.
//
// Arguments: URL, options and steps, the last two in JSON. Prints what it saw, in JSON.

import { createHash } from "node:crypto";
import { readFileSync, writeSync } from "node:fs";
import WebSocket from "ws";

const [url, { subprotocols = [], compress = true, cacert }, steps] = [
  process.argv[2],
  JSON.parse(process.argv[3]),
  JSON.parse(process.argv[4]),
];
const socket = new WebSocket(url, subprotocols, {
  perMessageDeflate: compress && { threshold: 0 },
  ca: cacert && readFileSync(cacert),
  maxPayload: 0,
});

const pending = { message: [], pong: [], closed: [] };
const waiting = { message: [], pong: [], closed: [] };
const put = (queue, value) => {
  const take = waiting[queue].shift();
  take ? take(value) : pending[queue].push(value);
};
const take = (queue) =>
  pending[queue].length
    ? pending[queue].shift()
    : new Promise((resolve) => waiting[queue].push(resolve));

socket.on("message", (data, binary) =>
  put(
    "message",
    binary
      ? { binary: data.length, sha256: createHash("sha256").update(data).digest("hex") }
      : { text: data.toString() },
  ),
);
socket.on("pong", (payload) => put("pong", { pong: payload.toString() }));
socket.on("close", (code, reason) => put("closed", { closed: [code, reason.toString()] }));
socket.on("error", (error) => {
  if (socket.readyState === WebSocket.CONNECTING) return;
  console.error(error);
  process.exit(1);
});
socket.on("unexpected-response", (request, response) => {
  finish({ refused: response.statusCode });
});

function finish(saw) {
  const text = Buffer.from(JSON.stringify(saw));
  // console.log would not have written all of it before the end.
  for (let at = 0; at < text.length; ) at += writeSync(1, text, at);
  process.exit(0);
}

const pattern = Buffer.from(Array.from({ length: 251 }, (_, i) => i));
const does = {
  text: (text) => socket.send(text),
  binary: (length) => socket.send(Buffer.alloc(length, pattern)),
  receive: () => take("message"),
  ping: (payload) => (socket.ping(payload), take("pong")),
  close: (code, reason) => (socket.close(code, reason), take("closed")),
  closed: () => take("closed"),
};
socket.on("open", async () => {
  const seen = [];
  for (const [step, ...values] of steps) {
    const saw = await does[step](...values);
    if (saw) seen.push(saw);
  }
  finish({ subprotocol: socket.protocol || null, seen });
});
