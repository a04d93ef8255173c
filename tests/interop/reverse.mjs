// Servers behind a reverse proxy, for reverse: prints their ports as a JSON object, and ends with stdin.
//
// "ws" has the paths /context and /fresh, which echo with and without context takeover, and /exec, a
// shell of Kubernetes' channels. "socket.io" echoes an event. "vite" is a dev server with hot reload.

import { writeFileSync, mkdirSync } from "node:fs";
import http from "node:http";
import { Server as SocketIo } from "socket.io";
import { createServer } from "vite";
import { WebSocketServer } from "ws";

const listening = async (server) => {
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return server.address().port;
};
const ports = {};

const fresh = { serverNoContextTakeover: true, clientNoContextTakeover: true };
const echo = (socket) => socket.on("message", (data, binary) => socket.send(data, { binary }));
const paths = {
  "/context": [{ perMessageDeflate: { threshold: 0 } }, echo],
  "/fresh": [{ perMessageDeflate: { threshold: 0, ...fresh } }, echo],
  // https://kubernetes.io/docs/reference/using-api/, websocket.go of k8s.io/apimachinery: the first byte
  // of a binary message is a channel: stdin, stdout, stderr, error, resize; with v5, 255 closes one.
  "/exec": [
    { handleProtocols: (offered) => offered.has("v5.channel.k8s.io") && "v5.channel.k8s.io" },
    (socket) => {
      const out = (channel, data) => socket.send(Buffer.concat([Buffer.from([channel]), data]));
      out(1, Buffer.alloc(0));
      socket.on("message", (data, binary) => {
        if (binary && data[0] === 0) out(1, data.subarray(1));
        if (binary && data[0] === 255) {
          out(3, Buffer.from(JSON.stringify({ status: "Success", closed: data[1] })));
          socket.close(1000);
        }
      });
    },
  ],
};
const sockets = http.createServer();
for (const [path, [options, serve]] of Object.entries(paths)) {
  const server = new WebSocketServer({ noServer: true, ...options });
  sockets.on("upgrade", (request, connection, head) => {
    if (request.url === path) server.handleUpgrade(request, connection, head, serve);
  });
}
ports.ws = await listening(sockets);

const io = http.createServer();
new SocketIo(io).on("connection", (socket) => {
  socket.on("echo", (text, bytes, answer) => answer(text, bytes));
});
ports["socket.io"] = await listening(io);

// What is in the folder of the page, which the browser's side changes.
const root = process.argv[2];
mkdirSync(root, { recursive: true });
writeFileSync(`${root}/index.html`, '<!doctype html><p id="shown"></p><script type="module" src="/main.js"></script>');
writeFileSync(`${root}/part.js`, 'export const text = "before";\n');
writeFileSync(
  `${root}/main.js`,
  `import { text } from "./part.js";
const show = (text) => (document.getElementById("shown").textContent = text);
show(text);
import.meta.hot.accept("./part.js", (part) => show(part.text));
`,
);
const vite = await createServer({
  root,
  configFile: false,
  logLevel: "silent",
  cacheDir: `${root}/.vite`,
  server: { host: "127.0.0.1", port: 0, watch: { usePolling: true, interval: 50 } },
});
await vite.listen();
ports.vite = vite.httpServer.address().port;

process.stdout.write(`${JSON.stringify(ports)}\n`);
process.stdin.on("end", () => process.exit()).resume();
