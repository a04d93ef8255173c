// Chromium for the interop tests of the server: pages that follow the steps that listen describes.
//
// Reads lines of JSON with page (an origin, or null for about:blank), url, options, steps, and
// insecure; prints what the page saw, a line for each. The pages are empty and come from here.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const pages = createServer((request, response) => {
  response.setHeader("Content-Type", "text/html");
  response.end("<!doctype html><title>wscope interop</title>");
});
await new Promise((resolve) => pages.listen(0, "127.0.0.1", resolve));
const port = pages.address().port;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    ...JSON.parse(process.env.CHROMIUM_PROXY || '["--no-proxy-server"]'),
    // Names of nobody, as an attacker's DNS would answer for them.
    "--host-resolver-rules=MAP *.test 127.0.0.1",
  ],
});

async function visit({ page: host, url, options, steps, insecure }) {
  const context = await browser.newContext({ ignoreHTTPSErrors: Boolean(insecure) });
  try {
    const page = await context.newPage();
    if (host) await page.goto(`http://${host}:${port}/`);
    return await page.evaluate(follow, { url, options, steps });
  } finally {
    await context.close();
  }
}

// Runs in the page.
async function follow({ url, options, steps }) {
  const socket = new WebSocket(url, options.subprotocols ?? []);
  socket.binaryType = "arraybuffer";
  const messages = [];
  let wake = () => {};
  let closed = null;
  socket.onmessage = (event) => (messages.push(event.data), wake());
  socket.onclose = (event) => {
    closed = { closed: [event.code, event.reason], clean: event.wasClean };
    wake();
  };
  const until = async (what) => {
    while (!what()) await new Promise((resolve) => (wake = resolve));
  };
  const opened = new Promise((resolve) => (socket.onopen = () => resolve(true)));
  const lost = until(() => closed).then(() => false);
  if (!(await Promise.race([opened, lost]))) return { refused: closed.closed[0] };
  const describe = async (data) => {
    if (typeof data === "string") return { text: data };
    // crypto.subtle is for secure contexts only, which a page of another host is not.
    const bytes = new Uint8Array(data);
    return { binary: bytes.length, intact: bytes.every((byte, i) => byte === i % 251) };
  };
  const does = {
    text: (text) => socket.send(text),
    binary: (length) => socket.send(Uint8Array.from({ length }, (_, i) => i % 251)),
    receive: async () => {
      await until(() => messages.length || closed);
      return messages.length ? describe(messages.shift()) : closed;
    },
    close: async (code, reason) => {
      socket.close(code, reason);
      await until(() => closed);
      return closed;
    },
    closed: async () => {
      await until(() => closed);
      return closed;
    },
  };
  const seen = [];
  for (const [step, ...values] of steps) {
    const saw = await does[step](...values);
    if (saw) seen.push(saw);
  }
  return { subprotocol: socket.protocol || null, extensions: socket.extensions, seen };
}

console.log(JSON.stringify({ version: browser.version() }));
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await visit(JSON.parse(line)).catch((error) => ({ error: String(error) }));
  console.log(JSON.stringify(answer));
}
await browser.close();
pages.close();
