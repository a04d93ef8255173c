// Servers of protocols inside WebSocket, for `lenses`: prints their ports as a JSON object, and ends with stdin.
import http from "node:http";
import { createWebSocketStream, WebSocketServer } from "ws";
import { Server as SocketIo } from "socket.io";
import sockjs from "sockjs";
import { buildSchema } from "graphql";
import { useServer } from "graphql-ws/lib/use/ws";
import Aedes from "aedes";
import { Server as RpcServer } from "rpc-websockets";
import StompServer from "stomp-broker-js";

const listening = async (server) => {
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return server.address().port;
};
const ports = {};

const io = http.createServer();
new SocketIo(io, { pingInterval: 300, pingTimeout: 2000 }).on("connection", (socket) => {
  socket.on("chat", (text, answer) => {
    socket.emit("chat", text, { from: socket.id });
    answer?.("got", text);
  });
});
ports["socket.io"] = await listening(io);

const sock = http.createServer();
const echo = sockjs.createServer({ log: () => {}, heartbeat_delay: 300 });
echo.on("connection", (connection) => connection.on("data", (text) => {
  const { id, params } = JSON.parse(text);
  connection.write(JSON.stringify({ jsonrpc: "2.0", id, result: params[0] + params[1] }));
}));
echo.installHandlers(sock, { prefix: "/echo" });
ports.sockjs = await listening(sock);

const graphql = http.createServer();
const schema = buildSchema("type Query { hello: String } type Subscription { count(to: Int!): Int }");
const roots = {
  query: { hello: () => "world" },
  subscription: { count: async function* ({ to }) { for (let n = 1; n <= to; n++) yield { count: n }; } },
};
useServer({ schema, roots }, new WebSocketServer({ server: graphql, path: "/graphql" }));
ports["graphql-ws"] = await listening(graphql);

const mqtt = http.createServer();
const broker = new Aedes();
new WebSocketServer({ server: mqtt, handleProtocols: () => "mqtt" })
  .on("connection", (socket) => broker.handle(createWebSocketStream(socket)));
ports.aedes = await listening(mqtt);

const rpc = http.createServer();
const methods = new RpcServer({ server: rpc });
methods.register("add", ([a, b]) => a + b);
methods.event("news");
ports["rpc-websockets"] = await listening(rpc);

const stomp = http.createServer();
const topics = new StompServer({ server: stomp, path: "/stomp", heartbeat: [0, 0] });
topics.on("send", ({ dest, frame }) => setTimeout(() => {
  const headers = { destination: "/topic/news", "message-id": "1" };
  if (dest === "/topic/ask") topics.send("/topic/news", headers, `heard: ${frame.body}`);
}));
ports["stomp-broker-js"] = await listening(stomp);

console.log(JSON.stringify(ports));
process.stdin.on("end", () => process.exit()).resume();
