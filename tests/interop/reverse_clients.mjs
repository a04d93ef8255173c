// Clients of the servers in reverse.mjs, for reverse: a name and the URL of the proxy; prints what it saw.

import { writeFileSync } from "node:fs";
import { io } from "socket.io-client";
import WebSocket from "ws";

const clients = {
  // Begins with polling, and is upgraded to a WebSocket.
  async "socket.io"(url) {
    const socket = io(url, { reconnection: false });
    const began = socket.io.engine.transport.name;
    // It may be upgraded before it is connected.
    const upgrade = new Promise((done) => socket.io.engine.once("upgrade", done));
    await new Promise((done, fail) => socket.on("connect", done).on("connect_error", fail));
    await upgrade;
    const upgraded = socket.io.engine.transport.name;
    const [text, bytes] = await new Promise((done) =>
      socket.emit("echo", "wörld", Buffer.from([0, 255]), (...all) => done(all)),
    );
    socket.disconnect();
    return { began, upgraded, text, bytes: [...bytes] };
  },

  // As kubectl exec: stdin goes to channel 0, and is closed.
  async exec(url) {
    const protocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
    const socket = new WebSocket(`${url}/exec`, protocols, { perMessageDeflate: false });
    const seen = [];
    socket.on("open", () => {
      socket.send(Buffer.from("\0echo hello\n"));
      socket.send(Buffer.from([255, 0]));
    });
    socket.on("message", (data, binary) => {
      if (!binary) throw new Error("a text message");
      seen.push([data[0], data.subarray(1).toString()]);
    });
    const code = await new Promise((done, fail) => socket.on("close", done).on("error", fail));
    return { protocol: socket.protocol, seen, code };
  },

  // All are open at once; then each has its echo; then all leave.
  async many(url, number) {
    const all = Array.from({ length: Number(number) }, () => new WebSocket(`${url}/context`));
    const each = (step) => Promise.all(all.map(step));
    await each((socket) => new Promise((done, fail) => socket.on("open", done).on("error", fail)));
    const echoes = await each(
      (socket, index) =>
        new Promise((done) => {
          socket.once("message", (data) => done(data.toString() === `client ${index}`));
          socket.send(`client ${index}`);
        }),
    );
    const codes = await each(
      (socket) =>
        new Promise((done) => {
          socket.on("close", done);
          socket.close(1000);
        }),
    );
    return { echoes: echoes.filter(Boolean).length, closed: codes.filter((code) => code === 1000).length };
  },

  // A page is loaded, a module of it is changed, and the page shows that without being loaded again.
  async vite(url, folder) {
    const { chromium } = await import("playwright-core");
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"],
    });
    const page = await browser.newPage();
    const opened = [];
    page.on("websocket", (socket) => opened.push(new URL(socket.url()).host));
    // Vite says so once its socket is open.
    const connected = page.waitForEvent("console", (message) => message.text().includes("connected"));
    await page.goto(url);
    await connected;
    const shows = (text) =>
      page.waitForFunction((text) => document.getElementById("shown").textContent === text, text);
    await shows("before");
    await page.evaluate(() => (globalThis.stayed = true));
    writeFileSync(`${folder}/part.js`, 'export const text = "after";\n');
    await shows("after");
    const stayed = await page.evaluate(() => globalThis.stayed === true);
    await browser.close();
    return { opened, stayed };
  },
};

const [name, ...values] = process.argv.slice(2);
console.log(JSON.stringify(await clients[name](...values)));
process.exit();
