// A client of npm's ws behind an HTTP proxy, for the interop tests of the proxy.
//
// Arguments: URL, and the port of the proxy. Sends a text, prints what comes back.

import { request } from "node:http";
import { connect } from "node:tls";
import WebSocket from "ws";

const [url, port] = [new URL(process.argv[2]), process.argv[3]];
const tunnel = request({ host: "127.0.0.1", port, method: "CONNECT", path: url.host });
tunnel.on("connect", (response, socket) => {
  if (response.statusCode !== 200) throw new Error(`the proxy answers ${response.statusCode}`);
  const secure = url.protocol === "wss:";
  const createConnection = () =>
    secure ? connect({ socket, servername: url.hostname }) : socket;
  const client = new WebSocket(url, { createConnection });
  client.on("open", () => client.send("through"));
  client.on("message", (data) => {
    console.log(data.toString());
    client.close();
  });
});
tunnel.end();
