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
import SocketIo2 from "socket.io-2";
import FoxRouter from "fox-wamp";
import inspector from "node:inspector";

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

const io2 = http.createServer();
new SocketIo2(io2, { pingInterval: 300 }).on("connection", (socket) => {
  socket.on("chat", (text, answer) => {
    socket.emit("chat", text, Buffer.from("bytes"));
    answer?.("got", text);
  });
});
ports["socket.io 2"] = await listening(io2);

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

const wamp = http.createServer();
new FoxRouter().listenWAMP({ server: wamp });
ports["fox-wamp"] = await listening(wamp);

// It speaks as Chromium's DevTools do; its path is a UUID.
inspector.open(0, "127.0.0.1");
const devtools = new URL(inspector.url());
ports["node's inspector"] = `${devtools.port}${devtools.pathname}`;

// What follows answers as servers that cannot be had here are documented to.
const stub = async (name, path, serve, answer = (_, response) => response.writeHead(404).end()) => {
  const server = http.createServer(answer);
  new WebSocketServer({ server, path }).on("connection", (socket) => {
    const send = (value, end = "") => socket.send(JSON.stringify(value) + end);
    serve(send, (take) => socket.on("message", (data) => take(data.toString())));
  });
  ports[name] = await listening(server);
};

// https://github.com/phoenixframework/phoenix/blob/main/lib/phoenix/socket/serializers/v2_json_serializer.ex
await stub("phoenix", "/socket/websocket", (send, receive) => receive((text) => {
  const [join, ref, topic, event, payload] = JSON.parse(text);
  send([join, ref, topic, "phx_reply", { status: "ok", response: {} }]);
  if (event === "shout") send([null, null, topic, "shout", payload]);
  if (event === "phx_leave") send([join, join, topic, "phx_close", {}]);
}));

// https://github.com/dotnet/aspnetcore/blob/main/src/SignalR/docs/specs/HubProtocol.md
await stub("signalr", "/chathub", (send, receive) => receive((text) => {
  for (const record of text.split("\x1e").filter(Boolean).map((json) => JSON.parse(json))) {
    if (record.protocol) send({}, "\x1e");
    if (record.type === 1) {
      const { invocationId, target, arguments: args } = record;
      if (target === "Add") send({ type: 3, invocationId, result: args[0] + args[1] }, "\x1e");
      else send({ type: 3, invocationId, error: "Unknown hub method" }, "\x1e");
      send({ type: 1, target: "news", arguments: ["x"] }, "\x1e");
    }
  }
}), (request, response) => response.end(JSON.stringify({
  negotiateVersion: 1, connectionId: "c-1", connectionToken: "t-1",
  availableTransports: [{ transport: "WebSockets", transferFormats: ["Text", "Binary"] }],
})));

// https://docs.anycable.io/misc/action_cable_protocol
await stub("action-cable", "/cable", (send, receive) => {
  send({ type: "welcome" });
  receive((text) => {
    const { command, identifier, data } = JSON.parse(text);
    if (command === "subscribe") send({ identifier, type: "confirm_subscription" });
    if (command === "message") send({ identifier, message: JSON.parse(data) });
  });
});

// Not by the console, which the inspector reports.
process.stdout.write(`${JSON.stringify(ports)}\n`);
process.stdin.on("end", () => process.exit()).resume();
